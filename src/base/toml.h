/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A TOML 1.0 reader: bytes in, a tree out. It reads configuration that a
 * person wrote, so every key and every value knows its line and column, and
 * every error says what is wrong, where, and what to write instead. It is
 * not a writer and keeps no comments. The tree is immutable once parsed.
 */
#ifndef TH_BASE_TOML_H
#define TH_BASE_TOML_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <theater/env.h>
#include <theater/status.h>

#define TH_TOML_ERROR_TEXT 192
#define TH_TOML_SHOW 48

enum th_toml_kind {
    TH_TOML_TABLE,
    TH_TOML_ARRAY,
    TH_TOML_STRING,
    TH_TOML_INTEGER,
    TH_TOML_FLOAT,
    TH_TOML_BOOL,
    TH_TOML_DATETIME,       /* with an offset from UTC */
    TH_TOML_DATETIME_LOCAL, /* date and time without offset */
    TH_TOML_DATE_LOCAL,
    TH_TOML_TIME_LOCAL
};

/* A place in the text, as editors count: from 1, columns in characters. */
struct th_toml_place {
    uint32_t line;   /* 1 is the first line */
    uint32_t column; /* 1 is the first character of the line */
};

struct th_toml_entry;

/* A value. Everything in it lives as long as the document. */
struct th_toml_node {
    enum th_toml_kind kind;     /* which member of `as` holds */
    uint8_t origin;             /* for the parser: how a table came about */
    uint32_t section;           /* for the parser: who may extend it */
    struct th_toml_place place; /* first character of the value */
    struct th_toml_node *next;  /* next element of the same array, or NULL */
    union {
        struct {
            const char *data; /* UTF-8, a NUL after it; may contain NULs */
            size_t len;       /* bytes, without the NUL after it */
        } string;             /* strings; the normalised text of dates */
        int64_t integer;      /* TH_TOML_INTEGER */
        double real;          /* TH_TOML_FLOAT */
        bool boolean;         /* TH_TOML_BOOL */
        struct {
            struct th_toml_entry *first; /* in the order of the text */
            struct th_toml_entry *last;  /* the newest */
            size_t count;                /* number of keys */
        } table;                         /* TH_TOML_TABLE */
        struct {
            struct th_toml_node *first; /* in the order of the text */
            struct th_toml_node *last;  /* the newest */
            size_t count;               /* number of elements */
        } array;                        /* TH_TOML_ARRAY */
    } as;                               /* the value itself */
};

/* A key of a table with its value. */
struct th_toml_entry {
    const char *key;                  /* UTF-8, a NUL after it */
    size_t key_len;                   /* bytes; a key may contain NULs */
    struct th_toml_place place;       /* first character of the key */
    struct th_toml_node *value;       /* never NULL */
    struct th_toml_entry *next;       /* next key of this table, or NULL */
    const struct th_toml_node *owner; /* the table that holds this key */
    struct th_toml_entry *chain;      /* for the index of the document */
};

/* What a text may be at most; zero means the default. */
struct th_toml_limits {
    size_t max_bytes;   /* size of the text; default 1 MiB */
    uint32_t max_depth; /* tables and arrays within each other; default 64 */
};

/* Why a text was refused. */
struct th_toml_error {
    struct th_toml_place place;    /* where */
    char text[TH_TOML_ERROR_TEXT]; /* what, and what to do */
};

struct th_toml; /* a parsed document */

/* Parse `len` bytes of TOML 1.0. `limits` and `err` may be NULL.
 * Owns:    `text` is only read during the call; the result is the caller's.
 * Threads: any.   Blocks: never.   Allocates: through `env`.
 * Returns: OK, OUT_OF_MEMORY, TOO_LARGE (over max_bytes), INVALID_ARGUMENT (not
 *          TOML; `err` says why). */
theater_status_t th_toml_parse(const theater_env_t *env, const char *text,
                               size_t len, const struct th_toml_limits *limits,
                               struct th_toml **out_doc,
                               struct th_toml_error *err)
    __attribute__((warn_unused_result));

/* Free a document and everything in it; NULL is allowed.
 * Threads: owner.   Blocks: never. */
void th_toml_delete(struct th_toml *doc);

/* The table that holds the whole document.
 * Threads: any.   Blocks: never.   Allocates: never. */
const struct th_toml_node *th_toml_root(const struct th_toml *doc);

/* The entry of `table` with this key, or NULL. `table` may be NULL.
 * Threads: any.   Blocks: never.   Allocates: never. */
const struct th_toml_entry *th_toml_find(const struct th_toml *doc,
                                         const struct th_toml_node *table,
                                         const char *key, size_t key_len);

/* Memory, aligned to 16, that lives as long as the document; NULL when there
 * is none. For what is computed from the tree.
 * Threads: owner.   Blocks: never. */
void *th_toml_alloc(struct th_toml *doc, size_t size);

/* `len` bytes of the text for a message: cut to fit, control characters
 * replaced, so that a file can't write to anybody's terminal. Answers `out`.
 * Threads: any.   Blocks: never.   Allocates: never. */
const char *th_toml_show(char out[static TH_TOML_SHOW], const char *data,
                         size_t len);

/* The name of a kind for messages, with its article: "a string".
 * Threads: any.   Blocks: never.   Allocates: never. */
const char *th_toml_kind_name(enum th_toml_kind kind);

#endif
