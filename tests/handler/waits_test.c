/* SPDX-License-Identifier: Apache-2.0 */
/* Guests that wait: for room, for credit, for answers; and that do not. */
#include "world.h"

/* An endpoint of the test with room for two; nobody reads it meanwhile. */
static theater_endpoint_t *small_box(struct world *world)
{
    theater_endpoint_options_t options = THEATER_ENDPOINT_OPTIONS_INIT;
    theater_endpoint_t *endpoint = NULL;
    options.capacity = 2;
    assert_status(
        theater_router_register(world->router, "box", 3, &options, &endpoint),
        THEATER_OK);
    return endpoint;
}

static void take(theater_endpoint_t *endpoint, const char *data)
{
    const theater_message_t *message;
    assert_status(theater_endpoint_wait(endpoint, 20000, &message), THEATER_OK);
    assert_int_equal(message->data.len, strlen(data));
    assert_memory_equal(message->data.data, data, strlen(data));
    theater_endpoint_done(endpoint, THEATER_OK);
}

static void a_sender_that_waits_goes_on_when_there_is_room(void **state)
{
    (void)state;
    struct world world;
    world_init(&world);
    driver(&world, "a", "when_full = \"wait\"\nsend_timeout = \"30s\"");
    theater_endpoint_t *box = small_box(&world);
    order(&world, "a", "flood box 6 m");
    for (int i = 0; i < 6; i++) {
        take(box, "m");
    }
    until_heard(&world, "a", "did - ok 6");
    theater_endpoint_unregister(box, THEATER_OK);
    world_fini(&world);
}

static void a_sender_that_does_not_wait_is_told(void **state)
{
    (void)state;
    struct world world;
    world_init(&world);
    driver(&world, "a", "when_full = \"error\"");
    theater_endpoint_t *box = small_box(&world);
    expect(&world, "a", "flood box 6 m", "ok 2");
    refuse(&world, "a", "send box x", "mailbox-full", "'box' is full");
    expect(&world, "a", "batch box 3 n",
           "error mailbox-full: the mailbox of "
           "'box' is full; send less, wait, or "
           "raise its mailbox_capacity or "
           "mailbox_bytes, or the router's bounds");
    take(box, "m");
    take(box, "m");
    expect(&world, "a", "batch box 3 n", "ok 2");
    theater_endpoint_unregister(box, THEATER_OK);
    world_fini(&world);
}

static void a_wait_for_room_ends_at_send_timeout(void **state)
{
    (void)state;
    struct world world;
    world_init(&world);
    driver(&world, "a", "send_timeout = \"20ms\"");
    theater_endpoint_t *box = small_box(&world);
    expect(&world, "a", "flood box 2 m", "ok 2");
    refuse(&world, "a", "send box x", "mailbox-full", "is full");
    refuse(&world, "a", "batch box 3 n", "mailbox-full", "'box' is full");
    take(box, "m");
    expect(&world, "a", "batch box 3 n", "ok 1");
    theater_endpoint_unregister(box, THEATER_OK);
    world_fini(&world);
}

static void a_batch_waits_for_the_rest_in_order(void **state)
{
    (void)state;
    struct world world;
    world_init(&world);
    driver(&world, "a", "send_timeout = \"30s\"");
    theater_endpoint_t *box = small_box(&world);
    order(&world, "a", "batch box 50 m");
    for (int i = 0; i < 50; i++) {
        char line[16];
        snprintf(line, sizeof(line), "m%d", i);
        take(box, line);
    }
    until_heard(&world, "a", "did - ok 50");
    theater_endpoint_unregister(box, THEATER_OK);
    world_fini(&world);
}

/* Its items overlap in the guest's memory: 10 MiB named by 1 MiB. */
static void of_a_large_batch_a_bounded_part_waits(void **state)
{
    (void)state;
    struct world world;
    world_init(&world);
    driver(&world, "a", "send_timeout = \"30s\"");
    theater_endpoint_t *box = small_box(&world);
    order(&world, "a", "batch-same box 10 1048576");
    if (guests_are_components()) { /* more than one call may pass */
        until(count_of(&world.failed) == 1);
        theater_endpoint_unregister(box, THEATER_OK);
        world_fini(&world);
        return;
    }
    until(waits(&world, "a"));
    for (int i = 0; i < 6; i++) { /* two that had room, four that waited */
        const theater_message_t *message;
        assert_status(theater_endpoint_wait(box, 20000, &message), THEATER_OK);
        assert_int_equal(message->data.len, 1048576);
        theater_endpoint_done(box, THEATER_OK);
    }
    until_heard(&world, "a", "did - ok 6");
    theater_endpoint_unregister(box, THEATER_OK);
    world_fini(&world);
}

static void a_waiting_sender_hears_that_the_target_went(void **state)
{
    (void)state;
    struct world world;
    world_init(&world);
    driver(&world, "a", "send_timeout = \"30s\"");
    theater_endpoint_t *box = small_box(&world);
    expect(&world, "a", "flood box 2 m", "ok 2");
    order(&world, "a", "send box x");
    order(&world, "a", "batch box 3 y");
    until(waits(&world, "a"));
    theater_endpoint_unregister(box, THEATER_OK);
    until_heard(&world, "a", "did - error closed");
    world_fini(&world);
}

static void a_broadcast_never_waits(void **state)
{
    (void)state;
    struct world world;
    world_init(&world);
    driver(&world, "a", "send_timeout = \"30s\"");
    theater_endpoint_t *box = small_box(&world);
    expect(&world, "a", "flood box 2 m", "ok 2");
    const char *got = command(&world, "a", "broadcast box,a x");
    assert_memory_equal(got, "ok mailbox-full,", 16);
    theater_endpoint_unregister(box, THEATER_OK);
    world_fini(&world);
}

static void a_stream_waits_for_credit_and_stays_in_order(void **state)
{
    (void)state;
    struct world world;
    char line[64];
    world_init(&world);
    driver(&world, "a", "channel_credit = 2\nsend_timeout = \"30s\"");
    driver(&world, "b", "channel_credit = 2");
    const char *id = command(&world, "a", "open b hello") + 3;
    snprintf(line, sizeof(line), "stream %.17s 200 x", id);
    expect(&world, "a", line, "ok 200");
    const char *heard = command(&world, "b", "heard");
    unsigned count = 0;
    for (const char *at = heard; (at = strstr(at, " x\n")) != NULL; at++) {
        count++;
    }
    assert_int_equal(count, 200);
    world_fini(&world);
}

static void a_stream_without_credit_ends_at_send_timeout(void **state)
{
    (void)state;
    struct world world;
    char line[64];
    theater_endpoint_options_t options = THEATER_ENDPOINT_OPTIONS_INIT;
    theater_endpoint_t *me = NULL;
    const theater_message_t *message;
    world_init(&world);
    options.channel_credit = 2;
    driver(&world, "a", "channel_credit = 2\nsend_timeout = \"20ms\"");
    driver(&world, "e", "channel_credit = 2\nwhen_full = \"error\"");
    assert_status(theater_router_register(world.router, "me", 2, &options, &me),
                  THEATER_OK);
    static const char *const names[] = {"a", "e"};
    for (int i = 0; i < 2; i++) {
        order(&world, names[i], "open me x");
        assert_status(theater_endpoint_wait(me, 20000, &message), THEATER_OK);
        assert_int_equal(message->kind, THEATER_MESSAGE_CHANNEL_OPEN);
        assert_status(theater_channel_accept(me), THEATER_OK);
        theater_endpoint_done(me, THEATER_OK);
        const char *got;
        until((got = strstr(command(&world, names[i], "heard"), "ok c")) !=
              NULL);
        snprintf(line, sizeof(line), "stream %.17s 3 x", got + 3);
        refuse(&world, names[i], line, "mailbox-full", "channel_credit");
        take(me, "x");
        take(me, "x");
    }
    theater_endpoint_unregister(me, THEATER_OK);
    world_fini(&world);
}

/* While one waits, its neighbours and its own queue are not disturbed. */
static void only_the_one_that_waits_stands_still(void **state)
{
    (void)state;
    struct world world;
    struct world_options options = WORLD_OPTIONS;
    options.workers = 1;
    world_make(&world, &options);
    driver(&world, "a", "send_timeout = \"30s\"");
    driver(&world, "b", NULL);
    theater_endpoint_t *box = small_box(&world);
    expect(&world, "a", "flood box 2 m", "ok 2");
    order(&world, "a", "send box x");
    order(&world, "a", "echo later");
    for (int i = 0; i < 100; i++) {
        expect(&world, "b", "echo hi", "ok hi");
    }
    take(box, "m");
    until_heard(&world, "a", "did - ok later");
    theater_endpoint_unregister(box, THEATER_OK);
    world_fini(&world);
}

/* They get the time that a stop gives, and are then ended where they wait. */
static void guests_that_wait_can_be_stopped(void **state)
{
    (void)state;
    static const char *const calls[] = {"send box x", "batch box 3 y",
                                        "request hole x", "open hole x"};
    enum { CALLS = sizeof(calls) / sizeof(calls[0]) };
    struct world world;
    theater_endpoint_t *hole = NULL;
    theater_counters_t counters;
    char names[CALLS][16];
    world_init(&world);
    theater_endpoint_t *box = small_box(&world);
    assert_status(theater_router_register(world.router, "hole", 4, NULL, &hole),
                  THEATER_OK);
    for (int i = 0; i < CALLS; i++) {
        snprintf(names[i], sizeof(names[i]), "a%d", i);
        driver(&world, names[i],
               "send_timeout = \"60s\"\nrequest_timeout = \"60s\"");
    }
    expect(&world, "a0", "flood box 2 m", "ok 2");
    for (int i = 0; i < CALLS; i++) {
        order(&world, names[i], calls[i]);
        until(waits(&world, names[i]));
    }
    for (int i = 0; i < CALLS; i++) {
        assert_status(theater_runtime_stop(world.runtime, names[i], "enough"),
                      THEATER_OK);
    }
    for (int i = 0; i < CALLS; i++) {
        assert_status(
            theater_runtime_wait_actor(world.runtime, names[i], 30000),
            THEATER_OK);
        assert_false(
            theater_router_has(world.router, names[i], strlen(names[i])));
    }
    theater_router_counters(world.router, &counters);
    assert_int_equal(counters.pending, 0);
    theater_endpoint_unregister(box, THEATER_OK);
    theater_endpoint_unregister(hole, THEATER_OK);
    world_fini(&world);
}

static void a_runtime_can_end_while_all_its_guests_wait(void **state)
{
    (void)state;
    struct world world;
    world_init(&world);
    theater_endpoint_t *hole = NULL;
    assert_status(theater_router_register(world.router, "hole", 4, NULL, &hole),
                  THEATER_OK);
    for (int i = 0; i < 50; i++) {
        char name[16];
        snprintf(name, sizeof(name), "w%d", i);
        driver(&world, name, "request_timeout = \"60s\"");
        order(&world, name, i % 2 == 0 ? "request hole x" : "open hole x");
    }
    theater_counters_t counters;
    until((theater_router_counters(world.router, &counters),
           counters.pending >= 25));
    theater_runtime_delete(world.runtime);
    theater_endpoint_unregister(hole, THEATER_OK);
    check_conserved(&world);
    theater_router_release(world.router);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_sender_that_waits_goes_on_when_there_is_room),
        cmocka_unit_test(a_sender_that_does_not_wait_is_told),
        cmocka_unit_test(a_wait_for_room_ends_at_send_timeout),
        cmocka_unit_test(a_batch_waits_for_the_rest_in_order),
        cmocka_unit_test(of_a_large_batch_a_bounded_part_waits),
        cmocka_unit_test(a_waiting_sender_hears_that_the_target_went),
        cmocka_unit_test(a_broadcast_never_waits),
        cmocka_unit_test(a_stream_waits_for_credit_and_stays_in_order),
        cmocka_unit_test(a_stream_without_credit_ends_at_send_timeout),
        cmocka_unit_test(only_the_one_that_waits_stands_still),
        cmocka_unit_test(guests_that_wait_can_be_stopped),
        cmocka_unit_test(a_runtime_can_end_while_all_its_guests_wait),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
