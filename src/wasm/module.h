/* SPDX-License-Identifier: Apache-2.0 */
/* Compiled code and modules: what all guests of one file share. */
#ifndef TH_WASM_MODULE_H
#define TH_WASM_MODULE_H

#include "base/base.h"
#include "wasm/engine.h"
#include "wasm/sha256.h"

#include <wasmtime.h>

enum {
    TH_MAX_EXPORTS = 64,  /* of one handler */
    TH_MAX_ENTRIES = 128, /* exports of one module that are called */
};

/* --- Compiled code (code.c, code_file.c) -------------------------------- */
struct th_code {
    struct th_code *next; /* guarded by the engine's lock */
    struct th_digest key; /* of the wasm bytes */
    enum th_stack stack;
    bool is_component;
    uint32_t refs;          /* guarded by the engine's lock */
    _Atomic uint32_t state; /* 0 being made, 1 ready, 2 failed */
    wasmtime_module_t *module;
    wasmtime_component_t *component; /* instead of a module */
    theater_error_t err;             /* why it failed */
};
/* The compiled code of these bytes: found in memory, on disk, or compiled
 * now; of several threads one compiles. *out_found: it was not compiled. */
theater_status_t th_code_get(struct th_engine *engine, const char *path,
                             theater_bytes_t wasm, const struct th_digest *key,
                             enum th_stack stack, struct th_code **out,
                             bool *out_found, theater_error_t *err);
/* By its header: is it a component (and not a core module)? */
bool th_code_is_component(theater_bytes_t wasm);
/* state.c: bytes at most of an instance of its largest core module, beside
 * memories and tables. */
uint64_t th_state_bytes(theater_bytes_t wasm);
/* The same for generated text. */
theater_status_t th_code_get_text(struct th_engine *engine, const char *text,
                                  size_t len, enum th_stack stack,
                                  struct th_code **out, theater_error_t *err);
void th_code_release(struct th_engine *engine, struct th_code *code);
/* Reads or writes the file of compiled code; true: it was used. */
bool th_code_file_read(struct th_engine *engine, wasm_engine_t *wasm,
                       struct th_code *code);
void th_code_file_write(struct th_engine *engine, const struct th_code *code);

/* --- Modules (module.c, check.c, text.c, link.c) ------------------------ */
struct th_guest;
struct th_component;

/* A host function that the guest imports. */
struct th_import {
    const theater_host_function_t *fn; /* NULL: of WASI */
    const struct th_wasi_function *wasi;
    const struct th_wasi2_function *wasi2; /* of a component; or NULL */
    size_t grant;                          /* whose it is */
    char *module;                          /* as the guest says it */
    char *name;                            /* the same */
    bool wrapped; /* called through the imports module */
};

/* A guest export that deliveries call. */
struct th_entry {
    const theater_guest_export_t *type;
    size_t grant;
    bool has_post;    /* cabi_post_<name> */
    bool plain;       /* one parameter, which is allocated */
    uint8_t index;    /* in the module's entries */
    uint8_t values;   /* parameters; a value for each comes from recv */
    uint8_t pointers; /* of them, those that are allocated */
    bool allocates[THEATER_MAX_PARAMS];
};

struct th_module {
    struct th_module *next; /* guarded by the engine's lock */
    struct th_engine *engine;
    uint32_t refs;        /* guarded by the engine's lock */
    atomic_bool cached;   /* the last load found it; a statistic, relaxed */
    struct th_digest key; /* of the guest's bytes */
    enum th_stack stack;
    char *path; /* of the first load; for messages */
    size_t grants_len;
    struct th_grant grants[TH_MAX_GRANTS];
    uint64_t exports[TH_MAX_GRANTS];
    int16_t entry_of[TH_MAX_GRANTS][TH_MAX_EXPORTS]; /* -1: not exported */
    struct th_entry *entries;
    size_t entries_len;
    size_t values; /* most values of an entry: what recv answers */
    struct th_import *imports;
    size_t imports_len;
    bool has_run, has_start, has_stop, has_initialize, has_memory, has_realloc;
    bool has_arena;                 /* theater_arena */
    bool wraps;                     /* an import is wrapped */
    uint64_t state_bytes;           /* of an instance, at most; see state.c */
    struct th_component *component; /* NULL: a core module */
    struct th_code *guest, *imports_code, *loop_code; /* last two: or NULL */
    wasmtime_instance_pre_t *imports_pre;
    wasmtime_linker_t *linker;          /* what is the same for all guests */
    _Atomic(wasmtime_linker_t *) spare; /* a copy that is not in use */
};

/* Does the imports module call the guest's cabi_realloc? The loop module puts
 * it into the table that it calls through. */
static inline bool th_module_ties(const struct th_module *module)
{
    return module->wraps && module->has_realloc;
}
theater_status_t th_module_check(struct th_module *module,
                                 theater_error_t *err);
/* The error for an import that no handler grants. */
theater_status_t th_check_not_granted(const struct th_module *module,
                                      const char *from, const char *name,
                                      theater_error_t *err);
theater_status_t th_module_link(struct th_module *module, theater_error_t *err);
void th_module_unlink(struct th_module *module);
wasmtime_linker_t *th_module_take_linker(struct th_module *module);
void th_module_give_linker(struct th_module *module, wasmtime_linker_t *linker);

/* Core types of a signature, flattened by the canonical ABI. */
struct th_core_type {
    uint8_t params_len, results_len;
    uint8_t params[16], results[1]; /* WASM_I32 or WASM_I64 */
};
void th_core_of_import(const theater_type_t *params, theater_type_t result,
                       struct th_core_type *out);
void th_core_of_export(const theater_guest_export_t *type,
                       struct th_core_type *out);
bool th_core_matches(const struct th_core_type *type,
                     const wasm_functype_t *actual);
/* "(i32, i32) -> i32" */
void th_core_show(const struct th_core_type *type, char *out, size_t size);
void th_core_show_actual(const wasm_functype_t *actual, char *out, size_t size);
wasm_functype_t *th_core_functype(const struct th_core_type *type);
void th_import_core(const struct th_import *import, struct th_core_type *out);

/* Text of the generated modules; NULL: out of memory. Freed with th_free. */
char *th_text_imports(const struct th_module *module, size_t *out_len);
char *th_text_loop(const struct th_module *module, size_t *out_len);
bool th_import_waits(const struct th_import *import);

/* Bytes that a result takes where the guest's pointer points. */
static inline uint32_t th_result_size(theater_type_t result)
{
    switch (result) {
    case THEATER_TYPE_STRING:
    case THEATER_TYPE_BYTES:
    case THEATER_TYPE_STRING_LIST:
    case THEATER_TYPE_BYTES_LIST:
    case THEATER_TYPE_CODE_LIST:
        return 8;
    case THEATER_TYPE_OPTION_STRING:
    case THEATER_TYPE_OPTION_BYTES:
        return 12;
    default:
        return 16;
    }
}

static inline bool th_result_by_pointer(theater_type_t result)
{
    switch (result) {
    case THEATER_TYPE_NONE:
    case THEATER_TYPE_BOOL:
    case THEATER_TYPE_ENUM:
    case THEATER_TYPE_U32:
    case THEATER_TYPE_U64:
        return false;
    default:
        return true;
    }
}

#endif
