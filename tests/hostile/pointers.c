/* SPDX-License-Identifier: Apache-2.0 */
/* Design notes
 *
 * Every host function of every handler, from the handlers' own tables: for
 * each pointer that it takes (and for the one where its result goes) a grid of
 * addresses and lengths at all boundaries; for each number, all boundaries of
 * it. One module per function: the guest's initial state holds the arguments
 * and the length of it the case. An oracle that knows nothing of the host says
 * which are in bounds: those end well ("stopped"), the others trap and are
 * named by function. A type that this file does not know fails the test. */
#include "cage.h"
#include "cases.h"

#include <theater/message_server.h>
#include <theater/runtime_handler.h>

#include <stdlib.h>

enum {
    PAGE = 65536,
    ARGS = 8,      /* core parameters at most */
    SPARE = 4096,  /* where cabi_realloc gives from */
    SAFE = 32768,  /* an argument that is in order */
    RESULT = 49152 /* a result pointer that is in order */
};

static const uint32_t addresses[] = {
    0,          1,          2,          3,          PAGE - 16, PAGE - 9,
    PAGE - 8,   PAGE - 4,   PAGE - 1,   PAGE,       PAGE + 1,  0x7fffffff,
    0x80000000, 0x80000001, 0xfffffff8, 0xffffffff,
};
static const uint32_t lengths[] = {
    0,          1,          2,          8,          PAGE - 1,
    PAGE,       PAGE + 1,   0x10000000, 0x1fffffff, 0x20000000,
    0x7fffffff, 0x80000000, 0x80000001, 0xfffffffe, 0xffffffff,
};
#define LEN(table) (sizeof(table) / sizeof *(table))
_Static_assert(LEN(addresses) * LEN(lengths) >= 64, "64 pairs and more");

/* One core call. */
struct probe {
    uint32_t args[ARGS];
    size_t len;
    bool traps; /* the oracle */
    bool waits; /* it may sleep until the cage closes */
};

struct running {
    struct probe probe;
    unsigned id;
};

struct target {
    const theater_host_function_t *function;
    theater_manifest_t *manifest;
    struct running running[LEN(addresses) * LEN(lengths)];
    size_t running_len, cases;
};

static size_t width(theater_type_t type)
{
    switch (type) {
    case THEATER_TYPE_ENUM:
    case THEATER_TYPE_U32:
        return 1;
    case THEATER_TYPE_STRING:
    case THEATER_TYPE_BYTES:
    case THEATER_TYPE_STRING_LIST:
    case THEATER_TYPE_BYTES_LIST:
        return 2;
    default:
        fail_msg("a parameter of type %d has no cases", type);
        return 0;
    }
}

/* Bytes where a result goes that is passed by pointer; 0: it is returned. */
static size_t result_size(theater_type_t type)
{
    switch (type) {
    case THEATER_TYPE_NONE:
    case THEATER_TYPE_U64:
        return 0;
    case THEATER_TYPE_STRING:
    case THEATER_TYPE_STRING_LIST:
    case THEATER_TYPE_CODE_LIST:
        return 8;
    case THEATER_TYPE_OPTION_STRING:
    case THEATER_TYPE_OPTION_BYTES:
        return 12;
    case THEATER_TYPE_OPTION_ERROR:
    case THEATER_TYPE_RESULT_NONE:
    case THEATER_TYPE_RESULT_U32:
    case THEATER_TYPE_RESULT_STRING:
    case THEATER_TYPE_RESULT_BYTES:
        return 16;
    default:
        fail_msg("a result of type %d has no cases", type);
        return 0;
    }
}

/* Is it inside one page, and aligned? */
static bool fits(uint32_t at, uint64_t size, uint32_t align)
{
    return (uint64_t)at + size <= PAGE && at % align == 0;
}

static bool list_type(theater_type_t type)
{
    return type == THEATER_TYPE_STRING_LIST || type == THEATER_TYPE_BYTES_LIST;
}

static bool pair_traps(theater_type_t type, uint32_t at, uint32_t len)
{
    return list_type(type) ? !fits(at, (uint64_t)8 * len, 4)
                           : !fits(at, len, 1);
}

/* The guest: loads its arguments from its initial state, clears its memory
 * (which is then valid UTF-8, and lists of empty items) and calls. */
static void text_of(const theater_host_function_t *f, size_t params, char *out,
                    size_t size)
{
    char types[128] = "", sets[1024] = "", gets[256] = "";
    for (size_t i = 0; i < params; i++) {
        strcat(types, " i32");
        snprintf(sets + strlen(sets), sizeof sets - strlen(sets),
                 "(local.set %zu (i32.load offset=%zu (local.get $p)))", i,
                 4 * i);
        snprintf(gets + strlen(gets), sizeof gets - strlen(gets),
                 "(local.get %zu)", i);
    }
    bool returns = f->result == THEATER_TYPE_U64;
    snprintf(out, size,
             "(module (import \"%s\" \"%s\" (func $f (param%s)%s))"
             "(import " CAGE_RT
             " \"initial-state\" (func $state (param i32)))" WAT_STOP
                 WAT_MEMORY WAT_REALLOC
             "(func (export \"run\") (local%s) (local $p i32)"
             " (call $state (i32.const 64))"
             " (local.set $p (i32.load (i32.const 68))) %s"
             " (memory.fill (i32.const 0) (i32.const 0) (i32.const 65536))"
             " %s(call $f %s)%s (call $stop (i32.const 0) (i32.const 0))))",
             f->interface, f->name, types, returns ? " (result i64)" : "",
             types, sets, returns ? "(drop " : "", gets, returns ? ")" : "");
}

static void begin(struct target *target, const struct probe *probe)
{
    theater_error_t err = {0};
    assert_true(target->running_len < LEN(target->running));
    struct running *r = &target->running[target->running_len++];
    r->probe = *probe;
    theater_bytes_t state = {(const uint8_t *)probe->args, sizeof probe->args};
    theater_status_t status = cage_spawn(target->manifest, state, &r->id, &err);
    if (status != THEATER_OK) {
        fail_msg("%s: %s", target->function->name, err.text);
    }
    target->cases++;
}

static void check(const struct target *target, const struct running *r)
{
    theater_status_t status;
    const char *text;
    if (r->probe.waits) {
        return;
    }
    bool failed = cage_await_end(r->id, &status, &text);
    const uint32_t *a = r->probe.args;
    if (failed != r->probe.traps ||
        (failed && (status != THEATER_TRAPPED ||
                    strstr(text, target->function->name) == NULL))) {
        fail_msg("%s(0x%x 0x%x 0x%x 0x%x 0x%x 0x%x) is %s: %s",
                 target->function->name, a[0], a[1], a[2], a[3], a[4], a[5],
                 r->probe.traps ? "out of bounds" : "in bounds", text);
    }
}

static void end_all(struct target *target)
{
    for (size_t i = 0; i < target->running_len; i++) {
        check(target, &target->running[i]);
    }
    target->running_len = 0;
}

/* Arguments that are in order: the state of a guest whose memory is zero. */
static struct probe in_order(const theater_host_function_t *f)
{
    struct probe probe = {.len = 0};
    for (size_t i = 0;
         i < THEATER_MAX_PARAMS && f->params[i] != THEATER_TYPE_NONE; i++) {
        if (width(f->params[i]) == 2) {
            probe.args[probe.len] = SAFE;
            probe.args[probe.len + 1] = 2;
        }
        probe.len += width(f->params[i]);
    }
    if (result_size(f->result) > 0) {
        probe.args[probe.len++] = RESULT;
    }
    assert_true(probe.len <= ARGS);
    return probe;
}

static void try_pairs(struct target *target, theater_type_t type, size_t place)
{
    size_t before = target->cases;
    for (size_t a = 0; a < LEN(addresses); a++) {
        for (size_t l = 0; l < LEN(lengths); l++) {
            struct probe probe = in_order(target->function);
            probe.args[place] = addresses[a];
            probe.args[place + 1] = lengths[l];
            probe.traps = pair_traps(type, addresses[a], lengths[l]);
            begin(target, &probe);
        }
    }
    end_all(target);
    assert_true(target->cases - before >= 64);
}

static void try_numbers(struct target *target, theater_type_t type,
                        size_t place)
{
    for (size_t i = 0; i < LEN(lengths); i++) {
        struct probe probe = in_order(target->function);
        probe.args[place] = lengths[i];
        probe.traps = type == THEATER_TYPE_ENUM && lengths[i] > 4;
        probe.waits = target->function->resume != NULL &&
                      target->function->params[0] == THEATER_TYPE_U32;
        begin(target, &probe);
    }
    end_all(target);
}

static void try_results(struct target *target, size_t place)
{
    size_t size = result_size(target->function->result);
    for (uint32_t i = 0; i < 64; i++) {
        struct probe probe = in_order(target->function);
        probe.args[place] =
            i < LEN(addresses) ? addresses[i] : PAGE - 24 + (i - 16);
        probe.traps = !fits(probe.args[place], size, 4);
        begin(target, &probe);
    }
    end_all(target);
}

static size_t try_function(const theater_host_function_t *f)
{
    static struct target target;
    static char wat[4096];
    size_t place = 0;
    target = (struct target){.function = f};
    text_of(f, in_order(f).len, wat, sizeof wat);
    theater_bytes_t wasm = cage_wasm_of(wat);
    target.manifest =
        cage_manifest(wasm, "[[handler]]\ntype = \"runtime\"\n"
                            "[[handler]]\ntype = \"message-server\"\n");
    struct probe probe = in_order(f);
    begin(&target, &probe);
    end_all(&target);
    for (size_t i = 0;
         i < THEATER_MAX_PARAMS && f->params[i] != THEATER_TYPE_NONE; i++) {
        if (width(f->params[i]) == 2) {
            try_pairs(&target, f->params[i], place);
        } else {
            try_numbers(&target, f->params[i], place);
        }
        place += width(f->params[i]);
    }
    if (result_size(f->result) > 0) {
        try_results(&target, place);
    }
    theater_manifest_release(target.manifest);
    free((void *)(uintptr_t)wasm.data);
    return target.cases;
}

size_t hostile_pointers(void)
{
    const theater_handler_ops_t *tables[] = {theater_message_server_ops(),
                                             theater_runtime_handler_ops()};
    size_t cases = 0;
    for (size_t t = 0; t < LEN(tables); t++) {
        for (size_t i = 0; i < tables[t]->functions_len; i++) {
            cage_watch_begin();
            size_t n = try_function(&tables[t]->functions[i]);
            assert_true(n > 0);
            cases += n;
            cage_watch_end(tables[t]->functions[i].name);
        }
    }
    return cases;
}
