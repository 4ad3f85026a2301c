/* SPDX-License-Identifier: Apache-2.0 */
/* Design notes: lines, written by a thread of their own.
 *
 * Events and dead letters come on the threads that run actors, which a slow
 * terminal or a full pipe must not stop: lines are formatted into `pending`
 * under a short lock, and the writer takes them from there. Lines for which
 * there is no room are counted, and the count is written.
 *
 * A dead letter may be announced on a guest's own small stack: its names are
 * copied there, and the writer formats them. At most CLI_LETTERS_A_SECOND are
 * shown; a flood costs one clock reading and one addition each.
 *
 * Orders: `word`, `letters_from` and `left_out` are hints and counts; what
 * they speak of is handed over under the lock, so all are relaxed. */
#include "cli/session.h"

#include <errno.h>
#include <poll.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define SECOND UINT64_C(1000000000)

/* --- The writer ---------------------------------------------------------- */

/* Under the lock; wake_writer follows, without it. */
static bool writer_sleeps(struct cli_log *log)
{
    bool sleeps = log->sleeping;
    log->sleeping = false;
    return sleeps;
}

static void wake_writer(struct cli_log *log)
{
    atomic_fetch_add_explicit(&log->word, 1, memory_order_relaxed);
    log->env->unpark(log->env->ctx, &log->word, 1);
}

/* Under the lock: the line becomes pending, if there is room. */
static void keep_line(struct cli_log *log)
{
    if (log->closed) {
        return;
    }
    size_t before = log->pending.len;
    if (!log->line.failed &&
        before + log->line.len <= (size_t)CLI_PENDING_MAX) {
        cli_add_bytes(&log->pending, log->line.data, log->line.len);
    }
    if (log->pending.len == before && log->line.len > 0) {
        log->lost++;
        log->pending.failed = false;
    }
}

struct cli_text *cli_log_begin(struct cli_log *log)
{
    pthread_mutex_lock(&log->lock);
    log->line.len = 0;
    log->line.failed = false;
    log->line.cut = false;
    return &log->line;
}

void cli_log_end(struct cli_log *log)
{
    keep_line(log);
    bool wake = writer_sleeps(log);
    pthread_mutex_unlock(&log->lock);
    if (wake) {
        wake_writer(log);
    }
}

/* Under the lock: a line of the command's own. */
static void keep_note(struct cli_log *log, const char *event,
                      const char *module, const char *format, uint64_t count)
{
    char text[160];
    int len = snprintf(text, sizeof text, format, (unsigned long long)count);
    struct cli_line line = {.wall_ns = log->env->wall_ns(log->env->ctx),
                            .level = THEATER_LOG_WARN,
                            .event = event,
                            .module = module,
                            .text = text,
                            .len = (size_t)len};
    log->line.len = 0;
    log->line.failed = false;
    log->line.cut = false;
    cli_format_line(&log->line, log->json, log->color, &line);
    keep_line(log);
}

/* Under the lock: dead letters, and how many of them are not shown. */
static void keep_letters(struct cli_log *log)
{
    for (unsigned i = 0; i < log->letters_len; i++) {
        log->line.len = 0;
        log->line.failed = false;
        log->line.cut = false;
        cli_format_letter(&log->line, log->json, log->color,
                          log->env->wall_ns(log->env->ctx), &log->letters[i]);
        keep_line(log);
    }
    log->letters_len = 0;
    uint64_t from =
        atomic_load_explicit(&log->letters_from, memory_order_relaxed);
    if (log->ending || log->env->now_ns(log->env->ctx) >= from) {
        uint64_t count =
            atomic_exchange_explicit(&log->left_out, 0, memory_order_relaxed);
        if (count > 0) {
            keep_note(log, "dead-letters-left-out", "router",
                      "%llu more dead letters are not shown; the summary "
                      "counts them",
                      count);
        }
    }
    if (log->lost > 0 && log->pending.len < (size_t)CLI_PENDING_MAX / 2) {
        uint64_t count = log->lost;
        log->lost = 0;
        keep_note(log, "lines-left-out", "theater",
                  "%llu lines are left out: whoever reads this is too slow",
                  count);
    }
}

/* Answers 0, or errno. */
static int write_all(int fd, const char *data, size_t len)
{
    while (len > 0) {
        ssize_t wrote = write(fd, data, len);
        if (wrote >= 0) {
            data += wrote;
            len -= (size_t)wrote;
        } else if (errno == EAGAIN || errno == EWOULDBLOCK) {
            struct pollfd room = {.fd = fd, .events = POLLOUT};
            (void)poll(&room, 1, -1);
        } else if (errno != EINTR) {
            return errno;
        }
    }
    return 0;
}

static void close_log(struct cli_log *log, int error)
{
    if (error != EPIPE && log->fd != STDERR_FILENO) {
        dprintf(STDERR_FILENO, "theater: io: cannot write the output: %s\n",
                strerror(error));
    }
    pthread_mutex_lock(&log->lock);
    log->closed = true;
    log->failed = error != EPIPE;
    log->pending.len = 0;
    pthread_mutex_unlock(&log->lock);
    if (log->on_closed != NULL) {
        log->on_closed(log->user);
    }
}

/* Under the lock, which is given up meanwhile. */
static void sleep_writer(struct cli_log *log)
{
    uint32_t word = atomic_load_explicit(&log->word, memory_order_relaxed);
    uint64_t until = THEATER_NEVER;
    if (atomic_load_explicit(&log->left_out, memory_order_relaxed) > 0) {
        until = atomic_load_explicit(&log->letters_from, memory_order_relaxed);
    }
    log->sleeping = true;
    pthread_mutex_unlock(&log->lock);
    log->env->park(log->env->ctx, &log->word, word, until);
    pthread_mutex_lock(&log->lock);
    log->sleeping = false;
}

static void write_lines(void *arg)
{
    struct cli_log *log = arg;
    struct cli_text mine;
    cli_text_init(&mine, log->env);
    pthread_mutex_lock(&log->lock);
    for (;;) {
        keep_letters(log);
        struct cli_text swap = log->pending;
        log->pending = mine;
        mine = swap;
        if (mine.len == 0) {
            if (log->ending) {
                break;
            }
            sleep_writer(log);
            continue;
        }
        pthread_mutex_unlock(&log->lock);
        int error = write_all(log->fd, mine.data, mine.len);
        if (error != 0) {
            close_log(log, error);
        }
        mine.len = 0;
        pthread_mutex_lock(&log->lock);
    }
    pthread_mutex_unlock(&log->lock);
    cli_text_fini(&mine);
}

/* --- Starting and stopping ----------------------------------------------- */

static int parse_format(const struct cli_context *context, bool *out_json)
{
    static const char *const formats[] = {"text", "json"};
    const char *format = getenv("THEATER_LOG_FORMAT");
    *out_json = context->json;
    if (format == NULL || format[0] == '\0' || strcmp(format, "text") == 0) {
        return CLI_OK;
    }
    if (strcmp(format, "json") == 0) {
        *out_json = true;
        return CLI_OK;
    }
    const char *near = cli_nearest(format, formats, 2);
    return cli_usage(context,
                     "THEATER_LOG_FORMAT must be text or json, not '%s'%s%s%s",
                     format, near != NULL ? "; did you mean '" : "",
                     near != NULL ? near : "", near != NULL ? "'?" : "");
}

int cli_log_start(const struct cli_context *context, struct cli_log *log,
                  int fd, void (*on_closed)(void *user), void *user)
{
    memset(log, 0, sizeof *log);
    log->env = context->env;
    log->fd = fd;
    log->on_closed = on_closed;
    log->user = user;
    int code = cli_filter_parse(context, getenv("THEATER_LOG"), &log->filter);
    if (code == CLI_OK) {
        code = parse_format(context, &log->json);
    }
    if (code != CLI_OK) {
        return code;
    }
    log->color = !log->json && (fd == STDERR_FILENO ? context->color_err
                                                    : context->color_out);
    log->shows_letters =
        cli_filter_shows(&log->filter, "router", THEATER_LOG_WARN);
    pthread_mutex_init(&log->lock, NULL);
    cli_text_init(&log->line, log->env);
    cli_text_init(&log->pending, log->env);
    theater_status_t status = log->env->thread_start(
        log->env->ctx, "output", write_lines, log, &log->writer);
    if (status != THEATER_OK) {
        pthread_mutex_destroy(&log->lock);
        return cli_fail_text(context, status, NULL,
                             "a thread could not be started");
    }
    return CLI_OK;
}

int cli_log_stop(struct cli_log *log)
{
    pthread_mutex_lock(&log->lock);
    log->ending = true;
    log->sleeping = false;
    pthread_mutex_unlock(&log->lock);
    wake_writer(log);
    log->env->thread_join(log->env->ctx, log->writer);
    cli_text_fini(&log->line);
    cli_text_fini(&log->pending);
    pthread_mutex_destroy(&log->lock);
    return log->failed ? CLI_FAILED : CLI_OK;
}

/* --- What comes in ------------------------------------------------------- */

static void log_line(struct cli_log *log, struct cli_line *line)
{
    const char *module = line->actor != NULL ? line->actor : line->module;
    if (!cli_filter_shows(&log->filter, module, line->level)) {
        return;
    }
    line->wall_ns = log->env->wall_ns(log->env->ctx);
    struct cli_text *text = cli_log_begin(log);
    cli_format_line(text, log->json, log->color, line);
    cli_log_end(log);
}

/* A line for each of the report's. */
static void log_report(struct cli_log *log, struct cli_line *line)
{
    const char *at = line->text;
    const char *end = at + line->len;
    line->actor = NULL;
    while (at < end) {
        const char *newline = memchr(at, '\n', (size_t)(end - at));
        line->text = at;
        line->len = (size_t)((newline != NULL ? newline : end) - at);
        log_line(log, line);
        at += line->len + 1;
    }
}

void cli_log_event(struct cli_log *log, const theater_event_t *event)
{
    struct cli_line line = {.level = THEATER_LOG_DEBUG,
                            .event = "log",
                            .module = "runtime",
                            .actor = event->actor,
                            .text = event->text,
                            .len = event->text_len};
    switch (event->kind) {
    case THEATER_ACTOR_LOG:
        line.level = event->level;
        if (event->actor[0] != '\0') {
            line.module = NULL;
        } else {
            line.actor = NULL;
        }
        break;
    case THEATER_ACTOR_SPAWNED:
        line.event = "spawned";
        break;
    case THEATER_ACTOR_STOPPED:
        line.event = "stopped";
        break;
    case THEATER_ACTOR_FAILED:
        line.event = "failed";
        line.level = THEATER_LOG_ERROR;
        line.status = theater_status_name(event->status);
        break;
    case THEATER_ACTOR_RESTARTED:
        line.event = "restarted";
        line.level = THEATER_LOG_WARN;
        break;
    case THEATER_WORKER_STUCK:
        line.event = "stuck";
        line.level = THEATER_LOG_WARN;
        if (!log->json) {
            log_report(log, &line);
            return;
        }
        break;
    }
    log_line(log, &line);
}

void cli_log_say(struct cli_log *log, theater_log_level_t level,
                 const char *format, ...)
{
    char text[512];
    va_list list;
    va_start(list, format);
    int len = vsnprintf(text, sizeof text, format, list);
    va_end(list);
    struct cli_line line = {.level = level,
                            .event = "log",
                            .module = "theater",
                            .text = text,
                            .len = (size_t)len < sizeof text ? (size_t)len
                                                             : sizeof text - 1};
    log_line(log, &line);
}

static uint8_t copy_name(char out[CLI_NAME_MAX], theater_bytes_t name)
{
    size_t len = name.len < CLI_NAME_MAX ? name.len : CLI_NAME_MAX;
    if (len > 0) {
        memcpy(out, name.data, len);
    }
    return (uint8_t)len;
}

void cli_log_letter(struct cli_log *log, const theater_dead_letter_t *letter)
{
    if (!log->shows_letters) {
        return;
    }
    uint64_t now = log->env->now_ns(log->env->ctx);
    uint64_t from =
        atomic_load_explicit(&log->letters_from, memory_order_relaxed);
    if (now < from) {
        atomic_fetch_add_explicit(&log->left_out, 1, memory_order_relaxed);
        return;
    }
    pthread_mutex_lock(&log->lock);
    if (now - log->window_ns >= SECOND) {
        log->window_ns = now;
        log->shown = 0;
    }
    if (log->shown == CLI_LETTERS_A_SECOND ||
        log->letters_len == CLI_LETTERS_A_SECOND) {
        atomic_store_explicit(&log->letters_from, log->window_ns + SECOND,
                              memory_order_relaxed);
        atomic_fetch_add_explicit(&log->left_out, 1, memory_order_relaxed);
    } else {
        struct cli_letter *out = &log->letters[log->letters_len++];
        log->shown++;
        out->has_sender = letter->sender.data != NULL;
        out->sender_len = copy_name(out->sender, letter->sender);
        out->target_len = copy_name(out->target, letter->target);
        out->kind = (uint8_t)letter->kind;
        out->reason = (uint8_t)letter->reason;
        out->bytes = letter->data.len;
    }
    bool wake = writer_sleeps(log);
    pthread_mutex_unlock(&log->lock);
    if (wake) {
        wake_writer(log);
    }
}
