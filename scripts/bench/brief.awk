# SPDX-License-Identifier: Apache-2.0
# One line for people from each line of `theater bench --json`:
#   awk -f json.awk -f brief.awk FILE
function add(key, unit, decimals) {
    if (value(key) != "") {
        line = line sprintf(", %." decimals "f %s", value(key), unit)
    }
}

{
    line = sprintf("%-10s %-6s %7d", value("workload"), value("engine"),
        value("actors"))
    if (value("rate_per_s") != "") {
        line = line sprintf(" %11.0f a second (%.0f to %.0f)",
            value("rate_per_s"), value("rate_per_s_min"),
            value("rate_per_s_max"))
    }
    add("gb_per_s", "GB/s", 2)
    add("bytes_per_actor", "bytes each", 0)
    add("all_answered_ms", "ms", 0)
    add("wake_to_futex", "of a bare wake", 2)
    add("bystander_share", "left to a bystander", 2)
    add("scale", "times one worker", 2)
    add("empty_cache_ms", "ms with an empty cache", 0)
    add("full_cache_ms", "with a full one", 0)
    print line
}
