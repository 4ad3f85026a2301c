/* SPDX-License-Identifier: Apache-2.0 */
/* Many actors: made, used, stopped, and all at once from several threads. */
#include "world.h"

#include <pthread.h>

static void a_thousand_actors_come_and_go(void **state)
{
    (void)state;
    struct world world;
    world_start(&world, NULL);
    theater_manifest_t *manifest = world_player("");
    char name[16];
    for (int round = 0; round < 2; round++) {
        for (int i = 0; i < 1000; i++) {
            snprintf(name, sizeof name, "a-%d", i);
            world_spawn(&world, name, manifest, "");
        }
        for (int i = 0; i < 1000; i++) {
            snprintf(name, sizeof name, "a-%d", i);
            assert_true(post_send(world.post, name, "log got"));
        }
        assert_int_equal(
            theater_runtime_wait(world.runtime, THEATER_WAIT_QUIET, WAIT_MS),
            THEATER_OK);
        for (int i = 0; i < 1000; i++) {
            snprintf(name, sizeof name, "a-%d", i);
            assert_int_equal(theater_runtime_stop(world.runtime, name, "bye"),
                             THEATER_OK);
        }
        assert_int_equal(
            theater_runtime_wait(world.runtime, THEATER_WAIT_STOPPED, WAIT_MS),
            THEATER_OK);
    }
    assert_int_equal(world_told_prefix(&world, "spawned "), 2000);
    assert_int_equal(world_told_prefix(&world, "stopped "), 2000);
    assert_int_equal(post_counts(world.post)->done, 2000);
    theater_runtime_stats_t stats;
    theater_runtime_stats(world.runtime, &stats);
    assert_int_equal(stats.live, 0);
    assert_int_equal(stats.deliveries, 2000);
    assert_int_equal(stats.compiled, 1);
    theater_manifest_release(manifest);
    world_end(&world);
}

/* --- Churn ---------------------------------------------------------------- */

struct churn {
    struct world world;
    theater_manifest_t *manifest, *native;
    _Atomic uint32_t seed, over;
};

enum { NAMES = 24, ROUNDS = 400, THREADS = 3 };

static void ignore(void *self, theater_actor_t *actor,
                   theater_delivery_t *delivery)
{
    (void)self;
    (void)actor;
    delivery->status = THEATER_OK;
}

static void make_someone(struct churn *churn, const char *name, bool native)
{
    static const theater_native_ops_t ops = {
        .size = sizeof ops, .exports = 1, .handler = "post", .deliver = ignore};
    theater_runtime_t *runtime = churn->world.runtime;
    theater_status_t status =
        native
            ? theater_runtime_spawn_native(runtime, name, churn->native, NULL,
                                           &ops, NULL, NULL)
            : theater_runtime_spawn(runtime, name, churn->manifest, NULL, NULL);
    TH_CHECK(status == THEATER_OK || status == THEATER_ALREADY_EXISTS);
}

static void *disturb(void *arg)
{
    static const char *const texts[] = {"log x",  "trap",    "sleep 1",
                                        "stop x", "sleep 0", "count"};
    struct churn *churn = arg;
    struct th_rng rng;
    th_rng_init(
        &rng, atomic_fetch_add_explicit(&churn->seed, 1, memory_order_relaxed));
    for (int i = 0; i < ROUNDS; i++) {
        char name[16];
        unsigned who = (unsigned)th_rng_below(&rng, NAMES);
        snprintf(name, sizeof name, "c-%u", who);
        switch (th_rng_below(&rng, 6)) {
        case 0:
        case 1:
            make_someone(churn, name, who % 3 == 0);
            break;
        case 2: {
            theater_status_t ignored =
                theater_runtime_stop(churn->world.runtime, name, "churn");
            (void)ignored;
            break;
        }
        default:
            for (int k = 0; k < 5; k++) {
                post_send(churn->world.post, name,
                          texts[th_rng_below(&rng, 6)]);
            }
            break;
        }
    }
    return NULL;
}

static void count_one(void *user, const theater_actor_info_t *info)
{
    (void)info;
    ++*(size_t *)user;
}

static void *look(void *arg)
{
    struct churn *churn = arg;
    while (atomic_load_explicit(&churn->over, memory_order_relaxed) == 0) {
        size_t count = 0;
        theater_runtime_list(churn->world.runtime, count_one, &count);
        /* A list is no one moment: who ended and was made again in another
         * slot meanwhile is in it twice. */
        TH_CHECK(count <= 2 * NAMES);
    }
    return NULL;
}

static void churn_from_several_threads_loses_nothing(void **state)
{
    (void)state;
    static struct churn churn;
    churn = (struct churn){0};
    world_start(&churn.world, NULL);
    churn.manifest = world_player("restart = \"on-failure\"\n"
                                  "max_restarts = 2\n"
                                  "restart_backoff = \"1ms\"\n");
    churn.native = world_manifest(
        "name = \"native\"\n[[handler]]\ntype = \"post\"\n", true);
    pthread_t threads[THREADS], looker;
    pthread_create(&looker, NULL, look, &churn);
    for (int i = 0; i < THREADS; i++) {
        pthread_create(&threads[i], NULL, disturb, &churn);
    }
    for (int i = 0; i < THREADS; i++) {
        pthread_join(threads[i], NULL);
    }
    atomic_store_explicit(&churn.over, 1, memory_order_relaxed);
    pthread_join(looker, NULL);
    theater_runtime_stop_all(churn.world.runtime, "over");
    assert_int_equal(theater_runtime_wait(churn.world.runtime,
                                          THEATER_WAIT_STOPPED, WAIT_MS),
                     THEATER_OK);
    theater_runtime_stats_t stats;
    theater_runtime_stats(churn.world.runtime, &stats);
    assert_int_equal(stats.spawned, stats.stopped + stats.failed);
    assert_int_equal(world_told_prefix(&churn.world, "spawned "),
                     stats.spawned);
    assert_int_equal(world_told_prefix(&churn.world, "stopped "),
                     stats.stopped);
    assert_int_equal(world_told_prefix(&churn.world, "failed "),
                     stats.failed + post_counts(churn.world.post)->restarts);
    assert_true(stats.spawned > 20);
    theater_manifest_release(churn.manifest);
    theater_manifest_release(churn.native);
    world_end(&churn.world);
}

static void deleting_in_the_middle_of_everything_is_clean(void **state)
{
    (void)state;
    for (int round = 0; round < 10; round++) {
        struct world world;
        world_start(&world, NULL);
        theater_manifest_t *manifest = world_player(
            "restart = \"on-failure\"\nrestart_backoff = \"1ms\"\n");
        char name[16];
        for (int i = 0; i < 50; i++) {
            snprintf(name, sizeof name, "d-%d", i);
            world_spawn(&world, name, manifest,
                        i % 3 == 0 ? "sleep 1\ntrap" : "sleep 1\nloop");
            post_send(world.post, name, "log never");
        }
        theater_manifest_release(manifest);
        world_end(&world);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_thousand_actors_come_and_go),
        cmocka_unit_test(churn_from_several_threads_loses_nothing),
        cmocka_unit_test(deleting_in_the_middle_of_everything_is_clean),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
