/* SPDX-License-Identifier: Apache-2.0 */
/* Design notes. `start`: how long it takes from the start of the process
 * `theater run examples/ping_pong` to the first pong that ping has heard, once
 * with an empty cache of compiled code and once more with what the first run
 * has left there. The command runs itself; the example is part of it. A run
 * goes on to its end, so that all three pongs are seen to come. */
#include "cli/bench.h"

#include <errno.h>
#include <fcntl.h>
#include <ftw.h>
#include <poll.h>
#include <signal.h>
#include <spawn.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

enum { ROUNDS = 3, OUTPUT_MAX = 4096 };
#define DEADLINE_NS (30 * UINT64_C(1000000000))

static const char *const files[] = {"ping.wasm", "ping.toml", "pong.wasm",
                                    "pong.toml", "theater.toml"};

struct child {
    const struct bench_config *config;
    pid_t pid;
    int out; /* its standard output */
    uint64_t began_ns;
    uint64_t first_ns; /* the first pong; 0: not yet */
    char text[OUTPUT_MAX];
    size_t len;
};

static uint64_t now_ns(const struct bench_config *config)
{
    return config->env->now_ns(config->env->ctx);
}

static theater_status_t fail(theater_error_t *err, const char *what, int number)
{
    snprintf(err->text, sizeof err->text, "%s: %s", what, strerror(number));
    return THEATER_IO;
}

/* --- The process ---------------------------------------------------------- */

/* The variables that we have, but for those that say what is shown. */
static char **environment(const theater_env_t *env)
{
    size_t len = 0;
    while (environ[len] != NULL) {
        len++;
    }
    char **copy = env->alloc(env->ctx, (len + 1) * sizeof *copy, 16);
    size_t kept = 0;
    for (size_t i = 0; copy != NULL && i < len; i++) {
        if (strncmp(environ[i], "THEATER_LOG", 11) != 0) {
            copy[kept++] = environ[i];
        }
    }
    if (copy != NULL) {
        copy[kept] = NULL;
    }
    return copy;
}

static theater_status_t start(struct child *child, const char *folder,
                              theater_error_t *err)
{
    const theater_env_t *env = child->config->env;
    posix_spawn_file_actions_t actions;
    char system[320];
    char cache[320];
    char workers[16];
    int ends[2];
    char *arguments[] = {"theater", "run", "--cache-dir", cache,
                         system,    NULL,  NULL,          NULL};
    snprintf(system, sizeof system, "%s/theater.toml", folder);
    snprintf(cache, sizeof cache, "%s/cache", folder);
    snprintf(workers, sizeof workers, "%u", child->config->workers);
    if (child->config->workers > 0) {
        arguments[5] = "--workers";
        arguments[6] = workers;
    }
    char **variables = environment(env);
    if (variables == NULL) {
        return THEATER_OUT_OF_MEMORY;
    }
    if (pipe2(ends, O_CLOEXEC) != 0) {
        env->free(env->ctx, variables);
        return fail(err, "no pipe", errno);
    }
    int failed = posix_spawn_file_actions_init(&actions);
    if (failed == 0) {
        failed = posix_spawn_file_actions_adddup2(&actions, ends[1], 1);
        child->began_ns = now_ns(child->config);
        if (failed == 0) {
            failed = posix_spawn(&child->pid, "/proc/self/exe", &actions, NULL,
                                 arguments, variables);
        }
        posix_spawn_file_actions_destroy(&actions);
    }
    env->free(env->ctx, variables);
    close(ends[1]);
    child->out = ends[0];
    if (failed != 0) {
        close(ends[0]);
        return fail(err, "the command cannot start itself", failed);
    }
    return THEATER_OK;
}

static unsigned pongs(const struct child *child)
{
    unsigned count = 0;
    for (const char *at = child->text; (at = strstr(at, "ping: pong ")) != NULL;
         at++) {
        count++;
    }
    return count;
}

/* Reads to the end; false: it was not over in time. */
static bool read_all(struct child *child)
{
    uint64_t until = child->began_ns + DEADLINE_NS;
    for (;;) {
        struct pollfd wait = {.fd = child->out, .events = POLLIN};
        uint64_t now = now_ns(child->config);
        if (now > until) {
            return false;
        }
        if (poll(&wait, 1, 100) <= 0) {
            continue;
        }
        ssize_t got = read(child->out, child->text + child->len,
                           OUTPUT_MAX - 1 - child->len);
        if (got == 0 || (got < 0 && errno != EINTR)) {
            return true;
        }
        child->len += got > 0 ? (size_t)got : 0;
        child->text[child->len] = '\0';
        if (child->first_ns == 0 && pongs(child) > 0) {
            child->first_ns = now_ns(child->config);
        }
    }
}

/* One run; `out_ms` until the first pong. */
static theater_status_t one_start(const struct bench_config *config,
                                  const char *folder, double *out_ms,
                                  struct bench_result *result,
                                  theater_error_t *err)
{
    struct child child = {.config = config};
    int ended;
    theater_status_t status = start(&child, folder, err);
    if (status != THEATER_OK) {
        return status;
    }
    if (!read_all(&child)) {
        (void)kill(child.pid, SIGKILL);
        status = THEATER_TIMEOUT;
    }
    close(child.out);
    while (waitpid(child.pid, &ended, 0) < 0 && errno == EINTR) {
    }
    result->sent += ROUNDS;
    result->delivered += pongs(&child);
    result->lost = result->sent - result->delivered;
    if (status == THEATER_OK && (ended != 0 || child.first_ns == 0)) {
        snprintf(err->text, sizeof err->text,
                 "`theater run` of the example failed: %.300s", child.text);
        return THEATER_FAILED;
    }
    *out_ms = (double)(child.first_ns - child.began_ns) / 1e6;
    return status;
}

/* --- The folder ----------------------------------------------------------- */

static int remove_one(const char *path, const struct stat *info, int kind,
                      struct FTW *place)
{
    (void)info;
    (void)kind;
    (void)place;
    return remove(path);
}

theater_status_t bench_run_start(const struct bench_config *config,
                                 struct bench_result *result,
                                 theater_error_t *err)
{
    char folder[256];
    theater_status_t status = bench_folder(config, folder);
    if (status != THEATER_OK) {
        return status;
    }
    for (size_t i = 0; i < sizeof files / sizeof files[0]; i++) {
        if (status == THEATER_OK) {
            status = bench_write(config, folder, files[i]);
        }
    }
    if (status == THEATER_OK) {
        status = one_start(config, folder,
                           &result->figures[BENCH_EMPTY_CACHE_MS], result, err);
    }
    if (status == THEATER_OK) {
        status = one_start(config, folder,
                           &result->figures[BENCH_FULL_CACHE_MS], result, err);
    }
    nftw(folder, remove_one, 8, FTW_DEPTH | FTW_PHYS);
    return status;
}
