/* SPDX-License-Identifier: Apache-2.0 */
/* Design notes: from the arguments to a command. Options and operands may
 * come in any order; `--` ends the options, `-` alone is an operand. All
 * values are checked against the table before the command runs, so a command
 * never sees a bad one. What is unknown is answered with the nearest word. */
#include "cli/cli.h"

#include <ctype.h>
#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

/* --- Options of the running command -------------------------------------- */

static bool find_option(const struct cli_command *command, const char *name,
                        size_t len, size_t *out_index)
{
    const struct cli_option *option;
    for (size_t i = 0; (option = cli_option_at(command, i)) != NULL; i++) {
        if (strlen(option->name) == len &&
            memcmp(option->name, name, len) == 0) {
            *out_index = i;
            return true;
        }
    }
    return false;
}

static size_t must_find(const struct cli_context *context, const char *name)
{
    size_t index;
    if (!find_option(context->command, name, strlen(name), &index)) {
        fprintf(stderr, "theater: bug: %s has no option --%s\n",
                context->command->name, name);
        abort();
    }
    return index;
}

bool cli_given(const struct cli_context *context, const char *name)
{
    return context->values[must_find(context, name)] != NULL;
}

bool cli_flag(const struct cli_context *context, const char *name)
{
    return cli_given(context, name);
}

const char *cli_value(const struct cli_context *context, const char *name)
{
    size_t index = must_find(context, name);
    return context->values[index] != NULL
               ? context->values[index]
               : cli_option_at(context->command, index)->fallback;
}

/* --- Values -------------------------------------------------------------- */

/* Digits, then a unit where `units` (times of a duration) are asked for. */
static bool parse_number(const char *text, bool duration, uint64_t *out)
{
    static const struct {
        const char *name;
        uint64_t ns;
    } units[] = {{"ns", 1},
                 {"us", 1000},
                 {"ms", 1000000},
                 {"s", UINT64_C(1000000000)},
                 {"m", UINT64_C(60000000000)},
                 {"h", UINT64_C(3600000000000)}};
    if (!isdigit((unsigned char)text[0])) {
        return false;
    }
    char *end;
    errno = 0;
    unsigned long long number = strtoull(text, &end, 10);
    if (errno != 0) {
        return false;
    }
    if (!duration) {
        *out = number;
        return *end == '\0';
    }
    for (size_t i = 0; i < sizeof units / sizeof units[0]; i++) {
        if (strcmp(end, units[i].name) == 0 &&
            number <= UINT64_MAX / units[i].ns) {
            *out = number * units[i].ns;
            return true;
        }
    }
    return false;
}

uint64_t cli_number(const struct cli_context *context, const char *name)
{
    size_t index = must_find(context, name);
    const char *value = cli_value(context, name);
    uint64_t number = 0;
    if (value != NULL) {
        bool duration =
            cli_option_at(context->command, index)->kind == CLI_DURATION;
        (void)parse_number(value, duration, &number);
    }
    return number;
}

static int lacks_choice(const struct cli_context *context,
                        const struct cli_option *option)
{
    struct cli_text all;
    cli_text_init(&all, context->env);
    for (size_t i = 0; option->choices[i] != NULL; i++) {
        cli_add_format(&all, "%s%s", i > 0 ? ", " : "", option->choices[i]);
    }
    int code = cli_usage(context, "'%s' needs --%s %s, one of %s",
                         context->command->name, option->name, option->value,
                         all.failed ? "those that its help lists" : all.data);
    cli_text_fini(&all);
    return code;
}

static int check_choice(const struct cli_context *context,
                        const struct cli_option *option, const char *value)
{
    struct cli_text all;
    cli_text_init(&all, context->env);
    size_t len = 0;
    for (; option->choices[len] != NULL; len++) {
        if (strcmp(option->choices[len], value) == 0) {
            cli_text_fini(&all);
            return CLI_OK;
        }
        cli_add_format(&all, "%s%s", len > 0 ? ", " : "", option->choices[len]);
    }
    const char *near = cli_nearest(value, option->choices, len);
    int code = near != NULL
                   ? cli_usage(context,
                               "--%s must be one of %s, not '%s'; did you "
                               "mean '%s'?",
                               option->name, all.data, value, near)
                   : cli_usage(context, "--%s must be one of %s, not '%s'",
                               option->name, all.data, value);
    cli_text_fini(&all);
    return code;
}

static int check_value(const struct cli_context *context,
                       const struct cli_option *option, const char *value)
{
    uint64_t number;
    switch (option->kind) {
    case CLI_FLAG:
        return CLI_OK;
    case CLI_TEXT:
        return value[0] != '\0'
                   ? CLI_OK
                   : cli_usage(context, "--%s must not be empty", option->name);
    case CLI_CHOICE:
        return check_choice(context, option, value);
    case CLI_NUMBER:
        if (!parse_number(value, false, &number) || number < option->min ||
            number > option->max) {
            return cli_usage(context,
                             "--%s must be a number from %llu to %llu, not "
                             "'%s'",
                             option->name, (unsigned long long)option->min,
                             (unsigned long long)option->max, value);
        }
        return CLI_OK;
    case CLI_DURATION:
        if (!parse_number(value, true, &number)) {
            return cli_usage(context,
                             "--%s must be a time such as 5s or 100ms, not "
                             "'%s'",
                             option->name, value);
        }
        if (number < option->min || number > option->max) {
            return cli_usage(context, "--%s must be from %llums to %llus",
                             option->name,
                             (unsigned long long)(option->min / 1000000),
                             (unsigned long long)(option->max / 1000000000));
        }
        return CLI_OK;
    }
    return CLI_OK;
}

/* --- Arguments ----------------------------------------------------------- */

static int unknown_option(const struct cli_context *context, const char *name,
                          size_t len)
{
    const char *names[CLI_OPTIONS_MAX];
    size_t names_len = 0;
    const struct cli_option *option;
    while ((option = cli_option_at(context->command, names_len)) != NULL) {
        names[names_len++] = option->name;
    }
    char word[64];
    snprintf(word, sizeof word, "%.*s", (int)(len < 60 ? len : 60), name);
    const char *near = cli_nearest(word, names, names_len);
    if (near != NULL) {
        return cli_usage(context,
                         "there is no option '--%s'; did you mean "
                         "'--%s'?",
                         word, near);
    }
    return cli_usage(context, "there is no option '--%s'", word);
}

/* One argument that begins with two dashes; takes the next one as its value
 * where it needs one. */
static int long_option(struct cli_context *context, int argc, char **argv,
                       int *at)
{
    const char *name = argv[*at] + 2;
    const char *equals = strchr(name, '=');
    size_t len = equals != NULL ? (size_t)(equals - name) : strlen(name);
    size_t index;
    if (!find_option(context->command, name, len, &index)) {
        return unknown_option(context, name, len);
    }
    const struct cli_option *option = cli_option_at(context->command, index);
    if (context->values[index] != NULL) {
        return cli_usage(context, "--%s was given twice", option->name);
    }
    if (option->kind == CLI_FLAG) {
        if (equals != NULL) {
            return cli_usage(context, "--%s takes no value", option->name);
        }
        context->values[index] = "";
        return CLI_OK;
    }
    const char *value = equals != NULL ? equals + 1 : argv[++*at];
    if (*at >= argc) {
        return cli_usage(context, "--%s needs a value: --%s %s", option->name,
                         option->name, option->value);
    }
    context->values[index] = value;
    return check_value(context, option, value);
}

static int short_option(struct cli_context *context, const char *argument)
{
    const struct cli_option *option;
    for (size_t i = 0; (option = cli_option_at(context->command, i)) != NULL;
         i++) {
        if (option->letter != 0 && argument[1] == option->letter &&
            argument[2] == '\0') {
            context->values[i] = "";
            return CLI_OK;
        }
    }
    return cli_usage(context,
                     "there is no option '%s'; what begins with a dash and is "
                     "none goes behind --",
                     argument);
}

/* Sorts options out; the operands are moved to the front of argv. */
static int parse(struct cli_context *context, int argc, char **argv,
                 int *out_operands)
{
    bool options = true;
    int operands = 0;
    for (int i = 0; i < argc; i++) {
        int code = CLI_OK;
        if (!options || argv[i][0] != '-' || argv[i][1] == '\0') {
            argv[operands++] = argv[i];
        } else if (strcmp(argv[i], "--") == 0) {
            options = false;
        } else if (argv[i][1] == '-') {
            code = long_option(context, argc, argv, &i);
        } else {
            code = short_option(context, argv[i]);
        }
        if (code != CLI_OK) {
            return code;
        }
    }
    *out_operands = operands;
    return CLI_OK;
}

static int lacks_operand(const struct cli_context *context)
{
    const struct cli_command *command = context->command;
    struct cli_text words;
    cli_text_init(&words, context->env);
    for (size_t i = 0; command->word != NULL && command->word(i) != NULL; i++) {
        cli_add(&words, i > 0 ? ", " : ", one of ");
        cli_add(&words, command->word(i));
    }
    int code =
        cli_usage(context, "'%s' needs %s%s", command->name, command->operands,
                  words.data != NULL ? words.data : "");
    cli_text_fini(&words);
    return code;
}

static int check_operands(const struct cli_context *context, int operands,
                          char **argv)
{
    const struct cli_command *command = context->command;
    if ((unsigned)operands < command->least) {
        return lacks_operand(context);
    }
    if ((unsigned)operands > command->most) {
        /* Two words where one is taken: say so, and what is too much. */
        return command->most == 0
                   ? cli_usage(context, "'%s' does not take '%s'",
                               command->name, argv[0])
                   : cli_usage(context,
                               "'%s' takes %u argument%s at most; '%s' is one "
                               "too many",
                               command->name, command->most,
                               command->most == 1 ? "" : "s",
                               argv[command->most]);
    }
    const struct cli_option *option;
    for (size_t i = 0; (option = cli_option_at(command, i)) != NULL; i++) {
        if (option->required && context->values[i] == NULL) {
            return option->kind == CLI_CHOICE
                       ? lacks_choice(context, option)
                       : cli_usage(context, "'%s' needs --%s %s", command->name,
                                   option->name, option->value);
        }
    }
    return CLI_OK;
}

/* --- The program --------------------------------------------------------- */

static bool has_color(int fd)
{
    const char *no_color = getenv("NO_COLOR");
    const char *term = getenv("TERM");
    return (no_color == NULL || no_color[0] == '\0') && term != NULL &&
           term[0] != '\0' && strcmp(term, "dumb") != 0 && isatty(fd);
}

/* --json counts for errors on the command line, too, wherever it stands. */
static bool wants_json(const struct cli_command *command, int argc, char **argv)
{
    size_t index;
    if (!find_option(command, "json", 4, &index)) {
        return false;
    }
    for (int i = 0; i < argc && strcmp(argv[i], "--") != 0; i++) {
        if (strcmp(argv[i], "--json") == 0) {
            return true;
        }
    }
    return false;
}

static int run_command(struct cli_context *context, int argc, char **argv)
{
    int operands;
    context->json = wants_json(context->command, argc, argv);
    int code = parse(context, argc, argv, &operands);
    if (code != CLI_OK) {
        return code;
    }
    if (cli_flag(context, "help")) {
        char *name[] = {(char *)(uintptr_t)context->command->name, NULL};
        return cli_help(context, 1, name);
    }
    code = check_operands(context, operands, argv);
    return code == CLI_OK ? context->command->run(context, operands, argv)
                          : code;
}

int cli_main(const theater_env_t *env, int argc, char **argv)
{
    struct cli_context context = {.env = env,
                                  .color_out = has_color(STDOUT_FILENO),
                                  .color_err = has_color(STDERR_FILENO)};
    /* A closed pipe is a status of write, not our death. */
    signal(SIGPIPE, SIG_IGN);
    if (argc < 2) {
        (void)cli_usage(&context, "which command?");
        return CLI_USAGE;
    }
    const char *word = argv[1];
    if (strcmp(word, "--help") == 0 || strcmp(word, "-h") == 0) {
        word = "help";
    } else if (strcmp(word, "--version") == 0) {
        word = "version";
    }
    context.command = cli_find_command(word);
    if (context.command == NULL) {
        return word[0] == '-'
                   ? cli_usage(&context,
                               "there is no option '%s' here; "
                               "options stand behind the command",
                               word)
                   : cli_no_such(&context, "command", word, cli_command_word);
    }
    return run_command(&context, argc - 2, argv + 2);
}
