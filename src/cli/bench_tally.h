/* SPDX-License-Identifier: Apache-2.0 */
/* What the actors of a repeat say of themselves, and what was lost by it. */
#ifndef TH_CLI_BENCH_TALLY_H
#define TH_CLI_BENCH_TALLY_H

#include "cli/bench.h"

struct bench_tally {
    uint64_t sent;
    uint64_t received;
    uint64_t completed;
    uint64_t errors;
    uint64_t unfinished;
    uint64_t slowest; /* messages of the receiver that got the fewest */
    uint64_t receivers;
};

/* Adds what one actor answered. */
void bench_tally_add(struct bench_tally *tally,
                     const struct bench_counters *counters,
                     enum bench_role role);
/* Compares the sums with the router's counters, which were read before anyone
 * was asked: sent, delivered, dead, lost, errors, unfinished, fairness. */
void bench_tally_settle(const struct bench_config *config,
                        const struct bench_tally *tally,
                        const theater_counters_t *at_rest,
                        struct bench_result *result);

#endif
