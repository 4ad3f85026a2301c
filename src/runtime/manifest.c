/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Design notes. A manifest is the parsed document and a few values computed
 * from it, all in the document's arena: one thing to free, whatever fails.
 * It never changes once it is made, so any thread may read it and any number
 * of actors may share it; only the count of references is atomic.
 *
 * [[handler]] sections are kept as they stand. What their keys mean is the
 * handlers' affair, and a manifest may be read before any handler is there;
 * theater_manifest_check compares them with the handlers' tables later, with
 * the places still known. The reading functions (theater_section_*) get the
 * key from their caller, so that nothing has to be bound to a section.
 *
 * The files: manifest.c (a manifest), manifest_system.c (many),
 * manifest_source.c (texts, errors, paths), manifest_keys.c (the tables),
 * manifest_value.c (one value).
 */
#include "manifest_internal.h"

#include <stdatomic.h>
#include <stdio.h>
#include <string.h>

#include "base/base.h"

/* A list of strings of a section, as an array. */
struct section_list {
    const struct th_toml_node *node; /* the list in the document */
    const char *const *items;        /* its strings; never NULL */
    size_t len;                      /* entries in items */
};

struct theater_section {
    const struct theater_manifest *manifest; /* which it is part of */
    const struct th_toml_node *table;        /* its keys */
    const char *type;                        /* of the handler */
    struct th_toml_place type_place;         /* of the type's value */
    struct section_list *lists;              /* all that it holds */
    size_t lists_len;                        /* entries in lists */
};

enum { SECTIONS_MAX = 64 }; /* each is compared with all before it */

struct theater_manifest {
    _Atomic uint32_t count;          /* references */
    const theater_env_t *env;        /* where memory comes from */
    struct th_toml *doc;             /* text, tree, and all below */
    const char *origin;              /* the path it was read from */
    const char *name;                /* see the getters for these */
    struct th_toml_place name_place; /* of the name's value */
    const char *version;
    const char *description;
    const char *package;
    const char *initial_state;
    size_t initial_state_len;
    theater_limits_t limits;
    theater_restart_t restart;
    struct theater_section *sections; /* of [[handler]] */
    size_t sections_len;              /* entries in sections */
};

static const struct th_toml_place file_start = {1, 1};

static theater_status_t no_memory(const struct th_source *src)
{
    return th_source_error(src, THEATER_OUT_OF_MEMORY, file_start,
                           "out of memory");
}

static const char *copy_text(struct th_toml *doc, const char *text)
{
    size_t size = strlen(text) + 1;
    char *copy = th_toml_alloc(doc, size);
    return copy == NULL ? NULL : memcpy(copy, text, size);
}

static const struct th_toml_entry *find(const struct th_source *src,
                                        const char *key)
{
    return th_toml_find(src->doc, th_toml_root(src->doc), key, strlen(key));
}

/* --- Checks of the shape ------------------------------------------------ */

static theater_status_t check_top(const struct th_source *src, bool native)
{
    static const char *const others[] = {"limits", "handler"};
    const struct th_toml_entry *actor = find(src, "actor");
    if (actor != NULL) {
        return th_source_error(src, THEATER_BAD_MANIFEST, actor->place,
                               "[[actor]] belongs into a system file, but "
                               "this is read as a manifest");
    }
    const struct th_keys_check check = {.what = "the manifest",
                                        .place = file_start,
                                        .table = th_toml_root(src->doc),
                                        .keys = th_manifest_keys,
                                        .keys_len = TH_MANIFEST_KEYS,
                                        .others = others,
                                        .others_len =
                                            sizeof(others) / sizeof(others[0]),
                                        .optional = native ? "package" : NULL};
    return th_keys_check(src, &check);
}

static theater_status_t check_limits(const struct th_source *src)
{
    const struct th_toml_entry *limits = find(src, "limits");
    if (limits == NULL) {
        return THEATER_OK;
    }
    if (limits->value->kind != TH_TOML_TABLE) {
        return th_source_error(src, THEATER_BAD_MANIFEST, limits->place,
                               "'limits' must be a table: write [limits] on "
                               "a line of its own");
    }
    const struct th_keys_check check = {.what = "[limits]",
                                        .place = limits->place,
                                        .table = limits->value,
                                        .keys = th_limits_keys,
                                        .keys_len = TH_LIMITS_KEYS};
    return th_keys_check(src, &check);
}

/* --- Sections ----------------------------------------------------------- */

/* Makes arrays of the lists of strings; others are refused by the check. */
static bool collect_lists(struct th_toml *doc, struct theater_section *section)
{
    size_t count = section->table->as.table.count;
    section->lists = th_toml_alloc(doc, count * sizeof(*section->lists));
    if (section->lists == NULL) {
        return false;
    }
    const struct th_toml_entry *entry = section->table->as.table.first;
    for (; entry != NULL; entry = entry->next) {
        const struct th_toml_node *node = entry->value;
        if (node->kind != TH_TOML_ARRAY) {
            continue;
        }
        const char **items =
            th_toml_alloc(doc, (node->as.array.count + 1) * sizeof(char *));
        if (items == NULL) {
            return false;
        }
        size_t len = 0;
        const struct th_toml_node *item = node->as.array.first;
        for (; item != NULL; item = item->next) {
            if (item->kind == TH_TOML_STRING) {
                items[len++] = item->as.string.data;
            }
        }
        items[len] = NULL;
        section->lists[section->lists_len++] =
            (struct section_list){node, items, len};
    }
    return true;
}

static theater_status_t make_section(const struct th_source *src,
                                     theater_manifest_t *manifest,
                                     const struct th_toml_node *table)
{
    const struct th_toml_entry *type = th_toml_find(src->doc, table, "type", 4);
    if (type == NULL) {
        return th_source_error(src, THEATER_BAD_MANIFEST, table->place,
                               "[[handler]] has no 'type', which it needs: "
                               "which handler it is, such as "
                               "\"message-server\"");
    }
    const struct th_toml_node *value = type->value;
    if (value->kind != TH_TOML_STRING) {
        return th_source_error(src, THEATER_BAD_MANIFEST, value->place,
                               "'type' must be a string, not %s",
                               th_toml_kind_name(value->kind));
    }
    if (!th_name_ok(value->as.string.data, value->as.string.len)) {
        return th_source_error(src, THEATER_BAD_MANIFEST, value->place,
                               "'type' must be the name of a handler, such as "
                               "\"message-server\"");
    }
    for (size_t i = 0; i < manifest->sections_len; i++) {
        if (strcmp(manifest->sections[i].type, value->as.string.data) == 0) {
            char shown[TH_TOML_SHOW];
            return th_source_error(
                src, THEATER_BAD_MANIFEST, value->place,
                "a second [[handler]] of type '%s'; the first is in line %u",
                th_toml_show(shown, value->as.string.data,
                             value->as.string.len),
                (unsigned)manifest->sections[i].type_place.line);
        }
    }
    struct theater_section *section =
        &manifest->sections[manifest->sections_len];
    *section = (struct theater_section){.manifest = manifest,
                                        .table = table,
                                        .type = value->as.string.data,
                                        .type_place = value->place};
    if (!collect_lists(src->doc, section)) {
        return no_memory(src);
    }
    manifest->sections_len++;
    return THEATER_OK;
}

static theater_status_t make_sections(const struct th_source *src,
                                      theater_manifest_t *manifest)
{
    const struct th_toml_entry *entry = find(src, "handler");
    if (entry == NULL) {
        return THEATER_OK;
    }
    const struct th_toml_node *list = entry->value;
    const struct th_toml_node *table =
        list->kind == TH_TOML_ARRAY ? list->as.array.first : NULL;
    if (list->kind == TH_TOML_ARRAY) {
        if (list->as.array.count > SECTIONS_MAX) {
            return th_source_error(src, THEATER_BAD_MANIFEST, entry->place,
                                   "%zu [[handler]] sections; %d at most",
                                   list->as.array.count, SECTIONS_MAX);
        }
        size_t bytes = list->as.array.count * sizeof(*manifest->sections);
        manifest->sections = th_toml_alloc(src->doc, bytes);
        if (manifest->sections == NULL) {
            return no_memory(src);
        }
    }
    if (list->kind != TH_TOML_ARRAY ||
        (table != NULL && table->kind != TH_TOML_TABLE)) {
        return th_source_error(src, THEATER_BAD_MANIFEST, entry->place,
                               "'handler' must be a list of tables: write "
                               "[[handler]], with two brackets");
    }
    for (; table != NULL; table = table->next) {
        if (table->kind != TH_TOML_TABLE) {
            return th_source_error(src, THEATER_BAD_MANIFEST, table->place,
                                   "a handler must be a table, not %s",
                                   th_toml_kind_name(table->kind));
        }
        theater_status_t status = make_section(src, manifest, table);
        if (status != THEATER_OK) {
            return status;
        }
    }
    return THEATER_OK;
}

/* --- Values ------------------------------------------------------------- */

static struct th_key_value top(const struct th_source *src,
                               enum th_manifest_key key)
{
    return th_key_get(src->doc, th_toml_root(src->doc), &th_manifest_keys[key]);
}

static void read_limits(const struct th_source *src, theater_limits_t *out)
{
    const struct th_toml_entry *entry = find(src, "limits");
    const struct th_toml_node *table = entry == NULL ? NULL : entry->value;
    uint64_t values[TH_LIMITS_KEYS];
    for (size_t i = 0; i < TH_LIMITS_KEYS; i++) {
        values[i] = th_key_get(src->doc, table, &th_limits_keys[i]).number;
    }
    out->memory_bytes = values[TH_KEY_MEMORY];
    out->delivery_time_ns = values[TH_KEY_DELIVERY_TIME];
    out->run_time_ns = values[TH_KEY_RUN_TIME];
    out->stack = (theater_stack_class_t)values[TH_KEY_STACK];
}

static theater_status_t read_package(const struct th_source *src, bool native,
                                     theater_manifest_t *manifest)
{
    char path[PATH_MAX];
    const struct th_toml_entry *entry = find(src, "package");
    if (entry == NULL) {
        return THEATER_OK;
    }
    theater_status_t status =
        th_source_resolve(src, entry->value->place, "package",
                          entry->value->as.string.data, !native, path);
    if (status != THEATER_OK) {
        return status;
    }
    manifest->package = copy_text(src->doc, path);
    return manifest->package == NULL ? no_memory(src) : THEATER_OK;
}

static void read_values(const struct th_source *src,
                        theater_manifest_t *manifest)
{
    struct th_key_value state = top(src, TH_KEY_INITIAL_STATE);
    manifest->name = top(src, TH_KEY_NAME).text;
    manifest->name_place = find(src, "name")->value->place;
    manifest->version = top(src, TH_KEY_VERSION).text;
    manifest->description = top(src, TH_KEY_DESCRIPTION).text;
    manifest->initial_state = state.text;
    manifest->initial_state_len = state.len;
    manifest->restart.when =
        (theater_restart_when_t)top(src, TH_KEY_RESTART).number;
    manifest->restart.max_restarts =
        (uint32_t)top(src, TH_KEY_MAX_RESTARTS).number;
    manifest->restart.period_ns = top(src, TH_KEY_RESTART_PERIOD).number;
    manifest->restart.backoff_ns = top(src, TH_KEY_RESTART_BACKOFF).number;
    read_limits(src, &manifest->limits);
}

/* Takes src->doc in any case. */
theater_status_t th_manifest_from_source(struct th_source *src, bool native,
                                         theater_manifest_t **out)
{
    theater_manifest_t *manifest = NULL;
    theater_status_t status = check_top(src, native);
    if (status == THEATER_OK) {
        status = check_limits(src);
    }
    if (status != THEATER_OK) {
        goto fail;
    }
    manifest = th_toml_alloc(src->doc, sizeof(*manifest));
    if (manifest == NULL) {
        status = no_memory(src);
        goto fail;
    }
    memset(manifest, 0, sizeof(*manifest));
    atomic_init(&manifest->count, 1);
    manifest->env = src->env;
    manifest->doc = src->doc;
    manifest->origin = copy_text(src->doc, src->origin);
    if (manifest->origin == NULL) {
        status = no_memory(src);
        goto fail;
    }
    read_values(src, manifest);
    status = make_sections(src, manifest);
    if (status == THEATER_OK) {
        status = read_package(src, native, manifest);
    }
    if (status != THEATER_OK) {
        goto fail;
    }
    *out = manifest;
    return THEATER_OK;
fail:
    th_toml_delete(src->doc);
    src->doc = NULL;
    return status;
}

struct th_toml_place th_manifest_name_place(const theater_manifest_t *manifest)
{
    return manifest->name_place;
}

/* --- Public ------------------------------------------------------------- */

static const theater_env_t *env_of(const theater_manifest_options_t *options)
{
    return options != NULL && options->env != NULL ? options->env
                                                   : theater_env_default();
}

theater_status_t theater_manifest_load_file(
    const char *path, const theater_manifest_options_t *options,
    theater_manifest_t **out_manifest, theater_error_t *err)
{
    struct th_source src = {.env = env_of(options), .origin = path, .err = err};
    bool native = options != NULL && options->native;
    theater_status_t status = th_source_load(&src);
    if (status != THEATER_OK) {
        return status;
    }
    return th_manifest_from_source(&src, native, out_manifest);
}

theater_status_t
theater_manifest_parse(const char *text, size_t len, const char *origin,
                       const theater_manifest_options_t *options,
                       theater_manifest_t **out_manifest, theater_error_t *err)
{
    struct th_source src = {.env = env_of(options),
                            .origin = origin == NULL ? "manifest" : origin,
                            .err = err};
    bool native = options != NULL && options->native;
    theater_status_t status = th_source_parse(&src, text, len);
    if (status != THEATER_OK) {
        return status;
    }
    return th_manifest_from_source(&src, native, out_manifest);
}

theater_manifest_t *theater_manifest_retain(const theater_manifest_t *manifest)
{
    /* The count is the one thing of a manifest that changes. */
    theater_manifest_t *counted = (theater_manifest_t *)(uintptr_t)manifest;
    /* relaxed: whoever retains holds a reference already; nothing travels. */
    (void)atomic_fetch_add_explicit(&counted->count, 1, memory_order_relaxed);
    return counted;
}

void theater_manifest_release(theater_manifest_t *manifest)
{
    if (manifest == NULL) {
        return;
    }
    /* [M1] release: the reads of this reference come before the last
     * release's free; acquire: and the free comes after all others' reads. */
    if (atomic_fetch_sub_explicit(&manifest->count, 1, memory_order_acq_rel) ==
        1) {
        th_toml_delete(manifest->doc); /* the manifest is in its arena */
    }
}

const char *theater_manifest_name(const theater_manifest_t *manifest)
{
    return manifest->name;
}

const char *theater_manifest_version(const theater_manifest_t *manifest)
{
    return manifest->version;
}

const char *theater_manifest_description(const theater_manifest_t *manifest)
{
    return manifest->description;
}

const char *theater_manifest_package(const theater_manifest_t *manifest)
{
    return manifest->package;
}

const char *theater_manifest_origin(const theater_manifest_t *manifest)
{
    return manifest->origin;
}

const uint8_t *
theater_manifest_initial_state(const theater_manifest_t *manifest,
                               size_t *out_len)
{
    *out_len = manifest->initial_state_len;
    return (const uint8_t *)manifest->initial_state;
}

const theater_limits_t *
theater_manifest_limits(const theater_manifest_t *manifest)
{
    return &manifest->limits;
}

const theater_restart_t *
theater_manifest_restart(const theater_manifest_t *manifest)
{
    return &manifest->restart;
}

size_t theater_manifest_handlers_len(const theater_manifest_t *manifest)
{
    return manifest->sections_len;
}

const theater_section_t *
theater_manifest_handler(const theater_manifest_t *manifest, size_t index)
{
    return index < manifest->sections_len ? &manifest->sections[index] : NULL;
}

/* --- Sections against the handlers' tables ------------------------------ */

static theater_status_t unknown_type(const struct th_source *src,
                                     const struct theater_section *section,
                                     const theater_handler_keys_t *handlers,
                                     size_t len)
{
    const char *names[TH_MANIFEST_MAX_KEYS];
    char hint[240];
    char shown[TH_TOML_SHOW];
    if (len > TH_MANIFEST_MAX_KEYS) {
        len = TH_MANIFEST_MAX_KEYS;
    }
    for (size_t i = 0; i < len; i++) {
        names[i] = handlers[i].type;
    }
    return th_source_error(
        src, THEATER_BAD_MANIFEST, section->type_place,
        "there is no handler '%s'; %s",
        th_toml_show(shown, section->type, strlen(section->type)),
        th_keys_hint(section->type, names, len, hint, sizeof(hint)));
}

static theater_status_t check_section(const struct th_source *src,
                                      const struct theater_section *section,
                                      const theater_handler_keys_t *handlers,
                                      size_t len)
{
    static const char *const others[] = {"type"};
    char what[96];
    for (size_t i = 0; i < len; i++) {
        if (strcmp(handlers[i].type, section->type) != 0) {
            continue;
        }
        (void)snprintf(what, sizeof(what), "the handler '%s'", section->type);
        const struct th_keys_check check = {.what = what,
                                            .place = section->table->place,
                                            .table = section->table,
                                            .keys = handlers[i].keys,
                                            .keys_len = handlers[i].keys_len,
                                            .others = others,
                                            .others_len = 1};
        return th_keys_check(src, &check);
    }
    return unknown_type(src, section, handlers, len);
}

theater_status_t theater_manifest_check(const theater_manifest_t *manifest,
                                        const theater_handler_keys_t *handlers,
                                        size_t handlers_len,
                                        theater_error_t *err)
{
    const struct th_source src = {.env = manifest->env,
                                  .origin = manifest->origin,
                                  .doc = manifest->doc,
                                  .err = err};
    for (size_t i = 0; i < manifest->sections_len; i++) {
        theater_status_t status =
            check_section(&src, &manifest->sections[i], handlers, handlers_len);
        if (status != THEATER_OK) {
            return status;
        }
    }
    return THEATER_OK;
}

const char *theater_section_type(const theater_section_t *section)
{
    return section->type;
}

bool theater_section_has(const theater_section_t *section,
                         const theater_key_t *key)
{
    return th_toml_find(section->manifest->doc, section->table, key->name,
                        strlen(key->name)) != NULL;
}

bool theater_section_bool(const theater_section_t *section,
                          const theater_key_t *key)
{
    return th_key_get(section->manifest->doc, section->table, key).number != 0;
}

uint64_t theater_section_number(const theater_section_t *section,
                                const theater_key_t *key)
{
    return th_key_get(section->manifest->doc, section->table, key).number;
}

const char *theater_section_string(const theater_section_t *section,
                                   const theater_key_t *key)
{
    return th_key_get(section->manifest->doc, section->table, key).text;
}

const char *const *theater_section_list(const theater_section_t *section,
                                        const theater_key_t *key,
                                        size_t *out_len)
{
    const struct th_toml_entry *entry = th_toml_find(
        section->manifest->doc, section->table, key->name, strlen(key->name));
    *out_len = 0;
    for (size_t i = 0; entry != NULL && i < section->lists_len; i++) {
        if (section->lists[i].node == entry->value) {
            *out_len = section->lists[i].len;
            return section->lists[i].items;
        }
    }
    return NULL;
}
