/* SPDX-License-Identifier: Apache-2.0 */
/* What the files of this folder share. sched.c has the design notes; idle.c
 * those of parking, placement.c those of stealing. */
#ifndef TH_SCHED_INTERNAL_H
#define TH_SCHED_INTERNAL_H

#include "queue/deque.h"
#include "queue/injector.h"
#include "sched/sched.h"

/* Tunables. */
enum {
    TH_INJECTOR_EVERY = 61, /* runs between looks at the injector */
    TH_BATCH = 64,          /* tasks moved at once */
    TH_SEARCH_ROUNDS = 40,  /* looks at everything before parking */
    TH_SEARCH_PAUSES = 24,  /* between two looks */
    TH_CLOCK_EVERY = 8,     /* short runs between two looks at the clock */
    TH_SUSPECT = 8,         /* each run is timed so many times a long one */
    TH_YIELD_EVERY = 16,    /* calls of should_yield between two of them */
    TH_SPARE = 3,           /* tasks in a ring: enough for another worker */
    TH_STREAK = 12,         /* looks that found a queue: steal from it */
    TH_IDLE_POLLS = 16,     /* looks at time in a row, by who has no task */
    TH_SOURCES_MAX = 8
};
#define TH_SLICE_NS UINT64_C(1000000)  /* the default slice */
#define TH_CHAIN_NS UINT64_C(50000)    /* of runs through the slot */
#define TH_POLL_NS UINT64_C(500000)    /* between a busy worker's polls */
#define TH_TIME_SHARE UINT64_C(8)      /* of a busy worker's time: 1 in 8 */
#define TH_REST_NS UINT64_C(5000000)   /* no longer without a look at time */
#define TH_SHORT_RUN_NS UINT64_C(2000) /* runs longer: clock at each */
#define TH_LONG_NS UINT64_C(100000)    /* a run as long: the task is slow */
#define TH_SLOW_NS UINT64_C(5000000)   /* a busy worker and a slow task */
#define TH_SLOW_SHARE UINT64_C(5)      /* of a worker that has others: 1 in 5 */
#define TH_OTHERS_NS UINT64_C(20000000)  /* but they wait no longer */
#define TH_STALE_NS UINT64_C(200000)     /* queued that long: steal it */
#define TH_TICK_MIN_NS UINT64_C(500000)  /* the watcher's sleep, at first */
#define TH_TICK_MAX_NS UINT64_C(3000000) /* and at last */
#define TH_RETRY_NS UINT64_C(50000)      /* a push is under way: look again */

/* Task states. QUEUED: in a queue, or running and to be queued again. */
enum { TH_TASK_IDLE, TH_TASK_QUEUED, TH_TASK_RUNNING };

/* Slow tasks: who was woken, and who ran and has more to do. */
enum { TH_SLOW_WOKEN, TH_SLOW_AGAIN, TH_SLOWS };

/* A worker's futex word. */
enum { TH_WORD_TOKEN = 1, TH_WORD_POKE = 2 };

/* What the watcher saw of another worker. */
struct th_sighting {
    uint64_t since_ns; /* 0: nothing seen */
    uint64_t head, runs, wakes;
    struct th_task *slot;
    bool queued;
    unsigned streak; /* looks in a row that found something in the ring */
};

struct th_counters {
    _Atomic uint64_t runs, wakes, injected, overflows;
    _Atomic uint64_t steals, stolen, parks, unparks;
};

struct th_worker {
    struct th_deque deque;
    /* Written by the owner at each run; read by thieves. */
    _Alignas(TH_LINE) _Atomic(struct th_task *) slot;
    struct th_counters counters;
    _Atomic(struct th_task *) inside; /* what runs; NULL: nothing */
    /* Written by those who wake it. */
    _Alignas(TH_LINE) _Atomic uint32_t word;
    /* Written by the owner, read by those who arm timers. */
    _Atomic uint64_t sleep_until_ns;
    /* The owner's own. */
    _Alignas(TH_LINE) struct th_sched *sched;
    theater_thread_t *thread;
    _Atomic int number; /* of the thread; 0: not known yet */
    unsigned index;
    bool searching;       /* counted as such */
    bool retry;           /* a push into the injector was under way */
    bool yield_now;       /* should_yield's answer, until the run ends */
    bool timed;           /* the clock was read when the last run ended */
    bool slow_turn;       /* the next run is a slow task's */
    unsigned slow_next;   /* TH_SLOW_: the queue to take from first */
    unsigned tick;        /* runs, for the injector's turn */
    unsigned clock_in;    /* runs until the next look at the clock */
    unsigned yield_in;    /* calls of should_yield until the next look */
    uint64_t now_ns;      /* the clock when it was read last */
    uint64_t slice_at_ns; /* when the slice began */
    uint64_t poll_at_ns;
    uint64_t due_ns;     /* the earliest deadline, when last polled */
    uint64_t rest_ns;    /* no poll before that: time has had its share */
    uint64_t others_ns;  /* no slow task before that, if there are others */
    uint64_t suspect_ns; /* each run is timed until then, since one was long */
    uint64_t left_ns;    /* since then the injector was left to others; 0 */
    uint64_t tick_ns;    /* how long the watcher sleeps next */
    struct th_rng rng;
    struct th_sighting seen[TH_WORKERS_MAX];
};

/* TH_HELPERS_LONG: of those so many at most are in jobs that take long. */
enum { TH_HELPERS_MAX = 4, TH_HELPERS_LONG = 2 };

/* A thread that runs jobs; guarded by the lock of the jobs. */
struct th_helper {
    struct th_sched *sched;
    theater_thread_t *thread; /* NULL: none to be joined */
    bool running;             /* it takes more jobs */
    bool busy;                /* it is inside one */
    bool slow;                /* that takes long */
};

struct th_jobs {
    struct th_lock lock;
    /* Guarded by lock, as all up to `stop`; jobs that take long apart. */
    struct th_job_list {
        struct th_job *first, **last;
    } quick, slow;
    struct th_helper helpers[TH_HELPERS_MAX];
    unsigned queued;    /* jobs */
    unsigned running;   /* helpers */
    unsigned busy;      /* helpers that are inside a job */
    unsigned slow_busy; /* of those: inside one that takes long */
    bool stop;
    _Atomic uint32_t word;    /* changes with each job */
    _Atomic uint64_t pending; /* queued or running */
};

/* The watchdog: watch.c. */
struct th_watch {
    _Atomic uint32_t word;    /* TH_WATCH_ */
    theater_thread_t *thread; /* NULL: there is none */
    struct th_watch_options options;
    uint64_t period_ns;
    struct {
        uint64_t runs; /* when it was looked at last */
        uint64_t ns;   /* so long they have not changed */
        bool told;
    } seen[TH_WORKERS_MAX];
};
enum { TH_WATCH_AWAKE, TH_WATCH_ASLEEP, TH_WATCH_STOPPING };

struct th_sim;

struct th_sched {
    /* Who sleeps, who searches, who watches: idle.c. */
    _Alignas(TH_LINE) _Atomic uint64_t idlers;
    struct th_injector injector;
    struct th_injector slow[TH_SLOWS]; /* tasks whose last run was long */
    /* Seldom written. */
    _Alignas(TH_LINE) _Atomic uint64_t rises; /* sleepers that got up */
    _Atomic uint64_t armed;                   /* wake timers */
    _Atomic uint64_t holds;
    _Atomic uint64_t slow_at_ns; /* one of `slow` has a right to run */
    _Atomic uint64_t time_epoch; /* deadlines that came nearer */
    _Atomic uint32_t time_busy;  /* someone advances time */
    _Atomic uint32_t stop;
    _Atomic uint32_t quiet_word; /* changes when it may have become quiet */
    _Atomic uint32_t waiters;    /* in wait_quiet */
    /* Set up once. */
    _Alignas(TH_LINE) const theater_env_t *env;
    struct th_worker *workers;
    unsigned worker_count;
    _Atomic unsigned source_count;
    uint64_t slice_ns;
    struct th_time_source sources[TH_SOURCES_MAX];
    struct th_timers *timers;
    struct th_sim *sim; /* NULL: threads */
    struct th_jobs jobs;
    struct th_watch watch;
};

/* How many time sources there are. */
static inline unsigned th_sources(const struct th_sched *sched)
{
    /* acquire; pairs with th_sched_add_time_source: the source itself */
    return atomic_load_explicit(&sched->source_count, memory_order_acquire);
}

extern _Thread_local struct th_worker *th_worker_current
    __attribute__((tls_model("initial-exec")));

static inline struct th_task *th_task_of(struct th_mpsc_node *node)
{
    return TH_CONTAINER_OF(node, struct th_task, link);
}

/* A counter of one writer. */
static inline void th_count(_Atomic uint64_t *counter, uint64_t by)
{
    /* relaxed: a figure; nothing travels with it */
    atomic_store_explicit(
        counter, atomic_load_explicit(counter, memory_order_relaxed) + by,
        memory_order_relaxed);
}

static inline uint64_t th_counted(const _Atomic uint64_t *counter)
{
    /* relaxed: a figure */
    return atomic_load_explicit(counter, memory_order_relaxed);
}

/* --- worker.c ----------------------------------------------------------- */
void th_worker_main(void *worker);
/* Queues behind the others, wakes a worker where there is need. */
void th_worker_queue(struct th_worker *worker, struct th_task *task);
/* Queues as the task just woken. */
void th_worker_wake(struct th_worker *worker, struct th_task *task);
/* Tasks that wait in the worker's own queues. */
size_t th_worker_waiting(struct th_worker *worker);

/* --- idle.c ------------------------------------------------------------- */
void th_idle_init(struct th_sched *sched);
/* There is new work: wakes a sleeper, unless someone searches already. */
void th_idle_notify(struct th_sched *sched);
/* May a busy worker that queued something leave it at that? */
void th_idle_notify_local(struct th_worker *worker);
/* Sleeps until there may be work; returns as a searcher. */
void th_idle_park(struct th_worker *worker);
bool th_idle_search_begin(struct th_worker *worker);
/* Somebody is awake and looks for work. */
bool th_idle_searched(struct th_sched *sched);
/* It found something. */
void th_idle_search_end(struct th_worker *worker);
/* All workers sleep. */
bool th_idle_all(struct th_sched *sched);
/* That one does, or is on its way to. */
bool th_idle_sleeps(struct th_sched *sched, unsigned index);
/* The watcher must think again about how long it sleeps. */
void th_idle_deadline(struct th_sched *sched, uint64_t deadline_ns);
/* Everybody gets up, to see that it is to stop. */
void th_idle_stop(struct th_sched *sched);

/* --- placement.c -------------------------------------------------------- */
struct th_task *th_place_inject_take(struct th_worker *worker);
/* Queues a slow task that was woken. Threads: any. */
void th_place_slow_woken(struct th_sched *sched, struct th_task *task);
/* Queues a slow task that has just run and has more to do. */
void th_place_slow_again(struct th_worker *worker, struct th_task *task);
struct th_task *th_place_slow_take(struct th_worker *worker);
size_t th_place_slow_size(struct th_sched *sched);
struct th_task *th_place_steal(struct th_worker *worker);
bool th_place_stealable(struct th_worker *worker);
/* The watcher's look at the others: a task that waited long, or NULL.
 * *out_again: look again after TH_STALE_NS. */
struct th_task *th_place_watch(struct th_worker *worker, bool *out_again);
void th_place_balance(struct th_worker *worker);

/* --- time.c ------------------------------------------------------------- */
uint64_t th_time_next(struct th_sched *sched);
/* Does what is due, unless somebody does; answers the next deadline. */
uint64_t th_time_poll(struct th_sched *sched, uint64_t now_ns);

/* --- quiet.c ------------------------------------------------------------ */
/* It may have become quiet: who waits for that looks. */
void th_quiet_bump(struct th_sched *sched);

/* --- watch.c ------------------------------------------------------------ */
void th_watch_wake(struct th_sched *sched);
/* A worker got up: somebody looks on from now on. */
static inline void th_watch_up(struct th_sched *sched)
{
    /* watch.c [W1] seq_cst; a plain load on x86-64 */
    if (TH_UNLIKELY(
            atomic_load_explicit(&sched->watch.word, memory_order_seq_cst) ==
            TH_WATCH_ASLEEP)) {
        th_watch_wake(sched);
    }
}

/* --- jobs.c ------------------------------------------------------------- */
void th_jobs_init(struct th_sched *sched);
void th_jobs_stop(struct th_sched *sched);

/* --- sim.c -------------------------------------------------------------- */
theater_status_t th_sim_new(struct th_sched *sched, uint64_t seed);
void th_sim_delete(struct th_sched *sched);
void th_sim_queue(struct th_sched *sched, struct th_task *task);
bool th_sim_should_yield(struct th_sched *sched);
bool th_sim_idle(const struct th_sched *sched);

#endif
