/* SPDX-License-Identifier: Apache-2.0 */
/* Channels: who decides, who may use them, order, credit, and how they end. */
#include "world.h"

#include <pthread.h>

static theater_status_t say(theater_endpoint_t *endpoint,
                            theater_channel_id_t channel, const char *data)
{
    return theater_channel_send(endpoint, channel, text(data));
}

static void read_data(theater_endpoint_t *endpoint,
                      theater_channel_id_t channel, const char *data)
{
    const theater_message_t *message =
        take(endpoint, THEATER_MESSAGE_CHANNEL_DATA, data);
    assert_true(message->channel.value == channel.value);
    theater_endpoint_done(endpoint, THEATER_OK);
}

static void read_close(theater_endpoint_t *endpoint,
                       theater_channel_id_t channel, theater_status_t reason)
{
    const theater_message_t *message =
        take(endpoint, THEATER_MESSAGE_CHANNEL_CLOSE, NULL);
    assert_true(message->channel.value == channel.value);
    assert_status((theater_status_t)message->reason, reason);
    theater_endpoint_done(endpoint, THEATER_OK);
}

/* No channel of this endpoint (any more). */
static void refused(theater_status_t status)
{
    if (status != THEATER_INVALID_ARGUMENT && status != THEATER_CLOSED) {
        fail_msg("refused with %s", theater_status_name(status));
    }
}

static void both_ends_talk_in_order(void **state)
{
    (void)state;
    struct world world;
    theater_channel_id_t other;
    world_init(&world);
    theater_endpoint_t *a = join(&world, "a");
    theater_endpoint_t *b = join(&world, "b");
    theater_channel_id_t mine = connect(a, b, "b", &other);
    assert_true(theater_channel_is_open(a, mine));
    assert_true(theater_channel_is_open(b, other));
    for (int i = 0; i < 100; i++) {
        char line[16];
        snprintf(line, sizeof(line), "%d", i);
        assert_status(say(a, mine, line), THEATER_OK);
        assert_status(say(b, other, line), THEATER_OK);
    }
    assert_status(theater_channel_close(a, mine, THEATER_OK), THEATER_OK);
    for (int i = 0; i < 100; i++) {
        char line[16];
        snprintf(line, sizeof(line), "%d", i);
        read_data(b, other, line);
    }
    read_close(b, other, THEATER_OK);
    assert_false(theater_channel_is_open(b, other));
    assert_false(theater_channel_is_open(a, mine));
    nothing(b);
    leave(a);
    leave(b);
    world_fini(&world);
}

static void the_target_may_refuse(void **state)
{
    (void)state;
    struct world world;
    struct outcome outcome;
    world_init(&world);
    theater_endpoint_t *a = join(&world, "a");
    theater_endpoint_t *b = join(&world, "b");
    assert_status(offer(a, "b", "x", 0, &outcome), THEATER_PENDING);
    (void)take(b, THEATER_MESSAGE_CHANNEL_OPEN, "x");
    assert_status(theater_channel_reject(b), THEATER_OK);
    assert_ended(outcome, THEATER_REJECTED);
    assert_status(theater_channel_accept(b), THEATER_INVALID_ARGUMENT);
    theater_endpoint_done(b, THEATER_OK);
    assert_status(offer(a, "b", "undecided", 0, &outcome), THEATER_PENDING);
    handle(b, THEATER_MESSAGE_CHANNEL_OPEN, "undecided");
    assert_ended(outcome, THEATER_REJECTED);
    assert_status(theater_channel_reject(b), THEATER_INVALID_ARGUMENT);
    leave(a);
    leave(b);
    world_fini(&world);
}

static void an_open_that_cannot_be_is_refused_at_once(void **state)
{
    (void)state;
    struct world world;
    struct outcome outcome;
    world_init(&world);
    theater_endpoint_options_t options = THEATER_ENDPOINT_OPTIONS_INIT;
    options.accepts = THEATER_ACCEPT_SENDS;
    theater_endpoint_t *a = join(&world, "a");
    theater_endpoint_t *mute = join_as(&world, "mute", &options);
    assert_status(offer(a, "nobody", "x", 0, &outcome), THEATER_NOT_FOUND);
    assert_status(offer(a, "mute", "x", 0, &outcome), THEATER_UNSUPPORTED);
    assert_int_equal(outcome.calls, 0);
    leave(a);
    leave(mute);
    world_fini(&world);
}

static void an_accept_after_the_deadline_is_closed_again(void **state)
{
    (void)state;
    struct world world;
    struct outcome outcome;
    world_init(&world);
    theater_endpoint_t *a = join(&world, "a");
    theater_endpoint_t *b = join(&world, "b");
    assert_status(offer(a, "b", "x", 50, &outcome), THEATER_PENDING);
    const theater_message_t *message =
        take(b, THEATER_MESSAGE_CHANNEL_OPEN, "x");
    theater_channel_id_t channel = message->channel;
    pass(&world, 60);
    assert_ended(outcome, THEATER_TIMEOUT);
    assert_status(theater_channel_accept(b), THEATER_CLOSED);
    theater_endpoint_done(b, THEATER_OK);
    message = take(b, THEATER_MESSAGE_CHANNEL_CLOSE, NULL);
    assert_true(message->channel.value == channel.value);
    theater_endpoint_done(b, THEATER_OK);
    refused(say(b, channel, "x"));
    nothing(a);
    assert_int_equal(outcome.calls, 1);
    leave(a);
    leave(b);
    world_fini(&world);
}

static void an_expired_open_is_never_seen(void **state)
{
    (void)state;
    struct world world;
    struct outcome outcome;
    world_init(&world);
    theater_endpoint_t *a = join(&world, "a");
    theater_endpoint_t *b = join(&world, "b");
    assert_status(offer(a, "b", "x", 50, &outcome), THEATER_PENDING);
    pass(&world, 60);
    assert_ended(outcome, THEATER_TIMEOUT);
    nothing(b);
    assert_int_equal(dead(&world, THEATER_TIMEOUT), 1);
    leave(a);
    leave(b);
    world_fini(&world);
}

static void what_the_target_sends_before_its_accept_comes_after_it(void **state)
{
    (void)state;
    struct world world;
    struct outcome outcome;
    world_init(&world);
    theater_endpoint_t *a = join(&world, "a");
    theater_endpoint_t *b = join(&world, "b");
    assert_status(offer(a, "b", "x", 0, &outcome), THEATER_PENDING);
    const theater_message_t *message =
        take(b, THEATER_MESSAGE_CHANNEL_OPEN, "x");
    theater_channel_id_t at_b = message->channel;
    assert_status(say(b, at_b, "welcome"), THEATER_OK);
    assert_status(say(b, at_b, "again"), THEATER_OK);
    /* It is no channel yet, for neither, whatever id they guess. */
    theater_endpoint_t *ends[] = {a, b};
    for (int i = 0; i < 2; i++) {
        assert_false(theater_channel_is_open(ends[i], at_b));
        assert_status(theater_channel_close(ends[i], at_b, THEATER_OK),
                      THEATER_INVALID_ARGUMENT);
    }
    assert_status(say(a, at_b, "too early"), THEATER_INVALID_ARGUMENT);
    nothing(a);
    assert_status(theater_channel_accept(b), THEATER_OK);
    assert_status(say(b, at_b, "third"), THEATER_OK);
    theater_endpoint_done(b, THEATER_OK);
    assert_ended(outcome, THEATER_OK);
    read_data(a, outcome.channel, "welcome");
    read_data(a, outcome.channel, "again");
    read_data(a, outcome.channel, "third");
    /* Rejected: none of it arrives. */
    assert_status(offer(a, "b", "y", 0, &outcome), THEATER_PENDING);
    message = take(b, THEATER_MESSAGE_CHANNEL_OPEN, "y");
    assert_status(say(b, message->channel, "lost"), THEATER_OK);
    assert_status(theater_channel_reject(b), THEATER_OK);
    theater_endpoint_done(b, THEATER_OK);
    assert_ended(outcome, THEATER_REJECTED);
    nothing(a);
    leave(a);
    leave(b);
    world_fini(&world);
}

/* The reference's first stall: a target that sends, requests and opens while
 * it decides. Nothing here waits for anything but the decision. */
static void a_target_may_send_request_and_open_while_it_decides(void **state)
{
    (void)state;
    struct world world;
    struct outcome opened;
    struct outcome asked;
    struct outcome inner;
    world_init(&world);
    theater_endpoint_t *a = join(&world, "a");
    theater_endpoint_t *b = join(&world, "b");
    theater_endpoint_t *c = join(&world, "c");
    assert_status(offer(a, "b", "outer", 0, &opened), THEATER_PENDING);
    (void)take(b, THEATER_MESSAGE_CHANNEL_OPEN, "outer");
    assert_status(send_text(&world, b, "a", "note"), THEATER_OK);
    assert_status(send_text(&world, b, "c", "note"), THEATER_OK);
    assert_status(ask(&world, b, "c", "may I?", 0, &asked, NULL),
                  THEATER_PENDING);
    assert_status(offer(b, "c", "inner", 0, &inner), THEATER_PENDING);
    handle_send(a, "note");
    handle_send(c, "note");
    const theater_message_t *message =
        take(c, THEATER_MESSAGE_REQUEST, "may I?");
    assert_status(theater_endpoint_respond(c, message->request, text("yes")),
                  THEATER_OK);
    theater_endpoint_done(c, THEATER_OK);
    assert_ended(asked, THEATER_OK);
    (void)take(c, THEATER_MESSAGE_CHANNEL_OPEN, "inner");
    assert_status(theater_channel_accept(c), THEATER_OK);
    theater_endpoint_done(c, THEATER_OK);
    assert_ended(inner, THEATER_OK);
    assert_status(theater_channel_accept(b), THEATER_OK);
    theater_endpoint_done(b, THEATER_OK);
    assert_ended(opened, THEATER_OK);
    leave(a);
    leave(b);
    leave(c);
    world_fini(&world);
}

/* The reference's second stall: it would wait for itself. */
static void a_channel_to_oneself_is_refused_at_once(void **state)
{
    (void)state;
    struct world world;
    struct outcome outcome;
    theater_endpoint_options_t options = THEATER_ENDPOINT_OPTIONS_INIT;
    world_init(&world);
    for (int waits = 0; waits < 2; waits++) {
        options.waits = waits != 0;
        theater_endpoint_t *a = join_as(&world, "a", &options);
        theater_status_t status = offer(a, "a", "x", 0, &outcome);
        if (status == THEATER_PENDING) {
            assert_ended(outcome, THEATER_DEADLOCK);
        } else {
            assert_status(status, THEATER_DEADLOCK);
        }
        nothing(a);
        assert_status(send_text(&world, a, "a", "goes on"), THEATER_OK);
        handle_send(a, "goes on");
        leave(a);
    }
    world_fini(&world);
}

static void only_the_two_ends_can_use_a_channel(void **state)
{
    (void)state;
    struct world world;
    theater_channel_id_t at_b;
    world_init(&world);
    theater_endpoint_t *a = join(&world, "a");
    theater_endpoint_t *b = join(&world, "b");
    theater_endpoint_t *thief = join(&world, "thief");
    theater_channel_id_t at_a = connect(a, b, "b", &at_b);
    const theater_channel_id_t ids[] = {at_a, at_b};
    for (int i = 0; i < 2; i++) {
        refused(say(thief, ids[i], "x"));
        assert_status(theater_channel_close(thief, ids[i], THEATER_OK),
                      THEATER_INVALID_ARGUMENT);
        assert_false(theater_channel_is_open(thief, ids[i]));
        for (unsigned bit = 0; bit < 64; bit++) {
            theater_channel_id_t forged = {ids[i].value ^ UINT64_C(1) << bit};
            if (forged.value != at_a.value && forged.value != at_b.value) {
                refused(say(a, forged, "x"));
                refused(say(b, forged, "x"));
                refused(say(thief, forged, "x"));
            }
        }
    }
    nothing(a);
    nothing(b);
    leave(a);
    leave(b);
    leave(thief);
    world_fini(&world);
}

static theater_endpoint_t *with_credit(struct world *world, const char *name,
                                       uint32_t messages, uint32_t bytes)
{
    theater_endpoint_options_t options = THEATER_ENDPOINT_OPTIONS_INIT;
    options.channel_credit = messages;
    options.channel_credit_bytes = bytes;
    options.capacity = 1;
    return join_as(world, name, &options);
}

static void credit_bounds_what_is_on_its_way(void **state)
{
    (void)state;
    struct world world;
    struct outcome outcome;
    theater_request_id_t id;
    theater_channel_id_t at_b;
    world_init(&world);
    theater_endpoint_t *a = with_credit(&world, "a", 3, 0);
    theater_endpoint_t *b = with_credit(&world, "b", 3, 0);
    theater_channel_id_t at_a = connect(a, b, "b", &at_b);
    /* The mailbox's capacity is 1: channels do not count against it. */
    assert_status(say(a, at_a, "1"), THEATER_OK);
    assert_status(say(a, at_a, "2"), THEATER_OK);
    assert_status(say(a, at_a, "3"), THEATER_OK);
    assert_status(say(a, at_a, "4"), THEATER_MAILBOX_FULL);
    memset(&outcome, 0, sizeof(outcome));
    assert_status(theater_channel_credit_start(a, at_a, 1, 1000, note_done,
                                               &outcome, &id),
                  THEATER_PENDING);
    /* Credit returns when the handler does, not when it begins. */
    (void)take(b, THEATER_MESSAGE_CHANNEL_DATA, "1");
    assert_int_equal(outcome.calls, 0);
    theater_endpoint_done(b, THEATER_OK);
    while (outcome.calls == 0) {
        const theater_message_t *message;
        assert_status(theater_endpoint_receive(b, &message), THEATER_OK);
        theater_endpoint_done(b, THEATER_OK);
    }
    assert_ended(outcome, THEATER_OK);
    assert_status(say(a, at_a, "4"), THEATER_OK);
    const theater_message_t *message;
    while (theater_endpoint_receive(b, &message) == THEATER_OK) {
        theater_endpoint_done(b, THEATER_OK);
    }
    assert_status(theater_channel_credit_start(a, at_a, 1, 1000, note_done,
                                               &outcome, &id),
                  THEATER_OK);
    leave(a);
    leave(b);
    world_fini(&world);
}

static void a_wait_for_credit_ends(void **state)
{
    (void)state;
    struct world world;
    struct outcome timed;
    struct outcome cancelled;
    struct outcome closed;
    theater_request_id_t id;
    theater_channel_id_t at_b;
    world_init(&world);
    theater_endpoint_t *a = with_credit(&world, "a", 1, 0);
    theater_endpoint_t *b = with_credit(&world, "b", 1, 0);
    theater_channel_id_t at_a = connect(a, b, "b", &at_b);
    memset(&timed, 0, sizeof(timed));
    memset(&cancelled, 0, sizeof(cancelled));
    memset(&closed, 0, sizeof(closed));
    assert_status(say(a, at_a, "1"), THEATER_OK);
    assert_status(
        theater_channel_credit_start(a, at_a, 1, 50, note_done, &timed, &id),
        THEATER_PENDING);
    pass(&world, 60);
    assert_ended(timed, THEATER_MAILBOX_FULL);
    assert_status(theater_channel_credit_start(a, at_a, 1, 50, note_done,
                                               &cancelled, &id),
                  THEATER_PENDING);
    assert_status(theater_router_cancel(world.router, id), THEATER_OK);
    assert_ended(cancelled, THEATER_CANCELLED);
    assert_status(
        theater_channel_credit_start(a, at_a, 1, 50, note_done, &closed, &id),
        THEATER_PENDING);
    leave(b);
    assert_ended(closed, THEATER_CLOSED);
    leave(a);
    world_fini(&world);
}

/* It sends before it decides, and has no credit for more. */
static void wait_before_deciding(theater_endpoint_t *b, struct outcome *waited)
{
    theater_request_id_t id;
    const theater_message_t *message =
        take(b, THEATER_MESSAGE_CHANNEL_OPEN, "hello");
    memset(waited, 0, sizeof(*waited));
    assert_status(say(b, message->channel, "held"), THEATER_OK);
    assert_status(theater_channel_credit_start(b, message->channel, 1, 5000,
                                               note_done, waited, &id),
                  THEATER_PENDING);
}

static void who_waits_for_credit_is_told_that_no_channel_comes(void **state)
{
    (void)state;
    struct world world;
    struct outcome opened;
    struct outcome waited;
    world_init(&world);
    theater_endpoint_t *a = with_credit(&world, "a", 1, 0);
    theater_endpoint_t *b = with_credit(&world, "b", 1, 0);
    /* The opener does not wait any longer. */
    assert_status(offer(a, "b", "hello", 50, &opened), THEATER_PENDING);
    wait_before_deciding(b, &waited);
    pass(&world, 60);
    assert_ended(opened, THEATER_TIMEOUT);
    assert_ended(waited, THEATER_CLOSED);
    theater_endpoint_done(b, THEATER_OK);
    /* It does not want the channel itself. */
    assert_status(offer(a, "b", "hello", 0, &opened), THEATER_PENDING);
    wait_before_deciding(b, &waited);
    assert_status(theater_channel_reject(b), THEATER_OK);
    assert_ended(opened, THEATER_REJECTED);
    assert_ended(waited, THEATER_CLOSED);
    theater_endpoint_done(b, THEATER_OK);
    leave(a);
    leave(b);
    world_fini(&world);
}

static void
credit_in_bytes_takes_any_message_when_nothing_is_under_way(void **state)
{
    (void)state;
    struct world world;
    theater_channel_id_t at_b;
    static uint8_t data[500];
    world_init(&world);
    theater_endpoint_t *a = with_credit(&world, "a", 0, 100);
    theater_endpoint_t *b = with_credit(&world, "b", 0, 100);
    theater_channel_id_t at_a = connect(a, b, "b", &at_b);
    assert_status(theater_channel_send(a, at_a, (theater_bytes_t){data, 500}),
                  THEATER_OK);
    assert_status(say(a, at_a, "x"), THEATER_MAILBOX_FULL);
    handle(b, THEATER_MESSAGE_CHANNEL_DATA, NULL);
    nothing(b);
    assert_status(say(a, at_a, "x"), THEATER_OK);
    leave(a);
    leave(b);
    world_fini(&world);
}

static void a_channel_ends_with_its_other_end(void **state)
{
    (void)state;
    struct world world;
    theater_channel_id_t at_b;
    world_init(&world);
    theater_endpoint_t *a = join(&world, "a");
    theater_endpoint_t *b = join(&world, "b");
    theater_channel_id_t at_a = connect(a, b, "b", &at_b);
    assert_status(say(b, at_b, "last words"), THEATER_OK);
    theater_endpoint_unregister(b, THEATER_TRAPPED);
    read_data(a, at_a, "last words");
    read_close(a, at_a, THEATER_TRAPPED);
    refused(say(a, at_a, "x"));
    nothing(a);
    b = join(&world, "b");
    at_a = connect(a, b, "b", &at_b);
    theater_endpoint_reset(b, THEATER_CLOSED);
    read_close(a, at_a, THEATER_CLOSED);
    leave(a);
    leave(b);
    world_fini(&world);
}

static void both_may_close_at_once(void **state)
{
    (void)state;
    struct world world;
    theater_channel_id_t at_b;
    world_init(&world);
    theater_endpoint_t *a = join(&world, "a");
    theater_endpoint_t *b = join(&world, "b");
    theater_channel_id_t at_a = connect(a, b, "b", &at_b);
    assert_status(say(a, at_a, "to b"), THEATER_OK);
    assert_status(theater_channel_close(a, at_a, THEATER_OK), THEATER_OK);
    assert_status(theater_channel_close(a, at_a, THEATER_OK),
                  THEATER_INVALID_ARGUMENT);
    theater_status_t status = theater_channel_close(b, at_b, THEATER_CANCELLED);
    assert_true(status == THEATER_OK || status == THEATER_INVALID_ARGUMENT);
    const theater_message_t *message;
    while (theater_endpoint_receive(b, &message) == THEATER_OK) {
        theater_endpoint_done(b, THEATER_OK);
    }
    while (theater_endpoint_receive(a, &message) == THEATER_OK) {
        theater_endpoint_done(a, THEATER_OK);
    }
    assert_false(theater_channel_is_open(a, at_a));
    assert_false(theater_channel_is_open(b, at_b));
    leave(a);
    leave(b);
    world_fini(&world);
}

static void channels_have_a_bound_at_both_ends(void **state)
{
    (void)state;
    struct world world;
    struct outcome outcome;
    theater_endpoint_options_t options = THEATER_ENDPOINT_OPTIONS_INIT;
    options.max_channels = 2;
    world_init(&world);
    theater_endpoint_t *few = join_as(&world, "few", &options);
    theater_endpoint_t *many = join(&world, "many");
    theater_channel_id_t first = connect(few, many, "many", NULL);
    (void)connect(many, few, "few", NULL);
    assert_status(offer(few, "many", "x", 0, &outcome), THEATER_MAILBOX_FULL);
    assert_status(offer(many, "few", "x", 0, &outcome), THEATER_PENDING);
    (void)take(few, THEATER_MESSAGE_CHANNEL_OPEN, "x");
    assert_status(theater_channel_accept(few), THEATER_MAILBOX_FULL);
    theater_endpoint_done(few, THEATER_OK);
    assert_ended(outcome, THEATER_REJECTED);
    assert_status(theater_channel_close(few, first, THEATER_OK), THEATER_OK);
    (void)take(many, THEATER_MESSAGE_CHANNEL_CLOSE, NULL);
    theater_endpoint_done(many, THEATER_OK);
    (void)connect(few, many, "many", NULL);
    leave(few);
    leave(many);
    world_fini(&world);
}

static void a_channel_and_sends_keep_one_order(void **state)
{
    (void)state;
    struct world world;
    theater_channel_id_t at_b;
    world_init(&world);
    theater_endpoint_t *a = join(&world, "a");
    theater_endpoint_t *b = join(&world, "b");
    theater_channel_id_t at_a = connect(a, b, "b", &at_b);
    for (int i = 0; i < 50; i++) {
        char line[16];
        snprintf(line, sizeof(line), "%d", i);
        if (i % 3 == 0) {
            assert_status(send_text(&world, a, "b", line), THEATER_OK);
        } else {
            assert_status(say(a, at_a, line), THEATER_OK);
        }
    }
    for (int i = 0; i < 50; i++) {
        char line[16];
        snprintf(line, sizeof(line), "%d", i);
        handle(b,
               i % 3 == 0 ? THEATER_MESSAGE_SEND : THEATER_MESSAGE_CHANNEL_DATA,
               line);
    }
    leave(a);
    leave(b);
    world_fini(&world);
}

static void who_has_no_name_opens_none(void **state)
{
    (void)state;
    struct world world;
    struct outcome outcome;
    world_init(&world);
    theater_endpoint_t *b = join(&world, "b");
    assert_status(offer(NULL, "b", "x", 0, &outcome), THEATER_INVALID_ARGUMENT);
    nothing(b);
    leave(b);
    world_fini(&world);
}

/* Channel data, closes and replies are never dropped by a policy. */
static void drop_policies_spare_channels(void **state)
{
    (void)state;
    static const theater_on_full_t policies[] = {THEATER_DROP_OLDEST,
                                                 THEATER_DROP_NEWEST};
    for (int p = 0; p < 2; p++) {
        struct world world;
        theater_channel_id_t at_b;
        theater_endpoint_options_t options = THEATER_ENDPOINT_OPTIONS_INIT;
        options.capacity = 2;
        options.on_full = policies[p];
        world_init(&world);
        theater_endpoint_t *a = join(&world, "a");
        theater_endpoint_t *b = join_as(&world, "b", &options);
        theater_channel_id_t at_a = connect(a, b, "b", &at_b);
        for (int i = 0; i < 20; i++) {
            char line[16];
            snprintf(line, sizeof(line), "%d", i);
            assert_status(say(a, at_a, line), THEATER_OK);
            (void)!send_text(&world, NULL, "b", "flood");
        }
        assert_status(theater_channel_close(a, at_a, THEATER_OK), THEATER_OK);
        for (int i = 0; i < 20; i++) {
            (void)!send_text(&world, NULL, "b", "flood");
        }
        int next = 0;
        bool closed = false;
        const theater_message_t *message;
        while (theater_endpoint_receive(b, &message) == THEATER_OK) {
            if (message->kind == THEATER_MESSAGE_CHANNEL_DATA) {
                char line[16];
                snprintf(line, sizeof(line), "%d", next++);
                assert_memory_equal(message->data.data, line,
                                    message->data.len);
            }
            closed = closed || message->kind == THEATER_MESSAGE_CHANNEL_CLOSE;
            theater_endpoint_done(b, THEATER_OK);
        }
        assert_int_equal(next, 20);
        assert_true(closed);
        leave(a);
        leave(b);
        world_fini(&world);
    }
}

/* --- With threads --------------------------------------------------------- */

enum { STREAM = 20000 };

struct reader {
    theater_endpoint_t *endpoint;
    pthread_t thread;
    uint32_t next;
    bool ordered;
};

static void *read_stream(void *arg)
{
    struct reader *reader = arg;
    for (bool open = true; open;) {
        const theater_message_t *message;
        if (theater_endpoint_wait(reader->endpoint, UINT64_MAX, &message) !=
            THEATER_OK) {
            abort();
        }
        switch (message->kind) {
        case THEATER_MESSAGE_CHANNEL_OPEN:
            if (theater_channel_accept(reader->endpoint) != THEATER_OK) {
                abort();
            }
            break;
        case THEATER_MESSAGE_CHANNEL_DATA: {
            uint32_t value;
            memcpy(&value, message->data.data, sizeof(value));
            reader->ordered = reader->ordered && value == reader->next;
            reader->next++;
            break;
        }
        default:
            open = false;
            break;
        }
        theater_endpoint_done(reader->endpoint, THEATER_OK);
    }
    return NULL;
}

static void a_stream_between_threads_is_whole_and_in_order(void **state)
{
    (void)state;
    struct world world;
    struct reader reader = {.ordered = true};
    theater_channel_id_t channel;
    world_make(&world, NULL, false);
    theater_endpoint_t *a = join(&world, "a");
    reader.endpoint = with_credit(&world, "b", 16, 0);
    assert_int_equal(pthread_create(&reader.thread, NULL, read_stream, &reader),
                     0);
    assert_status(
        theater_channel_open(a, text("b"), text("x"), 30000, &channel),
        THEATER_OK);
    for (uint32_t i = 0; i < STREAM; i++) {
        theater_bytes_t data = {(const uint8_t *)&i, sizeof(i)};
        assert_status(theater_channel_send_wait(a, channel, data, 30000),
                      THEATER_OK);
    }
    assert_status(theater_channel_close(a, channel, THEATER_OK), THEATER_OK);
    assert_int_equal(pthread_join(reader.thread, NULL), 0);
    assert_true(reader.ordered);
    assert_int_equal(reader.next, STREAM);
    leave(a);
    leave(reader.endpoint);
    world_fini(&world);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(both_ends_talk_in_order),
        cmocka_unit_test(the_target_may_refuse),
        cmocka_unit_test(an_open_that_cannot_be_is_refused_at_once),
        cmocka_unit_test(an_accept_after_the_deadline_is_closed_again),
        cmocka_unit_test(an_expired_open_is_never_seen),
        cmocka_unit_test(
            what_the_target_sends_before_its_accept_comes_after_it),
        cmocka_unit_test(a_target_may_send_request_and_open_while_it_decides),
        cmocka_unit_test(a_channel_to_oneself_is_refused_at_once),
        cmocka_unit_test(only_the_two_ends_can_use_a_channel),
        cmocka_unit_test(credit_bounds_what_is_on_its_way),
        cmocka_unit_test(a_wait_for_credit_ends),
        cmocka_unit_test(who_waits_for_credit_is_told_that_no_channel_comes),
        cmocka_unit_test(
            credit_in_bytes_takes_any_message_when_nothing_is_under_way),
        cmocka_unit_test(a_channel_ends_with_its_other_end),
        cmocka_unit_test(both_may_close_at_once),
        cmocka_unit_test(channels_have_a_bound_at_both_ends),
        cmocka_unit_test(a_channel_and_sends_keep_one_order),
        cmocka_unit_test(who_has_no_name_opens_none),
        cmocka_unit_test(drop_policies_spare_channels),
        cmocka_unit_test(a_stream_between_threads_is_whole_and_in_order),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
