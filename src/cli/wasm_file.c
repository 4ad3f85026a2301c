/* SPDX-License-Identifier: Apache-2.0 */
/* Design notes. Counts in the file are never
 * trusted for memory: arrays grow with what was really read, up to a bound.
 * A section that cannot be read is named and the next one is read. */
#include "cli/wasm_file.h"

#include "cli/wasm_cursor.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* --- Types --------------------------------------------------------------- */

/* One value type; a reference with a heap type has two parts. */
static void skip_value_type(struct cursor *cursor)
{
    uint8_t byte = take_byte(cursor);
    if (byte == 0x63 || byte == 0x64) {
        (void)take_leb(cursor, 35);
    }
}

static void skip_limits(struct cursor *cursor)
{
    uint8_t flags = take_byte(cursor);
    (void)take_leb(cursor, 64);
    if ((flags & 1) != 0) {
        (void)take_leb(cursor, 64);
    }
    if ((flags & 8) != 0) {
        (void)take_number(cursor);
    }
}

static const char *value_type(uint8_t byte)
{
    static const struct {
        uint8_t byte;
        const char *name;
    } names[] = {{0x7f, "i32"},       {0x7e, "i64"},      {0x7d, "f32"},
                 {0x7c, "f64"},       {0x7b, "v128"},     {0x70, "funcref"},
                 {0x6f, "externref"}, {0x69, "exnref"},   {0x6e, "anyref"},
                 {0x6d, "eqref"},     {0x6c, "i31ref"},   {0x6b, "structref"},
                 {0x6a, "arrayref"},  {0x63, "ref null"}, {0x64, "ref"}};
    for (size_t i = 0; i < sizeof names / sizeof names[0]; i++) {
        if (names[i].byte == byte) {
            return names[i].name;
        }
    }
    return "?";
}

static void add_value_type(struct cli_text *out, struct cursor *cursor)
{
    uint8_t byte = take_byte(cursor);
    cli_add(out, value_type(byte));
    if (byte == 0x63 || byte == 0x64) {
        (void)take_leb(cursor, 35);
    }
}

/* False: there are more than are shown. Each of many imports may be of the
 * one type that has a million. */
static bool add_value_types(struct cli_text *out, struct cursor *cursor)
{
    uint32_t count = take_number(cursor);
    for (uint32_t i = 0; i < count && !cursor->failed; i++) {
        cli_add(out, i > 0 ? ", " : "");
        if (i == WASM_VALUES_SHOWN) {
            cli_add(out, "...");
            return false;
        }
        add_value_type(out, cursor);
    }
    return true;
}

static void add_signature(struct cli_text *out, struct cursor *cursor)
{
    struct cursor ahead;
    cli_add(out, "func(");
    bool whole = add_value_types(out, cursor);
    cli_add(out, ")");
    ahead = *cursor;
    uint32_t results = whole ? take_number(&ahead) : 0;
    if (results > 0) {
        cli_add(out, results > 1 ? " -> (" : " -> ");
        (void)add_value_types(out, cursor);
        cli_add(out, results > 1 ? ")" : "");
    }
}

static void add_limits(struct cli_text *out, struct cursor *cursor,
                       const char *one, const char *many)
{
    uint8_t flags = take_byte(cursor);
    uint64_t least = take_leb(cursor, 64);
    cli_add_format(out, " %llu", (unsigned long long)least);
    const char *unit = least == 1 && (flags & 1) == 0 ? one : many;
    if ((flags & 1) != 0) {
        uint64_t most = take_leb(cursor, 64);
        cli_add_format(out, " to %llu", (unsigned long long)most);
    }
    cli_add_format(out, " %s%s%s", unit, (flags & 2) != 0 ? ", shared" : "",
                   (flags & 4) != 0 ? ", 64 bits" : "");
}

void wasm_add_type(struct cli_text *out, const struct wasm_file *file,
                   const struct wasm_item *item)
{
    struct cursor cursor = {file->data, item->type_at, file->len, false};
    if (item->type_at == 0) {
        cli_add(out, item->kind);
        return;
    }
    if (strcmp(item->kind, "func") == 0) {
        add_signature(out, &cursor);
        return;
    }
    cli_add(out, item->kind);
    if (strcmp(item->kind, "memory") == 0) {
        add_limits(out, &cursor, "page", "pages");
    } else if (strcmp(item->kind, "table") == 0) {
        cli_add(out, " ");
        add_value_type(out, &cursor);
        add_limits(out, &cursor, "entry", "entries");
    } else if (strcmp(item->kind, "global") == 0) {
        struct cursor ahead = cursor;
        skip_value_type(&ahead);
        cli_add(out, take_byte(&ahead) == 1 ? " mut " : " ");
        add_value_type(out, &cursor);
    }
}

/* --- Growing ------------------------------------------------------------- */

/* Room for one more of `size` bytes; capacities are powers of two. */
static bool grow(void **array, size_t len, size_t size)
{
    if (len != 0 && (len & (len - 1)) != 0) {
        return true;
    }
    void *more = realloc(*array, (len == 0 ? 1 : len * 2) * size);
    if (more == NULL) {
        return false;
    }
    *array = more;
    return true;
}

static bool add_item(struct wasm_items *list, struct wasm_item item)
{
    list->all++;
    if (list->len >= WASM_ITEMS_MAX) {
        return true;
    }
    void *array = list->items;
    if (!grow(&array, list->len, sizeof item)) {
        return false;
    }
    list->items = array;
    list->items[list->len++] = item;
    return true;
}

static bool add_word(uint32_t **words, size_t *len, size_t most, uint32_t word)
{
    void *array = *words;
    if (*len >= most || !grow(&array, *len, sizeof word)) {
        return false;
    }
    *words = array;
    (*words)[(*len)++] = word;
    return true;
}

/* --- Sections of a core module ------------------------------------------- */

/* Plain function types; the types of the GC proposal end the reading, and
 * functions of later types are shown without one. */
static bool read_types(struct wasm_file *file, struct cursor *cursor)
{
    uint32_t count = take_number(cursor);
    for (uint32_t i = 0; i < count && !cursor->failed; i++) {
        uint8_t form = take_byte(cursor);
        size_t at = cursor->at;
        if (form != 0x60) {
            return true;
        }
        for (int side = 0; side < 2; side++) {
            uint32_t values = take_number(cursor);
            for (uint32_t k = 0; k < values && !cursor->failed; k++) {
                skip_value_type(cursor);
            }
        }
        if (!cursor->failed && !add_word(&file->types, &file->types_len,
                                         WASM_TYPES_MAX, (uint32_t)at)) {
            return false;
        }
    }
    return true;
}

static size_t type_of(const struct wasm_file *file, uint32_t index)
{
    return index < file->types_len ? file->types[index] : 0;
}

static bool read_imports(struct wasm_file *file, struct cursor *cursor)
{
    static const char *const kinds[] = {"func", "table", "memory", "global",
                                        "tag"};
    uint32_t count = take_number(cursor);
    for (uint32_t i = 0; i < count && !cursor->failed; i++) {
        struct wasm_item item = {.module = take_slice(cursor)};
        item.name = take_slice(cursor);
        uint8_t kind = take_byte(cursor);
        if (kind > 4) {
            cursor->failed = true;
            break;
        }
        item.kind = kinds[kind];
        item.type_at = cursor->at;
        if (kind == 0) {
            uint32_t type = take_number(cursor);
            item.type_at = type_of(file, type);
            (void)add_word(&file->functions, &file->functions_len,
                           WASM_FUNCTIONS_MAX, type);
        } else if (kind == 2) {
            skip_limits(cursor);
        } else if (kind == 4) {
            (void)take_byte(cursor);
            (void)take_number(cursor);
            item.type_at = 0;
        } else {
            skip_value_type(cursor);
            if (kind == 1) {
                skip_limits(cursor);
            } else {
                (void)take_byte(cursor);
            }
        }
        if (!cursor->failed && !add_item(&file->imports, item)) {
            return false;
        }
    }
    return true;
}

static bool read_functions(struct wasm_file *file, struct cursor *cursor)
{
    uint32_t count = take_number(cursor);
    for (uint32_t i = 0; i < count && !cursor->failed; i++) {
        uint32_t type = take_number(cursor);
        if (!cursor->failed && !add_word(&file->functions, &file->functions_len,
                                         WASM_FUNCTIONS_MAX, type)) {
            return false;
        }
    }
    return true;
}

static bool read_memories(struct wasm_file *file, struct cursor *cursor)
{
    uint32_t count = take_number(cursor);
    for (uint32_t i = 0; i < count && !cursor->failed; i++) {
        struct wasm_item item = {.kind = "memory", .type_at = cursor->at};
        skip_limits(cursor);
        if (!cursor->failed && !add_item(&file->memories, item)) {
            return false;
        }
    }
    return true;
}

static bool read_exports(struct wasm_file *file, struct cursor *cursor)
{
    static const char *const kinds[] = {"func", "table", "memory", "global",
                                        "tag"};
    uint32_t count = take_number(cursor);
    for (uint32_t i = 0; i < count && !cursor->failed; i++) {
        struct wasm_item item = {.name = take_slice(cursor)};
        uint8_t kind = take_byte(cursor);
        uint32_t index = take_number(cursor);
        if (kind > 4) {
            cursor->failed = true;
            break;
        }
        item.kind = kinds[kind];
        if (kind == 0 && index < file->functions_len) {
            item.type_at = type_of(file, file->functions[index]);
        }
        if (!cursor->failed && !add_item(&file->exports, item)) {
            return false;
        }
    }
    return true;
}

/* --- Sections of a component --------------------------------------------- */

static const char *const sorts[] = {"core",      "func",     "value", "type",
                                    "component", "instance", NULL};

/* A name, and since 0.2 a byte before it that says which form it has. */
static struct wasm_slice take_extern_name(struct cursor *cursor)
{
    if (take_byte(cursor) > 1) {
        cursor->failed = true;
    }
    return take_slice(cursor);
}

/* What an import is, or an export is said to be. Answers its kind. */
static const char *take_extern_type(struct cursor *cursor)
{
    uint8_t sort = take_byte(cursor);
    static const char *const kinds[] = {"core module", "func",      "value",
                                        "type",        "component", "instance"};
    if (sort > 5) {
        cursor->failed = true;
        return "?";
    }
    if (sort == 0) {
        (void)take_byte(cursor);
        (void)take_number(cursor);
    } else if (sort == 2 || sort == 3) {
        uint8_t bound = take_byte(cursor);
        if (sort == 2 || bound == 0) {
            (void)take_leb(cursor, 35);
        }
    } else {
        (void)take_number(cursor);
    }
    return kinds[sort];
}

static bool read_component_imports(struct wasm_file *file,
                                   struct cursor *cursor)
{
    uint32_t count = take_number(cursor);
    for (uint32_t i = 0; i < count && !cursor->failed; i++) {
        struct wasm_item item = {.name = take_extern_name(cursor)};
        item.kind = take_extern_type(cursor);
        if (!cursor->failed && !add_item(&file->imports, item)) {
            return false;
        }
    }
    return true;
}

static bool read_component_exports(struct wasm_file *file,
                                   struct cursor *cursor)
{
    uint32_t count = take_number(cursor);
    for (uint32_t i = 0; i < count && !cursor->failed; i++) {
        struct wasm_item item = {.name = take_extern_name(cursor)};
        uint8_t sort = take_byte(cursor);
        if (sort > 5) {
            cursor->failed = true;
            break;
        }
        if (sort == 0) {
            (void)take_byte(cursor);
        }
        (void)take_number(cursor);
        item.kind = sort == 0 ? "core module" : sorts[sort];
        if (take_byte(cursor) == 1) {
            (void)take_extern_type(cursor);
        }
        if (!cursor->failed && !add_item(&file->exports, item)) {
            return false;
        }
    }
    return true;
}

/* --- The file ------------------------------------------------------------ */

static const char *section_kind(bool component, uint8_t id)
{
    static const char *const core[] = {
        "custom", "type",   "import",     "function", "table",
        "memory", "global", "export",     "start",    "element",
        "code",   "data",   "data count", "tag"};
    static const char *const component_kinds[] = {
        "custom",   "core module", "core instance", "core type", "component",
        "instance", "alias",       "type",          "canon",     "start",
        "import",   "export",      "value"};
    if (component) {
        return id < 13 ? component_kinds[id] : "unknown";
    }
    return id < 14 ? core[id] : "unknown";
}

static void keep_section(struct wasm_file *file, const char *kind,
                         struct cursor body)
{
    file->sections_all++;
    if (file->sections_len == WASM_SECTIONS_MAX) {
        return;
    }
    struct wasm_section *section = &file->sections[file->sections_len++];
    section->kind = kind;
    section->bytes = body.end - body.at;
    if (strcmp(kind, "custom") == 0) {
        section->name = take_slice(&body);
    }
}

static bool read_section(struct wasm_file *file, uint8_t id,
                         struct cursor *body)
{
    if (file->component) {
        wit_read(&file->wit, file->data, id, body->at, body->end);
        return id == 10   ? read_component_imports(file, body)
               : id == 11 ? read_component_exports(file, body)
                          : true;
    }
    switch (id) {
    case 1:
        return read_types(file, body);
    case 2:
        return read_imports(file, body);
    case 3:
        return read_functions(file, body);
    case 5:
        return read_memories(file, body);
    case 7:
        return read_exports(file, body);
    case 8:
        file->has_start = true;
        return true;
    default:
        return true;
    }
}

/* False: memory failed, or a bound was met. */
static bool read_sections(struct wasm_file *file)
{
    struct cursor cursor = {file->data, 8, file->len, false};
    while (cursor.at < cursor.end) {
        size_t began = cursor.at;
        uint8_t id = take_byte(&cursor);
        const char *kind = section_kind(file->component, id);
        struct wasm_slice slice = take_slice(&cursor);
        if (cursor.failed) {
            snprintf(file->problem, sizeof file->problem,
                     "the section %s at byte %zu is longer than the file", kind,
                     began);
            return true;
        }
        struct cursor body = {file->data, cursor.at - slice.len, cursor.at,
                              false};
        keep_section(file, kind, body);
        if (!read_section(file, id, &body)) {
            return false;
        }
        if (body.failed && file->problem[0] == '\0') {
            snprintf(file->problem, sizeof file->problem,
                     "the section %s at byte %zu cannot be read to its end",
                     kind, began);
        }
    }
    return true;
}

bool wasm_file_read(struct wasm_file *file, const uint8_t *data, size_t len)
{
    memset(file, 0, sizeof *file);
    file->data = data;
    file->len = len;
    if (len < 8 || memcmp(data, "\0asm", 4) != 0) {
        snprintf(file->problem, sizeof file->problem,
                 "it is no WebAssembly file: it does not begin with \\0asm and "
                 "a version");
        return false;
    }
    file->version = (unsigned)data[4] | (unsigned)data[5] << 8;
    file->component = data[6] == 1 && data[7] == 0;
    if (len > UINT32_MAX || !read_sections(file)) {
        snprintf(file->problem, sizeof file->problem,
                 "it has more types or functions than an engine takes, or "
                 "there is no memory to read it");
        return false;
    }
    return true;
}

const struct wit_node *wasm_wit_of(const struct wasm_file *file,
                                   const struct wasm_items *list, size_t at)
{
    const struct wit_nodes *nodes =
        list == &file->imports ? &file->wit.imports : &file->wit.exports;
    return file->component && at < nodes->len ? &nodes->items[at] : NULL;
}

void wasm_file_fini(struct wasm_file *file)
{
    free(file->imports.items);
    free(file->exports.items);
    free(file->memories.items);
    free(file->types);
    free(file->functions);
    wit_fini(&file->wit);
    memset(file, 0, sizeof *file);
}
