/* SPDX-License-Identifier: Apache-2.0 */
/* Seeded interleavings of queue/timers.c: two owners arm, disarm and close
 * their timers while two others advance; some timers arm themselves when they
 * fire. Checked: no timer fires without an arming or before its deadline,
 * twice for one arming or beside itself; none is lost; `gone` comes once, and
 * after it the memory is not touched. */
#include "queue/timers.h"

#include "base/interleave.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <cmocka.h>

enum {
    OWNERS = 2,
    ADVANCERS = 2,
    EACH = 2, /* timers of an owner */
    TIMERS = OWNERS * EACH,
    OPERATIONS = 6,
    ARMINGS = 64,
    SEEDS = 3000
};

#define MS TH_TIMER_TICK_NS
#define POISON 0x5A

struct probe {
    struct th_timer timer;
    uint64_t armings[ARMINGS]; /* deadlines, written before the arm */
    unsigned armed;            /* of them */
    unsigned past;             /* armings that fired or were passed over */
    unsigned rearms;           /* that `fire` still makes */
    unsigned fired;
    bool firing;
    bool closed;
    unsigned gone;
};

struct world {
    struct th_timers *timers;
    struct probe probes[TIMERS];
    struct th_rng rngs[OWNERS + ADVANCERS];
    uint64_t now;
    unsigned next_was_earlier;
};

static struct world world;

static void arm(struct probe *probe, uint64_t deadline_ns)
{
    if (deadline_ns != THEATER_NEVER) {
        TH_CHECK(probe->armed < ARMINGS);
        probe->armings[probe->armed++] = deadline_ns;
    }
    th_timer_arm(world.timers, &probe->timer, deadline_ns);
}

static void on_fire(struct th_timer *timer)
{
    struct probe *probe = TH_CONTAINER_OF(timer, struct probe, timer);

    TH_CHECK(!probe->firing && probe->gone == 0);
    probe->firing = true;
    /* The first arming after the last fired one that can be meant. */
    while (probe->past < probe->armed &&
           probe->armings[probe->past] > world.now) {
        probe->past++;
    }
    TH_CHECK(probe->past < probe->armed);
    probe->past++;
    probe->fired++;
    th_interleave_point();
    if (probe->rearms > 0) {
        probe->rearms--;
        arm(probe, world.now + (probe->rearms % 2) * MS);
    }
    th_interleave_point();
    TH_CHECK(probe->gone == 0);
    probe->firing = false;
}

static void on_gone(struct th_timer *timer)
{
    struct probe *probe = TH_CONTAINER_OF(timer, struct probe, timer);

    TH_CHECK(probe->closed && !probe->firing && probe->gone == 0);
    probe->gone++;
    memset(timer, POISON, sizeof(*timer));
}

static void own(struct th_rng *rng, struct probe *probes)
{
    for (unsigned i = 0; i < OPERATIONS; i++) {
        struct probe *probe = &probes[th_rng_below(rng, EACH)];
        if (probe->closed) {
            continue;
        }
        switch (th_rng_below(rng, 8)) {
        case 0:
            probe->closed = true;
            th_timer_close(world.timers, &probe->timer);
            break;
        case 1:
            arm(probe, THEATER_NEVER);
            break;
        case 2:
            arm(probe, world.now + 5000 * MS);
            break;
        default:
            arm(probe, world.now + th_rng_below(rng, 4) * MS);
            break;
        }
    }
}

static void drive(struct th_rng *rng)
{
    for (unsigned i = 0; i < OPERATIONS; i++) {
        world.now += th_rng_below(rng, 3) * MS;
        if (th_rng_below(rng, 8) == 0) {
            world.now += 5000 * MS;
        }
        th_interleave_set_now(world.now);
        th_timers_advance(world.timers, world.now, th_rng_below(rng, 3));
    }
}

static void run(void *ctx, unsigned who)
{
    (void)ctx;
    if (who < OWNERS) {
        own(&world.rngs[who], &world.probes[who * EACH]);
    } else {
        drive(&world.rngs[who]);
    }
}

static void on_earlier(void *ctx)
{
    (void)ctx;
    world.next_was_earlier++;
}

static void world_new(uint64_t seed)
{
    memset(&world, 0, sizeof(world));
    world.now = 1000 * MS;
    th_interleave_set_now(world.now);
    assert_int_equal(th_timers_new(th_interleave_env(), &world.timers),
                     THEATER_OK);
    th_timers_set_earlier(world.timers, on_earlier, NULL);
    for (unsigned i = 0; i < TIMERS; i++) {
        th_timer_init(&world.probes[i].timer, on_fire, on_gone);
        world.probes[i].rearms = i % EACH == 0 ? 3 : 0;
    }
    for (unsigned i = 0; i < OWNERS + ADVANCERS; i++) {
        th_rng_init(&world.rngs[i], seed * 8 + i);
    }
}

/* Quiet: what is armed is known to next. */
static void check_next(void)
{
    size_t armed = 0;
    for (unsigned i = 0; i < TIMERS; i++) {
        const struct probe *probe = &world.probes[i];
        if (probe->gone > 0) {
            continue;
        }
        uint64_t deadline = atomic_load_explicit(&probe->timer.deadline_ns,
                                                 memory_order_relaxed);
        if (deadline != THEATER_NEVER) {
            armed++;
            assert_true(th_timers_next(world.timers) <= deadline + MS);
        }
    }
    assert_int_equal(th_timers_armed(world.timers), armed);
}

static void check_end(void)
{
    check_next();
    /* What is armed fires, and arms itself until it does not any more. */
    for (unsigned i = 0; i < 20; i++) {
        world.now += 10000 * MS;
        th_interleave_set_now(world.now);
        th_timers_advance(world.timers, world.now, 0);
    }
    assert_int_equal(th_timers_armed(world.timers), 0);
    for (unsigned i = 0; i < TIMERS; i++) {
        struct probe *probe = &world.probes[i];
        if (probe->closed) {
            assert_int_equal(probe->gone, 1);
            const unsigned char *bytes = (const unsigned char *)&probe->timer;
            for (size_t j = 0; j < sizeof(probe->timer); j++) {
                assert_int_equal(bytes[j], POISON);
            }
            continue;
        }
        probe->closed = true;
        th_timer_close(world.timers, &probe->timer);
        assert_int_equal(probe->gone, 1);
    }
    assert_true(th_timers_next(world.timers) == THEATER_NEVER);
    th_timers_delete(world.timers);
}

static void
each_order_of_arming_closing_and_advancing_keeps_the_promises(void **state)
{
    unsigned fired = 0;
    unsigned gone = 0;
    uint64_t seeds = th_interleave_seeds(SEEDS);
    (void)state;

    for (uint64_t nth = 0; nth < seeds; nth++) {
        uint64_t seed = th_interleave_first_seed() + nth;
        struct th_interleave plan = {seed, OWNERS + ADVANCERS, run, NULL};
        world_new(seed);
        (void)th_interleave_run(&plan);
        for (unsigned i = 0; i < TIMERS; i++) {
            fired += world.probes[i].fired;
            gone += world.probes[i].gone;
        }
        check_end();
    }
    /* The runs were about something. */
    assert_true(fired > seeds);
    assert_true(gone > seeds / 2);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(
            each_order_of_arming_closing_and_advancing_keeps_the_promises),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
