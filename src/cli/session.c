/* SPDX-License-Identifier: Apache-2.0 */
/* Design notes: the five steps (router, handler, registry, runtime, actors)
 * and the way back. A session is opened once and closed once, whatever failed
 * in between; signals are blocked before the first thread is made. */
#include "cli/session.h"

#include "cli/operands.h"
#include "cli/progress.h"

#include <theater/runtime_handler.h>

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum { LEAST_GRACE_MS = 100 };

/* --- What comes from the library ----------------------------------------- */

static void on_event(void *user, const theater_event_t *event)
{
    struct cli_session *session = user;
    /* On the thread that spawns. From here on actors run, and what they have
     * begun is not cut off. */
    if (event->kind == THEATER_ACTOR_SPAWNED && session->spawns) {
        cli_interrupts_hold(&session->interrupts);
    }
    /* One actor's events come one after the other, and this is read when the
     * runtime is gone: no lock. */
    if (event->kind == THEATER_ACTOR_FAILED && session->target != NULL &&
        session->target_failure[0] == '\0' &&
        strcmp(event->actor, session->target) == 0) {
        snprintf(session->target_failure, sizeof session->target_failure,
                 "%.*s", (int)event->text_len, event->text);
    }
    cli_log_event(&session->log, event);
}

static void on_dead_letter(void *user, const theater_dead_letter_t *letter)
{
    cli_log_letter(&((struct cli_session *)user)->log, letter);
}

/* Nobody reads what actors say: as good as Ctrl-C. */
static void on_closed(void *user)
{
    cli_interrupts_drain(&((struct cli_session *)user)->interrupts);
}

static void on_interrupt(void *user)
{
    struct cli_session *session = user;
    cli_log_say(&session->log, THEATER_LOG_WARN,
                "stopping: what is queued is handled first, for %g s at "
                "most; Ctrl-C again ends at once",
                session->drain_ms / 1e3);
    const theater_env_t *env = session->context->env;
    uint64_t began = env->now_ns(env->ctx);
    theater_status_t status = theater_router_shutdown(
        session->router, session->drain_ms, &session->report);
    uint64_t took_ms = (env->now_ns(env->ctx) - began) / 1000000;
    /* What is left of the time, for calls that do not return. */
    session->grace_ms = took_ms + LEAST_GRACE_MS < session->drain_ms
                            ? session->drain_ms - (uint32_t)took_ms
                            : LEAST_GRACE_MS;
    theater_runtime_set_stop_grace(session->runtime, session->grace_ms);
    if (status == THEATER_TIMEOUT) {
        cli_log_say(&session->log, THEATER_LOG_WARN,
                    "not all could be handled in time");
    }
    theater_runtime_stop_all(session->runtime, "interrupted");
}

/* --- Opening ------------------------------------------------------------- */

void cli_find_cache(const struct cli_context *context, char *out, size_t size)
{
    const char *dir = cli_value(context, "cache-dir");
    const char *base = getenv("XDG_CACHE_HOME");
    const char *home = getenv("HOME");
    int len = 0;
    out[0] = '\0';
    if (cli_flag(context, "no-cache")) {
        return;
    }
    if (dir != NULL) {
        len = snprintf(out, size, "%s", dir);
    } else if (base != NULL && base[0] == '/') {
        len = snprintf(out, size, "%s/theater/code", base);
    } else if (home != NULL && home[0] == '/') {
        len = snprintf(out, size, "%s/.cache/theater/code", home);
    }
    if (len < 0 || (size_t)len >= size) {
        out[0] = '\0';
    }
}

static theater_status_t make_registry(struct cli_session *session,
                                      theater_handler_registry_t **out)
{
    const theater_env_t *env = session->context->env;
    theater_router_options_t options = THEATER_ROUTER_OPTIONS_INIT;
    theater_handler_registry_t *registry = NULL;
    theater_message_server_t *server = NULL;
    options.env = env;
    options.on_dead_letter = on_dead_letter;
    options.user = session;
    theater_status_t status = theater_router_new(&options, &session->router);
    if (status == THEATER_OK) {
        status = theater_handler_registry_new(env, &registry);
    }
    if (status == THEATER_OK) {
        status = theater_message_server_new(session->router, NULL, &server);
    }
    if (status == THEATER_OK) {
        status = theater_handler_registry_register(
            registry, "message-server", theater_message_server_ops(), server);
        if (status != THEATER_OK) {
            theater_message_server_delete(server);
        }
    }
    if (status == THEATER_OK) {
        status = theater_runtime_handler_register(registry);
    }
    if (status != THEATER_OK) {
        theater_handler_registry_delete(registry);
        return status;
    }
    *out = registry;
    return THEATER_OK;
}

static int make_runtime(struct cli_session *session, uint32_t watchdog_ms)
{
    const struct cli_context *context = session->context;
    theater_runtime_options_t options = THEATER_RUNTIME_OPTIONS_INIT;
    theater_handler_registry_t *registry;
    theater_error_t err = {.text = ""};
    char cache[4096];
    theater_status_t status = make_registry(session, &registry);
    if (status != THEATER_OK) {
        return cli_fail(context, status, NULL);
    }
    cli_find_cache(context, cache, sizeof cache);
    options.workers = cli_given(context, "workers")
                          ? (unsigned)cli_number(context, "workers")
                          : 0;
    options.watchdog_ms = watchdog_ms;
    options.cache_dir = cache[0] != '\0' ? cache : NULL;
    options.on_event = on_event;
    options.user = session;
    status = theater_runtime_new(registry, &options, &session->runtime, &err);
    if (status != THEATER_OK) {
        theater_handler_registry_delete(registry);
        return cli_fail(context, status, &err);
    }
    return CLI_OK;
}

int cli_session_open(const struct cli_context *context, int log_fd,
                     uint32_t watchdog_ms, struct cli_session *session)
{
    memset(session, 0, sizeof *session);
    session->context = context;
    session->drain_ms = 5000;
    session->grace_ms = 5000;
    session->began_ns = context->env->now_ns(context->env->ctx);
    int code = cli_interrupts_start(context, &session->interrupts);
    if (code != CLI_OK) {
        return code;
    }
    session->interrupts_started = true;
    code = cli_log_start(context, &session->log, log_fd, on_closed, session);
    if (code != CLI_OK) {
        return code;
    }
    session->log_started = true;
    return make_runtime(session, watchdog_ms);
}

static int load(struct cli_session *session, const char *const *paths,
                size_t paths_len, theater_system_t **out_system)
{
    theater_manifest_options_t options = THEATER_MANIFEST_OPTIONS_INIT;
    theater_error_t err = {.text = ""};
    options.env = session->context->env;
    theater_status_t status =
        theater_system_load_files(paths, paths_len, &options, out_system, &err);
    return status == THEATER_OK ? CLI_OK
                                : cli_fail_load(session->context, status, &err);
}

/* While modules are compiled Ctrl-C ends at once; from here on it drains. */
static int spawned(struct cli_session *session, theater_system_t *system,
                   theater_status_t status, const theater_error_t *err)
{
    theater_system_delete(system);
    if (status != THEATER_OK) {
        return cli_fail(session->context, status, err);
    }
    cli_interrupts_arm(&session->interrupts, on_interrupt, session);
    return CLI_OK;
}

void cli_session_arm(struct cli_session *session)
{
    cli_interrupts_arm(&session->interrupts, on_interrupt, session);
}

bool cli_session_interrupted(const struct cli_session *session)
{
    return cli_interrupts_begun(&session->interrupts);
}

int cli_session_spawn(struct cli_session *session, const char *const *paths,
                      size_t paths_len)
{
    theater_system_t *system = NULL;
    theater_error_t err = {.text = ""};
    int code = load(session, paths, paths_len, &system);
    if (code != CLI_OK) {
        return code;
    }
    struct cli_progress progress;
    const theater_system_actor_t *first = theater_system_actor(system, 0);
    cli_progress_begin(
        session->context, &progress, "compiling",
        theater_system_actors_len(system) == 1
            ? cli_base_name(theater_manifest_package(first->manifest))
            : "modules");
    session->spawns = true;
    theater_status_t status =
        theater_runtime_spawn_system(session->runtime, system, &err);
    cli_progress_end(&progress);
    return spawned(session, system, status, &err);
}

int cli_session_spawn_paused(struct cli_session *session, const char *path,
                             const char *target)
{
    theater_system_t *system = NULL;
    theater_error_t err = {.text = ""};
    theater_status_t status = THEATER_OK;
    int code = load(session, &path, 1, &system);
    if (code != CLI_OK) {
        return code;
    }
    code = cli_target_find(session, target, system);
    if (code != CLI_OK) {
        theater_system_delete(system);
        return code;
    }
    size_t len = theater_system_actors_len(system);
    for (size_t i = 0; status == THEATER_OK && i < len; i++) {
        const theater_system_actor_t *actor = theater_system_actor(system, i);
        theater_spawn_options_t options = THEATER_SPAWN_OPTIONS_INIT;
        options.initial_state =
            (theater_bytes_t){actor->initial_state, actor->initial_state_len};
        options.paused = true;
        struct cli_progress progress;
        cli_progress_begin(
            session->context, &progress, "compiling",
            cli_base_name(theater_manifest_package(actor->manifest)));
        status = theater_runtime_spawn(session->runtime, actor->name,
                                       actor->manifest, &options, &err);
        cli_progress_end(&progress);
    }
    return spawned(session, system, status, &err);
}

/* --- The end ------------------------------------------------------------- */

/* After this the runtime is gone and no event comes any more. */
static void end_runtime(struct cli_session *session)
{
    theater_runtime_delete(session->runtime);
    session->runtime = NULL;
}

bool cli_session_finish(struct cli_session *session, bool stay,
                        uint64_t timeout_ms, struct cli_summary *out)
{
    const theater_env_t *env = session->context->env;
    memset(out, 0, sizeof *out);
    theater_status_t waited = theater_runtime_wait(
        session->runtime, stay ? THEATER_WAIT_STOPPED : THEATER_WAIT_QUIET,
        timeout_ms);
    out->interrupted = cli_interrupts_disarm(&session->interrupts);
    if (!out->interrupted) {
        theater_runtime_set_stop_grace(session->runtime, session->grace_ms);
        theater_runtime_stop_all(session->runtime, "the run is over");
    }
    /* Who does not stop by itself is ended by the runtime after the grace. */
    theater_status_t stopped =
        theater_runtime_wait(session->runtime, THEATER_WAIT_STOPPED,
                             (uint64_t)session->grace_ms + 5000);
    theater_runtime_stats(session->runtime, &out->stats);
    end_runtime(session);
    theater_router_counters(session->router, &out->counters);
    out->drained = session->report.drained;
    out->left = out->counters.queued;
    out->seconds = (double)(env->now_ns(env->ctx) - session->began_ns) / 1e9;
    if (stopped != THEATER_OK) {
        cli_log_say(&session->log, THEATER_LOG_WARN,
                    "some actors did not stop and were ended");
    }
    return waited == THEATER_OK;
}

int cli_session_close(struct cli_session *session)
{
    int code = CLI_OK;
    if (session->interrupts_started) {
        (void)cli_interrupts_disarm(&session->interrupts);
    }
    end_runtime(session);
    theater_manifest_release(session->target_manifest);
    theater_router_release(session->router);
    session->router = NULL;
    if (session->log_started) {
        code = cli_log_stop(&session->log);
    }
    if (session->interrupts_started) {
        cli_interrupts_stop(&session->interrupts);
    }
    return code;
}

/* --- The summary --------------------------------------------------------- */

static void add_counts_json(struct cli_text *line, const char *name,
                            const uint64_t counts[THEATER_STATUS_COUNT])
{
    cli_json_object(line, name);
    for (int i = 0; i < THEATER_STATUS_COUNT; i++) {
        if (counts[i] > 0) {
            cli_json_number(line, theater_status_name((theater_status_t)i),
                            counts[i]);
        }
    }
    cli_json_end(line, '}');
}

static void add_summary_json(struct cli_text *line,
                             const struct cli_summary *summary,
                             uint64_t wall_ns)
{
    cli_json_object(line, NULL);
    cli_add(line, "\"time\":\"");
    cli_add_time(line, wall_ns, true);
    cli_add(line, "\"");
    cli_json_string(line, "event", "summary");
    cli_json_number(line, "handled", summary->counters.delivered);
    cli_json_number(line, "dead_letters", summary->counters.dead_total);
    add_counts_json(line, "dead_letters_by_reason", summary->counters.dead);
    cli_json_number(line, "left", summary->left);
    add_counts_json(line, "refused", summary->counters.refused);
    cli_json_number(line, "requests", summary->counters.requests);
    cli_json_number(line, "channels", summary->counters.channels);
    cli_json_number(line, "actors", summary->stats.spawned);
    cli_json_number(line, "failed", summary->stats.failed);
    cli_json_number(line, "restarted", summary->stats.restarted);
    cli_json_bool(line, "interrupted", summary->interrupted);
    cli_json_number(line, "drained", summary->drained);
    cli_json_real(line, "seconds", summary->seconds);
    cli_json_end(line, '}');
    cli_add(line, "\n");
}

static void add_summary_text(struct cli_text *line, bool color,
                             const struct cli_summary *summary)
{
    const theater_counters_t *counters = &summary->counters;
    cli_add(line, color ? "\033[1m" : "");
    cli_add(line, "handled ");
    cli_add_plural(line, counters->delivered, "message");
    if (summary->interrupted) {
        cli_add_format(line, " (%llu of them after the interrupt)",
                       (unsigned long long)summary->drained);
    }
    cli_add(line, ", ");
    cli_add_plural(line, counters->dead_total, "dead letter");
    const char *mark = " (";
    for (int i = 0; i < THEATER_STATUS_COUNT; i++) {
        if (counters->dead[i] > 0) {
            cli_add_format(line, "%s%s %llu", mark,
                           theater_status_name((theater_status_t)i),
                           (unsigned long long)counters->dead[i]);
            mark = ", ";
        }
    }
    cli_add(line, counters->dead_total > 0 ? "); " : "; ");
    cli_add_plural(line, summary->stats.spawned, "actor");
    if (summary->stats.failed > 0) {
        cli_add_format(line, ", %llu failed",
                       (unsigned long long)summary->stats.failed);
    }
    if (summary->stats.restarted > 0) {
        cli_add(line, ", ");
        cli_add_plural(line, summary->stats.restarted, "restart");
    }
    if (summary->left > 0) {
        cli_add_format(line, "; %llu unaccounted for: a bug",
                       (unsigned long long)summary->left);
    }
    cli_add_format(line, "; %.2f s%s\n", summary->seconds,
                   color ? "\033[0m" : "");
}

void cli_session_summarise(struct cli_session *session,
                           const struct cli_summary *summary)
{
    const theater_env_t *env = session->context->env;
    struct cli_text *line = cli_log_begin(&session->log);
    if (session->log.json) {
        add_summary_json(line, summary, env->wall_ns(env->ctx));
    } else {
        add_summary_text(line, session->log.color, summary);
    }
    cli_log_end(&session->log);
}
