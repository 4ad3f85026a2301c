/* SPDX-License-Identifier: Apache-2.0 */
/* Permission patterns against a naive matcher: pattern, zero byte, name. */
#include "fuzz.h"

#include <theater/permissions.h>

#include <string.h>

/* By recursion over every way that a star could be read. */
static bool naive(const char *pattern, const char *name, size_t len)
{
    if (*pattern == '\0') {
        return len == 0;
    }
    if (pattern[0] == '*' && pattern[1] == '\0') {
        return true;
    }
    return len != 0 && *pattern == *name &&
           naive(pattern + 1, name + 1, len - 1);
}

void th_fuzz_one(const uint8_t *data, size_t size)
{
    const uint8_t *zero = size == 0 ? NULL : memchr(data, 0, size);
    if (zero == NULL || size > 1024) {
        return;
    }
    const char *pattern = (const char *)data;
    const char *name = (const char *)zero + 1;
    size_t len = size - (size_t)(zero + 1 - data);
    size_t pattern_len = (size_t)(zero - data);
    bool matches = theater_pattern_matches(pattern, name, len);
    FUZZ_CHECK(matches == naive(pattern, name, len));

    bool fine = theater_pattern_check(pattern) == THEATER_OK;
    const char *star = strchr(pattern, '*');
    size_t fixed = pattern_len - (star != NULL);
    if (fine) {
        FUZZ_CHECK(pattern_len != 0 && fixed <= 255);
        FUZZ_CHECK(star == NULL || star[1] == '\0');
        for (size_t i = 0; i < pattern_len; i++) {
            FUZZ_CHECK(data[i] >= 0x20 && data[i] != 0x7f);
        }
    } else {
        bool plain = fixed != 0 && fixed <= 255;
        for (size_t i = 0; i < fixed; i++) {
            plain = plain && data[i] > 0x20 && data[i] < 0x7f && data[i] != '*';
        }
        FUZZ_CHECK(!plain); /* what is plain is fine */
    }
}
