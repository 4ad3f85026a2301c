/* SPDX-License-Identifier: Apache-2.0 */
/* A scheduler whose workers are threads of an exploration, and two tasks. */
#ifndef TH_TESTS_INTERLEAVE_EXHAUSTIVE_WORKERS_H
#define TH_TESTS_INTERLEAVE_EXHAUSTIVE_WORKERS_H

#include "exhaustive_park.h"

#include "sched/internal.h"

/* A thread that pauses goes on when another has changed something, so a worker
 * that looks for work, which pauses in between, can't fall asleep while another
 * thread stands still in the middle of something. Where the build says so
 * (CMakeLists.txt) a pause is none. */
#ifdef th_interleave_pause
void th_interleave_pause(void)
{
}
#endif

enum { WORKERS = THREADS - 1, TASKS = 2 };

struct cell {
    struct th_task task;
    _Atomic uint32_t posted, handled;
    unsigned relays; /* wakes of the other that its runs may still make */
};

static struct world {
    theater_env_t env;
    struct th_sched *sched;
    unsigned workers;
    void (*mains[WORKERS])(void *arg);
    void *args[WORKERS];
    unsigned started;
    bool quiet;
    struct cell cells[TASKS];
} world;

static inline theater_status_t start_thread(void *ctx, const char *name,
                                            void (*run)(void *arg), void *arg,
                                            theater_thread_t **out)
{
    (void)ctx;
    (void)name;
    (void)out;
    world.mains[world.started] = run;
    world.args[world.started] = arg;
    world.started++;
    return THEATER_OK;
}

static inline void join_thread(void *ctx, theater_thread_t *thread)
{
    (void)ctx;
    (void)thread;
}

static inline void post(struct cell *cell)
{
    /* relaxed: the wake brings it */
    atomic_fetch_add_explicit(&cell->posted, 1, memory_order_relaxed);
    th_sched_wake(world.sched, &cell->task);
}

static inline enum th_run cell_run(struct th_task *task)
{
    struct cell *cell = TH_CONTAINER_OF(task, struct cell, task);
    /* relaxed: the wake has brought it */
    atomic_store_explicit(
        &cell->handled,
        atomic_load_explicit(&cell->posted, memory_order_relaxed),
        memory_order_relaxed);
    if (cell->relays > 0) {
        cell->relays--;
        post(&world.cells[(cell - world.cells + 1) % TASKS]);
    }
    return TH_RUN_IDLE;
}

static inline bool is_handled(const struct cell *cell)
{
    return atomic_load_explicit(&cell->posted, memory_order_relaxed) ==
           atomic_load_explicit(&cell->handled, memory_order_relaxed);
}

static inline bool all_handled(void)
{
    bool all = true;
    for (unsigned i = 0; i < TASKS; i++) {
        all = all && is_handled(&world.cells[i]);
    }
    return all;
}

static inline void open_sched(unsigned workers)
{
    memset(&world, 0, sizeof world);
    world.workers = workers;
    world.env = env_that_parks();
    world.env.thread_start = start_thread;
    world.env.thread_join = join_thread;
    struct th_sched_options options = {.env = &world.env, .workers = workers};
    TH_CHECK(th_sched_new(&options, &world.sched) == THEATER_OK);
    for (unsigned i = 0; i < TASKS; i++) {
        th_task_init(&world.cells[i].task, cell_run);
    }
}

/* Thread `who` is a worker, if there are so many. */
static inline bool works(unsigned who)
{
    self = who;
    if (who < world.workers) {
        world.mains[who](world.args[who]);
        return true;
    }
    return false;
}

#endif
