/* SPDX-License-Identifier: Apache-2.0 */
/* The end of a router: pipelines drain, what is left is counted. */
#include "world.h"

#include <pthread.h>

static void draining_refuses_what_comes_from_outside(void **state)
{
    (void)state;
    struct world world;
    struct outcome outcome;
    world_init(&world);
    theater_endpoint_t *a = join(&world, "a");
    theater_endpoint_t *b = join(&world, "b");
    assert_status(send_text(&world, NULL, "a", "1"), THEATER_OK);
    theater_router_drain(world.router);
    assert_status(send_text(&world, NULL, "a", "2"), THEATER_SHUTTING_DOWN);
    assert_status(send_text(&world, b, "a", "2"), THEATER_SHUTTING_DOWN);
    assert_status(ask(&world, b, "a", "2", 0, &outcome, NULL),
                  THEATER_SHUTTING_DOWN);
    assert_status(offer(b, "a", "2", 0, &outcome), THEATER_SHUTTING_DOWN);
    /* What a delivery sends goes on, so that chains drain. */
    (void)take(a, THEATER_MESSAGE_SEND, "1");
    assert_status(send_text(&world, a, "b", "next"), THEATER_OK);
    theater_endpoint_done(a, THEATER_OK);
    (void)take(b, THEATER_MESSAGE_SEND, "next");
    assert_status(ask(&world, b, "a", "q", 0, &outcome, NULL), THEATER_PENDING);
    theater_endpoint_done(b, THEATER_OK);
    const theater_message_t *message = take(a, THEATER_MESSAGE_REQUEST, "q");
    assert_status(theater_endpoint_respond(a, message->request, text("r")),
                  THEATER_OK);
    theater_endpoint_done(a, THEATER_OK);
    assert_ended(outcome, THEATER_OK);
    leave(a);
    leave(b);
    world_fini(&world);
}

/* --- A pipeline of threads ------------------------------------------------ */

enum { STAGES = 4, ITEMS = 400 };

struct stage {
    struct world *world;
    theater_endpoint_t *endpoint;
    pthread_t thread;
    _Atomic bool *end;
    unsigned index;
    unsigned handled;
};

static void *pass_on(void *arg)
{
    struct stage *stage = arg;
    while (!atomic_load_explicit(stage->end, memory_order_acquire)) {
        const theater_message_t *message;
        theater_status_t status =
            theater_endpoint_wait(stage->endpoint, 5, &message);
        if (status != THEATER_OK) {
            continue;
        }
        stage->handled++;
        if (stage->index + 1 < STAGES) {
            char next[16];
            snprintf(next, sizeof(next), "s%u", stage->index + 1);
            if (theater_router_send(stage->world->router, stage->endpoint,
                                    text(next), message->data) != THEATER_OK) {
                abort();
            }
        }
        theater_endpoint_done(stage->endpoint, THEATER_OK);
    }
    return NULL;
}

static void a_pipeline_drains_to_its_last_stage(void **state)
{
    (void)state;
    struct world world;
    struct stage stages[STAGES];
    _Atomic bool end = false;
    theater_shutdown_report_t report;
    world_make(&world, NULL, false);
    for (unsigned i = 0; i < STAGES; i++) {
        char name[16];
        snprintf(name, sizeof(name), "s%u", i);
        stages[i] = (struct stage){.world = &world, .end = &end, .index = i};
        stages[i].endpoint = join(&world, name);
    }
    for (unsigned i = 0; i < ITEMS; i++) {
        assert_status(send_text(&world, NULL, "s0", "item"), THEATER_OK);
    }
    for (unsigned i = 0; i < STAGES; i++) {
        assert_int_equal(
            pthread_create(&stages[i].thread, NULL, pass_on, &stages[i]), 0);
    }
    assert_status(theater_router_shutdown(world.router, 30000, &report),
                  THEATER_OK);
    assert_int_equal(report.dead, 0);
    assert_true(report.drained <= STAGES * ITEMS);
    atomic_store_explicit(&end, true, memory_order_release);
    for (unsigned i = 0; i < STAGES; i++) {
        assert_int_equal(pthread_join(stages[i].thread, NULL), 0);
        assert_int_equal(stages[i].handled, ITEMS);
        leave(stages[i].endpoint);
    }
    world_fini(&world);
}

static void what_is_left_at_the_deadline_becomes_dead_letters(void **state)
{
    (void)state;
    struct world world;
    struct outcome outcome;
    theater_shutdown_report_t report;
    world_make(&world, NULL, false);
    theater_endpoint_t *a = join(&world, "a");
    for (int i = 0; i < 5; i++) {
        assert_status(send_text(&world, NULL, "a", "x"), THEATER_OK);
    }
    assert_status(ask(&world, NULL, "a", "q", 60000, &outcome, NULL),
                  THEATER_PENDING);
    assert_status(theater_router_shutdown(world.router, 20, &report),
                  THEATER_TIMEOUT);
    assert_status(send_text(&world, NULL, "a", "x"), THEATER_SHUTTING_DOWN);
    const theater_message_t *message;
    while (theater_endpoint_receive(a, &message) == THEATER_OK) {
        theater_endpoint_done(a, THEATER_OK);
    }
    leave(a);
    assert_int_equal(outcome.calls, 1);
    assert_true(outcome.status == THEATER_SHUTTING_DOWN ||
                outcome.status == THEATER_CLOSED);
    theater_counters_t counters = counters_of(&world);
    assert_int_equal(counters.dead_total, 6);
    assert_int_equal(counters.delivered, 0);
    world_fini(&world);
}

static void an_idle_router_shuts_down_at_once(void **state)
{
    (void)state;
    struct world world;
    theater_shutdown_report_t report = {9, 9};
    world_make(&world, NULL, false);
    theater_endpoint_t *a = join(&world, "a");
    assert_status(theater_router_shutdown(world.router, 0, &report),
                  THEATER_OK);
    assert_int_equal(report.drained, 0);
    assert_int_equal(report.dead, 0);
    theater_endpoint_t *more = NULL;
    assert_status(theater_router_register(world.router, "b", 1, NULL, &more),
                  THEATER_SHUTTING_DOWN);
    assert_null(more);
    assert_status(theater_router_shutdown(world.router, 0, NULL), THEATER_OK);
    leave(a);
    world_fini(&world);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(draining_refuses_what_comes_from_outside),
        cmocka_unit_test(a_pipeline_drains_to_its_last_stage),
        cmocka_unit_test(what_is_left_at_the_deadline_becomes_dead_letters),
        cmocka_unit_test(an_idle_router_shuts_down_at_once),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
