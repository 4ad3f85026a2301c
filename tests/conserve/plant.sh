#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# What is planted is found: each fault that the torture program can make in
# itself must end it with 1, its seed, and the right figure not 0; a hang is
# told by its watchdog, what a round leaves behind by the soak.
#
#   plant.sh CONSERVE
set -euo pipefail
conserve=$1
failed=0

# finds PLANT FIGURE [OPTION...]
finds() {
    local plant=$1 figure=$2 status=0 output
    shift 2
    output=$(CONSERVE_PLANT=$plant "$conserve" --seed 3 --messages 100000 \
        "$@" 2>&1) || status=$?
    if [ "$status" -ne 1 ] ||
        ! grep -qE "\"$figure\":[1-9]" <<<"$output" ||
        ! grep -q '^conserve: failed: --seed 3 ' <<<"$output"; then
        printf '%s was not found as %s (status %d):\n%s\n' "$plant" "$figure" \
            "$status" "$output"
        failed=1
    else
        echo "$plant is found as $figure"
    fi
}

finds lose lost --workload mesh
finds double duplicated --workload mesh
finds corrupt corrupted --workload mesh
finds reorder reordered --workload mesh
finds cross reordered --workload mesh
finds unended requests_unended --workload requests

# says PLANT TEXT [OPTION...]
says() {
    local plant=$1 text=$2 status=0 output
    shift 2
    output=$(CONSERVE_PLANT=$plant "$conserve" --seed 3 "$@" 2>&1) || status=$?
    if [ "$status" -ne 1 ] || ! grep -qE "$text" <<<"$output"; then
        printf '%s was not found (status %d):\n%s\n' "$plant" "$status" \
            "$output"
        failed=1
    else
        echo "$plant is found"
    fi
}

says late '^conserve: seed 3, mesh, quiet: .* lost [1-9]' --messages 100000 \
    --workload mesh
says needless '^conserve: seed 3: a dead letter to p-[0-9]+ without a cause' \
    --messages 100000 --workload mesh
says hang '^conserve: hangs for 3 s; seed 3$' --workload star --hang 3
# Under the address sanitizer freed memory is kept for a while, so that the soak
# sees nothing else; the leak is that sanitizer's to tell.
says leak '^conserve: memory grows$|LeakSanitizer: detected memory leaks' \
    --soak 15
says open '^conserve: after .* descriptors' --soak 15
says reorder '^conserve: failed: --simulate 1 --seed [0-9]+ ' --simulate 20 \
    --workload star
says drift '^conserve: seed 3 gave two different runs$' --simulate 5
exit "$failed"
