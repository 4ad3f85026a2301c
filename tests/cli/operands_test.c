/* SPDX-License-Identifier: Apache-2.0 */
/* Which file is meant: none is theater.toml here, a folder is the one in it,
 * and what is no manifest at all is answered with what to do instead. */
#include "command.h"

#include <stdio.h>
#include <sys/stat.h>
#include <unistd.h>

static const char *const commands[] = {"run", "check", "dev"};

static void without_a_system_file_what_to_do_is_said(void **state)
{
    (void)state;
    for (size_t i = 0; i < 3; i++) {
        struct command command;
        command_run(&command, NULL, commands[i]);
        expect_code(&command, 3);
        expect_err(&command,
                   "not-found: .: there is no theater.toml in this folder\n"
                   "  next: name a manifest or a system file; `theater new "
                   "NAME --lang LANG` makes a project with both");
        command_free(&command);
    }
}

/* What runs, whichever way the folder was given. */
static void without_an_operand_the_system_of_this_folder_is_meant(void **state)
{
    static const char *const ways[] = {NULL, ".", "./", "system", "system/"};
    struct command command;
    (void)state;
    assert_int_equal(mkdir("system", 0777), 0);
    world_driver();
    world_text("theater.toml", "[[actor]]\nmanifest = \"driver.toml\"\n"
                               "name = \"here\"\n");
    assert_int_equal(chdir("system"), 0);
    world_driver();
    assert_int_equal(chdir(".."), 0);
    world_text("system/theater.toml",
               "[[actor]]\nmanifest = \"driver.toml\"\nname = \"below\"\n");
    for (size_t i = 0; i < 5; i++) {
        const char *name = i < 3 ? "here: ok\n" : "below: ok\n";
        command_run(&command, NULL, "check", ways[i]);
        expect_code(&command, 0);
        expect_out(&command, name);
        command_free(&command);
        command_run(&command, NULL, "run", ways[i]);
        expect_code(&command, 0);
        expect_out(&command, "; 1 actor; ");
        command_free(&command);
    }
    command_run(&command, NULL, "check", ".", "system");
    expect_code(&command, 0);
    expect_out(&command, "here: ok\n");
    expect_out(&command, "below: ok\n");
    command_free(&command);
    command_run(&command, NULL, "request", "--run", "system", "below",
                "echo x");
    expect_code(&command, 0);
    command_free(&command);
    assert_int_equal(unlink("theater.toml"), 0);
}

static void a_source_file_is_to_be_built(void **state)
{
    static const char *const sources[] = {"actor.c",    "actor.go", "actor.js",
                                          "actor.ts",   "actor.py", "lib.rs",
                                          "Cargo.toml", "actor.zig"};
    struct command command;
    (void)state;
    for (size_t i = 0; i < 8; i++) {
        assert_int_equal(mkdir("alone", 0777), 0);
        assert_int_equal(chdir("alone"), 0);
        world_text(sources[i], "x\n");
        command_run(&command, NULL, commands[i % 3], sources[i]);
        expect_code(&command, 1);
        expect_err(&command, sources[i]);
        expect_err(&command, ": it is a source file of ");
        expect_err(&command, "next: `theater build ");
        command_free(&command);
        assert_int_equal(unlink(sources[i]), 0);
        assert_int_equal(chdir(".."), 0);
        assert_int_equal(rmdir("alone"), 0);
    }
    assert_int_equal(mkdir("greeter", 0777), 0);
    world_text("greeter/actor.c", "x\n");
    command_run(&command, NULL, "run", "greeter/actor.c");
    expect_code(&command, 1);
    expect_err(&command,
               "bad-manifest: greeter/actor.c: it is a source file of C, no "
               "manifest\n  next: `theater build greeter/` builds it to "
               "actor.wasm; `theater run greeter/` takes the theater.toml "
               "beside it");
    command_free(&command);
    command_run(&command, NULL, "request", "--run", "greeter/actor.c", "a",
                "x");
    expect_code(&command, 1);
    expect_err(&command, "it is a source file of C, no manifest");
    command_free(&command);
    command_run(&command, NULL, "run", "gone.c");
    expect_code(&command, 3);
    expect_err(&command, "not-found: gone.c: there is no such file");
    command_free(&command);
}

static void a_project_that_is_not_built_is_told_how_to(void **state)
{
    static const char *const both[] = {"run", "check"};
    struct command command;
    (void)state;
    command_run(&command, NULL, "new", "fresh", "--lang", "go");
    expect_code(&command, 0);
    command_free(&command);
    for (size_t i = 0; i < 2; i++) {
        command_run(&command, NULL, both[i], "fresh");
        expect_code(&command, 3);
        expect_err(&command, "the package 'actor.wasm' is missing");
        expect_err(&command, "\n  next: `theater build fresh/` builds it (");
        command_free(&command);
        assert_int_equal(chdir("fresh"), 0);
        command_run(&command, NULL, both[i]);
        expect_code(&command, 3);
        expect_err(&command, "\n  next: `theater build` builds it (");
        command_free(&command);
        assert_int_equal(chdir(".."), 0);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(without_a_system_file_what_to_do_is_said),
        cmocka_unit_test(without_an_operand_the_system_of_this_folder_is_meant),
        cmocka_unit_test(a_source_file_is_to_be_built),
        cmocka_unit_test(a_project_that_is_not_built_is_told_how_to),
    };
    return cmocka_run_group_tests(tests, world_setup, world_teardown);
}
