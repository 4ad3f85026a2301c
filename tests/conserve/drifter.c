/* SPDX-License-Identifier: Apache-2.0 */
/* Design notes. A thread without an actor that takes part: it registers its
 * name, sends and receives, starts anew (the one-way messages stay), ends its
 * name while others send to it, and comes back under the same name. In a
 * simulation the driver makes its steps. */
#include "world.h"

#include <time.h>

static void get(struct world *world, theater_endpoint_t *endpoint,
                struct rng *rng, unsigned most)
{
    unsigned me = world->parties_len - 1;
    const theater_message_t *message;
    struct ledger_entry entry;
    for (unsigned i = 0; i < most; i++) {
        if (theater_endpoint_receive(endpoint, &message) != THEATER_OK) {
            return;
        }
        uint32_t what = rng_below(rng, 10);
        if (message->kind != THEATER_MESSAGE_CHANNEL_CLOSE) {
            (void)world_handled(world, me, message->data, &entry);
        }
        if (message->kind == THEATER_MESSAGE_REQUEST && what < 7) {
            (void)!theater_endpoint_respond(
                endpoint, message->request,
                (theater_bytes_t){message->data.data, LEDGER_HEADER});
        } else if (message->kind == THEATER_MESSAGE_CHANNEL_OPEN && what < 8) {
            (void)!theater_channel_accept(endpoint);
        }
        if (what == 9) {
            world_fault(world, FAULT_FAIL);
        }
        theater_endpoint_done(endpoint,
                              what == 9 ? THEATER_TRAPPED : THEATER_OK);
    }
}

static void put(struct world *world, theater_endpoint_t *endpoint,
                struct rng *rng)
{
    unsigned me = world->parties_len - 1;
    uint64_t buffer[32];
    struct ledger_entry entry;
    unsigned to = rng_below(rng, me);
    size_t len = LEDGER_HEADER + rng_below(rng, 200);
    if (!ledger_compose(world->ledger, LEDGER_PAIR, me, to, 0,
                        (uint8_t *)buffer, len, &entry)) {
        return;
    }
    theater_bytes_t data = {(const uint8_t *)buffer, len};
    theater_bytes_t name = world_name(world, to);
    theater_status_t status =
        rng_below(rng, 20) == 0
            ? theater_router_send_wait(world->router, endpoint, name, data,
                                       1 + rng_below(rng, 3))
            : theater_router_send(world->router, endpoint, name, data);
    if (status == THEATER_OK) {
        ledger_accepted(world->ledger, &entry, to);
    } else if (status == THEATER_MAILBOX_FULL) {
        world_fault(world, FAULT_FULL);
    }
}

static theater_endpoint_t *enter(struct world *world, struct rng *rng)
{
    static const theater_on_full_t policies[] = {
        THEATER_REFUSE, THEATER_DROP_NEWEST, THEATER_DROP_OLDEST};
    theater_endpoint_options_t options = THEATER_ENDPOINT_OPTIONS_INIT;
    struct party *party = &world->parties[world->parties_len - 1];
    theater_endpoint_t *endpoint = NULL;
    options.capacity = 1 + rng_below(rng, 100);
    options.on_full = policies[rng_below(rng, 3)];
    options.max_channels = 20;
    options.channel_credit = 10;
    /* OUT_OF_MEMORY, SHUTTING_DOWN: not this time */
    return theater_router_register(world->router, party->name, party->name_len,
                                   &options, &endpoint) == THEATER_OK
               ? endpoint
               : NULL;
}

void drifter_init(struct world *world)
{
    world->drift.rng.state = world->seed ^ UINT64_C(0x64726966);
    world->drift.endpoint = NULL;
}

void drifter_step(struct world *world)
{
    struct timespec pause = {0, 200000};
    struct drifter *drift = &world->drift;
    uint32_t what = rng_below(&drift->rng, 100);
    if (drift->endpoint == NULL) {
        drift->endpoint = enter(world, &drift->rng);
    } else if (what < 60) {
        put(world, drift->endpoint, &drift->rng);
    } else if (what < 95) {
        get(world, drift->endpoint, &drift->rng, 8);
    } else if (what < 97 && world->sim == NULL) {
        nanosleep(&pause, NULL);
    } else if (what < 98) {
        theater_endpoint_reset(drift->endpoint, THEATER_CLOSED);
        world_fault(world, FAULT_RESTART);
    } else {
        theater_endpoint_unregister(drift->endpoint, THEATER_CLOSED);
        world_fault(world, FAULT_UNREGISTER);
        drift->endpoint = NULL;
    }
}

void drifter_leave(struct world *world)
{
    struct drifter *drift = &world->drift;
    if (drift->endpoint != NULL) {
        get(world, drift->endpoint, &drift->rng, 1000);
        theater_endpoint_unregister(drift->endpoint, THEATER_CLOSED);
        drift->endpoint = NULL;
    }
}

void *drifter_run(void *arg)
{
    struct world *world = arg;
    while (!world_stopping(world)) {
        drifter_step(world);
    }
    drifter_leave(world);
    return NULL;
}
