/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The wait of the message-server handler against a router that answers at
 * the worst moments. wait.c is linked alone; the router's cancel and the
 * runtime's wake are this file's. An "actor" is memory that is poisoned when
 * it ends: a callback that still touches it then is seen here, and by the
 * address and thread sanitizers.
 */
#include "handlers/message_server/server.h"

#include <pthread.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <cmocka.h>

enum { ALIVE = 0x600d, DEAD = 0xdead };

struct theater_actor {
    _Atomic uint32_t mark;
    _Atomic uint32_t wakes;
};

enum { UNDER_WAY, ENDED, ROUNDS = 20000, WAITS = 3 };

/* One operation; never used twice, so that a late answerer finds its own. */
struct op {
    struct th_ms *ms;
    _Atomic uint32_t state;
};

struct world {
    pthread_t thread;
    _Atomic(struct op *) started; /* for the answerer */
    _Atomic bool end;
    _Atomic uint32_t dead_touched;
    struct op ops[ROUNDS * WAITS];
    size_t ops_len;
};

static struct world world;

void theater_actor_wake(theater_actor_t *actor)
{
    /* Long enough to be overtaken. */
    for (int i = 0; i < 50; i++) {
        th_pause();
    }
    uint32_t mark = atomic_load_explicit(&actor->mark, memory_order_relaxed);
    if (mark != ALIVE) {
        atomic_fetch_add_explicit(&world.dead_touched, 1, memory_order_relaxed);
    }
    atomic_fetch_add_explicit(&actor->wakes, 1, memory_order_relaxed);
}

void theater_answer_delete(theater_answer_t *answer)
{
    free(answer);
}

/* As the router's: whoever moves the operation to ENDED calls back. */
static bool end_op(struct op *op)
{
    uint32_t expected = UNDER_WAY;
    return atomic_compare_exchange_strong_explicit(&op->state, &expected, ENDED,
                                                   memory_order_acq_rel,
                                                   memory_order_acquire);
}

theater_status_t theater_router_cancel(theater_router_t *router,
                                       theater_request_id_t id)
{
    struct op *op = (struct op *)(uintptr_t)id.value;
    (void)router;
    if (!end_op(op)) {
        return THEATER_INVALID_ARGUMENT;
    }
    th_ms_done(op->ms, THEATER_CANCELLED, NULL);
    return THEATER_OK;
}

static void *answerer(void *arg)
{
    (void)arg;
    while (!atomic_load_explicit(&world.end, memory_order_acquire)) {
        struct op *op = atomic_exchange_explicit(&world.started, NULL,
                                                 memory_order_acq_rel);
        if (op != NULL && end_op(op)) {
            th_ms_done(op->ms, THEATER_OK, malloc(8));
        }
    }
    return NULL;
}

static void begin(struct th_ms *ms)
{
    struct op *op = &world.ops[world.ops_len++];
    op->ms = ms;
    th_ms_wait_begin(ms);
    ms->wait.id.value = (uint64_t)(uintptr_t)op;
    atomic_store_explicit(&world.started, op, memory_order_release);
}

static void end_actor(struct th_ms *ms)
{
    theater_actor_t *actor = ms->actor;
    th_ms_wait_settle(ms);
    theater_answer_delete(ms->answer);
    memset(ms, 0xA5, sizeof(*ms));
    free(ms);
    atomic_store_explicit(&actor->mark, DEAD, memory_order_relaxed);
    free(actor);
}

static struct th_ms *new_actor(void)
{
    struct th_ms *ms = calloc(1, sizeof(*ms));
    theater_actor_t *actor = calloc(1, sizeof(*actor));
    assert_non_null(ms);
    assert_non_null(actor);
    atomic_init(&actor->mark, ALIVE);
    ms->actor = actor;
    ms->env = theater_env_default();
    return ms;
}

/* What an actor may do while its answer comes: wait for it, once or several
 * times, or end at any moment. */
static void no_callback_touches_an_actor_that_has_ended(void **state)
{
    (void)state;
    struct th_rng rng;
    unsigned answered = 0;
    unsigned cancelled = 0;
    th_rng_init(&rng, 11);
    for (int round = 0; round < ROUNDS; round++) {
        struct th_ms *ms = new_actor();
        unsigned waits = 1 + (unsigned)th_rng_below(&rng, WAITS);
        for (unsigned i = 0; i < waits; i++) {
            begin(ms);
            unsigned patience = (unsigned)th_rng_below(&rng, 400);
            bool patient = round % 100 == 0; /* the other thread may sleep */
            while ((patient || patience > 0) && !th_ms_wait_ready(ms)) {
                patience -= patience > 0;
            }
            if (!th_ms_wait_ready(ms)) {
                th_ms_wait_cancel(ms);
                cancelled++;
                break;
            }
            if (th_ms_wait_take(ms) == THEATER_OK) {
                assert_non_null(ms->answer);
                answered++;
            }
            theater_answer_delete(ms->answer);
            ms->answer = NULL;
        }
        end_actor(ms);
    }
    assert_int_equal(
        atomic_load_explicit(&world.dead_touched, memory_order_relaxed), 0);
    assert_true(answered > 0);
    assert_true(cancelled > 0);
}

static void
an_operation_that_was_refused_leaves_nothing_to_wait_for(void **state)
{
    (void)state;
    struct th_ms *ms = new_actor();
    th_ms_wait_begin(ms);
    th_ms_wait_refused(ms);
    assert_false(th_ms_wait_ready(ms));
    end_actor(ms); /* would hang */
}

static int set_up(void **state)
{
    (void)state;
    return pthread_create(&world.thread, NULL, answerer, NULL);
}

static int tear_down(void **state)
{
    (void)state;
    atomic_store_explicit(&world.end, true, memory_order_release);
    return pthread_join(world.thread, NULL);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(no_callback_touches_an_actor_that_has_ended),
        cmocka_unit_test(
            an_operation_that_was_refused_leaves_nothing_to_wait_for),
    };
    return cmocka_run_group_tests(tests, set_up, tear_down);
}
