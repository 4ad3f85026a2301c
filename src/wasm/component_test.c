/* SPDX-License-Identifier: Apache-2.0 */
/* Design notes
 *
 * Components: what is refused when they are loaded, what they find of WASI
 * preview 2, and bytes that are damaged. That a component suspends, is sliced,
 * limited and simulated as a core module is, is held by the tests
 * components.*, which run the handlers' batteries on components. */
#include "wasm/module.h"
#include "wasm/world_one_testing.h"

#include <stdio.h>
#include <stdlib.h>

#include <wasmtime.h>

static void refused(const char *wat, const char *says)
{
    struct th_module *module = NULL;
    theater_error_t err = {0};
    if (world_load(&world, wat, TH_STACK_SMALL, &module, &err) == THEATER_OK) {
        th_module_release(module);
        fail_msg("it was loaded: %s", wat);
    }
    assert_int_equal(err.status, THEATER_BAD_MODULE);
    if (strstr(err.text, says) == NULL) {
        fail_msg("`%s` is not in: %s", says, err.text);
    }
}

static void wrong_imports_and_exports_are_named(void **state)
{
    (void)state;
    refused("(component (import \"a:b/c@1.0.0\" (instance"
            " (export \"fly\" (func)))))",
            "imports `fly` of `a:b/c@1.0.0`, which no handler");
    refused("(component (import \"a:b/c@1.0.0\" (instance"
            " (export \"wing\" (type (sub resource))))))",
            "imports `wing` of `a:b/c@1.0.0`, which no handler");
    refused("(component (import \"fly\" (func)))", "imports `fly`, which is");
    refused("(component (import \"wasi:io/poll@0.3.0\" (instance"
            " (export \"poll\" (func)))))",
            "which no handler");
    refused("(component (import \"test:world/api@0.1.0\" (instance"
            " (export \"send\" (func (param \"target\" u32))))))",
            "the import `send` is of another type; it must be a "
            "func(string, list<u8>)");
    refused("(component (component $c"
            " (core module $m (func (export \"f\")))"
            " (core instance $i (instantiate $m))"
            " (func (export \"f\") (canon lift (core func $i \"f\"))))"
            " (instance $c (instantiate $c))"
            " (export \"handle-send\" (func $c \"f\")))",
            "the export `handle-send` is of another type");
}

/* What an instance exports is no matter: its name is the interface's. */
#define PROGRAM                                                                \
    " (component $c)"                                                          \
    " (instance $c (instantiate $c))"                                          \
    " (export \"wasi:cli/run@0.2.3\" (instance $c))"

static void a_program_for_a_command_line_is_told_what_to_export(void **state)
{
    (void)state;
    refused("(component" PROGRAM ")",
            "is a program for a command line: it exports `wasi:cli/run`, which "
            "nobody calls here; export the function `run` of the world, "
            "`handle-send` or `handle-request` instead");
    /* One that is an actor, too, is one. */
    struct th_module *module = NULL;
    theater_error_t err = {0};
    theater_status_t status = world_load(
        &world,
        "(component" PROGRAM " (core module $m (func (export \"f\")))"
        " (core instance $i (instantiate $m))"
        " (func (export \"run\") (canon lift (core func $i \"f\"))))",
        TH_STACK_SMALL, &module, &err);
    if (status != THEATER_OK) {
        fail_msg("%s", err.text);
    }
    th_module_release(module);
}

/* A component whose `run` calls one function without parameters or results of
 * an interface. */
#define RUNS(import, canon, body)                                              \
    "(component " import " (core module $m"                                    \
    " (import \"h\" \"f\" (func $f " canon "))"                                \
    " (func (export \"run\") " body "))"                                       \
    " (core func $f (canon lower (func $i \"f\")))"                            \
    " (core instance $x (instantiate $m (with \"h\" (instance"                 \
    " (export \"f\" (func $f))))))"                                            \
    " (func (export \"run\") (canon lift (core func $x \"run\"))))"

static enum th_guest_state run(const char *wat)
{
    make(wat);
    return world_run(&g, TH_ENTER_RUN);
}

static void what_wasi_does_not_serve_traps_with_its_name(void **state)
{
    (void)state;
    assert_int_equal(run(RUNS("(import \"wasi:http/thing@0.2.7\" (instance $i"
                              " (export \"f\" (func))))",
                              "", "(call $f)")),
                     TH_GUEST_DEAD);
    assert_int_equal(g.err.status, THEATER_TRAPPED);
    assert_non_null(strstr(
        g.err.text, "`f` of `wasi:http/thing@0.2.7` was called, which is not "
                    "served here"));
    world_guest_end(&g);
}

static void exit_ends_the_actor(void **state)
{
    (void)state;
    assert_int_equal(
        run("(component (import \"wasi:cli/exit@0.2.3\" (instance $i"
            " (export \"exit\" (func (param \"status\" (result))))))"
            " (core module $m (import \"h\" \"f\" (func $f (param i32)))"
            " (func (export \"run\") (call $f (i32.const 0)) unreachable))"
            " (core func $f (canon lower (func $i \"exit\")))"
            " (core instance $x (instantiate $m (with \"h\" (instance"
            " (export \"f\" (func $f))))))"
            " (func (export \"run\") (canon lift (core func $x \"run\"))))"),
        TH_GUEST_DEAD);
    assert_int_equal(g.err.status, THEATER_OK);
    assert_non_null(strstr(g.err.text, "exited with status 0"));
    world_guest_end(&g);
}

/* Subscribes to a clock, and blocks on it. */
#define SLEEPER                                                                \
    "(component (import \"wasi:io/poll@0.2.1\" (instance $p"                   \
    " (export \"pollable\" (type $r (sub resource)))"                          \
    " (export \"[method]pollable.block\""                                      \
    "  (func (param \"self\" (borrow $r))))))"                                 \
    " (alias export $p \"pollable\" (type $r))"                                \
    " (import \"wasi:clocks/monotonic-clock@0.2.1\" (instance $c"              \
    " (alias outer 1 $r (type $r2))"                                           \
    " (export \"pollable\" (type $r3 (eq $r2)))"                               \
    " (export \"subscribe-duration\""                                          \
    "  (func (param \"when\" u64) (result (own $r3))))))"                      \
    " (core module $m (import \"h\" \"s\" (func $s (param i64) (result i32)))" \
    " (import \"h\" \"b\" (func $b (param i32)))"                              \
    " (func (export \"run\") (call $b (call $s (i64.const 50000000)))))"       \
    " (core func $s (canon lower (func $c \"subscribe-duration\")))"           \
    " (core func $b (canon lower (func $p \"[method]pollable.block\")))"       \
    " (core instance $x (instantiate $m (with \"h\" (instance"                 \
    " (export \"s\" (func $s)) (export \"b\" (func $b))))))"                   \
    " (func (export \"run\") (canon lift (core func $x \"run\"))))"

static void a_poll_suspends_until_its_time(void **state)
{
    (void)state;
    uint64_t start = th_now(world.env);
    assert_int_equal(run(SLEEPER), TH_GUEST_WAITING);
    assert_true(g.wake_at >= start + 50000000);
    assert_true(th_guest_is_suspended(g.guest));
    _Atomic uint32_t word = 0;
    while (th_now(world.env) < g.wake_at) {
        world.env->park(world.env->ctx, &word, 0, g.wake_at);
    }
    assert_int_equal(world_run(&g, TH_ENTER_DELIVERIES), TH_GUEST_IDLE);
    world_guest_end(&g);
}

static void one_that_polls_can_be_ended(void **state)
{
    (void)state;
    assert_int_equal(run(SLEEPER), TH_GUEST_WAITING);
    world_guest_end(&g);
}

static void a_trap_names_its_kind_and_function(void **state)
{
    (void)state;
    assert_int_equal(
        run("(component (core module $m"
            " (func $deep (export \"run\") unreachable))"
            " (core instance $x (instantiate $m))"
            " (func (export \"run\") (canon lift (core func $x \"run\"))))"),
        TH_GUEST_DEAD);
    assert_int_equal(g.err.status, THEATER_TRAPPED);
    assert_non_null(strstr(g.err.text, "`unreachable` was executed"));
    assert_non_null(strstr(g.err.text, "in `deep`"));
    world_guest_end(&g);
}

static void the_stack_has_its_limit(void **state)
{
    (void)state;
    assert_int_equal(
        run("(component (core module $m"
            " (func $deep (export \"run\") (call $deep)))"
            " (core instance $x (instantiate $m))"
            " (func (export \"run\") (canon lift (core func $x \"run\"))))"),
        TH_GUEST_DEAD);
    assert_int_equal(g.err.status, THEATER_LIMIT);
    assert_non_null(strstr(g.err.text, "stack: "));
    world_guest_end(&g);
}

/* A guest that can make clocks ($f) and drop them ($d). */
#define CLOCKS(code)                                                           \
    "(component (import \"wasi:io/poll@0.2.1\" (instance $p"                   \
    " (export \"pollable\" (type $r (sub resource)))))"                        \
    " (alias export $p \"pollable\" (type $r))"                                \
    " (import \"wasi:clocks/monotonic-clock@0.2.0\" (instance $i"              \
    " (alias outer 1 $r (type $r2))"                                           \
    " (export \"pollable\" (type $r3 (eq $r2)))"                               \
    " (export \"subscribe-duration\""                                          \
    "  (func (param \"when\" u64) (result (own $r3))))))"                      \
    " (core func $drop (canon resource.drop $r))"                              \
    " (core module $m"                                                         \
    " (import \"h\" \"f\" (func $f (param i64) (result i32)))"                 \
    " (import \"h\" \"d\" (func $d (param i32)))" code                         \
    ") (core func $f (canon lower (func $i \"subscribe-duration\")))"          \
    " (core instance $x (instantiate $m (with \"h\" (instance"                 \
    " (export \"f\" (func $f)) (export \"d\" (func $drop))))))"                \
    " (func (export \"run\") (canon lift (core func $x \"run\"))))"

/* The engine's frames and ours are below the guest's; what is behind them is
 * looked at when the guest has ended (the canary of slab.h). */
static void host_functions_have_room_below_a_deep_guest(void **state)
{
    (void)state;
    assert_int_equal(
        run(CLOCKS("(func $deep (export \"run\")"
                   " (call $d (call $f (i64.const 1))) (call $deep))")),
        TH_GUEST_DEAD);
    assert_int_equal(g.err.status, THEATER_LIMIT);
    assert_non_null(strstr(g.err.text, "stack: "));
    world_guest_end(&g);
}

/* A guest that is `depth` calls deep asks for random bytes, and its realloc
 * calls itself for ever: the engine gives that a share of the stack of its
 * own. */
static void realloc_has_room_below_a_deep_guest(void **state)
{
    char wat[2048];
    (void)state;
    for (unsigned depth = 0; depth <= 2400; depth += 40) {
        snprintf(
            wat, sizeof wat,
            "(component (import \"wasi:random/random@0.2.0\" (instance $i"
            " (export \"get-random-bytes\""
            "  (func (param \"len\" u64) (result (list u8))))))"
            " (core module $mm (memory (export \"m\") 1)"
            " (func $deep (export \"r\") (param i32 i32 i32 i32) (result i32)"
            "  (call $deep (local.get 0) (local.get 1) (local.get 2)"
            "   (local.get 3))))"
            " (core instance $mi (instantiate $mm))"
            " (alias core export $mi \"m\" (core memory $mem))"
            " (alias core export $mi \"r\" (core func $r))"
            " (core func $f (canon lower (func $i \"get-random-bytes\")"
            "  (memory $mem) (realloc $r)))"
            " (core module $m (import \"h\" \"f\" (func $f (param i64 i32)))"
            " (func $d (param i32) (if (local.get 0)"
            "  (then (call $d (i32.sub (local.get 0) (i32.const 1))))"
            "  (else (call $f (i64.const 8) (i32.const 64)))))"
            " (func (export \"run\") (call $d (i32.const %u))))"
            " (core instance $x (instantiate $m (with \"h\" (instance"
            " (export \"f\" (func $f))))))"
            " (func (export \"run\") (canon lift (core func $x \"run\"))))",
            depth);
        assert_int_equal(run(wat), TH_GUEST_DEAD);
        assert_int_equal(g.err.status, THEATER_LIMIT);
        world_guest_end(&g);
    }
}

/* Records in records, as deep as the engine takes them. */
static void an_import_whose_types_are_too_deep_is_refused(void **state)
{
    char wat[8192];
    (void)state;
    size_t used = (size_t)snprintf(wat, sizeof wat,
                                   "(component (import \"wasi:x/y@0.2.0\""
                                   " (instance $i (type $t0 (list u8))");
    for (unsigned i = 1; i < 97; i++) {
        used += (size_t)snprintf(wat + used, sizeof wat - used,
                                 "(type $t%u (tuple $t%u))", i, i - 1);
    }
    snprintf(wat + used, sizeof wat - used,
             "(export \"f\" (func (param \"a\" $t96))))))");
    refused(wat, "`f` of `wasi:x/y@0.2.0` has types that are too deep");
}

static void clocks_that_are_never_dropped_have_a_limit(void **state)
{
    (void)state;
    assert_int_equal(run(CLOCKS("(func (export \"run\") (loop"
                                " (drop (call $f (i64.const 1))) (br 0)))")),
                     TH_GUEST_DEAD);
    assert_int_equal(g.err.status, THEATER_LIMIT);
    assert_non_null(strstr(g.err.text, "pollables"));
    world_guest_end(&g);
}

/* Two memories are counted together. */
static void memories_have_one_limit(void **state)
{
    (void)state;
    static const char wat[] = "(component (core module $m (memory 20))"
                              " (core instance (instantiate $m))"
                              " (core instance (instantiate $m)))";
    world_options.memory_bytes = 30 * 65536;
    assert_int_equal(world_guest_new(&world, &g, wat), THEATER_LIMIT);
    assert_non_null(strstr(g.err.text, "memory: "));
    world_guest_end(&g);
    world_options.memory_bytes = 40 * 65536;
    assert_int_equal(world_guest_new(&world, &g, wat), THEATER_OK);
    assert_int_equal(th_guest_memory_bytes(g.guest), 40 * 65536);
    world_guest_end(&g);
}

/* `each` (with "%u") `count` times between `before` and `after`; to be
 * freed. */
static char *repeated(const char *before, const char *each, unsigned count,
                      const char *after)
{
    size_t size =
        strlen(before) + strlen(after) + 1 + (size_t)count * (strlen(each) + 8);
    char *wat = malloc(size);
    assert_non_null(wat);
    size_t used = (size_t)snprintf(wat, size, "%s", before);
    const char *number = strstr(each, "%u");
    int head = (int)(number != NULL ? (size_t)(number - each) : strlen(each));
    for (unsigned i = 0; i < count; i++) {
        used += (size_t)snprintf(wat + used, size - used, "%.*s", head, each);
        if (number != NULL) {
            used += (size_t)snprintf(wat + used, size - used, "%u%s", i,
                                     number + 2);
        }
    }
    snprintf(wat + used, size - used, "%s", after);
    return wat;
}

static void refused_repeated(const char *before, const char *each,
                             unsigned count, const char *after,
                             const char *says)
{
    char *wat = repeated(before, each, count, after);
    refused(wat, says);
    free(wat);
}

static void too_many_imports_and_exports_are_refused(void **state)
{
    (void)state;
    refused_repeated("(component (import \"wasi:x/y@0.2.0\" (instance",
                     "(export \"f%u\" (func))", 1001, ")))",
                     "imports 1001 functions, types and interfaces, more than");
    refused_repeated("(component", "(import \"f%u\" (func))", 1001, ")",
                     "imports 1001 functions");
    refused_repeated("(component (core module $m (func (export \"f\")))"
                     "(core instance $i (instantiate $m))"
                     "(func $f (canon lift (core func $i \"f\")))",
                     "(export \"f%u\" (func $f))", 1001, ")",
                     "exports 1001 functions");
}

static void an_import_whose_types_are_too_wide_is_refused(void **state)
{
    (void)state;
    refused_repeated("(component (import \"wasi:x/y@0.2.0\" (instance"
                     " (type $t (tuple",
                     " u8", 129, "))(export \"f\" (func (param \"a\" $t))))))",
                     "too deep or too many");
    /* 600 functions of 100 types each. */
    char *types = repeated("(component (import \"wasi:x/y@0.2.0\" (instance"
                           " (type $t (tuple",
                           " u8", 100, "))");
    refused_repeated(types, "(export \"f%u\" (func (param \"a\" $t)))", 600,
                     ")))", "too deep or too many");
    free(types);
}

static void types_that_need_tasks_are_refused(void **state)
{
    static const char *const types[] = {"(future)", "(future u8)",
                                        "(stream u8)", "error-context"};
    char wat[256];
    (void)state;
    for (size_t i = 0; i < sizeof types / sizeof *types; i++) {
        snprintf(wat, sizeof wat,
                 "(component (import \"wasi:x/y@0.2.0\" (instance (type $t %s)"
                 " (export \"f\" (func (param \"a\" $t))))))",
                 types[i]);
        refused(wat, "requires the component model ");
    }
    refused("(component (import \"wasi:x/y@0.2.0\" (instance"
            " (export \"f\" (func async)))))",
            "require the component model async feature");
}

/* A module with many globals takes 16 bytes for each in each instance. */
static void what_instances_hold_is_bounded(void **state)
{
    (void)state;
    char *module = repeated("(component (core module $m",
                            "(global i32 (i32.const 0))", 20000, ")");
    char *wat = repeated(module, "(core instance (instantiate $m))", 100, ")");
    world_options.memory_bytes = 65536;
    assert_int_equal(world_guest_new(&world, &g, wat), THEATER_LIMIT);
    assert_non_null(strstr(g.err.text, "instance count too high"));
    world_guest_end(&g);
    world_options.memory_bytes = 40 << 20;
    assert_int_equal(world_guest_new(&world, &g, wat), THEATER_OK);
    world_guest_end(&g);
    free(wat);
    free(module);
}

/* A core module has one instance, which may be too large by itself. */
static void one_instance_may_hold_too_much(void **state)
{
    (void)state;
    char *globals =
        repeated("(module", "(global i32(i32.const 0))", 1000000, "");
    char *wat = repeated(globals, "(func)", 30000, ")");
    world_options.memory_bytes = 65536;
    assert_int_equal(world_guest_new(&world, &g, wat), THEATER_LIMIT);
    assert_non_null(strstr(g.err.text, "globals, functions and elements"));
    world_guest_end(&g);
    world_options.memory_bytes = 16 << 20;
    free(wat);
    free(globals);
}

static void handles_have_a_limit(void **state)
{
    (void)state;
    assert_int_equal(
        run("(component (type $r (resource (rep i32)))"
            " (core func $n (canon resource.new $r))"
            " (core module $m"
            " (import \"h\" \"n\" (func $n (param i32) (result i32)))"
            " (func (export \"run\")"
            "  (loop (drop (call $n (i32.const 1))) (br 0))))"
            " (core instance $x (instantiate $m (with \"h\" (instance"
            " (export \"n\" (func $n))))))"
            " (func (export \"run\") (canon lift (core func $x \"run\"))))"),
        TH_GUEST_DEAD);
    assert_int_equal(g.err.status, THEATER_LIMIT);
    assert_non_null(strstr(g.err.text, "handles: "));
    world_guest_end(&g);
}

static uint64_t state_of(const char *wat)
{
    wasm_byte_vec_t wasm;
    assert_null(wasmtime_wat2wasm(wat, strlen(wat), &wasm));
    theater_bytes_t bytes = {(const uint8_t *)wasm.data, wasm.size};
    uint64_t state = th_state_bytes(bytes);
    wasm_byte_vec_delete(&wasm);
    return state;
}

static void what_an_instance_holds_is_seen_in_the_file(void **state)
{
    static const char large[] = "(module (import \"a\" \"b\" (func))"
                                " (func) (func) (global i32 (i32.const 0))"
                                " (elem func 0 1 2))";
    uint64_t alone = state_of("(module)");
    uint64_t state_bytes = state_of(large);
    char wat[512];
    (void)state;
    /* The elements: three, their count, flags and kind, one segment. */
    assert_int_equal(state_bytes, alone + 64 + 2 * 32 + 16 + 7 * 16);
    (void)snprintf(wat, sizeof wat,
                   "(component (core module) (component (component"
                   " (core module %s) (core module)",
                   large + strlen("(module "));
    (void)snprintf(wat + strlen(wat), sizeof wat - strlen(wat), "))");
    assert_int_equal(state_of(wat), state_bytes);
}

#define ZEROES(function, count)                                                \
    "(component (import \"wasi:io/streams@0.2.0\" (instance $s"                \
    " (export \"output-stream\" (type $r (sub resource)))"                     \
    " (type $e (variant (case \"closed\")))"                                   \
    " (export \"stream-error\" (type $x (eq $e)))"                             \
    " (export \"[method]output-stream." function "\" (func"                    \
    "  (param \"self\" (borrow $r)) (param \"len\" u64)"                       \
    "  (result (result (error $x)))))))"                                       \
    " (alias export $s \"output-stream\" (type $r))"                           \
    " (import \"wasi:cli/stdout@0.2.0\" (instance $o"                          \
    " (alias outer 1 $r (type $r2))"                                           \
    " (export \"output-stream\" (type $r3 (eq $r2)))"                          \
    " (export \"get-stdout\" (func (result (own $r3))))))"                     \
    " (core module $mm (memory (export \"m\") 1))"                             \
    " (core instance $mi (instantiate $mm))"                                   \
    " (alias core export $mi \"m\" (core memory $mem))"                        \
    " (core func $g (canon lower (func $o \"get-stdout\")))"                   \
    " (core func $w (canon lower (func $s \"[method]output-stream." function   \
    "\") (memory $mem)))"                                                      \
    " (core module $m (import \"h\" \"g\" (func $g (result i32)))"             \
    " (import \"h\" \"w\" (func $w (param i32 i64 i32)))"                      \
    " (func (export \"run\") (call $w (call $g) (i64.const " count ")"         \
    "  (i32.const 0))))"                                                       \
    " (core instance $x (instantiate $m (with \"h\" (instance"                 \
    " (export \"g\" (func $g)) (export \"w\" (func $w))))))"                   \
    " (func (export \"run\") (canon lift (core func $x \"run\"))))"

static void zeroes_are_written(const char *wat)
{
    assert_int_equal(run(wat), TH_GUEST_IDLE);
    assert_int_equal(g.output_bytes, 65536);
    world_guest_end(&g);
}

static void zeroes_are_too_many(const char *wat)
{
    assert_int_equal(run(wat), TH_GUEST_DEAD);
    assert_int_equal(g.err.status, THEATER_TRAPPED);
    assert_non_null(strstr(g.err.text, "more than check-write allows"));
    assert_int_equal(g.output_bytes, 0);
    world_guest_end(&g);
}

static void zeroes_are_written_within_what_is_permitted(void **state)
{
    (void)state;
    zeroes_are_written(ZEROES("write-zeroes", "65536"));
    zeroes_are_written(ZEROES("blocking-write-zeroes-and-flush", "65536"));
    zeroes_are_too_many(ZEROES("write-zeroes", "65537"));
    zeroes_are_too_many(ZEROES("write-zeroes", "-1"));
    zeroes_are_too_many(ZEROES("blocking-write-zeroes-and-flush", "65537"));
}

static bool is_poor;

static void *poor_alloc(void *ctx, size_t size, size_t align)
{
    return is_poor ? NULL : theater_env_default()->alloc(ctx, size, align);
}

/* The reason needs no memory, and a function's name is not taken for it. The
 * start function has the stack made while there is memory. */
static void an_exhausted_stack_is_told_without_memory(void **state)
{
    (void)state;
    world_close(&world);
    theater_env_t poor = *theater_env_default();
    poor.alloc = poor_alloc;
    world_open(&world, &poor, false, NULL);
    assert_int_equal(world_guest_new(&world, &g,
                                     "(component (core module $m (func"
                                     " $\"wasm trap: integer overflow\""
                                     " (export \"run\") (call 0))"
                                     " (func $start) (start $start))"
                                     " (core instance $x (instantiate $m))"
                                     " (func (export \"run\")"
                                     "  (canon lift (core func $x \"run\"))))"),
                     THEATER_OK);
    is_poor = true;
    enum th_guest_state ended = world_run(&g, TH_ENTER_RUN);
    is_poor = false;
    assert_int_equal(ended, TH_GUEST_DEAD);
    assert_int_equal(g.err.status, THEATER_LIMIT);
    assert_non_null(strstr(g.err.text, "stack: "));
    world_guest_end(&g);
    world_close(&world);
    world_open(&world, NULL, false, NULL);
}

/* Whatever the bytes are: they are loaded, or refused with a reason. */
static void try_bytes(const uint8_t *data, size_t len)
{
    struct th_module *module = NULL;
    theater_error_t err = {0};
    theater_status_t status =
        th_engine_load(world.engine, "bytes.wasm", (theater_bytes_t){data, len},
                       TH_STACK_SMALL, world.grants, 1, &module, &err);
    if (status == THEATER_OK) {
        th_module_release(module);
    } else {
        assert_int_equal(status, THEATER_BAD_MODULE);
        assert_true(err.text[0] != '\0');
    }
}

static void damaged_bytes_do_no_harm(void **state)
{
    wasm_byte_vec_t wasm;
    (void)state;
    assert_null(wasmtime_wat2wasm(SLEEPER, strlen(SLEEPER), &wasm));
    uint8_t *copy = malloc(wasm.size);
    assert_non_null(copy);
    for (size_t i = 0; i < wasm.size; i++) {
        memcpy(copy, wasm.data, wasm.size);
        try_bytes(copy, i);
        copy[i] ^= (uint8_t)(1U << (i % 8));
        try_bytes(copy, wasm.size);
    }
    free(copy);
    wasm_byte_vec_delete(&wasm);
    world_close(&world);
    world_open(&world, NULL, false, NULL);
}

static bool load_with(const char *dir)
{
    struct th_module *module = NULL;
    theater_error_t err;
    world_open(&world, NULL, false, dir);
    assert_int_equal(world_load(&world, SLEEPER, TH_STACK_SMALL, &module, &err),
                     THEATER_OK);
    bool cached = th_module_was_cached(module);
    th_module_release(module);
    assert_string_equal(world.notices, "");
    world_close(&world);
    return cached;
}

static void compiled_components_are_kept_between_runs(void **state)
{
    char dir[] = "/tmp/theater-component-XXXXXX";
    char command[80];
    (void)state;
    assert_non_null(mkdtemp(dir));
    world_close(&world);
    assert_false(load_with(dir));
    assert_true(load_with(dir));
    (void)snprintf(command, sizeof command, "rm -rf %s", dir);
    assert_int_equal(system(command), 0);
    world_open(&world, NULL, false, NULL);
}

#define TEST(name)                                                             \
    cmocka_unit_test_setup_teardown(name, set_up_world, tear_down_world)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(wrong_imports_and_exports_are_named),
        TEST(a_program_for_a_command_line_is_told_what_to_export),
        TEST(what_wasi_does_not_serve_traps_with_its_name),
        TEST(exit_ends_the_actor),
        TEST(a_poll_suspends_until_its_time),
        TEST(one_that_polls_can_be_ended),
        TEST(a_trap_names_its_kind_and_function),
        TEST(the_stack_has_its_limit),
        TEST(host_functions_have_room_below_a_deep_guest),
        TEST(realloc_has_room_below_a_deep_guest),
        TEST(an_import_whose_types_are_too_deep_is_refused),
        TEST(too_many_imports_and_exports_are_refused),
        TEST(an_import_whose_types_are_too_wide_is_refused),
        TEST(types_that_need_tasks_are_refused),
        TEST(what_instances_hold_is_bounded),
        TEST(one_instance_may_hold_too_much),
        TEST(handles_have_a_limit),
        TEST(what_an_instance_holds_is_seen_in_the_file),
        TEST(zeroes_are_written_within_what_is_permitted),
        TEST(an_exhausted_stack_is_told_without_memory),
        TEST(clocks_that_are_never_dropped_have_a_limit),
        TEST(memories_have_one_limit),
        TEST(damaged_bytes_do_no_harm),
        TEST(compiled_components_are_kept_between_runs),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
