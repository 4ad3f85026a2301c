/* SPDX-License-Identifier: Apache-2.0 */
/* Design notes. Registering and receiving. The owner takes messages out one by
 * one and gives their space back in batches (`batch`, an eighth of the
 * capacity, 32 at most): one subtraction on the shared word instead of one per
 * message. When nothing is left to take it gives back all, and the word that
 * the subtraction answers says whether it may sleep: zero, then whoever
 * reserves next wakes it; else a sender stands between reserving and queueing,
 * and the owner wakes itself to look again.
 *
 * An endpoint ends in this order: the name goes out of the registry, the words
 * are closed, what is queued is taken out until the words say that nothing is
 * reserved. Then nobody holds a claim to the slot and it may be used anew. */
#include "messaging/channel.h"
#include "messaging/op.h"

enum {
    BATCH_MAX = 32,
    SKIP_MAX = 256, /* dead requests skipped by one receive */
    DEFAULT_CAPACITY = 1000,
    DEFAULT_BYTES = 4 << 20,
    DEFAULT_CHANNELS = 100,
    DEFAULT_CREDIT = 256,
    DEFAULT_REQUESTS = 1000,
    DEFAULT_TIMERS = 1000,
    GENERATION_LAST = 0xffff,
    RING_SLACK = 256, /* threads in the middle of a send */
};

static uint32_t or_default(uint32_t value, uint32_t otherwise)
{
    return value != 0 ? value : otherwise;
}

void th_endpoint_wake(theater_endpoint_t *ep)
{
    if (TH_LIKELY(ep->wake != NULL)) {
        ep->wake(ep->wake_user);
        return;
    }
    const theater_env_t *env = ep->router->env;
    /* acq_rel; pairs with the exchange in theater_endpoint_wait: what was
     * reserved before is seen after. 2: the owner parks. */
    if (atomic_exchange_explicit(&ep->signal, 1, memory_order_acq_rel) == 2) {
        env->unpark(env->ctx, (const void *)&ep->signal, 1);
    }
}

/* --- Registering --------------------------------------------------------- */

/* A ring has room for the capacity and twice for all that channels may have
 * under way (open ones, and what is left of those that this end has closed),
 * and for senders in the middle of a send. 0: no ring. */
static uint64_t ring_slots(const theater_endpoint_options_t *o)
{
    if (o->on_full != THEATER_DROP_OLDEST) {
        return 0;
    }
    uint64_t channels = or_default(o->max_channels, DEFAULT_CHANNELS);
    uint64_t credit = or_default(o->channel_credit, DEFAULT_CREDIT);
    return or_default(o->capacity, DEFAULT_CAPACITY) + RING_SLACK +
           2 * channels * (credit + 2);
}

static theater_status_t check_options(const theater_endpoint_options_t *o)
{
    if (o->size != sizeof *o || o->capacity > THEATER_MAILBOX_MAX ||
        o->capacity_bytes > THEATER_MAILBOX_BYTES ||
        (unsigned)o->on_full > THEATER_DROP_OLDEST ||
        o->accepts > THEATER_ACCEPT_ALL || o->max_channels > 65536 ||
        o->channel_credit > 1000000 ||
        o->channel_credit_bytes > THEATER_MAILBOX_BYTES ||
        ring_slots(o) > THEATER_RING_MAX) {
        return THEATER_INVALID_ARGUMENT;
    }
    return THEATER_OK;
}

static void copy_options(theater_endpoint_t *ep,
                         const theater_endpoint_options_t *o)
{
    ep->wake = o->wake;
    ep->wake_user = o->user;
    ep->waits = o->waits;
    ep->max_channels = or_default(o->max_channels, DEFAULT_CHANNELS);
    ep->max_requests = or_default(o->max_requests, DEFAULT_REQUESTS);
    ep->max_timers = or_default(o->max_timers, DEFAULT_TIMERS);
    ep->channel_credit = or_default(o->channel_credit, DEFAULT_CREDIT);
    ep->channel_credit_bytes =
        or_default(o->channel_credit_bytes, DEFAULT_BYTES);
    ep->current = NULL;
    ep->kept = NULL;
    ep->waiting_head = NULL;
    ep->taken_bytes = 0;
    ep->taken = 0;
    ep->taken_exempt = 0;
    ep->answered = false;
    ep->cache = NULL;
    ep->cache_size = 0;
    ep->cache_misses = 0;
    ep->deferred = ep->own = ep->timers = ep->channels =
        (struct th_ids){NULL, 0, 0};
    /* release; as [M5] of the mailbox */
    atomic_store_explicit(&ep->accepts, o->accepts | (uint32_t)o->on_full << 8,
                          memory_order_release);
    /* relaxed: [M2] of the mailbox publishes them */
    atomic_store_explicit(&ep->waits_for, 0, memory_order_relaxed);
    atomic_store_explicit(&ep->signal, 0, memory_order_relaxed);
    atomic_store_explicit(&ep->places,
                          (uint32_t)th_ref_generation(th_ref_of(ep))
                              << TH_PLACES_GENERATION_SHIFT,
                          memory_order_relaxed);
}

/* Everything that may fail; nothing is shared yet. */
static theater_status_t prepare(theater_endpoint_t *ep, const char *name,
                                size_t name_len,
                                const theater_endpoint_options_t *o)
{
    const theater_env_t *env = ep->router->env;
    theater_status_t status = THEATER_OK;

    copy_options(ep, o);
    ep->permissions = NULL;
    ep->name_len = (uint8_t)name_len;
    ep->name = th_strndup(env, name, name_len);
    if (ep->name == NULL) {
        return THEATER_OUT_OF_MEMORY;
    }
    if (o->permissions != NULL) {
        status = th_permissions_copy(env, o->permissions, &ep->permissions);
    }
    uint32_t capacity = or_default(o->capacity, DEFAULT_CAPACITY);
    uint32_t slots = (uint32_t)ring_slots(o);
    ep->exempt_room = slots != 0 ? slots - capacity - RING_SLACK : UINT32_MAX;
    ep->batch = capacity / 8 < BATCH_MAX ? capacity / 8 + 1 : BATCH_MAX;
    if (th_rare(env, TH_POINT_PLACE_AT_ONCE)) {
        ep->batch = 1;
    }
    if (status == THEATER_OK) {
        th_mpsc_init(&ep->waiting);
        /* relaxed: [M2] of the bounded word, next, publishes it */
        uint16_t generation = th_ref_generation(th_ref_of(ep));
        atomic_store_explicit(&ep->waiting_word,
                              (uint64_t)generation << TH_BOX_GENERATION_SHIFT,
                              memory_order_relaxed);
        status = th_mailbox_open(env, &ep->box, generation, capacity,
                                 or_default(o->capacity_bytes, DEFAULT_BYTES),
                                 slots);
    }
    if (status != THEATER_OK) {
        th_free(env, ep->permissions);
        th_free(env, ep->name);
    }
    return status;
}

/* Puts the slot back under the next generation; the last one is retired. */
static void give_slot_back(theater_router_t *router, theater_endpoint_t *ep)
{
    /* relaxed: written by its owner alone */
    uint32_t generation =
        atomic_load_explicit(&ep->generation, memory_order_relaxed);
    if (generation != GENERATION_LAST) {
        /* release; [M3] in registry.c */
        atomic_store_explicit(&ep->generation, generation + 1,
                              memory_order_release);
        th_slab_put(&router->endpoints, &ep->item);
    } else {
        th_slab_retire(&router->endpoints);
    }
}

static void free_parts(theater_endpoint_t *ep)
{
    const theater_env_t *env = ep->router->env;

    th_mailbox_fini(env, &ep->box);
    th_free(env, ep->permissions);
    th_free(env, ep->name);
    th_free(env, ep->cache);
    th_ids_fini(env, &ep->deferred);
    th_ids_fini(env, &ep->own);
    th_ids_fini(env, &ep->timers);
    th_ids_fini(env, &ep->channels);
}

theater_status_t
theater_router_register(theater_router_t *router, const char *name,
                        size_t name_len,
                        const theater_endpoint_options_t *options,
                        theater_endpoint_t **out_endpoint)
{
    static const theater_endpoint_options_t defaults =
        THEATER_ENDPOINT_OPTIONS_INIT;
    const theater_env_t *env = router->env;
    bool full = false;

    options = options != NULL ? options : &defaults;
    if (name == NULL || !th_name_ok(name, name_len) ||
        check_options(options) != THEATER_OK) {
        return THEATER_INVALID_ARGUMENT;
    }
    if (th_phase(router) == TH_PHASE_CLOSED) {
        return THEATER_SHUTTING_DOWN;
    }
    theater_endpoint_t *ep = th_slab_get(&router->endpoints, &full);
    if (ep == NULL) {
        return full ? THEATER_MAILBOX_FULL : THEATER_OUT_OF_MEMORY;
    }
    ep->router = router;
    /* relaxed: written by its owner alone */
    if (atomic_load_explicit(&ep->generation, memory_order_relaxed) == 0) {
        uint32_t first =
            th_rare(env, TH_POINT_ENDPOINT_WORN) ? GENERATION_LAST - 1 : 1;
        atomic_store_explicit(&ep->generation, first, memory_order_relaxed);
    }
    theater_status_t status = prepare(ep, name, name_len, options);
    if (status != THEATER_OK) {
        th_slab_put(&router->endpoints, &ep->item);
        return status;
    }
    th_lock(env, &router->registry_lock);
    status = th_names_add(router, ep, th_endpoint_name(ep));
    th_unlock(env, &router->registry_lock);
    if (status != THEATER_OK) {
        /* Nobody has seen this generation: the next user has it. */
        th_mailbox_close(&ep->box);
        free_parts(ep);
        th_slab_put(&router->endpoints, &ep->item);
        return status;
    }
    (void)theater_router_retain(router);
    /* relaxed: a counter */
    atomic_fetch_add_explicit(&router->registered, 1, memory_order_relaxed);
    *out_endpoint = ep;
    return THEATER_OK;
}

theater_bytes_t theater_endpoint_name(const theater_endpoint_t *endpoint)
{
    return th_endpoint_name(endpoint);
}

bool theater_router_has(theater_router_t *router, const char *name,
                        size_t name_len)
{
    uint16_t generation = 0;
    theater_bytes_t bytes = {(const uint8_t *)name, name_len};
    return name != NULL && th_name_ok(name, name_len) &&
           th_names_find(router, bytes, &generation) != NULL;
}

/* --- Receiving ----------------------------------------------------------- */

/* Who waits for space is let in when half of it is free: so who was woken can
 * send several messages before it has to wait again, not one for each wake.
 * It comes to that, since the owner takes out whatever is queued. */
static bool half_free(theater_endpoint_t *ep, uint64_t bounded)
{
    /* relaxed: constant while this generation is open */
    uint32_t capacity =
        atomic_load_explicit(&ep->box.capacity, memory_order_relaxed);
    uint32_t bytes =
        atomic_load_explicit(&ep->box.capacity_bytes, memory_order_relaxed);
    return th_box_count(bounded) <= capacity / 2 &&
           th_box_bytes(bounded) <= bytes / 2;
}

bool th_endpoint_release(theater_endpoint_t *ep)
{
    uint64_t bounded = 0;
    uint64_t exempt = 0;

    if (ep->taken != 0) {
        bounded = th_mailbox_release(&ep->box, ep->taken, ep->taken_bytes);
        ep->taken = 0;
        ep->taken_bytes = 0;
    } else {
        /* acquire; pairs with [M1] of the mailbox */
        bounded = atomic_load_explicit(&ep->box.bounded, memory_order_acquire);
    }
    if (ep->taken_exempt != 0) {
        exempt = th_mailbox_release_exempt(&ep->box, ep->taken_exempt);
        ep->taken_exempt = 0;
    } else {
        exempt = atomic_load_explicit(&ep->box.exempt, memory_order_acquire);
    }
    if (TH_UNLIKELY((bounded & TH_BOX_WAITERS) != 0) &&
        (half_free(ep, bounded) ||
         th_rare(ep->router->env, TH_POINT_LET_IN_EARLY))) {
        th_space_serve(ep, THEATER_OK);
        bounded = atomic_load_explicit(&ep->box.bounded, memory_order_acquire);
    }
    return th_box_count(bounded) != 0 || th_exempt_count(exempt) != 0;
}

/* Takes the next message out of the mailbox, and notes its space. */
static inline enum th_mpsc_result take(theater_endpoint_t *ep,
                                       struct th_message **out)
{
    struct th_message *message = ep->kept;
    enum th_mpsc_result result = TH_MPSC_OK;

    if (TH_UNLIKELY(message != NULL)) {
        /* relaxed: the owner's own list */
        struct th_mpsc_node *next =
            atomic_load_explicit(&message->node.next, memory_order_relaxed);
        ep->kept = next == NULL
                       ? NULL
                       : TH_CONTAINER_OF(next, struct th_message, node);
    } else {
        result = th_mailbox_pop(&ep->box, &message);
        if (result != TH_MPSC_OK) {
            return result;
        }
    }
    if (TH_UNLIKELY((message->flags & TH_MESSAGE_EXEMPT) != 0)) {
        ep->taken_exempt++;
    } else {
        ep->taken++;
        ep->taken_bytes += message->len;
    }
    *out = message;
    return TH_MPSC_OK;
}

/* Is it still to be handled? If not it is disposed of. */
static bool wanted(theater_endpoint_t *ep, struct th_message *message)
{
    theater_router_t *router = ep->router;
    theater_status_t reason = THEATER_OK;

    switch (message->kind) {
    case THEATER_MESSAGE_SEND:
        break;
    case THEATER_MESSAGE_REQUEST:
    case THEATER_MESSAGE_CHANNEL_OPEN:
        /* It ended while it was queued: by deadline or cancelled. */
        if (th_op_find(router, th_message_op(message)) == NULL) {
            reason = th_now(router->env) >= th_message_asks(message)->deadline
                         ? THEATER_TIMEOUT
                         : THEATER_CANCELLED;
        }
        break;
    default:
        return th_channel_wanted(ep, message);
    }
    if (TH_UNLIKELY(th_phase(router) == TH_PHASE_CLOSED)) {
        reason = THEATER_SHUTTING_DOWN;
    }
    if (reason != THEATER_OK) {
        th_dead_letter(router, message, th_endpoint_name(ep), reason);
        return false;
    }
    return true;
}

/* What the receiver sees of it, until it is done. */
static void show(theater_endpoint_t *ep, const struct th_message *message)
{
    ep->view.data = th_message_data(message);
    ep->view.sender = th_message_sender(message);
    ep->view.id = message->id;
    ep->view.kind = message->kind;
    ep->view.reason = message->reason;
}

theater_status_t theater_endpoint_receive(theater_endpoint_t *ep,
                                          const theater_message_t **out_message)
{
    struct th_message *message = NULL;

    TH_ASSERT(ep->current == NULL);
    for (unsigned skipped = 0; skipped < SKIP_MAX; skipped++) {
        if (take(ep, &message) != TH_MPSC_OK) {
            if (!th_endpoint_release(ep)) {
                return THEATER_EMPTY;
            }
            /* Who waited was let in, or a sender stands between reserving
             * and queueing. */
            if (take(ep, &message) != TH_MPSC_OK) {
                break;
            }
        }
        if (ep->taken + ep->taken_exempt >= ep->batch) {
            (void)th_endpoint_release(ep);
        }
        if (TH_LIKELY(wanted(ep, message))) {
            if (TH_LIKELY((message->flags & TH_MESSAGE_QUIET) == 0)) {
                TH_COUNT(ep->router, delivered, 1);
            }
            ep->current = message;
            ep->answered = false;
            show(ep, message);
            *out_message = &ep->view;
            return THEATER_OK;
        }
    }
    th_endpoint_wake(ep);
    return THEATER_EMPTY;
}

void theater_endpoint_done(theater_endpoint_t *ep, theater_status_t status)
{
    struct th_message *message = ep->current;
    theater_router_t *router = ep->router;

    if (TH_UNLIKELY(message == NULL)) {
        return;
    }
    ep->current = NULL;
    if (TH_UNLIKELY(message->kind != THEATER_MESSAGE_SEND)) {
        if (message->kind == THEATER_MESSAGE_REQUEST) {
            if (!ep->answered) {
                (void)th_op_end(router, th_message_op(message),
                                status == THEATER_OK ? THEATER_FAILED
                                                     : THEATER_CLOSED,
                                NULL);
            }
        } else {
            th_channel_done(ep, message, status);
        }
    }
    struct th_lane lane = th_lane(router);
    if (TH_LIKELY((message->flags & TH_MESSAGE_QUIET) == 0)) {
        TH_COUNT_LANE(lane, handled, 1);
    }
    th_lane_drop(router, lane, message);
}

/* --- Ending -------------------------------------------------------------- */

static void end_ids(theater_endpoint_t *ep, struct th_ids *ids,
                    theater_status_t status)
{
    while (ids->len != 0) {
        (void)th_op_end(ep->router, ids->items[--ids->len], status, NULL);
    }
}

/* What is under way with others: all ends. The queue is left alone. */
static void end_dealings(theater_endpoint_t *ep, theater_status_t reason)
{
    theater_endpoint_done(ep, reason != THEATER_OK ? reason : THEATER_CLOSED);
    end_ids(ep, &ep->own, THEATER_CANCELLED);
    end_ids(ep, &ep->timers, THEATER_CANCELLED);
    end_ids(ep, &ep->deferred, THEATER_CLOSED);
    th_channel_end_all(ep, reason != THEATER_OK ? reason : THEATER_CLOSED);
}

void theater_endpoint_reset(theater_endpoint_t *ep, theater_status_t reason)
{
    struct th_message *first = NULL;
    struct th_message *last = NULL;
    struct th_message *message = NULL;

    end_dealings(ep, reason);
    (void)th_endpoint_release(ep);
    /* What is queued by now, and not for ever: at most what there is room
     * for, twice. */
    for (uint32_t n = 0; n < 2 * THEATER_MAILBOX_MAX; n++) {
        if (take(ep, &message) != TH_MPSC_OK) {
            break;
        }
        if (message->kind != THEATER_MESSAGE_SEND) {
            th_channel_or_request_dead(ep, message, THEATER_CLOSED);
            continue;
        }
        /* Its space stays reserved: it is still queued. */
        ep->taken--;
        ep->taken_bytes -= message->len;
        /* relaxed: the owner's own list */
        atomic_store_explicit(&message->node.next, NULL, memory_order_relaxed);
        if (last == NULL) {
            first = message;
        } else {
            atomic_store_explicit(&last->node.next, &message->node,
                                  memory_order_relaxed);
        }
        last = message;
    }
    ep->kept = first;
    (void)th_endpoint_release(ep);
}

/* Takes everything out until no reservation is left. */
static void drain(theater_endpoint_t *ep, theater_status_t reason)
{
    const theater_env_t *env = ep->router->env;
    struct th_message *message = NULL;

    for (unsigned idle = 0;; idle++) {
        while (take(ep, &message) == TH_MPSC_OK) {
            th_channel_or_request_dead(ep, message, reason);
            idle = 0;
        }
        bool busy = th_endpoint_release(ep);
        th_space_serve(ep, reason);
        /* acquire; pairs with the release in space.c: its user is gone */
        uint64_t waiting =
            atomic_load_explicit(&ep->waiting_word, memory_order_acquire);
        if (!busy && th_exempt_count(waiting) == 0) {
            return;
        }
        /* A sender stands between reserving and queueing. */
        if (idle < 64) {
            th_pause();
        } else {
            uint32_t now =
                atomic_load_explicit(&ep->signal, memory_order_relaxed);
            env->park(env->ctx, (const void *)&ep->signal, now,
                      th_now(env) + 50000);
        }
    }
}

void theater_endpoint_unregister(theater_endpoint_t *ep,
                                 theater_status_t reason)
{
    theater_router_t *router = ep->router;
    const theater_env_t *env = router->env;
    theater_status_t why = reason != THEATER_OK ? reason : THEATER_CLOSED;

    th_lock(env, &router->registry_lock);
    th_names_remove(ep);
    th_unlock(env, &router->registry_lock);
    th_mailbox_close(&ep->box);
    /* acq_rel; as [M4] of the mailbox, for the line of those who wait */
    atomic_fetch_or_explicit(&ep->waiting_word, TH_BOX_CLOSED,
                             memory_order_acq_rel);
    end_dealings(ep, why);
    drain(ep, why);
    free_parts(ep);
    give_slot_back(router, ep);
    /* relaxed: a counter */
    atomic_fetch_sub_explicit(&router->registered, 1, memory_order_relaxed);
    theater_router_release(router);
}
