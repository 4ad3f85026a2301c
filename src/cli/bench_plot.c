/* SPDX-License-Identifier: Apache-2.0 */
/* Design notes. `theater bench --plot FILE.svg`: measures `pairs` at five
 * sizes, WASM and native by turns, and draws both beside what the reference
 * system promises and what was measured of it. A picture of a run that lost a
 * message is not drawn. */
#include "cli/bench_report.h"
#include "cli/bench_svg.h"

#include <errno.h>
#include <fcntl.h>
#include <math.h>
#include <stdio.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

static const uint32_t sizes[] = {1, 10, 100, 1000, 10000};
enum { SIZES = sizeof sizes / sizeof sizes[0] };
enum { LINE_WASM, LINE_NATIVE, LINE_PROMISED, LINE_MEASURED };

/* --- The file - */

struct target {
    const char *path;
    int fd;
    bool made; /* was not there before */
};

/* Opened before anything is measured: a path that cannot be written is told
 * at once. */
static int open_target(const struct cli_context *context, const char *path,
                       struct target *out)
{
    int flags = O_WRONLY | O_CREAT | O_CLOEXEC;
    out->path = path;
    out->fd = open(path, flags | O_EXCL, 0666);
    out->made = out->fd >= 0;
    if (out->fd < 0 && errno == EEXIST) {
        out->fd = open(path, flags, 0666);
    }
    if (out->fd < 0) {
        return cli_fail_text(context, THEATER_IO, path, "cannot be written: %s",
                             strerror(errno));
    }
    return CLI_OK;
}

static int close_target(const struct cli_context *context,
                        const struct target *target, struct cli_text *text,
                        int code)
{
    if (code == CLI_OK && text->failed) {
        code = cli_fail(context, THEATER_OUT_OF_MEMORY, NULL);
    }
    if (code == CLI_OK && ftruncate(target->fd, 0) == 0) {
        code = cli_write(target->fd, text->data, text->len);
    }
    close(target->fd);
    if (code != CLI_OK && target->made) {
        unlink(target->path);
    }
    cli_text_fini(text);
    return code;
}

/* --- Measuring - */

static int measure(const struct cli_context *context,
                   struct bench_outcome *outcome, struct bench_svg_point *out)
{
    const struct bench_config *config = &outcome->config;
    theater_error_t err;
    char line[160];
    memset(&err, 0, sizeof err);
    theater_status_t status = bench_repeat(outcome, &err);
    if (status != THEATER_OK) {
        return bench_broken(context, outcome, status, &err);
    }
    int code = bench_sound(context, &outcome->total);
    if (code != CLI_OK) {
        return code;
    }
    *out = (struct bench_svg_point){
        config->actors, outcome->total.figures[BENCH_RATE],
        outcome->least[BENCH_RATE], outcome->greatest[BENCH_RATE]};
    int len = snprintf(
        line, sizeof line,
        context->json ? "{\"engine\":\"%s\",\"actors\":%u,\"rate_per_s\":%.0f,"
                        "\"rate_per_s_min\":%.0f,\"rate_per_s_max\":%.0f}\n"
                      : "%-6s pairs %6u: %11.0f messages a second (%.0f to "
                        "%.0f)\n",
        config->native ? "native" : "wasm", config->actors, out->rate,
        out->least, out->greatest);
    return cli_write(STDOUT_FILENO, line, (size_t)len);
}

/* --- The picture - */

/* What the reference system's documents promise, and what was measured of it
 * on a machine with two cores: the same at every size. */
static void add_reference(struct bench_svg *svg)
{
    svg->lines[LINE_PROMISED] = (struct bench_svg_line){
        .name = "reference, promised",
        .note = "its table",
        .dashed = true,
        .len = 4,
        .points = {{1, 500e3, 0, 0},
                   {10, 100e3, 0, 0},
                   {100, 80e3, 0, 0},
                   {1000, 50e3, 0, 0}},
    };
    svg->lines[LINE_MEASURED] = (struct bench_svg_line){
        .name = "reference, measured",
        .note = "on 2 cores, not in this run",
        .dashed = true,
        .below = true,
        .len = 4,
        .points = {{1, 6e3, 0, 0},
                   {10, 6e3, 0, 0},
                   {100, 6e3, 0, 0},
                   {1000, 6e3, 0, 0}},
    };
}

/* The processor's name; "" where it is not told. */
static void processor(char *out, size_t size)
{
    char line[256];
    FILE *file = fopen("/proc/cpuinfo", "r");
    out[0] = '\0';
    while (file != NULL && fgets(line, sizeof line, file) != NULL) {
        const char *colon = strchr(line, ':');
        if (strncmp(line, "model name", 10) == 0 && colon != NULL) {
            snprintf(out, size, "%.*s, ", (int)strcspn(colon + 2, "\n"),
                     colon + 2);
            break;
        }
    }
    if (file != NULL) {
        fclose(file);
    }
}

static void add_caption(char out[static 256],
                        const struct bench_outcome *outcome)
{
    const struct bench_config *config = &outcome->config;
    time_t now = (time_t)(config->env->wall_ns(config->env->ctx) / 1000000000);
    struct tm date = {0};
    char model[128];
    processor(model, sizeof model);
    gmtime_r(&now, &date);
    snprintf(out, 256,
             "%04d-%02d-%02d; %s%ld cores; %u bytes; median of %u repeats of "
             "%g s, with least and greatest; theater %s",
             date.tm_year + 1900, date.tm_mon + 1, date.tm_mday, model,
             sysconf(_SC_NPROCESSORS_ONLN), config->payload, outcome->repeats,
             (double)config->run_ns / 1e9, THEATER_BUILD_VERSION);
}

/* Measuring, warming up and making the actors: told before, since nothing is
 * seen for a while. With --json the standard error is for errors. */
static void say_duration(const struct cli_context *context,
                         const struct bench_outcome *outcome)
{
    const struct bench_config *config = &outcome->config;
    double seconds = (double)(config->run_ns + config->warm_ns) / 1e9 + 0.6;
    if (!context->json) {
        dprintf(STDERR_FILENO,
                "%d sizes of two kinds, %u repeat%s each: about %.0f s\n",
                SIZES, outcome->repeats, outcome->repeats == 1 ? "" : "s",
                seconds * (double)SIZES * 2 * outcome->repeats);
    }
}

int bench_plot(const struct cli_context *context, const char *path,
               struct bench_outcome *outcome)
{
    struct target target;
    struct cli_text text;
    char caption[256];
    struct bench_svg svg = {
        .title = "Messages a second, from one actor to another",
        .caption = caption,
        .len = BENCH_SVG_LINES,
        .lines = {[LINE_WASM] = {.name = "WebAssembly actors",
                                 .below = true,
                                 .note = "sandboxed",
                                 .len = SIZES},
                  [LINE_NATIVE] = {.name = "C actors",
                                   .note = "native",
                                   .len = SIZES}},
    };
    int code = open_target(context, path, &target);
    if (code != CLI_OK) {
        return code;
    }
    say_duration(context, outcome);
    cli_text_init(&text, context->env);
    for (size_t i = 0; i < (size_t)SIZES * 2 && code == CLI_OK; i++) {
        outcome->config.actors = sizes[i / 2];
        outcome->config.native = i % 2 == 1;
        code = measure(
            context, outcome,
            &svg.lines[i % 2 == 1 ? LINE_NATIVE : LINE_WASM].points[i / 2]);
    }
    add_reference(&svg);
    add_caption(caption, outcome);
    if (code == CLI_OK) {
        bench_svg_draw(&text, &svg);
    }
    return close_target(context, &target, &text, code);
}
