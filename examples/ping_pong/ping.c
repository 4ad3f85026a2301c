/* SPDX-License-Identifier: Apache-2.0 */
/* Asks pong three times, says what it hears, and ends. */
#include <theater/actor.h>

THEATER_RUN()
{
    for (uint32_t round = 1; round <= 3; round++) {
        char question[32];
        theater_text_t text = theater_text(question, sizeof question);
        theater_add(&text, "ping ");
        theater_add_u64(&text, round);

        theater_bytes_t answer;
        theater_error_t error;
        if (theater_request(theater_str("pong"), theater_text_bytes(&text),
                            &answer, &error) != THEATER_OK) {
            theater_log_failure("pong did not answer", &error);
            return;
        }
        theater_log(THEATER_LEVEL_INFO, answer);
    }
}
