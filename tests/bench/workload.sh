#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# workload.sh THEATER WORKLOAD: runs it shortly, WASM and native, from a folder
# that holds nothing; checks that nothing was lost, that something was
# delivered, the JSON, and that nothing is left behind.
set -euo pipefail
theater=$1
workload=$2
scratch=$(mktemp -d)
trap 'rm -rf "$scratch"' EXIT
mkdir "$scratch/tmp" "$scratch/here"
cd "$scratch/here"
export TMPDIR=$scratch/tmp

fail() {
    echo "$workload $engine: $*" >&2
    cat "$scratch/out" >&2
    exit 1
}

# The value of a key whose name occurs once; numbers and plain strings.
value() {
    sed -nE "s/.*\"$1\":\"?([^,\"}]*).*/\1/p" "$scratch/out"
}

options=()
case $workload in
pairs | flood | channel | all-to-all | broadcast | ring) options=(--actors 20) ;;
spawn | memory) options=(--actors 200) ;;
esac
for engine in wasm native; do
    native=()
    [ $engine = wasm ] || native=(--native)
    "$theater" bench "$workload" --seconds 0.2 --repeat 1 --json --workers 2 \
        ${native[@]+"${native[@]}"} ${options[@]+"${options[@]}"} \
        >"$scratch/out" || fail "exit code $?"
    [ "$(wc -l <"$scratch/out")" = 1 ] || fail "not one line"
    python=$(command -v python3 || true)
    if [ -n "$python" ]; then
        "$python" -c 'import json,sys; json.load(sys.stdin)' \
            <"$scratch/out" || fail "no JSON"
    fi
    [ "$(value workload)" = "$workload" ] || fail "workload"
    [ "$(value engine)" = $engine ] || fail "engine"
    [ "$(value lost)" = 0 ] || fail "lost"
    [ "$(value errors)" = 0 ] || fail "errors"
    [ "$(value dead_letters)" = 0 ] || fail "dead letters"
    [ "$(value delivered)" -gt 0 ] || fail "nothing delivered"
    [ "$(value sent)" = "$(value delivered)" ] || fail "sent, delivered"
    for key in actors payload_bytes seconds rate_per_s rates p50 p99 p999 max; do
        grep -q "\"$key\":" "$scratch/out" || fail "no $key"
    done
    [ -z "$(ls -A "$scratch/tmp" "$scratch/here" | grep -v : || true)" ] ||
        fail "left files behind"
done
