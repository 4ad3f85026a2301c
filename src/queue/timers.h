/* SPDX-License-Identifier: Apache-2.0 */
/* Timers in a hierarchical wheel (Varghese and Lauck, 1987): ticks of 1 ms,
 * 6 levels of 64. Any thread arms and disarms; whoever drives time advances.
 *
 * Nobody waits: an operation that finds the wheel in use by another thread
 * leaves its order on a list, and the thread that uses the wheel carries it
 * out before it lets go (flat combining: Hendler, Incze, Shavit, Tzafrir,
 * SPAA 2010). Files: timers.c. */
#ifndef TH_QUEUE_TIMERS_H
#define TH_QUEUE_TIMERS_H

#include "base/base.h"

struct th_timer;
struct th_timers;

/* Called without any lock, by the thread in th_timers_advance. It may arm and
 * disarm any timer, this one too. */
typedef void th_timer_fire(struct th_timer *timer);
/* The wheel does not know the timer any more; its memory may go. */
typedef void th_timer_gone(struct th_timer *timer);

/* Embedded. All members are the wheel's. */
struct th_timer {
    struct th_timer *prev, *next;    /* in a bucket; the wheel's user */
    struct th_timer *order_next;     /* in the list of orders */
    th_timer_fire *fire;
    th_timer_gone *gone;
    _Atomic uint64_t deadline_ns;    /* wanted; NEVER: disarmed */
    _Atomic uint32_t flags;          /* ordered, closing */
    uint32_t where;                  /* level and bucket, or none */
    uint64_t placed_ns;              /* the deadline that `where` is for */
};

theater_status_t th_timers_new(const theater_env_t *env,
                               struct th_timers **out);
/* No timer may be armed or closing. */
void th_timers_delete(struct th_timers *timers);

void th_timer_init(struct th_timer *timer, th_timer_fire *fire,
                   th_timer_gone *gone);
/* Fires once, not before `deadline_ns` and within a tick of it after the next
 * advance; arming again replaces it. When the timer is already placed for an
 * earlier time only the deadline is stored (it is placed anew when that comes),
 * so that arming again and again for later costs one store. NEVER disarms.
 * Threads: any, one at a time for one timer. Allocates: never. */
void th_timer_arm(struct th_timers *timers, struct th_timer *timer,
                  uint64_t deadline_ns);
/* Disarms for good: `gone` is called once, now or soon, from any thread,
 * never while or before `fire` runs for the last time. */
void th_timer_close(struct th_timers *timers, struct th_timer *timer);

/* Earliest time at which advance may have something to do (never later than
 * the true one by more than a tick); NEVER when there is none. */
uint64_t th_timers_next(struct th_timers *timers);
/* Fires what is due; `limit` timers at most (0: no limit). Answers how many. */
size_t th_timers_advance(struct th_timers *timers, uint64_t now_ns,
                         size_t limit);

#endif
