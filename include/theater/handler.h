/* SPDX-License-Identifier: Apache-2.0 */
/* The seam between the runtime and what actors can do: a handler is a set of
 * host functions that a guest may import and of guest exports that it may
 * call. The runtime knows handlers only through these tables; it has no word
 * for message, channel or request. */
#ifndef THEATER_HANDLER_H
#define THEATER_HANDLER_H

#include <theater/bytes.h>
#include <theater/env.h>
#include <theater/manifest.h>
#include <theater/status.h>

#ifdef __cplusplus
extern "C" {
#endif

typedef struct theater_actor theater_actor_t; /* one actor of a runtime */

/* The types of wit/actor.wit that cross between host and guest. */
typedef enum theater_type {
    THEATER_TYPE_NONE,
    THEATER_TYPE_BOOL,          /* u32: 0 or 1 */
    THEATER_TYPE_ENUM,          /* u32: an index; `level` */
    THEATER_TYPE_U32,           /* u32 */
    THEATER_TYPE_U64,           /* u64 */
    THEATER_TYPE_STRING,        /* bytes, checked to be UTF-8 */
    THEATER_TYPE_BYTES,         /* bytes: list<u8> */
    THEATER_TYPE_STRING_LIST,   /* list: list<string> */
    THEATER_TYPE_BYTES_LIST,    /* list: list<list<u8>> */
    THEATER_TYPE_OPTION_STRING, /* bytes; none when data is NULL */
    THEATER_TYPE_OPTION_BYTES,  /* bytes; none when data is NULL */
    THEATER_TYPE_OPTION_ERROR,  /* the call's status and message; none on OK */
    THEATER_TYPE_CODE_LIST,     /* codes: list<option<error-code>> */
    THEATER_TYPE_RESULT_NONE,   /* result<_, error> */
    THEATER_TYPE_RESULT_U32,    /* result<u32, error> */
    THEATER_TYPE_RESULT_STRING, /* result<string, error> */
    THEATER_TYPE_RESULT_BYTES,  /* result<list<u8>, error> */
    /* result<list<u8>, string>: of handle-request; status OK or FAILED, and
     * bytes is the answer or the error's text */
    THEATER_TYPE_REPLY,
} theater_type_t;

/* One value; which member holds it is said at the type. */
typedef union theater_value {
    uint32_t u32;          /* BOOL, ENUM, U32 */
    uint64_t u64;          /* U64 */
    theater_bytes_t bytes; /* strings, bytes, their options and results */
    struct {
        const theater_bytes_t *items; /* borrowed with the value */
        size_t len;                   /* items */
    } list;                           /* lists of strings or of bytes */
    struct {
        const uint8_t *items; /* a theater_status_t each, OK for none */
        size_t len;           /* items */
    } codes;                  /* lists of options of errors */
} theater_value_t;

enum {
    THEATER_MAX_PARAMS = 3,
    THEATER_LEVELS = 5, /* words of `level`, the one ENUM that there is */
};

/* One call of a host function by an actor. */
typedef struct theater_call {
    theater_actor_t *actor; /* who calls */
    void *instance;         /* the handler's instance of that actor */
    /* Views of the guest's memory: valid while `begin` runs, not after. Of a
     * string that is longer than 1 MiB only so much is here, cut between two
     * characters. The strings of a list have 4 MiB in all at most; its lists
     * of bytes 16 MiB or what the guest's memory has. They may overlap. */
    theater_value_t args[THEATER_MAX_PARAMS];
    /* For results and options of errors: OK or what went wrong. */
    theater_status_t status;
    const char *message;    /* the error's text; NULL: the status's own text */
    theater_value_t result; /* valid until `release` */
    void *state;            /* the handler's own, from begin to release */
} theater_call_t;

/* A host function: written once; the engine marshals it for every encoding.
 * All callbacks: threads: the worker that runs the actor, on the guest's stack:
 * frames of 16 KiB in all at most, no recursion (64 KiB are left there, and no
 * guard is behind them). Blocks: never. */
typedef struct theater_host_function {
    const char *interface; /* "theater:actor/message-server@0.1.0" */
    const char *name;      /* "send" */
    theater_type_t params[THEATER_MAX_PARAMS]; /* NONE from the first unused */
    theater_type_t result;                     /* NONE: answers nothing */
    /* OK: `status` and `result` are set. PENDING: the actor is suspended and
     * `resume` is called each time it was woken (theater_actor_wake), at
     * least once after each wake. Only a function with `resume` may answer
     * PENDING. Any other status is a bug. */
    theater_status_t (*begin)(theater_call_t *call);
    /* OK: `status` and `result` are set. PENDING: goes on waiting. NULL when
     * the function never waits. */
    theater_status_t (*resume)(theater_call_t *call);
    /* The actor ends while the call waits: forget it. Then no release. */
    void (*cancel)(theater_call_t *call);
    /* The result was copied to the guest (or the actor ended before): frees
     * what it borrowed. May be NULL. */
    void (*release)(theater_call_t *call);
} theater_host_function_t;

/* A function that a guest may export and this handler calls. */
typedef struct theater_guest_export {
    const char *name;                          /* "handle-send" */
    theater_type_t params[THEATER_MAX_PARAMS]; /* NONE from the first unused */
    theater_type_t result;                     /* NONE, BOOL or REPLY */
} theater_guest_export_t;

/* One call of a guest export. */
typedef struct theater_delivery {
    unsigned export_index; /* in the handler's table of exports */
    /* Borrowed from the handler until `done`. */
    theater_value_t args[THEATER_MAX_PARAMS];
    void *token; /* the handler's own */
    /* Set before `done`: OK: the export returned and `result` holds what it
     * answered (REPLY: status FAILED and the text when it answered an error).
     * TRAPPED, LIMIT: the actor died in it. CLOSED: it never returned since
     * the actor was ended. */
    theater_status_t status;
    theater_value_t result; /* borrowed until `done` returns */
} theater_delivery_t;

/* Why an actor ends, as its handlers and its event are told. */
typedef struct theater_end {
    theater_status_t status; /* OK: by itself or asked to; else TRAPPED, ... */
    const char *reason;      /* a sentence; never NULL; borrowed */
    bool restart;            /* it will be started again: keep its name */
} theater_end_t;

/* What create_instance gets. Borrowed for the call, but for `actor`. */
typedef struct theater_instance_args {
    theater_actor_t *actor;           /* lives longer than the instance */
    const char *name;                 /* the actor's name */
    const theater_section_t *section; /* its part of the manifest; never NULL */
    uint64_t exports; /* bit i: the actor has the i-th export of the table */
    const theater_env_t *env; /* the runtime's */
    bool native; /* a C actor: it goes on while an answer is owed to it */
} theater_instance_args_t;

/* Whom an actor waits for. `self` and `target` are the handler's numbers for
 * actors, and of anyone outside; 0: nobody. */
typedef struct theater_waits {
    uint64_t self;     /* the actor's own number */
    uint64_t target;   /* of whom it waits for */
    const char *what;  /* "an answer"; static */
    uint64_t since_ns; /* in now_ns */
} theater_waits_t;

/* The table of a handler. Static; lives as long as its registration.
 * `prototype` is what was registered with it, `instance` is per actor.
 * Threads: create_instance, setup_host_functions, start, stop, destroy and
 * restart: one at a time for one actor, any thread; never while the actor
 * runs. next and done: the worker that runs the actor. advance: any worker,
 * also several at once. Blocks: none. */
typedef struct theater_handler_ops {
    size_t size;               /* sizeof(theater_handler_ops_t) */
    const theater_key_t *keys; /* of its part of the manifest */
    size_t keys_len;           /* entries in keys */
    const theater_host_function_t *functions; /* what it grants */
    size_t functions_len;                     /* entries in functions */
    const theater_guest_export_t *exports;    /* what it calls; 64 at most */
    size_t exports_len;                       /* entries in exports */
    /* Makes the instance of one actor. */
    theater_status_t (*create_instance)(void *prototype,
                                        const theater_instance_args_t *args,
                                        void **out_instance,
                                        theater_error_t *err);
    /* The actor is about to be instantiated: registers it with the outside
     * (the message-server handler: its name with the router). From here on
     * deliveries may collect. On failure nothing is left behind. */
    theater_status_t (*setup_host_functions)(void *instance,
                                             theater_error_t *err);
    /* The actor may get deliveries from now on. Once, also when the actor is
     * restarted later. May be NULL. */
    void (*start)(void *instance);
    /* The next delivery. OK or EMPTY. NULL: has none, ever. When EMPTY was
     * answered, what comes later is announced by theater_actor_wake. */
    theater_status_t (*next)(void *instance, theater_delivery_t *out);
    /* The delivery of the last `next` has ended. One done for each next. */
    void (*done)(void *instance, theater_delivery_t *delivery);
    /* The actor has failed and will be started again: end what was under way,
     * keep the name and what was not started. NULL: nothing to do. */
    void (*restart)(void *instance, const theater_end_t *end);
    /* The actor ends: no delivery any more; unregisters. Once. */
    void (*stop)(void *instance, const theater_end_t *end);
    /* Frees the instance; after stop, or after a failed set-up. */
    void (*destroy)(void *instance);
    /* When `advance` wants to be called, in now_ns of the environment, or
     * THEATER_NEVER. Threads: any. NULL: has no timers. */
    uint64_t (*next_deadline)(void *prototype);
    /* Does some of what is due, in few microseconds: actors wait meanwhile.
     * While next_deadline is not later, it is called again. */
    void (*advance)(void *prototype, uint64_t now_ns);
    /* Is something under way that may still cause a delivery: an answer owed
     * by someone outside, a timer that is wanted? Decides, with what the
     * runtime sees itself, when nothing can happen any more. NULL: as long as
     * next_deadline names a time. */
    bool (*busy)(void *prototype);
    /* The registry lets go of the prototype. NULL: nothing to do. */
    void (*release_prototype)(void *prototype);
    /* For reports: whom does the actor of that name wait for just now? False:
     * the handler does not know it. Calls nothing of the runtime. Threads: any.
     * NULL: nobody waits for anybody here. */
    bool (*waits)(void *prototype, const char *name, theater_waits_t *out);
} theater_handler_ops_t;

/* Makes the actor's worker ask its handlers for deliveries, and a waiting
 * host function for its result. Cheap when that is already due.
 * Threads: any, also inside `next` and host functions. Blocks: never. */
THEATER_API void theater_actor_wake(theater_actor_t *actor);

/* Wakes the actor at `deadline_ns` of the environment's now_ns; THEATER_NEVER:
 * not any more. For a host function that waits: there is one deadline per
 * actor, a later call replaces it, and who set it takes it back (NEVER) when
 * its wait is over. Threads: the worker that runs the actor (begin, resume,
 * cancel, next, done, deliver). Blocks: never. */
THEATER_API void theater_actor_wake_at(theater_actor_t *actor,
                                       uint64_t deadline_ns);

/* What the spawn, the system file or the manifest gave the actor as its
 * initial state; `data` is NULL when none did. Valid as long as the actor.
 * Threads: any. */
THEATER_API theater_bytes_t
theater_actor_initial_state(const theater_actor_t *actor);

/* The actor's name; valid as long as the actor. Threads: any. */
THEATER_API const char *theater_actor_name(const theater_actor_t *actor);

/* Asks the actor to stop when its running delivery has ended, including what
 * that waits for: what is queued is not waited for. When the delivery has not
 * ended 5 s later (theater_runtime_set_stop_grace) the actor is ended inside
 * it. `reason` is copied; the first
 * one counts. Threads: any. Blocks: never. */
THEATER_API void theater_actor_stop(theater_actor_t *actor, const char *reason);

/* Was the actor asked to stop? A host function that waits looks after each
 * wake, if it is one to be cut short then. Threads: any. Blocks: never. */
THEATER_API bool theater_actor_stopping(const theater_actor_t *actor);

/* Is the calling thread a worker of some runtime? Blocking calls are refused
 * there with WRONG_THREAD. Threads: any. */
THEATER_API bool theater_on_worker(void);

#ifdef __cplusplus
}
#endif

#endif
