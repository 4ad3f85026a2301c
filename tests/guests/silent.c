/* SPDX-License-Identifier: Apache-2.0 */
/* Exports `run` and nothing else: it accepts no message, no request and no
 * channel. Says "here" and stays. */
#include <theater/actor.h>

THEATER_RUN()
{
    theater_log_info("here");
}
