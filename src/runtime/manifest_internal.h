/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What the files of the manifest reader share: where errors come from, the
 * reading of one key, and the path rule. Nobody else includes this header,
 * tests aside.
 */
#ifndef TH_RUNTIME_MANIFEST_INTERNAL_H
#define TH_RUNTIME_MANIFEST_INTERNAL_H

#include <theater/manifest.h>

#include "base/toml.h"

#include <limits.h>

enum {
    TH_MANIFEST_MAX_BYTES = 1 << 20, /* of a manifest or system file */
    TH_MANIFEST_MAX_KEYS = 64,       /* of one section */
    TH_SYSTEM_MAX_ACTORS = 1 << 20   /* of one system */
};

/* A text while it is read and checked. */
struct th_source {
    const theater_env_t *env; /* of the caller */
    const char *origin;       /* its path, as errors name it */
    struct th_toml *doc;      /* the parsed text */
    theater_error_t *err;     /* may be NULL */
};

/* The value of one key. */
struct th_key_value {
    uint64_t number;  /* BOOL 0 or 1, INT, SIZE, DURATION, ENUM's index */
    const char *text; /* STRING, NAME, BYTES, ENUM; NULL: none */
    size_t len;       /* bytes of text */
};

/* Why a value was refused. */
struct th_key_fault {
    struct th_toml_place place; /* where */
    char text[256];             /* what, and what to do */
};

/* manifest_source.c: reading texts, errors with places, paths. */
theater_status_t th_source_error(const struct th_source *src,
                                 theater_status_t status,
                                 struct th_toml_place place, const char *format,
                                 ...) __attribute__((format(printf, 4, 5)));
theater_status_t th_source_parse(struct th_source *src, const char *text,
                                 size_t len);
/* Reads the file src->origin and parses it. */
theater_status_t th_source_load(struct th_source *src);
void th_source_join(const char *origin, const char *path,
                    char out[static PATH_MAX]);
/* The absolute path of the file `path` beside src->origin, which has to stay
 * in the folder of that file; `what` it is, for errors at `place`. */
theater_status_t th_source_resolve(const struct th_source *src,
                                   struct th_toml_place place, const char *what,
                                   const char *path, bool must_exist,
                                   char out[static PATH_MAX]);

/* manifest_value.c: the value of one key. */
bool th_key_read(const theater_key_t *key, const struct th_toml_node *node,
                 struct th_key_value *out, struct th_key_fault *fault);
struct th_key_value th_key_fallback(const theater_key_t *key);
/* The value in the file or else the default; the table was checked. */
struct th_key_value th_key_get(const struct th_toml *doc,
                               const struct th_toml_node *table,
                               const theater_key_t *key);
/* A number as a manifest would write it, without quotes: "64MiB", "5s". */
const char *th_key_show(theater_key_type_t type, uint64_t number,
                        char out[static 32]);
/* What a key's value looks like, for errors and documents. */
const char *th_key_form(const theater_key_t *key, char *out, size_t size);

/* manifest_keys.c: the tables, and the check of a section against one. */
enum th_manifest_key {
    TH_KEY_NAME,
    TH_KEY_VERSION,
    TH_KEY_PACKAGE,
    TH_KEY_DESCRIPTION,
    TH_KEY_INITIAL_STATE,
    TH_KEY_RESTART,
    TH_KEY_MAX_RESTARTS,
    TH_KEY_RESTART_PERIOD,
    TH_KEY_RESTART_BACKOFF,
    TH_MANIFEST_KEYS
};
enum th_limits_key {
    TH_KEY_MEMORY,
    TH_KEY_DELIVERY_TIME,
    TH_KEY_RUN_TIME,
    TH_KEY_STACK,
    TH_LIMITS_KEYS
};
enum th_actor_key {
    TH_KEY_ACTOR_MANIFEST,
    TH_KEY_ACTOR_NAME,
    TH_KEY_ACTOR_COUNT,
    TH_KEY_ACTOR_INITIAL_STATE,
    TH_ACTOR_KEYS
};
extern const theater_key_t th_manifest_keys[TH_MANIFEST_KEYS];
extern const theater_key_t th_limits_keys[TH_LIMITS_KEYS];
extern const theater_key_t th_actor_keys[TH_ACTOR_KEYS];

/* One section to be checked against a table of keys. */
struct th_keys_check {
    const char *what;                 /* "the manifest", "[limits]" */
    struct th_toml_place place;       /* where a missing key is missing */
    const struct th_toml_node *table; /* the section */
    const theater_key_t *keys;        /* what it may hold */
    size_t keys_len;                  /* entries in keys */
    const char *const *others;        /* more names, checked elsewhere */
    size_t others_len;                /* entries in others */
    const char *optional; /* a required key that may be missing, or NULL */
};
theater_status_t th_keys_check(const struct th_source *src,
                               const struct th_keys_check *check);
/* "did you mean 'x'?" or "there are: x, y". */
const char *th_keys_hint(const char *word, const char *const *names, size_t len,
                         char *out, size_t size);

/* manifest.c, for manifest_system.c */
theater_status_t th_manifest_from_source(struct th_source *src, bool native,
                                         theater_manifest_t **out);
struct th_toml_place th_manifest_name_place(const theater_manifest_t *manifest);

#endif
