/* SPDX-License-Identifier: Apache-2.0 */
/* What runs long, or sets timers without end, leaves the others their time. */
#include "sched/sched_testing.h"

enum { RUN_MS = 300 };

struct actor {
    struct th_task task;
    struct th_sched *sched;
    struct actor *peer;
    _Atomic uint64_t stop;
    _Atomic uint64_t runs;
    _Atomic uint64_t ns; /* spent in runs */
    _Atomic uint64_t told;
};

static void actor_init(struct actor *actor, struct th_sched *sched,
                       enum th_run (*run)(struct th_task *))
{
    memset(actor, 0, sizeof(*actor));
    actor->sched = sched;
    th_task_init(&actor->task, run);
}

static struct actor *actor_of(struct th_task *task)
{
    return TH_CONTAINER_OF(task, struct actor, task);
}

static void spin(const theater_env_t *env, uint64_t ns)
{
    uint64_t since = th_now(env);
    while (th_now(env) - since < ns) {
        th_pause();
    }
}

static enum th_run run_for(struct th_task *task, uint64_t for_ns)
{
    struct actor *actor = actor_of(task);
    spin(actor->sched->env, for_ns);
    /* Not what passed: that includes what the system took away. */
    atomic_fetch_add_explicit(&actor->ns, for_ns, memory_order_acq_rel);
    bump(&actor->runs);
    return get(&actor->stop) != 0 ? TH_RUN_IDLE : TH_RUN_AGAIN;
}

static enum th_run for_a_slice(struct th_task *task)
{
    return run_for(task, MS);
}

static enum th_run for_ten_slices(struct th_task *task)
{
    return run_for(task, 10 * MS);
}

static enum th_run wake_peer(struct th_task *task)
{
    struct actor *actor = actor_of(task);
    bump(&actor->runs);
    if (get(&actor->stop) == 0) {
        th_sched_wake(actor->sched, &actor->peer->task);
    }
    return TH_RUN_IDLE;
}

static void rest(const theater_env_t *env)
{
    static _Atomic uint32_t never;
    env->park(env->ctx, &never, 0, after(env, RUN_MS * MS));
}

static void tasks_with_short_runs_go_before_one_with_long_runs(void **state)
{
    const theater_env_t *env = theater_env_default();
    struct th_sched *sched = open_sched(env, 1);
    struct actor pair[2], hog;
    (void)state;

    for (unsigned i = 0; i < 2; i++) {
        actor_init(&pair[i], sched, wake_peer);
        pair[i].peer = &pair[1 - i];
    }
    actor_init(&hog, sched, for_a_slice);
    th_sched_wake(sched, &pair[0].task);
    th_sched_wake(sched, &hog.task);
    uint64_t since = th_now(env);
    rest(env);
    uint64_t hogged = get(&hog.ns), runs = get(&hog.runs);
    uint64_t passed = th_now(env) - since;
    for (unsigned i = 0; i < 2; i++) {
        bump(&pair[i].stop);
    }
    bump(&hog.stop);
    assert_quiet(sched);
    /* A fifth is what it is to get; it was 19 in 20. */
    assert_true(hogged < passed / 2);
    assert_true(runs >= RUN_MS / 50);
    th_sched_delete(sched);
}

/* Longer than it has to wait for its turn: still, its turn ends. */
static void one_with_very_long_runs_leaves_the_others_a_share(void **state)
{
    const theater_env_t *env = theater_env_default();
    struct th_sched *sched = open_sched(env, 1);
    struct actor pair[2], hog, outside;
    (void)state;

    for (unsigned i = 0; i < 2; i++) {
        actor_init(&pair[i], sched, wake_peer);
        pair[i].peer = &pair[1 - i];
    }
    actor_init(&hog, sched, for_ten_slices);
    th_sched_wake(sched, &hog.task);
    assert_true(reaches(env, &hog.runs, 2));
    th_sched_wake(sched, &pair[0].task);
    /* They had no turn at all. */
    assert_true(reaches(env, &pair[0].runs, 1000));
    assert_true(reaches(env, &hog.runs, get(&hog.runs) + 3));
    actor_init(&outside, sched, wake_peer);
    bump(&outside.stop);
    th_sched_wake(sched, &outside.task);
    assert_true(reaches(env, &outside.runs, 1));
    for (unsigned i = 0; i < 2; i++) {
        bump(&pair[i].stop);
    }
    bump(&hog.stop);
    assert_quiet(sched);
    th_sched_delete(sched);
}

/* Runs that are long, but end. */
static enum th_run for_two_tenths(struct th_task *task)
{
    struct actor *actor = actor_of(task);
    spin(actor->sched->env, MS / 5);
    bump(&actor->runs);
    return TH_RUN_IDLE;
}

static uint64_t runs_of(struct actor *actors, unsigned count)
{
    uint64_t sum = 0;
    for (unsigned i = 0; i < count; i++) {
        sum += get(&actors[i].runs);
    }
    return sum;
}

static void whose_long_runs_end_does_not_wait_for_all_that_compute(void **state)
{
    enum { HOGS = 40, ASKED = 20 };
    const theater_env_t *env = theater_env_default();
    struct th_sched *sched = open_sched(env, 2);
    static struct actor hogs[HOGS];
    struct actor asked;
    uint64_t waited = 0;
    (void)state;

    for (unsigned i = 0; i < HOGS; i++) {
        actor_init(&hogs[i], sched, for_a_slice);
        th_sched_wake(sched, &hogs[i].task);
    }
    actor_init(&asked, sched, for_two_tenths);
    for (unsigned i = 0; i < ASKED; i++) {
        uint64_t before = runs_of(hogs, HOGS);
        th_sched_wake(sched, &asked.task);
        assert_true(reaches(env, &asked.runs, i + 1));
        waited += runs_of(hogs, HOGS) - before;
    }
    for (unsigned i = 0; i < HOGS; i++) {
        bump(&hogs[i].stop);
    }
    assert_quiet(sched);
    /* In turns of the others, on average: it was all of them. */
    assert_true(waited / ASKED < HOGS / 2);
    th_sched_delete(sched);
}

static void many_with_long_runs_have_their_turns_all(void **state)
{
    enum { HOGS = 20 };
    const theater_env_t *env = theater_env_default();
    struct th_sched *sched = open_sched(env, 2);
    static struct actor hogs[HOGS];
    (void)state;

    for (unsigned i = 0; i < HOGS; i++) {
        actor_init(&hogs[i], sched, for_a_slice);
        th_sched_wake(sched, &hogs[i].task);
    }
    for (unsigned i = 0; i < HOGS; i++) {
        assert_true(reaches(env, &hogs[i].runs, 10));
    }
    for (unsigned i = 0; i < HOGS; i++) {
        bump(&hogs[i].stop);
    }
    assert_quiet(sched);
    th_sched_delete(sched);
}

/* Short for long enough that the clock is looked at seldom; then long. */
static enum th_run at_last_long(struct th_task *task)
{
    struct actor *actor = actor_of(task);
    if (bump(&actor->runs) < 1000) {
        return TH_RUN_AGAIN;
    }
    th_sched_wake(actor->sched, &actor->peer->task);
    spin(actor->sched->env, 2 * actor->sched->slice_ns);
    if (th_sched_should_yield_now(actor->sched)) {
        bump(&actor->told);
    }
    return TH_RUN_IDLE;
}

static void who_asks_seldom_is_told_at_once_that_its_slice_is_over(void **state)
{
    struct th_sched *sched = open_sched(theater_env_default(), 1);
    struct actor actor, other;
    (void)state;

    actor_init(&other, sched, wake_peer);
    bump(&other.stop);
    actor_init(&actor, sched, at_last_long);
    actor.peer = &other;
    th_sched_wake(sched, &actor.task);
    assert_quiet(sched);
    assert_int_equal(get(&actor.told), 1);
    th_sched_delete(sched);
}

struct source {
    const theater_env_t *env;
    _Atomic uint64_t stop;
    _Atomic uint64_t ns; /* spent in advance */
};

static uint64_t always_due(void *ctx)
{
    struct source *source = ctx;
    return get(&source->stop) != 0 ? THEATER_NEVER : 0;
}

static void advance(void *ctx, uint64_t now_ns)
{
    struct source *source = ctx;
    (void)now_ns;
    spin(source->env, MS / 20);
    atomic_fetch_add_explicit(&source->ns, MS / 20, memory_order_acq_rel);
}

static void timers_without_end_leave_time_for_tasks(void **state)
{
    const theater_env_t *env = theater_env_default();
    struct th_sched *sched = open_sched(env, 1);
    struct source source = {.env = env};
    struct th_time_source time = {&source, always_due, advance, NULL};
    struct actor pair[2];
    (void)state;

    for (unsigned i = 0; i < 2; i++) {
        actor_init(&pair[i], sched, wake_peer);
        pair[i].peer = &pair[1 - i];
    }
    th_sched_wake(sched, &pair[0].task);
    th_sched_add_time_source(sched, &time);
    uint64_t since = th_now(env);
    rest(env);
    uint64_t spent = get(&source.ns), passed = th_now(env) - since;
    bump(&source.stop);
    bump(&pair[0].stop);
    bump(&pair[1].stop);
    assert_quiet(sched);
    /* An eighth is their share; it was nearly all. */
    assert_true(spent < passed / 3);
    assert_true(spent > 0);
    th_sched_delete(sched);
}

struct late {
    struct th_task task;
    struct th_sched *sched;
    struct th_wake_timer timer;
    uint64_t due_ns;
    uint64_t late_ns;
    _Atomic uint64_t *woken;
    bool armed;
};

static enum th_run wait_until_due(struct th_task *task)
{
    struct late *late = TH_CONTAINER_OF(task, struct late, task);
    if (!late->armed) {
        late->armed = true;
        th_sched_wake_at(late->sched, &late->timer, late->due_ns);
    } else {
        late->late_ns = th_now(late->sched->env) - late->due_ns;
    }
    bump(late->woken);
    return TH_RUN_IDLE;
}

static void late_init(struct late *late, struct th_sched *sched,
                      _Atomic uint64_t *woken, uint64_t due_ns)
{
    memset(late, 0, sizeof(*late));
    late->sched = sched;
    late->timer.task = &late->task;
    late->due_ns = due_ns;
    late->woken = woken;
    th_task_init(&late->task, wait_until_due);
}

#ifdef __SANITIZE_THREAD__
enum { TIMERS_ARE_SLOW = true };
#else
enum { TIMERS_ARE_SLOW = false };
#endif

/* An eighth of the time: some hundred timers between two runs, not 16. */
static void long_runs_leave_timers_their_share(void **state)
{
    enum { COUNT = 4000 };
    const theater_env_t *env = theater_env_default();
    struct th_sched *sched = open_sched(env, 1);
    static struct late lates[COUNT];
    _Atomic uint64_t woken = 0;
    struct actor hog;
    (void)state;

    uint64_t due = after(env, 200 * MS);
    for (unsigned i = 0; i < COUNT; i++) {
        late_init(&lates[i], sched, &woken, due);
        th_sched_wake(sched, &lates[i].task);
    }
    assert_true(reaches(env, &woken, COUNT));
    actor_init(&hog, sched, for_ten_slices);
    th_sched_wake(sched, &hog.task);
    assert_true(reaches(env, &woken, COUNT + 1));
    uint64_t since = th_now(env), turns = get(&hog.runs);
    assert_true(reaches(env, &woken, 2 * COUNT));
    turns = get(&hog.runs) - turns;
    uint64_t passed = th_now(env) - since, hogged = turns * 10 * MS;
    bump(&hog.stop);
    assert_quiet(sched);
    /* In runs, so that a busy machine changes little; by their share where
     * timers take long themselves. */
    assert_true(turns < COUNT / 16 / 2 ||
                (TIMERS_ARE_SLOW && hogged < passed - passed / 16));
    for (unsigned i = 0; i < COUNT; i++) {
        th_sched_timer_fini(sched, &lates[i].timer);
    }
    th_sched_delete(sched);
}

static uint64_t due_once(void *ctx)
{
    return get(&((struct source *)ctx)->stop) != 0 ? THEATER_NEVER : 0;
}

static void advance_long(void *ctx, uint64_t now_ns)
{
    struct source *source = ctx;
    (void)now_ns;
    spin(source->env, 400 * MS);
    bump(&source->stop);
}

/* A look at time that took long, as when the system took the processor away,
 * is not followed by a rest of seven times that. */
static void time_does_not_rest_for_long(void **state)
{
    const theater_env_t *env = theater_env_default();
    struct th_sched *sched = open_sched(env, 1);
    struct source source = {.env = env};
    struct th_time_source time = {&source, due_once, advance_long, NULL};
    struct actor pair[2];
    struct late late;
    _Atomic uint64_t woken = 0;
    (void)state;

    late_init(&late, sched, &woken, after(env, 600 * MS));
    for (unsigned i = 0; i < 2; i++) {
        actor_init(&pair[i], sched, wake_peer);
        pair[i].peer = &pair[1 - i];
    }
    th_sched_wake(sched, &late.task);
    assert_true(reaches(env, &woken, 1));
    th_sched_wake(sched, &pair[0].task);
    assert_true(reaches(env, &pair[0].runs, 1000));
    th_sched_add_time_source(sched, &time);
    assert_true(reaches(env, &woken, 2));
    bump(&pair[0].stop);
    bump(&pair[1].stop);
    assert_quiet(sched);
    /* It was more than two seconds. */
    assert_true(late.late_ns < 1000 * MS);
    th_sched_timer_fini(sched, &late.timer);
    th_sched_delete(sched);
}

/* A clock that runs as the tasks say: what the system takes away is no part of
 * a run. */
static _Atomic uint64_t clock_ns;

static uint64_t told_time(void *ctx)
{
    (void)ctx;
    return get(&clock_ns);
}

/* Who sleeps until a time finds that it has come: a clock that no task moves
 * stands still, and a worker that came upon half a push before the first run
 * (TH_RETRY_NS) slept for ever, once under the thread sanitizer. */
static void told_park(void *ctx, const void *word, uint32_t expected,
                      uint64_t deadline_ns)
{
    uint64_t now = get(&clock_ns);

    if (deadline_ns == THEATER_NEVER) {
        theater_env_default()->park(ctx, word, expected, deadline_ns);
        return;
    }
    while (now < deadline_ns &&
           !atomic_compare_exchange_weak_explicit(&clock_ns, &now, deadline_ns,
                                                  memory_order_acq_rel,
                                                  memory_order_acquire)) {
    }
}

/* Its long runs and its short ones, by turns. */
struct mixed {
    struct th_task task;
    struct mixed *peer;   /* NULL: it has more to do by itself */
    unsigned every;       /* the last of so many runs is long; 0: none */
    _Atomic uint64_t run; /* of which slow: */
    _Atomic uint64_t slow;
    _Atomic uint64_t ns;
    struct th_sched *sched;
};

enum { LONG_NS = 900000, SHORT_NS = 200, MIXED_MS = 200 };

static enum th_run run_mixed(struct th_task *task)
{
    struct mixed *mixed = TH_CONTAINER_OF(task, struct mixed, task);
    uint64_t run = bump(&mixed->run);
    bool is_long = mixed->every != 0 && run % mixed->every == 0;
    uint64_t ns = is_long ? LONG_NS : SHORT_NS;

    atomic_fetch_add_explicit(&clock_ns, ns, memory_order_acq_rel);
    atomic_fetch_add_explicit(&mixed->ns, ns, memory_order_acq_rel);
    if (task->slow) {
        bump(&mixed->slow);
    }
    if (get(&clock_ns) > MIXED_MS * MS) {
        return TH_RUN_IDLE;
    }
    if (mixed->peer == NULL) {
        return TH_RUN_AGAIN;
    }
    th_sched_wake(mixed->sched, &mixed->peer->task);
    return TH_RUN_IDLE;
}

/* A pair beside two of which one run in `every` is long. */
static void run_beside(struct mixed pair[static 2], unsigned every)
{
    theater_env_t env = *theater_env_default();
    struct mixed hogs[2];

    env.now_ns = told_time;
    env.park = told_park;
    atomic_store_explicit(&clock_ns, 1, memory_order_release);
    struct th_sched *sched = open_sched(&env, 1);
    for (unsigned i = 0; i < 4; i++) {
        struct mixed *mixed = i < 2 ? &pair[i] : &hogs[i - 2];
        memset(mixed, 0, sizeof(*mixed));
        mixed->sched = sched;
        mixed->peer = i < 2 ? &pair[1 - i] : NULL;
        mixed->every = i < 2 ? 0 : every;
        th_task_init(&mixed->task, run_mixed);
    }
    th_sched_wake(sched, &pair[0].task);
    th_sched_wake(sched, &hogs[0].task);
    th_sched_wake(sched, &hogs[1].task);
    assert_true(reaches(theater_env_default(), &clock_ns, MIXED_MS * MS));
    assert_int_equal(th_sched_wait_quiet(sched, THEATER_NEVER), THEATER_OK);
    th_sched_delete(sched);
}

static void who_runs_after_a_long_run_is_not_taken_for_it(void **state)
{
    struct mixed pair[2];
    (void)state;

    run_beside(pair, 100);
    assert_int_equal(get(&pair[0].slow) + get(&pair[1].slow), 0);
    run_beside(pair, 7);
    assert_int_equal(get(&pair[0].slow) + get(&pair[1].slow), 0);
}

static void long_runs_between_short_ones_are_found(void **state)
{
    struct mixed pair[2];
    (void)state;

    for (unsigned every = 2; every < 20; every += 3) {
        run_beside(pair, every);
        /* Of four tasks two have half at the least; it was 42 %. */
        assert_true(get(&pair[0].ns) + get(&pair[1].ns) > MIXED_MS / 2 * MS);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(tasks_with_short_runs_go_before_one_with_long_runs),
        cmocka_unit_test(one_with_very_long_runs_leaves_the_others_a_share),
        cmocka_unit_test(
            whose_long_runs_end_does_not_wait_for_all_that_compute),
        cmocka_unit_test(many_with_long_runs_have_their_turns_all),
        cmocka_unit_test(
            who_asks_seldom_is_told_at_once_that_its_slice_is_over),
        cmocka_unit_test(timers_without_end_leave_time_for_tasks),
        cmocka_unit_test(long_runs_leave_timers_their_share),
        cmocka_unit_test(time_does_not_rest_for_long),
        cmocka_unit_test(who_runs_after_a_long_run_is_not_taken_for_it),
        cmocka_unit_test(long_runs_between_short_ones_are_found),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
