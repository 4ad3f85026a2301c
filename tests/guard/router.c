/* SPDX-License-Identifier: Apache-2.0 */
/* The router alone: two endpoints, one thread; what is sent is received in
 * bursts, as it is where actors run. */
#include "paths.h"

#include <string.h>

enum { BURST = 64, PAYLOAD = 64 };

static uint8_t payload[PAYLOAD];
static const theater_bytes_t data = {payload, sizeof payload};
static const theater_bytes_t target = {(const uint8_t *)"receiver", 8};

struct both {
    theater_router_t *router;
    theater_endpoint_t *sender;
    theater_endpoint_t *receiver;
};

static theater_router_t *make_router(void)
{
    theater_router_t *router;
    theater_router_options_t options = THEATER_ROUTER_OPTIONS_INIT;
    options.env = guard_env();
    guard_ok(theater_router_new(&options, &router));
    return router;
}

/* The sender may send to the one name alone, so that this is checked. */
static struct both make_both(void)
{
    struct both both = {.router = make_router()};
    theater_permissions_t permissions = THEATER_PERMISSIONS_INIT;
    theater_endpoint_options_t options = THEATER_ENDPOINT_OPTIONS_INIT;
    const char *const allowed[] = {"receiver"};
    guard_ok(theater_router_register(both.router, "receiver", 8, NULL,
                                     &both.receiver));
    permissions.allowed_targets = allowed;
    permissions.allowed_targets_len = 1;
    options.permissions = &permissions;
    guard_ok(theater_router_register(both.router, "sender", 6, &options,
                                     &both.sender));
    return both;
}

static void end_both(struct both *both, uint64_t count)
{
    theater_counters_t counters;
    theater_router_counters(both->router, &counters);
    guard_check(counters.accepted == counters.delivered &&
                    counters.delivered >= count,
                "all was delivered");
    theater_endpoint_unregister(both->sender, THEATER_CLOSED);
    theater_endpoint_unregister(both->receiver, THEATER_CLOSED);
    theater_router_release(both->router);
}

void guard_register(uint64_t count)
{
    theater_router_t *router = make_router();
    for (uint64_t i = 0; i < count; i++) {
        theater_endpoint_t *endpoint;
        guard_ok(
            theater_router_register(router, "somebody", 8, NULL, &endpoint));
        theater_endpoint_unregister(endpoint, THEATER_CLOSED);
    }
    theater_router_release(router);
}

static void receive(struct both *both, uint64_t len)
{
    for (uint64_t i = 0; i < len; i++) {
        const theater_message_t *message;
        guard_ok(theater_endpoint_receive(both->receiver, &message));
        theater_endpoint_done(both->receiver, THEATER_OK);
    }
}

void guard_send(uint64_t count)
{
    struct both both = make_both();
    for (uint64_t i = 0; i < count; i += BURST) {
        for (int k = 0; k < BURST; k++) {
            guard_ok(
                theater_router_send(both.router, both.sender, target, data));
        }
        receive(&both, BURST);
    }
    end_both(&both, count);
}

static void on_answer(void *user, theater_status_t status,
                      theater_answer_t *answer)
{
    uint64_t *answers = user;
    guard_check(status == THEATER_OK && answer->len == PAYLOAD, "answered");
    theater_answer_delete(answer);
    *answers += 1;
}

void guard_request(uint64_t count)
{
    struct both both = make_both();
    uint64_t answers = 0;
    for (uint64_t i = 0; i < count; i++) {
        const theater_message_t *message;
        guard_check(theater_router_request_start(
                        both.router, both.sender, target, data, 0, on_answer,
                        &answers, NULL) == THEATER_PENDING,
                    "a request is under way");
        guard_ok(theater_endpoint_receive(both.receiver, &message));
        guard_ok(theater_endpoint_respond(both.receiver, message->request,
                                          message->data));
        theater_endpoint_done(both.receiver, THEATER_OK);
    }
    guard_check(answers == count, "each was answered");
    end_both(&both, count);
}

static theater_channel_id_t channel;

static void on_opened(void *user, theater_status_t status,
                      theater_channel_id_t id)
{
    (void)user;
    guard_check(status == THEATER_OK, "opened");
    channel = id;
}

void guard_channel(uint64_t count)
{
    struct both both = make_both();
    const theater_message_t *message;
    theater_request_id_t id;
    guard_check(theater_channel_open_start(both.sender, target, data, 0,
                                           on_opened, NULL,
                                           &id) == THEATER_PENDING,
                "an open is under way");
    guard_ok(theater_endpoint_receive(both.receiver, &message));
    guard_ok(theater_channel_accept(both.receiver));
    theater_endpoint_done(both.receiver, THEATER_OK);
    for (uint64_t i = 0; i < count; i += BURST) {
        for (int k = 0; k < BURST; k++) {
            guard_ok(theater_channel_send(both.sender, channel, data));
        }
        receive(&both, BURST);
    }
    end_both(&both, count);
}
