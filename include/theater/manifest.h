/* SPDX-License-Identifier: Apache-2.0 */
/* Manifests and system files: what an actor is, what it may use and what it
 * is granted, read from TOML and checked. They say nothing about what a
 * handler's keys mean: each handler brings its own table of keys. */
#ifndef THEATER_MANIFEST_H
#define THEATER_MANIFEST_H

#include <theater/env.h>
#include <theater/status.h>

#ifdef __cplusplus
extern "C" {
#endif

typedef struct theater_manifest theater_manifest_t; /* immutable; counted */
typedef struct theater_system theater_system_t;     /* immutable */
typedef struct theater_section theater_section_t;   /* one [[handler]] */

/* --- Keys --------------------------------------------------------------- */

/* What the value of a key has to be. */
typedef enum theater_key_type {
    THEATER_KEY_BOOL,        /* true, false */
    THEATER_KEY_INT,         /* 100; from min to max */
    THEATER_KEY_SIZE,        /* bytes: "64MiB", "4KiB", 512; min to max */
    THEATER_KEY_DURATION,    /* ns: "5s", "100ms", "250us", "1m", "1h" */
    THEATER_KEY_STRING,      /* "text"; min to max bytes */
    THEATER_KEY_STRING_LIST, /* ["a", "b"]; each from min to max bytes */
    THEATER_KEY_ENUM,        /* one of `choices` */
    THEATER_KEY_NAME,        /* a string that can name an actor */
    THEATER_KEY_BYTES,       /* a string that may hold anything, NULs too */
} theater_key_type_t;

/* One key of a section. Parsing, checks, documents and tests are made from
 * tables of these. Static. */
typedef struct theater_key {
    const char *name;        /* "mailbox_bytes" */
    theater_key_type_t type; /* what its value must be */
    /* The default as a manifest would write it, without quotes: "4MiB",
     * "true". NULL: there is none (a list is then absent, a string NULL). */
    const char *fallback;
    uint64_t min; /* least value (for strings: bytes) */
    uint64_t max; /* greatest value (for strings: bytes); 0: no bound */
    const char *const *choices; /* ENUM: the words, NULL behind the last */
    bool unlimited;  /* DURATION: "unlimited" is allowed (THEATER_NEVER) */
    bool required;   /* an error when it is missing */
    const char *doc; /* one line for people */
    /* STRING, STRING_LIST: what is wrong with this text, as the end of a
     * sentence that begins with it ("has a * that is not at its end"), or
     * NULL when it is right. May itself be NULL. */
    const char *(*check)(const char *text, size_t len);
} theater_key_t;

/* The keys of one type of handler. */
typedef struct theater_handler_keys {
    const char *type;          /* "message-server" */
    const theater_key_t *keys; /* without `type`; may be NULL when len is 0 */
    size_t keys_len;           /* entries in keys */
} theater_handler_keys_t;

/* A group of keys of manifests or system files, for documents and help. */
typedef struct theater_key_group {
    const char *file;          /* "manifest" or "system" */
    const char *section;       /* "" (top of the file), "limits", "actor" */
    const theater_key_t *keys; /* static */
    size_t keys_len;           /* entries in keys */
} theater_key_group_t;

/* All groups but those of handlers; static. Threads: any. */
THEATER_API const theater_key_group_t *theater_key_groups(size_t *out_len);

/* --- Manifests ---------------------------------------------------------- */

/* Begin with THEATER_MANIFEST_OPTIONS_INIT. */
typedef struct theater_manifest_options {
    size_t size;              /* sizeof(theater_manifest_options_t) */
    const theater_env_t *env; /* NULL: the default */
    /* For a native actor: `package` may be missing, and no file is looked
     * for when it is there. */
    bool native;
} theater_manifest_options_t;

/* The defaults. */
#define THEATER_MANIFEST_OPTIONS_INIT                                          \
    {sizeof(theater_manifest_options_t), NULL, false}

/* Reads and checks a manifest, all but its [[handler]] sections (see
 * theater_manifest_check). `options` may be NULL.
 * Owns:    the result is the caller's, to be released.
 * Threads: any. Blocks: on the file. Allocates: through the environment.
 * Returns: OK; NOT_FOUND (the manifest, or the package it names), IO,
 *          BAD_MANIFEST (`err` says file, line, column, what, what to do),
 *          OUT_OF_MEMORY. */
THEATER_API THEATER_CHECKED theater_status_t theater_manifest_load_file(
    const char *path, const theater_manifest_options_t *options,
    theater_manifest_t **out_manifest, theater_error_t *err);

/* The same from `len` bytes of text. `origin` is the path that errors name
 * and beside which `package` is looked for; NULL: "manifest", in the current
 * folder. Nothing of the arguments is kept. */
THEATER_API THEATER_CHECKED theater_status_t
theater_manifest_parse(const char *text, size_t len, const char *origin,
                       const theater_manifest_options_t *options,
                       theater_manifest_t **out_manifest, theater_error_t *err);

/* Manifests are counted: each retain needs a release; the last frees.
 * Answers `manifest`. Threads: any. Blocks: never. */
THEATER_API theater_manifest_t *
theater_manifest_retain(const theater_manifest_t *manifest);
THEATER_API void theater_manifest_release(theater_manifest_t *manifest);

/* Checks the [[handler]] sections against the handlers that there are.
 * Threads: any. Allocates: never. Returns: OK, BAD_MANIFEST. */
THEATER_API THEATER_CHECKED theater_status_t theater_manifest_check(
    const theater_manifest_t *manifest, const theater_handler_keys_t *handlers,
    size_t handlers_len, theater_error_t *err);

/* What it says. All results live as long as the manifest. Threads: any. */

/* The actor's name: 1 to 255 bytes of UTF-8, no control characters. */
THEATER_API const char *
theater_manifest_name(const theater_manifest_t *manifest);
/* "" when it says none. */
THEATER_API const char *
theater_manifest_version(const theater_manifest_t *manifest);
/* "" when it says none. */
THEATER_API const char *
theater_manifest_description(const theater_manifest_t *manifest);
/* The module's file, absolute; NULL: none (options.native). */
THEATER_API const char *
theater_manifest_package(const theater_manifest_t *manifest);
/* The file it was read from, as it was named. */
THEATER_API const char *
theater_manifest_origin(const theater_manifest_t *manifest);
/* NULL when it says none; a zero byte follows. */
THEATER_API const uint8_t *
theater_manifest_initial_state(const theater_manifest_t *manifest,
                               size_t *out_len);

/* How large a stack the actor runs on. */
typedef enum theater_stack_class {
    THEATER_STACK_SMALL,
    THEATER_STACK_LARGE,
} theater_stack_class_t;

/* [limits] */
typedef struct theater_limits {
    uint64_t memory_bytes;       /* of the guest's linear memory */
    uint64_t delivery_time_ns;   /* computing per call; THEATER_NEVER: none */
    uint64_t run_time_ns;        /* of `run`; THEATER_NEVER: none */
    theater_stack_class_t stack; /* which of the two */
} theater_limits_t;

/* Its [limits], the defaults filled in. */
THEATER_API const theater_limits_t *
theater_manifest_limits(const theater_manifest_t *manifest);

/* After which ends an actor is started again. */
typedef enum theater_restart_when {
    THEATER_RESTART_NEVER,      /* none */
    THEATER_RESTART_ON_FAILURE, /* traps and broken limits */
} theater_restart_when_t;

/* restart, max_restarts, restart_period, restart_backoff */
typedef struct theater_restart {
    theater_restart_when_t when; /* after which ends */
    uint32_t max_restarts;       /* within one period; then it stays stopped */
    uint64_t period_ns;          /* THEATER_NEVER: the actor's whole life */
    uint64_t backoff_ns;         /* wait before the actor is started again */
} theater_restart_t;

/* Its rule of restarts, the defaults filled in. */
THEATER_API const theater_restart_t *
theater_manifest_restart(const theater_manifest_t *manifest);

/* The [[handler]] sections, in the order of the file. */
THEATER_API size_t
theater_manifest_handlers_len(const theater_manifest_t *manifest);
/* NULL when there is no such index. */
THEATER_API const theater_section_t *
theater_manifest_handler(const theater_manifest_t *manifest, size_t index);

/* --- Sections ----------------------------------------------------------- *
 * Of a manifest that theater_manifest_check accepted. `key` is an entry of
 * the handler's table; a key that is not set answers its default. Results
 * live as long as the manifest. Threads: any. Allocates: never. */

/* The handler's type. */
THEATER_API const char *theater_section_type(const theater_section_t *section);
/* Is the key set (not defaulted)? */
THEATER_API bool theater_section_has(const theater_section_t *section,
                                     const theater_key_t *key);
/* BOOL */
THEATER_API bool theater_section_bool(const theater_section_t *section,
                                      const theater_key_t *key);
/* INT, SIZE (bytes), DURATION (ns or THEATER_NEVER), ENUM (index). */
THEATER_API uint64_t theater_section_number(const theater_section_t *section,
                                            const theater_key_t *key);
/* STRING, NAME, ENUM; NULL when there is neither value nor default. */
THEATER_API const char *theater_section_string(const theater_section_t *section,
                                               const theater_key_t *key);
/* STRING_LIST: NULL when it is not set; `out_len` gets the entries. An empty
 * list is not NULL. */
THEATER_API const char *const *
theater_section_list(const theater_section_t *section, const theater_key_t *key,
                     size_t *out_len);

/* --- System files ------------------------------------------------------- */

/* One actor of a system; `count = 3` makes three. */
typedef struct theater_system_actor {
    const char *name;                   /* unique in the system */
    const theater_manifest_t *manifest; /* shared by those that name it */
    /* Of the system file, or else of the manifest; NULL: none. */
    const uint8_t *initial_state;
    size_t initial_state_len; /* bytes; a zero byte follows */
} theater_system_actor_t;

/* Reads and checks a system file and all manifests that it names.
 * Returns: as theater_manifest_load_file. */
THEATER_API THEATER_CHECKED theater_status_t theater_system_load_file(
    const char *path, const theater_manifest_options_t *options,
    theater_system_t **out_system, theater_error_t *err);

/* The same from text; `origin` as for theater_manifest_parse. */
THEATER_API THEATER_CHECKED theater_status_t
theater_system_parse(const char *text, size_t len, const char *origin,
                     const theater_manifest_options_t *options,
                     theater_system_t **out_system, theater_error_t *err);

/* A system of the manifests in these files, each file a manifest or a system
 * file (told apart by what they hold): what `theater run FILE...` starts.
 * Returns: as theater_manifest_load_file. */
THEATER_API THEATER_CHECKED theater_status_t
theater_system_load_files(const char *const *paths, size_t paths_len,
                          const theater_manifest_options_t *options,
                          theater_system_t **out_system, theater_error_t *err);

/* Frees a system; its manifests live on where they are retained. NULL is
 * fine. Threads: owner. */
THEATER_API void theater_system_delete(theater_system_t *system);

/* theater_manifest_check for all its manifests. */
THEATER_API THEATER_CHECKED theater_status_t theater_system_check(
    const theater_system_t *system, const theater_handler_keys_t *handlers,
    size_t handlers_len, theater_error_t *err);

/* Its actors, in the order of the file. Results live as long as the system.
 * Threads: any. */
THEATER_API size_t theater_system_actors_len(const theater_system_t *system);
/* NULL when there is no such index. */
THEATER_API const theater_system_actor_t *
theater_system_actor(const theater_system_t *system, size_t index);

#ifdef __cplusplus
}
#endif

#endif
