/* SPDX-License-Identifier: Apache-2.0 */
/* Scenarios: registries and runtimes, from nothing to their end. */
#include "acts_actors.h"

#include <sys/stat.h>
#include <unistd.h>

#define CACHE TH_TEST_BUILD_DIR "/tests/faults-cache"

static void make_registry(struct act *act)
{
    theater_handler_registry_t *registry = NULL;
    theater_status_t status = theater_handler_registry_new(act->env, &registry);
    if (met(act, status, THEATER_OK)) {
        (void)met(act, theater_runtime_handler_register(registry), THEATER_OK);
    }
    theater_handler_registry_delete(registry);
}

static void make_server(struct act *act)
{
    static const char *const targets[] = {"a", "b*"};
    theater_permissions_t most = THEATER_PERMISSIONS_INIT;
    theater_router_options_t options = THEATER_ROUTER_OPTIONS_INIT;
    theater_router_t *router = NULL;
    theater_message_server_t *server = NULL;
    options.env = act->env;
    most.allowed_targets = targets;
    most.allowed_targets_len = 2;
    if (met(act, theater_router_new(&options, &router), THEATER_OK)) {
        theater_status_t status =
            theater_message_server_new(router, &most, &server);
        (void)met(act, status, THEATER_OK);
        theater_message_server_delete(server);
    }
    theater_router_release(router);
}

static void make_world(struct act *act)
{
    if (world_make(act, &(struct world_options){.simulated = false})) {
        world_delete(act);
    }
}

static void make_world_with_echo(struct act *act)
{
    if (world_make(act, &(struct world_options){.simulated = false})) {
        (void)met_spawn(act, spawn_echo(act, "echo", NULL), THEATER_OK);
        world_delete(act);
    }
}

static void make_simulated_world(struct act *act)
{
    if (world_make(act, &(struct world_options){.simulated = true})) {
        (void)met_spawn(act, spawn_echo(act, "echo", NULL), THEATER_OK);
        (void)theater_runtime_simulate(act->world->runtime, 100, NULL);
        world_delete(act);
    }
}

/* A guest from its file: compiled, or, where `kept` says so, from the code
 * that an earlier run has kept. */
static void run_guest(struct act *act, bool simulated, const char *cache_dir)
{
    if (!world_make(act, &(struct world_options){.simulated = simulated,
                                                 .cache_dir = cache_dir})) {
        return;
    }
    theater_manifest_t *manifest = manifest_of(act, "silent", "", "");
    theater_runtime_t *runtime = act->world->runtime;
    theater_status_t status =
        theater_runtime_spawn(runtime, NULL, manifest, NULL, &act->world->err);
    bool spawned = met_spawn(act, status, THEATER_OK);
    theater_manifest_release(manifest);
    if (spawned && simulated) {
        (void)theater_runtime_simulate(runtime, UINT64_MAX, NULL);
    } else if (spawned) {
        theater_runtime_stop_all(runtime, "over");
        assert_int_equal(
            theater_runtime_wait(runtime, THEATER_WAIT_STOPPED, WORLD_WAIT_MS),
            THEATER_OK);
    }
    world_delete(act);
}

static void run_one_guest(struct act *act)
{
    run_guest(act, false, NULL);
}

static void run_one_guest_simulated(struct act *act)
{
    run_guest(act, true, NULL);
}

static void empty_cache(void)
{
    (void)mkdir(TH_TEST_BUILD_DIR "/tests", 0700);
    (void)!system("rm -rf '" CACHE "'");
}

static void run_and_keep_the_code(struct act *act)
{
    empty_cache();
    run_guest(act, false, CACHE);
}

static void run_what_was_kept(struct act *act)
{
    run_guest(act, false, CACHE);
}

/* One that is not what it should be is removed and made anew. */
static void run_what_was_damaged(struct act *act)
{
    (void)!system("for f in '" CACHE "'/*.code; do printf x >\"$f\"; done");
    run_guest(act, false, CACHE);
}

static void restart_from_nothing(struct act *act)
{
    if (!world_make(act, &(struct world_options){.cache_dir = CACHE})) {
        return;
    }
    theater_manifest_t *manifest =
        manifest_of(act, "trapper",
                    "restart = \"on-failure\"\nmax_restarts = 3\n"
                    "restart_backoff = \"0ms\"",
                    "");
    theater_status_t status = theater_runtime_spawn(
        act->world->runtime, "x", manifest, NULL, &act->world->err);
    theater_manifest_release(manifest);
    if (met_spawn(act, status, THEATER_OK) &&
        met(act, request(act, "x", "u"), THEATER_CLOSED)) {
        await_restart(act, 0);
    }
    world_delete(act);
}

static void run_with_a_cache_that_cannot_be_used(struct act *act)
{
    run_guest(act, false, "/proc/no/such/folder");
}

const struct scenario acts_runtime[] = {
    {"a registry", make_registry, &stage_bare, NULL},
    {"a message server", make_server, &stage_bare, NULL},
    {"a runtime", make_world, &stage_threads, NULL},
    {"a runtime with an actor", make_world_with_echo, &stage_threads, NULL},
    {"a simulated runtime", make_simulated_world, &stage_bare, NULL},
    {"a guest, from nothing", run_one_guest, &stage_threads, NULL},
    {"a guest, simulated", run_one_guest_simulated, &stage_bare, NULL},
    {"a guest whose code is kept", run_and_keep_the_code, &stage_threads, NULL},
    {"a guest whose code was kept", run_what_was_kept, &stage_threads, NULL},
    {"a guest whose code was damaged", run_what_was_damaged, &stage_threads,
     NULL},
    {"a restart, from nothing", restart_from_nothing, &stage_threads, NULL},
    {"a guest, and no place to keep code", run_with_a_cache_that_cannot_be_used,
     &stage_threads, NULL},
};
const size_t acts_runtime_len = sizeof acts_runtime / sizeof acts_runtime[0];
