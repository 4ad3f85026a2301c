/* SPDX-License-Identifier: Apache-2.0 */
/* Design notes. A timed send is an operation that holds the message. When its
 * time comes, whoever advances the router queues it; what can't be queued is
 * accepted and a dead letter in one. It belongs to its sender: when that ends,
 * it is cancelled. Permissions were checked when it was started. */
#include "messaging/op.h"

static theater_status_t may_send(theater_router_t *router,
                                 theater_endpoint_t *from,
                                 theater_bytes_t target, size_t len)
{
    if (th_phase(router) != TH_PHASE_OPEN &&
        (th_phase(router) == TH_PHASE_CLOSED || from->current == NULL)) {
        return THEATER_SHUTTING_DOWN;
    }
    if (target.data == NULL ||
        !th_name_ok((const char *)target.data, target.len)) {
        return THEATER_INVALID_ARGUMENT;
    }
    if (len > router->max_message_bytes) {
        return THEATER_TOO_LARGE;
    }
    if (!th_permissions_allow(from->permissions, THEATER_ACCEPT_SENDS,
                              target)) {
        return THEATER_DENIED;
    }
    return THEATER_OK;
}

static theater_status_t start(theater_endpoint_t *from, char *name,
                              uint8_t name_len, struct th_message *message,
                              uint32_t delay_ms, uint64_t *out_id)
{
    theater_router_t *router = from->router;
    theater_status_t status = THEATER_OK;
    struct th_op *op =
        th_op_begin(router, TH_OP_TIMED, (th_ref){0}, out_id, &status);
    if (op == NULL) {
        return status;
    }
    status = th_ids_add(from, &from->timers, *out_id, from->max_timers,
                        th_op_is_alive);
    if (status != THEATER_OK) {
        (void)th_op_claim(op, *out_id);
        th_op_abandon(op);
        return status;
    }
    op->message = message;
    op->target_name = name;
    op->target_len = name_len;
    th_op_arm(op, delay_ms);
    return THEATER_OK;
}

theater_status_t
theater_router_send_after(theater_router_t *router, theater_endpoint_t *from,
                          theater_bytes_t target, theater_bytes_t data,
                          uint32_t delay_ms, theater_timer_id_t *out_id)
{
    struct th_message *message = NULL;
    uint64_t id = 0;
    if (from == NULL) {
        return THEATER_INVALID_ARGUMENT;
    }
    theater_status_t status = may_send(router, from, target, data.len);
    if (status != THEATER_OK) {
        return th_refuse(router, status);
    }
    char *name = th_strndup(router->env, (const char *)target.data, target.len);
    status = name == NULL ? THEATER_OUT_OF_MEMORY
                          : th_message_make(router, from, THEATER_MESSAGE_SEND,
                                            data, NULL, &message);
    if (status == THEATER_OK) {
        status = start(from, name, (uint8_t)target.len, message, delay_ms, &id);
        if (status != THEATER_OK) {
            th_message_drop(router, message);
        }
    }
    if (status != THEATER_OK) {
        th_free(router->env, name);
        return th_refuse(router, status);
    }
    *out_id = (theater_timer_id_t){id};
    return THEATER_OK;
}

theater_status_t theater_router_cancel_send(theater_endpoint_t *from,
                                            theater_timer_id_t id)
{
    bool ours = th_ids_remove(&from->timers, id.value);
    return ours && th_op_end(from->router, id.value, THEATER_CANCELLED, NULL)
               ? THEATER_OK
               : THEATER_INVALID_ARGUMENT;
}

void th_timed_fire(struct th_op *op)
{
    theater_router_t *router = op->router;
    struct th_message *message = op->message;
    theater_bytes_t target = {(const uint8_t *)op->target_name, op->target_len};
    struct th_route route;
    theater_status_t status = THEATER_SHUTTING_DOWN;

    if (th_phase(router) != TH_PHASE_CLOSED) {
        status =
            th_route_again(router, NULL, target, THEATER_ACCEPT_SENDS, &route);
    }
    if (status == THEATER_OK) {
        status = th_send_message(router, NULL, target, THEATER_ACCEPT_SENDS,
                                 &route, message);
    }
    if (status == THEATER_NOT_FOUND) {
        status = th_link_send(router, th_message_sender(message), target,
                              th_message_data(message));
        if (status == THEATER_OK) {
            th_message_drop(router, message);
        }
    }
    if (status != THEATER_OK) {
        TH_COUNT(router, accepted, 1);
        th_dead_letter(router, message, target, status);
    }
    th_free(router->env, op->target_name);
    th_op_abandon(op);
}
