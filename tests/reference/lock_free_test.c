/* SPDX-License-Identifier: Apache-2.0 */
/* No message waits for a lock: with every lock of a router held by someone
 * else for ever, messages, requests, broadcasts and channels go through. Who
 * parks for one fails the test. */
#include "messaging/channel.h"
#include "messaging/op.h"

#include <pthread.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <cmocka.h>

enum { ROUNDS = 20000, THREADS = 3, EACH = 50000 };

static theater_env_t env;
static _Atomic bool locked;
static _Atomic uint64_t parked;

static void park(void *ctx, const void *word, uint32_t expected,
                 uint64_t deadline_ns)
{
    const theater_env_t *real = theater_env_default();
    atomic_fetch_add_explicit(&parked, 1, memory_order_relaxed);
    TH_CHECK(!atomic_load_explicit(&locked, memory_order_relaxed) &&
             "a message waits for a lock");
    real->park(ctx, word, expected, deadline_ns);
}

static theater_bytes_t text(const char *from)
{
    return (theater_bytes_t){(const uint8_t *)from, strlen(from)};
}

static theater_router_t *make_router(void)
{
    theater_router_options_t options = THEATER_ROUTER_OPTIONS_INIT;
    theater_router_t *router;
    env = *theater_env_default();
    env.park = park;
    options.env = &env;
    assert_int_equal(theater_router_new(&options, &router), THEATER_OK);
    return router;
}

static theater_endpoint_t *join(theater_router_t *router, const char *name)
{
    theater_endpoint_t *endpoint;
    assert_int_equal(
        theater_router_register(router, name, strlen(name), NULL, &endpoint),
        THEATER_OK);
    return endpoint;
}

static void on_done(void *user, theater_status_t status,
                    theater_answer_t *answer)
{
    unsigned *answered = user;
    *answered += status == THEATER_OK;
    theater_answer_delete(answer);
}

static void on_opened(void *user, theater_status_t status,
                      theater_channel_id_t channel)
{
    theater_channel_id_t *out = user;
    assert_int_equal(status, THEATER_OK);
    *out = channel;
}

static void handle_all(theater_endpoint_t *endpoint)
{
    const theater_message_t *message;
    while (theater_endpoint_receive(endpoint, &message) == THEATER_OK) {
        theater_status_t status = THEATER_OK;
        if (message->kind == THEATER_MESSAGE_REQUEST) {
            status = theater_endpoint_respond(endpoint, message->request,
                                              text("pong"));
        } else if (message->kind == THEATER_MESSAGE_CHANNEL_OPEN) {
            status = theater_channel_accept(endpoint);
        }
        assert_int_equal(status, THEATER_OK);
        theater_endpoint_done(endpoint, THEATER_OK);
    }
}

/* One of everything; `channel` is open. */
static void one_round(theater_router_t *router, theater_endpoint_t *a,
                      theater_endpoint_t *b, theater_channel_id_t channel)
{
    theater_bytes_t targets[] = {text("b"), text("a")};
    theater_bytes_t batch[] = {text("1"), text("2")};
    uint8_t codes[2];
    size_t taken;
    unsigned answered = 0;
    assert_int_equal(theater_router_send(router, a, text("b"), text("x")),
                     THEATER_OK);
    assert_int_equal(
        theater_router_send_batch(router, a, text("b"), batch, 2, &taken),
        THEATER_OK);
    assert_int_equal(
        theater_router_broadcast(router, a, targets, 2, text("y"), codes),
        THEATER_OK);
    assert_int_equal(theater_channel_send(a, channel, text("z")), THEATER_OK);
    assert_int_equal(theater_router_request_start(router, a, text("b"),
                                                  text("ping"), 60000, on_done,
                                                  &answered, NULL),
                     THEATER_PENDING);
    handle_all(b);
    handle_all(a);
    assert_int_equal(answered, 1);
}

static void messages_go_through_while_all_locks_are_held(void **state)
{
    (void)state;
    theater_router_t *router = make_router();
    theater_endpoint_t *a = join(router, "a");
    theater_endpoint_t *b = join(router, "b");
    theater_channel_id_t channel;
    assert_int_equal(theater_channel_open_start(a, text("b"), text("x"), 60000,
                                                on_opened, &channel, NULL),
                     THEATER_PENDING);
    handle_all(b);
    one_round(router, a, b, channel);

    struct th_lock *locks[] = {
        &router->registry_lock, &router->wait_lock,     &router->endpoints.grow,
        &router->ops.grow,      &router->channels.grow,
    };
    for (size_t i = 0; i < sizeof locks / sizeof *locks; i++) {
        th_lock(&env, locks[i]);
    }
    atomic_store_explicit(&locked, true, memory_order_relaxed);
    for (int i = 0; i < ROUNDS; i++) {
        one_round(router, a, b, channel);
    }
    atomic_store_explicit(&locked, false, memory_order_relaxed);
    for (size_t i = 0; i < sizeof locks / sizeof *locks; i++) {
        th_unlock(&env, locks[i]);
    }
    theater_endpoint_unregister(a, THEATER_OK);
    theater_endpoint_unregister(b, THEATER_OK);
    theater_router_release(router);
}

struct flow {
    pthread_t thread;
    theater_router_t *router;
    unsigned index;
};

static void *send_many(void *arg)
{
    struct flow *flow = arg;
    for (int i = 0; i < EACH;) {
        theater_status_t status =
            theater_router_send(flow->router, NULL, text("all"), text("x"));
        TH_CHECK(status == THEATER_OK || status == THEATER_MAILBOX_FULL);
        i += status == THEATER_OK;
    }
    return NULL;
}

/* Three threads at one mailbox, its owner beside them: nobody ever sleeps
 * for another. */
static void threads_at_one_mailbox_never_wait_for_each_other(void **state)
{
    struct flow flows[THREADS];
    (void)state;
    theater_router_t *router = make_router();
    theater_endpoint_t *all = join(router, "all");
    const theater_message_t *message;
    unsigned received = 0;
    uint64_t before = atomic_load_explicit(&parked, memory_order_relaxed);
    for (unsigned i = 0; i < THREADS; i++) {
        flows[i] = (struct flow){.router = router, .index = i};
        assert_int_equal(
            pthread_create(&flows[i].thread, NULL, send_many, &flows[i]), 0);
    }
    while (received < THREADS * EACH) {
        if (theater_endpoint_receive(all, &message) == THEATER_OK) {
            theater_endpoint_done(all, THEATER_OK);
            received++;
        }
    }
    for (unsigned i = 0; i < THREADS; i++) {
        pthread_join(flows[i].thread, NULL);
    }
    assert_int_equal(atomic_load_explicit(&parked, memory_order_relaxed),
                     before);
    theater_endpoint_unregister(all, THEATER_OK);
    theater_router_release(router);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(messages_go_through_while_all_locks_are_held),
        cmocka_unit_test(threads_at_one_mailbox_never_wait_for_each_other),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
