/* SPDX-License-Identifier: Apache-2.0 */
/* Counts the system calls that router and runtime make through the environment
 * table: park, unpark, map, unmap, discard. Memory that the allocator takes
 * from the system is not among them. */
#ifndef TH_CLI_BENCH_CALLS_H
#define TH_CLI_BENCH_CALLS_H

#include <theater/env.h>

struct bench_calls {
    uint64_t calls; /* but for those of the ticker */
    uint64_t ticks; /* of the ticker: as many as time goes by, at most */
};

/* A table like `base` that counts; there is one, of the last `base`. */
const theater_env_t *bench_calls_env(const theater_env_t *base);
/* So far. Threads: any. */
struct bench_calls bench_calls_now(void);

#endif
