/* SPDX-License-Identifier: Apache-2.0 */
/* Design notes. The table of workloads, and the course of one repeat: all
 * actors are spawned paused and started together; after a while the router's
 * counters are read, and once more when the time is over: the rate is what was
 * handled in between. The actors go on for a moment longer, so that nothing
 * ends within the measured time. Then all comes to rest, and each actor is
 * asked what it has counted itself. */
#include "cli/bench_calls.h"
#include "cli/bench_tally.h"

#include <stdio.h>
#include <string.h>
#include <time.h>

enum { LEAST_COUNTED = 98 }; /* two parts of 50 */

static uint32_t next_of_ring(const struct bench_config *config, uint32_t number)
{
    return number % config->actors + 1;
}

static uint32_t other_of_two(const struct bench_config *config, uint32_t number)
{
    (void)config;
    return number % 2 == 1 ? number + 1 : number - 1;
}

uint32_t bench_same(const struct bench_config *config, uint32_t number)
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
     .parts = {{BENCH_RECEIVER, "receiver-", 1, NULL, NULL, 1},
               {BENCH_SENDER, "sender-", 1, bench_same, "receiver-", 1}},
     .parts_len = 2},
    {.name = "request",
     .unit = "requests",
     .rate = BENCH_ANSWERED,
     .actors = 1,
     .max_actors = 20000,
     .payload = 64,
     .parts = {{BENCH_ECHO, "responder-", 1, NULL, NULL, 1},
               {BENCH_REQUESTER, "requester-", 1, bench_same, "responder-", 1}},
     .parts_len = 2},
    {.name = "ping-pong",
     .unit = "round trips",
     .rate = BENCH_HALF,
     .actors = 1,
     .max_actors = 10000,
     .payload = 64,
     .tokens = true,
     .parts = {{BENCH_RING, "ring-", 2, other_of_two, "ring-", 1}},
     .parts_len = 1},
    {.name = "flood",
     .unit = "messages",
     .actors = 100,
     .max_actors = 1000,
     .payload = 64,
     .parts = {{BENCH_RECEIVER_MANY, "receiver-", BENCH_ONE, NULL, NULL, 1},
               {BENCH_SENDER, "sender-", 1, first, "receiver-", 1}},
     .parts_len = 2,
     .flood = true,
     .run = bench_run_flood},
    {.name = "ring",
     .unit = "hops",
     .actors = 1000,
     .max_actors = 20000,
     .payload = 64,
     .tokens = true,
     .parts = {{BENCH_RING, "ring-", 1, next_of_ring, "ring-", 1}},
     .parts_len = 1},
    {.name = "all-to-all",
     .unit = "messages",
     .actors = 100,
     .max_actors = 1000,
     .payload = 64,
     .parts = {{BENCH_ALL_TO_ALL, "peer-", 1, NULL, NULL, 1}},
     .parts_len = 1},
    {.name = "broadcast",
     .unit = "deliveries",
     .actors = 1000,
     .max_actors = 1000,
     .payload = 1024,
     .parts = {{BENCH_LISTENER, "listener-", 1, NULL, NULL, 1},
               {BENCH_BROADCASTER, "broadcaster-", BENCH_ONE, NULL, NULL, 1}},
     .parts_len = 2},
    {.name = "channel",
     .unit = "messages",
     .actors = 1,
     .max_actors = 10000,
     .payload = 64,
     .channel = true,
     .parts = {{BENCH_RECEIVER, "receiver-", 1, NULL, NULL, 1},
               {BENCH_SENDER, "sender-", 1, bench_same, "receiver-", 1}},
     .parts_len = 2},
    {.name = "spawn",
     .unit = "actors",
     .actors = 10000,
     .max_actors = 1000000,
     .payload = 16,
     .max_payload = 16,
     .untimed = true,
     .run = bench_run_spawn},
    {.name = "memory",
     .unit = "actors",
     .actors = 10000,
     .max_actors = 1000000,
     .payload = 16,
     .max_payload = 16,
     .untimed = true,
     .run = bench_run_memory},
    {.name = "wake",
     .unit = "wakes",
     .actors = 1,
     .max_actors = 1,
     .payload = 64,
     .max_payload = 4096,
     .run = bench_run_wake},
    {.name = "scale",
     .unit = "messages",
     .actors = 100,
     .max_actors = 20000,
     .payload = 64,
     .least_workers = 2,
     .parts = {{BENCH_RECEIVER, "receiver-", 1, NULL, NULL, 1},
               {BENCH_SENDER, "sender-", 1, bench_same, "receiver-", 1}},
     .parts_len = 2,
     .run = bench_run_scale},
    {.name = "start",
     .unit = "starts",
     .actors = 2,
     .max_actors = 2,
     .payload = 16,
     .max_payload = 16,
     .wasm_only = true,
     .untimed = true,
     .fixed = true,
     .run = bench_run_start},
};

const struct bench_workload *bench_workloads(size_t *out_len)
{
    *out_len = sizeof workloads / sizeof workloads[0];
    return workloads;
}

const struct bench_workload *bench_workload(const char *name)
{
    for (size_t i = 0; i < sizeof workloads / sizeof workloads[0]; i++) {
        if (strcmp(workloads[i].name, name) == 0) {
            return &workloads[i];
        }
    }
    return NULL;
}

/* --- The actors - */

static uint32_t count_of(const struct bench_config *config,
                         const struct bench_part *part)
{
    return part->times == BENCH_ONE ? 1 : config->actors * part->times;
}

/* Number of the i-th actor of a part, from 0. */
static uint32_t number_of(const struct bench_part *part, uint32_t i)
{
    return part->first + i;
}

static theater_status_t spawn_part(struct bench_world *world,
                                   const struct bench_part *part,
                                   theater_error_t *err)
{
    const struct bench_config *config = world->config;
    bool pairs = part->target == other_of_two;
    uint64_t before = 0;
    for (uint32_t i = 0; i < count_of(config, part); i++) {
        char name[64];
        uint32_t number = number_of(part, i);
        struct bench_native_options options = {
            .role = part->role,
            .number = number,
            .start = pairs ? number % 2 == 1 : i == 0,
            .channel = config->workload->channel,
        };
        snprintf(name, sizeof name, "%s%u", part->prefix, number);
        if (part->target != NULL) {
            snprintf(options.target, sizeof options.target, "%s%u",
                     part->target_prefix, part->target(config, number));
        }
        theater_status_t status =
            bench_world_spawn(world, name, true, &options, err);
        if (status != THEATER_OK) {
            return status;
        }
        if (i == 0) {
            before = bench_resident();
        }
    }
    world->grown += (int64_t)(bench_resident() - before);
    world->counted += count_of(config, part) - 1;
    return THEATER_OK;
}

static theater_status_t ask_part(struct bench_world *world,
                                 const struct bench_part *part,
                                 struct bench_tally *tally)
{
    if (part->role == BENCH_ECHO) {
        return THEATER_OK; /* answers with what it is asked */
    }
    for (uint32_t i = 0; i < count_of(world->config, part); i++) {
        char name[64];
        struct bench_counters counters;
        snprintf(name, sizeof name, "%s%u", part->prefix, number_of(part, i));
        theater_status_t status = bench_world_ask(world, name, &counters);
        if (status != THEATER_OK) {
            return status;
        }
        bench_tally_add(tally, &counters, part->role);
    }
    return THEATER_OK;
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

struct watch {
    const char *name;
    uint64_t deliveries;
};

static void on_listed(void *user, const theater_actor_info_t *info)
{
    struct watch *watch = user;
    if (strcmp(info->name, watch->name) == 0) {
        watch->deliveries = info->deliveries;
    }
}

/* What the watched actor has handled so far. */
static uint64_t watched(struct bench_world *world)
{
    struct watch watch = {world->config->watched, 0};
    if (watch.name != NULL) {
        theater_runtime_list(world->runtime, on_listed, &watch);
    }
    return watch.deliveries;
}

/* The state at one moment; two of them are the ends of what is measured. */
struct moment {
    uint64_t ns;
    uint64_t cpu_ns;
    uint64_t resident;
    uint64_t handled;
    uint64_t watched;
    uint64_t calls;
};

static struct moment look(struct bench_world *world)
{
    const struct bench_config *config = world->config;
    theater_counters_t counters;
    struct moment now = {.watched = watched(world),
                         .resident = bench_resident()};
    theater_router_counters(world->router, &counters);
    now.handled = handled(config, &counters);
    now.calls = bench_calls_now().calls;
    now.ns = config->env->now_ns(config->env->ctx);
    now.cpu_ns = cpu_ns();
    return now;
}

static void measure(struct bench_world *world, struct bench_result *result)
{
    const struct bench_config *config = world->config;
    const theater_env_t *env = config->env;
    uint64_t spawned = bench_resident();
    theater_runtime_start_all(world->runtime);
    bench_pause(env, config->warm_ns);
    struct moment begin = look(world);
    bench_pause(env, config->run_ns);
    struct moment end = look(world);

    double seconds = (double)(end.ns - begin.ns) / 1e9;
    double count = (double)(end.handled - begin.handled);
    double each = config->workload->rate == BENCH_HALF ? 2 : 1;
    result->figures[BENCH_RATE] = count / each / seconds;
    if (count > 0) {
        result->figures[BENCH_CPU_NS] =
            (double)(end.cpu_ns - begin.cpu_ns) * each / count;
        result->figures[BENCH_CALLS] =
            (double)(end.calls - begin.calls) * each / count * 1e6;
    }
    if (config->workload->channel) {
        result->figures[BENCH_GB_PER_S] =
            count * config->payload / seconds / 1e9;
    }
    if (config->watched != NULL) {
        result->figures[BENCH_ASIDE_RATE] =
            (double)(end.watched - begin.watched) / seconds;
    }
    if (config->workload->flood) {
        result->figures[BENCH_GROWTH] =
            (double)(int64_t)(end.resident - begin.resident);
    }
    /* Of few actors the process's own memory would be most of it. */
    if (world->counted >= LEAST_COUNTED) {
        world->grown += (int64_t)(end.resident - spawned);
        result->figures[BENCH_BYTES_PER_ACTOR] =
            (double)world->grown / world->counted;
    }
}

static theater_status_t course(struct bench_world *world,
                               struct bench_result *result,
                               theater_error_t *err)
{
    const struct bench_workload *workload = world->config->workload;
    theater_status_t status = THEATER_OK;
    theater_counters_t at_rest;
    struct bench_tally tally = {0};
    bool many = workload->parts[0].role == BENCH_LISTENER;
    for (unsigned i = 0; i < workload->parts_len && status == THEATER_OK; i++) {
        status = spawn_part(world, &workload->parts[i], err);
    }
    if (status != THEATER_OK) {
        return status;
    }
    bench_probe_restart(world->config->probe, many);
    measure(world, result);
    status = bench_world_rest(world, err);
    if (status != THEATER_OK) {
        return status;
    }
    theater_router_counters(world->router, &at_rest);
    for (unsigned i = 0; i < workload->parts_len && status == THEATER_OK; i++) {
        status = ask_part(world, &workload->parts[i], &tally);
    }
    if (status == THEATER_OK) {
        bench_tally_settle(world->config, &tally, &at_rest, result);
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
    bench_world_fini(&world, result);
    return status;
}
