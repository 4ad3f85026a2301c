#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# statements.sh TSV TOP BUILD CTEST [REFERENCE]: is every row of TSV true?
# Its test is one of this build's, its check stands in that test's sources, it
# says what was broken to see it fail; and where the reference is at hand
# (beside the checkout), each line of it is quoted, and nothing else.
set -euo pipefail
tsv=$1 top=$2 build=$3 ctest=$4
reference=${5:-$top/../shared/reference/message-server.txt}
scratch=$(mktemp -d)
trap 'rm -rf "$scratch"' EXIT
failed=0

miss() {
    echo "$*" >&2
    failed=1
}

(cd "$build" && "$ctest" -N) |
    sed -nE 's/^ *Test +#[0-9]+: (.*)$/\1/p' >"$scratch/tests"
[ -s "$scratch/tests" ] || miss "ctest lists no tests"

# The rows, without comments and head.
grep -v '^#' "$tsv" | tail -n +2 >"$scratch/rows"
[ -s "$scratch/rows" ] || miss "$tsv has no rows"
awk -F '\t' 'NF != 6 { print "row " $1 " has " NF " fields, not 6"; bad = 1 }
    seen[$1]++ { print "row " $1 " is there twice"; bad = 1 }
    { for (i = 1; i <= NF; i++) if ($i == "" || $i == "-") {
        print "row " $1 ": field " i " is empty"; bad = 1 } }
    END { exit bad }' "$scratch/rows" >&2 || failed=1

# Where a check may stand: any source of tests, of examples, of the build's
# own tests; not the rows themselves.
while IFS=$'\t' read -r id _ _ test check _; do
    grep -qxF -- "$test" "$scratch/tests" ||
        miss "$id: there is no test $test"
    grep -rqF --include='*.c' --include='*.sh' --include='CMakeLists.txt' \
        --include='*.cmake' -- "$check" "$top/tests" "$top/src" "$top/cmake" ||
        miss "$id: no test knows \"$check\""
done <"$scratch/rows"

# the tests of the message server, by the command of the rows
for folder in router handler reference; do
    n=$(grep -c "^$folder\." "$scratch/tests" || true)
    [ "$n" -ge 4 ] || miss "ctest -R '^$folder\\.' runs $n tests"
done

if [ ! -f "$reference" ]; then
    echo "the reference is not beside this checkout: quotes not compared"
    [ "$failed" -eq 0 ]
    exit
fi

# Quoted lines against the reference's, both ways, without indentation.
strip() {
    sed -E 's/^[[:space:]]+//; s/[[:space:]]+$//; /^$/d' | sort -u
}
cut -f 2 "$scratch/rows" | sed 's/\\n/\n/g' | strip >"$scratch/quoted"
grep -v '^```' "$reference" | strip >"$scratch/said"
comm -23 "$scratch/said" "$scratch/quoted" | sed 's/^/not quoted: /' \
    >"$scratch/missing"
comm -13 "$scratch/said" "$scratch/quoted" | sed 's/^/not said there: /' \
    >>"$scratch/missing"
if [ -s "$scratch/missing" ]; then
    cat "$scratch/missing" >&2
    failed=1
fi
echo "$(wc -l <"$scratch/rows") statements, $(wc -l <"$scratch/quoted")" \
    "lines of the reference"
[ "$failed" -eq 0 ]
