/* SPDX-License-Identifier: Apache-2.0 */
/* A bounded reader of WebAssembly files, for `inspect`: sections, imports and
 * exports of core modules and components, also of files that no engine would
 * take. It checks nothing else, and never reads outside the file. */
#ifndef TH_CLI_WASM_FILE_H
#define TH_CLI_WASM_FILE_H

#include "cli/wasm_wit.h"

enum {
    WASM_SECTIONS_MAX = 256, /* that are kept */
    WASM_ITEMS_MAX = 4096,   /* imports and exports that are kept, of each */
    WASM_TYPES_MAX = 100000, /* types, functions: as engines allow */
    WASM_FUNCTIONS_MAX = 1000000,
    WASM_VALUES_SHOWN = 1000, /* parameters, results: as engines allow */
};

struct wasm_section {
    const char *kind;       /* "import", "custom", "core module"; static */
    struct wasm_slice name; /* of a custom section */
    size_t bytes;           /* of its contents */
};

struct wasm_item {
    const char *kind;         /* "func", "memory", "instance"; static */
    struct wasm_slice module; /* of a core import; data NULL: none */
    struct wasm_slice name;   /* as the file has it: any bytes */
    /* Core: where its type stands in the file (a func's: the function type);
     * 0: not known. */
    size_t type_at;
};

struct wasm_items {
    struct wasm_item *items; /* kept ones */
    size_t len;              /* entries in items */
    size_t all;              /* that the file has */
};

struct wasm_file {
    const uint8_t *data; /* borrowed */
    size_t len;          /* bytes */
    bool component;
    unsigned version; /* 1; of a component 13 */
    struct wasm_section sections[WASM_SECTIONS_MAX];
    size_t sections_len; /* kept ones */
    size_t sections_all; /* that the file has */
    struct wasm_items imports;
    struct wasm_items exports;
    struct wasm_items memories; /* that it defines; no names */
    uint32_t *types; /* where each function type stands; 0: no function */
    size_t types_len;
    uint32_t *functions; /* the type of each function, imported ones first */
    size_t functions_len;
    bool has_start;
    struct wit wit;    /* of a component */
    char problem[160]; /* what ended the reading; "": all was read */
};

/* Reads what can be read. False: it is no WebAssembly file, or
 * memory failed; `problem` says which. wasm_file_fini either way. */
bool wasm_file_read(struct wasm_file *file, const uint8_t *data, size_t len);
void wasm_file_fini(struct wasm_file *file);
/* Of a component's import or export, whose place in its list is `at`; NULL: it
 * is not known. */
const struct wit_node *wasm_wit_of(const struct wasm_file *file,
                                   const struct wasm_items *list, size_t at);
/* "func(i32, i32) -> i32", "memory 1 to 16 pages", "instance". */
void wasm_add_type(struct cli_text *out, const struct wasm_file *file,
                   const struct wasm_item *item);

#endif
