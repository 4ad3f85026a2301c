/* SPDX-License-Identifier: Apache-2.0 */
/* Design notes
 *
 * poll_oneoff waits for the earliest clock of its subscriptions, as other
 * host functions wait: the guest is suspended, and whoever runs it is told
 * until when through the hook `wake_at`; without that hook the guest is
 * entered again and again. Subscriptions of descriptors are ready at once:
 * writing never waits, reading finds the end. While the actor is being made
 * nothing may wait, and time is said to be up. */
#include "wasm/internal.h"

enum {
    SUBSCRIPTION_BYTES = 48,
    EVENT_BYTES = 32,
    MAX_SUBSCRIPTIONS = 1024,
    TAG_CLOCK = 0,
    CLOCK_WALL = 0,
    FLAG_ABSOLUTE = 1,
    WASI_EFAULT = 21,
    WASI_EINVAL = 28,
};

static uint64_t get64(const uint8_t *from)
{
    uint64_t value;
    memcpy(&value, from, 8);
    return value;
}

/* When, in now_ns, the subscription is due. */
static uint64_t due(const struct th_guest *guest, const uint8_t *subscription,
                    uint64_t now)
{
    const theater_env_t *env = guest->engine->env;
    if (subscription[8] != TAG_CLOCK) {
        return 0;
    }
    uint64_t timeout = get64(subscription + 24);
    uint64_t base = guest->poll.start_ns; /* a relative one began then */
    if ((subscription[40] & FLAG_ABSOLUTE) != 0) {
        bool wall = th_get32(subscription + 16) == CLOCK_WALL;
        uint64_t passed = wall ? env->wall_ns(env->ctx) : now;
        timeout = timeout > passed ? timeout - passed : 0;
        base = now;
    }
    uint64_t most = THEATER_NEVER - 1 - base;
    return base + (timeout < most ? timeout : most);
}

/* In bounds: checked when the call began, and memory does not shrink. */
static uint8_t *subscription_at(const struct th_guest *guest, uint32_t i)
{
    return th_guest_at(guest, guest->poll.in + i * SUBSCRIPTION_BYTES,
                       SUBSCRIPTION_BYTES);
}

/* The earliest of all; *out_first is whose it is. */
static uint64_t earliest(const struct th_guest *guest, uint64_t now,
                         uint32_t *out_first)
{
    uint64_t least = THEATER_NEVER;
    for (uint32_t i = 0; i < guest->poll.count; i++) {
        uint64_t at = due(guest, subscription_at(guest, i), now);
        if (at < least) {
            least = at;
            *out_first = i;
        }
    }
    return least;
}

/* An event for each that is due by now, for one at least. */
static void finish(struct th_guest *guest, uint64_t now)
{
    const struct th_poll *poll = &guest->poll;
    uint32_t events = 0, first = 0;
    (void)earliest(guest, now, &first);
    for (uint32_t i = 0; i < poll->count; i++) {
        uint8_t subscription[SUBSCRIPTION_BYTES];
        memcpy(subscription, subscription_at(guest, i), sizeof subscription);
        if (i != first && due(guest, subscription, now) > now) {
            continue;
        }
        uint8_t *to =
            th_guest_at(guest, poll->out + events * EVENT_BYTES, EVENT_BYTES);
        memset(to, 0, EVENT_BYTES);
        memcpy(to, subscription, 8); /* whose it is */
        to[10] = subscription[8];
        events++;
    }
    th_put32(th_guest_at(guest, poll->count_out, 4), events);
    guest->call.result.u32 = 0;
}

bool th_wasi_poll_resume(struct th_guest *guest)
{
    uint64_t now = th_now(guest->engine->env);
    if (now < guest->poll.wake_ns) {
        return false;
    }
    if (guest->hooks->wake_at != NULL) {
        guest->hooks->wake_at(guest->ctx, THEATER_NEVER);
    }
    finish(guest, now);
    return true;
}

/* The answer of `begin`: 0, and the errno is in call.result; or 1: wait. */
wasm_trap_t *th_wasi_poll(void *env, wasmtime_caller_t *caller,
                          wasmtime_val_raw_t *v, size_t len)
{
    struct th_guest *guest = th_guest_current;
    struct th_poll *poll = &guest->poll;
    (void)caller;
    (void)len;
    if (TH_UNLIKELY(guest->barred != NULL)) {
        /* `import` and `call` are another call's still. */
        return th_barred(guest, env);
    }
    *poll = (struct th_poll){
        .in = (uint32_t)v[0].i32,
        .out = (uint32_t)v[1].i32,
        .count = (uint32_t)v[2].i32,
        .count_out = (uint32_t)v[3].i32,
        .start_ns = th_now(guest->engine->env),
    };
    v[0].i32 = 0;
    guest->import = env;
    guest->call.result.u32 = WASI_EINVAL;
    if (poll->count == 0 || poll->count > MAX_SUBSCRIPTIONS) {
        return NULL;
    }
    guest->call.result.u32 = WASI_EFAULT;
    if (th_guest_at(guest, poll->in,
                    (uint64_t)poll->count * SUBSCRIPTION_BYTES) == NULL ||
        th_guest_at(guest, poll->out, (uint64_t)poll->count * EVENT_BYTES) ==
            NULL ||
        th_guest_at(guest, poll->count_out, 4) == NULL) {
        return NULL;
    }
    uint32_t first = 0;
    poll->wake_ns = earliest(guest, poll->start_ns, &first);
    if (poll->wake_ns <= poll->start_ns || guest->phase == TH_PHASE_INIT) {
        finish(guest, poll->start_ns);
        return NULL;
    }
    if (guest->hooks->wake_at != NULL) {
        guest->hooks->wake_at(guest->ctx, poll->wake_ns);
    }
    v[0].i32 = 1;
    return NULL;
}
