/* SPDX-License-Identifier: Apache-2.0 */
/* The exploration of schedules itself: it counts right, leaves out nothing but
 * what is equal, finds a lost update, and says so when nobody gets on. */
#include "base/interleave_atomics.h"

#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/wait.h>
#include <unistd.h>
#include <cmocka.h>

enum { THREADS = 3, STEPS = 3, WORDS = 2, OUTCOMES = 4096 };

struct world {
    _Atomic uint32_t words[WORDS];
    uint32_t found[THREADS][STEPS];
    unsigned checks;
    /* A random program: what each thread does at each step. */
    unsigned program[THREADS][STEPS];
    unsigned steps;
    uint64_t outcomes[OUTCOMES];
    size_t outcomes_len;
};

static void prepare(void *ctx)
{
    struct world *world = ctx;
    for (unsigned i = 0; i < WORDS; i++) {
        atomic_init(&world->words[i], 0);
    }
    memset(world->found, 0, sizeof world->found);
}

static void count(void *ctx)
{
    struct world *world = ctx;
    world->checks++;
}

static struct th_interleave_report explore(struct world *world,
                                           unsigned threads, uint32_t bound,
                                           void (*run)(void *, unsigned),
                                           void (*check)(void *))
{
    struct th_interleave_report report;
    struct th_interleave_space space = {"a case", threads, bound, 100000,
                                        prepare,  run,     check, world};
    assert_true(th_interleave_explore(&space, &report));
    return report;
}

static void write_same(void *ctx, unsigned who)
{
    struct world *world = ctx;
    for (uint32_t i = 0; i < 2; i++) {
        atomic_store_explicit(&world->words[0], who * 2 + i,
                              memory_order_relaxed);
    }
}

static void write_own(void *ctx, unsigned who)
{
    struct world *world = ctx;
    for (uint32_t i = 0; i < 2; i++) {
        atomic_store_explicit(&world->words[who], i, memory_order_relaxed);
    }
}

static void schedules_are_counted(void **state)
{
    static struct world world;
    (void)state;
    struct th_interleave_report all =
        explore(&world, 2, TH_INTERLEAVE_ALL, write_same, count);
    assert_int_equal(all.schedules, 6); /* 4 steps, 2 of each: 4! / 2! 2! */
    assert_int_equal(all.longest, 4);
    /* None of them is taken away: one after the other, in two orders. */
    assert_int_equal(explore(&world, 2, 0, write_same, count).schedules, 2);
    assert_int_equal(explore(&world, 2, 1, write_same, count).schedules, 4);
    assert_int_equal(explore(&world, 2, 9, write_same, count).schedules, 6);
    /* What touches different words commutes. */
    assert_int_equal(
        explore(&world, 2, TH_INTERLEAVE_ALL, write_own, count).schedules, 1);
}

/* --- Nothing is left out -------------------------------------------------- */

static void run_program(void *ctx, unsigned who)
{
    struct world *world = ctx;
    for (unsigned i = 0; i < world->steps; i++) {
        unsigned what = world->program[who][i];
        _Atomic uint32_t *word = &world->words[what % WORDS];
        uint32_t value = who * STEPS + i + 1, none = 0;
        switch (what / WORDS) {
        case 0:
            atomic_store_explicit(word, value, memory_order_relaxed);
            break;
        case 1:
            world->found[who][i] =
                atomic_exchange_explicit(word, value, memory_order_relaxed);
            break;
        case 2:
            world->found[who][i] = atomic_compare_exchange_strong_explicit(
                word, &none, value, memory_order_relaxed, memory_order_relaxed);
            break;
        default:
            world->found[who][i] =
                atomic_load_explicit(word, memory_order_relaxed);
            break;
        }
    }
}

static void keep_outcome(void *ctx)
{
    struct world *world = ctx;
    uint64_t outcome = th_hash64(world->found, sizeof world->found, 1);
    for (unsigned i = 0; i < WORDS; i++) {
        uint32_t word =
            atomic_load_explicit(&world->words[i], memory_order_relaxed);
        outcome = th_hash64(&word, sizeof word, outcome);
    }
    for (size_t i = 0; i < world->outcomes_len; i++) {
        if (world->outcomes[i] == outcome) {
            return;
        }
    }
    assert_true(world->outcomes_len < OUTCOMES);
    world->outcomes[world->outcomes_len++] = outcome;
}

static int by_value(const void *a, const void *b)
{
    uint64_t left = *(const uint64_t *)a, right = *(const uint64_t *)b;
    return left < right ? -1 : left > right;
}

/* Random programs: with and without what commutes they can end the same. */
static void what_is_left_out_as_equal_ends_like_another(void **state)
{
    static struct world every, some;
    uint64_t schedules = 0, left = 0;
    struct th_rng rng;
    (void)state;
    th_rng_init(&rng, 4);
    for (unsigned round = 0; round < 40; round++) {
        memset(&every, 0, sizeof every);
        every.steps = round % 2 == 0 ? 2 : 3;
        unsigned threads = every.steps == 2 ? 3 : 2;
        for (unsigned t = 0; t < threads; t++) {
            for (unsigned i = 0; i < every.steps; i++) {
                every.program[t][i] = (unsigned)th_rng_below(&rng, 4 * WORDS);
            }
        }
        some = every;
        schedules +=
            explore(&every, threads, 1000, run_program, keep_outcome).schedules;
        left += explore(&some, threads, TH_INTERLEAVE_ALL, run_program,
                        keep_outcome)
                    .schedules;
        qsort(every.outcomes, every.outcomes_len, sizeof(uint64_t), by_value);
        qsort(some.outcomes, some.outcomes_len, sizeof(uint64_t), by_value);
        assert_int_equal(every.outcomes_len, some.outcomes_len);
        assert_memory_equal(every.outcomes, some.outcomes,
                            some.outcomes_len * sizeof(uint64_t));
    }
    assert_true(left < schedules / 2);
}

/* --- What is found ------------------------------------------------------- */

static void add_badly(void *ctx, unsigned who)
{
    struct world *world = ctx;
    uint32_t now = atomic_load_explicit(&world->words[0], memory_order_relaxed);
    (void)who;
    atomic_store_explicit(&world->words[0], now + 1, memory_order_relaxed);
}

static void count_lost(void *ctx)
{
    struct world *world = ctx;
    world->checks +=
        atomic_load_explicit(&world->words[0], memory_order_relaxed) < 2;
}

static void a_lost_update_is_found(void **state)
{
    static struct world world;
    (void)state;
    struct th_interleave_report report =
        explore(&world, 2, TH_INTERLEAVE_ALL, add_badly, count_lost);
    assert_true(world.checks > 0 && world.checks < report.schedules);
}

/* Waits until the other has said so, or for ever. */
static void await_word(void *ctx, unsigned who)
{
    struct world *world = ctx;
    if (who == 1) {
        atomic_store_explicit(&world->words[0], world->steps,
                              memory_order_release);
        return;
    }
    while (atomic_load_explicit(&world->words[0], memory_order_acquire) == 0) {
        th_pause();
    }
}

static void who_waits_in_a_loop_goes_on_when_it_may(void **state)
{
    static struct world world = {.steps = 1};
    (void)state;
    struct th_interleave_report report =
        explore(&world, 3, TH_INTERLEAVE_ALL, await_word, count);
    assert_true(report.schedules > 1 && report.longest < 20);
}

static void where_nobody_gets_on_it_says_so(void **state)
{
    static struct world world = {.steps = 0};
    int status = 0;
    (void)state;
    pid_t child = fork();
    assert_true(child >= 0);
    if (child == 0) {
        (void)!freopen("/dev/null", "w", stderr);
        (void)signal(SIGABRT, SIG_DFL);
        (void)explore(&world, 3, TH_INTERLEAVE_ALL, await_word, count);
        _exit(0);
    }
    assert_int_equal(waitpid(child, &status, 0), child);
    assert_true(WIFSIGNALED(status) && WTERMSIG(status) == SIGABRT);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(schedules_are_counted),
        cmocka_unit_test(what_is_left_out_as_equal_ends_like_another),
        cmocka_unit_test(a_lost_update_is_found),
        cmocka_unit_test(who_waits_in_a_loop_goes_on_when_it_may),
        cmocka_unit_test(where_nobody_gets_on_it_says_so),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
