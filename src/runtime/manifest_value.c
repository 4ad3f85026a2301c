/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Design notes. A key's default is written in its table as a manifest would
 * write it and goes through the same reader, so a default and a value can't
 * mean different things. Sizes and durations are whole numbers with a unit;
 * a bare number is a size in bytes but never a duration, since nobody can
 * know its unit. Nothing here allocates.
 */
#include "manifest_internal.h"

#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "base/base.h"

struct unit {
    const char *name; /* as it is written behind the number */
    uint64_t factor;  /* how many of the smallest */
};

/* Largest first, for th_key_show. */
static const struct unit size_units[] = {
    {"GiB", UINT64_C(1) << 30},
    {"MiB", UINT64_C(1) << 20},
    {"KiB", UINT64_C(1) << 10},
};
static const struct unit time_units[] = {
    {"h", UINT64_C(3600000000000)}, {"m", UINT64_C(60000000000)},
    {"s", UINT64_C(1000000000)},    {"ms", UINT64_C(1000000)},
    {"us", UINT64_C(1000)},         {"ns", UINT64_C(1)},
};

static bool fail(struct th_key_fault *fault, struct th_toml_place place,
                 const char *format, ...) __attribute__((format(printf, 3, 4)));

static bool fail(struct th_key_fault *fault, struct th_toml_place place,
                 const char *format, ...)
{
    va_list args;
    va_start(args, format);
    fault->place = place;
    (void)vsnprintf(fault->text, sizeof(fault->text), format, args);
    va_end(args);
    return false;
}

static const struct unit *units_of(theater_key_type_t type, size_t *out_len)
{
    if (type == THEATER_KEY_SIZE) {
        *out_len = sizeof(size_units) / sizeof(size_units[0]);
        return size_units;
    }
    if (type == THEATER_KEY_DURATION) {
        *out_len = sizeof(time_units) / sizeof(time_units[0]);
        return time_units;
    }
    *out_len = 0;
    return NULL;
}

const char *th_key_show(theater_key_type_t type, uint64_t number,
                        char out[static 32])
{
    size_t len = 0;
    const struct unit *units = units_of(type, &len);
    if (type == THEATER_KEY_DURATION && number == THEATER_NEVER) {
        return "unlimited";
    }
    for (size_t i = 0; i < len && number != 0; i++) {
        if (number % units[i].factor == 0) {
            (void)snprintf(out, 32, "%" PRIu64 "%s", number / units[i].factor,
                           units[i].name);
            return out;
        }
    }
    (void)snprintf(out, 32, "%" PRIu64 "%s", number,
                   type == THEATER_KEY_DURATION ? "s" : "");
    return out;
}

static void add(char *out, size_t size, const char *text)
{
    size_t used = strlen(out);
    (void)snprintf(out + used, size - used, "%s", text);
}

const char *th_key_form(const theater_key_t *key, char *out, size_t size)
{
    switch (key->type) {
    case THEATER_KEY_BOOL:
        return "true or false";
    case THEATER_KEY_INT:
        return "a whole number";
    case THEATER_KEY_SIZE:
        return "a size such as \"64MiB\", \"4KiB\" or 512";
    case THEATER_KEY_DURATION:
        return key->unlimited
                   ? "a duration such as \"5s\" or \"100ms\", or \"unlimited\""
                   : "a duration such as \"5s\" or \"100ms\"";
    case THEATER_KEY_STRING_LIST:
        return "a list of strings such as [\"a\", \"b\"]";
    case THEATER_KEY_ENUM:
        out[0] = '\0';
        for (size_t i = 0; key->choices[i] != NULL; i++) {
            bool last = key->choices[i + 1] == NULL;
            add(out, size, i == 0 ? "\"" : last ? " or \"" : ", \"");
            add(out, size, key->choices[i]);
            add(out, size, "\"");
        }
        return out;
    case THEATER_KEY_STRING:
    case THEATER_KEY_NAME:
    case THEATER_KEY_BYTES:
        return "a string";
    }
    return "?";
}

/* digits and a unit; false when it is not of that form or does not fit. */
static bool read_quantity(theater_key_type_t type, const char *text, size_t len,
                          uint64_t *out)
{
    size_t count = 0;
    const struct unit *units = units_of(type, &count);
    uint64_t value = 0;
    size_t at = 0;
    while (at < len && text[at] >= '0' && text[at] <= '9') {
        uint64_t digit = (uint64_t)(text[at] - '0');
        if (value > (UINT64_MAX - digit) / 10) {
            return false;
        }
        value = value * 10 + digit;
        at++;
    }
    if (at == 0) {
        return false;
    }
    if (at == len) {
        *out = value;
        return type != THEATER_KEY_DURATION;
    }
    for (size_t i = 0; i < count; i++) {
        size_t unit_len = strlen(units[i].name);
        if (unit_len == len - at &&
            memcmp(text + at, units[i].name, unit_len) == 0) {
            bool fits = value < UINT64_MAX / units[i].factor;
            *out = value * units[i].factor;
            return fits;
        }
    }
    return false;
}

static bool is_word(const char *word, const char *text, size_t len)
{
    return strlen(word) == len && memcmp(word, text, len) == 0;
}

static bool read_choice(const theater_key_t *key, const char *text, size_t len,
                        struct th_key_value *out)
{
    for (size_t i = 0; key->choices[i] != NULL; i++) {
        if (is_word(key->choices[i], text, len)) {
            out->number = i;
            out->text = key->choices[i];
            out->len = len;
            return true;
        }
    }
    return false;
}

/* A value in letters, as defaults are, and strings in files. */
static bool read_text(const theater_key_t *key, const char *text, size_t len,
                      struct th_key_value *out)
{
    switch (key->type) {
    case THEATER_KEY_BOOL:
        out->number = is_word("true", text, len);
        return out->number == 1 || is_word("false", text, len);
    case THEATER_KEY_DURATION:
        if (key->unlimited && is_word("unlimited", text, len)) {
            out->number = THEATER_NEVER;
            return true;
        }
        return read_quantity(key->type, text, len, &out->number);
    case THEATER_KEY_INT:
    case THEATER_KEY_SIZE:
        return read_quantity(key->type, text, len, &out->number);
    case THEATER_KEY_ENUM:
        return read_choice(key, text, len, out);
    case THEATER_KEY_STRING:
    case THEATER_KEY_NAME:
    case THEATER_KEY_BYTES:
        out->text = text;
        out->len = len;
        return true;
    case THEATER_KEY_STRING_LIST:
        break;
    }
    return false;
}

static bool bad_value(const theater_key_t *key, const struct th_toml_node *node,
                      struct th_key_fault *fault)
{
    char form[160];
    char shown[TH_TOML_SHOW];
    if (node->kind != TH_TOML_STRING) {
        return fail(fault, node->place, "'%s' must be %s, not %s", key->name,
                    th_key_form(key, form, sizeof(form)),
                    th_toml_kind_name(node->kind));
    }
    th_toml_show(shown, node->as.string.data, node->as.string.len);
    const char *near = NULL;
    if (key->type == THEATER_KEY_ENUM) {
        size_t count = 0;
        while (key->choices[count] != NULL) {
            count++;
        }
        near = th_nearest(node->as.string.data, key->choices, count);
    }
    if (near != NULL) {
        return fail(fault, node->place,
                    "'%s' must be %s, not \"%s\"; did you mean '%s'?",
                    key->name, th_key_form(key, form, sizeof(form)), shown,
                    near);
    }
    return fail(fault, node->place, "'%s' must be %s, not \"%s\"", key->name,
                th_key_form(key, form, sizeof(form)), shown);
}

static bool check_range(const theater_key_t *key,
                        const struct th_toml_node *node,
                        const struct th_key_value *value,
                        struct th_key_fault *fault)
{
    char least[32];
    char most[32];
    bool free_of_bounds = key->type == THEATER_KEY_DURATION &&
                          value->number == THEATER_NEVER && key->unlimited;
    if (free_of_bounds || (value->number >= key->min &&
                           (key->max == 0 || value->number <= key->max))) {
        return true;
    }
    if (key->max == 0) {
        return fail(fault, node->place, "'%s' must be at least %s", key->name,
                    th_key_show(key->type, key->min, least));
    }
    return fail(fault, node->place, "'%s' must be from %s to %s", key->name,
                th_key_show(key->type, key->min, least),
                th_key_show(key->type, key->max, most));
}

static bool check_string(const theater_key_t *key,
                         const struct th_toml_node *node,
                         struct th_key_fault *fault)
{
    char shown[TH_TOML_SHOW];
    const char *text = node->as.string.data;
    size_t len = node->as.string.len;
    th_toml_show(shown, text, len);
    if (len < key->min || (key->max != 0 && len > key->max)) {
        return fail(fault, node->place,
                    "'%s' must have from %" PRIu64 " to %" PRIu64
                    " bytes, not %zu",
                    key->name, key->min, key->max, len);
    }
    if (key->type == THEATER_KEY_BYTES) {
        return true;
    }
    if (memchr(text, 0, len) != NULL) {
        return fail(fault, node->place, "'%s' must not contain \\u0000",
                    key->name);
    }
    if (key->type == THEATER_KEY_NAME && !th_name_ok(text, len)) {
        return fail(fault, node->place,
                    "'%s' must be a name: 1 to 255 bytes without control "
                    "characters",
                    key->name);
    }
    const char *why = key->check == NULL ? NULL : key->check(text, len);
    if (why != NULL) {
        return fail(fault, node->place, "'%s' of '%s' %s", shown, key->name,
                    why);
    }
    return true;
}

static bool check_list(const theater_key_t *key,
                       const struct th_toml_node *node,
                       struct th_key_fault *fault)
{
    const struct th_toml_node *item = node->as.array.first;
    for (; item != NULL; item = item->next) {
        if (item->kind != TH_TOML_STRING) {
            return fail(fault, item->place,
                        "'%s' must be a list of strings; this is %s", key->name,
                        th_toml_kind_name(item->kind));
        }
        if (!check_string(key, item, fault)) {
            return false;
        }
    }
    return true;
}

/* Numbers as TOML has them: whole, and not below zero. */
static bool read_integer(const theater_key_t *key,
                         const struct th_toml_node *node,
                         struct th_key_value *out, struct th_key_fault *fault)
{
    if (node->as.integer < 0) {
        char least[32];
        return fail(fault, node->place, "'%s' must be at least %s", key->name,
                    th_key_show(key->type, key->min, least));
    }
    out->number = (uint64_t)node->as.integer;
    return check_range(key, node, out, fault);
}

bool th_key_read(const theater_key_t *key, const struct th_toml_node *node,
                 struct th_key_value *out, struct th_key_fault *fault)
{
    *out = (struct th_key_value){0};
    bool is_string = node->kind == TH_TOML_STRING;
    switch (key->type) {
    case THEATER_KEY_BOOL:
        out->number = node->kind == TH_TOML_BOOL && node->as.boolean;
        return node->kind == TH_TOML_BOOL || bad_value(key, node, fault);
    case THEATER_KEY_INT:
        return node->kind == TH_TOML_INTEGER
                   ? read_integer(key, node, out, fault)
                   : bad_value(key, node, fault);
    case THEATER_KEY_SIZE:
        if (node->kind == TH_TOML_INTEGER) {
            return read_integer(key, node, out, fault);
        }
        break;
    case THEATER_KEY_STRING_LIST:
        return node->kind == TH_TOML_ARRAY ? check_list(key, node, fault)
                                           : bad_value(key, node, fault);
    case THEATER_KEY_STRING:
    case THEATER_KEY_NAME:
    case THEATER_KEY_BYTES:
        if (is_string && !check_string(key, node, fault)) {
            return false;
        }
        break;
    case THEATER_KEY_DURATION:
    case THEATER_KEY_ENUM:
        break;
    }
    if (!is_string ||
        !read_text(key, node->as.string.data, node->as.string.len, out)) {
        return bad_value(key, node, fault);
    }
    bool has_range =
        key->type == THEATER_KEY_SIZE || key->type == THEATER_KEY_DURATION;
    return !has_range || check_range(key, node, out, fault);
}

struct th_key_value th_key_fallback(const theater_key_t *key)
{
    struct th_key_value value = {0};
    if (key->fallback != NULL) {
        /* A default that does not read is found by the tests. */
        (void)read_text(key, key->fallback, strlen(key->fallback), &value);
    }
    return value;
}

struct th_key_value th_key_get(const struct th_toml *doc,
                               const struct th_toml_node *table,
                               const theater_key_t *key)
{
    struct th_key_value value;
    struct th_key_fault fault;
    const struct th_toml_entry *entry =
        th_toml_find(doc, table, key->name, strlen(key->name));
    if (entry == NULL || !th_key_read(key, entry->value, &value, &fault)) {
        return th_key_fallback(key);
    }
    return value;
}
