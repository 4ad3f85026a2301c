/* SPDX-License-Identifier: Apache-2.0 */
/* Design notes. A name that the registry does not know is offered to the
 * links, after permissions were checked and before the sender is told
 * not-found. Local names come first, always: the cost of a link is one load
 * where a send fails otherwise. A request over a link is an operation like any
 * other, without an endpoint that answers: so it has no edge in the graph of
 * waits, and its deadline ends it if the link does not. */
#include "messaging/op.h"

theater_status_t theater_router_add_link(theater_router_t *router,
                                         const theater_link_ops_t *ops,
                                         void *ctx)
{
    uint32_t count =
        atomic_load_explicit(&router->links_len, memory_order_relaxed);
    if (count == THEATER_LINKS_MAX || ops->size != sizeof *ops ||
        ops->resolve == NULL || ops->send == NULL) {
        return THEATER_INVALID_ARGUMENT;
    }
    router->links[count] = (struct th_link){ops, ctx};
    /* release; pairs with the acquire in th_link_find */
    atomic_store_explicit(&router->links_len, count + 1, memory_order_release);
    return THEATER_OK;
}

/* Who takes the name: OK and the link; or NOT_FOUND, UNREACHABLE. */
static theater_status_t find(theater_router_t *router, theater_bytes_t target,
                             const struct th_link **out)
{
    /* acquire; pairs with the release in theater_router_add_link */
    uint32_t count =
        atomic_load_explicit(&router->links_len, memory_order_acquire);
    theater_status_t best = THEATER_NOT_FOUND;

    for (uint32_t i = 0; i < count; i++) {
        const struct th_link *link = &router->links[i];
        theater_status_t status = link->ops->resolve(link->ctx, target);
        if (status == THEATER_OK) {
            *out = link;
            return THEATER_OK;
        }
        best = status == THEATER_UNREACHABLE ? status : best;
    }
    return best;
}

static theater_bytes_t sender_of(const theater_endpoint_t *from)
{
    return from != NULL ? th_endpoint_name(from) : (theater_bytes_t){NULL, 0};
}

theater_status_t th_link_send(theater_router_t *router, theater_bytes_t sender,
                              theater_bytes_t target, theater_bytes_t data)
{
    const struct th_link *link = NULL;
    theater_status_t status = find(router, target, &link);
    if (status == THEATER_OK) {
        status = link->ops->send(link->ctx, sender, target, data);
    }
    if (status == THEATER_OK) {
        TH_COUNT(router, linked, 1);
    }
    return status;
}

theater_status_t th_link_request(theater_router_t *router,
                                 theater_endpoint_t *from,
                                 theater_bytes_t target, theater_bytes_t data,
                                 uint32_t timeout_ms, theater_done_fn *done,
                                 void *user, theater_request_id_t *out_id)
{
    const struct th_link *link = NULL;
    uint64_t id = 0;
    theater_status_t status = find(router, target, &link);

    if (status != THEATER_OK) {
        return status;
    }
    if (link->ops->request == NULL) {
        return THEATER_UNSUPPORTED;
    }
    struct th_op *op =
        th_op_begin(router, TH_OP_REQUEST, (th_ref){0}, &id, &status);
    if (op == NULL) {
        return status;
    }
    op->done = done;
    op->user = user;
    status = th_op_own(from, id);
    if (status == THEATER_OK) {
        if (out_id != NULL) {
            *out_id = (theater_request_id_t){id};
        }
        th_op_arm(op,
                  timeout_ms != 0 ? timeout_ms : router->request_timeout_ms);
        status = link->ops->request(link->ctx, sender_of(from), target, data,
                                    (theater_request_id_t){id});
    }
    if (status == THEATER_OK || !th_op_claim(op, id)) {
        TH_COUNT(router, requests, 1);
        return THEATER_PENDING;
    }
    th_op_abandon(op);
    return status;
}

theater_status_t theater_link_answer(theater_router_t *router,
                                     theater_request_id_t id,
                                     theater_status_t status,
                                     theater_bytes_t data)
{
    struct th_op *op = th_op_find_armed(router, id.value);
    theater_answer_t *answer = NULL;

    if (status == THEATER_PENDING || (unsigned)status >= THEATER_STATUS_COUNT) {
        return THEATER_INVALID_ARGUMENT;
    }
    if (data.len > router->max_message_bytes) {
        return THEATER_TOO_LARGE;
    }
    /* [M4] of op.h: acquire, both. Only a request that no endpoint answers is a
     * link's. */
    if (op != NULL &&
        (atomic_load_explicit(&op->kind, memory_order_acquire) !=
             TH_OP_REQUEST ||
         atomic_load_explicit(&op->target, memory_order_acquire) != 0) &&
        th_op_find(router, id.value) != NULL) {
        return THEATER_INVALID_ARGUMENT;
    }
    if (op != NULL && (status == THEATER_OK || status == THEATER_FAILED)) {
        answer = th_answer_new(router->env, data);
        if (answer == NULL) {
            return THEATER_OUT_OF_MEMORY;
        }
    }
    if (op == NULL || !th_op_end(router, id.value, status, answer)) {
        TH_COUNT(router, late, 1);
        return THEATER_CLOSED;
    }
    return THEATER_OK;
}
