/* SPDX-License-Identifier: Apache-2.0 */
/* Design notes
 *
 * The handler of the tests. Its functions look at the guest's view of the
 * world (theater_call_t.instance is the world_guest) and count what happens;
 * `request` waits for as long as the test sets no answer. */
#include "wasm/world_testing.h"

#include <wasmtime.h>

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>

#include <cmocka.h>

#define API "test:world/api@0.1.0"

static theater_status_t send_begin(theater_call_t *call)
{
    struct world_guest *g = call->instance;
    const theater_bytes_t *data = &call->args[1].bytes;
    g->sends++;
    g->last_len = data->len < sizeof g->last ? data->len : sizeof g->last;
    g->last_target_len = call->args[0].bytes.len;
    if (g->last_len > 0) {
        memcpy(g->last, data->data, g->last_len);
    }
    call->status = g->refuse;
    return THEATER_OK;
}

static void count_release(theater_call_t *call)
{
    ((struct world_guest *)call->instance)->releases++;
}

static theater_status_t give_answer(theater_call_t *call)
{
    struct world_guest *g = call->instance;
    if (g->refuse != THEATER_OK) {
        call->status = g->refuse;
        return THEATER_OK;
    }
    if (g->answer == NULL) {
        return THEATER_PENDING;
    }
    call->result.bytes =
        (theater_bytes_t){(const uint8_t *)g->answer, strlen(g->answer)};
    call->result.u32 = call->result.u32;
    return THEATER_OK;
}

static theater_status_t request_begin(theater_call_t *call)
{
    struct world_guest *g = call->instance;
    if (g->must_wait) {
        g->waits++;
        return THEATER_PENDING;
    }
    return give_answer(call);
}

static theater_status_t request_resume(theater_call_t *call)
{
    ((struct world_guest *)call->instance)->resumes++;
    return give_answer(call);
}

static void request_cancel(theater_call_t *call)
{
    ((struct world_guest *)call->instance)->cancels++;
}

static theater_status_t sleep_begin(theater_call_t *call)
{
    struct world_guest *g = call->instance;
    g->waits++;
    return THEATER_PENDING;
}

static theater_status_t sleep_resume(theater_call_t *call)
{
    struct world_guest *g = call->instance;
    g->resumes++;
    call->result.u32 = 77;
    return g->answer != NULL ? THEATER_OK : THEATER_PENDING;
}

static theater_status_t list_begin(theater_call_t *call)
{
    static const theater_bytes_t items[] = {
        {(const uint8_t *)"one", 3}, {NULL, 0}, {(const uint8_t *)"three", 5}};
    call->result.list.items = items;
    call->result.list.len = 3;
    return THEATER_OK;
}

static theater_status_t broadcast_begin(theater_call_t *call)
{
    static const uint8_t codes[] = {THEATER_OK, THEATER_NOT_FOUND,
                                    THEATER_MAILBOX_FULL};
    struct world_guest *g = call->instance;
    g->last_list_len = call->args[0].list.len;
    if (g->last_list_len > 0) {
        const theater_bytes_t *item = &call->args[0].list.items[0];
        g->last_len = item->len < sizeof g->last ? item->len : 0;
        memcpy(g->last, item->data, g->last_len);
    }
    call->result.codes.items = codes;
    call->result.codes.len = 3;
    return THEATER_OK;
}

static theater_status_t now_begin(theater_call_t *call)
{
    call->result.u64 = 0x123456789abcdef0u;
    return THEATER_OK;
}

static theater_status_t name_begin(theater_call_t *call)
{
    call->result.bytes = (theater_bytes_t){(const uint8_t *)"guest", 5};
    return THEATER_OK;
}

static theater_status_t sender_begin(theater_call_t *call)
{
    struct world_guest *g = call->instance;
    call->result.bytes = (theater_bytes_t){
        (const uint8_t *)g->answer, g->answer != NULL ? strlen(g->answer) : 0};
    return THEATER_OK;
}

static theater_status_t count_begin(theater_call_t *call)
{
    struct world_guest *g = call->instance;
    g->last_list_len = call->args[1].list.len;
    call->result.u32 = (uint32_t)g->last_list_len;
    return THEATER_OK;
}

#define S THEATER_TYPE_STRING
#define B THEATER_TYPE_BYTES
static const theater_host_function_t functions[] = {
    {API,
     "send",
     {S, B},
     THEATER_TYPE_RESULT_NONE,
     send_begin,
     NULL,
     NULL,
     count_release},
    {API,
     "request",
     {S, B},
     THEATER_TYPE_RESULT_BYTES,
     request_begin,
     request_resume,
     request_cancel,
     count_release},
    {API,
     "sleep",
     {THEATER_TYPE_U32},
     THEATER_TYPE_U32,
     sleep_begin,
     sleep_resume,
     request_cancel,
     NULL},
    {API,
     "list",
     {THEATER_TYPE_NONE},
     THEATER_TYPE_STRING_LIST,
     list_begin,
     NULL,
     NULL,
     count_release},
    {API,
     "broadcast",
     {THEATER_TYPE_STRING_LIST, B},
     THEATER_TYPE_CODE_LIST,
     broadcast_begin,
     NULL,
     NULL,
     NULL},
    {API,
     "now",
     {THEATER_TYPE_NONE},
     THEATER_TYPE_U64,
     now_begin,
     NULL,
     NULL,
     NULL},
    {API,
     "name",
     {THEATER_TYPE_NONE},
     THEATER_TYPE_STRING,
     name_begin,
     NULL,
     NULL,
     NULL},
    {API,
     "sender",
     {THEATER_TYPE_NONE},
     THEATER_TYPE_OPTION_STRING,
     sender_begin,
     NULL,
     NULL,
     NULL},
    {API,
     "batch",
     {S, THEATER_TYPE_BYTES_LIST},
     THEATER_TYPE_RESULT_U32,
     count_begin,
     NULL,
     NULL,
     NULL},
};

static const theater_guest_export_t exports[] = {
    [WORLD_SEND] = {"handle-send", {B}, THEATER_TYPE_NONE},
    [WORLD_REQUEST] = {"handle-request", {B}, THEATER_TYPE_REPLY},
    [WORLD_OPEN] = {"handle-channel-open", {S, B}, THEATER_TYPE_BOOL},
    [WORLD_NUMBER] = {"handle-number",
                      {THEATER_TYPE_U32, THEATER_TYPE_BOOL},
                      THEATER_TYPE_NONE},
};

static const theater_handler_ops_t ops = {
    .size = sizeof ops,
    .functions = functions,
    .functions_len = sizeof functions / sizeof *functions,
    .exports = exports,
    .exports_len = sizeof exports / sizeof *exports,
};

/* --- Hooks --------------------------------------------------------------- */

static theater_status_t next(void *ctx, size_t *out_grant,
                             theater_delivery_t **out_delivery)
{
    struct world_guest *g = ctx;
    if (g->taken == g->pushed) {
        return THEATER_EMPTY;
    }
    *out_grant = 0;
    *out_delivery = &g->deliveries[g->taken++ % WORLD_DELIVERIES].delivery;
    return THEATER_OK;
}

static void done(void *ctx, size_t grant, theater_delivery_t *delivery)
{
    struct world_guest *g = ctx;
    struct world_delivery *d =
        TH_CONTAINER_OF(delivery, struct world_delivery, delivery);
    assert_int_equal(grant, 0);
    assert_false(d->done);
    d->done = true;
    g->finished++;
    if (delivery->export_index == WORLD_REQUEST &&
        (delivery->status == THEATER_OK ||
         delivery->status == THEATER_FAILED)) {
        theater_bytes_t bytes = delivery->result.bytes;
        d->answer_len = bytes.len;
        if (bytes.len > 0 && bytes.len < sizeof d->answer) {
            memcpy(d->answer, bytes.data, bytes.len);
        }
    }
}

static bool should_yield(void *ctx)
{
    struct world_guest *g = ctx;
    g->asked++;
    return g->yield;
}

static void output(void *ctx, bool is_error, theater_bytes_t line)
{
    struct world_guest *g = ctx;
    size_t len = strlen(g->output);
    g->output_bytes += line.len;
    (void)snprintf(g->output + len, sizeof g->output - len, "%s%.*s|",
                   is_error ? "!" : "", (int)line.len, (const char *)line.data);
}

static void wake_at(void *ctx, uint64_t deadline_ns)
{
    ((struct world_guest *)ctx)->wake_at = deadline_ns;
}

static bool is_ending(void *ctx)
{
    struct world_guest *g = ctx;
    return g->world->ending;
}

static const struct th_guest_hooks hooks = {
    next, done, should_yield, output, wake_at, is_ending,
};

struct th_guest_options world_options = {
    .hooks = &hooks,
    .memory_bytes = (uint64_t)16 << 20,
    .delivery_time_ns = 1000000000,
    .run_time_ns = 1000000000,
};

/* --- The world ----------------------------------------------------------- */

static void notice(void *user, const char *text)
{
    struct world *world = user;
    world->notices_len++;
    (void)snprintf(world->notices, sizeof world->notices, "%s", text);
}

theater_status_t world_try_open(struct world *world, const theater_env_t *env,
                                bool fuel, const char *cache_dir)
{
    theater_error_t err = {0};
    memset(world, 0, sizeof *world);
    world->env = env != NULL ? env : theater_env_default();
    world->grants[0] = (struct th_grant){"test", &ops};
    struct th_engine_options options = {
        .env = world->env,
        .fuel = fuel,
        .cache_dir = cache_dir,
        .notice = notice,
        .user = world,
    };
    return th_engine_new(&options, &world->engine, &err);
}

void world_open(struct world *world, const theater_env_t *env, bool fuel,
                const char *cache_dir)
{
    assert_int_equal(world_try_open(world, env, fuel, cache_dir), THEATER_OK);
}

void world_close(struct world *world)
{
    th_engine_delete(world->engine);
}

theater_status_t world_load(struct world *world, const char *wat,
                            enum th_stack stack, struct th_module **out,
                            theater_error_t *err)
{
    wasm_byte_vec_t wasm;
    wasmtime_error_t *error = wasmtime_wat2wasm(wat, strlen(wat), &wasm);
    if (error != NULL) {
        wasm_byte_vec_t text;
        wasmtime_error_message(error, &text);
        fail_msg("%.*s", (int)text.size, text.data);
    }
    theater_status_t status =
        th_engine_load(world->engine, "test.wasm",
                       (theater_bytes_t){(const uint8_t *)wasm.data, wasm.size},
                       stack, world->grants, 1, out, err);
    wasm_byte_vec_delete(&wasm);
    return status;
}

theater_status_t world_guest_new(struct world *world, struct world_guest *g,
                                 const char *wat)
{
    memset(g, 0, sizeof *g);
    g->world = world;
    g->deliveries = th_calloc(theater_env_default(),
                              WORLD_DELIVERIES * sizeof *g->deliveries);
    assert_non_null(g->deliveries);
    theater_status_t status =
        world_load(world, wat, TH_STACK_SMALL, &g->module, &g->err);
    if (status == THEATER_OK) {
        struct th_guest_options options = world_options;
        g->instances[0] = g;
        options.instances = g->instances;
        options.ctx = g;
        status = th_guest_new(g->module, &options, &g->guest, &g->err);
    }
    return status;
}

void world_guest_end(struct world_guest *g)
{
    th_guest_delete(g->guest);
    th_module_release(g->module);
    th_free(theater_env_default(), g->deliveries);
    g->deliveries = NULL;
    g->guest = NULL;
    g->module = NULL;
}

static void set_arg(theater_value_t *value, uint8_t *room, const char *text)
{
    size_t len = strlen(text);
    assert_true(len <= 32);
    memcpy(room, text, len);
    value->bytes = (theater_bytes_t){room, len};
}

void world_push(struct world_guest *g, unsigned export_index, const char *a,
                const char *b)
{
    struct world_delivery *d = &g->deliveries[g->pushed++ % WORLD_DELIVERIES];
    memset(d, 0, sizeof *d);
    d->delivery.export_index = export_index;
    if (export_index == WORLD_NUMBER) {
        d->delivery.args[0].u32 = (uint32_t)strlen(a);
        d->delivery.args[1].u32 = b != NULL;
        return;
    }
    set_arg(&d->delivery.args[0], d->data, a);
    if (b != NULL) {
        set_arg(&d->delivery.args[1], d->data + 32, b);
    }
}

enum th_guest_state world_enter(struct world_guest *g,
                                enum th_guest_entry entry)
{
    return th_guest_enter(g->guest, entry, "the test", &g->err);
}

enum th_guest_state world_run(struct world_guest *g, enum th_guest_entry entry)
{
    enum th_guest_state state = world_enter(g, entry);
    while (state == TH_GUEST_YIELDED) {
        state = world_enter(g, TH_ENTER_DELIVERIES);
    }
    return state;
}
