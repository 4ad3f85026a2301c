/* SPDX-License-Identifier: Apache-2.0 */
/* Design notes: waiting for actors. Who waits counts itself under the lock
 * and parks on the epoch that it read there; whoever drops an actor changes
 * the epoch under the lock, so no end is missed. That nothing can happen any
 * more is the scheduler's to say. In a simulated runtime waiting is running:
 * the caller's thread makes the steps, and time is virtual.
 * Threads: any but workers. Cannot fail. */
#include "runtime/runtime.h"

/* What the scheduler can't see: the last actor is gone while a handler's
 * timer is still running. */
#define LOOK_AGAIN_NS UINT64_C(20000000)

struct waited {
    struct theater_actor *actor; /* NULL: all */
    uint64_t serial;             /* of the actor */
};

static uint64_t deadline_of(struct theater_runtime *runtime,
                            uint64_t timeout_ms)
{
    uint64_t now = th_now(runtime->env);
    if (timeout_ms >= (THEATER_NEVER - now) / 1000000) {
        return THEATER_NEVER;
    }
    return now + timeout_ms * 1000000;
}

/* Under the lock. */
static bool is_over(const struct theater_runtime *runtime,
                    const struct waited *waited)
{
    return waited->actor == NULL ? runtime->live == 0
                                 : waited->actor->serial != waited->serial;
}

static bool is_over_now(struct theater_runtime *runtime,
                        const struct waited *waited)
{
    th_lock(runtime->env, &runtime->lock);
    bool over = is_over(runtime, waited);
    th_unlock(runtime->env, &runtime->lock);
    return over;
}

static enum th_run ring(struct th_task *task)
{
    (void)task;
    return TH_RUN_IDLE;
}

/* Without something to do at `deadline_ns` the clock would jump past it. */
static void set_alarm(struct theater_runtime *runtime, uint64_t deadline_ns)
{
    if (deadline_ns != THEATER_NEVER) {
        th_task_init(&runtime->alarm, ring);
        runtime->alarm_timer = (struct th_wake_timer){.task = &runtime->alarm};
        th_sched_wake_at(runtime->sched, &runtime->alarm_timer, deadline_ns);
    }
}

static void clear_alarm(struct theater_runtime *runtime, uint64_t deadline_ns)
{
    if (deadline_ns != THEATER_NEVER) {
        th_sched_timer_fini(runtime->sched, &runtime->alarm_timer);
    }
}

/* One step at a time, so that the clock stands where it ended. */
static theater_status_t simulate_until(struct theater_runtime *runtime,
                                       const struct waited *waited,
                                       uint64_t deadline_ns)
{
    theater_status_t status = THEATER_OK;
    set_alarm(runtime, deadline_ns);
    while (status == THEATER_OK && !is_over_now(runtime, waited)) {
        if (th_now(runtime->env) >= deadline_ns ||
            th_sched_simulate(runtime->sched, 1) == 0) {
            status = THEATER_TIMEOUT;
        }
    }
    clear_alarm(runtime, deadline_ns);
    return status;
}

/* No alarm, which would be something that happens: the clock may come to stand
 * behind the deadline. */
static theater_status_t simulate_quiet(struct theater_runtime *runtime,
                                       uint64_t deadline_ns)
{
    const struct waited all = {0};
    while (!is_over_now(runtime, &all) &&
           th_sched_simulate(runtime->sched, 1) != 0) {
        if (th_now(runtime->env) >= deadline_ns) {
            return THEATER_TIMEOUT;
        }
    }
    return THEATER_OK;
}

static theater_status_t park_until(struct theater_runtime *runtime,
                                   const struct waited *waited,
                                   uint64_t deadline_ns)
{
    const theater_env_t *env = runtime->env;
    theater_status_t status = THEATER_OK;
    th_lock(env, &runtime->lock);
    runtime->waiters++;
    while (!is_over(runtime, waited)) {
        /* relaxed: it changes under the lock only */
        uint32_t epoch =
            atomic_load_explicit(&runtime->gone_epoch, memory_order_relaxed);
        if (th_now(env) >= deadline_ns) {
            status = THEATER_TIMEOUT;
            break;
        }
        th_unlock(env, &runtime->lock);
        env->park(env->ctx, &runtime->gone_epoch, epoch, deadline_ns);
        th_lock(env, &runtime->lock);
    }
    runtime->waiters--;
    th_unlock(env, &runtime->lock);
    return status;
}

static theater_status_t quiet_until(struct theater_runtime *runtime,
                                    uint64_t deadline_ns)
{
    const struct waited all = {0};
    for (;;) {
        if (is_over_now(runtime, &all)) {
            return THEATER_OK;
        }
        uint64_t now = th_now(runtime->env);
        if (now >= deadline_ns) {
            return THEATER_TIMEOUT;
        }
        uint64_t until = deadline_ns - now > LOOK_AGAIN_NS ? now + LOOK_AGAIN_NS
                                                           : deadline_ns;
        if (th_sched_wait_quiet(runtime->sched, until) == THEATER_OK) {
            return THEATER_OK;
        }
    }
}

theater_status_t theater_runtime_wait(theater_runtime_t *runtime,
                                      theater_wait_for_t what,
                                      uint64_t timeout_ms)
{
    if (th_on_worker()) {
        return THEATER_WRONG_THREAD;
    }
    const struct waited all = {0};
    uint64_t deadline = deadline_of(runtime, timeout_ms);
    if (what == THEATER_WAIT_QUIET) {
        return runtime->simulated ? simulate_quiet(runtime, deadline)
                                  : quiet_until(runtime, deadline);
    }
    return runtime->simulated ? simulate_until(runtime, &all, deadline)
                              : park_until(runtime, &all, deadline);
}

theater_status_t theater_runtime_wait_actor(theater_runtime_t *runtime,
                                            const char *name,
                                            uint64_t timeout_ms)
{
    if (th_on_worker()) {
        return THEATER_WRONG_THREAD;
    }
    struct waited one = {0};
    th_lock(runtime->env, &runtime->lock);
    one.actor = th_table_find(runtime, name, true);
    one.serial = one.actor == NULL ? 0 : one.actor->serial;
    th_unlock(runtime->env, &runtime->lock);
    if (one.actor == NULL) {
        return THEATER_OK;
    }
    uint64_t deadline = deadline_of(runtime, timeout_ms);
    return runtime->simulated ? simulate_until(runtime, &one, deadline)
                              : park_until(runtime, &one, deadline);
}

uint64_t theater_runtime_simulate(theater_runtime_t *runtime,
                                  uint64_t max_steps, uint64_t *out_hash)
{
    uint64_t steps = 0;
    if (runtime->simulated) {
        steps = th_sched_simulate(runtime->sched, max_steps);
        if (out_hash != NULL) {
            *out_hash = runtime->event_hash;
        }
    }
    return steps;
}
