/* SPDX-License-Identifier: Apache-2.0 */
/* A message on its way: one block with header, payload and the sender's name;
 * or, for a broadcast, a header that shares its payload. */
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
};

struct th_message {
    struct th_mpsc_node node;
    struct th_body *body;   /* NULL: the payload is in `bytes` */
    uint64_t charge;        /* of the router's quota */
    uint64_t op;            /* of a request or an open: its operation */
    uint64_t deadline;      /* of a request or an open; unset otherwise */
    uint32_t flags;         /* TH_MESSAGE_... */
    theater_message_t view; /* what the receiver sees */
    uint8_t bytes[];        /* payload, then sender */
};

enum { TH_MESSAGE_OVERHEAD = 64 }; /* what a message is charged beyond data */

/* A message with a copy of `data`, or with `body` (one more reference).
 * NULL: no memory. Threads: any. */
struct th_message *th_message_new(const theater_env_t *env, uint8_t kind,
                                  theater_bytes_t sender, theater_bytes_t data,
                                  struct th_body *body);
void th_message_free(const theater_env_t *env, struct th_message *message);

struct th_body *th_body_new(const theater_env_t *env, theater_bytes_t data);
void th_body_release(const theater_env_t *env, struct th_body *body);

/* NULL: no memory. */
theater_answer_t *th_answer_new(const theater_env_t *env, theater_bytes_t data);

#endif
