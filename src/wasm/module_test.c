/* SPDX-License-Identifier: Apache-2.0 */
/* Design notes
 *
 * Loading: what is refused and how that is said, what is compiled once, and
 * the files of compiled code, whole and damaged. */
#include "wasm/world_testing.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

#include <dirent.h>
#include <pthread.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cmocka.h>

static struct world world;

static int set_up(void **state)
{
    (void)state;
    world_open(&world, NULL, false, NULL);
    return 0;
}

static int tear_down(void **state)
{
    (void)state;
    world_close(&world);
    return 0;
}

static void refused(const char *wat, const char *const words[])
{
    struct th_module *module = NULL;
    theater_error_t err = {0};
    assert_int_equal(world_load(&world, wat, TH_STACK_SMALL, &module, &err),
                     THEATER_BAD_MODULE);
    assert_string_equal(err.origin, "test.wasm");
    for (size_t i = 0; words[i] != NULL; i++) {
        if (strstr(err.text, words[i]) == NULL) {
            fail_msg("`%s` is not in: %s", words[i], err.text);
        }
    }
}

#define SAYS(...) ((const char *const[]){__VA_ARGS__, NULL})

static void a_module_has_a_thousand_imports_at_most(void **state)
{
    (void)state;
    static const char one[] = "(import \"test:world/api@0.1.0\" \"send\""
                              " (func (param i32 i32 i32 i32 i32)))";
    static char wat[1001 * sizeof one + 64];
    size_t len = (size_t)snprintf(wat, sizeof wat, "(module ");
    for (unsigned i = 0; i < 1001; i++) {
        len += (size_t)snprintf(wat + len, sizeof wat - len, "%s", one);
    }
    (void)snprintf(wat + len, sizeof wat - len, WAT_MEMORY WAT_REALLOC ")");
    refused(wat, SAYS("1001 imports", "1000 at most"));
}

static void wrong_imports_and_exports_are_named(void **state)
{
    (void)state;
    refused("(module (import \"a:b/c@1.0.0\" \"fly\" (func)))",
            SAYS("`fly`", "`a:b/c@1.0.0`", "no handler"));
    refused("(module (import \"test:world/api@0.1.0\" \"send\""
            " (func (param i32))) " WAT_MEMORY WAT_REALLOC ")",
            SAYS("import `send`", "(i32) -> ()",
                 "(i32, i32, i32, i32, i32) -> ()"));
    refused("(module (import \"test:world/api@0.1.0\" \"send\" (memory 1)))",
            SAYS("import `send`", "no function"));
    refused("(module (import \"env\" \"memory\" (memory 1)))",
            SAYS("`memory`", "`env`"));
    refused("(module (func (export \"handle-send\") (param i64)))",
            SAYS("export `handle-send`", "(i64) -> ()", "(i32, i32) -> ()"));
    refused("(module (func (export \"run\") (result i32) (i32.const 0)))",
            SAYS("export `run`", "() -> i32"));
    refused("(module " WAT_MEMORY
            "(func (export \"cabi_realloc\") (param i32)))",
            SAYS("cabi_realloc"));
    refused("(module " WAT_MEMORY
            "(func (export \"handle-send\") (param i32 i32)))",
            SAYS("does not export `cabi_realloc`"));
    refused("(module (memory 1)" WAT_REALLOC
            "(func (export \"handle-send\") (param i32 i32)))",
            SAYS("does not export its memory"));
    refused("(module " WAT_MEMORY WAT_REALLOC
            "(func (export \"handle-request\") (param i32 i32) (result i32)"
            " (i32.const 0))"
            "(func (export \"cabi_post_handle-request\")))",
            SAYS("cabi_post_handle-request"));
}

/* Some of these end the process if the engine is asked for their kind. */
static void types_that_are_no_numbers_do_no_harm(void **state)
{
    static const char *const types[] = {"v128", "funcref", "(ref func)", "f64"};
    (void)state;
    for (size_t i = 0; i < sizeof types / sizeof *types; i++) {
        char wat[512];
        (void)snprintf(wat, sizeof wat,
                       "(module (func (export \"handle-send\") (param %s)))",
                       types[i]);
        refused(wat, i == 2 ? SAYS("e") : SAYS("export `handle-send`"));
        (void)snprintf(wat, sizeof wat,
                       "(module (import \"test:world/api@0.1.0\" \"send\""
                       " (func (param %s))))",
                       types[i]);
        refused(wat, i == 2 ? SAYS("e") : SAYS("import `send`"));
        (void)snprintf(wat, sizeof wat,
                       "(module (import \"test:world/api@0.1.0\" \"send\""
                       " (global %s)))",
                       types[i]);
        refused(wat, SAYS("e"));
    }
    /* What nobody asks for may be of any type. */
    struct th_module *module;
    theater_error_t err;
    assert_int_equal(
        world_load(&world,
                   "(module (func (export \"other\") (param v128 funcref))"
                   " (table (export \"t\") 1 funcref)"
                   " (global (export \"g\") v128 (v128.const i64x2 0 0)))",
                   TH_STACK_SMALL, &module, &err),
        THEATER_OK);
    th_module_release(module);
    refused("(module (table 1 externref))", SAYS("not a module that can run"));
}

static void proposals_that_are_off_are_refused(void **state)
{
    static const char *const wats[] = {
        "(module (memory i64 1))",
        "(module (memory 1) (memory 1))",
        "(module (memory 1 2 shared))",
        "(module (type (struct (field i32))))",
        "(module (tag))",
    };
    (void)state;
    for (size_t i = 0; i < sizeof wats / sizeof *wats; i++) {
        refused(wats[i], SAYS("not a module that can run here"));
    }
}

static void what_is_no_module_is_refused(void **state)
{
    static const struct {
        const char *bytes;
        size_t len;
        const char *says;
    } cases[] = {
        {"", 0, "not a WebAssembly module"},
        {"\0asm", 4, "not a WebAssembly module"},
        {"MZ\0\0\0\0\0\0\0\0", 10, "not a WebAssembly module"},
        {"\0asm\xe\0\1\0", 8, "not a module or component of a version"},
        {"\0asm\r\0\2\0", 8, "not a module or component of a version"},
        {"\0asm\r\0\1\0\1", 9, "not a module that can run"},
        {"\0asm\r\0\1\0\1\xff\xff\xff\x7f", 13, "not a module that can run"},
        {"\0asm\1\0\0\0\1", 9,
         "not a module that can run here: failed to parse WebAssembly module: "
         "unexpected end-of-file"},
        {"\0asm\1\0\0\0\1\xff\xff\xff\x7f", 13, "not a module that can run"},
    };
    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        struct th_module *module = NULL;
        theater_error_t err = {0};
        assert_int_equal(
            th_engine_load(world.engine, "x.wasm",
                           (theater_bytes_t){(const uint8_t *)cases[i].bytes,
                                             cases[i].len},
                           TH_STACK_SMALL, world.grants, 1, &module, &err),
            THEATER_BAD_MODULE);
        if (strstr(err.text, cases[i].says) == NULL) {
            fail_msg("`%s` is not in: %s", cases[i].says, err.text);
        }
    }
}

static const char plain[] = "(module " WAT_IMPORT_REQUEST WAT_MEMORY WAT_REALLOC
                            "(func (export \"run\"))"
                            "(func (export \"handle-send\") (param i32 i32)))";

static void the_same_content_is_loaded_once(void **state)
{
    struct th_module *a, *b, *c;
    theater_error_t err;
    (void)state;
    assert_int_equal(world_load(&world, plain, TH_STACK_SMALL, &a, &err), 0);
    assert_false(th_module_was_cached(a));
    assert_int_equal(world_load(&world, plain, TH_STACK_SMALL, &b, &err), 0);
    assert_ptr_equal(a, b);
    assert_true(th_module_was_cached(b));
    assert_int_equal(world_load(&world, plain, TH_STACK_LARGE, &c, &err), 0);
    assert_ptr_not_equal(a, c);
    assert_int_equal(th_module_exports(a, 0), 1u << WORLD_SEND);
    assert_true(th_module_has_run(a));
    assert_false(th_module_has_stop(a));
    th_module_release(a);
    th_module_release(b);
    th_module_release(c);
}

static void *load_one(void *arg)
{
    theater_error_t err;
    struct th_module **out = arg;
    if (world_load(&world, plain, TH_STACK_SMALL, out, &err) != THEATER_OK) {
        *out = NULL;
    }
    return NULL;
}

static void threads_that_load_the_same_get_the_same(void **state)
{
    enum { THREADS = 8 };
    pthread_t threads[THREADS];
    struct th_module *modules[THREADS];
    (void)state;
    for (unsigned i = 0; i < THREADS; i++) {
        assert_int_equal(
            pthread_create(&threads[i], NULL, load_one, &modules[i]), 0);
    }
    for (unsigned i = 0; i < THREADS; i++) {
        assert_int_equal(pthread_join(threads[i], NULL), 0);
        assert_non_null(modules[i]);
        assert_ptr_equal(modules[i], modules[0]);
    }
    for (unsigned i = 0; i < THREADS; i++) {
        th_module_release(modules[i]);
    }
}

static void each_item(void *user, const theater_check_item_t *item)
{
    char *text = user;
    size_t len = strlen(text);
    (void)snprintf(text + len, 500 - len, "%s %s by %s|", item->kind,
                   item->name, item->by);
}

static void a_module_says_what_it_has_and_wants(void **state)
{
    struct th_module *module;
    theater_error_t err;
    char text[500] = "";
    (void)state;
    assert_int_equal(world_load(&world, plain, TH_STACK_SMALL, &module, &err),
                     0);
    th_module_describe(module, each_item, text);
    assert_string_equal(text,
                        "export run by runtime|export handle-send by test|"
                        "import test:world/api@0.1.0 request by test|");
    th_module_release(module);
}

/* --- Files ---------------------------------------------------------------- */

static char dir[64];

static int set_up_dir(void **state)
{
    (void)state;
    (void)snprintf(dir, sizeof dir, "/tmp/theater-code-XXXXXX");
    assert_non_null(mkdtemp(dir));
    return 0;
}

static unsigned each_file(void (*what)(const char *path))
{
    unsigned count = 0;
    DIR *handle = opendir(dir);
    assert_non_null(handle);
    for (struct dirent *entry; (entry = readdir(handle)) != NULL;) {
        char path[400];
        if (entry->d_name[0] == '.') {
            continue; /* what links point to, too */
        }
        (void)snprintf(path, sizeof path, "%s/%s", dir, entry->d_name);
        what(path);
        count++;
    }
    (void)closedir(handle);
    return count;
}

static void unlink_file(const char *path)
{
    assert_int_equal(unlink(path), 0);
}

static int tear_down_dir(void **state)
{
    char command[300];
    (void)state;
    (void)each_file(unlink_file);
    (void)snprintf(command, sizeof command, "rm -f %s/.*.code", dir);
    return system(command) == 0 ? rmdir(dir) : 1;
}

static void nothing(const char *path)
{
    struct stat info;
    assert_int_equal(stat(path, &info), 0);
    assert_int_equal(info.st_mode & 0777, 0600);
}

/* Opens a world over the folder, loads, and answers whether it was found. */
static bool load_again(unsigned *out_notices)
{
    struct th_module *module;
    theater_error_t err;
    world_open(&world, NULL, false, dir);
    assert_int_equal(world_load(&world, plain, TH_STACK_SMALL, &module, &err),
                     0);
    bool found = th_module_was_cached(module);
    th_module_release(module);
    *out_notices = world.notices_len;
    world_close(&world);
    return found;
}

static void compiled_code_is_kept_between_runs(void **state)
{
    unsigned notices;
    (void)state;
    assert_false(load_again(&notices));
    assert_int_equal(notices, 0);
    assert_int_equal(each_file(nothing), 3); /* guest, imports, loop */
    assert_true(load_again(&notices));
    assert_int_equal(notices, 0);
}

static void cut_in_half(const char *path)
{
    struct stat info;
    assert_int_equal(stat(path, &info), 0);
    assert_int_equal(truncate(path, info.st_size / 2), 0);
}

static void cut_to_ten(const char *path)
{
    assert_int_equal(truncate(path, 10), 0);
}

static void flip(const char *path, long at)
{
    FILE *file = fopen(path, "r+b");
    assert_non_null(file);
    assert_int_equal(fseek(file, at, at < 0 ? SEEK_END : SEEK_SET), 0);
    int byte = fgetc(file);
    assert_int_equal(fseek(file, at, at < 0 ? SEEK_END : SEEK_SET), 0);
    (void)fputc(byte ^ 0x10, file);
    assert_int_equal(fclose(file), 0);
}

static void flip_first(const char *path)
{
    flip(path, 0);
}

static void flip_config(const char *path)
{
    flip(path, 10);
}

static void flip_last(const char *path)
{
    flip(path, -1);
}

static void flip_middle(const char *path)
{
    flip(path, 5000);
}

static void open_for_others(const char *path)
{
    assert_int_equal(chmod(path, 0602), 0);
}

/* To a file that has what it should have. */
static void turn_into_a_link(const char *path)
{
    char target[400];
    const char *name = strrchr(path, '/') + 1;
    (void)snprintf(target, sizeof target, "%.*s/.%s", (int)(name - 1 - path),
                   path, name);
    (void)unlink(target);
    assert_int_equal(rename(path, target), 0);
    assert_int_equal(symlink(target, path), 0);
}

static void a_damaged_file_is_compiled_anew_and_said_so(void **state)
{
    static void (*const damages[])(const char *) = {
        cut_in_half, cut_to_ten,  flip_first,      flip_config,
        flip_last,   flip_middle, open_for_others, turn_into_a_link,
    };
    unsigned notices;
    (void)state;
    assert_false(load_again(&notices));
    for (size_t i = 0; i < sizeof damages / sizeof *damages; i++) {
        assert_int_equal(each_file(damages[i]), 3);
        assert_false(load_again(&notices));
        assert_int_equal(notices, 3);
        assert_true(load_again(&notices));
        assert_int_equal(notices, 0);
    }
}

static void the_file_of_another_module_is_not_taken_for_it(void **state)
{
    static const char other[] = "(module (func (export \"run\") (nop)))";
    struct th_module *module;
    theater_error_t err;
    unsigned notices;
    (void)state;
    assert_false(load_again(&notices));
    /* All files get the content of one. */
    char script[300];
    (void)snprintf(script, sizeof script,
                   "cd %s && first=$(ls | head -n 1) && for f in *; do"
                   " [ \"$f\" = \"$first\" ] || cp \"$first\" \"$f\"; done",
                   dir);
    assert_int_equal(system(script), 0);
    (void)load_again(&notices);
    assert_int_equal(notices, 2);
    world_open(&world, NULL, false, dir);
    assert_int_equal(world_load(&world, other, TH_STACK_SMALL, &module, &err),
                     0);
    assert_false(th_module_was_cached(module));
    th_module_release(module);
    world_close(&world);
}

static void a_folder_that_others_may_write_to_is_not_used(void **state)
{
    unsigned notices;
    (void)state;
    assert_int_equal(chmod(dir, 0777), 0);
    assert_false(load_again(&notices));
    assert_int_equal(notices, 1);
    assert_int_equal(each_file(nothing), 0);
    assert_false(load_again(&notices));
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)
#define FILES(name)                                                            \
    cmocka_unit_test_setup_teardown(name, set_up_dir, tear_down_dir)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(wrong_imports_and_exports_are_named),
        TEST(a_module_has_a_thousand_imports_at_most),
        TEST(types_that_are_no_numbers_do_no_harm),
        TEST(proposals_that_are_off_are_refused),
        TEST(what_is_no_module_is_refused),
        TEST(the_same_content_is_loaded_once),
        TEST(threads_that_load_the_same_get_the_same),
        TEST(a_module_says_what_it_has_and_wants),
        FILES(compiled_code_is_kept_between_runs),
        FILES(a_damaged_file_is_compiled_anew_and_said_so),
        FILES(the_file_of_another_module_is_not_taken_for_it),
        FILES(a_folder_that_others_may_write_to_is_not_used),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
