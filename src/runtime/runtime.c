/* SPDX-License-Identifier: Apache-2.0 */
/* Design notes: a runtime is a scheduler, an engine, a table of actors and the
 * handlers it was given. Deleting it kills all actors through their own
 * activations, so that whatever an actor touches while it ends still has its
 * scheduler; then come workers, plans, engine, table and registry, in this
 * order: nothing is used after what it needs.
 * Threads: see the header. May fail: making it. */
#include "runtime/runtime.h"

_Static_assert((int)THEATER_WORKERS_MAX == (int)TH_WORKERS_MAX,
               "what the header says, and what the scheduler has");

enum {
    DEFAULT_MAX_ACTORS = 1 << 20,
    MOST_ACTORS = 1 << 24, /* the table's sums are of 32 bits */
    DEFAULT_STOP_GRACE_MS = 5000,
};

static bool engine_computes(void *user)
{
    const struct theater_runtime *runtime = user;
    return th_sched_is_awake(runtime->sched);
}

static void engine_notice(void *user, const char *text)
{
    struct theater_runtime *runtime = user;
    th_event_emit(runtime, &(struct th_event){
                               .kind = THEATER_ACTOR_LOG,
                               .level = THEATER_LOG_WARN,
                               .actor = "",
                               .text = text,
                               .text_len = strlen(text),
                           });
}

static theater_status_t start_parts(struct theater_runtime *runtime,
                                    const theater_runtime_options_t *options,
                                    theater_error_t *err)
{
    struct th_sched_options sched_options = {
        .env = runtime->env,
        .workers = options->workers,
        .simulated = options->simulated,
        .seed = options->seed,
    };
    theater_status_t status = th_sched_new(&sched_options, &runtime->sched);
    if (status != THEATER_OK) {
        return th_error(err, status, "runtime", "the workers can't be had: %s",
                        theater_status_text(status));
    }
    struct th_time_source timers = {
        .ctx = runtime->registry,
        .next_deadline = th_registry_next_deadline,
        .advance = th_registry_advance,
        .busy = th_registry_busy,
    };
    th_sched_add_time_source(runtime->sched, &timers);
    struct th_engine_options engine_options = {
        .env = runtime->env,
        .fuel = options->simulated,
        .cache_dir = options->cache_dir,
        .max_guests = runtime->max_actors,
        .notice = engine_notice,
        .computes = engine_computes,
        .user = runtime,
    };
    status = th_engine_new(&engine_options, &runtime->engine, err);
    if (status != THEATER_OK) {
        return status;
    }
    status = th_table_init(runtime);
    if (status != THEATER_OK) {
        return th_error(err, status, "runtime",
                        "no memory for the actors' table");
    }
    if (options->watchdog_ms == 0 || options->simulated) {
        return THEATER_OK;
    }
    status = th_watchdog_start(runtime, options->watchdog_ms);
    return status == THEATER_OK
               ? status
               : th_error(err, status, "runtime",
                          "the watchdog's thread can't be had: %s",
                          theater_status_text(status));
}

static void free_parts(struct theater_runtime *runtime)
{
    if (runtime->sched != NULL) {
        if (runtime->engine != NULL) {
            th_engine_rest(runtime->engine); /* it asks who is awake */
        }
        th_sched_delete(runtime->sched);
    }
    th_plans_forget(runtime);
    if (runtime->engine != NULL) {
        th_engine_delete(runtime->engine);
    }
    if (runtime->chunks != NULL) {
        th_table_fini(runtime);
    }
    th_free(runtime->env, runtime);
}

static void set_stop_grace(theater_runtime_t *runtime, uint32_t grace_ms)
{
    uint64_t ms = grace_ms != 0 ? grace_ms : DEFAULT_STOP_GRACE_MS;
    /* relaxed: the wake of those that are asked publishes it ([A4]) */
    atomic_store_explicit(&runtime->stop_grace_ns, ms * 1000000,
                          memory_order_relaxed);
}

theater_status_t theater_runtime_new(theater_handler_registry_t *registry,
                                     const theater_runtime_options_t *options,
                                     theater_runtime_t **out_runtime,
                                     theater_error_t *err)
{
    static const theater_runtime_options_t defaults =
        THEATER_RUNTIME_OPTIONS_INIT;
    if (options == NULL) {
        options = &defaults;
    }
    if (registry == NULL || options->size != sizeof *options) {
        return th_error(err, THEATER_INVALID_ARGUMENT, "runtime",
                        registry == NULL ? "there is no registry"
                                         : "options of an unknown size");
    }
    const theater_env_t *env =
        options->env != NULL ? options->env : registry->env;
    if (options->simulated && env == theater_env_default()) {
        return th_error(err, THEATER_INVALID_ARGUMENT, "runtime",
                        "a simulated runtime needs a simulated environment");
    }
    theater_runtime_t *runtime = th_calloc(env, sizeof *runtime);
    if (runtime == NULL) {
        return th_error(err, THEATER_OUT_OF_MEMORY, "runtime",
                        "no memory for a runtime");
    }
    runtime->env = env;
    runtime->registry = registry;
    runtime->on_event = options->on_event;
    runtime->user = options->user;
    runtime->simulated = options->simulated;
    runtime->max_actors = options->max_actors == 0 ? DEFAULT_MAX_ACTORS
                          : options->max_actors > MOST_ACTORS
                              ? MOST_ACTORS
                              : options->max_actors;
    set_stop_grace(runtime, 0);
    theater_status_t status = start_parts(runtime, options, err);
    if (status != THEATER_OK) {
        free_parts(runtime);
        return status;
    }
    *out_runtime = runtime;
    return THEATER_OK;
}

struct ask {
    uint32_t bits;
    const char *reason; /* NULL: none is noted */
};

static bool ask_each(void *user, struct theater_actor *actor)
{
    const struct ask *ask = user;
    if (ask->bits == TH_ASK_STOP) {
        theater_actor_stop(actor, ask->reason);
    } else {
        th_actor_ask(actor, ask->bits);
    }
    return true;
}

static void refuse_new(theater_runtime_t *runtime)
{
    th_lock(runtime->env, &runtime->lock);
    runtime->refusing = true;
    th_unlock(runtime->env, &runtime->lock);
}

void theater_runtime_delete(theater_runtime_t *runtime)
{
    if (runtime == NULL) {
        return;
    }
    TH_CHECK(!th_on_worker());
    refuse_new(runtime);
    struct ask kill = {TH_ASK_KILL, NULL};
    th_table_each(runtime, ask_each, &kill);
    theater_status_t status =
        theater_runtime_wait(runtime, THEATER_WAIT_STOPPED, UINT64_MAX);
    TH_CHECK(status == THEATER_OK);
    theater_handler_registry_t *registry = runtime->registry;
    free_parts(runtime);
    theater_handler_registry_delete(registry);
}

theater_status_t theater_runtime_stop(theater_runtime_t *runtime,
                                      const char *name, const char *reason)
{
    th_lock(runtime->env, &runtime->lock);
    struct theater_actor *actor = th_table_find(runtime, name, false);
    if (actor != NULL) {
        /* Under the lock: its slot can't become another's. */
        theater_actor_stop(actor, reason);
    }
    th_unlock(runtime->env, &runtime->lock);
    return actor != NULL ? THEATER_OK : THEATER_NOT_FOUND;
}

static bool wake_stopping(void *user, struct theater_actor *actor)
{
    (void)user;
    /* relaxed: who is asked from now on finds the new time */
    if ((atomic_load_explicit(&actor->asked, memory_order_relaxed) &
         TH_ASK_STOP) != 0) {
        theater_actor_wake(actor);
    }
    return true;
}

void theater_runtime_set_stop_grace(theater_runtime_t *runtime,
                                    uint32_t grace_ms)
{
    set_stop_grace(runtime, grace_ms);
    th_table_each(runtime, wake_stopping, NULL);
}

void theater_runtime_stop_all(theater_runtime_t *runtime, const char *reason)
{
    refuse_new(runtime);
    struct ask stop = {TH_ASK_STOP, reason};
    th_table_each(runtime, ask_each, &stop);
}

/* --- Looking -------------------------------------------------------------- */

const char *th_actor_state_name(uint32_t state)
{
    switch ((enum th_actor_state)state) {
    case TH_ACTOR_SPAWNING:
        return "spawning";
    case TH_ACTOR_PAUSED:
        return "paused";
    case TH_ACTOR_IDLE:
        return "idle";
    case TH_ACTOR_READY:
        return "ready";
    case TH_ACTOR_RUNNING:
        return "running";
    case TH_ACTOR_WAITING:
        return "waiting";
    case TH_ACTOR_STOPPING:
        return "stopping";
    case TH_ACTOR_RESTARTING:
    case TH_ACTOR_REBUILDING:
    case TH_ACTOR_REBUILT:
        return "restarting";
    case TH_ACTOR_FREE:
    default:
        return "ended";
    }
}

enum { LIST_AT_ONCE = 16 };

struct listed {
    theater_actor_info_t info;
    char name[256];
};

/* Copies some actors, from slot *next on. */
static size_t list_some(theater_runtime_t *runtime, uint32_t *next,
                        struct listed *out)
{
    size_t len = 0;
    th_lock(runtime->env, &runtime->lock);
    for (; *next < runtime->used && len < LIST_AT_ONCE; ++*next) {
        struct theater_actor *actor = th_table_at(runtime, *next);
        if (actor == NULL) {
            continue;
        }
        struct th_body *body = actor->body;
        struct listed *one = &out[len++];
        memcpy(one->name, body->name, body->name_len + 1);
        /* relaxed: statistics; the lock keeps the body */
        one->info = (theater_actor_info_t){
            .name = one->name,
            .state = th_actor_state_name(
                atomic_load_explicit(&actor->state, memory_order_relaxed)),
            .deliveries =
                atomic_load_explicit(&body->deliveries, memory_order_relaxed),
            .memory_bytes =
                atomic_load_explicit(&body->memory_bytes, memory_order_relaxed),
            .restarts =
                atomic_load_explicit(&body->restarts, memory_order_relaxed),
            .native = body->native != NULL,
        };
    }
    th_unlock(runtime->env, &runtime->lock);
    return len;
}

void theater_runtime_list(theater_runtime_t *runtime,
                          void (*each)(void *user,
                                       const theater_actor_info_t *info),
                          void *user)
{
    struct listed some[LIST_AT_ONCE];
    uint32_t next = 0;
    size_t len;
    while ((len = list_some(runtime, &next, some)) != 0) {
        for (size_t i = 0; i < len; i++) {
            each(user, &some[i].info);
        }
    }
}

void theater_runtime_stats(theater_runtime_t *runtime,
                           theater_runtime_stats_t *out)
{
    *out =
        (theater_runtime_stats_t){.workers = th_sched_workers(runtime->sched)};
    /* relaxed: statistics, all of them */
#define READ(field)                                                            \
    out->field = atomic_load_explicit(&runtime->field, memory_order_relaxed)
    READ(spawned);
    READ(stopped);
    READ(failed);
    READ(restarted);
    READ(cut_off);
    READ(compiled);
    READ(cache_hits);
#undef READ
    th_lock(runtime->env, &runtime->lock);
    out->live = runtime->live;
    out->deliveries = runtime->deliveries_ended;
    for (uint32_t i = 0; i < runtime->used; i++) {
        struct theater_actor *actor = th_table_at(runtime, i);
        if (actor != NULL) {
            /* relaxed: statistics */
            out->deliveries += atomic_load_explicit(&actor->body->deliveries,
                                                    memory_order_relaxed);
        }
    }
    th_unlock(runtime->env, &runtime->lock);
}
