/* SPDX-License-Identifier: Apache-2.0 */
/* Design notes
 *
 * The C SDK as the engine sees it: modules of this build, called through
 * Wasmtime with no runtime of ours between, so that what is measured is the
 * SDK's memory alone. Host functions that a test does not give trap. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>
#include <wasmtime.h>

enum { PAGE = 65536, MIB = 1 << 20 };

/* One actor, as the engine holds it. */
struct actor {
    wasm_engine_t *engine;        /* of its own */
    wasmtime_module_t *module;    /* what was loaded */
    wasmtime_linker_t *linker;    /* its imports */
    wasmtime_store_t *store;      /* its memory and functions */
    wasmtime_context_t *context;  /* of the store */
    wasmtime_instance_t instance; /* the guest */
    wasmtime_memory_t memory;     /* exported as "memory" */
    uint32_t refusals;            /* how often refuse_send was called */
};

static wasmtime_func_t export_func(struct actor *actor, const char *name)
{
    wasmtime_extern_t item;
    assert_true(wasmtime_instance_export_get(actor->context, &actor->instance,
                                             name, strlen(name), &item));
    assert_int_equal(item.kind, WASMTIME_EXTERN_FUNC);
    return item.of.func;
}

static bool has_export(struct actor *actor, const char *name)
{
    wasmtime_extern_t item;
    return wasmtime_instance_export_get(actor->context, &actor->instance, name,
                                        strlen(name), &item);
}

/* Calls an export with `n` i32; false: it trapped. */
static bool call(struct actor *actor, const char *name, const uint32_t *args,
                 size_t n, uint32_t *result)
{
    wasmtime_func_t func = export_func(actor, name);
    wasmtime_val_raw_t values[4];
    wasm_trap_t *trap = NULL;
    for (size_t i = 0; i < n; i++) {
        values[i].i32 = (int32_t)args[i];
    }
    wasmtime_error_t *error =
        wasmtime_func_call_unchecked(actor->context, &func, values, 4, &trap);
    if (error != NULL || trap != NULL) {
        if (error != NULL) {
            wasmtime_error_delete(error);
        }
        if (trap != NULL) {
            wasm_trap_delete(trap);
        }
        return false;
    }
    if (result != NULL) {
        *result = (uint32_t)values[0].i32;
    }
    return true;
}

static bool try_take(struct actor *actor, uint32_t old, uint32_t old_size,
                     uint32_t align, uint32_t size, uint32_t *out)
{
    uint32_t args[4] = {old, old_size, align, size};
    return call(actor, "cabi_realloc", args, 4, out);
}

static uint32_t take(struct actor *actor, uint32_t align, uint32_t size)
{
    uint32_t at = 0;
    assert_true(try_take(actor, 0, 0, align, size, &at));
    assert_int_equal(at % align, 0);
    assert_true((uint64_t)at + size <=
                wasmtime_memory_data_size(actor->context, &actor->memory));
    return at;
}

static uint8_t *bytes_at(struct actor *actor, uint32_t at)
{
    return wasmtime_memory_data(actor->context, &actor->memory) + at;
}

static size_t pages(struct actor *actor)
{
    return wasmtime_memory_data_size(actor->context, &actor->memory) / PAGE;
}

/* A host's `send` that refuses each message as not-found, with a text. */
static wasm_trap_t *refuse_send(void *env, wasmtime_caller_t *caller,
                                wasmtime_val_raw_t *values, size_t n)
{
    static const char text[] = "nobody has that name";
    struct actor *actor = env;
    (void)caller;
    (void)n;
    uint32_t ret = (uint32_t)values[4].i32;
    uint32_t at = take(actor, 1, sizeof text - 1);
    memcpy(bytes_at(actor, at), text, sizeof text - 1);
    uint32_t words[4] = {1, 0, at, sizeof text - 1};
    memcpy(bytes_at(actor, ret), words, sizeof words);
    actor->refusals++;
    return NULL;
}

/* No environment variables: two counts of 0. */
static wasm_trap_t *no_environment(void *env, wasmtime_caller_t *caller,
                                   wasmtime_val_raw_t *values, size_t n)
{
    struct actor *actor = env;
    (void)caller;
    (void)n;
    memset(bytes_at(actor, (uint32_t)values[0].i32), 0, 4);
    memset(bytes_at(actor, (uint32_t)values[1].i32), 0, 4);
    values[0].i32 = 0;
    return NULL;
}

/* No folders: EBADF. */
static wasm_trap_t *no_folders(void *env, wasmtime_caller_t *caller,
                               wasmtime_val_raw_t *values, size_t n)
{
    (void)env;
    (void)caller;
    (void)n;
    values[0].i32 = 8;
    return NULL;
}

/* A host function of `n` i32, with or without an i32 as its result. */
static void define(struct actor *actor, const char *module, const char *name,
                   size_t n, bool result, wasmtime_func_unchecked_callback_t fn)
{
    wasm_valtype_t *i32[5];
    wasm_valtype_vec_t params;
    wasm_valtype_vec_t results;
    for (size_t i = 0; i < n; i++) {
        i32[i] = wasm_valtype_new_i32();
    }
    wasm_valtype_vec_new(&params, n, i32);
    i32[0] = result ? wasm_valtype_new_i32() : NULL;
    wasm_valtype_vec_new(&results, result ? 1 : 0, i32);
    wasm_functype_t *type = wasm_functype_new(&params, &results);
    assert_null(wasmtime_linker_define_func_unchecked(
        actor->linker, module, strlen(module), name, strlen(name), type, fn,
        actor, NULL));
    wasm_functype_delete(type);
}

static void define_imports(struct actor *actor)
{
    static const char wasi[] = "wasi_snapshot_preview1";
    define(actor, "theater:actor/message-server@0.1.0", "send", 5, false,
           refuse_send);
    define(actor, wasi, "environ_sizes_get", 2, true, no_environment);
    define(actor, wasi, "environ_get", 2, true, no_environment);
    define(actor, wasi, "fd_prestat_get", 2, true, no_folders);
    assert_null(wasmtime_linker_define_unknown_imports_as_traps(actor->linker,
                                                                actor->module));
}

static void load_module(struct actor *actor, const char *name)
{
    char path[4096];
    snprintf(path, sizeof path, "%s/%s.wasm", TH_TEST_BUILD_DIR, name);
    FILE *file = fopen(path, "rb");
    if (file == NULL) {
        fail_msg("%s is not there", path);
    }
    uint8_t *wasm = malloc(MIB);
    assert_non_null(wasm);
    size_t len = fread(wasm, 1, MIB, file);
    fclose(file);
    assert_null(wasmtime_module_new(actor->engine, wasm, len, &actor->module));
    free(wasm);
}

/* `name` is a path below the build folder; `most` bounds the memory, bytes. */
static void actor_init(struct actor *actor, const char *name, int64_t most)
{
    wasm_trap_t *trap = NULL;
    wasmtime_extern_t item;
    memset(actor, 0, sizeof *actor);
    /* cmocka has the signals for itself. */
    wasm_config_t *config = wasm_config_new();
    wasmtime_config_signals_based_traps_set(config, false);
    actor->engine = wasm_engine_new_with_config(config);
    load_module(actor, name);
    actor->store = wasmtime_store_new(actor->engine, NULL, NULL);
    actor->context = wasmtime_store_context(actor->store);
    wasmtime_store_limiter(actor->store, most, -1, -1, -1, -1);
    actor->linker = wasmtime_linker_new(actor->engine);
    define_imports(actor);
    assert_null(wasmtime_linker_instantiate(
        actor->linker, actor->context, actor->module, &actor->instance, &trap));
    assert_null(trap);
    assert_true(wasmtime_instance_export_get(actor->context, &actor->instance,
                                             "memory", 6, &item));
    actor->memory = item.of.memory;
    if (has_export(actor, "_initialize")) {
        assert_true(call(actor, "_initialize", NULL, 0, NULL));
    }
}

static void actor_fini(struct actor *actor)
{
    wasmtime_linker_delete(actor->linker);
    wasmtime_module_delete(actor->module);
    wasmtime_store_delete(actor->store);
    wasm_engine_delete(actor->engine);
}

/* Gives a request of `size` bytes to an echo, and its answer back. */
static void deliver(struct actor *actor, uint32_t size)
{
    uint32_t answer = 0;
    uint32_t args[2] = {take(actor, 1, size), size};
    if (size > 0) {
        memset(bytes_at(actor, args[0]), 7, size);
    }
    assert_true(call(actor, "handle-request", args, 2, &answer));
    uint32_t words[3];
    memcpy(words, bytes_at(actor, answer), sizeof words);
    assert_int_equal(words[0] & 0xff, 0);
    assert_int_equal(words[1], args[0]);
    assert_int_equal(words[2], size);
    assert_true(call(actor, "cabi_post_handle-request", &answer, 1, NULL));
}

static void
an_actor_exports_the_handlers_that_it_defines_and_no_others(void **state)
{
    static const char *const handlers[] = {
        "run",
        "handle-send",
        "handle-request",
        "cabi_post_handle-request",
        "handle-channel-open",
        "handle-channel-message",
        "handle-channel-close",
        "handle-stop",
    };
    struct actor actor;
    (void)state;
    actor_init(&actor, "tests/guests/silent", -1);
    for (size_t i = 0; i < sizeof handlers / sizeof *handlers; i++) {
        assert_int_equal(has_export(&actor, handlers[i]), i == 0);
    }
    assert_true(has_export(&actor, "cabi_realloc"));
    actor_fini(&actor);
    actor_init(&actor, "tests/guests/driver", -1);
    for (size_t i = 0; i < sizeof handlers / sizeof *handlers; i++) {
        assert_true(has_export(&actor, handlers[i]));
    }
    actor_fini(&actor);
}

static void
memory_is_that_of_the_largest_message_however_many_there_were(void **state)
{
    struct actor actor;
    uint32_t random = 1;
    (void)state;
    actor_init(&actor, "bench/actors/echo", -1);
    assert_int_equal(pages(&actor), 1);
    for (uint32_t i = 0; i < 1000000; i++) {
        deliver(&actor, i % 1000);
    }
    assert_int_equal(pages(&actor), 1);
    for (uint32_t i = 0; i < 2000; i++) {
        random = random * 1664525 + 1013904223;
        deliver(&actor, random >> 12);
        deliver(&actor, i == 1000 ? MIB : random % 5000);
    }
    /* It grows by a quarter at a time. */
    assert_in_range(pages(&actor), MIB / PAGE, MIB / PAGE * 5 / 4 + 1);
    actor_fini(&actor);
}

static void arguments_stay_in_place_while_answers_arrive(void **state)
{
    struct actor actor;
    (void)state;
    actor_init(&actor, "bench/actors/echo", -1);
    uint32_t argument = take(&actor, 1, 333);
    memset(bytes_at(&actor, argument), 'a', 333);
    for (uint32_t i = 1; i < 300; i++) {
        uint32_t answer = take(&actor, 1u << (i % 4), i * 10);
        assert_true(answer >= argument + 333);
        memset(bytes_at(&actor, answer), 'b', i * 10);
    }
    for (uint32_t i = 0; i < 333; i++) {
        assert_int_equal(bytes_at(&actor, argument)[i], 'a');
    }
    actor_fini(&actor);
}

static void a_block_that_grows_keeps_its_bytes(void **state)
{
    static const char *const actors[] = {"bench/actors/echo",
                                         "tests/guests/wasi_printer"};
    (void)state;
    for (size_t i = 0; i < 2; i++) {
        struct actor actor;
        actor_init(&actor, actors[i], -1);
        uint32_t at = take(&actor, 8, 16);
        memset(bytes_at(&actor, at), 'a', 16);
        for (uint32_t size = 16; size < MIB; size *= 2) {
            if (size == 4096) {
                take(&actor, 1, 1); /* so that it cannot grow in place */
            }
            assert_true(try_take(&actor, at, size, 8, 2 * size, &at));
            assert_int_equal(at % 8, 0);
            assert_int_equal(bytes_at(&actor, at)[0], 'a');
            assert_int_equal(bytes_at(&actor, at)[size - 1], 'a');
            memset(bytes_at(&actor, at), 'a', 2 * (size_t)size);
        }
        actor_fini(&actor);
    }
}

static void with_wasi_libc_memory_comes_back_to_malloc(void **state)
{
    struct actor actor;
    (void)state;
    actor_init(&actor, "tests/guests/wasi_printer", 4 * MIB);
    for (uint32_t i = 0; i < 20000; i++) {
        uint32_t first = take(&actor, 1, i % 3000);
        uint32_t big = take(&actor, 4, i % 100 == 0 ? MIB : i % 9000);
        uint32_t answer = 0;
        memset(bytes_at(&actor, first), 1, i % 3000);
        assert_int_not_equal(big, first);
        assert_true(call(&actor, "cabi_post_handle-request", &answer, 1, NULL));
    }
    actor_fini(&actor);
}

static void a_small_actor_and_its_message_share_one_page(void **state)
{
    static const char *const actors[] = {
        "bench/actors/echo", "bench/actors/receiver", "examples/ping_pong/pong",
        "examples/broadcast/listener"};
    (void)state;
    for (size_t i = 0; i < sizeof actors / sizeof *actors; i++) {
        struct actor actor;
        actor_init(&actor, actors[i], -1);
        /* The stack's top lies at 10,240, in the page that ends here. */
        uint32_t at = take(&actor, 1, 512);
        assert_in_range(at, 10240, 3 * 4096 - 512);
        for (uint32_t low = 0; low < 2 * 4096; low++) {
            assert_int_equal(bytes_at(&actor, low)[0], 0);
        }
        actor_fini(&actor);
    }
}

static void without_memory_for_what_arrives_an_actor_traps(void **state)
{
    static const char *const actors[] = {"bench/actors/echo",
                                         "tests/guests/wasi_printer"};
    static const uint32_t sizes[] = {MIB, 0x7fffffff, 0x80000000, 0xfffffff0,
                                     0xffffffff};
    (void)state;
    for (size_t i = 0; i < 2; i++) {
        for (size_t j = 0; j < sizeof sizes / sizeof *sizes; j++) {
            struct actor actor;
            uint32_t at = 0;
            actor_init(&actor, actors[i], 4 * PAGE);
            take(&actor, 1, 100);
            assert_false(try_take(&actor, 0, 0, 1, sizes[j], &at));
            actor_fini(&actor);
        }
    }
}

static void a_loop_of_failing_sends_takes_no_memory(void **state)
{
    static const char command[] = "flood nobody 500000 x";
    struct actor actor;
    uint32_t answer = 0;
    (void)state;
    actor_init(&actor, "tests/guests/driver", -1);
    uint32_t args[2] = {take(&actor, 1, sizeof command - 1),
                        sizeof command - 1};
    memcpy(bytes_at(&actor, args[0]), command, sizeof command - 1);
    assert_true(call(&actor, "handle-request", args, 2, &answer));
    uint32_t words[3];
    memcpy(words, bytes_at(&actor, answer), sizeof words);
    assert_int_equal(words[2], 4);
    assert_memory_equal(bytes_at(&actor, words[1]), "ok 0", 4);
    assert_int_equal(actor.refusals, 500000);
    assert_int_equal(pages(&actor), 1);
    actor_fini(&actor);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(
            an_actor_exports_the_handlers_that_it_defines_and_no_others),
        cmocka_unit_test(
            memory_is_that_of_the_largest_message_however_many_there_were),
        cmocka_unit_test(arguments_stay_in_place_while_answers_arrive),
        cmocka_unit_test(a_block_that_grows_keeps_its_bytes),
        cmocka_unit_test(with_wasi_libc_memory_comes_back_to_malloc),
        cmocka_unit_test(a_small_actor_and_its_message_share_one_page),
        cmocka_unit_test(without_memory_for_what_arrives_an_actor_traps),
        cmocka_unit_test(a_loop_of_failing_sends_takes_no_memory),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
