/* SPDX-License-Identifier: Apache-2.0 */
/* Design notes. Each seed is a small round of one thread in virtual time, with
 * the same players, faults and ledger, and the same rare paths made likely
 * (base/points.h). It is played twice: what happened must hash to the same.
 * Guests are compiled once, into a folder that all rounds share. */
#include "simulate.h"

#include "../distinct.h"

#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

/* With so many seeds each point was taken, or it never is. */
enum { SEEDS_FOR_ALL = 1000 };

static bool play_twice(uint64_t seed, enum workload work, enum plant plant,
                       struct total *total, uint64_t *out_hash)
{
    uint64_t again = 0;
    bool clean = round_simulate(seed, work, plant, total, out_hash) &&
                 round_simulate(seed, work, plant, total, &again);
    if (clean && *out_hash != again) {
        fprintf(stderr, "conserve: seed %llu gave two different runs\n",
                (unsigned long long)seed);
        return false;
    }
    return clean;
}

static bool print_points(const struct total *total, bool all)
{
    bool taken = true;
    printf("points                      asked        taken\n");
    for (unsigned i = 0; i < TH_POINT_COUNT; i++) {
        printf("  %-22s %10llu %12llu\n", th_point_name((enum th_point)i),
               (unsigned long long)total->asked[i],
               (unsigned long long)total->taken[i]);
        taken = taken && total->taken[i] != 0;
    }
    if (all && !taken) {
        fprintf(stderr, "conserve: a point was never taken\n");
    }
    return taken || !all;
}

bool simulate_run(uint64_t seed, uint64_t seeds, enum workload work,
                  enum plant plant, struct total *total)
{
    char cache[] = "/tmp/theater-conserve-XXXXXX";
    char command[64];
    uint64_t *hashes = calloc(seeds, sizeof *hashes);
    bool passed = hashes != NULL && mkdtemp(cache) != NULL &&
                  setenv("CONSERVE_CACHE", cache, 1) == 0;
    for (uint64_t i = 0; i < seeds && passed; i++) {
        passed = play_twice(seed + i, work, plant, total, &hashes[i]);
        if (!passed) {
            fprintf(stderr,
                    "conserve: failed: --simulate 1 --seed %llu --workload "
                    "%s\n",
                    (unsigned long long)(seed + i), work_names[total->last]);
        }
    }
    snprintf(command, sizeof command, "rm -rf '%s'", cache);
    passed = system(command) == 0 && passed;
    if (passed) {
        printf("simulated: %llu seeds, each twice with equal hash, %llu "
               "different\n",
               (unsigned long long)seeds,
               (unsigned long long)distinct_count(hashes, seeds));
        passed =
            print_points(total, work == WORKLOADS && seeds >= SEEDS_FOR_ALL);
    }
    free(hashes);
    return passed;
}
