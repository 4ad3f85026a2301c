/* SPDX-License-Identifier: Apache-2.0 */
/* Actors that fail end alone, and the event says why. */
#include "world.h"

static void quiet(struct world *world)
{
    assert_int_equal(
        theater_runtime_wait(world->runtime, THEATER_WAIT_QUIET, WAIT_MS),
        THEATER_OK);
}

static void a_trap_ends_that_actor_alone(void **state)
{
    (void)state;
    struct world world;
    world_start(&world, NULL);
    theater_manifest_t *manifest = world_player("");
    world_spawn(&world, "ann", manifest, "");
    world_spawn(&world, "bob", manifest, "");
    assert_true(post_send(world.post, "ann", "trap"));
    world_await_prefix(&world, "failed ann: trapped: ", 1);
    assert_int_equal(theater_runtime_wait_actor(world.runtime, "ann", WAIT_MS),
                     THEATER_OK);
    assert_false(post_send(world.post, "ann", "anybody there?"));
    assert_true(post_send(world.post, "bob", "log I live"));
    world_await(&world, "log bob: I live", 1);
    assert_int_equal(post_counts(world.post)->died, 1);
    theater_runtime_stats_t stats;
    theater_runtime_stats(world.runtime, &stats);
    assert_int_equal(stats.failed, 1);
    assert_int_equal(stats.live, 1);
    /* No handle-stop for one that failed. */
    assert_int_equal(world_told_prefix(&world, "log ann: stopping"), 0);
    world_spawn(&world, "ann", manifest, "log again");
    world_await(&world, "log ann: again", 1);
    theater_manifest_release(manifest);
    world_end(&world);
}

static void a_trap_in_run_says_what_was_queued(void **state)
{
    (void)state;
    struct world world;
    world_start(&world, NULL);
    theater_manifest_t *manifest = world_player("");
    world_spawn(&world, "ann", manifest, "log before\ntrap");
    world_await_prefix(&world, "failed ann: trapped: ", 1);
    assert_true(world_place(&world, "log ann: before") <
                world_place(&world, "failed ann"));
    quiet(&world);
    theater_manifest_release(manifest);
    world_end(&world);
}

static void check_limit(const char *limits, const char *script, bool in_run,
                        const char *status, const char *word)
{
    struct world world;
    world_start(&world, NULL);
    char extra[128];
    snprintf(extra, sizeof extra, "[limits]\n%s\n", limits);
    theater_manifest_t *manifest = world_player(extra);
    world_spawn(&world, "ann", manifest, in_run ? script : "");
    if (!in_run) {
        assert_true(post_send(world.post, "ann", script));
    }
    char prefix[64];
    snprintf(prefix, sizeof prefix, "failed ann: %s: ", status);
    world_await_prefix(&world, prefix, 1);
    const char *line = world_line(&world, prefix);
    if (strstr(line, word) == NULL) {
        fail_msg("\"%s\" does not name %s", line, word);
    }
    theater_manifest_release(manifest);
    world_end(&world);
}

static void a_loop_in_a_handler_breaks_delivery_time(void **state)
{
    (void)state;
    check_limit("delivery_time = \"50ms\"", "loop", false, "limit",
                "delivery_time");
}

static void a_loop_in_run_breaks_run_time(void **state)
{
    (void)state;
    check_limit("run_time = \"50ms\"", "loop", true, "limit", "run_time");
}

static void a_loop_in_handle_stop_breaks_delivery_time(void **state)
{
    (void)state;
    check_limit("delivery_time = \"50ms\"", "armed\nstop x", true, "limit",
                "delivery_time");
}

static void deep_recursion_breaks_the_stack(void **state)
{
    (void)state;
    check_limit("stack = \"small\"", "recurse", false, "limit", "stack");
    check_limit("stack = \"large\"", "recurse", false, "limit", "stack");
}

static void memory_ends_at_its_limit(void **state)
{
    (void)state;
    struct world world;
    world_start(&world, NULL);
    theater_manifest_t *manifest =
        world_player("[limits]\nmemory = \"1MiB\"\n");
    world_spawn(&world, "ann", manifest, "grow");
    world_await_prefix(&world, "failed ann: ", 1);
    theater_manifest_release(manifest);
    world_end(&world);
}

static void waiting_is_not_computing(void **state)
{
    (void)state;
    struct world world;
    world_start(&world, NULL);
    theater_manifest_t *manifest = world_player(
        "[limits]\nrun_time = \"50ms\"\ndelivery_time = \"50ms\"\n");
    world_spawn(&world, "ann", manifest, "sleep 150\nlog slept");
    assert_true(post_send(world.post, "ann", "sleep 150\nlog slept again"));
    world_await(&world, "log ann: slept again", 1);
    assert_int_equal(world_told_prefix(&world, "failed"), 0);
    theater_manifest_release(manifest);
    world_end(&world);
}

static void a_busy_actor_does_not_stop_the_others(void **state)
{
    (void)state;
    struct world world;
    world_start(&world, &(struct world_options){.workers = 1});
    theater_manifest_t *manifest =
        world_player("[limits]\nrun_time = \"unlimited\"\n");
    world_spawn(&world, "busy", manifest, "log in\nsleep 0\nloop");
    world_await(&world, "log busy: in", 1);
    world_spawn(&world, "bob", manifest, "");
    for (int i = 0; i < 20; i++) {
        assert_true(post_send(world.post, "bob", "log here"));
        world_await(&world, "log bob: here", (size_t)i + 1);
    }
    assert_int_equal(world_told_prefix(&world, "failed"), 0);
    theater_manifest_release(manifest);
    world_end(&world);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_trap_ends_that_actor_alone),
        cmocka_unit_test(a_trap_in_run_says_what_was_queued),
        cmocka_unit_test(a_loop_in_a_handler_breaks_delivery_time),
        cmocka_unit_test(a_loop_in_run_breaks_run_time),
        cmocka_unit_test(a_loop_in_handle_stop_breaks_delivery_time),
        cmocka_unit_test(deep_recursion_breaks_the_stack),
        cmocka_unit_test(memory_ends_at_its_limit),
        cmocka_unit_test(waiting_is_not_computing),
        cmocka_unit_test(a_busy_actor_does_not_stop_the_others),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
