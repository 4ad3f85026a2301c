/* SPDX-License-Identifier: Apache-2.0 */
/* What the tests of the message-server handler share: a router, a runtime
 * with both handlers, actors from tests/guests, and commands for `driver`. */
#ifndef TH_TESTS_HANDLER_WORLD_H
#define TH_TESTS_HANDLER_WORLD_H

#include <theater/message_server.h>
#include <theater/runtime.h>
#include <theater/runtime_handler.h>

#include "base/base.h"
#include "guests.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <cmocka.h>

struct world {
    theater_router_t *router;
    theater_runtime_t *runtime;
    /* Actors that trapped or broke a limit, or came back; dead letters. */
    _Atomic unsigned failed, restarted, dead;
    theater_error_t err; /* of the last spawn that was refused */
    char answer[65536];  /* of the last command */
};

struct world_options {
    theater_router_options_t router;
    const theater_permissions_t *permissions; /* NULL: everything */
    unsigned workers;                         /* 0: 2 */
    const theater_env_t *env;                 /* NULL: the default */
    uint32_t watchdog_ms;                     /* 0: none */
    /* NULL: counts who failed and who was restarted. */
    void (*on_event)(void *user, const theater_event_t *event);
    void *user; /* of on_event */
};

#define WORLD_OPTIONS                                                          \
    {THEATER_ROUTER_OPTIONS_INIT, NULL, 0, NULL, 0, NULL, NULL}

#define assert_status(expression, what)                                        \
    assert_string_equal(theater_status_name(expression),                       \
                        theater_status_name(what))

static inline theater_bytes_t text(const char *from)
{
    return (theater_bytes_t){(const uint8_t *)from, strlen(from)};
}

static inline unsigned count_of(_Atomic unsigned *count)
{
    return atomic_load_explicit(count, memory_order_acquire);
}

static inline void world_event(void *user, const theater_event_t *event)
{
    struct world *world = user;
    if (event->kind == THEATER_ACTOR_FAILED) {
        atomic_fetch_add_explicit(&world->failed, 1, memory_order_release);
    } else if (event->kind == THEATER_ACTOR_RESTARTED) {
        atomic_fetch_add_explicit(&world->restarted, 1, memory_order_release);
    }
}

static inline void world_dead(void *user, const theater_dead_letter_t *letter)
{
    struct world *world = user;
    (void)letter;
    atomic_fetch_add_explicit(&world->dead, 1, memory_order_release);
}

static inline void world_make(struct world *world,
                              const struct world_options *given)
{
    struct world_options options = WORLD_OPTIONS;
    theater_runtime_options_t runtime_options = THEATER_RUNTIME_OPTIONS_INIT;
    theater_message_server_t *server = NULL;
    theater_handler_registry_t *registry = NULL;
    if (given != NULL) {
        options = *given;
    }
    memset(world, 0, sizeof(*world));
    options.router.on_dead_letter = world_dead;
    options.router.user = world;
    options.router.env = options.env;
    assert_status(theater_router_new(&options.router, &world->router),
                  THEATER_OK);
    assert_status(
        theater_message_server_new(world->router, options.permissions, &server),
        THEATER_OK);
    assert_status(theater_handler_registry_new(options.env, &registry),
                  THEATER_OK);
    assert_status(
        theater_handler_registry_register(registry, "message-server",
                                          theater_message_server_ops(), server),
        THEATER_OK);
    assert_status(theater_runtime_handler_register(registry), THEATER_OK);
    runtime_options.workers = options.workers != 0 ? options.workers : 2;
    runtime_options.watchdog_ms = options.watchdog_ms;
    runtime_options.on_event =
        options.on_event != NULL ? options.on_event : world_event;
    runtime_options.user = options.on_event != NULL ? options.user : world;
    theater_status_t status = theater_runtime_new(registry, &runtime_options,
                                                  &world->runtime, &world->err);
    if (status != THEATER_OK) {
        fail_msg("runtime: %s", world->err.text);
    }
}

static inline void world_init(struct world *world)
{
    world_make(world, NULL);
}

static inline void check_conserved(struct world *world)
{
    theater_counters_t counters;
    theater_router_counters(world->router, &counters);
    assert_int_equal(counters.accepted,
                     counters.delivered + counters.dead_total);
    assert_int_equal(counters.queued, 0);
    assert_int_equal(counters.pending, 0);
}

/* At once: what is under way is given up. Nothing was lost. */
static inline void world_fini(struct world *world)
{
    theater_runtime_delete(world->runtime);
    check_conserved(world);
    theater_router_release(world->router);
}

/* A manifest for `guest` with these lines in its message-server section, and
 * `top` lines before. NULL for none; keys "-": the handler is not listed. */
static inline theater_manifest_t *
manifest_for(const char *guest, const char *top, const char *keys)
{
    char source[4096], origin[4096];
    theater_error_t err;
    theater_manifest_t *manifest = NULL;
    bool listed = keys == NULL || strcmp(keys, "-") != 0;
    int len = snprintf(source, sizeof(source),
                       "name = \"%s\"\npackage = \"%s.wasm\"\n%s\n"
                       "[[handler]]\ntype = \"runtime\"\n%s%s\n",
                       guest, guest, top != NULL ? top : "",
                       listed ? "[[handler]]\ntype = \"message-server\"\n" : "",
                       listed && keys != NULL ? keys : "");
    snprintf(origin, sizeof(origin), "%s/tests/guests/test.toml",
             guests_folder());
    theater_status_t status = theater_manifest_parse(
        source, (size_t)len, origin, NULL, &manifest, &err);
    if (status != THEATER_OK) {
        fail_msg("manifest of %s: %s %s", guest, err.origin, err.text);
    }
    return manifest;
}

static inline theater_status_t try_spawn(struct world *world, const char *guest,
                                         const char *name, const char *top,
                                         const char *keys)
{
    theater_manifest_t *manifest = manifest_for(guest, top, keys);
    theater_status_t status = theater_runtime_spawn(
        world->runtime, name, manifest, NULL, &world->err);
    theater_manifest_release(manifest);
    return status;
}

static inline void spawn(struct world *world, const char *guest,
                         const char *name, const char *keys)
{
    theater_status_t status = try_spawn(world, guest, name, NULL, keys);
    if (status != THEATER_OK) {
        fail_msg("spawn %s: %s: %s", name, world->err.origin, world->err.text);
    }
}

static inline void driver(struct world *world, const char *name,
                          const char *keys)
{
    spawn(world, "driver", name, keys);
}

static inline theater_status_t request(struct world *world, const char *name,
                                       const char *line)
{
    theater_answer_t *answer = NULL;
    theater_status_t status = theater_router_request(
        world->router, NULL, text(name), text(line), 30000, &answer);
    world->answer[0] = '\0';
    if (answer != NULL) {
        assert_true(answer->len < sizeof(world->answer));
        memcpy(world->answer, answer->data, answer->len);
        world->answer[answer->len] = '\0';
        theater_answer_delete(answer);
    }
    return status;
}

/* What the driver `name` answers to a command. */
static inline const char *command(struct world *world, const char *name,
                                  const char *line)
{
    theater_status_t status = request(world, name, line);
    if (status != THEATER_OK) {
        fail_msg("%s: %s: %s", name, line, theater_status_name(status));
    }
    return world->answer;
}

static inline void expect(struct world *world, const char *name,
                          const char *line, const char *answer)
{
    const char *got = command(world, name, line);
    if (strcmp(got, answer) != 0) {
        fail_msg("%s: %s: '%s' instead of '%s'", name, line, got, answer);
    }
}

/* It answers "error CODE: ..." whose text has `part` in it. */
static inline void refuse(struct world *world, const char *name,
                          const char *line, const char *code, const char *part)
{
    char begin[64];
    const char *got = command(world, name, line);
    snprintf(begin, sizeof(begin), "error %s: ", code);
    if (strncmp(got, begin, strlen(begin)) != 0 || strstr(got, part) == NULL) {
        fail_msg("%s: %s: '%s' is no %s'...%s...'", name, line, got, begin,
                 part);
    }
}

/* A command in the background: sends it to `name` as a one-way message. */
static inline void order(struct world *world, const char *name,
                         const char *line)
{
    char data[512];
    snprintf(data, sizeof(data), "!%s", line);
    assert_status(
        theater_router_send(world->router, NULL, text(name), text(data)),
        THEATER_OK);
}

/* Asks again until the journal of `name` has had `line` in it. */
static inline void until_heard(struct world *world, const char *name,
                               const char *line)
{
    static char all[65536];
    const theater_env_t *env = theater_env_default();
    uint64_t end = th_now(env) + UINT64_C(20000000000);
    all[0] = '\0';
    while (strstr(all, line) == NULL) {
        const char *more = command(world, name, "heard") + 3;
        size_t room = sizeof(all) - strlen(all) - 1;
        strncat(all, more, room);
        if (th_now(env) > end) {
            fail_msg("%s never heard '%s' but: %s", name, line, all);
        }
    }
}

/* Waits until a condition holds: bounded, and without sleeping long. */
#define until(condition)                                                       \
    do {                                                                       \
        const theater_env_t *until_env = theater_env_default();                \
        uint64_t until_end = th_now(until_env) + UINT64_C(20000000000);        \
        while (!(condition)) {                                                 \
            static const _Atomic uint32_t until_word = 0;                      \
            if (th_now(until_env) > until_end) {                               \
                fail_msg("never: %s", #condition);                             \
            }                                                                  \
            until_env->park(until_env->ctx, &until_word, 0,                    \
                            th_now(until_env) + 200000);                       \
        }                                                                      \
    } while (0)

struct state_query {
    const char *name;
    bool waits;
};

static inline void note_state(void *user, const theater_actor_info_t *info)
{
    struct state_query *query = user;
    if (strcmp(info->name, query->name) == 0) {
        query->waits = strcmp(info->state, "waiting") == 0;
    }
}

/* Is that actor suspended in a host function? */
static inline bool waits(struct world *world, const char *name)
{
    struct state_query query = {name, false};
    theater_runtime_list(world->runtime, note_state, &query);
    return query.waits;
}

#endif
