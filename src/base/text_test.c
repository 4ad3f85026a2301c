/* SPDX-License-Identifier: Apache-2.0 */
/* UTF-8, names and guesses. */
#include "base/base.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <cmocka.h>

/* Independent of the product: decodes, then encodes again and compares. */
static bool naive_utf8(const uint8_t *data, size_t len)
{
    for (size_t i = 0; i < len;) {
        uint32_t code = data[i];
        size_t more = 0;
        if (code >= 0xF0) {
            more = 3;
            code &= 0x07;
        } else if (code >= 0xE0) {
            more = 2;
            code &= 0x0F;
        } else if (code >= 0xC0) {
            more = 1;
            code &= 0x1F;
        } else if (code >= 0x80) {
            return false;
        }
        if (data[i] >= 0xF8 || i + more >= len) {
            return false;
        }
        for (size_t j = 1; j <= more; j++) {
            if (data[i + j] >> 6 != 2) {
                return false;
            }
            code = code << 6 | (data[i + j] & 0x3Fu);
        }
        static const uint32_t least[] = {0, 0x80, 0x800, 0x10000};
        if (code < least[more] || code > 0x10FFFF ||
            (code >= 0xD800 && code <= 0xDFFF)) {
            return false;
        }
        i += more + 1;
    }
    return true;
}

static void every_sequence_of_up_to_three_bytes_is_judged_rightly(void **state)
{
    (void)state;
    for (uint32_t n = 0; n < 1u << 24; n++) {
        uint8_t bytes[3] = {(uint8_t)(n >> 16), (uint8_t)(n >> 8), (uint8_t)n};
        if (th_utf8_ok(bytes, 3) != naive_utf8(bytes, 3)) {
            fail_msg("%06x", n);
        }
        if (n < 1u << 16 &&
            th_utf8_ok(bytes + 1, 2) != naive_utf8(bytes + 1, 2)) {
            fail_msg("%04x", n);
        }
    }
}

static void four_byte_characters_end_at_10ffff(void **state)
{
    static const uint8_t edges[] = {0x00, 0x7F, 0x80, 0x8F, 0x90, 0xBF, 0xC0};
    enum { EDGES = sizeof(edges) };
    (void)state;
    for (unsigned first = 0xEF; first <= 0xFF; first++) {
        for (unsigned n = 0; n < EDGES * EDGES * EDGES; n++) {
            uint8_t bytes[5] = {(uint8_t)first, edges[n % EDGES],
                                edges[n / EDGES % EDGES],
                                edges[n / EDGES / EDGES], 'x'};
            for (size_t len = 1; len <= 5; len++) {
                assert_true(th_utf8_ok(bytes, len) == naive_utf8(bytes, len));
            }
        }
    }
    assert_true(th_utf8_ok((const uint8_t *)"\xF4\x8F\xBF\xBF", 4));
    assert_false(th_utf8_ok((const uint8_t *)"\xF4\x90\x80\x80", 4));
    assert_true(th_utf8_ok(NULL, 0));
}

static void a_name_has_1_to_255_bytes_and_no_control_characters(void **state)
{
    char name[256];
    (void)state;
    memset(name, 'a', sizeof(name));
    assert_false(th_name_ok(name, 0));
    assert_true(th_name_ok(name, 1));
    assert_true(th_name_ok(name, 255));
    assert_false(th_name_ok(name, 256));
    for (unsigned c = 0; c < 256; c++) {
        char bytes[3] = {'a', (char)c, 'b'};
        assert_true(th_name_ok(bytes, 3) == (c >= 0x20 && c < 0x7F));
        char two[2] = {(char)0xC2, (char)c};
        assert_true(th_name_ok(two, 2) == (c >= 0xA0 && c <= 0xBF));
    }
    assert_true(th_name_ok("caf\xC3\xA9 \xF0\x9F\x8E\xAD", 10));
    assert_false(th_name_ok("\xC3", 1));
}

static void a_copy_has_a_zero_behind_it_or_is_none(void **state)
{
    const theater_env_t *env = theater_env_default();
    (void)state;
    char *copy = th_strndup(env, "abcdef", 3);
    assert_string_equal(copy, "abc");
    th_free(env, copy);
    copy = th_strndup(env, NULL, 0);
    assert_string_equal(copy, "");
    th_free(env, copy);
    assert_null(th_strndup(env, "x", SIZE_MAX));
}

static void the_nearest_name_is_guessed_when_it_is_near(void **state)
{
    static const char *const names[] = {"name",  "package",  "limits",
                                        "stack", "can_send", "can_request"};
    enum { COUNT = sizeof(names) / sizeof(names[0]) };
    (void)state;
    assert_string_equal(th_nearest("nmae", names, COUNT), "name");
    assert_string_equal(th_nearest("Name", names, COUNT), "name");
    assert_string_equal(th_nearest("pakage", names, COUNT), "package");
    assert_string_equal(th_nearest("can-send", names, COUNT), "can_send");
    assert_string_equal(th_nearest("can_requests", names, COUNT),
                        "can_request");
    assert_string_equal(th_nearest("limit", names, COUNT), "limits");
    assert_null(th_nearest("zebra", names, COUNT));
    assert_null(th_nearest("x", names, COUNT));
    assert_null(th_nearest("", names, COUNT));
    assert_null(th_nearest("name", names, 0));
    char longer[100];
    memset(longer, 'a', sizeof(longer));
    longer[99] = '\0';
    assert_null(th_nearest(longer, names, COUNT));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_sequence_of_up_to_three_bytes_is_judged_rightly),
        cmocka_unit_test(four_byte_characters_end_at_10ffff),
        cmocka_unit_test(a_name_has_1_to_255_bytes_and_no_control_characters),
        cmocka_unit_test(a_copy_has_a_zero_behind_it_or_is_none),
        cmocka_unit_test(the_nearest_name_is_guessed_when_it_is_near),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
