/* SPDX-License-Identifier: Apache-2.0 */
/* An actor can do what its manifest and the embedder both grant; a handler
 * that its manifest does not list is not there. */
#include "world.h"

static void a_manifest_can_take_each_permission_away(void **state)
{
    (void)state;
    struct world world;
    world_init(&world);
    driver(&world, "b", NULL);
    driver(&world, "no-send", "can_send = false");
    driver(&world, "no-request", "can_request = false");
    driver(&world, "no-open", "can_open_channels = false");
    static const struct {
        const char *who, *key;
    } rows[] = {{"no-send", "can_send"},
                {"no-request", "can_request"},
                {"no-open", "can_open_channels"}};
    for (int i = 0; i < 3; i++) {
        const char *who = rows[i].who;
        const char *key = rows[i].key;
        if (i == 0) {
            refuse(&world, who, "send b x", "denied", key);
            refuse(&world, who, "batch b 2 x", "denied", key);
            refuse(&world, who, "after b 1 x", "denied", key);
            expect(&world, who, "broadcast b x", "ok denied");
        } else {
            expect(&world, who, "send b x", "ok");
        }
        if (i == 1) {
            refuse(&world, who, "request b echo x", "denied", key);
            refuse(&world, who, "request-with b 100 echo x", "denied", key);
        } else {
            expect(&world, who, "request b echo x", "ok ok x");
        }
        if (i == 2) {
            refuse(&world, who, "open b x", "denied", key);
        } else {
            assert_memory_equal(command(&world, who, "open b x"), "ok c", 4);
        }
    }
    world_fini(&world);
}

static void allowed_targets_hold_for_guests(void **state)
{
    (void)state;
    struct world world;
    world_init(&world);
    driver(&world, "a", "allowed_targets = [\"pong\", \"worker-*\"]");
    driver(&world, "nobody", "allowed_targets = []");
    driver(&world, "pong", NULL);
    driver(&world, "worker-1", NULL);
    driver(&world, "boss", NULL);
    expect(&world, "a", "send pong x", "ok");
    expect(&world, "a", "request worker-1 echo x", "ok ok x");
    refuse(&world, "a", "send boss x", "denied", "'boss'");
    refuse(&world, "a", "request boss x", "denied", "allowed_targets");
    refuse(&world, "a", "open boss x", "denied", "'boss'");
    refuse(&world, "a", "send absent x", "denied", "'absent'");
    expect(&world, "a", "broadcast pong,boss x", "ok ok,denied");
    refuse(&world, "nobody", "send pong x", "denied", "'pong'");
    refuse(&world, "nobody", "send nobody x", "denied", "");
    world_fini(&world);
}

static void an_embedder_bounds_what_manifests_grant(void **state)
{
    (void)state;
    static const char *const targets[] = {"worker-*", "boss"};
    struct world world;
    struct world_options options = WORLD_OPTIONS;
    theater_permissions_t permissions = THEATER_PERMISSIONS_INIT;
    permissions.can_open_channels = false;
    permissions.allowed_targets = targets;
    permissions.allowed_targets_len = 2;
    options.permissions = &permissions;
    world_make(&world, &options);
    driver(&world, "a", "allowed_targets = [\"worker-1\", \"pong\"]");
    driver(&world, "all", NULL);
    driver(&world, "worker-1", NULL);
    driver(&world, "worker-2", NULL);
    driver(&world, "pong", NULL);
    expect(&world, "a", "send worker-1 x", "ok");
    refuse(&world, "a", "send worker-2 x", "denied", "");
    refuse(&world, "a", "send pong x", "denied", "");
    refuse(&world, "a", "open worker-1 x", "denied", "");
    expect(&world, "all", "send worker-2 x", "ok");
    refuse(&world, "all", "send pong x", "denied", "");
    refuse(&world, "all", "open worker-1 x", "denied", "");
    world_fini(&world);
}

static void what_is_forbidden_stays_so_after_a_restart(void **state)
{
    (void)state;
    struct world world;
    world_init(&world);
    assert_status(try_spawn(&world, "driver", "a",
                            "restart = \"on-failure\"\n"
                            "restart_backoff = \"0ms\"",
                            "can_request = false\n"
                            "allowed_targets = [\"b\"]"),
                  THEATER_OK);
    driver(&world, "b", NULL);
    driver(&world, "c", NULL);
    assert_status(request(&world, "a", "trap"), THEATER_CLOSED);
    until(count_of(&world.restarted) == 1);
    refuse(&world, "a", "request b echo x", "denied", "can_request");
    refuse(&world, "a", "send c x", "denied", "'c'");
    expect(&world, "a", "send b x", "ok");
    world_fini(&world);
}

static void answering_needs_no_permission(void **state)
{
    (void)state;
    struct world world;
    world_init(&world);
    driver(&world, "a", NULL);
    driver(&world, "mute",
           "can_send = false\ncan_request = false\n"
           "can_open_channels = false\nallowed_targets = []");
    expect(&world, "a", "request mute echo x", "ok ok x");
    const char *got = command(&world, "a", "open mute !current");
    assert_memory_equal(got, "ok c", 4);
    got = command(&world, "mute", "heard");
    char line[64];
    got = strstr(got + 3, "ok c"); /* of "did a ok CHANNEL" */
    assert_non_null(got);
    snprintf(line, sizeof(line), "channel %.17s back", got + 3);
    expect(&world, "mute", line, "ok");
    until_heard(&world, "a", " back\n");
    world_fini(&world);
}

static void a_handler_that_is_not_listed_is_not_there(void **state)
{
    (void)state;
    struct world world;
    world_init(&world);
    assert_status(try_spawn(&world, "driver", "a", NULL, "-"),
                  THEATER_BAD_MODULE);
    assert_non_null(strstr(world.err.text, "theater:actor/message-server"));
    assert_false(theater_router_has(world.router, "a", 1));
    world_fini(&world);
}

static void a_name_that_is_taken_is_an_error_and_nothing_is_left(void **state)
{
    (void)state;
    struct world world;
    theater_endpoint_t *mine = NULL;
    world_init(&world);
    assert_status(theater_router_register(world.router, "a", 1, NULL, &mine),
                  THEATER_OK);
    assert_status(try_spawn(&world, "driver", "a", NULL, NULL),
                  THEATER_ALREADY_EXISTS);
    assert_non_null(strstr(world.err.text, "taken"));
    theater_endpoint_unregister(mine, THEATER_OK);
    driver(&world, "a", NULL);
    expect(&world, "a", "echo x", "ok x");
    world_fini(&world);
}

static void bad_keys_are_named(void **state)
{
    (void)state;
    static const struct {
        const char *keys, *part;
    } rows[] = {
        {"can_sned = true", "can_send"},
        {"can_send = 1", "can_send"},
        {"allowed_targets = [\"a*b\"]", "one * at its end"},
        {"allowed_targets = [\"\"]", "allowed_targets"},
        {"mailbox_capacity = 0", "mailbox_capacity"},
        {"mailbox_capacity = 100001", "mailbox_capacity"},
        {"mailbox_bytes = \"1GiB\"", "mailbox_bytes"},
        {"on_full = \"wait\"", "drop-oldest"},
        {"when_full = \"drop\"", "wait"},
        {"send_timeout = \"unlimited\"", "send_timeout"},
        {"request_timeout = \"0s\"", "request_timeout"},
        {"max_channels = -1", "max_channels"},
    };
    struct world world;
    world_init(&world);
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        theater_status_t status =
            try_spawn(&world, "driver", "a", NULL, rows[i].keys);
        if (status != THEATER_BAD_MANIFEST ||
            strstr(world.err.text, rows[i].part) == NULL) {
            fail_msg("%s: %s: %s", rows[i].keys, theater_status_name(status),
                     world.err.text);
        }
        assert_false(theater_router_has(world.router, "a", 1));
    }
    world_fini(&world);
}

static void bad_permissions_make_no_message_server(void **state)
{
    (void)state;
    static const char *const targets[] = {"a*b"};
    theater_permissions_t permissions = THEATER_PERMISSIONS_INIT;
    theater_message_server_t *server = NULL;
    theater_router_t *router = NULL;
    assert_status(theater_router_new(NULL, &router), THEATER_OK);
    permissions.allowed_targets = targets;
    permissions.allowed_targets_len = 1;
    assert_status(theater_message_server_new(router, &permissions, &server),
                  THEATER_INVALID_ARGUMENT);
    permissions.allowed_targets = NULL;
    permissions.size = 1;
    assert_status(theater_message_server_new(router, &permissions, &server),
                  THEATER_INVALID_ARGUMENT);
    assert_status(theater_message_server_new(NULL, NULL, &server),
                  THEATER_INVALID_ARGUMENT);
    assert_null(server);
    assert_status(theater_message_server_new(router, NULL, &server),
                  THEATER_OK);
    theater_message_server_delete(server);
    theater_message_server_delete(NULL);
    theater_router_release(router);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_manifest_can_take_each_permission_away),
        cmocka_unit_test(allowed_targets_hold_for_guests),
        cmocka_unit_test(an_embedder_bounds_what_manifests_grant),
        cmocka_unit_test(what_is_forbidden_stays_so_after_a_restart),
        cmocka_unit_test(answering_needs_no_permission),
        cmocka_unit_test(a_handler_that_is_not_listed_is_not_there),
        cmocka_unit_test(a_name_that_is_taken_is_an_error_and_nothing_is_left),
        cmocka_unit_test(bad_keys_are_named),
        cmocka_unit_test(bad_permissions_make_no_message_server),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
