/* SPDX-License-Identifier: Apache-2.0 */
/* A counter that is read and written by requests: "get" answers its value,
 * "set N" sets it, "add N" adds. */
#include <theater/actor.h>

static uint64_t balance;
static char buffer[24];

THEATER_HANDLE_REQUEST(data)
{
    uint64_t value = 0;
    if (data.len > 4) {
        theater_parse_u64(theater_bytes(data.data + 4, data.len - 4), &value);
    }
    switch (data.len > 0 ? data.data[0] : 0) {
    case 's':
        balance = value;
        break;
    case 'a':
        balance += value;
        break;
    default:
        break;
    }
    theater_text_t text = theater_text(buffer, sizeof buffer);
    theater_add_u64(&text, balance);
    return theater_answer(theater_text_bytes(&text));
}
