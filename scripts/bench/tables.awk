# SPDX-License-Identifier: Apache-2.0
# The tables of docs/benchmarks.md, in Markdown:
#   awk -f json.awk -f tables.awk FILE
# from what scripts/bench.sh has collected: lines of `theater bench --json`, `about NAME TEXT`, and
# `floor before|after PAIRS MILLIONS`. Fails when anything is missing or lost.

function grouped(number,   text, out, sign) {
    text = sprintf("%.0f", number)
    sign = sub(/^-/, "", text) ? "-" : ""
    out = ""
    while (length(text) > 3) {
        out = "," substr(text, length(text) - 2) out
        text = substr(text, 1, length(text) - 3)
    }
    return sign text out
}

# Three digits that count.
function short(number,   size) {
    size = number < 0 ? -number : number
    if (size >= 100 || size == 0) {
        return grouped(number)
    }
    return sprintf(size >= 10 ? "%.1f" : size >= 1 ? "%.2f" : size >= 0.1 ? \
        "%.3f" : "%.4f", number)
}

function has(id, key) {
    return (id, key) in figure
}

function get(id, key) {
    if (!has(id, key)) {
        print "tables: no " key " of " id >"/dev/stderr"
        broken = 1
        return 0
    }
    return figure[id, key]
}

# "7.64 (7.22 to 8.13)"
function spread(id, key, divisor) {
    return sprintf("%s (%s to %s)", short(get(id, key) / divisor),
        short(get(id, key "_min") / divisor),
        short(get(id, key "_max") / divisor))
}

function us(id, key) {
    return short(get(id, key) / 1000)
}

function latency(id) {
    return us(id, "p50") " / " us(id, "p99") " / " us(id, "p999") " / " \
        us(id, "max")
}

# A row of rates: what, and its name in the results.
function rates(what, id,   pairs, of, floor) {
    of = ""
    floor = ""
    pairs = id
    if (sub(/^pairs\//, "", pairs) && sub(/\/64$/, "", pairs) &&
        floors[pairs] > 0) {
        floor = floor_sum[pairs] / floors[pairs]
        of = short(get("wasm/" id, "rate_per_s") / 1e6 / floor)
        floor = short(floor)
    }
    printf "| %s | %s | %s |", what, spread("wasm/" id, "rate_per_s", 1e6),
        short(get("wasm/" id, "cpu_ns_each"))
    if (with_floor) {
        printf " %s | %s |", of, floor
    }
    printf " %s | %s |\n", spread("native/" id, "rate_per_s", 1e6),
        short(get("native/" id, "cpu_ns_each"))
}

function latencies(what, id) {
    printf "| %s | %s | %s |\n", what, latency("wasm/" id),
        latency("native/" id)
}

function both(what, id, key, divisor) {
    printf "| %s | %s | %s |\n", what, spread("wasm/" id, key, divisor),
        spread("native/" id, key, divisor)
}

/^about / {
    name = $2
    sub(/^about [a-z]+ /, "")
    about[name] = $0
    next
}

/^floor / {
    floor_sum[$3] += $4
    floors[$3]++
    with_floor = 1
    next
}

/^\{/ {
    id = value("engine") "/" value("workload") "/" value("actors") "/" \
        value("payload_bytes")
    n = split("rate_per_s cpu_ns_each bytes_per_actor slowest_to_mean " \
        "gb_per_s growth_bytes all_answered_ms wake_p50_ns " \
        "futex_wake_p50_ns wake_to_futex bystander_share one_worker_per_s " \
        "scale empty_cache_ms full_cache_ms", keys, " ")
    for (i = 1; i <= n; i++) {
        if (value(keys[i]) != "") {
            figure[id, keys[i]] = value(keys[i])
            figure[id, keys[i] "_min"] = value(keys[i] "_min")
            figure[id, keys[i] "_max"] = value(keys[i] "_max")
        }
    }
    n = split("p50 p99 p999 max", keys, " ")
    for (i = 1; i <= n; i++) {
        if (value(keys[i]) != "") {
            figure[id, keys[i]] = value(keys[i])
        }
    }
    sent += value("sent")
    delivered += value("delivered")
    dead += value("dead_letters")
    lost += value("lost") + value("errors")
    next
}

END {
    if (lost > 0) {
        print "tables: " lost " messages were lost" >"/dev/stderr"
        exit 1
    }
    printf "%s, %s; %s; commit %s, %s.\n", about["machine"], about["system"],
        about["compiler"], about["commit"], about["date"]
    printf "`theater bench WORKLOAD [--native] [--actors N] --seconds %s " \
        "--repeat %s`, payloads of 64 bytes where nothing else is said, the " \
        "machine's load before: %s.", about["seconds"], about["repeat"],
        about["load"]
    if (with_floor) {
        printf " The *floor* is a program of nothing but the engine, a queue " \
            "and the copies, measured before and after (mean of both)."
    }
    printf "\nSent %s, delivered %s, dead letters %s, lost 0.\n\n",
        grouped(sent), grouped(delivered), grouped(dead)

    printf "| million a second | WASM: median (least to greatest) | " \
        "processor, ns |%s native | processor, ns |\n| --- | --- | --- |%s " \
        "--- | --- |\n", with_floor ? " of the floor | floor |" : "",
        with_floor ? " --- | --- |" : ""
    rates("`pairs` 1", "pairs/1/64")
    rates("`pairs` 10", "pairs/10/64")
    rates("`pairs` 100", "pairs/100/64")
    rates("`pairs` 1,000", "pairs/1000/64")
    rates("`pairs` 10,000", "pairs/10000/64")
    rates("`ping-pong`, round trips", "ping-pong/1/64")
    rates("`request` 1", "request/1/64")
    rates("`request` 100", "request/100/64")
    rates("`flood` 100", "flood/100/64")
    rates("`ring` 1,000, hops", "ring/1000/64")
    rates("`all-to-all` 100", "all-to-all/100/64")
    rates("`broadcast` 1,000, 1 KiB", "broadcast/1000/1024")
    rates("`channel` 64 B", "channel/1/64")
    rates("`channel` 64 KiB", "channel/1/65536")

    printf "\n| p50 / p99 / p99.9 / max, us | WASM | native |\n" \
        "| --- | --- | --- |\n"
    latencies("`request` 1", "request/1/64")
    latencies("`request` 100", "request/100/64")
    latencies("`ping-pong`, a round trip", "ping-pong/1/64")
    latencies("`pairs` 1, in the queue", "pairs/1/64")
    latencies("`pairs` 1,000, in the queue", "pairs/1000/64")
    latencies("`wake`", "wake/1/64")

    printf "\n| other | WASM | native |\n| --- | --- | --- |\n"
    both("`spawn` 20,000, thousand actors a second", "spawn/20000/16",
        "rate_per_s", 1e3)
    printf "| `memory`, bytes for each idle actor | %s (of 100,000) | %s " \
        "(of 1,000,000) |\n", grouped(get("wasm/memory/100000/16",
        "bytes_per_actor")), grouped(get("native/memory/1000000/16",
        "bytes_per_actor"))
    printf "| `memory`, ms until all of those have answered once more | %s " \
        "| %s |\n", short(get("wasm/memory/100000/16", "all_answered_ms")),
        short(get("native/memory/1000000/16", "all_answered_ms"))
    both("`channel` 64 KiB, GB/s", "channel/1/65536", "gb_per_s", 1)
    both("`wake`, times the p50 of a bare futex wake", "wake/1/64",
        "wake_to_futex", 1)
    both("`scale` 100, times the rate of one worker", "scale/100/64", "scale",
        1)
    both("`flood` 100, share that a bystander keeps", "flood/100/64",
        "bystander_share", 1)
    both("`flood` 100, KiB more memory while measured", "flood/100/64",
        "growth_bytes", 1024)
    both("`pairs` 1,000, the slowest pair's share of the mean",
        "pairs/1000/64", "slowest_to_mean", 1)
    both("`pairs` 1,000, bytes for each actor, queued messages included",
        "pairs/1000/64", "bytes_per_actor", 1)
    printf "| `start`, ms to the first pong, empty cache | %s | |\n",
        spread("wasm/start/2/16", "empty_cache_ms", 1)
    printf "| `start`, full cache | %s | |\n",
        spread("wasm/start/2/16", "full_cache_ms", 1)
    exit broken
}
