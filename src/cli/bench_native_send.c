/* SPDX-License-Identifier: Apache-2.0 */
/* Design notes. C actors that send one way, and who receives it: sender,
 * receiver, listener, broadcaster. */
#include "cli/bench_native.h"

/* --- sender --------------------------------------------------------------- */

static void on_opened(void *user, theater_status_t status,
                      theater_channel_id_t channel)
{
    struct native *self = user;
    self->channel = channel;
    native_done(user, status, NULL);
}

/* A message to the receiver: OK, or PENDING: `woken` comes later. */
static theater_status_t send_one(struct native *self, theater_bytes_t data)
{
    theater_request_id_t id;
    theater_status_t status;
    if (self->options.channel) {
        status = theater_channel_send(self->endpoint, self->channel, data);
        if (status == THEATER_MAILBOX_FULL) {
            status = theater_channel_credit_start(self->endpoint, self->channel,
                                                  data.len, 0, native_done,
                                                  self, &id);
            /* OK: there is credit, so the same message once more. */
            status = status == THEATER_OK ? THEATER_TIMEOUT : status;
        }
        return status;
    }
    status =
        theater_router_send(self->router, self->endpoint, self->target, data);
    if (status == THEATER_MAILBOX_FULL) {
        status = theater_router_send_start(self->router, self->endpoint,
                                           self->target, data, 5000,
                                           native_done, self, &id);
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
    for (uint32_t i = 0; i < NATIVE_BURST; i++) {
        if ((i & 63) == 0 && native_now_ns(self) >= self->deadline_ns) {
            native_finish(self);
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
        } else if (!native_refused(self, status)) {
            native_finish(self);
            return;
        }
    }
    theater_actor_wake(self->actor);
}

static void sender_run(void *user, theater_actor_t *actor)
{
    struct native *self = user;
    theater_request_id_t id;
    native_enter(self, actor);
    if (!self->options.channel) {
        return; /* woken follows */
    }
    self->waits = true;
    theater_status_t status = theater_channel_open_start(
        self->endpoint, self->target, (theater_bytes_t){NULL, 0}, 0, on_opened,
        self, &id);
    if (status != THEATER_PENDING) {
        native_refused(self, status);
        native_finish(self);
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
        if (!native_outcome(self, &status)) {
            return;
        }
        if (status == THEATER_OK) {
            /* On a channel the message itself is still to be sent. */
            self->counters.sent += !self->options.channel;
        } else if (!native_refused(self, status)) {
            native_finish(self);
            return;
        }
    }
    send_burst(self);
}

/* --- receiver ------------------------------------------------------------- */

static void receive(struct native *self, theater_bytes_t data)
{
    if (!native_whole(self, data)) {
        return;
    }
    uint64_t word = bench_word(data.data);
    uint64_t from = word >> BENCH_SEQUENCE_BITS;
    uint64_t sequence = word & BENCH_SEQUENCE_MASK;
    bool many = self->options.role == BENCH_RECEIVER_MANY;
    native_in_order(self, &self->next[many ? from % NATIVE_PEERS : 0],
                    sequence);
    uint64_t sample = self->options.role == BENCH_LISTENER
                          ? BENCH_BROADCAST_SAMPLE
                          : BENCH_SAMPLE;
    if (sequence % sample == 0) {
        bench_probe_end(self->config->probe, from, sequence / sample);
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
        native_report(self, delivery);
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

const theater_native_ops_t native_sender =
    NATIVE_OPS(.exports = NATIVE_REQUESTS, .run = sender_run,
               .deliver = native_report_only, .woken = sender_woken);
const theater_native_ops_t native_receiver =
    NATIVE_OPS(.exports = 31, .deliver = receiver_deliver);

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
            native_done, self, &id);
        if (status == THEATER_PENDING) {
            self->waits = true;
            return false;
        }
        if (status == THEATER_OK) {
            self->counters.sent++;
        } else {
            native_refused(self, status);
        }
    }
    return true;
}

static void broadcast_once(struct native *self)
{
    bench_stamp(self->message, self->base, self->counters.completed);
    if (self->counters.completed % BENCH_BROADCAST_SAMPLE == 0) {
        bench_probe_begin(self->config->probe, 0,
                          self->counters.completed / BENCH_BROADCAST_SAMPLE);
    }
    self->again = 0;
    theater_status_t status = theater_router_broadcast(
        self->router, self->endpoint, self->names, self->config->actors,
        (theater_bytes_t){(const uint8_t *)self->message,
                          self->config->payload},
        self->codes);
    if (status != THEATER_OK) {
        native_refused(self, status);
        native_finish(self);
        return;
    }
    for (uint32_t i = 0; i < self->config->actors; i++) {
        self->counters.sent += self->codes[i] == THEATER_OK;
    }
}

static void broadcaster_run(void *user, theater_actor_t *actor)
{
    struct native *self = user;
    native_enter(self, actor);
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
        if (!native_outcome(self, &status)) {
            return;
        }
        if (status == THEATER_OK) {
            self->counters.sent++;
            self->again++;
        } else if (!native_refused(self, status)) {
            native_finish(self);
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
    if (native_now_ns(self) >= self->deadline_ns) {
        native_finish(self);
        return;
    }
    broadcast_once(self);
    self->drawn = true;
    theater_actor_wake(actor);
}

const theater_native_ops_t native_broadcaster =
    NATIVE_OPS(.exports = NATIVE_REQUESTS, .run = broadcaster_run,
               .deliver = native_report_only, .woken = broadcaster_woken);
