/* SPDX-License-Identifier: Apache-2.0 */
/* run: when it ends, with which code, and what it says. */
#include "command.h"

#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

static void put_trapper(const char *restart)
{
    char text[400];
    world_copy("tests/guests/trapper.wasm", "trapper.wasm");
    snprintf(text, sizeof text,
             "name = \"trapper\"\npackage = \"trapper.wasm\"\n"
             "initial_state = \"run\"\n%s"
             "[[handler]]\ntype = \"runtime\"\n"
             "[[handler]]\ntype = \"message-server\"\n",
             restart);
    world_text("trapper.toml", text);
}

static void a_run_ends_when_nothing_can_happen_any_more(void **state)
{
    struct command command;
    (void)state;
    world_driver();
    command_run(&command, NULL, "run", "driver.toml");
    expect_code(&command, 0);
    expect_out(&command, "handled no messages, no dead letters; 1 actor; ");
    assert_int_equal(command.errors_len, 0);
    command_free(&command);
}

static void an_actor_that_fails_makes_exit_code_1(void **state)
{
    struct command command;
    (void)state;
    put_trapper("");
    command_run(&command, NULL, "run", "trapper.toml");
    expect_code(&command, 1);
    expect_out(&command, "error [runtime] trapper failed: trapped: ");
    expect_out(&command, "1 actor, 1 failed; ");
    command_free(&command);
}

static void a_failed_actor_is_started_again_and_that_is_said(void **state)
{
    struct command command;
    (void)state;
    put_trapper("restart = \"on-failure\"\nmax_restarts = 2\n"
                "restart_backoff = \"1ms\"\n");
    command_run(&command, NULL, "run", "--json", "trapper.toml");
    expect_code(&command, 1);
    expect_out(&command, "\"event\":\"restarted\"");
    expect_out(&command, "\"restarted\":2,");
    expect_out(&command, "\"failed\":1,");
    command_free(&command);
}

static void dead_letters_are_shown_with_sender_target_and_reason(void **state)
{
    struct command command;
    (void)state;
    world_driver();
    /* Two wait in the mailbox behind the message that stops it: with one
     * worker it handles none before all have been sent. */
    world_text("dead.toml", "[[actor]]\nmanifest = \"driver.toml\"\n"
                            "name = \"a\"\n"
                            "initial_state = \"!batch b 3 !stop enough \"\n"
                            "[[actor]]\nmanifest = \"driver.toml\"\n"
                            "name = \"b\"\n");
    command_run(&command, NULL, "run", "--workers", "1", "dead.toml");
    expect_code(&command, 0);
    expect_out(&command,
               "warn  [router] dead letter from a to b: closed (send, 14 "
               "bytes)");
    expect_out(&command, "handled 1 message, 2 dead letters (closed 2); "
                         "2 actors; ");
    command_free(&command);
}

static void a_flood_of_dead_letters_is_shortened_and_counted(void **state)
{
    struct command command;
    (void)state;
    world_driver();
    world_text("flood.toml", "[[actor]]\nmanifest = \"driver.toml\"\n"
                             "name = \"a\"\n"
                             "initial_state = \"!batch b 500 !stop enough \"\n"
                             "[[actor]]\nmanifest = \"driver.toml\"\n"
                             "name = \"b\"\n");
    command_run(&command, NULL, "run", "--workers", "1", "flood.toml");
    expect_code(&command, 0);
    size_t shown = 0;
    for (const char *at = command.said;
         (at = strstr(at, "[router] dead letter from")) != NULL; at++) {
        shown++;
    }
    assert_in_range(shown, 1, 100);
    expect_out(&command, "more dead letters are not shown");
    expect_out(&command, "handled 1 message, 499 dead letters (closed 499)");
    command_free(&command);
}

static void everything_is_a_line_of_json_with_json(void **state)
{
    struct command command;
    (void)state;
    world_driver();
    put_trapper("");
    world_text("all.toml",
               "[[actor]]\nmanifest = \"driver.toml\"\nname = \"a\"\n"
               "initial_state = \"!batch b 3 !stop enough \"\n"
               "[[actor]]\nmanifest = \"driver.toml\"\nname = \"b\"\n"
               "[[actor]]\nmanifest = \"trapper.toml\"\n"
               "[[actor]]\nmanifest = \"driver.toml\"\nname = \"s\"\n"
               "initial_state = '!log 2 \"quoted\" \\ back'\n");
    command_run(&command, "THEATER_LOG=trace", "run", "--workers", "1",
                "--json", "all.toml");
    expect_code(&command, 1);
    if (json_lines(command.said, command.said_len) == 0) {
        fail_msg("a line is no JSON object:\n%s", command.said);
    }
    expect_out(&command, "\"event\":\"spawned\"");
    expect_out(&command, "\"event\":\"stopped\"");
    expect_out(&command, "\"event\":\"failed\"");
    expect_out(&command, "\"event\":\"dead-letter\"");
    expect_out(&command, "\"sender\":\"a\",\"target\":\"b\"");
    expect_out(&command, "\"text\":\"\\\"quoted\\\" \\\\ back\"");
    expect_out(&command, "\"event\":\"summary\"");
    command_free(&command);
}

static void several_files_make_one_system(void **state)
{
    struct command command;
    (void)state;
    world_driver();
    world_text("poor.toml", "name = \"poor\"\npackage = \"forger.wasm\"\n"
                            "[[handler]]\ntype = \"runtime\"\n");
    world_copy("tests/cli/forger.wasm", "forger.wasm");
    command_run(&command, NULL, "run", "driver.toml", "poor.toml", "--workers",
                "1");
    expect_code(&command, 0);
    expect_out(&command, "poor: done");
    expect_out(&command, "2 actors; ");
    command_free(&command);
}

static void one_actor_that_cannot_be_made_stops_all(void **state)
{
    struct command command;
    (void)state;
    world_driver();
    world_text("broken.wasm", "no module at all");
    world_text("broken.toml", "name = \"broken\"\npackage = \"broken.wasm\"\n"
                              "[[handler]]\ntype = \"runtime\"\n");
    world_text("half.toml", "[[actor]]\nmanifest = \"driver.toml\"\n"
                            "initial_state = \"!log 2 begun\"\n"
                            "[[actor]]\nmanifest = \"broken.toml\"\n");
    command_run(&command, NULL, "run", "half.toml");
    expect_code(&command, 1);
    expect_err(&command, "broken.wasm");
    expect_no_out(&command, "begun");
    command_free(&command);
}

static void compiled_code_is_kept_where_it_was_asked(void **state)
{
    struct command command;
    (void)state;
    world_driver();
    command_run(&command, NULL, "run", "--no-cache", "driver.toml");
    expect_code(&command, 0);
    command_free(&command);
    command_run(&command, NULL, "run", "--cache-dir", "kept", "driver.toml");
    expect_code(&command, 0);
    assert_int_equal(access("kept", F_OK), 0);
    command_free(&command);
}

static void a_cache_open_to_others_is_not_used_and_that_is_said(void **state)
{
    struct command command;
    (void)state;
    world_driver();
    assert_int_equal(mkdir("open", 0777), 0);
    assert_int_equal(chmod("open", 0777), 0);
    command_run(&command, NULL, "run", "--cache-dir", "open", "driver.toml");
    expect_code(&command, 0);
    expect_out(&command, " [runtime] ");
    expect_out(&command, "open");
    assert_int_equal(rmdir("open"), 0);
    command_free(&command);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_run_ends_when_nothing_can_happen_any_more),
        cmocka_unit_test(an_actor_that_fails_makes_exit_code_1),
        cmocka_unit_test(a_failed_actor_is_started_again_and_that_is_said),
        cmocka_unit_test(dead_letters_are_shown_with_sender_target_and_reason),
        cmocka_unit_test(a_flood_of_dead_letters_is_shortened_and_counted),
        cmocka_unit_test(everything_is_a_line_of_json_with_json),
        cmocka_unit_test(several_files_make_one_system),
        cmocka_unit_test(one_actor_that_cannot_be_made_stops_all),
        cmocka_unit_test(compiled_code_is_kept_where_it_was_asked),
        cmocka_unit_test(a_cache_open_to_others_is_not_used_and_that_is_said),
    };
    return cmocka_run_group_tests(tests, world_setup, world_teardown);
}
