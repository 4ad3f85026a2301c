/* SPDX-License-Identifier: Apache-2.0 */
/* Sends after a delay. */
#include "world.h"

static theater_status_t later(struct world *world, theater_endpoint_t *from,
                              const char *to, const char *data, uint32_t ms,
                              theater_timer_id_t *id)
{
    return theater_router_send_after(world->router, from, text(to), text(data),
                                     ms, id);
}

static void a_timed_send_comes_at_its_time_once(void **state)
{
    (void)state;
    struct world world;
    theater_timer_id_t id;
    world_init(&world);
    theater_endpoint_t *a = join(&world, "a");
    assert_status(later(&world, a, "a", "30", 30, &id), THEATER_OK);
    assert_status(later(&world, a, "a", "10", 10, &id), THEATER_OK);
    assert_status(later(&world, a, "a", "20", 20, &id), THEATER_OK);
    assert_int_equal(counters_of(&world).pending, 3);
    uint64_t now = world.env->now_ns(world.env->ctx);
    uint64_t next = theater_router_next_deadline(world.router);
    assert_true(next <= now + 10 * MS);
    nothing(a);
    pass(&world, 11);
    const theater_message_t *message = take(a, THEATER_MESSAGE_SEND, "10");
    assert_memory_equal(message->sender.data, "a", 1);
    theater_endpoint_done(a, THEATER_OK);
    nothing(a);
    pass(&world, 30);
    handle_send(a, "20");
    handle_send(a, "30");
    nothing(a);
    pass(&world, 1000);
    nothing(a);
    assert_true(theater_router_next_deadline(world.router) == THEATER_NEVER);
    leave(a);
    world_fini(&world);
}

static void a_cancelled_one_never_comes(void **state)
{
    (void)state;
    struct world world;
    theater_timer_id_t id;
    theater_timer_id_t other;
    world_init(&world);
    theater_endpoint_t *a = join(&world, "a");
    theater_endpoint_t *b = join(&world, "b");
    assert_status(later(&world, a, "a", "x", 10, &id), THEATER_OK);
    assert_status(later(&world, a, "a", "y", 10, &other), THEATER_OK);
    assert_status(theater_router_cancel_send(b, id), THEATER_INVALID_ARGUMENT);
    assert_status(theater_router_cancel_send(a, id), THEATER_OK);
    assert_status(theater_router_cancel_send(a, id), THEATER_INVALID_ARGUMENT);
    pass(&world, 20);
    handle_send(a, "y");
    nothing(a);
    assert_status(theater_router_cancel_send(a, other),
                  THEATER_INVALID_ARGUMENT);
    theater_timer_id_t forged = {id.value ^ 1};
    assert_status(theater_router_cancel_send(a, forged),
                  THEATER_INVALID_ARGUMENT);
    forged.value = 0;
    assert_status(theater_router_cancel_send(a, forged),
                  THEATER_INVALID_ARGUMENT);
    leave(a);
    leave(b);
    world_fini(&world);
}

static void the_name_is_looked_up_when_the_time_comes(void **state)
{
    (void)state;
    struct world world;
    theater_timer_id_t id;
    world_init(&world);
    theater_endpoint_t *a = join(&world, "a");
    assert_status(later(&world, a, "b", "early bird", 10, &id), THEATER_OK);
    assert_status(later(&world, a, "c", "lost", 10, &id), THEATER_OK);
    theater_endpoint_t *b = join(&world, "b");
    pass(&world, 20);
    handle_send(b, "early bird");
    assert_int_equal(dead(&world, THEATER_NOT_FOUND), 1);
    leave(a);
    leave(b);
    world_fini(&world);
}

static void as_many_fire_at_once_as_were_asked_for(void **state)
{
    (void)state;
    struct world world;
    theater_timer_id_t id;
    world_init(&world);
    theater_endpoint_t *a = join(&world, "a");
    theater_endpoint_t *b = join(&world, "b");
    for (int i = 0; i < 10; i++) {
        assert_status(later(&world, a, "b", "x", 10, &id), THEATER_OK);
    }
    uint64_t now = world.env->now_ns(world.env->ctx) + 20 * MS;
    th_sim_env_advance(world.env, now);
    unsigned calls = 0, got = 0;
    while (theater_router_next_deadline(world.router) <= now) {
        const theater_message_t *message;
        unsigned before = got;
        theater_router_advance_some(world.router, now, 4);
        while (theater_endpoint_receive(b, &message) == THEATER_OK) {
            theater_endpoint_done(b, THEATER_OK);
            got++;
        }
        assert_true(got - before <= 4 && ++calls < 100);
    }
    assert_int_equal(got, 10);
    leave(a);
    leave(b);
    world_fini(&world);
}

static void timed_sends_end_with_who_made_them(void **state)
{
    (void)state;
    struct world world;
    theater_timer_id_t id;
    world_init(&world);
    theater_endpoint_t *a = join(&world, "a");
    theater_endpoint_t *b = join(&world, "b");
    assert_status(later(&world, a, "b", "x", 10, &id), THEATER_OK);
    leave(a);
    theater_endpoint_t *again = join(&world, "a");
    pass(&world, 20);
    nothing(b);
    leave(again);
    leave(b);
    world_fini(&world);
}

static void timed_sends_have_a_bound(void **state)
{
    (void)state;
    struct world world;
    theater_timer_id_t ids[3];
    theater_timer_id_t more;
    theater_endpoint_options_t options = THEATER_ENDPOINT_OPTIONS_INIT;
    options.max_timers = 3;
    world_init(&world);
    theater_endpoint_t *a = join_as(&world, "a", &options);
    for (int i = 0; i < 3; i++) {
        assert_status(later(&world, a, "a", "x", 10, &ids[i]), THEATER_OK);
    }
    assert_status(later(&world, a, "a", "x", 10, &more), THEATER_MAILBOX_FULL);
    assert_status(theater_router_cancel_send(a, ids[1]), THEATER_OK);
    assert_status(later(&world, a, "a", "x", 10, &more), THEATER_OK);
    pass(&world, 20);
    for (int i = 0; i < 3; i++) {
        handle_send(a, "x");
    }
    nothing(a);
    assert_status(later(&world, a, "a", "x", 10, &more), THEATER_OK);
    leave(a);
    world_fini(&world);
}

static void a_timed_send_needs_a_permission_and_a_sender(void **state)
{
    (void)state;
    struct world world;
    theater_timer_id_t id;
    theater_permissions_t grants = THEATER_PERMISSIONS_INIT;
    theater_endpoint_options_t options = THEATER_ENDPOINT_OPTIONS_INIT;
    grants.can_send = false;
    options.permissions = &grants;
    world_init(&world);
    theater_endpoint_t *a = join_as(&world, "a", &options);
    assert_status(later(&world, a, "a", "x", 10, &id), THEATER_DENIED);
    assert_status(later(&world, NULL, "a", "x", 10, &id),
                  THEATER_INVALID_ARGUMENT);
    leave(a);
    world_fini(&world);
}

static void many_timed_sends_come_in_the_order_of_their_times(void **state)
{
    (void)state;
    enum { COUNT = 500 };
    struct world world;
    struct th_rng rng;
    unsigned at[COUNT];
    world_init(&world);
    th_rng_init(&rng, 5);
    theater_endpoint_t *a = join(&world, "a");
    for (int i = 0; i < COUNT; i++) {
        theater_timer_id_t id;
        char line[16];
        at[i] = 1 + (unsigned)th_rng_below(&rng, 5000);
        snprintf(line, sizeof(line), "%u", at[i]);
        assert_status(later(&world, a, "a", line, at[i], &id), THEATER_OK);
    }
    unsigned got = 0;
    for (unsigned now = 0; now <= 5100; now += 100) {
        const theater_message_t *message;
        while (theater_endpoint_receive(a, &message) == THEATER_OK) {
            char line[16] = {0};
            memcpy(line, message->data.data, message->data.len);
            unsigned due = (unsigned)strtoul(line, NULL, 10);
            assert_true(due <= now && due + 101 >= now);
            theater_endpoint_done(a, THEATER_OK);
            got++;
        }
        pass(&world, 100);
    }
    assert_int_equal(got, COUNT);
    leave(a);
    world_fini(&world);
}

/* --- Slots that are used again -------------------------------------------- */

enum { AGAIN = 20000 };

static _Atomic bool over;

static void turn_time(void *arg)
{
    struct world *world = arg;
    /* Ahead of the clock, as who has slept for too long may be. */
    while (!atomic_load_explicit(&over, memory_order_acquire)) {
        theater_router_advance(world->router,
                               world->env->now_ns(world->env->ctx) + 50 * MS);
    }
}

static void note_no_one(void *user, theater_status_t status,
                        theater_answer_t *answer)
{
    (void)user;
    (void)status;
    theater_answer_delete(answer);
}

/* A request ends, and a timed send takes its slot, whose timer stands in the
 * wheel still and may be called at any moment. What it then sends is whole:
 * the thread sanitizer sees to that, and the payload here. */
static void a_timed_send_in_a_slot_whose_timer_stands_comes_whole(void **state)
{
    struct world world;
    theater_request_id_t id;
    theater_timer_id_t timer;
    unsigned ended = 0;
    theater_thread_t *turner = NULL;
    const theater_message_t *message = NULL;
    (void)state;

    world_make(&world, NULL, false);
    theater_endpoint_t *a = join(&world, "a");
    const theater_env_t *env = world.env;
    assert_int_equal(
        env->thread_start(env->ctx, "turner", turn_time, &world, &turner),
        THEATER_OK);
    for (unsigned i = 0; i < AGAIN; i++) {
        assert_status(theater_router_request_start(world.router, NULL,
                                                   text("a"), text("q"), 10,
                                                   note_no_one, NULL, &id),
                      THEATER_PENDING);
        /* If not, its deadline came: the same for its slot. */
        ended += theater_router_cancel(world.router, id) == THEATER_OK;
        assert_status(later(&world, a, "a", "whole", 0, &timer), THEATER_OK);
        while (theater_endpoint_wait(a, 20000, &message) == THEATER_OK &&
               message->kind != THEATER_MESSAGE_SEND) {
            theater_endpoint_done(a, THEATER_OK);
        }
        assert_int_equal(message->data.len, 5);
        assert_memory_equal(message->data.data, "whole", 5);
        theater_endpoint_done(a, THEATER_OK);
    }
    atomic_store_explicit(&over, true, memory_order_release);
    env->thread_join(env->ctx, turner);
    assert_true(ended > 0);
    leave(a);
    world_fini(&world);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_timed_send_comes_at_its_time_once),
        cmocka_unit_test(a_cancelled_one_never_comes),
        cmocka_unit_test(the_name_is_looked_up_when_the_time_comes),
        cmocka_unit_test(as_many_fire_at_once_as_were_asked_for),
        cmocka_unit_test(timed_sends_end_with_who_made_them),
        cmocka_unit_test(timed_sends_have_a_bound),
        cmocka_unit_test(a_timed_send_needs_a_permission_and_a_sender),
        cmocka_unit_test(many_timed_sends_come_in_the_order_of_their_times),
        cmocka_unit_test(a_timed_send_in_a_slot_whose_timer_stands_comes_whole),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
