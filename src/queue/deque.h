/* SPDX-License-Identifier: Apache-2.0 */
/* A worker's run queue: a bounded ring of pointers, first in, first out, from
 * whose old end others steal. After the run queue of Go's scheduler (D.
 * Vyukov, "Scalable Go Scheduler Design Doc", 2012). Knows no task.
 *
 * Who calls what: push: the owner alone. pop: the owner. take: anyone, the
 *   owner too (to make room). size: anyone.
 * Linearisation: push at its store of `tail`; pop and take at their exchange
 *   of `head`; an empty answer at the load of `tail`.
 * Ordering:
 *   [M1] push: store of `tail`, release; pairs with the load of `tail` in
 *        take, acquire: the item and what it points to travel. The store
 *        is seq_cst, and so is size's load: who pushes then looks whether
 *        anyone sleeps, who wants to sleep says so, then looks at the size.
 *   [M2] pop, take: compare-exchange of `head`, acq_rel; pairs with the load
 *        of `head` in push, acquire: a cell is written anew only after who
 *        took its item has read it. Since indices never come back (64 bits),
 *        a compare-exchange that succeeds proves that no cell between was
 *        written anew since it was read.
 *   The cells are atomic, but relaxed: a thief may read one that the owner
 *   writes anew; its compare-exchange fails then, and nothing was used.
 * Progress: push is wait-free; pop and take are lock-free.
 * Reclamation: none; the ring never reads what its items point to. */
#ifndef TH_QUEUE_DEQUE_H
#define TH_QUEUE_DEQUE_H

#include "base/base.h"

enum { TH_DEQUE_SIZE = 512 }; /* a power of two */

struct th_deque {
    _Alignas(TH_LINE) _Atomic uint64_t head; /* owner and thieves */
    _Alignas(TH_LINE) _Atomic uint64_t tail; /* the owner */
    _Alignas(TH_LINE) _Atomic(void *) ring[TH_DEQUE_SIZE];
};

static inline void th_deque_init(struct th_deque *deque)
{
    /* relaxed: not shared yet */
    atomic_init(&deque->head, 0);
    atomic_init(&deque->tail, 0);
    for (size_t i = 0; i < TH_DEQUE_SIZE; i++) {
        atomic_init(&deque->ring[i], NULL);
    }
}

/* A number that was true a moment ago. */
static inline size_t th_deque_size(struct th_deque *deque)
{
    /* acquire, the head first: the tail is then not the older one */
    uint64_t head = atomic_load_explicit(&deque->head, memory_order_acquire);
    /* [M1] seq_cst */
    uint64_t tail = atomic_load_explicit(&deque->tail, memory_order_seq_cst);
    return tail > head ? (size_t)(tail - head) : 0;
}

/* False: full. */
static inline bool th_deque_push(struct th_deque *deque, void *item)
{
    /* relaxed: our own */
    uint64_t tail = atomic_load_explicit(&deque->tail, memory_order_relaxed);
    /* [M2] acquire */
    uint64_t head = atomic_load_explicit(&deque->head, memory_order_acquire);

    if (tail - head >= TH_DEQUE_SIZE) {
        return false;
    }
    /* relaxed: [M1] publishes it */
    atomic_store_explicit(&deque->ring[tail % TH_DEQUE_SIZE], item,
                          memory_order_relaxed);
    /* [M1] seq_cst */
    atomic_store_explicit(&deque->tail, tail + 1, memory_order_seq_cst);
    return true;
}

/* NULL: empty. */
static inline void *th_deque_pop(struct th_deque *deque)
{
    /* relaxed: our own; and a stale head makes the exchange fail */
    uint64_t tail = atomic_load_explicit(&deque->tail, memory_order_relaxed);
    uint64_t head = atomic_load_explicit(&deque->head, memory_order_relaxed);

    while (head != tail) {
        void *item = atomic_load_explicit(&deque->ring[head % TH_DEQUE_SIZE],
                                          memory_order_relaxed);
        /* [M2] acq_rel */
        if (atomic_compare_exchange_weak_explicit(&deque->head, &head, head + 1,
                                                  memory_order_acq_rel,
                                                  memory_order_relaxed)) {
            return item;
        }
    }
    return NULL;
}

/* Takes the oldest items, at most `max`; answers how many. With `half`, only
 * half of them, rounded up. */
static inline size_t th_deque_take(struct th_deque *deque, void **out,
                                   size_t max, bool half)
{
    /* acquire, so that the tail is not older than the head */
    uint64_t head = atomic_load_explicit(&deque->head, memory_order_acquire);

    for (;;) {
        /* [M1] acquire */
        uint64_t tail =
            atomic_load_explicit(&deque->tail, memory_order_acquire);
        size_t count = tail > head ? (size_t)(tail - head) : 0;
        if (half) {
            count -= count / 2;
        }
        if (count > max) {
            count = max;
        }
        if (count == 0) {
            return 0;
        }
        for (size_t i = 0; i < count; i++) {
            out[i] = atomic_load_explicit(
                &deque->ring[(head + i) % TH_DEQUE_SIZE], memory_order_relaxed);
        }
        /* [M2] acq_rel */
        if (atomic_compare_exchange_weak_explicit(
                &deque->head, &head, head + count, memory_order_acq_rel,
                memory_order_acquire)) {
            return count;
        }
    }
}

#endif
