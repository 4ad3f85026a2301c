/* SPDX-License-Identifier: Apache-2.0 */
/* Native actors: C callbacks with the life of an actor. */
#include "world.h"

#include <stdlib.h>

struct self {
    _Atomic uint64_t runs, delivered, woken, destroyed;
    _Atomic uint32_t inside;
    bool stops; /* at its third delivery */
    struct world *world;
    char last[64];
};

static void run(void *self_of, theater_actor_t *actor)
{
    struct self *self = self_of;
    assert_true(theater_on_worker());
    assert_non_null(theater_actor_handler(actor, "post"));
    assert_null(theater_actor_handler(actor, "nothing"));
    assert_int_equal(self->delivered, 0);
    self->runs++;
}

static void deliver(void *self_of, theater_actor_t *actor,
                    theater_delivery_t *delivery)
{
    struct self *self = self_of;
    assert_int_equal(self->inside++, 0);
    assert_int_equal(self->runs, 1);
    size_t len = delivery->args[0].bytes.len;
    memcpy(self->last, delivery->args[0].bytes.data, len);
    self->last[len] = '\0';
    if (++self->delivered == 3 && self->stops) {
        theater_actor_stop(actor, "three are enough");
    }
    delivery->status = THEATER_OK;
    self->inside--;
}

static void woken(void *self_of, theater_actor_t *actor)
{
    struct self *self = self_of;
    (void)actor;
    self->woken++;
}

static void destroy(void *self_of)
{
    struct self *self = self_of;
    self->destroyed++;
}

static const theater_native_ops_t ops = {
    .size = sizeof ops,
    .exports = 1,
    .handler = "post",
    .run = run,
    .deliver = deliver,
    .woken = woken,
    .destroy = destroy,
};

#define MANIFEST "name = \"native\"\n[[handler]]\ntype = \"post\"\n"

static void gets_deliveries_one_at_a_time_after_run(void **state)
{
    (void)state;
    struct world world;
    struct self self = {0};
    world_start(&world, NULL);
    theater_manifest_t *manifest = world_manifest(MANIFEST, true);
    assert_int_equal(theater_runtime_spawn_native(world.runtime, NULL, manifest,
                                                  NULL, &ops, &self, NULL),
                     THEATER_OK);
    for (int i = 0; i < 10000; i++) {
        assert_true(post_send(world.post, "native", "hello"));
    }
    assert_int_equal(
        theater_runtime_wait(world.runtime, THEATER_WAIT_QUIET, WAIT_MS),
        THEATER_OK);
    assert_int_equal(self.runs, 1);
    assert_int_equal(self.delivered, 10000);
    assert_true(self.woken >= 1);
    assert_string_equal(self.last, "hello");
    theater_runtime_stats_t stats;
    theater_runtime_stats(world.runtime, &stats);
    assert_int_equal(stats.deliveries, 10000);
    assert_int_equal(stats.live, 1);
    assert_int_equal(stats.workers, 2);
    assert_int_equal(self.destroyed, 0);
    world_end(&world);
    assert_int_equal(self.destroyed, 1);
    theater_manifest_release(manifest);
}

static void stops_itself_before_what_is_queued(void **state)
{
    (void)state;
    struct world world;
    struct self self = {.stops = true};
    world_start(&world, &(struct world_options){.workers = 1});
    theater_manifest_t *manifest = world_manifest(MANIFEST, true);
    theater_spawn_options_t paused = THEATER_SPAWN_OPTIONS_INIT;
    paused.paused = true;
    assert_int_equal(theater_runtime_spawn_native(world.runtime, "n", manifest,
                                                  &paused, &ops, &self, NULL),
                     THEATER_OK);
    for (int i = 0; i < 10; i++) {
        assert_true(post_send(world.post, "n", "hello"));
    }
    assert_int_equal(
        theater_runtime_wait(world.runtime, THEATER_WAIT_QUIET, WAIT_MS),
        THEATER_OK);
    assert_int_equal(self.runs, 0); /* paused: nothing happens */
    theater_runtime_start_all(world.runtime);
    assert_int_equal(theater_runtime_wait_actor(world.runtime, "n", WAIT_MS),
                     THEATER_OK);
    assert_int_equal(self.delivered, 3);
    assert_int_equal(self.destroyed, 1);
    assert_int_equal(post_counts(world.post)->unopened, 7);
    assert_int_equal(world_told(&world, "stopped n: three are enough"), 1);
    world_end(&world);
    theater_manifest_release(manifest);
}

static void a_failed_spawn_leaves_self_to_the_caller(void **state)
{
    (void)state;
    struct world world;
    struct self self = {0};
    world_start(&world, &(struct world_options){.failing = "bad"});
    theater_manifest_t *manifest = world_manifest(MANIFEST, true);
    theater_error_t err;
    assert_int_equal(theater_runtime_spawn_native(world.runtime, "bad",
                                                  manifest, NULL, &ops, &self,
                                                  &err),
                     THEATER_DENIED);
    assert_string_equal(err.text, "it fails on purpose");
    assert_int_equal(self.destroyed, 0);
    assert_int_equal(post_counts(world.post)->instances, 0);
    assert_int_equal(theater_runtime_stop(world.runtime, "bad", "x"),
                     THEATER_NOT_FOUND);
    theater_native_ops_t incomplete = ops;
    incomplete.deliver = NULL;
    assert_int_equal(theater_runtime_spawn_native(world.runtime, "a", manifest,
                                                  NULL, &incomplete, &self,
                                                  NULL),
                     THEATER_INVALID_ARGUMENT);
    world_end(&world);
    theater_manifest_release(manifest);
}

static theater_manifest_t *spare;

static void blocking(void *self_of, theater_actor_t *actor,
                     theater_delivery_t *delivery)
{
    struct self *self = self_of;
    struct world *world = self->world;
    (void)actor;
    (void)delivery;
    if (theater_runtime_wait(world->runtime, THEATER_WAIT_QUIET, 1) ==
            THEATER_WRONG_THREAD &&
        theater_runtime_wait_actor(world->runtime, "x", 1) ==
            THEATER_WRONG_THREAD &&
        theater_runtime_spawn(world->runtime, "x", spare, NULL, NULL) ==
            THEATER_WRONG_THREAD) {
        self->delivered++;
    }
}

static void a_call_that_blocks_is_refused_on_a_worker(void **state)
{
    (void)state;
    struct world world;
    struct self self = {.world = &world};
    theater_native_ops_t blocker = {
        .size = sizeof blocker, .handler = "post", .deliver = blocking};
    world_start(&world, NULL);
    assert_false(theater_on_worker());
    theater_manifest_t *manifest = world_manifest(MANIFEST, true);
    assert_int_equal(theater_runtime_spawn_native(world.runtime, "n", manifest,
                                                  NULL, &blocker, &self, NULL),
                     THEATER_OK);
    spare = manifest;
    assert_true(post_send(world.post, "n", "go"));
    assert_int_equal(
        theater_runtime_wait(world.runtime, THEATER_WAIT_QUIET, WAIT_MS),
        THEATER_OK);
    assert_int_equal(self.delivered, 1);
    world_end(&world);
    theater_manifest_release(manifest);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(gets_deliveries_one_at_a_time_after_run),
        cmocka_unit_test(stops_itself_before_what_is_queued),
        cmocka_unit_test(a_failed_spawn_leaves_self_to_the_caller),
        cmocka_unit_test(a_call_that_blocks_is_refused_on_a_worker),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
