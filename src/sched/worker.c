/* SPDX-License-Identifier: Apache-2.0 */
/* Design notes. A worker's life: the task just woken, else the oldest in the
 * ring, else what others have, else sleep.
 *
 * Fairness. A slice belongs to a task taken from the ring and to all that run
 * after it through the slot. Such a chain ends after TH_CHAIN_NS, so that two
 * tasks that wake each other for ever go behind the others soon. Each
 * TH_INJECTOR_EVERY runs the injector has a turn, with as many tasks as runs.
 *
 * A task whose run took TH_LONG_NS or more is slow until one is shorter. Slow
 * tasks stand in two queues of their own (who was woken, and who has more to do
 * after a long run, by turns), for all workers, and run when a worker has
 * nothing else, or when none of them had a turn for TH_SLOW_NS by the number of
 * workers: short runs wait behind a long one seldom, and long ones get a fifth
 * of the workers. Of a worker that has others, no more: after such a run those
 * have four times as long, but TH_OTHERS_NS at most. (Two levels of a feedback
 * queue: Corbato, Merwin-Daggett and Daley, 1962.) In one ring with them, a
 * pair that talks kept 50 us of each 1,050, and waited for the rest.
 *
 * The clock is not read at each run: while runs are short, at every
 * TH_CLOCK_EVERY-th; th_sched_should_yield reads it at every TH_YIELD_EVERY-th
 * call at most, since both cost more than a short message does. So a long run
 * may be found together with those before it: none of them is taken for it, the
 * next that is long is timed alone (look_after_run).
 *
 * The slot is written by the owner and emptied by the owner or by a thief:
 *   [M1] th_worker_wake: exchange; release for [M2]; seq_cst for idle.c.
 *   [M2] take_slot and the thief (placement.c): exchange or compare-exchange
 *        to NULL, acquire.
 * What a task's contents need travels with its state (sched.c). */
#include "base/backtrace.h"
#include "sched/internal.h"

_Thread_local struct th_worker *th_worker_current
    __attribute__((tls_model("initial-exec")));

size_t th_worker_waiting(struct th_worker *worker)
{
    /* seq_cst: idle.c [M4] */
    return th_deque_size(&worker->deque) +
           (atomic_load_explicit(&worker->slot, memory_order_seq_cst) != NULL);
}

/* The ring is full: its oldest tasks go to the injector, this one behind. */
static void overflow(struct th_worker *worker, struct th_task *task)
{
    struct th_sched *sched = worker->sched;
    void *items[TH_BATCH];
    size_t count = th_deque_take(&worker->deque, items, TH_BATCH, false);

    for (size_t i = 0; i < count; i++) {
        struct th_task *item = items[i];
        struct th_task *next = i + 1 < count ? items[i + 1] : task;
        /* relaxed: the injector publishes it */
        atomic_store_explicit(&item->link.next, &next->link,
                              memory_order_relaxed);
    }
    struct th_task *first = count > 0 ? items[0] : task;
    th_injector_push(&sched->injector, &first->link, &task->link, count + 1);
    th_count(&worker->counters.overflows, count + 1);
    th_idle_notify(sched);
}

void th_worker_queue(struct th_worker *worker, struct th_task *task)
{
    if (TH_UNLIKELY(!th_deque_push(&worker->deque, task))) {
        overflow(worker, task);
        return;
    }
    th_idle_notify_local(worker);
}

void th_worker_wake(struct th_worker *worker, struct th_task *task)
{
    /* [M1] seq_cst */
    struct th_task *before =
        atomic_exchange_explicit(&worker->slot, task, memory_order_seq_cst);

    th_count(&worker->counters.wakes, 1);
    if (before != NULL) {
        th_worker_queue(worker, before);
    } else {
        th_idle_notify_local(worker);
    }
}

static struct th_task *take_slot(struct th_worker *worker)
{
    /* relaxed: our own writes; a thief only empties it */
    if (atomic_load_explicit(&worker->slot, memory_order_relaxed) == NULL) {
        return NULL;
    }
    /* [M2] acquire */
    return atomic_exchange_explicit(&worker->slot, NULL, memory_order_acquire);
}

static uint64_t look_at_clock(struct th_worker *worker)
{
    worker->now_ns = th_now(worker->sched->env);
    return worker->now_ns;
}

/* What is due may be more than a worker can do: one actor that sets timers of
 * 0 ms without end took two thirds of its neighbours' time. So tasks that wait
 * get the rest of it; time that is late meanwhile is done by who is idle. After
 * a long run (`ran_ns`) it gets as much as that has earned: with one look after
 * each run of a slice, 100,000 timers took ten seconds. It does not rest for
 * longer than TH_REST_NS: a look may have taken long since the system took the
 * processor away. */
static void poll_time(struct th_worker *worker, uint64_t ran_ns)
{
    struct th_sched *sched = worker->sched;
    uint64_t began = worker->now_ns;
    bool due = began >= worker->due_ns;
    uint64_t rest = 0;

    do {
        worker->due_ns = th_time_poll(sched, worker->now_ns);
        if (!due) {
            return;
        }
        rest = (TH_TIME_SHARE - 1) * (look_at_clock(worker) - began);
        /* relaxed: a hint; who advances time meanwhile does it for us */
    } while (worker->now_ns >= worker->due_ns && rest < ran_ns &&
             atomic_load_explicit(&sched->time_busy, memory_order_relaxed) ==
                 0);
    worker->rest_ns = worker->now_ns + (rest < TH_REST_NS ? rest : TH_REST_NS);
}

static void poll(struct th_worker *worker)
{
    struct th_sched *sched = worker->sched;

    worker->poll_at_ns = worker->now_ns + TH_POLL_NS;
    /* Runs may be long: the injector is not to wait for so many of them. */
    worker->tick = TH_INJECTOR_EVERY - 1;
    th_place_balance(worker);
    /* relaxed: see placement.c */
    worker->slow_turn =
        th_place_slow_size(sched) > 0 && worker->now_ns >= worker->others_ns &&
        worker->now_ns >=
            atomic_load_explicit(&sched->slow_at_ns, memory_order_relaxed);
}

/* Between runs: what depends on the clock. */
static void between_runs(struct th_worker *worker, uint64_t ran_ns)
{
    uint64_t now = worker->now_ns;

    if (TH_UNLIKELY(now >= worker->due_ns || now >= worker->poll_at_ns)) {
        if (now >= worker->rest_ns) {
            poll_time(worker, ran_ns);
        }
        if (now >= worker->poll_at_ns) {
            poll(worker);
        }
    }
}

/* After a run: the clock now and then. Where a run among several was long and
 * nobody knows which, each is timed for TH_SUSPECT times as long: who is to
 * stay unknown can have no more than its part of that. */
static void look_after_run(struct th_worker *worker, uint64_t began)
{
    if (TH_LIKELY(--worker->clock_in > 0)) {
        return;
    }
    uint64_t now = look_at_clock(worker), took = now - began;

    if (TH_UNLIKELY(!worker->timed && took >= TH_LONG_NS)) {
        worker->suspect_ns =
            now + TH_SUSPECT * (took < TH_OTHERS_NS ? took : TH_OTHERS_NS);
    }
    worker->timed =
        now < worker->suspect_ns || took >= TH_CLOCK_EVERY * TH_SHORT_RUN_NS;
    worker->clock_in = worker->timed ? 1 : TH_CLOCK_EVERY;
}

/* The task, if there is one, has a slice of its own. */
static struct th_task *begin_slice(struct th_worker *worker,
                                   struct th_task *task)
{
    if (task != NULL) {
        worker->slice_at_ns = worker->now_ns;
    }
    return task;
}

static struct th_task *take_ring(struct th_worker *worker)
{
    return begin_slice(worker, th_deque_pop(&worker->deque));
}

/* Somebody who has nothing else is on the way to the injector: what is there
 * runs sooner so, and what may be long does not come between tasks that talk.
 * Not for ever: it may be held up. */
static bool leave_shared(struct th_worker *worker)
{
    if (!th_idle_searched(worker->sched)) {
        worker->left_ns = 0;
        return false;
    }
    if (worker->left_ns == 0) {
        worker->left_ns = worker->now_ns;
    }
    if (worker->now_ns - worker->left_ns < TH_POLL_NS) {
        return true;
    }
    worker->left_ns = 0;
    return false;
}

/* A slow task's run is over: the others of this worker have four times as long.
 * With `slow_at_ns` alone, each run that took longer than that was followed by
 * the next of them, and no other ran any more. */
static void rest_from_slow(struct th_worker *worker, uint64_t ran_ns)
{
    uint64_t rest = (TH_SLOW_SHARE - 1) * ran_ns;

    worker->others_ns =
        worker->now_ns + (rest < TH_OTHERS_NS ? rest : TH_OTHERS_NS);
}

/* The next of our own tasks. */
static struct th_task *take_local(struct th_worker *worker)
{
    struct th_task *task;

    if (TH_UNLIKELY(worker->slow_turn)) {
        worker->slow_turn = false;
        task = th_place_slow_take(worker);
        if (task != NULL) {
            return begin_slice(worker, task);
        }
    }
    if (TH_UNLIKELY(++worker->tick >= TH_INJECTOR_EVERY)) {
        worker->tick = 0;
        task = leave_shared(worker) ? NULL : th_place_inject_take(worker);
        if (task != NULL) {
            return begin_slice(worker, task);
        }
    }
    task = take_slot(worker);
    if (task == NULL) {
        return take_ring(worker);
    }
    if (TH_LIKELY(worker->now_ns - worker->slice_at_ns < TH_CHAIN_NS)) {
        return task;
    }
    /* Its chain has run for long enough. */
    struct th_task *other = take_ring(worker);
    if (other == NULL) {
        return begin_slice(worker, task);
    }
    th_worker_queue(worker, task);
    return other;
}

/* What belongs to nobody. */
static struct th_task *take_shared(struct th_worker *worker)
{
    struct th_task *task = th_place_inject_take(worker);

    if (task == NULL) {
        task = th_place_slow_take(worker);
    }
    return task;
}

/* What others have. As a searcher, or after a short look. */
static struct th_task *search(struct th_worker *worker)
{
    struct th_sched *sched = worker->sched;
    struct th_task *task = take_shared(worker);

    if (task != NULL) {
        return task;
    }
    if (!worker->searching && !th_idle_search_begin(worker)) {
        return NULL;
    }
    unsigned rounds = sched->worker_count == 1 ? 1 : TH_SEARCH_ROUNDS;
    for (unsigned i = 0; i < rounds; i++) {
        task = th_place_steal(worker);
        if (task == NULL) {
            task = take_shared(worker);
        }
        if (task != NULL) {
            return task;
        }
        for (unsigned k = 0; k < TH_SEARCH_PAUSES; k++) {
            th_pause();
        }
    }
    return NULL;
}

static bool stopping(struct th_sched *sched)
{
    /* acquire: pairs with the release in th_idle_stop; nothing travels but
     * the order to stop */
    return atomic_load_explicit(&sched->stop, memory_order_acquire) != 0;
}

/* What is due, until it brings a task. */
static struct th_task *pass_time(struct th_worker *worker)
{
    struct th_task *task = NULL;

    for (unsigned i = 0; task == NULL && i < TH_IDLE_POLLS; i++) {
        look_at_clock(worker);
        worker->due_ns = th_time_poll(worker->sched, worker->now_ns);
        task = take_local(worker);
        if (worker->due_ns > worker->now_ns) {
            break;
        }
    }
    worker->poll_at_ns = worker->now_ns + TH_POLL_NS;
    return task;
}

/* After sleep: time first, then a task that waited long elsewhere. */
static struct th_task *after_park(struct th_worker *worker)
{
    bool again = false;
    struct th_task *task = pass_time(worker);

    if (task != NULL) {
        return task;
    }
    task = th_place_watch(worker, &again);
    if (task != NULL) {
        worker->tick_ns = TH_TICK_MIN_NS;
    } else if (again) {
        worker->tick_ns = TH_STALE_NS;
    } else if (worker->tick_ns < TH_TICK_MIN_NS) {
        worker->tick_ns = TH_TICK_MAX_NS;
    } else if (worker->tick_ns < TH_TICK_MAX_NS) {
        worker->tick_ns *= 2;
    }
    return task;
}

/* The next run is timed: the clock is read before and after it. */
static void begin_timed(struct th_worker *worker)
{
    look_at_clock(worker);
    worker->timed = true;
    worker->clock_in = 1;
}

/* NULL: stop. */
static struct th_task *next_task(struct th_worker *worker)
{
    struct th_task *task = take_local(worker);

    if (TH_LIKELY(task != NULL && !worker->searching)) {
        return task;
    }
    while (task == NULL) {
        if (stopping(worker->sched)) {
            return NULL;
        }
        task = search(worker);
        if (task == NULL) {
            /* What time brings runs before sleep. */
            task = pass_time(worker);
        }
        if (task == NULL) {
            th_idle_park(worker);
            /* The shortest way first, for who was woken for that. */
            task = th_place_inject_take(worker);
        }
        if (task == NULL) {
            task = after_park(worker);
        }
    }
    if (worker->searching) {
        th_idle_search_end(worker);
    }
    begin_timed(worker);
    return begin_slice(worker, task);
}

/* Answers how long it took at most, as far as the clock was read. */
static uint64_t run_task(struct th_worker *worker, struct th_task *task)
{
    /* sched.c [M2] acq_rel */
    atomic_exchange_explicit(&task->state, TH_TASK_RUNNING,
                             memory_order_acq_rel);
    th_count(&worker->counters.runs, 1);
    worker->yield_now = false;
    bool was_slow = task->slow;
    if (TH_UNLIKELY(was_slow)) {
        begin_timed(worker);
    }
    uint64_t began = worker->now_ns; /* or earlier, when it is not timed */
    bool timed = worker->timed;

    /* relaxed, both: for the watchdog, whom nothing travels to */
    atomic_store_explicit(&worker->inside, task, memory_order_relaxed);
    enum th_run result = task->run(task);
    atomic_store_explicit(&worker->inside, NULL, memory_order_relaxed);
    look_after_run(worker, began);
    uint64_t ran = worker->now_ns - began;
    if (TH_UNLIKELY(was_slow)) {
        rest_from_slow(worker, ran);
    }
    if (result == TH_RUN_ENDED) {
        return ran;
    }
    bool slow = (timed || worker->yield_now) && ran >= TH_LONG_NS;
    if (TH_UNLIKELY(task->slow != slow)) {
        task->slow = slow;
    }
    if (result == TH_RUN_IDLE) {
        uint32_t expected = TH_TASK_RUNNING;
        /* sched.c [M3] release; relaxed on failure, as said there */
        if (atomic_compare_exchange_strong_explicit(
                &task->state, &expected, TH_TASK_IDLE, memory_order_release,
                memory_order_relaxed)) {
            return ran;
        }
    } else {
        /* sched.c [M1]: as a wake */
        atomic_exchange_explicit(&task->state, TH_TASK_QUEUED,
                                 memory_order_acq_rel);
    }
    if (TH_UNLIKELY(slow)) {
        th_place_slow_again(worker, task);
    } else {
        th_worker_queue(worker, task);
    }
    return ran;
}

void th_worker_main(void *arg)
{
    struct th_worker *worker = arg;

    th_worker_current = worker;
    th_thread_is_worker = true;
    /* relaxed: a figure */
    atomic_store_explicit(&worker->number, th_thread_number(),
                          memory_order_relaxed);
    worker->now_ns = th_now(worker->sched->env);
    for (;;) {
        struct th_task *task = next_task(worker);
        if (task == NULL || stopping(worker->sched)) {
            break;
        }
        between_runs(worker, run_task(worker, task));
    }
    th_worker_current = NULL;
    th_thread_is_worker = false;
}

static bool yield_look(struct th_worker *worker)
{
    uint64_t before = worker->now_ns;
    uint64_t now = look_at_clock(worker);

    worker->yield_in =
        now - before < TH_YIELD_EVERY * TH_SHORT_RUN_NS ? TH_YIELD_EVERY : 1;
    uint64_t ran = now - worker->slice_at_ns;
    if (ran < worker->sched->slice_ns) {
        return false;
    }
    /* The slice is over; time waits too, and after four slices anyway. */
    return th_worker_waiting(worker) > 0 ||
           th_injector_size(&worker->sched->injector) > 0 ||
           th_place_slow_size(worker->sched) > 0 || now >= worker->due_ns ||
           ran >= 4 * worker->sched->slice_ns;
}

bool th_sched_should_yield(struct th_sched *sched)
{
    struct th_worker *worker = th_worker_current;

    if (TH_UNLIKELY(sched->sim != NULL)) {
        return th_sim_should_yield(sched);
    }
    TH_ASSERT(worker != NULL && worker->sched == sched);
    if (TH_UNLIKELY(--worker->yield_in == 0)) {
        worker->yield_now = yield_look(worker);
    }
    return worker->yield_now;
}

bool th_sched_should_yield_now(struct th_sched *sched)
{
    if (sched->sim == NULL) {
        th_worker_current->yield_in = 1;
        /* The run may be long: the clock is read after it, too. */
        th_worker_current->clock_in = 1;
    }
    return th_sched_should_yield(sched);
}
