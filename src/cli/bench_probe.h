/* SPDX-License-Identifier: Apache-2.0 */
/* Latencies of `theater bench`: the probe that takes them, and the histogram
 * that keeps them. */
#ifndef TH_CLI_BENCH_PROBE_H
#define TH_CLI_BENCH_PROBE_H

#include <theater/handler.h>

#include <stdatomic.h>

/* --- bench_histogram.c: log-linear, 1.6 % ------------------------------- */

enum {
    BENCH_SUB_BITS = 6, /* 64 buckets for each power of two */
    BENCH_BUCKETS = (64 - BENCH_SUB_BITS + 1) << BENCH_SUB_BITS,
};

/* Threads: recording: any, at once; reading: when nobody records. */
struct bench_histogram {
    _Atomic uint64_t count[BENCH_BUCKETS];
    _Atomic uint64_t max;
};

void bench_histogram_record(struct bench_histogram *histogram, uint64_t value);
/* Adds all that `from` holds. */
void bench_histogram_add(struct bench_histogram *histogram,
                         const struct bench_histogram *from);
uint64_t bench_histogram_total(const struct bench_histogram *histogram);
/* The value below which `share` (0 to 1) of all lie: the upper end of its
 * bucket, the maximum at most. 0 when there are none. */
uint64_t bench_histogram_at(const struct bench_histogram *histogram,
                            double share);

/* --- bench_probe.c: latencies, seen from outside the actors -------------- */

enum {
    BENCH_OWNERS = 1024,
    BENCH_TAGS = 8,
    /* One message in so many: of a sender, of a broadcaster, of one peer to
     * one of the first eight. With 8 tags none is under way twice: a mailbox
     * holds 1,000. */
    BENCH_SAMPLE = 1024,
    BENCH_BROADCAST_SAMPLE = 128,
    BENCH_PEER_SAMPLE = 64,
};

/* Who sends says `begin`, who handles says `end`, with the same owner (the
 * sender's number) and tag. Owners beyond the first 1,024 are not sampled. */
struct bench_probe {
    const theater_env_t *env;
    bool many; /* one `begin`, an `end` for each of many receivers */
    struct bench_histogram histogram;
    _Atomic uint64_t began_ns[BENCH_OWNERS][BENCH_TAGS]; /* 0: not under way */
};

/* NULL: no memory. */
struct bench_probe *bench_probe_new(const theater_env_t *env);
void bench_probe_delete(struct bench_probe *probe);
/* Forgets what was under way, keeps the histogram. */
void bench_probe_restart(struct bench_probe *probe, bool many);
void bench_probe_begin(struct bench_probe *probe, uint64_t owner, uint64_t tag);
void bench_probe_end(struct bench_probe *probe, uint64_t owner, uint64_t tag);
/* The handler "bench", which gives both to guests; its prototype is the
 * probe, which stays the caller's. */
const theater_handler_ops_t *bench_probe_ops(void);

#endif
