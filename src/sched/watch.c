/* SPDX-License-Identifier: Apache-2.0 */
/* Design notes. The watchdog: a thread that looks now and then whether each
 * worker that does not sleep has begun another run since. A worker pays two
 * stores to a line of its own for each run, and a load when it gets up.
 *
 * Time counts by looks: one that comes late (the process was stopped, or the
 * machine has too much to do) counts as LATE periods, so that nobody is stuck
 * who could not run.
 *
 * While all workers sleep the watchdog does, without a deadline.
 *   [W1] It stores `word` = ASLEEP, then looks whether all sleep; a worker
 *        leaves the set of sleepers (or was taken out of it) and then loads
 *        `word`. All four are seq_cst, so one of the two sees the other.
 *
 * What runs, and the queues' lengths, are read while they change: a report may
 * be a moment old. Threads: the watchdog's own. May fail: starting it. */
#include "base/backtrace.h"
#include "sched/internal.h"

enum { LOOKS = 10, LATE = 2 };
#define PERIOD_MIN_NS UINT64_C(5000000)
#define PERIOD_MAX_NS UINT64_C(1000000000)

static void tell(struct th_watch *watch, unsigned index, bool over)
{
    struct th_stuck stuck = {
        .worker = index,
        .ns = watch->seen[index].ns,
        .over = over,
    };
    watch->options.tell(watch->options.user, &stuck);
}

static void look_at(struct th_sched *sched, unsigned index, uint64_t passed_ns)
{
    struct th_watch *watch = &sched->watch;
    uint64_t runs = th_counted(&sched->workers[index].counters.runs);
    bool same =
        runs == watch->seen[index].runs && !th_idle_sleeps(sched, index);

    if (!same) {
        if (watch->seen[index].told) {
            tell(watch, index, true);
        }
        watch->seen[index].runs = runs;
        watch->seen[index].ns = 0;
        watch->seen[index].told = false;
        return;
    }
    watch->seen[index].ns += passed_ns;
    if (!watch->seen[index].told &&
        watch->seen[index].ns >= watch->options.limit_ns) {
        watch->seen[index].told = true;
        tell(watch, index, false);
    }
}

static bool swap_word(struct th_watch *watch, uint32_t from, uint32_t to)
{
    /* [W1] seq_cst */
    return atomic_compare_exchange_strong_explicit(
        &watch->word, &from, to, memory_order_seq_cst, memory_order_seq_cst);
}

static uint32_t load_word(struct th_watch *watch)
{
    /* [W1] seq_cst */
    return atomic_load_explicit(&watch->word, memory_order_seq_cst);
}

/* As long as all workers do. */
static void sleep_along(struct th_sched *sched)
{
    struct th_watch *watch = &sched->watch;

    if (!swap_word(watch, TH_WATCH_AWAKE, TH_WATCH_ASLEEP)) {
        return;
    }
    while (load_word(watch) == TH_WATCH_ASLEEP && th_idle_all(sched)) {
        sched->env->park(sched->env->ctx, &watch->word, TH_WATCH_ASLEEP,
                         THEATER_NEVER);
    }
    /* Fails when it was woken or is to stop: then that stands. */
    (void)swap_word(watch, TH_WATCH_ASLEEP, TH_WATCH_AWAKE);
}

static void run(void *arg)
{
    struct th_sched *sched = arg;
    struct th_watch *watch = &sched->watch;
    const theater_env_t *env = sched->env;
    uint64_t last = th_now(env);

    while (load_word(watch) != TH_WATCH_STOPPING) {
        env->park(env->ctx, &watch->word, TH_WATCH_AWAKE,
                  last + watch->period_ns);
        uint64_t now = th_now(env);
        uint64_t passed = now - last;
        if (passed < watch->period_ns) {
            continue;
        }
        last = now;
        if (passed > LATE * watch->period_ns) {
            passed = LATE * watch->period_ns;
        }
        for (unsigned i = 0; i < sched->worker_count; i++) {
            look_at(sched, i, passed);
        }
        if (th_idle_all(sched)) {
            sleep_along(sched);
            last = th_now(env);
        }
    }
}

void th_watch_wake(struct th_sched *sched)
{
    struct th_watch *watch = &sched->watch;

    if (swap_word(watch, TH_WATCH_ASLEEP, TH_WATCH_AWAKE)) {
        sched->env->unpark(sched->env->ctx, &watch->word, 1);
    }
}

theater_status_t th_sched_watch_start(struct th_sched *sched,
                                      const struct th_watch_options *options)
{
    struct th_watch *watch = &sched->watch;

    TH_CHECK(sched->sim == NULL && watch->thread == NULL);
    watch->options = *options;
    watch->period_ns = options->limit_ns / LOOKS;
    if (watch->period_ns < PERIOD_MIN_NS) {
        watch->period_ns = PERIOD_MIN_NS;
    } else if (watch->period_ns > PERIOD_MAX_NS) {
        watch->period_ns = PERIOD_MAX_NS;
    }
    return sched->env->thread_start(sched->env->ctx, "th-watchdog", run, sched,
                                    &watch->thread);
}

void th_sched_watch_stop(struct th_sched *sched)
{
    struct th_watch *watch = &sched->watch;

    if (watch->thread == NULL) {
        return;
    }
    /* seq_cst, as all others of `word` */
    atomic_store_explicit(&watch->word, TH_WATCH_STOPPING,
                          memory_order_seq_cst);
    sched->env->unpark(sched->env->ctx, &watch->word, 1);
    sched->env->thread_join(sched->env->ctx, watch->thread);
    watch->thread = NULL;
}

void th_sched_look(struct th_sched *sched, unsigned index,
                   struct th_worker_look *out)
{
    struct th_worker *worker = &sched->workers[index];

    *out = (struct th_worker_look){
        .sleeps = th_idle_sleeps(sched, index),
        /* relaxed, both: figures */
        .thread = atomic_load_explicit(&worker->number, memory_order_relaxed),
        .task = atomic_load_explicit(&worker->inside, memory_order_relaxed),
        .queued = th_worker_waiting(worker),
    };
}

size_t th_sched_unclaimed(struct th_sched *sched)
{
    return th_injector_size(&sched->injector) + th_place_slow_size(sched);
}
