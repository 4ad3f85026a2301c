/* SPDX-License-Identifier: Apache-2.0 */
/* Walks the table of commands: whatever is in it is in the help, and help
 * names nothing else. */
#include "cli/cli.h"

#include "command.h"

#include <stdio.h>
#include <string.h>

static const struct cli_option *option_of(const struct cli_command *command,
                                          size_t i)
{
    size_t common_len;
    const struct cli_option *common = cli_common_options(&common_len);
    if (i < command->options_len) {
        return &command->options[i];
    }
    i -= command->options_len;
    return i < common_len ? &common[i] : NULL;
}

static void every_command_and_variable_is_in_the_overview(void **state)
{
    struct command command;
    size_t len;
    (void)state;
    command_run(&command, NULL, "help");
    expect_code(&command, 0);
    const struct cli_command *commands = cli_commands(&len);
    for (size_t i = 0; i < len; i++) {
        char row[64];
        snprintf(row, sizeof row, "\n  %s ", commands[i].name);
        expect_out(&command, row);
    }
    const struct cli_variable *variables = cli_variables(&len);
    for (size_t i = 0; i < len; i++) {
        expect_out(&command, variables[i].name);
    }
    command_free(&command);
}

static void every_option_is_in_its_command_s_help(void **state)
{
    size_t len;
    const struct cli_command *commands = cli_commands(&len);
    (void)state;
    for (size_t i = 0; i < len; i++) {
        struct command command;
        const struct cli_option *option;
        command_run(&command, NULL, commands[i].name, "--help");
        expect_code(&command, 0);
        assert_true(commands[i].examples_len > 0);
        for (size_t e = 0; e < commands[i].examples_len; e++) {
            expect_out(&command, commands[i].examples[e].command);
        }
        for (size_t k = 0; (option = option_of(&commands[i], k)) != NULL; k++) {
            char row[64];
            snprintf(row, sizeof row, "--%s%s%s", option->name,
                     option->value != NULL ? " " : "",
                     option->value != NULL ? option->value : "");
            expect_out(&command, row);
            assert_true((option->kind == CLI_FLAG) == (option->value == NULL));
            assert_true(option->kind != CLI_CHOICE || option->choices != NULL);
            assert_true(option->help[0] != '\0');
        }
        command_free(&command);
    }
}

static void help_is_at_most_80_columns_wide(void **state)
{
    size_t len;
    const struct cli_command *commands = cli_commands(&len);
    (void)state;
    for (size_t i = 0; i < len; i++) {
        struct command command;
        command_run(&command, NULL, "help", commands[i].name);
        for (const char *line = command.said; *line != '\0';) {
            size_t width = strcspn(line, "\n");
            if (width > 80) {
                fail_msg("%zu columns: %.*s", width, (int)width, line);
            }
            line += width + (line[width] == '\n');
        }
        command_free(&command);
    }
}

static void examples_use_options_that_exist(void **state)
{
    size_t len;
    const struct cli_command *commands = cli_commands(&len);
    (void)state;
    for (size_t i = 0; i < len; i++) {
        for (size_t e = 0; e < commands[i].examples_len; e++) {
            const char *at = commands[i].examples[e].command;
            assert_non_null(strstr(at, "theater "));
            while ((at = strstr(at, " --")) != NULL) {
                at += 3;
                size_t size = strcspn(at, " =");
                const struct cli_option *option = NULL;
                for (size_t k = 0;
                     (option = option_of(&commands[i], k)) != NULL; k++) {
                    if (strlen(option->name) == size &&
                        memcmp(option->name, at, size) == 0) {
                        break;
                    }
                }
                if (option == NULL) {
                    fail_msg("%s: no option --%.*s", commands[i].name,
                             (int)size, at);
                }
            }
        }
    }
}

static void a_misspelt_option_is_answered_with_the_nearest(void **state)
{
    size_t len;
    const struct cli_command *commands = cli_commands(&len);
    (void)state;
    for (size_t i = 0; i < len; i++) {
        const struct cli_option *option;
        for (size_t k = 0; (option = option_of(&commands[i], k)) != NULL; k++) {
            struct command command;
            char wrong[64], hint[64];
            size_t size = strlen(option->name);
            if (size < 4) {
                continue;
            }
            /* Two letters exchanged. */
            snprintf(wrong, sizeof wrong, "--%s", option->name);
            char letter = wrong[size];
            wrong[size] = wrong[size + 1];
            wrong[size + 1] = letter;
            if (wrong[size] == wrong[size + 1]) {
                continue;
            }
            snprintf(hint, sizeof hint, "did you mean '--%s'?", option->name);
            command_run(&command, NULL, commands[i].name, wrong);
            expect_code(&command, CLI_USAGE);
            expect_err(&command, hint);
            expect_err(&command, "usage: theater ");
            command_free(&command);
        }
    }
}

static void every_command_that_lists_has_json(void **state)
{
    size_t len;
    const struct cli_command *commands = cli_commands(&len);
    (void)state;
    for (size_t i = 0; i < len; i++) {
        const struct cli_option *option;
        bool found = false;
        for (size_t k = 0; (option = option_of(&commands[i], k)) != NULL; k++) {
            found = found || strcmp(option->name, "json") == 0;
        }
        if (!found) {
            fail_msg("%s has no --json", commands[i].name);
        }
    }
}

static void values_are_checked_before_anything_runs(void **state)
{
    static const struct {
        const char *args[4];
        const char *says;
    } rows[] = {
        {{"run", "--workers", "0", "x.toml"}, "from 1 to 1024, not '0'"},
        {{"run", "--workers", "two", "x.toml"}, "not 'two'"},
        {{"run", "--workers=99999999999999999999", "x.toml"}, "1 to 1024"},
        {{"run", "--drain-time", "5", "x.toml"}, "such as 5s or 100ms"},
        {{"run", "--drain-time=0s", "x.toml"}, "must be from 1ms"},
        {{"run", "--stay=yes", "x.toml"}, "--stay takes no value"},
        {{"run", "--stay", "--stay", "x.toml"}, "given twice"},
        {{"run", "x.toml", "--workers"}, "--workers needs a value"},
        {{"run", "--cache-dir=", "x.toml"}, "must not be empty"},
        {{"run", "-x", "x.toml"}, "there is no option '-x'"},
        {{"run"}, "'run' needs FILE..."},
        {{"send", "pong", "x"}, "'send' needs --run FILE"},
        {{"request", "--run", "x.toml", "pong"}, "'request' needs NAME DATA"},
        {{"version", "now"}, "'version' does not take 'now'"},
        {{"--jason"}, "options stand behind the command"},
        {{"chekc", "x.toml"}, "did you mean 'check'?"},
        {{"help", "erors"}, "did you mean 'errors'?"},
        {{"zzzzzzzzzzzz"}, "there is no command 'zzzzzzzzzzzz'"},
    };
    (void)state;
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        struct command command;
        const char *args[5] = {rows[i].args[0], rows[i].args[1],
                               rows[i].args[2], rows[i].args[3], NULL};
        command_start(&command, NULL, args);
        command_finish(&command);
        expect_code(&command, CLI_USAGE);
        expect_err(&command, rows[i].says);
        expect_err(&command, "next: ");
        assert_int_equal(command.said_len, 0);
        command_free(&command);
    }
}

static void every_status_has_an_exit_code_and_a_next_step(void **state)
{
    (void)state;
    assert_int_equal(cli_exit_code(THEATER_OK), 0);
    assert_int_equal(cli_exit_code(THEATER_FAILED), 1);
    assert_int_equal(cli_exit_code(THEATER_NOT_FOUND), 3);
    assert_int_equal(cli_exit_code(THEATER_DENIED), 4);
    assert_int_equal(cli_exit_code(THEATER_TIMEOUT), 5);
    assert_int_equal(cli_exit_code(THEATER_UNREACHABLE), 6);
    for (int i = 0; i < THEATER_STATUS_COUNT; i++) {
        const char *next = cli_next_step((theater_status_t)i);
        assert_true(strlen(next) > 10);
        assert_string_not_equal(next, "there is no such status");
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_command_and_variable_is_in_the_overview),
        cmocka_unit_test(every_option_is_in_its_command_s_help),
        cmocka_unit_test(help_is_at_most_80_columns_wide),
        cmocka_unit_test(examples_use_options_that_exist),
        cmocka_unit_test(a_misspelt_option_is_answered_with_the_nearest),
        cmocka_unit_test(every_command_that_lists_has_json),
        cmocka_unit_test(values_are_checked_before_anything_runs),
        cmocka_unit_test(every_status_has_an_exit_code_and_a_next_step),
    };
    return cmocka_run_group_tests(tests, world_setup, world_teardown);
}
