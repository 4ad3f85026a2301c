/* SPDX-License-Identifier: Apache-2.0 */
/* Design notes: modules that are none, or none for here. One that is cut off
 * must be refused; one with a byte changed may still be a module, and then it
 * is an actor like others: within its limits. */
#include "cage.h"
#include "cases.h"

#include <stdlib.h>

#define LEN(table) (sizeof(table) / sizeof *(table))
#define MANIFEST                                                               \
    "[limits]\nrun_time = \"20ms\"\ndelivery_time = \"20ms\"\n"                \
    "memory = \"1MiB\"\n[[handler]]\ntype = \"runtime\"\n"                     \
    "[[handler]]\ntype = \"message-server\"\n"

static const theater_bytes_t nothing = {NULL, 0};

/* A module with something in every section. */
static const char whole[] =
    "(module " WAT_SEND WAT_LOG WAT_NOW WAT_STOP
    "(memory (export \"memory\") 1 4)" WAT_REALLOC
    "(type $t (func (result i32))) (table 4 funcref)"
    "(elem (i32.const 1) $one $two) (data (i32.const 16) \"left\")"
    "(data $passive \"passive\")"
    "(func $one (result i32) (i32.const 1))"
    "(func $two (result i32) (i32.load offset=4 (i32.const 8)))"
    "(func $init (i32.store (i32.const 0) (i32.const 7))) (start $init)"
    "(func (export \"run\") (local i32 i64)"
    " (memory.init $passive (i32.const 32) (i32.const 0) (i32.const 7))"
    " (drop (memory.grow (i32.const 1)))"
    " (loop $l (local.set 0 (i32.add (local.get 0) (i32.const 1)))"
    "  (drop (call_indirect (type $t) (i32.const 1)))"
    "  (drop (call_indirect (type $t) (i32.const 2)))"
    "  (br_if $l (i32.lt_u (local.get 0) (i32.const 50))))"
    " (local.set 1 (call $now))"
    " (call $log (i32.const 2) (i32.const 32) (i32.const 7))"
    " (call $send (i32.const 32) (i32.const 7) (i32.const 16) (i32.const 4)"
    "  (i32.const 64)))"
    "(func (export \"handle-send\") (param i32 i32) (local f64)"
    " (local.set 2 (f64.convert_i32_u (local.get 0)))"
    " (call $stop (i32.const 16) (i32.const 4))))";

size_t hostile_truncated(void)
{
    theater_bytes_t wasm = cage_wasm_of(whole);
    theater_error_t err;
    unsigned id;
    size_t cases = 0;
    cage_watch_begin();
    for (size_t len = 0; len < wasm.len; len++) {
        theater_bytes_t cut = {wasm.data, len};
        theater_status_t status =
            cage_spawn_wasm(cut, MANIFEST, nothing, &id, &err);
        if (status == THEATER_OK) { /* at the end of a section */
            cage_stop(id);
            continue;
        }
        if (status != THEATER_BAD_MODULE || err.text[0] == '\0') {
            fail_msg("%zu bytes of %zu: %s: %s", len, wasm.len,
                     theater_status_name(status), err.text);
        }
        cases++;
    }
    cage_watch_end("truncated modules");
    assert_true(cases + 8 > wasm.len);
    free((void *)(uintptr_t)wasm.data);
    return cases;
}

static uint64_t next_random(uint64_t *seed)
{
    *seed ^= *seed << 13;
    *seed ^= *seed >> 7;
    *seed ^= *seed << 17;
    return *seed;
}

static bool refusal(theater_status_t status)
{
    return status == THEATER_BAD_MODULE || status == THEATER_LIMIT ||
           status == THEATER_TRAPPED;
}

size_t hostile_mutated(unsigned seed)
{
    enum { MUTANTS = 400 };
    theater_bytes_t wasm = cage_wasm_of(whole);
    uint64_t random = 88172645463325252u + seed;
    uint8_t *copy = malloc(wasm.len);
    theater_error_t err;
    unsigned id;
    size_t ran = 0;
    assert_non_null(copy);
    cage_watch_begin();
    for (size_t i = 0; i < MUTANTS; i++) {
        uint64_t r = next_random(&random);
        memcpy(copy, wasm.data, wasm.len);
        size_t at = 8 + (size_t)(r >> 8) % (wasm.len - 8);
        copy[at] = (uint8_t)(copy[at] ^ (1 + r % 255));
        theater_status_t status = cage_spawn_wasm(
            (theater_bytes_t){copy, wasm.len}, MANIFEST, nothing, &id, &err);
        if (status == THEATER_OK) {
            ran++;
            cage_stop(id);
        } else if (!refusal(status)) {
            fail_msg("seed %u, mutant %zu: %s: %s", seed, i,
                     theater_status_name(status), err.text);
        }
    }
    cage_watch_end("mutated modules");
    print_message("  %zu of %d mutants ran\n", ran, (int)MUTANTS);
    free(copy);
    free((void *)(uintptr_t)wasm.data);
    return MUTANTS;
}

/* --- By hand ------------------------------------------------------------- */

struct module {
    const char *what, *wat, *says;
};

#define REALLOC4 "(param i32 i32 i32 i32) (result i32)"

static const struct module modules[] = {
    {"memory64", "(module (memory i64 1))", "not a module that can run"},
    {"shared memory", "(module (memory 1 2 shared))",
     "not a module that can run"},
    {"atomics",
     "(module (memory 1 1 shared) (func (drop (i32.atomic.load"
     " (i32.const 0)))))",
     "not a module that can run"},
    {"two memories", "(module (memory 1) (memory 1))",
     "not a module that can run"},
    {"exceptions", "(module (tag $e) (func (throw $e)))",
     "not a module that can run"},
    {"GC structs", "(module (type (struct (field i32))))",
     "not a module that can run"},
    {"GC arrays", "(module (type (array (mut i8))))",
     "not a module that can run"},
    {"stack switching", "(module (type $f (func)) (type $c (cont $f)))",
     "not a module that can run"},
    {"pages of another size", "(module (memory 1 (pagesize 1)))",
     "not a module that can run"},
    {"a host function that is not there",
     "(module (import " CAGE_MS " \"send-all\" (func)))",
     "which no handler of its manifest grants"},
    {"an interface that is not there",
     "(module (import \"theater:actor/root@0.1.0\" \"send\" (func)))",
     "which no handler of its manifest grants"},
    {"another version",
     "(module (import \"theater:actor/message-server@9.0.0\" \"send\""
     " (func (param i32 i32 i32 i32 i32))))",
     "which no handler of its manifest grants"},
    {"no version",
     "(module (import \"theater:actor/message-server\" \"send\""
     " (func (param i32 i32 i32 i32 i32))))",
     "which no handler of its manifest grants"},
    {"an imported memory", "(module (import \"env\" \"memory\" (memory 1)))",
     "which no handler of its manifest grants"},
    {"an imported table", "(module (import \"env\" \"t\" (table 1 funcref)))",
     "which no handler of its manifest grants"},
    {"an imported global", "(module (import \"env\" \"g\" (global (mut i32))))",
     "which no handler of its manifest grants"},
    {"a host function imported as a global",
     "(module (import " CAGE_MS " \"send\" (global i32)))", "send"},
    {"the engine's own loop module",
     "(module (import \"theater\" \"next\" (func)))",
     "which no handler of its manifest grants"},
    {"sockets",
     "(module (import \"wasi_snapshot_preview1\" \"sock_open\""
     " (func)))",
     "which no handler of its manifest grants"},
    {"send with a parameter too few",
     "(module (import " CAGE_MS " \"send\" (func (param i32 i32 i32 i32))))",
     "send"},
    {"send with i64",
     "(module (import " CAGE_MS " \"send\""
     " (func (param i64 i32 i32 i32 i32))))",
     "send"},
    {"log with a result",
     "(module (import " CAGE_RT " \"log\""
     " (func (param i32 i32 i32) (result i32))))",
     "log"},
    {"run with a parameter", "(module (func (export \"run\") (param i32)))",
     "run"},
    {"run that is a memory", "(module (memory (export \"run\") 1))", "run"},
    {"handle-send with a result",
     "(module " WAT_MEMORY WAT_REALLOC "(func (export \"handle-send\")"
     " (param i32 i32) (result i32) (i32.const 0)))",
     "handle-send"},
    {"handle-request without one",
     "(module " WAT_MEMORY WAT_REALLOC "(func (export \"handle-request\")"
     " (param i32 i32)))",
     "handle-request"},
    {"handle-channel-open of references",
     "(module " WAT_MEMORY WAT_REALLOC "(func (export"
     " \"handle-channel-open\") (param externref) (result i32)"
     " (i32.const 0)))",
     "not a module that can run"},
    {"cabi_realloc without a result",
     "(module " WAT_MEMORY "(func (export \"cabi_realloc\")"
     " (param i32 i32 i32 i32)))",
     "cabi_realloc"},
    {"cabi_post_handle-request of i64",
     "(module " WAT_MEMORY WAT_REALLOC "(func (export \"handle-request\")"
     " (param i32 i32) (result i32) (i32.const 0))"
     "(func (export \"cabi_post_handle-request\") (param i64)))",
     "cabi_post_handle-request"},
    {"no memory for what is delivered",
     "(module (func (export \"cabi_realloc\") " REALLOC4 " (i32.const 0))"
     "(func (export \"handle-send\") (param i32 i32)))",
     "memory"},
    {"a memory that is a global",
     "(module (global (export \"memory\") i32 (i32.const 0))"
     "(func (export \"cabi_realloc\") " REALLOC4 " (i32.const 0))"
     "(func (export \"handle-send\") (param i32 i32)))",
     "memory"},
    {"no cabi_realloc for what is delivered",
     "(module " WAT_MEMORY "(func (export \"handle-send\") (param i32 i32)))",
     "cabi_realloc"},
};

static void must_refuse(const char *what, theater_bytes_t wasm,
                        const char *says)
{
    theater_error_t err = {0};
    unsigned id;
    theater_status_t status =
        cage_spawn_wasm(wasm, MANIFEST, nothing, &id, &err);
    if (status != THEATER_BAD_MODULE || strstr(err.text, says) == NULL) {
        fail_msg("%s: %s: `%s` is not in: %s", what,
                 theater_status_name(status), says, err.text);
    }
}

static void refuse_bytes(void)
{
    static const struct {
        const char *what, *bytes;
        size_t len;
        const char *says;
    } cases[] = {
        {"an empty file", "", 0, "not a WebAssembly module"},
        {"another file", "\177ELF\2\1\1\0\0\0", 10, "not a WebAssembly module"},
        {"a component cut short", "\0asm\r\0\1\0\1", 9,
         "not a module that can run"},
        {"a component of a version to come", "\0asm\xe\0\1\0", 8, "not a"},
        {"a version to come", "\0asm\2\0\0\0", 8, "not a"},
        {"a section longer than the file", "\0asm\1\0\0\0\1\xff\xff\xff\x7f",
         13, "not a module that can run"},
        {"a vector of 4 billion", "\0asm\1\0\0\0\1\5\xff\xff\xff\xff\xf", 15,
         "not a module that can run"},
        {"sections in disorder", "\0asm\1\0\0\0\3\1\0\1\1\0", 14,
         "not a module that can run"},
        {"a section that is not known", "\0asm\1\0\0\0\x7f\1\0", 11,
         "not a module that can run"},
        {"a name that is not UTF-8", "\0asm\1\0\0\0\0\2\1\xff", 12,
         "not a module that can run"},
    };
    for (size_t i = 0; i < LEN(cases); i++) {
        must_refuse(
            cases[i].what,
            (theater_bytes_t){(const uint8_t *)cases[i].bytes, cases[i].len},
            cases[i].says);
    }
}

/* Text of many small things: `each` repeated. */
static char *many(const char *head, const char *each, size_t times,
                  const char *tail)
{
    size_t len = strlen(each);
    char *wat = malloc(strlen(head) + len * times + strlen(tail) + 1);
    assert_non_null(wat);
    char *at = stpcpy(wat, head);
    for (size_t i = 0; i < times; i++) {
        at = stpcpy(at, each);
    }
    (void)stpcpy(at, tail);
    return wat;
}

/* They may be made or refused; what counts is that it does not take for ever
 * and that the bystanders go on meanwhile. */
static void bulky(const char *what, char *wat)
{
    theater_error_t err = {0};
    unsigned id;
    theater_bytes_t wasm = cage_wasm_of(wat);
    free(wat);
    cage_watch_begin();
    uint64_t since = stage_now();
    theater_status_t status =
        cage_spawn_wasm(wasm, MANIFEST, nothing, &id, &err);
    uint64_t ms = (stage_now() - since) / 1000000;
    print_message("  %s: %s after %llu ms: %s\n", what,
                  theater_status_name(status), (unsigned long long)ms,
                  err.text);
    if (status == THEATER_OK) {
        const char *text;
        cage_stop(id);
        (void)cage_await_end(id, &status, &text);
    } else {
        assert_true(refusal(status));
    }
    cage_watch_end(what);
    free((void *)(uintptr_t)wasm.data);
}

size_t hostile_modules(void)
{
    for (size_t i = 0; i < LEN(modules); i++) {
        theater_bytes_t wasm = cage_wasm_of(modules[i].wat);
        cage_watch_begin();
        must_refuse(modules[i].what, wasm, modules[i].says);
        cage_watch_end(modules[i].what);
        free((void *)(uintptr_t)wasm.data);
    }
    refuse_bytes();
    bulky("100,000 functions", many("(module ", "(func)", 100000, ")"));
    bulky("50,000 locals",
          many("(module (func (export \"run\") (local", " i64", 50000, ")))"));
    bulky("100,000 globals",
          many("(module ", "(global i32 (i32.const 0))", 100000, ")"));
    char *ends = many("", "end ", 20000, "))");
    bulky("20,000 blocks in one another",
          many("(module (func (export \"run\") ", "block ", 20000, ends));
    free(ends);
    bulky("1,000 tables", many("(module ", "(table 9 funcref)", 1000, ")"));
    bulky("1,000 types", many("(module ", "(type (func))", 1000, ")"));
    bulky("5,000 data segments of one place",
          many("(module (memory 1) ", "(data (i32.const 0) \"x\")", 5000, ")"));
    bulky("100,000 instructions in one function",
          many("(module (func (export \"run\") ", "(drop (i32.const 1))",
               100000, "))"));
    return LEN(modules) + 9 + 8;
}
