/* SPDX-License-Identifier: Apache-2.0 */
/* A world for tests of this folder: an engine, a handler whose host functions
 * do what the test says, and guests written as WebAssembly text that are fed
 * from a list of deliveries. Each test links it and nothing of the runtime. */
#ifndef TH_WASM_WORLD_TESTING_H
#define TH_WASM_WORLD_TESTING_H

#include "base/base.h"
#include "wasm/engine.h"

enum { WORLD_DELIVERIES = 4096, WORLD_TEXT = 512 };

/* The exports of the test handler, by index. */
enum {
    WORLD_SEND,    /* handle-send(bytes) */
    WORLD_REQUEST, /* handle-request(bytes) -> reply */
    WORLD_OPEN,    /* handle-channel-open(string, bytes) -> bool */
    WORLD_NUMBER,  /* handle-number(u32, bool) */
};

struct world_delivery {
    theater_delivery_t delivery;
    uint8_t data[64];
    bool done;
    char answer[64]; /* copy of the answer's bytes */
    size_t answer_len;
};

struct world;

/* A guest and what its hooks keep. */
struct world_guest {
    struct world *world;
    struct th_guest *guest;
    struct th_module *module;
    void *instances[2];
    struct world_delivery *deliveries; /* WORLD_DELIVERIES of them */
    size_t pushed, taken, finished;
    bool yield;              /* what should_yield answers */
    unsigned asked;          /* how often */
    char output[WORLD_TEXT]; /* lines, each ended by '|' */
    size_t output_bytes;     /* of all lines, as they came */
    uint64_t wake_at;
    theater_error_t err; /* of the last enter or new */
    /* Of the host functions: */
    unsigned sends, waits, cancels, releases, resumes;
    bool must_wait;          /* `request` waits until `answer` is set */
    const char *answer;      /* NULL: none yet */
    theater_status_t refuse; /* `send` and `request` answer this; OK: fine */
    char last[64];           /* last bytes that came through `send` */
    size_t last_len, last_target_len, last_list_len;
};

struct world {
    const theater_env_t *env;
    struct th_engine *engine;
    struct th_grant grants[1];
    char notices[WORLD_TEXT];
    unsigned notices_len;
    bool fuel;
    bool ending; /* what is_ending answers */
};

/* Options that a test may change before world_guest. */
extern struct th_guest_options world_options;

void world_open(struct world *world, const theater_env_t *env, bool fuel,
                const char *cache_dir);
theater_status_t world_try_open(struct world *world, const theater_env_t *env,
                                bool fuel, const char *cache_dir);
void world_close(struct world *world);
theater_status_t world_load(struct world *world, const char *wat,
                            enum th_stack stack, struct th_module **out,
                            theater_error_t *err);
/* Loads and makes a guest; NULL when that failed, and w->err says why. */
theater_status_t world_guest_new(struct world *world, struct world_guest *g,
                                 const char *wat);
void world_guest_end(struct world_guest *g);
void world_push(struct world_guest *g, unsigned export_index, const char *a,
                const char *b);
enum th_guest_state world_enter(struct world_guest *g,
                                enum th_guest_entry entry);
/* Enters until the guest does not yield any more. */
enum th_guest_state world_run(struct world_guest *g, enum th_guest_entry entry);

/* What most guests are made of: memory, cabi_realloc (a bump allocator that
 * nobody empties), and the imports of the test handler that are wanted. */
#define WAT_IMPORT_SEND                                                        \
    "(import \"test:world/api@0.1.0\" \"send\" (func $send"                    \
    " (param i32 i32 i32 i32 i32)))"
#define WAT_IMPORT_REQUEST                                                     \
    "(import \"test:world/api@0.1.0\" \"request\" (func $request"              \
    " (param i32 i32 i32 i32 i32)))"
#define WAT_REALLOC                                                            \
    "(global $top (mut i32) (i32.const 4096))"                                 \
    "(func $realloc (export \"cabi_realloc\")"                                 \
    " (param i32 i32 i32 i32) (result i32) (local $p i32)"                     \
    " (local.set $p (i32.and (i32.add (global.get $top)"                       \
    "  (i32.const 7)) (i32.const -8)))"                                        \
    " (global.set $top (i32.add (local.get $p) (local.get 3)))"                \
    " (local.get $p))"
#define WAT_MEMORY "(memory (export \"memory\") 1)"

#endif
