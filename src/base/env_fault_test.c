/* SPDX-License-Identifier: Apache-2.0 */
/* The environment that fails when told to. */
#include "base/env_fault.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <cmocka.h>

static struct th_fault_env fault;

static int fault_init(void **state)
{
    (void)state;
    th_fault_env_init(&fault, theater_env_default());
    return 0;
}

static void it_fails_the_chosen_allocation_once(void **state)
{
    const theater_env_t *env = &fault.table;
    (void)state;
    th_fault_env_fail(&fault, TH_FAULT_ALLOC, 3, true);
    for (unsigned i = 1; i <= 6; i++) {
        void *memory = th_alloc(env, 10);
        assert_true((memory == NULL) == (i == 3));
        th_free(env, memory);
    }
    assert_int_equal(th_fault_env_calls(&fault, TH_FAULT_ALLOC), 6);
    assert_int_equal(th_fault_env_failed(&fault, TH_FAULT_ALLOC), 1);
}

static void it_fails_all_allocations_from_the_chosen_one_on(void **state)
{
    const theater_env_t *env = &fault.table;
    (void)state;
    th_fault_env_fail(&fault, TH_FAULT_ALLOC, 3, false);
    for (unsigned i = 1; i <= 6; i++) {
        void *memory = th_alloc(env, 10);
        assert_true((memory == NULL) == (i >= 3));
        th_free(env, memory);
    }
    th_fault_env_fail(&fault, TH_FAULT_ALLOC, 0, false);
    void *memory = th_alloc(env, 10);
    assert_non_null(memory);
    th_free(env, memory);
}

static void it_counts_what_is_not_given_back(void **state)
{
    const theater_env_t *env = &fault.table;
    (void)state;
    void *a = th_alloc(env, 1);
    void *b = th_alloc(env, 1);
    assert_int_equal(th_fault_env_live(&fault), 2);
    th_free(env, a);
    th_free(env, NULL);
    assert_int_equal(th_fault_env_live(&fault), 1);
    th_free(env, b);
    assert_int_equal(th_fault_env_live(&fault), 0);

    void *pages = env->map(env->ctx, 4096);
    assert_int_equal(th_fault_env_live_pages(&fault), 1);
    env->unmap(env->ctx, pages, 4096);
    assert_int_equal(th_fault_env_live_pages(&fault), 0);
}

static void nothing(void *arg)
{
    (void)arg;
}

static void every_kind_can_fail_and_leaves_the_outputs_alone(void **state)
{
    const theater_env_t *env = &fault.table;
    theater_thread_t *thread = NULL;
    uint8_t *data = NULL;
    size_t len = 77;
    (void)state;

    for (unsigned kind = 0; kind < TH_FAULT_KINDS; kind++) {
        th_fault_env_fail(&fault, (enum th_fault_kind)kind, 1, true);
    }
    assert_null(th_alloc(env, 1));
    assert_null(env->map(env->ctx, 4096));
    assert_int_equal(env->thread_start(env->ctx, "x", nothing, NULL, &thread),
                     THEATER_OUT_OF_MEMORY);
    assert_null(thread);
    assert_int_equal(env->file_read(env->ctx, "/dev/null", 10, &data, &len),
                     THEATER_IO);
    assert_null(data);
    assert_int_equal(len, 77);
    assert_int_equal(env->file_write(env->ctx, "never", "", 0), THEATER_IO);
    assert_int_equal(env->file_remove(env->ctx, "never"), THEATER_IO);
    assert_int_equal(env->folder_private(env->ctx, "never"), THEATER_IO);
    for (unsigned kind = 0; kind < TH_FAULT_KINDS; kind++) {
        assert_int_equal(th_fault_env_failed(&fault, (enum th_fault_kind)kind),
                         1);
    }
    /* And then works. */
    assert_int_equal(env->thread_start(env->ctx, "x", nothing, NULL, &thread),
                     THEATER_OK);
    env->thread_join(env->ctx, thread);
    assert_int_equal(env->file_read(env->ctx, "/dev/null", 10, &data, &len),
                     THEATER_OK);
    assert_int_equal(len, 0);
    assert_int_equal(th_fault_env_live(&fault), 1);
    th_free(env, data);
    assert_int_equal(th_fault_env_live(&fault), 0);
}

static void a_place_knows_how_often_it_was_refused(void **state)
{
    const theater_env_t *env = &fault.table;
    struct th_fault_site site = {.kind = TH_FAULT_ALLOC};
    (void)state;
    th_fault_env_fail(&fault, TH_FAULT_ALLOC, 2, true);
    for (unsigned i = 0; i < 3; i++) {
        th_fault_site_enter(&site);
        th_free(env, th_alloc(env, 1));
        th_free(env, th_alloc(env, 1)); /* of no place */
    }
    th_fault_site_enter(&site);
    assert_non_null(env->map(env->ctx, 4096)); /* not what it asks for */
    assert_int_equal(site.calls, 3);
    assert_int_equal(site.failed, 0);
    th_fault_env_fail(&fault, TH_FAULT_ALLOC, 1, true);
    th_fault_site_enter(&site);
    assert_null(th_alloc(env, 1));
    assert_int_equal(site.calls, 4);
    assert_int_equal(site.failed, 1);
}

static void the_default_environment_can_be_one_that_fails(void **state)
{
    (void)state;
    assert_ptr_equal(th_fault_env_default(), theater_env_default());
    th_fault_env_use(&fault);
    assert_ptr_equal(th_fault_env_default(), &fault.table);
    th_fault_env_use(NULL);
    assert_ptr_equal(th_fault_env_default(), theater_env_default());
}

static void the_rest_is_that_of_the_wrapped_one(void **state)
{
    struct th_sim_env *sim;
    _Atomic uint32_t word = 0;
    (void)state;
    assert_int_equal(th_sim_env_new(1, &sim), THEATER_OK);
    const theater_env_t *inner = th_sim_env_table(sim);
    th_fault_env_init(&fault, inner);
    const theater_env_t *env = &fault.table;
    assert_true(th_now(env) == th_now(inner));
    assert_true(env->wall_ns(env->ctx) == inner->wall_ns(inner->ctx));
    env->park(env->ctx, &word, 0, th_now(inner) + 9);
    assert_true(th_now(env) == th_now(inner));
    env->yield(env->ctx, "x");
    assert_int_equal(th_sim_env_yields(inner), 1);
    th_sim_env_delete(sim);
}

int main(void)
{
#define FAULT_TEST(name) cmocka_unit_test_setup(name, fault_init)
    const struct CMUnitTest tests[] = {
        FAULT_TEST(it_fails_the_chosen_allocation_once),
        FAULT_TEST(it_fails_all_allocations_from_the_chosen_one_on),
        FAULT_TEST(it_counts_what_is_not_given_back),
        FAULT_TEST(every_kind_can_fail_and_leaves_the_outputs_alone),
        FAULT_TEST(a_place_knows_how_often_it_was_refused),
        FAULT_TEST(the_default_environment_can_be_one_that_fails),
        FAULT_TEST(the_rest_is_that_of_the_wrapped_one),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
