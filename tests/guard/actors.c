/* SPDX-License-Identifier: Apache-2.0 */
/* Two actors on one worker, through router and message-server handler: a
 * sender and who receives it, or a requester and who answers. As C actors,
 * then as the benchmark's guests. */
#include "paths.h"

#include <theater/runtime_handler.h>

#include <stdio.h>
#include <string.h>

enum { BURST = 128, PAYLOAD = 64 };

static uint8_t payload[PAYLOAD];
static const theater_bytes_t data = {payload, sizeof payload};
static const theater_bytes_t target = {(const uint8_t *)"receiver-1", 10};

static theater_router_t *router;
static theater_runtime_t *runtime;

static void on_event(void *user, const theater_event_t *event)
{
    (void)user;
    guard_check(event->kind != THEATER_ACTOR_FAILED &&
                    (event->kind != THEATER_ACTOR_LOG ||
                     event->level != THEATER_LOG_ERROR),
                event->text);
}

static void start(void)
{
    theater_router_options_t options = THEATER_ROUTER_OPTIONS_INIT;
    theater_runtime_options_t runtime_options = THEATER_RUNTIME_OPTIONS_INIT;
    theater_handler_registry_t *registry;
    theater_message_server_t *server;
    theater_error_t err;
    options.env = guard_env();
    runtime_options.workers = 1;
    runtime_options.on_event = on_event;
    guard_ok(theater_router_new(&options, &router));
    guard_ok(theater_message_server_new(router, NULL, &server));
    guard_ok(theater_handler_registry_new(options.env, &registry));
    guard_ok(theater_handler_registry_register(
        registry, "message-server", theater_message_server_ops(), server));
    guard_ok(theater_runtime_handler_register(registry));
    guard_ok(theater_runtime_new(registry, &runtime_options, &runtime, &err));
}

/* All come to rest; `count` messages or requests were handled. */
static void finish(uint64_t count, bool requests)
{
    theater_counters_t counters;
    theater_runtime_start_all(runtime);
    guard_ok(theater_runtime_wait(runtime, THEATER_WAIT_QUIET, UINT64_MAX));
    theater_router_counters(router, &counters);
    guard_check(counters.delivered == count, "as many were delivered");
    guard_check(!requests || counters.ended[THEATER_OK] == count,
                "as many were answered");
    theater_runtime_delete(runtime);
    theater_router_release(router);
}

/* `package` NULL: a C actor's. */
static theater_manifest_t *manifest_of(const char *package)
{
    static const char targets[] = "allowed_targets = [\"receiver-*\", "
                                  "\"responder-*\"]\n";
    char source[512];
    theater_manifest_t *manifest;
    theater_manifest_options_t options = THEATER_MANIFEST_OPTIONS_INIT;
    theater_error_t err;
    options.env = guard_env();
    options.native = package == NULL;
    int len = snprintf(source, sizeof source,
                       "name = \"x\"\n%s%s%s"
                       "[limits]\nrun_time = \"unlimited\"\n"
                       "[[handler]]\ntype = \"runtime\"\n"
                       "[[handler]]\ntype = \"message-server\"\n%s",
                       package != NULL ? "package = \"" : "",
                       package != NULL ? package : "",
                       package != NULL ? ".wasm\"\n" : "", targets);
    theater_status_t status = theater_manifest_parse(
        source, (size_t)len, TH_TEST_BUILD_DIR "/bench/actors/guard.toml",
        &options, &manifest, &err);
    guard_check(status == THEATER_OK, err.text);
    return manifest;
}

/* --- C actors - */

struct sender {
    theater_endpoint_t *endpoint;
    theater_actor_t *actor;
    uint64_t left;
    bool waits;
};

static void run(void *user, theater_actor_t *actor)
{
    struct sender *self = user;
    self->actor = actor;
    self->endpoint = theater_message_server_endpoint(actor);
}

static void on_space(void *user, theater_status_t status,
                     theater_answer_t *answer)
{
    struct sender *self = user;
    (void)answer;
    guard_ok(status);
    self->waits = false;
    self->left--;
    theater_actor_wake(self->actor);
}

static void send_burst(void *user, theater_actor_t *actor)
{
    struct sender *self = user;
    theater_request_id_t id;
    if (self->waits) {
        return;
    }
    for (int i = 0; i < BURST && self->left > 0; i++) {
        theater_status_t status =
            theater_router_send(router, self->endpoint, target, data);
        if (status == THEATER_MAILBOX_FULL) {
            self->waits = true;
            status = theater_router_send_start(router, self->endpoint, target,
                                               data, 5000, on_space, self, &id);
            if (status == THEATER_PENDING) {
                return;
            }
            self->waits = false;
        }
        guard_ok(status);
        self->left--;
    }
    if (self->left > 0) {
        theater_actor_wake(actor);
    }
}

static void on_answer(void *user, theater_status_t status,
                      theater_answer_t *answer)
{
    struct sender *self = user;
    guard_check(status == THEATER_OK && answer->len == PAYLOAD, "answered");
    theater_answer_delete(answer);
    self->waits = false;
    theater_actor_wake(self->actor);
}

static void request_next(void *user, theater_actor_t *actor)
{
    struct sender *self = user;
    (void)actor;
    if (self->waits || self->left == 0) {
        return;
    }
    self->left--;
    self->waits = true;
    guard_check(theater_router_request_start(router, self->endpoint, target,
                                             data, 0, on_answer, self,
                                             NULL) == THEATER_PENDING,
                "a request is under way");
}

static void deliver(void *user, theater_actor_t *actor,
                    theater_delivery_t *delivery)
{
    (void)user;
    (void)actor;
    delivery->status = THEATER_OK;
    delivery->result.bytes = delivery->args[0].bytes;
}

static void native(uint64_t count,
                   void (*woken)(void *user, theater_actor_t *actor),
                   bool requests)
{
    const theater_native_ops_t receiver_ops = {
        .size = sizeof receiver_ops,
        .handler = "message-server",
        .exports = 1 << THEATER_HANDLE_SEND | 1 << THEATER_HANDLE_REQUEST,
        .deliver = deliver};
    const theater_native_ops_t sender_ops = {.size = sizeof sender_ops,
                                             .handler = "message-server",
                                             .run = run,
                                             .deliver = deliver,
                                             .woken = woken};
    struct sender sender = {.left = count};
    theater_spawn_options_t options = THEATER_SPAWN_OPTIONS_INIT;
    theater_error_t err;
    options.paused = true;
    start();
    theater_manifest_t *manifest = manifest_of(NULL);
    guard_ok(theater_runtime_spawn_native(runtime, "receiver-1", manifest,
                                          &options, &receiver_ops, &sender,
                                          &err));
    guard_ok(theater_runtime_spawn_native(
        runtime, "sender-1", manifest, &options, &sender_ops, &sender, &err));
    theater_manifest_release(manifest);
    finish(count, requests);
}

void guard_native_send(uint64_t count)
{
    native(count, send_burst, false);
}

void guard_native_request(uint64_t count)
{
    native(count, request_next, true);
}

/* --- Guests - */

static void spawn_guest(const char *module, const char *name, const char *state)
{
    theater_spawn_options_t options = THEATER_SPAWN_OPTIONS_INIT;
    theater_error_t err;
    theater_manifest_t *manifest = manifest_of(module);
    options.initial_state =
        (theater_bytes_t){(const uint8_t *)state, strlen(state)};
    options.paused = true;
    theater_status_t status =
        theater_runtime_spawn(runtime, name, manifest, &options, &err);
    guard_check(status == THEATER_OK, err.text);
    theater_manifest_release(manifest);
}

static void guests(uint64_t count, const char *active, const char *passive,
                   const char *name, bool requests)
{
    char state[128];
    start();
    snprintf(state, sizeof state, "target=%s;payload=%d;count=%llu", name,
             PAYLOAD, (unsigned long long)count);
    spawn_guest(passive, name, "");
    spawn_guest(active, "sender-1", state);
    finish(count, requests);
}

void guard_wasm_send(uint64_t count)
{
    guests(count, "sender", "receiver", "receiver-1", false);
}

void guard_wasm_request(uint64_t count)
{
    guests(count, "requester", "echo", "responder-1", true);
}
