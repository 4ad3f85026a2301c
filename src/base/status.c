/* SPDX-License-Identifier: Apache-2.0 */
/* Design notes. Names and sentences come from the one table of status.h; a
 * status that is missing there cannot be printed, and none can be forgotten
 * here. th_error fills what the caller owns, so that saying why never fails. */
#include "base/base.h"

#include <stdarg.h>
#include <stdio.h>

static const char *const names[THEATER_STATUS_COUNT] = {
#define STATUS_NAME(code, NAME, name, text) [code] = (name),
    THEATER_STATUS_TABLE(STATUS_NAME)
#undef STATUS_NAME
};

static const char *const texts[THEATER_STATUS_COUNT] = {
#define STATUS_TEXT(code, NAME, name, text) [code] = (text),
    THEATER_STATUS_TABLE(STATUS_TEXT)
#undef STATUS_TEXT
};

const char *theater_status_name(theater_status_t status)
{
    unsigned code = (unsigned)status;
    return code < THEATER_STATUS_COUNT ? names[code] : "unknown";
}

const char *theater_status_text(theater_status_t status)
{
    unsigned code = (unsigned)status;
    return code < THEATER_STATUS_COUNT ? texts[code] : "No such status.";
}

/* Ends `text`, of which `wanted` bytes were to be written, at its size; a
 * character that was cut in two goes whole. */
static void cut(char *text, size_t size, size_t wanted)
{
    if (wanted < size) {
        return;
    }
    size_t len = size - 1;
    size_t start = len; /* of the last character */
    while (start > 0 && len - start < 4) {
        start--;
        if (((unsigned char)text[start] & 0xC0u) != 0x80u) {
            break;
        }
    }
    if (!th_utf8_ok((const uint8_t *)text + start, len - start)) {
        len = start;
    }
    text[len] = '\0';
}

theater_status_t th_error(theater_error_t *err, theater_status_t status,
                          const char *origin, const char *format, ...)
{
    if (err == NULL) {
        return status;
    }
    err->status = status;
    int wanted = snprintf(err->origin, sizeof(err->origin), "%s",
                          origin != NULL ? origin : "");
    TH_CHECK(wanted >= 0);
    cut(err->origin, sizeof(err->origin), (size_t)wanted);

    va_list args;
    va_start(args, format);
    wanted = vsnprintf(err->text, sizeof(err->text), format, args);
    va_end(args);
    TH_CHECK(wanted >= 0);
    cut(err->text, sizeof(err->text), (size_t)wanted);
    return status;
}
