/* SPDX-License-Identifier: Apache-2.0 */
/* Design notes. A tick is a number of 6-bit digits. A timer lies on the level
 * of the highest digit in which its tick differs from `elapsed`, in the bucket
 * of that digit's value: so all timers of a level come after all those of the
 * levels below, and the next work is in the first occupied bucket of the
 * lowest level that has one. When `elapsed` reaches a bucket's first tick, the
 * bucket's timers differ in a lower digit only and move down; those of level 0
 * have come due.
 *
 * Moving a bucket may be interrupted by the budget. Its remains lie in the
 * bucket of the digit that `elapsed` has now; they are moved before anything
 * else, from the highest level down, so that the order of time is kept. (What
 * lies beyond the levels is moved whole: once in two years.) What is placed
 * for a tick that is over goes to the bucket of level 0 that is next.
 *
 * A bucket of level 0 is sorted by deadline when it comes due: timers of one
 * tick fire in the order of their deadlines, equal ones as they were placed. */
#include "queue/timer_wheel.h"

static uint64_t tick_of(uint64_t ns)
{
    return ns / TH_TIMER_TICK_NS + (ns % TH_TIMER_TICK_NS != 0 ? 1 : 0);
}

static unsigned digit(uint64_t tick, unsigned level)
{
    return (unsigned)(tick >> (level * TH_WHEEL_BITS)) & (TH_WHEEL_SIZE - 1);
}

static uint64_t placed(const struct th_timer *timer)
{
    /* relaxed: written by who has the wheel alone */
    return atomic_load_explicit(&timer->placed_ns, memory_order_relaxed);
}

/* Where a timer of this tick lies, as `elapsed` stands. */
static uint16_t bucket_of(const struct th_wheel *wheel, uint64_t tick)
{
    if (tick <= wheel->elapsed) {
        return (uint16_t)digit(wheel->elapsed, 0);
    }
    unsigned high = 63 - (unsigned)__builtin_clzll(tick ^ wheel->elapsed);
    unsigned level = high / TH_WHEEL_BITS;
    if (level >= TH_WHEEL_LEVELS) {
        return TH_WHEEL_FAR;
    }
    return (uint16_t)(level * TH_WHEEL_SIZE + digit(tick, level));
}

static void link_last(struct th_wheel *wheel, struct th_timer *timer,
                      uint16_t bucket)
{
    struct th_timer *first = wheel->first[bucket];

    timer->where = bucket;
    timer->next = NULL;
    if (first == NULL) {
        timer->prev = timer;
        wheel->first[bucket] = timer;
        if (bucket < TH_WHEEL_FAR) {
            wheel->occupied[bucket / TH_WHEEL_SIZE] |=
                UINT64_C(1) << bucket % TH_WHEEL_SIZE;
        }
        return;
    }
    timer->prev = first->prev;
    first->prev->next = timer;
    first->prev = timer;
}

static void unlink_timer(struct th_wheel *wheel, struct th_timer *timer)
{
    uint16_t bucket = timer->where;
    struct th_timer *first = wheel->first[bucket];

    if (timer->next != NULL) {
        timer->next->prev = timer->prev;
    } else {
        first->prev = timer->prev;
    }
    if (timer != first) {
        timer->prev->next = timer->next;
        return;
    }
    wheel->first[bucket] = timer->next;
    if (timer->next == NULL && bucket < TH_WHEEL_FAR) {
        wheel->occupied[bucket / TH_WHEEL_SIZE] &=
            ~(UINT64_C(1) << bucket % TH_WHEEL_SIZE);
    }
}

void th_wheel_add(struct th_wheel *wheel, struct th_timer *timer,
                  uint64_t placed_ns)
{
    TH_ASSERT(placed(timer) == THEATER_NEVER && placed_ns != THEATER_NEVER);
    /* relaxed: who sees NEVER instead leaves an order that is not needed */
    atomic_store_explicit(&timer->placed_ns, placed_ns, memory_order_relaxed);
    link_last(wheel, timer, bucket_of(wheel, tick_of(placed_ns)));
}

void th_wheel_remove(struct th_wheel *wheel, struct th_timer *timer)
{
    TH_ASSERT(placed(timer) != THEATER_NEVER);
    unlink_timer(wheel, timer);
    /* [M2] of timers.c: seq_cst; its user loads the deadline after it */
    atomic_store_explicit(&timer->placed_ns, THEATER_NEVER,
                          memory_order_seq_cst);
}

/* The occupied bucket that comes first and the tick at which it does; false:
 * no timer but those that are due. */
static bool first_bucket(const struct th_wheel *wheel, uint16_t *bucket,
                         uint64_t *tick)
{
    uint64_t elapsed = wheel->elapsed;

    /* Remains of a bucket whose time has come. */
    for (unsigned level = TH_WHEEL_LEVELS; level-- > 0;) {
        unsigned at = digit(elapsed, level);
        if (wheel->occupied[level] >> at & 1) {
            *bucket = (uint16_t)(level * TH_WHEEL_SIZE + at);
            *tick = elapsed;
            return true;
        }
    }
    for (unsigned level = 0; level < TH_WHEEL_LEVELS; level++) {
        if (wheel->occupied[level] == 0) {
            continue;
        }
        unsigned at = (unsigned)__builtin_ctzll(wheel->occupied[level]);
        unsigned shift = level * TH_WHEEL_BITS;
        uint64_t above = elapsed >> shift >> TH_WHEEL_BITS << TH_WHEEL_BITS;
        TH_ASSERT(at > digit(elapsed, level));
        *bucket = (uint16_t)(level * TH_WHEEL_SIZE + at);
        *tick = (above | at) << shift;
        return true;
    }
    if (wheel->first[TH_WHEEL_FAR] != NULL) {
        unsigned shift = TH_WHEEL_LEVELS * TH_WHEEL_BITS;
        *bucket = TH_WHEEL_FAR;
        *tick = ((elapsed >> shift) + 1) << shift;
        return true;
    }
    return false;
}

uint64_t th_wheel_next(const struct th_wheel *wheel)
{
    uint16_t bucket;
    uint64_t tick;

    if (th_wheel_due(wheel) != NULL) {
        return 0;
    }
    if (!first_bucket(wheel, &bucket, &tick)) {
        return THEATER_NEVER;
    }
    if (tick <= wheel->elapsed) {
        return 0;
    }
    /* Behind the end of time: it does not come, but is not "none". */
    return tick > THEATER_NEVER / TH_TIMER_TICK_NS ? THEATER_NEVER - 1
                                                   : tick * TH_TIMER_TICK_NS;
}

static struct th_timer *merge(struct th_timer *a, struct th_timer *b)
{
    struct th_timer *first = NULL;
    struct th_timer **end = &first;

    while (a != NULL && b != NULL) {
        struct th_timer **least = placed(b) < placed(a) ? &b : &a;
        *end = *least;
        end = &(*least)->next;
        *least = *end;
    }
    *end = a != NULL ? a : b;
    return first;
}

/* By deadline, stable; only the `next` links are true afterwards. */
static struct th_timer *sorted(struct th_timer *list)
{
    /* runs[i] holds 2^i timers, those of higher i are older */
    struct th_timer *runs[64] = {NULL};

    while (list != NULL) {
        struct th_timer *run = list;
        unsigned i = 0;
        list = list->next;
        run->next = NULL;
        for (; runs[i] != NULL; i++) {
            run = merge(runs[i], run);
            runs[i] = NULL;
        }
        runs[i] = run;
    }
    struct th_timer *all = NULL;
    for (unsigned i = 0; i < 64; i++) {
        all = merge(runs[i], all);
    }
    return all;
}

/* Level 0: all of the bucket has come due. Answers how many. */
static size_t come_due(struct th_wheel *wheel, uint16_t bucket)
{
    size_t count = 0;
    struct th_timer *list = sorted(wheel->first[bucket]);

    wheel->first[bucket] = NULL;
    wheel->occupied[0] &= ~(UINT64_C(1) << bucket);
    while (list != NULL) {
        struct th_timer *timer = list;
        list = list->next;
        link_last(wheel, timer, TH_WHEEL_DUE);
        count++;
    }
    return count;
}

/* Moves timers of the bucket to where they lie now. Answers how many. */
static size_t move_down(struct th_wheel *wheel, uint16_t bucket, size_t most)
{
    size_t count = 0;
    /* Of those that lie beyond the levels, some may do so again. */
    const struct th_timer *last = wheel->first[bucket]->prev;
    struct th_timer *timer;

    do {
        timer = wheel->first[bucket];
        unlink_timer(wheel, timer);
        link_last(wheel, timer, bucket_of(wheel, tick_of(placed(timer))));
        count++;
    } while (timer != last && (count < most || bucket == TH_WHEEL_FAR));
    return count;
}

void th_wheel_turn(struct th_wheel *wheel, uint64_t now_ns, size_t *budget)
{
    uint64_t now = now_ns / TH_TIMER_TICK_NS;
    uint16_t bucket;
    uint64_t tick;

    while (first_bucket(wheel, &bucket, &tick) && tick <= now) {
        if (*budget == 0) {
            return;
        }
        wheel->elapsed = tick;
        size_t moved = bucket < TH_WHEEL_SIZE
                           ? come_due(wheel, bucket)
                           : move_down(wheel, bucket, *budget);
        *budget -= moved < *budget ? moved : *budget;
    }
    if (now > wheel->elapsed) {
        wheel->elapsed = now;
    }
}
