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

/* (import "a:b/c@1.0.0" (instance (type $e (enum "bad" "worse"))
 *   (export "code" (type $c (eq $e))) (export "thing" (type $r (sub resource)))
 *   (export "send" (func (param "address" string) (param "data" (list u8))
 *     (result (result (error string)))))
 *   (export "look" (func (param "self" (borrow $r))
 *     (result (option (tuple $c u32)))))))
 * and a module whose function is lifted: (export "run" (func (param "x" u32)))
 */
static const uint8_t typed[] = {
    0x00, 0x61, 0x73, 0x6d, 0x0d, 0x00, 0x01, 0x00, 0x07, 0x68, 0x01, 0x42,
    0x0c, 0x01, 0x6d, 0x02, 0x03, 0x62, 0x61, 0x64, 0x05, 0x77, 0x6f, 0x72,
    0x73, 0x65, 0x04, 0x00, 0x04, 0x63, 0x6f, 0x64, 0x65, 0x03, 0x00, 0x00,
    0x04, 0x00, 0x05, 0x74, 0x68, 0x69, 0x6e, 0x67, 0x03, 0x01, 0x01, 0x70,
    0x7d, 0x01, 0x6a, 0x00, 0x01, 0x73, 0x01, 0x40, 0x02, 0x07, 0x61, 0x64,
    0x64, 0x72, 0x65, 0x73, 0x73, 0x73, 0x04, 0x64, 0x61, 0x74, 0x61, 0x03,
    0x00, 0x04, 0x04, 0x00, 0x04, 0x73, 0x65, 0x6e, 0x64, 0x01, 0x05, 0x01,
    0x68, 0x02, 0x01, 0x6f, 0x02, 0x01, 0x79, 0x01, 0x6b, 0x07, 0x01, 0x40,
    0x01, 0x04, 0x73, 0x65, 0x6c, 0x66, 0x06, 0x00, 0x08, 0x04, 0x00, 0x04,
    0x6c, 0x6f, 0x6f, 0x6b, 0x01, 0x09, 0x0a, 0x10, 0x01, 0x00, 0x0b, 0x61,
    0x3a, 0x62, 0x2f, 0x63, 0x40, 0x31, 0x2e, 0x30, 0x2e, 0x30, 0x05, 0x00,
    0x01, 0x2b, 0x00, 0x61, 0x73, 0x6d, 0x01, 0x00, 0x00, 0x00, 0x01, 0x05,
    0x01, 0x60, 0x01, 0x7f, 0x00, 0x03, 0x02, 0x01, 0x00, 0x07, 0x05, 0x01,
    0x01, 0x66, 0x00, 0x00, 0x0a, 0x04, 0x01, 0x02, 0x00, 0x0b, 0x00, 0x09,
    0x04, 0x6e, 0x61, 0x6d, 0x65, 0x00, 0x02, 0x01, 0x6d, 0x02, 0x04, 0x01,
    0x00, 0x00, 0x00, 0x07, 0x0a, 0x02, 0x70, 0x7d, 0x40, 0x01, 0x01, 0x78,
    0x79, 0x01, 0x00, 0x06, 0x07, 0x01, 0x00, 0x00, 0x01, 0x00, 0x01, 0x66,
    0x08, 0x06, 0x01, 0x00, 0x00, 0x00, 0x00, 0x02, 0x0b, 0x09, 0x01, 0x00,
    0x03, 0x72, 0x75, 0x6e, 0x01, 0x00, 0x00,
};

/* (import "d" (instance (export "f" (func (param "a" $t15))))), where $t15 is a
 * tuple of two $t14, and so on, $t0 a list of bytes. */
static const uint8_t wide[] = {
    0x00, 0x61, 0x73, 0x6d, 0x0d, 0x00, 0x01, 0x00, 0x07, 0x5f, 0x01, 0x42,
    0x12, 0x01, 0x70, 0x7d, 0x01, 0x6f, 0x02, 0x00, 0x00, 0x01, 0x6f, 0x02,
    0x01, 0x01, 0x01, 0x6f, 0x02, 0x02, 0x02, 0x01, 0x6f, 0x02, 0x03, 0x03,
    0x01, 0x6f, 0x02, 0x04, 0x04, 0x01, 0x6f, 0x02, 0x05, 0x05, 0x01, 0x6f,
    0x02, 0x06, 0x06, 0x01, 0x6f, 0x02, 0x07, 0x07, 0x01, 0x6f, 0x02, 0x08,
    0x08, 0x01, 0x6f, 0x02, 0x09, 0x09, 0x01, 0x6f, 0x02, 0x0a, 0x0a, 0x01,
    0x6f, 0x02, 0x0b, 0x0b, 0x01, 0x6f, 0x02, 0x0c, 0x0c, 0x01, 0x6f, 0x02,
    0x0d, 0x0d, 0x01, 0x6f, 0x02, 0x0e, 0x0e, 0x01, 0x40, 0x01, 0x01, 0x61,
    0x0f, 0x01, 0x00, 0x04, 0x00, 0x01, 0x66, 0x01, 0x10, 0x0a, 0x06, 0x01,
    0x00, 0x01, 0x64, 0x05, 0x00,
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

static void show_func(const struct wasm_file *file, const struct wit_node *func,
                      struct cli_text *text)
{
    cli_text_init(text, theater_env_default());
    (void)wit_add_func(text, &file->wit, file->len, func);
}

static void expect_func(const struct wasm_file *file,
                        const struct wit_node *func, const char *name,
                        const char *type)
{
    struct cli_text text;
    assert_non_null(func);
    assert_int_equal(func->name.len, strlen(name));
    assert_memory_equal(func->name.data, name, strlen(name));
    show_func(file, func, &text);
    assert_string_equal(text.data, type);
    cli_text_fini(&text);
}

static void functions_of_a_component_have_their_types(void **state)
{
    struct wasm_file file;
    size_t at = 0;
    (void)state;
    assert_true(wasm_file_read(&file, typed, sizeof typed));
    assert_string_equal(file.problem, "");
    const struct wit_node *import = wasm_wit_of(&file, &file.imports, 0);
    assert_non_null(import);
    expect_func(&file, wit_func_of(&file.wit, import, &at), "send",
                "func(address: string, data: list<u8>) -> result<_, string>");
    expect_func(&file, wit_func_of(&file.wit, import, &at), "look",
                "func(self: borrow<thing>) -> option<tuple<code, u32>>");
    assert_null(wit_func_of(&file.wit, import, &at));
    expect_func(&file, wasm_wit_of(&file, &file.exports, 0), "run",
                "func(x: u32)");
    assert_null(wasm_wit_of(&file, &file.exports, 1));
    wasm_file_fini(&file);
}

static void what_is_shown_of_a_type_is_bounded(void **state)
{
    struct wasm_file file;
    struct cli_text text;
    size_t at = 0;
    (void)state;
    assert_true(wasm_file_read(&file, wide, sizeof wide));
    const struct wit_node *import = wasm_wit_of(&file, &file.imports, 0);
    assert_non_null(import);
    const struct wit_node *func = wit_func_of(&file.wit, import, &at);
    assert_non_null(func);
    show_func(&file, func, &text);
    assert_non_null(strstr(text.data, "..."));
    assert_true(text.len < 4096);
    cli_text_fini(&text);
    wasm_file_fini(&file);
}

static uint8_t *put(uint8_t *at, uint32_t number)
{
    for (; number > 0x7f; number >>= 7) {
        *at++ = (uint8_t)(number | 0x80);
    }
    *at++ = (uint8_t)number;
    return at;
}

/* One type of very many parameters, which each of many imports may have: what
 * is shown of it is as long as an engine would allow. */
static void what_is_shown_of_a_core_type_is_bounded(void **state)
{
    enum { PARAMS = 1000000 };
    static const uint8_t header[] = {0, 'a', 's', 'm', 1, 0, 0, 0};
    static const uint8_t import[] = {2, 7, 1, 1, 'm', 1, 'f', 0, 0};
    uint8_t *data = malloc(PARAMS + 64);
    struct wasm_file file;
    struct cli_text text;
    (void)state;
    assert_non_null(data);
    memcpy(data, header, sizeof header);
    uint8_t *at = data + sizeof header;
    *at++ = 1;
    at = put(at, PARAMS + 6);
    *at++ = 1;
    *at++ = 0x60;
    at = put(at, PARAMS);
    memset(at, 0x7f, PARAMS);
    at += PARAMS;
    *at++ = 0;
    memcpy(at, import, sizeof import);
    at += sizeof import;
    assert_true(wasm_file_read(&file, data, (size_t)(at - data)));
    assert_string_equal(file.problem, "");
    assert_int_equal(file.imports.len, 1);
    assert_non_null(
        strstr(type_of(&file, &file.imports.items[0], &text), "i32, ...)"));
    assert_true(text.len < 8192);
    cli_text_fini(&text);
    wasm_file_fini(&file);
    free(data);
}

/* (type (struct)) (type (func)) (import "m" "f" (func (type 1))): types behind
 * one of garbage collection are not known, all the rest is. */
static void a_module_with_types_of_a_proposal_is_read(void **state)
{
    static const uint8_t data[] = {
        0,    'a', 's', 'm', 1, 0, 0, 0,   1, 6,   2, 0x5f, 0,
        0x60, 0,   0,   2,   7, 1, 1, 'm', 1, 'f', 0, 1,
    };
    struct wasm_file file;
    struct cli_text text;
    (void)state;
    assert_true(wasm_file_read(&file, data, sizeof data));
    assert_string_equal(file.problem, "");
    assert_int_equal(file.imports.len, 1);
    assert_string_equal(type_of(&file, &file.imports.items[0], &text), "func");
    cli_text_fini(&text);
    wasm_file_fini(&file);
}

static void show_functions(const struct wasm_file *file,
                           const struct wasm_items *list, size_t nth)
{
    const struct wit_node *node = wasm_wit_of(file, list, nth);
    size_t at = 0;
    for (const struct wit_node *func = node; func != NULL;
         func = wit_func_of(&file->wit, node, &at)) {
        struct cli_text text;
        show_func(file, func, &text);
        cli_text_fini(&text);
    }
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
            show_functions(&file, lists[i], k);
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
    } files[] = {{core, sizeof core},
                 {component, sizeof component},
                 {typed, sizeof typed},
                 {wide, sizeof wide}};
    (void)state;
    for (size_t f = 0; f < sizeof files / sizeof files[0]; f++) {
        uint8_t data[sizeof typed];
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
        cmocka_unit_test(functions_of_a_component_have_their_types),
        cmocka_unit_test(what_is_shown_of_a_type_is_bounded),
        cmocka_unit_test(what_is_shown_of_a_core_type_is_bounded),
        cmocka_unit_test(a_module_with_types_of_a_proposal_is_read),
        cmocka_unit_test(no_file_leads_outside),
        cmocka_unit_test(what_is_cut_is_said),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
