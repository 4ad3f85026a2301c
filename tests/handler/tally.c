/* SPDX-License-Identifier: Apache-2.0 */
/* Counts the messages that it gets; a request answers how many. */
#include <theater/actor.h>

static uint64_t count;
static char buffer[24];

THEATER_HANDLE_SEND(data)
{
    (void)data;
    count++;
}

THEATER_HANDLE_REQUEST(data)
{
    (void)data;
    theater_text_t text = theater_text(buffer, sizeof buffer);
    theater_add_u64(&text, count);
    return theater_answer(theater_text_bytes(&text));
}
