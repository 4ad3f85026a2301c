/* SPDX-License-Identifier: Apache-2.0 */
/* Design notes: how the command says what went wrong: code, cause, next
 * step, on the standard error, as text or as one JSON object. A status
 * without a next step fails a test. Also here: the nearest word, writing. */
#include "cli/cli.h"

#include <errno.h>
#include <poll.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

/* --- Writing ------------------------------------------------------------- */

int cli_write(int fd, const void *data, size_t len)
{
    const char *at = data;
    while (len > 0) {
        ssize_t wrote = write(fd, at, len);
        if (wrote >= 0) {
            at += wrote;
            len -= (size_t)wrote;
        } else if (errno == EAGAIN || errno == EWOULDBLOCK) {
            struct pollfd room = {.fd = fd, .events = POLLOUT};
            (void)poll(&room, 1, -1);
        } else if (errno == EPIPE) {
            return CLI_OK; /* who read has seen enough */
        } else if (errno != EINTR) {
            if (fd != STDERR_FILENO) {
                dprintf(STDERR_FILENO,
                        "theater: io: cannot write the output: %s\n",
                        strerror(errno));
            }
            return CLI_FAILED;
        }
    }
    return CLI_OK;
}

int cli_print(struct cli_text *text)
{
    int code = CLI_FAILED;
    if (text->failed) {
        dprintf(STDERR_FILENO, "theater: out-of-memory\n");
    } else {
        code = cli_write(STDOUT_FILENO, text->data, text->len);
    }
    cli_text_fini(text);
    return code;
}

/* --- Statuses ------------------------------------------------------------ */

int cli_exit_code(theater_status_t status)
{
    switch (status) {
    case THEATER_OK:
        return CLI_OK;
    case THEATER_NOT_FOUND:
        return CLI_NOT_FOUND;
    case THEATER_DENIED:
        return CLI_DENIED;
    case THEATER_TIMEOUT:
        return CLI_TIMEOUT;
    case THEATER_UNREACHABLE:
        return CLI_UNREACHABLE;
    default:
        return CLI_FAILED;
    }
}

static const char *const next_steps[THEATER_STATUS_COUNT] = {
    [THEATER_OK] = "nothing is to be done",
    [THEATER_NOT_FOUND] =
        "check the name or the path; `theater check FILE` lists the actors, "
        "`theater new` makes a project with its manifest, `theater build "
        "DIR` a module that is missing",
    [THEATER_DENIED] =
        "grant it in the sender's manifest: can_send, can_request, "
        "can_open_channels, allowed_targets",
    [THEATER_MAILBOX_FULL] =
        "send less, raise mailbox_capacity or mailbox_bytes of the "
        "receiver, or let the sender wait: when_full = \"wait\"",
    [THEATER_TIMEOUT] =
        "find out what the target is busy with (THEATER_LOG=debug), "
        "or raise the timeout",
    [THEATER_CANCELLED] = "try again, if it is still wanted",
    [THEATER_CLOSED] =
        "see why the other end is gone: its last log line or its "
        "failure",
    [THEATER_REJECTED] =
        "the target's handle-channel-open decides; see what it asks "
        "for",
    [THEATER_FAILED] = "the text is the target's; correct what was sent",
    [THEATER_DEADLOCK] =
        "let one actor of the cycle send instead of request, or defer "
        "its answer",
    [THEATER_TOO_LARGE] = "send it in parts, over a channel",
    [THEATER_INVALID_ARGUMENT] =
        "names have 1 to 255 bytes of UTF-8 without control "
        "characters; ids are those that were given out",
    [THEATER_UNSUPPORTED] =
        "export the handler in the target's module; `theater check "
        "FILE` shows what it exports",
    [THEATER_SHUTTING_DOWN] = "nothing is to be done: the run is ending",
    [THEATER_UNREACHABLE] = "check that the node runs and can be reached",
    [THEATER_OUT_OF_MEMORY] =
        "run fewer actors, lower their memory limits, or give the "
        "process more memory",
    [THEATER_WRONG_THREAD] =
        "call it from a thread of your own, or use the function that "
        "takes a callback",
    [THEATER_ALREADY_EXISTS] = "give one of the two another name",
    [THEATER_IO] = "check the path, its permissions and the disk's space",
    [THEATER_BAD_MANIFEST] =
        "correct the file there; `theater man theater-manifest | man -l -` "
        "shows every key",
    [THEATER_BAD_MODULE] =
        "correct the module or its manifest, as the text says; a file that "
        "is damaged must be built again",
    [THEATER_TRAPPED] =
        "see the reason; a build of the actor with -g names the "
        "function",
    [THEATER_LIMIT] =
        "correct the actor, or raise that limit in its manifest's "
        "[limits]",
    [THEATER_EMPTY] = "wait until there is something",
    [THEATER_PENDING] = "wait for the outcome",
    [THEATER_BUG] = "report it, with the input that led to it",
};

const char *cli_next_step(theater_status_t status)
{
    return (unsigned)status < THEATER_STATUS_COUNT ? next_steps[status]
                                                   : "there is no such status";
}

/* --- Errors -------------------------------------------------------------- */

static void add_error_json(struct cli_text *line, theater_status_t status,
                           const char *origin, const char *text,
                           const char *next)
{
    cli_json_object(line, NULL);
    cli_json_string(line, "event", "error");
    cli_json_string(line, "status", theater_status_name(status));
    cli_json_number(line, "code", (uint64_t)status);
    cli_json_string(line, "origin", origin);
    cli_json_string(line, "text", text);
    cli_json_string(line, "next", next);
    cli_json_end(line, '}');
    cli_add(line, "\n");
}

static void add_error_text(struct cli_text *line, bool color,
                           theater_status_t status, const char *origin,
                           const char *text, const char *next)
{
    cli_add_format(line, "%stheater: %s%s: ", color ? "\033[1;31m" : "",
                   theater_status_name(status), color ? "\033[0m" : "");
    if (origin != NULL && origin[0] != '\0') {
        cli_add_escaped(line, origin, strlen(origin));
        cli_add(line, ": ");
    }
    cli_add_escaped(line, text, strlen(text));
    cli_add_format(line, "\n  next: %s (`theater errors %s`)\n", next,
                   theater_status_name(status));
}

static int say(const struct cli_context *context, theater_status_t status,
               const char *origin, const char *text, const char *next)
{
    struct cli_text line;
    cli_text_init(&line, context->env);
    if (context->json) {
        add_error_json(&line, status, origin, text, next);
    } else {
        add_error_text(&line, context->color_err, status, origin, text, next);
    }
    if (line.failed) {
        dprintf(STDERR_FILENO, "theater: %s\n", theater_status_name(status));
    } else {
        (void)cli_write(STDERR_FILENO, line.data, line.len);
    }
    cli_text_fini(&line);
    int code = cli_exit_code(status);
    return code != CLI_OK ? code : CLI_FAILED;
}

int cli_fail(const struct cli_context *context, theater_status_t status,
             const theater_error_t *err)
{
    bool told = err != NULL && err->text[0] != '\0';
    return say(context, status, told ? err->origin : NULL,
               told ? err->text : theater_status_text(status),
               cli_next_step(status));
}

int cli_fail_text(const struct cli_context *context, theater_status_t status,
                  const char *origin, const char *format, ...)
{
    char text[THEATER_ERROR_TEXT];
    va_list list;
    va_start(list, format);
    vsnprintf(text, sizeof text, format, list);
    va_end(list);
    return say(context, status, origin, text, cli_next_step(status));
}

int cli_fail_advice(const struct cli_context *context, theater_status_t status,
                    const char *origin, const char *next, const char *format,
                    ...)
{
    char text[THEATER_ERROR_TEXT];
    va_list list;
    va_start(list, format);
    vsnprintf(text, sizeof text, format, list);
    va_end(list);
    return say(context, status, origin, text, next);
}

/* --- Usage --------------------------------------------------------------- */

static void add_usage_text(struct cli_text *line,
                           const struct cli_context *context, const char *text)
{
    const struct cli_command *command = context->command;
    cli_add(line, "theater: ");
    cli_add_escaped(line, text, strlen(text));
    if (command != NULL) {
        cli_add_format(line, "\n  usage: theater %s [OPTION...]%s%s\n",
                       command->name, command->operands[0] != '\0' ? " " : "",
                       command->operands);
        cli_add_format(line, "  next: `theater %s --help` explains it\n",
                       command->name);
    } else {
        cli_add(line, "\n  usage: theater COMMAND [OPTION...] [ARGUMENT...]\n"
                      "  next: `theater help` lists the commands\n");
    }
}

int cli_usage(const struct cli_context *context, const char *format, ...)
{
    char text[THEATER_ERROR_TEXT];
    struct cli_text line;
    va_list list;
    va_start(list, format);
    vsnprintf(text, sizeof text, format, list);
    va_end(list);
    cli_text_init(&line, context->env);
    if (context->json) {
        cli_json_object(&line, NULL);
        cli_json_string(&line, "event", "error");
        cli_json_string(&line, "status", "usage");
        cli_json_string(&line, "text", text);
        cli_json_end(&line, '}');
        cli_add(&line, "\n");
    } else {
        add_usage_text(&line, context, text);
    }
    if (!line.failed) {
        (void)cli_write(STDERR_FILENO, line.data, line.len);
    }
    cli_text_fini(&line);
    return CLI_USAGE;
}

/* --- The nearest word ---------------------------------------------------- */

enum {
    WORD_MAX = 32,
    WORDS_LISTED = 4, /* so few are all named, even when one is near */
};

/* Edits (a letter added, dropped, changed, two neighbours exchanged) from one
 * word to the other; both at most WORD_MAX long. */
static unsigned distance(const char *a, size_t a_len, const char *b,
                         size_t b_len)
{
    unsigned rows[3][WORD_MAX + 1];
    unsigned *before = rows[0], *last = rows[1], *row = rows[2];
    for (size_t j = 0; j <= b_len; j++) {
        before[j] = last[j] = (unsigned)j;
    }
    for (size_t i = 1; i <= a_len; i++) {
        row[0] = (unsigned)i;
        for (size_t j = 1; j <= b_len; j++) {
            unsigned best = last[j - 1] + (a[i - 1] != b[j - 1]);
            best = last[j] + 1 < best ? last[j] + 1 : best;
            best = row[j - 1] + 1 < best ? row[j - 1] + 1 : best;
            if (i > 1 && j > 1 && a[i - 1] == b[j - 2] &&
                a[i - 2] == b[j - 1] && before[j - 2] + 1 < best) {
                best = before[j - 2] + 1;
            }
            row[j] = best;
        }
        unsigned *oldest = before;
        before = last;
        last = row;
        row = oldest;
    }
    return last[b_len];
}

const char *cli_nearest(const char *word, const char *const *words, size_t len)
{
    const char *near = NULL;
    size_t word_len = strlen(word);
    unsigned best = word_len <= 3 ? 2 : word_len <= 6 ? 3 : 4;
    if (word_len == 0 || word_len > WORD_MAX) {
        return NULL;
    }
    for (size_t i = 0; i < len; i++) {
        size_t other = strlen(words[i]);
        if (other > WORD_MAX) {
            continue;
        }
        unsigned edits = distance(word, word_len, words[i], other);
        if (edits < best && edits < other) {
            best = edits;
            near = words[i];
        }
    }
    return near;
}

int cli_no_such(const struct cli_context *context, const char *what,
                const char *word, const char *(*all)(size_t i))
{
    const char *words[64];
    size_t len = 0;
    while (len < 64 && all(len) != NULL) {
        words[len] = all(len);
        len++;
    }
    const char *near = cli_nearest(word, words, len);
    if (near != NULL && len > WORDS_LISTED) {
        return cli_usage(context, "there is no %s '%s'; did you mean '%s'?",
                         what, word, near);
    }
    struct cli_text list;
    cli_text_init(&list, context->env);
    for (size_t i = 0; i < len; i++) {
        cli_add_format(&list, "%s%s", i > 0 ? ", " : "", words[i]);
    }
    if (near != NULL) {
        cli_add_format(&list, "; did you mean '%s'?", near);
    }
    int code = cli_usage(context, "there is no %s '%s'; there are: %s", what,
                         word, list.data != NULL ? list.data : "none");
    cli_text_fini(&list);
    return code;
}
