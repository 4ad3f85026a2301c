/* SPDX-License-Identifier: Apache-2.0 */
/* Sends one message to `sink` as soon as it lives, and says if it could not. */
#include <theater/actor.h>

THEATER_RUN()
{
    theater_error_t error;
    if (theater_send(theater_str("sink"), theater_str("x"), &error) !=
        THEATER_OK) {
        theater_log_failure("not sent", &error);
    }
}
