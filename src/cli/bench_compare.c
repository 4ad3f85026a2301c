/* SPDX-License-Identifier: Apache-2.0 */
/* Design notes. Workloads that compare two worlds, one after the other in the
 * same repeat, since a machine is not the same from one minute to the next:
 *
 * flood   the flood alone; then with a pair beside it that has nothing to do
 *         with it; then that pair beside one other pair, which is as busy as
 *         it can be. What the pair gets beside an ordinary neighbour is its
 *         fair share; what is left of that beside the flood is told.
 * scale   the same pairs on one worker, then on all. */
#include "cli/bench.h"

static const char aside[] = "receiver-aside-1024";
_Static_assert(BENCH_BYSTANDER == 1024, "its name");

#define ASIDE_RECEIVER                                                         \
    {BENCH_RECEIVER, "receiver-aside-", BENCH_ONE, NULL, NULL, BENCH_BYSTANDER}
#define ASIDE_SENDER                                                           \
    {BENCH_SENDER, "aside-",          BENCH_ONE,                               \
     bench_same,   "receiver-aside-", BENCH_BYSTANDER}

static uint32_t first(const struct bench_config *config, uint32_t number)
{
    (void)config;
    (void)number;
    return 1;
}

static const struct bench_workload flood_beside = {
    .name = "flood",
    .parts = {{BENCH_RECEIVER_MANY, "receiver-", BENCH_ONE, NULL, NULL, 1},
              ASIDE_RECEIVER,
              {BENCH_SENDER, "sender-", 1, first, "receiver-", 1},
              ASIDE_SENDER},
    .parts_len = 4,
};

static const struct bench_workload pair_beside = {
    .name = "flood",
    .parts = {{BENCH_RECEIVER, "receiver-", BENCH_ONE, NULL, NULL, 1},
              ASIDE_RECEIVER,
              {BENCH_SENDER, "sender-", BENCH_ONE, first, "receiver-", 1},
              ASIDE_SENDER},
    .parts_len = 4,
};

/* Another world, whose latencies are kept nowhere. */
static theater_status_t run_other(const struct bench_config *config,
                                  struct bench_result *result,
                                  theater_error_t *err)
{
    struct bench_config other = *config;
    bench_result_init(result);
    other.probe = bench_probe_new(config->env);
    if (other.probe == NULL) {
        return THEATER_OUT_OF_MEMORY;
    }
    theater_status_t status = bench_run(&other, result, err);
    bench_probe_delete(other.probe);
    return status;
}

theater_status_t bench_run_flood(const struct bench_config *config,
                                 struct bench_result *result,
                                 theater_error_t *err)
{
    struct bench_result flooded;
    struct bench_result fair;
    struct bench_config other = *config;
    theater_status_t status = bench_run(config, result, err);
    if (status != THEATER_OK) {
        return status;
    }
    other.watched = aside;
    other.workload = &flood_beside;
    status = run_other(&other, &flooded, err);
    bench_result_add(result, &flooded);
    if (status != THEATER_OK) {
        return status;
    }
    other.workload = &pair_beside;
    status = run_other(&other, &fair, err);
    bench_result_add(result, &fair);
    double *figures = result->figures;
    figures[BENCH_ASIDE_RATE] = flooded.figures[BENCH_ASIDE_RATE];
    figures[BENCH_FAIR_RATE] = fair.figures[BENCH_ASIDE_RATE];
    if (figures[BENCH_FAIR_RATE] > 0) {
        figures[BENCH_FAIR_SHARE] =
            figures[BENCH_ASIDE_RATE] / figures[BENCH_FAIR_RATE];
    }
    return status;
}

theater_status_t bench_run_scale(const struct bench_config *config,
                                 struct bench_result *result,
                                 theater_error_t *err)
{
    struct bench_result one;
    struct bench_config other = *config;
    other.workers = 1;
    theater_status_t status = run_other(&other, &one, err);
    if (status == THEATER_OK) {
        status = bench_run(config, result, err);
    }
    bench_result_add(result, &one);
    double *figures = result->figures;
    figures[BENCH_ONE_WORKER_RATE] = one.figures[BENCH_RATE];
    if (figures[BENCH_ONE_WORKER_RATE] > 0) {
        figures[BENCH_SCALE] =
            figures[BENCH_RATE] / figures[BENCH_ONE_WORKER_RATE];
    }
    return status;
}
