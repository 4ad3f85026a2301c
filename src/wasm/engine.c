/* SPDX-License-Identifier: Apache-2.0 */
/* Design notes
 *
 * Two of Wasmtime's engines, since the size of stacks belongs to the engine:
 *   small  stacks and memories from slabs of our own, no guards; so 100,000
 *          guests fit within the kernel's default number of mappings. What
 *          wasm may use of a stack is checked by the compiled code; host
 *          functions keep to what is left (bounded frames, no recursion), and
 *          a canary says if one did not.
 *          Memories have no guards and no reservation: compiled code checks
 *          bounds.
 *   large  stacks with guards by Wasmtime, and memories that hold all addresses
 *          of 32 bits (slab.h): what lies outside faults, and Wasmtime's own
 *          handler of SIGSEGV, which it has for stacks as well, makes a trap
 *          of it. A message in JavaScript costs a third less.
 *
 * Each is made at its first use, under the lock; from then on the pointer is
 * read without it ([E1] release/acquire: the engine's own contents). */
#include "wasm/component.h"

#include <stdarg.h>
#include <stdio.h>

static void tick(void *arg)
{
    struct th_engine *engine = arg;
    for (unsigned i = 0; i < 2; i++) {
        wasm_engine_t *wasm = atomic_load_explicit(
            &engine->wasm[i], memory_order_acquire); /* [E1] */
        if (wasm != NULL) {
            wasmtime_engine_increment_epoch(wasm);
        }
    }
}

/* No guest has run for TH_REST_NS: those that are called seldom get new pages
 * for their stacks when they are called next. */
static void rest(void *arg)
{
    struct th_engine *engine = arg;
    th_stack_sweep(engine->slabs, th_ticker_rests, &engine->ticker);
}

void th_engine_notice(struct th_engine *engine, const char *format, ...)
{
    if (engine->notice == NULL) {
        return;
    }
    char text[THEATER_ERROR_TEXT];
    va_list args;
    va_start(args, format);
    (void)vsnprintf(text, sizeof text, format, args);
    va_end(args);
    engine->notice(engine->user, text);
}

/* --- Memories ------------------------------------------------------------ */

static uint8_t *memory_get(void *env, size_t *out_size, size_t *out_capacity)
{
    const struct th_linear *linear = env;
    *out_size = (size_t)linear->size;
    *out_capacity = (size_t)th_linear_capacity(linear);
    return linear->base;
}

static wasmtime_error_t *memory_grow(void *env, size_t size)
{
    struct th_linear *linear = env;
    struct th_guest *guest = TH_CONTAINER_OF(linear, struct th_guest, memory);
    if (th_linear_grow(linear, size) != THEATER_OK) {
        guest->memory_refused = true;
        return wasmtime_error_new("memory limit"); /* memory.grow says -1 */
    }
    return NULL;
}

static void memory_free(void *env)
{
    th_linear_fini(env);
}

/* On the thread that instantiates a guest, which is th_guest_current. */
static wasmtime_error_t *memory_new(void *env, const wasm_memorytype_t *type,
                                    size_t minimum, size_t maximum,
                                    size_t reserved, size_t guard,
                                    wasmtime_linear_memory_t *out)
{
    struct th_engine *engine = env;
    struct th_guest *guest = th_guest_current;
    (void)type;
    (void)maximum;
    /* What th_linear_init will reserve is what the code was compiled for. */
    TH_CHECK(reserved <= TH_RESERVED && guard <= TH_RESERVED_GUARD);
    if (guest != NULL && guest->component != NULL) {
        return th_component_memory_new(guest, minimum, reserved > 0, out);
    }
    if (guest == NULL || guest->memory.base != NULL) {
        return wasmtime_error_new("a second memory");
    }
    guest->memory.reserved = reserved > 0;
    theater_status_t status =
        th_linear_init(&guest->memory, engine->slabs, minimum);
    if (status != THEATER_OK) {
        bool limit = status == THEATER_LIMIT;
        wasm_trap_t *trap = th_trap(
            guest, status,
            limit ? "memory: the module wants %llu KiB at once, the limit is "
                    "%llu KiB"
                  : "no memory of %llu KiB is to be had (limit %llu KiB)",
            (unsigned long long)minimum / 1024,
            (unsigned long long)guest->memory.limit / 1024);
        wasm_trap_delete(trap);
        return wasmtime_error_new("memory limit");
    }
    *out = (wasmtime_linear_memory_t){&guest->memory, memory_get, memory_grow,
                                      memory_free};
    return NULL;
}

/* --- Stacks -------------------------------------------------------------- */

static uint8_t *stack_get(void *env, size_t *out_len)
{
    const struct th_guest *guest = env;
    *out_len = TH_SMALL_STACK;
    return guest->stack->low + TH_SMALL_STACK;
}

static void stack_free(void *env)
{
    struct th_guest *guest = env;
    th_stack_check(guest->stack);
    th_stack_idle(guest->stack);
    th_stack_give(guest->engine->slabs, guest->stack);
    guest->stack = NULL;
}

/* Once per store, on the thread that enters the guest first. */
static wasmtime_error_t *stack_new(void *env, size_t size, bool zeroed,
                                   wasmtime_stack_memory_t *out)
{
    struct th_engine *engine = env;
    struct th_guest *guest = th_guest_current;
    (void)zeroed;
    if (guest == NULL || guest->stack != NULL || size > TH_SMALL_STACK) {
        return wasmtime_error_new("a second stack");
    }
    theater_status_t status = th_stack_take(engine->slabs, &guest->stack);
    if (status != THEATER_OK) {
        wasm_trap_delete(
            th_trap(guest, status, "no memory for a stack is to be had"));
        return wasmtime_error_new("no stack is to be had");
    }
    th_stack_busy(guest->stack);
    *out = (wasmtime_stack_memory_t){guest, stack_get, stack_free};
    return NULL;
}

/* --- Configuration ------------------------------------------------------- */

static wasm_config_t *config_new(struct th_engine *engine, enum th_stack stack)
{
    wasm_config_t *config = wasm_config_new();
    bool small = stack == TH_STACK_SMALL;
    wasmtime_config_consume_fuel_set(config, engine->fuel);
    wasmtime_config_epoch_interruption_set(config, true);
    wasmtime_config_cranelift_nan_canonicalization_set(config, engine->fuel);
    wasmtime_config_wasm_relaxed_simd_deterministic_set(config, true);
    wasmtime_config_wasm_multi_memory_set(config, false);
    wasmtime_config_wasm_memory64_set(config, false);
    wasmtime_config_shared_memory_set(config, false);
    wasmtime_config_wasm_stack_switching_set(config, false);
    wasmtime_config_wasm_custom_page_sizes_set(config, false);
    /* Calls of components suspend as those of core modules do, on one stack;
     * the component model's own tasks would cost each call more. */
    wasmtime_config_concurrency_support_set(config, false);
    wasmtime_config_memory_may_move_set(config, small);
    wasmtime_config_memory_reservation_set(config, small ? 0 : TH_RESERVED);
    wasmtime_config_memory_guard_size_set(config,
                                          small ? 0 : TH_RESERVED_GUARD);
    wasmtime_config_memory_reservation_for_growth_set(config, 0);
    /* Mandatory with a memory creator: images want memories by mmap. */
    wasmtime_config_memory_init_cow_set(config, false);
    wasmtime_config_async_stack_size_set(config, small ? TH_SMALL_STACK
                                                       : TH_LARGE_STACK);
    wasmtime_config_max_wasm_stack_set(config,
                                       small ? TH_SMALL_WASM : TH_LARGE_WASM);
    wasmtime_memory_creator_t memories = {engine, memory_new, NULL};
    wasmtime_config_host_memory_creator_set(config, &memories);
    if (small) {
        wasmtime_stack_creator_t stacks = {engine, stack_new, NULL};
        wasmtime_config_host_stack_creator_set(config, &stacks);
    }
    return config;
}

theater_status_t th_engine_get(struct th_engine *engine, enum th_stack stack,
                               wasm_engine_t **out, theater_error_t *err)
{
    wasm_engine_t *wasm = atomic_load_explicit(&engine->wasm[stack],
                                               memory_order_acquire); /* [E1] */
    if (wasm == NULL) {
        th_lock(engine->env, &engine->lock);
        wasm = atomic_load_explicit(&engine->wasm[stack],
                                    memory_order_acquire); /* [E1] */
        if (wasm == NULL) {
            wasm = wasm_engine_new_with_config(config_new(engine, stack));
            atomic_store_explicit(&engine->wasm[stack], wasm,
                                  memory_order_release); /* [E1] */
        }
        th_unlock(engine->env, &engine->lock);
    }
    if (wasm == NULL) {
        return th_error(err, THEATER_OUT_OF_MEMORY, "engine",
                        "the engine could not be made");
    }
    *out = wasm;
    return THEATER_OK;
}

/* --- Life ---------------------------------------------------------------- */

static void open_cache(struct th_engine *engine, const char *dir)
{
    theater_status_t status =
        engine->env->folder_private(engine->env->ctx, dir);
    if (status == THEATER_OK) {
        engine->cache_dir = th_strndup(engine->env, dir, strlen(dir));
        return;
    }
    th_engine_notice(engine, "%s: not used for compiled code: %s", dir,
                     status == THEATER_DENIED
                         ? "it is not the user's own, or open to others"
                         : "it cannot be made or read");
}

static bool computes(void *arg)
{
    const struct th_engine *engine = arg;
    return engine->computes != NULL && engine->computes(engine->user);
}

void th_engine_rest(struct th_engine *engine)
{
    th_ticker_stop(&engine->ticker);
}

theater_status_t th_engine_new(const struct th_engine_options *options,
                               struct th_engine **out_engine,
                               theater_error_t *err)
{
    const theater_env_t *env = options->env;
    struct th_engine *engine = env->alloc(env->ctx, sizeof *engine, TH_LINE);
    if (engine == NULL) {
        return th_error(err, THEATER_OUT_OF_MEMORY, "engine", "out of memory");
    }
    memset(engine, 0, sizeof *engine);
    engine->env = env;
    engine->fuel = options->fuel;
    engine->notice = options->notice;
    engine->computes = options->computes;
    engine->user = options->user;
    theater_status_t status = th_slabs_new(env, TH_SMALL_STACK, &engine->slabs);
    if (status == THEATER_OK && !engine->fuel) {
        status =
            th_ticker_start(&engine->ticker, env, tick, rest, computes, engine);
    }
    if (status != THEATER_OK) {
        th_engine_delete(engine);
        return th_error(err, status, "engine", "%s",
                        theater_status_text(status));
    }
    if (options->cache_dir != NULL) {
        open_cache(engine, options->cache_dir);
    }
    *out_engine = engine;
    return THEATER_OK;
}

void th_engine_delete(struct th_engine *engine)
{
    if (engine == NULL) {
        return;
    }
    TH_CHECK(engine->modules == NULL && engine->codes == NULL);
    th_ticker_stop(&engine->ticker);
    for (unsigned i = 0; i < 2; i++) {
        wasm_engine_t *wasm = atomic_load_explicit(
            &engine->wasm[i], memory_order_acquire); /* [E1] */
        if (wasm != NULL) {
            wasm_engine_delete(wasm);
        }
    }
    th_slabs_delete(engine->slabs);
    th_free(engine->env, engine->cache_dir);
    th_free(engine->env, engine);
}

static bool always(void *arg)
{
    (void)arg;
    return true;
}

void th_engine_trim(struct th_engine *engine)
{
    th_stack_sweep(engine->slabs, always, NULL);
}
