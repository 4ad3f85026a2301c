/* SPDX-License-Identifier: Apache-2.0 */
/* The types of a component's functions, in WIT's notation, for `inspect`. */
#ifndef TH_CLI_WASM_WIT_H
#define TH_CLI_WASM_WIT_H

#include "cli/cli.h"

struct wasm_slice {
    const uint8_t *data; /* of the file */
    size_t len;          /* bytes */
};

/* A type, a function or an instance: what is known of it. */
struct wit_node {
    size_t at;              /* of its type in the file; 0: not known */
    uint32_t scope;         /* whose types that counts by */
    uint32_t inner;         /* of an instance (type): its scope; 0: none */
    struct wasm_slice name; /* of a type that was exported; or no data */
};

struct wit_nodes {
    struct wit_node *items;
    size_t len;
};

enum wit_space { WIT_TYPES, WIT_FUNCS, WIT_INSTANCES, WIT_SPACES };

/* The component (the first), and each instance type in it. */
struct wit_scope {
    uint32_t parent;
    struct wit_nodes spaces[WIT_SPACES];
    struct wit_nodes exports; /* named */
    uint8_t *kinds;           /* of exports: enum wit_space */
};

struct wit {
    const uint8_t *data; /* of the file; borrowed */
    struct wit_scope *scopes;
    size_t scopes_len;
    size_t nodes; /* in all scopes, which is bounded */
    size_t looks; /* at names of exports; bounded as well */
    struct wit_nodes imports, exports; /* of the component, in order */
    /* Something is not known to this reader, so that indices behind it mean
     * nothing. */
    bool lost;
};

/* One section of the component. */
void wit_read(struct wit *wit, const uint8_t *data, uint8_t id, size_t at,
              size_t end);
void wit_fini(struct wit *wit);
/* "func(a: string) -> result<_, error>"; false: it is not known. */
bool wit_add_func(struct cli_text *out, const struct wit *wit, size_t file_len,
                  const struct wit_node *func);
/* The next function of an instance, from *io, which goes behind it; NULL:
 * there is none. */
const struct wit_node *wit_func_of(const struct wit *wit,
                                   const struct wit_node *instance, size_t *io);

#endif
