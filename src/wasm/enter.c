/* SPDX-License-Identifier: Apache-2.0 */
/* Design notes
 *
 * One activation: an async call of the loop module, or the continuation of
 * the one that is suspended, polled once. It comes back because no delivery
 * is left (IDLE), because a host function waits (WAITING), because the slice
 * is over (YIELDED: inside the guest by the epoch callback, or between two
 * deliveries), or because the guest is dead. In a simulation it comes back
 * each TH_FUEL_SLICE and goes on unless there is a reason not to.
 *
 * A guest that has nothing to do, or waits, parks: the engine's own way to
 * give way in its epoch callback, taken on purpose. To enter one that is parked
 * is to poll a future that is there already: `request` went from 0.61 to
 * 0.91 million a second, `ping-pong` from 0.55 to 0.71. A guest
 * parks in the loop from its TH_ROUNDS-th call on, since its stack and the
 * engine's record of the call stay with it: most actors are seldom called. */
#include "wasm/component.h"

/* The function to call for this entry; NULL: the module has none. */
static const wasmtime_func_t *function_of(struct th_guest *guest,
                                          enum th_guest_entry entry,
                                          const char *stop_reason)
{
    const struct th_module *module = guest->module;
    switch (entry) {
    case TH_ENTER_RUN:
        if (th_module_has_run(module)) {
            guest->phase = TH_PHASE_RUN;
            th_limits_begin(guest, guest->run_limit);
            return &guest->run;
        }
        break;
    case TH_ENTER_STOP:
        guest->phase = TH_PHASE_STOP;
        th_limits_begin(guest, guest->delivery_limit);
        guest->stop_reason =
            (theater_bytes_t){(const uint8_t *)stop_reason,
                              stop_reason != NULL ? strlen(stop_reason) : 0};
        return module->has_stop ? &guest->stop : NULL;
    case TH_ENTER_DELIVERIES:
        break;
    }
    guest->phase = TH_PHASE_DELIVERY;
    th_limits_begin(guest, guest->delivery_limit);
    return module->entries_len > 0 ? &guest->loop : NULL;
}

/* Polls; true: the call has ended. In a simulation, until it ends, waits, must
 * give way, or has spent its fuel. */
static bool poll(struct th_guest *guest)
{
    for (;;) {
        if (wasmtime_call_future_poll(guest->future)) {
            return true;
        }
        if (guest->pause != TH_PAUSE_NONE || !guest->engine->fuel) {
            return false;
        }
        if (th_limits_spent(guest)) {
            th_limits_broken(guest);
            return true;
        }
        if (guest->hooks->should_yield(guest->ctx)) {
            return false;
        }
    }
}

enum th_guest_state th_guest_die(struct th_guest *guest, theater_error_t *err)
{
    theater_error_t reason;
    guest->dead = true;
    theater_status_t status = th_guest_reason(guest, &reason);
    if (err != NULL) {
        *err = reason;
    }
    th_call_drop(guest);
    if (guest->delivery != NULL) {
        /* It exited inside a handler: that never returned. */
        th_deliver_end(guest, status == THEATER_OK ? THEATER_CLOSED : status);
    }
    th_wasi_flush(guest);
    return TH_GUEST_DEAD;
}

bool th_guest_run(struct th_guest *guest, bool fresh)
{
    struct th_guest *outer = th_guest_current;
    if (fresh && guest->stack != NULL) {
        th_stack_busy(guest->stack);
    }
    th_guest_current = guest;
    guest->pause = TH_PAUSE_NONE;
    guest->parked = false;
    if (!guest->engine->fuel) {
        th_ticker_arm(&guest->engine->ticker);
    }
    if (fresh && !guest->engine->fuel) {
        /* Who goes on gets it from the callback. */
        wasmtime_context_set_epoch_deadline(guest->context, 1);
    }
    bool ended = poll(guest);
    if (ended) {
        wasmtime_call_future_delete(guest->future);
        guest->future = NULL;
    } else {
        (void)th_limits_spent(guest);
    }
    th_guest_current = outer;
    if (guest->stack != NULL && (ended || guest->entries++ % 64 == 0)) {
        /* Now and then: it is in a page that nothing else touches. */
        th_stack_check(guest->stack);
        if (ended) { /* else a call is live on it: not to be swept */
            th_stack_idle(guest->stack);
        }
    }
    if (ended && th_rare(guest->engine->env, TH_POINT_STACKS_SWEPT)) {
        th_engine_trim(guest->engine);
    }
    return ended;
}

/* Ends the call that is parked between two deliveries. It is not entered for
 * that: on its way out it would look at the epoch, and give way again. */
static void leave_loop(struct th_guest *guest)
{
    struct th_guest *outer = th_guest_current;
    th_guest_current = guest;
    wasmtime_call_future_delete(guest->future);
    th_guest_current = outer;
    guest->future = NULL;
    guest->parked = false;
}

enum th_guest_state th_guest_state(const struct th_guest *guest)
{
    switch ((enum th_pause)guest->pause) {
    case TH_PAUSE_IDLE:
        return guest->slice_over ? TH_GUEST_YIELDED : TH_GUEST_IDLE;
    case TH_PAUSE_WAIT:
        /* Nobody is there to wake one that waits by WASI: it asks. */
        return guest->import->fn == NULL && guest->hooks->wake_at == NULL
                   ? TH_GUEST_YIELDED
                   : TH_GUEST_WAITING;
    case TH_PAUSE_NONE:
        break;
    }
    return TH_GUEST_YIELDED;
}

/* A module that takes no deliveries has no loop that asks for them. What is
 * there all the same, as data on a channel that it opened, is declined by its
 * handler, or here. */
static void decline_all(struct th_guest *guest)
{
    if (guest->module->entries_len == 0) {
        (void)th_deliver_next(guest); /* there is no entry for any */
    }
}

enum th_guest_state th_guest_enter(struct th_guest *guest,
                                   enum th_guest_entry entry,
                                   const char *stop_reason,
                                   theater_error_t *err)
{
    TH_CHECK(!guest->dead);
    if (guest->component != NULL) {
        return th_component_enter(guest, entry, stop_reason, err);
    }
    const wasmtime_func_t *func = NULL;
    guest->slice_over = false;
    if (guest->parked && entry == TH_ENTER_STOP) {
        leave_loop(guest);
    }
    if (guest->future == NULL) {
        func = function_of(guest, entry, stop_reason);
        if (func == NULL) {
            decline_all(guest);
            return TH_GUEST_IDLE;
        }
        guest->until_ask =
            th_rare(guest->engine->env, TH_POINT_ASK_SOON) ? 1 : TH_ASK_EVERY;
        guest->future =
            wasmtime_func_call_async(guest->context, func, NULL, 0, NULL, 0,
                                     &guest->trap, &guest->error);
    } else {
        guest->reentered = true;
        guest->last = th_limits_clock(guest);
    }
    if (!th_guest_run(guest, func != NULL)) {
        return th_guest_state(guest);
    }
    if (guest->trap != NULL || guest->error != NULL ||
        guest->why_status != THEATER_OK || guest->exited) {
        return th_guest_die(guest, err);
    }
    decline_all(guest);
    return guest->slice_over ? TH_GUEST_YIELDED : TH_GUEST_IDLE;
}
