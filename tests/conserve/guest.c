/* SPDX-License-Identifier: Apache-2.0 */
/* A guest of the torture program: says what it got, in hexadecimal digits, so
 * that the ledger outside can check it, and traps when the message asks so. */
#include <theater/actor.h>

enum { NOTE = 7, NOTE_TRAP = 0xee, HEADER = 32, MOST = 256 };

static char line[2 * MOST];

static void say(theater_bytes_t data)
{
    static const char digits[] = "0123456789abcdef";
    size_t len = data.len < MOST ? data.len : MOST;
    for (size_t i = 0; i < len; i++) {
        line[2 * i] = digits[data.data[i] >> 4];
        line[2 * i + 1] = digits[data.data[i] & 15];
    }
    theater_log(THEATER_LEVEL_INFO, theater_bytes(line, 2 * len));
    if (data.len > NOTE && data.data[NOTE] == NOTE_TRAP) {
        __builtin_trap();
    }
}

THEATER_HANDLE_SEND(data)
{
    say(data);
}

THEATER_HANDLE_REQUEST(data)
{
    say(data);
    return theater_answer(
        theater_bytes(data.data, data.len < HEADER ? data.len : HEADER));
}
