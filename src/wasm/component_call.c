/* SPDX-License-Identifier: Apache-2.0 */
/* Design notes
 *
 * A handler's host function for a component: arguments to views, `begin`, and
 * its result to a value. One that may wait is an async function of the
 * engine's: it answers with a continuation, which the engine asks at once and
 * then each time the guest is entered again, and which asks `resume`. While
 * that says PENDING the guest is suspended, and th_guest_enter returns
 * WAITING; deleting the call's future ends the wait.
 *
 * Runs on the guest's stack, as calls.c; the frames of the engine between are
 * a few KiB. */
#include "wasm/component.h"

#include <stdarg.h>
#include <stdio.h>

wasmtime_error_t *th_component_fault(struct th_guest *guest,
                                     theater_status_t status,
                                     const char *format, ...)
{
    char text[TH_WHY_BYTES];
    va_list args;
    va_start(args, format);
    (void)vsnprintf(text, sizeof text, format, args);
    va_end(args);
    wasm_trap_delete(th_trap(guest, status, "%s", text));
    return wasmtime_error_new("theater");
}

static bool at_once(void *env)
{
    (void)env;
    return true;
}

void th_component_no_wait(wasmtime_async_continuation_t *out)
{
    *out = (wasmtime_async_continuation_t){at_once, NULL, NULL};
}

static wasmtime_error_t *bad_answer(struct th_guest *guest,
                                    const struct th_import *import)
{
    return th_component_fault(guest, THEATER_BUG,
                              "`%s` answered what it must not", import->name);
}

/* The result of guest->call, which ends. */
static void answer(struct th_guest *guest, th_val_t *result)
{
    if (result != NULL) {
        *result = th_component_lower(guest->import, &guest->call);
    }
    th_call_end(guest);
}

/* Asks the handler. PENDING: it waits. Else an answer, or *out_error. */
static theater_status_t begin(struct th_guest *guest,
                              const struct th_import *import, th_val_t *args,
                              size_t len, th_val_t *result,
                              wasmtime_error_t **out_error)
{
    theater_call_t *call = &guest->call;
    *out_error = th_component_lift(guest, import, args, len);
    if (*out_error != NULL) {
        return THEATER_TRAPPED;
    }
    call->instance = guest->instances[import->grant];
    call->status = THEATER_OK;
    call->message = NULL;
    guest->import = import;
    guest->calling = true;
    guest->reentered = false;
    guest->component->wasi = NULL;
    theater_status_t status = import->fn->begin(call);
    th_scratch_trim(guest, &guest->component->in);
    if (status == THEATER_OK) {
        answer(guest, result);
    } else if (status != THEATER_PENDING || import->fn->resume == NULL) {
        *out_error = bad_answer(guest, import);
        status = THEATER_BUG;
    }
    return status;
}

static wasmtime_error_t *call_now(void *env, wasmtime_context_t *context,
                                  const wasmtime_component_func_type_t *type,
                                  th_val_t *args, size_t len, th_val_t *results,
                                  size_t results_len)
{
    wasmtime_error_t *error = NULL;
    (void)context;
    (void)type;
    (void)begin(th_guest_current, env, args, len,
                results_len > 0 ? results : NULL, &error);
    return error;
}

/* Asked when the guest waits; true: the outcome is there. */
static bool resume(void *env)
{
    struct th_guest *guest = env;
    struct th_component_guest *component = guest->component;
    theater_status_t status = THEATER_PENDING;
    bool first = !guest->resumed;
    if (!guest->waiting) {
        return true;
    }
    guest->resumed = true;
    /* The engine asks at once, when `begin` has just said that it is not
     * there. */
    if (!first || guest->reentered) {
        if (component->wasi != NULL) {
            status = th_wasi2_resume(guest) ? THEATER_OK : THEATER_PENDING;
        } else {
            status = guest->import->fn->resume(&guest->call);
        }
    }
    if (status == THEATER_PENDING) {
        guest->pause = TH_PAUSE_WAIT;
        return false;
    }
    guest->waiting = false;
    guest->resumed = false;
    if (status != THEATER_OK) {
        /* The call ends with an error text of its own; see enter. */
        wasmtime_error_delete(bad_answer(guest, guest->import));
    }
    if (component->wasi == NULL) {
        answer(guest, component->answer);
    }
    component->answer = NULL;
    return true;
}

void th_component_wait(struct th_guest *guest, th_val_t *answer_at,
                       wasmtime_async_continuation_t *out)
{
    guest->component->answer = answer_at;
    guest->waiting = true;
    guest->resumed = false;
    *out = (wasmtime_async_continuation_t){resume, guest, NULL};
}

/* While the guest is made nobody can enter it again: what is not there at
 * once never comes. */
static wasmtime_error_t *wait_in_vain(struct th_guest *guest, th_val_t *result)
{
    if (guest->import->fn->resume(&guest->call) == THEATER_OK) {
        answer(guest, result);
        return NULL;
    }
    guest->waiting = true; /* so that it is cancelled */
    th_call_drop(guest);
    return th_component_fault(guest, THEATER_TRAPPED,
                              "`%s` would have to wait while the actor is "
                              "being made",
                              guest->import->name);
}

static void call_wait(void *env, wasmtime_context_t *context,
                      const wasmtime_component_func_type_t *type,
                      th_val_t *args, size_t len, th_val_t *results,
                      size_t results_len, wasmtime_error_t **out_error,
                      wasmtime_async_continuation_t *out)
{
    struct th_guest *guest = th_guest_current;
    th_val_t *result = results_len > 0 ? results : NULL;
    wasmtime_error_t *error = NULL;
    (void)context;
    (void)type;
    th_component_no_wait(out);
    theater_status_t status = begin(guest, env, args, len, result, &error);
    if (status == THEATER_PENDING) {
        if (guest->phase == TH_PHASE_INIT) {
            error = wait_in_vain(guest, result);
        } else {
            th_component_wait(guest, result, out);
        }
    }
    if (error != NULL) {
        *out_error = error;
    }
}

wasmtime_error_t *th_component_link_fn(struct th_import *import,
                                       wasmtime_component_linker_instance_t *to)
{
    size_t len = strlen(import->name);
    return import->fn->resume == NULL
               ? wasmtime_component_linker_instance_add_func(
                     to, import->name, len, call_now, import, NULL)
               : wasmtime_component_linker_instance_add_func_async(
                     to, import->name, len, call_wait, import, NULL);
}
