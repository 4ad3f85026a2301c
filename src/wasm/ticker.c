/* SPDX-License-Identifier: Apache-2.0 */
/* Design notes
 *
 * One thread that wakes every millisecond while guests run, and sleeps while
 * none does. `ticks` is the time, in milliseconds, in which guests ran: it
 * stands still while the ticker sleeps, so that what a guest has computed is
 * the difference of two readings. After a late wake-up it makes up for it, for
 * LATE_TICKS at most: who wakes later than that was stopped, and the process
 * with it (SIGSTOP, a debugger, a machine that was suspended), and no guest
 * has computed meanwhile.
 *
 * A guest that is entered must not pay for a shared counter. So entering only
 * reads `active`, and writes it when it is 0; the ticker sets it to 0 each
 * tick, and sleeps once it was found 0 at IDLE_TICKS ticks in a row. A guest
 * that goes on running writes it again in its epoch callback, each tick. One
 * instruction that takes longer than IDLE_TICKS (memory.fill of a gigabyte)
 * lets no callback come: so the ticker does not sleep while a worker is awake.
 *
 * Once it has slept for TH_REST_NS it rests: what is worth doing while nobody
 * runs, and is left off as soon as somebody does.
 *
 * [T1] The ticker stores `state` = ASLEEP, then looks at `active`; whoever
 * enters stores `active` = 1, then looks at `state`. All four are seq_cst, so
 * one of the two sees the other: either the ticker does not sleep, or it is
 * woken. A guest that read a 1 that the ticker takes away just then computes
 * with an epoch deadline that IDLE_TICKS further ticks have passed, so its
 * callback comes before the ticker can be asleep for good. */
#include "wasm/internal.h"

enum {
    AWAKE = TH_TICKER_AWAKE,
    ASLEEP = TH_TICKER_ASLEEP,
    STOPPING = TH_TICKER_STOPPING,
};
enum { IDLE_TICKS = 20, LATE_TICKS = 20 };

bool th_ticker_rests(void *arg)
{
    struct th_ticker *ticker = arg;
    return atomic_load_explicit(&ticker->active, memory_order_seq_cst) == 0 &&
           atomic_load_explicit(&ticker->state, memory_order_seq_cst) == ASLEEP;
}

static void sleep_until_woken(struct th_ticker *ticker)
{
    const theater_env_t *env = ticker->env;
    uint32_t state = AWAKE;
    if (!atomic_compare_exchange_strong_explicit(
            &ticker->state, &state, ASLEEP, memory_order_seq_cst,
            memory_order_seq_cst)) { /* [T1] */
        return;
    }
    uint64_t rest_at = th_now(env) + TH_REST_NS;
    while (th_ticker_rests(ticker)) {
        env->park(env->ctx, &ticker->state, ASLEEP, rest_at);
        if (th_now(env) >= rest_at && th_ticker_rests(ticker)) {
            ticker->rest(ticker->arg);
            rest_at = THEATER_NEVER;
        }
    }
    state = ASLEEP;
    /* Fails when it was woken or is to stop: then that stands. */
    (void)atomic_compare_exchange_strong_explicit(&ticker->state, &state, AWAKE,
                                                  memory_order_seq_cst,
                                                  memory_order_seq_cst);
}

static void run(void *arg)
{
    struct th_ticker *ticker = arg;
    const theater_env_t *env = ticker->env;
    uint64_t last = th_now(env);
    unsigned idle = 0;
    while (atomic_load_explicit(&ticker->state, memory_order_seq_cst) !=
           STOPPING) {
        if (idle >= IDLE_TICKS && !ticker->computes(ticker->arg)) {
            sleep_until_woken(ticker);
            last = th_now(env);
            idle = 0;
        }
        env->park(env->ctx, &ticker->state, AWAKE, last + TH_TICK_NS);
        uint64_t passed = (th_now(env) - last) / TH_TICK_NS;
        if (passed == 0) {
            continue;
        }
        last += passed * TH_TICK_NS;
        passed = passed < LATE_TICKS ? passed : LATE_TICKS;
        /* Relaxed, by this thread alone: a count of its own. */
        atomic_store_explicit(&ticker->ticks, th_ticker_now(ticker) + passed,
                              memory_order_relaxed);
        ticker->tick(ticker->arg);
        bool ran = atomic_exchange_explicit(&ticker->active, 0,
                                            memory_order_seq_cst) != 0;
        idle = ran ? 0 : idle + 1;
    }
}

theater_status_t th_ticker_start(struct th_ticker *ticker,
                                 const theater_env_t *env,
                                 void (*tick)(void *arg),
                                 void (*rest)(void *arg),
                                 bool (*computes)(void *arg), void *arg)
{
    ticker->env = env;
    ticker->tick = tick;
    ticker->rest = rest;
    ticker->computes = computes;
    ticker->arg = arg;
    return env->thread_start(env->ctx, "th-ticker", run, ticker,
                             &ticker->thread);
}

void th_ticker_stop(struct th_ticker *ticker)
{
    if (ticker->thread == NULL) {
        return;
    }
    const theater_env_t *env = ticker->env;
    atomic_store_explicit(&ticker->state, STOPPING, memory_order_seq_cst);
    env->unpark(env->ctx, &ticker->state, 1);
    env->thread_join(env->ctx, ticker->thread);
    ticker->thread = NULL;
}

void th_ticker_wake(struct th_ticker *ticker)
{
    atomic_store_explicit(&ticker->active, 1, memory_order_seq_cst); /* [T1] */
    uint32_t state = ASLEEP;
    if (atomic_load_explicit(&ticker->state, memory_order_seq_cst) == ASLEEP &&
        atomic_compare_exchange_strong_explicit(&ticker->state, &state, AWAKE,
                                                memory_order_seq_cst,
                                                memory_order_seq_cst)) {
        ticker->env->unpark(ticker->env->ctx, &ticker->state, 1);
    }
}
