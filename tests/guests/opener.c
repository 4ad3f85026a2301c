/* SPDX-License-Identifier: Apache-2.0 */
/* Exports `run` and nothing else, and opens a channel to "peer": it hears
 * nothing of what comes on it. */
#include <theater/actor.h>

THEATER_RUN()
{
    theater_bytes_t channel;
    (void)theater_open_channel(theater_str("peer"), theater_str("?"), &channel,
                               NULL);
}
