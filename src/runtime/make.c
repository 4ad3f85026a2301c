/* SPDX-License-Identifier: Apache-2.0 */
/* Design notes: an actor is made on the thread that asks for it, in the order
 * body, name, handlers' instances, handlers' set-up, guest; a failure undoes
 * in reverse, so that nothing is left behind. All that time the state is
 * SPAWNING: wakes find nothing to do, and what is asked of the actor (to stop)
 * waits in `asked` until it is released to its activation.
 *
 * Threads: the maker's, never a worker: loading and start functions may take
 * long. May fail: everything; see th_actor_make. */
#include "runtime/runtime.h"

static size_t align16(size_t size)
{
    return (size + 15) & ~(size_t)15;
}

static size_t supervision_size(const struct th_plan *plan)
{
    const theater_restart_t *restart = theater_manifest_restart(plan->manifest);
    if (plan->module == NULL || restart->when == THEATER_RESTART_NEVER) {
        return 0;
    }
    size_t times = restart->max_restarts < TH_RESTART_TIMES
                       ? restart->max_restarts
                       : TH_RESTART_TIMES;
    return align16(sizeof(struct th_supervision) + times * sizeof(uint64_t));
}

/* One allocation: body, instances, supervision, delivery, initial state,
 * name. */
static struct th_body *new_body(const theater_env_t *env,
                                const struct th_make *make)
{
    struct th_plan *plan = make->plan;
    size_t name_len = strlen(make->name);
    size_t body_len =
        align16(sizeof(struct th_body) + plan->grants_len * sizeof(void *));
    size_t supervision_len = supervision_size(plan);
    size_t delivery_len =
        make->native == NULL ? align16(sizeof(theater_delivery_t)) : 0;
    size_t state_len =
        make->initial_state.data == NULL ? 0 : make->initial_state.len + 1;
    char *memory = th_calloc(env, body_len + supervision_len + delivery_len +
                                      state_len + name_len + 1);
    if (memory == NULL) {
        return NULL;
    }
    struct th_body *body = (struct th_body *)(void *)memory;
    memory += body_len;
    if (supervision_len != 0) {
        body->supervision = (struct th_supervision *)(void *)memory;
        memory += supervision_len;
    }
    if (delivery_len != 0) {
        body->delivery = (theater_delivery_t *)(void *)memory;
        memory += delivery_len;
    }
    if (state_len != 0) {
        if (make->initial_state.len != 0) {
            memcpy(memory, make->initial_state.data, make->initial_state.len);
        }
        body->initial_state =
            (theater_bytes_t){(uint8_t *)memory, make->initial_state.len};
        memory += state_len;
    }
    memcpy(memory, make->name, name_len);
    body->name = memory;
    body->name_len = name_len;
    body->plan = th_plan_retain(plan);
    body->native = make->native;
    body->self = make->self;
    body->turn = TH_TURN;
    body->entry = TH_ENTER_RUN;
    return body;
}

static theater_status_t create_instances(struct theater_actor *actor,
                                         theater_error_t *err)
{
    struct th_body *body = actor->body;
    struct th_plan *plan = body->plan;
    for (size_t i = 0; i < plan->grants_len; i++) {
        const struct th_registered *handler = plan->handlers[i];
        uint64_t exports = 0;
        if (body->native == NULL && plan->module != NULL) {
            exports = th_module_exports(plan->module, i);
        } else if (body->native != NULL && body->native->handler != NULL &&
                   strcmp(body->native->handler, handler->type) == 0) {
            exports = body->native->exports;
        }
        theater_instance_args_t args = {
            .actor = actor,
            .name = body->name,
            .section = plan->sections[i],
            .exports = exports,
            .env = actor->runtime->env,
            .native = body->native != NULL,
        };
        theater_status_t status = handler->ops->create_instance(
            handler->prototype, &args, &body->instances[i], err);
        if (status != THEATER_OK) {
            return status;
        }
        body->created++;
    }
    return THEATER_OK;
}

static theater_status_t set_up(struct theater_actor *actor,
                               theater_error_t *err)
{
    struct th_body *body = actor->body;
    for (size_t i = 0; i < body->plan->grants_len; i++) {
        const theater_handler_ops_t *ops = body->plan->grants[i].ops;
        if (ops->setup_host_functions != NULL) {
            theater_status_t status =
                ops->setup_host_functions(body->instances[i], err);
            if (status != THEATER_OK) {
                return status;
            }
        }
        body->set_up++;
    }
    return THEATER_OK;
}

theater_status_t th_actor_new_guest(struct theater_actor *actor,
                                    theater_error_t *err)
{
    struct th_body *body = actor->body;
    const theater_limits_t *limits =
        theater_manifest_limits(body->plan->manifest);
    struct th_guest_options options = {
        .actor = actor,
        .instances = body->instances,
        .hooks = &th_actor_hooks,
        .ctx = actor,
        .memory_bytes = limits->memory_bytes,
        .delivery_time_ns = limits->delivery_time_ns,
        .run_time_ns = limits->run_time_ns,
    };
    theater_status_t status =
        th_guest_new(body->plan->module, &options, &body->guest, err);
    if (status != THEATER_OK) {
        body->guest = NULL;
        return status;
    }
    /* relaxed: statistics */
    atomic_store_explicit(&body->memory_bytes,
                          th_guest_memory_bytes(body->guest),
                          memory_order_relaxed);
    return THEATER_OK;
}

void th_actor_fini(struct theater_actor *actor, const theater_end_t *end)
{
    struct th_body *body = actor->body;
    struct th_plan *plan = body->plan;
    if (body->guest != NULL) {
        th_guest_delete(body->guest);
        body->guest = NULL;
    }
    for (size_t i = body->set_up; i-- > 0;) {
        if (plan->grants[i].ops->stop != NULL) {
            plan->grants[i].ops->stop(body->instances[i], end);
        }
    }
    body->set_up = 0;
    /* Lines that the last calls wrote. */
    th_actor_flush(actor);
    if (body->owns_self && body->native->destroy != NULL) {
        body->native->destroy(body->self);
    }
    body->owns_self = false;
    for (size_t i = body->created; i-- > 0;) {
        plan->grants[i].ops->destroy(body->instances[i]);
    }
    body->created = 0;
    th_actor_flush(actor); /* what was written while they were destroyed */
    th_sched_timer_fini(actor->sched, &actor->timer);
    actor->timer = (struct th_wake_timer){.task = &actor->task};
    th_plan_release(plan);
    body->plan = NULL;
}

void th_actor_unmake(struct theater_actor *actor)
{
    static const theater_end_t end = {THEATER_CLOSED, "it could not be started",
                                      false};
    th_actor_fini(actor, &end);
    th_table_drop(actor);
}

static theater_status_t slot_error(theater_error_t *err,
                                   theater_status_t status, const char *name)
{
    switch (status) {
    case THEATER_ALREADY_EXISTS:
        return th_error(err, status, name,
                        "there is an actor of that name already");
    case THEATER_SHUTTING_DOWN:
        return th_error(err, status, name, "the runtime is stopping");
    case THEATER_LIMIT:
        return th_error(err, status, name,
                        "there are as many actors as `max_actors` allows");
    default:
        return th_error(err, status, name, "no memory for another actor");
    }
}

theater_status_t th_actor_make(struct theater_runtime *runtime,
                               const struct th_make *make,
                               struct theater_actor **out_actor,
                               theater_error_t *err)
{
    struct th_body *body = new_body(runtime->env, make);
    if (body == NULL) {
        return slot_error(err, THEATER_OUT_OF_MEMORY, make->name);
    }
    struct theater_actor *actor = NULL;
    theater_status_t status = th_table_add(runtime, body, &actor);
    if (status != THEATER_OK) {
        th_plan_release(body->plan);
        th_free(runtime->env, body);
        return slot_error(err, status, make->name);
    }
    status = create_instances(actor, err);
    if (status == THEATER_OK) {
        status = set_up(actor, err);
    }
    if (status == THEATER_OK && make->native == NULL) {
        status = th_actor_new_guest(actor, err);
    }
    if (status != THEATER_OK) {
        th_actor_unmake(actor);
        return status;
    }
    *out_actor = actor;
    return THEATER_OK;
}

void th_actor_release(struct theater_actor *actor, bool paused)
{
    struct theater_runtime *runtime = actor->runtime;
    /* relaxed: statistics */
    atomic_fetch_add_explicit(&runtime->spawned, 1, memory_order_relaxed);
    th_event_emit(runtime, &(struct th_event){
                               .kind = THEATER_ACTOR_SPAWNED,
                               .actor = actor->body->name,
                               .text = "",
                           });
    th_actor_flush(actor);
    if (actor->body->supervision != NULL) {
        actor->body->supervision->actor = actor;
    }
    actor->body->owns_self = actor->body->native != NULL;
    actor->body->mixes = runtime->simulated;
    if (!paused) {
        /* Before the hand-over: afterwards the actor may end, and its slot be
         * another's. [A4] release */
        atomic_fetch_or_explicit(&actor->asked, TH_ASK_START,
                                 memory_order_release);
    }
    th_actor_hand_over(actor, TH_ACTOR_PAUSED);
    theater_actor_wake(actor);
}

theater_status_t th_actor_check(struct theater_runtime *runtime,
                                struct th_plan *plan, theater_error_t *err)
{
    struct th_make make = {.plan = plan,
                           .name = theater_manifest_name(plan->manifest)};
    struct th_body *body = new_body(runtime->env, &make);
    if (body == NULL) {
        return slot_error(err, THEATER_OUT_OF_MEMORY, make.name);
    }
    struct theater_actor *actor = NULL;
    theater_status_t status = th_table_borrow(runtime, body, &actor);
    if (status != THEATER_OK) {
        th_plan_release(body->plan);
        th_free(runtime->env, body);
        return slot_error(err, status, make.name);
    }
    status = create_instances(actor, err);
    th_actor_unmake(actor);
    return status;
}
