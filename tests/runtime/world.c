/* SPDX-License-Identifier: Apache-2.0 */
/* Design notes: events come on any thread; they are kept as text under a lock
 * and waited for with the environment's park. */
#include "world.h"

#include <stdlib.h>

#ifndef PLAYER
#error "the build names the player's module"
#endif

static void keep(struct world *world, char *line)
{
    th_lock(theater_env_default(), &world->lock);
    if (world->lines_len < WORLD_LINES) {
        world->lines[world->lines_len++] = line;
        line = NULL;
    }
    th_unlock(theater_env_default(), &world->lock);
    free(line);
    atomic_fetch_add_explicit(&world->epoch, 1, memory_order_release);
    const theater_env_t *env = theater_env_default();
    env->unpark(env->ctx, &world->epoch, 1);
}

static void on_event(void *user, const theater_event_t *event)
{
    char *line = NULL;
    int n = -1;
    assert_int_equal(event->text[event->text_len], 0);
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
    assert_true(n >= 0);
    struct world *world = user;
    if (world->stop_on != NULL && strcmp(world->stop_on, line) == 0) {
        assert_int_equal(theater_runtime_stop(world->runtime, "ann", "now"),
                         THEATER_OK);
    }
    keep(world, line);
}

static theater_status_t make_registry(struct world *world, const char *failing,
                                      theater_handler_registry_t **out)
{
    theater_handler_registry_t *registry;
    theater_status_t status =
        theater_handler_registry_new(world->env, &registry);
    if (status != THEATER_OK) {
        return status;
    }
    world->post = post_new(world->env, failing);
    status = world->post == NULL ? THEATER_OUT_OF_MEMORY
                                 : theater_runtime_handler_register(registry);
    if (status == THEATER_OK) {
        status = theater_handler_registry_register(registry, "post", &post_ops,
                                                   world->post);
    }
    if (status != THEATER_OK) {
        theater_handler_registry_delete(registry);
        return status;
    }
    *out = registry;
    return THEATER_OK;
}

theater_status_t world_try(struct world *world,
                           const struct world_options *options)
{
    static const struct world_options defaults = {0};
    options = options != NULL ? options : &defaults;
    *world = (struct world){0};
    world->lines = calloc(WORLD_LINES, sizeof world->lines[0]);
    assert_non_null(world->lines);
    world->env = options->env;
    if (world->env == NULL && options->simulated) {
        assert_int_equal(th_sim_env_new(options->seed, &world->sim),
                         THEATER_OK);
        world->env = th_sim_env_table(world->sim);
    } else if (world->env == NULL) {
        world->env = theater_env_default();
    }
    theater_handler_registry_t *registry;
    theater_status_t status = make_registry(world, options->failing, &registry);
    if (status != THEATER_OK) {
        return status;
    }
    theater_runtime_options_t runtime_options = THEATER_RUNTIME_OPTIONS_INIT;
    runtime_options.on_event = on_event;
    runtime_options.user = world;
    runtime_options.workers = options->workers != 0 ? options->workers : 2;
    runtime_options.simulated = options->simulated;
    runtime_options.seed = options->seed;
    runtime_options.max_actors = options->max_actors;
    runtime_options.watchdog_ms = options->watchdog_ms;
    theater_error_t err;
    status =
        theater_runtime_new(registry, &runtime_options, &world->runtime, &err);
    if (status != THEATER_OK) {
        theater_handler_registry_delete(registry);
    }
    return status;
}

void world_start(struct world *world, const struct world_options *options)
{
    assert_int_equal(world_try(world, options), THEATER_OK);
}

void world_end(struct world *world)
{
    theater_runtime_delete(world->runtime);
    if (world->post != NULL) {
        struct post_counts *counts = post_counts(world->post);
        assert_int_equal(counts->instances, 0);
        assert_int_equal(counts->names, 0);
        assert_int_equal(counts->posted,
                         counts->done + counts->died + counts->unopened);
    }
    post_delete(world->post);
    for (uint32_t i = 0; i < world->lines_len; i++) {
        free(world->lines[i]);
    }
    free(world->lines);
    th_sim_env_delete(world->sim);
}

theater_manifest_t *world_manifest(const char *text, bool native)
{
    theater_manifest_options_t options = THEATER_MANIFEST_OPTIONS_INIT;
    options.native = native;
    theater_manifest_t *manifest = NULL;
    theater_error_t err;
    theater_status_t status = theater_manifest_parse(
        text, strlen(text), FOLDER "/test.toml", &options, &manifest, &err);
    if (status != THEATER_OK) {
        print_error("%s: %s\n", err.origin, err.text);
    }
    assert_int_equal(status, THEATER_OK);
    return manifest;
}

theater_manifest_t *world_player(const char *extra)
{
    char text[1024];
    snprintf(text, sizeof text,
             "name = \"player\"\npackage = \"%s\"\n%s\n"
             "[[handler]]\ntype = \"runtime\"\n"
             "[[handler]]\ntype = \"post\"\n",
             PLAYER, extra);
    return world_manifest(text, false);
}

void world_spawn(struct world *world, const char *name,
                 const theater_manifest_t *manifest, const char *script)
{
    theater_spawn_options_t options = THEATER_SPAWN_OPTIONS_INIT;
    options.initial_state =
        (theater_bytes_t){(const uint8_t *)script, strlen(script)};
    theater_error_t err;
    theater_status_t status =
        theater_runtime_spawn(world->runtime, name, manifest, &options, &err);
    if (status != THEATER_OK) {
        print_error("%s: %s\n", err.origin, err.text);
    }
    assert_int_equal(status, THEATER_OK);
}

static size_t count(struct world *world, const char *text, bool prefix)
{
    size_t found = 0;
    size_t len = strlen(text);
    th_lock(theater_env_default(), &world->lock);
    for (uint32_t i = 0; i < world->lines_len; i++) {
        found += prefix ? strncmp(world->lines[i], text, len) == 0
                        : strcmp(world->lines[i], text) == 0;
    }
    th_unlock(theater_env_default(), &world->lock);
    return found;
}

static void await(struct world *world, const char *text, bool prefix,
                  size_t times)
{
    const theater_env_t *env = theater_env_default();
    uint64_t deadline = th_now(env) + (uint64_t)WAIT_MS * 1000000;
    for (;;) {
        uint32_t epoch =
            atomic_load_explicit(&world->epoch, memory_order_acquire);
        if (count(world, text, prefix) >= times) {
            return;
        }
        if (world->sim != NULL) {
            if (theater_runtime_simulate(world->runtime, 1, NULL) == 0) {
                break;
            }
            continue;
        }
        if (th_now(env) >= deadline) {
            break;
        }
        env->park(env->ctx, &world->epoch, epoch, deadline);
    }
    uint32_t from = world->lines_len > 50 ? world->lines_len - 50 : 0;
    print_error("after %u lines:\n", from);
    for (uint32_t i = from; i < world->lines_len; i++) {
        print_error("  %s\n", world->lines[i]);
    }
    fail_msg("it was never told %zu times: %s", times, text);
}

size_t world_told(struct world *world, const char *text)
{
    return count(world, text, false);
}

size_t world_told_prefix(struct world *world, const char *prefix)
{
    return count(world, prefix, true);
}

void world_await(struct world *world, const char *text, size_t times)
{
    await(world, text, false, times);
}

void world_await_prefix(struct world *world, const char *prefix, size_t times)
{
    await(world, prefix, true, times);
}

int world_place(struct world *world, const char *prefix)
{
    int place = -1;
    th_lock(theater_env_default(), &world->lock);
    for (uint32_t i = 0; i < world->lines_len && place < 0; i++) {
        if (strncmp(world->lines[i], prefix, strlen(prefix)) == 0) {
            place = (int)i;
        }
    }
    th_unlock(theater_env_default(), &world->lock);
    return place;
}

const char *world_line(struct world *world, const char *prefix)
{
    int place = world_place(world, prefix);
    return place < 0 ? NULL : world->lines[place];
}
