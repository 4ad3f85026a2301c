/* SPDX-License-Identifier: Apache-2.0 */
/* Design notes. Who sleeps, who is woken, and why no wake is lost.
 *
 * One word, `idlers`, holds all of it, so that each change is one
 * compare-exchange: the set of sleepers (a bit for each worker), the number of
 * searchers (awake, without a task, looking for one), and the watcher.
 *
 * - notify moves one sleeper from the set to the searchers, then sends it a
 *   token (a bit in its futex word). It does nothing when there is no sleeper,
 *   or when there is a searcher: that one will find the work.
 * - A searcher that finds work and was the last one notifies, if there is more
 *   work: so sleepers get up one after another, as many as there is work for.
 * - A searcher that finds nothing enters the set, then looks once more, at the
 *   injector and at rings with work to spare; if there is some it takes itself
 *   out of the set again. If a notify was faster, its token is on its way.
 * No wake is lost. Who queues work in the injector
 *   [M1] adds to its `pushed` (seq_cst), then
 *   [M2] loads `idlers` (seq_cst);
 * who goes to sleep
 *   [M3] changes `idlers` (seq_cst), then
 *   [M4] loads `pushed` and `taking` (seq_cst).
 * In the one order of these four either [M1] precedes [M4]: the sleeper sees
 * the work; or [M3] precedes [M2]: the waker sees the sleeper, or a searcher
 * that has its own [M3], and so its own [M4], still to come. Likewise for who
 * takes from the injector and leaves something there: `taking` in place of
 * `pushed` (queue/injector.h [M3]).
 * Work in a worker's own queues is not lost in any case, for the owner empties
 * them before it sleeps; but it may wait behind a long run. So the same holds
 * for it: whoever queues there (seq_cst: queue/deque.h [M1], worker.c [M1])
 * then looks, and finds that no one sleeps, or that a watcher ticks, or a
 * searcher, which looks at all queues when it ends, or it wakes a sleeper.
 *
 * The watcher is a sleeper with a deadline; the others sleep until they are
 * woken. While some worker is busy it gets up at each tick and looks for work
 * that waits (placement.c) and for time (time.c); while none is busy it sleeps
 * until the next deadline. Who falls asleep becomes it if there is none, or
 * none that ticks while someone is busy; a busy worker that queues work while
 * no one ticks wakes a sleeper, which then does. notify takes the watcher last;
 * a watcher that got up by itself and found a task has another get up, which
 * then watches: with none, one long run held up all time (950 ms of 1,000).
 *
 * A deadline that comes nearer while the watcher sleeps:
 *   [M5] who armed it adds to `time_epoch` (acq_rel), then reads the watcher's
 *        `sleep_until_ns` and, if that is later, pokes it.
 *   [M6] the watcher stores `sleep_until_ns`, then adds 0 to `time_epoch`
 *        (acq_rel); when the epoch is not the one from before it looked at the
 *        deadlines, it looks again.
 * Of [M5] and [M6] the later one sees what came before the earlier one.
 *
 *   [M7] token and poke: fetch_or of the futex word, release; pairs with the
 *        sleeper's exchange, acquire: what the waker did before is there.
 * Progress: notify is lock-free; parking waits, as it should. */
#include "sched/internal.h"

#define MASK ((UINT64_C(1) << TH_WORKERS_MAX) - 1)
#define SEARCH_SHIFT 48
#define SEARCH_ONE (UINT64_C(1) << SEARCH_SHIFT)
#define WATCH_SHIFT 56
#define WATCH_NONE UINT64_C(63)
#define WATCH_BITS (WATCH_NONE << WATCH_SHIFT)
#define TICK (UINT64_C(1) << 62)

static unsigned searching(uint64_t idlers)
{
    return (unsigned)(idlers >> SEARCH_SHIFT) & 0xff;
}

static unsigned watcher(uint64_t idlers)
{
    return (unsigned)((idlers & WATCH_BITS) >> WATCH_SHIFT);
}

static uint64_t bit_of(unsigned index)
{
    return UINT64_C(1) << index;
}

static uint64_t everyone(const struct th_sched *sched)
{
    return MASK >> (TH_WORKERS_MAX - sched->worker_count);
}

static uint64_t load_idlers(struct th_sched *sched)
{
    /* [M2] seq_cst */
    return atomic_load_explicit(&sched->idlers, memory_order_seq_cst);
}

static bool swap_idlers(struct th_sched *sched, uint64_t *expected,
                        uint64_t desired)
{
    /* [M3] seq_cst */
    return atomic_compare_exchange_weak_explicit(&sched->idlers, expected,
                                                 desired, memory_order_seq_cst,
                                                 memory_order_seq_cst);
}

void th_idle_init(struct th_sched *sched)
{
    /* relaxed: not shared yet */
    atomic_init(&sched->idlers, WATCH_BITS);
}

static void signal_worker(struct th_sched *sched, unsigned index,
                          uint32_t signal)
{
    struct th_worker *worker = &sched->workers[index];

    /* [M7] release */
    atomic_fetch_or_explicit(&worker->word, signal, memory_order_release);
    sched->env->unpark(sched->env->ctx, &worker->word, 1);
}

/* The word without that sleeper. */
static uint64_t without(uint64_t idlers, unsigned index)
{
    idlers &= ~bit_of(index);
    if (watcher(idlers) == index) {
        idlers = (idlers | WATCH_BITS) & ~TICK;
    }
    return idlers;
}

void th_idle_notify(struct th_sched *sched)
{
    uint64_t seen = load_idlers(sched);
    unsigned index;

    do {
        uint64_t sleepers = seen & MASK;
        if (sleepers == 0 || searching(seen) > 0) {
            return;
        }
        unsigned watching = watcher(seen);
        if (watching != WATCH_NONE && sleepers != bit_of(watching)) {
            sleepers &= ~bit_of(watching);
        }
        index = (unsigned)__builtin_ctzll(sleepers);
    } while (!swap_idlers(sched, &seen, without(seen, index) + SEARCH_ONE));

    struct th_worker *worker = th_worker_current;
    if (worker != NULL && worker->sched == sched) {
        th_count(&worker->counters.unparks, 1);
    }
    signal_worker(sched, index, TH_WORD_TOKEN);
}

void th_idle_notify_local(struct th_worker *worker)
{
    struct th_sched *sched = worker->sched;
    /* [M2] seq_cst */
    uint64_t seen = load_idlers(sched);

    if (TH_LIKELY((seen & MASK) == 0 || searching(seen) > 0)) {
        return;
    }
    if ((seen & TICK) == 0 || th_deque_size(&worker->deque) >= TH_SPARE) {
        th_idle_notify(sched);
    }
}

bool th_idle_searched(struct th_sched *sched)
{
    return searching(load_idlers(sched)) > 0;
}

bool th_idle_search_begin(struct th_worker *worker)
{
    struct th_sched *sched = worker->sched;
    unsigned half = (sched->worker_count + 1) / 2;
    uint64_t seen = load_idlers(sched);

    do {
        if (searching(seen) >= half) {
            return false;
        }
    } while (!swap_idlers(sched, &seen, seen + SEARCH_ONE));
    worker->searching = true;
    return true;
}

/* Is there work that a sleeper could take, or should at least watch? */
static bool help_wanted(struct th_worker *worker, uint64_t idlers)
{
    struct th_sched *sched = worker->sched;

    if (th_injector_size(&sched->injector) > 0 ||
        th_place_slow_size(sched) > 0 ||
        th_deque_size(&worker->deque) >= TH_SPARE ||
        th_place_stealable(worker)) {
        return true;
    }
    for (unsigned i = 0; i < sched->worker_count && (idlers & TICK) == 0; i++) {
        if (th_worker_waiting(&sched->workers[i]) > 0) {
            return true;
        }
    }
    return false;
}

void th_idle_search_end(struct th_worker *worker)
{
    struct th_sched *sched = worker->sched;
    /* [M3] seq_cst: those who counted on this searcher queued before, and what
     * they queued is looked for below */
    uint64_t before = atomic_fetch_sub_explicit(&sched->idlers, SEARCH_ONE,
                                                memory_order_seq_cst);

    worker->searching = false;
    /* The watcher that got up by itself has something to do: while that takes,
     * another is to have an eye on time. */
    if (searching(before) == 1 && (before & MASK) != 0 &&
        (watcher(before) == WATCH_NONE || help_wanted(worker, before))) {
        th_idle_notify(sched);
    }
}

bool th_idle_all(struct th_sched *sched)
{
    return (load_idlers(sched) & MASK) == everyone(sched);
}

bool th_sched_is_awake(struct th_sched *sched)
{
    return !th_idle_all(sched);
}

bool th_idle_sleeps(struct th_sched *sched, unsigned index)
{
    return (load_idlers(sched) & bit_of(index)) != 0;
}

static void poke_watcher(struct th_sched *sched, uint64_t deadline_ns)
{
    unsigned index = watcher(load_idlers(sched));

    if (index == WATCH_NONE) {
        return; /* all work; who falls asleep looks at the deadlines */
    }
    /* acquire: with [M6] */
    if (deadline_ns <
        atomic_load_explicit(&sched->workers[index].sleep_until_ns,
                             memory_order_acquire)) {
        signal_worker(sched, index, TH_WORD_POKE);
    }
}

void th_idle_deadline(struct th_sched *sched, uint64_t deadline_ns)
{
    /* [M5] acq_rel */
    atomic_fetch_add_explicit(&sched->time_epoch, 1, memory_order_acq_rel);
    poke_watcher(sched, deadline_ns);
}

void th_idle_stop(struct th_sched *sched)
{
    /* release; and [M7] carries it to the sleepers */
    atomic_store_explicit(&sched->stop, 1, memory_order_release);
    for (unsigned i = 0; i < sched->worker_count; i++) {
        signal_worker(sched, i, TH_WORD_POKE);
    }
}

/* Into the set of sleepers. */
static void enter(struct th_worker *worker)
{
    struct th_sched *sched = worker->sched;
    uint64_t seen = load_idlers(sched);
    uint64_t next;

    do {
        next = seen | bit_of(worker->index);
        if (worker->searching) {
            next -= SEARCH_ONE;
        }
        bool busy = (next & MASK) != everyone(sched);
        if (busy ? (seen & TICK) == 0 : watcher(seen) == WATCH_NONE) {
            next &= ~WATCH_BITS;
            next |= (uint64_t)worker->index << WATCH_SHIFT;
            next |= busy ? TICK : 0;
        }
    } while (!swap_idlers(sched, &seen, next));
    worker->searching = false;
}

/* Out of it, as a searcher. False: someone else did that, and its token is on
 * its way. */
static bool leave(struct th_worker *worker)
{
    struct th_sched *sched = worker->sched;
    uint64_t seen = load_idlers(sched);

    /* seq_cst, before the change: quiet.c [M1] */
    atomic_fetch_add_explicit(&sched->rises, 1, memory_order_seq_cst);
    do {
        if ((seen & bit_of(worker->index)) == 0) {
            return false;
        }
    } while (
        !swap_idlers(sched, &seen, without(seen, worker->index) + SEARCH_ONE));
    worker->searching = true;
    return true;
}

static bool stopping(struct th_sched *sched)
{
    /* acquire; pairs with th_idle_stop */
    return atomic_load_explicit(&sched->stop, memory_order_acquire) != 0;
}

static bool left_in(struct th_worker *worker, struct th_injector *injector)
{
    return !th_injector_taking(injector) && !worker->retry &&
           th_injector_size(injector) > 0;
}

/* [M4] Is there work after all? While a push is under way, or someone takes,
 * they will notify. */
static bool work_left(struct th_worker *worker)
{
    struct th_sched *sched = worker->sched;

    return stopping(sched) || th_place_stealable(worker) ||
           left_in(worker, &sched->injector) ||
           left_in(worker, &sched->slow[TH_SLOW_WOKEN]) ||
           left_in(worker, &sched->slow[TH_SLOW_AGAIN]);
}

/* [M6] */
static uint64_t watch_until(struct th_worker *worker, uint64_t tick_at_ns)
{
    struct th_sched *sched = worker->sched;
    /* acquire: pairs with [M5] */
    uint64_t before =
        atomic_load_explicit(&sched->time_epoch, memory_order_acquire);

    for (;;) {
        uint64_t until = th_time_next(sched);
        if (until > tick_at_ns) {
            until = tick_at_ns;
        }
        /* relaxed: [M6] publishes it */
        atomic_store_explicit(&worker->sleep_until_ns, until,
                              memory_order_relaxed);
        /* [M6] acq_rel */
        uint64_t after = atomic_fetch_add_explicit(&sched->time_epoch, 0,
                                                   memory_order_acq_rel);
        if (after == before) {
            return until;
        }
        before = after;
    }
}

static uint64_t sleep_until(struct th_worker *worker)
{
    struct th_sched *sched = worker->sched;
    uint64_t seen = load_idlers(sched);
    uint64_t until = THEATER_NEVER;

    if (watcher(seen) == worker->index) {
        until = watch_until(worker, (seen & TICK) != 0
                                        ? th_now(sched->env) + worker->tick_ns
                                        : THEATER_NEVER);
    } else {
        /* A source's deadline may be news to the watcher. */
        uint64_t next = th_time_next(sched);
        if (next != THEATER_NEVER) {
            th_idle_deadline(sched, next);
        }
    }
    if (worker->retry) {
        uint64_t retry = th_now(sched->env) + TH_RETRY_NS;
        until = until < retry ? until : retry;
    }
    return until;
}

/* Until there is a token, or until it took itself out. */
static void sleep_in_set(struct th_worker *worker)
{
    struct th_sched *sched = worker->sched;

    for (;;) {
        uint64_t until = sleep_until(worker);
        th_count(&worker->counters.parks, 1);
        sched->env->park(sched->env->ctx, &worker->word, 0, until);
        /* [M7] acquire */
        uint32_t word =
            atomic_exchange_explicit(&worker->word, 0, memory_order_acquire);
        if ((word & TH_WORD_TOKEN) != 0) {
            worker->searching = true;
            return;
        }
        if (stopping(sched)) {
            return;
        }
        if (until != THEATER_NEVER && th_now(sched->env) >= until &&
            leave(worker)) {
            return;
        }
    }
}

void th_idle_park(struct th_worker *worker)
{
    struct th_sched *sched = worker->sched;

    /* An old poke. [M7] acquire, so that an order to stop is seen below */
    atomic_exchange_explicit(&worker->word, 0, memory_order_acquire);
    enter(worker);
    if (work_left(worker) && leave(worker)) {
        th_watch_up(sched);
        return;
    }
    if (th_idle_all(sched)) {
        th_quiet_bump(sched);
    }
    sleep_in_set(worker);
    th_watch_up(sched);
    /* relaxed: who reads an old one pokes for nothing */
    atomic_store_explicit(&worker->sleep_until_ns, 0, memory_order_relaxed);
}
