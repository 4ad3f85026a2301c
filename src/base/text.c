/* SPDX-License-Identifier: Apache-2.0 */
/* Design notes. UTF-8 is checked as RFC 3629 has it: the second byte's range
 * depends on the first, which excludes overlong forms, surrogates and what
 * lies above U+10FFFF. A name additionally holds no control characters (C0,
 * DEL, C1), since names are printed on terminals and in logs. */
#include "base/base.h"

enum { NEAREST_MAX = 64 }; /* longer words are not guessed */

char *th_strndup(const theater_env_t *env, const char *text, size_t len)
{
    if (len == SIZE_MAX) {
        return NULL;
    }
    char *copy = th_alloc(env, len + 1);
    if (copy == NULL) {
        return NULL;
    }
    if (len > 0) {
        memcpy(copy, text, len);
    }
    copy[len] = '\0';
    return copy;
}

/* Bytes of the valid character at `data`; 0: none. */
static size_t utf8_char(const uint8_t *data, size_t len)
{
    uint8_t first = data[0];
    uint8_t low = 0x80;
    uint8_t high = 0xBF;
    size_t size;

    if (first < 0x80) {
        return 1;
    }
    if (first >= 0xC2 && first <= 0xDF) {
        size = 2;
    } else if (first >= 0xE0 && first <= 0xEF) {
        size = 3;
        low = first == 0xE0 ? 0xA0 : low;
        high = first == 0xED ? 0x9F : high;
    } else if (first >= 0xF0 && first <= 0xF4) {
        size = 4;
        low = first == 0xF0 ? 0x90 : low;
        high = first == 0xF4 ? 0x8F : high;
    } else {
        return 0;
    }
    if (size > len || data[1] < low || data[1] > high) {
        return 0;
    }
    for (size_t i = 2; i < size; i++) {
        if ((data[i] & 0xC0) != 0x80) {
            return 0;
        }
    }
    return size;
}

bool th_utf8_ok(const uint8_t *data, size_t len)
{
    for (size_t i = 0; i < len;) {
        size_t size = utf8_char(data + i, len - i);
        if (size == 0) {
            return false;
        }
        i += size;
    }
    return true;
}

bool th_name_ok(const char *name, size_t len)
{
    const uint8_t *data = (const uint8_t *)name;

    if (len == 0 || len > 255) {
        return false;
    }
    for (size_t i = 0; i < len;) {
        size_t size = utf8_char(data + i, len - i);
        if (size == 0 || data[i] < 0x20 || data[i] == 0x7F ||
            (data[i] == 0xC2 && data[i + 1] < 0xA0)) {
            return false;
        }
        i += size;
    }
    return true;
}

/* Letters that people mix up are the same for guessing. */
static char folded(char c)
{
    if (c >= 'A' && c <= 'Z') {
        return (char)(c - 'A' + 'a');
    }
    return c == '-' ? '_' : c;
}

static size_t min3(size_t a, size_t b, size_t c)
{
    size_t least = a < b ? a : b;
    return least < c ? least : c;
}

/* Insertions, deletions, changes and swaps of neighbours that make `b` of
 * `a` (Damerau, 1964; each place is edited once). */
static size_t distance(const char *a, size_t a_len, const char *b, size_t b_len)
{
    size_t rows[3][NEAREST_MAX + 1];
    size_t *before = rows[0];
    size_t *last = rows[1];
    size_t *row = rows[2];

    for (size_t j = 0; j <= b_len; j++) {
        before[j] = 0; /* read from the second round on only */
        last[j] = j;
    }
    for (size_t i = 1; i <= a_len; i++) {
        row[0] = i;
        for (size_t j = 1; j <= b_len; j++) {
            char x = folded(a[i - 1]);
            char y = folded(b[j - 1]);
            row[j] = min3(last[j] + 1, row[j - 1] + 1,
                          last[j - 1] + (x == y ? 0 : 1));
            if (i > 1 && j > 1 && x == folded(b[j - 2]) &&
                folded(a[i - 2]) == y && before[j - 2] + 1 < row[j]) {
                row[j] = before[j - 2] + 1;
            }
        }
        size_t *spare = before;
        before = last;
        last = row;
        row = spare;
    }
    return last[b_len];
}

const char *th_nearest(const char *word, const char *const *names, size_t len)
{
    const char *nearest = NULL;
    size_t least = SIZE_MAX;
    size_t word_len = strlen(word);

    if (word_len == 0 || word_len > NEAREST_MAX) {
        return NULL;
    }
    for (size_t i = 0; i < len; i++) {
        size_t name_len = strlen(names[i]);
        if (name_len == 0 || name_len > NEAREST_MAX) {
            continue;
        }
        /* A third of it may be wrong; a word of one letter is no hint. */
        size_t longer = word_len > name_len ? word_len : name_len;
        size_t bound = (longer + 1) / 3;
        size_t steps = distance(word, word_len, names[i], name_len);
        if (steps <= bound && steps < least) {
            nearest = names[i];
            least = steps;
        }
    }
    return nearest;
}
