/* SPDX-License-Identifier: Apache-2.0 */
/* Bounds that hold, and that nobody is kept from by others: each of these once
 * failed. */
#include "world.h"

#include <pthread.h>

static void note_channel(void *user, theater_status_t status,
                         theater_channel_id_t channel)
{
    struct outcome *outcome = user;
    outcome->calls++;
    outcome->status = status;
    outcome->channel = channel;
}

/* The peer greets on each channel that the ring's owner opens and closes, and
 * the owner receives nothing: its ring must not overflow. */
static void a_ring_whose_owner_opens_and_closes_stalls_no_one(void **state)
{
    (void)state;
    struct world world;
    struct outcome outcome;
    theater_request_id_t id;
    theater_endpoint_options_t options = THEATER_ENDPOINT_OPTIONS_INIT;
    theater_status_t status = THEATER_PENDING;
    unsigned rounds = 0;

    world_init(&world);
    theater_endpoint_t *a = join(&world, "a");
    options.on_full = THEATER_DROP_OLDEST;
    options.capacity = 1;
    options.max_channels = 1;
    options.channel_credit = 1;
    theater_endpoint_t *b = join_as(&world, "b", &options);
    for (; rounds < 10000; rounds++) {
        memset(&outcome, 0, sizeof(outcome));
        status = theater_channel_open_start(b, text("a"), text(""), 1000,
                                            note_channel, &outcome, &id);
        if (status != THEATER_PENDING) {
            break;
        }
        const theater_message_t *message = NULL;
        while (theater_endpoint_receive(a, &message) == THEATER_OK) {
            if (message->kind == THEATER_MESSAGE_CHANNEL_OPEN) {
                theater_channel_id_t channel = message->channel;
                assert_status(theater_channel_accept(a), THEATER_OK);
                assert_status(theater_channel_send(a, channel, text("hello")),
                              THEATER_OK);
            }
            theater_endpoint_done(a, THEATER_OK);
        }
        assert_status(theater_channel_close(b, outcome.channel, THEATER_OK),
                      THEATER_OK);
    }
    assert_status(status, THEATER_MAILBOX_FULL); /* b is told, a is not */
    assert_true(rounds > 0);
    leave(b);
    leave(a);
    world_fini(&world);
}

static void a_ring_that_would_be_too_large_is_refused(void **state)
{
    (void)state;
    struct world world;
    theater_endpoint_options_t options = THEATER_ENDPOINT_OPTIONS_INIT;
    theater_endpoint_t *endpoint = NULL;
    world_init(&world);
    options.on_full = THEATER_DROP_OLDEST;
    options.max_channels = 65536;
    options.channel_credit = 65534;
    assert_status(
        theater_router_register(world.router, "b", 1, &options, &endpoint),
        THEATER_INVALID_ARGUMENT);
    world_fini(&world);
}

static void a_small_bound_on_all_bytes_does_not_lock_up(void **state)
{
    (void)state;
    struct world world;
    theater_router_options_t options = THEATER_ROUTER_OPTIONS_INIT;
    char data[1001];
    options.max_queued_bytes = 256 << 10;
    world_make(&world, &options, true);
    theater_endpoint_t *b = join(&world, "b");
    memset(data, 'x', sizeof(data) - 1);
    data[sizeof(data) - 1] = '\0';
    for (unsigned i = 0; i < 3000; i++) {
        assert_status(send_text(&world, NULL, "b", data), THEATER_OK);
        handle_send(b, data);
    }
    leave(b);
    world_fini(&world);
}

struct elsewhere {
    struct world *world;
    unsigned registered;
};

static void *register_and_leave(void *arg)
{
    struct elsewhere *elsewhere = arg;
    theater_endpoint_t *ends[32];
    char name[16];
    for (unsigned i = 0; i < 32; i++) {
        (void)snprintf(name, sizeof(name), "n%u", i);
        if (theater_router_register(elsewhere->world->router, name,
                                    strlen(name), NULL,
                                    &ends[i]) == THEATER_OK) {
            elsewhere->registered++;
        }
    }
    for (unsigned i = 0; i < elsewhere->registered; i++) {
        leave(ends[i]);
    }
    return NULL;
}

static void names_that_one_thread_gave_up_are_free_for_all(void **state)
{
    (void)state;
    struct world world;
    theater_router_options_t options = THEATER_ROUTER_OPTIONS_INIT;
    pthread_t thread;
    options.max_endpoints = 32;
    world_make(&world, &options, true);
    struct elsewhere elsewhere = {&world, 0};
    for (unsigned round = 0; round < 2; round++) {
        elsewhere.registered = 0;
        assert_int_equal(
            pthread_create(&thread, NULL, register_and_leave, &elsewhere), 0);
        assert_int_equal(pthread_join(thread, NULL), 0);
        assert_int_equal(elsewhere.registered, 32);
    }
    leave(join(&world, "here"));
    world_fini(&world);
}

/* A slot serves 65,535 registrations; then another takes its place. */
static void registering_again_and_again_uses_nothing_up(void **state)
{
    (void)state;
    struct world world;
    theater_router_options_t options = THEATER_ROUTER_OPTIONS_INIT;
    theater_endpoint_t *taken = NULL;
    options.max_endpoints = 2;
    world_make(&world, &options, true);
    theater_endpoint_t *a = join(&world, "a");
    for (unsigned i = 0; i < 70000; i++) {
        assert_status(
            theater_router_register(world.router, "a", 1, NULL, &taken),
            THEATER_ALREADY_EXISTS);
    }
    for (unsigned i = 0; i < 70000; i++) {
        leave(join(&world, "b"));
    }
    leave(a);
    world_fini(&world);
}

static void a_deadline_holds_though_time_was_said_to_be_later(void **state)
{
    (void)state;
    struct world world;
    struct outcome outcome = {0};
    theater_request_id_t id;
    world_init(&world);
    theater_endpoint_t *b = join(&world, "b");
    assert_status(theater_router_request_start(world.router, NULL, text("b"),
                                               text("?"), 100, note_done,
                                               &outcome, &id),
                  THEATER_PENDING);
    theater_router_advance(world.router,
                           world.env->now_ns(world.env->ctx) + 500 * MS);
    assert_int_equal(outcome.calls, 0); /* the clock says otherwise */
    pass(&world, 200);
    assert_int_equal(outcome.calls, 1);
    assert_status(outcome.status, THEATER_TIMEOUT);
    leave(b);
    world_fini(&world);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_ring_whose_owner_opens_and_closes_stalls_no_one),
        cmocka_unit_test(a_ring_that_would_be_too_large_is_refused),
        cmocka_unit_test(a_small_bound_on_all_bytes_does_not_lock_up),
        cmocka_unit_test(names_that_one_thread_gave_up_are_free_for_all),
        cmocka_unit_test(registering_again_and_again_uses_nothing_up),
        cmocka_unit_test(a_deadline_holds_though_time_was_said_to_be_later),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
