/* SPDX-License-Identifier: Apache-2.0 */
/* Design notes. A channel begins as an operation: the opener's message asks
 * the target, whose handler decides; nobody but the opener waits. Until then
 * the slot is there, with a reference for each end: the target's is held by
 * the message that asks, then by the endpoint that handles it.
 *
 * Accept and deadline race for the operation. If the deadline has won, the
 * target, which has been told true by its own handler, gets a close. */
#include "messaging/channel.h"

/* --- Opening ------------------------------------------------------------- */

/* In a ring there must be room for all that may come, whatever of closed
 * channels is queued still. */
static bool has_room(const theater_endpoint_t *ep)
{
    if (ep->exempt_room == UINT32_MAX) {
        return true;
    }
    /* relaxed: what comes meanwhile is of channels that are counted */
    uint64_t queued = th_exempt_count(
        atomic_load_explicit(&ep->box.exempt, memory_order_relaxed));
    return queued + ((uint64_t)ep->channels.len + 1) *
                        ((uint64_t)ep->channel_credit + 2) <=
           ep->exempt_room;
}

static bool make_closes(theater_router_t *router, struct th_channel *channel,
                        uint64_t id, theater_bytes_t opener,
                        theater_bytes_t target)
{
    theater_bytes_t none = {NULL, 0};
    theater_bytes_t names[2] = {opener, target};

    for (unsigned side = 0; side < 2; side++) {
        struct th_message *message = th_message_new(
            router->env, th_pool_here(router), THEATER_MESSAGE_CHANNEL_CLOSE,
            names[side], none, NULL);
        if (message == NULL) {
            th_channel_fini(router, channel);
            return false;
        }
        message->id = id;
        /* relaxed: the message that asks publishes the channel */
        atomic_store_explicit(&channel->close[side], message,
                              memory_order_relaxed);
    }
    return true;
}

/* A channel with a reference for each end; NULL and why not. */
static struct th_channel *channel_new(theater_endpoint_t *from, th_ref to,
                                      theater_bytes_t target, uint64_t *out_id,
                                      theater_status_t *out_status)
{
    theater_router_t *router = from->router;
    bool full = false;
    struct th_channel *channel = th_slab_get(&router->channels, &full);

    if (channel == NULL) {
        *out_status = full ? THEATER_MAILBOX_FULL : THEATER_OUT_OF_MEMORY;
        return NULL;
    }
    /* relaxed, where not said: the message that asks publishes it */
    uint64_t generation =
        (atomic_load_explicit(&channel->state, memory_order_relaxed) >> 32) + 1;
    if (generation == 1 && th_rare(router->env, TH_POINT_CHANNEL_WORN)) {
        generation = UINT32_MAX - 1;
    }
    uint64_t id = channel->item.index | generation << 32;
    if (!make_closes(router, channel, id, th_endpoint_name(from), target)) {
        th_slab_put(&router->channels, &channel->item);
        *out_status = THEATER_OUT_OF_MEMORY;
        return NULL;
    }
    /* release; [M3] */
    atomic_store_explicit(&channel->end[0], th_ref_of(from).value,
                          memory_order_release);
    atomic_store_explicit(&channel->end[1], to.value, memory_order_release);
    atomic_store_explicit(&channel->refs, 2, memory_order_relaxed);
    for (unsigned side = 0; side < 2; side++) {
        struct th_way *way = &channel->way[side];
        atomic_store_explicit(&way->flight, 0, memory_order_relaxed);
        atomic_store_explicit(&way->waiter, 0, memory_order_relaxed);
        /* What end 0 receives it bounds; end 1 says its bound at accept. */
        atomic_store_explicit(&way->max_messages, from->channel_credit,
                              memory_order_relaxed);
        atomic_store_explicit(&way->max_bytes, from->channel_credit_bytes,
                              memory_order_relaxed);
    }
    channel->held = NULL;
    channel->held_last = NULL;
    /* release: whoever guesses the id sees a whole channel */
    atomic_store_explicit(&channel->state, generation << 32 | TH_CHANNEL_LIVE,
                          memory_order_release);
    *out_id = id;
    return channel;
}

/* The end `side` is done with a channel that never came to be. */
static void forsake(theater_router_t *router, uint64_t id, unsigned side)
{
    struct th_channel *channel = th_slab_at(&router->channels, (uint32_t)id);
    uint64_t was = 0;
    if (th_channel_end_once(channel, id, side, &was)) {
        th_channel_end_waits(router, channel);
        th_channel_unref(router, channel);
    }
}

void th_channel_open_failed(theater_router_t *router, uint64_t id)
{
    forsake(router, id, 0);
}

void th_channel_open_agreed(theater_router_t *router, uint64_t id)
{
    struct th_channel *channel = th_slab_at(&router->channels, (uint32_t)id);
    /* [M1]; the slot is this channel's: whoever accepts holds its end */
    atomic_fetch_or_explicit(&channel->state, TH_CHANNEL_AGREED,
                             memory_order_acq_rel);
}

void th_channel_open_gone(theater_router_t *router,
                          const struct th_message *message)
{
    forsake(router, message->id, 1);
}

/* Operation and message; then the queue. The message is given on PENDING. */
static theater_status_t start(theater_endpoint_t *from, theater_bytes_t target,
                              const struct th_route *route,
                              struct th_channel *channel, uint64_t channel_id,
                              struct th_message *message, uint32_t timeout_ms,
                              theater_opened_fn *done, void *user,
                              theater_request_id_t *out_id)
{
    theater_router_t *router = from->router;
    theater_status_t status = THEATER_OK;
    uint64_t id = 0;
    /* relaxed: this thread wrote it */
    th_ref to = {atomic_load_explicit(&channel->end[1], memory_order_relaxed)};
    struct th_op *op = th_op_begin(router, TH_OP_OPEN, to, &id, &status);

    if (op == NULL) {
        return status;
    }
    /* relaxed: the mailbox publishes it */
    atomic_store_explicit(&op->channel, channel_id, memory_order_relaxed);
    op->opened = done;
    op->user = user;
    struct th_asks *asks = th_message_asks(message);
    asks->op = id;
    message->id = channel_id;
    status = th_op_enlist(from, op, id, to);
    if (status != THEATER_OK) {
        return status;
    }
    if (out_id != NULL) {
        *out_id = (theater_request_id_t){id};
    }
    asks->deadline = th_op_arm(
        op, timeout_ms != 0 ? timeout_ms : router->request_timeout_ms);
    status = th_route_push(router, route, target, message);
    if (status == THEATER_OK) {
        TH_COUNT(router, requests, 1);
        return THEATER_PENDING;
    }
    if (!th_op_claim(op, id)) { /* its deadline came, and `done` was told */
        TH_COUNT(router, requests, 1);
        forsake(router, channel_id, 1);
        th_message_drop(router, message);
        return THEATER_PENDING;
    }
    th_op_abandon(op);
    return status;
}

/* One attempt towards `route`, with a channel of its own. */
static theater_status_t attempt(theater_endpoint_t *from,
                                theater_bytes_t target,
                                const struct th_route *route,
                                struct th_message *message, uint32_t timeout_ms,
                                theater_opened_fn *done, void *user,
                                theater_request_id_t *out_id)
{
    theater_router_t *router = from->router;
    theater_status_t status = THEATER_OK;
    uint64_t id = 0;
    th_ref to = {route->endpoint->item.index | (uint64_t)route->generation
                                                   << 32};

    if (to.value == th_ref_of(from).value) {
        return THEATER_DEADLOCK; /* nobody would be there to accept */
    }
    if (!has_room(from)) {
        return THEATER_MAILBOX_FULL;
    }
    struct th_channel *channel = channel_new(from, to, target, &id, &status);
    if (channel == NULL) {
        return status;
    }
    status = th_ids_add(from, &from->channels, id, from->max_channels,
                        th_channel_is_mine);
    if (status == THEATER_OK) {
        status = start(from, target, route, channel, id, message, timeout_ms,
                       done, user, out_id);
        if (status != THEATER_PENDING) {
            (void)th_ids_remove(&from->channels, id);
        }
    }
    if (status != THEATER_PENDING) {
        forsake(router, id, 0);
        forsake(router, id, 1);
    }
    return status;
}

theater_status_t theater_channel_open_start(theater_endpoint_t *from,
                                            theater_bytes_t target,
                                            theater_bytes_t data,
                                            uint32_t timeout_ms,
                                            theater_opened_fn *done, void *user,
                                            theater_request_id_t *out_id)
{
    struct th_route route;
    struct th_message *message = NULL;
    if (from == NULL) {
        return THEATER_INVALID_ARGUMENT;
    }
    theater_router_t *router = from->router;
    theater_status_t status = th_route_find(
        router, from, target, THEATER_ACCEPT_CHANNELS, data.len, &route);

    if (status == THEATER_OK) {
        status = th_message_make(router, from, THEATER_MESSAGE_CHANNEL_OPEN,
                                 data, NULL, &message);
    }
    if (status != THEATER_OK) {
        return th_refuse(router, status);
    }
    status =
        attempt(from, target, &route, message, timeout_ms, done, user, out_id);
    if (status == THEATER_CLOSED) {
        status = th_route_again(router, from, target, THEATER_ACCEPT_CHANNELS,
                                &route);
        if (status == THEATER_OK) {
            status = attempt(from, target, &route, message, timeout_ms, done,
                             user, out_id);
        }
        status = status == THEATER_CLOSED ? THEATER_NOT_FOUND : status;
    }
    if (status != THEATER_PENDING) {
        th_message_drop(router, message);
        return th_refuse(router, status);
    }
    return status;
}

/* --- Deciding ------------------------------------------------------------ */

static struct th_message *undecided(theater_endpoint_t *ep)
{
    struct th_message *current = ep->current;
    return current != NULL && !ep->answered &&
                   current->kind == THEATER_MESSAGE_CHANNEL_OPEN
               ? current
               : NULL;
}

/* What was sent before the decision: on its way, or dead. */
static void settle_held(theater_endpoint_t *ep, struct th_channel *channel,
                        bool accepted, theater_bytes_t opener)
{
    theater_router_t *router = ep->router;
    struct th_message *message = channel->held;

    channel->held = NULL;
    while (message != NULL) {
        /* relaxed: the target's own list */
        struct th_mpsc_node *next =
            atomic_load_explicit(&message->node.next, memory_order_relaxed);
        if (!accepted ||
            th_channel_push(router, channel, 1, message, false) != THEATER_OK) {
            th_dead_letter(router, message, opener, THEATER_CLOSED);
        }
        message = next == NULL ? NULL
                               : TH_CONTAINER_OF(next, struct th_message, node);
    }
}

theater_status_t theater_channel_accept(theater_endpoint_t *endpoint)
{
    theater_router_t *router = endpoint->router;
    struct th_message *message = undecided(endpoint);

    if (message == NULL) {
        return THEATER_INVALID_ARGUMENT;
    }
    if (!has_room(endpoint)) {
        return THEATER_MAILBOX_FULL;
    }
    uint64_t id = message->id;
    struct th_channel *channel = th_slab_at(&router->channels, (uint32_t)id);
    theater_status_t status =
        th_ids_add(endpoint, &endpoint->channels, id, endpoint->max_channels,
                   th_channel_is_mine);
    if (status != THEATER_OK) {
        return status;
    }
    endpoint->answered = true;
    /* relaxed, both: [M1] publishes them */
    atomic_store_explicit(&channel->way[0].max_messages,
                          endpoint->channel_credit, memory_order_relaxed);
    atomic_store_explicit(&channel->way[0].max_bytes,
                          endpoint->channel_credit_bytes, memory_order_relaxed);
    /* [M1] acq_rel */
    atomic_fetch_or_explicit(&channel->state, TH_CHANNEL_OPEN,
                             memory_order_acq_rel);
    TH_COUNT(router, channels, 1);
    if (th_op_end(router, th_message_op(message), THEATER_OK, NULL)) {
        settle_held(endpoint, channel, true, th_message_sender(message));
        return THEATER_OK;
    }
    settle_held(endpoint, channel, false, th_message_sender(message));
    th_channel_push_close(router, channel, 0, th_ref_of(endpoint),
                          THEATER_CLOSED);
    return THEATER_CLOSED;
}

void th_channel_reject_message(theater_endpoint_t *ep,
                               const struct th_message *message)
{
    theater_router_t *router = ep->router;
    struct th_channel *channel =
        th_slab_at(&router->channels, (uint32_t)message->id);

    ep->answered = true;
    settle_held(ep, channel, false, th_message_sender(message));
    (void)th_op_end(router, th_message_op(message), THEATER_REJECTED, NULL);
    forsake(router, message->id, 1);
}

theater_status_t theater_channel_reject(theater_endpoint_t *endpoint)
{
    const struct th_message *message = undecided(endpoint);

    if (message == NULL) {
        return THEATER_INVALID_ARGUMENT;
    }
    th_channel_reject_message(endpoint, message);
    return THEATER_OK;
}
