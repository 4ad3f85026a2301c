/* SPDX-License-Identifier: Apache-2.0 */
/* Log lines of anybody's bytes: a line of JSON parses and is one line; a line
 * of text has no terminal control, and each begins as ours do. */
#include "fuzz.h"

#include "cli/session.h"

#include <string.h>

/* --- A strict reader of JSON: one value -------------------------------- */

static bool value(const char **at, unsigned depth);

static bool string(const char **at)
{
    const uint8_t *c = (const uint8_t *)*at;
    if (*c++ != '"') {
        return false;
    }
    for (; *c != '"'; c++) {
        if (*c < 0x20) {
            return false;
        }
        if (*c == '\\') {
            c++;
            if (*c == '\0' || strchr("\"\\/bfnrtu", *c) == NULL) {
                return false;
            }
            for (unsigned i = 0; *c == 'u' && i < 4; i++) {
                if (c[1 + i] == '\0' ||
                    strchr("0123456789abcdefABCDEF", c[1 + i]) == NULL) {
                    return false;
                }
            }
        }
    }
    *at = (const char *)c + 1;
    return true;
}

static bool word(const char **at)
{
    size_t digits = strspn(*at, "0123456789");
    if (digits != 0) {
        *at += digits;
        return true;
    }
    const char *const words[] = {"null", "true", "false"};
    for (unsigned i = 0; i < 3; i++) {
        if (strncmp(*at, words[i], strlen(words[i])) == 0) {
            *at += strlen(words[i]);
            return true;
        }
    }
    return false;
}

static bool object(const char **at, unsigned depth)
{
    if (*(*at)++ != '{') {
        return false;
    }
    for (;;) {
        if (!string(at) || *(*at)++ != ':' || !value(at, depth + 1)) {
            return false;
        }
        if (**at != ',') {
            return *(*at)++ == '}';
        }
        ++*at;
    }
}

static bool value(const char **at, unsigned depth)
{
    return depth < 8 && (**at == '{'   ? object(at, depth)
                         : **at == '"' ? string(at)
                                       : word(at));
}

/* --- What must hold ----------------------------------------------------- */

static void check_json(const struct cli_text *out)
{
    const char *at = out->data;
    FUZZ_CHECK(!out->failed && out->data != NULL);
    FUZZ_CHECK(strlen(out->data) == out->len);
    FUZZ_CHECK(cli_utf8_ok(out->data, out->len));
    FUZZ_CHECK(object(&at, 0));
    FUZZ_CHECK(strcmp(at, "\n") == 0);
}

/* "00:00:01.000Z warn  " */
static bool begins_as_ours(const char *line)
{
    return strspn(line, "0123456789:.") == 12 && line[12] == 'Z' &&
           line[13] == ' ';
}

static void check_text(const struct cli_text *out)
{
    size_t skip;
    uint32_t code;
    FUZZ_CHECK(!out->failed && out->len != 0);
    FUZZ_CHECK(out->data[out->len - 1] == '\n');
    FUZZ_CHECK(strlen(out->data) == out->len);
    for (size_t at = 0; at < out->len;) {
        FUZZ_CHECK(begins_as_ours(out->data + at));
        while (out->data[at] != '\n') {
            size_t len = cli_printable((const uint8_t *)out->data + at,
                                       out->len - at, &skip, &code);
            const uint8_t *c = (const uint8_t *)out->data + at;
            FUZZ_CHECK(len != 0 && c[0] >= 0x20 && c[0] != 0x7f);
            /* C1, and what turns the direction of text */
            FUZZ_CHECK(!(c[0] == 0xc2 && c[1] < 0xa0));
            FUZZ_CHECK(!(c[0] == 0xe2 && c[1] == 0x80 && c[2] >= 0xaa &&
                         c[2] <= 0xae));
            at += len;
        }
        at++;
    }
}

/* A quoted name ends where its quotes do: what follows is ours. */
static void check_name(const struct cli_text *out)
{
    const char *at = out->data;
    if (at == NULL || *at != '"') {
        FUZZ_CHECK(out->len != 0 && strpbrk(at, " :\"[]") == NULL);
        return;
    }
    for (at++; *at != '"'; at++) {
        FUZZ_CHECK(*at != '\0');
        at += *at == '\\';
    }
    FUZZ_CHECK(at[1] == '\0');
}

static void format(struct cli_text *out, uint8_t how, const char *name,
                   const uint8_t *text, size_t len)
{
    struct cli_line line = {.wall_ns = 1000000000,
                            .level = THEATER_LOG_WARN,
                            .event = "log",
                            .module = (how & 2) != 0 ? "runtime" : NULL,
                            .actor = name,
                            .status = (how & 4) != 0 ? "failed" : NULL,
                            .text = text,
                            .len = len};
    struct cli_letter letter = {.has_sender = (how & 4) != 0,
                                .kind = how >> 4,
                                .reason = THEATER_CLOSED,
                                .bytes = len};
    size_t kept = len < sizeof letter.target ? len : sizeof letter.target - 1;
    letter.target_len = (uint8_t)(kept < 255 ? kept : 255);
    letter.sender_len = letter.target_len;
    memcpy(letter.target, text, letter.target_len);
    memcpy(letter.sender, text, letter.target_len);
    if ((how & 8) != 0) {
        cli_format_letter(out, (how & 1) != 0, false, 1000000000, &letter);
    } else {
        cli_format_line(out, (how & 1) != 0, false, &line);
    }
}

void th_fuzz_one(const uint8_t *data, size_t size)
{
    struct cli_text out;
    char name[256] = "";
    if (size < 2) {
        return;
    }
    uint8_t how = data[0];
    size_t len = data[1] < size - 2 ? data[1] : size - 2;
    memcpy(name, data + 2, len);
    cli_text_init(&out, theater_env_default());
    format(&out, how, name, data + 2 + len, size - 2 - len);
    if ((how & 1) != 0) {
        check_json(&out);
    } else {
        check_text(&out);
    }
    cli_text_fini(&out);
    cli_text_init(&out, theater_env_default());
    cli_add_name(&out, name, strlen(name));
    check_name(&out);
    cli_text_fini(&out);
}
