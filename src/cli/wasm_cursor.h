/* SPDX-License-Identifier: Apache-2.0 */
/* A cursor over the bytes of a file that fails for good when it would leave
 * them, so that reading code checks once, at its end. */
#ifndef TH_CLI_WASM_CURSOR_H
#define TH_CLI_WASM_CURSOR_H

#include "cli/wasm_wit.h"

struct cursor {
    const uint8_t *data; /* of the file */
    size_t at;           /* next byte */
    size_t end;          /* behind the last */
    bool failed;         /* it ended early, or what stood there is unknown */
};

static inline uint8_t take_byte(struct cursor *cursor)
{
    if (cursor->failed || cursor->at >= cursor->end) {
        cursor->failed = true;
        return 0;
    }
    return cursor->data[cursor->at++];
}

/* LEB128 of at most `bits`; signed ones come as their lowest bits. */
static inline uint64_t take_leb(struct cursor *cursor, unsigned bits)
{
    uint64_t value = 0;
    for (unsigned shift = 0; shift < bits; shift += 7) {
        uint8_t byte = take_byte(cursor);
        value |= (uint64_t)(byte & 0x7f) << shift;
        if ((byte & 0x80) == 0) {
            return value;
        }
    }
    cursor->failed = true;
    return 0;
}

static inline uint32_t take_number(struct cursor *cursor)
{
    return (uint32_t)take_leb(cursor, 32);
}

static inline struct wasm_slice take_slice(struct cursor *cursor)
{
    struct wasm_slice slice = {NULL, 0};
    uint32_t len = take_number(cursor);
    if (cursor->failed || len > cursor->end - cursor->at) {
        cursor->failed = true;
        return slice;
    }
    slice.data = cursor->data + cursor->at;
    slice.len = len;
    cursor->at += len;
    return slice;
}

#endif
