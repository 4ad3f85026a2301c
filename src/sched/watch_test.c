/* SPDX-License-Identifier: Apache-2.0 */
/* The watchdog finds a worker that makes no progress, once, and nobody else:
 * not who is busy, not who sleeps, not one whose process was stopped. */
#include "sched/sched_testing.h"

struct told {
    _Atomic uint64_t stuck, over;
    uint64_t ns;
    struct th_worker_look look;
    struct th_sched *sched;
};

static void tell(void *user, const struct th_stuck *stuck)
{
    struct told *told = user;
    if (stuck->over) {
        bump(&told->over);
        return;
    }
    told->ns = stuck->ns;
    th_sched_look(told->sched, stuck->worker, &told->look);
    bump(&told->stuck);
}

static struct th_sched *watched(const theater_env_t *env, struct told *told,
                                uint64_t limit_ms)
{
    struct th_sched *sched = open_sched(env, 2);
    struct th_watch_options options = {
        .limit_ns = limit_ms * MS, .tell = tell, .user = told};
    *told = (struct told){.sched = sched};
    assert_int_equal(th_sched_watch_start(sched, &options), THEATER_OK);
    return sched;
}

/* Real time, whatever the environment under test says. */
static void pass(uint64_t ms)
{
    static _Atomic uint32_t never;
    const theater_env_t *env = theater_env_default();
    uint64_t until = after(env, ms * MS);
    while (th_now(env) < until) {
        env->park(env->ctx, &never, 0, until);
    }
}

struct act {
    struct th_task task;
    _Atomic uint64_t entered, left, go;
    _Atomic uint64_t turns; /* left, of one that moves */
};

static struct act *act_of(struct th_task *task)
{
    return TH_CONTAINER_OF(task, struct act, task);
}

static enum th_run block(struct th_task *task)
{
    struct act *act = act_of(task);
    bump(&act->entered);
    while (get(&act->go) == 0) {
        pass(1);
    }
    bump(&act->left);
    return TH_RUN_IDLE;
}

static enum th_run move(struct th_task *task)
{
    struct act *act = act_of(task);
    uint64_t until = after(theater_env_default(), MS);
    while (th_now(theater_env_default()) < until) {
        th_pause();
    }
    return atomic_fetch_sub_explicit(&act->turns, 1, memory_order_acq_rel) > 1
               ? TH_RUN_AGAIN
               : TH_RUN_IDLE;
}

static void act_start(struct th_sched *sched, struct act *act,
                      enum th_run (*run)(struct th_task *))
{
    th_task_init(&act->task, run);
    th_sched_wake(sched, &act->task);
}

static void who_is_stuck_is_told_of_once_and_goes_on(void **state)
{
    const theater_env_t *env = theater_env_default();
    struct told told;
    struct act act = {0};
    struct th_sched *sched = watched(env, &told, 60);
    (void)state;
    act_start(sched, &act, block);
    assert_true(reaches(env, &told.stuck, 1));
    assert_ptr_equal(told.look.task, &act.task);
    assert_false(told.look.sleeps);
    assert_true(told.look.thread > 0);
    assert_true(told.ns >= 60 * MS);
    pass(300);
    assert_int_equal(get(&told.stuck), 1);
    assert_int_equal(get(&told.over), 0);
    bump(&act.go);
    assert_true(reaches(env, &told.over, 1));
    th_sched_delete(sched);
    assert_int_equal(get(&told.stuck), 1);
}

static void who_is_busy_and_moves_is_not_stuck(void **state)
{
    const theater_env_t *env = theater_env_default();
    struct told told;
    struct act acts[2] = {{.turns = 1200}, {.turns = 1200}};
    struct th_sched *sched = watched(env, &told, 500);
    (void)state;
    act_start(sched, &acts[0], move);
    act_start(sched, &acts[1], move);
    assert_quiet(sched);
    th_sched_delete(sched);
    assert_int_equal(get(&told.stuck), 0);
}

static bool watchdog_sleeps(struct th_sched *sched)
{
    for (unsigned i = 0; i < 2000; i++) {
        if (atomic_load_explicit(&sched->watch.word, memory_order_seq_cst) ==
            TH_WATCH_ASLEEP) {
            return true;
        }
        pass(10);
    }
    return false;
}

static void it_sleeps_while_all_do_and_wakes_with_the_first(void **state)
{
    const theater_env_t *env = theater_env_default();
    struct told told;
    struct th_sched *sched = watched(env, &told, 60);
    (void)state;
    for (uint64_t round = 1; round <= 3; round++) {
        struct act act = {0};
        assert_true(watchdog_sleeps(sched));
        pass(150);
        assert_int_equal(get(&told.stuck), round - 1);
        act_start(sched, &act, block);
        assert_true(reaches(env, &told.stuck, round));
        bump(&act.go);
        assert_true(reaches(env, &told.over, round));
        assert_quiet(sched);
    }
    th_sched_delete(sched);
}

/* --- A clock that jumps --------------------------------------------------- */

static _Atomic uint64_t ahead_ns;

static uint64_t ahead_now_ns(void *ctx)
{
    return theater_env_default()->now_ns(ctx) + get(&ahead_ns);
}

static void ahead_park(void *ctx, const void *word, uint32_t expected,
                       uint64_t deadline_ns)
{
    uint64_t ahead = get(&ahead_ns);
    bool moved = deadline_ns != THEATER_NEVER && deadline_ns > ahead;
    theater_env_default()->park(ctx, word, expected,
                                moved ? deadline_ns - ahead : deadline_ns);
}

static void who_could_not_run_was_not_stuck(void **state)
{
    theater_env_t env = *theater_env_default();
    struct told told;
    (void)state;
    env.now_ns = ahead_now_ns;
    env.park = ahead_park;
    struct th_sched *sched = watched(&env, &told, 3000);
    for (unsigned round = 0; round < 4; round++) {
        struct act act = {0};
        act_start(sched, &act, block);
        assert_true(reaches(theater_env_default(), &act.entered, 1));
        pass(350); /* the watchdog has seen it inside */
        /* As a process that was stopped for an hour inside the run. */
        atomic_fetch_add_explicit(&ahead_ns, UINT64_C(3600) * 1000 * MS,
                                  memory_order_acq_rel);
        pass(350); /* and looks again */
        bump(&act.go);
        assert_true(reaches(theater_env_default(), &act.left, 1));
        assert_quiet(sched); /* it has left the task, too */
    }
    th_sched_delete(sched);
    assert_int_equal(get(&told.stuck), 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(who_is_stuck_is_told_of_once_and_goes_on),
        cmocka_unit_test(who_is_busy_and_moves_is_not_stuck),
        cmocka_unit_test(it_sleeps_while_all_do_and_wakes_with_the_first),
        cmocka_unit_test(who_could_not_run_was_not_stuck),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
