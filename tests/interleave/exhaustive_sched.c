/* SPDX-License-Identifier: Apache-2.0 */
/* All schedules, up to a bound of preemptions, of small cases of the scheduler:
 * tasks that are woken by a thread outside and by each other while workers run
 * them, look for more and fall asleep. */
#include "exhaustive_workers.h"

static void prepare(void *ctx)
{
    open_sched(*(unsigned *)ctx);
    world.cells[0].relays = 1;
    th_sched_hold(world.sched);
}

static void run(void *ctx, unsigned who)
{
    (void)ctx;
    if (works(who)) {
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
