/* SPDX-License-Identifier: Apache-2.0 */
/* Never comes to be: loops in `_initialize`. */
#include <theater/actor.h>

static volatile uint32_t turns;

TH_EXPORT("_initialize") void initialize(void);
void initialize(void)
{
    for (;;) {
        turns = turns + 1;
    }
}

THEATER_HANDLE_SEND(data)
{
    (void)data;
}
