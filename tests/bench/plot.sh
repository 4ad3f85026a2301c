#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# plot.sh THEATER: `theater bench --plot FILE.svg` measures ten points and draws
# them beside the reference's; what cannot be written is told before anything
# is measured.
set -euo pipefail
theater=$1
scratch=$(mktemp -d)
trap 'rm -rf "$scratch"' EXIT
cd "$scratch"

fail() {
    echo "plot: $*" >&2
    cat out >&2
    exit 1
}

"$theater" bench --plot rates.svg --seconds 0.2 --repeat 1 >out 2>err ||
    fail "exit code $?"
grep -q "1 repeat each: about [0-9]* s" err || fail "how long is not told"
for engine in wasm native; do
    for pairs in 1 10 100 1000 10000; do
        grep -qE "^$engine +pairs +$pairs: +[1-9][0-9]* messages" out ||
            fail "$engine, $pairs: not told"
    done
done
python=$(command -v python3 || true)
if [ -n "$python" ]; then
    "$python" -c 'import sys, xml.dom.minidom as x; x.parse(sys.argv[1])' \
        rates.svg || fail "no XML"
fi
[ "$(head -c 5 rates.svg)" = "<svg " ] || fail "no SVG"
# Each line once in the picture, once in the legend.
[ "$(grep -c '^<polyline' rates.svg)" = 8 ] || fail "not four lines"
for words in "WebAssembly actors" "C actors" "reference, promised" \
    "reference, measured" "messages a second" "10,000" "100 M" \
    ">500 k<" ">100 k<" ">80 k<" ">50 k<" ">6 k<"; do
    grep -qF "$words" rates.svg || fail "nothing about $words"
done
# Five measured points twice, four of the reference's twice; and the legend.
[ "$(grep -o '<circle' rates.svg | wc -l)" = 22 ] || fail "not 22 points"

# Drawn over a longer file, nothing of that is left.
head -c 100000 /dev/zero | tr '\0' x >old.svg
"$theater" bench pairs --plot old.svg --seconds 0.2 --repeat 1 --json >out ||
    fail "exit code $?"
[ "$(tail -n 1 old.svg)" = "</svg>" ] || fail "old content is left"
[ "$(grep -c '^{"engine":"' out)" = 10 ] || fail "not ten lines of JSON"

code=0
"$theater" bench --plot no/such/folder.svg >out 2>&1 || code=$?
[ $code = 1 ] || fail "exit code $code for a folder that is not there"
grep -q "no/such/folder.svg" out || fail "does not name the file"
! grep -q "messages a second" out || fail "measured for nothing"
for wrong in "ring" "pairs --native" "pairs --actors 5"; do
    code=0
    # shellcheck disable=SC2086 # several words
    "$theater" bench $wrong --plot x.svg >out 2>&1 || code=$?
    [ $code = 2 ] || fail "exit code $code for $wrong with --plot"
    [ ! -e x.svg ] || fail "$wrong: a file was made"
done
