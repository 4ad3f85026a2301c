/* SPDX-License-Identifier: Apache-2.0 */
/* Design notes. The workloads that are no exchange between many actors:
 * `spawn` (threads of ours make actors, each answers one request), `memory`
 * (what an idle actor costs once it has answered) and `wake` (a message to an
 * actor while all workers sleep, beside a bare futex wake). */
#include "cli/bench.h"

#include <stdio.h>
#include <string.h>

enum { SPAWNERS = 2, WAKE_EVERY_NS = 500000 };

static uint64_t now_ns(const struct bench_config *config)
{
    return config->env->now_ns(config->env->ctx);
}

/* --- Many echoes - */

struct crowd {
    struct bench_world *world;
    _Atomic uint32_t answered;
    _Atomic uint32_t bad;
};

struct one {
    struct crowd *crowd;
    uint64_t began_ns;
};

struct spawner {
    struct crowd *crowd;
    uint32_t from;
    uint32_t to;
    theater_status_t status;
    theater_error_t err;
    theater_thread_t *thread;
};

static void on_answer(void *user, theater_status_t status,
                      theater_answer_t *answer)
{
    struct one *one = user;
    struct crowd *crowd = one->crowd;
    const struct bench_config *config = crowd->world->config;
    if (status != THEATER_OK || answer->len != 1) {
        atomic_fetch_add_explicit(&crowd->bad, 1, memory_order_relaxed);
    } else {
        bench_histogram_record(&config->probe->histogram,
                               now_ns(config) - one->began_ns);
    }
    theater_answer_delete(answer);
    config->env->free(config->env->ctx, one);
    /* [M3] release; pairs with [M4]: this actor's share is done. */
    atomic_fetch_add_explicit(&crowd->answered, 1, memory_order_release);
}

static theater_status_t ask(struct crowd *crowd, const char *name,
                            uint64_t began_ns)
{
    const theater_env_t *env = crowd->world->config->env;
    struct one *one = env->alloc(env->ctx, sizeof *one, 16);
    if (one == NULL) {
        return THEATER_OUT_OF_MEMORY;
    }
    *one = (struct one){crowd, began_ns};
    theater_status_t status = theater_router_request_start(
        crowd->world->router, NULL,
        (theater_bytes_t){(const uint8_t *)name, strlen(name)},
        (theater_bytes_t){(const uint8_t *)"?", 1}, 300000, on_answer, one,
        NULL);
    if (status != THEATER_PENDING) {
        env->free(env->ctx, one);
        return status;
    }
    return THEATER_OK;
}

static void spawner_run(void *arg)
{
    struct spawner *spawner = arg;
    struct crowd *crowd = spawner->crowd;
    const struct bench_native_options echo = {.role = BENCH_ECHO};
    for (uint32_t i = spawner->from;
         i < spawner->to && spawner->status == THEATER_OK; i++) {
        char name[32];
        uint64_t began_ns = now_ns(crowd->world->config);
        snprintf(name, sizeof name, "echo-%u", i);
        spawner->status =
            bench_world_spawn(crowd->world, name, false, &echo, &spawner->err);
        if (spawner->status == THEATER_OK) {
            spawner->status = ask(crowd, name, began_ns);
        }
    }
}

static theater_status_t wait_answers(struct crowd *crowd, uint32_t wanted)
{
    const struct bench_config *config = crowd->world->config;
    uint64_t until = now_ns(config) + 300 * UINT64_C(1000000000);
    /* [M4] acquire; pairs with [M3] */
    while (atomic_load_explicit(&crowd->answered, memory_order_acquire) <
           wanted) {
        if (now_ns(config) > until) {
            return THEATER_TIMEOUT;
        }
        bench_pause(config->env, 100000);
    }
    return THEATER_OK;
}

/* Spawns and asks all; the calling thread waits for the answers. */
static theater_status_t make_crowd(struct crowd *crowd, theater_error_t *err)
{
    const struct bench_config *config = crowd->world->config;
    const theater_env_t *env = config->env;
    struct spawner spawners[SPAWNERS] = {0};
    theater_status_t status = THEATER_OK;
    uint32_t started = 0;
    for (uint32_t i = 0; i < SPAWNERS && status == THEATER_OK; i++) {
        spawners[i].crowd = crowd;
        spawners[i].from = (uint32_t)((uint64_t)config->actors * i / SPAWNERS);
        spawners[i].to =
            (uint32_t)((uint64_t)config->actors * (i + 1) / SPAWNERS);
        status = env->thread_start(env->ctx, "bench-spawn", spawner_run,
                                   &spawners[i], &spawners[i].thread);
        started += status == THEATER_OK;
    }
    for (uint32_t i = 0; i < started; i++) {
        env->thread_join(env->ctx, spawners[i].thread);
        if (spawners[i].status != THEATER_OK && status == THEATER_OK) {
            status = spawners[i].status;
            *err = spawners[i].err;
        }
    }
    return status == THEATER_OK ? wait_answers(crowd, config->actors) : status;
}

/* One echo that is made and asked before, so that its module is compiled. */
static theater_status_t first_echo(struct bench_world *world,
                                   theater_error_t *err)
{
    const struct bench_native_options echo = {.role = BENCH_ECHO};
    theater_answer_t *answer = NULL;
    theater_status_t status =
        bench_world_spawn(world, "echo-first", false, &echo, err);
    if (status == THEATER_OK) {
        status = theater_router_request(
            world->router, NULL,
            (theater_bytes_t){(const uint8_t *)"echo-first", 10},
            (theater_bytes_t){(const uint8_t *)"?", 1}, 10000, &answer);
        theater_answer_delete(answer);
    }
    return status;
}

/* Asks all once more, now that they are idle. */
static theater_status_t ask_all(struct crowd *crowd)
{
    uint32_t actors = crowd->world->config->actors;
    theater_status_t status = THEATER_OK;
    atomic_store_explicit(&crowd->answered, 0, memory_order_relaxed);
    for (uint32_t i = 0; i < actors && status == THEATER_OK; i++) {
        char name[32];
        snprintf(name, sizeof name, "echo-%u", i);
        status = ask(crowd, name, now_ns(crowd->world->config));
    }
    return status == THEATER_OK ? wait_answers(crowd, actors) : status;
}

static theater_status_t crowd_course(struct crowd *crowd, bool again,
                                     struct bench_result *result,
                                     theater_error_t *err)
{
    const struct bench_config *config = crowd->world->config;
    theater_counters_t counters;
    theater_status_t status = first_echo(crowd->world, err);
    if (status != THEATER_OK) {
        return status;
    }
    uint64_t bytes = bench_resident();
    uint64_t begin_ns = now_ns(config);
    status = make_crowd(crowd, err);
    uint64_t end_ns = now_ns(config);
    if (status == THEATER_OK && again) {
        /* Idle long enough for what is given back when idle. */
        bench_pause(config->env, 500000000);
    }
    uint64_t after = bench_resident();
    if (status == THEATER_OK && again) {
        begin_ns = now_ns(config);
        status = ask_all(crowd);
        end_ns = now_ns(config);
    }
    if (status == THEATER_OK) {
        status = bench_world_rest(crowd->world, err);
    }
    theater_router_counters(crowd->world->router, &counters);
    uint64_t wanted = config->actors * (again ? UINT64_C(2) : 1) + 1;
    double ns = (double)(end_ns - begin_ns);
    result->figures[BENCH_RATE] = (double)config->actors * 1e9 / ns;
    result->figures[BENCH_BYTES_PER_ACTOR] =
        (double)(int64_t)(after - bytes) / config->actors;
    if (again) {
        result->figures[BENCH_ALL_ANSWERED_MS] = ns / 1e6;
    }
    result->sent = wanted;
    result->delivered = counters.delivered;
    result->dead = counters.dead_total;
    result->lost =
        wanted > counters.ended[THEATER_OK] + counters.dead_total
            ? wanted - counters.ended[THEATER_OK] - counters.dead_total
            : 0;
    result->errors = atomic_load_explicit(&crowd->bad, memory_order_relaxed);
    return status;
}

static theater_status_t run_crowd(const struct bench_config *config, bool again,
                                  struct bench_result *result,
                                  theater_error_t *err)
{
    struct bench_world world;
    struct crowd crowd = {.world = &world};
    theater_status_t status = bench_world_init(&world, config, err);
    if (status == THEATER_OK) {
        status = crowd_course(&crowd, again, result, err);
    }
    bench_world_fini(&world, result);
    return status;
}

theater_status_t bench_run_spawn(const struct bench_config *config,
                                 struct bench_result *result,
                                 theater_error_t *err)
{
    return run_crowd(config, false, result, err);
}

theater_status_t bench_run_memory(const struct bench_config *config,
                                  struct bench_result *result,
                                  theater_error_t *err)
{
    return run_crowd(config, true, result, err);
}

/* --- wake - */

struct futex {
    const struct bench_config *config;
    struct bench_histogram *histogram;
    _Atomic uint32_t word;       /* counts wakes; UINT32_MAX: the end */
    _Atomic uint64_t woke_at_ns; /* by the sender, before the wake */
};

static void futex_run(void *arg)
{
    struct futex *futex = arg;
    const theater_env_t *env = futex->config->env;
    uint32_t seen = 0;
    while (seen != UINT32_MAX) {
        env->park(env->ctx, &futex->word, seen, THEATER_NEVER);
        /* [M5] acquire; pairs with [M6]: the time of the wake. */
        uint32_t word =
            atomic_load_explicit(&futex->word, memory_order_acquire);
        if (word != seen && word != UINT32_MAX) {
            bench_histogram_record(
                futex->histogram,
                now_ns(futex->config) -
                    atomic_load_explicit(&futex->woke_at_ns,
                                         memory_order_relaxed));
        }
        seen = word;
    }
}

static void futex_wake(struct futex *futex, uint32_t word)
{
    const theater_env_t *env = futex->config->env;
    atomic_store_explicit(&futex->woke_at_ns, now_ns(futex->config),
                          memory_order_relaxed);
    /* [M6] release; pairs with [M5] */
    atomic_store_explicit(&futex->word, word, memory_order_release);
    env->unpark(env->ctx, &futex->word, 1);
}

/* Bare wakes between two threads, at the same pace, into `histogram`. */
static theater_status_t bare_wakes(const struct bench_config *config,
                                   uint32_t wakes,
                                   struct bench_histogram *histogram)
{
    const theater_env_t *env = config->env;
    theater_thread_t *thread;
    struct futex futex = {.config = config, .histogram = histogram};
    theater_status_t status =
        env->thread_start(env->ctx, "bench-futex", futex_run, &futex, &thread);
    if (status == THEATER_OK) {
        for (uint32_t i = 1; i <= wakes; i++) {
            bench_pause(env, WAKE_EVERY_NS);
            futex_wake(&futex, i);
        }
        bench_pause(env, WAKE_EVERY_NS);
        futex_wake(&futex, UINT32_MAX);
        env->thread_join(env->ctx, thread);
    }
    return status;
}

/* Messages to an idle receiver; every one is a sample. */
static theater_status_t paced_sends(struct bench_world *world, uint32_t wakes)
{
    const struct bench_config *config = world->config;
    uint64_t message[BENCH_OWNERS];
    size_t len = config->payload;
    uint64_t base = bench_fill(message, len);
    theater_status_t status = THEATER_OK;
    for (uint64_t i = 0; i < wakes && status == THEATER_OK; i++) {
        bench_pause(config->env, WAKE_EVERY_NS);
        bench_stamp(message, base, i * BENCH_SAMPLE);
        bench_probe_begin(config->probe, 0, i);
        status = theater_router_send(
            world->router, NULL,
            (theater_bytes_t){(const uint8_t *)"receiver-1", 10},
            (theater_bytes_t){(const uint8_t *)message, len});
    }
    return status;
}

static theater_status_t wake_course(struct bench_world *world, uint32_t wakes,
                                    struct bench_result *result,
                                    theater_error_t *err)
{
    const struct bench_native_options receiver = {.role = BENCH_RECEIVER};
    struct bench_counters counters;
    theater_counters_t router;
    uint64_t begin_ns = now_ns(world->config);
    theater_status_t status =
        bench_world_spawn(world, "receiver-1", false, &receiver, err);
    if (status == THEATER_OK) {
        begin_ns = now_ns(world->config);
        status = paced_sends(world, wakes);
    }
    uint64_t end_ns = now_ns(world->config);
    if (status == THEATER_OK) {
        status = bench_world_rest(world, err);
    }
    if (status == THEATER_OK) {
        status = bench_world_ask(world, "receiver-1", &counters);
    }
    if (status == THEATER_OK) {
        theater_router_counters(world->router, &router);
        result->figures[BENCH_RATE] = wakes * 1e9 / (double)(end_ns - begin_ns);
        result->sent = wakes;
        result->delivered = counters.received;
        result->dead = router.dead_total;
        result->errors = counters.checksum_errors + counters.order_errors;
        result->lost = wakes - counters.received;
    }
    return status;
}

/* Half of the bare wakes come before, half after, since the machine's cores
 * are not always equally far from each other. */
static theater_status_t wake_compared(const struct bench_config *config,
                                      struct bench_histogram *bare,
                                      struct bench_result *result,
                                      theater_error_t *err)
{
    struct bench_world world;
    uint32_t wakes = (uint32_t)(config->run_ns / 2 / WAKE_EVERY_NS) + 2;
    theater_status_t status = bare_wakes(config, wakes / 2, bare);
    if (status != THEATER_OK) {
        return status;
    }
    status = bench_world_init(&world, config, err);
    if (status == THEATER_OK) {
        status = wake_course(&world, wakes, result, err);
    }
    bench_world_fini(&world, result);
    if (status == THEATER_OK) {
        status = bare_wakes(config, wakes / 2, bare);
    }
    double *figures = result->figures;
    figures[BENCH_WAKE_NS] =
        (double)bench_histogram_at(&config->probe->histogram, 0.5);
    figures[BENCH_FUTEX_NS] = (double)bench_histogram_at(bare, 0.5);
    if (figures[BENCH_FUTEX_NS] > 0) {
        figures[BENCH_WAKE_RATIO] =
            figures[BENCH_WAKE_NS] / figures[BENCH_FUTEX_NS];
    }
    return status;
}

theater_status_t bench_run_wake(const struct bench_config *config,
                                struct bench_result *result,
                                theater_error_t *err)
{
    const theater_env_t *env = config->env;
    struct bench_config own = *config;
    struct bench_histogram *bare =
        env->alloc(env->ctx, sizeof *bare, _Alignof(struct bench_histogram));
    theater_status_t status = THEATER_OUT_OF_MEMORY;
    own.probe = bench_probe_new(env);
    if (bare != NULL && own.probe != NULL) {
        memset(bare, 0, sizeof *bare);
        status = wake_compared(&own, bare, result, err);
        bench_histogram_add(&config->probe->histogram, &own.probe->histogram);
    }
    bench_probe_delete(own.probe);
    env->free(env->ctx, bare);
    return status;
}
