/* SPDX-License-Identifier: Apache-2.0 */
/* Design notes: help, version and errors: the listings that are made from the
 * tables and need no runtime. */
#include "cli/cli.h"

#include <ctype.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { WIDTH = 78 };

/* --- Layout -------------------------------------------------------------- */

/* Adds words, wrapped; `column` is where the first line stands already, the
 * others begin at `indent`. Newlines of the text end paragraphs. */
static void add_wrapped(struct cli_text *text, const char *words, size_t column,
                        size_t indent)
{
    while (*words != '\0') {
        size_t len = strcspn(words, " \n");
        if (column > indent && column + 1 + len > WIDTH) {
            cli_add_format(text, "\n%*s", (int)indent, "");
            column = indent;
        } else if (column > indent) {
            cli_add(text, " ");
            column++;
        }
        cli_add_bytes(text, words, len);
        column += len;
        words += len;
        while (*words == ' ') {
            words++;
        }
        if (*words == '\n') {
            while (*words == '\n') {
                cli_add(text, "\n");
                words++;
            }
            cli_add_format(text, "%*s", (int)indent, "");
            column = indent;
        }
    }
    cli_add(text, "\n");
}

static void add_row(struct cli_text *text, const char *left, size_t indent,
                    const char *right)
{
    size_t len = strlen(left);
    cli_add_format(text, "  %s", left);
    if (len + 4 > indent) {
        cli_add_format(text, "\n%*s", (int)indent, "");
    } else {
        cli_add_format(text, "%*s", (int)(indent - len - 2), "");
    }
    add_wrapped(text, right, indent, indent);
}

static void add_title(struct cli_text *text, bool color, const char *title)
{
    cli_add_format(text, "\n%s%s%s\n", color ? "\033[1m" : "", title,
                   color ? "\033[0m" : "");
}

/* --- Help as text -------------------------------------------------------- */

static void add_option(struct cli_text *text, const struct cli_option *option)
{
    char left[64], right[240];
    char letter[8] = "";
    if (option->letter != 0) {
        snprintf(letter, sizeof letter, "-%c, ", option->letter);
    }
    snprintf(left, sizeof left, "%s--%s%s%s", letter, option->name,
             option->value != NULL ? " " : "",
             option->value != NULL ? option->value : "");
    snprintf(right, sizeof right, "%s%s%s%s%s", option->help,
             option->required ? " (needed)" : "",
             option->fallback != NULL ? " (default: " : "",
             option->fallback != NULL ? option->fallback : "",
             option->fallback != NULL ? ")" : "");
    add_row(text, left, 24, right);
    if (option->choices != NULL) {
        cli_add_format(text, "%24sone of:", "");
        for (size_t i = 0; option->choices[i] != NULL; i++) {
            cli_add_format(text, " %s", option->choices[i]);
        }
        cli_add(text, "\n");
    }
}

static void add_command_help(struct cli_text *text, bool color,
                             const struct cli_command *command)
{
    size_t len;
    const struct cli_option *common = cli_common_options(&len);
    cli_add_format(text, "theater %s: %s\n", command->name, command->summary);
    add_title(text, color, "Usage");
    cli_add_format(text, "  theater %s [OPTION...]%s%s\n", command->name,
                   command->operands[0] != '\0' ? " " : "", command->operands);
    if (command->details[0] != '\0') {
        cli_add(text, "\n");
        add_wrapped(text, command->details, 0, 0);
    }
    add_title(text, color, "Options");
    for (size_t i = 0; i < command->options_len; i++) {
        add_option(text, &command->options[i]);
    }
    for (size_t i = 0; i < len; i++) {
        add_option(text, &common[i]);
    }
    add_title(text, color, "Examples");
    for (size_t i = 0; i < command->examples_len; i++) {
        cli_add_format(text, "  %s\n", command->examples[i].command);
        cli_add(text, "      ");
        add_wrapped(text, command->examples[i].what, 6, 6);
    }
}

static void add_overview(struct cli_text *text, bool color)
{
    size_t len;
    const struct cli_command *commands = cli_commands(&len);
    cli_add(text, "theater: actors compiled to WebAssembly that talk through "
                  "a message server\n");
    add_title(text, color, "Usage");
    cli_add(text, "  theater COMMAND [OPTION...] [ARGUMENT...]\n");
    add_title(text, color, "Commands");
    for (size_t i = 0; i < len; i++) {
        char left[64];
        snprintf(left, sizeof left, "%s %s", commands[i].name,
                 commands[i].operands);
        add_row(text, left, 24, commands[i].summary);
    }
    const struct cli_variable *variables = cli_variables(&len);
    add_title(text, color, "Environment");
    for (size_t i = 0; i < len; i++) {
        add_row(text, variables[i].name, 24, variables[i].help);
    }
    add_title(text, color, "Exit codes");
    cli_add(text, "  0 ok, 1 failed (an actor failed, too), 2 usage, 3 not "
                  "found, 4 denied,\n  5 timeout, 6 unreachable\n\n"
                  "`theater COMMAND --help` explains a command and has "
                  "examples.\n");
}

/* --- Help as JSON -------------------------------------------------------- */

static void add_option_json(struct cli_text *text,
                            const struct cli_option *option)
{
    char letter[2] = {option->letter, '\0'};
    cli_json_object(text, NULL);
    cli_json_string(text, "name", option->name);
    cli_json_string(text, "letter", letter[0] != '\0' ? letter : NULL);
    cli_json_string(text, "value", option->value);
    cli_json_string(text, "help", option->help);
    cli_json_string(text, "default", option->fallback);
    cli_json_bool(text, "required", option->required);
    if (option->choices != NULL) {
        cli_json_list(text, "choices");
        for (size_t i = 0; option->choices[i] != NULL; i++) {
            cli_json_string(text, NULL, option->choices[i]);
        }
        cli_json_end(text, ']');
    }
    cli_json_end(text, '}');
}

static void add_command_json(struct cli_text *text,
                             const struct cli_command *command)
{
    size_t len;
    const struct cli_option *common = cli_common_options(&len);
    cli_json_object(text, NULL);
    cli_json_string(text, "name", command->name);
    cli_json_string(text, "operands", command->operands);
    cli_json_string(text, "summary", command->summary);
    cli_json_string(text, "details", command->details);
    cli_json_list(text, "options");
    for (size_t i = 0; i < command->options_len; i++) {
        add_option_json(text, &command->options[i]);
    }
    for (size_t i = 0; i < len; i++) {
        add_option_json(text, &common[i]);
    }
    cli_json_end(text, ']');
    cli_json_list(text, "examples");
    for (size_t i = 0; i < command->examples_len; i++) {
        cli_json_object(text, NULL);
        cli_json_string(text, "command", command->examples[i].command);
        cli_json_string(text, "what", command->examples[i].what);
        cli_json_end(text, '}');
    }
    cli_json_end(text, ']');
    cli_json_end(text, '}');
}

static void add_overview_json(struct cli_text *text)
{
    size_t len;
    const struct cli_command *commands = cli_commands(&len);
    cli_json_object(text, NULL);
    cli_json_list(text, "commands");
    for (size_t i = 0; i < len; i++) {
        add_command_json(text, &commands[i]);
    }
    cli_json_end(text, ']');
    const struct cli_variable *variables = cli_variables(&len);
    cli_json_list(text, "environment");
    for (size_t i = 0; i < len; i++) {
        cli_json_object(text, NULL);
        cli_json_string(text, "name", variables[i].name);
        cli_json_string(text, "help", variables[i].help);
        cli_json_end(text, '}');
    }
    cli_json_end(text, ']');
    cli_json_end(text, '}');
}

int cli_help(const struct cli_context *context, int argc, char **argv)
{
    struct cli_text text;
    const struct cli_command *command = NULL;
    if (argc == 1) {
        command = cli_find_command(argv[0]);
        if (command == NULL) {
            return cli_no_such(context, "command", argv[0], cli_command_word);
        }
    }
    cli_text_init(&text, context->env);
    if (context->json) {
        if (command != NULL) {
            add_command_json(&text, command);
        } else {
            add_overview_json(&text);
        }
        cli_add(&text, "\n");
    } else if (command != NULL) {
        add_command_help(&text, context->color_out, command);
    } else {
        add_overview(&text, context->color_out);
    }
    return cli_print(&text);
}

/* --- version ------------------------------------------------------------- */

int cli_version(const struct cli_context *context, int argc, char **argv)
{
    struct cli_text text;
    (void)argc;
    (void)argv;
    cli_text_init(&text, context->env);
    if (context->json) {
        cli_json_object(&text, NULL);
        cli_json_string(&text, "version", THEATER_BUILD_VERSION);
        cli_json_end(&text, '}');
        cli_add(&text, "\n");
    } else {
        cli_add(&text, "theater " THEATER_BUILD_VERSION "\n");
    }
    return cli_print(&text);
}

/* --- errors -------------------------------------------------------------- */

static void add_status_json(struct cli_text *text, theater_status_t status)
{
    cli_json_object(text, NULL);
    cli_json_number(text, "code", (uint64_t)status);
    cli_json_string(text, "name", theater_status_name(status));
    cli_json_string(text, "text", theater_status_text(status));
    cli_json_string(text, "next", cli_next_step(status));
    cli_json_number(text, "exit_code", (uint64_t)cli_exit_code(status));
    cli_json_end(text, '}');
}

static bool find_status(const char *word, theater_status_t *out_status)
{
    char *end;
    unsigned long number = strtoul(word, &end, 10);
    if (isdigit((unsigned char)word[0]) && *end == '\0' &&
        number < THEATER_STATUS_COUNT) {
        *out_status = (theater_status_t)number;
        return true;
    }
    for (int i = 0; i < THEATER_STATUS_COUNT; i++) {
        if (strcmp(word, theater_status_name((theater_status_t)i)) == 0) {
            *out_status = (theater_status_t)i;
            return true;
        }
    }
    return false;
}

static int unknown_status(const struct cli_context *context, const char *word)
{
    static const char all[] = "`theater errors` lists all";
    const char *names[THEATER_STATUS_COUNT];
    for (int i = 0; i < THEATER_STATUS_COUNT; i++) {
        names[i] = theater_status_name((theater_status_t)i);
    }
    const char *near = cli_nearest(word, names, THEATER_STATUS_COUNT);
    return near != NULL
               ? cli_fail_advice(context, THEATER_NOT_FOUND, NULL, all,
                                 "there is no status '%s'; did you mean '%s'?",
                                 word, near)
               : cli_fail_advice(context, THEATER_NOT_FOUND, NULL, all,
                                 "there is no status '%s'", word);
}

int cli_errors(const struct cli_context *context, int argc, char **argv)
{
    struct cli_text text;
    theater_status_t status = THEATER_OK;
    if (argc == 1 && !find_status(argv[0], &status)) {
        return unknown_status(context, argv[0]);
    }
    cli_text_init(&text, context->env);
    if (argc == 1 && context->json) {
        add_status_json(&text, status);
        cli_add(&text, "\n");
    } else if (argc == 1) {
        cli_add_format(&text, "%s (%d): %s\n  next: %s\n",
                       theater_status_name(status), (int)status,
                       theater_status_text(status), cli_next_step(status));
    } else if (context->json) {
        cli_json_list(&text, NULL);
        for (int i = 0; i < THEATER_STATUS_COUNT; i++) {
            add_status_json(&text, (theater_status_t)i);
        }
        cli_add(&text, "]\n");
    } else {
        for (int i = 0; i < THEATER_STATUS_COUNT; i++) {
            cli_add_format(&text, "%3d  %-17s %s\n", i,
                           theater_status_name((theater_status_t)i),
                           theater_status_text((theater_status_t)i));
        }
    }
    return cli_print(&text);
}
