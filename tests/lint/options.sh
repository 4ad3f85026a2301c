#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# A build option that would check nothing refuses to configure.
set -uo pipefail
top=$(cd "$(dirname "${BASH_SOURCE[0]}")/../.." && pwd)
scratch=$(mktemp -d)
trap 'rm -rf "$scratch"' EXIT
passed=0
failed=0

# refuses PATTERN OPTION...
refuses() {
    local pattern=$1 out
    shift
    rm -rf "$scratch/b"
    if out=$(cmake -S "$top" -B "$scratch/b" "$@" 2>&1); then
        failed=$((failed + 1))
        echo "FAILED: configured with $*"
    elif ! grep -q -e "$pattern" <<<"$(tr -s ' \n' ' ' <<<"$out")"; then
        failed=$((failed + 1))
        echo "FAILED: $* was refused for another reason: $out"
    else
        passed=$((passed + 1))
    fi
}

refuses 'no option THEATER_SANTIZE' -DTHEATER_SANTIZE=address
refuses 'is none of' -DTHEATER_SANITIZE=adress
refuses 'not built for the thread sanitizer' -DTHEATER_SANITIZE=thread
refuses 'choose one' -DTHEATER_SANITIZE=address -DTHEATER_LTO=ON
refuses 'without any of our flags' -DCMAKE_BUILD_TYPE=Relase
refuses 'would not be looked at' -DTHEATER_ENGINE=OFF \
    -DTHEATER_WASMTIME_ROOT=/usr
refuses 'no usable Wasmtime' -DTHEATER_WASMTIME_ROOT="$scratch"
refuses 'is none of' -DTHEATER_HARDENING=perhaps
refuses 'is none of' -DTHEATER_ASSERTS=perhaps

echo "$passed passed, $failed failed"
[ "$failed" -eq 0 ]
