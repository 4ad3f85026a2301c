/* SPDX-License-Identifier: Apache-2.0 */
/* Design notes. One helper thread for work that blocks. It is started by the
 * first job and ends when none came for a while; the next job joins what is
 * left of it and starts another. A lock is right here: jobs take milliseconds.
 *
 * `pending` counts jobs from before they are queued until after they ran; it
 * keeps the scheduler from being quiet (quiet.c).
 *   [M1] word: fetch_add, release, under the lock; the helper reads it under
 *        the lock too, so that it doesn't sleep when a job came after. */
#include "sched/internal.h"

#define IDLE_NS UINT64_C(1000000000) /* the helper ends after that */

void th_jobs_init(struct th_jobs *jobs)
{
    jobs->first = NULL;
    jobs->last = &jobs->first;
}

static void job_done(struct th_sched *sched)
{
    /* quiet.c [M1], [M2] seq_cst */
    if (atomic_fetch_sub_explicit(&sched->jobs.pending, 1,
                                  memory_order_seq_cst) == 1) {
        th_quiet_bump(sched);
    }
}

/* The next job; NULL: none, and *out_word is what to park on; or the helper
 * has ended. */
static struct th_job *next_job(struct th_sched *sched, bool end,
                               uint32_t *out_word)
{
    struct th_jobs *jobs = &sched->jobs;

    th_lock(sched->env, &jobs->lock);
    struct th_job *job = jobs->first;
    if (job != NULL) {
        jobs->first = job->next;
        if (jobs->first == NULL) {
            jobs->last = &jobs->first;
        }
    } else if (end || jobs->stop) {
        jobs->running = false;
    }
    /* relaxed: [M1], under the lock */
    *out_word = atomic_load_explicit(&jobs->word, memory_order_relaxed);
    th_unlock(sched->env, &jobs->lock);
    return job;
}

static void helper_main(void *arg)
{
    struct th_sched *sched = arg;
    struct th_jobs *jobs = &sched->jobs;
    uint64_t end_ns = th_now(sched->env) + IDLE_NS;

    for (;;) {
        uint32_t word;
        bool end = th_now(sched->env) >= end_ns;
        struct th_job *job = next_job(sched, end, &word);
        if (job != NULL) {
            job->run(job);
            job_done(sched);
            end_ns = th_now(sched->env) + IDLE_NS;
            continue;
        }
        if (end) {
            return;
        }
        th_lock(sched->env, &jobs->lock);
        bool running = jobs->running;
        th_unlock(sched->env, &jobs->lock);
        if (!running) {
            return;
        }
        sched->env->park(sched->env->ctx, &jobs->word, word, end_ns);
    }
}

/* Under the lock. False: no thread can be had. */
static bool start_helper(struct th_sched *sched)
{
    struct th_jobs *jobs = &sched->jobs;

    if (jobs->thread != NULL) {
        sched->env->thread_join(sched->env->ctx, jobs->thread);
        jobs->thread = NULL;
    }
    jobs->running =
        sched->env->thread_start(sched->env->ctx, "helper", helper_main, sched,
                                 &jobs->thread) == THEATER_OK;
    return jobs->running;
}

/* False: to be run by the caller. */
static bool enqueue(struct th_sched *sched, struct th_job *job)
{
    struct th_jobs *jobs = &sched->jobs;

    th_lock(sched->env, &jobs->lock);
    bool queued = jobs->running || start_helper(sched);
    if (queued) {
        job->next = NULL;
        *jobs->last = job;
        jobs->last = &job->next;
        /* [M1] release */
        atomic_fetch_add_explicit(&jobs->word, 1, memory_order_release);
    }
    th_unlock(sched->env, &jobs->lock);
    return queued;
}

void th_sched_run_job(struct th_sched *sched, struct th_job *job)
{
    /* quiet.c [M1] seq_cst */
    atomic_fetch_add_explicit(&sched->jobs.pending, 1, memory_order_seq_cst);
    if (sched->sim == NULL && enqueue(sched, job)) {
        sched->env->unpark(sched->env->ctx, &sched->jobs.word, 1);
        return;
    }
    job->run(job);
    job_done(sched);
}

void th_jobs_stop(struct th_sched *sched)
{
    struct th_jobs *jobs = &sched->jobs;

    th_lock(sched->env, &jobs->lock);
    jobs->stop = true;
    theater_thread_t *thread = jobs->thread;
    /* [M1] release */
    atomic_fetch_add_explicit(&jobs->word, 1, memory_order_release);
    th_unlock(sched->env, &jobs->lock);
    if (thread != NULL) {
        sched->env->unpark(sched->env->ctx, &jobs->word, 1);
        sched->env->thread_join(sched->env->ctx, thread);
    }
}
