/* SPDX-License-Identifier: Apache-2.0 */
/* All schedules, up to a bound of preemptions, of small cases of the scheduler:
 * tasks that are woken by a thread outside and by each other while workers run
 * them, look for more and fall asleep. Sleepers are woken by nothing but an
 * unpark, and time passes only where nothing else can: for who sleeps until a
 * push that is under way must have ended. So a wake that is lost ends in a
 * schedule in which nobody gets on. */
#include "exhaustive.h"

#include "sched/internal.h"

enum { WORKERS = 2, TASKS = 2, THREADS = WORKERS + 1 };

struct cell {
    struct th_task task;
    _Atomic uint32_t posted, handled;
    unsigned relays; /* wakes of the other that its runs may still make */
};

static struct world {
    theater_env_t env;
    struct th_sched *sched;
    unsigned workers;
    void (*mains[WORKERS])(void *arg);
    void *args[WORKERS];
    unsigned started;
    _Atomic(const void *) parked[THREADS]; /* the word that it sleeps on */
    unsigned waited; /* sleeps that ended by their deadline */
    bool quiet;
    struct cell cells[TASKS];
} world;

static _Thread_local unsigned self;

static theater_status_t start_thread(void *ctx, const char *name,
                                     void (*run)(void *arg), void *arg,
                                     theater_thread_t **out)
{
    (void)ctx;
    (void)name;
    (void)out;
    world.mains[world.started] = run;
    world.args[world.started] = arg;
    world.started++;
    return THEATER_OK;
}

static void join_thread(void *ctx, theater_thread_t *thread)
{
    (void)ctx;
    (void)thread;
}

/* As the kernel: the look at the word and going to sleep are one step. */
static void park(void *ctx, const void *word, uint32_t expected,
                 uint64_t deadline_ns)
{
    (void)ctx;
    atomic_store_explicit(&world.parked[self], word, memory_order_relaxed);
    th_interleave_point();
    if (*(const volatile uint32_t *)word != expected) {
        atomic_store_explicit(&world.parked[self], NULL, memory_order_relaxed);
        return;
    }
    while (atomic_load_explicit(&world.parked[self], memory_order_relaxed) !=
           NULL) {
        if (th_interleave_sleep() && deadline_ns != THEATER_NEVER) {
            world.waited++;
            th_interleave_set_now(deadline_ns);
            atomic_store_explicit(&world.parked[self], NULL,
                                  memory_order_relaxed);
        }
    }
}

static void unpark(void *ctx, const void *word, uint32_t count)
{
    (void)ctx;
    for (unsigned i = 0; i < THREADS && count > 0; i++) {
        if (atomic_load_explicit(&world.parked[i], memory_order_relaxed) ==
            word) {
            atomic_store_explicit(&world.parked[i], NULL, memory_order_relaxed);
            count--;
        }
    }
}

static void post(struct cell *cell)
{
    /* relaxed: the wake brings it */
    atomic_fetch_add_explicit(&cell->posted, 1, memory_order_relaxed);
    th_sched_wake(world.sched, &cell->task);
}

static enum th_run cell_run(struct th_task *task)
{
    struct cell *cell = TH_CONTAINER_OF(task, struct cell, task);
    /* relaxed: the wake has brought it */
    atomic_store_explicit(
        &cell->handled,
        atomic_load_explicit(&cell->posted, memory_order_relaxed),
        memory_order_relaxed);
    if (cell->relays > 0) {
        cell->relays--;
        post(&world.cells[(cell - world.cells + 1) % TASKS]);
    }
    return TH_RUN_IDLE;
}

static bool all_handled(void)
{
    bool all = true;
    for (unsigned i = 0; i < TASKS; i++) {
        struct cell *cell = &world.cells[i];
        all = all &&
              atomic_load_explicit(&cell->posted, memory_order_relaxed) ==
                  atomic_load_explicit(&cell->handled, memory_order_relaxed);
    }
    return all;
}

static void prepare(void *ctx)
{
    memset(&world, 0, sizeof world);
    world.workers = *(unsigned *)ctx;
    world.env = *th_interleave_env();
    world.env.thread_start = start_thread;
    world.env.thread_join = join_thread;
    world.env.park = park;
    world.env.unpark = unpark;
    struct th_sched_options options = {.env = &world.env,
                                       .workers = world.workers};
    TH_CHECK(th_sched_new(&options, &world.sched) == THEATER_OK);
    for (unsigned i = 0; i < TASKS; i++) {
        th_task_init(&world.cells[i].task, cell_run);
    }
    world.cells[0].relays = 1;
    th_sched_hold(world.sched);
}

static void run(void *ctx, unsigned who)
{
    (void)ctx;
    self = who;
    if (who < world.workers) {
        world.mains[who](world.args[who]);
        return;
    }
    post(&world.cells[0]);
    post(&world.cells[1]);
    th_sched_unhold(world.sched);
    world.quiet =
        th_sched_wait_quiet(world.sched, THEATER_NEVER) == THEATER_OK &&
        all_handled();
    th_idle_stop(world.sched);
}

static void check(void *ctx)
{
    (void)ctx;
    TH_CHECK(world.quiet && all_handled());
    th_sched_delete(world.sched);
}

static void no_wake_is_lost_and_quiet_is_exact(void **state)
{
    static unsigned one = 1, two = 2;
    (void)state;
    explore("scheduler: a worker, two tasks, three wakes", 2, 2, prepare, run,
            check, &one);
    if (!deep()) {
        return;
    }
    explore("scheduler: two workers, two tasks, three wakes", 3, 1, prepare,
            run, check, &two);
}

/* --- Time ----------------------------------------------------------------- */

#define MS UINT64_C(1000000)

enum { TIMERS = 3 };

static struct th_task sleepers[TIMERS];
static struct th_wake_timer timers[TIMERS];

static enum th_run sleep_on(struct th_task *task)
{
    (void)task;
    return TH_RUN_IDLE;
}

static void time_prepare(void *ctx)
{
    prepare(ctx);
    th_interleave_set_now(1010 * MS);
    memset(timers, 0, sizeof timers);
    for (unsigned i = 0; i < TIMERS; i++) {
        th_task_init(&sleepers[i], sleep_on);
        timers[i].task = &sleepers[i];
    }
}

/* One has read the clock; before it turns the wheel, another reads a later
 * time, turns it further, and arms two timers of the time in between. */
static void time_run(void *ctx, unsigned who)
{
    (void)ctx;
    self = who;
    if (who == 0) {
        uint64_t now = th_now(&world.env);
        th_time_poll(world.sched, now);
        return;
    }
    th_sched_wake_at(world.sched, &timers[0], 1001 * MS);
    th_interleave_set_now(1020 * MS);
    th_time_poll(world.sched, 1020 * MS);
    th_sched_wake_at(world.sched, &timers[1], 1005 * MS);
    th_sched_wake_at(world.sched, &timers[2], 1015 * MS);
}

static void time_check(void *ctx)
{
    (void)ctx;
    th_interleave_set_now(1100 * MS);
    th_time_poll(world.sched, 1100 * MS);
    for (unsigned i = 0; i < TIMERS; i++) {
        TH_CHECK(atomic_load_explicit(&timers[i].due_ns,
                                      memory_order_relaxed) == THEATER_NEVER);
        th_sched_timer_fini(world.sched, &timers[i]);
    }
    TH_CHECK(atomic_load_explicit(&world.sched->armed, memory_order_relaxed) ==
             0);
    th_sched_unhold(world.sched);
    th_sched_delete(world.sched);
}

static void a_timer_wakes_though_another_thread_is_ahead_in_time(void **state)
{
    static unsigned one = 1;
    (void)state;
    explore("time: one turns the wheel with a time that it read before", 2,
            all_or(2), time_prepare, time_run, time_check, &one);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(no_wake_is_lost_and_quiet_is_exact),
        cmocka_unit_test(a_timer_wakes_though_another_thread_is_ahead_in_time),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
