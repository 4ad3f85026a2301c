/* SPDX-License-Identifier: Apache-2.0 */
/* The queue from outside: unit, random operations against a count, and many
 * producers with many takers. */
#include "queue/injector.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <cmocka.h>

enum { PRODUCERS = 3, TAKERS = 2, EACH = 60000, STEPS = 100000 };

struct item {
    struct th_mpsc_node node;
    unsigned producer;
    unsigned seq;
};

static struct th_injector injector;
static struct item items[PRODUCERS][EACH];

static struct item *item_of(struct th_mpsc_node *node)
{
    return TH_CONTAINER_OF(node, struct item, node);
}

/* Links `count` items from `first` on, and pushes them at once. */
static void push(struct item *first, size_t count)
{
    for (size_t i = 0; i + 1 < count; i++) {
        atomic_store_explicit(&first[i].node.next, &first[i + 1].node,
                              memory_order_relaxed);
    }
    th_injector_push(&injector, &first->node, &first[count - 1].node, count);
}

static void one_at_a_time_has_the_right_to_take(void **state)
{
    struct th_mpsc_node *node;
    (void)state;

    th_injector_init(&injector);
    assert_int_equal(th_injector_size(&injector), 0);
    assert_true(th_injector_try_begin(&injector));
    assert_true(th_injector_taking(&injector));
    assert_false(th_injector_try_begin(&injector));
    assert_int_equal(th_injector_pop(&injector, &node), TH_MPSC_EMPTY);
    th_injector_end(&injector);
    assert_false(th_injector_taking(&injector));
    assert_true(th_injector_try_begin(&injector));
}

static void random_operations_keep_order_and_count(void **state)
{
    struct th_rng rng;
    uint64_t pushed = 0, popped = 0;
    (void)state;

    th_rng_init(&rng, 5);
    th_injector_init(&injector);
    assert_true(th_injector_try_begin(&injector));
    for (unsigned step = 0; step < STEPS; step++) {
        struct th_mpsc_node *node = NULL;
        size_t place = (size_t)(pushed % EACH);
        size_t count = 1 + th_rng_below(&rng, 9);
        if (th_rng_below(&rng, 5) == 0 && place + count <= EACH &&
            pushed - popped + count <= EACH) {
            push(&items[0][place], count);
            pushed += count;
        } else if (place + count > EACH && pushed - popped < EACH) {
            push(&items[0][place], 1);
            pushed++;
        } else if (pushed == popped) {
            assert_int_equal(th_injector_pop(&injector, &node), TH_MPSC_EMPTY);
        } else {
            assert_int_equal(th_injector_pop(&injector, &node), TH_MPSC_OK);
            assert_ptr_equal(item_of(node), &items[0][popped % EACH]);
            popped++;
        }
        assert_int_equal(th_injector_size(&injector), pushed - popped);
    }
    assert_true(popped > STEPS / 4);
}

/* --- Many of each ------------------------------------------------------- */

static _Atomic uint64_t total, wrong;
static unsigned expected[PRODUCERS]; /* of who has the right to take */

static void produce(void *arg)
{
    struct item *mine = arg;
    size_t count = 1;

    for (size_t at = 0; at < EACH; at += count) {
        count = 1 + at % 7;
        if (at + count > EACH) {
            count = EACH - at;
        }
        push(&mine[at], count);
    }
}

static void take(void *arg)
{
    (void)arg;
    while (atomic_load_explicit(&total, memory_order_relaxed) <
           PRODUCERS * EACH) {
        struct th_mpsc_node *node;
        if (!th_injector_try_begin(&injector)) {
            th_pause();
            continue;
        }
        for (unsigned i = 0;
             i < 64 && th_injector_pop(&injector, &node) == TH_MPSC_OK; i++) {
            struct item *item = item_of(node);
            if (item->seq != expected[item->producer]) {
                atomic_fetch_add_explicit(&wrong, 1, memory_order_relaxed);
            }
            expected[item->producer] = item->seq + 1;
            atomic_fetch_add_explicit(&total, 1, memory_order_relaxed);
        }
        th_injector_end(&injector);
    }
}

static void nothing_is_lost_and_each_producers_order_is_kept(void **state)
{
    const theater_env_t *env = theater_env_default();
    theater_thread_t *threads[PRODUCERS + TAKERS];
    (void)state;

    th_injector_init(&injector);
    for (unsigned i = 0; i < PRODUCERS * EACH; i++) {
        items[i / EACH][i % EACH].producer = i / EACH;
        items[i / EACH][i % EACH].seq = i % EACH;
    }
    for (unsigned i = 0; i < PRODUCERS + TAKERS; i++) {
        bool producer = i < PRODUCERS;
        assert_int_equal(
            env->thread_start(env->ctx, "injector", producer ? produce : take,
                              producer ? items[i] : NULL, &threads[i]),
            THEATER_OK);
    }
    for (unsigned i = 0; i < PRODUCERS + TAKERS; i++) {
        env->thread_join(env->ctx, threads[i]);
    }
    assert_true(atomic_load_explicit(&total, memory_order_relaxed) ==
                PRODUCERS * EACH);
    assert_true(atomic_load_explicit(&wrong, memory_order_relaxed) == 0);
    assert_int_equal(th_injector_size(&injector), 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(one_at_a_time_has_the_right_to_take),
        cmocka_unit_test(random_operations_keep_order_and_count),
        cmocka_unit_test(nothing_is_lost_and_each_producers_order_is_kept),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
