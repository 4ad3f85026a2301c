/* SPDX-License-Identifier: Apache-2.0 */
/* Links: where a name that is not registered in a router may be found
 * instead, such as another machine. A table of operations that a transport
 * brings. The library has none of its own yet. */
#ifndef THEATER_LINK_H
#define THEATER_LINK_H

#include <theater/router.h>

#ifdef __cplusplus
extern "C" {
#endif

enum { THEATER_LINKS_MAX = 8 };

/* All functions: threads: any, several at once. Blocks: never. Views are
 * borrowed for the call. `sender` has data NULL when there is no name. The
 * sender's permissions and the bound of a message were checked before. */
typedef struct theater_link_ops {
    size_t size; /* sizeof(theater_link_ops_t) */
    /* Is it there? OK: this link takes what goes to that name. NOT_FOUND: the
     * next link is asked. UNREACHABLE: it is there, and can't be reached. */
    theater_status_t (*resolve)(void *ctx, theater_bytes_t target);
    /* Takes a one-way message, or says why not. What it took is the link's to
     * account for: the router counts it as linked, not as accepted. */
    theater_status_t (*send)(void *ctx, theater_bytes_t sender,
                             theater_bytes_t target, theater_bytes_t data);
    /* Takes a request: OK, and theater_link_answer follows, from any thread,
     * also before this returns; a deadline of the router's runs meanwhile.
     * NULL: the link carries no requests. */
    theater_status_t (*request)(void *ctx, theater_bytes_t sender,
                                theater_bytes_t target, theater_bytes_t data,
                                theater_request_id_t id);
} theater_link_ops_t;

/* Adds a link; asked in the order of adding. Channels do not go over links.
 * Owns:    `ops` and `ctx` are borrowed for the router's life.
 * Threads: setup (before names are looked up).
 * Returns: OK, INVALID_ARGUMENT (more than THEATER_LINKS_MAX, no resolve or
 * no send). */
THEATER_API THEATER_CHECKED theater_status_t theater_router_add_link(
    theater_router_t *router, const theater_link_ops_t *ops, void *ctx);

/* Ends a request that a link took: OK and the answer, FAILED and a text, or
 * another status. Threads: any. Returns: OK, CLOSED (it had ended: counted as
 * late), INVALID_ARGUMENT, TOO_LARGE, OUT_OF_MEMORY. */
THEATER_API THEATER_CHECKED theater_status_t
theater_link_answer(theater_router_t *router, theater_request_id_t id,
                    theater_status_t status, theater_bytes_t data);

#ifdef __cplusplus
}
#endif

#endif
