/* SPDX-License-Identifier: Apache-2.0 */
/* What is refused is refused on every path, with the same status, and leaves
 * nothing behind. */
#include "world.h"

static void a_worker_is_refused_what_blocks(void **state)
{
    struct world world;
    theater_answer_t *answer = NULL;
    theater_channel_id_t channel;
    const theater_message_t *message = NULL;
    theater_shutdown_report_t report;
    (void)state;

    world_init(&world);
    theater_endpoint_t *a = join(&world, "a");
    theater_endpoint_t *b = join(&world, "b");
    channel = connect(a, b, "b", NULL);
    th_thread_is_worker = true;
    assert_status(theater_router_request(world.router, a, text("b"), text("q"),
                                         1, &answer),
                  THEATER_WRONG_THREAD);
    assert_status(
        theater_router_send_wait(world.router, a, text("b"), text("m"), 1),
        THEATER_WRONG_THREAD);
    assert_status(theater_channel_send_wait(a, channel, text("d"), 1),
                  THEATER_WRONG_THREAD);
    assert_status(theater_endpoint_wait(a, 1, &message), THEATER_WRONG_THREAD);
    assert_status(theater_channel_open(a, text("b"), text("?"), 1, &channel),
                  THEATER_WRONG_THREAD);
    assert_status(theater_router_shutdown(world.router, 1, &report),
                  THEATER_WRONG_THREAD);
    th_thread_is_worker = false;
    nothing(b); /* nothing was begun */
    assert_status(send_text(&world, a, "b", "open still"), THEATER_OK);
    handle_send(b, "open still");
    leave(a);
    leave(b);
    world_fini(&world);
}

static void who_has_no_name_opens_no_channel_and_sends_nothing_later(void **s)
{
    struct world world;
    theater_channel_id_t channel;
    theater_timer_id_t timer;
    (void)s;

    world_init(&world);
    theater_endpoint_t *b = join(&world, "b");
    assert_status(theater_channel_open(NULL, text("b"), text("?"), 1, &channel),
                  THEATER_INVALID_ARGUMENT);
    assert_status(theater_router_send_after(world.router, NULL, text("b"),
                                            text("m"), 1, &timer),
                  THEATER_INVALID_ARGUMENT);
    nothing(b);
    leave(b);
    world_fini(&world);
}

static void a_name_that_is_none_is_refused(void **state)
{
    struct world world;
    theater_endpoint_t *none = NULL;
    theater_timer_id_t timer;
    theater_bytes_t missing = {NULL, 0};
    (void)state;

    world_init(&world);
    theater_endpoint_t *a = join(&world, "a");
    assert_status(theater_router_send(world.router, a, missing, text("m")),
                  THEATER_INVALID_ARGUMENT);
    assert_status(theater_router_send(world.router, a, text(""), text("m")),
                  THEATER_INVALID_ARGUMENT);
    assert_status(theater_router_send_after(world.router, a, missing, text("m"),
                                            1, &timer),
                  THEATER_INVALID_ARGUMENT);
    assert_status(theater_router_send_after(world.router, a, text("\n"),
                                            text("m"), 1, &timer),
                  THEATER_INVALID_ARGUMENT);
    assert_status(theater_router_register(world.router, NULL, 0, NULL, &none),
                  THEATER_INVALID_ARGUMENT);
    assert_false(theater_router_has(world.router, NULL, 0));
    assert_null(none);
    leave(a);
    world_fini(&world);
}

static void what_is_too_large_is_refused_on_every_path(void **state)
{
    struct world world;
    struct outcome outcome;
    theater_timer_id_t timer;
    theater_channel_id_t channel;
    uint8_t codes[1] = {0};
    theater_bytes_t target = text("b");
    theater_router_options_t options = THEATER_ROUTER_OPTIONS_INIT;
    (void)state;

    options.max_message_bytes = 8;
    world_make(&world, &options, true);
    theater_endpoint_t *a = join(&world, "a");
    theater_endpoint_t *b = join(&world, "b");
    channel = connect(a, b, "b", NULL);
    theater_bytes_t large = text("nine byte");
    assert_status(theater_router_send(world.router, a, target, large),
                  THEATER_TOO_LARGE);
    assert_status(
        theater_router_broadcast(world.router, a, &target, 1, large, codes),
        THEATER_TOO_LARGE);
    assert_status(
        theater_router_send_after(world.router, a, target, large, 1, &timer),
        THEATER_TOO_LARGE);
    assert_status(theater_channel_send(a, channel, large), THEATER_TOO_LARGE);
    assert_status(ask(&world, a, "b", "nine byte", 1, &outcome, NULL),
                  THEATER_TOO_LARGE);
    assert_status(offer(a, "b", "nine byte", 1, &outcome), THEATER_TOO_LARGE);
    nothing(b);
    assert_int_equal(counters_of(&world).refused[THEATER_TOO_LARGE], 6);
    leave(a);
    leave(b);
    world_fini(&world);
}

/* What `a` may still send: on each path. */
static void try_all(struct world *world, theater_endpoint_t *a,
                    theater_channel_id_t channel, theater_status_t expected)
{
    theater_bytes_t target = text("b");
    theater_timer_id_t timer;
    uint8_t code = THEATER_OK;
    struct outcome outcome;

    assert_status(theater_router_send(world->router, a, target, text("m")),
                  expected);
    theater_status_t status = theater_router_broadcast(
        world->router, a, &target, 1, text("b"), &code);
    assert_status(status, expected);
    assert_int_equal(code, THEATER_OK);
    assert_status(theater_channel_send(a, channel, text("d")), expected);
    assert_status(theater_router_send_after(world->router, a, target, text("t"),
                                            50, &timer),
                  expected);
    assert_status(ask(world, a, "b", "q", 1, &outcome, NULL),
                  expected == THEATER_OK ? THEATER_PENDING : expected);
    if (expected == THEATER_OK) {
        pass(world, 2);
        assert_ended(outcome, THEATER_TIMEOUT);
    }
}

static void a_router_that_drains_takes_what_deliveries_send_alone(void **state)
{
    struct world world;
    struct outcome outcome;
    theater_endpoint_t *late = NULL;
    (void)state;

    world_init(&world);
    theater_endpoint_t *a = join(&world, "a");
    theater_endpoint_t *b = join(&world, "b");
    theater_channel_id_t channel = connect(a, b, "b", NULL);
    assert_status(send_text(&world, NULL, "a", "go"), THEATER_OK);
    theater_router_drain(world.router);
    theater_router_drain(world.router); /* once is enough */
    try_all(&world, a, channel, THEATER_SHUTTING_DOWN);
    (void)take(a, THEATER_MESSAGE_SEND, "go");
    try_all(&world, a, channel, THEATER_OK);
    assert_status(offer(a, "b", "another", 1000, &outcome), THEATER_PENDING);
    theater_endpoint_done(a, THEATER_OK);
    handle_send(b, "m");
    handle_send(b, "b");
    handle(b, THEATER_MESSAGE_CHANNEL_DATA, "d");
    (void)take(b, THEATER_MESSAGE_CHANNEL_OPEN, "another");
    theater_endpoint_done(b, THEATER_OK);
    assert_ended(outcome, THEATER_REJECTED);
    /* The timed one still waits: its time comes when all is closed. */
    theater_shutdown_report_t report;
    assert_status(theater_router_shutdown(world.router, 10, &report),
                  THEATER_OK);
    try_all(&world, a, channel, THEATER_SHUTTING_DOWN);
    pass(&world, 100);
    assert_int_equal(dead(&world, THEATER_SHUTTING_DOWN), 1);
    nothing(b);
    assert_status(theater_router_register(world.router, "late", 4, NULL, &late),
                  THEATER_SHUTTING_DOWN);
    leave(a);
    leave(b);
    world_fini(&world);
}

/* Data that lies in a mailbox when the router closes is nobody's any more. */
static void
queued_channel_data_is_a_dead_letter_when_the_router_closes(void **state)
{
    struct world world;
    theater_shutdown_report_t report;
    (void)state;

    world_init(&world);
    theater_endpoint_t *a = join(&world, "a");
    theater_endpoint_t *b = join(&world, "b");
    theater_channel_id_t channel = connect(a, b, "b", NULL);
    assert_status(theater_channel_send(a, channel, text("data")), THEATER_OK);
    assert_status(theater_router_shutdown(world.router, 1, &report),
                  THEATER_TIMEOUT);
    assert_int_equal(report.dead, 1);
    nothing(b);
    assert_int_equal(dead(&world, THEATER_SHUTTING_DOWN), 1);
    leave(a);
    leave(b);
    world_fini(&world);
}

static void options_that_are_too_large_are_refused_one_by_one(void **state)
{
    struct world world;
    theater_endpoint_t *none = NULL;
    theater_router_t *router = NULL;
    const theater_endpoint_options_t fine = THEATER_ENDPOINT_OPTIONS_INIT;
    theater_endpoint_options_t wrong[5] = {fine, fine, fine, fine, fine};
    const theater_router_options_t good = THEATER_ROUTER_OPTIONS_INIT;
    theater_router_options_t bad[3] = {good, good, good};
    (void)state;

    world_init(&world);
    wrong[0].on_full = (theater_on_full_t)(THEATER_DROP_OLDEST + 1);
    wrong[1].accepts = THEATER_ACCEPT_ALL + 1;
    wrong[2].max_channels = 65537;
    wrong[3].channel_credit = 1000001;
    wrong[4].channel_credit_bytes = (uint32_t)THEATER_MAILBOX_BYTES + 1;
    for (unsigned i = 0; i < 5; i++) {
        assert_status(
            theater_router_register(world.router, "a", 1, &wrong[i], &none),
            THEATER_INVALID_ARGUMENT);
    }
    bad[0].size = 1;
    bad[1].max_endpoints = (1U << 24) + 1;
    bad[2].max_pending = (1U << 26) + 1;
    for (unsigned i = 0; i < 3; i++) {
        assert_status(theater_router_new(&bad[i], &router),
                      THEATER_INVALID_ARGUMENT);
    }
    assert_null(none);
    assert_null(router);
    world_fini(&world);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_worker_is_refused_what_blocks),
        cmocka_unit_test(
            who_has_no_name_opens_no_channel_and_sends_nothing_later),
        cmocka_unit_test(a_name_that_is_none_is_refused),
        cmocka_unit_test(what_is_too_large_is_refused_on_every_path),
        cmocka_unit_test(a_router_that_drains_takes_what_deliveries_send_alone),
        cmocka_unit_test(
            queued_channel_data_is_a_dead_letter_when_the_router_closes),
        cmocka_unit_test(options_that_are_too_large_are_refused_one_by_one),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
