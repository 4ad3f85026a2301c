/* SPDX-License-Identifier: Apache-2.0 */
/* Scenarios: requests, and what becomes of them. */
#include "acts_router.h"

/* One request of `a` that `b` has received and not yet handled; NULL: none. */
static const theater_message_t *asked(struct act *act)
{
    if (!ask(act, act->a, "b", "question", 1000)) {
        return NULL;
    }
    const theater_message_t *message = take(act->b, THEATER_MESSAGE_REQUEST);
    assert_non_null(message);
    return message;
}

static void ask_once(struct act *act)
{
    (void)ask(act, act->a, "b", "question", 1000);
    drain(act->b);
}

static void ask_often(struct act *act)
{
    for (int i = 0; i < 20; i++) {
        (void)ask(act, act->a, "b", "question", 1000);
        (void)ask(act, act->b, "a", "question", 1000);
    }
    drain(act->b);
    drain(act->a);
}

/* The books need not grow where one of those in them has ended. */
static void ask_once_more_where_one_has_ended(struct act *act)
{
    theater_request_id_t id;
    bool all = ask_id(act, act->a, "b", &id);
    for (int i = 0; i < 3; i++) {
        all = ask(act, act->a, "b", "question", 1000) && all;
    }
    if (all) {
        assert_int_equal(theater_router_cancel(act->router, id), THEATER_OK);
        (void)ask(act, act->a, "b", "one more", 1000);
    }
    drain(act->b);
}

static void ask_nameless(struct act *act)
{
    (void)ask(act, NULL, "b", "question", 1000);
    drain(act->b);
}

static void ask_much(struct act *act)
{
    struct outcome *outcome = act_outcome(act);
    outcome->started = theater_router_request_start(
        act->router, act->a, text("b"), big(ACT_BIG), 1000, note_done, outcome,
        NULL);
    (void)met(act, outcome->started, THEATER_PENDING);
    const theater_message_t *message = take(act->b, THEATER_MESSAGE_REQUEST);
    if (message != NULL) {
        (void)met(
            act,
            theater_endpoint_respond(act->b, message->request, big(ACT_BIG)),
            THEATER_OK);
        theater_endpoint_done(act->b, THEATER_OK);
    }
}

static void ask_and_be_told_an_error(struct act *act)
{
    const theater_message_t *message = asked(act);
    if (message != NULL) {
        (void)met(act,
                  theater_endpoint_fail(act->b, message->request, text("no")),
                  THEATER_OK);
        theater_endpoint_done(act->b, THEATER_OK);
    }
}

static void ask_and_be_answered_at_the_second_try(struct act *act)
{
    const theater_message_t *message = asked(act);
    if (message == NULL) {
        return;
    }
    theater_request_id_t id = message->request;
    /* What was refused memory is still to be answered. */
    for (int i = 0; i < 2; i++) {
        theater_status_t status =
            theater_endpoint_respond(act->b, id, text("answer"));
        if (met(act, status, THEATER_OK)) {
            status = theater_endpoint_respond(act->b, id, text("again"));
            assert_int_equal(status, THEATER_CLOSED);
            break;
        }
    }
    theater_endpoint_done(act->b, THEATER_OK);
}

static void ask_and_get_nothing(struct act *act)
{
    if (asked(act) != NULL) {
        theater_endpoint_done(act->b, THEATER_OK);
    }
    if (asked(act) != NULL) {
        theater_endpoint_done(act->b, THEATER_TRAPPED);
    }
}

static void ask_for_too_long(struct act *act)
{
    (void)ask(act, act->a, "b", "question", 10);
    pass(act, 20);
    drain(act->b);
}

static void ask_and_answer_too_late(struct act *act)
{
    const theater_message_t *message = asked(act);
    if (message != NULL) {
        theater_request_id_t id = message->request;
        pass(act, 2000);
        theater_status_t status =
            theater_endpoint_respond(act->b, id, text("late"));
        assert_int_equal(status, THEATER_CLOSED);
        theater_endpoint_done(act->b, THEATER_OK);
    }
}

static void ask_and_cancel(struct act *act)
{
    theater_request_id_t id;
    if (ask_id(act, act->a, "b", &id)) {
        assert_int_equal(theater_router_cancel(act->router, id), THEATER_OK);
    }
    drain(act->b);
}

static void ask_and_be_cancelled(struct act *act)
{
    const theater_message_t *message = asked(act);
    if (message != NULL) {
        assert_int_equal(
            theater_endpoint_cancel_request(act->b, message->request),
            THEATER_OK);
        theater_endpoint_done(act->b, THEATER_OK);
    }
}

static void ask_and_defer(struct act *act)
{
    theater_request_id_t id = {0};
    if (asked(act) == NULL) {
        return;
    }
    bool deferred = met(act, theater_endpoint_defer(act->b, &id), THEATER_OK);
    assert_true(deferred || id.value == 0);
    theater_endpoint_done(act->b, THEATER_OK);
    if (deferred) {
        (void)met(act, theater_endpoint_respond(act->b, id, text("answer")),
                  THEATER_OK);
    }
}

static void defer_many(struct act *act)
{
    theater_request_id_t ids[40];
    size_t deferred = 0;
    for (int i = 0; i < 40; i++) {
        if (asked(act) == NULL) {
            continue;
        }
        deferred += met(act, theater_endpoint_defer(act->b, &ids[deferred]),
                        THEATER_OK);
        theater_endpoint_done(act->b, THEATER_OK);
    }
    theater_request_id_t listed[40];
    assert_int_equal(theater_endpoint_outstanding(act->b, listed, 40),
                     deferred);
    for (size_t i = 0; i < deferred; i++) {
        assert_int_equal(listed[i].value, ids[i].value);
        (void)met(act, theater_endpoint_respond(act->b, ids[i], text("answer")),
                  THEATER_OK);
    }
}

static void ask_one_that_ends(struct act *act)
{
    theater_endpoint_t *c = join(act, "c", NULL);
    if (c != NULL) {
        (void)ask(act, act->a, "c", "question", 1000);
        (void)ask(act, act->a, "c", "question", 1000);
        leave(c);
    }
}

static void end_while_asking(struct act *act)
{
    theater_endpoint_t *c = join(act, "c", NULL);
    if (c != NULL) {
        (void)ask(act, c, "b", "question", 1000);
        leave(c);
        drain(act->b);
    }
}

static void ask_nobody(struct act *act)
{
    theater_status_t status =
        theater_router_request_start(act->router, act->a, text("nobody"),
                                     text("x"), 10, note_done, NULL, NULL);
    assert_int_equal(status, THEATER_NOT_FOUND);
}

static void ask_what_is_denied(struct act *act)
{
    theater_permissions_t grants = THEATER_PERMISSIONS_INIT;
    theater_endpoint_options_t options = THEATER_ENDPOINT_OPTIONS_INIT;
    grants.can_request = false;
    options.permissions = &grants;
    theater_endpoint_t *c = join(act, "c", &options);
    if (c != NULL) {
        theater_status_t status = theater_router_request_start(
            act->router, c, text("b"), text("x"), 10, note_done, NULL, NULL);
        assert_int_equal(status, THEATER_DENIED);
        leave(c);
    }
}

static void ask_a_full_one(struct act *act)
{
    theater_endpoint_options_t options = THEATER_ENDPOINT_OPTIONS_INIT;
    options.capacity = 1;
    theater_endpoint_t *c = join(act, "c", &options);
    if (c == NULL) {
        return;
    }
    if (ask(act, act->a, "c", "question", 1000)) {
        theater_status_t status =
            theater_router_request_start(act->router, act->a, text("c"),
                                         text("x"), 10, note_done, NULL, NULL);
        (void)met(act, status, THEATER_MAILBOX_FULL);
    }
    leave(c);
}

static void ask_in_a_thread(struct act *act)
{
    theater_answer_t *answer = NULL;
    /* Nobody handles it: the clock goes on to its deadline. */
    theater_status_t status = theater_router_request(
        act->router, act->a, text("b"), text("question"), 10, &answer);
    (void)met(act, status, THEATER_TIMEOUT);
    assert_null(answer);
}

static void ask_oneself(struct act *act)
{
    theater_status_t status = theater_router_request_start(
        act->router, act->a, text("a"), text("x"), 10, note_done, NULL, NULL);
    (void)met(act, status, THEATER_DEADLOCK);
}

static void ask_in_a_ring(struct act *act)
{
    if (ask(act, act->a, "b", "question", 1000)) {
        theater_status_t status =
            theater_router_request_start(act->router, act->b, text("a"),
                                         text("x"), 10, note_done, NULL, NULL);
        (void)met(act, status, THEATER_DEADLOCK);
    }
    drain(act->b);
}

#define ACT(name, run) {name, run, &stage_router, NULL}
#define WAITERS(name, run) {name, run, &stage_waiters, NULL}
const struct scenario acts_request[] = {
    ACT("a request", ask_once),
    ACT("40 requests", ask_often),
    ACT("one more where one has ended", ask_once_more_where_one_has_ended),
    ACT("a request from nobody", ask_nameless),
    ACT("a request of 1 MiB", ask_much),
    ACT("a request that fails", ask_and_be_told_an_error),
    ACT("an answer, tried again", ask_and_be_answered_at_the_second_try),
    ACT("a request that is not answered", ask_and_get_nothing),
    ACT("a request, for too long", ask_for_too_long),
    ACT("an answer that is late", ask_and_answer_too_late),
    ACT("a request that is cancelled", ask_and_cancel),
    ACT("a request that its receiver cancels", ask_and_be_cancelled),
    ACT("a deferred answer", ask_and_defer),
    ACT("40 deferred answers", defer_many),
    ACT("a request to one that ends", ask_one_that_ends),
    ACT("a request of one that ends", end_while_asking),
    ACT("a request to nobody", ask_nobody),
    ACT("a request that is denied", ask_what_is_denied),
    ACT("a request to a full mailbox", ask_a_full_one),
    ACT("a thread that asks", ask_in_a_thread),
    WAITERS("a request to oneself", ask_oneself),
    WAITERS("a ring of requests", ask_in_a_ring),
    WAITERS("a request of one that waits", ask_once),
};
const size_t acts_request_len = sizeof acts_request / sizeof acts_request[0];
