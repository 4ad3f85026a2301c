/* SPDX-License-Identifier: Apache-2.0 */
/* The slab: items stay where they are, are given to one user at a time, and
 * are never more than `max`. */
#include "queue/slab.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>
#include <cmocka.h>

enum { MAX = 1000, THREADS = 3, ROUNDS = 20000, HELD = 100, LARGE = 65536 };

struct item {
    struct th_slab_item head;
    _Atomic uint32_t users; /* more than one at once: given twice */
    uint32_t stamp;
};

static void opened(struct th_slab *slab, uint32_t max)
{
    assert_int_equal(
        th_slab_init(slab, theater_env_default(), sizeof(struct item), max),
        THEATER_OK);
}

static void an_item_keeps_its_index_and_its_place(void **state)
{
    static struct th_slab slab;
    struct item *items[MAX];
    bool full = false;
    (void)state;

    opened(&slab, MAX);
    for (uint32_t i = 0; i < MAX; i++) {
        items[i] = th_slab_get(&slab, &full);
        assert_non_null(items[i]);
        assert_int_equal(items[i]->stamp, 0); /* zeroed at its first use */
        items[i]->stamp = items[i]->head.index + 1;
        assert_ptr_equal(th_slab_at(&slab, items[i]->head.index), items[i]);
    }
    for (uint32_t i = 0; i < MAX; i++) {
        th_slab_put(&slab, &items[i]->head);
    }
    for (uint32_t i = 0; i < MAX; i++) {
        struct item *again = th_slab_get(&slab, &full);
        assert_non_null(again);
        assert_int_equal(again->stamp, again->head.index + 1);
    }
    th_slab_fini(&slab);
}

static void no_more_than_max_are_in_use(void **state)
{
    static struct th_slab slab;
    bool full = false;
    (void)state;

    opened(&slab, 10);
    struct item *last = NULL;
    for (unsigned i = 0; i < 10; i++) {
        last = th_slab_get(&slab, &full);
        assert_non_null(last);
    }
    assert_null(th_slab_get(&slab, &full));
    assert_true(full);
    th_slab_put(&slab, &last->head);
    assert_ptr_equal(th_slab_get(&slab, &full), last);
    assert_null(th_slab_at(&slab, 20));
    assert_null(th_slab_at(&slab, UINT32_MAX));
    th_slab_fini(&slab);
}

static void put_all(void *arg)
{
    struct th_slab *slab = arg;
    struct item *items[32];
    bool full = false;
    for (unsigned i = 0; i < 32; i++) {
        items[i] = th_slab_get(slab, &full);
        TH_CHECK(items[i] != NULL);
    }
    for (unsigned i = 0; i < 32; i++) {
        th_slab_put(slab, &items[i]->head);
    }
}

/* Whatever size it has: where threads keep free items, they are extra. */
static void what_one_thread_frees_another_may_use(void **state)
{
    static const uint32_t sizes[] = {32, LARGE};
    const theater_env_t *env = theater_env_default();
    (void)state;

    for (unsigned i = 0; i < 2; i++) {
        static struct th_slab slab;
        theater_thread_t *thread = NULL;
        bool full = false;
        opened(&slab, sizes[i]);
        assert_int_equal(
            env->thread_start(env->ctx, "other", put_all, &slab, &thread),
            THEATER_OK);
        env->thread_join(env->ctx, thread);
        for (uint32_t n = 0; n < sizes[i]; n++) {
            assert_non_null(th_slab_get(&slab, &full));
        }
        th_slab_fini(&slab);
    }
}

static void a_retired_item_makes_room_for_another(void **state)
{
    static struct th_slab slab;
    bool full = false;
    (void)state;

    opened(&slab, 2);
    for (unsigned i = 0; i < 4; i++) {
        assert_non_null(th_slab_get(&slab, &full));
        th_slab_retire(&slab);
    }
    assert_null(th_slab_get(&slab, &full)); /* as many again, and no more */
    th_slab_fini(&slab);
}

static void random_gets_and_puts_agree_with_a_plain_model(void **state)
{
    static struct th_slab slab;
    static bool used[MAX];
    static struct item *held[MAX];
    unsigned count = 0;
    bool full = false;
    struct th_rng rng;
    (void)state;

    opened(&slab, MAX);
    th_rng_init(&rng, 7);
    for (unsigned i = 0; i < 200000; i++) {
        if (th_rng_below(&rng, 2) == 0) {
            struct item *item = th_slab_get(&slab, &full);
            assert_true((item != NULL) == (count < MAX));
            if (item != NULL) {
                assert_false(used[item->head.index]);
                used[item->head.index] = true;
                held[count++] = item;
            }
        } else if (count != 0) {
            size_t which = (size_t)th_rng_below(&rng, count);
            struct item *item = held[which];
            held[which] = held[--count];
            used[item->head.index] = false;
            th_slab_put(&slab, &item->head);
        }
    }
    th_slab_fini(&slab);
}

struct crowd {
    struct th_slab slab;
    _Atomic uint32_t twice;
    _Atomic uint32_t turn;
};

static void churn(void *arg)
{
    struct crowd *crowd = arg;
    struct item *held[HELD] = {NULL};
    struct th_rng rng;
    bool full = false;

    th_rng_init(
        &rng, atomic_fetch_add_explicit(&crowd->turn, 1, memory_order_relaxed));
    for (unsigned i = 0; i < ROUNDS; i++) {
        size_t at = (size_t)th_rng_below(&rng, HELD);
        if (held[at] == NULL) {
            held[at] = th_slab_get(&crowd->slab, &full);
            if (held[at] != NULL &&
                atomic_fetch_add_explicit(&held[at]->users, 1,
                                          memory_order_acq_rel) != 0) {
                atomic_fetch_add_explicit(&crowd->twice, 1,
                                          memory_order_relaxed);
            }
        } else {
            held[at]->stamp++; /* a race, if it were given twice */
            atomic_fetch_sub_explicit(&held[at]->users, 1,
                                      memory_order_acq_rel);
            th_slab_put(&crowd->slab, &held[at]->head);
            held[at] = NULL;
        }
    }
}

static void many_threads_never_hold_one_item_at_once(void **state)
{
    static struct crowd crowd;
    const theater_env_t *env = theater_env_default();
    theater_thread_t *threads[THREADS];
    (void)state;

    opened(&crowd.slab, LARGE);
    for (unsigned i = 0; i < THREADS; i++) {
        assert_int_equal(
            env->thread_start(env->ctx, "churn", churn, &crowd, &threads[i]),
            THEATER_OK);
    }
    for (unsigned i = 0; i < THREADS; i++) {
        env->thread_join(env->ctx, threads[i]);
    }
    assert_int_equal(atomic_load_explicit(&crowd.twice, memory_order_relaxed),
                     0);
    th_slab_fini(&crowd.slab);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(an_item_keeps_its_index_and_its_place),
        cmocka_unit_test(no_more_than_max_are_in_use),
        cmocka_unit_test(what_one_thread_frees_another_may_use),
        cmocka_unit_test(a_retired_item_makes_room_for_another),
        cmocka_unit_test(random_gets_and_puts_agree_with_a_plain_model),
        cmocka_unit_test(many_threads_never_hold_one_item_at_once),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
