/* SPDX-License-Identifier: Apache-2.0 */
/* Rounds at moderate load for a long time, in one process, whose memory,
 * descriptors and threads must stay what they are. */
#ifndef CONSERVE_SOAK_H
#define CONSERVE_SOAK_H

#include "world.h"

/* False: it grew, or a round failed, and it was said which. */
bool soak_run(uint64_t seed, uint64_t seconds, enum plant plant,
              struct total *total);

/* Of a clock that never goes back. */
uint64_t seconds_now(void);

#endif
