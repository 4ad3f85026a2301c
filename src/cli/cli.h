/* SPDX-License-Identifier: Apache-2.0 */
/* The command `theater`: one table of commands and options, from which help,
 * usage errors, completions and man pages are made, and what the commands
 * share: the context, text, JSON, output and errors. It includes
 * <theater/...> only.
 *
 * A command is added in three steps: a function `int cli_x(context, argc,
 * argv)` in x.c, its prototype below, its entry in table.c. The function gets
 * its operands in argv (options are parsed before, by the table) and answers
 * the exit code; it asks for options with cli_flag, cli_value, cli_number. */
#ifndef TH_CLI_CLI_H
#define TH_CLI_CLI_H

#include <theater/bytes.h>
#include <theater/env.h>
#include <theater/status.h>

/* --- The table ----------------------------------------------------------- */

enum cli_exit {
    CLI_OK = 0,
    CLI_FAILED = 1, /* an actor failed, too */
    CLI_USAGE = 2,
    CLI_NOT_FOUND = 3,
    CLI_DENIED = 4,
    CLI_TIMEOUT = 5,
    CLI_UNREACHABLE = 6,
};

enum cli_kind {
    CLI_FLAG,     /* takes no value */
    CLI_TEXT,     /* any text that is not empty */
    CLI_NUMBER,   /* digits, from min to max */
    CLI_DURATION, /* "5s", "100ms"; min to max in nanoseconds */
    CLI_CHOICE,   /* one of `choices` */
};

/* One option. Static. A value is checked before the command runs. */
struct cli_option {
    const char *name;           /* "workers": --workers */
    char letter;                /* 'h': -h; 0: none */
    enum cli_kind kind;         /* what its value must be */
    const char *value;          /* how help names the value, "N"; NULL: flag */
    const char *help;           /* a line for people; no full stop */
    const char *fallback;       /* its value where it is not given; NULL */
    uint64_t min;               /* NUMBER, DURATION: least value */
    uint64_t max;               /* greatest value */
    const char *const *choices; /* CHOICE: the words, NULL behind the last */
    bool required;              /* a usage error when it is not given */
};

struct cli_example {
    const char *command; /* "theater run theater.toml" */
    const char *what;    /* what it does; no full stop */
};

struct cli_context;

struct cli_command {
    const char *name;                 /* "run" */
    const char *operands;             /* "FILE..."; "" for none */
    unsigned least;                   /* operands that it needs */
    unsigned most;                    /* operands that it takes */
    const char *summary;              /* a line; no full stop */
    const char *details;              /* paragraphs for its own help */
    const struct cli_option *options; /* its own; may be NULL */
    size_t options_len;               /* entries in options */
    /* Words that the first operand may be: the i-th, or NULL; for
     * completions. NULL: a FILE or DIR by `operands`, or any text. */
    const char *(*word)(size_t i);
    const struct cli_example *examples; /* at least one */
    size_t examples_len;                /* entries in examples */
    int (*run)(const struct cli_context *context, int argc, char **argv);
};

/* An environment variable that the command looks at. */
struct cli_variable {
    const char *name;
    const char *help;
};

/* The whole table; static. */
const struct cli_command *cli_commands(size_t *out_len);
/* Options that every command takes (--help). */
const struct cli_option *cli_common_options(size_t *out_len);
const struct cli_variable *cli_variables(size_t *out_len);
/* NULL: there is none of that name. */
const struct cli_command *cli_find_command(const char *name);
/* The i-th option of a command, its own, then the common ones; NULL: no
 * more. `command` NULL: the common ones. */
const struct cli_option *cli_option_at(const struct cli_command *command,
                                       size_t i);

/* What a value or an operand names, by how help calls it ("FILE.svg"). */
enum cli_place { CLI_ANYTHING, CLI_FILES, CLI_FOLDERS };
enum cli_place cli_place_of(const char *value);

/* Words of operands, as cli_command's `word`. */
const char *cli_command_word(size_t i);
const char *cli_shell_word(size_t i);
const char *cli_page_word(size_t i);
const char *cli_schema_word(size_t i);

enum { CLI_OPTIONS_MAX = 24 }; /* of one command, common ones included */

/* --- The commands -------------------------------------------------------- */

int cli_run(const struct cli_context *context, int argc, char **argv);
int cli_check(const struct cli_context *context, int argc, char **argv);
int cli_send(const struct cli_context *context, int argc, char **argv);
int cli_request(const struct cli_context *context, int argc, char **argv);
int cli_errors(const struct cli_context *context, int argc, char **argv);
int cli_version(const struct cli_context *context, int argc, char **argv);
int cli_help(const struct cli_context *context, int argc, char **argv);
int cli_bench(const struct cli_context *context, int argc, char **argv);
int cli_new(const struct cli_context *context, int argc, char **argv);
int cli_build(const struct cli_context *context, int argc, char **argv);
int cli_doctor(const struct cli_context *context, int argc, char **argv);
int cli_dev(const struct cli_context *context, int argc, char **argv);
int cli_inspect(const struct cli_context *context, int argc, char **argv);
int cli_completion(const struct cli_context *context, int argc, char **argv);
int cli_schema(const struct cli_context *context, int argc, char **argv);
int cli_man(const struct cli_context *context, int argc, char **argv);

/* The whole program, for main.c and for tests. Answers the exit code. */
int cli_main(const theater_env_t *env, int argc, char **argv);

/* --- The context --------------------------------------------------------- */

struct cli_context {
    const theater_env_t *env;          /* clock, threads, files, memory */
    const struct cli_command *command; /* that runs */
    /* Per option, the command's own, then the common ones; NULL: not given. */
    const char *values[CLI_OPTIONS_MAX];
    bool json;      /* --json was given */
    bool color_out; /* colour on the standard output */
    bool color_err; /* colour on the standard error */
};

/* Options of the running command by name; one that its table does not have is
 * a bug and aborts. A value that is not given is the table's fallback. */
bool cli_flag(const struct cli_context *context, const char *name);
/* NULL: neither given nor a fallback. */
const char *cli_value(const struct cli_context *context, const char *name);
/* NUMBER, or DURATION in nanoseconds; 0: neither given nor a fallback. */
uint64_t cli_number(const struct cli_context *context, const char *name);
/* Was it given? */
bool cli_given(const struct cli_context *context, const char *name);

/* --- Text and JSON ------------------------------------------------------- */

/* Growing text. When memory fails, `failed` stays true and the text is what
 * there was room for. With `limit` it stops there instead, and `cut` says
 * so. */
struct cli_text {
    const theater_env_t *env; /* of its memory */
    char *data;               /* a zero follows; NULL while it is empty */
    size_t len;               /* bytes */
    size_t capacity;          /* bytes there are */
    size_t limit;             /* 0: none */
    bool failed;              /* memory could not be had */
    bool cut;                 /* the limit was reached */
};

void cli_text_init(struct cli_text *text, const theater_env_t *env);
void cli_text_fini(struct cli_text *text);
void cli_add(struct cli_text *text, const char *string);
void cli_add_bytes(struct cli_text *text, const void *data, size_t len);
void cli_add_format(struct cli_text *text, const char *format, ...)
    __attribute__((format(printf, 2, 3)));
/* "no actors", "1 actor", "2 actors". */
void cli_add_plural(struct cli_text *text, uint64_t count, const char *what);
/* For a terminal: control characters, C1, what changes the direction of text
 * and invalid UTF-8 are shown as \x1b, \u0085; newlines, too, as \n. */
void cli_add_escaped(struct cli_text *text, const void *data, size_t len);
/* How many bytes of `data` are one character that may be shown as it is; 0:
 * none, it is to be escaped, `out_skip` bytes of it (at least 1). */
size_t cli_printable(const uint8_t *data, size_t len, size_t *out_skip,
                     uint32_t *out_code);
bool cli_utf8_ok(const void *data, size_t len);

/* JSON: commas and colons come by themselves. Names are ours and need no
 * escapes; strings are anybody's: invalid UTF-8 becomes U+FFFD. A line of
 * JSON: cli_json_object(text, NULL) ... cli_json_end(text, '}'), then a
 * newline. `name` NULL: an item of a list, or the whole. */
void cli_json_object(struct cli_text *text, const char *name);
void cli_json_list(struct cli_text *text, const char *name);
void cli_json_end(struct cli_text *text, char bracket);
void cli_json_string(struct cli_text *text, const char *name,
                     const char *string); /* NULL: null */
void cli_json_bytes(struct cli_text *text, const char *name, const void *data,
                    size_t len); /* data NULL: null */
void cli_json_base64(struct cli_text *text, const char *name, const void *data,
                     size_t len);
void cli_json_number(struct cli_text *text, const char *name, uint64_t number);
void cli_json_real(struct cli_text *text, const char *name, double number);
void cli_json_bool(struct cli_text *text, const char *name, bool value);

/* --- Output -------------------------------------------------------------- */

/* Writes the whole of it; a pipe that was closed early is no failure.
 * Answers CLI_OK, or CLI_FAILED after having said why (a full disk). */
int cli_write(int fd, const void *data, size_t len);
/* The text to the standard output, then frees it. */
int cli_print(struct cli_text *text);

/* --- Files --------------------------------------------------------------- */

bool cli_is_folder(const char *path);
/* A new file for people, by their umask, whole or not at all. What is there is
 * replaced; a link is not followed. Answers CLI_OK, or an exit code after
 * having said why. */
int cli_write_file(const struct cli_context *context, const char *path,
                   const void *data, size_t len);
/* "a/b/c.txt": makes a/b below `root`. */
int cli_make_folders(const struct cli_context *context, const char *root,
                     const char *path);
/* A path of `format`; false, after having said so: it is too long. */
enum { CLI_PATH_MAX = 4096 };
/* The folder that a file is in: "a/b/" of "a/b/c", "." of "c". */
void cli_folder_of(const char *path, char out[CLI_PATH_MAX]);
/* The last part of a path; NULL: "". */
const char *cli_base_name(const char *path);
bool cli_path(const struct cli_context *context, char out[CLI_PATH_MAX],
              const char *format, ...) __attribute__((format(printf, 3, 4)));

/* --- Errors -------------------------------------------------------------- */

/* Which exit code a status is. */
int cli_exit_code(theater_status_t status);
/* What to do about it: one line, never NULL. */
const char *cli_next_step(theater_status_t status);
/* Says on the standard error: code, cause, next step (as one JSON object with
 * --json). `err` may be NULL. Answers the exit code. */
int cli_fail(const struct cli_context *context, theater_status_t status,
             const theater_error_t *err);
/* The same with an origin (may be NULL) and a text of one's own. */
int cli_fail_text(const struct cli_context *context, theater_status_t status,
                  const char *origin, const char *format, ...)
    __attribute__((format(printf, 4, 5)));
/* The same with a next step of one's own. */
int cli_fail_advice(const struct cli_context *context, theater_status_t status,
                    const char *origin, const char *next, const char *format,
                    ...) __attribute__((format(printf, 5, 6)));
/* A usage error of the running command: text, usage line, where help is. */
int cli_usage(const struct cli_context *context, const char *format, ...)
    __attribute__((format(printf, 2, 3)));
/* The word of `words` that is nearest to `word`, or NULL when none is near. */
const char *cli_nearest(const char *word, const char *const *words, size_t len);
/* A usage error: `word` is none of those; the nearest is named, or all. `what`:
 * "shell". */
int cli_no_such(const struct cli_context *context, const char *what,
                const char *word, const char *(*all)(size_t i));

#endif
