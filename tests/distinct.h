/* SPDX-License-Identifier: Apache-2.0 */
/* How many values differ: of the hashes of seeded runs. */
#ifndef TH_TESTS_DISTINCT_H
#define TH_TESTS_DISTINCT_H

#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>

static inline int distinct_compare(const void *a, const void *b)
{
    uint64_t left = *(const uint64_t *)a;
    uint64_t right = *(const uint64_t *)b;
    return left < right ? -1 : left > right;
}

/* Sorts them. */
static inline size_t distinct_count(uint64_t *values, size_t len)
{
    size_t distinct = 0;
    qsort(values, len, sizeof *values, distinct_compare);
    for (size_t i = 0; i < len; i++) {
        distinct += i == 0 || values[i] != values[i - 1];
    }
    return distinct;
}

#endif
