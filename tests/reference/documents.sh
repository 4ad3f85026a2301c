#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# documents.sh TOP: what the reference says about its documents and rules for
# contributors has its counterpart here.
set -euo pipefail
top=$1
failed=0

miss() {
    echo "$*" >&2
    failed=1
}

# has FILE PATTERN: a line of it matches.
has() {
    grep -qiE "$2" "$top/$1" || miss "$1 says nothing of: $2"
}

# The five parts of the detailed architecture.
has ARCHITECTURE.md "^## Folders and arrows"
has ARCHITECTURE.md "^## A message's way"
has ARCHITECTURE.md "^## Registration and shutdown"
has ARCHITECTURE.md "^## Performance"
has ARCHITECTURE.md "^## Coming from"

# What it names is there: tests and files.
while IFS= read -r name; do
    case $name in
    *.c | *.h | *.md | *.tsv | *.txt | *.wit)
        find "$top" -path "$top/build*" -prune -o -path "*${name#/}" -print |
            grep -q . || miss "ARCHITECTURE.md names $name, which is not there"
        ;;
    esac
done < <(grep -oE '`[a-z_/]+\.[a-z]+`' "$top/ARCHITECTURE.md" | tr -d '`')

# The licence in the root of the repository.
has LICENSE "Apache License"
has LICENSE "Version 2.0"

# A new kind of message needs tests: each kind that there is has some.
kinds=$(sed -nE 's/^    (THEATER_MESSAGE_[A-Z_]+),.*/\1/p' \
    "$top/include/theater/message.h")
[ "$(wc -w <<<"$kinds")" -ge 5 ] || miss "message.h has lost its kinds"
for kind in $kinds; do
    grep -rqw --include='*_test.c' "$kind" "$top/tests/messaging" ||
        miss "no test of the router knows $kind"
done

# A host function needs a document.
for name in $(sed -nE 's/^  ([a-z-]+): func.*/\1/p' "$top/wit/actor.wit"); do
    has docs/actor-api.md "(^|[^a-z])$name([^a-z]|$)"
done

# Benchmarks are a target.
has Makefile "^bench:"

# The rules, where contributors look.
if [ -f "$top/CONTRIBUTING.md" ]; then
    has CONTRIBUTING.md "messaging"
    has CONTRIBUTING.md "lock-free"
    has CONTRIBUTING.md "test"
    has CONTRIBUTING.md "document"
    has CONTRIBUTING.md "bench"
else
    miss "there is no CONTRIBUTING.md"
fi
[ "$failed" -eq 0 ]
