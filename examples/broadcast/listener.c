/* SPDX-License-Identifier: Apache-2.0 */
/* Says what it hears and from whom; goes home at "good night". */
#include <theater/actor.h>

THEATER_HANDLE_SEND(data)
{
    theater_bytes_t from = theater_str("somebody");
    theater_sender(&from);

    char line[128];
    theater_text_t text = theater_text(line, sizeof line);
    theater_add_bytes(&text, from);
    theater_add(&text, " says: ");
    theater_add_bytes(&text, data);
    theater_log(THEATER_LEVEL_INFO, theater_text_bytes(&text));

    if (theater_equal(data, theater_str("good night"))) {
        theater_stop(theater_str("gone home"));
    }
}
