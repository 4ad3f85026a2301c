/* SPDX-License-Identifier: Apache-2.0 */
/* What flows through the pipeline: one message for each line, and an empty
 * one at the end. The name of the next stage is a stage's initial state. */
#ifndef PIPELINE_H
#define PIPELINE_H

#include <theater/actor.h>

/* Hands `data` to the next stage; waits while that one's mailbox is full. */
static inline void pass_on(theater_bytes_t data)
{
    theater_bytes_t next;
    theater_error_t error;
    if (theater_initial_state(&next) &&
        theater_send(next, data, &error) != THEATER_OK) {
        theater_log_failure("the next stage does not take it", &error);
        theater_stop(theater_str("pipeline broken"));
    }
}

/* Logs "what: number". */
static inline void say_number(const char *what, uint64_t number)
{
    char line[64];
    theater_text_t text = theater_text(line, sizeof line);
    theater_add(&text, what);
    theater_add(&text, ": ");
    theater_add_u64(&text, number);
    theater_log(THEATER_LEVEL_INFO, theater_text_bytes(&text));
}

#endif
