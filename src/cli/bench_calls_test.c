/* SPDX-License-Identifier: Apache-2.0 */
/* System calls of router and runtime are counted, the ticker's apart. */
#include "cli/bench_calls.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

static const theater_env_t *env;
static const uint32_t word;

static void a_system_call_is_counted_once(void **state)
{
    (void)state;
    struct bench_calls before = bench_calls_now();
    env->unpark(env->ctx, &word, 1);
    env->park(env->ctx, &word, 1, THEATER_NEVER); /* the word is 0 */
    void *memory = env->map(env->ctx, 4096);
    assert_non_null(memory);
    env->discard(env->ctx, memory, 4096);
    env->unmap(env->ctx, memory, 4096);
    assert_int_equal(bench_calls_now().calls - before.calls, 5);
    assert_int_equal(bench_calls_now().ticks - before.ticks, 0);
}

static void memory_and_the_clock_are_no_system_calls(void **state)
{
    (void)state;
    struct bench_calls before = bench_calls_now();
    env->free(env->ctx, env->alloc(env->ctx, 64, 16));
    assert_true(env->now_ns(env->ctx) > 0);
    assert_int_equal(bench_calls_now().calls - before.calls, 0);
}

static void unpark_three_times(void *arg)
{
    for (int i = 0; i < 3; i++) {
        env->unpark(env->ctx, arg, 1);
    }
}

static struct bench_calls of_thread(const char *name)
{
    uint32_t other = 0;
    theater_thread_t *thread;
    struct bench_calls before = bench_calls_now();
    assert_int_equal(
        env->thread_start(env->ctx, name, unpark_three_times, &other, &thread),
        THEATER_OK);
    env->thread_join(env->ctx, thread);
    struct bench_calls after = bench_calls_now();
    return (struct bench_calls){after.calls - before.calls,
                                after.ticks - before.ticks};
}

static void those_of_the_ticker_are_counted_apart(void **state)
{
    (void)state;
    struct bench_calls counted = of_thread("th-ticker");
    assert_int_equal(counted.calls, 0);
    assert_int_equal(counted.ticks, 3);
    counted = of_thread("th-worker");
    assert_int_equal(counted.calls, 3);
    assert_int_equal(counted.ticks, 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_system_call_is_counted_once),
        cmocka_unit_test(memory_and_the_clock_are_no_system_calls),
        cmocka_unit_test(those_of_the_ticker_are_counted_apart),
    };
    env = bench_calls_env(theater_env_default());
    return cmocka_run_group_tests(tests, NULL, NULL);
}
