/* SPDX-License-Identifier: Apache-2.0 */
/* The cage: one runtime in which a pair of bystanders exchange messages all
 * the time while hostile actors are let in, one after the other. It keeps how
 * each has ended and whether the bystanders went on meanwhile. */
#ifndef TH_TESTS_HOSTILE_CAGE_H
#define TH_TESTS_HOSTILE_CAGE_H

#include "../impossible/stage.h"

#include <theater/channel.h>

enum { CAGE_MAX = 16384, CAGE_WASM_MAX = 1 << 20 };

/* How a hostile actor is expected to end. */
enum cage_end {
    CAGE_REFUSED, /* is not spawned: `status`, and the text has `says` */
    CAGE_FAILS,   /* fails: `status`, and the event's text has `says` */
    CAGE_STOPS,   /* stops by itself, or when asked to */
    CAGE_LIVES,   /* logs "done", lives on, answers a stop */
};

/* What makes it act, apart from being there. */
enum cage_poke {
    CAGE_NONE,
    CAGE_SEND,    /* a one-way message */
    CAGE_REQUEST, /* a request */
    CAGE_HOARD,   /* 1,200 requests at once */
    CAGE_OPEN,    /* somebody opens a channel to it */
    CAGE_STREAM,  /* ... and sends on it */
    CAGE_CLOSE,   /* ... and closes it */
    CAGE_STOP,    /* it is asked to stop */
};

struct hostile {
    const char *name;  /* a sentence about what it does */
    const char *wat;   /* NULL: the guest `pest`, told by `state` */
    enum cage_end end; /* expected */
    theater_status_t status;
    const char *says; /* NULL: anything */
    enum cage_poke poke;
    const char *limits; /* lines of [limits]; NULL: run_time and such short */
    const char *keys;   /* of the message server; NULL: none */
    const char *state;  /* initial; NULL: none */
    const char *top;    /* other lines of the manifest; NULL: none */
};

/* The bystanders pass so many messages round and round: with one, only one of
 * them ever has something to do. `left`: the left one is a native actor. */
void cage_open(const theater_native_ops_t *left, void *self, unsigned rounds);
void cage_close(void);
struct stage *cage_stage(void);
/* Somebody opens a channel to the vault, which it keeps. */
void cage_open_vault(void);

/* One hostile actor from its spawn to its end; fails the test when it ends
 * otherwise or when the bystanders stand still. */
void cage_run(const struct hostile *actor);
/* The same in two steps: its manifest, for as many lives as one likes. */
theater_manifest_t *cage_manifest_of(const struct hostile *actor);
void cage_run_again(const struct hostile *actor,
                    const theater_manifest_t *manifest);

/* Spawns under a name of its own; `out_id` finds it again. */
theater_status_t cage_spawn_wasm(theater_bytes_t wasm, const char *manifest,
                                 theater_bytes_t state, unsigned *out_id,
                                 theater_error_t *err);
theater_status_t cage_spawn_wat(const char *wat, const char *manifest,
                                theater_bytes_t state, unsigned *out_id,
                                theater_error_t *err);
/* From text to a module; fails the test when it is none. The caller frees
 * `data`. */
theater_bytes_t cage_wasm_of(const char *wat);
/* A manifest for one module: loaded once, for many spawns. */
theater_manifest_t *cage_manifest(theater_bytes_t wasm, const char *manifest);
theater_status_t cage_spawn(const theater_manifest_t *manifest,
                            theater_bytes_t state, unsigned *out_id,
                            theater_error_t *err);

/* Waits for the actor's end. True: it failed with *out_status; its text is
 * valid until the cage closes. */
bool cage_await_end(unsigned id, theater_status_t *out_status,
                    const char **out_text);
bool cage_has_ended(unsigned id);
void cage_stop(unsigned id);

/* Round trips of the bystanders so far. */
uint64_t cage_rounds(void);
/* Between the two the bystanders must have gone on. */
void cage_watch_begin(void);
void cage_watch_end(const char *meanwhile);

/* What a module text is made of. */
#define CAGE_MS "\"theater:actor/message-server@0.1.0\""
#define CAGE_RT "\"theater:actor/runtime@0.1.0\""
#define WAT_SEND                                                               \
    "(import " CAGE_MS " \"send\" (func $send"                                 \
    " (param i32 i32 i32 i32 i32)))"
#define WAT_REQUEST                                                            \
    "(import " CAGE_MS " \"request\" (func $request"                           \
    " (param i32 i32 i32 i32 i32)))"
#define WAT_NAME "(import " CAGE_RT " \"self-name\" (func $name (param i32)))"
#define WAT_NOW "(import " CAGE_RT " \"now-ms\" (func $now (result i64)))"
#define WAT_LOG "(import " CAGE_RT " \"log\" (func $log (param i32 i32 i32)))"
#define WAT_STOP "(import " CAGE_RT " \"stop\" (func $stop (param i32 i32)))"
#define WAT_MEMORY "(memory (export \"memory\") 1)"
#define WAT_REALLOC                                                            \
    "(global $top (mut i32) (i32.const 4096))"                                 \
    "(func $realloc (export \"cabi_realloc\")"                                 \
    " (param i32 i32 i32 i32) (result i32) (local $p i32)"                     \
    " (local.set $p (i32.and (i32.add (global.get $top)"                       \
    "  (i32.const 7)) (i32.const -8)))"                                        \
    " (global.set $top (i32.add (local.get $p) (local.get 3)))"                \
    " (local.get $p))"
#define WAT_DONE                                                               \
    "(data (i32.const 32) \"done\")"                                           \
    "(func $done (call $log (i32.const 2) (i32.const 32) (i32.const 4)))"

#endif
