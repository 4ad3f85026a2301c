/* SPDX-License-Identifier: Apache-2.0 */
/* What a permission forbids does not arrive, on any path a guest has, from
 * any place in its life, the life after a failure included. `friend` and
 * `foe` hear what came through. */
#include "stage.h"

static struct stage stage;

/* Every way to begin something; %s is the target. */
static const struct path {
    const char *function; /* of the host */
    const char *command;  /* of the driver */
    const char *denied;   /* how its answer begins when it is forbidden */
    unsigned needs;       /* THEATER_ACCEPT_... */
} paths[] = {
    {"send", "send %s x", "error denied", THEATER_ACCEPT_SENDS},
    {"send-batch", "batch %s 3 x", "error denied", THEATER_ACCEPT_SENDS},
    {"broadcast", "broadcast %s x", "ok denied", THEATER_ACCEPT_SENDS},
    {"broadcast", "broadcast-many %s 2 x", "ok denied,denied",
     THEATER_ACCEPT_SENDS},
    {"send-after", "after %s 0 x", "error denied", THEATER_ACCEPT_SENDS},
    {"request", "request %s echo x", "error denied", THEATER_ACCEPT_REQUESTS},
    {"request-with", "request-with %s 1000 echo x", "error denied",
     THEATER_ACCEPT_REQUESTS},
    {"open-channel", "open %s x", "error denied", THEATER_ACCEPT_CHANNELS},
};
enum { PATHS = sizeof paths / sizeof *paths };

static bool begins(const char *text, const char *with)
{
    return strncmp(text, with, strlen(with)) == 0;
}

/* Does the answer agree with what is granted? */
static void check(const struct path *path, const char *answer,
                  const char *target, bool granted)
{
    bool denied = begins(answer, path->denied);
    if (denied == granted) {
        fail_msg("%s (%s): %s", path->command, target, answer);
    }
}

/* What the embedder forbids holds for the visitor as well. */
static bool visitor_opens = true;

/* As a request's command, inside handle-send, and inside
 * handle-channel-open: the last two tell through the journal. */
static void try_everywhere(const struct path *path, const char *target,
                           bool granted)
{
    char command[128];
    char wrapped[160];
    snprintf(command, sizeof command, path->command, target);
    check(path, stage_ask(&stage, "actor", command), target, granted);

    snprintf(wrapped, sizeof wrapped, "!%s", command);
    (void)stage_ask(&stage, "actor", "heard");
    assert_int_equal(stage_send(&stage, "actor", wrapped), THEATER_OK);
    const char *heard = stage_ask(&stage, "actor", "heard");
    assert_true(begins(heard, "ok did - "));
    check(path, heard + 9, target, granted);

    if (!visitor_opens) {
        return;
    }
    snprintf(wrapped, sizeof wrapped, "open actor !%s", command);
    assert_true(begins(stage_ask(&stage, "visitor", wrapped), "ok "));
    heard = stage_ask(&stage, "actor", "heard");
    assert_true(begins(heard, "ok did visitor "));
    check(path, heard + 15, target, granted);
}

static void hears_nothing(const char *who)
{
    assert_string_equal(stage_ask(&stage, who, "heard"), "ok ");
}

static void start_world(const theater_permissions_t *most, const char *keys,
                        const char *state)
{
    stage_start(&stage, &(struct stage_options){.permissions = most});
    stage_actor(&stage, "friend", "tests/guests/driver.wasm",
                "max_channels = 1000");
    stage_actor(&stage, "foe", "tests/guests/driver.wasm",
                "max_channels = 1000");
    stage_actor(&stage, "visitor", "tests/guests/driver.wasm",
                "max_channels = 1000");
    theater_manifest_t *manifest = stage_manifest(
        "tests/guests/driver.wasm",
        "restart = \"on-failure\"\nrestart_backoff = \"1ms\"", keys);
    stage_spawn(&stage, "actor", manifest, state);
    theater_manifest_release(manifest);
}

/* `granted`: THEATER_ACCEPT_... that `most` and `keys` leave together. */
static void all_paths(const theater_permissions_t *most, const char *keys,
                      unsigned granted, bool friend_allowed, bool foe_allowed)
{
    visitor_opens = most == NULL ||
                    (most->can_open_channels && most->allowed_targets == NULL);
    start_world(most, keys, NULL);
    for (int life = 0; life < 2; life++) {
        for (size_t i = 0; i < PATHS; i++) {
            bool may = (paths[i].needs & granted) != 0;
            try_everywhere(&paths[i], "friend", may && friend_allowed);
            try_everywhere(&paths[i], "foe", may && foe_allowed);
        }
        if (granted == 0 || !friend_allowed) {
            hears_nothing("friend");
        }
        if (granted == 0 || !foe_allowed) {
            hears_nothing("foe");
        }
        if (life == 0) {
            /* It fails; what it may do afterwards is the same. */
            assert_string_equal(stage_ask(&stage, "actor", "trap"), "closed");
            stage_await(&stage, "restarted actor", 1);
        }
    }
    stage_end(&stage);
}

static void each_permission_holds_on_its_paths(void **state)
{
    (void)state;
    all_paths(NULL,
              "can_send = false\nmax_channels = 1000\n"
              "allowed_targets = [\"friend\"]",
              THEATER_ACCEPT_REQUESTS | THEATER_ACCEPT_CHANNELS, true, false);
    all_paths(NULL,
              "can_request = false\nmax_channels = 1000\n"
              "allowed_targets = [\"friend\"]",
              THEATER_ACCEPT_SENDS | THEATER_ACCEPT_CHANNELS, true, false);
    all_paths(NULL,
              "can_open_channels = false\nmax_channels = 1000\n"
              "allowed_targets = [\"fri*\"]",
              THEATER_ACCEPT_SENDS | THEATER_ACCEPT_REQUESTS, true, false);
    all_paths(NULL,
              "can_send = false\ncan_request = false\n"
              "can_open_channels = false\nmax_channels = 1000",
              0, true, true);
    all_paths(NULL, "allowed_targets = []\nmax_channels = 1000",
              THEATER_ACCEPT_ALL, false, false);
}

/* Keys that are absent grant everything; what the embedder narrows stays so
 * whatever the manifest says, in every life. */
static void each_path_is_granted_absent_or_narrowed(void **state)
{
    static const char *const targets[] = {"fri*"};
    static const char all[] = "can_send = true\ncan_request = true\n"
                              "can_open_channels = true\n"
                              "allowed_targets = [\"*\"]\n"
                              "max_channels = 1000";
    (void)state;
    all_paths(NULL, all, THEATER_ACCEPT_ALL, true, true);
    all_paths(NULL, "max_channels = 1000", THEATER_ACCEPT_ALL, true, true);
    for (unsigned kind = 0; kind < 3; kind++) {
        theater_permissions_t most = THEATER_PERMISSIONS_INIT;
        most.can_send = kind != 0;
        most.can_request = kind != 1;
        most.can_open_channels = kind != 2;
        unsigned left = (most.can_send ? THEATER_ACCEPT_SENDS : 0) |
                        (most.can_request ? THEATER_ACCEPT_REQUESTS : 0) |
                        (most.can_open_channels ? THEATER_ACCEPT_CHANNELS : 0);
        all_paths(&most, all, left, true, true);
    }
    theater_permissions_t most = THEATER_PERMISSIONS_INIT;
    most.allowed_targets = targets;
    most.allowed_targets_len = 1;
    all_paths(&most, all, THEATER_ACCEPT_ALL, true, false);
    all_paths(&most, "max_channels = 1000", THEATER_ACCEPT_ALL, true, false);
}

/* A host function that is added is either on the paths above, or names
 * nobody. */
static void every_host_function_is_known_here(void **state)
{
    static const char *const names_nobody[] = {
        "cancel-send",
        "defer-response",
        "respond-to-request",
        "cancel-request",
        "send-on-channel",
        "close-channel",
        "sender",
        "current-channel",
        "close-reason",
        "list-outstanding-requests",
    };
    const theater_handler_ops_t *ops = theater_message_server_ops();
    (void)state;
    for (size_t i = 0; i < ops->functions_len; i++) {
        bool known = false;
        for (size_t k = 0; k < PATHS; k++) {
            known |= strcmp(paths[k].function, ops->functions[i].name) == 0;
        }
        for (size_t k = 0; k < sizeof names_nobody / sizeof *names_nobody;
             k++) {
            known |= strcmp(names_nobody[k], ops->functions[i].name) == 0;
        }
        if (!known) {
            fail_msg("%s: on no path of this test", ops->functions[i].name);
        }
    }
}

static void what_the_embedder_forbids_no_manifest_grants(void **state)
{
    static const char *const targets[] = {"fri*"};
    theater_permissions_t most = THEATER_PERMISSIONS_INIT;
    (void)state;
    most.can_open_channels = false;
    most.allowed_targets = targets;
    most.allowed_targets_len = 1;
    start_world(&most,
                "can_open_channels = true\n"
                "allowed_targets = [\"friend\", \"foe\"]",
                NULL);
    assert_true(
        begins(stage_ask(&stage, "actor", "open friend x"), "error denied"));
    assert_true(
        begins(stage_ask(&stage, "actor", "send foe x"), "error denied"));
    assert_true(begins(stage_ask(&stage, "actor", "request foe echo x"),
                       "error denied"));
    assert_string_equal(stage_ask(&stage, "actor", "send friend x"), "ok");
    hears_nothing("foe");
    assert_string_equal(stage_ask(&stage, "friend", "heard"),
                        "ok send actor x\n");
    stage_end(&stage);
}

static void what_is_forbidden_is_so_in_run(void **state)
{
    (void)state;
    for (size_t i = 0; i < PATHS; i++) {
        char command[128] = "!";
        snprintf(command + 1, sizeof command - 1, paths[i].command, "friend");
        start_world(NULL,
                    "can_send = false\ncan_request = false\n"
                    "can_open_channels = false",
                    command);
        const char *heard = stage_ask(&stage, "actor", "heard");
        assert_true(begins(heard, "ok did - "));
        check(&paths[i], heard + 9, "friend", false);
        hears_nothing("friend");
        stage_end(&stage);
    }
}

/* Who may begin nothing may still answer, and use a channel that another has
 * opened. */
static void answering_needs_no_permission(void **state)
{
    (void)state;
    start_world(NULL,
                "can_send = false\ncan_request = false\n"
                "can_open_channels = false\nallowed_targets = []",
                NULL);
    assert_string_equal(stage_ask(&stage, "friend", "request actor echo hi"),
                        "ok ok hi");
    char command[64];
    const char *id = stage_ask(&stage, "friend", "open actor hello");
    assert_true(begins(id, "ok "));
    snprintf(command, sizeof command, "channel %s back", id + 3);
    assert_string_equal(stage_ask(&stage, "actor", command), "ok");
    assert_non_null(strstr(stage_ask(&stage, "friend", "heard"), " back\n"));
    stage_end(&stage);
}

/* A handler that the manifest does not list is not there: what is imported of
 * it does not link, and nobody can reach the actor. */
static void a_handler_that_is_not_listed_is_not_there(void **state)
{
    static const char text[] = "name = \"mute\"\n"
                               "package = \"tests/guests/driver.wasm\"\n"
                               "[[handler]]\ntype = \"runtime\"\n";
    theater_manifest_t *manifest;
    theater_error_t err;
    (void)state;
    start_world(NULL, NULL, NULL);
    assert_int_equal(theater_manifest_parse(text, sizeof text - 1,
                                            TH_TEST_BUILD_DIR "/test.toml",
                                            NULL, &manifest, &err),
                     THEATER_OK);
    assert_int_equal(
        theater_runtime_spawn(stage.runtime, NULL, manifest, NULL, &err),
        THEATER_BAD_MODULE);
    assert_non_null(strstr(err.text, "theater:actor/message-server"));
    assert_int_equal(stage_send(&stage, "mute", "x"), THEATER_NOT_FOUND);
    theater_manifest_release(manifest);
    stage_end(&stage);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(each_permission_holds_on_its_paths),
        cmocka_unit_test(each_path_is_granted_absent_or_narrowed),
        cmocka_unit_test(every_host_function_is_known_here),
        cmocka_unit_test(what_the_embedder_forbids_no_manifest_grants),
        cmocka_unit_test(what_is_forbidden_is_so_in_run),
        cmocka_unit_test(answering_needs_no_permission),
        cmocka_unit_test(a_handler_that_is_not_listed_is_not_there),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
