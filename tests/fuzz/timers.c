/* SPDX-License-Identifier: Apache-2.0 */
/* The timer wheel against a list: arm, disarm, arm anew, advance. A timer
 * fires once, not early, and by the first advance a tick after it is due. */
#include "fuzz.h"

#include "queue/timers.h"

enum { TIMERS = 16, OPERATIONS = 2000 };

/* Half of what there is: sums do not wrap. */
#define CLOCK_END (UINT64_MAX / 2)

struct probe {
    struct th_timer timer;
    uint64_t due; /* NEVER: not armed, in the model */
    unsigned fired, gone;
};

static uint64_t now;

static void on_fire(struct th_timer *timer)
{
    struct probe *probe = TH_CONTAINER_OF(timer, struct probe, timer);
    FUZZ_CHECK(probe->due != THEATER_NEVER); /* neither twice nor disarmed */
    FUZZ_CHECK(probe->due <= now);
    FUZZ_CHECK(probe->gone == 0);
    probe->due = THEATER_NEVER;
    probe->fired++;
}

static void on_gone(struct th_timer *timer)
{
    TH_CONTAINER_OF(timer, struct probe, timer)->gone++;
}

/* From ticks to years: every level of the wheel, and what is beyond. */
static uint64_t span(struct fuzz_bytes *in)
{
    unsigned shift = fuzz_u8(in) % 52;
    return (uint64_t)fuzz_u8(in) << shift;
}

static size_t check(struct th_timers *timers, const struct probe *probes)
{
    size_t armed = 0;
    uint64_t first = THEATER_NEVER;
    for (unsigned i = 0; i < TIMERS; i++) {
        armed += probes[i].due != THEATER_NEVER;
        first = probes[i].due < first ? probes[i].due : first;
    }
    FUZZ_CHECK(th_timers_armed(timers) == armed);
    uint64_t next = th_timers_next(timers);
    FUZZ_CHECK(first == THEATER_NEVER || next <= first + TH_TIMER_TICK_NS);
    return armed;
}

static void advance(struct th_timers *timers, const theater_env_t *env,
                    const struct probe *probes, uint64_t to)
{
    unsigned turns = 0;
    now = to;
    th_sim_env_advance(env, now);
    while (th_timers_next(timers) <= now) {
        (void)th_timers_advance(timers, now, 0);
        FUZZ_CHECK(++turns < 100000); /* it comes to an end */
    }
    for (unsigned i = 0; i < TIMERS; i++) {
        FUZZ_CHECK(probes[i].due == THEATER_NEVER ||
                   probes[i].due + TH_TIMER_TICK_NS > now);
    }
}

static void run(struct th_timers *timers, const theater_env_t *env,
                struct probe *probes, struct fuzz_bytes *in)
{
    for (unsigned n = 0; n < OPERATIONS && in->at < in->end && now < CLOCK_END;
         n++) {
        uint8_t op = fuzz_u8(in);
        struct probe *probe = &probes[op >> 4];
        switch (op & 3) {
        case 0:
        case 1:
            probe->due = now + span(in);
            th_timer_arm(timers, &probe->timer, probe->due);
            break;
        case 2:
            probe->due = THEATER_NEVER;
            th_timer_arm(timers, &probe->timer, THEATER_NEVER);
            break;
        default:
            advance(timers, env, probes, now + span(in));
        }
        (void)check(timers, probes);
    }
}

void th_fuzz_one(const uint8_t *data, size_t size)
{
    static struct probe probes[TIMERS];
    struct fuzz_bytes in = {data, data + size};
    struct th_sim_env *sim = NULL;
    struct th_timers *timers = NULL;
    FUZZ_CHECK(th_sim_env_new(1, &sim) == THEATER_OK);
    const theater_env_t *env = th_sim_env_table(sim);
    FUZZ_CHECK(th_timers_new(env, &timers) == THEATER_OK);
    now = th_now(env);
    for (unsigned i = 0; i < TIMERS; i++) {
        probes[i] = (struct probe){.due = THEATER_NEVER};
        th_timer_init(&probes[i].timer, on_fire, on_gone);
    }
    run(timers, env, probes, &in);
    for (unsigned i = 0; i < TIMERS; i++) {
        probes[i].due = THEATER_NEVER;
        th_timer_close(timers, &probes[i].timer);
    }
    FUZZ_CHECK(check(timers, probes) == 0);
    for (unsigned i = 0; i < TIMERS; i++) {
        FUZZ_CHECK(probes[i].gone == 1);
    }
    th_timers_delete(timers);
    th_sim_env_delete(sim);
}
