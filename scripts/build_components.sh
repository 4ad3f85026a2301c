#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# Builds the actors of a folder (of examples or tests) in JavaScript,
# TypeScript or Python: DEST becomes a project, with the SDK and the tools in
# it as in one of `theater new`, and a component for each NAME of a NAME.toml
# that has a source.
#
#   scripts/build_components.sh js|ts|python FOLDER DEST
set -euo pipefail
top=$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd)

if [ $# -ne 3 ]; then
    echo "usage: scripts/build_components.sh js|ts|python FOLDER DEST" >&2
    exit 2
fi
language=$1
folder=$2
dest=$3

tools=$("$top/scripts/toolchains_components.sh" "$language")
mkdir -p "$dest"
cp -r "$folder/." "$dest"
while read -r to from; do
    mkdir -p "$dest/$(dirname "$to")"
    cp "$top/$from" "$dest/$to"
done <"$top/sdk/$language/template.txt"
cd "$dest"

case $language in
js | ts)
    ln -sfn "$tools" node_modules
    build=(node theater/build.mjs)
    ending=$language
    ;;
python)
    build=("$tools/bin/python" theater/build.py)
    ending=py
    ;;
esac
for manifest in *.toml; do
    name=${manifest%.toml}
    if [ -f "$name.$ending" ]; then
        "${build[@]}" "$name.$ending" "$name.wasm"
    fi
done
