/* SPDX-License-Identifier: Apache-2.0 */
/* Design notes. The table of workloads, and the course of one repeat: all
 * actors are spawned paused and started together; after a while the router's
 * counters are read, and once more when the time is over: the rate is what was
 * handled in between. The actors go on for a moment longer, so that nothing
 * ends within the measured time.
 *
 * Then all comes to rest, and what was lost is taken from two sources that do
 * not know of each other: the router's counters, and those that each actor
 * keeps itself and answers when it is asked. */
#include "cli/bench.h"

#include <stdio.h>
#include <string.h>
#include <time.h>

static uint32_t next_of_ring(const struct bench_config *config, uint32_t number)
{
    return number % config->actors + 1;
}

static uint32_t other_of_two(const struct bench_config *config, uint32_t number)
{
    (void)config;
    return number % 2 == 1 ? number + 1 : number - 1;
}

static uint32_t same(const struct bench_config *config, uint32_t number)
{
    (void)config;
    return number;
}

static uint32_t first(const struct bench_config *config, uint32_t number)
{
    (void)config;
    (void)number;
    return 1;
}

/* Who is sent to stands before who sends. */
static const struct bench_workload workloads[] = {
    {.name = "pairs",
     .unit = "messages",
     .actors = 10,
     .max_actors = 20000,
     .payload = 64,
     .parts = {{BENCH_RECEIVER, "receiver-", 1, NULL, NULL},
               {BENCH_SENDER, "sender-", 1, same, "receiver-"}},
     .parts_len = 2},
    {.name = "request",
     .unit = "requests",
     .rate = BENCH_ANSWERED,
     .actors = 1,
     .max_actors = 20000,
     .payload = 64,
     .parts = {{BENCH_ECHO, "responder-", 1, NULL, NULL},
               {BENCH_REQUESTER, "requester-", 1, same, "responder-"}},
     .parts_len = 2},
    {.name = "ping-pong",
     .unit = "round trips",
     .rate = BENCH_HALF,
     .actors = 1,
     .max_actors = 10000,
     .payload = 64,
     .parts = {{BENCH_RING, "ring-", 2, other_of_two, "ring-"}},
     .parts_len = 1},
    {.name = "flood",
     .unit = "messages",
     .actors = 100,
     .max_actors = 1000,
     .payload = 64,
     .parts = {{BENCH_RECEIVER_MANY, "receiver-", BENCH_ONE, NULL, NULL},
               {BENCH_SENDER, "sender-", 1, first, "receiver-"}},
     .parts_len = 2},
    {.name = "ring",
     .unit = "hops",
     .actors = 1000,
     .max_actors = 20000,
     .payload = 64,
     .parts = {{BENCH_RING, "ring-", 1, next_of_ring, "ring-"}},
     .parts_len = 1},
    {.name = "all-to-all",
     .unit = "messages",
     .actors = 100,
     .max_actors = 1000,
     .payload = 64,
     .parts = {{BENCH_ALL_TO_ALL, "peer-", 1, NULL, NULL}},
     .parts_len = 1},
    {.name = "broadcast",
     .unit = "deliveries",
     .actors = 1000,
     .max_actors = 1000,
     .payload = 1024,
     .parts = {{BENCH_RECEIVER, "listener-", 1, NULL, NULL},
               {BENCH_BROADCASTER, "broadcaster-", BENCH_ONE, NULL, NULL}},
     .parts_len = 2},
    {.name = "channel",
     .unit = "messages",
     .actors = 1,
     .max_actors = 10000,
     .payload = 64,
     .channel = true,
     .parts = {{BENCH_RECEIVER, "receiver-", 1, NULL, NULL},
               {BENCH_SENDER, "sender-", 1, same, "receiver-"}},
     .parts_len = 2},
    {.name = "spawn",
     .unit = "actors",
     .actors = 10000,
     .max_actors = 1000000,
     .payload = 16,
     .run = bench_run_spawn},
    {.name = "memory",
     .unit = "actors",
     .actors = 10000,
     .max_actors = 1000000,
     .payload = 16,
     .run = bench_run_memory},
    {.name = "wake",
     .unit = "wakes",
     .actors = 1,
     .max_actors = 1,
     .payload = 64,
     .run = bench_run_wake},
};

const struct bench_workload *bench_workloads(size_t *out_len)
{
    *out_len = sizeof workloads / sizeof workloads[0];
    return workloads;
}

static uint32_t count_of(const struct bench_config *config,
                         const struct bench_part *part)
{
    return part->times == BENCH_ONE ? 1 : config->actors * part->times;
}

static theater_status_t spawn_part(struct bench_world *world,
                                   const struct bench_part *part,
                                   theater_error_t *err)
{
    const struct bench_config *config = world->config;
    bool pairs = part->target == other_of_two;
    for (uint32_t i = 1; i <= count_of(config, part); i++) {
        char name[64];
        struct bench_native_options options = {
            .role = part->role,
            .number = i,
            .start = pairs ? i % 2 == 1 : i == 1,
            .channel = config->workload->channel,
        };
        snprintf(name, sizeof name, "%s%u", part->prefix, i);
        if (part->target != NULL) {
            snprintf(options.target, sizeof options.target, "%s%u",
                     part->target_prefix, part->target(config, i));
        }
        theater_status_t status =
            bench_world_spawn(world, name, true, &options, err);
        if (status != THEATER_OK) {
            return status;
        }
    }
    return THEATER_OK;
}

/* --- What the actors say - */

struct tally {
    uint64_t sent;
    uint64_t refused;
    uint64_t received;
    uint64_t completed;
    uint64_t errors;
    uint64_t unfinished;
    uint64_t slowest; /* messages of the receiver that got the fewest */
    uint64_t receivers;
};

static void add(struct tally *tally, const struct bench_counters *counters,
                enum bench_role role)
{
    bool receives = role == BENCH_RECEIVER || role == BENCH_RECEIVER_MANY;
    /* Of a ring and of peers only some decide when it is over. */
    bool ends = role == BENCH_SENDER || role == BENCH_REQUESTER ||
                role == BENCH_BROADCASTER;
    tally->sent += counters->sent;
    tally->refused += counters->refused;
    tally->received += counters->received;
    tally->completed += counters->completed;
    tally->errors += counters->order_errors + counters->checksum_errors;
    /* A number that is skipped on a ring is one that others hand on. */
    tally->errors += role == BENCH_RING ? 0 : counters->gaps;
    tally->unfinished += (counters->flags & BENCH_MISCONFIGURED) != 0 ||
                         (ends && (counters->flags & BENCH_FINISHED) == 0);
    if (receives) {
        if (tally->receivers == 0 || counters->received < tally->slowest) {
            tally->slowest = counters->received;
        }
        tally->receivers++;
    }
}

static theater_status_t ask_part(struct bench_world *world,
                                 const struct bench_part *part,
                                 struct tally *tally)
{
    if (part->role == BENCH_ECHO) {
        return THEATER_OK; /* answers with what it is asked */
    }
    for (uint32_t i = 1; i <= count_of(world->config, part); i++) {
        char name[64];
        struct bench_counters counters;
        snprintf(name, sizeof name, "%s%u", part->prefix, i);
        theater_status_t status = bench_world_ask(world, name, &counters);
        if (status != THEATER_OK) {
            return status;
        }
        add(tally, &counters, part->role);
    }
    return THEATER_OK;
}

static uint64_t distance(uint64_t a, uint64_t b)
{
    return a > b ? a - b : b - a;
}

/* `at_rest` are the router's counters before anyone was asked. */
static void settle(const struct bench_config *config, const struct tally *tally,
                   const theater_counters_t *at_rest,
                   struct bench_result *result)
{
    bool requests = config->workload->rate == BENCH_ANSWERED;
    uint64_t by_router =
        distance(at_rest->accepted, at_rest->delivered + at_rest->dead_total);
    uint64_t by_actors;
    result->dead = at_rest->dead_total;
    result->sent = tally->sent;
    if (requests) {
        /* An echo keeps no counters: an answer says that it got one. */
        result->delivered = tally->completed;
        by_actors = distance(at_rest->requests, tally->completed);
    } else {
        result->delivered = tally->received;
        by_actors =
            distance(tally->sent, tally->received + at_rest->dead_total);
    }
    result->lost = by_actors > by_router ? by_actors : by_router;
    result->errors = tally->errors;
    result->failed += tally->unfinished;
    if (tally->receivers > 1 && tally->received > 0) {
        result->fairness = (double)tally->slowest * (double)tally->receivers /
                           (double)tally->received;
    }
}

/* --- One repeat - */

static uint64_t handled(const struct bench_config *config,
                        const theater_counters_t *counters)
{
    return config->workload->rate == BENCH_ANSWERED
               ? counters->ended[THEATER_OK]
               : counters->delivered;
}

/* Of all threads; on a machine that is shared it says more than the rate. */
static uint64_t cpu_ns(void)
{
    struct timespec used = {0};
    clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &used);
    return (uint64_t)used.tv_sec * 1000000000 + (uint64_t)used.tv_nsec;
}

static void measure(struct bench_world *world, struct bench_result *result)
{
    const struct bench_config *config = world->config;
    const theater_env_t *env = config->env;
    theater_counters_t counters;
    theater_runtime_start_all(world->runtime);
    bench_pause(env, config->warm_ns);
    theater_router_counters(world->router, &counters);
    uint64_t begin_ns = env->now_ns(env->ctx);
    uint64_t begin_cpu_ns = cpu_ns();
    uint64_t begin = handled(config, &counters);
    bench_pause(env, config->run_ns);
    theater_router_counters(world->router, &counters);
    uint64_t end_ns = env->now_ns(env->ctx);
    uint64_t end = handled(config, &counters);
    if (end > begin) {
        result->cpu_ns =
            (double)(cpu_ns() - begin_cpu_ns) / (double)(end - begin);
    }
    result->rate = (double)(end - begin) * 1e9 / (double)(end_ns - begin_ns);
    if (config->workload->rate == BENCH_HALF) {
        result->rate /= 2;
        result->cpu_ns *= 2;
    }
}

static theater_status_t course(struct bench_world *world,
                               struct bench_result *result,
                               theater_error_t *err)
{
    const struct bench_workload *workload = world->config->workload;
    theater_status_t status = THEATER_OK;
    theater_counters_t at_rest;
    struct tally tally = {0};
    for (unsigned i = 0; i < workload->parts_len && status == THEATER_OK; i++) {
        status = spawn_part(world, &workload->parts[i], err);
    }
    if (status != THEATER_OK) {
        return status;
    }
    measure(world, result);
    status = theater_runtime_wait(world->runtime, THEATER_WAIT_QUIET, 30000);
    if (status != THEATER_OK) {
        snprintf(err->text, sizeof err->text,
                 "the actors did not come to rest within 30 s");
        return status;
    }
    theater_router_counters(world->router, &at_rest);
    for (unsigned i = 0; i < workload->parts_len && status == THEATER_OK; i++) {
        status = ask_part(world, &workload->parts[i], &tally);
    }
    if (status == THEATER_OK) {
        settle(world->config, &tally, &at_rest, result);
    } else {
        snprintf(err->text, sizeof err->text,
                 "an actor does not answer for its counters");
    }
    return status;
}

theater_status_t bench_run(const struct bench_config *config,
                           struct bench_result *result, theater_error_t *err)
{
    struct bench_world world;
    theater_status_t status = bench_world_init(&world, config, err);
    if (status == THEATER_OK) {
        status = course(&world, result, err);
    }
    bench_world_fini(&world);
    /* relaxed: the workers are gone */
    result->failed +=
        atomic_load_explicit(&world.failures, memory_order_relaxed);
    memcpy(result->failure, world.failure, sizeof result->failure);
    return status;
}
