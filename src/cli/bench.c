/* SPDX-License-Identifier: Apache-2.0 */
/* Design notes. `theater bench`: what was asked for, and the repeats, each in a
 * world of its own. */
#include "cli/bench_report.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

/* --- What was asked for - */

static int no_such(const struct cli_context *context, const char *name)
{
    return cli_no_such(context, "workload", name, context->command->word);
}

/* "0.2", "5": seconds, 0.01 to 3,600. */
static bool read_seconds(const char *text, uint64_t *out_ns)
{
    char *end;
    double seconds = strtod(text, &end);
    if (*end != '\0' || !isfinite(seconds) || seconds < 0.01 ||
        seconds > 3600) {
        return false;
    }
    *out_ns = (uint64_t)(seconds * 1e9);
    return true;
}

/* One per core, and at least what the workload compares. */
static unsigned workers_for(const struct bench_workload *workload,
                            unsigned given)
{
    long cores = sysconf(_SC_NPROCESSORS_ONLN);
    return given == 0 && cores < (long)workload->least_workers
               ? workload->least_workers
               : given;
}

/* What would be ignored is refused. */
static int check_options(const struct cli_context *context,
                         const struct bench_workload *workload)
{
    const struct {
        const char *option;
        bool refused;
        const char *why;
    } rows[] = {
        {"tokens", !workload->tokens, "only ring and ping-pong have tokens"},
        {"seconds", workload->untimed, "it ends when all is done"},
        {"actors", workload->fixed, "it starts one example"},
        {"payload", workload->fixed, "it starts one example"},
    };
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        if (rows[i].refused && cli_given(context, rows[i].option)) {
            return cli_usage(context, "%s takes no --%s: %s", workload->name,
                             rows[i].option, rows[i].why);
        }
    }
    return CLI_OK;
}

/* Whether the workload can be run as was asked. */
static int check(const struct cli_context *context,
                 const struct bench_config *config)
{
    const struct bench_workload *workload = config->workload;
    uint32_t max_payload = workload->max_payload;
    if (config->actors > workload->max_actors) {
        return cli_usage(context, "%s takes %u actors at most", workload->name,
                         workload->max_actors);
    }
    if (max_payload > 0 && config->payload > max_payload) {
        return cli_usage(context, "%s takes %u bytes of payload at most",
                         workload->name, max_payload);
    }
    if (config->workers > 0 && config->workers < workload->least_workers) {
        return cli_usage(context,
                         "%s compares with one worker: --workers %u "
                         "or more",
                         workload->name, workload->least_workers);
    }
    int code = check_options(context, workload);
    if (code != CLI_OK) {
        return code;
    }
    if (config->native && workload->wasm_only) {
        return cli_usage(context, "%s has no native form", workload->name);
    }
    if (!config->native && bench_files_len == 0) {
        return cli_fail_text(context, THEATER_UNSUPPORTED, NULL,
                             "this build has no guests (no clang for wasm32 "
                             "was there); --native works");
    }
    return CLI_OK;
}

static int configure(const struct cli_context *context, const char *name,
                     struct bench_outcome *outcome)
{
    struct bench_config *config = &outcome->config;
    const struct bench_workload *workload = bench_workload(name);
    const char *temporary = getenv("TMPDIR");
    if (workload == NULL) {
        return no_such(context, name);
    }
    config->env = context->env;
    config->workload = workload;
    config->native = cli_flag(context, "native");
    config->actors = workload->actors;
    config->payload = workload->payload;
    config->tokens = (uint32_t)cli_number(context, "tokens");
    config->workers =
        workers_for(workload, (unsigned)cli_number(context, "workers"));
    config->temporary =
        temporary != NULL && temporary[0] == '/' && strlen(temporary) < 200
            ? temporary
            : "/tmp";
    outcome->repeats = (unsigned)cli_number(context, "repeat");
    if (cli_given(context, "actors")) {
        config->actors = (uint32_t)cli_number(context, "actors");
    }
    if (cli_given(context, "payload")) {
        config->payload = (uint32_t)cli_number(context, "payload");
    }
    if (!read_seconds(cli_value(context, "seconds"), &config->run_ns)) {
        return cli_usage(context,
                         "--seconds must be a number of seconds from 0.01 to "
                         "3600, not '%s'",
                         cli_value(context, "seconds"));
    }
    config->warm_ns = config->run_ns / 5 + 20000000;
    return check(context, config);
}

/* --- Repeats - */

theater_status_t bench_repeat(struct bench_outcome *outcome,
                              theater_error_t *err)
{
    struct bench_config *config = &outcome->config;
    theater_status_t status = THEATER_OK;
    bench_result_init(&outcome->total);
    for (unsigned i = 0; i < outcome->repeats && status == THEATER_OK; i++) {
        struct bench_result one;
        bench_result_init(&one);
        status = config->workload->run != NULL
                     ? config->workload->run(config, &one, err)
                     : bench_run(config, &one, err);
        bench_result_add(&outcome->total, &one);
        for (size_t k = 0; k < BENCH_FIGURES; k++) {
            outcome->each[k][i] = one.figures[k];
        }
    }
    if (status == THEATER_OK) {
        bench_outcome_settle(outcome);
    }
    return status;
}

int bench_broken(const struct cli_context *context,
                 const struct bench_outcome *outcome, theater_status_t status,
                 const theater_error_t *err)
{
    return outcome->total.failure[0] != '\0'
               ? cli_fail_text(context, status, NULL, "%s",
                               outcome->total.failure)
               : cli_fail(context, status, err->text[0] != '\0' ? err : NULL);
}

/* --- The command - */

static int measure(const struct cli_context *context,
                   struct bench_outcome *outcome)
{
    theater_error_t err;
    memset(&err, 0, sizeof err);
    theater_status_t status = bench_repeat(outcome, &err);
    return status == THEATER_OK ? bench_report(context, outcome)
                                : bench_broken(context, outcome, status, &err);
}

int cli_bench(const struct cli_context *context, int argc, char **argv)
{
    struct bench_outcome outcome;
    const char *plot = cli_value(context, "plot");
    memset(&outcome, 0, sizeof outcome);
    if (argc == 0 && plot == NULL) {
        return cli_usage(context, "which workload? Or --plot FILE.svg");
    }
    if (plot != NULL &&
        ((argc > 0 && strcmp(argv[0], "pairs") != 0) ||
         cli_given(context, "actors") || cli_flag(context, "native"))) {
        return cli_usage(context, "--plot measures pairs of all sizes, of "
                                  "both kinds of actors");
    }
    int code = configure(context, argc > 0 ? argv[0] : "pairs", &outcome);
    if (code != CLI_OK) {
        return code;
    }
    outcome.config.probe = bench_probe_new(context->env);
    if (outcome.config.probe == NULL) {
        return cli_fail(context, THEATER_OUT_OF_MEMORY, NULL);
    }
    code = plot != NULL ? bench_plot(context, plot, &outcome)
                        : measure(context, &outcome);
    bench_probe_delete(outcome.config.probe);
    return code;
}
