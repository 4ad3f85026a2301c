/* SPDX-License-Identifier: Apache-2.0 */
/* What the files of this folder share: engine and guests behind engine.h. */
#ifndef TH_WASM_INTERNAL_H
#define TH_WASM_INTERNAL_H

#include "base/points.h"
#include "wasm/engine.h"
#include "wasm/module.h"
#include "wasm/slab.h"
#include "wasm/ticker.h"

#include <wasmtime.h>

enum {
    TH_WASM_PAGE = 65536,
    TH_FUEL_SLICE = 100000, /* simulation: fuel between two questions */
    TH_ASK_EVERY = 64,      /* deliveries between two should_yield */
    TH_MAX_IMPORTS = 1000,  /* of a core module; a component's: its own */
    TH_MAX_LIST = 65536,    /* items in a list that a guest passes */
    /* What one call may make the host look at, however its items overlap: */
    TH_MAX_TEXT = 1 << 20,        /* bytes of a string; the rest is cut */
    TH_MAX_LIST_TEXT = 4 << 20,   /* bytes of the strings of a list */
    TH_MAX_LIST_BYTES = 16 << 20, /* the same of bytes, if memory is smaller */
    TH_LINE_BYTES = 8192,         /* of one line that a guest writes */
};

/* Stacks without guards hold TH_SMALL_STACK bytes. Wasm may be on one twice,
 * with its whole share each time: the engine calls a component's cabi_realloc
 * for what a host function answers, below the guest that called it. Host
 * functions have the rest, 128 KiB. Untouched pages cost nothing. */
#ifdef TH_SANITIZE_ADDRESS
enum { TH_SMALL_STACK = 512 * 1024, TH_SMALL_WASM = 64 * 1024 };
#else
enum { TH_SMALL_STACK = 256 * 1024, TH_SMALL_WASM = 64 * 1024 };
#endif
enum { TH_LARGE_STACK = 16 * 1024 * 1024, TH_LARGE_WASM = 6 * 1024 * 1024 };

/* --- The engine (engine.c) ---------------------------------------------- */
struct th_engine {
    const theater_env_t *env;
    bool fuel;
    char *cache_dir; /* NULL: nothing is kept on disk */
    void (*notice)(void *user, const char *text);
    bool (*computes)(void *user); /* may be NULL */
    void *user;
    _Atomic(wasm_engine_t *) wasm[2]; /* by enum th_stack; made at first use */
    struct th_slabs *slabs;
    struct th_ticker ticker;
    struct th_lock lock;       /* slow paths: loading, first use */
    struct th_code *codes;     /* guarded by lock */
    struct th_module *modules; /* guarded by lock */
};
theater_status_t th_engine_get(struct th_engine *engine, enum th_stack stack,
                               wasm_engine_t **out, theater_error_t *err);
void th_engine_notice(struct th_engine *engine, const char *format, ...)
    __attribute__((format(printf, 2, 3)));

/* --- Guests (guest.c, enter.c, limits.c) -------------------------------- */
enum th_phase {
    TH_PHASE_INIT,     /* start function, _initialize: nothing may wait */
    TH_PHASE_RUN,      /* `run` */
    TH_PHASE_DELIVERY, /* a handler */
    TH_PHASE_STOP,     /* `handle-stop` */
};

/* Why a guest has parked: it was suspended by our own doing. */
enum th_pause {
    TH_PAUSE_NONE, /* it did not; else its slice or its fuel was over */
    TH_PAUSE_IDLE, /* in the loop, between two deliveries */
    TH_PAUSE_WAIT, /* in a host function that waits */
};

/* Calls that end when no delivery is left; later ones park, which is faster
 * and keeps their stack. */
enum { TH_ROUNDS = 4 };

/* A value on its way into the guest: what is still to be allocated. */
struct th_lowering {
    uint32_t at;                  /* where pointer and length go */
    uint32_t list;                /* where the list's items are */
    const theater_bytes_t *items; /* strings of a list */
    theater_bytes_t bytes;        /* one string, or the list's own bytes */
    size_t len, next;             /* items, and the one that is next */
    uint8_t kind;                 /* see lower.c; 0: nothing is written yet */
};

/* A call of WASI's poll_oneoff that waits: addresses in the guest. */
struct th_poll {
    uint32_t in, out, count, count_out;
    uint64_t start_ns, wake_ns; /* of now_ns */
};

struct th_line {
    uint32_t len;
    uint8_t bytes[TH_LINE_BYTES];
};

struct th_component_guest;

struct th_guest {
    /* What a host function and a delivery touch. */
    struct th_linear memory; /* base and size are its first members */
    const char *barred;      /* why no import may be called; NULL: may */
    const struct th_guest_hooks *hooks;
    void *ctx;
    struct th_module *module;
    theater_delivery_t *delivery; /* under way; NULL: none */
    const struct th_entry *entry; /* of the delivery */
    size_t delivery_grant;
    uint32_t arena;      /* see th_guest_room; 0: none */
    uint32_t until_ask;  /* deliveries until should_yield is asked */
    uint8_t phase;       /* enum th_phase */
    uint8_t pause;       /* enum th_pause; NONE when it is entered */
    uint8_t entries;     /* modulo 256 */
    uint8_t rounds;      /* calls that have ended, up to TH_ROUNDS */
    bool parks;          /* it is about to, at the next look at the epoch */
    bool parked;         /* suspended in the loop: inside of no call */
    bool slice_over;     /* between deliveries */
    bool waiting;        /* a host function waits: `begin` said so */
    bool resumed;        /* and `resume` was asked, or could be, since */
    bool reentered;      /* entered again since `begin` was last called */
    bool calling;        /* `call` holds a result that is to be released */
    bool may_allocate;   /* the guest's cabi_realloc is known */
    bool memory_refused; /* its memory limit was met */
    bool exited, dead;
    uint64_t used, last, limit;     /* ticks, or fuel, of computing */
    const struct th_import *import; /* of `call` */
    theater_call_t call;
    struct th_lowering lowering;
    /* The rest. */
    struct th_component_guest *component; /* NULL: a core module */
    struct th_engine *engine;
    wasmtime_store_t *store;
    wasmtime_context_t *context;
    struct th_stack_slot *stack;    /* NULL: none yet, or a large one */
    wasmtime_call_future_t *future; /* the call that is suspended, or runs */
    wasm_trap_t *trap;
    wasmtime_error_t *error;
    wasmtime_func_t loop, run, stop; /* of the loop module */
    theater_bytes_t stop_reason;
    uint64_t delivery_limit, run_limit; /* ticks, or fuel */
    uint64_t delivery_ns, run_ns, start_ns;
    struct th_poll poll;   /* WASI: poll_oneoff under way */
    theater_bytes_t *list; /* views of a list argument, or NULL */
    char *why;             /* the reason of our own trap, or NULL */
    theater_status_t why_status;
    int32_t exit_status;
    struct th_line *line[2]; /* what was written to stdout, stderr so far */
    void *instances[];       /* per grant */
};

/* The guest that this thread is in; set by whoever enters one. Host functions
 * read it once: they never run across a suspension. */
extern _Thread_local struct th_guest *th_guest_current;

enum { TH_WHY_BYTES = 320 };
/* A trap with a reason. `format` NULL: the reason is there already. */
wasm_trap_t *th_trap(struct th_guest *guest, theater_status_t status,
                     const char *format, ...)
    __attribute__((cold, format(printf, 3, 4)));
/* Writes why the guest ended into err, and answers the status. Frees what the
 * engine gave (guest->trap, guest->error). */
theater_status_t th_guest_reason(struct th_guest *guest, theater_error_t *err);
/* Wasmtime's error as ours; frees it. */
theater_status_t th_error_take(wasmtime_error_t *error, theater_status_t status,
                               const char *origin, const char *what,
                               theater_error_t *err);

/* Polls a call of the engine to its end, within start_ns. */
theater_status_t th_guest_complete(struct th_guest *guest,
                                   wasmtime_call_future_t *future,
                                   theater_error_t *err);
/* Enters the guest's call, which is `fresh` or goes on; true: it has ended. */
bool th_guest_run(struct th_guest *guest, bool fresh);
/* What it is in, when its call has not ended. */
enum th_guest_state th_guest_state(const struct th_guest *guest);
enum th_guest_state th_guest_die(struct th_guest *guest, theater_error_t *err);

/* limits.c */
void th_limits_init(struct th_guest *guest);
wasmtime_error_t *th_limits_tick(wasmtime_context_t *context, void *data,
                                 uint64_t *out_delta,
                                 wasmtime_update_deadline_kind_t *out_kind);
uint64_t th_limits_clock(const struct th_guest *guest);
uint64_t th_limits_units(const struct th_guest *guest, uint64_t ns);
bool th_limits_spent(struct th_guest *guest);
const char *th_limits_name(const struct th_guest *guest);
void th_limits_broken(struct th_guest *guest);
static inline void th_limits_begin(struct th_guest *guest, uint64_t limit)
{
    guest->used = 0;
    guest->limit = limit;
    guest->last = TH_UNLIKELY(guest->engine->fuel)
                      ? th_limits_clock(guest)
                      : th_ticker_now(&guest->engine->ticker);
}

/* The guest is about to park: it gives way at its next look at the epoch. */
static inline void th_guest_park(struct th_guest *guest, enum th_pause why)
{
    guest->pause = (uint8_t)why;
    guest->parks = true;
    wasmtime_context_set_epoch_deadline(guest->context, 0);
}

/* calls.c, wait.c, lower.c: host functions. deliver.c: deliveries. */
wasmtime_func_unchecked_callback_t
th_call_begin(const theater_host_function_t *fn);
wasm_trap_t *th_call_wait(void *env, wasmtime_caller_t *caller,
                          wasmtime_val_raw_t *v, size_t len);
wasm_trap_t *th_call_lower(void *env, wasmtime_caller_t *caller,
                           wasmtime_val_raw_t *v, size_t len);
wasm_trap_t *th_call_flat32(void *env, wasmtime_caller_t *caller,
                            wasmtime_val_raw_t *v, size_t len);
wasm_trap_t *th_call_flat64(void *env, wasmtime_caller_t *caller,
                            wasmtime_val_raw_t *v, size_t len);
/* The trap of a call while guest->barred is set. */
wasm_trap_t *th_barred(struct th_guest *guest, const struct th_import *import);
/* Where a text of more than TH_MAX_TEXT bytes is cut: at a character's end. */
uint32_t th_cut_text(const uint8_t *data);
void th_call_end(struct th_guest *guest); /* release, once */
/* The guest ends: cancels the call that waits, or releases its result. */
void th_call_drop(struct th_guest *guest);
/* Begins to write the result of guest->call. 0: it is all there; else 2. -1:
 * a trap was made. */
int th_lower_begin(struct th_guest *guest, uint32_t at);

wasm_trap_t *th_deliver_recv(void *env, wasmtime_caller_t *caller,
                             wasmtime_val_raw_t *v, size_t len);
wasm_trap_t *th_deliver_take(void *env, wasmtime_caller_t *caller,
                             wasmtime_val_raw_t *v, size_t len);
wasm_trap_t *th_deliver_arena(void *env, wasmtime_caller_t *caller,
                              wasmtime_val_raw_t *v, size_t len);
wasm_trap_t *th_deliver_result(void *env, wasmtime_caller_t *caller,
                               wasmtime_val_raw_t *v, size_t len);
wasm_trap_t *th_deliver_stop(void *env, wasmtime_caller_t *caller,
                             wasmtime_val_raw_t *v, size_t len);
wasm_trap_t *th_deliver_stopped(void *env, wasmtime_caller_t *caller,
                                wasmtime_val_raw_t *v, size_t len);
void th_deliver_end(struct th_guest *guest, theater_status_t status);
/* The next delivery that the module has an export for, or NULL. */
theater_delivery_t *th_deliver_next(struct th_guest *guest);

/* --- WASI (wasi_p1.c, wasi_poll.c) -------------------------------------- */
struct th_wasi_function {
    const char *name;
    const char *params; /* a letter each: i = i32, l = i64; result i32 */
    wasmtime_func_unchecked_callback_t call; /* NULL: answers `errno` */
    uint16_t error; /* what it answers when there is no call */
    bool waits;     /* it answers 1 when it waits: see wait.c */
};
const struct th_wasi_function *th_wasi_find(const char *module, size_t len,
                                            const char *name, size_t name_len);
wasm_trap_t *th_wasi_poll(void *env, wasmtime_caller_t *caller,
                          wasmtime_val_raw_t *v, size_t len);
bool th_wasi_poll_resume(struct th_guest *guest);
void th_wasi_flush(struct th_guest *guest);
/* What the guest writes to stdout (0) or stderr (1). False: no memory. */
bool th_wasi_output(struct th_guest *guest, unsigned which, const uint8_t *data,
                    uint32_t len);

#include "wasm/memory.h"

#endif
