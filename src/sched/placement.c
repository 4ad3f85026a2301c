/* SPDX-License-Identifier: Apache-2.0 */
/* Design notes. Where tasks run.
 *
 * Two tasks that talk do so several times faster on one core than across. A
 * worker on which such a pair runs has, at any moment, at most one task that
 * waits: the one that was woken (in the slot), or the one that has more to do
 * (in the ring) while the other runs. So an idle worker takes
 * - at once: the older half of a ring that holds TH_SPARE or more. Not two:
 *   that is a pair that talks whenever its turn through the slot is over, and
 *   parted it goes on across the cores, since neither sleeps any more, so that
 *   neither is woken into the other's slot (native `pairs` 1, where that
 *   happened 1,700 times a second: 7.9 to 11.5 million/s, and half of the
 *   processor's time);
 * - what waits alone only when it was seen to wait: the watcher (idle.c), the
 *   one sleeper that gets up now and then while others work, looks twice,
 *   TH_STALE_NS apart, and takes
 *     the head of a ring that did not move: it waits behind a long run, or
 *       behind two others that take turns in the slot;
 *     the head of a ring on a worker that woke nobody meanwhile: its tasks do
 *       not talk, so they can be parted;
 *     the head of a ring that held something at each of many looks: a pair
 *       that talks leaves the ring empty half of the time, so there are two;
 *     the task in the slot, while the run that woke it still goes on.
 * The partner that was left behind follows: it is woken by the one that was
 * taken, into that worker's slot.
 *
 * Workers that never are idle even out too: when they look at the clock, who
 * has much less than another takes from it.
 *
 * All of it reads others' queues through their own orders (queue/deque.h;
 * worker.c for the slot), and counters as estimates. */
#include "sched/internal.h"

/* Queues all but the first, which is to run now. */
static struct th_task *keep(struct th_worker *worker, void **items,
                            size_t count)
{
    for (size_t i = 1; i < count; i++) {
        th_worker_queue(worker, items[i]);
    }
    return items[0];
}

struct th_task *th_place_inject_take(struct th_worker *worker)
{
    struct th_sched *sched = worker->sched;
    struct th_injector *injector = &sched->injector;
    size_t size = th_injector_size(injector);
    void *items[TH_BATCH];
    size_t count = 0;

    worker->retry = false;
    if (TH_LIKELY(size == 0) || !th_injector_try_begin(injector)) {
        return NULL;
    }
    size_t wanted = (size + sched->worker_count - 1) / sched->worker_count;
    if (wanted > TH_BATCH) {
        wanted = TH_BATCH;
    }
    while (count < wanted) {
        struct th_mpsc_node *node;
        enum th_mpsc_result result = th_injector_pop(injector, &node);
        if (result != TH_MPSC_OK) {
            /* What is counted is on its way, or another has taken it. */
            worker->retry = th_injector_size(injector) > 0;
            break;
        }
        items[count] = th_task_of(node);
        count++;
    }
    th_injector_end(injector);
    if (count == 0) {
        return NULL;
    }
    th_count(&worker->counters.injected, count);
    struct th_task *task = keep(worker, items, count);
    if (th_injector_size(injector) > 0) {
        th_idle_notify(sched);
    }
    return task;
}

size_t th_place_slow_size(struct th_sched *sched)
{
    return th_injector_size(&sched->slow[TH_SLOW_WOKEN]) +
           th_injector_size(&sched->slow[TH_SLOW_AGAIN]);
}

/* A slow task has its turn, or had one: when is the next? */
static void note_slow_turn(struct th_worker *worker)
{
    struct th_sched *sched = worker->sched;

    /* relaxed: an estimate; who reads an old one lets one more run */
    atomic_store_explicit(&sched->slow_at_ns,
                          worker->now_ns + TH_SLOW_NS / sched->worker_count,
                          memory_order_relaxed);
}

void th_place_slow_woken(struct th_sched *sched, struct th_task *task)
{
    th_injector_push(&sched->slow[TH_SLOW_WOKEN], &task->link, &task->link, 1);
    th_idle_notify(sched);
}

void th_place_slow_again(struct th_worker *worker, struct th_task *task)
{
    struct th_sched *sched = worker->sched;

    if (th_place_slow_size(sched) == 0) {
        note_slow_turn(worker);
    }
    th_injector_push(&sched->slow[TH_SLOW_AGAIN], &task->link, &task->link, 1);
    /* Who has nothing else takes it at once; a sleeper need not get up. */
    if (th_worker_waiting(worker) > 0 || th_place_slow_size(sched) > 1) {
        th_idle_notify(sched);
    }
}

static struct th_task *pop_slow(struct th_worker *worker, unsigned which)
{
    struct th_sched *sched = worker->sched;
    struct th_injector *slow = &sched->slow[which];
    struct th_mpsc_node *node;

    if (TH_LIKELY(th_injector_size(slow) == 0) ||
        !th_injector_try_begin(slow)) {
        return NULL;
    }
    enum th_mpsc_result result = th_injector_pop(slow, &node);
    th_injector_end(slow);
    if (result != TH_MPSC_OK) {
        worker->retry = worker->retry || th_injector_size(slow) > 0;
        return NULL;
    }
    note_slow_turn(worker);
    if (th_place_slow_size(sched) > 0) {
        th_idle_notify(sched);
    }
    return th_task_of(node);
}

/* By turns: one whose runs are long, but end, does not wait for all that
 * compute without end (with 50 of those it did, for 53 ms; and 0.7 before). */
struct th_task *th_place_slow_take(struct th_worker *worker)
{
    unsigned first = worker->slow_next;
    struct th_task *task = pop_slow(worker, first);

    if (task != NULL) {
        worker->slow_next = (first + 1) % TH_SLOWS;
        return task;
    }
    return pop_slow(worker, (first + 1) % TH_SLOWS);
}

static struct th_task *take(struct th_worker *worker, struct th_worker *victim,
                            size_t max, bool half)
{
    void *items[TH_BATCH];
    size_t count = th_deque_take(&victim->deque, items, max, half);

    if (count == 0) {
        return NULL;
    }
    th_count(&worker->counters.steals, 1);
    th_count(&worker->counters.stolen, count);
    return keep(worker, items, count);
}

struct th_task *th_place_steal(struct th_worker *worker)
{
    struct th_sched *sched = worker->sched;
    unsigned count = sched->worker_count;
    unsigned start = (unsigned)th_rng_below(&worker->rng, count);

    for (unsigned i = 0; i < count; i++) {
        struct th_worker *victim = &sched->workers[(start + i) % count];
        if (victim == worker || th_deque_size(&victim->deque) < TH_SPARE) {
            continue;
        }
        struct th_task *task = take(worker, victim, TH_BATCH, true);
        if (task != NULL) {
            return task;
        }
    }
    return NULL;
}

bool th_place_stealable(struct th_worker *worker)
{
    struct th_sched *sched = worker->sched;

    for (unsigned i = 0; i < sched->worker_count; i++) {
        struct th_worker *victim = &sched->workers[i];
        if (victim != worker && th_deque_size(&victim->deque) >= TH_SPARE) {
            return true;
        }
    }
    return false;
}

static void sight(struct th_worker *victim, struct th_sighting *out,
                  uint64_t now_ns)
{
    /* relaxed: estimates; the taking itself is exact */
    out->head = atomic_load_explicit(&victim->deque.head, memory_order_relaxed);
    out->slot = atomic_load_explicit(&victim->slot, memory_order_relaxed);
    out->runs = th_counted(&victim->counters.runs);
    out->wakes = th_counted(&victim->counters.wakes);
    out->queued = th_deque_size(&victim->deque) > 0;
    out->since_ns = out->queued || out->slot != NULL ? now_ns : 0;
}

static struct th_task *take_slot(struct th_worker *worker,
                                 struct th_worker *victim, struct th_task *task)
{
    /* worker.c [M2] acquire; relaxed on failure: nothing was taken */
    if (!atomic_compare_exchange_strong_explicit(&victim->slot, &task, NULL,
                                                 memory_order_acquire,
                                                 memory_order_relaxed)) {
        return NULL;
    }
    th_count(&worker->counters.steals, 1);
    th_count(&worker->counters.stolen, 1);
    return task;
}

/* The second look: what waited since the first. */
static struct th_task *take_stale(struct th_worker *worker,
                                  struct th_worker *victim,
                                  const struct th_sighting *seen,
                                  const struct th_sighting *now)
{
    if (seen->queued && now->queued &&
        (seen->head == now->head || seen->wakes == now->wakes)) {
        return take(worker, victim, 1, false);
    }
    if (now->slot != NULL && now->slot == seen->slot &&
        seen->runs == now->runs) {
        return take_slot(worker, victim, now->slot);
    }
    return NULL;
}

/* One look at one other worker. */
static struct th_task *watch_one(struct th_worker *worker,
                                 struct th_worker *victim,
                                 struct th_sighting *seen, bool *out_again)
{
    struct th_sighting now;

    sight(victim, &now, worker->now_ns);
    now.streak = now.queued ? seen->streak + 1 : 0;
    if (now.streak >= TH_STREAK) {
        memset(seen, 0, sizeof(*seen));
        return take(worker, victim, 1, false);
    }
    if (seen->since_ns == 0) {
        *seen = now;
        *out_again = *out_again || now.since_ns != 0;
        return NULL;
    }
    seen->streak = now.streak;
    if (worker->now_ns - seen->since_ns < TH_STALE_NS) {
        *out_again = true;
        return NULL;
    }
    seen->since_ns = 0; /* the next look is a first one */
    return take_stale(worker, victim, seen, &now);
}

struct th_task *th_place_watch(struct th_worker *worker, bool *out_again)
{
    struct th_sched *sched = worker->sched;

    for (unsigned i = 0; i < sched->worker_count; i++) {
        struct th_worker *victim = &sched->workers[i];
        if (victim == worker) {
            continue;
        }
        struct th_task *task =
            watch_one(worker, victim, &worker->seen[i], out_again);
        if (task != NULL) {
            return task;
        }
    }
    return NULL;
}

void th_place_balance(struct th_worker *worker)
{
    struct th_sched *sched = worker->sched;
    size_t mine = th_deque_size(&worker->deque);

    for (unsigned i = 0; i < sched->worker_count; i++) {
        struct th_worker *victim = &sched->workers[i];
        size_t theirs = th_deque_size(&victim->deque);
        if (victim == worker || theirs < 2 * mine + 8) {
            continue;
        }
        size_t max = (theirs - mine) / 2;
        struct th_task *task =
            take(worker, victim, max < TH_BATCH ? max : TH_BATCH, true);
        if (task != NULL) {
            th_worker_queue(worker, task);
        }
        return;
    }
}
