/* SPDX-License-Identifier: Apache-2.0 */
/* All schedules, within a bound, of moments that no single thread can make: a
 * timer that stands in the wheel from a slot's earlier use, a deadline that
 * comes while it is overtaken, walks of a graph of waits that changes. */
#include "exhaustive_link.h"

/* --- A slot that is used again -------------------------------------------- */

enum use { NOT_AGAIN, AT_ONCE, LATER, CANCELLED };

static void reuse_prepare(void *world)
{
    (void)world;
    open_router();
    th_interleave_set_now(SECOND);
    add(0, "a", 0);
    TH_CHECK(theater_router_request_start(router, NULL, text("a"), text("?"),
                                          10, on_done, &rows[1],
                                          &request) == THEATER_PENDING);
}

/* A request ends, and a timed send takes its slot, while the wheel calls the
 * request's timer: of a time that the clock has not reached yet. */
static void reuse_run(void *world, unsigned who)
{
    enum use use = *(enum use *)world;
    theater_timer_id_t timer;
    if (who == 0) {
        theater_router_advance(router, 2 * SECOND);
        return;
    }
    TH_CHECK(theater_router_cancel(router, request) == THEATER_OK);
    if (use == NOT_AGAIN) {
        return;
    }
    TH_CHECK(theater_router_send_after(router, ends[0], text("a"), text("!"),
                                       use == AT_ONCE ? 0 : 5000,
                                       &timer) == THEATER_OK);
    TH_CHECK((uint32_t)timer.value == (uint32_t)request.value);
    if (use == CANCELLED) {
        TH_CHECK(theater_router_cancel_send(ends[0], timer) == THEATER_OK);
    }
}

static void reuse_check(void *world)
{
    enum use use = *(enum use *)world;
    TH_CHECK(rows[1].calls == 1 && rows[1].told == THEATER_CANCELLED);
    TH_CHECK(use == AT_ONCE ||
             th_timers_armed(router->timers) == (use == LATER ? 1 : 0));
    th_interleave_set_now(4 * SECOND);
    theater_router_advance(router, 4 * SECOND);
    receive_all(0);
    TH_CHECK(rows[0].received == (use == AT_ONCE ? 1 : 0));
    th_interleave_set_now(7 * SECOND);
    theater_router_advance(router, 7 * SECOND);
    receive_all(0);
    TH_CHECK(rows[0].received == (use == AT_ONCE || use == LATER ? 1 : 0));
    TH_CHECK(th_timers_armed(router->timers) == 0);
    close_router();
}

static void a_timer_of_a_slots_earlier_use_ends_no_later_one(void **state)
{
    static enum use not_again = NOT_AGAIN, at_once = AT_ONCE, later = LATER,
                    cancelled = CANCELLED;
    (void)state;
    explore("slot: a request is cancelled, its timer is called early", 2,
            all_or(2), reuse_prepare, reuse_run, reuse_check, &not_again);
    explore("slot: a timed send of now, the timer of a request before it", 2,
            all_or(2), reuse_prepare, reuse_run, reuse_check, &at_once);
    explore("slot: a timed send of later, the timer of a request before it", 2,
            all_or(2), reuse_prepare, reuse_run, reuse_check, &later);
    explore("slot: a timed send is cancelled, the timer is called", 2,
            all_or(2), reuse_prepare, reuse_run, reuse_check, &cancelled);
}

/* --- Who waits for room --------------------------------------------------- */

static void full_prepare(void *world)
{
    (void)world;
    open_router();
    th_interleave_set_now(SECOND);
    add_with(0, "s", 0, THEATER_REFUSE, true);
    add_with(1, "q", 1, THEATER_REFUSE, false);
    add_with(2, "r", 1, THEATER_REFUSE, false);
    TH_CHECK(theater_router_send(router, NULL, text("r"), text("1")) ==
             THEATER_OK);
    TH_CHECK(theater_router_send(router, NULL, text("q"), text("1")) ==
             THEATER_OK);
    TH_CHECK(theater_router_send_start(router, ends[0], text("r"), text("2"),
                                       10, on_done, &rows[0],
                                       NULL) == THEATER_PENDING);
}

static void due_run(void *world, unsigned who)
{
    (void)world;
    if (who == 0) {
        th_interleave_set_now(2 * SECOND);
        theater_router_advance(router, 2 * SECOND);
        return;
    }
    receive(2);
    receive(2);
}

static void due_check(void *world)
{
    (void)world;
    receive_all(2);
    TH_CHECK(rows[0].calls == 1);
    outcomes[rows[0].told]++;
    TH_CHECK(rows[2].received == (rows[0].told == THEATER_OK ? 2 : 1));
    TH_CHECK(th_box_count(atomic_load_explicit(&ends[2]->box.bounded,
                                               memory_order_relaxed)) == 0);
    close_router();
}

static void places_run(void *world, unsigned who)
{
    (void)world;
    if (who == 0) {
        rows[1].status[0] =
            theater_router_send_start(router, ends[0], text("q"), text("3"),
                                      1000, on_done, &rows[1], NULL);
        return;
    }
    receive(2);
    receive(2);
}

static void places_check(void *world)
{
    (void)world;
    receive_all(2);
    TH_CHECK(rows[0].calls == 1 && rows[0].told == THEATER_OK);
    receive_all(1);
    TH_CHECK(rows[1].calls == 1 && rows[1].told == THEATER_OK);
    TH_CHECK((uint16_t)atomic_load_explicit(&ends[0]->places,
                                            memory_order_relaxed) == 0);
    close_router();
}

static void a_wait_for_room_ends_once_and_gives_its_place_back(void **state)
{
    (void)state;
    memset(outcomes, 0, sizeof outcomes);
    explore("space: its deadline comes while it is let in", 2, all_or(2),
            full_prepare, due_run, due_check, NULL);
    assert_true(outcomes[THEATER_OK] > 0 && outcomes[THEATER_MAILBOX_FULL] > 0);
    explore("space: it waits elsewhere while its place is given back", 2,
            all_or(1), full_prepare, places_run, places_check, NULL);
}

/* --- A full mailbox that goes --------------------------------------------- */

static void oldest_prepare(void *world)
{
    (void)world;
    open_router();
    add(0, "s", 0);
    add_with(2, "r", 1, THEATER_DROP_OLDEST, false);
    TH_CHECK(theater_router_send(router, NULL, text("r"), text("1")) ==
             THEATER_OK);
}

static void oldest_run(void *world, unsigned who)
{
    (void)world;
    if (who == 0) {
        rows[0].status[0] =
            theater_router_send(router, ends[0], text("r"), text("2"));
        return;
    }
    leave(2);
}

static void oldest_check(void *world)
{
    (void)world;
    outcomes[rows[0].status[0]]++;
    /* Full: all was taken out, and its room not given back yet. */
    TH_CHECK(rows[0].status[0] == THEATER_OK ||
             rows[0].status[0] == THEATER_NOT_FOUND ||
             rows[0].status[0] == THEATER_MAILBOX_FULL);
    close_router();
}

static void what_drops_for_a_newcomer_may_go_at_that_moment(void **state)
{
    (void)state;
    memset(outcomes, 0, sizeof outcomes);
    /* All of its schedules are more than two million. */
    explore("drop-oldest: one sends to it when full, it ends", 2,
            deep() ? 3 : 2, oldest_prepare, oldest_run, oldest_check, NULL);
    assert_true(outcomes[THEATER_OK] > 0 && outcomes[THEATER_NOT_FOUND] > 0);
}

/* --- Shutdown ------------------------------------------------------------- */

static void drain_prepare(void *world)
{
    (void)world;
    open_router();
    add(0, "s", 0);
}

static void drain_run(void *world, unsigned who)
{
    (void)world;
    (void)who;
    theater_router_drain(router);
}

static void drain_check(void *world)
{
    (void)world;
    TH_CHECK(theater_router_send(router, NULL, text("s"), text("1")) ==
             THEATER_SHUTTING_DOWN);
    close_router();
}

static void two_may_drain_at_once(void **state)
{
    (void)state;
    explore_all("shutdown: two drain", 2, drain_prepare, drain_run, drain_check,
                NULL);
}

/* --- Who waits for whom --------------------------------------------------- */

enum change { GOES, IS_CANCELLED, ASKS_AGAIN };

static theater_status_t ask(unsigned who, const char *whom,
                            theater_request_id_t *out)
{
    return theater_router_request_start(router, ends[who], text(whom),
                                        text("?"), 1000, on_done, &rows[who],
                                        out);
}

/* b waits for c; and c for a, where it is to ask again. */
static void walk_prepare(void *world)
{
    open_router();
    th_interleave_set_now(SECOND);
    add_with(0, "a", 0, THEATER_REFUSE, true);
    add_with(1, "b", 0, THEATER_REFUSE, true);
    add_with(2, "c", 0, THEATER_REFUSE, true);
    TH_CHECK(ask(1, "c", &request) == THEATER_PENDING);
    if (*(enum change *)world == ASKS_AGAIN) {
        TH_CHECK(ask(2, "a", &request) == THEATER_PENDING);
    }
}

static void walk_run(void *world, unsigned who)
{
    if (who == 0) {
        rows[0].status[0] = ask(0, "b", NULL);
        return;
    }
    switch (*(enum change *)world) {
    case GOES:
        leave(2);
        break;
    case IS_CANCELLED:
        TH_CHECK(theater_router_cancel(router, request) == THEATER_OK);
        break;
    case ASKS_AGAIN:
        TH_CHECK(theater_router_cancel(router, request) == THEATER_OK);
        rows[2].status[0] = ask(2, "a", NULL);
        break;
    }
}

static void walk_check(void *world)
{
    theater_status_t a = rows[0].status[0], c = rows[2].status[0];
    TH_CHECK(a == THEATER_PENDING || a == THEATER_DEADLOCK);
    outcomes[a]++;
    if (*(enum change *)world != ASKS_AGAIN) {
        TH_CHECK(a == THEATER_PENDING); /* there was no cycle */
    } else {
        TH_CHECK(a == THEATER_DEADLOCK || c == THEATER_DEADLOCK);
        TH_CHECK(c == THEATER_PENDING || c == THEATER_DEADLOCK);
    }
    close_router();
}

static void a_walk_of_waits_that_change_alarms_for_a_cycle_alone(void **state)
{
    static enum change goes = GOES, cancelled = IS_CANCELLED,
                       again = ASKS_AGAIN;
    (void)state;
    explore("deadlock: the end of the chain goes while it is walked", 2,
            all_or(1), walk_prepare, walk_run, walk_check, &goes);
    explore("deadlock: a wait ends while it is walked", 2, all_or(2),
            walk_prepare, walk_run, walk_check, &cancelled);
    memset(outcomes, 0, sizeof outcomes);
    explore("deadlock: a wait is another when it is walked again", 2, all_or(2),
            walk_prepare, walk_run, walk_check, &again);
    assert_true(outcomes[THEATER_PENDING] > 0 &&
                outcomes[THEATER_DEADLOCK] > 0);
}

/* --- An open that ends ---------------------------------------------------- */

static void offer_prepare(void *world)
{
    const theater_message_t *message = NULL;
    (void)world;
    open_router();
    th_interleave_set_now(SECOND);
    add(0, "a", 0);
    add(1, "b", 0);
    TH_CHECK(theater_channel_open_start(ends[0], text("b"), text("?"), 10,
                                        told_opened, &rows[0],
                                        NULL) == THEATER_PENDING);
    TH_CHECK(theater_endpoint_receive(ends[1], &message) == THEATER_OK);
    th_interleave_set_now(2 * SECOND);
}

/* Its deadline comes while it is accepted, if at all, and the opener goes. */
static void offer_run(void *world, unsigned who)
{
    if (who == 0) {
        theater_router_advance(router, 2 * SECOND);
        return;
    }
    if (*(bool *)world) {
        rows[1].status[0] = theater_channel_accept(ends[1]);
    }
    leave(0);
}

static void offer_check(void *world)
{
    TH_CHECK(rows[0].calls == 1);
    outcomes[rows[0].told]++;
    if (*(bool *)world) {
        TH_CHECK((rows[1].status[0] == THEATER_OK) ==
                 (rows[0].told == THEATER_OK));
    }
    theater_endpoint_done(ends[1], THEATER_OK);
    receive_all(1);
    close_router();
}

static void an_open_ends_once_whoever_comes_first(void **state)
{
    static bool accepts = true, does_not = false;
    (void)state;
    memset(outcomes, 0, sizeof outcomes);
    explore("channel: an open is due, its opener goes", 2, all_or(2),
            offer_prepare, offer_run, offer_check, &does_not);
    explore("channel: an open is due and accepted, its opener goes", 2,
            all_or(2), offer_prepare, offer_run, offer_check, &accepts);
    assert_true(outcomes[THEATER_OK] > 0 && outcomes[THEATER_TIMEOUT] > 0 &&
                outcomes[THEATER_CANCELLED] > 0);
}

/* The opener guesses the id of what is not opened yet, and closes it. */
static theater_channel_id_t guessed;

static void guess_prepare(void *world)
{
    offer_prepare(world);
    guessed.value = ends[1]->current->id;
}

static void guess_run(void *world, unsigned who)
{
    (void)world;
    if (who == 0) {
        theater_router_advance(router, 2 * SECOND);
    } else if (who == 1) {
        rows[1].status[0] = theater_channel_accept(ends[1]);
    } else {
        rows[2].status[0] = theater_channel_close(ends[0], guessed, THEATER_OK);
    }
}

static void guess_check(void *world)
{
    uint64_t slot[2];
    (void)world;
    TH_CHECK(rows[0].calls == 1);
    outcomes[rows[2].status[0]]++;
    theater_endpoint_done(ends[1], THEATER_OK);
    receive_all(0);
    receive_all(1);
    for (unsigned i = 0; i < 2; i++) {
        const theater_message_t *message = NULL;
        TH_CHECK(theater_channel_open_start(ends[0], text("b"), text("?"), 10,
                                            told_opened, &rows[0],
                                            NULL) == THEATER_PENDING);
        TH_CHECK(theater_endpoint_receive(ends[1], &message) == THEATER_OK);
        slot[i] = (uint32_t)message->channel.value;
        TH_CHECK(theater_channel_accept(ends[1]) == THEATER_OK);
        theater_endpoint_done(ends[1], THEATER_OK);
    }
    TH_CHECK(slot[0] != slot[1]); /* it was given back once */
    close_router();
}

static void a_guessed_close_ends_an_open_once(void **state)
{
    (void)state;
    memset(outcomes, 0, sizeof outcomes);
    explore("channel: an open is due, accepted, closed by a guess", 3,
            deep_as(2) ? 3 : 2, guess_prepare, guess_run, guess_check, NULL);
    assert_true(outcomes[THEATER_OK] > 0 &&
                outcomes[THEATER_INVALID_ARGUMENT] > 0);
}

/* Whoever ends the opening stands still while the channel ends otherwise and
 * its slot is used again: the later channel is whole. */

static void expect_whole(unsigned from, unsigned to)
{
    const theater_message_t *message = NULL;
    TH_CHECK(theater_endpoint_receive(ends[to], &message) == THEATER_OK);
    TH_CHECK(message->kind == THEATER_MESSAGE_CHANNEL_OPEN);
    theater_channel_id_t id = message->channel;
    TH_CHECK(theater_channel_accept(ends[to]) == THEATER_OK);
    theater_endpoint_done(ends[to], THEATER_OK);
    TH_CHECK(theater_channel_send(ends[to], id, text("x")) == THEATER_OK);
    TH_CHECK(theater_channel_send(ends[from], id, text("x")) == THEATER_OK);
    rows[to].received = rows[from].received = 0;
    rows[to].closes = rows[from].closes = 0;
    receive_all(to);
    receive_all(from);
    TH_CHECK(rows[to].received == 1 && rows[to].closes == 0);
    TH_CHECK(rows[from].received == 1 && rows[from].closes == 0);
}

static void refuse_prepare(void *world)
{
    offer_prepare(world);
    add(2, "c", 0);
}

static void refuse_run(void *world, unsigned who)
{
    (void)world;
    if (who == 0) {
        leave(0);
        return;
    }
    rows[1].status[0] = theater_channel_reject(ends[1]);
    theater_endpoint_done(ends[1], THEATER_OK);
    rows[1].status[1] = theater_channel_open_start(
        ends[1], text("c"), text("?"), 10000, told_opened, &rows[2], NULL);
}

static void refuse_check(void *world)
{
    (void)world;
    TH_CHECK(rows[0].calls == 1);
    TH_CHECK(rows[1].status[0] == THEATER_OK);
    TH_CHECK(rows[1].status[1] == THEATER_PENDING);
    expect_whole(1, 2);
    close_router();
}

static void late_run(void *world, unsigned who)
{
    (void)world;
    if (who == 0) {
        theater_router_advance(router, 2 * SECOND);
        return;
    }
    rows[1].status[0] = theater_channel_accept(ends[1]);
    theater_endpoint_done(ends[1], THEATER_OK);
    receive_all(1);
    receive_all(0);
    rows[1].status[1] = theater_channel_open_start(
        ends[1], text("c"), text("?"), 10000, told_opened, &rows[2], NULL);
}

static void late_check(void *world)
{
    (void)world;
    TH_CHECK(rows[0].calls == 1 && rows[1].status[1] == THEATER_PENDING);
    outcomes[rows[0].told]++;
    /* Who was not told of a channel is not told that it is closed. */
    TH_CHECK(rows[0].closes == 0);
    TH_CHECK(rows[1].closes == (rows[0].told == THEATER_OK ? 0 : 1));
    expect_whole(1, 2);
    close_router();
}

static void who_ends_an_open_late_ends_no_later_channel(void **state)
{
    (void)state;
    explore("channel: an open is refused, its opener goes, a later one", 2,
            all_or(2), refuse_prepare, refuse_run, refuse_check, NULL);
    memset(outcomes, 0, sizeof outcomes);
    explore("channel: an open is due and accepted, a later one", 2, all_or(2),
            refuse_prepare, late_run, late_check, NULL);
    assert_true(outcomes[THEATER_OK] > 0 && outcomes[THEATER_TIMEOUT] > 0);
}

/* --- A link --------------------------------------------------------------- */

static void link_prepare(void *world)
{
    (void)world;
    open_router();
    th_interleave_set_now(SECOND);
    TH_CHECK(theater_router_add_link(router, &link_ops, NULL) == THEATER_OK);
    TH_CHECK(theater_router_request_start(router, NULL, text("far"), text("?"),
                                          10, on_done, &rows[0],
                                          NULL) == THEATER_PENDING);
    th_interleave_set_now(2 * SECOND);
}

static void link_run(void *world, unsigned who)
{
    (void)world;
    if (who == 0) {
        theater_router_advance(router, 2 * SECOND);
        return;
    }
    rows[1].status[0] =
        theater_link_answer(router, request, THEATER_OK, text("!"));
}

static void link_check(void *world)
{
    (void)world;
    TH_CHECK(rows[0].calls == 1);
    outcomes[rows[0].told]++;
    TH_CHECK(rows[1].status[0] ==
             (rows[0].told == THEATER_OK ? THEATER_OK : THEATER_CLOSED));
    close_router();
}

static void a_request_over_a_link_is_answered_or_due(void **state)
{
    (void)state;
    memset(outcomes, 0, sizeof outcomes);
    explore_all("link: answered and due at once", 2, link_prepare, link_run,
                link_check, NULL);
    assert_true(outcomes[THEATER_OK] > 0 && outcomes[THEATER_TIMEOUT] > 0);
}

/* --- What one sends after what it waits with ------------------------------ */

static char heard[8]; /* the first byte of each message that was received */
static size_t heard_len;

static bool receive_next(void)
{
    const theater_message_t *message = NULL;
    if (theater_endpoint_receive(ends[2], &message) != THEATER_OK) {
        return false;
    }
    TH_CHECK(heard_len < sizeof heard);
    heard[heard_len++] = (char)message->data.data[0];
    return true;
}

static bool hear(void)
{
    bool heard_one = receive_next();
    if (heard_one) {
        theater_endpoint_done(ends[2], THEATER_OK);
    }
    return heard_one;
}

/* Data of a channel, which is never dropped, stood before what fills the ring,
 * so "x" waits. It is let in with the next message that is taken. */
static void order_prepare(void *world)
{
    const theater_message_t *message = NULL;
    static struct row opened;
    (void)world;
    heard_len = 0;
    open_router();
    add(0, "s", 0);
    add(1, "c", 0);
    add_with(2, "r", 4, THEATER_DROP_OLDEST, false);
    TH_CHECK(theater_channel_open_start(ends[2], text("c"), text("?"), 10,
                                        told_opened, &opened,
                                        NULL) == THEATER_PENDING);
    TH_CHECK(theater_endpoint_receive(ends[1], &message) == THEATER_OK);
    theater_channel_id_t id = message->channel;
    TH_CHECK(theater_channel_accept(ends[1]) == THEATER_OK);
    theater_endpoint_done(ends[1], THEATER_OK);
    TH_CHECK(theater_channel_send(ends[1], id, text("data")) == THEATER_OK);
    for (unsigned i = 0; i < 4; i++) {
        TH_CHECK(theater_router_send(router, NULL, text("r"), text("early")) ==
                 THEATER_OK);
    }
    TH_CHECK(theater_router_send_start(router, ends[1], text("r"), text("x"),
                                       1000, on_done, &rows[1],
                                       NULL) == THEATER_PENDING);
    TH_CHECK(hear() && hear() && rows[1].calls == 0);
}

/* "a" waits behind "x", or gets in; "b" comes after it. The owner takes the
 * mark of those who wait off when it has let "x" in, and looks again. */
static void order_run(void *world, unsigned who)
{
    (void)world;
    if (who == 1) {
        TH_CHECK(receive_next());
        return;
    }
    rows[0].status[0] = theater_router_send_start(
        router, ends[0], text("r"), text("a"), 1000, on_done, &rows[0], NULL);
    if (rows[0].status[0] == THEATER_PENDING) {
        rows[0].status[1] =
            theater_router_send(router, ends[0], text("r"), text("b"));
    }
}

static void order_check(void *world)
{
    (void)world;
    theater_endpoint_done(ends[2], THEATER_OK);
    while (hear()) {
    }
    const char *a = memchr(heard, 'a', heard_len);
    const char *b = memchr(heard, 'b', heard_len);
    TH_CHECK(a == NULL || b == NULL || a < b);
    outcomes[rows[0].status[0]]++;
    close_router();
}

static void
what_a_sender_sends_after_one_that_waits_does_not_pass_it(void **state)
{
    (void)state;
    memset(outcomes, 0, sizeof outcomes);
    explore("order: one waits at a ring and sends on, one receives", 2,
            deep_as(2) ? 3 : 2, order_prepare, order_run, order_check, NULL);
    assert_true(outcomes[THEATER_OK] > 0 && outcomes[THEATER_PENDING] > 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_timer_of_a_slots_earlier_use_ends_no_later_one),
        cmocka_unit_test(a_wait_for_room_ends_once_and_gives_its_place_back),
        cmocka_unit_test(what_drops_for_a_newcomer_may_go_at_that_moment),
        cmocka_unit_test(two_may_drain_at_once),
        cmocka_unit_test(
            what_a_sender_sends_after_one_that_waits_does_not_pass_it),
        cmocka_unit_test(a_walk_of_waits_that_change_alarms_for_a_cycle_alone),
        cmocka_unit_test(an_open_ends_once_whoever_comes_first),
        cmocka_unit_test(a_guessed_close_ends_an_open_once),
        cmocka_unit_test(who_ends_an_open_late_ends_no_later_channel),
        cmocka_unit_test(a_request_over_a_link_is_answered_or_due),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
