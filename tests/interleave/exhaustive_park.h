/* SPDX-License-Identifier: Apache-2.0 */
/* Sleep, for schedules that are all tried: whoever parks is woken by nothing
 * but an unpark, and time passes only where nothing else can. So a wake that is
 * lost ends in a schedule in which nobody gets on. One per program. */
#ifndef TH_TESTS_INTERLEAVE_EXHAUSTIVE_PARK_H
#define TH_TESTS_INTERLEAVE_EXHAUSTIVE_PARK_H

#include "exhaustive.h"

enum { THREADS = 3 };

static _Atomic(const void *) parked[THREADS]; /* the word that it sleeps on */
static _Thread_local unsigned self;

/* As the kernel: the look at the word and going to sleep are one step. */
static inline void park(void *ctx, const void *word, uint32_t expected,
                        uint64_t deadline_ns)
{
    (void)ctx;
    atomic_store_explicit(&parked[self], word, memory_order_relaxed);
    th_interleave_point();
    if (*(const volatile uint32_t *)word != expected) {
        atomic_store_explicit(&parked[self], NULL, memory_order_relaxed);
        return;
    }
    while (atomic_load_explicit(&parked[self], memory_order_relaxed) != NULL) {
        if (th_interleave_sleep() && deadline_ns != THEATER_NEVER) {
            th_interleave_set_now(deadline_ns);
            atomic_store_explicit(&parked[self], NULL, memory_order_relaxed);
        }
    }
}

static inline void unpark(void *ctx, const void *word, uint32_t count)
{
    (void)ctx;
    for (unsigned i = 0; i < THREADS && count > 0; i++) {
        if (atomic_load_explicit(&parked[i], memory_order_relaxed) == word) {
            atomic_store_explicit(&parked[i], NULL, memory_order_relaxed);
            count--;
        }
    }
}

static inline theater_env_t env_that_parks(void)
{
    theater_env_t env = *th_interleave_env();
    memset(parked, 0, sizeof parked);
    env.park = park;
    env.unpark = unpark;
    return env;
}

#endif
