#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# Stands for `theater bench` where scripts/bench.sh is tested: the same figures
# every time. FAKE_LOST and FAKE_FAIL name a workload that loses a message,
# or fails.
set -euo pipefail
[ "$1" = bench ]
shift
workload=plot engine=wasm actors=1 payload=64
while [ $# -gt 0 ]; do
    case $1 in
    --native) engine=native ;;
    --json) ;;
    --actors) actors=$2 && shift ;;
    --payload) payload=$2 && shift ;;
    --plot) echo picture >"$2" && shift ;;
    --*) shift ;;
    *) workload=$1 ;;
    esac
    shift
done
case $workload in
broadcast) payload=1024 ;;
spawn | memory) payload=16 ;;
start) payload=16 actors=2 ;;
esac
lost=0
[ "$workload" != "${FAKE_LOST:-}" ] || lost=1
[ "$workload" != "${FAKE_FAIL:-}" ] || exit 1
figures=""
for key in rate_per_s:8000000 cpu_ns_each:123.4 bytes_per_actor:19400 \
    slowest_to_mean:0.9 gb_per_s:4.5 growth_bytes:-4096 all_answered_ms:234.5 \
    wake_to_futex:1.25 bystander_share:0.85 scale:1.8 empty_cache_ms:30 \
    full_cache_ms:5; do
    figures+=",\"${key%:*}\":${key#*:},\"${key%:*}_min\":${key#*:}"
    figures+=",\"${key%:*}_max\":${key#*:}"
done
printf '{"workload":"%s","engine":"%s","actors":%s,"payload_bytes":%s,' \
    "$workload" "$engine" "$actors" "$payload"
printf '"sent":1000,"delivered":1000,"dead_letters":0,"lost":%s,"errors":0%s,' \
    "$lost" "$figures"
printf '"latency_ns":{"p50":820,"p99":1550,"p999":4000,"max":90000}}\n'
