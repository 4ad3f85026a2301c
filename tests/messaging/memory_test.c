/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Out of memory is a status: each scenario runs with the k-th allocation
 * failing, for every k until it no longer gets that far, once and for good.
 * Whatever was refused, nothing is half there, nothing leaks, every callback
 * comes exactly once, and the counters agree.
 */
#include "world.h"

#include "base/env_fault.h"

struct faulty {
    struct th_fault_env fault;
    struct world world;
    theater_endpoint_t *a, *b;
};

/* Every status that may come of a lack of memory, or of what came before. */
static bool tolerable(theater_status_t status)
{
    return status == THEATER_OK || status == THEATER_PENDING ||
           status == THEATER_OUT_OF_MEMORY || status == THEATER_MAILBOX_FULL;
}

static void tolerate(theater_status_t status)
{
    if (!tolerable(status)) {
        fail_msg("without memory: %s", theater_status_name(status));
    }
}

static void drain(theater_endpoint_t *endpoint)
{
    const theater_message_t *message;
    while (theater_endpoint_receive(endpoint, &message) == THEATER_OK) {
        switch (message->kind) {
        case THEATER_MESSAGE_REQUEST:
            (void)!theater_endpoint_respond(endpoint, message->request,
                                            text("answer"));
            break;
        case THEATER_MESSAGE_CHANNEL_OPEN:
            (void)!theater_channel_accept(endpoint);
            break;
        default:
            break;
        }
        theater_endpoint_done(endpoint, THEATER_OK);
    }
}

/* A callback was told exactly once if, and only if, PENDING was answered. */
static void settled(theater_status_t started, const struct outcome *outcome)
{
    assert_int_equal(outcome->calls, started == THEATER_PENDING ? 1 : 0);
}

static void sends(struct faulty *f)
{
    for (int i = 0; i < 5; i++) {
        tolerate(send_text(&f->world, f->a, "b", "message"));
        tolerate(send_text(&f->world, NULL, "a", "message"));
    }
    drain(f->b);
}

static void batches_and_broadcasts(struct faulty *f)
{
    theater_bytes_t many[] = {text("1"), text("2"), text("3")};
    theater_bytes_t both[] = {text("a"), text("b")};
    uint8_t codes[2] = {0, 0};
    size_t accepted = 0;
    tolerate(theater_router_send_batch(f->world.router, f->a, text("b"), many,
                                       3, &accepted));
    assert_true(accepted <= 3);
    theater_status_t status = theater_router_broadcast(
        f->world.router, f->b, both, 2, text("news"), codes);
    tolerate(status);
    if (status == THEATER_OK) {
        tolerate((theater_status_t)codes[0]);
        tolerate((theater_status_t)codes[1]);
    }
    drain(f->a);
    drain(f->b);
}

static void requests(struct faulty *f)
{
    struct outcome outcomes[4];
    theater_status_t started[4];
    for (int i = 0; i < 4; i++) {
        started[i] = ask(&f->world, f->a, "b", "q", 1000, &outcomes[i], NULL);
        tolerate(started[i]);
    }
    theater_request_id_t id;
    const theater_message_t *message;
    if (theater_endpoint_receive(f->b, &message) == THEATER_OK) {
        theater_status_t status = theater_endpoint_defer(f->b, &id);
        tolerate(status);
        theater_endpoint_done(f->b, THEATER_OK);
        if (status == THEATER_OK) {
            tolerate(theater_endpoint_fail(f->b, id, text("no")));
        }
    }
    drain(f->b);
    pass(&f->world, 2000); /* what could not be answered has a deadline */
    for (int i = 0; i < 4; i++) {
        settled(started[i], &outcomes[i]);
    }
}

static void waits(struct faulty *f)
{
    struct outcome outcomes[3];
    theater_status_t started[3];
    theater_endpoint_options_t options = THEATER_ENDPOINT_OPTIONS_INIT;
    theater_endpoint_t *small = NULL;
    theater_request_id_t id;
    options.capacity = 1;
    theater_status_t status =
        theater_router_register(f->world.router, "small", 5, &options, &small);
    tolerate(status);
    if (status != THEATER_OK) {
        assert_null(small);
        assert_false(theater_router_has(f->world.router, "small", 5));
        return;
    }
    memset(outcomes, 0, sizeof(outcomes));
    for (int i = 0; i < 3; i++) {
        started[i] = theater_router_send_start(
            f->world.router, f->a, text("small"), text("wait"), 1000, note_done,
            &outcomes[i], &id);
        tolerate(started[i]);
    }
    drain(small);
    drain(small);
    drain(small);
    leave(small);
    for (int i = 0; i < 3; i++) {
        settled(started[i], &outcomes[i]);
    }
}

static void channels(struct faulty *f)
{
    struct outcome outcome;
    theater_status_t started = offer(f->a, "b", "hello", 1000, &outcome);
    tolerate(started);
    drain(f->b);
    pass(&f->world, 2000);
    settled(started, &outcome);
    if (started != THEATER_PENDING || outcome.status != THEATER_OK) {
        drain(f->a);
        drain(f->b);
        return;
    }
    for (int i = 0; i < 3; i++) {
        tolerate(theater_channel_send(f->a, outcome.channel, text("data")));
    }
    assert_status(theater_channel_close(f->a, outcome.channel, THEATER_OK),
                  THEATER_OK);
    drain(f->b);
    drain(f->a);
}

static void timed_sends(struct faulty *f)
{
    theater_timer_id_t ids[3];
    theater_status_t started[3];
    for (int i = 0; i < 3; i++) {
        started[i] = theater_router_send_after(f->world.router, f->a, text("b"),
                                               text("later"), 10, &ids[i]);
        tolerate(started[i]);
    }
    if (started[1] == THEATER_OK) {
        assert_status(theater_router_cancel_send(f->a, ids[1]), THEATER_OK);
    }
    pass(&f->world, 20);
    drain(f->b);
}

static void names_and_permissions(struct faulty *f)
{
    static const char *const targets[] = {"a", "b*", "c"};
    theater_permissions_t grants = THEATER_PERMISSIONS_INIT;
    theater_endpoint_options_t options = THEATER_ENDPOINT_OPTIONS_INIT;
    grants.allowed_targets = targets;
    grants.allowed_targets_len = 3;
    options.permissions = &grants;
    options.on_full = THEATER_DROP_OLDEST;
    options.capacity = 4;
    for (int i = 0; i < 40; i++) {
        theater_endpoint_t *c = NULL;
        char name[16];
        int len = snprintf(name, sizeof(name), "name-%d", i);
        theater_status_t status = theater_router_register(
            f->world.router, name, (size_t)len, &options, &c);
        tolerate(status);
        if (status != THEATER_OK) {
            assert_null(c);
            assert_false(
                theater_router_has(f->world.router, name, (size_t)len));
            continue;
        }
        tolerate(send_text(&f->world, c, "b", "x"));
        for (int k = 0; k < 6; k++) {
            tolerate(send_text(&f->world, f->a, name, "x"));
        }
        leave(c);
    }
    drain(f->b);
}

static void resets(struct faulty *f)
{
    struct outcome outcome;
    tolerate(send_text(&f->world, f->a, "b", "1"));
    theater_status_t started =
        ask(&f->world, f->a, "b", "q", 1000, &outcome, NULL);
    tolerate(started);
    tolerate(send_text(&f->world, f->a, "b", "2"));
    theater_endpoint_reset(f->b, THEATER_CLOSED);
    settled(started, &outcome);
    drain(f->b);
}

typedef void scenario_fn(struct faulty *f);

/* One run. False: not even the world could be made. */
static bool run(scenario_fn *scenario, enum th_fault_kind kind, uint64_t k,
                bool once, uint64_t *out_failed)
{
    struct faulty f;
    theater_router_options_t options = THEATER_ROUTER_OPTIONS_INIT;
    memset(&f, 0, sizeof(f));
    assert_int_equal(th_sim_env_new(3, &f.world.sim), THEATER_OK);
    f.world.env = th_sim_env_table(f.world.sim);
    th_fault_env_init(&f.fault, f.world.env);
    th_fault_env_fail(&f.fault, kind, k, once);
    options.env = &f.fault.table;
    options.on_dead_letter = count_dead;
    options.user = &f.world;
    bool whole = false;
    if (theater_router_new(&options, &f.world.router) == THEATER_OK) {
        tolerate(theater_router_register(f.world.router, "a", 1, NULL, &f.a));
        tolerate(theater_router_register(f.world.router, "b", 1, NULL, &f.b));
        whole = f.a != NULL && f.b != NULL;
        if (whole) {
            scenario(&f);
        }
        if (f.a != NULL) {
            leave(f.a);
        }
        if (f.b != NULL) {
            leave(f.b);
        }
        theater_counters_t counters = counters_of(&f.world);
        assert_int_equal(counters.accepted,
                         counters.delivered + counters.dead_total);
        assert_int_equal(counters.pending, 0);
        assert_int_equal(counters.endpoints, 0);
        theater_router_release(f.world.router);
    } else {
        assert_null(f.world.router);
    }
    *out_failed = th_fault_env_failed(&f.fault, kind);
    assert_int_equal(th_fault_env_live(&f.fault), 0);
    assert_int_equal(th_fault_env_live_pages(&f.fault), 0);
    th_sim_env_delete(f.world.sim);
    return whole;
}

static void exhaust_kind(scenario_fn *scenario, enum th_fault_kind kind,
                         bool once)
{
    unsigned inside = 0;
    for (uint64_t k = 1;; k++) {
        uint64_t failed = 0;
        bool whole = run(scenario, kind, k, once, &failed);
        if (failed == 0) {
            assert_true(whole);
            break;
        }
        inside += whole;
        assert_true(k < 100000);
    }
    /* Some failed in the scenario itself; pages are mapped before it. */
    assert_true(inside > 0 || kind == TH_FAULT_MAP);
}

static void exhaust(scenario_fn *scenario)
{
    for (int once = 0; once < 2; once++) {
        exhaust_kind(scenario, TH_FAULT_ALLOC, once != 0);
        exhaust_kind(scenario, TH_FAULT_MAP, once != 0);
    }
}

#define EXHAUST(name)                                                          \
    static void name##_survive_a_lack_of_memory(void **state)                  \
    {                                                                          \
        (void)state;                                                           \
        exhaust(name);                                                         \
    }
EXHAUST(sends)
EXHAUST(batches_and_broadcasts)
EXHAUST(requests)
EXHAUST(waits)
EXHAUST(channels)
EXHAUST(timed_sends)
EXHAUST(names_and_permissions)
EXHAUST(resets)

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(sends_survive_a_lack_of_memory),
        cmocka_unit_test(batches_and_broadcasts_survive_a_lack_of_memory),
        cmocka_unit_test(requests_survive_a_lack_of_memory),
        cmocka_unit_test(waits_survive_a_lack_of_memory),
        cmocka_unit_test(channels_survive_a_lack_of_memory),
        cmocka_unit_test(timed_sends_survive_a_lack_of_memory),
        cmocka_unit_test(names_and_permissions_survive_a_lack_of_memory),
        cmocka_unit_test(resets_survive_a_lack_of_memory),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
