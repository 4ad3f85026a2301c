/* SPDX-License-Identifier: Apache-2.0 */
/* One wheel of timers.h, for one thread at a time: buckets and ticks, nothing
 * shared. It keeps `placed_ns` true and reads no deadline. */
#ifndef TH_QUEUE_TIMER_WHEEL_H
#define TH_QUEUE_TIMER_WHEEL_H

#include "queue/timers.h"

enum {
    TH_WHEEL_BITS = 6,
    TH_WHEEL_LEVELS = 6,
    TH_WHEEL_SIZE = 1 << TH_WHEEL_BITS,
    TH_WHEEL_FAR = TH_WHEEL_LEVELS * TH_WHEEL_SIZE, /* beyond the levels */
    TH_WHEEL_DUE,                                   /* their tick has come */
    TH_WHEEL_BUCKETS
};

struct th_wheel {
    uint64_t elapsed;                         /* ticks that are over */
    uint64_t occupied[TH_WHEEL_LEVELS];       /* a bit per bucket */
    struct th_timer *first[TH_WHEEL_BUCKETS]; /* first->prev is the last */
};

/* Puts a timer that is in no bucket where it comes up at `placed_ns`. */
void th_wheel_add(struct th_wheel *wheel, struct th_timer *timer,
                  uint64_t placed_ns);
/* Takes a timer out of its bucket; `placed_ns` is NEVER after that. */
void th_wheel_remove(struct th_wheel *wheel, struct th_timer *timer);
/* Time of the next work, a whole tick; 0: at once; NEVER: none. */
uint64_t th_wheel_next(const struct th_wheel *wheel);
/* Moves on to `now_ns` and gathers what has come due, in order of time, moving
 * at most `*budget` timers from bucket to bucket; counts them off there. None
 * is left: the rest is for the next call. */
void th_wheel_turn(struct th_wheel *wheel, uint64_t now_ns, size_t *budget);
/* The first of those that have come due, or NULL. It stays in its bucket. */
static inline struct th_timer *th_wheel_due(const struct th_wheel *wheel)
{
    return wheel->first[TH_WHEEL_DUE];
}

#endif
