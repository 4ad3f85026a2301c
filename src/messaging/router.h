/* SPDX-License-Identifier: Apache-2.0 */
/* The router's own parts: registry, memory, counters, quota, timers. */
#ifndef TH_MESSAGING_ROUTER_H
#define TH_MESSAGING_ROUTER_H

#include "base/points.h"
#include "messaging/message.h"
#include "queue/slab.h"
#include "queue/timers.h"

#include <theater/link.h>

struct th_link {
    const theater_link_ops_t *ops;
    void *ctx;
};

enum th_phase {
    TH_PHASE_OPEN,
    TH_PHASE_DRAINING, /* only what deliveries send is taken */
    TH_PHASE_CLOSED,   /* nothing is; what is queued becomes dead letters */
};

/* What one thread slot counts: written by its thread alone (slot 0: by all,
 * with read-modify-write), read by all. */
struct th_tally {
    _Alignas(TH_LINE) _Atomic uint64_t accepted;
    _Atomic uint64_t delivered;
    _Atomic uint64_t handled; /* deliveries that have ended */
    _Atomic uint64_t quota;   /* bytes of the router's bound held here */
    _Atomic uint64_t linked;
    _Atomic uint64_t requests;
    _Atomic uint64_t late;
    _Atomic uint64_t channels;
    _Atomic uint64_t begun;    /* operations */
    _Atomic uint64_t finished; /* operations */
    _Atomic uint64_t dead[THEATER_STATUS_COUNT];
    _Atomic uint64_t refused[THEATER_STATUS_COUNT];
    _Atomic uint64_t ended[THEATER_STATUS_COUNT];
    struct th_pool pool; /* its thread's alone; slot 0 has none */
};

struct theater_router {
    const theater_env_t *env;
    _Atomic uint32_t phase; /* th_phase; only grows */
    uint32_t max_message_bytes;
    struct th_tally *tally; /* TH_SLOTS */
    bool pools;             /* messages' memory is kept for the next */
    struct th_timers *timers;
    _Alignas(TH_LINE) _Atomic uint64_t quota_left; /* not held by any slot */
    _Alignas(TH_LINE) _Atomic uint32_t refs;
    _Atomic uint32_t registered; /* endpoints now */
    uint32_t request_timeout_ms;
    uint32_t max_endpoints;
    uint64_t max_queued_bytes;
    uint64_t quota_share; /* what a slot draws and keeps; see router.c */
    void (*on_dead_letter)(void *user, const theater_dead_letter_t *letter);
    void *user;
    struct th_link links[THEATER_LINKS_MAX]; /* constant below links_len */
    _Atomic uint32_t links_len;
    struct th_slab endpoints, ops, channels;
    /* The registry: chains of endpoint slots, see registry.c. */
    _Atomic uint32_t *buckets;
    uint32_t bucket_mask;
    uint64_t hash_key[2];
    struct th_lock registry_lock; /* registering and unregistering */
    struct th_lock wait_lock;     /* walks of the wait-for graph */
};

static inline struct th_tally *th_tally(theater_router_t *router,
                                        bool *out_shared)
{
    unsigned slot = th_slot();
    *out_shared = slot == 0;
    return &router->tally[slot];
}

static inline void th_count_in(_Atomic uint64_t *counter, bool shared,
                               uint64_t n)
{
    /* release, both; pairs with theater_router_counters: who sees an end
     * counted sees its beginning counted */
    if (TH_UNLIKELY(shared)) {
        atomic_fetch_add_explicit(counter, n, memory_order_release);
        return;
    }
    /* relaxed: this thread's alone */
    uint64_t now = atomic_load_explicit(counter, memory_order_relaxed);
    atomic_store_explicit(counter, now + n, memory_order_release);
}

#define TH_COUNT(router, member, n)                                            \
    do {                                                                       \
        bool shared_;                                                          \
        struct th_tally *tally_ = th_tally((router), &shared_);                \
        th_count_in(&tally_->member, shared_, (n));                            \
    } while (0)
#define TH_COUNT_LANE(lane, member, n)                                         \
    th_count_in(&(lane).tally->member, (lane).shared, (n))

/* The calling thread's slot, looked up once for all that one send or receive
 * does there. */
struct th_lane {
    struct th_tally *tally;
    bool shared;
};

static inline struct th_lane th_lane(theater_router_t *router)
{
    struct th_lane lane;
    lane.tally = th_tally(router, &lane.shared);
    return lane;
}

/* Its pool; NULL: it has none. */
static inline struct th_pool *th_lane_pool(const theater_router_t *router,
                                           struct th_lane lane)
{
    return TH_LIKELY(router->pools && !lane.shared) ? &lane.tally->pool : NULL;
}

static inline struct th_pool *th_pool_here(theater_router_t *router)
{
    return th_lane_pool(router, th_lane(router));
}

/* The bound on all queued bytes. Each slot holds a share, so that the common
 * case touches no shared line. False: the bound is reached. */
bool th_quota_draw(theater_router_t *router, struct th_lane lane,
                   uint64_t bytes);
void th_quota_put_back(theater_router_t *router, struct th_lane lane,
                       uint64_t bytes);

static inline bool th_quota_take(theater_router_t *router, struct th_lane lane,
                                 uint64_t bytes)
{
    /* relaxed, here and below: this thread's alone; slot 0 has none */
    uint64_t here =
        atomic_load_explicit(&lane.tally->quota, memory_order_relaxed);
    if (TH_UNLIKELY(here < bytes)) {
        return th_quota_draw(router, lane, bytes);
    }
    atomic_store_explicit(&lane.tally->quota, here - bytes,
                          memory_order_relaxed);
    return true;
}

static inline void th_quota_give(theater_router_t *router, struct th_lane lane,
                                 uint64_t bytes)
{
    uint64_t here =
        atomic_load_explicit(&lane.tally->quota, memory_order_relaxed) + bytes;
    if (TH_UNLIKELY(lane.shared || here > 2 * router->quota_share)) {
        th_quota_put_back(router, lane, bytes);
        return;
    }
    atomic_store_explicit(&lane.tally->quota, here, memory_order_relaxed);
}

/* Frees a message and gives back its part of the bound. */
static inline void th_lane_drop(theater_router_t *router, struct th_lane lane,
                                struct th_message *message)
{
    th_quota_give(router, lane, th_message_charge(message));
    th_message_free(router->env, th_lane_pool(router, lane), message);
}

static inline enum th_phase th_phase(theater_router_t *router)
{
    /* relaxed: a state that is polled; what must be exact is decided by the
     * mailbox words */
    return (enum th_phase)atomic_load_explicit(&router->phase,
                                               memory_order_relaxed);
}

/* Counts `message`, tells the hook, frees it. It was accepted. Ends its
 * request or open too. `target` is the name that it was for. */
void th_dead_letter(theater_router_t *router, struct th_message *message,
                    theater_bytes_t target, theater_status_t reason);

#endif
