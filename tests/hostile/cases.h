/* SPDX-License-Identifier: Apache-2.0 */
/* Hostile cases that are generated, not listed: each runs in an open cage and
 * answers how many there were. */
#ifndef TH_TESTS_HOSTILE_CASES_H
#define TH_TESTS_HOSTILE_CASES_H

#include <stddef.h>

size_t hostile_pointers(void);
size_t hostile_truncated(void);
size_t hostile_mutated(unsigned seed);
size_t hostile_modules(void);
size_t hostile_manifests(void);

/* Each actor beside the bystanders for `ms`, printed; answers how many took
 * more than a fifth of their rate or doubled the p99 of their answers. */
unsigned hostile_measure(unsigned ms, const char *only);

#endif
