/* SPDX-License-Identifier: Apache-2.0 */
/* What the benchmark makes of its repeats: medians, what was lost, and that a
 * loss is a failure. */
#include "cli/bench_report.h"
#include "cli/bench_tally.h"

#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

static struct bench_outcome outcome;
static struct cli_context context;

/* A sound outcome of `repeats` repeats, nothing measured. */
static int sound(void **state)
{
    (void)state;
    memset(&outcome, 0, sizeof outcome);
    bench_result_init(&outcome.total);
    outcome.config.env = theater_env_default();
    outcome.config.workload = bench_workload("pairs");
    outcome.config.actors = 10;
    outcome.config.run_ns = 1000000000;
    outcome.config.probe = bench_probe_new(outcome.config.env);
    assert_non_null(outcome.config.probe);
    outcome.repeats = 4;
    for (size_t i = 0; i < BENCH_FIGURES; i++) {
        for (size_t k = 0; k < outcome.repeats; k++) {
            outcome.each[i][k] = NAN;
        }
    }
    context = (struct cli_context){.env = outcome.config.env,
                                   .command = cli_find_command("bench")};
    return 0;
}

static int gone(void **state)
{
    (void)state;
    bench_probe_delete(outcome.config.probe);
    return 0;
}

static void repeat(enum bench_figure figure, double a, double b, double c,
                   double d)
{
    const double each[] = {a, b, c, d};
    memcpy(outcome.each[figure], each, sizeof each);
}

static void the_median_of_an_even_number_lies_between_the_middle_two(void **s)
{
    (void)s;
    repeat(BENCH_RATE, 40, 10, 20, 30);
    bench_outcome_settle(&outcome);
    assert_true(outcome.total.figures[BENCH_RATE] == 25);
    assert_true(outcome.least[BENCH_RATE] == 10);
    assert_true(outcome.greatest[BENCH_RATE] == 40);
}

static void the_median_of_an_odd_number_is_the_middle_one(void **state)
{
    (void)state;
    outcome.repeats = 3;
    repeat(BENCH_RATE, 40, 10, 20, 0);
    bench_outcome_settle(&outcome);
    assert_true(outcome.total.figures[BENCH_RATE] == 20);
}

static void memory_is_what_the_greatest_repeat_took(void **state)
{
    (void)state;
    repeat(BENCH_BYTES_PER_ACTOR, 900, 20, 30, 10);
    bench_outcome_settle(&outcome);
    assert_true(outcome.total.figures[BENCH_BYTES_PER_ACTOR] == 900);
}

static void what_no_repeat_has_measured_is_no_figure(void **state)
{
    (void)state;
    repeat(BENCH_RATE, 1, 1, 1, 1);
    bench_outcome_settle(&outcome);
    assert_true(isnan(outcome.total.figures[BENCH_FAIRNESS]) != 0);
    assert_true(outcome.total.figures[BENCH_RATE] == 1);
}

static void a_sound_run_ends_well(void **state)
{
    (void)state;
    outcome.total.sent = 10;
    outcome.total.delivered = 10;
    assert_int_equal(bench_report(&context, &outcome), CLI_OK);
    context.json = true;
    assert_int_equal(bench_report(&context, &outcome), CLI_OK);
}

static void one_message_lost_is_a_failure(void **state)
{
    (void)state;
    outcome.total.lost = 1;
    assert_int_equal(bench_report(&context, &outcome), CLI_FAILED);
    context.json = true;
    assert_int_equal(bench_report(&context, &outcome), CLI_FAILED);
}

static void one_damaged_message_is_a_failure(void **state)
{
    (void)state;
    outcome.total.errors = 1;
    assert_int_equal(bench_report(&context, &outcome), CLI_FAILED);
}

static void an_actor_that_failed_is_a_failure(void **state)
{
    (void)state;
    outcome.total.failed = 1;
    assert_int_equal(bench_report(&context, &outcome), CLI_FAILED);
}

/* --- What was lost - */

static struct bench_result settle(const char *workload, uint64_t sent,
                                  uint64_t received,
                                  const theater_counters_t *router)
{
    struct bench_result result;
    struct bench_tally tally = {0};
    const struct bench_counters sender = {
        .flags = BENCH_FINISHED, .sent = sent, .completed = received};
    const struct bench_counters receiver = {.received = received};
    bench_result_init(&result);
    outcome.config.workload = bench_workload(workload);
    bench_tally_add(&tally, &sender,
                    outcome.config.workload->rate == BENCH_ANSWERED
                        ? BENCH_REQUESTER
                        : BENCH_SENDER);
    bench_tally_add(&tally, &receiver, BENCH_RECEIVER);
    bench_tally_settle(&outcome.config, &tally, router, &result);
    return result;
}

static void what_the_receiver_has_not_counted_is_lost(void **state)
{
    const theater_counters_t router = {.accepted = 10, .delivered = 10};
    (void)state;
    assert_int_equal(settle("pairs", 10, 10, &router).lost, 0);
    assert_int_equal(settle("pairs", 10, 7, &router).lost, 3);
    /* One too many is wrong as well. */
    assert_int_equal(settle("pairs", 10, 11, &router).lost, 1);
}

static void what_the_router_has_not_delivered_is_lost(void **state)
{
    const theater_counters_t router = {.accepted = 10, .delivered = 8};
    (void)state;
    assert_int_equal(settle("pairs", 10, 10, &router).lost, 2);
}

static void a_dead_letter_is_told_and_not_lost(void **state)
{
    const theater_counters_t router = {
        .accepted = 10, .delivered = 8, .dead_total = 2};
    (void)state;
    struct bench_result result = settle("pairs", 10, 8, &router);
    assert_int_equal(result.lost, 0);
    assert_int_equal(result.dead, 2);
}

static void a_request_without_an_answer_is_lost(void **state)
{
    const theater_counters_t router = {
        .accepted = 10, .delivered = 10, .requests = 10};
    (void)state;
    assert_int_equal(settle("request", 10, 10, &router).lost, 0);
    assert_int_equal(settle("request", 9, 9, &router).lost, 1);
}

static void a_sender_that_did_not_finish_has_failed(void **state)
{
    struct bench_tally tally = {0};
    const struct bench_counters sender = {.sent = 10};
    (void)state;
    bench_tally_add(&tally, &sender, BENCH_SENDER);
    assert_int_equal(tally.unfinished, 1);
    bench_tally_add(&tally, &sender, BENCH_RING);
    assert_int_equal(tally.unfinished, 1);
}

static void gaps_and_damage_are_errors_and_fairness_is_the_slowest(void **state)
{
    struct bench_result result;
    struct bench_tally tally = {0};
    const theater_counters_t router = {0};
    (void)state;
    bench_result_init(&result);
    bench_tally_add(&tally, &(struct bench_counters){.received = 30, .gaps = 1},
                    BENCH_RECEIVER);
    bench_tally_add(&tally,
                    &(struct bench_counters){.received = 10,
                                             .order_errors = 2,
                                             .checksum_errors = 3},
                    BENCH_RECEIVER);
    bench_tally_settle(&outcome.config, &tally, &router, &result);
    assert_int_equal(result.errors, 6);
    assert_true(result.figures[BENCH_FAIRNESS] == 0.5);
}

/* --- Samples - */

static void a_begin_without_its_end_is_forgotten_by_the_next_repeat(void **s)
{
    struct bench_probe *probe = outcome.config.probe;
    (void)s;
    bench_probe_begin(probe, 1, 0);
    bench_probe_restart(probe, false);
    bench_probe_end(probe, 1, 0);
    assert_int_equal(bench_histogram_total(&probe->histogram), 0);
    bench_probe_begin(probe, 1, 0);
    bench_probe_end(probe, 1, 0);
    bench_probe_end(probe, 1, 0);
    assert_int_equal(bench_histogram_total(&probe->histogram), 1);
}

static void each_listener_of_a_broadcast_is_a_sample(void **state)
{
    struct bench_probe *probe = outcome.config.probe;
    (void)state;
    bench_probe_restart(probe, true);
    bench_probe_begin(probe, 0, 3);
    bench_probe_end(probe, 0, 3);
    bench_probe_end(probe, 0, 3);
    assert_int_equal(bench_histogram_total(&probe->histogram), 2);
}

#define CASE(name) cmocka_unit_test_setup_teardown(name, sound, gone)

int main(void)
{
    const struct CMUnitTest tests[] = {
        CASE(the_median_of_an_even_number_lies_between_the_middle_two),
        CASE(the_median_of_an_odd_number_is_the_middle_one),
        CASE(memory_is_what_the_greatest_repeat_took),
        CASE(what_no_repeat_has_measured_is_no_figure),
        CASE(a_sound_run_ends_well),
        CASE(one_message_lost_is_a_failure),
        CASE(one_damaged_message_is_a_failure),
        CASE(an_actor_that_failed_is_a_failure),
        CASE(what_the_receiver_has_not_counted_is_lost),
        CASE(what_the_router_has_not_delivered_is_lost),
        CASE(a_dead_letter_is_told_and_not_lost),
        CASE(a_request_without_an_answer_is_lost),
        CASE(a_sender_that_did_not_finish_has_failed),
        CASE(gaps_and_damage_are_errors_and_fairness_is_the_slowest),
        CASE(a_begin_without_its_end_is_forgotten_by_the_next_repeat),
        CASE(each_listener_of_a_broadcast_is_a_sample),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
