/* SPDX-License-Identifier: Apache-2.0 */
/* Design notes
 *
 * WASI preview 2 for components, sandboxed as preview 1 is (wasi_p1.c): what
 * is written to stdout and stderr becomes log lines, clocks and randomness are
 * the environment's, waiting suspends the guest, exit ends it, and there is
 * nothing else: no arguments, no files, no network. A toolchain's runtime
 * imports far more than it calls, so whatever else it imports of WASI 0.2 is
 * there, and traps with its name when it is called.
 *
 * Functions are found by interface and name, whatever the version behind
 * 0.2. is, and defined under the one that the component says. Nothing of a
 * component's own idea of their types is believed: what comes is held against
 * `params` here, what goes is held against the type by the engine.
 *
 * Resources are numbers: a stream is what it is of (0 stdin, 1 stdout, 2
 * stderr), a pollable is 0 when it is ready always, else a clock, a place in
 * the guest's table of deadlines. A number is checked wherever it is used. */
#include "wasm/wasi_p2.h"

enum { WRITE_BYTES = 65536, CLOCKS_FIRST = 16 };

/* --- Values -------------------------------------------------------------- */

/* Each resource becomes its number; the guest's handle of a borrowed one is
 * let go. */
static wasmtime_error_t *unwrap(struct th_guest *guest, th_val_t *value)
{
    wasmtime_component_resource_host_t *host = NULL;
    wasmtime_error_t *error = wasmtime_component_resource_any_to_host(
        guest->context, value->of.resource, &host);
    if (error != NULL) {
        return error;
    }
    uint32_t rep = wasmtime_component_resource_host_rep(host);
    wasmtime_component_resource_host_delete(host);
    wasmtime_component_resource_any_delete(value->of.resource);
    *value = th_val_u32(rep);
    return NULL;
}

static wasmtime_error_t *unwrap_all(struct th_guest *guest, th_val_t *args,
                                    size_t len)
{
    wasmtime_error_t *error = NULL;
    for (size_t i = 0; error == NULL && i < len; i++) {
        if (args[i].kind == WASMTIME_COMPONENT_RESOURCE) {
            error = unwrap(guest, &args[i]);
        } else if (args[i].kind == WASMTIME_COMPONENT_LIST) {
            wasmtime_component_vallist_t *list = &args[i].of.list;
            for (size_t k = 0; error == NULL && k < list->size; k++) {
                if (list->data[k].kind == WASMTIME_COMPONENT_RESOURCE) {
                    error = unwrap(guest, &list->data[k]);
                }
            }
        }
    }
    return error;
}

static bool list_has(const th_val_t *value, uint8_t kind)
{
    bool all = value->kind == WASMTIME_COMPONENT_LIST;
    for (size_t i = 0; all && i < value->of.list.size; i++) {
        all = value->of.list.data[i].kind == kind;
    }
    return all;
}

/* `letters`: r a resource, q u64, b list<u8>, p a list of resources, s a
 * string, e an enum, R a result, c u8. */
static bool fits(const char *letters, const th_val_t *args, size_t len)
{
    if (strlen(letters) != len) {
        return false;
    }
    bool all = true;
    for (size_t i = 0; all && i < len; i++) {
        const th_val_t *arg = &args[i];
        switch (letters[i]) {
        case 'r':
            all = arg->kind == WASMTIME_COMPONENT_U32;
            break;
        case 'q':
            all = arg->kind == WASMTIME_COMPONENT_U64;
            break;
        case 'b':
            all = list_has(arg, WASMTIME_COMPONENT_U8);
            break;
        case 'p':
            all = list_has(arg, WASMTIME_COMPONENT_U32);
            break;
        case 's':
            all = arg->kind == WASMTIME_COMPONENT_STRING;
            break;
        case 'e':
            all = arg->kind == WASMTIME_COMPONENT_ENUM;
            break;
        case 'c':
            all = arg->kind == WASMTIME_COMPONENT_U8;
            break;
        default:
            all = arg->kind == WASMTIME_COMPONENT_RESULT;
            break;
        }
    }
    return all;
}

static wasmtime_error_t *own(struct th_guest *guest, uint32_t type,
                             uint32_t rep, th_val_t *out)
{
    wasmtime_component_resource_any_t *any = NULL;
    wasmtime_component_resource_host_t *host =
        wasmtime_component_resource_host_new(true, rep, type);
    wasmtime_error_t *error =
        wasmtime_component_resource_host_to_any(guest->context, host, &any);
    wasmtime_component_resource_host_delete(host);
    if (error == NULL) {
        *out = (th_val_t){WASMTIME_COMPONENT_RESOURCE, {.resource = any}};
    }
    return error;
}

static th_val_t closed(void)
{
    return th_val_err_of(th_val_variant("closed"));
}

/* --- Streams ------------------------------------------------------------- */

WASI2(get_stdin)
{
    WASI2_UNUSED();
    return own(guest, TH_WASI2_INPUT_STREAM, 0, result);
}

WASI2(get_stdout)
{
    WASI2_UNUSED();
    return own(guest, TH_WASI2_OUTPUT_STREAM, 1, result);
}

WASI2(get_stderr)
{
    WASI2_UNUSED();
    return own(guest, TH_WASI2_OUTPUT_STREAM, 2, result);
}

/* Nothing to read, ever. */
WASI2(at_end)
{
    WASI2_UNUSED();
    *result = closed();
    return NULL;
}

WASI2(check_write)
{
    WASI2_UNUSED();
    *result = th_val_ok_of(th_val_u64(WRITE_BYTES));
    return NULL;
}

/* Items NULL: zeroes. */
static wasmtime_error_t *write_items(struct th_guest *guest, uint32_t which,
                                     const th_val_t *items, uint64_t len,
                                     th_val_t *result)
{
    if (len > WRITE_BYTES) {
        return th_component_fault(guest, THEATER_TRAPPED,
                                  "wasi: %llu bytes are written at once, more "
                                  "than check-write allows",
                                  (unsigned long long)len);
    }
    uint8_t *data = th_scratch(guest, &guest->component->in, (size_t)len);
    if (data == NULL || (which != 1 && which != 2)) {
        *result = closed();
        return NULL;
    }
    for (size_t i = 0; i < len; i++) {
        data[i] = items != NULL ? items[i].of.u8 : 0;
    }
    bool written = th_wasi_output(guest, which - 1, data, (uint32_t)len);
    th_scratch_trim(guest, &guest->component->in);
    *result = written ? th_val_ok() : closed();
    return NULL;
}

WASI2(write_bytes)
{
    (void)len;
    const wasmtime_component_vallist_t *list = &args[1].of.list;
    /* An empty list may have no data, and nothing is read of it. */
    return write_items(guest, args[0].of.u32, list->data, list->size, result);
}

WASI2(write_zeroes)
{
    (void)len;
    return write_items(guest, args[0].of.u32, NULL, args[1].of.u64, result);
}

WASI2(say_ok)
{
    WASI2_UNUSED();
    *result = th_val_ok();
    return NULL;
}

WASI2(subscribe)
{
    WASI2_UNUSED();
    return own(guest, TH_WASI2_POLLABLE, 0, result);
}

WASI2(debug_string)
{
    WASI2_UNUSED();
    *result = th_val_string((theater_bytes_t){(const uint8_t *)"error", 5});
    return NULL;
}

/* --- Clocks and polls ---------------------------------------------------- */

/* *out: a place for one more deadline, counted from 1. */
static theater_status_t take_clock(struct th_guest *guest, uint32_t *out)
{
    struct th_component_guest *component = guest->component;
    const theater_env_t *env = guest->engine->env;
    uint32_t len = component->clocks_len;
    for (uint32_t i = 0; i < len; i++) {
        uint32_t at = (component->clocks_free + i) % len;
        if (component->clocks[at] == 0) {
            component->clocks_free = at + 1;
            *out = at + 1;
            return THEATER_OK;
        }
    }
    uint32_t more = len == 0 ? CLOCKS_FIRST : 2 * len;
    if (more > TH_MAX_POLLABLES) {
        return THEATER_LIMIT;
    }
    uint64_t *clocks = th_calloc(env, more * sizeof *clocks);
    if (clocks == NULL) {
        return THEATER_OUT_OF_MEMORY;
    }
    if (len > 0) {
        memcpy(clocks, component->clocks, len * sizeof *clocks);
    }
    th_free(env, component->clocks);
    component->clocks = clocks;
    component->clocks_len = more;
    component->clocks_free = len + 1;
    *out = len + 1;
    return THEATER_OK;
}

static wasmtime_error_t *make_clock(struct th_guest *guest, uint64_t due,
                                    th_val_t *result)
{
    uint32_t clock = 0;
    theater_status_t status = take_clock(guest, &clock);
    if (status == THEATER_OUT_OF_MEMORY) {
        return th_component_fault(guest, status, "no memory for a clock");
    }
    if (status != THEATER_OK) {
        return th_component_fault(guest, THEATER_LIMIT,
                                  "wasi: more than %d pollables",
                                  (int)TH_MAX_POLLABLES);
    }
    guest->component->clocks[clock - 1] =
        due == 0 ? 1 : (due == THEATER_NEVER ? due - 1 : due);
    return own(guest, TH_WASI2_POLLABLE, clock, result);
}

wasmtime_error_t *th_wasi2_drop(void *env, wasmtime_context_t *context,
                                uint32_t rep)
{
    struct th_component_guest *component = th_guest_current->component;
    const uint32_t *number = env;
    (void)context;
    if (*number == TH_WASI2_POLLABLE && rep > 0 &&
        rep <= component->clocks_len) {
        component->clocks[rep - 1] = 0;
        component->clocks_free = rep - 1;
    }
    return NULL;
}

WASI2(subscribe_instant)
{
    (void)len;
    return make_clock(guest, args[0].of.u64, result);
}

WASI2(subscribe_duration)
{
    (void)len;
    uint64_t now = th_now(guest->engine->env);
    uint64_t most = THEATER_NEVER - 1 - now, after = args[0].of.u64;
    return make_clock(guest, now + (after < most ? after : most), result);
}

/* When it is ready: 0 for always. */
static uint64_t due_of(const struct th_guest *guest, uint32_t pollable)
{
    const struct th_component_guest *component = guest->component;
    return pollable == 0 || pollable > component->clocks_len
               ? 0
               : component->clocks[pollable - 1];
}

WASI2(ready)
{
    (void)len;
    *result = th_val_bool(due_of(guest, args[0].of.u32) <=
                          th_now(guest->engine->env));
    return NULL;
}

static uint64_t earliest(const struct th_guest *guest)
{
    const struct th_component_guest *component = guest->component;
    uint64_t least = THEATER_NEVER;
    for (size_t i = 0; i < component->polled_len; i++) {
        uint64_t due = due_of(guest, component->polled[i]);
        least = due < least ? due : least;
    }
    return least;
}

/* The places of those that are ready; of those that are due first, if none
 * is. */
static void finish_poll(struct th_guest *guest, uint64_t now, th_val_t *result)
{
    struct th_component_guest *component = guest->component;
    uint64_t first = earliest(guest);
    uint64_t until = first > now ? first : now;
    size_t count = 0;
    if (result == NULL) {
        return;
    }
    for (size_t i = 0; i < component->polled_len; i++) {
        count += due_of(guest, component->polled[i]) <= until;
    }
    *result = th_val_list(count);
    for (size_t i = 0, at = 0; i < component->polled_len; i++) {
        if (due_of(guest, component->polled[i]) <= until) {
            result->of.list.data[at++] = th_val_u32((uint32_t)i);
        }
    }
}

/* Waits, unless one is ready. */
static wasmtime_error_t *begin_poll(struct th_guest *guest, th_val_t *result)
{
    uint64_t now = th_now(guest->engine->env);
    uint64_t due = earliest(guest);
    if (due <= now || guest->phase == TH_PHASE_INIT) {
        finish_poll(guest, now, result);
        return NULL;
    }
    guest->poll.wake_ns = due;
    if (guest->hooks->wake_at != NULL) {
        guest->hooks->wake_at(guest->ctx, due);
    }
    return NULL;
}

static bool polled(struct th_guest *guest, const th_val_t *values, size_t len)
{
    struct th_component_guest *component = guest->component;
    const theater_env_t *env = guest->engine->env;
    th_free(env, component->polled);
    component->polled_len = 0;
    component->polled = th_alloc(env, len * sizeof *component->polled);
    if (component->polled == NULL) {
        return false;
    }
    for (size_t i = 0; i < len; i++) {
        component->polled[i] = values[i].of.u32;
    }
    component->polled_len = len;
    return true;
}

static wasmtime_error_t *no_poll(struct th_guest *guest)
{
    return th_component_fault(guest, THEATER_OUT_OF_MEMORY,
                              "no memory for a poll");
}

WASI2(poll)
{
    (void)len;
    const wasmtime_component_vallist_t *list = &args[0].of.list;
    if (list->size == 0 || list->size > TH_MAX_POLLABLES) {
        return th_component_fault(guest, THEATER_TRAPPED,
                                  "wasi: poll of %zu pollables (1 to %d)",
                                  list->size, (int)TH_MAX_POLLABLES);
    }
    return polled(guest, list->data, list->size) ? begin_poll(guest, result)
                                                 : no_poll(guest);
}

WASI2(block)
{
    (void)len;
    (void)result;
    if (!polled(guest, &args[0], 1)) {
        return no_poll(guest);
    }
    return begin_poll(guest, NULL);
}

bool th_wasi2_resume(struct th_guest *guest)
{
    uint64_t now = th_now(guest->engine->env);
    if (now < guest->poll.wake_ns) {
        return false;
    }
    if (guest->hooks->wake_at != NULL) {
        guest->hooks->wake_at(guest->ctx, THEATER_NEVER);
    }
    guest->poll.wake_ns = 0;
    finish_poll(guest, now, guest->component->answer);
    return true;
}

WASI2(now)
{
    WASI2_UNUSED();
    *result = th_val_u64(th_now(guest->engine->env));
    return NULL;
}

WASI2(resolution)
{
    WASI2_UNUSED();
    *result = th_val_u64(1000);
    return NULL;
}

static th_val_t datetime(uint64_t ns)
{
    return th_val_record2("seconds", th_val_u64(ns / 1000000000), "nanoseconds",
                          th_val_u32((uint32_t)(ns % 1000000000)));
}

WASI2(wall_now)
{
    WASI2_UNUSED();
    const theater_env_t *env = guest->engine->env;
    *result = datetime(env->wall_ns(env->ctx));
    return NULL;
}

WASI2(wall_resolution)
{
    WASI2_UNUSED();
    *result = datetime(1000);
    return NULL;
}

/* --- Randomness ---------------------------------------------------------- */

WASI2(random_bytes)
{
    (void)len;
    const theater_env_t *env = guest->engine->env;
    uint64_t size = args[0].of.u64;
    if (size > TH_MAX_RANDOM_BYTES) {
        return th_component_fault(guest, THEATER_TRAPPED,
                                  "wasi: more than %d random bytes at once",
                                  (int)TH_MAX_RANDOM_BYTES);
    }
    uint8_t *data = th_scratch(guest, &guest->component->in, size);
    if (data == NULL) {
        return th_component_fault(guest, THEATER_OUT_OF_MEMORY,
                                  "no memory for random bytes");
    }
    env->random(env->ctx, data, size);
    *result = th_val_bytes((theater_bytes_t){data, size});
    th_scratch_trim(guest, &guest->component->in);
    return NULL;
}

static th_val_t random_word(struct th_guest *guest)
{
    const theater_env_t *env = guest->engine->env;
    uint64_t word = 0;
    env->random(env->ctx, &word, sizeof word);
    return th_val_u64(word);
}

WASI2(random_u64)
{
    WASI2_UNUSED();
    *result = random_word(guest);
    return NULL;
}

WASI2(random_seed)
{
    WASI2_UNUSED();
    *result = (th_val_t){WASMTIME_COMPONENT_TUPLE, {.u64 = 0}};
    wasmtime_component_valtuple_new_uninit(&result->of.tuple, 2);
    result->of.tuple.data[0] = random_word(guest);
    result->of.tuple.data[1] = random_word(guest);
    return NULL;
}

/* --- What is not there --------------------------------------------------- */

WASI2(empty_list)
{
    WASI2_UNUSED();
    *result = th_val_list(0);
    return NULL;
}

WASI2(none)
{
    WASI2_UNUSED();
    *result = th_val_none();
    return NULL;
}

WASI2(no_network)
{
    WASI2_UNUSED();
    *result = th_val_err_of(th_val_enum("access-denied"));
    return NULL;
}

WASI2(network)
{
    WASI2_UNUSED();
    return own(guest, TH_WASI2_NETWORK, 0, result);
}

static wasmtime_error_t *leave(struct th_guest *guest, int32_t status)
{
    guest->exited = true;
    guest->exit_status = status;
    return wasmtime_error_new("exit");
}

WASI2(leave_plain)
{
    (void)len;
    (void)result;
    return leave(guest, args[0].of.result.is_ok ? 0 : 1);
}

WASI2(leave_code)
{
    (void)len;
    (void)result;
    return leave(guest, args[0].of.u8);
}

/* --- The table ----------------------------------------------------------- */

#define STREAMS "wasi:io/streams"
static const struct th_wasi2_function functions[] = {
    {"wasi:cli/environment", "get-environment", "", empty_list, false},
    {"wasi:cli/environment", "get-arguments", "", empty_list, false},
    {"wasi:cli/environment", "initial-cwd", "", none, false},
    {"wasi:cli/exit", "exit", "R", leave_plain, false},
    {"wasi:cli/exit", "exit-with-code", "c", leave_code, false},
    {"wasi:cli/stdin", "get-stdin", "", get_stdin, false},
    {"wasi:cli/stdout", "get-stdout", "", get_stdout, false},
    {"wasi:cli/stderr", "get-stderr", "", get_stderr, false},
    {"wasi:cli/terminal-stdin", "get-terminal-stdin", "", none, false},
    {"wasi:cli/terminal-stdout", "get-terminal-stdout", "", none, false},
    {"wasi:cli/terminal-stderr", "get-terminal-stderr", "", none, false},
    {"wasi:io/error", "[method]error.to-debug-string", "r", debug_string,
     false},
    {"wasi:io/poll", "poll", "p", poll, true},
    {"wasi:io/poll", "[method]pollable.block", "r", block, true},
    {"wasi:io/poll", "[method]pollable.ready", "r", ready, false},
    {STREAMS, "[method]input-stream.read", "rq", at_end, false},
    {STREAMS, "[method]input-stream.blocking-read", "rq", at_end, false},
    {STREAMS, "[method]input-stream.skip", "rq", at_end, false},
    {STREAMS, "[method]input-stream.blocking-skip", "rq", at_end, false},
    {STREAMS, "[method]input-stream.subscribe", "r", subscribe, false},
    {STREAMS, "[method]output-stream.check-write", "r", check_write, false},
    {STREAMS, "[method]output-stream.write", "rb", write_bytes, false},
    {STREAMS, "[method]output-stream.blocking-write-and-flush", "rb",
     write_bytes, false},
    {STREAMS, "[method]output-stream.flush", "r", say_ok, false},
    {STREAMS, "[method]output-stream.blocking-flush", "r", say_ok, false},
    {STREAMS, "[method]output-stream.subscribe", "r", subscribe, false},
    {STREAMS, "[method]output-stream.write-zeroes", "rq", write_zeroes, false},
    {STREAMS, "[method]output-stream.blocking-write-zeroes-and-flush", "rq",
     write_zeroes, false},
    {STREAMS, "[method]output-stream.splice", "rrq", at_end, false},
    {STREAMS, "[method]output-stream.blocking-splice", "rrq", at_end, false},
    {"wasi:clocks/monotonic-clock", "now", "", now, false},
    {"wasi:clocks/monotonic-clock", "resolution", "", resolution, false},
    {"wasi:clocks/monotonic-clock", "subscribe-instant", "q", subscribe_instant,
     false},
    {"wasi:clocks/monotonic-clock", "subscribe-duration", "q",
     subscribe_duration, false},
    {"wasi:clocks/wall-clock", "now", "", wall_now, false},
    {"wasi:clocks/wall-clock", "resolution", "", wall_resolution, false},
    {"wasi:random/random", "get-random-bytes", "q", random_bytes, false},
    {"wasi:random/random", "get-random-u64", "", random_u64, false},
    {"wasi:random/insecure", "get-insecure-random-bytes", "q", random_bytes,
     false},
    {"wasi:random/insecure", "get-insecure-random-u64", "", random_u64, false},
    {"wasi:random/insecure-seed", "insecure-seed", "", random_seed, false},
    {"wasi:filesystem/preopens", "get-directories", "", empty_list, false},
    {"wasi:filesystem/types", "filesystem-error-code", "r", none, false},
    {"wasi:sockets/instance-network", "instance-network", "", network, false},
    {"wasi:sockets/tcp-create-socket", "create-tcp-socket", "e", no_network,
     false},
    {"wasi:sockets/udp-create-socket", "create-udp-socket", "e", no_network,
     false},
    {"wasi:sockets/ip-name-lookup", "resolve-addresses", "rs", no_network,
     false},
};

static const char version[] = "@0.2.";

/* Is it this one, in whatever version? */
static bool is(const char *interface, const char *which)
{
    size_t len = strlen(which);
    return strncmp(interface, which, len) == 0 &&
           strncmp(interface + len, version, sizeof version - 1) == 0;
}

bool th_wasi2_is(const char *interface)
{
    return strncmp(interface, "wasi:", 5) == 0 &&
           strstr(interface, version) != NULL;
}

const struct th_wasi2_function *th_wasi2_find(const char *interface,
                                              const char *name)
{
    for (size_t i = 0; i < sizeof functions / sizeof *functions; i++) {
        if (is(interface, functions[i].interface) &&
            strcmp(functions[i].name, name) == 0) {
            return &functions[i];
        }
    }
    return NULL;
}

uint32_t th_wasi2_resource(const char *interface, const char *name)
{
    static const struct {
        const char *interface, *name;
        enum th_wasi2_type type;
    } known[] = {
        {"wasi:io/error", "error", TH_WASI2_ERROR},
        {"wasi:io/poll", "pollable", TH_WASI2_POLLABLE},
        {STREAMS, "input-stream", TH_WASI2_INPUT_STREAM},
        {STREAMS, "output-stream", TH_WASI2_OUTPUT_STREAM},
        {"wasi:sockets/network", "network", TH_WASI2_NETWORK},
    };
    for (size_t i = 0; i < sizeof known / sizeof *known; i++) {
        if (is(interface, known[i].interface) &&
            strcmp(name, known[i].name) == 0) {
            return known[i].type;
        }
    }
    return 0;
}

wasmtime_error_t *th_wasi2_call(struct th_guest *guest,
                                const struct th_import *import, th_val_t *args,
                                size_t len, th_val_t *result)
{
    const struct th_wasi2_function *function = import->wasi2;
    if (function == NULL) {
        return th_component_fault(guest, THEATER_TRAPPED,
                                  "`%s` of `%s` was called, which is not "
                                  "served here",
                                  import->name, import->module);
    }
    wasmtime_error_t *error = unwrap_all(guest, args, len);
    if (error != NULL) {
        return error;
    }
    if (!fits(function->params, args, len)) {
        return th_component_fault(guest, THEATER_TRAPPED,
                                  "`%s` of `%s` was called with what it does "
                                  "not take",
                                  import->name, import->module);
    }
    return function->call(guest, args, len, result);
}
