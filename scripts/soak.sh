#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# Conservation rounds at moderate load for a long time, in one process: its
# memory, descriptors and threads must stay what they are, and the ledger even.
#
#   scripts/soak.sh HOURS        (0.05 is three minutes)
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."
hours=${1:-}
seconds=0
if [[ $hours =~ ^[0-9]*[.]?[0-9]+$ ]]; then
    seconds=$(awk -v hours="$hours" 'BEGIN { printf "%d", hours * 3600 }')
fi
[ "$seconds" -ge 30 ] || {
    echo "usage: make soak HOURS=n, or scripts/soak.sh HOURS: a number," \
        "0.01 (half a minute) or more${hours:+, not '$hours'}" >&2
    exit 2
}
exec build/tests/bin/conserve --soak "$seconds"
