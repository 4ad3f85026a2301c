/* SPDX-License-Identifier: Apache-2.0 */
/* What the files of `theater bench` share: the workloads' table, what a repeat
 * measures, the world that it runs in, native actors. */
#ifndef TH_CLI_BENCH_H
#define TH_CLI_BENCH_H

#include <theater/message_server.h>
#include <theater/runtime.h>

#include <string.h>

#include "cli/bench_probe.h"
#include "cli/cli.h"

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
static inline uint64_t bench_word(const uint8_t *at)
{
    uint64_t word;
    memcpy(&word, at, sizeof word);
    return word;
}
static inline uint64_t bench_checksum(theater_bytes_t data)
{
    const uint8_t *at = data.data + BENCH_SMALLEST;
    size_t left = data.len - BENCH_SMALLEST;
    uint64_t a = data.len + bench_word(data.data);
    uint64_t b = 0;
    uint64_t c = 0;
    uint64_t d = 0;
    for (; left >= 32; left -= 32, at += 32) {
        a += bench_word(at);
        b += bench_word(at + 8);
        c += bench_word(at + 16);
        d += bench_word(at + 24);
    }
    for (; left >= 8; left -= 8, at += 8) {
        b += bench_word(at);
    }
    for (; left > 0; left--, at++) {
        d += *at;
    }
    return a + 3 * b + 5 * c + 7 * d;
}
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
    BENCH_LISTENER,
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

enum {
    BENCH_ONE = 0, /* count of a part: one, whatever --actors says */
    BENCH_PARTS = 4,
    BENCH_BYSTANDER = BENCH_OWNERS, /* number of actors beside: no samples */
};

struct bench_config;
struct bench_result;

/* Actors of one kind in a workload: prefix1 ... prefixN. */
struct bench_part {
    enum bench_role role;
    const char *prefix; /* "sender-" */
    unsigned times;     /* actors for each of --actors, or BENCH_ONE */
    /* Target's number for actor `number`, for `ring`; NULL: none. */
    uint32_t (*target)(const struct bench_config *config, uint32_t number);
    const char *target_prefix; /* "receiver-"; NULL: none */
    uint32_t first;            /* number of the first */
};

struct bench_workload {
    const char *name; /* "pairs" */
    const char *unit; /* "messages" */
    enum bench_rate rate;
    uint32_t actors; /* default */
    uint32_t max_actors;
    uint32_t payload;     /* default, bytes */
    uint32_t max_payload; /* 0: no bound of its own */
    unsigned least_workers;
    struct bench_part parts[BENCH_PARTS];
    unsigned parts_len;
    bool channel;
    bool flood; /* memory is to stay as it is */
    bool wasm_only;
    bool tokens;  /* takes --tokens */
    bool untimed; /* takes no --seconds: it ends when all is done */
    bool fixed;   /* takes neither --actors nor --payload */
    /* One repeat; NULL: bench_run. */
    theater_status_t (*run)(const struct bench_config *config,
                            struct bench_result *result, theater_error_t *err);
};

const struct bench_workload *bench_workloads(size_t *out_len);
/* NULL: there is none of that name. */
const struct bench_workload *bench_workload(const char *name);
/* Targets for parts: the actor of the same number. */
uint32_t bench_same(const struct bench_config *config, uint32_t number);

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
    const char *watched; /* actor whose own rate is taken; NULL: none */
    struct bench_probe *probe;
};

/* --- What a repeat measures ----------------------------------------------- */

enum bench_figure {
    BENCH_RATE,            /* of the workload's unit, a second */
    BENCH_GB_PER_S,        /* payload moved */
    BENCH_CPU_NS,          /* of processor time for each */
    BENCH_BYTES_PER_ACTOR, /* of resident memory */
    BENCH_FAIRNESS,        /* the slowest receiver's share of the mean */
    BENCH_CALLS,  /* system calls for a million, without the ticker's */
    BENCH_GROWTH, /* of resident memory while measured, bytes */
    BENCH_ALL_ANSWERED_MS, /* memory: until all have answered once more */
    BENCH_WAKE_NS,         /* wake: its median */
    BENCH_FUTEX_NS,        /* of a bare futex wake */
    BENCH_WAKE_RATIO,      /* of the two */
    BENCH_ASIDE_RATE,      /* flood: of the pair beside it */
    BENCH_FAIR_RATE,       /* of that pair beside one other pair */
    BENCH_FAIR_SHARE,      /* of the two */
    BENCH_ONE_WORKER_RATE, /* scale */
    BENCH_SCALE,           /* the rate, of that of one worker */
    BENCH_EMPTY_CACHE_MS,  /* start: until the first pong */
    BENCH_FULL_CACHE_MS,
    BENCH_FIGURES
};

struct bench_result {
    uint64_t sent;
    uint64_t delivered;
    uint64_t dead;
    uint64_t lost;                    /* by the actors' or router's counters */
    uint64_t errors;                  /* damaged, late, skipped, said twice */
    uint64_t failed;                  /* actors that failed, did not finish */
    double figures[BENCH_FIGURES];    /* NAN: not measured */
    char failure[THEATER_ERROR_TEXT]; /* of the first actor; "" */
};

void bench_result_init(struct bench_result *result);
/* Counts of `one` are added; figures stay. */
void bench_result_add(struct bench_result *total,
                      const struct bench_result *one);

/* --- bench_world.c: a router, a runtime and the actors of one repeat ------ */

struct bench_world {
    const struct bench_config *config;
    theater_router_t *router;
    theater_runtime_t *runtime;
    theater_manifest_t *manifests[BENCH_ROLES];
    int64_t grown;    /* resident bytes, but for the first actor of each part */
    uint32_t counted; /* those that it is of */
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
/* The end of all; what failed goes to `result`. */
void bench_world_fini(struct bench_world *world, struct bench_result *result);
/* Sleeps. */
void bench_pause(const theater_env_t *env, uint64_t ns);
/* Waits until nothing can happen any more; twice, since the whole process may
 * have been stopped for longer than one wait. */
theater_status_t bench_world_rest(struct bench_world *world,
                                  theater_error_t *err);
/* Bytes of memory that the process has touched; 0: not known. */
uint64_t bench_resident(void);
/* Asks an actor for its counters. */
theater_status_t bench_world_ask(struct bench_world *world, const char *name,
                                 struct bench_counters *out);
/* A new folder in the temporary one, for its user alone. */
theater_status_t bench_folder(const struct bench_config *config,
                              char out_path[static 256]);
/* Writes a file that the command carries into a folder. */
theater_status_t bench_write(const struct bench_config *config,
                             const char *folder, const char *name);

/* --- bench_native.c ------------------------------------------------------- */

theater_status_t bench_native_spawn(struct bench_world *world, const char *name,
                                    bool paused,
                                    const theater_manifest_t *manifest,
                                    const struct bench_native_options *options,
                                    theater_error_t *err);

/* --- One repeat: bench_workload.c, bench_single.c, ... -------------------- */

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
theater_status_t bench_run_flood(const struct bench_config *config,
                                 struct bench_result *result,
                                 theater_error_t *err);
theater_status_t bench_run_scale(const struct bench_config *config,
                                 struct bench_result *result,
                                 theater_error_t *err);
theater_status_t bench_run_start(const struct bench_config *config,
                                 struct bench_result *result,
                                 theater_error_t *err);

/* --- Files that the command carries, generated at build ------------------- */

struct bench_file {
    const char *name; /* "sender.wasm" */
    const uint8_t *data;
    size_t len;
};
extern const struct bench_file bench_files[];
extern const size_t bench_files_len;

#endif
