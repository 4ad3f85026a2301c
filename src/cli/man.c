/* SPDX-License-Identifier: Apache-2.0 */
/* Design notes. `theater man`: manual pages in mdoc, made from the table of
 * commands and from the tables of keys: theater(1), theater-COMMAND(1),
 * theater.toml(5) and theater-manifest(5). mdoc wants a sentence to begin on
 * a line of its own and lines of 80 bytes at most. */
#include "cli/keys.h"

#include <stdio.h>
#include <string.h>

#define DATE "November 26, 2026"

enum { WIDTH = 76 };

static const char system_page[] = "theater.toml";
static const char manifest_page[] = "theater-manifest";

const char *cli_page_word(size_t i)
{
    static const char *const others[] = {"theater", system_page, manifest_page};
    size_t len;
    const struct cli_command *commands = cli_commands(&len);
    if (i < len) {
        return commands[i].name;
    }
    return i - len < 3 ? others[i - len] : NULL;
}

/* --- Text ---------------------------------------------------------------- */

static void add_letter(struct cli_text *out, char letter, char before,
                       char after)
{
    static const struct {
        char letter;
        const char *written;
    } escapes[] = {{'\\', "\\e"},
                   {'`', "\\(ga"},
                   {'\'', "\\(aq"},
                   {'~', "\\(ti"},
                   {'^', "\\(ha"}};
    for (size_t i = 0; i < sizeof escapes / sizeof escapes[0]; i++) {
        if (escapes[i].letter == letter) {
            cli_add(out, escapes[i].written);
            return;
        }
    }
    /* What is typed, and no hyphen of a word. */
    if (letter == '-' && (before == '-' || after == '-' || before == ' ')) {
        cli_add(out, "\\-");
        return;
    }
    cli_add_bytes(out, &letter, 1);
}

static void add_word(struct cli_text *out, const char *word, size_t len)
{
    if (word[0] == '.') {
        cli_add(out, "\\&");
    }
    for (size_t i = 0; i < len; i++) {
        add_letter(out, word[i], i > 0 ? word[i - 1] : ' ',
                   i + 1 < len ? word[i + 1] : ' ');
    }
}

/* Paragraphs, each sentence on a line of its own. */
static void add_text(struct cli_text *out, const char *text)
{
    size_t column = 0;
    while (*text != '\0') {
        size_t len = strcspn(text, " \n");
        if (column > 0 && column + 1 + len > WIDTH) {
            cli_add(out, "\n");
            column = 0;
        }
        if (column > 0) {
            cli_add(out, " ");
            column++;
        }
        if (len > 1 && memchr(text, '.', len - 1) != NULL) {
            cli_add(out, "\\%"); /* a file's name is not hyphenated */
        }
        add_word(out, text, len);
        column += len;
        bool ends = len > 0 && strchr(".?!", text[len - 1]) != NULL;
        text += len;
        if (*text == '\n') {
            cli_add(out, "\n.Pp\n");
            column = 0;
        } else if (ends && *text == ' ') {
            cli_add(out, "\n");
            column = 0;
        }
        text += strspn(text, " \n");
    }
    cli_add(out, "\n");
}

static void add_head(struct cli_text *out, const char *page, unsigned section,
                     const char *about)
{
    char title[64];
    snprintf(title, sizeof title, "%s", page);
    for (char *at = title; *at != '\0'; at++) {
        *at = *at >= 'a' && *at <= 'z' ? (char)(*at - 'a' + 'A') : *at;
    }
    cli_add_format(out,
                   ".\\\" SPDX-License-Identifier: Apache-2.0\n"
                   ".\\\" Made by `theater man`; do not edit.\n"
                   ".Dd " DATE "\n.Dt %s %u\n.Os Theater "
                   "%s\n.Sh NAME\n.Nm %s\n.Nd ",
                   title, section, THEATER_BUILD_VERSION, page);
    add_text(out, about);
}

/* --- Commands ------------------------------------------------------------ */

static void add_option(struct cli_text *out, const struct cli_option *option)
{
    cli_add(out, ".It ");
    if (option->letter != 0) {
        cli_add_format(out, "Fl %c , ", option->letter);
    }
    cli_add_format(out, "Fl \\-%s", option->name);
    if (option->value != NULL) {
        cli_add_format(out, " Ar %s", option->value);
    }
    cli_add(out, "\n");
    add_text(out, option->help);
    if (option->choices != NULL) {
        cli_add(out, ".Pq one of");
        for (size_t i = 0; option->choices[i] != NULL; i++) {
            cli_add_format(out, "%s %s", i > 0 ? "," : "", option->choices[i]);
        }
        cli_add(out, "\n");
    }
    if (option->required) {
        cli_add(out, ".Pq needed\n");
    }
    if (option->fallback != NULL) {
        cli_add_format(out, ".Pq default: %s\n", option->fallback);
    }
}

static void add_examples(struct cli_text *out,
                         const struct cli_command *command)
{
    cli_add(out, ".Sh EXAMPLES\n");
    for (size_t i = 0; i < command->examples_len; i++) {
        const char *line = command->examples[i].command;
        add_text(out, command->examples[i].what);
        cli_add(out, ".Bd -literal -offset indent\n");
        add_word(out, line, strlen(line));
        cli_add(out, "\n.Ed\n");
        if (i + 1 < command->examples_len) {
            cli_add(out, ".Pp\n");
        }
    }
}

static void add_exits(struct cli_text *out)
{
    cli_add(out, ".Sh EXIT STATUS\n"
                 "0 ok, 1 failed (an actor failed, too), 2 usage, 3 not "
                 "found, 4 denied,\n5 timeout, 6 unreachable.\n");
}

static void add_command_page(struct cli_text *out,
                             const struct cli_command *command)
{
    char page[64];
    const struct cli_option *option;
    snprintf(page, sizeof page, "theater-%s", command->name);
    add_head(out, page, 1, command->summary);
    cli_add_format(out,
                   ".Sh SYNOPSIS\n.Nm theater\n.Cm %s\n.Op Ar OPTION ...\n",
                   command->name);
    for (const char *at = command->operands; *at != '\0';) {
        size_t len = strcspn(at, " ");
        bool may_miss = at[0] == '[';
        cli_add_format(out, ".%sAr %.*s\n", may_miss ? "Op " : "",
                       (int)(may_miss ? len - 2 : len), at + may_miss);
        at += len;
        at += strspn(at, " ");
    }
    cli_add(out, ".Sh DESCRIPTION\n");
    add_text(out,
             command->details[0] != '\0' ? command->details : command->summary);
    cli_add(out, ".Pp\nThe options are as follows:\n.Bl -tag -width Ds\n");
    for (size_t i = 0; (option = cli_option_at(command, i)) != NULL; i++) {
        add_option(out, option);
    }
    cli_add(out, ".El\n");
    add_exits(out);
    add_examples(out, command);
    cli_add(out, ".Sh SEE ALSO\n.Xr theater 1\n");
}

static void add_overview_page(struct cli_text *out)
{
    size_t len;
    const struct cli_command *all = cli_commands(&len);
    add_head(out, "theater", 1, "run actors compiled to WebAssembly");
    cli_add(out, ".Sh SYNOPSIS\n.Nm\n.Ar COMMAND\n.Op Ar OPTION ...\n"
                 ".Op Ar ARGUMENT ...\n.Sh DESCRIPTION\n"
                 "Actors are WebAssembly modules that talk through a message "
                 "server.\nThe commands are as follows:\n"
                 ".Bl -tag -width Ds\n");
    for (size_t i = 0; i < len; i++) {
        cli_add_format(out, ".It Cm %s\n", all[i].name);
        add_text(out, all[i].summary);
        cli_add_format(out, ".Pq Xr theater-%s 1\n", all[i].name);
    }
    cli_add(out, ".El\n.Sh ENVIRONMENT\n.Bl -tag -width Ds\n");
    const struct cli_variable *variables = cli_variables(&len);
    for (size_t i = 0; i < len; i++) {
        cli_add_format(out, ".It Ev %s\n", variables[i].name);
        add_text(out, variables[i].help);
    }
    cli_add(out, ".El\n");
    add_exits(out);
    cli_add(out, ".Sh SEE ALSO\n.Xr theater-manifest 5 ,\n"
                 ".Xr theater.toml 5\n");
}

/* --- Keys ---------------------------------------------------------------- */

static void add_number(struct cli_text *out, const theater_key_t *key,
                       uint64_t number)
{
    if (key->type == THEATER_KEY_SIZE) {
        cli_add_size(out, number);
    } else if (key->type == THEATER_KEY_DURATION) {
        cli_add_duration(out, number);
    } else {
        cli_add_format(out, "%llu", (unsigned long long)number);
    }
}

static void add_key_value(struct cli_text *out, const theater_key_t *key)
{
    static const char *const kinds[] = {
        [THEATER_KEY_BOOL] = "true or false",
        [THEATER_KEY_INT] = "a number",
        [THEATER_KEY_SIZE] = "a size",
        [THEATER_KEY_DURATION] = "a duration",
        [THEATER_KEY_STRING] = "a string",
        [THEATER_KEY_STRING_LIST] = "a list of strings",
        [THEATER_KEY_ENUM] = "one of",
        [THEATER_KEY_NAME] = "an actor's name",
        [THEATER_KEY_BYTES] = "a string",
    };
    bool ranged = key->type == THEATER_KEY_INT ||
                  key->type == THEATER_KEY_SIZE ||
                  key->type == THEATER_KEY_DURATION;
    cli_add_format(out, "Value: %s", kinds[key->type]);
    for (size_t i = 0; key->choices != NULL && key->choices[i] != NULL; i++) {
        cli_add_format(out, "%s %s", i > 0 ? "," : "", key->choices[i]);
    }
    if (ranged) {
        cli_add(out, " from ");
        add_number(out, key, key->min);
        if (key->max != 0) {
            cli_add(out, " to ");
            add_number(out, key, key->max);
        }
    }
    cli_add(out, key->unlimited ? ", or unlimited.\n" : ".\n");
    if (key->required) {
        cli_add(out, "Needed.\n");
    } else if (key->fallback != NULL && key->fallback[0] != '\0') {
        cli_add_format(out, "Default: %s.\n", key->fallback);
    }
}

static void add_keys(struct cli_text *out, const theater_key_t *keys,
                     size_t len)
{
    cli_add(out, ".Bl -tag -width Ds\n");
    for (size_t i = 0; i < len; i++) {
        cli_add_format(out, ".It Cm %s\n", keys[i].name);
        add_text(out, keys[i].doc);
        cli_add(out, ".br\n");
        add_key_value(out, &keys[i]);
    }
    cli_add(out, ".El\n");
}

static void add_group(struct cli_text *out, const char *file,
                      const char *section)
{
    const theater_key_group_t *group = cli_key_group(file, section);
    if (group != NULL) {
        add_keys(out, group->keys, group->keys_len);
    }
}

static void add_values_section(struct cli_text *out, bool with_units)
{
    cli_add(out, ".Sh VALUES\n");
    if (with_units) {
        cli_add(out,
                "A size is a number of bytes or a string such as 64MiB, with "
                "the units KiB, MiB\nand GiB.\nA duration is a string such "
                "as 5s, with the units ns, us, ms, s, m and h.\n");
    }
    cli_add(out, "A name has 1 to 255 bytes of UTF-8 without control "
                 "characters.\n");
}

static void add_file_example(struct cli_text *out, const char *what,
                             const char *text)
{
    cli_add(out, ".Sh EXAMPLES\n");
    cli_add(out, what);
    cli_add(out, "\n.Bd -literal -offset indent\n");
    cli_add(out, text);
    cli_add(out, ".Ed\n");
}

static void add_manifest_page(struct cli_text *out)
{
    size_t len;
    const theater_handler_keys_t *handlers = cli_handler_keys(&len);
    add_head(out, manifest_page, 5, "what one actor of Theater is and may do");
    cli_add(out,
            ".Sh DESCRIPTION\nA manifest is a TOML file that says what one "
            "actor is: its name, its module, its\nlimits, and which handlers "
            "it may use with which permissions.\n.Ss Top of the file\n");
    add_group(out, "manifest", "");
    cli_add(out, ".Ss [limits]\n");
    add_group(out, "manifest", "limits");
    cli_add(out, ".Ss [[handler]]\n"
                 "Each section grants one handler to the actor, by its\n"
                 ".Cm type ;\na handler that is not listed is not there.\n");
    for (size_t i = 0; i < len; i++) {
        cli_add_format(out, ".Ss [[handler]] type = \\(dq%s\\(dq\n",
                       handlers[i].type);
        if (handlers[i].keys_len == 0) {
            cli_add(out, "No further keys.\n");
        } else {
            add_keys(out, handlers[i].keys, handlers[i].keys_len);
        }
    }
    add_values_section(out, true);
    add_file_example(out, "An actor whose memory is 1 MiB at most:",
                     "name = \"greeter\"\npackage = \"actor.wasm\"\n\n"
                     "[limits]\nmemory = \"1MiB\"\n\n"
                     "[[handler]]\ntype = \"message-server\"\n");
    cli_add(out, ".Sh SEE ALSO\n.Xr theater-check 1 ,\n"
                 ".Xr theater.toml 5\n");
}

static void add_system_page(struct cli_text *out)
{
    add_head(out, system_page, 5, "the actors of one run of Theater");
    cli_add(out, ".Sh DESCRIPTION\nA system file is a TOML file that lists "
                 "the actors of one run, each with a\nmanifest.\nIts usual "
                 "name is\n.Pa theater.toml .\n.Ss [[actor]]\n");
    add_group(out, "system", "actor");
    add_values_section(out, false);
    add_file_example(out, "Two actors, of which one is told the other's name:",
                     "[[actor]]\nmanifest = \"greeter.toml\"\n\n"
                     "[[actor]]\nmanifest = \"visitor.toml\"\n"
                     "initial_state = \"greeter\"\n");
    cli_add(out, ".Sh SEE ALSO\n.Xr theater-run 1 ,\n"
                 ".Xr theater-manifest 5\n");
}

/* --- The command --------------------------------------------------------- */

/* The page of a word of cli_page_word. */
static void make_page(struct cli_text *out, const char *word)
{
    const struct cli_command *command = cli_find_command(word);
    if (command != NULL) {
        add_command_page(out, command);
    } else if (strcmp(word, system_page) == 0) {
        add_system_page(out);
    } else if (strcmp(word, manifest_page) == 0) {
        add_manifest_page(out);
    } else {
        add_overview_page(out);
    }
}

static unsigned section_of(const char *word)
{
    return strcmp(word, system_page) == 0 || strcmp(word, manifest_page) == 0
               ? 5
               : 1;
}

static int write_pages(const struct cli_context *context, const char *folder)
{
    const char *word;
    for (size_t i = 0; (word = cli_page_word(i)) != NULL; i++) {
        char path[CLI_PATH_MAX];
        struct cli_text page;
        if (!cli_path(context, path, "%s/%s%s.%u", folder,
                      cli_find_command(word) != NULL ? "theater-" : "", word,
                      section_of(word))) {
            return CLI_FAILED;
        }
        cli_text_init(&page, context->env);
        make_page(&page, word);
        int code = page.failed
                       ? cli_fail(context, THEATER_OUT_OF_MEMORY, NULL)
                       : cli_write_file(context, path, page.data, page.len);
        cli_text_fini(&page);
        if (code != CLI_OK) {
            return code;
        }
    }
    return CLI_OK;
}

int cli_man(const struct cli_context *context, int argc, char **argv)
{
    struct cli_text page, out;
    const char *folder = cli_value(context, "write");
    if (folder != NULL) {
        return argc > 0 ? cli_usage(context, "--write writes all pages; leave "
                                             "PAGE out")
                        : write_pages(context, folder);
    }
    const char *word = argc > 0 ? argv[0] : "theater";
    /* theater(1) names the pages so: theater-run */
    if (strncmp(word, "theater-", 8) == 0 && cli_find_command(word + 8)) {
        word += 8;
    }
    size_t i = 0;
    while (cli_page_word(i) != NULL && strcmp(cli_page_word(i), word) != 0) {
        i++;
    }
    if (cli_page_word(i) == NULL) {
        return cli_no_such(context, "page", word, cli_page_word);
    }
    cli_text_init(&page, context->env);
    make_page(&page, word);
    if (!context->json) {
        return cli_print(&page);
    }
    cli_text_init(&out, context->env);
    cli_json_object(&out, NULL);
    cli_json_string(&out, "page", word);
    cli_json_number(&out, "section", section_of(word));
    cli_json_bytes(&out, "mdoc", page.data, page.len);
    cli_json_end(&out, '}');
    cli_add(&out, "\n");
    out.failed = out.failed || page.failed;
    cli_text_fini(&page);
    return cli_print(&out);
}
