/* SPDX-License-Identifier: Apache-2.0 */
/* Design notes
 *
 * One pool per size: chunks from env->map, each cut into slots; slots never
 * used are handed out in order, used ones come back on a stack of pointers
 * that is kept outside of the slots (a list through them would touch their
 * pages). Room for the pointer is made when the chunk is, so that giving a
 * slot back cannot fail. Memories are given back as zeros (env->discard);
 * stacks keep their pages until a sweep.
 *
 * Reserved memories are mappings of their own, made and unmapped with their
 * guest: what they are for is code that runs long, not guests that are many.
 *
 * A lock per pool: taken when a guest is made, deleted or outgrows its slot,
 * never on the way of a message.
 *
 * A stack's state says who may touch its pages:
 *   IDLE   no call is live on it, its pages may be there
 *   CLEAN  the same, and swept: nothing to give back
 *   BUSY   a call is live on it
 *   SWEPT  a sweep is in its pages right now
 * [S1] The sweep takes IDLE -> SWEPT by compare-and-swap (acquire) and leaves
 * SWEPT -> CLEAN (release); whoever enters a guest takes IDLE or CLEAN -> BUSY
 * by compare-and-swap (acquire), spinning while SWEPT, and leaves BUSY -> IDLE
 * (release). Each acquire pairs with the release that it reads from: the
 * stack's bytes are seen by who has it next, and no discard overlaps a call. */
#include "wasm/slab.h"

enum {
    CLASSES = 9, /* 64 KiB << 2 * class: up to 4 GiB */
    SLOT_SHIFT = 16,
};

enum { STACK_IDLE, STACK_CLEAN, STACK_BUSY, STACK_SWEPT };

static const uint64_t chunk_bytes = (uint64_t)64 << 20;

struct chunk {
    struct chunk *next;
    uint8_t *base;
    size_t bytes;
    struct th_stack_slot *stacks; /* of a chunk of stacks */
    size_t used;                  /* slots handed out from it so far */
};

struct pool {
    struct th_lock lock;
    size_t slot_bytes;
    size_t slots_per_chunk;
    struct chunk *chunks; /* the first one is the one that is cut */
    void **free;          /* slots that came back */
    size_t free_len, free_cap;
};

struct th_slabs {
    const theater_env_t *env;
    struct pool memories[CLASSES];
    struct pool stacks;
    struct th_stack_slot *free_stacks; /* guarded by stacks.lock */
};

static void pool_init(struct pool *pool, uint64_t slot_bytes)
{
    *pool = (struct pool){.slot_bytes = (size_t)slot_bytes};
    uint64_t slots = chunk_bytes / slot_bytes;
    /* Large slots: a few together, so that mappings stay few. */
    uint64_t least = slot_bytes <= (uint64_t)64 << 20 ? 4 : 1;
    pool->slots_per_chunk = (size_t)(slots < least ? least : slots);
}

theater_status_t th_slabs_new(const theater_env_t *env, size_t stack_bytes,
                              struct th_slabs **out_slabs)
{
    struct th_slabs *slabs = th_calloc(env, sizeof *slabs);
    if (slabs == NULL) {
        return THEATER_OUT_OF_MEMORY;
    }
    slabs->env = env;
    for (unsigned i = 0; i < CLASSES; i++) {
        pool_init(&slabs->memories[i], (uint64_t)1 << (SLOT_SHIFT + 2 * i));
    }
    pool_init(&slabs->stacks, stack_bytes);
    *out_slabs = slabs;
    return THEATER_OK;
}

static void pool_fini(const theater_env_t *env, struct pool *pool)
{
    while (pool->chunks != NULL) {
        struct chunk *chunk = pool->chunks;
        pool->chunks = chunk->next;
        env->unmap(env->ctx, chunk->base, chunk->bytes);
        th_free(env, chunk->stacks);
        th_free(env, chunk);
    }
    th_free(env, pool->free);
}

void th_slabs_delete(struct th_slabs *slabs)
{
    if (slabs == NULL) {
        return;
    }
    for (unsigned i = 0; i < CLASSES; i++) {
        pool_fini(slabs->env, &slabs->memories[i]);
    }
    pool_fini(slabs->env, &slabs->stacks);
    th_free(slabs->env, slabs);
}

/* A further chunk at the head of the pool's list, or NULL. */
static struct chunk *pool_extend(const theater_env_t *env, struct pool *pool,
                                 bool is_stacks)
{
    size_t slots = pool->slots_per_chunk;
    struct chunk *chunk = th_calloc(env, sizeof *chunk);
    if (chunk == NULL) {
        return NULL;
    }
    if (is_stacks) {
        chunk->stacks = th_calloc(env, slots * sizeof *chunk->stacks);
        if (chunk->stacks == NULL) {
            goto fail;
        }
    } else {
        size_t cap = pool->free_cap + slots;
        void **free_slots = th_alloc(env, cap * sizeof *free_slots);
        if (free_slots == NULL) {
            goto fail;
        }
        if (pool->free_len > 0) {
            memcpy(free_slots, pool->free, pool->free_len * sizeof *free_slots);
        }
        th_free(env, pool->free);
        pool->free = free_slots;
        pool->free_cap = cap;
    }
    chunk->bytes = slots * pool->slot_bytes;
    chunk->base = env->map(env->ctx, chunk->bytes);
    if (chunk->base == NULL) {
        goto fail;
    }
    chunk->next = pool->chunks;
    pool->chunks = chunk;
    return chunk;
fail:
    th_free(env, chunk->stacks);
    th_free(env, chunk);
    return NULL;
}

/* The chunk to cut the next slot from, or NULL. */
static struct chunk *pool_chunk(const theater_env_t *env, struct pool *pool,
                                bool is_stacks)
{
    struct chunk *chunk = pool->chunks;
    if (chunk == NULL || chunk->used == pool->slots_per_chunk) {
        chunk = pool_extend(env, pool, is_stacks);
    }
    return chunk;
}

static uint8_t *memory_take(struct th_slabs *slabs, unsigned class)
{
    const theater_env_t *env = slabs->env;
    struct pool *pool = &slabs->memories[class];
    uint8_t *slot = NULL;
    th_lock(env, &pool->lock);
    if (pool->free_len > 0) {
        slot = pool->free[--pool->free_len];
    } else {
        struct chunk *chunk = pool_chunk(env, pool, false);
        if (chunk != NULL) {
            slot = chunk->base + chunk->used * pool->slot_bytes;
            chunk->used++;
        }
    }
    th_unlock(env, &pool->lock);
    return slot;
}

static void memory_give(struct th_slabs *slabs, unsigned class, uint8_t *slot,
                        uint64_t used)
{
    const theater_env_t *env = slabs->env;
    struct pool *pool = &slabs->memories[class];
    if (used > 0) {
        env->discard(env->ctx, slot, (size_t)used);
    }
    th_lock(env, &pool->lock);
    pool->free[pool->free_len++] = slot;
    th_unlock(env, &pool->lock);
}

/* The smallest class whose slots have `size` bytes; CLASSES: none. */
static unsigned class_of(uint64_t size)
{
    unsigned class = 0;
    while (class < CLASSES && (uint64_t)1 << (SLOT_SHIFT + 2 * class) < size) {
        class ++;
    }
    return class;
}

static theater_status_t reserved_init(struct th_linear *linear,
                                      const theater_env_t *env, uint64_t size)
{
    const size_t all = (size_t)(TH_RESERVED + TH_RESERVED_GUARD);
    uint8_t *base = env->map_reserve(env->ctx, all);
    if (base == NULL) {
        return THEATER_OUT_OF_MEMORY;
    }
    theater_status_t status = THEATER_OK;
    if (size > 0) {
        status = env->map_allow(env->ctx, base, (size_t)size);
    }
    if (status != THEATER_OK) {
        env->unmap(env->ctx, base, all);
        return status;
    }
    linear->base = base;
    linear->size = size;
    return THEATER_OK;
}

static theater_status_t reserved_grow(struct th_linear *linear, uint64_t size)
{
    const theater_env_t *env = linear->slabs->env;
    if (size > linear->size) {
        theater_status_t status =
            env->map_allow(env->ctx, linear->base + linear->size,
                           (size_t)(size - linear->size));
        if (status != THEATER_OK) {
            return status;
        }
    }
    linear->size = size;
    return THEATER_OK;
}

uint64_t th_linear_capacity(const struct th_linear *linear)
{
    if (linear->reserved) {
        return TH_RESERVED;
    }
    return (uint64_t)1 << (SLOT_SHIFT + 2 * linear->class);
}

theater_status_t th_linear_init(struct th_linear *linear,
                                struct th_slabs *slabs, uint64_t size)
{
    unsigned class = class_of(size);
    if (size > linear->limit || class == CLASSES) {
        return THEATER_LIMIT;
    }
    linear->slabs = slabs;
    if (linear->reserved) {
        return reserved_init(linear, slabs->env, size);
    }
    uint8_t *slot = memory_take(slabs, class);
    if (slot == NULL) {
        return THEATER_OUT_OF_MEMORY;
    }
    linear->class = class;
    linear->base = slot;
    linear->size = size;
    return THEATER_OK;
}

theater_status_t th_linear_grow(struct th_linear *linear, uint64_t size)
{
    unsigned class = class_of(size);
    if (size > linear->limit || class == CLASSES) {
        return THEATER_LIMIT;
    }
    if (linear->reserved) {
        return reserved_grow(linear, size);
    }
    if (class > linear->class) {
        uint8_t *slot = memory_take(linear->slabs, class);
        if (slot == NULL) {
            return THEATER_OUT_OF_MEMORY;
        }
        memcpy(slot, linear->base, (size_t)linear->size);
        memory_give(linear->slabs, linear->class, linear->base, linear->size);
        linear->class = class;
        linear->base = slot;
    }
    linear->size = size;
    return THEATER_OK;
}

void th_linear_fini(struct th_linear *linear)
{
    if (linear->base != NULL) {
        if (linear->reserved) {
            const theater_env_t *env = linear->slabs->env;
            env->unmap(env->ctx, linear->base,
                       (size_t)(TH_RESERVED + TH_RESERVED_GUARD));
        } else {
            memory_give(linear->slabs, linear->class, linear->base,
                        linear->size);
        }
        linear->base = NULL;
        linear->size = 0;
    }
}

theater_status_t th_stack_take(struct th_slabs *slabs,
                               struct th_stack_slot **out)
{
    struct pool *pool = &slabs->stacks;
    struct th_stack_slot *stack = NULL;
    th_lock(slabs->env, &pool->lock);
    if (slabs->free_stacks != NULL) {
        stack = slabs->free_stacks;
        slabs->free_stacks = stack->next_free;
    } else {
        struct chunk *chunk = pool_chunk(slabs->env, pool, true);
        if (chunk != NULL) {
            stack = &chunk->stacks[chunk->used];
            stack->low = chunk->base + chunk->used * pool->slot_bytes;
            chunk->used++;
        }
    }
    th_unlock(slabs->env, &pool->lock);
    if (stack == NULL) {
        return THEATER_OUT_OF_MEMORY;
    }
    *out = stack;
    return THEATER_OK;
}

void th_stack_give(struct th_slabs *slabs, struct th_stack_slot *stack)
{
    th_lock(slabs->env, &slabs->stacks.lock);
    stack->next_free = slabs->free_stacks;
    slabs->free_stacks = stack;
    th_unlock(slabs->env, &slabs->stacks.lock);
}

void th_stack_busy(struct th_stack_slot *stack)
{
    uint32_t state = atomic_load_explicit(&stack->state, memory_order_relaxed);
    for (;;) {
        /* Relaxed when it fails: only the state itself is looked at. */
        if (state != STACK_SWEPT &&
            atomic_compare_exchange_weak_explicit(
                &stack->state, &state, STACK_BUSY, memory_order_acquire,
                memory_order_relaxed)) {
            return; /* [S1] acquire */
        }
        if (state == STACK_SWEPT) {
            th_pause();
            state = atomic_load_explicit(&stack->state, memory_order_relaxed);
        }
    }
}

void th_stack_idle(struct th_stack_slot *stack)
{
    /* [S1] release */
    atomic_store_explicit(&stack->state, STACK_IDLE, memory_order_release);
}

/* The stacks of a chunk that were handed out before now. */
static void sweep_chunk(struct th_slabs *slabs, struct chunk *chunk,
                        size_t used, bool (*go_on)(void *arg), void *arg)
{
    for (size_t i = 0; i < used; i++) {
        struct th_stack_slot *stack = &chunk->stacks[i];
        uint32_t idle = STACK_IDLE;
        if (!atomic_compare_exchange_strong_explicit(
                &stack->state, &idle, STACK_SWEPT, memory_order_acquire,
                memory_order_relaxed)) { /* [S1] */
            continue;
        }
        slabs->env->discard(slabs->env->ctx, stack->low,
                            slabs->stacks.slot_bytes);
        atomic_store_explicit(&stack->state, STACK_CLEAN,
                              memory_order_release); /* [S1] */
        if (!go_on(arg)) {
            return;
        }
    }
}

void th_stack_sweep(struct th_slabs *slabs, bool (*go_on)(void *arg), void *arg)
{
    struct pool *pool = &slabs->stacks;
    /* The lock for the list and for what was handed out; not for the discards:
     * who makes a guest meanwhile does not wait for them. A chunk stays. */
    th_lock(slabs->env, &pool->lock);
    struct chunk *chunk = pool->chunks;
    while (chunk != NULL && go_on(arg)) {
        size_t used = chunk->used;
        th_unlock(slabs->env, &pool->lock);
        sweep_chunk(slabs, chunk, used, go_on, arg);
        th_lock(slabs->env, &pool->lock);
        chunk = chunk->next;
    }
    th_unlock(slabs->env, &pool->lock);
}
