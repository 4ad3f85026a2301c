/* SPDX-License-Identifier: Apache-2.0 */
/* Links: names that live elsewhere. */
#include <theater/link.h>

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>

struct far {
    theater_router_t *router;
    unsigned sends, requests;
    char sender[32];
    theater_request_id_t request;
    bool answers;
    bool fails; /* after it has answered */
};

static theater_bytes_t text(const char *s)
{
    return (theater_bytes_t){(const uint8_t *)s, strlen(s)};
}

static theater_status_t resolve(void *ctx, theater_bytes_t target)
{
    (void)ctx;
    if (target.len == 4 && memcmp(target.data, "lost", 4) == 0) {
        return THEATER_UNREACHABLE;
    }
    return target.len == 4 && memcmp(target.data, "moon", 4) == 0
               ? THEATER_OK
               : THEATER_NOT_FOUND;
}

static theater_status_t far_send(void *ctx, theater_bytes_t sender,
                                 theater_bytes_t target, theater_bytes_t data)
{
    struct far *far = ctx;
    (void)target;
    (void)data;
    far->sends++;
    memset(far->sender, 0, sizeof far->sender);
    if (sender.data != NULL) {
        memcpy(far->sender, sender.data, sender.len);
    }
    return THEATER_OK;
}

static theater_status_t far_request(void *ctx, theater_bytes_t sender,
                                    theater_bytes_t target,
                                    theater_bytes_t data,
                                    theater_request_id_t id)
{
    struct far *far = ctx;
    (void)sender;
    (void)target;
    far->requests++;
    far->request = id;
    if (!far->answers) {
        return far->fails ? THEATER_UNREACHABLE : THEATER_OK;
    }
    theater_status_t status =
        theater_link_answer(far->router, id, THEATER_OK, data);
    return far->fails ? THEATER_UNREACHABLE : status;
}

static const theater_link_ops_t ops = {sizeof(theater_link_ops_t), resolve,
                                       far_send, far_request};

static void opened(struct far *far)
{
    memset(far, 0, sizeof *far);
    assert_int_equal(theater_router_new(NULL, &far->router), THEATER_OK);
    assert_int_equal(theater_router_add_link(far->router, &ops, far),
                     THEATER_OK);
}

static void a_name_that_is_not_here_is_offered_to_the_links(void **state)
{
    struct far far;
    theater_endpoint_t *here = NULL;
    theater_timer_id_t timer;
    theater_counters_t counters;
    theater_bytes_t targets[2] = {{NULL, 0}, {NULL, 0}};
    uint8_t codes[2];
    (void)state;

    opened(&far);
    assert_int_equal(
        theater_router_register(far.router, "here", 4, NULL, &here),
        THEATER_OK);
    assert_int_equal(
        theater_router_send(far.router, here, text("moon"), text("x")),
        THEATER_OK);
    assert_string_equal(far.sender, "here");
    assert_int_equal(
        theater_router_send(far.router, here, text("lost"), text("x")),
        THEATER_UNREACHABLE);
    assert_int_equal(
        theater_router_send(far.router, here, text("mars"), text("x")),
        THEATER_NOT_FOUND);
    targets[0] = text("moon");
    targets[1] = text("lost");
    assert_int_equal(theater_router_broadcast(far.router, NULL, targets, 2,
                                              text("x"), codes),
                     THEATER_OK);
    assert_int_equal(codes[0], THEATER_OK);
    assert_int_equal(codes[1], THEATER_UNREACHABLE);
    assert_int_equal(theater_router_send_after(far.router, here, text("moon"),
                                               text("x"), 0, &timer),
                     THEATER_OK);
    for (unsigned i = 0; i < 1000 && far.sends < 3; i++) {
        const theater_message_t *message = NULL;
        assert_int_equal(theater_endpoint_wait(here, 5, &message),
                         THEATER_TIMEOUT);
    }
    assert_int_equal(far.sends, 3);
    theater_router_counters(far.router, &counters);
    assert_int_equal(counters.linked, 3);
    assert_int_equal(counters.accepted, 0);
    theater_endpoint_unregister(here, THEATER_OK);
    theater_router_release(far.router);
}

static void a_name_that_is_here_is_not_offered(void **state)
{
    struct far far;
    theater_endpoint_t *moon = NULL;
    (void)state;
    opened(&far);
    assert_int_equal(
        theater_router_register(far.router, "moon", 4, NULL, &moon),
        THEATER_OK);
    assert_int_equal(
        theater_router_send(far.router, NULL, text("moon"), text("x")),
        THEATER_OK);
    assert_int_equal(far.sends, 0);
    theater_endpoint_unregister(moon, THEATER_OK);
    theater_router_release(far.router);
}

static void permissions_hold_for_names_behind_a_link(void **state)
{
    struct far far;
    theater_endpoint_t *here = NULL;
    theater_permissions_t permissions = THEATER_PERMISSIONS_INIT;
    theater_endpoint_options_t options = THEATER_ENDPOINT_OPTIONS_INIT;
    const char *const targets[] = {"mars"};
    (void)state;

    opened(&far);
    permissions.allowed_targets = targets;
    permissions.allowed_targets_len = 1;
    options.permissions = &permissions;
    assert_int_equal(
        theater_router_register(far.router, "here", 4, &options, &here),
        THEATER_OK);
    assert_int_equal(
        theater_router_send(far.router, here, text("moon"), text("x")),
        THEATER_DENIED);
    assert_int_equal(far.sends, 0);
    theater_endpoint_unregister(here, THEATER_OK);
    theater_router_release(far.router);
}

static void a_link_answers_a_request_once(void **state)
{
    struct far far;
    theater_answer_t *answer = NULL;
    (void)state;

    opened(&far);
    far.answers = true;
    assert_int_equal(theater_router_request(far.router, NULL, text("moon"),
                                            text("ping"), 1000, &answer),
                     THEATER_OK);
    assert_int_equal(answer->len, 4);
    theater_answer_delete(answer);
    assert_int_equal(
        theater_link_answer(far.router, far.request, THEATER_OK, text("again")),
        THEATER_CLOSED);
    far.answers = false;
    assert_int_equal(theater_router_request(far.router, NULL, text("moon"),
                                            text("ping"), 20, &answer),
                     THEATER_TIMEOUT);
    assert_int_equal(far.requests, 2);
    theater_router_release(far.router);
}

static void told(void *user, theater_status_t status, theater_answer_t *answer)
{
    *(theater_status_t *)user = status;
    theater_answer_delete(answer);
}

static void a_link_can_not_answer_what_an_endpoint_was_asked(void **state)
{
    struct far far;
    theater_endpoint_t *here = NULL;
    theater_status_t end = THEATER_PENDING;
    theater_request_id_t id;
    (void)state;

    opened(&far);
    assert_int_equal(
        theater_router_register(far.router, "here", 4, NULL, &here),
        THEATER_OK);
    assert_int_equal(theater_router_request_start(far.router, NULL,
                                                  text("here"), text("?"), 1000,
                                                  told, &end, &id),
                     THEATER_PENDING);
    assert_int_equal(
        theater_link_answer(far.router, id, THEATER_OK, text("forged")),
        THEATER_INVALID_ARGUMENT);
    assert_int_equal(end, THEATER_PENDING);
    theater_endpoint_unregister(here, THEATER_OK);
    assert_int_equal(end, THEATER_CLOSED);
    theater_router_release(far.router);
}

static void a_link_that_lacks_something_is_refused(void **state)
{
    struct far far;
    theater_link_ops_t wrong = ops;
    (void)state;

    opened(&far);
    wrong.size = 1;
    assert_int_equal(theater_router_add_link(far.router, &wrong, NULL),
                     THEATER_INVALID_ARGUMENT);
    wrong = ops;
    wrong.resolve = NULL;
    assert_int_equal(theater_router_add_link(far.router, &wrong, NULL),
                     THEATER_INVALID_ARGUMENT);
    wrong = ops;
    wrong.send = NULL;
    assert_int_equal(theater_router_add_link(far.router, &wrong, NULL),
                     THEATER_INVALID_ARGUMENT);
    for (unsigned i = 1; i < THEATER_LINKS_MAX; i++) {
        assert_int_equal(theater_router_add_link(far.router, &ops, &far),
                         THEATER_OK);
    }
    assert_int_equal(theater_router_add_link(far.router, &ops, &far),
                     THEATER_INVALID_ARGUMENT);
    theater_router_release(far.router);
}

static void a_link_may_carry_no_requests(void **state)
{
    struct far far = {0};
    theater_link_ops_t one_way = ops;
    theater_status_t end = THEATER_PENDING;
    theater_request_id_t id = {0};
    (void)state;

    one_way.request = NULL;
    assert_int_equal(theater_router_new(NULL, &far.router), THEATER_OK);
    assert_int_equal(theater_router_add_link(far.router, &one_way, &far),
                     THEATER_OK);
    assert_int_equal(theater_router_request_start(far.router, NULL,
                                                  text("moon"), text("?"), 0,
                                                  told, &end, &id),
                     THEATER_UNSUPPORTED);
    assert_int_equal(end, THEATER_PENDING); /* told by the return alone */
    theater_router_release(far.router);
}

/* Asks the moon, which takes its time. */
static theater_request_id_t asked(struct far *far, theater_status_t *end)
{
    theater_request_id_t id = {0};
    *end = THEATER_PENDING;
    assert_int_equal(theater_router_request_start(far->router, NULL,
                                                  text("moon"), text("?"), 0,
                                                  told, end, &id),
                     THEATER_PENDING);
    assert_true(id.value != 0 && id.value == far->request.value);
    return id;
}

static void a_link_says_how_a_request_ends(void **state)
{
    struct far far;
    theater_status_t end;
    (void)state;

    opened(&far);
    static uint8_t large[(1 << 20) + 1];
    theater_request_id_t id = asked(&far, &end);
    theater_bytes_t too_large = {large, sizeof large};
    assert_int_equal(
        theater_link_answer(far.router, id, THEATER_PENDING, text("")),
        THEATER_INVALID_ARGUMENT);
    assert_int_equal(theater_link_answer(far.router, id,
                                         (theater_status_t)THEATER_STATUS_COUNT,
                                         text("")),
                     THEATER_INVALID_ARGUMENT);
    assert_int_equal(theater_link_answer(far.router, id, THEATER_OK, too_large),
                     THEATER_TOO_LARGE);
    assert_int_equal(end, THEATER_PENDING);
    assert_int_equal(
        theater_link_answer(far.router, id, THEATER_FAILED, text("dust")),
        THEATER_OK);
    assert_int_equal(end, THEATER_FAILED);
    id = asked(&far, &end);
    assert_int_equal(
        theater_link_answer(far.router, id, THEATER_UNREACHABLE, text("")),
        THEATER_OK);
    assert_int_equal(end, THEATER_UNREACHABLE);
    theater_router_release(far.router);
}

static void a_link_that_fails_after_it_answered_has_answered(void **state)
{
    struct far far;
    theater_status_t end = THEATER_PENDING;
    theater_answer_t *answer = NULL;
    (void)state;

    opened(&far);
    far.fails = true;
    assert_int_equal(theater_router_request_start(far.router, NULL,
                                                  text("moon"), text("?"), 0,
                                                  told, &end, NULL),
                     THEATER_UNREACHABLE);
    assert_int_equal(end, THEATER_PENDING);
    far.answers = true;
    assert_int_equal(theater_router_request(far.router, NULL, text("moon"),
                                            text("ping"), 1000, &answer),
                     THEATER_OK);
    assert_int_equal(answer->len, 4);
    theater_answer_delete(answer);
    theater_router_release(far.router);
}

static void a_link_can_not_answer_what_is_no_request(void **state)
{
    struct far far;
    theater_endpoint_t *here = NULL;
    theater_timer_id_t timer;
    (void)state;

    opened(&far);
    assert_int_equal(
        theater_router_register(far.router, "here", 4, NULL, &here),
        THEATER_OK);
    assert_int_equal(theater_router_send_after(far.router, here, text("moon"),
                                               text("x"), 60000, &timer),
                     THEATER_OK);
    theater_request_id_t id = {timer.value};
    assert_int_equal(
        theater_link_answer(far.router, id, THEATER_OK, text("forged")),
        THEATER_INVALID_ARGUMENT);
    assert_int_equal(theater_router_cancel_send(here, timer), THEATER_OK);
    theater_endpoint_unregister(here, THEATER_OK);
    theater_router_release(far.router);
}

static void what_a_link_did_not_answer_ends_with_the_router(void **state)
{
    struct far far;
    theater_status_t end;
    (void)state;

    opened(&far);
    (void)asked(&far, &end);
    theater_router_release(far.router);
    assert_int_equal(end, THEATER_CANCELLED);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_name_that_is_not_here_is_offered_to_the_links),
        cmocka_unit_test(a_name_that_is_here_is_not_offered),
        cmocka_unit_test(permissions_hold_for_names_behind_a_link),
        cmocka_unit_test(a_link_answers_a_request_once),
        cmocka_unit_test(a_link_can_not_answer_what_an_endpoint_was_asked),
        cmocka_unit_test(a_link_that_lacks_something_is_refused),
        cmocka_unit_test(a_link_may_carry_no_requests),
        cmocka_unit_test(a_link_says_how_a_request_ends),
        cmocka_unit_test(a_link_that_fails_after_it_answered_has_answered),
        cmocka_unit_test(a_link_can_not_answer_what_is_no_request),
        cmocka_unit_test(what_a_link_did_not_answer_ends_with_the_router),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
