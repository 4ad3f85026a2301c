/* SPDX-License-Identifier: Apache-2.0 */
/* The life of a guest that does nothing wrong. */
#include "world.h"

#include <stdlib.h>

static void quiet(struct world *world)
{
    assert_int_equal(
        theater_runtime_wait(world->runtime, THEATER_WAIT_QUIET, WAIT_MS),
        THEATER_OK);
}

static void is_spawned_runs_handles_and_stops(void **state)
{
    (void)state;
    struct world world;
    world_start(&world, NULL);
    theater_manifest_t *manifest = world_player("");
    world_spawn(&world, "ann", manifest, "log I run\nname");
    quiet(&world);
    assert_true(post_send(world.post, "ann", "log hello\ncount"));
    quiet(&world);
    assert_int_equal(theater_runtime_stop(world.runtime, "ann", "time to go"),
                     THEATER_OK);
    assert_int_equal(theater_runtime_wait_actor(world.runtime, "ann", WAIT_MS),
                     THEATER_OK);
    static const char *const want[] = {
        "spawned ann",
        "log ann: I run",
        "log ann: ann",
        "log ann: hello",
        "log ann: count 1",
        "log ann: stopping: time to go",
        "stopped ann: time to go",
    };
    assert_int_equal(world.lines_len, sizeof want / sizeof want[0]);
    for (uint32_t i = 0; i < world.lines_len; i++) {
        assert_string_equal(world.lines[i], want[i]);
    }
    assert_false(post_send(world.post, "ann", "too late"));
    assert_int_equal(
        theater_runtime_wait(world.runtime, THEATER_WAIT_STOPPED, WAIT_MS),
        THEATER_OK);
    theater_manifest_release(manifest);
    world_end(&world);
}

static void a_name_is_free_again_after_the_end(void **state)
{
    (void)state;
    struct world world;
    world_start(&world, NULL);
    theater_manifest_t *manifest = world_player("");
    for (int i = 0; i < 20; i++) {
        world_spawn(&world, "ann", manifest, "");
        theater_error_t err;
        assert_int_equal(
            theater_runtime_spawn(world.runtime, "ann", manifest, NULL, &err),
            THEATER_ALREADY_EXISTS);
        assert_string_equal(err.origin, "ann");
        assert_int_equal(theater_runtime_stop(world.runtime, "ann", NULL),
                         THEATER_OK);
        assert_int_equal(
            theater_runtime_wait_actor(world.runtime, "ann", WAIT_MS),
            THEATER_OK);
    }
    assert_int_equal(world_told(&world, "stopped ann: asked to stop"), 20);
    theater_runtime_stats_t stats;
    theater_runtime_stats(world.runtime, &stats);
    assert_int_equal(stats.spawned, 20);
    assert_int_equal(stats.stopped, 20);
    assert_int_equal(stats.failed, 0);
    assert_int_equal(stats.live, 0);
    assert_int_equal(stats.compiled, 1);
    theater_manifest_release(manifest);
    world_end(&world);
}

static void stops_itself_once_the_handler_has_returned(void **state)
{
    (void)state;
    struct world world;
    world_start(&world, NULL);
    theater_manifest_t *manifest = world_player("");
    world_spawn(&world, "ann", manifest, "stop I am done\nlog still here");
    world_await(&world, "stopped ann: I am done", 1);
    assert_int_equal(world_told(&world, "log ann: still here"), 1);
    assert_int_equal(world_told(&world, "log ann: stopping: I am done"), 1);
    theater_manifest_release(manifest);
    world_end(&world);
}

static void a_stop_does_not_wait_behind_messages(void **state)
{
    (void)state;
    struct world world;
    world_start(&world, NULL);
    theater_manifest_t *manifest = world_player("");
    world_spawn(&world, "ann", manifest, "log in\nsleep 50\nlog slept");
    world_await(&world, "log ann: in", 1);
    for (int i = 0; i < 100; i++) {
        assert_true(post_send(world.post, "ann", "log message"));
    }
    assert_int_equal(theater_runtime_stop(world.runtime, "ann", "now"),
                     THEATER_OK);
    world_await(&world, "stopped ann: now", 1);
    /* The running delivery ended with its wait, nothing that was queued. */
    assert_int_equal(world_told(&world, "log ann: slept"), 1);
    assert_int_equal(world_told(&world, "log ann: message"), 0);
    assert_int_equal(post_counts(world.post)->unopened, 100);
    theater_manifest_release(manifest);
    world_end(&world);
}

static void sleeping_takes_as_long_as_asked_and_lets_others_run(void **state)
{
    (void)state;
    struct world world;
    world_start(&world, &(struct world_options){.workers = 1});
    theater_manifest_t *manifest = world_player("");
    const theater_env_t *env = theater_env_default();
    uint64_t start = th_now(env);
    world_spawn(&world, "ann", manifest, "sleep 100\nlog slept\nstop x");
    world_spawn(&world, "bob", manifest, "sleep 0\nsleep 0\nlog quick");
    world_await(&world, "log ann: slept", 1);
    uint64_t took = th_now(env) - start;
    assert_true(took >= 100000000);
    assert_true(world_place(&world, "log bob: quick") <
                world_place(&world, "log ann: slept"));
    quiet(&world);
    theater_manifest_release(manifest);
    world_end(&world);
}

static void a_wake_does_not_end_a_sleep(void **state)
{
    (void)state;
    struct world world;
    world_start(&world, NULL);
    theater_manifest_t *manifest = world_player("");
    world_spawn(&world, "ann", manifest, "sleep 100\nlog slept");
    assert_true(post_send(world.post, "ann", "log message"));
    world_await(&world, "log ann: message", 1);
    assert_true(world_place(&world, "log ann: slept") <
                world_place(&world, "log ann: message"));
    theater_manifest_release(manifest);
    world_end(&world);
}

static void a_stop_that_is_not_obeyed_ends_after_the_grace(void **state)
{
    (void)state;
    struct world world;
    world_start(&world, &(struct world_options){.simulated = true});
    theater_manifest_t *manifest = world_player("");
    uint64_t start = th_now(world.env);
    /* The stop cuts the first sleep short. */
    world_spawn(&world, "ann", manifest,
                "sleep 3600000\nsleep 3600000\nlog never");
    assert_int_equal(theater_runtime_wait_actor(world.runtime, "ann", 10),
                     THEATER_TIMEOUT);
    assert_int_equal(theater_runtime_stop(world.runtime, "ann", "now"),
                     THEATER_OK);
    world_await_prefix(&world, "stopped ann: asked to stop, and ended", 1);
    uint64_t took = th_now(world.env) - start;
    assert_true(took >= UINT64_C(5000000000) && took < UINT64_C(5200000000));
    assert_int_equal(world_told(&world, "log ann: never"), 0);
    theater_runtime_stats_t stats;
    theater_runtime_stats(world.runtime, &stats);
    assert_int_equal(stats.cut_off, 1);
    assert_int_equal(stats.stopped, 1);
    theater_manifest_release(manifest);
    world_end(&world);
}

static void the_grace_can_be_made_shorter_while_it_runs(void **state)
{
    (void)state;
    struct world world;
    world_start(&world, &(struct world_options){.simulated = true});
    theater_manifest_t *manifest = world_player("");
    world_spawn(&world, "ann", manifest,
                "sleep 3600000\nsleep 3600000\nlog never");
    assert_int_equal(theater_runtime_wait_actor(world.runtime, "ann", 10),
                     THEATER_TIMEOUT);
    theater_runtime_set_stop_grace(world.runtime, 60000);
    assert_int_equal(theater_runtime_stop(world.runtime, "ann", "now"),
                     THEATER_OK);
    assert_int_equal(theater_runtime_wait_actor(world.runtime, "ann", 20000),
                     THEATER_TIMEOUT);
    uint64_t start = th_now(world.env);
    theater_runtime_set_stop_grace(world.runtime, 200);
    world_await_prefix(&world, "stopped ann: asked to stop, and ended", 1);
    uint64_t took = th_now(world.env) - start;
    assert_true(took >= 200000000 && took < 400000000);
    theater_manifest_release(manifest);
    world_end(&world);
}

static void a_stop_cuts_a_sleep_short(void **state)
{
    (void)state;
    struct world world;
    world_start(&world, &(struct world_options){.simulated = true});
    theater_manifest_t *manifest = world_player("");
    uint64_t start = th_now(world.env);
    world_spawn(&world, "ann", manifest, "sleep 3600000\nlog woken");
    assert_int_equal(theater_runtime_wait_actor(world.runtime, "ann", 10),
                     THEATER_TIMEOUT);
    assert_int_equal(theater_runtime_stop(world.runtime, "ann", "now"),
                     THEATER_OK);
    world_await(&world, "stopped ann: now", 1);
    assert_int_equal(world_told(&world, "log ann: woken"), 1);
    assert_int_equal(world_told(&world, "log ann: stopping: now"), 1);
    assert_true(th_now(world.env) - start < UINT64_C(1000000000));
    theater_manifest_release(manifest);
    world_end(&world);
}

/* A log line gives way, and run returns when ann goes on. Bob has her asked to
 * stop at some moment, by the seed: in between, too, when nothing else wakes
 * her afterwards. */
static void
what_was_suspended_and_returns_is_asked_to_stop_at_once(void **state)
{
    (void)state;
    theater_manifest_t *bobs = world_player("");
    theater_manifest_t *anns =
        world_manifest("name = \"leaver\"\npackage = \"leaver.wasm\"\n"
                       "[[handler]]\ntype = \"runtime\"\n",
                       false);
    size_t between = 0;
    for (uint64_t seed = 1; seed <= 50; seed++) {
        struct world world;
        world_start(&world,
                    &(struct world_options){.simulated = true, .seed = seed});
        world.stop_on = "log bob: go";
        uint64_t start = th_now(world.env);
        world_spawn(&world, "ann", anns, "");
        world_spawn(&world, "bob", bobs, "log 1\nlog go");
        world_await(&world, "stopped ann: now", 1);
        assert_true(th_now(world.env) - start < UINT64_C(1000000000));
        int began = world_place(&world, "log ann: 1");
        int asked = world_place(&world, "log bob: go");
        if (began >= 0 && began < asked) {
            assert_int_equal(world_told(&world, "log ann: now"), 1);
            between += asked < world_place(&world, "log ann: 3");
        }
        world_end(&world);
    }
    assert_true(between > 0);
    theater_manifest_release(anns);
    theater_manifest_release(bobs);
}

static void deleting_the_runtime_ends_everybody_at_once(void **state)
{
    (void)state;
    struct world world;
    world_start(&world, NULL);
    theater_manifest_t *manifest =
        world_player("[limits]\nrun_time = \"unlimited\"\n");
    world_spawn(&world, "sleeper", manifest, "sleep 3600000");
    world_spawn(&world, "looper", manifest, "log in\nsleep 0\nloop");
    world_spawn(&world, "idler", manifest, "");
    world_await(&world, "log looper: in", 1);
    const theater_env_t *env = theater_env_default();
    uint64_t start = th_now(env);
    theater_runtime_delete(world.runtime);
    world.runtime = NULL;
    assert_true(th_now(env) - start < UINT64_C(2000000000));
    assert_int_equal(world_told_prefix(&world, "stopped "), 3);
    assert_int_equal(world_told_prefix(&world, "log idler: stopping"), 0);
    theater_manifest_release(manifest);
    world_end(&world);
}

static void stop_all_stops_all_and_refuses_more(void **state)
{
    (void)state;
    struct world world;
    world_start(&world, NULL);
    theater_manifest_t *manifest = world_player("");
    char name[16];
    for (int i = 0; i < 20; i++) {
        snprintf(name, sizeof name, "a-%d", i);
        world_spawn(&world, name, manifest, "");
    }
    theater_runtime_stop_all(world.runtime, "closing");
    assert_int_equal(
        theater_runtime_spawn(world.runtime, "b", manifest, NULL, NULL),
        THEATER_SHUTTING_DOWN);
    assert_int_equal(
        theater_runtime_wait(world.runtime, THEATER_WAIT_STOPPED, WAIT_MS),
        THEATER_OK);
    assert_int_equal(world_told_prefix(&world, "stopped "), 20);
    theater_manifest_release(manifest);
    world_end(&world);
}

static void long_lines_are_cut_and_say_so(void **state)
{
    (void)state;
    struct world world;
    world_start(&world, NULL);
    theater_manifest_t *manifest = world_player("");
    world_spawn(&world, "ann", manifest, "size 8192\nsize 8193\nlines 5000");
    world_await(&world, "log ann: line 4999", 1);
    assert_int_equal(world_told_prefix(&world, "log ann: line "), 5000);
    size_t prefix = strlen("log ann: ");
    assert_int_equal(strlen(world.lines[1]) - prefix, 8192);
    assert_int_equal(strlen(world.lines[2]) - prefix, 8192);
    assert_non_null(strstr(world.lines[2], "x [cut: 8193 bytes]"));
    theater_manifest_release(manifest);
    world_end(&world);
}

struct seen {
    size_t count;
    char states[8][16];
    uint64_t memory;
    uint64_t deliveries;
};

static void see(void *user, const theater_actor_info_t *info)
{
    struct seen *seen = user;
    snprintf(seen->states[seen->count++], 16, "%s %s", info->name, info->state);
    seen->memory += info->memory_bytes;
    seen->deliveries += info->deliveries;
    assert_false(info->native);
}

static void the_list_says_what_each_actor_does(void **state)
{
    (void)state;
    struct world world;
    world_start(&world, NULL);
    theater_manifest_t *manifest = world_player("");
    world_spawn(&world, "a", manifest, "");
    world_spawn(&world, "b", manifest, "log in\nsleep 3600000");
    theater_spawn_options_t options = THEATER_SPAWN_OPTIONS_INIT;
    options.paused = true;
    assert_int_equal(
        theater_runtime_spawn(world.runtime, "c", manifest, &options, NULL),
        THEATER_OK);
    assert_true(post_send(world.post, "a", "log got"));
    world_await(&world, "log a: got", 1);
    world_await(&world, "log b: in", 1);
    struct seen seen;
    const theater_env_t *env = theater_env_default();
    uint64_t deadline = th_now(env) + (uint64_t)WAIT_MS * 1000000;
    do { /* the lines were told just before the two came to rest */
        seen = (struct seen){0};
        theater_runtime_list(world.runtime, see, &seen);
    } while ((strcmp(seen.states[0], "a idle") != 0 ||
              strcmp(seen.states[1], "b waiting") != 0) &&
             th_now(env) < deadline);
    assert_int_equal(seen.count, 3);
    assert_string_equal(seen.states[0], "a idle");
    assert_string_equal(seen.states[1], "b waiting");
    assert_string_equal(seen.states[2], "c paused");
    assert_true(seen.memory >= 3 * 65536);
    assert_int_equal(seen.deliveries, 1);
    theater_manifest_release(manifest);
    world_end(&world);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(is_spawned_runs_handles_and_stops),
        cmocka_unit_test(a_name_is_free_again_after_the_end),
        cmocka_unit_test(stops_itself_once_the_handler_has_returned),
        cmocka_unit_test(a_stop_does_not_wait_behind_messages),
        cmocka_unit_test(sleeping_takes_as_long_as_asked_and_lets_others_run),
        cmocka_unit_test(a_wake_does_not_end_a_sleep),
        cmocka_unit_test(a_stop_that_is_not_obeyed_ends_after_the_grace),
        cmocka_unit_test(the_grace_can_be_made_shorter_while_it_runs),
        cmocka_unit_test(a_stop_cuts_a_sleep_short),
        cmocka_unit_test(
            what_was_suspended_and_returns_is_asked_to_stop_at_once),
        cmocka_unit_test(deleting_the_runtime_ends_everybody_at_once),
        cmocka_unit_test(stop_all_stops_all_and_refuses_more),
        cmocka_unit_test(long_lines_are_cut_and_say_so),
        cmocka_unit_test(the_list_says_what_each_actor_does),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
