/* SPDX-License-Identifier: Apache-2.0 */
/* new and build: from nothing to an actor that answers, and nothing half
 * done; files that the command writes into folders. */
#include "cli/project.h"
#include "cli/template.h"
#include "command.h"

#include <dirent.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

static bool carried(const char *language)
{
    for (size_t i = 0; i < cli_template_files_len; i++) {
        if (strcmp(cli_template_files[i].language, language) == 0) {
            return true;
        }
    }
    return false;
}

/* How many entries the current folder has that begin with `prefix`. */
static size_t entries(const char *prefix)
{
    DIR *folder = opendir(".");
    size_t count = 0;
    assert_non_null(folder);
    for (struct dirent *entry = readdir(folder); entry != NULL;
         entry = readdir(folder)) {
        count += strncmp(entry->d_name, prefix, strlen(prefix)) == 0;
    }
    closedir(folder);
    return count;
}

static char *text_of(const char *path)
{
    static char data[1 << 16];
    FILE *file = fopen(path, "rb");
    if (file == NULL) {
        fail_msg("%s is missing", path);
    }
    data[fread(data, 1, sizeof data - 1, file)] = '\0';
    fclose(file);
    return data;
}

static void every_language_that_is_carried_makes_a_project(void **state)
{
    size_t len;
    const struct cli_language *all = cli_languages(&len);
    (void)state;
    assert_true(carried("c"));
    for (size_t i = 0; i < len; i++) {
        struct command command;
        char name[32], path[64];
        assert_string_equal(all[i].name, cli_language_names[i]);
        if (!carried(all[i].name)) {
            continue;
        }
        snprintf(name, sizeof name, "new-%s", all[i].name);
        command_run(&command, NULL, "new", name, "--lang", all[i].name);
        expect_code(&command, 0);
        expect_out(&command, "next: cd new-");
        command_free(&command);
        snprintf(path, sizeof path, "%s/manifest.toml", name);
        assert_non_null(strstr(text_of(path), name));
        assert_null(strstr(text_of(path), "@NAME@"));
        snprintf(path, sizeof path, "%s/theater.toml", name);
        assert_null(strstr(text_of(path), "@NAME@"));
        snprintf(path, sizeof path, "%s/%s", name, all[i].source);
        assert_int_equal(access(path, F_OK), 0);
        snprintf(path, sizeof path, "%s/%s", name, all[i].needs);
        assert_int_equal(access(path, F_OK), 0);
        assert_ptr_equal(cli_project_language(name), &all[i]);
    }
    assert_null(cli_language_names[len]);
}

static void a_new_project_is_built_and_answers(void **state)
{
    struct command command;
    (void)state;
    command_run(&command, NULL, "new", "greeter", "--lang", "c");
    expect_code(&command, 0);
    command_free(&command);
    command_run(&command, NULL, "build", "--json", "greeter");
    expect_code(&command, 0);
    expect_out(&command, "\"language\":\"c\"");
    assert_true(json_ok(command.said, command.said_len));
    command_free(&command);
    command_run(&command, NULL, "request", "--run", "greeter/theater.toml",
                "greeter", "world");
    expect_code(&command, 0);
    expect_out(&command, "hello, world");
    command_free(&command);
    command_run(&command, NULL, "build", "--verbose", "greeter");
    expect_code(&command, 0);
    expect_err(&command, " -c sdk/src/actor.c");
    expect_out(&command, "greeter/actor.wasm: ");
    expect_out(&command, " bytes, from C, in ");
    command_free(&command);
}

/* Neither to the shell's patterns nor to the compiler. */
static void no_name_of_a_folder_or_file_means_more_than_itself(void **state)
{
    struct command command;
    (void)state;
    command_run(&command, NULL, "new", "odd", "--lang", "c");
    command_free(&command);
    assert_int_equal(rename("odd", "odd [1]*\\"), 0);
    world_text("odd [1]*\\/@more.c", "int more(void);\n");
    world_text("odd [1]*\\/-less.c", "int less(void);\n");
    command_run(&command, NULL, "build", "odd [1]*\\");
    expect_code(&command, 0);
    expect_out(&command, " bytes, from C, in ");
    command_free(&command);
}

static void what_a_failing_tool_says_is_shown(void **state)
{
    struct command command;
    (void)state;
    command_run(&command, NULL, "new", "broken", "--lang", "c");
    command_free(&command);
    world_text("broken/actor.c", "int main(void)\n{\n    return nothing;\n}\n");
    command_run(&command, NULL, "build", "broken");
    expect_code(&command, 1);
    expect_err(&command, "actor.c:3:12: error: ");
    expect_err(&command, "ended with 1");
    assert_int_equal(command.said_len, 0);
    command_free(&command);
}

static void a_missing_tool_is_named_with_its_package(void **state)
{
    struct command command;
    (void)state;
    command_run(&command, NULL, "new", "toolless", "--lang", "c");
    command_free(&command);
    command_run(&command, "PATH=/nowhere", "build", "toolless");
    expect_code(&command, 1);
    expect_err(&command, "Debian: clang-19");
    expect_err(&command, "Debian: lld-19");
    expect_err(&command, "theater doctor");
    command_free(&command);
}

static void doctor_says_what_is_there_and_what_is_missing(void **state)
{
    size_t len;
    const struct cli_language *all = cli_languages(&len);
    struct command command;
    (void)state;
    command_run(&command, NULL, "doctor");
    expect_code(&command, 0);
    expect_out(&command, "ok       theater ");
    expect_out(&command, "ok       engine      Wasmtime ");
    expect_out(&command, "ok       cache ");
    expect_out(&command, "ok       C           clang: /");
    for (size_t i = 0; i < len; i++) {
        expect_out(&command, all[i].title);
    }
    command_free(&command);
    command_run(&command, "PATH=/nowhere", "doctor", "--json");
    expect_code(&command, 0);
    assert_true(json_ok(command.said, command.said_len));
    expect_out(&command, "\"what\":\"C\",\"state\":\"missing\"");
    expect_out(&command, "install clang 16 or later (Debian: clang-19); ");
    command_free(&command);
    world_text("file", "");
    command_run(&command, NULL, "doctor", "--cache-dir", "file");
    expect_code(&command, 1);
    expect_out(&command, "broken   cache       file: Not a directory");
    expect_out(&command, "next: make the folder writable");
    command_free(&command);
}

/* A program that says `line` on its output, and something else beside. */
static void put_tool(const char *folder, const char *name, const char *line)
{
    char path[128], script[256];
    snprintf(path, sizeof path, "%s/%s", folder, name);
    snprintf(script, sizeof script, "#!/bin/sh\necho noise >&2\necho '%s'\n",
             line);
    world_text(path, script);
    assert_int_equal(chmod(path, 0755), 0);
}

/* What doctor says with that folder, of this one, first on PATH. */
static void run_doctor_with(struct command *command, const char *folder)
{
    char here[512], path[1024];
    assert_non_null(getcwd(here, sizeof here));
    snprintf(path, sizeof path, "PATH=%s/%s:/usr/bin:/bin", here, folder);
    command_run(command, path, "doctor");
    expect_code(command, 0);
}

static void a_folder_on_the_path_is_no_command(void **state)
{
    static const char *const folder = "a b $(>stolen)";
    struct command command;
    (void)state;
    assert_int_equal(mkdir(folder, 0777), 0);
    assert_int_equal(mkdir("the target", 0777), 0);
    put_tool(folder, "go", "go1.24.1");
    put_tool(folder, "zig", "0.17.0");
    put_tool(folder, "cargo", "");
    put_tool(folder, "rustc", "the target");
    run_doctor_with(&command, folder);
    assert_int_not_equal(access("stolen", F_OK), 0);
    expect_out(&command, "ok       Go          go: /");
    expect_out(&command, "ok       Zig         zig: /");
    expect_out(&command, "ok       Rust        cargo with rustup's target: /");
    command_free(&command);
}

/* Such a folder may be a project's own. */
static void what_is_relative_on_the_path_is_not_run(void **state)
{
    static const char *const paths[] = {"PATH=near::.", "PATH=", "PATH=near"};
    struct command command;
    char path[2048], here[512];
    (void)state;
    assert_non_null(getcwd(here, sizeof here));
    assert_int_equal(mkdir("near", 0777), 0);
    assert_int_equal(mkdir("far", 0777), 0);
    put_tool("near", "go", "go1.24.1");
    put_tool(".", "zig", "0.17.0");
    put_tool("near", "helper", "go1.24.1");
    for (size_t i = 0; i < sizeof paths / sizeof paths[0]; i++) {
        command_run(&command, paths[i], "doctor");
        expect_code(&command, 0);
        expect_out(&command, "missing  Go ");
        expect_out(&command, "missing  Zig ");
        command_free(&command);
    }
    /* Nor by a tool that looks for another. */
    world_text("far/go", "#!/bin/sh\nexec helper\n");
    assert_int_equal(chmod("far/go", 0755), 0);
    snprintf(path, sizeof path, "PATH=near:%s/far:.", here);
    command_run(&command, path, "doctor");
    expect_out(&command, "missing  Go ");
    command_free(&command);
    snprintf(path, sizeof path, "PATH=:%s/far:%s/near:", here, here);
    command_run(&command, path, "doctor");
    expect_out(&command, "ok       Go          go: /");
    command_free(&command);
}

static void a_tool_that_is_too_old_is_missing(void **state)
{
    static const struct {
        const char *said;
        const char *state;
    } rows[] = {
        {"go1.24", "ok"},       {"go1.24rc1", "ok"},    {"go1.30.2", "ok"},
        {"go2.0", "ok"},        {"devel a1b2c3", "ok"}, {"go1.23.9", "missing"},
        {"go1.9.7", "missing"}, {"go1.3", "missing"},   {"", "missing"},
    };
    struct command command;
    (void)state;
    assert_int_equal(mkdir("aged", 0777), 0);
    put_tool("aged", "zig", "0.16.0");
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        char row[64];
        put_tool("aged", "go", rows[i].said);
        run_doctor_with(&command, "aged");
        snprintf(row, sizeof row, "%-8s Go ", rows[i].state);
        expect_out(&command, row);
        expect_no_out(&command, "zig: /");
        command_free(&command);
    }
}

static void nothing_that_is_there_is_touched(void **state)
{
    (void)state;
    for (size_t i = 0; cli_language_names[i] != NULL; i++) {
        const char *language = cli_language_names[i];
        struct command command;
        assert_int_equal(mkdir("taken", 0777), 0);
        command_run(&command, NULL, "new", "taken", "--lang", language);
        expect_code(&command, 1);
        expect_err(&command, "it is there already");
        expect_err(&command, "next: choose another name, or remove");
        command_free(&command);
        assert_int_equal(rmdir("taken"), 0);
        world_text("taken", "a file");
        command_run(&command, NULL, "new", "taken", "--lang", language);
        expect_code(&command, 1);
        command_free(&command);
        assert_string_equal(text_of("taken"), "a file");
        assert_int_equal(entries(".taken"), 0);
        assert_int_equal(unlink("taken"), 0);
    }
}

static void a_failure_leaves_nothing_behind(void **state)
{
    (void)state;
    assert_int_equal(entries("limited"), 0);
    /* No file may have more than one block of 512 bytes. */
    char script[512];
    snprintf(script, sizeof script,
             "trap '' XFSZ; ulimit -f 1; exec '%s/theater' new limited --lang "
             "c >/dev/null 2>&1",
             TH_TEST_BUILD_DIR);
    int code = system(script);
    assert_int_equal(WEXITSTATUS(code), 1);
    assert_int_equal(entries("limited"), 0);
    assert_int_equal(entries(".limited"), 0);
}

static void a_schema_replaces_a_link_and_does_not_follow_it(void **state)
{
    static const char *const path = "links/manifest.schema.json";
    struct command command;
    struct stat found;
    (void)state;
    world_text("precious", "keep");
    assert_int_equal(mkdir("links", 0777), 0);
    assert_int_equal(symlink("../precious", path), 0);
    command_run(&command, NULL, "schema", "--write", "links");
    expect_code(&command, 0);
    command_free(&command);
    assert_string_equal(text_of("precious"), "keep");
    assert_int_equal(lstat(path, &found), 0);
    assert_true(S_ISREG(found.st_mode));
    mode_t mask = umask(0);
    umask(mask);
    assert_int_equal(found.st_mode & 0777, 0666 & ~mask);
    assert_non_null(strstr(text_of(path), "a manifest of Theater"));
}

static void a_schema_that_cannot_be_written_leaves_the_one_before(void **state)
{
    char script[512];
    struct command command;
    (void)state;
    assert_int_equal(mkdir("before", 0777), 0);
    world_text("before/manifest.schema.json", "the one before");
    snprintf(script, sizeof script,
             "trap '' XFSZ; ulimit -f 1; exec '%s/theater' schema --write "
             "before >/dev/null 2>&1",
             TH_TEST_BUILD_DIR);
    int code = system(script);
    assert_int_equal(WEXITSTATUS(code), 1);
    assert_string_equal(text_of("before/manifest.schema.json"),
                        "the one before");
    assert_int_equal(chdir("before"), 0);
    assert_int_equal(entries("manifest"), 1);
    assert_int_equal(chdir(".."), 0);
    /* A folder of that name is said, and stays. */
    assert_int_equal(unlink("before/manifest.schema.json"), 0);
    assert_int_equal(mkdir("before/manifest.schema.json", 0777), 0);
    command_run(&command, NULL, "schema", "--write", "before");
    expect_code(&command, 1);
    expect_err(&command, "before/manifest.schema.json: it cannot be written: ");
    command_free(&command);
}

static void bad_names_and_languages_are_refused(void **state)
{
    static const char *const names[] = {"../up", "a/b",  "1st", "-x",
                                        "a b",   ".hid", "",    "n\"q"};
    struct command command;
    (void)state;
    for (size_t k = 0; cli_language_names[k] != NULL; k++) {
        for (size_t i = 0; i < sizeof names / sizeof names[0]; i++) {
            command_run(&command, NULL, "new", "--lang", cli_language_names[k],
                        "--", names[i]);
            expect_code(&command, CLI_USAGE);
            expect_err(&command, "begins with a letter");
            command_free(&command);
        }
    }
    command_run(&command, NULL, "new", "x", "--lang", "pyhton");
    expect_code(&command, CLI_USAGE);
    expect_err(&command, "did you mean 'python'?");
    command_free(&command);
    command_run(&command, NULL, "new", "x");
    expect_code(&command, CLI_USAGE);
    expect_err(&command, "'new' needs --lang LANG");
    command_free(&command);
    assert_int_equal(entries("x"), 0);
}

static void what_is_no_project_is_said(void **state)
{
    struct command command;
    (void)state;
    assert_int_equal(mkdir("empty", 0777), 0);
    command_run(&command, NULL, "build", "empty");
    expect_code(&command, CLI_NOT_FOUND);
    expect_err(&command, "there is no project: none of actor.c");
    command_free(&command);
    command_run(&command, NULL, "build", "--lang", "zig", "empty");
    expect_code(&command, CLI_NOT_FOUND);
    expect_err(&command, "a project in Zig has actor.zig");
    command_free(&command);
    command_run(&command, NULL, "build", "nowhere");
    expect_code(&command, CLI_NOT_FOUND);
    expect_err(&command, "there is no such folder");
    command_free(&command);
    world_text("empty/actor.c", "int number;\n");
    command_run(&command, NULL, "build", "empty/actor.c");
    expect_code(&command, CLI_FAILED);
    expect_err(&command, "empty/actor.c: it is a file, not a folder\n"
                         "  next: give the project's folder: `theater build "
                         "empty/`");
    command_free(&command);
    world_text("alone.c", "int number;\n");
    command_run(&command, NULL, "build", "alone.c");
    expect_code(&command, CLI_FAILED);
    expect_err(&command, "project's folder: `theater build`");
    command_free(&command);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_language_that_is_carried_makes_a_project),
        cmocka_unit_test(a_new_project_is_built_and_answers),
        cmocka_unit_test(no_name_of_a_folder_or_file_means_more_than_itself),
        cmocka_unit_test(what_a_failing_tool_says_is_shown),
        cmocka_unit_test(a_missing_tool_is_named_with_its_package),
        cmocka_unit_test(doctor_says_what_is_there_and_what_is_missing),
        cmocka_unit_test(a_folder_on_the_path_is_no_command),
        cmocka_unit_test(what_is_relative_on_the_path_is_not_run),
        cmocka_unit_test(a_tool_that_is_too_old_is_missing),
        cmocka_unit_test(nothing_that_is_there_is_touched),
        cmocka_unit_test(a_failure_leaves_nothing_behind),
        cmocka_unit_test(a_schema_replaces_a_link_and_does_not_follow_it),
        cmocka_unit_test(a_schema_that_cannot_be_written_leaves_the_one_before),
        cmocka_unit_test(bad_names_and_languages_are_refused),
        cmocka_unit_test(what_is_no_project_is_said),
    };
    return cmocka_run_group_tests(tests, world_setup, world_teardown);
}
