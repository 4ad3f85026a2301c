/* SPDX-License-Identifier: Apache-2.0 */
/* Design notes. A request is a message with an operation. The operation is
 * made, armed and owned before the message is queued, so an answer always
 * finds its place and never passes through a mailbox. Who answers must be the
 * one whose mailbox the request went to, and must have received it: the
 * current one, or one that it has deferred. */
#include "messaging/op.h"

/* Operation and message; then the queue. The message is given on PENDING. */
static theater_status_t start(theater_router_t *router,
                              theater_endpoint_t *from, theater_bytes_t target,
                              struct th_route *route,
                              struct th_message *message, uint32_t timeout_ms,
                              theater_done_fn *done, void *user,
                              theater_request_id_t *out_id)
{
    theater_status_t status = THEATER_OK;
    uint64_t id = 0;
    th_ref to = {route->endpoint->item.index | (uint64_t)route->generation
                                                   << 32};
    struct th_op *op = th_op_begin(router, TH_OP_REQUEST, to, &id, &status);

    if (op == NULL) {
        return status;
    }
    struct th_asks *asks = th_message_asks(message);
    asks->op = id;
    message->id = id;
    op->done = done;
    op->user = user;
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
        th_message_drop(router, message);
        TH_COUNT(router, requests, 1);
        return THEATER_PENDING;
    }
    th_op_abandon(op);
    return status;
}

theater_status_t
theater_router_request_start(theater_router_t *router, theater_endpoint_t *from,
                             theater_bytes_t target, theater_bytes_t data,
                             uint32_t timeout_ms, theater_done_fn *done,
                             void *user, theater_request_id_t *out_id)
{
    struct th_route route;
    struct th_message *message = NULL;
    theater_status_t status = th_route_find(
        router, from, target, THEATER_ACCEPT_REQUESTS, data.len, &route);

    if (status == THEATER_OK) {
        status = th_message_make(router, from, THEATER_MESSAGE_REQUEST, data,
                                 NULL, &message);
    }
    if (status == THEATER_NOT_FOUND) {
        status = th_link_request(router, from, target, data, timeout_ms, done,
                                 user, out_id);
        return status == THEATER_PENDING ? status : th_refuse(router, status);
    }
    if (status != THEATER_OK) {
        return th_refuse(router, status);
    }
    status = start(router, from, target, &route, message, timeout_ms, done,
                   user, out_id);
    if (TH_UNLIKELY(status == THEATER_CLOSED)) {
        /* The remembered target is gone: whom does the name mean now? */
        status = th_route_again(router, from, target, THEATER_ACCEPT_REQUESTS,
                                &route);
        if (status == THEATER_OK) {
            status = start(router, from, target, &route, message, timeout_ms,
                           done, user, out_id);
        }
        status = status == THEATER_CLOSED ? THEATER_NOT_FOUND : status;
    }
    if (status != THEATER_PENDING) {
        th_message_drop(router, message);
        return th_refuse(router, status);
    }
    return THEATER_PENDING;
}

/* --- Answering ----------------------------------------------------------- */

/* The operation of a received request that is not answered yet; 0. */
static bool is_current(const theater_endpoint_t *ep, uint64_t id)
{
    return ep->current != NULL && !ep->answered &&
           ep->current->kind == THEATER_MESSAGE_REQUEST &&
           ep->current->id == id;
}

/* Takes it off the endpoint's books. False: not received, or answered. */
static bool take_request(theater_endpoint_t *ep, uint64_t id)
{
    if (is_current(ep, id)) {
        ep->answered = true;
        return true;
    }
    return th_ids_remove(&ep->deferred, id);
}

static bool has_request(theater_endpoint_t *ep, uint64_t id)
{
    return id != 0 && (is_current(ep, id) || th_ids_has(&ep->deferred, id));
}

static theater_status_t answer(theater_endpoint_t *ep, uint64_t id,
                               theater_status_t with, theater_bytes_t data)
{
    theater_router_t *router = ep->router;

    if (!has_request(ep, id)) {
        if (ep->current == NULL || id == 0 || ep->current->id != id ||
            ep->current->kind != THEATER_MESSAGE_REQUEST) {
            return THEATER_INVALID_ARGUMENT;
        }
        TH_COUNT(router, late, 1); /* the one being handled, a second time */
        return THEATER_CLOSED;
    }
    if (data.len > router->max_message_bytes) {
        return THEATER_TOO_LARGE;
    }
    if (th_op_find(router, id) != NULL) {
        theater_answer_t *copy = NULL;
        if (with != THEATER_CANCELLED) {
            copy = th_answer_new(router->env, data);
            if (copy == NULL) {
                return THEATER_OUT_OF_MEMORY;
            }
        }
        (void)take_request(ep, id);
        if (th_op_end(router, id, with, copy)) {
            return THEATER_OK;
        }
    } else {
        (void)take_request(ep, id);
    }
    TH_COUNT(router, late, 1);
    return THEATER_CLOSED;
}

theater_status_t theater_endpoint_respond(theater_endpoint_t *endpoint,
                                          theater_request_id_t id,
                                          theater_bytes_t data)
{
    return answer(endpoint, id.value, THEATER_OK, data);
}

theater_status_t theater_endpoint_fail(theater_endpoint_t *endpoint,
                                       theater_request_id_t id,
                                       theater_bytes_t text)
{
    return answer(endpoint, id.value, THEATER_FAILED, text);
}

theater_status_t theater_endpoint_cancel_request(theater_endpoint_t *endpoint,
                                                 theater_request_id_t id)
{
    return answer(endpoint, id.value, THEATER_CANCELLED,
                  (theater_bytes_t){NULL, 0});
}

theater_status_t theater_endpoint_defer(theater_endpoint_t *endpoint,
                                        theater_request_id_t *out_id)
{
    struct th_message *current = endpoint->current;

    if (current == NULL || endpoint->answered ||
        current->kind != THEATER_MESSAGE_REQUEST ||
        th_op_find(endpoint->router, current->id) == NULL) {
        return THEATER_INVALID_ARGUMENT;
    }
    theater_status_t status =
        th_ids_add(endpoint, &endpoint->deferred, current->id,
                   endpoint->max_requests, th_op_is_alive);
    if (status == THEATER_OK) {
        endpoint->answered = true;
        *out_id = (theater_request_id_t){current->id};
    }
    return status;
}

size_t theater_endpoint_outstanding(theater_endpoint_t *endpoint,
                                    theater_request_id_t *out_ids, size_t max)
{
    size_t count = 0;
    struct th_message *current = endpoint->current;

    th_ids_sweep(endpoint, &endpoint->deferred, th_op_is_alive);
    for (uint32_t i = 0; i < endpoint->deferred.len; i++, count++) {
        if (count < max) {
            out_ids[count].value = endpoint->deferred.items[i];
        }
    }
    if (current != NULL && is_current(endpoint, current->id) &&
        th_op_find(endpoint->router, current->id) != NULL) {
        if (count < max) {
            out_ids[count].value = current->id;
        }
        count++;
    }
    return count;
}
