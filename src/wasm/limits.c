/* SPDX-License-Identifier: Apache-2.0 */
/* Design notes
 *
 * A limit counts computing: what passes between entering the guest (or the
 * beginning of the delivery) and leaving it, never what it waits. That is
 * the time of the wall while a worker is in the guest, so that an endless loop
 * ends in time on a machine with too much to do as well. The clock is the
 * ticker's, in milliseconds; in a simulation it is fuel, one unit per
 * nanosecond. The epoch callback comes at each tick, on the guest's stack: it
 * ends the guest, makes it give way, or lets it go on; it comes, too, when a
 * guest parks, and then does nothing but give way. While a guest is made
 * it has a limit of its own (start_ns) and does not give way. In a simulation
 * the guest gives way each TH_FUEL_SLICE, and enter.c asks the same questions.
 */
#include "wasm/internal.h"

static const uint64_t all_fuel = (uint64_t)1 << 62;
/* A simulated guest looks at the epoch to park, and for nothing else. */
static const uint64_t no_epoch = (uint64_t)1 << 62;

/* Ticks, or fuel, that have passed; only differences mean something. */
uint64_t th_limits_clock(const struct th_guest *guest)
{
    if (!guest->engine->fuel) {
        return th_ticker_now(&guest->engine->ticker);
    }
    uint64_t left = 0;
    wasmtime_error_t *error = wasmtime_context_get_fuel(guest->context, &left);
    if (error != NULL) {
        wasmtime_error_delete(error);
    }
    return all_fuel - left;
}

uint64_t th_limits_units(const struct th_guest *guest, uint64_t ns)
{
    if (ns == THEATER_NEVER || guest->engine->fuel) {
        return ns;
    }
    /* Two more: the tick under way has begun before the guest has, and the
     * ticker may be late. */
    return ns / TH_TICK_NS + 2;
}

void th_limits_init(struct th_guest *guest)
{
    guest->delivery_limit = th_limits_units(guest, guest->delivery_ns);
    guest->run_limit = th_limits_units(guest, guest->run_ns);
    wasmtime_store_epoch_deadline_callback(guest->store, th_limits_tick, guest,
                                           NULL);
    wasmtime_context_set_epoch_deadline(guest->context,
                                        guest->engine->fuel ? no_epoch : 1);
    if (!guest->engine->fuel) {
        return;
    }
    wasmtime_error_t *error =
        wasmtime_context_set_fuel(guest->context, all_fuel);
    if (error == NULL) {
        error = wasmtime_context_fuel_async_yield_interval(guest->context,
                                                           TH_FUEL_SLICE);
    }
    TH_CHECK(error == NULL); /* the configuration counts fuel */
}

/* Counts what was computed up to now; true: the limit is reached. */
bool th_limits_spent(struct th_guest *guest)
{
    uint64_t now = th_limits_clock(guest);
    guest->used += now - guest->last;
    guest->last = now;
    return guest->limit != THEATER_NEVER && guest->used > guest->limit;
}

const char *th_limits_name(const struct th_guest *guest)
{
    switch ((enum th_phase)guest->phase) {
    case TH_PHASE_INIT:
        return guest->start_ns < guest->run_ns ? "start_time" : "run_time";
    case TH_PHASE_RUN:
        return "run_time";
    default:
        return "delivery_time";
    }
}

void th_limits_broken(struct th_guest *guest)
{
    static const char *const where[] = {
        [TH_PHASE_INIT] = "its start",
        [TH_PHASE_RUN] = "`run`",
        [TH_PHASE_DELIVERY] = "a handler",
        [TH_PHASE_STOP] = "`handle-stop`",
    };
    uint64_t ns = guest->delivery_ns;
    if (guest->phase == TH_PHASE_INIT) {
        ns = guest->start_ns;
    } else if (guest->phase == TH_PHASE_RUN) {
        ns = guest->run_ns;
    }
    wasm_trap_t *trap =
        th_trap(guest, THEATER_LIMIT, "%s: %s computed for more than %llu ms",
                th_limits_name(guest), where[guest->phase],
                (unsigned long long)(ns / 1000000));
    wasm_trap_delete(trap);
}

/* While it is made it can't be left and entered again: who asks it to stop
 * is heard here alone. */
static bool must_end(struct th_guest *guest)
{
    const struct th_guest_hooks *hooks = guest->hooks;
    if (hooks->is_ending == NULL || !hooks->is_ending(guest->ctx)) {
        return false;
    }
    wasm_trap_delete(th_trap(guest, THEATER_CLOSED,
                             "asked to stop while it was being made"));
    return true;
}

wasmtime_error_t *th_limits_tick(wasmtime_context_t *context, void *data,
                                 uint64_t *out_delta,
                                 wasmtime_update_deadline_kind_t *out_kind)
{
    struct th_guest *guest = data;
    (void)context;
    *out_delta = guest->engine->fuel ? no_epoch : 1;
    if (guest->parks) {
        guest->parks = false;
        *out_kind = WASMTIME_UPDATE_DEADLINE_YIELD;
        return NULL;
    }
    th_ticker_arm(&guest->engine->ticker);
    *out_kind = WASMTIME_UPDATE_DEADLINE_CONTINUE;
    if (th_limits_spent(guest)) {
        th_limits_broken(guest);
        return wasmtime_error_new("limit");
    }
    if (guest->phase == TH_PHASE_INIT) {
        return must_end(guest) ? wasmtime_error_new("ending") : NULL;
    }
    if (guest->hooks->should_yield(guest->ctx)) {
        *out_kind = WASMTIME_UPDATE_DEADLINE_YIELD;
    }
    return NULL;
}
