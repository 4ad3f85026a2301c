/* SPDX-License-Identifier: Apache-2.0 */
/* Design notes
 *
 * From a component's compiled code to what all its guests share: a linker in
 * which each function that the component imports is one of a handler's table
 * or of WASI (wasi_p2.c), defined under the very name, version and all, that
 * the component says; and the places of its exports. What is imported is
 * known from the component's own type, so nothing else is ever defined.
 *
 * Resource types come up once where they are defined, and again in each
 * interface that uses them: those are left out, as the engine wants it. */
#include "wasm/component.h"

#include <stdio.h>

enum { MAX_RESOURCES = 64, OTHER_RESOURCES = 100 };

struct walk {
    struct th_module *module;
    wasm_engine_t *wasm;
    const char *interface;                    /* the import being looked at */
    wasmtime_component_linker_instance_t *to; /* its place in the linker */
    wasmtime_component_resource_type_t *seen[MAX_RESOURCES];
    size_t seen_len;
    size_t room;    /* of module->imports */
    unsigned nodes; /* types in functions of WASI */
};

static theater_status_t no_memory(const struct th_module *module,
                                  theater_error_t *err)
{
    return th_error(err, THEATER_OUT_OF_MEMORY, module->path, "out of memory");
}

static theater_status_t take(struct th_module *module, wasmtime_error_t *error,
                             theater_error_t *err)
{
    return error == NULL ? THEATER_OK
                         : th_error_take(error, THEATER_BAD_MODULE,
                                         module->path, "", err);
}

/* --- Imports ------------------------------------------------------------- */

static bool find_grant(const struct th_module *module, struct th_import *import)
{
    for (size_t g = 0; g < module->grants_len; g++) {
        const theater_handler_ops_t *ops = module->grants[g].ops;
        for (size_t i = 0; i < ops->functions_len; i++) {
            if (strcmp(import->module, ops->functions[i].interface) == 0 &&
                strcmp(import->name, ops->functions[i].name) == 0) {
                import->fn = &ops->functions[i];
                import->grant = g;
                return true;
            }
        }
    }
    return false;
}

/* Room for one more import. Those before are pointed to by the linker, so
 * they are counted first and never move. */
static theater_status_t add_import(struct walk *walk, const char *name,
                                   size_t len, struct th_import **out,
                                   theater_error_t *err)
{
    struct th_module *module = walk->module;
    const theater_env_t *env = module->engine->env;
    TH_CHECK(module->imports_len < walk->room);
    struct th_import *import = &module->imports[module->imports_len++];
    import->module = th_strndup(env, walk->interface, strlen(walk->interface));
    import->name = th_strndup(env, name, len);
    *out = import;
    return import->module == NULL || import->name == NULL
               ? no_memory(module, err)
               : THEATER_OK;
}

static theater_status_t link_function(struct walk *walk, const char *name,
                                      size_t len,
                                      const wasmtime_component_item_t *item,
                                      theater_error_t *err)
{
    struct th_module *module = walk->module;
    struct th_import *import = NULL;
    theater_status_t status = add_import(walk, name, len, &import, err);
    if (status != THEATER_OK) {
        return status;
    }
    if (find_grant(module, import)) {
        if (!th_component_func_is(import->fn->params, import->fn->result,
                                  item->of.component_func)) {
            char want[160];
            th_component_func_show(import->fn->params, import->fn->result, want,
                                   sizeof want);
            return th_error(err, THEATER_BAD_MODULE, module->path,
                            "the import `%s` is of another type; it must be "
                            "a %s",
                            import->name, want);
        }
        return take(module, th_component_link_fn(import, walk->to), err);
    }
    if (!th_wasi2_is(walk->interface)) {
        return th_check_not_granted(module, import->module, import->name, err);
    }
    if (!th_component_func_fits(item->of.component_func, &walk->nodes)) {
        return th_error(err, THEATER_BAD_MODULE, module->path,
                        "the import `%s` of `%s` has types that are too deep "
                        "or too many, or that are not served (async, future, "
                        "stream, error-context, map)",
                        import->name, import->module);
    }
    import->wasi2 = th_wasi2_find(import->module, import->name);
    return take(module, th_wasi2_link(import, walk->to), err);
}

static theater_status_t link_resource(struct walk *walk, const char *name,
                                      size_t len,
                                      const wasmtime_component_item_t *item,
                                      theater_error_t *err)
{
    struct th_module *module = walk->module;
    char text[128];
    for (size_t i = 0; i < walk->seen_len; i++) {
        if (wasmtime_component_resource_type_equal(walk->seen[i],
                                                   item->of.resource)) {
            return THEATER_OK;
        }
    }
    if (len >= sizeof text || walk->seen_len == MAX_RESOURCES) {
        return th_error(err, THEATER_BAD_MODULE, module->path,
                        "imports too many types of resources, or one with too "
                        "long a name");
    }
    memcpy(text, name, len);
    text[len] = '\0';
    if (!th_wasi2_is(walk->interface)) {
        return th_check_not_granted(module, walk->interface, text, err);
    }
    uint32_t number = th_wasi2_resource(walk->interface, text);
    if (number == 0) {
        number = OTHER_RESOURCES + (uint32_t)walk->seen_len;
    }
    walk->seen[walk->seen_len++] =
        wasmtime_component_resource_type_clone(item->of.resource);
    return take(module, th_wasi2_link_resource(walk->to, text, number), err);
}

static theater_status_t link_item(struct walk *walk, const char *name,
                                  size_t len,
                                  const wasmtime_component_item_t *item,
                                  theater_error_t *err)
{
    switch (item->kind) {
    case WASMTIME_COMPONENT_ITEM_COMPONENT_FUNC:
        return link_function(walk, name, len, item, err);
    case WASMTIME_COMPONENT_ITEM_RESOURCE:
        return link_resource(walk, name, len, item, err);
    case WASMTIME_COMPONENT_ITEM_TYPE:
        return THEATER_OK;
    default:
        return th_error(err, THEATER_BAD_MODULE, walk->module->path,
                        "imports `%.*s` of `%s`, which is neither a function "
                        "nor a type",
                        (int)len, name, walk->interface);
    }
}

static theater_status_t link_items(struct walk *walk,
                                   const wasmtime_component_item_t *import,
                                   theater_error_t *err)
{
    const wasmtime_component_instance_type_t *type =
        import->of.component_instance;
    size_t len =
        wasmtime_component_instance_type_export_count(type, walk->wasm);
    theater_status_t status = THEATER_OK;
    for (size_t i = 0; status == THEATER_OK && i < len; i++) {
        const char *name = NULL;
        size_t name_len = 0;
        wasmtime_component_item_t item;
        if (wasmtime_component_instance_type_export_nth(
                type, walk->wasm, i, &name, &name_len, &item)) {
            status = link_item(walk, name, name_len, &item, err);
            wasmtime_component_item_delete(&item);
        }
    }
    return status;
}

/* One import of the component: an interface, or it is refused. */
static theater_status_t link_import(struct walk *walk, const char *name,
                                    size_t len,
                                    const wasmtime_component_item_t *import,
                                    theater_error_t *err)
{
    struct th_module *module = walk->module;
    const theater_env_t *env = module->engine->env;
    if (import->kind == WASMTIME_COMPONENT_ITEM_TYPE) {
        return THEATER_OK;
    }
    if (import->kind != WASMTIME_COMPONENT_ITEM_COMPONENT_INSTANCE) {
        return th_error(err, THEATER_BAD_MODULE, module->path,
                        "imports `%.*s`, which is not an interface of a "
                        "handler or of WASI",
                        (int)(len < 200 ? len : 200), name);
    }
    char *interface = th_strndup(env, name, len);
    if (interface == NULL) {
        return no_memory(module, err);
    }
    wasmtime_component_linker_instance_t *root =
        wasmtime_component_linker_root(module->component->linker);
    walk->interface = interface;
    walk->to = NULL;
    theater_status_t status =
        take(module,
             wasmtime_component_linker_instance_add_instance(root, name, len,
                                                             &walk->to),
             err);
    if (status == THEATER_OK) {
        status = link_items(walk, import, err);
    }
    if (walk->to != NULL) {
        wasmtime_component_linker_instance_delete(walk->to);
    }
    wasmtime_component_linker_instance_delete(root);
    th_free(env, interface);
    return status;
}

static size_t functions_of(const wasmtime_component_item_t *import,
                           wasm_engine_t *wasm)
{
    if (import->kind != WASMTIME_COMPONENT_ITEM_COMPONENT_INSTANCE) {
        return 0;
    }
    return wasmtime_component_instance_type_export_count(
        import->of.component_instance, wasm);
}

static theater_status_t too_many(const struct walk *walk, const char *what,
                                 size_t len, theater_error_t *err)
{
    return th_error(err, THEATER_BAD_MODULE, walk->module->path,
                    "%s %zu functions, types and interfaces, more than %d",
                    what, len, (int)TH_COMPONENT_ITEMS);
}

/* Calls `each` for all imports; NULL: only counts, into walk->room. */
static theater_status_t
walk_imports(struct walk *walk, const wasmtime_component_type_t *type,
             theater_status_t (*each)(struct walk *, const char *, size_t,
                                      const wasmtime_component_item_t *,
                                      theater_error_t *),
             theater_error_t *err)
{
    size_t len = wasmtime_component_type_import_count(type, walk->wasm);
    theater_status_t status = len > TH_COMPONENT_ITEMS
                                  ? too_many(walk, "imports", len, err)
                                  : THEATER_OK;
    for (size_t i = 0; status == THEATER_OK && i < len; i++) {
        const char *name = NULL;
        size_t name_len = 0;
        wasmtime_component_item_t item;
        if (!wasmtime_component_type_import_nth(type, walk->wasm, i, &name,
                                                &name_len, &item)) {
            continue;
        }
        if (each == NULL) {
            walk->room += functions_of(&item, walk->wasm);
        } else {
            status = each(walk, name, name_len, &item, err);
        }
        wasmtime_component_item_delete(&item);
    }
    return status;
}

static theater_status_t link_imports(struct walk *walk,
                                     const wasmtime_component_type_t *type,
                                     theater_error_t *err)
{
    struct th_module *module = walk->module;
    theater_status_t status = walk_imports(walk, type, NULL, err);
    if (status == THEATER_OK && walk->room > TH_COMPONENT_ITEMS) {
        return too_many(walk, "imports", walk->room, err);
    }
    if (status == THEATER_OK && walk->room > 0) {
        module->imports = th_calloc(module->engine->env,
                                    walk->room * sizeof *module->imports);
        if (module->imports == NULL) {
            return no_memory(module, err);
        }
    }
    if (status == THEATER_OK) {
        status = walk_imports(walk, type, link_import, err);
    }
    for (size_t i = 0; i < walk->seen_len; i++) {
        wasmtime_component_resource_type_delete(walk->seen[i]);
    }
    return status;
}

/* --- Exports ------------------------------------------------------------- */

/* *out: where the export is; NULL: there is none. */
static theater_status_t
find_export(struct walk *walk, const wasmtime_component_type_t *type,
            const char *name, const theater_type_t *params,
            theater_type_t result, wasmtime_component_export_index_t **out,
            theater_error_t *err)
{
    struct th_module *module = walk->module;
    wasmtime_component_item_t item;
    *out = NULL;
    if (!wasmtime_component_type_export_get(type, walk->wasm, name,
                                            strlen(name), &item)) {
        return THEATER_OK;
    }
    bool fits = item.kind == WASMTIME_COMPONENT_ITEM_COMPONENT_FUNC &&
                th_component_func_is(params, result, item.of.component_func);
    wasmtime_component_item_delete(&item);
    if (!fits) {
        char want[160];
        th_component_func_show(params, result, want, sizeof want);
        return th_error(err, THEATER_BAD_MODULE, module->path,
                        "the export `%s` is of another type; it must be a %s",
                        name, want);
    }
    *out = wasmtime_component_get_export_index(module->guest->component, NULL,
                                               name, strlen(name));
    return *out != NULL ? THEATER_OK
                        : th_error(err, THEATER_BUG, module->path,
                                   "no export `%s`", name);
}

static theater_status_t find_entry(struct walk *walk,
                                   const wasmtime_component_type_t *type,
                                   size_t g, size_t i, theater_error_t *err)
{
    struct th_module *module = walk->module;
    const theater_guest_export_t *export = &module->grants[g].ops->exports[i];
    wasmtime_component_export_index_t *at = NULL;
    theater_status_t status = find_export(
        walk, type, export->name, export->params, export->result, &at, err);
    if (status != THEATER_OK || at == NULL) {
        return status;
    }
    if (module->entries_len == TH_MAX_ENTRIES) {
        wasmtime_component_export_index_delete(at);
        return th_error(err, THEATER_BUG, module->path,
                        "the export `%s` of handler `%s` cannot be called",
                        export->name, module->grants[g].type);
    }
    size_t index = module->entries_len++;
    module->component->entries[index] = at;
    module->entries[index] =
        (struct th_entry){.type = export, .grant = g, .index = (uint8_t)index};
    module->exports[g] |= (uint64_t)1 << i;
    module->entry_of[g][i] = (int16_t)index;
    return THEATER_OK;
}

static bool begins(const char *name, size_t len, const char *with)
{
    return len >= strlen(with) && memcmp(name, with, strlen(with)) == 0;
}

/* A program for a command line has an entry that no actor has: it would load
 * and never do anything. */
static theater_status_t refuse_program(struct walk *walk,
                                       const wasmtime_component_type_t *type,
                                       size_t len, theater_error_t *err)
{
    bool program = false;
    if (walk->module->component->run != NULL) {
        return THEATER_OK;
    }
    for (size_t i = 0; i < len; i++) {
        const char *name = NULL;
        size_t name_len = 0;
        wasmtime_component_item_t item;
        if (!wasmtime_component_type_export_nth(type, walk->wasm, i, &name,
                                                &name_len, &item)) {
            continue;
        }
        wasmtime_component_item_delete(&item);
        if (begins(name, name_len, "handle-")) {
            return THEATER_OK;
        }
        program = program || begins(name, name_len, "wasi:cli/run");
    }
    return program ? th_error(err, THEATER_BAD_MODULE, walk->module->path,
                              "is a program for a command line: it exports "
                              "`wasi:cli/run`, which nobody calls here; "
                              "export the function `run` of the world, "
                              "`handle-send` or `handle-request` instead")
                   : THEATER_OK;
}

static theater_status_t find_exports(struct walk *walk,
                                     const wasmtime_component_type_t *type,
                                     theater_error_t *err)
{
    static const theater_type_t none[THEATER_MAX_PARAMS];
    static const theater_type_t text[THEATER_MAX_PARAMS] = {
        THEATER_TYPE_STRING};
    struct th_module *module = walk->module;
    struct th_component *component = module->component;
    size_t len = wasmtime_component_type_export_count(type, walk->wasm);
    if (len > TH_COMPONENT_ITEMS) {
        return too_many(walk, "exports", len, err);
    }
    theater_status_t status = find_export(
        walk, type, "run", none, THEATER_TYPE_NONE, &component->run, err);
    if (status == THEATER_OK) {
        status = find_export(walk, type, "handle-stop", text, THEATER_TYPE_NONE,
                             &component->stop, err);
    }
    if (status == THEATER_OK) {
        status = refuse_program(walk, type, len, err);
    }
    module->has_run = component->run != NULL;
    module->has_stop = component->stop != NULL;
    for (size_t g = 0; g < module->grants_len; g++) {
        for (size_t i = 0; i < module->grants[g].ops->exports_len; i++) {
            if (status == THEATER_OK) {
                status = find_entry(walk, type, g, i, err);
            }
        }
    }
    return status;
}

/* --- Both ---------------------------------------------------------------- */

theater_status_t th_component_fill(struct th_module *module,
                                   theater_error_t *err)
{
    const theater_env_t *env = module->engine->env;
    struct walk walk = {.module = module};
    theater_status_t status =
        th_engine_get(module->engine, module->stack, &walk.wasm, err);
    if (status != THEATER_OK) {
        return status;
    }
    memset(module->entry_of, 0xff, sizeof module->entry_of);
    module->entries = th_calloc(env, TH_MAX_ENTRIES * sizeof *module->entries);
    module->component = th_calloc(env, sizeof *module->component);
    if (module->entries == NULL || module->component == NULL) {
        return no_memory(module, err);
    }
    module->component->linker = wasmtime_component_linker_new(walk.wasm);
    wasmtime_component_type_t *type =
        wasmtime_component_type(module->guest->component);
    status = link_imports(&walk, type, err);
    if (status == THEATER_OK) {
        status = find_exports(&walk, type, err);
    }
    wasmtime_component_type_delete(type);
    return status;
}

static void drop_index(wasmtime_component_export_index_t *index)
{
    if (index != NULL) {
        wasmtime_component_export_index_delete(index);
    }
}

void th_component_fini(struct th_module *module)
{
    struct th_component *component = module->component;
    if (component == NULL) {
        return;
    }
    for (size_t i = 0; i < module->entries_len; i++) {
        drop_index(component->entries[i]);
    }
    drop_index(component->run);
    drop_index(component->stop);
    if (component->linker != NULL) {
        wasmtime_component_linker_delete(component->linker);
    }
    th_free(module->engine->env, component);
}

void th_component_export_names(const struct th_module *module,
                               void (*each)(void *user, const char *name,
                                            size_t len),
                               void *user)
{
    wasm_engine_t *wasm = NULL;
    if (th_engine_get(module->engine, module->stack, &wasm, NULL) !=
        THEATER_OK) {
        return;
    }
    wasmtime_component_type_t *type =
        wasmtime_component_type(module->guest->component);
    size_t len = wasmtime_component_type_export_count(type, wasm);
    for (size_t i = 0; i < len; i++) {
        const char *name = NULL;
        size_t name_len = 0;
        wasmtime_component_item_t item;
        if (wasmtime_component_type_export_nth(type, wasm, i, &name, &name_len,
                                               &item)) {
            each(user, name, name_len);
            wasmtime_component_item_delete(&item);
        }
    }
    wasmtime_component_type_delete(type);
}
