#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# Prints the path of wasm-tools, a Rust crate that wraps core modules into
# components. The first call builds it, at the version below, into the folder
# where the project keeps what it fetches; several at once build it once. Says
# why and ends with 77 when there is no cargo.
set -eu

version=1.263.0
deps=${THEATER_DEPS:-${XDG_CACHE_HOME:-$HOME/.cache}/theater}
tools=$deps/wasm-tools-$version/bin/wasm-tools

if [ ! -x "$tools" ]; then
    if ! command -v cargo >/dev/null 2>&1; then
        echo "wasm-tools: there is no cargo to build it" >&2
        exit 77
    fi
    mkdir -p "$deps"
    exec 9>"$deps/wasm-tools.lock"
    flock 9
fi
if [ ! -x "$tools" ]; then
    target=$(mktemp -d "$deps/wasm-tools-build.XXXXXX")
    trap 'rm -rf "$target"' EXIT
    echo "wasm-tools: building $version, once, in $deps" >&2
    CARGO_TARGET_DIR=$target cargo install wasm-tools --quiet --locked \
        --version "=$version" --no-default-features \
        --features component,validate,print,parse \
        --root "$deps/wasm-tools-$version" >&2 || {
        echo "wasm-tools: $version could not be built" >&2
        exit 1
    }
fi
echo "$tools"
