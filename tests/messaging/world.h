/* SPDX-License-Identifier: Apache-2.0 */
/* What the router's tests share: a router on a simulated clock (or a real
 * one), a record of dead letters, outcomes of callbacks, short calls. */
#ifndef TH_TESTS_MESSAGING_WORLD_H
#define TH_TESTS_MESSAGING_WORLD_H

#include <theater/channel.h>
#include <theater/router.h>

#include "base/base.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <cmocka.h>

#define MS UINT64_C(1000000)

struct world {
    struct th_sim_env *sim; /* NULL: the real clock */
    const theater_env_t *env;
    theater_router_t *router;
    _Atomic unsigned dead[THEATER_STATUS_COUNT];
    _Atomic unsigned dead_total;
    char last_dead[64]; /* payload of the last one; single-threaded tests */
};

struct outcome {
    unsigned calls;
    theater_status_t status;
    size_t len; /* of the answer */
    char data[64];
    theater_channel_id_t channel;
};

static inline theater_bytes_t text(const char *from)
{
    return (theater_bytes_t){(const uint8_t *)from, strlen(from)};
}

static inline void count_dead(void *user, const theater_dead_letter_t *letter)
{
    struct world *world = user;
    atomic_fetch_add_explicit(&world->dead[letter->reason], 1,
                              memory_order_relaxed);
    unsigned before =
        atomic_fetch_add_explicit(&world->dead_total, 1, memory_order_relaxed);
    if (world->sim != NULL) {
        (void)before;
        size_t len = letter->data.len < sizeof(world->last_dead) - 1
                         ? letter->data.len
                         : sizeof(world->last_dead) - 1;
        if (len > 0) {
            memcpy(world->last_dead, letter->data.data, len);
        }
        world->last_dead[len] = '\0';
    }
}

static inline unsigned dead(struct world *world, theater_status_t reason)
{
    return atomic_load_explicit(&world->dead[reason], memory_order_relaxed);
}

static inline void world_make(struct world *world,
                              const theater_router_options_t *base, bool sim)
{
    theater_router_options_t options = THEATER_ROUTER_OPTIONS_INIT;
    memset(world, 0, sizeof(*world));
    if (base != NULL) {
        options = *base;
    }
    world->env = theater_env_default();
    if (sim) {
        assert_int_equal(th_sim_env_new(7, &world->sim), THEATER_OK);
        world->env = th_sim_env_table(world->sim);
    }
    if (options.env == NULL) {
        options.env = world->env;
    }
    options.on_dead_letter = count_dead;
    options.user = world;
    assert_int_equal(theater_router_new(&options, &world->router), THEATER_OK);
}

static inline void world_init(struct world *world)
{
    world_make(world, NULL, true);
}

/* All endpoints are gone. Nothing was lost on the way. */
static inline void world_fini(struct world *world)
{
    theater_counters_t counters;
    theater_router_counters(world->router, &counters);
    assert_int_equal(counters.accepted,
                     counters.delivered + counters.dead_total);
    assert_int_equal(counters.queued, 0);
    assert_int_equal(counters.endpoints, 0);
    assert_int_equal(counters.pending, 0);
    assert_int_equal(
        counters.dead_total,
        atomic_load_explicit(&world->dead_total, memory_order_relaxed));
    theater_router_release(world->router);
    if (world->sim != NULL) {
        th_sim_env_delete(world->sim);
    }
}

/* Moves the clock and fires what is due. */
static inline void pass(struct world *world, uint64_t ms)
{
    uint64_t now = world->env->now_ns(world->env->ctx) + ms * MS;
    th_sim_env_advance(world->env, now);
    theater_router_advance(world->router, now);
}

static inline theater_endpoint_t *join_as(struct world *world, const char *name,
                                          const theater_endpoint_options_t *o)
{
    theater_endpoint_t *endpoint = NULL;
    theater_status_t status = theater_router_register(
        world->router, name, strlen(name), o, &endpoint);
    if (status != THEATER_OK) {
        fail_msg("register %s: %s", name, theater_status_name(status));
    }
    return endpoint;
}

static inline theater_endpoint_t *join(struct world *world, const char *name)
{
    return join_as(world, name, NULL);
}

static inline void leave(theater_endpoint_t *endpoint)
{
    theater_endpoint_unregister(endpoint, THEATER_OK);
}

static inline theater_status_t send_text(struct world *world,
                                         theater_endpoint_t *from,
                                         const char *to, const char *data)
{
    return theater_router_send(world->router, from, text(to), text(data));
}

/* The next message, which must be of that kind and say that; not done yet. */
static inline const theater_message_t *take(theater_endpoint_t *endpoint,
                                            theater_message_kind_t kind,
                                            const char *data)
{
    const theater_message_t *message = NULL;
    theater_status_t status = theater_endpoint_receive(endpoint, &message);
    if (status != THEATER_OK) {
        fail_msg("nothing to receive where '%s' should be",
                 data != NULL ? data : "something");
        abort();
    }
    assert_int_equal(message->kind, kind);
    if (data != NULL) {
        assert_int_equal(message->data.len, strlen(data));
        assert_memory_equal(message->data.data, data, strlen(data));
    }
    return message;
}

static inline void handle(theater_endpoint_t *endpoint,
                          theater_message_kind_t kind, const char *data)
{
    (void)take(endpoint, kind, data);
    theater_endpoint_done(endpoint, THEATER_OK);
}

static inline void handle_send(theater_endpoint_t *endpoint, const char *data)
{
    handle(endpoint, THEATER_MESSAGE_SEND, data);
}

static inline void nothing(theater_endpoint_t *endpoint)
{
    const theater_message_t *message = NULL;
    theater_status_t status = theater_endpoint_receive(endpoint, &message);
    if (status == THEATER_OK) {
        fail_msg("an unexpected message of kind %d: %.*s", message->kind,
                 (int)message->data.len, (const char *)message->data.data);
    }
    assert_int_equal(status, THEATER_EMPTY);
}

static inline void note_done(void *user, theater_status_t status,
                             theater_answer_t *answer)
{
    struct outcome *outcome = user;
    outcome->calls++;
    outcome->status = status;
    outcome->len = 0;
    if (answer != NULL) {
        outcome->len = answer->len;
        size_t len = answer->len < sizeof(outcome->data) - 1
                         ? answer->len
                         : sizeof(outcome->data) - 1;
        memcpy(outcome->data, answer->data, len);
        outcome->data[len] = '\0';
        theater_answer_delete(answer);
    }
}

static inline void note_opened(void *user, theater_status_t status,
                               theater_channel_id_t channel)
{
    struct outcome *outcome = user;
    outcome->calls++;
    outcome->status = status;
    outcome->channel = channel;
}

static inline theater_status_t ask(struct world *world,
                                   theater_endpoint_t *from, const char *to,
                                   const char *data, uint32_t timeout_ms,
                                   struct outcome *outcome,
                                   theater_request_id_t *out_id)
{
    memset(outcome, 0, sizeof(*outcome));
    return theater_router_request_start(world->router, from, text(to),
                                        text(data), timeout_ms, note_done,
                                        outcome, out_id);
}

static inline theater_status_t offer(theater_endpoint_t *from, const char *to,
                                     const char *data, uint32_t timeout_ms,
                                     struct outcome *outcome)
{
    memset(outcome, 0, sizeof(*outcome));
    return theater_channel_open_start(from, text(to), text(data), timeout_ms,
                                      note_opened, outcome, NULL);
}

/* A channel from `a` to `b`, whose name is given: accepted. */
static inline theater_channel_id_t connect(theater_endpoint_t *a,
                                           theater_endpoint_t *b,
                                           const char *b_name,
                                           theater_channel_id_t *out_b)
{
    struct outcome outcome;
    assert_int_equal(offer(a, b_name, "hello", 0, &outcome), THEATER_PENDING);
    const theater_message_t *message =
        take(b, THEATER_MESSAGE_CHANNEL_OPEN, "hello");
    if (out_b != NULL) {
        *out_b = message->channel;
    }
    assert_int_equal(theater_channel_accept(b), THEATER_OK);
    theater_endpoint_done(b, THEATER_OK);
    assert_int_equal(outcome.calls, 1);
    assert_int_equal(outcome.status, THEATER_OK);
    return outcome.channel;
}

static inline theater_counters_t counters_of(struct world *world)
{
    theater_counters_t counters;
    theater_router_counters(world->router, &counters);
    return counters;
}

#define assert_ended(outcome, what)                                            \
    do {                                                                       \
        assert_int_equal((outcome).calls, 1);                                  \
        assert_string_equal(theater_status_name((outcome).status),             \
                            theater_status_name(what));                        \
    } while (0)

#define assert_status(expression, what)                                        \
    assert_string_equal(theater_status_name(expression),                       \
                        theater_status_name(what))

#endif
