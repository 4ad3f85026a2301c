/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Design notes. Numbers, booleans, dates and times begin alike, so the run of
 * characters that they are made of is taken first, and then asked what it is.
 * Floats are converted by the C library, in the "C" locale whatever the
 * program has set: a manifest means the same everywhere. Dates are checked
 * and kept as text in one normal form (T between date and time, Z for UTC).
 */
#include "toml_parser.h"

#include <locale.h>
#include <stdlib.h>
#include <string.h>

/* The characters of one scalar. */
struct token {
    const char *data;           /* in the text */
    size_t len;                 /* bytes */
    struct th_toml_place place; /* of the first */
};

static bool is_digit(char c)
{
    return c >= '0' && c <= '9';
}

static bool is_token_char(char c)
{
    return is_digit(c) || (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') ||
           c == '_' || c == '+' || c == '-' || c == '.' || c == ':';
}

static bool equals(const struct token *t, const char *word)
{
    return t->len == strlen(word) && memcmp(t->data, word, t->len) == 0;
}

static bool looks_like_date(const char *data, size_t len)
{
    return len >= 5 && is_digit(data[0]) && is_digit(data[1]) &&
           is_digit(data[2]) && is_digit(data[3]) && data[4] == '-';
}

static bool looks_like_time(const char *data, size_t len)
{
    return len >= 3 && is_digit(data[0]) && is_digit(data[1]) && data[2] == ':';
}

static struct token take_token(struct th_toml_parser *p)
{
    struct token t = {.data = p->at, .place = th_toml_here(p)};
    while (p->at < p->end && is_token_char(*p->at)) {
        p->at++;
    }
    /* A blank may stand between a date and its time. */
    if (p->at - t.data == 10 && looks_like_date(t.data, 10) &&
        p->end - p->at >= 3 && p->at[0] == ' ' && is_digit(p->at[1]) &&
        is_digit(p->at[2])) {
        p->at++;
        while (p->at < p->end && is_token_char(*p->at)) {
            p->at++;
        }
    }
    t.len = (size_t)(p->at - t.data);
    return t;
}

static bool fail_token(struct th_toml_parser *p, const struct token *t,
                       const char *why)
{
    char shown[TH_TOML_SHOW];
    return th_toml_fail(p, t->place, "'%s' %s",
                        th_toml_show(shown, t->data, t->len), why);
}

static bool make(struct th_toml_parser *p, const struct token *t,
                 enum th_toml_kind kind, struct th_toml_node **out)
{
    *out = th_toml_node_new(p->doc, kind, 0, t->place);
    return *out != NULL || th_toml_fail_memory(p);
}

/* Reads `count` digits; -1 when they are not all there. */
static int digits(const struct token *t, size_t *at, size_t count)
{
    int value = 0;
    if (t->len - *at < count) {
        return -1;
    }
    for (size_t i = 0; i < count; i++) {
        if (!is_digit(t->data[*at + i])) {
            return -1;
        }
        value = value * 10 + (t->data[*at + i] - '0');
    }
    *at += count;
    return value;
}

static bool take(const struct token *t, size_t *at, char c)
{
    if (*at < t->len && t->data[*at] == c) {
        (*at)++;
        return true;
    }
    return false;
}

static bool parse_date(const struct token *t, size_t *at)
{
    static const int days[] = {31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31};
    int year = digits(t, at, 4);
    if (year < 0 || !take(t, at, '-')) {
        return false;
    }
    int month = digits(t, at, 2);
    if (month < 1 || month > 12 || !take(t, at, '-')) {
        return false;
    }
    int day = digits(t, at, 2);
    bool leap = year % 4 == 0 && (year % 100 != 0 || year % 400 == 0);
    int most = days[month - 1] + (month == 2 && leap ? 1 : 0);
    return day >= 1 && day <= most;
}

static bool parse_time(const struct token *t, size_t *at)
{
    int hour = digits(t, at, 2);
    if (hour < 0 || hour > 23 || !take(t, at, ':')) {
        return false;
    }
    int minute = digits(t, at, 2);
    if (minute < 0 || minute > 59 || !take(t, at, ':')) {
        return false;
    }
    int second = digits(t, at, 2);
    if (second < 0 || second > 60) { /* 60: a leap second */
        return false;
    }
    if (take(t, at, '.')) {
        size_t first = *at;
        while (*at < t->len && is_digit(t->data[*at])) {
            (*at)++;
        }
        return *at > first;
    }
    return true;
}

/* Z or +hh:mm; true also when there is none. */
static bool parse_offset(const struct token *t, size_t *at, bool *out_has)
{
    *out_has = *at < t->len;
    if (*at == t->len || take(t, at, 'Z') || take(t, at, 'z')) {
        return true;
    }
    if (!take(t, at, '+') && !take(t, at, '-')) {
        return false;
    }
    int hour = digits(t, at, 2);
    if (hour < 0 || hour > 23 || !take(t, at, ':')) {
        return false;
    }
    int minute = digits(t, at, 2);
    return minute >= 0 && minute <= 59;
}

/* Checks a date or time and tells which kind it is. */
static bool classify_datetime(const struct token *t, enum th_toml_kind *kind)
{
    size_t at = 0;
    bool has_offset = false;
    if (looks_like_time(t->data, t->len)) {
        *kind = TH_TOML_TIME_LOCAL;
        return parse_time(t, &at) && at == t->len;
    }
    if (!parse_date(t, &at)) {
        return false;
    }
    if (at == t->len) {
        *kind = TH_TOML_DATE_LOCAL;
        return true;
    }
    if (!take(t, &at, 'T') && !take(t, &at, 't') && !take(t, &at, ' ')) {
        return false;
    }
    if (!parse_time(t, &at) || !parse_offset(t, &at, &has_offset)) {
        return false;
    }
    *kind = has_offset ? TH_TOML_DATETIME : TH_TOML_DATETIME_LOCAL;
    return at == t->len;
}

static bool parse_datetime(struct th_toml_parser *p, const struct token *t,
                           struct th_toml_node **out)
{
    enum th_toml_kind kind = TH_TOML_DATE_LOCAL;
    if (!classify_datetime(t, &kind)) {
        return fail_token(p, t,
                          "is no date or time; write 2026-01-31, 13:30:00 or "
                          "2026-01-31T13:30:00Z");
    }
    char *text = th_toml_alloc(p->doc, t->len + 1);
    if (text == NULL) {
        return th_toml_fail_memory(p);
    }
    for (size_t i = 0; i < t->len; i++) {
        char c = t->data[i];
        text[i] = c == ' ' || c == 't' ? 'T' : c == 'z' ? 'Z' : c;
    }
    text[t->len] = '\0';
    if (!make(p, t, kind, out)) {
        return false;
    }
    (*out)->as.string.data = text;
    (*out)->as.string.len = t->len;
    return true;
}

static int digit_of(char c)
{
    if (is_digit(c)) {
        return c - '0';
    }
    if (c >= 'a' && c <= 'f') {
        return c - 'a' + 10;
    }
    if (c >= 'A' && c <= 'F') {
        return c - 'A' + 10;
    }
    return 16;
}

/* Underscores stand between digits only; the digits begin at `from`. */
static bool underscores_ok(const struct token *t, int base, size_t from)
{
    for (size_t i = from; i < t->len; i++) {
        if (t->data[i] != '_') {
            continue;
        }
        if (i == from || i + 1 == t->len || digit_of(t->data[i - 1]) >= base ||
            digit_of(t->data[i + 1]) >= base) {
            return false;
        }
    }
    return true;
}

/* 16, 8 or 2 for 0x, 0o and 0b, otherwise 10. */
static int base_of(const struct token *t)
{
    char mark = t->len > 1 && t->data[0] == '0' ? t->data[1] : '\0';
    return mark == 'x' ? 16 : mark == 'o' ? 8 : mark == 'b' ? 2 : 10;
}

static bool parse_integer(struct th_toml_parser *p, const struct token *t,
                          unsigned base, size_t from, struct th_toml_node **out)
{
    bool negative = t->data[0] == '-';
    uint64_t most = (uint64_t)INT64_MAX + (negative ? 1 : 0);
    uint64_t value = 0;
    size_t count = 0;
    for (size_t i = from; i < t->len; i++) {
        if (t->data[i] == '_') {
            continue;
        }
        unsigned digit = (unsigned)digit_of(t->data[i]);
        if (digit >= base) {
            return fail_token(p, t,
                              "is no number; text goes between double quotes");
        }
        if (value > (most - digit) / base) {
            return fail_token(p, t, "does not fit in 64 bits");
        }
        value = value * base + digit;
        count++;
    }
    if (count == 0) {
        return fail_token(p, t, "has no digits");
    }
    if (base == 10 && count > 1 && t->data[from] == '0') {
        return fail_token(p, t, "begins with a zero; leave it out");
    }
    if (!make(p, t, TH_TOML_INTEGER, out)) {
        return false;
    }
    (*out)->as.integer = negative
                             ? -(int64_t)(value - (value > 0)) - (value > 0)
                             : (int64_t)value;
    return true;
}

/* digits [. digits] [e [sign] digits], with at least one of the two. */
static bool float_form_ok(const struct token *t, size_t from)
{
    size_t at = from;
    size_t whole = 0;
    while (at < t->len && (is_digit(t->data[at]) || t->data[at] == '_')) {
        at++;
        whole++;
    }
    if (whole == 0 || (whole > 1 && t->data[from] == '0')) {
        return false;
    }
    if (take(t, &at, '.')) {
        size_t first = at;
        while (at < t->len && (is_digit(t->data[at]) || t->data[at] == '_')) {
            at++;
        }
        if (at == first) {
            return false;
        }
    }
    if (take(t, &at, 'e') || take(t, &at, 'E')) {
        (void)(take(t, &at, '+') || take(t, &at, '-'));
        size_t first = at;
        while (at < t->len && (is_digit(t->data[at]) || t->data[at] == '_')) {
            at++;
        }
        if (at == first) {
            return false;
        }
    }
    return at == t->len;
}

static bool parse_float(struct th_toml_parser *p, const struct token *t,
                        size_t from, struct th_toml_node **out)
{
    if (!float_form_ok(t, from)) {
        return fail_token(p, t, "is no number; write 1.5, 0.5 or 1e6");
    }
    char *text = th_toml_alloc(p->doc, t->len + 1);
    if (text == NULL) {
        return th_toml_fail_memory(p);
    }
    size_t len = 0;
    for (size_t i = 0; i < t->len; i++) {
        if (t->data[i] != '_') {
            text[len++] = t->data[i];
        }
    }
    text[len] = '\0';
    locale_t plain = newlocale(LC_ALL_MASK, "C", (locale_t)0);
    if (plain == (locale_t)0) {
        return th_toml_fail_memory(p);
    }
    double value = strtod_l(text, NULL, plain);
    freelocale(plain);
    if (!make(p, t, TH_TOML_FLOAT, out)) {
        return false;
    }
    (*out)->as.real = value;
    return true;
}

static bool parse_number(struct th_toml_parser *p, const struct token *t,
                         struct th_toml_node **out)
{
    int base = base_of(t);
    bool is_signed = t->data[0] == '+' || t->data[0] == '-';
    size_t from = base != 10 ? 2 : is_signed ? 1 : 0;
    if (!underscores_ok(t, base, from)) {
        return fail_token(p, t, "has an underscore that is not between digits");
    }
    for (size_t i = from; i < t->len && base == 10; i++) {
        if (t->data[i] == '.' || t->data[i] == 'e' || t->data[i] == 'E') {
            return parse_float(p, t, from, out);
        }
    }
    return parse_integer(p, t, (unsigned)base, from, out);
}

/* inf and nan with an optional sign. */
static bool is_special_float(const struct token *t, double *out)
{
    struct token word = *t;
    bool negative = word.data[0] == '-';
    if (negative || word.data[0] == '+') {
        word.data++;
        word.len--;
    }
    if (equals(&word, "inf")) {
        *out = negative ? -__builtin_inf() : __builtin_inf();
        return true;
    }
    if (equals(&word, "nan")) {
        *out = __builtin_nan("");
        return true;
    }
    return false;
}

bool th_toml_scalar(struct th_toml_parser *p, struct th_toml_node **out)
{
    char shown[24];
    double special = 0;
    struct token t = take_token(p);
    if (t.len == 0) {
        return th_toml_fail(p, t.place, "expected a value, found %s",
                            th_toml_show_char(shown, p));
    }
    if (equals(&t, "true") || equals(&t, "false")) {
        if (!make(p, &t, TH_TOML_BOOL, out)) {
            return false;
        }
        (*out)->as.boolean = t.len == 4;
        return true;
    }
    if (is_special_float(&t, &special)) {
        if (!make(p, &t, TH_TOML_FLOAT, out)) {
            return false;
        }
        (*out)->as.real = special;
        return true;
    }
    if (looks_like_date(t.data, t.len) || looks_like_time(t.data, t.len)) {
        return parse_datetime(p, &t, out);
    }
    if (is_digit(t.data[0]) || t.data[0] == '+' || t.data[0] == '-') {
        return parse_number(p, &t, out);
    }
    return fail_token(p, &t, "is no value; text goes between double quotes");
}
