/* SPDX-License-Identifier: Apache-2.0 */
/* Design notes. One baton: the thread that has it runs. At a point it draws
 * who goes on and, if that is another, hands the baton over and sleeps until
 * it comes back. Threads are real, so that thread-local state (slots) is as in
 * the product; handing over costs two futex calls, and nothing when the draw
 * is the same thread. Whoever hands over does so with release, whoever takes
 * with acquire, so all that is not atomic here belongs to the baton's holder.
 *
 * Three ways to draw, chosen by the seed: evenly; seldom another (few switches
 * find what needs a whole operation of another thread in between); and one
 * unlucky thread that is seldom drawn (as if suspended in the middle). Thread
 * slots are taken in the order of `who` before the start, so that a run
 * depends on nothing but its seed.
 *
 * All threads of a run are kept on one core: only one has the baton, and a
 * sleeper on another core takes twenty times as long to wake. */
#include "base/interleave_internal.h"

#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>

/* More than any test needs: nobody gets on. */
#define MOST_STEPS UINT64_C(1000000)

enum { EVENLY, SELDOM, UNLUCKY, WAYS };

struct player {
    _Alignas(TH_LINE) _Atomic uint32_t go; /* 1: has the baton */
    struct run *run;
    unsigned who;
    bool ended;
    theater_thread_t *thread;
};

struct run {
    const struct th_interleave *plan;
    const theater_env_t *env; /* the real one */
    struct th_rng rng;
    unsigned way;
    unsigned alive;
    uint64_t steps;
    uint64_t hash;
    _Atomic uint32_t over; /* all have ended */
    struct player players[TH_INTERLEAVE_THREADS];
};

static _Thread_local struct player *self; /* NULL outside of a run */

static void give(struct player *to)
{
    const theater_env_t *env = to->run->env;
    atomic_store_explicit(&to->go, 1, memory_order_release);
    env->unpark(env->ctx, &to->go, 1);
}

static void await_baton(struct player *me)
{
    const theater_env_t *env = me->run->env;
    while (atomic_exchange_explicit(&me->go, 0, memory_order_acquire) == 0) {
        env->park(env->ctx, &me->go, 0, THEATER_NEVER);
    }
}

/* Any that has not ended. */
static struct player *draw_evenly(struct run *run)
{
    uint64_t nth = th_rng_below(&run->rng, run->alive);
    for (unsigned i = 0;; i++) {
        if (!run->players[i].ended && nth-- == 0) {
            return &run->players[i];
        }
    }
}

static struct player *draw(struct run *run, struct player *me)
{
    if (run->way == SELDOM && !me->ended && th_rng_below(&run->rng, 8) != 0) {
        return me;
    }
    struct player *next = draw_evenly(run);
    if (run->way == UNLUCKY && run->alive > 1) {
        unsigned unlucky =
            (unsigned)(run->plan->seed / WAYS) % run->plan->threads;
        while (next->who == unlucky && th_rng_below(&run->rng, 32) != 0) {
            next = draw_evenly(run);
        }
    }
    return next;
}

static struct player *next_player(struct run *run, struct player *me)
{
    struct player *next = draw(run, me);
    run->hash = th_hash64(&next->who, sizeof(next->who), run->hash);
    if (++run->steps > MOST_STEPS) {
        (void)fprintf(stderr, "interleave: seed %llu does not end\n",
                      (unsigned long long)run->plan->seed);
        abort();
    }
    return next;
}

void th_interleave_point(void)
{
    struct player *me = self;
    if (me == NULL) {
        (void)th_explore_step(NULL, 0, TH_STEP_ANY);
        return;
    }
    struct player *next = next_player(me->run, me);
    if (next != me) {
        give(next);
        await_baton(me);
    }
}

void th_interleave_access(const volatile void *address, size_t writes)
{
    if (self != NULL) {
        th_interleave_point();
        return;
    }
    (void)th_explore_step(address, writes,
                          writes > 0 ? TH_STEP_WRITE : TH_STEP_READ);
}

void th_interleave_pause(void)
{
    if (self == NULL) { /* a seed comes to the others without it */
        (void)th_explore_step(NULL, 0, TH_STEP_PAUSE);
    }
}

bool th_interleave_sleep(void)
{
    if (self != NULL) {
        th_interleave_point();
        return false;
    }
    return th_explore_step(NULL, 0, TH_STEP_SLEEP);
}

void th_interleave_pin(cpu_set_t *out_before, cpu_set_t *out_core)
{
    int cpu = sched_getcpu();

    CPU_ZERO(out_core);
    CPU_SET((unsigned)(cpu >= 0 ? cpu : 0), out_core);
    TH_CHECK(sched_getaffinity(0, sizeof(*out_before), out_before) == 0);
    th_interleave_run_on(out_core);
}

void th_interleave_run_on(const cpu_set_t *cores)
{
    (void)sched_setaffinity(0, sizeof(*cores), cores);
}

static void play(void *arg)
{
    struct player *me = arg;
    struct run *run = me->run;

    await_baton(me);
    (void)th_slot();
    bool last = me->who + 1 == run->plan->threads;
    give(last ? next_player(run, me) : &run->players[me->who + 1]);
    await_baton(me);

    self = me;
    run->plan->run(run->plan->world, me->who);
    self = NULL;

    me->ended = true;
    run->alive--;
    if (run->alive > 0) {
        give(next_player(run, me));
        return;
    }
    atomic_store_explicit(&run->over, 1, memory_order_release);
    run->env->unpark(run->env->ctx, &run->over, 1);
}

static uint64_t running_seed;

/* A check did not hold: by which seed? */
static void say_seed(int signal_number)
{
    (void)fprintf(stderr, "interleave: seed %llu\n",
                  (unsigned long long)running_seed);
    (void)signal(signal_number, SIG_DFL);
}

uint64_t th_interleave_run(const struct th_interleave *plan)
{
    const theater_env_t *env = theater_env_default();
    struct run *run = env->alloc(env->ctx, sizeof(*run), TH_LINE);
    cpu_set_t before, core;

    TH_CHECK(plan->threads >= 1 && plan->threads <= TH_INTERLEAVE_THREADS);
    TH_CHECK(run != NULL);
    th_interleave_pin(&before, &core);
    running_seed = plan->seed;
    (void)signal(SIGABRT, say_seed);
    memset(run, 0, sizeof(*run));
    run->plan = plan;
    run->env = env;
    run->way = (unsigned)(plan->seed % WAYS);
    run->alive = plan->threads;
    th_rng_init(&run->rng, plan->seed);
    for (unsigned i = 0; i < plan->threads; i++) {
        struct player *player = &run->players[i];
        player->run = run;
        player->who = i;
        TH_CHECK(env->thread_start(env->ctx, "interleave", play, player,
                                   &player->thread) == THEATER_OK);
    }
    give(&run->players[0]);
    while (atomic_load_explicit(&run->over, memory_order_acquire) == 0) {
        env->park(env->ctx, &run->over, 0, THEATER_NEVER);
    }
    for (unsigned i = 0; i < plan->threads; i++) {
        env->thread_join(env->ctx, run->players[i].thread);
    }
    th_interleave_run_on(&before);
    (void)signal(SIGABRT, SIG_DFL);
    uint64_t hash = run->hash;
    th_free(env, run);
    return hash;
}

static uint64_t number_of(const char *variable, uint64_t otherwise)
{
    const char *text = getenv(variable);
    return text != NULL && *text != '\0' ? strtoull(text, NULL, 0) : otherwise;
}

uint64_t th_interleave_first_seed(void)
{
    return number_of("THEATER_TEST_SEED", 0);
}

uint64_t th_interleave_seeds(uint64_t usual)
{
    return number_of("THEATER_TEST_SEEDS", usual);
}

/* --- The environment ---------------------------------------------------- */

static _Atomic uint64_t virtual_now;
static theater_env_t table;

static uint64_t interleave_now_ns(void *ctx)
{
    (void)ctx;
    /* relaxed: a number; the baton orders the threads */
    return atomic_load_explicit(&virtual_now, memory_order_relaxed);
}

/* Always the same, so that a schedule gives the same run. */
static void interleave_random(void *ctx, void *out, size_t len)
{
    (void)ctx;
    memset(out, 0x5A, len);
}

static void interleave_park(void *ctx, const void *word, uint32_t expected,
                            uint64_t deadline_ns)
{
    (void)ctx;
    (void)word;
    (void)expected;
    (void)deadline_ns;
    (void)th_interleave_sleep();
}

static void interleave_unpark(void *ctx, const void *word, uint32_t count)
{
    (void)ctx;
    (void)word;
    (void)count;
    if (self != NULL) { /* where all is explored: nothing shared is touched */
        th_interleave_point();
    }
}

static void interleave_yield(void *ctx, const char *point)
{
    (void)ctx;
    (void)point;
    th_interleave_point();
}

const theater_env_t *th_interleave_env(void)
{
    if (table.size == 0) {
        table = *theater_env_default();
        table.now_ns = interleave_now_ns;
        table.random = interleave_random;
        table.park = interleave_park;
        table.unpark = interleave_unpark;
        table.yield = interleave_yield;
    }
    return &table;
}

void th_interleave_set_now(uint64_t now_ns)
{
    /* relaxed: see above */
    atomic_store_explicit(&virtual_now, now_ns, memory_order_relaxed);
}
