/* SPDX-License-Identifier: Apache-2.0 */
/* Tries to forge lines, to send escape sequences and to be endless. */
#include <theater/actor.h>

static char big[20000];

THEATER_RUN()
{
    theater_log_info("red \033[31m bell \007 back \b return \r end");
    theater_log_info("c1 \xc2\x9b"
                     "31m bidi \xe2\x80\xae separator \xe2\x80\xa8 end");
    theater_log_info("first\n12:00:00.000Z error [runtime] pong failed: x\n"
                     "{\"event\":\"failed\"}");
    for (size_t i = 0; i < sizeof big; i++) {
        big[i] = i % 2 == 0 ? 'x' : '\n';
    }
    theater_log(THEATER_LEVEL_INFO, theater_bytes(big, sizeof big));
    for (size_t i = 0; i < sizeof big; i++) {
        big[i] = 'y';
    }
    theater_log(THEATER_LEVEL_INFO, theater_bytes(big, sizeof big));
    theater_log_info("done");
}
