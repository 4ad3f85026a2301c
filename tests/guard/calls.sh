#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# calls.sh THEATER BUDGET: system calls for a million messages of `theater bench
# pairs` on two workers, WASM and native, against the budget. Counted by the
# environment table that router and runtime are given, without the ticker's,
# which are as many as milliseconds go by. A machine that is busy elsewhere may
# let a worker run out of work now and then: the best of three counts.
set -euo pipefail
theater=$1
budget=$2
failed=0
for engine in wasm native; do
    most=$(awk -F '\t' -v path="pairs-$engine" \
        '$1 == path && $2 == "calls" { print $4 }' "$budget")
    native=()
    [ $engine = wasm ] || native=(--native)
    good=false
    for _ in 1 2 3; do
        out=$("$theater" bench pairs --actors 100 --workers 2 --seconds 0.2 \
            --repeat 3 --json ${native[@]+"${native[@]}"})
        calls=$(sed -nE 's/.*"calls_per_million":([0-9.]+).*/\1/p' <<<"$out")
        echo "pairs, $engine: $calls system calls for a million messages," \
            "budget ${most:?no row of the budget}"
        if awk "BEGIN { exit !($calls <= $most) }"; then
            good=true
            break
        fi
    done
    $good || failed=1
done
exit $failed
