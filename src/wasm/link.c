/* SPDX-License-Identifier: Apache-2.0 */
/* Design notes
 *
 * What is the same for all guests of a module is put into one linker: host
 * functions that the guest calls directly, those of the generated modules,
 * and the imports module, type-checked once (instance_pre). A guest needs a
 * linker of its own while it is made, since its imports and exports are
 * defined there by name: a copy, of which one is kept for the next guest.
 * Shadowing is allowed, so that the next guest's items replace the last's. */
#include "wasm/internal.h"

static theater_status_t define(struct th_module *module, const char *from,
                               const char *name, wasm_functype_t *type,
                               wasmtime_func_unchecked_callback_t call,
                               void *data, theater_error_t *err)
{
    wasmtime_error_t *error = wasmtime_linker_define_func_unchecked(
        module->linker, from, strlen(from), name, strlen(name), type, call,
        data, NULL);
    wasm_functype_delete(type);
    if (error != NULL) {
        return th_error_take(error, THEATER_BUG, module->path, "", err);
    }
    return THEATER_OK;
}

static wasm_functype_t *type_of(const char *params, size_t i32_results,
                                bool i64_result)
{
    wasm_valtype_vec_t p, r;
    size_t len = strlen(params);
    wasm_valtype_vec_new_uninitialized(&p, len);
    for (size_t i = 0; i < len; i++) {
        p.data[i] = wasm_valtype_new(WASM_I32);
    }
    wasm_valtype_vec_new_uninitialized(&r, i64_result ? 1 : i32_results);
    for (size_t i = 0; i < r.size; i++) {
        r.data[i] = wasm_valtype_new(i64_result ? WASM_I64 : WASM_I32);
    }
    return wasm_functype_new(&p, &r);
}

/* A WASI function that is not served. */
static wasm_trap_t *answer_error(void *env, wasmtime_caller_t *caller,
                                 wasmtime_val_raw_t *v, size_t len)
{
    const struct th_import *import = env;
    (void)caller;
    (void)len;
    v[0].i32 = import->wasi->error;
    return NULL;
}

static theater_status_t define_import(struct th_module *module, size_t i,
                                      theater_error_t *err)
{
    struct th_import *import = &module->imports[i];
    struct th_core_type type;
    th_import_core(import, &type);
    wasmtime_func_unchecked_callback_t call =
        import->fn != NULL           ? th_call_begin(import->fn)
        : import->wasi->call != NULL ? import->wasi->call
                                     : answer_error;
    if (!import->wrapped) {
        return define(module, import->module, import->name,
                      th_core_functype(&type), call, import, err);
    }
    char name[24];
    char *at = name + sizeof name - 1;
    *at = '\0';
    size_t rest = i;
    do {
        *--at = (char)('0' + rest % 10);
        rest /= 10;
    } while (rest > 0);
    type.results[0] = WASM_I32;
    type.results_len = 1;
    return define(module, "b", at, th_core_functype(&type), call, import, err);
}

static theater_status_t define_own(struct th_module *module,
                                   theater_error_t *err)
{
    const struct {
        const char *name;
        wasm_functype_t *type;
        wasmtime_func_unchecked_callback_t call;
    } own[] = {
        {"recv", type_of("", 1 + module->values + module->has_arena, false),
         th_deliver_recv},
        {"arena", type_of("i", 0, false), th_deliver_arena},
        {"take", type_of("iii", 0, false), th_deliver_take},
        {"result", type_of("i", 0, false), th_deliver_result},
        {"stop", type_of("", 1, false), th_deliver_stop},
        {"stopped", type_of("i", 0, false), th_deliver_stopped},
        {"lower", type_of("i", 0, true), th_call_lower},
        {"flat32", type_of("", 1, false), th_call_flat32},
        {"flat64", type_of("", 0, true), th_call_flat64},
        {"wait", type_of("", 1, false), th_call_wait},
    };
    theater_status_t status = THEATER_OK;
    for (size_t i = 0; i < sizeof own / sizeof *own; i++) {
        if (status != THEATER_OK) {
            wasm_functype_delete(own[i].type);
            continue;
        }
        status = define(module, "h", own[i].name, own[i].type, own[i].call,
                        NULL, err);
    }
    return status;
}

static theater_status_t generate(struct th_module *module,
                                 char *(*text_of)(const struct th_module *,
                                                  size_t *),
                                 struct th_code **out, theater_error_t *err)
{
    size_t len = 0;
    char *text = text_of(module, &len);
    if (text == NULL) {
        return th_error(err, THEATER_OUT_OF_MEMORY, module->path,
                        "out of memory");
    }
    theater_status_t status =
        th_code_get_text(module->engine, text, len, module->stack, out, err);
    th_free(module->engine->env, text);
    return status;
}

theater_status_t th_module_link(struct th_module *module, theater_error_t *err)
{
    wasm_engine_t *wasm = NULL;
    theater_status_t status =
        th_engine_get(module->engine, module->stack, &wasm, err);
    if (status != THEATER_OK) {
        return status;
    }
    module->linker = wasmtime_linker_new(wasm);
    wasmtime_linker_allow_shadowing(module->linker, true);
    status = define_own(module, err);
    for (size_t i = 0; status == THEATER_OK && i < module->imports_len; i++) {
        status = define_import(module, i, err);
    }
    bool loops = module->entries_len > 0 || module->has_run ||
                 module->has_start || module->has_stop ||
                 th_module_ties(module);
    if (status == THEATER_OK && loops) {
        status = generate(module, th_text_loop, &module->loop_code, err);
    }
    if (status == THEATER_OK && module->wraps) {
        status = generate(module, th_text_imports, &module->imports_code, err);
    }
    if (status == THEATER_OK && module->wraps) {
        wasmtime_error_t *error = wasmtime_linker_instantiate_pre(
            module->linker, module->imports_code->module, &module->imports_pre);
        if (error != NULL) {
            status = th_error_take(error, THEATER_BUG, module->path, "", err);
        }
    }
    return status;
}

void th_module_unlink(struct th_module *module)
{
    /* Acquire: pairs with the release in th_module_give_linker. */
    wasmtime_linker_t *spare =
        atomic_exchange_explicit(&module->spare, NULL, memory_order_acquire);
    if (spare != NULL) {
        wasmtime_linker_delete(spare);
    }
    if (module->imports_pre != NULL) {
        wasmtime_instance_pre_delete(module->imports_pre);
    }
    if (module->linker != NULL) {
        wasmtime_linker_delete(module->linker);
    }
}

wasmtime_linker_t *th_module_take_linker(struct th_module *module)
{
    /* Acquire: pairs with the release in th_module_give_linker: what the
     * thread that had it last wrote to it. */
    if (th_rare(module->engine->env, TH_POINT_LINKER_ANEW)) {
        return wasmtime_linker_clone(module->linker);
    }
    wasmtime_linker_t *spare =
        atomic_exchange_explicit(&module->spare, NULL, memory_order_acquire);
    return spare != NULL ? spare : wasmtime_linker_clone(module->linker);
}

void th_module_give_linker(struct th_module *module, wasmtime_linker_t *linker)
{
    /* Release for the next taker; acquire for what is deleted here. */
    wasmtime_linker_t *other =
        atomic_exchange_explicit(&module->spare, linker, memory_order_acq_rel);
    if (other != NULL) {
        wasmtime_linker_delete(other);
    }
}
