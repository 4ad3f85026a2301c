/* SPDX-License-Identifier: Apache-2.0 */
/* Design notes. What a player begins. The ledger is told of a message when the
 * router said that it was accepted: at once, or in the callback of a send that
 * waited. An operation under way is a deed; its callback notes how it ended
 * and wakes the actor, which looks after it in its own time.
 *
 * While a send waits for space at a target, no channel data goes there: data
 * has a bound of its own, so it would pass the one that is not accepted yet. */
#include "player.h"

enum { BATCH = 8, TIMEOUT_MS = 30 };

static struct ledger *ledger_of(const struct player *player)
{
    return player->world->ledger;
}

static theater_bytes_t name_of(const struct player *player, unsigned party)
{
    return world_name(player->world, party);
}

static uint32_t timeout(struct player *player)
{
    return 1 + rng_below(&player->rng, TIMEOUT_MS);
}

/* --- Deeds ---------------------------------------------------------------- */

static struct deed *deed_begin(struct player *player, enum act act, unsigned to)
{
    for (unsigned i = 0; i < DEEDS; i++) {
        struct deed *deed = &player->deeds[i];
        /* relaxed: the actor itself makes it idle */
        if (atomic_load_explicit(&deed->state, memory_order_relaxed) ==
            DEED_IDLE) {
            deed->act = act;
            deed->to = to;
            deed->request = UINT32_MAX;
            deed->chained = false;
            /* relaxed, both: the router hands the deed to the callback */
            atomic_store_explicit(&deed->state, DEED_UNDER_WAY,
                                  memory_order_relaxed);
            atomic_fetch_add_explicit(&player->under_way, 1,
                                      memory_order_relaxed);
            return deed;
        }
    }
    return NULL;
}

/* Not begun: no callback comes. */
static void deed_undo(struct deed *deed)
{
    if (deed->request != UINT32_MAX) {
        ledger_refused(ledger_of(deed->player), deed->request);
    }
    /* relaxed: the actor's own */
    atomic_store_explicit(&deed->state, DEED_IDLE, memory_order_relaxed);
    atomic_fetch_sub_explicit(&deed->player->under_way, 1,
                              memory_order_relaxed);
}

/* On any thread. The last step lets the actor go. */
static void deed_end(struct deed *deed, theater_status_t status)
{
    struct player *player = deed->player;
    if (deed->request != UINT32_MAX) {
        world_ended(player->world, deed->request, status);
    }
    if (deed->act == ACT_WAIT && status == THEATER_OK) {
        ledger_accepted(player->world->ledger, &deed->entry, deed->to);
    }
    if (status == THEATER_MAILBOX_FULL) {
        world_fault(player->world, FAULT_FULL);
    }
    deed->status = status;
    /* release; pairs with the acquire in acts_absorb */
    atomic_store_explicit(&deed->state, DEED_ENDED, memory_order_release);
    atomic_store_explicit(&player->landed, 1, memory_order_release);
    theater_actor_wake(player->actor);
    /* release; pairs with the acquire in destroy */
    atomic_fetch_sub_explicit(&player->under_way, 1, memory_order_release);
}

static void on_done(void *user, theater_status_t status,
                    theater_answer_t *answer)
{
    struct deed *deed = user;
    if (deed->act == ACT_REQUEST && status == THEATER_OK) {
        if (answer == NULL) {
            ledger_wrong(ledger_of(deed->player));
        } else {
            ledger_answer(ledger_of(deed->player), &deed->entry, answer->data,
                          answer->len);
        }
    }
    theater_answer_delete(answer);
    deed_end(deed, status);
}

static void on_opened(void *user, theater_status_t status,
                      theater_channel_id_t channel)
{
    struct deed *deed = user;
    deed->channel = channel;
    deed_end(deed, status);
}

/* What begins with a status: PENDING leaves the deed to its callback. */
static void deed_begun(struct deed *deed, theater_status_t status,
                       theater_request_id_t id,
                       const struct ledger_entry *entry)
{
    struct world *world = deed->player->world;
    if (status != THEATER_PENDING) {
        deed_undo(deed);
        return;
    }
    /* relaxed: an id is a number; whoever cancels it is told if it is old */
    atomic_store_explicit(&world->board[id.value % BOARD], id.value,
                          memory_order_relaxed);
    if (entry != NULL) {
        ledger_accepted(world->ledger, entry, entry->to);
    }
}

static void pay_back(struct player *player, const struct deed *deed)
{
    theater_bytes_t echo = {deed->echo, LEDGER_HEADER};
    /* CLOSED: too late. OUT_OF_MEMORY: it ends by its deadline. */
    if (deed->status == THEATER_OK) {
        (void)!theater_endpoint_respond(player->endpoint, deed->owed, echo);
    } else if (deed->status == THEATER_CANCELLED) {
        (void)!theater_endpoint_cancel_request(player->endpoint, deed->owed);
    } else {
        (void)!theater_endpoint_fail(player->endpoint, deed->owed, echo);
    }
}

void acts_absorb(struct player *player)
{
    /* acquire; pairs with deed_end */
    if (atomic_load_explicit(&player->landed, memory_order_acquire) == 0) {
        return;
    }
    atomic_exchange_explicit(&player->landed, 0, memory_order_acquire);
    for (unsigned i = 0; i < DEEDS; i++) {
        struct deed *deed = &player->deeds[i];
        if (atomic_load_explicit(&deed->state, memory_order_acquire) !=
            DEED_ENDED) {
            continue;
        }
        if (deed->act == ACT_WAIT) {
            player->waiting[deed->to]--;
        } else if (deed->act == ACT_OPEN && deed->status == THEATER_OK) {
            acts_add_channel(player, deed->channel, deed->to);
        } else if (deed->chained) {
            pay_back(player, deed);
        }
        /* relaxed: the actor's own */
        atomic_store_explicit(&deed->state, DEED_IDLE, memory_order_relaxed);
    }
}

/* --- Messages ------------------------------------------------------------- */

static unsigned target(struct player *player)
{
    const struct world *world = player->world;
    unsigned most = world->plan.targets;
    if (most == 0) {
        most = world->parties_len;
    } else if (rng_below(&player->rng, 50) == 0) {
        most = world->parties_len;
    }
    return rng_below(&player->rng, most);
}

static size_t length(struct player *player)
{
    const struct plan *plan = &player->world->plan;
    uint32_t most = plan->most;
    if (plan->work == WORK_LARGE && rng_below(&player->rng, 4) != 0) {
        most = 65536; /* the larger ones are rarer */
    }
    return plan->least + rng_below(&player->rng, most - plan->least + 1);
}

static uint8_t note(struct player *player, unsigned to)
{
    return to < player->world->plan.guests && rng_one_in(&player->rng, 150)
               ? NOTE_TRAP
               : 0;
}

/* The next message to `to`; data NULL: that stream is full. */
static theater_bytes_t compose(struct player *player, enum ledger_stream stream,
                               unsigned to, uint8_t word, uint8_t *at,
                               struct ledger_entry *out)
{
    size_t len = length(player);
    if (!ledger_compose(ledger_of(player), stream, player->party, to, word, at,
                        len, out)) {
        return (theater_bytes_t){NULL, 0};
    }
    return (theater_bytes_t){at, len};
}

static void took(struct player *player, const struct ledger_entry *entry,
                 unsigned to, theater_status_t status)
{
    if (status == THEATER_OK) {
        ledger_accepted(ledger_of(player), entry, to);
    } else if (status == THEATER_MAILBOX_FULL) {
        world_fault(player->world, FAULT_FULL);
    }
}

static void act_send(struct player *player)
{
    struct ledger_entry entry;
    unsigned to = target(player);
    theater_bytes_t data = compose(player, LEDGER_PAIR, to, note(player, to),
                                   player->buffer, &entry);
    if (data.data != NULL) {
        took(player, &entry, to,
             theater_router_send(player->world->router, player->endpoint,
                                 name_of(player, to), data));
    }
}

static void act_wait(struct player *player)
{
    struct ledger_entry entry;
    theater_request_id_t id = {0};
    unsigned to = target(player);
    struct deed *deed = deed_begin(player, ACT_WAIT, to);
    if (deed == NULL) {
        return;
    }
    theater_bytes_t data =
        compose(player, LEDGER_PAIR, to, 0, player->buffer, &entry);
    if (data.data == NULL) {
        deed_undo(deed);
        return;
    }
    deed->entry = entry;
    theater_status_t status = theater_router_send_start(
        player->world->router, player->endpoint, name_of(player, to), data,
        timeout(player), on_done, deed, &id);
    if (status == THEATER_PENDING) {
        player->waiting[to]++;
    } else {
        took(player, &entry, to, status);
    }
    deed_begun(deed, status, id, NULL);
}

static void act_batch(struct player *player)
{
    struct ledger_entry entries[BATCH];
    theater_bytes_t messages[BATCH];
    size_t accepted = 0;
    size_t len = 0;
    unsigned to = target(player);
    uint8_t *at = player->buffer;
    for (; len < BATCH; len++) {
        messages[len] = compose(player, LEDGER_PAIR, to, 0, at, &entries[len]);
        if (messages[len].data == NULL) {
            break;
        }
        at += (messages[len].len + 7) & ~(size_t)7;
    }
    (void)!theater_router_send_batch(player->world->router, player->endpoint,
                                     name_of(player, to), messages, len,
                                     &accepted);
    for (size_t i = 0; i < accepted; i++) {
        ledger_accepted(ledger_of(player), &entries[i], to);
    }
}

static void act_broadcast(struct player *player)
{
    struct ledger_entry entry;
    theater_bytes_t names[PARTIES_MAX];
    uint8_t codes[PARTIES_MAX];
    unsigned len = player->world->parties_len;
    theater_bytes_t data =
        compose(player, LEDGER_ALL, 0, 0, player->buffer, &entry);
    for (unsigned i = 0; i < len; i++) {
        names[i] = name_of(player, i);
    }
    if (data.data == NULL ||
        theater_router_broadcast(player->world->router, player->endpoint, names,
                                 len, data, codes) != THEATER_OK) {
        return;
    }
    for (unsigned i = 0; i < len; i++) {
        took(player, &entry, i, (theater_status_t)codes[i]);
    }
}

static void act_later(struct player *player)
{
    struct ledger_entry entry;
    theater_timer_id_t id;
    unsigned to = target(player);
    theater_bytes_t data =
        compose(player, LEDGER_LATE, to, 0, player->buffer, &entry);
    if (data.data == NULL ||
        theater_router_send_after(
            player->world->router, player->endpoint, name_of(player, to), data,
            rng_below(&player->rng, 20), &id) != THEATER_OK) {
        return;
    }
    if (rng_below(&player->rng, 8) == 0 &&
        theater_router_cancel_send(player->endpoint, id) == THEATER_OK) {
        world_fault(player->world, FAULT_CANCEL);
    } else {
        ledger_accepted(ledger_of(player), &entry, to);
    }
}

/* --- Requests ------------------------------------------------------------- */

static bool ask(struct player *player, struct deed *deed, uint8_t hops)
{
    struct ledger_entry entry;
    theater_request_id_t id = {0};
    theater_bytes_t data =
        compose(player, LEDGER_PAIR, deed->to, hops, player->buffer, &entry);
    if (data.data == NULL) {
        deed_undo(deed);
        return false;
    }
    deed->entry = entry;
    deed->request = ledger_ask(ledger_of(player), &entry);
    if (deed->request == UINT32_MAX) {
        deed_undo(deed);
        return false;
    }
    theater_status_t status = theater_router_request_start(
        player->world->router, player->endpoint, name_of(player, deed->to),
        data, timeout(player), on_done, deed, &id);
    if (status == THEATER_MAILBOX_FULL) {
        world_fault(player->world, FAULT_FULL);
    }
    deed_begun(deed, status, id, &entry);
    return status == THEATER_PENDING;
}

static void act_request(struct player *player)
{
    struct deed *deed = deed_begin(player, ACT_REQUEST, target(player));
    if (deed != NULL) {
        (void)ask(player, deed, (uint8_t)rng_below(&player->rng, HOPS + 1));
    }
}

bool acts_chain(struct player *player, uint8_t hops, theater_request_id_t owed,
                const uint8_t *echo)
{
    struct deed *deed = deed_begin(player, ACT_REQUEST, target(player));
    if (deed == NULL) {
        return false;
    }
    deed->chained = true;
    deed->owed = owed;
    memcpy(deed->echo, echo, LEDGER_HEADER);
    return ask(player, deed, hops);
}

void acts_answer(struct player *player)
{
    if (player->deferred_len == 0) {
        return;
    }
    unsigned at = rng_below(&player->rng, player->deferred_len);
    struct deferred one = player->deferred[at];
    player->deferred[at] = player->deferred[--player->deferred_len];
    theater_bytes_t echo = {one.echo, LEDGER_HEADER};
    switch (rng_below(&player->rng, 8)) {
    case 0:
        (void)!theater_endpoint_fail(player->endpoint, one.id, echo);
        break;
    case 1:
        if (theater_endpoint_cancel_request(player->endpoint, one.id) ==
            THEATER_OK) {
            world_fault(player->world, FAULT_CANCEL);
        }
        break;
    case 2:
        break; /* forgotten: it ends by its deadline */
    default:
        (void)!theater_endpoint_respond(player->endpoint, one.id, echo);
        break;
    }
}

/* --- Channels ------------------------------------------------------------- */

int acts_find_channel(const struct player *player, theater_channel_id_t id)
{
    for (unsigned i = 0; i < player->channels_len; i++) {
        if (player->channels[i].id.value == id.value) {
            return (int)i;
        }
    }
    return -1;
}

void acts_add_channel(struct player *player, theater_channel_id_t id,
                      unsigned peer)
{
    /* max_channels is far below. */
    if (player->channels_len == CHANNELS) {
        ledger_wrong(ledger_of(player));
        return;
    }
    player->channels[player->channels_len++] = (struct channel){id, peer};
}

void acts_remove_channel(struct player *player, unsigned at)
{
    player->channels[at] = player->channels[--player->channels_len];
}

static void act_open(struct player *player)
{
    struct ledger_entry entry;
    theater_request_id_t id = {0};
    unsigned to = target(player);
    struct deed *deed = deed_begin(player, ACT_OPEN, to);
    if (deed == NULL) {
        return;
    }
    theater_bytes_t data =
        compose(player, LEDGER_PAIR, to, 0, player->buffer, &entry);
    if (data.data == NULL ||
        (deed->request = ledger_ask(ledger_of(player), &entry)) == UINT32_MAX) {
        deed_undo(deed);
        return;
    }
    deed->entry = entry;
    theater_status_t status =
        theater_channel_open_start(player->endpoint, name_of(player, to), data,
                                   timeout(player), on_opened, deed, &id);
    deed_begun(deed, status, id, &entry);
}

void acts_data(struct player *player, const struct channel *channel)
{
    struct ledger_entry entry;
    theater_request_id_t id = {0};
    if (player->waiting[channel->peer] != 0) {
        return;
    }
    theater_bytes_t data =
        compose(player, LEDGER_PAIR, channel->peer, 0, player->buffer, &entry);
    if (data.data == NULL) {
        return;
    }
    theater_status_t status =
        theater_channel_send(player->endpoint, channel->id, data);
    took(player, &entry, channel->peer, status);
    if (status != THEATER_MAILBOX_FULL) {
        return;
    }
    struct deed *deed = deed_begin(player, ACT_CREDIT, channel->peer);
    if (deed != NULL) {
        deed_begun(deed,
                   theater_channel_credit_start(player->endpoint, channel->id,
                                                data.len, timeout(player),
                                                on_done, deed, &id),
                   id, NULL);
    }
}

static void act_data(struct player *player)
{
    if (player->channels_len != 0) {
        acts_data(
            player,
            &player->channels[rng_below(&player->rng, player->channels_len)]);
    } else {
        act_open(player);
    }
}

/* From then on nothing comes on it, and no close either. */
static void act_close(struct player *player)
{
    if (player->channels_len == 0) {
        return;
    }
    unsigned at = rng_below(&player->rng, player->channels_len);
    /* INVALID_ARGUMENT: the other end's close is on its way */
    if (theater_channel_close(player->endpoint, player->channels[at].id,
                              rng_below(&player->rng, 2) == 0
                                  ? THEATER_OK
                                  : THEATER_CANCELLED) == THEATER_OK) {
        acts_remove_channel(player, at);
    }
}

/* --- The choice ----------------------------------------------------------- */

void acts_one(struct player *player)
{
    static void (*const acts[ACTS])(struct player *) = {
        [ACT_SEND] = act_send,   [ACT_WAIT] = act_wait,
        [ACT_BATCH] = act_batch, [ACT_BROADCAST] = act_broadcast,
        [ACT_LATER] = act_later, [ACT_REQUEST] = act_request,
        [ACT_OPEN] = act_open,   [ACT_DATA] = act_data,
        [ACT_CLOSE] = act_close, [ACT_ANSWER] = acts_answer,
    };
    const uint32_t *weights = player->world->plan.weights;
    uint32_t sum = 0;
    for (unsigned i = 0; i < ACTS; i++) {
        sum += weights[i];
    }
    uint32_t pick = rng_below(&player->rng, sum);
    unsigned act = 0;
    while (pick >= weights[act]) {
        pick -= weights[act++];
    }
    if (acts[act] != NULL) {
        /* relaxed: statistics */
        atomic_fetch_add_explicit(&player->world->counts->acts[act], 1,
                                  memory_order_relaxed);
        acts[act](player);
    }
}
