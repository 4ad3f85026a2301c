/* SPDX-License-Identifier: Apache-2.0 */
/* The runtime's own data and the table of its actors. */
#ifndef TH_RUNTIME_RUNTIME_H
#define TH_RUNTIME_RUNTIME_H

#include "base/base.h"
#include "runtime/actor.h"
#include "runtime/plan.h"
#include "runtime/registry.h"
#include "sched/sched.h"
#include "wasm/engine.h"

enum { TH_PLANS = 16, TH_CHUNK = 256, TH_REPORT_MAX = 12 << 10 };

struct theater_runtime {
    /* Read-only after set-up. */
    const theater_env_t *env;
    theater_handler_registry_t *registry;
    struct th_sched *sched;
    struct th_engine *engine;
    void (*on_event)(void *user, const theater_event_t *event);
    void *user;
    bool simulated;
    uint32_t max_actors;

    /* Statistics, written on slow paths. */
    _Atomic uint64_t spawned, stopped, failed, restarted, cut_off;
    _Atomic uint64_t compiled, cache_hits;

    /* Simulated runtimes only, one thread: the hash of all events, and what
     * stops the clock where a wait ends. */
    uint64_t event_hash;
    struct th_task alarm;
    struct th_wake_timer alarm_timer;

    /* From the request to stop until an actor is ended inside its call. */
    _Atomic uint64_t stop_grace_ns;

    char report[TH_REPORT_MAX]; /* the watchdog's */

    /* Changes, under the lock, when an actor is gone. */
    _Atomic uint32_t gone_epoch;

    struct th_lock plans_lock;
    struct th_plan *plans[TH_PLANS]; /* guarded by plans_lock */
    size_t plans_next;               /* guarded by plans_lock */

    /* The table of actors, guarded by `lock`. */
    struct th_lock lock;
    bool refusing;                   /* stop_all was called */
    uint32_t live;                   /* slots in use */
    uint32_t waiters;                /* threads that park on gone_epoch */
    uint32_t used;                   /* slots ever used */
    uint64_t next_serial;            /* of the next spawn */
    uint64_t deliveries_ended;       /* of actors that are gone */
    struct theater_actor **chunks;   /* of TH_CHUNK slots each */
    struct theater_actor *free_list; /* through hash_next */
    struct theater_actor **buckets;  /* by name */
    size_t buckets_len;              /* a power of two */
};

/* --- table.c ------------------------------------------------------------ */

THEATER_CHECKED theater_status_t th_table_init(struct theater_runtime *runtime);
/* All slots must be free. */
void th_table_fini(struct theater_runtime *runtime);

/* A slot for `body`, whose name is taken from now on; SPAWNING.
 * Returns: OK, ALREADY_EXISTS, SHUTTING_DOWN, LIMIT, OUT_OF_MEMORY. */
THEATER_CHECKED theater_status_t th_table_add(struct theater_runtime *runtime,
                                              struct th_body *body,
                                              struct theater_actor **out_actor);
/* A slot without a name, for checks; given back with th_table_drop. */
THEATER_CHECKED theater_status_t
th_table_borrow(struct theater_runtime *runtime, struct th_body *body,
                struct theater_actor **out_actor);
/* Its name is free again. */
void th_table_unname(struct theater_actor *actor);
/* The slot is free again (also one that was not unnamed); those who wait are
 * woken. The body's memory goes, too. */
void th_table_drop(struct theater_actor *actor);

/* Calls `each` for every actor there is, under the lock; `each` answers
 * whether to go on. */
void th_table_each(struct theater_runtime *runtime,
                   bool (*each)(void *user, struct theater_actor *actor),
                   void *user);
/* The actor of that name, or NULL; with `or_gone` also one that was torn down
 * and whose end is being told. Under the lock. */
struct theater_actor *th_table_find(struct theater_runtime *runtime,
                                    const char *name, bool or_gone);
/* The actor in slot `index`; NULL when it is free. Under the lock. */
struct theater_actor *th_table_at(struct theater_runtime *runtime,
                                  uint32_t index);

/* --- watch.c ------------------------------------------------------------ */

/* Tells of workers that are stuck for so long; ends with the scheduler.
 * Returns: OK, OUT_OF_MEMORY. */
THEATER_CHECKED theater_status_t
th_watchdog_start(struct theater_runtime *runtime, uint32_t limit_ms);

/* --- event.c ------------------------------------------------------------ */

struct th_event {
    theater_event_kind_t kind;
    theater_status_t status;
    theater_log_level_t level;
    const char *actor; /* "": the runtime itself */
    const char *text;  /* a zero byte follows */
    size_t text_len;
};

void th_event_emit(struct theater_runtime *runtime,
                   const struct th_event *event);
/* Adds to the hash of events. Simulated runtimes only. */
void th_event_mix(struct theater_runtime *runtime, const void *data,
                  size_t len);
void th_event_mix_delivery(struct theater_actor *actor, size_t grant,
                           const theater_delivery_t *delivery);

#endif
