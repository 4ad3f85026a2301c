#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# Do actors of all languages talk to each other, each to each other one?
#   pairs.sh THEATER CONDUCTOR_DIR SCRATCH LANGUAGE...
# README.md says what the peers do. Languages whose tools cannot be had are
# left out with a line that says so; with fewer than two the test is skipped
# (77).
set -euo pipefail
theater=$1 conductor=$2 scratch=$3
shift 3
here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
unset THEATER_LOG THEATER_LOG_FORMAT
source "$(dirname "${BASH_SOURCE[0]}")/cache.sh"

rm -rf "$scratch"
mkdir -p "$scratch/conductor"
cp "$conductor"/conductor.* "$scratch/conductor"
languages=()
for language in "$@"; do
    status=0
    "$here/../../scripts/build_actors.sh" "$language" "$here/$language" \
        "$scratch/$language" || status=$?
    case $status in
    0) languages+=("$language") ;;
    77) echo "left out: $language, whose tools cannot be had here" ;;
    *) exit "$status" ;;
    esac
done
if [ ${#languages[@]} -lt 2 ]; then
    echo "skipped: fewer than two languages"
    exit 77
fi

{
    for language in "${languages[@]}"; do
        printf '[[actor]]\nmanifest = "%s/peer.toml"\nname = "%s"\n' \
            "$language" "$language"
    done
    printf '[[actor]]\nmanifest = "conductor/conductor.toml"\n'
    printf 'initial_state = "%s"\n' "${languages[*]}"
} >"$scratch/theater.toml"

# actor<TAB>line: what each ordered pair says, and the conductor.
for from in "${languages[@]}"; do
    printf 'conductor\tvisited %d\n' $((${#languages[@]} - 1))
    for to in "${languages[@]}"; do
        [ "$from" != "$to" ] || continue
        printf '%s\t%s\n' \
            "$to" "hello $to, from $from" \
            "$from" "question for $to, answered by $to" \
            "$from" "$to: failed: not today" \
            "$from" "$to: rejected" \
            "$to" "channel for $to, opened by $from" \
            "$from" "pong of $to" \
            "$to" "channel closed"
    done
done | LC_ALL=C sort >"$scratch/expected"

XDG_CACHE_HOME=$compiled "$theater" run "$scratch/theater.toml" >"$scratch/out" 2>&1 || {
    cat "$scratch/out"
    exit 1
}
sed -n -E 's/^[0-9:.]+Z +[a-z]+ +([A-Za-z0-9-]+): (.*)$/\1\t\2/p' \
    "$scratch/out" | LC_ALL=C sort >"$scratch/said"
if ! diff "$scratch/expected" "$scratch/said"; then
    cat "$scratch/out"
    echo "the peers of ${languages[*]} did not say what they should" >&2
    exit 1
fi
tail -n 1 "$scratch/out" | grep -q ', no dead letters; ' || {
    tail -n 1 "$scratch/out"
    exit 1
}
echo "${languages[*]}: $((${#languages[@]} * (${#languages[@]} - 1)))" \
    "ordered pairs"
