/* SPDX-License-Identifier: Apache-2.0 */
/* For each message that it gets, it sends two to the actor that its initial
 * state names, or to itself. A request answers "ACCEPTED REFUSED". */
#include <theater/actor.h>

static uint64_t accepted;
static uint64_t refused;
static char text_buffer[48];

THEATER_HANDLE_SEND(data)
{
    theater_bytes_t to;
    if (!theater_initial_state(&to)) {
        to = theater_self_name();
    }
    for (int i = 0; i < 2; i++) {
        if (theater_send(to, data, NULL) == THEATER_OK) {
            accepted++;
        } else {
            refused++;
        }
    }
}

THEATER_HANDLE_REQUEST(data)
{
    (void)data;
    theater_text_t text = theater_text(text_buffer, sizeof text_buffer);
    theater_add_u64(&text, accepted);
    theater_add(&text, " ");
    theater_add_u64(&text, refused);
    return theater_answer(theater_text_bytes(&text));
}
