/* SPDX-License-Identifier: Apache-2.0 */
/* The engine: compiles modules, makes guests of them and runs their
 * deliveries. The one folder that knows Wasmtime. Knows no scheduler: a guest
 * that must wait or whose slice is over returns, and is entered again later.
 *
 * What a guest may import and what it is called for comes as tables of
 * theater/handler.h. Values are marshalled here, for core modules by the
 * canonical ABI. */
#ifndef TH_WASM_ENGINE_H
#define TH_WASM_ENGINE_H

#include <theater/runtime.h>

struct th_engine;
struct th_module;
struct th_guest;

enum th_stack { TH_STACK_SMALL, TH_STACK_LARGE };

struct th_engine_options {
    const theater_env_t *env;
    bool fuel;             /* simulation: slices and limits count fuel */
    const char *cache_dir; /* compiled code kept on disk; NULL: not */
    uint32_t max_guests;   /* a hint; slabs grow as guests come */
    /* A fact worth a log line ("damaged cache file, compiled anew"). */
    void (*notice)(void *user, const char *text);
    /* May a guest be inside a call now? Asked by the ticker, before it sleeps.
     * NULL: one that computes for long in one instruction may not be seen. */
    bool (*computes)(void *user);
    void *user;
};

/* One engine, inside two of Wasmtime's (small and large stacks), each made at
 * its first use; a ticker thread of the environment that sleeps while no
 * guest runs. Threads: any. Returns: OK, OUT_OF_MEMORY, ... */
THEATER_CHECKED theater_status_t
th_engine_new(const struct th_engine_options *options,
              struct th_engine **out_engine, theater_error_t *err);
/* After all its guests: no thread of it runs any more. What `computes` asks may
 * go then. */
void th_engine_rest(struct th_engine *engine);
/* After all its modules and guests. */
void th_engine_delete(struct th_engine *engine);

/* The handlers of an actor, in the order of its manifest: what it may import
 * and what is called. */
struct th_grant {
    const char *type; /* "message-server": for messages to people */
    const theater_handler_ops_t *ops;
};

enum { TH_MAX_GRANTS = 8 };

/* Loads a module, compiled once per content, stack class and set of grants
 * (the loop module depends on those); counted. Checks imports and exports
 * against the grants: names the import that nobody grants, the export with
 * the wrong signature. `wasm` is a core module or a component, as its header
 * says, and borrowed for the call; `path` is for messages. WASI (preview 1, or
 * 2 for a component) is granted always, sandboxed (stdout and stderr become
 * log lines, clocks and random of the environment, nothing else).
 * Threads: any that may block. Returns: OK, BAD_MODULE, OUT_OF_MEMORY, ... */
THEATER_CHECKED theater_status_t th_engine_load(
    struct th_engine *engine, const char *path, theater_bytes_t wasm,
    enum th_stack stack, const struct th_grant *grants, size_t grants_len,
    struct th_module **out_module, theater_error_t *err);
void th_module_retain(struct th_module *module);
void th_module_release(struct th_module *module);

/* Was it compiled by this load, or found? For statistics. */
bool th_module_was_cached(const struct th_module *module);

/* Bit i: the module has the i-th export of the grant's table. */
uint64_t th_module_exports(const struct th_module *module, size_t grant);
/* Does it export `run`, `handle-stop`? */
bool th_module_has_run(const struct th_module *module);
bool th_module_has_stop(const struct th_module *module);

/* Calls `each` for every import and export, as theater_runtime_check. */
void th_module_describe(const struct th_module *module,
                        void (*each)(void *user,
                                     const theater_check_item_t *item),
                        void *user);

/* How a guest is given its deliveries and says what happened; all called on
 * the thread that is in th_guest_enter, most of them on the guest's stack, as
 * host functions are: 64 KiB are left there, without a guard for small stacks.
 * So: no large frames, no recursion. */
struct th_guest_hooks {
    /* The next delivery of any grant. OK: sets the grant and the delivery.
     * EMPTY: the activation ends. */
    theater_status_t (*next)(void *ctx, size_t *out_grant,
                             theater_delivery_t **out_delivery);
    void (*done)(void *ctx, size_t grant, theater_delivery_t *delivery);
    /* Is the slice over? Asked at ticks and between deliveries. */
    bool (*should_yield)(void *ctx);
    /* A line that the guest wrote to its stdout or stderr. */
    void (*output)(void *ctx, bool is_error, theater_bytes_t line);
    /* The guest waits (WAITING) until `deadline_ns` of now_ns at most: enter
     * it then. THEATER_NEVER: that wait is over. For WASI's poll_oneoff, which
     * no handler sees. NULL: it is said to be YIELDED instead, and is entered
     * again and again. */
    void (*wake_at)(void *ctx, uint64_t deadline_ns);
    /* Is it to stop or to go? Asked at ticks while it is being made, since
     * nobody can enter it to end it then: th_guest_new answers CLOSED. NULL:
     * never. */
    bool (*is_ending)(void *ctx);
};

/* Computing while a guest is made; a limit of its own, since one that is made
 * anew holds a helper thread all that time. */
#define TH_START_NS UINT64_C(5000000000)

struct th_guest_options {
    theater_actor_t *actor;
    void *const *instances; /* per grant: theater_call_t.instance */
    const struct th_guest_hooks *hooks;
    void *ctx;                 /* of the hooks */
    uint64_t memory_bytes;     /* limit of its linear memories */
    uint32_t table_elements;   /* limit of its tables, 0: 10,000 */
    uint64_t delivery_time_ns; /* computing per delivery; NEVER: no limit */
    uint64_t run_time_ns;      /* the same for `run` */
};

/* Makes an instance: limits, imports module, guest, loop module, and
 * `_initialize` where present. Runs guest code (the start function) within
 * run_time, and TH_START_NS at most. Must not be called on a worker's hot
 * path; may run for as long as that limit. Returns: OK, TRAPPED, LIMIT,
 * BAD_MODULE, OUT_OF_MEMORY, CLOSED (is_ending). */
THEATER_CHECKED theater_status_t
th_guest_new(struct th_module *module, const struct th_guest_options *options,
             struct th_guest **out_guest, theater_error_t *err);

/* Ends the guest, suspended or not: a waiting host function is cancelled,
 * the delivery under way ends with CLOSED (hooks.done), memory goes back.
 * Threads: one at a time; best the worker that made it. */
void th_guest_delete(struct th_guest *guest);

enum th_guest_state {
    TH_GUEST_IDLE,    /* no delivery was left */
    TH_GUEST_WAITING, /* suspended in a host function: enter when woken */
    TH_GUEST_YIELDED, /* its slice was over: enter again */
    /* Trapped, broke a limit or called WASI's proc_exit: only delete is
     * allowed. err->status is OK when it exited with status 0: it stopped. */
    TH_GUEST_DEAD,
};

enum th_guest_entry {
    TH_ENTER_RUN,        /* call `run` (once), then deliveries */
    TH_ENTER_DELIVERIES, /* deliveries only */
    TH_ENTER_STOP,       /* call `handle-stop`, then return IDLE */
};

/* One activation, or its continuation: when the guest is suspended, `entry`
 * is not looked at and the suspended call goes on.
 * DEAD: err holds why (status TRAPPED or LIMIT with the limit's name; text is
 * the engine's reason) and the delivery under way ended through hooks.done
 * with that status. Threads: one at a time. */
enum th_guest_state th_guest_enter(struct th_guest *guest,
                                   enum th_guest_entry entry,
                                   const char *stop_reason,
                                   theater_error_t *err);

/* Is it suspended inside a call? */
bool th_guest_is_suspended(const struct th_guest *guest);
/* Bytes of linear memory now. */
uint64_t th_guest_memory_bytes(const struct th_guest *guest);
/* Gives back the pages of stacks that no call is live in. A sweep. */
void th_engine_trim(struct th_engine *engine);

#endif
