/* SPDX-License-Identifier: Apache-2.0 */
#include "cli/session.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

static const char *escaped(struct cli_text *text, const char *data, size_t len)
{
    cli_text_fini(text);
    cli_add_escaped(text, data, len);
    return text->data;
}

static void what_is_no_printable_character_is_escaped(void **state)
{
    static const struct {
        const char *data;
        const char *shown;
    } rows[] = {
        {"plain", "plain"},
        {"gr\xc3\xbc\xc3\x9f \xe2\x82\xac \xf0\x9f\x98\x80",
         "gr\xc3\xbc\xc3\x9f \xe2\x82\xac \xf0\x9f\x98\x80"},
        {"\x1b[2J\x7f\t\r\n", "\\x1b[2J\\x7f\\t\\r\\n"},
        {"\xc2\x80\xc2\x9b", "\\u0080\\u009b"},
        {"\xe2\x80\xae\xe2\x81\xa6\xef\xbb\xbf", "\\u202e\\u2066\\ufeff"},
        {"\xf3\xa0\x81\x81", "\\U000e0041"},
        {"\x80\xff\xc3", "\\x80\\xff\\xc3"},
        {"\xc0\xaf\xe0\x80\xaf", "\\xc0\\xaf\\xe0\\x80\\xaf"},
        {"\xed\xa0\x80\xf4\x90\x80\x80", "\\xed\\xa0\\x80\\xf4\\x90\\x80\\x80"},
    };
    struct cli_text text;
    (void)state;
    cli_text_init(&text, theater_env_default());
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        assert_string_equal(escaped(&text, rows[i].data, strlen(rows[i].data)),
                            rows[i].shown);
    }
    cli_text_fini(&text);
}

static void random_bytes_never_become_a_control_character(void **state)
{
    uint64_t random = 1;
    struct cli_text text;
    (void)state;
    cli_text_init(&text, theater_env_default());
    for (int round = 0; round < 20000; round++) {
        char data[24];
        for (size_t i = 0; i < sizeof data; i++) {
            random = random * UINT64_C(6364136223846793005) + 1442695;
            data[i] = (char)(random >> 56);
        }
        const char *shown = escaped(&text, data, sizeof data);
        assert_true(cli_utf8_ok(shown, text.len));
        for (size_t i = 0; i < text.len; i++) {
            assert_true((unsigned char)shown[i] >= 0x20);
            assert_true(shown[i] != 0x7f);
            assert_false((unsigned char)shown[i] == 0xc2 &&
                         (unsigned char)shown[i + 1] < 0xa0);
        }
    }
    cli_text_fini(&text);
}

static void json_strings_hold_anything(void **state)
{
    struct cli_text text;
    (void)state;
    cli_text_init(&text, theater_env_default());
    cli_json_object(&text, NULL);
    cli_json_bytes(&text, "a", "\"\\\n\x1b\xff\xc2\x9b\xc3\xbc", 9);
    cli_json_string(&text, "b", NULL);
    cli_json_list(&text, "c");
    cli_json_number(&text, NULL, UINT64_MAX);
    cli_json_bool(&text, NULL, true);
    cli_json_end(&text, ']');
    cli_json_base64(&text, "d", "abcd", 4);
    cli_json_bytes(&text, "e", "\xf3\xa0\x81\x81", 4);
    cli_json_end(&text, '}');
    assert_string_equal(text.data,
                        "{\"a\":\"\\\"\\\\\\n\\u001b\\ufffd\\u009b\xc3\xbc\","
                        "\"b\":null,\"c\":[18446744073709551615,true],"
                        "\"d\":\"YWJjZA==\",\"e\":\"\\udb40\\udc41\"}");
    cli_text_fini(&text);
}

static void a_text_stops_at_its_limit_and_says_so(void **state)
{
    struct cli_text text;
    (void)state;
    cli_text_init(&text, theater_env_default());
    text.limit = 10;
    cli_add(&text, "12345");
    cli_add(&text, "123456");
    cli_add(&text, "1");
    assert_string_equal(text.data, "12345");
    assert_true(text.cut);
    assert_false(text.failed);
    cli_text_fini(&text);
}

static void a_line_of_many_lines_is_cut_and_says_so(void **state)
{
    struct cli_text text;
    char *said = malloc(1 << 20);
    (void)state;
    assert_non_null(said);
    memset(said, '\n', 1 << 20);
    struct cli_line line = {.level = THEATER_LOG_INFO,
                            .event = "log",
                            .actor = "pong",
                            .text = said,
                            .len = 1 << 20};
    cli_text_init(&text, theater_env_default());
    cli_format_line(&text, false, false, &line);
    assert_true(text.len < CLI_LINE_MAX + 200);
    assert_non_null(
        strstr(text.data, "[theater] the text before this line was cut\n"));
    cli_text_fini(&text);
    free(said);
}

static void names_that_are_not_plain_are_quoted(void **state)
{
    static const char *const rows[][2] = {
        {"pong", "pong"},
        {"worker-1", "worker-1"},
        {"[router]", "\"[router]\""},
        {"a: b", "\"a: b\""},
        {"a\"b", "\"a\\\"b\""},
        {"a\\\": b", "\"a\\\\\\\": b\""}, /* the quotes end where it does */
        {"a\\", "\"a\\\\\""},
        {"", "\"\""},
    };
    struct cli_text text;
    (void)state;
    cli_text_init(&text, theater_env_default());
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        cli_text_fini(&text);
        cli_add_name(&text, rows[i][0], strlen(rows[i][0]));
        assert_string_equal(text.data, rows[i][1]);
    }
    cli_text_fini(&text);
}

static void times_are_utc_with_milliseconds(void **state)
{
    struct cli_text text;
    (void)state;
    cli_text_init(&text, theater_env_default());
    cli_add_time(&text, UINT64_C(951782399999999999), true);
    assert_string_equal(text.data, "2000-02-28T23:59:59.999Z");
    cli_text_fini(&text);
}

static void the_nearest_word_is_near(void **state)
{
    static const char *const words[] = {"run", "check", "send", "request"};
    (void)state;
    assert_string_equal(cli_nearest("rnu", words, 4), "run");
    assert_string_equal(cli_nearest("chek", words, 4), "check");
    assert_string_equal(cli_nearest("requset", words, 4), "request");
    assert_null(cli_nearest("zebra", words, 4));
    assert_null(cli_nearest("", words, 4));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(what_is_no_printable_character_is_escaped),
        cmocka_unit_test(random_bytes_never_become_a_control_character),
        cmocka_unit_test(json_strings_hold_anything),
        cmocka_unit_test(a_text_stops_at_its_limit_and_says_so),
        cmocka_unit_test(a_line_of_many_lines_is_cut_and_says_so),
        cmocka_unit_test(names_that_are_not_plain_are_quoted),
        cmocka_unit_test(times_are_utc_with_milliseconds),
        cmocka_unit_test(the_nearest_word_is_near),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
