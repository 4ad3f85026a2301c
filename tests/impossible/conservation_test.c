/* SPDX-License-Identifier: Apache-2.0 */
/* Accepted means accounted for, with guests: while actors trap, stop, restart
 * and are stopped and spawned again under load, each message that a sender
 * was told to be accepted is handled once or is one dead letter. The ledger
 * is this test's: it hears of both from the actors' own lines and from the
 * hook for dead letters, not from the router's counters. */
#include "stage.h"

#include <stdlib.h>

enum { SENDERS = 4, TARGETS = 8, MESSAGES = 20000 };

struct ledger {
    _Atomic uint8_t in[SENDERS][MESSAGES];
    _Atomic uint8_t maybe[SENDERS][MESSAGES]; /* times that it can't be said */
    _Atomic uint8_t handled[SENDERS][MESSAGES];
    _Atomic uint8_t dead[SENDERS][MESSAGES];
    int last[TARGETS][SENDERS]; /* plain ones; by who runs the target */
    _Atomic unsigned disordered, foreign, ends, traps, restarts, stops;
};

static struct ledger ledger;
static struct stage stage;

static bool read_entry(const char *text, unsigned *sender, unsigned *number,
                       char *kind)
{
    return sscanf(text, "%u %u %15s", sender, number, kind) == 3 &&
           *sender < SENDERS && *number < MESSAGES;
}

static void count(_Atomic uint8_t *entry)
{
    /* relaxed: read when all is quiet */
    atomic_fetch_add_explicit(entry, 1, memory_order_relaxed);
}

static void count_one(_Atomic unsigned *value)
{
    atomic_fetch_add_explicit(value, 1, memory_order_relaxed);
}

static void check_order(const char *line, unsigned sender, unsigned number)
{
    unsigned target = (unsigned)(line[6] - '0');
    if (target >= TARGETS || ledger.last[target][sender] >= (int)number) {
        count_one(&ledger.disordered);
        return;
    }
    ledger.last[target][sender] = (int)number;
}

static void on_line(void *user, const char *line)
{
    unsigned sender;
    unsigned number;
    char kind[16];
    (void)user;
    if (strncmp(line, "failed t-", 9) == 0) {
        count_one(&ledger.traps);
    } else if (strncmp(line, "restarted t-", 12) == 0) {
        count_one(&ledger.restarts);
    } else if (strncmp(line, "stopped t-", 10) == 0) {
        count_one(&ledger.stops);
    } else if (strncmp(line, "log s-", 6) == 0 && strstr(line, ": end")) {
        count_one(&ledger.ends);
    }
    const char *entry = strncmp(line, "log ", 4) == 0 ? line + 9 : "";
    if (strncmp(entry, "in ", 3) == 0) {
        if (!read_entry(entry + 3, &sender, &number, kind)) {
            count_one(&ledger.foreign);
            return;
        }
        count(&ledger.in[sender][number]);
    } else if (strncmp(entry, "maybe ", 6) == 0) {
        if (!read_entry(entry + 6, &sender, &number, kind)) {
            count_one(&ledger.foreign);
            return;
        }
        count(&ledger.maybe[sender][number]);
    } else if (strncmp(entry, "out ", 4) == 0) {
        if (!read_entry(entry + 4, &sender, &number, kind)) {
            count_one(&ledger.foreign);
            return;
        }
        count(&ledger.handled[sender][number]);
        if (strcmp(kind, "plain") == 0) {
            check_order(line, sender, number);
        }
    }
}

static void on_dead_letter(void *user, const theater_dead_letter_t *letter)
{
    unsigned sender;
    unsigned number;
    char kind[16];
    char text[64];
    (void)user;
    snprintf(text, sizeof text, "%.*s", (int)letter->data.len,
             (const char *)letter->data.data);
    if (!read_entry(text, &sender, &number, kind)) {
        count_one(&ledger.foreign);
        return;
    }
    count(&ledger.dead[sender][number]);
}

static theater_manifest_t *target_manifest(int i)
{
    /* Half of them are started again, with a mailbox that is often full. */
    return stage_manifest("tests/impossible/ledger_target.wasm",
                          i % 2 == 0 ? "restart = \"on-failure\"\n"
                                       "max_restarts = 100000\n"
                                       "restart_backoff = \"0s\""
                                     : "",
                          i % 4 < 2 ? "mailbox_capacity = 8"
                                    : "mailbox_capacity = 8\n"
                                      "on_full = \"drop-oldest\"");
}

static void bring_senders(void)
{
    char name[8];
    char state[16];
    snprintf(state, sizeof state, "%d", MESSAGES);
    for (int i = 0; i < SENDERS; i++) {
        theater_manifest_t *manifest = stage_manifest(
            "tests/impossible/ledger_sender.wasm",
            "[limits]\nrun_time = \"unlimited\"",
            i % 2 == 0 ? "when_full = \"wait\"\nsend_timeout = \"20ms\""
                       : "when_full = \"error\"");
        snprintf(name, sizeof name, "s-%d", i);
        stage_spawn(&stage, name, manifest, state);
        theater_manifest_release(manifest);
    }
}

/* Stops one after the other and brings back who is gone, until all is sent. */
static void make_trouble(theater_manifest_t *const *manifests)
{
    uint64_t deadline = stage_now() + UINT64_C(60000000000);
    struct th_rng rng;
    char name[8];
    th_rng_init(&rng, 5);
    while (atomic_load_explicit(&ledger.ends, memory_order_relaxed) < SENDERS) {
        assert_true(stage_now() < deadline);
        for (int i = 0; i < TARGETS; i++) {
            snprintf(name, sizeof name, "t-%d", i);
            if (th_rng_below(&rng, 300) == 0) {
                /* NOT_FOUND: it has stopped by itself */
                (void)!theater_runtime_stop(stage.runtime, name, "trouble");
            }
            theater_status_t status =
                stage_try_spawn(&stage, name, manifests[i], NULL, false);
            assert_true(status == THEATER_OK ||
                        status == THEATER_ALREADY_EXISTS);
        }
    }
}

static void settle(void)
{
    unsigned handled = 0;
    unsigned dead = 0;
    unsigned wrong = 0;
    for (unsigned s = 0; s < SENDERS; s++) {
        for (unsigned n = 0; n < MESSAGES; n++) {
            handled += ledger.handled[s][n];
            dead += ledger.dead[s][n];
            int out = ledger.handled[s][n] + ledger.dead[s][n];
            if (out < ledger.in[s][n] ||
                out > ledger.in[s][n] + ledger.maybe[s][n] ||
                ledger.handled[s][n] > 1) {
                if (wrong++ < 10) {
                    print_error("%u %u: accepted %u, handled %u, dead %u\n", s,
                                n, ledger.in[s][n], ledger.handled[s][n],
                                ledger.dead[s][n]);
                }
            }
        }
    }
    print_message("%u handled, %u dead letters; %u failures, %u restarts, "
                  "%u stops\n",
                  handled, dead, ledger.traps, ledger.restarts, ledger.stops);
    assert_int_equal(wrong, 0);
    assert_true(handled > MESSAGES);
    assert_true(dead > 100);
    assert_true(ledger.traps > 20 && ledger.restarts > 20 && ledger.stops > 20);
    assert_int_equal(ledger.disordered, 0);
    assert_int_equal(ledger.foreign, 0);
}

static void what_is_accepted_is_handled_or_a_dead_letter_once(void **state)
{
    theater_manifest_t *manifests[TARGETS];
    char name[8];
    (void)state;
    memset(ledger.last, -1, sizeof ledger.last);
    stage_start(&stage, &(struct stage_options){
                            .on_line = on_line,
                            .on_dead_letter = on_dead_letter,
                        });
    for (int i = 0; i < TARGETS; i++) {
        manifests[i] = target_manifest(i);
        snprintf(name, sizeof name, "t-%d", i);
        stage_spawn(&stage, name, manifests[i], NULL);
    }
    bring_senders();
    make_trouble(manifests);
    stage_quiet(&stage);
    theater_runtime_stop_all(stage.runtime, "the end");
    assert_int_equal(
        theater_runtime_wait(stage.runtime, THEATER_WAIT_STOPPED, 20000),
        THEATER_OK);
    stage_end(&stage);
    settle();
    for (int i = 0; i < TARGETS; i++) {
        theater_manifest_release(manifests[i]);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(what_is_accepted_is_handled_or_a_dead_letter_once),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
