/* SPDX-License-Identifier: Apache-2.0 */
/* Design notes
 *
 * A module is compiled code together with what its grants make of it: the
 * checked imports and exports, the generated modules, the linker. Counted,
 * and found again by content, stack class and grants, so that a thousand
 * actors of one file share one. Made outside of the engine's lock: two
 * threads that load the same for the first time at once both make one (the
 * code itself is compiled once, see code.c), and the second one's is dropped
 * for the first's. */
#include "wasm/component.h"

#include <stdio.h>

static void module_free(struct th_module *module)
{
    struct th_engine *engine = module->engine;
    const theater_env_t *env = engine->env;
    th_module_unlink(module);
    th_component_fini(module);
    th_code_release(engine, module->loop_code);
    th_code_release(engine, module->imports_code);
    th_code_release(engine, module->guest);
    for (size_t i = 0; i < module->imports_len; i++) {
        th_free(env, module->imports[i].module);
        th_free(env, module->imports[i].name);
    }
    th_free(env, module->imports);
    th_free(env, module->entries);
    th_free(env, module->path);
    th_free(env, module);
}

static bool same(const struct th_module *a, const struct th_module *b)
{
    if (a->stack != b->stack || a->grants_len != b->grants_len ||
        memcmp(&a->key, &b->key, sizeof a->key) != 0) {
        return false;
    }
    for (size_t i = 0; i < a->grants_len; i++) {
        if (a->grants[i].ops != b->grants[i].ops) {
            return false;
        }
    }
    return true;
}

/* The listed module like this one, counted once more; or NULL. The engine's
 * lock is held. */
static struct th_module *find(const struct th_module *like)
{
    for (struct th_module *m = like->engine->modules; m; m = m->next) {
        if (same(m, like)) {
            m->refs++;
            return m;
        }
    }
    return NULL;
}

static void set_cached(struct th_module *module, bool cached)
{
    /* Relaxed: a statistic. */
    atomic_store_explicit(&module->cached, cached, memory_order_relaxed);
}

static theater_status_t fill(struct th_module *module, theater_bytes_t wasm,
                             bool *out_found, theater_error_t *err)
{
    theater_status_t status =
        th_code_get(module->engine, module->path, wasm, &module->key,
                    module->stack, &module->guest, out_found, err);
    module->state_bytes = th_state_bytes(wasm);
    if (status == THEATER_OK && module->guest->is_component) {
        return th_component_fill(module, err);
    }
    if (status == THEATER_OK) {
        status = th_module_check(module, err);
    }
    if (status == THEATER_OK) {
        status = th_module_link(module, err);
    }
    return status;
}

static bool looks_like_wasm(theater_bytes_t wasm, const char *path,
                            theater_error_t *err)
{
    static const uint8_t core[8] = {0, 'a', 's', 'm', 1, 0, 0, 0};
    if (wasm.len >= 8 &&
        (memcmp(wasm.data, core, 8) == 0 || th_code_is_component(wasm))) {
        return true;
    }
    bool other = wasm.len >= 8 && memcmp(wasm.data, core, 4) == 0;
    (void)th_error(err, THEATER_BAD_MODULE, path, "%s",
                   other ? "is not a module or component of a version that "
                           "can run here (01 and 0d)"
                         : "is not a WebAssembly module (bad magic)");
    return false;
}

theater_status_t th_engine_load(struct th_engine *engine, const char *path,
                                theater_bytes_t wasm, enum th_stack stack,
                                const struct th_grant *grants,
                                size_t grants_len,
                                struct th_module **out_module,
                                theater_error_t *err)
{
    const theater_env_t *env = engine->env;
    TH_CHECK(grants_len <= TH_MAX_GRANTS);
    if (!looks_like_wasm(wasm, path, err)) {
        return THEATER_BAD_MODULE;
    }
    struct th_module *module = th_calloc(env, sizeof *module);
    char *path_copy = th_strndup(env, path, strlen(path));
    if (module == NULL || path_copy == NULL) {
        th_free(env, module);
        th_free(env, path_copy);
        return th_error(err, THEATER_OUT_OF_MEMORY, path, "out of memory");
    }
    module->engine = engine;
    module->refs = 1;
    module->path = path_copy;
    module->stack = stack;
    module->key = th_sha256(wasm.data, wasm.len);
    module->grants_len = grants_len;
    for (size_t i = 0; i < grants_len; i++) {
        module->grants[i] = grants[i];
    }
    th_lock(env, &engine->lock);
    struct th_module *listed = find(module);
    th_unlock(env, &engine->lock);
    bool found = true;
    theater_status_t status = THEATER_OK;
    if (listed == NULL) {
        status = fill(module, wasm, &found, err);
        if (status == THEATER_OK) {
            th_lock(env, &engine->lock);
            listed = find(module);
            if (listed == NULL) {
                module->next = engine->modules;
                engine->modules = module;
                set_cached(module, found);
            }
            th_unlock(env, &engine->lock);
        }
    }
    if (status != THEATER_OK || listed != NULL) {
        module_free(module);
        module = listed;
    }
    if (status == THEATER_OK) {
        if (listed != NULL) {
            set_cached(module, true);
        }
        *out_module = module;
    }
    return status;
}

void th_module_retain(struct th_module *module)
{
    th_lock(module->engine->env, &module->engine->lock);
    module->refs++;
    th_unlock(module->engine->env, &module->engine->lock);
}

void th_module_release(struct th_module *module)
{
    if (module == NULL) {
        return;
    }
    struct th_engine *engine = module->engine;
    th_lock(engine->env, &engine->lock);
    bool last = --module->refs == 0;
    if (last) {
        struct th_module **at = &engine->modules;
        while (*at != module) {
            at = &(*at)->next;
        }
        *at = module->next;
    }
    th_unlock(engine->env, &engine->lock);
    if (last) {
        module_free(module);
    }
}

bool th_module_was_cached(const struct th_module *module)
{
    /* Relaxed: a statistic. */
    return atomic_load_explicit(&module->cached, memory_order_relaxed);
}

uint64_t th_module_exports(const struct th_module *module, size_t grant)
{
    return module->exports[grant];
}

bool th_module_has_run(const struct th_module *module)
{
    return module->has_run || module->has_start;
}

bool th_module_has_stop(const struct th_module *module)
{
    return module->has_stop;
}

struct describing {
    const struct th_module *module;
    void (*each)(void *user, const theater_check_item_t *item);
    void *user;
};

static void describe_export(void *user, const char *name, size_t len)
{
    const struct describing *to = user;
    const struct th_module *module = to->module;
    char text[64];
    if (len >= sizeof text || len < 7 || memcmp(name, "handle-", 7) != 0) {
        return;
    }
    memcpy(text, name, len);
    text[len] = '\0';
    bool called = module->has_stop && strcmp(text, "handle-stop") == 0;
    for (size_t e = 0; e < module->entries_len; e++) {
        called = called || strcmp(module->entries[e].type->name, text) == 0;
    }
    if (!called) {
        theater_check_item_t item = {"export", text, NULL};
        to->each(to->user, &item);
    }
}

/* Exports that are called like a handler's, but by nobody. */
static void describe_uncalled(const struct th_module *module,
                              void (*each)(void *user,
                                           const theater_check_item_t *item),
                              void *user)
{
    struct describing to = {module, each, user};
    if (module->component != NULL) {
        th_component_export_names(module, describe_export, &to);
        return;
    }
    wasm_exporttype_vec_t all;
    wasmtime_module_exports(module->guest->module, &all);
    for (size_t i = 0; i < all.size; i++) {
        const wasm_name_t *name = wasm_exporttype_name(all.data[i]);
        describe_export(&to, name->data, name->size);
    }
    wasm_exporttype_vec_delete(&all);
}

/* An interface of WASI is told once for all its functions. */
static bool is_told(const struct th_module *module, size_t i)
{
    const struct th_import *imports = module->imports;
    return module->component != NULL && imports[i].fn == NULL && i > 0 &&
           strcmp(imports[i].module, imports[i - 1].module) == 0;
}

void th_module_describe(const struct th_module *module,
                        void (*each)(void *user,
                                     const theater_check_item_t *item),
                        void *user)
{
    static const char *const own[] = {"run", "_start", "_initialize",
                                      "handle-stop"};
    const bool has[] = {module->has_run, module->has_start,
                        module->has_initialize, module->has_stop};
    for (size_t i = 0; i < sizeof own / sizeof *own; i++) {
        if (has[i]) {
            theater_check_item_t item = {"export", own[i], "runtime"};
            each(user, &item);
        }
    }
    for (size_t e = 0; e < module->entries_len; e++) {
        const struct th_entry *entry = &module->entries[e];
        theater_check_item_t item = {"export", entry->type->name,
                                     module->grants[entry->grant].type};
        each(user, &item);
    }
    describe_uncalled(module, each, user);
    for (size_t i = 0; i < module->imports_len; i++) {
        const struct th_import *import = &module->imports[i];
        char name[300];
        if (is_told(module, i)) {
            continue;
        }
        bool whole = module->component != NULL && import->fn == NULL;
        (void)snprintf(name, sizeof name, "%.200s%s%.90s", import->module,
                       whole ? "" : " ", whole ? "" : import->name);
        theater_check_item_t item = {
            "import", name,
            import->fn != NULL ? module->grants[import->grant].type : "wasi"};
        each(user, &item);
    }
}
