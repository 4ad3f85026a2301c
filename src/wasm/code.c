/* SPDX-License-Identifier: Apache-2.0 */
/* Design notes
 *
 * Compiled code in memory, counted, found by the SHA-256 of the wasm bytes
 * and the stack class. The list is guarded by the engine's lock; compiling
 * happens outside of it. Whoever comes while another thread compiles the same
 * bytes waits for its `state` ([C1]: stored with release after `module` and
 * `err`, loaded with acquire). An entry that failed leaves the list at once,
 * and goes when the last who waited for it has read the reason.
 *
 * Blocks: for as long as a compilation takes; never on a worker. */
#include "wasm/internal.h"

enum { CODE_MAKING, CODE_READY, CODE_FAILED };

static struct th_code *find(struct th_engine *engine,
                            const struct th_digest *key, enum th_stack stack)
{
    for (struct th_code *code = engine->codes; code; code = code->next) {
        if (code->stack == stack && memcmp(&code->key, key, sizeof *key) == 0) {
            return code;
        }
    }
    return NULL;
}

static void unlist(struct th_engine *engine, struct th_code *code)
{
    for (struct th_code **at = &engine->codes; *at; at = &(*at)->next) {
        if (*at == code) {
            *at = code->next;
            return;
        }
    }
}

void th_code_release(struct th_engine *engine, struct th_code *code)
{
    if (code == NULL) {
        return;
    }
    th_lock(engine->env, &engine->lock);
    bool last = --code->refs == 0;
    if (last) {
        unlist(engine, code);
    }
    th_unlock(engine->env, &engine->lock);
    if (last) {
        if (code->module != NULL) {
            wasmtime_module_delete(code->module);
        }
        if (code->component != NULL) {
            wasmtime_component_delete(code->component);
        }
        th_free(engine->env, code);
    }
}

bool th_code_is_component(theater_bytes_t wasm)
{
    /* A version, and 1 for the layer of components. */
    static const uint8_t header[8] = {0, 'a', 's', 'm', 0x0d, 0, 1, 0};
    return wasm.len >= 8 && memcmp(wasm.data, header, 8) == 0;
}

/* Compiles, or reads what an earlier run compiled. */
static void make(struct th_engine *engine, struct th_code *code,
                 const char *path, theater_bytes_t wasm, bool *out_found)
{
    wasm_engine_t *wasm_engine = NULL;
    theater_status_t status =
        th_engine_get(engine, code->stack, &wasm_engine, &code->err);
    if (status == THEATER_OK) {
        *out_found = th_code_file_read(engine, wasm_engine, code);
    }
    if (status == THEATER_OK && !*out_found) {
        wasmtime_error_t *error =
            code->is_component
                ? wasmtime_component_new(wasm_engine, wasm.data, wasm.len,
                                         &code->component)
                : wasmtime_module_new(wasm_engine, wasm.data, wasm.len,
                                      &code->module);
        if (error != NULL) {
            status =
                th_error_take(error, THEATER_BAD_MODULE, path,
                              "not a module that can run here: ", &code->err);
        } else {
            th_code_file_write(engine, code);
        }
    }
    if (status != THEATER_OK) {
        th_lock(engine->env, &engine->lock);
        unlist(engine, code);
        th_unlock(engine->env, &engine->lock);
    }
    atomic_store_explicit(&code->state,
                          status == THEATER_OK ? CODE_READY : CODE_FAILED,
                          memory_order_release); /* [C1] */
    engine->env->unpark(engine->env->ctx, &code->state, UINT32_MAX);
}

theater_status_t th_code_get(struct th_engine *engine, const char *path,
                             theater_bytes_t wasm, const struct th_digest *key,
                             enum th_stack stack, struct th_code **out,
                             bool *out_found, theater_error_t *err)
{
    const theater_env_t *env = engine->env;
    bool found = true;
    th_lock(env, &engine->lock);
    struct th_code *code = find(engine, key, stack);
    if (code != NULL) {
        code->refs++;
    } else {
        found = false;
        code = th_calloc(env, sizeof *code);
        if (code != NULL) {
            code->key = *key;
            code->stack = stack;
            code->is_component = th_code_is_component(wasm);
            code->refs = 1;
            code->next = engine->codes;
            engine->codes = code;
        }
    }
    th_unlock(env, &engine->lock);
    if (code == NULL) {
        return th_error(err, THEATER_OUT_OF_MEMORY, path, "out of memory");
    }
    if (!found) {
        make(engine, code, path, wasm, &found);
    }
    uint32_t state;
    while ((state = atomic_load_explicit(&code->state, memory_order_acquire)) ==
           CODE_MAKING) { /* [C1] */
        env->park(env->ctx, &code->state, CODE_MAKING, THEATER_NEVER);
    }
    if (state == CODE_FAILED) {
        theater_status_t status = code->err.status;
        (void)th_error(err, status, path, "%s", code->err.text);
        th_code_release(engine, code);
        return status;
    }
    *out = code;
    *out_found = found;
    return THEATER_OK;
}

theater_status_t th_code_get_text(struct th_engine *engine, const char *text,
                                  size_t len, enum th_stack stack,
                                  struct th_code **out, theater_error_t *err)
{
    wasm_byte_vec_t wasm;
    wasmtime_error_t *error = wasmtime_wat2wasm(text, len, &wasm);
    if (error != NULL) {
        return th_error_take(error, THEATER_BUG, "engine",
                             "generated text is not valid: ", err);
    }
    bool found;
    struct th_digest key = th_sha256(wasm.data, wasm.size);
    theater_status_t status =
        th_code_get(engine, "engine",
                    (theater_bytes_t){(const uint8_t *)wasm.data, wasm.size},
                    &key, stack, out, &found, err);
    wasm_byte_vec_delete(&wasm);
    return status;
}
