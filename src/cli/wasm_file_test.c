/* SPDX-License-Identifier: Apache-2.0 */
/* The reader of WebAssembly files shows what a file holds, and no file, cut
 * or changed in any byte, leads it outside the file. */
#include "cli/wasm_file.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

/* (type (func (param i32 i64) (result f32))) (import "m" "f" (func 0))
 * (func (type 0)) (memory 1 16) (export "e" (func 1)) (export "mem" (memory
 * 0)) (start 1), a custom section "name". */
static const uint8_t core[] = {
    0, 'a', 's', 'm',  1,   0,    0,    0,                       /* header */
    1, 7,   1,   0x60, 2,   0x7f, 0x7e, 1, 0x7d,                 /* type */
    2, 7,   1,   1,    'm', 1,    'f',  0, 0,                    /* import */
    3, 2,   1,   0,                                              /* function */
    5, 4,   1,   1,    1,   16,                                  /* memory */
    7, 11,  2,   1,    'e', 0,    1,    3, 'm',  'e', 'm', 2, 0, /* export */
    8, 1,   1,                                                   /* start */
    0, 5,   4,   'n',  'a', 'm',  'e',                           /* custom */
};

/* An imported instance, an exported func with its type. */
static const uint8_t component[] = {
    0,  'a', 's', 'm', 0x0d, 0,   1,   0,                  /* header */
    10, 8,   1,   0,   3,    'a', ':', 'b', 5, 0,          /* import */
    11, 11,  1,   0,   3,    'r', 'u', 'n', 1, 0, 1, 1, 0, /* export */
};

static char *type_of(const struct wasm_file *file, const struct wasm_item *item,
                     struct cli_text *text)
{
    cli_text_init(text, theater_env_default());
    wasm_add_type(text, file, item);
    return text->data;
}

static void a_core_module_is_read(void **state)
{
    struct wasm_file file;
    struct cli_text text;
    (void)state;
    assert_true(wasm_file_read(&file, core, sizeof core));
    assert_string_equal(file.problem, "");
    assert_false(file.component);
    assert_true(file.has_start);
    assert_int_equal(file.sections_len, 7);
    assert_int_equal(file.imports.len, 1);
    assert_int_equal(file.exports.len, 2);
    assert_memory_equal(file.imports.items[0].name.data, "f", 1);
    assert_string_equal(type_of(&file, &file.imports.items[0], &text),
                        "func(i32, i64) -> f32");
    cli_text_fini(&text);
    assert_string_equal(type_of(&file, &file.exports.items[0], &text),
                        "func(i32, i64) -> f32");
    cli_text_fini(&text);
    assert_string_equal(type_of(&file, &file.memories.items[0], &text),
                        "memory 1 to 16 pages");
    cli_text_fini(&text);
    wasm_file_fini(&file);
}

static void a_component_is_read(void **state)
{
    struct wasm_file file;
    (void)state;
    assert_true(wasm_file_read(&file, component, sizeof component));
    assert_string_equal(file.problem, "");
    assert_true(file.component);
    assert_int_equal(file.imports.len, 1);
    assert_string_equal(file.imports.items[0].kind, "instance");
    assert_int_equal(file.exports.len, 1);
    assert_string_equal(file.exports.items[0].kind, "func");
    assert_memory_equal(file.exports.items[0].name.data, "run", 3);
    wasm_file_fini(&file);
}

static void read_any(const uint8_t *data, size_t len)
{
    struct wasm_file file;
    /* Of just that size, so that a sanitizer sees each step outside. */
    uint8_t *copy = malloc(len == 0 ? 1 : len);
    assert_non_null(copy);
    memcpy(copy, data, len);
    (void)wasm_file_read(&file, copy, len);
    const struct wasm_items *lists[] = {&file.imports, &file.exports,
                                        &file.memories};
    for (size_t i = 0; i < 3; i++) {
        for (size_t k = 0; k < lists[i]->len; k++) {
            struct cli_text text;
            (void)type_of(&file, &lists[i]->items[k], &text);
            cli_text_fini(&text);
        }
    }
    wasm_file_fini(&file);
    free(copy);
}

static void no_file_leads_outside(void **state)
{
    const struct {
        const uint8_t *data;
        size_t len;
    } files[] = {{core, sizeof core}, {component, sizeof component}};
    (void)state;
    for (size_t f = 0; f < 2; f++) {
        uint8_t data[128];
        for (size_t len = 0; len <= files[f].len; len++) {
            read_any(files[f].data, len);
        }
        for (size_t at = 0; at < files[f].len; at++) {
            memcpy(data, files[f].data, files[f].len);
            for (unsigned value = 0; value < 256; value++) {
                data[at] = (uint8_t)value;
                read_any(data, files[f].len);
            }
        }
    }
}

static void what_is_cut_is_said(void **state)
{
    struct wasm_file file;
    (void)state;
    assert_true(wasm_file_read(&file, core, sizeof core - 1));
    assert_non_null(strstr(file.problem, "section custom at byte"));
    assert_int_equal(file.exports.len, 2);
    wasm_file_fini(&file);
    assert_false(wasm_file_read(&file, (const uint8_t *)"#!/bin/sh", 9));
    assert_non_null(strstr(file.problem, "no WebAssembly file"));
    wasm_file_fini(&file);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_core_module_is_read),
        cmocka_unit_test(a_component_is_read),
        cmocka_unit_test(no_file_leads_outside),
        cmocka_unit_test(what_is_cut_is_said),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
