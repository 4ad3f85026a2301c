#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# policy.sh TOP BUILD CTEST: does every row of SECURITY.md that says yes name a
# test of this build, and a check that this very test has?
set -euo pipefail
top=$1 build=$2 ctest=$3
scratch=$(mktemp -d)
trap 'rm -rf "$scratch"' EXIT
failed=0

miss() {
    echo "SECURITY.md: $*" >&2
    failed=1
}

(cd "$build" && "$ctest" -N) |
    sed -nE 's/^ *Test +#[0-9]+: (.*)$/\1/p' >"$scratch/tests"
[ -s "$scratch/tests" ] || miss "ctest lists no tests"

# | what | yes | `test`: `check` |
grep -E '^\| .* \| yes \|' "$top/SECURITY.md" >"$scratch/rows" || true
rows=$(wc -l <"$scratch/rows")
[ "$rows" -ge 12 ] || miss "only $rows rows say yes"
while IFS= read -r row; do
    test=$(sed -nE 's/.*\| `([a-z_.]+)`: `([a-z_0-9]+)` \|$/\1/p' <<<"$row")
    check=$(sed -nE 's/.*\| `([a-z_.]+)`: `([a-z_0-9]+)` \|$/\2/p' <<<"$row")
    if [ -z "$test" ] || [ -z "$check" ]; then
        miss "names no test and check: $row"
        continue
    fi
    grep -qxF -- "$test" "$scratch/tests" || miss "there is no test $test"
    # cmocka keeps the names of its checks, each ended by a zero.
    tr '\0' '\n' <"$build/tests/bin/$test" 2>/dev/null |
        grep -axF -- "$check" >"$scratch/found" || miss "$test has no check $check"
done <"$scratch/rows"
echo "$rows rows say yes, each with its test"
[ "$failed" -eq 0 ]
