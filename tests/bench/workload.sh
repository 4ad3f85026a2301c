#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# workload.sh THEATER WORKLOAD: runs it shortly, WASM and native, from a folder
# that holds nothing; checks that nothing was lost, that something was
# delivered, what it tells as JSON and as text, and that nothing is left behind.
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

# holds A OPERATOR B: compares two numbers, which may have a fraction.
holds() {
    awk -v a="$1" -v b="$3" "BEGIN { exit !(a $2 b) }"
}

options=()
engines="wasm native"
# What it measures besides: figures above zero, each with its least and greatest.
figures="rate_per_s"
latency=true
case $workload in
pairs) options=(--actors 60) figures+=" cpu_ns_each bytes_per_actor slowest_to_mean" ;;
flood) options=(--actors 20)
    figures+=" cpu_ns_each bystander_per_s bystander_fair_per_s bystander_share" ;;
channel) options=(--actors 20) figures+=" cpu_ns_each gb_per_s" ;;
all-to-all | broadcast | ring) options=(--actors 20) figures+=" cpu_ns_each" ;;
spawn) options=(--actors 200) figures+=" bytes_per_actor" ;;
memory) options=(--actors 200) figures+=" bytes_per_actor all_answered_ms" ;;
wake) figures+=" wake_p50_ns futex_wake_p50_ns wake_to_futex" ;;
scale) options=(--actors 10) figures+=" one_worker_per_s scale" ;;
start) engines=wasm figures="empty_cache_ms full_cache_ms" latency=false ;;
esac
for engine in $engines; do
    native=()
    [ $engine = wasm ] || native=(--native)
    timed=(--seconds 0.2)
    case $workload in
    spawn | memory | start) timed=() ;;
    esac
    command=("$theater" bench "$workload" ${timed[@]+"${timed[@]}"} --workers 2
        ${native[@]+"${native[@]}"} ${options[@]+"${options[@]}"})
    "${command[@]}" --repeat 2 --json >"$scratch/out" || fail "exit code $?"
    [ "$(wc -l <"$scratch/out")" = 1 ] || fail "not one line"
    python=$(command -v python3 || true)
    if [ -n "$python" ]; then
        "$python" -c 'import json,sys; json.load(sys.stdin)' \
            <"$scratch/out" || fail "no JSON"
    fi
    [ "$(value workload)" = "$workload" ] || fail "workload"
    [ "$(value engine)" = $engine ] || fail "engine"
    [ "$(value repeats)" = 2 ] || fail "repeats"
    [ "$(value lost)" = 0 ] || fail "lost"
    [ "$(value errors)" = 0 ] || fail "errors"
    [ "$(value dead_letters)" = 0 ] || fail "dead letters"
    [ "$(value delivered)" -gt 0 ] || fail "nothing delivered"
    [ "$(value sent)" = "$(value delivered)" ] || fail "sent, delivered"
    for key in actors payload_bytes seconds latency_samples; do
        grep -q "\"$key\":" "$scratch/out" || fail "no $key"
    done
    for key in $figures; do
        holds "$(value "$key")" ">" 0 || fail "$key is not above zero"
        holds "$(value "${key}_min")" "<=" "$(value "$key")" || fail "${key}_min"
        holds "$(value "$key")" "<=" "$(value "${key}_max")" || fail "${key}_max"
    done
    if [ "$workload" = pairs ]; then
        holds "$(value calls_per_million)" ">=" 0 || fail "calls_per_million"
    fi
    if $latency; then
        [ "$(value latency_samples)" -gt 0 ] || fail "no latencies"
        # All 20 listeners of a broadcast that is sampled are.
        [ "$workload" != broadcast ] || [ $(($(value latency_samples) % 20)) = 0 ] ||
            fail "not a sample of each listener"
        last=1
        for key in p50 p99 p999 max; do
            holds "$last" "<=" "$(value $key)" || fail "$key"
            last=$(value $key)
        done
    fi
    "${command[@]}" --repeat 1 >"$scratch/out" || fail "exit code $?"
    grep -qE '^  sent [1-9][0-9,]*, delivered [1-9][0-9,]*, dead letters 0, lost 0$' \
        "$scratch/out" || fail "no line about what was sent"
    ! $latency || grep -qE \
        '^  latency    p50 [0-9,]+ ns, p99 [0-9,]+ ns, p99.9 [0-9,]+ ns, max ' \
        "$scratch/out" || fail "no line about latencies"
    [ -z "$(ls -A "$scratch/tmp" "$scratch/here" | grep -v : || true)" ] ||
        fail "left files behind"
done
