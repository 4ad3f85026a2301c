/* SPDX-License-Identifier: Apache-2.0 */
/* Design notes
 *
 * Writes the result of a host function into the guest, by the canonical ABI:
 * first what has its place already (discriminants, numbers, error codes), then
 * what the guest must allocate, one piece after the other: `lower` answers
 * the size and alignment of the next piece, wasm calls cabi_realloc, and the
 * next call of `lower` brings the address, which is checked and filled. The
 * guest may not call imports in between (the canonical ABI says so, and
 * guest->call is in use), and its memory may have grown and moved: nothing
 * but offsets is kept over a step. */
#include "wasm/internal.h"

enum {
    LOWER_START,     /* the host function has answered; nothing written yet */
    LOWER_BYTES,     /* ask for room for `bytes` */
    LOWER_HAS_BYTES, /* asked: the address comes */
    LOWER_LIST,      /* ask for room for the list's pairs */
    LOWER_HAS_LIST,
    LOWER_ITEM, /* ask for room for item `next` */
    LOWER_HAS_ITEM,
    LOWER_CODES, /* ask for room for options of codes */
    LOWER_HAS_CODES,
    LOWER_DONE,
};

/* The guest's enum error-code: the statuses 1 to 14, less one. */
static uint8_t code_of(theater_status_t status)
{
    if (status >= THEATER_NOT_FOUND && status <= THEATER_UNREACHABLE) {
        return (uint8_t)(status - 1);
    }
    /* Memory of the host is a bound like the others. */
    return status == THEATER_OUT_OF_MEMORY ? THEATER_MAILBOX_FULL - 1
                                           : THEATER_FAILED - 1;
}

/* Sets the pair at `at` to `bytes`; what is empty needs no room. */
static void want_bytes(struct th_guest *guest, uint32_t at,
                       theater_bytes_t bytes, uint8_t kind)
{
    struct th_lowering *lowering = &guest->lowering;
    lowering->at = at;
    lowering->bytes = bytes;
    lowering->kind = kind;
}

static void lower_error(struct th_guest *guest, uint8_t *to, uint32_t at)
{
    const char *text = guest->call.message != NULL
                           ? guest->call.message
                           : theater_status_text(guest->call.status);
    to[0] = 1;
    to[4] = code_of(guest->call.status);
    want_bytes(guest, at + 8,
               (theater_bytes_t){(const uint8_t *)text, strlen(text)},
               LOWER_BYTES);
}

static void lower_list(struct th_guest *guest, uint32_t at)
{
    struct th_lowering *lowering = &guest->lowering;
    lowering->items = guest->call.result.list.items;
    lowering->len = guest->call.result.list.len;
    lowering->next = 0;
    lowering->at = at;
    lowering->kind = LOWER_LIST;
}

/* The part of a result that has its place; sets up what is to allocate. */
static void lower_fixed(struct th_guest *guest, uint8_t *to, uint32_t at)
{
    theater_call_t *call = &guest->call;
    bool ok = call->status == THEATER_OK;
    switch (guest->import->fn->result) {
    case THEATER_TYPE_STRING:
    case THEATER_TYPE_BYTES:
        want_bytes(guest, at, call->result.bytes, LOWER_BYTES);
        break;
    case THEATER_TYPE_OPTION_STRING:
    case THEATER_TYPE_OPTION_BYTES:
        to[0] = call->result.bytes.data != NULL;
        if (to[0] != 0) {
            want_bytes(guest, at + 4, call->result.bytes, LOWER_BYTES);
        }
        break;
    case THEATER_TYPE_STRING_LIST:
    case THEATER_TYPE_BYTES_LIST:
        lower_list(guest, at);
        break;
    case THEATER_TYPE_CODE_LIST:
        guest->lowering.at = at;
        guest->lowering.len = call->result.codes.len;
        guest->lowering.kind = LOWER_CODES;
        break;
    case THEATER_TYPE_OPTION_ERROR:
        to[0] = 0;
        if (!ok) {
            lower_error(guest, to, at);
        }
        break;
    case THEATER_TYPE_RESULT_NONE:
    case THEATER_TYPE_RESULT_U32:
    case THEATER_TYPE_RESULT_STRING:
    case THEATER_TYPE_RESULT_BYTES:
        to[0] = 0;
        if (!ok) {
            lower_error(guest, to, at);
        } else if (guest->import->fn->result == THEATER_TYPE_RESULT_U32) {
            th_put32(to + 4, call->result.u32);
        } else if (guest->import->fn->result != THEATER_TYPE_RESULT_NONE) {
            want_bytes(guest, at + 4, call->result.bytes, LOWER_BYTES);
        }
        break;
    default: /* a number: wasm asks flat32 or flat64 */
        break;
    }
}

/* Moves on to what must be allocated. True: there is something; *out_size and
 * *out_align. */
static bool next_piece(struct th_guest *guest, uint64_t *out_size,
                       uint32_t *out_align)
{
    struct th_lowering *lowering = &guest->lowering;
    uint64_t size = 0;
    *out_align = 1;
    for (;;) {
        uint8_t *to = NULL;
        switch (lowering->kind) {
        case LOWER_BYTES:
        case LOWER_ITEM:
            if (lowering->kind == LOWER_ITEM) {
                if (lowering->next == lowering->len) {
                    lowering->kind = LOWER_DONE;
                    continue;
                }
                lowering->bytes = lowering->items[lowering->next];
                lowering->at = lowering->list + 8 * (uint32_t)lowering->next;
                lowering->next++;
            }
            size = lowering->bytes.len;
            break;
        case LOWER_LIST:
            size = 8 * (uint64_t)lowering->len;
            *out_align = 4;
            break;
        case LOWER_CODES:
            size = 2 * (uint64_t)lowering->len;
            break;
        default:
            return false;
        }
        if (size > 0) {
            *out_size = size;
            lowering->kind++;
            return true;
        }
        /* Nothing: an address that is aligned and never looked at. */
        to = th_guest_at(guest, lowering->at, 8);
        th_put32(to, *out_align);
        th_put32(to + 4, 0);
        lowering->kind = lowering->kind == LOWER_ITEM ? LOWER_ITEM : LOWER_DONE;
    }
}

/* Where the guest says where there is room, one piece of bytes is written
 * without asking it. */
static void lower_at_once(struct th_guest *guest)
{
    struct th_lowering *lowering = &guest->lowering;
    size_t len = lowering->bytes.len;
    uint32_t given = len > 0 ? th_guest_room(guest, len) : 0;
    if (given != 0) {
        th_copy(guest->memory.base + given, lowering->bytes.data, len);
        uint8_t *pair = guest->memory.base + lowering->at;
        th_put32(pair, given);
        th_put32(pair + 4, (uint32_t)len);
        lowering->kind = LOWER_DONE;
    }
}

int th_lower_begin(struct th_guest *guest, uint32_t at)
{
    guest->lowering.kind = LOWER_DONE;
    if (guest->import->fn != NULL &&
        th_result_by_pointer(guest->import->fn->result)) {
        uint32_t size = th_result_size(guest->import->fn->result);
        uint8_t *to = th_guest_at(guest, at, size);
        if (to == NULL) {
            (void)th_trap(guest, THEATER_TRAPPED,
                          "`%s`: its result does not fit at 0x%x",
                          guest->import->name, at);
            return -1;
        }
        lower_fixed(guest, to, at);
    }
    if (guest->lowering.kind == LOWER_BYTES) {
        lower_at_once(guest);
    }
    /* An empty piece is written here too: then nothing is left to ask for. */
    if (guest->lowering.kind == LOWER_DONE) {
        th_call_end(guest);
        return 0;
    }
    return 2;
}

static bool fill(struct th_guest *guest, uint32_t given, uint64_t size)
{
    struct th_lowering *lowering = &guest->lowering;
    uint8_t *to = th_guest_at(guest, given, size);
    uint8_t *pair = th_guest_at(guest, lowering->at, 8);
    if (to == NULL || (lowering->kind == LOWER_HAS_LIST && given % 4 != 0)) {
        return false;
    }
    th_put32(pair, given);
    switch (lowering->kind) {
    case LOWER_HAS_LIST:
        th_put32(pair + 4, (uint32_t)lowering->len);
        lowering->list = given;
        lowering->kind = LOWER_ITEM;
        return true;
    case LOWER_HAS_CODES:
        th_put32(pair + 4, (uint32_t)lowering->len);
        for (size_t i = 0; i < lowering->len; i++) {
            theater_status_t status =
                (theater_status_t)guest->call.result.codes.items[i];
            to[2 * i] = status != THEATER_OK;
            to[2 * i + 1] = status != THEATER_OK ? code_of(status) : 0;
        }
        lowering->kind = LOWER_DONE;
        return true;
    default:
        th_put32(pair + 4, (uint32_t)lowering->bytes.len);
        th_copy(to, lowering->bytes.data, lowering->bytes.len);
        lowering->kind =
            lowering->kind == LOWER_HAS_ITEM ? LOWER_ITEM : LOWER_DONE;
        return true;
    }
}

static uint64_t asked_for(const struct th_lowering *lowering)
{
    switch (lowering->kind) {
    case LOWER_HAS_LIST:
        return 8 * (uint64_t)lowering->len;
    case LOWER_HAS_CODES:
        return 2 * (uint64_t)lowering->len;
    default:
        return lowering->bytes.len;
    }
}

wasm_trap_t *th_call_lower(void *env, wasmtime_caller_t *caller,
                           wasmtime_val_raw_t *v, size_t len)
{
    struct th_guest *guest = th_guest_current;
    struct th_lowering *lowering = &guest->lowering;
    uint32_t given = (uint32_t)v[0].i32;
    uint64_t size = 0;
    uint32_t align = 1;
    (void)env;
    (void)caller;
    (void)len;
    guest->barred = NULL;
    if (lowering->kind == LOWER_START &&
        th_lower_begin(guest, lowering->at) <= 0) {
        v[0].i64 = -1;
        return guest->calling ? th_trap(guest, THEATER_TRAPPED, NULL) : NULL;
    }
    bool has =
        lowering->kind == LOWER_HAS_BYTES || lowering->kind == LOWER_HAS_LIST ||
        lowering->kind == LOWER_HAS_ITEM || lowering->kind == LOWER_HAS_CODES;
    if (has && !fill(guest, given, asked_for(lowering))) {
        return th_trap(guest, THEATER_TRAPPED,
                       "cabi_realloc answered 0x%x for %llu bytes: out of "
                       "bounds or not aligned",
                       given, (unsigned long long)asked_for(lowering));
    }
    if (!next_piece(guest, &size, &align)) {
        th_call_end(guest);
        v[0].i64 = -1;
        return NULL;
    }
    if (!guest->may_allocate || size > UINT32_MAX) {
        return th_trap(guest, THEATER_TRAPPED,
                       "`%s` was called before cabi_realloc could be (from "
                       "the start function)",
                       guest->import->name);
    }
    guest->barred = "from inside cabi_realloc";
    v[0].i64 = (int64_t)((uint64_t)align << 32 | size);
    return NULL;
}
