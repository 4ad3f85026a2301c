/* SPDX-License-Identifier: Apache-2.0 */
/* Requests one after the other until its time is over; the answer must be the
 * question. */
#include "bench_actor.h"

/* False: no more requests can be made. */
static bool ask(theater_bytes_t to, theater_bytes_t question)
{
    theater_mark_t mark = theater_mark();
    theater_bytes_t answer;
    theater_code_t code = theater_request(to, question, &answer, NULL);
    if (code != THEATER_OK) {
        return bench_refused(code);
    }
    bench.sent++;
    bench.completed++;
    if (answer.len != question.len ||
        bench_checksum(answer) != bench_word(question.data + 8)) {
        bench.checksum_errors++;
    } else if (bench_word(answer.data) != bench_word(question.data)) {
        bench.order_errors++;
    }
    theater_release(mark);
    return true;
}

THEATER_RUN()
{
    uint64_t start_ms = theater_now_ms();
    uint64_t deadline_ms = start_ms + bench_duration_ms();
    uint64_t limit = bench_number("count", UINT64_MAX);
    size_t len = (size_t)bench_number("payload", 64);
    theater_bytes_t to = bench_target();
    if (len < BENCH_SMALLEST) {
        bench.flags |= BENCH_MISCONFIGURED;
    }
    if ((bench.flags & BENCH_MISCONFIGURED) != 0) {
        theater_log_error("bench: wrong settings");
        return;
    }
    uint64_t *message = bench_message(len);
    uint64_t base = bench_base(message, len);
    uint32_t number = (uint32_t)bench_own_number();
    uint64_t asked = 0;
    do {
        bench_stamp(message, base, asked);
        if (asked % 8 == 0) {
            bench_probe_begin(number, 0);
        }
        if (asked == limit || !ask(to, theater_bytes(message, len))) {
            break;
        }
        if (asked % 8 == 0) {
            bench_probe_end(number, 0);
        }
        asked++;
    } while (asked % 16 != 0 || theater_now_ms() < deadline_ms);
    bench_finish(start_ms);
}

THEATER_HANDLE_REQUEST(data)
{
    (void)data;
    return bench_report();
}
