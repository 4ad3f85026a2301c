/* SPDX-License-Identifier: Apache-2.0 */
/* Sends that wait for room: first come first served, before newcomers, and
 * every one ends. */
#include "world.h"

#include <pthread.h>

static theater_status_t wait_to_send(struct world *world,
                                     theater_endpoint_t *from, const char *to,
                                     const char *data, uint32_t timeout_ms,
                                     struct outcome *outcome,
                                     theater_request_id_t *out_id)
{
    theater_request_id_t id;
    memset(outcome, 0, sizeof(*outcome));
    return theater_router_send_start(world->router, from, text(to), text(data),
                                     timeout_ms, note_done, outcome,
                                     out_id != NULL ? out_id : &id);
}

static theater_endpoint_t *box_of(struct world *world, const char *name,
                                  uint32_t capacity)
{
    theater_endpoint_options_t options = THEATER_ENDPOINT_OPTIONS_INIT;
    options.capacity = capacity;
    return join_as(world, name, &options);
}

static void a_send_with_room_does_not_wait(void **state)
{
    (void)state;
    struct world world;
    struct outcome outcome;
    world_init(&world);
    theater_endpoint_t *b = box_of(&world, "b", 2);
    assert_status(wait_to_send(&world, NULL, "b", "1", 1000, &outcome, NULL),
                  THEATER_OK);
    assert_int_equal(outcome.calls, 0);
    assert_status(
        wait_to_send(&world, NULL, "nobody", "1", 1000, &outcome, NULL),
        THEATER_NOT_FOUND);
    handle_send(b, "1");
    leave(b);
    world_fini(&world);
}

static void those_who_wait_come_first_in_the_order_they_came(void **state)
{
    (void)state;
    struct world world;
    struct outcome outcomes[5];
    world_init(&world);
    theater_endpoint_t *b = box_of(&world, "b", 2);
    assert_status(send_text(&world, NULL, "b", "a"), THEATER_OK);
    assert_status(send_text(&world, NULL, "b", "b"), THEATER_OK);
    static const char *const lines[] = {"c", "d", "e", "f", "g"};
    for (int i = 0; i < 5; i++) {
        assert_status(
            wait_to_send(&world, NULL, "b", lines[i], 1000, &outcomes[i], NULL),
            THEATER_PENDING);
    }
    handle_send(b, "a");
    /* A newcomer does not pass them, room or not. */
    assert_status(send_text(&world, NULL, "b", "late"), THEATER_MAILBOX_FULL);
    handle_send(b, "b");
    for (int i = 0; i < 5; i++) {
        handle_send(b, lines[i]);
        assert_ended(outcomes[i], THEATER_OK);
    }
    nothing(b);
    assert_status(send_text(&world, NULL, "b", "late"), THEATER_OK);
    handle_send(b, "late");
    leave(b);
    world_fini(&world);
}

static void
a_senders_own_later_message_does_not_pass_its_waiting_one(void **state)
{
    (void)state;
    struct world world;
    struct outcome outcome;
    world_init(&world);
    theater_endpoint_t *a = join(&world, "a");
    theater_endpoint_t *b = box_of(&world, "b", 1);
    assert_status(send_text(&world, a, "b", "1"), THEATER_OK);
    assert_status(wait_to_send(&world, a, "b", "2", 1000, &outcome, NULL),
                  THEATER_PENDING);
    theater_status_t third = THEATER_MAILBOX_FULL;
    for (int i = 1; i <= 2; i++) {
        char line[2] = {(char)('0' + i), 0};
        theater_status_t now = send_text(&world, a, "b", "3");
        if (third != THEATER_OK) {
            third = now;
        }
        handle_send(b, line);
    }
    if (third == THEATER_OK) {
        handle_send(b, "3");
    }
    nothing(b);
    leave(a);
    leave(b);
    world_fini(&world);
}

static void nothing_is_dropped_for_a_newcomer_while_somebody_waits(void **state)
{
    (void)state;
    struct world world;
    struct outcome outcome;
    theater_endpoint_options_t options = THEATER_ENDPOINT_OPTIONS_INIT;
    world_init(&world);
    theater_endpoint_t *a = join(&world, "a");
    options.capacity = 2;
    options.on_full = THEATER_DROP_OLDEST;
    theater_endpoint_t *b = join_as(&world, "b", &options);
    theater_channel_id_t channel = connect(a, b, "b", NULL);
    /* What a channel brings is never dropped: so somebody has to wait. */
    assert_status(theater_channel_send(a, channel, text("data")), THEATER_OK);
    assert_status(send_text(&world, NULL, "b", "1"), THEATER_OK);
    assert_status(send_text(&world, NULL, "b", "2"), THEATER_OK);
    assert_status(wait_to_send(&world, a, "b", "3", 1000, &outcome, NULL),
                  THEATER_PENDING);
    handle(b, THEATER_MESSAGE_CHANNEL_DATA, "data");
    assert_status(send_text(&world, NULL, "b", "late"), THEATER_MAILBOX_FULL);
    assert_int_equal(dead(&world, THEATER_MAILBOX_FULL), 0);
    for (int i = 0; i < 3; i++) {
        handle_send(b, (const char *const[]){"1", "2", "3"}[i]);
    }
    assert_ended(outcome, THEATER_OK);
    leave(a);
    leave(b);
    world_fini(&world);
}

static void a_wait_ends_with_mailbox_full_at_its_deadline(void **state)
{
    (void)state;
    struct world world;
    struct outcome outcome;
    world_init(&world);
    theater_endpoint_t *b = box_of(&world, "b", 1);
    assert_status(send_text(&world, NULL, "b", "1"), THEATER_OK);
    assert_status(wait_to_send(&world, NULL, "b", "2", 50, &outcome, NULL),
                  THEATER_PENDING);
    pass(&world, 49);
    assert_int_equal(outcome.calls, 0);
    pass(&world, 2);
    assert_ended(outcome, THEATER_MAILBOX_FULL);
    assert_int_equal(counters_of(&world).pending, 0);
    handle_send(b, "1");
    nothing(b);
    assert_int_equal(counters_of(&world).accepted, 1);
    assert_status(send_text(&world, NULL, "b", "3"), THEATER_OK);
    handle_send(b, "3");
    leave(b);
    world_fini(&world);
}

/* Or it would take the router's operations, one for each wait. */
static void who_waits_in_vain_again_and_again_is_refused_at_once(void **state)
{
    (void)state;
    struct world world;
    struct outcome outcome;
    theater_counters_t counters;
    theater_endpoint_options_t options = THEATER_ENDPOINT_OPTIONS_INIT;
    world_init(&world);
    options.waits = true;
    theater_endpoint_t *a = join_as(&world, "a", &options);
    theater_endpoint_t *b = box_of(&world, "b", 1);
    assert_status(send_text(&world, a, "b", "first"), THEATER_OK);
    for (unsigned i = 0; i < 64; i++) {
        assert_status(wait_to_send(&world, a, "b", "x", 1, &outcome, NULL),
                      THEATER_PENDING);
        pass(&world, 5);
        assert_int_equal(outcome.calls, 1);
    }
    assert_status(wait_to_send(&world, a, "b", "x", 1, &outcome, NULL),
                  THEATER_MAILBOX_FULL);
    theater_router_counters(world.router, &counters);
    assert_int_equal(counters.pending, 0);
    /* The owner comes by: the line is empty, and a may wait again. */
    handle_send(b, "first");
    assert_status(wait_to_send(&world, a, "b", "second", 1, &outcome, NULL),
                  THEATER_OK);
    assert_status(wait_to_send(&world, a, "b", "x", 1, &outcome, NULL),
                  THEATER_PENDING);
    handle_send(b, "second");
    handle_send(b, "x");
    leave(a);
    leave(b);
    world_fini(&world);
}

static void a_wait_can_be_cancelled_once(void **state)
{
    (void)state;
    struct world world;
    struct outcome outcome;
    struct outcome behind;
    theater_request_id_t id;
    world_init(&world);
    theater_endpoint_t *b = box_of(&world, "b", 1);
    assert_status(send_text(&world, NULL, "b", "1"), THEATER_OK);
    assert_status(wait_to_send(&world, NULL, "b", "2", 50, &outcome, &id),
                  THEATER_PENDING);
    assert_status(wait_to_send(&world, NULL, "b", "3", 50, &behind, NULL),
                  THEATER_PENDING);
    assert_status(theater_router_cancel(world.router, id), THEATER_OK);
    assert_ended(outcome, THEATER_CANCELLED);
    assert_status(theater_router_cancel(world.router, id),
                  THEATER_INVALID_ARGUMENT);
    handle_send(b, "1");
    handle_send(b, "3");
    assert_ended(behind, THEATER_OK);
    nothing(b);
    leave(b);
    world_fini(&world);
}

static void waits_end_with_closed_when_the_target_goes(void **state)
{
    (void)state;
    struct world world;
    struct outcome outcomes[3];
    world_init(&world);
    theater_endpoint_t *b = box_of(&world, "b", 1);
    assert_status(send_text(&world, NULL, "b", "1"), THEATER_OK);
    for (int i = 0; i < 3; i++) {
        assert_status(
            wait_to_send(&world, NULL, "b", "w", 1000, &outcomes[i], NULL),
            THEATER_PENDING);
    }
    leave(b);
    for (int i = 0; i < 3; i++) {
        assert_ended(outcomes[i], THEATER_CLOSED);
    }
    assert_int_equal(dead(&world, THEATER_CLOSED), 1);
    world_fini(&world);
}

static void a_senders_waits_end_when_it_goes(void **state)
{
    (void)state;
    struct world world;
    struct outcome outcome;
    world_init(&world);
    theater_endpoint_t *a = join(&world, "a");
    theater_endpoint_t *b = box_of(&world, "b", 1);
    assert_status(send_text(&world, a, "b", "1"), THEATER_OK);
    assert_status(wait_to_send(&world, a, "b", "2", 1000, &outcome, NULL),
                  THEATER_PENDING);
    leave(a);
    assert_ended(outcome, THEATER_CANCELLED);
    handle_send(b, "1");
    nothing(b);
    leave(b);
    world_fini(&world);
}

/* Two actors with full mailboxes that both wait for room at the other. */
static void a_cycle_of_waits_for_room_ends_with_mailbox_full(void **state)
{
    (void)state;
    struct world world;
    struct outcome first;
    struct outcome second;
    world_init(&world);
    theater_endpoint_options_t options = THEATER_ENDPOINT_OPTIONS_INIT;
    options.capacity = 1;
    options.waits = true;
    theater_endpoint_t *a = join_as(&world, "a", &options);
    theater_endpoint_t *b = join_as(&world, "b", &options);
    assert_status(send_text(&world, NULL, "a", "x"), THEATER_OK);
    assert_status(send_text(&world, NULL, "b", "y"), THEATER_OK);
    assert_status(wait_to_send(&world, a, "b", "to b", 5000, &first, NULL),
                  THEATER_PENDING);
    theater_status_t status =
        wait_to_send(&world, b, "a", "to a", 5000, &second, NULL);
    if (status == THEATER_PENDING) {
        assert_ended(second, THEATER_MAILBOX_FULL);
    } else {
        assert_status(status, THEATER_MAILBOX_FULL);
    }
    assert_int_equal(first.calls, 0);
    handle_send(b, "y");
    handle_send(b, "to b");
    assert_ended(first, THEATER_OK);
    leave(a);
    leave(b);
    world_fini(&world);
}

struct waiter {
    struct world *world;
    pthread_t thread;
    char line[16];
    theater_status_t status;
};

static void *send_and_wait(void *arg)
{
    struct waiter *waiter = arg;
    waiter->status = theater_router_send_wait(
        waiter->world->router, NULL, text("b"), text(waiter->line), 30000);
    return NULL;
}

static void threads_wait_on_their_own(void **state)
{
    (void)state;
    enum { THREADS = 6 };
    struct world world;
    struct waiter waiters[THREADS];
    unsigned seen = 0;
    world_make(&world, NULL, false);
    theater_endpoint_t *b = box_of(&world, "b", 1);
    for (int i = 0; i < THREADS; i++) {
        waiters[i].world = &world;
        snprintf(waiters[i].line, sizeof(waiters[i].line), "%d", i);
        assert_int_equal(pthread_create(&waiters[i].thread, NULL, send_and_wait,
                                        &waiters[i]),
                         0);
    }
    for (int i = 0; i < THREADS; i++) {
        const theater_message_t *message;
        assert_status(theater_endpoint_wait(b, 30000, &message), THEATER_OK);
        seen |= 1U << (message->data.data[0] - '0');
        theater_endpoint_done(b, THEATER_OK);
    }
    assert_int_equal(seen, (1U << THREADS) - 1);
    for (int i = 0; i < THREADS; i++) {
        assert_int_equal(pthread_join(waiters[i].thread, NULL), 0);
        assert_status(waiters[i].status, THEATER_OK);
    }
    leave(b);
    world_fini(&world);
}

static void a_wait_for_a_message_ends_at_its_timeout(void **state)
{
    (void)state;
    struct world world;
    const theater_message_t *message;
    world_init(&world);
    theater_endpoint_t *b = join(&world, "b");
    assert_status(theater_endpoint_wait(b, 20, &message), THEATER_TIMEOUT);
    assert_status(send_text(&world, NULL, "b", "x"), THEATER_OK);
    assert_status(theater_endpoint_wait(b, 0, &message), THEATER_OK);
    theater_endpoint_done(b, THEATER_OK);
    leave(b);
    world_fini(&world);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_send_with_room_does_not_wait),
        cmocka_unit_test(those_who_wait_come_first_in_the_order_they_came),
        cmocka_unit_test(
            a_senders_own_later_message_does_not_pass_its_waiting_one),
        cmocka_unit_test(
            nothing_is_dropped_for_a_newcomer_while_somebody_waits),
        cmocka_unit_test(a_wait_ends_with_mailbox_full_at_its_deadline),
        cmocka_unit_test(who_waits_in_vain_again_and_again_is_refused_at_once),
        cmocka_unit_test(a_wait_can_be_cancelled_once),
        cmocka_unit_test(waits_end_with_closed_when_the_target_goes),
        cmocka_unit_test(a_senders_waits_end_when_it_goes),
        cmocka_unit_test(a_cycle_of_waits_for_room_ends_with_mailbox_full),
        cmocka_unit_test(threads_wait_on_their_own),
        cmocka_unit_test(a_wait_for_a_message_ends_at_its_timeout),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
