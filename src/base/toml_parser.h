/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What the files of the TOML reader share: the document's arena and index
 * and the state of one parse. Nobody else includes this header.
 */
#ifndef TH_BASE_TOML_PARSER_H
#define TH_BASE_TOML_PARSER_H

#include "toml.h"

/* How a table or an array came about decides who may extend it. */
enum {
    TH_TOML_IMPLICIT, /* only named on the way to another [header] */
    TH_TOML_HEADER,   /* has its own [header] or [[header]] */
    TH_TOML_DOTTED,   /* made by a dotted key; open within its section */
    TH_TOML_INLINE,   /* { } or [ ]: closed as it stands */
    TH_TOML_LIST      /* array made by [[header]] */
};

struct th_toml_chunk;

/* A parsed document: arena, tree, and one hash index for all its tables. */
struct th_toml {
    const theater_env_t *env;       /* where memory comes from */
    struct th_toml_chunk *chunks;   /* newest first */
    char *free_at;                  /* next free byte of the newest chunk */
    size_t free_bytes;              /* what is left of it */
    struct th_toml_node *root;      /* the table of the whole document */
    struct th_toml_entry **buckets; /* index: hash of (table, key) */
    size_t bucket_count;            /* a power of two */
    size_t entry_count;             /* entries in the index */
};

/* One parse. Functions return false once it has failed. */
struct th_toml_parser {
    struct th_toml *doc;        /* what is being built */
    const char *begin;          /* first byte of the text */
    const char *at;             /* next byte to read */
    const char *end;            /* one past the last byte */
    const char *line_start;     /* first byte of the current line */
    const char *mark;           /* column_at_mark belongs to this byte */
    uint32_t line;              /* of `at` */
    uint32_t mark_column;       /* column of `mark` on the current line */
    uint32_t max_depth;         /* limit of nesting */
    uint32_t depth;             /* nesting of the table being filled */
    uint32_t section;           /* the [header] or { } being filled */
    uint32_t section_count;     /* last section number given */
    bool no_memory;             /* it failed for want of memory */
    struct th_toml_error error; /* why it failed otherwise */
};

/* One part of a key: `a` in a.b.c */
struct th_toml_part {
    const char *data;           /* decoded, in the arena */
    size_t len;                 /* bytes */
    struct th_toml_place place; /* where it stands */
};

/* toml_arena.c: memory of the document, the index, building the tree. */
struct th_toml *th_toml_new(const theater_env_t *env);
struct th_toml_node *th_toml_node_new(struct th_toml *doc,
                                      enum th_toml_kind kind, uint8_t origin,
                                      struct th_toml_place place);
bool th_toml_insert(struct th_toml *doc, struct th_toml_node *table,
                    const struct th_toml_part *part,
                    struct th_toml_node *value);
void th_toml_append(struct th_toml_node *array, struct th_toml_node *value);

/* toml_scan.c: characters, places, errors. */
bool th_toml_check_text(struct th_toml_parser *p);
struct th_toml_place th_toml_here(struct th_toml_parser *p);
void th_toml_newline(struct th_toml_parser *p);
bool th_toml_fail(struct th_toml_parser *p, struct th_toml_place place,
                  const char *format, ...)
    __attribute__((format(printf, 3, 4)));
bool th_toml_fail_memory(struct th_toml_parser *p);
/* A table put into `table` under that name; NULL: no memory, and said so. */
struct th_toml_node *th_toml_table_make(struct th_toml_parser *p,
                                        struct th_toml_node *table,
                                        const struct th_toml_part *part,
                                        uint8_t origin);
const char *th_toml_show_char(char out[static 24],
                              const struct th_toml_parser *p);
void th_toml_skip_blank(struct th_toml_parser *p);
bool th_toml_skip_comment(struct th_toml_parser *p);
bool th_toml_skip_lines(struct th_toml_parser *p);
bool th_toml_end_line(struct th_toml_parser *p, const char *after);

/* toml_string.c: the four kinds of strings. */
bool th_toml_string(struct th_toml_parser *p, bool may_span_lines,
                    const char **out_data, size_t *out_len);

/* toml_number.c: numbers, booleans, dates and times. */
bool th_toml_scalar(struct th_toml_parser *p, struct th_toml_node **out);

/* toml_value.c: any value; the tree below one `key = value`. */
bool th_toml_value(struct th_toml_parser *p, struct th_toml_node **out);
bool th_toml_key_part(struct th_toml_parser *p, struct th_toml_part *part);
bool th_toml_key_value(struct th_toml_parser *p, struct th_toml_node *table);

#endif
