/* SPDX-License-Identifier: Apache-2.0 */
/* Design notes. A world is made anew for each repeat: a router, a runtime, a
 * manifest per kind of actor (made from text), and the guests' modules, which
 * are part of the command, in a folder of our own that is gone as soon as all
 * actors are spawned: whoever interrupts the benchmark leaves nothing. */
#include "cli/bench.h"

#include <theater/runtime_handler.h>

#include <stdio.h>
#include <string.h>
#include <unistd.h>

static const char *const module_names[BENCH_ROLES] = {
    [BENCH_SENDER] = "sender",
    [BENCH_RECEIVER] = "receiver",
    [BENCH_RECEIVER_MANY] = "receiver_many",
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

static void remove_folder(struct bench_world *world)
{
    const theater_env_t *env = world->config->env;
    char path[320];
    if (world->folder[0] == '\0') {
        return;
    }
    for (size_t i = 0; i < bench_modules_len; i++) {
        snprintf(path, sizeof path, "%s/%s.wasm", world->folder,
                 bench_modules[i].name);
        (void)!env->file_remove(env->ctx, path);
    }
    rmdir(world->folder);
    world->folder[0] = '\0';
}

static theater_status_t write_modules(struct bench_world *world)
{
    const theater_env_t *env = world->config->env;
    uint64_t chosen;
    char path[320];
    env->random(env->ctx, &chosen, sizeof chosen);
    snprintf(world->folder, sizeof world->folder, "%s/theater-bench-%016llx",
             world->config->temporary, (unsigned long long)chosen);
    theater_status_t status = env->folder_private(env->ctx, world->folder);
    for (size_t i = 0; i < bench_modules_len && status == THEATER_OK; i++) {
        snprintf(path, sizeof path, "%s/%s.wasm", world->folder,
                 bench_modules[i].name);
        status = env->file_write(env->ctx, path, bench_modules[i].data,
                                 bench_modules[i].len);
    }
    return status;
}

static theater_status_t make_manifest(struct bench_world *world,
                                      enum bench_role role,
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
                       "[[handler]]\ntype = \"runtime\"\n"
                       "[[handler]]\ntype = \"bench\"\n"
                       "[[handler]]\ntype = \"message-server\"\n%s",
                       module_names[role], module_names[role], grants[role]);
    snprintf(origin, sizeof origin, "%s/%s.toml", world->folder,
             module_names[role]);
    return theater_manifest_parse(text, (size_t)len, origin, &options,
                                  &world->manifests[role], err);
}

static theater_status_t start_runtime(struct bench_world *world,
                                      theater_error_t *err)
{
    const struct bench_config *config = world->config;
    theater_message_server_t *server;
    theater_handler_registry_t *registry;
    theater_runtime_options_t options = THEATER_RUNTIME_OPTIONS_INIT;
    options.env = config->env;
    options.workers = config->workers;
    options.on_event = on_event;
    options.user = world;
    theater_status_t status =
        theater_message_server_new(world->router, NULL, &server);
    if (status != THEATER_OK) {
        return status;
    }
    status = theater_handler_registry_new(config->env, &registry);
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
    options.env = config->env;
    theater_status_t status = theater_router_new(&options, &world->router);
    if (status == THEATER_OK) {
        status = start_runtime(world, err);
    }
    if (status == THEATER_OK && !config->native) {
        status = write_modules(world);
    }
    return status;
}

void bench_world_fini(struct bench_world *world)
{
    remove_folder(world);
    theater_runtime_delete(world->runtime);
    for (size_t i = 0; i < BENCH_ROLES; i++) {
        if (world->manifests[i] != NULL) {
            theater_manifest_release(world->manifests[i]);
        }
    }
    if (world->router != NULL) {
        theater_router_release(world->router);
    }
}

theater_status_t bench_world_spawn(struct bench_world *world, const char *name,
                                   bool paused,
                                   const struct bench_native_options *own,
                                   theater_error_t *err)
{
    const struct bench_config *config = world->config;
    theater_spawn_options_t options = THEATER_SPAWN_OPTIONS_INIT;
    char state[320];
    if (world->manifests[own->role] == NULL) {
        theater_status_t status = make_manifest(world, own->role, err);
        if (status != THEATER_OK) {
            return status;
        }
    }
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

theater_status_t bench_world_ask(struct bench_world *world, const char *name,
                                 struct bench_counters *out)
{
    theater_answer_t *answer = NULL;
    theater_status_t status = theater_router_request(
        world->router, NULL,
        (theater_bytes_t){(const uint8_t *)name, strlen(name)},
        (theater_bytes_t){(const uint8_t *)"?", 1}, 10000, &answer);
    if (status == THEATER_OK && answer->len == sizeof *out) {
        memcpy(out, answer->data, sizeof *out);
        status = out->magic == BENCH_MAGIC ? THEATER_OK : THEATER_BUG;
    } else if (status == THEATER_OK) {
        status = THEATER_BUG;
    }
    theater_answer_delete(answer);
    return status;
}
