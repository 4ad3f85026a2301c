# SPDX-License-Identifier: Apache-2.0
# The headers as Doxygen wants them: a comment above a declaration becomes
# `/**`, one behind a member `/**<`, the first of a file `@file`. Of several
# declarations below one comment, with no empty line between, each gets it. A
# comment with an empty line below it speaks of no declaration and stays.
#   awk -f filter.awk HEADER
{
    line[NR] = $0
}

# The line on which the comment that begins on `from` ends.
function comment_end(from) {
    while (from < NR && line[from] !~ /\*\//) {
        from++
    }
    return from
}

function is_declaration(text) {
    return text ~ /^(THEATER_API|typedef|struct|enum|#define) / &&
        text !~ /_H$/ || text ~ /^ +[a-z].*\(\*[a-z_]+\)\(.*;$/
}

function print_range(from, to,   i) {
    for (i = from; i <= to; i++) {
        print line[i]
    }
}

END {
    comment = ""
    in_macro = 0
    for (i = 1; i <= NR; i++) {
        text = line[i]
        if (i == 2 && text ~ /^\/\*/) {
            sub(/^\/\*/, "/** @file\n *", text)
            print text
            continue
        }
        if (text ~ /^[ \t]*\/\* / && text !~ /SPDX|\/\* ---/) {
            end = comment_end(i)
            if (line[end + 1] == "") {
                print_range(i, end)
                i = end
                continue
            }
            sub(/\/\* /, "/** ", text)
            line[i] = text
            comment = ""
            for (j = i; j <= end; j++) {
                comment = comment (j > i ? "\n" : "") line[j]
            }
            documented = end + 1
            print_range(i, end)
            i = end
            continue
        }
        if (text == "") {
            comment = ""
        }
        if (is_declaration(text) && comment != "" && i > documented) {
            print comment
        }
        if (text !~ /\\$/ && text ~ /[;,a-z0-9A-Z)] +\/\* /) {
            sub(/ \/\* /, " /**< ", text)
        }
        print text
    }
}
