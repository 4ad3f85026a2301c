/* SPDX-License-Identifier: Apache-2.0 */
/* Every number that a manifest may set as a bound is one: what comes to one
 * less and to just so much is accepted, one more is refused, by an error that
 * names the key. The cases are those of the tables of keys: a key that is added
 * and has none here fails the test. */
#include "world.h"

#include "handlers/message_server/server.h"

static char long_text[1 << 16];

/* So many times the letter x. */
static const char *letters(uint32_t len)
{
    assert_true(len < sizeof long_text);
    memset(long_text, 'x', len);
    long_text[len] = '\0';
    return long_text;
}

static char line_text[1 << 17];

__attribute__((format(printf, 1, 2))) static const char *
line(const char *format, ...)
{
    va_list list;
    va_start(list, format);
    int len = vsnprintf(line_text, sizeof line_text, format, list);
    va_end(list);
    assert_true(len > 0 && (size_t)len < sizeof line_text);
    return line_text;
}

static void ordered(struct world *world, const char *name, const char *rest)
{
    assert_status(
        theater_router_send(world->router, NULL, text(name), text(rest)),
        THEATER_OK);
}

/* A driver that is registered and handles nothing. */
static void box(struct world *world, const char *keys)
{
    theater_manifest_t *manifest = manifest_for("driver", NULL, keys);
    theater_spawn_options_t options = THEATER_SPAWN_OPTIONS_INIT;
    options.paused = true;
    assert_status(theater_runtime_spawn(world->runtime, "box", manifest,
                                        &options, &world->err),
                  THEATER_OK);
    theater_manifest_release(manifest);
}

static void mailbox_capacity(struct world *world, const char *key, uint32_t n)
{
    driver(world, "a", "when_full = \"error\"");
    box(world, line("%s = %u", key, n));
    expect(world, "a", line("flood box %u m", n - 1),
           n > 1 ? (snprintf(long_text, 32, "ok %u", n - 1), long_text)
                 : "ok 0");
    expect(world, "a", "send box m", "ok");
    refuse(world, "a", "send box m", "mailbox-full", key);
    expect(world, "a", "flood box 10 m", "ok 0");
}

static void mailbox_bytes(struct world *world, const char *key, uint32_t n)
{
    driver(world, "a", "when_full = \"error\"");
    box(world, line("%s = %u", key, n));
    if (n > 1) {
        expect(world, "a", line("send box %s", letters(n - 1)), "ok");
    }
    expect(world, "a", "send box x", "ok");
    refuse(world, "a", "send box x", "mailbox-full", key);
}

static void opens(struct world *world, const char *key, uint32_t n,
                  const char *code)
{
    char first[64] = "";
    for (uint32_t i = 0; i < n; i++) {
        const char *got = command(world, "a", "open b hello");
        assert_memory_equal(got, "ok ", 3);
        snprintf(first, sizeof first, "%s", got + 3);
    }
    refuse(world, "a", "open b hello", code, key);
    expect(world, "a", line("close %s", first), "ok");
    const char *got = "error";
    until(strncmp(got = command(world, "a", "open b hello"), "ok ", 3) == 0);
    refuse(world, "a", "open b hello", code, key);
}

static void max_channels(struct world *world, const char *key, uint32_t n)
{
    driver(world, "a", line("%s = %u", key, n));
    driver(world, "b", NULL);
    opens(world, key, n, "mailbox-full");
}

static void max_channels_of_the_target(struct world *world, const char *key,
                                       uint32_t n)
{
    driver(world, "b", line("%s = %u", key, n));
    driver(world, "a", NULL);
    opens(world, key, n, "rejected");
}

/* A channel to `b`, which handles nothing any more. */
static void open_and_block(struct world *world, char id[64])
{
    const char *got = command(world, "a", "open b hello");
    assert_memory_equal(got, "ok ", 3);
    snprintf(id, 64, "%s", got + 3);
    ordered(world, "b", "!sleep 600000");
    until(waits(world, "b"));
}

static void channel_credit(struct world *world, const char *key, uint32_t n)
{
    char id[64];
    driver(world, "a", "when_full = \"error\"");
    driver(world, "b", line("%s = %u", key, n));
    open_and_block(world, id);
    for (uint32_t i = 0; i < n; i++) {
        expect(world, "a", line("channel %s m", id), "ok");
    }
    refuse(world, "a", line("channel %s m", id), "mailbox-full", key);
}

static void channel_credit_bytes(struct world *world, const char *key,
                                 uint32_t n)
{
    char id[64];
    driver(world, "a", "when_full = \"error\"");
    driver(world, "b", line("%s = %u", key, n));
    open_and_block(world, id);
    if (n > 1) {
        expect(world, "a", line("channel %s %s", id, letters(n - 1)), "ok");
    }
    expect(world, "a", line("channel %s x", id), "ok");
    refuse(world, "a", line("channel %s x", id), "mailbox-full", key);
}

static _Atomic unsigned answered;

static void on_answer(void *user, theater_status_t status,
                      theater_answer_t *answer)
{
    (void)user;
    theater_answer_delete(answer);
    if (status == THEATER_OK) {
        atomic_fetch_add_explicit(&answered, 1, memory_order_release);
    }
}

static void max_requests(struct world *world, const char *key, uint32_t n)
{
    atomic_store_explicit(&answered, 0, memory_order_relaxed);
    driver(world, "b", line("%s = %u", key, n));
    for (uint32_t i = 0; i < n; i++) {
        assert_status(theater_router_request_start(
                          world->router, NULL, text("b"), text("defer"), 30000,
                          on_answer, NULL, NULL),
                      THEATER_PENDING);
    }
    /* That one is not deferred, so its answer says why. */
    refuse(world, "b", "defer", "mailbox-full", key);
    assert_int_equal(count_of(&answered), 0);
    expect(world, "b", "respond-all x", "x"); /* itself is one of them */
    until(count_of(&answered) == n);
}

static void max_timers(struct world *world, const char *key, uint32_t n)
{
    char id[64] = "";
    driver(world, "a", line("%s = %u", key, n));
    for (uint32_t i = 0; i < n; i++) {
        const char *got = command(world, "a", "after a 600000 x");
        assert_memory_equal(got, "ok ", 3);
        snprintf(id, sizeof id, "%s", got + 3);
    }
    refuse(world, "a", "after a 600000 x", "mailbox-full", key);
    expect(world, "a", line("cancel-send %s", id), "ok");
    assert_memory_equal(command(world, "a", "after a 600000 x"), "ok ", 3);
    refuse(world, "a", "after a 600000 x", "mailbox-full", key);
}

static char failure[256];
static _Atomic unsigned failures;

static void on_failure(void *user, const theater_event_t *event)
{
    (void)user;
    if (event->kind == THEATER_ACTOR_FAILED) {
        snprintf(failure, sizeof failure, "%s: %s",
                 theater_status_name(event->status), event->text);
        atomic_fetch_add_explicit(&failures, 1, memory_order_release);
    }
}

/* In pages above the first. One that grows until it is refused has just so
 * many; one that can't go on without more fails, and the limit is named. (One
 * that needs more from the start: wasm.limits.) */
static void memory(struct world *world, const char *key, uint32_t n)
{
    char top[64];
    unsigned before = count_of(&failures);
    snprintf(top, sizeof top, "[limits]\n%s = \"%uKiB\"\n", key, n * 64);
    assert_status(try_spawn(world, "grower", "just", top, NULL), THEATER_OK);
    assert_status(request(world, "just", "grow"), THEATER_OK);
    assert_string_equal(world->answer, line("%u", n));
    assert_int_equal(count_of(&failures), before);
    ordered(world, "just", "bomb");
    until(count_of(&failures) == before + 1);
    if (strstr(failure, key) == NULL) {
        fail_msg("%s is not named: %s", key, failure);
    }
}

struct limit {
    const char *key;
    void (*hold)(struct world *world, const char *key, uint32_t n);
};

static const struct limit limits[] = {
    {"mailbox_capacity", mailbox_capacity},
    {"mailbox_bytes", mailbox_bytes},
    {"max_channels", max_channels},
    {"max_channels", max_channels_of_the_target},
    {"channel_credit", channel_credit},
    {"channel_credit_bytes", channel_credit_bytes},
    {"max_requests", max_requests},
    {"max_timers", max_timers},
    {"memory", memory},
};

/* Times are held by wasm.limits and handler.waits; a count of actors or of
 * restarts is no bound of an actor's. */
static bool is_bound(const theater_key_t *key)
{
    return key->type == THEATER_KEY_INT || key->type == THEATER_KEY_SIZE;
}

static unsigned hold_key(const theater_key_t *key)
{
    static const uint32_t values[] = {1, 2, 3, 15, 16, 17, 64};
    unsigned held = 0;
    for (size_t i = 0; i < sizeof limits / sizeof limits[0]; i++) {
        if (strcmp(limits[i].key, key->name) != 0) {
            continue;
        }
        for (size_t k = 0; k < sizeof values / sizeof values[0]; k++) {
            struct world world;
            struct world_options options = WORLD_OPTIONS;
            options.on_event = on_failure;
            world_make(&world, &options);
            limits[i].hold(&world, key->name, values[k]);
            world_fini(&world);
        }
        held++;
    }
    return held;
}

static void every_key_s_bound_holds_and_is_named(void **state)
{
    size_t groups_len;
    unsigned held = 0;
    const theater_key_group_t *groups = theater_key_groups(&groups_len);
    (void)state;
    for (size_t i = 0; i < TH_MS_KEYS; i++) {
        const theater_key_t *key = &th_ms_keys[i];
        if (is_bound(key)) {
            unsigned one = hold_key(key);
            if (one == 0) {
                fail_msg("no case for the bound %s", key->name);
            }
            held += one;
        }
    }
    for (size_t g = 0; g < groups_len; g++) {
        for (size_t i = 0; i < groups[g].keys_len; i++) {
            const theater_key_t *key = &groups[g].keys[i];
            if (strcmp(groups[g].section, "limits") == 0 && is_bound(key)) {
                unsigned one = hold_key(key);
                if (one == 0) {
                    fail_msg("no case for the limit %s", key->name);
                }
                held += one;
            }
        }
    }
    assert_int_equal(held, sizeof limits / sizeof limits[0]);
}

/* --- Bounds of the embedder ----------------------------------------------- */

static void a_message_of_the_largest_size_passes_and_no_larger(void **state)
{
    static const uint32_t values[] = {1, 100, 4096, 65537};
    (void)state;
    for (size_t i = 0; i < sizeof values / sizeof values[0]; i++) {
        uint32_t n = values[i];
        struct world world;
        struct world_options options = WORLD_OPTIONS;
        options.router.max_message_bytes = n;
        world_make(&world, &options);
        theater_endpoint_t *end = NULL;
        assert_status(
            theater_router_register(world.router, "box", 3, NULL, &end),
            THEATER_OK);
        memset(line_text, 'x', n + 1);
        for (uint32_t len = n - 1; len <= n + 1; len++) {
            theater_bytes_t data = {(const uint8_t *)line_text, len};
            assert_status(
                theater_router_send(world.router, NULL, text("box"), data),
                len <= n ? THEATER_OK : THEATER_TOO_LARGE);
        }
        theater_endpoint_unregister(end, THEATER_OK);
        world_fini(&world);
    }
}

static void the_router_s_names_and_operations_are_bounded(void **state)
{
    (void)state;
    for (uint32_t n = 1; n <= 5; n += 2) {
        struct world world;
        struct world_options options = WORLD_OPTIONS;
        options.router.max_endpoints = n;
        options.router.max_pending = n;
        world_make(&world, &options);
        for (uint32_t i = 0; i < n; i++) {
            driver(&world, line("a%u", i), NULL);
        }
        assert_status(try_spawn(&world, "driver", "more", NULL, NULL),
                      THEATER_MAILBOX_FULL);
        assert_non_null(strstr(world.err.text, "max_endpoints"));
        /* A request of the test's own is one of them while it is asked. */
        ordered(&world, "a0", line("!after a0 600000 x"));
        for (uint32_t i = 1; i < n; i++) {
            ordered(&world, "a0", "!after a0 600000 x");
        }
        ordered(&world, "a0", "!after a0 600000 x");
        theater_counters_t counters;
        until((theater_router_counters(world.router, &counters),
               counters.delivered == n + 1));
        assert_int_equal(counters.pending, n);
        theater_answer_t *answer = NULL;
        assert_status(theater_router_request(world.router, NULL, text("a0"),
                                             text("heard"), 1000, &answer),
                      THEATER_MAILBOX_FULL);
        assert_null(answer);
        world_fini(&world);
    }
}

static char logged[16384];
static _Atomic unsigned logged_times;

static void on_log(void *user, const theater_event_t *event)
{
    (void)user;
    if (event->kind == THEATER_ACTOR_LOG && event->actor[0] != '\0') {
        snprintf(logged, sizeof logged, "%s", event->text);
        atomic_fetch_add_explicit(&logged_times, 1, memory_order_release);
    }
}

static void
a_line_of_the_longest_length_is_whole_and_a_longer_one_cut(void **state)
{
    struct world world;
    struct world_options options = WORLD_OPTIONS;
    enum { LONGEST = 8 << 10 };
    unsigned times = 0;
    (void)state;
    options.on_event = on_log;
    options.user = &world;
    world_make(&world, &options);
    driver(&world, "a", NULL);
    for (unsigned len = LONGEST - 1; len <= LONGEST + 1; len++) {
        expect(&world, "a", line("log-size %u", len), "ok");
        times++;
        until(count_of(&logged_times) == times);
        bool cut = strstr(logged, " [cut: 8193 bytes]") != NULL;
        assert_int_equal(cut, len > LONGEST);
        assert_int_equal(strlen(logged), len <= LONGEST ? len : LONGEST);
    }
    world_fini(&world);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_key_s_bound_holds_and_is_named),
        cmocka_unit_test(a_message_of_the_largest_size_passes_and_no_larger),
        cmocka_unit_test(the_router_s_names_and_operations_are_bounded),
        cmocka_unit_test(
            a_line_of_the_longest_length_is_whole_and_a_longer_one_cut),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
