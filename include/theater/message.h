/* SPDX-License-Identifier: Apache-2.0 */
/* What an endpoint receives, and what became of what could not be handled.
 * How messages are sent is in theater/router.h. */
#ifndef THEATER_MESSAGE_H
#define THEATER_MESSAGE_H

#include <theater/bytes.h>
#include <theater/status.h>

#ifdef __cplusplus
extern "C" {
#endif

/* Ids are opaque: an index and a generation. 0 is no id. */
typedef struct theater_request_id {
    uint64_t value; /* opaque */
} theater_request_id_t;
typedef struct theater_channel_id {
    uint64_t value; /* opaque */
} theater_channel_id_t;
typedef struct theater_timer_id {
    uint64_t value; /* opaque */
} theater_timer_id_t;

/* What a message is, and what is to be done with it. */
typedef enum theater_message_kind {
    THEATER_MESSAGE_SEND,          /* one-way */
    THEATER_MESSAGE_REQUEST,       /* answer it: theater_endpoint_respond */
    THEATER_MESSAGE_CHANNEL_OPEN,  /* decide it: theater_channel_accept */
    THEATER_MESSAGE_CHANNEL_DATA,  /* from the other end of a channel */
    THEATER_MESSAGE_CHANNEL_CLOSE, /* the channel has ended */
} theater_message_kind_t;

/* A message as its receiver sees it. Owned by the endpoint until
 * theater_endpoint_done. */
typedef struct theater_message {
    theater_bytes_t data;   /* the payload */
    theater_bytes_t sender; /* stamped by the router; data NULL: no name */
    union {
        theater_request_id_t request; /* of a REQUEST */
        theater_channel_id_t channel; /* of a CHANNEL_... */
        uint64_t id;                  /* either */
    };
    uint8_t kind;   /* a theater_message_kind_t */
    uint8_t reason; /* of a CHANNEL_CLOSE: a theater_status_t; OK: plain */
} theater_message_t;

/* A message that was accepted and will not be handled. */
typedef struct theater_dead_letter {
    theater_bytes_t sender;      /* data NULL: none */
    theater_bytes_t target;      /* the name that it was sent to */
    theater_bytes_t data;        /* the payload */
    theater_message_kind_t kind; /* what it was */
    theater_status_t reason;     /* CLOSED, MAILBOX_FULL (dropped), TIMEOUT,
                                    CANCELLED, SHUTTING_DOWN, NOT_FOUND, ... */
} theater_dead_letter_t;

/* The answer to a request, or the error's text when the status is FAILED.
 * Freed by who was given it. */
typedef struct theater_answer {
    const uint8_t *data; /* never NULL */
    size_t len;          /* bytes */
} theater_answer_t;

/* NULL is fine. Threads: any. */
THEATER_API void theater_answer_delete(theater_answer_t *answer);

#ifdef __cplusplus
}
#endif

#endif
