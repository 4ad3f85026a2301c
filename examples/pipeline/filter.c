/* SPDX-License-Identifier: Apache-2.0 */
/* Second stage: drops blank lines and comments. */
#include "pipeline.h"

static uint64_t dropped;

THEATER_HANDLE_SEND(data)
{
    if (data.len == 0) {
        say_number("lines dropped", dropped);
        pass_on(data);
        theater_stop(theater_str("end of the text"));
    } else if (data.data[0] == '\n' || data.data[0] == '#') {
        dropped++;
    } else {
        pass_on(data);
    }
}
