/* SPDX-License-Identifier: Apache-2.0 */
/* The languages of actors, the toolchains that build them, and the building:
 * what `new`, `build`, `dev` and `doctor` share. */
#ifndef TH_CLI_PROJECT_H
#define TH_CLI_PROJECT_H

#include "cli/cli.h"

enum { CLI_TOOLS = 4, CLI_STEPS = 4, CLI_ARGS = 32, CLI_ENVS = 5 };

/* A program that a toolchain needs. */
struct cli_tool {
    const char *names[8]; /* the first that is on PATH is taken; an absolute
                             path stands for itself */
    const char *package;  /* how to get it, one line */
};

/* A program that is run in the project's folder. In its arguments %0 to %3
 * are the tools' paths; {c} and {o} alone stand for the folder's *.c and what
 * they become, {vendor} for Debian's folder of crates. */
struct cli_step {
    const char *unless; /* not run when this is in the folder; NULL: always */
    const char *env[CLI_ENVS];  /* NAME=VALUE */
    const char *argv[CLI_ARGS]; /* NULL behind the last */
    bool talks;                 /* shown also when it went well: warnings */
};

struct cli_toolchain {
    const char *name;                 /* "clang" */
    struct cli_tool tools[CLI_TOOLS]; /* names[0] NULL: no more */
    struct cli_step check;            /* must answer 0; argv[0] NULL: none */
    /* NULL, or whether the first line of the check's output is good. */
    bool (*check_said)(const char *line);
    const char *check_package;        /* what is missing when it is not */
    struct cli_step steps[CLI_STEPS]; /* argv[0] NULL: no more */
};

struct cli_language {
    const char *name;   /* "c" */
    const char *title;  /* "C" */
    const char *source; /* that tells the language: "actor.c" */
    const char *ending; /* of all its sources: ".c" */
    const char *needs;  /* a file of the SDK that a project must have */
    const struct cli_toolchain *toolchains; /* the first that is there counts */
    size_t toolchains_len;                  /* entries in toolchains */
};

/* All; static. */
const struct cli_language *cli_languages(size_t *out_len);
/* NULL: there is none of that name. */
const struct cli_language *cli_language(const char *name);
/* The names, NULL behind the last: choices of --lang. */
extern const char *const cli_language_names[];

/* What cli_toolchain_find found. */
struct cli_found {
    const struct cli_toolchain *toolchain;
    char tools[CLI_TOOLS][CLI_PATH_MAX]; /* paths */
};

/* Is it all there? If not, `missing` gets what is to be installed. Runs the
 * toolchain's check. */
bool cli_toolchain_find(const struct cli_context *context,
                        const struct cli_toolchain *toolchain,
                        struct cli_found *out, struct cli_text *missing);

/* The language that such a file is a source of, by its name; NULL: none. */
const struct cli_language *cli_source_language(const char *path);
/* The language of the project in `folder`, by its source; NULL: none. */
const struct cli_language *cli_project_language(const char *folder);
/* Builds actor.wasm in `folder`. What tools say is shown when they fail, and
 * all that is run with `verbose`. Answers CLI_OK, or an exit code after having
 * said why. */
int cli_project_build(const struct cli_context *context, const char *folder,
                      const struct cli_language *language, bool verbose);

/* Runs argv, without a shell, in `folder` (NULL: here) with `env` on top.
 * `outputs` are the descriptors of its standard output and error; its input is
 * empty. Answers its exit code, 128 + signal, or 127: it cannot be started. */
int cli_spawn(const char *folder, const char *const *env,
              const char *const *argv, const int outputs[2]);
/* Takes what is relative, or empty, out of our PATH: tools run in projects'
 * folders, and there it would name programs that came with a project. What we
 * run looks there too (cargo for rustc, npm for node), so it is no matter of
 * cli_which alone. Before there are threads. */
void cli_keep_absolute_path(void);
/* The path of a program on PATH. */
bool cli_which(const char *name, char out[CLI_PATH_MAX]);

#endif
