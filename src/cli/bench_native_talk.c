/* SPDX-License-Identifier: Apache-2.0 */
/* Design notes. C actors that answer what they get: ring, requester, echo,
 * all-to-all. */
#include "cli/bench_native.h"

/* --- ring, ping-pong ------------------------------------------------------ */

static void hand_on(struct native *self, theater_bytes_t data)
{
    theater_status_t status;
    do {
        status = theater_router_send(self->router, self->endpoint, self->target,
                                     data);
    } while (status != THEATER_OK && native_refused(self, status));
    self->counters.sent += status == THEATER_OK;
}

static void ring_run(void *user, theater_actor_t *actor)
{
    struct native *self = user;
    native_enter(self, actor);
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
        if (native_now_ns(self) >= self->deadline_ns) {
            native_finish(self);
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
        native_report(self, delivery);
        return;
    }
    native_enter(self, actor);
    if (!native_whole(self, data)) {
        return;
    }
    uint64_t word = bench_word(data.data);
    uint64_t token = word >> BENCH_SEQUENCE_BITS;
    uint64_t hop = word & BENCH_SEQUENCE_MASK;
    if (token >= NATIVE_TOKENS || hop < self->next[token]) {
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
    bench_stamp(self->message, bench_word(data.data + 8) - word, word + 1);
    hand_on(self, (theater_bytes_t){(const uint8_t *)self->message, data.len});
}

const theater_native_ops_t native_ring =
    NATIVE_OPS(.exports = NATIVE_REQUESTS | NATIVE_SENDS, .run = ring_run,
               .deliver = ring_deliver);

/* --- requester, echo ------------------------------------------------------ */

static void ask(struct native *self)
{
    theater_bytes_t data = {(const uint8_t *)self->message,
                            self->config->payload};
    uint64_t asked = self->counters.sent + self->counters.refused;
    if (asked % 16 == 0 && native_now_ns(self) >= self->deadline_ns) {
        native_finish(self);
        return;
    }
    bench_stamp(self->message, self->base, asked);
    if (asked % 8 == 0) {
        bench_probe_begin(self->config->probe, self->options.number, 0);
    }
    self->waits = true;
    theater_status_t status =
        theater_router_request_start(self->router, self->endpoint, self->target,
                                     data, 0, native_done, self, NULL);
    if (status != THEATER_PENDING) {
        native_done(self, status, NULL);
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
    native_enter(user, actor);
}

static void requester_woken(void *user, theater_actor_t *actor)
{
    struct native *self = user;
    theater_status_t status;
    (void)actor;
    if (self->waits) {
        if (!native_outcome(self, &status)) {
            return;
        }
        /* relaxed: [M2] */
        theater_answer_t *answer =
            atomic_load_explicit(&self->answer, memory_order_relaxed);
        if (status == THEATER_OK) {
            check_answer(self, answer);
        } else if (!native_refused(self, status)) {
            native_finish(self);
        }
        theater_answer_delete(answer);
    }
    if ((self->counters.flags & BENCH_FINISHED) == 0) {
        ask(self);
    }
}

const theater_native_ops_t native_requester =
    NATIVE_OPS(.exports = NATIVE_REQUESTS, .run = requester_run,
               .deliver = native_report_only, .woken = requester_woken);

static void echo_deliver(void *router, theater_actor_t *actor,
                         theater_delivery_t *delivery)
{
    delivery->status = THEATER_OK;
    if (delivery->export_index == THEATER_HANDLE_REQUEST) {
        delivery->result.bytes = delivery->args[0].bytes;
        return;
    }
    const theater_message_t *message = theater_message_server_current(actor);
    if (message->sender.data != NULL) {
        (void)!theater_router_send(router,
                                   theater_message_server_endpoint(actor),
                                   message->sender, delivery->args[0].bytes);
    }
}

const theater_native_ops_t native_echo = {
    .size = sizeof(theater_native_ops_t),
    .handler = "message-server",
    .exports = NATIVE_REQUESTS | NATIVE_SENDS,
    .deliver = echo_deliver,
};

/* --- all-to-all ----------------------------------------------------------- */

/* "peer-17"; printf takes longer than the message. */
static theater_bytes_t peer_name(char out[static 16], uint64_t peer)
{
    char *at = out + 16;
    do {
        *--at = (char)('0' + peer % 10);
        peer /= 10;
    } while (peer != 0);
    at -= 5;
    memcpy(at, "peer-", 5);
    return (theater_bytes_t){(const uint8_t *)at, (size_t)(out + 16 - at)};
}

static void send_random(struct native *self)
{
    char name[16];
    self->random ^= self->random << 13;
    self->random ^= self->random >> 7;
    self->random ^= self->random << 17;
    uint64_t peer = (self->random >> 16) % self->config->actors + 1;
    theater_bytes_t target = peer_name(name, peer);
    uint64_t sequence = self->sent_to[peer];
    bench_stamp(self->message, self->base,
                (uint64_t)self->options.number << BENCH_SEQUENCE_BITS |
                    sequence);
    if (peer <= BENCH_TAGS && sequence % BENCH_PEER_SAMPLE == 0) {
        bench_probe_begin(self->config->probe, self->options.number, peer);
    }
    theater_status_t status;
    do {
        status = theater_router_send(
            self->router, self->endpoint, target,
            (theater_bytes_t){(const uint8_t *)self->message,
                              self->config->payload});
    } while (status != THEATER_OK && native_refused(self, status));
    if (status == THEATER_OK) {
        self->sent_to[peer]++;
        self->counters.sent++;
    }
}

static void peer_run(void *user, theater_actor_t *actor)
{
    struct native *self = user;
    native_enter(self, actor);
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
        native_report(self, delivery);
        return;
    }
    native_enter(self, actor);
    if (!native_whole(self, data)) {
        return;
    }
    uint64_t word = bench_word(data.data);
    uint64_t from = word >> BENCH_SEQUENCE_BITS;
    uint64_t sequence = word & BENCH_SEQUENCE_MASK;
    native_in_order(self, &self->next[from % NATIVE_PEERS], sequence);
    if (self->options.number <= BENCH_TAGS &&
        sequence % BENCH_PEER_SAMPLE == 0) {
        bench_probe_end(self->config->probe, from, self->options.number);
    }
    if (self->counters.received % 64 == 0 &&
        native_now_ns(self) >= self->deadline_ns) {
        native_finish(self);
    }
    if ((self->counters.flags & BENCH_FINISHED) == 0) {
        send_random(self);
    }
}

const theater_native_ops_t native_all_to_all =
    NATIVE_OPS(.exports = NATIVE_REQUESTS | NATIVE_SENDS, .run = peer_run,
               .deliver = peer_deliver);
