/* SPDX-License-Identifier: Apache-2.0 */
/* WASI preview 2: what its functions (wasi_p2.c) and their way into a linker
 * (wasi_p2_link.c) share. */
#ifndef TH_WASM_WASI_P2_H
#define TH_WASM_WASI_P2_H

#include "wasm/component.h"

/* The host's numbers for types of resources that are ever made. */
enum th_wasi2_type {
    TH_WASI2_NO_TYPE,
    TH_WASI2_ERROR,
    TH_WASI2_POLLABLE,
    TH_WASI2_INPUT_STREAM,
    TH_WASI2_OUTPUT_STREAM,
    TH_WASI2_NETWORK,
};

#define WASI2(name)                                                            \
    static wasmtime_error_t *name(struct th_guest *guest, th_val_t *args,      \
                                  size_t len, th_val_t *result)
#define WASI2_UNUSED()                                                         \
    (void)guest;                                                               \
    (void)args;                                                                \
    (void)len

/* Calls the function of `import`; `result` has a place also when the function
 * answers nothing. */
wasmtime_error_t *th_wasi2_call(struct th_guest *guest,
                                const struct th_import *import, th_val_t *args,
                                size_t len, th_val_t *result);
/* The destructor of resources; env points to the number of their type. */
wasmtime_error_t *th_wasi2_drop(void *env, wasmtime_context_t *context,
                                uint32_t rep);

#endif
