/* SPDX-License-Identifier: Apache-2.0 */
/* Seeded interleavings of the whole message server: two or three real threads
 * on its public calls, one at a time, switched at every atomic operation. */
#include "base/interleave.h"

#include <theater/channel.h>

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>
#include <cmocka.h>

enum { SEEDS = 400, EACH = 4, SPINS = 100000 };

/* A world in which the clock moves with its own hands. */
struct world {
    theater_router_t *router;
    theater_endpoint_t *ends[3];
    theater_endpoint_options_t options;
    _Atomic uint32_t woken[3];
    _Atomic uint32_t finished; /* threads of the plan that are done */
    uint64_t sent[3], refused[3];
    uint64_t seen[3];
    uint64_t next_seq[3];
    uint64_t told[3]; /* how often a callback was told */
    theater_status_t status[3];
    _Atomic uint32_t done_flag[3];
    theater_channel_id_t channel[3];
    uint64_t closes[3];
    theater_request_id_t request[3];
};

/* For calls whose outcome is one of several that are right. */
static void any(theater_status_t status)
{
    (void)status;
}

static theater_bytes_t text(const char *s)
{
    return (theater_bytes_t){(const uint8_t *)s, strlen(s)};
}

static theater_bytes_t number(const uint64_t *value)
{
    return (theater_bytes_t){(const uint8_t *)value, sizeof *value};
}

static void wake(void *user)
{
    atomic_store_explicit((_Atomic uint32_t *)user, 1, memory_order_release);
}

static void open_world(struct world *world)
{
    theater_router_options_t options = THEATER_ROUTER_OPTIONS_INIT;
    memset(world, 0, sizeof *world);
    world->options = (theater_endpoint_options_t)THEATER_ENDPOINT_OPTIONS_INIT;
    options.env = th_interleave_env();
    options.max_endpoints = 64;
    options.max_pending = 256;
    TH_CHECK(theater_router_new(&options, &world->router) == THEATER_OK);
}

static void add(struct world *world, unsigned who, const char *name)
{
    world->options.wake = wake;
    world->options.user = &world->woken[who];
    TH_CHECK(theater_router_register(world->router, name, strlen(name),
                                     &world->options,
                                     &world->ends[who]) == THEATER_OK);
}

/* All ends have gone: everything that was accepted is accounted for. */
static void close_world(struct world *world)
{
    theater_counters_t c;
    for (unsigned i = 0; i < 3; i++) {
        if (world->ends[i] != NULL) {
            theater_endpoint_unregister(world->ends[i], THEATER_OK);
        }
    }
    theater_router_counters(world->router, &c);
    TH_CHECK(c.accepted == c.delivered + c.dead_total);
    TH_CHECK(c.endpoints == 0);
    TH_CHECK(c.pending == 0);
    theater_router_release(world->router);
}

/* Waits for a wake as a scheduler would: no polling without one. */
static bool wait_wake(struct world *world, unsigned who, unsigned others)
{
    for (unsigned spin = 0; spin < SPINS; spin++) {
        if (atomic_exchange_explicit(&world->woken[who], 0,
                                     memory_order_acq_rel) != 0) {
            return true;
        }
        if (atomic_load_explicit(&world->finished, memory_order_acquire) >=
            others) {
            return atomic_exchange_explicit(&world->woken[who], 0,
                                            memory_order_acq_rel) != 0;
        }
    }
    TH_CHECK(false && "a wake was lost");
    return false;
}

static void finish(struct world *world)
{
    atomic_fetch_add_explicit(&world->finished, 1, memory_order_acq_rel);
}

static void run_seeds(void (*prepare)(struct world *),
                      void (*run)(void *, unsigned), unsigned threads,
                      void (*check)(struct world *))
{
    static struct world world;
    uint64_t first = 0;
    unsigned different = 0;
    uint64_t seeds = th_interleave_seeds(SEEDS);

    for (uint64_t i = 0; i < seeds; i++) {
        uint64_t seed = th_interleave_first_seed() + i;
        struct th_interleave plan = {seed, threads, run, &world};
        open_world(&world);
        prepare(&world);
        uint64_t hash = th_interleave_run(&plan);
        different += i != 0 && hash != first ? 1 : 0;
        first = i == 0 ? hash : first;
        if (check != NULL) {
            check(&world);
        }
        close_world(&world);
    }
    assert_true(different > seeds / 2);
}

/* --- One-way ------------------------------------------------------------- */

static void receive_in_order(struct world *world, const theater_message_t *m)
{
    uint64_t value = 0;
    memcpy(&value, m->data.data, sizeof value);
    unsigned who = (unsigned)(value >> 32);
    TH_CHECK((uint32_t)value >= world->next_seq[who]);
    world->next_seq[who] = (uint32_t)value + 1;
    world->seen[who]++;
}

/* Receives whenever woken, until `others` threads are done and all is read. */
static void receive_all(struct world *world, unsigned who, unsigned others,
                        void (*each)(struct world *, const theater_message_t *))
{
    const theater_message_t *message = NULL;
    while (wait_wake(world, who, others)) {
        while (theater_endpoint_receive(world->ends[who], &message) ==
               THEATER_OK) {
            each(world, message);
            theater_endpoint_done(world->ends[who], THEATER_OK);
        }
    }
}

static void send_each(struct world *world, unsigned who)
{
    for (uint64_t i = 0; i < EACH; i++) {
        uint64_t value = (uint64_t)who << 32 | i;
        theater_status_t status = theater_router_send(
            world->router, world->ends[who], text("receiver"), number(&value));
        world->sent[who] += status == THEATER_OK ? 1 : 0;
        world->refused[who] += status != THEATER_OK ? 1 : 0;
    }
}

static void one_way_prepare(struct world *world)
{
    add(world, 0, "sender-0");
    add(world, 1, "sender-1");
    add(world, 2, "receiver");
}

static void one_way_run(void *ctx, unsigned who)
{
    struct world *world = ctx;
    if (who == 2) {
        receive_all(world, 2, 2, receive_in_order);
        return;
    }
    send_each(world, who);
    finish(world);
}

static void one_way_check(struct world *world)
{
    for (unsigned i = 0; i < 2; i++) {
        TH_CHECK(world->sent[i] == EACH && world->seen[i] == EACH);
    }
}

static void a_message_wakes_its_receiver_and_none_is_lost(void **state)
{
    (void)state;
    run_seeds(one_way_prepare, one_way_run, 3, one_way_check);
}

static void small_prepare(struct world *world)
{
    add(world, 0, "sender-0");
    add(world, 1, "sender-1");
    world->options.capacity = 2;
    add(world, 2, "receiver");
}

static void small_check(struct world *world)
{
    for (unsigned i = 0; i < 2; i++) {
        TH_CHECK(world->sent[i] + world->refused[i] == EACH);
        TH_CHECK(world->seen[i] == world->sent[i]);
    }
}

static void a_full_mailbox_refuses_and_keeps_what_it_took(void **state)
{
    (void)state;
    run_seeds(small_prepare, one_way_run, 3, small_check);
}

static void drop_prepare(struct world *world)
{
    add(world, 0, "sender-0");
    add(world, 1, "sender-1");
    world->options.capacity = 2;
    world->options.max_channels = 1;
    world->options.channel_credit = 1;
    world->options.on_full = THEATER_DROP_OLDEST;
    add(world, 2, "receiver");
}

static void drop_check(struct world *world)
{
    theater_counters_t c;
    theater_router_counters(world->router, &c);
    TH_CHECK(world->sent[0] + world->sent[1] == c.accepted);
    TH_CHECK(world->seen[0] + world->seen[1] + c.dead[THEATER_MAILBOX_FULL] ==
             c.accepted);
}

static void what_drop_oldest_drops_is_a_dead_letter(void **state)
{
    (void)state;
    run_seeds(drop_prepare, one_way_run, 3, drop_check);
}

/* --- Waiting for space --------------------------------------------------- */

static void on_done(void *user, theater_status_t status,
                    theater_answer_t *answer)
{
    struct world *world = ((void **)user)[0];
    unsigned who = (unsigned)(uintptr_t)((void **)user)[1];
    world->told[who]++;
    world->status[who] = status;
    theater_answer_delete(answer);
    atomic_store_explicit(&world->done_flag[who], 1, memory_order_release);
}

static void await_done(struct world *world, unsigned who)
{
    for (unsigned spin = 0; spin < SPINS; spin++) {
        if (atomic_exchange_explicit(&world->done_flag[who], 0,
                                     memory_order_acq_rel) != 0) {
            return;
        }
    }
    TH_CHECK(false && "an operation does not end");
}

static void wait_run(void *ctx, unsigned who)
{
    struct world *world = ctx;
    if (who == 2) {
        receive_all(world, 2, 2, receive_in_order);
        return;
    }
    void *user[2] = {world, (void *)(uintptr_t)who};
    for (uint64_t i = 0; i < EACH; i++) {
        uint64_t value = (uint64_t)who << 32 | i;
        theater_status_t status = theater_router_send_start(
            world->router, world->ends[who], text("receiver"), number(&value),
            5000, on_done, user, NULL);
        if (status == THEATER_PENDING) {
            await_done(world, who);
            status = world->status[who];
        }
        TH_CHECK(status == THEATER_OK);
        world->sent[who]++;
    }
    finish(world);
}

static void one_place_prepare(struct world *world)
{
    add(world, 0, "sender-0");
    add(world, 1, "sender-1");
    world->options.capacity = 1;
    add(world, 2, "receiver");
}

static void who_waits_for_space_is_let_in_in_order(void **state)
{
    (void)state;
    run_seeds(one_place_prepare, wait_run, 3, one_way_check);
}

/* The receiver ends while others wait for its space. */
static void gone_run(void *ctx, unsigned who)
{
    struct world *world = ctx;
    if (who == 2) {
        const theater_message_t *message = NULL;
        if (theater_endpoint_receive(world->ends[2], &message) == THEATER_OK) {
            theater_endpoint_done(world->ends[2], THEATER_OK);
        }
        theater_endpoint_unregister(world->ends[2], THEATER_OK);
        world->ends[2] = NULL;
        return;
    }
    void *user[2] = {world, (void *)(uintptr_t)who};
    for (uint64_t i = 0; i < EACH; i++) {
        uint64_t value = (uint64_t)who << 32 | i;
        theater_status_t status = theater_router_send_start(
            world->router, world->ends[who], text("receiver"), number(&value),
            5000, on_done, user, NULL);
        if (status == THEATER_PENDING) {
            await_done(world, who);
            status = world->status[who];
        }
        TH_CHECK(status == THEATER_OK || status == THEATER_CLOSED ||
                 status == THEATER_NOT_FOUND);
    }
    finish(world);
}

static void who_waits_for_one_that_ends_is_told(void **state)
{
    (void)state;
    run_seeds(one_place_prepare, gone_run, 3, NULL);
}

/* --- Names --------------------------------------------------------------- */

/* A name that comes and goes while others send to it. */
static void churn_run(void *ctx, unsigned who)
{
    struct world *world = ctx;
    if (who != 2) {
        for (uint64_t i = 0; i < EACH; i++) {
            uint64_t value = (uint64_t)who << 32 | i;
            theater_status_t status =
                theater_router_send(world->router, world->ends[who],
                                    text("receiver"), number(&value));
            TH_CHECK(status == THEATER_OK || status == THEATER_NOT_FOUND);
        }
        return;
    }
    for (unsigned i = 0; i < 3; i++) {
        theater_endpoint_unregister(world->ends[2], THEATER_OK);
        world->ends[2] = NULL;
        TH_CHECK(!theater_router_has(world->router, "receiver", 8));
        add(world, 2, "receiver");
    }
}

static void a_name_that_comes_and_goes_loses_nothing(void **state)
{
    (void)state;
    run_seeds(one_way_prepare, churn_run, 3, NULL);
}

/* --- Requests ------------------------------------------------------------ */

static void answer_requests(struct world *world, const theater_message_t *m)
{
    theater_status_t status =
        theater_endpoint_respond(world->ends[2], m->request, m->data);
    TH_CHECK(status == THEATER_OK || status == THEATER_CLOSED);
    world->seen[2] += status == THEATER_OK ? 1 : 0;
}

static void request_run(void *ctx, unsigned who)
{
    struct world *world = ctx;
    void *user[2] = {world, (void *)(uintptr_t)0};
    if (who == 2) {
        receive_all(world, 2, 2, answer_requests);
        return;
    }
    if (who == 1) { /* cancels whatever is under way */
        for (unsigned i = 0; i < EACH; i++) {
            theater_request_id_t id = {world->request[0].value};
            any(theater_router_cancel(world->router, id));
        }
        finish(world);
        return;
    }
    for (uint64_t i = 0; i < EACH; i++) {
        theater_request_id_t id;
        theater_status_t status = theater_router_request_start(
            world->router, world->ends[0], text("receiver"), number(&i), 5000,
            on_done, user, &id);
        TH_CHECK(status == THEATER_PENDING);
        /* Switching happens at atomics only: this is no race here. */
        world->request[0] = id;
        await_done(world, 0);
        TH_CHECK(world->told[0] == i + 1);
        TH_CHECK(world->status[0] == THEATER_OK ||
                 world->status[0] == THEATER_CANCELLED);
    }
    finish(world);
}

static void a_request_ends_once_answered_or_cancelled(void **state)
{
    (void)state;
    run_seeds(one_way_prepare, request_run, 3, NULL);
}

static void couple_prepare(struct world *world)
{
    world->options.waits = true;
    add(world, 0, "left");
    add(world, 1, "right");
}

/* Both ask the other; neither answers while it waits. */
static void couple_run(void *ctx, unsigned who)
{
    struct world *world = ctx;
    void *user[2] = {world, (void *)(uintptr_t)who};
    const theater_message_t *message = NULL;
    theater_status_t status = theater_router_request_start(
        world->router, world->ends[who], text(who == 0 ? "right" : "left"),
        text("?"), 5000, on_done, user, NULL);

    world->refused[who] = status == THEATER_DEADLOCK ? 1 : 0;
    TH_CHECK(status == THEATER_PENDING || status == THEATER_DEADLOCK);
    for (unsigned spin = 0; spin < SPINS; spin++) {
        bool waiting = status == THEATER_PENDING &&
                       atomic_load_explicit(&world->done_flag[who],
                                            memory_order_acquire) == 0;
        if (!waiting && theater_endpoint_receive(world->ends[who], &message) ==
                            THEATER_OK) {
            any(theater_endpoint_respond(world->ends[who], message->request,
                                         text("!")));
            theater_endpoint_done(world->ends[who], THEATER_OK);
        }
        if (!waiting && (world->seen[who]++ == 0)) {
            finish(world);
        }
        if (atomic_load_explicit(&world->finished, memory_order_acquire) == 2) {
            return;
        }
    }
    TH_CHECK(false && "two wait for each other");
}

static void couple_check(struct world *world)
{
    TH_CHECK(world->refused[0] + world->refused[1] <= 1);
}

static void of_two_that_ask_each_other_at_most_one_is_refused(void **state)
{
    (void)state;
    run_seeds(couple_prepare, couple_run, 2, couple_check);
}

/* --- Channels ------------------------------------------------------------ */

static void on_opened(void *user, theater_status_t status,
                      theater_channel_id_t channel)
{
    struct world *world = user;
    world->told[0]++;
    world->status[0] = status;
    world->channel[0] = channel;
    atomic_store_explicit(&world->done_flag[0], 1, memory_order_release);
}

static void peer_message(struct world *world, unsigned who,
                         const theater_message_t *m)
{
    switch (m->kind) {
    case THEATER_MESSAGE_CHANNEL_OPEN:
        world->channel[who] = m->channel;
        TH_CHECK(theater_channel_send(world->ends[who], m->channel,
                                      text("held")) == THEATER_OK);
        any(theater_channel_accept(world->ends[who]));
        break;
    case THEATER_MESSAGE_CHANNEL_DATA:
        TH_CHECK(world->closes[who] == 0);
        world->seen[who]++;
        break;
    case THEATER_MESSAGE_CHANNEL_CLOSE:
        world->closes[who]++;
        TH_CHECK(world->closes[who] == 1);
        break;
    default:
        TH_CHECK(false && "no such message was sent");
    }
}

static void drain(struct world *world, unsigned who)
{
    const theater_message_t *message = NULL;
    while (theater_endpoint_receive(world->ends[who], &message) == THEATER_OK) {
        peer_message(world, who, message);
        theater_endpoint_done(world->ends[who], THEATER_OK);
    }
}

static void channel_prepare(struct world *world)
{
    world->options.channel_credit = 2;
    add(world, 0, "opener");
    add(world, 2, "receiver");
}

static void channel_run(void *ctx, unsigned who)
{
    struct world *world = ctx;
    unsigned end = who == 0 ? 0 : 2;
    if (who == 0) {
        TH_CHECK(theater_channel_open_start(world->ends[0], text("receiver"),
                                            text("hello"), 5000, on_opened,
                                            world, NULL) == THEATER_PENDING);
        await_done(world, 0);
        TH_CHECK(world->status[0] == THEATER_OK);
    }
    for (unsigned spin = 0; world->channel[end].value == 0; spin++) {
        TH_CHECK(spin < SPINS);
        drain(world, end);
        th_interleave_point();
    }
    for (unsigned i = 0; i < EACH; i++) {
        theater_status_t status = theater_channel_send(
            world->ends[end], world->channel[end], text("data"));
        TH_CHECK(status == THEATER_OK || status == THEATER_MAILBOX_FULL ||
                 status == THEATER_CLOSED);
        drain(world, end);
    }
    any(theater_channel_close(world->ends[end], world->channel[end],
                              THEATER_OK));
    drain(world, end);
}

static void channel_check(struct world *world)
{
    drain(world, 0);
    drain(world, 2);
    TH_CHECK(world->told[0] == 1);
}

static void both_ends_of_a_channel_may_close_at_once(void **state)
{
    (void)state;
    run_seeds(channel_prepare, channel_run, 2, channel_check);
}

static void crash_run(void *ctx, unsigned who)
{
    struct world *world = ctx;
    if (who == 1) {
        drain(world, 2);
        theater_endpoint_unregister(world->ends[2], THEATER_TRAPPED);
        world->ends[2] = NULL;
        return;
    }
    theater_status_t status =
        theater_channel_open_start(world->ends[0], text("receiver"),
                                   text("hello"), 5000, on_opened, world, NULL);
    if (status != THEATER_PENDING) {
        TH_CHECK(status == THEATER_NOT_FOUND);
        return;
    }
    await_done(world, 0);
    TH_CHECK(world->status[0] == THEATER_OK ||
             world->status[0] == THEATER_CLOSED);
    for (unsigned spin = 0;
         world->status[0] == THEATER_OK && world->closes[0] == 0; spin++) {
        TH_CHECK(spin < SPINS);
        if (spin < EACH) {
            any(theater_channel_send(world->ends[0], world->channel[0],
                                     text("data")));
        }
        drain(world, 0);
        th_interleave_point();
    }
}

static void a_channel_whose_peer_crashes_is_closed(void **state)
{
    (void)state;
    run_seeds(channel_prepare, crash_run, 2, NULL);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_message_wakes_its_receiver_and_none_is_lost),
        cmocka_unit_test(a_full_mailbox_refuses_and_keeps_what_it_took),
        cmocka_unit_test(what_drop_oldest_drops_is_a_dead_letter),
        cmocka_unit_test(who_waits_for_space_is_let_in_in_order),
        cmocka_unit_test(who_waits_for_one_that_ends_is_told),
        cmocka_unit_test(a_name_that_comes_and_goes_loses_nothing),
        cmocka_unit_test(a_request_ends_once_answered_or_cancelled),
        cmocka_unit_test(of_two_that_ask_each_other_at_most_one_is_refused),
        cmocka_unit_test(both_ends_of_a_channel_may_close_at_once),
        cmocka_unit_test(a_channel_whose_peer_crashes_is_closed),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
