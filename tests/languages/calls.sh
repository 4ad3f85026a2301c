#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# Does every function of a language's SDK do what it does in all others?
#   calls.sh THEATER LANGUAGE SCRATCH
set -euo pipefail
theater=$1 language=$2 scratch=$3
here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
unset THEATER_LOG THEATER_LOG_FORMAT
source "$here/cache.sh"

rm -rf "$scratch"
status=0
"$here/../../scripts/build_actors.sh" "$language" "$here/calls/$language" \
    "$scratch" || status=$?
if [ "$status" -eq 77 ]; then
    echo "skipped: $language, whose tools cannot be had here"
fi
[ "$status" -eq 0 ] || exit "$status"

XDG_CACHE_HOME=$compiled "$theater" run "$scratch/theater.toml" \
    >"$scratch/out" 2>&1 || {
    cat "$scratch/out"
    exit 1
}
sed -n -E 's/^[0-9:.]+Z +[a-z]+ +([A-Za-z0-9-]+): (.*)$/\1\t\2/p' \
    "$scratch/out" | LC_ALL=C sort >"$scratch/said"
LC_ALL=C sort "$here/calls/expected.txt" | diff - "$scratch/said" || {
    cat "$scratch/out"
    exit 1
}
