/* SPDX-License-Identifier: Apache-2.0 */
/* The version's text and its numbers say the same. */
#include <theater/version.h>

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

#include <cmocka.h>

static void text_and_numbers_agree(void **state)
{
    char text[32];
    (void)state;
    snprintf(text, sizeof(text), "%d.%d.%d", THEATER_VERSION_MAJOR,
             THEATER_VERSION_MINOR, THEATER_VERSION_PATCH);
    assert_string_equal(theater_version(), text);
    assert_string_equal(THEATER_VERSION, text);
    assert_string_equal(THEATER_BUILD_VERSION, text);
    assert_int_equal(theater_version_num(), THEATER_VERSION_NUM);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(text_and_numbers_agree),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
