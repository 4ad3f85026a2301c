# SPDX-License-Identifier: Apache-2.0
# What one message costs, from two runs (files of functions.awk: `first`,
# `second`, which handled `more` messages more), against the budget's rows for
# `path`:
#   awk -v path=P -v more=N -v allowed=PERCENT -v allocations=A -v record=0
#       -v note=TEXT -f compare.awk BUDGET first second
# With record=1 prints the rows instead. Exit code 1 when it costs more.
BEGIN {
    FS = "\t"
    OFS = "\t"
}

FNR == 1 {
    file++
}

file == 1 {
    if ($1 == path && $2 == "instructions") {
        budget[$3] = $4
    } else if ($1 == path && $2 == "allocations") {
        most = $4
        has_most = 1
    }
    next
}

file == 2 {
    before[$2] = $1
    next
}

{
    after[$2] = $1
}

function is_less(by, a, b,   x, y) {
    x = sprintf("%.1f", by[a]) + 0
    y = sprintf("%.1f", by[b]) + 0
    return x != y ? x < y : a > b
}

# Names of the functions, the one with the greatest `by` first, equal ones by
# name: from one recording to the next few lines change.
function sort(by, names,   n, i, name) {
    n = 0
    for (name in by) {
        for (i = n++; i > 0 && is_less(by, names[i], name); i--) {
            names[i + 1] = names[i]
        }
        names[i + 1] = name
    }
    return n
}

END {
    for (name in after) {
        each = (after[name] - before[name]) / more
        total += each
        if (each >= 0.9) {
            costs[name] = each
        } else {
            other += each
        }
    }
    if (record) {
        print path, "instructions", "total", sprintf("%.1f", total)
        n = sort(costs, names)
        for (i = 1; i <= n; i++) {
            print path, "instructions", names[i], sprintf("%.1f",
                costs[names[i]])
        }
        print path, "instructions", "(all below 0.9)", sprintf("%.1f", other)
        print path, "allocations", "total", sprintf("%.2f", allocations)
        exit
    }
    if (!("total" in budget) || !has_most) {
        print path ": the budget has no row for it; tests/guard/update.sh " \
            "records one"
        exit 1
    }
    share = (total / budget["total"] - 1) * 100
    printf "%s: %.1f instructions for each message, budget %.1f (%+.1f %%, " \
        "%s %% are allowed%s); %.2f allocations, budget %.2f\n", path, total,
        budget["total"], share, allowed, note, allocations, most
    if (share < -allowed) {
        print "  it costs less than was recorded: tests/guard/update.sh"
    }
    if (share > allowed) {
        failed = 1
        costs["(all below 0.9)"] = other
        for (name in costs) {
            rose[name] = costs[name] - budget[name]
        }
        n = sort(rose, names)
        print "  rose most, for each message:"
        for (i = 1; i <= n && i <= 8 && rose[names[i]] >= 0.5; i++) {
            printf "    %-44s %8.1f -> %8.1f  %+.1f\n", names[i],
                budget[names[i]], costs[names[i]], rose[names[i]]
        }
    }
    if (allocations > most + 0.005) {
        failed = 1
        printf "  %.2f allocations for each message are more than %.2f\n",
            allocations, most
    }
    if (failed) {
        print "  Find out why. If it is meant, tests/guard/update.sh records " \
            "it, and the commit says why."
    }
    exit failed
}
