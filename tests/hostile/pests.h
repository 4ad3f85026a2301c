/* SPDX-License-Identifier: Apache-2.0 */
/* The tables of pests.c and pure.c, by family. */
#ifndef TH_TESTS_HOSTILE_PESTS_H
#define TH_TESTS_HOSTILE_PESTS_H

#include "cage.h"

extern const struct hostile cage_identity[], cage_floods[], cage_exhaustion[];
extern const size_t cage_identity_len, cage_floods_len, cage_exhaustion_len;
extern const struct hostile cage_cpu[], cage_memory[], cage_stack[],
    cage_lies[];
extern const size_t cage_cpu_len, cage_memory_len, cage_stack_len,
    cage_lies_len;

#endif
