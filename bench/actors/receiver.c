/* SPDX-License-Identifier: Apache-2.0 */
/* Checks and counts what it gets, by `send` or on channels. With MANY it
 * tells senders apart by their number; else it has one. With LISTENER that is
 * a broadcaster. */
#include "bench_actor.h"

#ifdef LISTENER
enum { SAMPLE = BENCH_BROADCAST_SAMPLE };
#else
enum { SAMPLE = BENCH_SAMPLE };
#endif

#ifdef MANY
static uint64_t next[BENCH_SENDERS];
#else
static uint64_t next[1];
#endif

static inline __attribute__((always_inline)) void take(theater_bytes_t data)
{
    if (!bench_received(data)) {
        return;
    }
    uint64_t word = bench_word(data.data);
    uint64_t from = word >> BENCH_SEQUENCE_BITS;
    size_t last = sizeof next / sizeof *next - 1;
    if (last > 0 && from > last) {
        bench.checksum_errors++;
        return;
    }
    uint64_t sequence = word & BENCH_SEQUENCE_MASK;
    bench_in_order(&next[last > 0 ? from : 0], sequence);
    if (sequence % SAMPLE == 0) {
        bench_probe_end((uint32_t)from, (uint32_t)(sequence / SAMPLE));
    }
}

THEATER_HANDLE_SEND(data)
{
    take(data);
}

THEATER_HANDLE_CHANNEL_OPEN(initiator, data)
{
    (void)initiator;
    (void)data;
    return true;
}

THEATER_HANDLE_CHANNEL_MESSAGE(channel, data)
{
    (void)channel;
    take(data);
}

THEATER_HANDLE_CHANNEL_CLOSE(channel)
{
    (void)channel;
    bench.completed++;
}

THEATER_HANDLE_REQUEST(data)
{
    (void)data;
    return bench_report();
}
