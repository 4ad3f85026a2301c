/* SPDX-License-Identifier: Apache-2.0 */
/* The default environment's memory from libc: what sanitizers watch. */
#ifndef TH_BASE_ENV_ALLOC_LIBC_H
#define TH_BASE_ENV_ALLOC_LIBC_H

#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>

static inline void *env_alloc(size_t size, size_t align)
{
    if (align <= _Alignof(max_align_t)) {
        return malloc(size > 0 ? size : 1);
    }
    /* aligned_alloc wants a multiple of the alignment. */
    if (size > SIZE_MAX - align) {
        return NULL;
    }
    size_t rounded = (size + align - 1) & ~(align - 1);
    return aligned_alloc(align, rounded > 0 ? rounded : align);
}

static inline void env_free(void *memory)
{
    free(memory);
}

#endif
