/* SPDX-License-Identifier: Apache-2.0 */
/* Accepts every channel and exports nothing else of channels. */
#include <theater/actor.h>

THEATER_HANDLE_CHANNEL_OPEN(initiator, data)
{
    (void)initiator;
    (void)data;
    return true;
}
