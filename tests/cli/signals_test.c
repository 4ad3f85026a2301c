/* SPDX-License-Identifier: Apache-2.0 */
/* Ctrl-C, SIGTERM, a closed pipe: the first drains, the second ends at
 * once. */
#include "command.h"

#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

/* `worker` gets COUNT messages that take MS each, then says `ready`. */
static void put_slow(unsigned count, unsigned ms)
{
    char text[800];
    world_driver();
    snprintf(text, sizeof text,
             "[[actor]]\nmanifest = \"driver.toml\"\nname = \"boss\"\n"
             "initial_state = \"!flood worker %u !sleep %u\"\n"
             "[[actor]]\nmanifest = \"driver.toml\"\nname = \"worker\"\n"
             "[[actor]]\nmanifest = \"driver.toml\"\nname = \"clock\"\n"
             "initial_state = \"!after boss 20 !log 2 ready\"\n",
             count, ms);
    world_text("slow.toml", text);
}

static void put_chatter(void)
{
    world_copy("tests/cli/chatter.wasm", "chatter.wasm");
    world_text("chatter.toml",
               "name = \"chatter\"\npackage = \"chatter.wasm\"\n"
               "[[handler]]\ntype = \"runtime\"\n"
               "[[handler]]\ntype = \"message-server\"\n");
}

/* Sends that signal as soon as it says `text`, and waits for its end. */
static void interrupt_at(struct command *command, const char *const *args,
                         const char *text, int number)
{
    command_start(command, NULL, args);
    command_await(command, text);
    command_signal(command, number);
    command_finish(command);
}

static void the_first_interrupt_drains(void **state)
{
    static const char *const args[] = {"run", "--drain-time", "30s",
                                       "slow.toml", NULL};
    static const int numbers[] = {SIGINT, SIGTERM};
    (void)state;
    put_slow(40, 50);
    for (size_t i = 0; i < 2; i++) {
        struct command command;
        interrupt_at(&command, args, "boss: ready", numbers[i]);
        expect_code(&command, 0);
        expect_out(&command, "[theater] stopping: ");
        /* 40 of the flood, and the timed one. */
        expect_out(&command, "handled 41 messages (");
        expect_out(&command, "after the interrupt), no dead letters; ");
        expect_no_out(&command, "(0 of them after");
        command_free(&command);
    }
}

/* The first of many says something while the last are not told of yet. */
static void who_has_begun_is_not_cut_off_while_others_are_told_of(void **state)
{
    static const char *const args[] = {"run", "--stay", "many.toml", NULL};
    struct command command;
    (void)state;
    world_driver();
    world_text("many.toml",
               "[[actor]]\nmanifest = \"driver.toml\"\nname = \"boss\"\n"
               "initial_state = \"!log 2 ready\"\n"
               "[[actor]]\nmanifest = \"driver.toml\"\nname = \"idler\"\n"
               "count = 5000\n");
    interrupt_at(&command, args, "boss: ready", SIGINT);
    expect_code(&command, 0);
    expect_out(&command, "[theater] stopping: ");
    command_free(&command);
}

static void what_is_not_handled_in_time_becomes_dead_letters(void **state)
{
    static const char *const args[] = {"run",    "--drain-time", "100ms",
                                       "--json", "slow.toml",    NULL};
    struct command command;
    (void)state;
    put_slow(40, 250);
    interrupt_at(&command, args, "ready", SIGINT);
    expect_code(&command, 0);
    assert_true(json_lines(command.said, command.said_len) > 0);
    expect_out(&command, "\"interrupted\":true");
    expect_out(&command, "\"left\":0");
    const char *handled = strstr(command.said, "\"handled\":");
    const char *dead = strstr(command.said, "\"dead_letters\":");
    assert_non_null(handled);
    assert_non_null(dead);
    long handled_count = strtol(handled + 10, NULL, 10);
    long dead_count = strtol(dead + 15, NULL, 10);
    assert_int_equal(handled_count + dead_count, 41);
    assert_true(dead_count > 30);
    command_free(&command);
}

static void the_second_interrupt_ends_at_once(void **state)
{
    static const char *const args[] = {"run", "slow.toml", NULL};
    struct command command;
    (void)state;
    /* Draining would take minutes. */
    put_slow(500, 1000);
    command_start(&command, NULL, args);
    command_await(&command, "boss: ready");
    command_signal(&command, SIGINT);
    command_await(&command, "[theater] stopping: ");
    command_signal(&command, SIGINT);
    command_finish(&command);
    expect_code(&command, -SIGINT);
    expect_err(&command, "ended at once");
    expect_no_out(&command, "\nhandled ");
    command_free(&command);
}

static void a_stay_goes_on_until_it_is_interrupted(void **state)
{
    static const char *const args[] = {"run", "--stay", "driver.toml", NULL};
    struct command command;
    (void)state;
    world_driver();
    world_text("driver.toml", "name = \"driver\"\npackage = \"driver.wasm\"\n"
                              "initial_state = \"!after driver 50 !log 2 up\"\n"
                              "[[handler]]\ntype = \"runtime\"\n"
                              "[[handler]]\ntype = \"message-server\"\n");
    command_start(&command, NULL, args);
    command_await(&command, "driver: up");
    /* Nothing can happen any more; it must still be there. */
    command_stays(&command, 300);
    command_signal(&command, SIGINT);
    command_finish(&command);
    expect_code(&command, 0);
    expect_out(&command, "[theater] stopping: ");
    command_free(&command);
}

static void a_run_that_never_gets_quiet_is_interrupted_well(void **state)
{
    static const char *const args[] = {"run", "chatter.toml", NULL};
    struct command command;
    (void)state;
    put_chatter();
    command_start(&command, NULL, args);
    command_await(&command, "chatter: tick");
    command_signal(&command, SIGTERM);
    command_finish(&command);
    expect_code(&command, 0);
    expect_out(&command, "handled ");
    command_free(&command);
}

static void a_sleep_is_cut_short_by_an_interrupt(void **state)
{
    static const char *const args[] = {"run", "--drain-time", "300s",
                                       "sleeper.toml", NULL};
    struct command command;
    (void)state;
    world_driver();
    world_text("sleeper.toml",
               "[[actor]]\nmanifest = \"driver.toml\"\nname = \"sleeper\"\n"
               "initial_state = \"!sleep 600000\"\n"
               "[[actor]]\nmanifest = \"driver.toml\"\nname = \"clock\"\n"
               "initial_state = \"!after clock 50 !log 2 ready\"\n");
    /* COMMAND_DEADLINE_S is shorter than the drain, and that than the sleep. */
    interrupt_at(&command, args, "clock: ready", SIGINT);
    expect_code(&command, 0);
    expect_out(&command, "sleeper: interrupted");
    expect_no_out(&command, "did not stop in time");
    command_free(&command);
}

static void who_computes_on_is_ended_after_the_drain_time(void **state)
{
    static const char *const args[] = {"run", "--drain-time", "200ms",
                                       "both.toml", NULL};
    struct command command;
    (void)state;
    world_driver();
    world_copy("tests/guests/looper.wasm", "looper.wasm");
    world_text("looper.toml", "name = \"looper\"\npackage = \"looper.wasm\"\n"
                              "[limits]\nrun_time = \"unlimited\"\n"
                              "[[handler]]\ntype = \"runtime\"\n"
                              "[[handler]]\ntype = \"message-server\"\n");
    world_text("both.toml",
               "[[actor]]\nmanifest = \"looper.toml\"\n"
               "initial_state = \"run\"\n"
               "[[actor]]\nmanifest = \"driver.toml\"\nname = \"clock\"\n"
               "initial_state = \"!after clock 50 !log 2 ready\"\n");
    interrupt_at(&command, args, "clock: ready", SIGINT);
    expect_code(&command, 1);
    expect_out(&command, "[runtime] looper did not stop in time: ended");
    expect_out(&command, "clock: interrupted");
    command_free(&command);
}

static uint64_t now_ms(void)
{
    struct timespec now;
    clock_gettime(CLOCK_MONOTONIC, &now);
    return (uint64_t)now.tv_sec * 1000 + (uint64_t)now.tv_nsec / 1000000;
}

static void who_was_stopped_has_not_computed_meanwhile(void **state)
{
    static const char *const args[] = {"run", "--watchdog", "800ms",
                                       "both.toml", NULL};
    struct command command;
    (void)state;
    world_driver();
    world_copy("tests/guests/looper.wasm", "looper.wasm");
    world_text("looper.toml", "name = \"looper\"\npackage = \"looper.wasm\"\n"
                              "[limits]\nrun_time = \"2s\"\n"
                              "[[handler]]\ntype = \"runtime\"\n"
                              "[[handler]]\ntype = \"message-server\"\n");
    world_text("both.toml",
               "[[actor]]\nmanifest = \"looper.toml\"\n"
               "initial_state = \"run\"\n"
               "[[actor]]\nmanifest = \"driver.toml\"\nname = \"clock\"\n"
               "initial_state = \"!after clock 50 !log 2 ready\"\n");
    command_start(&command, NULL, args);
    command_await(&command, "clock: ready");
    command_signal(&command, SIGSTOP);
    command_stays(&command, 2200);
    command_signal(&command, SIGCONT);
    uint64_t from = now_ms();
    command_finish(&command);
    /* Most of its two seconds were left. */
    assert_true(now_ms() - from > 700);
    expect_code(&command, 1);
    expect_out(&command, "run_time: `run` computed for more than 2000 ms");
    expect_no_out(&command, "stuck"); /* nor was a worker */
    command_free(&command);
}

static void an_output_closed_early_ends_the_run(void **state)
{
    static const char *const args[] = {"run", "chatter.toml", NULL};
    struct command command;
    (void)state;
    put_chatter();
    command_start(&command, NULL, args);
    command_await(&command, "chatter: tick");
    close(command.out);
    command.out = -1;
    command_finish(&command);
    expect_code(&command, 0);
    assert_int_equal(command.errors_len, 0);
    command_free(&command);
}

static void a_listing_into_a_closed_pipe_ends_quietly(void **state)
{
    static const char *const args[] = {"errors", NULL};
    struct command command;
    (void)state;
    command_start(&command, NULL, args);
    close(command.out);
    command.out = -1;
    command_finish(&command);
    expect_code(&command, 0);
    assert_int_equal(command.errors_len, 0);
    command_free(&command);
}

static void actors_go_on_while_nobody_reads(void **state)
{
    static const char *const args[] = {"run", "--drain-time", "2s", "loud.toml",
                                       NULL};
    struct command command;
    (void)state;
    world_driver();
    /* 400 lines of 8 KiB: more than a pipe holds. */
    world_text("loud.toml", "[[actor]]\nmanifest = \"driver.toml\"\n"
                            "name = \"boss\"\ninitial_state = "
                            "\"!flood worker 400 !log-size 8000\"\n"
                            "[[actor]]\nmanifest = \"driver.toml\"\n"
                            "name = \"worker\"\n"
                            "[[actor]]\nmanifest = \"driver.toml\"\n"
                            "name = \"last\"\n"
                            "initial_state = \"!after worker 100 !log 2 "
                            "through\"\n");
    command_start(&command, NULL, args);
    command_stays(&command, 0);
    command_finish(&command);
    expect_code(&command, 0);
    expect_out(&command, "worker: through");
    expect_out(&command, "handled 401 messages, no dead letters");
    command_free(&command);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_first_interrupt_drains),
        cmocka_unit_test(who_has_begun_is_not_cut_off_while_others_are_told_of),
        cmocka_unit_test(what_is_not_handled_in_time_becomes_dead_letters),
        cmocka_unit_test(the_second_interrupt_ends_at_once),
        cmocka_unit_test(a_stay_goes_on_until_it_is_interrupted),
        cmocka_unit_test(a_run_that_never_gets_quiet_is_interrupted_well),
        cmocka_unit_test(a_sleep_is_cut_short_by_an_interrupt),
        cmocka_unit_test(who_computes_on_is_ended_after_the_drain_time),
        cmocka_unit_test(who_was_stopped_has_not_computed_meanwhile),
        cmocka_unit_test(an_output_closed_early_ends_the_run),
        cmocka_unit_test(a_listing_into_a_closed_pipe_ends_quietly),
        cmocka_unit_test(actors_go_on_while_nobody_reads),
    };
    return cmocka_run_group_tests(tests, world_setup, world_teardown);
}
