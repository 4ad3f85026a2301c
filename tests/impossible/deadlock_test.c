/* SPDX-License-Identifier: Apache-2.0 */
/* Guests that ask each other round a cycle: one of them is told `deadlock` at
 * once, long before any deadline; a chain as long as the cycle is none. */
#include "stage.h"

enum { MOST = 64 };

/* Far below the deadline of a request, far above what a busy machine needs. */
#define AT_ONCE_NS UINT64_C(3000000000)

static struct stage stage;

static void spawn_relays(int count)
{
    theater_manifest_t *manifest = stage_manifest(
        "tests/guests/relay.wasm", NULL, "request_timeout = \"20s\"");
    char name[16];
    for (int i = 0; i < count; i++) {
        snprintf(name, sizeof name, "r%d", i);
        stage_spawn(&stage, name, manifest, NULL);
    }
    theater_manifest_release(manifest);
}

/* r1/r2/.../r(count-1), and back to r0 if it is to be a cycle. */
static void write_path(char *path, size_t size, int count, bool cycle)
{
    size_t at = 0;
    path[0] = 0;
    for (int i = 1; i < count; i++) {
        at += (size_t)snprintf(path + at, size - at, "r%d/", i);
    }
    snprintf(path + at, size - at, "%s", cycle ? "r0" : "");
    if (!cycle && at > 0) {
        path[at - 1] = 0;
    }
}

static void round_a_cycle_of(int count)
{
    char path[512];
    stage_start(&stage, NULL);
    spawn_relays(count);
    for (int i = 0; i < 5; i++) {
        write_path(path, sizeof path, count, true);
        uint64_t start = stage_now();
        assert_string_equal(stage_ask(&stage, "r0", path), "deadlock");
        assert_true(stage_now() - start < AT_ONCE_NS);
        assert_int_equal(stage.status, THEATER_FAILED);
        /* The same way without its last step is none. */
        write_path(path, sizeof path, count, false);
        assert_string_equal(stage_ask(&stage, "r0", path), "end");
    }
    theater_counters_t counters = stage_counters(&stage);
    assert_int_equal(counters.ended[THEATER_DEADLOCK] +
                         counters.refused[THEATER_DEADLOCK],
                     5);
    assert_int_equal(counters.ended[THEATER_TIMEOUT], 0);
    stage_end(&stage);
}

static void a_request_to_oneself_is_refused(void **state)
{
    (void)state;
    round_a_cycle_of(1);
}

static void a_cycle_of_two_is_refused(void **state)
{
    (void)state;
    round_a_cycle_of(2);
}

static void a_cycle_of_three_is_refused(void **state)
{
    (void)state;
    round_a_cycle_of(3);
}

static void a_cycle_of_sixty_four_is_refused(void **state)
{
    (void)state;
    round_a_cycle_of(MOST);
}

/* Each of 64 asks the next, all at the same time: the cycle comes to be from
 * all sides, some request closes it, and all the others are answered. */
static void a_cycle_that_closes_everywhere_at_once_is_refused(void **state)
{
    (void)state;
    char name[16];
    char next[16];
    stage_start(&stage, NULL);
    spawn_relays(MOST);
    uint64_t start = stage_now();
    for (int i = 0; i < MOST; i++) {
        snprintf(name, sizeof name, "r%d", i);
        snprintf(next, sizeof next, "r%d", (i + 1) % MOST);
        assert_int_equal(stage_send(&stage, name, next), THEATER_OK);
    }
    stage_await(&stage, "log r", MOST);
    assert_true(stage_now() - start < 2 * AT_ONCE_NS);
    theater_counters_t counters = stage_counters(&stage);
    assert_int_equal(counters.ended[THEATER_TIMEOUT], 0);
    stage_end(&stage);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_request_to_oneself_is_refused),
        cmocka_unit_test(a_cycle_of_two_is_refused),
        cmocka_unit_test(a_cycle_of_three_is_refused),
        cmocka_unit_test(a_cycle_of_sixty_four_is_refused),
        cmocka_unit_test(a_cycle_that_closes_everywhere_at_once_is_refused),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
