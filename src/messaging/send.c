/* SPDX-License-Identifier: Apache-2.0 */
/* Design notes. The way of a message into a mailbox. Everything that can be
 * refused is refused before the message is made. A sender remembers the
 * targets that its permissions allow, with slot and generation, in a small
 * table of its own: the name is hashed, checked and looked up once, not per
 * message. A remembered target that has gone shows at the reservation (the
 * generation differs); then the name is looked up once more before the send
 * fails, so a restart or a new owner of the name is met at once.
 *
 * The table grows where misses say so: 1, 4, 16, 64, 256 entries. */
#include "messaging/op.h"

/* Nobody has the name here: perhaps behind a link. */
theater_status_t th_send_refused(theater_router_t *router,
                                 theater_endpoint_t *from,
                                 theater_bytes_t target, theater_bytes_t data,
                                 theater_status_t status)
{
    if (status == THEATER_NOT_FOUND) {
        theater_bytes_t none = {NULL, 0};
        status = th_link_send(
            router, from != NULL ? th_endpoint_name(from) : none, target, data);
    }
    return status == THEATER_OK ? THEATER_OK : th_refuse(router, status);
}

theater_status_t th_refuse(theater_router_t *router, theater_status_t status)
{
    TH_COUNT(router, refused[status], 1);
    return status;
}

/* --- The table of targets ------------------------------------------------ */

/* The first eight bytes, zeros behind. */
static inline uint64_t head8(const uint8_t *data, size_t len)
{
    uint64_t word = 0;
    if (TH_LIKELY(len >= 8)) {
        memcpy(&word, data, 8);
        return word;
    }
    if (len >= 4) {
        uint32_t head, tail;
        memcpy(&head, data, 4);
        memcpy(&tail, data + len - 4, 4);
        return head | (uint64_t)tail << (8 * (len - 4));
    }
    for (size_t i = 0; i < len; i++) {
        word |= (uint64_t)data[i] << (8 * i);
    }
    return word;
}

/* As memcmp, for names: by words that overlap. */
static inline bool same(const char *a, const uint8_t *b, size_t len)
{
    uint64_t x, y;
    if (len < 8) {
        return head8((const uint8_t *)a, len) == head8(b, len);
    }
    for (size_t i = 0; i + 8 < len; i += 8) {
        memcpy(&x, a + i, 8);
        memcpy(&y, b + i, 8);
        if (x != y) {
            return false;
        }
    }
    memcpy(&x, a + len - 8, 8);
    memcpy(&y, b + len - 8, 8);
    return x == y;
}

static uint32_t cache_slot(const theater_endpoint_t *from,
                           theater_bytes_t target)
{
    size_t tail = target.len < 8 ? 0 : target.len - 8;
    uint64_t h = head8(target.data, target.len) * UINT64_C(0x9e3779b97f4a7c15);
    h ^= head8(target.data + tail, target.len - tail) + target.len;
    h *= UINT64_C(0xff51afd7ed558ccd);
    return (uint32_t)(h >> 40) & (from->cache_size - 1);
}

static inline __attribute__((always_inline)) struct th_target *
cache_find(theater_endpoint_t *from, theater_bytes_t target)
{
    if (from->cache_size == 0 || target.len > TH_CACHE_NAME ||
        target.len == 0) {
        return NULL;
    }
    struct th_target *entry =
        &from->cache[from->cache_size == 1 ? 0 : cache_slot(from, target)];
    if (entry->endpoint == NULL || entry->len != target.len ||
        !same(entry->name, target.data, target.len)) {
        return NULL;
    }
    return entry;
}

static void cache_grow(theater_endpoint_t *from)
{
    const theater_env_t *env = from->router->env;
    uint32_t size = from->cache_size == 0 ? 1 : from->cache_size * 4;
    struct th_target *cache = th_calloc(env, size * sizeof *cache);

    if (cache == NULL) {
        return; /* it works without, slower */
    }
    th_free(env, from->cache);
    from->cache = cache;
    from->cache_size = size;
    from->cache_misses = 0;
}

static void cache_put(theater_endpoint_t *from, theater_bytes_t target,
                      unsigned kinds, const struct th_route *route)
{
    if (target.len > TH_CACHE_NAME ||
        th_rare(from->router->env, TH_POINT_TARGET_FORGOTTEN)) {
        return;
    }
    if (from->cache_size == 0 ||
        (from->cache_size < TH_CACHE_MAX &&
         from->cache_misses++ >= 4 * from->cache_size)) {
        cache_grow(from);
    }
    if (from->cache_size == 0) {
        return;
    }
    struct th_target *entry =
        &from->cache[from->cache_size == 1 ? 0 : cache_slot(from, target)];
    entry->endpoint = route->endpoint;
    entry->generation = route->generation;
    entry->kinds = (uint8_t)kinds;
    entry->len = (uint8_t)target.len;
    memcpy(entry->name, target.data, target.len);
}

/* --- Finding ------------------------------------------------------------- */

static bool may_enter(theater_router_t *router, const theater_endpoint_t *from)
{
    enum th_phase phase = th_phase(router);
    return TH_LIKELY(phase == TH_PHASE_OPEN) ||
           (phase == TH_PHASE_DRAINING && from != NULL &&
            from->current != NULL);
}

static theater_status_t look_up(theater_router_t *router,
                                theater_endpoint_t *from,
                                theater_bytes_t target, unsigned kind,
                                struct th_route *out)
{
    if (target.data == NULL ||
        !th_name_ok((const char *)target.data, target.len)) {
        return THEATER_INVALID_ARGUMENT;
    }
    const struct th_permissions *permissions =
        from != NULL ? from->permissions : NULL;
    if (!th_permissions_allow(permissions, kind, target)) {
        return THEATER_DENIED;
    }
    out->endpoint = th_names_find(router, target, &out->generation);
    if (out->endpoint == NULL) {
        return THEATER_NOT_FOUND;
    }
    if (from != NULL) {
        cache_put(from, target,
                  permissions != NULL ? permissions->kinds : THEATER_ACCEPT_ALL,
                  out);
    }
    return THEATER_OK;
}

static theater_status_t check_accepts(const struct th_route *route,
                                      unsigned kind)
{
    /* acquire: as [M5] of the mailbox. If the slot has a new user and it is
     * accepted the reservation fails. */
    uint32_t accepts =
        atomic_load_explicit(&route->endpoint->accepts, memory_order_acquire);
    return (accepts & kind) != 0 ? THEATER_OK : THEATER_UNSUPPORTED;
}

theater_status_t th_route_again(theater_router_t *router,
                                theater_endpoint_t *from,
                                theater_bytes_t target, unsigned kind,
                                struct th_route *out)
{
    theater_status_t status = look_up(router, from, target, kind, out);
    if (status == THEATER_OK) {
        status = check_accepts(out, kind);
        if (status != THEATER_OK &&
            !th_mailbox_still_is(&out->endpoint->box, out->generation)) {
            return THEATER_NOT_FOUND; /* it has gone since it was found */
        }
    }
    return status;
}

static inline __attribute__((always_inline)) theater_status_t
find(theater_router_t *router, theater_endpoint_t *from, theater_bytes_t target,
     unsigned kind, size_t len, struct th_route *out)
{
    if (TH_UNLIKELY(!may_enter(router, from))) {
        return THEATER_SHUTTING_DOWN;
    }
    if (TH_UNLIKELY(len > router->max_message_bytes)) {
        return THEATER_TOO_LARGE;
    }
    if (TH_LIKELY(from != NULL)) {
        const struct th_target *known = cache_find(from, target);
        if (TH_LIKELY(known != NULL)) {
            if (TH_UNLIKELY((known->kinds & kind) == 0)) {
                return THEATER_DENIED;
            }
            out->endpoint = known->endpoint;
            out->generation = known->generation;
            if (TH_LIKELY(check_accepts(out, kind) == THEATER_OK)) {
                return THEATER_OK;
            }
        }
    }
    return th_route_again(router, from, target, kind, out);
}

theater_status_t th_route_find(theater_router_t *router,
                               theater_endpoint_t *from, theater_bytes_t target,
                               unsigned kind, size_t len, struct th_route *out)
{
    return find(router, from, target, kind, len, out);
}

/* --- Queueing ------------------------------------------------------------ */

static inline __attribute__((always_inline)) theater_status_t
make(theater_router_t *router, struct th_lane lane, theater_endpoint_t *from,
     uint8_t kind, theater_bytes_t data, struct th_body *body,
     struct th_message **out)
{
    theater_bytes_t sender = {NULL, 0};
    uint64_t charge = data.len + TH_MESSAGE_OVERHEAD;

    if (TH_LIKELY(from != NULL)) {
        sender = th_endpoint_name(from);
    }
    if (TH_UNLIKELY(!th_quota_take(router, lane, charge))) {
        return THEATER_MAILBOX_FULL;
    }
    *out = th_message_new(router->env, th_lane_pool(router, lane), kind, sender,
                          data, body);
    if (TH_UNLIKELY(*out == NULL)) {
        th_quota_give(router, lane, charge);
        return THEATER_OUT_OF_MEMORY;
    }
    return THEATER_OK;
}

theater_status_t th_message_make(theater_router_t *router,
                                 theater_endpoint_t *from, uint8_t kind,
                                 theater_bytes_t data, struct th_body *body,
                                 struct th_message **out)
{
    return make(router, th_lane(router), from, kind, data, body, out);
}

void th_message_drop(theater_router_t *router, struct th_message *message)
{
    th_lane_drop(router, th_lane(router), message);
}

/* The policies that drop. The mailbox is full. */
__attribute__((noinline, cold)) static theater_status_t
push_full(theater_router_t *router, const struct th_route *route,
          theater_bytes_t target, struct th_message *message)
{
    theater_endpoint_t *ep = route->endpoint;
    struct th_message *oldest = NULL;
    /* acquire: as [M5] of the mailbox */
    unsigned policy =
        atomic_load_explicit(&ep->accepts, memory_order_acquire) >> 8;

    if (!th_mailbox_still_is(&ep->box, route->generation)) {
        return THEATER_CLOSED; /* "full" may have been another's */
    }
    if (policy == THEATER_DROP_NEWEST) {
        TH_COUNT(router, accepted, 1);
        th_dead_letter(router, message, target, THEATER_MAILBOX_FULL);
        return THEATER_OK;
    }
    if (policy != THEATER_DROP_OLDEST) {
        return THEATER_MAILBOX_FULL;
    }
    /* A foothold: while it is held the ring can't go away under us. */
    enum th_reserve hold =
        th_mailbox_reserve_exempt(&ep->box, route->generation);
    if (hold == TH_RESERVE_GONE) {
        return THEATER_CLOSED;
    }
    theater_status_t status = THEATER_MAILBOX_FULL;
    /* As many as it holds: a large message may need the room of all. relaxed:
     * constant while the foothold is held */
    uint32_t most =
        atomic_load_explicit(&ep->box.capacity, memory_order_relaxed);
    for (uint32_t tries = 0; tries <= most; tries++) {
        /* Who waits comes first, whatever the mark says (push): nothing passes
         * it, and nothing is dropped for one who would not get in. relaxed: one
         * of another sender who has just come may be missed. */
        if (th_exempt_count(atomic_load_explicit(&ep->waiting_word,
                                                 memory_order_relaxed)) != 0) {
            break;
        }
        enum th_reserve reserved = th_mailbox_reserve(
            &ep->box, route->generation, message->len, false);
        if (reserved == TH_RESERVE_GONE) {
            status = THEATER_CLOSED;
            break;
        }
        if (reserved != TH_RESERVE_FULL) {
            TH_COUNT(router, accepted, 1);
            th_endpoint_push(ep, message, reserved);
            status = THEATER_OK;
            break;
        }
        if (th_ring_pop(ep->box.ring, true, &oldest) != TH_MPSC_OK) {
            break; /* channel data at the head: never dropped */
        }
        (void)th_mailbox_release(&ep->box, 1, oldest->len);
        th_dead_letter(router, oldest, target, THEATER_MAILBOX_FULL);
    }
    /* Whoever came while the foothold was held did not wake the owner. */
    th_endpoint_wake(ep);
    (void)th_mailbox_release_exempt(&ep->box, 1);
    return status;
}

static inline __attribute__((always_inline)) theater_status_t push(
    theater_router_t *router, struct th_lane lane, const struct th_route *route,
    theater_bytes_t target, struct th_message *message)
{
    /* Somebody in the line comes first; the mark alone is not enough: while
     * the owner takes it off it may miss one who joins, perhaps this sender's
     * own earlier message. relaxed: a thread sees its own joining, and its
     * place is given up after the message was pushed. */
    uint64_t line = atomic_load_explicit(&route->endpoint->waiting_word,
                                         memory_order_relaxed);
    if (TH_UNLIKELY(th_exempt_count(line) != 0 &&
                    th_box_is(line, route->generation))) {
        return push_full(router, route, target, message);
    }
    enum th_reserve reserved = th_mailbox_reserve(
        &route->endpoint->box, route->generation, message->len, false);

    if (TH_LIKELY(reserved <= TH_RESERVE_OK)) {
        TH_COUNT_LANE(lane, accepted, 1);
        th_endpoint_push(route->endpoint, message, reserved);
        return THEATER_OK;
    }
    if (reserved == TH_RESERVE_GONE) {
        return THEATER_CLOSED;
    }
    return push_full(router, route, target, message);
}

theater_status_t th_route_push(theater_router_t *router,
                               const struct th_route *route,
                               theater_bytes_t target,
                               struct th_message *message)
{
    return push(router, th_lane(router), route, target, message);
}

/* What was remembered is gone: whom does the name mean now? */
__attribute__((noinline, cold)) static theater_status_t
push_again(theater_router_t *router, theater_endpoint_t *from,
           theater_bytes_t target, unsigned kind, struct th_route *route,
           struct th_message *message)
{
    theater_status_t status = th_route_again(router, from, target, kind, route);
    if (status == THEATER_OK) {
        status = th_route_push(router, route, target, message);
    }
    return status == THEATER_CLOSED ? THEATER_NOT_FOUND : status;
}

theater_status_t th_send_message(theater_router_t *router,
                                 theater_endpoint_t *from,
                                 theater_bytes_t target, unsigned kind,
                                 struct th_route *route,
                                 struct th_message *message)
{
    theater_status_t status = th_route_push(router, route, target, message);
    return TH_UNLIKELY(status == THEATER_CLOSED)
               ? push_again(router, from, target, kind, route, message)
               : status;
}

/* --- One-way ------------------------------------------------------------- */

theater_status_t theater_router_send(theater_router_t *router,
                                     theater_endpoint_t *from,
                                     theater_bytes_t target,
                                     theater_bytes_t data)
{
    struct th_lane lane = th_lane(router);
    struct th_route route;
    struct th_message *message = NULL;
    theater_status_t status =
        find(router, from, target, THEATER_ACCEPT_SENDS, data.len, &route);

    if (TH_LIKELY(status == THEATER_OK)) {
        status = make(router, lane, from, THEATER_MESSAGE_SEND, data, NULL,
                      &message);
    }
    if (TH_UNLIKELY(status != THEATER_OK)) {
        return th_send_refused(router, from, target, data, status);
    }
    status = push(router, lane, &route, target, message);
    if (TH_UNLIKELY(status == THEATER_CLOSED)) {
        status = push_again(router, from, target, THEATER_ACCEPT_SENDS, &route,
                            message);
    }
    if (TH_UNLIKELY(status != THEATER_OK)) {
        th_message_drop(router, message);
        return th_send_refused(router, from, target, data, status);
    }
    return THEATER_OK;
}

theater_status_t theater_router_send_batch(theater_router_t *router,
                                           theater_endpoint_t *from,
                                           theater_bytes_t target,
                                           const theater_bytes_t *messages,
                                           size_t len, size_t *out_accepted)
{
    theater_status_t status = THEATER_OK;
    size_t sent = 0;

    while (sent < len) {
        status = theater_router_send(router, from, target, messages[sent]);
        if (status != THEATER_OK) {
            break;
        }
        sent++;
    }
    *out_accepted = sent;
    return status;
}

/* One target of a broadcast. */
static theater_status_t send_body(theater_router_t *router,
                                  theater_endpoint_t *from,
                                  theater_bytes_t target, struct th_body *body)
{
    struct th_route route;
    struct th_message *message = NULL;
    theater_bytes_t data = {body->data, body->len};
    theater_status_t status = th_route_find(
        router, from, target, THEATER_ACCEPT_SENDS, data.len, &route);

    if (status == THEATER_OK) {
        status = th_message_make(router, from, THEATER_MESSAGE_SEND, data, body,
                                 &message);
    }
    if (status != THEATER_OK) {
        return th_send_refused(router, from, target, data, status);
    }
    status = th_send_message(router, from, target, THEATER_ACCEPT_SENDS, &route,
                             message);
    if (status != THEATER_OK) {
        th_message_drop(router, message);
        return th_send_refused(router, from, target, data, status);
    }
    return THEATER_OK;
}

theater_status_t theater_router_broadcast(theater_router_t *router,
                                          theater_endpoint_t *from,
                                          const theater_bytes_t *targets,
                                          size_t len, theater_bytes_t data,
                                          uint8_t *out_codes)
{
    if (len > THEATER_BROADCAST_MAX) {
        return th_refuse(router, THEATER_INVALID_ARGUMENT);
    }
    if (data.len > router->max_message_bytes) {
        return th_refuse(router, THEATER_TOO_LARGE);
    }
    if (from != NULL && from->permissions != NULL &&
        (from->permissions->kinds & THEATER_ACCEPT_SENDS) == 0) {
        return th_refuse(router, THEATER_DENIED);
    }
    if (!may_enter(router, from)) {
        return th_refuse(router, THEATER_SHUTTING_DOWN);
    }
    struct th_body *body = th_body_new(router->env, data);
    if (body == NULL) {
        return th_refuse(router, THEATER_OUT_OF_MEMORY);
    }
    for (size_t i = 0; i < len; i++) {
        out_codes[i] = (uint8_t)send_body(router, from, targets[i], body);
    }
    th_body_release(router->env, body);
    return THEATER_OK;
}
