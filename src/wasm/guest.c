/* SPDX-License-Identifier: Apache-2.0 */
/* Design notes
 *
 * A guest is a store with up to three instances: the imports module, the
 * guest itself, the loop module, made in this order, since each is given what
 * the one before exports. All of them are made with the engine's async calls,
 * which run start functions and data segments on the guest's own stack, and
 * are polled here to their end: while a guest is made nothing may wait.
 *
 * Deleting: a host function that waits is cancelled first, then the suspended
 * call is dropped (the engine unwinds it), then the store goes, and with it
 * memory and stack return to their slabs. */
#include "wasm/component.h"

enum {
    MAX_TABLES = 4,
    MAX_INSTANCES = 4,
    TABLE_ELEMENTS = 10000,
    /* What instances may take beside memories and tables, if the memory's
     * limit is lower: all actors have something there. */
    STATE_BYTES = 16 << 20
};

static theater_status_t failed(struct th_guest *guest, theater_error_t *err)
{
    guest->dead = true;
    theater_status_t status = th_guest_reason(guest, err);
    if (status == THEATER_OK) {
        /* One that exits while it is made has not become an actor. */
        status = THEATER_TRAPPED;
        if (err != NULL) {
            err->status = status;
        }
    }
    return status;
}

theater_status_t th_guest_complete(struct th_guest *guest,
                                   wasmtime_call_future_t *future,
                                   theater_error_t *err)
{
    bool broken = false;
    while (!wasmtime_call_future_poll(future)) {
        /* Only fuel makes it give way here; see th_limits_tick. */
        if (th_limits_spent(guest)) {
            th_limits_broken(guest);
            broken = true;
            break;
        }
    }
    wasmtime_call_future_delete(future);
    if (broken || guest->trap != NULL || guest->error != NULL) {
        return failed(guest, err);
    }
    return THEATER_OK;
}

static theater_status_t instantiate(struct th_guest *guest,
                                    wasmtime_linker_t *linker,
                                    const struct th_code *code,
                                    wasmtime_instance_t *out,
                                    theater_error_t *err)
{
    return th_guest_complete(
        guest,
        wasmtime_linker_instantiate_async(linker, guest->context, code->module,
                                          out, &guest->trap, &guest->error),
        err);
}

/* Defines `from` of an instance as `module` `name` for the next one. */
static theater_status_t pass(struct th_guest *guest, wasmtime_linker_t *linker,
                             const wasmtime_instance_t *instance,
                             const char *from, const char *module,
                             const char *name, theater_error_t *err)
{
    wasmtime_extern_t item;
    if (!wasmtime_instance_export_get(guest->context, instance, from,
                                      strlen(from), &item)) {
        return th_error(err, THEATER_BUG, guest->module->path, "no export `%s`",
                        from);
    }
    wasmtime_error_t *error =
        wasmtime_linker_define(linker, guest->context, module, strlen(module),
                               name, strlen(name), &item);
    if (error != NULL) {
        return th_error_take(error, THEATER_BUG, guest->module->path, "", err);
    }
    return THEATER_OK;
}

static theater_status_t make_imports(struct th_guest *guest,
                                     wasmtime_linker_t *linker,
                                     wasmtime_instance_t *out,
                                     theater_error_t *err)
{
    const struct th_module *module = guest->module;
    theater_status_t status =
        th_guest_complete(guest,
                          wasmtime_instance_pre_instantiate_async(
                              module->imports_pre, guest->context, out,
                              &guest->trap, &guest->error),
                          err);
    for (size_t i = 0; status == THEATER_OK && i < module->imports_len; i++) {
        const struct th_import *import = &module->imports[i];
        char name[8] = {0};
        size_t digits = 0;
        for (size_t rest = i; digits == 0 || rest > 0; rest /= 10) {
            memmove(name + 1, name, digits);
            name[0] = (char)('0' + rest % 10);
            digits++;
        }
        if (import->wrapped) {
            status = pass(guest, linker, out, name, import->module,
                          import->name, err);
        }
    }
    return status;
}

static theater_status_t pass_exports(struct th_guest *guest,
                                     wasmtime_linker_t *linker,
                                     const wasmtime_instance_t *instance,
                                     theater_error_t *err)
{
    const struct th_module *module = guest->module;
    const struct {
        const char *name;
        bool has;
    } own[] = {
        {"cabi_realloc", module->has_realloc},
        {"theater_arena", module->has_arena},
        {"run", module->has_run},
        {"_start", module->has_start && !module->has_run},
        {"handle-stop", module->has_stop},
    };
    theater_status_t status = THEATER_OK;
    for (size_t i = 0; i < sizeof own / sizeof *own; i++) {
        if (status == THEATER_OK && own[i].has) {
            status = pass(guest, linker, instance, own[i].name, "g",
                          own[i].name, err);
        }
    }
    for (size_t e = 0; status == THEATER_OK && e < module->entries_len; e++) {
        const char *name = module->entries[e].type->name;
        char post[160] = "cabi_post_";
        status = pass(guest, linker, instance, name, "g", name, err);
        if (status == THEATER_OK && module->entries[e].has_post) {
            strncat(post, name, sizeof post - 12);
            status = pass(guest, linker, instance, post, "g", post, err);
        }
    }
    return status;
}

static bool get_func(struct th_guest *guest, const wasmtime_instance_t *from,
                     const char *name, wasmtime_func_t *out)
{
    wasmtime_extern_t item;
    bool has = wasmtime_instance_export_get(guest->context, from, name,
                                            strlen(name), &item);
    if (has) {
        *out = item.of.func;
    }
    return has;
}

static theater_status_t initialize(struct th_guest *guest,
                                   const wasmtime_instance_t *instance,
                                   theater_error_t *err)
{
    wasmtime_func_t func;
    if (!guest->module->has_initialize ||
        !get_func(guest, instance, "_initialize", &func)) {
        return THEATER_OK;
    }
    return th_guest_complete(
        guest,
        wasmtime_func_call_async(guest->context, &func, NULL, 0, NULL, 0,
                                 &guest->trap, &guest->error),
        err);
}

/* All instances, with th_guest_current set. */
static theater_status_t make(struct th_guest *guest, theater_error_t *err)
{
    const struct th_module *module = guest->module;
    wasmtime_linker_t *linker = th_module_take_linker(guest->module);
    wasmtime_instance_t imports, instance, loop;
    theater_status_t status = THEATER_OK;
    if (module->imports_code != NULL) {
        status = make_imports(guest, linker, &imports, err);
    }
    if (status == THEATER_OK) {
        status = instantiate(guest, linker, module->guest, &instance, err);
    }
    if (status == THEATER_OK && module->loop_code != NULL) {
        status = pass_exports(guest, linker, &instance, err);
        if (status == THEATER_OK && th_module_ties(module)) {
            status = pass(guest, linker, &imports, "t", "i", "t", err);
        }
        if (status == THEATER_OK) {
            status = instantiate(guest, linker, module->loop_code, &loop, err);
        }
        guest->may_allocate = status == THEATER_OK;
    }
    th_module_give_linker(guest->module, linker);
    if (status == THEATER_OK && module->loop_code != NULL) {
        (void)get_func(guest, &loop, "loop", &guest->loop);
        (void)get_func(guest, &loop, "run", &guest->run);
        (void)get_func(guest, &loop, "stop", &guest->stop);
    }
    return status == THEATER_OK ? initialize(guest, &instance, err) : status;
}

/* How many instances of the largest core module may have their state (see
 * state.c) within a bound; 0: not one. */
static uint32_t instances_of(const struct th_guest *guest)
{
    uint64_t most =
        guest->memory.limit > STATE_BYTES ? guest->memory.limit : STATE_BYTES;
    uint64_t each = guest->module->state_bytes;
    uint64_t fit = each == 0 ? TH_COMPONENT_INSTANCES : most / each;
    return fit < TH_COMPONENT_INSTANCES ? (uint32_t)fit
                                        : TH_COMPONENT_INSTANCES;
}

static theater_status_t limit_store(struct th_guest *guest,
                                    const struct th_guest_options *options,
                                    theater_error_t *err)
{
    uint32_t instances = instances_of(guest);
    if (instances == 0) {
        return th_error(err, THEATER_LIMIT, guest->module->path,
                        "memory: an instance has %llu KiB of globals, "
                        "functions and elements, more than the limit of its "
                        "memory and more than %d KiB",
                        (unsigned long long)guest->module->state_bytes / 1024,
                        STATE_BYTES / 1024);
    }
    uint32_t elements =
        options->table_elements != 0 ? options->table_elements : TABLE_ELEMENTS;
    if (guest->component != NULL) {
        wasmtime_store_limiter(guest->store, -1, elements, instances,
                               TH_COMPONENT_TABLES, TH_COMPONENT_MEMORIES);
    } else {
        wasmtime_store_limiter(guest->store, -1, elements, MAX_INSTANCES,
                               MAX_TABLES, 1);
    }
    return THEATER_OK;
}

/* Everything that runs in the store, within its limits. */
static theater_status_t make_within(struct th_guest *guest,
                                    const struct th_guest_options *options,
                                    theater_error_t *err)
{
    struct th_guest *outer = th_guest_current;
    theater_status_t status = limit_store(guest, options, err);
    th_limits_init(guest);
    if (status != THEATER_OK) {
        return status;
    }
    th_guest_current = guest;
    th_ticker_arm(&guest->engine->ticker);
    th_limits_begin(guest, th_limits_units(guest, guest->start_ns));
    status = guest->component != NULL ? th_component_make(guest, err)
                                      : make(guest, err);
    th_guest_current = outer;
    if (guest->stack != NULL) {
        th_stack_check(guest->stack);
        th_stack_idle(guest->stack);
    }
    return status;
}

theater_status_t th_guest_new(struct th_module *module,
                              const struct th_guest_options *options,
                              struct th_guest **out_guest, theater_error_t *err)
{
    struct th_engine *engine = module->engine;
    wasm_engine_t *wasm = NULL;
    theater_status_t status = th_engine_get(engine, module->stack, &wasm, err);
    if (status != THEATER_OK) {
        return status;
    }
    struct th_guest *guest = th_calloc(
        engine->env, sizeof *guest + module->grants_len * sizeof(void *));
    if (guest == NULL) {
        return th_error(err, THEATER_OUT_OF_MEMORY, module->path,
                        "out of memory");
    }
    if (module->component != NULL) {
        guest->component = th_calloc(engine->env, sizeof *guest->component);
        if (guest->component == NULL) {
            th_free(engine->env, guest);
            return th_error(err, THEATER_OUT_OF_MEMORY, module->path,
                            "out of memory");
        }
    }
    th_module_retain(module);
    guest->module = module;
    guest->engine = engine;
    guest->hooks = options->hooks;
    guest->ctx = options->ctx;
    guest->call.actor = options->actor;
    guest->memory.limit = options->memory_bytes;
    guest->until_ask = TH_ASK_EVERY;
    guest->delivery_ns = options->delivery_time_ns;
    guest->run_ns = options->run_time_ns;
    guest->start_ns = guest->run_ns < TH_START_NS ? guest->run_ns : TH_START_NS;
    for (size_t i = 0; i < module->grants_len; i++) {
        guest->instances[i] = options->instances[i];
    }
    guest->store = wasmtime_store_new(wasm, guest, NULL);
    guest->context = wasmtime_store_context(guest->store);
    status = make_within(guest, options, err);
    if (status != THEATER_OK) {
        guest->dead = true;
        th_guest_delete(guest);
        return status;
    }
    *out_guest = guest;
    return THEATER_OK;
}

/* Ends what is under way inside the guest, without running it. */
static void abandon(struct th_guest *guest)
{
    th_call_drop(guest);
    if (guest->future != NULL) {
        wasmtime_call_future_delete(guest->future);
        guest->future = NULL;
    }
    if (guest->delivery != NULL) {
        th_deliver_end(guest, THEATER_CLOSED);
    }
}

void th_guest_delete(struct th_guest *guest)
{
    if (guest == NULL) {
        return;
    }
    const theater_env_t *env = guest->engine->env;
    struct th_guest *outer = th_guest_current;
    th_guest_current = guest;
    if (guest->stack != NULL) {
        th_stack_busy(guest->stack); /* until the store gives it back */
    }
    abandon(guest);
    th_wasi_flush(guest);
    wasmtime_store_delete(guest->store);
    th_component_drop(guest);
    th_guest_current = outer;
    if (guest->trap != NULL) {
        wasm_trap_delete(guest->trap);
    }
    if (guest->error != NULL) {
        wasmtime_error_delete(guest->error);
    }
    th_module_release(guest->module);
    th_free(env, guest->why);
    th_free(env, guest);
}

uint64_t th_guest_memory_bytes(const struct th_guest *guest)
{
    return guest->component != NULL ? th_component_memory_bytes(guest)
                                    : guest->memory.size;
}

bool th_guest_is_suspended(const struct th_guest *guest)
{
    return guest->future != NULL && !guest->parked;
}
