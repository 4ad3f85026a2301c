/* SPDX-License-Identifier: Apache-2.0 */
#include "handlers/message_server/server.h"

#include <setjmp.h>
#include <stdarg.h>
#include <cmocka.h>

static bool reads(char kind, const void *text, size_t len, uint64_t *value)
{
    return th_id_read(kind, (theater_bytes_t){text, len}, value);
}

static void an_id_comes_back_from_its_text(void **state)
{
    (void)state;
    struct th_rng rng;
    th_rng_init(&rng, 1);
    for (int i = 0; i < 10000; i++) {
        uint64_t value = th_rng_next(&rng) >> th_rng_below(&rng, 64);
        char text[TH_ID_TEXT];
        uint64_t back = ~value;
        th_id_write('c', value, text);
        assert_true(reads('c', text, sizeof(text), &back));
        assert_true(back == value);
    }
}

static void an_id_of_one_kind_is_none_of_another(void **state)
{
    (void)state;
    static const char kinds[] = "rct";
    for (int a = 0; a < 3; a++) {
        for (int b = 0; b < 3; b++) {
            char text[TH_ID_TEXT];
            uint64_t back = 0;
            th_id_write(kinds[a], 7, text);
            bool same = a == b;
            assert_int_equal(reads(kinds[b], text, TH_ID_TEXT, &back), same);
        }
    }
}

/* One text for one id: every other byte at every place is refused, unless it
 * is the text of another id. */
static void nothing_but_the_exact_form_is_read(void **state)
{
    (void)state;
    char text[TH_ID_TEXT + 1];
    uint64_t back = 0;
    th_id_write('r', UINT64_C(0x0123456789abcdef), text);
    text[TH_ID_TEXT] = '0';
    for (size_t len = 0; len <= sizeof(text); len++) {
        assert_int_equal(reads('r', text, len, &back), len == TH_ID_TEXT);
    }
    for (size_t at = 0; at < TH_ID_TEXT; at++) {
        for (int byte = 0; byte < 256; byte++) {
            char other[TH_ID_TEXT];
            memcpy(other, text, TH_ID_TEXT);
            other[at] = (char)byte;
            bool digit =
                (byte >= '0' && byte <= '9') || (byte >= 'a' && byte <= 'f');
            bool good = at == 0 ? byte == 'r' : digit;
            assert_int_equal(reads('r', other, TH_ID_TEXT, &back), good);
            if (good) {
                char again[TH_ID_TEXT];
                th_id_write('r', back, again);
                assert_memory_equal(again, other, TH_ID_TEXT);
            }
        }
    }
    assert_false(reads('r', NULL, 0, &back));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(an_id_comes_back_from_its_text),
        cmocka_unit_test(an_id_of_one_kind_is_none_of_another),
        cmocka_unit_test(nothing_but_the_exact_form_is_read),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
