/* SPDX-License-Identifier: Apache-2.0 */
/* Channels: two-way streams between two endpoints, opened by one, accepted by
 * the other, bounded by credit, closed by either with a reason. */
#ifndef THEATER_CHANNEL_H
#define THEATER_CHANNEL_H

#include <theater/router.h>

#ifdef __cplusplus
extern "C" {
#endif

/* How an open has ended: as theater_done_fn, its stack too; OK: `channel` is
 * open. */
typedef void theater_opened_fn(void *user, theater_status_t status,
                               theater_channel_id_t channel);

/* Asks `target` for a channel. PENDING: `done` will be told OK, REJECTED,
 * TIMEOUT, CANCELLED, CLOSED, DEADLOCK, MAILBOX_FULL. Any other status:
 * refused. `from` must not be NULL. `timeout_ms` 0: the router's.
 * Threads: owner of `from`. Blocks: never. Returns: as
 * theater_router_request_start; MAILBOX_FULL also at max_channels. */
THEATER_API THEATER_CHECKED theater_status_t theater_channel_open_start(
    theater_endpoint_t *from, theater_bytes_t target, theater_bytes_t data,
    uint32_t timeout_ms, theater_opened_fn *done, void *user,
    theater_request_id_t *out_id);

/* The same, but the calling thread waits. Threads: owner, not a worker. */
THEATER_API THEATER_CHECKED theater_status_t theater_channel_open(
    theater_endpoint_t *from, theater_bytes_t target, theater_bytes_t data,
    uint32_t timeout_ms, theater_channel_id_t *out_channel);

/* Inside the handling of a CHANNEL_OPEN: decides it. Not decided until
 * theater_endpoint_done: rejected. An accept that comes after the opener's
 * deadline answers CLOSED, and a CHANNEL_CLOSE follows.
 * Threads: owner. Returns: OK, CLOSED, INVALID_ARGUMENT (none is handled, or
 * it is decided), MAILBOX_FULL (max_channels), OUT_OF_MEMORY. */
THEATER_API THEATER_CHECKED theater_status_t
theater_channel_accept(theater_endpoint_t *endpoint);
THEATER_API THEATER_CHECKED theater_status_t
theater_channel_reject(theater_endpoint_t *endpoint);

/* Sends on a channel of this endpoint. Within credit, in order with all else
 * that it sends to the other end. Inside the handling of its CHANNEL_OPEN it
 * is held until the accept.
 * Threads: owner. Blocks: never. Returns: OK, MAILBOX_FULL (no credit),
 * CLOSED, INVALID_ARGUMENT (no channel of this endpoint), TOO_LARGE,
 * SHUTTING_DOWN, OUT_OF_MEMORY. */
THEATER_API THEATER_CHECKED theater_status_t
theater_channel_send(theater_endpoint_t *endpoint, theater_channel_id_t channel,
                     theater_bytes_t data);

/* When theater_channel_send answered MAILBOX_FULL: PENDING, and `done` is
 * told OK when there may be credit again (send once more), MAILBOX_FULL
 * (timeout, or a cycle), CLOSED, CANCELLED. OK: there is credit already. One
 * wait at a time for a channel. */
THEATER_API THEATER_CHECKED theater_status_t theater_channel_credit_start(
    theater_endpoint_t *endpoint, theater_channel_id_t channel, size_t len,
    uint32_t timeout_ms, theater_done_fn *done, void *user,
    theater_request_id_t *out_id);

/* As theater_channel_send, but the calling thread waits for credit.
 * Threads: owner, not a worker. */
THEATER_API THEATER_CHECKED theater_status_t theater_channel_send_wait(
    theater_endpoint_t *endpoint, theater_channel_id_t channel,
    theater_bytes_t data, uint32_t timeout_ms);

/* Closes this end; the other end gets a CHANNEL_CLOSE behind what was sent.
 * `reason` OK: plain. Threads: owner. Returns: OK, INVALID_ARGUMENT. */
THEATER_API THEATER_CHECKED theater_status_t
theater_channel_close(theater_endpoint_t *endpoint,
                      theater_channel_id_t channel, theater_status_t reason);

/* Is that an open channel of this endpoint? Threads: owner. */
THEATER_API bool theater_channel_is_open(theater_endpoint_t *endpoint,
                                         theater_channel_id_t channel);

#ifdef __cplusplus
}
#endif

#endif
