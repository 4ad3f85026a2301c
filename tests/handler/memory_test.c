/* SPDX-License-Identifier: Apache-2.0 */
/* Out of memory is an error that the guest is told, or ends its call or the
 * actor, never the host: the k-th allocation fails while a driver does each
 * command, for every k until the command no longer gets that far. */
#include "world.h"

#include "base/env_fault.h"

static struct th_fault_env fault;

/* Both actors are there again, whatever became of them. */
static void revive(struct world *world)
{
    static const char *const names[] = {"a", "b"};
    for (int i = 0; i < 2; i++) {
        if (!theater_router_has(world->router, names[i], 1)) {
            assert_status(
                theater_runtime_wait_actor(world->runtime, names[i], 20000),
                THEATER_OK);
            driver(world, names[i],
                   "send_timeout = \"20ms\"\n"
                   "request_timeout = \"500ms\"\n"
                   "channel_credit = 2");
        }
    }
}

static void check_answer(struct world *world, theater_status_t status,
                         const char *line)
{
    switch (status) {
    case THEATER_OK:
        if (strncmp(world->answer, "ok", 2) != 0 &&
            strncmp(world->answer, "error ", 6) != 0) {
            fail_msg("%s: '%s'", line, world->answer);
        }
        return;
    case THEATER_OUT_OF_MEMORY: /* the test's own request */
    case THEATER_MAILBOX_FULL:
    case THEATER_CLOSED: /* the actor ended, or could not answer */
    case THEATER_FAILED:
    case THEATER_NOT_FOUND:
        return;
    default:
        fail_msg("%s: %s", line, theater_status_name(status));
    }
}

static unsigned exhaust(struct world *world, const char *line)
{
    unsigned failed = 0;
    for (uint64_t k = 1; k < 1000; k++) {
        revive(world);
        th_fault_env_fail(&fault, TH_FAULT_ALLOC, k, true);
        check_answer(world, request(world, "a", line), line);
        bool hit = th_fault_env_failed(&fault, TH_FAULT_ALLOC) != 0;
        th_fault_env_fail(&fault, TH_FAULT_ALLOC, 0, true);
        if (!hit) {
            return failed;
        }
        failed++;
    }
    fail_msg("%s allocates without an end", line);
    return failed;
}

static void every_host_function_survives_a_lack_of_memory(void **state)
{
    (void)state;
    static const char *const lines[] = {
        "send b hello",      "send nobody x",         "batch b 5 m",
        "broadcast a,b,c x", "broadcast-many b 40 x", "after b 1 x",
        "request b echo hi", "request b fail hi",     "request nobody x",
        "outstanding",       "open b hello",          "open b no",
        "respond x y",       "request b sleep 1",     "heard",
    };
    struct world world;
    struct world_options options = WORLD_OPTIONS;
    unsigned failed = 0;
    th_fault_env_init(&fault, theater_env_default());
    options.env = &fault.table;
    world_make(&world, &options);
    for (size_t i = 0; i < sizeof(lines) / sizeof(lines[0]); i++) {
        failed += exhaust(&world, lines[i]);
    }
    assert_true(failed > 2 * sizeof(lines) / sizeof(lines[0]));
    revive(&world);
    /* `b` may have a full mailbox to work off. */
    assert_status(
        theater_runtime_wait(world.runtime, THEATER_WAIT_QUIET, 20000),
        THEATER_OK);
    expect(&world, "a", "request b echo well", "ok ok well");
    world_fini(&world);
    assert_int_equal(th_fault_env_live(&fault), 0);
    assert_int_equal(th_fault_env_live_pages(&fault), 0);
}

/* Spawning: nothing is half-registered. */
static void a_spawn_without_memory_leaves_nothing(void **state)
{
    (void)state;
    struct world world;
    struct world_options options = WORLD_OPTIONS;
    th_fault_env_init(&fault, theater_env_default());
    options.env = &fault.table;
    world_make(&world, &options);
    driver(&world, "first", NULL); /* the module is compiled */
    theater_manifest_t *manifest =
        manifest_for("driver", NULL, "allowed_targets = [\"a\", \"b*\"]");
    unsigned failed = 0;
    for (uint64_t k = 1; k < 1000; k++) {
        th_fault_env_fail(&fault, TH_FAULT_ALLOC, k, true);
        theater_status_t status = theater_runtime_spawn(
            world.runtime, "x", manifest, NULL, &world.err);
        bool hit = th_fault_env_failed(&fault, TH_FAULT_ALLOC) != 0;
        th_fault_env_fail(&fault, TH_FAULT_ALLOC, 0, true);
        if (status == THEATER_OK) {
            assert_true(theater_router_has(world.router, "x", 1));
            assert_status(theater_runtime_stop(world.runtime, "x", "next"),
                          THEATER_OK);
            assert_status(theater_runtime_wait_actor(world.runtime, "x", 20000),
                          THEATER_OK);
        } else {
            assert_true(hit);
            failed++;
        }
        assert_false(theater_router_has(world.router, "x", 1));
        if (!hit) {
            break;
        }
    }
    assert_true(failed > 5);
    theater_manifest_release(manifest);
    world_fini(&world);
    assert_int_equal(th_fault_env_live(&fault), 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_host_function_survives_a_lack_of_memory),
        cmocka_unit_test(a_spawn_without_memory_leaves_nothing),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
