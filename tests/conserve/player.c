/* SPDX-License-Identifier: Apache-2.0 */
/* Design notes. A player does a piece of its operations whenever it is woken
 * and wakes itself while there are more. What it gets goes to the ledger
 * first; then it answers, defers, hands on, fails, stands still or stops, as
 * its random numbers say.
 *
 * Its callbacks come on any thread, and may still be running when the end of
 * its endpoint has returned: `destroy` waits until the last has left. */
#include "player.h"

#include <stdlib.h>
#include <time.h>

/* --- What it gets --------------------------------------------------------- */

static void stand_still(struct player *player)
{
    struct party *party = &player->world->parties[player->party];
    /* relaxed, both: it is a pause, no message */
    if (atomic_load_explicit(&party->pause, memory_order_relaxed) != 0 &&
        atomic_exchange_explicit(&party->pause, 0, memory_order_relaxed) != 0) {
        world_fault(player->world, FAULT_PAUSE);
        world_stand_still(player->world);
    }
}

static bool defer(struct player *player, const uint8_t *header)
{
    if (player->deferred_len == DEFERRED) {
        return false;
    }
    struct deferred *at = &player->deferred[player->deferred_len];
    if (theater_endpoint_defer(player->endpoint, &at->id) != THEATER_OK) {
        return false; /* it has ended, or max_requests, or no memory */
    }
    memcpy(at->echo, header, LEDGER_HEADER);
    player->deferred_len++;
    return true;
}

/* Handed on to another; who answers us answers for us. */
static bool hand_on(struct player *player, const struct ledger_entry *entry,
                    const uint8_t *header)
{
    theater_request_id_t owed;
    if (entry->note == 0 || entry->note > HOPS ||
        theater_endpoint_defer(player->endpoint, &owed) != THEATER_OK) {
        return false;
    }
    if (!acts_chain(player, entry->note - 1, owed, header)) {
        /* CLOSED: its time is over; OUT_OF_MEMORY: it will be */
        (void)!theater_endpoint_fail(player->endpoint, owed,
                                     (theater_bytes_t){header, 4});
    }
    return true;
}

/* Twice, of which the second must be refused; or cancelled. */
static void decide_twice(struct player *player, theater_request_id_t id,
                         theater_bytes_t answer, bool cancel)
{
    theater_endpoint_t *endpoint = player->endpoint;
    theater_status_t first =
        cancel ? theater_endpoint_cancel_request(endpoint, id)
               : theater_endpoint_respond(endpoint, id, answer);
    if (first == THEATER_OUT_OF_MEMORY) {
        return;
    }
    if (first != THEATER_OK && first != THEATER_CLOSED) {
        ledger_wrong(player->world->ledger);
    }
    if (cancel && first == THEATER_OK) {
        world_fault(player->world, FAULT_CANCEL);
    }
    if (theater_endpoint_respond(endpoint, id, answer) != THEATER_CLOSED) {
        ledger_wrong(player->world->ledger);
    }
}

static void get_request(struct player *player, theater_delivery_t *delivery,
                        const struct ledger_entry *entry)
{
    const theater_message_t *message =
        theater_message_server_current(player->actor);
    theater_bytes_t answer = {delivery->args[0].bytes.data, LEDGER_HEADER};
    uint32_t what = rng_below(&player->rng, 100);
    delivery->result.bytes = answer;
    if (what < 20) {
        delivery->status =
            defer(player, answer.data) ? THEATER_PENDING : THEATER_OK;
    } else if (what < 50) {
        delivery->status =
            hand_on(player, entry, answer.data) ? THEATER_PENDING : THEATER_OK;
    } else if (what < 56) {
        delivery->status = THEATER_FAILED;
    } else if (what < 64) {
        decide_twice(player, message->request, answer, what < 60);
        delivery->status = THEATER_PENDING;
    }
}

static void get_open(struct player *player, theater_delivery_t *delivery,
                     const struct ledger_entry *entry)
{
    const theater_message_t *message =
        theater_message_server_current(player->actor);
    struct channel channel = {message->channel, entry->from};
    uint32_t what = rng_below(&player->rng, 10);
    if (what == 0) {
        delivery->result.u32 = 0; /* rejected */
        return;
    }
    for (uint32_t i = 0; what < 4 && i < what; i++) {
        acts_data(player, &channel); /* held until it is accepted */
    }
    theater_status_t status = theater_channel_accept(player->endpoint);
    if (status == THEATER_OK || status == THEATER_CLOSED) {
        acts_add_channel(player, channel.id, channel.peer);
    }
    delivery->status = THEATER_PENDING; /* not accepted: rejected */
}

static void get_close(struct player *player)
{
    const theater_message_t *message =
        theater_message_server_current(player->actor);
    int at = acts_find_channel(player, message->channel);
    if (at < 0) {
        ledger_wrong(player->world->ledger);
        return;
    }
    acts_remove_channel(player, (unsigned)at);
}

static void get(struct player *player, theater_delivery_t *delivery,
                const struct ledger_entry *entry)
{
    const theater_message_t *message =
        theater_message_server_current(player->actor);
    if (world_party(message->sender) != entry->from) {
        ledger_wrong(player->world->ledger);
    }
    switch (delivery->export_index) {
    case THEATER_HANDLE_REQUEST:
        get_request(player, delivery, entry);
        break;
    case THEATER_HANDLE_CHANNEL_OPEN:
        get_open(player, delivery, entry);
        break;
    case THEATER_HANDLE_CHANNEL_MESSAGE:
        /* One that it knows, and that it has not heard the close of. */
        if (acts_find_channel(player, message->channel) < 0) {
            ledger_wrong(player->world->ledger);
        }
        break;
    default:
        break;
    }
}

static void deliver(void *self, theater_actor_t *actor,
                    theater_delivery_t *delivery)
{
    struct player *player = self;
    const struct plan *plan = &player->world->plan;
    struct ledger_entry entry;
    acts_absorb(player);
    if (delivery->export_index == THEATER_HANDLE_CHANNEL_CLOSE) {
        get_close(player);
        return;
    }
    bool second = delivery->export_index >= THEATER_HANDLE_CHANNEL_OPEN;
    theater_bytes_t data = delivery->args[second ? 1 : 0].bytes;
    stand_still(player);
    if (!world_handled(player->world, player->party, data, &entry)) {
        return;
    }
    get(player, delivery, &entry);
    if (delivery->status == THEATER_OK &&
        rng_one_in(&player->rng, plan->fail_one_in)) {
        world_fault(player->world, FAULT_FAIL);
        delivery->status = THEATER_TRAPPED;
    }
    if (rng_one_in(&player->rng, plan->leave_one_in)) {
        world_fault(player->world, FAULT_STOP);
        world_may_end(player->world, player->party);
        theater_actor_stop(actor, "it has had enough");
    }
}

/* --- Its life ------------------------------------------------------------- */

static void run(void *self, theater_actor_t *actor)
{
    struct player *player = self;
    player->actor = actor;
    player->endpoint = theater_message_server_endpoint(actor);
    ledger_forget(player->world->ledger, player->party);
}

/* All its deeds are under way: the end of one wakes it. */
static bool is_busy(const struct player *player)
{
    enum workload work = player->world->plan.work;
    if (work != WORK_REQUESTS && work != WORK_GUESTS) {
        return false; /* goes on with what needs no deed */
    }
    for (unsigned i = 0; i < DEEDS; i++) {
        /* relaxed: the actor makes it idle; one that has ended wakes it */
        if (atomic_load_explicit(&player->deeds[i].state,
                                 memory_order_relaxed) == DEED_IDLE) {
            return false;
        }
    }
    return true;
}

static void woken(void *self, theater_actor_t *actor)
{
    struct player *player = self;
    struct world *world = player->world;
    _Atomic uint32_t *left = &world->parties[player->party].left;
    acts_absorb(player);
    /* relaxed: its own, handed on with the name */
    uint32_t now = atomic_load_explicit(left, memory_order_relaxed);
    for (unsigned i = 0; i < PIECE && now != 0; i++, now--) {
        if (is_busy(player)) {
            break;
        }
        acts_one(player);
    }
    if (world->plant == PLANT_HANG) {
        theater_actor_wake(actor);
    }
    now = world_stopping(world) ? 0 : now;
    atomic_store_explicit(left, now, memory_order_relaxed);
    if (now != 0) {
        if (!is_busy(player)) {
            theater_actor_wake(actor);
        }
    } else if (player->party % 2 == 0) {
        /* The others' requests end by their deadlines. */
        while (player->deferred_len != 0) {
            acts_answer(player);
        }
    }
}

static void destroy(void *self)
{
    struct player *player = self;
    struct party *party = &player->world->parties[player->party];
    struct timespec pause = {0, 1000};
    /* acquire; pairs with the callback's last step */
    while (atomic_load_explicit(&player->under_way, memory_order_acquire) !=
           0) {
        nanosleep(&pause, NULL);
    }
    ledger_forget(player->world->ledger, player->party);
    free(player->buffer);
    free(player);
    /* release: whoever brings it back comes after */
    atomic_store_explicit(&party->alive, 0, memory_order_release);
}

static const theater_native_ops_t ops = {
    .size = sizeof ops,
    .exports = 31,
    .handler = "message-server",
    .run = run,
    .deliver = deliver,
    .woken = woken,
    .destroy = destroy,
};

theater_status_t player_spawn(struct world *world, unsigned party,
                              uint64_t seed)
{
    struct player *player = calloc(1, sizeof *player);
    size_t size = world->plan.work == WORK_LARGE ? world->plan.most + 64 : 8192;
    if (player == NULL || (player->buffer = malloc(size)) == NULL) {
        free(player);
        return THEATER_OUT_OF_MEMORY;
    }
    player->world = world;
    player->party = party;
    player->rng.state = seed;
    for (unsigned i = 0; i < DEEDS; i++) {
        player->deeds[i].player = player;
    }
    theater_status_t status =
        theater_runtime_spawn_native(world->runtime, world->parties[party].name,
                                     world->manifest, NULL, &ops, player, NULL);
    if (status != THEATER_OK) {
        free(player->buffer);
        free(player);
    }
    return status;
}
