/* SPDX-License-Identifier: Apache-2.0 */
/* The runtime: actors from manifests, run by workers, with the handlers that
 * were registered. It knows nothing of messages: register the message-server
 * handler (theater/message_server.h) for those. */
#ifndef THEATER_RUNTIME_H
#define THEATER_RUNTIME_H

#include <theater/handler.h>

#ifdef __cplusplus
extern "C" {
#endif

/* Names of handlers and their tables; the runtime takes it over. */
typedef struct theater_handler_registry theater_handler_registry_t;
/* Actors and the workers that run them. */
typedef struct theater_runtime theater_runtime_t;

/* --- The registry of handlers ------------------------------------------- */

/* `env` NULL: the default. Threads: any. Returns: OK, OUT_OF_MEMORY. */
THEATER_API THEATER_CHECKED theater_status_t theater_handler_registry_new(
    const theater_env_t *env, theater_handler_registry_t **out_registry);

/* Adds a handler under the `type` that manifests call it by; 32 at most.
 * Owns:    `ops` and `type` are borrowed for the registry's life; `prototype`
 *          goes to the registry on OK.
 * Threads: setup (before a runtime is made from it).
 * Returns: OK, ALREADY_EXISTS, INVALID_ARGUMENT, OUT_OF_MEMORY. */
THEATER_API THEATER_CHECKED theater_status_t theater_handler_registry_register(
    theater_handler_registry_t *registry, const char *type,
    const theater_handler_ops_t *ops, void *prototype);

/* Frees a registry that no runtime took; NULL is fine. Threads: owner. */
THEATER_API void
theater_handler_registry_delete(theater_handler_registry_t *registry);

/* --- The runtime -------------------------------------------------------- */

/* What has happened to an actor. */
typedef enum theater_event_kind {
    THEATER_ACTOR_SPAWNED,   /* registered and instantiated */
    THEATER_ACTOR_STOPPED,   /* by itself or asked to; reason says which */
    THEATER_ACTOR_FAILED,    /* trapped, broke a limit; reason says which */
    THEATER_ACTOR_RESTARTED, /* failed before, runs again */
    THEATER_ACTOR_LOG,       /* wrote a log line */
    /* A worker is inside `actor` ("": none) for longer than watchdog_ms. Told
     * once, on a thread of its own; the text is a report of several lines. */
    THEATER_WORKER_STUCK,
} theater_event_kind_t;

/* As the guests' log function has them. */
typedef enum theater_log_level {
    THEATER_LOG_ERROR,
    THEATER_LOG_WARN,
    THEATER_LOG_INFO,
    THEATER_LOG_DEBUG,
    THEATER_LOG_TRACE,
} theater_log_level_t;

/* What watchdog_ms is unless it is said; workers of one runtime at most. */
enum { THEATER_WATCHDOG_MS = 5000, THEATER_WORKERS_MAX = 48 };

/* What on_event is told; borrowed for the call. */
typedef struct theater_event {
    theater_event_kind_t kind; /* what happened */
    const char *actor;         /* its name; "": the runtime's own log line */
    theater_status_t status;   /* FAILED: TRAPPED, LIMIT, ...; else OK */
    const char *text;          /* the reason, or the log line, raw */
    size_t text_len;           /* bytes of text; a zero byte follows */
    theater_log_level_t level; /* of a log line */
} theater_event_t;

/* One log line of an actor, as an event: longer than 8 KiB it is cut and says
 * so. The bytes are copied. For host functions and native actors.
 * Threads: the worker that runs the actor. Blocks: never.
 * Returns: OK; PENDING: taken, too, but the turn should end so that it is told:
 *          a guest's before it goes on, else after many; the actor is woken.
 *          Lines over 1 MiB in one turn are lost, and counted. */
THEATER_API THEATER_CHECKED theater_status_t theater_actor_log(
    theater_actor_t *actor, theater_log_level_t level, theater_bytes_t text);

/* Begin with THEATER_RUNTIME_OPTIONS_INIT. */
typedef struct theater_runtime_options {
    size_t size;              /* sizeof(theater_runtime_options_t) */
    const theater_env_t *env; /* NULL: the registry's */
    unsigned workers;         /* 0: one per core; more than 48: 48 */
    /* Folder for compiled code; NULL: none is kept. Created with mode 0700;
     * one that others could write is not used, and an event says so. */
    const char *cache_dir;
    /* Called on each event; on any thread, several at once, and never on a
     * guest's stack. Must not block.
     * What it points to is valid during the call. May be NULL. */
    void (*on_event)(void *user, const theater_event_t *event);
    void *user; /* of on_event */
    /* One thread, seeded order, virtual time, guests sliced by fuel: see
     * theater_runtime_simulate. `env` must be a simulated one. */
    bool simulated;
    uint64_t seed;       /* of the simulated schedule */
    unsigned max_actors; /* 0: 1,048,576; more than 16,777,216: that */
    /* A worker that is inside one activation for so long is told of: a native
     * actor, a handler or a callback that blocks. Its thread is interrupted
     * for its stack (SIGPROF, unless the program uses that), which may end a
     * system call with EINTR. 0: nobody looks. A simulated runtime has none. */
    uint32_t watchdog_ms;
} theater_runtime_options_t;

/* The defaults. */
#define THEATER_RUNTIME_OPTIONS_INIT                                           \
    {sizeof(theater_runtime_options_t),                                        \
     NULL,                                                                     \
     0,                                                                        \
     NULL,                                                                     \
     NULL,                                                                     \
     NULL,                                                                     \
     false,                                                                    \
     0,                                                                        \
     0,                                                                        \
     THEATER_WATCHDOG_MS}

/* Makes a runtime and starts its workers.
 * Owns:    takes the registry on OK. `options` may be NULL.
 * Threads: any. Blocks: while workers start.
 * Returns: OK, INVALID_ARGUMENT, OUT_OF_MEMORY. */
THEATER_API THEATER_CHECKED theater_status_t
theater_runtime_new(theater_handler_registry_t *registry,
                    const theater_runtime_options_t *options,
                    theater_runtime_t **out_runtime, theater_error_t *err);

/* Stops all actors at once (no delivery is finished), joins the workers,
 * frees the runtime. Drain before with theater_runtime_stop_all. NULL is
 * fine. Threads: owner, not a worker. Blocks: until joined. */
THEATER_API void theater_runtime_delete(theater_runtime_t *runtime);

/* Begin with THEATER_SPAWN_OPTIONS_INIT. */
typedef struct theater_spawn_options {
    size_t size;                   /* sizeof(theater_spawn_options_t) */
    theater_bytes_t initial_state; /* data NULL: the manifest's */
    bool paused; /* started by theater_runtime_start_all, not at once */
} theater_spawn_options_t;

/* The defaults. */
#define THEATER_SPAWN_OPTIONS_INIT                                             \
    {sizeof(theater_spawn_options_t), {NULL, 0}, false}

/* Makes one actor: loads its module (compiled once per content), makes its
 * handlers, registers and instantiates it, and lets it run. The package is
 * read once per manifest object, as long as the runtime remembers it (it does
 * for the last 16): load the manifest again to see a file that was changed.
 * Owns:    `manifest` is borrowed for the call. `name` NULL: the manifest's.
 * Threads: any that is not a worker. Blocks: while it compiles.
 * Returns: OK, ALREADY_EXISTS, BAD_MANIFEST, BAD_MODULE, NOT_FOUND, IO, LIMIT,
 *          TRAPPED, SHUTTING_DOWN, INVALID_ARGUMENT, WRONG_THREAD,
 *          OUT_OF_MEMORY; nothing is left behind on failure. */
THEATER_API THEATER_CHECKED theater_status_t theater_runtime_spawn(
    theater_runtime_t *runtime, const char *name,
    const theater_manifest_t *manifest, const theater_spawn_options_t *options,
    theater_error_t *err);

/* Makes all actors of a system, and starts none of them unless all could be
 * made. Otherwise as theater_runtime_spawn. */
THEATER_API THEATER_CHECKED theater_status_t theater_runtime_spawn_system(
    theater_runtime_t *runtime, const theater_system_t *system,
    theater_error_t *err);

/* Starts the actors that were spawned paused. Threads: any. */
THEATER_API void theater_runtime_start_all(theater_runtime_t *runtime);

/* A native actor: the same deliveries as C callbacks, on a worker, one at a
 * time. It must not block and is not sliced or limited. Static. */
typedef struct theater_native_ops {
    size_t size;         /* sizeof(theater_native_ops_t) */
    uint64_t exports;    /* bits of the exports of its handlers, in the order of
                         the sections, as theater_instance_args.exports, for
                         the one handler type `handler` */
    const char *handler; /* the handler type that `exports` speaks of */
    /* Once, first; may be NULL. */
    void (*run)(void *self, theater_actor_t *actor);
    /* One delivery: sets `status` and `result` as the handler expects. What
     * `result` points to must stay until the next call of `deliver`. */
    void (*deliver)(void *self, theater_actor_t *actor,
                    theater_delivery_t *delivery);
    /* Nothing is left to deliver: called at least once after each
     * theater_actor_wake, and once after `run`; for answers that native actors
     * wait for through callbacks. May be NULL. */
    void (*woken)(void *self, theater_actor_t *actor);
    /* Once, last: frees `self`. May be NULL. */
    void (*destroy)(void *self);
} theater_native_ops_t;

/* Makes a native actor with the handlers of `manifest` (its package is not
 * used and may be absent). Owns: takes `self` on OK. Otherwise as
 * theater_runtime_spawn. */
THEATER_API THEATER_CHECKED theater_status_t theater_runtime_spawn_native(
    theater_runtime_t *runtime, const char *name,
    const theater_manifest_t *manifest, const theater_spawn_options_t *options,
    const theater_native_ops_t *ops, void *self, theater_error_t *err);

/* The instance that the handler `type` has of a live actor, or NULL: how a
 * native actor finds its endpoint. Valid as long as the actor.
 * Threads: any. */
THEATER_API void *theater_actor_handler(const theater_actor_t *actor,
                                        const char *type);

/* Asks one actor to stop: `handle-stop` runs, then it ends.
 * Threads: any. Blocks: never. Returns: OK, NOT_FOUND. */
THEATER_API THEATER_CHECKED theater_status_t theater_runtime_stop(
    theater_runtime_t *runtime, const char *name, const char *reason);

/* How long an actor that is asked to stop may go on with the call that it is
 * in before it is ended inside it; 0: 5,000 ms, as at first. For all that are
 * asked from now on; those that were asked before get no more time than this.
 * Threads: any. Blocks: never. */
THEATER_API void theater_runtime_set_stop_grace(theater_runtime_t *runtime,
                                                uint32_t grace_ms);

/* Asks all to stop, as above, and refuses new ones for ever. */
THEATER_API void theater_runtime_stop_all(theater_runtime_t *runtime,
                                          const char *reason);

/* What theater_runtime_wait waits for. */
typedef enum theater_wait_for {
    THEATER_WAIT_STOPPED, /* no actor is left */
    THEATER_WAIT_QUIET,   /* none is left, or nothing can happen any more: all
                             idle, no timer, no answer is owed, no handler
                             busy */
} theater_wait_for_t;

/* Waits. Threads: any that is not a worker. Blocks: until then.
 * Returns: OK, TIMEOUT, WRONG_THREAD. */
THEATER_API THEATER_CHECKED theater_status_t theater_runtime_wait(
    theater_runtime_t *runtime, theater_wait_for_t what, uint64_t timeout_ms);

/* Waits until one actor is gone (at once when there is none of that name).
 * As theater_runtime_wait. */
THEATER_API THEATER_CHECKED theater_status_t theater_runtime_wait_actor(
    theater_runtime_t *runtime, const char *name, uint64_t timeout_ms);

/* One actor, as theater_runtime_each shows it. */
typedef struct theater_actor_info {
    const char *name;      /* valid during the callback */
    const char *state;     /* "idle", "ready", "running", "waiting", ... */
    uint64_t deliveries;   /* calls of its exports so far */
    uint64_t memory_bytes; /* of the guest's linear memory */
    uint32_t restarts;     /* so far */
    bool native;           /* a C actor */
} theater_actor_info_t;

/* Calls `each` for every actor there is. Who ends and is made again meanwhile
 * may be told twice, or not. Threads: any. */
THEATER_API void
theater_runtime_list(theater_runtime_t *runtime,
                     void (*each)(void *user, const theater_actor_info_t *info),
                     void *user);

/* What a runtime has done since it was made. */
typedef struct theater_runtime_stats {
    uint64_t spawned;    /* actors made */
    uint64_t stopped;    /* ended well */
    uint64_t failed;     /* trapped, broke a limit; ends for good */
    uint64_t restarted;  /* started again */
    uint64_t cut_off;    /* of the stopped: ended inside a call, since they
                            did not stop in time; an event says which */
    uint64_t deliveries; /* calls of guest exports that began */
    uint64_t compiled;   /* modules compiled */
    uint64_t cache_hits; /* compiled modules found, in memory or on disk */
    uint64_t live;       /* actors now */
    unsigned workers;    /* threads that run actors */
} theater_runtime_stats_t;

/* Threads: any. Blocks: never. */
THEATER_API void theater_runtime_stats(theater_runtime_t *runtime,
                                       theater_runtime_stats_t *out);

/* Simulated runtimes only: runs until nothing can happen any more or until
 * `max_steps` activations were made; virtual time jumps to the next timer.
 * Answers the number of steps; `out_hash` (may be NULL) gets the hash of all
 * events so far. Threads: owner. */
THEATER_API uint64_t theater_runtime_simulate(theater_runtime_t *runtime,
                                              uint64_t max_steps,
                                              uint64_t *out_hash);

/* What a module exports and imports, and what of it `manifest` grants: for
 * `theater check`. Calls `line` per fact. As theater_runtime_spawn, but
 * starts nothing. */
typedef struct theater_check_item {
    const char *kind; /* "export", "import" */
    const char *name; /* "handle-send", "theater:actor/runtime@0.1.0 log" */
    const char *by;   /* the handler that grants or calls it; NULL: nobody */
} theater_check_item_t;
THEATER_API THEATER_CHECKED theater_status_t theater_runtime_check(
    theater_runtime_t *runtime, const theater_manifest_t *manifest,
    void (*each)(void *user, const theater_check_item_t *item), void *user,
    theater_error_t *err);

#ifdef __cplusplus
}
#endif

#endif
