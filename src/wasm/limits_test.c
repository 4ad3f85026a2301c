/* SPDX-License-Identifier: Apache-2.0 */
/* Design notes
 *
 * Guests that break a limit end alone, with the limit's name, and soon. */
#include "wasm/world_one_testing.h"

#include <stdio.h>

static int set_up(void **state)
{
    (void)set_up_world(state);
    world_options.memory_bytes = (uint64_t)16 << 20;
    world_options.delivery_time_ns = 1000000000;
    world_options.run_time_ns = 1000000000;
    world_options.table_elements = 0;
    return 0;
}

static void dies_of(enum th_guest_entry entry, theater_status_t status,
                    const char *name)
{
    assert_int_equal(world_run(&g, entry), TH_GUEST_DEAD);
    assert_int_equal(g.err.status, status);
    if (strstr(g.err.text, name) == NULL) {
        fail_msg("`%s` is not in: %s", name, g.err.text);
    }
}

#define SPIN "(loop $l (br $l))"

static void an_endless_handler_ends_at_delivery_time(void **state)
{
    (void)state;
    world_options.delivery_time_ns = 30000000;
    make("(module " WAT_MEMORY WAT_REALLOC
         "(func (export \"handle-send\") (param i32 i32) " SPIN "))");
    world_push(&g, WORLD_SEND, "x", NULL);
    uint64_t before = th_now(world.env);
    dies_of(TH_ENTER_DELIVERIES, THEATER_LIMIT, "delivery_time");
    uint64_t took = th_now(world.env) - before;
    /* A late tick may count what was before the delivery. */
    assert_in_range(took, 15000000, 30000000 + 500000000);
    assert_int_equal(g.deliveries[0].delivery.status, THEATER_LIMIT);
    world_guest_end(&g);
}

static void an_endless_run_ends_at_run_time(void **state)
{
    (void)state;
    world_options.run_time_ns = 20000000;
    make("(module (func (export \"run\") " SPIN "))");
    dies_of(TH_ENTER_RUN, THEATER_LIMIT, "run_time");
    world_guest_end(&g);
}

static void an_endless_start_never_becomes_a_guest(void **state)
{
    (void)state;
    world_options.run_time_ns = 20000000;
    assert_int_equal(
        world_guest_new(&world, &g, "(module (func $f " SPIN ") (start $f))"),
        THEATER_LIMIT);
    assert_non_null(strstr(g.err.text, "run_time"));
    world_guest_end(&g);
    assert_int_equal(
        world_guest_new(&world, &g,
                        "(module (func (export \"_initialize\") " SPIN "))"),
        THEATER_LIMIT);
    assert_non_null(strstr(g.err.text, "run_time"));
    world_guest_end(&g);
}

static void a_start_has_a_limit_of_its_own(void **state)
{
    (void)state;
    world_options.run_time_ns = THEATER_NEVER;
    uint64_t before = th_now(world.env);
    assert_int_equal(
        world_guest_new(&world, &g,
                        "(module (func (export \"_initialize\") " SPIN "))"),
        THEATER_LIMIT);
    assert_non_null(strstr(g.err.text, "start_time"));
    assert_true(th_now(world.env) - before >= TH_START_NS);
    world_guest_end(&g);
}

static void a_start_ends_when_the_guest_is_to_go(void **state)
{
    (void)state;
    world_options.run_time_ns = THEATER_NEVER;
    world.ending = true;
    uint64_t before = th_now(world.env);
    theater_status_t status = world_guest_new(
        &world, &g, "(module (func (export \"_initialize\") " SPIN "))");
    world.ending = false;
    assert_int_equal(status, THEATER_CLOSED);
    assert_non_null(strstr(g.err.text, "asked to stop"));
    assert_true(th_now(world.env) - before < TH_START_NS);
    world_guest_end(&g);
}

static void waiting_is_not_computing(void **state)
{
    (void)state;
    world_options.delivery_time_ns = 5000000;
    make("(module " WAT_IMPORT_REQUEST WAT_MEMORY WAT_REALLOC
         "(func (export \"handle-send\") (param i32 i32)"
         " (call $request (i32.const 16) (i32.const 6) (local.get 0)"
         "  (local.get 1) (i32.const 64))))");
    g.must_wait = true;
    world_push(&g, WORLD_SEND, "x", NULL);
    assert_int_equal(world_enter(&g, TH_ENTER_DELIVERIES), TH_GUEST_WAITING);
    uint32_t word = 0;
    uint64_t until = th_now(world.env) + 60000000;
    while (th_now(world.env) < until) {
        world.env->park(world.env->ctx, &word, 0, until);
    }
    g.answer = "late";
    assert_int_equal(world_run(&g, TH_ENTER_DELIVERIES), TH_GUEST_IDLE);
    world_guest_end(&g);
}

static void many_deliveries_have_a_limit_each(void **state)
{
    (void)state;
    world_options.delivery_time_ns = 200000000;
    make("(module " WAT_MEMORY WAT_REALLOC
         "(func (export \"handle-send\") (param i32 i32) (local i64)"
         " (loop $l (local.set 2 (i64.add (local.get 2) (i64.const 1)))"
         "  (br_if $l (i64.lt_u (local.get 2) (i64.const 4000000))))"
         " (global.set $top (i32.const 4096))))");
    for (unsigned i = 0; i < 100; i++) {
        world_push(&g, WORLD_SEND, "x", NULL);
    }
    if (world_run(&g, TH_ENTER_DELIVERIES) != TH_GUEST_IDLE) {
        fail_msg("%s", g.err.text);
    }
    assert_int_equal(g.finished, 100);
    world_guest_end(&g);
}

static void a_memory_bomb_ends_with_the_name_of_the_limit(void **state)
{
    (void)state;
    world_options.memory_bytes = (uint64_t)1 << 20;
    make("(module " WAT_MEMORY "(func (export \"run\") (loop $l"
         " (if (i32.lt_s (memory.grow (i32.const 1)) (i32.const 0))"
         "  (then unreachable)) (br $l))))");
    dies_of(TH_ENTER_RUN, THEATER_LIMIT, "memory");
    assert_int_equal(th_guest_memory_bytes(g.guest), 1 << 20);
    world_guest_end(&g);
}

static void a_module_that_starts_over_the_limit_is_refused(void **state)
{
    (void)state;
    world_options.memory_bytes = (uint64_t)1 << 20;
    assert_int_equal(
        world_guest_new(&world, &g, "(module (memory (export \"memory\") 17))"),
        THEATER_LIMIT);
    assert_non_null(strstr(g.err.text, "memory"));
    world_guest_end(&g);
}

static void memory_keeps_its_bytes_when_it_grows_and_moves(void **state)
{
    (void)state;
    world_options.memory_bytes = (uint64_t)64 << 20;
    make("(module " WAT_MEMORY "(func (export \"run\") (local $i i32)"
         " (loop $l"
         "  (i32.store (i32.mul (local.get $i) (i32.const 65536))"
         "   (i32.add (local.get $i) (i32.const 7)))"
         "  (if (i32.ne (memory.grow (i32.const 1))"
         "   (i32.add (local.get $i) (i32.const 1))) (then unreachable))"
         "  (if (i32.load (i32.mul (memory.size) (i32.const 65532)))"
         "   (then unreachable))" /* what is gained is zero */
         "  (local.set $i (i32.add (local.get $i) (i32.const 1)))"
         "  (br_if $l (i32.lt_u (local.get $i) (i32.const 900))))"
         " (local.set $i (i32.const 0))"
         " (loop $m"
         "  (if (i32.ne (i32.load (i32.mul (local.get $i)"
         "   (i32.const 65536))) (i32.add (local.get $i) (i32.const 7)))"
         "   (then unreachable))"
         "  (local.set $i (i32.add (local.get $i) (i32.const 1)))"
         "  (br_if $m (i32.lt_u (local.get $i) (i32.const 900))))))");
    if (world_run(&g, TH_ENTER_RUN) != TH_GUEST_IDLE) {
        fail_msg("%s", g.err.text);
    }
    assert_int_equal(th_guest_memory_bytes(g.guest), 901 * 65536);
    world_guest_end(&g);
}

static void memory_that_was_used_is_zero_for_the_next_guest(void **state)
{
    static const char wat[] =
        "(module " WAT_MEMORY "(func (export \"run\")"
        " (if (i32.load (i32.const 50000)) (then unreachable))"
        " (i32.store (i32.const 50000) (i32.const -1))))";
    (void)state;
    for (unsigned i = 0; i < 3; i++) {
        make(wat);
        assert_int_equal(world_run(&g, TH_ENTER_RUN), TH_GUEST_IDLE);
        world_guest_end(&g);
    }
}

static void a_huge_table_is_refused(void **state)
{
    (void)state;
    assert_int_equal(
        world_guest_new(&world, &g, "(module (table 1000000 funcref))"),
        THEATER_LIMIT);
    assert_non_null(strstr(g.err.text, "table"));
    world_guest_end(&g);
}

static void tables_have_so_many_elements_and_no_more(void **state)
{
    (void)state;
    for (unsigned n = 9999; n <= 10001; n++) {
        char wat[80];
        (void)snprintf(wat, sizeof wat, "(module (table %u funcref))", n);
        assert_int_equal(world_guest_new(&world, &g, wat),
                         n <= 10000 ? THEATER_OK : THEATER_LIMIT);
        if (n > 10000) {
            assert_non_null(strstr(g.err.text, "table"));
        }
        world_guest_end(&g);
    }
}

static void deep_recursion_ends_with_the_stack_limit(void **state)
{
    (void)state;
    static const char wat[] =
        "(module (func $f (param i32) (result i32)"
        " (i32.add (call $f (i32.add (local.get 0) (i32.const 1)))"
        "  (i32.const 1)))"
        " (func (export \"run\") (drop (call $f (i32.const 0)))))";
    make(wat);
    dies_of(TH_ENTER_RUN, THEATER_LIMIT, "stack");
    world_guest_end(&g);
    /* The same on a large stack. */
    struct th_module *module;
    struct th_guest_options options = world_options;
    struct th_guest *guest;
    theater_error_t err;
    void *instances[1] = {&g};
    options.instances = instances;
    options.ctx = &g;
    assert_int_equal(world_load(&world, wat, TH_STACK_LARGE, &module, &err),
                     THEATER_OK);
    assert_int_equal(th_guest_new(module, &options, &guest, &err), THEATER_OK);
    assert_int_equal(th_guest_enter(guest, TH_ENTER_RUN, NULL, &err),
                     TH_GUEST_DEAD);
    assert_int_equal(err.status, THEATER_LIMIT);
    th_guest_delete(guest);
    th_module_release(module);
}

static void recursion_that_fits_a_large_stack_only_works_there(void **state)
{
    static const char wat[] =
        "(module (func $f (param i32) (result i32)"
        " (if (result i32) (local.get 0) (then"
        "  (i32.add (call $f (i32.sub (local.get 0) (i32.const 1)))"
        "   (i32.const 1))) (else (i32.const 0))))"
        " (func (export \"run\") (drop (call $f (i32.const 50000)))))";
    (void)state;
    make(wat);
    dies_of(TH_ENTER_RUN, THEATER_LIMIT, "stack");
    world_guest_end(&g);
    struct th_module *module;
    struct th_guest_options options = world_options;
    struct th_guest *guest;
    theater_error_t err;
    void *instances[1] = {&g};
    options.instances = instances;
    options.ctx = &g;
    assert_int_equal(world_load(&world, wat, TH_STACK_LARGE, &module, &err),
                     THEATER_OK);
    assert_int_equal(th_guest_new(module, &options, &guest, &err), THEATER_OK);
    assert_int_equal(th_guest_enter(guest, TH_ENTER_RUN, NULL, &err),
                     TH_GUEST_IDLE);
    th_guest_delete(guest);
    th_module_release(module);
}

/* --- With fuel ------------------------------------------------------------ */

static int set_up_fuel(void **state)
{
    (void)set_up(state);
    world_close(&world);
    world_open(&world, NULL, true, NULL);
    return 0;
}

static void with_fuel_the_limits_hold_too(void **state)
{
    (void)state;
    world_options.delivery_time_ns = 3000000;
    make("(module " WAT_MEMORY WAT_REALLOC
         "(func (export \"handle-send\") (param i32 i32) " SPIN "))");
    world_push(&g, WORLD_SEND, "x", NULL);
    dies_of(TH_ENTER_DELIVERIES, THEATER_LIMIT, "delivery_time");
    world_guest_end(&g);
    world_options.run_time_ns = 3000000;
    assert_int_equal(
        world_guest_new(&world, &g, "(module (func $f " SPIN ") (start $f))"),
        THEATER_LIMIT);
    world_guest_end(&g);
}

static void with_fuel_slices_are_the_same_each_time(void **state)
{
    (void)state;
    unsigned asked[2];
    for (unsigned i = 0; i < 2; i++) {
        make("(module " WAT_MEMORY WAT_REALLOC
             "(func (export \"handle-send\") (param i32 i32) (local i64)"
             " (loop $l (local.set 2 (i64.add (local.get 2) (i64.const 1)))"
             "  (br_if $l (i64.lt_u (local.get 2) (i64.const 1000000))))))");
        world_push(&g, WORLD_SEND, "x", NULL);
        g.yield = true;
        assert_int_equal(world_run(&g, TH_ENTER_DELIVERIES), TH_GUEST_IDLE);
        asked[i] = g.asked;
        world_guest_end(&g);
    }
    assert_int_equal(asked[0], asked[1]);
    assert_true(asked[0] > 10);
}

#define TEST(name)                                                             \
    cmocka_unit_test_setup_teardown(name, set_up, tear_down_world)
#define FUEL(name)                                                             \
    cmocka_unit_test_setup_teardown(name, set_up_fuel, tear_down_world)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(an_endless_handler_ends_at_delivery_time),
        TEST(an_endless_run_ends_at_run_time),
        TEST(a_start_has_a_limit_of_its_own),
        TEST(a_start_ends_when_the_guest_is_to_go),
        TEST(an_endless_start_never_becomes_a_guest),
        TEST(waiting_is_not_computing),
        TEST(many_deliveries_have_a_limit_each),
        TEST(a_memory_bomb_ends_with_the_name_of_the_limit),
        TEST(a_module_that_starts_over_the_limit_is_refused),
        TEST(memory_keeps_its_bytes_when_it_grows_and_moves),
        TEST(memory_that_was_used_is_zero_for_the_next_guest),
        TEST(a_huge_table_is_refused),
        TEST(tables_have_so_many_elements_and_no_more),
        TEST(deep_recursion_ends_with_the_stack_limit),
        TEST(recursion_that_fits_a_large_stack_only_works_there),
        FUEL(with_fuel_the_limits_hold_too),
        FUEL(with_fuel_slices_are_the_same_each_time),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
