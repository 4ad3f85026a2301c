/* SPDX-License-Identifier: Apache-2.0 */
#include "cli/bench.h"

#include <stdarg.h>
#include <setjmp.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

static struct bench_histogram histogram;

static int empty(void **state)
{
    (void)state;
    memset(&histogram, 0, sizeof histogram);
    return 0;
}

static void an_empty_histogram_answers_0(void **state)
{
    (void)state;
    assert_int_equal(bench_histogram_total(&histogram), 0);
    assert_int_equal(bench_histogram_at(&histogram, 0.5), 0);
    assert_int_equal(bench_histogram_at(&histogram, 1), 0);
}

static void the_median_of_1_to_60_is_exact(void **state)
{
    (void)state;
    for (uint64_t i = 1; i <= 60; i++) {
        bench_histogram_record(&histogram, i);
    }
    assert_int_equal(bench_histogram_total(&histogram), 60);
    assert_int_equal(bench_histogram_at(&histogram, 0.5), 31);
    assert_int_equal(bench_histogram_at(&histogram, 1), 60);
}

/* The value is the smaller half, so its bucket's end is what is answered. */
static void every_value_is_known_to_a_sixty_fourth(void **state)
{
    (void)state;
    for (unsigned bit = 0; bit < 64; bit++) {
        for (uint64_t off = 0; off < 3; off++) {
            uint64_t value = ((uint64_t)1 << bit) - 1 + off;
            if (value == 0) {
                continue; /* the wrap at the top, too */
            }
            memset(&histogram, 0, sizeof histogram);
            bench_histogram_record(&histogram, value);
            bench_histogram_record(&histogram, UINT64_MAX);
            uint64_t said = bench_histogram_at(&histogram, 0.4);
            assert_true(said >= value);
            assert_true(said - value <= value / 64);
        }
    }
}

static void a_rare_slow_one_shows_in_p999_and_not_in_p50(void **state)
{
    (void)state;
    for (int i = 0; i < 9980; i++) {
        bench_histogram_record(&histogram, 100);
    }
    for (int i = 0; i < 20; i++) {
        bench_histogram_record(&histogram, 1000000);
    }
    assert_int_equal(bench_histogram_at(&histogram, 0.5), 100);
    assert_int_equal(bench_histogram_at(&histogram, 0.99), 100);
    assert_int_equal(bench_histogram_at(&histogram, 0.999), 1000000);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup(an_empty_histogram_answers_0, empty),
        cmocka_unit_test_setup(the_median_of_1_to_60_is_exact, empty),
        cmocka_unit_test_setup(every_value_is_known_to_a_sixty_fourth, empty),
        cmocka_unit_test_setup(a_rare_slow_one_shows_in_p999_and_not_in_p50,
                               empty),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
