#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# document.sh SOURCE: what `make bench` writes: the tables between the markers
# and nothing else, the same from the same figures; nothing at all when a
# benchmark has failed, lost a message, or the markers are not there.
set -euo pipefail
source=$1
scratch=$(mktemp -d)
trap 'rm -rf "$scratch"' EXIT
cd "$scratch"
cp "$source/tests/bench/fake.sh" theater
chmod +x theater
mkdir floor
cat >floor/floor <<'END'
#!/bin/sh
[ -f guest.wasm ] || exit 1
# 12 before, 20 after.
millions=12
[ -f again ] && millions=20 && rm again || touch again
for pairs in 1 10 100 1000; do
    echo "pairs-$pairs same $millions.00"
    echo "pairs-$pairs cross 4.00"
done
END
chmod +x floor/floor
touch floor/guest.wasm
export BENCH_DOCUMENT=$scratch/benchmarks.md REPEAT=2 SECONDS_EACH=0.1

fail() {
    echo "document: $*" >&2
    cat "$BENCH_DOCUMENT" >&2
    exit 1
}

begin='<!-- measured: begin -->'
end='<!-- measured: end -->'
printf '%s\n' "before" "$begin" "old" "$end" "after" >"$BENCH_DOCUMENT"
THEATER_FLOOR=$scratch/floor/floor "$source/scripts/bench.sh" ./theater >out ||
    fail "it failed: $(cat out)"
[ "$(head -n 2 benchmarks.md)" = "before"$'\n'"$begin" ] || fail "the beginning"
[ "$(tail -n 2 benchmarks.md)" = "$end"$'\n'"after" ] || fail "the end"
! grep -q '^old$' benchmarks.md || fail "the old table is left"
[ "$(cat pairs.svg)" = picture ] || fail "no picture"
while IFS= read -r line; do
    grep -qF -- "$line" benchmarks.md || fail "does not hold: $line"
done <<'END'
--seconds 0.1 --repeat 2
lost 0
| `pairs` 10 | 8.00 (8.00 to 8.00) | 123 | 0.500 | 16.0 | 8.00 (8.00 to 8.00) | 123 |
| `pairs` 10,000 | 8.00 (8.00 to 8.00) | 123 |  |  | 8.00 (8.00 to 8.00) | 123 |
| `request` 1 | 0.820 / 1.55 / 4.00 / 90.0 | 0.820 / 1.55 / 4.00 / 90.0 |
| `memory`, bytes for each idle actor | 19,400 (of 100,000) | 19,400 (of 1,000,000) |
| `flood` 100, KiB more memory while measured | -4.00 (-4.00 to -4.00) |
| `start`, ms to the first pong, empty cache | 30.0 (30.0 to 30.0) | |
![Rates of pairs](pairs.svg)
END
for word in commit GiB Linux "$(date -u +%Y)"; do
    grep -q "$word" benchmarks.md || fail "does not name $word"
done
# Each table has as many cells in each row as in its head.
awk -F '|' '/^\|/ { if (!n) n = NF; if (NF != n) { print; exit 1 } next }
    { n = 0 }' benchmarks.md || fail "a row of another width"

cp benchmarks.md once.md
THEATER_FLOOR=$scratch/floor/floor "$source/scripts/bench.sh" ./theater >out
sed 's/load before: [0-9.]*//' once.md >left
sed 's/load before: [0-9.]*//' benchmarks.md >right
cmp -s left right || fail "another text the second time"

"$source/scripts/bench.sh" ./theater >out || fail "fails without a floor"
! grep -q floor benchmarks.md || fail "speaks of a floor that was not measured"

# Nothing is written.
cp once.md benchmarks.md
for what in FAKE_LOST=ring FAKE_FAIL=wake FAKE_LOST=start; do
    ! env "$what" "$source/scripts/bench.sh" ./theater >out 2>&1 ||
        fail "$what: is well"
    cmp -s once.md benchmarks.md || fail "$what: written all the same"
    [[ $what != *FAIL* ]] || grep -q "1 benchmarks\|2 benchmarks" out ||
        fail "$what: does not say how many have failed"
done
printf '%s\n' "before" "$begin" "old" >benchmarks.md
! "$source/scripts/bench.sh" ./theater >out 2>&1 || fail "no end: is well"
[ "$(wc -l <benchmarks.md)" = 3 ] || fail "no end: written all the same"
grep -q "not one pair of markers" out || fail "does not say what is wrong"

# The real one has them.
[ "$(grep -c "^$begin\$" "$source/docs/benchmarks.md")" = 1 ] ||
    fail "docs/benchmarks.md has no begin"
[ "$(grep -c "^$end\$" "$source/docs/benchmarks.md")" = 1 ] ||
    fail "docs/benchmarks.md has no end"
