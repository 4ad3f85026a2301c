/* SPDX-License-Identifier: Apache-2.0 */
/* Design notes
 *
 * The life of a guest that is a component. It has the states of a core guest
 * and the same hooks, limits and stack, but no loop module: an activation is a
 * loop here, one engine call for each delivery, since the engine's values of
 * the component model cannot be handed over inside of one call. So nothing is
 * parked between two deliveries, and an idle component keeps no stack.
 *
 * A component may have several linear memories (a main module, what wraps it,
 * libraries). Each has a slot of its own; the limit is for all together. */
#include "wasm/component.h"

/* --- Memories ------------------------------------------------------------ */

uint64_t th_component_memory_bytes(const struct th_guest *guest)
{
    uint64_t bytes = 0;
    for (size_t i = 0; i < guest->component->memories_len; i++) {
        bytes += guest->component->memories[i].linear.size;
    }
    return bytes;
}

static uint8_t *memory_get(void *env, size_t *out_size, size_t *out_capacity)
{
    const struct th_component_memory *memory = env;
    *out_size = (size_t)memory->linear.size;
    *out_capacity = (size_t)th_linear_capacity(&memory->linear);
    return memory->linear.base;
}

static wasmtime_error_t *memory_grow(void *env, size_t size)
{
    struct th_component_memory *memory = env;
    struct th_guest *guest = memory->guest;
    uint64_t others = th_component_memory_bytes(guest) - memory->linear.size;
    if (others + size > guest->memory.limit ||
        th_linear_grow(&memory->linear, size) != THEATER_OK) {
        guest->memory_refused = true;
        return wasmtime_error_new("memory limit"); /* memory.grow says -1 */
    }
    return NULL;
}

static void memory_free(void *env)
{
    struct th_component_memory *memory = env;
    th_linear_fini(&memory->linear);
}

static wasmtime_error_t *no_memory(struct th_guest *guest,
                                   theater_status_t status, size_t minimum)
{
    return th_component_fault(
        guest, status,
        status == THEATER_LIMIT
            ? "memory: the component wants %llu KiB at once, the limit is "
              "%llu KiB"
            : "no memory of %llu KiB is to be had (limit %llu KiB)",
        (unsigned long long)minimum / 1024,
        (unsigned long long)guest->memory.limit / 1024);
}

wasmtime_error_t *th_component_memory_new(struct th_guest *guest,
                                          size_t minimum, bool reserved,
                                          wasmtime_linear_memory_t *out)
{
    struct th_component_guest *component = guest->component;
    uint64_t others = th_component_memory_bytes(guest);
    theater_status_t status = THEATER_LIMIT;
    if (component->memories_len == TH_COMPONENT_MEMORIES) {
        return wasmtime_error_new("too many memories");
    }
    struct th_component_memory *memory =
        &component->memories[component->memories_len];
    memory->guest = guest;
    memory->linear.limit = guest->memory.limit;
    memory->linear.reserved = reserved;
    if (others + minimum <= guest->memory.limit) {
        status = th_linear_init(&memory->linear, guest->engine->slabs, minimum);
    }
    if (status != THEATER_OK) {
        return no_memory(guest, status, others + minimum);
    }
    component->memories_len++;
    *out = (wasmtime_linear_memory_t){memory, memory_get, memory_grow,
                                      memory_free};
    return NULL;
}

/* --- Made and ended ------------------------------------------------------ */

static theater_status_t
get_function(struct th_guest *guest, const wasmtime_component_instance_t *from,
             const wasmtime_component_export_index_t *at,
             wasmtime_component_func_t *out, theater_error_t *err)
{
    if (at == NULL ||
        wasmtime_component_instance_get_func(from, guest->context, at, out)) {
        return THEATER_OK;
    }
    return th_error(err, THEATER_BUG, guest->module->path,
                    "an export is not there");
}

theater_status_t th_component_make(struct th_guest *guest, theater_error_t *err)
{
    const struct th_module *module = guest->module;
    const struct th_component *shared = module->component;
    struct th_component_guest *component = guest->component;
    wasmtime_component_instance_t instance;
    theater_status_t status = th_guest_complete(
        guest,
        wasmtime_component_linker_instantiate_async(
            shared->linker, guest->context, module->guest->component, &instance,
            &guest->error),
        err);
    for (size_t i = 0; status == THEATER_OK && i < module->entries_len; i++) {
        status = get_function(guest, &instance, shared->entries[i],
                              &component->entries[i], err);
    }
    if (status == THEATER_OK) {
        status =
            get_function(guest, &instance, shared->run, &component->run, err);
    }
    if (status == THEATER_OK) {
        status =
            get_function(guest, &instance, shared->stop, &component->stop, err);
    }
    return status;
}

void th_component_drop(struct th_guest *guest)
{
    struct th_component_guest *component = guest->component;
    const theater_env_t *env = guest->engine->env;
    if (component == NULL) {
        return;
    }
    wasmtime_component_val_delete(&component->result);
    th_free(env, component->out.data);
    th_free(env, component->in.data);
    th_free(env, component->clocks);
    th_free(env, component->polled);
    th_free(env, component);
}

/* --- Activations --------------------------------------------------------- */

static bool begin_call(struct th_guest *guest,
                       const wasmtime_component_func_t *func,
                       const theater_type_t *params,
                       const theater_value_t *values, bool answers)
{
    struct th_component_guest *component = guest->component;
    size_t len = 0;
    if (!th_component_args(guest, params, values, &len)) {
        wasm_trap_delete(th_trap(guest, THEATER_OUT_OF_MEMORY,
                                 "no memory for what it is given"));
        return false;
    }
    guest->future = wasmtime_component_func_call_async(
        func, guest->context, component->args, len, &component->result,
        answers ? 1 : 0, &guest->error);
    return true;
}

/* Begins the next call of this activation; false: there is none, or the guest
 * has a reason to die. */
static bool next_delivery(struct th_guest *guest)
{
    theater_delivery_t *delivery = th_deliver_next(guest);
    if (delivery == NULL) {
        return false;
    }
    guest->phase = TH_PHASE_DELIVERY;
    guest->memory_refused = false;
    th_limits_begin(guest, guest->delivery_limit);
    const struct th_entry *entry = guest->entry;
    return begin_call(guest, &guest->component->entries[entry->index],
                      entry->type->params, delivery->args,
                      entry->type->result != THEATER_TYPE_NONE);
}

static bool begin_entry(struct th_guest *guest, enum th_guest_entry entry,
                        const char *stop_reason)
{
    static const theater_type_t none[THEATER_MAX_PARAMS];
    static const theater_type_t text[THEATER_MAX_PARAMS] = {
        THEATER_TYPE_STRING};
    const struct th_module *module = guest->module;
    if (entry == TH_ENTER_RUN && module->has_run) {
        guest->phase = TH_PHASE_RUN;
        th_limits_begin(guest, guest->run_limit);
        return begin_call(guest, &guest->component->run, none, NULL, false);
    }
    if (entry != TH_ENTER_STOP) {
        return next_delivery(guest);
    }
    guest->phase = TH_PHASE_STOP;
    th_limits_begin(guest, guest->delivery_limit);
    theater_value_t reason = {
        .bytes = {(const uint8_t *)stop_reason,
                  stop_reason != NULL ? strlen(stop_reason) : 0}};
    return module->has_stop &&
           begin_call(guest, &guest->component->stop, text, &reason, false);
}

static bool is_dying(const struct th_guest *guest)
{
    return guest->error != NULL || guest->why_status != THEATER_OK ||
           guest->exited;
}

/* The call has ended well: what it answered. */
static void finish(struct th_guest *guest)
{
    struct th_component_guest *component = guest->component;
    if (guest->delivery != NULL) {
        wasmtime_error_t *error = th_component_answer(guest);
        if (error != NULL) {
            wasmtime_error_delete(error); /* the reason is in the guest */
        }
    }
    wasmtime_component_val_delete(&component->result);
    component->result = th_val_bool(false);
}

/* After a call: may another begin in this activation? */
static bool goes_on(struct th_guest *guest)
{
    if (guest->phase == TH_PHASE_STOP) {
        return false;
    }
    if (--guest->until_ask == 0) {
        guest->until_ask = TH_ASK_EVERY;
        guest->slice_over = guest->hooks->should_yield(guest->ctx);
    }
    return !guest->slice_over && next_delivery(guest);
}

enum th_guest_state th_component_enter(struct th_guest *guest,
                                       enum th_guest_entry entry,
                                       const char *stop_reason,
                                       theater_error_t *err)
{
    bool fresh = guest->future == NULL;
    bool begun = true;
    guest->slice_over = false;
    if (fresh) {
        guest->until_ask = TH_ASK_EVERY;
        begun = begin_entry(guest, entry, stop_reason);
    } else {
        guest->reentered = true;
        guest->last = th_limits_clock(guest);
    }
    while (begun) {
        bool ended = th_guest_run(guest, fresh);
        /* The engine has its own copy by now. */
        th_scratch_trim(guest, &guest->component->out);
        if (!ended) {
            return th_guest_state(guest);
        }
        if (is_dying(guest)) {
            break;
        }
        finish(guest);
        fresh = true;
        begun = !is_dying(guest) && goes_on(guest);
    }
    if (is_dying(guest)) {
        return th_guest_die(guest, err);
    }
    return guest->slice_over ? TH_GUEST_YIELDED : TH_GUEST_IDLE;
}
