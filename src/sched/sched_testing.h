/* SPDX-License-Identifier: Apache-2.0 */
/* For the tests of this folder: bounded waits and short ways to a scheduler. */
#ifndef TH_SCHED_SCHED_TESTING_H
#define TH_SCHED_SCHED_TESTING_H

#include "sched/internal.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <cmocka.h>

#define MS UINT64_C(1000000)
#define BOUND (20000 * MS) /* no test waits for longer */

static inline struct th_sched *open_sched(const theater_env_t *env,
                                          unsigned workers)
{
    struct th_sched_options options = {.env = env, .workers = workers};
    struct th_sched *sched = NULL;
    assert_int_equal(th_sched_new(&options, &sched), THEATER_OK);
    return sched;
}

static inline uint64_t after(const theater_env_t *env, uint64_t ns)
{
    return th_now(env) + ns;
}

static inline uint64_t get(const _Atomic uint64_t *value)
{
    return atomic_load_explicit(value, memory_order_acquire);
}

static inline uint64_t bump(_Atomic uint64_t *value)
{
    return atomic_fetch_add_explicit(value, 1, memory_order_acq_rel) + 1;
}

/* Waits for the value; false: it did not come in time. */
static inline bool reaches(const theater_env_t *env, _Atomic uint64_t *value,
                           uint64_t at_least)
{
    static _Atomic uint32_t never;
    uint64_t deadline = after(env, BOUND);

    while (get(value) < at_least) {
        if (th_now(env) > deadline) {
            return false;
        }
        env->park(env->ctx, &never, 0, after(env, MS / 10));
    }
    return true;
}

static inline void assert_quiet(struct th_sched *sched)
{
    assert_int_equal(th_sched_wait_quiet(sched, after(sched->env, BOUND)),
                     THEATER_OK);
}

static inline struct th_sched_stats total_stats(struct th_sched *sched)
{
    struct th_sched_stats all = {0};
    for (unsigned i = 0; i < th_sched_workers(sched); i++) {
        struct th_sched_stats one;
        th_sched_stats(sched, i, &one);
        all.runs += one.runs;
        all.wakes += one.wakes;
        all.injected += one.injected;
        all.steals += one.steals;
        all.stolen += one.stolen;
        all.parks += one.parks;
        all.unparks += one.unparks;
    }
    return all;
}

#endif
