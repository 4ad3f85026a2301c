/* SPDX-License-Identifier: Apache-2.0 */
/* Design notes.
 *
 * The idea. As many workers as cores, each with queues of its own: a slot for
 * the task that was woken last, and a ring (queue/deque.h). Tasks that talk
 * stay together: a wake puts the woken task into the waker's slot, where it
 * runs next, on the same core, within the same slice; so a task follows those
 * who wake it, and pairs that were parted find together again. What is woken
 * from outside goes to the injector (queue/injector.h), and so does what does
 * not fit into a ring; what ran long goes behind all that (worker.c). Idle
 * workers take from there, then from others (placement.c), then sleep (idle.c).
 * Time is driven by who works or sleeps (time.c), blocking work has threads of
 * its own (jobs.c), and the end of all work is noticed (quiet.c). A simulation
 * replaces workers by one loop that a seed directs (sim.c).
 *
 * A task's state is one word, changed by exchanges:
 *   IDLE -> QUEUED     a wake; who made it IDLE no more, queues it
 *   QUEUED -> RUNNING  the worker that took it from a queue
 *   RUNNING -> QUEUED  a wake meanwhile; the worker queues it afterwards
 *   RUNNING -> IDLE    the worker, if no wake came
 * So it is in one queue at most, and runs on one worker at a time.
 * Ordering:
 *   [M1] wake: exchange to QUEUED, acq_rel; pairs with [M2]. Each wake is a
 *        read-modify-write, also when the task is QUEUED already, so that the
 *        exchange [M2] reads from the last of them and, through their chain,
 *        from all: what the wakers did before is there in the run.
 *   [M2] run: exchange to RUNNING, acq_rel.
 *   [M3] end of a run: compare-exchange RUNNING to IDLE, release; pairs with
 *        [M1]: the next run happens after this one. It fails when a wake came
 *        in between: then no wake is lost, since the worker queues the task.
 *        (acquire on failure is not needed: [M2] comes.)
 * After [M3] succeeded the task may be run, ended and freed by others: it is
 * not touched any more. After TH_RUN_ENDED neither.
 *
 * Threads: see sched.h. What may fail: th_sched_new alone. */
#include "sched/internal.h"

#include <sched.h>

static unsigned core_count(void)
{
    cpu_set_t set;
    CPU_ZERO(&set);
    if (sched_getaffinity(0, sizeof(set), &set) != 0) {
        return 1;
    }
    int count = CPU_COUNT(&set);
    return count > 0 ? (unsigned)count : 1;
}

static void worker_init(struct th_sched *sched, unsigned index, uint64_t seed)
{
    struct th_worker *worker = &sched->workers[index];

    th_deque_init(&worker->deque);
    worker->sched = sched;
    worker->index = index;
    worker->clock_in = TH_CLOCK_EVERY;
    worker->yield_in = TH_YIELD_EVERY;
    worker->tick_ns = TH_TICK_MIN_NS;
    worker->due_ns = THEATER_NEVER;
    th_rng_init(&worker->rng, seed + index);
}

static void stop_threads(struct th_sched *sched, unsigned count)
{
    th_idle_stop(sched);
    for (unsigned i = 0; i < count; i++) {
        sched->env->thread_join(sched->env->ctx, sched->workers[i].thread);
    }
}

static theater_status_t start_threads(struct th_sched *sched)
{
    for (unsigned i = 0; i < sched->worker_count; i++) {
        struct th_worker *worker = &sched->workers[i];
        char name[16] = "worker-";
        name[7] = (char)('0' + i / 10);
        name[8] = (char)('0' + i % 10);
        if (sched->env->thread_start(sched->env->ctx, name, th_worker_main,
                                     worker, &worker->thread) != THEATER_OK) {
            stop_threads(sched, i);
            return THEATER_OUT_OF_MEMORY;
        }
    }
    return THEATER_OK;
}

static void sched_free(struct th_sched *sched)
{
    th_timers_delete(sched->timers);
    if (sched->sim != NULL) {
        th_sim_delete(sched);
    }
    th_free(sched->env, sched->workers);
    th_free(sched->env, sched);
}

static void *zeroed(const theater_env_t *env, size_t size)
{
    void *memory = env->alloc(env->ctx, size, TH_LINE);
    if (memory != NULL) {
        memset(memory, 0, size);
    }
    return memory;
}

static theater_status_t sched_setup(struct th_sched *sched,
                                    const struct th_sched_options *options)
{
    unsigned count = options->workers == 0 ? core_count() : options->workers;

    if (options->simulated) {
        count = 1;
    } else if (count > TH_WORKERS_MAX) {
        count = TH_WORKERS_MAX;
    }
    sched->slice_ns = options->slice_ns == 0 ? TH_SLICE_NS : options->slice_ns;
    sched->worker_count = count;
    th_injector_init(&sched->injector);
    th_injector_init(&sched->slow[TH_SLOW_WOKEN]);
    th_injector_init(&sched->slow[TH_SLOW_AGAIN]);
    th_jobs_init(sched);
    sched->workers = zeroed(sched->env, count * sizeof(struct th_worker));
    if (sched->workers == NULL ||
        th_timers_new(sched->env, &sched->timers) != THEATER_OK) {
        return THEATER_OUT_OF_MEMORY;
    }
    for (unsigned i = 0; i < count; i++) {
        worker_init(sched, i, options->seed);
    }
    th_idle_init(sched);
    return options->simulated ? th_sim_new(sched, options->seed)
                              : start_threads(sched);
}

theater_status_t th_sched_new(const struct th_sched_options *options,
                              struct th_sched **out_sched)
{
    struct th_sched *sched = zeroed(options->env, sizeof(*sched));
    if (sched == NULL) {
        return THEATER_OUT_OF_MEMORY;
    }
    sched->env = options->env;
    theater_status_t status = sched_setup(sched, options);
    if (status != THEATER_OK) {
        sched_free(sched);
        return status;
    }
    *out_sched = sched;
    return THEATER_OK;
}

void th_sched_delete(struct th_sched *sched)
{
    if (sched == NULL) {
        return;
    }
    TH_CHECK(!th_on_worker());
    th_sched_watch_stop(sched);
    if (sched->sim == NULL) {
        stop_threads(sched, sched->worker_count);
        th_jobs_stop(sched);
    }
    sched_free(sched);
}

void th_sched_add_time_source(struct th_sched *sched,
                              const struct th_time_source *source)
{
    /* relaxed: set-up is one thread */
    unsigned count =
        atomic_load_explicit(&sched->source_count, memory_order_relaxed);

    TH_CHECK(count < TH_SOURCES_MAX);
    sched->sources[count] = *source;
    /* release; pairs with th_sources: the workers run already */
    atomic_store_explicit(&sched->source_count, count + 1,
                          memory_order_release);
}

void th_task_init(struct th_task *task, enum th_run (*run)(struct th_task *))
{
    task->run = run;
    task->number = 0;
    task->slow = false;
    /* relaxed: not shared yet */
    atomic_init(&task->link.next, NULL);
    atomic_init(&task->state, TH_TASK_IDLE);
}

void th_sched_wake(struct th_sched *sched, struct th_task *task)
{
    struct th_worker *worker = th_worker_current;

    /* [M1] acq_rel; pairs with [M2], [M3] */
    if (atomic_exchange_explicit(&task->state, TH_TASK_QUEUED,
                                 memory_order_acq_rel) != TH_TASK_IDLE) {
        return;
    }
    if (TH_UNLIKELY(sched->sim != NULL)) {
        th_sim_queue(sched, task);
    } else if (TH_UNLIKELY(task->slow)) {
        th_place_slow_woken(sched, task);
    } else if (TH_LIKELY(worker != NULL && worker->sched == sched)) {
        th_worker_wake(worker, task);
    } else {
        th_injector_push(&sched->injector, &task->link, &task->link, 1);
        th_idle_notify(sched);
    }
}

int th_sched_current_worker(const struct th_sched *sched)
{
    const struct th_worker *worker = th_worker_current;
    return worker != NULL && worker->sched == sched ? (int)worker->index : -1;
}

unsigned th_sched_workers(const struct th_sched *sched)
{
    return sched->worker_count;
}

bool th_on_worker(void)
{
    return th_worker_current != NULL;
}

void th_sched_stats(const struct th_sched *sched, unsigned worker,
                    struct th_sched_stats *out)
{
    TH_CHECK(worker < sched->worker_count);
    const struct th_counters *counters = &sched->workers[worker].counters;

    *out = (struct th_sched_stats){
        .runs = th_counted(&counters->runs),
        .wakes = th_counted(&counters->wakes),
        .injected = th_counted(&counters->injected),
        .overflows = th_counted(&counters->overflows),
        .steals = th_counted(&counters->steals),
        .stolen = th_counted(&counters->stolen),
        .parks = th_counted(&counters->parks),
        .unparks = th_counted(&counters->unparks),
    };
}
