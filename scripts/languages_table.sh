#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# The first table of figures in docs/languages.md, measured here: for each
# language the module of a new project, and how long from the start of `theater
# run` to the answer of one of its actors to another: the first time, with the
# compilation of the module, and from then on; in brackets the processor time of
# the whole run. The least of three and of ten runs.
#
#   scripts/languages_table.sh THEATER LANGUAGE...
set -euo pipefail
top=$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd)
if [ $# -lt 2 ]; then
    echo "usage: scripts/languages_table.sh THEATER LANGUAGE..." >&2
    exit 2
fi
theater=$(realpath "$1")
shift
scratch=$(mktemp -d)
trap 'rm -rf "$scratch"' EXIT
unset THEATER_LOG THEATER_LOG_FORMAT

# Milliseconds until the answer stands in the log, and of processor time.
first_answer() {
    local began line answered=
    began=$(date +%s%N)
    while read -r line; do
        if [[ $line == *": hello, "* ]]; then
            answered=$((($(date +%s%N) - began) / 1000000))
        elif [[ $line == cpu\ * ]]; then
            echo "$answered $(awk '{ print int(1000 * ($2 + $3)) }' \
                <<<"$line")"
        fi
    done < <(TIMEFORMAT='cpu %U %S' XDG_CACHE_HOME=$1
        export XDG_CACHE_HOME
        { time "$theater" run "$2"; } 2>&1)
}

# least_of COUNT CACHE SYSTEM: a cache of its own for each run, or one. The
# least of each figure.
least_of() {
    local run cache
    for ((run = 0; run < $1; run++)); do
        cache=$2
        if [ -z "$cache" ]; then
            cache=$scratch/cache-$run
            rm -rf "$cache"
        fi
        first_answer "$cache" "$3"
    done | awk 'NR == 1 || $1 < a { a = $1 } NR == 1 || $2 < b { b = $2 }
        END { print a " ms (" b " ms)" }'
}

echo "| language | module | first start | from then on |"
echo "| --- | --- | --- | --- |"
for language in "$@"; do
    bash "$top/tests/languages/template.sh" "$theater" "$language" \
        "$scratch/$language" >&2 || continue
    built=$scratch/$language/built
    size=$(stat -c %s "$built/actor.wasm" |
        sed -E ':a; s/([0-9])([0-9]{3})($|,)/\1,\2\3/; ta')
    first=$(least_of 3 "" "$built/theater.toml")
    again=$(least_of 10 "$scratch/cache-0" "$built/theater.toml")
    echo "| $language | $size bytes | $first | $again |"
done
