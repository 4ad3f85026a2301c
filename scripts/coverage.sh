#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# Lines and branches of src/messaging and src/queue that the tests run: every
# line, and 95 % of the branches. What is left stands in
# tests/coverage/exceptions.txt with its reason, else this fails and names it.
#
#   scripts/coverage.sh [BUILD]      (build-coverage)
#
# Needs nothing but gcc: the counts are gcov's.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."
build=${1:-build-coverage}
jobs=${JOBS:-$(nproc)}
tests='^(queue|messaging|router|interleave|faults\.router|reference\.lock_free)'

if ! [ -f "$build/build.ninja" ]; then
    cmake -G Ninja -S . -B "$build" -DTHEATER_WERROR=ON -DTHEATER_ENGINE=OFF \
        -DTHEATER_COVERAGE=ON -DCMAKE_BUILD_TYPE=Debug >"$build.log" || {
        cat "$build.log"
        exit 1
    }
    rm "$build.log"
fi
mapfile -t names < <(cd "$build" && ctest -N -R "$tests" |
    sed -n 's/^ *Test *#[0-9]*: //p')
targets=("${names[@]//./_}")
if ! cmake --build "$build" -j "$jobs" --target "${targets[@]/#/test_}" \
    >"$build/coverage-build.log"; then
    tail -n 60 "$build/coverage-build.log"
    exit 1
fi

find "$build" -name '*.gcda' -delete
if ! (cd "$build" && ctest -j "$jobs" -R "$tests" --output-on-failure \
    --no-tests=error) >"$build/coverage-tests.log"; then
    tail -n 60 "$build/coverage-tests.log"
    echo "coverage: a test failed, so the counts mean nothing" >&2
    exit 1
fi
root=$PWD
(cd "$build" && find . -name '*.gcda' -print0 |
    xargs -0 -n 1 gcov -b -c -t) >"$build/coverage.gcov" 2>/dev/null
awk -v root="$root" -f tests/coverage/count.awk \
    tests/coverage/exceptions.txt "$build/coverage.gcov"
