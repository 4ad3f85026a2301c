/* SPDX-License-Identifier: Apache-2.0 */
/* Design notes. The binary format of the component model, as far as types of
 * imports and exports need it: index spaces of types, functions and instances,
 * in the component and in each instance type, are built as the file lists
 * them. A type is where it stands in the file and whose indices it uses;
 * writing it out reads it again there. What this reader does not know ends
 * the reading, and functions behind it are shown without a type. An instance
 * that is made of a component inside is not followed.
 *
 * Nothing in the file is trusted: depth, nodes and time are bounded. */
#include "cli/wasm_wit.h"

#include "cli/wasm_cursor.h"

#include <stdlib.h>
#include <string.h>

enum {
    NODES_MAX = 200000,
    LOOKS_MAX = 50000000, /* at names and their bytes, in all */
    READ_DEPTH = 16       /* of instance types in instance types */
};

/* --- Index spaces -------------------------------------------------------- */

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

static void add(struct wit *wit, struct wit_nodes *nodes, struct wit_node node)
{
    void *items = nodes->items;
    if (++wit->nodes > NODES_MAX || !grow(&items, nodes->len, sizeof node)) {
        wit->lost = true;
        return;
    }
    nodes->items = items;
    nodes->items[nodes->len++] = node;
}

static uint32_t add_scope(struct wit *wit, uint32_t parent)
{
    void *scopes = wit->scopes;
    if (++wit->nodes > NODES_MAX ||
        !grow(&scopes, wit->scopes_len, sizeof *wit->scopes)) {
        wit->lost = true;
        return 0;
    }
    wit->scopes = scopes;
    wit->scopes[wit->scopes_len] = (struct wit_scope){.parent = parent};
    return (uint32_t)wit->scopes_len++;
}

static void add_to(struct wit *wit, uint32_t scope, enum wit_space space,
                   struct wit_node node)
{
    add(wit, &wit->scopes[scope].spaces[space], node);
}

static struct wit_node get(const struct wit *wit, uint32_t scope,
                           enum wit_space space, uint32_t index)
{
    const struct wit_nodes *nodes = &wit->scopes[scope].spaces[space];
    return index < nodes->len ? nodes->items[index] : (struct wit_node){0};
}

static void add_export(struct wit *wit, uint32_t scope, enum wit_space space,
                       struct wit_node node, struct wasm_slice name)
{
    struct wit_scope *to = &wit->scopes[scope];
    void *kinds = to->kinds;
    size_t len = to->exports.len;
    if (!grow(&kinds, len, 1)) {
        wit->lost = true;
        return;
    }
    to->kinds = kinds;
    to->kinds[len] = (uint8_t)space;
    node.name = name;
    add(wit, &to->exports, node);
}

static struct wit_node exported(struct wit *wit, uint32_t scope,
                                enum wit_space space, struct wasm_slice name)
{
    const struct wit_scope *from = &wit->scopes[scope];
    wit->looks += from->exports.len;
    wit->lost = wit->lost || wit->looks > LOOKS_MAX;
    for (size_t i = 0; i < from->exports.len && !wit->lost; i++) {
        const struct wit_node *node = &from->exports.items[i];
        if (from->kinds[i] != space || node->name.len != name.len) {
            continue;
        }
        if (memcmp(node->name.data, name.data, name.len) == 0) {
            return *node;
        }
        wit->looks += name.len;
        wit->lost = wit->lost || wit->looks > LOOKS_MAX;
    }
    return (struct wit_node){0};
}

/* A sort of the format; WIT_SPACES: one that is not kept. */
static enum wit_space space_of(uint8_t sort)
{
    return sort == 1   ? WIT_FUNCS
           : sort == 3 ? WIT_TYPES
           : sort == 5 ? WIT_INSTANCES
                       : WIT_SPACES;
}

static enum wit_space take_sort(struct cursor *cursor)
{
    uint8_t sort = take_byte(cursor);
    if (sort == 0) {
        (void)take_byte(cursor);
    }
    cursor->failed = cursor->failed || sort > 5 || sort == 2;
    return space_of(sort);
}

/* --- Reading ------------------------------------------------------------- */

static struct wasm_slice take_extern_name(struct cursor *cursor)
{
    cursor->failed = cursor->failed || take_byte(cursor) > 1;
    return take_slice(cursor);
}

/* What an import or an export of a type is. */
static enum wit_space take_desc(struct wit *wit, uint32_t scope,
                                struct cursor *cursor, struct wit_node *out)
{
    enum wit_space space = take_sort(cursor);
    *out = (struct wit_node){0};
    if (space == WIT_TYPES) {
        if (take_byte(cursor) == 0) {
            *out = get(wit, scope, WIT_TYPES, take_number(cursor));
        }
    } else {
        uint32_t type = take_number(cursor);
        if (space != WIT_SPACES) {
            *out = get(wit, scope, WIT_TYPES, type);
        }
    }
    return space;
}

static void read_alias(struct wit *wit, uint32_t scope, struct cursor *cursor)
{
    enum wit_space space = take_sort(cursor);
    struct wit_node node = {0};
    uint8_t target = take_byte(cursor);
    uint32_t index = take_number(cursor);
    if (target == 2) {
        uint32_t from = scope, outer = index;
        index = take_number(cursor);
        for (; outer > 0 && from != 0; outer--) {
            from = wit->scopes[from].parent;
        }
        if (outer == 0 && space != WIT_SPACES) {
            node = get(wit, from, space, index);
        }
    } else {
        struct wasm_slice name = take_slice(cursor);
        uint32_t inner = get(wit, scope, WIT_INSTANCES, index).inner;
        if (!cursor->failed && space != WIT_SPACES && inner != 0) {
            node = exported(wit, inner, space, name);
        }
    }
    if (!cursor->failed && space != WIT_SPACES && target != 1) {
        add_to(wit, scope, space, node);
    }
}

static void read_type(struct wit *wit, uint32_t scope, struct cursor *cursor,
                      unsigned depth);

static void read_decl(struct wit *wit, uint32_t scope, struct cursor *cursor,
                      unsigned depth)
{
    struct wit_node node;
    uint8_t form = take_byte(cursor);
    if (form == 1) {
        read_type(wit, scope, cursor, depth);
    } else if (form == 2) {
        read_alias(wit, scope, cursor);
    } else if (form == 3 || form == 4) {
        struct wasm_slice name = take_extern_name(cursor);
        enum wit_space space = take_desc(wit, scope, cursor, &node);
        if (cursor->failed || space == WIT_SPACES) {
            return;
        }
        node.name = name;
        add_to(wit, scope, space, node);
        if (form == 4) {
            add_export(wit, scope, space, node, name);
        }
    } else {
        cursor->failed = true; /* a core type, or of a version to come */
    }
}

static void skip_value_type(struct cursor *cursor)
{
    (void)take_leb(cursor, 35);
}

static void skip_option(struct cursor *cursor)
{
    if (take_byte(cursor) != 0) {
        skip_value_type(cursor);
    }
}

/* `named`: each has a name; `has`: 'v' a type, 'o' perhaps one, 'n' none. */
static void skip_list(struct cursor *cursor, bool named, char has)
{
    uint32_t len = take_number(cursor);
    for (uint32_t i = 0; i < len && !cursor->failed; i++) {
        if (named) {
            (void)take_slice(cursor);
        }
        if (has == 'v') {
            skip_value_type(cursor);
        } else if (has == 'o') {
            skip_option(cursor);
            (void)take_byte(cursor);
        }
    }
}

static void skip_function(struct cursor *cursor)
{
    skip_list(cursor, true, 'v');
    if (take_byte(cursor) == 0) {
        skip_value_type(cursor);
    } else {
        (void)take_byte(cursor);
    }
}

static void skip_defined(struct cursor *cursor, uint8_t form)
{
    switch (form) {
    case 0x72:
        skip_list(cursor, true, 'v');
        break;
    case 0x71:
        skip_list(cursor, true, 'o');
        break;
    case 0x6f:
        skip_list(cursor, false, 'v');
        break;
    case 0x6e:
    case 0x6d:
        skip_list(cursor, true, 'n');
        break;
    case 0x70:
    case 0x6b:
    case 0x69:
    case 0x68:
        skip_value_type(cursor);
        break;
    case 0x6a:
        skip_option(cursor);
        skip_option(cursor);
        break;
    case 0x66:
    case 0x65:
        skip_option(cursor);
        break;
    default:
        cursor->failed = cursor->failed || form < 0x73 || form > 0x7f;
        break;
    }
}

/* One definition, which gets the next index. */
static void read_type(struct wit *wit, uint32_t scope, struct cursor *cursor,
                      unsigned depth)
{
    struct wit_node node = {.at = cursor->at, .scope = scope};
    uint8_t form = take_byte(cursor);
    if (form == 0x41 || form == 0x42) {
        uint32_t inner = depth < READ_DEPTH ? add_scope(wit, scope) : 0;
        uint32_t len = take_number(cursor);
        cursor->failed = cursor->failed || inner == 0;
        for (uint32_t i = 0; i < len && !cursor->failed && !wit->lost; i++) {
            read_decl(wit, inner, cursor, depth + 1);
        }
        node.inner = form == 0x42 ? inner : 0;
    } else if (form == 0x40 || form == 0x43) {
        skip_function(cursor);
    } else if (form == 0x3f) {
        (void)take_byte(cursor);
        if (take_byte(cursor) != 0) {
            (void)take_number(cursor);
        }
        node.at = 0;
    } else {
        skip_defined(cursor, form);
    }
    if (!cursor->failed) {
        add_to(wit, scope, WIT_TYPES, node);
    }
}

static void skip_options(struct cursor *cursor)
{
    uint32_t len = take_number(cursor);
    for (uint32_t i = 0; i < len && !cursor->failed; i++) {
        uint8_t option = take_byte(cursor);
        if ((option >= 3 && option <= 5) || option == 7) {
            (void)take_number(cursor);
        }
        cursor->failed = cursor->failed || option > 7;
    }
}

static void read_canon(struct wit *wit, struct cursor *cursor)
{
    uint8_t form = take_byte(cursor);
    if (form <= 1) {
        cursor->failed = cursor->failed || take_byte(cursor) != 0;
        (void)take_number(cursor);
        skip_options(cursor);
        if (form == 0) {
            struct wit_node node = get(wit, 0, WIT_TYPES, take_number(cursor));
            add_to(wit, 0, WIT_FUNCS, node);
        }
    } else if (form <= 4) {
        (void)take_number(cursor); /* of resources */
    } else {
        cursor->failed = true;
    }
}

/* Exports that are listed make a scope; those of a component are not known. */
static void read_instance(struct wit *wit, struct cursor *cursor)
{
    struct wit_node node = {0};
    uint8_t form = take_byte(cursor);
    if (form == 0) {
        (void)take_number(cursor);
    } else if (form == 1) {
        node.inner = add_scope(wit, 0);
    }
    cursor->failed = cursor->failed || form > 1;
    uint32_t len = take_number(cursor);
    for (uint32_t i = 0; i < len && !cursor->failed && !wit->lost; i++) {
        struct wasm_slice name =
            form == 0 ? take_slice(cursor) : take_extern_name(cursor);
        enum wit_space space = take_sort(cursor);
        uint32_t index = take_number(cursor);
        if (form == 1 && !cursor->failed && space != WIT_SPACES) {
            add_export(wit, node.inner, space, get(wit, 0, space, index), name);
        }
    }
    add_to(wit, 0, WIT_INSTANCES, node);
}

static void read_import(struct wit *wit, struct cursor *cursor)
{
    struct wit_node node;
    struct wasm_slice name = take_extern_name(cursor);
    enum wit_space space = take_desc(wit, 0, cursor, &node);
    node.name = name;
    if (!cursor->failed && space != WIT_SPACES) {
        add_to(wit, 0, space, node);
    }
    add(wit, &wit->imports, node);
}

static void read_export(struct wit *wit, struct cursor *cursor)
{
    struct wit_node node = {0}, said;
    struct wasm_slice name = take_extern_name(cursor);
    enum wit_space space = take_sort(cursor);
    uint32_t index = take_number(cursor);
    if (space != WIT_SPACES) {
        node = get(wit, 0, space, index);
    }
    if (take_byte(cursor) == 1) {
        (void)take_desc(wit, 0, cursor, &said);
        node = said.at != 0 || said.inner != 0 ? said : node;
    }
    node.name = name;
    if (!cursor->failed && space != WIT_SPACES) {
        add_to(wit, 0, space, node);
    }
    add(wit, &wit->exports, node);
}

static void read_one(struct wit *wit, uint8_t id, struct cursor *cursor)
{
    switch (id) {
    case 5:
        read_instance(wit, cursor);
        break;
    case 6:
        read_alias(wit, 0, cursor);
        break;
    case 7:
        read_type(wit, 0, cursor, 0);
        break;
    case 8:
        read_canon(wit, cursor);
        break;
    case 10:
        read_import(wit, cursor);
        break;
    default:
        read_export(wit, cursor);
        break;
    }
}

void wit_read(struct wit *wit, const uint8_t *data, uint8_t id, size_t at,
              size_t end)
{
    struct cursor cursor = {data, at, end, false};
    bool known = (id >= 5 && id <= 8) || id == 10 || id == 11;
    if (!known || wit->lost) {
        return;
    }
    wit->data = data;
    if (wit->scopes_len == 0) {
        (void)add_scope(wit, 0);
    }
    if (wit->lost) {
        return;
    }
    uint32_t len = take_number(&cursor);
    for (uint32_t i = 0; i < len && !cursor.failed && !wit->lost; i++) {
        read_one(wit, id, &cursor);
    }
    wit->lost = wit->lost || cursor.failed;
}

void wit_fini(struct wit *wit)
{
    for (size_t i = 0; i < wit->scopes_len; i++) {
        for (unsigned k = 0; k < WIT_SPACES; k++) {
            free(wit->scopes[i].spaces[k].items);
        }
        free(wit->scopes[i].exports.items);
        free(wit->scopes[i].kinds);
    }
    free(wit->scopes);
    free(wit->imports.items);
    free(wit->exports.items);
    memset(wit, 0, sizeof *wit);
}
