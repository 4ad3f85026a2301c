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
top=$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd)

if [ $# -ne 3 ]; then
    echo "usage: scripts/build_components.sh js|ts|python FOLDER DEST" >&2
    exit 2
fi
language=$1
folder=$(cd "$2" && pwd)
dest=$3
sdk=$top/sdk/$language
cache=${THEATER_DEPS:-${XDG_CACHE_HOME:-$HOME/.cache}/theater}/actors

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
mkdir -p "$dest" "$cache"
dest=$(cd "$dest" && pwd)

# One project for all sources: a build reads what its source imports.
cp -r "$sdk/template/." "$scratch"
rm "$scratch/actor.$ending" "$scratch"/*.toml
while read -r to from; do
    mkdir -p "$scratch/$(dirname "$to")"
    cp "$top/$from" "$scratch/$to"
done <"$sdk/template.txt"
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
        cp "$name.wasm" "$built.$$"
        mv "$built.$$" "$built"
    fi
    cp "$built" "$dest/$name.wasm"
done
