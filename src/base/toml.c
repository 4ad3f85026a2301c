/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Design notes. One pass, line by line: a line is blank, a comment, a
 * [header], a [[header]] or `key = value`. There is no separate lexer, since
 * what a character means depends on where it stands. The files:
 *
 *   toml.c         lines and headers; the entry point
 *   toml_value.c   key = value, lists, inline tables
 *   toml_string.c  strings           toml_number.c  all other scalars
 *   toml_scan.c    characters, places, errors
 *   toml_arena.c   memory, index, tree
 *
 * TOML gives every table one author; `origin` and `section` of a table say
 * who that was, and each way to reach a table checks them. Nothing is shared
 * between parses. It may fail for want of memory anywhere; then the arena
 * goes as a whole.
 */
#include "toml_parser.h"

#include <stdio.h>
#include <string.h>

#define DEFAULT_MAX_BYTES ((size_t)1 << 20)
#define DEFAULT_MAX_DEPTH 64u

/* A [header] goes through `part`: the table there, made when missing. */
static struct th_toml_node *step_header(struct th_toml_parser *p,
                                        struct th_toml_node *table,
                                        const struct th_toml_part *part)
{
    char shown[TH_TOML_SHOW];
    const struct th_toml_entry *entry =
        th_toml_find(p->doc, table, part->data, part->len);
    if (entry == NULL) {
        return th_toml_table_make(p, table, part, TH_TOML_IMPLICIT);
    }
    struct th_toml_node *node = entry->value;
    if (node->kind == TH_TOML_TABLE && node->origin != TH_TOML_INLINE) {
        return node;
    }
    if (node->kind == TH_TOML_ARRAY && node->origin == TH_TOML_LIST) {
        p->depth++; /* the list and its element are two levels */
        return node->as.array.last;
    }
    (void)th_toml_fail(p, part->place,
                       "'%s' can't be extended by a header: it was set to %s "
                       "in line %u",
                       th_toml_show(shown, part->data, part->len),
                       th_toml_kind_name(node->kind),
                       (unsigned)entry->place.line);
    return NULL;
}

/* Reads the parts of a header up to its bracket; `*table` becomes the table
 * that holds the last part. */
static bool header_key(struct th_toml_parser *p, struct th_toml_node **table,
                       struct th_toml_part *part)
{
    char shown[24];
    for (;;) {
        th_toml_skip_blank(p);
        if (!th_toml_key_part(p, part)) {
            return false;
        }
        th_toml_skip_blank(p);
        p->depth++;
        if (p->depth >= p->max_depth) {
            return th_toml_fail(p, part->place,
                                "tables and lists nest deeper than %u levels",
                                (unsigned)p->max_depth);
        }
        if (p->at < p->end && *p->at == ']') {
            return true;
        }
        if (p->at == p->end || *p->at != '.') {
            return th_toml_fail(p, th_toml_here(p),
                                "expected ']' at the end of the header, "
                                "found %s",
                                th_toml_show_char(shown, p));
        }
        p->at++;
        *table = step_header(p, *table, part);
        if (*table == NULL) {
            return false;
        }
    }
}

/* The last part of [a.b]: a table that has no author yet. */
static struct th_toml_node *open_table(struct th_toml_parser *p,
                                       struct th_toml_node *table,
                                       const struct th_toml_part *part)
{
    char shown[TH_TOML_SHOW];
    const struct th_toml_entry *entry =
        th_toml_find(p->doc, table, part->data, part->len);
    if (entry == NULL) {
        return th_toml_table_make(p, table, part, TH_TOML_HEADER);
    }
    struct th_toml_node *node = entry->value;
    if (node->kind == TH_TOML_TABLE && node->origin == TH_TOML_IMPLICIT) {
        node->origin = TH_TOML_HEADER;
        node->place = part->place;
        return node;
    }
    (void)th_toml_fail(p, part->place,
                       node->origin == TH_TOML_LIST
                           ? "'%s' is a list of tables since line %u; write "
                             "[[ ]]"
                           : "'%s' was defined in line %u already; put the "
                             "keys of both together",
                       th_toml_show(shown, part->data, part->len),
                       (unsigned)entry->place.line);
    return NULL;
}

/* The last part of [[a.b]]: the list, made when missing. */
static struct th_toml_node *open_list(struct th_toml_parser *p,
                                      struct th_toml_node *table,
                                      const struct th_toml_part *part)
{
    char shown[TH_TOML_SHOW];
    const struct th_toml_entry *entry =
        th_toml_find(p->doc, table, part->data, part->len);
    if (entry == NULL) {
        struct th_toml_node *made =
            th_toml_node_new(p->doc, TH_TOML_ARRAY, TH_TOML_LIST, part->place);
        if (made == NULL || !th_toml_insert(p->doc, table, part, made)) {
            (void)th_toml_fail_memory(p);
            return NULL;
        }
        return made;
    }
    struct th_toml_node *node = entry->value;
    if (node->kind == TH_TOML_ARRAY && node->origin == TH_TOML_LIST) {
        return node;
    }
    (void)th_toml_fail(p, part->place,
                       "'%s' was set in line %u already and is no list made "
                       "by [[ ]]",
                       th_toml_show(shown, part->data, part->len),
                       (unsigned)entry->place.line);
    return NULL;
}

/* One more element of a list of tables. */
static struct th_toml_node *add_element(struct th_toml_parser *p,
                                        struct th_toml_node *list,
                                        struct th_toml_place place)
{
    struct th_toml_node *element =
        th_toml_node_new(p->doc, TH_TOML_TABLE, TH_TOML_HEADER, place);
    if (element == NULL) {
        (void)th_toml_fail_memory(p);
        return NULL;
    }
    th_toml_append(list, element);
    p->depth++;
    return element;
}

/* [a.b] or [[a.b]]; `*out` is the table that the next keys go to. */
static bool header(struct th_toml_parser *p, struct th_toml_node **out)
{
    char shown[24];
    struct th_toml_part part;
    struct th_toml_node *table = p->doc->root;
    bool is_list = p->end - p->at >= 2 && p->at[1] == '[';
    p->at += is_list ? 2 : 1;
    p->depth = 1;
    if (!header_key(p, &table, &part)) {
        return false;
    }
    p->at++;
    if (is_list) {
        if (p->at == p->end || *p->at != ']') {
            return th_toml_fail(p, th_toml_here(p),
                                "expected ']]' at the end of the header, "
                                "found %s",
                                th_toml_show_char(shown, p));
        }
        p->at++;
        table = open_list(p, table, &part);
        table = table == NULL ? NULL : add_element(p, table, part.place);
    } else {
        table = open_table(p, table, &part);
    }
    if (table == NULL) {
        return false;
    }
    p->section = ++p->section_count;
    table->section = p->section;
    *out = table;
    return th_toml_end_line(p, "the header");
}

static bool document(struct th_toml_parser *p)
{
    struct th_toml_node *table = p->doc->root;
    if (!th_toml_check_text(p)) {
        return false;
    }
    if (p->end - p->at >= 3 && memcmp(p->at, "\xEF\xBB\xBF", 3) == 0) {
        p->at += 3; /* a byte order mark is allowed, and means nothing */
        p->line_start = p->at;
    }
    for (;;) {
        if (!th_toml_skip_lines(p)) {
            return false;
        }
        if (p->at == p->end) {
            return true;
        }
        bool ok = *p->at == '[' ? header(p, &table)
                                : th_toml_key_value(p, table) &&
                                      th_toml_end_line(p, "the value");
        if (!ok) {
            return false;
        }
    }
}

static void say(struct th_toml_error *err, struct th_toml_place place,
                const char *text)
{
    if (err != NULL) {
        err->place = place;
        (void)snprintf(err->text, sizeof(err->text), "%s", text);
    }
}

theater_status_t th_toml_parse(const theater_env_t *env, const char *text,
                               size_t len, const struct th_toml_limits *limits,
                               struct th_toml **out_doc,
                               struct th_toml_error *err)
{
    struct th_toml_place start = {1, 1};
    struct th_toml_limits bounds = {0, 0};
    if (limits != NULL) {
        bounds = *limits;
    }
    if (bounds.max_bytes == 0) {
        bounds.max_bytes = DEFAULT_MAX_BYTES;
    }
    if (bounds.max_depth == 0) {
        bounds.max_depth = DEFAULT_MAX_DEPTH;
    }
    if (len > bounds.max_bytes || len > UINT32_MAX / 2) {
        char why[TH_TOML_ERROR_TEXT];
        (void)snprintf(why, sizeof(why),
                       "the file has %zu bytes; at most %zu are allowed", len,
                       bounds.max_bytes);
        say(err, start, why);
        return THEATER_TOO_LARGE;
    }
    struct th_toml *doc = th_toml_new(env);
    if (doc == NULL) {
        say(err, start, "out of memory");
        return THEATER_OUT_OF_MEMORY;
    }
    if (text == NULL) {
        text = "";
        len = 0;
    }
    struct th_toml_parser p = {.doc = doc,
                               .begin = text,
                               .at = text,
                               .end = text + len,
                               .line_start = text,
                               .mark = text,
                               .line = 1,
                               .mark_column = 1,
                               .max_depth = bounds.max_depth,
                               .depth = 1};
    if (!document(&p)) {
        say(err, p.error.place, p.error.text);
        th_toml_delete(doc);
        return p.no_memory ? THEATER_OUT_OF_MEMORY : THEATER_INVALID_ARGUMENT;
    }
    *out_doc = doc;
    return THEATER_OK;
}
