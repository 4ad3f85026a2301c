#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# What one message costs on a path, in instructions and allocations, against
# tests/guard/budget.tsv. Counted, not timed: valgrind's callgrind counts the
# instructions of two runs, of N and of 2 N messages, and the difference over N
# is the message's, whatever set-up took.
#
#   guard.sh [--record] PROGRAM BUDGET PATH
#
# PROGRAM is build/tests/guard/paths. The budget is of one compiler: with
# another version of it 15 % more are allowed instead of 3; with another
# compiler, machine or allocator nothing is compared (exit code 77: skipped).
set -euo pipefail
here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
record=0
if [ "${1:-}" = --record ]; then
    record=1
    shift
fi
program=$1
budget=$2
path=$3
scratch=$(mktemp -d)
trap 'rm -rf "$scratch"' EXIT

if ! command -v valgrind >/dev/null; then
    echo "guard: valgrind is missing (scripts/setup.sh installs it)" >&2
    exit 1
fi

# "gcc 12.2.0 x86_64 mimalloc"
built=$("$program" --built)
recorded=$(sed -n 's/^# built by: //p' "$budget")
allowed=3
note=""
if [ $record = 0 ] && [ "$built" != "$recorded" ]; then
    if [ "$(cut -d ' ' -f 1,3- <<<"$built")" != \
        "$(cut -d ' ' -f 1,3- <<<"$recorded")" ]; then
        echo "guard: the budget was recorded with $recorded; this is $built:" \
            "nothing is compared. tests/guard/update.sh records another."
        exit 77
    fi
    allowed=15
    note=", since the budget is of $recorded, and this is $built"
fi

few=12800

# Guests are compiled by one thread: the same way in both runs.
export RAYON_NUM_THREADS=1

# run COUNT: its functions into $scratch/COUNT, its allocations on stdout.
run() {
    valgrind --tool=callgrind --callgrind-out-file="$scratch/callgrind" \
        "$program" "$path" "$1" >"$scratch/out" 2>"$scratch/err" || {
        echo "guard: $path, $1 messages: it failed" >&2
        cat "$scratch/out" "$scratch/err" >&2
        exit 1
    }
    awk -f "$here/functions.awk" "$scratch/callgrind" >"$scratch/$1"
    sed -n 's/.* \([0-9]*\) allocations$/\1/p' "$scratch/out"
}

once=$(run $few)
twice=$(run $((few * 2)))
awk -v path="$path" -v more=$few -v allowed=$allowed -v record=$record \
    -v allocations="$(awk "BEGIN { print ($twice - $once) / $few }")" \
    -v note="$note" -f "$here/compare.awk" \
    "$budget" "$scratch/$few" "$scratch/$((few * 2))"
