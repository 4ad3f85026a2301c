/* SPDX-License-Identifier: Apache-2.0 */
/* All schedules, within a bound, of a call that waits on its thread, and drives
 * time meanwhile, while another thread has the wheel that its deadline belongs
 * into. */
#include "exhaustive_park.h"
#include "exhaustive_world.h"

#define MS UINT64_C(1000000)

static theater_env_t env;
static uint64_t ended_at;

static void prepare(void *world)
{
    theater_request_id_t ids[2];
    (void)world;
    env = env_that_parks();
    open_router_in(&env);
    th_interleave_set_now(SECOND);
    add(0, "silent", 0);
    /* Two slots whose timers are of one wheel, and stand in none. */
    for (unsigned i = 0; i < 2; i++) {
        TH_CHECK(theater_router_request_start(router, NULL, text("silent"),
                                              text("?"), 10, on_done, &rows[2],
                                              &ids[i]) == THEATER_PENDING);
    }
    th_interleave_set_now(2 * SECOND);
    theater_router_advance(router, 2 * SECOND);
    receive_all(0);
}

/* 0 waits for an answer that does not come, for 10 ms. 1 starts something with
 * a later deadline, and cancels it. */
static void run(void *world, unsigned who)
{
    theater_answer_t *answer = NULL;
    (void)world;
    self = who;
    if (who == 0) {
        rows[0].status[0] = theater_router_request(router, NULL, text("silent"),
                                                   text("?"), 10, &answer);
        ended_at = th_now(&env);
        return;
    }
    TH_CHECK(theater_router_request_start(router, NULL, text("silent"),
                                          text("?"), 60000, on_done, &rows[1],
                                          &request) == THEATER_PENDING);
    rows[1].status[0] = theater_router_cancel(router, request);
}

static void check(void *world)
{
    (void)world;
    TH_CHECK(rows[0].status[0] == THEATER_TIMEOUT);
    outcomes[rows[1].status[0]]++;
    TH_CHECK(ended_at >= 2 * SECOND + 10 * MS);
    TH_CHECK(ended_at <= 2 * SECOND + 13 * MS);
    th_interleave_set_now(100 * SECOND);
    theater_router_advance(router, 100 * SECOND);
    close_router();
}

static void a_call_that_waits_ends_by_its_deadline(void **state)
{
    (void)state;
    explore("wait: a request is due, another thread had the wheel", 2, 2,
            prepare, run, check, NULL);
    assert_true(outcomes[THEATER_OK] > 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_call_that_waits_ends_by_its_deadline),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
