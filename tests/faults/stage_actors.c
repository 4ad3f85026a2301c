/* SPDX-License-Identifier: Apache-2.0 */
/* Design notes: the worlds of the actors' scenarios. What comes to pass on a
 * worker is waited for, with a bound. Guests are kept, since compiling them
 * anew for each k would take minutes; what a refusal did to them is undone
 * before the next k: one that ended is made again. */
#include "acts_actors.h"

static struct world the_world;

static void on_event(void *user, const theater_event_t *event)
{
    struct world *world = user;
    if (event->kind == THEATER_ACTOR_RESTARTED) {
        /* release; pairs with who waits for it */
        atomic_fetch_add_explicit(&world->restarted, 1, memory_order_release);
    }
}

/* --- A world, step by step ------------------------------------------------ */

static bool make_registry(struct act *act, const theater_permissions_t *most,
                          theater_handler_registry_t **out)
{
    theater_message_server_t *server = NULL;
    theater_handler_registry_t *registry = NULL;
    if (!met(act, theater_handler_registry_new(act->env, &registry),
             THEATER_OK)) {
        assert_null(registry);
        return false;
    }
    if (!met(act, theater_message_server_new(act->router, most, &server),
             THEATER_OK)) {
        assert_null(server);
        theater_handler_registry_delete(registry);
        return false;
    }
    if (!met(act,
             theater_handler_registry_register(registry, "message-server",
                                               theater_message_server_ops(),
                                               server),
             THEATER_OK)) {
        theater_message_server_delete(server);
        theater_handler_registry_delete(registry);
        return false;
    }
    if (!met(act, theater_runtime_handler_register(registry), THEATER_OK)) {
        theater_handler_registry_delete(registry);
        return false;
    }
    *out = registry;
    return true;
}

static bool make_runtime(struct act *act, const struct world_options *options,
                         theater_handler_registry_t *registry)
{
    theater_runtime_options_t o = THEATER_RUNTIME_OPTIONS_INIT;
    theater_error_t err = {.status = THEATER_OK};
    o.env = act->env;
    o.workers = 1;
    o.simulated = options->simulated;
    o.cache_dir = options->cache_dir;
    o.on_event = on_event;
    o.user = act->world;
    theater_status_t status =
        theater_runtime_new(registry, &o, &act->world->runtime, &err);
    if (met(act, status, THEATER_OK)) {
        return true;
    }
    assert_null(act->world->runtime);
    assert_int_equal(err.status, status);
    assert_true(err.text[0] != '\0');
    theater_handler_registry_delete(registry);
    return false;
}

static void drop_base(struct act *act)
{
    theater_router_release(act->router);
    act->router = NULL;
    th_sim_env_delete(act->sim);
    act->sim = NULL;
}

bool world_make(struct act *act, const struct world_options *options)
{
    theater_router_options_t router = THEATER_ROUTER_OPTIONS_INIT;
    theater_handler_registry_t *registry = NULL;
    memset(&the_world, 0, sizeof the_world);
    act->world = &the_world;
    act->env = &act->fault.table;
    if (options->simulated) {
        if (!met(act, th_sim_env_new(7, &act->sim), THEATER_OK)) {
            return false;
        }
        act->env = th_sim_env_table(act->sim);
    }
    router.env = act->env;
    if (!met(act, theater_router_new(&router, &act->router), THEATER_OK) ||
        !make_registry(act, options->permissions, &registry) ||
        !make_runtime(act, options, registry)) {
        drop_base(act);
        return false;
    }
    return true;
}

void world_delete(struct act *act)
{
    theater_counters_t counters;
    theater_runtime_delete(act->world->runtime);
    act->world->runtime = NULL;
    theater_router_counters(act->router, &counters);
    assert_int_equal(counters.accepted,
                     counters.delivered + counters.dead_total);
    assert_int_equal(counters.pending, 0);
    assert_int_equal(counters.endpoints, 0);
    drop_base(act);
}

/* --- Manifests, spawns, requests ------------------------------------------ */

static theater_manifest_t *parse(const char *source, bool native)
{
    theater_manifest_options_t options = THEATER_MANIFEST_OPTIONS_INIT;
    theater_manifest_t *manifest = NULL;
    theater_error_t err = {.status = THEATER_OK};
    options.env = theater_env_default();
    options.native = native;
    if (theater_manifest_parse(source, strlen(source),
                               TH_TEST_BUILD_DIR "/tests/guests/act.toml",
                               &options, &manifest, &err) != THEATER_OK) {
        fail_msg("%s: %s", err.origin, err.text);
    }
    return manifest;
}

theater_manifest_t *manifest_of(struct act *act, const char *package,
                                const char *top, const char *keys)
{
    char source[2048];
    (void)act;
    snprintf(source, sizeof source,
             "name = \"act\"\npackage = \"%s.wasm\"\n%s\n"
             "[[handler]]\ntype = \"runtime\"\n"
             "[[handler]]\ntype = \"message-server\"\n%s\n",
             package, top, keys);
    return parse(source, false);
}

theater_manifest_t *manifest_native(struct act *act, const char *name)
{
    char source[256];
    (void)act;
    snprintf(source, sizeof source,
             "name = \"%s\"\n[[handler]]\ntype = \"message-server\"\n", name);
    return parse(source, true);
}

bool met_spawn(struct act *act, theater_status_t got, theater_status_t wanted)
{
    bool as_wanted = met(act, got, wanted);
    if (got != THEATER_OK) {
        assert_int_equal(act->world->err.status, got);
        assert_true(act->world->err.text[0] != '\0');
    }
    return as_wanted;
}

static void echo_deliver(void *self, theater_actor_t *actor,
                         theater_delivery_t *delivery)
{
    (void)self;
    delivery->status = THEATER_OK;
    if (delivery->export_index == THEATER_HANDLE_REQUEST) {
        bool logs = delivery->args[0].bytes.len > 3 &&
                    memcmp(delivery->args[0].bytes.data, "log", 3) == 0;
        if (logs) {
            (void)!theater_actor_log(actor, THEATER_LOG_INFO,
                                     delivery->args[0].bytes);
        }
        delivery->result.bytes = text("echo");
    } else if (delivery->export_index == THEATER_HANDLE_CHANNEL_OPEN) {
        delivery->result.u32 = 1;
    }
}

theater_status_t spawn_echo_of(struct act *act,
                               const theater_manifest_t *manifest,
                               const char *name,
                               const theater_spawn_options_t *options)
{
    static const theater_native_ops_t ops = {
        .size = sizeof(theater_native_ops_t),
        .exports = 31,
        .handler = "message-server",
        .deliver = echo_deliver,
    };
    return theater_runtime_spawn_native(act->world->runtime, name, manifest,
                                        options, &ops, NULL, &act->world->err);
}

theater_status_t spawn_echo(struct act *act, const char *name,
                            const theater_spawn_options_t *options)
{
    theater_manifest_t *manifest = manifest_native(act, name);
    theater_status_t status = spawn_echo_of(act, manifest, name, options);
    theater_manifest_release(manifest);
    return status;
}

theater_status_t request(struct act *act, const char *name, const char *line)
{
    theater_answer_t *answer = NULL;
    theater_status_t status = theater_router_request(
        act->router, NULL, text(name), text(line), WORLD_WAIT_MS, &answer);
    char *out = act->world->answer;
    out[0] = '\0';
    if (answer != NULL) {
        assert_true(answer->len < WORLD_ANSWER);
        memcpy(out, answer->data, answer->len);
        out[answer->len] = '\0';
        theater_answer_delete(answer);
    }
    return status;
}

void await_restart(struct act *act, uint32_t before)
{
    for (int tries = 0; tries < WORLD_WAIT_MS / 5; tries++) {
        theater_status_t gone =
            theater_runtime_wait_actor(act->world->runtime, "x", 5);
        /* acquire; pairs with on_event */
        if (gone == THEATER_OK ||
            atomic_load_explicit(&act->world->restarted,
                                 memory_order_acquire) != before) {
            return;
        }
    }
    fail_msg("neither restarted nor gone");
}

bool met_answer(struct act *act, theater_status_t got)
{
    if (act_hit(act) && (got == THEATER_CLOSED || got == THEATER_FAILED)) {
        return false;
    }
    return met_or(act, got, THEATER_OK, THEATER_NOT_FOUND);
}

/* --- Natives -------------------------------------------------------------- */

static void open_natives(struct act *act)
{
    assert_true(world_make(act, &(struct world_options){.simulated = false}));
    assert_int_equal(spawn_echo(act, "echo", NULL), THEATER_OK);
}

static void check_natives(struct act *act)
{
    act_outcomes_check(act);
    assert_int_equal(request(act, "echo", "probe"), THEATER_OK);
    assert_string_equal(act->world->answer, "echo");
}

const struct stage stage_natives = {
    .open = open_natives,
    .check = check_natives,
    .close = world_delete,
};

/* --- The same, simulated -------------------------------------------------- */

static void open_simulated(struct act *act)
{
    assert_true(world_make(act, &(struct world_options){.simulated = true}));
    assert_int_equal(spawn_echo(act, "echo", NULL), THEATER_OK);
}

static void check_simulated(struct act *act)
{
    struct outcome probe = {0};
    (void)theater_runtime_simulate(act->world->runtime, UINT64_MAX, NULL);
    act_outcomes_check(act);
    assert_int_equal(theater_router_request_start(
                         act->router, NULL, text("echo"), text("probe"), 1000,
                         note_done, &probe, NULL),
                     THEATER_PENDING);
    (void)theater_runtime_simulate(act->world->runtime, UINT64_MAX, NULL);
    assert_int_equal(act_told(&probe), 1);
    assert_int_equal(probe.status, THEATER_OK);
}

const struct stage stage_simulated = {
    .open = open_simulated,
    .check = check_simulated,
    .close = world_delete,
    .serial = true,
};

/* --- Guests --------------------------------------------------------------- */

static void revive(struct act *act)
{
    static const char *const names[] = {"a", "b"};
    for (int i = 0; i < 2; i++) {
        if (theater_router_has(act->router, names[i], 1)) {
            continue;
        }
        assert_int_equal(theater_runtime_wait_actor(act->world->runtime,
                                                    names[i], WORLD_WAIT_MS),
                         THEATER_OK);
        theater_manifest_t *manifest = manifest_of(
            act, "driver", "",
            "send_timeout = \"2ms\"\nrequest_timeout = \"500ms\"\n"
            "channel_credit = 2\nmailbox_capacity = 16\nmax_channels = 1000");
        theater_status_t status = theater_runtime_spawn(
            act->world->runtime, names[i], manifest, NULL, &act->world->err);
        if (status != THEATER_OK) {
            fail_msg("%s: %s", names[i], act->world->err.text);
        }
        theater_manifest_release(manifest);
    }
}

static void open_guests(struct act *act)
{
    assert_true(world_make(act, &(struct world_options){.simulated = false}));
    revive(act);
}

/* They go on, when they have handled what is queued, or are gone and can be
 * made again. */
static void check_guests(struct act *act)
{
    static const uint32_t never = 0;
    const theater_env_t *env = theater_env_default();
    act_outcomes_check(act);
    for (int tries = 0; tries < WORLD_WAIT_MS; tries++) {
        revive(act);
        if (request(act, "a", "request b echo well") == THEATER_OK &&
            strcmp(act->world->answer, "ok ok well") == 0) {
            return;
        }
        env->park(env->ctx, &never, 0, th_now(env) + 1000000);
    }
    fail_msg("the guests do not go on: %s", act->world->answer);
}

const struct stage stage_guests = {
    .open = open_guests,
    .check = check_guests,
    .close = world_delete,
    .kept = true,
};
