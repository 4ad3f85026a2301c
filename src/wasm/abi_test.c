/* SPDX-License-Identifier: Apache-2.0 */
/* Design notes
 *
 * Guests that do not keep to the canonical ABI: pointers that are wrong in
 * every way, cabi_realloc that misbehaves, strings that are none. Each traps
 * with that reason, and the next guest works. */
#include "wasm/world_one_testing.h"

#include <stdio.h>

static void dies_of(enum th_guest_entry entry, const char *reason)
{
    assert_int_equal(world_run(&g, entry), TH_GUEST_DEAD);
    assert_int_equal(g.err.status, strcmp(reason, "stack") == 0
                                       ? THEATER_LIMIT
                                       : THEATER_TRAPPED);
    if (strstr(g.err.text, reason) == NULL) {
        fail_msg("`%s` is not in: %s", reason, g.err.text);
    }
}

/* `run` calls send with these five numbers. */
static void send_with(const char *numbers, const char *reason)
{
    char wat[2048];
    (void)snprintf(wat, sizeof wat,
                   "(module " WAT_IMPORT_SEND WAT_MEMORY WAT_REALLOC
                   "(data (i32.const 0) \"good\\ff\\fe\")"
                   "(func (export \"run\") (call $send %s)))",
                   numbers);
    make(wat);
    if (reason != NULL) {
        dies_of(TH_ENTER_RUN, reason);
        assert_int_equal(g.sends, 0);
    } else {
        assert_int_equal(world_run(&g, TH_ENTER_RUN), TH_GUEST_IDLE);
        assert_int_equal(g.sends, 1);
    }
    world_guest_end(&g);
}

#define N(x) "(i32.const " #x ") "

static void every_wrong_pointer_traps_and_nothing_is_sent(void **state)
{
    static const char out[] = "out of bounds";
    (void)state;
    send_with(N(0) N(4) N(0) N(8) N(64), NULL);
    send_with(N(65532) N(4) N(65536) N(0) N(65520), NULL);
    send_with(N(65533) N(4) N(0) N(8) N(64), out);
    send_with(N(-1) N(1) N(0) N(8) N(64), out);
    send_with(N(-4) N(8) N(0) N(8) N(64), out);
    send_with(N(0) N(4) N(0) N(65537) N(64), out);
    send_with(N(0) N(4) N(16) N(-8) N(64), out);
    send_with(N(0) N(-1) N(0) N(0) N(64), out);
    send_with(N(0) N(4) N(65537) N(0) N(64), out);
    send_with(N(0) N(4) N(0) N(8) N(65524), out);
    send_with(N(0) N(4) N(0) N(8) N(-4), out);
    send_with(N(0) N(4) N(0) N(8) N(65), out); /* not aligned */
    send_with(N(0) N(6) N(0) N(8) N(64), "not valid UTF-8");
}

static void wrong_lists_trap(void **state)
{
    static const struct {
        const char *args, *reason;
    } cases[] = {
        {N(64) N(2) N(0) N(0) N(128), NULL},
        {N(65536) N(0) N(0) N(0) N(128), NULL},
        {N(65) N(1) N(0) N(0) N(128), "out of bounds"},
        {N(65528) N(2) N(0) N(0) N(128), "out of bounds"},
        {N(64) N(536870912) N(0) N(0) N(128), "out of bounds"},
        {N(64) N(-1) N(0) N(0) N(128), "out of bounds"},
        {N(96) N(1) N(0) N(0) N(128), "out of bounds"}, /* the item is */
    };
    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        char wat[2048];
        (void)snprintf(wat, sizeof wat,
                       "(module (import \"test:world/api@0.1.0\" \"broadcast\""
                       " (func $broadcast (param i32 i32 i32 i32 "
                       "i32)))" WAT_MEMORY WAT_REALLOC
                       "(data (i32.const 96) \"\\ff\\ff\\00\\00\\05\")"
                       "(func (export \"run\") (call $broadcast %s)))",
                       cases[i].args);
        make(wat);
        if (cases[i].reason != NULL) {
            dies_of(TH_ENTER_RUN, cases[i].reason);
        } else {
            assert_int_equal(world_run(&g, TH_ENTER_RUN), TH_GUEST_IDLE);
        }
        world_guest_end(&g);
    }
}

/* `run` fills `len` pairs at 65,536 with one item each, `item` bytes at 0, in
 * a memory of 15 MiB, and calls the function with them. */
static void overlapping(const char *function, unsigned len, unsigned item,
                        const char *reason)
{
    char wat[2048], list[64], args[160];
    bool first = strcmp(function, "broadcast") == 0;
    (void)snprintf(list, sizeof list, "(i32.const 65536) (i32.const %u)", len);
    (void)snprintf(args, sizeof args, "%s %s",
                   first ? list : "(i32.const 0) (i32.const 0)",
                   first ? "(i32.const 0) (i32.const 0)" : list);
    (void)snprintf(wat, sizeof wat,
                   "(module (import \"test:world/api@0.1.0\" \"%s\""
                   " (func $f (param i32 i32 i32 i32 i32)))"
                   "(memory (export \"memory\") 240)" WAT_REALLOC
                   "(func (export \"run\") (local $i i32)"
                   " (loop $l (i32.store offset=65540"
                   "  (i32.shl (local.get $i) (i32.const 3)) (i32.const %u))"
                   "  (local.set $i (i32.add (local.get $i) (i32.const 1)))"
                   "  (br_if $l (i32.lt_u (local.get $i) (i32.const %u))))"
                   " (call $f %s (i32.const 128))))",
                   function, item, len, args);
    make(wat);
    if (reason != NULL) {
        dies_of(TH_ENTER_RUN, reason);
    } else if (world_run(&g, TH_ENTER_RUN) != TH_GUEST_IDLE) {
        fail_msg("%s", g.err.text);
    }
    world_guest_end(&g);
}

static void items_that_overlap_have_a_bounded_sum(void **state)
{
    (void)state;
    overlapping("broadcast", 1025, 64, NULL);
    overlapping("broadcast", 65536, 64, NULL);
    overlapping("broadcast", 65536, 65, "may have 4194304 in all");
    overlapping("broadcast", 65536, 14 << 20, "may have 4194304 in all");
    overlapping("batch", 256, 65536, NULL);
    overlapping("batch", 257, 65536, "may have 16777216 in all");
    overlapping("batch", 65536, 14 << 20, "may have 16777216 in all");
}

/* The engine looks at the first 1 MiB of a string, and so does the function:
 * an é lies across that bound, and what is behind is no UTF-8. */
static void
a_long_string_is_cut_and_what_is_behind_is_not_looked_at(void **state)
{
    (void)state;
    make("(module " WAT_IMPORT_SEND
         "(memory (export \"memory\") 20)" WAT_REALLOC
         "(data (i32.const 1048575) \"\\c3\\a9\\ff\\ff\")"
         "(func (export \"run\") (call $send (i32.const 0)"
         " (i32.const 1100000) (i32.const 0) (i32.const 0) (i32.const 64))))");
    if (world_run(&g, TH_ENTER_RUN) != TH_GUEST_IDLE) {
        fail_msg("%s", g.err.text);
    }
    assert_int_equal(g.sends, 1);
    assert_int_equal(g.last_target_len, 1048575);
    world_guest_end(&g);
}

#define WAT_IMPORT_POLL                                                        \
    "(import \"wasi_snapshot_preview1\" \"poll_oneoff\" (func $poll"           \
    " (param i32 i32 i32 i32) (result i32)))"

/* An answer's error is text, too. Behind its first megabyte is no UTF-8. */
static void
a_long_error_is_cut_and_what_is_behind_is_not_looked_at(void **state)
{
    (void)state;
    make("(module (memory (export \"memory\") 20)" WAT_REALLOC
         "(data (i32.const 1048580) \"\\ff\\ff\")"
         "(data (i32.const 1200000) \"\\01\\00\\00\\00\\00\\00\\00\\00"
         "\\e0\\c8\\10\\00\")"
         "(func (export \"handle-request\") (param i32 i32) (result i32)"
         " (i32.const 1200000)))");
    world_push(&g, WORLD_REQUEST, "payload", NULL);
    if (world_run(&g, TH_ENTER_DELIVERIES) != TH_GUEST_IDLE) {
        fail_msg("%s", g.err.text);
    }
    assert_int_equal(g.deliveries[0].delivery.status, THEATER_FAILED);
    assert_int_equal(g.deliveries[0].delivery.result.bytes.len, 1 << 20);
    world_guest_end(&g);
}

/* A delivery, a host function's result and `handle-stop` all allocate. */
static void with_realloc(const char *body, const char *reason)
{
    static const char *const uses[] = {
        "(func (export \"handle-send\") (param i32 i32))",
        ("(func (export \"run\") (call $request (i32.const 0) (i32.const 0)"
         " (i32.const 0) (i32.const 0) (i32.const 64)))"),
        "(func (export \"handle-stop\") (param i32 i32))",
    };
    static const enum th_guest_entry entries[] = {TH_ENTER_DELIVERIES,
                                                  TH_ENTER_RUN, TH_ENTER_STOP};
    for (unsigned i = 0; i < 3; i++) {
        char wat[4096];
        (void)snprintf(
            wat, sizeof wat,
            "(module " WAT_IMPORT_REQUEST WAT_IMPORT_SEND
                WAT_IMPORT_POLL WAT_MEMORY
            "(func $realloc (export \"cabi_realloc\") (param i32 i32 i32 i32)"
            " (result i32) %s) %s)",
            body, uses[i]);
        make(wat);
        g.answer = "an answer";
        world_push(&g, WORLD_SEND, "payload", NULL);
        dies_of(entries[i], reason);
        if (i == 0) {
            assert_int_equal(g.deliveries[0].delivery.status, g.err.status);
            assert_int_equal(g.finished, 1);
        }
        if (i == 1) { /* what was answered is released, once */
            assert_int_equal(g.releases, 1);
        }
        world_guest_end(&g);
    }
}

static void a_bad_cabi_realloc_traps_with_that_reason(void **state)
{
    (void)state;
    with_realloc("(i32.const -1)", "cabi_realloc answered 0xffffffff");
    with_realloc("(i32.const 65535)", "out of bounds");
    with_realloc("(i32.const 65536)", "out of bounds");
    with_realloc("unreachable", "unreachable");
    with_realloc("(call $send (i32.const 0) (i32.const 0) (i32.const 0)"
                 " (i32.const 0) (i32.const 64)) (i32.const 0)",
                 "`send` was called from inside cabi_realloc");
    with_realloc("(call $request (i32.const 0) (i32.const 0) (i32.const 0)"
                 " (i32.const 0) (i32.const 64)) (i32.const 0)",
                 "`request` was called from inside cabi_realloc");
    /* What it would write of its own call is the other call's. */
    with_realloc("(call $poll (i32.const 0) (i32.const 0) (i32.const 0)"
                 " (i32.const 0))",
                 "`poll_oneoff` was called from inside cabi_realloc");
    with_realloc("(call $realloc (local.get 0) (local.get 1) (local.get 2)"
                 " (local.get 3))",
                 "stack");
}

static void a_list_s_room_must_be_aligned(void **state)
{
    (void)state;
    make("(module (import \"test:world/api@0.1.0\" \"list\""
         " (func $list (param i32)))" WAT_MEMORY
         "(func (export \"cabi_realloc\") (param i32 i32 i32 i32)"
         " (result i32) (i32.const 1025))"
         "(func (export \"run\") (call $list (i32.const 64))))");
    dies_of(TH_ENTER_RUN, "not aligned");
    assert_int_equal(g.releases, 1);
    world_guest_end(&g);
}

static void a_realloc_that_grows_memory_is_fine(void **state)
{
    (void)state;
    make("(module " WAT_IMPORT_REQUEST WAT_IMPORT_SEND
         "(memory (export \"memory\") 1)"
         "(func (export \"cabi_realloc\") (param i32 i32 i32 i32)"
         " (result i32) (i32.mul (memory.grow (i32.const 5))"
         "  (i32.const 65536)))"
         "(func (export \"handle-send\") (param i32 i32)"
         " (call $request (i32.const 0) (i32.const 0) (local.get 0)"
         "  (local.get 1) (i32.const 64))"
         " (call $send (i32.const 0) (i32.const 0) (i32.load (i32.const 68))"
         "  (i32.load (i32.const 72)) (i32.const 64))))");
    g.answer = "moved";
    world_push(&g, WORLD_SEND, "payload", NULL);
    if (world_run(&g, TH_ENTER_DELIVERIES) != TH_GUEST_IDLE) {
        fail_msg("%s", g.err.text);
    }
    assert_memory_equal(g.last, "moved", 5);
    world_guest_end(&g);
}

/* The guest's `handle-send` sends on what it got; its arena's two words are
 * at 64. Its cabi_realloc answers 8192, or traps. */
static void with_arena(const char *where, const char *words, bool asks)
{
    char wat[2048];
    (void)snprintf(wat, sizeof wat,
                   "(module " WAT_IMPORT_SEND WAT_MEMORY
                   "(data (i32.const 64) \"%s\")"
                   "(func (export \"theater_arena\") (result i32) %s)"
                   "(func (export \"cabi_realloc\") (param i32 i32 i32 i32)"
                   " (result i32) %s)"
                   "(func (export \"handle-send\") (param i32 i32)"
                   " (call $send (i32.const 0) (i32.const 0) (local.get 0)"
                   "  (local.get 1) (i32.const 128))))",
                   words, where, asks ? "(i32.const 8192)" : "unreachable");
    make(wat);
    world_push(&g, WORLD_SEND, "payload", NULL);
    world_push(&g, WORLD_SEND, "", NULL);
    world_push(&g, WORLD_SEND, "more", NULL);
    if (world_run(&g, TH_ENTER_DELIVERIES) != TH_GUEST_IDLE) {
        fail_msg("%s: %s", where, g.err.text);
    }
    assert_int_equal(g.finished, 3);
    assert_memory_equal(g.last, "more", 4);
    world_guest_end(&g);
}

static void a_guest_that_says_where_there_is_room_is_not_asked(void **state)
{
    (void)state;
    with_arena("(i32.const 64)", "\\00\\10\\00\\00\\00\\20\\00\\00", false);
    /* To the last byte: 7 and 0 and 4 of 11. */
    with_arena("(i32.const 64)", "\\00\\10\\00\\00\\0b\\10\\00\\00", false);
}

static void a_guest_that_lies_about_its_room_is_asked(void **state)
{
    (void)state;
    with_arena("(i32.const 0)", "", true);
    with_arena("(i32.const -1)", "", true);
    with_arena("(i32.const 65529)", "", true);
    with_arena("(i32.const 64)", "\\ff\\ff\\ff\\ff\\ff\\ff\\ff\\ff", true);
    with_arena("(i32.const 64)", "\\fa\\ff\\00\\00\\ff\\ff\\ff\\ff", true);
    with_arena("(i32.const 64)", "\\00\\20\\00\\00\\00\\10\\00\\00", true);
    with_arena("(i32.const 64)", "\\00\\00\\00\\00\\00\\10\\00\\00", true);
}

static void a_guest_s_room_may_not_be_looked_for_by_trapping(void **state)
{
    (void)state;
    make("(module (func (export \"theater_arena\") (result i32) "
         "unreachable)" WAT_MEMORY WAT_REALLOC
         "(func (export \"handle-send\") (param i32 i32)))");
    world_push(&g, WORLD_SEND, "payload", NULL);
    dies_of(TH_ENTER_DELIVERIES, "unreachable");
    assert_int_equal(g.finished, 0);
    world_guest_end(&g);
}

static void answers_that_are_none_trap(void **state)
{
    static const struct {
        const char *body, *reason;
    } cases[] = {
        {"(i32.const 65533)", "out of bounds"},
        {"(i32.const -4)", "out of bounds"},
        {"(i32.const 66)", "not aligned"},
        {"(i32.store8 (i32.const 64) (i32.const 2)) (i32.const 64)",
         "no result"},
        {"(i32.store (i32.const 68) (i32.const 65530))"
         "(i32.store (i32.const 72) (i32.const 7)) (i32.const 64)",
         "out of bounds"},
        {"(i32.store (i32.const 68) (i32.const 16))"
         "(i32.store (i32.const 72) (i32.const -8)) (i32.const 64)",
         "out of bounds"},
        {"(i32.store8 (i32.const 64) (i32.const 1))"
         "(i32.store8 (i32.const 16) (i32.const 255))"
         "(i32.store (i32.const 68) (i32.const 16))"
         "(i32.store (i32.const 72) (i32.const 1)) (i32.const 64)",
         "not valid UTF-8"},
    };
    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        char wat[2048];
        (void)snprintf(wat, sizeof wat,
                       "(module " WAT_MEMORY WAT_REALLOC
                       "(func (export \"handle-request\") (param i32 i32)"
                       " (result i32) %s))",
                       cases[i].body);
        make(wat);
        world_push(&g, WORLD_REQUEST, "q", NULL);
        dies_of(TH_ENTER_DELIVERIES, cases[i].reason);
        assert_int_equal(g.deliveries[0].delivery.status, THEATER_TRAPPED);
        world_guest_end(&g);
    }
}

static void imports_called_too_early_trap_with_that_reason(void **state)
{
    (void)state;
    /* Its error has a text, for which there is no cabi_realloc yet. */
    static const char wat[] =
        "(module " WAT_IMPORT_REQUEST WAT_IMPORT_SEND WAT_MEMORY WAT_REALLOC
        "(func $f (call $request (i32.const 0) (i32.const 0)"
        " (i32.const 0) (i32.const 0) (i32.const 64))) (start $f))";
    g.refuse = THEATER_DENIED;
    assert_int_equal(world_guest_new(&world, &g, wat), THEATER_TRAPPED);
    if (strstr(g.err.text, "start function") == NULL &&
        strstr(g.err.text, "while the actor is being made") == NULL) {
        fail_msg("%s", g.err.text);
    }
    world_guest_end(&g);
    assert_int_equal(
        world_guest_new(&world, &g,
                        "(module (import \"test:world/api@0.1.0\" \"sleep\""
                        " (func $sleep (param i32) (result i32)))"
                        "(func (export \"_initialize\")"
                        " (drop (call $sleep (i32.const 1)))))"),
        THEATER_TRAPPED);
    assert_non_null(strstr(g.err.text, "while the actor is being made"));
    assert_int_equal(g.cancels, 1);
    world_guest_end(&g);
}

static void a_trap_names_the_function(void **state)
{
    (void)state;
    make("(module (func $culprit (drop (i32.div_u (i32.const 1)"
         " (i32.const 0)))) (func (export \"run\") (call $culprit)))");
    dies_of(TH_ENTER_RUN, "division by zero in `culprit`");
    world_guest_end(&g);
}

#define TEST(name)                                                             \
    cmocka_unit_test_setup_teardown(name, set_up_world, tear_down_world)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(every_wrong_pointer_traps_and_nothing_is_sent),
        TEST(wrong_lists_trap),
        TEST(items_that_overlap_have_a_bounded_sum),
        TEST(a_long_string_is_cut_and_what_is_behind_is_not_looked_at),
        TEST(a_long_error_is_cut_and_what_is_behind_is_not_looked_at),
        TEST(a_bad_cabi_realloc_traps_with_that_reason),
        TEST(a_guest_that_says_where_there_is_room_is_not_asked),
        TEST(a_guest_that_lies_about_its_room_is_asked),
        TEST(a_guest_s_room_may_not_be_looked_for_by_trapping),
        TEST(a_list_s_room_must_be_aligned),
        TEST(a_realloc_that_grows_memory_is_fine),
        TEST(answers_that_are_none_trap),
        TEST(imports_called_too_early_trap_with_that_reason),
        TEST(a_trap_names_the_function),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
