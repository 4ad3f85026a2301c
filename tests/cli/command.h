/* SPDX-License-Identifier: Apache-2.0 */
/* For the tests of the command: a folder of manifests and modules, and the
 * command as a child process with a deadline: whoever is not done by then is
 * killed and fails the test. */
#ifndef TH_TESTS_CLI_COMMAND_H
#define TH_TESTS_CLI_COMMAND_H

#include <setjmp.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <sys/types.h>

/* --- A folder ------------------------------------------------------------ */

/* A new folder, the current one from now on; HOME and caches are in it. */
int world_setup(void **state);
int world_teardown(void **state);
/* A file of the folder. */
void world_put(const char *name, const void *data, size_t len);
void world_text(const char *name, const char *text);
/* Copies a file of the build folder: "tests/guests/driver.wasm". */
void world_copy(const char *from, const char *name);
/* driver.wasm, and driver.toml for an actor `driver` that may do all. */
void world_driver(void);

/* --- The command --------------------------------------------------------- */

enum { COMMAND_ARGS = 24, COMMAND_DEADLINE_S = 120 };

struct command {
    pid_t pid;
    int in;     /* its standard input; -1: closed */
    int out;    /* its standard output; -1: closed */
    int err;    /* its standard error */
    char *said; /* what came on `out`; a zero follows */
    size_t said_len;
    char *errors; /* what came on `err` */
    size_t errors_len;
    int code; /* exit code, or -signal */
};

/* Starts `theater ARGS...`; `env` is NAME=VALUE, or NULL; args end with
 * NULL. */
void command_start(struct command *command, const char *env,
                   const char *const *args);
/* The same; its standard output is that file instead of a pipe. */
void command_start_to(struct command *command, const char *const *args,
                      const char *path);
/* Start and finish with a terminal as its standard output. */
void command_on_terminal(struct command *command, const char *env,
                         const char *const *args);
/* Reads until the standard output or error holds `text`; fails the test when
 * it ends, or the deadline comes, before. */
void command_await(struct command *command, const char *text);
/* Looks on for so long; the test fails if it ends meanwhile. */
void command_stays(struct command *command, int ms);
void command_signal(struct command *command, int number);
/* Gives it `data` as input and closes that. */
void command_input(struct command *command, const void *data, size_t len);
/* Reads to the end; the exit code is in `code`. */
void command_finish(struct command *command);
void command_free(struct command *command);

/* Start and finish with these arguments. */
#define command_run(command, env, ...)                                         \
    do {                                                                       \
        const char *const args_[] = {__VA_ARGS__, NULL};                       \
        command_start(command, env, args_);                                    \
        command_finish(command);                                               \
    } while (0)

/* The test fails unless; the messages show what the command said. */
void expect_code(const struct command *command, int code);
void expect_out(const struct command *command, const char *part);
void expect_err(const struct command *command, const char *part);
void expect_no_out(const struct command *command, const char *part);

/* --- JSON ---------------------------------------------------------------- */

/* Is it one JSON value (and white space)? By RFC 8259; written for tests, and
 * independent of what the command writes JSON with. */
bool json_ok(const char *text, size_t len);
/* Is each line an object? Answers how many lines there are; 0: one is not. */
size_t json_lines(const char *text, size_t len);

#endif
