/* SPDX-License-Identifier: Apache-2.0 */
/* What an endpoint may do, on every path that it can initiate something. */
#include "world.h"

/* Every way to initiate something towards `to`. */
enum path { SEND, SEND_START, BATCH, BROADCAST, AFTER, REQUEST, OPEN, PATHS };

static theater_status_t try_path(struct world *world, theater_endpoint_t *from,
                                 const char *to, enum path path,
                                 struct outcome *outcome)
{
    theater_bytes_t target = text(to);
    theater_bytes_t data = text("x");
    theater_request_id_t id;
    theater_timer_id_t timer;
    theater_status_t status;
    size_t accepted;
    uint8_t code = THEATER_OK;
    switch (path) {
    case SEND:
        return theater_router_send(world->router, from, target, data);
    case SEND_START:
        return theater_router_send_start(world->router, from, target, data, 100,
                                         note_done, outcome, &id);
    case BATCH:
        return theater_router_send_batch(world->router, from, target, &data, 1,
                                         &accepted);
    case BROADCAST:
        status = theater_router_broadcast(world->router, from, &target, 1, data,
                                          &code);
        return status != THEATER_OK ? status : (theater_status_t)code;
    case AFTER:
        return theater_router_send_after(world->router, from, target, data, 10,
                                         &timer);
    case REQUEST:
        return ask(world, from, to, "x", 0, outcome, NULL);
    default:
        return offer(from, to, "x", 0, outcome);
    }
}

static theater_endpoint_t *granted(struct world *world, const char *name,
                                   const theater_permissions_t *grants)
{
    theater_endpoint_options_t options = THEATER_ENDPOINT_OPTIONS_INIT;
    options.permissions = grants;
    return join_as(world, name, &options);
}

static void drain(theater_endpoint_t *endpoint, unsigned *out_seen)
{
    const theater_message_t *message;
    while (theater_endpoint_receive(endpoint, &message) == THEATER_OK) {
        theater_endpoint_done(endpoint, THEATER_OK);
        (*out_seen)++;
    }
}

static void each_permission_governs_its_paths_and_no_others(void **state)
{
    (void)state;
    for (unsigned bits = 0; bits < 8; bits++) {
        struct world world;
        unsigned seen = 0;
        unsigned allowed = 0;
        theater_permissions_t grants = THEATER_PERMISSIONS_INIT;
        grants.can_send = (bits & 1) != 0;
        grants.can_request = (bits & 2) != 0;
        grants.can_open_channels = (bits & 4) != 0;
        world_init(&world);
        theater_endpoint_t *a = granted(&world, "a", &grants);
        theater_endpoint_t *b = join(&world, "b");
        struct outcome outcomes[PATHS];
        for (enum path path = SEND; path < PATHS; path++) {
            bool may = path == REQUEST ? grants.can_request
                       : path == OPEN  ? grants.can_open_channels
                                       : grants.can_send;
            theater_status_t status =
                try_path(&world, a, "b", path, &outcomes[path]);
            if (may) {
                assert_true(status == THEATER_OK || status == THEATER_PENDING);
            } else {
                assert_status(status, THEATER_DENIED);
            }
            allowed += may;
        }
        pass(&world, 20);
        drain(b, &seen);
        assert_int_equal(seen, allowed);
        leave(a);
        leave(b);
        world_fini(&world);
    }
}

static void allowed_targets_hold_on_every_path(void **state)
{
    (void)state;
    static const char *const targets[] = {"pong", "worker-*"};
    static const struct {
        const char *name;
        bool allowed;
    } who[] = {
        {"pong", true},       {"worker-1", true}, {"worker-", true},
        {"worker", false},    {"pon", false},     {"pong2", false},
        {"xworker-1", false}, {"*", false},       {"Pong", false},
    };
    struct world world;
    theater_permissions_t grants = THEATER_PERMISSIONS_INIT;
    grants.allowed_targets = targets;
    grants.allowed_targets_len = 2;
    world_init(&world);
    theater_endpoint_t *a = granted(&world, "a", &grants);
    for (size_t i = 0; i < sizeof(who) / sizeof(who[0]); i++) {
        unsigned seen = 0;
        struct outcome outcomes[PATHS];
        theater_endpoint_t *b = join(&world, who[i].name);
        for (enum path path = SEND; path < PATHS; path++) {
            /* Twice: a cached target is checked no less. */
            for (int twice = 0; twice < 2; twice++) {
                theater_status_t status =
                    try_path(&world, a, who[i].name, path, &outcomes[path]);
                if (who[i].allowed) {
                    assert_true(status == THEATER_OK ||
                                status == THEATER_PENDING);
                    pass(&world, 20);
                    drain(b, &seen);
                } else {
                    assert_status(status, THEATER_DENIED);
                }
            }
        }
        assert_int_equal(seen, who[i].allowed ? 2 * PATHS : 0);
        leave(b);
    }
    /* Nobody learns who is there. */
    assert_status(send_text(&world, a, "absent", "x"), THEATER_DENIED);
    leave(a);
    world_fini(&world);
}

static void an_empty_list_is_nobody(void **state)
{
    (void)state;
    static const char *const none[1] = {NULL};
    struct world world;
    struct outcome outcome;
    theater_permissions_t grants = THEATER_PERMISSIONS_INIT;
    grants.allowed_targets = none;
    grants.allowed_targets_len = 0;
    world_init(&world);
    theater_endpoint_t *a = granted(&world, "a", &grants);
    for (enum path path = SEND; path < PATHS; path++) {
        assert_status(try_path(&world, a, "a", path, &outcome), THEATER_DENIED);
    }
    leave(a);
    world_fini(&world);
}

static void a_broadcast_says_denied_for_those_that_are(void **state)
{
    (void)state;
    static const char *const targets[] = {"b"};
    struct world world;
    theater_permissions_t grants = THEATER_PERMISSIONS_INIT;
    grants.allowed_targets = targets;
    grants.allowed_targets_len = 1;
    world_init(&world);
    theater_endpoint_t *a = granted(&world, "a", &grants);
    theater_endpoint_t *b = join(&world, "b");
    theater_endpoint_t *c = join(&world, "c");
    theater_bytes_t to[] = {text("b"), text("c")};
    uint8_t codes[2];
    assert_status(
        theater_router_broadcast(world.router, a, to, 2, text("x"), codes),
        THEATER_OK);
    assert_status((theater_status_t)codes[0], THEATER_OK);
    assert_status((theater_status_t)codes[1], THEATER_DENIED);
    handle_send(b, "x");
    nothing(c);
    leave(a);
    leave(b);
    leave(c);
    world_fini(&world);
}

static void answering_and_accepted_channels_need_no_permission(void **state)
{
    (void)state;
    static const char *const none[1] = {NULL};
    struct world world;
    struct outcome outcome;
    theater_permissions_t grants = {sizeof(grants), false, false,
                                    false,          none,  0};
    theater_request_id_t id;
    theater_channel_id_t at_mute;
    world_init(&world);
    theater_endpoint_t *a = join(&world, "a");
    theater_endpoint_t *mute = granted(&world, "mute", &grants);
    assert_status(ask(&world, a, "mute", "q", 0, &outcome, NULL),
                  THEATER_PENDING);
    (void)take(mute, THEATER_MESSAGE_REQUEST, "q");
    assert_status(theater_endpoint_defer(mute, &id), THEATER_OK);
    theater_endpoint_done(mute, THEATER_OK);
    assert_status(theater_endpoint_respond(mute, id, text("r")), THEATER_OK);
    assert_ended(outcome, THEATER_OK);
    theater_channel_id_t at_a = connect(a, mute, "mute", &at_mute);
    assert_status(theater_channel_send(mute, at_mute, text("hi")), THEATER_OK);
    const theater_message_t *message =
        take(a, THEATER_MESSAGE_CHANNEL_DATA, "hi");
    assert_true(message->channel.value == at_a.value);
    theater_endpoint_done(a, THEATER_OK);
    leave(a);
    leave(mute);
    world_fini(&world);
}

static void permissions_outlast_a_reset_and_what_they_were_made_of(void **state)
{
    (void)state;
    char only[] = "b";
    const char *targets[] = {only};
    struct world world;
    theater_permissions_t grants = THEATER_PERMISSIONS_INIT;
    grants.allowed_targets = targets;
    grants.allowed_targets_len = 1;
    world_init(&world);
    theater_endpoint_t *a = granted(&world, "a", &grants);
    theater_endpoint_t *b = join(&world, "b");
    only[0] = 'a';
    assert_status(send_text(&world, a, "a", "x"), THEATER_DENIED);
    assert_status(send_text(&world, a, "b", "x"), THEATER_OK);
    theater_endpoint_reset(a, THEATER_CLOSED);
    assert_status(send_text(&world, a, "a", "x"), THEATER_DENIED);
    assert_status(send_text(&world, a, "b", "x"), THEATER_OK);
    handle_send(b, "x");
    handle_send(b, "x");
    leave(a);
    leave(b);
    world_fini(&world);
}

static void patterns_are_names_or_beginnings(void **state)
{
    (void)state;
    char longest[258];
    memset(longest, 'x', sizeof(longest));
    longest[255] = '\0';
    assert_status(theater_pattern_check("a"), THEATER_OK);
    assert_status(theater_pattern_check("*"), THEATER_OK);
    assert_status(theater_pattern_check("a*"), THEATER_OK);
    assert_status(theater_pattern_check(longest), THEATER_OK);
    assert_status(theater_pattern_check(""), THEATER_INVALID_ARGUMENT);
    assert_status(theater_pattern_check("*a"), THEATER_INVALID_ARGUMENT);
    assert_status(theater_pattern_check("a*b"), THEATER_INVALID_ARGUMENT);
    assert_status(theater_pattern_check("a**"), THEATER_INVALID_ARGUMENT);
    assert_status(theater_pattern_check("a\nb"), THEATER_INVALID_ARGUMENT);
    assert_status(theater_pattern_check("\xff"), THEATER_INVALID_ARGUMENT);
    longest[255] = 'x';
    longest[256] = '\0';
    assert_status(theater_pattern_check(longest), THEATER_INVALID_ARGUMENT);
    assert_true(theater_pattern_matches("ab*", "abc", 3));
    assert_true(theater_pattern_matches("ab*", "ab", 2));
    assert_false(theater_pattern_matches("ab*", "a", 1));
    assert_true(theater_pattern_matches("*", "a", 1));
    assert_false(theater_pattern_matches("ab", "abc", 3));
    assert_false(theater_pattern_matches("abc", "ab", 2));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(each_permission_governs_its_paths_and_no_others),
        cmocka_unit_test(allowed_targets_hold_on_every_path),
        cmocka_unit_test(an_empty_list_is_nobody),
        cmocka_unit_test(a_broadcast_says_denied_for_those_that_are),
        cmocka_unit_test(answering_and_accepted_channels_need_no_permission),
        cmocka_unit_test(
            permissions_outlast_a_reset_and_what_they_were_made_of),
        cmocka_unit_test(patterns_are_names_or_beginnings),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
