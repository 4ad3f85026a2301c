/* SPDX-License-Identifier: Apache-2.0 */
/* Design notes
 *
 * Each allocation and each mapping fails in turn, from the engine's making to
 * a guest's last delivery: every time a status, and nothing is left. What the
 * engine allocates itself is not reached (out of memory there ends the
 * process). */
#include "base/env_fault.h"
#include "wasm/world_testing.h"

#include <setjmp.h>
#include <stdarg.h>

#include <cmocka.h>

static const char wat[] =
    "(module "
    "(import \"test:world/api@0.1.0\" \"broadcast\""
    " (func $broadcast (param i32 i32 i32 i32 i32)))"
    "(import \"wasi_snapshot_preview1\" \"fd_write\""
    " (func $fd_write (param i32 i32 i32 i32) (result i32)))"
    "(memory (export \"memory\") 1)" WAT_REALLOC
    "(data (i32.const 16) \"\\20\\00\\00\\00\\05\\00\\00\\00hello\")"
    "(func (export \"handle-send\") (param i32 i32)"
    " (drop (call $fd_write (i32.const 1) (i32.const 16) (i32.const 1)"
    "  (i32.const 64)))"
    " (call $broadcast (i32.const 16) (i32.const 1) (i32.const 0)"
    "  (i32.const 0) (i32.const 64))"
    " (drop (memory.grow (i32.const 20)))))";

/* Polls one clock, which is due at once. */
static const char component[] =
    "(component (import \"wasi:io/poll@0.2.1\" (instance $p"
    " (export \"pollable\" (type $r (sub resource)))"
    " (export \"poll\" (func (param \"in\" (list (borrow $r)))"
    "  (result (list u32))))))"
    " (alias export $p \"pollable\" (type $r))"
    " (import \"wasi:clocks/monotonic-clock@0.2.1\" (instance $c"
    " (alias outer 1 $r (type $r2))"
    " (export \"pollable\" (type $r3 (eq $r2)))"
    " (export \"subscribe-duration\""
    "  (func (param \"when\" u64) (result (own $r3))))))"
    " (core module $l (memory (export \"m\") 1)"
    "  (func (export \"r\") (param i32 i32 i32 i32) (result i32)"
    "   (i32.const 64)))"
    " (core instance $y (instantiate $l))"
    " (alias core export $y \"m\" (core memory $mem))"
    " (alias core export $y \"r\" (core func $r))"
    " (core module $m (import \"h\" \"m\" (memory 1))"
    " (import \"h\" \"s\" (func $s (param i64) (result i32)))"
    " (import \"h\" \"p\" (func $p (param i32 i32 i32)))"
    " (func (export \"run\") (i32.store (i32.const 0) (call $s (i64.const 0)))"
    "  (call $p (i32.const 0) (i32.const 1) (i32.const 16))))"
    " (core func $s (canon lower (func $c \"subscribe-duration\")))"
    " (core func $p (canon lower (func $p \"poll\") (memory $mem)"
    "  (realloc $r)))"
    " (core instance $x (instantiate $m (with \"h\" (instance"
    " (export \"m\" (memory $mem)) (export \"s\" (func $s))"
    " (export \"p\" (func $p))))))"
    " (func (export \"run\") (canon lift (core func $x \"run\"))))";

static theater_status_t polling(const theater_env_t *env)
{
    struct world world;
    struct world_guest g = {0};
    theater_status_t status = world_try_open(&world, env, false, NULL);
    if (status != THEATER_OK) {
        return status;
    }
    status = world_guest_new(&world, &g, component);
    if (status == THEATER_OK && world_run(&g, TH_ENTER_RUN) == TH_GUEST_DEAD) {
        status = g.err.status;
        /* Neither too many nor too few: there was no memory for them. */
        assert_null(strstr(g.err.text, "pollables"));
    }
    world_guest_end(&g);
    world_close(&world);
    return status;
}

static theater_status_t scenario(const theater_env_t *env)
{
    struct world world;
    struct world_guest g = {0};
    theater_status_t status = world_try_open(&world, env, false, NULL);
    if (status != THEATER_OK) {
        return status;
    }
    status = world_guest_new(&world, &g, wat);
    if (status == THEATER_OK) {
        world_push(&g, WORLD_SEND, "payload", NULL);
        if (world_run(&g, TH_ENTER_DELIVERIES) == TH_GUEST_DEAD) {
            status = g.err.status;
            assert_int_equal(g.deliveries[0].delivery.status, status);
        }
        assert_int_equal(g.finished, 1);
    }
    assert_int_equal(status, status == THEATER_OK ? THEATER_OK : g.err.status);
    world_guest_end(&g);
    world_close(&world);
    return status;
}

static void fail_each(theater_status_t (*run)(const theater_env_t *env),
                      enum th_fault_kind kind, bool once)
{
    struct th_fault_env fault;
    uint64_t k = 1;
    for (;; k++) {
        th_fault_env_init(&fault, theater_env_default());
        th_fault_env_fail(&fault, kind, k, once);
        theater_status_t status = run(&fault.table);
        assert_int_equal(th_fault_env_live(&fault), 0);
        assert_int_equal(th_fault_env_live_pages(&fault), 0);
        if (th_fault_env_failed(&fault, kind) == 0) {
            assert_int_equal(status, THEATER_OK);
            break;
        }
        /* A reason that found no room is TRAPPED; what the guest could do
         * without is OK. */
        assert_true(status == THEATER_OUT_OF_MEMORY ||
                    status == THEATER_TRAPPED || status == THEATER_OK);
    }
    assert_true(k > 2);
}

static void every_allocation_may_fail_once(void **state)
{
    (void)state;
    fail_each(scenario, TH_FAULT_ALLOC, true);
}

static void every_allocation_may_fail_from_then_on(void **state)
{
    (void)state;
    fail_each(scenario, TH_FAULT_ALLOC, false);
}

static void every_mapping_may_fail(void **state)
{
    (void)state;
    fail_each(scenario, TH_FAULT_MAP, true);
    fail_each(scenario, TH_FAULT_MAP, false);
}

static void a_component_that_polls_may_be_refused_each(void **state)
{
    (void)state;
    fail_each(polling, TH_FAULT_ALLOC, true);
    fail_each(polling, TH_FAULT_ALLOC, false);
    fail_each(polling, TH_FAULT_MAP, true);
}

static void the_ticker_s_thread_may_not_start(void **state)
{
    struct th_fault_env fault;
    (void)state;
    th_fault_env_init(&fault, theater_env_default());
    th_fault_env_fail(&fault, TH_FAULT_THREAD, 1, true);
    assert_int_equal(scenario(&fault.table), THEATER_OUT_OF_MEMORY);
    assert_int_equal(th_fault_env_live(&fault), 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_allocation_may_fail_once),
        cmocka_unit_test(every_allocation_may_fail_from_then_on),
        cmocka_unit_test(every_mapping_may_fail),
        cmocka_unit_test(a_component_that_polls_may_be_refused_each),
        cmocka_unit_test(the_ticker_s_thread_may_not_start),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
