/* SPDX-License-Identifier: Apache-2.0 */
/* Design notes
 *
 * Guests that park, at the edges: at the end of a slice, at the end of their
 * stack. Both edges are found by trying what lies around them. */
#include "wasm/internal.h"
#include "wasm/world_one_testing.h"

#include <stdio.h>

/* Computes as many rounds as its memory says at 8, then as many of a loop of
 * another length as it says at 12. */
static const char counter[] =
    "(module " WAT_MEMORY WAT_REALLOC
    "(func (export \"handle-stop\") (param i32 i32))"
    "(func (export \"handle-send\") (param i32 i32) (local i32)"
    " (loop $l (local.set 2 (i32.add (local.get 2) (i32.const 1)))"
    "  (br_if $l (i32.lt_u (local.get 2) (i32.load (i32.const 8)))))"
    " (local.set 2 (i32.const 0))"
    " (loop $k (local.set 2 (i32.sub (i32.add (local.get 2)"
    "   (i32.const 3)) (i32.const 2)))"
    "  (br_if $k (i32.lt_u (local.get 2) (i32.load (i32.const 12)))))"
    " (global.set $top (i32.const 4096))))";

/* Makes one that is parked; answers what it has computed by then. */
static uint64_t make_parked(uint32_t rounds, uint32_t more)
{
    make(counter);
    for (unsigned i = 0; i <= TH_ROUNDS; i++) {
        if (i == TH_ROUNDS) {
            memcpy(g.guest->memory.base + 8, &rounds, sizeof rounds);
            memcpy(g.guest->memory.base + 12, &more, sizeof more);
        }
        world_push(&g, WORLD_SEND, "x", NULL);
        assert_int_equal(world_run(&g, TH_ENTER_DELIVERIES), TH_GUEST_IDLE);
    }
    assert_true(g.guest->parked);
    return th_limits_clock(g.guest);
}

/* All that it may have left when it is asked to stop is tried, from a little to
 * nothing: somewhere the slice ends on the way out of the loop. */
static void a_parked_guest_stops_whatever_is_left_of_its_slice(void **state)
{
    (void)state;
    world_options.delivery_time_ns = world_options.run_time_ns = 1000000000;
    world_open(&world, NULL, true, NULL);
    uint64_t least = make_parked(1000, 0);
    world_guest_end(&g);
    uint64_t each = make_parked(1001, 0) - least;
    world_guest_end(&g);
    uint32_t from = 1000 + (uint32_t)((TH_FUEL_SLICE - least) / each) - 10;
    for (uint32_t i = 0; i < 200; i++) {
        (void)make_parked(from + i / 10, i % 10);
        g.yield = true; /* as whoever is asked to stop */
        assert_int_equal(world_run(&g, TH_ENTER_STOP), TH_GUEST_IDLE);
        world_guest_end(&g);
    }
    world_close(&world);
}

/* Makes a request that has to wait, `depth` calls deep. */
static void ask_deep(unsigned depth)
{
    char wat[2048];
    (void)snprintf(
        wat, sizeof wat,
        "(module " WAT_IMPORT_REQUEST WAT_MEMORY WAT_REALLOC
        "(func $f (param i32) (if (local.get 0)"
        " (then (call $f (i32.sub (local.get 0) (i32.const 1))))"
        " (else (call $request (i32.const 0) (i32.const 0) (i32.const 0)"
        "  (i32.const 0) (i32.const 64)))))"
        "(func (export \"run\") (call $f (i32.const %u))))",
        depth);
    make(wat);
    g.must_wait = true;
}

static void a_call_that_waits_is_cancelled_where_the_stack_ends(void **state)
{
    unsigned least = 1, most = 65536; /* waits; traps before it asks */
    (void)state;
    world_open(&world, NULL, false, NULL);
    while (most - least > 1) {
        unsigned depth = (least + most) / 2;
        ask_deep(depth);
        if (world_enter(&g, TH_ENTER_RUN) == TH_GUEST_WAITING) {
            least = depth;
        } else {
            most = depth;
        }
        world_guest_end(&g);
    }
    unsigned between = 0;
    for (unsigned depth = least - 4; depth < least + 12; depth++) {
        ask_deep(depth);
        bool dead = world_enter(&g, TH_ENTER_RUN) == TH_GUEST_DEAD;
        unsigned asked = g.waits;
        between += dead && asked > 0;
        th_guest_delete(g.guest);
        g.guest = NULL;
        assert_int_equal(g.cancels, asked > 0);
        assert_int_equal(g.releases, 0);
        world_guest_end(&g);
    }
    /* Else this looked past what it is about. */
    assert_true(between > 0);
    world_close(&world);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_call_that_waits_is_cancelled_where_the_stack_ends),
        cmocka_unit_test(a_parked_guest_stops_whatever_is_left_of_its_slice),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
