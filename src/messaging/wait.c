/* SPDX-License-Identifier: Apache-2.0 */
/* Design notes. Who waits for whom is a graph in which every endpoint has at
 * most one edge: `waits_for`, an operation, which knows whom it waits for. An
 * edge is void once its operation has ended, so nobody has to take it away.
 *
 * Who is about to wait puts its edge up, then looks at its target's: both
 * sequentially consistent ([M3] in op.h), so of those who close a cycle
 * together the last one sees all other edges. Only if the target waits itself
 * is the chain walked, under one lock of the router: so of two that see the
 * same cycle the second finds the first one's operation ended. The walk is made
 * twice. The same operations, all pending, both times: then they were pending
 * at one moment in between, and since none of them can end by itself but by
 * deadline the cycle was real: no false alarm. */
#include "messaging/op.h"

/* Longer chains are not followed: whoever waits on a worker for the lock would
 * be stalled by them. A longer cycle ends by its deadlines. */
enum { WALK_MAX = 4096 };

/* What that user of the slot waits for; 0 when it is another's by now: a stale
 * reference's edge does not count. */
static uint64_t edge_of(theater_endpoint_t *ep, uint16_t generation)
{
    /* [M3] seq_cst. A later user has written it after its generation, so the
     * generation is read after it. */
    uint64_t id = atomic_load_explicit(&ep->waits_for, memory_order_seq_cst);
    /* acquire: it does not move before */
    return atomic_load_explicit(&ep->generation, memory_order_acquire) ==
                   generation
               ? id
               : 0;
}

/* Follows the waits from `at`. True when they lead to `me`; *out_trace tells
 * which operations they were. */
static bool leads_to(theater_router_t *router, th_ref at, th_ref me,
                     uint64_t *out_trace)
{
    uint64_t trace = 0;

    for (unsigned step = 0; step < WALK_MAX; step++) {
        if (at.value == me.value) {
            *out_trace = trace;
            return true;
        }
        theater_endpoint_t *ep = th_ref_endpoint(router, at);
        uint64_t id = edge_of(ep, th_ref_generation(at));
        struct th_op *op = id != 0 ? th_op_find(router, id) : NULL;
        if (op == NULL) {
            return false;
        }
        /* [M4] acquire; checked again by th_op_find */
        at.value = atomic_load_explicit(&op->target, memory_order_acquire);
        if (th_op_find(router, id) == NULL) {
            return false;
        }
        trace = (trace ^ id) * UINT64_C(0x9e3779b97f4a7c15) + step;
    }
    return false;
}

theater_status_t th_wait_check(theater_endpoint_t *from, uint64_t id,
                               th_ref target)
{
    if (from == NULL || !from->waits) {
        return THEATER_OK;
    }
    theater_router_t *router = from->router;
    th_ref me = th_ref_of(from);
    if (target.value == me.value) {
        return THEATER_DEADLOCK;
    }
    /* [M3] seq_cst, both */
    atomic_store_explicit(&from->waits_for, id, memory_order_seq_cst);
    theater_endpoint_t *ep = th_ref_endpoint(router, target);
    uint64_t its = atomic_load_explicit(&ep->waits_for, memory_order_seq_cst);
    if (TH_LIKELY(its == 0 || th_op_find(router, its) == NULL)) {
        return THEATER_OK;
    }
    uint64_t first = 0;
    uint64_t second = 1;
    th_lock(router->env, &router->wait_lock);
    bool cycle = leads_to(router, target, me, &first) &&
                 leads_to(router, target, me, &second) && first == second;
    if (cycle) {
        /* Void before the next walker looks. relaxed: the lock carries it */
        atomic_store_explicit(&from->waits_for, 0, memory_order_relaxed);
    }
    th_unlock(router->env, &router->wait_lock);
    return cycle ? THEATER_DEADLOCK : THEATER_OK;
}

theater_status_t th_op_enlist(theater_endpoint_t *from, struct th_op *op,
                              uint64_t id, th_ref target)
{
    theater_status_t status = th_op_own(from, id);
    if (status == THEATER_OK) {
        status = th_wait_check(from, id, target);
    }
    if (status != THEATER_OK) {
        (void)th_op_claim(op, id);
        th_op_abandon(op);
    }
    return status;
}

/* A timed send is waited for by nobody. */
static const char *const waited_for[] = {
    [TH_OP_REQUEST] = "an answer", [TH_OP_OPEN] = "an accept",
    [TH_OP_SPACE] = "room",        [TH_OP_CREDIT] = "credit",
    [TH_OP_TIMED] = "a time",
};

bool theater_router_waits(theater_router_t *router, theater_bytes_t name,
                          theater_wait_edge_t *out)
{
    uint16_t generation;
    theater_endpoint_t *ep = th_names_find(router, name, &generation);

    if (ep == NULL) {
        return false;
    }
    *out = (theater_wait_edge_t){.self = (uint64_t)ep->item.index |
                                         (uint64_t)generation << 32};
    uint64_t id = edge_of(ep, generation);
    struct th_op *op = id != 0 ? th_op_find(router, id) : NULL;
    if (op == NULL) {
        return true;
    }
    /* [M4] acquire, all, and checked again */
    uint64_t target = atomic_load_explicit(&op->target, memory_order_acquire);
    uint32_t kind = atomic_load_explicit(&op->kind, memory_order_acquire);
    uint64_t since = atomic_load_explicit(&op->since, memory_order_acquire);
    if (th_op_find(router, id) != NULL) {
        out->target = target;
        out->what = waited_for[kind];
        out->since_ns = since != 0 ? since : th_now(router->env);
    }
    return true;
}
