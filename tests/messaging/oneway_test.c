/* SPDX-License-Identifier: Apache-2.0 */
/* One-way messages: accepted or refused, bounds and policies, batches,
 * broadcasts. */
#include "world.h"

static void a_message_arrives_with_its_senders_name(void **state)
{
    (void)state;
    struct world world;
    world_init(&world);
    theater_endpoint_t *a = join(&world, "alice");
    theater_endpoint_t *b = join(&world, "bob");
    assert_status(send_text(&world, a, "bob", "hi"), THEATER_OK);
    assert_status(send_text(&world, NULL, "bob", "hello"), THEATER_OK);
    const theater_message_t *message = take(b, THEATER_MESSAGE_SEND, "hi");
    assert_int_equal(message->sender.len, 5);
    assert_memory_equal(message->sender.data, "alice", 5);
    theater_endpoint_done(b, THEATER_OK);
    message = take(b, THEATER_MESSAGE_SEND, "hello");
    assert_null(message->sender.data);
    theater_endpoint_done(b, THEATER_OK);
    nothing(b);
    leave(a);
    leave(b);
    world_fini(&world);
}

static void an_empty_payload_is_a_message(void **state)
{
    (void)state;
    struct world world;
    world_init(&world);
    theater_endpoint_t *b = join(&world, "bob");
    theater_bytes_t none = {NULL, 0};
    assert_status(theater_router_send(world.router, b, text("bob"), none),
                  THEATER_OK);
    handle_send(b, "");
    leave(b);
    world_fini(&world);
}

static void messages_of_one_sender_arrive_in_order(void **state)
{
    (void)state;
    struct world world;
    world_init(&world);
    theater_endpoint_t *a = join(&world, "a");
    theater_endpoint_t *b = join(&world, "b");
    for (int i = 0; i < 900; i++) {
        char line[16];
        snprintf(line, sizeof(line), "%d", i);
        assert_status(send_text(&world, a, "b", line), THEATER_OK);
    }
    for (int i = 0; i < 900; i++) {
        char line[16];
        snprintf(line, sizeof(line), "%d", i);
        handle_send(b, line);
    }
    leave(a);
    leave(b);
    world_fini(&world);
}

static void what_is_refused_is_not_queued(void **state)
{
    (void)state;
    struct world world;
    theater_router_options_t router_options = THEATER_ROUTER_OPTIONS_INIT;
    theater_endpoint_options_t options = THEATER_ENDPOINT_OPTIONS_INIT;
    static uint8_t big[101];
    router_options.max_message_bytes = 100;
    world_make(&world, &router_options, true);
    options.accepts = THEATER_ACCEPT_REQUESTS;
    theater_endpoint_t *mute = join_as(&world, "mute", &options);
    theater_endpoint_t *b = join(&world, "b");
    assert_status(send_text(&world, b, "mute", "x"), THEATER_UNSUPPORTED);
    assert_status(send_text(&world, b, "nobody", "x"), THEATER_NOT_FOUND);
    assert_status(theater_router_send(world.router, b, text("b"),
                                      (theater_bytes_t){big, 101}),
                  THEATER_TOO_LARGE);
    assert_status(theater_router_send(world.router, b, text("b"),
                                      (theater_bytes_t){big, 100}),
                  THEATER_OK);
    theater_counters_t counters = counters_of(&world);
    assert_int_equal(counters.accepted, 1);
    assert_int_equal(counters.refused[THEATER_UNSUPPORTED], 1);
    assert_int_equal(counters.refused[THEATER_NOT_FOUND], 1);
    assert_int_equal(counters.refused[THEATER_TOO_LARGE], 1);
    nothing(mute);
    handle(b, THEATER_MESSAGE_SEND, NULL);
    nothing(b);
    leave(mute);
    leave(b);
    world_fini(&world);
}

static theater_endpoint_t *small_box(struct world *world, const char *name,
                                     uint32_t capacity, uint32_t bytes,
                                     theater_on_full_t policy)
{
    theater_endpoint_options_t options = THEATER_ENDPOINT_OPTIONS_INIT;
    options.capacity = capacity;
    options.capacity_bytes = bytes;
    options.on_full = policy;
    return join_as(world, name, &options);
}

static void a_full_mailbox_refuses_and_takes_again(void **state)
{
    (void)state;
    struct world world;
    world_init(&world);
    theater_endpoint_t *b = small_box(&world, "b", 3, 0, THEATER_REFUSE);
    for (int round = 0; round < 5; round++) {
        assert_status(send_text(&world, NULL, "b", "1"), THEATER_OK);
        assert_status(send_text(&world, NULL, "b", "2"), THEATER_OK);
        assert_status(send_text(&world, NULL, "b", "3"), THEATER_OK);
        assert_status(send_text(&world, NULL, "b", "4"), THEATER_MAILBOX_FULL);
        handle_send(b, "1");
        handle_send(b, "2");
        handle_send(b, "3");
        nothing(b);
    }
    leave(b);
    world_fini(&world);
}

static void a_mailbox_is_bounded_in_bytes_but_takes_any_when_empty(void **state)
{
    (void)state;
    struct world world;
    static uint8_t data[200];
    theater_bytes_t big = {data, 200};
    theater_bytes_t half = {data, 50};
    world_init(&world);
    theater_endpoint_t *b = small_box(&world, "b", 0, 100, THEATER_REFUSE);
    assert_status(theater_router_send(world.router, NULL, text("b"), big),
                  THEATER_OK);
    assert_status(theater_router_send(world.router, NULL, text("b"), half),
                  THEATER_MAILBOX_FULL);
    handle(b, THEATER_MESSAGE_SEND, NULL);
    nothing(b);
    assert_status(theater_router_send(world.router, NULL, text("b"), half),
                  THEATER_OK);
    assert_status(theater_router_send(world.router, NULL, text("b"), half),
                  THEATER_OK);
    assert_status(theater_router_send(world.router, NULL, text("b"), half),
                  THEATER_MAILBOX_FULL);
    leave(b);
    assert_int_equal(dead(&world, THEATER_CLOSED), 2);
    world_fini(&world);
}

static void drop_newest_makes_what_comes_a_dead_letter(void **state)
{
    (void)state;
    struct world world;
    world_init(&world);
    theater_endpoint_t *b = small_box(&world, "b", 2, 0, THEATER_DROP_NEWEST);
    assert_status(send_text(&world, NULL, "b", "1"), THEATER_OK);
    assert_status(send_text(&world, NULL, "b", "2"), THEATER_OK);
    assert_status(send_text(&world, NULL, "b", "3"), THEATER_OK);
    assert_int_equal(dead(&world, THEATER_MAILBOX_FULL), 1);
    assert_string_equal(world.last_dead, "3");
    handle_send(b, "1");
    handle_send(b, "2");
    nothing(b);
    leave(b);
    world_fini(&world);
}

static void drop_oldest_makes_the_head_a_dead_letter(void **state)
{
    (void)state;
    struct world world;
    world_init(&world);
    theater_endpoint_t *b = small_box(&world, "b", 3, 0, THEATER_DROP_OLDEST);
    for (int i = 1; i <= 10; i++) {
        char line[16];
        snprintf(line, sizeof(line), "%d", i);
        assert_status(send_text(&world, NULL, "b", line), THEATER_OK);
    }
    assert_int_equal(dead(&world, THEATER_MAILBOX_FULL), 7);
    assert_string_equal(world.last_dead, "7");
    handle_send(b, "8");
    handle_send(b, "9");
    handle_send(b, "10");
    nothing(b);
    leave(b);
    world_fini(&world);
}

static void a_dropped_request_ends_with_mailbox_full(void **state)
{
    (void)state;
    struct world world;
    struct outcome oldest;
    struct outcome newest;
    world_init(&world);
    theater_endpoint_t *a = join(&world, "a");
    theater_endpoint_t *b = small_box(&world, "b", 1, 0, THEATER_DROP_OLDEST);
    theater_endpoint_t *c = small_box(&world, "c", 1, 0, THEATER_DROP_NEWEST);
    assert_status(ask(&world, a, "b", "q", 0, &oldest, NULL), THEATER_PENDING);
    assert_int_equal(oldest.calls, 0);
    assert_status(send_text(&world, NULL, "b", "x"), THEATER_OK);
    assert_ended(oldest, THEATER_MAILBOX_FULL);
    handle_send(b, "x");
    assert_status(send_text(&world, NULL, "c", "y"), THEATER_OK);
    theater_status_t status = ask(&world, a, "c", "q", 0, &newest, NULL);
    if (status == THEATER_PENDING) {
        assert_ended(newest, THEATER_MAILBOX_FULL);
    } else {
        assert_status(status, THEATER_MAILBOX_FULL);
    }
    handle_send(c, "y");
    nothing(b);
    nothing(c);
    leave(a);
    leave(b);
    leave(c);
    world_fini(&world);
}

static void the_router_bounds_all_queued_bytes(void **state)
{
    (void)state;
    struct world world;
    static uint8_t data[1000];
    theater_router_options_t options = THEATER_ROUTER_OPTIONS_INIT;
    options.max_queued_bytes = 20000;
    world_make(&world, &options, true);
    theater_endpoint_t *boxes[3] = {join(&world, "a"), join(&world, "b"),
                                    join(&world, "c")};
    static const char *const names[] = {"a", "b", "c"};
    unsigned accepted = 0;
    theater_status_t status = THEATER_OK;
    for (unsigned i = 0; i < 1000 && status == THEATER_OK; i++) {
        status = theater_router_send(world.router, NULL, text(names[i % 3]),
                                     (theater_bytes_t){data, sizeof(data)});
        accepted += status == THEATER_OK;
    }
    assert_status(status, THEATER_MAILBOX_FULL);
    assert_true(accepted >= 10 && accepted <= 20);
    for (unsigned i = 0; i < accepted; i++) {
        handle(boxes[i % 3], THEATER_MESSAGE_SEND, NULL);
    }
    for (int i = 0; i < 3; i++) {
        nothing(boxes[i]);
    }
    assert_status(theater_router_send(world.router, NULL, text("a"),
                                      (theater_bytes_t){data, sizeof(data)}),
                  THEATER_OK);
    for (int i = 0; i < 3; i++) {
        leave(boxes[i]);
    }
    world_fini(&world);
}

static void count_wake(void *user)
{
    (*(unsigned *)user)++;
}

static void the_owner_is_woken_once_per_change_from_empty(void **state)
{
    (void)state;
    struct world world;
    unsigned wakes = 0;
    theater_endpoint_options_t options = THEATER_ENDPOINT_OPTIONS_INIT;
    options.wake = count_wake;
    options.user = &wakes;
    world_init(&world);
    theater_endpoint_t *b = join_as(&world, "b", &options);
    nothing(b);
    assert_int_equal(wakes, 0);
    for (unsigned round = 1; round <= 3; round++) {
        for (int i = 0; i < 5; i++) {
            assert_status(send_text(&world, NULL, "b", "x"), THEATER_OK);
        }
        assert_int_equal(wakes, round);
        for (int i = 0; i < 5; i++) {
            handle_send(b, "x");
        }
        nothing(b);
    }
    leave(b);
    assert_int_equal(wakes, 3);
    world_fini(&world);
}

static void a_batch_is_taken_in_order_until_one_is_refused(void **state)
{
    (void)state;
    struct world world;
    world_init(&world);
    theater_endpoint_t *a = join(&world, "a");
    theater_endpoint_t *b = small_box(&world, "b", 3, 0, THEATER_REFUSE);
    theater_bytes_t five[] = {text("1"), text("2"), text("3"), text("4"),
                              text("5")};
    size_t accepted = 99;
    assert_status(theater_router_send_batch(world.router, a, text("b"), five, 5,
                                            &accepted),
                  THEATER_MAILBOX_FULL);
    assert_int_equal(accepted, 3);
    handle_send(b, "1");
    handle_send(b, "2");
    handle_send(b, "3");
    nothing(b);
    assert_status(theater_router_send_batch(world.router, a, text("b"),
                                            five + 3, 2, &accepted),
                  THEATER_OK);
    assert_int_equal(accepted, 2);
    assert_status(theater_router_send_batch(world.router, a, text("nobody"),
                                            five, 5, &accepted),
                  THEATER_NOT_FOUND);
    assert_int_equal(accepted, 0);
    assert_status(theater_router_send_batch(world.router, a, text("b"), five, 0,
                                            &accepted),
                  THEATER_OK);
    assert_int_equal(accepted, 0);
    const theater_message_t *message = take(b, THEATER_MESSAGE_SEND, "4");
    assert_memory_equal(message->sender.data, "a", 1);
    theater_endpoint_done(b, THEATER_OK);
    handle_send(b, "5");
    nothing(b);
    leave(a);
    leave(b);
    world_fini(&world);
}

static void a_broadcast_reaches_many_and_says_who_not(void **state)
{
    (void)state;
    struct world world;
    world_init(&world);
    theater_endpoint_options_t mute = THEATER_ENDPOINT_OPTIONS_INIT;
    mute.accepts = 0;
    theater_endpoint_t *a = join(&world, "a");
    theater_endpoint_t *b = join(&world, "b");
    theater_endpoint_t *c = small_box(&world, "c", 1, 0, THEATER_REFUSE);
    theater_endpoint_t *d = join_as(&world, "d", &mute);
    assert_status(send_text(&world, NULL, "c", "full"), THEATER_OK);
    theater_bytes_t targets[] = {text("b"), text("c"), text("d"), text("e"),
                                 text(""),  text("b"), text("a")};
    uint8_t codes[7];
    assert_status(theater_router_broadcast(world.router, a, targets, 7,
                                           text("news"), codes),
                  THEATER_OK);
    static const theater_status_t want[] = {
        THEATER_OK,        THEATER_MAILBOX_FULL,     THEATER_UNSUPPORTED,
        THEATER_NOT_FOUND, THEATER_INVALID_ARGUMENT, THEATER_OK,
        THEATER_OK};
    for (int i = 0; i < 7; i++) {
        assert_status((theater_status_t)codes[i], want[i]);
    }
    handle_send(b, "news");
    handle_send(b, "news");
    handle_send(a, "news");
    handle_send(c, "full");
    nothing(a);
    nothing(b);
    nothing(c);
    nothing(d);
    leave(a);
    leave(b);
    leave(c);
    leave(d);
    world_fini(&world);
}

static void a_broadcast_has_a_bound(void **state)
{
    (void)state;
    struct world world;
    static theater_bytes_t targets[THEATER_BROADCAST_MAX + 1];
    static uint8_t codes[THEATER_BROADCAST_MAX + 1];
    world_init(&world);
    theater_endpoint_options_t options = THEATER_ENDPOINT_OPTIONS_INIT;
    options.capacity = 2000;
    theater_endpoint_t *b = join_as(&world, "b", &options);
    for (size_t i = 0; i <= THEATER_BROADCAST_MAX; i++) {
        targets[i] = text("b");
    }
    assert_status(theater_router_broadcast(world.router, NULL, targets,
                                           THEATER_BROADCAST_MAX + 1, text("x"),
                                           codes),
                  THEATER_INVALID_ARGUMENT);
    nothing(b);
    assert_status(theater_router_broadcast(world.router, NULL, targets,
                                           THEATER_BROADCAST_MAX, text("x"),
                                           codes),
                  THEATER_OK);
    for (size_t i = 0; i < THEATER_BROADCAST_MAX; i++) {
        handle_send(b, "x");
    }
    nothing(b);
    leave(b);
    world_fini(&world);
}

static void what_is_queued_at_the_end_is_a_dead_letter(void **state)
{
    (void)state;
    struct world world;
    world_init(&world);
    theater_endpoint_t *b = join(&world, "b");
    for (int i = 0; i < 5; i++) {
        assert_status(send_text(&world, NULL, "b", "x"), THEATER_OK);
    }
    handle_send(b, "x");
    (void)take(b, THEATER_MESSAGE_SEND, "x");
    theater_endpoint_done(b, THEATER_TRAPPED); /* delivered all the same */
    leave(b);
    assert_int_equal(dead(&world, THEATER_CLOSED), 3);
    assert_int_equal(counters_of(&world).delivered, 2);
    world_fini(&world);
}

static void a_reset_keeps_one_way_messages_and_their_order(void **state)
{
    (void)state;
    struct world world;
    struct outcome outcome;
    world_init(&world);
    theater_endpoint_t *a = join(&world, "a");
    theater_endpoint_t *b = join(&world, "b");
    assert_status(send_text(&world, a, "b", "1"), THEATER_OK);
    assert_status(ask(&world, a, "b", "q", 0, &outcome, NULL), THEATER_PENDING);
    assert_status(send_text(&world, a, "b", "2"), THEATER_OK);
    assert_status(send_text(&world, a, "b", "3"), THEATER_OK);
    (void)take(b, THEATER_MESSAGE_SEND, "1");
    theater_endpoint_done(b, THEATER_TRAPPED);
    theater_endpoint_reset(b, THEATER_CLOSED);
    assert_ended(outcome, THEATER_CLOSED);
    assert_true(theater_router_has(world.router, "b", 1));
    assert_status(send_text(&world, a, "b", "4"), THEATER_OK);
    handle_send(b, "2");
    handle_send(b, "3");
    handle_send(b, "4");
    nothing(b);
    leave(a);
    leave(b);
    world_fini(&world);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_message_arrives_with_its_senders_name),
        cmocka_unit_test(an_empty_payload_is_a_message),
        cmocka_unit_test(messages_of_one_sender_arrive_in_order),
        cmocka_unit_test(what_is_refused_is_not_queued),
        cmocka_unit_test(a_full_mailbox_refuses_and_takes_again),
        cmocka_unit_test(
            a_mailbox_is_bounded_in_bytes_but_takes_any_when_empty),
        cmocka_unit_test(drop_newest_makes_what_comes_a_dead_letter),
        cmocka_unit_test(drop_oldest_makes_the_head_a_dead_letter),
        cmocka_unit_test(a_dropped_request_ends_with_mailbox_full),
        cmocka_unit_test(the_router_bounds_all_queued_bytes),
        cmocka_unit_test(the_owner_is_woken_once_per_change_from_empty),
        cmocka_unit_test(a_batch_is_taken_in_order_until_one_is_refused),
        cmocka_unit_test(a_broadcast_reaches_many_and_says_who_not),
        cmocka_unit_test(a_broadcast_has_a_bound),
        cmocka_unit_test(what_is_queued_at_the_end_is_a_dead_letter),
        cmocka_unit_test(a_reset_keeps_one_way_messages_and_their_order),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
