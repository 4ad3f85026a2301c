/* SPDX-License-Identifier: Apache-2.0 */
/* restart = "on-failure": how often, how soon, and what is kept. Virtual
 * time, so that each wait is exact. */
#include "world.h"

#include <time.h>

#define MS UINT64_C(1000000)

struct scene {
    struct world world;
    theater_manifest_t *manifest;
    uint64_t start;
};

static void open_scene(struct scene *scene, const char *policy,
                       const char *script)
{
    char extra[256];
    snprintf(extra, sizeof extra, "restart = \"on-failure\"\n%s", policy);
    world_start(&scene->world, &(struct world_options){.simulated = true});
    scene->manifest = world_player(extra);
    scene->start = th_now(scene->world.env);
    world_spawn(&scene->world, "ann", scene->manifest, script);
}

static void close_scene(struct scene *scene)
{
    theater_manifest_release(scene->manifest);
    world_end(&scene->world);
}

/* Timers come up to a tick of 1 ms late, each of them. */
static void assert_elapsed(struct scene *scene, uint64_t ms, uint64_t timers)
{
    uint64_t took = (th_now(scene->world.env) - scene->start) / MS;
    assert_in_range(took, ms, ms + timers);
}

static void keeps_name_and_messages_and_runs_first(void **state)
{
    (void)state;
    struct scene scene;
    struct world *world = &scene.world;
    open_scene(&scene, "restart_backoff = \"100ms\"\n", "log I run");
    world_await(world, "log ann: I run", 1);
    assert_true(post_send(world->post, "ann", "count\ntrap"));
    assert_true(post_send(world->post, "ann", "log the second"));
    world_await_prefix(world, "failed ann: trapped: ", 1);
    /* While it waits its name is kept. */
    assert_true(post_send(world->post, "ann", "count"));
    assert_int_equal(theater_runtime_spawn(world->runtime, "ann",
                                           scene.manifest, NULL, NULL),
                     THEATER_ALREADY_EXISTS);
    assert_int_equal(world_told_prefix(world, "log ann: the second"), 0);
    world_await(world, "log ann: count 2", 1);
    assert_int_equal(world_told(world, "restarted ann"), 1);
    assert_int_equal(world_told(world, "log ann: I run"), 2);
    assert_int_equal(world_told(world, "log ann: count 1"), 1);
    assert_true(world_place(world, "restarted ann") <
                world_place(world, "log ann: the second"));
    assert_int_equal(post_counts(world->post)->restarts, 1);
    assert_int_equal(post_counts(world->post)->died, 1);
    assert_elapsed(&scene, 100, 1);
    theater_runtime_stats_t stats;
    theater_runtime_stats(world->runtime, &stats);
    assert_int_equal(stats.restarted, 1);
    assert_int_equal(stats.failed, 0);
    assert_int_equal(stats.live, 1);
    close_scene(&scene);
}

static void waits_twice_as_long_each_time(void **state)
{
    (void)state;
    struct scene scene;
    struct world *world = &scene.world;
    open_scene(&scene, "max_restarts = 4\nrestart_backoff = \"10ms\"\n",
               "trap");
    static const uint64_t at[] = {10, 30, 70, 150};
    for (size_t i = 0; i < 4; i++) {
        world_await(world, "restarted ann", i + 1);
        assert_elapsed(&scene, at[i], i + 1);
    }
    world_await_prefix(world, "failed ann: ", 5);
    assert_int_equal(theater_runtime_wait_actor(world->runtime, "ann", 0),
                     THEATER_OK);
    assert_elapsed(&scene, 150, 4);
    assert_int_equal(world_told(world, "restarted ann"), 4);
    assert_non_null(strstr(world->lines[world->lines_len - 1],
                           "(not restarted: it was 4 times already)"));
    /* The name is free. */
    assert_false(post_send(world->post, "ann", "hello"));
    theater_runtime_stats_t stats;
    theater_runtime_stats(world->runtime, &stats);
    assert_int_equal(stats.failed, 1);
    assert_int_equal(stats.live, 0);
    close_scene(&scene);
}

static void restarts_count_within_the_period_only(void **state)
{
    (void)state;
    struct scene scene;
    struct world *world = &scene.world;
    /* Fails 400 ms after each start: three within any second, never four. */
    open_scene(&scene,
               "max_restarts = 3\nrestart_period = \"1s\"\n"
               "restart_backoff = \"1ms\"\n",
               "sleep 400\ntrap");
    world_await(world, "restarted ann", 20);
    assert_int_equal(world_told_prefix(world, "failed ann"), 20);
    close_scene(&scene);
    /* The same every 300 ms is one too many. */
    open_scene(&scene,
               "max_restarts = 3\nrestart_period = \"1s\"\n"
               "restart_backoff = \"1ms\"\n",
               "sleep 300\ntrap");
    world_await_prefix(&scene.world, "failed ann", 4);
    assert_int_equal(world_told(&scene.world, "restarted ann"), 3);
    assert_int_equal(theater_runtime_wait_actor(scene.world.runtime, "ann", 0),
                     THEATER_OK);
    close_scene(&scene);
}

static void a_large_number_of_restarts_is_met_exactly(void **state)
{
    (void)state;
    struct scene scene;
    struct world *world = &scene.world;
    open_scene(&scene,
               "max_restarts = 1025\nrestart_period = \"unlimited\"\n"
               "restart_backoff = \"0s\"\n",
               "trap");
    world_await_prefix(world, "failed ann", 1026);
    assert_int_equal(theater_runtime_wait_actor(world->runtime, "ann", 0),
                     THEATER_OK);
    assert_int_equal(world_told(world, "restarted ann"), 1025);
    close_scene(&scene);
}

static void who_exits_with_status_0_has_not_failed(void **state)
{
    (void)state;
    struct world world;
    world_start(&world, &(struct world_options){.simulated = true});
    theater_manifest_t *manifest =
        world_manifest("name = \"e\"\npackage = \"exiter.wasm\"\n"
                       "restart = \"on-failure\"\nmax_restarts = 1\n"
                       "[[handler]]\ntype = \"runtime\"\n",
                       false);
    world_spawn(&world, "well", manifest, "0");
    world_await(&world, "stopped well: exited with status 0", 1);
    world_spawn(&world, "badly", manifest, "3");
    world_await_prefix(&world, "failed badly", 2);
    assert_int_equal(world_told(&world, "restarted badly"), 1);
    assert_int_equal(world_told_prefix(&world, "failed well"), 0);
    assert_int_equal(world_told(&world, "restarted well"), 0);
    theater_manifest_release(manifest);
    world_end(&world);
}

static void the_wait_has_a_bound(void **state)
{
    (void)state;
    struct scene scene;
    struct world *world = &scene.world;
    open_scene(&scene,
               "max_restarts = 9\nrestart_period = \"unlimited\"\n"
               "restart_backoff = \"20s\"\n",
               "trap");
    world_await(world, "restarted ann", 4);
    assert_elapsed(&scene, 20000 + 40000 + 60000 + 60000, 4);
    close_scene(&scene);
}

static void a_stop_ends_an_actor_that_waits_for_its_restart(void **state)
{
    (void)state;
    struct scene scene;
    struct world *world = &scene.world;
    open_scene(&scene, "restart_backoff = \"1h\"\n", "trap");
    world_await_prefix(world, "failed ann", 1);
    assert_int_equal(theater_runtime_stop(world->runtime, "ann", "enough"),
                     THEATER_OK);
    world_await(world, "stopped ann: enough", 1);
    assert_elapsed(&scene, 0, 0);
    close_scene(&scene);
}

static void a_limit_is_a_failure_and_a_stop_is_none(void **state)
{
    (void)state;
    struct scene scene;
    struct world *world = &scene.world;
    open_scene(&scene,
               "restart_backoff = \"1ms\"\n[limits]\nrun_time = \"1ms\"\n",
               "stop I am done");
    world_await(world, "stopped ann: I am done", 1);
    assert_int_equal(world_told(world, "restarted ann"), 0);
    world_spawn(world, "bob", scene.manifest, "loop");
    world_await(world, "restarted bob", 2);
    world_await_prefix(world, "failed bob: limit: ", 3);
    close_scene(&scene);
}

static void deleting_the_runtime_does_not_wait_for_restarts(void **state)
{
    (void)state;
    struct world world;
    world_start(&world, NULL);
    theater_manifest_t *manifest =
        world_player("restart = \"on-failure\"\nrestart_backoff = \"1h\"\n");
    world_spawn(&world, "ann", manifest, "trap");
    world_await_prefix(&world, "failed ann", 1);
    theater_manifest_release(manifest);
    world_end(&world);
}

static void restarts_work_on_real_workers(void **state)
{
    (void)state;
    struct world world;
    world_start(&world, NULL);
    theater_manifest_t *manifest =
        world_player("restart = \"on-failure\"\nrestart_backoff = \"1ms\"\n"
                     "restart_period = \"1ms\"\nmax_restarts = 100000\n");
    world_spawn(&world, "ann", manifest, "");
    for (size_t i = 0; i < 100; i++) {
        assert_true(post_send(world.post, "ann", "trap"));
        assert_true(post_send(world.post, "ann", "log alive"));
    }
    world_await(&world, "log ann: alive", 100);
    assert_int_equal(world_told(&world, "restarted ann"), 100);
    assert_int_equal(post_counts(world.post)->died, 100);
    theater_manifest_release(manifest);
    world_end(&world);
}

/* Nanoseconds of processor that this process took so far. */
static uint64_t processor_ns(void)
{
    struct timespec now;
    assert_int_equal(clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &now), 0);
    return (uint64_t)now.tv_sec * UINT64_C(1000000000) + (uint64_t)now.tv_nsec;
}

/* Actors whose first start is fine and whose next one never returns; as many
 * as there are. Answers when they are in it. */
static void spawn_restarters(struct world *world, size_t count,
                             const char *period, const char *run_time)
{
    char text[400];
    char state[32];
    char name[16];
    snprintf(text, sizeof text,
             "name = \"r\"\npackage = \"restarter.wasm\"\n"
             "restart = \"on-failure\"\nrestart_backoff = \"0s\"\n"
             "restart_period = \"%s\"\nmax_restarts = 3\n"
             "[limits]\nrun_time = \"%s\"\n"
             "[[handler]]\ntype = \"runtime\"\n",
             period, run_time);
    theater_manifest_t *manifest = world_manifest(text, false);
    uint64_t until = th_now(world->env) / MS + 1000;
    int len = snprintf(state, sizeof state, "%llu", (unsigned long long)until);
    theater_spawn_options_t options = THEATER_SPAWN_OPTIONS_INIT;
    options.initial_state =
        (theater_bytes_t){(const uint8_t *)state, (size_t)len};
    for (size_t i = 0; i < count; i++) {
        snprintf(name, sizeof name, "r%zu", i);
        assert_int_equal(theater_runtime_spawn(world->runtime, name, manifest,
                                               &options, NULL),
                         THEATER_OK);
    }
    theater_manifest_release(manifest);
    world_await_prefix(world, "failed r", count);
    /* They are in it when the process computes: nothing else does. */
    uint64_t end = th_now(world->env) + 10000 * MS;
    uint64_t enough = processor_ns() + 50 * MS;
    static const _Atomic uint32_t word = 0;
    while (processor_ns() < enough) {
        assert_true(th_now(world->env) < end);
        world->env->park(world->env->ctx, &word, 0, th_now(world->env) + MS);
    }
}

/* One who fails when she is told, and is to be restarted at once. */
static void spawn_ann(struct world *world)
{
    theater_manifest_t *manifest =
        world_player("restart = \"on-failure\"\nrestart_backoff = \"0s\"\n");
    world_spawn(world, "ann", manifest, "");
    theater_manifest_release(manifest);
}

static void restart_ann(struct world *world)
{
    assert_true(post_send(world->post, "ann", "trap"));
    world_await(world, "restarted ann", 1);
}

static void stop_restarter(struct world *world, size_t i)
{
    char text[64];
    snprintf(text, sizeof text, "r%zu", i);
    assert_int_equal(theater_runtime_stop(world->runtime, text, "enough"),
                     THEATER_OK);
    snprintf(text, sizeof text, "stopped r%zu: enough", i);
    world_await(world, text, 1);
}

static void a_start_that_loops_holds_up_no_other_restart(void **state)
{
    (void)state;
    struct world world;
    world_start(&world, NULL);
    spawn_ann(&world);
    spawn_restarters(&world, 1, "1ms", "unlimited");
    uint64_t before = th_now(world.env);
    restart_ann(&world);
    stop_restarter(&world, 0);
    /* Long before its start would have come to its limit. */
    assert_true(th_now(world.env) - before < 4000 * MS);
    world_end(&world);
}

static void a_stop_does_not_wait_for_the_queue_of_restarts(void **state)
{
    (void)state;
    struct world world;
    world_start(&world, NULL);
    spawn_restarters(&world, 12, "1ms", "unlimited");
    for (size_t n = 0; n < 12; n++) {
        /* From both ends: the first two are not both at the queue's head. */
        size_t i = n % 2 == 0 ? n / 2 : 11 - n / 2;
        uint64_t before = th_now(world.env);
        stop_restarter(&world, i);
        assert_true(th_now(world.env) - before < 2000 * MS);
    }
    world_end(&world);
}

/* Each computes for 200 ms in a helper, again and again: 24 of them would, by
 * turns on two cores, keep another waiting for 2 s. */
static void starts_that_loop_again_and_again_hold_up_no_other(void **state)
{
    (void)state;
    struct world world;
    world_start(&world, NULL);
    spawn_ann(&world);
    spawn_restarters(&world, 24, "1ms", "200ms");
    world_await_prefix(&world, "failed r", 48); /* all have been slow once */
    uint64_t before = th_now(world.env);
    restart_ann(&world);
    assert_true(th_now(world.env) - before < 1000 * MS);
    world_end(&world);
}

/* It waits for 800 ms each time, which the period of 1 s leaves out. */
static void who_starts_slowly_is_given_up_all_the_same(void **state)
{
    (void)state;
    struct world world;
    world_start(&world, NULL);
    spawn_restarters(&world, 1, "1s", "200ms");
    assert_int_equal(theater_runtime_wait_actor(world.runtime, "r0", WAIT_MS),
                     THEATER_OK);
    world_await_prefix(&world, "failed r0", 4);
    assert_non_null(strstr(world.lines[world.lines_len - 1],
                           "(not restarted: it was 3 times already)"));
    world_end(&world);
}

static void deleting_the_runtime_ends_starts_that_loop(void **state)
{
    (void)state;
    struct world world;
    world_start(&world, NULL);
    const theater_env_t *env = world.env;
    spawn_restarters(&world, 6, "1ms", "unlimited");
    uint64_t before = th_now(env);
    world_end(&world);
    assert_true(th_now(env) - before < 4000 * MS);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(keeps_name_and_messages_and_runs_first),
        cmocka_unit_test(waits_twice_as_long_each_time),
        cmocka_unit_test(restarts_count_within_the_period_only),
        cmocka_unit_test(the_wait_has_a_bound),
        cmocka_unit_test(a_large_number_of_restarts_is_met_exactly),
        cmocka_unit_test(who_exits_with_status_0_has_not_failed),
        cmocka_unit_test(a_stop_ends_an_actor_that_waits_for_its_restart),
        cmocka_unit_test(a_limit_is_a_failure_and_a_stop_is_none),
        cmocka_unit_test(deleting_the_runtime_does_not_wait_for_restarts),
        cmocka_unit_test(restarts_work_on_real_workers),
        cmocka_unit_test(a_start_that_loops_holds_up_no_other_restart),
        cmocka_unit_test(a_stop_does_not_wait_for_the_queue_of_restarts),
        cmocka_unit_test(starts_that_loop_again_and_again_hold_up_no_other),
        cmocka_unit_test(who_starts_slowly_is_given_up_all_the_same),
        cmocka_unit_test(deleting_the_runtime_ends_starts_that_loop),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
