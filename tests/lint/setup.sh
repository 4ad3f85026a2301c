#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# scripts/setup.sh on machines that are not this one: without root and off
# Debian it lists packages by name and stops, with root it installs what is
# missing and nothing else. apt-get and id are stand-ins.
set -uo pipefail
top=$(cd "$(dirname "${BASH_SOURCE[0]}")/../.." && pwd)
scratch=$(mktemp -d)
trap 'rm -rf "$scratch"' EXIT
passed=0
failed=0

# A PATH with what the script itself calls, and the tools under test.
mkdir "$scratch/bin"
for tool in bash sh env dirname cat cut sed grep sha256sum sort head uname ls \
    cc gcc as g++ make cmake clang-19 wasm-ld-19 clang-format-19 ninja \
    pkg-config valgrind; do
    if path=$(command -v "$tool"); then
        ln -s "$path" "$scratch/bin/$tool"
    fi
done
# An engine of the right kind, so that Rust is not asked for.
mkdir -p "$scratch/engine/include/wasmtime" "$scratch/engine/lib"
echo '#define WASMTIME_VERSION "48.0.8"' >"$scratch/engine/include/wasmtime.h"
printf '#define WASMTIME_FEATURE_%s\r\n' ASYNC CRANELIFT WAT \
    PARALLEL_COMPILATION >"$scratch/engine/include/wasmtime/conf.h"
: >"$scratch/engine/lib/libwasmtime.a"

stand_in() {
    printf '#!/bin/sh\n%s\n' "$2" >"$scratch/bin/$1"
    chmod +x "$scratch/bin/$1"
}

run() {
    out=$(PATH=$scratch/bin WASMTIME_ROOT=$scratch/engine \
        "$top/scripts/setup.sh" "$@" 2>&1)
    status=$?
}

expect() {
    if [ "$1" = "$2" ]; then
        passed=$((passed + 1))
    else
        failed=$((failed + 1))
        printf 'FAILED: %s: %s, not %s\n%s\n' "$3" "$1" "$2" "$out"
    fi
}

says() {
    if grep -q -e "$1" <<<"$out"; then
        passed=$((passed + 1))
    else
        failed=$((failed + 1))
        printf 'FAILED: does not say "%s":\n%s\n' "$1" "$out"
    fi
}

run
expect "$status:$out" "0:" "silent where nothing is missing"

rm "$scratch/bin/ninja" "$scratch/bin/wasm-ld-19"
run
expect "$status" 1 "off Debian it stops"
says 'ninja-build .*missing .*runs the build'
says 'lld-19 .*missing .*links actors'
says 'not Debian, so nothing was installed'

log=$scratch/log
stand_in apt-get "echo \"\$@\" >>$log"
stand_in id 'echo 1000'
run
expect "$status" 1 "without root it stops"
says 'not root, so nothing was installed'
says 'apt-get install --no-install-recommends ninja-build lld-19$'
expect "$(cat "$log" 2>/dev/null)" "" "without root apt-get is not called"

stand_in id 'echo 0'
run
expect "$(tail -n 1 "$log")" \
    "-q install -y --no-install-recommends ninja-build lld-19" "installs"
expect "$status" 1 "stops when it is still not there"
says 'still not usable'

# The install that works: the second call of apt-get brings the tools.
stand_in apt-get "case \$2 in install) for t in ninja wasm-ld-19; do
    printf '#!/bin/sh\n' >$scratch/bin/\$t; /bin/chmod +x $scratch/bin/\$t
done;; esac"
run
expect "$status" 0 "goes on once it is there"

run --list
says 'rustc-web cargo-web .*here .*Rust 1.95'

echo "$passed passed, $failed failed"
[ "$failed" -eq 0 ]
