/* SPDX-License-Identifier: Apache-2.0 */
/* Seeded interleavings of base/lock.c: one at a time is in, whoever waits gets
 * in. Parking is modelled here, without the early returns that would hide a
 * forgotten wake: who parks goes on only when the word differs or it was
 * woken. */
#include "base/base.h"

#include "base/interleave.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <cmocka.h>

enum { THREADS = 3, ROUNDS = 4, SEEDS = 2000 };

struct world {
    theater_env_t env;
    struct th_lock lock;
    unsigned inside;
    unsigned entered;
    unsigned asleep;
    unsigned woken; /* wakes that nobody took yet */
    unsigned slept;
};

static struct world world;

static void model_park(void *ctx, const void *word, uint32_t expected,
                       uint64_t deadline_ns)
{
    const _Atomic uint32_t *value = word;

    (void)ctx;
    TH_CHECK(deadline_ns == THEATER_NEVER);
    /* As the kernel: the look at the word and going to sleep are one step,
     * since no place to switch lies between. */
    if (atomic_load_explicit(value, memory_order_relaxed) != expected) {
        return;
    }
    world.asleep++;
    world.slept++;
    while (world.woken == 0) {
        th_interleave_point();
    }
    world.woken--;
}

static void model_unpark(void *ctx, const void *word, uint32_t count)
{
    (void)ctx;
    (void)word;
    TH_CHECK(count == 1);
    th_interleave_point();
    if (world.asleep > 0) {
        world.asleep--;
        world.woken++;
    }
}

static void run(void *ctx, unsigned who)
{
    (void)ctx;
    (void)who;
    for (unsigned i = 0; i < ROUNDS; i++) {
        th_lock(&world.env, &world.lock);
        TH_CHECK(world.inside == 0);
        world.inside++;
        th_interleave_point();
        world.entered++;
        world.inside--;
        th_unlock(&world.env, &world.lock);
    }
}

static void one_at_a_time_is_in_and_nobody_sleeps_for_ever(void **state)
{
    unsigned slept = 0;
    uint64_t seeds = th_interleave_seeds(SEEDS);
    (void)state;
    for (uint64_t i = 0; i < seeds; i++) {
        uint64_t seed = th_interleave_first_seed() + i;
        struct th_interleave plan = {seed, THREADS, run, NULL};
        memset(&world, 0, sizeof(world));
        world.env = *th_interleave_env();
        world.env.park = model_park;
        world.env.unpark = model_unpark;
        /* A forgotten sleeper would be a run without an end. */
        (void)th_interleave_run(&plan);
        assert_int_equal(world.entered, THREADS * ROUNDS);
        assert_int_equal(world.asleep, 0);
        slept += world.slept;
    }
    assert_true(slept > seeds);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(one_at_a_time_is_in_and_nobody_sleeps_for_ever),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
