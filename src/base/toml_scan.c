/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Design notes. The whole text is checked once for NUL and invalid UTF-8
 * before anything is parsed: the parser proper may then copy bytes without
 * looking. Columns are counted in characters from the last place that was
 * asked for, so that a long line is not counted anew for each value in it.
 * Texts of errors show bytes of the file with control characters replaced: a
 * file must not send escapes to somebody's terminal.
 */
#include "toml_parser.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

/* Length of the UTF-8 sequence at `at`, 0 if it is not one. */
static size_t utf8_len(const unsigned char *at, const unsigned char *end)
{
    size_t left = (size_t)(end - at);
    if (at[0] < 0x80) {
        return 1;
    }
    size_t len = at[0] >= 0xF0 ? 4 : at[0] >= 0xE0 ? 3 : 2;
    if (at[0] < 0xC2 || at[0] > 0xF4 || left < len) {
        return 0;
    }
    for (size_t i = 1; i < len; i++) {
        if ((at[i] & 0xC0) != 0x80) {
            return 0;
        }
    }
    /* Overlong forms, surrogates and what is above U+10FFFF. */
    if ((at[0] == 0xE0 && at[1] < 0xA0) || (at[0] == 0xED && at[1] > 0x9F) ||
        (at[0] == 0xF0 && at[1] < 0x90) || (at[0] == 0xF4 && at[1] > 0x8F)) {
        return 0;
    }
    return len;
}

bool th_toml_check_text(struct th_toml_parser *p)
{
    const unsigned char *at = (const unsigned char *)p->begin;
    const unsigned char *end = (const unsigned char *)p->end;
    struct th_toml_place place = {1, 1};
    while (at < end) {
        size_t len = utf8_len(at, end);
        if (len == 0) {
            return th_toml_fail(p, place,
                                "byte 0x%02X is not UTF-8; save the file in "
                                "UTF-8",
                                at[0]);
        }
        if (*at == 0) {
            return th_toml_fail(p, place, "a NUL byte; is this a text file?");
        }
        if (*at == '\n') {
            place.line++;
            place.column = 1;
        } else {
            place.column++;
        }
        at += len;
    }
    return true;
}

struct th_toml_place th_toml_here(struct th_toml_parser *p)
{
    if (p->mark < p->line_start || p->mark > p->at) {
        p->mark = p->line_start;
        p->mark_column = 1;
    }
    while (p->mark < p->at) {
        p->mark_column += ((unsigned char)*p->mark & 0xC0) != 0x80;
        p->mark++;
    }
    struct th_toml_place place = {p->line, p->mark_column};
    return place;
}

/* `at` has just passed a line feed. */
void th_toml_newline(struct th_toml_parser *p)
{
    p->line++;
    p->line_start = p->at;
}

bool th_toml_fail(struct th_toml_parser *p, struct th_toml_place place,
                  const char *format, ...)
{
    va_list args;
    va_start(args, format);
    p->error.place = place;
    (void)vsnprintf(p->error.text, sizeof(p->error.text), format, args);
    va_end(args);
    return false;
}

bool th_toml_fail_memory(struct th_toml_parser *p)
{
    p->no_memory = true;
    return th_toml_fail(p, th_toml_here(p), "out of memory");
}

const char *th_toml_show(char out[static TH_TOML_SHOW], const char *data,
                         size_t len)
{
    const unsigned char *at = (const unsigned char *)data;
    const unsigned char *end = at + len;
    size_t used = 0;
    while (at < end) {
        size_t bytes = utf8_len(at, end);
        if (used + bytes > TH_TOML_SHOW - 4) {
            memcpy(out + used, "...", 3);
            used += 3;
            break;
        }
        bool control = bytes == 0 || *at < 0x20 || *at == 0x7F ||
                       (bytes == 2 && at[0] == 0xC2 && at[1] < 0xA0);
        if (control) {
            out[used++] = '?';
        } else {
            memcpy(out + used, at, bytes);
            used += bytes;
        }
        at += bytes == 0 ? 1 : bytes;
    }
    out[used] = '\0';
    return out;
}

const char *th_toml_show_char(char out[static 24],
                              const struct th_toml_parser *p)
{
    if (p->at == p->end) {
        return "the end of the file";
    }
    unsigned char byte = (unsigned char)*p->at;
    if (byte == '\n' || byte == '\r') {
        return "the end of the line";
    }
    if (byte < 0x20 || byte == 0x7F) {
        (void)snprintf(out, 24, "control character 0x%02X", byte);
        return out;
    }
    size_t len =
        utf8_len((const unsigned char *)p->at, (const unsigned char *)p->end);
    if (len == 2 && byte == 0xC2 && (unsigned char)p->at[1] < 0xA0) {
        return "a control character";
    }
    (void)snprintf(out, 24, "'%.*s'", (int)len, p->at);
    return out;
}

void th_toml_skip_blank(struct th_toml_parser *p)
{
    while (p->at < p->end && (*p->at == ' ' || *p->at == '\t')) {
        p->at++;
    }
}

/* Skips a line end if there is one; a bare carriage return is none. */
static bool skip_newline(struct th_toml_parser *p)
{
    if (p->at < p->end && *p->at == '\n') {
        p->at += 1;
    } else if (p->end - p->at >= 2 && p->at[0] == '\r' && p->at[1] == '\n') {
        p->at += 2;
    } else {
        return false;
    }
    th_toml_newline(p);
    return true;
}

/* Skips a comment up to its line end; true also where there is none. */
bool th_toml_skip_comment(struct th_toml_parser *p)
{
    if (p->at == p->end || *p->at != '#') {
        return true;
    }
    while (p->at < p->end && *p->at != '\n') {
        unsigned char byte = (unsigned char)*p->at;
        bool line_end = byte == '\r' && p->at + 1 < p->end && p->at[1] == '\n';
        if (line_end) {
            break;
        }
        if ((byte < 0x20 && byte != '\t') || byte == 0x7F) {
            return th_toml_fail(p, th_toml_here(p),
                                "control character 0x%02X in a comment; "
                                "remove it",
                                byte);
        }
        p->at++;
    }
    return true;
}

/* Skips blanks, comments and line ends. */
bool th_toml_skip_lines(struct th_toml_parser *p)
{
    do {
        th_toml_skip_blank(p);
        if (!th_toml_skip_comment(p)) {
            return false;
        }
    } while (skip_newline(p));
    return true;
}

/* What follows a header or a value must be the end of the line. */
bool th_toml_end_line(struct th_toml_parser *p, const char *after)
{
    char shown[24];
    th_toml_skip_blank(p);
    if (!th_toml_skip_comment(p)) {
        return false;
    }
    if (p->at == p->end || skip_newline(p)) {
        return true;
    }
    return th_toml_fail(p, th_toml_here(p),
                        "expected the end of the line after %s, found %s; "
                        "begin a line for it",
                        after, th_toml_show_char(shown, p));
}
