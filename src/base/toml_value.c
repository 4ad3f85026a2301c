/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Design notes. Lists and inline tables nest, and so do these functions; the
 * depth of the tree is bounded (dotted keys count, too), hence the C stack
 * is, and that of anybody who walks the tree recursively.
 *
 * A table made by a dotted key belongs to the section (the [header], or the
 * pair of braces) in which it was made and is closed when that ends: so each
 * table has one author. `section` holds that number.
 */
#include "toml_parser.h"

#include <string.h>

static bool is_bare(char c)
{
    return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'z') ||
           (c >= 'A' && c <= 'Z') || c == '_' || c == '-';
}

/* One part of a key: bare, "..." or '...'. */
bool th_toml_key_part(struct th_toml_parser *p, struct th_toml_part *part)
{
    char shown[24];
    part->place = th_toml_here(p);
    if (p->at < p->end && (*p->at == '"' || *p->at == '\'')) {
        return th_toml_string(p, false, &part->data, &part->len);
    }
    const char *start = p->at;
    while (p->at < p->end && is_bare(*p->at)) {
        p->at++;
    }
    size_t len = (size_t)(p->at - start);
    if (len == 0) {
        return th_toml_fail(p, part->place,
                            "expected a key, found %s; keys with other "
                            "characters than A-Z a-z 0-9 _ - go between "
                            "double quotes",
                            th_toml_show_char(shown, p));
    }
    char *data = th_toml_alloc(p->doc, len + 1);
    if (data == NULL) {
        return th_toml_fail_memory(p);
    }
    memcpy(data, start, len);
    data[len] = '\0';
    part->data = data;
    part->len = len;
    return true;
}

static bool enter(struct th_toml_parser *p, struct th_toml_place place)
{
    if (p->depth >= p->max_depth) {
        return th_toml_fail(p, place,
                            "tables and lists nest deeper than %u levels",
                            (unsigned)p->max_depth);
    }
    p->depth++;
    return true;
}

struct th_toml_node *th_toml_table_make(struct th_toml_parser *p,
                                        struct th_toml_node *table,
                                        const struct th_toml_part *part,
                                        uint8_t origin)
{
    struct th_toml_node *made =
        th_toml_node_new(p->doc, TH_TOML_TABLE, origin, part->place);
    if (made == NULL || !th_toml_insert(p->doc, table, part, made)) {
        (void)th_toml_fail_memory(p);
        return NULL;
    }
    return made;
}

/* The table that a dotted key goes through: found or made. */
static struct th_toml_node *step_dotted(struct th_toml_parser *p,
                                        struct th_toml_node *table,
                                        const struct th_toml_part *part)
{
    char shown[TH_TOML_SHOW];
    const struct th_toml_entry *entry =
        th_toml_find(p->doc, table, part->data, part->len);
    if (entry == NULL) {
        struct th_toml_node *made =
            th_toml_table_make(p, table, part, TH_TOML_DOTTED);
        if (made == NULL) {
            return NULL;
        }
        made->section = p->section;
        return made;
    }
    struct th_toml_node *node = entry->value;
    if (node->kind != TH_TOML_TABLE) {
        (void)th_toml_fail(p, part->place,
                           "'%s' is no table: it was set in line %u",
                           th_toml_show(shown, part->data, part->len),
                           (unsigned)entry->place.line);
        return NULL;
    }
    if (node->origin == TH_TOML_IMPLICIT) {
        node->origin = TH_TOML_DOTTED;
        node->section = p->section;
    }
    if (node->origin != TH_TOML_DOTTED || node->section != p->section) {
        (void)th_toml_fail(p, part->place,
                           "the table '%s' was defined in line %u; add the "
                           "key there",
                           th_toml_show(shown, part->data, part->len),
                           (unsigned)entry->place.line);
        return NULL;
    }
    return node;
}

static bool expect_equals(struct th_toml_parser *p,
                          const struct th_toml_part *key)
{
    char shown[TH_TOML_SHOW];
    char found[24];
    if (p->at < p->end && *p->at == '=') {
        p->at++;
        th_toml_skip_blank(p);
        return true;
    }
    return th_toml_fail(
        p, th_toml_here(p), "expected '=' after the key '%s', found %s",
        th_toml_show(shown, key->data, key->len), th_toml_show_char(found, p));
}

/* a.b.c: goes down to the table that holds the last part. */
static bool dotted_key(struct th_toml_parser *p, struct th_toml_node **table,
                       struct th_toml_part *part)
{
    if (!th_toml_key_part(p, part)) {
        return false;
    }
    th_toml_skip_blank(p);
    while (p->at < p->end && *p->at == '.') {
        p->at++;
        if (!enter(p, part->place)) {
            return false;
        }
        *table = step_dotted(p, *table, part);
        if (*table == NULL) {
            return false;
        }
        th_toml_skip_blank(p);
        if (!th_toml_key_part(p, part)) {
            return false;
        }
        th_toml_skip_blank(p);
    }
    return true;
}

bool th_toml_key_value(struct th_toml_parser *p, struct th_toml_node *table)
{
    char shown[TH_TOML_SHOW];
    struct th_toml_part part;
    struct th_toml_node *value = NULL;
    uint32_t depth = p->depth;
    if (!dotted_key(p, &table, &part) || !expect_equals(p, &part)) {
        return false;
    }
    const struct th_toml_entry *entry =
        th_toml_find(p->doc, table, part.data, part.len);
    if (entry != NULL) {
        return th_toml_fail(p, part.place,
                            "the key '%s' was set in line %u already; remove "
                            "one of the two",
                            th_toml_show(shown, part.data, part.len),
                            (unsigned)entry->place.line);
    }
    if (!th_toml_value(p, &value)) {
        return false;
    }
    p->depth = depth;
    return th_toml_insert(p->doc, table, &part, value) ||
           th_toml_fail_memory(p);
}

static bool parse_list(struct th_toml_parser *p, struct th_toml_node **out)
{
    char shown[24];
    struct th_toml_place start = th_toml_here(p);
    struct th_toml_node *list =
        th_toml_node_new(p->doc, TH_TOML_ARRAY, TH_TOML_INLINE, start);
    if (list == NULL) {
        return th_toml_fail_memory(p);
    }
    p->at++;
    if (!enter(p, start)) {
        return false;
    }
    for (;;) {
        struct th_toml_node *value = NULL;
        if (!th_toml_skip_lines(p)) {
            return false;
        }
        if (p->at < p->end && *p->at == ']') {
            break;
        }
        if (!th_toml_value(p, &value)) {
            return false;
        }
        th_toml_append(list, value);
        if (!th_toml_skip_lines(p)) {
            return false;
        }
        if (p->at < p->end && *p->at == ',') {
            p->at++;
        } else if (p->at == p->end || *p->at != ']') {
            return th_toml_fail(p, th_toml_here(p),
                                "expected ',' or ']' in the list of line %u, "
                                "found %s",
                                (unsigned)start.line,
                                th_toml_show_char(shown, p));
        }
    }
    p->at++;
    p->depth--;
    *out = list;
    return true;
}

static bool inline_keys(struct th_toml_parser *p, struct th_toml_node *table)
{
    char shown[24];
    th_toml_skip_blank(p);
    if (p->at < p->end && *p->at == '}') {
        return true;
    }
    for (;;) {
        th_toml_skip_blank(p);
        if (!th_toml_key_value(p, table)) {
            return false;
        }
        th_toml_skip_blank(p);
        if (p->at < p->end && *p->at == '}') {
            return true;
        }
        if (p->at == p->end || *p->at != ',') {
            return th_toml_fail(p, th_toml_here(p),
                                "expected ',' or '}' in the inline table, "
                                "found %s; it must stand on one line",
                                th_toml_show_char(shown, p));
        }
        p->at++;
    }
}

static bool parse_inline_table(struct th_toml_parser *p,
                               struct th_toml_node **out)
{
    struct th_toml_place start = th_toml_here(p);
    struct th_toml_node *table =
        th_toml_node_new(p->doc, TH_TOML_TABLE, TH_TOML_INLINE, start);
    if (table == NULL) {
        return th_toml_fail_memory(p);
    }
    p->at++;
    if (!enter(p, start)) {
        return false;
    }
    uint32_t section = p->section;
    p->section = ++p->section_count;
    if (!inline_keys(p, table)) {
        return false;
    }
    p->section = section;
    p->at++;
    p->depth--;
    *out = table;
    return true;
}

static bool parse_string(struct th_toml_parser *p, struct th_toml_node **out)
{
    struct th_toml_node *node =
        th_toml_node_new(p->doc, TH_TOML_STRING, 0, th_toml_here(p));
    if (node == NULL) {
        return th_toml_fail_memory(p);
    }
    if (!th_toml_string(p, true, &node->as.string.data, &node->as.string.len)) {
        return false;
    }
    *out = node;
    return true;
}

bool th_toml_value(struct th_toml_parser *p, struct th_toml_node **out)
{
    char first = p->at < p->end ? *p->at : '\0';
    switch (first) {
    case '"':
    case '\'':
        return parse_string(p, out);
    case '[':
        return parse_list(p, out);
    case '{':
        return parse_inline_table(p, out);
    default:
        return th_toml_scalar(p, out);
    }
}
