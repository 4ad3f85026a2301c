/* SPDX-License-Identifier: Apache-2.0 */
/* The handlers that a runtime knows, in the order of their registration. Not
 * the actors: those are in actors.h. */
#ifndef TH_RUNTIME_REGISTRY_H
#define TH_RUNTIME_REGISTRY_H

#include <theater/runtime.h>

enum { TH_MAX_HANDLERS = 32 };

struct th_registered {
    const char *type;                 /* "runtime"; borrowed */
    const theater_handler_ops_t *ops; /* static */
    void *prototype;                  /* the registry's */
};

struct theater_handler_registry {
    const theater_env_t *env;                    /* never NULL */
    size_t len;                                  /* entries in use */
    struct th_registered items[TH_MAX_HANDLERS]; /* in order */
    /* The same for theater_manifest_check. */
    theater_handler_keys_t keys[TH_MAX_HANDLERS];
};

/* NULL when no handler has that type. Threads: any. */
const struct th_registered *
th_registry_find(const struct theater_handler_registry *registry,
                 const char *type);

/* The timers of all handlers as one source; `ctx` is the registry.
 * Threads: any. */
uint64_t th_registry_next_deadline(void *ctx);
void th_registry_advance(void *ctx, uint64_t now_ns);
bool th_registry_busy(void *ctx);

#endif
