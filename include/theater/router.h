/* SPDX-License-Identifier: Apache-2.0 */
/* The message server: owns the registry of names and carries one-way
 * messages, requests with answers, and channels (theater/channel.h) between
 * endpoints. It knows no runtime, no actor and no WebAssembly; it has no
 * thread: whoever sends does the work.
 *
 * Sending functions take `from`, the endpoint that sends, whose owner the
 * caller must be; or NULL: a C program may send and request without a name.
 * Names are 1 to 255 bytes of UTF-8 without control characters.
 *
 * Longer than 300 lines: one interface, and each call's contract is here. */
#ifndef THEATER_ROUTER_H
#define THEATER_ROUTER_H

#include <theater/env.h>
#include <theater/message.h>
#include <theater/permissions.h>

#ifdef __cplusplus
extern "C" {
#endif

typedef struct theater_router theater_router_t;     /* counted */
typedef struct theater_endpoint theater_endpoint_t; /* a registered name */

enum {
    THEATER_BROADCAST_MAX = 1024,      /* targets of one broadcast */
    THEATER_MAILBOX_MAX = 100000,      /* messages; capacity's bound */
    THEATER_MESSAGE_MAX = 268435456,   /* bytes; max_message_bytes's bound */
    THEATER_RING_MAX = 1048576,        /* see THEATER_DROP_OLDEST */
    THEATER_MAILBOX_BYTES = 268435456, /* capacity_bytes's bound */
};

/* Of theater_router_new; begin with THEATER_ROUTER_OPTIONS_INIT. */
typedef struct theater_router_options {
    size_t size;                 /* sizeof(theater_router_options_t) */
    const theater_env_t *env;    /* NULL: the default */
    uint32_t max_endpoints;      /* 0: 1,048,576 */
    uint32_t max_pending;        /* requests, opens, waits, timed sends that
                                      are under way; 0: 4,194,304 */
    uint32_t max_message_bytes;  /* 0: 1 MiB */
    uint64_t max_queued_bytes;   /* of all mailboxes; 0: 1 GiB */
    uint32_t request_timeout_ms; /* when a call says 0; 0: 5,000 */
    /* Called for each dead letter, on any thread; must not block and must
     * not call the router. May run on a guest's stack: frames of 16 KiB in all
     * at most. The record is valid during the call. May be NULL. */
    void (*on_dead_letter)(void *user, const theater_dead_letter_t *letter);
    void *user; /* of on_dead_letter */
} theater_router_options_t;

/* The defaults. */
#define THEATER_ROUTER_OPTIONS_INIT                                            \
    {sizeof(theater_router_options_t), NULL, 0, 0, 0, 0, 0, NULL, NULL}

/* `options` may be NULL. The caller holds one reference.
 * Threads: any. Returns: OK, INVALID_ARGUMENT, OUT_OF_MEMORY. */
THEATER_API THEATER_CHECKED theater_status_t theater_router_new(
    const theater_router_options_t *options, theater_router_t **out_router);

/* One more reference; answers `router`. Threads: any. */
THEATER_API theater_router_t *theater_router_retain(theater_router_t *router);

/* One reference less; the last one frees the router: every endpoint was
 * unregistered before (each holds a reference). NULL is fine. Threads: any. */
THEATER_API void theater_router_release(theater_router_t *router);

/* --- Endpoints ---------------------------------------------------------- */

/* What a full mailbox does. */
typedef enum theater_on_full {
    THEATER_REFUSE,      /* the sender gets MAILBOX_FULL, or waits */
    THEATER_DROP_NEWEST, /* what comes is dropped: a dead letter */
    /* The head is dropped for it: a dead letter. Such a mailbox is a ring of
     * capacity + 256 + 2 * max_channels * (channel_credit + 2) places of 16
     * bytes; at most THEATER_RING_MAX, else INVALID_ARGUMENT. */
    THEATER_DROP_OLDEST,
} theater_on_full_t;

enum { /* bits of `accepts` */
       THEATER_ACCEPT_SENDS = 1,
       THEATER_ACCEPT_REQUESTS = 2,
       THEATER_ACCEPT_CHANNELS = 4, /* opens by others */
       THEATER_ACCEPT_ALL = 7,
};

/* Of theater_router_register; begin with THEATER_ENDPOINT_OPTIONS_INIT. */
typedef struct theater_endpoint_options {
    size_t size; /* sizeof(theater_endpoint_options_t) */
    const theater_permissions_t *permissions; /* NULL: everything */
    unsigned accepts;          /* what others get UNSUPPORTED for otherwise */
    theater_on_full_t on_full; /* policy of the mailbox */
    uint32_t capacity;         /* messages; 0: 1,000 */
    uint32_t capacity_bytes;   /* payload bytes; 0: 4 MiB */
    uint32_t max_channels;     /* that this end takes part in; 0: 100 */
    uint32_t channel_credit;   /* messages each way; 0: 256 */
    uint32_t channel_credit_bytes; /* payload bytes each way; 0: 4 MiB */
    uint32_t max_requests;         /* received, answer deferred; 0: 1,000 */
    uint32_t max_timers;           /* timed sends under way; 0: 1,000 */
    /* Called when there is something to receive while nothing was: once per
     * change from empty to not empty, by the thread that sends. Must not
     * block; must not call the router. May run on a guest's stack: frames of
     * 16 KiB in all at most. NULL: the owner polls, or waits with
     * theater_endpoint_wait. */
    void (*wake)(void *user);
    void *user; /* of wake */
    /* While a request, an open or a wait of this endpoint is under way its
     * owner handles nothing: the router refuses it when that would close a
     * cycle. False for threads and for owners that go on meanwhile. */
    bool waits;
} theater_endpoint_options_t;

/* The defaults. */
#define THEATER_ENDPOINT_OPTIONS_INIT                                          \
    {sizeof(theater_endpoint_options_t),                                       \
     NULL,                                                                     \
     THEATER_ACCEPT_ALL,                                                       \
     THEATER_REFUSE,                                                           \
     0,                                                                        \
     0,                                                                        \
     0,                                                                        \
     0,                                                                        \
     0,                                                                        \
     0,                                                                        \
     0,                                                                        \
     NULL,                                                                     \
     NULL,                                                                     \
     false}

/* Registers a name. `options` may be NULL and is borrowed for the call.
 * Threads: any; the caller is the endpoint's first owner. A handover to
 * another thread needs the caller's own synchronisation.
 * Blocks: for other registrations, never for messages.
 * Returns: OK, ALREADY_EXISTS, INVALID_ARGUMENT, SHUTTING_DOWN, MAILBOX_FULL
 * (max_endpoints), OUT_OF_MEMORY. */
THEATER_API THEATER_CHECKED theater_status_t theater_router_register(
    theater_router_t *router, const char *name, size_t name_len,
    const theater_endpoint_options_t *options,
    theater_endpoint_t **out_endpoint);

/* Ends the endpoint: the name is free on return, what is queued becomes dead
 * letters with `reason`, requests received and waiting senders end with
 * CLOSED, its own requests are cancelled, its channels close with `reason`
 * (OK: CLOSED). `wake` is not called any more once it returns.
 * Threads: owner. Blocks: for a sender that is in the middle of queueing. */
THEATER_API void theater_endpoint_unregister(theater_endpoint_t *endpoint,
                                             theater_status_t reason);

/* Keeps the name and the one-way messages that are queued; everything else
 * ends as in theater_endpoint_unregister: for an owner that starts anew. */
THEATER_API void theater_endpoint_reset(theater_endpoint_t *endpoint,
                                        theater_status_t reason);

/* The endpoint's name, valid until it is unregistered. Threads: owner. */
THEATER_API theater_bytes_t
theater_endpoint_name(const theater_endpoint_t *endpoint);

/* Is somebody registered under that name now? Threads: any. Blocks: never. */
THEATER_API bool theater_router_has(theater_router_t *router, const char *name,
                                    size_t name_len);

/* --- Receiving ---------------------------------------------------------- */

/* The next message; `theater_endpoint_done` must follow before the next
 * receive. After EMPTY the endpoint's `wake` announces more.
 * Threads: owner. Blocks: never. Returns: OK, EMPTY. */
THEATER_API THEATER_CHECKED theater_status_t theater_endpoint_receive(
    theater_endpoint_t *endpoint, const theater_message_t **out_message);

/* The same, but waits until there is one. `timeout_ms` UINT64_MAX: for ever.
 * Only for endpoints without `wake`. Threads: owner, not a worker.
 * Returns: OK, TIMEOUT, WRONG_THREAD. */
THEATER_API THEATER_CHECKED theater_status_t
theater_endpoint_wait(theater_endpoint_t *endpoint, uint64_t timeout_ms,
                      const theater_message_t **out_message);

/* The message was handled: its memory and a channel's credit go back.
 * `status` OK: it was. FAILED, TRAPPED, ...: the handler did not get to its
 * end; a request that it neither answered nor deferred ends with CLOSED, as
 * does (OK or not) an undecided open with REJECTED. A request handled well but
 * neither answered nor deferred ends with FAILED. Threads: owner. */
THEATER_API void theater_endpoint_done(theater_endpoint_t *endpoint,
                                       theater_status_t status);

/* --- One-way ------------------------------------------------------------ */

/* Copies the payload and queues it. OK: accepted; it will be handled once or
 * become one dead letter. Never waits.
 * Threads: owner of `from`, or any. Blocks: never.
 * Returns: OK, NOT_FOUND, DENIED, MAILBOX_FULL, TOO_LARGE, UNSUPPORTED,
 * INVALID_ARGUMENT, SHUTTING_DOWN, OUT_OF_MEMORY. */
THEATER_API THEATER_CHECKED theater_status_t
theater_router_send(theater_router_t *router, theater_endpoint_t *from,
                    theater_bytes_t target, theater_bytes_t data);

/* How an operation that takes time has ended. Called exactly once, on the
 * thread that ends it, which may be the caller's own before the starting
 * function returns; must not block. May run on a guest's stack, of which 64
 * KiB are left and no guard is behind them: frames of 16 KiB in all at most;
 * what needs more is handed to another thread. `answer` (of a request that was
 * answered, or FAILED with a text) belongs to the callback. */
typedef void theater_done_fn(void *user, theater_status_t status,
                             theater_answer_t *answer);

/* As theater_router_send, but when the mailbox is full the message waits for
 * space, first come first served: PENDING, and `done` is told OK,
 * MAILBOX_FULL (after `timeout_ms`, or a cycle), CLOSED, CANCELLED. `out_id`
 * cancels (theater_router_cancel). On any status but PENDING `done` is not
 * called. An endpoint that `waits` and whose last 64 waits ended while their
 * targets did not come by is told MAILBOX_FULL at once. */
THEATER_API THEATER_CHECKED theater_status_t theater_router_send_start(
    theater_router_t *router, theater_endpoint_t *from, theater_bytes_t target,
    theater_bytes_t data, uint32_t timeout_ms, theater_done_fn *done,
    void *user, theater_request_id_t *out_id);

/* As theater_router_send, but the calling thread waits for space.
 * Threads: not a worker. Returns: as send, and CLOSED, WRONG_THREAD. */
THEATER_API THEATER_CHECKED theater_status_t theater_router_send_wait(
    theater_router_t *router, theater_endpoint_t *from, theater_bytes_t target,
    theater_bytes_t data, uint32_t timeout_ms);

/* Many to one target, in order, until one is refused; `out_accepted` says how
 * many were taken. Returns: OK when all were; else why the next was not. */
THEATER_API THEATER_CHECKED theater_status_t theater_router_send_batch(
    theater_router_t *router, theater_endpoint_t *from, theater_bytes_t target,
    const theater_bytes_t *messages, size_t len, size_t *out_accepted);

/* One payload, stored once, to many; at each in order with all else that
 * `from` sends it. `out_codes` gets a theater_status_t for each target. Never
 * waits. Returns: OK (the codes say more), INVALID_ARGUMENT (more than
 * THEATER_BROADCAST_MAX), DENIED, TOO_LARGE, SHUTTING_DOWN, OUT_OF_MEMORY:
 * nothing was sent. */
THEATER_API THEATER_CHECKED theater_status_t
theater_router_broadcast(theater_router_t *router, theater_endpoint_t *from,
                         const theater_bytes_t *targets, size_t len,
                         theater_bytes_t data, uint8_t *out_codes);

/* Sends after `delay_ms`, once, unless `from` has ended by then. What can't
 * be queued then becomes a dead letter. `from` must not be NULL.
 * Returns: OK, NOT_FOUND never (the name is looked up later), DENIED,
 * MAILBOX_FULL (max_timers, max_pending), TOO_LARGE, INVALID_ARGUMENT,
 * SHUTTING_DOWN, OUT_OF_MEMORY. */
THEATER_API THEATER_CHECKED theater_status_t theater_router_send_after(
    theater_router_t *router, theater_endpoint_t *from, theater_bytes_t target,
    theater_bytes_t data, uint32_t delay_ms, theater_timer_id_t *out_id);

/* Returns: OK (it will not be sent), INVALID_ARGUMENT (no such id of this
 * endpoint, or sent already). Threads: owner. */
THEATER_API THEATER_CHECKED theater_status_t
theater_router_cancel_send(theater_endpoint_t *from, theater_timer_id_t id);

/* --- Requests ----------------------------------------------------------- */

/* Starts a request. PENDING: `done` will be told OK (answer), FAILED (answer
 * is the error's text), TIMEOUT, CANCELLED, CLOSED, DEADLOCK, MAILBOX_FULL
 * (dropped). Any other status: refused, `done` is not called. `timeout_ms` 0:
 * the router's. `out_id` may be NULL.
 * Returns: PENDING, NOT_FOUND, DENIED, MAILBOX_FULL, TOO_LARGE, UNSUPPORTED,
 * INVALID_ARGUMENT, DEADLOCK, SHUTTING_DOWN, OUT_OF_MEMORY. */
THEATER_API THEATER_CHECKED theater_status_t theater_router_request_start(
    theater_router_t *router, theater_endpoint_t *from, theater_bytes_t target,
    theater_bytes_t data, uint32_t timeout_ms, theater_done_fn *done,
    void *user, theater_request_id_t *out_id);

/* The same, but the calling thread waits. *out_answer (NULL where there is
 * none) is the caller's. Threads: not a worker. Returns: what `done` would be
 * told, or a refusal, or WRONG_THREAD. */
THEATER_API THEATER_CHECKED theater_status_t theater_router_request(
    theater_router_t *router, theater_endpoint_t *from, theater_bytes_t target,
    theater_bytes_t data, uint32_t timeout_ms, theater_answer_t **out_answer);

/* Ends an operation that one has started, with CANCELLED; `done` is told
 * before this returns, unless it has ended otherwise.
 * Threads: any. Returns: OK, INVALID_ARGUMENT (not under way any more). */
THEATER_API THEATER_CHECKED theater_status_t
theater_router_cancel(theater_router_t *router, theater_request_id_t id);

/* Inside the handling of a request: the answer comes later.
 * Threads: owner. Returns: OK, INVALID_ARGUMENT (no request is being handled,
 * or it has ended), MAILBOX_FULL (max_requests), OUT_OF_MEMORY. */
THEATER_API THEATER_CHECKED theater_status_t theater_endpoint_defer(
    theater_endpoint_t *endpoint, theater_request_id_t *out_id);

/* Answers a request that this endpoint received: the one being handled, or a
 * deferred one. Late (it has ended): CLOSED, and it is counted.
 * Threads: owner. Returns: OK, CLOSED, INVALID_ARGUMENT, TOO_LARGE,
 * OUT_OF_MEMORY. */
THEATER_API THEATER_CHECKED theater_status_t
theater_endpoint_respond(theater_endpoint_t *endpoint, theater_request_id_t id,
                         theater_bytes_t data);

/* Answers it with an error: FAILED and a text. Otherwise as above. */
THEATER_API THEATER_CHECKED theater_status_t
theater_endpoint_fail(theater_endpoint_t *endpoint, theater_request_id_t id,
                      theater_bytes_t text);

/* Ends a received request with CANCELLED for its requester. As respond. */
THEATER_API THEATER_CHECKED theater_status_t theater_endpoint_cancel_request(
    theater_endpoint_t *endpoint, theater_request_id_t id);

/* Received and not yet answered: writes at most `max` ids, answers how many
 * there are. Threads: owner. */
THEATER_API size_t theater_endpoint_outstanding(theater_endpoint_t *endpoint,
                                                theater_request_id_t *out_ids,
                                                size_t max);

/* --- Who waits for whom, for reports -------------------------------------- */

/* What an endpoint waits for; names are numbers here, since who has one may
 * end at any moment. */
typedef struct theater_wait_edge {
    uint64_t self;     /* this endpoint's number, never 0 */
    uint64_t target;   /* of whom it waits for; 0: nobody */
    const char *what;  /* "an answer", "room", "credit", "an accept" */
    uint64_t since_ns; /* in now_ns */
} theater_wait_edge_t;

/* Just now; only endpoints that `waits` was set for. False: there is none of
 * that name. Threads: any. Blocks: never. */
THEATER_API bool theater_router_waits(theater_router_t *router,
                                      theater_bytes_t name,
                                      theater_wait_edge_t *out);

/* --- Time, shutdown, counters ------------------------------------------- */

/* When theater_router_advance wants to be called next, in the environment's
 * nanoseconds; THEATER_NEVER. Threads: any. */
THEATER_API uint64_t theater_router_next_deadline(theater_router_t *router);

/* Fires what is due: deadlines, timed sends. Calls that wait do it by
 * themselves; a program that only starts operations calls it.
 * Threads: any, also several at once. */
THEATER_API void theater_router_advance(theater_router_t *router,
                                        uint64_t now_ns);

/* As theater_router_advance, but fires `max` at most (0: all), for a thread
 * that has other things to do: what is left stays due, so the next deadline
 * is past until it is fired. */
THEATER_API void theater_router_advance_some(theater_router_t *router,
                                             uint64_t now_ns, size_t max);

/* What a router has seen since it was made. */
typedef struct theater_counters {
    uint64_t accepted;  /* messages that entered a mailbox, or were dropped */
    uint64_t delivered; /* given to their receiver */
    uint64_t dead[THEATER_STATUS_COUNT]; /* dead letters by reason */
    uint64_t dead_total;                 /* their sum */
    uint64_t queued;                     /* accepted - delivered - dead_total */
    uint64_t refused[THEATER_STATUS_COUNT]; /* never accepted, by status */
    uint64_t linked;   /* one-way messages that a link took */
    uint64_t requests; /* begun */
    uint64_t ended[THEATER_STATUS_COUNT]; /* requests, by how they ended */
    uint64_t late;      /* answers to requests that had ended */
    uint64_t channels;  /* opened so far */
    uint64_t endpoints; /* registered now */
    uint64_t pending;   /* operations under way now */
} theater_counters_t;

/* Exact at quiet moments; messages in motion may be counted on one side only
 * otherwise. Threads: any. */
THEATER_API void theater_router_counters(theater_router_t *router,
                                         theater_counters_t *out);

/* What theater_router_shutdown came to. */
typedef struct theater_shutdown_report {
    uint64_t drained; /* handled since the call */
    uint64_t dead;    /* became dead letters since the call */
} theater_shutdown_report_t;

/* Begins to drain: sends and requests that no delivery makes are refused with
 * SHUTTING_DOWN. Threads: any. Blocks: never. */
THEATER_API void theater_router_drain(theater_router_t *router);

/* Drains, waits until nothing is queued or handled, at most `timeout_ms`
 * (0: 5,000); then refuses everything, and what is left becomes dead letters
 * as its owners receive, or unregister. Owners go on receiving meanwhile.
 * `out` may be NULL. Threads: not a worker. Returns: OK, TIMEOUT (some were
 * left), WRONG_THREAD. */
THEATER_API THEATER_CHECKED theater_status_t
theater_router_shutdown(theater_router_t *router, uint32_t timeout_ms,
                        theater_shutdown_report_t *out);

#ifdef __cplusplus
}
#endif

#endif
