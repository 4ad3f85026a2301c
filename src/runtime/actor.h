/* SPDX-License-Identifier: Apache-2.0 */
/* One actor, inside the runtime: a task, a guest (or a C actor) and the
 * instances of its handlers. Who may touch what stands at `th_actor_state`.
 *
 * Ordering:
 *   [A1] th_actor_run: load of `state`, acquire; pairs with [A2]: what the
 *        maker or the restart job wrote before it handed the actor over.
 *   [A2] th_actor_hand_over: store of `state`, release.
 *   [A3] th_actor_run: load of `asked`, acquire; pairs with [A4]: the reason
 *        of a stop.
 *   [A4] th_actor_ask: or into `asked`, release; a wake follows, so that an
 *        activation after it sees the bit.
 * Everything else that several threads read is for statistics: relaxed. */
#ifndef TH_RUNTIME_ACTOR_H
#define TH_RUNTIME_ACTOR_H

#include "runtime/lines.h"
#include "runtime/plan.h"
#include "sched/sched.h"

/* Who owns the actor is said by its state, and only the owner changes it:
 *
 *             spawn            all could be made      start
 *    FREE ----------> SPAWNING -----------> PAUSED ----------> IDLE
 *     ^  \____________/ failed              |                  |  ^ EMPTY
 *     |                                     | stop       wake  v  |
 *     |    ended        stop asked          |     +--------> RUNNING
 *     +------------- STOPPING <-------------)-----|--------/ |  |  | trap
 *     |                                     |     |   slice  |  |  | or limit
 *     +-------------------------------------+   READY <------+  |  |
 *     |                                         WAITING <-------+  |
 *     |    restarts exhausted or not wanted       host call        |
 *     +------------------------------------------------------------+
 *     |                                                            |
 *     |            job done           back-off over                v
 *     +-- REBUILT <--------- REBUILDING <---------------- RESTARTING
 *            |  failed again: RESTARTING
 *            +--> RUNNING (`run` comes first)
 *
 *   FREE                       the free list
 *   SPAWNING                   the thread that makes it
 *   REBUILDING                 the restart job; while that is queued the
 *                              activation may take it back (a stop)
 *   all others                 the activation (one worker at a time)
 *
 * The memory of an actor stays one until the runtime is gone, so a late wake
 * does no harm: its activation finds FREE, or the actor that came after. */
enum th_actor_state {
    TH_ACTOR_FREE,
    TH_ACTOR_SPAWNING,
    TH_ACTOR_REBUILDING,
    /* from here on the activation's */
    TH_ACTOR_PAUSED,
    TH_ACTOR_IDLE,
    TH_ACTOR_READY,
    TH_ACTOR_RUNNING,
    TH_ACTOR_WAITING,
    TH_ACTOR_STOPPING,
    TH_ACTOR_RESTARTING,
    TH_ACTOR_REBUILT,
};

/* Bits of `asked`. */
enum {
    TH_ASK_START = 1, /* run */
    TH_ASK_STOP = 2,  /* handle-stop, then end */
    TH_ASK_KILL = 4,  /* end, the delivery under way too */
};

/* Deliveries of an activation, and how many in a row of one handler while
 * another has some. */
enum { TH_BUDGET = 256, TH_TURN = 32 };

/* The longest wait before a restart, unless the manifest's is longer. */
#define TH_BACKOFF_MAX_NS UINT64_C(60000000000)

/* How an actor is restarted; only where the manifest says on-failure. */
struct th_supervision {
    struct th_job job;
    theater_actor_t *actor;
    theater_status_t status; /* of the job's th_guest_new */
    theater_error_t error;   /* why, when it failed */
    uint64_t waited_ns;      /* for slow starts; no part of restart_period */
    uint64_t last;           /* when it was restarted last */
    uint32_t skipped;        /* restarts since the last that was noted */
    uint32_t times_len;      /* restarts within the period that are noted */
    uint64_t times[];        /* when, oldest first */
};

/* Restarts whose time is noted; of more (max_restarts is a large number) every
 * so-many-th, so that memory is bounded. */
enum { TH_RESTART_TIMES = 1024 };

/* What an actor has beyond its slot; made by spawn, freed when it ends. */
struct th_body {
    struct th_plan *plan;               /* retained */
    struct th_guest *guest;             /* NULL: native, or between two lives */
    const theater_native_ops_t *native; /* NULL: a guest */
    void *self;                         /* of the native actor */
    struct th_supervision *supervision; /* NULL: never restarted */
    theater_bytes_t initial_state;      /* data NULL: none; owned */
    theater_delivery_t *delivery;       /* under way; NULL for native actors */
    struct th_lines lines;              /* written and not yet handed on */
    _Atomic uint64_t deliveries;        /* written by the activation */
    _Atomic uint64_t memory_bytes;
    _Atomic uint32_t restarts;
    /* Of the source of the last delivery, at hand for each: th_actor_next. */
    theater_status_t (*next)(void *instance, theater_delivery_t *out);
    void (*done)(void *instance, theater_delivery_t *delivery);
    void *instance;    /* NULL: none yet */
    size_t grant;      /* whose it is */
    uint32_t budget;   /* deliveries left of this activation */
    uint32_t turn;     /* deliveries left of this source's turn */
    uint32_t entries;  /* activations so far */
    uint8_t source;    /* index in plan->sources of the last delivery */
    uint8_t set_up;    /* handlers that are set up */
    uint8_t created;   /* handlers that have an instance */
    bool started;      /* the handlers were told, `run` was entered */
    bool cut;          /* the budget ended the activation */
    bool stop_entered; /* handle-stop was called */
    bool owns_self;    /* a native actor that was released */
    bool mixes;        /* its deliveries go into the hash of a simulation */
    uint8_t entry;     /* enum th_guest_entry of the next th_guest_enter */
    const char *name;
    size_t name_len;
    void *instances[]; /* per grant; the name is behind them */
};

struct theater_actor {
    struct th_task task;
    _Atomic uint32_t state; /* enum th_actor_state */
    _Atomic uint32_t asked; /* TH_ASK_ bits */
    struct th_sched *sched;
    struct th_body *body;
    struct theater_runtime *runtime;
    uint64_t wake_at; /* what handlers asked for; the activation's */
    uint64_t own_at;  /* end of the grace or of the back-off */
    bool armed;       /* the timer was, and was not disarmed */
    struct th_wake_timer timer;
    _Atomic(char *) stop_reason; /* the first one asked with */
    /* Guarded by the runtime's lock: */
    struct theater_actor *hash_next; /* of its bucket, or of the free list */
    uint64_t serial;                 /* of the spawn; 0: free */
    uint64_t hash;                   /* of the name */
    bool named;                      /* it is in a bucket */
    bool gone; /* torn down, its name is free; its end is being told */
};

/* One activation. */
enum th_run th_actor_run(struct th_task *task);

/* The owner gives the actor away; `state` says to whom. */
static inline void th_actor_hand_over(struct theater_actor *actor,
                                      enum th_actor_state state)
{
    /* [A2] release; pairs with [A1] */
    atomic_store_explicit(&actor->state, (uint32_t)state, memory_order_release);
}

/* The activation notes what it does: only the list of actors looks. */
static inline void th_actor_note(struct theater_actor *actor,
                                 enum th_actor_state state)
{
    /* relaxed: the activation owns it before and after */
    atomic_store_explicit(&actor->state, (uint32_t)state, memory_order_relaxed);
}

/* Sets bits of `asked` and wakes the actor. Threads: any. */
void th_actor_ask(struct theater_actor *actor, uint32_t bits);

/* Arms the actor's timer for the earlier of its two deadlines.
 * Threads: the activation. */
void th_actor_arm(struct theater_actor *actor);

/* In a word, for people: "idle". */
const char *th_actor_state_name(uint32_t state);

/* --- make.c ------------------------------------------------------------- */

struct th_make {
    struct th_plan *plan; /* borrowed */
    const char *name;
    theater_bytes_t initial_state;
    const theater_native_ops_t *native; /* NULL: a guest */
    void *self;
};

/* Makes an actor up to its instance; it stays SPAWNING and the caller's.
 * Threads: any but workers. Nothing is left behind on failure. */
THEATER_CHECKED theater_status_t th_actor_make(struct theater_runtime *runtime,
                                               const struct th_make *make,
                                               struct theater_actor **out_actor,
                                               theater_error_t *err);
/* Takes back what th_actor_make did; a native `self` stays the caller's. */
void th_actor_unmake(struct theater_actor *actor);
/* Says that it was spawned and gives it to its activation. */
void th_actor_release(struct theater_actor *actor, bool paused);
/* A guest for the actor. Threads: the owner, not a worker. */
THEATER_CHECKED theater_status_t th_actor_new_guest(struct theater_actor *actor,
                                                    theater_error_t *err);
/* Stops and destroys the handlers, frees the body, empties the slot but for
 * its place in the table. Threads: the owner. */
void th_actor_fini(struct theater_actor *actor, const theater_end_t *end);
/* Are the sections of the plan right? Makes the instances and drops them. */
THEATER_CHECKED theater_status_t th_actor_check(struct theater_runtime *runtime,
                                                struct th_plan *plan,
                                                theater_error_t *err);

/* --- end.c -------------------------------------------------------------- */

/* The actor ends: OK is a stop, everything else a failure. The actor is no
 * longer the caller's. Threads: the activation. */
void th_actor_end(struct theater_actor *actor, theater_status_t status,
                  const char *reason);
/* The guest failed: ends the actor or prepares its restart. */
void th_actor_failed(struct theater_actor *actor, const theater_error_t *why);
/* The activation of an actor that waits for its restart, or was restarted.
 * False: it goes on to run now. */
bool th_actor_run_restart(struct theater_actor *actor, enum th_run *out_run);
/* The activation of one whose restart is in the queue of jobs: takes it out of
 * there. False: it has begun. */
bool th_actor_take_restart(struct theater_actor *actor);

/* --- hooks.c ------------------------------------------------------------ */

extern const struct th_guest_hooks th_actor_hooks;
/* The next delivery of any handler, in turns. */
theater_status_t th_actor_next(struct theater_actor *actor, size_t *out_grant,
                               theater_delivery_t *out);
void th_actor_done(struct theater_actor *actor, size_t grant,
                   theater_delivery_t *delivery);
/* Hands the lines on that were written. Threads: the owner; never on the
 * stack of a guest. */
void th_actor_flush(struct theater_actor *actor);
/* The same, of TH_LINES_TURN at most; false: there are more. */
bool th_actor_flush_some(struct theater_actor *actor);

#endif
