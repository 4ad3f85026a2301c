/* SPDX-License-Identifier: Apache-2.0 */
/* Design notes: how much of their rate, and how much of their time to answer,
 * the bystanders keep beside each hostile actor, which is let in again and
 * again for as long as it is measured. A thread of its own asks the left one
 * and keeps how long each answer took; it does so without hostile actors too,
 * so that both are measured alike. For a machine that has nothing else to do:
 * no test depends on it. */
#include "cases.h"
#include "pests.h"

#include <stdlib.h>

enum { SAMPLES = 1 << 20 };

struct sampler {
    _Atomic bool stop;
    _Atomic uint32_t len; /* samples since it was set to 0 */
    uint32_t ns[SAMPLES];
    theater_thread_t *thread;
};

struct figure {
    double rate; /* round trips a second */
    double p99;  /* ns of an answer */
};

static struct sampler sampler;

static void sample(void *arg)
{
    struct sampler *s = arg;
    /* relaxed: the join brings all that matters */
    while (!atomic_load_explicit(&s->stop, memory_order_relaxed)) {
        theater_answer_t *answer = NULL;
        uint64_t since = stage_now();
        theater_status_t status = theater_router_request(
            cage_stage()->router, NULL, stage_text("left"), stage_text("?"),
            STAGE_WAIT_MS, &answer);
        uint64_t ns = stage_now() - since;
        TH_CHECK(status == THEATER_OK);
        theater_answer_delete(answer);
        /* [S1] release; pairs with [S2]: the sample travels. Between two
         * actors a sample may get lost: it belongs to neither. */
        uint32_t at = atomic_load_explicit(&s->len, memory_order_relaxed);
        if (at < SAMPLES) {
            s->ns[at] = ns < UINT32_MAX ? (uint32_t)ns : UINT32_MAX;
            atomic_store_explicit(&s->len, at + 1, memory_order_release);
        }
    }
}

static int by_size(const void *a, const void *b)
{
    uint32_t x = *(const uint32_t *)a, y = *(const uint32_t *)b;
    return (x > y) - (x < y);
}

/* NULL: nobody but the bystanders. */
static struct figure measure(const struct hostile *actor, unsigned ms)
{
    static const uint32_t never;
    static uint32_t sorted[SAMPLES];
    const theater_env_t *env = theater_env_default();
    atomic_store_explicit(&sampler.len, 0, memory_order_relaxed);
    uint64_t rounds = cage_rounds(), since = stage_now();
    uint64_t until = since + (uint64_t)ms * 1000000;
    while (stage_now() < until) {
        if (actor != NULL) {
            cage_run(actor);
        } else {
            env->park(env->ctx, &never, 0, until);
        }
    }
    double seconds = (double)(stage_now() - since) / 1e9;
    rounds = cage_rounds() - rounds;
    /* [S2] acquire; pairs with [S1] */
    uint32_t len = atomic_load_explicit(&sampler.len, memory_order_acquire);
    memcpy(sorted, sampler.ns, len * sizeof *sorted);
    qsort(sorted, len, sizeof *sorted, by_size);
    return (struct figure){(double)rounds / seconds,
                           len > 0 ? sorted[(uint64_t)len * 99 / 100] : 0};
}

static unsigned family(const char *name, const struct hostile *actors,
                       size_t len, unsigned ms)
{
    unsigned bad = 0;
    for (size_t i = 0; i < len; i++) {
        const char *state = actors[i].state;
        if (state != NULL && strcmp(state, "all credit") == 0) {
            continue; /* uses up the ditch, so it can be let in once only */
        }
        struct figure alone = measure(NULL, ms);
        struct figure beside = measure(&actors[i], ms);
        double rate = 100 * beside.rate / alone.rate;
        double p99 = beside.p99 / alone.p99;
        bool good = rate >= 80 && p99 <= 2;
        printf("%-4s %-10s %-50s rate %4.0f %%  p99 %6.0f us, %5.1f times\n",
               good ? "" : "!", name, actors[i].name, rate, beside.p99 / 1e3,
               p99);
        bad += !good;
    }
    return bad;
}

unsigned hostile_measure(unsigned ms)
{
    const theater_env_t *env = theater_env_default();
    theater_status_t status = env->thread_start(env->ctx, "sampler", sample,
                                                &sampler, &sampler.thread);
    assert_int_equal(status, THEATER_OK);
    unsigned bad =
        family("processor", cage_cpu, cage_cpu_len, ms) +
        family("memory", cage_memory, cage_memory_len, ms) +
        family("stack", cage_stack, cage_stack_len, ms) +
        family("lies", cage_lies, cage_lies_len, ms) +
        family("floods", cage_floods, cage_floods_len, ms) +
        family("exhaustion", cage_exhaustion, cage_exhaustion_len, ms);
    atomic_store_explicit(&sampler.stop, true, memory_order_relaxed);
    env->thread_join(env->ctx, sampler.thread);
    return bad;
}
