/* SPDX-License-Identifier: Apache-2.0 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "base/env_fault.h"
#include "runtime/lines.h"

struct got {
    size_t count;
    size_t bytes;
    theater_log_level_t level;
    char last[TH_LINE_MAX + 1];
};

static void get(void *user, theater_log_level_t level, const char *text,
                size_t len)
{
    struct got *got = user;
    assert_int_equal(text[len], 0);
    assert_true(len <= TH_LINE_MAX);
    got->count++;
    got->bytes += len;
    got->level = level;
    memcpy(got->last, text, len + 1);
}

static theater_bytes_t bytes(const void *data, size_t len)
{
    return (theater_bytes_t){data, len};
}

static void lines_come_out_in_order_and_whole(void **state)
{
    (void)state;
    const theater_env_t *env = theater_env_default();
    struct th_lines lines = {0};
    struct got got = {0};
    char text[] = "line 0";
    for (int i = 0; i < 1000; i++) {
        text[5] = (char)('0' + i % 10);
        th_lines_add(env, &lines, THEATER_LOG_DEBUG, bytes(text, 6));
    }
    th_lines_add(env, &lines, THEATER_LOG_TRACE, bytes("a\0b", 3));
    th_lines_add(env, &lines, THEATER_LOG_ERROR, bytes(NULL, 0));
    assert_true(th_lines_any(&lines));
    th_lines_drain(env, &lines, SIZE_MAX, get, &got);
    assert_false(th_lines_any(&lines));
    assert_int_equal(got.count, 1002);
    assert_int_equal(got.bytes, 6003);
    assert_int_equal(got.level, THEATER_LOG_ERROR);
    assert_string_equal(got.last, "");
}

static void lines_may_be_handed_on_by_parts(void **state)
{
    (void)state;
    const theater_env_t *env = theater_env_default();
    struct th_lines lines = {0};
    struct got got = {0};
    for (int i = 0; i < 5; i++) {
        char text[] = {(char)('0' + i)};
        th_lines_add(env, &lines, THEATER_LOG_INFO, bytes(text, 1));
    }
    th_lines_drain(env, &lines, 3, get, &got);
    assert_int_equal(got.count, 3);
    assert_string_equal(got.last, "2");
    th_lines_add(env, &lines, THEATER_LOG_INFO, bytes("5", 1));
    th_lines_drain(env, &lines, 3, get, &got);
    assert_int_equal(got.count, 6);
    assert_string_equal(got.last, "5");
    assert_false(th_lines_any(&lines));
}

static void a_cut_does_not_split_a_character(void **state)
{
    (void)state;
    const theater_env_t *env = theater_env_default();
    static char text[3 * TH_LINE_MAX];
    for (size_t i = 0; i < sizeof text; i += 3) {
        memcpy(text + i, "\xe2\x82\xac", 3);
    }
    for (size_t len = TH_LINE_MAX - 2; len < TH_LINE_MAX + 9; len++) {
        struct th_lines lines = {0};
        struct got got = {0};
        size_t whole = len - len % 3;
        th_lines_add(env, &lines, THEATER_LOG_INFO, bytes(text, whole));
        th_lines_drain(env, &lines, SIZE_MAX, get, &got);
        assert_true(th_utf8_ok((const uint8_t *)got.last, strlen(got.last)));
        assert_int_equal(strstr(got.last, " [cut: ") != NULL,
                         whole > TH_LINE_MAX);
    }
}

static void lost_lines_are_counted_and_told(void **state)
{
    (void)state;
    struct th_fault_env fault;
    struct th_lines lines = {0};
    struct got got = {0};
    th_fault_env_init(&fault, theater_env_default());
    th_fault_env_fail(&fault, TH_FAULT_ALLOC, 1, false);
    for (int i = 0; i < 3; i++) {
        th_lines_add(&fault.table, &lines, THEATER_LOG_INFO, bytes("x", 1));
    }
    th_lines_drain(&fault.table, &lines, SIZE_MAX, get, &got);
    assert_int_equal(got.count, 1);
    assert_string_equal(got.last, "3 lines were lost: too many in one turn");
    assert_int_equal(th_fault_env_live(&fault), 0);
}

static void memory_for_lines_is_bounded(void **state)
{
    (void)state;
    const theater_env_t *env = theater_env_default();
    struct th_lines lines = {0};
    struct got got = {0};
    static const char text[1000];
    for (int i = 0; i < 5000; i++) {
        th_lines_add(env, &lines, THEATER_LOG_INFO, bytes(text, sizeof text));
    }
    assert_true(lines.capacity <= TH_LINES_HARD);
    assert_true(lines.lost > 3000);
    size_t kept = 5000 - (size_t)lines.lost;
    th_lines_drain(env, &lines, SIZE_MAX, get, &got);
    assert_int_equal(got.count, kept + 1);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(lines_come_out_in_order_and_whole),
        cmocka_unit_test(lines_may_be_handed_on_by_parts),
        cmocka_unit_test(a_cut_does_not_split_a_character),
        cmocka_unit_test(lost_lines_are_counted_and_told),
        cmocka_unit_test(memory_for_lines_is_bounded),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
