#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# The ways into a program of docs/embedding.md, as they stand there, in a folder
# outside of the tree:
#   embedding_build.sh SOURCE BUILD
set -euo pipefail
source=$(cd "$1" && pwd)
build=$(cd "$2" && pwd)
scratch=$(mktemp -d)
trap 'rm -rf "$scratch"' EXIT
cd "$scratch"
mkdir theater
for entry in "$source"/*; do
    case $entry in
    */build*) ;;
    *) ln -s "$entry" theater/ ;;
    esac
done
ln -s "$build" theater/build

# block LANGUAGE: the first fenced block of that language.
block() {
    awk -v fence="\`\`\`$1" '
        $0 == "```" && inside { exit }
        inside { print }
        $0 == fence { inside = 1 }' "$source/docs/embedding.md"
}

block c >mini.c
block sh >build.sh
bash -eu build.sh
[ "$(./mini)" = "a message server" ]
./embed "$build/examples/ping_pong/pong.toml" >log 2>&1 || {
    cat log >&2
    echo "docs/embedding.md: what its second line builds does not run" >&2
    exit 1
}

# As a sub-folder of another project.
printf '#include <theater/actor.h>\nTHEATER_RUN()\n{\n}\n' >greeter.c
{
    echo 'cmake_minimum_required(VERSION 3.20)'
    echo 'project(other LANGUAGES C)'
    block cmake
} >CMakeLists.txt
if ! cmake -S . -B out -G Ninja >log 2>&1 || ! cmake --build out >log2 2>&1; then
    cat log log2 >&2
    echo "docs/embedding.md: the project does not build as it stands there" >&2
    exit 1
fi
[ "$(out/mini)" = "a message server" ]
grep -q handle out/greeter.wasm && exit 1
grep -q cabi_realloc out/greeter.wasm
if [ -e out/theater/tests ] || [ -e out/theater/examples ]; then
    echo "the sub-project adds tests or examples" >&2
    exit 1
fi
