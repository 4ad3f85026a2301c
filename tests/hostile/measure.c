/* SPDX-License-Identifier: Apache-2.0 */
/* Design notes: how much of their rate the bystanders keep, and how much longer
 * a round takes, beside each hostile actor, which is let in again and again,
 * 100 times a second at most, for as long as it is measured.
 *
 * One message goes round between a native actor and a guest. The native one
 * looks 2,000 times a second at how long the round takes that is under way: so
 * a pause of a millisecond weighs as much as it lasts, where a percentile over
 * all rounds would see one among thousands. It does so alone, too.
 *
 * The first rows have a thread of the process's own in place of a hostile
 * actor: what a busy neighbour costs on this machine whatever it is.
 * For a machine that has nothing else to do: no test depends on it. */
#include "cases.h"
#include "pests.h"

#include <theater/message_server.h>

#include <stdlib.h>

enum {
    SAMPLES = 1 << 17,
    PARTS = 5,
    PACE_NS = 500000,     /* from one look to the next */
    INTERRUPT_NS = 20000, /* what the system takes now and then */
    LET_IN_NS = 10000000, /* from one hostile actor to the next */
};

/* The left bystander. */
struct keeper {
    uint64_t last_ns;     /* the message was here */
    uint64_t look_ns;     /* the next look */
    _Atomic uint32_t len; /* looks since it was set to 0 */
    uint32_t ns[SAMPLES];
};

struct figure {
    double rate; /* rounds a second */
    double p99;  /* ns of a round */
};

static struct keeper keeper;
static _Atomic bool spins, ends;
static _Atomic bool closes;
static bool copies; /* what spins copies memory, too */
static unsigned rows;

static void rest_until(uint64_t until)
{
    static const uint32_t never;
    const theater_env_t *env = theater_env_default();
    env->park(env->ctx, &never, 0, until);
}

static void deliver(void *self, theater_actor_t *actor,
                    theater_delivery_t *delivery)
{
    struct keeper *k = self;
    uint64_t now = stage_now(), ns = k->last_ns != 0 ? now - k->last_ns : 0;
    theater_status_t status = theater_router_send(
        cage_stage()->router, theater_message_server_endpoint(actor),
        stage_text("right"), delivery->args[0].bytes);
    /* relaxed: the refusal itself says that the other one was asked to end,
     * and this was set before. */
    TH_CHECK(status == THEATER_OK ||
             atomic_load_explicit(&closes, memory_order_relaxed));
    delivery->status = THEATER_OK;
    /* [S1] release; pairs with [S2]: the samples travel. Between two actors
     * some may get lost: they belong to neither. */
    uint32_t len = atomic_load_explicit(&k->len, memory_order_relaxed);
    for (; k->look_ns <= now && len < SAMPLES; len++) {
        k->ns[len] = ns < UINT32_MAX ? (uint32_t)ns : UINT32_MAX;
        k->look_ns = (k->look_ns != 0 ? k->look_ns : now) + PACE_NS;
        atomic_store_explicit(&k->len, len + 1, memory_order_release);
    }
    k->last_ns = now;
}

static const theater_native_ops_t left = {
    .size = sizeof(theater_native_ops_t),
    .exports = 31,
    .handler = "message-server",
    .deliver = deliver,
};

static int by_size(const void *a, const void *b)
{
    uint32_t x = *(const uint32_t *)a, y = *(const uint32_t *)b;
    return (x > y) - (x < y);
}

/* NULL: nobody but the bystanders. */
static struct figure measure(const struct hostile *actor, unsigned ms)
{
    static uint32_t sorted[SAMPLES];
    theater_manifest_t *manifest =
        actor != NULL ? cage_manifest_of(actor) : NULL;
    atomic_store_explicit(&keeper.len, 0, memory_order_relaxed);
    uint64_t rounds = cage_rounds(), since = stage_now();
    uint64_t until = since + (uint64_t)ms * 1000000;
    while (stage_now() < until) {
        uint64_t begun = stage_now();
        if (actor != NULL) {
            cage_run_again(actor, manifest);
        }
        rest_until(actor != NULL ? begun + LET_IN_NS : until);
    }
    double seconds = (double)(stage_now() - since) / 1e9;
    rounds = cage_rounds() - rounds;
    /* [S2] acquire; pairs with [S1] */
    uint32_t len = atomic_load_explicit(&keeper.len, memory_order_acquire);
    theater_manifest_release(manifest);
    memcpy(sorted, keeper.ns, len * sizeof *sorted);
    qsort(sorted, len, sizeof *sorted, by_size);
    return (struct figure){(double)rounds / seconds,
                           len > 0 ? sorted[(uint64_t)len * 99 / 100] : 0};
}

static int by_value(const void *a, const void *b)
{
    double x = *(const double *)a, y = *(const double *)b;
    return (x > y) - (x < y);
}

static double median(double values[static PARTS])
{
    qsort(values, PARTS, sizeof *values, by_value);
    return values[PARTS / 2];
}

/* In parts, by turns: a machine has faster and slower times. */
static bool row(const char *family, const char *name,
                const struct hostile *actor, unsigned ms)
{
    double rates[PARTS], times[PARTS], ns[PARTS];
    for (unsigned i = 0; i < PARTS; i++) {
        atomic_store_explicit(&spins, false, memory_order_relaxed);
        struct figure alone = measure(NULL, ms / PARTS);
        atomic_store_explicit(&spins, actor == NULL, memory_order_relaxed);
        struct figure beside = measure(actor, ms / PARTS);
        rates[i] = 100 * beside.rate / alone.rate;
        times[i] = beside.p99 / alone.p99;
        ns[i] = beside.p99;
    }
    double rate = median(rates), p99 = median(times), at = median(ns);
    bool good = rate >= 80 && (p99 <= 2 || at <= (double)INTERRUPT_NS);
    printf("%-4s %-10s %-50s rate %4.0f %%  p99 %7.1f us, %6.1f times\n",
           good ? "" : "!", family, name, rate, at / 1e3, p99);
    fflush(stdout);
    rows++;
    return good;
}

static void spin(void *arg)
{
    static char memory[65536];
    (void)arg;
    /* relaxed, both: nothing travels */
    while (!atomic_load_explicit(&ends, memory_order_relaxed)) {
        if (!atomic_load_explicit(&spins, memory_order_relaxed)) {
            rest_until(stage_now() + LET_IN_NS);
        } else if (copies) {
            memmove(memory, memory + 1, sizeof memory - 1);
        }
    }
}

static void control(const char *name, bool copying, unsigned ms,
                    const char *only)
{
    if (only != NULL && strstr(name, only) == NULL) {
        return;
    }
    copies = copying;
    atomic_store_explicit(&ends, false, memory_order_relaxed);
    const theater_env_t *env = theater_env_default();
    theater_thread_t *thread;
    assert_int_equal(env->thread_start(env->ctx, "spin", spin, NULL, &thread),
                     THEATER_OK);
    (void)row("control", name, NULL, ms);
    atomic_store_explicit(&ends, true, memory_order_relaxed);
    env->thread_join(env->ctx, thread);
}

static unsigned family(const char *name, const struct hostile *actors,
                       size_t len, unsigned ms, const char *only)
{
    unsigned bad = 0;
    for (size_t i = 0; i < len; i++) {
        const char *state = actors[i].state;
        if (state != NULL && strcmp(state, "all credit") == 0) {
            continue; /* uses up the ditch, so it can be let in once only */
        }
        if (only != NULL && strstr(actors[i].name, only) == NULL) {
            continue;
        }
        bad += !row(name, actors[i].name, &actors[i], ms);
    }
    return bad;
}

unsigned hostile_measure(unsigned ms, const char *only)
{
    cage_open(&left, &keeper, 1);
    control("a thread that spins", false, ms, only);
    control("a thread that copies memory over itself", true, ms, only);
    unsigned bad =
        family("processor", cage_cpu, cage_cpu_len, ms, only) +
        family("memory", cage_memory, cage_memory_len, ms, only) +
        family("stack", cage_stack, cage_stack_len, ms, only) +
        family("lies", cage_lies, cage_lies_len, ms, only) +
        family("floods", cage_floods, cage_floods_len, ms, only) +
        family("exhaustion", cage_exhaustion, cage_exhaustion_len, ms, only);
    atomic_store_explicit(&closes, true, memory_order_relaxed);
    cage_close();
    if (rows == 0) {
        fprintf(stderr, "hostile.actors: no hostile actor's name has '%s'\n",
                only);
        return 1;
    }
    return bad;
}
