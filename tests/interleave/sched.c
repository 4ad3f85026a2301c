/* SPDX-License-Identifier: Apache-2.0 */
/* Seeded interleavings of the scheduler: workers that fall asleep, and threads
 * that wake tasks. Time stands nearly still and sleepers are woken by nothing
 * but an unpark, so a wake that is lost ends in a run that does not end. */
#include "sched/internal.h"

#include "base/interleave.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>
#include <cmocka.h>

enum {
    WORKERS = 2,
    OUTSIDERS = 2,
    TASKS = 4,
    EACH = 3,
    SEEDS = 800,
    MOST = 4000
};
enum { THREADS = WORKERS + OUTSIDERS };

struct cell {
    struct th_task task;
    uint64_t posted, handled; /* plain: one thread at a time has the baton */
    unsigned relays;          /* wakes that its runs may still make */
    unsigned again;           /* runs that want another */
    bool slow;                /* its runs are long */
};

static struct world {
    theater_env_t env;
    struct th_sched *sched;
    void (*mains[WORKERS])(void *arg);
    void *args[WORKERS];
    unsigned started;
    uint64_t now_ns;             /* moves in long runs alone */
    const void *parked[THREADS]; /* the word that it sleeps on */
    unsigned outside;            /* outsiders that have not ended */
    unsigned early;              /* quiet was said too early */
    struct cell cells[TASKS];
} world;

static _Thread_local unsigned self;

/* --- The environment ---------------------------------------------------- */

static theater_status_t start(void *ctx, const char *name,
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

static void join(void *ctx, theater_thread_t *thread)
{
    (void)ctx;
    (void)thread;
}

static uint64_t now(void *ctx)
{
    (void)ctx;
    return world.now_ns;
}

static void park(void *ctx, const void *word, uint32_t expected,
                 uint64_t deadline_ns)
{
    const _Atomic uint32_t *value = word;
    (void)ctx;
    (void)deadline_ns; /* does not come */

    if (atomic_load_explicit(value, memory_order_relaxed) != expected) {
        return;
    }
    world.parked[self] = word;
    while (world.parked[self] != NULL) {
        th_interleave_point();
    }
}

static void unpark(void *ctx, const void *word, uint32_t count)
{
    (void)ctx;
    for (unsigned i = 0; i < THREADS && count > 0; i++) {
        if (world.parked[i] == word) {
            world.parked[i] = NULL;
            count--;
        }
    }
    th_interleave_point();
}

/* --- The run ------------------------------------------------------------ */

static void post(struct cell *cell)
{
    cell->posted++;
    th_sched_wake(world.sched, &cell->task);
}

static enum th_run cell_run(struct th_task *task)
{
    struct cell *cell = TH_CONTAINER_OF(task, struct cell, task);

    cell->handled = cell->posted;
    world.now_ns += cell->slow ? TH_LONG_NS : 0;
    if (cell->relays > 0) {
        cell->relays--;
        post(&world.cells[(cell - world.cells + 1) % TASKS]);
    }
    if (cell->again > 0) {
        cell->again--;
        return TH_RUN_AGAIN;
    }
    return TH_RUN_IDLE;
}

static bool all_handled(void)
{
    for (unsigned i = 0; i < TASKS; i++) {
        if (world.cells[i].handled != world.cells[i].posted) {
            return false;
        }
    }
    return true;
}

static void outsider(unsigned who)
{
    for (unsigned i = 0; i < EACH; i++) {
        post(&world.cells[(who + i) % TASKS]);
    }
    th_sched_unhold(world.sched);
    if (who != 0) {
        return;
    }
    theater_status_t status = th_sched_wait_quiet(world.sched, THEATER_NEVER);
    world.early = status != THEATER_OK || !all_handled();
    th_idle_stop(world.sched);
}

static void run(void *ctx, unsigned who)
{
    (void)ctx;
    self = who;
    if (who < WORKERS) {
        world.mains[who](world.args[who]);
    } else {
        outsider(who - WORKERS);
    }
}

static uint64_t run_seed(uint64_t seed)
{
    memset(&world, 0, sizeof(world));
    world.env = *th_interleave_env();
    world.env.thread_start = start;
    world.env.thread_join = join;
    world.env.now_ns = now;
    world.env.park = park;
    world.env.unpark = unpark;
    struct th_sched_options options = {.env = &world.env, .workers = WORKERS};
    assert_int_equal(th_sched_new(&options, &world.sched), THEATER_OK);
    for (unsigned i = 0; i < TASKS; i++) {
        th_task_init(&world.cells[i].task, cell_run);
        world.cells[i].relays = (unsigned)(seed >> i) & 1;
        world.cells[i].again = (unsigned)(seed >> (i + 1)) & 1;
        world.cells[i].slow = ((seed >> (i + 2)) & 1) != 0;
        world.cells[i].task.slow = world.cells[i].slow;
    }
    for (unsigned i = 0; i < OUTSIDERS; i++) {
        th_sched_hold(world.sched);
    }
    struct th_interleave plan = {seed, THREADS, run, NULL};
    uint64_t hash = th_interleave_run(&plan);
    assert_int_equal(world.early, 0);
    assert_true(all_handled());
    th_sched_delete(world.sched);
    return hash;
}

static int compare(const void *a, const void *b)
{
    const uint64_t *x = a;
    const uint64_t *y = b;
    return (*x > *y) - (*x < *y);
}

static void no_wake_is_lost_and_quiet_is_exact_in_any_order(void **state)
{
    static uint64_t hashes[MOST];
    unsigned different = 1;
    uint64_t seeds = th_interleave_seeds(SEEDS);
    (void)state;

    assert_true(seeds <= MOST);
    for (uint64_t i = 0; i < seeds; i++) {
        hashes[i] = run_seed(th_interleave_first_seed() + i);
    }
    qsort(hashes, seeds, sizeof(hashes[0]), compare);
    for (unsigned i = 1; i < seeds; i++) {
        different += hashes[i] != hashes[i - 1];
    }
    assert_true(different > seeds * 9 / 10);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(no_wake_is_lost_and_quiet_is_exact_in_any_order),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
