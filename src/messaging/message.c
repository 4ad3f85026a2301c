/* SPDX-License-Identifier: Apache-2.0 */
/* Design notes. One allocation per message: the sender's name is copied into
 * it, since names are short and a reference would cost two atomic operations
 * on a line that every message of that sender shares.
 *
 * Making and freeing a message stand in the header, since they are a part of
 * each send and each receive. */
#include "messaging/message.h"

#include <theater/router.h>

struct th_answer {
    theater_answer_t pub;
    const theater_env_t *env;
    uint8_t data[];
};

void th_pool_fini(const theater_env_t *env, struct th_pool *pool)
{
    for (size_t class = 0; class < TH_POOL_CLASSES; class ++) {
        while (pool->first[class] != NULL) {
            struct th_mpsc_node *node = pool->first[class];
            /* relaxed: the last owner's own list */
            pool->first[class] =
                atomic_load_explicit(&node->next, memory_order_relaxed);
            th_free(env, TH_CONTAINER_OF(node, struct th_message, node));
        }
    }
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
        th_copy(body->data, data.data, data.len);
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
        th_copy(answer->data, data.data, data.len);
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
