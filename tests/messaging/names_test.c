/* SPDX-License-Identifier: Apache-2.0 */
/* Names: what can be one, who has it, and that churn leaves nothing. */
#include "world.h"

#include "base/env_fault.h"

static theater_status_t try_name(struct world *world, const char *name,
                                 size_t len)
{
    theater_endpoint_t *endpoint = NULL;
    theater_status_t status =
        theater_router_register(world->router, name, len, NULL, &endpoint);
    if (status == THEATER_OK) {
        assert_true(theater_router_has(world->router, name, len));
        theater_bytes_t own = theater_endpoint_name(endpoint);
        assert_int_equal(own.len, len);
        assert_memory_equal(own.data, name, len);
        leave(endpoint);
    } else {
        assert_null(endpoint);
    }
    assert_false(theater_router_has(world->router, name, len));
    return status;
}

static void a_name_is_1_to_255_bytes_of_plain_utf8(void **state)
{
    (void)state;
    struct world world;
    char longest[256];
    memset(longest, 'x', sizeof(longest));
    world_init(&world);
    assert_status(try_name(&world, "a", 1), THEATER_OK);
    assert_status(try_name(&world, longest, 255), THEATER_OK);
    assert_status(try_name(&world, "a b/c.d*", 8), THEATER_OK);
    assert_status(try_name(&world, "\xc3\xa9t\xc3\xa9", 5), THEATER_OK);
    const struct {
        const char *name;
        size_t len;
    } bad[] = {
        {"", 0},         {longest, 256},      {"a\nb", 3}, {"a\0b", 3},
        {"\x1b[31m", 5}, {"\x7f", 1},         {"\xff", 1}, {"\xc3", 1},
        {"\xc2\x9b", 2}, {"\xed\xa0\x80", 3},
    };
    for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
        assert_status(try_name(&world, bad[i].name, bad[i].len),
                      THEATER_INVALID_ARGUMENT);
        struct outcome outcome;
        theater_bytes_t to = {(const uint8_t *)bad[i].name, bad[i].len};
        assert_status(theater_router_send(world.router, NULL, to, text("x")),
                      THEATER_INVALID_ARGUMENT);
        assert_status(theater_router_request_start(world.router, NULL, to,
                                                   text("x"), 0, note_done,
                                                   &outcome, NULL),
                      THEATER_INVALID_ARGUMENT);
    }
    world_fini(&world);
}

static void a_name_is_taken_once_and_free_again(void **state)
{
    (void)state;
    struct world world;
    theater_endpoint_t *second = NULL;
    world_init(&world);
    theater_endpoint_t *first = join(&world, "pong");
    assert_status(
        theater_router_register(world.router, "pong", 4, NULL, &second),
        THEATER_ALREADY_EXISTS);
    assert_null(second);
    leave(first);
    assert_false(theater_router_has(world.router, "pong", 4));
    assert_status(send_text(&world, NULL, "pong", "x"), THEATER_NOT_FOUND);
    second = join(&world, "pong");
    assert_status(send_text(&world, NULL, "pong", "x"), THEATER_OK);
    handle_send(second, "x");
    leave(second);
    world_fini(&world);
}

/* A sender that knew the name's earlier owner reaches the present one. */
static void a_stale_target_reaches_who_has_the_name_now(void **state)
{
    (void)state;
    struct world world;
    world_init(&world);
    theater_endpoint_t *sender = join(&world, "sender");
    for (int round = 0; round < 200; round++) {
        theater_endpoint_t *target = join(&world, "target");
        assert_status(send_text(&world, sender, "target", "a"), THEATER_OK);
        handle_send(target, "a");
        leave(target);
        theater_endpoint_t *other = join(&world, "other");
        assert_status(send_text(&world, sender, "target", "b"),
                      THEATER_NOT_FOUND);
        nothing(other);
        leave(other);
    }
    leave(sender);
    world_fini(&world);
}

static void churn_of_names_keeps_memory_flat(void **state)
{
    (void)state;
    struct world world;
    struct th_fault_env fault;
    theater_router_options_t options = THEATER_ROUTER_OPTIONS_INIT;
    th_fault_env_init(&fault, theater_env_default());
    options.env = &fault.table;
    world_make(&world, &options, false);
    int64_t after_warm_up = 0;
    for (unsigned round = 0; round < 20000; round++) {
        char name[32];
        snprintf(name, sizeof(name), "actor-%u", round);
        theater_endpoint_t *endpoint = join(&world, name);
        assert_status(send_text(&world, NULL, name, "x"), THEATER_OK);
        leave(endpoint);
        if (round == 5000) {
            after_warm_up = th_fault_env_live(&fault);
        }
    }
    assert_true(th_fault_env_live(&fault) <= after_warm_up + 64);
    world_fini(&world);
    assert_int_equal(th_fault_env_live(&fault), 0);
    assert_int_equal(th_fault_env_live_pages(&fault), 0);
}

static void the_bound_of_names_is_a_status(void **state)
{
    (void)state;
    struct world world;
    theater_router_options_t options = THEATER_ROUTER_OPTIONS_INIT;
    theater_endpoint_t *more = NULL;
    theater_endpoint_t *all[4];
    options.max_endpoints = 4;
    world_make(&world, &options, true);
    for (int i = 0; i < 4; i++) {
        char name[16];
        snprintf(name, sizeof(name), "n%d", i);
        all[i] = join(&world, name);
    }
    assert_status(theater_router_register(world.router, "more", 4, NULL, &more),
                  THEATER_MAILBOX_FULL);
    leave(all[2]);
    more = join(&world, "more");
    leave(more);
    for (int i = 0; i < 4; i++) {
        if (i != 2) {
            leave(all[i]);
        }
    }
    world_fini(&world);
}

static void bad_options_are_refused(void **state)
{
    (void)state;
    struct world world;
    theater_endpoint_t *endpoint = NULL;
    world_init(&world);
    theater_endpoint_options_t options = THEATER_ENDPOINT_OPTIONS_INIT;
    options.capacity = THEATER_MAILBOX_MAX + 1;
    assert_status(
        theater_router_register(world.router, "a", 1, &options, &endpoint),
        THEATER_INVALID_ARGUMENT);
    options.capacity = 0;
    options.capacity_bytes = (uint32_t)THEATER_MAILBOX_BYTES + 1;
    assert_status(
        theater_router_register(world.router, "a", 1, &options, &endpoint),
        THEATER_INVALID_ARGUMENT);
    options.capacity_bytes = 0;
    options.size = 3;
    assert_status(
        theater_router_register(world.router, "a", 1, &options, &endpoint),
        THEATER_INVALID_ARGUMENT);
    static const char *const targets[] = {"a*b"};
    theater_permissions_t grants = THEATER_PERMISSIONS_INIT;
    grants.allowed_targets = targets;
    grants.allowed_targets_len = 1;
    options.size = sizeof(options);
    options.permissions = &grants;
    assert_status(
        theater_router_register(world.router, "a", 1, &options, &endpoint),
        THEATER_INVALID_ARGUMENT);
    assert_null(endpoint);
    theater_router_options_t router_options = THEATER_ROUTER_OPTIONS_INIT;
    theater_router_t *router = NULL;
    router_options.max_message_bytes = (uint32_t)THEATER_MESSAGE_MAX + 1;
    assert_status(theater_router_new(&router_options, &router),
                  THEATER_INVALID_ARGUMENT);
    assert_null(router);
    world_fini(&world);
}

static void routers_do_not_know_each_other(void **state)
{
    (void)state;
    struct world one;
    struct world two;
    world_init(&one);
    world_init(&two);
    theater_endpoint_t *a = join(&one, "same");
    theater_endpoint_t *b = join(&two, "same");
    assert_status(send_text(&one, NULL, "same", "1"), THEATER_OK);
    assert_status(send_text(&two, NULL, "same", "2"), THEATER_OK);
    theater_endpoint_t *only = join(&one, "only");
    assert_status(send_text(&two, NULL, "only", "2"), THEATER_NOT_FOUND);
    handle_send(a, "1");
    handle_send(b, "2");
    nothing(a);
    nothing(b);
    leave(only);
    leave(a);
    leave(b);
    world_fini(&one);
    world_fini(&two);
}

static void a_router_lives_as_long_as_its_last_reference(void **state)
{
    (void)state;
    struct th_fault_env fault;
    theater_router_options_t options = THEATER_ROUTER_OPTIONS_INIT;
    theater_router_t *router = NULL;
    theater_endpoint_t *endpoint = NULL;
    th_fault_env_init(&fault, theater_env_default());
    options.env = &fault.table;
    assert_status(theater_router_new(&options, &router), THEATER_OK);
    assert_ptr_equal(theater_router_retain(router), router);
    theater_router_release(router);
    assert_status(theater_router_register(router, "a", 1, NULL, &endpoint),
                  THEATER_OK);
    theater_router_release(router); /* the endpoint holds one */
    const theater_message_t *message;
    assert_status(theater_router_send(router, endpoint, text("a"), text("x")),
                  THEATER_OK);
    assert_status(theater_endpoint_receive(endpoint, &message), THEATER_OK);
    theater_endpoint_done(endpoint, THEATER_OK);
    leave(endpoint);
    assert_int_equal(th_fault_env_live(&fault), 0);
    assert_int_equal(th_fault_env_live_pages(&fault), 0);
    theater_router_release(NULL);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_name_is_1_to_255_bytes_of_plain_utf8),
        cmocka_unit_test(a_name_is_taken_once_and_free_again),
        cmocka_unit_test(a_stale_target_reaches_who_has_the_name_now),
        cmocka_unit_test(churn_of_names_keeps_memory_flat),
        cmocka_unit_test(the_bound_of_names_is_a_status),
        cmocka_unit_test(bad_options_are_refused),
        cmocka_unit_test(routers_do_not_know_each_other),
        cmocka_unit_test(a_router_lives_as_long_as_its_last_reference),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
