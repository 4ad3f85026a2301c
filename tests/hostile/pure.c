/* SPDX-License-Identifier: Apache-2.0 */
/* Design notes: hostile actors that are WebAssembly text: those that burn the
 * processor, memory and stack, and those whose cabi_realloc or answers lie.
 * Each row: what it does, its text, how it must end, and by what name. */
#include "pests.h"

#define RUN(body) "(module (func (export \"run\") " body "))"
#define HANDLER(name, type, body)                                              \
    "(module " WAT_MEMORY WAT_REALLOC "(func (export \"" name "\") " type      \
    " " body "))"
#define BYTES "(param i32 i32)"
#define TWO "(param i32 i32 i32 i32)"
#define BURN "(loop $l (br $l)) unreachable"
#define LOOPS(name, wat, says)                                                 \
    {name,      wat,  CAGE_FAILS, THEATER_LIMIT, says,                         \
     CAGE_NONE, NULL, NULL,       NULL,          NULL}
#define POKED(name, wat, how, says)                                            \
    {name, wat, CAGE_FAILS, THEATER_LIMIT, says, how, NULL, NULL, NULL, NULL}
#define TRAPS(name, wat, how, says)                                            \
    {name, wat, CAGE_FAILS, THEATER_TRAPPED, says, how, NULL, NULL, NULL, NULL}
#define REFUSED(name, wat, status, says)                                       \
    {name, wat, CAGE_REFUSED, status, says, CAGE_NONE, NULL, NULL, NULL, NULL}

const struct hostile cage_cpu[] = {
    {"an empty loop, for long", RUN(BURN), CAGE_FAILS, THEATER_LIMIT,
     "run_time", CAGE_NONE, "run_time = \"600ms\"", NULL, NULL, NULL},
    LOOPS("an empty loop", RUN(BURN), "run_time"),
    LOOPS("a loop that calls",
          "(module (func $f) (func (export \"run\")"
          " (loop $l (call $f) (br $l))))",
          "run_time"),
    LOOPS("a loop that calls through a table",
          "(module (type $t (func)) (table 1 funcref) (elem (i32.const 0) $f)"
          "(func $f) (func (export \"run\") (loop $l"
          " (call_indirect (type $t) (i32.const 0)) (br $l))))",
          "run_time"),
    LOOPS("a maze of br_table",
          "(module (global $n (mut i32) (i32.const 1))"
          "(func (export \"run\") (loop $a (loop $b (loop $c (loop $d"
          " (global.set $n (i32.add (i32.mul (global.get $n)"
          "  (i32.const 1103515245)) (i32.const 12345)))"
          " (br_table $a $b $c $d (i32.and (i32.shr_u (global.get $n)"
          "  (i32.const 16)) (i32.const 3)))))))))",
          "run_time"),
    LOOPS("a loop of floating point",
          RUN("(local f64) (loop $l (local.set 0 (f64.sqrt (f64.div"
              " (local.get 0) (f64.const 1e-320)))) (br $l))"),
          "run_time"),
    LOOPS("a loop that fills all memory",
          "(module (memory 512) (func (export \"run\") (loop $l (memory.fill"
          " (i32.const 0) (i32.const 7) (i32.const 33554432)) (br $l))))",
          "run_time"),
    LOOPS("a loop that copies memory over itself",
          "(module (memory 512) (func (export \"run\") (loop $l (memory.copy"
          " (i32.const 0) (i32.const 1) (i32.const 33554431)) (br $l))))",
          "run_time"),
    LOOPS("a loop that asks for the time",
          "(module " WAT_NOW "(func (export \"run\")"
          " (loop $l (drop (call $now)) (br $l))))",
          "run_time"),
    LOOPS("a loop that asks for its name",
          "(module " WAT_NAME WAT_MEMORY
          "(func (export \"cabi_realloc\") (param i32 i32 i32 i32)"
          " (result i32) (i32.const 1024))"
          "(func (export \"run\") (loop $l (call $name (i32.const 64))"
          " (br $l))))",
          "run_time"),
    LOOPS("a loop of calls with wrong names",
          "(module " WAT_SEND WAT_MEMORY
          "(func (export \"cabi_realloc\") (param i32 i32 i32 i32)"
          " (result i32) (i32.const 1024))"
          "(func (export \"run\") (loop $l (call $send (i32.const 0)"
          " (i32.const 9) (i32.const 0) (i32.const 9) (i32.const 64))"
          " (br $l))))",
          "run_time"),
    POKED("a loop in handle-send", HANDLER("handle-send", BYTES, BURN),
          CAGE_SEND, "delivery_time"),
    POKED("a loop in handle-request",
          HANDLER("handle-request", BYTES "(result i32)", BURN), CAGE_REQUEST,
          "delivery_time"),
    POKED("a loop in cabi_post_handle-request",
          "(module " WAT_MEMORY WAT_REALLOC
          "(func (export \"handle-request\") (param i32 i32) (result i32)"
          " (i32.const 64))"
          "(func (export \"cabi_post_handle-request\") (param i32) " BURN "))",
          CAGE_REQUEST, "delivery_time"),
    POKED("a loop in handle-channel-open",
          HANDLER("handle-channel-open", TWO "(result i32)", BURN), CAGE_OPEN,
          "delivery_time"),
    POKED("a loop in handle-channel-message",
          "(module " WAT_MEMORY WAT_REALLOC
          "(func (export \"handle-channel-open\") " TWO
          " (result i32) (i32.const 1))"
          "(func (export \"handle-channel-message\") " TWO " " BURN "))",
          CAGE_STREAM, "delivery_time"),
    POKED("a loop in handle-channel-close",
          "(module " WAT_MEMORY WAT_REALLOC
          "(func (export \"handle-channel-open\") " TWO
          " (result i32) (i32.const 1))"
          "(func (export \"handle-channel-message\") " TWO ")"
          "(func (export \"handle-channel-close\") " BYTES " " BURN "))",
          CAGE_CLOSE, "delivery_time"),
    POKED("a loop in cabi_realloc",
          "(module " WAT_MEMORY "(func (export \"cabi_realloc\") " TWO
          "(result i32) " BURN ")"
          "(func (export \"handle-send\") " BYTES "))",
          CAGE_SEND, "delivery_time"),
    POKED("a loop in handle-stop",
          "(module " WAT_LOG WAT_MEMORY WAT_REALLOC WAT_DONE
          "(func (export \"run\") (call $done))"
          "(func (export \"handle-stop\") " BYTES " " BURN "))",
          CAGE_STOP, "delivery_time"),
    REFUSED("a loop in the start function",
            "(module (func $f " BURN ") (start $f))", THEATER_LIMIT,
            "run_time"),
    REFUSED("a loop in _initialize",
            "(module (func (export \"_initialize\") " BURN "))", THEATER_LIMIT,
            "run_time"),
    LOOPS("a loop in _start", "(module (func (export \"_start\") " BURN "))",
          "run_time"),
};

#define BOMB(name, wat, says)                                                  \
    {name,                                                                     \
     wat,                                                                      \
     CAGE_FAILS,                                                               \
     THEATER_LIMIT,                                                            \
     says,                                                                     \
     CAGE_NONE,                                                                \
     "memory = \"4MiB\"\nrun_time = \"30ms\"",                                 \
     NULL,                                                                     \
     NULL,                                                                     \
     NULL}
#define TOO_BIG(name, wat, status, says)                                       \
    {name, wat,  CAGE_REFUSED, status, says, CAGE_NONE, "memory = \"4MiB\"",   \
     NULL, NULL, NULL}

const struct hostile cage_memory[] = {
    BOMB("memory grown for ever, page by page",
         "(module (memory 1) (func (export \"run\")"
         " (loop $l (drop (memory.grow (i32.const 1))) (br $l))))",
         "run_time"),
    BOMB("memory grown by 4 GiB at once",
         "(module (memory 1) (func (export \"run\")"
         " (drop (memory.grow (i32.const 65535)))"
         " (loop $l (br $l))))",
         NULL),
    BOMB("memory grown and every page touched",
         "(module (memory 1) (func (export \"run\") (local i32)"
         " (loop $l (i32.store (i32.mul (memory.grow (i32.const 1))"
         "  (i32.const 65536)) (i32.const 1)) (br $l))))",
         "memory"),
    TRAPS("a store behind the end",
          "(module (memory 1) (func (export \"run\")"
          " (i32.store (i32.const 65533) (i32.const 1))))",
          CAGE_NONE, "out of bounds"),
    TRAPS("a load with the greatest offset",
          "(module (memory 1) (func (export \"run\") (drop"
          " (i64.load offset=0xffffffff (i32.const -1)))))",
          CAGE_NONE, "out of bounds"),
    TRAPS("all addresses are tried, one page apart",
          "(module (memory 1) (func (export \"run\") (local i32)"
          " (loop $l (drop (i32.load8_u (local.get 0))) (local.set 0 (i32.add"
          " (local.get 0) (i32.const 4096))) (br $l))))",
          CAGE_NONE, "out of bounds"),
    TRAPS("a copy that leaves memory",
          "(module (memory 1) (func (export \"run\") (memory.copy"
          " (i32.const 0) (i32.const 1) (i32.const 65536))))",
          CAGE_NONE, "out of bounds"),
    TRAPS("a fill with the greatest length",
          "(module (memory 1) (func (export \"run\") (memory.fill"
          " (i32.const 1) (i32.const 1) (i32.const -1))))",
          CAGE_NONE, "out of bounds"),
    LOOPS("a table grown for ever",
          "(module (table 1 funcref) (func (export \"run\") (loop $l (drop"
          " (table.grow (ref.null func) (i32.const 1000))) (br $l))))",
          "run_time"),
    TRAPS("a table grown behind its bound is not there",
          "(module (table 1 funcref) (func (export \"run\") (table.set"
          " (table.grow (ref.null func) (i32.const 0x10000000))"
          " (ref.null func))))",
          CAGE_NONE, "out of bounds"),
    TRAPS("a call through a null in a table",
          "(module (table 1 funcref) (type $t (func)) (func (export \"run\")"
          " (call_indirect (type $t) (i32.const 0))))",
          CAGE_NONE, NULL),
    TRAPS("a call through a table with another signature",
          "(module (type $t (func (param i64))) (table 1 funcref)"
          "(elem (i32.const 0) $f) (func $f) (func (export \"run\")"
          " (call_indirect (type $t) (i64.const 1) (i32.const 0))))",
          CAGE_NONE, "another type"),
    TOO_BIG("more memory than the limit from the start", "(module (memory 65))",
            THEATER_LIMIT, "memory"),
    TOO_BIG("4 GiB from the start", "(module (memory 65536))", THEATER_LIMIT,
            "memory"),
    TOO_BIG("a table of 4 billion from the start",
            "(module (table 0xffffffff funcref))", THEATER_LIMIT, NULL),
    TOO_BIG("a data segment behind the end",
            "(module (memory 1) (data (i32.const 65533) \"bomb\"))",
            THEATER_TRAPPED, "out of bounds"),
    TOO_BIG("an element segment behind the end",
            "(module (table 1 funcref) (func $f) (elem (i32.const 1) $f))",
            THEATER_TRAPPED, "out of bounds"),
};

#define DEEP(name, wat)                                                        \
    {name,                                                                     \
     wat,                                                                      \
     CAGE_FAILS,                                                               \
     THEATER_LIMIT,                                                            \
     "stack",                                                                  \
     CAGE_NONE,                                                                \
     "run_time = \"2s\"\ndelivery_time = \"2s\"",                              \
     NULL,                                                                     \
     NULL,                                                                     \
     NULL}

const struct hostile cage_stack[] = {
    DEEP("recursion", "(module (func $f (export \"run\") (call $f)))"),
    DEEP("mutual recursion", "(module (func $f (export \"run\") (call $g))"
                             "(func $g (call $h)) (func $h (call $f)))"),
    DEEP("recursion through a table",
         "(module (type $t (func)) (table 1 funcref) (elem (i32.const 0) $f)"
         "(func $f (export \"run\") (call_indirect (type $t) (i32.const 0))))"),
    DEEP("recursion with much on each level",
         "(module (func $f (param i64 i64 i64 i64 i64 i64 i64 i64) (result i64)"
         " (i64.add (local.get 7) (call $f (local.get 1) (local.get 2)"
         "  (local.get 3) (local.get 4) (local.get 5) (local.get 6)"
         "  (i64.mul (local.get 0) (local.get 7)) (local.get 0))))"
         "(func (export \"run\") (drop (call $f (i64.const 1) (i64.const 2)"
         " (i64.const 3) (i64.const 4) (i64.const 5) (i64.const 6)"
         " (i64.const 7) (i64.const 8)))))"),
    DEEP("a host call on every level",
         "(module " WAT_NOW "(func $f (export \"run\")"
         " (drop (call $now)) (call $f) (drop (call $now))))"),
    DEEP(
        "a host call that allocates on every level",
        "(module " WAT_NAME WAT_MEMORY "(func (export \"cabi_realloc\") " TWO
        "(result i32)"
        " (i32.const 1024)) (func $f (export \"run\")"
        " (call $name (i32.const 64)) (call $f) (call $name (i32.const 64))))"),
    {"recursion in a handler",
     HANDLER("handle-send", BYTES,
             "(call $f))"
             "(func $f (call $f)"),
     CAGE_FAILS, THEATER_LIMIT, "stack", CAGE_SEND, "delivery_time = \"2s\"",
     NULL, NULL, NULL},
    {"recursion in cabi_realloc",
     "(module " WAT_MEMORY "(func $r (export \"cabi_realloc\") " TWO
     "(result i32) (call $r (local.get 0) (local.get 1) (local.get 2)"
     " (local.get 3))) (func (export \"handle-send\") " BYTES "))",
     CAGE_FAILS, THEATER_LIMIT, "stack", CAGE_SEND, "delivery_time = \"2s\"",
     NULL, NULL, NULL},
    {"recursion on the large stack",
     "(module (func $f (export \"run\") (call $f)))", CAGE_FAILS, THEATER_LIMIT,
     "stack", CAGE_NONE, "run_time = \"2s\"\nstack = \"large\"", NULL, NULL,
     NULL},
    {"recursion in the start function",
     "(module (func $f (call $f)) (start $f))", CAGE_REFUSED, THEATER_LIMIT,
     "stack", CAGE_NONE, "run_time = \"2s\"", NULL, NULL, NULL},
};

#define REALLOC(name, body, says)                                              \
    {name,                                                                     \
     "(module " WAT_SEND WAT_REQUEST WAT_STOP WAT_MEMORY                       \
     "(data (i32.const 16) \"left\")"                                          \
     "(func $realloc (export \"cabi_realloc\") " TWO "(result i32) " body ")"  \
     "(func (export \"handle-send\") " BYTES "))",                             \
     CAGE_FAILS,                                                               \
     THEATER_TRAPPED,                                                          \
     says,                                                                     \
     CAGE_SEND,                                                                \
     NULL,                                                                     \
     NULL,                                                                     \
     NULL,                                                                     \
     NULL}
#define REPLY(name, body, says)                                                \
    TRAPS(name, HANDLER("handle-request", BYTES "(result i32)", body),         \
          CAGE_REQUEST, says)

const struct hostile cage_lies[] = {
    REALLOC("cabi_realloc answers the highest address", "(i32.const -1)",
            "out of bounds"),
    REALLOC("cabi_realloc answers the end", "(i32.const 65536)",
            "out of bounds"),
    REALLOC("cabi_realloc answers the last byte", "(i32.const 65535)",
            "out of bounds"),
    REALLOC("cabi_realloc answers what wraps round", "(i32.const -6)",
            "out of bounds"),
    REALLOC("cabi_realloc traps", "unreachable", "unreachable"),
    REALLOC("cabi_realloc sends",
            "(call $send (i32.const 16) (i32.const 4) (i32.const 16)"
            " (i32.const 4) (i32.const 64)) (i32.const 1024)",
            "inside cabi_realloc"),
    REALLOC("cabi_realloc asks",
            "(call $request (i32.const 16) (i32.const 4) (i32.const 16)"
            " (i32.const 4) (i32.const 64)) (i32.const 1024)",
            "inside cabi_realloc"),
    REALLOC("cabi_realloc stops the actor",
            "(call $stop (i32.const 16) (i32.const 4)) (i32.const 1024)",
            "inside cabi_realloc"),
    REALLOC("cabi_realloc grows memory, and lies by one page",
            "(i32.mul (i32.add (memory.grow (i32.const 1)) (i32.const 1))"
            " (i32.const 65536))",
            "out of bounds"),
    {"cabi_realloc grows memory each time, and is honest",
     "(module " WAT_LOG WAT_MEMORY "(func (export \"cabi_realloc\") " TWO
     "(result i32) (i32.mul (memory.grow (i32.const 2)) (i32.const "
     "65536)))" WAT_DONE "(func (export \"handle-send\") " BYTES
     " (if (i32.ne (i32.load8_u (local.get 0)) (i32.const 0x70))"
     " (then unreachable)) (call $done)))",
     CAGE_LIVES, THEATER_OK, NULL, CAGE_SEND, NULL, NULL, NULL, NULL},
    {"results over the arguments of their own call",
     "(module " WAT_SEND WAT_LOG WAT_MEMORY
     "(func (export \"cabi_realloc\") " TWO
     "(result i32) (i32.const 64))" WAT_DONE
     "(func (export \"run\") (i32.store (i32.const 64) (i32.const 0x79646f62))"
     " (call $send (i32.const 64) (i32.const 4) (i32.const 64) (i32.const 64)"
     "  (i32.const 64)) (call $done)))",
     CAGE_LIVES, THEATER_OK, NULL, CAGE_NONE, NULL, NULL, NULL, NULL},
    REPLY("an answer behind the end", "(i32.const 65536)", "out of bounds"),
    REPLY("an answer at the highest address", "(i32.const -4)",
          "out of bounds"),
    REPLY("an answer that is not aligned", "(i32.const 66)", "not aligned"),
    REPLY("an answer that is neither",
          "(i32.store8 (i32.const 64) (i32.const 2)) (i32.const 64)",
          "no result"),
    REPLY("an answer longer than memory",
          "(i32.store (i32.const 72) (i32.const -1)) (i32.const 64)",
          "out of bounds"),
    REPLY("an error whose text is not UTF-8",
          "(i32.store8 (i32.const 64) (i32.const 1))"
          "(i32.store8 (i32.const 16) (i32.const 255))"
          "(i32.store (i32.const 68) (i32.const 16))"
          "(i32.store (i32.const 72) (i32.const 1)) (i32.const 64)",
          "not valid UTF-8"),
    TRAPS("an unreachable in run", RUN("unreachable"), CAGE_NONE,
          "unreachable"),
    TRAPS("a division by zero",
          RUN("(drop (i32.div_s (i32.const 1)"
              " (i32.const 0)))"),
          CAGE_NONE, "division by zero"),
    TRAPS("a conversion that overflows",
          RUN("(drop (i32.trunc_f64_s (f64.const 1e300)))"), CAGE_NONE,
          "overflow"),
    {"a crash loop", RUN("unreachable"), CAGE_FAILS, THEATER_TRAPPED,
     "not restarted", CAGE_NONE, NULL, NULL, NULL,
     "restart = \"on-failure\"\nmax_restarts = 3\nrestart_backoff = \"1ms\""},
    {"a crash loop by the limit of time", RUN(BURN), CAGE_FAILS, THEATER_LIMIT,
     "not restarted", CAGE_NONE, "run_time = \"10ms\"", NULL, NULL,
     "restart = \"on-failure\"\nmax_restarts = 3\nrestart_backoff = \"1ms\""},
};

#define LEN(table) (sizeof(table) / sizeof *(table))

const size_t cage_cpu_len = LEN(cage_cpu);
const size_t cage_memory_len = LEN(cage_memory);
const size_t cage_stack_len = LEN(cage_stack);
const size_t cage_lies_len = LEN(cage_lies);
