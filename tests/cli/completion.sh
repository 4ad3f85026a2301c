#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# What is made from the table of commands works where it is used:
#   completion.sh THEATER MAN_FOLDER
# bash completes with the script; zsh and fish, where they are, read theirs;
# mandoc, where it is, finds nothing to warn of in the pages.
set -euo pipefail
theater=$1
pages=$2
failed=0
scratch=$(mktemp -d)
trap 'rm -rf "$scratch"' EXIT
cd "$scratch"
mkdir folder
touch a.toml b.toml
"$theater" completion bash >theater.bash
# shellcheck disable=SC1091
source theater.bash

# Is the word among those offered? (Not by a pipe: grep -q leaves as soon as it
# has found it, and who still writes then fails the pipe.)
offered() {
    local word
    for word in "${COMPREPLY[@]}"; do
        [ "$word" != "$1" ] || return 0
    done
    return 1
}

# expect 'WORDS SO FAR' WANTED...: all that is wanted is offered.
expect() {
    local line=$1 wanted
    shift
    eval "COMP_WORDS=($line)"
    COMP_CWORD=$((${#COMP_WORDS[@]} - 1))
    COMPREPLY=()
    _theater
    for wanted in "$@"; do
        if ! offered "$wanted"; then
            echo "'$line' offers '${COMPREPLY[*]}', without $wanted" >&2
            failed=1
        fi
    done
}
# refuse 'WORDS SO FAR' WORD: it is not offered.
refuse() {
    expect "$1"
    if offered "$2"; then
        echo "'$1' offers $2" >&2
        failed=1
    fi
}
expect "theater ''" run check send request bench help
expect "theater ru" run
refuse "theater ru" check
expect "theater run --st" --stay
refuse "theater run --st" --json
expect "theater run ''" a.toml b.toml
expect "theater send --run b" b.toml
expect "theater send --run = a" a.toml
expect "theater run --cache-dir ''" folder
refuse "theater run --cache-dir ''" a.toml
refuse "theater run --workers ''" a.toml
expect "theater bench ''" pairs ping-pong wake
expect "theater errors mail" mailbox-full
expect "theater help ''" run completion
expect "theater completion ''" bash zsh fish
expect "theater man theater" theater theater.toml theater-manifest
# Each command that help has, and each of its options.
count=0
for command in $("$theater" help | sed -n '/^Commands/,/^$/s/^  \([a-z]*\) .*/\1/p'); do
    expect "theater ${command:0:1}" "$command"
    options=$("$theater" "$command" --help | sed -n '/^Options/,/^$/s/^  [-a-z, ]*\(--[a-z-]*\).*/\1/p')
    # shellcheck disable=SC2086
    expect "theater $command -" $options
    count=$((count + 1))
done
if [ "$count" -lt 10 ]; then
    echo "only $count commands were found in the help" >&2
    failed=1
fi

for shell in zsh fish; do
    "$theater" completion "$shell" >"script.$shell"
    if ! command -v "$shell" >/dev/null; then
        echo "SKIPPED: $shell is not there to read its script" >&2
    elif ! "$shell" -n "script.$shell"; then
        echo "$shell cannot read its script" >&2
        failed=1
    fi
done
if command -v fish >/dev/null; then
    offered=$(HOME=$scratch fish -c 'source script.fish
        complete -C "theater ru"; complete -C "theater run --st"
        complete -C "theater bench pa"')
    for wanted in run --stay pairs; do
        grep -q -- "^$wanted" <<<"$offered" || {
            echo "fish does not offer $wanted: $offered" >&2
            failed=1
        }
    done
fi

# zsh completes on a terminal only: one is made, and keys are typed there.
if command -v zsh >/dev/null && zsh -fc 'zmodload zsh/zpty' 2>/dev/null; then
    mkdir functions
    cp script.zsh functions/_theater
    cat >ask.zsh <<'END'
zmodload zsh/zpty
zpty shell zsh -f -i
# await TEXT: until the terminal shows it, or 10 s are over.
await() {
    local got= part
    for ((i = 0; i < 200; i++)); do
        while zpty -r -t shell part; do got+=$part; done
        [[ $got == *$1* ]] && return 0
        sleep 0.05
    done
    print -ru2 -- "zsh does not offer ${(q)1}: ${(V)got}"
    return 1
}
failed=0
zpty -w shell 'fpath=($PWD/functions $fpath); autoload -Uz compinit;' \
    'compinit -u -d $PWD/dump; print begun-$((6 * 7))'
await begun-42 || exit 1
while IFS='|' read -r typed wanted; do
    zpty -w -n shell "$typed"$'\t'
    await "$wanted" || failed=1
    zpty -w -n shell $'\x15'
done <<'ROWS'
theater ru|theater run
theater run --st|--stay
theater run fol|run folder
theater run --cache-dir=fol|--cache-dir=folder
theater request --run=b|--run=b.toml
theater bench pa|pairs
theater new x --lang py|--lang python
theater help insp|inspect
theater completion z|zsh
ROWS
zpty -d shell
exit $failed
END
    HOME=$scratch PATH=$(dirname "$theater"):$PATH timeout 100 zsh -f ask.zsh ||
        failed=1
fi

if [ "$(find "$pages" -name '*.[15]' | wc -l)" -lt 13 ]; then
    echo "$pages has too few pages" >&2
    failed=1
fi
if command -v mandoc >/dev/null; then
    for page in "$pages"/*.[15]; do
        mandoc -Tlint -W warning "$page" >&2 || failed=1
    done
elif command -v man >/dev/null && command -v groff >/dev/null; then
    for page in "$pages"/*.[15]; do
        said=$(man --warnings -l "$page" 2>&1 >/dev/null)
        [ -z "$said" ] || {
            echo "$page: $said" >&2
            failed=1
        }
    done
else
    echo "SKIPPED: neither mandoc nor man is there to read the pages" >&2
fi
exit "$failed"
