/* SPDX-License-Identifier: Apache-2.0 */
/* What the files of the message-server handler share. `ms` is the instance of
 * one actor. Threads, where nothing is said: the worker that runs the actor;
 * at most one host function of an actor is under way. */
#ifndef TH_HANDLERS_MESSAGE_SERVER_SERVER_H
#define TH_HANDLERS_MESSAGE_SERVER_SERVER_H

#include <theater/message_server.h>

#include <stdatomic.h>

#include "base/base.h"

/* --- keys.c: what a manifest may say ------------------------------------ */

enum th_ms_key {
    TH_MS_CAN_SEND,
    TH_MS_CAN_REQUEST,
    TH_MS_CAN_OPEN_CHANNELS,
    TH_MS_ALLOWED_TARGETS,
    TH_MS_MAX_CHANNELS,
    TH_MS_CHANNEL_CREDIT,
    TH_MS_CHANNEL_CREDIT_BYTES,
    TH_MS_MAILBOX_CAPACITY,
    TH_MS_MAILBOX_BYTES,
    TH_MS_ON_FULL,
    TH_MS_WHEN_FULL,
    TH_MS_SEND_TIMEOUT,
    TH_MS_REQUEST_TIMEOUT,
    TH_MS_MAX_REQUESTS,
    TH_MS_MAX_TIMERS,
    TH_MS_KEYS
};
extern const theater_key_t th_ms_keys[TH_MS_KEYS];

/* --- grants.c: the embedder's permissions and the manifest's ------------- */

/* Does every name that matches `pattern` match `by` too? */
bool th_grants_cover(const char *by, const char *pattern);
/* The targets that both lists allow; NULL is everybody. *out borrows the
 * strings and is freed with th_free (NULL: everybody).
 * Returns: OK, OUT_OF_MEMORY. */
theater_status_t th_grants_targets(const theater_env_t *env,
                                   const char *const *a, size_t a_len,
                                   const char *const *b, size_t b_len,
                                   const char ***out, size_t *out_len);
/* A copy of the permissions that owns its strings, in one block. */
theater_status_t th_grants_copy(const theater_env_t *env,
                                const theater_permissions_t *from,
                                theater_permissions_t *out);
void th_grants_free(const theater_env_t *env, theater_permissions_t *grants);

/* --- ids.c: ids as guests see them --------------------------------------- */

enum { TH_ID_TEXT = 17 }; /* a letter for the kind, 16 hexadecimal digits */
/* `kind` is 'r' (request), 'c' (channel) or 't' (timed send). */
void th_id_write(char kind, uint64_t value, char out[static TH_ID_TEXT]);
/* Strict: what th_id_write can have written, and nothing else. */
bool th_id_read(char kind, theater_bytes_t text, uint64_t *out_value);

enum { TH_MS_STREAK = 128 }; /* sends until a guest gives way */

/* --- wait.c: waiting for the router ------------------------------------- */

/* The outcome of the operation that the actor waits for. The callback that
 * brings it may run on any thread, also before the starting call returns. */
struct th_ms_wait {
    /* READY, and how many callbacks have not left yet (COUNT each). */
    _Atomic uint32_t word;
    /* Written by the callback before READY, read by the owner after it. */
    theater_status_t status;
    theater_answer_t *answer;
    theater_channel_id_t channel;
    /* The owner's. */
    theater_request_id_t id; /* what to cancel; valid once PENDING */
};

/* --- server.c ------------------------------------------------------------ */

struct theater_message_server {
    theater_router_t *router;          /* one reference */
    theater_permissions_t permissions; /* at most; owns its strings */
    const theater_env_t *env;
};

/* Payload of a send-batch: what one call sends at once, and what of it may
 * wait to be sent. */
enum { TH_MS_BATCH_BYTES = 16 << 20, TH_MS_REST_BYTES = 4 << 20 };

/* What a waiting send-batch or send-on-channel has still to send. */
struct th_ms_rest {
    size_t before;           /* accepted before these */
    size_t len;              /* messages */
    size_t next;             /* the first that was not accepted */
    theater_bytes_t *items;  /* in the same block, as all that follows */
    theater_bytes_t target;  /* send-batch */
    theater_channel_id_t to; /* send-on-channel */
};

/* One actor's. */
struct th_ms {
    theater_router_t *router;
    theater_endpoint_t *endpoint; /* NULL before set-up and after stop */
    theater_actor_t *actor;
    const theater_message_t *current; /* being handled; NULL in `run` */
    struct th_ms_wait wait;
    /* What the result of a call borrows until `release`. */
    theater_answer_t *answer;
    void *memory;             /* of env */
    struct th_ms_rest *rest;  /* of env */
    uint64_t deadline_ns;     /* of a call that waits more than once */
    char *text;               /* error texts; NULL until the first */
    uint32_t send_timeout_ms; /* of the manifest */
    uint32_t request_timeout_ms;
    uint32_t given_ms;             /* to the request under way */
    uint32_t streak;               /* sends since it gave way */
    bool when_full_waits;          /* when_full = "wait" */
    bool deferred;                 /* the request being handled */
    char id_text[TH_ID_TEXT];      /* that a host function answered */
    char channel_text[TH_ID_TEXT]; /* of the delivery */
    uint8_t exports;               /* bit per theater_message_server_export_t */
    bool native;
    const theater_message_server_t *server;
    const theater_env_t *env;
    const char *name;                 /* the actor's */
    const theater_section_t *section; /* valid until set-up */
};

/* Before an operation is started, and when it was not (any status but
 * PENDING). */
void th_ms_wait_begin(struct th_ms *ms);
void th_ms_wait_refused(struct th_ms *ms);
/* A wait that is over at once, with OK: another actor has its turn. */
void th_ms_wait_nothing(struct th_ms *ms);
/* Is the outcome there? */
bool th_ms_wait_ready(struct th_ms *ms);
/* Takes it; the answer goes to ms->answer. */
theater_status_t th_ms_wait_take(struct th_ms *ms);
/* Forgets what is under way. No callback is inside any more on return. */
void th_ms_wait_cancel(struct th_ms *ms);
/* Waits until callbacks that told their outcome have left. */
void th_ms_wait_settle(struct th_ms *ms);
/* The callbacks; `user` is the instance. */
theater_done_fn th_ms_done;
theater_opened_fn th_ms_opened;

/* --- errors.c: why a call failed, for the person who reads the guest's log */

enum th_ms_verb {
    TH_MS_SEND,
    TH_MS_SEND_LATER,
    TH_MS_REQUEST,
    TH_MS_OPEN,
    TH_MS_SEND_ON_CHANNEL,
    TH_MS_CLOSE_CHANNEL,
    TH_MS_CANCEL_SEND,
    TH_MS_DEFER,
    TH_MS_RESPOND,
    TH_MS_CANCEL_REQUEST,
};
/* Ends the call with `status` as guests know it (1 to 14) and a message about
 * `subject`: the target's name, or the id. `subject` may be {NULL, 0} when it
 * is not known any more. Answers OK, for `begin` to return. */
theater_status_t th_ms_fail(theater_call_t *call, theater_status_t status,
                            enum th_ms_verb verb, theater_bytes_t subject);
/* The status that a guest is told instead. */
theater_status_t th_ms_guest_status(theater_status_t status);
/* The reason of a close, in words; NULL: the status's own. */
const char *th_ms_close_text(theater_status_t reason);

/* --- functions.c, waiting.c: the host functions ------------------------- */

/* Frees what the result borrowed; for `release`. */
void th_ms_release(theater_call_t *call);
void th_ms_free_held(struct th_ms *ms);
/* Ends the call with an id; answers OK. */
theater_status_t th_ms_answer_id(theater_call_t *call, char kind,
                                 uint64_t value);

theater_status_t th_ms_send(theater_call_t *call);
theater_status_t th_ms_send_resume(theater_call_t *call);
theater_status_t th_ms_send_batch(theater_call_t *call);
theater_status_t th_ms_send_batch_resume(theater_call_t *call);
theater_status_t th_ms_request(theater_call_t *call);
theater_status_t th_ms_request_with(theater_call_t *call);
theater_status_t th_ms_request_resume(theater_call_t *call);
theater_status_t th_ms_open_channel(theater_call_t *call);
theater_status_t th_ms_open_channel_resume(theater_call_t *call);
theater_status_t th_ms_send_on_channel(theater_call_t *call);
theater_status_t th_ms_send_on_channel_resume(theater_call_t *call);
/* Of all that wait. */
void th_ms_cancel(theater_call_t *call);

enum { TH_MS_FUNCTIONS = 17 };
extern const theater_host_function_t th_ms_functions[TH_MS_FUNCTIONS];

#endif
