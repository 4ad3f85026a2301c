/* SPDX-License-Identifier: Apache-2.0 */
/* Broadcasts stamped messages to `prefix`1 ... `prefix`N until its time is
 * over. A broadcast never waits: whoever refused for a full mailbox gets the
 * same message once more by `send`, which waits; so nothing is skipped. */
#include "bench_actor.h"

enum { MOST = 1024 };

static void name_targets(theater_bytes_t *targets, uint64_t count)
{
    theater_bytes_t prefix = theater_str("listener-");
    bench_setting("prefix", &prefix);
    for (uint64_t i = 0; i < count; i++) {
        size_t room = prefix.len + 20;
        theater_text_t text = theater_text(theater_scratch(room), room);
        theater_add_bytes(&text, prefix);
        theater_add_u64(&text, i + 1);
        targets[i] = theater_text_bytes(&text);
    }
}

static bool send_again(theater_bytes_t to, theater_bytes_t data)
{
    theater_code_t code;
    while ((code = theater_send(to, data, NULL)) != THEATER_OK) {
        if (!bench_refused(code)) {
            return false;
        }
    }
    bench.sent++;
    return true;
}

/* False: a target is gone. */
static bool broadcast(const theater_bytes_t *targets, size_t count,
                      theater_bytes_t data)
{
    theater_mark_t mark = theater_mark();
    bool all = true;
    theater_refusals_t refusals = theater_broadcast(targets, count, data);
    for (size_t i = 0; i < count && all; i++) {
        theater_code_t code = theater_refusal(refusals, i);
        if (code == THEATER_OK) {
            bench.sent++;
        } else if (code == THEATER_MAILBOX_FULL) {
            all = send_again(targets[i], data);
        } else {
            all = bench_refused(code);
        }
    }
    theater_release(mark);
    return all;
}

THEATER_RUN()
{
    uint64_t start_ms = theater_now_ms();
    uint64_t deadline_ms = start_ms + bench_duration_ms();
    uint64_t count = bench_number("peers", 10);
    size_t len = (size_t)bench_number("payload", 1024);
    if (count == 0 || count > MOST || len < BENCH_SMALLEST) {
        bench.flags |= BENCH_MISCONFIGURED;
    }
    if ((bench.flags & BENCH_MISCONFIGURED) != 0) {
        theater_log_error("bench: wrong settings");
        return;
    }
    theater_bytes_t *targets = theater_scratch((size_t)count * sizeof *targets);
    name_targets(targets, count);
    uint64_t *message = bench_message(len);
    uint64_t base = bench_base(message, len);
    do {
        bench_stamp(message, base, bench.completed);
        if (bench.completed % BENCH_BROADCAST_SAMPLE == 0) {
            bench_probe_begin(
                0, (uint32_t)(bench.completed / BENCH_BROADCAST_SAMPLE));
        }
        if (!broadcast(targets, (size_t)count, theater_bytes(message, len))) {
            break;
        }
        bench.completed++;
    } while (theater_now_ms() < deadline_ms);
    bench_finish(start_ms);
}

THEATER_HANDLE_REQUEST(data)
{
    (void)data;
    return bench_report();
}
