/* SPDX-License-Identifier: Apache-2.0 */
/* Design notes. Helper threads for work that blocks. A job finds a helper that
 * is free, or one more is started for it, up to TH_HELPERS_MAX: a job that
 * takes long (a start function may take seconds) holds one of them, and the
 * others go on: those that took long the last time have half of the helpers at
 * most, and a queue of their own. A helper ends when no job came for a while;
 * who needs its place joins what is left of it. A lock is right here: jobs take
 * milliseconds.
 *
 * `pending` counts jobs from before they are queued until after they ran; it
 * keeps the scheduler from being quiet (quiet.c).
 *   [M1] word: fetch_add, release, under the lock; a helper reads it under
 *        the lock too, so that it doesn't sleep when a job came after. */
#include "sched/internal.h"

#define IDLE_NS UINT64_C(1000000000) /* a helper ends after that */

void th_jobs_init(struct th_sched *sched)
{
    struct th_jobs *jobs = &sched->jobs;

    jobs->quick.last = &jobs->quick.first;
    jobs->slow.last = &jobs->slow.first;
    for (unsigned i = 0; i < TH_HELPERS_MAX; i++) {
        jobs->helpers[i].sched = sched;
    }
}

static void job_done(struct th_sched *sched)
{
    /* quiet.c [M1], [M2] seq_cst */
    if (atomic_fetch_sub_explicit(&sched->jobs.pending, 1,
                                  memory_order_seq_cst) == 1) {
        th_quiet_bump(sched);
    }
}

static bool takes_long(const struct th_job *job)
{
    return job->took_ns >= TH_JOB_LONG_NS;
}

static struct th_job_list *list_of(struct th_jobs *jobs,
                                   const struct th_job *job)
{
    return takes_long(job) ? &jobs->slow : &jobs->quick;
}

static void append(struct th_jobs *jobs, struct th_job *job)
{
    struct th_job_list *list = list_of(jobs, job);

    job->next = NULL;
    job->at = list->last;
    *list->last = job;
    list->last = &job->next;
    jobs->queued++;
}

static void take_out(struct th_jobs *jobs, struct th_job *job)
{
    if (job->next != NULL) {
        job->next->at = job->at;
    } else {
        list_of(jobs, job)->last = job->at;
    }
    *job->at = job->next;
    job->at = NULL;
    jobs->queued--;
}

/* What a helper may run now. One of the slow ones goes before all: else those
 * that are quick, and never end, would keep them waiting for ever. */
static struct th_job *first_job(const struct th_jobs *jobs)
{
    unsigned most = jobs->quick.first != NULL ? 1 : TH_HELPERS_LONG;
    bool slow = jobs->slow.first != NULL && jobs->slow_busy < most;
    return slow ? jobs->slow.first : jobs->quick.first;
}

/* The next job; NULL: none, and *out_word is what to park on, or the helper
 * has ended. */
static struct th_job *next_job(struct th_helper *helper, bool end,
                               uint32_t *out_word, bool *out_ended)
{
    struct th_sched *sched = helper->sched;
    struct th_jobs *jobs = &sched->jobs;

    th_lock(sched->env, &jobs->lock);
    jobs->busy -= helper->busy ? 1 : 0;
    jobs->slow_busy -= helper->slow ? 1 : 0;
    struct th_job *job = first_job(jobs);
    helper->busy = job != NULL;
    helper->slow = job != NULL && takes_long(job);
    *out_ended = false;
    if (job != NULL) {
        take_out(jobs, job);
        jobs->busy++;
        jobs->slow_busy += helper->slow ? 1 : 0;
    } else if (end || jobs->stop) {
        helper->running = false;
        jobs->running--;
        *out_ended = true;
    }
    /* relaxed: [M1], under the lock */
    *out_word = atomic_load_explicit(&jobs->word, memory_order_relaxed);
    th_unlock(sched->env, &jobs->lock);
    return job;
}

static void helper_main(void *arg)
{
    struct th_helper *helper = arg;
    struct th_sched *sched = helper->sched;
    uint64_t end_ns = th_now(sched->env) + IDLE_NS;

    for (;;) {
        uint32_t word;
        bool ended;
        bool end = th_now(sched->env) >= end_ns;
        struct th_job *job = next_job(helper, end, &word, &ended);
        if (ended) {
            return;
        }
        if (job != NULL) {
            job->run(job);
            job_done(sched);
            end_ns = th_now(sched->env) + IDLE_NS;
        } else {
            sched->env->park(sched->env->ctx, &sched->jobs.word, word, end_ns);
        }
    }
}

/* Under the lock: one more helper, unless there are enough or no thread can be
 * had. */
static void start_helper(struct th_sched *sched)
{
    struct th_jobs *jobs = &sched->jobs;
    struct th_helper *helper = jobs->helpers;

    while (helper->running) {
        helper++;
    }
    if (helper->thread != NULL) {
        sched->env->thread_join(sched->env->ctx, helper->thread);
        helper->thread = NULL;
    }
    helper->running =
        sched->env->thread_start(sched->env->ctx, "helper", helper_main, helper,
                                 &helper->thread) == THEATER_OK;
    jobs->running += helper->running ? 1 : 0;
}

/* False: to be run by the caller. */
static bool enqueue(struct th_sched *sched, struct th_job *job)
{
    struct th_jobs *jobs = &sched->jobs;

    th_lock(sched->env, &jobs->lock);
    if (jobs->queued >= jobs->running - jobs->busy &&
        jobs->running < TH_HELPERS_MAX) {
        start_helper(sched);
    }
    bool queued = jobs->running > 0;
    if (queued) {
        append(jobs, job);
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

bool th_sched_take_job(struct th_sched *sched, struct th_job *job)
{
    struct th_jobs *jobs = &sched->jobs;

    th_lock(sched->env, &jobs->lock);
    bool queued = job->at != NULL;
    if (queued) {
        take_out(jobs, job);
    }
    th_unlock(sched->env, &jobs->lock);
    if (queued) {
        job_done(sched);
    }
    return queued;
}

void th_jobs_stop(struct th_sched *sched)
{
    struct th_jobs *jobs = &sched->jobs;
    theater_thread_t *threads[TH_HELPERS_MAX];

    th_lock(sched->env, &jobs->lock);
    jobs->stop = true;
    for (unsigned i = 0; i < TH_HELPERS_MAX; i++) {
        threads[i] = jobs->helpers[i].thread;
    }
    /* [M1] release */
    atomic_fetch_add_explicit(&jobs->word, 1, memory_order_release);
    th_unlock(sched->env, &jobs->lock);
    sched->env->unpark(sched->env->ctx, &jobs->word, UINT32_MAX);
    for (unsigned i = 0; i < TH_HELPERS_MAX; i++) {
        if (threads[i] != NULL) {
            sched->env->thread_join(sched->env->ctx, threads[i]);
        }
    }
}
