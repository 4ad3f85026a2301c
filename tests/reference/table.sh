#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# table.sh THEATER: the reference's table of throughputs, measured as it was:
# so many actors that send 64 bytes each to a receiver of its own. Its figures
# are the least that is allowed; nothing may be lost.
set -euo pipefail
theater=$1
failed=0
measured=0
while read -r actors least; do
    out=$("$theater" bench pairs --actors "$actors" --payload 64 --seconds 0.5 \
        --repeat 3 --json)
    rate=$(sed -nE 's/.*"rate_per_s":([0-9]+).*/\1/p' <<<"$out")
    lost=$(sed -nE 's/.*"lost":([0-9]+).*/\1/p' <<<"$out")
    echo "$actors actors: $rate messages a second, $lost lost (at least $least)"
    if [ -z "$rate" ] || [ "$rate" -lt "$least" ] || [ "$lost" != 0 ]; then
        failed=1
    fi
    measured=$((measured + 1))
done <<'TABLE'
1 500000
10 100000
100 80000
1000 50000
TABLE
[ "$measured" -eq 4 ] && [ "$failed" -eq 0 ]
