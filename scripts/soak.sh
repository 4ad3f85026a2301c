#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# Conservation rounds at moderate load for a long time, in one process: its
# memory, descriptors and threads must stay what they are, and the ledger even.
#
#   scripts/soak.sh HOURS        (0.05 is three minutes)
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."
hours=${1:?usage: scripts/soak.sh HOURS}
seconds=$(awk -v hours="$hours" 'BEGIN { printf "%d", hours * 3600 }')
[ "$seconds" -ge 30 ] || {
    echo "soak: half a minute at least" >&2
    exit 2
}
exec build/tests/bin/conserve --soak "$seconds"
