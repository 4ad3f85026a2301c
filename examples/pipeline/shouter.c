/* SPDX-License-Identifier: Apache-2.0 */
/* Third stage: turns ASCII letters into capitals. */
#include "pipeline.h"

THEATER_HANDLE_SEND(data)
{
    char *loud = theater_scratch(data.len);
    for (size_t i = 0; i < data.len; i++) {
        char c = (char)data.data[i];
        loud[i] = c >= 'a' && c <= 'z' ? (char)(c - 'a' + 'A') : c;
    }
    pass_on(theater_bytes(loud, data.len));
    if (data.len == 0) {
        theater_log_info("voice is gone");
        theater_stop(theater_str("end of the text"));
    }
}
