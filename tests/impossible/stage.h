/* SPDX-License-Identifier: Apache-2.0 */
/* The whole product on a stage: a router, the message server, a runtime, and
 * guests; every event becomes a line of text that a test can wait for:
 *   "spawned NAME", "stopped NAME: REASON", "failed NAME: STATUS: REASON",
 *   "restarted NAME", "log NAME: TEXT" */
#ifndef TH_TESTS_IMPOSSIBLE_STAGE_H
#define TH_TESTS_IMPOSSIBLE_STAGE_H

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <stdio.h>
#include <string.h>

#include <theater/message_server.h>
#include <theater/runtime_handler.h>

#include "base/base.h"

enum { STAGE_WAIT_MS = 30000, STAGE_ANSWER = 65536 };

struct stage_options {
    bool simulated;
    uint64_t seed;
    unsigned workers;      /* 0: 2 */
    const char *cache_dir; /* compiled code; NULL: none is kept */
    const theater_permissions_t *permissions; /* the embedder's; NULL: all */
    /* Each event, as its line; lines are not kept then. */
    void (*on_line)(void *user, const char *line);
    void (*on_dead_letter)(void *user, const theater_dead_letter_t *letter);
    void *user; /* of the two */
};

struct stage {
    struct stage_options options;
    const theater_env_t *env;
    struct th_sim_env *sim;
    theater_router_t *router;
    theater_runtime_t *runtime;
    char **lines; /* guarded by lock */
    size_t lines_len, lines_size;
    struct th_lock lock;
    _Atomic uint32_t epoch;    /* changes with each line */
    _Atomic uint64_t dead;     /* dead letters that were told */
    theater_status_t status;   /* of the last stage_ask */
    char answer[STAGE_ANSWER]; /* of the last stage_ask, a zero behind it */
};

/* NULL options: the defaults. */
void stage_start(struct stage *stage, const struct stage_options *options);
/* Ends everybody and checks the router's books: what was accepted was
 * delivered or told as a dead letter, every request has ended. */
void stage_end(struct stage *stage);

/* Where guests are: the build's folder, or one with the same of them as
 * components (tests/components/run.sh). */
const char *stage_folder(void);
/* A manifest for a module of the build folder ("tests/guests/driver.wasm"):
 * `top` stands before the handlers, `keys` are the message server's. */
theater_manifest_t *stage_manifest(const char *module, const char *top,
                                   const char *keys);
/* Spawns it; `state` NULL: none. */
void stage_spawn(struct stage *stage, const char *name,
                 const theater_manifest_t *manifest, const char *state);
theater_status_t stage_try_spawn(struct stage *stage, const char *name,
                                 const theater_manifest_t *manifest,
                                 const char *state, bool paused);
/* The same with a manifest of its own and no state. */
void stage_actor(struct stage *stage, const char *name, const char *module,
                 const char *keys);

/* A request of the test's own thread, which has no name. Answers the text, or
 * the status's name; `status` has the status. Valid until the next one. */
const char *stage_ask(struct stage *stage, const char *name, const char *what);
/* A one-way message of the test's own thread. */
theater_status_t stage_send(struct stage *stage, const char *name,
                            const char *what);

/* How many lines begin so? */
size_t stage_told(struct stage *stage, const char *prefix);
/* Waits until so many do; fails the test if they never do. */
void stage_await(struct stage *stage, const char *prefix, size_t times);
/* Waits until nothing can happen any more. */
void stage_quiet(struct stage *stage);

theater_bytes_t stage_text(const char *text);
theater_counters_t stage_counters(struct stage *stage);
/* Nanoseconds of the real clock. */
uint64_t stage_now(void);

#endif
