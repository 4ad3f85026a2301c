#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# The guard itself: it fails on a rise of more than 3 %, and names the function;
# it fails on an allocation too many; a budget of another compiler's version
# allows 15 %, one of another compiler compares nothing. With a program and a
# valgrind that answer what is asked for here.
set -euo pipefail
here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
scratch=$(mktemp -d)
trap 'rm -rf "$scratch"' EXIT
mkdir "$scratch/bin"
export PATH=$scratch/bin:$PATH

# What each message costs: SEND and COPY instructions, MALLOCS allocations.
cat >"$scratch/paths" <<'END'
#!/usr/bin/env bash
case $1 in
--built) echo "${BUILT:-gcc 12.2.0 x86_64 mimalloc}" ;;
--list) echo router-send ;;
*) echo "$1: $2 messages, $((1000 + $2 * ${MALLOCS:-1})) allocations" ;;
esac
END
cat >"$scratch/bin/valgrind" <<'END'
#!/usr/bin/env bash
out=${2#--callgrind-out-file=}
count=$5
[ -z "${BROKEN:-}" ] || exit 3
{
    echo "version: 1"
    echo "fl=(1) send.c"
    echo "fn=(1) th_send.isra.0"
    echo "10 $((5000 + count * ${SEND:-100}))"
    echo "cfn=(2) th_copy"
    echo "calls=7 3"
    echo "12 $((count * 1000))"
    echo "fn=(2)"
    echo "+3 $((count * ${COPY:-50} / 2))"
    echo "* $((count * ${COPY:-50} / 2))"
    echo "fn=(3) set_up"
    echo "1 123456"
    echo "ob=(4) ???"
    echo "fn=(5) 0x0000000004841140"
    echo "0 $((count * 10))"
} >"$out"
shift 2
exec "$@"
END
chmod +x "$scratch/paths" "$scratch/bin/valgrind"

budget=$scratch/budget.tsv
printf '%s\t%s\t%s\t%s\n' >"$budget" \
    "# built by: gcc 12.2.0 x86_64 mimalloc" "" "" ""
sed -i 's/\t*$//' "$budget"
"$here/guard.sh" --record "$scratch/paths" "$budget" router-send \
    >"$scratch/rows"
cat "$scratch/rows" >>"$budget"
diff - "$scratch/rows" <<END
$(printf '%s\t%s\t%s\t%s\n' \
    router-send instructions total 160.0 \
    router-send instructions th_send 100.0 \
    router-send instructions th_copy 50.0 \
    router-send instructions "(compiled actors, stubs)" 10.0 \
    router-send instructions "(all below 0.9)" 0.0 \
    router-send allocations total 1.00)
END

# expect CODE WORDS VARIABLE=VALUE...
expect() {
    local code=0 want=$1 words=$2
    shift 2
    env "$@" "$here/guard.sh" "$scratch/paths" "$budget" router-send \
        >"$scratch/out" 2>&1 || code=$?
    if [ $code != "$want" ] || ! grep -qE -- "$words" "$scratch/out"; then
        echo "selftest: $*: exit code $code, not $want, or nothing like" \
            "'$words':" >&2
        cat "$scratch/out" >&2
        exit 1
    fi
}

expect 0 '160.0 instructions .*budget 160.0' SEND=100
expect 0 '\+2.5 %' SEND=104
expect 1 '\+3.1 %' SEND=105
expect 1 '^    th_send +100.0 -> +140.0 +\+40.0' SEND=140
# The one that rose most comes first, whatever fell.
expect 1 '^    th_copy +50.0 -> +90.0 +\+40.0' COPY=90 SEND=95
sed -n 3p "$scratch/out" | grep -q th_copy
! grep -q th_send "$scratch/out"
expect 0 'costs less than was recorded' SEND=50
expect 1 '2.00 allocations for each message are more than 1.00' MALLOCS=2
expect 0 '0.00 allocations' MALLOCS=0
expect 0 '15 % are allowed, since the budget is of gcc 12.2.0' \
    "BUILT=gcc 13.1.0 x86_64 mimalloc" SEND=120
expect 1 '\+18.8 %' "BUILT=gcc 13.1.0 x86_64 mimalloc" SEND=130
for other in "clang 19.1.0 x86_64 mimalloc" "gcc 12.2.0 aarch64 mimalloc" \
    "gcc 12.2.0 x86_64 libc"; do
    expect 77 'nothing is compared' "BUILT=$other" SEND=900
done
expect 1 'it failed' BROKEN=1
sed -i '/total/d' "$budget"
expect 1 'no row' SEND=100

# What update.sh records is what is compared; calls and words stay.
mkdir -p "$scratch/build/tests/guard" "$scratch/guard"
cp "$scratch/paths" "$scratch/build/tests/guard/"
cp "$here"/* "$scratch/guard/"
printf '%s\n' "# words" "# built by: nothing" >"$scratch/guard/budget.tsv"
printf 'pairs-wasm\tcalls\ttotal\t100\n' >>"$scratch/guard/budget.tsv"
SEND=200 "$scratch/guard/update.sh" "$scratch/build" 2>/dev/null
budget=$scratch/guard/budget.tsv
expect 0 'budget 260.0 ' SEND=200
grep -q '^# words$' "$budget"
grep -q $'^pairs-wasm\tcalls\ttotal\t100$' "$budget"
