/* SPDX-License-Identifier: Apache-2.0 */
/* Under load from all sides: each wake is followed by a run that sees it, no
 * task runs twice at once, and quiet is said neither early nor never. */
#include "sched/sched_testing.h"

enum { TASKS = 300, PRODUCERS = 3, ROUNDS = 25, EACH = 400 };

struct cell {
    struct th_task task;
    struct world *world;
    struct th_wake_timer timer;
    _Atomic uint64_t posted;  /* units of work, counted before the wake */
    _Atomic uint64_t running; /* runs at this moment */
    uint64_t handled;         /* units that runs took */
    bool timer_set;
    struct th_rng rng;
};

struct world {
    const theater_env_t *env;
    struct th_sched *sched;
    struct cell cells[TASKS];
    _Atomic uint64_t budget; /* posts that may still be made by tasks */
    _Atomic uint64_t posted, handled;
    _Atomic uint64_t overlaps;
    bool no_timers;
};

struct job {
    struct th_job job;
    struct cell *cell;
};

static struct world world;

static void post(struct cell *cell)
{
    bump(&cell->world->posted);
    bump(&cell->posted);
    th_sched_wake(cell->world->sched, &cell->task);
}

static bool spend(void)
{
    uint64_t left = get(&world.budget);
    while (left > 0) {
        if (atomic_compare_exchange_weak_explicit(
                &world.budget, &left, left - 1, memory_order_acq_rel,
                memory_order_acquire)) {
            return true;
        }
    }
    return false;
}

static void job_run(struct th_job *base)
{
    struct job *job = TH_CONTAINER_OF(base, struct job, job);
    post(job->cell);
    th_free(world.env, job);
}

static void start_job(struct cell *cell)
{
    struct job *job = th_alloc(world.env, sizeof(*job));
    if (job != NULL) {
        job->job = (struct th_job){.run = job_run};
        job->cell = cell;
        th_sched_run_job(world.sched, &job->job);
    }
}

static void act(struct cell *cell)
{
    struct cell *other = &world.cells[th_rng_below(&cell->rng, TASKS)];

    switch (th_rng_below(&cell->rng, 64)) {
    case 0:
        start_job(other);
        break;
    case 1:
        if (!cell->timer_set && !world.no_timers) {
            cell->timer_set = true;
            th_sched_wake_at(world.sched, &cell->timer,
                             after(world.env, th_rng_below(&cell->rng, MS)));
        }
        break;
    default:
        post(other);
        break;
    }
}

static enum th_run cell_run(struct th_task *task)
{
    struct cell *cell = TH_CONTAINER_OF(task, struct cell, task);

    if (bump(&cell->running) != 1) {
        bump(&world.overlaps);
    }
    uint64_t posted = get(&cell->posted);
    uint64_t units = posted - cell->handled;
    cell->handled = posted;
    cell->timer_set = false;
    atomic_fetch_add_explicit(&world.handled, units, memory_order_acq_rel);
    for (uint64_t i = 0; i < units + 1; i++) {
        if (spend()) {
            act(cell);
        }
    }
    if (th_rng_below(&cell->rng, 256) == 0) {
        /* Long enough to be slow. */
        uint64_t until = after(world.env, 2 * TH_LONG_NS);
        while (th_now(world.env) < until) {
            th_pause();
        }
    }
    bool again = th_rng_below(&cell->rng, 16) == 0 && spend();
    atomic_fetch_sub_explicit(&cell->running, 1, memory_order_acq_rel);
    return again ? TH_RUN_AGAIN : TH_RUN_IDLE;
}

struct producer {
    uint64_t seed;
    theater_thread_t *thread;
};

/* Wakes from outside, under a hold that main took for it. */
static void produce(void *arg)
{
    struct producer *producer = arg;
    struct th_rng rng;

    th_rng_init(&rng, producer->seed);
    for (unsigned i = 0; i < EACH; i++) {
        post(&world.cells[th_rng_below(&rng, TASKS)]);
        if (th_rng_below(&rng, 50) == 0) {
            static _Atomic uint32_t never;
            world.env->park(world.env->ctx, &never, 0,
                            after(world.env, th_rng_below(&rng, MS)));
        }
    }
    th_sched_unhold(world.sched);
}

static void open_world(unsigned workers, uint64_t seed)
{
    memset(&world, 0, sizeof(world));
    world.env = theater_env_default();
    world.sched = open_sched(world.env, workers);
    for (unsigned i = 0; i < TASKS; i++) {
        struct cell *cell = &world.cells[i];
        cell->world = &world;
        cell->timer.task = &cell->task;
        th_rng_init(&cell->rng, seed * TASKS + i);
        th_task_init(&cell->task, cell_run);
    }
}

static void close_world(void)
{
    for (unsigned i = 0; i < TASKS; i++) {
        th_sched_timer_fini(world.sched, &world.cells[i].timer);
    }
    th_sched_delete(world.sched);
}

/* When quiet is said everything that was posted has been handled. */
static void check_round(void)
{
    assert_quiet(world.sched);
    assert_int_equal(get(&world.posted), get(&world.handled));
    assert_int_equal(get(&world.overlaps), 0);
    for (unsigned i = 0; i < TASKS; i++) {
        assert_int_equal(get(&world.cells[i].posted), world.cells[i].handled);
        assert_int_equal(get(&world.cells[i].running), 0);
    }
}

static void run_rounds(unsigned workers)
{
    open_world(workers, workers);
    for (unsigned round = 0; round < ROUNDS; round++) {
        struct producer producers[PRODUCERS];
        atomic_store_explicit(&world.budget, 20000, memory_order_release);
        for (unsigned i = 0; i < PRODUCERS; i++) {
            producers[i].seed = round * PRODUCERS + i;
            th_sched_hold(world.sched);
            assert_int_equal(world.env->thread_start(world.env->ctx, "producer",
                                                     produce, &producers[i],
                                                     &producers[i].thread),
                             THEATER_OK);
        }
        check_round();
        for (unsigned i = 0; i < PRODUCERS; i++) {
            world.env->thread_join(world.env->ctx, producers[i].thread);
        }
    }
    close_world();
}

static void each_wake_is_followed_by_a_run_on_one_worker(void **state)
{
    (void)state;
    run_rounds(1);
}

static void each_wake_is_followed_by_a_run_on_two_workers(void **state)
{
    (void)state;
    run_rounds(2);
}

static void each_wake_is_followed_by_a_run_on_seven_workers(void **state)
{
    (void)state;
    run_rounds(7);
}

/* Small rounds, so that workers fall asleep all the time. */
static void quiet_is_never_said_early_and_always_said(void **state)
{
    (void)state;
    for (unsigned workers = 1; workers <= 3; workers++) {
        open_world(workers, 100 + workers);
        for (unsigned round = 0; round < 3000; round++) {
            atomic_store_explicit(&world.budget, round % 20,
                                  memory_order_release);
            post(&world.cells[round % TASKS]);
            if (round % 3 == 0) {
                start_job(&world.cells[(round + 1) % TASKS]);
            }
            check_round();
        }
        close_world();
    }
}

static void a_hold_keeps_it_from_being_quiet(void **state)
{
    (void)state;
    open_world(2, 1);
    th_sched_hold(world.sched);
    assert_int_equal(
        th_sched_wait_quiet(world.sched, after(world.env, 20 * MS)),
        THEATER_TIMEOUT);
    th_sched_hold(world.sched);
    th_sched_unhold(world.sched);
    assert_int_equal(th_sched_wait_quiet(world.sched, 0), THEATER_TIMEOUT);
    th_sched_unhold(world.sched);
    assert_quiet(world.sched);
    close_world();
}

static void delete_in_the_middle_of_everything_ends(void **state)
{
    (void)state;
    for (unsigned round = 0; round < 100; round++) {
        open_world(1 + round % 3, round);
        world.no_timers = true; /* they are closed while their tasks run */
        atomic_store_explicit(&world.budget, round * 10, memory_order_release);
        for (unsigned i = 0; i < 50; i++) {
            th_sched_wake(world.sched, &world.cells[i].task);
        }
        th_idle_stop(world.sched); /* as delete does first */
        close_world();
        assert_int_equal(get(&world.overlaps), 0);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(each_wake_is_followed_by_a_run_on_one_worker),
        cmocka_unit_test(each_wake_is_followed_by_a_run_on_two_workers),
        cmocka_unit_test(each_wake_is_followed_by_a_run_on_seven_workers),
        cmocka_unit_test(quiet_is_never_said_early_and_always_said),
        cmocka_unit_test(a_hold_keeps_it_from_being_quiet),
        cmocka_unit_test(delete_in_the_middle_of_everything_ends),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
