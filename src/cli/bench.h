/* SPDX-License-Identifier: Apache-2.0 */
/* What the files of `theater bench` share: the workloads' table, the world
 * that one repeat runs in, native actors, the probe that takes latencies, and
 * the histogram that keeps them. */
#ifndef TH_CLI_BENCH_H
#define TH_CLI_BENCH_H

#include <theater/message_server.h>
#include <theater/runtime.h>

#include <stdatomic.h>

#include "cli/cli.h"

/* --- bench_histogram.c: log-linear, 1.6 % ------------------------------- */

enum {
    BENCH_SUB_BITS = 6, /* 64 buckets for each power of two */
    BENCH_BUCKETS = (64 - BENCH_SUB_BITS + 1) << BENCH_SUB_BITS,
};

/* Threads: recording: any, at once; reading: when nobody records. */
struct bench_histogram {
    _Atomic uint64_t count[BENCH_BUCKETS];
    _Atomic uint64_t max;
};

void bench_histogram_record(struct bench_histogram *histogram, uint64_t value);
uint64_t bench_histogram_total(const struct bench_histogram *histogram);
/* The value below which `share` (0 to 1) of all lie: the upper end of its
 * bucket, the maximum at most. 0 when there are none. */
uint64_t bench_histogram_at(const struct bench_histogram *histogram,
                            double share);

/* --- bench_probe.c: latencies, seen from outside the actors -------------- */

enum { BENCH_OWNERS = 1024, BENCH_TAGS = 8, BENCH_SAMPLE = 1024 };

/* Who sends says `begin`, who handles says `end`, with the same owner (the
 * sender's number) and tag. Owners beyond the first 1,024 are not sampled. */
struct bench_probe {
    const theater_env_t *env;
    struct bench_histogram histogram;
    _Atomic uint64_t began_ns[BENCH_OWNERS][BENCH_TAGS]; /* 0: not under way */
};

void bench_probe_begin(struct bench_probe *probe, uint64_t owner, uint64_t tag);
void bench_probe_end(struct bench_probe *probe, uint64_t owner, uint64_t tag);
/* The handler "bench", which gives both to guests; its prototype is the
 * probe, which stays the caller's. */
const theater_handler_ops_t *bench_probe_ops(void);

/* --- Messages, as bench/actors/README.md says ---------------------------- */

enum {
    BENCH_SEQUENCE_BITS = 40,
    BENCH_SMALLEST = 16,
    BENCH_FINISHED = 1,
    BENCH_MISCONFIGURED = 2,
};
#define BENCH_SEQUENCE_MASK (((uint64_t)1 << BENCH_SEQUENCE_BITS) - 1)
#define BENCH_MAGIC UINT64_C(0x313048434e454254)

/* What an actor answers to any request. */
struct bench_counters {
    uint64_t magic;
    uint64_t flags;
    uint64_t sent;
    uint64_t refused;
    uint64_t received;
    uint64_t order_errors;
    uint64_t gaps;
    uint64_t checksum_errors;
    uint64_t completed;
    uint64_t elapsed_ms;
    uint64_t last_code;
};

/* Fills a message that is not yet stamped, answers its base. */
uint64_t bench_fill(uint64_t *message, size_t len);
uint64_t bench_checksum(theater_bytes_t data);
static inline void bench_stamp(uint64_t *message, uint64_t base, uint64_t word)
{
    message[0] = word;
    message[1] = base + word;
}

/* --- The table of workloads ----------------------------------------------- */

enum bench_role {
    BENCH_SENDER,
    BENCH_RECEIVER,
    BENCH_RECEIVER_MANY,
    BENCH_RING,
    BENCH_REQUESTER,
    BENCH_ECHO,
    BENCH_ALL_TO_ALL,
    BENCH_BROADCASTER,
    BENCH_ROLES
};

enum bench_rate {
    BENCH_DELIVERED, /* messages handled */
    BENCH_HALF,      /* of them: a round trip is two */
    BENCH_ANSWERED,  /* requests answered */
};

enum { BENCH_ONE = 0 }; /* count of a part: one, whatever --actors says */

struct bench_config;

/* Actors of one kind in a workload: prefix1 ... prefixN. */
struct bench_part {
    enum bench_role role;
    const char *prefix; /* "sender-" */
    unsigned times;     /* actors for each of --actors, or BENCH_ONE */
    /* Target's number for actor `number`, for `ring`; NULL: none. */
    uint32_t (*target)(const struct bench_config *config, uint32_t number);
    const char *target_prefix; /* "receiver-"; NULL: none */
};

struct bench_result;

struct bench_workload {
    const char *name; /* "pairs" */
    const char *unit; /* "messages" */
    enum bench_rate rate;
    uint32_t actors; /* default */
    uint32_t max_actors;
    uint32_t payload; /* default, bytes */
    struct bench_part parts[2];
    unsigned parts_len;
    bool channel;
    /* Not made of parts: runs by itself. */
    theater_status_t (*run)(const struct bench_config *config,
                            struct bench_result *result, theater_error_t *err);
};

const struct bench_workload *bench_workloads(size_t *out_len);

struct bench_config {
    const theater_env_t *env;
    const struct bench_workload *workload;
    bool native;
    uint32_t actors;
    uint32_t payload;
    uint32_t tokens;
    unsigned workers; /* 0: one per core */
    uint64_t run_ns;  /* measured */
    uint64_t warm_ns; /* before that */
    const char *temporary;
    struct bench_probe *probe;
};

struct bench_result {
    uint64_t sent;
    uint64_t delivered;
    uint64_t dead;
    uint64_t lost;            /* by the actors' counters or by the router's */
    uint64_t errors;          /* damaged, out of order, skipped, said twice */
    uint64_t failed;          /* actors that failed or did not finish */
    uint64_t bytes_per_actor; /* 0: not measured */
    uint64_t other_ns;        /* wake: median of a bare futex wake */
    double fairness;          /* the slowest receiver against the mean; 0 */
    double rate;              /* a second */
    double cpu_ns;            /* of processor time for each; 0 */
    char failure[THEATER_ERROR_TEXT]; /* of the first actor; "" */
};

/* --- bench_world.c: a router, a runtime and the actors of one repeat ----- */

struct bench_world {
    const struct bench_config *config;
    theater_router_t *router;
    theater_runtime_t *runtime;
    theater_manifest_t *manifests[BENCH_ROLES];
    char folder[256]; /* of the modules; "" when there is none */
    _Atomic uint64_t failures;
    char failure[THEATER_ERROR_TEXT]; /* written by the first */
};

theater_status_t bench_world_init(struct bench_world *world,
                                  const struct bench_config *config,
                                  theater_error_t *err);
/* Spawns one actor; `state` for guests, `options` for native ones. */
struct bench_native_options {
    enum bench_role role;
    uint32_t number;
    char target[64];
    bool start;
    bool channel;
};
theater_status_t bench_world_spawn(struct bench_world *world, const char *name,
                                   bool paused,
                                   const struct bench_native_options *options,
                                   theater_error_t *err);
void bench_world_fini(struct bench_world *world);
/* Sleeps. */
void bench_pause(const theater_env_t *env, uint64_t ns);
/* Asks an actor for its counters. */
theater_status_t bench_world_ask(struct bench_world *world, const char *name,
                                 struct bench_counters *out);

/* --- bench_native.c --------------------------------- */

theater_status_t bench_native_spawn(struct bench_world *world, const char *name,
                                    bool paused,
                                    const theater_manifest_t *manifest,
                                    const struct bench_native_options *options,
                                    theater_error_t *err);

/* --- bench_workload.c, bench_single.c ------------------------------------- */

theater_status_t bench_run(const struct bench_config *config,
                           struct bench_result *result, theater_error_t *err);
theater_status_t bench_run_spawn(const struct bench_config *config,
                                 struct bench_result *result,
                                 theater_error_t *err);
theater_status_t bench_run_memory(const struct bench_config *config,
                                  struct bench_result *result,
                                  theater_error_t *err);
theater_status_t bench_run_wake(const struct bench_config *config,
                                struct bench_result *result,
                                theater_error_t *err);

/* --- The guests' modules, generated at build ------------------------------ */

struct bench_module {
    const char *name; /* "sender" */
    const uint8_t *data;
    size_t len;
};
extern const struct bench_module bench_modules[];
extern const size_t bench_modules_len;

#endif
