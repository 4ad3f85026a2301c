/* SPDX-License-Identifier: Apache-2.0 */
/* The one table of outcomes. Every function that can fail answers one of
 * these; the table gives code, name and a sentence, and everything that lists
 * statuses (documents, `theater errors`, tests) is made from it. */
#ifndef THEATER_STATUS_H
#define THEATER_STATUS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* CHECKED: the compiler warns when the status is not looked at. API: seen
 * from outside of the shared library. */
#if defined(__GNUC__)
#define THEATER_CHECKED __attribute__((warn_unused_result))
#define THEATER_API __attribute__((visibility("default")))
#else
#define THEATER_CHECKED
#define THEATER_API
#endif

#ifdef __cplusplus
extern "C" {
#endif

/* X(code, NAME, "name", "sentence"). Numbers are fixed for ever. 1 to 14 are
 * the guests' `error-code` of wit/actor.wit, in its order, plus one. */
#define THEATER_STATUS_TABLE(X)                                                \
    X(0, OK, "ok", "It was done.")                                             \
    X(1, NOT_FOUND, "not-found", "Nobody has that name.")                      \
    X(2, DENIED, "denied", "A permission forbids it.")                         \
    X(3, MAILBOX_FULL, "mailbox-full",                                         \
      "The receiver's mailbox, or a bound of the router, is reached.")         \
    X(4, TIMEOUT, "timeout", "The deadline passed.")                           \
    X(5, CANCELLED, "cancelled", "Cancelled by either side.")                  \
    X(6, CLOSED, "closed", "The other end stopped, crashed or closed.")        \
    X(7, REJECTED, "rejected", "The target refused the channel.")              \
    X(8, FAILED, "failed", "The target's handler answered with an error.")     \
    X(9, DEADLOCK, "deadlock", "Waiting would close a cycle of requests.")     \
    X(10, TOO_LARGE, "too-large", "Over the limit of one message.")            \
    X(11, INVALID_ARGUMENT, "invalid-argument",                                \
      "An argument is not of the form that is asked for.")                     \
    X(12, UNSUPPORTED, "unsupported", "The target has no handler for it.")     \
    X(13, SHUTTING_DOWN, "shutting-down", "The router is draining.")           \
    X(14, UNREACHABLE, "unreachable",                                          \
      "The node that has the name cannot be reached.")                         \
    X(15, OUT_OF_MEMORY, "out-of-memory", "Memory could not be had.")          \
    X(16, WRONG_THREAD, "wrong-thread",                                        \
      "A call that blocks was made on a worker.")                              \
    X(17, ALREADY_EXISTS, "already-exists", "The name is taken.")              \
    X(18, IO, "io", "A file could not be read or written.")                    \
    X(19, BAD_MANIFEST, "bad-manifest", "The manifest is not valid.")          \
    X(20, BAD_MODULE, "bad-module",                                            \
      "The module is not valid, or imports what it was not granted.")          \
    X(21, TRAPPED, "trapped", "The actor trapped.")                            \
    X(22, LIMIT, "limit", "The actor broke a limit of its manifest.")          \
    X(23, EMPTY, "empty", "There is nothing to take.")                         \
    X(24, PENDING, "pending", "Accepted; the outcome comes later.")            \
    X(25, BUG, "bug", "The library broke a promise of its own; report it.")

/* How a call has ended; made from the table. */
typedef enum theater_status {
#define THEATER_STATUS_ENUM(code, NAME, name, text) THEATER_##NAME = (code),
    THEATER_STATUS_TABLE(THEATER_STATUS_ENUM)
#undef THEATER_STATUS_ENUM
} theater_status_t;

enum { THEATER_STATUS_COUNT = 26 };

/* The status's name as in the table ("mailbox-full"); "unknown" for a number
 * that is not in it. Static. Threads: any. */
THEATER_API const char *theater_status_name(theater_status_t status);

/* The status's sentence; static. Threads: any. */
THEATER_API const char *theater_status_text(theater_status_t status);

enum { THEATER_ERROR_TEXT = 400, THEATER_ERROR_ORIGIN = 112 };

/* The why, for a person: filled by functions that take one as their last
 * parameter, which may be NULL. Owned by the caller, never on the heap. */
typedef struct theater_error {
    theater_status_t status;           /* what the function answered */
    char origin[THEATER_ERROR_ORIGIN]; /* where: "pong.toml:3:1", "pong.wasm" */
    char text[THEATER_ERROR_TEXT];     /* what and what to do; cut if longer */
} theater_error_t;

#ifdef __cplusplus
}
#endif

#endif
