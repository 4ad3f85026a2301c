/* SPDX-License-Identifier: Apache-2.0 */
/* Design notes
 *
 * Holds a module's imports and exports against the tables of its grants, by
 * the engine's own description of the compiled module. What is wrong is said
 * with the name of the import or export, and with what was expected. */
#include "wasm/internal.h"

#include <stdio.h>

static bool is(const wasm_name_t *name, const char *text)
{
    return name->size == strlen(text) &&
           memcmp(name->data, text, name->size) == 0;
}

static theater_status_t bad_type(struct th_module *module, const char *what,
                                 const char *name,
                                 const struct th_core_type *type,
                                 const wasm_externtype_t *actual,
                                 theater_error_t *err)
{
    char want[120], has[120] = "no function";
    th_core_show(type, want, sizeof want);
    if (wasm_externtype_kind(actual) == WASM_EXTERN_FUNC) {
        th_core_show_actual(wasm_externtype_as_functype_const(actual), has,
                            sizeof has);
    }
    return th_error(err, THEATER_BAD_MODULE, module->path,
                    "the %s `%s` is %s; it must be a function %s", what, name,
                    has, want);
}

/* --- Imports ------------------------------------------------------------- */

static bool find_grant(const struct th_module *module, const wasm_name_t *from,
                       const wasm_name_t *name, struct th_import *out)
{
    for (size_t g = 0; g < module->grants_len; g++) {
        const theater_handler_ops_t *ops = module->grants[g].ops;
        for (size_t i = 0; i < ops->functions_len; i++) {
            if (is(from, ops->functions[i].interface) &&
                is(name, ops->functions[i].name)) {
                out->fn = &ops->functions[i];
                out->grant = g;
                return true;
            }
        }
    }
    out->wasi = th_wasi_find(from->data, from->size, name->data, name->size);
    return out->wasi != NULL;
}

/* The handler whose name the interface has, unless it was granted: then the
 * function is none of it. NULL: none is known. */
static const char *handler_for(const struct th_module *module, const char *from)
{
    static const char *const known[][2] = {
        {"theater:actor/runtime@", "runtime"},
        {"theater:actor/message-server@", "message-server"},
    };
    for (size_t i = 0; i < sizeof known / sizeof *known; i++) {
        if (strncmp(from, known[i][0], strlen(known[i][0])) != 0) {
            continue;
        }
        for (size_t g = 0; g < module->grants_len; g++) {
            if (strcmp(module->grants[g].type, known[i][1]) == 0) {
                return NULL;
            }
        }
        return known[i][1];
    }
    return NULL;
}

theater_status_t th_check_not_granted(const struct th_module *module,
                                      const char *from, const char *name,
                                      theater_error_t *err)
{
    const char *wanted = handler_for(module, from);
    return th_error(err, THEATER_BAD_MODULE, module->path,
                    "imports `%s` of `%s`, which no handler of its "
                    "manifest grants%s%s%s",
                    name, from,
                    wanted != NULL ? ": add [[handler]] type = \"" : "",
                    wanted != NULL ? wanted : "", wanted != NULL ? "\"" : "");
}

static theater_status_t check_import(struct th_module *module,
                                     const wasm_importtype_t *actual,
                                     struct th_import *import,
                                     theater_error_t *err)
{
    const theater_env_t *env = module->engine->env;
    const wasm_name_t *from = wasm_importtype_module(actual);
    const wasm_name_t *name = wasm_importtype_name(actual);
    const wasm_externtype_t *type = wasm_importtype_type(actual);
    import->module = th_strndup(env, from->data, from->size);
    import->name = th_strndup(env, name->data, name->size);
    if (import->module == NULL || import->name == NULL) {
        return th_error(err, THEATER_OUT_OF_MEMORY, module->path,
                        "out of memory");
    }
    if (!find_grant(module, from, name, import)) {
        return th_check_not_granted(module, import->module, import->name, err);
    }
    struct th_core_type want;
    th_import_core(import, &want);
    if (wasm_externtype_kind(type) != WASM_EXTERN_FUNC ||
        !th_core_matches(&want, wasm_externtype_as_functype_const(type))) {
        return bad_type(module, "import", import->name, &want, type, err);
    }
    import->wrapped =
        th_import_waits(import) ||
        (import->fn != NULL && th_result_by_pointer(import->fn->result));
    module->wraps = module->wraps || import->wrapped;
    return THEATER_OK;
}

static theater_status_t check_imports(struct th_module *module,
                                      theater_error_t *err)
{
    theater_status_t status = THEATER_OK;
    wasm_importtype_vec_t imports;
    wasmtime_module_imports(module->guest->module, &imports);
    if (imports.size > TH_MAX_IMPORTS) {
        status = th_error(err, THEATER_BAD_MODULE, module->path,
                          "the module has %zu imports; %d at most",
                          imports.size, (int)TH_MAX_IMPORTS);
    } else if (imports.size > 0) {
        module->imports = th_calloc(module->engine->env,
                                    imports.size * sizeof *module->imports);
        if (module->imports == NULL) {
            status = th_error(err, THEATER_OUT_OF_MEMORY, module->path,
                              "out of memory");
        }
    }
    for (size_t i = 0; status == THEATER_OK && i < imports.size; i++) {
        module->imports_len = i + 1;
        status =
            check_import(module, imports.data[i], &module->imports[i], err);
    }
    wasm_importtype_vec_delete(&imports);
    return status;
}

/* --- Exports ------------------------------------------------------------- */

static const wasm_externtype_t *find_export(const wasm_exporttype_vec_t *all,
                                            const char *name)
{
    for (size_t i = 0; i < all->size; i++) {
        if (is(wasm_exporttype_name(all->data[i]), name)) {
            return wasm_exporttype_type(all->data[i]);
        }
    }
    return NULL;
}

/* *out_has: it is exported. An export of another type is an error. */
static theater_status_t check_function(struct th_module *module,
                                       const wasm_exporttype_vec_t *all,
                                       const char *name, const char *params,
                                       const char *result, bool *out_has,
                                       theater_error_t *err)
{
    struct th_core_type want = {0};
    const wasm_externtype_t *actual = find_export(all, name);
    *out_has = actual != NULL;
    if (actual == NULL) {
        return THEATER_OK;
    }
    want.params_len = (uint8_t)strlen(params);
    want.results_len = (uint8_t)strlen(result);
    if (wasm_externtype_kind(actual) != WASM_EXTERN_FUNC ||
        !th_core_matches(&want, wasm_externtype_as_functype_const(actual))) {
        return bad_type(module, "export", name, &want, actual, err);
    }
    return THEATER_OK;
}

/* Which of its parameters are allocated; false: a type that deliveries do not
 * have. */
static bool plan_entry(struct th_entry *entry)
{
    for (size_t i = 0; i < THEATER_MAX_PARAMS; i++) {
        switch (entry->type->params[i]) {
        case THEATER_TYPE_NONE:
            return true;
        case THEATER_TYPE_STRING:
        case THEATER_TYPE_BYTES:
            entry->allocates[i] = true;
            entry->pointers++;
            break;
        case THEATER_TYPE_BOOL:
        case THEATER_TYPE_ENUM:
        case THEATER_TYPE_U32:
            break;
        default:
            return false;
        }
        entry->values++;
    }
    return true;
}

static theater_status_t check_entry(struct th_module *module,
                                    const wasm_exporttype_vec_t *all, size_t g,
                                    size_t i, theater_error_t *err)
{
    const theater_guest_export_t *type = &module->grants[g].ops->exports[i];
    const wasm_externtype_t *actual = find_export(all, type->name);
    if (actual == NULL) {
        return THEATER_OK;
    }
    struct th_core_type want;
    th_core_of_export(type, &want);
    if (wasm_externtype_kind(actual) != WASM_EXTERN_FUNC ||
        !th_core_matches(&want, wasm_externtype_as_functype_const(actual))) {
        return bad_type(module, "export", type->name, &want, actual, err);
    }
    struct th_entry entry = {.type = type, .grant = g};
    if (module->entries_len == TH_MAX_ENTRIES || !plan_entry(&entry)) {
        return th_error(err, THEATER_BUG, module->path,
                        "the export `%s` of handler `%s` cannot be called",
                        type->name, module->grants[g].type);
    }
    char post[160];
    (void)snprintf(post, sizeof post, "cabi_post_%s", type->name);
    theater_status_t status =
        check_function(module, all, post, want.results_len > 0 ? "i" : "", "",
                       &entry.has_post, err);
    if (status != THEATER_OK) {
        return status;
    }
    entry.plain = entry.values == 1 && entry.allocates[0];
    entry.index = (uint8_t)module->entries_len;
    module->exports[g] |= (uint64_t)1 << i;
    module->entry_of[g][i] = (int16_t)module->entries_len;
    module->entries[module->entries_len++] = entry;
    module->values =
        entry.values > module->values ? entry.values : module->values;
    return THEATER_OK;
}

static bool takes_pointers(const struct th_import *import)
{
    if (import->fn == NULL) {
        return strlen(import->wasi->params) > 1;
    }
    for (size_t i = 0; i < THEATER_MAX_PARAMS; i++) {
        if (import->fn->params[i] >= THEATER_TYPE_STRING) {
            return true;
        }
    }
    return th_result_by_pointer(import->fn->result);
}

/* Does anything pass strings or results through the guest's memory? */
static void needs(const struct th_module *module, bool *out_memory,
                  bool *out_realloc)
{
    *out_realloc = module->has_stop;
    *out_memory = module->has_stop;
    for (size_t e = 0; e < module->entries_len; e++) {
        const struct th_entry *entry = &module->entries[e];
        *out_realloc = *out_realloc || entry->pointers > 0;
        *out_memory = *out_memory || entry->type->result == THEATER_TYPE_REPLY;
    }
    for (size_t i = 0; i < module->imports_len; i++) {
        const struct th_import *import = &module->imports[i];
        *out_realloc =
            *out_realloc ||
            (import->fn != NULL && th_result_by_pointer(import->fn->result));
        *out_memory = *out_memory || takes_pointers(import);
    }
    *out_memory = *out_memory || *out_realloc;
}

static theater_status_t check_needs(struct th_module *module,
                                    const wasm_exporttype_vec_t *all,
                                    theater_error_t *err)
{
    bool memory, allocates;
    const wasm_externtype_t *actual = find_export(all, "memory");
    module->has_memory =
        actual != NULL && wasm_externtype_kind(actual) == WASM_EXTERN_MEMORY;
    needs(module, &memory, &allocates);
    if (memory && !module->has_memory) {
        return th_error(err, THEATER_BAD_MODULE, module->path,
                        "does not export its memory as `memory`, which "
                        "strings and results go through");
    }
    if (allocates && !module->has_realloc) {
        return th_error(err, THEATER_BAD_MODULE, module->path,
                        "does not export `cabi_realloc`, which makes room "
                        "for what it is given");
    }
    return THEATER_OK;
}

static theater_status_t check_exports(struct th_module *module,
                                      const wasm_exporttype_vec_t *all,
                                      theater_error_t *err)
{
    struct {
        const char *name, *params, *result;
        bool *out;
    } own[] = {
        {"run", "", "", &module->has_run},
        {"_start", "", "", &module->has_start},
        {"_initialize", "", "", &module->has_initialize},
        {"handle-stop", "ii", "", &module->has_stop},
        {"cabi_realloc", "iiii", "i", &module->has_realloc},
        {"theater_arena", "", "i", &module->has_arena},
    };
    for (size_t i = 0; i < sizeof own / sizeof *own; i++) {
        theater_status_t status =
            check_function(module, all, own[i].name, own[i].params,
                           own[i].result, own[i].out, err);
        if (status != THEATER_OK) {
            return status;
        }
    }
    for (size_t g = 0; g < module->grants_len; g++) {
        for (size_t i = 0; i < module->grants[g].ops->exports_len; i++) {
            theater_status_t status = check_entry(module, all, g, i, err);
            if (status != THEATER_OK) {
                return status;
            }
        }
    }
    return check_needs(module, all, err);
}

theater_status_t th_module_check(struct th_module *module, theater_error_t *err)
{
    memset(module->entry_of, 0xff, sizeof module->entry_of);
    module->entries = th_calloc(module->engine->env,
                                TH_MAX_ENTRIES * sizeof *module->entries);
    if (module->entries == NULL) {
        return th_error(err, THEATER_OUT_OF_MEMORY, module->path,
                        "out of memory");
    }
    theater_status_t status = check_imports(module, err);
    if (status != THEATER_OK) {
        return status;
    }
    wasm_exporttype_vec_t exports;
    wasmtime_module_exports(module->guest->module, &exports);
    status = check_exports(module, &exports, err);
    wasm_exporttype_vec_delete(&exports);
    return status;
}
