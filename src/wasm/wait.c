/* SPDX-License-Identifier: Apache-2.0 */
/* Design notes
 *
 * A host function that waits suspends the guest: when `begin` said so, the
 * imports module calls `wait` and parks, again and again until `wait` answers
 * that it is over. `wait` asks the handler's `resume` each time that the guest
 * was entered; while that answers PENDING, th_guest_enter returns WAITING.
 *
 * No async host function of the engine's is needed for it (enter.c says what
 * that gave). Everything here runs on the guest's stack. */
#include "wasm/internal.h"

/* While the guest is made nobody can enter it again: what is not there at
 * once never comes. */
static wasm_trap_t *wait_in_vain(struct th_guest *guest)
{
    th_call_drop(guest);
    return th_trap(guest, THEATER_TRAPPED,
                   "`%s` would have to wait while the actor is being "
                   "made (in `_initialize`)",
                   guest->import->name);
}

wasm_trap_t *th_call_wait(void *env, wasmtime_caller_t *caller,
                          wasmtime_val_raw_t *v, size_t len)
{
    struct th_guest *guest = th_guest_current;
    theater_status_t status = THEATER_PENDING;
    bool first = !guest->resumed;
    (void)env;
    (void)caller;
    (void)len;
    guest->lowering.kind = 0;
    guest->waiting = true;
    guest->resumed = true;
    /* `begin` has just said that the outcome is not there; unless the slice
     * ended in between: then the wake may have been what entered the guest
     * again, and would be lost. */
    if (!first || guest->reentered || guest->phase == TH_PHASE_INIT) {
        if (guest->import->fn != NULL) {
            status = guest->import->fn->resume(&guest->call);
        } else if (th_wasi_poll_resume(guest)) {
            status = THEATER_OK;
        }
    }
    if (status == THEATER_PENDING && guest->phase == TH_PHASE_INIT) {
        return wait_in_vain(guest);
    }
    v[0].i32 = status == THEATER_PENDING;
    if (status == THEATER_PENDING) {
        th_guest_park(guest, TH_PAUSE_WAIT);
        return NULL;
    }
    guest->waiting = false;
    guest->resumed = false;
    return status == THEATER_OK
               ? NULL
               : th_trap(guest, THEATER_BUG, "`%s` answered what it must not",
                         guest->import->name);
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
