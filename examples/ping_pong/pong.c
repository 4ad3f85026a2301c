/* SPDX-License-Identifier: Apache-2.0 */
/* Answers "ping N" with "pong N". */
#include <theater/actor.h>

THEATER_HANDLE_REQUEST(data)
{
    theater_log(THEATER_LEVEL_INFO, data);
    if (data.len < 4 ||
        !theater_equal(theater_bytes(data.data, 4), theater_str("ping"))) {
        return theater_fail(theater_str("I only know ping"));
    }
    char *answer = theater_scratch(data.len);
    theater_text_t text = theater_text(answer, data.len);
    theater_add(&text, "pong");
    theater_add_bytes(&text, theater_bytes(data.data + 4, data.len - 4));
    return theater_answer(theater_text_bytes(&text));
}
