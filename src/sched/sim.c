/* SPDX-License-Identifier: Apache-2.0 */
/* Design notes. The simulated scheduler: one thread, one list of tasks that
 * are ready, and a seed that says which of them is next. The same seed and the
 * same tasks give the same order, in every build and on every machine: nothing
 * here depends on an address or on the real clock, and `hash` says so.
 *
 * Different bugs need different orders, so the seed first chooses a way to
 * choose:
 *   UNIFORM   any ready task
 *   PRIORITY  the one of highest priority, which is random for each task and
 *             sinks at random moments (Burckhardt, Kothari, Musuvathi,
 *             Nagarakatte, ASPLOS 2010); now and then any, so that a task
 *             that always has more to do starves nobody
 *   IN_ORDER  first in, first out, and any task now and then
 *   NEWEST    last in, first out, and any task now and then
 * among the first WINDOW that are ready, so that a step's cost is bounded.
 *
 * Virtual time passes a little with each step, sometimes a lot, and jumps to
 * the next deadline when nothing is ready. */
#include "base/points.h"
#include "sched/internal.h"

enum strategy { UNIFORM, PRIORITY, IN_ORDER, NEWEST, STRATEGIES };
enum { WINDOW = 64, SUNK = 16, NS_OF_SECOND = 1000000000 };

struct th_sim {
    struct th_rng rng;
    enum strategy strategy;
    struct th_mpsc_node *first, *last; /* ready tasks, oldest first */
    size_t count;
    uint64_t seed;
    uint32_t numbers;    /* tasks numbered so far */
    uint32_t sunk[SUNK]; /* numbers of tasks of lowest priority */
    unsigned sunk_at;    /* the next of them to be replaced */
    uint64_t steps;
    uint64_t hash;
};

theater_status_t th_sim_new(struct th_sched *sched, uint64_t seed)
{
    struct th_sim *sim = th_calloc(sched->env, sizeof(*sim));
    if (sim == NULL) {
        return THEATER_OUT_OF_MEMORY;
    }
    th_rng_init(&sim->rng, seed);
    sim->seed = seed;
    sim->strategy = (enum strategy)th_rng_below(&sim->rng, STRATEGIES);
    sched->sim = sim;
    return THEATER_OK;
}

void th_sim_delete(struct th_sched *sched)
{
    th_free(sched->env, sched->sim);
    sched->sim = NULL;
}

static struct th_mpsc_node *next_of(struct th_mpsc_node *node)
{
    /* relaxed: one thread */
    return atomic_load_explicit(&node->next, memory_order_relaxed);
}

static void set_next(struct th_mpsc_node *node, struct th_mpsc_node *next)
{
    /* relaxed: one thread */
    atomic_store_explicit(&node->next, next, memory_order_relaxed);
}

void th_sim_queue(struct th_sched *sched, struct th_task *task)
{
    struct th_sim *sim = sched->sim;

    if (task->number == 0) {
        sim->numbers++;
        task->number = sim->numbers;
    }
    set_next(&task->link, NULL);
    if (sim->last == NULL) {
        sim->first = &task->link;
    } else {
        set_next(sim->last, &task->link);
    }
    sim->last = &task->link;
    sim->count++;
}

bool th_sim_idle(const struct th_sched *sched)
{
    return sched->sim->count == 0;
}

bool th_sim_should_yield(struct th_sched *sched)
{
    struct th_sim *sim = sched->sim;
    return (sim->count > 0 && th_rng_below(&sim->rng, 8) == 0) ||
           th_rare(sched->env, TH_POINT_SLICE_OVER);
}

static uint64_t priority(const struct th_sim *sim, uint32_t number)
{
    for (unsigned i = 0; i < SUNK; i++) {
        if (sim->sunk[i] == number) {
            return 0;
        }
    }
    uint64_t mixed = (number + sim->seed) * UINT64_C(0x9e3779b97f4a7c15);
    return (mixed ^ (mixed >> 29)) | 1;
}

static size_t choose_by_priority(struct th_sim *sim, size_t window)
{
    struct th_mpsc_node *node = sim->first;
    uint32_t best_number = 0;
    uint64_t best = 0;
    size_t chosen = 0;

    for (size_t i = 0; i < window; i++) {
        uint32_t number = th_task_of(node)->number;
        uint64_t value = priority(sim, number);
        if (i == 0 || value > best) {
            best = value;
            best_number = number;
            chosen = i;
        }
        node = next_of(node);
    }
    if (th_rng_below(&sim->rng, 64) == 0) {
        sim->sunk[sim->sunk_at] = best_number;
        sim->sunk_at = (sim->sunk_at + 1) % SUNK;
    }
    return chosen;
}

static size_t choose(struct th_sim *sim)
{
    size_t window = sim->count < WINDOW ? sim->count : WINDOW;

    if (sim->strategy == UNIFORM || th_rng_below(&sim->rng, 16) == 0) {
        return th_rng_below(&sim->rng, window);
    }
    switch (sim->strategy) {
    case PRIORITY:
        return choose_by_priority(sim, window);
    case NEWEST:
        return window - 1;
    default:
        return 0;
    }
}

static struct th_task *take(struct th_sim *sim)
{
    struct th_mpsc_node *before = NULL;
    struct th_mpsc_node *node = sim->first;

    if (node == NULL) {
        return NULL;
    }
    for (size_t i = choose(sim); i > 0; i--) {
        before = node;
        node = next_of(node);
    }
    struct th_mpsc_node *after = next_of(node);
    if (before == NULL) {
        sim->first = after;
    } else {
        set_next(before, after);
    }
    if (after == NULL) {
        sim->last = before;
    }
    sim->count--;
    return th_task_of(node);
}

static void step(struct th_sched *sched, struct th_task *task)
{
    struct th_sim *sim = sched->sim;

    sim->steps++;
    uint64_t event = (sim->steps << 32) ^ task->number;
    sim->hash = (sim->hash ^ event) * UINT64_C(0x100000001b3);
    sim->hash ^= sim->hash >> 32;
    th_count(&sched->workers[0].counters.runs, 1);

    /* relaxed: one thread, here and below */
    atomic_store_explicit(&task->state, TH_TASK_RUNNING, memory_order_relaxed);
    enum th_run result = task->run(task);
    if (result == TH_RUN_ENDED) {
        return;
    }
    if (result == TH_RUN_AGAIN ||
        atomic_load_explicit(&task->state, memory_order_relaxed) ==
            TH_TASK_QUEUED) {
        atomic_store_explicit(&task->state, TH_TASK_QUEUED,
                              memory_order_relaxed);
        th_sim_queue(sched, task);
    } else {
        atomic_store_explicit(&task->state, TH_TASK_IDLE, memory_order_relaxed);
    }
}

static void pass_time(struct th_sched *sched)
{
    struct th_rng *rng = &sched->sim->rng;
    uint64_t by = 1 + th_rng_below(rng, 2000);

    if (th_rng_below(rng, 256) == 0) {
        by += th_rng_below(rng, 3000000);
    }
    if (th_rare(sched->env, TH_POINT_LONG_PAUSE)) {
        by += th_rng_below(rng, 2 * NS_OF_SECOND);
    }
    th_sim_env_advance(sched->env, th_now(sched->env) + by);
}

/* Nothing is ready: to the next deadline. False: there is none. */
static bool jump(struct th_sched *sched)
{
    uint64_t next = th_time_next(sched);
    uint64_t now = th_now(sched->env);

    if (next == THEATER_NEVER) {
        return false;
    }
    th_sim_env_advance(sched->env, next > now ? next : now + 1);
    return true;
}

uint64_t th_sched_simulate(struct th_sched *sched, uint64_t max_steps)
{
    TH_CHECK(sched->sim != NULL && th_worker_current == NULL);
    uint64_t steps = 0;

    th_worker_current = &sched->workers[0];
    th_thread_is_worker = true;
    while (steps < max_steps) {
        if (!th_rare(sched->env, TH_POINT_TIMERS_LATE)) {
            th_time_poll(sched, th_now(sched->env));
        }
        struct th_task *task = take(sched->sim);
        if (task != NULL) {
            step(sched, task);
            pass_time(sched);
            steps++;
        } else if (!jump(sched)) {
            break;
        }
    }
    th_thread_is_worker = false;
    th_worker_current = NULL;
    return steps;
}

uint64_t th_sched_sim_hash(const struct th_sched *sched)
{
    return sched->sim->hash;
}
