/* SPDX-License-Identifier: Apache-2.0 */
/* Books each message that its handlers are entered with as "out DATA", and
 * fails often: by a trap or by stopping itself, as the number says. */
#include <theater/actor.h>

static char line_buffer[64];

static void book(theater_bytes_t data)
{
    theater_text_t text = theater_text(line_buffer, sizeof line_buffer);
    theater_add(&text, "out ");
    theater_add_bytes(&text, data);
    theater_log(THEATER_LEVEL_INFO, theater_text_bytes(&text));
}

static void perhaps_fail(theater_bytes_t data)
{
    uint64_t number = 0;
    size_t end = 2;
    while (end < data.len && data.data[end] != ' ') {
        end++;
    }
    theater_parse_u64(theater_bytes(data.data + 2, end - 2), &number);
    if (number % 397 == 31) {
        __builtin_trap();
    }
    if (number % 601 == 77) {
        theater_stop(theater_str("as the number says"));
    }
}

THEATER_HANDLE_SEND(data)
{
    book(data);
    perhaps_fail(data);
}

THEATER_HANDLE_REQUEST(data)
{
    book(data);
    perhaps_fail(data);
    return theater_answer(data);
}
