/* SPDX-License-Identifier: Apache-2.0 */
/* Design notes. Data, credit and closing; channel_open.c has the beginning.
 * Data goes through the receiver's mailbox, beside its bound, so it is in
 * order with all else that the sender sends there; what bounds it is credit:
 * what is in flight in each direction. A direction with nothing in flight
 * takes any legal message. The credit returns when the handler is done. */
#include "messaging/channel.h"

void th_channel_fini(theater_router_t *router, struct th_channel *channel)
{
    for (unsigned side = 0; side < 2; side++) {
        /* acquire; pairs with the release that set it */
        th_message_free(router->env, th_pool_here(router),
                        atomic_exchange_explicit(&channel->close[side], NULL,
                                                 memory_order_acq_rel));
    }
}

void th_channel_unref(theater_router_t *router, struct th_channel *channel)
{
    /* acq_rel; pairs with itself: the last has seen all other uses end */
    if (atomic_fetch_sub_explicit(&channel->refs, 1, memory_order_acq_rel) !=
        1) {
        return;
    }
    th_channel_fini(router, channel);
    /* relaxed: the slab publishes it */
    uint64_t generation =
        atomic_load_explicit(&channel->state, memory_order_relaxed) >> 32;
    atomic_store_explicit(&channel->state, generation << 32,
                          memory_order_relaxed);
    if (generation != UINT32_MAX) {
        th_slab_put(&router->channels, &channel->item);
    }
}

/* An id may be stale, and its slot begin another life while it is looked at:
 * the ends that were read are this channel's if it is live still behind them
 * ([M3]). One line of memory, needed anyway. */
static inline struct th_channel *find(theater_endpoint_t *ep, uint64_t id,
                                      unsigned *out_side, uint64_t *out_state)
{
    const uint64_t live = (id & TH_CHANNEL_GENERATION) | TH_CHANNEL_LIVE;
    struct th_channel *channel =
        th_slab_at(&ep->router->channels, (uint32_t)id);
    if (channel == NULL) {
        return NULL;
    }
    /* acquire; [M1]. None of generation 0 is live. */
    uint64_t state =
        atomic_load_explicit(&channel->state, memory_order_acquire);
    if ((state & (TH_CHANNEL_GENERATION | TH_CHANNEL_LIVE)) != live) {
        return NULL;
    }
    uint64_t me = th_ref_of(ep).value;
    unsigned side = 0;
    /* acquire, both; [M3]. Nobody is at both ends. */
    if (atomic_load_explicit(&channel->end[0], memory_order_acquire) != me) {
        if (atomic_load_explicit(&channel->end[1], memory_order_acquire) !=
            me) {
            return NULL;
        }
        side = 1;
    }
    uint64_t mine =
        TH_CHANNEL_GENERATION | TH_CHANNEL_LIVE | th_channel_end_flag(side);
    /* acquire; [M1], [M3] */
    state = atomic_load_explicit(&channel->state, memory_order_acquire);
    if ((state & mine) != live) {
        return NULL;
    }
    *out_side = side;
    *out_state = state;
    return channel;
}

static bool is_deciding(const theater_endpoint_t *ep, uint64_t id)
{
    return ep->current != NULL && ep->current->id == id &&
           ep->current->kind == THEATER_MESSAGE_CHANNEL_OPEN;
}

/* Before that somebody else may end this end: the deadline of the opening that
 * of the opener, who drops the message that asks that of the target. */
static struct th_channel *find_own(theater_endpoint_t *ep, uint64_t id,
                                   unsigned *out_side)
{
    uint64_t state = 0;
    struct th_channel *channel = find(ep, id, out_side, &state);
    if (channel == NULL) {
        return NULL;
    }
    uint64_t own = *out_side == 0 ? TH_CHANNEL_AGREED : TH_CHANNEL_OPEN;
    return (state & own) != 0 || (*out_side == 1 && is_deciding(ep, id))
               ? channel
               : NULL;
}

bool th_channel_is_mine(theater_endpoint_t *endpoint, uint64_t id)
{
    unsigned side = 0;
    uint64_t state = 0;
    return find(endpoint, id, &side, &state) != NULL;
}

bool theater_channel_is_open(theater_endpoint_t *endpoint,
                             theater_channel_id_t channel)
{
    unsigned side = 0;
    struct th_channel *ch = find_own(endpoint, channel.value, &side);
    /* acquire; [M1] */
    return ch != NULL &&
           (atomic_load_explicit(&ch->state, memory_order_acquire) &
            TH_CHANNEL_OPEN) != 0;
}

bool th_channel_end_once(struct th_channel *channel, uint64_t id, unsigned side,
                         uint64_t *out_was)
{
    const uint64_t live = (id & TH_CHANNEL_GENERATION) | TH_CHANNEL_LIVE;
    const uint64_t flag = th_channel_end_flag(side);
    /* relaxed: the exchange decides */
    uint64_t was = atomic_load_explicit(&channel->state, memory_order_relaxed);
    do {
        if ((was & (TH_CHANNEL_GENERATION | TH_CHANNEL_LIVE | flag)) != live) {
            return false;
        }
        /* seq_cst: [M1], and [M2] with the peer that begins to wait */
    } while (!atomic_compare_exchange_weak_explicit(
        &channel->state, &was, was | flag, memory_order_seq_cst,
        memory_order_relaxed));
    *out_was = was;
    return true;
}

/* --- Credit -------------------------------------------------------------- */

static bool fits(const struct th_way *way, uint64_t flight, size_t len)
{
    /* relaxed: constant once the channel is open */
    return flight == 0 ||
           (flight >> 32 < atomic_load_explicit(&way->max_messages,
                                                memory_order_relaxed) &&
            (uint32_t)flight + len <=
                atomic_load_explicit(&way->max_bytes, memory_order_relaxed));
}

static bool take_credit(struct th_way *way, size_t len)
{
    /* [M2] */
    uint64_t flight = atomic_load_explicit(&way->flight, memory_order_seq_cst);
    do {
        if (!fits(way, flight, len)) {
            return false;
        }
    } while (!atomic_compare_exchange_weak_explicit(
        &way->flight, &flight, flight + (UINT64_C(1) << 32) + len,
        memory_order_seq_cst, memory_order_seq_cst));
    return true;
}

static void end_wait(theater_router_t *router, struct th_way *way,
                     theater_status_t status)
{
    /* [M2] */
    if (atomic_load_explicit(&way->waiter, memory_order_seq_cst) != 0) {
        uint64_t id =
            atomic_exchange_explicit(&way->waiter, 0, memory_order_seq_cst);
        (void)th_op_end(router, id, status, NULL);
    }
}

void th_channel_end_waits(theater_router_t *router, struct th_channel *channel)
{
    end_wait(router, &channel->way[0], THEATER_CLOSED);
    end_wait(router, &channel->way[1], THEATER_CLOSED);
}

static void give_credit(theater_router_t *router, struct th_way *way,
                        size_t len)
{
    /* [M2] */
    atomic_fetch_sub_explicit(&way->flight, (UINT64_C(1) << 32) + len,
                              memory_order_seq_cst);
    end_wait(router, way, THEATER_OK);
}

/* --- Sending ------------------------------------------------------------- */

theater_status_t th_channel_push(theater_router_t *router,
                                 struct th_channel *channel, unsigned side,
                                 struct th_message *message, bool count)
{
    /* relaxed: constant while one of the ends is not done */
    th_ref to = {
        atomic_load_explicit(&channel->end[1 - side], memory_order_relaxed)};
    theater_endpoint_t *peer = th_ref_endpoint(router, to);
    enum th_reserve reserved =
        th_mailbox_reserve_exempt(&peer->box, th_ref_generation(to));
    if (reserved == TH_RESERVE_GONE) {
        return THEATER_CLOSED;
    }
    if (count) { /* before it can be received, as everywhere */
        TH_COUNT(router, accepted, 1);
    }
    th_endpoint_push(peer, message, reserved);
    return THEATER_OK;
}

/* Sent inside the handling of the open: follows the acceptance. */
static void hold(struct th_channel *channel, struct th_message *message)
{
    /* relaxed, all: the target's own list */
    atomic_store_explicit(&message->node.next, NULL, memory_order_relaxed);
    if (channel->held == NULL) {
        channel->held = message;
    } else {
        atomic_store_explicit(&channel->held_last->node.next, &message->node,
                              memory_order_relaxed);
    }
    channel->held_last = message;
}

/* Why a channel of that id is not the endpoint's. */
static theater_status_t missing(theater_endpoint_t *ep, uint64_t id)
{
    const struct th_channel *channel =
        th_slab_at(&ep->router->channels, (uint32_t)id);
    if (channel == NULL || id >> 32 == 0) {
        return THEATER_INVALID_ARGUMENT;
    }
    /* relaxed: only for the message */
    uint64_t state =
        atomic_load_explicit(&channel->state, memory_order_relaxed);
    bool is_live = (state & TH_CHANNEL_LIVE) != 0 &&
                   (state & (TH_CHANNEL_END0 | TH_CHANNEL_END1)) == 0;
    return id >> 32 < state >> 32 || (id >> 32 == state >> 32 && !is_live)
               ? THEATER_CLOSED
               : THEATER_INVALID_ARGUMENT;
}

static theater_status_t check_send(theater_endpoint_t *ep, size_t len)
{
    enum th_phase phase = th_phase(ep->router);
    if (phase == TH_PHASE_CLOSED ||
        (phase == TH_PHASE_DRAINING && ep->current == NULL)) {
        return THEATER_SHUTTING_DOWN;
    }
    return len <= ep->router->max_message_bytes ? THEATER_OK
                                                : THEATER_TOO_LARGE;
}

static theater_status_t send_on(theater_endpoint_t *ep,
                                struct th_channel *channel, unsigned side,
                                uint64_t id, theater_bytes_t data)
{
    theater_router_t *router = ep->router;
    struct th_message *message = NULL;
    struct th_way *way = &channel->way[side];
    /* acquire; [M1] */
    uint64_t state =
        atomic_load_explicit(&channel->state, memory_order_acquire);
    bool open = (state & TH_CHANNEL_OPEN) != 0;

    if ((state & th_channel_end_flag(1 - side)) != 0) {
        return THEATER_CLOSED;
    }
    if (!take_credit(way, data.len)) {
        return THEATER_MAILBOX_FULL;
    }
    theater_status_t status = th_message_make(
        router, ep, THEATER_MESSAGE_CHANNEL_DATA, data, NULL, &message);
    if (status != THEATER_OK) {
        give_credit(router, way, data.len);
        return status == THEATER_MAILBOX_FULL ? THEATER_OUT_OF_MEMORY : status;
    }
    message->flags |= TH_MESSAGE_EXEMPT;
    message->id = id;
    if (!open) {
        TH_COUNT(router, accepted, 1);
        hold(channel, message);
    } else {
        status = th_channel_push(router, channel, side, message, true);
    }
    if (status != THEATER_OK) {
        give_credit(router, way, data.len);
        th_message_drop(router, message);
    }
    return status;
}

theater_status_t theater_channel_send(theater_endpoint_t *endpoint,
                                      theater_channel_id_t channel,
                                      theater_bytes_t data)
{
    unsigned side = 0;
    theater_status_t status = check_send(endpoint, data.len);

    if (status == THEATER_OK) {
        struct th_channel *ch = find_own(endpoint, channel.value, &side);
        status = ch == NULL ? missing(endpoint, channel.value)
                            : send_on(endpoint, ch, side, channel.value, data);
    }
    return TH_LIKELY(status == THEATER_OK)
               ? THEATER_OK
               : th_refuse(endpoint->router, status);
}

/* The wait is up: is there a reason not to wait any more? */
static bool settled(struct th_channel *channel, unsigned side, size_t len,
                    theater_status_t *out_status)
{
    /* seq_cst; [M2] */
    uint64_t state =
        atomic_load_explicit(&channel->state, memory_order_seq_cst);
    if ((state & th_channel_end_flag(1 - side)) != 0) {
        *out_status = THEATER_CLOSED;
        return true;
    }
    const struct th_way *way = &channel->way[side];
    *out_status = THEATER_OK;
    return fits(way, atomic_load_explicit(&way->flight, memory_order_seq_cst),
                len);
}

theater_status_t theater_channel_credit_start(theater_endpoint_t *endpoint,
                                              theater_channel_id_t channel,
                                              size_t len, uint32_t timeout_ms,
                                              theater_done_fn *done, void *user,
                                              theater_request_id_t *out_id)
{
    theater_router_t *router = endpoint->router;
    theater_status_t status = THEATER_OK;
    unsigned side = 0;
    uint64_t id = 0;
    struct th_channel *ch = find_own(endpoint, channel.value, &side);

    if (ch == NULL) {
        return missing(endpoint, channel.value);
    }
    struct th_way *way = &ch->way[side];
    if (th_op_find(router, atomic_load_explicit(
                               &way->waiter, memory_order_seq_cst)) != NULL) {
        return THEATER_INVALID_ARGUMENT;
    }
    /* relaxed: constant while one of the ends is not done */
    th_ref peer = {
        atomic_load_explicit(&ch->end[1 - side], memory_order_relaxed)};
    struct th_op *op = th_op_begin(router, TH_OP_CREDIT, peer, &id, &status);
    if (op == NULL) {
        return status;
    }
    op->done = done;
    op->user = user;
    status = th_op_enlist(endpoint, op, id, peer);
    if (status != THEATER_OK) {
        return status == THEATER_DEADLOCK ? THEATER_MAILBOX_FULL : status;
    }
    if (out_id != NULL) {
        *out_id = (theater_request_id_t){id};
    }
    th_op_arm(op, timeout_ms);
    /* [M2] */
    atomic_store_explicit(&way->waiter, id, memory_order_seq_cst);
    if (settled(ch, side, len, &status) && th_op_claim(op, id)) {
        atomic_store_explicit(&way->waiter, 0, memory_order_seq_cst);
        th_op_abandon(op);
        return status;
    }
    return THEATER_PENDING;
}

/* --- Closing ------------------------------------------------------------- */

void th_channel_push_close(theater_router_t *router, struct th_channel *channel,
                           unsigned side, th_ref to, theater_status_t reason)
{
    /* acq_rel: whoever made it */
    struct th_message *message = atomic_exchange_explicit(
        &channel->close[side], NULL, memory_order_acq_rel);
    theater_endpoint_t *ep = th_ref_endpoint(router, to);

    if (message == NULL) {
        return;
    }
    message->flags |= TH_MESSAGE_EXEMPT | TH_MESSAGE_QUIET;
    message->reason = (uint8_t)reason;
    enum th_reserve reserved =
        th_mailbox_reserve_exempt(&ep->box, th_ref_generation(to));
    if (reserved == TH_RESERVE_GONE) {
        th_message_free(router->env, th_pool_here(router), message);
        return;
    }
    /* relaxed: the caller holds a reference */
    atomic_fetch_add_explicit(&channel->refs, 1, memory_order_relaxed);
    th_endpoint_push(ep, message, reserved);
}

/* Nothing where the end is done: an opening's deadline may come first. */
static void close_end(theater_endpoint_t *ep, struct th_channel *channel,
                      uint64_t id, unsigned side, theater_status_t reason)
{
    theater_router_t *router = ep->router;
    uint64_t was = 0;

    if (!th_channel_end_once(channel, id, side, &was)) {
        return;
    }
    (void)th_ids_remove(&ep->channels, id);
    th_channel_end_waits(router, channel);
    if ((was & th_channel_end_flag(1 - side)) == 0) {
        /* relaxed: constant while one of the ends is not done */
        th_ref peer = {atomic_load_explicit(&channel->end[1 - side],
                                            memory_order_relaxed)};
        th_channel_push_close(router, channel, side, peer, reason);
    }
    th_channel_unref(router, channel);
}

theater_status_t theater_channel_close(theater_endpoint_t *endpoint,
                                       theater_channel_id_t channel,
                                       theater_status_t reason)
{
    unsigned side = 0;
    struct th_channel *ch = find_own(endpoint, channel.value, &side);

    if (ch == NULL || !theater_channel_is_open(endpoint, channel)) {
        return THEATER_INVALID_ARGUMENT;
    }
    close_end(endpoint, ch, channel.value, side, reason);
    return THEATER_OK;
}

void th_channel_end_all(theater_endpoint_t *ep, theater_status_t reason)
{
    while (ep->channels.len != 0) {
        unsigned side = 0;
        uint64_t state = 0;
        uint64_t id = ep->channels.items[--ep->channels.len];
        struct th_channel *channel = find(ep, id, &side, &state);
        if (channel != NULL) {
            close_end(ep, channel, id, side, reason);
        }
    }
}

/* --- Receiving ----------------------------------------------------------- */

static struct th_channel *channel_of(theater_router_t *router,
                                     const struct th_message *message)
{
    return th_slab_at(&router->channels, (uint32_t)message->id);
}

/* A close has done its work, or is not wanted. */
static void drop_close(theater_router_t *router, struct th_message *message)
{
    th_channel_unref(router, channel_of(router, message));
}

bool th_channel_wanted(theater_endpoint_t *ep, struct th_message *message)
{
    theater_router_t *router = ep->router;
    unsigned side = 0;
    struct th_channel *channel = find_own(ep, message->id, &side);

    if (message->kind == THEATER_MESSAGE_CHANNEL_DATA) {
        theater_status_t reason = channel == NULL ? THEATER_CLOSED
                                  : th_phase(router) == TH_PHASE_CLOSED
                                      ? THEATER_SHUTTING_DOWN
                                      : THEATER_OK;
        if (reason != THEATER_OK) {
            if (channel != NULL) {
                give_credit(router, &channel->way[1 - side], message->len);
            }
            th_dead_letter(router, message, th_endpoint_name(ep), reason);
        }
        return reason == THEATER_OK;
    }
    if (channel == NULL) {
        drop_close(router, message);
        th_message_drop(router, message);
        return false;
    }
    close_end(ep, channel, message->id, side, THEATER_OK);
    return true;
}

void th_channel_done(theater_endpoint_t *ep, struct th_message *message,
                     theater_status_t status)
{
    theater_router_t *router = ep->router;
    unsigned side = 0;

    (void)status;
    switch (message->kind) {
    case THEATER_MESSAGE_CHANNEL_OPEN:
        if (!ep->answered) {
            th_channel_reject_message(ep, message);
        }
        break;
    case THEATER_MESSAGE_CHANNEL_DATA: {
        struct th_channel *channel = find_own(ep, message->id, &side);
        if (channel != NULL) {
            give_credit(router, &channel->way[1 - side], message->len);
        }
        break;
    }
    default:
        drop_close(router, message);
        break;
    }
}

void th_channel_or_request_dead(theater_endpoint_t *ep,
                                struct th_message *message,
                                theater_status_t reason)
{
    theater_router_t *router = ep->router;

    if (message->kind == THEATER_MESSAGE_CHANNEL_CLOSE) {
        drop_close(router, message);
        th_message_drop(router, message);
        return;
    }
    th_dead_letter(router, message, th_endpoint_name(ep), reason);
}
