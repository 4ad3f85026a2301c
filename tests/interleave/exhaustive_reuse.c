/* SPDX-License-Identifier: Apache-2.0 */
/* All schedules, within a bound, of a look at a slot that is given to another
 * meanwhile, and of ids that are guesses: nobody is told of, or charged for,
 * what is another's. And of looks at what is counted meanwhile. */
#include "exhaustive_link.h"

static void add_waiting(unsigned who, const char *name)
{
    add_with(who, name, 0, THEATER_REFUSE, true);
}

static theater_status_t fill(const char *name)
{
    return theater_router_send(router, NULL, text(name), text("1"));
}

/* --- A mailbox with other bounds ------------------------------------------ */

/* Who sends knows the slot from before, or looks it up. */
enum knows { LOOKS_UP, REMEMBERS };

static void bounds_prepare(void *world)
{
    open_router();
    add(0, "s", 0);
    add(1, "x", 4);
    if (*(enum knows *)world == REMEMBERS) {
        TH_CHECK(theater_router_send(router, ends[0], text("x"), text("1")) ==
                 THEATER_OK);
    } else {
        TH_CHECK(fill("x") == THEATER_OK);
    }
}

/* "x" has room. Its slot's next user has none for a second message, drops what
 * comes when it is full, and takes no sends. */
static void bounds_run(void *world, unsigned who)
{
    (void)world;
    if (who == 0) {
        rows[0].status[0] =
            theater_router_send(router, ends[0], text("x"), text("2"));
        return;
    }
    theater_endpoint_options_t options = THEATER_ENDPOINT_OPTIONS_INIT;
    uint32_t slot = ends[1]->item.index;
    options.capacity = 1;
    options.on_full = THEATER_DROP_NEWEST;
    options.accepts = THEATER_ACCEPT_REQUESTS;
    leave(1);
    add_as(1, "y", &options);
    TH_CHECK(ends[1]->item.index == slot);
}

static void bounds_check(void *world)
{
    theater_counters_t c;
    (void)world;
    outcomes[rows[0].status[0]]++;
    TH_CHECK(rows[0].status[0] == THEATER_OK ||
             rows[0].status[0] == THEATER_NOT_FOUND);
    theater_router_counters(router, &c);
    TH_CHECK(c.dead[THEATER_MAILBOX_FULL] == 0);
    close_router();
}

static void full_and_unsupported_are_said_of_the_one_asked_for(void **state)
{
    static enum knows looks_up = LOOKS_UP, remembers = REMEMBERS;
    (void)state;
    memset(outcomes, 0, sizeof outcomes);
    explore("reuse: a send, its target's slot has a smaller user", 2, all_or(2),
            bounds_prepare, bounds_run, bounds_check, &looks_up);
    explore("reuse: a send by memory, its target's slot has a smaller user", 2,
            all_or(2), bounds_prepare, bounds_run, bounds_check, &remembers);
    assert_true(outcomes[THEATER_OK] > 0 && outcomes[THEATER_NOT_FOUND] > 0);
}

/* --- A place in a line ---------------------------------------------------- */

static void place_prepare(void *world)
{
    (void)world;
    open_router();
    th_interleave_set_now(SECOND);
    add_waiting(0, "s");
    add(1, "q", 1);
    add(2, "r", 1);
    TH_CHECK(fill("q") == THEATER_OK && fill("r") == THEATER_OK);
    TH_CHECK(theater_router_send_start(router, ends[0], text("r"), text("2"),
                                       10, on_done, &rows[0],
                                       NULL) == THEATER_PENDING);
}

static void place_run(void *world, unsigned who)
{
    (void)world;
    if (who == 0) {
        receive(2);
        receive(2);
        return;
    }
    leave(0);
    add_waiting(0, "t");
    TH_CHECK(theater_router_send_start(router, ends[0], text("q"), text("3"),
                                       1000, on_done, &rows[1],
                                       NULL) == THEATER_PENDING);
}

static void place_check(void *world)
{
    (void)world;
    TH_CHECK(rows[0].calls == 1);
    outcomes[rows[0].told]++;
    receive_all(2);
    /* relaxed, both: all have ended */
    TH_CHECK((uint16_t)atomic_load_explicit(&ends[0]->places,
                                            memory_order_relaxed) == 1);
    receive_all(1);
    TH_CHECK(rows[1].calls == 1 && rows[1].told == THEATER_OK);
    TH_CHECK((uint16_t)atomic_load_explicit(&ends[0]->places,
                                            memory_order_relaxed) == 0);
    close_router();
}

static void a_place_is_given_back_to_whom_it_was_taken_from(void **state)
{
    (void)state;
    memset(outcomes, 0, sizeof outcomes);
    explore("reuse: a place is passed, its taker's slot has another user", 2,
            all_or(2), place_prepare, place_run, place_check, NULL);
    assert_true(outcomes[THEATER_OK] > 0 && outcomes[THEATER_CANCELLED] > 0);
}

/* --- Who waits for whom --------------------------------------------------- */

static theater_wait_edge_t edge;
static uint64_t others;

static theater_status_t ask(unsigned who, const char *whom)
{
    return theater_router_request_start(router, ends[who], text(whom),
                                        text("?"), 1000, on_done, &rows[who],
                                        &request);
}

static void edge_prepare(void *world)
{
    (void)world;
    open_router();
    th_interleave_set_now(SECOND);
    add_waiting(0, "a");
    add(1, "c", 0);
    add(2, "d", 0);
    others = th_ref_of(ends[2]).value;
    TH_CHECK(ask(0, "c") == THEATER_PENDING);
}

/* The slot of "a" is taken by "b", and the one of its request by b's. */
static void edge_run(void *world, unsigned who)
{
    (void)world;
    if (who == 0) {
        memset(&edge, 0, sizeof edge);
        rows[1].status[0] = theater_router_waits(router, text("a"), &edge)
                                ? THEATER_OK
                                : THEATER_NOT_FOUND;
        return;
    }
    leave(0);
    add_waiting(0, "b");
    rows[0].calls = 0;
    TH_CHECK(ask(0, "d") == THEATER_PENDING);
}

static void edge_check(void *world)
{
    (void)world;
    outcomes[rows[1].status[0]]++;
    TH_CHECK(edge.target != others);
    close_router();
}

static void who_took_a_slot_waits_under_its_own_name(void **state)
{
    (void)state;
    memset(outcomes, 0, sizeof outcomes);
    explore("reuse: whom does one wait for, its slot has another user", 2,
            all_or(2), edge_prepare, edge_run, edge_check, NULL);
    assert_true(outcomes[THEATER_OK] > 0 && outcomes[THEATER_NOT_FOUND] > 0);
}

/* --- Links ---------------------------------------------------------------- */

static void link_prepare(void *world)
{
    (void)world;
    open_router();
    th_interleave_set_now(SECOND);
    add(0, "a", 0);
    TH_CHECK(theater_router_add_link(router, &link_ops, NULL) == THEATER_OK);
    TH_CHECK(theater_router_request_start(router, NULL, text("far"), text("?"),
                                          1000, on_done, &rows[0],
                                          NULL) == THEATER_PENDING);
}

/* The request is cancelled, and what takes its slot is no request. */
static void link_run(void *world, unsigned who)
{
    theater_timer_id_t timer;
    (void)world;
    if (who == 0) {
        rows[1].status[0] =
            theater_link_answer(router, request, THEATER_OK, text("!"));
        return;
    }
    rows[2].status[0] = theater_router_cancel(router, request);
    TH_CHECK(theater_router_send_after(router, ends[0], text("a"), text("!"),
                                       5000, &timer) == THEATER_OK);
}

static void link_check(void *world)
{
    (void)world;
    TH_CHECK(rows[0].calls == 1);
    outcomes[rows[1].status[0]]++;
    TH_CHECK(rows[1].status[0] ==
             (rows[0].told == THEATER_OK ? THEATER_OK : THEATER_CLOSED));
    close_router();
}

static void a_late_answer_of_a_link_is_late_whatever_took_the_slot(void **state)
{
    (void)state;
    memset(outcomes, 0, sizeof outcomes);
    explore("reuse: a link answers, the request's slot has another use", 2,
            all_or(2), link_prepare, link_run, link_check, NULL);
    assert_true(outcomes[THEATER_OK] > 0 && outcomes[THEATER_CLOSED] > 0);
}

/* --- Ids that are guesses ------------------------------------------------- */

enum kind { A_REQUEST, A_SPACE, A_TIMED, OVER_A_LINK, AN_OPEN };

static uint64_t next_id;

/* The next operation's id, as whoever counts along knows it. */
static void guess_prepare(void *world)
{
    (void)world;
    open_router();
    th_interleave_set_now(SECOND);
    TH_CHECK(theater_router_add_link(router, &link_ops, NULL) == THEATER_OK);
    add_waiting(0, "a");
    add(2, "a2", 0);
    add(1, "b", 1);
    TH_CHECK(fill("b") == THEATER_OK);
    TH_CHECK(theater_router_request_start(router, NULL, text("far"), text("?"),
                                          1000, on_done, &rows[2],
                                          NULL) == THEATER_PENDING);
    TH_CHECK(theater_router_cancel(router, request) == THEATER_OK);
    next_id = request.value + (UINT64_C(1) << 32);
}

static theater_status_t begin(enum kind kind)
{
    theater_timer_id_t timer;
    theater_request_id_t id;

    switch (kind) {
    case A_REQUEST:
        return theater_router_request_start(
            router, ends[0], text("a2"), text("?"), 10, on_done, &rows[0], &id);
    case A_SPACE:
        return theater_router_send_start(router, ends[0], text("b"), text("2"),
                                         10, on_done, &rows[0], &id);
    case A_TIMED:
        return theater_router_send_after(router, ends[0], text("b"), text("2"),
                                         10, &timer);
    case OVER_A_LINK:
        return theater_router_request_start(router, ends[0], text("far"),
                                            text("?"), 10, on_done, &rows[0],
                                            &id);
    case AN_OPEN:
        return theater_channel_open_start(ends[0], text("a2"), text("?"), 10,
                                          told_opened, &rows[0], &id);
    }
    return THEATER_INVALID_ARGUMENT;
}

static void guess_run(void *world, unsigned who)
{
    if (who == 0) {
        rows[0].status[0] = begin(*(enum kind *)world);
        return;
    }
    theater_request_id_t guess = {next_id};
    rows[1].status[0] = theater_router_cancel(router, guess);
    rows[1].status[1] =
        theater_link_answer(router, guess, THEATER_OK, text("!"));
}

static void guess_check(void *world)
{
    enum kind kind = *(enum kind *)world;
    theater_status_t cancel = rows[1].status[0];
    TH_CHECK(cancel == THEATER_OK || cancel == THEATER_INVALID_ARGUMENT);
    outcomes[cancel]++;
    TH_CHECK(rows[0].status[0] ==
             (kind == A_TIMED ? THEATER_OK : THEATER_PENDING));
    th_interleave_set_now(2 * SECOND);
    theater_router_advance(router, 2 * SECOND);
    TH_CHECK(rows[0].calls == (kind == A_TIMED ? 0 : 1));
    TH_CHECK(kind == A_TIMED ||
             (rows[0].told == THEATER_CANCELLED) == (cancel == THEATER_OK));
    close_router();
}

static void a_guessed_id_ends_nothing_whose_start_is_not_over(void **state)
{
    static const char *const names[] = {
        "guess: a request starts, its id is cancelled",
        "guess: a wait for room starts, its id is cancelled",
        "guess: a timed send starts, its id is cancelled",
        "guess: a request over a link starts, its id is cancelled",
        "guess: an open starts, its id is cancelled",
    };
    static enum kind kinds[] = {A_REQUEST, A_SPACE, A_TIMED, OVER_A_LINK,
                                AN_OPEN};
    (void)state;
    for (unsigned i = 0; i < sizeof kinds / sizeof kinds[0]; i++) {
        memset(outcomes, 0, sizeof outcomes);
        explore(names[i], 2, all_or(2), guess_prepare, guess_run, guess_check,
                &kinds[i]);
        assert_true(outcomes[THEATER_OK] > 0 &&
                    outcomes[THEATER_INVALID_ARGUMENT] > 0);
    }
}

/* --- A guess, and the deadline of whoever takes the slot ------------------ */

enum slot { USED, NEW };

static theater_status_t ask_far(unsigned who, uint32_t ms)
{
    return theater_router_request_start(router, NULL, text("far"), text("?"),
                                        ms, on_done, &rows[who], &request);
}

static void moved_prepare(void *world)
{
    open_router();
    th_interleave_set_now(SECOND);
    TH_CHECK(theater_router_add_link(router, &link_ops, NULL) == THEATER_OK);
    next_id = UINT64_C(1) << 32; /* slot 0, generation 1 */
    if (*(enum slot *)world == USED) {
        TH_CHECK(ask_far(2, 1000) == THEATER_PENDING);
        TH_CHECK(theater_router_cancel(router, request) == THEATER_OK);
        next_id += UINT64_C(1) << 32;
    }
}

/* 0 asks, for an hour. 1 answers that by a guess; if it was taken it asks, too,
 * in the same slot, for 10 ms. */
static void moved_run(void *world, unsigned who)
{
    (void)world;
    if (who == 0) {
        rows[0].status[0] = ask_far(0, 3600000);
        return;
    }
    theater_request_id_t guess = {next_id};
    rows[1].status[0] =
        theater_link_answer(router, guess, THEATER_OK, text("!"));
    if (rows[1].status[0] == THEATER_OK) {
        rows[1].status[1] = ask_far(1, 10);
    }
}

static void moved_check(void *world)
{
    outcomes[rows[1].status[0]]++;
    if (rows[1].status[0] == THEATER_OK) {
        TH_CHECK(rows[0].calls == 1 && rows[1].calls == 0);
        TH_CHECK(th_timers_armed(router->timers) == 1);
        if (*(enum slot *)world == NEW) { /* its timer is moved */
            theater_request_id_t second = {2 * next_id};
            TH_CHECK(theater_router_cancel(router, second) == THEATER_OK);
            TH_CHECK(ask_far(2, 1) == THEATER_PENDING);
        }
    }
    th_interleave_set_now(2 * SECOND);
    theater_router_advance(router, 2 * SECOND);
    TH_CHECK(rows[1].status[0] != THEATER_OK || rows[1].calls == 1);
    th_interleave_set_now(4000 * SECOND);
    theater_router_advance(router, 4000 * SECOND);
    close_router();
}

static void a_guess_moves_nobodys_deadline(void **state)
{
    static enum slot used = USED, fresh = NEW;
    (void)state;
    memset(outcomes, 0, sizeof outcomes);
    explore("guess: it is answered, its slot has another user", 2, all_or(2),
            moved_prepare, moved_run, moved_check, &used);
    explore("guess: it is answered, its slot was never used before", 2,
            all_or(2), moved_prepare, moved_run, moved_check, &fresh);
    assert_true(outcomes[THEATER_OK] > 0 && outcomes[THEATER_CLOSED] > 0);
}

/* --- What is told of others meanwhile ------------------------------------- */

static void since_prepare(void *world)
{
    (void)world;
    open_router();
    th_interleave_set_now(SECOND);
    add_waiting(0, "a");
    add(1, "b", 0);
    TH_CHECK(theater_router_request_start(router, NULL, text("b"), text("?"),
                                          1000, on_done, &rows[2],
                                          &request) == THEATER_PENDING);
    TH_CHECK(theater_router_cancel(router, request) == THEATER_OK);
    th_interleave_set_now(100 * SECOND);
}

static void since_run(void *world, unsigned who)
{
    (void)world;
    if (who == 0) {
        TH_CHECK(ask(0, "b") == THEATER_PENDING);
        return;
    }
    TH_CHECK(theater_router_waits(router, text("a"), &edge));
}

static void since_check(void *world)
{
    (void)world;
    outcomes[edge.target != 0 ? THEATER_OK : THEATER_NOT_FOUND]++;
    TH_CHECK(edge.target == 0 || edge.since_ns == 100 * SECOND);
    close_router();
}

static void who_has_just_begun_to_wait_waits_since_then(void **state)
{
    (void)state;
    memset(outcomes, 0, sizeof outcomes);
    explore("reuse: since when does one wait, whose wait begins", 2, all_or(2),
            since_prepare, since_run, since_check, NULL);
    assert_true(outcomes[THEATER_OK] > 0 && outcomes[THEATER_NOT_FOUND] > 0);
}

static theater_counters_t seen;

/* One request and one message are there all the time. */
static void count_prepare(void *world)
{
    (void)world;
    open_router();
    th_interleave_set_now(SECOND);
    TH_CHECK(theater_router_add_link(router, &link_ops, NULL) == THEATER_OK);
    add(0, "a", 0);
    add(1, "b", 0);
    TH_CHECK(fill("a") == THEATER_OK);
    TH_CHECK(ask_far(2, 1000) == THEATER_PENDING);
    next_id = request.value + 1; /* the next slot's first */
}

/* 0 begins another of each; 1 ends those. */
static void count_run(void *world, unsigned who)
{
    (void)world;
    if (who == 0) {
        TH_CHECK(ask_far(0, 1000) == THEATER_PENDING);
        TH_CHECK(fill("b") == THEATER_OK);
    } else if (who == 1) {
        theater_request_id_t guess = {next_id};
        rows[1].status[0] =
            theater_link_answer(router, guess, THEATER_OK, text("!"));
        receive(1);
    } else {
        theater_router_counters(router, &seen);
    }
}

static void count_check(void *world)
{
    (void)world;
    TH_CHECK(seen.pending > 0 && seen.queued > 0);
    th_interleave_set_now(4 * SECOND);
    theater_router_advance(router, 4 * SECOND);
    close_router();
}

static void what_is_there_all_the_time_is_never_missed_by_a_count(void **state)
{
    (void)state;
    if (!deep()) { /* 15 s: a count reads more than 1,000 words */
        print_message("  counters: left to `make torture`\n");
        return;
    }
    explore("counters: one is pending, another begins and ends", 3, 1,
            count_prepare, count_run, count_check, NULL);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(full_and_unsupported_are_said_of_the_one_asked_for),
        cmocka_unit_test(a_place_is_given_back_to_whom_it_was_taken_from),
        cmocka_unit_test(who_took_a_slot_waits_under_its_own_name),
        cmocka_unit_test(
            a_late_answer_of_a_link_is_late_whatever_took_the_slot),
        cmocka_unit_test(a_guessed_id_ends_nothing_whose_start_is_not_over),
        cmocka_unit_test(a_guess_moves_nobodys_deadline),
        cmocka_unit_test(who_has_just_begun_to_wait_waits_since_then),
        cmocka_unit_test(what_is_there_all_the_time_is_never_missed_by_a_count),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
