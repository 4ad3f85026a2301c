/* SPDX-License-Identifier: Apache-2.0 */
/* How actors end, and what those who talk with them are told. */
#include "world.h"

static void a_trap_ends_the_request_with_closed(void **state)
{
    (void)state;
    struct world world;
    world_init(&world);
    driver(&world, "a", NULL);
    driver(&world, "b", NULL);
    refuse(&world, "a", "request b trap", "closed", "");
    assert_status(theater_runtime_wait_actor(world.runtime, "b", 30000),
                  THEATER_OK);
    assert_int_equal(count_of(&world.failed), 1);
    refuse(&world, "a", "send b x", "not-found", "'b'");
    driver(&world, "b", NULL); /* the name is free */
    expect(&world, "a", "request b echo x", "ok ok x");
    world_fini(&world);
}

static void a_trap_ends_deferred_and_queued_requests_too(void **state)
{
    (void)state;
    struct world world;
    world_init(&world);
    driver(&world, "a1", NULL);
    driver(&world, "a2", NULL);
    driver(&world, "b", NULL);
    order(&world, "a1", "request b defer wait");
    until(strstr(command(&world, "b", "heard"), "deferred") != NULL);
    order(&world, "b", "sleep 100");
    order(&world, "a2", "request b echo queued");
    until(waits(&world, "a2"));
    order(&world, "b", "trap");
    until_heard(&world, "a1", "did - error closed");
    /* It was ahead of the trap or behind it. */
    until(strstr(command(&world, "a2", "heard"), "did - ") != NULL);
    world_fini(&world);
}

static void channels_of_one_that_traps_close(void **state)
{
    (void)state;
    struct world world;
    world_init(&world);
    driver(&world, "a", NULL);
    driver(&world, "b", NULL);
    assert_memory_equal(command(&world, "a", "open b hello"), "ok c", 4);
    order(&world, "b", "trap");
    until_heard(&world, "a", " closed\n");
    world_fini(&world);
}

static void an_open_whose_target_traps_ends(void **state)
{
    (void)state;
    struct world world;
    world_init(&world);
    driver(&world, "a", NULL);
    driver(&world, "b", NULL);
    const char *got = command(&world, "a", "open b !trap");
    assert_true(strncmp(got, "error closed", 12) == 0 ||
                strncmp(got, "error rejected", 14) == 0);
    world_fini(&world);
}

static void a_restart_keeps_the_queued_one_way_messages(void **state)
{
    (void)state;
    struct world world;
    world_init(&world);
    assert_status(try_spawn(&world, "driver", "b",
                            "restart = \"on-failure\"\n"
                            "restart_backoff = \"50ms\"",
                            NULL),
                  THEATER_OK);
    driver(&world, "a", NULL);
    order(&world, "b", "sleep 20");
    order(&world, "b", "trap");
    for (int i = 0; i < 20; i++) {
        char line[32];
        snprintf(line, sizeof(line), "send b m%d", i);
        expect(&world, "a", line, "ok");
    }
    until(count_of(&world.restarted) == 1);
    const char *heard = command(&world, "b", "heard");
    const char *at = heard;
    for (int i = 0; i < 20; i++) {
        char line[32];
        snprintf(line, sizeof(line), "send a m%d\n", i);
        at = strstr(at, line);
        if (at == NULL) {
            fail_msg("m%d is missing or out of order: %s", i, heard);
        }
    }
    world_fini(&world);
}

static void a_restart_ends_requests_and_channels(void **state)
{
    (void)state;
    struct world world;
    world_init(&world);
    assert_status(try_spawn(&world, "driver", "b",
                            "restart = \"on-failure\"\n"
                            "restart_backoff = \"1ms\"",
                            NULL),
                  THEATER_OK);
    driver(&world, "a", NULL);
    driver(&world, "c", NULL);
    assert_memory_equal(command(&world, "a", "open b hello"), "ok c", 4);
    order(&world, "c", "request b defer wait");
    until(strstr(command(&world, "b", "heard"), "deferred") != NULL);
    order(&world, "b", "trap");
    until_heard(&world, "a", " closed\n");
    until_heard(&world, "c", "did - error closed");
    until(count_of(&world.restarted) == 1);
    expect(&world, "a", "request b echo again", "ok ok again");
    /* Its own request alone: "ok 1 ID". */
    assert_memory_equal(command(&world, "b", "outstanding"), "ok 1 r", 6);
    world_fini(&world);
}

static void what_is_queued_for_one_that_stops_is_counted(void **state)
{
    (void)state;
    struct world world;
    theater_counters_t counters;
    world_init(&world);
    driver(&world, "a", NULL);
    driver(&world, "b", NULL);
    order(&world, "b", "sleep 50");
    order(&world, "b", "stop enough");
    expect(&world, "a", "flood b 30 m", "ok 30");
    assert_status(theater_runtime_wait_actor(world.runtime, "b", 30000),
                  THEATER_OK);
    theater_router_counters(world.router, &counters);
    assert_int_equal(counters.dead_total, count_of(&world.dead));
    assert_true(counters.dead_total <= 30);
    world_fini(&world);
}

/* Actors trap, restart, stop and are spawned while others flood them: what
 * was accepted is delivered or a dead letter, and every request ends. */
static void churn_under_load_loses_nothing(void **state)
{
    (void)state;
    struct world world;
    struct th_rng rng;
    world_init(&world);
    th_rng_init(&rng, 77);
    for (int i = 0; i < 6; i++) {
        char name[16];
        snprintf(name, sizeof(name), "d%d", i);
        assert_status(try_spawn(&world, "driver", name,
                                i % 2 == 0 ? "restart = \"on-failure\"\n"
                                             "max_restarts = 1000\n"
                                             "restart_backoff = \"0ms\""
                                           : "",
                                "when_full = \"error\""),
                      THEATER_OK);
    }
    for (int round = 0; round < 1500; round++) {
        static const char *const lines[] = {"flood d%u 20 m",
                                            "request d%u echo x",
                                            "request d%u flood d0 5 y",
                                            "batch d%u 10 b",
                                            "trap",
                                            "defer for ever",
                                            "after d%u 1 t",
                                            "stop now",
                                            "open d%u hello"};
        char line[64];
        char data[80];
        char name[16];
        uint64_t what = th_rng_below(&rng, 40);
        unsigned to = (unsigned)th_rng_below(&rng, 6);
        const char *form = lines[what < 9 ? what : what % 4];
        snprintf(name, sizeof(name), "d%u", (unsigned)th_rng_below(&rng, 6));
        snprintf(line, sizeof(line), form, to);
        snprintf(data, sizeof(data), "!%s", line);
        theater_status_t status =
            theater_router_send(world.router, NULL, text(name), text(data));
        if (status == THEATER_NOT_FOUND) {
            (void)!try_spawn(&world, "driver", name, NULL, NULL);
        }
    }
    assert_status(
        theater_runtime_wait(world.runtime, THEATER_WAIT_QUIET, 60000),
        THEATER_OK);
    check_conserved(&world);
    world_fini(&world);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_trap_ends_the_request_with_closed),
        cmocka_unit_test(a_trap_ends_deferred_and_queued_requests_too),
        cmocka_unit_test(channels_of_one_that_traps_close),
        cmocka_unit_test(an_open_whose_target_traps_ends),
        cmocka_unit_test(a_restart_keeps_the_queued_one_way_messages),
        cmocka_unit_test(a_restart_ends_requests_and_channels),
        cmocka_unit_test(what_is_queued_for_one_that_stops_is_counted),
        cmocka_unit_test(churn_under_load_loses_nothing),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
