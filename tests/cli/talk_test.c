/* SPDX-License-Identifier: Apache-2.0 */
/* send and request: one thing is done, its outcome is printed and is the exit
 * code. */
#include "command.h"

#include <stdio.h>
#include <string.h>
#include <time.h>

static void a_request_prints_the_answer_alone(void **state)
{
    struct command command;
    (void)state;
    world_driver();
    command_run(&command, NULL, "request", "--run", "driver.toml", "driver",
                "echo good day");
    expect_code(&command, 0);
    assert_string_equal(command.said, "ok good day\n");
    command_free(&command);
}

static void what_actors_say_goes_to_the_standard_error(void **state)
{
    struct command command;
    (void)state;
    world_driver();
    command_run(&command, NULL, "request", "--run", "driver.toml", "driver",
                "log 2 aside");
    expect_code(&command, 0);
    assert_string_equal(command.said, "ok\n");
    expect_err(&command, "driver: aside");
    command_free(&command);
}

static void data_come_from_the_input_or_a_file(void **state)
{
    static const char *const args[] = {
        "request", "--run", "driver.toml", "--raw", "driver", "-", NULL};
    struct command command;
    (void)state;
    world_driver();
    world_put("in", "echo a\0b\xff", 9);
    command_run(&command, NULL, "request", "--run", "driver.toml", "--raw",
                "driver", "@in");
    expect_code(&command, 0);
    assert_int_equal(command.said_len, 7);
    assert_memory_equal(command.said, "ok a\0b\xff", 7);
    command_free(&command);

    command_start(&command, NULL, args);
    command_input(&command, "echo piped", 10);
    command_finish(&command);
    expect_code(&command, 0);
    assert_string_equal(command.said, "ok piped");
    command_free(&command);
}

static void a_file_of_data_that_is_missing_is_not_found(void **state)
{
    struct command command;
    (void)state;
    world_driver();
    command_run(&command, NULL, "request", "--run", "driver.toml", "driver",
                "@gone");
    expect_code(&command, 3);
    expect_err(&command, "gone");
    command_free(&command);
    command_run(&command, NULL, "request", "--run", "driver.toml", "driver",
                "@/");
    expect_code(&command, 1);
    expect_err(&command, "/: it is a folder; name a file in it");
    command_free(&command);
}

static void an_answer_cannot_send_terminal_escapes(void **state)
{
    struct command command;
    (void)state;
    world_driver();
    world_put("in", "echo \x1b[31m\xff\nnext", 16);
    command_run(&command, NULL, "request", "--run", "driver.toml", "driver",
                "@in");
    expect_code(&command, 0);
    assert_string_equal(command.said, "ok \\x1b[31m\\xff\nnext\n");
    command_free(&command);
}

static void an_answer_is_json_whatever_it_holds(void **state)
{
    struct command command;
    (void)state;
    world_driver();
    world_put("in", "echo \x1b\"\xff", 8);
    command_run(&command, NULL, "request", "--json", "--run", "driver.toml",
                "driver", "@in");
    expect_code(&command, 0);
    assert_int_equal(json_lines(command.said, command.said_len), 1);
    expect_out(&command, "\"answer_base64\":\"b2sgGyL/\"");
    command_free(&command);
    command_run(&command, NULL, "request", "--json", "--run", "driver.toml",
                "driver", "echo \x1b\"");
    assert_int_equal(json_lines(command.said, command.said_len), 1);
    expect_out(&command, "\"answer\":\"ok \\u001b\\\"\"");
    command_free(&command);
}

static void each_way_to_fail_has_its_exit_code(void **state)
{
    static const struct {
        const char *name;
        const char *data;
        int code;
        const char *says;
    } rows[] = {
        {"driver", "fail bad luck", 1, "failed: driver: bad luck"},
        {"driver", "trap", 1, " It failed: `unreachable` was executed"},
        {"nobody", "x", 3, "not-found: nobody"},
        {"driver", "sleep 3000", 5, "timeout"},
        {"", "x", 1, "invalid-argument"},
    };
    (void)state;
    world_driver();
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        struct command command;
        command_run(&command, NULL, "request", "--run", "driver.toml",
                    "--timeout", "300ms", rows[i].name, rows[i].data);
        expect_code(&command, rows[i].code);
        expect_err(&command, rows[i].says);
        expect_err(&command, "next: ");
        assert_int_equal(command.said_len, 0);
        command_free(&command);
    }
}

/* A target that computes in `run` for ever is ended 300 ms after the refusal;
 * the runtime alone would give it 5 s. */
static void a_request_ends_soon_after_its_timeout(void **state)
{
    struct command command;
    struct timespec before, after;
    (void)state;
    world_copy("tests/guests/looper.wasm", "looper.wasm");
    world_text("looper.toml", "name = \"looper\"\npackage = \"looper.wasm\"\n"
                              "initial_state = \"run\"\n"
                              "[limits]\nrun_time = \"unlimited\"\n"
                              "[[handler]]\ntype = \"runtime\"\n"
                              "[[handler]]\ntype = \"message-server\"\n");
    clock_gettime(CLOCK_MONOTONIC, &before);
    command_run(&command, NULL, "request", "--run", "looper.toml", "--timeout",
                "100ms", "looper", "x");
    clock_gettime(CLOCK_MONOTONIC, &after);
    expect_code(&command, 5);
    expect_err(&command, "timeout");
    expect_err(&command, "[runtime] looper did not stop in time: ended");
    assert_true(after.tv_sec - before.tv_sec < 4);
    command_free(&command);
}

/* Neither `not-found` alone for an actor that is there, nor silence in the
 * check of a module whose exports nobody calls. */
static void an_actor_without_a_mailbox_is_told_as_such(void **state)
{
    struct command command;
    (void)state;
    world_copy("tests/guests/trapper.wasm", "trapper.wasm");
    world_text("deaf.toml", "name = \"deaf\"\npackage = \"trapper.wasm\"\n"
                            "[[handler]]\ntype = \"runtime\"\n");
    command_run(&command, NULL, "request", "--run", "deaf.toml", "deaf", "x");
    expect_code(&command, 3);
    expect_err(&command, "has no mailbox: add [[handler]] type = "
                         "\"message-server\"");
    command_free(&command);
    command_run(&command, NULL, "check", "deaf.toml");
    expect_code(&command, 0);
    expect_out(&command, "warning   exports handle-request, which nobody "
                         "calls: list message-server in the manifest\n");
    command_free(&command);
    world_driver();
    world_text("poor.toml", "name = \"poor\"\npackage = \"driver.wasm\"\n"
                            "[[handler]]\ntype = \"message-server\"\n");
    command_run(&command, NULL, "check", "poor.toml");
    expect_code(&command, 1);
    expect_err(&command, "add [[handler]] type = \"runtime\"");
    command_free(&command);
}

static void a_message_is_sent_and_handled(void **state)
{
    struct command command;
    (void)state;
    world_driver();
    command_run(&command, NULL, "send", "--run", "driver.toml", "driver",
                "!log 2 heard it");
    expect_code(&command, 0);
    assert_string_equal(command.said,
                        "sent 15 bytes to driver; handled 1 message, no dead "
                        "letters\n");
    expect_err(&command, "driver: heard it");
    command_free(&command);
    command_run(&command, NULL, "send", "--json", "--run", "driver.toml",
                "driver", "hello");
    expect_code(&command, 0);
    assert_int_equal(json_lines(command.said, command.said_len), 1);
    expect_out(&command, "\"handled\":1,\"dead_letters\":0");
    command_free(&command);
}

static void no_actor_stops_before_it_could_be_asked(void **state)
{
    (void)state;
    world_driver();
    world_text("short.toml", "[[actor]]\nmanifest = \"driver.toml\"\n"
                             "name = \"a\"\n"
                             "initial_state = \"!send b !stop now\"\n"
                             "[[actor]]\nmanifest = \"driver.toml\"\n"
                             "name = \"b\"\n");
    for (int i = 0; i < 10; i++) {
        struct command command;
        command_run(&command, NULL, "request", "--run", "short.toml", "b",
                    "echo first");
        expect_code(&command, 0);
        assert_string_equal(command.said, "ok first\n");
        command_free(&command);
    }
}

static void a_send_that_is_refused_says_why(void **state)
{
    struct command command;
    (void)state;
    world_driver();
    command_run(&command, NULL, "send", "--run", "driver.toml", "nobody", "x");
    expect_code(&command, 3);
    expect_err(&command, "not-found: nobody");
    command_free(&command);
    world_copy("tests/guests/silent.wasm", "silent.wasm");
    world_text("silent.toml", "name = \"silent\"\npackage = \"silent.wasm\"\n"
                              "[[handler]]\ntype = \"runtime\"\n"
                              "[[handler]]\ntype = \"message-server\"\n");
    command_run(&command, NULL, "send", "--run", "silent.toml", "silent", "x");
    expect_code(&command, 1);
    expect_err(&command, "unsupported: silent: its module exports no "
                         "handle-send\n  next: ");
    command_free(&command);
    command_run(&command, NULL, "send", "--run", "driver.toml", "driver",
                "!trap");
    expect_code(&command, 1);
    expect_out(&command,
               "; delivered 1 message, no dead letters; 1 failed actor\n");
    command_free(&command);
}

static void a_misspelt_actor_is_answered_with_the_nearest(void **state)
{
    static const char *const commands[] = {"send", "request"};
    (void)state;
    world_driver();
    world_text("two.toml",
               "[[actor]]\nmanifest = \"driver.toml\"\n"
               "name = \"greeter\"\ninitial_state = \"!log 2 begun\"\n"
               "[[actor]]\nmanifest = \"driver.toml\"\n");
    for (size_t i = 0; i < 2; i++) {
        struct command command;
        command_run(&command, NULL, commands[i], "--run", "two.toml", "greter",
                    "x");
        expect_code(&command, 3);
        expect_err(&command, "not-found: greter: there is no actor of that "
                             "name; did you mean 'greeter'?\n  next: ");
        /* Nothing was started for that. */
        assert_null(strstr(command.errors, "begun"));
        command_free(&command);
        command_run(&command, NULL, commands[i], "--run", "two.toml",
                    "somebody else", "x");
        expect_code(&command, 3);
        expect_err(&command, "there is no actor of that name; there are: "
                             "greeter, driver\n");
        command_free(&command);
    }
}

static void put_deaf_to(const char *name)
{
    char from[64], file[64], text[300];
    snprintf(from, sizeof from, "tests/cli/%s.wasm", name);
    snprintf(file, sizeof file, "%s.wasm", name);
    world_copy(from, file);
    snprintf(text, sizeof text,
             "name = \"%s\"\npackage = \"%s\"\n"
             "[[handler]]\ntype = \"runtime\"\n"
             "[[handler]]\ntype = \"message-server\"\n",
             name, file);
    snprintf(file, sizeof file, "%s.toml", name);
    world_text(file, text);
}

static void who_takes_the_other_kind_alone_is_told_as_such(void **state)
{
    struct command command;
    (void)state;
    put_deaf_to("answerer");
    command_run(&command, NULL, "send", "--run", "answerer.toml", "answerer",
                "x");
    expect_code(&command, 1);
    expect_err(&command,
               "unsupported: answerer: its module exports no handle-send; it "
               "exports handle-request, which `theater request` calls\n"
               "  next: use `theater request`, or export handle-send in its "
               "source");
    command_free(&command);
    command_run(&command, NULL, "request", "--run", "answerer.toml", "answerer",
                "x");
    expect_code(&command, 0);
    assert_string_equal(command.said, "x\n");
    command_free(&command);
    put_deaf_to("chatter");
    command_run(&command, NULL, "request", "--run", "chatter.toml", "chatter",
                "x");
    expect_code(&command, 1);
    expect_err(&command,
               "unsupported: chatter: its module exports no handle-request; it "
               "exports handle-send, which `theater send` calls\n"
               "  next: use `theater send`, or export handle-request in its "
               "source");
    command_free(&command);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_request_prints_the_answer_alone),
        cmocka_unit_test(what_actors_say_goes_to_the_standard_error),
        cmocka_unit_test(data_come_from_the_input_or_a_file),
        cmocka_unit_test(a_file_of_data_that_is_missing_is_not_found),
        cmocka_unit_test(an_answer_cannot_send_terminal_escapes),
        cmocka_unit_test(an_answer_is_json_whatever_it_holds),
        cmocka_unit_test(each_way_to_fail_has_its_exit_code),
        cmocka_unit_test(a_request_ends_soon_after_its_timeout),
        cmocka_unit_test(an_actor_without_a_mailbox_is_told_as_such),
        cmocka_unit_test(a_message_is_sent_and_handled),
        cmocka_unit_test(no_actor_stops_before_it_could_be_asked),
        cmocka_unit_test(a_send_that_is_refused_says_why),
        cmocka_unit_test(a_misspelt_actor_is_answered_with_the_nearest),
        cmocka_unit_test(who_takes_the_other_kind_alone_is_told_as_such),
    };
    return cmocka_run_group_tests(tests, world_setup, world_teardown);
}
