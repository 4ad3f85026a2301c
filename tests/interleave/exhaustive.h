/* SPDX-License-Identifier: Apache-2.0 */
/* What the tests of all schedules share: run a case, say how many there were.
 * Too many for a test are a failure, not a sample. */
#ifndef TH_TESTS_INTERLEAVE_EXHAUSTIVE_H
#define TH_TESTS_INTERLEAVE_EXHAUSTIVE_H

#include "base/interleave.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>
#include <cmocka.h>

enum { EXPLORE_MOST = 2000000 };

/* The torture's larger cases? 1: in its short form, too. */
static inline bool deep_as(int least)
{
    const char *depth = getenv("THEATER_TEST_DEEP");
    return depth != NULL && atoi(depth) >= least;
}

static inline bool deep(void)
{
    return deep_as(1);
}

/* All schedules in the torture; those with so few preemptions otherwise. */
static inline uint32_t all_or(uint32_t preemptions)
{
    return deep() ? TH_INTERLEAVE_ALL : preemptions;
}

static inline void explore(const char *name, unsigned threads,
                           uint32_t preemptions, void (*prepare)(void *),
                           void (*run)(void *, unsigned), void (*check)(void *),
                           void *world)
{
    struct th_interleave_report report;
    struct th_interleave_space space = {
        name, threads, preemptions, EXPLORE_MOST, prepare, run, check, world};
    assert_true(th_interleave_explore(&space, &report));
    print_message(
        "  %s%s: %llu schedules, %llu equal to one of them, %llu "
        "steps, the longest has %llu\n",
        name, preemptions == TH_INTERLEAVE_ALL ? "" : ", bounded",
        (unsigned long long)report.schedules, (unsigned long long)report.equal,
        (unsigned long long)report.steps, (unsigned long long)report.longest);
    assert_true(report.schedules > 1);
}

static inline void explore_all(const char *name, unsigned threads,
                               void (*prepare)(void *),
                               void (*run)(void *, unsigned),
                               void (*check)(void *), void *world)
{
    explore(name, threads, TH_INTERLEAVE_ALL, prepare, run, check, world);
}

#endif
