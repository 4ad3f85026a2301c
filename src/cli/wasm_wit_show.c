/* SPDX-License-Identifier: Apache-2.0 */
/* Design notes. Signatures of a component's functions as WIT has them. What
 * has a name there (records, variants, enums, flags, resources) is shown by
 * it, everything else by its parts. The file may say that a type is in itself
 * twice, and again: depth and number of types are bounded, "..." stands for
 * the rest. */
#include "cli/wasm_cursor.h"
#include "cli/wasm_wit.h"

#include <string.h>

enum { SHOWN_DEPTH = 12, SHOWN_TYPES = 200, NAME_SHOWN = 64 };

struct show {
    struct cli_text *out;
    const struct wit *wit;
    unsigned types; /* shown so far */
};

static void show_type(struct show *show, uint32_t scope, struct cursor *cursor,
                      unsigned depth);

static void show_name(struct show *show, struct wasm_slice name)
{
    size_t len = name.len < NAME_SHOWN ? name.len : NAME_SHOWN;
    cli_add_escaped(show->out, name.data, len);
    cli_add(show->out, name.len > NAME_SHOWN ? "..." : "");
}

static const char *primitive(uint8_t form)
{
    static const char *const names[] = {"string", "char", "f64", "f32", "u64",
                                        "s64",    "u32",  "s32", "u16", "s16",
                                        "u8",     "s8",   "bool"};
    return form == 0x64                   ? "error-context"
           : form >= 0x73 && form <= 0x7f ? names[form - 0x73]
                                          : "?";
}

/* `has`: it is there. False: nothing was shown. */
static bool show_perhaps(struct show *show, uint32_t scope,
                         struct cursor *cursor, unsigned depth,
                         const char *before)
{
    if (take_byte(cursor) == 0) {
        return false;
    }
    cli_add(show->out, before);
    show_type(show, scope, cursor, depth);
    return true;
}

static void show_result(struct show *show, uint32_t scope,
                        struct cursor *cursor, unsigned depth)
{
    struct cursor ahead = *cursor;
    bool has_ok = take_byte(&ahead) != 0;
    cli_add(show->out, "result");
    if (has_ok) {
        (void)show_perhaps(show, scope, cursor, depth, "<");
    } else {
        (void)take_byte(cursor);
    }
    bool has_error =
        show_perhaps(show, scope, cursor, depth, has_ok ? ", " : "<_, ");
    cli_add(show->out, has_ok || has_error ? ">" : "");
}

static void show_tuple(struct show *show, uint32_t scope, struct cursor *cursor,
                       unsigned depth)
{
    uint32_t len = take_number(cursor);
    cli_add(show->out, "tuple<");
    for (uint32_t i = 0; i < len && !cursor->failed; i++) {
        cli_add(show->out, i > 0 ? ", " : "");
        if (show->types > SHOWN_TYPES) {
            cli_add(show->out, "...");
            break;
        }
        show_type(show, scope, cursor, depth);
    }
    cli_add(show->out, ">");
}

static void show_one(struct show *show, uint32_t scope, struct cursor *cursor,
                     unsigned depth, const char *before)
{
    cli_add(show->out, before);
    show_type(show, scope, cursor, depth);
    cli_add(show->out, before[0] != '\0' ? ">" : "");
}

static void show_defined(struct show *show, uint32_t scope,
                         struct cursor *cursor, unsigned depth)
{
    uint8_t form = take_byte(cursor);
    switch (form) {
    case 0x72:
        cli_add(show->out, "record");
        break;
    case 0x71:
        cli_add(show->out, "variant");
        break;
    case 0x6e:
        cli_add(show->out, "flags");
        break;
    case 0x6d:
        cli_add(show->out, "enum");
        break;
    case 0x70:
        show_one(show, scope, cursor, depth, "list<");
        break;
    case 0x6b:
        show_one(show, scope, cursor, depth, "option<");
        break;
    case 0x69:
        show_one(show, scope, cursor, depth, "");
        break;
    case 0x68:
        show_one(show, scope, cursor, depth, "borrow<");
        break;
    case 0x6f:
        show_tuple(show, scope, cursor, depth);
        break;
    case 0x6a:
        show_result(show, scope, cursor, depth);
        break;
    case 0x66:
    case 0x65:
        cli_add(show->out, form == 0x66 ? "stream" : "future");
        if (show_perhaps(show, scope, cursor, depth, "<")) {
            cli_add(show->out, ">");
        }
        break;
    default:
        cli_add(show->out, primitive(form));
        break;
    }
}

static bool has_own_name(const struct show *show, const struct wit_node *node)
{
    static const uint8_t forms[] = {0x72, 0x71, 0x6e, 0x6d};
    return node->name.data != NULL &&
           (node->at == 0 ||
            memchr(forms, show->wit->data[node->at], sizeof forms) != NULL);
}

/* A value type; the cursor goes behind it. */
static void show_type(struct show *show, uint32_t scope, struct cursor *cursor,
                      unsigned depth)
{
    struct cursor ahead = *cursor;
    uint8_t form = take_byte(&ahead);
    uint64_t index = take_leb(cursor, 35);
    if (cursor->failed || ++show->types > SHOWN_TYPES || depth == SHOWN_DEPTH) {
        cli_add(show->out, "...");
        return;
    }
    if ((form & 0xc0) == 0x40) {
        cli_add(show->out, primitive(form));
        return;
    }
    const struct wit_nodes *types = &show->wit->scopes[scope].spaces[WIT_TYPES];
    const struct wit_node *node =
        index < types->len ? &types->items[index] : NULL;
    if (node != NULL && has_own_name(show, node)) {
        show_name(show, node->name);
    } else if (node == NULL || node->at == 0) {
        cli_add(show->out, "?");
    } else {
        struct cursor inner = {cursor->data, node->at, cursor->end, false};
        show_defined(show, node->scope, &inner, depth + 1);
    }
}

bool wit_add_func(struct cli_text *out, const struct wit *wit, size_t file_len,
                  const struct wit_node *func)
{
    struct show show = {out, wit, 0};
    struct cursor cursor = {wit->data, func->at, file_len, false};
    uint8_t form = func->at != 0 ? take_byte(&cursor) : 0;
    if (form != 0x40 && form != 0x43) {
        return false;
    }
    cli_add(out, form == 0x43 ? "async func(" : "func(");
    uint32_t len = take_number(&cursor);
    for (uint32_t i = 0; i < len && !cursor.failed; i++) {
        cli_add(out, i > 0 ? ", " : "");
        if (show.types > SHOWN_TYPES) {
            cli_add(out, "...)");
            return true;
        }
        show_name(&show, take_slice(&cursor));
        cli_add(out, ": ");
        show_type(&show, func->scope, &cursor, 0);
    }
    cli_add(out, ")");
    if (take_byte(&cursor) == 0 && !cursor.failed) {
        cli_add(out, " -> ");
        show_type(&show, func->scope, &cursor, 0);
    }
    return true;
}

const struct wit_node *wit_func_of(const struct wit *wit,
                                   const struct wit_node *instance, size_t *io)
{
    if (instance->inner == 0) {
        return NULL;
    }
    const struct wit_scope *scope = &wit->scopes[instance->inner];
    while (*io < scope->exports.len) {
        size_t at = (*io)++;
        if (scope->kinds[at] == WIT_FUNCS) {
            return &scope->exports.items[at];
        }
    }
    return NULL;
}
