/* SPDX-License-Identifier: Apache-2.0 */
/* Timers under stress: owners arm, disarm and close while two threads advance
 * real time. No timer is lost, fires early, or twice; `gone` comes once. */
#include "queue/timers.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <cmocka.h>

enum {
    OWNERS = 3,
    DRIVERS = 2,
    STEADY = 16, /* armed, awaited, armed again */
    WILD = 16,   /* armed, disarmed and closed at random */
    ROUNDS = 300
};

#define MS TH_TIMER_TICK_NS

struct probe {
    struct th_timer timer;
    _Atomic uint64_t due_ns; /* the steady ones' deadline */
    _Atomic unsigned fired;
    _Atomic unsigned gone;
    bool wild;
};

struct owner {
    struct probe steady[STEADY];
    struct probe wild[WILD];
    struct th_rng rng;
    unsigned steady_armings;
    unsigned wild_armings;
    unsigned wild_fired; /* of those that were closed and made anew */
    unsigned closes;
    theater_thread_t *thread;
};

static const theater_env_t *env;
static struct th_timers *timers;
static struct owner owners[OWNERS];
static _Atomic unsigned owners_left;
static _Atomic uint64_t fired_by_advance;

static void on_fire(struct th_timer *timer)
{
    struct probe *probe = TH_CONTAINER_OF(timer, struct probe, timer);

    if (!probe->wild) {
        uint64_t due =
            atomic_load_explicit(&probe->due_ns, memory_order_acquire);
        TH_CHECK(th_now(env) >= due);
    }
    atomic_fetch_add_explicit(&probe->fired, 1, memory_order_acq_rel);
}

static void on_gone(struct th_timer *timer)
{
    struct probe *probe = TH_CONTAINER_OF(timer, struct probe, timer);
    atomic_fetch_add_explicit(&probe->gone, 1, memory_order_acq_rel);
}

static unsigned count(_Atomic unsigned *counter)
{
    return atomic_load_explicit(counter, memory_order_acquire);
}

static void probe_init(struct probe *probe, bool wild)
{
    memset(probe, 0, sizeof(*probe));
    probe->wild = wild;
    th_timer_init(&probe->timer, on_fire, on_gone);
}

/* Arms all of them and waits until each has fired once. */
static void steady_round(struct owner *owner, unsigned round)
{
    for (unsigned i = 0; i < STEADY; i++) {
        struct probe *probe = &owner->steady[i];
        uint64_t due = th_now(env) + th_rng_below(&owner->rng, 3 * MS);
        TH_CHECK(count(&probe->fired) == round);
        atomic_store_explicit(&probe->due_ns, due, memory_order_release);
        th_timer_arm(timers, &probe->timer, due);
        owner->steady_armings++;
    }
}

static void steady_wait(struct owner *owner, unsigned round)
{
    for (unsigned i = 0; i < STEADY; i++) {
        _Atomic unsigned *fired = &owner->steady[i].fired;
        uint64_t give_up = th_now(env) + 20000 * MS;
        while (count(fired) == round) {
            TH_CHECK(th_now(env) < give_up);
            env->park(env->ctx, fired, round, th_now(env) + MS / 4);
        }
    }
}

static void wild_operation(struct owner *owner)
{
    struct probe *probe = &owner->wild[th_rng_below(&owner->rng, WILD)];
    uint64_t now = th_now(env);

    switch (th_rng_below(&owner->rng, 8)) {
    case 0:
        th_timer_close(timers, &probe->timer);
        while (count(&probe->gone) == 0) {
            th_pause();
        }
        TH_CHECK(count(&probe->gone) == 1);
        owner->wild_fired += count(&probe->fired);
        owner->closes++;
        probe_init(probe, true);
        break;
    case 1:
        th_timer_arm(timers, &probe->timer, THEATER_NEVER);
        break;
    default:
        owner->wild_armings++;
        th_timer_arm(timers, &probe->timer,
                     now + th_rng_below(&owner->rng, 100 * MS));
        break;
    }
}

static void own(void *arg)
{
    struct owner *owner = arg;
    for (unsigned round = 0; round < ROUNDS; round++) {
        steady_round(owner, round);
        for (unsigned i = 0; i < 4 * WILD; i++) {
            wild_operation(owner);
        }
        steady_wait(owner, round);
    }
    atomic_fetch_sub_explicit(&owners_left, 1, memory_order_acq_rel);
}

static void drive(void *arg)
{
    (void)arg;
    while (count(&owners_left) > 0) {
        size_t fired = th_timers_advance(timers, th_now(env), 8);
        atomic_fetch_add_explicit(&fired_by_advance, fired,
                                  memory_order_relaxed);
        uint64_t now = th_now(env);
        if (th_timers_next(timers) > now) {
            /* As who sleeps, but never long: the test stays bounded. */
            static const _Atomic uint32_t word;
            env->park(env->ctx, &word, 0, now + MS / 4);
        }
    }
}

static void run_threads(void)
{
    theater_thread_t *drivers[DRIVERS];

    for (unsigned i = 0; i < DRIVERS; i++) {
        assert_int_equal(
            env->thread_start(env->ctx, "drive", drive, NULL, &drivers[i]),
            THEATER_OK);
    }
    for (unsigned i = 0; i < OWNERS; i++) {
        assert_int_equal(env->thread_start(env->ctx, "own", own, &owners[i],
                                           &owners[i].thread),
                         THEATER_OK);
    }
    for (unsigned i = 0; i < OWNERS; i++) {
        env->thread_join(env->ctx, owners[i].thread);
    }
    for (unsigned i = 0; i < DRIVERS; i++) {
        env->thread_join(env->ctx, drivers[i]);
    }
}

/* Sums up one owner's timers and closes them. */
static uint64_t finish(struct owner *owner)
{
    uint64_t fired = owner->wild_fired;

    for (unsigned i = 0; i < STEADY; i++) {
        assert_int_equal(count(&owner->steady[i].fired), ROUNDS);
        fired += count(&owner->steady[i].fired);
        th_timer_close(timers, &owner->steady[i].timer);
        assert_int_equal(count(&owner->steady[i].gone), 1);
    }
    assert_int_equal(owner->steady_armings, STEADY * ROUNDS);
    for (unsigned i = 0; i < WILD; i++) {
        fired += count(&owner->wild[i].fired);
        th_timer_close(timers, &owner->wild[i].timer);
        assert_int_equal(count(&owner->wild[i].gone), 1);
    }
    assert_true(fired <= (uint64_t)owner->steady_armings + owner->wild_armings);
    assert_true(owner->closes > 0);
    return fired;
}

static void
many_threads_lose_no_timer_and_fire_none_early_or_twice(void **state)
{
    uint64_t fired = 0;
    (void)state;

    env = theater_env_default();
    assert_int_equal(th_timers_new(env, &timers), THEATER_OK);
    atomic_store_explicit(&owners_left, OWNERS, memory_order_relaxed);
    for (unsigned i = 0; i < OWNERS; i++) {
        th_rng_init(&owners[i].rng, i);
        for (unsigned j = 0; j < STEADY; j++) {
            probe_init(&owners[i].steady[j], false);
        }
        for (unsigned j = 0; j < WILD; j++) {
            probe_init(&owners[i].wild[j], true);
        }
    }
    run_threads();

    size_t armed = th_timers_armed(timers);
    size_t last = th_timers_advance(timers, th_now(env) + 1000 * MS, 0);
    assert_int_equal(last, armed);
    assert_int_equal(th_timers_armed(timers), 0);
    for (unsigned i = 0; i < OWNERS; i++) {
        fired += finish(&owners[i]);
    }
    assert_int_equal(fired, last + atomic_load_explicit(&fired_by_advance,
                                                        memory_order_relaxed));
    assert_true(th_timers_next(timers) == THEATER_NEVER);
    th_timers_delete(timers);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(
            many_threads_lose_no_timer_and_fire_none_early_or_twice),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
