#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# Plants one violation of each rule in a tree of its own and sees lint find
# it, and finds nothing in the same tree without it.
set -uo pipefail
top=$(cd "$(dirname "${BASH_SOURCE[0]}")/../.." && pwd)
tree=$(mktemp -d)
trap 'rm -rf "$tree"' EXIT
passed=0
failed=0
licence='/* SPDX-License-Identifier: Apache-2.0 */'

result() {
    if [ "$1" = ok ]; then
        passed=$((passed + 1))
    else
        failed=$((failed + 1))
        echo "FAILED: $2"
    fi
}

# A tree that obeys every rule.
clean_tree() {
    rm -rf "$tree"
    mkdir -p "$tree"/include/theater "$tree"/src/{base,queue,messaging} \
        "$tree"/src/{runtime,wasm,cli} "$tree"/src/handlers/runtime \
        "$tree"/examples/one "$tree"/build
    cat >"$tree/include/theater/router.h" <<END
$licence
#ifndef THEATER_ROUTER_H
#define THEATER_ROUTER_H
#endif
END
    cat >"$tree/src/queue/mpsc.h" <<END
$licence
#ifndef TH_QUEUE_MPSC_H
#define TH_QUEUE_MPSC_H
struct th_mpsc;
#endif
END
    cat >"$tree/src/queue/mpsc.c" <<END
$licence
#include "queue/mpsc.h"

#include <stdlib.h>
/* malloc(1) and atomic_load(x) in a comment, "atomic_thread_fence(1)" too */
const char *th_text = "malloc(1) // atomic_load(x)";
int th_ours(struct th_mpsc *m)
{
    return m->malloc(1) + env.free(2);
}
END
}

lint() {
    "$top/scripts/lint.sh" --root "$tree" --build build "$@" 2>&1
}

# expect_clean CHECK...
expect_clean() {
    local out
    if out=$(lint "$@"); then
        result ok ""
    else
        result bad "the clean tree was found fault with: $out"
    fi
}

# plant CHECK PATTERN PATH TEXT: TEXT is written to PATH and found as PATTERN.
# Never behind a pipe: the counters would be a subshell's.
plant() {
    local check=$1 pattern=$2 path=$3 text=$4 out
    clean_tree
    mkdir -p "$(dirname "$tree/$path")"
    printf '%s\n' "$text" >"$tree/$path"
    if out=$(lint "$check"); then
        result bad "$check did not see: $pattern ($path)"
    elif ! grep -q "^$check $path:[0-9]*: .*$pattern" <<<"$out"; then
        result bad "$check said something else than '$pattern': $out"
    else
        result ok ""
    fi
}

# include CHECK-PATTERN PATH INCLUDE: an arrow that must be refused.
arrow() {
    plant arrows "$1" "$2" "$licence
#include $3
int th_x;"
}

# allowed PATH INCLUDE: an arrow that must not be.
allowed() {
    clean_tree
    mkdir -p "$(dirname "$tree/$1")"
    printf '%s\n#include %s\n\nint th_x;\n' "$licence" "$2" >"$tree/$1"
    expect_clean arrows
}

# statement CHECK PATTERN PATH CODE
statement() {
    plant "$1" "$2" "$3" "$licence
void th_f(void)
{
    $4;
}"
}

clean_tree
expect_clean arrows spdx size columns guards atomics calls

arrow 'messaging may not use runtime' src/messaging/a.c '"runtime/x.h"'
arrow 'messaging may not use runtime' src/messaging/a.c '<theater/runtime.h>'
arrow 'runtime may not use messaging' src/runtime/a.c '"messaging/router.h"'
arrow 'runtime may not use messaging' src/runtime/a.c '<theater/router.h>'
arrow 'runtime may not use messaging' src/runtime/a_test.c \
    '"messaging/router.h"'
arrow 'base may not use queue' src/base/a.c '"queue/mpsc.h"'
arrow 'queue may not use messaging' src/queue/a.h '"messaging/router.h"'
arrow 'handlers_runtime may not use messaging' src/handlers/runtime/a.c \
    '<theater/router.h>'
arrow 'cli may not use queue' src/cli/a.c '"queue/mpsc.h"'
arrow 'only src/wasm includes wasmtime.h' src/runtime/a.c '<wasmtime.h>'
arrow 'only src/wasm includes wasm.h' src/queue/a.c '<wasm.h>'
arrow 'only src/wasm includes wasmtime/func.h' include/theater/a.h \
    '<wasmtime/func.h>'
arrow 'public header includes the private' include/theater/router.h \
    '"queue/mpsc.h"'
arrow 'messaging (router.h) may not use runtime' include/theater/router.h \
    '<theater/runtime.h>'
arrow 'does not say which folder' src/queue/a.c '<theater/unheard_of.h>'
arrow 'path with ..' src/queue/a.c '"../messaging/router.h"'
arrow 'an example includes the private' examples/one/a.c '"queue/mpsc.h"'
allowed src/messaging/a.c '"queue/mpsc.h"'
allowed src/handlers/message_server/a.c '<theater/router.h>'
allowed src/wasm/a.c '<wasmtime.h>'
allowed src/wasm/a.c '<theater/handler.h>'
allowed src/cli/a.c '<theater/router.h>'

plant spdx 'no SPDX' src/queue/a.c $'int th_x;\nint th_y;\nint th_z;'
plant spdx 'no SPDX' Makefile $'a:\n\ttrue\nb:'
plant size '801 lines' src/queue/a.c \
    "$licence"$'\n'"$(yes 'extern int th_x;' | head -n 800)"
plant size '301 lines' src/queue/mpsc.h \
    "$licence"$'\n'"$(yes 'extern int th_x;' | head -n 300)"
plant size 'a function of 61 lines' src/queue/a.c "$licence
void th_f(void)
{
$(yes '    th_x++;' | head -n 61)
}"
plant columns '88 columns' src/queue/a.c "$licence
int th_$(printf '%080d' 1);"
plant guards 'is MPSC_H, not TH_QUEUE_B_H' src/queue/b.h \
    "$licence"$'\n#ifndef MPSC_H\n#define MPSC_H\n#endif'
plant guards 'is ROUTER_H, not THEATER_ROUTER_H' include/theater/router.h \
    "$licence"$'\n#ifndef ROUTER_H\n#define ROUTER_H\n#endif'
plant guards 'the guard is missing' src/queue/mpsc.h \
    "$licence"$'\nint th_x;'

statement atomics atomic_thread_fence src/queue/a.c \
    'atomic_thread_fence(memory_order_seq_cst)'
statement atomics 'atomic_load_explicit' src/queue/a.c 'atomic_load(&x)'
statement atomics 'atomic_store_explicit' src/queue/a_test.c \
    'atomic_store (&x, 1)'
statement atomics 'atomic_fetch_add_explicit' src/queue/a.c \
    'y = 1; atomic_fetch_add(&x, 1)'
for call in malloc free calloc realloc clock_gettime pthread_create fopen \
    getrandom strdup nanosleep open; do
    statement calls "$call()" src/queue/a.c "$call(1)"
done
statement calls 'malloc()' src/base/other.c 'x = f(y, malloc(1))'
clean_tree
printf '%s\nvoid th_f(void)\n{\n    malloc(1);\n}\n' "$licence" |
    tee "$tree/src/base/env_posix.c" "$tree/src/cli/a.c" \
        >"$tree/src/queue/a_test.c"
expect_clean calls

plant headers 'does not compile alone as C11' include/theater/router.h \
    "$licence"$'\nth_unknown_t th_f(void);'
plant headers 'does not compile alone as C++17' include/theater/router.h \
    "$licence"$'\nint th_f(int class);'
plant headers 'does not compile alone as C17' src/queue/mpsc.h \
    "$licence"$'\nth_unknown_t th_f(void);'

clean_tree
printf 'int th_ours; int theater_ours; static int local = 1; int *th_p;
int *th_f(void); int *th_f(void) { return &local; }\n' |
    cc -xc -c -o "$tree/a.o" -
ar rc "$tree/build/libtheater.a" "$tree/a.o"
expect_clean symbols
printf 'int stray_name;\n' | cc -xc -c -o "$tree/b.o" -
ar rc "$tree/build/libtheater.a" "$tree/a.o" "$tree/b.o"
out=$(lint symbols)
if grep -q '^symbols .*stray_name is not theater_ or th_' <<<"$out"; then
    result ok ""
else
    result bad "symbols did not see stray_name"
fi
rm "$tree/build/libtheater.a"
if lint symbols >/dev/null; then
    result bad "symbols passes without a library"
else
    result ok ""
fi

if command -v clang-format-19 >/dev/null; then
    plant format 'not laid out' src/queue/a.c \
        "$licence"$'\nint th_f(void) { return 1; }'
fi

echo "$passed passed, $failed failed"
[ "$failed" -eq 0 ]
