/* SPDX-License-Identifier: Apache-2.0 */
/* Answers a request with its own data, and a message with a message. The
 * smallest actor of the benchmark: the one that is spawned 100,000 times. */
#include <theater/actor.h>

THEATER_HANDLE_REQUEST(data)
{
    return theater_answer(data);
}

THEATER_HANDLE_SEND(data)
{
    theater_bytes_t from;
    if (theater_sender(&from)) {
        theater_send(from, data, NULL);
    }
}
