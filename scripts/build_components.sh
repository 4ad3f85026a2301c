#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# Builds the actors of a folder (of examples or tests) in JavaScript,
# TypeScript or Python: DEST gets the folder's manifests and NAME.wasm for each
# source NAME. Each is built as a new project builds it, with the tools that
# toolchains_components.sh installs. What was built before from the same files
# comes from a cache.
#
#   scripts/build_components.sh js|ts|python FOLDER DEST
set -euo pipefail
. "$(dirname "${BASH_SOURCE[0]}")/build_actors.bash"

tools=$("$top/scripts/toolchains_components.sh" "$language")
case $language in
js | ts)
    ending=$language
    build=(node theater/build.mjs)
    ;;
python)
    ending=py
    build=("$tools/bin/python" theater/build.py)
    ;;
esac

scratch=$(mktemp -d)
trap 'rm -rf "$scratch"' EXIT

# One project for all sources: a build reads what its source imports.
copy_template "$scratch"
rm "$scratch/actor.$ending" "$scratch"/*.toml
cp "$folder"/*."$ending" "$scratch"
cp "$folder"/*.toml "$dest"
cd "$scratch"
key=$({
    echo "$tools"
    find . -type f | LC_ALL=C sort | xargs sha256sum
} | sha256sum | cut -c1-24)
if [ "$ending" != py ]; then
    ln -s "$tools" node_modules
fi

for source in *."$ending"; do
    name=${source%."$ending"}
    built=$cache/$language-$key-$name.wasm
    if [ ! -f "$built" ]; then
        "${build[@]}" "$source" "$name.wasm"
        keep "$name.wasm" "$built"
    fi
    cp "$built" "$dest/$name.wasm"
done
