/* SPDX-License-Identifier: Apache-2.0 */
/* Statuses and the why for a person. */
#include "base/base.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <cmocka.h>

static void every_status_has_a_name_and_a_sentence_of_its_own(void **state)
{
    (void)state;
    for (unsigned i = 0; i < THEATER_STATUS_COUNT; i++) {
        const char *name = theater_status_name((theater_status_t)i);
        const char *text = theater_status_text((theater_status_t)i);
        assert_true(th_name_ok(name, strlen(name)));
        assert_true(strlen(text) > 0 && text[strlen(text) - 1] == '.');
        for (unsigned j = 0; j < i; j++) {
            assert_string_not_equal(name,
                                    theater_status_name((theater_status_t)j));
        }
    }
    assert_string_equal(theater_status_name(THEATER_MAILBOX_FULL),
                        "mailbox-full");
    assert_string_equal(theater_status_name(THEATER_BUG), "bug");
}

static void the_count_is_that_of_the_table(void **state)
{
    unsigned count = 0;
    (void)state;
#define COUNT_ONE(code, NAME, name, text)                                      \
    assert_int_equal(code, count);                                             \
    count++;
    THEATER_STATUS_TABLE(COUNT_ONE)
#undef COUNT_ONE
    assert_int_equal(count, THEATER_STATUS_COUNT);
}

static void a_number_outside_of_the_table_is_unknown(void **state)
{
    (void)state;
    assert_string_equal(
        theater_status_name((theater_status_t)THEATER_STATUS_COUNT), "unknown");
    assert_string_equal(theater_status_name((theater_status_t)-1), "unknown");
    assert_true(strlen(theater_status_text((theater_status_t)-1)) > 0);
}

static void an_error_says_status_origin_and_text(void **state)
{
    theater_error_t err;
    (void)state;
    assert_int_equal(th_error(&err, THEATER_BAD_MANIFEST, "pong.toml:3:1",
                              "unknown key \"%s\"", "nmae"),
                     THEATER_BAD_MANIFEST);
    assert_int_equal(err.status, THEATER_BAD_MANIFEST);
    assert_string_equal(err.origin, "pong.toml:3:1");
    assert_string_equal(err.text, "unknown key \"nmae\"");
    th_error(&err, THEATER_IO, NULL, "x");
    assert_string_equal(err.origin, "");
    assert_int_equal(th_error(NULL, THEATER_IO, "a", "%d", 1), THEATER_IO);
}

static void an_error_is_cut_between_characters(void **state)
{
    theater_error_t err;
    char longer[THEATER_ERROR_TEXT + 50];
    (void)state;
    /* Three-byte characters after each of three offsets: each way to cut. */
    for (size_t offset = 0; offset < 4; offset++) {
        memset(longer, 'x', sizeof(longer));
        for (size_t i = offset; i + 3 < sizeof(longer); i += 3) {
            memcpy(longer + i, "\xE2\x82\xAC", 3);
        }
        longer[sizeof(longer) - 1] = '\0';
        th_error(&err, THEATER_IO, longer, "%s", longer);
        size_t len = strlen(err.text);
        assert_true(len < sizeof(err.text) && len >= sizeof(err.text) - 4);
        assert_true(th_utf8_ok((const uint8_t *)err.text, len));
        len = strlen(err.origin);
        assert_true(len < sizeof(err.origin) && len >= sizeof(err.origin) - 4);
        assert_true(th_utf8_ok((const uint8_t *)err.origin, len));
    }
    /* What just fits is not cut. */
    memset(longer, 'y', sizeof(longer));
    longer[THEATER_ERROR_TEXT - 1] = '\0';
    th_error(&err, THEATER_IO, "o", "%s", longer);
    assert_int_equal(strlen(err.text), THEATER_ERROR_TEXT - 1);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_status_has_a_name_and_a_sentence_of_its_own),
        cmocka_unit_test(the_count_is_that_of_the_table),
        cmocka_unit_test(a_number_outside_of_the_table_is_unknown),
        cmocka_unit_test(an_error_says_status_origin_and_text),
        cmocka_unit_test(an_error_is_cut_between_characters),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
