/* SPDX-License-Identifier: Apache-2.0 */
/* All schedules, up to a bound of preemptions, in which a worker may fall
 * asleep while a thread outside stands still in the middle of something: of a
 * push into the injector, of a turn of a wheel. Pauses are none here. */
#include "exhaustive_workers.h"

#define SECOND UINT64_C(1000000000)

/* --- A push that stands still --------------------------------------------- */

static _Atomic uint32_t first_is_done;

static void push_prepare(void *ctx)
{
    (void)ctx;
    open_sched(1);
    /* relaxed: nobody else is here */
    atomic_store_explicit(&first_is_done, 0, memory_order_relaxed);
}

/* 1 wakes a task. 2 wakes the other under a hold, and waits until it is quiet.
 */
static void push_run(void *ctx, unsigned who)
{
    (void)ctx;
    if (works(who)) {
        return;
    }
    if (who == 1) {
        post(&world.cells[0]);
        /* release; pairs with the acquire below */
        atomic_store_explicit(&first_is_done, 1, memory_order_release);
        unpark(NULL, &first_is_done, 1);
        return;
    }
    th_sched_hold(world.sched);
    post(&world.cells[1]);
    th_sched_unhold(world.sched);
    TH_CHECK(th_sched_wait_quiet(world.sched, THEATER_NEVER) == THEATER_OK);
    TH_CHECK(is_handled(&world.cells[1]));
    /* acquire; pairs with the release above */
    while (atomic_load_explicit(&first_is_done, memory_order_acquire) == 0) {
        park(NULL, &first_is_done, 0, THEATER_NEVER);
    }
    TH_CHECK(th_sched_wait_quiet(world.sched, THEATER_NEVER) == THEATER_OK);
    th_idle_stop(world.sched);
}

static void push_check(void *ctx)
{
    (void)ctx;
    TH_CHECK(all_handled());
    th_sched_delete(world.sched);
}

static void it_is_not_quiet_while_a_task_that_was_woken_waits(void **state)
{
    (void)state;
    explore("scheduler: two wakes from outside, one stands still", 3, 1,
            push_prepare, push_run, push_check, NULL);
}

/* --- A wheel that a thread outside has ------------------------------------ */

static struct th_timers *wheel;
static struct th_timer its, ours;
static struct th_task arms;
static _Atomic uint32_t fired;

static void fire_its(struct th_timer *timer)
{
    (void)timer;
    /* release; pairs with the acquire in wheel_run */
    atomic_store_explicit(&fired, 1, memory_order_release);
    unpark(NULL, &fired, 1);
}

static void fire_ours(struct th_timer *timer)
{
    (void)timer;
}

static uint64_t source_next(void *ctx)
{
    (void)ctx;
    return th_timers_next(wheel);
}

static void source_advance(void *ctx, uint64_t now_ns)
{
    (void)ctx;
    (void)th_timers_advance(wheel, now_ns, 16);
}

static enum th_run arm_its(struct th_task *task)
{
    (void)task;
    th_timer_arm(wheel, &its, 2 * SECOND);
    return TH_RUN_IDLE;
}

/* Both timers are of one wheel: this thread made them. */
static void wheel_prepare(void *ctx)
{
    struct th_time_source source = {NULL, source_next, source_advance, NULL};
    (void)ctx;
    open_sched(1);
    th_interleave_set_now(SECOND);
    TH_CHECK(th_timers_new(&world.env, &wheel) == THEATER_OK);
    th_timer_init(&its, fire_its, NULL);
    th_timer_init(&ours, fire_ours, NULL);
    th_sched_add_time_source(world.sched, &source);
    th_task_init(&arms, arm_its);
    /* relaxed: nobody else is here */
    atomic_store_explicit(&fired, 0, memory_order_relaxed);
    th_sched_wake(world.sched, &arms);
}

/* As a program that starts something with a deadline far away, and so need not
 * care for time soon, while an actor starts something with a near one. */
static void wheel_run(void *ctx, unsigned who)
{
    (void)ctx;
    if (works(who)) {
        return;
    }
    th_timer_arm(wheel, &ours, 9 * SECOND);
    /* acquire; pairs with the release in fire_its */
    while (atomic_load_explicit(&fired, memory_order_acquire) == 0) {
        park(NULL, &fired, 0, THEATER_NEVER);
    }
    TH_CHECK(th_now(&world.env) < 3 * SECOND);
    th_idle_stop(world.sched);
}

static void wheel_check(void *ctx)
{
    (void)ctx;
    th_timer_arm(wheel, &ours, THEATER_NEVER);
    th_sched_delete(world.sched);
    th_timers_delete(wheel);
}

static void a_timer_fires_though_another_thread_had_the_wheel(void **state)
{
    (void)state;
    explore("time: a worker arms while a thread outside has the wheel", 2,
            deep() ? 2 : 1, wheel_prepare, wheel_run, wheel_check, NULL);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(it_is_not_quiet_while_a_task_that_was_woken_waits),
        cmocka_unit_test(a_timer_fires_though_another_thread_had_the_wheel),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
