/* SPDX-License-Identifier: Apache-2.0 */
/* What an actor may do with the message server, and to whom. Checked by the
 * router where a message enters it, by what the actor initiates; answering a
 * request and using a channel that was accepted need no permission. */
#ifndef THEATER_PERMISSIONS_H
#define THEATER_PERMISSIONS_H

#include <theater/status.h>

#ifdef __cplusplus
extern "C" {
#endif

/* Borrowed wherever it is passed: the callee copies what it keeps. */
typedef struct theater_permissions {
    size_t size;            /* sizeof(theater_permissions_t) */
    bool can_send;          /* one-way messages, batches, broadcasts, timed */
    bool can_request;       /* requests */
    bool can_open_channels; /* opening; accepting needs no permission */
    /* Names, each with at most one `*`, at its end. NULL means everybody; a
     * list of length zero nobody. */
    const char *const *allowed_targets;
    size_t allowed_targets_len; /* entries in allowed_targets */
} theater_permissions_t;

/* All three, towards everybody. */
#define THEATER_PERMISSIONS_INIT                                               \
    {sizeof(theater_permissions_t), true, true, true, NULL, 0}

/* Does `name` match `pattern` (exact, or a prefix before one trailing `*`)?
 * Threads: any. */
THEATER_API bool theater_pattern_matches(const char *pattern, const char *name,
                                         size_t name_len);

/* Is `pattern` of the form above and within the bounds of a name?
 * Returns: OK, INVALID_ARGUMENT. Threads: any. */
THEATER_API THEATER_CHECKED theater_status_t
theater_pattern_check(const char *pattern);

#ifdef __cplusplus
}
#endif

#endif
