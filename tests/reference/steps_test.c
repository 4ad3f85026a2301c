/* SPDX-License-Identifier: Apache-2.0 */
/* The architecture and the five steps of the reference, by their names: a
 * router made first, the handler from it, the registry, the runtime, actors.
 * statements.tsv says which statement each test proves. */
#include "../impossible/stage.h"

#include <stdlib.h>
#include <unistd.h>

static theater_bytes_t text(const char *from)
{
    return stage_text(from);
}

/* --- The message server's table, watched --------------------------------- */

static struct {
    theater_router_t *router;
    theater_handler_ops_t real;
    unsigned created, set_up, stopped, nexts, before_start, after_stop;
    void *instances[8];
    const char *names[8];
    bool started[8];
} watched;

static size_t index_of(const void *instance)
{
    for (size_t i = 0; i < watched.created; i++) {
        if (watched.instances[i] == instance) {
            return i;
        }
    }
    abort();
}

static bool registered(size_t i)
{
    return theater_router_has(watched.router, watched.names[i],
                              strlen(watched.names[i]));
}

static theater_status_t create_instance(void *prototype,
                                        const theater_instance_args_t *args,
                                        void **out, theater_error_t *err)
{
    theater_status_t status =
        watched.real.create_instance(prototype, args, out, err);
    if (status == THEATER_OK) {
        watched.names[watched.created] = args->name;
        watched.instances[watched.created++] = *out;
    }
    return status;
}

static theater_status_t set_up(void *instance, theater_error_t *err)
{
    size_t i = index_of(instance);
    TH_CHECK(!registered(i));
    theater_status_t status = watched.real.setup_host_functions(instance, err);
    watched.set_up += registered(i);
    return status;
}

static void start(void *instance)
{
    watched.started[index_of(instance)] = true;
    if (watched.real.start != NULL) {
        watched.real.start(instance);
    }
}

static theater_status_t next(void *instance, theater_delivery_t *out)
{
    watched.before_start += !watched.started[index_of(instance)];
    theater_status_t status = watched.real.next(instance, out);
    watched.nexts += status == THEATER_OK;
    return status;
}

static void stop(void *instance, const theater_end_t *end)
{
    size_t i = index_of(instance);
    TH_CHECK(registered(i));
    watched.real.stop(instance, end);
    watched.stopped++;
    watched.after_stop += registered(i);
}

/* --- Small helpers -------------------------------------------------------- */

static void on_event(void *user, const theater_event_t *event)
{
    struct stage *stage = user;
    /* relaxed: a count of what was told */
    if (event->kind == THEATER_ACTOR_LOG) {
        atomic_fetch_add_explicit(&stage->epoch, 1, memory_order_relaxed);
    }
}

static void spawn(theater_runtime_t *runtime, const char *name,
                  const char *module, bool paused)
{
    theater_spawn_options_t options = THEATER_SPAWN_OPTIONS_INIT;
    theater_manifest_t *manifest = stage_manifest(module, NULL, NULL);
    theater_error_t err;
    options.paused = paused;
    assert_int_equal(
        theater_runtime_spawn(runtime, name, manifest, &options, &err),
        THEATER_OK);
    theater_manifest_release(manifest);
}

static void asked(theater_router_t *router, const char *who, const char *what,
                  const char *expected)
{
    theater_answer_t *answer = NULL;
    assert_int_equal(theater_router_request(router, NULL, text(who), text(what),
                                            20000, &answer),
                     THEATER_OK);
    assert_int_equal(answer->len, strlen(expected));
    assert_memory_equal(answer->data, expected, answer->len);
    theater_answer_delete(answer);
}

/* --- The tests ------------------------------------------------------------ */

/* From a manifest's file, with an initial state. */
static void spawn_from_file(theater_runtime_t *runtime)
{
    static const char written[] =
        "name = \"actor_b\"\npackage = \"driver.wasm\"\n"
        "[[handler]]\ntype = \"runtime\"\n"
        "[[handler]]\ntype = \"message-server\"\n";
    const char *path = TH_TEST_BUILD_DIR "/tests/guests/reference.toml";
    theater_spawn_options_t options = THEATER_SPAWN_OPTIONS_INIT;
    theater_manifest_t *manifest;
    theater_error_t err;
    FILE *file = fopen(path, "w");
    assert_non_null(file);
    assert_int_equal(fwrite(written, 1, sizeof written - 1, file),
                     sizeof written - 1);
    assert_int_equal(fclose(file), 0);
    assert_int_equal(theater_manifest_load_file(path, NULL, &manifest, &err),
                     THEATER_OK);
    unlink(path);
    options.initial_state = text("{}");
    assert_int_equal(
        theater_runtime_spawn(runtime, "my-actor", manifest, &options, &err),
        THEATER_OK);
    theater_manifest_release(manifest);
}

static void the_five_steps_make_actors_that_talk(void **state)
{
    static struct stage told;
    theater_router_t *router;
    theater_message_server_t *server;
    theater_handler_registry_t *registry;
    theater_runtime_t *runtime;
    theater_error_t err;
    theater_runtime_options_t options = THEATER_RUNTIME_OPTIONS_INIT;
    (void)state;

    /* 1. The router, before anything else. */
    assert_int_equal(theater_router_new(NULL, &router), THEATER_OK);
    /* 2. The handler with it; permissions are optional. */
    assert_int_equal(theater_message_server_new(router, NULL, &server),
                     THEATER_OK);
    /* 3. Registered by its name, which can be taken once. */
    assert_int_equal(theater_handler_registry_new(NULL, &registry), THEATER_OK);
    assert_int_equal(
        theater_handler_registry_register(registry, "message-server",
                                          theater_message_server_ops(), server),
        THEATER_OK);
    assert_int_equal(
        theater_handler_registry_register(registry, "message-server",
                                          theater_message_server_ops(), server),
        THEATER_ALREADY_EXISTS);
    assert_int_equal(theater_runtime_handler_register(registry), THEATER_OK);
    /* 4. The runtime takes the registry. */
    options.on_event = on_event;
    options.user = &told;
    assert_int_equal(theater_runtime_new(registry, &options, &runtime, &err),
                     THEATER_OK);
    /* 5. Actors; each has messaging by being spawned. */
    spawn_from_file(runtime);
    spawn(runtime, "other", "tests/guests/driver.wasm", false);
    asked(router, "my-actor", "state", "ok {}");
    asked(router, "my-actor", "name", "ok my-actor");
    asked(router, "other", "request my-actor echo hi", "ok ok hi");
    asked(router, "my-actor", "log 2 heard by the embedder", "ok");
    asked(router, "my-actor", "echo the turn with the line is over",
          "ok the turn with the line is over");
    theater_runtime_delete(runtime);
    assert_int_equal(told.epoch, 1);
    theater_router_release(router);
}

static void
each_actor_has_an_instance_that_registers_and_unregisters(void **state)
{
    static theater_handler_ops_t ops;
    theater_message_server_t *server;
    theater_handler_registry_t *registry;
    theater_runtime_t *runtime;
    theater_error_t err;
    theater_runtime_options_t options = THEATER_RUNTIME_OPTIONS_INIT;
    (void)state;
    assert_int_equal(theater_router_new(NULL, &watched.router), THEATER_OK);
    assert_int_equal(theater_message_server_new(watched.router, NULL, &server),
                     THEATER_OK);
    watched.real = ops = *theater_message_server_ops();
    ops.create_instance = create_instance;
    ops.setup_host_functions = set_up;
    ops.start = start;
    ops.next = next;
    ops.stop = stop;
    assert_int_equal(theater_handler_registry_new(NULL, &registry), THEATER_OK);
    assert_int_equal(theater_handler_registry_register(
                         registry, "message-server", &ops, server),
                     THEATER_OK);
    assert_int_equal(theater_runtime_handler_register(registry), THEATER_OK);
    options.workers = 1;
    assert_int_equal(theater_runtime_new(registry, &options, &runtime, &err),
                     THEATER_OK);

    spawn(runtime, "one", "tests/guests/driver.wasm", true);
    spawn(runtime, "two", "tests/guests/driver.wasm", true);
    assert_int_equal(watched.created, 2);
    assert_int_equal(watched.set_up, 2);
    assert_ptr_not_equal(watched.instances[0], watched.instances[1]);
    /* Registered, not started: what comes is kept, and nobody takes it. */
    assert_int_equal(
        theater_router_send(watched.router, NULL, text("one"), text("early")),
        THEATER_OK);
    assert_int_equal(watched.nexts, 0);
    theater_runtime_start_all(runtime);
    asked(watched.router, "one", "heard", "ok send - early\n");
    assert_int_equal(watched.nexts, 2);
    assert_int_equal(watched.before_start, 0);
    assert_int_equal(theater_runtime_stop(runtime, "one", "enough"),
                     THEATER_OK);
    assert_int_equal(theater_runtime_wait_actor(runtime, "one", 20000),
                     THEATER_OK);
    assert_false(theater_router_has(watched.router, "one", 3));
    assert_true(theater_router_has(watched.router, "two", 3));
    theater_runtime_delete(runtime);
    assert_int_equal(watched.stopped, 2);
    assert_int_equal(watched.after_stop, 0);
    theater_router_release(watched.router);
}

/* No router, no handler: actors run. */
static void without_the_handler_the_runtime_works(void **state)
{
    static const char written[] =
        "name = \"alone\"\npackage = \"tests/runtime/player.wasm\"\n"
        "[[handler]]\ntype = \"runtime\"\n";
    static struct stage told;
    theater_spawn_options_t spawn_options = THEATER_SPAWN_OPTIONS_INIT;
    theater_runtime_options_t options = THEATER_RUNTIME_OPTIONS_INIT;
    theater_handler_registry_t *registry;
    theater_runtime_t *runtime;
    theater_manifest_t *manifest;
    theater_error_t err;
    (void)state;
    assert_int_equal(theater_handler_registry_new(NULL, &registry), THEATER_OK);
    assert_int_equal(theater_runtime_handler_register(registry), THEATER_OK);
    options.on_event = on_event;
    options.user = &told;
    assert_int_equal(theater_runtime_new(registry, &options, &runtime, &err),
                     THEATER_OK);
    assert_int_equal(theater_manifest_parse(written, sizeof written - 1,
                                            TH_TEST_BUILD_DIR "/test.toml",
                                            NULL, &manifest, &err),
                     THEATER_OK);
    spawn_options.initial_state = text("log on my own\nstop done");
    assert_int_equal(
        theater_runtime_spawn(runtime, NULL, manifest, &spawn_options, &err),
        THEATER_OK);
    assert_int_equal(theater_runtime_wait(runtime, THEATER_WAIT_STOPPED, 20000),
                     THEATER_OK);
    theater_manifest_release(manifest);
    theater_runtime_delete(runtime);
    /* Its own line, and the one of handle-stop. */
    assert_int_equal(told.epoch, 2);
}

static void actors_of_two_routers_cannot_reach_each_other(void **state)
{
    static struct stage left;
    static struct stage right;
    (void)state;
    stage_start(&left, NULL);
    stage_start(&right, NULL);
    stage_actor(&left, "a", "tests/guests/driver.wasm", NULL);
    stage_actor(&left, "b", "tests/guests/driver.wasm", NULL);
    stage_actor(&right, "c", "tests/guests/driver.wasm", NULL);
    /* The same name in both is two actors. */
    stage_actor(&right, "b", "tests/guests/driver.wasm", NULL);
    assert_string_equal(stage_ask(&left, "a", "send b hi"), "ok");
    assert_non_null(strstr(stage_ask(&left, "a", "send c hi"), "not-found"));
    assert_non_null(
        strstr(stage_ask(&left, "a", "request c echo hi"), "not-found"));
    assert_non_null(strstr(stage_ask(&left, "a", "open c hi"), "not-found"));
    assert_non_null(strstr(stage_ask(&right, "c", "send a hi"), "not-found"));
    assert_string_equal(stage_ask(&left, "b", "heard"), "ok send a hi\n");
    assert_string_equal(stage_ask(&right, "b", "heard"), "ok ");
    assert_string_equal(stage_ask(&right, "c", "heard"), "ok ");
    stage_end(&left);
    stage_end(&right);
}

/* It is the program's: there before the runtime, usable after it, drained on
 * request, gone with its last reference. */
static void the_router_lives_and_ends_as_the_program_says(void **state)
{
    static struct stage stage;
    theater_shutdown_report_t report;
    (void)state;
    stage_start(&stage, NULL);
    stage_actor(&stage, "a", "tests/guests/driver.wasm", NULL);
    theater_router_t *router = theater_router_retain(stage.router);
    assert_int_equal(stage_send(&stage, "a", "!sleep 100"), THEATER_OK);
    for (int i = 0; i < 50; i++) {
        assert_int_equal(stage_send(&stage, "a", "later"), THEATER_OK);
    }
    /* What was accepted is handled first, nothing more is taken. */
    assert_int_equal(theater_router_shutdown(router, 20000, &report),
                     THEATER_OK);
    assert_int_equal(report.dead, 0);
    assert_int_equal(stage_counters(&stage).delivered, 51);
    assert_int_equal(stage_send(&stage, "a", "x"), THEATER_SHUTTING_DOWN);
    stage_end(&stage);

    theater_counters_t counters;
    theater_router_counters(router, &counters);
    assert_int_equal(counters.endpoints, 0);
    theater_router_release(router);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_five_steps_make_actors_that_talk),
        cmocka_unit_test(
            each_actor_has_an_instance_that_registers_and_unregisters),
        cmocka_unit_test(without_the_handler_the_runtime_works),
        cmocka_unit_test(actors_of_two_routers_cannot_reach_each_other),
        cmocka_unit_test(the_router_lives_and_ends_as_the_program_says),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
