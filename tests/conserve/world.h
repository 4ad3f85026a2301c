/* SPDX-License-Identifier: Apache-2.0 */
/* A round of the torture program: a router, a runtime with real threads, and
 * those who take part, each with a number and the name "p-NUMBER": C actors
 * (player.c), guests (guest.c) and one thread that comes and goes
 * (drifter.c). Who they are and what they do the seed says; the ledger is kept
 * beside. */
#ifndef CONSERVE_WORLD_H
#define CONSERVE_WORLD_H

#include <theater/message_server.h>
#include <theater/runtime_handler.h>

#include <pthread.h>
#include <stdatomic.h>
#include <string.h>

#include "base/points.h"
#include "ledger.h"

enum workload {
    WORK_MESH,     /* everybody sends to everybody, in every way */
    WORK_CHURN,    /* the same, while actors stop and come back */
    WORK_STAR,     /* many to few, whose mailboxes are full: each policy */
    WORK_LARGE,    /* up to and beyond the largest message */
    WORK_REQUESTS, /* chains of requests, deferred, cancelled, too late */
    WORK_CHANNELS, /* both ways, with credit, closed by either end */
    WORK_GUESTS,   /* WebAssembly, which traps and is restarted */
    WORKLOADS
};

enum fault {
    FAULT_STOP,       /* an actor is stopped, or stops, and comes back */
    FAULT_FAIL,       /* a handler does not get to its end */
    FAULT_TRAP,       /* a guest traps */
    FAULT_RESTART,    /* an owner starts anew and keeps the mailbox */
    FAULT_CANCEL,     /* something that is under way is cancelled */
    FAULT_UNREGISTER, /* a name goes while others send to it */
    FAULT_ALLOC,      /* memory could not be had */
    FAULT_PAUSE,      /* a worker stands still for 2 ms inside a delivery */
    FAULT_SHUTDOWN,   /* the router drains and closes under traffic */
    FAULT_KILL,       /* the runtime is deleted under traffic */
    FAULT_FULL,       /* a mailbox or channel was full */
    FAULTS
};

/* FULL is what an overload brings by itself: it is not counted as injected. */
enum { FAULTS_INJECTED = FAULT_FULL };

enum act {
    ACT_SEND,
    ACT_WAIT, /* a send that waits for space */
    ACT_BATCH,
    ACT_BROADCAST,
    ACT_LATER, /* a timed send */
    ACT_REQUEST,
    ACT_OPEN,
    ACT_DATA, /* on a channel */
    ACT_CREDIT,
    ACT_CLOSE,
    ACT_ANSWER, /* a deferred request */
    ACTS
};

enum plant { /* a fault of the test's own, which the ledger must find */
             PLANT_NONE,
             PLANT_LOSE,
             PLANT_LATE,     /* of those that were sent with a delay */
             PLANT_NEEDLESS, /* a dead letter, where all is well */
             PLANT_DOUBLE,
             PLANT_CORRUPT,
             PLANT_REORDER,
             PLANT_CROSS, /* a broadcast, behind a later message to one */
             PLANT_UNENDED,
             PLANT_HANG,  /* an actor that is never quiet */
             PLANT_LEAK,  /* memory, in each round: for the soak */
             PLANT_OPEN,  /* a descriptor, in each round */
             PLANT_DRIFT, /* simulated: two runs of a seed differ */
             PLANTS
};

enum {
    PARTIES_MAX = 24,
    BOARD = 64, /* operations that anybody may cancel */
    PAUSE_NS = 2000000,
    NUMBERS = 1 << 16,  /* of a stream */
    REQUESTS = 1 << 17, /* of a round */
    NOTE_TRAP = 0xee,   /* the receiver is to trap */
    HOPS = 4,           /* longest chain of requests */
    STASH = 4096,
    MESSAGE_MAX = 1 << 20,
    PIECE = 64, /* operations of one activation */
};

struct rng {
    uint64_t state;
};

struct plan {
    enum workload work;
    bool simulated;       /* one thread, seeded order, virtual time */
    unsigned actors;      /* C actors and guests; one thread more takes part */
    unsigned guests;      /* of those, the first ones */
    unsigned targets;     /* to whom all goes: the first ones; 0: all */
    uint32_t operations;  /* of each actor */
    uint32_t least, most; /* bytes of a message */
    uint32_t capacity;
    uint32_t capacity_bytes;
    uint32_t credit;
    const char *on_full;
    uint32_t weights[ACTS];
    uint32_t fail_one_in;  /* deliveries; 0: none */
    uint32_t leave_one_in; /* deliveries after which an actor stops itself */
    uint32_t stop_one_in;  /* ticks of 1 ms */
    uint32_t alloc_one_in; /* ticks */
    enum fault end;        /* SHUTDOWN, KILL; FAULTS: in quiet */
};

struct player;

struct party {
    char name[8];
    unsigned name_len;
    _Atomic uint32_t alive; /* has an actor, or a thread */
    _Atomic uint32_t left;  /* operations still to do */
    _Atomic uint32_t pause; /* the next delivery stands still */
    _Atomic uint32_t ends;  /* it ended once, or is about to, or may */
    uint64_t seen;          /* deliveries; its owner's, for the plants */
    uint8_t stash[STASH];   /* REORDER, CROSS: what is held back */
    size_t stash_len;
};

/* Who takes part without an actor. */
struct drifter {
    theater_endpoint_t *endpoint; /* NULL: it has no name now */
    struct rng rng;
};

struct counts {
    _Atomic uint64_t faults[FAULTS];
    _Atomic uint64_t acts[ACTS];
};

struct th_sim_env;

struct world {
    theater_env_t env;      /* the default or sim's, whose memory may fail */
    struct th_sim_env *sim; /* NULL: the real world */
    _Atomic uint32_t alloc_one_in; /* 0: it does not fail */
    _Atomic uint64_t allocs;
    theater_router_t *router;
    theater_runtime_t *runtime;
    theater_manifest_t *manifest;
    theater_manifest_t *guest_manifest;
    struct ledger *ledger;
    struct plan plan;
    uint64_t seed;
    struct rng rng; /* the driver's */
    unsigned parties_len;
    struct party parties[PARTIES_MAX];
    _Atomic uint64_t board[BOARD];
    _Atomic uint32_t stop; /* nobody begins anything any more */
    _Atomic uint64_t failures;
    _Atomic uint64_t request_ends;
    char failure[256]; /* the first of those */
    struct counts *counts;
    enum plant plant;
    _Atomic uint64_t needless; /* dead letters without a cause */
    struct drifter drift;
    pthread_t drifter; /* not in a simulation */
    unsigned incarnations;
    uint64_t events; /* their hash, of a simulation */
    bool unwell;     /* something beside the ledger was wrong; it was said */
};

/* --- world.c -------------------------------------------------------------- */

/* What the seed says. `work` WORKLOADS: any. A simulated round is small. */
void plan_make(struct plan *plan, uint64_t seed, enum workload work,
               bool simulated);
/* False: it could not be made, and it was said why. */
bool world_init(struct world *world, uint64_t seed, const struct plan *plan,
                struct counts *counts, enum plant plant);
void world_fini(struct world *world);
/* Spawns the actor of a party that has none. */
theater_status_t world_spawn(struct world *world, unsigned party);
/* A receiver got it. False: nothing to act on. */
bool world_handled(struct world *world, unsigned to, theater_bytes_t data,
                   struct ledger_entry *out);
/* A request was told its end. */
void world_ended(struct world *world, uint32_t request,
                 theater_status_t status);
/* A worker stands still, in the midst of something. */
void world_stand_still(struct world *world);
/* The number of a name; LEDGER_NOBODY. */
unsigned world_party(theater_bytes_t name);
/* Prints where it stands: for a round that does not end. */
void world_dump(struct world *world);

static inline theater_bytes_t world_name(const struct world *world,
                                         unsigned party)
{
    const struct party *at = &world->parties[party];
    return (theater_bytes_t){(const uint8_t *)at->name, at->name_len};
}

static inline uint64_t rng_next(struct rng *rng)
{
    uint64_t z = rng->state += UINT64_C(0x9e3779b97f4a7c15);
    z = (z ^ z >> 30) * UINT64_C(0xbf58476d1ce4e5b9);
    z = (z ^ z >> 27) * UINT64_C(0x94d049bb133111eb);
    return z ^ z >> 31;
}

static inline uint32_t rng_below(struct rng *rng, uint32_t bound)
{
    return (uint32_t)((rng_next(rng) >> 32) * bound >> 32);
}

/* One time in `times`; 0: never. */
static inline bool rng_one_in(struct rng *rng, uint32_t times)
{
    return times != 0 && rng_below(rng, times) == 0;
}

static inline void world_fault(struct world *world, enum fault fault)
{
    /* relaxed: statistics */
    atomic_fetch_add_explicit(&world->counts->faults[fault], 1,
                              memory_order_relaxed);
}

/* Before what may end it: from here on its messages may be dead letters. */
static inline void world_may_end(struct world *world, unsigned party)
{
    /* relaxed: what ends it comes by other ways, and is ordered there */
    atomic_store_explicit(&world->parties[party].ends, 1, memory_order_relaxed);
}

static inline bool world_stopping(struct world *world)
{
    /* relaxed: seen soon enough */
    return atomic_load_explicit(&world->stop, memory_order_relaxed) != 0;
}

/* --- player.c, drifter.c, round.c ----------------------------------------- */

theater_status_t player_spawn(struct world *world, unsigned party,
                              uint64_t seed);
void drifter_init(struct world *world);
void drifter_step(struct world *world);
/* Handles what is there, and ends its name. */
void drifter_leave(struct world *world);
/* The thread; it ends when the world stops. */
void *drifter_run(void *world);

struct total {
    uint64_t rounds;
    enum workload last; /* of the last round */
    struct ledger_report sum;
    uint64_t deliveries;
    uint64_t spawned;
    uint64_t uncounted;             /* differences to the router's counters */
    uint64_t unwell;                /* rounds that went wrong otherwise */
    uint64_t of_work[WORKLOADS];    /* messages */
    uint64_t asked[TH_POINT_COUNT]; /* simulated rounds: the points */
    uint64_t taken[TH_POINT_COUNT];
    struct counts counts;
};

/* One round; false: something is not 0, and the seed was said. */
bool round_run(uint64_t seed, enum workload work, enum plant plant,
               struct total *total);
/* The same, simulated. out_hash: of all events, and of what came out. */
bool round_simulate(uint64_t seed, enum workload work, enum plant plant,
                    struct total *total, uint64_t *out_hash);
bool total_is_clean(const struct total *total);
/* The round under way, for the watchdog; NULL between rounds. */
extern _Atomic(struct world *) round_now;
/* Changes whenever a round gets on. */
extern _Atomic uint32_t round_beat;

extern const char *const work_names[WORKLOADS];
extern const char *const fault_names[FAULTS];
extern const char *const act_names[ACTS];

#endif
