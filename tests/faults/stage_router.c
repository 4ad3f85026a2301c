/* SPDX-License-Identifier: Apache-2.0 */
/* Design notes: the worlds of the router's scenarios. One thread and a clock
 * that stands until it is moved, so a scenario asks for the same things in the
 * same order each time. */
#include "acts_router.h"

#define MS UINT64_C(1000000)

/* --- Short calls ---------------------------------------------------------- */

theater_endpoint_t *join(struct act *act, const char *name,
                         const theater_endpoint_options_t *options)
{
    theater_endpoint_t *endpoint = NULL;
    theater_status_t status = theater_router_register(
        act->router, name, strlen(name), options, &endpoint);
    if (!met(act, status, THEATER_OK)) {
        assert_null(endpoint);
        assert_false(theater_router_has(act->router, name, strlen(name)));
    }
    return endpoint;
}

void leave(theater_endpoint_t *endpoint)
{
    if (endpoint != NULL) {
        theater_endpoint_unregister(endpoint, THEATER_OK);
    }
}

theater_status_t send_text(struct act *act, theater_endpoint_t *from,
                           const char *to, const char *data)
{
    return theater_router_send(act->router, from, text(to), text(data));
}

void drain(theater_endpoint_t *endpoint)
{
    const theater_message_t *message;
    while (theater_endpoint_receive(endpoint, &message) == THEATER_OK) {
        if (message->kind == THEATER_MESSAGE_REQUEST) {
            (void)!theater_endpoint_respond(endpoint, message->request,
                                            text("answer"));
        } else if (message->kind == THEATER_MESSAGE_CHANNEL_OPEN) {
            (void)!theater_channel_accept(endpoint);
        }
        theater_endpoint_done(endpoint, THEATER_OK);
    }
}

void pass(struct act *act, uint64_t ms)
{
    uint64_t now = th_now(act->env) + ms * MS;
    th_sim_env_advance(act->env, now);
    theater_router_advance(act->router, now);
}

static bool ask_with(struct act *act, theater_endpoint_t *from, const char *to,
                     const char *data, uint32_t timeout_ms,
                     theater_request_id_t *out_id)
{
    struct outcome *outcome = act_outcome(act);
    outcome->started =
        theater_router_request_start(act->router, from, text(to), text(data),
                                     timeout_ms, note_done, outcome, out_id);
    return met(act, outcome->started, THEATER_PENDING);
}

bool ask(struct act *act, theater_endpoint_t *from, const char *to,
         const char *data, uint32_t timeout_ms)
{
    return ask_with(act, from, to, data, timeout_ms, NULL);
}

bool ask_id(struct act *act, theater_endpoint_t *from, const char *to,
            theater_request_id_t *out_id)
{
    return ask_with(act, from, to, "question", 1000, out_id);
}

const theater_message_t *take(theater_endpoint_t *endpoint,
                              theater_message_kind_t kind)
{
    const theater_message_t *message = NULL;
    if (theater_endpoint_receive(endpoint, &message) != THEATER_OK) {
        return NULL;
    }
    assert_int_equal(message->kind, kind);
    return message;
}

bool connect_ab(struct act *act, theater_channel_id_t *out_a,
                theater_channel_id_t *out_b)
{
    struct outcome *outcome = act_outcome(act);
    outcome->started = theater_channel_open_start(
        act->a, text("b"), text("hello"), 1000, note_opened, outcome, NULL);
    if (!met(act, outcome->started, THEATER_PENDING)) {
        return false;
    }
    const theater_message_t *message =
        take(act->b, THEATER_MESSAGE_CHANNEL_OPEN);
    assert_non_null(message);
    *out_b = message->channel;
    bool accepted = met(act, theater_channel_accept(act->b), THEATER_OK);
    theater_endpoint_done(act->b, THEATER_OK);
    assert_int_equal(act_told(outcome), 1);
    assert_int_equal(outcome->status, accepted ? THEATER_OK : THEATER_REJECTED);
    *out_a = outcome->channel;
    return accepted;
}

theater_bytes_t big(size_t len)
{
    static uint8_t data[ACT_BIG];
    assert_true(len <= sizeof data);
    return (theater_bytes_t){data, len};
}

/* --- The stages ----------------------------------------------------------- */

static void open_world(struct act *act, bool waits)
{
    theater_router_options_t options = THEATER_ROUTER_OPTIONS_INIT;
    theater_endpoint_options_t mode = THEATER_ENDPOINT_OPTIONS_INIT;
    assert_int_equal(th_sim_env_new(7, &act->sim), THEATER_OK);
    act->env = th_sim_env_table(act->sim);
    options.env = act->env;
    mode.waits = waits;
    assert_int_equal(theater_router_new(&options, &act->router), THEATER_OK);
    act->a = join(act, "a", &mode);
    act->b = join(act, "b", &mode);
}

static void open_router(struct act *act)
{
    open_world(act, false);
}

static void open_waiters(struct act *act)
{
    open_world(act, true);
}

/* Whatever is still under way comes to its end. */
static void settle(struct act *act)
{
    for (int i = 0; i < 4; i++) {
        pass(act, 10000);
        drain(act->a);
        drain(act->b);
    }
    act_outcomes_check(act);
}

static void check_router(struct act *act)
{
    struct outcome outcome = {0};
    settle(act);
    assert_int_equal(send_text(act, act->a, "b", "probe"), THEATER_OK);
    const theater_message_t *message = take(act->b, THEATER_MESSAGE_SEND);
    assert_non_null(message);
    assert_int_equal(message->data.len, 5);
    assert_int_equal(message->sender.len, 1);
    theater_endpoint_done(act->b, THEATER_OK);
    assert_int_equal(theater_router_request_start(act->router, act->b,
                                                  text("a"), text("probe"), 0,
                                                  note_done, &outcome, NULL),
                     THEATER_PENDING);
    drain(act->a);
    assert_int_equal(act_told(&outcome), 1);
    assert_int_equal(outcome.status, THEATER_OK);
}

static void close_router(struct act *act)
{
    theater_counters_t counters;
    leave(act->a);
    leave(act->b);
    theater_router_counters(act->router, &counters);
    assert_int_equal(counters.accepted,
                     counters.delivered + counters.dead_total);
    assert_int_equal(counters.queued, 0);
    assert_int_equal(counters.pending, 0);
    assert_int_equal(counters.endpoints, 0);
    theater_router_release(act->router);
    th_sim_env_delete(act->sim);
}

const struct stage stage_router = {
    .open = open_router,
    .check = check_router,
    .close = close_router,
    .serial = true,
};

const struct stage stage_waiters = {
    .open = open_waiters,
    .check = check_router,
    .close = close_router,
    .serial = true,
};
