/* SPDX-License-Identifier: Apache-2.0 */
/* Points at which something that is allowed, and rare, may be made to happen:
 * a path that a race, a full table or bad luck would take. The real world's
 * answer is always no; a simulation draws it from its seed and counts how often
 * it was asked and said yes, so that a path that is never taken shows. (After
 * FoundationDB's BUGGIFY: Zhou et al., SIGMOD 2021.)
 *
 * A point may only do what the product may do anyway. None stands on the way
 * of a plain message. */
#ifndef TH_BASE_POINTS_H
#define TH_BASE_POINTS_H

#include "base/base.h"

/* X(NAME, "where.what") */
#define TH_POINTS(X)                                                           \
    X(ROUTER_POOLS, "router.pools")                                            \
    X(QUOTA_EXACT, "router.quota-exact")                                       \
    X(TARGET_FORGOTTEN, "send.target-forgotten")                               \
    X(PLACE_AT_ONCE, "mailbox.place-at-once")                                  \
    X(LET_IN_EARLY, "mailbox.let-in-early")                                    \
    X(ENDPOINT_WORN, "endpoint.slot-worn")                                     \
    X(OP_WORN, "operation.slot-worn")                                          \
    X(CHANNEL_WORN, "channel.slot-worn")                                       \
    X(TIMERS_LATE, "sched.timers-late")                                        \
    X(SLICE_OVER, "sched.slice-over")                                          \
    X(LONG_PAUSE, "sched.long-pause")                                          \
    X(END_OR_PARK, "guest.end-or-park")                                        \
    X(NO_ROOM, "guest.no-room")                                                \
    X(ASK_SOON, "guest.ask-soon")                                              \
    X(LINKER_ANEW, "guest.linker-anew")                                        \
    X(STACKS_SWEPT, "guest.stacks-swept")

#define TH_POINT_ENUM(name, text) TH_POINT_##name,
enum th_point { TH_POINTS(TH_POINT_ENUM) TH_POINT_COUNT };
#undef TH_POINT_ENUM

static inline bool th_rare(const theater_env_t *env, enum th_point point)
{
    return TH_UNLIKELY(env->rare != NULL) &&
           env->rare(env->ctx, (unsigned)point);
}

/* The rest is the simulation's. "mailbox.let-in-early", ... */
const char *th_point_name(enum th_point point);
/* From now on its world says yes: to some of the points, chosen by its seed,
 * and to each of those at a rate of its own. */
void th_sim_env_offer(struct th_sim_env *sim);
/* How often the point was asked, and how often the answer was yes. */
uint64_t th_sim_env_asked(const struct th_sim_env *sim, enum th_point point);
uint64_t th_sim_env_taken(const struct th_sim_env *sim, enum th_point point);

#endif
