/* SPDX-License-Identifier: Apache-2.0 */
/* Thread slots. */
#include "base/base.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <cmocka.h>

enum { THREADS = TH_SLOTS + 10 };

static const theater_env_t *env;
static _Atomic uint32_t arrived;
static _Atomic uint32_t leave;
static _Atomic uint32_t holders[TH_SLOTS];
static uint64_t counters[TH_SLOTS]; /* plain: of the slot's owner */

static void wait_for(_Atomic uint32_t *word, uint32_t value)
{
    uint64_t give_up = th_now(env) + UINT64_C(20000000000);
    uint32_t seen;
    while ((seen = atomic_load_explicit(word, memory_order_acquire)) < value) {
        TH_CHECK(th_now(env) < give_up);
        env->park(env->ctx, word, seen, give_up);
    }
}

static void bump(_Atomic uint32_t *word)
{
    atomic_fetch_add_explicit(word, 1, memory_order_acq_rel);
    env->unpark(env->ctx, word, UINT32_MAX);
}

static void hold_a_slot(void *arg)
{
    unsigned slot = th_slot();
    (void)arg;
    TH_CHECK(slot < TH_SLOTS && th_slot() == slot);
    atomic_fetch_add_explicit(&holders[slot], 1, memory_order_relaxed);
    bump(&arrived);
    wait_for(&leave, 1);
}

static void
living_threads_have_different_slots_and_the_rest_shares_slot_0(void **state)
{
    theater_thread_t *threads[THREADS];
    unsigned mine = th_slot();
    (void)state;

    assert_true(mine > 0);
    for (unsigned i = 0; i < THREADS; i++) {
        assert_int_equal(
            env->thread_start(env->ctx, "slot", hold_a_slot, NULL, &threads[i]),
            THEATER_OK);
    }
    wait_for(&arrived, THREADS);
    bump(&leave);
    for (unsigned i = 0; i < THREADS; i++) {
        env->thread_join(env->ctx, threads[i]);
    }
    assert_int_equal(holders[mine], 0);
    assert_int_equal(holders[0], THREADS - (TH_SLOTS - 2));
    for (unsigned i = 1; i < TH_SLOTS; i++) {
        assert_int_equal(holders[i], i == mine ? 0 : 1);
    }
    assert_int_equal(th_slot(), mine);
}

static void count_in_a_slot(void *arg)
{
    unsigned *out = arg;
    *out = th_slot();
    counters[*out]++;
}

static void a_slot_is_given_back_at_the_end_of_its_thread(void **state)
{
    uint64_t total = 0;
    (void)state;
    memset(counters, 0, sizeof(counters));
    for (unsigned i = 0; i < 500; i++) {
        theater_thread_t *thread;
        unsigned slot = 0;
        assert_int_equal(env->thread_start(env->ctx, "slot", count_in_a_slot,
                                           &slot, &thread),
                         THEATER_OK);
        env->thread_join(env->ctx, thread);
        assert_true(slot != 0);
        assert_true(slot != th_slot());
    }
    for (unsigned i = 0; i < TH_SLOTS; i++) {
        total += counters[i];
    }
    assert_int_equal(total, 500);
}

/* Owners of a slot follow each other without another synchronisation than the
 * slot's: the thread sanitizer watches the plain counters. */
static void churn(void *arg)
{
    (void)arg;
    unsigned slot = th_slot();
    if (slot != 0) {
        counters[slot]++;
    }
}

static void what_a_thread_wrote_by_its_slot_is_there_for_the_next(void **state)
{
    uint64_t total = 0;
    (void)state;
    memset(counters, 0, sizeof(counters));
    for (unsigned round = 0; round < 50; round++) {
        theater_thread_t *threads[8];
        for (unsigned i = 0; i < 8; i++) {
            assert_int_equal(
                env->thread_start(env->ctx, "churn", churn, NULL, &threads[i]),
                THEATER_OK);
        }
        for (unsigned i = 0; i < 8; i++) {
            env->thread_join(env->ctx, threads[i]);
        }
    }
    for (unsigned i = 1; i < TH_SLOTS; i++) {
        total += counters[i];
    }
    assert_int_equal(total, 400);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(
            living_threads_have_different_slots_and_the_rest_shares_slot_0),
        cmocka_unit_test(a_slot_is_given_back_at_the_end_of_its_thread),
        cmocka_unit_test(what_a_thread_wrote_by_its_slot_is_there_for_the_next),
    };
    env = theater_env_default();
    return cmocka_run_group_tests(tests, NULL, NULL);
}
