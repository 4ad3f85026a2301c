/* SPDX-License-Identifier: Apache-2.0 */
/* errors, version, help, check: what they list, as text and as JSON, and what
 * becomes of their output. */
#include "command.h"

#include <theater/status.h>

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static void errors_lists_every_status_by_name_and_number(void **state)
{
    struct command command;
    (void)state;
    command_run(&command, NULL, "errors");
    expect_code(&command, 0);
    for (int i = 0; i < THEATER_STATUS_COUNT; i++) {
        char number[8];
        struct command one, same;
        expect_out(&command, theater_status_text((theater_status_t)i));
        snprintf(number, sizeof number, "%d", i);
        command_run(&one, NULL, "errors", number);
        command_run(&same, NULL, "errors",
                    theater_status_name((theater_status_t)i));
        expect_code(&one, 0);
        expect_out(&one, theater_status_text((theater_status_t)i));
        expect_out(&one, "next: ");
        assert_string_equal(one.said, same.said);
        command_free(&one);
        command_free(&same);
    }
    command_free(&command);
}

static void an_unknown_status_is_not_found(void **state)
{
    static const char *const words[] = {"mailbx-full", "26", "-", ""};
    (void)state;
    for (size_t i = 0; i < 4; i++) {
        struct command command;
        command_run(&command, NULL, "errors", words[i]);
        expect_code(&command, 3);
        expect_err(&command, i == 0 ? "did you mean 'mailbox-full'?"
                                    : "there is no status");
        command_free(&command);
    }
}

static void every_listing_is_one_json_value_with_json(void **state)
{
    static const char *const lists[][2] = {
        {"errors", NULL},       {"errors", "timeout"},
        {"version", NULL},      {"help", NULL},
        {"help", "run"},        {"check", "driver.toml"},
        {"check", "two.toml"},  {"inspect", "driver.wasm"},
        {"schema", "manifest"}, {"completion", "zsh"},
        {"man", "run"}};
    (void)state;
    world_driver();
    world_text("two.toml", "[[actor]]\nmanifest = \"driver.toml\"\n"
                           "count = 2\n");
    for (size_t i = 0; i < sizeof lists / sizeof lists[0]; i++) {
        struct command command;
        command_run(&command, NULL, lists[i][0], "--json", lists[i][1]);
        expect_code(&command, 0);
        if (!json_ok(command.said, command.said_len)) {
            fail_msg("%s: no JSON:\n%s", lists[i][0], command.said);
        }
        command_free(&command);
    }
}

static void errors_are_json_with_json(void **state)
{
    struct command command;
    (void)state;
    command_run(&command, NULL, "errors", "--json", "\"\x1b\n");
    expect_code(&command, 3);
    assert_int_equal(json_lines(command.errors, command.errors_len), 1);
    command_free(&command);
    command_run(&command, NULL, "run", "--json", "--nonsense");
    expect_code(&command, 2);
    assert_int_equal(json_lines(command.errors, command.errors_len), 1);
    command_free(&command);
    command_run(&command, NULL, "run", "--json", "gone.toml");
    expect_code(&command, 3);
    assert_int_equal(json_lines(command.errors, command.errors_len), 1);
    expect_err(&command, "gone.toml");
    command_free(&command);
}

static void check_shows_exports_imports_and_grants(void **state)
{
    struct command command;
    (void)state;
    world_driver();
    world_text("narrow.toml", "name = \"driver\"\n"
                              "package = \"driver.wasm\"\n"
                              "[limits]\nmemory = \"1MiB\"\n"
                              "[[handler]]\ntype = \"runtime\"\n"
                              "[[handler]]\ntype = \"message-server\"\n"
                              "can_request = false\n"
                              "allowed_targets = [\"a\", \"b-*\"]\n");
    command_run(&command, NULL, "check", "narrow.toml");
    expect_code(&command, 0);
    expect_out(&command, "driver: ok");
    expect_out(&command, "exports   handle-request, called by message-server");
    expect_out(&command, "imports   theater:actor/runtime@0.1.0 log, granted "
                         "by runtime");
    expect_out(&command, "can_request = false");
    expect_out(&command, "can_send = true");
    expect_out(&command, "allowed_targets = [a, \"b-*\"]");
    expect_out(&command, "memory 1MiB");
    command_free(&command);
}

static void check_names_the_import_that_nobody_grants(void **state)
{
    struct command command;
    (void)state;
    world_driver();
    world_text("poor.toml", "name = \"driver\"\npackage = \"driver.wasm\"\n"
                            "[[handler]]\ntype = \"runtime\"\n");
    command_run(&command, NULL, "check", "poor.toml");
    expect_code(&command, 1);
    expect_err(&command, "bad-module");
    expect_err(&command, "theater:actor/message-server@0.1.0");
    expect_err(&command, "driver.wasm");
    command_free(&command);
}

static void inspect_shows_modules_that_run_and_that_do_not(void **state)
{
    /* A component of nothing but an import, and what is no WebAssembly. */
    static const uint8_t component[] = {0, 'a', 's', 'm', 0x0d, 0,   1,   0, 10,
                                        8, 1,   0,   3,   'a',  ':', 'b', 5, 0};
    struct command command;
    (void)state;
    world_driver();
    command_run(&command, NULL, "inspect", "driver.wasm");
    expect_code(&command, 0);
    expect_out(&command, "driver.wasm: core module, version 1, ");
    expect_out(&command, "\n  theater:actor/message-server@");
    expect_out(&command, "    send: func(i32, i32, i32, i32");
    expect_out(&command, "\n  memory: memory");
    expect_out(&command, "\n  handle-send: func(");
    command_free(&command);
    world_put("c.wasm", component, sizeof component);
    command_run(&command, NULL, "inspect", "c.wasm");
    expect_code(&command, 0);
    expect_out(&command, "c.wasm: component, version 13, 18 bytes");
    expect_out(&command, "  a:b: instance");
    expect_out(&command, "exports: none");
    command_free(&command);
    world_put("cut.wasm", component, sizeof component - 1);
    command_run(&command, NULL, "inspect", "cut.wasm");
    expect_code(&command, 1);
    expect_err(&command, "section import at byte 8 is longer than the file");
    command_free(&command);
    command_run(&command, NULL, "inspect", "driver.toml");
    expect_code(&command, 1);
    expect_err(&command, "no WebAssembly file");
    expect_err(&command, "next: `theater check FILE` looks at manifests");
    command_free(&command);
    world_text("actor.c", "int number;\n");
    command_run(&command, NULL, "inspect", "actor.c");
    expect_code(&command, 1);
    expect_err(&command, "no WebAssembly file");
    expect_err(&command, "next: `theater build DIR` builds");
    command_free(&command);
    command_run(&command, NULL, "inspect", "none.wasm");
    expect_code(&command, 3);
    command_free(&command);
}

static void a_full_disk_is_a_failure(void **state)
{
    struct command command;
    (void)state;
    if (access("/dev/full", W_OK) != 0) {
        skip();
    }
    const char *const args[] = {"errors", NULL};
    command_start_to(&command, args, "/dev/full");
    command_finish(&command);
    expect_code(&command, 1);
    expect_err(&command, "theater: io: cannot write the output");
    command_free(&command);
}

static void color_is_for_terminals_alone(void **state)
{
    static const char *const help[] = {"help", "run", NULL};
    struct command command;
    (void)state;
    command_run(&command, "TERM=xterm-256color", "help", "run");
    expect_no_out(&command, "\033");
    command_free(&command);
    command_on_terminal(&command, "TERM=xterm-256color", help);
    expect_out(&command, "\033[1mOptions");
    command_free(&command);
    command_on_terminal(&command, "TERM=dumb", help);
    expect_no_out(&command, "\033");
    command_free(&command);
    setenv("TERM", "xterm-256color", 1);
    command_on_terminal(&command, "NO_COLOR=1", help);
    expect_no_out(&command, "\033");
    command_free(&command);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(errors_lists_every_status_by_name_and_number),
        cmocka_unit_test(an_unknown_status_is_not_found),
        cmocka_unit_test(every_listing_is_one_json_value_with_json),
        cmocka_unit_test(errors_are_json_with_json),
        cmocka_unit_test(check_shows_exports_imports_and_grants),
        cmocka_unit_test(check_names_the_import_that_nobody_grants),
        cmocka_unit_test(inspect_shows_modules_that_run_and_that_do_not),
        cmocka_unit_test(a_full_disk_is_a_failure),
        cmocka_unit_test(color_is_for_terminals_alone),
    };
    return cmocka_run_group_tests(tests, world_setup, world_teardown);
}
