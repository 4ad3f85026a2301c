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
broken "a rate of nothing" 'run\tpairs\t10000\tgo\t0 0' \
    '- Go 1.26: `pairs` 10000 measured nothing: the time was too short for it'
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

# In a copy of the sources, so that no build folder is touched.
mkdir -p "$scratch/copy/scripts" "$scratch/bin"
cp scripts/bench-peers.sh scripts/bench-peers-table.sh "$scratch/copy/scripts"
install -m 755 tests/bench/fake.sh "$scratch/theater"
peers() {
    status=0
    PATH=${1:-$PATH} THEATER=$scratch/theater FAKE_LOST=${2:-} \
        "$BASH" "$scratch/copy/scripts/bench-peers.sh" --repeat 2 \
        --only "$3" --workloads "$4" >"$scratch/out" 2>&1 || status=$?
}

# A machine without the peers, and without apt-get, is told what is missing.
ln -s "$(command -v dirname)" "$scratch/bin/dirname"
peers "$scratch/bin" "" erlang,go ring
[ $status -eq 1 ] || fail "nothing is there: exit code $status"
grep -qF "needed, and not here: erlang-base golang-go " "$scratch/out" ||
    fail "the missing packages are not named"

# What `theater bench --json` prints becomes the table.
peers "" "" theater,theater-native flood,request,memory
[ $status -eq 0 ] || fail "the fake bench: exit code $status"
has "| \`request\` 1, million requests/s | 8.00 | 8.00 |"
has "| \`request\` 1, p50 / p99 / p99.9, us | 0.82 / 1.55 / 4.00 |\
 0.82 / 1.55 / 4.00 |"
has "| \`memory\` 10000, bytes per idle actor | 19400 | 19400 |"
has "Nothing was lost in 16 runs."
cmp -s "$scratch/out" "$scratch/copy/build/peers/table.md" ||
    fail "build/peers/table.md is not what was printed"
peers "" flood theater flood
[ $status -eq 1 ] || fail "a lost message: exit code $status"
has "- Theater WASM: \`flood\` 100 lost 1"
FAKE_FAIL=flood peers "" "" theater flood
[ $status -eq 1 ] || fail "a failed benchmark: exit code $status"
has "- Theater WASM: \`flood\` 100 failed"
sed -i 's/"lost"/"gone"/' "$scratch/theater"
peers "" "" theater flood
[ $status -eq 1 ] || fail "a bench that tells no loss: exit code $status"
has "- Theater WASM: \`flood\` 100 failed"
