/* SPDX-License-Identifier: Apache-2.0 */
/* Design notes. One round: a world is made, trouble is made in it tick by tick
 * while its actors work, it ends in one of three ways, and the ledger is
 * compared: with itself at a quiet moment while all actors are there, and,
 * with the router's counters, when everybody is gone. */
#include "world.h"

#include <stdio.h>
#include <stdlib.h>
#include <time.h>
#include <unistd.h>

enum { TICKS_MAX = 1500, WAIT_MS = 200 };

_Atomic(struct world *) round_now;
_Atomic uint32_t round_beat;

static void beat(void)
{
    /* relaxed: the watchdog looks whether it changes */
    atomic_fetch_add_explicit(&round_beat, 1, memory_order_relaxed);
}

/* --- Trouble -------------------------------------------------------------- */

static bool is_alive(const struct world *world, unsigned party)
{
    /* acquire; pairs with the end of the one before */
    return atomic_load_explicit(&world->parties[party].alive,
                                memory_order_acquire) != 0;
}

static void come_back(struct world *world)
{
    for (unsigned i = 0; i < world->plan.actors; i++) {
        if (!is_alive(world, i)) {
            /* ALREADY_EXISTS: its end is not told yet; OUT_OF_MEMORY: later */
            (void)!world_spawn(world, i);
        }
    }
}

static void cancel_some(struct world *world)
{
    for (unsigned i = 0; i < 8; i++) {
        _Atomic uint64_t *at = &world->board[rng_below(&world->rng, BOARD)];
        theater_request_id_t id = {
            atomic_exchange_explicit(at, 0, memory_order_relaxed)};
        if (id.value != 0 &&
            theater_router_cancel(world->router, id) == THEATER_OK) {
            world_fault(world, FAULT_CANCEL);
        }
    }
}

static void trouble(struct world *world)
{
    struct rng *rng = &world->rng;
    const struct plan *plan = &world->plan;
    unsigned party = rng_below(rng, plan->actors);
    /* relaxed, all: rates and requests, not messages */
    bool stop = rng_one_in(rng, plan->stop_one_in);
    if (stop) {
        world_may_end(world, party);
    }
    if (stop && theater_runtime_stop(world->runtime, world->parties[party].name,
                                     "trouble") == THEATER_OK) {
        world_fault(world, FAULT_STOP);
    }
    bool armed =
        atomic_load_explicit(&world->alloc_one_in, memory_order_relaxed) != 0;
    uint32_t one_in = armed || !rng_one_in(rng, plan->alloc_one_in)
                          ? 0
                          : 2 + rng_below(rng, 20);
    atomic_store_explicit(&world->alloc_one_in, one_in, memory_order_relaxed);
    if (rng_one_in(rng, 8)) {
        party = rng_below(rng, plan->actors);
        atomic_store_explicit(&world->parties[party].pause, 1,
                              memory_order_relaxed);
    }
    cancel_some(world);
    come_back(world);
}

static bool all_done(const struct world *world)
{
    for (unsigned i = 0; i < world->plan.actors; i++) {
        if (atomic_load_explicit(&world->parties[i].left,
                                 memory_order_relaxed) != 0) {
            return false;
        }
    }
    return true;
}

/* The actors work for a while. */
static void pass(struct world *world)
{
    struct timespec tick = {0, 1000000};
    if (world->sim == NULL) {
        nanosleep(&tick, NULL);
        return;
    }
    (void)theater_runtime_simulate(world->runtime,
                                   1 + rng_below(&world->rng, 200), NULL);
    for (unsigned i = rng_below(&world->rng, 20); i > 0; i--) {
        drifter_step(world);
    }
}

static void drive(struct world *world)
{
    unsigned most = world->plan.end == FAULTS
                        ? TICKS_MAX
                        : 20 + rng_below(&world->rng, 100);
    for (unsigned i = 0; i < most && !all_done(world); i++) {
        pass(world);
        trouble(world);
    }
    atomic_store_explicit(&world->alloc_one_in, 0, memory_order_relaxed);
}

/* --- The end -------------------------------------------------------------- */

static void await(struct world *world, theater_wait_for_t what)
{
    if (world->sim != NULL) {
        (void)theater_runtime_simulate(world->runtime, UINT64_MAX, NULL);
    }
    /* The watchdog ends what never ends. */
    while (theater_runtime_wait(world->runtime, what, WAIT_MS) != THEATER_OK) {
    }
    beat();
}

static void stop_drifter(struct world *world)
{
    atomic_store_explicit(&world->stop, 1, memory_order_relaxed);
    if (world->sim != NULL) {
        drifter_leave(world);
    } else {
        pthread_join(world->drifter, NULL);
    }
    beat();
}

static bool ledger_is_clean(const struct ledger_report *report)
{
    return report->lost == 0 && report->duplicated == 0 &&
           report->corrupted == 0 && report->reordered == 0 &&
           report->unended == 0 && report->ended_twice == 0 &&
           report->wrong_answers == 0;
}

static void say_report(const struct world *world, const char *when,
                       const struct ledger_report *report)
{
    fprintf(stderr,
            "conserve: seed %llu, %s, %s: accepted %llu, handled %llu, dead "
            "%llu, lost %llu, duplicated %llu, corrupted %llu, reordered %llu, "
            "requests %llu, unended %llu, ended twice %llu, wrong %llu\n",
            (unsigned long long)world->seed, work_names[world->plan.work], when,
            (unsigned long long)report->accepted,
            (unsigned long long)report->handled,
            (unsigned long long)report->dead, (unsigned long long)report->lost,
            (unsigned long long)report->duplicated,
            (unsigned long long)report->corrupted,
            (unsigned long long)report->reordered,
            (unsigned long long)report->requests,
            (unsigned long long)report->unended,
            (unsigned long long)report->ended_twice,
            (unsigned long long)report->wrong_answers);
}

/* While all actors are there and nothing can happen. */
static void check_quiet(struct world *world)
{
    struct ledger_report report;
    ledger_check(world->ledger, true, &report);
    if (!ledger_is_clean(&report)) {
        say_report(world, "quiet", &report);
        world->unwell = true;
    }
}

static void end(struct world *world)
{
    if (world->plan.end == FAULTS) {
        stop_drifter(world);
        await(world, THEATER_WAIT_QUIET);
        check_quiet(world);
    }
    for (unsigned i = 0; i < world->plan.actors; i++) {
        world_may_end(world, i);
    }
    switch (world->plan.end) {
    case FAULT_SHUTDOWN:
        world_fault(world, FAULT_SHUTDOWN);
        /* TIMEOUT: what is left becomes dead letters */
        (void)!theater_router_shutdown(world->router,
                                       1 + rng_below(&world->rng, 60), NULL);
        stop_drifter(world);
        break;
    case FAULT_KILL:
        world_fault(world, FAULT_KILL);
        break;
    default:
        break;
    }
    if (world->plan.end != FAULT_KILL) {
        theater_runtime_stop_all(world->runtime, "the round is over");
        await(world, THEATER_WAIT_STOPPED);
    }
    theater_runtime_stats_t stats;
    theater_runtime_stats(world->runtime, &stats);
    if (world->sim != NULL) {
        (void)theater_runtime_simulate(world->runtime, 0, &world->events);
    }
    theater_runtime_t *runtime = world->runtime;
    theater_runtime_delete(runtime);
    world->runtime = NULL;
    if (world->plan.end == FAULT_KILL) {
        stop_drifter(world);
    }
}

/* --- The comparison ------------------------------------------------------- */

static uint64_t differs(const struct world *world, const char *what,
                        uint64_t ours, uint64_t theirs)
{
    if (ours != theirs) {
        fprintf(stderr,
                "conserve: seed %llu, %s: %s: ledger %llu, router "
                "%llu\n",
                (unsigned long long)world->seed, work_names[world->plan.work],
                what, (unsigned long long)ours, (unsigned long long)theirs);
    }
    return ours != theirs;
}

static uint64_t compare(const struct world *world,
                        const struct ledger_report *report)
{
    theater_counters_t counters;
    uint64_t ended = 0;
    theater_router_counters(world->router, &counters);
    for (unsigned i = 0; i < THEATER_STATUS_COUNT; i++) {
        ended += counters.ended[i];
    }
    return differs(world, "accepted", report->accepted, counters.accepted) +
           differs(world, "handled", report->handled, counters.delivered) +
           differs(world, "dead letters", report->dead, counters.dead_total) +
           differs(world, "requests", report->requests, counters.requests) +
           differs(world, "requests ended", report->requests, ended) +
           differs(world, "queued", 0, counters.queued) +
           differs(world, "operations under way", 0, counters.pending) +
           differs(world, "endpoints", 0, counters.endpoints);
}

static void add(struct ledger_report *to, const struct ledger_report *from)
{
    to->accepted += from->accepted;
    to->handled += from->handled;
    to->dead += from->dead;
    to->never += from->never;
    to->lost += from->lost;
    to->duplicated += from->duplicated;
    to->corrupted += from->corrupted;
    to->reordered += from->reordered;
    to->requests += from->requests;
    to->unended += from->unended;
    to->ended_twice += from->ended_twice;
    to->wrong_answers += from->wrong_answers;
}

static bool finish(struct world *world, struct total *total)
{
    struct ledger_report report;
    ledger_check(world->ledger, true, &report);
    uint64_t differences = compare(world, &report);
    bool clean = ledger_is_clean(&report) && differences == 0;
    if (!ledger_is_clean(&report)) {
        say_report(world, "at the end", &report);
    }
    /* relaxed: all threads are gone */
    if (atomic_load_explicit(&world->failures, memory_order_relaxed) != 0) {
        fprintf(stderr, "conserve: seed %llu: an actor failed: %s\n",
                (unsigned long long)world->seed, world->failure);
        world->unwell = true;
    }
    world->unwell =
        world->unwell ||
        atomic_load_explicit(&world->needless, memory_order_relaxed) != 0;
    add(&total->sum, &report);
    total->rounds++;
    total->last = world->plan.work;
    total->of_work[world->plan.work] += report.accepted;
    total->spawned += world->incarnations;
    total->uncounted += differences;
    total->unwell += world->unwell;
    return clean && !world->unwell;
}

/* What a soak must notice. */
static void leave_behind(enum plant plant)
{
    enum { MUCH = 1 << 19 };
    if (plant == PLANT_LEAK) {
        static uint8_t *last; /* so that it is not taken for unused */
        last = malloc(MUCH);
        if (last != NULL) {
            memset(last, 1, MUCH);
        }
    } else if (plant == PLANT_OPEN) {
        (void)!dup(2);
    }
}

static bool play(struct world *world, struct total *total)
{
    /* release; pairs with the watchdog's acquire */
    atomic_store_explicit(&round_now, world, memory_order_release);
    drive(world);
    end(world);
    atomic_store_explicit(&round_now, NULL, memory_order_release);
    return finish(world, total);
}

bool round_run(uint64_t seed, enum workload work, enum plant plant,
               struct total *total)
{
    struct world *world = malloc(sizeof *world);
    struct plan plan;
    if (world == NULL) {
        return false;
    }
    plan_make(&plan, seed, work, false);
    beat();
    if (!world_init(world, seed, &plan, &total->counts, plant) ||
        pthread_create(&world->drifter, NULL, drifter_run, world) != 0) {
        total->unwell++;
        return false; /* the program ends */
    }
    bool clean = play(world, total);
    world_fini(world);
    free(world);
    leave_behind(plant);
    beat();
    return clean;
}

/* --- Simulated ------------------------------------------------------------ */

static void mix(uint64_t *hash, uint64_t value)
{
    *hash = th_hash64(&value, sizeof value, *hash);
}

static void count_points(const struct world *world, struct total *total)
{
    for (unsigned i = 0; i < TH_POINT_COUNT; i++) {
        enum th_point point = (enum th_point)i;
        total->asked[i] += th_sim_env_asked(world->sim, point);
        total->taken[i] += th_sim_env_taken(world->sim, point);
    }
}

bool round_simulate(uint64_t seed, enum workload work, enum plant plant,
                    struct total *total, uint64_t *out_hash)
{
    struct world *world = malloc(sizeof *world);
    struct plan plan;
    theater_counters_t counters;
    if (world == NULL) {
        return false;
    }
    plan_make(&plan, seed, work, true);
    beat();
    if (!world_init(world, seed, &plan, &total->counts, plant)) {
        total->unwell++;
        return false; /* the program ends */
    }
    bool clean = play(world, total);
    theater_router_counters(world->router, &counters);
    *out_hash = world->events;
    mix(out_hash, th_now(&world->env));
    mix(out_hash, plant == PLANT_DRIFT ? total->rounds : 0);
    mix(out_hash, counters.accepted);
    mix(out_hash, counters.delivered);
    for (unsigned i = 0; i < THEATER_STATUS_COUNT; i++) {
        mix(out_hash, counters.ended[i]);
        mix(out_hash, counters.dead[i]);
        mix(out_hash, counters.refused[i]);
    }
    count_points(world, total);
    world_fini(world);
    free(world);
    beat();
    return clean;
}

bool total_is_clean(const struct total *total)
{
    return ledger_is_clean(&total->sum) && total->uncounted == 0 &&
           total->unwell == 0;
}
