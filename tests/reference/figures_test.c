/* SPDX-License-Identifier: Apache-2.0 */
/* The figures of the reference that a test can hold without a benchmark: the
 * latency between two local actors, and a crowd that talks. The table of
 * throughputs is table.sh's. */
#include "../impossible/stage.h"

#include <stdlib.h>

enum { ROUNDS = 2000, CROWD = 1000 };

static struct stage stage;

static int by_value(const void *a, const void *b)
{
    uint64_t left = *(const uint64_t *)a;
    uint64_t right = *(const uint64_t *)b;
    return left < right ? -1 : left > right;
}

/* Each round: a host call of the guest, the router, a mailbox, the target's
 * export, and its answer back; measured around it, so that one request of this
 * thread is in it, too. */
static void
a_message_between_two_actors_takes_less_than_a_millisecond(void **state)
{
    static uint64_t took[ROUNDS];
    (void)state;
    stage_start(&stage, NULL);
    stage_actor(&stage, "a", "tests/guests/relay.wasm", NULL);
    stage_actor(&stage, "b", "tests/guests/relay.wasm", NULL);
    for (int i = 0; i < ROUNDS; i++) {
        uint64_t start = stage_now();
        assert_string_equal(stage_ask(&stage, "a", "b"), "end");
        took[i] = stage_now() - start;
    }
    qsort(took, ROUNDS, sizeof *took, by_value);
    print_message("p50 %llu ns, p90 %llu ns\n",
                  (unsigned long long)took[ROUNDS / 2],
                  (unsigned long long)took[ROUNDS * 9 / 10]);
    assert_true(took[ROUNDS / 2] < 1000000);
    stage_end(&stage);
}

/* A thousand actors, each of which asks the next: nobody's wait takes a
 * thread from the others. */
static void a_thousand_actors_wait_for_each_other_on_two_threads(void **state)
{
    char name[16];
    char next[16];
    (void)state;
    stage_start(&stage, NULL);
    theater_manifest_t *manifest = stage_manifest(
        "tests/guests/relay.wasm", NULL, "request_timeout = \"30s\"");
    for (int i = 0; i < CROWD; i++) {
        snprintf(name, sizeof name, "c-%d", i);
        stage_spawn(&stage, name, manifest, NULL);
    }
    /* A chain without an end that closes: the last one is asked nothing. */
    for (int i = 0; i < CROWD - 1; i++) {
        snprintf(name, sizeof name, "c-%d", i);
        snprintf(next, sizeof next, "c-%d", i + 1);
        assert_int_equal(stage_send(&stage, name, next), THEATER_OK);
    }
    stage_quiet(&stage);
    assert_int_equal(stage_told(&stage, "log c-"), CROWD - 1);
    assert_int_equal(stage_counters(&stage).ended[THEATER_OK], CROWD - 1);
    theater_manifest_release(manifest);
    stage_end(&stage);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(
            a_message_between_two_actors_takes_less_than_a_millisecond),
        cmocka_unit_test(a_thousand_actors_wait_for_each_other_on_two_threads),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
