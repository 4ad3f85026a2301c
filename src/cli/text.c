/* SPDX-License-Identifier: Apache-2.0 */
/* Design notes: growing text, escapes for terminals, JSON. Whatever an actor,
 * a file or an argument holds goes to people through cli_add_escaped, and to
 * programs through the JSON functions: neither can send a terminal's escape
 * sequence or begin a line of its own. Nothing here fails in the middle: a
 * text without memory says `failed` at its end. */
#include "cli/cli.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

/* --- Growing ------------------------------------------------------------- */

void cli_text_init(struct cli_text *text, const theater_env_t *env)
{
    *text = (struct cli_text){.env = env};
}

void cli_text_fini(struct cli_text *text)
{
    text->env->free(text->env->ctx, text->data);
    cli_text_init(text, text->env);
}

static bool reserve(struct cli_text *text, size_t more)
{
    if (text->failed || text->cut) {
        return false;
    }
    if (text->limit != 0 && more > text->limit - text->len) {
        text->cut = true;
        return false;
    }
    if (more < text->capacity - text->len) {
        return true;
    }
    size_t capacity = text->capacity == 0 ? 256 : text->capacity;
    while (capacity - text->len <= more) {
        capacity *= 2;
    }
    char *data = text->env->alloc(text->env->ctx, capacity, 16);
    if (data == NULL) {
        text->failed = true;
        return false;
    }
    if (text->len > 0) {
        memcpy(data, text->data, text->len);
    }
    text->env->free(text->env->ctx, text->data);
    text->data = data;
    text->capacity = capacity;
    return true;
}

void cli_add_bytes(struct cli_text *text, const void *data, size_t len)
{
    if (reserve(text, len)) {
        if (len > 0) {
            memcpy(text->data + text->len, data, len);
        }
        text->len += len;
        text->data[text->len] = '\0';
    }
}

void cli_add(struct cli_text *text, const char *string)
{
    cli_add_bytes(text, string, strlen(string));
}

static void add_list(struct cli_text *text, const char *format, va_list list)
{
    va_list again;
    va_copy(again, list);
    int len = vsnprintf(NULL, 0, format, again);
    va_end(again);
    if (len >= 0 && reserve(text, (size_t)len)) {
        vsnprintf(text->data + text->len, (size_t)len + 1, format, list);
        text->len += (size_t)len;
    }
}

void cli_add_format(struct cli_text *text, const char *format, ...)
{
    va_list list;
    va_start(list, format);
    add_list(text, format, list);
    va_end(list);
}

void cli_add_plural(struct cli_text *text, uint64_t count, const char *what)
{
    if (count == 0) {
        cli_add_format(text, "no %ss", what);
    } else {
        cli_add_format(text, "%llu %s%s", (unsigned long long)count, what,
                       count == 1 ? "" : "s");
    }
}

/* --- Characters ---------------------------------------------------------- */

/* The length of the well-formed UTF-8 sequence at `data`, 0 when there is
 * none. */
static size_t sequence(const uint8_t *data, size_t len, uint32_t *out_code)
{
    uint8_t first = data[0];
    size_t size = first < 0x80    ? 1
                  : first < 0xc2  ? 0
                  : first < 0xe0  ? 2
                  : first < 0xf0  ? 3
                  : first <= 0xf4 ? 4
                                  : 0;
    if (size == 0 || size > len) {
        return 0;
    }
    uint32_t code = size == 1 ? first : first & (0x7fU >> size);
    for (size_t i = 1; i < size; i++) {
        if ((data[i] & 0xc0) != 0x80) {
            return 0;
        }
        code = code << 6 | (data[i] & 0x3fU);
    }
    static const uint32_t least[] = {0, 0, 0x80, 0x800, 0x10000};
    if (code < least[size] || code > 0x10ffff ||
        (code >= 0xd800 && code <= 0xdfff)) {
        return 0;
    }
    *out_code = code;
    return size;
}

/* What ends a line, moves the cursor or turns text round. */
static bool is_control(uint32_t code)
{
    return code < 0x20 || (code >= 0x7f && code < 0xa0) || code == 0x61c ||
           code == 0x200e || code == 0x200f ||
           (code >= 0x2028 && code <= 0x202e) ||
           (code >= 0x2066 && code <= 0x2069) || code == 0xfeff ||
           (code >= 0xfff9 && code <= 0xfffb) ||
           (code >= 0xe0000 && code <= 0xe007f);
}

size_t cli_printable(const uint8_t *data, size_t len, size_t *out_skip,
                     uint32_t *out_code)
{
    uint32_t code = UINT32_MAX;
    size_t size = sequence(data, len, &code);
    *out_code = code;
    *out_skip = size != 0 ? size : 1;
    return size != 0 && !is_control(code) ? size : 0;
}

bool cli_utf8_ok(const void *data, size_t len)
{
    uint32_t code;
    for (size_t at = 0; at < len;) {
        size_t size = sequence((const uint8_t *)data + at, len - at, &code);
        if (size == 0) {
            return false;
        }
        at += size;
    }
    return true;
}

static void add_escape(struct cli_text *text, uint8_t byte, uint32_t code)
{
    if (code == '\n') {
        cli_add(text, "\\n");
    } else if (code == '\t') {
        cli_add(text, "\\t");
    } else if (code == '\r') {
        cli_add(text, "\\r");
    } else if (code < 0x80 || code == UINT32_MAX) {
        cli_add_format(text, "\\x%02x", byte);
    } else if (code < 0x10000) {
        cli_add_format(text, "\\u%04x", code);
    } else {
        cli_add_format(text, "\\U%08x", code);
    }
}

void cli_add_escaped(struct cli_text *text, const void *data, size_t len)
{
    const uint8_t *bytes = data;
    size_t skip;
    uint32_t code;
    for (size_t at = 0; at < len;) {
        size_t run = at, size;
        while (run < len && (size = cli_printable(bytes + run, len - run, &skip,
                                                  &code)) > 0) {
            run += size;
        }
        cli_add_bytes(text, bytes + at, run - at);
        if (run < len) {
            add_escape(text, bytes[run], code);
            run += skip;
        }
        at = run;
    }
}

/* --- JSON ---------------------------------------------------------------- */

static void begin_item(struct cli_text *text, const char *name)
{
    char last = text->len > 0 ? text->data[text->len - 1] : '\n';
    if (last != '{' && last != '[' && last != '\n') {
        cli_add(text, ",");
    }
    if (name != NULL) {
        cli_add_format(text, "\"%s\":", name);
    }
}

void cli_json_object(struct cli_text *text, const char *name)
{
    begin_item(text, name);
    cli_add(text, "{");
}

void cli_json_list(struct cli_text *text, const char *name)
{
    begin_item(text, name);
    cli_add(text, "[");
}

void cli_json_end(struct cli_text *text, char bracket)
{
    cli_add_bytes(text, &bracket, 1);
}

/* A control character as JSON escapes it; others above U+FFFF as a pair. */
static void add_json_escape(struct cli_text *text, uint32_t code)
{
    if (code == UINT32_MAX) {
        cli_add(text, "\\ufffd");
    } else if (code == '\n') {
        cli_add(text, "\\n");
    } else if (code >= 0x10000) {
        code -= 0x10000;
        cli_add_format(text, "\\u%04x\\u%04x", 0xd800 + (code >> 10),
                       0xdc00 + (code & 0x3ff));
    } else {
        cli_add_format(text, "\\u%04x", code);
    }
}

void cli_json_bytes(struct cli_text *text, const char *name, const void *data,
                    size_t len)
{
    const uint8_t *bytes = data;
    size_t skip;
    uint32_t code;
    begin_item(text, name);
    if (bytes == NULL) {
        cli_add(text, "null");
        return;
    }
    cli_add(text, "\"");
    for (size_t at = 0; at < len; at += skip) {
        if (cli_printable(bytes + at, len - at, &skip, &code) == 0) {
            add_json_escape(text, code);
        } else if (code == '"' || code == '\\') {
            cli_add_format(text, "\\%c", (int)code);
        } else {
            cli_add_bytes(text, bytes + at, skip);
        }
    }
    cli_add(text, "\"");
}

void cli_json_string(struct cli_text *text, const char *name,
                     const char *string)
{
    cli_json_bytes(text, name, string, string != NULL ? strlen(string) : 0);
}

void cli_json_base64(struct cli_text *text, const char *name, const void *data,
                     size_t len)
{
    static const char digits[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZ"
                                 "abcdefghijklmnopqrstuvwxyz0123456789+/";
    const uint8_t *bytes = data;
    begin_item(text, name);
    cli_add(text, "\"");
    for (size_t at = 0; at < len; at += 3) {
        size_t left = len - at < 3 ? len - at : 3;
        uint32_t group = (uint32_t)bytes[at] << 16;
        group |= left > 1 ? (uint32_t)bytes[at + 1] << 8 : 0;
        group |= left > 2 ? bytes[at + 2] : 0;
        char four[4] = {digits[group >> 18], digits[group >> 12 & 63],
                        left > 1 ? digits[group >> 6 & 63] : '=',
                        left > 2 ? digits[group & 63] : '='};
        cli_add_bytes(text, four, sizeof four);
    }
    cli_add(text, "\"");
}

void cli_json_number(struct cli_text *text, const char *name, uint64_t number)
{
    begin_item(text, name);
    cli_add_format(text, "%llu", (unsigned long long)number);
}

void cli_json_real(struct cli_text *text, const char *name, double number)
{
    begin_item(text, name);
    cli_add_format(text, "%.3f", number);
}

void cli_json_bool(struct cli_text *text, const char *name, bool value)
{
    begin_item(text, name);
    cli_add(text, value ? "true" : "false");
}
