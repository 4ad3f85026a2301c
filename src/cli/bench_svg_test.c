/* SPDX-License-Identifier: Apache-2.0 */
/* The picture: places are logarithms, texts are escaped, nothing comes from
 * outside. */
#include "cli/bench_svg.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

static struct cli_text text;

static int nothing(void **state)
{
    (void)state;
    cli_text_init(&text, theater_env_default());
    return 0;
}

static int gone(void **state)
{
    (void)state;
    cli_text_fini(&text);
    return 0;
}

static void draw(const struct bench_svg *svg)
{
    bench_svg_draw(&text, svg);
    assert_false(text.failed);
    /* Else strstr would stop before the end. */
    assert_int_equal(strlen(text.data), text.len);
}

/* The places of the first line's points. */
static void points(double x[3], double y[3])
{
    const char *at = strstr(text.data, "points=\"");
    assert_non_null(at);
    assert_int_equal(sscanf(at, "points=\"%lf,%lf %lf,%lf %lf,%lf", &x[0],
                            &y[0], &x[1], &y[1], &x[2], &y[2]),
                     6);
}

static void ten_times_as_much_is_as_far_everywhere(void **state)
{
    const struct bench_svg svg = {
        .title = "t",
        .caption = "c",
        .len = 1,
        .lines = {
            {.name = "n",
             .note = "",
             .len = 3,
             .points = {{1, 1e4, 0, 0}, {10, 1e5, 0, 0}, {100, 1e6, 0, 0}}}}};
    double x[3];
    double y[3];
    (void)state;
    draw(&svg);
    points(x, y);
    /* Rounded to a tenth of a pixel. */
    assert_true(x[1] - x[0] > 50);
    assert_true(x[2] - x[1] > x[1] - x[0] - 0.2);
    assert_true(x[2] - x[1] < x[1] - x[0] + 0.2);
    assert_true(y[0] - y[1] > 50);
    assert_true(y[1] - y[2] > y[0] - y[1] - 0.2);
    assert_true(y[1] - y[2] < y[0] - y[1] + 0.2);
}

static void every_point_has_its_figure(void **state)
{
    const struct bench_svg svg = {
        .title = "t",
        .caption = "c",
        .len = 1,
        .lines = {{.name = "n",
                   .note = "",
                   .len = 3,
                   .points = {{1, 7641234, 7e6, 8e6},
                              {10, 500e3, 0, 0},
                              {100, 34.26e6, 0, 0}}}}};
    (void)state;
    draw(&svg);
    assert_non_null(strstr(text.data, ">7.64 M<"));
    assert_non_null(strstr(text.data, ">500 k<"));
    assert_non_null(strstr(text.data, ">34.3 M<"));
    /* One has a range. */
    const char *range = strstr(text.data, "class=\"range");
    assert_non_null(range);
    assert_null(strstr(range + 1, "class=\"range"));
}

static void a_rate_beyond_the_axis_stays_inside(void **state)
{
    const struct bench_svg svg = {
        .title = "t",
        .caption = "c",
        .len = 1,
        .lines = {
            {.name = "n",
             .note = "",
             .len = 3,
             .points = {{1, 0, 0, 0}, {10, 1e12, 0, 0}, {100, 1, 0, 0}}}}};
    double x[3];
    double y[3];
    (void)state;
    draw(&svg);
    points(x, y);
    for (int i = 0; i < 3; i++) {
        assert_true(y[i] > 0 && y[i] < 560);
    }
}

static void texts_are_escaped(void **state)
{
    const struct bench_svg svg = {.title = "a<b & c",
                                  .caption = "</svg>\n\033",
                                  .len = 1,
                                  .lines = {{.name = "<x>", .note = "&"}}};
    (void)state;
    draw(&svg);
    assert_non_null(strstr(text.data, ">a&lt;b &amp; c</text>"));
    assert_non_null(strstr(text.data, ">&lt;x>"));
    assert_non_null(strstr(text.data, ">&lt;/svg>  </text>"));
}

static void it_needs_nothing_from_outside_and_knows_the_dark(void **state)
{
    const struct bench_svg svg = {.title = "t", .caption = "c"};
    (void)state;
    draw(&svg);
    const char *link = strstr(text.data, "http");
    assert_non_null(link); /* the name space */
    assert_null(strstr(link + 1, "http"));
    assert_null(strstr(text.data, "href"));
    assert_null(strstr(text.data, "url("));
    assert_null(strstr(text.data, "@import"));
    assert_null(strstr(text.data, "<script"));
    assert_non_null(strstr(text.data, "(prefers-color-scheme: dark)"));
    assert_non_null(strstr(text.data, "viewBox="));
}

#define CASE(name) cmocka_unit_test_setup_teardown(name, nothing, gone)

int main(void)
{
    const struct CMUnitTest tests[] = {
        CASE(ten_times_as_much_is_as_far_everywhere),
        CASE(every_point_has_its_figure),
        CASE(a_rate_beyond_the_axis_stays_inside),
        CASE(texts_are_escaped),
        CASE(it_needs_nothing_from_outside_and_knows_the_dark),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
