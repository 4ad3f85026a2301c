/* SPDX-License-Identifier: Apache-2.0 */
/* How a report of several lines is shown. */
#include "cli/session.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

/* What the log writes for a stuck worker. */
static void show(bool json, char *out, size_t size)
{
    struct cli_context context = {.env = theater_env_default(), .json = json};
    struct cli_log log;
    int fds[2];
    static const char text[] = "worker 0 is stuck: \x1b[2J\nworker 0: here\n\n"
                               "stack of worker 0:\n  park+0x1";
    theater_event_t event = {.kind = THEATER_WORKER_STUCK,
                             .actor = "rock",
                             .text = text,
                             .text_len = sizeof text - 1,
                             .level = THEATER_LOG_WARN};
    assert_int_equal(pipe(fds), 0);
    unsetenv("THEATER_LOG");
    if (json) {
        setenv("THEATER_LOG_FORMAT", "json", 1);
    } else {
        unsetenv("THEATER_LOG_FORMAT");
    }
    assert_int_equal(cli_log_start(&context, &log, fds[1], NULL, NULL), CLI_OK);
    cli_log_event(&log, &event);
    assert_int_equal(cli_log_stop(&log), CLI_OK);
    close(fds[1]);
    size_t len = 0;
    for (ssize_t got; (got = read(fds[0], out + len, size - 1 - len)) > 0;) {
        len += (size_t)got;
    }
    out[len] = '\0';
    close(fds[0]);
}

static size_t count(const char *text, const char *part)
{
    size_t found = 0;
    while ((text = strstr(text, part)) != NULL) {
        text += strlen(part);
        found++;
    }
    return found;
}

static void each_line_of_a_report_is_a_line_of_the_runtime(void **state)
{
    char out[4096];
    (void)state;
    show(false, out, sizeof out);
    assert_int_equal(count(out, "\n"), 5);
    assert_int_equal(count(out, "[runtime]"), 5);
    assert_int_equal(count(out, "rock"), 0);
    assert_non_null(strstr(out, "[runtime] worker 0: here\n"));
    assert_non_null(strstr(out, "park+0x1\n"));
    assert_null(strchr(out, '\x1b'));
}

static void as_json_a_report_is_one_object_with_its_actor(void **state)
{
    char out[4096];
    (void)state;
    show(true, out, sizeof out);
    assert_int_equal(count(out, "\n"), 1);
    assert_non_null(strstr(out, "\"event\":\"stuck\""));
    assert_non_null(strstr(out, "\"rock\""));
    assert_non_null(strstr(out, "here\\n\\nstack"));
    assert_null(strchr(out, '\x1b'));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(each_line_of_a_report_is_a_line_of_the_runtime),
        cmocka_unit_test(as_json_a_report_is_one_object_with_its_actor),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
