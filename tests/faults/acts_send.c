/* SPDX-License-Identifier: Apache-2.0 */
/* Scenarios: one-way messages, policies of full mailboxes, waits for space,
 * timed sends. */
#include "acts_router.h"

static theater_endpoint_t *join_small(struct act *act, theater_on_full_t policy,
                                      uint32_t capacity)
{
    theater_endpoint_options_t options = THEATER_ENDPOINT_OPTIONS_INIT;
    options.on_full = policy;
    options.capacity = capacity;
    return join(act, "small", &options);
}

/* --- One-way -------------------------------------------------------------- */

static void send_one(struct act *act)
{
    (void)met(act, send_text(act, act->a, "b", "message"), THEATER_OK);
}

static void send_many(struct act *act)
{
    for (int i = 0; i < 10; i++) {
        (void)met(act, send_text(act, act->a, "b", "message"), THEATER_OK);
        (void)met(act, send_text(act, act->b, "a", "message"), THEATER_OK);
    }
}

static void send_nameless(struct act *act)
{
    (void)met(act, send_text(act, NULL, "b", "message"), THEATER_OK);
}

static void send_nothing(struct act *act)
{
    (void)met(act, send_text(act, act->a, "b", ""), THEATER_OK);
}

static void send_much(struct act *act)
{
    (void)met(act,
              theater_router_send(act->router, act->a, text("b"), big(ACT_BIG)),
              THEATER_OK);
}

static void send_to_oneself(struct act *act)
{
    (void)met(act, send_text(act, act->a, "a", "message"), THEATER_OK);
    drain(act->a);
}

static void send_to_nobody(struct act *act)
{
    assert_int_equal(send_text(act, act->a, "nobody", "x"), THEATER_NOT_FOUND);
    assert_int_equal(send_text(act, act->a, "", "x"), THEATER_INVALID_ARGUMENT);
}

static void send_to_a_later_one(struct act *act)
{
    for (int i = 0; i < 3; i++) {
        theater_endpoint_t *c = join(act, "c", NULL);
        (void)met_or(act, send_text(act, act->a, "c", "x"), THEATER_OK,
                     THEATER_NOT_FOUND);
        leave(c);
        (void)met(act, send_text(act, act->a, "c", "x"), THEATER_NOT_FOUND);
    }
}

static void send_to_many(struct act *act)
{
    theater_endpoint_t *many[40];
    char name[16];
    for (int i = 0; i < 40; i++) {
        snprintf(name, sizeof name, "name-%d", i);
        many[i] = join(act, name, NULL);
    }
    for (int i = 0; i < 200; i++) {
        snprintf(name, sizeof name, "name-%d", i % 40);
        theater_status_t also =
            many[i % 40] != NULL ? THEATER_OK : THEATER_NOT_FOUND;
        (void)met_or(act, send_text(act, act->a, name, "x"), THEATER_OK, also);
    }
    for (int i = 0; i < 40; i++) {
        leave(many[i]);
    }
}

static void send_a_batch(struct act *act)
{
    theater_bytes_t items[20];
    size_t accepted = 77;
    for (int i = 0; i < 20; i++) {
        items[i] = text("item");
    }
    theater_status_t status = theater_router_send_batch(
        act->router, act->a, text("b"), items, 20, &accepted);
    bool all = met(act, status, THEATER_OK);
    assert_true(all ? accepted == 20 : accepted < 20);
}

static void send_a_batch_over_the_bound(struct act *act)
{
    theater_bytes_t items[6];
    size_t accepted = 77;
    theater_endpoint_t *small = join_small(act, THEATER_REFUSE, 4);
    if (small == NULL) {
        return;
    }
    for (int i = 0; i < 6; i++) {
        items[i] = text("item");
    }
    theater_status_t status = theater_router_send_batch(
        act->router, act->a, text("small"), items, 6, &accepted);
    bool full = met(act, status, THEATER_MAILBOX_FULL);
    assert_true(full ? accepted == 4 : accepted <= 4);
    leave(small);
}

static void broadcast(struct act *act, size_t len, theater_bytes_t data)
{
    theater_bytes_t targets[40];
    uint8_t codes[40];
    for (size_t i = 0; i < len; i++) {
        targets[i] = text(i % 3 == 0 ? "a" : i % 3 == 1 ? "b" : "nobody");
        codes[i] = 99;
    }
    theater_status_t status = theater_router_broadcast(
        act->router, act->a, targets, len, data, codes);
    bool sent = met(act, status, THEATER_OK);
    for (size_t i = 0; i < len; i++) {
        if (!sent) {
            assert_int_equal(codes[i], 99);
        } else if (i % 3 == 2) {
            assert_int_equal(codes[i], THEATER_NOT_FOUND);
        } else {
            (void)met(act, (theater_status_t)codes[i], THEATER_OK);
        }
    }
}

static void broadcast_to_two(struct act *act)
{
    broadcast(act, 2, text("news"));
}

static void broadcast_to_many(struct act *act)
{
    broadcast(act, 40, text("news"));
}

static void broadcast_much(struct act *act)
{
    broadcast(act, 4, big(ACT_BIG));
}

static void send_over_the_bound(struct act *act, theater_on_full_t policy,
                                theater_status_t full)
{
    theater_endpoint_t *small = join_small(act, policy, 4);
    if (small == NULL) {
        return;
    }
    /* Where one was refused before, this one still has room. */
    for (int i = 0; i < 8; i++) {
        (void)met_or(act, send_text(act, act->a, "small", "x"),
                     i < 4 ? THEATER_OK : full, THEATER_OK);
    }
    drain(small);
    leave(small);
}

static void send_refused(struct act *act)
{
    send_over_the_bound(act, THEATER_REFUSE, THEATER_MAILBOX_FULL);
}

static void send_newest_dropped(struct act *act)
{
    send_over_the_bound(act, THEATER_DROP_NEWEST, THEATER_OK);
}

static void send_oldest_dropped(struct act *act)
{
    send_over_the_bound(act, THEATER_DROP_OLDEST, THEATER_OK);
}

static void send_what_is_denied(struct act *act)
{
    theater_permissions_t grants = THEATER_PERMISSIONS_INIT;
    theater_endpoint_options_t options = THEATER_ENDPOINT_OPTIONS_INIT;
    grants.can_send = false;
    options.permissions = &grants;
    theater_endpoint_t *c = join(act, "c", &options);
    if (c != NULL) {
        assert_int_equal(send_text(act, c, "b", "x"), THEATER_DENIED);
        leave(c);
    }
}

/* --- Waits for space ------------------------------------------------------ */

static void wait_for_space(struct act *act, int waits,
                           theater_request_id_t *out_last)
{
    theater_request_id_t id;
    for (int i = 0; i < waits; i++) {
        struct outcome *outcome = act_outcome(act);
        outcome->started = theater_router_send_start(
            act->router, act->a, text("small"), text("waits"), 1000, note_done,
            outcome, &id);
        if (met(act, outcome->started, THEATER_PENDING)) {
            *out_last = id;
        }
    }
}

/* A mailbox of one place, which is taken; NULL: not possible. */
static theater_endpoint_t *join_full(struct act *act)
{
    theater_endpoint_t *small = join_small(act, THEATER_REFUSE, 1);
    if (small != NULL &&
        !met(act, send_text(act, act->b, "small", "first"), THEATER_OK)) {
        leave(small);
        return NULL;
    }
    return small;
}

static void wait_and_get_in(struct act *act)
{
    theater_request_id_t id = {0};
    theater_endpoint_t *small = join_full(act);
    if (small == NULL) {
        return;
    }
    wait_for_space(act, 3, &id);
    for (int i = 0; i < 4; i++) {
        drain(small);
    }
    leave(small);
}

static void wait_for_too_long(struct act *act)
{
    theater_request_id_t id = {0};
    theater_endpoint_t *small = join_full(act);
    if (small != NULL) {
        wait_for_space(act, 2, &id);
        pass(act, 2000);
        leave(small);
    }
}

static void wait_and_give_up(struct act *act)
{
    theater_request_id_t id = {0};
    theater_endpoint_t *small = join_full(act);
    if (small == NULL) {
        return;
    }
    wait_for_space(act, 2, &id);
    if (id.value != 0) {
        assert_int_equal(theater_router_cancel(act->router, id), THEATER_OK);
        assert_int_equal(theater_router_cancel(act->router, id),
                         THEATER_INVALID_ARGUMENT);
    }
    leave(small);
}

static void wait_for_one_that_ends(struct act *act)
{
    theater_request_id_t id = {0};
    theater_endpoint_t *small = join_full(act);
    if (small != NULL) {
        wait_for_space(act, 3, &id);
        leave(small);
    }
}

static void wait_in_a_thread(struct act *act)
{
    theater_endpoint_t *small = join_full(act);
    if (small == NULL) {
        return;
    }
    theater_status_t status = theater_router_send_wait(
        act->router, act->a, text("small"), text("x"), 50);
    (void)met(act, status, THEATER_MAILBOX_FULL);
    drain(small);
    status = theater_router_send_wait(act->router, act->a, text("small"),
                                      text("x"), 50);
    (void)met(act, status, THEATER_OK);
    leave(small);
}

/* --- Timed sends ---------------------------------------------------------- */

static bool later(struct act *act, theater_endpoint_t *from, const char *to,
                  theater_timer_id_t *out_id)
{
    theater_status_t status = theater_router_send_after(
        act->router, from, text(to), text("later"), 10, out_id);
    return met(act, status, THEATER_OK);
}

static void send_later(struct act *act)
{
    theater_timer_id_t id;
    (void)later(act, act->a, "b", &id);
    pass(act, 20);
}

static void send_later_and_cancel(struct act *act)
{
    theater_timer_id_t id;
    if (later(act, act->a, "b", &id)) {
        assert_int_equal(theater_router_cancel_send(act->a, id), THEATER_OK);
        assert_int_equal(theater_router_cancel_send(act->a, id),
                         THEATER_INVALID_ARGUMENT);
    }
}

static void send_later_much(struct act *act)
{
    theater_timer_id_t id;
    theater_status_t status = theater_router_send_after(
        act->router, act->a, text("b"), big(ACT_BIG), 10, &id);
    (void)met(act, status, THEATER_OK);
    pass(act, 20);
}

static void send_later_many(struct act *act)
{
    theater_timer_id_t id;
    for (int i = 0; i < 40; i++) {
        (void)later(act, act->a, "b", &id);
    }
    pass(act, 20);
}

static void send_later_to_nobody(struct act *act)
{
    theater_timer_id_t id;
    (void)later(act, act->a, "nobody", &id);
    pass(act, 20);
}

static void send_later_and_end(struct act *act)
{
    theater_timer_id_t id;
    theater_endpoint_t *c = join(act, "c", NULL);
    if (c != NULL) {
        (void)later(act, c, "b", &id);
        (void)later(act, c, "c", &id);
        leave(c);
        pass(act, 20);
    }
}

#define ACT(name, run) {name, run, &stage_router, NULL}
const struct scenario acts_send[] = {
    ACT("a message", send_one),
    ACT("20 messages", send_many),
    ACT("a message from nobody", send_nameless),
    ACT("an empty message", send_nothing),
    ACT("a message of 1 MiB", send_much),
    ACT("a message to oneself", send_to_oneself),
    ACT("a message to nobody", send_to_nobody),
    ACT("messages to a name that comes and goes", send_to_a_later_one),
    ACT("messages to 40 names", send_to_many),
    ACT("a batch", send_a_batch),
    ACT("a batch over the bound", send_a_batch_over_the_bound),
    ACT("a broadcast to two", broadcast_to_two),
    ACT("a broadcast to 40", broadcast_to_many),
    ACT("a broadcast of 1 MiB", broadcast_much),
    ACT("messages to a full mailbox", send_refused),
    ACT("messages of which the newest are dropped", send_newest_dropped),
    ACT("messages of which the oldest are dropped", send_oldest_dropped),
    ACT("a message that is denied", send_what_is_denied),
    ACT("a wait for space", wait_and_get_in),
    ACT("a wait for space, for too long", wait_for_too_long),
    ACT("a wait for space that is cancelled", wait_and_give_up),
    ACT("a wait for space of one that ends", wait_for_one_that_ends),
    ACT("a thread that waits for space", wait_in_a_thread),
    ACT("a timed send", send_later),
    ACT("a timed send that is cancelled", send_later_and_cancel),
    ACT("a timed send of 1 MiB", send_later_much),
    ACT("40 timed sends", send_later_many),
    ACT("a timed send to nobody", send_later_to_nobody),
    ACT("a timed send of one that ends", send_later_and_end),
};
const size_t acts_send_len = sizeof acts_send / sizeof acts_send[0];
