/* SPDX-License-Identifier: Apache-2.0 */
/* Design notes. Chunks of 256 items behind a directory that is mapped whole,
 * so that an index becomes a pointer with one load. Free items go to the list
 * of the thread that frees them (no atomic operation), in batches to the
 * shared list when that grows long. Memory never goes back before fini: that
 * is the point (see the header).
 *
 * Threads can't take from each other's lists, so what they may keep is allowed
 * on top of `max`; where that would be much beside `max` they keep nothing. */
#include "queue/slab.h"

enum { LOCAL_MAX = 64, BATCH = 32, LOCAL_FROM = 65536 };

theater_status_t th_slab_init(struct th_slab *slab, const theater_env_t *env,
                              size_t item_size, uint32_t max)
{
    memset(slab, 0, sizeof *slab);
    slab->env = env;
    slab->item_size = (item_size + TH_LINE - 1) / TH_LINE * TH_LINE;
    bool keeps = max >= LOCAL_FROM;
    uint32_t most = max + (keeps ? TH_SLOTS * LOCAL_MAX : 0);
    slab->local_max = keeps ? LOCAL_MAX : 0;
    atomic_init(&slab->max, most);
    slab->capacity = 2 * most;
    slab->directory_size =
        ((size_t)slab->capacity / TH_SLAB_CHUNK + 1) * sizeof *slab->chunks;
    slab->chunks = env->map(env->ctx, slab->directory_size);
    return slab->chunks != NULL ? THEATER_OK : THEATER_OUT_OF_MEMORY;
}

void th_slab_fini(struct th_slab *slab)
{
    if (slab->chunks == NULL) {
        return;
    }
    for (uint32_t i = 0; i < slab->made; i++) {
        /* relaxed: the last user */
        th_free(slab->env,
                atomic_load_explicit(&slab->chunks[i], memory_order_relaxed));
    }
    slab->env->unmap(slab->env->ctx, slab->chunks, slab->directory_size);
    slab->chunks = NULL;
}

static struct th_slab_item *item_at(struct th_slab *slab, uint32_t index)
{
    return th_slab_at(slab, index);
}

/* Makes sure that the chunk of `index` is there. */
static bool grow(struct th_slab *slab, uint32_t index)
{
    const theater_env_t *env = slab->env;
    uint32_t want = index / TH_SLAB_CHUNK + 1;

    th_lock(env, &slab->grow);
    while (slab->made < want) {
        size_t size = slab->item_size * TH_SLAB_CHUNK;
        uint8_t *chunk = env->alloc(env->ctx, size, TH_LINE);
        if (chunk == NULL) {
            break;
        }
        memset(chunk, 0, size);
        for (uint32_t i = 0; i < TH_SLAB_CHUNK; i++) {
            struct th_slab_item *item =
                (void *)(chunk + (size_t)i * slab->item_size);
            item->index = slab->made * TH_SLAB_CHUNK + i;
        }
        /* [M3] release */
        atomic_store_explicit(&slab->chunks[slab->made], chunk,
                              memory_order_release);
        slab->made++;
    }
    bool there = slab->made >= want;
    th_unlock(env, &slab->grow);
    return there;
}

static struct th_slab_item *pop_shared(struct th_slab *slab)
{
    /* [M2] acquire; pairs with [M1] */
    uint64_t head = atomic_load_explicit(&slab->free, memory_order_acquire);
    while ((uint32_t)head != 0) {
        struct th_slab_item *item = item_at(slab, (uint32_t)head - 1);
        /* relaxed: [M2] has it if the exchange succeeds; else it is unused */
        uint32_t next =
            atomic_load_explicit(&item->next_free, memory_order_relaxed);
        uint64_t want = ((head >> 32) + 1) << 32 | next;
        /* [M2] acquire */
        if (atomic_compare_exchange_weak_explicit(&slab->free, &head, want,
                                                  memory_order_acquire,
                                                  memory_order_acquire)) {
            return item;
        }
    }
    return NULL;
}

/* Pushes the chain first .. last. */
static void push_shared(struct th_slab *slab, struct th_slab_item *first,
                        struct th_slab_item *last)
{
    /* relaxed: only compared */
    uint64_t head = atomic_load_explicit(&slab->free, memory_order_relaxed);
    uint64_t want = 0;
    do {
        /* relaxed: [M1] publishes it */
        atomic_store_explicit(&last->next_free, (uint32_t)head,
                              memory_order_relaxed);
        want = ((head >> 32) + 1) << 32 | ((uint64_t)first->index + 1);
        /* [M1] release */
    } while (!atomic_compare_exchange_weak_explicit(
        &slab->free, &head, want, memory_order_release, memory_order_relaxed));
}

static struct th_slab_item *take_fresh(struct th_slab *slab, bool *out_full)
{
    /* relaxed: a counter; the items behind it come by [M3] */
    uint32_t index = atomic_load_explicit(&slab->fresh, memory_order_relaxed);
    do {
        /* relaxed: a bound */
        if (index >= atomic_load_explicit(&slab->max, memory_order_relaxed)) {
            *out_full = true;
            return NULL;
        }
        if (item_at(slab, index) == NULL && !grow(slab, index)) {
            *out_full = false;
            return NULL;
        }
    } while (!atomic_compare_exchange_weak_explicit(
        &slab->fresh, &index, index + 1, memory_order_relaxed,
        memory_order_relaxed));
    return item_at(slab, index);
}

void *th_slab_get(struct th_slab *slab, bool *out_full)
{
    unsigned slot = th_slot();
    struct th_slab_local *local = &slab->local[slot];

    if (slot != 0 && local->head != 0) {
        struct th_slab_item *item = item_at(slab, local->head - 1);
        /* relaxed: this thread wrote it */
        local->head =
            atomic_load_explicit(&item->next_free, memory_order_relaxed);
        local->count--;
        return item;
    }
    struct th_slab_item *item = pop_shared(slab);
    return item != NULL ? item : take_fresh(slab, out_full);
}

/* Half of the thread's list goes to the shared one. */
static void spill(struct th_slab *slab, struct th_slab_local *local)
{
    struct th_slab_item *first = item_at(slab, local->head - 1);
    struct th_slab_item *last = first;

    for (unsigned i = 1; i < BATCH; i++) {
        /* relaxed: this thread wrote them */
        last = item_at(
            slab,
            atomic_load_explicit(&last->next_free, memory_order_relaxed) - 1);
    }
    local->head = atomic_load_explicit(&last->next_free, memory_order_relaxed);
    local->count -= BATCH;
    push_shared(slab, first, last);
}

void th_slab_put(struct th_slab *slab, struct th_slab_item *item)
{
    unsigned slot = th_slot();
    struct th_slab_local *local = &slab->local[slot];

    if (slot == 0 || slab->local_max == 0) {
        push_shared(slab, item, item);
        return;
    }
    /* relaxed: this thread reads it again, or spill publishes it */
    atomic_store_explicit(&item->next_free, local->head, memory_order_relaxed);
    local->head = item->index + 1;
    if (++local->count >= slab->local_max) {
        spill(slab, local);
    }
}

void th_slab_retire(struct th_slab *slab)
{
    /* relaxed, all: a bound */
    uint32_t max = atomic_load_explicit(&slab->max, memory_order_relaxed);
    while (max < slab->capacity &&
           !atomic_compare_exchange_weak_explicit(&slab->max, &max, max + 1,
                                                  memory_order_relaxed,
                                                  memory_order_relaxed)) {
    }
}
