/* SPDX-License-Identifier: Apache-2.0 */
/* The simulated scheduler: the same seed, the same run; other seeds, others. */
#include "sched/sched_testing.h"

#include <stdlib.h>

enum { TASKS = 20, SEEDS = 300 };

struct actor {
    struct th_task task;
    struct th_sched *sched;
    struct th_wake_timer timer;
    uint64_t runs;
    uint64_t left;
    uint64_t due_ns;
    struct actor *all;
};

struct world {
    struct th_sim_env *sim;
    const theater_env_t *env;
    struct th_sched *sched;
    struct actor actors[TASKS];
};

static void open_world(struct world *world, uint64_t seed,
                       enum th_run (*run)(struct th_task *))
{
    memset(world, 0, sizeof(*world));
    assert_int_equal(th_sim_env_new(seed, &world->sim), THEATER_OK);
    world->env = th_sim_env_table(world->sim);
    struct th_sched_options options = {
        .env = world->env, .simulated = true, .seed = seed};
    assert_int_equal(th_sched_new(&options, &world->sched), THEATER_OK);
    for (unsigned i = 0; i < TASKS; i++) {
        struct actor *actor = &world->actors[i];
        actor->sched = world->sched;
        actor->timer.task = &actor->task;
        actor->all = world->actors;
        th_task_init(&actor->task, run);
    }
}

static void close_world(struct world *world)
{
    for (unsigned i = 0; i < TASKS; i++) {
        th_sched_timer_fini(world->sched, &world->actors[i].timer);
    }
    th_sched_delete(world->sched);
    th_sim_env_delete(world->sim);
}

/* Each run wakes two others, sleeps now and then, runs again now and then. */
static enum th_run mixed(struct th_task *task)
{
    struct actor *actor = TH_CONTAINER_OF(task, struct actor, task);
    size_t self = (size_t)(actor - actor->all);

    actor->runs++;
    if (actor->left == 0) {
        return TH_RUN_IDLE;
    }
    actor->left--;
    th_sched_wake(actor->sched, &actor->all[(self * 3 + 1) % TASKS].task);
    if (actor->left % 3 == 0) {
        th_sched_wake_at(actor->sched, &actor->timer,
                         th_now(actor->sched->env) + actor->left * MS);
    }
    return actor->left % 2 == 0 ? TH_RUN_AGAIN : TH_RUN_IDLE;
}

static uint64_t run_mixed(uint64_t seed, uint64_t *out_steps)
{
    static struct world world;
    open_world(&world, seed, mixed);
    for (unsigned i = 0; i < TASKS; i++) {
        world.actors[i].left = 30;
        th_sched_wake(world.sched, &world.actors[i].task);
    }
    *out_steps = th_sched_simulate(world.sched, 1000000);
    assert_true(*out_steps < 1000000);
    assert_int_equal(th_sched_wait_quiet(world.sched, 0), THEATER_OK);
    uint64_t runs = 0;
    for (unsigned i = 0; i < TASKS; i++) {
        runs += world.actors[i].runs;
    }
    assert_int_equal(runs, *out_steps);
    uint64_t hash = th_sched_sim_hash(world.sched);
    close_world(&world);
    return hash;
}

static int compare(const void *a, const void *b)
{
    const uint64_t *x = a;
    const uint64_t *y = b;
    return (*x > *y) - (*x < *y);
}

static void the_same_seed_gives_the_same_run_and_others_differ(void **state)
{
    static uint64_t hashes[SEEDS];
    unsigned different = 1;
    (void)state;

    for (uint64_t seed = 0; seed < SEEDS; seed++) {
        uint64_t steps, again;
        hashes[seed] = run_mixed(seed, &steps);
        assert_true(run_mixed(seed, &again) == hashes[seed]);
        assert_int_equal(steps, again);
    }
    qsort(hashes, SEEDS, sizeof(hashes[0]), compare);
    for (unsigned i = 1; i < SEEDS; i++) {
        different += hashes[i] != hashes[i - 1];
    }
    assert_true(different > SEEDS * 9 / 10);
}

/* The bug: a writer that is overtaken between its two steps. */
static uint64_t balance;

static enum th_run lossy(struct th_task *task)
{
    struct actor *actor = TH_CONTAINER_OF(task, struct actor, task);
    if (actor->runs++ == 0) {
        actor->left = balance;
        return TH_RUN_AGAIN;
    }
    balance = actor->left + 1;
    return TH_RUN_IDLE;
}

static void
a_planted_bug_of_order_is_found_by_some_seed_not_by_all(void **state)
{
    static struct world world;
    unsigned found = 0;
    (void)state;

    for (uint64_t seed = 0; seed < SEEDS; seed++) {
        open_world(&world, seed, lossy);
        balance = 0;
        th_sched_wake(world.sched, &world.actors[0].task);
        th_sched_wake(world.sched, &world.actors[1].task);
        assert_int_equal(th_sched_simulate(world.sched, 100), 4);
        found += balance != 2;
        close_world(&world);
    }
    assert_in_range(found, 20, SEEDS - 20);
}

static enum th_run forever(struct th_task *task)
{
    struct actor *actor = TH_CONTAINER_OF(task, struct actor, task);
    actor->runs++;
    return TH_RUN_AGAIN;
}

static void nobody_starves_under_any_seed(void **state)
{
    static struct world world;
    (void)state;

    for (uint64_t seed = 0; seed < 40; seed++) {
        open_world(&world, seed, forever);
        for (unsigned i = 0; i < TASKS; i++) {
            th_sched_wake(world.sched, &world.actors[i].task);
        }
        assert_int_equal(th_sched_simulate(world.sched, 20000), 20000);
        assert_int_equal(th_sched_wait_quiet(world.sched, 0), THEATER_TIMEOUT);
        for (unsigned i = 0; i < TASKS; i++) {
            assert_true(world.actors[i].runs > 0);
        }
        close_world(&world);
    }
}

static enum th_run long_sleep(struct th_task *task)
{
    struct actor *actor = TH_CONTAINER_OF(task, struct actor, task);
    uint64_t now = th_now(actor->sched->env);

    if (actor->runs++ == 0) {
        actor->due_ns = now + actor->left * UINT64_C(3600) * 1000 * MS;
        th_sched_wake_at(actor->sched, &actor->timer, actor->due_ns);
    } else {
        assert_true(now >= actor->due_ns);
        assert_true(now - actor->due_ns < 10 * MS);
    }
    return TH_RUN_IDLE;
}

static void hours_of_sleep_pass_at_once_and_in_order(void **state)
{
    static struct world world;
    uint64_t begin = th_now(theater_env_default());
    (void)state;

    open_world(&world, 1, long_sleep);
    for (unsigned i = 0; i < TASKS; i++) {
        world.actors[i].left = i + 1;
        th_sched_wake(world.sched, &world.actors[i].task);
    }
    assert_int_equal(th_sched_simulate(world.sched, 1000), 2 * TASKS);
    for (unsigned i = 0; i < TASKS; i++) {
        assert_int_equal(world.actors[i].runs, 2);
    }
    assert_true(th_now(theater_env_default()) - begin < BOUND);
    close_world(&world);
}

static enum th_run ask_to_yield(struct th_task *task)
{
    struct actor *actor = TH_CONTAINER_OF(task, struct actor, task);
    for (unsigned i = 0; i < 1000; i++) {
        actor->left += th_sched_should_yield(actor->sched);
    }
    assert_true(th_on_worker());
    assert_int_equal(th_sched_current_worker(actor->sched), 0);
    actor->runs++;
    return TH_RUN_IDLE;
}

static void runs_are_told_to_end_only_when_others_are_ready(void **state)
{
    static struct world world;
    (void)state;

    open_world(&world, 3, ask_to_yield);
    th_sched_wake(world.sched, &world.actors[0].task);
    th_sched_wake(world.sched, &world.actors[1].task);
    assert_int_equal(th_sched_simulate(world.sched, 10), 2);
    uint64_t a = world.actors[0].left, b = world.actors[1].left;
    assert_true((a == 0) != (b == 0));
    assert_true(a + b > 50);
    assert_false(th_on_worker());
    close_world(&world);
}

static void mark_job(struct th_job *job)
{
    job->run = NULL;
}

static void a_job_runs_at_once(void **state)
{
    static struct world world;
    struct th_job job = {.run = mark_job};
    (void)state;

    open_world(&world, 1, forever);
    th_sched_run_job(world.sched, &job);
    assert_null(job.run);
    assert_int_equal(th_sched_simulate(world.sched, 1), 0);
    close_world(&world);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_same_seed_gives_the_same_run_and_others_differ),
        cmocka_unit_test(
            a_planted_bug_of_order_is_found_by_some_seed_not_by_all),
        cmocka_unit_test(nobody_starves_under_any_seed),
        cmocka_unit_test(hours_of_sleep_pass_at_once_and_in_order),
        cmocka_unit_test(runs_are_told_to_end_only_when_others_are_ready),
        cmocka_unit_test(a_job_runs_at_once),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
