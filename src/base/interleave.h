/* SPDX-License-Identifier: Apache-2.0 */
/* For tests: seeded interleavings of real threads. They run one at a time; at
 * each atomic operation, park and yield a seed chooses who goes on. The same
 * seed gives the same run. What is explored is every order of the operations
 * as they stand in the code, not what weaker memory allows beyond that: that
 * is argued in comments and watched by the thread sanitizer.
 *
 * The sources under test are compiled with `-include
 * base/interleave_atomics.h`, and without the object library that they come
 * from: see tests/interleave/. The product's code is not touched. */
#ifndef TH_BASE_INTERLEAVE_H
#define TH_BASE_INTERLEAVE_H

#include "base/base.h"

enum { TH_INTERLEAVE_THREADS = 8 };

struct th_interleave {
    uint64_t seed;                          /* chooses the schedule */
    unsigned threads;                       /* 1 .. TH_INTERLEAVE_THREADS */
    void (*run)(void *world, unsigned who); /* each thread's part */
    void *world;                            /* of run */
};

/* Runs the threads to their ends. Answers a hash of the schedule, so that a
 * test can count how many different ones it saw. A schedule that does not end
 * (nobody gets on after very many steps) is a bug: says the seed and aborts.
 * Threads: one at a time. */
uint64_t th_interleave_run(const struct th_interleave *plan);

/* A place to switch; does nothing outside of th_interleave_run. */
void th_interleave_point(void);

/* An environment for code under test: park (returns early, as it may), unpark
 * and yield are places to switch, the clock is virtual and stands still until
 * th_interleave_set_now; the rest is the real one's. First call: before the
 * threads. */
const theater_env_t *th_interleave_env(void);
void th_interleave_set_now(uint64_t now_ns);

#endif
