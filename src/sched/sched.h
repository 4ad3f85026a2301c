/* SPDX-License-Identifier: Apache-2.0 */
/* The scheduler: runs opaque tasks, each on one worker at a time, on as many
 * workers as asked for; or all of them on the calling thread in an order that
 * a seed chooses. Knows no actor, no message and no guest.
 *
 * A task is IDLE, QUEUED, or RUNNING; a wake while it runs makes it run once
 * more. A wake happens before the run that it causes. */
#ifndef TH_SCHED_SCHED_H
#define TH_SCHED_SCHED_H

#include "queue/mpsc.h"
#include "queue/timers.h"

struct th_sched;
struct th_worker;

enum th_run {
    TH_RUN_IDLE,  /* nothing to do until the next wake */
    TH_RUN_AGAIN, /* more to do: queued behind the others */
    TH_RUN_ENDED, /* never runs again; the task's memory may be gone */
};

enum { TH_WORKERS_MAX = 48 };

/* Embedded in what is scheduled; all members but `run` are the scheduler's. */
struct th_task {
    /* One activation. Threads: one worker at a time. */
    enum th_run (*run)(struct th_task *task);
    struct th_mpsc_node link; /* the queue that it is in */
    _Atomic uint32_t state;   /* IDLE, QUEUED, RUNNING */
    uint32_t number;          /* simulated: the order of first wakes, from 1 */
    bool slow;                /* its last run was long */
};

/* Something with timers that workers drive. */
struct th_time_source {
    void *ctx; /* first argument of the functions */
    /* When advance has something to do; NEVER: no timer. May name a time too
     * early, as for a timer that was disarmed. Threads: any. */
    uint64_t (*next_deadline)(void *ctx);
    /* Does some of it, in few microseconds. May wake tasks. Threads: worker,
     * one at a time. */
    void (*advance)(void *ctx, uint64_t now_ns);
    /* May it still wake a task: a timer that is wanted, or work outside? NULL:
     * as long as there is a next deadline. Threads: any. */
    bool (*busy)(void *ctx);
};

/* A timer of a task: wakes it. Embedded; owned by the task. Zeroed memory with
 * `task` set is one that is disarmed. */
struct th_wake_timer {
    struct th_task *task;    /* whom it wakes */
    struct th_sched *sched;  /* the scheduler's: set when first armed */
    struct th_timer timer;   /* the scheduler's */
    _Atomic uint64_t due_ns; /* the scheduler's: NEVER: disarmed */
    _Atomic uint32_t gone;   /* the scheduler's: the wheel forgot it */
};

/* Blocking work (loading, compiling): runs on a helper thread, never on a
 * worker; in a simulation it runs at once. */
struct th_job {
    void (*run)(struct th_job *job);
    uint64_t took_ns;    /* as the last such job did; 0: not known */
    struct th_job *next; /* the scheduler's, as the next */
    struct th_job **at;  /* what points to it; NULL: not queued */
};

struct th_sched_options {
    const theater_env_t *env; /* a simulated one needs th_sim_env's */
    unsigned workers;         /* 0: one per core; at most TH_WORKERS_MAX */
    bool simulated;    /* no threads: th_sched_simulate runs everything */
    uint64_t seed;     /* of a simulation */
    uint64_t slice_ns; /* an activation's time, 0: 1 ms */
};

/* Threads: any. Returns: OK, OUT_OF_MEMORY (also when a thread can't be
 * had); nothing is left behind then. */
THEATER_CHECKED theater_status_t th_sched_new(
    const struct th_sched_options *options, struct th_sched **out_sched);
/* Stops and joins the workers; tasks that are queued are not run.
 * Threads: owner, not a worker. NULL is fine. */
void th_sched_delete(struct th_sched *sched);

/* At most 8, before the first task. Threads: setup. */
void th_sched_add_time_source(struct th_sched *sched,
                              const struct th_time_source *source);
/* A source's next deadline has come nearer: needed when that happens on a
 * thread that is no worker (a worker notices when it parks, at the latest).
 * Threads: any. Blocks: never. */
void th_sched_time_changed(struct th_sched *sched, uint64_t deadline_ns);

void th_task_init(struct th_task *task, enum th_run (*run)(struct th_task *));

/* Makes the task run (once more). From a worker it goes to that worker's slot
 * for the task just woken, from elsewhere to the injector, and, when its last
 * run was long, behind those whose runs are short; an idle worker is woken when
 * there is need. Threads: any. Blocks: never. Allocates: never. */
void th_sched_wake(struct th_sched *sched, struct th_task *task);

/* Wakes the task at `deadline_ns` (again: replaces the deadline; NEVER:
 * disarms). Threads: the task's activation. */
void th_sched_wake_at(struct th_sched *sched, struct th_wake_timer *timer,
                      uint64_t deadline_ns);
/* Disarms for good; afterwards the timer's memory is free to go, on return.
 * Threads: the task's activation, or after the task ended. */
void th_sched_timer_fini(struct th_sched *sched, struct th_wake_timer *timer);

/* The job's memory may go as soon as `run` is entered. All jobs are run, at
 * the latest by th_sched_delete. (Where no thread can be had the job runs
 * in the call.) Those that took TH_JOB_LONG_NS or more wait for one another:
 * they get half of the helpers at most, and one of them always.
 * Threads: any. */
#define TH_JOB_LONG_NS UINT64_C(100000000)
void th_sched_run_job(struct th_sched *sched, struct th_job *job);
/* Takes it out of the queue again; false: it has begun. Threads: any, while the
 * job's memory is there. */
bool th_sched_take_job(struct th_sched *sched, struct th_job *job);

/* The worker that the calling thread is: 0 .. workers-1, or -1. */
int th_sched_current_worker(const struct th_sched *sched);
unsigned th_sched_workers(const struct th_sched *sched);
/* Is a worker awake just now? */
bool th_sched_is_awake(struct th_sched *sched);
/* Is the calling thread a worker of any scheduler? */
bool th_on_worker(void);

/* Should the running activation end soon, since its slice is over and others
 * wait? Cheap. Threads: worker. */
bool th_sched_should_yield(struct th_sched *sched);
/* The same for who asks seldom, as a guest does at each tick of 1 ms: reads
 * the clock each time, where the other counts calls between two readings. */
bool th_sched_should_yield_now(struct th_sched *sched);

/* Counts something outside that may wake a task (keeps the scheduler from
 * being quiet). Threads: any. */
void th_sched_hold(struct th_sched *sched);
void th_sched_unhold(struct th_sched *sched);

/* Nothing can happen any more: all tasks idle, no timer, no job, no hold, no
 * busy source. Decided by the last worker that parks, checked twice against
 * a wake epoch. Waits until then or until `deadline_ns`.
 * Threads: not a worker. Returns: OK, TIMEOUT. */
THEATER_CHECKED theater_status_t th_sched_wait_quiet(struct th_sched *sched,
                                                     uint64_t deadline_ns);

/* Simulated only: runs at most `max_steps` activations, seeded order; jumps
 * virtual time (th_sim_env) to the next deadline when nothing is ready.
 * Answers the steps made; fewer than asked: quiet. */
uint64_t th_sched_simulate(struct th_sched *sched, uint64_t max_steps);
/* What ran in which order, from the start on: the same for the same seed. */
uint64_t th_sched_sim_hash(const struct th_sched *sched);

/* --- The watchdog: watch.c ------------------------------------------------ */

/* A worker that is inside one activation, or between two, for long. */
struct th_stuck {
    unsigned worker;
    uint64_t ns; /* at least so long, not counting when nobody could run */
    bool over;   /* it goes on */
};

struct th_watch_options {
    uint64_t limit_ns;
    /* Once for each time that a worker is found stuck, once when it goes on.
     * Threads: the watchdog's. */
    void (*tell)(void *user, const struct th_stuck *stuck);
    void *user;
};

/* Starts the thread that looks; not for a simulation. Threads: setup.
 * Returns: OK, OUT_OF_MEMORY. */
THEATER_CHECKED theater_status_t th_sched_watch_start(
    struct th_sched *sched, const struct th_watch_options *options);
/* No `tell` any more on return. Fine when it was not started; th_sched_delete
 * does it, too. Threads: owner, not a worker. */
void th_sched_watch_stop(struct th_sched *sched);

/* What a worker does now. */
struct th_worker_look {
    bool sleeps;
    int thread;                 /* its number, as base/backtrace.h has it */
    const struct th_task *task; /* NULL: in none */
    size_t queued;              /* behind it */
};
/* Threads: any. */
void th_sched_look(struct th_sched *sched, unsigned worker,
                   struct th_worker_look *out);
/* Tasks that no worker has taken yet. Threads: any. */
size_t th_sched_unclaimed(struct th_sched *sched);

/* What a worker did; each counts from the start. */
struct th_sched_stats {
    uint64_t runs;      /* activations */
    uint64_t wakes;     /* tasks that were queued here by a local wake */
    uint64_t injected;  /* tasks taken from the injector */
    uint64_t overflows; /* tasks given to the injector, the queue being full */
    uint64_t steals;    /* times that it stole */
    uint64_t stolen;    /* tasks that it stole */
    uint64_t parks;     /* times that it slept */
    uint64_t unparks;   /* workers that it woke; outsiders' are nobody's */
};
/* Threads: any. */
void th_sched_stats(const struct th_sched *sched, unsigned worker,
                    struct th_sched_stats *out);

#endif
