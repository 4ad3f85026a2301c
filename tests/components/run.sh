#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# Runs a test whose guests are core modules with components instead:
#
#   tests/components/run.sh SOURCE BUILD TEST [FOLDER...]
#
# Each module in the folders (default: tests/guests) of the build is wrapped,
# under its own name, into a folder that the test takes for the build's
# (THEATER_TEST_BUILD). So one battery runs on both encodings. A module that
# cannot be a component, since it is one that lies about its types, stays out.
# Exit code 77, skipped: there is no wasm-tools.
set -eu

source=$1
build=$2
test=$3
shift 3
[ $# -gt 0 ] || set -- tests/guests

tools=$("$source/scripts/wasm-tools.sh") || exit $?
scratch=$(mktemp -d)
trap 'rm -rf "$scratch"' EXIT

# The functions of the world `actor` that a module exports, as a world of its
# own: a component exports all of its world.
world_of() {
    local name
    echo "package theater:actor@0.1.0;"
    echo "world guest {"
    echo "  import message-server;"
    echo "  import runtime;"
    "$tools" print "$1" |
        sed -n 's/^ *(export "\([a-z-]*\)" (func.*/\1/p' |
        while read -r name; do
            sed -n "s/^  export $name: func/  export $name: func/p" \
                "$source/wit/actor.wit"
        done
    echo "}"
}

mkdir -p "$scratch/wit"
cp "$source"/wit/actor.wit "$scratch/wit/"
count=0
for folder in "$@"; do
    mkdir -p "$scratch/build/$folder"
    cp "$build/$folder"/*.toml "$scratch/build/$folder/" 2>/dev/null || :
    for module in "$build/$folder"/*.wasm; do
        out=$scratch/build/$folder/$(basename "$module")
        world_of "$module" >"$scratch/wit/guest.wit"
        if "$tools" component embed "$scratch/wit" --world guest "$module" \
            -o "$scratch/embedded.wasm" 2>"$scratch/why" &&
            "$tools" component new "$scratch/embedded.wasm" -o "$out" \
                2>>"$scratch/why"; then
            count=$((count + 1))
        else
            echo "components: not wrapped: $module: $(tail -1 "$scratch/why")"
            rm -f "$out"
        fi
    done
done
echo "components: $count modules are components"
[ "$count" -gt 0 ] || exit 1
THEATER_TEST_BUILD=$scratch/build "$test"
