/* SPDX-License-Identifier: Apache-2.0 */
/* Components beside core modules: the same grants, handlers, limits and
 * states, but calls go through the engine's values of the component model and
 * not through the guest's memory. A module (module.h) or guest (internal.h)
 * whose `component` is NULL is a core one. */
#ifndef TH_WASM_COMPONENT_H
#define TH_WASM_COMPONENT_H

#include "wasm/internal.h"

enum {
    /* What one component may have of each, all its core modules together: a
     * component of Python has a core module for each of its libraries. */
    TH_COMPONENT_INSTANCES = 512, /* and what instances_of of guest.c says */
    TH_COMPONENT_TABLES = 64,
    TH_COMPONENT_MEMORIES = 16,
    /* Of each interface, and of the component: the engine's C API finds the
     * nth by going over all before it. 20,000 took 9 seconds. */
    TH_COMPONENT_ITEMS = 1000,
    TH_MAX_POLLABLES = 4096,    /* clocks that a guest has not dropped */
    TH_SCRATCH_KEEP = 4096,     /* bytes that a guest keeps between calls */
    TH_COMPONENT_PARAMS = 8,    /* of a function of WASI */
    TH_MAX_RANDOM_BYTES = 65536 /* that one call may ask for */
};

typedef wasmtime_component_val_t th_val_t;

/* What all guests of a component share, beside struct th_module. */
struct th_component {
    wasmtime_component_linker_t *linker;
    /* Of exports: by entry, then `run` and `handle-stop`. */
    wasmtime_component_export_index_t *entries[TH_MAX_ENTRIES];
    wasmtime_component_export_index_t *run, *stop;
};

/* Bytes that are kept from call to call; see th_scratch. */
struct th_scratch {
    uint8_t *data;
    size_t capacity;
};

/* A linear memory of a component; all of them together have one limit. */
struct th_component_memory {
    struct th_linear linear;
    struct th_guest *guest;
};

/* The rest of a guest that is a component. */
struct th_component_guest {
    wasmtime_component_func_t entries[TH_MAX_ENTRIES];
    wasmtime_component_func_t run, stop;
    /* The call under way: its arguments until it has begun, its result. */
    th_val_t args[THEATER_MAX_PARAMS];
    th_val_t result;
    struct th_scratch out; /* items of the arguments */
    struct th_scratch in;  /* bytes of what a guest passes or answers */
    /* The host function that waits: where its result goes. */
    th_val_t *answer;
    bool answered;
    /* WASI: see wasi_p2.c */
    const struct th_wasi2_function *wasi; /* that waits; NULL: a handler's */
    uint64_t *clocks;                     /* deadlines of pollables; 0: free */
    uint32_t clocks_len, clocks_free;
    uint32_t *polled; /* of the poll under way: pollables, in order */
    size_t polled_len;
    /* Memories, and how many of them there are. */
    size_t memories_len;
    struct th_component_memory memories[TH_COMPONENT_MEMORIES];
};

/* --- component.c, component_type.c --------------------------------------- */
/* Fills a module from its compiled code: checks, links. */
theater_status_t th_component_fill(struct th_module *module,
                                   theater_error_t *err);
void th_component_fini(struct th_module *module);
void th_component_export_names(const struct th_module *module,
                               void (*each)(void *user, const char *name,
                                            size_t len),
                               void *user);
/* Is it the type of the WIT that `type` stands for? NULL `actual`: none. */
bool th_component_type_is(theater_type_t type,
                          const wasmtime_component_valtype_t *actual);
bool th_component_func_is(const theater_type_t *params, theater_type_t result,
                          const wasmtime_component_func_type_t *actual);
/* Can it be imported without harm: are its values neither too deep nor too
 * wide? `io_nodes`: types seen in all functions of the component. */
bool th_component_func_fits(const wasmtime_component_func_type_t *func,
                            unsigned *io_nodes);
/* "func(string, list<u8>) -> bool" */
void th_component_func_show(const theater_type_t *params, theater_type_t result,
                            char *out, size_t size);

/* --- component_guest.c: a guest's life ----------------------------------- */
theater_status_t th_component_make(struct th_guest *guest,
                                   theater_error_t *err);
void th_component_drop(struct th_guest *guest);
enum th_guest_state th_component_enter(struct th_guest *guest,
                                       enum th_guest_entry entry,
                                       const char *stop_reason,
                                       theater_error_t *err);
uint64_t th_component_memory_bytes(const struct th_guest *guest);
wasmtime_error_t *th_component_memory_new(struct th_guest *guest,
                                          size_t minimum, bool reserved,
                                          wasmtime_linear_memory_t *out);

/* --- component_call.c: host functions ------------------------------------ */
wasmtime_error_t *
th_component_link_fn(struct th_import *import,
                     wasmtime_component_linker_instance_t *to);
/* The guest's call has to wait, from here on: sets up the continuation that
 * asks again whenever the guest is entered. */
void th_component_wait(struct th_guest *guest, th_val_t *answer,
                       wasmtime_async_continuation_t *out);
/* For a call that was answered at once. */
void th_component_no_wait(wasmtime_async_continuation_t *out);
/* An error that carries a reason of ours, as th_trap. */
wasmtime_error_t *th_component_fault(struct th_guest *guest,
                                     theater_status_t status,
                                     const char *format, ...)
    __attribute__((cold, format(printf, 3, 4)));

/* --- component_value.c: values ------------------------------------------- */
/* At least `size` bytes, with nothing in them; NULL: out of memory. */
uint8_t *th_scratch(struct th_guest *guest, struct th_scratch *scratch,
                    size_t size);
/* Gives back what is large. */
void th_scratch_trim(struct th_guest *guest, struct th_scratch *scratch);

th_val_t th_val_bool(bool value);
th_val_t th_val_u32(uint32_t value);
th_val_t th_val_u64(uint64_t value);
th_val_t th_val_string(theater_bytes_t text);
th_val_t th_val_enum(const char *name);
th_val_t th_val_bytes(theater_bytes_t bytes);
/* Of `len` values, which are to be set. */
th_val_t th_val_list(size_t len);
th_val_t th_val_none(void);
th_val_t th_val_some(th_val_t value);
th_val_t th_val_ok(void);
th_val_t th_val_ok_of(th_val_t value);
th_val_t th_val_err_of(th_val_t value);
th_val_t th_val_variant(const char *name);
th_val_t th_val_variant_of(const char *name, th_val_t value);
/* A record of two fields. */
th_val_t th_val_record2(const char *a, th_val_t a_value, const char *b,
                        th_val_t b_value);

/* The arguments of a handler's function as views, until the next call of
 * th_scratch; NULL or a fault. */
wasmtime_error_t *th_component_lift(struct th_guest *guest,
                                    const struct th_import *import,
                                    const th_val_t *args, size_t len);
/* The result of guest->call. */
th_val_t th_component_lower(const struct th_import *import,
                            const theater_call_t *call);
/* The arguments of a delivery; false: out of memory. */
bool th_component_args(struct th_guest *guest, const theater_type_t *params,
                       const theater_value_t *values, size_t *out_len);
/* What the export answered, into guest->delivery, which ends. */
wasmtime_error_t *th_component_answer(struct th_guest *guest);

/* --- wasi_p2*.c ---------------------------------------------------------- */
typedef wasmtime_error_t *(*th_wasi2_call_t)(struct th_guest *guest,
                                             th_val_t *args, size_t len,
                                             th_val_t *result);
struct th_wasi2_function {
    const char *interface; /* "wasi:io/streams" */
    const char *name;      /* as the WIT's, resources in brackets */
    const char *params;    /* a letter each; see wasi_p2.c */
    th_wasi2_call_t call;
    bool waits; /* `call` may set guest->poll.wake_ns and leave the result */
};
/* Is the interface one of WASI 0.2? Whatever of it is not served traps. */
bool th_wasi2_is(const char *interface);
const struct th_wasi2_function *th_wasi2_find(const char *interface,
                                              const char *name);
/* The number of the host's resource type; 0: none of ours. */
uint32_t th_wasi2_resource(const char *interface, const char *name);
wasmtime_error_t *th_wasi2_link(struct th_import *import,
                                wasmtime_component_linker_instance_t *to);
wasmtime_error_t *
th_wasi2_link_resource(wasmtime_component_linker_instance_t *to,
                       const char *name, uint32_t number);
/* Is what the poll waits for there? Sets the result then. */
bool th_wasi2_resume(struct th_guest *guest);

#endif
