/* SPDX-License-Identifier: Apache-2.0 */
/* All schedules of small cases of the message server: names that come and go,
 * messages to one that receives or ends, requests that end in three ways at
 * once, who waits for space, a channel that both ends close. */
#include "exhaustive_world.h"

#include <stdio.h>

/* --- Names ---------------------------------------------------------------- */

/* Names of the case: `goes` stands before `abides` in a chain; its slot is then
 * that of `comes`, in the same chain or in another. */
static char goes[8], abides[8], comes[8];

static uint32_t bucket_of(const char *name)
{
    return (uint32_t)th_siphash128(name, strlen(name), router->hash_key).hi &
           router->bucket_mask;
}

/* The next name after n`from` that is in that bucket, or is not. */
static unsigned choose_name(char out[static 8], unsigned from, uint32_t bucket,
                            bool in)
{
    do {
        snprintf(out, 8, "n%u", ++from);
    } while ((bucket_of(out) == bucket) != in);
    return from;
}

static void names_prepare(void *world)
{
    bool same = *(bool *)world;
    open_router();
    snprintf(abides, sizeof abides, "n0");
    unsigned at = choose_name(goes, 0, bucket_of(abides), true);
    choose_name(comes, at, bucket_of(abides), same);
    add(1, abides, 0);
    add(0, goes, 0);
}

static void find(const char *name, unsigned generation, bool must)
{
    uint16_t found_generation = 0;
    theater_endpoint_t *found =
        th_names_find(router, text(name), &found_generation);
    TH_CHECK(found == NULL || found_generation == generation);
    TH_CHECK(found != NULL || !must);
}

/* One name goes and another comes in its slot; one stays, and is always
 * found; who is found is never another. */
static void names_run(void *world, unsigned who)
{
    (void)world;
    if (who == 0) {
        leave(0);
        add(0, comes, 0);
        return;
    }
    find(abides, 1, true);
    find(who == 1 ? goes : comes, who, false);
}

static void names_check(void *world)
{
    (void)world;
    TH_CHECK(theater_router_has(router, comes, strlen(comes)) &&
             !theater_router_has(router, goes, strlen(goes)));
    close_router();
}

static void a_name_that_stays_is_found_while_another_changes(void **state)
{
    static bool same = true, other = false;
    (void)state;
    explore_all("registry: a slot's name changes in its chain, one looks", 2,
                names_prepare, names_run, names_check, &same);
    explore_all("registry: a slot goes to another chain, one looks", 2,
                names_prepare, names_run, names_check, &other);
    explore("registry: a slot goes to another chain, two look", 3, all_or(1),
            names_prepare, names_run, names_check, &other);
}

static void twins_prepare(void *world)
{
    (void)world;
    open_router();
}

static void twins_run(void *world, unsigned who)
{
    (void)world;
    rows[who].status[0] =
        theater_router_register(router, "twin", 4, NULL, &ends[who]);
}

static void twins_check(void *world)
{
    unsigned taken = 0;
    (void)world;
    for (unsigned i = 0; i < 2; i++) {
        taken += rows[i].status[0] == THEATER_OK;
        TH_CHECK(rows[i].status[0] == THEATER_OK ||
                 rows[i].status[0] == THEATER_ALREADY_EXISTS);
    }
    TH_CHECK(taken == 1);
    close_router();
}

static void of_two_that_want_a_name_one_gets_it(void **state)
{
    (void)state;
    explore("registry: two register one name", 2, all_or(2), twins_prepare,
            twins_run, twins_check, NULL);
}

/* --- Messages ------------------------------------------------------------ */

static void one_way_prepare(void *world)
{
    (void)world;
    open_router();
    add(0, "s0", 0);
    add(1, "s1", 0);
    add(2, "r", 1);
}

static void one_way_run(void *world, unsigned who)
{
    bool ends_it = *(bool *)world;
    if (who == 2) {
        receive_if_woken(2);
        if (ends_it) {
            leave(2);
        }
        return;
    }
    rows[who].status[0] =
        theater_router_send(router, ends[who], text("r"), text("m"));
    outcomes[rows[who].status[0]]++;
}

static void one_way_check(void *world)
{
    unsigned accepted = 0;
    (void)world;
    accepted += rows[0].status[0] == THEATER_OK;
    accepted += rows[1].status[0] == THEATER_OK;
    if (ends[2] != NULL) {
        receive_while_woken(2);
        TH_CHECK(rows[2].received == accepted);
    }
    close_router();
}

static void what_two_send_to_one_that_receives_or_ends_is_kept(void **state)
{
    static bool stays = false, ends_it = true;
    (void)state;
    memset(outcomes, 0, sizeof outcomes);
    explore_all("mailbox: two send to one place, one receives", 3,
                one_way_prepare, one_way_run, one_way_check, &stays);
    /* All of these are too many even for the torture. */
    explore("mailbox: two send to one place, one receives and ends", 3,
            deep() ? 2 : 1, one_way_prepare, one_way_run, one_way_check,
            &ends_it);
    assert_true(outcomes[THEATER_OK] > 0 && outcomes[THEATER_NOT_FOUND] > 0 &&
                outcomes[THEATER_MAILBOX_FULL] > 0);
}

/* --- Requests ------------------------------------------------------------ */

static void request_prepare(void *world)
{
    const theater_message_t *message = NULL;
    open_router();
    add(0, "client", 0);
    add(2, "server", 0);
    th_interleave_set_now(1000000000);
    TH_CHECK(theater_router_request_start(router, ends[0], text("server"),
                                          text("?"), 10, on_done, &rows[0],
                                          &request) == THEATER_PENDING);
    TH_CHECK(theater_endpoint_receive(ends[2], &message) == THEATER_OK);
    TH_CHECK(theater_endpoint_defer(ends[2], &request) == THEATER_OK);
    theater_endpoint_done(ends[2], THEATER_OK);
    if (*(bool *)world) {
        th_interleave_set_now(2000000000);
    }
}

/* It is answered, its deadline comes, it is cancelled: all at once. */
static void request_run(void *world, unsigned who)
{
    (void)world;
    switch (who) {
    case 0:
        rows[0].status[0] =
            theater_endpoint_respond(ends[2], request, text("!"));
        break;
    case 1:
        theater_router_advance(router, 2000000000);
        break;
    default:
        rows[2].status[0] = theater_router_cancel(router, request);
        break;
    }
}

static void request_check(void *world)
{
    (void)world;
    TH_CHECK(rows[0].calls == 1);
    outcomes[rows[0].told]++;
    TH_CHECK((rows[0].told == THEATER_OK) == (rows[0].status[0] == THEATER_OK));
    TH_CHECK((rows[0].told == THEATER_CANCELLED) ==
             (rows[2].status[0] == THEATER_OK));
    close_router();
}

static void a_request_ends_once_of_three_ends_at_once(void **state)
{
    static bool due = true, early = false;
    (void)state;
    memset(outcomes, 0, sizeof outcomes);
    explore_all("request: answered, due and cancelled at once", 3,
                request_prepare, request_run, request_check, &due);
    assert_true(outcomes[THEATER_OK] > 0 && outcomes[THEATER_CANCELLED] > 0 &&
                outcomes[THEATER_TIMEOUT] > 0);
    memset(outcomes, 0, sizeof outcomes);
    explore_all("request: answered, cancelled, its timer called early", 3,
                request_prepare, request_run, request_check, &early);
    assert_int_equal(outcomes[THEATER_TIMEOUT], 0);
}

/* --- Space ---------------------------------------------------------------- */

static void space_prepare(void *world)
{
    (void)world;
    open_router();
    add(0, "s0", 0);
    add(1, "s1", 0);
    add(2, "r", 1);
    TH_CHECK(theater_router_send(router, NULL, text("r"), text("first")) ==
             THEATER_OK);
}

static void space_run(void *world, unsigned who)
{
    bool ends_it = *(bool *)world;
    if (who == 1) {
        receive_if_woken(2);
        if (ends_it) {
            leave(2);
        }
        return;
    }
    rows[0].status[0] = theater_router_send_start(
        router, ends[0], text("r"), text("m"), 1000, on_done, &rows[0], NULL);
}

static void space_check(void *world)
{
    theater_status_t status = rows[0].status[0];
    bool ends_it = *(bool *)world;
    if (!ends_it) {
        receive_while_woken(2);
        TH_CHECK(rows[2].received == 2);
    }
    if (status == THEATER_PENDING) {
        TH_CHECK(rows[0].calls == 1);
        status = rows[0].told;
    }
    outcomes[status]++;
    TH_CHECK(
        status == THEATER_OK ||
        (ends_it && (status == THEATER_CLOSED || status == THEATER_NOT_FOUND)));
    close_router();
}

/* Thread 2 joins the line while the first one is let in. */
static void line_run(void *world, unsigned who)
{
    if (who == 1) {
        space_run(world, 1);
        return;
    }
    unsigned end = who == 0 ? 0 : 1;
    rows[end].status[0] =
        theater_router_send_start(router, ends[end], text("r"), text("m"), 1000,
                                  on_done, &rows[end], NULL);
}

static void line_check(void *world)
{
    (void)world;
    receive_while_woken(2);
    for (unsigned i = 0; i < 2; i++) {
        theater_status_t status = rows[i].status[0];
        TH_CHECK(status == THEATER_OK ||
                 (status == THEATER_PENDING && rows[i].calls == 1 &&
                  rows[i].told == THEATER_OK));
    }
    TH_CHECK(rows[2].received == 3);
    close_router();
}

static void who_waits_for_space_is_let_in_or_told(void **state)
{
    static bool stays = false, ends_it = true;
    (void)state;
    memset(outcomes, 0, sizeof outcomes);
    explore_all("space: one waits, one receives", 2, space_prepare, space_run,
                space_check, &stays);
    explore("space: one waits, one receives and ends", 2, all_or(2),
            space_prepare, space_run, space_check, &ends_it);
    explore("space: two wait, one receives", 3, deep() ? 2 : 1, space_prepare,
            line_run, line_check, &stays);
    assert_true(outcomes[THEATER_OK] > 0 && outcomes[THEATER_CLOSED] > 0 &&
                outcomes[THEATER_NOT_FOUND] > 0);
}

/* --- Channels ------------------------------------------------------------ */

static theater_channel_id_t channel[2];

static void on_opened(void *user, theater_status_t status,
                      theater_channel_id_t id)
{
    (void)user;
    TH_CHECK(status == THEATER_OK);
    channel[0] = id;
}

static void channel_prepare(void *world)
{
    const theater_message_t *message = NULL;
    (void)world;
    open_router();
    add(0, "left", 0);
    add(1, "right", 0);
    TH_CHECK(theater_channel_open_start(ends[0], text("right"), text("?"), 10,
                                        on_opened, NULL,
                                        NULL) == THEATER_PENDING);
    TH_CHECK(theater_endpoint_receive(ends[1], &message) == THEATER_OK);
    channel[1] = message->channel;
    TH_CHECK(theater_channel_accept(ends[1]) == THEATER_OK);
    theater_endpoint_done(ends[1], THEATER_OK);
}

/* Both send and close at once. */
static void channel_run(void *world, unsigned who)
{
    (void)world;
    rows[who].status[0] =
        theater_channel_send(ends[who], channel[who], text("data"));
    rows[who].status[1] =
        theater_channel_close(ends[who], channel[who], THEATER_OK);
    receive(who);
}

static void channel_check(void *world)
{
    (void)world;
    for (unsigned i = 0; i < 2; i++) {
        receive_all(i);
        TH_CHECK(rows[i].status[0] == THEATER_OK ||
                 rows[i].status[0] == THEATER_CLOSED);
        TH_CHECK(rows[i].status[1] == THEATER_OK);
        TH_CHECK(rows[i].received == 0); /* it had closed its end */
        TH_CHECK(!theater_channel_is_open(ends[i], channel[i]));
    }
    close_router();
}

static void a_channel_may_be_closed_by_both_ends_at_once(void **state)
{
    (void)state;
    explore("channel: both send, close and receive", 2, all_or(2),
            channel_prepare, channel_run, channel_check, NULL);
}

/* The slot of a channel that is over is used for one the other way. */
static void stale_prepare(void *world)
{
    channel_prepare(world);
    TH_CHECK(theater_channel_close(ends[0], channel[0], THEATER_OK) ==
             THEATER_OK);
}

static void stale_run(void *world, unsigned who)
{
    (void)world;
    if (who == 0) {
        rows[0].status[0] =
            theater_channel_send(ends[0], channel[0], text("data"));
        return;
    }
    receive(1);
    rows[1].status[0] = theater_channel_open_start(
        ends[1], text("left"), text("?"), 10, on_opened, NULL, NULL);
}

static void stale_check(void *world)
{
    const theater_message_t *message = NULL;
    theater_channel_id_t old = channel[0];
    (void)world;
    TH_CHECK(rows[0].status[0] == THEATER_CLOSED);
    TH_CHECK(rows[1].closes == 1 && rows[1].status[0] == THEATER_PENDING);
    TH_CHECK(theater_endpoint_receive(ends[0], &message) == THEATER_OK);
    TH_CHECK((uint32_t)message->channel.value == (uint32_t)old.value);
    TH_CHECK(theater_channel_accept(ends[0]) == THEATER_OK);
    theater_endpoint_done(ends[0], THEATER_OK);
    close_router();
}

static void a_closed_channels_id_names_no_later_channel(void **state)
{
    (void)state;
    explore_all("channel: a stale id, its slot is used again", 2, stale_prepare,
                stale_run, stale_check, NULL);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_name_that_stays_is_found_while_another_changes),
        cmocka_unit_test(of_two_that_want_a_name_one_gets_it),
        cmocka_unit_test(what_two_send_to_one_that_receives_or_ends_is_kept),
        cmocka_unit_test(a_request_ends_once_of_three_ends_at_once),
        cmocka_unit_test(who_waits_for_space_is_let_in_or_told),
        cmocka_unit_test(a_channel_may_be_closed_by_both_ends_at_once),
        cmocka_unit_test(a_closed_channels_id_names_no_later_channel),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
