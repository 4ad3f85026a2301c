/* SPDX-License-Identifier: Apache-2.0 */
/* The runtime is whole without the message server: this program links no part
 * of src/messaging (the build lists what it links) and runs a WebAssembly actor
 * and a native one. */
#include "world.h"

static _Atomic uint32_t ran;

static void run(void *self, theater_actor_t *actor)
{
    (void)self;
    ran++;
    theater_actor_stop(actor, "that was all");
}

static void deliver(void *self, theater_actor_t *actor,
                    theater_delivery_t *delivery)
{
    (void)self;
    (void)actor;
    (void)delivery;
}

static void runs_a_guest_and_a_native_actor(void **state)
{
    (void)state;
    static const theater_native_ops_t ops = {
        .size = sizeof ops, .run = run, .deliver = deliver};
    struct world world;
    world_start(&world, NULL);
    theater_manifest_t *manifest =
        world_manifest("name = \"guest\"\npackage = \"" PLAYER "\"\n"
                       "[[handler]]\ntype = \"runtime\"\n",
                       false);
    theater_manifest_t *native = world_manifest("name = \"native\"\n", true);
    world_spawn(&world, NULL, manifest, "log hello\nstop done");
    assert_int_equal(theater_runtime_spawn_native(world.runtime, NULL, native,
                                                  NULL, &ops, NULL, NULL),
                     THEATER_OK);
    assert_int_equal(
        theater_runtime_wait(world.runtime, THEATER_WAIT_STOPPED, WAIT_MS),
        THEATER_OK);
    assert_int_equal(ran, 1);
    assert_int_equal(world_told(&world, "log guest: hello"), 1);
    assert_int_equal(world_told(&world, "stopped guest: done"), 1);
    assert_int_equal(world_told(&world, "stopped native: that was all"), 1);
    theater_manifest_release(manifest);
    theater_manifest_release(native);
    world_end(&world);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(runs_a_guest_and_a_native_actor),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
