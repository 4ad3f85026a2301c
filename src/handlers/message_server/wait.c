/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Design notes. An actor waits for at most one operation of the router. Its
 * callback may run on any thread, and it has two things to do that cannot be
 * one: publish the outcome, and wake the actor. In between the actor may have
 * seen the outcome already, gone on, waited again or ended. So the word holds
 *
 *     READY   the outcome is there and was not taken
 *     COUNT   as many callbacks as were promised and have not left
 *
 * and the instance (with it the actor, which lives longer) is not let go of
 * before the count is zero. What a callback does after READY touches the
 * word and the actor alone, so a second wait may run beside its last steps.
 *
 * Who calls what: begin, refused, ready, take, cancel, settle: the owner, one
 * at a time. done, opened: any thread, once for each begin that was not
 * refused. Linearisation: the fetch_or that sets READY.
 *
 * Ordering:
 * [W1] done's fetch_or releases status, answer and channel; ready's load
 *      acquires them.
 * [W2] done's fetch_sub releases its last use of actor and instance; settle's
 *      load acquires, then the owner may free them.
 *
 * Progress: the owner takes no lock. settle waits for a thread that has only
 * a wake left to do; it is preempted at worst, so it parks a little at a time.
 */
#include "handlers/message_server/server.h"

enum { READY = 1, COUNT = 2, SPINS = 200, NAP_NS = 50000 };

void th_ms_wait_begin(struct th_ms *ms)
{
    /* Relaxed: the router's own ways publish what the callback will need. */
    atomic_fetch_add_explicit(&ms->wait.word, COUNT, memory_order_relaxed);
}

void th_ms_wait_refused(struct th_ms *ms)
{
    /* Relaxed: no callback ran, so there is nothing to order. */
    atomic_fetch_sub_explicit(&ms->wait.word, COUNT, memory_order_relaxed);
}

bool th_ms_wait_ready(struct th_ms *ms)
{
    /* [W1] acquire; pairs with finish. */
    uint32_t word = atomic_load_explicit(&ms->wait.word, memory_order_acquire);
    return (word & READY) != 0;
}

theater_status_t th_ms_wait_take(struct th_ms *ms)
{
    /* Relaxed: the owner's own mark; the next callback is ordered behind it
     * by the start of its operation. */
    atomic_fetch_and_explicit(&ms->wait.word, ~(uint32_t)READY,
                              memory_order_relaxed);
    ms->answer = ms->wait.answer;
    ms->wait.answer = NULL;
    return ms->wait.status;
}

static void finish(struct th_ms *ms, theater_status_t status,
                   theater_answer_t *answer, theater_channel_id_t channel)
{
    theater_actor_t *actor = ms->actor;
    ms->wait.status = status;
    ms->wait.answer = answer;
    ms->wait.channel = channel;
    /* [W1] release; pairs with th_ms_wait_ready. */
    atomic_fetch_or_explicit(&ms->wait.word, READY, memory_order_release);
    theater_actor_wake(actor);
    /* [W2] release; pairs with th_ms_wait_settle. Nothing is touched after. */
    atomic_fetch_sub_explicit(&ms->wait.word, COUNT, memory_order_release);
}

void th_ms_wait_nothing(struct th_ms *ms)
{
    ms->wait.status = THEATER_OK;
    ms->wait.answer = NULL;
    /* Relaxed: it is the owner that takes it. */
    atomic_fetch_or_explicit(&ms->wait.word, READY, memory_order_relaxed);
    theater_actor_wake(ms->actor);
}

void th_ms_done(void *user, theater_status_t status, theater_answer_t *answer)
{
    finish(user, status, answer, (theater_channel_id_t){0});
}

void th_ms_opened(void *user, theater_status_t status,
                  theater_channel_id_t channel)
{
    finish(user, status, NULL, channel);
}

void th_ms_wait_settle(struct th_ms *ms)
{
    const theater_env_t *env = ms->env;
    for (unsigned spins = 0;; spins++) {
        /* [W2] acquire; pairs with finish. */
        uint32_t word =
            atomic_load_explicit(&ms->wait.word, memory_order_acquire);
        if (word < COUNT) {
            return;
        }
        if (spins < SPINS) {
            th_pause();
        } else {
            env->park(env->ctx, &ms->wait.word, word, th_now(env) + NAP_NS);
        }
    }
}

void th_ms_wait_cancel(struct th_ms *ms)
{
    if (!th_ms_wait_ready(ms)) {
        /* INVALID_ARGUMENT: it has just ended, its callback is on its way. */
        (void)!theater_router_cancel(ms->router, ms->wait.id);
    }
    th_ms_wait_settle(ms);
    if (th_ms_wait_ready(ms)) {
        (void)!th_ms_wait_take(ms);
    }
}
