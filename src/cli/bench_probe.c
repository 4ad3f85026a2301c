/* SPDX-License-Identifier: Apache-2.0 */
/* Design notes. A guest's clock knows milliseconds, so latencies are taken by
 * a handler of the benchmark's own, `begin` and `end`; the message that lies
 * between the two orders them. Samples only: one message in 1,024, one
 * request in 8, so that taking them costs little. relaxed everywhere: the
 * message's own way through the mailbox publishes the time. */
#include "cli/bench.h"

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
        atomic_store_explicit(began, 0, memory_order_relaxed);
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
