/* SPDX-License-Identifier: Apache-2.0 */
/* A flood at an actor whose own handler sends: it must not stop the router,
 * slow those who have nothing to do with it, or take more memory than its
 * mailbox has. */
#include "stage.h"

#include <stdlib.h>
#include <unistd.h>

enum { ROUNDS = 400, CAPACITY = 100, FLOODERS = 4 };

static struct stage stage;

static uint64_t resident_bytes(void)
{
    unsigned long size = 0;
    unsigned long resident = 0;
    FILE *file = fopen("/proc/self/statm", "r");
    assert_non_null(file);
    assert_int_equal(fscanf(file, "%lu %lu", &size, &resident), 2);
    fclose(file);
    return resident * (uint64_t)sysconf(_SC_PAGESIZE);
}

static int by_value(const void *a, const void *b)
{
    uint64_t left = *(const uint64_t *)a;
    uint64_t right = *(const uint64_t *)b;
    return left < right ? -1 : left > right;
}

struct round_trips {
    uint64_t p50, p99; /* nanoseconds */
};

/* A request to one bystander, which asks the other. */
static struct round_trips talk_aside(void)
{
    static uint64_t took[ROUNDS];
    for (int i = 0; i < ROUNDS; i++) {
        uint64_t start = stage_now();
        assert_string_equal(stage_ask(&stage, "left", "right"), "end");
        took[i] = stage_now() - start;
    }
    qsort(took, ROUNDS, sizeof *took, by_value);
    return (struct round_trips){took[ROUNDS / 2], took[ROUNDS * 99 / 100]};
}

static uint64_t sent_so_far(const char *who)
{
    return strtoull(stage_ask(&stage, who, "?"), NULL, 10);
}

static void start_flood(const char *when_full)
{
    char keys[128];
    char name[16];
    snprintf(keys, sizeof keys,
             "mailbox_capacity = %d\nwhen_full = \"%s\"\n"
             "send_timeout = \"100ms\"",
             CAPACITY, when_full);
    /* Amplifiers in a ring, two messages for each that comes: full at once,
     * and for ever. */
    theater_manifest_t *manifest =
        stage_manifest("tests/guests/amplifier.wasm", NULL, keys);
    for (int i = 0; i < FLOODERS; i++) {
        char next[16];
        snprintf(name, sizeof name, "amp-%d", i);
        snprintf(next, sizeof next, "amp-%d", (i + 1) % FLOODERS);
        stage_spawn(&stage, name, manifest, next);
    }
    theater_manifest_release(manifest);
    for (int i = 0; i < FLOODERS; i++) {
        snprintf(name, sizeof name, "amp-%d", i);
        assert_int_equal(stage_send(&stage, name, "flood"), THEATER_OK);
    }
}

static void flood(const char *when_full, uint64_t at_least)
{
    stage_start(&stage, NULL);
    stage_actor(&stage, "left", "tests/guests/relay.wasm", NULL);
    stage_actor(&stage, "right", "tests/guests/relay.wasm", NULL);
    struct round_trips idle = talk_aside();

    start_flood(when_full);
    (void)talk_aside();
    uint64_t memory = resident_bytes();
    struct round_trips flooded = talk_aside();
    /* On until there was a flood to speak of. */
    uint64_t deadline = stage_now() + UINT64_C(30000000000);
    while (stage_counters(&stage).delivered < at_least) {
        assert_true(stage_now() < deadline);
        flooded = talk_aside();
    }
    uint64_t queued = stage_counters(&stage).queued;
    uint64_t grown = resident_bytes() - memory;
    print_message("%s: aside p50 %llu us, p99 %llu us (idle: %llu, %llu)\n",
                  when_full, (unsigned long long)flooded.p50 / 1000,
                  (unsigned long long)flooded.p99 / 1000,
                  (unsigned long long)idle.p50 / 1000,
                  (unsigned long long)idle.p99 / 1000);
    /* One time slice per flooder and hop is what is shared by right; a router
     * that is held up by the flood takes for ever. */
    assert_true(flooded.p50 < UINT64_C(50000000));
    assert_true(queued <= (CAPACITY + 1) * FLOODERS + 2);
    assert_true((int64_t)grown < 16 << 20);

    theater_runtime_stop_all(stage.runtime, "enough");
    assert_int_equal(
        theater_runtime_wait(stage.runtime, THEATER_WAIT_STOPPED, 20000),
        THEATER_OK);
    theater_counters_t counters = stage_counters(&stage);
    assert_int_equal(counters.queued, 0);
    stage_end(&stage);
}

static void who_refuses_slows_nobody(void **state)
{
    (void)state;
    flood("error", 300000);
}

/* All wait for the room that only they could make: the wait ends with
 * mailbox-full at once, as a cycle, and never takes a worker along. */
static void who_waits_slows_nobody(void **state)
{
    (void)state;
    flood("wait", 20000);
}

/* The naive design sends from inside the receiving loop into its own full
 * queue, and waits for itself. */
static void an_actor_that_floods_itself_answers_still(void **state)
{
    (void)state;
    stage_start(&stage, NULL);
    stage_actor(&stage, "amp", "tests/guests/amplifier.wasm",
                "mailbox_capacity = 8");
    assert_int_equal(stage_send(&stage, "amp", "go"), THEATER_OK);
    uint64_t before = 0;
    for (int i = 0; i < 20; i++) {
        /* Its mailbox is full nearly always. */
        uint64_t now = 0;
        for (int tries = 0; tries < 1000000 && now == 0; tries++) {
            now = sent_so_far("amp");
        }
        assert_true(now > before);
        before = now;
    }
    stage_end(&stage);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(who_refuses_slows_nobody),
        cmocka_unit_test(who_waits_slows_nobody),
        cmocka_unit_test(an_actor_that_floods_itself_answers_still),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
