/* SPDX-License-Identifier: Apache-2.0 */
/* A crowd of fresh actors at one full mailbox, whose owner must run on the
 * same two workers to drain it. Where a worker waits with the sender, the
 * crowd takes all workers and nothing ever moves again. */
#include "stage.h"

enum { CROWD = 10000, SMALL_CROWD = 500 };

static struct stage stage;

/* All spawned, none started; then all at once. */
static void bring(const char *state, const char *keys, int count)
{
    theater_manifest_t *manifest =
        stage_manifest("tests/impossible/caller.wasm", NULL, keys);
    char name[32];
    for (int i = 0; i < count; i++) {
        snprintf(name, sizeof name, "caller-%d", i);
        assert_int_equal(stage_try_spawn(&stage, name, manifest, state, true),
                         THEATER_OK);
    }
    theater_manifest_release(manifest);
    theater_runtime_start_all(stage.runtime);
}

static void a_crowd_at_one_full_mailbox_gets_in(void **state)
{
    char expected[24];
    (void)state;
    stage_start(&stage, NULL);
    stage_actor(&stage, "sink", "tests/impossible/sink.wasm",
                "mailbox_capacity = 4");
    bring("sink", "send_timeout = \"60s\"", CROWD);
    stage_quiet(&stage);
    snprintf(expected, sizeof expected, "%d", CROWD);
    assert_string_equal(stage_ask(&stage, "sink", "?"), expected);
    assert_int_equal(stage_told(&stage, "log caller-"), 0);
    theater_counters_t counters = stage_counters(&stage);
    assert_int_equal(counters.dead_total, 0);
    assert_int_equal(counters.accepted, CROWD + 1);
    stage_end(&stage);
}

/* The owner is not there to drain it: each of the crowd waits for its own
 * timeout and no longer, and who has nothing to do with it goes on. */
static void a_crowd_that_waits_stops_nobody_else(void **state)
{
    (void)state;
    stage_start(&stage, NULL);
    stage_actor(&stage, "relay", "tests/guests/relay.wasm", NULL);
    stage_actor(&stage, "friend", "tests/guests/relay.wasm", NULL);
    stage_actor(&stage, "looper", "tests/guests/driver.wasm",
                "mailbox_capacity = 1");
    /* It sleeps inside a handler, with its mailbox full. */
    assert_int_equal(stage_send(&stage, "looper", "!sleep 3000"), THEATER_OK);
    uint64_t deadline = stage_now() + UINT64_C(10000000000);
    while (stage_counters(&stage).delivered < 1 && stage_now() < deadline) {
        th_pause();
    }
    assert_int_equal(stage_send(&stage, "looper", "full"), THEATER_OK);
    bring("looper", "send_timeout = \"1s\"", SMALL_CROWD);
    uint64_t start = stage_now();
    for (int i = 0; i < 50; i++) {
        assert_string_equal(stage_ask(&stage, "relay", "friend"), "end");
    }
    assert_true(stage_now() - start < UINT64_C(900000000));
    stage_await(&stage, "log caller-", SMALL_CROWD);
    assert_true(stage_now() - start < UINT64_C(2900000000));
    stage_end(&stage);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_crowd_at_one_full_mailbox_gets_in),
        cmocka_unit_test(a_crowd_that_waits_stops_nobody_else),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
