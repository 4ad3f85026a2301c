/* SPDX-License-Identifier: Apache-2.0 */
/* Rounds of the conservation oracle under the seeded scheduler. */
#ifndef CONSERVE_SIMULATE_H
#define CONSERVE_SIMULATE_H

#include "world.h"

/* Seeds `seed`, `seed` + 1, ...; `work` WORKLOADS: what each seed says. False:
 * something is not 0, or differs between two runs, and the seed was said. */
bool simulate_run(uint64_t seed, uint64_t seeds, enum workload work,
                  enum plant plant, struct total *total);

#endif
