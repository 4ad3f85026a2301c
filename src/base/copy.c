/* SPDX-License-Identifier: Apache-2.0 */
/* Design notes. From 4 KiB on (8 KiB with AVX-512) glibc's memcpy is one
 * `rep movsb`, which some processors are slow at: an AMD EPYC moved 1.7 GB/s of
 * messages of 64 KiB between native actors, and 10 to 17 with this; shorter
 * copies are loops of vectors everywhere. */
#include "base/base.h"

enum { PIECE = 2048 };

void th_copy_long(uint8_t *to, const uint8_t *from, size_t len)
{
    size_t piece = PIECE;
    /* Nothing that the compiler knows: it would write `rep movsq` here. */
    __asm__("" : "+r"(piece));
    for (; len > piece; len -= piece) {
        memcpy(to, from, piece);
        to += piece;
        from += piece;
    }
    memcpy(to, from, len);
}
