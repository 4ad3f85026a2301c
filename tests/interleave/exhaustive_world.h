/* SPDX-License-Identifier: Apache-2.0 */
/* A small world of the message server whose schedules are all tried: three
 * ends at most, what happened to each thread, and a check that nothing was
 * lost. One per program. */
#ifndef TH_TESTS_INTERLEAVE_EXHAUSTIVE_WORLD_H
#define TH_TESTS_INTERLEAVE_EXHAUSTIVE_WORLD_H

#include "exhaustive.h"

#include <theater/channel.h>

#include "messaging/endpoint.h"

enum { ENDS = 3 };

#define SECOND UINT64_C(1000000000)

/* What happened to one thread; its own. */
struct row {
    theater_status_t status[4];
    unsigned calls; /* of the callback */
    theater_status_t told;
    unsigned received, closes;
};

static theater_router_t *router;
static theater_endpoint_t *ends[ENDS];
static struct row rows[ENDS];
static theater_request_id_t request;
static _Atomic unsigned woken;
static unsigned outcomes[THEATER_STATUS_COUNT]; /* over all schedules */

static inline theater_bytes_t text(const char *s)
{
    return (theater_bytes_t){(const uint8_t *)s, strlen(s)};
}

static inline void wake(void *user)
{
    (void)user;
    /* relaxed: a count, looked at when all have ended */
    atomic_fetch_add_explicit(&woken, 1, memory_order_relaxed);
}

static inline void add_as(unsigned who, const char *name,
                          const theater_endpoint_options_t *options)
{
    theater_endpoint_options_t mine = *options;
    mine.wake = wake;
    TH_CHECK(theater_router_register(router, name, strlen(name), &mine,
                                     &ends[who]) == THEATER_OK);
}

static inline void add_with(unsigned who, const char *name, uint32_t capacity,
                            theater_on_full_t on_full, bool waits)
{
    theater_endpoint_options_t options = THEATER_ENDPOINT_OPTIONS_INIT;
    options.capacity = capacity;
    options.on_full = on_full;
    options.waits = waits;
    add_as(who, name, &options);
}

static inline void add(unsigned who, const char *name, uint32_t capacity)
{
    add_with(who, name, capacity, THEATER_REFUSE, false);
}

static inline void open_router_in(const theater_env_t *env)
{
    theater_router_options_t options = THEATER_ROUTER_OPTIONS_INIT;
    memset(rows, 0, sizeof rows);
    memset(ends, 0, sizeof ends);
    /* relaxed: nobody else is here */
    atomic_store_explicit(&woken, 0, memory_order_relaxed);
    options.env = env;
    options.max_endpoints = 64;
    options.max_pending = 64;
    TH_CHECK(theater_router_new(&options, &router) == THEATER_OK);
}

static inline void open_router(void)
{
    open_router_in(th_interleave_env());
}

static inline void leave(unsigned who)
{
    theater_endpoint_unregister(ends[who], THEATER_OK);
    ends[who] = NULL;
}

/* Everything that was accepted is accounted for, every request has ended. */
static inline void close_router(void)
{
    theater_counters_t c;
    uint64_t ended = 0;
    for (unsigned i = 0; i < ENDS; i++) {
        if (ends[i] != NULL) {
            leave(i);
        }
    }
    theater_router_counters(router, &c);
    for (unsigned i = 0; i < THEATER_STATUS_COUNT; i++) {
        ended += c.ended[i];
    }
    TH_CHECK(c.accepted == c.delivered + c.dead_total);
    TH_CHECK(c.requests == ended);
    TH_CHECK(c.endpoints == 0 && c.pending == 0);
    theater_router_release(router);
}

static inline void receive(unsigned who)
{
    const theater_message_t *message = NULL;
    if (theater_endpoint_receive(ends[who], &message) == THEATER_OK) {
        rows[who].received++;
        rows[who].closes += message->kind == THEATER_MESSAGE_CHANNEL_CLOSE;
        theater_endpoint_done(ends[who], THEATER_OK);
    }
}

static inline void receive_all(unsigned who)
{
    for (unsigned before = ~0U; before != rows[who].received;) {
        before = rows[who].received;
        receive(who);
    }
}

/* As a scheduler would: not without a wake. */
static inline void receive_if_woken(unsigned who)
{
    /* acq_rel: what was there before the wake is seen */
    if (atomic_exchange_explicit(&woken, 0, memory_order_acq_rel) != 0) {
        receive(who);
        receive(who);
        receive(who);
    }
}

static inline void receive_while_woken(unsigned who)
{
    /* relaxed: all have ended */
    while (atomic_load_explicit(&woken, memory_order_relaxed) != 0) {
        receive_if_woken(who);
    }
}

static inline void on_done(void *user, theater_status_t status,
                           theater_answer_t *answer)
{
    struct row *row = user;
    row->calls++;
    row->told = status;
    theater_answer_delete(answer);
}

static inline void told_opened(void *user, theater_status_t status,
                               theater_channel_id_t id)
{
    struct row *row = user;
    (void)id;
    row->calls++;
    row->told = status;
}

#endif
