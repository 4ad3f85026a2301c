/* SPDX-License-Identifier: Apache-2.0 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "base/env_fault.h"
#include "runtime/registry.h"

static int released[3];
static uint64_t deadlines[3];
static uint64_t advanced[3];
static bool busy[3];

static theater_status_t create(void *prototype,
                               const theater_instance_args_t *args,
                               void **out_instance, theater_error_t *err)
{
    (void)prototype;
    (void)args;
    (void)out_instance;
    (void)err;
    return THEATER_FAILED;
}

static void destroy(void *instance)
{
    (void)instance;
}

static int order;

static void release(void *prototype)
{
    released[*(int *)prototype] = ++order;
}

static uint64_t next_deadline(void *prototype)
{
    return deadlines[*(int *)prototype];
}

static void advance(void *prototype, uint64_t now_ns)
{
    advanced[*(int *)prototype] = now_ns;
}

static bool is_busy(void *prototype)
{
    return busy[*(int *)prototype];
}

static const theater_handler_ops_t full = {
    .size = sizeof full,
    .create_instance = create,
    .destroy = destroy,
    .next_deadline = next_deadline,
    .advance = advance,
    .busy = is_busy,
    .release_prototype = release,
};
static const theater_handler_ops_t timed = {
    .size = sizeof timed,
    .create_instance = create,
    .destroy = destroy,
    .next_deadline = next_deadline,
};
static const theater_handler_ops_t least = {
    .size = sizeof least, .create_instance = create, .destroy = destroy};

static int numbers[] = {0, 1, 2};

static void handlers_keep_their_order_and_types_are_unique(void **state)
{
    (void)state;
    theater_handler_registry_t *registry;
    assert_int_equal(theater_handler_registry_new(NULL, &registry), THEATER_OK);
    assert_int_equal(
        theater_handler_registry_register(registry, "b", &full, &numbers[0]),
        THEATER_OK);
    assert_int_equal(
        theater_handler_registry_register(registry, "a", &least, NULL),
        THEATER_OK);
    assert_int_equal(
        theater_handler_registry_register(registry, "b", &full, &numbers[1]),
        THEATER_ALREADY_EXISTS);
    assert_ptr_equal(th_registry_find(registry, "b"), &registry->items[0]);
    assert_ptr_equal(th_registry_find(registry, "a"), &registry->items[1]);
    assert_null(th_registry_find(registry, "c"));
    order = 0;
    theater_handler_registry_delete(registry);
    assert_int_equal(released[0], 1);
    assert_int_equal(released[1], 0); /* refused: still the caller's */
    theater_handler_registry_delete(NULL);
}

static void incomplete_tables_and_too_many_are_refused(void **state)
{
    (void)state;
    theater_handler_registry_t *registry;
    static char names[TH_MAX_HANDLERS + 1][4];
    assert_int_equal(theater_handler_registry_new(NULL, &registry), THEATER_OK);
    theater_handler_ops_t ops = least;
    ops.size = 8;
    assert_int_equal(
        theater_handler_registry_register(registry, "a", &ops, NULL),
        THEATER_INVALID_ARGUMENT);
    ops = least;
    ops.exports_len = 65;
    assert_int_equal(
        theater_handler_registry_register(registry, "a", &ops, NULL),
        THEATER_INVALID_ARGUMENT);
    assert_int_equal(
        theater_handler_registry_register(registry, "", &least, NULL),
        THEATER_INVALID_ARGUMENT);
    for (int i = 0; i <= TH_MAX_HANDLERS; i++) {
        names[i][0] = (char)('a' + i % 26);
        names[i][1] = (char)('a' + i / 26);
        assert_int_equal(
            theater_handler_registry_register(registry, names[i], &least, NULL),
            i < TH_MAX_HANDLERS ? THEATER_OK : THEATER_INVALID_ARGUMENT);
    }
    theater_handler_registry_delete(registry);
}

static void the_earliest_timer_counts_and_all_are_advanced(void **state)
{
    (void)state;
    theater_handler_registry_t *registry;
    assert_int_equal(theater_handler_registry_new(NULL, &registry), THEATER_OK);
    assert_int_equal(th_registry_next_deadline(registry), THEATER_NEVER);
    assert_false(th_registry_busy(registry));
    static const char *const names[] = {"x", "y", "z"};
    for (int i = 0; i < 3; i++) {
        deadlines[i] = 30 - 10 * (uint64_t)i;
        assert_int_equal(theater_handler_registry_register(registry, names[i],
                                                           &full, &numbers[i]),
                         THEATER_OK);
    }
    assert_int_equal(th_registry_next_deadline(registry), 10);
    th_registry_advance(registry, 77);
    for (int i = 0; i < 3; i++) {
        assert_int_equal(advanced[i], 77);
    }
    assert_false(th_registry_busy(registry));
    busy[2] = true;
    assert_true(th_registry_busy(registry));
    theater_handler_registry_delete(registry);
}

static void
a_handler_that_cannot_tell_is_busy_while_it_has_a_timer(void **state)
{
    (void)state;
    theater_handler_registry_t *registry;
    assert_int_equal(theater_handler_registry_new(NULL, &registry), THEATER_OK);
    busy[0] = false;
    deadlines[0] = 5; /* nobody wants it any more: `busy` knows */
    deadlines[1] = THEATER_NEVER;
    assert_int_equal(
        theater_handler_registry_register(registry, "a", &full, &numbers[0]),
        THEATER_OK);
    assert_int_equal(
        theater_handler_registry_register(registry, "b", &timed, &numbers[1]),
        THEATER_OK);
    assert_false(th_registry_busy(registry));
    deadlines[1] = 7;
    assert_true(th_registry_busy(registry));
    theater_handler_registry_delete(registry);
}

static void without_memory_there_is_no_registry(void **state)
{
    (void)state;
    struct th_fault_env fault;
    th_fault_env_init(&fault, theater_env_default());
    th_fault_env_fail(&fault, TH_FAULT_ALLOC, 1, false);
    theater_handler_registry_t *registry = NULL;
    assert_int_equal(theater_handler_registry_new(&fault.table, &registry),
                     THEATER_OUT_OF_MEMORY);
    assert_null(registry);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(handlers_keep_their_order_and_types_are_unique),
        cmocka_unit_test(incomplete_tables_and_too_many_are_refused),
        cmocka_unit_test(the_earliest_timer_counts_and_all_are_advanced),
        cmocka_unit_test(
            a_handler_that_cannot_tell_is_busy_while_it_has_a_timer),
        cmocka_unit_test(without_memory_there_is_no_registry),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
