/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What a person relies on when a file is read: the values, the places, the
 * errors, the bounds, and that running out of memory is a status. The whole
 * language is the suite's affair (tests/toml).
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <locale.h>
#include <stdio.h>
#include <stdlib.h>

#include "base/base.h"
#include "base/env_fault.h"
#include "base/toml.h"

#define TEXT(s) (s), sizeof(s) - 1

static struct th_toml *parse(const char *text, size_t len)
{
    struct th_toml *doc = NULL;
    struct th_toml_error err = {{0, 0}, ""};
    theater_status_t status =
        th_toml_parse(theater_env_default(), text, len, NULL, &doc, &err);
    if (status != THEATER_OK) {
        fail_msg("%u:%u: %s", (unsigned)err.place.line,
                 (unsigned)err.place.column, err.text);
    }
    return doc;
}

static const struct th_toml_node *get(const struct th_toml *doc,
                                      const struct th_toml_node *table,
                                      const char *key)
{
    const struct th_toml_entry *entry =
        th_toml_find(doc, table, key, strlen(key));
    assert_non_null(entry);
    return entry->value;
}

static const struct th_toml_node *top(const struct th_toml *doc,
                                      const char *key)
{
    return get(doc, th_toml_root(doc), key);
}

static void assert_text(const struct th_toml_node *node, const char *text,
                        size_t len)
{
    assert_int_equal(node->kind, TH_TOML_STRING);
    assert_int_equal(node->as.string.len, len);
    assert_memory_equal(node->as.string.data, text, len);
    assert_int_equal(node->as.string.data[len], 0);
}

/* The text is refused there, with a message that holds `part`. */
static void assert_refused(const char *text, size_t len, unsigned line,
                           unsigned column, const char *part)
{
    struct th_toml *doc = NULL;
    struct th_toml_error err = {{0, 0}, ""};
    theater_status_t status =
        th_toml_parse(theater_env_default(), text, len, NULL, &doc, &err);
    assert_int_equal(status, THEATER_INVALID_ARGUMENT);
    assert_null(doc);
    if (err.place.line != line || err.place.column != column ||
        strstr(err.text, part) == NULL) {
        fail_msg("got %u:%u: %s", (unsigned)err.place.line,
                 (unsigned)err.place.column, err.text);
    }
}

static void an_empty_text_is_an_empty_table(void **state)
{
    (void)state;
    struct th_toml *doc = parse(NULL, 0);
    assert_int_equal(th_toml_root(doc)->as.table.count, 0);
    th_toml_delete(doc);
    doc = parse(TEXT("\xEF\xBB\xBF# only a comment\r\n\n"));
    assert_int_equal(th_toml_root(doc)->as.table.count, 0);
    th_toml_delete(doc);
}

static void every_kind_of_value_is_read(void **state)
{
    (void)state;
    struct th_toml *doc = parse(TEXT("s = \"t\\u00e9xt\\n\"\n"
                                     "raw = 'C:\\x'\n"
                                     "multi = \"\"\"\na\\\n   b\"\"\"\"\n"
                                     "nul = \"a\\u0000b\"\n"
                                     "i = -9_223_372_036_854_775_808\n"
                                     "h = 0xFF\n"
                                     "f = 1.5e3\n"
                                     "b = true\n"
                                     "d = 2024-02-29 07:32:00z\n"
                                     "l = [1, [2, 3,], ]\n"
                                     "t = {x.y = 1, z = 2}\n"));
    assert_text(top(doc, "s"), TEXT("t\xC3\xA9xt\n"));
    assert_text(top(doc, "raw"), TEXT("C:\\x"));
    assert_text(top(doc, "multi"), TEXT("ab\""));
    assert_text(top(doc, "nul"), TEXT("a\0b"));
    assert_true(top(doc, "i")->as.integer == INT64_MIN);
    assert_int_equal(top(doc, "h")->as.integer, 255);
    assert_true(top(doc, "f")->as.real == 1500.0);
    assert_true(top(doc, "b")->as.boolean);
    assert_int_equal(top(doc, "d")->kind, TH_TOML_DATETIME);
    assert_string_equal(top(doc, "d")->as.string.data, "2024-02-29T07:32:00Z");
    assert_int_equal(top(doc, "l")->as.array.count, 2);
    assert_int_equal(top(doc, "l")->as.array.last->as.array.count, 2);
    const struct th_toml_node *x = get(doc, top(doc, "t"), "x");
    assert_int_equal(get(doc, x, "y")->as.integer, 1);
    th_toml_delete(doc);
}

static void headers_and_dotted_keys_build_one_tree(void **state)
{
    (void)state;
    struct th_toml *doc = parse(TEXT("[a.b]\nc.d = 1\n[a]\ne = 2\n"
                                     "[[l]]\nn = 1\n[l.sub]\nm = 1\n"
                                     "[[l]]\nn = 2\n"));
    const struct th_toml_node *b = get(doc, top(doc, "a"), "b");
    assert_int_equal(get(doc, get(doc, b, "c"), "d")->as.integer, 1);
    assert_int_equal(get(doc, top(doc, "a"), "e")->as.integer, 2);
    const struct th_toml_node *list = top(doc, "l");
    assert_int_equal(list->as.array.count, 2);
    const struct th_toml_node *first = list->as.array.first;
    assert_int_equal(get(doc, get(doc, first, "sub"), "m")->as.integer, 1);
    assert_int_equal(get(doc, first->next, "n")->as.integer, 2);
    assert_null(th_toml_find(doc, first->next, "sub", 3));
    th_toml_delete(doc);
}

static void keys_and_values_know_their_places_in_characters(void **state)
{
    (void)state;
    struct th_toml *doc =
        parse(TEXT("# \xC3\xA9\r\n  \"\xC3\xA9\xC3\xA9\" = [1,\n 22, 'x']\n"
                   "[t]\n  k = true\n"));
    const struct th_toml_entry *entry =
        th_toml_find(doc, th_toml_root(doc), TEXT("\xC3\xA9\xC3\xA9"));
    assert_non_null(entry);
    assert_int_equal(entry->place.line, 2);
    assert_int_equal(entry->place.column, 3);
    assert_int_equal(entry->value->place.column, 10);
    const struct th_toml_node *second = entry->value->as.array.first->next;
    assert_int_equal(second->place.line, 3);
    assert_int_equal(second->place.column, 2);
    assert_int_equal(second->next->place.column, 6);
    assert_int_equal(top(doc, "t")->place.line, 4);
    assert_int_equal(top(doc, "t")->place.column, 2);
    assert_int_equal(get(doc, top(doc, "t"), "k")->place.column, 7);
    th_toml_delete(doc);
}

static void errors_name_the_place_and_the_remedy(void **state)
{
    (void)state;
    assert_refused(TEXT("a = 1\na = 2"), 2, 1, "was set in line 1");
    assert_refused(TEXT("name pong"), 1, 6,
                   "expected '=' after the key 'name'");
    assert_refused(TEXT("name = pong"), 1, 8, "double quotes");
    assert_refused(TEXT("a = \"x\nb = 1"), 1, 7, "not closed");
    assert_refused(TEXT("a = '''x\n"), 1, 5, "add '''");
    assert_refused(TEXT("\na = \"\xC3\xA9\\q\""), 2, 7, "unknown escape \\q");
    assert_refused(TEXT("a = \"\"\"\n  \\ud800\"\"\""), 2, 3, "U+D800");
    assert_refused(TEXT("a = 1 b = 2"), 1, 7, "end of the line");
    assert_refused(TEXT("[a]\n[a]"), 2, 2, "line 1");
    assert_refused(TEXT("a = {b = 1}\n[a.c]"), 2, 2, "can't be extended");
    assert_refused(TEXT("a = 99999999999999999999"), 1, 5, "64 bits");
    assert_refused(TEXT("a = 2023-02-29"), 1, 5, "no date");
    assert_refused(TEXT("a = ["), 1, 6, "the end of the file");
    assert_refused(TEXT("= 1"), 1, 1, "expected a key");
}

static void bytes_that_are_no_text_are_refused_with_their_place(void **state)
{
    (void)state;
    assert_refused(TEXT("a = 1\nb = \"\xFF\""), 2, 6, "0xFF is not UTF-8");
    assert_refused(TEXT("a = \"\xED\xA0\x80\""), 1, 6, "not UTF-8");
    assert_refused(TEXT("a = \"\xC0\x80\""), 1, 6, "not UTF-8");
    assert_refused(TEXT("a = \"\xE2\x82"), 1, 6, "not UTF-8");
    assert_refused(TEXT("a = 1\n\0"), 2, 1, "NUL");
    assert_refused(TEXT("a = \"\x1B[2J\""), 1, 6, "control character 0x1B");
}

static void an_error_never_repeats_control_characters_of_the_file(void **state)
{
    (void)state;
    assert_refused(TEXT("\"\\u001b[2J\\u0085\" 1"), 1, 19, "'?[2J?'");
}

static void a_text_over_the_limit_is_not_parsed(void **state)
{
    (void)state;
    struct th_toml *doc = NULL;
    struct th_toml_error err;
    struct th_toml_limits limits = {.max_bytes = 8};
    assert_int_equal(th_toml_parse(theater_env_default(), TEXT("a = 1234"),
                                   &limits, &doc, &err),
                     THEATER_OK);
    th_toml_delete(doc);
    assert_int_equal(th_toml_parse(theater_env_default(), TEXT("a = 12345"),
                                   &limits, &doc, &err),
                     THEATER_TOO_LARGE);
    assert_non_null(strstr(err.text, "at most 8"));
}

static void nesting_is_bounded_on_every_way_to_nest(void **state)
{
    (void)state;
    static char text[4096];
    memset(text, '[', sizeof(text));
    memcpy(text, "a = ", 4);
    assert_refused(text, sizeof(text), 1, 68, "deeper than 64");
    memset(text, 0, sizeof(text));
    for (size_t i = 0; i < 100; i++) {
        memcpy(text + 2 * i, "a.", 2);
    }
    memcpy(text + 200, "a = 1", 5);
    assert_refused(text, 205, 1, 127, "deeper than 64");
    text[0] = '[';
    for (size_t i = 0; i < 100; i++) {
        memcpy(text + 1 + 2 * i, "a.", 2);
    }
    memcpy(text + 201, "a]", 2);
    assert_refused(text, 203, 1, 126, "deeper than 64");
    for (size_t i = 0; i < 100; i++) {
        memcpy(text + 6 * i, "a = {", 6);
        text[6 * i + 5] = ' ';
    }
    assert_refused(text, 600, 1, 383, "deeper than 64");
}

static void a_hundred_thousand_keys_are_read_in_linear_time(void **state)
{
    (void)state;
    enum { KEYS = 100000 };
    size_t size = (size_t)KEYS * 16;
    char *text = malloc(size);
    assert_non_null(text);
    size_t len = 0;
    for (int i = 0; i < KEYS; i++) {
        len += (size_t)snprintf(text + len, size - len, "k%d=%d\n", i, i);
    }
    struct th_toml_limits limits = {.max_bytes = size};
    struct th_toml *doc = NULL;
    assert_int_equal(
        th_toml_parse(theater_env_default(), text, len, &limits, &doc, NULL),
        THEATER_OK);
    free(text);
    assert_int_equal(th_toml_root(doc)->as.table.count, KEYS);
    assert_int_equal(top(doc, "k0")->as.integer, 0);
    assert_int_equal(top(doc, "k99999")->as.integer, 99999);
    th_toml_delete(doc);
}

static void floats_do_not_depend_on_the_locale(void **state)
{
    (void)state;
    /* Not every machine has it; the result must be the same in any case. */
    (void)setlocale(LC_ALL, "de_DE.UTF-8");
    struct th_toml *doc = parse(TEXT("f = 1.25"));
    assert_true(top(doc, "f")->as.real == 1.25);
    th_toml_delete(doc);
    (void)setlocale(LC_ALL, "C");
}

static void
memory_that_runs_out_anywhere_is_a_status_and_leaks_nothing(void **state)
{
    (void)state;
    static char text[65536];
    size_t len = (size_t)snprintf(
        text, sizeof(text),
        "[a.b]\nc.d = 1.5\n[[l]]\nd = 2024-02-29\nq = {x = [1, 'y']}\n");
    for (int i = 0; i < 1500; i++) {
        len += (size_t)snprintf(text + len, sizeof(text) - len,
                                "k%d.x = \"some text\"\n", i);
    }
    uint64_t k = 1;
    for (;; k++) {
        struct th_fault_env fault;
        struct th_toml *doc = NULL;
        struct th_toml_error err;
        th_fault_env_init(&fault, theater_env_default());
        th_fault_env_fail(&fault, TH_FAULT_ALLOC, k, true);
        theater_status_t status =
            th_toml_parse(&fault.table, text, len, NULL, &doc, &err);
        bool failed = th_fault_env_failed(&fault, TH_FAULT_ALLOC) != 0;
        assert_int_equal(status, failed ? THEATER_OUT_OF_MEMORY : THEATER_OK);
        assert_int_equal(doc == NULL, failed);
        th_toml_delete(doc);
        assert_int_equal(th_fault_env_live(&fault), 0);
        if (!failed) {
            break;
        }
    }
    assert_true(k > 20); /* the arena grew often enough to be a test */
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(an_empty_text_is_an_empty_table),
        cmocka_unit_test(every_kind_of_value_is_read),
        cmocka_unit_test(headers_and_dotted_keys_build_one_tree),
        cmocka_unit_test(keys_and_values_know_their_places_in_characters),
        cmocka_unit_test(errors_name_the_place_and_the_remedy),
        cmocka_unit_test(bytes_that_are_no_text_are_refused_with_their_place),
        cmocka_unit_test(an_error_never_repeats_control_characters_of_the_file),
        cmocka_unit_test(a_text_over_the_limit_is_not_parsed),
        cmocka_unit_test(nesting_is_bounded_on_every_way_to_nest),
        cmocka_unit_test(a_hundred_thousand_keys_are_read_in_linear_time),
        cmocka_unit_test(floats_do_not_depend_on_the_locale),
        cmocka_unit_test(
            memory_that_runs_out_anywhere_is_a_status_and_leaks_nothing),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
