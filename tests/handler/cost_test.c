/* SPDX-License-Identifier: Apache-2.0 */
/* Design notes
 *
 * What a message costs between two actors, on one worker: the same guest sends
 * and receives, as a core module or as a component (tests/components), so that
 * docs/actor-api.md can say what the encoding costs. The figure is printed; a
 * bound far above it holds it on a machine that is busy with other things.
 *
 * THEATER_COST_MANIFEST names an actor in any language that sends each message
 * on, from `a` to `b` and from `b` to `a` (volley/): then that one is measured,
 * too, in processor time. */
#include "world.h"

#include <time.h>

enum { MESSAGES = 50000, BOUND_NS = 200000, GIVEN_MESSAGES = 20000 };

static uint64_t delivered(struct world *world)
{
    theater_counters_t counters;
    theater_router_counters(world->router, &counters);
    return counters.delivered;
}

static void a_message_between_two_actors_has_its_price(void **state)
{
    struct world world;
    struct world_options options = WORLD_OPTIONS;
    const theater_env_t *env = theater_env_default();
    uint64_t best = UINT64_MAX;
    (void)state;
    options.workers = 1;
    world_make(&world, &options);
    /* Under a sanitizer, on a busy machine, one flood computes for a second. */
    driver(&world, "a", "[limits]\ndelivery_time = \"1m\"");
    driver(&world, "b", NULL);
    for (int round = 0; round < 5; round++) {
        char line[160];
        snprintf(line, sizeof line, "flood b %d %064d", (int)MESSAGES, 1);
        uint64_t before = delivered(&world), start = th_now(env);
        order(&world, "a", line);
        until(delivered(&world) >= before + 1 + MESSAGES);
        uint64_t took = (th_now(env) - start) / MESSAGES;
        best = took < best ? took : best;
    }
    print_message("%s: %llu ns a message of 64 bytes, sent and handled\n",
                  guests_are_components() ? "components" : "core modules",
                  (unsigned long long)best);
    assert_true(best < BOUND_NS);
    assert_int_equal(count_of(&world.failed), 0);
    world_fini(&world);
}

/* Of all threads of the program. */
static uint64_t computed_ns(void)
{
    struct timespec now;
    clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &now);
    return (uint64_t)now.tv_sec * 1000000000 + (uint64_t)now.tv_nsec;
}

/* Looks seldom, since looking computes, too. */
static void until_given(struct world *world, uint64_t count)
{
    const theater_env_t *env = theater_env_default();
    static const _Atomic uint32_t word = 0;
    while (delivered(world) < count) {
        assert_int_equal(count_of(&world->failed), 0);
        env->park(env->ctx, &word, 0, th_now(env) + 20000000);
    }
}

static void spawn_two(struct world *world, const char *path)
{
    theater_manifest_t *manifest = NULL;
    theater_error_t err;
    if (theater_manifest_load_file(path, NULL, &manifest, &err) != THEATER_OK) {
        fail_msg("%s: %s", path, err.text);
    }
    static const char *const names[] = {"a", "b"};
    for (size_t i = 0; i < 2; i++) {
        if (theater_runtime_spawn(world->runtime, names[i], manifest, NULL,
                                  &err) != THEATER_OK) {
            fail_msg("%s: %s", names[i], err.text);
        }
    }
    theater_manifest_release(manifest);
}

static void a_message_between_two_given_actors_has_its_price(void **state)
{
    const char *path = getenv("THEATER_COST_MANIFEST");
    struct world world;
    struct world_options options = WORLD_OPTIONS;
    static const char ball[] = "thirty-two bytes that fly around";
    uint64_t best = UINT64_MAX;
    (void)state;
    if (path == NULL) {
        skip();
    }
    options.workers = 1;
    world_make(&world, &options);
    spawn_two(&world, path);
    assert_status(
        theater_router_send(world.router, NULL, text("a"), text(ball)),
        THEATER_OK);
    until_given(&world, GIVEN_MESSAGES);
    for (int round = 0; round < 5; round++) {
        uint64_t before = delivered(&world), start = computed_ns();
        until_given(&world, before + GIVEN_MESSAGES);
        uint64_t took = (computed_ns() - start) / (delivered(&world) - before);
        best = took < best ? took : best;
    }
    print_message("%s: %llu ns of computing a message of 32 bytes\n", path,
                  (unsigned long long)best);
    assert_int_equal(count_of(&world.failed), 0);
    theater_runtime_delete(world.runtime);
    theater_router_release(world.router);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_message_between_two_actors_has_its_price),
        cmocka_unit_test(a_message_between_two_given_actors_has_its_price),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
