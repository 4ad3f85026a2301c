/* SPDX-License-Identifier: Apache-2.0 */
/* The router's own parts: registry, memory, counters, quota, timers. */
#ifndef TH_MESSAGING_ROUTER_H
#define TH_MESSAGING_ROUTER_H

#include "queue/slab.h"
#include "queue/timers.h"

#include <theater/link.h>

struct th_message;

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
};

struct theater_router {
    const theater_env_t *env;
    _Atomic uint32_t phase; /* th_phase; only grows */
    uint32_t max_message_bytes;
    struct th_tally *tally; /* TH_SLOTS */
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
    /* relaxed: counters order nothing; readers add up at quiet moments */
    if (TH_UNLIKELY(shared)) {
        atomic_fetch_add_explicit(counter, n, memory_order_relaxed);
        return;
    }
    uint64_t now = atomic_load_explicit(counter, memory_order_relaxed);
    atomic_store_explicit(counter, now + n, memory_order_relaxed);
}

#define TH_COUNT(router, member, n)                                            \
    do {                                                                       \
        bool shared_;                                                          \
        struct th_tally *tally_ = th_tally((router), &shared_);                \
        th_count_in(&tally_->member, shared_, (n));                            \
    } while (0)

/* The bound on all queued bytes. Each slot holds a share, so that the common
 * case touches no shared line. False: the bound is reached. */
bool th_quota_take(theater_router_t *router, uint64_t bytes);
void th_quota_give(theater_router_t *router, uint64_t bytes);

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
