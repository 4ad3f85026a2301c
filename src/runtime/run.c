/* SPDX-License-Identifier: Apache-2.0 */
/* Design notes: one activation of an actor: th_actor_run, called by a worker.
 *
 * A guest is entered once per activation and takes its deliveries through the
 * hooks; it comes back idle, suspended in a host call, because its slice is
 * over, or dead. A C actor is called back in a loop.
 *
 * No wake is lost: a handler announces what comes after its EMPTY by a wake,
 * and a wake during an activation makes the scheduler run the actor again.
 *
 * Stopping: a stop waits for the delivery under way, including what it waits
 * for, and not for what is queued. When the delivery, or handle-stop after
 * it, has not ended when the runtime's grace is over, the actor is ended
 * inside it. A kill (the runtime is deleted) ends it at once.
 *
 * Threads: the activation. May fail: the guest, which ends it alone. */
#include "runtime/runtime.h"

#include <stdio.h>

void th_actor_arm(struct theater_actor *actor)
{
    uint64_t at =
        actor->wake_at < actor->own_at ? actor->wake_at : actor->own_at;
    if (at != THEATER_NEVER || actor->armed) {
        actor->armed = at != THEATER_NEVER;
        th_sched_wake_at(actor->sched, &actor->timer, at);
    }
}

/* The reason that came with the request; never NULL. */
static const char *stop_reason(struct theater_actor *actor)
{
    /* relaxed: [A3] brought it */
    const char *reason =
        atomic_load_explicit(&actor->stop_reason, memory_order_relaxed);
    return reason != NULL ? reason : "asked to stop";
}

/* A guest came back and stays alive: what next? */
static enum th_run after_guest(struct theater_actor *actor,
                               enum th_guest_state state)
{
    struct th_body *body = actor->body;
    if (body->stop_entered && !th_guest_is_suspended(body->guest)) {
        th_actor_end(actor, THEATER_OK, stop_reason(actor));
        return TH_RUN_IDLE;
    }
    switch (state) {
    case TH_GUEST_WAITING:
        th_actor_note(actor, TH_ACTOR_WAITING);
        return TH_RUN_IDLE;
    case TH_GUEST_YIELDED:
        th_actor_note(actor, TH_ACTOR_READY);
        return TH_RUN_AGAIN;
    case TH_GUEST_IDLE:
    default:
        /* What it was suspended in when it was asked to stop has returned:
         * handle-stop is next, and nobody wakes it for that. */
        if (body->cut || theater_actor_stopping(actor)) {
            th_actor_note(actor, TH_ACTOR_READY);
            return TH_RUN_AGAIN;
        }
        th_actor_note(actor, TH_ACTOR_IDLE);
        return TH_RUN_IDLE;
    }
}

/* Hands on a part of its lines; true: there are more. */
static inline bool has_more_lines(struct theater_actor *actor)
{
    return TH_UNLIKELY(th_lines_any(&actor->body->lines)) &&
           !th_actor_flush_some(actor);
}

static enum th_run run_guest(struct theater_actor *actor)
{
    struct th_body *body = actor->body;
    theater_error_t err;
    if (TH_UNLIKELY(has_more_lines(actor))) {
        th_actor_note(actor, TH_ACTOR_READY);
        return TH_RUN_AGAIN; /* it goes on when all have been handed on */
    }
    enum th_guest_state state =
        th_guest_enter(body->guest, (enum th_guest_entry)body->entry,
                       stop_reason(actor), &err);
    body->entry = TH_ENTER_DELIVERIES;
    bool more = has_more_lines(actor);
    if (TH_UNLIKELY(state == TH_GUEST_DEAD)) {
        th_actor_failed(actor, &err);
        return TH_RUN_IDLE;
    }
    if (TH_UNLIKELY((body->entries++ & 63) == 0)) {
        /* Now and then is enough. relaxed: statistics */
        atomic_store_explicit(&body->memory_bytes,
                              th_guest_memory_bytes(body->guest),
                              memory_order_relaxed);
    }
    return after_guest(actor, more ? TH_GUEST_YIELDED : state);
}

static enum th_run run_native(struct theater_actor *actor)
{
    struct th_body *body = actor->body;
    const theater_native_ops_t *ops = body->native;
    if (body->entry == TH_ENTER_RUN) {
        body->entry = TH_ENTER_DELIVERIES;
        if (ops->run != NULL) {
            ops->run(body->self, actor);
        }
    }
    theater_delivery_t delivery;
    size_t grant;
    while (th_actor_next(actor, &grant, &delivery) == THEATER_OK) {
        delivery.status = THEATER_OK;
        ops->deliver(body->self, actor, &delivery);
        th_actor_done(actor, grant, &delivery);
        if (TH_UNLIKELY((body->budget & 15) == 0) &&
            th_sched_should_yield(actor->sched)) {
            body->cut = true;
            break;
        }
    }
    th_actor_flush(actor);
    if (body->cut) {
        th_actor_note(actor, TH_ACTOR_READY);
        return TH_RUN_AGAIN;
    }
    if (ops->woken != NULL) {
        ops->woken(body->self, actor);
        th_actor_flush(actor);
    }
    th_actor_note(actor, TH_ACTOR_IDLE);
    return TH_RUN_IDLE;
}

/* An activation of an actor that runs. */
static enum th_run run_actor(struct theater_actor *actor,
                             enum th_actor_state state)
{
    struct th_body *body = actor->body;
    body->budget = TH_BUDGET;
    body->cut = false;
    th_actor_note(actor, state);
    return body->native != NULL ? run_native(actor) : run_guest(actor);
}

/* An actor that has no guest that ran, or whose guest is not called to stop. */
static bool ends_at_once(struct theater_actor *actor, enum th_actor_state state)
{
    struct th_body *body = actor->body;
    if (body->guest == NULL || state == TH_ACTOR_PAUSED ||
        state == TH_ACTOR_REBUILT) {
        return true;
    }
    return !th_guest_is_suspended(body->guest) &&
           !th_module_has_stop(body->plan->module);
}

/* The grace is over. */
static void cut_off(struct theater_actor *actor)
{
    struct theater_runtime *runtime = actor->runtime;
    char text[320]; /* a name has 255 bytes at most */
    int len = snprintf(text, sizeof text, "%s did not stop in time: ended",
                       actor->body->name);
    th_event_emit(runtime, &(struct th_event){
                               .kind = THEATER_ACTOR_LOG,
                               .level = THEATER_LOG_WARN,
                               .actor = "",
                               .text = text,
                               .text_len = (size_t)len,
                           });
    /* relaxed: statistics */
    atomic_fetch_add_explicit(&runtime->cut_off, 1, memory_order_relaxed);
    th_actor_end(actor, THEATER_OK,
                 "asked to stop, and ended inside a call that did not return "
                 "in time");
}

/* Asked to stop. */
static enum th_run run_stopping(struct theater_actor *actor,
                                enum th_actor_state state)
{
    struct th_body *body = actor->body;
    if (ends_at_once(actor, state)) {
        th_actor_end(actor, THEATER_OK, stop_reason(actor));
        return TH_RUN_IDLE;
    }
    uint64_t now = th_now(actor->runtime->env);
    /* relaxed: [A3] brought it */
    uint64_t over = now + atomic_load_explicit(&actor->runtime->stop_grace_ns,
                                               memory_order_relaxed);
    if (now >= actor->own_at) {
        cut_off(actor);
        return TH_RUN_IDLE;
    }
    if (over < actor->own_at) { /* the first time, or less is given now */
        actor->own_at = over;
        th_actor_arm(actor);
    }
    if (!body->stop_entered && !th_guest_is_suspended(body->guest)) {
        body->stop_entered = true;
        body->entry = TH_ENTER_STOP;
    }
    return run_actor(actor, TH_ACTOR_STOPPING);
}

static void start_handlers(struct theater_actor *actor)
{
    struct th_body *body = actor->body;
    body->started = true;
    for (size_t i = 0; i < body->plan->grants_len; i++) {
        const theater_handler_ops_t *ops = body->plan->grants[i].ops;
        if (ops->start != NULL) {
            ops->start(body->instances[i]);
        }
    }
}

/* Anything but an actor that runs and of which nothing is asked. */
static enum th_run run_otherwise(struct theater_actor *actor,
                                 enum th_actor_state state, uint32_t asked)
{
    enum th_run run;
    if ((asked & TH_ASK_KILL) != 0) {
        th_actor_end(actor, THEATER_OK, "the runtime was deleted");
        return TH_RUN_IDLE;
    }
    if ((asked & TH_ASK_STOP) != 0) {
        return run_stopping(actor, state);
    }
    if (state == TH_ACTOR_PAUSED) {
        if ((asked & TH_ASK_START) == 0) {
            return TH_RUN_IDLE;
        }
        start_handlers(actor);
    } else if (!th_actor_run_restart(actor, &run)) {
        return run;
    }
    return run_actor(actor, TH_ACTOR_RUNNING);
}

/* Another has it: a late or an early wake. Or it is asked to stop while its
 * restart is queued, which may take long. */
static enum th_run run_owned(struct theater_actor *actor,
                             enum th_actor_state state)
{
    /* [A3] acquire; pairs with [A4] */
    uint32_t asked = atomic_load_explicit(&actor->asked, memory_order_acquire);
    if (state == TH_ACTOR_REBUILDING &&
        (asked & (TH_ASK_STOP | TH_ASK_KILL)) != 0 &&
        th_actor_take_restart(actor)) {
        return run_otherwise(actor, TH_ACTOR_RESTARTING, asked);
    }
    return TH_RUN_IDLE;
}

enum th_run th_actor_run(struct th_task *task)
{
    struct theater_actor *actor =
        TH_CONTAINER_OF(task, struct theater_actor, task);
    /* [A1] acquire; pairs with [A2] */
    uint32_t state = atomic_load_explicit(&actor->state, memory_order_acquire);
    if (TH_UNLIKELY(state < TH_ACTOR_PAUSED)) {
        return run_owned(actor, (enum th_actor_state)state);
    }
    /* [A3] acquire; pairs with [A4] */
    uint32_t asked = atomic_load_explicit(&actor->asked, memory_order_acquire);
    if (TH_UNLIKELY(asked != TH_ASK_START || state == TH_ACTOR_PAUSED ||
                    state >= TH_ACTOR_RESTARTING)) {
        return run_otherwise(actor, (enum th_actor_state)state, asked);
    }
    return run_actor(actor, TH_ACTOR_RUNNING);
}

/* --- What handlers may ask of an actor ---------------------------------- */

void th_actor_ask(struct theater_actor *actor, uint32_t bits)
{
    /* [A4] release; pairs with [A3] */
    atomic_fetch_or_explicit(&actor->asked, bits, memory_order_release);
    theater_actor_wake(actor);
}

void theater_actor_wake(theater_actor_t *actor)
{
    th_sched_wake(actor->sched, &actor->task);
}

void theater_actor_wake_at(theater_actor_t *actor, uint64_t deadline_ns)
{
    actor->wake_at = deadline_ns;
    th_actor_arm(actor);
}

void theater_actor_stop(theater_actor_t *actor, const char *reason)
{
    const theater_env_t *env = actor->runtime->env;
    if (reason != NULL) {
        char *copy = th_strndup(env, reason, strlen(reason));
        char *none = NULL;
        /* relaxed: [A4] publishes it. Without memory the reason is a general
         * one. */
        if (copy != NULL && !atomic_compare_exchange_strong_explicit(
                                &actor->stop_reason, &none, copy,
                                memory_order_relaxed, memory_order_relaxed)) {
            th_free(env, copy);
        }
    }
    th_actor_ask(actor, TH_ASK_STOP);
}

bool theater_actor_stopping(const theater_actor_t *actor)
{
    /* relaxed: who asked wakes the actor, and the wake brings it */
    return (atomic_load_explicit(&actor->asked, memory_order_relaxed) &
            TH_ASK_STOP) != 0;
}

const char *theater_actor_name(const theater_actor_t *actor)
{
    return actor->body->name;
}

theater_bytes_t theater_actor_initial_state(const theater_actor_t *actor)
{
    return actor->body->initial_state;
}

void *theater_actor_handler(const theater_actor_t *actor, const char *type)
{
    const struct th_body *body = actor->body;
    for (size_t i = 0; i < body->created; i++) {
        if (strcmp(body->plan->grants[i].type, type) == 0) {
            return body->instances[i];
        }
    }
    return NULL;
}

bool theater_on_worker(void)
{
    return th_on_worker();
}
