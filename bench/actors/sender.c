/* SPDX-License-Identifier: Apache-2.0 */
/* Sends stamped messages to one target in bursts, until its time is over or
 * the target is gone: by `send`, or on a channel where `channel=1`. */
#include "bench_actor.h"

static theater_bytes_t to;
static uint64_t number;

/* One message, again until it is accepted; false: the end. */
static bool send_one(bool channel, theater_bytes_t data)
{
    for (;;) {
        theater_code_t code = channel ? theater_send_on_channel(to, data, NULL)
                                      : theater_send(to, data, NULL);
        if (__builtin_expect(code == THEATER_OK, 1)) {
            bench.sent++;
            return true;
        }
        if (!bench_refused(code)) {
            return false;
        }
    }
}

static void send_until(uint64_t deadline_ms, bool channel, size_t len)
{
    uint64_t burst = bench_number("burst", 64);
    uint64_t limit = bench_number("count", UINT64_MAX);
    uint64_t *message = bench_message(len);
    uint64_t base = bench_base(message, len);
    uint64_t word = number << BENCH_SEQUENCE_BITS;
    do {
        for (uint64_t i = 0; i < burst; i++) {
            bench_stamp(message, base, word + bench.sent);
            if (bench.sent % BENCH_SAMPLE == 0) {
                bench_probe_begin((uint32_t)number,
                                  (uint32_t)(bench.sent / BENCH_SAMPLE));
            }
            if (bench.sent == limit ||
                !send_one(channel, theater_bytes(message, len))) {
                return;
            }
        }
    } while (theater_now_ms() < deadline_ms);
}

THEATER_RUN()
{
    uint64_t start_ms = theater_now_ms();
    uint64_t deadline_ms = start_ms + bench_duration_ms();
    size_t len = (size_t)bench_number("payload", 64);
    bool channel = bench_number("channel", 0) != 0;
    number = bench_number("id", bench_own_number());
    to = bench_target();
    if (len < BENCH_SMALLEST || number >> 24 != 0) {
        bench.flags |= BENCH_MISCONFIGURED;
    }
    if ((bench.flags & BENCH_MISCONFIGURED) != 0) {
        theater_log_error("bench: wrong settings");
    } else if (channel) {
        theater_code_t code =
            theater_open_channel(to, theater_str(""), &to, NULL);
        if (code == THEATER_OK) {
            send_until(deadline_ms, true, len);
            theater_close_channel(to, NULL);
        } else {
            bench_refused(code);
        }
    } else {
        send_until(deadline_ms, false, len);
    }
    bench_finish(start_ms);
}

THEATER_HANDLE_REQUEST(data)
{
    (void)data;
    return bench_report();
}
