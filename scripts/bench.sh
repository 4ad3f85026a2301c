#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# The benchmarks of the command, one after another on a machine that should be
# quiet: scripts/bench.sh [build/theater]. Each fails if anything was lost.
# SECONDS_EACH and PAYLOAD go before what the command takes by itself.
set -uo pipefail
theater=${1:-build/theater}
options=()
[ -z "${SECONDS_EACH:-}" ] || options+=(--seconds "$SECONDS_EACH")
[ -z "${PAYLOAD:-}" ] || options+=(--payload "$PAYLOAD")
failed=0

bench() {
    printf '\n$ theater bench %s\n' "$*"
    "$theater" bench "$@" ${options[@]+"${options[@]}"} || failed=$((failed + 1))
}

for engine in "" --native; do
    for actors in 1 10 100 1000; do
        bench pairs --actors "$actors" $engine
    done
    bench ping-pong $engine
    bench request --actors 1 $engine
    bench request --actors 100 $engine
    bench flood --actors 100 $engine
done
[ "$failed" -eq 0 ] || echo "$failed benchmarks failed" >&2
[ "$failed" -eq 0 ]
