/* SPDX-License-Identifier: Apache-2.0 */
/* Greets whoever asks. One whose initial state names another actor asks that
 * one, and logs the answer. */
#include <theater/actor.h>

THEATER_HANDLE_REQUEST(data)
{
    char *line = theater_scratch(data.len + 7);
    theater_text_t text = theater_text(line, data.len + 7);
    theater_add(&text, "hello, ");
    theater_add_bytes(&text, data);
    return theater_answer(theater_text_bytes(&text));
}

THEATER_RUN()
{
    theater_bytes_t whom;
    theater_bytes_t answer;
    theater_error_t error;
    if (!theater_initial_state(&whom)) {
        return;
    }
    if (theater_request(whom, theater_self_name(), &answer, &error) !=
        THEATER_OK) {
        theater_log_failure("no answer", &error);
        return;
    }
    theater_log(THEATER_LEVEL_INFO, answer);
}
