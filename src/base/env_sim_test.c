/* SPDX-License-Identifier: Apache-2.0 */
/* The simulated environment. */
#include "base/points.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <cmocka.h>

static int sim_new(void **state)
{
    struct th_sim_env *sim;
    if (th_sim_env_new(7, &sim) != THEATER_OK) {
        return -1;
    }
    *state = sim;
    return 0;
}

static int sim_delete(void **state)
{
    th_sim_env_delete(*state);
    return 0;
}

static void the_clock_stands_until_it_is_moved_and_never_goes_back(void **state)
{
    const theater_env_t *env = th_sim_env_table(*state);
    uint64_t start = th_now(env);
    uint64_t wall = env->wall_ns(env->ctx);

    assert_true(start > 0);
    assert_true(th_now(env) == start);
    th_sim_env_advance(env, start + 5);
    assert_true(th_now(env) == start + 5);
    assert_true(env->wall_ns(env->ctx) == wall + 5);
    th_sim_env_advance(env, start);
    assert_true(th_now(env) == start + 5);
}

static void random_bytes_come_from_the_seed(void **state)
{
    const theater_env_t *env = th_sim_env_table(*state);
    struct th_sim_env *same;
    struct th_sim_env *other;
    uint8_t bytes[3][37];

    assert_int_equal(th_sim_env_new(7, &same), THEATER_OK);
    assert_int_equal(th_sim_env_new(8, &other), THEATER_OK);
    const theater_env_t *same_env = th_sim_env_table(same);
    const theater_env_t *other_env = th_sim_env_table(other);
    env->random(env->ctx, bytes[0], sizeof(bytes[0]));
    same_env->random(same_env->ctx, bytes[1], sizeof(bytes[1]));
    other_env->random(other_env->ctx, bytes[2], sizeof(bytes[2]));
    assert_memory_equal(bytes[0], bytes[1], sizeof(bytes[0]));
    assert_memory_not_equal(bytes[0], bytes[2], sizeof(bytes[0]));
    th_sim_env_delete(same);
    th_sim_env_delete(other);
}

static void there_are_no_threads(void **state)
{
    const theater_env_t *env = th_sim_env_table(*state);
    theater_thread_t *thread = NULL;

    assert_int_equal(env->thread_start(env->ctx, "x", NULL, NULL, &thread),
                     THEATER_UNSUPPORTED);
    assert_null(thread);
}

static void
parking_moves_the_clock_to_the_deadline_if_there_is_one(void **state)
{
    const theater_env_t *env = th_sim_env_table(*state);
    uint64_t start = th_now(env);
    _Atomic uint32_t word = 1;

    env->park(env->ctx, &word, 1, THEATER_NEVER);
    assert_true(th_now(env) == start);
    env->park(env->ctx, &word, 0, start + 10); /* not as expected */
    assert_true(th_now(env) == start);
    env->park(env->ctx, &word, 1, start + 10);
    assert_true(th_now(env) == start + 10);
    env->unpark(env->ctx, &word, 1);
}

static void yields_are_counted_and_memory_is_there(void **state)
{
    const theater_env_t *env = th_sim_env_table(*state);

    assert_true(th_sim_env_is(env));
    assert_false(th_sim_env_is(theater_env_default()));
    env->yield(env->ctx, "here");
    env->yield(env->ctx, "there");
    assert_int_equal(th_sim_env_yields(env), 2);
    char *memory = th_calloc(env, 100);
    assert_non_null(memory);
    assert_int_equal(memory[99], 0);
    th_free(env, memory);
    assert_non_null(env->map);
    assert_non_null(env->file_read);
}

static void rare_things_happen_only_when_asked_for_and_by_the_seed(void **state)
{
    struct th_sim_env *same;
    const theater_env_t *env = th_sim_env_table(*state);
    bool some = false;

    for (unsigned i = 0; i < TH_POINT_COUNT; i++) {
        assert_false(th_rare(env, (enum th_point)i));
        assert_false(th_rare(theater_env_default(), (enum th_point)i));
        assert_non_null(strchr(th_point_name((enum th_point)i), '.'));
    }
    th_sim_env_offer(*state);
    assert_int_equal(th_sim_env_new(7, &same), THEATER_OK);
    th_sim_env_offer(same);
    for (unsigned i = 0; i < 1000 * TH_POINT_COUNT; i++) {
        enum th_point point = (enum th_point)(i % TH_POINT_COUNT);
        bool taken = th_rare(env, point);
        some = some || taken;
        assert_int_equal(taken, th_rare(th_sim_env_table(same), point));
    }
    assert_true(some);
    for (unsigned i = 0; i < TH_POINT_COUNT; i++) {
        enum th_point point = (enum th_point)i;
        assert_int_equal(th_sim_env_asked(same, point), 1000);
        assert_int_equal(th_sim_env_taken(same, point),
                         th_sim_env_taken(*state, point));
    }
    th_sim_env_delete(same);
}

int main(void)
{
#define SIM_TEST(name)                                                         \
    cmocka_unit_test_setup_teardown(name, sim_new, sim_delete)
    const struct CMUnitTest tests[] = {
        SIM_TEST(the_clock_stands_until_it_is_moved_and_never_goes_back),
        SIM_TEST(random_bytes_come_from_the_seed),
        SIM_TEST(there_are_no_threads),
        SIM_TEST(parking_moves_the_clock_to_the_deadline_if_there_is_one),
        SIM_TEST(yields_are_counted_and_memory_is_there),
        SIM_TEST(rare_things_happen_only_when_asked_for_and_by_the_seed),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
