#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# The rules that no compiler checks.
#
#   scripts/lint.sh [--root DIR] [--build DIR] [CHECK...]
#   scripts/lint.sh --list            the checks, one a line
#   scripts/lint.sh --fix-format      lay out all C files
#
# arrows    who may include whom (cmake/arrows.txt)
# spdx      every source names its licence
# size      800 lines a .c, 300 a .h, 60 a function
# columns   80 in C
# guards    a header's guard is its path
# atomics   `_explicit` operations only, no fences
# calls     clock, memory, threads, files only through the environment table
# headers   each header compiles alone; public ones as C11, C17 and C++17
# symbols   the libraries define theater_ and th_ names only (needs a build)
# format    the layout is .clang-format's
#
# Prints `check path:line: text`, then `N checks, N violations`.
set -uo pipefail

all_checks="arrows spdx size columns guards atomics calls headers symbols
format"
text_checks=" arrows spdx size columns guards atomics calls "
top=$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd)
root=$top
build=build
fix=false
checks=()
while [ $# -gt 0 ]; do
    case $1 in
    --root)
        root=$2
        shift
        ;;
    --build)
        build=$2
        shift
        ;;
    --fix-format) fix=true ;;
    --list)
        printf '%s\n' $all_checks
        exit 0
        ;;
    -*)
        echo "lint: no option $1" >&2
        exit 2
        ;;
    *)
        if ! [[ " ${all_checks//$'\n'/ } " == *" $1 "* ]]; then
            echo "lint: no check $1" >&2
            exit 2
        fi
        checks+=("$1")
        ;;
    esac
    shift
done
cd "$root" || exit 2
if [ ${#checks[@]} -eq 0 ]; then
    read -r -a checks <<<"${all_checks//$'\n'/ }"
fi
scratch=$(mktemp -d)
trap 'rm -rf "$scratch"' EXIT

# The project's own files by name pattern, build folders aside.
files() {
    local pattern=() name
    for name in "$@"; do
        pattern+=(-o -name "$name")
    done
    find . \( -name .git -o -name 'build' -o -name 'build-*' -o -name target \
        \) -prune -o -type f \
        \( "${pattern[@]:1}" \) -print | sed 's|^\./||' | LC_ALL=C sort
}

c_files() {
    files '*.c' '*.h'
}

check_text() {
    [ -s "$scratch/text" ] || {
        files '*.c' '*.h' '*.sh' '*.awk' '*.cmake' CMakeLists.txt Makefile \
            '*.wit' '*.rs' '*.py' >"$scratch/list"
        if [ ! -s "$scratch/list" ]; then
            echo "$1 .:1: no file to look at"
            return
        fi
        LC_ALL=C xargs awk -v arrows="$top/cmake/arrows.txt" \
            -v allow="$top/scripts/lint/allow.txt" \
            -f "$top/scripts/lint/text.awk" <"$scratch/list" \
            >"$scratch/text" || echo "$1 .:1: awk failed" >>"$scratch/text"
        echo "done .:1:" >>"$scratch/text"
    }
    grep "^$1 " "$scratch/text"
}

# try_header LABEL PATH COMPILER...: a file that includes nothing else.
try_header() {
    local label=$1 path=$2 name
    shift 2
    name=${path#include/}
    name=${name#src/}
    if ! echo "#include <$name>" | "$@" -I include -I src -fsyntax-only \
        -Wall -Wextra -Werror - >"$scratch/out" 2>&1; then
        echo "headers $path:1: does not compile alone as $label:" \
            "$(grep -m 1 -E 'error|warning' "$scratch/out")"
    fi
}

check_headers() {
    local path engine
    for path in $(files '*.h' | grep '^include/'); do
        try_header C11 "$path" cc -xc -std=c11 -pedantic
        try_header C17 "$path" cc -xc -std=c17 -pedantic
        try_header C++17 "$path" c++ -xc++ -std=c++17 -pedantic
    done
    engine=$("$top/deps/build-wasmtime.sh" --find 2>/dev/null)
    for path in $(files '*.h' | grep '^src/'); do
        if [ -z "$engine" ] && grep -q '#include <wasm' "$path"; then
            continue
        fi
        try_header C17 "$path" cc -xc -std=c17 -D_GNU_SOURCE \
            ${engine:+-isystem "$engine/include"}
    done
}

check_symbols() {
    local archive found=false
    for archive in "$build"/libtheater.a "$build"/libtheater-messaging.a; do
        [ -f "$archive" ] || continue
        found=true
        nm --defined-only --extern-only --format=posix "$archive" \
            2>/dev/null | awk -v archive="${archive##*/}" '
            NF >= 2 && $1 !~ /^(theater_|th_|__(gnu_lto|odr_asan|asan|ubsan))/ {
                print "symbols " archive ":1: " $1 " is not theater_ or th_"
            }'
    done
    $found || echo "symbols $build:1: no library here: build first"
}

check_format() {
    local path
    if ! command -v clang-format-19 >/dev/null; then
        echo "format .:1: clang-format-19 is missing (scripts/setup.sh)"
        return
    fi
    for path in $(c_files); do
        if ! clang-format-19 --style=file:"$top/.clang-format" \
            "$path" | cmp -s - "$path"; then
            echo "format $path:1: not laid out by .clang-format (make fmt)"
        fi
    done
}

if $fix; then
    c_files | xargs clang-format-19 --style=file:"$top/.clang-format" -i
    exit $?
fi

violations=0
for check in "${checks[@]}"; do
    case "$text_checks" in
    *" $check "*) check_text "$check" ;;
    *) "check_$check" ;;
    esac >"$scratch/found"
    cat "$scratch/found"
    violations=$((violations + $(wc -l <"$scratch/found")))
done
echo "${#checks[@]} checks, $violations violations"
[ "$violations" -eq 0 ]
