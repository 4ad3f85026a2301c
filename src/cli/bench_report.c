/* SPDX-License-Identifier: Apache-2.0 */
/* Design notes. One table says how each figure is called, in text and in JSON;
 * whatever a repeat has measured is told as the median of the repeats with the
 * least and the greatest. Memory is told as the greatest, since a later repeat
 * finds memory that an earlier one has left to the process. */
#include "cli/bench_report.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>

/* --- The figures ---------------------------------------------------------- */

struct row {
    const char *json;
    const char *label; /* NULL: JSON alone */
    const char *unit;  /* behind the value; "" */
    unsigned decimals;
    bool greatest; /* counts, not the median */
};

static const struct row rows[BENCH_FIGURES] = {
    [BENCH_RATE] = {"rate_per_s", "", "a second", 0, false},
    [BENCH_GB_PER_S] = {"gb_per_s", "bandwidth", "GB/s", 3, false},
    [BENCH_CPU_NS] = {"cpu_ns_each", "processor", "ns for each", 1, false},
    [BENCH_BYTES_PER_ACTOR] = {"bytes_per_actor", "memory",
                               "bytes for each actor", 0, true},
    [BENCH_FAIRNESS] = {"slowest_to_mean", "fairness",
                        "of the mean, the slowest", 2, false},
    [BENCH_CALLS] = {"calls_per_million", "calls",
                     "system calls for a million of them", 1, false},
    [BENCH_GROWTH] = {"growth_bytes", "growth",
                      "bytes more memory while measured", 0, true},
    [BENCH_ALL_ANSWERED_MS] = {"all_answered_ms", "all",
                               "ms until all have answered once more", 1,
                               false},
    [BENCH_WAKE_NS] = {"wake_p50_ns", NULL, "", 0, false},
    [BENCH_FUTEX_NS] = {"futex_wake_p50_ns", "beside",
                        "ns p50 of a bare futex wake", 0, false},
    [BENCH_WAKE_RATIO] = {"wake_to_futex", "ratio", "of the bare wake's p50", 2,
                          false},
    [BENCH_ASIDE_RATE] = {"bystander_per_s", "bystander",
                          "a second: a pair beside the flood", 0, false},
    [BENCH_FAIR_RATE] = {"bystander_fair_per_s", "fair",
                         "a second: that pair beside one other pair", 0, false},
    [BENCH_FAIR_SHARE] = {"bystander_share", "share",
                          "of its fair rate is what the bystander keeps", 2,
                          false},
    [BENCH_ONE_WORKER_RATE] = {"one_worker_per_s", "one worker", "a second", 0,
                               false},
    [BENCH_SCALE] = {"scale", "ratio", "times the rate of one worker", 2,
                     false},
    [BENCH_EMPTY_CACHE_MS] = {"empty_cache_ms", "empty",
                              "ms to the first pong, no code in the cache", 1,
                              false},
    [BENCH_FULL_CACHE_MS] = {"full_cache_ms", "full",
                             "ms with the code in the cache", 1, false},
};

void bench_result_init(struct bench_result *result)
{
    *result = (struct bench_result){0};
    for (size_t i = 0; i < BENCH_FIGURES; i++) {
        result->figures[i] = NAN;
    }
}

void bench_result_add(struct bench_result *total,
                      const struct bench_result *one)
{
    total->sent += one->sent;
    total->delivered += one->delivered;
    total->dead += one->dead;
    total->lost += one->lost;
    total->errors += one->errors;
    total->failed += one->failed;
    if (total->failure[0] == '\0') {
        memcpy(total->failure, one->failure, sizeof total->failure);
    }
}

static int by_size(const void *left, const void *right)
{
    double a = *(const double *)left;
    double b = *(const double *)right;
    return (a > b) - (a < b);
}

static void settle(struct bench_outcome *outcome, enum bench_figure figure)
{
    double sorted[BENCH_REPEATS_MAX];
    unsigned len = 0;
    for (unsigned i = 0; i < outcome->repeats; i++) {
        if (!isnan(outcome->each[figure][i])) {
            sorted[len++] = outcome->each[figure][i];
        }
    }
    outcome->total.figures[figure] = NAN;
    if (len == 0) {
        return;
    }
    qsort(sorted, len, sizeof sorted[0], by_size);
    outcome->least[figure] = sorted[0];
    outcome->greatest[figure] = sorted[len - 1];
    outcome->total.figures[figure] =
        rows[figure].greatest ? sorted[len - 1]
                              : (sorted[len / 2] + sorted[(len - 1) / 2]) / 2;
}

void bench_outcome_settle(struct bench_outcome *outcome)
{
    for (unsigned i = 0; i < BENCH_FIGURES; i++) {
        settle(outcome, (enum bench_figure)i);
    }
}

/* --- JSON ----------------------------------------------------------------- */

static void add_figures_json(struct cli_text *text,
                             const struct bench_outcome *outcome)
{
    for (size_t i = 0; i < BENCH_FIGURES; i++) {
        char name[64];
        if (isnan(outcome->total.figures[i])) {
            continue;
        }
        cli_json_real(text, rows[i].json, outcome->total.figures[i]);
        snprintf(name, sizeof name, "%s_min", rows[i].json);
        cli_json_real(text, name, outcome->least[i]);
        snprintf(name, sizeof name, "%s_max", rows[i].json);
        cli_json_real(text, name, outcome->greatest[i]);
    }
    if (!isnan(outcome->total.figures[BENCH_RATE])) {
        cli_json_list(text, "rates");
        for (unsigned i = 0; i < outcome->repeats; i++) {
            cli_json_real(text, NULL, outcome->each[BENCH_RATE][i]);
        }
        cli_json_end(text, ']');
    }
}

static int print_json(const struct bench_outcome *outcome)
{
    const struct bench_config *config = &outcome->config;
    const struct bench_result *total = &outcome->total;
    const struct bench_histogram *latency = &config->probe->histogram;
    uint64_t samples = bench_histogram_total(latency);
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
    add_figures_json(&text, outcome);
    if (samples > 0) {
        cli_json_object(&text, "latency_ns");
        cli_json_number(&text, "p50", bench_histogram_at(latency, 0.5));
        cli_json_number(&text, "p99", bench_histogram_at(latency, 0.99));
        cli_json_number(&text, "p999", bench_histogram_at(latency, 0.999));
        cli_json_number(&text, "max", bench_histogram_at(latency, 1));
        cli_json_end(&text, '}');
    }
    cli_json_number(&text, "latency_samples", samples);
    cli_json_end(&text, '}');
    cli_add(&text, "\n");
    return cli_print(&text);
}

/* --- Text ----------------------------------------------------------------- */

/* "12,345,678", "0.62" */
static const char *grouped(double value, unsigned decimals, char out[static 48])
{
    char digits[48];
    snprintf(digits, 32, "%.*f", (int)decimals, value);
    size_t whole = strcspn(digits, ".");
    size_t first = digits[0] == '-';
    char *at = out;
    for (size_t i = 0; digits[i] != '\0' && at < out + 44; i++) {
        if (i > first && i < whole && (whole - i) % 3 == 0) {
            *at++ = ',';
        }
        *at++ = digits[i];
    }
    *at = '\0';
    return out;
}

static const char *count(uint64_t value, char out[static 48])
{
    return grouped((double)value, 0, out);
}

static void add_figure(struct cli_text *text,
                       const struct bench_outcome *outcome, size_t figure)
{
    const struct row *row = &rows[figure];
    char n[3][48];
    cli_add_format(text, "  %-10s %s %s",
                   figure == BENCH_RATE ? outcome->config.workload->unit
                                        : row->label,
                   grouped(outcome->total.figures[figure], row->decimals, n[0]),
                   row->unit);
    if (outcome->repeats > 1) {
        cli_add_format(text, " (%s to %s)",
                       grouped(outcome->least[figure], row->decimals, n[1]),
                       grouped(outcome->greatest[figure], row->decimals, n[2]));
    }
    cli_add(text, "\n");
}

static void add_latency(struct cli_text *text,
                        const struct bench_outcome *outcome)
{
    const struct bench_histogram *latency = &outcome->config.probe->histogram;
    char n[4][48];
    if (bench_histogram_total(latency) == 0) {
        return;
    }
    cli_add_format(
        text, "  latency    p50 %s ns, p99 %s ns, p99.9 %s ns, max %s ns\n",
        count(bench_histogram_at(latency, 0.5), n[0]),
        count(bench_histogram_at(latency, 0.99), n[1]),
        count(bench_histogram_at(latency, 0.999), n[2]),
        count(bench_histogram_at(latency, 1), n[3]));
}

static int print_text(const struct bench_outcome *outcome)
{
    const struct bench_config *config = &outcome->config;
    const struct bench_result *total = &outcome->total;
    char n[4][48];
    struct cli_text text;
    cli_text_init(&text, config->env);
    cli_add_format(&text, "%s, %s, %s actor%s, %u bytes, %g s, %u repeat%s\n",
                   config->workload->name, config->native ? "native" : "wasm",
                   count(config->actors, n[0]), config->actors == 1 ? "" : "s",
                   config->payload, (double)config->run_ns / 1e9,
                   outcome->repeats, outcome->repeats == 1 ? "" : "s");
    for (size_t i = 0; i < BENCH_FIGURES; i++) {
        if (!isnan(total->figures[i]) && rows[i].label != NULL) {
            add_figure(&text, outcome, i);
        }
        if (i == BENCH_CPU_NS) {
            add_latency(&text, outcome);
        }
    }
    cli_add_format(&text, "  sent %s, delivered %s, dead letters %s, lost %s\n",
                   count(total->sent, n[0]), count(total->delivered, n[1]),
                   count(total->dead, n[2]), count(total->lost, n[3]));
    return cli_print(&text);
}

int bench_sound(const struct cli_context *context,
                const struct bench_result *total)
{
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
    return CLI_OK;
}

int bench_report(const struct cli_context *context,
                 const struct bench_outcome *outcome)
{
    int code = context->json ? print_json(outcome) : print_text(outcome);
    int sound = bench_sound(context, &outcome->total);
    return sound != CLI_OK ? sound : code;
}
