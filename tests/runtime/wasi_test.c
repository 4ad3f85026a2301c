/* SPDX-License-Identifier: Apache-2.0 */
/* What WASI's functions cost an actor system, where they wait. */
#include "world.h"

#include <time.h>

/* Nanoseconds of processor that this process took so far. */
static uint64_t processor_ns(void)
{
    struct timespec now;
    assert_int_equal(clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &now), 0);
    return (uint64_t)now.tv_sec * UINT64_C(1000000000) + (uint64_t)now.tv_nsec;
}

static void sleeping_through_wasi_takes_no_processor(void **state)
{
    (void)state;
    struct world world;
    world_start(&world, NULL);
    theater_manifest_t *manifest =
        world_manifest("name = \"s\"\npackage = \"sleeper.wasm\"\n"
                       "[[handler]]\ntype = \"runtime\"\n",
                       false);
    /* The first is compiled; the second's second is measured. */
    world_spawn(&world, "s", manifest, "");
    world_await(&world, "log s: slept", 1);
    uint64_t wall = th_now(world.env);
    uint64_t before = processor_ns();
    world_spawn(&world, "t", manifest, "");
    world_await(&world, "log t: slept", 1);
    uint64_t took = processor_ns() - before;
    assert_true(th_now(world.env) - wall >= UINT64_C(1000000000));
    if (took > UINT64_C(300000000)) {
        fail_msg("%llu ms of processor in a sleep of 1 s",
                 (unsigned long long)(took / 1000000));
    }
    theater_manifest_release(manifest);
    world_end(&world);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(sleeping_through_wasi_takes_no_processor),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
