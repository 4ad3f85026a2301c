/* SPDX-License-Identifier: Apache-2.0 */
/* Design notes. `theater bench WORKLOAD`: repeats a workload, each time in a
 * world of its own, and prints the median with least and greatest, the
 * latencies of all repeats, and what was sent, delivered, dead and lost. A
 * benchmark that lost a message has failed. */
#include "cli/bench.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { REPEATS_MAX = 101 };

struct outcome {
    struct bench_config config;
    struct bench_result total; /* sums; rate: the median */
    double rates[REPEATS_MAX]; /* in the order of the repeats */
    double sorted[REPEATS_MAX];
    unsigned repeats;
};

static int by_size(const void *left, const void *right)
{
    double a = *(const double *)left;
    double b = *(const double *)right;
    return (a > b) - (a < b);
}

/* --- What was asked for - */

static const struct bench_workload *find(const char *name)
{
    size_t len;
    const struct bench_workload *all = bench_workloads(&len);
    for (size_t i = 0; i < len; i++) {
        if (strcmp(all[i].name, name) == 0) {
            return &all[i];
        }
    }
    return NULL;
}

static int no_such(const struct cli_context *context, const char *name)
{
    size_t len;
    const struct bench_workload *all = bench_workloads(&len);
    const char *names[32];
    for (size_t i = 0; i < len; i++) {
        names[i] = all[i].name;
    }
    const char *near = cli_nearest(name, names, len);
    return cli_usage(context, "there is no workload %s%s%s", name,
                     near != NULL ? "; did you mean " : "",
                     near != NULL ? near : "");
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

static int configure(const struct cli_context *context, const char *name,
                     struct outcome *outcome)
{
    struct bench_config *config = &outcome->config;
    const struct bench_workload *workload = find(name);
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
    config->workers = (unsigned)cli_number(context, "workers");
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
    if (config->actors > workload->max_actors) {
        return cli_usage(context, "%s takes %u actors at most", workload->name,
                         workload->max_actors);
    }
    if (workload->run != NULL && config->payload > 4096) {
        return cli_usage(context, "%s takes 4096 bytes of payload at most",
                         workload->name);
    }
    if (!read_seconds(cli_value(context, "seconds"), &config->run_ns)) {
        return cli_usage(context, "--seconds takes 0.01 to 3600");
    }
    config->warm_ns = config->run_ns / 5 + 20000000;
    if (!config->native && bench_modules_len == 0) {
        return cli_fail_text(context, THEATER_UNSUPPORTED, NULL,
                             "this build has no guests (no clang for wasm32 "
                             "was there); --native works");
    }
    return CLI_OK;
}

/* --- Repeats - */

static void add(struct bench_result *total, const struct bench_result *one)
{
    total->sent += one->sent;
    total->delivered += one->delivered;
    total->dead += one->dead;
    total->lost += one->lost;
    total->errors += one->errors;
    total->failed += one->failed;
    total->bytes_per_actor = one->bytes_per_actor;
    total->other_ns = one->other_ns;
    total->fairness = one->fairness;
    if (total->cpu_ns == 0 || one->cpu_ns < total->cpu_ns) {
        total->cpu_ns = one->cpu_ns;
    }
    if (total->failure[0] == '\0') {
        memcpy(total->failure, one->failure, sizeof total->failure);
    }
}

static theater_status_t repeat_all(struct outcome *outcome,
                                   theater_error_t *err)
{
    struct bench_config *config = &outcome->config;
    theater_status_t status = THEATER_OK;
    for (unsigned i = 0; i < outcome->repeats && status == THEATER_OK; i++) {
        struct bench_result one = {0};
        status = config->workload->run != NULL
                     ? config->workload->run(config, &one, err)
                     : bench_run(config, &one, err);
        add(&outcome->total, &one);
        outcome->rates[i] = one.rate;
    }
    memcpy(outcome->sorted, outcome->rates, sizeof outcome->sorted);
    qsort(outcome->sorted, outcome->repeats, sizeof outcome->sorted[0],
          by_size);
    outcome->total.rate = outcome->sorted[outcome->repeats / 2];
    if (outcome->repeats % 2 == 0) {
        outcome->total.rate =
            (outcome->total.rate + outcome->sorted[outcome->repeats / 2 - 1]) /
            2;
    }
    return status;
}

/* --- Printing - */

static int print_json(const struct outcome *outcome)
{
    const struct bench_config *config = &outcome->config;
    const struct bench_result *total = &outcome->total;
    const struct bench_histogram *latency = &config->probe->histogram;
    struct cli_text text;
    cli_text_init(&text, config->env);
    cli_json_object(&text, NULL);
    cli_json_string(&text, "workload", config->workload->name);
    cli_json_string(&text, "engine", config->native ? "native" : "wasm");
    cli_json_number(&text, "actors", config->actors);
    cli_json_number(&text, "payload_bytes", config->payload);
    cli_json_real(&text, "seconds", (double)config->run_ns / 1e9);
    cli_json_number(&text, "repeats", outcome->repeats);
    cli_json_number(&text, "sent", total->sent);
    cli_json_number(&text, "delivered", total->delivered);
    cli_json_number(&text, "dead_letters", total->dead);
    cli_json_number(&text, "lost", total->lost);
    cli_json_number(&text, "errors", total->errors);
    cli_json_string(&text, "unit", config->workload->unit);
    cli_json_real(&text, "rate_per_s", total->rate);
    cli_json_list(&text, "rates");
    for (unsigned i = 0; i < outcome->repeats; i++) {
        cli_json_real(&text, NULL, outcome->rates[i]);
    }
    cli_json_end(&text, ']');
    cli_json_object(&text, "latency_ns");
    cli_json_number(&text, "p50", bench_histogram_at(latency, 0.5));
    cli_json_number(&text, "p99", bench_histogram_at(latency, 0.99));
    cli_json_number(&text, "p999", bench_histogram_at(latency, 0.999));
    cli_json_number(&text, "max", bench_histogram_at(latency, 1));
    cli_json_end(&text, '}');
    cli_json_number(&text, "latency_samples", bench_histogram_total(latency));
    if (total->bytes_per_actor > 0) {
        cli_json_number(&text, "bytes_per_actor", total->bytes_per_actor);
    }
    if (total->cpu_ns > 0) {
        cli_json_real(&text, "cpu_ns_each", total->cpu_ns);
    }
    if (total->other_ns > 0) {
        cli_json_number(&text, "futex_wake_p50_ns", total->other_ns);
    }
    if (total->fairness > 0) {
        cli_json_real(&text, "slowest_to_mean", total->fairness);
    }
    cli_json_end(&text, '}');
    cli_add(&text, "\n");
    return cli_print(&text);
}

/* "12,345,678" */
static const char *grouped(double value, char out[static 32])
{
    char digits[32];
    int len = snprintf(digits, sizeof digits, "%.0f", value);
    char *at = out;
    for (int i = 0; i < len; i++) {
        if (i > 0 && (len - i) % 3 == 0) {
            *at++ = ',';
        }
        *at++ = digits[i];
    }
    *at = '\0';
    return out;
}

static void print_latency(struct cli_text *text, const struct outcome *outcome)
{
    const struct bench_histogram *latency = &outcome->config.probe->histogram;
    char n[4][32];
    if (bench_histogram_total(latency) == 0) {
        return;
    }
    cli_add_format(
        text, "  latency    p50 %s ns, p99 %s ns, p99.9 %s ns, max %s ns\n",
        grouped((double)bench_histogram_at(latency, 0.5), n[0]),
        grouped((double)bench_histogram_at(latency, 0.99), n[1]),
        grouped((double)bench_histogram_at(latency, 0.999), n[2]),
        grouped((double)bench_histogram_at(latency, 1), n[3]));
}

static int print_text(const struct outcome *outcome)
{
    const struct bench_config *config = &outcome->config;
    const struct bench_result *total = &outcome->total;
    char n[4][32];
    struct cli_text text;
    cli_text_init(&text, config->env);
    cli_add_format(&text, "%s, %s, %s actors, %u bytes, %g s, %u repeats\n",
                   config->workload->name, config->native ? "native" : "wasm",
                   grouped(config->actors, n[0]), config->payload,
                   (double)config->run_ns / 1e9, outcome->repeats);
    cli_add_format(&text, "  %-10s %s a second (from %s to %s)\n",
                   config->workload->unit, grouped(total->rate, n[0]),
                   grouped(outcome->sorted[0], n[1]),
                   grouped(outcome->sorted[outcome->repeats - 1], n[2]));
    if (total->cpu_ns > 0) {
        cli_add_format(&text, "  processor  %.1f ns for each at best\n",
                       total->cpu_ns);
    }
    print_latency(&text, outcome);
    if (total->other_ns > 0) {
        cli_add_format(&text, "  beside     p50 %s ns of a bare futex wake\n",
                       grouped((double)total->other_ns, n[0]));
    }
    if (total->bytes_per_actor > 0) {
        cli_add_format(&text, "  memory     %s bytes per actor\n",
                       grouped((double)total->bytes_per_actor, n[0]));
    }
    if (total->fairness > 0) {
        cli_add_format(&text, "  fairness   slowest %.2f of the mean\n",
                       total->fairness);
    }
    cli_add_format(&text, "  sent %s, delivered %s, dead letters %s, lost %s\n",
                   grouped((double)total->sent, n[0]),
                   grouped((double)total->delivered, n[1]),
                   grouped((double)total->dead, n[2]),
                   grouped((double)total->lost, n[3]));
    return cli_print(&text);
}

/* --- The command - */

static int report(const struct cli_context *context,
                  const struct outcome *outcome)
{
    const struct bench_result *total = &outcome->total;
    int code = context->json ? print_json(outcome) : print_text(outcome);
    if (total->failed > 0) {
        return cli_fail_text(context, THEATER_FAILED, NULL,
                             "%llu actors failed or did not finish%s%s",
                             (unsigned long long)total->failed,
                             total->failure[0] != '\0' ? ": " : "",
                             total->failure);
    }
    if (total->lost > 0 || total->errors > 0) {
        return cli_fail_text(
            context, THEATER_BUG, NULL,
            "%llu messages were lost; %llu were damaged, doubled, skipped or "
            "out of order",
            (unsigned long long)total->lost, (unsigned long long)total->errors);
    }
    return code;
}

int cli_bench(const struct cli_context *context, int argc, char **argv)
{
    const theater_env_t *env = context->env;
    struct outcome outcome;
    theater_error_t err;
    (void)argc;
    memset(&outcome, 0, sizeof outcome);
    memset(&err, 0, sizeof err);
    int code = configure(context, argv[0], &outcome);
    if (code != CLI_OK) {
        return code;
    }
    struct bench_probe *probe = env->alloc(env->ctx, sizeof *probe, 64);
    if (probe == NULL) {
        return cli_fail(context, THEATER_OUT_OF_MEMORY, NULL);
    }
    memset(probe, 0, sizeof *probe);
    probe->env = env;
    outcome.config.probe = probe;
    theater_status_t status = repeat_all(&outcome, &err);
    if (status == THEATER_OK) {
        code = report(context, &outcome);
    } else if (outcome.total.failure[0] != '\0') {
        code =
            cli_fail_text(context, status, NULL, "%s", outcome.total.failure);
    } else {
        code = cli_fail(context, status, err.text[0] != '\0' ? &err : NULL);
    }
    env->free(env->ctx, probe);
    return code;
}
