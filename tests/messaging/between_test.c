/* SPDX-License-Identifier: Apache-2.0 */
/* What others do between two steps of a call. Here they do it where the call
 * looks at the clock, arms its deadline or tells somebody: what another thread
 * may do at that moment, at the same moment in every run. */
#include "world.h"

#include "messaging/router.h"

static struct moment {
    struct world world;
    theater_env_t env; /* the simulated one, with a clock that calls */
    uint64_t (*clock)(void *ctx);
    void (*at_clock)(void); /* once, at a look at the clock */
    unsigned passed_by;     /* looks that come before it */
    void (*armed)(void);    /* once, when a deadline is the next */
    theater_endpoint_t *a, *b;
    theater_channel_id_t at_a, at_b;
    struct outcome outcome;
    theater_status_t status;
    unsigned times;
} here;

static uint64_t clock_that_calls(void *ctx)
{
    void (*call)(void) = here.at_clock;
    if (call != NULL && here.passed_by-- == 0) {
        here.at_clock = NULL;
        here.passed_by = 0;
        call();
    }
    return here.clock(ctx);
}

static void earlier(void *ctx)
{
    void (*call)(void) = here.armed;
    (void)ctx;
    here.armed = NULL;
    if (call != NULL) {
        call();
    }
}

static void begin(const theater_endpoint_options_t *a,
                  const theater_endpoint_options_t *b)
{
    theater_router_options_t options = THEATER_ROUTER_OPTIONS_INIT;
    struct th_sim_env *sim = NULL;

    memset(&here, 0, sizeof here);
    assert_int_equal(th_sim_env_new(7, &sim), THEATER_OK);
    here.env = *th_sim_env_table(sim);
    here.clock = here.env.now_ns;
    here.env.now_ns = clock_that_calls;
    options.env = &here.env;
    world_make(&here.world, &options, false);
    here.world.sim = sim;
    here.world.env = th_sim_env_table(sim);
    th_timers_set_earlier(here.world.router->timers, earlier, NULL);
    here.a = join_as(&here.world, "a", a);
    here.b = join_as(&here.world, "b", b);
}

static void end(void)
{
    if (here.a != NULL) {
        leave(here.a);
    }
    if (here.b != NULL) {
        leave(here.b);
    }
    world_fini(&here.world);
}

static theater_endpoint_options_t small(uint32_t capacity, bool waits)
{
    theater_endpoint_options_t options = THEATER_ENDPOINT_OPTIONS_INIT;
    options.capacity = capacity;
    options.channel_credit = 1;
    options.waits = waits;
    return options;
}

/* --- What happens at those moments ---------------------------------------- */

static void b_leaves(void)
{
    leave(here.b);
    here.b = NULL;
}

/* Another comes by that name, and goes when it is looked at. */
static void b_is_another(void)
{
    b_leaves();
    here.b = join(&here.world, "b");
    here.at_clock = b_leaves;
    here.passed_by = 1; /* the first attempt's timer is being placed */
}

static void b_is_another_that_is_full(void)
{
    theater_endpoint_options_t one = small(1, false);
    b_leaves();
    here.b = join_as(&here.world, "b", &one);
    assert_status(send_text(&here.world, NULL, "b", "full"), THEATER_OK);
    here.at_clock = b_leaves;
    here.passed_by = 1;
}

static void time_passes(void)
{
    pass(&here.world, 10000);
}

static void b_handles(void)
{
    const theater_message_t *message = NULL;
    while (theater_endpoint_receive(here.b, &message) == THEATER_OK) {
        theater_endpoint_done(here.b, THEATER_OK);
    }
}

/* --- Requests and opens --------------------------------------------------- */

static void a_name_that_goes_twice_while_it_is_asked_is_not_found(void **state)
{
    (void)state;
    begin(NULL, NULL);
    assert_status(send_text(&here.world, here.a, "b", "known"), THEATER_OK);
    here.at_clock = b_is_another;
    assert_status(ask(&here.world, here.a, "b", "q", 10, &here.outcome, NULL),
                  THEATER_NOT_FOUND);
    assert_null(here.b);
    assert_int_equal(here.outcome.calls, 0);
    end();

    begin(NULL, NULL);
    here.at_clock = b_is_another;
    assert_status(offer(here.a, "b", "x", 10, &here.outcome),
                  THEATER_NOT_FOUND);
    assert_null(here.b);
    assert_int_equal(here.outcome.calls, 0);
    end();
}

/* It was told by its callback, so the call does not say it once more. */
static void
a_deadline_that_comes_before_the_mailbox_refuses_is_told_once(void **state)
{
    theater_endpoint_options_t one = small(1, false);
    (void)state;
    begin(NULL, &one);
    assert_status(send_text(&here.world, NULL, "b", "full"), THEATER_OK);
    here.armed = time_passes;
    assert_status(ask(&here.world, here.a, "b", "q", 10, &here.outcome, NULL),
                  THEATER_PENDING);
    assert_ended(here.outcome, THEATER_TIMEOUT);
    here.armed = time_passes;
    assert_status(offer(here.a, "b", "x", 10, &here.outcome), THEATER_PENDING);
    assert_ended(here.outcome, THEATER_TIMEOUT);
    handle_send(here.b, "full");
    nothing(here.b);
    assert_int_equal(counters_of(&here.world).requests, 2);
    end();
}

/* --- Waiting for room ----------------------------------------------------- */

static theater_status_t wait_for_room(void)
{
    memset(&here.outcome, 0, sizeof here.outcome);
    return theater_router_send_start(here.world.router, here.a, text("b"),
                                     text("m"), 10, note_done, &here.outcome,
                                     NULL);
}

static void who_would_wait_for_one_that_goes_twice_does_not_find_it(void **s)
{
    theater_endpoint_options_t one = small(1, false);
    (void)s;
    begin(NULL, &one);
    assert_status(send_text(&here.world, NULL, "b", "full"), THEATER_OK);
    here.at_clock = b_is_another_that_is_full;
    assert_status(wait_for_room(), THEATER_NOT_FOUND);
    assert_null(here.b);
    assert_int_equal(here.outcome.calls, 0);
    end();
}

static void time_passes_and_b_leaves(void)
{
    time_passes();
    b_leaves();
}

static void
a_wait_whose_deadline_comes_before_it_stands_in_line_ends_once(void **state)
{
    theater_endpoint_options_t one = small(1, false);
    (void)state;
    begin(NULL, &one);
    assert_status(send_text(&here.world, NULL, "b", "full"), THEATER_OK);
    here.armed = time_passes_and_b_leaves;
    assert_status(wait_for_room(), THEATER_PENDING);
    assert_ended(here.outcome, THEATER_MAILBOX_FULL);
    end();
}

/* --- Channels ------------------------------------------------------------- */

static void open_channel(void)
{
    here.at_a = connect(here.a, here.b, "b", &here.at_b);
}

static void credit_that_comes_while_its_wait_times_out_is_told_once(void **s)
{
    theater_endpoint_options_t one = small(0, true);
    theater_request_id_t id;
    (void)s;
    begin(&one, &one);
    open_channel();
    here.armed = time_passes;
    memset(&here.outcome, 0, sizeof here.outcome);
    assert_status(theater_channel_credit_start(here.a, here.at_a, 1, 10,
                                               note_done, &here.outcome, &id),
                  THEATER_PENDING);
    assert_ended(here.outcome, THEATER_MAILBOX_FULL);
    end();
}

static void who_needs_not_wait_for_credit_any_more_sends_at_once(void **state)
{
    theater_endpoint_options_t one = small(0, true);
    (void)state;
    begin(&one, &one);
    open_channel();
    assert_status(theater_channel_send(here.a, here.at_a, text("1")),
                  THEATER_OK);
    here.at_clock = b_handles;
    here.passed_by = 1;
    assert_status(theater_channel_send_wait(here.a, here.at_a, text("2"), 100),
                  THEATER_OK);
    handle(here.b, THEATER_MESSAGE_CHANNEL_DATA, "2");
    end();
}

/* Told that its request is cancelled, since it goes: others use its channel. */
static void sent_by_a(void *user, theater_status_t status,
                      theater_answer_t *answer)
{
    (void)user;
    theater_answer_delete(answer);
    here.times++;
    assert_status(status, THEATER_CANCELLED);
    here.status = theater_channel_send(here.a, here.at_a, text("too late"));
}

static void closed_by_a(void *user, theater_status_t status,
                        theater_answer_t *answer)
{
    (void)user;
    theater_answer_delete(answer);
    here.times++;
    assert_status(status, THEATER_CANCELLED);
    here.status = theater_channel_close(here.a, here.at_a, THEATER_OK);
}

static void while_b_goes(theater_done_fn *done, theater_status_t expected)
{
    theater_request_id_t id;
    begin(NULL, NULL);
    open_channel();
    assert_status(theater_router_request_start(here.world.router, here.b,
                                               text("a"), text("q"), 100, done,
                                               NULL, &id),
                  THEATER_PENDING);
    b_leaves();
    assert_int_equal(here.times, 1);
    assert_status(here.status, expected);
    end();
}

static void a_channel_is_closed_from_the_moment_its_other_end_goes(void **state)
{
    (void)state;
    while_b_goes(sent_by_a, THEATER_CLOSED);
    while_b_goes(closed_by_a, THEATER_OK);
}

static void a_leaves_when_it_is_told(void *user, theater_status_t status,
                                     theater_channel_id_t id)
{
    (void)user;
    (void)id;
    here.status = status;
    leave(here.a);
    here.a = NULL;
}

static void what_was_sent_to_an_opener_that_goes_is_a_dead_letter(void **state)
{
    (void)state;
    begin(NULL, NULL);
    assert_status(theater_channel_open_start(here.a, text("b"), text("?"), 100,
                                             a_leaves_when_it_is_told, NULL,
                                             NULL),
                  THEATER_PENDING);
    const theater_message_t *m =
        take(here.b, THEATER_MESSAGE_CHANNEL_OPEN, "?");
    assert_status(theater_channel_send(here.b, m->channel, text("early")),
                  THEATER_OK);
    assert_status(theater_channel_accept(here.b), THEATER_OK);
    theater_endpoint_done(here.b, THEATER_OK);
    assert_status(here.status, THEATER_OK);
    assert_int_equal(dead(&here.world, THEATER_CLOSED), 1);
    handle(here.b, THEATER_MESSAGE_CHANNEL_CLOSE, NULL);
    end();
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_name_that_goes_twice_while_it_is_asked_is_not_found),
        cmocka_unit_test(
            a_deadline_that_comes_before_the_mailbox_refuses_is_told_once),
        cmocka_unit_test(
            who_would_wait_for_one_that_goes_twice_does_not_find_it),
        cmocka_unit_test(
            a_wait_whose_deadline_comes_before_it_stands_in_line_ends_once),
        cmocka_unit_test(
            credit_that_comes_while_its_wait_times_out_is_told_once),
        cmocka_unit_test(who_needs_not_wait_for_credit_any_more_sends_at_once),
        cmocka_unit_test(
            a_channel_is_closed_from_the_moment_its_other_end_goes),
        cmocka_unit_test(what_was_sent_to_an_opener_that_goes_is_a_dead_letter),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
