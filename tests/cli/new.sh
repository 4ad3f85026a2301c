#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# new.sh THEATER LANGUAGE: from nothing to an answer, by the command alone:
# new, build, request. Skipped, aloud, where the language's tools are not there
# or cannot be fetched.
set -euo pipefail
theater=$1 language=$2
top=$(cd "$(dirname "${BASH_SOURCE[0]}")/../.." && pwd)
scratch=$(mktemp -d)
trap 'rm -rf "$scratch"' EXIT
# Components' tools are fetched by the build itself.
case $language in
js | ts | python) ;;
*)
    environment=$("$top/scripts/toolchains.sh" "$language")
    eval "$environment"
    ;;
esac
unset THEATER_LOG THEATER_LOG_FORMAT
cd "$scratch"

began=$(date +%s.%N)
"$theater" new greeter --lang "$language"
if ! "$theater" build greeter >said 2>&1; then
    cat said >&2
    if grep -qE 'EAI_AGAIN|ENOTFOUND|ECONNREFUSED|Failed to establish|No matching distribution' said; then
        echo "SKIPPED: the tools for $language are not there" >&2
        exit 77
    fi
    exit 1
fi
cat said
answer=$(timeout 300 "$theater" request --cache-dir "$scratch/cache" \
    --run greeter/theater.toml --timeout 60s greeter world 2>said) || {
    cat said >&2
    exit 1
}
if [ "$answer" != "hello, world" ]; then
    echo "it answers '$answer'" >&2
    exit 1
fi
awk -v began="$began" -v ended="$(date +%s.%N)" \
    'BEGIN { printf "from nothing to an answer: %.1f s\n", ended - began }'
