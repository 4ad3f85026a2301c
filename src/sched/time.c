/* SPDX-License-Identifier: Apache-2.0 */
/* Design notes. Workers drive time: a busy one looks each TH_POLL_NS, the
 * watcher sleeps until the next deadline (idle.c). One worker at a time
 * advances, who comes meanwhile leaves it to that one; nobody waits.
 *   [M1] th_time_poll: exchange of `time_busy`, acquire; pairs with the store
 *        at its end, release: the sources' own state travels.
 *
 * A wake timer's `due_ns` decides what its wheel timer, which may fire for a
 * deadline that was replaced at that moment, is allowed to do: who changes it
 * from a deadline to NEVER, by firing or disarming, counts it out of `armed`;
 * who changes it from NEVER counts it in before the wheel knows it. So `armed`
 * is the number of timers that may still wake a task; a firing wakes before it
 * counts out, so that the scheduler isn't quiet in between.
 *   [M2] due_ns: exchange or compare-exchange, acq_rel: the two ends of a
 *        deadline, by the task and by who advances, see one another's.
 *   [M3] armed: seq_cst; read by quiet.c.
 *   [M4] gone: release; pairs with the acquire in th_sched_timer_fini: the
 *        wheel's last use of the timer happened before its memory goes. */
#include "sched/internal.h"

enum { FIRE_AT_ONCE = 16 }; /* timers in one look at the clock */

uint64_t th_time_next(struct th_sched *sched)
{
    uint64_t next = THEATER_NEVER;

    /* [M3] seq_cst */
    if (atomic_load_explicit(&sched->armed, memory_order_seq_cst) > 0) {
        next = th_timers_next(sched->timers);
    }
    for (unsigned i = 0; i < th_sources(sched); i++) {
        struct th_time_source *source = &sched->sources[i];
        uint64_t deadline = source->next_deadline(source->ctx);
        if (deadline < next) {
            next = deadline;
        }
    }
    return next;
}

uint64_t th_time_poll(struct th_sched *sched, uint64_t now_ns)
{
    uint64_t next = th_time_next(sched);

    /* [M1] acquire */
    if (next > now_ns || atomic_exchange_explicit(&sched->time_busy, 1,
                                                  memory_order_acquire) != 0) {
        return next;
    }
    th_timers_advance(sched->timers, now_ns, FIRE_AT_ONCE);
    for (unsigned i = 0; i < th_sources(sched); i++) {
        struct th_time_source *source = &sched->sources[i];
        if (source->next_deadline(source->ctx) <= now_ns) {
            source->advance(source->ctx, now_ns);
        }
    }
    /* [M1] release */
    atomic_store_explicit(&sched->time_busy, 0, memory_order_release);
    return th_time_next(sched);
}

static struct th_wake_timer *wake_timer_of(struct th_timer *timer)
{
    return TH_CONTAINER_OF(timer, struct th_wake_timer, timer);
}

static void count_out(struct th_sched *sched)
{
    /* [M3] seq_cst */
    atomic_fetch_sub_explicit(&sched->armed, 1, memory_order_seq_cst);
}

static void fire(struct th_timer *wheel_timer)
{
    struct th_wake_timer *timer = wake_timer_of(wheel_timer);
    struct th_sched *sched = timer->sched;
    /* acquire: with [M2] */
    uint64_t due = atomic_load_explicit(&timer->due_ns, memory_order_acquire);

    /* A later deadline took its place: the wheel has it, or gets it, and fires
     * again. Later than the clock, not than the time that was given to advance:
     * a wheel that another thread has turned further fires what is due by then,
     * and knows the timer no more. (It was lost so, once in 40 stress runs.) */
    if (due > th_now(sched->env)) {
        return;
    }
    /* [M2] acq_rel; relaxed on failure: replaced at this moment */
    if (atomic_compare_exchange_strong_explicit(
            &timer->due_ns, &due, THEATER_NEVER, memory_order_acq_rel,
            memory_order_relaxed)) {
        th_sched_wake(sched, timer->task);
        count_out(sched);
    }
}

static void gone(struct th_timer *wheel_timer)
{
    struct th_wake_timer *timer = wake_timer_of(wheel_timer);
    const theater_env_t *env = timer->sched->env;
    _Atomic uint32_t *word = &timer->gone;

    /* [M4] release; from here on only the word's address is used */
    atomic_store_explicit(word, 1, memory_order_release);
    env->unpark(env->ctx, word, 1);
}

static void set_due(struct th_wake_timer *timer, uint64_t deadline_ns)
{
    struct th_sched *sched = timer->sched;

    /* [M3] seq_cst: counted in first, so that it is never missed */
    if (deadline_ns != THEATER_NEVER) {
        atomic_fetch_add_explicit(&sched->armed, 1, memory_order_seq_cst);
    }
    /* [M2] acq_rel */
    if (atomic_exchange_explicit(&timer->due_ns, deadline_ns,
                                 memory_order_acq_rel) != THEATER_NEVER) {
        count_out(sched);
    }
}

void th_sched_wake_at(struct th_sched *sched, struct th_wake_timer *timer,
                      uint64_t deadline_ns)
{
    struct th_worker *worker = th_worker_current;

    if (timer->sched == NULL) {
        timer->sched = sched;
        /* relaxed: not shared yet */
        atomic_init(&timer->due_ns, THEATER_NEVER);
        atomic_init(&timer->gone, 0);
        th_timer_init(&timer->timer, fire, gone);
    }
    set_due(timer, deadline_ns);
    th_timer_arm(sched->timers, &timer->timer, deadline_ns);
    if (deadline_ns == THEATER_NEVER || sched->sim != NULL) {
        return;
    }
    if (worker != NULL && deadline_ns < worker->due_ns) {
        worker->due_ns = deadline_ns;
    }
    th_idle_deadline(sched, deadline_ns);
}

void th_sched_timer_fini(struct th_sched *sched, struct th_wake_timer *timer)
{
    if (timer->sched == NULL) {
        return; /* never armed */
    }
    set_due(timer, THEATER_NEVER);
    th_timer_close(sched->timers, &timer->timer);
    /* Another thread that uses the wheel at this moment does it soon. */
    /* [M4] acquire */
    while (atomic_load_explicit(&timer->gone, memory_order_acquire) == 0) {
        sched->env->park(sched->env->ctx, &timer->gone, 0, THEATER_NEVER);
    }
    timer->sched = NULL;
}

void th_sched_time_changed(struct th_sched *sched, uint64_t deadline_ns)
{
    if (sched->sim == NULL) {
        th_idle_deadline(sched, deadline_ns);
    }
}
