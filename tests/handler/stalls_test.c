/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What made the design before this one stand still, with guests: a target
 * that talks while it decides about a channel, a flood at an actor that itself
 * sends, cycles of requests; and a crowd that waits for one mailbox whose owner
 * needs a worker to drain it. Each would hang in the naive design, so each has
 * a deadline here.
 */
#include "world.h"

static void a_target_may_talk_while_it_decides(void **state)
{
    (void)state;
    static const char *const inside[] = {
        "open b !send a note",       "open b !request c echo hi",
        "open b !open c inner",      "open b !send b to myself",
        "open b !broadcast a,b,c x", "open b !batch a 5 y",
    };
    struct world world;
    struct world_options options = WORLD_OPTIONS;
    options.workers = 1;
    world_make(&world, &options);
    driver(&world, "a", NULL);
    driver(&world, "b", NULL);
    driver(&world, "c", NULL);
    for (size_t i = 0; i < sizeof(inside) / sizeof(inside[0]); i++) {
        assert_memory_equal(command(&world, "a", inside[i]), "ok c", 4);
        assert_non_null(strstr(command(&world, "b", "heard"), "did a ok"));
        expect(&world, "c", "echo on", "ok on");
    }
    world_fini(&world);
}

/* The opener waits for the target: the target's request to it, or its open,
 * would close the cycle. It is refused, and the open is decided. */
static void a_target_that_asks_its_opener_back_is_refused(void **state)
{
    (void)state;
    static const char *const inside[] = {"open b !request a echo hi",
                                         "open b !open a inner"};
    struct world world;
    world_init(&world);
    driver(&world, "a", NULL);
    driver(&world, "b", NULL);
    for (size_t i = 0; i < sizeof(inside) / sizeof(inside[0]); i++) {
        assert_memory_equal(command(&world, "a", inside[i]), "ok c", 4);
        assert_non_null(strstr(command(&world, "b", "heard"),
                               "did a error deadlock: 'a' waits"));
    }
    world_fini(&world);
}

static void opening_to_oneself_hinders_nobody(void **state)
{
    (void)state;
    struct world world;
    world_init(&world);
    driver(&world, "a", NULL);
    driver(&world, "b", NULL);
    driver(&world, "c", NULL);
    for (int i = 0; i < 100; i++) {
        order(&world, "a", "open a x");
        expect(&world, "b", "request c echo hi", "ok ok hi");
    }
    until_heard(&world, "a", "did - error deadlock");
    world_fini(&world);
}

static void a_cycle_of_requests_is_refused_at_every_length(void **state)
{
    (void)state;
    static const unsigned lengths[] = {1, 2, 3, 64};
    for (size_t k = 0; k < sizeof(lengths) / sizeof(lengths[0]); k++) {
        struct world world;
        char path[64 * 8 + 8];
        size_t len = 0;
        const theater_env_t *env = theater_env_default();
        world_init(&world);
        for (unsigned i = 0; i < lengths[k]; i++) {
            char name[16];
            snprintf(name, sizeof(name), "r%02u", i);
            spawn(&world, "relay", name, "request_timeout = \"30s\"");
        }
        for (unsigned i = 1; i <= lengths[k]; i++) {
            len += (size_t)snprintf(path + len, sizeof(path) - len, "r%02u/",
                                    i % lengths[k]);
        }
        uint64_t begin = th_now(env);
        assert_status(request(&world, "r00", path), THEATER_FAILED);
        assert_string_equal(world.answer, "deadlock");
        assert_true(th_now(env) - begin < UINT64_C(20000000000));
        /* All of them answer again. */
        for (unsigned i = 0; i < lengths[k]; i++) {
            char name[16];
            snprintf(name, sizeof(name), "r%02u", i);
            assert_status(request(&world, name, ""), THEATER_OK);
            assert_string_equal(world.answer, "end");
        }
        world_fini(&world);
    }
}

/* A chain that is long but no cycle: no false alarm. */
static void a_chain_of_requests_is_none(void **state)
{
    (void)state;
    struct world world;
    char path[64 * 4 + 4];
    size_t len = 0;
    world_init(&world);
    for (unsigned i = 0; i < 64; i++) {
        char name[16];
        snprintf(name, sizeof(name), "r%02u", i);
        spawn(&world, "relay", name, NULL);
        if (i > 0) {
            len += (size_t)snprintf(path + len, sizeof(path) - len, "%sr%02u",
                                    i > 1 ? "/" : "", i);
        }
    }
    for (int i = 0; i < 20; i++) {
        assert_status(request(&world, "r00", path), THEATER_OK);
        assert_string_equal(world.answer, "end");
    }
    world_fini(&world);
}

static void a_flood_at_one_that_sends_disturbs_nobody(void **state)
{
    (void)state;
    struct world world;
    theater_counters_t counters;
    world_init(&world);
    spawn(&world, "amplifier", "flooded",
          "mailbox_capacity = 100\nsend_timeout = \"1s\"");
    driver(&world, "a", NULL);
    driver(&world, "b", NULL);
    driver(&world, "flooder", "when_full = \"error\"");
    (void)command(&world, "flooder", "flood flooded 1000 m");
    for (int i = 0; i < 2000; i++) {
        expect(&world, "a", "request b echo hi", "ok ok hi");
        if (i % 100 == 0) {
            order(&world, "flooder", "flood flooded 200 m");
        }
    }
    theater_router_counters(world.router, &counters);
    assert_true(counters.queued < 1200); /* the mailboxes' capacities */
    assert_true(counters.delivered > 4000);
    world_fini(&world);
}

/* With requests that wait for room: the sender alone is suspended. */
static void a_crowd_can_wait_for_one_mailbox(void **state)
{
    (void)state;
    enum { CROWD = 10000 };
    struct world world;
    char count[16];
    theater_spawn_options_t options = THEATER_SPAWN_OPTIONS_INIT;
    world_init(&world);
    spawn(&world, "tally", "sink", "mailbox_capacity = 1");
    assert_status(
        theater_router_send(world.router, NULL, text("sink"), text("x")),
        THEATER_OK);
    theater_manifest_t *manifest =
        manifest_for("one_send", NULL, "send_timeout = \"60s\"");
    options.paused = true;
    for (unsigned i = 0; i < CROWD; i++) {
        char name[16];
        snprintf(name, sizeof(name), "c%u", i);
        theater_status_t status = theater_runtime_spawn(
            world.runtime, name, manifest, &options, &world.err);
        if (status != THEATER_OK) {
            fail_msg("spawn %s: %s", name, world.err.text);
        }
    }
    theater_manifest_release(manifest);
    theater_runtime_start_all(world.runtime);
    assert_status(
        theater_runtime_wait(world.runtime, THEATER_WAIT_QUIET, 50000),
        THEATER_OK);
    snprintf(count, sizeof(count), "%u", CROWD + 1);
    assert_status(request(&world, "sink", ""), THEATER_OK);
    assert_string_equal(world.answer, count);
    assert_int_equal(count_of(&world.dead), 0);
    world_fini(&world);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_target_may_talk_while_it_decides),
        cmocka_unit_test(a_target_that_asks_its_opener_back_is_refused),
        cmocka_unit_test(opening_to_oneself_hinders_nobody),
        cmocka_unit_test(a_cycle_of_requests_is_refused_at_every_length),
        cmocka_unit_test(a_chain_of_requests_is_none),
        cmocka_unit_test(a_flood_at_one_that_sends_disturbs_nobody),
        cmocka_unit_test(a_crowd_can_wait_for_one_mailbox),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
