/* SPDX-License-Identifier: Apache-2.0 */
/* Design notes: the slots of actors, and who has which name.
 *
 * Slots come in chunks that are never given back before the runtime goes, so
 * a handle that somebody still holds after the actor's end points to a slot,
 * empty or reused: a late wake is harmless. An actor that is torn down first
 * loses its name (`gone`), then its event is told, then its slot is dropped:
 * who hears of the end can take the name at once, and who waits for the end
 * has heard of it.
 *
 * Threads: all under the runtime's lock, a slow path: spawn, end, list.
 * May fail: memory for a chunk or for the first buckets; a failure to grow
 * the buckets later only makes chains longer. */
#include "runtime/runtime.h"

enum { FIRST_BUCKETS = 64 };

theater_status_t th_table_init(struct theater_runtime *runtime)
{
    size_t chunks = (runtime->max_actors + TH_CHUNK - 1) / TH_CHUNK;
    runtime->chunks =
        th_calloc(runtime->env, chunks * sizeof(struct theater_actor *));
    runtime->buckets =
        th_calloc(runtime->env, FIRST_BUCKETS * sizeof(struct theater_actor *));
    if (runtime->chunks == NULL || runtime->buckets == NULL) {
        th_table_fini(runtime);
        return THEATER_OUT_OF_MEMORY;
    }
    runtime->buckets_len = FIRST_BUCKETS;
    runtime->next_serial = 1;
    return THEATER_OK;
}

void th_table_fini(struct theater_runtime *runtime)
{
    for (uint32_t i = 0; i < runtime->used; i += TH_CHUNK) {
        th_free(runtime->env, runtime->chunks[i / TH_CHUNK]);
    }
    th_free(runtime->env, runtime->chunks);
    th_free(runtime->env, runtime->buckets);
    runtime->chunks = NULL;
    runtime->buckets = NULL;
    runtime->used = 0;
}

static struct theater_actor *slot_at(struct theater_runtime *runtime,
                                     uint32_t index)
{
    return &runtime->chunks[index / TH_CHUNK][index % TH_CHUNK];
}

struct theater_actor *th_table_at(struct theater_runtime *runtime,
                                  uint32_t index)
{
    struct theater_actor *actor = slot_at(runtime, index);
    return actor->serial == 0 || actor->gone ? NULL : actor;
}

static uint64_t name_hash(const char *name)
{
    return th_hash64(name, strlen(name), 0);
}

static struct theater_actor *find(struct theater_runtime *runtime,
                                  const char *name, uint64_t hash, bool or_gone)
{
    struct theater_actor *at =
        runtime->buckets[hash & (runtime->buckets_len - 1)];
    while (at != NULL && (at->hash != hash || (at->gone && !or_gone) ||
                          strcmp(at->body->name, name) != 0)) {
        at = at->hash_next;
    }
    return at;
}

struct theater_actor *th_table_find(struct theater_runtime *runtime,
                                    const char *name, bool or_gone)
{
    uint64_t hash = name_hash(name);
    struct theater_actor *actor = find(runtime, name, hash, false);
    /* One that is gone may stand before the next of its name. */
    return actor == NULL && or_gone ? find(runtime, name, hash, true) : actor;
}

/* A slot off the free list, or of a chunk; NULL when there is no memory. */
static struct theater_actor *take_slot(struct theater_runtime *runtime)
{
    struct theater_actor *actor = runtime->free_list;
    if (actor != NULL) {
        runtime->free_list = actor->hash_next;
        return actor;
    }
    if (runtime->used % TH_CHUNK == 0) {
        size_t size = TH_CHUNK * sizeof *actor;
        struct theater_actor *chunk =
            runtime->env->alloc(runtime->env->ctx, size, TH_LINE);
        if (chunk == NULL) {
            return NULL;
        }
        memset(chunk, 0, size);
        runtime->chunks[runtime->used / TH_CHUNK] = chunk;
    }
    actor = slot_at(runtime, runtime->used++);
    th_task_init(&actor->task, th_actor_run);
    actor->timer.task = &actor->task;
    actor->runtime = runtime;
    actor->sched = runtime->sched;
    return actor;
}

static void fill_slot(struct theater_runtime *runtime,
                      struct theater_actor *actor, struct th_body *body)
{
    actor->body = body;
    actor->wake_at = THEATER_NEVER;
    actor->own_at = THEATER_NEVER;
    actor->armed = false;
    actor->serial = runtime->next_serial++;
    actor->gone = false;
    actor->hash_next = NULL;
    /* relaxed: nobody has the handle, and a late activation only looks at
     * the state */
    atomic_store_explicit(&actor->asked, 0, memory_order_relaxed);
    atomic_store_explicit(&actor->stop_reason, NULL, memory_order_relaxed);
    th_actor_hand_over(actor, TH_ACTOR_SPAWNING);
    runtime->live++;
}

static void grow(struct theater_runtime *runtime)
{
    if (runtime->live < runtime->buckets_len) {
        return;
    }
    size_t len = runtime->buckets_len * 4;
    struct theater_actor **buckets =
        th_calloc(runtime->env, len * sizeof(struct theater_actor *));
    if (buckets == NULL) {
        return;
    }
    for (size_t i = 0; i < runtime->buckets_len; i++) {
        struct theater_actor *at = runtime->buckets[i];
        while (at != NULL) {
            struct theater_actor *next = at->hash_next;
            struct theater_actor **bucket = &buckets[at->hash & (len - 1)];
            at->hash_next = *bucket;
            *bucket = at;
            at = next;
        }
    }
    th_free(runtime->env, runtime->buckets);
    runtime->buckets = buckets;
    runtime->buckets_len = len;
}

static theater_status_t add(struct theater_runtime *runtime,
                            struct th_body *body, bool named,
                            struct theater_actor **out_actor)
{
    if (runtime->refusing) {
        return THEATER_SHUTTING_DOWN;
    }
    uint64_t hash = name_hash(body->name);
    if (named && find(runtime, body->name, hash, false) != NULL) {
        return THEATER_ALREADY_EXISTS;
    }
    if (runtime->live >= runtime->max_actors) {
        return THEATER_LIMIT;
    }
    struct theater_actor *actor = take_slot(runtime);
    if (actor == NULL) {
        return THEATER_OUT_OF_MEMORY;
    }
    fill_slot(runtime, actor, body);
    actor->hash = hash;
    if (named) {
        grow(runtime);
        struct theater_actor **bucket =
            &runtime->buckets[hash & (runtime->buckets_len - 1)];
        actor->hash_next = *bucket;
        *bucket = actor;
    }
    actor->named = named;
    actor->gone = !named;
    *out_actor = actor;
    return THEATER_OK;
}

theater_status_t th_table_add(struct theater_runtime *runtime,
                              struct th_body *body,
                              struct theater_actor **out_actor)
{
    th_lock(runtime->env, &runtime->lock);
    theater_status_t status = add(runtime, body, true, out_actor);
    th_unlock(runtime->env, &runtime->lock);
    return status;
}

theater_status_t th_table_borrow(struct theater_runtime *runtime,
                                 struct th_body *body,
                                 struct theater_actor **out_actor)
{
    th_lock(runtime->env, &runtime->lock);
    theater_status_t status = add(runtime, body, false, out_actor);
    th_unlock(runtime->env, &runtime->lock);
    return status;
}

void th_table_unname(struct theater_actor *actor)
{
    struct theater_runtime *runtime = actor->runtime;
    th_lock(runtime->env, &runtime->lock);
    actor->gone = true;
    th_unlock(runtime->env, &runtime->lock);
}

static void unchain(struct theater_runtime *runtime,
                    struct theater_actor *actor)
{
    struct theater_actor **at =
        &runtime->buckets[actor->hash & (runtime->buckets_len - 1)];
    while (*at != actor) {
        TH_CHECK(*at != NULL);
        at = &(*at)->hash_next;
    }
    *at = actor->hash_next;
}

void th_table_drop(struct theater_actor *actor)
{
    struct theater_runtime *runtime = actor->runtime;
    const theater_env_t *env = runtime->env;
    struct th_body *body = actor->body;
    th_lock(env, &runtime->lock);
    if (actor->named) {
        unchain(runtime, actor);
    }
    /* relaxed: the owner's own writes */
    runtime->deliveries_ended +=
        atomic_load_explicit(&body->deliveries, memory_order_relaxed);
    actor->serial = 0;
    actor->body = NULL;
    char *reason = atomic_exchange_explicit(&actor->stop_reason, NULL,
                                            memory_order_relaxed);
    th_actor_hand_over(actor, TH_ACTOR_FREE);
    actor->hash_next = runtime->free_list;
    runtime->free_list = actor;
    runtime->live--;
    /* relaxed: what the waiters look at is guarded by the lock; the word
     * only has to differ from what they parked on */
    atomic_fetch_add_explicit(&runtime->gone_epoch, 1, memory_order_relaxed);
    if (runtime->waiters != 0) {
        env->unpark(env->ctx, &runtime->gone_epoch, UINT32_MAX);
    }
    th_unlock(env, &runtime->lock);
    th_free(env, reason);
    th_free(env, body);
}

void th_table_each(struct theater_runtime *runtime,
                   bool (*each)(void *user, struct theater_actor *actor),
                   void *user)
{
    th_lock(runtime->env, &runtime->lock);
    for (uint32_t i = 0; i < runtime->used; i++) {
        struct theater_actor *actor = th_table_at(runtime, i);
        if (actor != NULL && !each(user, actor)) {
            break;
        }
    }
    th_unlock(runtime->env, &runtime->lock);
}
