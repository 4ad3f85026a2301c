/* SPDX-License-Identifier: Apache-2.0 */
/* The default environment's memory from mimalloc: messages are freed on other
 * threads than those that made them, which it is good at. */
#ifndef TH_BASE_ENV_ALLOC_MIMALLOC_H
#define TH_BASE_ENV_ALLOC_MIMALLOC_H

#include <mimalloc.h>

static inline void *env_alloc(size_t size, size_t align)
{
    /* Blocks of 16 bytes and more are aligned to 16: the short way. */
    if (align <= 16 && size >= 16) {
        return mi_malloc(size);
    }
    return mi_malloc_aligned(size, align);
}

static inline void env_free(void *memory)
{
    mi_free(memory);
}

#endif
