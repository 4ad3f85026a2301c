/* SPDX-License-Identifier: Apache-2.0 */
/* Design notes. One allocation per message: the sender's name is copied into
 * it, since names are short and a reference would cost two atomic operations
 * on a line that every message of that sender shares. */
#include "messaging/message.h"

#include <theater/router.h>

struct th_answer {
    theater_answer_t pub;
    const theater_env_t *env;
    uint8_t data[];
};

struct th_message *th_message_new(const theater_env_t *env, uint8_t kind,
                                  theater_bytes_t sender, theater_bytes_t data,
                                  struct th_body *body)
{
    size_t inline_len = body == NULL ? data.len : 0;
    struct th_message *message =
        th_alloc(env, sizeof *message + inline_len + sender.len);
    if (TH_UNLIKELY(message == NULL)) {
        return NULL;
    }
    message->body = body;
    message->op = 0;
    message->charge = 0;
    message->flags = 0;
    message->view.kind = kind;
    message->view.reason = THEATER_OK;
    message->view.id = 0;
    if (body != NULL) {
        /* relaxed: the caller holds a reference already */
        atomic_fetch_add_explicit(&body->refs, 1, memory_order_relaxed);
        message->view.data = (theater_bytes_t){body->data, body->len};
    } else {
        if (data.len != 0) {
            memcpy(message->bytes, data.data, data.len);
        }
        message->view.data = (theater_bytes_t){message->bytes, data.len};
    }
    message->view.sender = (theater_bytes_t){NULL, 0};
    if (sender.data != NULL) {
        memcpy(message->bytes + inline_len, sender.data, sender.len);
        message->view.sender =
            (theater_bytes_t){message->bytes + inline_len, sender.len};
    }
    return message;
}

void th_message_free(const theater_env_t *env, struct th_message *message)
{
    if (message == NULL) {
        return;
    }
    if (TH_UNLIKELY(message->body != NULL)) {
        th_body_release(env, message->body);
    }
    th_free(env, message);
}

struct th_body *th_body_new(const theater_env_t *env, theater_bytes_t data)
{
    struct th_body *body = th_alloc(env, sizeof *body + data.len);
    if (body == NULL) {
        return NULL;
    }
    atomic_init(&body->refs, 1);
    body->len = (uint32_t)data.len;
    if (data.len != 0) {
        memcpy(body->data, data.data, data.len);
    }
    return body;
}

void th_body_release(const theater_env_t *env, struct th_body *body)
{
    /* acq_rel; pairs with itself: who frees has seen all other uses end */
    if (atomic_fetch_sub_explicit(&body->refs, 1, memory_order_acq_rel) == 1) {
        th_free(env, body);
    }
}

theater_answer_t *th_answer_new(const theater_env_t *env, theater_bytes_t data)
{
    struct th_answer *answer = th_alloc(env, sizeof *answer + data.len + 1);
    if (answer == NULL) {
        return NULL;
    }
    answer->env = env;
    answer->pub.data = answer->data;
    answer->pub.len = data.len;
    if (data.len != 0) {
        memcpy(answer->data, data.data, data.len);
    }
    answer->data[data.len] = 0;
    return &answer->pub;
}

void theater_answer_delete(theater_answer_t *answer)
{
    if (answer != NULL) {
        struct th_answer *whole =
            TH_CONTAINER_OF(answer, struct th_answer, pub);
        th_free(whole->env, whole);
    }
}
