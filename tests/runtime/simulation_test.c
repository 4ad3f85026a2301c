/* SPDX-License-Identifier: Apache-2.0 */
/* Simulated runtimes: the same seed, the same events. */
#include "world.h"

enum { SEEDS = 100, ACTORS = 8 };

static uint64_t hash_of(uint64_t seed)
{
    struct world world;
    uint64_t hash = 0;
    world_start(&world,
                &(struct world_options){.simulated = true, .seed = seed});
    theater_manifest_t *manifest =
        world_player("restart = \"on-failure\"\nmax_restarts = 2\n");
    char name[16];
    for (int i = 0; i < ACTORS; i++) {
        snprintf(name, sizeof name, "s-%d", i);
        world_spawn(&world, name, manifest,
                    i % 2 == 0 ? "log a\nsleep 0\nlog b" : "sleep 3\nlog c");
        post_send(world.post, name, i == 5 ? "trap" : "sleep 1\nlog d");
        post_send(world.post, name, "count");
    }
    theater_runtime_simulate(world.runtime, UINT64_MAX, &hash);
    assert_int_equal(world_told_prefix(&world, "log s-"), 8 + 4 + 7 + 8 + 1);
    assert_int_equal(world_told(&world, "restarted s-5"), 1);
    theater_manifest_release(manifest);
    world_end(&world);
    return hash;
}

static void the_same_seed_gives_the_same_hash_and_others_differ(void **state)
{
    (void)state;
    uint64_t hashes[SEEDS];
    size_t different = 0;
    for (uint64_t seed = 0; seed < SEEDS; seed++) {
        hashes[seed] = hash_of(seed);
        if (hash_of(seed) != hashes[seed]) {
            fail_msg("seed %llu gave two hashes", (unsigned long long)seed);
        }
        bool seen = false;
        for (uint64_t k = 0; k < seed; k++) {
            seen = seen || hashes[k] == hashes[seed];
        }
        different += !seen;
    }
    assert_true(different > SEEDS / 2);
}

static void virtual_hours_pass_at_once(void **state)
{
    (void)state;
    struct world world;
    world_start(&world, &(struct world_options){.simulated = true});
    theater_manifest_t *manifest = world_player("");
    uint64_t start = th_now(world.env);
    world_spawn(&world, "ann", manifest, "sleep 36000000\nlog slept");
    assert_int_equal(
        theater_runtime_wait(world.runtime, THEATER_WAIT_QUIET, UINT64_MAX),
        THEATER_OK);
    assert_int_equal(world_told(&world, "log ann: slept"), 1);
    assert_int_equal((th_now(world.env) - start) / UINT64_C(1000000), 36000000);
    assert_int_equal(
        theater_runtime_wait(world.runtime, THEATER_WAIT_STOPPED, 10),
        THEATER_TIMEOUT);
    theater_manifest_release(manifest);
    world_end(&world);
}

static void a_loop_is_limited_by_fuel(void **state)
{
    (void)state;
    struct world world;
    world_start(&world, &(struct world_options){.simulated = true});
    theater_manifest_t *manifest =
        world_player("[limits]\nrun_time = \"5ms\"\n");
    world_spawn(&world, "ann", manifest, "loop");
    world_spawn(&world, "bob", manifest, "log here");
    world_await_prefix(&world, "failed ann: limit: ", 1);
    assert_int_equal(world_told(&world, "log bob: here"), 1);
    theater_manifest_release(manifest);
    world_end(&world);
}

static void a_simulation_needs_a_simulated_environment(void **state)
{
    (void)state;
    theater_handler_registry_t *registry;
    assert_int_equal(theater_handler_registry_new(NULL, &registry), THEATER_OK);
    theater_runtime_options_t options = THEATER_RUNTIME_OPTIONS_INIT;
    options.simulated = true;
    theater_runtime_t *runtime = NULL;
    theater_error_t err;
    assert_int_equal(theater_runtime_new(registry, &options, &runtime, &err),
                     THEATER_INVALID_ARGUMENT);
    assert_null(runtime);
    theater_handler_registry_delete(registry);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_same_seed_gives_the_same_hash_and_others_differ),
        cmocka_unit_test(virtual_hours_pass_at_once),
        cmocka_unit_test(a_loop_is_limited_by_fuel),
        cmocka_unit_test(a_simulation_needs_a_simulated_environment),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
