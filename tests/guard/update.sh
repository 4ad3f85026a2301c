#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# Records what messages cost now as the budget: tests/guard/update.sh [BUILD].
# Look at the difference before it is committed, and say in the commit's
# message why it costs more. Limits of system calls stay as they are.
set -euo pipefail
here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
build=${1:-$here/../../build}
program=$build/tests/guard/paths
budget=$here/budget.tsv
scratch=$(mktemp -d)
trap 'rm -rf "$scratch"' EXIT

if [ ! -x "$program" ]; then
    echo "update: no $program: build first" >&2
    exit 1
fi
{
    sed -n '/^#/p' "$budget" |
        sed "s/^# built by: .*/# built by: $("$program" --built)/"
    for path in $("$program" --list); do
        "$here/guard.sh" --record "$program" "$budget" "$path"
        echo "recorded: $path" >&2
    done
    awk -F '\t' '$2 == "calls"' "$budget"
} >"$scratch/budget"
cat "$scratch/budget" >"$budget"
