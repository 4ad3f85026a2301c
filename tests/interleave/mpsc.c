/* SPDX-License-Identifier: Apache-2.0 */
/* Seeded interleavings of queue/mpsc.h: two producers and the consumer. */
#include "queue/mpsc.h"

#include "base/interleave.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>
#include <cmocka.h>

enum { PRODUCERS = 2, EACH = 4, SEEDS = 1000 };

struct node {
    struct th_mpsc_node link;
    unsigned producer;
    unsigned seq;
};

struct world {
    struct th_mpsc queue;
    struct node nodes[PRODUCERS][EACH];
    unsigned next_seq[PRODUCERS]; /* what the consumer expects */
    unsigned popped;
    unsigned retries;
    unsigned empties;
};

static void consume(struct world *world)
{
    while (world->popped < PRODUCERS * EACH) {
        struct th_mpsc_node *link = NULL;
        enum th_mpsc_result result = th_mpsc_pop(&world->queue, &link);
        if (result != TH_MPSC_OK) {
            world->retries += result == TH_MPSC_RETRY ? 1 : 0;
            world->empties += result == TH_MPSC_EMPTY ? 1 : 0;
            continue;
        }
        struct node *node = TH_CONTAINER_OF(link, struct node, link);
        TH_CHECK(node->seq == world->next_seq[node->producer]);
        world->next_seq[node->producer]++;
        world->popped++;
        /* Popped: the queue must not look at it again. */
        memset(node, 0x5A, sizeof(*node));
    }
}

static void run(void *ctx, unsigned who)
{
    struct world *world = ctx;
    if (who == PRODUCERS) {
        consume(world);
        return;
    }
    for (unsigned i = 0; i < EACH; i++) {
        struct node *node = &world->nodes[who][i];
        node->producer = who;
        node->seq = i;
        th_mpsc_push(&world->queue, &node->link);
    }
}

static int compare(const void *a, const void *b)
{
    const uint64_t *x = a;
    const uint64_t *y = b;
    return (*x > *y) - (*x < *y);
}

static uint64_t run_seed(uint64_t seed, struct world *world)
{
    struct th_interleave plan = {seed, PRODUCERS + 1, run, world};
    memset(world, 0, sizeof(*world));
    th_mpsc_init(&world->queue);
    return th_interleave_run(&plan);
}

static void each_order_of_pushes_and_pops_keeps_all_nodes_in_order(void **state)
{
    static uint64_t hashes[SEEDS];
    static struct world world;
    unsigned retries = 0;
    unsigned different = 1;
    uint64_t seeds = th_interleave_seeds(SEEDS);
    (void)state;

    assert_true(seeds <= SEEDS);
    for (uint64_t i = 0; i < seeds; i++) {
        hashes[i] = run_seed(th_interleave_first_seed() + i, &world);
        retries += world.retries;
        assert_int_equal(world.popped, PRODUCERS * EACH);
        struct th_mpsc_node *none = NULL;
        assert_int_equal(th_mpsc_pop(&world.queue, &none), TH_MPSC_EMPTY);
    }
    /* The seeds led to different runs, and to a producer in the middle. */
    qsort(hashes, seeds, sizeof(hashes[0]), compare);
    for (unsigned i = 1; i < seeds; i++) {
        different += hashes[i] != hashes[i - 1] ? 1 : 0;
    }
    assert_true(different > seeds * 9 / 10);
    assert_true(retries > 0);
}

static void the_same_seed_gives_the_same_run(void **state)
{
    static struct world world;
    (void)state;
    for (uint64_t seed = 0; seed < 50; seed++) {
        uint64_t first = run_seed(seed, &world);
        unsigned empties = world.empties;
        assert_true(run_seed(seed, &world) == first);
        assert_int_equal(world.empties, empties);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(
            each_order_of_pushes_and_pops_keeps_all_nodes_in_order),
        cmocka_unit_test(the_same_seed_gives_the_same_run),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
