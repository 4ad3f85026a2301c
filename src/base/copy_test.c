/* SPDX-License-Identifier: Apache-2.0 */
/* Copies of what may be long. */
#include "base/base.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <cmocka.h>

enum { MOST = 3 * 4096 + 2, BESIDE = 64 };

static uint8_t from[MOST], to[MOST + 2 * BESIDE];

static bool is_copied(size_t len)
{
    for (size_t i = 0; i < sizeof to; i++) {
        bool inside = i >= BESIDE && i - BESIDE < len;
        if (to[i] != (inside ? from[i - BESIDE] : 0xEE)) {
            return false;
        }
    }
    return true;
}

static void what_is_copied_is_whole_and_nothing_beside_it_changes(void **state)
{
    (void)state;
    for (size_t i = 0; i < MOST; i++) {
        from[i] = (uint8_t)(th_hash64(&i, sizeof i, 1) % 0xEE);
    }
    for (size_t near = 0; near < MOST; near += 2048) {
        for (size_t len = near < 2 ? 0 : near - 2; len <= near + 2; len++) {
            memset(to, 0xEE, sizeof to);
            th_copy(to + BESIDE, from, len);
            assert_true(is_copied(len));
        }
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(what_is_copied_is_whole_and_nothing_beside_it_changes),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
