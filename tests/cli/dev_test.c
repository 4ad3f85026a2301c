/* SPDX-License-Identifier: Apache-2.0 */
/* dev: what changes is built and replaced, the others go on; what cannot be
 * built stops nothing. */
#include "command.h"

#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>

/* An actor that says `word` once, and then waits for messages. */
static void put_source(const char *path, const char *word)
{
    char source[512];
    snprintf(source, sizeof source,
             "#include <theater/actor.h>\n"
             "THEATER_RUN()\n"
             "{\n"
             "    theater_log_info(\"%s\");\n"
             "}\n"
             "THEATER_HANDLE_SEND(data)\n"
             "{\n"
             "    theater_log(THEATER_LEVEL_INFO, data);\n"
             "}\n",
             word);
    world_text(path, source);
}

static void make(const char *name)
{
    struct command command;
    char path[64];
    command_run(&command, NULL, "new", name, "--lang", "c");
    expect_code(&command, 0);
    command_free(&command);
    snprintf(path, sizeof path, "%s/actor.c", name);
    put_source(path, name);
}

static size_t count_of(const char *text, const char *part)
{
    size_t count = 0;
    for (const char *at = strstr(text, part); at != NULL;
         at = strstr(at + 1, part)) {
        count++;
    }
    return count;
}

static void what_changes_is_replaced_and_the_others_go_on(void **state)
{
    static const char *const args[] = {"dev", "both.toml", NULL};
    struct command command;
    (void)state;
    make("keeper");
    make("changer");
    world_text("both.toml",
               "[[actor]]\nmanifest = \"keeper/manifest.toml\"\n"
               "[[actor]]\nmanifest = \"changer/manifest.toml\"\n");
    command_start(&command, NULL, args);
    command_await(&command, "keeper: keeper");
    command_await(&command, "changer: changer");
    put_source("changer/actor.c", "changed once");
    command_await(&command, "replaced changer");
    command_await(&command, "changer: changed once");
    /* What cannot be built is said, and nothing is stopped. */
    world_text("changer/actor.c", "this is no C\n");
    command_await(&command, "error: ");
    command_await(&command, "what runs goes on");
    put_source("changer/actor.c", "changed twice");
    command_await(&command, "changer: changed twice");
    /* An actor that joins, and one that leaves. */
    make("joiner");
    world_text("both.toml", "[[actor]]\nmanifest = \"keeper/manifest.toml\"\n"
                            "[[actor]]\nmanifest = \"joiner/manifest.toml\"\n");
    command_await(&command, "joiner: joiner");
    command_signal(&command, SIGINT);
    command_finish(&command);
    expect_code(&command, 0);
    assert_int_equal(count_of(command.said, "keeper: keeper"), 1);
    assert_null(strstr(command.said, "replaced keeper"));
    assert_true(count_of(command.said, "replaced changer") >= 2);
    command_free(&command);
}

static void a_module_without_a_project_is_watched_too(void **state)
{
    static const char *const args[] = {"dev", "driver.toml", NULL};
    struct command command;
    (void)state;
    world_driver();
    command_start(&command, NULL, args);
    command_await(&command, "started driver");
    /* A broken manifest is said, and waited for. */
    world_text("driver.toml", "name = ");
    command_await(&command, "bad-manifest");
    world_driver();
    command_await(&command, "replaced driver");
    command_signal(&command, SIGTERM);
    command_finish(&command);
    expect_code(&command, 0);
    command_free(&command);
}

/* The file that lists them is whole: only the manifest is mended. */
static void a_manifest_is_mended_after_the_start(void **state)
{
    static const char *const args[] = {"dev", "list.toml", NULL};
    struct command command;
    (void)state;
    world_driver();
    world_text("driver.toml", "name = ");
    world_text("list.toml", "[[actor]]\nmanifest = \"driver.toml\"\n");
    command_start(&command, NULL, args);
    command_await(&command, "nothing runs yet");
    world_driver();
    command_await(&command, "started driver");
    world_text("list.toml", "garbage\n");
    command_await(&command, "what runs goes on");
    world_text("list.toml", "[[actor]]\nmanifest = \"driver.toml\"\n"
                            "name = \"second\"\n");
    command_await(&command, "started second");
    command_signal(&command, SIGINT);
    command_finish(&command);
    expect_code(&command, 0);
    /* Each of the two mistakes once. */
    assert_int_equal(count_of(command.errors, "bad-manifest: "), 2);
    command_free(&command);
}

static void a_folder_without_a_system_file_is_said(void **state)
{
    struct command command;
    (void)state;
    command_run(&command, NULL, "dev", ".");
    expect_code(&command, 3);
    expect_err(&command, "not-found: .: there is no theater.toml in this "
                         "folder\n  next: name a manifest or a system file; ");
    command_free(&command);
}

static void a_file_that_is_not_there_is_said(void **state)
{
    struct command command;
    (void)state;
    command_run(&command, NULL, "dev", "none.toml");
    expect_code(&command, 3);
    expect_err(&command, "there is no such file");
    command_free(&command);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(what_changes_is_replaced_and_the_others_go_on),
        cmocka_unit_test(a_module_without_a_project_is_watched_too),
        cmocka_unit_test(a_manifest_is_mended_after_the_start),
        cmocka_unit_test(a_folder_without_a_system_file_is_said),
        cmocka_unit_test(a_file_that_is_not_there_is_said),
    };
    return cmocka_run_group_tests(tests, world_setup, world_teardown);
}
