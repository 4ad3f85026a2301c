/* SPDX-License-Identifier: Apache-2.0 */
/* Design notes. Quiet: nothing can happen any more, unless someone outside
 * starts something new. Then no worker is awake, nothing is in the injector (a
 * worker empties its own queues before it sleeps), no timer is armed, no job
 * is queued or runs, nobody outside holds, no source is busy.
 *
 * These are many words, and they are read one after another. What makes it one
 * moment is the epoch, read before and after: `pushed` (each wake from outside
 * a worker counts) and `rises` (each worker that gets up by itself counts
 * before it does). [M1] If neither changed while all workers were seen asleep,
 * then no worker worked in between, so nothing that only workers change did
 * change; holds, jobs and wakes from outside are ordered by those who make
 * them: who may wake holds before, and lets go after, its wake; a job's wakes
 * come before its end. All of it is seq_cst, so that there is one order to
 * argue in. It is done twice.
 *
 * Who looks: whoever waits. When: each time that something may have made it
 * quiet: the last worker falls asleep, the last hold or job ends. [M2] The
 * waiter counts itself in `waiters`, then looks; they change their word, then
 * read `waiters`, all seq_cst: so either the waiter sees the change, or they
 * see the waiter. Only sources have no way to say so; while they alone are
 * what is waited for, the waiter looks each 2 ms. */
#include "sched/internal.h"

#define SOURCE_POLL_NS UINT64_C(2000000)

void th_quiet_bump(struct th_sched *sched)
{
    /* [M2] seq_cst */
    if (atomic_load_explicit(&sched->waiters, memory_order_seq_cst) == 0) {
        return;
    }
    /* release: pairs with the waiter's load of the word */
    atomic_fetch_add_explicit(&sched->quiet_word, 1, memory_order_release);
    sched->env->unpark(sched->env->ctx, &sched->quiet_word, UINT32_MAX);
}

static bool zero(const _Atomic uint64_t *word)
{
    /* [M1] seq_cst */
    return atomic_load_explicit(word, memory_order_seq_cst) == 0;
}

static bool sources_quiet(struct th_sched *sched)
{
    for (unsigned i = 0; i < th_sources(sched); i++) {
        struct th_time_source *source = &sched->sources[i];
        /* A deadline may be one that nobody wants any more; what is busy
         * counts, where the source can tell. */
        if (source->busy != NULL
                ? source->busy(source->ctx)
                : source->next_deadline(source->ctx) != THEATER_NEVER) {
            return false;
        }
    }
    return true;
}

static uint64_t epoch(struct th_sched *sched)
{
    /* [M1] seq_cst; all only grow, so their sum says whether one did */
    return atomic_load_explicit(&sched->injector.pushed, memory_order_seq_cst) +
           atomic_load_explicit(&sched->slow[TH_SLOW_WOKEN].pushed,
                                memory_order_seq_cst) +
           atomic_load_explicit(&sched->slow[TH_SLOW_AGAIN].pushed,
                                memory_order_seq_cst) +
           atomic_load_explicit(&sched->rises, memory_order_seq_cst);
}

static bool workers_quiet(struct th_sched *sched)
{
    if (sched->sim != NULL) {
        return th_sim_idle(sched);
    }
    return th_idle_all(sched) && th_injector_size(&sched->injector) == 0 &&
           th_place_slow_size(sched) == 0;
}

static bool look(struct th_sched *sched)
{
    uint64_t before = epoch(sched);

    bool quiet = workers_quiet(sched) && zero(&sched->holds) &&
                 zero(&sched->jobs.pending) && zero(&sched->armed) &&
                 sources_quiet(sched) && workers_quiet(sched);
    return quiet && epoch(sched) == before;
}

/* When to look again though nothing is said. */
static uint64_t next_look(struct th_sched *sched, uint64_t now_ns,
                          uint64_t deadline_ns)
{
    if (!workers_quiet(sched) || sources_quiet(sched)) {
        return deadline_ns;
    }
    uint64_t poll = now_ns + SOURCE_POLL_NS;
    return poll < deadline_ns ? poll : deadline_ns;
}

theater_status_t th_sched_wait_quiet(struct th_sched *sched,
                                     uint64_t deadline_ns)
{
    const theater_env_t *env = sched->env;
    theater_status_t status = THEATER_TIMEOUT;

    TH_CHECK(sched->sim != NULL || !th_on_worker());
    /* [M2] seq_cst */
    atomic_fetch_add_explicit(&sched->waiters, 1, memory_order_seq_cst);
    for (;;) {
        /* acquire: pairs with th_quiet_bump */
        uint32_t word =
            atomic_load_explicit(&sched->quiet_word, memory_order_acquire);
        if (look(sched) && look(sched)) {
            status = THEATER_OK;
            break;
        }
        uint64_t now = th_now(env);
        /* In a simulation nothing happens while we wait. */
        if (now >= deadline_ns || sched->sim != NULL) {
            break;
        }
        env->park(env->ctx, &sched->quiet_word, word,
                  next_look(sched, now, deadline_ns));
    }
    /* relaxed: who reads an old one wakes nobody */
    atomic_fetch_sub_explicit(&sched->waiters, 1, memory_order_relaxed);
    return status;
}

void th_sched_hold(struct th_sched *sched)
{
    /* [M1] seq_cst */
    atomic_fetch_add_explicit(&sched->holds, 1, memory_order_seq_cst);
}

void th_sched_unhold(struct th_sched *sched)
{
    /* [M1], [M2] seq_cst */
    uint64_t before =
        atomic_fetch_sub_explicit(&sched->holds, 1, memory_order_seq_cst);
    TH_ASSERT(before > 0);
    if (before == 1) {
        th_quiet_bump(sched);
    }
}
