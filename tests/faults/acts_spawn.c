/* SPDX-License-Identifier: Apache-2.0 */
/* Scenarios: guests, from their manifest to their first run, and again. The
 * engine and the code of the drivers are there already. */
#include "acts_actors.h"

/* Spawns under the name "x"; it is gone again afterwards. */
static void spawn(struct act *act, theater_manifest_t *manifest,
                  const char *state, theater_status_t wanted)
{
    theater_spawn_options_t options = THEATER_SPAWN_OPTIONS_INIT;
    theater_runtime_t *runtime = act->world->runtime;
    if (state != NULL) {
        options.initial_state = text(state);
    }
    theater_status_t status = theater_runtime_spawn(runtime, "x", manifest,
                                                    &options, &act->world->err);
    (void)met_spawn(act, status, wanted);
    if (status == THEATER_OK) {
        /* It may have ended by itself. */
        (void)!theater_runtime_stop(runtime, "x", "next");
        assert_int_equal(
            theater_runtime_wait_actor(runtime, "x", WORLD_WAIT_MS),
            THEATER_OK);
    }
    assert_false(theater_router_has(act->router, "x", 1));
}

static void spawn_of(struct act *act, const char *package, const char *top,
                     const char *keys, theater_status_t wanted)
{
    theater_manifest_t *manifest = manifest_of(act, package, top, keys);
    spawn(act, manifest, NULL, wanted);
    theater_manifest_release(manifest);
}

static void spawn_known(struct act *act)
{
    spawn_of(act, "driver", "", "", THEATER_OK);
}

static void spawn_with_targets(struct act *act)
{
    spawn_of(act, "driver", "", "allowed_targets = [\"a\", \"b*\"]",
             THEATER_OK);
}

static void spawn_with_ring(struct act *act)
{
    spawn_of(act, "driver", "",
             "on_full = \"drop-oldest\"\nmailbox_capacity = 10\n"
             "max_channels = 2\nchannel_credit = 4",
             THEATER_OK);
}

static void spawn_with_state(struct act *act)
{
    theater_manifest_t *manifest = manifest_of(act, "driver", "", "");
    spawn(act, manifest, "!send a hello", THEATER_OK);
    spawn(act, manifest, "!log 2 hello", THEATER_OK);
    theater_manifest_release(manifest);
}

/* Not in memory: it is compiled each time. */
static void spawn_another(struct act *act)
{
    spawn_of(act, "tally", "", "", THEATER_OK);
}

static void spawn_on_large_stack(struct act *act)
{
    spawn_of(act, "silent", "[limits]\nstack = \"large\"", "", THEATER_OK);
}

/* Its lines come to be; what it is answered is not looked at. */
static void spawn_with_wasi(struct act *act)
{
    theater_manifest_t *manifest = manifest_of(act, "wasi_printer", "", "");
    theater_runtime_t *runtime = act->world->runtime;
    theater_status_t status =
        theater_runtime_spawn(runtime, "x", manifest, NULL, &act->world->err);
    if (met_spawn(act, status, THEATER_OK)) {
        (void)met_answer(act, request(act, "x", "print"));
        (void)!theater_runtime_stop(runtime, "x", "next");
        assert_int_equal(
            theater_runtime_wait_actor(runtime, "x", WORLD_WAIT_MS),
            THEATER_OK);
    }
    theater_manifest_release(manifest);
}

static void spawn_that_grows(struct act *act)
{
    spawn_of(act, "grower", "[limits]\nmemory = \"2MiB\"\nrun_time = \"50ms\"",
             "", THEATER_OK);
}

/* It answers how far it came. */
static void spawn_that_grows_on_a_large_stack(struct act *act)
{
    theater_manifest_t *manifest = manifest_of(
        act, "grower", "[limits]\nmemory = \"2MiB\"\nstack = \"large\"", "");
    theater_runtime_t *runtime = act->world->runtime;
    theater_status_t status =
        theater_runtime_spawn(runtime, "x", manifest, NULL, &act->world->err);
    if (met_spawn(act, status, THEATER_OK)) {
        (void)met_answer(act, request(act, "x", "g"));
        (void)!theater_runtime_stop(runtime, "x", "next");
        assert_int_equal(
            theater_runtime_wait_actor(runtime, "x", WORLD_WAIT_MS),
            THEATER_OK);
    }
    theater_manifest_release(manifest);
}

static void spawn_over_its_limit(struct act *act)
{
    spawn_of(act, "wasi_printer", "[limits]\nmemory = \"64KiB\"", "",
             THEATER_LIMIT);
}

static void spawn_that_loops(struct act *act)
{
    spawn_of(act, "initialize_looper", "[limits]\nrun_time = \"2ms\"", "",
             THEATER_LIMIT);
}

static void spawn_without_grant(struct act *act)
{
    theater_manifest_options_t options = THEATER_MANIFEST_OPTIONS_INIT;
    static const char source[] = "name = \"x\"\npackage = \"driver.wasm\"\n"
                                 "[[handler]]\ntype = \"runtime\"\n";
    theater_manifest_t *manifest = NULL;
    theater_error_t err;
    options.env = theater_env_default();
    assert_int_equal(theater_manifest_parse(source, sizeof source - 1,
                                            TH_TEST_BUILD_DIR
                                            "/tests/guests/act.toml",
                                            &options, &manifest, &err),
                     THEATER_OK);
    spawn(act, manifest, NULL, THEATER_BAD_MODULE);
    theater_manifest_release(manifest);
}

static void spawn_no_module(struct act *act)
{
    FILE *file = fopen(TH_TEST_BUILD_DIR "/tests/guests/faults-none.wasm", "w");
    assert_non_null(file);
    fputs("\x7f"
          "ELF, and no module",
          file);
    assert_int_equal(fclose(file), 0);
    spawn_of(act, "faults-none", "", "", THEATER_BAD_MODULE);
}

static void spawn_and_fail(struct act *act)
{
    theater_manifest_t *manifest =
        manifest_of(act, "driver",
                    "restart = \"on-failure\"\nmax_restarts = 1\n"
                    "restart_backoff = \"0ms\"",
                    "");
    spawn(act, manifest, "!trap", THEATER_OK);
    theater_manifest_release(manifest);
}

/* It fails and is made again, on a helper thread. */
static void restart(struct act *act)
{
    theater_manifest_t *manifest =
        manifest_of(act, "driver",
                    "restart = \"on-failure\"\nmax_restarts = 3\n"
                    "restart_backoff = \"0ms\"",
                    "");
    theater_runtime_t *runtime = act->world->runtime;
    /* relaxed: nothing happens yet */
    uint32_t before =
        atomic_load_explicit(&act->world->restarted, memory_order_relaxed);
    theater_status_t status =
        theater_runtime_spawn(runtime, "x", manifest, NULL, &act->world->err);
    theater_manifest_release(manifest);
    if (!met_spawn(act, status, THEATER_OK)) {
        return;
    }
    status = request(act, "x", "trap");
    if (met(act, status, THEATER_CLOSED)) {
        await_restart(act, before);
    }
    (void)!theater_runtime_stop(runtime, "x", "next");
    assert_int_equal(theater_runtime_wait_actor(runtime, "x", WORLD_WAIT_MS),
                     THEATER_OK);
}

static void check_each(void *user, const theater_check_item_t *item)
{
    (void)user;
    (void)item;
}

static void check_module(struct act *act)
{
    theater_manifest_t *manifest = manifest_of(act, "driver", "", "");
    theater_status_t status = theater_runtime_check(
        act->world->runtime, manifest, check_each, NULL, &act->world->err);
    (void)met_spawn(act, status, THEATER_OK);
    theater_manifest_release(manifest);
}

/* Three drivers. */
static theater_system_t *load_system(struct act *act)
{
    static const char source[] =
        "[[actor]]\nmanifest = \"faults-driver.toml\"\nname = \"s\"\n"
        "[[actor]]\nmanifest = \"faults-driver.toml\"\nname = \"t\"\n"
        "count = 2\n";
    theater_manifest_options_t options = THEATER_MANIFEST_OPTIONS_INIT;
    theater_system_t *system = NULL;
    theater_error_t err = {.status = THEATER_OK};
    FILE *file =
        fopen(TH_TEST_BUILD_DIR "/tests/guests/faults-driver.toml", "w");
    assert_non_null(file);
    fputs("name = \"d\"\npackage = \"driver.wasm\"\n"
          "[[handler]]\ntype = \"runtime\"\n"
          "[[handler]]\ntype = \"message-server\"\n",
          file);
    assert_int_equal(fclose(file), 0);
    options.env = act->env;
    act_calm(act);
    if (theater_system_parse(source, sizeof source - 1,
                             TH_TEST_BUILD_DIR "/tests/guests/act.toml",
                             &options, &system, &err) != THEATER_OK) {
        fail_msg("%s: %s", err.origin, err.text);
    }
    act_go_on(act);
    return system;
}

static void spawn_system(struct act *act)
{
    static const char *const names[] = {"s", "t-1", "t-2"};
    theater_runtime_t *runtime = act->world->runtime;
    theater_system_t *system = load_system(act);
    theater_status_t status =
        theater_runtime_spawn_system(runtime, system, &act->world->err);
    bool spawned = met_spawn(act, status, THEATER_OK);
    for (int i = 0; i < 3; i++) {
        bool there =
            theater_router_has(act->router, names[i], strlen(names[i]));
        assert_true(there == spawned);
        (void)!theater_runtime_stop(runtime, names[i], "next");
        assert_int_equal(
            theater_runtime_wait_actor(runtime, names[i], WORLD_WAIT_MS),
            THEATER_OK);
    }
    theater_system_delete(system);
}

#define ACT(name, run) {name, run, &stage_guests, NULL}
const struct scenario acts_spawn[] = {
    ACT("a spawn", spawn_known),
    ACT("a spawn with allowed targets", spawn_with_targets),
    ACT("a spawn with a ring", spawn_with_ring),
    ACT("a spawn with a state that acts", spawn_with_state),
    ACT("a spawn of another module", spawn_another),
    ACT("a spawn on a large stack", spawn_on_large_stack),
    ACT("a spawn with WASI", spawn_with_wasi),
    ACT("a spawn of one that grows", spawn_that_grows),
    ACT("a spawn of one that grows, large", spawn_that_grows_on_a_large_stack),
    ACT("a spawn over its limit", spawn_over_its_limit),
    ACT("a spawn that loops", spawn_that_loops),
    ACT("a spawn without a grant", spawn_without_grant),
    ACT("a spawn of no module", spawn_no_module),
    ACT("a spawn that fails at once", spawn_and_fail),
    ACT("a restart", restart),
    ACT("a module that is checked", check_module),
    ACT("a system", spawn_system),
};
const size_t acts_spawn_len = sizeof acts_spawn / sizeof acts_spawn[0];
