/* SPDX-License-Identifier: Apache-2.0 */
/* What every fuzz target has: one function, and a reader of its bytes. */
#ifndef TH_FUZZ_FUZZ_H
#define TH_FUZZ_FUZZ_H

#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>

/* One input. What must hold is checked by FUZZ_CHECK; equal bytes do equal
 * things. */
void th_fuzz_one(const uint8_t *data, size_t size);

/* Ends the program, as a sanitizer's find does, in every kind of build. */
#define FUZZ_CHECK(condition)                                                  \
    do {                                                                       \
        if (!(condition)) {                                                    \
            fprintf(stderr, "%s:%d: does not hold: %s\n", __FILE__, __LINE__,  \
                    #condition);                                               \
            abort();                                                           \
        }                                                                      \
    } while (0)

struct fuzz_bytes {
    const uint8_t *at, *end;
};

static inline uint8_t fuzz_u8(struct fuzz_bytes *in)
{
    return in->at < in->end ? *in->at++ : 0;
}

static inline uint32_t fuzz_u32(struct fuzz_bytes *in)
{
    uint32_t value = 0;
    for (unsigned i = 0; i < 4; i++) {
        value = value << 8 | fuzz_u8(in);
    }
    return value;
}

#endif
