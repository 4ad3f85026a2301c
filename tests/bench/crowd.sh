#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# crowd.sh THEATER: the crowds that the documents speak of can be made, and all
# of them answer: 10,000 pairs, 100,000 WASM actors, a million C actors. How
# fast is no matter here.
set -euo pipefail
theater=$1
scratch=$(mktemp -d)
trap 'rm -rf "$scratch"' EXIT
export TMPDIR=$scratch

crowd() {
    local actors=$1 unit=$2
    shift 2
    "$theater" bench "$@" --actors "$actors" --repeat 1 --json \
        >"$scratch/out" || {
        echo "bench $*: exit code $?" >&2
        cat "$scratch/out" >&2
        exit 1
    }
    grep -q '"lost":0,"errors":0,' "$scratch/out"
    grep -q "\"$unit\":[1-9]" "$scratch/out"
    cat "$scratch/out"
}

crowd 10000 rate_per_s pairs --seconds 0.1
crowd 10000 rate_per_s pairs --native --seconds 0.1
crowd 100000 all_answered_ms memory
crowd 1000000 all_answered_ms memory --native
