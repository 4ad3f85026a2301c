/* SPDX-License-Identifier: Apache-2.0 */
/* Design notes
 *
 * How functions of WASI preview 2 get into a component's linker: those that
 * may wait as async functions of the engine's, with the continuation that
 * host functions of handlers have (component_call.c); all others as plain
 * ones. */
#include "wasm/wasi_p2.h"

static wasmtime_error_t *call_now(void *env, wasmtime_context_t *context,
                                  const wasmtime_component_func_type_t *type,
                                  th_val_t *args, size_t len, th_val_t *results,
                                  size_t results_len)
{
    th_val_t result = th_val_bool(false);
    (void)context;
    (void)type;
    wasmtime_error_t *error =
        th_wasi2_call(th_guest_current, env, args, len, &result);
    if (results_len > 0) {
        results[0] = result;
    } else {
        wasmtime_component_val_delete(&result);
    }
    return error;
}

static void call_wait(void *env, wasmtime_context_t *context,
                      const wasmtime_component_func_type_t *type,
                      th_val_t *args, size_t len, th_val_t *results,
                      size_t results_len, wasmtime_error_t **out_error,
                      wasmtime_async_continuation_t *out)
{
    struct th_guest *guest = th_guest_current;
    const struct th_import *import = env;
    th_component_no_wait(out);
    guest->poll.wake_ns = 0;
    guest->reentered = false;
    wasmtime_error_t *error =
        call_now(env, context, type, args, len, results, results_len);
    if (error != NULL) {
        *out_error = error;
    } else if (guest->poll.wake_ns != 0) {
        guest->import = import;
        guest->component->wasi = import->wasi2;
        th_component_wait(guest, results_len > 0 ? results : NULL, out);
    }
}

wasmtime_error_t *th_wasi2_link(struct th_import *import,
                                wasmtime_component_linker_instance_t *to)
{
    size_t len = strlen(import->name);
    return import->wasi2 != NULL && import->wasi2->waits
               ? wasmtime_component_linker_instance_add_func_async(
                     to, import->name, len, call_wait, import, NULL)
               : wasmtime_component_linker_instance_add_func(
                     to, import->name, len, call_now, import, NULL);
}

wasmtime_error_t *
th_wasi2_link_resource(wasmtime_component_linker_instance_t *to,
                       const char *name, uint32_t number)
{
    static uint32_t pollable = TH_WASI2_POLLABLE, other = TH_WASI2_NO_TYPE;
    wasmtime_component_resource_type_t *type =
        wasmtime_component_resource_type_new_host(number);
    wasmtime_error_t *error = wasmtime_component_linker_instance_add_resource(
        to, name, strlen(name), type, th_wasi2_drop,
        number == TH_WASI2_POLLABLE ? &pollable : &other, NULL);
    wasmtime_component_resource_type_delete(type);
    return error;
}
