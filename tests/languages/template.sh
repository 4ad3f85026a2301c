#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# Does a new project in a language build and answer?
#   template.sh THEATER LANGUAGE SCRATCH
set -euo pipefail
theater=$1 language=$2 scratch=$3
top=$(cd "$(dirname "${BASH_SOURCE[0]}")/../.." && pwd)
sdk=$top/sdk/$language
unset THEATER_LOG THEATER_LOG_FORMAT
source "$(dirname "${BASH_SOURCE[0]}")/cache.sh"

rm -rf "$scratch"
mkdir -p "$scratch/project"
# The manifests with the name in them; the sources beside them.
cp -r "$sdk/template/." "$scratch/project"
grep -rlF '@NAME@' "$scratch/project" | xargs sed -i 's/@NAME@/greeter/g'
mkdir "$scratch/source"
find "$scratch/project" -name 'actor.*' -exec cp {} "$scratch/source" \;
if [ -f "$scratch/project/src/lib.rs" ]; then
    cp "$scratch/project/src/lib.rs" "$scratch/source/actor.rs"
fi
cp "$scratch/project"/*.toml "$scratch/source"
# Each source has a manifest of its name.
cp "$scratch/project/manifest.toml" "$scratch/source/actor.toml"
status=0
"$top/scripts/build_actors.sh" "$language" "$scratch/source" \
    "$scratch/built" || status=$?
if [ "$status" -eq 77 ]; then
    echo "skipped: $language, whose tools cannot be had here"
fi
[ "$status" -eq 0 ] || exit "$status"
XDG_CACHE_HOME=$compiled "$theater" run "$scratch/built/theater.toml" >"$scratch/out" 2>&1 || {
    cat "$scratch/out"
    exit 1
}
if ! grep -q 'greeter-visitor: hello, greeter-visitor$' "$scratch/out"; then
    cat "$scratch/out"
    echo "no answer" >&2
    exit 1
fi
