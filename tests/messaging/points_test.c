/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Where something rare may happen (base/points.h), what the router promises
 * stays as it is: one scenario of everything, over and over, so that slots are
 * used again, with the answer yes at one point, then at the next. A new point
 * of the router's that the scenario does not reach fails.
 */
#include "world.h"

#include "base/points.h"

enum { ROUNDS = 6, ROUTERS_POINTS = TH_POINT_TIMERS_LATE };

static struct {
    enum th_point point;
    unsigned taken;
} rare;

static bool yes_at_one(void *ctx, unsigned point)
{
    (void)ctx;
    rare.taken += point == (unsigned)rare.point;
    return point == (unsigned)rare.point;
}

static void one_way(struct world *world, theater_endpoint_t *a,
                    theater_endpoint_t *b)
{
    static const char *const lines[] = {"1", "2", "3", "4", "5", "6", "7", "8"};
    struct outcome waits;
    memset(&waits, 0, sizeof waits);
    for (int i = 0; i < 8; i++) {
        assert_status(send_text(world, a, "b", lines[i]), THEATER_OK);
    }
    assert_status(send_text(world, a, "b", "x"), THEATER_MAILBOX_FULL);
    assert_status(theater_router_send_start(world->router, a, text("b"),
                                            text("9"), 1000, note_done, &waits,
                                            NULL),
                  THEATER_PENDING);
    for (int i = 0; i < 8; i++) {
        handle_send(b, lines[i]);
    }
    handle_send(b, "9");
    nothing(b);
    assert_ended(waits, THEATER_OK);
}

static void requests(struct world *world, theater_endpoint_t *a,
                     theater_endpoint_t *b)
{
    struct outcome answered;
    struct outcome late;
    theater_request_id_t id;
    assert_status(ask(world, a, "b", "how", 1000, &answered, &id),
                  THEATER_PENDING);
    const theater_message_t *message = take(b, THEATER_MESSAGE_REQUEST, "how");
    theater_request_id_t asked = message->request;
    assert_status(theater_endpoint_respond(b, asked, text("so")), THEATER_OK);
    theater_endpoint_done(b, THEATER_OK);
    assert_ended(answered, THEATER_OK);
    assert_string_equal(answered.data, "so");
    assert_status(ask(world, a, "b", "and", 10, &late, &id), THEATER_PENDING);
    pass(world, 11);
    assert_ended(late, THEATER_TIMEOUT);
    /* Neither is answered again, whoever has their slots. */
    assert_true(theater_endpoint_respond(b, asked, text("no")) != THEATER_OK);
    nothing(b);
    assert_int_equal(answered.calls + late.calls, 2);
}

static void channels(theater_endpoint_t *a, theater_endpoint_t *b,
                     theater_channel_id_t *before)
{
    theater_channel_id_t other;
    theater_channel_id_t mine = connect(a, b, "b", &other);
    if (before->value != 0) {
        assert_true(mine.value != before->value);
        assert_true(theater_channel_send(a, *before, text("no")) != THEATER_OK);
    }
    assert_status(theater_channel_send(a, mine, text("data")), THEATER_OK);
    assert_status(theater_channel_close(a, mine, THEATER_OK), THEATER_OK);
    handle(b, THEATER_MESSAGE_CHANNEL_DATA, "data");
    handle(b, THEATER_MESSAGE_CHANNEL_CLOSE, NULL);
    nothing(b);
    *before = mine;
}

static void all_of_it(struct world *world)
{
    theater_endpoint_options_t options = THEATER_ENDPOINT_OPTIONS_INIT;
    theater_channel_id_t before = {0};
    options.capacity = 8;
    for (int i = 0; i < ROUNDS; i++) {
        theater_endpoint_t *a = join(world, "a");
        theater_endpoint_t *b = join_as(world, "b", &options);
        one_way(world, a, b);
        requests(world, a, b);
        channels(a, b, &before);
        leave(b);
        leave(a);
    }
}

static void what_is_rare_changes_no_promise(void **state)
{
    (void)state;
    for (unsigned point = 0; point < ROUTERS_POINTS; point++) {
        struct world world;
        struct th_sim_env *sim = NULL;
        theater_router_options_t options = THEATER_ROUTER_OPTIONS_INIT;
        rare.point = (enum th_point)point;
        rare.taken = 0;
        assert_status(th_sim_env_new(7, &sim), THEATER_OK);
        theater_env_t env = *th_sim_env_table(sim);
        env.rare = yes_at_one;
        options.env = &env;
        world_make(&world, &options, false);
        world.sim = sim;
        world.env = th_sim_env_table(sim);
        all_of_it(&world);
        print_message("  %s: %u times\n", th_point_name(rare.point),
                      rare.taken);
        assert_true(rare.taken > 0);
        world_fini(&world);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(what_is_rare_changes_no_promise),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
