/* SPDX-License-Identifier: Apache-2.0 */
/* Design notes. The slot of an operation is type-stable, and so is the timer
 * in it: a slot that is used again while its timer still stands in the wheel
 * only stores the later deadline, so a thousand requests one after the other
 * place one timer. When the wheel calls, `state` and `deadline` say whether it
 * still means the operation that is in the slot now.
 *
 * One thread at a time touches the timer: who starts the operation arms it
 * before anyone else knows the id, who wins the claim disarms it. From the
 * arming on the operation may end at any time, so the starter does not look
 * into it any more but through a claim. */
#include "messaging/op.h"

static uint64_t id_state(uint64_t id)
{
    return (id >> 32) << 32 | TH_OP_PENDING;
}

/* The timer was armed for `deadline`. Another user may have taken the slot
 * meanwhile and armed it: then its deadline is read here, or it arms after
 * this. So it is with one that ends meanwhile: NEVER is armed as well, else the
 * timer of an operation that is over would stand in the wheel.
 * (interleave.exhaustive_router, where assertions are on.) */
__attribute__((noinline, cold)) static void follow(struct th_op *op,
                                                   uint64_t deadline)
{
    for (unsigned tries = 0; tries < 16; tries++) {
        /* relaxed: an exchange of the timer's came before */
        uint64_t now =
            atomic_load_explicit(&op->deadline, memory_order_relaxed);
        if (now == deadline) {
            return;
        }
        th_timer_arm(op->router->timers, &op->timer, now);
        deadline = now;
    }
}

/* The call came too early for who is in the slot now: it was for an earlier
 * user, or `advance` was given a time ahead of the clock. The wheel does not
 * know the timer any more, so it is armed again. */
static void rearm(struct th_op *op, uint64_t deadline)
{
    if (deadline == THEATER_NEVER) {
        return; /* it is not armed yet: who begins it will */
    }
    th_timer_arm(op->router->timers, &op->timer, deadline);
    follow(op, deadline);
}

/* The deadline has come. */
static void expire(struct th_op *op)
{
    /* relaxed: [M2] of the claim brought it */
    enum th_op_kind kind =
        (enum th_op_kind)atomic_load_explicit(&op->kind, memory_order_relaxed);

    if (kind == TH_OP_TIMED) {
        th_timed_fire(op);
        return;
    }
    th_op_finish(op,
                 kind == TH_OP_REQUEST || kind == TH_OP_OPEN
                     ? THEATER_TIMEOUT
                     : THEATER_MAILBOX_FULL,
                 NULL);
}

static void on_timer(struct th_timer *timer)
{
    struct th_op *op = TH_CONTAINER_OF(timer, struct th_op, timer);
    /* [M2] acquire; pairs with [M1] */
    uint64_t state = atomic_load_explicit(&op->state, memory_order_acquire);

    if ((uint32_t)state != TH_OP_PENDING) {
        return;
    }
    /* acquire; pairs with th_op_arm. At least as new as the state; if newer the
     * claim fails */
    uint64_t deadline =
        atomic_load_explicit(&op->deadline, memory_order_acquire);
    if (deadline > th_now(op->router->env)) {
        rearm(op, deadline);
        return;
    }
    uint64_t id = th_op_id(op, state);
    if (th_op_claim(op, id)) {
        expire(op);
    }
}

struct th_op *th_op_begin(theater_router_t *router, enum th_op_kind kind,
                          th_ref target, uint64_t *out_id,
                          theater_status_t *out_status)
{
    bool full = false;
    struct th_op *op = th_slab_get(&router->ops, &full);

    if (op == NULL) {
        *out_status = full ? THEATER_MAILBOX_FULL : THEATER_OUT_OF_MEMORY;
        return NULL;
    }
    if (op->router == NULL) {
        op->router = router;
        if (th_rare(router->env, TH_POINT_OP_WORN)) {
            /* relaxed: nobody knows the slot yet */
            atomic_store_explicit(&op->state, (UINT64_C(0xfffffffd)) << 32,
                                  memory_order_relaxed);
        }
        /* Never closed: slots keep their timers until the router goes. */
        th_timer_init(&op->timer, on_timer, NULL);
    }
    /* relaxed: this thread's alone until [M1] */
    uint64_t generation =
        (atomic_load_explicit(&op->state, memory_order_relaxed) >> 32) + 1;
    /* [M4] release, the first three */
    atomic_store_explicit(&op->kind, kind, memory_order_release);
    atomic_store_explicit(&op->target, target.value, memory_order_release);
    atomic_store_explicit(&op->since, 0, memory_order_release);
    atomic_store_explicit(&op->deadline, THEATER_NEVER, memory_order_relaxed);
    atomic_store_explicit(&op->channel, 0, memory_order_relaxed);
    atomic_store_explicit(&op->from, 0, memory_order_relaxed);
    atomic_store_explicit(&op->holds, 1, memory_order_relaxed);
    op->done = NULL;
    op->user = NULL;
    op->message = NULL;
    op->target_name = NULL;
    uint64_t state = generation << 32 | TH_OP_PENDING;
    *out_id = th_op_id(op, state);
    TH_COUNT(router, begun, 1);
    /* [M1] release; pairs with [M2] */
    atomic_store_explicit(&op->state, state, memory_order_release);
    return op;
}

uint64_t th_op_arm(struct th_op *op, uint64_t timeout_ms)
{
    uint64_t now = th_now(op->router->env);
    uint64_t deadline = now + timeout_ms * 1000000;
    /* [M4] release */
    atomic_store_explicit(&op->since, now, memory_order_release);
    /* [M5] release; pairs with on_timer too: what was set since th_op_begin.
     * The slot's timer may stand in the wheel still, from an earlier use. */
    atomic_store_explicit(&op->deadline, deadline, memory_order_release);
    th_timer_arm(op->router->timers, &op->timer, deadline);
    /* relaxed: as in `follow`. A guess ([M5]) may have ended it, and another
     * have the slot. */
    if (TH_UNLIKELY(atomic_load_explicit(&op->deadline, memory_order_relaxed) !=
                    deadline)) {
        follow(op, deadline);
    }
    return deadline;
}

struct th_op *th_op_find(theater_router_t *router, uint64_t id)
{
    struct th_op *op = th_slab_at(&router->ops, (uint32_t)id);
    /* [M2] acquire; pairs with [M1] */
    if (op == NULL || id >> 32 == 0 ||
        atomic_load_explicit(&op->state, memory_order_acquire) !=
            id_state(id)) {
        return NULL;
    }
    return op;
}

struct th_op *th_op_find_armed(theater_router_t *router, uint64_t id)
{
    struct th_op *op = th_op_find(router, id);
    /* [M5] acquire */
    return op != NULL &&
                   atomic_load_explicit(&op->deadline, memory_order_acquire) !=
                       THEATER_NEVER
               ? op
               : NULL;
}

bool th_op_is_alive(theater_endpoint_t *endpoint, uint64_t id)
{
    return th_op_find(endpoint->router, id) != NULL;
}

bool th_op_claim(struct th_op *op, uint64_t id)
{
    uint64_t state = id_state(id);
    /* [M2] acq_rel */
    return atomic_compare_exchange_strong_explicit(
        &op->state, &state, (id >> 32) << 32 | TH_OP_ENDED,
        memory_order_acq_rel, memory_order_relaxed);
}

void th_op_let_go(struct th_op *op)
{
    /* acq_rel; pairs with itself: the last has seen all other uses end */
    if (atomic_fetch_sub_explicit(&op->holds, 1, memory_order_acq_rel) != 1) {
        return;
    }
    theater_router_t *router = op->router;
    /* relaxed: the slab publishes it */
    uint64_t state = atomic_load_explicit(&op->state, memory_order_relaxed);
    atomic_store_explicit(&op->state, state >> 32 << 32, memory_order_relaxed);
    if (state >> 32 != UINT32_MAX) { /* retired when its generation wraps */
        th_slab_put(&router->ops, &op->item);
    }
}

/* What every end does first: the deadline does not matter any more. */
static void disarm(struct th_op *op)
{
    /* relaxed: as in th_op_arm */
    if (atomic_load_explicit(&op->deadline, memory_order_relaxed) !=
        THEATER_NEVER) {
        atomic_store_explicit(&op->deadline, THEATER_NEVER,
                              memory_order_relaxed);
        th_timer_arm(op->router->timers, &op->timer, THEATER_NEVER);
    }
}

void th_op_abandon(struct th_op *op)
{
    disarm(op);
    TH_COUNT(op->router, finished, 1);
    th_op_let_go(op);
}

void th_op_finish(struct th_op *op, theater_status_t status,
                  theater_answer_t *answer)
{
    theater_router_t *router = op->router;
    /* relaxed: [M2] of the claim brought it */
    enum th_op_kind kind =
        (enum th_op_kind)atomic_load_explicit(&op->kind, memory_order_relaxed);

    disarm(op);
    switch (kind) {
    case TH_OP_REQUEST:
        TH_COUNT(router, ended[status], 1);
        op->done(op->user, status, answer);
        break;
    case TH_OP_OPEN: {
        uint64_t channel =
            atomic_load_explicit(&op->channel, memory_order_relaxed);
        TH_COUNT(router, ended[status], 1);
        if (status == THEATER_OK) {
            th_channel_open_agreed(router, channel);
        } else {
            th_channel_open_failed(router, channel);
        }
        op->opened(op->user, status,
                   (theater_channel_id_t){status == THEATER_OK ? channel : 0});
        break;
    }
    case TH_OP_SPACE:
        if (op->message != NULL) {
            th_message_drop(router, op->message);
            op->message = NULL;
            (void)th_refuse(router, status);
        }
        op->done(op->user, status, NULL);
        break;
    case TH_OP_CREDIT:
        op->done(op->user, status, NULL);
        break;
    case TH_OP_TIMED:
        th_message_drop(router, op->message);
        th_free(router->env, op->target_name);
        break;
    }
    /* After `done`: what it set off is seen before nothing seems pending. */
    TH_COUNT(router, finished, 1);
    th_op_let_go(op);
}

bool th_op_end(theater_router_t *router, uint64_t id, theater_status_t status,
               theater_answer_t *answer)
{
    struct th_op *op = th_op_find(router, id);
    if (op == NULL || !th_op_claim(op, id)) {
        theater_answer_delete(answer);
        return false;
    }
    th_op_finish(op, status, answer);
    return true;
}

theater_status_t th_op_own(theater_endpoint_t *from, uint64_t id)
{
    if (from == NULL) {
        return THEATER_OK;
    }
    return th_ids_add(from, &from->own, id, UINT32_MAX, th_op_is_alive);
}

theater_status_t theater_router_cancel(theater_router_t *router,
                                       theater_request_id_t id)
{
    return th_op_find_armed(router, id.value) != NULL &&
                   th_op_end(router, id.value, THEATER_CANCELLED, NULL)
               ? THEATER_OK
               : THEATER_INVALID_ARGUMENT;
}
