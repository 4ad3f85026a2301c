/* SPDX-License-Identifier: Apache-2.0 */
/* A target that sends, requests and opens inside handle-channel-open, and an
 * actor that opens a channel to itself: refused or done at once, while others
 * talk on. The naive design answers an open from the loop that it holds up. */
#include "stage.h"

#include <pthread.h>

#define AT_ONCE_NS UINT64_C(3000000000)

static struct stage stage;
static _Atomic bool enough;
static _Atomic uint64_t talked;

/* Others, who have nothing to do with it. */
static void *talk(void *arg)
{
    (void)arg;
    while (!atomic_load_explicit(&enough, memory_order_acquire)) {
        theater_answer_t *answer = NULL;
        theater_status_t status =
            theater_router_request(stage.router, NULL, stage_text("left"),
                                   stage_text("right"), 2000, &answer);
        TH_CHECK(status == THEATER_OK);
        theater_answer_delete(answer);
        atomic_fetch_add_explicit(&talked, 1, memory_order_relaxed);
    }
    return NULL;
}

static void set_stage(pthread_t *thread)
{
    stage_start(&stage, NULL);
    stage_actor(&stage, "left", "tests/guests/relay.wasm", NULL);
    stage_actor(&stage, "right", "tests/guests/relay.wasm", NULL);
    stage_actor(&stage, "a", "tests/guests/driver.wasm",
                "request_timeout = \"20s\"\nmax_channels = 10000");
    stage_actor(&stage, "b", "tests/guests/driver.wasm",
                "request_timeout = \"20s\"\nmax_channels = 10000");
    stage_actor(&stage, "c", "tests/guests/driver.wasm",
                "max_channels = 10000");
    atomic_store_explicit(&enough, false, memory_order_relaxed);
    atomic_store_explicit(&talked, 0, memory_order_relaxed);
    assert_int_equal(pthread_create(thread, NULL, talk, NULL), 0);
}

static void clear_stage(pthread_t thread)
{
    /* They still do. */
    uint64_t before = atomic_load_explicit(&talked, memory_order_relaxed);
    uint64_t deadline = stage_now() + AT_ONCE_NS;
    while (atomic_load_explicit(&talked, memory_order_relaxed) < before + 20) {
        assert_true(stage_now() < deadline);
        th_pause();
    }
    atomic_store_explicit(&enough, true, memory_order_release);
    pthread_join(thread, NULL);
    theater_counters_t counters = stage_counters(&stage);
    assert_int_equal(counters.ended[THEATER_TIMEOUT], 0);
    stage_end(&stage);
}

static void ask_at_once(const char *who, const char *what, const char *begins)
{
    uint64_t start = stage_now();
    const char *answer = stage_ask(&stage, who, what);
    if (strncmp(answer, begins, strlen(begins)) != 0) {
        fail_msg("%s: \"%s\" answers \"%s\", not \"%s\"", who, what, answer,
                 begins);
    }
    assert_true(stage_now() - start < AT_ONCE_NS);
}

static void a_target_sends_and_requests_while_it_decides(void **state)
{
    (void)state;
    pthread_t thread;
    set_stage(&thread);
    for (int i = 0; i < 20; i++) {
        /* To a third, and to who opens. */
        ask_at_once("a", "open b !send c hello", "ok ");
        ask_at_once("b", "heard", "ok did a ok\n");
        ask_at_once("a", "open b !send a hello", "ok ");
        ask_at_once("b", "heard", "ok did a ok\n");
        ask_at_once("a", "open b !request c echo hi", "ok ");
        ask_at_once("b", "heard", "ok did a ok ok hi\n");
        ask_at_once("a", "open b !open c inner", "ok ");
        ask_at_once("b", "heard", "ok did a ok ");
        /* Who opens waits: to ask it is a cycle, and said so. */
        ask_at_once("a", "open b !request a echo hi", "ok ");
        ask_at_once("b", "heard", "ok did a error deadlock");
        ask_at_once("a", "open b !open a again", "ok ");
        ask_at_once("b", "heard", "ok did a error deadlock");
    }
    clear_stage(thread);
}

static void a_channel_to_oneself_is_refused_at_once(void **state)
{
    (void)state;
    pthread_t thread;
    set_stage(&thread);
    for (int i = 0; i < 20; i++) {
        ask_at_once("a", "open a me", "error deadlock");
        ask_at_once("a", "echo there", "ok there");
    }
    ask_at_once("a", "open b !open b me", "ok ");
    ask_at_once("b", "heard", "ok did a error deadlock");
    clear_stage(thread);
}

/* Both open to each other at the same time, again and again: none waits for
 * its deadline, whoever comes first. */
static void opens_that_cross_end_at_once(void **state)
{
    (void)state;
    pthread_t thread;
    set_stage(&thread);
    for (int i = 0; i < 50; i++) {
        uint64_t start = stage_now();
        assert_int_equal(stage_send(&stage, "a", "!open b x"), THEATER_OK);
        assert_int_equal(stage_send(&stage, "b", "!open a x"), THEATER_OK);
        ask_at_once("a", "heard", "ok ");
        ask_at_once("b", "heard", "ok ");
        assert_true(stage_now() - start < AT_ONCE_NS);
    }
    clear_stage(thread);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_target_sends_and_requests_while_it_decides),
        cmocka_unit_test(a_channel_to_oneself_is_refused_at_once),
        cmocka_unit_test(opens_that_cross_end_at_once),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
