/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Design notes. The host functions that may wait: each first tries the
 * router's function that never waits, or starts the operation at once where
 * there is no such (request, open-channel), and answers PENDING only if the
 * outcome is not there yet. `send` that is accepted at once does nothing
 * beside the router's own work: no allocation, no text.
 *
 * The guest's memory may be read in `begin` alone. A batch or a channel
 * message that has to be tried again after a wait is therefore copied, on
 * that slow way. Messages of a batch may overlap in the guest's memory, so both
 * what a call sends at once and what it copies have bounds of their own; a
 * batch that is larger is accepted up to there, and answers how much that was.
 *
 * A call that waits more than once has one deadline for all of its waits.
 */
#include "handlers/message_server/server.h"

#define MS_NS UINT64_C(1000000)

void th_ms_cancel(theater_call_t *call)
{
    struct th_ms *ms = call->instance;
    th_ms_wait_cancel(ms);
    th_ms_free_held(ms);
}

static void start_deadline(struct th_ms *ms)
{
    ms->deadline_ns = th_now(ms->env) + ms->send_timeout_ms * MS_NS;
}

/* What is left of it, 0 when it has passed. */
static uint32_t left_ms(const struct th_ms *ms)
{
    uint64_t now = th_now(ms->env);
    if (now >= ms->deadline_ns) {
        return 0;
    }
    return (uint32_t)((ms->deadline_ns - now + MS_NS - 1) / MS_NS);
}

/* --- send --------------------------------------------------------------- */

/* Starts to wait for room; PENDING also when the outcome is there already. */
static theater_status_t wait_for_room(struct th_ms *ms, theater_bytes_t target,
                                      theater_bytes_t data, uint32_t timeout_ms)
{
    if (timeout_ms == 0) {
        return THEATER_MAILBOX_FULL;
    }
    th_ms_wait_begin(ms);
    theater_status_t status =
        theater_router_send_start(ms->router, ms->endpoint, target, data,
                                  timeout_ms, th_ms_done, ms, &ms->wait.id);
    if (status != THEATER_PENDING) {
        th_ms_wait_refused(ms);
    }
    return status;
}

__attribute__((noinline, cold)) static theater_status_t
send_refused(theater_call_t *call, theater_status_t status)
{
    struct th_ms *ms = call->instance;
    theater_bytes_t target = call->args[0].bytes;
    if (status == THEATER_MAILBOX_FULL && ms->when_full_waits) {
        status =
            wait_for_room(ms, target, call->args[1].bytes, ms->send_timeout_ms);
        if (status == THEATER_PENDING) {
            if (!th_ms_wait_ready(ms)) {
                return THEATER_PENDING;
            }
            status = th_ms_wait_take(ms);
        }
    }
    if (status == THEATER_OK) {
        call->status = THEATER_OK;
        return THEATER_OK;
    }
    return th_ms_fail(call, status, TH_MS_SEND, target);
}

/* After so many sends the receivers have their turn, while the messages are
 * still in the core's cache: a wait whose outcome is there already. */
__attribute__((noinline, cold)) static theater_status_t
give_way(struct th_ms *ms)
{
    ms->streak = 0;
    th_ms_wait_nothing(ms);
    return THEATER_PENDING;
}

theater_status_t th_ms_send(theater_call_t *call)
{
    struct th_ms *ms = call->instance;
    theater_status_t status = theater_router_send(
        ms->router, ms->endpoint, call->args[0].bytes, call->args[1].bytes);
    if (TH_UNLIKELY(status != THEATER_OK)) {
        return send_refused(call, status);
    }
    call->status = THEATER_OK;
    return TH_LIKELY(++ms->streak < TH_MS_STREAK) ? THEATER_OK : give_way(ms);
}

theater_status_t th_ms_send_resume(theater_call_t *call)
{
    struct th_ms *ms = call->instance;
    if (!th_ms_wait_ready(ms)) {
        return THEATER_PENDING;
    }
    theater_status_t status = th_ms_wait_take(ms);
    if (status != THEATER_OK) {
        return th_ms_fail(call, status, TH_MS_SEND, (theater_bytes_t){0});
    }
    call->status = THEATER_OK;
    return THEATER_OK;
}

/* --- Copies of what is to be sent after a wait --------------------------- */

/* How many of the messages have `most` bytes together: one at least. */
static size_t within(const theater_bytes_t *messages, size_t len, size_t most)
{
    size_t count = 0, sum = 0;
    while (count < len && (count == 0 || messages[count].len <= most - sum)) {
        sum += messages[count].len;
        if (sum > most) {
            return 1; /* the first alone is larger */
        }
        count++;
    }
    return count;
}

/* One block with the messages, and `target` (may be empty). NULL: none. */
static struct th_ms_rest *rest_new(const theater_env_t *env,
                                   theater_bytes_t target,
                                   const theater_bytes_t *messages, size_t len)
{
    /* Sums cannot wrap: `within`, and the engine bounds a list's items. */
    size_t size = sizeof(struct th_ms_rest) + len * sizeof(theater_bytes_t);
    size += target.len;
    for (size_t i = 0; i < len; i++) {
        size += messages[i].len;
    }
    struct th_ms_rest *rest = th_alloc(env, size);
    if (rest == NULL) {
        return NULL;
    }
    *rest = (struct th_ms_rest){.len = len};
    rest->items = (theater_bytes_t *)(void *)(rest + 1);
    uint8_t *at = (uint8_t *)(rest->items + len);
    rest->target = (theater_bytes_t){at, target.len};
    if (target.len > 0) {
        memcpy(at, target.data, target.len);
        at += target.len;
    }
    for (size_t i = 0; i < len; i++) {
        rest->items[i] = (theater_bytes_t){at, messages[i].len};
        if (messages[i].len > 0) {
            th_copy(at, messages[i].data, messages[i].len);
            at += messages[i].len;
        }
    }
    return rest;
}

/* --- send-batch --------------------------------------------------------- */

/* The call ends: how many were accepted, or why the first was not. */
static theater_status_t end_batch(theater_call_t *call, theater_status_t status,
                                  size_t accepted, theater_bytes_t target)
{
    if (status != THEATER_OK && accepted == 0) {
        return th_ms_fail(call, status, TH_MS_SEND, target);
    }
    call->status = THEATER_OK;
    call->result.u32 = (uint32_t)accepted;
    return THEATER_OK;
}

/* Sends what is left of the batch until it has to wait or is at its end. */
static theater_status_t go_on_with_batch(theater_call_t *call)
{
    struct th_ms *ms = call->instance;
    struct th_ms_rest *rest = ms->rest;
    theater_status_t status = THEATER_OK;
    while (rest->next < rest->len) {
        size_t accepted = 0;
        status = theater_router_send_batch(
            ms->router, ms->endpoint, rest->target, rest->items + rest->next,
            rest->len - rest->next, &accepted);
        rest->next += accepted;
        if (status != THEATER_MAILBOX_FULL) {
            break;
        }
        status = wait_for_room(ms, rest->target, rest->items[rest->next],
                               left_ms(ms));
        if (status == THEATER_PENDING) {
            if (!th_ms_wait_ready(ms)) {
                return THEATER_PENDING;
            }
            status = th_ms_wait_take(ms);
        }
        if (status != THEATER_OK) {
            break;
        }
        rest->next++;
    }
    return end_batch(call, status, rest->before + rest->next, rest->target);
}

theater_status_t th_ms_send_batch(theater_call_t *call)
{
    struct th_ms *ms = call->instance;
    theater_bytes_t target = call->args[0].bytes;
    const theater_bytes_t *messages = call->args[1].list.items;
    size_t len = within(messages, call->args[1].list.len, TH_MS_BATCH_BYTES);
    size_t accepted = 0;
    theater_status_t status = theater_router_send_batch(
        ms->router, ms->endpoint, target, messages, len, &accepted);
    if (status != THEATER_MAILBOX_FULL || !ms->when_full_waits) {
        return end_batch(call, status, accepted, target);
    }
    start_deadline(ms);
    messages += accepted;
    len = within(messages, len - accepted, TH_MS_REST_BYTES);
    ms->rest = rest_new(ms->env, target, messages, len);
    if (ms->rest == NULL) {
        return end_batch(call, THEATER_OUT_OF_MEMORY, accepted, target);
    }
    ms->rest->before = accepted;
    return go_on_with_batch(call);
}

theater_status_t th_ms_send_batch_resume(theater_call_t *call)
{
    struct th_ms *ms = call->instance;
    if (!th_ms_wait_ready(ms)) {
        return THEATER_PENDING;
    }
    theater_status_t status = th_ms_wait_take(ms);
    if (status != THEATER_OK) {
        return end_batch(call, status, ms->rest->before + ms->rest->next,
                         ms->rest->target);
    }
    ms->rest->next++;
    return go_on_with_batch(call);
}

/* --- request ------------------------------------------------------------ */

/* The text of a handler's error as a message that ends with a zero. Native
 * responders may have written anything: what is no UTF-8 loses its high
 * bytes, and a zero would end it. */
static const char *error_text(struct th_ms *ms, const theater_answer_t *answer)
{
    char *text = th_alloc(ms->env, answer->len + 1);
    if (text == NULL) {
        return NULL;
    }
    bool utf8 = th_utf8_ok(answer->data, answer->len);
    for (size_t i = 0; i < answer->len; i++) {
        uint8_t byte = answer->data[i];
        bool keep = byte != 0 && (utf8 || byte < 0x80);
        text[i] = keep ? (char)byte : '?';
    }
    text[answer->len] = '\0';
    ms->memory = text;
    return text;
}

static theater_status_t end_request(theater_call_t *call,
                                    theater_bytes_t target)
{
    struct th_ms *ms = call->instance;
    theater_status_t status = th_ms_wait_take(ms);
    if (status == THEATER_OK) {
        call->status = THEATER_OK;
        call->result.bytes = (theater_bytes_t){NULL, 0};
        if (ms->answer != NULL) {
            call->result.bytes =
                (theater_bytes_t){ms->answer->data, ms->answer->len};
        }
        return THEATER_OK;
    }
    if (status == THEATER_FAILED && ms->answer != NULL) {
        call->status = THEATER_FAILED;
        call->message = error_text(ms, ms->answer);
        return THEATER_OK;
    }
    return th_ms_fail(call, status, TH_MS_REQUEST, target);
}

static theater_status_t begin_request(theater_call_t *call, uint32_t timeout_ms)
{
    struct th_ms *ms = call->instance;
    theater_bytes_t target = call->args[0].bytes;
    ms->given_ms = timeout_ms;
    th_ms_wait_begin(ms);
    theater_status_t status = theater_router_request_start(
        ms->router, ms->endpoint, target, call->args[1].bytes, timeout_ms,
        th_ms_done, ms, &ms->wait.id);
    if (TH_UNLIKELY(status != THEATER_PENDING)) {
        th_ms_wait_refused(ms);
        return th_ms_fail(call, status, TH_MS_REQUEST, target);
    }
    return th_ms_wait_ready(ms) ? end_request(call, target) : THEATER_PENDING;
}

theater_status_t th_ms_request(theater_call_t *call)
{
    const struct th_ms *ms = call->instance;
    return begin_request(call, ms->request_timeout_ms);
}

theater_status_t th_ms_request_with(theater_call_t *call)
{
    /* The router takes 0 for its own default; the guest says at most 0. */
    uint32_t timeout_ms = call->args[2].u32;
    return begin_request(call, timeout_ms > 0 ? timeout_ms : 1);
}

theater_status_t th_ms_request_resume(theater_call_t *call)
{
    if (!th_ms_wait_ready(call->instance)) {
        return THEATER_PENDING;
    }
    return end_request(call, (theater_bytes_t){0});
}

/* --- open-channel ------------------------------------------------------- */

static theater_status_t end_open(theater_call_t *call, theater_bytes_t target)
{
    struct th_ms *ms = call->instance;
    theater_status_t status = th_ms_wait_take(ms);
    if (status != THEATER_OK) {
        return th_ms_fail(call, status, TH_MS_OPEN, target);
    }
    return th_ms_answer_id(call, 'c', ms->wait.channel.value);
}

theater_status_t th_ms_open_channel(theater_call_t *call)
{
    struct th_ms *ms = call->instance;
    theater_bytes_t target = call->args[0].bytes;
    th_ms_wait_begin(ms);
    theater_status_t status = theater_channel_open_start(
        ms->endpoint, target, call->args[1].bytes, ms->request_timeout_ms,
        th_ms_opened, ms, &ms->wait.id);
    if (status != THEATER_PENDING) {
        th_ms_wait_refused(ms);
        return th_ms_fail(call, status, TH_MS_OPEN, target);
    }
    return th_ms_wait_ready(ms) ? end_open(call, target) : THEATER_PENDING;
}

theater_status_t th_ms_open_channel_resume(theater_call_t *call)
{
    if (!th_ms_wait_ready(call->instance)) {
        return THEATER_PENDING;
    }
    return end_open(call, (theater_bytes_t){0});
}

/* --- send-on-channel ----------------------------------------------------- */

static theater_status_t end_channel_send(theater_call_t *call,
                                         theater_status_t status,
                                         theater_bytes_t id)
{
    if (status != THEATER_OK) {
        return th_ms_fail(call, status, TH_MS_SEND_ON_CHANNEL, id);
    }
    call->status = THEATER_OK;
    return THEATER_OK;
}

/* Waits for credit and sends, until it is sent or refused. */
static theater_status_t go_on_with_channel(theater_call_t *call)
{
    struct th_ms *ms = call->instance;
    struct th_ms_rest *rest = ms->rest;
    theater_status_t status = THEATER_MAILBOX_FULL;
    while (status == THEATER_MAILBOX_FULL) {
        uint32_t timeout_ms = left_ms(ms);
        if (timeout_ms == 0) {
            break;
        }
        th_ms_wait_begin(ms);
        status = theater_channel_credit_start(ms->endpoint, rest->to,
                                              rest->items[0].len, timeout_ms,
                                              th_ms_done, ms, &ms->wait.id);
        if (status == THEATER_PENDING) {
            if (!th_ms_wait_ready(ms)) {
                return THEATER_PENDING;
            }
            status = th_ms_wait_take(ms);
        } else {
            th_ms_wait_refused(ms);
        }
        if (status != THEATER_OK) {
            break;
        }
        status = theater_channel_send(ms->endpoint, rest->to, rest->items[0]);
    }
    return end_channel_send(call, status, (theater_bytes_t){0});
}

theater_status_t th_ms_send_on_channel(theater_call_t *call)
{
    struct th_ms *ms = call->instance;
    theater_bytes_t text = call->args[0].bytes;
    theater_bytes_t data = call->args[1].bytes;
    theater_channel_id_t channel;
    if (!th_id_read('c', text, &channel.value)) {
        return end_channel_send(call, THEATER_INVALID_ARGUMENT, text);
    }
    theater_status_t status = theater_channel_send(ms->endpoint, channel, data);
    if (status != THEATER_MAILBOX_FULL || !ms->when_full_waits) {
        return end_channel_send(call, status, text);
    }
    start_deadline(ms);
    ms->rest = rest_new(ms->env, (theater_bytes_t){0}, &data, 1);
    if (ms->rest == NULL) {
        return end_channel_send(call, THEATER_OUT_OF_MEMORY, text);
    }
    ms->rest->to = channel;
    return go_on_with_channel(call);
}

theater_status_t th_ms_send_on_channel_resume(theater_call_t *call)
{
    struct th_ms *ms = call->instance;
    if (!th_ms_wait_ready(ms)) {
        return THEATER_PENDING;
    }
    theater_status_t status = th_ms_wait_take(ms);
    if (status == THEATER_OK) {
        status = theater_channel_send(ms->endpoint, ms->rest->to,
                                      ms->rest->items[0]);
    } else {
        return end_channel_send(call, status, (theater_bytes_t){0});
    }
    if (status != THEATER_MAILBOX_FULL) {
        return end_channel_send(call, status, (theater_bytes_t){0});
    }
    return go_on_with_channel(call);
}
