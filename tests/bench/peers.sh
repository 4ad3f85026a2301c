#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# peers.sh SOURCE_DIR: the table of `make bench-peers`, made from recorded lines:
# medians of odd and even numbers of repeats, ratios, less memory is ahead; a
# lost message, a failed run and a line that is not understood each fail it.
set -euo pipefail
cd "$1"
scratch=$(mktemp -d)
trap 'rm -rf "$scratch"' EXIT

fail() {
    echo "$*" >&2
    cat "$scratch/out" >&2
    exit 1
}
table() { scripts/bench-peers-table.sh "$1" >"$scratch/out" 2>&1; }
has() { grep -qxF -- "$1" "$scratch/out" || fail "no line: $1"; }

table tests/bench/peers.records || fail "exit code $? though nothing is lost"
has "2 cores, recorded"
has "| workload | Theater WASM | Theater native | Erlang/OTP 25 | Go 1.26 |\
 floor (WASM) | WASM : floor | WASM : best peer | native : best peer |"
has "| \`pairs\` 1, million messages/s | 10.0 | 30.0 | 5.20 | 20.0 | 16.0 |\
 0.62 | 0.50 | 1.50 |"
has "| \`request\` 1, million requests/s | 1.40 |  | 0.51 |  |  |  | 2.75 |  |"
has "| \`request\` 1, p50 / p99 / p99.9, us | 0.80 / 2.00 / 20.00 |  |\
 1.20 / 5.40 / 10.80 |  |  |  |  |  |"
has "| \`memory\` 10000, bytes per idle actor | 18000 | 500 | 3000 | 7000 |  |\
  | 0.17 | 6.00 |"
has "Nothing was lost in 24 runs."

# broken NAME LINE TEXT: with one more line the table fails, and says TEXT.
broken() {
    { cat tests/bench/peers.records && printf '%b\n' "$2"; } >"$scratch/records"
    ! table "$scratch/records" || fail "$1 does not fail"
    has "$3"
}
broken "a lost message" 'run\tflood\t100\tgo\t12000000 1' \
    '- Go 1.26: `flood` 100 lost 1'
broken "a message too many" 'run\tflood\t100\tgo\t12000000 -1' \
    '- Go 1.26: `flood` 100 lost -1'
broken "a lost request" 'run\trequest\t1\tgo\t1 2 3 4 5' \
    '- Go 1.26: `request` 1 lost 5'
broken "a failed run" 'run\tring\t1000\terlang\tfailed' \
    '- Erlang/OTP 25: `ring` 1000 failed'
has "| \`ring\` 1000, million hops/s |  |  | failed |  |  |  |  |  |"
broken "a rate without a loss" 'run\tring\t1000\tgo\t6500000' \
    '- Go 1.26: `ring` 1000 failed'
broken "a line of something else" 'ran\tring' \
    '- line 31 of the records is not understood'
grep -v '^run' tests/bench/peers.records >"$scratch/records"
! table "$scratch/records" || fail "a table without runs does not fail"

# What a user may get wrong is refused before anything is built or run.
for wrong in "--only cobol" "--workloads pears" "--seconds 0" "--repeat x" \
    "--fast 1" "--seconds"; do
    status=0
    # shellcheck disable=SC2086 # two words
    scripts/bench-peers.sh $wrong >"$scratch/out" 2>&1 || status=$?
    [ $status -eq 2 ] || fail "bench-peers.sh $wrong: exit code $status"
done
