/* SPDX-License-Identifier: Apache-2.0 */
/* The mailbox: what is reserved before it is queued, bounds, generations, and
 * the ring of drop-oldest. */
#include "messaging/mailbox.h"

#include <theater/router.h>

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>
#include <cmocka.h>

enum { GENERATION = 7, PRODUCERS = 2, EACH = 50000 };

static struct th_message *message_of(size_t len)
{
    static const uint8_t bytes[64];
    struct th_message *message = th_message_new(
        theater_env_default(), NULL, THEATER_MESSAGE_SEND,
        (theater_bytes_t){NULL, 0}, (theater_bytes_t){bytes, len}, NULL);
    assert_non_null(message);
    return message;
}

static void opened(struct th_mailbox *box, uint32_t capacity, uint32_t bytes,
                   uint32_t ring)
{
    memset(box, 0, sizeof *box);
    assert_int_equal(th_mailbox_open(theater_env_default(), box, GENERATION,
                                     capacity, bytes, ring),
                     THEATER_OK);
}

static void the_first_reservation_wakes_and_the_bounds_hold(void **state)
{
    struct th_mailbox box;
    (void)state;

    opened(&box, 3, 100, 0);
    assert_int_equal(th_mailbox_reserve(&box, GENERATION, 50, false),
                     TH_RESERVE_WAKE);
    assert_int_equal(th_mailbox_reserve(&box, GENERATION, 50, false),
                     TH_RESERVE_OK);
    assert_int_equal(th_mailbox_reserve(&box, GENERATION, 1, false),
                     TH_RESERVE_FULL); /* bytes */
    assert_int_equal(th_mailbox_reserve(&box, GENERATION, 0, false),
                     TH_RESERVE_OK);
    assert_int_equal(th_mailbox_reserve(&box, GENERATION, 0, false),
                     TH_RESERVE_FULL); /* messages */
    assert_int_equal(th_box_count(th_mailbox_release(&box, 3, 100)), 0);
    assert_int_equal(th_mailbox_reserve(&box, GENERATION, 0, false),
                     TH_RESERVE_WAKE);
}

static void an_empty_mailbox_takes_any_message(void **state)
{
    struct th_mailbox box;
    (void)state;
    opened(&box, 1, 10, 0);
    assert_int_equal(
        th_mailbox_reserve(&box, GENERATION, THEATER_MESSAGE_MAX, false),
        TH_RESERVE_WAKE);
    assert_int_equal(th_mailbox_reserve(&box, GENERATION, 0, false),
                     TH_RESERVE_FULL);
}

static void another_generation_or_a_closed_one_is_gone(void **state)
{
    struct th_mailbox box;
    (void)state;
    opened(&box, 3, 100, 0);
    assert_int_equal(th_mailbox_reserve(&box, GENERATION + 1, 1, false),
                     TH_RESERVE_GONE);
    assert_int_equal(th_mailbox_reserve_exempt(&box, GENERATION - 1),
                     TH_RESERVE_GONE);
    assert_int_equal(th_mailbox_reserve(&box, GENERATION, 1, false),
                     TH_RESERVE_WAKE);
    th_mailbox_close(&box);
    assert_int_equal(th_mailbox_reserve(&box, GENERATION, 1, false),
                     TH_RESERVE_GONE);
    assert_int_equal(th_mailbox_reserve_exempt(&box, GENERATION),
                     TH_RESERVE_GONE);
    /* What was reserved before stays until it is given back. */
    assert_int_equal(
        th_box_count(atomic_load_explicit(&box.bounded, memory_order_relaxed)),
        1);
}

static void who_is_first_in_line_passes_the_others(void **state)
{
    struct th_mailbox box;
    (void)state;
    opened(&box, 3, 100, 0);
    atomic_fetch_or_explicit(&box.bounded, TH_BOX_WAITERS,
                             memory_order_relaxed);
    assert_int_equal(th_mailbox_reserve(&box, GENERATION, 1, false),
                     TH_RESERVE_FULL);
    assert_int_equal(th_mailbox_reserve(&box, GENERATION, 1, true),
                     TH_RESERVE_WAKE);
}

static void a_ring_gives_up_only_what_may_be_dropped(void **state)
{
    const theater_env_t *env = theater_env_default();
    struct th_mailbox box;
    struct th_message *first = message_of(1);
    struct th_message *data = message_of(1);
    struct th_message *out = NULL;
    (void)state;

    opened(&box, 4, 100, 4);
    data->flags = TH_MESSAGE_EXEMPT;
    th_mailbox_push(&box, first);
    th_mailbox_push(&box, data);
    assert_int_equal(th_ring_pop(box.ring, true, &out), TH_MPSC_OK);
    assert_ptr_equal(out, first);
    assert_int_equal(th_ring_pop(box.ring, true, &out), TH_MPSC_EMPTY);
    assert_int_equal(th_mailbox_pop(&box, &out), TH_MPSC_OK);
    assert_ptr_equal(out, data);
    assert_int_equal(th_mailbox_pop(&box, &out), TH_MPSC_EMPTY);
    th_message_free(env, NULL, first);
    th_message_free(env, NULL, data);
    th_mailbox_fini(env, &box);
}

static void a_ring_keeps_order_over_many_laps(void **state)
{
    const theater_env_t *env = theater_env_default();
    struct th_mailbox box;
    struct th_message *out = NULL;
    uint64_t next = 0;
    struct th_rng rng;
    (void)state;

    opened(&box, 8, 1000, 8);
    th_rng_init(&rng, 3);
    uint64_t pushed = 0;
    for (unsigned i = 0; i < 20000; i++) {
        if (pushed - next < 8 && th_rng_below(&rng, 2) == 0) {
            struct th_message *message = message_of(1);
            message->id = pushed++;
            th_mailbox_push(&box, message);
        } else if (th_mailbox_pop(&box, &out) == TH_MPSC_OK) {
            assert_true(out->id == next++);
            th_message_free(env, NULL, out);
        } else {
            assert_true(pushed == next);
        }
    }
    while (th_mailbox_pop(&box, &out) == TH_MPSC_OK) {
        th_message_free(env, NULL, out);
    }
    th_mailbox_fini(env, &box);
}

/* --- Under threads ------------------------------------------------------- */

struct crowd {
    struct th_mailbox box;
    _Atomic uint32_t turn;
    _Atomic uint32_t finished;
    _Atomic uint64_t full;
    _Atomic uint64_t dropped;
    bool drops;
};

static void produce(void *arg)
{
    struct crowd *crowd = arg;
    uint64_t who =
        atomic_fetch_add_explicit(&crowd->turn, 1, memory_order_relaxed);
    struct th_message *oldest = NULL;

    for (uint64_t i = 0; i < EACH;) {
        enum th_reserve reserved =
            th_mailbox_reserve(&crowd->box, GENERATION, 8, false);
        TH_CHECK(reserved != TH_RESERVE_GONE);
        if (reserved == TH_RESERVE_FULL) {
            atomic_fetch_add_explicit(&crowd->full, 1, memory_order_relaxed);
            if (crowd->drops &&
                th_ring_pop(crowd->box.ring, true, &oldest) == TH_MPSC_OK) {
                (void)th_mailbox_release(&crowd->box, 1, 8);
                th_message_free(theater_env_default(), NULL, oldest);
                atomic_fetch_add_explicit(&crowd->dropped, 1,
                                          memory_order_relaxed);
            }
            continue;
        }
        struct th_message *message = message_of(8);
        message->id = who << 32 | i++;
        th_mailbox_push(&crowd->box, message);
    }
    atomic_fetch_add_explicit(&crowd->finished, 1, memory_order_release);
}

/* Takes all; checks each producer's order; answers how many. */
static uint64_t consume(struct crowd *crowd)
{
    uint64_t next[PRODUCERS] = {0};
    uint64_t count = 0;
    struct th_message *message = NULL;

    for (;;) {
        bool last = atomic_load_explicit(&crowd->finished,
                                         memory_order_acquire) == PRODUCERS;
        while (th_mailbox_pop(&crowd->box, &message) == TH_MPSC_OK) {
            uint64_t who = message->id >> 32;
            assert_true((message->id & UINT32_MAX) >= next[who]);
            next[who] = (message->id & UINT32_MAX) + 1;
            th_message_free(theater_env_default(), NULL, message);
            (void)th_mailbox_release(&crowd->box, 1, 8);
            count++;
        }
        if (last) {
            return count;
        }
    }
}

static void under_threads(bool drops)
{
    static struct crowd crowd;
    const theater_env_t *env = theater_env_default();
    theater_thread_t *threads[PRODUCERS];

    memset(&crowd, 0, sizeof crowd);
    opened(&crowd.box, 64, 4096, drops ? 64 : 0);
    crowd.drops = drops;
    for (unsigned i = 0; i < PRODUCERS; i++) {
        assert_int_equal(env->thread_start(env->ctx, "producer", produce,
                                           &crowd, &threads[i]),
                         THEATER_OK);
    }
    uint64_t count = consume(&crowd);
    for (unsigned i = 0; i < PRODUCERS; i++) {
        env->thread_join(env->ctx, threads[i]);
    }
    assert_int_equal(
        count + atomic_load_explicit(&crowd.dropped, memory_order_relaxed),
        PRODUCERS * EACH);
    assert_int_equal(th_box_count(atomic_load_explicit(&crowd.box.bounded,
                                                       memory_order_relaxed)),
                     0);
    assert_int_equal(th_box_bytes(atomic_load_explicit(&crowd.box.bounded,
                                                       memory_order_relaxed)),
                     0);
    th_mailbox_fini(env, &crowd.box);
}

static void producers_lose_nothing_and_keep_their_order(void **state)
{
    (void)state;
    under_threads(false);
}

static void a_ring_loses_only_what_it_says_it_dropped(void **state)
{
    (void)state;
    under_threads(true);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_first_reservation_wakes_and_the_bounds_hold),
        cmocka_unit_test(an_empty_mailbox_takes_any_message),
        cmocka_unit_test(another_generation_or_a_closed_one_is_gone),
        cmocka_unit_test(who_is_first_in_line_passes_the_others),
        cmocka_unit_test(a_ring_gives_up_only_what_may_be_dropped),
        cmocka_unit_test(a_ring_keeps_order_over_many_laps),
        cmocka_unit_test(producers_lose_nothing_and_keep_their_order),
        cmocka_unit_test(a_ring_loses_only_what_it_says_it_dropped),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
