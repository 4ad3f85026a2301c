/* SPDX-License-Identifier: Apache-2.0 */
/* Design notes. A world is made anew for each repeat: a router, a runtime, a
 * manifest per kind of actor, made from text. The guests' modules are part of
 * the command; each lies in a folder of our own only while the first actor of
 * its kind is spawned, so that whoever interrupts the benchmark leaves
 * nothing. */
#include "cli/bench.h"
#include "cli/bench_calls.h"

#include <theater/runtime_handler.h>

#include <stdio.h>
#include <string.h>
#include <unistd.h>

enum { REST_MS = 30000 };

static const char *const module_names[BENCH_ROLES] = {
    [BENCH_SENDER] = "sender",
    [BENCH_RECEIVER] = "receiver",
    [BENCH_RECEIVER_MANY] = "receiver_many",
    [BENCH_LISTENER] = "listener",
    [BENCH_RING] = "ring",
    [BENCH_REQUESTER] = "requester",
    [BENCH_ECHO] = "echo",
    [BENCH_ALL_TO_ALL] = "all_to_all",
    [BENCH_BROADCASTER] = "broadcaster",
};

/* What each may do: the keys of its [[handler]] "message-server". */
static const char *const grants[BENCH_ROLES] = {
    [BENCH_SENDER] = "can_request = false\n"
                     "allowed_targets = [\"receiver-*\"]\n",
    [BENCH_RECEIVER] = "can_send = false\ncan_request = false\n"
                       "can_open_channels = false\nallowed_targets = []\n",
    [BENCH_RECEIVER_MANY] = "can_send = false\ncan_request = false\n"
                            "can_open_channels = false\n"
                            "allowed_targets = []\n",
    [BENCH_LISTENER] = "can_send = false\ncan_request = false\n"
                       "can_open_channels = false\nallowed_targets = []\n",
    [BENCH_RING] = "can_request = false\ncan_open_channels = false\n"
                   "allowed_targets = [\"ring-*\"]\n",
    [BENCH_REQUESTER] = "can_send = false\ncan_open_channels = false\n"
                        "allowed_targets = [\"responder-*\"]\n",
    [BENCH_ECHO] = "can_request = false\ncan_open_channels = false\n"
                   "allowed_targets = [\"*\"]\n",
    [BENCH_ALL_TO_ALL] = "can_request = false\ncan_open_channels = false\n"
                         "allowed_targets = [\"peer-*\"]\n"
                         "mailbox_capacity = 10000\n",
    [BENCH_BROADCASTER] = "can_request = false\ncan_open_channels = false\n"
                          "allowed_targets = [\"listener-*\"]\n",
};

static void on_event(void *user, const theater_event_t *event)
{
    struct bench_world *world = user;
    bool bad =
        event->kind == THEATER_ACTOR_FAILED ||
        (event->kind == THEATER_ACTOR_LOG && event->level == THEATER_LOG_ERROR);
    /* relaxed: the text is read when the runtime is gone, or never */
    if (bad && atomic_fetch_add_explicit(&world->failures, 1,
                                         memory_order_relaxed) == 0) {
        snprintf(world->failure, sizeof world->failure, "%s: %.*s",
                 event->actor, (int)event->text_len, event->text);
    }
}

void bench_pause(const theater_env_t *env, uint64_t ns)
{
    static const uint32_t word;
    uint64_t until = env->now_ns(env->ctx) + ns;
    while (env->now_ns(env->ctx) < until) {
        env->park(env->ctx, &word, 0, until);
    }
}

uint64_t bench_resident(void)
{
    char line[128] = "";
    unsigned long long pages = 0;
    FILE *file = fopen("/proc/self/statm", "r");
    if (file == NULL) {
        return 0;
    }
    if (fgets(line, sizeof line, file) == NULL ||
        sscanf(line, "%*u %llu", &pages) != 1) {
        pages = 0;
    }
    fclose(file);
    return pages * (uint64_t)sysconf(_SC_PAGESIZE);
}

/* --- Manifests and modules ------------------------------------------------ */

theater_status_t bench_folder(const struct bench_config *config,
                              char out_path[static 256])
{
    const theater_env_t *env = config->env;
    uint64_t chosen;
    env->random(env->ctx, &chosen, sizeof chosen);
    snprintf(out_path, 256, "%s/theater-bench-%016llx", config->temporary,
             (unsigned long long)chosen);
    return env->folder_private(env->ctx, out_path);
}

theater_status_t bench_write(const struct bench_config *config,
                             const char *folder, const char *name)
{
    const theater_env_t *env = config->env;
    char path[320];
    snprintf(path, sizeof path, "%s/%s", folder, name);
    for (size_t i = 0; i < bench_files_len; i++) {
        if (strcmp(bench_files[i].name, name) == 0) {
            return env->file_write(env->ctx, path, bench_files[i].data,
                                   bench_files[i].len);
        }
    }
    return THEATER_NOT_FOUND;
}

/* Limits are on, as they are for any actor; but a machine that stops for a
 * moment is no reason to end one. */
static theater_status_t make_manifest(struct bench_world *world,
                                      enum bench_role role, const char *folder,
                                      theater_error_t *err)
{
    char text[1024];
    char origin[320];
    theater_manifest_options_t options = THEATER_MANIFEST_OPTIONS_INIT;
    options.env = world->config->env;
    options.native = world->config->native;
    int len = snprintf(text, sizeof text,
                       "name = \"%s\"\nversion = \"0.1.0\"\n"
                       "package = \"%s.wasm\"\n"
                       "[limits]\nrun_time = \"unlimited\"\n"
                       "delivery_time = \"60s\"\n"
                       "[[handler]]\ntype = \"runtime\"\n"
                       "[[handler]]\ntype = \"bench\"\n"
                       "[[handler]]\ntype = \"message-server\"\n%s",
                       module_names[role], module_names[role], grants[role]);
    snprintf(origin, sizeof origin, "%s/%s.toml", folder, module_names[role]);
    return theater_manifest_parse(text, (size_t)len, origin, &options,
                                  &world->manifests[role], err);
}

/* --- The world ------------------------------------------------------------ */

static theater_status_t start_runtime(struct bench_world *world,
                                      theater_error_t *err)
{
    const struct bench_config *config = world->config;
    theater_message_server_t *server;
    theater_handler_registry_t *registry;
    theater_runtime_options_t options = THEATER_RUNTIME_OPTIONS_INIT;
    options.env = bench_calls_env(config->env);
    options.workers = config->workers;
    options.on_event = on_event;
    options.user = world;
    theater_status_t status =
        theater_message_server_new(world->router, NULL, &server);
    if (status != THEATER_OK) {
        return status;
    }
    status = theater_handler_registry_new(options.env, &registry);
    if (status != THEATER_OK) {
        theater_message_server_delete(server);
        return status;
    }
    status = theater_handler_registry_register(
        registry, "message-server", theater_message_server_ops(), server);
    if (status != THEATER_OK) {
        theater_message_server_delete(server);
    } else {
        status = theater_runtime_handler_register(registry);
    }
    if (status == THEATER_OK) {
        status = theater_handler_registry_register(
            registry, "bench", bench_probe_ops(), config->probe);
    }
    if (status == THEATER_OK) {
        status = theater_runtime_new(registry, &options, &world->runtime, err);
    }
    if (status != THEATER_OK) {
        theater_handler_registry_delete(registry);
    }
    return status;
}

theater_status_t bench_world_init(struct bench_world *world,
                                  const struct bench_config *config,
                                  theater_error_t *err)
{
    theater_router_options_t options = THEATER_ROUTER_OPTIONS_INIT;
    memset(world, 0, sizeof *world);
    memset(err, 0, sizeof *err);
    world->config = config;
    options.env = bench_calls_env(config->env);
    theater_status_t status = theater_router_new(&options, &world->router);
    if (status == THEATER_OK) {
        status = start_runtime(world, err);
    }
    return status;
}

void bench_world_fini(struct bench_world *world, struct bench_result *result)
{
    theater_runtime_delete(world->runtime);
    for (size_t i = 0; i < BENCH_ROLES; i++) {
        if (world->manifests[i] != NULL) {
            theater_manifest_release(world->manifests[i]);
        }
    }
    if (world->router != NULL) {
        theater_router_release(world->router);
    }
    /* relaxed: the workers are gone */
    uint64_t failures =
        atomic_load_explicit(&world->failures, memory_order_relaxed);
    if (failures > 0 && result->failed == 0) {
        memcpy(result->failure, world->failure, sizeof result->failure);
    }
    result->failed += failures;
}

static theater_status_t spawn(struct bench_world *world, const char *name,
                              bool paused,
                              const struct bench_native_options *own,
                              theater_error_t *err)
{
    const struct bench_config *config = world->config;
    theater_spawn_options_t options = THEATER_SPAWN_OPTIONS_INIT;
    char state[320];
    if (config->native) {
        return bench_native_spawn(world, name, paused,
                                  world->manifests[own->role], own, err);
    }
    int len = snprintf(
        state, sizeof state,
        "target=%s;payload=%u;ms=%llu;start=%d;channel=%d;peers=%u;tokens=%u",
        own->target, config->payload,
        (unsigned long long)((config->warm_ns + config->run_ns) / 1000000 + 30),
        own->start, own->channel, config->actors, config->tokens);
    options.initial_state =
        (theater_bytes_t){(const uint8_t *)state, (size_t)len};
    options.paused = paused;
    return theater_runtime_spawn(world->runtime, name,
                                 world->manifests[own->role], &options, err);
}

/* The first of its kind: makes the manifest, and its module is read. */
static theater_status_t spawn_first(struct bench_world *world, const char *name,
                                    bool paused,
                                    const struct bench_native_options *own,
                                    theater_error_t *err)
{
    const struct bench_config *config = world->config;
    const theater_env_t *env = config->env;
    char folder[256] = "";
    char module[64];
    char path[320];
    theater_status_t status = THEATER_OK;
    snprintf(module, sizeof module, "%s.wasm", module_names[own->role]);
    if (!config->native) {
        status = bench_folder(config, folder);
    }
    snprintf(path, sizeof path, "%s/%s", folder, module);
    if (status == THEATER_OK && !config->native) {
        status = bench_write(config, folder, module);
    }
    if (status == THEATER_OK) {
        status = make_manifest(world, own->role, folder, err);
    }
    if (status == THEATER_OK) {
        status = spawn(world, name, paused, own, err);
    }
    if (!config->native) {
        (void)!env->file_remove(env->ctx, path);
        rmdir(folder);
    }
    return status;
}

theater_status_t bench_world_spawn(struct bench_world *world, const char *name,
                                   bool paused,
                                   const struct bench_native_options *own,
                                   theater_error_t *err)
{
    return world->manifests[own->role] == NULL
               ? spawn_first(world, name, paused, own, err)
               : spawn(world, name, paused, own, err);
}

theater_status_t bench_world_rest(struct bench_world *world,
                                  theater_error_t *err)
{
    theater_status_t status = THEATER_TIMEOUT;
    for (int i = 0; i < 2 && status == THEATER_TIMEOUT; i++) {
        status =
            theater_runtime_wait(world->runtime, THEATER_WAIT_QUIET, REST_MS);
    }
    if (status == THEATER_TIMEOUT) {
        snprintf(err->text, sizeof err->text,
                 "the actors did not come to rest within %d s",
                 2 * REST_MS / 1000);
    }
    return status;
}

theater_status_t bench_world_ask(struct bench_world *world, const char *name,
                                 struct bench_counters *out)
{
    theater_answer_t *answer = NULL;
    theater_status_t status = theater_router_request(
        world->router, NULL,
        (theater_bytes_t){(const uint8_t *)name, strlen(name)},
        (theater_bytes_t){(const uint8_t *)"?", 1}, 60000, &answer);
    if (status == THEATER_OK && answer->len == sizeof *out) {
        memcpy(out, answer->data, sizeof *out);
        status = out->magic == BENCH_MAGIC ? THEATER_OK : THEATER_BUG;
    } else if (status == THEATER_OK) {
        status = THEATER_BUG;
    }
    theater_answer_delete(answer);
    return status;
}
