#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# progress.sh THEATER: long work says what it is, on a terminal soon, elsewhere
# in one plain line when it is very long.
set -euo pipefail
theater=$1
if ! command -v script >/dev/null; then
    echo "SKIPPED: script, which makes terminals, is not there" >&2
    exit 77
fi
scratch=$(mktemp -d)
trap 'rm -rf "$scratch"' EXIT
cd "$scratch"
mkdir bin project
# A toolchain that takes its time.
cat >bin/go <<'END'
#!/bin/sh
[ "$1" = env ] && echo go1.26.0 && exit
sleep "${GO_TAKES:-1}"
: >actor.wasm
END
chmod +x bin/go
touch project/actor.go project/go.mod
export PATH=$scratch/bin:$PATH

fail() {
    echo "$1:" >&2
    cat said >&2
    exit 1
}

script -qec "'$theater' build project" said >/dev/null </dev/null
grep -q 'running go \.\.\.' said || fail "nothing on a terminal"
GO_TAKES=0 script -qec "'$theater' build project" said >/dev/null </dev/null
! grep -q 'running' said || fail "said of short work"
"$theater" build project >said 2>&1
! grep -q 'running' said || fail "said of short work where no terminal is"
GO_TAKES=3 "$theater" build project >out 2>said
[ "$(cat said)" = 'running go ...' ] || fail "not one plain line without a terminal"
GO_TAKES=3 "$theater" build --json project >out 2>said
[ ! -s said ] || fail "said with --json"
script -qec "'$theater' build --json project" said >/dev/null </dev/null
! grep -q 'running' said || fail "said with --json"
