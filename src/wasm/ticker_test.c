/* SPDX-License-Identifier: Apache-2.0 */
/* Design notes
 *
 * The ticker counts while guests run, sleeps while none does, and wakes. Its
 * clock can be put forward, as it is for a process that was stopped. */
#include "wasm/ticker.h"

#include <setjmp.h>
#include <stdarg.h>

#include <cmocka.h>

static struct th_ticker ticker;
static _Atomic uint64_t called;

static void tick(void *arg)
{
    (void)arg;
    atomic_fetch_add_explicit(&called, 1, memory_order_relaxed);
}

static _Atomic uint64_t rested;

static void rest(void *arg)
{
    (void)arg;
    atomic_fetch_add_explicit(&rested, 1, memory_order_relaxed);
}

/* Parks for that long, in real time. */
static void pass(uint64_t ms)
{
    const theater_env_t *env = theater_env_default();
    uint32_t word = 0;
    uint64_t until = th_now(env) + ms * 1000000;
    while (th_now(env) < until) {
        env->park(env->ctx, &word, 0, until);
    }
}

/* Waits, ten seconds at most, until the ticker sleeps. */
static bool sleeps(void)
{
    for (unsigned i = 0; i < 1000; i++) {
        if (atomic_load_explicit(&ticker.state, memory_order_seq_cst) ==
            TH_TICKER_ASLEEP) {
            return true;
        }
        pass(10);
    }
    return false;
}

static _Atomic bool computing;

static bool computes(void *arg)
{
    (void)arg;
    return atomic_load_explicit(&computing, memory_order_relaxed);
}

/* How far the ticker's clock is ahead of the real one. */
static _Atomic uint64_t ahead_ns;

static uint64_t ahead(void)
{
    return atomic_load_explicit(&ahead_ns, memory_order_relaxed);
}

static uint64_t ahead_now_ns(void *ctx)
{
    return theater_env_default()->now_ns(ctx) + ahead();
}

static void ahead_park(void *ctx, const void *word, uint32_t expected,
                       uint64_t deadline_ns)
{
    uint64_t real = deadline_ns == THEATER_NEVER || deadline_ns < ahead()
                        ? deadline_ns
                        : deadline_ns - ahead();
    theater_env_default()->park(ctx, word, expected, real);
}

static int set_up(void **state)
{
    static theater_env_t env;
    (void)state;
    env = *theater_env_default();
    env.now_ns = ahead_now_ns;
    env.park = ahead_park;
    memset(&ticker, 0, sizeof ticker);
    atomic_store_explicit(&rested, 0, memory_order_relaxed);
    return th_ticker_start(&ticker, &env, tick, rest, computes, NULL) ==
                   THEATER_OK
               ? 0
               : -1;
}

static int tear_down(void **state)
{
    (void)state;
    th_ticker_stop(&ticker);
    return 0;
}

static void it_counts_the_time_in_which_guests_run(void **state)
{
    (void)state;
    uint64_t first = th_ticker_now(&ticker);
    uint64_t begin = th_now(theater_env_default());
    while (th_ticker_now(&ticker) - first < 50) {
        th_ticker_arm(&ticker);
        pass(1);
        assert_true(th_now(theater_env_default()) - begin < 10000000000u);
    }
    assert_true(th_now(theater_env_default()) - begin >= 45000000);
    assert_true(atomic_load_explicit(&called, memory_order_relaxed) > 0);
}

static void a_process_that_was_stopped_has_not_computed(void **state)
{
    (void)state;
    for (unsigned round = 0; round < 5; round++) {
        uint64_t before = th_ticker_now(&ticker);
        uint64_t begin = th_now(theater_env_default());
        th_ticker_arm(&ticker);
        atomic_fetch_add_explicit(&ahead_ns, UINT64_C(60000000000),
                                  memory_order_relaxed);
        while (th_ticker_now(&ticker) == before) {
            th_ticker_arm(&ticker);
            pass(1);
            assert_true(th_now(theater_env_default()) - begin < 10000000000u);
        }
        /* Twice, should it have been between two readings of its clock. */
        pass(5);
        uint64_t real = (th_now(theater_env_default()) - begin) / 1000000;
        assert_true(th_ticker_now(&ticker) - before <= real + 40);
    }
}

static void it_sleeps_when_no_guest_runs_and_wakes_again(void **state)
{
    (void)state;
    for (unsigned round = 0; round < 3; round++) {
        assert_true(sleeps());
        uint64_t asleep = th_ticker_now(&ticker);
        pass(300);
        assert_int_equal(th_ticker_now(&ticker), asleep);
        th_ticker_arm(&ticker);
        for (unsigned i = 0; th_ticker_now(&ticker) == asleep; i++) {
            assert_true(i < 10000);
            pass(1);
        }
        /* The time that it slept through is nobody's. */
        assert_true(th_ticker_now(&ticker) - asleep < 250);
    }
}

/* One instruction may take longer than the ticker looks for a guest. */
static void it_goes_on_while_one_computes_that_is_not_seen(void **state)
{
    (void)state;
    atomic_store_explicit(&computing, true, memory_order_relaxed);
    th_ticker_arm(&ticker);
    pass(100); /* five times as long */
    uint64_t before = th_ticker_now(&ticker);
    for (unsigned i = 0; th_ticker_now(&ticker) - before < 100; i++) {
        assert_true(i < 10000);
        pass(1);
    }
    atomic_store_explicit(&computing, false, memory_order_relaxed);
    assert_true(sleeps());
}

static void it_rests_once_each_time_that_it_sleeps_long(void **state)
{
    (void)state;
    for (unsigned round = 1; round <= 2; round++) {
        for (unsigned i = 0;
             atomic_load_explicit(&rested, memory_order_relaxed) < round; i++) {
            assert_true(i < 1000);
            pass(10);
        }
        pass(2 * TH_REST_NS / 1000000 + 100);
        assert_int_equal(atomic_load_explicit(&rested, memory_order_relaxed),
                         round);
        uint64_t asleep = th_ticker_now(&ticker);
        th_ticker_arm(&ticker);
        for (unsigned i = 0; th_ticker_now(&ticker) == asleep; i++) {
            assert_true(i < 10000);
            pass(1);
        }
    }
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(it_counts_the_time_in_which_guests_run),
        TEST(a_process_that_was_stopped_has_not_computed),
        TEST(it_sleeps_when_no_guest_runs_and_wakes_again),
        TEST(it_goes_on_while_one_computes_that_is_not_seen),
        TEST(it_rests_once_each_time_that_it_sleeps_long),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
