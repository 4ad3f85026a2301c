/* SPDX-License-Identifier: Apache-2.0 */
/* Design notes: how an actor ends, and how one that failed comes back.
 *
 * The end is told after everything is cleared away: guest deleted (the
 * delivery under way ends with CLOSED, a waiting host call is cancelled),
 * handlers stopped in reverse order (requests get errors, channels close,
 * names are free), name free in the runtime, then the event, then those who
 * wait are woken.
 *
 * A restart keeps handlers and name: the handlers' `restart` ends what was
 * under way, the actor waits for its back-off (doubled with each restart
 * within the period, up to a bound), and a job on a helper thread makes the
 * next guest, since start functions may take seconds (TH_START_NS); a stop
 * ends them. No guest: no delivery. A guest that fails to start has failed
 * once more.
 *
 * Threads: the activation, and the job while the state is REBUILDING. May
 * fail: the restart, which then ends the actor. */
#include "runtime/runtime.h"

#include <stdio.h>

static void tell(struct theater_actor *actor, theater_event_kind_t kind,
                 theater_status_t status, const char *text)
{
    th_event_emit(actor->runtime, &(struct th_event){
                                      .kind = kind,
                                      .status = status,
                                      .actor = actor->body->name,
                                      .text = text,
                                      .text_len = strlen(text),
                                  });
}

static void count(_Atomic uint64_t *counter)
{
    /* relaxed: statistics */
    atomic_fetch_add_explicit(counter, 1, memory_order_relaxed);
}

void th_actor_end(struct theater_actor *actor, theater_status_t status,
                  const char *reason)
{
    struct theater_runtime *runtime = actor->runtime;
    theater_end_t end = {status, reason, false};
    th_actor_note(actor, TH_ACTOR_STOPPING);
    th_actor_fini(actor, &end);
    count(status == THEATER_OK ? &runtime->stopped : &runtime->failed);
    th_table_unname(actor);
    tell(actor,
         status == THEATER_OK ? THEATER_ACTOR_STOPPED : THEATER_ACTOR_FAILED,
         status, reason);
    th_table_drop(actor);
}

/* Forgets restarts that were longer ago than the period. `now`, as all times
 * here, without waited_ns. */
static void expire(struct th_supervision *supervision, uint64_t now,
                   uint64_t period)
{
    if (period == THEATER_NEVER) {
        return;
    }
    if (now - supervision->last >= period) {
        supervision->times_len = 0;
        supervision->skipped = 0;
        return;
    }
    uint32_t old = 0;
    while (old < supervision->times_len &&
           now - supervision->times[old] >= period) {
        old++;
    }
    supervision->times_len -= old;
    memmove(supervision->times, supervision->times + old,
            supervision->times_len * sizeof supervision->times[0]);
}

/* Counts one more restart; false when there were enough of them. */
static bool may_restart(struct th_supervision *supervision,
                        const theater_restart_t *restart, uint64_t now,
                        uint32_t *out_earlier)
{
    expire(supervision, now, restart->period_ns);
    uint32_t stride =
        (restart->max_restarts + TH_RESTART_TIMES - 1) / TH_RESTART_TIMES;
    uint32_t most = restart->max_restarts / stride;
    *out_earlier = supervision->times_len * stride + supervision->skipped;
    if (supervision->times_len >= most &&
        supervision->skipped >= restart->max_restarts - most * stride) {
        return false;
    }
    supervision->last = now;
    if (++supervision->skipped >= stride) {
        supervision->skipped = 0;
        supervision->times[supervision->times_len++] = now;
    }
    return true;
}

static uint64_t backoff(const theater_restart_t *restart, uint32_t earlier)
{
    uint64_t wait = restart->backoff_ns;
    uint64_t most = wait > TH_BACKOFF_MAX_NS ? wait : TH_BACKOFF_MAX_NS;
    while (earlier-- > 0 && wait != 0 && wait < most) {
        wait *= 2;
    }
    return wait < most ? wait : most;
}

/* Who starts slowly waits for four times as long as it last took, so that it
 * has a fifth of a helper at most. What goes beyond its back-off does not count
 * in restart_period: else it would never have been restarted too often. */
static uint64_t wait_before(struct th_supervision *supervision,
                            const theater_restart_t *restart, uint32_t earlier)
{
    uint64_t wait = backoff(restart, earlier);
    uint64_t took = supervision->job.took_ns;
    if (took < TH_JOB_LONG_NS || wait >= 4 * took) {
        return wait;
    }
    supervision->waited_ns += 4 * took - wait;
    return 4 * took;
}

/* Too many restarts: the reason says so, after the failure itself. */
static void give_up(struct theater_actor *actor, const theater_error_t *why,
                    uint32_t restarts)
{
    char text[THEATER_ERROR_TEXT + 80];
    snprintf(text, sizeof text, "%s (not restarted: it was %u times already)",
             why->text, restarts);
    th_actor_end(actor, why->status, text);
}

void th_actor_failed(struct theater_actor *actor, const theater_error_t *why)
{
    struct th_body *body = actor->body;
    struct theater_runtime *runtime = actor->runtime;
    struct th_supervision *supervision = body->supervision;
    /* relaxed: a stop that comes later finds the actor restarting */
    uint32_t asked = atomic_load_explicit(&actor->asked, memory_order_relaxed);
    /* OK: it exited with status 0, which is no failure. */
    if (supervision == NULL || why->status == THEATER_OK ||
        (asked & (TH_ASK_STOP | TH_ASK_KILL)) != 0) {
        th_actor_end(actor, why->status, why->text);
        return;
    }
    const theater_restart_t *restart =
        theater_manifest_restart(body->plan->manifest);
    uint64_t now = th_now(runtime->env);
    uint32_t earlier;
    if (!may_restart(supervision, restart, now - supervision->waited_ns,
                     &earlier)) {
        give_up(actor, why, earlier);
        return;
    }
    if (body->guest != NULL) {
        th_guest_delete(body->guest);
        body->guest = NULL;
    }
    theater_end_t end = {why->status, why->text, true};
    for (size_t i = body->set_up; i-- > 0;) {
        const theater_handler_ops_t *ops = body->plan->grants[i].ops;
        if (ops->restart != NULL) {
            ops->restart(body->instances[i], &end);
        }
    }
    th_actor_flush(actor);
    tell(actor, THEATER_ACTOR_FAILED, why->status, why->text);
    th_actor_note(actor, TH_ACTOR_RESTARTING);
    actor->wake_at = THEATER_NEVER;
    actor->own_at = now + wait_before(supervision, restart, earlier);
    th_actor_arm(actor);
}

/* On a helper thread. */
static void rebuild(struct th_job *job)
{
    struct th_supervision *supervision =
        TH_CONTAINER_OF(job, struct th_supervision, job);
    struct theater_actor *actor = supervision->actor;
    uint64_t begun = th_now(actor->runtime->env);
    supervision->status = th_actor_new_guest(actor, &supervision->error);
    uint64_t took = th_now(actor->runtime->env) - begun;
    /* Who starts slowly once is not quick before some dozens of quick ones. */
    uint64_t before = job->took_ns - job->took_ns / 8;
    job->took_ns = took > before ? took : before;
    th_actor_flush(actor);
    th_actor_hand_over(actor, TH_ACTOR_REBUILT);
    theater_actor_wake(actor);
}

bool th_actor_take_restart(struct theater_actor *actor)
{
    return th_sched_take_job(actor->sched, &actor->body->supervision->job);
}

bool th_actor_run_restart(struct theater_actor *actor, enum th_run *out_run)
{
    struct th_body *body = actor->body;
    struct th_supervision *supervision = body->supervision;
    *out_run = TH_RUN_IDLE;
    /* relaxed: the activation owns it */
    uint32_t state = atomic_load_explicit(&actor->state, memory_order_relaxed);
    if (state == TH_ACTOR_RESTARTING) {
        if (th_now(actor->runtime->env) < actor->own_at) {
            return false; /* woken for something else */
        }
        actor->own_at = THEATER_NEVER;
        th_actor_arm(actor);
        supervision->job.run = rebuild;
        th_actor_hand_over(actor, TH_ACTOR_REBUILDING);
        th_sched_run_job(actor->sched, &supervision->job);
        return false;
    }
    if (supervision->status != THEATER_OK) {
        th_actor_failed(actor, &supervision->error);
        return false;
    }
    count(&actor->runtime->restarted);
    /* relaxed: statistics */
    atomic_store_explicit(
        &body->restarts,
        atomic_load_explicit(&body->restarts, memory_order_relaxed) + 1,
        memory_order_relaxed);
    body->entry = TH_ENTER_RUN;
    tell(actor, THEATER_ACTOR_RESTARTED, THEATER_OK,
         "restarted after a failure");
    return true;
}
