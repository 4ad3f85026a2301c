/* SPDX-License-Identifier: Apache-2.0 */
/* The lock of slow paths. */
#include "base/base.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <cmocka.h>

enum { THREADS = 4, ROUNDS = 20000 };

static const theater_env_t *env;
static theater_env_t counting;
static _Atomic unsigned unparks;
static struct th_lock lock;
static uint64_t guarded; /* by `lock` */

static void count_unpark(void *ctx, const void *word, uint32_t count)
{
    (void)ctx;
    atomic_fetch_add_explicit(&unparks, 1, memory_order_relaxed);
    env->unpark(env->ctx, word, count);
}

static void contend(void *arg)
{
    (void)arg;
    for (unsigned i = 0; i < ROUNDS; i++) {
        th_lock(env, &lock);
        guarded++;
        th_unlock(env, &lock);
    }
}

static void one_thread_at_a_time_has_the_lock(void **state)
{
    theater_thread_t *threads[THREADS];
    (void)state;
    guarded = 0;
    for (unsigned i = 0; i < THREADS; i++) {
        assert_int_equal(
            env->thread_start(env->ctx, "lock", contend, NULL, &threads[i]),
            THEATER_OK);
    }
    for (unsigned i = 0; i < THREADS; i++) {
        env->thread_join(env->ctx, threads[i]);
    }
    assert_int_equal(guarded, (uint64_t)THREADS * ROUNDS);
}

static void a_lock_that_nobody_waits_for_makes_no_system_call(void **state)
{
    (void)state;
    unparks = 0;
    for (unsigned i = 0; i < 10; i++) {
        th_lock(&counting, &lock);
        th_unlock(&counting, &lock);
    }
    assert_int_equal(unparks, 0);
}

static void wait_for_it(void *arg)
{
    (void)arg;
    th_lock(env, &lock);
    guarded = 2;
    th_unlock(env, &lock);
}

static void who_waits_for_the_lock_is_woken(void **state)
{
    theater_thread_t *thread;
    uint64_t give_up = th_now(env) + UINT64_C(20000000000);
    (void)state;

    unparks = 0;
    th_lock(&counting, &lock);
    guarded = 1;
    assert_int_equal(
        env->thread_start(env->ctx, "lock", wait_for_it, NULL, &thread),
        THEATER_OK);
    /* Until it is about to sleep, or does. */
    while (atomic_load_explicit(&lock.word, memory_order_acquire) != 2) {
        assert_true(th_now(env) < give_up);
        th_pause();
    }
    assert_int_equal(guarded, 1);
    th_unlock(&counting, &lock);
    env->thread_join(env->ctx, thread);
    assert_int_equal(unparks, 1);
    assert_int_equal(guarded, 2);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(one_thread_at_a_time_has_the_lock),
        cmocka_unit_test(a_lock_that_nobody_waits_for_makes_no_system_call),
        cmocka_unit_test(who_waits_for_the_lock_is_woken),
    };
    env = theater_env_default();
    counting = *env;
    counting.unpark = count_unpark;
    return cmocka_run_group_tests(tests, NULL, NULL);
}
