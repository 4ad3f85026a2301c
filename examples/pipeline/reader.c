/* SPDX-License-Identifier: Apache-2.0 */
/* First stage: sends play.txt, which is built in, line by line. */
#include "pipeline.h"

#pragma clang diagnostic ignored "-Wc23-extensions"
static const uint8_t play[] = {
#embed "play.txt"
};

THEATER_RUN()
{
    uint64_t lines = 0;
    size_t start = 0;
    for (size_t i = 0; i < sizeof play; i++) {
        if (play[i] != '\n') {
            continue;
        }
        /* The newline goes along, so that only the end is empty. */
        theater_mark_t mark = theater_mark();
        pass_on(theater_bytes(play + start, i + 1 - start));
        theater_release(mark);
        start = i + 1;
        lines++;
    }
    say_number("lines read", lines);
    pass_on(theater_str(""));
    theater_stop(theater_str("end of the text"));
}
