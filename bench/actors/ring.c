/* SPDX-License-Identifier: Apache-2.0 */
/* One place in a ring: hands on each message that it gets. The actor with
 * `start=1` puts `tokens` messages in, counts the laps, and takes the
 * messages out when its time is over. Two actors are ping-pong. */
#include "bench_actor.h"

enum { TOKENS = 64 };

static theater_bytes_t to;
static uint64_t last_hop[TOKENS];
static uint64_t start_ms;
static uint64_t deadline_ms;
static uint64_t check_at;
static bool ready;
static bool starter;
static bool alone; /* one message in all: laps are timed */
static uint32_t number;

static void get_ready(void)
{
    to = bench_target();
    starter = bench_number("start", 0) != 0;
    alone = bench_number("tokens", 1) == 1;
    number = (uint32_t)bench_own_number();
    start_ms = theater_now_ms();
    deadline_ms = start_ms + bench_duration_ms();
    ready = true;
}

static void hand_on(theater_bytes_t data)
{
    theater_code_t code;
    while ((code = theater_send(to, data, NULL)) != THEATER_OK) {
        if (!bench_refused(code)) {
            return;
        }
    }
    bench.sent++;
}

/* Asks the clock every 128 laps only. */
static bool is_over(void)
{
    if ((bench.flags & BENCH_FINISHED) == 0 && bench.completed >= check_at) {
        check_at = bench.completed + 128;
        if (theater_now_ms() >= deadline_ms) {
            bench_finish(start_ms);
        }
    }
    return (bench.flags & BENCH_FINISHED) != 0;
}

THEATER_RUN()
{
    get_ready();
    size_t len = (size_t)bench_number("payload", 64);
    uint64_t tokens = bench_number("tokens", 1);
    if (len < BENCH_SMALLEST || tokens > TOKENS) {
        bench.flags |= BENCH_MISCONFIGURED;
    }
    if (!starter || (bench.flags & BENCH_MISCONFIGURED) != 0) {
        return;
    }
    uint64_t *message = bench_message(len);
    uint64_t base = bench_base(message, len);
    for (uint64_t i = 0; i < tokens; i++) {
        bench_stamp(message, base, i << BENCH_SEQUENCE_BITS | 1);
        hand_on(theater_bytes(message, len));
    }
}

THEATER_HANDLE_SEND(data)
{
    if (__builtin_expect(!ready, 0)) {
        get_ready();
    }
    if (!bench_received(data)) {
        return;
    }
    uint64_t word = bench_word(data.data);
    uint64_t token = word >> BENCH_SEQUENCE_BITS;
    uint64_t hop = word & BENCH_SEQUENCE_MASK;
    if (token >= TOKENS || hop <= last_hop[token]) {
        bench.order_errors++;
        return;
    }
    last_hop[token] = hop;
    if (starter) {
        bench.completed++;
        if (alone && bench.completed % 16 == 1) {
            bench_probe_end(number, 0);
        }
        if (is_over()) {
            return;
        }
        if (alone && bench.completed % 16 == 0) {
            bench_probe_begin(number, 0);
        }
    }
    /* Received memory is the actor's own: the stamp is changed in place. */
    uint64_t stamp[2] = {word + 1, bench_word(data.data + 8) + 1};
    __builtin_memcpy((uint8_t *)(uintptr_t)data.data, stamp, sizeof stamp);
    hand_on(data);
}

THEATER_HANDLE_REQUEST(data)
{
    (void)data;
    return bench_report();
}
