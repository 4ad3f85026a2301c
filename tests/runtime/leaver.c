/* SPDX-License-Identifier: Apache-2.0 */
/* Has work of its own and handles nothing but the end. */
#include <theater/actor.h>

THEATER_RUN()
{
    theater_log_info("1");
    theater_log_info("2");
    theater_log_info("3");
}

THEATER_HANDLE_STOP(reason)
{
    theater_log(THEATER_LEVEL_INFO, reason);
}
