#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# Everything that tries to break it, with fresh seeds: some ten minutes on two
# cores. Each step says its time and verdict, a failing one its seed; the last
# line is `N passed, N failed`.
#
#   scripts/torture.sh [--ci] [--asan] [--seed S] [--record]
#
# --ci: the form of continuous integration. --asan: the programs of build-asan,
# with fewer messages. --seed: the first seed, which is printed, instead of a
# fresh one. --record: adds the run to the sums of docs/reliability.md
# (scripts/reliability.sh). The build folder is complete beforehand (`make`,
# `make asan`); `make torture` sees to it.
set -uo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."

build=build
ci=false
record=false
seed=$(od -An -N4 -tu4 /dev/urandom | tr -d ' ')
while [ $# -gt 0 ]; do
    case $1 in
    --ci) ci=true ;;
    --asan) build=build-asan ;;
    --record) record=true ;;
    --seed)
        seed=${2:?--seed needs a number}
        shift
        ;;
    *)
        echo "usage: scripts/torture.sh [--ci] [--asan] [--seed S]" \
            "[--record], not '$1'" >&2
        exit 2
        ;;
    esac
    shift
done

# Messages and faults of the conservation rounds, and their longest time; seeds
# of the simulation and of each program of interleavings; seconds per fuzzer;
# rounds of signals, six each; how deep the explorations go.
messages=100000000 faults=100000 seconds=600
simulated=2000 interleaved=500 fuzzed=30 killed=20 deep=2
if $ci; then
    messages=50000000 faults=50000 seconds=300
    simulated=1000 interleaved=200 fuzzed=15 killed=5 deep=1
fi
if [ $build = build-asan ]; then
    messages=$((messages / 10)) faults=$((faults / 2))
    simulated=$((simulated / 2)) fuzzed=$((fuzzed / 2 + 1))
fi

passed=0
failed=0
log=$(mktemp)
trap 'rm -f "$log"' EXIT

# What was done, for the record.
declare -A did=([messages]=0 [faults]=0 [simulated]=0 [interleaved]=0
    [refusals]=0 [hostile]=0 [fuzzed]=0)

# add WHAT SED: the sum of the numbers that SED prints of the last step's log.
add() {
    local sum
    sum=$(sed -n "$2" "$log" | awk '{ sum += $1 } END { printf "%d", sum }')
    did[$1]=$((did[$1] + sum))
}

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

# Enough messages and faults, or it ends by its time and that is a failure.
conserve() {
    "$build/tests/bin/conserve" --seed "$seed" --messages "$messages" \
        --faults "$faults" --seconds "$seconds" --all-kinds 2>&1 |
        tee "$log.conserve"
    local status=${PIPESTATUS[0]} got_messages got_faults
    got_messages=$(sed -n 's/^{.*"messages":\([0-9]*\),.*/\1/p' "$log.conserve")
    got_faults=$(sed -n 's/^{.*"injected":\([0-9]*\),.*/\1/p' "$log.conserve")
    rm -f "$log.conserve"
    [ "$status" -eq 0 ] || return 1
    if [ "${got_messages:-0}" -lt "$messages" ] ||
        [ "${got_faults:-0}" -lt "$faults" ]; then
        echo "only $got_messages messages and $got_faults faults in" \
            "$seconds s, of $messages and $faults"
        return 1
    fi
}

label() {
    ctest --test-dir "$build" -V --no-tests=error -L "$1"
}

with_seeds() {
    local seeds=$1
    shift
    THEATER_TEST_SEED=$seed THEATER_TEST_SEEDS=$seeds "$@"
}

# All schedules of a small case, not only those with few preemptions. Under a
# sanitizer, which looks at memory and not at order, those few are enough.
exhaustive() {
    if [ $build = build-asan ]; then
        "$@"
    else
        THEATER_TEST_DEEP=$deep "$@"
    fi
}

start=$SECONDS
commit=$(git rev-parse --short HEAD)
echo "torture: seed $seed, $build, $commit"
LINES_SHOWN=42 step "conservation: $messages messages, $faults faults" conserve
add messages 's/^{.*"messages":\([0-9]*\),.*/\1/p'
add faults 's/^{.*"injected":\([0-9]*\),.*/\1/p'
step "what is planted is found" \
    bash tests/conserve/plant.sh "$build/tests/bin/conserve"
step "hostile actors" label hostile
add hostile \
    's/^[0-9]*: *\([0-9]*\) \(calls\|lengths\|modules\|manifests\)$/\1/p'
add hostile 's/^[0-9]*: *[0-9]* of \([0-9]*\) mutants ran$/\1/p'
add hostile 's/^[0-9]*:   [a-z]*: .*: [0-9]* ms$/1/p'
LINES_SHOWN=64 step "simulation: $simulated seeds, each twice" \
    "$build/tests/bin/conserve" --simulate "$simulated" --seed "$seed"
add simulated 's/^simulated: \([0-9]*\) seeds, .*/\1/p'
step "simulated guests: $simulated seeds, each twice" \
    with_seeds "$simulated" "$build/tests/bin/impossible.simulation"
add simulated 's/^\([0-9]*\) seeds: [0-9]* event hashes.*/\1/p'
for program in "$build"/tests/bin/interleave.*; do
    name=$(basename "$program")
    case $name in
    interleave.exhaustive_*)
        LINES_SHOWN=20 step "$name" exhaustive "$program"
        add interleaved 's/.*: \([0-9]*\) schedules, .*/\1/p'
        ;;
    *)
        step "$name: $interleaved seeds" with_seeds "$interleaved" "$program"
        cases=$(grep -c '^\[       OK \]' "$log")
        did[interleaved]=$((did[interleaved] + cases * interleaved))
        ;;
    esac
done
step "a cache of compiled code outlives signals and damage: $killed rounds" \
    with_seeds "$killed" "$build/tests/bin/cli.kills"
step "everything that can be refused is refused" label faults
add refusals \
    's/^[0-9]*: *[0-9]* scenarios, [0-9]* runs, \([0-9]*\) refusals$/\1/p'
LINES_SHOWN=9 step "fuzzers: $fuzzed s each" tests/fuzz/run.sh --seconds "$fuzzed"
add fuzzed 's/^[a-z_]*: \([0-9]*\) executions, .*/\1/p'

printf '\n'
for what in messages faults simulated interleaved refusals hostile fuzzed; do
    printf '%-12s %12d\n' "$what" "${did[$what]}"
done
if $record && [ "$failed" -eq 0 ]; then
    scripts/reliability.sh --add "$(date -u +%F)" \
        "$commit" "${build#build}" $((SECONDS - start)) \
        "$seed" "${did[messages]}" "${did[faults]}" "${did[simulated]}" \
        "${did[interleaved]}" "${did[refusals]}" "${did[hostile]}" \
        "${did[fuzzed]}"
fi
printf '\n%d passed, %d failed\n' "$passed" "$failed"
[ "$failed" -eq 0 ]
