/* SPDX-License-Identifier: Apache-2.0 */
/* Design notes. The benchmark's actors as C actors: the same messages,
 * settings, counters and checks as those of bench/actors. They run on workers
 * and never wait: who finds a mailbox full starts a wait and goes on in
 * `woken`; who has more to do than a burst wakes itself, so that others have
 * their turn.
 *
 * `outcome` is written by the callback that ends an operation (any thread),
 * taken by the actor. */
#include "cli/bench.h"

#include <stdio.h>
#include <string.h>

enum { BURST = 256, TARGET_MAX = 64, TOKENS = 64, PEERS = 1024 };

/* outcome: nothing yet; or a status plus one. */
enum { NO_OUTCOME = 0 };

struct native {
    const struct bench_config *config;
    theater_router_t *router;
    theater_actor_t *actor;
    theater_endpoint_t *endpoint;
    struct bench_native_options options;
    theater_bytes_t target;
    struct bench_counters counters;
    uint64_t deadline_ns;
    uint64_t start_ns;
    uint64_t base;
    uint64_t check_at;
    uint64_t random;
    bool waits;     /* an operation is under way */
    bool failed;    /* the target is gone */
    bool drawn;     /* a message was stamped and is still to be sent */
    uint32_t again; /* broadcaster: listener that is served once more */
    _Atomic uint32_t outcome;
    _Atomic(theater_answer_t *) answer;
    theater_channel_id_t channel;
    uint64_t *message;
    uint64_t *next; /* sequence that is due, per sender */
    uint64_t *sent_to;
    theater_bytes_t *names;
    uint8_t *codes;
};

/* --- What all share ------------------------------------------------------- */

uint64_t bench_fill(uint64_t *message, size_t len)
{
    uint64_t filler = UINT64_C(0x9e3779b97f4a7c15);
    for (size_t i = 0; i < (len + 7) / 8; i++) {
        message[i] = filler;
        filler = filler * UINT64_C(6364136223846793005) + 1;
    }
    return bench_checksum((theater_bytes_t){(uint8_t *)message, len}) -
           message[0];
}

static uint64_t word_at(const uint8_t *at)
{
    uint64_t word;
    memcpy(&word, at, sizeof word);
    return word;
}

uint64_t bench_checksum(theater_bytes_t data)
{
    const uint8_t *at = data.data + BENCH_SMALLEST;
    size_t left = data.len - BENCH_SMALLEST;
    uint64_t a = data.len + word_at(data.data);
    uint64_t b = 0;
    uint64_t c = 0;
    uint64_t d = 0;
    for (; left >= 32; left -= 32, at += 32) {
        a += word_at(at);
        b += word_at(at + 8);
        c += word_at(at + 16);
        d += word_at(at + 24);
    }
    for (; left >= 8; left -= 8, at += 8) {
        b += word_at(at);
    }
    for (; left > 0; left--, at++) {
        d += *at;
    }
    return a + 3 * b + 5 * c + 7 * d;
}

static uint64_t now_ns(const struct native *self)
{
    return self->config->env->now_ns(self->config->env->ctx);
}

static bool whole(struct native *self, theater_bytes_t data)
{
    self->counters.received++;
    if (data.len < BENCH_SMALLEST ||
        bench_checksum(data) != word_at(data.data + 8)) {
        self->counters.checksum_errors++;
        return false;
    }
    return true;
}

static void in_order(struct native *self, uint64_t *next, uint64_t sequence)
{
    if (sequence < *next) {
        self->counters.order_errors++;
        return;
    }
    self->counters.gaps += sequence - *next;
    *next = sequence + 1;
}

static void finish(struct native *self)
{
    self->counters.elapsed_ms = (now_ns(self) - self->start_ns) / 1000000;
    self->counters.flags |= BENCH_FINISHED;
}

/* Whether sending goes on after a refusal. */
static bool refused(struct native *self, theater_status_t status)
{
    self->counters.refused++;
    self->counters.last_code = (uint64_t)status;
    return status == THEATER_MAILBOX_FULL || status == THEATER_TIMEOUT;
}

/* An operation of this actor has ended; on any thread. */
static void on_done(void *user, theater_status_t status,
                    theater_answer_t *answer)
{
    struct native *self = user;
    /* relaxed: the release below publishes it */
    atomic_store_explicit(&self->answer, answer, memory_order_relaxed);
    /* [M1] release; pairs with [M2]: the answer. */
    atomic_store_explicit(&self->outcome, (uint32_t)status + 1,
                          memory_order_release);
    theater_actor_wake(self->actor);
}

static void on_opened(void *user, theater_status_t status,
                      theater_channel_id_t channel)
{
    struct native *self = user;
    self->channel = channel;
    on_done(user, status, NULL);
}

/* Has the operation ended, and how? */
static bool take_outcome(struct native *self, theater_status_t *out)
{
    /* [M2] acquire; pairs with [M1] */
    uint32_t outcome =
        atomic_load_explicit(&self->outcome, memory_order_acquire);
    if (outcome == NO_OUTCOME) {
        return false;
    }
    /* relaxed: the next operation's start publishes it */
    atomic_store_explicit(&self->outcome, NO_OUTCOME, memory_order_relaxed);
    self->waits = false;
    *out = (theater_status_t)(outcome - 1);
    return true;
}

static void deliver_report(struct native *self, theater_delivery_t *delivery)
{
    delivery->status = THEATER_OK;
    delivery->result.bytes = (theater_bytes_t){(const uint8_t *)&self->counters,
                                               sizeof self->counters};
}

/* Once, at the start: the actor's own parts. */
static void enter(struct native *self, theater_actor_t *actor)
{
    if (self->endpoint != NULL) {
        return;
    }
    self->actor = actor;
    self->endpoint = theater_message_server_endpoint(actor);
    self->start_ns = now_ns(self);
    self->deadline_ns = self->start_ns + self->config->warm_ns +
                        self->config->run_ns + 30 * UINT64_C(1000000);
}

/* --- sender --------------------------------------------------------------- */

/* A message to the receiver: OK, or PENDING: `woken` comes later. */
static theater_status_t send_one(struct native *self, theater_bytes_t data)
{
    theater_request_id_t id;
    theater_status_t status;
    if (self->options.channel) {
        status = theater_channel_send(self->endpoint, self->channel, data);
        if (status == THEATER_MAILBOX_FULL) {
            status = theater_channel_credit_start(
                self->endpoint, self->channel, data.len, 0, on_done, self, &id);
            /* OK: there is credit, so the same message once more. */
            status = status == THEATER_OK ? THEATER_TIMEOUT : status;
        }
        return status;
    }
    status =
        theater_router_send(self->router, self->endpoint, self->target, data);
    if (status == THEATER_MAILBOX_FULL) {
        status = theater_router_send_start(self->router, self->endpoint,
                                           self->target, data, 5000, on_done,
                                           self, &id);
    }
    return status;
}

static void sample_begin(struct native *self)
{
    if (self->counters.sent % BENCH_SAMPLE == 0) {
        bench_probe_begin(self->config->probe, self->options.number,
                          self->counters.sent / BENCH_SAMPLE);
    }
}

static void send_burst(struct native *self)
{
    theater_bytes_t data = {(const uint8_t *)self->message,
                            self->config->payload};
    uint64_t word = (uint64_t)self->options.number << BENCH_SEQUENCE_BITS;
    for (uint32_t i = 0; i < BURST; i++) {
        if ((i & 63) == 0 && now_ns(self) >= self->deadline_ns) {
            finish(self);
            if (self->options.channel) {
                (void)!theater_channel_close(self->endpoint, self->channel,
                                             THEATER_OK);
            }
            return;
        }
        bench_stamp(self->message, self->base, word + self->counters.sent);
        sample_begin(self);
        theater_status_t status = send_one(self, data);
        if (status == THEATER_PENDING) {
            self->waits = true;
            return;
        }
        if (status == THEATER_OK) {
            self->counters.sent++;
        } else if (!refused(self, status)) {
            finish(self);
            return;
        }
    }
    theater_actor_wake(self->actor);
}

static void sender_run(void *user, theater_actor_t *actor)
{
    struct native *self = user;
    theater_request_id_t id;
    enter(self, actor);
    if (!self->options.channel) {
        return; /* woken follows */
    }
    self->waits = true;
    theater_status_t status = theater_channel_open_start(
        self->endpoint, self->target, (theater_bytes_t){NULL, 0}, 0, on_opened,
        self, &id);
    if (status != THEATER_PENDING) {
        refused(self, status);
        finish(self);
    }
}

static void sender_woken(void *user, theater_actor_t *actor)
{
    struct native *self = user;
    theater_status_t status;
    (void)actor;
    if ((self->counters.flags & BENCH_FINISHED) != 0) {
        return;
    }
    if (self->waits) {
        if (!take_outcome(self, &status)) {
            return;
        }
        if (status == THEATER_OK) {
            /* On a channel the message itself is still to be sent. */
            self->counters.sent += !self->options.channel;
        } else if (!refused(self, status)) {
            finish(self);
            return;
        }
    }
    send_burst(self);
}

static void report_only(void *user, theater_actor_t *actor,
                        theater_delivery_t *delivery)
{
    (void)actor;
    deliver_report(user, delivery);
}

/* --- receiver ------------------------------------------------------------- */

static void receive(struct native *self, theater_bytes_t data)
{
    if (!whole(self, data)) {
        return;
    }
    uint64_t word = word_at(data.data);
    uint64_t from = word >> BENCH_SEQUENCE_BITS;
    uint64_t sequence = word & BENCH_SEQUENCE_MASK;
    bool many = self->options.role == BENCH_RECEIVER_MANY;
    in_order(self, &self->next[many ? from % PEERS : 0], sequence);
    if (sequence % BENCH_SAMPLE == 0) {
        bench_probe_end(self->config->probe, from, sequence / BENCH_SAMPLE);
    }
}

static void receiver_deliver(void *user, theater_actor_t *actor,
                             theater_delivery_t *delivery)
{
    struct native *self = user;
    (void)actor;
    delivery->status = THEATER_OK;
    switch (delivery->export_index) {
    case THEATER_HANDLE_SEND:
        receive(self, delivery->args[0].bytes);
        break;
    case THEATER_HANDLE_REQUEST:
        deliver_report(self, delivery);
        break;
    case THEATER_HANDLE_CHANNEL_OPEN:
        delivery->result.u32 = 1;
        break;
    case THEATER_HANDLE_CHANNEL_MESSAGE:
        receive(self, delivery->args[1].bytes);
        break;
    default:
        self->counters.completed++;
        break;
    }
}

/* --- ring, ping-pong ------------------------------------------------------ */

static void hand_on(struct native *self, theater_bytes_t data)
{
    theater_status_t status;
    do {
        status = theater_router_send(self->router, self->endpoint, self->target,
                                     data);
    } while (status != THEATER_OK && refused(self, status));
    self->counters.sent += status == THEATER_OK;
}

static void ring_run(void *user, theater_actor_t *actor)
{
    struct native *self = user;
    enter(self, actor);
    for (uint64_t i = 0; self->options.start && i < self->config->tokens; i++) {
        bench_stamp(self->message, self->base, i << BENCH_SEQUENCE_BITS | 1);
        hand_on(self, (theater_bytes_t){(const uint8_t *)self->message,
                                        self->config->payload});
    }
}

/* A lap is over: a sample of one in 16, and the clock every 128. */
static void lap(struct native *self)
{
    uint64_t laps = ++self->counters.completed;
    if (self->config->tokens == 1 && laps % 16 == 1) {
        bench_probe_end(self->config->probe, self->options.number, 0);
    }
    if (laps >= self->check_at &&
        (self->counters.flags & BENCH_FINISHED) == 0) {
        self->check_at = laps + 128;
        if (now_ns(self) >= self->deadline_ns) {
            finish(self);
        }
    }
}

static void ring_deliver(void *user, theater_actor_t *actor,
                         theater_delivery_t *delivery)
{
    struct native *self = user;
    theater_bytes_t data = delivery->args[0].bytes;
    delivery->status = THEATER_OK;
    if (delivery->export_index == THEATER_HANDLE_REQUEST) {
        deliver_report(self, delivery);
        return;
    }
    enter(self, actor);
    if (!whole(self, data)) {
        return;
    }
    uint64_t word = word_at(data.data);
    uint64_t token = word >> BENCH_SEQUENCE_BITS;
    uint64_t hop = word & BENCH_SEQUENCE_MASK;
    if (token >= TOKENS || hop < self->next[token]) {
        self->counters.order_errors++;
        return;
    }
    self->next[token] = hop + 1;
    if (self->options.start) {
        lap(self);
        if ((self->counters.flags & BENCH_FINISHED) != 0) {
            return;
        }
        if (self->config->tokens == 1 && self->counters.completed % 16 == 0) {
            bench_probe_begin(self->config->probe, self->options.number, 0);
        }
    }
    memcpy(self->message, data.data, data.len);
    bench_stamp(self->message, word_at(data.data + 8) - word, word + 1);
    hand_on(self, (theater_bytes_t){(const uint8_t *)self->message, data.len});
}

/* --- requester, echo ------------------------------------------------------ */

static void ask(struct native *self)
{
    theater_bytes_t data = {(const uint8_t *)self->message,
                            self->config->payload};
    uint64_t asked = self->counters.sent + self->counters.refused;
    if (asked % 16 == 0 && now_ns(self) >= self->deadline_ns) {
        finish(self);
        return;
    }
    bench_stamp(self->message, self->base, asked);
    if (asked % 8 == 0) {
        bench_probe_begin(self->config->probe, self->options.number, 0);
    }
    self->waits = true;
    theater_status_t status =
        theater_router_request_start(self->router, self->endpoint, self->target,
                                     data, 0, on_done, self, NULL);
    if (status != THEATER_PENDING) {
        on_done(self, status, NULL);
    }
}

static void check_answer(struct native *self, const theater_answer_t *answer)
{
    if (answer->len != self->config->payload ||
        memcmp(answer->data, self->message, answer->len) != 0) {
        self->counters.checksum_errors++;
    }
    if (self->counters.sent % 8 == 0) {
        bench_probe_end(self->config->probe, self->options.number, 0);
    }
    self->counters.sent++;
    self->counters.completed++;
}

static void requester_run(void *user, theater_actor_t *actor)
{
    enter(user, actor);
}

static void requester_woken(void *user, theater_actor_t *actor)
{
    struct native *self = user;
    theater_status_t status;
    (void)actor;
    if (self->waits) {
        if (!take_outcome(self, &status)) {
            return;
        }
        /* relaxed: [M2] */
        theater_answer_t *answer =
            atomic_load_explicit(&self->answer, memory_order_relaxed);
        if (status == THEATER_OK) {
            check_answer(self, answer);
        } else if (!refused(self, status)) {
            finish(self);
        }
        theater_answer_delete(answer);
    }
    if ((self->counters.flags & BENCH_FINISHED) == 0) {
        ask(self);
    }
}

static void echo_deliver(void *user, theater_actor_t *actor,
                         theater_delivery_t *delivery)
{
    struct native *self = user;
    delivery->status = THEATER_OK;
    if (delivery->export_index == THEATER_HANDLE_REQUEST) {
        delivery->result.bytes = delivery->args[0].bytes;
        return;
    }
    const theater_message_t *message = theater_message_server_current(actor);
    enter(self, actor);
    if (message->sender.data != NULL) {
        (void)!theater_router_send(self->router, self->endpoint,
                                   message->sender, delivery->args[0].bytes);
    }
}

/* --- all-to-all ----------------------------------------------------------- */

static void send_random(struct native *self)
{
    char name[32];
    self->random ^= self->random << 13;
    self->random ^= self->random >> 7;
    self->random ^= self->random << 17;
    uint64_t peer = (self->random >> 16) % self->config->actors + 1;
    int len = snprintf(name, sizeof name, "peer-%u", (unsigned)peer);
    bench_stamp(self->message, self->base,
                (uint64_t)self->options.number << BENCH_SEQUENCE_BITS |
                    self->sent_to[peer]);
    theater_status_t status;
    do {
        status = theater_router_send(
            self->router, self->endpoint,
            (theater_bytes_t){(const uint8_t *)name, (size_t)len},
            (theater_bytes_t){(const uint8_t *)self->message,
                              self->config->payload});
    } while (status != THEATER_OK && refused(self, status));
    if (status == THEATER_OK) {
        self->sent_to[peer]++;
        self->counters.sent++;
    }
}

static void peer_run(void *user, theater_actor_t *actor)
{
    struct native *self = user;
    enter(self, actor);
    for (int i = 0; i < 8; i++) {
        send_random(self);
    }
}

static void peer_deliver(void *user, theater_actor_t *actor,
                         theater_delivery_t *delivery)
{
    struct native *self = user;
    theater_bytes_t data = delivery->args[0].bytes;
    delivery->status = THEATER_OK;
    if (delivery->export_index == THEATER_HANDLE_REQUEST) {
        deliver_report(self, delivery);
        return;
    }
    enter(self, actor);
    if (!whole(self, data)) {
        return;
    }
    uint64_t word = word_at(data.data);
    in_order(self, &self->next[(word >> BENCH_SEQUENCE_BITS) % PEERS],
             word & BENCH_SEQUENCE_MASK);
    if (self->counters.received % 64 == 0 &&
        now_ns(self) >= self->deadline_ns) {
        finish(self);
    }
    if ((self->counters.flags & BENCH_FINISHED) == 0) {
        send_random(self);
    }
}

/* --- broadcaster ---------------------------------------------------------- */

/* Listeners whose mailbox was full get the same message once more, waiting,
 * in their order. True: all have it. */
static bool serve_again(struct native *self)
{
    theater_bytes_t data = {(const uint8_t *)self->message,
                            self->config->payload};
    theater_request_id_t id;
    for (; self->again < self->config->actors; self->again++) {
        if (self->codes[self->again] == THEATER_OK) {
            continue;
        }
        theater_status_t status = theater_router_send_start(
            self->router, self->endpoint, self->names[self->again], data, 5000,
            on_done, self, &id);
        if (status == THEATER_PENDING) {
            self->waits = true;
            return false;
        }
        if (status == THEATER_OK) {
            self->counters.sent++;
        } else {
            refused(self, status);
        }
    }
    return true;
}

static void broadcast_once(struct native *self)
{
    bench_stamp(self->message, self->base, self->counters.completed);
    self->again = 0;
    theater_status_t status = theater_router_broadcast(
        self->router, self->endpoint, self->names, self->config->actors,
        (theater_bytes_t){(const uint8_t *)self->message,
                          self->config->payload},
        self->codes);
    if (status != THEATER_OK) {
        refused(self, status);
        finish(self);
        return;
    }
    for (uint32_t i = 0; i < self->config->actors; i++) {
        self->counters.sent += self->codes[i] == THEATER_OK;
    }
}

static void broadcaster_run(void *user, theater_actor_t *actor)
{
    struct native *self = user;
    enter(self, actor);
    self->again = self->config->actors;
}

static void broadcaster_woken(void *user, theater_actor_t *actor)
{
    struct native *self = user;
    theater_status_t status;
    if ((self->counters.flags & BENCH_FINISHED) != 0) {
        return;
    }
    if (self->waits) {
        if (!take_outcome(self, &status)) {
            return;
        }
        if (status == THEATER_OK) {
            self->counters.sent++;
            self->again++;
        } else if (!refused(self, status)) {
            finish(self);
            return;
        }
    }
    if (!serve_again(self)) {
        return;
    }
    if (self->drawn) {
        self->counters.completed++;
        self->drawn = false;
    }
    if (now_ns(self) >= self->deadline_ns) {
        finish(self);
        return;
    }
    broadcast_once(self);
    self->drawn = true;
    theater_actor_wake(actor);
}

/* --- Making them ---------------------------------------------------------- */

static void destroy(void *user)
{
    struct native *self = user;
    const theater_env_t *env = self->config->env;
    env->free(env->ctx, self->message);
    env->free(env->ctx, self->next);
    env->free(env->ctx, self->sent_to);
    env->free(env->ctx, self->names);
    env->free(env->ctx, self->codes);
    env->free(env->ctx, self);
}

#define OPS(...)                                                               \
    {.size = sizeof(theater_native_ops_t),                                     \
     .handler = "message-server",                                              \
     .destroy = destroy,                                                       \
     __VA_ARGS__}
#define REQUESTS (1 << THEATER_HANDLE_REQUEST)
#define SENDS (1 << THEATER_HANDLE_SEND)

static const theater_native_ops_t all_ops[BENCH_ROLES] = {
    [BENCH_SENDER] = OPS(.exports = REQUESTS, .run = sender_run,
                         .deliver = report_only, .woken = sender_woken),
    [BENCH_RECEIVER] = OPS(.exports = 31, .deliver = receiver_deliver),
    [BENCH_RECEIVER_MANY] = OPS(.exports = 31, .deliver = receiver_deliver),
    [BENCH_RING] = OPS(.exports = REQUESTS | SENDS, .run = ring_run,
                       .deliver = ring_deliver),
    [BENCH_REQUESTER] = OPS(.exports = REQUESTS, .run = requester_run,
                            .deliver = report_only, .woken = requester_woken),
    [BENCH_ECHO] = OPS(.exports = REQUESTS | SENDS, .deliver = echo_deliver),
    [BENCH_ALL_TO_ALL] = OPS(.exports = REQUESTS | SENDS, .run = peer_run,
                             .deliver = peer_deliver),
    [BENCH_BROADCASTER] =
        OPS(.exports = REQUESTS, .run = broadcaster_run, .deliver = report_only,
            .woken = broadcaster_woken),
};

static void *zeroed(const theater_env_t *env, size_t size)
{
    void *memory = env->alloc(env->ctx, size, 16);
    return memory != NULL ? memset(memory, 0, size) : NULL;
}

/* "listener-1" ...: the names follow the list of them. */
static bool make_names(struct native *self)
{
    const theater_env_t *env = self->config->env;
    size_t len = self->config->actors;
    self->names = zeroed(env, len * (sizeof *self->names + 32));
    self->codes = zeroed(env, len);
    if (self->names == NULL || self->codes == NULL) {
        return false;
    }
    char *text = (char *)(self->names + len);
    for (size_t i = 0; i < len; i++, text += 32) {
        int name_len = snprintf(text, 32, "listener-%zu", i + 1);
        self->names[i] =
            (theater_bytes_t){(const uint8_t *)text, (size_t)name_len};
    }
    return true;
}

/* What the role needs beyond the structure; false: no memory. */
static bool make_parts(struct native *self)
{
    const theater_env_t *env = self->config->env;
    enum bench_role role = self->options.role;
    if (role == BENCH_ECHO) {
        return true;
    }
    if (role == BENCH_RECEIVER || role == BENCH_RECEIVER_MANY) {
        self->next = zeroed(env, role == BENCH_RECEIVER ? 8 : PEERS * 8);
        return self->next != NULL;
    }
    self->message = zeroed(env, self->config->payload + 8);
    self->next = zeroed(env, PEERS * 8);
    if (self->message == NULL || self->next == NULL) {
        return false;
    }
    self->base = bench_fill(self->message, self->config->payload);
    if (role == BENCH_ALL_TO_ALL) {
        self->sent_to = zeroed(env, (PEERS + 1) * 8);
        return self->sent_to != NULL;
    }
    return role != BENCH_BROADCASTER || make_names(self);
}

theater_status_t bench_native_spawn(struct bench_world *world, const char *name,
                                    bool paused,
                                    const theater_manifest_t *manifest,
                                    const struct bench_native_options *options,
                                    theater_error_t *err)
{
    theater_spawn_options_t spawn = THEATER_SPAWN_OPTIONS_INIT;
    struct native *self = zeroed(world->config->env, sizeof *self);
    if (self == NULL) {
        return THEATER_OUT_OF_MEMORY;
    }
    self->config = world->config;
    self->router = world->router;
    self->options = *options;
    self->target = (theater_bytes_t){(const uint8_t *)self->options.target,
                                     strlen(self->options.target)};
    self->counters.magic = BENCH_MAGIC;
    self->random = options->number * UINT64_C(0x9e3779b97f4a7c15);
    spawn.paused = paused;
    theater_status_t status = THEATER_OUT_OF_MEMORY;
    if (make_parts(self)) {
        status =
            theater_runtime_spawn_native(world->runtime, name, manifest, &spawn,
                                         &all_ops[options->role], self, err);
    }
    if (status != THEATER_OK) {
        destroy(self);
    }
    return status;
}
