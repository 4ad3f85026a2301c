/* SPDX-License-Identifier: Apache-2.0 */
/* An endpoint: a slot of the registry, a mailbox and what its owner keeps. */
#ifndef TH_MESSAGING_ENDPOINT_H
#define TH_MESSAGING_ENDPOINT_H

#include "messaging/mailbox.h"
#include "messaging/router.h"

#include <theater/channel.h>

enum { TH_CACHE_NAME = 43, TH_CACHE_MAX = 256 };
enum { TH_PLACES_GENERATION_SHIFT = 16 };

/* A slot and the generation of its user: 32 bits of index, 16 of generation.
 * 0 is none (generations begin at 1). */
typedef struct th_ref {
    uint64_t value;
} th_ref;

/* A target that this endpoint may send to, as it was when looked up last. */
struct th_target {
    theater_endpoint_t *endpoint; /* NULL: unused */
    uint16_t generation;
    uint8_t kinds; /* THEATER_ACCEPT_... that its permissions allow */
    uint8_t len;
    char name[TH_CACHE_NAME];
};

/* Ids of things that may end without their owner's doing: a bounded set that
 * is swept when it is full. Owner only. */
struct th_ids {
    uint64_t *items;
    uint32_t len, size;
};

struct th_permissions {
    unsigned kinds; /* THEATER_ACCEPT_... that it may initiate */
    bool everybody; /* no list */
    size_t len;
    char **patterns; /* one block with the struct */
};

struct theater_endpoint {
    /* Read by anyone with a reference or an index. */
    struct th_slab_item item;
    _Atomic uint64_t hash_lo, hash_hi; /* of the name */
    _Atomic uint32_t next;             /* in the registry's chain */
    _Atomic uint32_t generation;       /* of its user; 16 bits */
    _Atomic uint64_t waits_for;        /* the operation that it waits for */
    _Atomic uint32_t accepts;          /* THEATER_ACCEPT_... | on_full << 8 */
    _Atomic uint32_t signal;           /* futex of theater_endpoint_wait */
    _Atomic uint32_t places; /* generation 16 | count: in lines of full boxes */
    /* Written by senders and by the owner. */
    _Alignas(TH_LINE) struct th_mailbox box;
    struct th_mpsc waiting;        /* operations that wait for space */
    _Atomic uint64_t waiting_word; /* as the exempt word: holds on it */
    void (*wake)(void *user);      /* constant while open */
    void *wake_user;
    /* The owner's. */
    _Alignas(TH_LINE) theater_router_t *router;
    struct th_message *current; /* between receive and done */
    theater_message_t view;     /* of it */
    struct th_message *kept;    /* to be received first, after a reset */
    struct th_op *waiting_head; /* first in line, taken off `waiting` */
    uint64_t taken_bytes;       /* taken out and not released yet */
    uint32_t taken, taken_exempt;
    uint32_t batch;       /* releases at so many */
    uint32_t exempt_room; /* of a ring: for channels */
    bool waits;
    bool answered; /* current: answered or deferred or decided */
    char *name;
    uint8_t name_len;
    struct th_target *cache; /* NULL until the first send */
    uint32_t cache_size, cache_misses;
    struct th_permissions *permissions; /* NULL: everything */
    uint32_t max_channels, max_requests, max_timers;
    uint32_t channel_credit, channel_credit_bytes;
    struct th_ids deferred; /* requests received, not yet answered */
    struct th_ids own;      /* operations that it has started */
    struct th_ids timers;   /* timed sends */
    struct th_ids channels;
};

static inline th_ref th_ref_of(const theater_endpoint_t *endpoint)
{
    /* relaxed: by the owner, for whom it is constant */
    uint64_t generation =
        atomic_load_explicit(&endpoint->generation, memory_order_relaxed);
    return (th_ref){(uint64_t)endpoint->item.index | generation << 32};
}

static inline uint16_t th_ref_generation(th_ref ref)
{
    return (uint16_t)(ref.value >> 32);
}

static inline theater_endpoint_t *th_ref_endpoint(theater_router_t *router,
                                                  th_ref ref)
{
    return th_slab_at(&router->endpoints, (uint32_t)ref.value);
}

static inline theater_bytes_t th_endpoint_name(const theater_endpoint_t *ep)
{
    return (theater_bytes_t){(const uint8_t *)ep->name, ep->name_len};
}

/* Tells the owner that there is something to receive. The caller holds a
 * reservation of the mailbox (or is the owner). */
void th_endpoint_wake(theater_endpoint_t *endpoint);

/* Wakes as `reserved` asks, then queues. */
static inline void th_endpoint_push(theater_endpoint_t *endpoint,
                                    struct th_message *message,
                                    enum th_reserve reserved)
{
    /* Before the push: afterwards the owner may take the message, end and
     * take what `wake` points to along. The owner that comes too early finds
     * the reservation "in flight" and comes again. */
    if (reserved == TH_RESERVE_WAKE) {
        th_endpoint_wake(endpoint);
    }
    th_mailbox_push(&endpoint->box, message);
}

/* Owner: gives back the space of what was taken out; lets those in who wait
 * for it. Answers whether messages are queued or in flight still. */
bool th_endpoint_release(theater_endpoint_t *endpoint);

/* --- registry.c ---------------------------------------------------------- */
theater_status_t th_names_init(theater_router_t *router);
void th_names_fini(theater_router_t *router);
/* The endpoint of that name and its generation; NULL. Threads: any. */
theater_endpoint_t *th_names_find(theater_router_t *router,
                                  theater_bytes_t name,
                                  uint16_t *out_generation);
/* Puts it in; ALREADY_EXISTS when the name is there. */
theater_status_t th_names_add(theater_router_t *router,
                              theater_endpoint_t *endpoint,
                              theater_bytes_t name);
void th_names_remove(theater_endpoint_t *endpoint);

/* --- permissions.c ------------------------------------------------------- */
theater_status_t th_permissions_copy(const theater_env_t *env,
                                     const theater_permissions_t *from,
                                     struct th_permissions **out);
bool th_permissions_allow(const struct th_permissions *permissions,
                          unsigned kind, theater_bytes_t target);

/* --- ids.c --------------------------------------------------------------- */
typedef bool th_id_alive(theater_endpoint_t *endpoint, uint64_t id);
/* OK, MAILBOX_FULL (`max` of them are alive), OUT_OF_MEMORY. */
theater_status_t th_ids_add(theater_endpoint_t *endpoint, struct th_ids *ids,
                            uint64_t id, uint32_t max, th_id_alive *alive);
/* Was it in? */
bool th_ids_remove(struct th_ids *ids, uint64_t id);
bool th_ids_has(const struct th_ids *ids, uint64_t id);
void th_ids_sweep(theater_endpoint_t *endpoint, struct th_ids *ids,
                  th_id_alive *alive);
void th_ids_fini(const theater_env_t *env, struct th_ids *ids);

/* --- send.c -------------------------------------------------------------- */
/* What one attempt to send needs; filled by th_target_find. */
struct th_route {
    theater_endpoint_t *endpoint;
    uint16_t generation;
};

/* May `from` send this kind there now, and where is it? Everything that can
 * be refused before a message is made. `kind`: THEATER_ACCEPT_... */
theater_status_t th_route_find(theater_router_t *router,
                               theater_endpoint_t *from, theater_bytes_t target,
                               unsigned kind, size_t len, struct th_route *out);
/* Looked up once more, since the cached one was gone. */
theater_status_t th_route_again(theater_router_t *router,
                                theater_endpoint_t *from,
                                theater_bytes_t target, unsigned kind,
                                struct th_route *out);
/* Queues `message`. Takes it on OK. OK, MAILBOX_FULL (by policy refuse),
 * CLOSED (gone meanwhile). Counts it as accepted. */
theater_status_t th_route_push(theater_router_t *router,
                               const struct th_route *route,
                               theater_bytes_t target,
                               struct th_message *message);
/* Finds and queues; looks up again once when the target is gone. */
theater_status_t th_send_message(theater_router_t *router,
                                 theater_endpoint_t *from,
                                 theater_bytes_t target, unsigned kind,
                                 struct th_route *route,
                                 struct th_message *message);
theater_status_t th_refuse(theater_router_t *router, theater_status_t status);
/* A send came to `status`, not OK: links are asked where the name is not
 * known; else it is counted as refused. */
theater_status_t th_send_refused(theater_router_t *router,
                                 theater_endpoint_t *from,
                                 theater_bytes_t target, theater_bytes_t data,
                                 theater_status_t status);
/* A message with its share of the router's bound. */
theater_status_t th_message_make(theater_router_t *router,
                                 theater_endpoint_t *from, uint8_t kind,
                                 theater_bytes_t data, struct th_body *body,
                                 struct th_message **out);
/* Frees one that was not accepted. */
void th_message_drop(theater_router_t *router, struct th_message *message);

#endif
