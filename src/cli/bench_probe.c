/* SPDX-License-Identifier: Apache-2.0 */
/* Design notes. A guest's clock knows milliseconds, so latencies are taken by
 * a handler of the benchmark's own, `begin` and `end`; the message that lies
 * between the two orders them. Samples only, so that taking them costs little.
 * A repeat that ends may leave a `begin` without its `end`, which the next
 * repeat must not find. relaxed everywhere: the message's own way through the
 * mailbox publishes the time. */
#include "cli/bench_probe.h"

#include <string.h>

struct bench_probe *bench_probe_new(const theater_env_t *env)
{
    struct bench_probe *probe = env->alloc(env->ctx, sizeof *probe, 64);
    if (probe != NULL) {
        memset(probe, 0, sizeof *probe);
        probe->env = env;
    }
    return probe;
}

void bench_probe_delete(struct bench_probe *probe)
{
    if (probe != NULL) {
        probe->env->free(probe->env->ctx, probe);
    }
}

void bench_probe_restart(struct bench_probe *probe, bool many)
{
    probe->many = many;
    for (size_t i = 0; i < BENCH_OWNERS; i++) {
        for (size_t k = 0; k < BENCH_TAGS; k++) {
            atomic_store_explicit(&probe->began_ns[i][k], 0,
                                  memory_order_relaxed);
        }
    }
}

void bench_probe_begin(struct bench_probe *probe, uint64_t owner, uint64_t tag)
{
    if (owner >= BENCH_OWNERS) {
        return;
    }
    atomic_store_explicit(&probe->began_ns[owner][tag % BENCH_TAGS],
                          probe->env->now_ns(probe->env->ctx),
                          memory_order_relaxed);
}

void bench_probe_end(struct bench_probe *probe, uint64_t owner, uint64_t tag)
{
    if (owner >= BENCH_OWNERS) {
        return;
    }
    _Atomic uint64_t *began = &probe->began_ns[owner][tag % BENCH_TAGS];
    uint64_t since = atomic_load_explicit(began, memory_order_relaxed);
    if (since != 0) {
        if (!probe->many) {
            atomic_store_explicit(began, 0, memory_order_relaxed);
        }
        bench_histogram_record(&probe->histogram,
                               probe->env->now_ns(probe->env->ctx) - since);
    }
}

static theater_status_t call_begin(theater_call_t *call)
{
    bench_probe_begin(call->instance, call->args[0].u32, call->args[1].u32);
    call->status = THEATER_OK;
    return THEATER_OK;
}

static theater_status_t call_end(theater_call_t *call)
{
    bench_probe_end(call->instance, call->args[0].u32, call->args[1].u32);
    call->status = THEATER_OK;
    return THEATER_OK;
}

/* Every actor has the same instance: the probe. */
static theater_status_t create_instance(void *prototype,
                                        const theater_instance_args_t *args,
                                        void **out_instance,
                                        theater_error_t *err)
{
    (void)args;
    (void)err;
    *out_instance = prototype;
    return THEATER_OK;
}

static theater_status_t setup(void *instance, theater_error_t *err)
{
    (void)instance;
    (void)err;
    return THEATER_OK;
}

static void stop(void *instance, const theater_end_t *end)
{
    (void)instance;
    (void)end;
}

static void destroy(void *instance)
{
    (void)instance;
}

const theater_handler_ops_t *bench_probe_ops(void)
{
    static const theater_host_function_t functions[] = {
        {.interface = "theater:bench/probe@0.1.0",
         .name = "begin",
         .params = {THEATER_TYPE_U32, THEATER_TYPE_U32},
         .begin = call_begin},
        {.interface = "theater:bench/probe@0.1.0",
         .name = "end",
         .params = {THEATER_TYPE_U32, THEATER_TYPE_U32},
         .begin = call_end},
    };
    static const theater_handler_ops_t ops = {
        .size = sizeof(theater_handler_ops_t),
        .functions = functions,
        .functions_len = sizeof functions / sizeof functions[0],
        .create_instance = create_instance,
        .setup_host_functions = setup,
        .stop = stop,
        .destroy = destroy,
    };
    return &ops;
}
