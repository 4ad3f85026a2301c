/* SPDX-License-Identifier: Apache-2.0 */
/* A plan: everything that the actors of one manifest share, worked out once:
 * handlers in the manifest's order, the loaded module, limits. Immutable and
 * counted. Not an actor. */
#ifndef TH_RUNTIME_PLAN_H
#define TH_RUNTIME_PLAN_H

#include "base/base.h"
#include "runtime/registry.h"
#include "wasm/engine.h"

struct th_plan {
    const theater_env_t *env;
    _Atomic uint32_t count;             /* users; the last frees */
    const theater_manifest_t *manifest; /* retained */
    struct th_module *module;           /* NULL: native */
    uint8_t grants_len;                 /* handlers of the manifest */
    uint8_t sources_len;                /* of them, those with deliveries */
    /* Of their tables, so that a message needs no third look-up. */
    theater_status_t (*next[TH_MAX_GRANTS])(void *, theater_delivery_t *);
    void (*done[TH_MAX_GRANTS])(void *, theater_delivery_t *);
    uint8_t sources[TH_MAX_GRANTS]; /* their indices */
    struct th_grant grants[TH_MAX_GRANTS];
    const struct th_registered *handlers[TH_MAX_GRANTS];
    const theater_section_t *sections[TH_MAX_GRANTS];
};

struct theater_runtime;

/* The plan of a manifest, retained for the caller. A guest's package is read
 * and loaded once per manifest object, as long as the runtime remembers it.
 * Threads: any that may block.
 * Returns: OK, BAD_MANIFEST, BAD_MODULE, NOT_FOUND, IO, OUT_OF_MEMORY. */
THEATER_CHECKED theater_status_t th_plan_get(struct theater_runtime *runtime,
                                             const theater_manifest_t *manifest,
                                             bool native,
                                             struct th_plan **out_plan,
                                             theater_error_t *err);
struct th_plan *th_plan_retain(struct th_plan *plan);
void th_plan_release(struct th_plan *plan);
/* The runtime forgets the plans it remembers. */
void th_plans_forget(struct theater_runtime *runtime);

#endif
