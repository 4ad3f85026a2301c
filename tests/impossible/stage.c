/* SPDX-License-Identifier: Apache-2.0 */
/* Design notes: events come on any thread; their lines are kept under a lock
 * and waited for with the environment's park. A simulated stage runs in the
 * calls that wait. */
#include "stage.h"

#include <stdlib.h>

theater_bytes_t stage_text(const char *text)
{
    return (theater_bytes_t){(const uint8_t *)text, strlen(text)};
}

uint64_t stage_now(void)
{
    return th_now(theater_env_default());
}

static void must(theater_status_t status, const theater_error_t *err)
{
    if (status != THEATER_OK) {
        fail_msg("%s: %s: %s", theater_status_name(status),
                 err != NULL ? err->origin : "", err != NULL ? err->text : "");
    }
}

static void keep(struct stage *stage, char *line)
{
    const theater_env_t *real = theater_env_default();
    th_lock(real, &stage->lock);
    if (stage->lines_len == stage->lines_size) {
        stage->lines_size = stage->lines_size * 2 + 1024;
        stage->lines =
            realloc(stage->lines, stage->lines_size * sizeof *stage->lines);
        TH_CHECK(stage->lines != NULL);
    }
    stage->lines[stage->lines_len++] = line;
    th_unlock(real, &stage->lock);
    /* release; pairs with the acquire in stage_await: the line travels */
    atomic_fetch_add_explicit(&stage->epoch, 1, memory_order_release);
    real->unpark(real->ctx, &stage->epoch, 1);
}

static void on_event(void *user, const theater_event_t *event)
{
    struct stage *stage = user;
    char *line = NULL;
    int n = -1;
    switch (event->kind) {
    case THEATER_ACTOR_SPAWNED:
        n = asprintf(&line, "spawned %s", event->actor);
        break;
    case THEATER_ACTOR_STOPPED:
        n = asprintf(&line, "stopped %s: %s", event->actor, event->text);
        break;
    case THEATER_ACTOR_FAILED:
        n = asprintf(&line, "failed %s: %s: %s", event->actor,
                     theater_status_name(event->status), event->text);
        break;
    case THEATER_ACTOR_RESTARTED:
        n = asprintf(&line, "restarted %s", event->actor);
        break;
    case THEATER_ACTOR_LOG:
        n = asprintf(&line, "log %s: %s", event->actor, event->text);
        break;
    case THEATER_WORKER_STUCK:
        n = asprintf(&line, "stuck %s: %s", event->actor, event->text);
        break;
    }
    TH_CHECK(n >= 0);
    if (stage->options.on_line != NULL) {
        stage->options.on_line(stage->options.user, line);
        free(line);
    } else {
        keep(stage, line);
    }
}

static void on_dead_letter(void *user, const theater_dead_letter_t *letter)
{
    struct stage *stage = user;
    /* relaxed: a count, read when all is quiet */
    atomic_fetch_add_explicit(&stage->dead, 1, memory_order_relaxed);
    if (stage->options.on_dead_letter != NULL) {
        stage->options.on_dead_letter(stage->options.user, letter);
    }
}

void stage_start(struct stage *stage, const struct stage_options *options)
{
    theater_router_options_t router = THEATER_ROUTER_OPTIONS_INIT;
    theater_runtime_options_t runtime = THEATER_RUNTIME_OPTIONS_INIT;
    theater_message_server_t *server;
    theater_handler_registry_t *registry;
    theater_error_t err;

    memset(stage, 0, sizeof *stage);
    stage->env = theater_env_default();
    if (options != NULL) {
        stage->options = *options;
    }
    if (stage->options.simulated) {
        must(th_sim_env_new(stage->options.seed, &stage->sim), NULL);
        stage->env = th_sim_env_table(stage->sim);
    }
    router.env = stage->env;
    router.on_dead_letter = on_dead_letter;
    router.user = stage;
    must(theater_router_new(&router, &stage->router), NULL);
    must(theater_message_server_new(stage->router, stage->options.permissions,
                                    &server),
         NULL);
    must(theater_handler_registry_new(stage->env, &registry), NULL);
    must(theater_handler_registry_register(
             registry, "message-server", theater_message_server_ops(), server),
         NULL);
    must(theater_runtime_handler_register(registry), NULL);
    runtime.on_event = on_event;
    runtime.user = stage;
    runtime.workers = stage->options.workers != 0 ? stage->options.workers : 2;
    runtime.simulated = stage->options.simulated;
    runtime.seed = stage->options.seed;
    runtime.cache_dir = stage->options.cache_dir;
    runtime.max_actors = 1 << 15;
    must(theater_runtime_new(registry, &runtime, &stage->runtime, &err), &err);
}

theater_counters_t stage_counters(struct stage *stage)
{
    theater_counters_t counters;
    theater_router_counters(stage->router, &counters);
    return counters;
}

void stage_end(struct stage *stage)
{
    theater_runtime_delete(stage->runtime);
    theater_counters_t counters = stage_counters(stage);
    uint64_t ended = 0;
    for (size_t i = 0; i < THEATER_STATUS_COUNT; i++) {
        ended += counters.ended[i];
    }
    assert_int_equal(counters.queued, 0);
    assert_int_equal(counters.accepted,
                     counters.delivered + counters.dead_total);
    assert_int_equal(counters.dead_total,
                     atomic_load_explicit(&stage->dead, memory_order_relaxed));
    assert_int_equal(counters.requests, ended);
    assert_int_equal(counters.pending, 0);
    assert_int_equal(counters.endpoints, 0);
    theater_router_release(stage->router);
    for (size_t i = 0; i < stage->lines_len; i++) {
        free(stage->lines[i]);
    }
    free(stage->lines);
    th_sim_env_delete(stage->sim);
}

const char *stage_folder(void)
{
    const char *other = getenv("THEATER_TEST_BUILD");
    return other != NULL ? other : TH_TEST_BUILD_DIR;
}

theater_manifest_t *stage_manifest(const char *module, const char *top,
                                   const char *keys)
{
    char text[2048], origin[2048];
    theater_manifest_t *manifest = NULL;
    theater_error_t err;
    snprintf(text, sizeof text,
             "name = \"actor\"\npackage = \"%s\"\n%s\n"
             "[[handler]]\ntype = \"runtime\"\n"
             "[[handler]]\ntype = \"message-server\"\n%s\n",
             module, top != NULL ? top : "", keys != NULL ? keys : "");
    snprintf(origin, sizeof origin, "%s/test.toml", stage_folder());
    must(theater_manifest_parse(text, strlen(text), origin, NULL, &manifest,
                                &err),
         &err);
    return manifest;
}

theater_status_t stage_try_spawn(struct stage *stage, const char *name,
                                 const theater_manifest_t *manifest,
                                 const char *state, bool paused)
{
    theater_spawn_options_t options = THEATER_SPAWN_OPTIONS_INIT;
    theater_error_t err;
    options.paused = paused;
    if (state != NULL) {
        options.initial_state = stage_text(state);
    }
    return theater_runtime_spawn(stage->runtime, name, manifest, &options,
                                 &err);
}

void stage_spawn(struct stage *stage, const char *name,
                 const theater_manifest_t *manifest, const char *state)
{
    theater_status_t status =
        stage_try_spawn(stage, name, manifest, state, false);
    if (status != THEATER_OK) {
        fail_msg("%s can't be spawned: %s", name, theater_status_text(status));
    }
}

void stage_actor(struct stage *stage, const char *name, const char *module,
                 const char *keys)
{
    theater_manifest_t *manifest = stage_manifest(module, NULL, keys);
    stage_spawn(stage, name, manifest, NULL);
    theater_manifest_release(manifest);
}

struct asked {
    bool ended;
    theater_status_t status;
    theater_answer_t *answer;
};

static void on_answer(void *user, theater_status_t status,
                      theater_answer_t *answer)
{
    struct asked *asked = user;
    asked->ended = true;
    asked->status = status;
    asked->answer = answer;
}

static theater_status_t ask_simulated(struct stage *stage, const char *name,
                                      const char *what,
                                      theater_answer_t **out_answer)
{
    struct asked asked = {0};
    theater_status_t status = theater_router_request_start(
        stage->router, NULL, stage_text(name), stage_text(what), STAGE_WAIT_MS,
        on_answer, &asked, NULL);
    if (status != THEATER_PENDING) {
        return status;
    }
    while (!asked.ended) {
        assert_true(theater_runtime_simulate(stage->runtime, 1, NULL) > 0 ||
                    asked.ended);
    }
    *out_answer = asked.answer;
    return asked.status;
}

const char *stage_ask(struct stage *stage, const char *name, const char *what)
{
    theater_answer_t *answer = NULL;
    if (stage->sim != NULL) {
        stage->status = ask_simulated(stage, name, what, &answer);
    } else {
        stage->status =
            theater_router_request(stage->router, NULL, stage_text(name),
                                   stage_text(what), STAGE_WAIT_MS, &answer);
    }
    if (answer == NULL) {
        snprintf(stage->answer, sizeof stage->answer, "%s",
                 theater_status_name(stage->status));
    } else {
        assert_true(answer->len < sizeof stage->answer);
        memcpy(stage->answer, answer->data, answer->len);
        stage->answer[answer->len] = 0;
        theater_answer_delete(answer);
    }
    return stage->answer;
}

theater_status_t stage_send(struct stage *stage, const char *name,
                            const char *what)
{
    return theater_router_send(stage->router, NULL, stage_text(name),
                               stage_text(what));
}

size_t stage_told(struct stage *stage, const char *prefix)
{
    size_t found = 0;
    size_t len = strlen(prefix);
    th_lock(theater_env_default(), &stage->lock);
    for (size_t i = 0; i < stage->lines_len; i++) {
        found += strncmp(stage->lines[i], prefix, len) == 0;
    }
    th_unlock(theater_env_default(), &stage->lock);
    return found;
}

static void tell_the_end(struct stage *stage)
{
    size_t from = stage->lines_len > 40 ? stage->lines_len - 40 : 0;
    for (size_t i = from; i < stage->lines_len; i++) {
        print_error("  %s\n", stage->lines[i]);
    }
}

void stage_await(struct stage *stage, const char *prefix, size_t times)
{
    const theater_env_t *real = theater_env_default();
    uint64_t deadline = th_now(real) + (uint64_t)STAGE_WAIT_MS * 1000000;
    for (;;) {
        /* acquire; pairs with keep */
        uint32_t epoch =
            atomic_load_explicit(&stage->epoch, memory_order_acquire);
        if (stage_told(stage, prefix) >= times) {
            return;
        }
        if (th_now(real) >= deadline ||
            (stage->sim != NULL &&
             theater_runtime_simulate(stage->runtime, 1, NULL) == 0)) {
            break;
        }
        if (stage->sim == NULL) {
            real->park(real->ctx, &stage->epoch, epoch, deadline);
        }
    }
    tell_the_end(stage);
    fail_msg("%zu times (not %zu) it was told: %s", stage_told(stage, prefix),
             times, prefix);
}

void stage_quiet(struct stage *stage)
{
    if (stage->sim != NULL) {
        theater_runtime_simulate(stage->runtime, UINT64_MAX, NULL);
        return;
    }
    theater_status_t status =
        theater_runtime_wait(stage->runtime, THEATER_WAIT_QUIET, STAGE_WAIT_MS);
    if (status != THEATER_OK) {
        tell_the_end(stage);
        fail_msg("it never got quiet: %s", theater_status_text(status));
    }
}
