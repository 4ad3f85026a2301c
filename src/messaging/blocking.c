/* SPDX-License-Identifier: Apache-2.0 */
/* Design notes. The calls that wait on the calling thread: an operation whose
 * callback stores the outcome and wakes the thread. While it waits the thread
 * drives the router's timers, so a program of two threads needs no third. */
#include "messaging/channel.h"
#include "messaging/op.h"

struct outcome {
    const theater_env_t *env;
    _Atomic uint32_t done;
    theater_status_t status;
    theater_answer_t *answer;
    theater_channel_id_t channel;
};

static void settle(struct outcome *outcome)
{
    const theater_env_t *env = outcome->env;
    /* release; pairs with the acquire in await. The outcome may be gone
     * right after; the address of a word that was woken is not read. */
    atomic_store_explicit(&outcome->done, 1, memory_order_release);
    env->unpark(env->ctx, (const void *)&outcome->done, 1);
}

static void on_done(void *user, theater_status_t status,
                    theater_answer_t *answer)
{
    struct outcome *outcome = user;
    outcome->status = status;
    outcome->answer = answer;
    settle(outcome);
}

static void on_opened(void *user, theater_status_t status,
                      theater_channel_id_t channel)
{
    struct outcome *outcome = user;
    outcome->status = status;
    outcome->channel = channel;
    settle(outcome);
}

/* Waits for the callback; what was started always ends: it has a deadline. */
static theater_status_t await(theater_router_t *router, struct outcome *outcome)
{
    const theater_env_t *env = router->env;
    /* acquire; pairs with the release in settle */
    while (atomic_load_explicit(&outcome->done, memory_order_acquire) == 0) {
        uint64_t next = theater_router_next_deadline(router);
        if (next <= th_now(env)) {
            theater_router_advance(router, th_now(env));
            next = theater_router_next_deadline(router);
        }
        env->park(env->ctx, (const void *)&outcome->done, 0, next);
    }
    return outcome->status;
}

static struct outcome outcome_of(theater_router_t *router)
{
    return (struct outcome){.env = router->env};
}

theater_status_t
theater_router_request(theater_router_t *router, theater_endpoint_t *from,
                       theater_bytes_t target, theater_bytes_t data,
                       uint32_t timeout_ms, theater_answer_t **out_answer)
{
    struct outcome outcome = outcome_of(router);
    if (th_thread_is_worker) {
        return THEATER_WRONG_THREAD;
    }
    theater_status_t status = theater_router_request_start(
        router, from, target, data, timeout_ms, on_done, &outcome, NULL);
    if (status == THEATER_PENDING) {
        status = await(router, &outcome);
        *out_answer = outcome.answer;
    }
    return status;
}

theater_status_t theater_router_send_wait(theater_router_t *router,
                                          theater_endpoint_t *from,
                                          theater_bytes_t target,
                                          theater_bytes_t data,
                                          uint32_t timeout_ms)
{
    struct outcome outcome = outcome_of(router);
    if (th_thread_is_worker) {
        return THEATER_WRONG_THREAD;
    }
    theater_status_t status = theater_router_send_start(
        router, from, target, data, timeout_ms, on_done, &outcome, NULL);
    return status == THEATER_PENDING ? await(router, &outcome) : status;
}

theater_status_t theater_channel_open(theater_endpoint_t *from,
                                      theater_bytes_t target,
                                      theater_bytes_t data, uint32_t timeout_ms,
                                      theater_channel_id_t *out_channel)
{
    if (from == NULL) {
        return THEATER_INVALID_ARGUMENT;
    }
    if (th_thread_is_worker) {
        return THEATER_WRONG_THREAD;
    }
    struct outcome outcome = outcome_of(from->router);
    theater_status_t status = theater_channel_open_start(
        from, target, data, timeout_ms, on_opened, &outcome, NULL);
    if (status == THEATER_PENDING) {
        status = await(from->router, &outcome);
        if (status == THEATER_OK) {
            *out_channel = outcome.channel;
        }
    }
    return status;
}

theater_status_t theater_channel_send_wait(theater_endpoint_t *endpoint,
                                           theater_channel_id_t channel,
                                           theater_bytes_t data,
                                           uint32_t timeout_ms)
{
    const theater_env_t *env = endpoint->router->env;
    uint64_t deadline = th_now(env) + timeout_ms * UINT64_C(1000000);
    if (th_thread_is_worker) {
        return THEATER_WRONG_THREAD;
    }
    for (;;) {
        theater_status_t status = theater_channel_send(endpoint, channel, data);
        uint64_t now = th_now(env);
        if (status != THEATER_MAILBOX_FULL || now >= deadline) {
            return status;
        }
        struct outcome outcome = outcome_of(endpoint->router);
        status = theater_channel_credit_start(
            endpoint, channel, data.len,
            (uint32_t)((deadline - now + 999999) / 1000000), on_done, &outcome,
            NULL);
        if (status == THEATER_PENDING) {
            status = await(endpoint->router, &outcome);
        }
        if (status != THEATER_OK) {
            return status;
        }
    }
}

/* Parks until there may be something, or until the deadline. */
static void idle(theater_endpoint_t *ep, uint64_t deadline)
{
    const theater_env_t *env = ep->router->env;
    uint32_t none = 0;
    /* acq_rel; pairs with the exchange in th_endpoint_wake */
    if (!atomic_compare_exchange_strong_explicit(&ep->signal, &none, 2,
                                                 memory_order_acq_rel,
                                                 memory_order_relaxed)) {
        return;
    }
    uint64_t next = theater_router_next_deadline(ep->router);
    env->park(env->ctx, (const void *)&ep->signal, 2,
              next < deadline ? next : deadline);
}

theater_status_t theater_endpoint_wait(theater_endpoint_t *endpoint,
                                       uint64_t timeout_ms,
                                       const theater_message_t **out_message)
{
    theater_router_t *router = endpoint->router;
    const theater_env_t *env = router->env;
    uint64_t now = th_now(env);
    uint64_t deadline = timeout_ms > (THEATER_NEVER - now) / 1000000
                            ? THEATER_NEVER
                            : now + timeout_ms * 1000000;
    if (th_thread_is_worker) {
        return THEATER_WRONG_THREAD;
    }
    for (;;) {
        /* acq_rel; pairs with the exchange in th_endpoint_wake */
        atomic_exchange_explicit(&endpoint->signal, 0, memory_order_acq_rel);
        if (theater_endpoint_receive(endpoint, out_message) == THEATER_OK) {
            return THEATER_OK;
        }
        now = th_now(env);
        if (theater_router_next_deadline(router) <= now) {
            theater_router_advance(router, now);
        }
        if (now >= deadline) {
            return THEATER_TIMEOUT;
        }
        idle(endpoint, deadline);
    }
}
