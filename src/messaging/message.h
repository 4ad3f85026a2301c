/* SPDX-License-Identifier: Apache-2.0 */
/* A message on its way: one block with a header of 24 bytes, the payload and
 * the sender's name; or, for a broadcast, a header that shares its payload.
 * What a receiver sees of it, theater_message_t, is filled in for it. */
#ifndef TH_MESSAGING_MESSAGE_H
#define TH_MESSAGING_MESSAGE_H

#include "queue/mpsc.h"

#include <theater/message.h>

struct theater_router;

/* A payload that several messages share; counted. */
struct th_body {
    _Atomic uint32_t refs;
    uint32_t len;
    uint8_t data[];
};

enum {                        /* flags of a message */
       TH_MESSAGE_EXEMPT = 1, /* in the mailbox beside its bound: channels */
       TH_MESSAGE_QUIET = 2,  /* a close: no message of anyone, not counted */
       TH_MESSAGE_ASKS = 4,   /* a request or an open: has a th_asks */
       TH_MESSAGE_SHARES = 8, /* its payload is a body's: has a pointer to it */
};

/* What a request or an open has beyond others, before its payload. */
struct th_asks {
    uint64_t op;       /* its operation */
    uint64_t deadline; /* now_ns */
};

struct th_message {
    struct th_mpsc_node node;
    uint64_t id;        /* of the request or the channel */
    uint32_t len;       /* of the payload */
    uint8_t sender_len; /* 0: no name */
    uint8_t kind;       /* theater_message_kind_t */
    uint8_t reason;     /* of a close: theater_status_t */
    uint8_t flags;      /* TH_MESSAGE_... */
    uint8_t bytes[];    /* th_asks or th_body *, payload, sender */
};
_Static_assert(offsetof(struct th_message, bytes) == 24, "three to a line");

enum { TH_MESSAGE_OVERHEAD = 64 }; /* what a message is charged beyond data */

/* --- Its parts ---------------------------------------------------------- */

static inline size_t th_message_before(unsigned flags)
{
    return (flags & TH_MESSAGE_ASKS) != 0     ? sizeof(struct th_asks)
           : (flags & TH_MESSAGE_SHARES) != 0 ? sizeof(struct th_body *)
                                              : 0;
}

/* Of a request or an open. */
static inline struct th_asks *th_message_asks(struct th_message *message)
{
    return (struct th_asks *)(void *)message->bytes;
}

/* The operation that a request or an open is about. */
static inline uint64_t th_message_op(const struct th_message *message)
{
    uint64_t op;
    memcpy(&op, message->bytes, sizeof op);
    return op;
}

/* Of one that shares. */
static inline struct th_body *th_message_body(const struct th_message *message)
{
    struct th_body *body;
    memcpy(&body, message->bytes, sizeof body);
    return body;
}

static inline theater_bytes_t th_message_data(const struct th_message *message)
{
    const uint8_t *at = message->bytes + th_message_before(message->flags);
    if (TH_UNLIKELY((message->flags & TH_MESSAGE_SHARES) != 0)) {
        at = th_message_body(message)->data;
    }
    return (theater_bytes_t){at, message->len};
}

static inline theater_bytes_t
th_message_sender(const struct th_message *message)
{
    size_t at = th_message_before(message->flags);
    if ((message->flags & TH_MESSAGE_SHARES) == 0) {
        at += message->len;
    }
    return (theater_bytes_t){message->sender_len != 0 ? message->bytes + at
                                                      : NULL,
                             message->sender_len};
}

/* Its part of the router's bound on queued bytes. */
static inline uint64_t th_message_charge(const struct th_message *message)
{
    return (message->flags & TH_MESSAGE_QUIET) != 0
               ? 0
               : (uint64_t)message->len + TH_MESSAGE_OVERHEAD;
}

static inline size_t th_message_size(unsigned flags, size_t len,
                                     size_t sender_len)
{
    return sizeof(struct th_message) + th_message_before(flags) +
           ((flags & TH_MESSAGE_SHARES) != 0 ? 0 : len) + sender_len;
}

/* --- Memory -------------------------------------------------------------- *
 * Blocks of small messages that a thread has freed, for those that it makes
 * next: last in, first out, so that a pair on one core goes on using the same
 * few lines of its cache. Owned by one thread. Blocks come from the
 * environment and go back there when a class holds TH_POOL_MAX. */
enum {
    TH_POOL_CLASSES = 4, /* of 64, 128, 192 and 256 bytes */
    TH_POOL_MAX = 512,   /* blocks of each: 320 KiB in all */
};

struct th_pool {
    struct th_mpsc_node *first[TH_POOL_CLASSES];
    uint32_t len[TH_POOL_CLASSES];
};

void th_pool_fini(const theater_env_t *env, struct th_pool *pool);

/* The class of a size; TH_POOL_CLASSES and more: none. Every block has the
 * size of its class, whoever makes it, so that any thread may keep it. */
static inline size_t th_pool_class(size_t size)
{
    return (size - 1) / TH_LINE;
}

static inline struct th_message *th_pool_take(const theater_env_t *env,
                                              struct th_pool *pool, size_t size)
{
    size_t class = th_pool_class(size);
    if (TH_UNLIKELY(class >= TH_POOL_CLASSES)) {
        return th_alloc(env, size);
    }
    struct th_mpsc_node *node = pool != NULL ? pool->first[class] : NULL;
    if (TH_UNLIKELY(node == NULL)) {
        return th_alloc(env, (class + 1) * TH_LINE);
    }
    /* relaxed, here and below: the pool's owner alone */
    pool->first[class] =
        atomic_load_explicit(&node->next, memory_order_relaxed);
    pool->len[class]--;
    return TH_CONTAINER_OF(node, struct th_message, node);
}

static inline void th_pool_give(const theater_env_t *env, struct th_pool *pool,
                                struct th_message *message, size_t size)
{
    size_t class = th_pool_class(size);
    if (TH_UNLIKELY(pool == NULL || class >= TH_POOL_CLASSES ||
                    pool->len[class] >= TH_POOL_MAX)) {
        th_free(env, message);
        return;
    }
    atomic_store_explicit(&message->node.next, pool->first[class],
                          memory_order_relaxed);
    pool->first[class] = &message->node;
    pool->len[class]++;
}

struct th_body *th_body_new(const theater_env_t *env, theater_bytes_t data);
void th_body_release(const theater_env_t *env, struct th_body *body);

/* memcpy for a name: by words that overlap. What the compiler makes of memcpy
 * for 0 to 255 bytes is `rep movsq`, which took 15 ns of a message. */
static inline void th_copy_name(uint8_t *to, const uint8_t *from, size_t len)
{
    uint64_t word;
    uint32_t head, tail;
    if (TH_LIKELY(len >= 8)) {
        for (size_t i = 0; i + 8 < len; i += 8) {
            memcpy(&word, from + i, 8);
            memcpy(to + i, &word, 8);
        }
        memcpy(&word, from + len - 8, 8);
        memcpy(to + len - 8, &word, 8);
    } else if (len >= 4) {
        memcpy(&head, from, 4);
        memcpy(&tail, from + len - 4, 4);
        memcpy(to, &head, 4);
        memcpy(to + len - 4, &tail, 4);
    } else {
        for (size_t i = 0; i < len; i++) {
            to[i] = from[i];
        }
    }
}

/* A message with a copy of `data`, or with `body` (one more reference); a
 * request or an open gets its th_asks. `pool` NULL: none is at hand. NULL: no
 * memory. Threads: any; the pool's owner. */
static inline __attribute__((always_inline)) struct th_message *
th_message_new(const theater_env_t *env, struct th_pool *pool, uint8_t kind,
               theater_bytes_t sender, theater_bytes_t data,
               struct th_body *body)
{
    bool asks =
        kind == THEATER_MESSAGE_REQUEST || kind == THEATER_MESSAGE_CHANNEL_OPEN;
    unsigned flags = asks           ? TH_MESSAGE_ASKS
                     : body != NULL ? TH_MESSAGE_SHARES
                                    : 0;
    struct th_message *message =
        th_pool_take(env, pool, th_message_size(flags, data.len, sender.len));
    if (TH_UNLIKELY(message == NULL)) {
        return NULL;
    }
    message->id = 0;
    message->len = (uint32_t)data.len;
    message->sender_len = (uint8_t)sender.len;
    message->kind = kind;
    message->reason = THEATER_OK;
    message->flags = (uint8_t)flags;
    uint8_t *at = message->bytes + th_message_before(flags);
    if (body != NULL) {
        /* relaxed: the caller holds a reference already */
        atomic_fetch_add_explicit(&body->refs, 1, memory_order_relaxed);
        memcpy(message->bytes, &body, sizeof body);
    } else if (data.len != 0) {
        th_copy(at, data.data, data.len);
        at += data.len;
    }
    th_copy_name(at, sender.data, sender.len);
    return message;
}

/* NULL is fine. */
static inline void th_message_free(const theater_env_t *env,
                                   struct th_pool *pool,
                                   struct th_message *message)
{
    if (message == NULL) {
        return;
    }
    size_t size =
        th_message_size(message->flags, message->len, message->sender_len);
    if (TH_UNLIKELY((message->flags & TH_MESSAGE_SHARES) != 0)) {
        th_body_release(env, th_message_body(message));
    }
    th_pool_give(env, pool, message, size);
}

/* NULL: no memory. */
theater_answer_t *th_answer_new(const theater_env_t *env, theater_bytes_t data);

#endif
