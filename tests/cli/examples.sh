#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# Do the actors of an example say what its README says, and nothing else?
#   examples.sh THEATER README SYSTEM
# EXAMPLES_CACHE keeps compiled code beyond the test.
# The README's table is the expectation: rows of `| actor | line |`, or one
# column per actor. Lines are compared per actor; where the README says "in
# this order:" of all, also among actors.
set -euo pipefail
theater=$1 readme=$2 system=$3
scratch=$(mktemp -d)
trap 'rm -rf "$scratch"' EXIT
unset THEATER_LOG THEATER_LOG_FORMAT
export XDG_CACHE_HOME=${EXAMPLES_CACHE:-$scratch/cache}

"$theater" run "$system" >"$scratch/out" 2>"$scratch/err" || {
    echo "theater run $system ended with $?" >&2
    cat "$scratch/out" "$scratch/err" >&2
    exit 1
}

# actor<TAB>line, as the run said them: "TIME LEVEL ACTOR: LINE".
sed -n -E 's/^[0-9:.]+Z +[a-z]+ +([A-Za-z0-9-]+): (.*)$/\1\t\2/p' \
    "$scratch/out" >"$scratch/said"

# actor<TAB>line, as the README says.
awk -F ' *\\| *' '
    function tell(actor, cell,   range, i, prefix) {
        gsub(/^`|`$/, "", cell)
        if (cell == "") {
            return
        }
        if (actor ~ /, each$/) {
            sub(/, each$/, "", actor)
            split(actor, range, / \.\.\. /)
            prefix = range[1]
            sub(/[0-9]+$/, "", prefix)
            sub(/.*-/, "", range[2])
            for (i = 1; i <= range[2] + 0; i++) {
                print prefix i "\t" cell
            }
        } else {
            print actor "\t" cell
        }
    }
    /^\|/ && $2 ~ /^-+$/ { next }
    /^\|/ && !head { head = 1; for (i = 2; i < NF; i++) name[i] = $i; next }
    /^\|/ && name[2] == "actor" { tell($2, $3); next }
    /^\|/ { for (i = 2; i < NF; i++) tell(name[i], $i); next }
    { head = 0 }' "$readme" >"$scratch/expected"
if [ ! -s "$scratch/expected" ]; then
    echo "$readme has no table of lines" >&2
    exit 1
fi

# The README names two lines of the channels' third one outside of its table.
if grep -q 'second `welcome`' "$readme"; then
    for line in $'2 caller\twelcome' $'1 library\tcaller shows card 8'; do
        [ "$(grep -cxF "${line#* }" "$scratch/said")" -eq "${line%% *}" ] || {
            echo "not said ${line%% *} times: ${line#* }" >&2
            exit 1
        }
    done
    awk -F '\t' '$2 == "caller shows card 8" { next }
        $2 == "welcome" && seen++ { next }
        { print }' "$scratch/said" >"$scratch/first"
    mv "$scratch/first" "$scratch/said"
fi

per_actor() {
    LC_ALL=C sort -s -t "$(printf '\t')" -k 1,1 "$1"
}
if grep -q 'What they say, in this order' "$readme"; then
    diff "$scratch/expected" "$scratch/said"
fi
diff <(per_actor "$scratch/expected") <(per_actor "$scratch/said") || {
    echo "the actors of $system do not say what $readme says" >&2
    exit 1
}

# The last line sums up: nothing was lost, nobody failed.
tail -n 1 "$scratch/out" |
    grep -qE '^handled [0-9]+ messages, no dead letters; [0-9]+ actors; ' || {
    echo "the last line is no summary: $(tail -n 1 "$scratch/out")" >&2
    exit 1
}
