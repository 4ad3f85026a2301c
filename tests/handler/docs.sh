#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# The C in docs/embedding.md is that of the example it names: each block behind
# `<!-- from FILE -->` stands in FILE, white space aside.
set -euo pipefail
top=$1
doc=$top/docs/embedding.md
squeeze() {
    tr -d ' \t\n'
}
blocks=0
file=
inside=false
block=
while IFS= read -r line; do
    if [[ $line =~ ^'<!-- from '(.*)' -->'$ ]]; then
        file=${BASH_REMATCH[1]}
    elif [[ $line == '```c' && -n $file ]]; then
        inside=true
        block=
    elif [[ $line == '```' && $inside == true ]]; then
        want=$(printf '%s' "$block" | squeeze)
        have=$(squeeze <"$top/$file")
        if [[ $have != *"$want"* ]]; then
            printf 'not in %s:\n%s\n' "$file" "$block" >&2
            exit 1
        fi
        blocks=$((blocks + 1))
        inside=false
        file=
    elif [[ $inside == true ]]; then
        block+=$line$'\n'
    fi
done <"$doc"
[ "$blocks" -ge 7 ] || {
    echo "only $blocks blocks found" >&2
    exit 1
}
