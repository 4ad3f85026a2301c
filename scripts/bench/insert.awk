# SPDX-License-Identifier: Apache-2.0
# Puts the file `tables` between the two markers of a document:
#   awk -v tables=FILE -f insert.awk DOCUMENT
# Fails when the markers are not both there, once and in order.
/^<!-- measured: begin/ {
    begins++
    print
    print ""
    while ((getline line < tables) > 0) {
        print line
    }
    print ""
    inside = 1
    next
}

/^<!-- measured: end/ {
    ends += inside
    inside = 0
}

!inside {
    print
}

END {
    if (begins != 1 || ends != 1) {
        print FILENAME ": not one pair of markers `<!-- measured: begin -->`," \
            " `<!-- measured: end -->`" >"/dev/stderr"
        exit 1
    }
}
