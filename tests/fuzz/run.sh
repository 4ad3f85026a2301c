#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# Builds the fuzzers (build-fuzz, clang-19) and runs each for a while.
#
#   tests/fuzz/run.sh --seconds N [target...]
#
# New inputs are kept in build-fuzz/fuzz/corpus/<target>; an input that crashes
# in build-fuzz/fuzz/crashes/<target>, and the command that runs it again is
# said. Fails when there was a crash.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/../.."

seconds=60
if [ "${1:-}" = --seconds ]; then
    seconds=${2:?--seconds needs a number}
    shift 2
fi
build=build-fuzz
launcher=()
command -v ccache >/dev/null && launcher=(-DCMAKE_C_COMPILER_LAUNCHER=ccache)
{
    [ -f $build/build.ninja ] ||
        cmake -G Ninja -S . -B $build -DCMAKE_C_COMPILER=clang-19 \
            -DTHEATER_SANITIZE=address,undefined -DTHEATER_FUZZ=ON \
            "${launcher[@]}"
    cmake --build $build --target fuzz_all
} >$build.log 2>&1 || {
    tail -n 40 $build.log
    exit 1
}
mv $build.log $build/fuzz.log

targets=("$@")
if [ ${#targets[@]} -eq 0 ]; then
    for program in $build/fuzz/fuzz_*; do
        [ -x "$program" ] && targets+=("${program##*/fuzz_}")
    done
fi

export ASAN_OPTIONS=detect_stack_use_after_return=0:allocator_may_return_null=1
export UBSAN_OPTIONS=print_stacktrace=1
failed=0
for target in "${targets[@]}"; do
    corpus=$build/fuzz/corpus/$target
    crashes=$build/fuzz/crashes/$target
    log=$build/fuzz/$target.log
    mkdir -p "$corpus" "$crashes"
    folders=("$corpus")
    for folder in tests/fuzz/corpus tests/fuzz/crashes; do
        [ -d "$folder/$target" ] && folders+=("$folder/$target")
    done
    before=$(find "$corpus" -type f | wc -l)
    crash=0
    nice $build/fuzz/fuzz_"$target" -max_total_time="$seconds" \
        -timeout=20 -rss_limit_mb=2048 -max_len=4096 -print_final_stats=1 \
        -artifact_prefix="$crashes/" "${folders[@]}" >"$log" 2>&1 || crash=1
    runs=$(sed -n 's/^stat::number_of_executed_units: *//p' "$log")
    after=$(find "$corpus" -type f | wc -l)
    echo "$target: ${runs:-0} executions, $((after - before)) new inputs," \
        "$crash crashes"
    if [ $crash -ne 0 ] || [ "${runs:-0}" -eq 0 ]; then
        failed=1
        input=$(sed -n 's/.*Test unit written to //p' "$log" | tail -n 1)
        grep -m 3 -E 'does not hold|ERROR:|runtime error' "$log" || tail "$log"
        echo "  again: $build/fuzz/fuzz_$target ${input:-(no input: $log)}"
    fi
done
exit $failed
