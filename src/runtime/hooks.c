/* SPDX-License-Identifier: Apache-2.0 */
/* Design notes: how an activation gets its deliveries. This is the way of
 * every message: no lock, no shared counter, and with one handler that has
 * deliveries (the common case) one indirect call.
 *
 * Several handlers take turns of TH_TURN deliveries, beginning with the one
 * that had the last delivery. The activation ends early (EMPTY, and `cut`)
 * when its budget is spent, and when the actor is asked to stop: a stop never
 * waits behind what is queued.
 *
 * The hooks run on the guest's stack: small frames, no callbacks of people.
 * Threads: the activation. Cannot fail. */
#include "runtime/runtime.h"

/* The source at hand becomes that of `body->source`. */
static void take_source(struct th_body *body)
{
    const struct th_plan *plan = body->plan;
    body->grant = plan->sources[body->source];
    body->next = plan->next[body->grant];
    body->done = plan->done[body->grant];
    body->instance = body->instances[body->grant];
    body->turn = TH_TURN;
}

/* The source at hand has nothing, or had its turn: the others. */
__attribute__((noinline)) static theater_status_t
next_of_others(struct th_body *body, theater_delivery_t *out)
{
    const struct th_plan *plan = body->plan;
    /* One more when its turn was over, which says nothing of what it has. */
    unsigned tries = plan->sources_len + (body->turn == 0 ? 1U : 0U);
    while (--tries > 0) {
        body->source = (uint8_t)((body->source + 1) % plan->sources_len);
        take_source(body);
        if (body->next(body->instance, out) == THEATER_OK) {
            return THEATER_OK;
        }
    }
    return THEATER_EMPTY;
}

theater_status_t th_actor_next(struct theater_actor *actor, size_t *out_grant,
                               theater_delivery_t *out)
{
    struct th_body *body = actor->body;
    /* relaxed: a hint; who sets a bit wakes the actor afterwards */
    uint32_t asked = atomic_load_explicit(&actor->asked, memory_order_relaxed);
    if (TH_UNLIKELY(body->budget == 0 ||
                    (asked & (TH_ASK_STOP | TH_ASK_KILL)) != 0)) {
        body->cut = true;
        return THEATER_EMPTY;
    }
    if (TH_UNLIKELY(body->next == NULL)) {
        if (body->plan->sources_len == 0) {
            return THEATER_EMPTY;
        }
        take_source(body);
    }
    if ((TH_UNLIKELY(body->turn == 0) ||
         body->next(body->instance, out) != THEATER_OK) &&
        (body->plan->sources_len == 1 ||
         next_of_others(body, out) != THEATER_OK)) {
        return THEATER_EMPTY;
    }
    *out_grant = body->grant;
    body->budget--;
    body->turn -= body->plan->sources_len > 1;
    /* relaxed: the activation alone writes it */
    atomic_store_explicit(
        &body->deliveries,
        atomic_load_explicit(&body->deliveries, memory_order_relaxed) + 1,
        memory_order_relaxed);
    if (TH_UNLIKELY(body->mixes)) {
        th_event_mix_delivery(actor, body->grant, out);
    }
    return THEATER_OK;
}

void th_actor_done(struct theater_actor *actor, size_t grant,
                   theater_delivery_t *delivery)
{
    struct th_body *body = actor->body;
    TH_ASSERT(grant == body->grant);
    (void)grant;
    if (TH_UNLIKELY(body->mixes)) {
        uint32_t status = (uint32_t)delivery->status;
        th_event_mix(actor->runtime, &status, sizeof status);
    }
    if (body->done != NULL) {
        body->done(body->instance, delivery);
    }
}

static theater_status_t hook_next(void *ctx, size_t *out_grant,
                                  theater_delivery_t **out_delivery)
{
    struct theater_actor *actor = ctx;
    theater_delivery_t *delivery = actor->body->delivery;
    *out_delivery = delivery;
    return th_actor_next(actor, out_grant, delivery);
}

static void hook_done(void *ctx, size_t grant, theater_delivery_t *delivery)
{
    th_actor_done(ctx, grant, delivery);
}

static bool hook_should_yield(void *ctx)
{
    struct theater_actor *actor = ctx;
    /* relaxed: a hint, asked again soon. An actor that is to stop yields
     * often, so that its grace is seen to end. */
    uint32_t asked = atomic_load_explicit(&actor->asked, memory_order_relaxed);
    return (asked & (TH_ASK_STOP | TH_ASK_KILL)) != 0 ||
           actor->body->lines.len >= TH_LINES_SOFT ||
           th_sched_should_yield_now(actor->sched);
}

static void hook_output(void *ctx, bool is_error, theater_bytes_t line)
{
    struct theater_actor *actor = ctx;
    th_lines_add(actor->runtime->env, &actor->body->lines,
                 is_error ? THEATER_LOG_WARN : THEATER_LOG_INFO, line);
}

static void hook_wake_at(void *ctx, uint64_t deadline_ns)
{
    theater_actor_wake_at(ctx, deadline_ns);
}

static bool hook_is_ending(void *ctx)
{
    struct theater_actor *actor = ctx;
    /* relaxed: a hint, asked again at the next tick; what is to be done is
     * read by the activation, [A3] */
    uint32_t asked = atomic_load_explicit(&actor->asked, memory_order_relaxed);
    /* relaxed: the job owns it. A spawn goes on: who asked an actor to stop
     * that is just being spawned has it spawned, then stopped. */
    return (asked & (TH_ASK_STOP | TH_ASK_KILL)) != 0 &&
           atomic_load_explicit(&actor->state, memory_order_relaxed) ==
               TH_ACTOR_REBUILDING;
}

const struct th_guest_hooks th_actor_hooks = {
    .next = hook_next,
    .done = hook_done,
    .should_yield = hook_should_yield,
    .output = hook_output,
    .wake_at = hook_wake_at,
    .is_ending = hook_is_ending,
};

static void emit_line(void *user, theater_log_level_t level, const char *text,
                      size_t len)
{
    struct theater_actor *actor = user;
    th_event_emit(actor->runtime, &(struct th_event){
                                      .kind = THEATER_ACTOR_LOG,
                                      .level = level,
                                      .actor = actor->body->name,
                                      .text = text,
                                      .text_len = len,
                                  });
}

void th_actor_flush(struct theater_actor *actor)
{
    struct th_lines *lines = &actor->body->lines;
    if (TH_UNLIKELY(th_lines_any(lines))) {
        th_lines_drain(actor->runtime->env, lines, SIZE_MAX, emit_line, actor);
    }
}

bool th_actor_flush_some(struct theater_actor *actor)
{
    struct th_lines *lines = &actor->body->lines;
    th_lines_drain(actor->runtime->env, lines, TH_LINES_TURN, emit_line, actor);
    return !th_lines_any(lines);
}

theater_status_t theater_actor_log(theater_actor_t *actor,
                                   theater_log_level_t level,
                                   theater_bytes_t text)
{
    struct th_body *body = actor->body;
    th_lines_add(actor->runtime->env, &body->lines, level, text);
    /* relaxed: the owner asks. A start function has no turn that could end. */
    uint32_t state = atomic_load_explicit(&actor->state, memory_order_relaxed);
    if (state < TH_ACTOR_PAUSED ||
        (body->guest == NULL && body->lines.len < TH_LINES_SOFT)) {
        return THEATER_OK;
    }
    /* A line is told off the guest's stack, and before the guest goes on: else
     * who hears of what it does next may have its line told first. */
    theater_actor_wake(actor);
    return THEATER_PENDING;
}
