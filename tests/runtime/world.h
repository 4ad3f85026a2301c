/* SPDX-License-Identifier: Apache-2.0 */
/* A runtime with the handlers "runtime" and "post", and everything that it
 * told: each event is one line of text, in order:
 *   "spawned NAME", "stopped NAME: REASON", "failed NAME: STATUS: REASON",
 *   "restarted NAME", "log NAME: TEXT", "stuck NAME: REPORT" */
#ifndef TH_TESTS_RUNTIME_WORLD_H
#define TH_TESTS_RUNTIME_WORLD_H

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <stdio.h>

#include <theater/runtime_handler.h>

#include "base/base.h"
#include "post.h"

enum { WORLD_LINES = 1 << 16, WAIT_MS = 20000 };

struct world {
    const theater_env_t *env;
    struct th_sim_env *sim; /* of a simulated world */
    theater_runtime_t *runtime;
    struct post *post;
    char **lines; /* what was told; guarded by lock */
    uint32_t lines_len;
    struct th_lock lock;
    _Atomic uint32_t epoch; /* changes with each line */
    const char *stop_on;    /* a line that has ann stopped within on_event */
};

struct world_options {
    const theater_env_t *env; /* NULL: the default, or a simulated one */
    bool simulated;
    uint64_t seed;
    unsigned workers;     /* 0: 2 */
    unsigned max_actors;  /* 0: the default */
    unsigned watchdog_ms; /* 0: none */
    const char *failing;  /* names whose set-up fails begin with it */
};

/* NULL options: the defaults. Fails the test when it can't be had. */
void world_start(struct world *world, const struct world_options *options);
/* The same with a status; for tests of failing memory. */
theater_status_t world_try(struct world *world,
                           const struct world_options *options);
/* Deletes the runtime and checks that nothing is left behind. */
void world_end(struct world *world);

/* A manifest of the player (tests/runtime/player.c) whose `extra` lines stand
 * before its handlers; to be released. */
theater_manifest_t *world_player(const char *extra);
/* A manifest of any text. */
theater_manifest_t *world_manifest(const char *text, bool native);

/* Spawns a player with a script as its initial state. */
void world_spawn(struct world *world, const char *name,
                 const theater_manifest_t *manifest, const char *script);

/* How often was it told so far? `prefix`: lines that begin with the text. */
size_t world_told(struct world *world, const char *text);
size_t world_told_prefix(struct world *world, const char *prefix);
/* Waits until it was told that often (bounded); fails the test if never. */
void world_await(struct world *world, const char *text, size_t times);
void world_await_prefix(struct world *world, const char *prefix, size_t times);
/* The first line with the prefix, or NULL; lives as long as the world. */
const char *world_line(struct world *world, const char *prefix);
/* Where is the n-th line with the prefix? -1: nowhere. */
int world_place(struct world *world, const char *prefix);

#endif
