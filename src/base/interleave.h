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

/* Seeds of a test: from the environment's THEATER_TEST_SEED on (0), so many as
 * THEATER_TEST_SEEDS says (`usual`). */
uint64_t th_interleave_first_seed(void);
uint64_t th_interleave_seeds(uint64_t usual);

/* --- All schedules of a small case --------------------------------------- *
 * Depth first, the threads being run anew for each schedule. Two steps of
 * different threads that touch different words, or only read, commute; of
 * schedules that differ by that alone one is run (sleep sets: Godefroid,
 * "Partial-Order Methods", 1996). So `run` may share nothing but what is
 * atomic or handed over by it, and must end by itself: it does not wait for
 * others but with pauses.
 *
 * `preemptions` bounds how often a schedule takes the baton from a thread that
 * could go on, where all are too many (then nothing is left out as equal, as
 * the two do not go together). */
enum { TH_INTERLEAVE_ALL = UINT32_MAX };

struct th_interleave_space {
    const char *name;
    unsigned threads;
    uint32_t preemptions; /* TH_INTERLEAVE_ALL: no bound */
    uint64_t most;        /* schedules: more is a bug of the test */
    void (*prepare)(void *world);
    void (*run)(void *world, unsigned who);
    void (*check)(void *world); /* after each; all have ended */
    void *world;
};

struct th_interleave_report {
    uint64_t schedules; /* run to their ends and checked */
    uint64_t equal;     /* begun and found to be equal to one of those */
    uint64_t steps;     /* of all */
    uint64_t longest;   /* steps of one */
};

/* False: more than `most`. A schedule in which nobody gets on is a bug: says
 * which, and aborts. Threads: one at a time. */
bool th_interleave_explore(const struct th_interleave_space *space,
                           struct th_interleave_report *out);

/* --- Places to switch ---------------------------------------------------- */

/* A place to switch; does nothing outside of a run. */
void th_interleave_point(void);
/* The same, before an atomic operation on that word, which writes so many
 * bytes (0: it reads), and after one that writes. */
void th_interleave_access(const volatile void *address, size_t writes);
void th_interleave_written(void);
/* The same, in a loop that waits for others for a moment, or sleeps. True: all
 * others wait, too, so time passes (only where all schedules are tried). */
void th_interleave_pause(void);
bool th_interleave_sleep(void);

/* An environment for code under test: park (returns early, as it may), unpark
 * and yield are places to switch, the clock is virtual and stands still until
 * th_interleave_set_now, random bytes are always the same; the rest is the real
 * one's. First call: before the
 * threads. */
const theater_env_t *th_interleave_env(void);
void th_interleave_set_now(uint64_t now_ns);

#endif
