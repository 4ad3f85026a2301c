/* SPDX-License-Identifier: Apache-2.0 */
/* Another thread's stack: of one that waits, of one that computes, of none. */
#include "base/backtrace.h"

#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stdio.h>

#include <cmocka.h>

struct other {
    theater_thread_t *thread;
    _Atomic int number;
    _Atomic uint32_t stop;
    bool computes;
};

static void other_run(void *arg)
{
    struct other *other = arg;
    const theater_env_t *env = theater_env_default();
    atomic_store_explicit(&other->number, th_thread_number(),
                          memory_order_release);
    while (atomic_load_explicit(&other->stop, memory_order_acquire) == 0) {
        if (other->computes) {
            th_pause();
        } else {
            env->park(env->ctx, &other->stop, 0, THEATER_NEVER);
        }
    }
}

static int other_start(struct other *other, bool computes)
{
    const theater_env_t *env = theater_env_default();
    *other = (struct other){.computes = computes};
    assert_int_equal(
        env->thread_start(env->ctx, "other", other_run, other, &other->thread),
        THEATER_OK);
    int number;
    while ((number = atomic_load_explicit(&other->number,
                                          memory_order_acquire)) == 0) {
        th_pause();
    }
    return number;
}

static void other_stop(struct other *other)
{
    const theater_env_t *env = theater_env_default();
    atomic_store_explicit(&other->stop, 1, memory_order_release);
    env->unpark(env->ctx, &other->stop, 1);
    env->thread_join(env->ctx, other->thread);
}

static void on_prof(int number)
{
    (void)number;
}

static void a_signal_that_the_program_uses_is_left_alone(void **state)
{
    void *frames[TH_BACKTRACE_FRAMES];
    struct other other;
    struct sigaction mine = {.sa_handler = on_prof};
    struct sigaction found;
    (void)state;
    assert_int_equal(sigaction(SIGPROF, &mine, NULL), 0);
    assert_int_equal(th_backtrace_take(other_start(&other, false), frames), 0);
    other_stop(&other);
    assert_int_equal(sigaction(SIGPROF, NULL, &found), 0);
    assert_ptr_equal(found.sa_handler, on_prof);
    mine.sa_handler = SIG_DFL;
    assert_int_equal(sigaction(SIGPROF, &mine, NULL), 0);
}

static void a_thread_tells_its_stack_and_goes_on(void **state)
{
    void *frames[TH_BACKTRACE_FRAMES];
    char name[160];
    (void)state;
    for (int round = 0; round < 20; round++) {
        struct other other;
        size_t len =
            th_backtrace_take(other_start(&other, round % 2 == 0), frames);
#if !defined(__SANITIZE_THREAD__) /* it holds signals back */
        assert_true(len >= 2);
#endif
        for (size_t i = 0; i < len; i++) {
            th_backtrace_name(frames[i], name, sizeof name);
            assert_true(strlen(name) > 3);
        }
        other_stop(&other);
    }
}

static void who_is_not_there_has_no_stack(void **state)
{
    void *frames[TH_BACKTRACE_FRAMES];
    struct other other;
    (void)state;
    int number = other_start(&other, false);
    other_stop(&other);
    assert_int_equal(th_backtrace_take(number, frames), 0);
    assert_int_equal(th_backtrace_take(0, frames), 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_signal_that_the_program_uses_is_left_alone),
        cmocka_unit_test(a_thread_tells_its_stack_and_goes_on),
        cmocka_unit_test(who_is_not_there_has_no_stack),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
