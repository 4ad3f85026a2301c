/* SPDX-License-Identifier: Apache-2.0 */
/* Type-stable memory: items of one size in slots that are never unmapped
 * while the slab lives, so that a stale pointer or index still meets an item
 * of the same type, whose generation tells that it is another one.
 *
 * Who calls what: get, put, at: any threads at once.
 * Linearisation: get and put at the compare-and-swap of `free`, at the move of
 *   `fresh`, or at the thread's own list.
 * Ordering:
 *   [M1] put: compare-and-swap of `free`, release; pairs with [M2] in get: the
 *        item's link and whatever its last user wrote travel.
 *   [M2] get: load and compare-and-swap of `free`, acquire.
 *   [M3] a new chunk: store of its pointer, release; pairs with the acquire in
 *        at: the zeroed items travel.
 *   The lists of a thread slot are touched by the thread that owns the slot;
 *   the hand-over of slots (base/slot.c) orders the rest.
 * Progress: lock-free; a new chunk is made under a lock.
 * Reclamation: none before fini. ABA is kept out by a tag in `free`. */
#ifndef TH_QUEUE_SLAB_H
#define TH_QUEUE_SLAB_H

#include "base/base.h"

enum { TH_SLAB_CHUNK = 256, TH_SLAB_NONE = UINT32_MAX };

/* First member of every item. */
struct th_slab_item {
    _Atomic uint32_t next_free; /* index, while free */
    uint32_t index;             /* its own; constant */
};

struct th_slab_local {
    _Alignas(TH_LINE) uint32_t head; /* index + 1; 0: empty */
    uint32_t count;
};

struct th_slab {
    const theater_env_t *env;
    size_t item_size;
    uint32_t capacity;    /* what the directory has room for */
    _Atomic uint32_t max; /* items that may be made; retired ones add to it */
    uint32_t local_max;   /* free items that a thread keeps; 0: none */
    _Atomic(uint8_t *) *chunks; /* directory, mapped; zero where none yet */
    size_t directory_size;
    struct th_lock grow;
    uint32_t made;                            /* chunks; guarded by grow */
    _Alignas(TH_LINE) _Atomic uint64_t free;  /* tag << 32 | index + 1 */
    _Alignas(TH_LINE) _Atomic uint32_t fresh; /* items never used: from here */
    struct th_slab_local local[TH_SLOTS];
};

/* `item_size` is rounded up to whole lines. Where `max` is large threads keep
 * some free items, and 4,096 more than `max` may be in use. Where it is small
 * it is exact. Returns: OK, OUT_OF_MEMORY. */
THEATER_CHECKED theater_status_t th_slab_init(struct th_slab *slab,
                                              const theater_env_t *env,
                                              size_t item_size, uint32_t max);
void th_slab_fini(struct th_slab *slab);

/* An item, zeroed when it is used for the first time, as it was left
 * otherwise. NULL: `max` are in use, or no memory (*out_full tells). */
void *th_slab_get(struct th_slab *slab, bool *out_full);
void th_slab_put(struct th_slab *slab, struct th_slab_item *item);

/* The item will never be put back: one more may be made in its place, as long
 * as the directory has room (as many again as `max`). */
void th_slab_retire(struct th_slab *slab);

/* The item of that index, in use or not, or never used and zeroed; NULL where
 * there can be none. */
static inline void *th_slab_at(struct th_slab *slab, uint32_t index)
{
    if (TH_UNLIKELY(index >= slab->capacity)) {
        return NULL;
    }
    /* [M3] acquire */
    uint8_t *chunk = atomic_load_explicit(&slab->chunks[index / TH_SLAB_CHUNK],
                                          memory_order_acquire);
    if (TH_UNLIKELY(chunk == NULL)) {
        return NULL;
    }
    return chunk + (size_t)(index % TH_SLAB_CHUNK) * slab->item_size;
}

#endif
