/* SPDX-License-Identifier: Apache-2.0 */
/* Design notes: `run`, `send` and `request`: a session, one thing done in it,
 * its end. `run` writes all that happens to the standard output; the other two
 * keep that for their answer, and what actors say goes to the standard
 * error. */
#include "cli/operands.h"
#include "cli/session.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

/* For calls that do not end although the answer is there. */
enum { SHORT_GRACE_MS = 300 };

static uint32_t watchdog_of(const struct cli_context *context)
{
    return (uint32_t)(cli_number(context, "watchdog") / 1000000);
}

/* --- run ----------------------------------------------------------------- */

int cli_run(const struct cli_context *context, int argc, char **argv)
{
    struct cli_session session;
    struct cli_summary summary;
    struct cli_files files;
    int code = cli_find_files(context, argc, argv, &files);
    if (code != CLI_OK) {
        cli_files_fini(&files);
        return code;
    }
    code = cli_session_open(context, STDOUT_FILENO, watchdog_of(context),
                            &session);
    if (code == CLI_OK) {
        session.drain_ms =
            (uint32_t)(cli_number(context, "drain-time") / 1000000);
        code = cli_session_spawn(&session, (const char *const *)files.paths,
                                 files.len);
    }
    if (code == CLI_OK) {
        (void)cli_session_finish(&session, cli_flag(context, "stay"),
                                 UINT64_MAX, &summary);
        cli_session_summarise(&session, &summary);
        code = summary.stats.failed > 0 || summary.stats.cut_off > 0 ||
                       summary.left > 0
                   ? CLI_FAILED
                   : CLI_OK;
    }
    int closed = cli_session_close(&session);
    cli_files_fini(&files);
    return code != CLI_OK ? code : closed;
}

/* --- DATA ---------------------------------------------------------------- */

struct data {
    struct cli_text read; /* the standard input */
    uint8_t *file;        /* of the environment; NULL */
    theater_bytes_t bytes;
};

static int read_input(const struct cli_context *context, struct data *data)
{
    char part[1 << 16];
    for (;;) {
        ssize_t len = read(STDIN_FILENO, part, sizeof part);
        if (len == 0) {
            break;
        }
        if (len > 0) {
            cli_add_bytes(&data->read, part, (size_t)len);
        } else if (errno != EINTR) {
            return cli_fail_text(context, THEATER_IO, "-",
                                 "the standard input cannot be read: %s",
                                 strerror(errno));
        }
        if (data->read.failed) {
            return cli_fail(context, THEATER_OUT_OF_MEMORY, NULL);
        }
        if (data->read.len > (size_t)THEATER_MESSAGE_MAX) {
            return cli_fail(context, THEATER_TOO_LARGE, NULL);
        }
    }
    data->bytes =
        (theater_bytes_t){(const uint8_t *)data->read.data, data->read.len};
    return CLI_OK;
}

static int read_data(const struct cli_context *context, const char *argument,
                     struct data *data)
{
    const theater_env_t *env = context->env;
    memset(data, 0, sizeof *data);
    cli_text_init(&data->read, env);
    if (strcmp(argument, "-") == 0) {
        return read_input(context, data);
    }
    if (argument[0] == '@') {
        theater_status_t status =
            env->file_read(env->ctx, argument + 1, THEATER_MESSAGE_MAX,
                           &data->file, &data->bytes.len);
        data->bytes.data = data->file;
        return status == THEATER_OK
                   ? CLI_OK
                   : cli_fail_text(context, status, argument + 1, "%s",
                                   status == THEATER_NOT_FOUND
                                       ? "there is no such file"
                                   : cli_is_folder(argument + 1)
                                       ? "it is a folder; name a file in it"
                                       : theater_status_text(status));
    }
    data->bytes =
        (theater_bytes_t){(const uint8_t *)argument, strlen(argument)};
    return CLI_OK;
}

static void free_data(const struct cli_context *context, struct data *data)
{
    cli_text_fini(&data->read);
    if (data->file != NULL) {
        context->env->free(context->env->ctx, data->file);
    }
}

/* --- send ---------------------------------------------------------------- */

static uint64_t timeout_of(const struct cli_context *context)
{
    return cli_number(context, "timeout") / 1000000;
}

static theater_bytes_t name_of(const char *name)
{
    return (theater_bytes_t){(const uint8_t *)name, strlen(name)};
}

/* The actors of --run, of which `target` will be addressed. */
static int spawn_for(struct cli_session *session, const char *target)
{
    const struct cli_context *context = session->context;
    char *given = (char *)(uintptr_t)cli_value(context, "run");
    struct cli_files files;
    int code = cli_find_files(context, 1, &given, &files);
    if (code == CLI_OK) {
        code = cli_session_spawn_paused(session, files.paths[0], target);
    }
    cli_files_fini(&files);
    return code;
}

static int print_sent(const struct cli_context *context, const char *name,
                      size_t bytes, const struct cli_summary *summary)
{
    struct cli_text text;
    cli_text_init(&text, context->env);
    if (context->json) {
        cli_json_object(&text, NULL);
        cli_json_string(&text, "status", "ok");
        cli_json_string(&text, "target", name);
        cli_json_number(&text, "bytes", bytes);
        cli_json_number(&text, "handled", summary->counters.delivered);
        cli_json_number(&text, "dead_letters", summary->counters.dead_total);
        cli_json_number(&text, "failed", summary->stats.failed);
        cli_json_end(&text, '}');
    } else {
        /* What made an actor fail was delivered, and not handled. */
        cli_add_format(&text, "sent %zu byte%s to ", bytes,
                       bytes == 1 ? "" : "s");
        cli_add_name(&text, name, strlen(name));
        cli_add(&text,
                summary->stats.failed > 0 ? "; delivered " : "; handled ");
        cli_add_plural(&text, summary->counters.delivered, "message");
        cli_add(&text, ", ");
        cli_add_plural(&text, summary->counters.dead_total, "dead letter");
        if (summary->stats.failed > 0) {
            cli_add(&text, "; ");
            cli_add_plural(&text, summary->stats.failed, "failed actor");
        }
    }
    cli_add(&text, "\n");
    return cli_print(&text);
}

int cli_send(const struct cli_context *context, int argc, char **argv)
{
    struct cli_session session;
    struct cli_summary summary;
    struct data data;
    (void)argc;
    int code = read_data(context, argv[1], &data);
    if (code != CLI_OK) {
        free_data(context, &data);
        return code;
    }
    code = cli_session_open(context, STDERR_FILENO, watchdog_of(context),
                            &session);
    if (code == CLI_OK) {
        code = spawn_for(&session, argv[0]);
    }
    if (code == CLI_OK) {
        /* Before they start: then none has stopped before it comes. */
        theater_status_t status = theater_router_send(
            session.router, NULL, name_of(argv[0]), data.bytes);
        cli_target_look(&session, status);
        theater_runtime_start_all(session.runtime);
        session.grace_ms = SHORT_GRACE_MS;
        (void)cli_session_finish(&session, false, timeout_of(context),
                                 &summary);
        code = status != THEATER_OK
                   ? cli_target_refused(&session, status)
                   : print_sent(context, argv[0], data.bytes.len, &summary);
        if (code == CLI_OK && summary.stats.failed > 0) {
            code = CLI_FAILED;
        }
    }
    int closed = cli_session_close(&session);
    free_data(context, &data);
    return code != CLI_OK ? code : closed;
}

/* --- request ------------------------------------------------------------- */

static void add_answer_json(struct cli_text *text, const char *name,
                            const theater_answer_t *answer)
{
    cli_json_object(text, NULL);
    cli_json_string(text, "status", "ok");
    cli_json_string(text, "target", name);
    cli_json_number(text, "bytes", answer->len);
    if (cli_utf8_ok(answer->data, answer->len)) {
        cli_json_bytes(text, "answer", answer->data, answer->len);
    } else {
        cli_json_base64(text, "answer_base64", answer->data, answer->len);
    }
    cli_json_end(text, '}');
    cli_add(text, "\n");
}

/* Newlines stay, all else that a terminal could act upon is escaped. */
static void add_answer_text(struct cli_text *text,
                            const theater_answer_t *answer)
{
    const uint8_t *data = answer->data;
    size_t len = answer->len;
    if (len > 0 && data[len - 1] == '\n') {
        len--;
    }
    for (size_t at = 0; at <= len;) {
        const uint8_t *newline =
            at < len ? memchr(data + at, '\n', len - at) : NULL;
        size_t run = newline != NULL ? (size_t)(newline - data) - at : len - at;
        cli_add_escaped(text, data + at, run);
        cli_add(text, "\n");
        at += run + 1;
    }
}

static int print_answer(const struct cli_context *context, const char *name,
                        const theater_answer_t *answer)
{
    struct cli_text text;
    cli_text_init(&text, context->env);
    if (context->json) {
        add_answer_json(&text, name, answer);
    } else if (cli_flag(context, "raw")) {
        cli_add_bytes(&text, answer->data, answer->len);
    } else {
        add_answer_text(&text, answer);
    }
    return cli_print(&text);
}

/* Says why there is no answer; FAILED comes with the actor's own text. */
static int no_answer(const struct cli_session *session, theater_status_t status,
                     const theater_answer_t *answer)
{
    if (status == THEATER_FAILED && answer != NULL && answer->len > 0) {
        return cli_fail_text(session->context, status, session->target, "%.*s",
                             (int)(answer->len < 350 ? answer->len : 350),
                             (const char *)answer->data);
    }
    return cli_target_refused(session, status);
}

struct asked {
    const theater_env_t *env;
    theater_status_t status;
    theater_answer_t *answer; /* NULL: none */
    _Atomic uint32_t ended;   /* parked on */
};

static void on_answer(void *user, theater_status_t status,
                      theater_answer_t *answer)
{
    struct asked *asked = user;
    const theater_env_t *env = asked->env;
    asked->status = status;
    asked->answer = answer;
    /* [A1] release; pairs with [A2]: publishes status and answer. After it
     * `asked` may be gone: its address alone is used. */
    atomic_store_explicit(&asked->ended, 1, memory_order_release);
    env->unpark(env->ctx, &asked->ended, 1);
}

/* Asks before the actors start, so that none has stopped before it could be
 * asked; then waits. */
static void ask(struct cli_session *session, const char *name,
                theater_bytes_t data, uint32_t timeout_ms, struct asked *asked)
{
    theater_status_t status =
        theater_router_request_start(session->router, NULL, name_of(name), data,
                                     timeout_ms, on_answer, asked, NULL);
    cli_target_look(session, status);
    theater_runtime_start_all(session->runtime);
    if (status != THEATER_PENDING) {
        asked->status = status;
        return;
    }
    /* [A2] acquire. */
    while (atomic_load_explicit(&asked->ended, memory_order_acquire) == 0) {
        asked->env->park(asked->env->ctx, &asked->ended, 0, THEATER_NEVER);
    }
}

int cli_request(const struct cli_context *context, int argc, char **argv)
{
    struct cli_session session;
    struct cli_summary summary;
    struct data data;
    (void)argc;
    int code = read_data(context, argv[1], &data);
    if (code != CLI_OK) {
        free_data(context, &data);
        return code;
    }
    code = cli_session_open(context, STDERR_FILENO, watchdog_of(context),
                            &session);
    if (code == CLI_OK) {
        code = spawn_for(&session, argv[0]);
    }
    if (code == CLI_OK) {
        struct asked asked = {.env = context->env};
        ask(&session, argv[0], data.bytes, (uint32_t)timeout_of(context),
            &asked);
        if (asked.status == THEATER_OK) {
            code = print_answer(context, argv[0], asked.answer);
        }
        /* The others get a moment to end what they are doing. */
        session.grace_ms = SHORT_GRACE_MS;
        (void)cli_session_finish(
            &session, false, asked.status == THEATER_OK ? 1000 : 0, &summary);
        if (asked.status != THEATER_OK) {
            code = no_answer(&session, asked.status, asked.answer);
        }
        theater_answer_delete(asked.answer);
        if (code == CLI_OK && summary.stats.failed > 0) {
            code = CLI_FAILED;
        }
    }
    int closed = cli_session_close(&session);
    free_data(context, &data);
    return code != CLI_OK ? code : closed;
}
