/* SPDX-License-Identifier: Apache-2.0 */
/* Design notes. A timer says what it wants in `deadline_ns`; the wheel knows
 * what it is placed for in `placed_ns`. All that has to hold is that a timer
 * is placed no later than it wants to be (NEVER being the latest): then the
 * wheel comes across it in time, looks at the deadline, and fires it or places
 * it anew. Only an arm for an earlier time than the placed one needs the wheel;
 * it leaves an order, "look at this timer", and so does close.
 *
 * Who has the wheel (`token`) carries out orders and turns it; it calls nobody
 * meanwhile. Fired and closed timers are gathered on lists of the thread's own
 * and called after the token was given back.
 *
 * Measured (2 cores): 3 ns for an arm that only stores, 57 for one that moves
 * its timer; two threads that do only that: 59 with four wheels, 75-120 with
 * one.
 *
 * Flags of a timer:
 *   ORDERED  it is on the list of orders, or about to be
 *   KNOWN    its wheel has seen it; stays
 *   CLOSING  it is being closed; stays
 *   CLOSED   the close order is carried out: in no bucket, nothing to look at
 *   FIRING   an advance has it: `gone` and other advances leave it alone
 *   AGAIN    it came due while FIRING: who fires it leaves an order after that
 *
 * Ordering. Two pairs need a single order of both sides (store here, load
 * there), hence seq_cst:
 *   [M1] arm: exchange of `deadline_ns`, then load of `placed_ns`, seq_cst.
 *   [M2] wheel: store of NEVER to `placed_ns`, then load of `deadline_ns`,
 *        seq_cst. Pairs with [M1]: either arm sees that the timer is not
 *        placed (or what it was placed for after that) and leaves an order if
 *        that is too late, or the wheel sees the new deadline.
 *   [M3] order: push to `orders`, then a try for `token`, seq_cst.
 *   [M4] wheel: store of `token`, then load of `orders`, seq_cst. Pairs with
 *        [M3]: either the order's thread gets the token, or who had it sees
 *        the order and tries for the token again.
 * The others hand something over:
 *   [M5] token: taken with acquire, given back with release (of seq_cst): the
 *        wheel and the links of its timers.
 *   [M6] orders: pushed with release, taken with acquire (of seq_cst): the
 *        timer's plain members, order_next first.
 *   [M7] flags: read-modify-writes, acq_rel: who clears ORDERED sees the
 *        deadline of an arm that left it to that order; who calls `gone` sees
 *        all that `fire` did.
 *   [M8] firing, orders, token, next_ns: see `unsettled`. */
#include "queue/timers.h"

#include "queue/timer_wheel.h"

enum {
    ORDERED = 1,
    KNOWN = 2,
    CLOSING = 4,
    CLOSED = 8,
    FIRING = 16,
    AGAIN = 32,
};

enum { WHEELS = 4 };

_Static_assert((WHEELS & (WHEELS - 1)) == 0 && WHEELS <= (int)TH_SLOTS,
               "a wheel is chosen by the low bits of the thread slot");

struct shared_wheel {
    /* Written by who leaves orders. */
    _Alignas(TH_LINE) _Atomic(struct th_timer *) orders;
    _Atomic uint32_t token;  /* 1: a thread has the wheel */
    _Atomic uint32_t firing; /* threads that fire what they took out of it */
    /* Written by who has the wheel, read by all. */
    _Alignas(TH_LINE) _Atomic uint64_t next_ns;
    struct th_wheel wheel;
};

struct armed_count {
    _Alignas(TH_LINE) _Atomic int64_t count; /* of one thread slot */
};

struct th_timers {
    const theater_env_t *env;
    void (*earlier)(void *ctx);
    void *earlier_ctx;
    struct shared_wheel wheels[WHEELS];
    _Atomic unsigned turn; /* the wheel that a limited advance begins with */
    struct armed_count armed[TH_SLOTS];
};

theater_status_t th_timers_new(const theater_env_t *env, struct th_timers **out)
{
    struct th_timers *timers =
        env->alloc(env->ctx, sizeof(*timers), _Alignof(struct th_timers));
    if (timers == NULL) {
        return THEATER_OUT_OF_MEMORY;
    }
    memset(timers, 0, sizeof(*timers));
    timers->env = env;
    for (unsigned i = 0; i < WHEELS; i++) {
        atomic_init(&timers->wheels[i].next_ns, THEATER_NEVER);
    }
    *out = timers;
    return THEATER_OK;
}

void th_timers_delete(struct th_timers *timers)
{
    if (timers == NULL) {
        return;
    }
    TH_ASSERT(th_timers_armed(timers) == 0);
    th_free(timers->env, timers);
}

void th_timers_set_earlier(struct th_timers *timers, void (*earlier)(void *ctx),
                           void *ctx)
{
    timers->earlier = earlier;
    timers->earlier_ctx = ctx;
}

void th_timer_init(struct th_timer *timer, th_timer_fire *fire,
                   th_timer_gone *gone)
{
    memset(timer, 0, sizeof(*timer));
    timer->fire = fire;
    timer->gone = gone;
    timer->wheel = (uint16_t)(th_slot() & (WHEELS - 1));
    atomic_init(&timer->deadline_ns, THEATER_NEVER);
    atomic_init(&timer->placed_ns, THEATER_NEVER);
    atomic_init(&timer->flags, 0);
}

/* --- Counting ----------------------------------------------------------- */

static void count_armed(struct th_timers *timers, int by)
{
    unsigned slot = th_slot();
    _Atomic int64_t *count = &timers->armed[slot].count;

    /* relaxed: a sum, read when all is quiet */
    if (TH_UNLIKELY(slot == 0)) {
        atomic_fetch_add_explicit(count, by, memory_order_relaxed);
        return;
    }
    int64_t value = atomic_load_explicit(count, memory_order_relaxed);
    atomic_store_explicit(count, value + by, memory_order_relaxed);
}

size_t th_timers_armed(struct th_timers *timers)
{
    int64_t sum = 0;
    for (unsigned i = 0; i < TH_SLOTS; i++) {
        /* relaxed: see above */
        sum +=
            atomic_load_explicit(&timers->armed[i].count, memory_order_relaxed);
    }
    return sum > 0 ? (size_t)sum : 0;
}

/* Stores what the timer wants and keeps the count. */
static void want(struct th_timers *timers, struct th_timer *timer,
                 uint64_t deadline_ns)
{
    /* [M1] seq_cst; pairs with [M2] */
    uint64_t before = atomic_exchange_explicit(&timer->deadline_ns, deadline_ns,
                                               memory_order_seq_cst);
    int by = (deadline_ns != THEATER_NEVER) - (before != THEATER_NEVER);
    if (by != 0) {
        count_armed(timers, by);
    }
}

/* --- Who has the wheel -------------------------------------------------- */

static bool token_try(struct shared_wheel *shared)
{
    uint32_t is_free = 0;
    /* [M3] seq_cst also on failure; pairs with [M4]. [M5] acquire */
    return atomic_compare_exchange_strong_explicit(&shared->token, &is_free, 1,
                                                   memory_order_seq_cst,
                                                   memory_order_seq_cst);
}

/* Gives the wheel back; true: there are orders that nobody may know of. */
static bool token_release(struct shared_wheel *shared)
{
    /* [M4] seq_cst; pairs with [M3]. [M5] release */
    atomic_store_explicit(&shared->token, 0, memory_order_seq_cst);
    return atomic_load_explicit(&shared->orders, memory_order_seq_cst) != NULL;
}

/* Makes the timer be placed no later than it wants to be. A deadline that comes
 * after the load here finds the timer placed for the one before, or not at all,
 * and leaves an order if that is too late: no need to look again. */
static void settle(struct th_wheel *wheel, struct th_timer *timer)
{
    /* relaxed: written by who has the wheel */
    uint64_t placed =
        atomic_load_explicit(&timer->placed_ns, memory_order_relaxed);
    /* [M2] seq_cst; pairs with [M1] */
    uint64_t deadline =
        atomic_load_explicit(&timer->deadline_ns, memory_order_seq_cst);

    if (deadline < placed) {
        if (placed != THEATER_NEVER) {
            th_wheel_remove(wheel, timer);
        }
        th_wheel_add(wheel, timer, deadline);
    }
}

/* All orders, the oldest first. */
static struct th_timer *take_orders(struct shared_wheel *shared)
{
    struct th_timer *oldest = NULL;
    /* [M6] acquire; seq_cst so that [M4] of a later turn is behind it */
    struct th_timer *order =
        atomic_exchange_explicit(&shared->orders, NULL, memory_order_seq_cst);
    while (order != NULL) {
        struct th_timer *older = order->order_next;
        order->order_next = oldest;
        oldest = order;
        order = older;
    }
    return oldest;
}

/* Puts closed timers that may go at the front of *gone. */
static void carry_out_orders(struct shared_wheel *shared,
                             struct th_timer **gone)
{
    struct th_wheel *wheel = &shared->wheel;
    struct th_timer *order = take_orders(shared);

    while (order != NULL) {
        struct th_timer *timer = order;
        order = timer->order_next; /* not ours once ORDERED is cleared */
        /* [M7] acq_rel */
        uint32_t flags = atomic_fetch_and_explicit(
            &timer->flags, ~(uint32_t)ORDERED, memory_order_acq_rel);
        if ((flags & CLOSING) == 0) {
            settle(wheel, timer);
            continue;
        }
        /* relaxed: written by who has the wheel */
        if (atomic_load_explicit(&timer->placed_ns, memory_order_relaxed) !=
            THEATER_NEVER) {
            th_wheel_remove(wheel, timer);
        }
        /* [M7] acq_rel */
        flags = atomic_fetch_or_explicit(&timer->flags, CLOSED,
                                         memory_order_acq_rel);
        TH_ASSERT((flags & CLOSED) == 0);
        if ((flags & FIRING) == 0) {
            timer->order_next = *gone;
            *gone = timer;
        }
    }
}

/* Says when there is work next; true: that is earlier than it was. */
static bool publish_next(struct shared_wheel *shared)
{
    uint64_t next = th_wheel_next(&shared->wheel);
    /* relaxed: written by who has the wheel */
    uint64_t before =
        atomic_load_explicit(&shared->next_ns, memory_order_relaxed);

    if (next != before) {
        /* release; pairs with the load in th_timers_next. Only a time: the
         * wheel itself is handed over by the token */
        atomic_store_explicit(&shared->next_ns, next, memory_order_release);
    }
    return next < before;
}

/* The last call about a closed timer. */
static void say_gone(struct th_timers *timers, struct th_timer *timer)
{
    /* `fire` may have armed it after close disarmed it. */
    want(timers, timer, THEATER_NEVER);
    timer->gone(timer);
}

static void after_release(struct th_timers *timers, struct th_timer *gone,
                          bool earlier)
{
    if (earlier && timers->earlier != NULL) {
        timers->earlier(timers->earlier_ctx);
    }
    while (gone != NULL) {
        struct th_timer *timer = gone;
        gone = timer->order_next;
        say_gone(timers, timer);
    }
}

/* Carries out orders until there are none, unless another thread does. */
static void combine(struct th_timers *timers, struct shared_wheel *shared)
{
    struct th_timer *gone = NULL;
    bool earlier = false;
    bool more = true;

    while (more && token_try(shared)) {
        /* An idle wheel catches up, so that what is near lies on a low level.
         * Nothing is moved: there is nothing before now. */
        uint64_t now = th_now(timers->env);
        if (th_wheel_next(&shared->wheel) > now) {
            size_t budget = 0;
            th_wheel_turn(&shared->wheel, now, &budget);
        }
        carry_out_orders(shared, &gone);
        earlier = publish_next(shared) || earlier;
        more = token_release(shared);
    }
    after_release(timers, gone, earlier);
}

/* --- Orders ------------------------------------------------------------- */

static void order(struct th_timers *timers, struct th_timer *timer,
                  uint32_t why)
{
    struct shared_wheel *shared = &timers->wheels[timer->wheel];
    /* [M7] acq_rel */
    uint32_t flags = atomic_fetch_or_explicit(
        &timer->flags, why | KNOWN | ORDERED, memory_order_acq_rel);

    if ((flags & (ORDERED | CLOSING)) == 0) {
        /* relaxed: the push checks it */
        struct th_timer *head =
            atomic_load_explicit(&shared->orders, memory_order_relaxed);
        do {
            timer->order_next = head;
            /* [M3] seq_cst; pairs with [M4]. [M6] release. relaxed on
             * failure: nothing was pushed */
        } while (!atomic_compare_exchange_weak_explicit(
            &shared->orders, &head, timer, memory_order_seq_cst,
            memory_order_relaxed));
    }
    combine(timers, shared);
}

void th_timer_arm(struct th_timers *timers, struct th_timer *timer,
                  uint64_t deadline_ns)
{
    want(timers, timer, deadline_ns);
    /* [M1] seq_cst; pairs with [M2] */
    if (TH_LIKELY(deadline_ns >= atomic_load_explicit(&timer->placed_ns,
                                                      memory_order_seq_cst))) {
        return;
    }
    order(timers, timer, 0);
}

void th_timer_close(struct th_timers *timers, struct th_timer *timer)
{
    /* relaxed: KNOWN is set by who arms, and arm does not run beside close
     * but in `fire`, when it is set already */
    uint32_t flags = atomic_load_explicit(&timer->flags, memory_order_relaxed);

    TH_ASSERT((flags & CLOSING) == 0);
    if ((flags & KNOWN) == 0) {
        timer->gone(timer);
        return;
    }
    want(timers, timer, THEATER_NEVER);
    order(timers, timer, CLOSING);
}

/* --- Firing ------------------------------------------------------------- */

/* Marks the timer as this advance's; false: another advance fires it at this
 * moment, and will leave an order after that. */
static bool begin_firing(struct th_timer *timer)
{
    /* relaxed: the swap checks it */
    uint32_t flags = atomic_load_explicit(&timer->flags, memory_order_relaxed);
    uint32_t add;

    do {
        add = (flags & FIRING) != 0 ? AGAIN : FIRING;
        /* [M7] acq_rel */
    } while (!atomic_compare_exchange_weak_explicit(
        &timer->flags, &flags, flags | add, memory_order_acq_rel,
        memory_order_relaxed));
    return add == FIRING;
}

/* Takes the timer of the due bucket that is first; true: it is to be fired. */
static bool collect(struct th_wheel *wheel, struct th_timer *timer,
                    uint64_t now_ns)
{
    th_wheel_remove(wheel, timer);
    /* [M2] seq_cst; pairs with [M1] */
    uint64_t deadline =
        atomic_load_explicit(&timer->deadline_ns, memory_order_seq_cst);

    if (deadline == THEATER_NEVER) {
        return false;
    }
    if (deadline > now_ns) {
        settle(wheel, timer);
        return false;
    }
    return begin_firing(timer);
}

static void end_firing(struct th_timers *timers, struct th_timer *timer)
{
    for (;;) {
        /* [M7] acq_rel: what `fire` did is done before `gone` */
        uint32_t flags = atomic_fetch_and_explicit(
            &timer->flags, ~(uint32_t)AGAIN, memory_order_acq_rel);
        if ((flags & AGAIN) != 0) {
            /* Still FIRING: `gone` waits for us. */
            order(timers, timer, 0);
            continue;
        }
        /* [M7] acq_rel. Fails when a flag was added since. */
        if (atomic_compare_exchange_strong_explicit(
                &timer->flags, &flags, flags & ~(uint32_t)FIRING,
                memory_order_acq_rel, memory_order_relaxed)) {
            if ((flags & CLOSED) != 0) {
                say_gone(timers, timer);
            }
            return;
        }
    }
}

/* True: it was fired; false: it is not wanted now any more. */
static bool fire(struct th_timers *timers, struct th_timer *timer,
                 uint64_t now_ns)
{
    /* relaxed: the swap checks it */
    uint64_t deadline =
        atomic_load_explicit(&timer->deadline_ns, memory_order_relaxed);
    bool fired = false;

    while (deadline <= now_ns && !fired) {
        /* seq_cst: one more store of the deadline, as [M1]; acquire: what
         * was written before arm is seen by `fire` */
        fired = atomic_compare_exchange_weak_explicit(
            &timer->deadline_ns, &deadline, THEATER_NEVER, memory_order_seq_cst,
            memory_order_relaxed);
    }
    if (fired) {
        count_armed(timers, -1);
        timer->fire(timer);
    }
    end_firing(timers, timer);
    return fired;
}

/* Under the token: a list of at most `limit` timers to fire, in order. */
static struct th_timer *gather(struct th_wheel *wheel, uint64_t now_ns,
                               size_t limit)
{
    struct th_timer *first = NULL;
    struct th_timer **end = &first;
    size_t budget = limit < SIZE_MAX / 4 ? 4 * limit + 64 : SIZE_MAX;
    struct th_timer *timer;

    th_wheel_turn(wheel, now_ns, &budget);
    while (limit > 0 && budget > 0 && (timer = th_wheel_due(wheel)) != NULL) {
        budget--;
        if (collect(wheel, timer, now_ns)) {
            *end = timer;
            end = &timer->fire_next;
            limit--;
        }
    }
    *end = NULL;
    return first;
}

static size_t advance_wheel(struct th_timers *timers,
                            struct shared_wheel *shared, uint64_t now_ns,
                            size_t limit)
{
    struct th_timer *gone = NULL;
    size_t count = 0;

    if (!token_try(shared)) {
        return 0;
    }
    /* Time that another thread has seen is over for us, too. */
    uint64_t seen = shared->wheel.elapsed * TH_TIMER_TICK_NS;
    uint64_t now = now_ns > seen ? now_ns : seen;
    carry_out_orders(shared, &gone);
    struct th_timer *timer = gather(&shared->wheel, now, limit);
    bool fires = timer != NULL;
    if (fires) {
        /* [M8] relaxed: before the token is given back */
        atomic_fetch_add_explicit(&shared->firing, 1, memory_order_relaxed);
    }
    bool earlier = publish_next(shared);
    bool more = token_release(shared);

    after_release(timers, gone, earlier);
    if (more) {
        combine(timers, shared);
    }
    while (timer != NULL) {
        struct th_timer *following = timer->fire_next;
        count += fire(timers, timer, now) ? 1 : 0;
        timer = following;
    }
    if (fires) {
        /* [M8] release */
        atomic_fetch_sub_explicit(&shared->firing, 1, memory_order_release);
    }
    return count;
}

/* [M8] Who has left an order reads it here, or that it was taken, and then that
 * a thread has the wheel, or what that thread has published before it let go.
 * The loads are acquire, in this order; the stores release, in the other. Who
 * fires may leave an order for a timer that another has armed or found due
 * meanwhile (AGAIN): it is counted until it has. */
static bool unsettled(const struct shared_wheel *shared)
{
    return atomic_load_explicit(&shared->firing, memory_order_acquire) != 0 ||
           atomic_load_explicit(&shared->orders, memory_order_acquire) !=
               NULL ||
           atomic_load_explicit(&shared->token, memory_order_acquire) != 0;
}

uint64_t th_timers_next(struct th_timers *timers)
{
    uint64_t next = THEATER_NEVER;
    bool soon = false;
    for (unsigned i = 0; i < WHEELS; i++) {
        const struct shared_wheel *shared = &timers->wheels[i];
        soon = unsettled(shared) || soon;
        /* acquire; pairs with publish_next. [M8] */
        uint64_t at =
            atomic_load_explicit(&shared->next_ns, memory_order_acquire);
        next = at < next ? at : next;
    }
    if (TH_UNLIKELY(soon)) {
        uint64_t look_again = th_now(timers->env) + TH_TIMER_TICK_NS;
        next = look_again < next ? look_again : next;
    }
    return next;
}

size_t th_timers_advance(struct th_timers *timers, uint64_t now_ns,
                         size_t limit)
{
    size_t left = limit > 0 ? limit : SIZE_MAX;
    size_t count = 0;
    /* NEVER does not come, so that a disarmed timer is never due. */
    now_ns = now_ns < THEATER_NEVER ? now_ns : THEATER_NEVER - 1;
    /* Begun with the same wheel each time, one that always has something due
     * would use up each limit, and no timer of another wheel ever fire.
     * relaxed: a hint */
    unsigned first =
        limit > 0 ? atomic_load_explicit(&timers->turn, memory_order_relaxed)
                  : th_slot();
    unsigned i;

    for (i = 0; i < WHEELS && left > 0; i++) {
        struct shared_wheel *shared =
            &timers->wheels[(first + i) & (WHEELS - 1)];
        /* acquire; pairs with publish_next */
        if (atomic_load_explicit(&shared->next_ns, memory_order_acquire) <=
            now_ns) {
            size_t fired = advance_wheel(timers, shared, now_ns, left);
            left -= fired;
            count += fired;
        }
    }
    if (left == 0) {
        /* relaxed: see above */
        atomic_store_explicit(&timers->turn, first + i, memory_order_relaxed);
    }
    return count;
}
