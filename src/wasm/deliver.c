/* SPDX-License-Identifier: Apache-2.0 */
/* Design notes
 *
 * The host's side of the loop module: `recv` ends the delivery before and
 * gets the next, `take` copies its arguments to where cabi_realloc said (or
 * `recv` itself, where the guest says where there is room),
 * `result` takes what the export answered. A delivery that has no result ends
 * at the next `recv`; one that has ends in `result`, before cabi_post_ frees
 * what the result points to. */
#include "wasm/internal.h"

void th_deliver_end(struct th_guest *guest, theater_status_t status)
{
    theater_delivery_t *delivery = guest->delivery;
    guest->delivery = NULL;
    delivery->status = status;
    guest->hooks->done(guest->ctx, guest->delivery_grant, delivery);
}

/* In line in this file. */
static inline theater_delivery_t *next(struct th_guest *guest)
{
    const struct th_module *module = guest->module;
    for (;;) {
        size_t grant = 0;
        theater_delivery_t *delivery = NULL;
        if (guest->hooks->next(guest->ctx, &grant, &delivery) != THEATER_OK) {
            return NULL;
        }
        guest->delivery = delivery;
        guest->delivery_grant = grant;
        int entry = -1;
        if (TH_LIKELY(grant < module->grants_len &&
                      delivery->export_index < TH_MAX_EXPORTS)) {
            entry = module->entry_of[grant][delivery->export_index];
        }
        if (TH_LIKELY(entry >= 0)) {
            guest->entry = &module->entries[entry];
            return delivery;
        }
        th_deliver_end(guest, THEATER_UNSUPPORTED);
    }
}

theater_delivery_t *th_deliver_next(struct th_guest *guest)
{
    return next(guest);
}

/* No delivery: the loop ends, or parks. */
static int32_t nothing(struct th_guest *guest)
{
    bool ends = guest->rounds < TH_ROUNDS;
    guest->rounds = (uint8_t)(guest->rounds + (ends ? 1 : 0));
    if (th_rare(guest->engine->env, TH_POINT_END_OR_PARK)) {
        ends = !ends;
    }
    if (ends) {
        return -1;
    }
    guest->parked = true;
    th_guest_park(guest, TH_PAUSE_IDLE);
    return -2;
}

__attribute__((cold, noinline)) static wasm_trap_t *
too_large(struct th_guest *guest, size_t len)
{
    return th_trap(guest, THEATER_LIMIT,
                   "memory: %zu bytes are more than a guest can have", len);
}

/* Shows the arguments of the common shape, and copies them where there is
 * room: all else in `show`. */
static inline wasm_trap_t *show_plain(struct th_guest *guest,
                                      const theater_bytes_t *bytes,
                                      wasmtime_val_raw_t *v)
{
    size_t len = bytes->len;
    if (TH_UNLIKELY(len > INT32_MAX)) {
        return too_large(guest, len);
    }
    v[1].i32 = (int32_t)len;
    uint32_t given = guest->arena != 0 ? th_guest_room(guest, len) : 0;
    if (TH_UNLIKELY(given == 0)) {
        guest->barred = "from inside cabi_realloc";
    } else {
        th_copy(guest->memory.base + given, bytes->data, len);
    }
    if (guest->module->has_arena) {
        v[1 + guest->module->values].i32 = (int32_t)given;
    }
    return NULL;
}

/* All arguments at once, one behind the other; false: there is no room. */
static bool fill(struct th_guest *guest, const struct th_entry *entry,
                 wasmtime_val_raw_t *v)
{
    const theater_delivery_t *delivery = guest->delivery;
    uint64_t size = 0;
    for (size_t i = 0; i < entry->values; i++) {
        size += entry->allocates[i] ? delivery->args[i].bytes.len : 0;
    }
    uint32_t given = th_guest_room(guest, size);
    if (TH_UNLIKELY(given == 0)) {
        return false;
    }
    uint8_t *to = guest->memory.base + given;
    for (size_t i = 0; i < entry->values; i++) {
        const theater_bytes_t *bytes = &delivery->args[i].bytes;
        if (entry->allocates[i] && bytes->len > 0) {
            th_copy(to, bytes->data, bytes->len);
            to += bytes->len;
        }
    }
    v[1 + guest->module->values].i32 = (int32_t)given;
    return true;
}

__attribute__((noinline)) static wasm_trap_t *show(struct th_guest *guest,
                                                   const struct th_entry *entry,
                                                   wasmtime_val_raw_t *v)
{
    for (size_t i = 0; i < entry->values; i++) {
        const theater_value_t *arg = &guest->delivery->args[i];
        if (!entry->allocates[i]) {
            v[1 + i].i32 = (int32_t)arg->u32;
        } else if (TH_UNLIKELY(arg->bytes.len > INT32_MAX)) {
            return too_large(guest, arg->bytes.len);
        } else {
            v[1 + i].i32 = (int32_t)arg->bytes.len;
        }
    }
    if (guest->module->has_arena) {
        v[1 + guest->module->values].i32 = 0;
    }
    if (entry->pointers > 0 && !(guest->arena != 0 && fill(guest, entry, v))) {
        guest->barred = "from inside cabi_realloc";
    }
    return NULL;
}

wasm_trap_t *th_deliver_arena(void *env, wasmtime_caller_t *caller,
                              wasmtime_val_raw_t *v, size_t len)
{
    (void)env;
    (void)caller;
    (void)len;
    struct th_guest *guest = th_guest_current;
    guest->arena =
        th_rare(guest->engine->env, TH_POINT_NO_ROOM) ? 0 : (uint32_t)v[0].i32;
    return NULL;
}

/* What the entry does not have of v[1] and behind stays what it is: the loop
 * does not look at it. */
wasm_trap_t *th_deliver_recv(void *env, wasmtime_caller_t *caller,
                             wasmtime_val_raw_t *v, size_t len)
{
    struct th_guest *guest = th_guest_current;
    (void)env;
    (void)caller;
    (void)len;
    if (guest->delivery != NULL) {
        th_deliver_end(guest, THEATER_OK);
    }
    guest->barred = NULL;
    if (TH_UNLIKELY(--guest->until_ask == 0)) {
        guest->until_ask =
            th_rare(guest->engine->env, TH_POINT_ASK_SOON) ? 1 : TH_ASK_EVERY;
        guest->slice_over = guest->hooks->should_yield(guest->ctx);
    }
    theater_delivery_t *delivery = guest->slice_over ? NULL : next(guest);
    if (delivery == NULL) {
        v[0].i32 = nothing(guest);
        return NULL;
    }
    const struct th_entry *entry = guest->entry;
    guest->phase = TH_PHASE_DELIVERY;
    guest->memory_refused = false;
    th_limits_begin(guest, guest->delivery_limit);
    wasm_trap_t *trap = TH_LIKELY(entry->plain)
                            ? show_plain(guest, &delivery->args[0].bytes, v)
                            : show(guest, entry, v);
    v[0].i32 = entry->index;
    return trap;
}

__attribute__((cold)) static wasm_trap_t *bad_room(struct th_guest *guest,
                                                   uint32_t at, size_t len)
{
    return th_trap(guest, THEATER_TRAPPED,
                   "cabi_realloc answered 0x%x for %zu bytes: out of bounds",
                   at, len);
}

wasm_trap_t *th_deliver_take(void *env, wasmtime_caller_t *caller,
                             wasmtime_val_raw_t *v, size_t len)
{
    struct th_guest *guest = th_guest_current;
    const theater_delivery_t *delivery = guest->delivery;
    (void)env;
    (void)caller;
    (void)len;
    const struct th_entry *entry = guest->entry;
    guest->barred = NULL;
    for (size_t i = 0; i < entry->values; i++) {
        if (!entry->allocates[i]) {
            continue;
        }
        const theater_bytes_t *bytes = &delivery->args[i].bytes;
        uint32_t at = (uint32_t)(v++)->i32;
        if (bytes->len == 0) {
            continue;
        }
        uint8_t *to = th_guest_at(guest, at, bytes->len);
        if (TH_UNLIKELY(to == NULL)) {
            return bad_room(guest, at, bytes->len);
        }
        th_copy(to, bytes->data, bytes->len);
    }
    return NULL;
}

/* result<list<u8>, string>, at `at`. */
static wasm_trap_t *take_reply(struct th_guest *guest, uint32_t at)
{
    theater_delivery_t *delivery = guest->delivery;
    const uint8_t *from = th_guest_at(guest, at, 12);
    if (from == NULL || at % 4 != 0 || from[0] > 1) {
        return th_trap(guest, THEATER_TRAPPED,
                       "the answer at 0x%x is out of bounds, not aligned or "
                       "no result",
                       at);
    }
    uint32_t data_at = th_get32(from + 4), data_len = th_get32(from + 8);
    const uint8_t *data = th_guest_at(guest, data_at, data_len);
    if (data == NULL) {
        return th_trap(guest, THEATER_TRAPPED,
                       "the answer's %u bytes at 0x%x are out of bounds",
                       data_len, data_at);
    }
    bool failed = from[0] == 1;
    if (failed && data_len > TH_MAX_TEXT) {
        data_len = th_cut_text(data);
    }
    if (failed && !th_text_ok(data, data_len)) {
        return th_trap(guest, THEATER_TRAPPED,
                       "the answer's error is not valid UTF-8");
    }
    delivery->result.bytes = (theater_bytes_t){data, data_len};
    th_deliver_end(guest, failed ? THEATER_FAILED : THEATER_OK);
    return NULL;
}

wasm_trap_t *th_deliver_result(void *env, wasmtime_caller_t *caller,
                               wasmtime_val_raw_t *v, size_t len)
{
    struct th_guest *guest = th_guest_current;
    theater_delivery_t *delivery = guest->delivery;
    (void)env;
    (void)caller;
    (void)len;
    if (guest->entry->type->result == THEATER_TYPE_REPLY) {
        return take_reply(guest, (uint32_t)v[0].i32);
    }
    delivery->result.u32 = v[0].i32 != 0;
    th_deliver_end(guest, THEATER_OK);
    return NULL;
}

wasm_trap_t *th_deliver_stop(void *env, wasmtime_caller_t *caller,
                             wasmtime_val_raw_t *v, size_t len)
{
    struct th_guest *guest = th_guest_current;
    (void)env;
    (void)caller;
    (void)len;
    guest->barred = "from inside cabi_realloc";
    v[0].i32 = (int32_t)guest->stop_reason.len;
    return NULL;
}

wasm_trap_t *th_deliver_stopped(void *env, wasmtime_caller_t *caller,
                                wasmtime_val_raw_t *v, size_t len)
{
    struct th_guest *guest = th_guest_current;
    (void)env;
    (void)caller;
    (void)len;
    guest->barred = NULL;
    uint32_t at = (uint32_t)v[0].i32;
    size_t size = guest->stop_reason.len;
    uint8_t *to = th_guest_at(guest, at, size);
    if (to == NULL) {
        return bad_room(guest, at, size);
    }
    if (size > 0) {
        memcpy(to, guest->stop_reason.data, size);
    }
    return NULL;
}
