#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# deps/build-wasmtime.sh: the same inputs name the same folder, other inputs
# another; a C API of another line or without our features is refused; a
# build that is interrupted or fails leaves nothing that looks usable. cargo
# is a stand-in: nothing is compiled.
set -uo pipefail
top=$(cd "$(dirname "${BASH_SOURCE[0]}")/../.." && pwd)
scratch=$(mktemp -d)
trap 'rm -rf "$scratch"' EXIT
passed=0
failed=0
unset WASMTIME_ROOT
export THEATER_DEPS=$scratch/cache
mkdir -p "$scratch/deps/wasmtime/src" "$scratch/rust"
cp "$top/deps/build-wasmtime.sh" "$scratch/deps/"
cp "$top"/deps/wasmtime/Cargo.{toml,lock} "$scratch/deps/wasmtime/"
cp "$top/deps/wasmtime/src/lib.rs" "$scratch/deps/wasmtime/src/"
script=$scratch/deps/build-wasmtime.sh

expect() {
    if [ "$1" = "$2" ]; then
        passed=$((passed + 1))
    else
        failed=$((failed + 1))
        printf 'FAILED: %s: %s, not %s\n' "$3" "$1" "$2"
    fi
}

says() {
    if grep -q -e "$1" <<<"$out"; then
        passed=$((passed + 1))
    else
        failed=$((failed + 1))
        printf 'FAILED: does not say "%s": %s\n' "$1" "$out"
    fi
}

# fake_root DIR VERSION FEATURE...
fake_root() {
    local root=$1 version=$2
    shift 2
    mkdir -p "$root/include/wasmtime" "$root/lib"
    echo "#define WASMTIME_VERSION \"$version\"" >"$root/include/wasmtime.h"
    printf '#define WASMTIME_FEATURE_%s\r\n' "$@" \
        >"$root/include/wasmtime/conf.h"
    : >"$root/lib/libwasmtime.a"
}
all="ASYNC CRANELIFT WAT PARALLEL_COMPILATION COMPONENT_MODEL"
all="$all COMPONENT_MODEL_ASYNC"

# fake_cargo VERSION SCRIPT: with a rustc of that version beside it.
fake_cargo() {
    printf '#!/bin/sh\necho "rustc %s (stand-in)"\n' "$1" \
        >"$scratch/rust/rustc"
    printf '#!/bin/sh\n%s\n' "$2" >"$scratch/rust/cargo"
    chmod +x "$scratch"/rust/*
}
export CARGO=$scratch/rust/cargo

first=$("$script" --path)
expect "$("$script" --path)" "$first" "the same inputs, the same folder"
echo '# changed' >>"$scratch/deps/wasmtime/Cargo.toml"
second=$("$script" --path)
expect "$([ "$first" != "$second" ] && echo other)" other \
    "other inputs, another folder"

# shellcheck disable=SC2086 # a list
fake_root "$scratch/old" 47.0.1 $all
out=$(WASMTIME_ROOT=$scratch/old "$script" --find 2>&1)
expect $? 1 "another line is refused"
says 'is version 47.0.1, not 48.x'
fake_root "$scratch/poor" 48.0.8 CRANELIFT WAT PARALLEL_COMPILATION
out=$(WASMTIME_ROOT=$scratch/poor "$script" --find 2>&1)
expect $? 1 "a build without async is refused"
says 'without the feature ASYNC'
out=$(WASMTIME_ROOT=$scratch/poor "$script" 2>&1)
expect $? 1 "a given root that is not usable is not replaced in silence"
# shellcheck disable=SC2086
fake_root "$scratch/good" 48.1.0 $all
expect "$(WASMTIME_ROOT=$scratch/good "$script" --find)" "$scratch/good" \
    "a later patch of the line is used"

fake_cargo 1.94.1 'exit 0'
expect "$("$script" --cargo)" \
    "$(CARGO='' "$script" --cargo)" "an old cargo is passed over"

fake_cargo 1.95.0 'echo "error: no network" >&2; exit 101'
out=$("$script" 2>&1)
expect $? 101 "a build that fails fails"
expect "$(ls -d "$THEATER_DEPS"/wasmtime-* 2>/dev/null)" "" "and leaves nothing"

# cargo that takes for ever: the script alone gets the signal.
fake_cargo 1.95.0 "echo \$\$ >$scratch/started; exec sleep 1000"
"$script" >/dev/null 2>&1 &
pid=$!
for _ in $(seq 200); do
    [ -s "$scratch/started" ] && break
    sleep 0.05
done
kill -TERM "$pid"
wait "$pid"
expect $? 143 "an interrupted build fails"
expect "$(ls -d "$THEATER_DEPS"/wasmtime-* 2>/dev/null)" "" "and leaves nothing"
for _ in $(seq 200); do
    kill -0 "$(cat "$scratch/started")" 2>/dev/null || break
    sleep 0.05
done
expect "$(kill -0 "$(cat "$scratch/started")" 2>/dev/null && echo runs)" "" \
    "and no cargo that goes on"

# cargo's messages, as it writes them.
# shellcheck disable=SC2086
fake_root "$scratch/out" 48.0.8 $all
fake_cargo 1.95.0 "echo built >>$scratch/builds
cat <<END
{\"reason\":\"build-script-executed\",\"package_id\":\"registry+x#\
wasmtime-c-api-impl@48.0.8\",\"out_dir\":\"$scratch/out\"}
{\"reason\":\"compiler-artifact\",\"filenames\":\
[\"$scratch/out/lib/libwasmtime.a\"]}
END"
out=$("$script" 2>&1)
expect $? 0 "a build"
says "built, $second"
expect "$("$script" --find)" "$second" "is found afterwards"
out=$("$script" 2>&1)
expect "$(wc -l <"$scratch/builds")" 1 "nothing is built twice"
expect "$(find "$THEATER_DEPS" -name 'wasmtime-*.*.*.*' -o -name '*.json')" "" \
    "no temporary folder is left"

echo "$passed passed, $failed failed"
[ "$failed" -eq 0 ]
