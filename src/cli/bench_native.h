/* SPDX-License-Identifier: Apache-2.0 */
/* The benchmark's C actors: what an actor of any role holds, and what the files
 * of the roles share. */
#ifndef TH_CLI_BENCH_NATIVE_H
#define TH_CLI_BENCH_NATIVE_H

#include <theater/message_server.h>

#include <string.h>

#include "cli/bench.h"

enum { NATIVE_BURST = 256, NATIVE_TOKENS = 64, NATIVE_PEERS = 1024 };

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

/* --- On the way of each message ------------------------------------------- */

static inline uint64_t native_now_ns(const struct native *self)
{
    return self->config->env->now_ns(self->config->env->ctx);
}

/* Is a message whole? Counts it. */
static inline bool native_whole(struct native *self, theater_bytes_t data)
{
    self->counters.received++;
    if (data.len < BENCH_SMALLEST ||
        bench_checksum(data) != bench_word(data.data + 8)) {
        self->counters.checksum_errors++;
        return false;
    }
    return true;
}

/* Compares a sequence number with the one that is due. */
static inline void native_in_order(struct native *self, uint64_t *next,
                                   uint64_t sequence)
{
    if (sequence < *next) {
        self->counters.order_errors++;
        return;
    }
    self->counters.gaps += sequence - *next;
    *next = sequence + 1;
}

/* --- bench_native.c ------------------------------------------------------- */

void native_finish(struct native *self);
/* Whether sending goes on after a refusal. */
bool native_refused(struct native *self, theater_status_t status);
/* An operation of this actor has ended; on any thread. */
void native_done(void *user, theater_status_t status, theater_answer_t *answer);
/* Has the operation ended, and how? */
bool native_outcome(struct native *self, theater_status_t *out);
/* Answers a request with the counters. */
void native_report(struct native *self, theater_delivery_t *delivery);
/* The same, of an actor that gets nothing else. */
void native_report_only(void *user, theater_actor_t *actor,
                        theater_delivery_t *delivery);
/* Once, at the start: the actor's own parts. */
void native_enter(struct native *self, theater_actor_t *actor);
void native_destroy(void *user);

#define NATIVE_REQUESTS (1 << THEATER_HANDLE_REQUEST)
#define NATIVE_SENDS (1 << THEATER_HANDLE_SEND)
#define NATIVE_OPS(...)                                                        \
    {.size = sizeof(theater_native_ops_t),                                     \
     .handler = "message-server",                                              \
     .destroy = native_destroy,                                                \
     __VA_ARGS__}

/* --- The roles: bench_native_send.c, bench_native_talk.c ------------------ */

extern const theater_native_ops_t native_sender;
extern const theater_native_ops_t native_receiver;
extern const theater_native_ops_t native_broadcaster;
extern const theater_native_ops_t native_ring;
extern const theater_native_ops_t native_requester;
extern const theater_native_ops_t native_all_to_all;
/* Has nothing of its own: `self` is the router. */
extern const theater_native_ops_t native_echo;

#endif
