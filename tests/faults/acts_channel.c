/* SPDX-License-Identifier: Apache-2.0 */
/* Scenarios: channels. */
#include "acts_router.h"

enum { CREDIT = 4 };

static void open_and_accept(struct act *act)
{
    theater_channel_id_t a, b;
    if (connect_ab(act, &a, &b)) {
        assert_true(theater_channel_is_open(act->a, a));
        assert_int_equal(theater_channel_close(act->a, a, THEATER_OK),
                         THEATER_OK);
    }
}

static void open_and_reject(struct act *act)
{
    struct outcome *outcome = act_outcome(act);
    outcome->started = theater_channel_open_start(
        act->a, text("b"), text("hello"), 1000, note_opened, outcome, NULL);
    if (met(act, outcome->started, THEATER_PENDING)) {
        assert_non_null(take(act->b, THEATER_MESSAGE_CHANNEL_OPEN));
        assert_int_equal(theater_channel_reject(act->b), THEATER_OK);
        theater_endpoint_done(act->b, THEATER_OK);
        assert_int_equal(outcome->status, THEATER_REJECTED);
    }
}

static void open_for_too_long(struct act *act)
{
    struct outcome *outcome = act_outcome(act);
    outcome->started = theater_channel_open_start(
        act->a, text("b"), text("hello"), 10, note_opened, outcome, NULL);
    (void)met(act, outcome->started, THEATER_PENDING);
    pass(act, 20);
    drain(act->b);
}

/* Accepted when its deadline has passed: it is closed again. */
static void accept_too_late(struct act *act)
{
    struct outcome *outcome = act_outcome(act);
    outcome->started = theater_channel_open_start(
        act->a, text("b"), text("hello"), 10, note_opened, outcome, NULL);
    if (met(act, outcome->started, THEATER_PENDING)) {
        assert_non_null(take(act->b, THEATER_MESSAGE_CHANNEL_OPEN));
        pass(act, 20);
        (void)met(act, theater_channel_accept(act->b), THEATER_CLOSED);
        theater_endpoint_done(act->b, THEATER_OK);
        drain(act->b);
    }
}

static void open_and_cancel(struct act *act)
{
    theater_request_id_t id;
    struct outcome *outcome = act_outcome(act);
    outcome->started = theater_channel_open_start(
        act->a, text("b"), text("hello"), 1000, note_opened, outcome, &id);
    if (met(act, outcome->started, THEATER_PENDING)) {
        assert_int_equal(theater_router_cancel(act->router, id), THEATER_OK);
    }
    drain(act->b);
}

static void open_to_nobody(struct act *act)
{
    theater_status_t status = theater_channel_open_start(
        act->a, text("nobody"), text("x"), 10, note_opened, NULL, NULL);
    assert_int_equal(status, THEATER_NOT_FOUND);
}

static void open_to_oneself(struct act *act)
{
    theater_status_t status = theater_channel_open_start(
        act->a, text("a"), text("x"), 10, note_opened, NULL, NULL);
    (void)met(act, status, THEATER_DEADLOCK);
}

static void open_in_a_thread(struct act *act)
{
    theater_channel_id_t channel = {77};
    theater_status_t status =
        theater_channel_open(act->a, text("b"), text("x"), 10, &channel);
    (void)met(act, status, THEATER_TIMEOUT);
    assert_int_equal(channel.value, 77);
}

static void open_to_one_that_ends(struct act *act)
{
    theater_endpoint_t *c = join(act, "c", NULL);
    if (c != NULL) {
        struct outcome *outcome = act_outcome(act);
        outcome->started = theater_channel_open_start(
            act->a, text("c"), text("x"), 1000, note_opened, outcome, NULL);
        (void)met(act, outcome->started, THEATER_PENDING);
        leave(c);
    }
}

static void open_many(struct act *act)
{
    theater_channel_id_t a, b;
    for (int i = 0; i < 20; i++) {
        (void)connect_ab(act, &a, &b);
    }
    theater_endpoint_reset(act->a, THEATER_CLOSED);
    drain(act->b);
}

static void talk(struct act *act)
{
    theater_channel_id_t a, b;
    if (!connect_ab(act, &a, &b)) {
        return;
    }
    for (int i = 0; i < 5; i++) {
        (void)met(act, theater_channel_send(act->a, a, text("there")),
                  THEATER_OK);
        (void)met(act, theater_channel_send(act->b, b, text("back")),
                  THEATER_OK);
    }
    drain(act->b);
    drain(act->a);
    assert_int_equal(theater_channel_close(act->b, b, THEATER_OK), THEATER_OK);
}

static void talk_much(struct act *act)
{
    theater_channel_id_t a, b;
    if (connect_ab(act, &a, &b)) {
        (void)met(act, theater_channel_send(act->a, a, big(ACT_BIG)),
                  THEATER_OK);
        assert_int_equal(theater_channel_close(act->a, a, THEATER_FAILED),
                         THEATER_OK);
    }
}

/* What is sent inside the handling of the open follows the acceptance. */
static void talk_before_accepting(struct act *act)
{
    struct outcome *outcome = act_outcome(act);
    outcome->started = theater_channel_open_start(
        act->a, text("b"), text("hello"), 1000, note_opened, outcome, NULL);
    if (!met(act, outcome->started, THEATER_PENDING)) {
        return;
    }
    const theater_message_t *message =
        take(act->b, THEATER_MESSAGE_CHANNEL_OPEN);
    assert_non_null(message);
    for (int i = 0; i < 2; i++) {
        (void)met(act,
                  theater_channel_send(act->b, message->channel, text("early")),
                  THEATER_OK);
    }
    (void)met(act, theater_channel_accept(act->b), THEATER_OK);
    theater_endpoint_done(act->b, THEATER_OK);
    drain(act->a);
    theater_endpoint_reset(act->a, THEATER_CLOSED);
}

/* A channel from a to "c", which grants little credit; NULL: none. */
static theater_endpoint_t *narrow(struct act *act, theater_channel_id_t *out_a)
{
    theater_endpoint_options_t options = THEATER_ENDPOINT_OPTIONS_INIT;
    options.channel_credit = CREDIT;
    theater_endpoint_t *c = join(act, "c", &options);
    if (c == NULL) {
        return NULL;
    }
    struct outcome *outcome = act_outcome(act);
    outcome->started = theater_channel_open_start(
        act->a, text("c"), text("x"), 1000, note_opened, outcome, NULL);
    if (met(act, outcome->started, THEATER_PENDING)) {
        drain(c);
        if (outcome->status == THEATER_OK) {
            *out_a = outcome->channel;
            return c;
        }
    }
    leave(c);
    return NULL;
}

static void fill(struct act *act, theater_channel_id_t a)
{
    /* Where one was refused memory, this one has its credit. */
    for (int i = 0; i <= CREDIT; i++) {
        (void)met_or(act, theater_channel_send(act->a, a, text("x")),
                     i < CREDIT ? THEATER_OK : THEATER_MAILBOX_FULL,
                     THEATER_OK);
    }
}

static void wait_for_credit(struct act *act)
{
    theater_channel_id_t a;
    theater_endpoint_t *c = narrow(act, &a);
    if (c == NULL) {
        return;
    }
    fill(act, a);
    struct outcome *outcome = act_outcome(act);
    outcome->started = theater_channel_credit_start(act->a, a, 1, 1000,
                                                    note_done, outcome, NULL);
    (void)met_or(act, outcome->started, THEATER_PENDING, THEATER_OK);
    drain(c);
    leave(c);
}

static void wait_for_credit_and_close(struct act *act)
{
    theater_channel_id_t a;
    theater_endpoint_t *c = narrow(act, &a);
    if (c == NULL) {
        return;
    }
    fill(act, a);
    struct outcome *outcome = act_outcome(act);
    outcome->started = theater_channel_credit_start(act->a, a, 1, 1000,
                                                    note_done, outcome, NULL);
    (void)met_or(act, outcome->started, THEATER_PENDING, THEATER_OK);
    leave(c);
}

/* Who accepted has begun nothing before: its books are made in this call. */
static void wait_for_credit_at_the_other_end(struct act *act)
{
    theater_channel_id_t a, b;
    if (connect_ab(act, &a, &b)) {
        struct outcome *outcome = act_outcome(act);
        outcome->started = theater_channel_credit_start(
            act->b, b, 1, 1000, note_done, outcome, NULL);
        (void)met(act, outcome->started, THEATER_OK);
    }
}

static void wait_for_credit_in_a_thread(struct act *act)
{
    theater_channel_id_t a;
    theater_endpoint_t *c = narrow(act, &a);
    if (c != NULL) {
        fill(act, a);
        theater_status_t status =
            theater_channel_send_wait(act->a, a, text("x"), 10);
        (void)met_or(act, status, THEATER_MAILBOX_FULL, THEATER_OK);
        leave(c);
    }
}

static void open_with_a_ring(struct act *act)
{
    theater_endpoint_options_t options = THEATER_ENDPOINT_OPTIONS_INIT;
    options.on_full = THEATER_DROP_OLDEST;
    options.capacity = 4;
    options.max_channels = 2;
    options.channel_credit = CREDIT;
    theater_endpoint_t *c = join(act, "c", &options);
    if (c == NULL) {
        return;
    }
    struct outcome *outcome = act_outcome(act);
    outcome->started = theater_channel_open_start(
        act->a, text("c"), text("x"), 1000, note_opened, outcome, NULL);
    if (met(act, outcome->started, THEATER_PENDING)) {
        drain(c);
        if (outcome->status == THEATER_OK) {
            fill(act, outcome->channel);
        }
        /* Channel data is never dropped, and stands before them; if any. */
        for (int i = 0; i < 6; i++) {
            (void)met_or(act, send_text(act, act->b, "c", "x"),
                         i < 4 ? THEATER_OK : THEATER_MAILBOX_FULL, THEATER_OK);
        }
        drain(c);
    }
    leave(c);
}

#define ACT(name, run) {name, run, &stage_router, NULL}
const struct scenario acts_channel[] = {
    ACT("a channel", open_and_accept),
    ACT("a channel that is rejected", open_and_reject),
    ACT("an open, for too long", open_for_too_long),
    ACT("an open that is accepted too late", accept_too_late),
    ACT("an open that is cancelled", open_and_cancel),
    ACT("an open to nobody", open_to_nobody),
    ACT("an open to oneself", open_to_oneself),
    ACT("a thread that opens a channel", open_in_a_thread),
    ACT("an open to one that ends", open_to_one_that_ends),
    ACT("20 channels", open_many),
    ACT("data on a channel", talk),
    ACT("1 MiB on a channel", talk_much),
    ACT("data before the acceptance", talk_before_accepting),
    ACT("a wait for credit", wait_for_credit),
    ACT("a wait for credit that is closed", wait_for_credit_and_close),
    ACT("a wait for credit at the other end", wait_for_credit_at_the_other_end),
    ACT("a thread that waits for credit", wait_for_credit_in_a_thread),
    ACT("a channel into a ring", open_with_a_ring),
    {"a channel of one that waits", talk, &stage_waiters, NULL},
};
const size_t acts_channel_len = sizeof acts_channel / sizeof acts_channel[0];
