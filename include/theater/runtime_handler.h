/* SPDX-License-Identifier: Apache-2.0 */
/* The handler "runtime": what an actor may ask of the runtime itself
 * (theater:actor/runtime of wit/actor.wit): log, self-name, initial-state,
 * now-ms, sleep-ms, stop. It has no keys in a manifest and no deliveries. */
#ifndef THEATER_RUNTIME_HANDLER_H
#define THEATER_RUNTIME_HANDLER_H

#include <theater/runtime.h>

#ifdef __cplusplus
extern "C" {
#endif

/* Its table; static. Needs no prototype. Threads: any. */
THEATER_API const theater_handler_ops_t *theater_runtime_handler_ops(void);

/* Registers it under "runtime": the usual way.
 * Threads: setup. Returns: as theater_handler_registry_register. */
THEATER_API THEATER_CHECKED theater_status_t
theater_runtime_handler_register(theater_handler_registry_t *registry);

#ifdef __cplusplus
}
#endif

#endif
