/* SPDX-License-Identifier: Apache-2.0 */
/* Design notes
 *
 * WASI preview 1 as an actor sees it. */
#include "wasm/world_one_testing.h"

#include <stdio.h>

static void runs(void)
{
    if (world_run(&g, TH_ENTER_RUN) != TH_GUEST_IDLE) {
        fail_msg("%s", g.err.text);
    }
}

#define WASI(name, type)                                                       \
    "(import \"wasi_snapshot_preview1\" \"" name "\" (func $" name " " type "))"
#define CHECK                                                                  \
    "(func $is (param i32 i32)"                                                \
    " (if (i32.ne (local.get 0) (local.get 1)) (then unreachable)))"
#define FD_WRITE WASI("fd_write", "(param i32 i32 i32 i32) (result i32)")

static void what_is_written_comes_out_line_by_line(void **state)
{
    (void)state;
    make("(module " FD_WRITE WAT_MEMORY CHECK
         "(data (i32.const 100) \"hello \")"
         "(data (i32.const 110) \"world\\nsecond\\n\\nrest\")"
         "(data (i32.const 200) \"\\64\\00\\00\\00\\06\\00\\00\\00"
         "\\6e\\00\\00\\00\\12\\00\\00\\00\")"
         "(func (export \"run\")"
         " (call $is (call $fd_write (i32.const 1) (i32.const 200)"
         "  (i32.const 2) (i32.const 300)) (i32.const 0))"
         " (call $is (i32.load (i32.const 300)) (i32.const 24))"
         " (call $is (call $fd_write (i32.const 2) (i32.const 208)"
         "  (i32.const 1) (i32.const 300)) (i32.const 0))"
         " (call $is (call $fd_write (i32.const 3) (i32.const 200)"
         "  (i32.const 2) (i32.const 300)) (i32.const 8))"
         " (call $is (call $fd_write (i32.const 1) (i32.const 65535)"
         "  (i32.const 2) (i32.const 300)) (i32.const 21))"
         " (call $is (call $fd_write (i32.const 1) (i32.const 200)"
         "  (i32.const -1) (i32.const 300)) (i32.const 21))))");
    runs();
    assert_string_equal(g.output, "hello world|second||!world|!second|!|");
    th_guest_delete(g.guest); /* what has no end of line comes last */
    g.guest = NULL;
    assert_non_null(strstr(g.output, "rest|!rest|"));
    world_guest_end(&g);
}

static void clocks_and_randomness_are_the_environment_s(void **state)
{
    (void)state;
    make("(module " WASI("clock_time_get", "(param i32 i64 i32) (result i32)")
             WASI("clock_res_get", "(param i32 i32) (result i32)")
                 WASI("random_get", "(param i32 i32) (result i32)")
                     WAT_MEMORY CHECK
         "(func (export \"run\")"
         " (call $is (call $clock_time_get (i32.const 0) (i64.const 0)"
         "  (i32.const 64)) (i32.const 0))"
         " (if (i64.lt_u (i64.load (i32.const 64))"
         "  (i64.const 1600000000000000000)) (then unreachable))"
         " (call $is (call $clock_time_get (i32.const 1) (i64.const 0)"
         "  (i32.const 64)) (i32.const 0))"
         " (if (i64.eqz (i64.load (i32.const 64))) (then unreachable))"
         " (call $is (call $clock_time_get (i32.const 9) (i64.const 0)"
         "  (i32.const 64)) (i32.const 28))"
         " (call $is (call $clock_res_get (i32.const 1) (i32.const 64))"
         "  (i32.const 0))"
         " (call $is (call $random_get (i32.const 64) (i32.const 16))"
         "  (i32.const 0))"
         " (if (i64.eqz (i64.or (i64.load (i32.const 64))"
         "  (i64.load (i32.const 72)))) (then unreachable))"
         " (call $is (call $random_get (i32.const 65530) (i32.const 16))"
         "  (i32.const 21))))");
    runs();
    world_guest_end(&g);
}

/* 2,000 vectors of one byte each, all the same: 1,024 are written. */
static void one_call_writes_and_draws_a_bounded_amount(void **state)
{
    (void)state;
    make("(module " FD_WRITE WASI("random_get", "(param i32 i32) (result i32)")
             CHECK
         "(memory (export \"memory\") 3)"
         "(func (export \"run\") (local $i i32)"
         " (loop $l (i32.store offset=4096"
         "   (i32.shl (local.get $i) (i32.const 3)) (i32.const 4))"
         "  (i32.store offset=4100"
         "   (i32.shl (local.get $i) (i32.const 3)) (i32.const 1))"
         "  (local.set $i (i32.add (local.get $i) (i32.const 1)))"
         "  (br_if $l (i32.lt_u (local.get $i) (i32.const 2000))))"
         " (call $is (call $fd_write (i32.const 1) (i32.const 4096)"
         "  (i32.const 2000) (i32.const 64)) (i32.const 0))"
         " (call $is (i32.load (i32.const 64)) (i32.const 1024))"
         " (call $is (call $random_get (i32.const 0) (i32.const 65536))"
         "  (i32.const 0))"
         " (call $is (call $random_get (i32.const 0) (i32.const 65537))"
         "  (i32.const 28))))");
    runs();
    world_guest_end(&g);
}

static void there_are_no_arguments_and_no_files(void **state)
{
    (void)state;
    make("(module " WASI("args_sizes_get", "(param i32 i32) (result i32)")
             WASI("environ_get", "(param i32 i32) (result i32)")
                 WASI("fd_prestat_get", "(param i32 i32) (result i32)")
                     WASI("fd_fdstat_get", "(param i32 i32) (result i32)")
                         WASI("fd_read", "(param i32 i32 i32 i32) (result i32)")
                             WASI("sched_yield", "(result i32)") WASI(
                                 "path_open",
                                 "(param i32 i32 i32 i32 i32 i64 i64 i32 i32)"
                                 " (result i32)") WAT_MEMORY CHECK
         "(func (export \"run\")"
         " (i64.store (i32.const 64) (i64.const -1))"
         " (call $is (call $args_sizes_get (i32.const 64) (i32.const 68))"
         "  (i32.const 0))"
         " (if (i64.ne (i64.load (i32.const 64)) (i64.const 0))"
         "  (then unreachable))"
         " (call $is (call $environ_get (i32.const 64) (i32.const 68))"
         "  (i32.const 0))"
         " (call $is (call $fd_prestat_get (i32.const 3) (i32.const 64))"
         "  (i32.const 8))"
         " (call $is (call $fd_fdstat_get (i32.const 1) (i32.const 64))"
         "  (i32.const 0))"
         " (call $is (call $fd_fdstat_get (i32.const 3) (i32.const 64))"
         "  (i32.const 8))"
         " (call $is (call $fd_read (i32.const 0) (i32.const 0)"
         "  (i32.const 0) (i32.const 64)) (i32.const 0))"
         " (call $is (i32.load (i32.const 64)) (i32.const 0))"
         " (call $is (call $sched_yield) (i32.const 0))"
         " (call $is (call $path_open (i32.const 3) (i32.const 0)"
         "  (i32.const 0) (i32.const 0) (i32.const 0) (i64.const 0)"
         "  (i64.const 0) (i32.const 0) (i32.const 0)) (i32.const 76))))");
    runs();
    world_guest_end(&g);
}

static void exit_ends_the_actor_well_or_not(void **state)
{
    (void)state;
    for (int status = 0; status < 2; status++) {
        char wat[512];
        (void)snprintf(wat, sizeof wat,
                       "(module " WASI("proc_exit", "(param i32)") WAT_MEMORY
                       "(func (export \"_start\")"
                       " (call $proc_exit (i32.const %d))))",
                       status * 3);
        make(wat);
        assert_true(th_module_has_run(g.module));
        assert_int_equal(world_run(&g, TH_ENTER_RUN), TH_GUEST_DEAD);
        assert_int_equal(g.err.status,
                         status == 0 ? THEATER_OK : THEATER_TRAPPED);
        assert_non_null(strstr(g.err.text, status == 0
                                               ? "exited with status 0"
                                               : "exited with status 3"));
        world_guest_end(&g);
    }
}

static void poll_oneoff_waits_and_is_woken_in_time(void **state)
{
    (void)state;
    make("(module " WASI("poll_oneoff", "(param i32 i32 i32 i32) (result i32)")
             WAT_MEMORY CHECK
         "(func (export \"run\")"
         " (i64.store (i32.const 64) (i64.const 42))" /* userdata */
         " (i32.store (i32.const 80) (i32.const 1))"  /* monotonic */
         " (i64.store (i32.const 88) (i64.const 20000000))"
         " (call $is (call $poll_oneoff (i32.const 64) (i32.const 256)"
         "  (i32.const 1) (i32.const 512)) (i32.const 0))"
         " (call $is (i32.load (i32.const 512)) (i32.const 1))"
         " (call $is (i32.load (i32.const 256)) (i32.const 42))"
         " (call $is (call $poll_oneoff (i32.const 64) (i32.const 256)"
         "  (i32.const 0) (i32.const 512)) (i32.const 28))"
         " (call $is (call $poll_oneoff (i32.const 65536) (i32.const 256)"
         "  (i32.const 1) (i32.const 512)) (i32.const 21))))");
    uint64_t before = th_now(world.env);
    assert_int_equal(world_enter(&g, TH_ENTER_RUN), TH_GUEST_WAITING);
    assert_in_range(g.wake_at, before + 20000000, before + 2000000000);
    assert_int_equal(world_enter(&g, TH_ENTER_RUN), TH_GUEST_WAITING);
    uint32_t word = 0;
    while (th_now(world.env) < g.wake_at) {
        world.env->park(world.env->ctx, &word, 0, g.wake_at);
    }
    if (world_enter(&g, TH_ENTER_RUN) != TH_GUEST_IDLE) {
        fail_msg("%s", g.err.text);
    }
    assert_true(g.wake_at == THEATER_NEVER); /* taken back */
    world_guest_end(&g);
}

static void a_descriptor_is_ready_at_once(void **state)
{
    (void)state;
    make("(module " WASI("poll_oneoff", "(param i32 i32 i32 i32) (result i32)")
             WAT_MEMORY CHECK
         "(func (export \"run\")"
         " (i32.store8 (i32.const 72) (i32.const 2))" /* fd_write of 1 */
         " (i32.store (i32.const 80) (i32.const 1))"
         " (i32.store (i32.const 128) (i32.const 1))"
         " (i64.store (i32.const 136) (i64.const 900000000000))"
         " (call $is (call $poll_oneoff (i32.const 64) (i32.const 256)"
         "  (i32.const 2) (i32.const 512)) (i32.const 0))"
         " (call $is (i32.load (i32.const 512)) (i32.const 1))"
         " (call $is (i32.load8_u (i32.const 266)) (i32.const 2))))");
    runs();
    world_guest_end(&g);
}

#define TEST(name)                                                             \
    cmocka_unit_test_setup_teardown(name, set_up_world, tear_down_world)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(what_is_written_comes_out_line_by_line),
        TEST(clocks_and_randomness_are_the_environment_s),
        TEST(one_call_writes_and_draws_a_bounded_amount),
        TEST(there_are_no_arguments_and_no_files),
        TEST(exit_ends_the_actor_well_or_not),
        TEST(poll_oneoff_waits_and_is_woken_in_time),
        TEST(a_descriptor_is_ready_at_once),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
