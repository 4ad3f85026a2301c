/* SPDX-License-Identifier: Apache-2.0 */
#include "command.h"

#include <errno.h>
#include <fcntl.h>
#include <ftw.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

/* --- A folder ------------------------------------------------------------ */

static char folder[256];

int world_setup(void **state)
{
    const char *base = getenv("TMPDIR");
    (void)state;
    signal(SIGPIPE, SIG_IGN);
    snprintf(folder, sizeof folder, "%s/theater-cli-XXXXXX",
             base != NULL ? base : "/tmp");
    if (mkdtemp(folder) == NULL || chdir(folder) != 0) {
        return -1;
    }
    setenv("HOME", folder, 1);
    setenv("XDG_CACHE_HOME", folder, 1);
    unsetenv("THEATER_LOG");
    unsetenv("THEATER_LOG_FORMAT");
    return 0;
}

static int remove_one(const char *path, const struct stat *stat, int kind,
                      struct FTW *at)
{
    (void)stat;
    (void)kind;
    (void)at;
    return remove(path);
}

int world_teardown(void **state)
{
    (void)state;
    return chdir("/") == 0 ? nftw(folder, remove_one, 16, FTW_DEPTH | FTW_PHYS)
                           : -1;
}

void world_put(const char *name, const void *data, size_t len)
{
    FILE *file = fopen(name, "wb");
    assert_non_null(file);
    assert_int_equal(fwrite(data, 1, len, file), len);
    assert_int_equal(fclose(file), 0);
}

void world_text(const char *name, const char *text)
{
    world_put(name, text, strlen(text));
}

void world_copy(const char *from, const char *name)
{
    static char data[1 << 20];
    char path[512];
    snprintf(path, sizeof path, "%s/%s", TH_TEST_BUILD_DIR, from);
    FILE *file = fopen(path, "rb");
    if (file == NULL) {
        fail_msg("%s is missing", path);
    }
    size_t len = fread(data, 1, sizeof data, file);
    assert_true(len < sizeof data);
    fclose(file);
    world_put(name, data, len);
}

void world_driver(void)
{
    world_copy("tests/guests/driver.wasm", "driver.wasm");
    world_text("driver.toml", "name = \"driver\"\n"
                              "package = \"driver.wasm\"\n"
                              "[[handler]]\n"
                              "type = \"runtime\"\n"
                              "[[handler]]\n"
                              "type = \"message-server\"\n");
}

/* --- The command --------------------------------------------------------- */

static void child(const char *env, const char *const *args, int in, int out,
                  int err)
{
    static const int defaults[] = {SIGINT, SIGTERM, SIGPIPE};
    char *argv[COMMAND_ARGS + 2] = {(char *)(uintptr_t)"theater"};
    sigset_t none;
    for (size_t i = 0; i < 3; i++) {
        signal(defaults[i], SIG_DFL);
    }
    sigemptyset(&none);
    sigprocmask(SIG_SETMASK, &none, NULL);
    dup2(in, STDIN_FILENO);
    dup2(out, STDOUT_FILENO);
    dup2(err, STDERR_FILENO);
    for (size_t i = 0; i < COMMAND_ARGS && args[i] != NULL; i++) {
        argv[i + 1] = (char *)(uintptr_t)args[i];
    }
    if (env != NULL) {
        putenv((char *)(uintptr_t)env);
    }
    execv(TH_TEST_BUILD_DIR "/theater", argv);
    _exit(127);
}

/* `to`: its standard output, which is closed here; `out`: where that is read,
 * -1: nowhere. */
static void start(struct command *command, const char *env,
                  const char *const *args, int to, int out)
{
    int in[2], err[2];
    memset(command, 0, sizeof *command);
    assert_int_equal(pipe2(in, O_CLOEXEC), 0);
    assert_int_equal(pipe2(err, O_CLOEXEC), 0);
    command->pid = fork();
    assert_true(command->pid >= 0);
    if (command->pid == 0) {
        child(env, args, in[0], to, err[1]);
    }
    close(in[0]);
    close(to);
    close(err[1]);
    command->in = in[1];
    command->out = out;
    command->err = err[0];
    command->said = calloc(1, 1);
    command->errors = calloc(1, 1);
}

void command_start(struct command *command, const char *env,
                   const char *const *args)
{
    int out[2];
    assert_int_equal(pipe2(out, O_CLOEXEC), 0);
    start(command, env, args, out[1], out[0]);
}

void command_start_to(struct command *command, const char *const *args,
                      const char *path)
{
    int to = open(path, O_WRONLY | O_CLOEXEC);
    assert_true(to >= 0);
    start(command, NULL, args, to, -1);
}

void command_on_terminal(struct command *command, const char *env,
                         const char *const *args)
{
    int out = posix_openpt(O_RDWR | O_NOCTTY | O_CLOEXEC);
    assert_true(out >= 0);
    assert_int_equal(grantpt(out), 0);
    assert_int_equal(unlockpt(out), 0);
    int to = open(ptsname(out), O_RDWR | O_NOCTTY | O_CLOEXEC);
    assert_true(to >= 0);
    start(command, env, args, to, out);
    command_finish(command);
}

static double seconds_now(void)
{
    struct timespec now;
    clock_gettime(CLOCK_MONOTONIC, &now);
    return (double)now.tv_sec + (double)now.tv_nsec / 1e9;
}

static void take(int *fd, char **text, size_t *len)
{
    char part[1 << 14];
    ssize_t got = read(*fd, part, sizeof part);
    if (got < 0 && (errno == EINTR || errno == EAGAIN)) {
        return;
    }
    if (got <= 0) {
        close(*fd);
        *fd = -1;
        return;
    }
    *text = realloc(*text, *len + (size_t)got + 1);
    assert_non_null(*text);
    memcpy(*text + *len, part, (size_t)got);
    *len += (size_t)got;
    (*text)[*len] = '\0';
}

static void give_up(struct command *command, const char *what)
{
    kill(command->pid, SIGKILL);
    waitpid(command->pid, NULL, 0);
    fail_msg("%s\n--- out\n%s\n--- err\n%s", what, command->said,
             command->errors);
}

/* Reads once more; false: both ends are closed. */
static bool read_more(struct command *command, double deadline)
{
    struct pollfd fds[2] = {{.fd = command->out, .events = POLLIN},
                            {.fd = command->err, .events = POLLIN}};
    if (command->out < 0 && command->err < 0) {
        return false;
    }
    double left = deadline - seconds_now();
    int ready = left > 0 ? poll(fds, 2, (int)(left * 1000) + 1) : 0;
    if (ready == 0) {
        give_up(command, "the deadline came first");
    }
    if (fds[0].fd >= 0 && fds[0].revents != 0) {
        take(&command->out, &command->said, &command->said_len);
    }
    if (fds[1].fd >= 0 && fds[1].revents != 0) {
        take(&command->err, &command->errors, &command->errors_len);
    }
    return true;
}

void command_await(struct command *command, const char *text)
{
    double deadline = seconds_now() + (double)COMMAND_DEADLINE_S;
    while (strstr(command->said, text) == NULL &&
           strstr(command->errors, text) == NULL) {
        if (!read_more(command, deadline)) {
            give_up(command, text);
        }
    }
}

void command_stays(struct command *command, int ms)
{
    double deadline = seconds_now() + ms / 1e3;
    while (seconds_now() < deadline) {
        if (waitpid(command->pid, NULL, WNOHANG) != 0) {
            fail_msg("it ended\n--- out\n%s\n--- err\n%s", command->said,
                     command->errors);
        }
        (void)poll(NULL, 0, 5);
    }
}

void command_signal(struct command *command, int number)
{
    assert_int_equal(kill(command->pid, number), 0);
}

void command_input(struct command *command, const void *data, size_t len)
{
    assert_int_equal(write(command->in, data, len), len);
    close(command->in);
    command->in = -1;
}

void command_finish(struct command *command)
{
    double deadline = seconds_now() + (double)COMMAND_DEADLINE_S;
    int status;
    if (command->in >= 0) {
        close(command->in);
        command->in = -1;
    }
    while (read_more(command, deadline)) {
    }
    pid_t ended;
    while ((ended = waitpid(command->pid, &status, WNOHANG)) == 0) {
        if (seconds_now() > deadline) {
            give_up(command, "it closed its outputs but did not end");
        }
        (void)poll(NULL, 0, 5);
    }
    assert_int_equal(ended, command->pid);
    command->code = WIFEXITED(status) ? WEXITSTATUS(status) : -WTERMSIG(status);
}

void command_free(struct command *command)
{
    if (command->out >= 0) {
        close(command->out);
    }
    free(command->said);
    free(command->errors);
}

/* --- Expectations -------------------------------------------------------- */

void expect_code(const struct command *command, int code)
{
    if (command->code != code) {
        fail_msg("exit code %d, not %d\n--- out\n%s\n--- err\n%s",
                 command->code, code, command->said, command->errors);
    }
}

void expect_out(const struct command *command, const char *part)
{
    if (strstr(command->said, part) == NULL) {
        fail_msg("not on the output: %s\n--- out\n%s\n--- err\n%s", part,
                 command->said, command->errors);
    }
}

void expect_err(const struct command *command, const char *part)
{
    if (strstr(command->errors, part) == NULL) {
        fail_msg("not on the standard error: %s\n--- out\n%s\n--- err\n%s",
                 part, command->said, command->errors);
    }
}

void expect_no_out(const struct command *command, const char *part)
{
    if (strstr(command->said, part) != NULL) {
        fail_msg("on the output: %s\n--- out\n%s", part, command->said);
    }
}
