/* SPDX-License-Identifier: Apache-2.0 */
/* Design notes. Values below 64 have a bucket each; above, every power of two
 * is cut into 64 equal buckets, so that a value is known to 1.6 %. Recording
 * is one addition; totals are made when they are asked for.
 *
 * All accesses are relaxed: nothing travels with a count, and who reads them
 * has seen the recording threads come to rest. */
#include "cli/bench_probe.h"

#define SUB ((uint64_t)1 << BENCH_SUB_BITS)

static size_t bucket_of(uint64_t value)
{
    if (value < SUB) {
        return (size_t)value;
    }
    unsigned shift = 63 - (unsigned)__builtin_clzll(value) - BENCH_SUB_BITS;
    return (size_t)(((uint64_t)shift << BENCH_SUB_BITS) + (value >> shift));
}

/* The greatest value of a bucket. */
static uint64_t end_of(size_t bucket)
{
    if (bucket < SUB * 2) {
        return bucket;
    }
    unsigned shift = (unsigned)(bucket >> BENCH_SUB_BITS) - 1;
    uint64_t top = bucket - ((uint64_t)shift << BENCH_SUB_BITS);
    return ((top + 1) << shift) - 1;
}

void bench_histogram_record(struct bench_histogram *histogram, uint64_t value)
{
    atomic_fetch_add_explicit(&histogram->count[bucket_of(value)], 1,
                              memory_order_relaxed);
    uint64_t max = atomic_load_explicit(&histogram->max, memory_order_relaxed);
    while (value > max && !atomic_compare_exchange_weak_explicit(
                              &histogram->max, &max, value,
                              memory_order_relaxed, memory_order_relaxed)) {
    }
}

void bench_histogram_add(struct bench_histogram *histogram,
                         const struct bench_histogram *from)
{
    uint64_t max = atomic_load_explicit(&from->max, memory_order_relaxed);
    for (size_t i = 0; i < BENCH_BUCKETS; i++) {
        atomic_fetch_add_explicit(
            &histogram->count[i],
            atomic_load_explicit(&from->count[i], memory_order_relaxed),
            memory_order_relaxed);
    }
    if (max > atomic_load_explicit(&histogram->max, memory_order_relaxed)) {
        atomic_store_explicit(&histogram->max, max, memory_order_relaxed);
    }
}

uint64_t bench_histogram_total(const struct bench_histogram *histogram)
{
    uint64_t total = 0;
    for (size_t i = 0; i < BENCH_BUCKETS; i++) {
        total +=
            atomic_load_explicit(&histogram->count[i], memory_order_relaxed);
    }
    return total;
}

uint64_t bench_histogram_at(const struct bench_histogram *histogram,
                            double share)
{
    uint64_t total = bench_histogram_total(histogram);
    uint64_t max = atomic_load_explicit(&histogram->max, memory_order_relaxed);
    uint64_t wanted = (uint64_t)((double)total * share);
    uint64_t seen = 0;
    if (wanted >= total) {
        return max;
    }
    for (size_t i = 0; i < BENCH_BUCKETS; i++) {
        seen +=
            atomic_load_explicit(&histogram->count[i], memory_order_relaxed);
        if (seen > wanted) {
            return end_of(i) < max ? end_of(i) : max;
        }
    }
    return max;
}
