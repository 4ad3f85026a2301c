#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# Runs the whole of toml-test (TOML 1.0) against a decoder:
#
#   tests/toml/suite.sh build/tests/bin/toml_decoder
#
# toml-test is a Go module; it is installed once, at the version below, into
# the folder where the project keeps what it fetches. Without go, or where the
# module can't be fetched, the test is skipped and says so (exit code 77).
set -eu

version=v2.2.0
least_tests=600
decoder=$1
deps=${THEATER_DEPS:-${XDG_CACHE_HOME:-$HOME/.cache}/theater}
folder=$deps/toml-test-$version
program=$folder/toml-test

skip() {
    echo "toml.suite: skipped: $1"
    exit 77
}

if [ ! -x "$program" ]; then
    command -v go >/dev/null 2>&1 || skip "there is no go to build toml-test"
    mkdir -p "$folder"
    scratch=$(mktemp -d "$folder/build.XXXXXX")
    trap 'rm -rf "$scratch"' EXIT
    echo "toml.suite: building toml-test $version in $folder"
    GOBIN=$scratch go install \
        "github.com/toml-lang/toml-test/v2/cmd/toml-test@$version" ||
        skip "toml-test $version could not be built"
    mv "$scratch/toml-test" "$program"
fi

status=0
output=$("$program" test -toml 1.0 -timeout 10s -decoder "$decoder" 2>&1) ||
    status=$?
printf '%s\n' "$output"
[ "$status" -eq 0 ] || exit 1

# A suite that ran next to nothing proves nothing.
passed=$(printf '%s\n' "$output" | sed -n 's/.*tests: *\([0-9]*\) passed.*/\1/p' |
    awk '{ sum += $1 } END { print sum + 0 }')
if [ "$passed" -lt "$least_tests" ]; then
    echo "toml.suite: only $passed tests ran, at least $least_tests expected"
    exit 1
fi
echo "toml.suite: all $passed tests passed"
