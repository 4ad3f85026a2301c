# SPDX-License-Identifier: Apache-2.0
# What each function costs itself, without what it calls, from a file of
# callgrind: `INSTRUCTIONS<tab>FUNCTION` lines. Parts that the compiler split off
# (.isra, .part, ...) and recursion count for the function itself; code without
# a name is that of its file, or of compiled actors and stubs.

# "(3) name" defines a number, "(3)" stands for it.
function known(table, text,   id) {
    id = text
    sub(/\).*/, ")", id)
    sub(/^\([0-9]+\) ?/, "", text)
    if (text != "") {
        table[id] = text
    }
    return id
}

function label(fn, file) {
    if (fn !~ /^0x/) {
        sub(/'[0-9]+$/, "", fn)
        sub(/\.(isra|part|constprop|cold)\..*$/, "", fn)
        return fn
    }
    sub(/^.*\//, "", file)
    sub(/\.so.*$/, "", file)
    return file == "" || file == "???" ? "(compiled actors, stubs)" : "(in " file ")"
}

/^c?ob=/ {
    called = /^c/
    sub(/^c?ob=/, "")
    id = known(objects, $0)
    if (!called) {
        object = objects[id]
    }
    next
}

/^fn=/ {
    sub(/^fn=/, "")
    id = known(functions, $0)
    current = label(functions[id], object)
    next
}

/^cfn=/ {
    sub(/^cfn=/, "")
    known(functions, $0)
    next
}

# The line after it is what the called function cost.
/^calls=/ {
    skip = 1
    next
}

/^[0-9+*-]/ {
    if (!skip) {
        cost[current] += $2
    }
    skip = 0
}

END {
    for (name in cost) {
        printf "%d\t%s\n", cost[name], name
    }
}
