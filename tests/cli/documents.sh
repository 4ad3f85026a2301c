#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# What README.md and CONTRIBUTING.md say can be done is done:
#   documents.sh SOURCE BUILD
# The first actor is built with the commands that stand there and answers; all
# commands `build/theater ...` end well; the C is that of the example; links
# and make targets are there.
set -euo pipefail
source=$(cd "$1" && pwd)
build=$(cd "$2" && pwd)
scratch=$(mktemp -d)
trap 'rm -rf "$scratch"' EXIT
unset THEATER_LOG THEATER_LOG_FORMAT
export XDG_CACHE_HOME=$scratch/cache
cd "$scratch"
ln -s "$source/sdk" sdk
ln -s "$build" build
readme=$source/README.md

# block LANGUAGE NUMBER: a fenced block of that language.
block() {
    awk -v fence="\`\`\`$1" -v number="$2" '
        $0 == "```" && inside { inside = 0; next }
        inside == number && inside { print }
        $0 == fence { inside = ++count }' "$readme"
}

# The first actor.
block c 1 >greeter.c
block toml 1 >greeter.toml
block sh 2 >build.sh
lines=$(wc -l <greeter.c)
if [ "$lines" -gt 15 ]; then
    echo "README: the first actor has $lines lines, more than 15" >&2
    exit 1
fi
answer=$(bash -eu build.sh 2>log) || {
    cat log >&2
    echo "README: the first actor is not built as it stands there" >&2
    exit 1
}
if [ "$answer" != "hello, world" ]; then
    echo "README: the first actor answers '$answer'" >&2
    exit 1
fi

# Commands on indented lines.
commands=0
while IFS= read -r command; do
    [[ $command == *" bench "* ]] && continue
    timeout 60 bash -c "$command" >log 2>&1 </dev/null || {
        echo "README: ended with $?: $command" >&2
        cat log >&2
        exit 1
    }
    commands=$((commands + 1))
done < <(sed -nE 's/^    ((THEATER_[A-Z_]+=[^ ]* )?build\/theater .*)/\1/p' \
    "$readme")
if [ "$commands" -lt 7 ]; then
    echo "README: only $commands commands found" >&2
    exit 1
fi

# The embedding program.
want=$(block c 2 | tr -d ' \t\n')
have=$(tr -d ' \t\n' <"$source/examples/embed/embed.c")
if [ "${#want}" -lt 500 ] || [[ $have != *"$want"* ]]; then
    echo "README: the embedding program is not that of examples/embed" >&2
    exit 1
fi

# Links, make targets, files that are named.
for document in "$readme" "$source/CONTRIBUTING.md"; do
    while IFS= read -r link; do
        [ -e "$source/$link" ] || {
            echo "$document: no $link" >&2
            exit 1
        }
    done < <(grep -oE '\]\([^)h][^)]*\)' "$document" | tr -d ']()')
    while IFS= read -r target; do
        grep -q "^$target:" "$source/Makefile" || {
            echo "$document: no target $target" >&2
            exit 1
        }
    done < <(grep -oE '(`|^    |^)make [a-z-]+' "$document" | sed 's/.*make //')
    while IFS= read -r file; do
        [ -e "$source/$file" ] || {
            echo "$document: no $file" >&2
            exit 1
        }
    done < <(grep -oE '`(src|include|cmake|tests|sdk|docs|examples|wit)/[a-z0-9_/.]+`' \
        "$document" | tr -d '`' | grep -v /LANGUAGE)
done
