#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# Does an SDK's build tool refuse what is no actor, with the reason, and does a
# component have the handlers of its source and no import that it can do
# without?
#   build.sh js|ts|python SCRATCH
set -euo pipefail
language=$1 scratch=$2
top=$(cd "$(dirname "${BASH_SOURCE[0]}")/../.." && pwd)
tools=$("$top/scripts/toolchains_components.sh" "$language") || exit $?

case $language in
js | ts) ending=$language ;;
python) ending=py ;;
esac
rm -rf "$scratch"
mkdir -p "$scratch/source"
touch "$scratch/source/theater.toml"

fail() {
    echo "$language: $1" >&2
    cat "$scratch/out" >&2
    exit 1
}

# build: of the source on stdin, to $scratch/built/actor.wasm
build() {
    cat >"$scratch/source/actor.$ending"
    "$top/scripts/build_components.sh" "$language" "$scratch/source" \
        "$scratch/built" >"$scratch/out" 2>&1
}

# refused TEXT: the source on stdin is not built, and TEXT says why.
refused() {
    if build; then
        fail "built, and should be refused: $1"
    fi
    grep -qF "$1" "$scratch/out" || fail "refused, but not for: $1"
}

# A component's world by the tools of jco, which came with the compiler.
world_has() {
    local line jco
    jco=$("$top/scripts/toolchains_components.sh" js)/.bin/jco
    "$jco" wit "$scratch/built/actor.wasm" >"$scratch/out"
    for line in "$@"; do
        grep -qF "$line" "$scratch/out" || fail "no '$line' in its world"
    done
}

world_lacks() {
    ! grep -qE "$1" "$scratch/out" || fail "'$1' is in its world"
}

try_script() {
    local bytes=$1
    refused "no handler handleSends; there are run, handleSend," <<END
export function handleSends(data$bytes) {}
END
    refused "exports no handler" <<<"export const number = 1;"
    refused "actor.$ending" <<<"export function run( {"
    build <<<'export function run() { console.log("one"); }' ||
        fail "does not build"
    world_has "export run: func()" "import theater:actor/runtime@"
    world_lacks "import (wasi:|theater:actor/message-server)|export handle"
    build <<END || fail "does not build"
import { send } from "./theater/actor.js";
export function handleSend(data$bytes) { send(String(Date.now()), data); }
END
    world_has "import wasi:clocks/wall-clock@" "export handle-send: func(" \
        "import theater:actor/message-server@"
    world_lacks "import wasi:(http|filesystem|random)|export run"
}

try_types() {
    refused "does not satisfy the expected type 'Handlers'" <<END
export function handleRequest(data: string): string { return data; }
END
    refused "Cannot find name 'dat'" <<END
export function handleSend(data: Uint8Array) { return dat.length; }
END
}

try_python() {
    refused "no handler handle_sends; there are run, handle_send," <<END
def handle_sends(data): pass
END
    refused "has no handler" <<<"number = 1"
    refused "actor.py:1: " <<<"def run(:"
    build <<<"def run(): pass" || fail "does not build"
    world_has "export run: func()" "import theater:actor/message-server@"
    world_lacks "export handle"
}

case $language in
js) try_script "" ;;
ts)
    try_types
    try_script ": Uint8Array"
    ;;
python) try_python ;;
esac
echo "$language: refuses what is no actor, and makes small worlds"
