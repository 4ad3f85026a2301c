/* SPDX-License-Identifier: Apache-2.0 */
/* Requests: each ends exactly once, and only its two sides end it. */
#include "world.h"

#include <pthread.h>

static theater_status_t reply(theater_endpoint_t *endpoint,
                              theater_request_id_t id, const char *data)
{
    return theater_endpoint_respond(endpoint, id, text(data));
}

static void answer_next(theater_endpoint_t *endpoint, const char *expect,
                        const char *data)
{
    const theater_message_t *message =
        take(endpoint, THEATER_MESSAGE_REQUEST, expect);
    assert_status(reply(endpoint, message->request, data), THEATER_OK);
    theater_endpoint_done(endpoint, THEATER_OK);
}

static void a_request_is_answered(void **state)
{
    (void)state;
    struct world world;
    struct outcome outcome;
    world_init(&world);
    theater_endpoint_t *a = join(&world, "a");
    theater_endpoint_t *b = join(&world, "b");
    assert_status(ask(&world, a, "b", "q", 0, &outcome, NULL), THEATER_PENDING);
    const theater_message_t *message = take(b, THEATER_MESSAGE_REQUEST, "q");
    assert_memory_equal(message->sender.data, "a", 1);
    assert_int_equal(outcome.calls, 0);
    assert_status(reply(b, message->request, "answer"), THEATER_OK);
    assert_ended(outcome, THEATER_OK);
    assert_string_equal(outcome.data, "answer");
    assert_status(reply(b, message->request, "again"), THEATER_CLOSED);
    theater_endpoint_done(b, THEATER_OK);
    assert_int_equal(outcome.calls, 1);
    theater_counters_t counters = counters_of(&world);
    assert_int_equal(counters.requests, 1);
    assert_int_equal(counters.ended[THEATER_OK], 1);
    leave(a);
    leave(b);
    world_fini(&world);
}

static void an_empty_answer_is_an_answer(void **state)
{
    (void)state;
    struct world world;
    struct outcome outcome;
    world_init(&world);
    theater_endpoint_t *b = join(&world, "b");
    assert_status(ask(&world, NULL, "b", "", 0, &outcome, NULL),
                  THEATER_PENDING);
    answer_next(b, "", "");
    assert_ended(outcome, THEATER_OK);
    assert_int_equal(outcome.len, 0);
    leave(b);
    world_fini(&world);
}

static void an_error_is_told_with_its_text(void **state)
{
    (void)state;
    struct world world;
    struct outcome outcome;
    world_init(&world);
    theater_endpoint_t *b = join(&world, "b");
    assert_status(ask(&world, NULL, "b", "q", 0, &outcome, NULL),
                  THEATER_PENDING);
    const theater_message_t *message = take(b, THEATER_MESSAGE_REQUEST, "q");
    assert_status(theater_endpoint_fail(b, message->request, text("not today")),
                  THEATER_OK);
    theater_endpoint_done(b, THEATER_OK);
    assert_ended(outcome, THEATER_FAILED);
    assert_string_equal(outcome.data, "not today");
    leave(b);
    world_fini(&world);
}

static void a_request_ends_at_its_deadline_and_is_then_never_run(void **state)
{
    (void)state;
    struct world world;
    struct outcome outcome;
    struct outcome by_default;
    world_init(&world);
    theater_endpoint_t *b = join(&world, "b");
    assert_status(ask(&world, NULL, "b", "q", 100, &outcome, NULL),
                  THEATER_PENDING);
    assert_status(ask(&world, NULL, "b", "q", 0, &by_default, NULL),
                  THEATER_PENDING);
    pass(&world, 99);
    assert_int_equal(outcome.calls, 0);
    pass(&world, 2);
    assert_ended(outcome, THEATER_TIMEOUT);
    pass(&world, 4890);
    assert_int_equal(by_default.calls, 0);
    pass(&world, 20);
    assert_ended(by_default, THEATER_TIMEOUT);
    nothing(b);
    assert_int_equal(dead(&world, THEATER_TIMEOUT), 2);
    leave(b);
    world_fini(&world);
}

static void a_late_answer_is_dropped_and_counted(void **state)
{
    (void)state;
    struct world world;
    struct outcome outcome;
    world_init(&world);
    theater_endpoint_t *b = join(&world, "b");
    assert_status(ask(&world, NULL, "b", "q", 100, &outcome, NULL),
                  THEATER_PENDING);
    const theater_message_t *message = take(b, THEATER_MESSAGE_REQUEST, "q");
    pass(&world, 200);
    assert_ended(outcome, THEATER_TIMEOUT);
    assert_status(reply(b, message->request, "late"), THEATER_CLOSED);
    theater_endpoint_done(b, THEATER_OK);
    assert_int_equal(outcome.calls, 1);
    assert_int_equal(counters_of(&world).late, 1);
    leave(b);
    world_fini(&world);
}

static void a_cancelled_request_is_never_run(void **state)
{
    (void)state;
    struct world world;
    struct outcome outcome;
    theater_request_id_t id;
    world_init(&world);
    theater_endpoint_t *b = join(&world, "b");
    assert_status(ask(&world, NULL, "b", "q", 0, &outcome, &id),
                  THEATER_PENDING);
    assert_status(theater_router_cancel(world.router, id), THEATER_OK);
    assert_ended(outcome, THEATER_CANCELLED);
    assert_status(theater_router_cancel(world.router, id),
                  THEATER_INVALID_ARGUMENT);
    nothing(b);
    assert_int_equal(dead(&world, THEATER_CANCELLED), 1);
    leave(b);
    world_fini(&world);
}

static void the_responder_can_cancel_too(void **state)
{
    (void)state;
    struct world world;
    struct outcome outcome;
    world_init(&world);
    theater_endpoint_t *b = join(&world, "b");
    assert_status(ask(&world, NULL, "b", "q", 0, &outcome, NULL),
                  THEATER_PENDING);
    const theater_message_t *message = take(b, THEATER_MESSAGE_REQUEST, "q");
    assert_status(theater_endpoint_cancel_request(b, message->request),
                  THEATER_OK);
    assert_ended(outcome, THEATER_CANCELLED);
    /* The handler goes on; what it answers is late. */
    assert_status(reply(b, message->request, "x"), THEATER_CLOSED);
    theater_endpoint_done(b, THEATER_OK);
    assert_int_equal(outcome.calls, 1);
    assert_int_equal(counters_of(&world).late, 1);
    leave(b);
    world_fini(&world);
}

static void an_answer_can_come_later_and_in_any_order(void **state)
{
    (void)state;
    struct world world;
    struct outcome outcomes[4];
    theater_request_id_t ids[4];
    theater_request_id_t listed[8];
    world_init(&world);
    theater_endpoint_t *b = join(&world, "b");
    assert_status(theater_endpoint_defer(b, &ids[0]), THEATER_INVALID_ARGUMENT);
    for (int i = 0; i < 4; i++) {
        assert_status(ask(&world, NULL, "b", "q", 0, &outcomes[i], NULL),
                      THEATER_PENDING);
        (void)take(b, THEATER_MESSAGE_REQUEST, "q");
        assert_status(theater_endpoint_defer(b, &ids[i]), THEATER_OK);
        theater_endpoint_done(b, THEATER_OK);
    }
    assert_int_equal(theater_endpoint_outstanding(b, NULL, 0), 4);
    assert_int_equal(theater_endpoint_outstanding(b, listed, 8), 4);
    for (int i = 0; i < 4; i++) {
        bool found = false;
        for (int k = 0; k < 4; k++) {
            found = found || listed[k].value == ids[i].value;
        }
        assert_true(found);
    }
    static const int order[] = {2, 0, 3, 1};
    for (int i = 0; i < 4; i++) {
        char line[16];
        snprintf(line, sizeof(line), "%d", order[i]);
        assert_status(reply(b, ids[order[i]], line), THEATER_OK);
        assert_ended(outcomes[order[i]], THEATER_OK);
        assert_string_equal(outcomes[order[i]].data, line);
        assert_int_equal(theater_endpoint_outstanding(b, NULL, 0),
                         (size_t)(3 - i));
        theater_status_t twice = reply(b, ids[order[i]], line);
        assert_true(twice == THEATER_CLOSED ||
                    twice == THEATER_INVALID_ARGUMENT);
        assert_int_equal(outcomes[order[i]].calls, 1);
    }
    leave(b);
    world_fini(&world);
}

static void deferred_answers_have_a_bound(void **state)
{
    (void)state;
    struct world world;
    struct outcome outcomes[3];
    theater_request_id_t ids[3];
    theater_endpoint_options_t options = THEATER_ENDPOINT_OPTIONS_INIT;
    options.max_requests = 2;
    world_init(&world);
    theater_endpoint_t *b = join_as(&world, "b", &options);
    for (int i = 0; i < 3; i++) {
        assert_status(ask(&world, NULL, "b", "q", 0, &outcomes[i], NULL),
                      THEATER_PENDING);
    }
    for (int i = 0; i < 2; i++) {
        (void)take(b, THEATER_MESSAGE_REQUEST, "q");
        assert_status(theater_endpoint_defer(b, &ids[i]), THEATER_OK);
        theater_endpoint_done(b, THEATER_OK);
    }
    (void)take(b, THEATER_MESSAGE_REQUEST, "q");
    assert_status(theater_endpoint_defer(b, &ids[2]), THEATER_MAILBOX_FULL);
    theater_endpoint_done(b, THEATER_OK);
    assert_ended(outcomes[2], THEATER_FAILED); /* handled, never answered */
    pass(&world, 6000);
    assert_ended(outcomes[0], THEATER_TIMEOUT);
    /* Ended ones do not count. */
    assert_status(ask(&world, NULL, "b", "q", 0, &outcomes[0], NULL),
                  THEATER_PENDING);
    (void)take(b, THEATER_MESSAGE_REQUEST, "q");
    assert_status(theater_endpoint_defer(b, &ids[0]), THEATER_OK);
    theater_endpoint_done(b, THEATER_OK);
    leave(b);
    assert_ended(outcomes[0], THEATER_CLOSED);
    world_fini(&world);
}

static void only_the_receiver_can_answer_and_ids_cannot_be_guessed(void **state)
{
    (void)state;
    struct world world;
    struct outcome outcome;
    theater_request_id_t id;
    world_init(&world);
    theater_endpoint_t *a = join(&world, "a");
    theater_endpoint_t *b = join(&world, "b");
    theater_endpoint_t *thief = join(&world, "thief");
    assert_status(ask(&world, a, "b", "q", 0, &outcome, NULL), THEATER_PENDING);
    (void)take(b, THEATER_MESSAGE_REQUEST, "q");
    assert_status(theater_endpoint_defer(b, &id), THEATER_OK);
    theater_endpoint_done(b, THEATER_OK);
    assert_status(reply(thief, id, "mine"), THEATER_INVALID_ARGUMENT);
    assert_status(reply(a, id, "mine"), THEATER_INVALID_ARGUMENT);
    assert_status(theater_endpoint_fail(thief, id, text("no")),
                  THEATER_INVALID_ARGUMENT);
    assert_status(theater_endpoint_cancel_request(thief, id),
                  THEATER_INVALID_ARGUMENT);
    for (unsigned bit = 0; bit < 64; bit++) {
        theater_request_id_t forged = {id.value ^ UINT64_C(1) << bit};
        theater_status_t status = reply(b, forged, "x");
        assert_true(status == THEATER_INVALID_ARGUMENT ||
                    status == THEATER_CLOSED);
    }
    assert_int_equal(outcome.calls, 0);
    assert_status(reply(b, (theater_request_id_t){0}, "x"),
                  THEATER_INVALID_ARGUMENT);
    assert_status(reply(b, id, "right"), THEATER_OK);
    assert_string_equal(outcome.data, "right");
    leave(a);
    leave(b);
    leave(thief);
    world_fini(&world);
}

static void a_handler_that_forgets_to_answer_is_an_error(void **state)
{
    (void)state;
    struct world world;
    struct outcome forgot;
    struct outcome died;
    world_init(&world);
    theater_endpoint_t *b = join(&world, "b");
    assert_status(ask(&world, NULL, "b", "1", 0, &forgot, NULL),
                  THEATER_PENDING);
    assert_status(ask(&world, NULL, "b", "2", 0, &died, NULL), THEATER_PENDING);
    handle(b, THEATER_MESSAGE_REQUEST, "1");
    assert_ended(forgot, THEATER_FAILED);
    (void)take(b, THEATER_MESSAGE_REQUEST, "2");
    theater_endpoint_done(b, THEATER_TRAPPED);
    assert_ended(died, THEATER_CLOSED);
    leave(b);
    world_fini(&world);
}

static void requests_end_with_closed_when_the_responder_goes(void **state)
{
    (void)state;
    struct world world;
    struct outcome queued;
    struct outcome running;
    struct outcome deferred;
    theater_request_id_t id;
    world_init(&world);
    theater_endpoint_t *b = join(&world, "b");
    assert_status(ask(&world, NULL, "b", "1", 0, &deferred, NULL),
                  THEATER_PENDING);
    assert_status(ask(&world, NULL, "b", "2", 0, &running, NULL),
                  THEATER_PENDING);
    assert_status(ask(&world, NULL, "b", "3", 0, &queued, NULL),
                  THEATER_PENDING);
    (void)take(b, THEATER_MESSAGE_REQUEST, "1");
    assert_status(theater_endpoint_defer(b, &id), THEATER_OK);
    theater_endpoint_done(b, THEATER_OK);
    (void)take(b, THEATER_MESSAGE_REQUEST, "2");
    theater_endpoint_done(b, THEATER_CLOSED);
    leave(b);
    assert_ended(deferred, THEATER_CLOSED);
    assert_ended(running, THEATER_CLOSED);
    assert_ended(queued, THEATER_CLOSED);
    assert_int_equal(dead(&world, THEATER_CLOSED), 1);
    world_fini(&world);
}

static void a_requester_that_goes_takes_its_requests_along(void **state)
{
    (void)state;
    struct world world;
    struct outcome outcome;
    struct outcome second;
    world_init(&world);
    theater_endpoint_t *a = join(&world, "a");
    theater_endpoint_t *b = join(&world, "b");
    assert_status(ask(&world, a, "b", "1", 0, &outcome, NULL), THEATER_PENDING);
    assert_status(ask(&world, a, "b", "2", 0, &second, NULL), THEATER_PENDING);
    const theater_message_t *message = take(b, THEATER_MESSAGE_REQUEST, "1");
    leave(a);
    assert_ended(outcome, THEATER_CANCELLED);
    assert_ended(second, THEATER_CANCELLED);
    assert_status(reply(b, message->request, "x"), THEATER_CLOSED);
    theater_endpoint_done(b, THEATER_OK);
    nothing(b);
    leave(b);
    world_fini(&world);
}

static void an_answer_over_the_limit_is_refused_to_its_sender(void **state)
{
    (void)state;
    struct world world;
    struct outcome outcome;
    static uint8_t big[101];
    theater_router_options_t options = THEATER_ROUTER_OPTIONS_INIT;
    options.max_message_bytes = 100;
    world_make(&world, &options, true);
    theater_endpoint_t *b = join(&world, "b");
    assert_status(ask(&world, NULL, "b", "q", 0, &outcome, NULL),
                  THEATER_PENDING);
    const theater_message_t *message = take(b, THEATER_MESSAGE_REQUEST, "q");
    assert_status(theater_endpoint_respond(b, message->request,
                                           (theater_bytes_t){big, 101}),
                  THEATER_TOO_LARGE);
    assert_int_equal(outcome.calls, 0);
    assert_status(theater_endpoint_respond(b, message->request,
                                           (theater_bytes_t){big, 100}),
                  THEATER_OK);
    theater_endpoint_done(b, THEATER_OK);
    assert_ended(outcome, THEATER_OK);
    assert_int_equal(outcome.len, 100);
    leave(b);
    world_fini(&world);
}

static void what_is_under_way_has_a_bound(void **state)
{
    (void)state;
    struct world world;
    struct outcome outcomes[5];
    theater_router_options_t options = THEATER_ROUTER_OPTIONS_INIT;
    options.max_pending = 4;
    world_make(&world, &options, true);
    theater_endpoint_t *b = join(&world, "b");
    for (int i = 0; i < 4; i++) {
        assert_status(ask(&world, NULL, "b", "q", 0, &outcomes[i], NULL),
                      THEATER_PENDING);
    }
    assert_status(ask(&world, NULL, "b", "q", 0, &outcomes[4], NULL),
                  THEATER_MAILBOX_FULL);
    answer_next(b, "q", "a");
    assert_status(ask(&world, NULL, "b", "q", 0, &outcomes[4], NULL),
                  THEATER_PENDING);
    leave(b);
    for (int i = 1; i < 5; i++) {
        assert_ended(outcomes[i], THEATER_CLOSED);
    }
    world_fini(&world);
}

/* --- With threads -------------------------------------------------------- */

struct server {
    theater_endpoint_t *endpoint;
    pthread_t thread;
};

static void *serve(void *arg)
{
    struct server *server = arg;
    for (;;) {
        const theater_message_t *message;
        if (theater_endpoint_wait(server->endpoint, UINT64_MAX, &message) !=
            THEATER_OK) {
            abort();
        }
        bool last = message->kind == THEATER_MESSAGE_SEND;
        if (!last &&
            theater_endpoint_respond(server->endpoint, message->request,
                                     message->data) != THEATER_OK) {
            abort();
        }
        theater_endpoint_done(server->endpoint, THEATER_OK);
        if (last) {
            return NULL;
        }
    }
}

static void a_thread_waits_for_its_answer(void **state)
{
    (void)state;
    struct world world;
    struct server server;
    world_make(&world, NULL, false);
    server.endpoint = join(&world, "echo");
    assert_int_equal(pthread_create(&server.thread, NULL, serve, &server), 0);
    for (uint32_t i = 0; i < 20000; i++) {
        theater_answer_t *answer = NULL;
        theater_bytes_t data = {(const uint8_t *)&i, sizeof(i)};
        assert_status(theater_router_request(world.router, NULL, text("echo"),
                                             data, 30000, &answer),
                      THEATER_OK);
        assert_int_equal(answer->len, sizeof(i));
        assert_memory_equal(answer->data, &i, sizeof(i));
        theater_answer_delete(answer);
    }
    assert_status(send_text(&world, NULL, "echo", "end"), THEATER_OK);
    assert_int_equal(pthread_join(server.thread, NULL), 0);
    leave(server.endpoint);
    world_fini(&world);
}

static void a_thread_waits_no_longer_than_its_deadline(void **state)
{
    (void)state;
    struct world world;
    theater_answer_t *answer = NULL;
    world_make(&world, NULL, false);
    theater_endpoint_t *b = join(&world, "b");
    assert_status(theater_router_request(world.router, NULL, text("b"),
                                         text("q"), 20, &answer),
                  THEATER_TIMEOUT);
    assert_null(answer);
    nothing(b);
    leave(b);
    world_fini(&world);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_request_is_answered),
        cmocka_unit_test(an_empty_answer_is_an_answer),
        cmocka_unit_test(an_error_is_told_with_its_text),
        cmocka_unit_test(a_request_ends_at_its_deadline_and_is_then_never_run),
        cmocka_unit_test(a_late_answer_is_dropped_and_counted),
        cmocka_unit_test(a_cancelled_request_is_never_run),
        cmocka_unit_test(the_responder_can_cancel_too),
        cmocka_unit_test(an_answer_can_come_later_and_in_any_order),
        cmocka_unit_test(deferred_answers_have_a_bound),
        cmocka_unit_test(
            only_the_receiver_can_answer_and_ids_cannot_be_guessed),
        cmocka_unit_test(a_handler_that_forgets_to_answer_is_an_error),
        cmocka_unit_test(requests_end_with_closed_when_the_responder_goes),
        cmocka_unit_test(a_requester_that_goes_takes_its_requests_along),
        cmocka_unit_test(an_answer_over_the_limit_is_refused_to_its_sender),
        cmocka_unit_test(what_is_under_way_has_a_bound),
        cmocka_unit_test(a_thread_waits_for_its_answer),
        cmocka_unit_test(a_thread_waits_no_longer_than_its_deadline),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
