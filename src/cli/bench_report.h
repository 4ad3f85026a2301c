/* SPDX-License-Identifier: Apache-2.0 */
/* What `theater bench` makes of its repeats: medians, text, JSON, a picture,
 * and whether it was sound. */
#ifndef TH_CLI_BENCH_REPORT_H
#define TH_CLI_BENCH_REPORT_H

#include "cli/bench.h"

enum { BENCH_REPEATS_MAX = 100 };

struct bench_outcome {
    struct bench_config config;
    unsigned repeats;
    struct bench_result total; /* sums; figures: medians */
    double least[BENCH_FIGURES];
    double greatest[BENCH_FIGURES];
    double each[BENCH_FIGURES][BENCH_REPEATS_MAX]; /* as they came */
};

/* Medians, least and greatest, from `each`. */
void bench_outcome_settle(struct bench_outcome *outcome);
/* OK, or says what is wrong: a benchmark that lost a message has failed. */
int bench_sound(const struct cli_context *context,
                const struct bench_result *total);
/* Prints it; the exit code is that of bench_sound. */
int bench_report(const struct cli_context *context,
                 const struct bench_outcome *outcome);

/* --- bench.c, bench_plot.c ------------------------------------------------ */

/* All repeats, each in a world of its own. */
theater_status_t bench_repeat(struct bench_outcome *outcome,
                              theater_error_t *err);
/* Says why that failed; answers the exit code. */
int bench_broken(const struct cli_context *context,
                 const struct bench_outcome *outcome, theater_status_t status,
                 const theater_error_t *err);
/* `outcome` has what was asked for, for the workload `pairs`. */
int bench_plot(const struct cli_context *context, const char *path,
               struct bench_outcome *outcome);

#endif
