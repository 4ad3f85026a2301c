/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Design notes. The message-server handler joins a router, which knows no
 * actor, and a runtime, which knows no message. The prototype holds the
 * router; each actor's instance is one endpoint with the actor's name.
 *
 * An instance is in one of three states: made (no endpoint), registered
 * (set-up until stop), stopped. While it is registered the router may call
 * two things on any thread: `wake`, which wakes the actor, and the callback
 * of the operation that the actor waits for (wait.c). Both have left for good
 * when stop returns: unregister guarantees the first, th_ms_wait_settle the
 * second; so destroy only frees.
 *
 * Guests are registered with `waits`: an actor that is suspended in a host
 * function handles nothing. Native actors go on while an answer is owed to
 * them, so a cycle of their requests is no deadlock.
 */
#include "handlers/message_server/server.h"

#include <theater/runtime.h>

#define MS_NS UINT64_C(1000000)

/* --- The prototype ------------------------------------------------------ */

static theater_status_t check_permissions(const theater_permissions_t *grants)
{
    if (grants->size != sizeof(*grants)) {
        return THEATER_INVALID_ARGUMENT;
    }
    if (grants->allowed_targets == NULL) {
        return THEATER_OK;
    }
    for (size_t i = 0; i < grants->allowed_targets_len; i++) {
        const char *pattern = grants->allowed_targets[i];
        if (pattern == NULL || theater_pattern_check(pattern) != THEATER_OK) {
            return THEATER_INVALID_ARGUMENT;
        }
    }
    return THEATER_OK;
}

theater_status_t
theater_message_server_new(theater_router_t *router,
                           const theater_permissions_t *permissions,
                           theater_message_server_t **out_server)
{
    static const theater_permissions_t all = THEATER_PERMISSIONS_INIT;
    if (router == NULL || out_server == NULL) {
        return THEATER_INVALID_ARGUMENT;
    }
    if (permissions == NULL) {
        permissions = &all;
    }
    theater_status_t status = check_permissions(permissions);
    if (status != THEATER_OK) {
        return status;
    }
    const theater_env_t *env = theater_env_default();
    theater_message_server_t *server = th_calloc(env, sizeof(*server));
    if (server == NULL) {
        return THEATER_OUT_OF_MEMORY;
    }
    status = th_grants_copy(env, permissions, &server->permissions);
    if (status != THEATER_OK) {
        th_free(env, server);
        return status;
    }
    server->env = env;
    server->router = theater_router_retain(router);
    *out_server = server;
    return THEATER_OK;
}

void theater_message_server_delete(theater_message_server_t *server)
{
    if (server == NULL) {
        return;
    }
    theater_router_release(server->router);
    th_grants_free(server->env, &server->permissions);
    th_free(server->env, server);
}

static void release_prototype(void *prototype)
{
    theater_message_server_delete(prototype);
}

static bool waits(void *prototype, const char *name, theater_waits_t *out)
{
    const theater_message_server_t *server = prototype;
    theater_wait_edge_t edge;
    theater_bytes_t bytes = {(const uint8_t *)name, strlen(name)};
    if (!theater_router_waits(server->router, bytes, &edge)) {
        return false;
    }
    *out = (theater_waits_t){edge.self, edge.target, edge.what, edge.since_ns};
    return true;
}

/* --- An actor's instance ------------------------------------------------ */

static uint32_t key_number(const struct th_ms *ms, enum th_ms_key key)
{
    /* The table bounds each of them to 32 bits. */
    return (uint32_t)theater_section_number(ms->section, &th_ms_keys[key]);
}

static uint32_t key_ms(const struct th_ms *ms, enum th_ms_key key)
{
    uint64_t ns = theater_section_number(ms->section, &th_ms_keys[key]);
    return (uint32_t)((ns + MS_NS - 1) / MS_NS);
}

static theater_status_t create_instance(void *prototype,
                                        const theater_instance_args_t *args,
                                        void **out_instance,
                                        theater_error_t *err)
{
    struct th_ms *ms = th_calloc(args->env, sizeof(*ms));
    if (ms == NULL) {
        return th_error(err, THEATER_OUT_OF_MEMORY, args->name,
                        "no memory for the actor's message server");
    }
    ms->server = prototype;
    ms->router = ms->server->router;
    ms->actor = args->actor;
    ms->name = args->name;
    ms->section = args->section;
    ms->env = args->env;
    ms->native = args->native;
    ms->exports = (uint8_t)args->exports;
    ms->send_timeout_ms = key_ms(ms, TH_MS_SEND_TIMEOUT);
    ms->request_timeout_ms = key_ms(ms, TH_MS_REQUEST_TIMEOUT);
    /* The words of the table: "error", "wait". */
    ms->when_full_waits = key_number(ms, TH_MS_WHEN_FULL) == 1;
    atomic_init(&ms->wait.word, 0);
    *out_instance = ms;
    return THEATER_OK;
}

static bool exports_it(const struct th_ms *ms,
                       theater_message_server_export_t what)
{
    return (ms->exports >> what & 1) != 0;
}

static void wake(void *user)
{
    theater_actor_wake(user);
}

static theater_endpoint_options_t endpoint_options(struct th_ms *ms)
{
    theater_endpoint_options_t options = THEATER_ENDPOINT_OPTIONS_INIT;
    options.accepts = 0;
    if (exports_it(ms, THEATER_HANDLE_SEND)) {
        options.accepts |= THEATER_ACCEPT_SENDS;
    }
    if (exports_it(ms, THEATER_HANDLE_REQUEST)) {
        options.accepts |= THEATER_ACCEPT_REQUESTS;
    }
    if (exports_it(ms, THEATER_HANDLE_CHANNEL_OPEN)) {
        options.accepts |= THEATER_ACCEPT_CHANNELS;
    }
    /* The words of the table are in the order of theater_on_full_t. */
    options.on_full = (theater_on_full_t)key_number(ms, TH_MS_ON_FULL);
    options.capacity = key_number(ms, TH_MS_MAILBOX_CAPACITY);
    options.capacity_bytes = key_number(ms, TH_MS_MAILBOX_BYTES);
    options.max_channels = key_number(ms, TH_MS_MAX_CHANNELS);
    options.channel_credit = key_number(ms, TH_MS_CHANNEL_CREDIT);
    options.channel_credit_bytes = key_number(ms, TH_MS_CHANNEL_CREDIT_BYTES);
    options.max_requests = key_number(ms, TH_MS_MAX_REQUESTS);
    options.max_timers = key_number(ms, TH_MS_MAX_TIMERS);
    options.wake = wake;
    options.user = ms->actor;
    options.waits = !ms->native;
    return options;
}

static bool key_bool(const struct th_ms *ms, enum th_ms_key key)
{
    return theater_section_bool(ms->section, &th_ms_keys[key]);
}

static theater_status_t register_error(const struct th_ms *ms,
                                       theater_status_t status,
                                       theater_error_t *err)
{
    switch (status) {
    case THEATER_ALREADY_EXISTS:
        return th_error(err, status, ms->name,
                        "the name is taken in this router; give the actor "
                        "another one");
    case THEATER_SHUTTING_DOWN:
        return th_error(err, status, ms->name,
                        "the router has shut down and takes no more names");
    case THEATER_INVALID_ARGUMENT:
        /* The table of keys has the router's bounds: this alone is left. */
        return th_error(err, THEATER_BAD_MANIFEST, ms->name,
                        "[[handler]] of type \"message-server\": with on_full "
                        "= \"drop-oldest\" the mailbox would be too large; "
                        "lower max_channels, channel_credit or "
                        "mailbox_capacity");
    case THEATER_MAILBOX_FULL:
        return th_error(err, status, ms->name,
                        "the router has as many names as its max_endpoints "
                        "allows");
    default:
        return th_error(err, status, ms->name,
                        "the name could not be registered: %s",
                        theater_status_text(status));
    }
}

static theater_status_t setup_host_functions(void *instance,
                                             theater_error_t *err)
{
    struct th_ms *ms = instance;
    const theater_permissions_t *most = &ms->server->permissions;
    theater_permissions_t grants = THEATER_PERMISSIONS_INIT;
    grants.can_send = most->can_send && key_bool(ms, TH_MS_CAN_SEND);
    grants.can_request = most->can_request && key_bool(ms, TH_MS_CAN_REQUEST);
    grants.can_open_channels =
        most->can_open_channels && key_bool(ms, TH_MS_CAN_OPEN_CHANNELS);
    size_t own_len = 0;
    const char *const *own = theater_section_list(
        ms->section, &th_ms_keys[TH_MS_ALLOWED_TARGETS], &own_len);
    const char **targets = NULL;
    theater_status_t status = th_grants_targets(
        ms->env, most->allowed_targets, most->allowed_targets_len, own, own_len,
        &targets, &grants.allowed_targets_len);
    if (status == THEATER_OK) {
        grants.allowed_targets = targets;
        theater_endpoint_options_t options = endpoint_options(ms);
        options.permissions = &grants;
        status = theater_router_register(ms->router, ms->name, strlen(ms->name),
                                         &options, &ms->endpoint);
        th_free(ms->env, targets);
    }
    return status == THEATER_OK ? status : register_error(ms, status, err);
}

static void stop(void *instance, const theater_end_t *end)
{
    struct th_ms *ms = instance;
    (void)end;
    if (ms->endpoint != NULL) {
        theater_endpoint_unregister(ms->endpoint, THEATER_CLOSED);
        ms->endpoint = NULL;
    }
    th_ms_wait_settle(ms);
    ms->current = NULL;
}

static void restart(void *instance, const theater_end_t *end)
{
    struct th_ms *ms = instance;
    (void)end;
    theater_endpoint_reset(ms->endpoint, THEATER_CLOSED);
    th_ms_wait_settle(ms);
    /* An outcome that came and was not taken is nobody's. */
    if (th_ms_wait_ready(ms)) {
        (void)th_ms_wait_take(ms);
    }
    th_ms_free_held(ms);
    ms->current = NULL;
    ms->deferred = false;
}

static void destroy(void *instance)
{
    struct th_ms *ms = instance;
    th_ms_free_held(ms);
    if (th_ms_wait_ready(ms)) {
        (void)th_ms_wait_take(ms);
        th_ms_free_held(ms);
    }
    th_free(ms->env, ms->text);
    th_free(ms->env, ms);
}

/* --- Deliveries --------------------------------------------------------- */

static theater_bytes_t channel_text(struct th_ms *ms,
                                    const theater_message_t *message)
{
    th_id_write('c', message->channel.value, ms->channel_text);
    return (theater_bytes_t){(const uint8_t *)ms->channel_text, TH_ID_TEXT};
}

/* Word by word: the message's view was written by words just now, and a copy
 * of both at once would wait until they have arrived (7 ns of a message). */
static inline void pass(theater_value_t *to, const theater_bytes_t *bytes)
{
    to->bytes.data = bytes->data;
    to->bytes.len = bytes->len;
}

/* Fills in the call for a message; false: the actor has no such export. */
static bool deliver(struct th_ms *ms, const theater_message_t *message,
                    theater_delivery_t *out)
{
    theater_message_server_export_t what;
    switch ((theater_message_kind_t)message->kind) {
    case THEATER_MESSAGE_SEND:
        what = THEATER_HANDLE_SEND;
        pass(&out->args[0], &message->data);
        break;
    case THEATER_MESSAGE_REQUEST:
        what = THEATER_HANDLE_REQUEST;
        pass(&out->args[0], &message->data);
        break;
    case THEATER_MESSAGE_CHANNEL_OPEN:
        what = THEATER_HANDLE_CHANNEL_OPEN;
        pass(&out->args[0], &message->sender);
        pass(&out->args[1], &message->data);
        break;
    case THEATER_MESSAGE_CHANNEL_DATA:
        what = THEATER_HANDLE_CHANNEL_MESSAGE;
        out->args[0].bytes = channel_text(ms, message);
        pass(&out->args[1], &message->data);
        break;
    case THEATER_MESSAGE_CHANNEL_CLOSE:
        what = THEATER_HANDLE_CHANNEL_CLOSE;
        out->args[0].bytes = channel_text(ms, message);
        break;
    default:
        return false;
    }
    out->export_index = what;
    /* What a native actor that sets nothing answers: nothing, and no. */
    out->status = THEATER_OK;
    out->result.bytes = (theater_bytes_t){NULL, 0};
    return exports_it(ms, what);
}

/* Only channels bring what the router cannot refuse beforehand. A close that
 * nobody asked to hear of is done with; data that cannot be handled would be
 * lost in silence, so the channel ends and its other end is told why. */
static void decline(struct th_ms *ms, const theater_message_t *message)
{
    theater_status_t status = THEATER_OK;
    if (message->kind == THEATER_MESSAGE_CHANNEL_DATA) {
        status = THEATER_UNSUPPORTED;
        /* INVALID_ARGUMENT: closed already, by the first such message. */
        (void)!theater_channel_close(ms->endpoint, message->channel, status);
    }
    theater_endpoint_done(ms->endpoint, status);
}

static theater_status_t next(void *instance, theater_delivery_t *out)
{
    struct th_ms *ms = instance;
    for (;;) {
        const theater_message_t *message;
        theater_status_t status =
            theater_endpoint_receive(ms->endpoint, &message);
        if (status != THEATER_OK) {
            return status;
        }
        if (TH_LIKELY(deliver(ms, message, out))) {
            ms->current = message;
            return THEATER_OK;
        }
        decline(ms, message);
    }
}

/* What handle-request answered goes to the requester. Its end may have come
 * before (a deadline, a cancellation): the router counts late answers. */
static void answer(struct th_ms *ms, const theater_delivery_t *delivery)
{
    theater_request_id_t id = ms->current->request;
    theater_bytes_t bytes = delivery->result.bytes;
    theater_status_t status;
    if (delivery->status == THEATER_OK) {
        status = theater_endpoint_respond(ms->endpoint, id, bytes);
        if (status == THEATER_TOO_LARGE) {
            static const char text[] = "the answer is too large";
            bytes = (theater_bytes_t){(const uint8_t *)text, sizeof(text) - 1};
            status = theater_endpoint_fail(ms->endpoint, id, bytes);
        }
    } else {
        if (bytes.len > 0 && bytes.data == NULL) {
            bytes.len = 0;
        }
        status = theater_endpoint_fail(ms->endpoint, id, bytes);
    }
    (void)status; /* what went wrong here, `done` ends as FAILED or CLOSED */
}

static void decide(struct th_ms *ms, const theater_delivery_t *delivery)
{
    /* CLOSED: too late; MAILBOX_FULL, OUT_OF_MEMORY: `done` rejects it. */
    if (delivery->result.u32 != 0) {
        (void)!theater_channel_accept(ms->endpoint);
    } else {
        (void)!theater_channel_reject(ms->endpoint);
    }
}

static void done(void *instance, theater_delivery_t *delivery)
{
    struct th_ms *ms = instance;
    theater_status_t status = delivery->status;
    if (delivery->export_index == THEATER_HANDLE_REQUEST) {
        bool ended = status == THEATER_OK || status == THEATER_FAILED;
        if (ended && !ms->deferred) {
            answer(ms, delivery);
        }
        status = ended || status == THEATER_PENDING ? THEATER_OK : status;
        ms->deferred = false;
    } else if (delivery->export_index == THEATER_HANDLE_CHANNEL_OPEN) {
        if (status == THEATER_OK) {
            decide(ms, delivery);
        }
        status = status == THEATER_PENDING ? THEATER_OK : status;
    }
    ms->current = NULL;
    theater_endpoint_done(ms->endpoint, status);
}

/* --- Time --------------------------------------------------------------- */

static uint64_t next_deadline(void *prototype)
{
    const theater_message_server_t *server = prototype;
    return theater_router_next_deadline(server->router);
}

/* In one call, which a worker makes between two runs: some 5 us. */
enum { ADVANCE_AT_ONCE = 16 };

static void advance(void *prototype, uint64_t now_ns)
{
    const theater_message_server_t *server = prototype;
    theater_router_advance_some(server->router, now_ns, ADVANCE_AT_ONCE);
}

static bool busy(void *prototype)
{
    const theater_message_server_t *server = prototype;
    theater_counters_t counters;
    theater_router_counters(server->router, &counters);
    return counters.pending > 0;
}

/* --- The table ---------------------------------------------------------- */

/* In the order of theater_message_server_export_t. */
static const theater_guest_export_t guest_exports[] = {
    {"handle-send", {THEATER_TYPE_BYTES}, THEATER_TYPE_NONE},
    {"handle-request", {THEATER_TYPE_BYTES}, THEATER_TYPE_REPLY},
    {"handle-channel-open",
     {THEATER_TYPE_STRING, THEATER_TYPE_BYTES},
     THEATER_TYPE_BOOL},
    {"handle-channel-message",
     {THEATER_TYPE_STRING, THEATER_TYPE_BYTES},
     THEATER_TYPE_NONE},
    {"handle-channel-close", {THEATER_TYPE_STRING}, THEATER_TYPE_NONE},
};

const theater_handler_ops_t *theater_message_server_ops(void)
{
    static const theater_handler_ops_t ops = {
        .size = sizeof(theater_handler_ops_t),
        .keys = th_ms_keys,
        .keys_len = TH_MS_KEYS,
        .functions = th_ms_functions,
        .functions_len = TH_MS_FUNCTIONS,
        .exports = guest_exports,
        .exports_len = sizeof(guest_exports) / sizeof(guest_exports[0]),
        .create_instance = create_instance,
        .setup_host_functions = setup_host_functions,
        .start = NULL,
        .next = next,
        .done = done,
        .restart = restart,
        .stop = stop,
        .destroy = destroy,
        .next_deadline = next_deadline,
        .advance = advance,
        .busy = busy,
        .release_prototype = release_prototype,
        .waits = waits,
    };
    return &ops;
}

/* --- For native actors -------------------------------------------------- */

theater_endpoint_t *theater_message_server_endpoint(theater_actor_t *actor)
{
    struct th_ms *ms = theater_actor_handler(actor, "message-server");
    return ms != NULL ? ms->endpoint : NULL;
}

const theater_message_t *theater_message_server_current(theater_actor_t *actor)
{
    const struct th_ms *ms = theater_actor_handler(actor, "message-server");
    return ms != NULL ? ms->current : NULL;
}
