/* SPDX-License-Identifier: Apache-2.0 */
/* Design notes. The router itself: memory, counters, quota, phases. Counters
 * and the quota on queued bytes are kept per thread slot, so that sending and
 * receiving touch no line that all threads write. A slot draws its quota from
 * the router in shares and gives back what is over twice a share; so the bound
 * is never exceeded, and may be met early by what idle slots hold: a quarter of
 * it at most. */
#include "messaging/channel.h"
#include "messaging/op.h"

/* Messages' memory is kept for the next ones where it comes from the default
 * environment: another one wants to see, or to fail, each allocation; and so
 * does the address sanitizer. */
#ifdef TH_SANITIZE_ADDRESS
enum { POOLS = false };
#else
enum { POOLS = true };
#endif

enum { QUOTA_SHARE_MAX = 256 << 10, DEFAULT_ENDPOINTS = 1 << 20 };

static uint64_t or_default(uint64_t value, uint64_t otherwise)
{
    return value != 0 ? value : otherwise;
}

static void release_memory(theater_router_t *router)
{
    const theater_env_t *env = router->env;

    th_timers_delete(router->timers);
    th_slab_fini(&router->channels);
    th_slab_fini(&router->ops);
    th_slab_fini(&router->endpoints);
    th_names_fini(router);
    if (router->tally != NULL) {
        for (unsigned slot = 0; slot < TH_SLOTS; slot++) {
            th_pool_fini(env, &router->tally[slot].pool);
        }
        env->unmap(env->ctx, router->tally, TH_SLOTS * sizeof *router->tally);
    }
    th_free(env, router);
}

static theater_status_t acquire_memory(theater_router_t *router,
                                       uint32_t max_pending)
{
    const theater_env_t *env = router->env;
    theater_status_t status = THEATER_OK;

    router->tally = env->map(env->ctx, TH_SLOTS * sizeof *router->tally);
    if (router->tally == NULL) {
        return THEATER_OUT_OF_MEMORY;
    }
    status = th_slab_init(&router->endpoints, env, sizeof(theater_endpoint_t),
                          router->max_endpoints);
    if (status == THEATER_OK) {
        status =
            th_slab_init(&router->ops, env, sizeof(struct th_op), max_pending);
    }
    if (status == THEATER_OK) {
        status = th_slab_init(&router->channels, env, sizeof(struct th_channel),
                              max_pending);
    }
    if (status == THEATER_OK) {
        status = th_names_init(router);
    }
    return status == THEATER_OK ? th_timers_new(env, &router->timers) : status;
}

theater_status_t theater_router_new(const theater_router_options_t *options,
                                    theater_router_t **out_router)
{
    static const theater_router_options_t defaults =
        THEATER_ROUTER_OPTIONS_INIT;
    const theater_router_options_t *o = options != NULL ? options : &defaults;

    if (o->size != sizeof *o || o->max_endpoints > (1U << 24) ||
        o->max_pending > (1U << 26) ||
        o->max_message_bytes > THEATER_MESSAGE_MAX) {
        return THEATER_INVALID_ARGUMENT;
    }
    const theater_env_t *env = o->env != NULL ? o->env : theater_env_default();
    theater_router_t *router = env->alloc(env->ctx, sizeof *router, TH_LINE);
    if (router == NULL) {
        return THEATER_OUT_OF_MEMORY;
    }
    memset(router, 0, sizeof *router);
    router->env = env;
    bool pools =
        env == theater_env_default() || th_rare(env, TH_POINT_ROUTER_POOLS);
    router->pools = POOLS && pools;
    atomic_init(&router->refs, 1);
    router->max_message_bytes =
        (uint32_t)or_default(o->max_message_bytes, 1 << 20);
    router->max_queued_bytes = or_default(o->max_queued_bytes, 1U << 30);
    atomic_init(&router->quota_left, router->max_queued_bytes);
    router->quota_share = router->max_queued_bytes / (8 * TH_SLOTS);
    if (router->quota_share > QUOTA_SHARE_MAX) {
        router->quota_share = QUOTA_SHARE_MAX;
    }
    router->request_timeout_ms =
        (uint32_t)or_default(o->request_timeout_ms, 5000);
    router->max_endpoints =
        (uint32_t)or_default(o->max_endpoints, DEFAULT_ENDPOINTS);
    router->on_dead_letter = o->on_dead_letter;
    router->user = o->user;
    theater_status_t status =
        acquire_memory(router, (uint32_t)or_default(o->max_pending, 4 << 20));
    if (status != THEATER_OK) {
        release_memory(router);
        return status;
    }
    *out_router = router;
    return THEATER_OK;
}

theater_router_t *theater_router_retain(theater_router_t *router)
{
    /* relaxed: the caller holds a reference */
    atomic_fetch_add_explicit(&router->refs, 1, memory_order_relaxed);
    return router;
}

/* Ends what nameless callers have under way still. */
static void cancel_all(theater_router_t *router)
{
    /* acquire: the last reference */
    uint32_t made =
        atomic_load_explicit(&router->ops.fresh, memory_order_acquire);
    for (uint32_t i = 0; i < made; i++) {
        struct th_op *op = th_slab_at(&router->ops, i);
        uint64_t state = atomic_load_explicit(&op->state, memory_order_acquire);
        if ((uint32_t)state == TH_OP_PENDING) {
            (void)th_op_end(router, th_op_id(op, state), THEATER_CANCELLED,
                            NULL);
        }
    }
}

void theater_router_release(theater_router_t *router)
{
    /* acq_rel; pairs with itself: the last has seen all other uses end */
    if (router == NULL || atomic_fetch_sub_explicit(
                              &router->refs, 1, memory_order_acq_rel) != 1) {
        return;
    }
    cancel_all(router);
    release_memory(router);
}

/* --- Quota --------------------------------------------------------------- */

static bool draw(theater_router_t *router, uint64_t bytes)
{
    /* relaxed: a quantity; nothing travels with it */
    uint64_t left =
        atomic_load_explicit(&router->quota_left, memory_order_relaxed);
    do {
        if (left < bytes) {
            return false;
        }
    } while (!atomic_compare_exchange_weak_explicit(
        &router->quota_left, &left, left - bytes, memory_order_relaxed,
        memory_order_relaxed));
    return true;
}

static void put_back(theater_router_t *router, uint64_t bytes)
{
    /* relaxed: as in draw */
    atomic_fetch_add_explicit(&router->quota_left, bytes, memory_order_relaxed);
}

bool th_quota_draw(theater_router_t *router, struct th_lane lane,
                   uint64_t bytes)
{
    if (lane.shared) {
        return draw(router, bytes);
    }
    /* relaxed, all: this thread's alone */
    uint64_t here =
        atomic_load_explicit(&lane.tally->quota, memory_order_relaxed);
    if (!th_rare(router->env, TH_POINT_QUOTA_EXACT) &&
        draw(router, bytes + router->quota_share)) {
        here += bytes + router->quota_share;
    } else if (draw(router, bytes - here)) {
        here = bytes;
    } else {
        return false;
    }
    atomic_store_explicit(&lane.tally->quota, here - bytes,
                          memory_order_relaxed);
    return true;
}

void th_quota_put_back(theater_router_t *router, struct th_lane lane,
                       uint64_t bytes)
{
    if (lane.shared) {
        put_back(router, bytes);
        return;
    }
    /* relaxed, all: this thread's alone */
    uint64_t here =
        atomic_load_explicit(&lane.tally->quota, memory_order_relaxed) + bytes;
    put_back(router, here - router->quota_share);
    atomic_store_explicit(&lane.tally->quota, router->quota_share,
                          memory_order_relaxed);
}

/* --- Dead letters -------------------------------------------------------- */

void th_dead_letter(theater_router_t *router, struct th_message *message,
                    theater_bytes_t target, theater_status_t reason)
{
    uint8_t kind = message->kind;
    theater_dead_letter_t letter = {th_message_sender(message), target,
                                    th_message_data(message),
                                    (theater_message_kind_t)kind, reason};

    TH_COUNT(router, dead[reason], 1);
    if (router->on_dead_letter != NULL) {
        router->on_dead_letter(router->user, &letter);
    }
    if (kind == THEATER_MESSAGE_REQUEST ||
        kind == THEATER_MESSAGE_CHANNEL_OPEN) {
        theater_status_t end =
            reason == THEATER_MAILBOX_FULL || reason == THEATER_SHUTTING_DOWN
                ? reason
                : THEATER_CLOSED;
        (void)th_op_end(router, th_message_op(message), end, NULL);
    }
    if (kind == THEATER_MESSAGE_CHANNEL_OPEN) {
        th_channel_open_gone(router, message);
    }
    th_message_drop(router, message);
}

/* --- Counters ------------------------------------------------------------ */

/* acquire; pairs with th_count_in */
static uint64_t get(const _Atomic uint64_t *counter)
{
    return atomic_load_explicit(counter, memory_order_acquire);
}

/* All ends before the first beginning: what begins on one slot meanwhile, and
 * ends on another, must not stand for one that is pending still. */
void theater_router_counters(theater_router_t *router, theater_counters_t *out)
{
    uint64_t begun = 0;
    uint64_t finished = 0;

    memset(out, 0, sizeof *out);
    for (unsigned slot = 0; slot < TH_SLOTS; slot++) {
        const struct th_tally *tally = &router->tally[slot];
        finished += get(&tally->finished);
        out->delivered += get(&tally->delivered);
        for (unsigned i = 0; i < THEATER_STATUS_COUNT; i++) {
            uint64_t dead = get(&tally->dead[i]);
            out->dead[i] += dead;
            out->dead_total += dead;
            out->ended[i] += get(&tally->ended[i]);
        }
    }
    for (unsigned slot = 0; slot < TH_SLOTS; slot++) {
        const struct th_tally *tally = &router->tally[slot];
        begun += get(&tally->begun);
        out->accepted += get(&tally->accepted);
        out->linked += get(&tally->linked);
        out->requests += get(&tally->requests);
        out->late += get(&tally->late);
        out->channels += get(&tally->channels);
        for (unsigned i = 0; i < THEATER_STATUS_COUNT; i++) {
            out->refused[i] += get(&tally->refused[i]);
        }
    }
    uint64_t gone = out->delivered + out->dead_total;
    out->queued = out->accepted > gone ? out->accepted - gone : 0;
    out->pending = begun > finished ? begun - finished : 0;
    /* relaxed: a counter */
    out->endpoints =
        atomic_load_explicit(&router->registered, memory_order_relaxed);
}

/* --- Time and shutdown --------------------------------------------------- */

uint64_t theater_router_next_deadline(theater_router_t *router)
{
    return th_timers_next(router->timers);
}

void theater_router_advance(theater_router_t *router, uint64_t now_ns)
{
    (void)th_timers_advance(router->timers, now_ns, 0);
}

void theater_router_advance_some(theater_router_t *router, uint64_t now_ns,
                                 size_t max)
{
    (void)th_timers_advance(router->timers, now_ns, max);
}

static void raise_phase(theater_router_t *router, enum th_phase phase)
{
    /* relaxed: see th_phase */
    uint32_t now = atomic_load_explicit(&router->phase, memory_order_relaxed);
    while (now < (uint32_t)phase &&
           !atomic_compare_exchange_weak_explicit(&router->phase, &now, phase,
                                                  memory_order_relaxed,
                                                  memory_order_relaxed)) {
    }
}

void theater_router_drain(theater_router_t *router)
{
    raise_phase(router, TH_PHASE_DRAINING);
}

/* Nothing queued and nothing being handled. */
static bool is_quiet(theater_router_t *router, theater_counters_t *out)
{
    uint64_t handled = 0;

    for (unsigned slot = 0; slot < TH_SLOTS; slot++) {
        handled += get(&router->tally[slot].handled);
    }
    theater_router_counters(router, out);
    return out->queued == 0 && out->delivered <= handled;
}

theater_status_t theater_router_shutdown(theater_router_t *router,
                                         uint32_t timeout_ms,
                                         theater_shutdown_report_t *out)
{
    const theater_env_t *env = router->env;
    const uint32_t never = 0;
    theater_counters_t before;
    theater_counters_t after;
    unsigned quiet = 0;

    if (th_thread_is_worker) {
        return THEATER_WRONG_THREAD;
    }
    theater_router_counters(router, &before);
    theater_router_drain(router);
    uint64_t deadline =
        th_now(env) + or_default(timeout_ms, 5000) * UINT64_C(1000000);
    while (quiet < 2 && th_now(env) < deadline) {
        quiet = is_quiet(router, &after) ? quiet + 1 : 0;
        theater_router_advance(router, th_now(env));
        env->park(env->ctx, &never, 0, th_now(env) + 1000000);
    }
    raise_phase(router, TH_PHASE_CLOSED);
    theater_router_counters(router, &after);
    if (out != NULL) {
        out->drained = after.delivered - before.delivered;
        out->dead = after.dead_total - before.dead_total + after.queued;
    }
    return quiet >= 2 ? THEATER_OK : THEATER_TIMEOUT;
}
