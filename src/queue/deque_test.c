/* SPDX-License-Identifier: Apache-2.0 */
/* The workers' queue: unit, random operations against a plain array, and an
 * owner with thieves. */
#include "queue/deque.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <cmocka.h>

enum { THIEVES = 3, ITEMS = 150000, STEPS = 200000 };

static struct th_deque deque;
static char items[ITEMS];

static void it_is_first_in_first_out_and_full_when_full(void **state)
{
    void *out[TH_DEQUE_SIZE];
    (void)state;

    th_deque_init(&deque);
    assert_null(th_deque_pop(&deque));
    assert_int_equal(th_deque_take(&deque, out, 8, true), 0);
    for (unsigned i = 0; i < TH_DEQUE_SIZE; i++) {
        assert_true(th_deque_push(&deque, &items[i]));
    }
    assert_false(th_deque_push(&deque, &items[0]));
    assert_int_equal(th_deque_size(&deque), TH_DEQUE_SIZE);
    assert_ptr_equal(th_deque_pop(&deque), &items[0]);
    assert_int_equal(th_deque_take(&deque, out, 3, false), 3);
    assert_ptr_equal(out[0], &items[1]);
    assert_ptr_equal(out[2], &items[3]);
    assert_ptr_equal(th_deque_pop(&deque), &items[4]);
}

static void half_is_rounded_up(void **state)
{
    void *out[8];
    (void)state;

    th_deque_init(&deque);
    for (unsigned i = 0; i < 5; i++) {
        assert_true(th_deque_push(&deque, &items[i]));
    }
    assert_int_equal(th_deque_take(&deque, out, 8, true), 3);
    assert_int_equal(th_deque_take(&deque, out, 8, true), 1);
    assert_int_equal(th_deque_take(&deque, out, 8, true), 1);
    assert_int_equal(th_deque_take(&deque, out, 8, true), 0);
}

static void random_operations_agree_with_a_plain_array(void **state)
{
    struct th_rng rng;
    uint64_t head = 0, tail = 0; /* what was pushed is items[n % ITEMS] */
    void *out[64];
    (void)state;

    th_rng_init(&rng, 42);
    th_deque_init(&deque);
    for (unsigned step = 0; step < STEPS; step++) {
        size_t count = (size_t)(tail - head);
        if (th_rng_below(&rng, 1000) < 2) {
            while (th_deque_pop(&deque) != NULL) {
                head++;
            }
            assert_true(head == tail);
        } else if (th_rng_below(&rng, 16) != 0) {
            bool pushed = th_deque_push(&deque, &items[tail % ITEMS]);
            assert_true(pushed == (count < TH_DEQUE_SIZE));
            tail += pushed;
        } else {
            bool half = th_rng_below(&rng, 2) == 0;
            size_t max = 1 + th_rng_below(&rng, 64);
            size_t expected = half ? (count + 1) / 2 : count;
            expected = expected < max ? expected : max;
            assert_int_equal(th_deque_take(&deque, out, max, half), expected);
            for (size_t i = 0; i < expected; i++) {
                assert_ptr_equal(out[i], &items[head % ITEMS]);
                head++;
            }
        }
        assert_int_equal(th_deque_size(&deque), tail - head);
    }
}

/* --- The owner and thieves ---------------------------------------------- */

static _Atomic uint8_t taken[ITEMS];
static _Atomic uint64_t total, wrong;

struct thief {
    theater_thread_t *thread;
    const char *last; /* each taker sees items in the order of pushes */
};

static void took(struct thief *thief, const void *item)
{
    const char *at = item;

    if (atomic_exchange_explicit(&taken[at - items], 1, memory_order_relaxed) !=
            0 ||
        (thief->last != NULL && at <= thief->last)) {
        atomic_fetch_add_explicit(&wrong, 1, memory_order_relaxed);
    }
    thief->last = at;
    atomic_fetch_add_explicit(&total, 1, memory_order_relaxed);
}

static bool more(void)
{
    return atomic_load_explicit(&total, memory_order_relaxed) < ITEMS;
}

static void steal(void *arg)
{
    struct thief *thief = arg;
    void *out[64];

    while (more()) {
        size_t count = th_deque_take(&deque, out, 64, true);
        for (size_t i = 0; i < count; i++) {
            took(thief, out[i]);
        }
    }
}

static void each_item_is_taken_once_and_in_order(void **state)
{
    const theater_env_t *env = theater_env_default();
    struct thief thieves[THIEVES] = {0}, owner = {0};
    (void)state;

    th_deque_init(&deque);
    for (unsigned i = 0; i < THIEVES; i++) {
        assert_int_equal(env->thread_start(env->ctx, "thief", steal,
                                           &thieves[i], &thieves[i].thread),
                         THEATER_OK);
    }
    for (unsigned next = 0; more();) {
        if (next < ITEMS && th_deque_push(&deque, &items[next])) {
            next++;
        }
        if (next == ITEMS || next % 3 == 0) {
            void *item = th_deque_pop(&deque);
            if (item != NULL) {
                took(&owner, item);
            }
        }
    }
    for (unsigned i = 0; i < THIEVES; i++) {
        env->thread_join(env->ctx, thieves[i].thread);
    }
    assert_true(atomic_load_explicit(&total, memory_order_relaxed) == ITEMS);
    assert_true(atomic_load_explicit(&wrong, memory_order_relaxed) == 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(it_is_first_in_first_out_and_full_when_full),
        cmocka_unit_test(half_is_rounded_up),
        cmocka_unit_test(random_operations_agree_with_a_plain_array),
        cmocka_unit_test(each_item_is_taken_once_and_in_order),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
