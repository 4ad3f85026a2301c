#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# Does ping_pong in a language say what it says in C?
#   ping_pong.sh THEATER LANGUAGE SCRATCH
set -euo pipefail
theater=$1 language=$2 scratch=$3
top=$(cd "$(dirname "${BASH_SOURCE[0]}")/../.." && pwd)

rm -rf "$scratch"
status=0
"$top/scripts/build_actors.sh" "$language" "$top/examples/languages/$language" \
    "$scratch" || status=$?
if [ "$status" -eq 77 ]; then
    echo "skipped: $language, whose tools cannot be had here"
fi
[ "$status" -eq 0 ] || exit "$status"
source "$top/tests/languages/cache.sh"
EXAMPLES_CACHE=$compiled bash "$top/tests/cli/examples.sh" "$theater" "$top/examples/ping_pong/README.md" \
    "$scratch/theater.toml"
