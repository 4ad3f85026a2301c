/* SPDX-License-Identifier: Apache-2.0 */
/* Calls at the wrong moment, and bounds that are met exactly: each is told what
 * it is, and nothing else changes. */
#include "world.h"

static void expect_two(theater_status_t status)
{
    if (status != THEATER_INVALID_ARGUMENT && status != THEATER_CLOSED) {
        fail_msg("answered %s", theater_status_name(status));
    }
}

/* --- Channels ------------------------------------------------------------- */

/* Both ends have one id, so it can be guessed before the decision. */
static void nobody_uses_a_channel_before_it_is_decided(void **state)
{
    struct world world;
    struct outcome outcome;
    (void)state;

    world_init(&world);
    theater_endpoint_t *a = join(&world, "a");
    theater_endpoint_t *b = join(&world, "b");
    assert_status(send_text(&world, a, "b", "first"), THEATER_OK);
    assert_status(offer(a, "b", "hello", 0, &outcome), THEATER_PENDING);
    struct outcome other;
    assert_status(offer(a, "b", "another", 0, &other), THEATER_PENDING);
    theater_channel_id_t guess = {UINT64_C(1) << 32};
    theater_channel_id_t next = {guess.value + 1};
    /* Neither the opener, nor its target before or while it handles another. */
    assert_status(theater_channel_send(a, guess, text("x")),
                  THEATER_INVALID_ARGUMENT);
    assert_false(theater_channel_is_open(a, guess));
    assert_status(theater_channel_close(a, guess, THEATER_OK),
                  THEATER_INVALID_ARGUMENT);
    expect_two(theater_channel_send(b, guess, text("x")));
    (void)take(b, THEATER_MESSAGE_SEND, "first");
    assert_status(theater_channel_accept(b), THEATER_INVALID_ARGUMENT);
    assert_status(theater_channel_reject(b), THEATER_INVALID_ARGUMENT);
    expect_two(theater_channel_send(b, guess, text("x")));
    theater_endpoint_done(b, THEATER_OK);
    const theater_message_t *message =
        take(b, THEATER_MESSAGE_CHANNEL_OPEN, "hello");
    assert_true(message->channel.value == guess.value);
    expect_two(theater_channel_send(b, next, text("x")));
    assert_status(theater_channel_accept(b), THEATER_OK);
    assert_status(theater_channel_accept(b), THEATER_INVALID_ARGUMENT);
    theater_endpoint_done(b, THEATER_OK);
    assert_ended(outcome, THEATER_OK);
    message = take(b, THEATER_MESSAGE_CHANNEL_OPEN, "another");
    assert_true(message->channel.value == next.value);
    theater_endpoint_done(b, THEATER_OK);
    assert_ended(other, THEATER_REJECTED);
    nothing(a);
    leave(a);
    leave(b);
    world_fini(&world);
}

/* Ids of requests and of channels are counted apart, so they may be equal. */
static void a_request_with_a_channels_id_opens_it_for_nobody(void **state)
{
    struct world world;
    struct outcome asked, outcome;
    theater_request_id_t id;
    (void)state;

    world_init(&world);
    theater_endpoint_t *a = join(&world, "a");
    theater_endpoint_t *b = join(&world, "b");
    assert_status(ask(&world, a, "b", "q", 0, &asked, &id), THEATER_PENDING);
    assert_status(offer(a, "b", "hello", 0, &outcome), THEATER_PENDING);
    (void)take(b, THEATER_MESSAGE_REQUEST, "q");
    theater_channel_id_t guess = {id.value};
    expect_two(theater_channel_send(b, guess, text("not asked yet")));
    theater_endpoint_done(b, THEATER_OK);
    const theater_message_t *message =
        take(b, THEATER_MESSAGE_CHANNEL_OPEN, "hello");
    assert_true(message->channel.value == guess.value);
    theater_endpoint_done(b, THEATER_OK);
    assert_ended(outcome, THEATER_REJECTED);
    leave(a);
    leave(b);
    world_fini(&world);
}

static void a_channel_may_be_closed_while_its_data_is_handled(void **state)
{
    struct world world;
    theater_channel_id_t at_b;
    (void)state;

    world_init(&world);
    theater_endpoint_t *a = join(&world, "a");
    theater_endpoint_t *b = join(&world, "b");
    theater_channel_id_t channel = connect(a, b, "b", &at_b);
    assert_status(theater_channel_send(a, channel, text("1")), THEATER_OK);
    (void)take(b, THEATER_MESSAGE_CHANNEL_DATA, "1");
    assert_status(theater_channel_close(b, at_b, THEATER_OK), THEATER_OK);
    theater_endpoint_done(b, THEATER_OK);
    /* The other end has not read that it is closed, and is told. */
    assert_status(theater_channel_send(a, channel, text("2")), THEATER_CLOSED);
    handle(a, THEATER_MESSAGE_CHANNEL_CLOSE, NULL);
    leave(a);
    leave(b);
    world_fini(&world);
}

static theater_status_t credit(theater_endpoint_t *endpoint,
                               theater_channel_id_t channel,
                               struct outcome *outcome)
{
    theater_request_id_t id;
    memset(outcome, 0, sizeof *outcome);
    return theater_channel_credit_start(endpoint, channel, 1, 50, note_done,
                                        outcome, &id);
}

static void a_wait_for_credit_that_cannot_be_is_refused_at_once(void **state)
{
    struct world world;
    struct outcome first, second;
    theater_endpoint_options_t options = THEATER_ENDPOINT_OPTIONS_INIT;
    theater_channel_id_t at_b, none = {UINT64_C(77) << 32};
    (void)state;

    options.channel_credit = 1;
    options.waits = true;
    world_init(&world);
    theater_endpoint_t *a = join_as(&world, "a", &options);
    theater_endpoint_t *b = join_as(&world, "b", &options);
    theater_channel_id_t at_a = connect(a, b, "b", &at_b);
    assert_status(credit(a, none, &first), THEATER_INVALID_ARGUMENT);
    assert_status(credit(a, (theater_channel_id_t){0}, &first),
                  THEATER_INVALID_ARGUMENT);
    assert_status(theater_channel_send(a, at_a, text("1")), THEATER_OK);
    assert_status(theater_channel_send(b, at_b, text("1")), THEATER_OK);
    assert_status(theater_channel_credit_start(a, at_a, 1, 50, note_done,
                                               memset(&first, 0, sizeof first),
                                               NULL),
                  THEATER_PENDING);
    /* One wait for each direction. */
    assert_status(credit(a, at_a, &second), THEATER_INVALID_ARGUMENT);
    /* Each would wait for the other for ever. */
    assert_status(credit(b, at_b, &second), THEATER_MAILBOX_FULL);
    pass(&world, 60);
    assert_ended(first, THEATER_MAILBOX_FULL);
    assert_int_equal(second.calls, 0);
    /* The other end closes, which this one has not read yet. */
    assert_status(theater_channel_close(b, at_b, THEATER_OK), THEATER_OK);
    assert_status(credit(a, at_a, &first), THEATER_CLOSED);
    handle(a, THEATER_MESSAGE_CHANNEL_DATA, "1");
    handle(a, THEATER_MESSAGE_CHANNEL_CLOSE, NULL);
    assert_status(credit(a, at_a, &first), THEATER_CLOSED);
    leave(a);
    leave(b);
    world_fini(&world);
}

static void who_sends_and_waits_on_a_channel_is_told_of_its_end(void **state)
{
    struct world world;
    theater_endpoint_options_t options = THEATER_ENDPOINT_OPTIONS_INIT;
    theater_channel_id_t at_b;
    (void)state;

    options.channel_credit = 1;
    options.waits = true;
    world_init(&world);
    theater_endpoint_t *a = join_as(&world, "a", &options);
    theater_endpoint_t *b = join_as(&world, "b", &options);
    theater_channel_id_t at_a = connect(a, b, "b", &at_b);
    assert_status(theater_channel_send_wait(a, at_a, text("1"), 10),
                  THEATER_OK);
    /* No credit: at once, after its time, and where waiting is in vain. */
    assert_status(theater_channel_send_wait(a, at_a, text("2"), 0),
                  THEATER_MAILBOX_FULL);
    assert_status(theater_channel_send_wait(a, at_a, text("2"), 10),
                  THEATER_MAILBOX_FULL);
    handle(b, THEATER_MESSAGE_CHANNEL_DATA, "1");
    assert_status(theater_channel_send_wait(a, at_a, text("3"), 0), THEATER_OK);
    assert_status(theater_channel_close(b, at_b, THEATER_OK), THEATER_OK);
    assert_status(theater_channel_send_wait(a, at_a, text("4"), 10),
                  THEATER_CLOSED);
    leave(a);
    leave(b);
    world_fini(&world);
}

/* A ring takes no more channels than it has room for, at either end. */
static void a_ring_that_has_no_room_accepts_no_channel(void **state)
{
    struct world world;
    struct outcome outcome;
    theater_endpoint_options_t options = THEATER_ENDPOINT_OPTIONS_INIT;
    theater_status_t status = THEATER_OK;
    unsigned rounds = 0;
    (void)state;

    options.on_full = THEATER_DROP_OLDEST;
    options.capacity = 1;
    options.max_channels = 1;
    options.channel_credit = 1;
    world_init(&world);
    theater_endpoint_t *a = join(&world, "a");
    theater_endpoint_t *ring = join_as(&world, "ring", &options);
    struct outcome early;
    assert_status(offer(a, "ring", "before", 0, &early), THEATER_PENDING);
    /* It opens, is greeted and closes, so what is of closed ones piles up. */
    for (; rounds < 1000; rounds++) {
        status = offer(ring, "a", "x", 0, &outcome);
        if (status != THEATER_PENDING) {
            break;
        }
        const theater_message_t *m = NULL;
        while (theater_endpoint_receive(a, &m) == THEATER_OK) {
            if (m->kind == THEATER_MESSAGE_CHANNEL_OPEN) {
                theater_channel_id_t at_a = m->channel;
                assert_status(theater_channel_accept(a), THEATER_OK);
                assert_status(theater_channel_send(a, at_a, text("hi")),
                              THEATER_OK);
            }
            theater_endpoint_done(a, THEATER_OK);
        }
        assert_status(theater_channel_close(ring, outcome.channel, THEATER_OK),
                      THEATER_OK);
    }
    assert_status(status, THEATER_MAILBOX_FULL);
    assert_true(rounds > 0);
    (void)take(ring, THEATER_MESSAGE_CHANNEL_OPEN, "before");
    assert_status(theater_channel_accept(ring), THEATER_MAILBOX_FULL);
    theater_endpoint_done(ring, THEATER_OK);
    assert_ended(early, THEATER_REJECTED);
    leave(ring);
    leave(a);
    world_fini(&world);
}

static void channels_count_against_what_is_under_way(void **state)
{
    struct world world;
    struct outcome outcome;
    theater_channel_id_t channel;
    theater_router_options_t options = THEATER_ROUTER_OPTIONS_INIT;
    theater_status_t status = THEATER_PENDING;
    unsigned opened = 0;
    (void)state;

    options.max_pending = 1;
    world_make(&world, &options, true);
    theater_endpoint_t *a = join(&world, "a");
    theater_endpoint_t *b = join(&world, "b");
    channel = connect(a, b, "b", NULL);
    for (; opened < 1000; opened++) {
        status = offer(a, "b", "x", 0, &outcome);
        if (status != THEATER_PENDING) {
            break;
        }
        (void)take(b, THEATER_MESSAGE_CHANNEL_OPEN, "x");
        assert_status(theater_channel_accept(b), THEATER_OK);
        theater_endpoint_done(b, THEATER_OK);
    }
    assert_status(status, THEATER_MAILBOX_FULL);
    assert_true(theater_channel_is_open(a, channel));
    /* So do requests, and waits for credit. */
    static struct outcome asked[1000];
    for (opened = 0; opened < 1000; opened++) {
        status = ask(&world, NULL, "b", "q", 10, &asked[opened], NULL);
        if (status != THEATER_PENDING) {
            break;
        }
    }
    assert_status(status, THEATER_MAILBOX_FULL);
    assert_status(credit(a, channel, &outcome), THEATER_MAILBOX_FULL);
    pass(&world, 20);
    nothing(b);
    leave(a);
    leave(b);
    world_fini(&world);
}

/* --- Requests ------------------------------------------------------------- */

static void what_is_no_request_has_no_answer(void **state)
{
    struct world world;
    struct outcome outcome;
    theater_request_id_t id, queued;
    (void)state;

    world_init(&world);
    theater_endpoint_t *a = join(&world, "a");
    theater_endpoint_t *b = join(&world, "b");
    theater_channel_id_t channel = connect(a, b, "b", NULL);
    assert_status(send_text(&world, a, "b", "m"), THEATER_OK);
    assert_status(theater_channel_send(a, channel, text("d")), THEATER_OK);
    assert_status(ask(&world, a, "b", "q", 0, &outcome, &queued),
                  THEATER_PENDING);
    (void)take(b, THEATER_MESSAGE_SEND, "m");
    assert_status(theater_endpoint_defer(b, &id), THEATER_INVALID_ARGUMENT);
    assert_status(theater_endpoint_respond(b, queued, text("early")),
                  THEATER_INVALID_ARGUMENT);
    assert_int_equal(theater_endpoint_outstanding(b, NULL, 0), 0);
    theater_endpoint_done(b, THEATER_OK);
    (void)take(b, THEATER_MESSAGE_CHANNEL_DATA, "d");
    id.value = channel.value; /* the id of what is handled, and no request's */
    assert_status(theater_endpoint_respond(b, id, text("r")),
                  THEATER_INVALID_ARGUMENT);
    theater_endpoint_done(b, THEATER_OK);
    (void)take(b, THEATER_MESSAGE_REQUEST, "q");
    id.value = 0;
    assert_status(theater_endpoint_respond(b, id, text("r")),
                  THEATER_INVALID_ARGUMENT);
    id.value = queued.value ^ 1;
    assert_status(theater_endpoint_respond(b, id, text("r")),
                  THEATER_INVALID_ARGUMENT);
    assert_status(theater_endpoint_respond(b, queued, text("r")), THEATER_OK);
    assert_status(theater_endpoint_respond(b, queued, text("again")),
                  THEATER_CLOSED);
    assert_status(theater_endpoint_defer(b, &id), THEATER_INVALID_ARGUMENT);
    theater_endpoint_done(b, THEATER_OK);
    assert_ended(outcome, THEATER_OK);
    leave(a);
    leave(b);
    world_fini(&world);
}

static void the_request_being_handled_is_outstanding_too(void **state)
{
    struct world world;
    struct outcome first, second;
    theater_request_id_t ids[2], listed[2] = {{0}, {0}};
    (void)state;

    world_init(&world);
    theater_endpoint_t *b = join(&world, "b");
    assert_status(ask(&world, NULL, "b", "1", 0, &first, &ids[0]),
                  THEATER_PENDING);
    assert_status(ask(&world, NULL, "b", "2", 50, &second, &ids[1]),
                  THEATER_PENDING);
    (void)take(b, THEATER_MESSAGE_REQUEST, "1");
    assert_status(theater_endpoint_defer(b, &ids[0]), THEATER_OK);
    assert_int_equal(theater_endpoint_outstanding(b, listed, 1), 1);
    theater_endpoint_done(b, THEATER_OK);
    (void)take(b, THEATER_MESSAGE_REQUEST, "2");
    assert_int_equal(theater_endpoint_outstanding(b, listed, 1), 2);
    assert_true(listed[0].value == ids[0].value && listed[1].value == 0);
    assert_int_equal(theater_endpoint_outstanding(b, listed, 2), 2);
    assert_true(listed[1].value == ids[1].value);
    pass(&world, 60); /* nobody waits for the second any more */
    assert_ended(second, THEATER_TIMEOUT);
    assert_int_equal(theater_endpoint_outstanding(b, listed, 2), 1);
    assert_status(theater_endpoint_defer(b, &ids[1]), THEATER_INVALID_ARGUMENT);
    theater_endpoint_done(b, THEATER_OK);
    assert_status(theater_endpoint_respond(b, ids[0], text("r")), THEATER_OK);
    assert_ended(first, THEATER_OK);
    leave(b);
    world_fini(&world);
}

/* --- Bounds --------------------------------------------------------------- */

static void the_bound_of_all_bytes_is_used_to_the_last_message(void **state)
{
    enum { BOUND = 1 << 20, LEN = 3000 };
    static char data[LEN + 1];
    struct world world;
    theater_router_options_t options = THEATER_ROUTER_OPTIONS_INIT;
    uint64_t taken = 0;
    (void)state;

    options.max_queued_bytes = BOUND;
    world_make(&world, &options, true);
    memset(data, 'd', LEN);
    theater_endpoint_t *b = join(&world, "b");
    theater_endpoint_t *c = join(&world, "c");
    theater_channel_id_t channel = connect(c, b, "b", NULL);
    while (send_text(&world, NULL, "b", data) == THEATER_OK) {
        taken += LEN;
    }
    assert_true(taken + 2 * LEN > BOUND - BOUND / 16);
    /* On a channel there is credit, and no memory. */
    assert_status(theater_channel_send(c, channel, text(data)),
                  THEATER_OUT_OF_MEMORY);
    handle_send(b, data);
    assert_status(theater_channel_send(c, channel, text(data)), THEATER_OK);
    leave(b);
    leave(c);
    world_fini(&world);
}

/* Who is dropped for is let in: a large message costs as many small ones as
 * it needs, however many that is. */
static void a_large_newcomer_drops_as_many_as_it_needs(void **state)
{
    static char data[1001];
    struct world world;
    theater_endpoint_options_t options = THEATER_ENDPOINT_OPTIONS_INIT;
    (void)state;

    world_init(&world);
    memset(data, 'd', 1000);
    options.on_full = THEATER_DROP_OLDEST;
    options.capacity_bytes = 1000;
    theater_endpoint_t *b = join_as(&world, "b", &options);
    for (unsigned i = 0; i < 100; i++) {
        assert_status(send_text(&world, NULL, "b", "ten bytes!"), THEATER_OK);
    }
    assert_int_equal(dead(&world, THEATER_MAILBOX_FULL), 0);
    assert_status(send_text(&world, NULL, "b", data), THEATER_OK);
    assert_int_equal(dead(&world, THEATER_MAILBOX_FULL), 100);
    handle_send(b, data);
    nothing(b);
    leave(b);
    world_fini(&world);
}

/* One receive passes by so many that nobody waits for; then the owner is woken
 * and looks again. */
static void many_requests_that_ended_are_passed_by_in_turns(void **state)
{
    enum { MANY = 700 };
    struct world world;
    struct outcome outcome;
    unsigned turns = 0;
    (void)state;

    world_init(&world);
    theater_endpoint_t *b = join(&world, "b");
    for (unsigned i = 0; i < MANY; i++) {
        assert_status(ask(&world, NULL, "b", "q", 10, &outcome, NULL),
                      THEATER_PENDING);
    }
    assert_status(send_text(&world, NULL, "b", "behind them"), THEATER_OK);
    pass(&world, 20);
    const theater_message_t *message = NULL;
    while (theater_endpoint_receive(b, &message) == THEATER_EMPTY) {
        assert_true(++turns < 10);
    }
    assert_true(turns > 0);
    assert_int_equal(message->data.len, strlen("behind them"));
    theater_endpoint_done(b, THEATER_OK);
    assert_int_equal(dead(&world, THEATER_TIMEOUT), MANY);
    leave(b);
    world_fini(&world);
}

static void an_empty_broadcast_is_a_message_to_each(void **state)
{
    struct world world;
    theater_bytes_t targets[2] = {text("a"), text("b")};
    uint8_t codes[2];
    (void)state;

    world_init(&world);
    theater_endpoint_t *a = join(&world, "a");
    theater_endpoint_t *b = join(&world, "b");
    assert_status(theater_router_broadcast(world.router, NULL, targets, 2,
                                           text(""), codes),
                  THEATER_OK);
    handle_send(a, "");
    handle_send(b, "");
    leave(a);
    leave(b);
    world_fini(&world);
}

static void no_pattern_is_no_name(void **state)
{
    (void)state;
    assert_status(theater_pattern_check(NULL), THEATER_INVALID_ARGUMENT);
    assert_status(theater_pattern_check(""), THEATER_INVALID_ARGUMENT);
    assert_false(theater_pattern_matches("", "a", 1));
    assert_true(theater_pattern_matches("*", "a", 1));
}

/* --- Ends ----------------------------------------------------------------- */

static void a_reset_says_why_to_the_other_ends(void **state)
{
    static const theater_status_t reasons[] = {THEATER_OK, THEATER_FAILED};
    (void)state;
    for (unsigned i = 0; i < 2; i++) {
        struct world world;
        theater_channel_id_t at_b;
        world_init(&world);
        theater_endpoint_t *a = join(&world, "a");
        theater_endpoint_t *b = join(&world, "b");
        (void)connect(a, b, "b", &at_b);
        assert_status(send_text(&world, b, "a", "being handled"), THEATER_OK);
        (void)take(a, THEATER_MESSAGE_SEND, "being handled");
        theater_endpoint_reset(a, reasons[i]);
        const theater_message_t *m =
            take(b, THEATER_MESSAGE_CHANNEL_CLOSE, NULL);
        assert_status((theater_status_t)m->reason,
                      i == 0 ? THEATER_CLOSED : THEATER_FAILED);
        theater_endpoint_done(b, THEATER_OK);
        leave(a);
        leave(b);
        world_fini(&world);
    }
}

static void a_place_in_line_that_its_sender_left_is_nobody_elses(void **state)
{
    struct world world;
    struct outcome outcome;
    theater_endpoint_options_t one = THEATER_ENDPOINT_OPTIONS_INIT;
    theater_endpoint_options_t waits = THEATER_ENDPOINT_OPTIONS_INIT;
    (void)state;

    one.capacity = 1;
    waits.waits = true;
    world_init(&world);
    theater_endpoint_t *r = join_as(&world, "r", &one);
    theater_endpoint_t *s = join_as(&world, "s", &waits);
    assert_status(send_text(&world, NULL, "r", "1"), THEATER_OK);
    memset(&outcome, 0, sizeof outcome);
    assert_status(theater_router_send_start(world.router, s, text("r"),
                                            text("2"), 1000, note_done,
                                            &outcome, NULL),
                  THEATER_PENDING);
    leave(s);
    assert_ended(outcome, THEATER_CANCELLED);
    s = join_as(&world, "s", &waits); /* in the same slot */
    memset(&outcome, 0, sizeof outcome);
    assert_status(theater_router_send_start(world.router, s, text("r"),
                                            text("3"), 1000, note_done,
                                            &outcome, NULL),
                  THEATER_PENDING);
    handle_send(r, "1");
    handle_send(r, "3");
    assert_ended(outcome, THEATER_OK);
    nothing(r);
    /* Nor is it of one that never waited. */
    assert_status(send_text(&world, NULL, "r", "1"), THEATER_OK);
    memset(&outcome, 0, sizeof outcome);
    assert_status(theater_router_send_start(world.router, s, text("r"),
                                            text("2"), 1000, note_done,
                                            &outcome, NULL),
                  THEATER_PENDING);
    leave(s);
    assert_ended(outcome, THEATER_CANCELLED);
    s = join_as(&world, "s", &waits);
    handle_send(r, "1");
    nothing(r);
    leave(s);
    leave(r);
    world_fini(&world);
}

static void a_shutdown_waits_for_the_handler_that_runs(void **state)
{
    struct world world;
    theater_shutdown_report_t report;
    (void)state;

    world_init(&world);
    theater_endpoint_t *b = join(&world, "b");
    assert_status(send_text(&world, NULL, "b", "m"), THEATER_OK);
    (void)take(b, THEATER_MESSAGE_SEND, "m");
    assert_status(theater_router_shutdown(world.router, 5, &report),
                  THEATER_TIMEOUT);
    theater_endpoint_done(b, THEATER_OK);
    assert_status(theater_router_shutdown(world.router, 5, NULL), THEATER_OK);
    leave(b);
    world_fini(&world);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(nobody_uses_a_channel_before_it_is_decided),
        cmocka_unit_test(a_request_with_a_channels_id_opens_it_for_nobody),
        cmocka_unit_test(a_channel_may_be_closed_while_its_data_is_handled),
        cmocka_unit_test(a_wait_for_credit_that_cannot_be_is_refused_at_once),
        cmocka_unit_test(who_sends_and_waits_on_a_channel_is_told_of_its_end),
        cmocka_unit_test(a_ring_that_has_no_room_accepts_no_channel),
        cmocka_unit_test(channels_count_against_what_is_under_way),
        cmocka_unit_test(what_is_no_request_has_no_answer),
        cmocka_unit_test(the_request_being_handled_is_outstanding_too),
        cmocka_unit_test(the_bound_of_all_bytes_is_used_to_the_last_message),
        cmocka_unit_test(a_large_newcomer_drops_as_many_as_it_needs),
        cmocka_unit_test(many_requests_that_ended_are_passed_by_in_turns),
        cmocka_unit_test(an_empty_broadcast_is_a_message_to_each),
        cmocka_unit_test(no_pattern_is_no_name),
        cmocka_unit_test(a_reset_says_why_to_the_other_ends),
        cmocka_unit_test(a_place_in_line_that_its_sender_left_is_nobody_elses),
        cmocka_unit_test(a_shutdown_waits_for_the_handler_that_runs),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
