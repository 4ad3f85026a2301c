/* SPDX-License-Identifier: Apache-2.0 */
/* For scenarios of the runtime, its handlers and guests: a world, and the
 * tables. */
#ifndef TH_TESTS_FAULTS_ACTS_ACTORS_H
#define TH_TESTS_FAULTS_ACTS_ACTORS_H

#include "act.h"

#include <theater/message_server.h>
#include <theater/runtime.h>
#include <theater/runtime_handler.h>

enum { WORLD_WAIT_MS = 30000, WORLD_ANSWER = 65536 };

struct world {
    theater_runtime_t *runtime;
    _Atomic uint32_t restarted; /* actors that failed and run again */
    theater_error_t err;        /* of the last spawn */
    char answer[WORLD_ANSWER];  /* of the last request */
};

struct world_options {
    bool simulated;
    const char *cache_dir;
    const theater_permissions_t *permissions;
};

/* A router and a runtime with its two handlers and one worker, step by step;
 * false: one of them was refused, and nothing is left of the others. */
bool world_make(struct act *act, const struct world_options *options);
void world_delete(struct act *act);

/* A native actor "echo" in a world of its own for each k. */
extern const struct stage stage_natives;
/* The same, simulated. */
extern const struct stage stage_simulated;
/* Two guests, drivers "a" and "b", in one world for all k; they are made anew
 * where a refusal has ended them. */
extern const struct stage stage_guests;

extern const struct scenario acts_manifest[], acts_runtime[], acts_native[],
    acts_host[], acts_spawn[], acts_component[];
extern const size_t acts_manifest_len, acts_runtime_len, acts_native_len,
    acts_host_len, acts_spawn_len, acts_component_len;

/* A manifest, made while nothing is refused: it lives until it is released. */
theater_manifest_t *manifest_of(struct act *act, const char *package,
                                const char *top, const char *keys);
theater_manifest_t *manifest_native(struct act *act, const char *name);
/* Spawns a native actor that answers what it is asked. */
theater_status_t spawn_echo_of(struct act *act,
                               const theater_manifest_t *manifest,
                               const char *name,
                               const theater_spawn_options_t *options);
theater_status_t spawn_echo(struct act *act, const char *name,
                            const theater_spawn_options_t *options);
/* What the actor answers; its text is in world->answer. */
theater_status_t request(struct act *act, const char *name, const char *line);
/* Is it OK? After a refusal the other one may have ended, or had no memory
 * for its answer. */
bool met_answer(struct act *act, theater_status_t got);
/* Until "x" was restarted (`before`: so often by now), or is gone, since what
 * that needs was refused. */
void await_restart(struct act *act, uint32_t before);
/* The status of the last refused spawn is that of its error, too. */
bool met_spawn(struct act *act, theater_status_t got, theater_status_t wanted);

#endif
