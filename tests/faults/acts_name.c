/* SPDX-License-Identifier: Apache-2.0 */
/* Scenarios: routers, names, endpoints and their ends. */
#include "acts_router.h"

/* A router, made while memory is lacking; NULL: refused. */
static theater_router_t *open_one(struct act *act,
                                  theater_router_options_t *options)
{
    theater_router_t *router = NULL;
    options->env = act->env;
    theater_status_t status = theater_router_new(options, &router);
    if (!met(act, status, THEATER_OK)) {
        assert_null(router);
    }
    return router;
}

static void make_router(struct act *act)
{
    theater_router_options_t options = THEATER_ROUTER_OPTIONS_INIT;
    theater_router_release(open_one(act, &options));
}

static void make_small_router(struct act *act)
{
    theater_router_options_t options = THEATER_ROUTER_OPTIONS_INIT;
    options.max_endpoints = 2;
    options.max_pending = 2;
    options.max_message_bytes = 16;
    options.max_queued_bytes = 4096;
    theater_router_t *router = open_one(act, &options);
    theater_endpoint_t *one = NULL;
    if (router != NULL &&
        met(act, theater_router_register(router, "one", 3, NULL, &one),
            THEATER_OK)) {
        theater_status_t status =
            theater_router_send(router, one, text("one"), big(17));
        assert_int_equal(status, THEATER_TOO_LARGE);
        leave(one);
    }
    theater_router_release(router);
}

static void make_two_routers(struct act *act)
{
    theater_router_options_t options = THEATER_ROUTER_OPTIONS_INIT;
    theater_router_t *first = open_one(act, &options);
    theater_router_t *second = open_one(act, &options);
    if (first != NULL) {
        theater_router_release(theater_router_retain(first));
    }
    theater_router_release(first);
    theater_router_release(second);
}

static void register_one(struct act *act)
{
    leave(join(act, "c", NULL));
}

static void register_again(struct act *act)
{
    for (int i = 0; i < 3; i++) {
        leave(join(act, "c", NULL));
    }
}

static void register_taken(struct act *act)
{
    theater_endpoint_t *c = NULL;
    theater_status_t status =
        theater_router_register(act->router, "a", 1, NULL, &c);
    (void)met(act, status, THEATER_ALREADY_EXISTS);
    assert_null(c);
}

static void register_with_targets(struct act *act)
{
    static const char *const targets[] = {"a", "b*", "a rather long name"};
    theater_permissions_t grants = THEATER_PERMISSIONS_INIT;
    theater_endpoint_options_t options = THEATER_ENDPOINT_OPTIONS_INIT;
    grants.allowed_targets = targets;
    grants.allowed_targets_len = 3;
    options.permissions = &grants;
    theater_endpoint_t *c = join(act, "c", &options);
    if (c != NULL) {
        (void)met(act, send_text(act, c, "b", "x"), THEATER_OK);
        assert_int_equal(send_text(act, c, "c", "x"), THEATER_DENIED);
        leave(c);
    }
}

static void register_ring(struct act *act)
{
    theater_endpoint_options_t options = THEATER_ENDPOINT_OPTIONS_INIT;
    options.on_full = THEATER_DROP_OLDEST;
    options.capacity = 4;
    leave(join(act, "c", &options));
}

static void register_many(struct act *act)
{
    theater_endpoint_t *many[300];
    char name[16];
    for (int i = 0; i < 300; i++) {
        snprintf(name, sizeof name, "name-%d", i);
        many[i] = join(act, name, NULL);
    }
    for (int i = 0; i < 300; i++) {
        leave(many[i]);
    }
}

static void leave_with_mail(struct act *act)
{
    theater_endpoint_t *c = join(act, "c", NULL);
    if (c != NULL) {
        for (int i = 0; i < 5; i++) {
            (void)met(act, send_text(act, act->a, "c", "x"), THEATER_OK);
        }
        (void)ask(act, act->b, "c", "x", 1000);
        leave(c);
    }
}

static void reset_one(struct act *act)
{
    theater_endpoint_t *c = join(act, "c", NULL);
    if (c == NULL) {
        return;
    }
    (void)met(act, send_text(act, act->a, "c", "1"), THEATER_OK);
    (void)ask(act, act->b, "c", "x", 1000);
    (void)met(act, send_text(act, act->a, "c", "2"), THEATER_OK);
    theater_endpoint_reset(c, THEATER_CLOSED);
    (void)met(act, send_text(act, act->a, "c", "3"), THEATER_OK);
    drain(c);
    leave(c);
}

static void wait_for_mail(struct act *act)
{
    const theater_message_t *message = NULL;
    theater_status_t status = theater_endpoint_wait(act->a, 10, &message);
    assert_int_equal(status, THEATER_TIMEOUT);
    if (met(act, send_text(act, act->b, "a", "x"), THEATER_OK)) {
        status = theater_endpoint_wait(act->a, 10, &message);
        assert_int_equal(status, THEATER_OK);
        theater_endpoint_done(act->a, THEATER_OK);
    }
}

/* The router is given up by the stage: here it only refuses what is new. */
static void drain_router(struct act *act)
{
    theater_router_options_t options = THEATER_ROUTER_OPTIONS_INIT;
    theater_shutdown_report_t report;
    theater_endpoint_t *c = NULL;
    theater_router_t *router = open_one(act, &options);
    if (router == NULL) {
        return;
    }
    if (met(act, theater_router_register(router, "c", 1, NULL, &c),
            THEATER_OK)) {
        theater_status_t status =
            theater_router_send(router, NULL, text("c"), text("x"));
        bool sent = met(act, status, THEATER_OK);
        theater_router_drain(router);
        status = theater_router_send(router, NULL, text("c"), text("x"));
        assert_int_equal(status, THEATER_SHUTTING_DOWN);
        status = theater_router_shutdown(router, 50, &report);
        assert_int_equal(status, sent ? THEATER_TIMEOUT : THEATER_OK);
        assert_int_equal(report.dead, sent ? 1 : 0);
        leave(c);
    }
    theater_router_release(router);
}

static void shut_router_down(struct act *act)
{
    theater_router_options_t options = THEATER_ROUTER_OPTIONS_INIT;
    theater_endpoint_t *c = NULL;
    theater_router_t *router = open_one(act, &options);
    if (router == NULL) {
        return;
    }
    theater_status_t status = theater_router_shutdown(router, 100, NULL);
    assert_int_equal(status, THEATER_OK);
    status = theater_router_register(router, "c", 1, NULL, &c);
    assert_int_equal(status, THEATER_SHUTTING_DOWN);
    theater_router_release(router);
}

/* --- Links ---------------------------------------------------------------- */

static theater_status_t far_resolve(void *ctx, theater_bytes_t target)
{
    (void)ctx;
    return target.len == 4 && memcmp(target.data, "moon", 4) == 0
               ? THEATER_OK
               : THEATER_NOT_FOUND;
}

static theater_status_t far_send(void *ctx, theater_bytes_t sender,
                                 theater_bytes_t target, theater_bytes_t data)
{
    (void)ctx;
    (void)sender;
    (void)target;
    (void)data;
    return THEATER_OK;
}

static theater_status_t far_request(void *ctx, theater_bytes_t sender,
                                    theater_bytes_t target,
                                    theater_bytes_t data,
                                    theater_request_id_t id)
{
    struct act *act = ctx;
    (void)sender;
    (void)target;
    /* Without memory for the answer the request ends by its deadline. */
    (void)met(act, theater_link_answer(act->router, id, THEATER_OK, data),
              THEATER_OK);
    return THEATER_OK;
}

static const theater_link_ops_t far = {sizeof(theater_link_ops_t), far_resolve,
                                       far_send, far_request};

static void send_over_a_link(struct act *act)
{
    assert_int_equal(theater_router_add_link(act->router, &far, act),
                     THEATER_OK);
    (void)met(act, send_text(act, act->a, "moon", "x"), THEATER_OK);
    assert_int_equal(send_text(act, act->a, "mars", "x"), THEATER_NOT_FOUND);
}

static void ask_over_a_link(struct act *act)
{
    assert_int_equal(theater_router_add_link(act->router, &far, act),
                     THEATER_OK);
    (void)ask(act, act->a, "moon", "x", 1000);
    (void)ask(act, NULL, "moon", "x", 1000);
}

static void send_later_over_a_link(struct act *act)
{
    theater_timer_id_t id;
    assert_int_equal(theater_router_add_link(act->router, &far, act),
                     THEATER_OK);
    (void)met(act,
              theater_router_send_after(act->router, act->a, text("moon"),
                                        text("x"), 5, &id),
              THEATER_OK);
    pass(act, 10);
}

const struct scenario acts_name[] = {
    {"a router", make_router, &stage_bare, NULL},
    {"a router of small bounds", make_small_router, &stage_bare, NULL},
    {"two routers", make_two_routers, &stage_bare, NULL},
    {"a name", register_one, &stage_router, NULL},
    {"a name, again and again", register_again, &stage_router, NULL},
    {"a name that is taken", register_taken, &stage_router, NULL},
    {"a name with allowed targets", register_with_targets, &stage_router, NULL},
    {"a mailbox that drops its oldest", register_ring, &stage_router, NULL},
    {"300 names", register_many, &stage_router, NULL},
    {"an end with mail in the box", leave_with_mail, &stage_router, NULL},
    {"a reset", reset_one, &stage_router, NULL},
    {"a thread that waits for mail", wait_for_mail, &stage_router, NULL},
    {"a drain", drain_router, &stage_router, NULL},
    {"a shutdown", shut_router_down, &stage_router, NULL},
    {"a send over a link", send_over_a_link, &stage_router, NULL},
    {"a request over a link", ask_over_a_link, &stage_router, NULL},
    {"a timed send over a link", send_later_over_a_link, &stage_router, NULL},
};
const size_t acts_name_len = sizeof acts_name / sizeof acts_name[0];
