#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# All workloads of `theater bench`, WASM and native, one after another on a
# machine that should be quiet; the tables that come of it, and the picture of
# the rates, go into docs/benchmarks.md, between its markers. Some 6 minutes.
#
#   scripts/bench.sh [build/theater]
#
#   SECONDS_EACH    how long each repeat is measured (1)
#   REPEAT          how often (5)
#   BENCH_DOCUMENT  the file instead of docs/benchmarks.md; "" for none: then
#                   the tables are printed
#   THEATER_FLOOR   a program that measures the limit of engine and copies, and
#                   prints `pairs-N same MILLIONS`; it is run in its own folder
#                   before and after, and the ratio goes into the table
#
# Fails, and leaves the document as it was, when anything was lost.
set -euo pipefail
source=$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd)
theater=${1:-build/theater}
seconds=${SECONDS_EACH:-1}
repeat=${REPEAT:-5}
document=${BENCH_DOCUMENT-$source/docs/benchmarks.md}
build=$(dirname "$theater")
awk=$source/scripts/bench
scratch=$(mktemp -d)
trap 'rm -rf "$scratch"' EXIT
results=$scratch/results
failed=0

# bench WORKLOAD OPTION...: one line of JSON, shown in brief.
bench() {
    local timed=(--seconds "$seconds")
    case $1 in
    spawn | memory | start) timed=() ;;
    esac
    if "$theater" bench "$@" ${timed[@]+"${timed[@]}"} --json >"$scratch/one"; then
        cat "$scratch/one" >>"$results"
        awk -f "$awk/json.awk" -f "$awk/brief.awk" "$scratch/one"
    else
        echo "failed: theater bench $*" >&2
        failed=$((failed + 1))
    fi
}

floor() {
    local name=$1
    [ -n "${THEATER_FLOOR:-}" ] || return 0
    (cd "$(dirname "$THEATER_FLOOR")" &&
        "./$(basename "$THEATER_FLOOR")" "$seconds") |
        sed -n "s/^pairs-\([0-9]*\) same /floor $name \1 /p" |
        tee -a "$results"
}

# What it was measured on, as `about NAME TEXT`.
about() {
    local cache=$build/CMakeCache.txt compiler="" commit="" changed=""
    if [ -f "$cache" ]; then
        compiler=$(sed -n 's/^CMAKE_C_COMPILER:[A-Z]*=//p' "$cache")
        compiler=$("$compiler" --version | head -n 1)
        compiler+=", $(sed -n 's/^CMAKE_BUILD_TYPE:[A-Z]*=//p' "$cache")"
        if grep -q '^THEATER_LTO:BOOL=ON' "$cache"; then
            compiler+=" with link-time optimisation"
        else
            compiler+=" without link-time optimisation"
        fi
    fi
    if commit=$(git -C "$source" rev-parse --short HEAD 2>/dev/null); then
        changed=$(git -C "$source" status --porcelain --untracked-files=no \
            -- ':!docs' | head -n 1)
    fi
    echo "about date $(date -u +%Y-%m-%d)"
    echo "about machine $(nproc) cores ($(sed -n 's/^model name[^:]*: //p' \
        /proc/cpuinfo | head -n 1 | tr -s ' ')), $(awk '/^MemTotal/ {
            printf "%.0f", $2 / 1048576 }' /proc/meminfo) GiB"
    echo "about system $(. /etc/os-release && echo "$PRETTY_NAME"), Linux $(
        uname -r | sed 's/-.*//')"
    echo "about compiler ${compiler:-not known}"
    echo "about commit ${commit:-not known}${changed:+, with changes}"
    echo "about load $(cut -d ' ' -f 1 /proc/loadavg)"
    echo "about seconds $seconds"
    echo "about repeat $repeat"
}

about >"$results"
floor before
for engine in "" --native; do
    for actors in 1 10 100 1000 10000; do
        bench pairs --actors $actors --repeat "$repeat" $engine
    done
    bench ping-pong --repeat "$repeat" $engine
    bench request --actors 1 --repeat "$repeat" $engine
    bench request --actors 100 --repeat "$repeat" $engine
    bench flood --actors 100 --repeat "$repeat" $engine
    bench ring --actors 1000 --repeat "$repeat" $engine
    bench all-to-all --actors 100 --repeat "$repeat" $engine
    bench broadcast --actors 1000 --repeat "$repeat" $engine
    bench channel --payload 64 --repeat "$repeat" $engine
    bench channel --payload 65536 --repeat "$repeat" $engine
    bench scale --actors 100 --repeat "$repeat" $engine
    bench wake --repeat "$repeat" $engine
    bench spawn --actors 20000 --repeat "$repeat" $engine
done
bench memory --actors 100000 --repeat 1
bench memory --actors 1000000 --repeat 1 --native
bench start --repeat "$repeat"
floor after
if [ "$failed" -gt 0 ]; then
    echo "$failed benchmarks failed; nothing was written" >&2
    exit 1
fi

# Made from all results, or not at all.
awk -f "$awk/json.awk" -f "$awk/tables.awk" "$results" >"$scratch/tables"
if [ -z "$document" ]; then
    cat "$scratch/tables"
    exit 0
fi
picture=$(dirname "$document")/pairs.svg
"$theater" bench --plot "$picture" --repeat 3 --seconds "$seconds"
printf '\n![Rates of pairs](pairs.svg)\n' >>"$scratch/tables"
awk -v tables="$scratch/tables" -f "$awk/insert.awk" "$document" \
    >"$scratch/document"
cat "$scratch/document" >"$document"
echo "written: $document, $picture"
