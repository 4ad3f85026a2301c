# SPDX-License-Identifier: Apache-2.0
# Adds up what `gcov -b -c -t` says of each copy of a source file (the library,
# the copies that the interleavings and the refusals compile anew, and what a
# header is in each file that includes it), and holds it against exceptions.txt.
#
#   awk -v root=DIR -f count.awk exceptions.txt gcov-output
#
# Branches of one line are told apart by their order, since other copies have
# other calls beside them. Those of TH_CHECK and TH_ASSERT do not count: that
# they never fail is their point.
function trim(s)
{
    gsub(/^[ \t]+|[ \t]+$/, "", s)
    return s
}

function complain(text)
{
    print "coverage: " text
    bad++
}

# The name of the function whose head this line is; "".
function head(text,    n, words)
{
    if (text !~ /^[a-z_].*\(/ || text ~ /;$/) {
        return ""
    }
    gsub(/__attribute__\(\([a-z_, ]*\)\)/, "", text)
    sub(/\(.*/, "", text)
    n = split(text, words, /[ *]+/)
    return words[n]
}

# A line of exceptions.txt: [maybe] FILE FUNCTION | TEXT | REASON
FNR == NR {
    if ($0 ~ /^#/ || $0 ~ /^$/) {
        next
    }
    n = split($0, part, / \| /)
    words = split(part[1], word, " ")
    maybe = word[1] == "maybe"
    if (n != 3 || words != (maybe ? 3 : 2)) {
        complain(FILENAME ":" FNR ": not [maybe] FILE FUNCTION | TEXT | REASON")
        next
    }
    key = word[words - 1] "|" word[words] "|" trim(part[2])
    excused[key] = FNR
    uncertain[key] = maybe
    next
}

/^ +-: +0:Source:/ {
    file = $0
    sub(/.*0:Source:/, "", file)
    sub("^" root "/", "", file)
    ours = file ~ /^src\/(messaging|queue)\/[a-z_]+\.[ch]$/ &&
           file !~ /_(test|testing)\.c$/
    asserts = 0
    if (ours && !(file in files)) {
        files[file] = 1
        name[++count] = file
    }
    next
}

!ours {
    next
}

/^(branch|call|unconditional|function|------)/ {
    if ($1 == "branch" && !asserts) {
        at = file ":" line ":" ++nth
        branch[at] += $3 == "taken" ? $4 : 0
        if (nth > branches[file ":" line]) {
            branches[file ":" line] = nth
        }
    }
    next
}

/^ *[^:]+: *[0-9]+:/ {
    match($0, /^ *[^:]+: *[0-9]+:/)
    code = substr($0, RSTART + RLENGTH)
    split($0, field, ":")
    line = field[2] + 0
    hits = trim(field[1])
    nth = 0
    if (ended) {
        asserts = 0
    }
    if (code ~ /^ *TH_(CHECK|ASSERT)\(/) {
        asserts = 1
    }
    ended = asserts && code ~ /;$/
    if (line > lines[file]) {
        lines[file] = line
        text[file ":" line] = code
    }
    if (hits != "-" && line > 0) {
        seen[file ":" line] = 1
        sub(/\*$/, "", hits)
        run[file ":" line] += hits ~ /^[0-9]+$/ ? hits : 0
    }
}

END {
    for (i = 1; i <= count; i++) {
        for (j = i + 1; j <= count; j++) {
            if (name[j] < name[i]) {
                swap = name[i]
                name[i] = name[j]
                name[j] = swap
            }
        }
    }
    printf "%-32s %12s %7s %14s\n", "file", "lines", "", "branches"
    for (i = 1; i <= count; i++) {
        weigh(name[i])
    }
    report("all", all_hit, all_lines, all_taken, all_branches)
    printf "%s", missing
    for (key in excused) {
        if (!(key in used) && !uncertain[key]) {
            complain("exceptions.txt:" excused[key] \
                ": nothing is uncovered there any more: take it out")
        }
    }
    if (all_taken < 0.95 * all_branches) {
        complain("fewer than 95 % of the branches are taken")
    }
    if (all_lines == 0) {
        complain("nothing was counted")
    }
    exit bad > 0
}

function percent(part, whole)
{
    return whole ? 100 * part / whole : 100
}

function report(what, hit, of, taken, ways)
{
    printf("%-32s %5d /%5d %6.1f%% %6d /%6d %6.1f%%\n", what, hit, of,
        percent(hit, of), taken, ways, percent(taken, ways))
}

function weigh(file,    l, n, hit, of, taken, ways, fn, here, h, key)
{
    for (l = 1; l <= lines[file]; l++) {
        h = head(text[file ":" l])
        fn = h != "" ? h : fn
        if (!((file ":" l) in seen)) {
            continue
        }
        of++
        hit += run[file ":" l] > 0
        here = 0
        for (n = 1; n <= branches[file ":" l]; n++) {
            here += branch[file ":" l ":" n] > 0
        }
        ways += branches[file ":" l]
        taken += here
        if (run[file ":" l] > 0 && here == branches[file ":" l] + 0) {
            continue
        }
        key = file "|" fn "|" trim(text[file ":" l])
        if (key in excused) {
            used[key] = 1
            continue
        }
        bad++
        how = "never run"
        if (run[file ":" l] > 0) {
            how = here " of " branches[file ":" l] " branches"
        }
        missing = missing "coverage: " file ":" l ": " how ": " fn " | " \
            trim(text[file ":" l]) "\n"
    }
    report(file, hit, of, taken, ways)
    all_hit += hit
    all_lines += of
    all_taken += taken
    all_branches += ways
}
