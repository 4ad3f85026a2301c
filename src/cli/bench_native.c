/* SPDX-License-Identifier: Apache-2.0 */
/* Design notes. The benchmark's actors as C actors: the same messages,
 * settings, counters and checks as those of bench/actors. They run on workers
 * and never wait: who finds a mailbox full starts a wait and goes on in
 * `woken`; who has more to do than a burst wakes itself, so that others have
 * their turn.
 *
 * `outcome` is written by the callback that ends an operation (any thread),
 * taken by the actor. */
#include "cli/bench_native.h"

#include <stdio.h>

/* outcome: nothing yet; or a status plus one. */
enum { NO_OUTCOME = 0 };

/* --- What all share ------------------------------------------------------- */

uint64_t bench_fill(uint64_t *message, size_t len)
{
    uint64_t filler = UINT64_C(0x9e3779b97f4a7c15);
    for (size_t i = 0; i < (len + 7) / 8; i++) {
        message[i] = filler;
        filler = filler * UINT64_C(6364136223846793005) + 1;
    }
    return bench_checksum((theater_bytes_t){(uint8_t *)message, len}) -
           message[0];
}

void native_finish(struct native *self)
{
    self->counters.elapsed_ms =
        (native_now_ns(self) - self->start_ns) / 1000000;
    self->counters.flags |= BENCH_FINISHED;
}

bool native_refused(struct native *self, theater_status_t status)
{
    self->counters.refused++;
    self->counters.last_code = (uint64_t)status;
    return status == THEATER_MAILBOX_FULL || status == THEATER_TIMEOUT;
}

void native_done(void *user, theater_status_t status, theater_answer_t *answer)
{
    struct native *self = user;
    /* relaxed: the release below publishes it */
    atomic_store_explicit(&self->answer, answer, memory_order_relaxed);
    /* [M1] release; pairs with [M2]: the answer. */
    atomic_store_explicit(&self->outcome, (uint32_t)status + 1,
                          memory_order_release);
    theater_actor_wake(self->actor);
}

bool native_outcome(struct native *self, theater_status_t *out)
{
    /* [M2] acquire; pairs with [M1] */
    uint32_t outcome =
        atomic_load_explicit(&self->outcome, memory_order_acquire);
    if (outcome == NO_OUTCOME) {
        return false;
    }
    /* relaxed: the next operation's start publishes it */
    atomic_store_explicit(&self->outcome, NO_OUTCOME, memory_order_relaxed);
    self->waits = false;
    *out = (theater_status_t)(outcome - 1);
    return true;
}

void native_report(struct native *self, theater_delivery_t *delivery)
{
    delivery->status = THEATER_OK;
    delivery->result.bytes = (theater_bytes_t){(const uint8_t *)&self->counters,
                                               sizeof self->counters};
}

void native_enter(struct native *self, theater_actor_t *actor)
{
    if (self->endpoint != NULL) {
        return;
    }
    self->actor = actor;
    self->endpoint = theater_message_server_endpoint(actor);
    self->start_ns = native_now_ns(self);
    self->deadline_ns = self->start_ns + self->config->warm_ns +
                        self->config->run_ns + 30 * UINT64_C(1000000);
}

void native_report_only(void *user, theater_actor_t *actor,
                        theater_delivery_t *delivery)
{
    (void)actor;
    native_report(user, delivery);
}

/* --- Making them ---------------------------------------------------------- */

void native_destroy(void *user)
{
    struct native *self = user;
    const theater_env_t *env = self->config->env;
    env->free(env->ctx, self->message);
    env->free(env->ctx, self->next);
    env->free(env->ctx, self->sent_to);
    env->free(env->ctx, self->names);
    env->free(env->ctx, self->codes);
    env->free(env->ctx, self);
}

static const theater_native_ops_t *const all_ops[BENCH_ROLES] = {
    [BENCH_SENDER] = &native_sender,
    [BENCH_RECEIVER] = &native_receiver,
    [BENCH_RECEIVER_MANY] = &native_receiver,
    [BENCH_LISTENER] = &native_receiver,
    [BENCH_RING] = &native_ring,
    [BENCH_REQUESTER] = &native_requester,
    [BENCH_ECHO] = &native_echo,
    [BENCH_ALL_TO_ALL] = &native_all_to_all,
    [BENCH_BROADCASTER] = &native_broadcaster,
};

static void *zeroed(const theater_env_t *env, size_t size)
{
    void *memory = env->alloc(env->ctx, size, 16);
    return memory != NULL ? memset(memory, 0, size) : NULL;
}

/* "listener-1" ...: the names follow the list of them. */
static bool make_names(struct native *self)
{
    const theater_env_t *env = self->config->env;
    size_t len = self->config->actors;
    self->names = zeroed(env, len * (sizeof *self->names + 32));
    self->codes = zeroed(env, len);
    if (self->names == NULL || self->codes == NULL) {
        return false;
    }
    char *text = (char *)(self->names + len);
    for (size_t i = 0; i < len; i++, text += 32) {
        int name_len = snprintf(text, 32, "listener-%zu", i + 1);
        self->names[i] =
            (theater_bytes_t){(const uint8_t *)text, (size_t)name_len};
    }
    return true;
}

/* What the role needs beyond the structure; false: no memory. */
static bool make_parts(struct native *self)
{
    const theater_env_t *env = self->config->env;
    enum bench_role role = self->options.role;
    bool receives = role == BENCH_RECEIVER || role == BENCH_RECEIVER_MANY ||
                    role == BENCH_LISTENER;
    size_t expects = role == BENCH_RECEIVER || role == BENCH_LISTENER ? 1
                     : role == BENCH_RECEIVER_MANY || role == BENCH_ALL_TO_ALL
                         ? NATIVE_PEERS
                     : role == BENCH_RING ? NATIVE_TOKENS
                                          : 0;
    if (expects > 0) {
        self->next = zeroed(env, expects * sizeof *self->next);
        if (self->next == NULL) {
            return false;
        }
    }
    if (receives) {
        return true;
    }
    self->message = zeroed(env, self->config->payload + 8);
    if (self->message == NULL) {
        return false;
    }
    self->base = bench_fill(self->message, self->config->payload);
    if (role == BENCH_ALL_TO_ALL) {
        self->sent_to = zeroed(env, (NATIVE_PEERS + 1) * 8);
        return self->sent_to != NULL;
    }
    return role != BENCH_BROADCASTER || make_names(self);
}

static struct native *make(struct bench_world *world,
                           const struct bench_native_options *options)
{
    struct native *self = zeroed(world->config->env, sizeof *self);
    if (self == NULL) {
        return NULL;
    }
    self->config = world->config;
    self->router = world->router;
    self->options = *options;
    self->target = (theater_bytes_t){(const uint8_t *)self->options.target,
                                     strlen(self->options.target)};
    self->counters.magic = BENCH_MAGIC;
    self->random = options->number * UINT64_C(0x9e3779b97f4a7c15);
    if (!make_parts(self)) {
        native_destroy(self);
        return NULL;
    }
    return self;
}

theater_status_t bench_native_spawn(struct bench_world *world, const char *name,
                                    bool paused,
                                    const theater_manifest_t *manifest,
                                    const struct bench_native_options *options,
                                    theater_error_t *err)
{
    theater_spawn_options_t spawn = THEATER_SPAWN_OPTIONS_INIT;
    const theater_native_ops_t *ops = all_ops[options->role];
    void *self = ops->destroy == NULL ? (void *)world->router
                                      : (void *)make(world, options);
    if (self == NULL) {
        return THEATER_OUT_OF_MEMORY;
    }
    spawn.paused = paused;
    theater_status_t status = theater_runtime_spawn_native(
        world->runtime, name, manifest, &spawn, ops, self, err);
    if (status != THEATER_OK && ops->destroy != NULL) {
        ops->destroy(self);
    }
    return status;
}
