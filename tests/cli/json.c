/* SPDX-License-Identifier: Apache-2.0 */
#include "command.h"

#include <ctype.h>
#include <string.h>

struct json {
    const char *at;
    const char *end;
    int depth;
};

static bool value(struct json *json);

static void space(struct json *json)
{
    while (json->at < json->end && strchr(" \t\r\n", *json->at) != NULL) {
        json->at++;
    }
}

static bool take(struct json *json, char c)
{
    space(json);
    if (json->at < json->end && *json->at == c) {
        json->at++;
        return true;
    }
    return false;
}

static bool literal(struct json *json, const char *word)
{
    size_t len = strlen(word);
    if ((size_t)(json->end - json->at) < len ||
        memcmp(json->at, word, len) != 0) {
        return false;
    }
    json->at += len;
    return true;
}

static bool escape(struct json *json)
{
    if (json->at == json->end) {
        return false;
    }
    char c = *json->at++;
    if (c != 'u') {
        return strchr("\"\\/bfnrt", c) != NULL && c != '\0';
    }
    for (int i = 0; i < 4; i++) {
        if (json->at == json->end || !isxdigit((unsigned char)*json->at)) {
            return false;
        }
        json->at++;
    }
    return true;
}

static bool string(struct json *json)
{
    if (!take(json, '"')) {
        return false;
    }
    while (json->at < json->end && *json->at != '"') {
        unsigned char c = (unsigned char)*json->at++;
        /* Continuation bytes are counted off at their first byte. */
        size_t more = c < 0x80   ? 0
                      : c < 0xc2 ? 9
                      : c < 0xe0 ? 1
                      : c < 0xf0 ? 2
                      : c < 0xf5 ? 3
                                 : 9;
        if (c < 0x20 || more == 9 || (c == '\\' && !escape(json))) {
            return false;
        }
        for (; more > 0; more--) {
            if (json->at == json->end ||
                ((unsigned char)*json->at & 0xc0) != 0x80) {
                return false;
            }
            json->at++;
        }
    }
    return take(json, '"');
}

static bool digits(struct json *json)
{
    const char *from = json->at;
    while (json->at < json->end && isdigit((unsigned char)*json->at)) {
        json->at++;
    }
    return json->at > from;
}

static bool number(struct json *json)
{
    if (json->at < json->end && *json->at == '-') {
        json->at++;
    }
    if (json->at < json->end && *json->at == '0') {
        json->at++;
    } else if (!digits(json)) {
        return false;
    }
    if (json->at < json->end && *json->at == '.') {
        json->at++;
        if (!digits(json)) {
            return false;
        }
    }
    if (json->at < json->end && (*json->at == 'e' || *json->at == 'E')) {
        json->at++;
        if (json->at < json->end && strchr("+-", *json->at) != NULL) {
            json->at++;
        }
        return digits(json);
    }
    return true;
}

static bool members(struct json *json, bool named, char close)
{
    if (take(json, close)) {
        return true;
    }
    do {
        if (named && (!string(json) || !take(json, ':'))) {
            return false;
        }
        if (!value(json)) {
            return false;
        }
    } while (take(json, ','));
    return take(json, close);
}

static bool value(struct json *json)
{
    bool ok = false;
    space(json);
    if (json->at == json->end || ++json->depth > 64) {
        return false;
    }
    switch (*json->at) {
    case '{':
        json->at++;
        ok = members(json, true, '}');
        break;
    case '[':
        json->at++;
        ok = members(json, false, ']');
        break;
    case '"':
        ok = string(json);
        break;
    case 't':
        ok = literal(json, "true");
        break;
    case 'f':
        ok = literal(json, "false");
        break;
    case 'n':
        ok = literal(json, "null");
        break;
    default:
        ok = number(json);
        break;
    }
    json->depth--;
    return ok;
}

bool json_ok(const char *text, size_t len)
{
    struct json json = {.at = text, .end = text + len};
    bool ok = value(&json);
    space(&json);
    return ok && json.at == json.end;
}

size_t json_lines(const char *text, size_t len)
{
    size_t lines = 0;
    for (size_t at = 0; at < len; lines++) {
        const char *newline = memchr(text + at, '\n', len - at);
        if (newline == NULL || text[at] != '{' ||
            !json_ok(text + at, (size_t)(newline - text) - at)) {
            return 0;
        }
        at = (size_t)(newline - text) + 1;
    }
    return lines;
}
