/* SPDX-License-Identifier: Apache-2.0 */
/* Stamps change with what is looked at, and not with what is ignored, whatever
 * the .gitignore is. */
#include "cli/watch.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cmocka.h>

static char folder[256];

static int enter(void **state)
{
    const char *base = getenv("TMPDIR");
    (void)state;
    snprintf(folder, sizeof folder, "%s/theater-watch-XXXXXX",
             base != NULL ? base : "/tmp");
    return mkdtemp(folder) != NULL && chdir(folder) == 0 ? 0 : -1;
}

static int leave(void **state)
{
    (void)state;
    return chdir("/") == 0 ? rmdir(folder) : -1;
}

static void put(const char *name, const char *text)
{
    FILE *file = fopen(name, "w");
    assert_non_null(file);
    assert_true(fputs(text, file) >= 0);
    assert_int_equal(fclose(file), 0);
}

/* Whether a file of that name, in this folder, changes the stamp. */
static bool is_seen(const char *name)
{
    uint64_t before = cli_stamp_folder(folder);
    put(name, "made");
    uint64_t after = cli_stamp_folder(folder);
    assert_int_equal(unlink(name), 0);
    assert_int_equal(cli_stamp_folder(folder), before);
    return after != before;
}

static void what_gitignore_names_is_not_seen(void **state)
{
    (void)state;
    put(".gitignore", "*.o\r\n# c\n\n/made/\nin/*.x\n//\nlast");
    assert_int_equal(mkdir("in", 0700), 0);
    assert_false(is_seen("a.o"));
    assert_false(is_seen("made"));
    assert_false(is_seen("in/a.x"));
    assert_false(is_seen("last"));
    assert_false(is_seen(".hidden"));
    assert_true(is_seen("in/made"));
    assert_true(is_seen("in/a.y"));
    assert_true(is_seen("# c"));
    assert_true(is_seen(" c"));
    assert_true(is_seen("a.oo"));
    assert_int_equal(rmdir("in"), 0);
    assert_int_equal(unlink(".gitignore"), 0);
}

/* The test's time limit is the bound. */
static void a_pipe_named_gitignore_keeps_nobody_waiting(void **state)
{
    (void)state;
    assert_int_equal(mkfifo(".gitignore", 0600), 0);
    assert_true(is_seen("a.o"));
    assert_int_equal(unlink(".gitignore"), 0);
}

static void a_long_line_is_one_pattern(void **state)
{
    (void)state;
    /* Whoever cuts it at 64, 128, ... reads "a.o" as a pattern of its own. */
    for (size_t cut = 63; cut < 4200; cut += cut < 300 ? 1 : 511) {
        FILE *file = fopen(".gitignore", "w");
        assert_non_null(file);
        for (size_t i = 0; i < cut; i++) {
            fputc('x', file);
        }
        fputs("a.o\nafter\n", file);
        assert_int_equal(fclose(file), 0);
        assert_true(is_seen("a.o"));
        assert_false(is_seen("after"));
    }
    assert_int_equal(unlink(".gitignore"), 0);
}

static void the_lines_within_the_bound_count(void **state)
{
    (void)state;
    FILE *file = fopen(".gitignore", "w");
    assert_non_null(file);
    fputs("first\n", file);
    for (int i = 6; i < CLI_IGNORES_MAX - 2; i++) {
        fputc(i % 100 == 0 ? '\n' : 'x', file);
    }
    fputs("\na.o.long\nbehind\n", file);
    assert_int_equal(fclose(file), 0);
    assert_false(is_seen("first"));
    assert_true(is_seen("a"));
    assert_true(is_seen("behind"));
    assert_int_equal(unlink(".gitignore"), 0);
}

static void many_stars_cost_little(void **state)
{
    char name[256];
    (void)state;
    FILE *file = fopen(".gitignore", "w");
    assert_non_null(file);
    for (int i = 0; i < 60; i++) {
        fputs("*a", file);
    }
    fputs("*b\n", file);
    assert_int_equal(fclose(file), 0);
    memset(name, 'a', sizeof name - 1);
    name[sizeof name - 1] = '\0';
    assert_true(is_seen(name));
    name[sizeof name - 2] = 'b';
    assert_false(is_seen(name));
    assert_int_equal(unlink(".gitignore"), 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(what_gitignore_names_is_not_seen),
        cmocka_unit_test(a_pipe_named_gitignore_keeps_nobody_waiting),
        cmocka_unit_test(a_long_line_is_one_pattern),
        cmocka_unit_test(the_lines_within_the_bound_count),
        cmocka_unit_test(many_stars_cost_little),
    };
    return cmocka_run_group_tests(tests, enter, leave);
}
