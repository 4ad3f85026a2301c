/* SPDX-License-Identifier: Apache-2.0 */
/* Design notes
 *
 * A host function that waits suspends the guest: `wait` is the one async
 * function of the engine, entered from the imports module when `begin` said
 * so. Its continuation asks the handler's `resume` each time that the guest
 * is entered; while it answers PENDING the guest stays suspended and
 * th_guest_enter returns WAITING. The continuation runs on the stack of
 * whoever polls, or on the guest's. */
#include "wasm/internal.h"

static bool resume(struct th_guest *guest)
{
    if (guest->import->fn == NULL) {
        return th_wasi_poll_resume(guest);
    }
    theater_status_t status = guest->import->fn->resume(&guest->call);
    if (status == THEATER_PENDING) {
        return false;
    }
    if (status != THEATER_OK) {
        *guest->wait_trap =
            th_trap(guest, THEATER_BUG, "`%s` answered what it must not",
                    guest->import->name);
    }
    return true;
}

/* `resume` was not asked yet when `begin` has just answered PENDING: it is
 * called once after each wake, and the first poll comes at once; unless the
 * slice ended between the two: then the wake may have been what entered the
 * guest again, and would be lost. */
static bool poll(void *env)
{
    struct th_guest *guest = env;
    if (!guest->waiting) {
        guest->waiting = true;
        if (!guest->reentered) {
            return false;
        }
    }
    if (!resume(guest)) {
        return false;
    }
    guest->waiting = false;
    return true;
}

static bool poll_nothing(void *env)
{
    (void)env;
    return true;
}

void th_call_wait(void *env, wasmtime_caller_t *caller,
                  const wasmtime_val_t *args, size_t args_len,
                  wasmtime_val_t *results, size_t results_len,
                  wasm_trap_t **out_trap,
                  wasmtime_async_continuation_t *out_continuation)
{
    struct th_guest *guest = th_guest_current;
    (void)env;
    (void)caller;
    (void)args;
    (void)args_len;
    (void)results;
    (void)results_len;
    guest->lowering.kind = 0;
    *out_continuation = (wasmtime_async_continuation_t){poll, guest, NULL};
    guest->wait_trap = out_trap;
    if (guest->phase == TH_PHASE_INIT) {
        out_continuation->callback = poll_nothing;
        if (resume(guest)) {
            return; /* the outcome was there already */
        }
        guest->calling = false;
        if (guest->import->fn != NULL && guest->import->fn->cancel != NULL) {
            guest->import->fn->cancel(&guest->call);
        }
        *out_trap = th_trap(guest, THEATER_TRAPPED,
                            "`%s` would have to wait while the actor is being "
                            "made (in `_initialize`)",
                            guest->import->name);
    }
}

wasm_trap_t *th_call_flat32(void *env, wasmtime_caller_t *caller,
                            wasmtime_val_raw_t *v, size_t len)
{
    (void)env;
    (void)caller;
    (void)len;
    v[0].i32 = (int32_t)th_guest_current->call.result.u32;
    return NULL;
}

wasm_trap_t *th_call_flat64(void *env, wasmtime_caller_t *caller,
                            wasmtime_val_raw_t *v, size_t len)
{
    (void)env;
    (void)caller;
    (void)len;
    v[0].i64 = (int64_t)th_guest_current->call.result.u64;
    return NULL;
}
