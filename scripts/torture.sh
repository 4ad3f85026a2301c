#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# Everything that tries to break it, with fresh seeds: about a quarter of an
# hour on two cores. Each step says its time and verdict, a failing one its
# seed; the last line is `N passed, N failed`.
#
#   scripts/torture.sh [--ci] [--asan] [--seed S]
#
# --ci: the form of continuous integration, six minutes at most. --asan: the
# programs of build-asan, with fewer messages. --seed: the first seed, which is
# printed, instead of a fresh one. The build folder is complete beforehand
# (`make`, `make asan`); `make torture` sees to it.
set -uo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."

build=build
ci=false
seed=$(od -An -N4 -tu4 /dev/urandom | tr -d ' ')
while [ $# -gt 0 ]; do
    case $1 in
    --ci) ci=true ;;
    --asan) build=build-asan ;;
    --seed)
        seed=${2:?--seed needs a number}
        shift
        ;;
    *)
        echo "torture: unknown option '$1'" >&2
        exit 2
        ;;
    esac
    shift
done

# Messages and faults of the conservation rounds, and their longest time; seeds
# of the simulation and of each program of interleavings; seconds per fuzzer;
# rounds of signals, six each.
messages=100000000 faults=100000 seconds=600
simulated=2000 interleaved=500 fuzzed=30 killed=20
if $ci; then
    messages=20000000 faults=20000 seconds=200
    simulated=500 interleaved=200 fuzzed=5 killed=3
fi
if [ $build = build-asan ]; then
    messages=$((messages / 10)) faults=$((faults / 2))
    simulated=$((simulated / 2)) fuzzed=$((fuzzed / 2 + 1))
fi

passed=0
failed=0
log=$(mktemp)
trap 'rm -f "$log"' EXIT

export ASAN_OPTIONS=detect_stack_use_after_return=0:allocator_may_return_null=1
export UBSAN_OPTIONS=print_stacktrace=1

# step NAME COMMAND...: shows the end of what it prints, all when it fails.
step() {
    local name=$1 start=$SECONDS status
    shift
    printf '\n=== %s\n' "$name"
    "$@" >"$log" 2>&1
    status=$?
    if [ "$status" -eq 0 ]; then
        passed=$((passed + 1))
        tail -n "${LINES_SHOWN:-3}" "$log"
        printf '=== %s: passed, %d s\n' "$name" $((SECONDS - start))
    else
        failed=$((failed + 1))
        cat "$log"
        printf '=== %s: FAILED (%d), %d s; seed %s\n' "$name" "$status" \
            $((SECONDS - start)) "$seed"
    fi
}

# What is not in this checkout is said, not passed over.
absent() {
    printf '\n=== %s: not there yet\n' "$1"
}

# Enough messages and faults, or it ends by its time and that is a failure.
conserve() {
    "$build/tests/bin/conserve" --seed "$seed" --messages "$messages" \
        --faults "$faults" --seconds "$seconds" --all-kinds >"$log.json" \
        2>&1 || {
        cat "$log.json"
        return 1
    }
    cat "$log.json"
    local got_messages got_faults
    got_messages=$(sed -n 's/^{.*"messages":\([0-9]*\),.*/\1/p' "$log.json")
    got_faults=$(sed -n 's/^{.*"injected":\([0-9]*\),.*/\1/p' "$log.json")
    rm -f "$log.json"
    if [ "${got_messages:-0}" -lt "$messages" ] ||
        [ "${got_faults:-0}" -lt "$faults" ]; then
        echo "only $got_messages messages and $got_faults faults in" \
            "$seconds s, of $messages and $faults"
        return 1
    fi
}

label() {
    ctest --test-dir "$build" --output-on-failure --no-tests=error -L "$1"
}

with_seeds() {
    local seeds=$1
    shift
    THEATER_TEST_SEED=$seed THEATER_TEST_SEEDS=$seeds "$@"
}

echo "torture: seed $seed, $build"
LINES_SHOWN=42 step "conservation: $messages messages, $faults faults" conserve
step "what is planted is found" \
    bash tests/conserve/plant.sh "$build/tests/bin/conserve"
step "hostile actors" label hostile
step "simulation: $simulated seeds, each twice" \
    with_seeds "$simulated" "$build/tests/bin/impossible.simulation"
for program in "$build"/tests/bin/interleave.*; do
    [ -x "$program" ] || continue
    name=$(basename "$program")
    step "$name: $interleaved seeds" with_seeds "$interleaved" "$program"
done
step "a cache of compiled code outlives signals and damage: $killed rounds" \
    with_seeds "$killed" "$build/tests/bin/cli.kills"
if [ -d tests/faults ]; then
    step "everything that can be refused is refused" label faults
else
    absent "everything that can be refused is refused (tests/faults)"
fi
if [ ! -f tests/fuzz/run.sh ]; then
    absent "fuzzers (tests/fuzz/run.sh)"
else
    step "fuzzers: $fuzzed s each" tests/fuzz/run.sh --seconds "$fuzzed"
fi

printf '\n%d passed, %d failed\n' "$passed" "$failed"
[ "$failed" -eq 0 ]
