/* SPDX-License-Identifier: Apache-2.0 */
/* The queue of many producers and one consumer: unit tests, random operations
 * against a naive list, and a stress run. The seeded interleavings are in
 * tests/interleave/. */
#include "queue/mpsc.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <cmocka.h>

struct node {
    struct th_mpsc_node link;
    unsigned producer;
    unsigned seq;
};

static struct node *pop(struct th_mpsc *queue)
{
    struct th_mpsc_node *link = NULL;
    enum th_mpsc_result result = th_mpsc_pop(queue, &link);
    if (result == TH_MPSC_EMPTY) {
        return NULL;
    }
    assert_int_equal(result, TH_MPSC_OK);
    return TH_CONTAINER_OF(link, struct node, link);
}

static void a_fresh_queue_is_empty_and_stays_so(void **state)
{
    struct th_mpsc queue;
    (void)state;
    th_mpsc_init(&queue);
    assert_true(th_mpsc_is_empty(&queue));
    assert_null(pop(&queue));
    assert_null(pop(&queue));
    assert_true(th_mpsc_is_empty(&queue));
}

static void what_was_pushed_first_is_popped_first(void **state)
{
    struct th_mpsc queue;
    struct node nodes[3];
    (void)state;
    th_mpsc_init(&queue);
    for (unsigned i = 0; i < 3; i++) {
        th_mpsc_push(&queue, &nodes[i].link);
    }
    for (unsigned i = 0; i < 3; i++) {
        assert_false(th_mpsc_is_empty(&queue));
        assert_ptr_equal(pop(&queue), &nodes[i]);
    }
    assert_true(th_mpsc_is_empty(&queue));
    assert_null(pop(&queue));
}

static void a_popped_node_may_be_pushed_again_at_once(void **state)
{
    struct th_mpsc queue;
    struct node node;
    (void)state;
    th_mpsc_init(&queue);
    for (unsigned i = 0; i < 100; i++) {
        th_mpsc_push(&queue, &node.link);
        assert_ptr_equal(pop(&queue), &node);
        memset(&node, 0x5A, sizeof(node));
    }
    assert_null(pop(&queue));
}

static void a_push_that_is_under_way_is_told_from_empty(void **state)
{
    struct th_mpsc queue;
    struct th_mpsc_node *none = NULL;
    struct node node;
    struct node later;
    (void)state;
    th_mpsc_init(&queue);
    /* A producer that stands between [M1] and [M2]. */
    atomic_init(&node.link.next, NULL);
    struct th_mpsc_node *prev =
        atomic_exchange_explicit(&queue.tail, &node.link, memory_order_acq_rel);
    assert_int_equal(th_mpsc_pop(&queue, &none), TH_MPSC_RETRY);
    assert_false(th_mpsc_is_empty(&queue));
    th_mpsc_push(&queue, &later.link);
    assert_int_equal(th_mpsc_pop(&queue, &none), TH_MPSC_RETRY);
    assert_null(none);
    atomic_store_explicit(&prev->next, &node.link, memory_order_release);
    assert_ptr_equal(pop(&queue), &node);
    assert_ptr_equal(pop(&queue), &later);
    assert_null(pop(&queue));
}

enum { POOL = 32, OPERATIONS = 100000 };

static void random_operations_do_what_a_naive_list_does(void **state)
{
    (void)state;
    for (uint64_t seed = 1; seed <= 10; seed++) {
        struct th_mpsc queue;
        struct th_rng rng;
        struct node nodes[POOL];
        struct node *list[POOL]; /* the model: in order */
        struct node *spare[POOL];
        unsigned queued = 0;
        unsigned spares = 0;

        th_rng_init(&rng, seed);
        th_mpsc_init(&queue);
        for (; spares < POOL; spares++) {
            spare[spares] = &nodes[spares];
        }
        for (unsigned i = 0; i < OPERATIONS; i++) {
            /* Tides, so that it is empty at times and full at others. */
            bool push = th_rng_below(&rng, 16) < (i / 64 % 2 ? 10u : 6u);
            if (push && spares > 0) {
                list[queued] = spare[--spares];
                th_mpsc_push(&queue, &list[queued++]->link);
                continue;
            }
            struct node *node = pop(&queue);
            assert_ptr_equal(node, queued > 0 ? list[0] : NULL);
            if (node != NULL) {
                queued--;
                memmove(list, list + 1, queued * sizeof(list[0]));
                spare[spares++] = node;
            }
        }
    }
}

/* --- Stress ------------------------------------------------------------- */

enum { PRODUCERS = 4, EACH = 100000 };

struct producer {
    struct th_mpsc *queue;
    struct node *nodes;
    unsigned who;
    theater_thread_t *thread;
};

static void produce(void *arg)
{
    struct producer *producer = arg;
    for (unsigned i = 0; i < EACH; i++) {
        struct node *node = &producer->nodes[i];
        node->producer = producer->who;
        node->seq = i;
        th_mpsc_push(producer->queue, &node->link);
    }
}

static void consume(struct th_mpsc *queue)
{
    const theater_env_t *env = theater_env_default();
    uint64_t give_up = th_now(env) + UINT64_C(50000000000);
    unsigned next[PRODUCERS] = {0};
    unsigned popped = 0;

    while (popped < PRODUCERS * EACH) {
        struct th_mpsc_node *link = NULL;
        if (th_mpsc_pop(queue, &link) != TH_MPSC_OK) {
            assert_true(th_now(env) < give_up);
            th_pause();
            continue;
        }
        struct node *node = TH_CONTAINER_OF(link, struct node, link);
        assert_true(node->producer < PRODUCERS);
        assert_int_equal(node->seq, next[node->producer]);
        next[node->producer]++;
        popped++;
    }
}

static void many_producers_lose_nothing_and_keep_their_order(void **state)
{
    const theater_env_t *env = theater_env_default();
    struct producer producers[PRODUCERS];
    struct th_mpsc_node *none = NULL;
    struct th_mpsc queue;
    (void)state;

    th_mpsc_init(&queue);
    for (unsigned i = 0; i < PRODUCERS; i++) {
        producers[i].queue = &queue;
        producers[i].who = i;
        producers[i].nodes = th_alloc(env, EACH * sizeof(struct node));
        assert_non_null(producers[i].nodes);
        assert_int_equal(env->thread_start(env->ctx, "produce", produce,
                                           &producers[i], &producers[i].thread),
                         THEATER_OK);
    }
    consume(&queue);
    for (unsigned i = 0; i < PRODUCERS; i++) {
        env->thread_join(env->ctx, producers[i].thread);
        th_free(env, producers[i].nodes);
    }
    assert_int_equal(th_mpsc_pop(&queue, &none), TH_MPSC_EMPTY);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_fresh_queue_is_empty_and_stays_so),
        cmocka_unit_test(what_was_pushed_first_is_popped_first),
        cmocka_unit_test(a_popped_node_may_be_pushed_again_at_once),
        cmocka_unit_test(a_push_that_is_under_way_is_told_from_empty),
        cmocka_unit_test(random_operations_do_what_a_naive_list_does),
        cmocka_unit_test(many_producers_lose_nothing_and_keep_their_order),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
