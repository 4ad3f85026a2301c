/* SPDX-License-Identifier: Apache-2.0 */
/* Every host function, from a guest through router and runtime and back. */
#include "world.h"

static void one_way_sends_arrive_with_their_sender(void **state)
{
    (void)state;
    struct world world;
    world_init(&world);
    driver(&world, "a", NULL);
    driver(&world, "b", NULL);
    expect(&world, "a", "send b hello", "ok");
    expect(&world, "a", "send a note", "ok");
    expect(&world, "b", "heard", "ok send a hello\n");
    expect(&world, "a", "heard", "ok send a note\n");
    refuse(&world, "a", "send nobody x", "not-found",
           "no actor is named 'nobody'");
    refuse(&world, "a", "send  x", "invalid-argument", "cannot be a name");
    refuse(&world, "a", "send-size b 1048577", "too-large", "");
    expect(&world, "a", "send-size b 1048576", "ok");
    world_fini(&world);
}

static void a_batch_arrives_in_order(void **state)
{
    (void)state;
    struct world world;
    world_init(&world);
    driver(&world, "a", NULL);
    driver(&world, "b", NULL);
    expect(&world, "a", "batch b 4 m", "ok 4");
    expect(&world, "b", "heard",
           "ok send a m0\nsend a m1\nsend a m2\nsend a m3\n");
    expect(&world, "a", "batch b 0 m", "ok 0");
    refuse(&world, "a", "batch nobody 3 m", "not-found", "nobody");
    world_fini(&world);
}

static void a_broadcast_tells_of_each_target(void **state)
{
    (void)state;
    struct world world;
    world_init(&world);
    driver(&world, "a", NULL);
    driver(&world, "b", NULL);
    spawn(&world, "silent", "mute", NULL);
    const char *got = command(&world, "a", "broadcast b,nobody,mute,b news");
    char codes[128];
    snprintf(codes, sizeof(codes), "%.127s", got);
    assert_non_null(strstr(codes, "not-found"));
    assert_non_null(strstr(codes, "unsupported"));
    expect(&world, "b", "heard", "ok send a news\nsend a news\n");
    got = command(&world, "a", "broadcast-many b 1025 x");
    assert_non_null(strstr(got, "invalid-argument"));
    expect(&world, "b", "heard", "ok ");
    world_fini(&world);
}

static void a_timed_send_comes_later_or_never(void **state)
{
    (void)state;
    struct world world;
    char line[64];
    world_init(&world);
    driver(&world, "a", NULL);
    const char *id = command(&world, "a", "after a 60000 never") + 3;
    assert_int_equal(strlen(id), 17);
    snprintf(line, sizeof(line), "cancel-send %s", id);
    expect(&world, "a", line, "ok");
    refuse(&world, "a", line, "invalid-argument", "no timed send");
    (void)command(&world, "a", "after a 1 soon");
    until_heard(&world, "a", "send a soon");
    world_fini(&world);
}

static void requests_are_answered_or_fail_with_the_reason(void **state)
{
    (void)state;
    struct world world;
    world_init(&world);
    driver(&world, "a", "request_timeout = \"5s\"");
    driver(&world, "b", NULL);
    spawn(&world, "silent", "mute", NULL);
    expect(&world, "a", "request b echo hi", "ok ok hi");
    expect(&world, "a", "request-with b 4000 echo hi", "ok ok hi");
    refuse(&world, "a", "request b fail not today", "failed", "not today");
    refuse(&world, "a", "request nobody x", "not-found", "nobody");
    refuse(&world, "a", "request mute x", "unsupported", "handle-request");
    refuse(&world, "a", "request a x", "deadlock", "waits");
    refuse(&world, "a", "request-with b 20 sleep 2000", "timeout",
           "no answer came in time; the call gave it 20 ms");
    world_fini(&world);
}

static void an_answer_can_be_deferred_listed_and_given_later(void **state)
{
    (void)state;
    struct world world;
    char heard[256];
    char id[18];
    char line[64];
    world_init(&world);
    driver(&world, "a", NULL);
    driver(&world, "b", NULL);
    order(&world, "a", "request b defer wait");
    until(strstr(command(&world, "b", "heard"), "deferred") != NULL);
    snprintf(heard, sizeof(heard), "%.255s", world.answer);
    const char *at = strstr(heard, "deferred r");
    assert_non_null(at);
    memcpy(id, at + strlen("deferred "), 17);
    id[17] = '\0';
    assert_int_equal(strspn(id + 1, "0123456789abcdef"), 16);
    const char *list = command(&world, "b", "outstanding");
    assert_memory_equal(list, "ok 2 ", 5); /* this one too */
    assert_non_null(strstr(list, id));
    snprintf(line, sizeof(line), "respond %s at last", id);
    expect(&world, "b", line, "ok");
    until_heard(&world, "a", "did - ok at last");
    const char *again = command(&world, "b", line);
    assert_memory_equal(again, "error ", 6);
    world_fini(&world);
}

static void forged_ids_are_refused(void **state)
{
    (void)state;
    struct world world;
    world_init(&world);
    driver(&world, "a", NULL);
    static const char *const ids[] = {
        "x",
        "r0000000000000000",
        "r000000000000000",
        "r00000000000000001",
        "R0000000000000001",
        "r000000000000000A",
        "c0000000000000001",
        "t0000000000000001",
        "rffffffffffffffff",
        "cffffffffffffffff",
        "tffffffffffffffff",
    };
    static const char *const what[] = {"respond %s x", "cancel-request %s",
                                       "channel %s x", "close %s",
                                       "cancel-send %s"};
    for (size_t i = 0; i < sizeof(ids) / sizeof(ids[0]); i++) {
        for (size_t k = 0; k < sizeof(what) / sizeof(what[0]); k++) {
            char line[64];
            snprintf(line, sizeof(line), what[k], ids[i]);
            const char *got = command(&world, "a", line);
            assert_memory_equal(got, "error ", 6);
            assert_true(strstr(got, "invalid-argument") != NULL ||
                        strstr(got, "closed") != NULL);
        }
    }
    refuse(&world, "a", "respond x y", "invalid-argument", "'x' is no request");
    refuse(&world, "a", "close x", "invalid-argument", "no open channel");
    world_fini(&world);
}

static void both_sides_can_cancel(void **state)
{
    (void)state;
    struct world world;
    char heard[256];
    char line[64];
    world_init(&world);
    driver(&world, "a", NULL);
    driver(&world, "b", NULL);
    order(&world, "a", "request b defer wait");
    until(strstr(command(&world, "b", "heard"), "deferred") != NULL);
    snprintf(heard, sizeof(heard), "%.255s", world.answer);
    snprintf(line, sizeof(line), "cancel-request %.17s",
             strstr(heard, "deferred r") + strlen("deferred "));
    expect(&world, "b", line, "ok");
    until_heard(&world, "a", "did - error cancelled");
    (void)command(&world, "b", "heard");
    order(&world, "b", "defer outside");
    until_heard(&world, "b", "did - error invalid-argument: no request");
    world_fini(&world);
}

static void a_second_defer_of_one_request_changes_nothing(void **state)
{
    (void)state;
    struct world world;
    world_init(&world);
    driver(&world, "a", NULL);
    driver(&world, "b", NULL);
    order(&world, "a", "request b defer-twice");
    until(strstr(command(&world, "b", "heard"), "second-defer") != NULL);
    (void)command(&world, "b", "respond-all done");
    until_heard(&world, "a", "did - ok done");
    world_fini(&world);
}

static void channels_open_carry_and_close(void **state)
{
    (void)state;
    struct world world;
    char id[18];
    char line[128];
    world_init(&world);
    driver(&world, "a", NULL);
    driver(&world, "b", NULL);
    spawn(&world, "silent", "mute", NULL);
    const char *got = command(&world, "a", "open b hello");
    assert_memory_equal(got, "ok c", 4);
    snprintf(id, sizeof(id), "%.17s", got + 3);
    snprintf(line, sizeof(line), "channel %s one", id);
    expect(&world, "a", line, "ok");
    snprintf(line, sizeof(line), "stream %s 3 more", id);
    expect(&world, "a", line, "ok 3");
    snprintf(line, sizeof(line), "close %s", id);
    expect(&world, "a", line, "ok");
    got = command(&world, "b", "heard");
    assert_memory_equal(got, "ok open a hello\nchannel c", 25);
    assert_non_null(strstr(got, " one\n"));
    assert_non_null(strstr(got, " more\n"));
    assert_non_null(strstr(got, "close c"));
    assert_non_null(strstr(got, " -\n"));
    assert_memory_equal(command(&world, "a", line), "error ", 6);
    refuse(&world, "a", "open b no way", "rejected", "refused");
    refuse(&world, "a", "open mute x", "unsupported", "handle-channel-open");
    refuse(&world, "a", "open a x", "deadlock", "waits");
    refuse(&world, "a", "open nobody x", "not-found", "nobody");
    world_fini(&world);
}

static void who_handles_a_channel_knows_which(void **state)
{
    (void)state;
    struct world world;
    char id[18];
    char line[128];
    char want[128];
    world_init(&world);
    driver(&world, "a", NULL);
    driver(&world, "b", NULL);
    expect(&world, "a", "current", "ok");
    const char *got = command(&world, "a", "open b !current");
    snprintf(id, sizeof(id), "%.17s", got + 3);
    got = command(&world, "b", "heard");
    /* The same channel has one id at both ends, or one at each. */
    assert_memory_equal(got, "ok did a ok c", 13);
    snprintf(line, sizeof(line), "channel %s !current", id);
    expect(&world, "a", line, "ok");
    got = command(&world, "b", "heard");
    /* did CHANNEL ok CHANNEL */
    assert_memory_equal(got, "ok did c", 8);
    snprintf(want, sizeof(want), "ok %.17s\n", got + 7);
    assert_non_null(strstr(got + 7, want));
    snprintf(line, sizeof(line), "channel %s !sender", id);
    expect(&world, "a", line, "ok");
    assert_non_null(strstr(command(&world, "b", "heard"), "ok a\n"));
    world_fini(&world);
}

static void a_sender_is_stamped_and_none_has_none(void **state)
{
    (void)state;
    struct world world;
    theater_manifest_t *manifest;
    theater_spawn_options_t options = THEATER_SPAWN_OPTIONS_INIT;
    world_init(&world);
    driver(&world, "a", NULL);
    driver(&world, "b", NULL);
    expect(&world, "a", "sender", "ok"); /* the test has no name */
    expect(&world, "a", "request b sender", "ok ok a");
    expect(&world, "a", "send b !sender", "ok");
    expect(&world, "b", "heard", "ok did a ok a\n");
    manifest = manifest_for("driver", NULL, NULL);
    options.initial_state = text("!sender");
    assert_status(theater_runtime_spawn(world.runtime, "c", manifest, &options,
                                        &world.err),
                  THEATER_OK);
    theater_manifest_release(manifest);
    until_heard(&world, "c", "did - ok\n"); /* none in run */
    world_fini(&world);
}

/* Data for an end that exports no handle-channel-message would be lost in
 * silence: the channel ends and says so. */
static void an_end_that_cannot_read_closes_the_channel(void **state)
{
    (void)state;
    struct world world;
    theater_endpoint_t *me = NULL;
    theater_channel_id_t channel;
    const theater_message_t *message;
    world_init(&world);
    /* `decider` accepts channels and exports nothing else of them. */
    spawn(&world, "channel_decider", "decider", NULL);
    assert_status(theater_router_register(world.router, "me", 2, NULL, &me),
                  THEATER_OK);
    assert_status(
        theater_channel_open(me, text("decider"), text("x"), 10000, &channel),
        THEATER_OK);
    assert_status(theater_channel_send(me, channel, text("data")), THEATER_OK);
    assert_status(theater_endpoint_wait(me, 10000, &message), THEATER_OK);
    assert_int_equal(message->kind, THEATER_MESSAGE_CHANNEL_CLOSE);
    assert_status((theater_status_t)message->reason, THEATER_UNSUPPORTED);
    theater_endpoint_done(me, THEATER_OK);
    theater_endpoint_unregister(me, THEATER_OK);
    world_fini(&world);
}

/* The same for an actor that takes no deliveries at all. */
static void one_that_handles_nothing_closes_what_it_opened(void **state)
{
    (void)state;
    struct world world;
    theater_endpoint_t *peer = NULL;
    const theater_message_t *message;
    world_init(&world);
    assert_status(theater_router_register(world.router, "peer", 4, NULL, &peer),
                  THEATER_OK);
    spawn(&world, "opener", "o", NULL);
    assert_status(theater_endpoint_wait(peer, 10000, &message), THEATER_OK);
    theater_channel_id_t channel = message->channel;
    assert_status(theater_channel_accept(peer), THEATER_OK);
    theater_endpoint_done(peer, THEATER_OK);
    assert_status(theater_channel_send(peer, channel, text("data")),
                  THEATER_OK);
    assert_status(theater_endpoint_wait(peer, 10000, &message), THEATER_OK);
    assert_int_equal(message->kind, THEATER_MESSAGE_CHANNEL_CLOSE);
    assert_status((theater_status_t)message->reason, THEATER_UNSUPPORTED);
    theater_endpoint_done(peer, THEATER_OK);
    theater_endpoint_unregister(peer, THEATER_OK);
    world_fini(&world);
}

static void an_answer_over_the_limit_fails_the_request(void **state)
{
    (void)state;
    struct world world;
    struct world_options options = WORLD_OPTIONS;
    options.router.max_message_bytes = 1000;
    world_make(&world, &options);
    driver(&world, "a", NULL);
    driver(&world, "b", NULL);
    assert_status(request(&world, "a", "answer-size 1000"), THEATER_OK);
    assert_status(request(&world, "a", "answer-size 1001"), THEATER_FAILED);
    assert_string_equal(world.answer, "the answer is too large");
    refuse(&world, "a", "request b answer-size 1001", "failed", "too large");
    world_fini(&world);
}

static void write_key(char *out, size_t size, const theater_key_t *key,
                      uint64_t value)
{
    bool time = key->type == THEATER_KEY_DURATION;
    snprintf(out, size, "%s = %s%llu%s", key->name, time ? "\"" : "",
             (unsigned long long)value, time ? "ns\"" : "");
}

/* What the table allows the router takes; what it does not allow is refused
 * where it stands. */
static void every_number_may_be_as_large_as_the_manifest_allows(void **state)
{
    (void)state;
    struct world world;
    const theater_handler_ops_t *ops = theater_message_server_ops();
    unsigned seen = 0;
    world_init(&world);
    for (size_t i = 0; i < ops->keys_len; i++) {
        const theater_key_t *key = &ops->keys[i];
        char line[128];
        if (key->type != THEATER_KEY_INT && key->type != THEATER_KEY_SIZE &&
            key->type != THEATER_KEY_DURATION) {
            continue;
        }
        write_key(line, sizeof(line), key, key->max);
        spawn(&world, "driver", key->name, line);
        write_key(line, sizeof(line), key, key->max + 1);
        assert_status(try_spawn(&world, "driver", "b", NULL, line),
                      THEATER_BAD_MANIFEST);
        if (strstr(world.err.origin, "test.toml:8:") == NULL) {
            fail_msg("%s: %s: %s", line, world.err.origin, world.err.text);
        }
        seen++;
    }
    assert_true(seen >= 8);
    world_fini(&world);
}

static void a_ring_that_is_too_large_is_refused_with_what_to_do(void **state)
{
    (void)state;
    struct world world;
    world_init(&world);
    assert_status(try_spawn(&world, "driver", "a", NULL,
                            "on_full = \"drop-oldest\"\n"
                            "max_channels = 65536\n"),
                  THEATER_BAD_MANIFEST);
    assert_string_equal(world.err.origin, "a");
    assert_non_null(strstr(world.err.text, "lower max_channels"));
    spawn(&world, "driver", "a",
          "on_full = \"drop-oldest\"\nmailbox_capacity = 100000\n");
    world_fini(&world);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(one_way_sends_arrive_with_their_sender),
        cmocka_unit_test(a_batch_arrives_in_order),
        cmocka_unit_test(every_number_may_be_as_large_as_the_manifest_allows),
        cmocka_unit_test(a_ring_that_is_too_large_is_refused_with_what_to_do),
        cmocka_unit_test(a_broadcast_tells_of_each_target),
        cmocka_unit_test(a_timed_send_comes_later_or_never),
        cmocka_unit_test(requests_are_answered_or_fail_with_the_reason),
        cmocka_unit_test(an_answer_can_be_deferred_listed_and_given_later),
        cmocka_unit_test(forged_ids_are_refused),
        cmocka_unit_test(both_sides_can_cancel),
        cmocka_unit_test(a_second_defer_of_one_request_changes_nothing),
        cmocka_unit_test(channels_open_carry_and_close),
        cmocka_unit_test(who_handles_a_channel_knows_which),
        cmocka_unit_test(a_sender_is_stamped_and_none_has_none),
        cmocka_unit_test(an_end_that_cannot_read_closes_the_channel),
        cmocka_unit_test(one_that_handles_nothing_closes_what_it_opened),
        cmocka_unit_test(an_answer_over_the_limit_fails_the_request),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
