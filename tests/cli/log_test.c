/* SPDX-License-Identifier: Apache-2.0 */
/* Levels per module, formats, and that actors can neither forge lines nor
 * send terminal escapes. */
#include "command.h"

#include <ctype.h>
#include <stdio.h>
#include <string.h>

static void put_forger(const char *name)
{
    char text[300];
    world_copy("tests/cli/forger.wasm", "forger.wasm");
    snprintf(text, sizeof text,
             "name = \"%s\"\npackage = \"forger.wasm\"\n"
             "[[handler]]\ntype = \"runtime\"\n",
             name);
    world_text("forger.toml", text);
}

/* Every line but the last begins "HH:MM:SS.mmmZ level ". */
static void expect_prefixes(const struct command *command)
{
    const char *line = command->said;
    for (const char *end; (end = strchr(line, '\n')) != NULL; line = end + 1) {
        if (end[1] == '\0') {
            assert_memory_equal(line, "handled ", 8);
            return;
        }
        bool good = isdigit((unsigned char)line[0]) && line[2] == ':' &&
                    line[8] == '.' && line[12] == 'Z' && line[13] == ' ' &&
                    islower((unsigned char)line[14]);
        if (!good) {
            fail_msg("a line without its beginning: %.*s", (int)(end - line),
                     line);
        }
    }
}

static void an_actor_cannot_send_terminal_escapes(void **state)
{
    struct command command;
    (void)state;
    put_forger("forger");
    command_run(&command, NULL, "run", "forger.toml");
    expect_code(&command, 0);
    for (size_t i = 0; i < command.said_len; i++) {
        unsigned char c = (unsigned char)command.said[i];
        assert_true(c == '\n' || (c >= 0x20 && c < 0x7f));
    }
    expect_out(&command, "forger: red \\x1b[31m bell \\x07 back \\x08 return "
                         "\\r end\n");
    expect_out(&command, "forger: c1 \\u009b31m bidi \\u202e separator "
                         "\\u2028 end\n");
    command_free(&command);
}

static void an_actor_cannot_forge_a_line(void **state)
{
    struct command command;
    (void)state;
    put_forger("forger");
    command_run(&command, NULL, "run", "forger.toml");
    expect_code(&command, 0);
    expect_prefixes(&command);
    expect_out(&command, "forger: first\n");
    expect_out(&command, "forger| 12:00:00.000Z error [runtime] pong failed: "
                         "x\n");
    expect_no_out(&command, "\n12:00:00.000Z");
    command_free(&command);
    command_run(&command, NULL, "run", "--json", "forger.toml");
    expect_code(&command, 0);
    assert_true(json_lines(command.said, command.said_len) > 0);
    expect_no_out(&command, "{\"event\":\"failed\"");
    command_free(&command);
}

static void an_actor_cannot_be_named_like_a_module(void **state)
{
    struct command command;
    (void)state;
    put_forger("[router] dead letter from a to b: closed");
    command_run(&command, NULL, "run", "forger.toml");
    expect_code(&command, 0);
    expect_out(&command, "\"[router] dead letter from a to b: closed\": done");
    expect_no_out(&command, "info  [router]");
    command_free(&command);
}

static void a_long_line_is_cut_and_that_is_said(void **state)
{
    struct command command;
    (void)state;
    put_forger("forger");
    command_run(&command, NULL, "run", "forger.toml");
    expect_code(&command, 0);
    const char *line = strstr(command.said, "forger: yyyy");
    assert_non_null(line);
    size_t len = strcspn(line, "\n");
    assert_in_range(len, 4096, 8192 + 200);
    assert_non_null(strstr(line, "cut"));
    expect_out(&command, "forger: done");
    command_free(&command);
}

static void levels_are_per_module(void **state)
{
    static const struct {
        const char *variable;
        bool quiet, loud, spawned;
    } rows[] = {
        {"THEATER_LOG=", true, true, false},
        {"THEATER_LOG=warn", false, false, false},
        {"THEATER_LOG=off,loud=info", false, true, false},
        {"THEATER_LOG=info,quiet=error", false, true, false},
        {"THEATER_LOG=info,qu*=off", false, true, false},
        {"THEATER_LOG=debug,quiet=off", false, true, true},
        {"THEATER_LOG=off", false, false, false},
    };
    (void)state;
    world_copy("tests/cli/forger.wasm", "forger.wasm");
    world_text("loud.toml", "name = \"loud\"\npackage = \"forger.wasm\"\n"
                            "[[handler]]\ntype = \"runtime\"\n");
    world_text("quiet.toml", "name = \"quiet\"\npackage = \"forger.wasm\"\n"
                             "[[handler]]\ntype = \"runtime\"\n");
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        struct command command;
        command_run(&command, rows[i].variable, "run", "loud.toml",
                    "quiet.toml");
        expect_code(&command, 0);
        (rows[i].loud ? expect_out : expect_no_out)(&command, "loud: done");
        (rows[i].quiet ? expect_out : expect_no_out)(&command, "quiet: done");
        (rows[i].spawned ? expect_out
                         : expect_no_out)(&command, "[runtime] loud spawned");
        expect_out(&command, "2 actors; ");
        command_free(&command);
    }
}

static void a_wrong_level_is_a_usage_error(void **state)
{
    struct command command;
    (void)state;
    put_forger("forger");
    command_run(&command, "THEATER_LOG=pong=debgu", "run", "forger.toml");
    expect_code(&command, 2);
    expect_err(&command, "there is no level 'debgu'; did you mean 'debug'?");
    assert_int_equal(command.said_len, 0);
    command_free(&command);
    command_run(&command, "THEATER_LOG_FORMAT=jsn", "run", "forger.toml");
    expect_code(&command, 2);
    expect_err(&command, "did you mean 'json'?");
    command_free(&command);
}

static void the_format_can_be_json_without_json(void **state)
{
    struct command command;
    (void)state;
    put_forger("forger");
    command_run(&command, "THEATER_LOG_FORMAT=json", "run", "forger.toml");
    expect_code(&command, 0);
    assert_true(json_lines(command.said, command.said_len) > 4);
    expect_out(&command, "\"actor\":\"forger\",\"text\":\"done\"");
    command_free(&command);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(an_actor_cannot_send_terminal_escapes),
        cmocka_unit_test(an_actor_cannot_forge_a_line),
        cmocka_unit_test(an_actor_cannot_be_named_like_a_module),
        cmocka_unit_test(a_long_line_is_cut_and_that_is_said),
        cmocka_unit_test(levels_are_per_module),
        cmocka_unit_test(a_wrong_level_is_a_usage_error),
        cmocka_unit_test(the_format_can_be_json_without_json),
    };
    return cmocka_run_group_tests(tests, world_setup, world_teardown);
}
