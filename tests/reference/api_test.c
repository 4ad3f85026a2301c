/* SPDX-License-Identifier: Apache-2.0 */
/* The actors' side of the reference: its examples of send, request and
 * channels word by word, its permissions, and its tips. */
#include "../impossible/stage.h"

#include <stdlib.h>

static struct stage stage;

/* The n-th line of one actor, or "". */
static const char *line_of(const char *who, size_t n)
{
    char prefix[32];
    snprintf(prefix, sizeof prefix, "log %s: ", who);
    for (size_t i = 0; i < stage.lines_len; i++) {
        if (strncmp(stage.lines[i], prefix, strlen(prefix)) == 0 && n-- == 0) {
            return stage.lines[i] + strlen(prefix);
        }
    }
    return "";
}

static void the_actors_of_the_reference_talk(void **state)
{
    static const char *const said[] = {
        "Received: hello",
        "Asked: ping",
        "Opened by: actor_a",
        "Opened with: init",
        "On channel: message 1",
        "On channel: message 2",
        "Closed",
    };
    (void)state;
    stage_start(&stage, NULL);
    stage_actor(&stage, "actor_b", "tests/reference/actor_b.wasm", NULL);
    stage_actor(&stage, "actor_a", "tests/reference/actor_a.wasm", NULL);
    stage_quiet(&stage);
    for (size_t i = 0; i < sizeof said / sizeof *said; i++) {
        assert_string_equal(line_of("actor_b", i), said[i]);
    }
    assert_string_equal(line_of("actor_a", 0), "Got response: pong");
    assert_string_equal(line_of("actor_a", 1), "closed");
    assert_string_equal(line_of("actor_a", 2), "");
    stage_end(&stage);
}

static void channels_carry_both_ways_and_may_be_rejected(void **state)
{
    char command[96];
    char id[64];
    (void)state;
    stage_start(&stage, NULL);
    stage_actor(&stage, "a", "tests/guests/driver.wasm", NULL);
    stage_actor(&stage, "actor_b", "tests/reference/actor_b.wasm", NULL);
    stage_actor(&stage, "c", "tests/guests/driver.wasm", NULL);
    assert_non_null(
        strstr(stage_ask(&stage, "a", "open c no, thanks"), "error rejected"));
    const char *answer = stage_ask(&stage, "a", "open actor_b init");
    assert_int_equal(strncmp(answer, "ok ", 3), 0);
    snprintf(id, sizeof id, "%s", answer + 3);
    snprintf(command, sizeof command, "stream %s 3 there and back", id);
    assert_string_equal(stage_ask(&stage, "a", command), "ok 3");
    stage_quiet(&stage);
    const char *heard = stage_ask(&stage, "a", "heard");
    for (int i = 0; i < 3; i++) {
        heard = strstr(heard, " there and back\n");
        assert_non_null(heard);
        heard++;
    }
    snprintf(command, sizeof command, "close %s", id);
    assert_string_equal(stage_ask(&stage, "a", command), "ok");
    stage_end(&stage);
}

static void requests_that_are_not_answered_yet_are_kept_track_of(void **state)
{
    char command[128];
    (void)state;
    stage_start(&stage, NULL);
    stage_actor(&stage, "a", "tests/guests/driver.wasm", NULL);
    stage_actor(&stage, "b", "tests/guests/driver.wasm", NULL);
    stage_actor(&stage, "keeper", "tests/guests/driver.wasm", NULL);
    assert_int_equal(stage_send(&stage, "a", "!request keeper defer one"),
                     THEATER_OK);
    assert_int_equal(stage_send(&stage, "b", "!request keeper defer two"),
                     THEATER_OK);
    /* Both are owed an answer, and so is who asks for the list. */
    const char *listed = "";
    for (int i = 0; i < 100000 && strncmp(listed, "ok 3 ", 5) != 0; i++) {
        listed = stage_ask(&stage, "keeper", "outstanding");
    }
    assert_int_equal(strncmp(listed, "ok 3 ", 5), 0);
    char first[32];
    char second[32];
    assert_int_equal(sscanf(listed + 5, "%31s %31s", first, second), 2);
    snprintf(command, sizeof command, "respond %s late", first);
    assert_string_equal(stage_ask(&stage, "keeper", command), "ok");
    snprintf(command, sizeof command, "cancel-request %s", second);
    assert_string_equal(stage_ask(&stage, "keeper", command), "ok");
    assert_int_equal(
        strncmp(stage_ask(&stage, "keeper", "outstanding"), "ok 1 ", 5), 0);
    char heard[256];
    snprintf(heard, sizeof heard, "%s", stage_ask(&stage, "a", "heard"));
    const char *other = stage_ask(&stage, "b", "heard");
    assert_true(strstr(heard, "ok late") != NULL ||
                strstr(other, "ok late") != NULL);
    assert_true(strstr(heard, "error cancelled") != NULL ||
                strstr(other, "error cancelled") != NULL);
    stage_end(&stage);
}

/* Who sends one way goes on before the receiver has even begun. */
static void a_send_does_not_wait_for_its_receiver(void **state)
{
    (void)state;
    stage_start(&stage, NULL);
    stage_actor(&stage, "a", "tests/guests/driver.wasm", NULL);
    stage_actor(&stage, "sleeper", "tests/guests/driver.wasm", NULL);
    assert_int_equal(stage_send(&stage, "sleeper", "!sleep 2000"), THEATER_OK);
    uint64_t start = stage_now();
    assert_string_equal(stage_ask(&stage, "a", "flood sleeper 100 x"),
                        "ok 100");
    assert_true(stage_now() - start < UINT64_C(1500000000));
    /* A request does. */
    assert_non_null(
        strstr(stage_ask(&stage, "a", "request-with sleeper 50 echo x"),
               "error timeout"));
    stage_end(&stage);
}

static void a_batch_arrives_whole_and_in_order(void **state)
{
    char expected[64];
    (void)state;
    stage_start(&stage, NULL);
    stage_actor(&stage, "a", "tests/guests/driver.wasm", NULL);
    stage_actor(&stage, "b", "tests/guests/driver.wasm", NULL);
    assert_string_equal(stage_ask(&stage, "a", "batch b 50 item"), "ok 50");
    const char *heard = stage_ask(&stage, "b", "heard") + 3;
    for (int i = 0; i < 50; i++) {
        snprintf(expected, sizeof expected, "send a item%d\n", i);
        assert_int_equal(strncmp(heard, expected, strlen(expected)), 0);
        heard += strlen(expected);
    }
    assert_string_equal(heard, "");
    stage_end(&stage);
}

/* can_send, can_request, no channels, `actor_b` alone. */
static void the_permissions_of_the_reference_hold(void **state)
{
    static const char *const targets[] = {"actor_b"};
    theater_permissions_t permissions = THEATER_PERMISSIONS_INIT;
    (void)state;
    permissions.can_send = true;
    permissions.can_request = true;
    permissions.can_open_channels = false;
    permissions.allowed_targets = targets;
    permissions.allowed_targets_len = 1;
    stage_start(&stage, &(struct stage_options){.permissions = &permissions});
    stage_actor(&stage, "actor_a", "tests/guests/driver.wasm", NULL);
    stage_actor(&stage, "actor_b", "tests/guests/driver.wasm", NULL);
    stage_actor(&stage, "actor_c", "tests/guests/driver.wasm", NULL);
    assert_string_equal(stage_ask(&stage, "actor_a", "send actor_b x"), "ok");
    assert_string_equal(stage_ask(&stage, "actor_a", "request actor_b echo x"),
                        "ok ok x");
    assert_non_null(
        strstr(stage_ask(&stage, "actor_a", "open actor_b x"), "error denied"));
    assert_non_null(
        strstr(stage_ask(&stage, "actor_a", "send actor_c x"), "error denied"));
    assert_non_null(
        strstr(stage_ask(&stage, "actor_a", "request actor_c echo x"),
               "error denied"));
    assert_string_equal(stage_ask(&stage, "actor_c", "heard"), "ok ");
    assert_string_equal(stage_ask(&stage, "actor_b", "heard"),
                        "ok send actor_a x\n");
    stage_end(&stage);
}

/* A channel's and a mailbox's room are the receiver's to set. */
static void capacities_are_in_the_manifest(void **state)
{
    char command[64];
    (void)state;
    stage_start(&stage, NULL);
    stage_actor(&stage, "a", "tests/guests/driver.wasm",
                "when_full = \"error\"");
    stage_actor(&stage, "b", "tests/guests/driver.wasm",
                "channel_credit = 7\nmailbox_capacity = 9");
    const char *answer = stage_ask(&stage, "a", "open b x");
    assert_int_equal(strncmp(answer, "ok ", 3), 0);
    snprintf(command, sizeof command, "stream %s 8 x", answer + 3);
    assert_int_equal(stage_send(&stage, "b", "!sleep 500"), THEATER_OK);
    while (stage_counters(&stage).delivered < 3) {
        th_pause();
    }
    /* Seven fit, the eighth does not; of sends nine, or eight while the place
     * of the one that is being handled was not given back yet. */
    assert_non_null(
        strstr(stage_ask(&stage, "a", command), "error mailbox-full"));
    answer = stage_ask(&stage, "a", "flood b 20 x");
    assert_true(strcmp(answer, "ok 9") == 0 || strcmp(answer, "ok 8") == 0);
    stage_quiet(&stage);
    size_t channel = 0;
    const char *heard = stage_ask(&stage, "b", "heard");
    while ((heard = strstr(heard, "channel ")) != NULL) {
        channel++;
        heard++;
    }
    assert_int_equal(channel, 7);
    stage_end(&stage);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_actors_of_the_reference_talk),
        cmocka_unit_test(channels_carry_both_ways_and_may_be_rejected),
        cmocka_unit_test(requests_that_are_not_answered_yet_are_kept_track_of),
        cmocka_unit_test(a_send_does_not_wait_for_its_receiver),
        cmocka_unit_test(a_batch_arrives_whole_and_in_order),
        cmocka_unit_test(the_permissions_of_the_reference_hold),
        cmocka_unit_test(capacities_are_in_the_manifest),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
