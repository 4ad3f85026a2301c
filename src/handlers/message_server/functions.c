/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Design notes. The host functions of message-server that never wait, and the
 * table of all. Each translates: ids from and to text, the router's status
 * into the guest's error. What a result borrows stays with the instance until
 * `release`; functions whose results borrow nothing have none, so that the
 * engine saves the call.
 */
#include "handlers/message_server/server.h"

void th_ms_free_held(struct th_ms *ms)
{
    if (ms->answer != NULL) {
        theater_answer_delete(ms->answer);
        ms->answer = NULL;
    }
    if (ms->memory != NULL) {
        th_free(ms->env, ms->memory);
        ms->memory = NULL;
    }
    if (ms->rest != NULL) {
        th_free(ms->env, ms->rest);
        ms->rest = NULL;
    }
}

void th_ms_release(theater_call_t *call)
{
    th_ms_free_held(call->instance);
}

theater_status_t th_ms_answer_id(theater_call_t *call, char kind,
                                 uint64_t value)
{
    struct th_ms *ms = call->instance;
    th_id_write(kind, value, ms->id_text);
    call->status = THEATER_OK;
    call->result.bytes =
        (theater_bytes_t){(const uint8_t *)ms->id_text, TH_ID_TEXT};
    return THEATER_OK;
}

/* --- One-way ------------------------------------------------------------ */

static theater_status_t broadcast(theater_call_t *call)
{
    struct th_ms *ms = call->instance;
    size_t len = call->args[0].list.len;
    call->status = THEATER_OK;
    call->result.codes.items = NULL;
    call->result.codes.len = 0;
    if (len == 0) {
        return THEATER_OK;
    }
    /* Without memory: nothing is sent, and the answer is the empty list. */
    uint8_t *codes = th_alloc(ms->env, len);
    if (codes == NULL) {
        return THEATER_OK;
    }
    theater_status_t status = theater_router_broadcast(
        ms->router, ms->endpoint, call->args[0].list.items, len,
        call->args[1].bytes, codes);
    if (status != THEATER_OK) {
        memset(codes, (int)th_ms_guest_status(status), len);
    } else {
        for (size_t i = 0; i < len; i++) {
            if (codes[i] > THEATER_UNREACHABLE) {
                codes[i] =
                    (uint8_t)th_ms_guest_status((theater_status_t)codes[i]);
            }
        }
    }
    ms->memory = codes;
    call->result.codes.items = codes;
    call->result.codes.len = len;
    return THEATER_OK;
}

static theater_status_t send_after(theater_call_t *call)
{
    struct th_ms *ms = call->instance;
    theater_timer_id_t id;
    theater_status_t status =
        theater_router_send_after(ms->router, ms->endpoint, call->args[0].bytes,
                                  call->args[1].bytes, call->args[2].u32, &id);
    if (status != THEATER_OK) {
        return th_ms_fail(call, status, TH_MS_SEND_LATER, call->args[0].bytes);
    }
    return th_ms_answer_id(call, 't', id.value);
}

static theater_status_t cancel_send(theater_call_t *call)
{
    struct th_ms *ms = call->instance;
    theater_timer_id_t id;
    theater_status_t status = THEATER_INVALID_ARGUMENT;
    if (th_id_read('t', call->args[0].bytes, &id.value)) {
        status = theater_router_cancel_send(ms->endpoint, id);
    }
    if (status != THEATER_OK) {
        return th_ms_fail(call, status, TH_MS_CANCEL_SEND, call->args[0].bytes);
    }
    call->status = THEATER_OK;
    return THEATER_OK;
}

/* --- Requests ----------------------------------------------------------- */

static theater_status_t defer_response(theater_call_t *call)
{
    struct th_ms *ms = call->instance;
    theater_request_id_t id;
    theater_status_t status = theater_endpoint_defer(ms->endpoint, &id);
    if (status != THEATER_OK) {
        return th_ms_fail(call, status, TH_MS_DEFER, (theater_bytes_t){0});
    }
    ms->deferred = true;
    return th_ms_answer_id(call, 'r', id.value);
}

static theater_status_t list_outstanding_requests(theater_call_t *call)
{
    struct th_ms *ms = call->instance;
    call->status = THEATER_OK;
    call->result.list.items = NULL;
    call->result.list.len = 0;
    size_t room = theater_endpoint_outstanding(ms->endpoint, NULL, 0);
    if (room == 0) {
        return THEATER_OK;
    }
    /* In one block: the items, the ids, their texts. Without memory the list
     * is empty; there is no error to answer. */
    theater_bytes_t *items =
        th_alloc(ms->env, room * (sizeof(theater_bytes_t) +
                                  sizeof(theater_request_id_t) + TH_ID_TEXT));
    if (items == NULL) {
        return THEATER_OK;
    }
    theater_request_id_t *ids = (theater_request_id_t *)(void *)(items + room);
    char *text = (char *)(ids + room);
    size_t len = theater_endpoint_outstanding(ms->endpoint, ids, room);
    len = len < room ? len : room;
    for (size_t i = 0; i < len; i++) {
        th_id_write('r', ids[i].value, text);
        items[i] = (theater_bytes_t){(const uint8_t *)text, TH_ID_TEXT};
        text += TH_ID_TEXT;
    }
    ms->memory = items;
    call->result.list.items = items;
    call->result.list.len = len;
    return THEATER_OK;
}

static theater_status_t respond_to_request(theater_call_t *call)
{
    struct th_ms *ms = call->instance;
    theater_request_id_t id;
    theater_status_t status = THEATER_INVALID_ARGUMENT;
    if (th_id_read('r', call->args[0].bytes, &id.value)) {
        status =
            theater_endpoint_respond(ms->endpoint, id, call->args[1].bytes);
    }
    if (status != THEATER_OK) {
        return th_ms_fail(call, status, TH_MS_RESPOND, call->args[0].bytes);
    }
    call->status = THEATER_OK;
    return THEATER_OK;
}

static theater_status_t cancel_request(theater_call_t *call)
{
    struct th_ms *ms = call->instance;
    theater_request_id_t id;
    theater_status_t status = THEATER_INVALID_ARGUMENT;
    if (th_id_read('r', call->args[0].bytes, &id.value)) {
        status = theater_endpoint_cancel_request(ms->endpoint, id);
    }
    if (status != THEATER_OK) {
        return th_ms_fail(call, status, TH_MS_CANCEL_REQUEST,
                          call->args[0].bytes);
    }
    call->status = THEATER_OK;
    return THEATER_OK;
}

/* --- Channels ----------------------------------------------------------- */

static theater_status_t close_channel(theater_call_t *call)
{
    struct th_ms *ms = call->instance;
    theater_channel_id_t id;
    theater_status_t status = THEATER_INVALID_ARGUMENT;
    if (th_id_read('c', call->args[0].bytes, &id.value)) {
        status = theater_channel_close(ms->endpoint, id, THEATER_OK);
    }
    if (status != THEATER_OK) {
        return th_ms_fail(call, status, TH_MS_CLOSE_CHANNEL,
                          call->args[0].bytes);
    }
    call->status = THEATER_OK;
    return THEATER_OK;
}

/* --- What is being handled ---------------------------------------------- */

static theater_status_t current_channel(theater_call_t *call)
{
    struct th_ms *ms = call->instance;
    const theater_message_t *message = ms->current;
    call->result.bytes = (theater_bytes_t){NULL, 0};
    call->status = THEATER_OK;
    if (message != NULL && message->kind >= THEATER_MESSAGE_CHANNEL_OPEN) {
        return th_ms_answer_id(call, 'c', message->channel.value);
    }
    return THEATER_OK;
}

static theater_status_t close_reason(theater_call_t *call)
{
    struct th_ms *ms = call->instance;
    const theater_message_t *message = ms->current;
    call->status = THEATER_OK;
    call->message = NULL;
    if (message != NULL && message->kind == THEATER_MESSAGE_CHANNEL_CLOSE) {
        theater_status_t reason = (theater_status_t)message->reason;
        call->status = th_ms_guest_status(reason);
        call->message = th_ms_close_text(reason);
    }
    return THEATER_OK;
}

static theater_status_t sender(theater_call_t *call)
{
    struct th_ms *ms = call->instance;
    call->status = THEATER_OK;
    call->result.bytes =
        ms->current != NULL ? ms->current->sender : (theater_bytes_t){NULL, 0};
    return THEATER_OK;
}

/* --- The table ---------------------------------------------------------- */

#define INTERFACE "theater:actor/message-server@0.1.0"
#define P1(a) {THEATER_TYPE_##a}
#define P2(a, b) {THEATER_TYPE_##a, THEATER_TYPE_##b}
#define P3(a, b, c) {THEATER_TYPE_##a, THEATER_TYPE_##b, THEATER_TYPE_##c}
#define R(a) THEATER_TYPE_##a

/* In the order of wit/actor.wit. */
const theater_host_function_t th_ms_functions[TH_MS_FUNCTIONS] = {
    {INTERFACE, "send", P2(STRING, BYTES), R(RESULT_NONE), th_ms_send,
     th_ms_send_resume, th_ms_cancel, NULL},
    {INTERFACE, "send-batch", P2(STRING, BYTES_LIST), R(RESULT_U32),
     th_ms_send_batch, th_ms_send_batch_resume, th_ms_cancel, th_ms_release},
    {INTERFACE, "broadcast", P2(STRING_LIST, BYTES), R(CODE_LIST), broadcast,
     NULL, NULL, th_ms_release},
    {INTERFACE, "send-after", P3(STRING, BYTES, U32), R(RESULT_STRING),
     send_after, NULL, NULL, NULL},
    {INTERFACE, "cancel-send", P1(STRING), R(RESULT_NONE), cancel_send, NULL,
     NULL, NULL},
    {INTERFACE, "request", P2(STRING, BYTES), R(RESULT_BYTES), th_ms_request,
     th_ms_request_resume, th_ms_cancel, th_ms_release},
    {INTERFACE, "request-with", P3(STRING, BYTES, U32), R(RESULT_BYTES),
     th_ms_request_with, th_ms_request_resume, th_ms_cancel, th_ms_release},
    {INTERFACE, "defer-response", P1(NONE), R(RESULT_STRING), defer_response,
     NULL, NULL, NULL},
    {INTERFACE, "list-outstanding-requests", P1(NONE), R(STRING_LIST),
     list_outstanding_requests, NULL, NULL, th_ms_release},
    {INTERFACE, "respond-to-request", P2(STRING, BYTES), R(RESULT_NONE),
     respond_to_request, NULL, NULL, NULL},
    {INTERFACE, "cancel-request", P1(STRING), R(RESULT_NONE), cancel_request,
     NULL, NULL, NULL},
    {INTERFACE, "open-channel", P2(STRING, BYTES), R(RESULT_STRING),
     th_ms_open_channel, th_ms_open_channel_resume, th_ms_cancel,
     th_ms_release},
    {INTERFACE, "send-on-channel", P2(STRING, BYTES), R(RESULT_NONE),
     th_ms_send_on_channel, th_ms_send_on_channel_resume, th_ms_cancel,
     th_ms_release},
    {INTERFACE, "close-channel", P1(STRING), R(RESULT_NONE), close_channel,
     NULL, NULL, NULL},
    {INTERFACE, "current-channel", P1(NONE), R(OPTION_STRING), current_channel,
     NULL, NULL, NULL},
    {INTERFACE, "close-reason", P1(NONE), R(OPTION_ERROR), close_reason, NULL,
     NULL, NULL},
    {INTERFACE, "sender", P1(NONE), R(OPTION_STRING), sender, NULL, NULL, NULL},
};
