/* SPDX-License-Identifier: Apache-2.0 */
/* Timers and time sources: never early, soon after, never forgotten. */
#include "sched/sched_testing.h"

struct sleeper {
    struct th_task task;
    struct th_sched *sched;
    struct th_wake_timer timer;
    _Atomic uint64_t runs;
    _Atomic uint64_t ask_ns; /* how long to sleep; 0: do not arm */
    _Atomic uint64_t due_ns; /* what was armed */
    _Atomic uint64_t early;  /* runs that came before it */
    uint64_t worst_ns;       /* the longest that one came late */
    uint64_t left;
    bool fini;
};

static void sleeper_init(struct sleeper *sleeper, struct th_sched *sched,
                         enum th_run (*run)(struct th_task *))
{
    memset(sleeper, 0, sizeof(*sleeper));
    sleeper->sched = sched;
    sleeper->timer.task = &sleeper->task;
    th_task_init(&sleeper->task, run);
}

static void arm(struct sleeper *sleeper, uint64_t deadline_ns)
{
    atomic_store_explicit(&sleeper->due_ns, deadline_ns, memory_order_release);
    th_sched_wake_at(sleeper->sched, &sleeper->timer, deadline_ns);
}

/* First run: arms. Later ones: the timer's; again until `left` is 0. */
static enum th_run sleep_run(struct th_task *task)
{
    struct sleeper *sleeper = TH_CONTAINER_OF(task, struct sleeper, task);
    uint64_t now = th_now(sleeper->sched->env);
    uint64_t run = bump(&sleeper->runs);

    if (run > 1) {
        uint64_t due = get(&sleeper->due_ns);
        if (now < due) {
            bump(&sleeper->early);
        } else if (now - due > sleeper->worst_ns) {
            sleeper->worst_ns = now - due;
        }
    }
    if (sleeper->left > 0) {
        sleeper->left--;
        arm(sleeper, now + get(&sleeper->ask_ns));
    } else {
        th_sched_timer_fini(sleeper->sched, &sleeper->timer);
    }
    return TH_RUN_IDLE;
}

static void a_timer_wakes_its_task_not_early_and_soon(void **state)
{
    const theater_env_t *env = theater_env_default();
    (void)state;

    for (unsigned workers = 1; workers <= 2; workers++) {
        struct th_sched *sched = open_sched(env, workers);
        struct sleeper sleeper;
        sleeper_init(&sleeper, sched, sleep_run);
        sleeper.left = 50;
        atomic_store_explicit(&sleeper.ask_ns, 3 * MS, memory_order_release);
        uint64_t begin = th_now(env);
        th_sched_wake(sched, &sleeper.task);
        assert_quiet(sched);
        assert_int_equal(get(&sleeper.runs), 51);
        assert_int_equal(get(&sleeper.early), 0);
        assert_true(th_now(env) - begin >= 150 * MS);
        assert_true(th_now(env) - begin < 2000 * MS);
        th_sched_delete(sched);
    }
}

static void many_timers_fire_each_once(void **state)
{
    enum { MANY = 2000 };
    static struct sleeper sleepers[MANY];
    struct th_sched *sched = open_sched(theater_env_default(), 2);
    struct th_rng rng;
    (void)state;

    th_rng_init(&rng, 7);
    for (unsigned i = 0; i < MANY; i++) {
        sleeper_init(&sleepers[i], sched, sleep_run);
        sleepers[i].left = 3;
        atomic_store_explicit(&sleepers[i].ask_ns,
                              1 + th_rng_below(&rng, 40 * MS),
                              memory_order_release);
        th_sched_wake(sched, &sleepers[i].task);
    }
    assert_quiet(sched);
    for (unsigned i = 0; i < MANY; i++) {
        assert_int_equal(get(&sleepers[i].runs), 4);
        assert_int_equal(get(&sleepers[i].early), 0);
    }
    th_sched_delete(sched);
}

/* Arms for later, for sooner, and for never, in turn. */
static enum th_run replace_run(struct th_task *task)
{
    struct sleeper *sleeper = TH_CONTAINER_OF(task, struct sleeper, task);
    uint64_t now = th_now(sleeper->sched->env);

    switch (bump(&sleeper->runs)) {
    case 1:
        arm(sleeper, now + BOUND);
        arm(sleeper, now + 2 * MS);
        return TH_RUN_IDLE;
    case 2:
        arm(sleeper, now + BOUND);
        arm(sleeper, THEATER_NEVER);
        return TH_RUN_IDLE;
    default:
        return TH_RUN_IDLE;
    }
}

static void a_new_deadline_replaces_the_old_and_never_disarms(void **state)
{
    const theater_env_t *env = theater_env_default();
    struct th_sched *sched = open_sched(env, 2);
    struct sleeper sleeper;
    uint64_t begin = th_now(env);
    (void)state;

    sleeper_init(&sleeper, sched, replace_run);
    th_sched_wake(sched, &sleeper.task);
    /* Quiet: the disarmed timer is waited for no more. */
    assert_quiet(sched);
    assert_true(th_now(env) - begin < BOUND / 2);
    assert_int_equal(get(&sleeper.runs), 2);
    th_sched_timer_fini(sched, &sleeper.timer);
    th_sched_delete(sched);
}

/* Arms for a moment that is close and ends at once: its memory goes. */
static enum th_run hasty_run(struct th_task *task)
{
    struct sleeper *sleeper = TH_CONTAINER_OF(task, struct sleeper, task);
    const theater_env_t *env = sleeper->sched->env;

    if (sleeper->left > 0) {
        sleeper->left--;
        arm(sleeper, th_now(env) + sleeper->left * MS / 8);
        return TH_RUN_AGAIN;
    }
    th_sched_timer_fini(sleeper->sched, &sleeper->timer);
    memset(sleeper, 0x5A, sizeof(*sleeper));
    th_free(env, sleeper);
    return TH_RUN_ENDED;
}

static void a_timer_is_free_to_go_when_fini_returns(void **state)
{
    const theater_env_t *env = theater_env_default();
    struct th_sched *sched = open_sched(env, 2);
    (void)state;

    for (int round = 0; round < 50; round++) {
        for (unsigned i = 0; i < 50; i++) {
            struct sleeper *sleeper = th_alloc(env, sizeof(*sleeper));
            assert_non_null(sleeper);
            sleeper_init(sleeper, sched, hasty_run);
            sleeper->left = i % 10;
            th_sched_wake(sched, &sleeper->task);
        }
        assert_quiet(sched);
    }
    th_sched_delete(sched);
}

/* A long run that asks whether to end; the sleeper's timer is due meanwhile. */
static enum th_run long_run(struct th_task *task)
{
    struct sleeper *sleeper = TH_CONTAINER_OF(task, struct sleeper, task);
    const theater_env_t *env = sleeper->sched->env;
    uint64_t deadline = after(env, BOUND);

    while (!th_sched_should_yield(sleeper->sched) && th_now(env) < deadline) {
        th_pause();
    }
    bump(&sleeper->runs);
    return get(&sleeper->ask_ns) != 0 ? TH_RUN_IDLE : TH_RUN_AGAIN;
}

static void a_busy_worker_does_not_forget_the_time(void **state)
{
    const theater_env_t *env = theater_env_default();
    (void)state;

    for (unsigned workers = 1; workers <= 2; workers++) {
        struct th_sched *sched = open_sched(env, workers);
        struct sleeper sleeper, busy[2];
        sleeper_init(&sleeper, sched, sleep_run);
        sleeper.left = 20;
        atomic_store_explicit(&sleeper.ask_ns, 2 * MS, memory_order_release);
        for (unsigned i = 0; i < workers; i++) {
            sleeper_init(&busy[i], sched, long_run);
            th_sched_wake(sched, &busy[i].task);
        }
        th_sched_wake(sched, &sleeper.task);
        assert_true(reaches(env, &sleeper.runs, 21));
        for (unsigned i = 0; i < workers; i++) {
            bump(&busy[i].ask_ns);
        }
        assert_quiet(sched);
        assert_int_equal(get(&sleeper.early), 0);
        th_sched_delete(sched);
    }
}

/* --- A time source ------------------------------------------------------ */

struct source {
    struct th_sched *sched;
    struct th_task *task;
    _Atomic uint64_t deadline_ns;
    _Atomic uint64_t advances;
    _Atomic uint64_t early;
    _Atomic uint64_t busy;
};

static uint64_t source_next(void *ctx)
{
    struct source *source = ctx;
    return get(&source->deadline_ns);
}

static void source_advance(void *ctx, uint64_t now_ns)
{
    struct source *source = ctx;
    if (now_ns < get(&source->deadline_ns)) {
        bump(&source->early);
    }
    assert_true(th_on_worker());
    atomic_store_explicit(&source->deadline_ns, THEATER_NEVER,
                          memory_order_release);
    bump(&source->advances);
    th_sched_wake(source->sched, source->task);
}

static bool source_busy(void *ctx)
{
    struct source *source = ctx;
    /* A deadline that it wants keeps it busy; the scheduler takes its word. */
    return get(&source->busy) != 0 ||
           atomic_load_explicit(&source->deadline_ns, memory_order_acquire) !=
               THEATER_NEVER;
}

static void source_open(struct source *source, struct th_sched *sched,
                        struct th_task *task)
{
    memset(source, 0, sizeof(*source));
    source->sched = sched;
    source->task = task;
    atomic_store_explicit(&source->deadline_ns, THEATER_NEVER,
                          memory_order_release);
    struct th_time_source table = {source, source_next, source_advance,
                                   source_busy};
    th_sched_add_time_source(sched, &table);
}

static enum th_run count_run(struct th_task *task)
{
    struct sleeper *sleeper = TH_CONTAINER_OF(task, struct sleeper, task);
    bump(&sleeper->runs);
    return TH_RUN_IDLE;
}

static void a_source_is_advanced_at_its_deadline(void **state)
{
    const theater_env_t *env = theater_env_default();
    struct th_sched *sched = open_sched(env, 2);
    struct sleeper sleeper;
    struct source source;
    (void)state;

    sleeper_init(&sleeper, sched, count_run);
    source_open(&source, sched, &sleeper.task);
    for (uint64_t i = 1; i <= 50; i++) {
        uint64_t deadline = after(env, 2 * MS);
        atomic_store_explicit(&source.deadline_ns, deadline,
                              memory_order_release);
        th_sched_time_changed(sched, deadline);
        assert_quiet(sched);
        assert_int_equal(get(&sleeper.runs), i);
        assert_true(th_now(env) >= deadline);
    }
    assert_int_equal(get(&source.early), 0);
    th_sched_delete(sched);
}

static void a_busy_source_is_not_quiet(void **state)
{
    const theater_env_t *env = theater_env_default();
    struct th_sched *sched = open_sched(env, 2);
    struct sleeper sleeper;
    struct source source;
    (void)state;

    sleeper_init(&sleeper, sched, count_run);
    source_open(&source, sched, &sleeper.task);
    bump(&source.busy);
    assert_int_equal(th_sched_wait_quiet(sched, after(env, 20 * MS)),
                     THEATER_TIMEOUT);
    atomic_store_explicit(&source.busy, 0, memory_order_release);
    assert_quiet(sched);
    th_sched_delete(sched);
}

/* Gets up for its own deadline, if at all, then for a long time does nothing
 * but wait for others that have one. */
struct long_one {
    struct th_task task;
    struct th_sched *sched;
    struct th_wake_timer timer;
    struct sleeper before, meanwhile; /* armed before its run, and in it */
    bool sleeps, first;
    bool passed; /* both came while it ran */
};

static enum th_run patient_run(struct th_task *task)
{
    struct long_one *one = TH_CONTAINER_OF(task, struct long_one, task);
    const theater_env_t *env = one->sched->env;

    if (one->first) {
        one->first = false;
        arm(&one->before, after(env, 40 * MS));
        if (one->sleeps) {
            th_sched_wake_at(one->sched, &one->timer, after(env, 20 * MS));
            return TH_RUN_IDLE;
        }
    }
    arm(&one->meanwhile, after(env, 20 * MS));
    one->passed = reaches(env, &one->before.runs, 1) &&
                  reaches(env, &one->meanwhile.runs, 1);
    th_sched_timer_fini(one->sched, &one->timer);
    return TH_RUN_IDLE;
}

static void a_long_run_does_not_hold_up_time(void **state)
{
    const theater_env_t *env = theater_env_default();
    (void)state;
    for (unsigned sleeps = 0; sleeps < 2; sleeps++) {
        struct th_sched *sched = open_sched(env, 2);
        struct long_one one = {
            .sched = sched, .sleeps = sleeps != 0, .first = true};
        one.timer.task = &one.task;
        th_task_init(&one.task, patient_run);
        sleeper_init(&one.before, sched, count_run);
        sleeper_init(&one.meanwhile, sched, count_run);
        th_sched_wake(sched, &one.task);
        assert_quiet(sched);
        assert_true(one.passed);
        th_sched_timer_fini(sched, &one.before.timer);
        th_sched_timer_fini(sched, &one.meanwhile.timer);
        th_sched_delete(sched);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_timer_wakes_its_task_not_early_and_soon),
        cmocka_unit_test(many_timers_fire_each_once),
        cmocka_unit_test(a_new_deadline_replaces_the_old_and_never_disarms),
        cmocka_unit_test(a_timer_is_free_to_go_when_fini_returns),
        cmocka_unit_test(a_busy_worker_does_not_forget_the_time),
        cmocka_unit_test(a_long_run_does_not_hold_up_time),
        cmocka_unit_test(a_source_is_advanced_at_its_deadline),
        cmocka_unit_test(a_busy_source_is_not_quiet),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
