#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# The sums of docs/reliability.md, from docs/torture.tsv, which has one line for
# each run of scripts/torture.sh that was recorded and passed.
#
#   scripts/reliability.sh             writes the sums into the document
#   scripts/reliability.sh --check     fails where they are not what it says
#   scripts/reliability.sh --add DATE COMMIT KIND SECONDS SEED MESSAGES FAULTS \
#       SIMULATED INTERLEAVED REFUSALS HOSTILE FUZZED
#                                      adds a run, then writes them
#
# KIND: empty, or -asan. SIMULATED: seeds, each played twice. INTERLEAVED:
# schedules of real threads, one step at a time. REFUSALS: of memory, pages,
# threads and files. HOSTILE: cases. FUZZED: executions.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."
runs=docs/torture.tsv
document=docs/reliability.md
begin='<!-- sums: scripts/reliability.sh -->'
end='<!-- end of sums -->'

sums() {
    awk -F '\t' '
        function big(n,    text, out) {
            text = sprintf("%d", n)
            while (length(text) > 3) {
                out = "," substr(text, length(text) - 2) out
                text = substr(text, 1, length(text) - 3)
            }
            return text out
        }
        /^#/ { next }
        {
            runs++
            if ($3 == "-asan") { asan++ }
            seconds += $4; messages += $6; faults += $7; simulated += $8
            interleaved += $9; refusals += $10; hostile += $11; fuzzed += $12
            if (first == "" || $1 < first) { first = $1 }
            if ($1 > last) { last = $1 }
        }
        END {
            if (runs == 0) {
                print "No run has been recorded yet."
                exit
            }
            printf "| all recorded runs, %s to %s | sum |\n| --- | --- |\n",
                first, last
            printf "| runs that passed (of those, under Address+Undefined) " \
                "| %d (%d) |\n", runs, asan
            printf "| time | %.1f h |\n", seconds / 3600
            printf "| messages in the ledger: lost, duplicated, corrupted, " \
                "reordered 0 | %s |\n", big(messages)
            printf "| faults injected | %s |\n", big(faults)
            printf "| simulated seeds, each twice with equal hash | %s |\n",
                big(simulated)
            printf "| schedules of real threads, step by step | %s |\n",
                big(interleaved)
            printf "| refusals of memory, pages, threads, files | %s |\n",
                big(refusals)
            printf "| hostile cases | %s |\n", big(hostile)
            printf "| executions of fuzzers | %s |\n", big(fuzzed)
        }' "$runs"
}

render() {
    awk -v begin="$begin" -v end="$end" -v sums="$(sums)" '
        $0 == end { inside = 0 }
        !inside { print }
        $0 == begin { print sums; inside = 1 }' "$document"
}

case ${1:-} in
"") ;;
--check)
    diff -u "$document" <(render) || {
        echo "reliability: $document is not what $runs says:" \
            "scripts/reliability.sh" >&2
        exit 1
    }
    exit 0
    ;;
--add)
    shift
    [ $# -eq 12 ] || {
        echo "reliability: --add takes 12 values" >&2
        exit 2
    }
    (
        IFS=$'\t'
        printf '%s\n' "$*" >>"$runs"
    )
    ;;
*)
    echo "usage: scripts/reliability.sh [--check | --add ...]" >&2
    exit 2
    ;;
esac
render >"$document.part"
mv "$document.part" "$document"
