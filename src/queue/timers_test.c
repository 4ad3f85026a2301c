/* SPDX-License-Identifier: Apache-2.0 */
/* Timers: unit tests, and random operations against a naive list. The stress
 * run is timers_stress_test.c, the seeded interleavings are in
 * tests/interleave/. */
#include "queue/timers.h"

#include "base/env_fault.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <cmocka.h>

#define MS TH_TIMER_TICK_NS

struct probe {
    struct th_timer timer;
    unsigned fired;
    unsigned gone;
    uint64_t fired_at;    /* the world's clock */
    uint64_t order;       /* which firing of the world it was */
    uint64_t rearm_by_ns; /* fire arms it again, so much later; 0: not */
};

struct world {
    struct th_sim_env *sim;
    const theater_env_t *env;
    struct th_timers *timers;
    uint64_t base;
    uint64_t firings;
};

static struct world world;

static void on_fire(struct th_timer *timer)
{
    struct probe *probe = TH_CONTAINER_OF(timer, struct probe, timer);
    probe->fired++;
    probe->fired_at = th_now(world.env);
    probe->order = ++world.firings;
    if (probe->rearm_by_ns != 0) {
        th_timer_arm(world.timers, timer, probe->fired_at + probe->rearm_by_ns);
    }
}

static void on_gone(struct th_timer *timer)
{
    TH_CONTAINER_OF(timer, struct probe, timer)->gone++;
}

static void probe_init(struct probe *probe)
{
    memset(probe, 0, sizeof(*probe));
    th_timer_init(&probe->timer, on_fire, on_gone);
}

static int world_new(void **state)
{
    (void)state;
    memset(&world, 0, sizeof(world));
    if (th_sim_env_new(1, &world.sim) != THEATER_OK) {
        return -1;
    }
    world.env = th_sim_env_table(world.sim);
    world.base = th_now(world.env);
    return th_timers_new(world.env, &world.timers) == THEATER_OK ? 0 : -1;
}

static int world_delete(void **state)
{
    (void)state;
    th_timers_delete(world.timers);
    th_sim_env_delete(world.sim);
    return 0;
}

/* Moves the clock to `ns` after the start, fires all that is due. */
static size_t advance_to(uint64_t ns)
{
    th_sim_env_advance(world.env, world.base + ns);
    return th_timers_advance(world.timers, world.base + ns, 0);
}

static void arm(struct probe *probe, uint64_t ns)
{
    th_timer_arm(world.timers, &probe->timer, world.base + ns);
}

static void close_probe(struct probe *probe)
{
    th_timer_close(world.timers, &probe->timer);
    assert_int_equal(probe->gone, 1);
}

static void a_timer_fires_once_and_not_before_its_deadline(void **state)
{
    struct probe probe;
    (void)state;
    probe_init(&probe);
    arm(&probe, 10 * MS + 1);
    assert_int_equal(th_timers_armed(world.timers), 1);
    assert_true(th_timers_next(world.timers) <= world.base + 11 * MS);
    assert_int_equal(advance_to(10 * MS), 0);
    /* Not asked for again before its tick. */
    assert_true(th_timers_next(world.timers) == world.base + 11 * MS);
    assert_int_equal(advance_to(11 * MS), 1);
    assert_int_equal(advance_to(10000 * MS), 0);
    assert_int_equal(probe.fired, 1);
    assert_int_equal(th_timers_armed(world.timers), 0);
    assert_true(th_timers_next(world.timers) == THEATER_NEVER);
    close_probe(&probe);
}

static void a_deadline_that_is_past_fires_at_the_next_advance(void **state)
{
    struct probe probe;
    (void)state;
    probe_init(&probe);
    assert_int_equal(advance_to(100 * MS), 0);
    arm(&probe, 3 * MS);
    assert_int_equal(advance_to(100 * MS), 1);
    arm(&probe, 100 * MS);
    assert_int_equal(advance_to(100 * MS), 1);
    th_timer_arm(world.timers, &probe.timer, 0);
    assert_int_equal(advance_to(100 * MS), 1);
    close_probe(&probe);
}

static void arming_again_replaces_the_deadline(void **state)
{
    struct probe probe;
    (void)state;
    probe_init(&probe);
    arm(&probe, 10 * MS);
    arm(&probe, 50 * MS); /* later: only stored */
    assert_int_equal(advance_to(49 * MS), 0);
    arm(&probe, 90 * MS);
    arm(&probe, 60 * MS); /* earlier than before, later than placed */
    assert_int_equal(advance_to(59 * MS), 0);
    assert_int_equal(advance_to(60 * MS), 1);
    arm(&probe, 5000 * MS);
    arm(&probe, 70 * MS); /* earlier than placed */
    assert_int_equal(advance_to(70 * MS), 1);
    assert_int_equal(advance_to(6000 * MS), 0);
    close_probe(&probe);
}

static void a_disarmed_timer_does_not_fire(void **state)
{
    struct probe probe;
    (void)state;
    probe_init(&probe);
    arm(&probe, 10 * MS);
    th_timer_arm(world.timers, &probe.timer, THEATER_NEVER);
    assert_int_equal(th_timers_armed(world.timers), 0);
    assert_int_equal(advance_to(20 * MS), 0);
    assert_true(th_timers_next(world.timers) == THEATER_NEVER);
    /* Nor when all of time passes. */
    arm(&probe, 30 * MS);
    th_timer_arm(world.timers, &probe.timer, THEATER_NEVER);
    assert_int_equal(th_timers_advance(world.timers, THEATER_NEVER, 0), 0);
    assert_int_equal(probe.fired, 0);
    close_probe(&probe);
}

static void fire_may_arm_its_own_timer(void **state)
{
    struct probe probe;
    (void)state;
    probe_init(&probe);
    probe.rearm_by_ns = 7 * MS;
    arm(&probe, 7 * MS);
    for (uint64_t ms = 1; ms <= 70; ms++) {
        advance_to(ms * MS);
    }
    assert_int_equal(probe.fired, 10);
    close_probe(&probe);
    assert_int_equal(th_timers_armed(world.timers), 0);
}

static void
closing_says_gone_once_and_before_that_all_is_forgotten(void **state)
{
    struct probe probes[3];
    (void)state;
    for (unsigned i = 0; i < 3; i++) {
        probe_init(&probes[i]);
    }
    close_probe(&probes[0]); /* never armed */
    arm(&probes[1], 5 * MS); /* placed */
    close_probe(&probes[1]);
    arm(&probes[2], 5 * MS); /* fired */
    assert_int_equal(advance_to(5 * MS), 1);
    close_probe(&probes[2]);
    /* Their memory may be anything now. */
    memset(probes, 0xA5, sizeof(probes));
    assert_int_equal(advance_to(100 * MS), 0);
    assert_true(th_timers_next(world.timers) == THEATER_NEVER);
}

static struct probe *closes_other;

static void on_fire_close(struct th_timer *timer)
{
    on_fire(timer);
    if (closes_other != NULL) {
        struct probe *other = closes_other;
        closes_other = NULL;
        th_timer_close(world.timers, &other->timer);
    }
}

static void fire_may_close_its_own_timer_and_gone_comes_after_it(void **state)
{
    struct probe probe;
    (void)state;
    probe_init(&probe);
    probe.timer.fire = on_fire_close;
    closes_other = &probe;
    arm(&probe, 5 * MS);
    assert_int_equal(advance_to(5 * MS), 1);
    assert_int_equal(probe.gone, 1);
}

static void fire_may_close_a_timer_that_is_due_with_it(void **state)
{
    struct probe first;
    struct probe second;
    (void)state;
    probe_init(&first);
    probe_init(&second);
    first.timer.fire = on_fire_close;
    closes_other = &second;
    arm(&first, 5 * MS);
    arm(&second, 5 * MS);
    assert_int_equal(advance_to(5 * MS), 1);
    assert_int_equal(second.fired, 0);
    assert_int_equal(second.gone, 1);
    assert_int_equal(th_timers_armed(world.timers), 0);
    close_probe(&first);
}

static void
timers_of_one_tick_fire_in_the_order_of_their_deadlines(void **state)
{
    enum { COUNT = 100 };
    static struct probe probes[COUNT];
    (void)state;
    for (unsigned i = 0; i < COUNT; i++) {
        probe_init(&probes[i]);
        /* Half of them come down from a higher level. */
        if (i == COUNT / 2) {
            advance_to(4990 * MS);
        }
        arm(&probes[i], 4999 * MS + 1 + (i * 37) % COUNT);
    }
    assert_int_equal(advance_to(5000 * MS), COUNT);
    for (unsigned i = 0; i < COUNT; i++) {
        assert_int_equal(probes[i].order, 1 + (i * 37) % COUNT);
        close_probe(&probes[i]);
    }
}

static void deadlines_on_every_level_and_beyond_fire_in_their_tick(void **state)
{
    enum { COUNT = 60 };
    static struct probe probes[COUNT];
    (void)state;
    for (unsigned i = 0; i < COUNT; i++) {
        probe_init(&probes[i]);
    }
    /* Powers of two in ticks, until well beyond 2^36, as far as the clock
     * goes; each in its tick and not a tick before. */
    for (unsigned i = 0; i < 44; i++) {
        arm(&probes[i], (UINT64_C(1) << i) * MS);
    }
    for (unsigned i = 0; i < 44; i++) {
        uint64_t at = (UINT64_C(1) << i) * MS;
        assert_true(th_timers_next(world.timers) <= world.base + at + MS);
        assert_int_equal(advance_to(at - 1), 0);
        assert_int_equal(advance_to(at), 1);
        assert_int_equal(probes[i].fired, 1);
        close_probe(&probes[i]);
    }
    assert_true(th_timers_next(world.timers) == THEATER_NEVER);
}

static void in_the_last_years_next_is_not_in_the_past(void **state)
{
    /* The last list of what is far away would be looked at behind the end of
     * time. */
    const uint64_t late = THEATER_NEVER - 3 * MS;
    struct probe probe;
    (void)state;
    assert_int_equal(advance_to(late - world.base), 0);
    probe_init(&probe);
    arm(&probe, THEATER_NEVER - 1 - world.base);
    uint64_t next = th_timers_next(world.timers);
    assert_true(next > late && next < THEATER_NEVER);
    th_timer_arm(world.timers, &probe.timer, THEATER_NEVER);
    close_probe(&probe);
}

static void
an_advance_does_at_most_its_limit_and_says_that_there_is_more(void **state)
{
    enum { COUNT = 1000 };
    static struct probe probes[COUNT];
    size_t fired = 0;
    unsigned calls = 0;
    (void)state;
    for (unsigned i = 0; i < COUNT; i++) {
        probe_init(&probes[i]);
        arm(&probes[i], 5000 * MS + i);
    }
    th_sim_env_advance(world.env, world.base + 6000 * MS);
    while (th_timers_next(world.timers) <= th_now(world.env)) {
        size_t now = th_timers_advance(world.timers, th_now(world.env), 10);
        assert_true(now <= 10);
        fired += now;
        calls++;
    }
    assert_int_equal(fired, COUNT);
    assert_true(calls >= COUNT / 10);
    assert_true(calls <= COUNT);
    for (unsigned i = 0; i < COUNT; i++) {
        assert_int_equal(probes[i].order, i + 1);
        close_probe(&probes[i]);
    }
}

static void moving_timers_nearer_is_bounded_by_the_limit_too(void **state)
{
    enum { COUNT = 1000 };
    static struct probe probes[COUNT];
    unsigned calls = 0;
    (void)state;
    for (unsigned i = 0; i < COUNT; i++) {
        probe_init(&probes[i]);
        arm(&probes[i], (5000 + i) * MS);
    }
    /* All of them come nearer before the first is due. */
    uint64_t last = 0;
    while (th_timers_next(world.timers) < world.base + 5000 * MS) {
        uint64_t next = th_timers_next(world.timers);
        calls += next <= last ? 1 : 0;
        last = next > last ? next : last;
        th_sim_env_advance(world.env, next);
        assert_int_equal(th_timers_advance(world.timers, th_now(world.env), 1),
                         0);
    }
    assert_true(calls > 10);
    for (unsigned i = 0; i < COUNT; i++) {
        assert_int_equal(advance_to((5000 + i) * MS), 1);
        assert_int_equal(probes[i].order, i + 1);
        close_probe(&probes[i]);
    }
}

static void
what_lies_beyond_the_wheel_comes_back_whatever_the_limit(void **state)
{
    enum { COUNT = 300 };
    static struct probe probes[COUNT];
    uint64_t span = (UINT64_C(1) << 36) * MS;
    size_t fired = 0;
    (void)state;
    for (unsigned i = 0; i < COUNT; i++) {
        probe_init(&probes[i]);
        arm(&probes[i], span + (1000 + i % 7) * MS);
    }
    th_sim_env_advance(world.env, world.base + span + 2000 * MS);
    while (th_timers_next(world.timers) <= th_now(world.env)) {
        fired += th_timers_advance(world.timers, th_now(world.env), 1);
    }
    assert_int_equal(fired, COUNT);
    for (unsigned i = 0; i < COUNT; i++) {
        close_probe(&probes[i]);
    }
}

struct armer {
    struct probe probe;
    _Atomic uint32_t state; /* 1: it armed; 2: it may end */
};

static void arm_in_a_thread(void *arg)
{
    struct armer *armer = arg;
    const theater_env_t *env = theater_env_default();

    arm(&armer->probe, 10 * MS);
    atomic_store_explicit(&armer->state, 1, memory_order_release);
    env->unpark(env->ctx, &armer->state, 1);
    while (atomic_load_explicit(&armer->state, memory_order_acquire) != 2) {
        env->park(env->ctx, &armer->state, 1, THEATER_NEVER);
    }
}

/* Its wheel is another than the one that is turned first. */
static void timers_without_end_do_not_keep_those_of_others_waiting(void **state)
{
    enum { COUNT = 100, LIMIT = 16 };
    static struct probe probes[COUNT];
    const theater_env_t *env = theater_env_default();
    struct armer other = {.state = 0};
    theater_thread_t *thread;
    (void)state;
    for (unsigned i = 0; i < COUNT; i++) {
        probe_init(&probes[i]);
        probes[i].rearm_by_ns = 1;
        arm(&probes[i], MS);
    }
    probe_init(&other.probe);
    assert_int_equal(
        env->thread_start(env->ctx, "other", arm_in_a_thread, &other, &thread),
        THEATER_OK);
    while (atomic_load_explicit(&other.state, memory_order_acquire) != 1) {
        env->park(env->ctx, &other.state, 0, THEATER_NEVER);
    }
    for (unsigned i = 10; i < 100; i++) {
        th_sim_env_advance(world.env, world.base + i * MS);
        th_timers_advance(world.timers, th_now(world.env), LIMIT);
    }
    assert_int_equal(other.probe.fired, 1);
    atomic_store_explicit(&other.state, 2, memory_order_release);
    env->unpark(env->ctx, &other.state, 1);
    env->thread_join(env->ctx, thread);
    for (unsigned i = 0; i < COUNT; i++) {
        th_timer_arm(world.timers, &probes[i].timer, THEATER_NEVER);
        close_probe(&probes[i]);
    }
    close_probe(&other.probe);
}

static unsigned earlier_calls;

static void on_earlier(void *ctx)
{
    assert_ptr_equal(ctx, &world);
    earlier_calls++;
}

static void who_sleeps_is_told_when_next_becomes_earlier(void **state)
{
    struct probe near_one;
    struct probe far_one;
    (void)state;
    probe_init(&near_one);
    probe_init(&far_one);
    earlier_calls = 0;
    th_timers_set_earlier(world.timers, on_earlier, &world);
    arm(&near_one, 10 * MS);
    assert_int_equal(earlier_calls, 1);
    arm(&far_one, 2000 * MS);
    arm(&near_one, 20 * MS);
    assert_int_equal(earlier_calls, 1);
    arm(&far_one, 5 * MS);
    assert_int_equal(earlier_calls, 2);
    close_probe(&near_one);
    close_probe(&far_one);
}

/* What another thread may do while this one fires, timer by timer: the next of
 * its timers is armed anew, comes due, and is left to this thread. */
static struct probe left;
static uint64_t next_then;

static void fire_first(struct th_timer *timer)
{
    TH_CONTAINER_OF(timer, struct probe, timer)->fired++;
    arm(&left, 12 * MS);
    assert_int_equal(advance_to(13 * MS), 0);
    next_then = th_timers_next(world.timers);
}

static void
who_sleeps_looks_again_while_a_timer_is_left_to_another(void **state)
{
    struct probe first;
    (void)state;
    probe_init(&first);
    probe_init(&left);
    first.timer.fire = fire_first;
    arm(&first, 10 * MS);
    arm(&left, 10 * MS);
    assert_int_equal(advance_to(10 * MS), 1);
    assert_int_equal(first.fired, 1);
    assert_true(next_then <= world.base + 14 * MS);
    assert_int_equal(left.fired, 0);
    assert_true(th_timers_next(world.timers) <= world.base + 13 * MS);
    assert_int_equal(advance_to(13 * MS), 1);
    assert_int_equal(left.fired, 1);
    assert_true(th_timers_next(world.timers) == THEATER_NEVER);
    close_probe(&first);
    close_probe(&left);
}

/* --- Random operations against a list ----------------------------------- */

enum { MODEL = 64, OPERATIONS = 20000 };

struct model {
    struct probe probes[MODEL];
    uint64_t wants[MODEL]; /* NEVER: disarmed */
    unsigned fired[MODEL];
};

static struct model model;

static uint64_t random_deadline(struct th_rng *rng, uint64_t now)
{
    /* From a part of a tick to beyond the wheel, while the clock lasts. */
    uint64_t widest = now < UINT64_MAX / 4 ? 59 : 30;
    uint64_t span = UINT64_C(1) << th_rng_below(rng, widest);
    uint64_t by = th_rng_below(rng, span);
    return th_rng_below(rng, 8) == 0 ? now - by % now : now + by;
}

/* All that had to fire at `now` did, nothing else. */
static void model_advance(uint64_t now, uint64_t seed)
{
    th_sim_env_advance(world.env, now);
    now = th_now(world.env);
    th_timers_advance(world.timers, now, 0);
    for (unsigned i = 0; i < MODEL; i++) {
        struct probe *probe = &model.probes[i];
        uint64_t due = model.wants[i];
        bool fired = probe->fired != model.fired[i];
        /* Fired only when due; a deadline in the tick of now may wait. */
        if ((fired && due > now) || (!fired && due <= now / MS * MS) ||
            probe->fired > model.fired[i] + 1) {
            print_error("seed %llu: timer %u\n", (unsigned long long)seed, i);
            fail();
        }
        if (fired) {
            model.fired[i]++;
            model.wants[i] = THEATER_NEVER;
        }
    }
}

static void model_check_next(void)
{
    uint64_t least = THEATER_NEVER;
    size_t armed = 0;
    for (unsigned i = 0; i < MODEL; i++) {
        least = model.wants[i] < least ? model.wants[i] : least;
        armed += model.wants[i] != THEATER_NEVER ? 1 : 0;
    }
    assert_int_equal(th_timers_armed(world.timers), armed);
    if (least != THEATER_NEVER) {
        assert_true(th_timers_next(world.timers) <= least + MS);
    }
}

static void model_operation(struct th_rng *rng, uint64_t seed)
{
    unsigned i = (unsigned)th_rng_below(rng, MODEL);
    struct probe *probe = &model.probes[i];
    uint64_t now = th_now(world.env);

    switch (th_rng_below(rng, 10)) {
    case 0:
        th_timer_close(world.timers, &probe->timer);
        assert_int_equal(probe->gone, 1);
        probe_init(probe);
        model.fired[i] = 0;
        model.wants[i] = THEATER_NEVER;
        break;
    case 1:
        th_timer_arm(world.timers, &probe->timer, THEATER_NEVER);
        model.wants[i] = THEATER_NEVER;
        break;
    case 2:
        model_advance(random_deadline(rng, now), seed);
        break;
    case 3: {
        /* As who sleeps does. */
        uint64_t next = th_timers_next(world.timers);
        if (next != THEATER_NEVER && next > now && next < UINT64_MAX / 4) {
            model_advance(next, seed);
        }
        break;
    }
    default:
        model.wants[i] = random_deadline(rng, now);
        th_timer_arm(world.timers, &probe->timer, model.wants[i]);
        break;
    }
    model_check_next();
}

static void random_operations_do_what_a_naive_list_does(void **state)
{
    for (uint64_t seed = 1; seed <= 20; seed++) {
        struct th_rng rng;
        th_rng_init(&rng, seed);
        memset(&model, 0, sizeof(model));
        for (unsigned i = 0; i < MODEL; i++) {
            probe_init(&model.probes[i]);
            model.wants[i] = THEATER_NEVER;
        }
        for (unsigned i = 0; i < OPERATIONS; i++) {
            model_operation(&rng, seed);
        }
        for (unsigned i = 0; i < MODEL; i++) {
            close_probe(&model.probes[i]);
        }
        world_delete(state);
        assert_int_equal(world_new(state), 0);
    }
}

static void without_memory_there_are_no_timers(void **state)
{
    struct th_timers *timers = NULL;
    struct th_fault_env fault;
    (void)state;
    th_fault_env_init(&fault, world.env);
    th_fault_env_fail(&fault, TH_FAULT_ALLOC, 1, true);
    assert_int_equal(th_timers_new(&fault.table, &timers),
                     THEATER_OUT_OF_MEMORY);
    assert_null(timers);
    assert_int_equal(th_timers_new(&fault.table, &timers), THEATER_OK);
    th_timers_delete(timers);
    assert_int_equal(th_fault_env_live(&fault), 0);
}

int main(void)
{
#define WORLD_TEST(name)                                                       \
    cmocka_unit_test_setup_teardown(name, world_new, world_delete)
    const struct CMUnitTest tests[] = {
        WORLD_TEST(a_timer_fires_once_and_not_before_its_deadline),
        WORLD_TEST(a_deadline_that_is_past_fires_at_the_next_advance),
        WORLD_TEST(arming_again_replaces_the_deadline),
        WORLD_TEST(a_disarmed_timer_does_not_fire),
        WORLD_TEST(fire_may_arm_its_own_timer),
        WORLD_TEST(closing_says_gone_once_and_before_that_all_is_forgotten),
        WORLD_TEST(fire_may_close_its_own_timer_and_gone_comes_after_it),
        WORLD_TEST(fire_may_close_a_timer_that_is_due_with_it),
        WORLD_TEST(timers_of_one_tick_fire_in_the_order_of_their_deadlines),
        WORLD_TEST(deadlines_on_every_level_and_beyond_fire_in_their_tick),
        WORLD_TEST(in_the_last_years_next_is_not_in_the_past),
        WORLD_TEST(
            an_advance_does_at_most_its_limit_and_says_that_there_is_more),
        WORLD_TEST(moving_timers_nearer_is_bounded_by_the_limit_too),
        WORLD_TEST(what_lies_beyond_the_wheel_comes_back_whatever_the_limit),
        WORLD_TEST(timers_without_end_do_not_keep_those_of_others_waiting),
        WORLD_TEST(who_sleeps_is_told_when_next_becomes_earlier),
        WORLD_TEST(who_sleeps_looks_again_while_a_timer_is_left_to_another),
        WORLD_TEST(random_operations_do_what_a_naive_list_does),
        WORLD_TEST(without_memory_there_are_no_timers),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
