/* SPDX-License-Identifier: Apache-2.0 */
/* Actors in C through the message-server handler: the same deliveries as
 * callbacks, answers that come later, and no false deadlock among them. */
#include "world.h"

/* Does what a test gave it for each delivery. */
struct player {
    struct world *world;
    theater_actor_t *actor;
    void (*act)(struct player *player, theater_delivery_t *delivery);
    _Atomic unsigned seen[5]; /* deliveries by export */
    _Atomic unsigned woken;
    _Atomic unsigned destroyed;
    _Atomic unsigned answered;
    theater_request_id_t owed;
    _Atomic(theater_answer_t *) answer;
    theater_bytes_t target; /* whom it asks */
    char reply[64];
};

static void deliver(void *self, theater_actor_t *actor,
                    theater_delivery_t *delivery)
{
    struct player *player = self;
    player->actor = actor;
    atomic_fetch_add_explicit(&player->seen[delivery->export_index], 1,
                              memory_order_release);
    delivery->status = THEATER_OK;
    if (player->act != NULL) {
        player->act(player, delivery);
    }
}

static void woken(void *self, theater_actor_t *actor)
{
    struct player *player = self;
    theater_answer_t *answer =
        atomic_exchange_explicit(&player->answer, NULL, memory_order_acq_rel);
    atomic_fetch_add_explicit(&player->woken, 1, memory_order_release);
    if (answer != NULL) {
        assert_status(theater_endpoint_respond(
                          theater_message_server_endpoint(actor), player->owed,
                          (theater_bytes_t){answer->data, answer->len}),
                      THEATER_OK);
        theater_answer_delete(answer);
    }
}

static void destroyed(void *self)
{
    struct player *player = self;
    atomic_fetch_add_explicit(&player->destroyed, 1, memory_order_release);
}

static const theater_native_ops_t ops = {
    .size = sizeof(theater_native_ops_t),
    .exports = 31,
    .handler = "message-server",
    .deliver = deliver,
    .woken = woken,
    .destroy = destroyed,
};

static void spawn_native(struct world *world, struct player *player,
                         const char *name)
{
    static const char source[] = "name = \"n\"\n[[handler]]\n"
                                 "type = \"message-server\"\n";
    theater_manifest_options_t options = THEATER_MANIFEST_OPTIONS_INIT;
    theater_manifest_t *manifest = NULL;
    options.native = true;
    player->world = world;
    assert_status(theater_manifest_parse(source, sizeof(source) - 1, NULL,
                                         &options, &manifest, &world->err),
                  THEATER_OK);
    theater_status_t status = theater_runtime_spawn_native(
        world->runtime, name, manifest, NULL, &ops, player, &world->err);
    if (status != THEATER_OK) {
        fail_msg("spawn %s: %s", name, world->err.text);
    }
    theater_manifest_release(manifest);
}

static unsigned seen(struct player *player, unsigned what)
{
    return count_of(&player->seen[what]);
}

/* --- Answers -------------------------------------------------------------- */

static void reply_with_sender(struct player *player,
                              theater_delivery_t *delivery)
{
    const theater_message_t *message =
        theater_message_server_current(player->actor);
    assert_non_null(message);
    if (delivery->export_index != THEATER_HANDLE_REQUEST) {
        return;
    }
    snprintf(player->reply, sizeof(player->reply), "%.*s said %.*s",
             (int)message->sender.len,
             message->sender.data != NULL ? (const char *)message->sender.data
                                          : "",
             (int)delivery->args[0].bytes.len,
             (const char *)delivery->args[0].bytes.data);
    delivery->result.bytes = text(player->reply);
}

static void a_native_actor_gets_what_a_guest_gets(void **state)
{
    (void)state;
    struct world world;
    struct player player = {.act = reply_with_sender};
    world_init(&world);
    spawn_native(&world, &player, "n");
    driver(&world, "a", NULL);
    expect(&world, "a", "request n hello", "ok a said hello");
    expect(&world, "a", "send n note", "ok");
    until(seen(&player, THEATER_HANDLE_SEND) == 1);
    const char *got = command(&world, "a", "open n x");
    assert_memory_equal(got, "error rejected", 14); /* result is false */
    theater_runtime_delete(world.runtime);
    assert_int_equal(count_of(&player.destroyed), 1);
    check_conserved(&world);
    theater_router_release(world.router);
}

static void fail_it(struct player *player, theater_delivery_t *delivery)
{
    (void)player;
    delivery->status = THEATER_FAILED;
    delivery->result.bytes = text("bad \xff text");
}

/* A guest's strings are UTF-8, whatever a C actor writes. */
static void an_error_text_that_is_no_utf8_is_made_harmless(void **state)
{
    (void)state;
    struct world world;
    struct player player = {.act = fail_it};
    world_init(&world);
    spawn_native(&world, &player, "n");
    driver(&world, "a", NULL);
    expect(&world, "a", "request n hello", "error failed: bad ? text");
    assert_status(request(&world, "n", "x"), THEATER_FAILED);
    world_fini(&world);
}

static void accept_and_greet(struct player *player,
                             theater_delivery_t *delivery)
{
    theater_endpoint_t *endpoint =
        theater_message_server_endpoint(player->actor);
    const theater_message_t *message =
        theater_message_server_current(player->actor);
    if (delivery->export_index == THEATER_HANDLE_CHANNEL_OPEN) {
        assert_status(
            theater_channel_send(endpoint, message->channel, text("welcome")),
            THEATER_OK);
        delivery->result.u32 = 1;
    } else if (delivery->export_index == THEATER_HANDLE_CHANNEL_MESSAGE) {
        assert_int_equal(delivery->args[0].bytes.len, 17);
        assert_status(theater_channel_send(endpoint, message->channel,
                                           delivery->args[1].bytes),
                      THEATER_OK);
    }
}

static void channels_reach_native_actors(void **state)
{
    (void)state;
    struct world world;
    struct player player = {.act = accept_and_greet};
    char line[64];
    world_init(&world);
    spawn_native(&world, &player, "n");
    driver(&world, "a", NULL);
    const char *got = command(&world, "a", "open n x");
    assert_memory_equal(got, "ok c", 4);
    snprintf(line, sizeof(line), "channel %.17s echo", got + 3);
    expect(&world, "a", line, "ok");
    until_heard(&world, "a", " echo\n");
    until(seen(&player, THEATER_HANDLE_CHANNEL_MESSAGE) == 1);
    world_fini(&world);
    assert_int_equal(count_of(&player.destroyed), 1);
}

/* --- Asking while one answers ------------------------------------------ */

static void heard(void *user, theater_status_t status, theater_answer_t *answer)
{
    struct player *player = user;
    atomic_fetch_add_explicit(&player->answered, 1, memory_order_release);
    if (status != THEATER_OK) {
        theater_answer_delete(answer);
        return;
    }
    atomic_store_explicit(&player->answer, answer, memory_order_release);
    theater_actor_wake(player->actor);
}

static void ask_on(struct player *player, theater_delivery_t *delivery)
{
    theater_endpoint_t *endpoint =
        theater_message_server_endpoint(player->actor);
    theater_bytes_t data = delivery->args[0].bytes;
    if (data.len == 0) { /* the end of the way */
        delivery->result.bytes = text("end");
        return;
    }
    data.len--;
    assert_status(theater_endpoint_defer(endpoint, &player->owed), THEATER_OK);
    delivery->status = THEATER_PENDING;
    assert_status(theater_router_request_start(player->world->router, endpoint,
                                               player->target, data, 20000,
                                               heard, player, NULL),
                  THEATER_PENDING);
}

/* a asks b asks a: each goes on while it waits, so it is no deadlock. */
static void native_actors_may_ask_each_other_in_a_ring(void **state)
{
    (void)state;
    struct world world;
    struct player a = {.act = ask_on, .target = {(const uint8_t *)"b", 1}};
    struct player b = {.act = ask_on, .target = {(const uint8_t *)"a", 1}};
    world_init(&world);
    spawn_native(&world, &a, "a");
    spawn_native(&world, &b, "b");
    assert_status(request(&world, "a", "x"), THEATER_OK);
    assert_string_equal(world.answer, "end");
    assert_status(request(&world, "a", "xx"), THEATER_OK);
    assert_string_equal(world.answer, "end");
    world_fini(&world);
}

static void a_native_actor_that_stops_leaves_no_callback_behind(void **state)
{
    (void)state;
    struct world world;
    struct player a = {.act = ask_on, .target = {(const uint8_t *)"hole", 4}};
    theater_endpoint_t *hole = NULL;
    theater_answer_t *answer = NULL;
    world_init(&world);
    assert_status(theater_router_register(world.router, "hole", 4, NULL, &hole),
                  THEATER_OK);
    spawn_native(&world, &a, "a");
    assert_status(theater_router_request(world.router, NULL, text("a"),
                                         text("x"), 50, &answer),
                  THEATER_TIMEOUT);
    assert_int_equal(count_of(&a.answered), 0);
    assert_status(theater_runtime_stop(world.runtime, "a", "enough"),
                  THEATER_OK);
    assert_status(theater_runtime_wait_actor(world.runtime, "a", 30000),
                  THEATER_OK);
    assert_int_equal(count_of(&a.answered), 1); /* cancelled, while it lived */
    assert_int_equal(count_of(&a.destroyed), 1);
    theater_endpoint_unregister(hole, THEATER_OK);
    world_fini(&world);
}

static theater_status_t blocked;

static void block(struct player *player, theater_delivery_t *delivery)
{
    theater_answer_t *answer = NULL;
    (void)delivery;
    blocked = theater_router_request(player->world->router, NULL, text("n"),
                                     text("x"), 10, &answer);
    delivery->result.bytes = text("tried");
}

static void a_call_that_blocks_is_refused_on_a_worker(void **state)
{
    (void)state;
    struct world world;
    struct player player = {.act = block};
    world_init(&world);
    spawn_native(&world, &player, "n");
    assert_status(request(&world, "n", "x"), THEATER_OK);
    assert_status(blocked, THEATER_WRONG_THREAD);
    world_fini(&world);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_native_actor_gets_what_a_guest_gets),
        cmocka_unit_test(an_error_text_that_is_no_utf8_is_made_harmless),
        cmocka_unit_test(channels_reach_native_actors),
        cmocka_unit_test(native_actors_may_ask_each_other_in_a_ring),
        cmocka_unit_test(a_native_actor_that_stops_leaves_no_callback_behind),
        cmocka_unit_test(a_call_that_blocks_is_refused_on_a_worker),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
