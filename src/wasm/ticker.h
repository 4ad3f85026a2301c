/* SPDX-License-Identifier: Apache-2.0 */
/* The ticker: a thread that counts the time in which guests run, and sleeps
 * while none does. */
#ifndef TH_WASM_TICKER_H
#define TH_WASM_TICKER_H

#include "base/base.h"

enum { TH_TICK_NS = 1000000 };         /* its period */
#define TH_REST_NS UINT64_C(100000000) /* asleep that long: it rests, once */

/* `state`, written as ticker.c says. */
enum { TH_TICKER_AWAKE, TH_TICKER_ASLEEP, TH_TICKER_STOPPING };

struct th_ticker {
    const theater_env_t *env;
    theater_thread_t *thread; /* NULL: none was started */
    void (*tick)(void *arg);  /* each tick, on the ticker's thread */
    void (*rest)(void *arg);  /* while no guest runs; the same thread */
    /* May a guest be computing, though none was seen? The same thread. */
    bool (*computes)(void *arg);
    void *arg;
    _Alignas(TH_LINE) _Atomic uint64_t ticks;  /* of time that guests ran */
    _Alignas(TH_LINE) _Atomic uint32_t active; /* a guest runs, or ran lately */
    _Atomic uint32_t state;                    /* see ticker.c */
};
theater_status_t th_ticker_start(struct th_ticker *ticker,
                                 const theater_env_t *env,
                                 void (*tick)(void *arg),
                                 void (*rest)(void *arg),
                                 bool (*computes)(void *arg), void *arg);
/* Inside `rest`: may it go on, since no guest has come? `arg`: the ticker. */
bool th_ticker_rests(void *arg);
void th_ticker_stop(struct th_ticker *ticker);
void th_ticker_wake(struct th_ticker *ticker);
/* A guest is about to run or runs: keeps the ticker going. */
static inline void th_ticker_arm(struct th_ticker *ticker)
{
    /* seq_cst as [T1] in ticker.c asks; a plain load on x86-64. */
    if (TH_UNLIKELY(
            atomic_load_explicit(&ticker->active, memory_order_seq_cst) == 0)) {
        th_ticker_wake(ticker);
    }
}
/* Relaxed: a count of its own, nothing travels with it. */
static inline uint64_t th_ticker_now(const struct th_ticker *ticker)
{
    return atomic_load_explicit(&ticker->ticks, memory_order_relaxed);
}

#endif
