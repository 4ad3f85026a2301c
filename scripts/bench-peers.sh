#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# The same workloads on Theater, Erlang/OTP, the C++ Actor Framework and Go, in
# one run on a machine that should be quiet. bench/peers/README.md says what is
# compared, and what cannot be.
#
#   scripts/bench-peers.sh [--seconds S] [--repeat R] [--only LIST]
#                          [--workloads LIST]
#
# --only       of erlang,caf,go,theater,theater-native,floor
# --workloads  of pairs,ping-pong,request,flood,ring,spawn,memory
#
# In each repeat, each workload is measured on all systems one after another,
# so that a machine that slows down does so for all. The table goes to stdout
# and build/peers/table.md. Exit code 1 when anything was lost.
# THEATER_FLOOR names the floor program, which runs in its own folder.
set -euo pipefail
here=$PWD
cd "$(dirname "${BASH_SOURCE[0]}")/.."
out=build/peers
theater=${THEATER:-build/theater}
seconds=0.5
repeat=3
systems=theater,theater-native,erlang,caf,go,floor
workloads=pairs,ping-pong,request,flood,ring,spawn,memory

usage() {
    echo "bench-peers: $*" >&2
    sed -n 's/^#   scripts/usage: scripts/p; s/^#    *\[--work/    [--work/p' \
        "${BASH_SOURCE[0]}" >&2
    exit 2
}

# known LIST ALL: every entry of LIST is one of ALL.
known() {
    local entry
    for entry in ${1//,/ }; do
        [[ ",$2," == *",$entry,"* ]] || usage "there is no $entry in $2"
    done
}

only=$systems
wanted=$workloads
while [ $# -gt 0 ]; do
    [ $# -ge 2 ] || usage "$1 needs a value, or is no option"
    case $1 in
    --seconds) seconds=$2 ;;
    --repeat) repeat=$2 ;;
    --only) only=$2 ;;
    --workloads) wanted=$2 ;;
    *) usage "no option $1" ;;
    esac
    shift 2
done
[[ $seconds =~ ^[0-9]+(\.[0-9]+)?$ && ! $seconds =~ ^[0.]+$ ]] ||
    usage "--seconds $seconds"
[[ $repeat =~ ^[1-9][0-9]*$ ]] || usage "--repeat $repeat"
known "$only" "$systems"
known "$wanted" "$workloads"
on() { [[ ",$only," == *",$1,"* ]]; }
has() { command -v "$1" >/dev/null 2>&1; }

# --- What is needed ----------------------------------------------------------

missing() {
    ! on erlang || has erlc || echo erlang-base
    ! on caf || has g++ || echo g++
    ! on caf || [ -f /usr/include/caf/all.hpp ] ||
        [ -f /usr/local/include/caf/all.hpp ] || echo libcaf-dev
    ! on go || has go || echo golang-go
}

install_missing() {
    local packages
    packages=$(missing)
    [ -n "$packages" ] || return 0
    packages=${packages//$'\n'/ }
    if ! has apt-get || [ "$(id -u)" -ne 0 ]; then
        echo "bench-peers: needed, and not here: $packages (names of Debian" \
            "packages). Install them, or leave some out by --only." >&2
        exit 1
    fi
    echo "bench-peers: installing $packages" >&2
    export DEBIAN_FRONTEND=noninteractive
    apt-get -q update </dev/null >&2
    # shellcheck disable=SC2086 # several packages
    apt-get -q install -y --no-install-recommends $packages </dev/null >&2
    packages=$(missing)
    [ -z "$packages" ] || {
        echo "bench-peers: installed, and still not usable:" $packages >&2
        exit 1
    }
}

build() {
    mkdir -p "$out/erlang"
    if on theater || on theater-native; then
        [ -x "$theater" ] || {
            echo "bench-peers: no $theater: make bench-peers builds it" >&2
            exit 1
        }
    fi
    ! on erlang || erlc -Wall -o "$out/erlang" bench/peers/erlang/bench.erl
    ! on caf || g++ -std=c++17 -O2 -Wall -o "$out/caf-bench" \
        bench/peers/caf/bench.cpp -lcaf_core -pthread
    ! on go || (cd bench/peers/go && GOTOOLCHAIN=local GOFLAGS=-mod=mod \
        go build -o "../../../$out/go-bench" .)
}

# --- The systems -------------------------------------------------------------

caf_version() {
    g++ -E -dM -include caf/config.hpp -xc++ /dev/null |
        awk '$2 == "CAF_VERSION" {
            printf "%d.%d.%d", $3 / 10000, $3 / 100 % 100, $3 % 100 }'
}

erlang_version() {
    erl -noinput -eval \
        'io:format("~s", [erlang:system_info(otp_release)]), halt().'
}

# A machine, a date, a commit: what a figure is worth nothing without.
notes() {
    local model commit
    model=$(sed -n 's/^model name[^:]*: //p' /proc/cpuinfo 2>/dev/null |
        head -n 1)
    commit=$(git rev-parse --short HEAD 2>/dev/null || echo unknown)
    [ -z "$(git status --porcelain -uno 2>/dev/null)" ] || commit+=", changed"
    printf 'note\t%s cores, %s; %s; commit %s; %s. ' "$(nproc)" \
        "${model:-$(uname -m)}" "$(date -u +%Y-%m-%d)" "$commit" \
        "$(. /etc/os-release 2>/dev/null && echo "$PRETTY_NAME")"
    printf 'Medians of %s repeats of %s s, 64 bytes a message.\n' "$repeat" \
        "$seconds"
}

columns() {
    ! on theater || printf 'system\ttheater\tTheater WASM\n'
    ! on theater-native || printf 'system\ttheater-native\tTheater native\n'
    ! on erlang || printf 'system\terlang\tErlang/OTP %s\n' "$(erlang_version)"
    ! on caf || printf 'system\tcaf\tCAF %s\n' "$(caf_version)"
    ! on go || printf 'system\tgo\tGo %s\n' \
        "$(go version | sed -E 's/.*go([0-9][0-9.]*).*/\1/')"
    ! on floor || printf 'system\tfloor\tfloor (WASM)\n'
}

# RATE [P50 P99 P999] LOST, from what `theater bench --json` prints; fails when
# one of them is not there.
theater_result() {
    awk -v latencies="$1" -v memory="$2" '
        function value(key) {
            if (!match($0, "\"" key "\":-?[0-9.]+")) {
                print "bench-peers: no " key " in: " $0 >"/dev/stderr"
                exit 1
            }
            return substr($0, RSTART + length(key) + 3,
                RLENGTH - length(key) - 3)
        }
        {
            text = sprintf("%.0f",
                value(memory ? "bytes_per_actor" : "rate_per_s"))
            if (latencies) {
                text = text " " value("p50") " " value("p99") " " value("p999")
            }
            print text " " value("lost") + value("errors")
        }'
}

# run_theater NATIVE WORKLOAD N
run_theater() {
    local native=$1 workload=$2 n=$3 memory=0 latencies=0
    local timed=(--seconds "$seconds")
    [ "$workload" != memory ] || memory=1
    [ "$workload" != request ] || latencies=1
    # Those two end when all is done.
    case $workload in
    spawn | memory) timed=() ;;
    esac
    timeout 120 "$theater" bench "$workload" --actors "$n" \
        ${timed[@]+"${timed[@]}"} --repeat 1 --json $native |
        theater_result $latencies $memory
}

# The floor measures all its pairs at once: once in a repeat.
run_floor() {
    local folder
    if [ ! -s "$out/floor.$round" ]; then
        folder=$(dirname "$THEATER_FLOOR")
        (cd "$folder" && timeout 300 "./$(basename "$THEATER_FLOOR")" \
            "$seconds") >"$out/floor.$round" || return 1
    fi
    awk -v name="$1-$2" '$1 == name && $2 == "same" {
        printf "%.0f 0\n", $3 * 1e6 }' "$out/floor.$round"
}

floor_has() { [ "$1" = pairs ] && [ "$2" -le 1000 ]; }

# run_one SYSTEM WORKLOAD N: the result's line.
run_one() {
    local system=$1
    shift
    case $system in
    theater) run_theater "" "$@" ;;
    theater-native) run_theater --native "$@" ;;
    erlang) timeout 120 erl -noinput +P 1000000 -pa "$out/erlang" \
        -run bench main -extra "$@" "$seconds" ;;
    caf) timeout 120 "$out/caf-bench" "$@" "$seconds" ;;
    go) timeout 120 "$out/go-bench" "$@" "$seconds" ;;
    floor) run_floor "$@" ;;
    esac </dev/null
}

# --- The run -----------------------------------------------------------------

# numbers WORKLOAD: how many actors, by turns.
numbers() {
    case $1 in
    pairs) echo 1 10 100 1000 10000 ;;
    ping-pong) echo 1 ;;
    request) echo 1 100 ;;
    flood) echo 100 ;;
    ring) echo 1000 ;;
    spawn | memory) echo 10000 ;;
    esac
}

# A program that fails may have said how many it has lost; that is kept.
record() {
    local result status=0
    result=$(run_one "$@" 2>"$out/stderr") || status=$?
    result=$(printf '%s\n' "$result" | tail -n 1)
    if [ "$status" -ne 0 ] && ! [[ $result =~ \ [1-9-][0-9]*$ ]]; then
        result=failed
    fi
    if [ "$status" -ne 0 ]; then
        echo "bench-peers: $*: exit code $status" >&2
        tail -n 5 "$out/stderr" >&2
    fi
    printf 'run\t%s\t%s\t%s\t%s\n' "$2" "$3" "$1" "${result:-failed}" \
        >>"$out/records"
}

if on floor && [ -z "${THEATER_FLOOR:-}" ]; then
    [ "$only" = "$systems" ] || usage "floor: THEATER_FLOOR names no program"
    only=${only%,floor}
fi
! on floor || [ "${THEATER_FLOOR:0:1}" = / ] ||
    THEATER_FLOOR=$here/$THEATER_FLOOR
install_missing
build
rm -f "$out"/floor.*
{
    notes
    columns
} >"$out/records"
for ((round = 1; round <= repeat; round++)); do
    for workload in ${workloads//,/ }; do
        [[ ",$wanted," == *",$workload,"* ]] || continue
        for n in $(numbers "$workload"); do
            for system in ${systems//,/ }; do
                on "$system" || continue
                [ "$system" != floor ] || floor_has "$workload" "$n" || continue
                [ ! -t 2 ] || printf '\r%d of %d: %s %s, %s\033[K' "$round" \
                    "$repeat" "$workload" "$n" "$system" >&2
                record "$system" "$workload" "$n"
            done
        done
    done
done
[ ! -t 2 ] || printf '\r\033[K' >&2
status=0
scripts/bench-peers-table.sh "$out/records" >"$out/table.md" || status=1
cat "$out/table.md"
exit $status
