/* SPDX-License-Identifier: Apache-2.0 */
/* Guests in a seeded world: the same seed gives the same events, whoever
 * looks; other seeds give other orders; and a bug that only some orders show
 * is found, and found again by its seed. The modules are compiled once, into
 * a folder that all runs share. THEATER_TEST_SEED (0) and THEATER_TEST_SEEDS
 * (1,000) say which seeds are each played twice. */
#include "stage.h"

#include "../distinct.h"

#include <stdlib.h>
#include <unistd.h>

enum { SEEDS = 1000, PINGS = 4, DEPOSITORS = 3 };

static char cache_dir[] = "/tmp/theater-simulation-XXXXXX";

/* What was told, in order: a hash of our own beside the runtime's. */
struct told {
    uint64_t hash;
    unsigned pings, pongs;
};

static void on_line(void *user, const char *line)
{
    struct told *told = user;
    told->hash = th_hash64(line, strlen(line), told->hash);
    told->pings += strncmp(line, "log ping", 8) == 0;
    told->pongs += strncmp(line, "log pong: ping ", 15) == 0;
}

static void spawn_file(struct stage *stage, const char *name, const char *file)
{
    theater_manifest_t *manifest;
    theater_error_t err;
    char path[512];
    snprintf(path, sizeof path, "%s/%s", stage_folder(), file);
    assert_int_equal(theater_manifest_load_file(path, NULL, &manifest, &err),
                     THEATER_OK);
    assert_int_equal(stage_try_spawn(stage, name, manifest, NULL, true),
                     THEATER_OK);
    theater_manifest_release(manifest);
}

struct hashes {
    uint64_t events; /* of the runtime */
    uint64_t told;   /* of what this test saw */
};

static struct hashes play_ping_pong(uint64_t seed)
{
    static struct stage stage;
    struct told told = {0};
    struct hashes hashes;
    char name[16];

    stage_start(&stage, &(struct stage_options){.simulated = true,
                                                .seed = seed,
                                                .cache_dir = cache_dir,
                                                .on_line = on_line,
                                                .user = &told});
    spawn_file(&stage, "pong", "examples/ping_pong/pong.toml");
    for (int i = 0; i < PINGS; i++) {
        snprintf(name, sizeof name, "ping-%d", i);
        spawn_file(&stage, name, "examples/ping_pong/ping.toml");
    }
    theater_runtime_start_all(stage.runtime);
    theater_runtime_simulate(stage.runtime, UINT64_MAX, &hashes.events);
    hashes.told = told.hash;
    assert_int_equal(told.pings, 3 * PINGS);
    assert_int_equal(told.pongs, 3 * PINGS);
    theater_counters_t counters = stage_counters(&stage);
    assert_int_equal(counters.ended[THEATER_OK], 3 * PINGS);
    assert_int_equal(counters.accepted, 3 * PINGS);
    stage_end(&stage);
    return hashes;
}

static uint64_t number_of(const char *variable, uint64_t otherwise)
{
    const char *text = getenv(variable);
    return text != NULL && *text != '\0' ? strtoull(text, NULL, 0) : otherwise;
}

static void each_of_a_thousand_seeds_gives_the_same_events_twice(void **state)
{
    uint64_t first_seed = number_of("THEATER_TEST_SEED", 0);
    size_t seeds = (size_t)number_of("THEATER_TEST_SEEDS", SEEDS);
    uint64_t *events = calloc(seeds, sizeof *events);
    uint64_t *told = calloc(seeds, sizeof *told);
    (void)state;
    assert_true(seeds >= 200 && events != NULL && told != NULL);
    for (size_t i = 0; i < seeds; i++) {
        uint64_t seed = first_seed + i;
        struct hashes first = play_ping_pong(seed);
        struct hashes again = play_ping_pong(seed);
        if (first.events != again.events || first.told != again.told) {
            fail_msg("seed %llu gave two runs", (unsigned long long)seed);
        }
        events[i] = first.events;
        told[i] = first.told;
    }
    size_t different = distinct_count(events, seeds);
    size_t orders = distinct_count(told, seeds);
    print_message("%zu seeds: %zu event hashes, %zu orders of lines\n", seeds,
                  different, orders);
    free(events);
    free(told);
    assert_true(different >= 100);
    assert_true(orders >= 100);
}

/* Three deposit 3 each; answers what the account has then. */
static unsigned long play_deposits(uint64_t seed, const char *module)
{
    static struct stage stage;
    struct told told = {0};
    char name[16];

    stage_start(&stage, &(struct stage_options){.simulated = true,
                                                .seed = seed,
                                                .cache_dir = cache_dir,
                                                .on_line = on_line,
                                                .user = &told});
    theater_manifest_t *account =
        stage_manifest("tests/impossible/account.wasm", NULL, NULL);
    theater_manifest_t *depositor = stage_manifest(module, NULL, NULL);
    stage_spawn(&stage, "account", account, NULL);
    for (int i = 0; i < DEPOSITORS; i++) {
        snprintf(name, sizeof name, "depositor-%d", i);
        assert_int_equal(stage_try_spawn(&stage, name, depositor, NULL, true),
                         THEATER_OK);
    }
    theater_runtime_start_all(stage.runtime);
    stage_quiet(&stage);
    unsigned long balance =
        strtoul(stage_ask(&stage, "account", "get"), NULL, 10);
    theater_manifest_release(account);
    theater_manifest_release(depositor);
    stage_end(&stage);
    return balance;
}

static void a_planted_bug_of_order_is_found_and_found_again(void **state)
{
    (void)state;
    unsigned found = 0;
    unsigned passed = 0;
    for (uint64_t seed = 0; seed < 200; seed++) {
        unsigned long balance =
            play_deposits(seed, "tests/impossible/hasty_depositor.wasm");
        if (balance == 3 * DEPOSITORS) {
            passed++;
            continue;
        }
        found++;
        /* Its seed is enough to see it again. */
        assert_int_equal(
            play_deposits(seed, "tests/impossible/hasty_depositor.wasm"),
            balance);
    }
    print_message("the bug shows under %u of %u seeds\n", found,
                  found + passed);
    assert_true(found > 0);
    assert_true(passed > 0);
}

static void without_the_bug_no_seed_shows_it(void **state)
{
    (void)state;
    for (uint64_t seed = 0; seed < 200; seed++) {
        assert_int_equal(play_deposits(seed, "tests/impossible/depositor.wasm"),
                         3 * DEPOSITORS);
    }
}

static int make_cache(void **state)
{
    (void)state;
    return mkdtemp(cache_dir) == NULL;
}

static int remove_cache(void **state)
{
    char command[128];
    (void)state;
    snprintf(command, sizeof command, "rm -rf '%s'", cache_dir);
    return system(command);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(each_of_a_thousand_seeds_gives_the_same_events_twice),
        cmocka_unit_test(a_planted_bug_of_order_is_found_and_found_again),
        cmocka_unit_test(without_the_bug_no_seed_shows_it),
    };
    return cmocka_run_group_tests(tests, make_cache, remove_cache);
}
