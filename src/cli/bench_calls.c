/* SPDX-License-Identifier: Apache-2.0 */
/* Design notes. The ticker's thread parks once a millisecond while guests run,
 * however many messages go by; its calls are counted apart, known by the
 * thread's name. All counters are relaxed: nothing travels with them. They are
 * touched where a thread makes a system call anyway, so counting costs
 * nothing that could be measured. */
#include "cli/bench_calls.h"

#include <stdatomic.h>
#include <string.h>

static const theater_env_t *real;
static theater_env_t counting;
static _Atomic uint64_t calls;
static _Atomic uint64_t ticks;
static _Thread_local bool is_ticker;

static void count(void)
{
    atomic_fetch_add_explicit(is_ticker ? &ticks : &calls, 1,
                              memory_order_relaxed);
}

static void *counted_map(void *ctx, size_t size)
{
    count();
    return real->map(ctx, size);
}

static void *counted_reserve(void *ctx, size_t size)
{
    count();
    return real->map_reserve(ctx, size);
}

static theater_status_t counted_allow(void *ctx, void *memory, size_t size)
{
    count();
    return real->map_allow(ctx, memory, size);
}

static void counted_unmap(void *ctx, void *memory, size_t size)
{
    count();
    real->unmap(ctx, memory, size);
}

static void counted_discard(void *ctx, void *memory, size_t size)
{
    count();
    real->discard(ctx, memory, size);
}

static void counted_park(void *ctx, const void *word, uint32_t expected,
                         uint64_t deadline_ns)
{
    count();
    real->park(ctx, word, expected, deadline_ns);
}

static void counted_unpark(void *ctx, const void *word, uint32_t number)
{
    count();
    real->unpark(ctx, word, number);
}

struct start {
    void (*run)(void *arg);
    void *arg;
};

static void run_ticker(void *arg)
{
    struct start start = *(struct start *)arg;
    real->free(real->ctx, arg);
    is_ticker = true;
    start.run(start.arg);
}

static theater_status_t counted_thread_start(void *ctx, const char *name,
                                             void (*run)(void *arg), void *arg,
                                             theater_thread_t **out)
{
    if (strcmp(name, "th-ticker") != 0) {
        return real->thread_start(ctx, name, run, arg, out);
    }
    struct start *start = real->alloc(ctx, sizeof *start, 16);
    if (start == NULL) {
        return THEATER_OUT_OF_MEMORY;
    }
    *start = (struct start){run, arg};
    theater_status_t status =
        real->thread_start(ctx, name, run_ticker, start, out);
    if (status != THEATER_OK) {
        real->free(ctx, start);
    }
    return status;
}

const theater_env_t *bench_calls_env(const theater_env_t *base)
{
    real = base;
    counting = *base;
    counting.map = counted_map;
    counting.map_reserve = counted_reserve;
    counting.map_allow = counted_allow;
    counting.unmap = counted_unmap;
    counting.discard = counted_discard;
    counting.park = counted_park;
    counting.unpark = counted_unpark;
    counting.thread_start = counted_thread_start;
    return &counting;
}

struct bench_calls bench_calls_now(void)
{
    return (struct bench_calls){
        atomic_load_explicit(&calls, memory_order_relaxed),
        atomic_load_explicit(&ticks, memory_order_relaxed)};
}
