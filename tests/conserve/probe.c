/* SPDX-License-Identifier: Apache-2.0 */
#include "probe.h"

#include <theater/message_server.h>
#include <theater/runtime.h>
#include <theater/runtime_handler.h>

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { ASKED = 5000, WAIT_MS = 20000 };

static void must(theater_status_t status, const char *what)
{
    if (status != THEATER_OK) {
        fprintf(stderr, "conserve: probe: %s: %s\n", what,
                theater_status_name(status));
        exit(1);
    }
}

static theater_bytes_t text(const char *from)
{
    return (theater_bytes_t){(const uint8_t *)from, strlen(from)};
}

static void answer(void *self, theater_actor_t *actor,
                   theater_delivery_t *delivery)
{
    (void)self;
    (void)actor;
    delivery->status = THEATER_OK;
    delivery->result.bytes = text("here");
}

static void spawn_answerer(theater_runtime_t *runtime)
{
    static const theater_native_ops_t ops = {
        .size = sizeof ops,
        .exports = 31,
        .handler = "message-server",
        .deliver = answer,
    };
    static const char source[] = "name = \"answerer\"\n[[handler]]\n"
                                 "type = \"message-server\"\n";
    theater_manifest_options_t options = THEATER_MANIFEST_OPTIONS_INIT;
    theater_manifest_t *manifest = NULL;
    theater_error_t err;
    options.native = true;
    must(theater_manifest_parse(source, sizeof source - 1, NULL, &options,
                                &manifest, &err),
         "manifest");
    must(theater_runtime_spawn_native(runtime, NULL, manifest, NULL, &ops, NULL,
                                      &err),
         "spawn");
    theater_manifest_release(manifest);
}

static theater_runtime_t *start(theater_router_t *router)
{
    theater_message_server_t *server = NULL;
    theater_handler_registry_t *registry = NULL;
    theater_runtime_options_t options = THEATER_RUNTIME_OPTIONS_INIT;
    theater_runtime_t *runtime = NULL;
    theater_error_t err;
    must(theater_message_server_new(router, NULL, &server), "server");
    must(theater_handler_registry_new(NULL, &registry), "registry");
    must(theater_handler_registry_register(
             registry, "message-server", theater_message_server_ops(), server),
         "register");
    options.workers = 2;
    must(theater_runtime_new(registry, &options, &runtime, &err), "runtime");
    spawn_answerer(runtime);
    return runtime;
}

static int by_size(const void *a, const void *b)
{
    double x = *(const double *)a, y = *(const double *)b;
    return (x > y) - (x < y);
}

double probe_p99(void)
{
    static double ns[ASKED];
    const theater_env_t *env = theater_env_default();
    theater_router_t *router = NULL;
    must(theater_router_new(NULL, &router), "router");
    theater_runtime_t *runtime = start(router);
    for (unsigned i = 0; i < ASKED; i++) {
        theater_answer_t *got = NULL;
        uint64_t since = env->now_ns(env->ctx);
        must(theater_router_request(router, NULL, text("answerer"), text("?"),
                                    WAIT_MS, &got),
             "request");
        ns[i] = (double)(env->now_ns(env->ctx) - since);
        theater_answer_delete(got);
    }
    theater_runtime_delete(runtime);
    theater_router_release(router);
    qsort(ns, ASKED, sizeof *ns, by_size);
    return ns[ASKED * 99 / 100];
}
