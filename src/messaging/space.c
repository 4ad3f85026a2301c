/* SPDX-License-Identifier: Apache-2.0 */
/* Design notes. Waiting for space in a full mailbox: first in, first out,
 * before newcomers. An operation that holds the message stands in the
 * mailbox's line, a second queue. The owner, whenever it has given space back,
 * moves messages from the head of the line into the mailbox on behalf of those
 * who wait, so nobody can be overtaken and a wake-up can't be lost.
 *
 * Who joins the line: takes two counts on `waiting_word` (one for the place in
 * the line, one for itself), queues, sets the mark TH_BOX_WAITERS in the
 * bounded word, and looks at what that word was: empty means that the owner may
 * be asleep, so it is woken; not empty means that the owner will give space
 * back later and see the mark then. That is the "check once more". The own
 * count goes back last, so that the owner can't end in between.
 * Ordering: the mark's fetch_or and the owner's subtraction are on one word:
 * one comes first. [S1] fetch_or, acq_rel; pairs with [M3] in mailbox.h.
 * A place whose operation has ended otherwise (deadline, cancelled) stays in
 * the line until the owner passes it; it holds the operation's slot. */
#include "messaging/op.h"

/* Places that an owner which waits for one thing at a time may have in lines,
 * ended ones included: whoever waits again and again, each time for a moment,
 * at an owner that does not come by, would collect the router's operations. It
 * is refused at once then. */
enum { PLACES_MAX = 64 };

static bool take_place(theater_endpoint_t *from, struct th_op *op)
{
    if (from == NULL || !from->waits) {
        return true; /* a program, that may have many under way */
    }
    /* relaxed, all: a count; it orders nothing. Only the owner adds. */
    if ((uint16_t)atomic_load_explicit(&from->places, memory_order_relaxed) >=
        PLACES_MAX) {
        return false;
    }
    atomic_fetch_add_explicit(&from->places, 1, memory_order_relaxed);
    atomic_store_explicit(&op->from, th_ref_of(from).value,
                          memory_order_relaxed);
    return true;
}

/* The place is given up, once; its sender may be gone, or another by now. */
static void give_place(struct th_op *op)
{
    /* relaxed, all: as above */
    th_ref from = {atomic_load_explicit(&op->from, memory_order_relaxed)};
    if (from.value == 0) {
        return;
    }
    theater_endpoint_t *ep = th_ref_endpoint(op->router, from);
    uint32_t places = atomic_load_explicit(&ep->places, memory_order_relaxed);
    while (places >> TH_PLACES_GENERATION_SHIFT == th_ref_generation(from) &&
           !atomic_compare_exchange_weak_explicit(
               &ep->places, &places, places - 1, memory_order_relaxed,
               memory_order_relaxed)) {
    }
}

/* Two counts on the line: OK or CLOSED. */
static bool join(theater_endpoint_t *ep, uint16_t generation)
{
    /* relaxed: the exchange decides */
    uint64_t word =
        atomic_load_explicit(&ep->waiting_word, memory_order_relaxed);
    do {
        if (!th_box_is(word, generation)) {
            return false;
        }
        /* acq_rel; as [M1] of the mailbox */
    } while (!atomic_compare_exchange_weak_explicit(
        &ep->waiting_word, &word, word + 2, memory_order_acq_rel,
        memory_order_relaxed));
    return true;
}

static void leave(theater_endpoint_t *ep)
{
    /* release; pairs with the acquire in drain (endpoint.c) */
    atomic_fetch_sub_explicit(&ep->waiting_word, 1, memory_order_release);
}

/* Queues the operation behind those who wait already. */
static bool stand_in_line(const struct th_route *route, struct th_op *op)
{
    theater_endpoint_t *ep = route->endpoint;

    if (!join(ep, route->generation)) {
        return false;
    }
    th_mpsc_push(&ep->waiting, &op->waiting_node);
    /* [S1] acq_rel */
    uint64_t was = atomic_fetch_or_explicit(&ep->box.bounded, TH_BOX_WAITERS,
                                            memory_order_acq_rel);
    if (th_box_count(was) == 0) {
        th_endpoint_wake(ep);
    }
    leave(ep);
    return true;
}

static theater_status_t
start_waiting(theater_router_t *router, theater_endpoint_t *from,
              const struct th_route *route, struct th_message *message,
              uint32_t timeout_ms, theater_done_fn *done, void *user,
              theater_request_id_t *out_id)
{
    theater_status_t status = THEATER_OK;
    uint64_t id = 0;
    th_ref target = {route->endpoint->item.index | (uint64_t)route->generation
                                                       << 32};
    struct th_op *op = th_op_begin(router, TH_OP_SPACE, target, &id, &status);

    if (op == NULL) {
        return status;
    }
    status = th_op_enlist(from, op, id, target);
    if (status != THEATER_OK) {
        return status == THEATER_DEADLOCK ? THEATER_MAILBOX_FULL : status;
    }
    if (!take_place(from, op)) {
        (void)th_op_claim(op, id);
        th_op_abandon(op);
        return THEATER_MAILBOX_FULL;
    }
    op->done = done;
    op->user = user;
    op->message = message;
    /* relaxed, both: the line publishes them. One hold for the line. */
    atomic_store_explicit(&op->len, message->len, memory_order_relaxed);
    atomic_store_explicit(&op->holds, 2, memory_order_relaxed);
    if (out_id != NULL) {
        *out_id = (theater_request_id_t){id};
    }
    th_op_arm(op, timeout_ms);
    if (!stand_in_line(route, op)) {
        bool mine = th_op_claim(op, id);
        give_place(op);
        if (mine) {
            op->message = NULL;
            th_op_abandon(op);
        }
        th_op_let_go(op); /* the line's */
        return mine ? THEATER_CLOSED : THEATER_PENDING;
    }
    return THEATER_PENDING;
}

theater_status_t
theater_router_send_start(theater_router_t *router, theater_endpoint_t *from,
                          theater_bytes_t target, theater_bytes_t data,
                          uint32_t timeout_ms, theater_done_fn *done,
                          void *user, theater_request_id_t *out_id)
{
    struct th_route route;
    struct th_message *message = NULL;
    theater_status_t status = th_route_find(
        router, from, target, THEATER_ACCEPT_SENDS, data.len, &route);

    if (status == THEATER_OK) {
        status = th_message_make(router, from, THEATER_MESSAGE_SEND, data, NULL,
                                 &message);
    }
    if (status != THEATER_OK) {
        return th_send_refused(router, from, target, data, status);
    }
    for (unsigned tries = 0; tries < 2; tries++) {
        status = th_send_message(router, from, target, THEATER_ACCEPT_SENDS,
                                 &route, message);
        if (status != THEATER_MAILBOX_FULL) {
            break;
        }
        status = start_waiting(router, from, &route, message, timeout_ms, done,
                               user, out_id);
        if (status != THEATER_CLOSED) {
            break;
        }
        status = THEATER_NOT_FOUND; /* gone: looked up once more */
    }
    if (status != THEATER_OK && status != THEATER_PENDING) {
        th_message_drop(router, message);
        return th_send_refused(router, from, target, data, status);
    }
    return status;
}

/* The first place in the line that still wants something; NULL. */
static struct th_op *first_in_line(theater_endpoint_t *ep)
{
    struct th_mpsc_node *node = NULL;

    for (;;) {
        struct th_op *op = ep->waiting_head;
        if (op == NULL) {
            if (th_mpsc_pop(&ep->waiting, &node) != TH_MPSC_OK) {
                return NULL;
            }
            op = TH_CONTAINER_OF(node, struct th_op, waiting_node);
            ep->waiting_head = op;
        }
        /* acquire; pairs with the claim of who ended it */
        uint64_t state = atomic_load_explicit(&op->state, memory_order_acquire);
        if ((uint32_t)state == TH_OP_PENDING) {
            return op;
        }
        ep->waiting_head = NULL;
        give_place(op);
        th_op_let_go(op);
        leave(ep);
    }
}

/* Moves the message of the first in line into the mailbox. False: no space. */
static bool let_in(theater_endpoint_t *ep, struct th_op *op)
{
    theater_router_t *router = ep->router;
    /* relaxed, both: the line holds the slot, and the queue brought them */
    uint64_t state = atomic_load_explicit(&op->state, memory_order_relaxed);
    uint32_t len = atomic_load_explicit(&op->len, memory_order_relaxed);
    enum th_reserve reserved = th_mailbox_reserve(
        &ep->box, th_ref_generation(th_ref_of(ep)), len, true);

    if (reserved > TH_RESERVE_OK) {
        return false;
    }
    if (!th_op_claim(op, th_op_id(op, state))) {
        /* It ended just now. Nobody sleeps on the space: the owner is here. */
        (void)th_mailbox_release(&ep->box, 1, len);
        return true;
    }
    struct th_message *message = op->message;
    op->message = NULL;
    TH_COUNT(router, accepted, 1);
    th_mailbox_push(&ep->box, message);
    th_op_finish(op, THEATER_OK, NULL);
    return true;
}

void th_space_serve(theater_endpoint_t *ep, theater_status_t closing)
{
    for (;;) {
        struct th_op *op = first_in_line(ep);
        if (op == NULL) {
            /* acq_rel; [S1]: who sets the mark after this wakes or is seen */
            uint64_t was = atomic_fetch_and_explicit(
                &ep->box.bounded, ~TH_BOX_WAITERS, memory_order_acq_rel);
            op = (was & TH_BOX_WAITERS) != 0 ? first_in_line(ep) : NULL;
            if (op == NULL) {
                return;
            }
            atomic_fetch_or_explicit(&ep->box.bounded, TH_BOX_WAITERS,
                                     memory_order_acq_rel);
        }
        if (closing != THEATER_OK) {
            (void)th_op_end(ep->router,
                            th_op_id(op, atomic_load_explicit(
                                             &op->state, memory_order_relaxed)),
                            THEATER_CLOSED, NULL);
        } else if (!let_in(ep, op)) {
            return;
        }
    }
}
