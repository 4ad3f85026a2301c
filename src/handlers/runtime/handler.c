/* SPDX-License-Identifier: Apache-2.0 */
/* Design notes: six host functions over what the runtime already offers; an
 * instance is the environment and the time until which its actor sleeps.
 * Sleeping suspends the actor alone: its deadline goes to
 * theater_actor_wake_at, and each wake that comes earlier finds it not yet
 * over. A stop cuts a sleep short, but one that began after it: handle-stop
 * may sleep. `log` ends the actor's turn, so that its lines are told before it
 * goes on.
 * Threads: the worker that runs the actor. May fail: memory for an instance. */
#include <theater/runtime_handler.h>

#include "base/base.h"

#define INTERFACE "theater:actor/runtime@0.1.0"

enum { REASON_MAX = 1024 }; /* bytes of a reason to stop that are kept */

struct instance {
    const theater_env_t *env;
    uint64_t sleeps_until; /* the actor's own time to wake */
    bool sleeps_on;        /* a stop does not cut it short: it was before */
};

/* --- The host functions -------------------------------------------------- */

static theater_status_t log_begin(theater_call_t *call)
{
    call->status = THEATER_OK;
    return theater_actor_log(call->actor,
                             (theater_log_level_t)call->args[0].u32,
                             call->args[1].bytes);
}

/* The line was taken by `begin`, and by now it was handed on. */
static theater_status_t log_resume(theater_call_t *call)
{
    (void)call;
    return THEATER_OK;
}

static theater_status_t self_name_begin(theater_call_t *call)
{
    const char *name = theater_actor_name(call->actor);
    call->status = THEATER_OK;
    call->result.bytes = (theater_bytes_t){(const uint8_t *)name, strlen(name)};
    return THEATER_OK;
}

static theater_status_t initial_state_begin(theater_call_t *call)
{
    call->status = THEATER_OK;
    call->result.bytes = theater_actor_initial_state(call->actor);
    return THEATER_OK;
}

static theater_status_t now_ms_begin(theater_call_t *call)
{
    const struct instance *instance = call->instance;
    call->status = THEATER_OK;
    call->result.u64 = th_now(instance->env) / 1000000;
    return THEATER_OK;
}

static theater_status_t sleep_ms_begin(theater_call_t *call)
{
    struct instance *instance = call->instance;
    uint64_t wait_ns = (uint64_t)call->args[0].u32 * 1000000;
    instance->sleeps_until = th_now(instance->env) + wait_ns;
    instance->sleeps_on = theater_actor_stopping(call->actor);
    if (wait_ns == 0) {
        theater_actor_wake(call->actor); /* behind the others */
    } else {
        theater_actor_wake_at(call->actor, instance->sleeps_until);
    }
    return THEATER_PENDING;
}

static theater_status_t sleep_ms_resume(theater_call_t *call)
{
    struct instance *instance = call->instance;
    if (th_now(instance->env) < instance->sleeps_until &&
        (instance->sleeps_on || !theater_actor_stopping(call->actor))) {
        return THEATER_PENDING; /* woken for something else */
    }
    theater_actor_wake_at(call->actor, THEATER_NEVER);
    call->status = THEATER_OK;
    return THEATER_OK;
}

static void sleep_ms_cancel(theater_call_t *call)
{
    theater_actor_wake_at(call->actor, THEATER_NEVER);
}

static theater_status_t stop_begin(theater_call_t *call)
{
    const struct instance *instance = call->instance;
    theater_bytes_t reason = call->args[0].bytes;
    size_t len = reason.len < REASON_MAX ? reason.len : REASON_MAX;
    /* Not inside a UTF-8 sequence. */
    while (len < reason.len && len > 0 && (reason.data[len] & 0xC0) == 0x80) {
        len--;
    }
    char *text = th_strndup(instance->env, (const char *)reason.data, len);
    theater_actor_stop(call->actor, text); /* NULL: no memory, no reason */
    th_free(instance->env, text);
    call->status = THEATER_OK;
    return THEATER_OK;
}

static const theater_host_function_t functions[] = {
    {
        .interface = INTERFACE,
        .name = "log",
        .params = {THEATER_TYPE_ENUM, THEATER_TYPE_STRING},
        .result = THEATER_TYPE_NONE,
        .begin = log_begin,
        .resume = log_resume,
    },
    {
        .interface = INTERFACE,
        .name = "self-name",
        .result = THEATER_TYPE_STRING,
        .begin = self_name_begin,
    },
    {
        .interface = INTERFACE,
        .name = "initial-state",
        .result = THEATER_TYPE_OPTION_BYTES,
        .begin = initial_state_begin,
    },
    {
        .interface = INTERFACE,
        .name = "now-ms",
        .result = THEATER_TYPE_U64,
        .begin = now_ms_begin,
    },
    {
        .interface = INTERFACE,
        .name = "sleep-ms",
        .params = {THEATER_TYPE_U32},
        .result = THEATER_TYPE_NONE,
        .begin = sleep_ms_begin,
        .resume = sleep_ms_resume,
        .cancel = sleep_ms_cancel,
    },
    {
        .interface = INTERFACE,
        .name = "stop",
        .params = {THEATER_TYPE_STRING},
        .result = THEATER_TYPE_NONE,
        .begin = stop_begin,
    },
};

/* --- The instance --------------------------------------------------------- */

static theater_status_t create_instance(void *prototype,
                                        const theater_instance_args_t *args,
                                        void **out_instance,
                                        theater_error_t *err)
{
    (void)prototype;
    struct instance *instance = th_calloc(args->env, sizeof *instance);
    if (instance == NULL) {
        return th_error(err, THEATER_OUT_OF_MEMORY, args->name,
                        "no memory for its handler \"runtime\"");
    }
    instance->env = args->env;
    *out_instance = instance;
    return THEATER_OK;
}

static void destroy(void *instance_of)
{
    struct instance *instance = instance_of;
    th_free(instance->env, instance);
}

static const theater_handler_ops_t ops = {
    .size = sizeof ops,
    .functions = functions,
    .functions_len = sizeof functions / sizeof functions[0],
    .create_instance = create_instance,
    .destroy = destroy,
};

const theater_handler_ops_t *theater_runtime_handler_ops(void)
{
    return &ops;
}

theater_status_t
theater_runtime_handler_register(theater_handler_registry_t *registry)
{
    return theater_handler_registry_register(registry, "runtime", &ops, NULL);
}
