/* SPDX-License-Identifier: Apache-2.0 */
/* Says "tick" every 20 ms, for ever. */
#include <theater/actor.h>

static void again(void)
{
    theater_bytes_t name = theater_self_name();
    theater_send_after(name, theater_str("tick"), 20, NULL, NULL);
}

THEATER_RUN()
{
    again();
}

THEATER_HANDLE_SEND(data)
{
    theater_log(THEATER_LEVEL_INFO, data);
    again();
}
