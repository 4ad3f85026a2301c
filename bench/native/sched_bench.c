/* SPDX-License-Identifier: Apache-2.0 */
/* What a scheduler's step costs, without actors and messages:
 *
 *   sched_bench [WORKERS] [SECONDS]
 *
 * hop    pairs of tasks that wake each other in turn: ns per wake and run
 * flow   pairs, one task fills a ring of 1,000 places of 64 bytes, the other
 *        checks and empties it, 256 at a time: messages a second
 * wake   a task that is woken while all workers sleep, beside a thread that is
 *        woken by a bare futex: ns from wake to run
 * Each counts what was lost before it prints a figure, and fails if any was. */
#include "base/base.h"
#include "sched/sched.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>

enum { PLACES = 1024, CAPACITY = 1000, BUDGET = 256, WAKES = 3000 };

struct cell {
    uint64_t words[8];
};

struct end {
    struct th_task task;
    struct pair *pair;
};

struct pair {
    _Alignas(128) struct end a, b;
    _Alignas(128) _Atomic uint64_t sent; /* a's */
    _Alignas(128) _Atomic uint64_t got;  /* b's */
    _Atomic bool waiting;                /* a waits for room */
    uint64_t bad;                        /* b's: out of order */
    struct cell *cells;
};

static const theater_env_t *env;
static struct th_sched *sched;
static _Atomic bool stop;
static bool failed;

static uint64_t load(const _Atomic uint64_t *value)
{
    return atomic_load_explicit(value, memory_order_seq_cst);
}

static bool stopped(void)
{
    /* relaxed: an order to stop */
    return atomic_load_explicit(&stop, memory_order_relaxed);
}

static void add(_Atomic uint64_t *value)
{
    atomic_store_explicit(value,
                          atomic_load_explicit(value, memory_order_relaxed) + 1,
                          memory_order_seq_cst);
}

/* --- hop ---------------------------------------------------------------- */

static enum th_run hop_a(struct th_task *task)
{
    struct pair *pair = ((struct end *)(void *)task)->pair;
    if (!stopped()) {
        add(&pair->sent);
        th_sched_wake(sched, &pair->b.task);
    }
    return TH_RUN_IDLE;
}

static enum th_run hop_b(struct th_task *task)
{
    struct pair *pair = ((struct end *)(void *)task)->pair;
    add(&pair->got);
    th_sched_wake(sched, &pair->a.task);
    return TH_RUN_IDLE;
}

/* --- flow --------------------------------------------------------------- */

static enum th_run flow_a(struct th_task *task)
{
    struct pair *pair = ((struct end *)(void *)task)->pair;
    uint64_t sent = load(&pair->sent);

    for (int i = 0; i < BUDGET; i++) {
        if (stopped()) {
            return TH_RUN_IDLE;
        }
        if (sent - load(&pair->got) >= CAPACITY) {
            atomic_store_explicit(&pair->waiting, true, memory_order_seq_cst);
            if (sent - load(&pair->got) >= CAPACITY) {
                return TH_RUN_IDLE;
            }
        }
        struct cell *cell = &pair->cells[sent % PLACES];
        for (int k = 0; k < 8; k++) {
            cell->words[k] = sent;
        }
        sent++;
        atomic_store_explicit(&pair->sent, sent, memory_order_seq_cst);
        if (load(&pair->got) + 1 == sent) {
            th_sched_wake(sched, &pair->b.task);
        }
        if ((i & 15) == 15 && th_sched_should_yield(sched)) {
            break;
        }
    }
    return TH_RUN_AGAIN;
}

static enum th_run flow_b(struct th_task *task)
{
    struct pair *pair = ((struct end *)(void *)task)->pair;
    uint64_t got = load(&pair->got);

    for (int i = 0; i < BUDGET && got != load(&pair->sent); i++) {
        const struct cell *cell = &pair->cells[got % PLACES];
        pair->bad += cell->words[0] != got || cell->words[7] != got;
        got++;
        atomic_store_explicit(&pair->got, got, memory_order_seq_cst);
    }
    if (atomic_load_explicit(&pair->waiting, memory_order_seq_cst)) {
        atomic_store_explicit(&pair->waiting, false, memory_order_seq_cst);
        th_sched_wake(sched, &pair->a.task);
    }
    return got != load(&pair->sent) ? TH_RUN_AGAIN : TH_RUN_IDLE;
}

/* --- Running ------------------------------------------------------------ */

static void print_stats(double seconds)
{
    struct th_sched_stats all = {0};
    uint64_t least = UINT64_MAX;

    for (unsigned i = 0; i < th_sched_workers(sched); i++) {
        struct th_sched_stats one;
        th_sched_stats(sched, i, &one);
        all.steals += one.steals;
        all.stolen += one.stolen;
        all.parks += one.parks;
        all.unparks += one.unparks;
        all.runs += one.runs;
        least = one.runs < least ? one.runs : least;
    }
    printf("  per s: runs %.2fM (least busy worker %.0f%%), steals %.0f, "
           "stolen %.0f, parks %.0f, unparks %.0f\n",
           (double)all.runs / seconds / 1e6,
           100.0 * (double)least * th_sched_workers(sched) /
               (double)(all.runs + 1),
           (double)all.steals / seconds, (double)all.stolen / seconds,
           (double)all.parks / seconds, (double)all.unparks / seconds);
}

static void check(theater_status_t status)
{
    if (status != THEATER_OK) {
        fprintf(stderr, "%s\n", theater_status_text(status));
        exit(1);
    }
}

static void open_sched(unsigned workers)
{
    struct th_sched_options options = {.env = env, .workers = workers};
    check(th_sched_new(&options, &sched));
    atomic_store_explicit(&stop, false, memory_order_seq_cst);
}

static void run_pairs(const char *name, unsigned workers, size_t count,
                      double seconds, enum th_run (*a)(struct th_task *),
                      enum th_run (*b)(struct th_task *))
{
    static _Atomic uint32_t never;
    struct pair *pairs = env->alloc(env->ctx, count * sizeof(*pairs), 128);
    struct cell *cells = th_calloc(env, count * PLACES * sizeof(*cells));
    if (pairs == NULL || cells == NULL) {
        check(THEATER_OUT_OF_MEMORY);
    }
    memset(pairs, 0, count * sizeof(*pairs));
    open_sched(workers);
    for (size_t i = 0; i < count; i++) {
        struct pair *pair = &pairs[i];
        pair->a.pair = pair->b.pair = pair;
        pair->cells = &cells[i * PLACES];
        th_task_init(&pair->a.task, a);
        th_task_init(&pair->b.task, b);
    }
    uint64_t begin = th_now(env);
    for (size_t i = 0; i < count; i++) {
        th_sched_wake(sched, &pairs[i].a.task);
    }
    uint64_t end = begin + (uint64_t)(seconds * 1e9);
    while (th_now(env) < end) {
        env->park(env->ctx, &never, 0, end);
    }
    uint64_t least = UINT64_MAX, total = 0;
    uint64_t took = th_now(env) - begin;
    for (size_t i = 0; i < count; i++) {
        uint64_t got = load(&pairs[i].got);
        total += got;
        least = got < least ? got : least;
    }
    atomic_store_explicit(&stop, true, memory_order_seq_cst);
    check(th_sched_wait_quiet(sched, th_now(env) + UINT64_C(10000000000)));
    uint64_t lost = 0;
    for (size_t i = 0; i < count; i++) {
        lost += load(&pairs[i].sent) - load(&pairs[i].got) + pairs[i].bad;
    }
    double rate = (double)total / (double)took * 1e9;
    printf("%s %zu: %.2f M/s (%.1f ns), slowest pair %.0f%% of the mean, "
           "lost %" PRIu64 "\n",
           name, count, rate / 1e6, 1e9 / rate,
           100.0 * (double)least * (double)count / (double)total, lost);
    print_stats((double)took / 1e9);
    failed = failed || lost != 0;
    th_sched_delete(sched);
    th_free(env, cells);
    th_free(env, pairs);
}

/* --- wake --------------------------------------------------------------- */

static _Atomic uint64_t woken_ns;
static _Atomic uint32_t wake_word, back_word;
static uint64_t samples[WAKES];

static void answer(void)
{
    atomic_store_explicit(&woken_ns, th_now(env), memory_order_seq_cst);
    atomic_fetch_add_explicit(&back_word, 1, memory_order_seq_cst);
    env->unpark(env->ctx, &back_word, 1);
}

static enum th_run wake_run(struct th_task *task)
{
    (void)task;
    answer();
    return TH_RUN_IDLE;
}

static void bare_main(void *arg)
{
    uint32_t seen = 0;
    (void)arg;
    while (!stopped()) {
        while (atomic_load_explicit(&wake_word, memory_order_seq_cst) == seen) {
            env->park(env->ctx, &wake_word, seen, THEATER_NEVER);
        }
        seen++;
        answer();
    }
}

static int compare(const void *a, const void *b)
{
    uint64_t x = *(const uint64_t *)a, y = *(const uint64_t *)b;
    return x < y ? -1 : x > y;
}

static void one_wake(size_t i, struct th_task *task)
{
    static _Atomic uint32_t never;
    uint32_t back = atomic_load_explicit(&back_word, memory_order_seq_cst);
    uint64_t rest = th_now(env) + 200000; /* let everybody fall asleep */

    while (th_now(env) < rest) {
        env->park(env->ctx, &never, 0, rest);
    }
    uint64_t begin = th_now(env);
    if (task != NULL) {
        th_sched_wake(sched, task);
    } else {
        atomic_fetch_add_explicit(&wake_word, 1, memory_order_seq_cst);
        env->unpark(env->ctx, &wake_word, 1);
    }
    while (atomic_load_explicit(&back_word, memory_order_seq_cst) == back) {
        env->park(env->ctx, &back_word, back, THEATER_NEVER);
    }
    samples[i] = load(&woken_ns) - begin;
}

static void print_wakes(const char *name)
{
    qsort(samples, WAKES, sizeof(samples[0]), compare);
    printf("wake, %s: p50 %" PRIu64 " ns, p99 %" PRIu64 " ns\n", name,
           samples[WAKES / 2], samples[WAKES * 99 / 100]);
}

static void run_wakes(unsigned workers)
{
    struct th_task task;
    theater_thread_t *thread;

    open_sched(workers);
    th_task_init(&task, wake_run);
    for (size_t i = 0; i < WAKES; i++) {
        one_wake(i, &task);
    }
    print_wakes("task");
    check(th_sched_wait_quiet(sched, th_now(env) + UINT64_C(10000000000)));
    th_sched_delete(sched);

    check(env->thread_start(env->ctx, "bare", bare_main, NULL, &thread));
    for (size_t i = 0; i < WAKES; i++) {
        if (i + 1 == WAKES) {
            atomic_store_explicit(&stop, true, memory_order_seq_cst);
        }
        one_wake(i, NULL);
    }
    print_wakes("bare futex");
    env->thread_join(env->ctx, thread);
}

int main(int argc, char **argv)
{
    unsigned workers = argc > 1 ? (unsigned)atoi(argv[1]) : 0;
    double seconds = argc > 2 ? atof(argv[2]) : 1;
    static const size_t counts[] = {1, 2, 3, 10, 100, 1000, 10000};

    env = theater_env_default();
    for (size_t i = 0; i < 7; i++) {
        run_pairs("hop, pairs", workers, counts[i], seconds, hop_a, hop_b);
    }
    for (size_t i = 0; i < 6; i++) {
        run_pairs("flow, pairs", workers, counts[i], seconds, flow_a, flow_b);
    }
    run_wakes(workers);
    return failed ? 1 : 0;
}
