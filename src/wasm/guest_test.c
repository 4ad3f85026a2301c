/* SPDX-License-Identifier: Apache-2.0 */
/* Design notes
 *
 * What a guest gets and gives: deliveries in, host functions out, waiting,
 * giving way. Guests are WebAssembly text. */
#include "wasm/world_one_testing.h"

/* Counts bytes and forwards what it gets. */
static const char forwarder[] =
    "(module " WAT_IMPORT_SEND WAT_MEMORY WAT_REALLOC
    "(data (i32.const 16) \"target\")"
    "(func (export \"handle-send\") (param i32 i32)"
    " (call $send (i32.const 16) (i32.const 6) (local.get 0) (local.get 1)"
    "  (i32.const 64))"
    " (if (i32.load8_u (i32.const 64)) (then unreachable))"
    " (global.set $top (i32.const 4096))))";

static bool many_alive; /* of the tests that have more guests than g */

static int tear_down(void **state)
{
    if (many_alive) {
        many_alive = false;
        g.module = NULL;
        return 0;
    }
    return tear_down_world(state);
}

static void
what_is_delivered_reaches_the_handler_and_its_send_the_host(void **state)
{
    (void)state;
    make(forwarder);
    for (unsigned i = 0; i < 300; i++) {
        world_push(&g, WORLD_SEND, "payload", NULL);
    }
    world_push(&g, WORLD_SEND, "", NULL);
    world_push(&g, WORLD_SEND, "last one", NULL);
    assert_int_equal(world_enter(&g, TH_ENTER_DELIVERIES), TH_GUEST_IDLE);
    assert_int_equal(g.finished, 302);
    assert_int_equal(g.sends, 302);
    assert_int_equal(g.releases, 302);
    assert_int_equal(g.last_target_len, 6);
    assert_memory_equal(g.last, "last one", 8);
    for (unsigned i = 0; i < 302; i++) {
        assert_int_equal(g.deliveries[i].delivery.status, THEATER_OK);
    }
    world_guest_end(&g);
}

static void a_refused_send_tells_the_guest_code_and_text(void **state)
{
    (void)state;
    make("(module " WAT_IMPORT_SEND WAT_MEMORY WAT_REALLOC
         "(func (export \"handle-send\") (param i32 i32)"
         " (call $send (i32.const 16) (i32.const 0) (local.get 0)"
         "  (local.get 1) (i32.const 64))"
         " (if (i32.ne (i32.load8_u (i32.const 64)) (i32.const 1))"
         "  (then unreachable))"
         " (if (i32.ne (i32.load8_u (i32.const 68)) (i32.const 2))"
         "  (then unreachable))" /* mailbox-full */
         /* the first letters of the text: "The " */
         " (if (i32.ne (i32.load (i32.load (i32.const 72)))"
         "  (i32.const 0x20656854)) (then unreachable))"
         " (if (i32.ne (i32.load (i32.const 76)) (i32.const 61))"
         "  (then unreachable))))");
    g.refuse = THEATER_MAILBOX_FULL;
    assert_int_equal(strlen(theater_status_text(THEATER_MAILBOX_FULL)), 61);
    world_push(&g, WORLD_SEND, "x", NULL);
    if (world_enter(&g, TH_ENTER_DELIVERIES) != TH_GUEST_IDLE) {
        fail_msg("%s", g.err.text);
    }
    assert_int_equal(g.releases, 1);
    world_guest_end(&g);
}

static const char asker[] =
    "(module " WAT_IMPORT_REQUEST WAT_IMPORT_SEND WAT_MEMORY WAT_REALLOC
    "(data (i32.const 16) \"target\")"
    "(func (export \"handle-send\") (param i32 i32)"
    " (call $request (i32.const 16) (i32.const 6) (local.get 0) (local.get 1)"
    "  (i32.const 64))"
    " (if (i32.load8_u (i32.const 64)) (then unreachable))"
    " (call $send (i32.const 16) (i32.const 6) (i32.load (i32.const 68))"
    "  (i32.load (i32.const 72)) (i32.const 64))"
    " (global.set $top (i32.const 4096))))";

static void a_request_answered_at_once_does_not_suspend(void **state)
{
    (void)state;
    make(asker);
    g.answer = "the answer";
    world_push(&g, WORLD_SEND, "q", NULL);
    assert_int_equal(world_enter(&g, TH_ENTER_DELIVERIES), TH_GUEST_IDLE);
    assert_int_equal(g.last_len, 10);
    assert_memory_equal(g.last, "the answer", 10);
    assert_int_equal(g.waits, 0);
    world_guest_end(&g);
}

static void a_waiting_request_suspends_and_goes_on_with_its_answer(void **state)
{
    (void)state;
    make(asker);
    g.must_wait = true;
    world_push(&g, WORLD_SEND, "q", NULL);
    world_push(&g, WORLD_SEND, "q", NULL);
    for (unsigned round = 0; round < 2; round++) {
        g.answer = NULL;
        assert_int_equal(world_enter(&g, TH_ENTER_DELIVERIES),
                         TH_GUEST_WAITING);
        assert_true(th_guest_is_suspended(g.guest));
        assert_int_equal(world_enter(&g, TH_ENTER_DELIVERIES),
                         TH_GUEST_WAITING);
        g.answer = round == 0 ? "first" : "second";
        enum th_guest_state after = world_enter(&g, TH_ENTER_DELIVERIES);
        assert_int_equal(after, round == 0 ? TH_GUEST_WAITING : TH_GUEST_IDLE);
        if (round == 0) {
            assert_memory_equal(g.last, "first", 5);
        }
    }
    assert_memory_equal(g.last, "second", 6);
    assert_int_equal(g.finished, 2);
    assert_int_equal(g.cancels, 0);
    assert_int_equal(g.releases, 4);
    world_guest_end(&g);
}

static void deleting_a_suspended_guest_cancels_and_closes(void **state)
{
    (void)state;
    make(asker);
    g.must_wait = true;
    world_push(&g, WORLD_SEND, "q", NULL);
    assert_int_equal(world_enter(&g, TH_ENTER_DELIVERIES), TH_GUEST_WAITING);
    th_guest_delete(g.guest);
    g.guest = NULL;
    assert_int_equal(g.cancels, 1);
    assert_int_equal(g.releases, 0);
    assert_int_equal(g.finished, 1);
    assert_int_equal(g.deliveries[0].delivery.status, THEATER_CLOSED);
    world_guest_end(&g);
}

static void a_function_that_waits_may_answer_a_number(void **state)
{
    (void)state;
    make("(module (import \"test:world/api@0.1.0\" \"sleep\" (func $sleep"
         " (param i32) (result i32)))"
         "(import \"test:world/api@0.1.0\" \"now\" (func $now (result i64)))"
         "(func (export \"run\")"
         " (if (i64.ne (call $now) (i64.const 0x123456789abcdef0))"
         "  (then unreachable))"
         " (if (i32.ne (call $sleep (i32.const 5)) (i32.const 77))"
         "  (then unreachable))))");
    assert_int_equal(world_enter(&g, TH_ENTER_RUN), TH_GUEST_WAITING);
    g.answer = "";
    assert_int_equal(world_enter(&g, TH_ENTER_RUN), TH_GUEST_IDLE);
    world_guest_end(&g);
}

static void replies_and_decisions_come_back(void **state)
{
    (void)state;
    make("(module " WAT_MEMORY WAT_REALLOC
         "(data (i32.const 128) \"denied by me\")"
         "(global $posts (mut i32) (i32.const 0))"
         "(func (export \"handle-request\") (param i32 i32) (result i32)"
         /* an error when it is given nothing, else the bytes as they are */
         " (i32.store (i32.const 64) (i32.eqz (local.get 1)))"
         " (i32.store (i32.const 68) (select (local.get 0) (i32.const 128)"
         "  (local.get 1)))"
         " (i32.store (i32.const 72) (select (local.get 1) (i32.const 12)"
         "  (local.get 1)))"
         " (i32.const 64))"
         "(func (export \"cabi_post_handle-request\") (param i32)"
         " (if (i32.ne (local.get 0) (i32.const 64)) (then unreachable))"
         " (global.set $posts (i32.add (global.get $posts) (i32.const 1))))"
         "(func (export \"handle-channel-open\") (param i32 i32 i32 i32)"
         " (result i32) (i32.eq (local.get 1) (local.get 3)))"
         "(func (export \"handle-number\") (param i32 i32)"
         " (if (i32.ne (local.get 0) (i32.const 5)) (then unreachable))"
         " (if (i32.ne (local.get 1) (i32.const 1)) (then unreachable))))");
    world_push(&g, WORLD_REQUEST, "question", NULL);
    world_push(&g, WORLD_REQUEST, "", NULL);
    world_push(&g, WORLD_OPEN, "abc", "xyz");
    world_push(&g, WORLD_OPEN, "abc", "x");
    world_push(&g, WORLD_NUMBER, "12345", "");
    if (world_enter(&g, TH_ENTER_DELIVERIES) != TH_GUEST_IDLE) {
        fail_msg("%s", g.err.text);
    }
    assert_int_equal(g.finished, 5);
    assert_int_equal(g.deliveries[0].delivery.status, THEATER_OK);
    assert_memory_equal(g.deliveries[0].answer, "question", 8);
    assert_int_equal(g.deliveries[1].delivery.status, THEATER_FAILED);
    assert_memory_equal(g.deliveries[1].answer, "denied by me", 12);
    assert_int_equal(g.deliveries[2].delivery.result.u32, 1);
    assert_int_equal(g.deliveries[3].delivery.result.u32, 0);
    world_guest_end(&g);
}

static void lists_options_and_strings_cross_both_ways(void **state)
{
    (void)state;
    make("(module (import \"test:world/api@0.1.0\" \"list\" (func $list (param "
         "i32)))"
         "(import \"test:world/api@0.1.0\" \"name\" (func $name (param i32)))"
         "(import \"test:world/api@0.1.0\" \"sender\""
         " (func $sender (param i32)))"
         "(import \"test:world/api@0.1.0\" \"broadcast\" (func $broadcast"
         " (param i32 i32 i32 i32 i32)))"
         "(import \"test:world/api@0.1.0\" \"batch\" (func $batch"
         " (param i32 i32 i32 i32 i32)))" WAT_MEMORY WAT_REALLOC
         "(data (i32.const 16) \"alice|bob\")"
         "(func $is (param i32 i32)"
         " (if (i32.ne (local.get 0) (local.get 1)) (then unreachable)))"
         "(func (export \"run\") (local $p i32)"
         " (call $list (i32.const 64))"
         " (call $is (i32.load (i32.const 68)) (i32.const 3))"
         " (local.set $p (i32.load (i32.const 64)))"
         " (call $is (i32.load offset=4 (local.get $p)) (i32.const 3))"
         " (call $is (i32.load offset=12 (local.get $p)) (i32.const 0))"
         " (call $is (i32.load offset=20 (local.get $p)) (i32.const 5))"
         " (call $is (i32.load (i32.load offset=16 (local.get $p)))"
         "  (i32.const 0x65726874))" /* thre */
         " (call $name (i32.const 64))"
         " (call $is (i32.load (i32.const 68)) (i32.const 5))"
         " (call $is (i32.load (i32.load (i32.const 64)))"
         "  (i32.const 0x73657567))" /* gues */
         " (call $sender (i32.const 64))"
         " (call $is (i32.load8_u (i32.const 64)) (i32.const 0))"
         " (i32.store (i32.const 96) (i32.const 16))"
         " (i32.store (i32.const 100) (i32.const 5))"
         " (i32.store (i32.const 104) (i32.const 22))"
         " (i32.store (i32.const 108) (i32.const 3))"
         " (call $broadcast (i32.const 96) (i32.const 2) (i32.const 0)"
         "  (i32.const 0) (i32.const 64))"
         " (call $is (i32.load (i32.const 68)) (i32.const 3))"
         " (local.set $p (i32.load (i32.const 64)))"
         " (call $is (i32.load8_u (local.get $p)) (i32.const 0))"
         " (call $is (i32.load16_u offset=2 (local.get $p))"
         "  (i32.const 0x0001))" /* some(not-found) */
         " (call $is (i32.load16_u offset=4 (local.get $p))"
         "  (i32.const 0x0201))" /* some(mailbox-full) */
         " (call $batch (i32.const 16) (i32.const 5) (i32.const 96)"
         "  (i32.const 2) (i32.const 64))"
         " (call $is (i32.load8_u (i32.const 64)) (i32.const 0))"
         " (call $is (i32.load (i32.const 68)) (i32.const 2))))");
    if (world_enter(&g, TH_ENTER_RUN) != TH_GUEST_IDLE) {
        fail_msg("%s", g.err.text);
    }
    assert_memory_equal(g.last, "alice", 5);
    assert_int_equal(g.last_list_len, 2);
    world_guest_end(&g);
}

static const char spinner[] =
    "(module " WAT_MEMORY WAT_REALLOC
    "(func (export \"handle-send\") (param i32 i32) (loop $l (br $l))))";

static void a_busy_guest_gives_way_and_goes_on(void **state)
{
    (void)state;
    /* Computes until its send is refused. */
    make("(module " WAT_IMPORT_SEND WAT_MEMORY WAT_REALLOC
         "(func (export \"handle-send\") (param i32 i32)"
         " (loop $l (call $send (i32.const 16) (i32.const 0) (local.get 0)"
         "   (local.get 1) (i32.const 64))"
         "  (br_if $l (i32.eqz (i32.load8_u (i32.const 64)))))))");
    g.yield = true;
    world_push(&g, WORLD_SEND, "x", NULL);
    while (g.sends == 0) { /* a tick may come before it has begun */
        assert_int_equal(world_enter(&g, TH_ENTER_DELIVERIES),
                         TH_GUEST_YIELDED);
    }
    unsigned sends = g.sends;
    assert_int_equal(world_enter(&g, TH_ENTER_DELIVERIES), TH_GUEST_YIELDED);
    assert_true(th_guest_is_suspended(g.guest));
    assert_int_equal(g.finished, 0);
    g.refuse = THEATER_DENIED;
    assert_int_equal(world_run(&g, TH_ENTER_DELIVERIES), TH_GUEST_IDLE);
    assert_true(g.sends > sends);
    assert_int_equal(g.finished, 1);
    world_guest_end(&g);
}

static uint64_t no_time_passes(void *ctx)
{
    (void)ctx;
    return 1;
}

static void no_deadline_comes(void *ctx, const void *word, uint32_t expected,
                              uint64_t deadline_ns)
{
    (void)deadline_ns;
    theater_env_default()->park(ctx, word, expected, THEATER_NEVER);
}

static void the_slice_ends_between_deliveries_too(void **state)
{
    (void)state;
    /* No tick comes: it would make the guest give way inside a delivery. */
    static theater_env_t env;
    env = *theater_env_default();
    env.now_ns = no_time_passes;
    env.park = no_deadline_comes;
    world_close(&world);
    world_open(&world, &env, false, NULL);
    make(forwarder);
    g.yield = true;
    for (unsigned i = 0; i < 1000; i++) {
        world_push(&g, WORLD_SEND, "payload", NULL);
    }
    assert_int_equal(world_enter(&g, TH_ENTER_DELIVERIES), TH_GUEST_YIELDED);
    assert_false(th_guest_is_suspended(g.guest));
    assert_in_range(g.finished, 1, 128);
    assert_int_equal(world_run(&g, TH_ENTER_DELIVERIES), TH_GUEST_IDLE);
    assert_int_equal(g.finished, 1000);
    world_guest_end(&g);
}

static void deleting_a_guest_in_the_middle_of_its_work_closes_it(void **state)
{
    (void)state;
    make(spinner);
    g.yield = true;
    world_push(&g, WORLD_SEND, "x", NULL);
    do { /* a tick may come before it has taken the delivery */
        assert_int_equal(world_enter(&g, TH_ENTER_DELIVERIES),
                         TH_GUEST_YIELDED);
    } while (g.taken == 0);
    th_guest_delete(g.guest);
    g.guest = NULL;
    assert_int_equal(g.deliveries[0].delivery.status, THEATER_CLOSED);
    world_guest_end(&g);
}

static void handle_stop_gets_the_reason(void **state)
{
    (void)state;
    make("(module " WAT_IMPORT_SEND WAT_MEMORY WAT_REALLOC
         "(func (export \"handle-stop\") (param i32 i32)"
         " (call $send (i32.const 0) (i32.const 0) (local.get 0)"
         "  (local.get 1) (i32.const 64))))");
    assert_true(th_module_has_stop(g.module));
    assert_false(th_module_has_run(g.module));
    assert_int_equal(world_enter(&g, TH_ENTER_DELIVERIES), TH_GUEST_IDLE);
    assert_int_equal(world_enter(&g, TH_ENTER_STOP), TH_GUEST_IDLE);
    assert_int_equal(g.last_len, 8);
    assert_memory_equal(g.last, "the test", 8);
    world_guest_end(&g);
}

static void run_comes_first_and_then_the_deliveries(void **state)
{
    (void)state;
    make("(module " WAT_MEMORY WAT_REALLOC
         "(global $ran (mut i32) (i32.const 0))"
         "(func (export \"_initialize\")"
         " (global.set $ran (i32.const 1)))"
         "(func (export \"run\")"
         " (if (i32.ne (global.get $ran) (i32.const 1)) (then unreachable))"
         " (global.set $ran (i32.const 2)))"
         "(func (export \"handle-send\") (param i32 i32)"
         " (if (i32.ne (global.get $ran) (i32.const 2))"
         "  (then unreachable))))");
    world_push(&g, WORLD_SEND, "x", NULL);
    assert_int_equal(world_enter(&g, TH_ENTER_RUN), TH_GUEST_IDLE);
    assert_int_equal(g.finished, 1);
    world_guest_end(&g);
}

static void a_thousand_guests_of_one_module_live_together(void **state)
{
    enum { MANY = 1000 };
    static struct world_guest many[MANY];
    (void)state;
    many_alive = true;
    for (unsigned i = 0; i < MANY; i++) {
        assert_int_equal(world_guest_new(&world, &many[i], forwarder),
                         THEATER_OK);
    }
    assert_ptr_equal(many[0].module, many[MANY - 1].module);
    for (unsigned round = 0; round < 3; round++) {
        for (unsigned i = 0; i < MANY; i++) {
            world_push(&many[i], WORLD_SEND, "hello", NULL);
            if (world_enter(&many[i], TH_ENTER_DELIVERIES) != TH_GUEST_IDLE) {
                fail_msg("%u %u: %s", round, i, many[i].err.text);
            }
        }
        th_engine_trim(world.engine);
    }
    for (unsigned i = 0; i < MANY; i++) {
        assert_int_equal(many[i].sends, 3);
        world_guest_end(&many[i]);
    }
    many_alive = false;
}

static void a_hundred_guests_wait_at_once(void **state)
{
    enum { MANY = 100 };
    static struct world_guest many[MANY];
    (void)state;
    many_alive = true;
    for (unsigned i = 0; i < MANY; i++) {
        assert_int_equal(world_guest_new(&world, &many[i], asker), THEATER_OK);
        many[i].must_wait = true;
        world_push(&many[i], WORLD_SEND, "q", NULL);
        assert_int_equal(world_enter(&many[i], TH_ENTER_DELIVERIES),
                         TH_GUEST_WAITING);
    }
    th_engine_trim(world.engine);
    for (unsigned i = MANY; i > 0; i--) {
        many[i - 1].answer = "yes";
        assert_int_equal(world_enter(&many[i - 1], TH_ENTER_DELIVERIES),
                         TH_GUEST_IDLE);
        assert_memory_equal(many[i - 1].last, "yes", 3);
        world_guest_end(&many[i - 1]);
    }
    many_alive = false;
}

#define TEST(name)                                                             \
    cmocka_unit_test_setup_teardown(name, set_up_world, tear_down)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(what_is_delivered_reaches_the_handler_and_its_send_the_host),
        TEST(a_refused_send_tells_the_guest_code_and_text),
        TEST(a_request_answered_at_once_does_not_suspend),
        TEST(a_waiting_request_suspends_and_goes_on_with_its_answer),
        TEST(deleting_a_suspended_guest_cancels_and_closes),
        TEST(a_function_that_waits_may_answer_a_number),
        TEST(replies_and_decisions_come_back),
        TEST(lists_options_and_strings_cross_both_ways),
        TEST(a_busy_guest_gives_way_and_goes_on),
        TEST(the_slice_ends_between_deliveries_too),
        TEST(deleting_a_guest_in_the_middle_of_its_work_closes_it),
        TEST(handle_stop_gets_the_reason),
        TEST(run_comes_first_and_then_the_deliveries),
        TEST(a_thousand_guests_of_one_module_live_together),
        TEST(a_hundred_guests_wait_at_once),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
