/* SPDX-License-Identifier: Apache-2.0 */
/* What is wrong with a manifest or a package is said with its place, and
 * nothing is started: neither that actor nor one beside it. */
#include "command.h"

#include <stdlib.h>
#include <string.h>

#define HANDLER "[[handler]]\ntype = \"runtime\"\n"

/* Runs `bad.toml` beside an actor that would say that it was started. */
static void expect_refusal(int code, const char *says)
{
    struct command command;
    command_run(&command, NULL, "run", "first.toml", "bad.toml");
    expect_code(&command, code);
    expect_err(&command, says);
    expect_err(&command, "next: ");
    assert_int_equal(command.said_len, 0);
    command_free(&command);
    command_run(&command, NULL, "check", "bad.toml");
    expect_code(&command, code);
    expect_err(&command, says);
    command_free(&command);
}

static void setup_first(void)
{
    world_driver();
    world_text("first.toml", "name = \"first\"\npackage = \"driver.wasm\"\n"
                             "initial_state = \"!log 2 begun\"\n" HANDLER
                             "[[handler]]\ntype = \"message-server\"\n");
}

static void
a_bad_manifest_is_named_with_line_column_and_nearest_key(void **state)
{
    static const struct {
        const char *text;
        int code;
        const char *says;
    } rows[] = {
        {"name = \"b\"\npacakge = \"driver.wasm\"\n", 1,
         "bad-manifest: bad.toml:2:1: the manifest has no key 'pacakge'; did "
         "you mean 'package'?"},
        {"name = \"b\"\npackage = \"driver.wasm\"\n[limits]\nmemroy = 1\n", 1,
         "bad.toml:4:1: [limits] has no key 'memroy'; did you mean "
         "'memory'?"},
        {"name = \"b\"\npackage = \"driver.wasm\"\n" HANDLER
         "[[handler]]\ntype = \"message-server\"\ncan_sned = true\n",
         1, "bad.toml:7:1:"},
        {"name = 5\npackage = \"driver.wasm\"\n", 1, "bad.toml:1:8: 'name' "},
        {"package = \"driver.wasm\"\n", 1, "bad.toml:1:1: "},
        {"name = \"b\"\n", 1, "'package'"},
        {"name = \"b\"\nname = \"c\"\npackage = \"driver.wasm\"\n", 1,
         "bad.toml:2:1: the key 'name' was set in line 1"},
        {"name = \"first\"\npackage = \"driver.wasm\"\n" HANDLER, 1, "first"},
        {"name = \"b\xff\"\npackage = \"driver.wasm\"\n", 1, "bad.toml:1:"},
        {"name = \"\"\npackage = \"driver.wasm\"\n", 1, "bad.toml:1:8: "},
        {"name = \"a\\u0007b\"\npackage = \"driver.wasm\"\n", 1,
         "bad.toml:1:8: "},
        {"name = \"b\"\npackage = \"../driver.wasm\"\n", 1,
         "bad.toml:2:11: the package '../driver.wasm' lies outside"},
        {"name = \"b\"\npackage = \"gone.wasm\"\n", 3,
         "not-found: bad.toml:2:11: the package 'gone.wasm' is missing"},
        {"name = \"b\"\npackage = \"driver.wasm\"\n[[handler]]\n"
         "type = \"runtmie\"\n",
         1,
         "bad.toml:4:8: there is no handler 'runtmie'; did you mean "
         "'runtime'?"},
    };
    (void)state;
    setup_first();
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        world_text("bad.toml", rows[i].text);
        if (strstr(rows[i].text, "\"first\"") == NULL) {
            expect_refusal(rows[i].code, rows[i].says);
            continue;
        }
        struct command command;
        command_run(&command, NULL, "run", "first.toml", "bad.toml");
        expect_code(&command, rows[i].code);
        expect_err(&command, rows[i].says);
        assert_int_equal(command.said_len, 0);
        command_free(&command);
    }
}

static void a_manifest_with_a_nul_or_of_10_mb_is_refused(void **state)
{
    static const char nul[] = "name = \"b\0c\"\npackage = \"driver.wasm\"\n";
    size_t big_len = 10 << 20;
    char *big = malloc(big_len);
    (void)state;
    assert_non_null(big);
    setup_first();
    world_put("bad.toml", nul, sizeof nul - 1);
    expect_refusal(1, "bad.toml:1:10: ");
    memset(big, '#', big_len);
    memcpy(big, "name = \"b\"\n", 11);
    world_put("bad.toml", big, big_len);
    expect_refusal(1, "bad.toml");
    free(big);
}

static void a_bad_package_is_named_with_its_import_or_export(void **state)
{
    static const char import[] = "\0asm\1\0\0\0"
                                 "\1\4\1\x60\0\0"
                                 "\2\xb\1\3env\3spy\0\0";
    static const char export[] = "\0asm\1\0\0\0"
                                 "\1\4\1\x60\0\0"
                                 "\3\2\1\0"
                                 "\7\xf\1\xbhandle-send\0\0"
                                 "\xa\4\1\2\0\xb";
    static const struct {
        const char *data;
        size_t len;
        const char *says;
    } rows[] = {
        {"", 0, "bad.wasm"},
        {"\0asn\1\0\0\0", 8, "bad.wasm"},
        {"MZ is no module", 15, "bad.wasm"},
        {export, sizeof export - 3, "bad.wasm"},
        {import, sizeof import - 1, "imports `spy` of `env`"},
        {export, sizeof export - 1, "`handle-send`"},
    };
    (void)state;
    setup_first();
    world_text("bad.toml", "name = \"b\"\npackage = \"bad.wasm\"\n" HANDLER
                           "[[handler]]\ntype = \"message-server\"\n");
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        world_put("bad.wasm", rows[i].data, rows[i].len);
        expect_refusal(1, rows[i].says);
    }
}

static void an_error_cannot_send_terminal_escapes(void **state)
{
    struct command command;
    (void)state;
    setup_first();
    command_run(&command, NULL, "run", "\x1b[31m\nforged.toml");
    expect_code(&command, 3);
    expect_err(&command, "\\x1b[31m\\nforged.toml");
    assert_null(strchr(command.errors, '\x1b'));
    command_free(&command);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(
            a_bad_manifest_is_named_with_line_column_and_nearest_key),
        cmocka_unit_test(a_manifest_with_a_nul_or_of_10_mb_is_refused),
        cmocka_unit_test(a_bad_package_is_named_with_its_import_or_export),
        cmocka_unit_test(an_error_cannot_send_terminal_escapes),
    };
    return cmocka_run_group_tests(tests, world_setup, world_teardown);
}
