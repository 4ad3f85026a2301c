/* SPDX-License-Identifier: Apache-2.0 */
/* Design notes. `theater completion`: scripts for three shells, made from the
 * table: commands, options, the words that a value or an operand may be, and
 * files and folders where the table says FILE or DIR. A script asks the
 * command nothing, so completing costs no process. */
#include "cli/cli.h"

#include <string.h>

static const char *const shells[] = {"bash", "zsh", "fish", NULL};

const char *cli_shell_word(size_t i)
{
    return i < sizeof shells / sizeof shells[0] ? shells[i] : NULL;
}

/* In single quotes of a shell; `specials` get a backslash. `end` is how a
 * single quote is written there. */
static void add_quoted(struct cli_text *out, const char *text,
                       const char *specials, const char *end)
{
    for (; *text != '\0'; text++) {
        if (*text == '\'') {
            cli_add(out, end);
            continue;
        }
        if (strchr(specials, *text) != NULL) {
            cli_add(out, "\\");
        }
        cli_add_bytes(out, text, 1);
    }
}

static void add_choices(struct cli_text *out, const struct cli_option *option)
{
    for (size_t i = 0; option->choices[i] != NULL; i++) {
        cli_add_format(out, "%s%s", i > 0 ? " " : "", option->choices[i]);
    }
}

static void add_words(struct cli_text *out, const char *(*word)(size_t i))
{
    for (size_t i = 0; word(i) != NULL; i++) {
        cli_add_format(out, "%s%s", i > 0 ? " " : "", word(i));
    }
}

/* --- bash ---------------------------------------------------------------- */

static const char bash_head[] =
    "# bash completion of theater; made by `theater completion bash`\n"
    "_theater_words() { mapfile -t COMPREPLY < <(compgen -W \"$1\" -- "
    "\"$word\"); }\n"
    "_theater_places() { compopt -o filenames 2>/dev/null || :\n"
    "    mapfile -t COMPREPLY < <(compgen \"$1\" -- \"$word\"); }\n"
    "_theater()\n"
    "{\n"
    "    local at=$COMP_CWORD word=${COMP_WORDS[COMP_CWORD]} before command\n"
    "    # --name=value comes as three words.\n"
    "    if [ \"$word\" = = ]; then\n"
    "        word= at=$((at + 1))\n"
    "    fi\n"
    "    before=${COMP_WORDS[at - 1]} command=${COMP_WORDS[1]}\n"
    "    if [ \"$before\" = = ] && [ \"$at\" -gt 2 ]; then\n"
    "        before=${COMP_WORDS[at - 2]}\n"
    "    fi\n"
    "    COMPREPLY=()\n"
    "    if [ \"$COMP_CWORD\" -eq 1 ]; then\n"
    "        _theater_words '";

static void add_bash_places(struct cli_text *out, enum cli_place place)
{
    if (place == CLI_ANYTHING) {
        cli_add(out, ":");
    } else {
        cli_add(out, place == CLI_FILES ? "_theater_places -f"
                                        : "_theater_places -d");
    }
}

static void add_bash_values(struct cli_text *out,
                            const struct cli_command *command)
{
    const struct cli_option *option;
    for (size_t i = 0; (option = cli_option_at(command, i)) != NULL; i++) {
        if (option->kind == CLI_FLAG) {
            continue;
        }
        cli_add_format(out, "    %s,--%s) ", command->name, option->name);
        if (option->choices != NULL) {
            cli_add(out, "_theater_words '");
            add_choices(out, option);
            cli_add(out, "'");
        } else {
            add_bash_places(out, cli_place_of(option->value));
        }
        cli_add(out, "; return ;;\n");
    }
}

static void add_bash(struct cli_text *out)
{
    size_t len;
    const struct cli_command *all = cli_commands(&len);
    const struct cli_option *option;
    cli_add(out, bash_head);
    add_words(out, cli_command_word);
    cli_add(out, " --help --version'\n        return\n    fi\n"
                 "    case $command,$before in\n");
    for (size_t i = 0; i < len; i++) {
        add_bash_values(out, &all[i]);
    }
    cli_add(out, "    esac\n    case $command,$word in\n");
    for (size_t i = 0; i < len; i++) {
        cli_add_format(out, "    %s,-*) _theater_words '", all[i].name);
        for (size_t k = 0; (option = cli_option_at(&all[i], k)) != NULL; k++) {
            cli_add_format(out, "%s--%s", k > 0 ? " " : "", option->name);
        }
        cli_add(out, "' ;;\n");
    }
    for (size_t i = 0; i < len; i++) {
        cli_add_format(out, "    %s,*) ", all[i].name);
        if (all[i].word != NULL) {
            cli_add(out, "_theater_words '");
            add_words(out, all[i].word);
            cli_add(out, "'");
        } else {
            add_bash_places(out, cli_place_of(all[i].operands));
        }
        cli_add(out, " ;;\n");
    }
    cli_add(out, "    esac\n}\ncomplete -F _theater theater\n");
}

/* --- zsh ----------------------------------------------------------------- */

static void add_zsh_place(struct cli_text *out, enum cli_place place)
{
    cli_add(out, place == CLI_FILES     ? "_files"
                 : place == CLI_FOLDERS ? "_files -/"
                                        : " ");
}

static void add_zsh_option(struct cli_text *out,
                           const struct cli_option *option)
{
    cli_add(out, " \\\n            ");
    if (option->letter != 0) {
        cli_add_format(out, "'(-%c --%s)'{-%c,--%s}'[", option->letter,
                       option->name, option->letter, option->name);
    } else {
        cli_add_format(out, "'--%s%s[", option->name,
                       option->value != NULL ? "=" : "");
    }
    add_quoted(out, option->help, "[]:\\", "'\\''");
    cli_add(out, "]");
    if (option->choices != NULL) {
        cli_add_format(out, ":%s:(", option->value);
        add_choices(out, option);
        cli_add(out, ")");
    } else if (option->value != NULL) {
        cli_add_format(out, ":%s:", option->value);
        add_zsh_place(out, cli_place_of(option->value));
    }
    cli_add(out, "'");
}

static void add_zsh_command(struct cli_text *out,
                            const struct cli_command *command)
{
    const struct cli_option *option;
    cli_add_format(out, "    %s)\n        _arguments", command->name);
    for (size_t i = 0; (option = cli_option_at(command, i)) != NULL; i++) {
        add_zsh_option(out, option);
    }
    if (command->word != NULL) {
        cli_add_format(out, " \\\n            '1:%s:(", command->operands);
        add_words(out, command->word);
        cli_add(out, ")'");
    } else if (command->most > 0) {
        cli_add_format(out, " \\\n            '*:%s:", command->operands);
        add_zsh_place(out, cli_place_of(command->operands));
        cli_add(out, "'");
    }
    cli_add(out, "\n        ;;\n");
}

static void add_zsh(struct cli_text *out)
{
    size_t len;
    const struct cli_command *all = cli_commands(&len);
    cli_add(out, "#compdef theater\n"
                 "# zsh completion of theater; made by `theater completion "
                 "zsh`\n"
                 "_theater() {\n"
                 "    local -a commands\n"
                 "    commands=(\n");
    for (size_t i = 0; i < len; i++) {
        cli_add_format(out, "        '%s:", all[i].name);
        add_quoted(out, all[i].summary, ":\\", "'\\''");
        cli_add(out, "'\n");
    }
    cli_add(out, "    )\n"
                 "    if (( CURRENT == 2 )); then\n"
                 "        _describe command commands\n"
                 "        return\n"
                 "    fi\n"
                 "    shift words\n"
                 "    (( CURRENT-- ))\n"
                 "    case $words[1] in\n");
    for (size_t i = 0; i < len; i++) {
        add_zsh_command(out, &all[i]);
    }
    /* Loaded from fpath it is the function's body; sourced, a definition. */
    cli_add(out, "    esac\n}\n"
                 "if [ \"$funcstack[1]\" = _theater ]; then\n"
                 "    _theater \"$@\"\n"
                 "else\n"
                 "    compdef _theater theater\n"
                 "fi\n");
}

/* --- fish ---------------------------------------------------------------- */

static void add_fish_option(struct cli_text *out,
                            const struct cli_command *command,
                            const struct cli_option *option)
{
    cli_add_format(out, "complete -c theater -n '__theater_in %s' -l %s",
                   command->name, option->name);
    if (option->letter != 0) {
        cli_add_format(out, " -s %c", option->letter);
    }
    if (option->choices != NULL) {
        cli_add(out, " -x -a '");
        add_choices(out, option);
        cli_add(out, "'");
    } else if (option->value != NULL) {
        enum cli_place place = cli_place_of(option->value);
        cli_add(out, place == CLI_FILES ? " -r -F"
                     : place == CLI_FOLDERS
                         ? " -x -a '(__fish_complete_directories)'"
                         : " -x");
    }
    cli_add(out, " -d '");
    add_quoted(out, option->help, "\\", "\\'");
    cli_add(out, "'\n");
}

static void add_fish_command(struct cli_text *out,
                             const struct cli_command *command)
{
    const struct cli_option *option;
    cli_add_format(out, "complete -c theater -n __theater_first -a %s -d '",
                   command->name);
    add_quoted(out, command->summary, "\\", "\\'");
    cli_add(out, "'\n");
    for (size_t i = 0; (option = cli_option_at(command, i)) != NULL; i++) {
        add_fish_option(out, command, option);
    }
    enum cli_place place = cli_place_of(command->operands);
    if (command->word != NULL) {
        cli_add_format(out, "complete -c theater -n '__theater_in %s' -a '",
                       command->name);
        add_words(out, command->word);
        cli_add(out, "'\n");
    } else if (place == CLI_FILES) {
        cli_add_format(out, "complete -c theater -n '__theater_in %s' -F\n",
                       command->name);
    } else if (place == CLI_FOLDERS) {
        cli_add_format(out,
                       "complete -c theater -n '__theater_in %s' -a "
                       "'(__fish_complete_directories)'\n",
                       command->name);
    }
}

static void add_fish(struct cli_text *out)
{
    size_t len;
    const struct cli_command *all = cli_commands(&len);
    cli_add(out, "# fish completion of theater; made by `theater completion "
                 "fish`\n"
                 "function __theater_first\n"
                 "    test (count (commandline -opc)) -eq 1\n"
                 "end\n"
                 "function __theater_in\n"
                 "    set -l words (commandline -opc)\n"
                 "    test (count $words) -ge 2; and test $words[2] = "
                 "$argv[1]\n"
                 "end\n"
                 "complete -c theater -f\n");
    for (size_t i = 0; i < len; i++) {
        add_fish_command(out, &all[i]);
    }
}

/* --- The command --------------------------------------------------------- */

int cli_completion(const struct cli_context *context, int argc, char **argv)
{
    static void (*const makers[])(struct cli_text *out) = {add_bash, add_zsh,
                                                           add_fish};
    struct cli_text script, out;
    size_t shell = 0;
    (void)argc;
    while (shells[shell] != NULL && strcmp(shells[shell], argv[0]) != 0) {
        shell++;
    }
    if (shells[shell] == NULL) {
        return cli_no_such(context, "shell", argv[0], cli_shell_word);
    }
    cli_text_init(&script, context->env);
    makers[shell](&script);
    if (!context->json) {
        return cli_print(&script);
    }
    cli_text_init(&out, context->env);
    cli_json_object(&out, NULL);
    cli_json_string(&out, "shell", shells[shell]);
    cli_json_bytes(&out, "script", script.data, script.len);
    cli_json_end(&out, '}');
    cli_add(&out, "\n");
    out.failed = out.failed || script.failed;
    cli_text_fini(&script);
    return cli_print(&out);
}
