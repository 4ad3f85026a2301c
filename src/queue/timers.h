/* SPDX-License-Identifier: Apache-2.0 */
/* Timers in hierarchical wheels (Varghese and Lauck, 1987): ticks of 1 ms, 6
 * levels of 64, and one list for what lies further away. Any thread arms and
 * disarms; whoever drives time advances. There are a few wheels, chosen by the
 * thread slot of who makes a timer, so that workers rarely meet.
 *
 * Nobody waits: an operation that finds its wheel in use by another thread
 * leaves its order on a list, and the thread that uses the wheel carries it
 * out before it lets go (flat combining: Hendler, Incze, Shavit, Tzafrir,
 * SPAA 2010). Files: timers.c, timer_wheel.c.
 *
 * Who calls what: arm: any threads at once, of one timer too (the last one's
 *   deadline stands). close: once, no arm beside it but in `fire`. advance,
 *   next, armed: any threads at once. set_earlier: before all others.
 * Linearisation: arm at its exchange of `deadline_ns`; firing at its
 *   compare-and-swap of `deadline_ns` to NEVER, close at its order.
 * Ordering: [M1] .. [M8], at the operations in timers.c.
 * Progress: arm and close are lock-free; they do the work of others that came
 *   meanwhile. advance answers at once when another thread has the wheel, and
 *   th_timers_next then still says a time that is past. A thread that is
 *   suspended while it holds a wheel delays that wheel's timers, no caller.
 * Reclamation: a timer's memory is its owner's from `gone` on, which is called
 *   when no order names it, no bucket holds it and its `fire` has returned. */
#ifndef TH_QUEUE_TIMERS_H
#define TH_QUEUE_TIMERS_H

#include "base/base.h"

/* One tick; deadlines are rounded up to whole ticks. */
#define TH_TIMER_TICK_NS UINT64_C(1000000)

struct th_timer;
struct th_timers;

/* Called without any lock, by the thread in th_timers_advance; never twice at
 * once for one timer. It may arm and disarm any timer, this one too. */
typedef void th_timer_fire(struct th_timer *timer);
/* The wheel does not know the timer any more; its memory may go. Called
 * without any lock. */
typedef void th_timer_gone(struct th_timer *timer);

/* Embedded. All members are the wheel's. */
struct th_timer {
    struct th_timer *prev, *next; /* in a bucket; of who has the wheel */
    struct th_timer *order_next;  /* in the list of orders, or of the gone */
    struct th_timer *fire_next;   /* among those that one advance fires */
    th_timer_fire *fire;          /* at the deadline */
    th_timer_gone *gone;          /* after close */
    _Atomic uint64_t deadline_ns; /* wanted; NEVER: disarmed */
    _Atomic uint64_t placed_ns;   /* what its bucket is for; NEVER: in none */
    _Atomic uint32_t flags;       /* see timers.c */
    uint16_t where;               /* its bucket; of who has the wheel */
    uint16_t wheel;               /* which one; constant */
};

/* Returns: OK, OUT_OF_MEMORY. */
THEATER_CHECKED theater_status_t th_timers_new(const theater_env_t *env,
                                               struct th_timers **out);
/* No timer may be armed or closing; those that are disarmed but not closed are
 * not looked at any more. NULL is fine. */
void th_timers_delete(struct th_timers *timers);

/* `earlier` is called, by any thread and without any lock, after
 * th_timers_next became an earlier time than it was: for who sleeps until
 * then. Threads: setup. */
void th_timers_set_earlier(struct th_timers *timers, void (*earlier)(void *ctx),
                           void *ctx);

/* `gone` may be NULL for a timer that is never closed. */
void th_timer_init(struct th_timer *timer, th_timer_fire *fire,
                   th_timer_gone *gone);
/* Fires once, not before `deadline_ns` and within a tick of it after the next
 * advance; arming again replaces it. When the timer is already placed for an
 * earlier time only the deadline is stored (it is placed anew when that comes),
 * so that arming again and again for later, and disarming (NEVER), cost one
 * exchange. A firing that has begun on another thread is not taken back.
 * Threads: any. Allocates: never. */
void th_timer_arm(struct th_timers *timers, struct th_timer *timer,
                  uint64_t deadline_ns);
/* Disarms for good: `gone` is called once, now or soon, from any thread,
 * never while or before `fire` runs for the last time. Not armed afterwards
 * (but a `fire` that is running may still try: it has no effect). */
void th_timer_close(struct th_timers *timers, struct th_timer *timer);

/* Time at which advance may have something to do: never later than a tick
 * after the earliest deadline; earlier where timers are far away or were
 * disarmed or armed anew for later. NEVER when there is none. While a thread
 * has a wheel, or fires what it took out of it, and may so be about to place a
 * timer of the caller's, not later than a tick from now. Cheap: a few loads.
 * Threads: any. */
uint64_t th_timers_next(struct th_timers *timers);
/* How many timers are armed; exact while nobody arms, disarms or fires. For
 * who decides that nothing can happen any more: th_timers_next alone may still
 * name a time for a timer that was disarmed. Not for who sleeps: an arm that
 * finds its timer placed early enough wakes nobody, since th_timers_next
 * names that time already. Threads: any. */
size_t th_timers_armed(struct th_timers *timers);
/* Fires what is due; `limit` timers at most (0: no limit), and moves only a
 * bounded number of others. Answers how many it fired. What is left is seen in
 * th_timers_next. Threads: any. */
size_t th_timers_advance(struct th_timers *timers, uint64_t now_ns,
                         size_t limit);

#endif
