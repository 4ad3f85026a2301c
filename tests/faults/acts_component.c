/* SPDX-License-Identifier: Apache-2.0 */
/* Scenarios: guests that are components, from their manifest to what they do
 * when they are asked. */
#include "acts_actors.h"

#include <wasmtime.h>

/* Memory for what is passed; it is never given back. */
#define LIBRARY                                                                \
    "(core module $library (memory (export \"memory\") 1)"                     \
    " (global $at (mut i32) (i32.const 4096))"                                 \
    " (func (export \"realloc\") (param i32 i32 i32 i32) (result i32)"         \
    "  (global.get $at)"                                                       \
    "  (global.set $at (i32.add (global.get $at) (i32.and (i32.const -8)"      \
    "   (i32.add (local.get 3) (i32.const 7)))))))"                            \
    "(core instance $l (instantiate $library))"                                \
    "(alias core export $l \"memory\" (core memory $memory))"                  \
    "(alias core export $l \"realloc\" (core func $realloc))"

#define IMPORTS                                                                \
    "(import \"theater:actor/message-server@0.1.0\" (instance $s"              \
    " (type $c1 (enum \"not-found\" \"denied\" \"mailbox-full\" \"timeout\""   \
    "  \"cancelled\" \"closed\" \"rejected\" \"failed\" \"deadlock\""          \
    "  \"too-large\" \"invalid-argument\" \"unsupported\" \"shutting-down\""   \
    "  \"unreachable\"))"                                                      \
    " (export \"error-code\" (type $c (eq $c1)))"                              \
    " (type $e1 (record (field \"code\" $c) (field \"message\" string)))"      \
    " (export \"error\" (type $e (eq $e1)))"                                   \
    " (export \"send\" (func (param \"target\" string)"                        \
    "  (param \"data\" (list u8)) (result (result (error $e)))))))"            \
    "(import \"wasi:io/poll@0.2.1\" (instance $p"                              \
    " (export \"pollable\" (type $r (sub resource)))"                          \
    " (export \"[method]pollable.block\""                                      \
    "  (func (param \"self\" (borrow $r))))"                                   \
    " (export \"poll\" (func (param \"in\" (list (borrow $r)))"                \
    "  (result (list u32))))))"                                                \
    "(alias export $p \"pollable\" (type $r))"                                 \
    "(import \"wasi:clocks/monotonic-clock@0.2.1\" (instance $t"               \
    " (alias outer 1 $r (type $r2))"                                           \
    " (export \"pollable\" (type $r3 (eq $r2)))"                               \
    " (export \"subscribe-duration\""                                          \
    "  (func (param \"when\" u64) (result (own $r3))))))"

#define LOWERED                                                                \
    "(core func $send (canon lower (func $s \"send\") (memory $memory)"        \
    " (realloc $realloc)))"                                                    \
    "(core func $poll (canon lower (func $p \"poll\") (memory $memory)"        \
    " (realloc $realloc)))"                                                    \
    "(core func $block (canon lower (func $p \"[method]pollable.block\")))"    \
    "(core func $clock (canon lower (func $t \"subscribe-duration\")))"

/* A request that begins with s is sent on to "a"; p polls more clocks than
 * there is room for at first, t traps and d goes too deep. Each is answered
 * with itself, as an error if it could not be sent on. */
#define CODE                                                                   \
    "(core module $code (import \"h\" \"memory\" (memory 1))"                  \
    " (import \"h\" \"send\" (func $send (param i32 i32 i32 i32 i32)))"        \
    " (import \"h\" \"poll\" (func $poll (param i32 i32 i32)))"                \
    " (import \"h\" \"block\" (func $block (param i32)))"                      \
    " (import \"h\" \"clock\" (func $clock (param i64) (result i32)))"         \
    " (data (i32.const 64) \"a\")"                                             \
    " (func $wait (local $i i32)"                                              \
    "  (loop (i32.store offset=256 (i32.mul (local.get $i) (i32.const 4))"     \
    "    (call $clock (i64.const 1000000)))"                                   \
    "   (local.set $i (i32.add (local.get $i) (i32.const 1)))"                 \
    "   (br_if 0 (i32.lt_u (local.get $i) (i32.const 20))))"                   \
    "  (call $poll (i32.const 256) (i32.const 20) (i32.const 128))"            \
    "  (call $block (i32.load offset=256 (i32.const 0))))"                     \
    " (func $deep (call $deep))"                                               \
    " (func (export \"handle-send\") (param i32 i32))"                         \
    " (func (export \"handle-request\") (param $d i32) (param $n i32)"         \
    "  (result i32) (local $c i32)"                                            \
    "  (local.set $c (i32.load8_u (local.get $d)))"                            \
    "  (if (i32.eq (local.get $c) (i32.const 115)) (then"                      \
    "   (call $send (i32.const 64) (i32.const 1) (local.get $d)"               \
    "    (local.get $n) (i32.const 128))"                                      \
    "   (i32.store8 (i32.const 192) (i32.load8_u (i32.const 128)))))"          \
    "  (if (i32.eq (local.get $c) (i32.const 112)) (then (call $wait)))"       \
    "  (if (i32.eq (local.get $c) (i32.const 116)) (then (unreachable)))"      \
    "  (if (i32.eq (local.get $c) (i32.const 100)) (then (call $deep)))"       \
    "  (i32.store offset=4 (i32.const 192) (local.get $d))"                    \
    "  (i32.store offset=8 (i32.const 192) (local.get $n))"                    \
    "  (i32.const 192)))"

#define LIFTED                                                                 \
    "(core instance $x (instantiate $code (with \"h\" (instance"               \
    " (export \"memory\" (memory $memory)) (export \"send\" (func $send))"     \
    " (export \"poll\" (func $poll)) (export \"block\" (func $block))"         \
    " (export \"clock\" (func $clock))))))"                                    \
    "(func (export \"handle-send\") (param \"data\" (list u8))"                \
    " (canon lift (core func $x \"handle-send\") (memory $memory)"             \
    "  (realloc $realloc)))"                                                   \
    "(func (export \"handle-request\") (param \"data\" (list u8))"             \
    " (result (result (list u8) (error string)))"                              \
    " (canon lift (core func $x \"handle-request\") (memory $memory)"          \
    "  (realloc $realloc)))"

/* `anew`: with other bytes than before, so that nothing of it is remembered:
 * they end with a custom section "n" that says a number. */
static void write_component(bool anew)
{
    static const char wat[] =
        "(component " LIBRARY IMPORTS LOWERED CODE LIFTED ")";
    static uint32_t number;
    uint8_t section[8] = {0, 6, 1, 'n'};
    wasm_byte_vec_t wasm;
    if (number != 0 && !anew) {
        return;
    }
    number++;
    memcpy(section + 4, &number, sizeof number);
    assert_null(wasmtime_wat2wasm(wat, sizeof wat - 1, &wasm));
    FILE *file =
        fopen(TH_TEST_BUILD_DIR "/tests/guests/faults-component.wasm", "wb");
    assert_non_null(file);
    assert_int_equal(fwrite(wasm.data, 1, wasm.size, file), wasm.size);
    assert_int_equal(fwrite(section, 1, sizeof section, file), sizeof section);
    assert_int_equal(fclose(file), 0);
    wasm_byte_vec_delete(&wasm);
}

/* As "x"; false: it was refused, and nothing is there. */
static bool spawn(struct act *act, bool anew)
{
    write_component(anew);
    theater_manifest_t *manifest = manifest_of(act, "faults-component", "", "");
    theater_status_t status = theater_runtime_spawn(
        act->world->runtime, "x", manifest, NULL, &act->world->err);
    theater_manifest_release(manifest);
    bool spawned = met_spawn(act, status, THEATER_OK);
    assert_true(spawned == theater_router_has(act->router, "x", 1));
    return spawned;
}

/* It may have ended by itself. */
static void end(struct act *act)
{
    theater_runtime_t *runtime = act->world->runtime;
    (void)!theater_runtime_stop(runtime, "x", "next");
    assert_int_equal(theater_runtime_wait_actor(runtime, "x", WORLD_WAIT_MS),
                     THEATER_OK);
    assert_false(theater_router_has(act->router, "x", 1));
}

static void spawn_it(struct act *act)
{
    if (spawn(act, true)) {
        end(act);
    }
}

static void tell_it(struct act *act)
{
    if (spawn(act, false)) {
        (void)met_or(
            act, theater_router_send(act->router, NULL, text("x"), text("-")),
            THEATER_OK, THEATER_NOT_FOUND);
        end(act);
    }
}

static void ask_it(struct act *act)
{
    if (!spawn(act, false)) {
        return;
    }
    if (met_answer(act, request(act, "x", act->text))) {
        assert_string_equal(act->world->answer, act->text);
    }
    end(act);
}

static void break_it(struct act *act)
{
    if (spawn(act, false)) {
        (void)met_or(act, request(act, "x", act->text), THEATER_CLOSED,
                     THEATER_NOT_FOUND);
        end(act);
    }
}

#define ACT(name, run, text) {name, run, &stage_guests, text}
const struct scenario acts_component[] = {
    ACT("a component", spawn_it, NULL),
    ACT("a component that is told", tell_it, NULL),
    ACT("a component that answers", ask_it, "-"),
    ACT("a component that sends", ask_it, "send"),
    ACT("a component that polls clocks", ask_it, "poll"),
    ACT("a component that traps", break_it, "trap"),
    ACT("a component that goes too deep", break_it, "deep"),
};
const size_t acts_component_len =
    sizeof acts_component / sizeof acts_component[0];
