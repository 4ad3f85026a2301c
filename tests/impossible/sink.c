/* SPDX-License-Identifier: Apache-2.0 */
/* Counts what it is sent, and works a little for each; a request answers how
 * many there were. */
#include <theater/actor.h>

static uint64_t count;
static volatile uint32_t work;
static char buffer[24];

THEATER_HANDLE_SEND(data)
{
    (void)data;
    for (int i = 0; i < 1000; i++) {
        work = work + 1;
    }
    count++;
}

THEATER_HANDLE_REQUEST(data)
{
    (void)data;
    theater_text_t text = theater_text(buffer, sizeof buffer);
    theater_add_u64(&text, count);
    return theater_answer(theater_text_bytes(&text));
}
