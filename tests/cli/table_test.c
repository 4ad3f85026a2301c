/* SPDX-License-Identifier: Apache-2.0 */
/* Walks the table of commands: whatever is in it is in the help, the
 * completions and the manual pages, and help names nothing else. */
#include "cli/keys.h"

#include "command.h"

#include <stdio.h>
#include <string.h>

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
        for (size_t k = 0; (option = cli_option_at(&commands[i], k)) != NULL;
             k++) {
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

/* How each shell's script says that a command has an option. */
static void every_command_and_option_is_in_all_completions(void **state)
{
    static const struct {
        const char *shell, *command, *option;
    } rows[] = {
        {"bash", "    %s,-*) _theater_words '", "--%s"},
        {"zsh", "\n    %s)\n        _arguments", "--%s"},
        {"fish", "-n __theater_first -a %s -d '", "-n '__theater_in %s' -l %s"},
    };
    size_t len;
    const struct cli_command *commands = cli_commands(&len);
    (void)state;
    for (size_t r = 0; r < 3; r++) {
        struct command command;
        command_run(&command, NULL, "completion", rows[r].shell);
        expect_code(&command, 0);
        for (size_t i = 0; i < len; i++) {
            char mark[80];
            const struct cli_option *option;
            snprintf(mark, sizeof mark, rows[r].command, commands[i].name);
            const char *own = strstr(command.said, mark);
            if (own == NULL) {
                fail_msg("%s: no %s", rows[r].shell, commands[i].name);
            }
            size_t size = strcspn(own, ";");
            for (size_t k = 0;
                 (option = cli_option_at(&commands[i], k)) != NULL; k++) {
                bool fish = strcmp(rows[r].shell, "fish") == 0;
                snprintf(mark, sizeof mark, rows[r].option,
                         fish ? commands[i].name : option->name, option->name);
                const char *at = strstr(fish ? command.said : own, mark);
                if (at == NULL || (r == 0 && (size_t)(at - own) > size)) {
                    fail_msg("%s: no %s", rows[r].shell, mark);
                }
            }
        }
        command_free(&command);
    }
}

static void every_command_and_option_has_its_manual_page(void **state)
{
    struct command overview;
    size_t len;
    const struct cli_command *commands = cli_commands(&len);
    (void)state;
    command_run(&overview, NULL, "man");
    for (size_t i = 0; i < len; i++) {
        struct command command;
        char row[80];
        const struct cli_option *option;
        snprintf(row, sizeof row, "\n.It Cm %s\n", commands[i].name);
        expect_out(&overview, row);
        command_run(&command, NULL, "man", commands[i].name);
        expect_code(&command, 0);
        snprintf(row, sizeof row, "\n.Nm theater-%s\n", commands[i].name);
        expect_out(&command, row);
        struct command named;
        snprintf(row, sizeof row, "theater-%s", commands[i].name);
        command_run(&named, NULL, "man", row);
        expect_code(&named, 0);
        assert_string_equal(named.said, command.said);
        command_free(&named);
        for (size_t k = 0; (option = cli_option_at(&commands[i], k)) != NULL;
             k++) {
            snprintf(row, sizeof row, "Fl \\-%s%s%s\n", option->name,
                     option->value != NULL ? " Ar " : "",
                     option->value != NULL ? option->value : "");
            expect_out(&command, row);
            /* In brackets: what the option does ends without a full stop. */
            if (option->fallback != NULL) {
                snprintf(row, sizeof row, "\n.Pq default: %s\n",
                         option->fallback);
                expect_out(&command, row);
            }
        }
        command_free(&command);
    }
    command_free(&overview);
}

static void every_key_is_in_a_manual_page(void **state)
{
    struct command pages[2];
    size_t len;
    const theater_key_group_t *groups = theater_key_groups(&len);
    (void)state;
    command_run(&pages[0], NULL, "man", "theater-manifest");
    command_run(&pages[1], NULL, "man", "theater.toml");
    for (size_t i = 0; i < len; i++) {
        for (size_t k = 0; k < groups[i].keys_len; k++) {
            char row[80];
            snprintf(row, sizeof row, "\n.It Cm %s\n", groups[i].keys[k].name);
            expect_out(&pages[strcmp(groups[i].file, "system") == 0], row);
        }
    }
    const theater_handler_keys_t *handlers = cli_handler_keys(&len);
    for (size_t i = 0; i < len; i++) {
        expect_out(&pages[0], handlers[i].type);
        for (size_t k = 0; k < handlers[i].keys_len; k++) {
            char row[80];
            snprintf(row, sizeof row, "\n.It Cm %s\n",
                     handlers[i].keys[k].name);
            expect_out(&pages[0], row);
        }
    }
    command_free(&pages[0]);
    command_free(&pages[1]);
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
                     (option = cli_option_at(&commands[i], k)) != NULL; k++) {
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
        for (size_t k = 0; (option = cli_option_at(&commands[i], k)) != NULL;
             k++) {
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
        for (size_t k = 0; (option = cli_option_at(&commands[i], k)) != NULL;
             k++) {
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
        {{"run", "--workers", "0", "x.toml"}, "from 1 to 48, not '0'"},
        {{"run", "--workers", "two", "x.toml"}, "not 'two'"},
        {{"run", "--workers=99999999999999999999", "x.toml"}, "1 to 48"},
        {{"run", "--drain-time", "5", "x.toml"}, "such as 5s or 100ms"},
        {{"run", "--drain-time=0s", "x.toml"}, "must be from 1ms"},
        {{"run", "--stay=yes", "x.toml"}, "--stay takes no value"},
        {{"run", "--stay", "--stay", "x.toml"}, "given twice"},
        {{"run", "x.toml", "--workers"}, "--workers needs a value"},
        {{"run", "--cache-dir=", "x.toml"}, "must not be empty"},
        {{"run", "-x", "x.toml"}, "there is no option '-x'"},
        {{"new"}, "'new' needs NAME"},
        {{"send", "pong", "x"}, "'send' needs --run FILE"},
        {{"request", "--run", "x.toml", "pong"}, "'request' needs NAME DATA"},
        {{"version", "now"}, "'version' does not take 'now'"},
        {{"--jason"}, "options stand behind the command"},
        {{"chekc", "x.toml"}, "did you mean 'check'?"},
        {{"help", "erors"}, "did you mean 'errors'?"},
        {{"completion", "zhs"}, "did you mean 'zsh'?"},
        {{"completion", "powershell"}, "there are: bash, zsh, fish"},
        {{"completion", "tcsh"}, "no shell 'tcsh'; there are: bash, zsh, fish"},
        {{"completion"}, "'completion' needs SHELL, one of bash, zsh, fish"},
        {{"man", "theater.tmol"}, "did you mean 'theater.toml'?"},
        {{"man", "--write", "x", "run"}, "writes all pages"},
        {{"bench", "pairs", "--tokens", "2"}, "pairs takes no --tokens"},
        {{"bench", "start", "--seconds", "2"}, "start takes no --seconds"},
        {{"bench", "start", "--actors", "2"}, "start takes no --actors"},
        {{"bench", "spawn", "--seconds=2"}, "it ends when all is done"},
        {{"bench", "pairs", "ring"}, "1 argument at most; 'ring' is one too"},
        {{"bench", ""}, "there is no workload ''; there are: pairs, "},
        {{"bench", "piars"}, "did you mean 'pairs'?"},
        {{"bench", "pairs", "--seconds", "abc"}, "3600, not 'abc'"},
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
        cmocka_unit_test(every_command_and_option_is_in_all_completions),
        cmocka_unit_test(every_command_and_option_has_its_manual_page),
        cmocka_unit_test(every_key_is_in_a_manual_page),
        cmocka_unit_test(help_is_at_most_80_columns_wide),
        cmocka_unit_test(examples_use_options_that_exist),
        cmocka_unit_test(a_misspelt_option_is_answered_with_the_nearest),
        cmocka_unit_test(every_command_that_lists_has_json),
        cmocka_unit_test(values_are_checked_before_anything_runs),
        cmocka_unit_test(every_status_has_an_exit_code_and_a_next_step),
    };
    return cmocka_run_group_tests(tests, world_setup, world_teardown);
}
