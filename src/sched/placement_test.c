/* SPDX-License-Identifier: Apache-2.0 */
/* Who runs where and when: nobody starves, nobody waits behind a long run, who
 * talks stays together. */
#include "sched/sched_testing.h"

#include <sys/resource.h>

enum { CROWD = 5 };

struct actor {
    struct th_task task;
    struct th_sched *sched;
    struct actor *peer;
    _Atomic uint64_t runs;
    _Atomic uint64_t stop;
    _Atomic uint64_t workers; /* set of those that it ran on */
    uint64_t left;
};

static struct actor actors[64];
static _Atomic uint64_t done;

static struct actor *actor_of(struct th_task *task)
{
    return TH_CONTAINER_OF(task, struct actor, task);
}

static void actor_init(unsigned i, struct th_sched *sched,
                       enum th_run (*run)(struct th_task *))
{
    memset(&actors[i], 0, sizeof(actors[i]));
    actors[i].sched = sched;
    th_task_init(&actors[i].task, run);
}

static void reset(void)
{
    atomic_store_explicit(&done, 0, memory_order_release);
}

static enum th_run loop(struct th_task *task)
{
    struct actor *actor = actor_of(task);
    bump(&actor->runs);
    atomic_fetch_or_explicit(
        &actor->workers, UINT64_C(1) << th_sched_current_worker(actor->sched),
        memory_order_acq_rel);
    return get(&actor->stop) != 0 ? TH_RUN_IDLE : TH_RUN_AGAIN;
}

static enum th_run once(struct th_task *task)
{
    struct actor *actor = actor_of(task);
    bump(&actor->runs);
    bump(&done);
    return TH_RUN_IDLE;
}

static void a_task_that_always_has_more_to_do_stops_nobody(void **state)
{
    const theater_env_t *env = theater_env_default();
    struct th_sched *sched = open_sched(env, 1);
    (void)state;

    reset();
    actor_init(0, sched, loop);
    actor_init(1, sched, loop);
    actor_init(2, sched, once);
    th_sched_wake(sched, &actors[0].task);
    th_sched_wake(sched, &actors[1].task);
    assert_true(reaches(env, &actors[0].runs, 1000));
    for (uint64_t i = 1; i <= 100; i++) {
        th_sched_wake(sched, &actors[2].task);
        assert_true(reaches(env, &done, i));
    }
    assert_true(reaches(env, &actors[1].runs, 1000));
    bump(&actors[0].stop);
    bump(&actors[1].stop);
    assert_quiet(sched);
    th_sched_delete(sched);
}

static enum th_run chain(struct th_task *task)
{
    struct actor *actor = actor_of(task);
    bump(&actor->runs);
    if (get(&actor->stop) == 0) {
        th_sched_wake(actor->sched, &actor->peer->task);
    }
    return TH_RUN_IDLE;
}

static void two_that_wake_each_other_for_ever_stop_nobody(void **state)
{
    const theater_env_t *env = theater_env_default();
    struct th_sched *sched = open_sched(env, 1);
    (void)state;

    reset();
    actor_init(0, sched, chain);
    actor_init(1, sched, chain);
    actor_init(2, sched, loop);
    actors[0].peer = &actors[1];
    actors[1].peer = &actors[0];
    th_sched_wake(sched, &actors[0].task);
    th_sched_wake(sched, &actors[2].task);
    assert_true(reaches(env, &actors[2].runs, 100));
    assert_true(reaches(env, &actors[0].runs, 10000));
    bump(&actors[0].stop);
    bump(&actors[1].stop);
    bump(&actors[2].stop);
    assert_quiet(sched);
    th_sched_delete(sched);
}

/* Wakes others, then computes until all of them ran, elsewhere. */
static enum th_run hog(struct th_task *task)
{
    struct actor *actor = actor_of(task);
    const theater_env_t *env = actor->sched->env;
    uint64_t deadline = after(env, BOUND);

    for (uint64_t i = 1; i <= actor->left; i++) {
        th_sched_wake(actor->sched, &actors[i].task);
    }
    while (get(&done) < actor->left && th_now(env) < deadline) {
        th_pause();
    }
    bump(&actor->runs);
    return TH_RUN_IDLE;
}

static void run_hog(uint64_t crowd)
{
    const theater_env_t *env = theater_env_default();
    struct th_sched *sched = open_sched(env, 2);

    for (int round = 0; round < 20; round++) {
        reset();
        actor_init(0, sched, hog);
        for (unsigned i = 1; i <= crowd; i++) {
            actor_init(i, sched, once);
        }
        actors[0].left = crowd;
        th_sched_wake(sched, &actors[0].task);
        assert_quiet(sched);
        assert_int_equal(get(&actors[0].runs), 1);
        assert_int_equal(get(&done), crowd);
    }
    th_sched_delete(sched);
}

static void what_waits_behind_a_long_run_is_run_elsewhere(void **state)
{
    (void)state;
    run_hog(CROWD);
}

static void even_the_one_task_that_the_long_run_woke(void **state)
{
    (void)state;
    run_hog(1);
}

/* Computes until `left` of its kind run at the same time. */
static enum th_run meet(struct th_task *task)
{
    struct actor *actor = actor_of(task);
    const theater_env_t *env = actor->sched->env;
    uint64_t deadline = after(env, BOUND);

    bump(&done);
    while (get(&done) < actor->left && th_now(env) < deadline) {
        static _Atomic uint32_t never;
        env->park(env->ctx, &never, 0, after(env, MS / 20));
    }
    bump(&actor->runs);
    return TH_RUN_IDLE;
}

static void run_meeting(unsigned count, unsigned workers)
{
    const theater_env_t *env = theater_env_default();
    struct th_sched *sched = open_sched(env, workers);
    uint64_t deadline = after(env, BOUND);

    for (int round = 0; round < 100; round++) {
        reset();
        for (unsigned i = 0; i < count; i++) {
            actor_init(i, sched, meet);
            actors[i].left = count;
        }
        for (unsigned i = 0; i < count; i++) {
            th_sched_wake(sched, &actors[i].task);
        }
        assert_quiet(sched);
        assert_int_equal(get(&done), count);
        assert_true(th_now(env) < deadline);
    }
    th_sched_delete(sched);
}

static void as_many_tasks_as_workers_run_at_the_same_time(void **state)
{
    (void)state;
    run_meeting(2, 2);
    run_meeting(2, 3);
    run_meeting(4, 4);
}

static void tasks_that_do_not_talk_are_spread_over_the_workers(void **state)
{
    const theater_env_t *env = theater_env_default();
    struct th_sched *sched = open_sched(env, 2);
    uint64_t deadline = after(env, BOUND);
    bool both = false;
    (void)state;

    for (unsigned i = 0; i < 2; i++) {
        actor_init(i, sched, loop);
        th_sched_wake(sched, &actors[i].task);
    }
    while (!both && th_now(env) < deadline) {
        struct th_sched_stats a, b;
        th_sched_stats(sched, 0, &a);
        th_sched_stats(sched, 1, &b);
        both = a.runs > 1000 && b.runs > 1000;
    }
    bump(&actors[0].stop);
    bump(&actors[1].stop);
    assert_quiet(sched);
    assert_true(both);
    th_sched_delete(sched);
}

static enum th_run count_down(struct th_task *task)
{
    struct actor *actor = actor_of(task);
    bump(&actor->runs);
    if (actor->left > 0) {
        actor->left--;
        th_sched_wake(actor->sched, &actor->peer->task);
    }
    return TH_RUN_IDLE;
}

/* How often the system took a processor from this process. */
static uint64_t stopped(void)
{
    struct rusage usage;
    assert_int_equal(getrusage(RUSAGE_SELF, &usage), 0);
    return (uint64_t)usage.ru_nivcsw;
}

static void two_that_talk_stay_together(void **state)
{
    enum { HOPS = 200000 };
    struct th_sched *sched = open_sched(theater_env_default(), 2);
    (void)state;

    for (unsigned i = 0; i < 2; i++) {
        actor_init(i, sched, count_down);
        actors[i].peer = &actors[1 - i];
        actors[i].left = HOPS;
    }
    uint64_t before = stopped();
    th_sched_wake(sched, &actors[0].task);
    assert_quiet(sched);
    assert_int_equal(get(&actors[0].runs) + get(&actors[1].runs), 2 * HOPS + 1);
    struct th_sched_stats stats = total_stats(sched);
    /* Only when the machine itself stops one of them in the middle. */
    uint64_t stops = stopped() - before;
    assert_true(stats.stolen < HOPS / 1000 + stops);
    assert_true(stats.unparks < HOPS / 1000 + stops);
    th_sched_delete(sched);
}

static void run_spread(unsigned count)
{
    const theater_env_t *env = theater_env_default();
    struct th_sched *sched = open_sched(env, 2);
    struct th_sched_stats a = {0}, b = {0};
    uint64_t deadline = after(env, BOUND);

    for (unsigned i = 0; i < count; i++) {
        actor_init(i, sched, chain);
        actors[i].peer = &actors[i ^ 1];
    }
    for (unsigned i = 0; i < count; i += 2) {
        th_sched_wake(sched, &actors[i].task);
    }
    while ((a.runs < 100000 || b.runs < 100000) && th_now(env) < deadline) {
        th_sched_stats(sched, 0, &a);
        th_sched_stats(sched, 1, &b);
    }
    for (unsigned i = 0; i < count; i++) {
        bump(&actors[i].stop);
    }
    assert_quiet(sched);
    assert_true(a.runs >= 100000 && b.runs >= 100000);
    for (unsigned i = 0; i < count; i++) {
        assert_true(get(&actors[i].runs) > 0);
    }
    th_sched_delete(sched);
}

static void two_pairs_are_spread_over_two_workers(void **state)
{
    (void)state;
    for (int i = 0; i < 20; i++) {
        run_spread(4);
    }
}

static void pairs_are_spread_over_the_workers(void **state)
{
    (void)state;
    run_spread(8);
    run_spread(64);
}

static enum th_run wake_all(struct th_task *task)
{
    struct actor *actor = actor_of(task);
    for (uint64_t i = 0; i < actor->left; i++) {
        th_sched_wake(actor->sched, &actor->peer[i].task);
    }
    return TH_RUN_IDLE;
}

static void more_tasks_than_a_queue_holds_all_run(void **state)
{
    enum { MANY = 5 * TH_DEQUE_SIZE };
    static struct actor many[MANY];
    struct th_sched *sched = open_sched(theater_env_default(), 1);
    (void)state;

    reset();
    actor_init(0, sched, wake_all);
    actors[0].peer = many;
    actors[0].left = MANY;
    for (unsigned i = 0; i < MANY; i++) {
        many[i].sched = sched;
        th_task_init(&many[i].task, once);
    }
    th_sched_wake(sched, &actors[0].task);
    assert_quiet(sched);
    assert_int_equal(get(&done), MANY);
    struct th_sched_stats stats;
    th_sched_stats(sched, 0, &stats);
    assert_true(stats.overflows > 0);
    th_sched_delete(sched);
}

static enum th_run until_told(struct th_task *task)
{
    struct actor *actor = actor_of(task);
    const theater_env_t *env = actor->sched->env;
    uint64_t deadline = after(env, BOUND);

    /* Alone: nobody waits, so it may go on after its slice. */
    uint64_t alone_until = after(env, 2 * actor->sched->slice_ns);
    while (th_now(env) < alone_until) {
        if (th_sched_should_yield(actor->sched)) {
            bump(&actor->workers);
        }
    }
    th_sched_wake(actor->sched, &actor->peer->task);
    while (th_now(env) < deadline && !th_sched_should_yield(actor->sched)) {
        bump(&actor->runs);
    }
    bump(&actor->stop);
    return TH_RUN_IDLE;
}

static void a_run_is_to_end_when_its_slice_is_over_and_others_wait(void **state)
{
    const theater_env_t *env = theater_env_default();
    struct th_sched_options options = {
        .env = env, .workers = 1, .slice_ns = 100 * MS};
    struct th_sched *sched;
    (void)state;

    reset();
    assert_int_equal(th_sched_new(&options, &sched), THEATER_OK);
    actor_init(0, sched, until_told);
    actor_init(1, sched, once);
    actors[0].peer = &actors[1];
    uint64_t begin = th_now(env);
    th_sched_wake(sched, &actors[0].task);
    assert_quiet(sched);
    assert_int_equal(get(&actors[0].workers), 0);
    assert_int_equal(get(&actors[0].stop), 1);
    assert_int_equal(get(&done), 1);
    assert_true(th_now(env) - begin < BOUND);
    th_sched_delete(sched);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_task_that_always_has_more_to_do_stops_nobody),
        cmocka_unit_test(two_that_wake_each_other_for_ever_stop_nobody),
        cmocka_unit_test(what_waits_behind_a_long_run_is_run_elsewhere),
        cmocka_unit_test(even_the_one_task_that_the_long_run_woke),
        cmocka_unit_test(as_many_tasks_as_workers_run_at_the_same_time),
        cmocka_unit_test(tasks_that_do_not_talk_are_spread_over_the_workers),
        cmocka_unit_test(two_that_talk_stay_together),
        cmocka_unit_test(two_pairs_are_spread_over_two_workers),
        cmocka_unit_test(pairs_are_spread_over_the_workers),
        cmocka_unit_test(more_tasks_than_a_queue_holds_all_run),
        cmocka_unit_test(
            a_run_is_to_end_when_its_slice_is_over_and_others_wait),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
