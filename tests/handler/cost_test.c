/* SPDX-License-Identifier: Apache-2.0 */
/* Design notes
 *
 * What a message costs between two actors, on one worker: the same guest sends
 * and receives, as a core module or as a component (tests/components), so that
 * docs/actor-api.md can say what the encoding costs. The figure is printed; a
 * bound far above it holds it on a machine that is busy with other things. */
#include "world.h"

enum { MESSAGES = 50000, BOUND_NS = 200000 };

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
    driver(&world, "a", NULL);
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

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_message_between_two_actors_has_its_price),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
