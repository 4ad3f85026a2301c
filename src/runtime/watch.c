/* SPDX-License-Identifier: Apache-2.0 */
/* Design notes: what the watchdog (sched/watch.c) finds, in words. The report
 * is made under the table's lock, so that names stay, in memory that the
 * runtime has from the start, and told without the lock.
 *
 * Who waits for whom is known to handlers, as numbers: one pass over the
 * actors collects those who wait, a second one finds the names of those whom
 * they wait for. Names are cleaned, so that none can break a line.
 * Threads: the watchdog's. May fail: starting it. */
#include "base/backtrace.h"
#include "runtime/runtime.h"

#include <stdarg.h>
#include <stdio.h>

enum { EDGES = 64, NAME_SHOWN = 64 };

struct edge {
    const char *from;
    const char *to; /* NULL: not found (yet) */
    theater_waits_t waits;
    const struct th_registered *handler;
};

struct report {
    struct theater_runtime *runtime;
    size_t len;
    size_t waiting; /* actors */
    size_t edges_len;
    struct edge edges[EDGES];
};

__attribute__((format(printf, 2, 3))) static void add(struct report *report,
                                                      const char *format, ...)
{
    char *to = report->runtime->report + report->len;
    size_t room = TH_REPORT_MAX - report->len;
    va_list list;
    va_start(list, format);
    int len = vsnprintf(to, room, format, list);
    va_end(list);
    report->len += len < 0 ? 0 : (size_t)len < room ? (size_t)len : room - 1;
}

static void add_name(struct report *report, const char *name)
{
    char clean[NAME_SHOWN];
    size_t len = 0;
    for (; len < NAME_SHOWN && name[len] != '\0'; len++) {
        unsigned char c = (unsigned char)name[len];
        clean[len] = (char)(c < 0x20 || c == 0x7f || c == '"' ? '?' : c);
    }
    add(report, "\"%.*s%s\"", (int)len, clean, name[len] != '\0' ? "..." : "");
}

/* The actor whose task it is; NULL: none that is there. Under the lock. */
static struct theater_actor *actor_of(const struct th_task *task)
{
    /* Slots stay as long as the runtime. */
    const struct theater_actor *actor =
        task != NULL ? TH_CONTAINER_OF(task, struct theater_actor, task) : NULL;
    return actor != NULL && actor->serial != 0 && actor->body != NULL
               ? (struct theater_actor *)(uintptr_t)actor
               : NULL;
}

static void add_where(struct report *report, const struct th_task *task)
{
    struct theater_actor *actor = actor_of(task);
    if (task == NULL) {
        add(report, "between two actors");
    } else if (actor == NULL) {
        add(report, "in an actor that has ended");
    } else {
        struct th_body *body = actor->body;
        add(report, "in the %sactor ", body->native != NULL ? "native " : "");
        add_name(report, body->name);
        /* relaxed: statistics; the lock keeps the body */
        add(report, " (%s, %llu deliveries)",
            th_actor_state_name(
                atomic_load_explicit(&actor->state, memory_order_relaxed)),
            (unsigned long long)atomic_load_explicit(&body->deliveries,
                                                     memory_order_relaxed));
    }
}

static void add_workers(struct report *report)
{
    struct th_sched *sched = report->runtime->sched;
    for (unsigned i = 0; i < th_sched_workers(sched); i++) {
        struct th_worker_look look;
        th_sched_look(sched, i, &look);
        add(report, "\nworker %u: ", i);
        if (look.sleeps) {
            add(report, "asleep");
        } else {
            add_where(report, look.task);
        }
        add(report, ", %zu queued", look.queued);
    }
    add(report, "\nno worker's: %zu queued", th_sched_unclaimed(sched));
}

/* Calls `each` for what every handler says of every actor, until it is false.
 * Under the lock. */
static void each_wait(struct report *report,
                      void (*each)(struct report *report, const char *name,
                                   const struct th_registered *handler,
                                   const theater_waits_t *waits))
{
    struct theater_runtime *runtime = report->runtime;
    const struct theater_handler_registry *registry = runtime->registry;
    for (size_t h = 0; h < registry->len; h++) {
        const struct th_registered *handler = &registry->items[h];
        if (handler->ops->waits == NULL) {
            continue;
        }
        for (uint32_t i = 0; i < runtime->used; i++) {
            struct theater_actor *actor = th_table_at(runtime, i);
            theater_waits_t waits = {0};
            if (actor != NULL &&
                handler->ops->waits(handler->prototype, actor->body->name,
                                    &waits)) {
                each(report, actor->body->name, handler, &waits);
            }
        }
    }
}

static void collect(struct report *report, const char *name,
                    const struct th_registered *handler,
                    const theater_waits_t *waits)
{
    if (waits->target == 0) {
        return;
    }
    report->waiting++;
    if (report->edges_len < EDGES) {
        report->edges[report->edges_len++] =
            (struct edge){.from = name, .waits = *waits, .handler = handler};
    }
}

static void resolve(struct report *report, const char *name,
                    const struct th_registered *handler,
                    const theater_waits_t *waits)
{
    for (size_t i = 0; i < report->edges_len; i++) {
        struct edge *edge = &report->edges[i];
        if (edge->handler == handler && edge->waits.target == waits->self) {
            edge->to = name;
        }
    }
}

static double seconds(uint64_t ns)
{
    return (double)ns / 1e9;
}

static void add_waits(struct report *report)
{
    uint64_t now = th_now(report->runtime->env);
    each_wait(report, collect);
    each_wait(report, resolve);
    add(report, "\n%zu actors wait for others", report->waiting);
    for (size_t i = 0; i < report->edges_len; i++) {
        const struct edge *edge = &report->edges[i];
        uint64_t since = edge->waits.since_ns;
        add(report, "\n  ");
        add_name(report, edge->from);
        add(report, " waits for ");
        add_name(report, edge->to != NULL ? edge->to : "somebody outside");
        add(report, ": %s, for %.1f s", edge->waits.what,
            seconds(since != 0 && since < now ? now - since : 0));
    }
    if (report->waiting > report->edges_len) {
        add(report, "\n  and %zu more", report->waiting - report->edges_len);
    }
}

static void add_stack(struct report *report, unsigned worker)
{
    void *frames[TH_BACKTRACE_FRAMES];
    struct th_worker_look look;
    th_sched_look(report->runtime->sched, worker, &look);
    size_t len = th_backtrace_take(look.thread, frames);
    add(report, "\nstack of worker %u:%s", worker,
        len == 0 ? " it could not be had" : "");
    for (size_t i = 0; i < len; i++) {
        char name[160];
        th_backtrace_name(frames[i], name, sizeof name);
        add(report, "\n  %s", name);
    }
}

static void emit(struct theater_runtime *runtime, theater_event_kind_t kind,
                 const char *actor, const char *text, size_t len)
{
    th_event_emit(runtime, &(struct th_event){
                               .kind = kind,
                               .level = THEATER_LOG_WARN,
                               .actor = actor,
                               .text = text,
                               .text_len = len,
                           });
}

static void tell_stuck(struct theater_runtime *runtime,
                       const struct th_stuck *stuck)
{
    struct report report = {.runtime = runtime};
    struct th_worker_look look;
    char name[256] = ""; /* a name has 255 bytes at most */
    th_lock(runtime->env, &runtime->lock);
    th_sched_look(runtime->sched, stuck->worker, &look);
    const struct theater_actor *actor = actor_of(look.task);
    if (actor != NULL) {
        memcpy(name, actor->body->name, actor->body->name_len + 1);
    }
    add(&report, "worker %u is stuck: for %.1f s it has been ", stuck->worker,
        seconds(stuck->ns));
    add_where(&report, look.task);
    add_workers(&report);
    add_waits(&report);
    th_unlock(runtime->env, &runtime->lock);
    add_stack(&report, stuck->worker);
    emit(runtime, THEATER_WORKER_STUCK, name, runtime->report, report.len);
}

static void tell(void *user, const struct th_stuck *stuck)
{
    struct theater_runtime *runtime = user;
    if (!stuck->over) {
        tell_stuck(runtime, stuck);
        return;
    }
    char text[80];
    int len = snprintf(text, sizeof text,
                       "worker %u goes on: it was stuck for %.1f s",
                       stuck->worker, seconds(stuck->ns));
    emit(runtime, THEATER_ACTOR_LOG, "", text, (size_t)len);
}

theater_status_t th_watchdog_start(struct theater_runtime *runtime,
                                   uint32_t limit_ms)
{
    struct th_watch_options options = {
        .limit_ns = (uint64_t)limit_ms * 1000000,
        .tell = tell,
        .user = runtime,
    };
    return th_sched_watch_start(runtime->sched, &options);
}
