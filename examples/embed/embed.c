/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Theater in a C program, in five steps: a router; the message-server handler
 * made from it; a registry of handlers; a runtime; actors. One actor is
 * WebAssembly (`pong` of examples/ping_pong), one is C (`clerk`, below), and
 * the main thread talks to both without being an actor.
 *
 *     embed PONG_TOML
 */
#include <theater/message_server.h>
#include <theater/runtime.h>
#include <theater/runtime_handler.h>

#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static theater_bytes_t text(const char *from)
{
    return (theater_bytes_t){(const uint8_t *)from, strlen(from)};
}

static void must(theater_status_t status, const char *what,
                 const theater_error_t *err)
{
    if (status != THEATER_OK) {
        fprintf(stderr, "%s: %s\n", what,
                err != NULL ? err->text : theater_status_text(status));
        exit(1);
    }
}

/* What actors log and what becomes of them; on any thread. */
static void on_event(void *user, const theater_event_t *event)
{
    (void)user;
    if (event->kind == THEATER_ACTOR_LOG) {
        printf("[%s] %.*s\n", event->actor, (int)event->text_len, event->text);
    } else if (event->kind == THEATER_ACTOR_FAILED) {
        printf("[%s] failed: %s\n", event->actor, event->text);
    }
}

/* --- A C actor ----------------------------------------------------------- *
 * `clerk` answers requests by asking pong: it defers its own answer, starts
 * a request, and goes on. It must not block: it runs on a worker. */

static const char clerk_manifest[] = "name = \"clerk\"\n"
                                     "[[handler]]\n"
                                     "type = \"message-server\"\n"
                                     "can_send = false\n"
                                     "can_open_channels = false\n"
                                     "max_requests = 1\n"
                                     "allowed_targets = [\"pong\"]\n";

struct clerk {
    theater_router_t *router;
    theater_actor_t *actor;
    theater_request_id_t owed;         /* whom it has to answer */
    _Atomic(theater_answer_t *) heard; /* pong's answer */
    _Atomic bool failed;               /* or that there is none */
};

/* On the thread that ends the request: hands over, wakes the clerk. */
static void pong_answered(void *user, theater_status_t status,
                          theater_answer_t *answer)
{
    struct clerk *clerk = user;
    if (status == THEATER_OK) {
        atomic_store(&clerk->heard, answer);
    } else {
        theater_answer_delete(answer);
        atomic_store(&clerk->failed, true);
    }
    theater_actor_wake(clerk->actor);
}

static void clerk_deliver(void *self, theater_actor_t *actor,
                          theater_delivery_t *delivery)
{
    struct clerk *clerk = self;
    theater_endpoint_t *endpoint = theater_message_server_endpoint(actor);
    clerk->actor = actor;
    /* Its own answer comes later: PENDING. */
    if (theater_endpoint_defer(endpoint, &clerk->owed) != THEATER_OK) {
        delivery->status = THEATER_FAILED;
        return;
    }
    delivery->status = THEATER_PENDING;
    theater_status_t status = theater_router_request_start(
        clerk->router, endpoint, text("pong"), delivery->args[0].bytes, 1000,
        pong_answered, clerk, NULL);
    if (status != THEATER_PENDING) {
        pong_answered(clerk, status, NULL);
    }
}

static void clerk_woken(void *self, theater_actor_t *actor)
{
    struct clerk *clerk = self;
    theater_endpoint_t *endpoint = theater_message_server_endpoint(actor);
    theater_answer_t *answer = atomic_exchange(&clerk->heard, NULL);
    theater_status_t status = THEATER_OK;
    if (answer != NULL) {
        status = theater_endpoint_respond(
            endpoint, clerk->owed,
            (theater_bytes_t){answer->data, answer->len});
    } else if (atomic_exchange(&clerk->failed, false)) {
        status = theater_endpoint_fail(endpoint, clerk->owed,
                                       text("pong does not answer"));
    }
    if (status != THEATER_OK) {
        printf("the clerk's answer came too late\n");
    }
    theater_answer_delete(answer);
}

static void spawn_clerk(theater_runtime_t *runtime, struct clerk *clerk)
{
    static const theater_native_ops_t ops = {
        .size = sizeof(theater_native_ops_t),
        .exports = 1 << THEATER_HANDLE_REQUEST,
        .handler = "message-server",
        .deliver = clerk_deliver,
        .woken = clerk_woken,
    };
    theater_manifest_options_t options = THEATER_MANIFEST_OPTIONS_INIT;
    theater_manifest_t *manifest;
    theater_error_t err;
    options.native = true;
    must(theater_manifest_parse(clerk_manifest, strlen(clerk_manifest), "clerk",
                                &options, &manifest, &err),
         "the clerk's manifest", &err);
    must(theater_runtime_spawn_native(runtime, NULL, manifest, NULL, &ops,
                                      clerk, &err),
         "spawn clerk", &err);
    theater_manifest_release(manifest);
}

/* --- The program --------------------------------------------------------- */

static void spawn_file(theater_runtime_t *runtime, const char *path)
{
    theater_manifest_t *manifest;
    theater_error_t err;
    must(theater_manifest_load_file(path, NULL, &manifest, &err), path, &err);
    must(theater_runtime_spawn(runtime, NULL, manifest, NULL, &err), path,
         &err);
    theater_manifest_release(manifest);
}

static void ask(theater_router_t *router, const char *who, const char *what)
{
    theater_answer_t *answer;
    must(theater_router_request(router, NULL, text(who), text(what), 5000,
                                &answer),
         who, NULL);
    printf("%s answers: %.*s\n", who, (int)answer->len,
           (const char *)answer->data);
    theater_answer_delete(answer);
}

int main(int argc, char **argv)
{
    if (argc != 2) {
        fprintf(stderr, "usage: embed PONG_TOML\n");
        return 2;
    }
    setvbuf(stdout, NULL, _IOLBF, 0);

    /* 1. The router: it knows nothing of the runtime. */
    theater_router_t *router;
    must(theater_router_new(NULL, &router), "router", NULL);

    /* 2. The handler: the router, and what any actor may do at most. */
    theater_permissions_t permissions = THEATER_PERMISSIONS_INIT;
    theater_message_server_t *server;
    permissions.can_open_channels = false;
    must(theater_message_server_new(router, &permissions, &server),
         "message server", NULL);

    /* 3. The registry: manifests list handlers by these names. */
    theater_handler_registry_t *registry;
    must(theater_handler_registry_new(NULL, &registry), "registry", NULL);
    must(theater_handler_registry_register(
             registry, "message-server", theater_message_server_ops(), server),
         "register message-server", NULL);
    must(theater_runtime_handler_register(registry), "register runtime", NULL);

    /* 4. The runtime. */
    theater_runtime_options_t options = THEATER_RUNTIME_OPTIONS_INIT;
    theater_runtime_t *runtime;
    theater_error_t err;
    options.on_event = on_event;
    must(theater_runtime_new(registry, &options, &runtime, &err), "runtime",
         &err);

    /* 5. Actors. */
    struct clerk clerk = {.router = router};
    spawn_file(runtime, argv[1]);
    spawn_clerk(runtime, &clerk);

    ask(router, "pong", "ping 1");
    ask(router, "clerk", "ping 2");

    /* The end: what is under way is handled first. */
    theater_shutdown_report_t report;
    must(theater_router_shutdown(router, 1000, &report), "shutdown", NULL);
    theater_runtime_stop_all(runtime, "the program ends");
    must(theater_runtime_wait(runtime, THEATER_WAIT_STOPPED, 5000), "wait",
         NULL);
    theater_runtime_delete(runtime);
    theater_router_release(router);
    printf("dead letters: %llu\n", (unsigned long long)report.dead);
    return 0;
}
