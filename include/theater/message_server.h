/* SPDX-License-Identifier: Apache-2.0 */
/* The message-server handler: joins a router and a runtime. One prototype is
 * registered under "message-server"; every actor whose manifest lists it gets
 * an instance: an endpoint with the actor's name. */
#ifndef THEATER_MESSAGE_SERVER_H
#define THEATER_MESSAGE_SERVER_H

#include <theater/channel.h>
#include <theater/handler.h>
#include <theater/router.h>

#ifdef __cplusplus
extern "C" {
#endif

/* The handler made from a router. */
typedef struct theater_message_server theater_message_server_t;

/* The exports that it calls, in the order of its table: the export_index of
 * a delivery to a native actor. One that has decided a request or an open by
 * itself (theater_endpoint_defer, _respond, theater_channel_accept, ...) sets
 * the delivery's status to PENDING: its result is then not looked at. */
typedef enum theater_message_server_export {
    THEATER_HANDLE_SEND,            /* args: data */
    THEATER_HANDLE_REQUEST,         /* args: data; result: REPLY */
    THEATER_HANDLE_CHANNEL_OPEN,    /* args: initiator, data; result: BOOL */
    THEATER_HANDLE_CHANNEL_MESSAGE, /* args: channel id (text), data */
    THEATER_HANDLE_CHANNEL_CLOSE,   /* args: channel id (text) */
} theater_message_server_export_t;

/* Makes the prototype. It retains the router. `permissions` (NULL: all) is
 * what any actor may do at most: the manifest's are intersected with it.
 * Threads: any. Returns: OK, INVALID_ARGUMENT, OUT_OF_MEMORY. */
THEATER_API THEATER_CHECKED theater_status_t theater_message_server_new(
    theater_router_t *router, const theater_permissions_t *permissions,
    theater_message_server_t **out_server);

/* For a prototype that was not registered; NULL is fine. */
THEATER_API void
theater_message_server_delete(theater_message_server_t *server);

/* Its table, for theater_handler_registry_register(registry,
 * "message-server", theater_message_server_ops(), server). Static. */
THEATER_API const theater_handler_ops_t *theater_message_server_ops(void);

/* The endpoint of a native actor, for the calls of theater/router.h and
 * theater/channel.h, or NULL when its manifest does not list the handler.
 * Threads: the actor's own callbacks. */
THEATER_API theater_endpoint_t *
theater_message_server_endpoint(theater_actor_t *actor);

/* The message that a native actor is handling: sender, ids, reason; NULL
 * outside. Threads: the actor's own callbacks. */
THEATER_API const theater_message_t *
theater_message_server_current(theater_actor_t *actor);

#ifdef __cplusplus
}
#endif

#endif
