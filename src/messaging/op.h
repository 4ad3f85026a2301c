/* SPDX-License-Identifier: Apache-2.0 */
/* Operations: what is under way and ends exactly once. A request, an open, a
 * wait for space or for credit, a timed send. Type-stable; whoever wins the
 * compare-and-swap of `state` ends it.
 *
 * Who calls what: begin: the one that starts it. end: any threads at once.
 * Linearisation: end at its compare-and-swap from PENDING to ENDED.
 * Ordering:
 *   [M1] begin: store of state PENDING, release; pairs with [M2]: the fields.
 *   [M2] end: load of state, acquire, and compare-and-swap, acq_rel.
 *   [M3] waits_for and the look at the target's: sequentially consistent, in
 *        both: of two that begin to wait for each other one sees the other.
 *   [M4] begin, arm: what is looked at without a claim (kind, target, since),
 *        release; who looks: acquire, and then the state once more. Who has
 *        read a later user's sees that the state is not its own.
 *   [M5] arm: the deadline, release; who ends what it was not given to (a
 *        cancel, a link), acquire: before that its start is not over, and the
 *        id is a guess.
 * Progress: lock-free but for the walk of waits (wait.c).
 * Reclamation: the last hold puts the slot back; a generation in the state
 *   and in the id makes a stale id fail. */
#ifndef TH_MESSAGING_OP_H
#define TH_MESSAGING_OP_H

#include "messaging/endpoint.h"

enum th_op_kind {
    TH_OP_REQUEST,
    TH_OP_OPEN,
    TH_OP_SPACE,
    TH_OP_CREDIT,
    TH_OP_TIMED,
};

enum th_op_phase { TH_OP_FREE, TH_OP_PENDING, TH_OP_ENDED };

struct th_op {
    struct th_slab_item item;
    _Atomic uint64_t state;    /* generation << 32 | phase */
    _Atomic uint64_t target;   /* th_ref: who answers, who is waited for */
    _Atomic uint64_t deadline; /* now_ns */
    _Atomic uint64_t since;    /* now_ns when that was set; 0: not yet */
    _Atomic uint64_t from;     /* SPACE: th_ref of who waits; 0: no name */
    _Atomic uint64_t channel;  /* of an open or a credit wait: its id */
    _Atomic uint32_t holds;    /* who may still touch the slot */
    _Atomic uint32_t kind;     /* th_op_kind */
    _Atomic uint32_t len;      /* SPACE: of the payload */
    struct th_timer timer;
    theater_router_t *router;
    /* Read by who ends it. */
    union {
        theater_done_fn *done;
        theater_opened_fn *opened;
    };
    void *user;
    struct th_message *message;       /* SPACE, TIMED: what is to be queued */
    struct th_mpsc_node waiting_node; /* SPACE: in the target's line */
    char *target_name;                /* TIMED: after the message is queued */
    uint8_t target_len;
};

static inline uint64_t th_op_id(const struct th_op *op, uint64_t state)
{
    return (uint64_t)op->item.index | (state >> 32) << 32;
}

/* A new operation, PENDING, with one hold; its timer is not armed. On failure
 * NULL and *out_status is MAILBOX_FULL (max_pending) or OUT_OF_MEMORY. */
struct th_op *th_op_begin(theater_router_t *router, enum th_op_kind kind,
                          th_ref target, uint64_t *out_id,
                          theater_status_t *out_status);
/* Arms the deadline: `timeout_ms` from now. Returns it, in ns. */
uint64_t th_op_arm(struct th_op *op, uint64_t timeout_ms);

/* Is it pending? Threads: any. */
struct th_op *th_op_find(theater_router_t *router, uint64_t id);
/* The same for an id that may be a guess: whose start is over. */
struct th_op *th_op_find_armed(theater_router_t *router, uint64_t id);
/* Claims the end: true for exactly one caller, who must finish it. */
bool th_op_claim(struct th_op *op, uint64_t id);
/* Tells `done` and lets go of the slot. `answer` is handed over. */
void th_op_finish(struct th_op *op, theater_status_t status,
                  theater_answer_t *answer);
/* Lets go without telling: for who started it and answers by a return. */
void th_op_abandon(struct th_op *op);
/* claim and finish; false: it had ended (the answer is freed then). */
bool th_op_end(theater_router_t *router, uint64_t id, theater_status_t status,
               theater_answer_t *answer);
void th_op_let_go(struct th_op *op);

/* Registers `op` as one of `from`'s own (from may be NULL). */
theater_status_t th_op_own(theater_endpoint_t *from, uint64_t id);
/* What a start does before it tells anyone of its operation: makes it one of
 * `from`'s own and looks whether waiting for `target` closes a cycle. The
 * operation is gone unless OK. Returns: OK, DEADLOCK, OUT_OF_MEMORY. wait.c */
theater_status_t th_op_enlist(theater_endpoint_t *from, struct th_op *op,
                              uint64_t id, th_ref target);
th_id_alive th_op_is_alive;

/* `from` is about to wait for `op`: DEADLOCK if that closes a cycle. Does
 * nothing for owners that go on meanwhile. wait.c */
theater_status_t th_wait_check(theater_endpoint_t *from, uint64_t id,
                               th_ref target);

/* link.c: a name that is not registered here. As th_route_find and _push, or
 * as theater_router_request_start. */
theater_status_t th_link_send(theater_router_t *router, theater_bytes_t sender,
                              theater_bytes_t target, theater_bytes_t data);
theater_status_t th_link_request(theater_router_t *router,
                                 theater_endpoint_t *from,
                                 theater_bytes_t target, theater_bytes_t data,
                                 uint32_t timeout_ms, theater_done_fn *done,
                                 void *user, theater_request_id_t *out_id);

/* timed.c: sends what a timed operation holds; claimed by the caller. */
void th_timed_fire(struct th_op *op);
/* space.c: the owner lets those in who wait. */
void th_space_serve(theater_endpoint_t *endpoint, theater_status_t closing);
/* channel_open.c: the opening of channel `id` has ended by accept, or not. */
void th_channel_open_agreed(theater_router_t *router, uint64_t id);
void th_channel_open_failed(theater_router_t *router, uint64_t id);

#endif
