/* SPDX-License-Identifier: Apache-2.0 */
/* Cycles of requests are refused at once, every one of them, and nothing
 * else is: against a brute-force search, on one thread and on two. */
#include "world.h"

#include <pthread.h>

enum { NODES = 12 };

static theater_endpoint_t *waiter(struct world *world, const char *name)
{
    theater_endpoint_options_t options = THEATER_ENDPOINT_OPTIONS_INIT;
    options.waits = true;
    return join_as(world, name, &options);
}

/* Refused, or ended before anything else happened. */
static bool is_deadlock(theater_status_t status, const struct outcome *outcome)
{
    return status == THEATER_DEADLOCK ||
           (status == THEATER_PENDING && outcome->calls == 1 &&
            outcome->status == THEATER_DEADLOCK);
}

static void a_request_to_oneself_is_refused(void **state)
{
    (void)state;
    struct world world;
    struct outcome outcome;
    world_init(&world);
    theater_endpoint_t *a = waiter(&world, "a");
    theater_status_t status = ask(&world, a, "a", "q", 0, &outcome, NULL);
    assert_true(is_deadlock(status, &outcome));
    nothing(a);
    leave(a);
    world_fini(&world);
}

static void cycle_of(unsigned length)
{
    struct world world;
    struct outcome outcomes[64];
    theater_endpoint_t *ring[64];
    char name[16];
    world_init(&world);
    for (unsigned i = 0; i < length; i++) {
        snprintf(name, sizeof(name), "n%u", i);
        ring[i] = waiter(&world, name);
    }
    for (unsigned i = 0; i < length; i++) {
        snprintf(name, sizeof(name), "n%u", (i + 1) % length);
        theater_status_t status =
            ask(&world, ring[i], name, "q", 0, &outcomes[i], NULL);
        if (i + 1 < length) {
            assert_status(status, THEATER_PENDING);
            assert_int_equal(outcomes[i].calls, 0);
        } else {
            assert_true(is_deadlock(status, &outcomes[i]));
        }
    }
    /* The victim goes on, handles what it has, and the chain dissolves. */
    for (unsigned i = length - 1; i > 0; i--) {
        const theater_message_t *message =
            take(ring[i], THEATER_MESSAGE_REQUEST, "q");
        assert_status(
            theater_endpoint_respond(ring[i], message->request, text("r")),
            THEATER_OK);
        theater_endpoint_done(ring[i], THEATER_OK);
        assert_ended(outcomes[i - 1], THEATER_OK);
    }
    for (unsigned i = 0; i < length; i++) {
        nothing(ring[i]);
        leave(ring[i]);
    }
    world_fini(&world);
}

/* Longer than anybody follows while others wait: its deadlines end it. */
static void a_very_long_cycle_ends_by_its_deadlines(void **state)
{
    enum { LONG = 4200 };
    struct world world;
    static struct outcome outcomes[LONG];
    static theater_endpoint_t *ring[LONG];
    char name[16];
    (void)state;

    world_init(&world);
    for (unsigned i = 0; i < LONG; i++) {
        snprintf(name, sizeof(name), "n%u", i);
        ring[i] = waiter(&world, name);
    }
    for (unsigned i = 0; i < LONG; i++) {
        snprintf(name, sizeof(name), "n%u", (i + 1) % LONG);
        assert_status(ask(&world, ring[i], name, "q", 50, &outcomes[i], NULL),
                      THEATER_PENDING);
    }
    pass(&world, 60);
    for (unsigned i = 0; i < LONG; i++) {
        assert_ended(outcomes[i], THEATER_TIMEOUT);
        nothing(ring[i]);
        leave(ring[i]);
    }
    world_fini(&world);
}

static void cycles_of_2_3_and_64_are_refused(void **state)
{
    (void)state;
    cycle_of(2);
    cycle_of(3);
    cycle_of(64);
}

static void a_cycle_through_opens_is_one_too(void **state)
{
    (void)state;
    struct world world;
    struct outcome opened;
    struct outcome asked;
    world_init(&world);
    theater_endpoint_t *a = waiter(&world, "a");
    theater_endpoint_t *b = waiter(&world, "b");
    assert_status(offer(a, "b", "x", 0, &opened), THEATER_PENDING);
    (void)take(b, THEATER_MESSAGE_CHANNEL_OPEN, "x");
    theater_status_t status = ask(&world, b, "a", "q", 0, &asked, NULL);
    assert_true(is_deadlock(status, &asked));
    assert_status(theater_channel_accept(b), THEATER_OK);
    theater_endpoint_done(b, THEATER_OK);
    assert_ended(opened, THEATER_OK);
    leave(a);
    leave(b);
    world_fini(&world);
}

static void those_who_go_on_while_they_wait_close_no_cycle(void **state)
{
    (void)state;
    struct world world;
    struct outcome to_b;
    struct outcome to_a;
    world_init(&world);
    theater_endpoint_t *a = join(&world, "a"); /* a thread: it goes on */
    theater_endpoint_t *b = waiter(&world, "b");
    assert_status(ask(&world, a, "b", "1", 0, &to_b, NULL), THEATER_PENDING);
    assert_status(ask(&world, b, "a", "2", 0, &to_a, NULL), THEATER_PENDING);
    assert_int_equal(to_a.calls, 0);
    const theater_message_t *message = take(a, THEATER_MESSAGE_REQUEST, "2");
    assert_status(theater_endpoint_respond(a, message->request, text("r")),
                  THEATER_OK);
    theater_endpoint_done(a, THEATER_OK);
    assert_ended(to_a, THEATER_OK);
    leave(a);
    leave(b);
    assert_ended(to_b, THEATER_CANCELLED);
    world_fini(&world);
}

/* --- One thread, exactly ------------------------------------------------- */

struct model {
    struct world world;
    theater_endpoint_t *nodes[NODES];
    struct outcome outcomes[NODES];
    theater_request_id_t ids[NODES];
    int target[NODES]; /* -1: does not wait */
    unsigned count;
};

static void settle(struct model *model)
{
    for (unsigned i = 0; i < model->count; i++) {
        if (model->target[i] >= 0 && model->outcomes[i].calls > 0) {
            assert_int_equal(model->outcomes[i].calls, 1);
            model->target[i] = -1;
        }
    }
}

static bool reaches(const struct model *model, unsigned from, unsigned to)
{
    unsigned at = from;
    for (unsigned steps = 0; steps <= NODES; steps++) {
        if (at == to) {
            return true;
        }
        if (model->target[at] < 0) {
            return false;
        }
        at = (unsigned)model->target[at];
    }
    return false; /* a cycle without `to`: cannot be, they are refused */
}

static void start_one(struct model *model, struct th_rng *rng, unsigned *hits)
{
    unsigned i = (unsigned)th_rng_below(rng, model->count);
    unsigned j = (unsigned)th_rng_below(rng, model->count);
    char name[16];
    if (model->target[i] >= 0) {
        return;
    }
    snprintf(name, sizeof(name), "n%u", j);
    bool cycle = reaches(model, j, i);
    uint32_t timeout = 1 + (uint32_t)th_rng_below(rng, 20);
    theater_status_t status = ask(&model->world, model->nodes[i], name, "q",
                                  timeout, &model->outcomes[i], &model->ids[i]);
    bool refused = is_deadlock(status, &model->outcomes[i]);
    if (refused != cycle) {
        fail_msg("n%u to n%u: the search says %d, the router %s", i, j, cycle,
                 theater_status_name(status));
    }
    if (!refused) {
        assert_status(status, THEATER_PENDING);
        model->target[i] = (int)j;
    }
    *hits += cycle;
}

static void handle_one(struct model *model, struct th_rng *rng)
{
    unsigned i = (unsigned)th_rng_below(rng, model->count);
    const theater_message_t *message;
    if (model->target[i] >= 0 ||
        theater_endpoint_receive(model->nodes[i], &message) != THEATER_OK) {
        return;
    }
    (void)!theater_endpoint_respond(model->nodes[i], message->request,
                                    text("r"));
    theater_endpoint_done(model->nodes[i], THEATER_OK);
}

static void random_graphs_agree_with_the_search(void **state)
{
    (void)state;
    struct th_rng rng;
    unsigned hits = 0;
    th_rng_init(&rng, 41);
    for (unsigned graph = 0; graph < 10000; graph++) {
        struct model model;
        memset(&model, 0, sizeof(model));
        world_init(&model.world);
        model.count = 2 + (unsigned)th_rng_below(&rng, NODES - 1);
        for (unsigned i = 0; i < model.count; i++) {
            char name[16];
            snprintf(name, sizeof(name), "n%u", i);
            model.nodes[i] = waiter(&model.world, name);
            model.target[i] = -1;
        }
        for (unsigned step = 0; step < 40; step++) {
            uint64_t what = th_rng_below(&rng, 10);
            if (what < 6) {
                start_one(&model, &rng, &hits);
            } else if (what < 8) {
                handle_one(&model, &rng);
            } else if (what < 9) {
                unsigned i = (unsigned)th_rng_below(&rng, model.count);
                if (model.target[i] >= 0) {
                    assert_status(
                        theater_router_cancel(model.world.router, model.ids[i]),
                        THEATER_OK);
                }
            } else {
                pass(&model.world, th_rng_below(&rng, 10));
            }
            settle(&model);
        }
        for (unsigned i = 0; i < model.count; i++) {
            leave(model.nodes[i]);
        }
        world_fini(&model.world);
    }
    assert_true(hits > 1000);
}

/* --- Two threads --------------------------------------------------------- *
 * In each round every node asks one other, half of the nodes on each thread,
 * at once; nobody answers. Then the requests are the edges of a graph with
 * one edge each: every cycle has exactly one victim, nobody else is one. Some
 * rounds cancel and some have deadlines that pass: then a cycle may go without
 * a victim, but still nobody outside of one may be it. */

struct shared {
    struct world world;
    theater_endpoint_t *nodes[NODES];
    struct outcome outcomes[NODES];
    theater_status_t started[NODES];
    theater_request_id_t ids[NODES];
    unsigned targets[NODES];
    bool loose[NODES]; /* cancelled, or with a deadline that may pass */
    unsigned count;
    unsigned rounds;
    pthread_barrier_t barrier;
};

static void start_half(struct shared *shared, unsigned half)
{
    for (unsigned i = half; i < shared->count; i += 2) {
        char name[16];
        snprintf(name, sizeof(name), "n%u", shared->targets[i]);
        uint32_t timeout = shared->loose[i] && i % 4 < 2 ? 1 : 60000;
        shared->started[i] =
            ask(&shared->world, shared->nodes[i], name, "q", timeout,
                &shared->outcomes[i], &shared->ids[i]);
        if (shared->loose[i] && shared->started[i] == THEATER_PENDING &&
            timeout > 1) {
            (void)!theater_router_cancel(shared->world.router, shared->ids[i]);
        }
    }
    theater_router_advance(shared->world.router, th_now(shared->world.env));
}

static void *second_thread(void *arg)
{
    struct shared *shared = arg;
    for (unsigned round = 0; round < shared->rounds; round++) {
        pthread_barrier_wait(&shared->barrier);
        start_half(shared, 1);
        pthread_barrier_wait(&shared->barrier);
    }
    return NULL;
}

static bool on_a_cycle(const struct shared *shared, unsigned node)
{
    unsigned at = node;
    for (unsigned steps = 0; steps < shared->count; steps++) {
        at = shared->targets[at];
        if (at == node) {
            return true;
        }
    }
    return false;
}

static void check_round(const struct shared *shared, unsigned *victims)
{
    for (unsigned i = 0; i < shared->count; i++) {
        bool victim = is_deadlock(shared->started[i], &shared->outcomes[i]);
        *victims += victim;
        if (!on_a_cycle(shared, i)) {
            assert_false(victim); /* a false alarm */
            continue;
        }
        unsigned found = 0;
        bool any_loose = false;
        unsigned at = i;
        do {
            found += is_deadlock(shared->started[at], &shared->outcomes[at]);
            any_loose = any_loose || shared->loose[at];
            at = shared->targets[at];
        } while (at != i);
        assert_true(found <= 1 || any_loose);
        assert_true(found >= 1 || any_loose);
    }
}

static void clean_up(struct shared *shared)
{
    for (unsigned i = 0; i < shared->count; i++) {
        if (shared->started[i] == THEATER_PENDING &&
            shared->outcomes[i].calls == 0) {
            assert_status(
                theater_router_cancel(shared->world.router, shared->ids[i]),
                THEATER_OK);
            assert_ended(shared->outcomes[i], THEATER_CANCELLED);
        }
    }
    for (unsigned i = 0; i < shared->count; i++) {
        nothing(shared->nodes[i]); /* ended ones are never run */
    }
}

static void two_threads_find_each_cycle_once_and_no_other(void **state)
{
    (void)state;
    struct shared shared;
    struct th_rng rng;
    pthread_t thread;
    unsigned victims = 0;
    memset(&shared, 0, sizeof(shared));
    world_make(&shared.world, NULL, false);
    shared.rounds = 10000;
    th_rng_init(&rng, 97);
    for (unsigned i = 0; i < NODES; i++) {
        char name[16];
        snprintf(name, sizeof(name), "n%u", i);
        shared.nodes[i] = waiter(&shared.world, name);
    }
    assert_int_equal(pthread_barrier_init(&shared.barrier, NULL, 2), 0);
    assert_int_equal(pthread_create(&thread, NULL, second_thread, &shared), 0);
    for (unsigned round = 0; round < shared.rounds; round++) {
        shared.count = 2 + (unsigned)th_rng_below(&rng, NODES - 1);
        bool loose = round % 3 == 0;
        for (unsigned i = 0; i < shared.count; i++) {
            shared.targets[i] = (unsigned)th_rng_below(&rng, shared.count);
            shared.loose[i] = loose && th_rng_below(&rng, 4) == 0;
        }
        pthread_barrier_wait(&shared.barrier);
        start_half(&shared, 0);
        pthread_barrier_wait(&shared.barrier);
        check_round(&shared, &victims);
        clean_up(&shared);
    }
    assert_int_equal(pthread_join(thread, NULL), 0);
    assert_true(victims > 5000);
    for (unsigned i = 0; i < NODES; i++) {
        leave(shared.nodes[i]);
    }
    pthread_barrier_destroy(&shared.barrier);
    world_fini(&shared.world);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_request_to_oneself_is_refused),
        cmocka_unit_test(cycles_of_2_3_and_64_are_refused),
        cmocka_unit_test(a_very_long_cycle_ends_by_its_deadlines),
        cmocka_unit_test(a_cycle_through_opens_is_one_too),
        cmocka_unit_test(those_who_go_on_while_they_wait_close_no_cycle),
        cmocka_unit_test(random_graphs_agree_with_the_search),
        cmocka_unit_test(two_threads_find_each_cycle_once_and_no_other),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
