/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Design notes. An id is a letter for its kind and 16 lower-case hexadecimal
 * digits. One id has one text: nothing else is accepted, so that two texts
 * never mean the same and a channel's id never passes for a request's. That a
 * guest may guess one does not matter: the router checks that the caller is a
 * party to what the id names.
 */
#include "handlers/message_server/server.h"

void th_id_write(char kind, uint64_t value, char out[static TH_ID_TEXT])
{
    static const char digits[] = "0123456789abcdef";
    out[0] = kind;
    for (int i = TH_ID_TEXT - 1; i > 0; i--) {
        out[i] = digits[value & 15];
        value >>= 4;
    }
}

bool th_id_read(char kind, theater_bytes_t text, uint64_t *out_value)
{
    if (text.len != TH_ID_TEXT || text.data[0] != (uint8_t)kind) {
        return false;
    }
    uint64_t value = 0;
    for (size_t i = 1; i < TH_ID_TEXT; i++) {
        uint8_t c = text.data[i];
        unsigned digit;
        if (c >= '0' && c <= '9') {
            digit = c - (unsigned)'0';
        } else if (c >= 'a' && c <= 'f') {
            digit = c - (unsigned)'a' + 10;
        } else {
            return false;
        }
        value = value << 4 | digit;
    }
    *out_value = value;
    return true;
}
