/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Design notes. A system is a list of actors, each a name and a manifest. It
 * is built by appending: actors of a system file, of a manifest, of several
 * files one after the other, all through add_actor, which keeps the names
 * unique with an open-addressed table of indices. A manifest that several
 * actors name is read once. Names made for a count are in the arena of the
 * system file that asked for them; the system keeps those documents. Either
 * the whole system is there in the end, or nothing is.
 */
#include "manifest_internal.h"

#include <stdio.h>
#include <string.h>

#include "base/base.h"

/* A growing array in memory of the environment. */
struct array {
    void *items;     /* len used, room there */
    size_t len;      /* entries in use */
    size_t capacity; /* entries there is room for */
};

struct theater_system {
    const theater_env_t *env; /* where memory comes from */
    struct array docs;        /* struct th_toml *: the system files */
    struct array manifests;   /* theater_manifest_t *: one reference each */
    struct array actors;      /* theater_system_actor_t */
    uint32_t *slots;          /* name -> index in actors, plus one */
    size_t slots_len;         /* a power of two, or 0 */
    bool native;              /* as in the options */
};

/* What is the same for all actors of one [[actor]] section. */
struct section {
    struct th_source *src;              /* the system file */
    struct th_toml_place place;         /* for errors with the name */
    const theater_manifest_t *manifest; /* what it names */
    const char *name;                   /* before any count */
    const char *state;                  /* its own, or the manifest's */
    size_t state_len;                   /* bytes */
    uint64_t count;                     /* how many */
};

static theater_status_t no_memory(const struct th_source *src)
{
    const struct th_toml_place start = {1, 1};
    return th_source_error(src, THEATER_OUT_OF_MEMORY, start, "out of memory");
}

/* Room for one more entry; the entry, or NULL. */
static void *append(const theater_env_t *env, struct array *array, size_t size)
{
    if (array->len == array->capacity) {
        size_t capacity = array->capacity == 0 ? 8 : array->capacity * 2;
        void *items = th_alloc(env, capacity * size);
        if (items == NULL) {
            return NULL;
        }
        if (array->len != 0) {
            memcpy(items, array->items, array->len * size);
        }
        th_free(env, array->items);
        array->items = items;
        array->capacity = capacity;
    }
    return (char *)array->items + array->len++ * size;
}

/* --- Unique names ------------------------------------------------------- */

static theater_system_actor_t *actor_at(const theater_system_t *system,
                                        size_t index)
{
    return (theater_system_actor_t *)system->actors.items + index;
}

/* Where the name is, or where it would go. */
static size_t slot_of(const theater_system_t *system, const char *name)
{
    size_t mask = system->slots_len - 1;
    size_t at = (size_t)th_hash64(name, strlen(name), 0) & mask;
    while (system->slots[at] != 0 &&
           strcmp(actor_at(system, system->slots[at] - 1)->name, name) != 0) {
        at = (at + 1) & mask;
    }
    return at;
}

/* Keeps the table at most half full for one more name. */
static bool grow_slots(theater_system_t *system)
{
    if ((system->actors.len + 1) * 2 <= system->slots_len) {
        return true;
    }
    size_t slots_len = system->slots_len == 0 ? 32 : system->slots_len * 2;
    uint32_t *slots = th_calloc(system->env, slots_len * sizeof(*slots));
    if (slots == NULL) {
        return false;
    }
    th_free(system->env, system->slots);
    system->slots = slots;
    system->slots_len = slots_len;
    for (size_t i = 0; i < system->actors.len; i++) {
        slots[slot_of(system, actor_at(system, i)->name)] = (uint32_t)i + 1;
    }
    return true;
}

static theater_status_t add_actor(theater_system_t *system,
                                  const struct section *section,
                                  const char *name)
{
    char shown[TH_TOML_SHOW];
    const struct th_source *src = section->src;
    if (system->actors.len >= TH_SYSTEM_MAX_ACTORS) {
        return th_source_error(src, THEATER_BAD_MANIFEST, section->place,
                               "more than %d actors", TH_SYSTEM_MAX_ACTORS);
    }
    if (!grow_slots(system)) {
        return no_memory(src);
    }
    size_t slot = slot_of(system, name);
    if (system->slots[slot] != 0) {
        return th_source_error(
            src, THEATER_BAD_MANIFEST, section->place,
            "a second actor is named '%s'; the first is of %s; give one of "
            "them another name",
            th_toml_show(shown, name, strlen(name)),
            theater_manifest_origin(
                actor_at(system, system->slots[slot] - 1)->manifest));
    }
    theater_system_actor_t *actor =
        append(system->env, &system->actors, sizeof(*actor));
    if (actor == NULL) {
        return no_memory(src);
    }
    *actor = (theater_system_actor_t){.name = name,
                                      .manifest = section->manifest,
                                      .initial_state =
                                          (const uint8_t *)section->state,
                                      .initial_state_len = section->state_len};
    system->slots[slot] = (uint32_t)system->actors.len;
    return THEATER_OK;
}

/* name-1, name-2, ... */
static theater_status_t add_numbered(theater_system_t *system,
                                     const struct section *section)
{
    size_t size = strlen(section->name) + sizeof("-18446744073709551615");
    for (uint64_t i = 1; i <= section->count; i++) {
        char *name = th_toml_alloc(section->src->doc, size);
        if (name == NULL) {
            return no_memory(section->src);
        }
        int len = snprintf(name, size, "%s-%llu", section->name,
                           (unsigned long long)i);
        if (!th_name_ok(name, (size_t)len)) {
            return th_source_error(section->src, THEATER_BAD_MANIFEST,
                                   section->place,
                                   "with -%llu behind it the name is longer "
                                   "than 255 bytes",
                                   (unsigned long long)i);
        }
        theater_status_t status = add_actor(system, section, name);
        if (status != THEATER_OK) {
            return status;
        }
    }
    return THEATER_OK;
}

/* --- Manifests ---------------------------------------------------------- */

/* The system keeps the reference in any case but OUT_OF_MEMORY. */
static theater_status_t keep_manifest(theater_system_t *system,
                                      const struct th_source *src,
                                      theater_manifest_t *manifest)
{
    theater_manifest_t **place =
        append(system->env, &system->manifests, sizeof(manifest));
    if (place == NULL) {
        theater_manifest_release(manifest);
        return no_memory(src);
    }
    *place = manifest;
    return THEATER_OK;
}

/* The manifest that a system file names, read once. */
static theater_status_t find_manifest(theater_system_t *system,
                                      const struct th_source *src,
                                      const struct th_toml_node *path,
                                      theater_manifest_t **out)
{
    char real[PATH_MAX];
    char joined[PATH_MAX];
    theater_status_t status = th_source_resolve(
        src, path->place, "manifest", path->as.string.data, true, real);
    if (status != THEATER_OK) {
        return status;
    }
    th_source_join(src->origin, path->as.string.data, joined);
    theater_manifest_t **manifests = system->manifests.items;
    for (size_t i = 0; i < system->manifests.len; i++) {
        if (strcmp(theater_manifest_origin(manifests[i]), joined) == 0) {
            *out = manifests[i];
            return THEATER_OK;
        }
    }
    struct th_source inner = {
        .env = src->env, .origin = joined, .err = src->err};
    theater_manifest_t *manifest = NULL;
    status = th_source_load(&inner);
    if (status == THEATER_OK) {
        status = th_manifest_from_source(&inner, system->native, &manifest);
    }
    if (status == THEATER_OK) {
        status = keep_manifest(system, src, manifest);
    }
    if (status == THEATER_OK) {
        *out = manifest;
    }
    return status;
}

/* --- Files -------------------------------------------------------------- */

static theater_status_t add_section(theater_system_t *system,
                                    struct th_source *src,
                                    const struct th_toml_node *table)
{
    theater_manifest_t *manifest = NULL;
    const struct th_keys_check check = {.what = "[[actor]]",
                                        .place = table->place,
                                        .table = table,
                                        .keys = th_actor_keys,
                                        .keys_len = TH_ACTOR_KEYS};
    theater_status_t status = th_keys_check(src, &check);
    if (status != THEATER_OK) {
        return status;
    }
    const struct th_toml_entry *path =
        th_toml_find(src->doc, table, "manifest", strlen("manifest"));
    const struct th_toml_entry *name =
        th_toml_find(src->doc, table, "name", strlen("name"));
    status = find_manifest(system, src, path->value, &manifest);
    if (status != THEATER_OK) {
        return status;
    }
    struct th_key_value state =
        th_key_get(src->doc, table, &th_actor_keys[TH_KEY_ACTOR_INITIAL_STATE]);
    struct section section = {
        .src = src,
        .place = name != NULL ? name->value->place : table->place,
        .manifest = manifest,
        .name = name != NULL ? name->value->as.string.data
                             : theater_manifest_name(manifest),
        .state = state.text,
        .state_len = state.len,
        .count = th_key_get(src->doc, table, &th_actor_keys[TH_KEY_ACTOR_COUNT])
                     .number};
    if (section.state == NULL) {
        section.state = (const char *)theater_manifest_initial_state(
            manifest, &section.state_len);
    }
    return section.count == 1 ? add_actor(system, &section, section.name)
                              : add_numbered(system, &section);
}

/* Adds the actors of a system file; takes src->doc in any case. */
static theater_status_t add_system(theater_system_t *system,
                                   struct th_source *src)
{
    static const char *const others[] = {"actor"};
    const struct th_toml_node *root = th_toml_root(src->doc);
    struct th_toml **place =
        append(system->env, &system->docs, sizeof(struct th_toml *));
    if (place == NULL) {
        th_toml_delete(src->doc);
        return no_memory(src);
    }
    *place = src->doc;
    const struct th_keys_check check = {.what = "the system file",
                                        .place = {1, 1},
                                        .table = root,
                                        .others = others,
                                        .others_len = 1};
    theater_status_t status = th_keys_check(src, &check);
    if (status != THEATER_OK) {
        return status;
    }
    const struct th_toml_entry *entry =
        th_toml_find(src->doc, root, "actor", strlen("actor"));
    const struct th_toml_node *list = entry == NULL ? NULL : entry->value;
    bool is_list =
        list != NULL && list->kind == TH_TOML_ARRAY && list->as.array.count > 0;
    const struct th_toml_node *table = is_list ? list->as.array.first : NULL;
    for (; table != NULL && table->kind == TH_TOML_TABLE; table = table->next) {
        status = add_section(system, src, table);
        if (status != THEATER_OK) {
            return status;
        }
    }
    if (!is_list || table != NULL) {
        return th_source_error(src, THEATER_BAD_MANIFEST,
                               entry == NULL ? check.place : entry->place,
                               "a system file lists its actors: write "
                               "[[actor]] and manifest = \"...\" below it");
    }
    return THEATER_OK;
}

/* Adds the actor of a manifest; takes src->doc in any case. */
static theater_status_t add_manifest(theater_system_t *system,
                                     struct th_source *src)
{
    theater_manifest_t *manifest = NULL;
    theater_status_t status =
        th_manifest_from_source(src, system->native, &manifest);
    if (status == THEATER_OK) {
        status = keep_manifest(system, src, manifest);
    }
    if (status != THEATER_OK) {
        return status;
    }
    struct section section = {.src = src,
                              .place = th_manifest_name_place(manifest),
                              .manifest = manifest,
                              .name = theater_manifest_name(manifest)};
    section.state = (const char *)theater_manifest_initial_state(
        manifest, &section.state_len);
    return add_actor(system, &section, section.name);
}

static theater_status_t add_file(theater_system_t *system, const char *path,
                                 theater_error_t *err)
{
    struct th_source src = {.env = system->env, .origin = path, .err = err};
    theater_status_t status = th_source_load(&src);
    if (status != THEATER_OK) {
        return status;
    }
    bool is_system = th_toml_find(src.doc, th_toml_root(src.doc), "actor",
                                  strlen("actor")) != NULL;
    return is_system ? add_system(system, &src) : add_manifest(system, &src);
}

/* --- Public ------------------------------------------------------------- */

static theater_status_t system_new(const theater_manifest_options_t *options,
                                   theater_system_t **out, theater_error_t *err)
{
    const theater_env_t *env = options != NULL && options->env != NULL
                                   ? options->env
                                   : theater_env_default();
    *out = th_calloc(env, sizeof(**out));
    if (*out == NULL) {
        return th_error(err, THEATER_OUT_OF_MEMORY, "system", "out of memory");
    }
    (*out)->env = env;
    (*out)->native = options != NULL && options->native;
    return THEATER_OK;
}

static theater_status_t finish(theater_system_t *system,
                               theater_status_t status,
                               theater_system_t **out_system)
{
    if (status == THEATER_OK) {
        *out_system = system;
    } else {
        theater_system_delete(system);
    }
    return status;
}

theater_status_t
theater_system_load_file(const char *path,
                         const theater_manifest_options_t *options,
                         theater_system_t **out_system, theater_error_t *err)
{
    theater_system_t *system = NULL;
    theater_status_t status = system_new(options, &system, err);
    if (status != THEATER_OK) {
        return status;
    }
    struct th_source src = {.env = system->env, .origin = path, .err = err};
    status = th_source_load(&src);
    if (status == THEATER_OK) {
        status = add_system(system, &src);
    }
    return finish(system, status, out_system);
}

theater_status_t theater_system_parse(const char *text, size_t len,
                                      const char *origin,
                                      const theater_manifest_options_t *options,
                                      theater_system_t **out_system,
                                      theater_error_t *err)
{
    theater_system_t *system = NULL;
    theater_status_t status = system_new(options, &system, err);
    if (status != THEATER_OK) {
        return status;
    }
    struct th_source src = {.env = system->env,
                            .origin = origin == NULL ? "system" : origin,
                            .err = err};
    status = th_source_parse(&src, text, len);
    if (status == THEATER_OK) {
        status = add_system(system, &src);
    }
    return finish(system, status, out_system);
}

theater_status_t
theater_system_load_files(const char *const *paths, size_t paths_len,
                          const theater_manifest_options_t *options,
                          theater_system_t **out_system, theater_error_t *err)
{
    theater_system_t *system = NULL;
    theater_status_t status = system_new(options, &system, err);
    if (status != THEATER_OK) {
        return status;
    }
    for (size_t i = 0; i < paths_len && status == THEATER_OK; i++) {
        status = add_file(system, paths[i], err);
    }
    return finish(system, status, out_system);
}

void theater_system_delete(theater_system_t *system)
{
    if (system == NULL) {
        return;
    }
    theater_manifest_t **manifests = system->manifests.items;
    struct th_toml **docs = system->docs.items;
    for (size_t i = 0; i < system->manifests.len; i++) {
        theater_manifest_release(manifests[i]);
    }
    for (size_t i = 0; i < system->docs.len; i++) {
        th_toml_delete(docs[i]);
    }
    th_free(system->env, system->actors.items);
    th_free(system->env, manifests);
    th_free(system->env, docs);
    th_free(system->env, system->slots);
    th_free(system->env, system);
}

theater_status_t theater_system_check(const theater_system_t *system,
                                      const theater_handler_keys_t *handlers,
                                      size_t handlers_len, theater_error_t *err)
{
    theater_manifest_t **manifests = system->manifests.items;
    for (size_t i = 0; i < system->manifests.len; i++) {
        theater_status_t status =
            theater_manifest_check(manifests[i], handlers, handlers_len, err);
        if (status != THEATER_OK) {
            return status;
        }
    }
    return THEATER_OK;
}

size_t theater_system_actors_len(const theater_system_t *system)
{
    return system->actors.len;
}

const theater_system_actor_t *
theater_system_actor(const theater_system_t *system, size_t index)
{
    return index < system->actors.len ? actor_at(system, index) : NULL;
}
