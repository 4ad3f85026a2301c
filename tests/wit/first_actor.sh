#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# Builds the first actor of docs/actor-api.md with the commands that stand
# there, and looks at what came out:
#
#   tests/wit/first_actor.sh SOURCE_FOLDER
set -eu

source=$(cd "$1" && pwd)
scratch=$(mktemp -d)
trap 'rm -rf "$scratch"' EXIT
cd "$scratch"
ln -s "$source/sdk" sdk

# block LANGUAGE: the first fenced block of that language
block() {
    awk -v fence="\`\`\`$1" '
        $0 == "```" && inside { exit }
        inside { print }
        $0 == fence { inside = 1 }' "$source/docs/actor-api.md"
}

block c >greeter.c
block sh >build.sh
lines=$(grep -c . greeter.c)
[ "$lines" -le 15 ] || {
    echo "docs: the first actor has $lines lines, not 15"
    exit 1
}
sh -eu build.sh
for name in memory cabi_realloc run handle-request cabi_post_handle-request; do
    grep -q "$name" greeter.wasm || {
        echo "docs: the first actor does not export $name"
        exit 1
    }
done
echo "docs: the first actor has $lines lines and builds as documented"
