/* SPDX-License-Identifier: Apache-2.0 */
/* Design notes
 *
 * A host function's `begin`: takes the guest's core values apart into the
 * views of theater_call_t, calls the handler, writes what it answered. The
 * marshaller is one function over the two type lists, always inlined: the
 * shapes that are called a million times a second get a copy of their own, in
 * which the lists are constants and every branch on them is gone; the others
 * share the copy that reads the lists. Answers 0 when all is done, 1 when the
 * guest must wait, 2 when the result is still to be written (text.c); for a
 * function without a wrapper, the result itself.
 *
 * Runs on the guest's stack: no recursion, small frames. Pointers are checked
 * with 64-bit arithmetic and are views of the memory as it is now; nothing
 * here makes it grow. */
#include "wasm/internal.h"

#define TH_INLINE static inline __attribute__((always_inline))

__attribute__((cold)) wasm_trap_t *th_barred(struct th_guest *guest,
                                             const struct th_import *import)
{
    return th_trap(guest, THEATER_TRAPPED, "`%s` was called %s", import->name,
                   guest->barred);
}

__attribute__((cold)) static wasm_trap_t *
bad_pointer(struct th_guest *guest, const struct th_import *import, uint32_t at,
            uint32_t len)
{
    return th_trap(guest, THEATER_TRAPPED,
                   "`%s`: %u bytes at 0x%x are out of bounds (memory has %llu "
                   "bytes)",
                   import->name, len, at,
                   (unsigned long long)guest->memory.size);
}

__attribute__((cold)) static wasm_trap_t *
bad_text(struct th_guest *guest, const struct th_import *import)
{
    return th_trap(guest, THEATER_TRAPPED, "`%s`: a string is not valid UTF-8",
                   import->name);
}

__attribute__((cold, noinline)) uint32_t th_cut_text(const uint8_t *data)
{
    uint32_t len = TH_MAX_TEXT;
    for (unsigned i = 0; i < 3 && (data[len] & 0xC0) == 0x80; i++) {
        len--;
    }
    return len;
}

/* One string or list of bytes; NULL: fine. No host function wants more of a
 * string than TH_MAX_TEXT, and what is behind is not looked at: a call takes a
 * bounded time however large the guest's memory is. */
TH_INLINE wasm_trap_t *lift_bytes(struct th_guest *guest,
                                  const struct th_import *import, bool is_text,
                                  uint32_t at, uint32_t len,
                                  theater_bytes_t *out)
{
    const uint8_t *data = th_guest_at(guest, at, len);
    if (TH_UNLIKELY(data == NULL)) {
        return bad_pointer(guest, import, at, len);
    }
    if (is_text) {
        if (TH_UNLIKELY(len > TH_MAX_TEXT)) {
            len = th_cut_text(data);
        }
        if (TH_UNLIKELY(!th_text_ok(data, len))) {
            return bad_text(guest, import);
        }
    }
    out->data = data;
    out->len = len;
    return NULL;
}

/* The items of a list may overlap, so that a small list names any number of
 * bytes: their sum is bounded, before any of them is looked at. */
static wasm_trap_t *check_sum(struct th_guest *guest,
                              const struct th_import *import, bool is_text,
                              const uint8_t *pairs, uint32_t len)
{
    uint64_t sum = 0, most = TH_MAX_LIST_TEXT;
    if (!is_text) {
        most = guest->memory.size > TH_MAX_LIST_BYTES ? guest->memory.size
                                                      : TH_MAX_LIST_BYTES;
    }
    for (uint32_t i = 0; i < len; i++) {
        uint32_t item = th_get32(pairs + 8 * i + 4);
        /* One that is past the memory's end is told as that. */
        if (th_guest_at(guest, th_get32(pairs + 8 * i), item) != NULL) {
            sum += item;
        }
    }
    if (sum > most) {
        return th_trap(guest, THEATER_TRAPPED,
                       "`%s`: the items of a list have %llu bytes, and may "
                       "have %llu in all",
                       import->name, (unsigned long long)sum,
                       (unsigned long long)most);
    }
    return NULL;
}

__attribute__((noinline)) static wasm_trap_t *
lift_list(struct th_guest *guest, const struct th_import *import, bool is_text,
          uint32_t at, uint32_t len, theater_value_t *out)
{
    const uint8_t *pairs = th_guest_at(guest, at, (uint64_t)len * 8);
    if (pairs == NULL || at % 4 != 0) {
        return bad_pointer(guest, import, at, len);
    }
    if (len > TH_MAX_LIST) {
        return th_trap(guest, THEATER_TRAPPED,
                       "`%s`: a list of %u items is too long (%d at most)",
                       import->name, len, (int)TH_MAX_LIST);
    }
    if (guest->list != NULL) {
        return th_trap(guest, THEATER_BUG, "`%s` takes two lists",
                       import->name);
    }
    wasm_trap_t *too_much = check_sum(guest, import, is_text, pairs, len);
    if (too_much != NULL) {
        return too_much;
    }
    theater_bytes_t *items =
        th_alloc(guest->engine->env, (len > 0 ? len : 1) * sizeof *items);
    if (items == NULL) {
        return th_trap(guest, THEATER_OUT_OF_MEMORY, "`%s`: out of memory",
                       import->name);
    }
    guest->list = items;
    for (uint32_t i = 0; i < len; i++) {
        wasm_trap_t *trap =
            lift_bytes(guest, import, is_text, th_get32(pairs + 8 * i),
                       th_get32(pairs + 8 * i + 4), &items[i]);
        if (trap != NULL) {
            return trap;
        }
    }
    out->list.items = items;
    out->list.len = len;
    return NULL;
}

__attribute__((cold)) static wasm_trap_t *
bad_index(struct th_guest *guest, const struct th_import *import)
{
    return th_trap(guest, THEATER_TRAPPED,
                   "`%s`: an argument is not a case of its type", import->name);
}

/* One parameter; *io_v moves past its core values. */
TH_INLINE wasm_trap_t *lift(struct th_guest *guest,
                            const struct th_import *import, theater_type_t type,
                            const wasmtime_val_raw_t **io_v,
                            theater_value_t *out)
{
    const wasmtime_val_raw_t *v = *io_v;
    bool is_text =
        type == THEATER_TYPE_STRING || type == THEATER_TYPE_OPTION_STRING;
    switch (type) {
    case THEATER_TYPE_BOOL:
        *io_v = v + 1;
        out->u32 = v[0].i32 != 0;
        return NULL;
    case THEATER_TYPE_ENUM:
    case THEATER_TYPE_U32:
        *io_v = v + 1;
        out->u32 = (uint32_t)v[0].i32;
        if (type == THEATER_TYPE_ENUM &&
            TH_UNLIKELY(out->u32 >= THEATER_LEVELS)) {
            return bad_index(guest, import);
        }
        return NULL;
    case THEATER_TYPE_U64:
        *io_v = v + 1;
        out->u64 = (uint64_t)v[0].i64;
        return NULL;
    case THEATER_TYPE_STRING:
    case THEATER_TYPE_BYTES:
        *io_v = v + 2;
        return lift_bytes(guest, import, is_text, (uint32_t)v[0].i32,
                          (uint32_t)v[1].i32, &out->bytes);
    case THEATER_TYPE_STRING_LIST:
    case THEATER_TYPE_BYTES_LIST:
        *io_v = v + 2;
        return lift_list(guest, import, type == THEATER_TYPE_STRING_LIST,
                         (uint32_t)v[0].i32, (uint32_t)v[1].i32, out);
    default: /* an option */
        *io_v = v + 3;
        out->bytes = (theater_bytes_t){NULL, 0};
        if (v[0].i32 == 0) {
            return NULL;
        }
        return v[0].i32 != 1
                   ? bad_index(guest, import)
                   : lift_bytes(guest, import, is_text, (uint32_t)v[1].i32,
                                (uint32_t)v[2].i32, &out->bytes);
    }
}

/* Written out: a loop would not be unrolled, and the types not be constants. */
TH_INLINE wasm_trap_t *lift_all(struct th_guest *guest,
                                const struct th_import *import,
                                const theater_type_t *params,
                                const wasmtime_val_raw_t **io_v)
{
    theater_value_t *args = guest->call.args;
    wasm_trap_t *trap = NULL;
    _Static_assert(THEATER_MAX_PARAMS == 3, "one line for each");
    if (params[0] != THEATER_TYPE_NONE) {
        trap = lift(guest, import, params[0], io_v, &args[0]);
        if (trap == NULL && params[1] != THEATER_TYPE_NONE) {
            trap = lift(guest, import, params[1], io_v, &args[1]);
            if (trap == NULL && params[2] != THEATER_TYPE_NONE) {
                trap = lift(guest, import, params[2], io_v, &args[2]);
            }
        }
    }
    return trap;
}

__attribute__((cold)) static wasm_trap_t *
bad_answer(struct th_guest *guest, const struct th_import *import)
{
    return th_trap(guest, THEATER_BUG, "`%s` answered what it must not",
                   import->name);
}

/* The result of a function that is not wrapped, or of a wrapped one whose
 * `begin` answered at once. v[0] is the answer to wasm. */
TH_INLINE wasm_trap_t *answer(struct th_guest *guest,
                              const struct th_import *import,
                              theater_type_t result, wasmtime_val_raw_t *v,
                              uint32_t at)
{
    if (!import->wrapped) {
        if (result == THEATER_TYPE_U64) {
            v[0].i64 = (int64_t)guest->call.result.u64;
        } else if (result != THEATER_TYPE_NONE) {
            v[0].i32 = (int32_t)guest->call.result.u32;
        }
        th_call_end(guest);
        return NULL;
    }
    if (result == THEATER_TYPE_RESULT_NONE &&
        TH_LIKELY(guest->call.status == THEATER_OK)) {
        guest->memory.base[at] = 0; /* in bounds: it was checked */
        th_call_end(guest);
        v[0].i32 = 0;
        return NULL;
    }
    int left = th_lower_begin(guest, at);
    if (left < 0) {
        return th_trap(guest, THEATER_TRAPPED, NULL);
    }
    v[0].i32 = left;
    return NULL;
}

TH_INLINE wasm_trap_t *begin(void *env, wasmtime_val_raw_t *v,
                             const theater_type_t *params,
                             theater_type_t result)
{
    const struct th_import *import = env;
    struct th_guest *guest = th_guest_current;
    theater_call_t *call = &guest->call;
    const wasmtime_val_raw_t *from = v;
    uint32_t at = 0;
    if (TH_UNLIKELY(guest->barred != NULL)) {
        return th_barred(guest, import);
    }
    wasm_trap_t *trap = lift_all(guest, import, params, &from);
    if (TH_UNLIKELY(trap != NULL)) {
        return trap;
    }
    if (th_result_by_pointer(result)) {
        /* Before anything happens, not when it is written. */
        uint32_t size = th_result_size(result);
        at = (uint32_t)from[0].i32;
        if (TH_UNLIKELY(th_guest_at(guest, at, size) == NULL || at % 4 != 0)) {
            return bad_pointer(guest, import, at, size);
        }
    }
    call->instance = guest->instances[import->grant];
    call->status = THEATER_OK;
    call->message = NULL;
    guest->import = import;
    guest->calling = true;
    guest->reentered = false;
    theater_status_t status = import->fn->begin(call);
    if (TH_UNLIKELY(guest->list != NULL)) {
        th_free(guest->engine->env, guest->list);
        guest->list = NULL;
    }
    if (TH_LIKELY(status == THEATER_OK)) {
        return answer(guest, import, result, v, at);
    }
    guest->lowering.at = at;
    if (status != THEATER_PENDING || import->fn->resume == NULL) {
        return bad_answer(guest, import);
    }
    /* From here on it is cancelled, however the guest ends: also before it
     * comes to wait. */
    guest->waiting = true;
    guest->resumed = false;
    v[0].i32 = 1;
    return NULL;
}

void th_call_drop(struct th_guest *guest)
{
    if (guest->waiting && guest->import->fn != NULL) {
        guest->calling = false;
        if (guest->import->fn->cancel != NULL) {
            guest->import->fn->cancel(&guest->call);
        }
    }
    guest->waiting = false;
    if (guest->calling) {
        th_call_end(guest);
    }
    th_free(guest->engine->env, guest->list);
    guest->list = NULL;
}

void th_call_end(struct th_guest *guest)
{
    guest->calling = false;
    if (guest->import->fn != NULL && guest->import->fn->release != NULL) {
        guest->import->fn->release(&guest->call);
    }
}

static wasm_trap_t *begin_any(void *env, wasmtime_caller_t *caller,
                              wasmtime_val_raw_t *v, size_t len)
{
    const struct th_import *import = env;
    (void)caller;
    (void)len;
    return begin(env, v, import->fn->params, import->fn->result);
}

/* send: (string, bytes) -> result<_, error> */
static wasm_trap_t *begin_send(void *env, wasmtime_caller_t *caller,
                               wasmtime_val_raw_t *v, size_t len)
{
    static const theater_type_t params[THEATER_MAX_PARAMS] = {
        THEATER_TYPE_STRING, THEATER_TYPE_BYTES, THEATER_TYPE_NONE};
    (void)caller;
    (void)len;
    return begin(env, v, params, THEATER_TYPE_RESULT_NONE);
}

/* request: (string, bytes) -> result<list<u8>, error> */
static wasm_trap_t *begin_request(void *env, wasmtime_caller_t *caller,
                                  wasmtime_val_raw_t *v, size_t len)
{
    static const theater_type_t params[THEATER_MAX_PARAMS] = {
        THEATER_TYPE_STRING, THEATER_TYPE_BYTES, THEATER_TYPE_NONE};
    (void)caller;
    (void)len;
    return begin(env, v, params, THEATER_TYPE_RESULT_BYTES);
}

wasmtime_func_unchecked_callback_t
th_call_begin(const theater_host_function_t *fn)
{
    if (fn->params[0] == THEATER_TYPE_STRING &&
        fn->params[1] == THEATER_TYPE_BYTES &&
        fn->params[2] == THEATER_TYPE_NONE) {
        if (fn->result == THEATER_TYPE_RESULT_NONE) {
            return begin_send;
        }
        if (fn->result == THEATER_TYPE_RESULT_BYTES) {
            return begin_request;
        }
    }
    return begin_any;
}
