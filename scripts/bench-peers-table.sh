#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# Makes the table of `make bench-peers` from what was recorded:
#   scripts/bench-peers-table.sh RECORDS > TABLE
#
# RECORDS has lines with fields separated by tabs:
#   note    TEXT                    stands above the table
#   system  ID  TITLE               a column, in this order
#   run     WORKLOAD N  ID  RESULT  one repeat; RESULT is what a peer's program
#                                   prints, or `failed`
# The result: RATE [P50_NS P99_NS P999_NS] LOST. A cell is the median of the
# repeats. The last columns say where Theater stands: above 1 is ahead. Exit
# code 1 when anything was lost or failed, with a line for each at the end.
set -euo pipefail
[ $# -eq 1 ] || {
    echo "usage: scripts/bench-peers-table.sh RECORDS" >&2
    exit 2
}
LC_ALL=C awk -F '\t' '
function median(list,   at, n, i, j, swap) {
    n = split(list, at, " ")
    for (i = 2; i <= n; i++) {
        for (j = i; j > 1 && at[j - 1] + 0 > at[j] + 0; j--) {
            swap = at[j]; at[j] = at[j - 1]; at[j - 1] = swap
        }
    }
    return n % 2 ? at[(n + 1) / 2] : (at[n / 2] + at[n / 2 + 1]) / 2
}

# Three digits that count.
function figure(value) {
    return sprintf(value < 10 ? "%.2f" : value < 100 ? "%.1f" : "%.0f", value)
}

function title(row,   part, what) {
    split(row, part, SUBSEP)
    what = "million messages/s"
    if (part[1] == "request") what = "million requests/s"
    if (part[1] == "ping-pong") what = "million round trips/s"
    if (part[1] == "ring") what = "million hops/s"
    if (part[1] == "spawn") what = "thousand actors/s"
    if (part[1] == "memory") what = "bytes per idle actor"
    return "`" part[1] "` " part[2] ", " what
}

function cell(row, id,   value) {
    if (failed[row, id]) return "failed"
    if (!((row, id) in rates)) return ""
    value = median(rates[row, id])
    if (row ~ /^memory/) return sprintf("%.0f", value)
    return figure(value / (row ~ /^spawn/ ? 1e3 : 1e6))
}

# How many times `own` is ahead of `other`: less memory is.
function ahead(row, own, other,   a, b) {
    if (failed[row, own] || failed[row, other] ||
        !((row, own) in rates) || !((row, other) in rates)) return 0
    a = median(rates[row, own])
    b = median(rates[row, other])
    if (row ~ /^memory/) return a > 0 ? b / a : 0
    return b > 0 ? a / b : 0
}

function against_peers(row, own,   i, least, one) {
    least = 0
    for (i = 1; i <= systems; i++) {
        if (order[i] ~ /^(theater|theater-native|floor)$/) continue
        one = ahead(row, own, order[i])
        if (one > 0 && (least == 0 || one < least)) least = one
    }
    return least
}

function ratio(value) {
    return value > 0 ? sprintf("%.2f", value) : ""
}

function latency(row, id,   p, text) {
    if (!((row, id, 1) in latencies)) return ""
    for (p = 1; p <= 3; p++) {
        text = text (p > 1 ? " / " : "") \
            sprintf("%.2f", median(latencies[row, id, p]) / 1e3)
    }
    return text
}

function line(first, values,   i, text) {
    text = "| " first " |"
    for (i = 1; i <= systems + extra; i++) {
        text = text " " values[i] " |"
    }
    print text
}

$1 == "note" { print $2; next }
$1 == "system" { order[++systems] = $2; name[$2] = $3; next }
$1 == "run" && NF == 5 {
    row = $2 SUBSEP $3
    if (!(row in known)) { known[row] = 1; rows[++rows_len] = row }
    runs++
    n = split($5, field, " ")
    shape = $5 ~ /^[0-9.]+( [0-9]+ [0-9]+ [0-9]+)? -?[0-9]+$/
    if (!shape) {
        failed[row, $4] = 1
        bad[++bad_len] = name[$4] ": `" $2 "` " $3 " failed"
        next
    }
    rates[row, $4] = rates[row, $4] " " field[1]
    if (field[n] != 0) {
        bad[++bad_len] = name[$4] ": `" $2 "` " $3 " lost " field[n]
    } else if (field[1] == 0) {
        bad[++bad_len] = name[$4] ": `" $2 "` " $3 " measured nothing: the" \
            " time was too short for it"
    }
    if (n == 5) {
        timed[row] = 1
        for (p = 1; p <= 3; p++) {
            latencies[row, $4, p] = latencies[row, $4, p] " " field[p + 1]
        }
    }
    next
}
{ bad[++bad_len] = "line " FNR " of the records is not understood" }

END {
    for (i = 1; i <= systems; i++) {
        head[i] = name[order[i]]
        rule[i] = "---"
    }
    if ("floor" in name) {
        of_floor = systems + ++extra
        head[of_floor] = "WASM : floor"
    }
    for (i = 1; i <= systems; i++) {
        if (order[i] !~ /^(theater|theater-native|floor)$/) peers++
    }
    if (peers && "theater" in name) {
        wasm_ahead = systems + ++extra
        head[wasm_ahead] = "WASM : best peer"
    }
    if (peers && "theater-native" in name) {
        native_ahead = systems + ++extra
        head[native_ahead] = "native : best peer"
    }
    for (i = systems + 1; i <= systems + extra; i++) rule[i] = "---"
    print ""
    line("workload", head)
    line("---", rule)
    for (r = 1; r <= rows_len; r++) {
        row = rows[r]
        for (i = 1; i <= systems; i++) values[i] = cell(row, order[i])
        if (of_floor) values[of_floor] = ratio(ahead(row, "theater", "floor"))
        if (wasm_ahead) {
            values[wasm_ahead] = ratio(against_peers(row, "theater"))
        }
        if (native_ahead) {
            values[native_ahead] = ratio(against_peers(row, "theater-native"))
        }
        line(title(row), values)
        split(row, part, SUBSEP)
        if (row in timed && part[2] == 1) {
            for (i = 1; i <= systems; i++) values[i] = latency(row, order[i])
            for (; i <= systems + extra; i++) values[i] = ""
            line("`" part[1] "` " part[2] ", p50 / p99 / p99.9, us", values)
        }
    }
    print ""
    if (runs == 0) bad[++bad_len] = "there are no runs"
    if (bad_len == 0) {
        print "Nothing was lost in " runs " runs."
        exit 0
    }
    for (i = 1; i <= bad_len; i++) print "- " bad[i]
    print bad_len " of " runs + 0 " runs failed or lost messages."
    exit 1
}' "$1"
