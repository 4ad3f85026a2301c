/* SPDX-License-Identifier: Apache-2.0 */
/* Who waits for whom, and for what, as it is told for reports. */
#include "world.h"

static theater_wait_edge_t edge_of(struct world *world, const char *name)
{
    theater_wait_edge_t edge;
    if (!theater_router_waits(world->router, text(name), &edge)) {
        fail_msg("%s is not known", name);
    }
    assert_true(edge.self != 0);
    return edge;
}

static void assert_waits(struct world *world, const char *who, const char *whom,
                         const char *what, uint64_t since_ns)
{
    theater_wait_edge_t edge = edge_of(world, who);
    assert_true(edge.target == edge_of(world, whom).self);
    assert_string_equal(edge.what, what);
    assert_int_equal(edge.since_ns, since_ns);
}

static void assert_free(struct world *world, const char *who)
{
    assert_int_equal(edge_of(world, who).target, 0);
}

struct pair {
    struct world world;
    theater_endpoint_t *a, *b;
    uint64_t now;
};

static void pair_init(struct pair *pair)
{
    theater_endpoint_options_t options = THEATER_ENDPOINT_OPTIONS_INIT;
    world_init(&pair->world);
    options.waits = true;
    options.capacity = 1;
    options.channel_credit = 1;
    pair->a = join_as(&pair->world, "a", &options);
    pair->b = join_as(&pair->world, "b", &options);
    pass(&pair->world, 1234);
    pair->now = th_now(pair->world.env);
}

static void pair_fini(struct pair *pair)
{
    leave(pair->a);
    leave(pair->b);
    world_fini(&pair->world);
}

static void who_asks_waits_for_an_answer(void **state)
{
    struct pair pair;
    struct outcome outcome;
    theater_wait_edge_t edge;
    (void)state;
    pair_init(&pair);
    assert_false(theater_router_waits(pair.world.router, text("c"), &edge));
    assert_true(edge_of(&pair.world, "a").self !=
                edge_of(&pair.world, "b").self);
    assert_free(&pair.world, "a");
    assert_status(ask(&pair.world, pair.a, "b", "q", 9000, &outcome, NULL),
                  THEATER_PENDING);
    assert_waits(&pair.world, "a", "b", "an answer", pair.now);
    assert_free(&pair.world, "b");
    pass(&pair.world, 10000);
    assert_ended(outcome, THEATER_TIMEOUT);
    assert_free(&pair.world, "a");
    pair_fini(&pair);
}

static void who_sends_waits_for_room(void **state)
{
    struct pair pair;
    struct outcome outcome = {0};
    theater_request_id_t id;
    (void)state;
    pair_init(&pair);
    assert_status(send_text(&pair.world, pair.a, "b", "1"), THEATER_OK);
    assert_status(theater_router_send_start(pair.world.router, pair.a,
                                            text("b"), text("2"), 9000,
                                            note_done, &outcome, &id),
                  THEATER_PENDING);
    assert_waits(&pair.world, "a", "b", "room", pair.now);
    handle_send(pair.b, "1");
    handle_send(pair.b, "2");
    assert_ended(outcome, THEATER_OK);
    assert_free(&pair.world, "a");
    pair_fini(&pair);
}

static void who_opens_waits_for_an_accept_and_then_for_credit(void **state)
{
    struct pair pair;
    struct outcome outcome;
    theater_request_id_t id;
    (void)state;
    pair_init(&pair);
    assert_status(offer(pair.a, "b", "x", 9000, &outcome), THEATER_PENDING);
    assert_waits(&pair.world, "a", "b", "an accept", pair.now);
    (void)take(pair.b, THEATER_MESSAGE_CHANNEL_OPEN, "x");
    assert_status(theater_channel_accept(pair.b), THEATER_OK);
    theater_endpoint_done(pair.b, THEATER_OK);
    assert_free(&pair.world, "a");
    theater_channel_id_t channel = outcome.channel;
    assert_status(theater_channel_send(pair.a, channel, text("1")), THEATER_OK);
    memset(&outcome, 0, sizeof outcome);
    assert_status(theater_channel_credit_start(pair.a, channel, 1, 9000,
                                               note_done, &outcome, &id),
                  THEATER_PENDING);
    assert_waits(&pair.world, "a", "b", "credit", pair.now);
    handle(pair.b, THEATER_MESSAGE_CHANNEL_DATA, "1");
    nothing(pair.b);
    assert_ended(outcome, THEATER_OK);
    assert_free(&pair.world, "a");
    pair_fini(&pair);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(who_asks_waits_for_an_answer),
        cmocka_unit_test(who_sends_waits_for_room),
        cmocka_unit_test(who_opens_waits_for_an_accept_and_then_for_credit),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
