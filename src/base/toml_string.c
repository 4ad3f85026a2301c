/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Design notes. A string is read twice: once to find its end, then to decode
 * it into the arena. Decoded text is never longer than what was written, so
 * one allocation of the written length is enough. The first pass also counts
 * the lines; errors in the second are placed by counting again from the start
 * of the string, which happens once per parse.
 */
#include "toml_parser.h"

#include <string.h>

/* One string while it is decoded. */
struct quoted {
    char quote;                 /* the quoting character */
    bool raw;                   /* no escapes */
    bool multi;                 /* three quotes, may span lines */
    const char *begin;          /* first byte of the content */
    const char *end;            /* one past its last byte */
    struct th_toml_place place; /* of the content */
};

static size_t count_quotes(const struct th_toml_parser *p, char quote)
{
    size_t count = 0;
    while (p->at + count < p->end && p->at[count] == quote) {
        count++;
    }
    return count;
}

/* `at` is at a quote within a string of three quotes: is it the end? Up to
 * two quotes may stand directly before the three that end it. */
static bool multi_ends(struct th_toml_parser *p, struct quoted *q)
{
    size_t count = count_quotes(p, q->quote);
    if (count < 3) {
        p->at += count;
        return false;
    }
    if (count > 5) {
        count = 5;
    }
    p->at += count;
    q->end = p->at - 3;
    return true;
}

/* Passes one character of the content, or fails. */
static bool pass_char(struct th_toml_parser *p, const struct quoted *q)
{
    unsigned char byte = (unsigned char)*p->at;
    if (byte == '\n' && q->multi) {
        p->at++;
        th_toml_newline(p);
        return true;
    }
    bool line_end = byte == '\r' && p->at + 1 < p->end && p->at[1] == '\n';
    if (line_end && q->multi) {
        p->at++;
        return true;
    }
    if (byte == '\n' || line_end) {
        return th_toml_fail(p, th_toml_here(p),
                            "the string is not closed on its line; add %c",
                            q->quote);
    }
    if ((byte < 0x20 && byte != '\t') || byte == 0x7F) {
        return th_toml_fail(p, th_toml_here(p),
                            "control character 0x%02X in a string; write "
                            "\\u%04X in a string of double quotes",
                            byte, byte);
    }
    /* An escaped quote or backslash must not be taken for the end. */
    bool escaped = byte == '\\' && !q->raw && p->at + 1 < p->end &&
                   (p->at[1] == '"' || p->at[1] == '\\');
    p->at += escaped ? 2 : 1;
    return true;
}

/* Finds the end of the content; `at` then stands behind the string. */
static bool find_end(struct th_toml_parser *p, struct quoted *q,
                     struct th_toml_place start)
{
    while (p->at < p->end) {
        if (*p->at == q->quote) {
            if (!q->multi) {
                q->end = p->at++;
                return true;
            }
            if (multi_ends(p, q)) {
                return true;
            }
        } else if (!pass_char(p, q)) {
            return false;
        }
    }
    const char quotes[4] = {q->quote, q->multi ? q->quote : '\0',
                            q->multi ? q->quote : '\0', '\0'};
    return th_toml_fail(p, start, "the string is never closed; add %s", quotes);
}

static size_t put_utf8(char *out, uint32_t code)
{
    if (code < 0x80) {
        out[0] = (char)code;
        return 1;
    }
    if (code < 0x800) {
        out[0] = (char)(0xC0 | (code >> 6));
        out[1] = (char)(0x80 | (code & 0x3F));
        return 2;
    }
    if (code < 0x10000) {
        out[0] = (char)(0xE0 | (code >> 12));
        out[1] = (char)(0x80 | ((code >> 6) & 0x3F));
        out[2] = (char)(0x80 | (code & 0x3F));
        return 3;
    }
    out[0] = (char)(0xF0 | (code >> 18));
    out[1] = (char)(0x80 | ((code >> 12) & 0x3F));
    out[2] = (char)(0x80 | ((code >> 6) & 0x3F));
    out[3] = (char)(0x80 | (code & 0x3F));
    return 4;
}

/* The place of `at`, counted from the start of the content. */
static struct th_toml_place place_of(const struct quoted *q, const char *at)
{
    struct th_toml_place place = q->place;
    for (const char *c = q->begin; c < at; c++) {
        if (*c == '\n') {
            place.line++;
            place.column = 1;
        } else {
            place.column += ((unsigned char)*c & 0xC0) != 0x80;
        }
    }
    return place;
}

static int hex_digit(char c)
{
    if (c >= '0' && c <= '9') {
        return c - '0';
    }
    if (c >= 'a' && c <= 'f') {
        return c - 'a' + 10;
    }
    if (c >= 'A' && c <= 'F') {
        return c - 'A' + 10;
    }
    return -1;
}

/* \uXXXX and \UXXXXXXXX; `*from` is at the u. */
static bool decode_unicode(struct th_toml_parser *p, const struct quoted *q,
                           const char **from, char **to)
{
    const char *escape = *from - 1;
    int digits = **from == 'u' ? 4 : 8;
    const char *at = *from + 1;
    uint32_t code = 0;
    for (int i = 0; i < digits; i++, at++) {
        int digit = at < q->end ? hex_digit(*at) : -1;
        if (digit < 0) {
            return th_toml_fail(p, place_of(q, escape),
                                "\\%c needs %d hexadecimal digits", **from,
                                digits);
        }
        code = code << 4 | (uint32_t)digit;
    }
    if (code > 0x10FFFF || (code >= 0xD800 && code <= 0xDFFF)) {
        return th_toml_fail(p, place_of(q, escape),
                            "U+%04X is no Unicode character", (unsigned)code);
    }
    *to += put_utf8(*to, code);
    *from = at;
    return true;
}

/* A backslash at the end of a line: blanks and line ends up to the next
 * character go. `*from` is behind the backslash. */
static bool skip_fold(const struct quoted *q, const char **from)
{
    const char *at = *from;
    while (at < q->end && (*at == ' ' || *at == '\t')) {
        at++;
    }
    bool line_end =
        at < q->end &&
        (*at == '\n' || (*at == '\r' && at + 1 < q->end && at[1] == '\n'));
    if (!q->multi || !line_end) {
        return false;
    }
    while (at < q->end && strchr(" \t\r\n", *at) != NULL) {
        at++;
    }
    *from = at;
    return true;
}

/* One escape; `*from` is behind the backslash. */
static bool decode_escape(struct th_toml_parser *p, const struct quoted *q,
                          const char **from, char **to)
{
    static const char names[] = "btnfr\"\\";
    static const char values[] = "\b\t\n\f\r\"\\";
    char c = *from < q->end ? **from : '\0';
    const char *known = c == '\0' ? NULL : strchr(names, c);
    if (known != NULL) {
        *(*to)++ = values[known - names];
        (*from)++;
        return true;
    }
    if (c == 'u' || c == 'U') {
        return decode_unicode(p, q, from, to);
    }
    if (skip_fold(q, from)) {
        return true;
    }
    char shown[TH_TOML_SHOW];
    const char *next = *from < q->end ? *from + 1 : *from;
    while (next < q->end && ((unsigned char)*next & 0xC0) == 0x80) {
        next++;
    }
    return th_toml_fail(p, place_of(q, *from - 1),
                        "unknown escape \\%s; write \\\\ for a backslash, or "
                        "use a string of single quotes",
                        th_toml_show(shown, *from, (size_t)(next - *from)));
}

static bool decode(struct th_toml_parser *p, const struct quoted *q,
                   const char **out_data, size_t *out_len)
{
    char *data = th_toml_alloc(p->doc, (size_t)(q->end - q->begin) + 1);
    if (data == NULL) {
        return th_toml_fail_memory(p);
    }
    char *to = data;
    const char *from = q->begin;
    while (from < q->end) {
        if (*from != '\\' || q->raw) {
            *to++ = *from++;
            continue;
        }
        from++;
        if (!decode_escape(p, q, &from, &to)) {
            return false;
        }
    }
    *to = '\0';
    *out_data = data;
    *out_len = (size_t)(to - data);
    return true;
}

/* A line end directly behind the three opening quotes does not count. */
static void drop_first_line_end(struct quoted *q)
{
    ptrdiff_t left = q->end - q->begin;
    if (left >= 1 && q->begin[0] == '\n') {
        q->begin += 1;
    } else if (left >= 2 && q->begin[0] == '\r' && q->begin[1] == '\n') {
        q->begin += 2;
    } else {
        return;
    }
    q->place.line++;
    q->place.column = 1;
}

bool th_toml_string(struct th_toml_parser *p, bool may_span_lines,
                    const char **out_data, size_t *out_len)
{
    struct th_toml_place start = th_toml_here(p);
    struct quoted q = {.quote = *p->at, .raw = *p->at == '\''};
    q.multi = count_quotes(p, q.quote) >= 3;
    if (q.multi && !may_span_lines) {
        return th_toml_fail(p, start,
                            "a key can't be a string of three quotes; use "
                            "one");
    }
    p->at += q.multi ? 3 : 1;
    q.begin = p->at;
    q.place = th_toml_here(p);
    if (!find_end(p, &q, start)) {
        return false;
    }
    if (q.multi) {
        drop_first_line_end(&q);
    }
    return decode(p, &q, out_data, out_len);
}
