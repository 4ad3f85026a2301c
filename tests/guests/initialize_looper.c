/* SPDX-License-Identifier: Apache-2.0 */
/* Loops in `_initialize`, before it is an actor. */
#include <theater/actor.h>

static volatile uint32_t turns;

TH_EXPORT("_initialize") void initialize(void);
void initialize(void)
{
    for (;;) {
        turns = turns + 1;
    }
}

THEATER_RUN()
{
    theater_log_error("run was reached");
}
