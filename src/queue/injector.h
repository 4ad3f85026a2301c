/* SPDX-License-Identifier: Apache-2.0 */
/* A queue without bound that any thread fills and any worker empties: an
 * intrusive multi-producer queue whose consumer is whoever holds the right to
 * take. Nobody waits for that right: who does not get it leaves the queue to
 * the holder, who looks once more after giving it back.
 *
 * Who calls what: push: any threads. try_begin: any; pop, end: who was given
 *   the right by try_begin. size, taking: any.
 * Linearisation: push at its exchange of the queue's tail; pop as in mpsc.h.
 * Ordering: the queue's own (mpsc.h), and
 *   [M1] try_begin: exchange of `taking`, acquire; pairs with end's store of
 *        `taking`: the consumer's half of the queue travels.
 *   [M2] push: addition to `pushed`, seq_cst, before the item is linked, so
 *        that never more is popped than was pushed: else one push that stands
 *        still in between would hide what others have queued. Who has pushed
 *        looks whether anyone sleeps; who wants to sleep says so, then reads
 *        `pushed`: one of the two sees the other. What is counted and not there
 *        yet is waited for by looking again (TH_RETRY_NS).
 *   [M4] pop: store of `popped`, release; pairs with the load in size, acquire:
 *        what is counted as popped is counted as pushed.
 *   [M3] end: store of `taking`, seq_cst, before the holder reads `pushed` and
 *        who sleeps; who wants to sleep says so, then reads `taking`.
 * Progress: push is wait-free; pop never waits (TH_MPSC_RETRY, or EMPTY though
 *   the size is not 0, while a push is under way).
 * Reclamation: as in mpsc.h. */
#ifndef TH_QUEUE_INJECTOR_H
#define TH_QUEUE_INJECTOR_H

#include "queue/mpsc.h"

struct th_injector {
    _Alignas(TH_LINE) struct th_mpsc queue;
    _Alignas(TH_LINE) _Atomic uint64_t pushed; /* producers */
    _Alignas(TH_LINE) _Atomic uint64_t popped; /* the holder of `taking` */
    _Atomic uint32_t taking;
};

static inline void th_injector_init(struct th_injector *injector)
{
    th_mpsc_init(&injector->queue);
    /* relaxed: not shared yet */
    atomic_init(&injector->pushed, 0);
    atomic_init(&injector->popped, 0);
    atomic_init(&injector->taking, 0);
}

/* `count` nodes, linked from `first` to `last` by their `next`. */
static inline void th_injector_push(struct th_injector *injector,
                                    struct th_mpsc_node *first,
                                    struct th_mpsc_node *last, size_t count)
{
    /* [M2] seq_cst */
    atomic_fetch_add_explicit(&injector->pushed, count, memory_order_seq_cst);
    /* relaxed: the exchange publishes it */
    atomic_store_explicit(&last->next, NULL, memory_order_relaxed);
    /* mpsc.h [M1] acq_rel */
    struct th_mpsc_node *prev = atomic_exchange_explicit(
        &injector->queue.tail, last, memory_order_acq_rel);
    /* mpsc.h [M2] release; pairs with the load in th_mpsc_pop */
    atomic_store_explicit(&prev->next, first, memory_order_release);
}

/* How many are there, or on their way, at most; true a moment ago. */
static inline size_t th_injector_size(struct th_injector *injector)
{
    /* [M4] acquire; an old one answers too many, which makes the reader look
     * for nothing */
    uint64_t popped =
        atomic_load_explicit(&injector->popped, memory_order_acquire);
    /* [M2] seq_cst */
    uint64_t pushed =
        atomic_load_explicit(&injector->pushed, memory_order_seq_cst);
    return (size_t)(pushed - popped);
}

/* Is someone taking at this moment? */
static inline bool th_injector_taking(struct th_injector *injector)
{
    /* [M3] seq_cst */
    return atomic_load_explicit(&injector->taking, memory_order_seq_cst) != 0;
}

/* The right to pop. */
static inline bool th_injector_try_begin(struct th_injector *injector)
{
    /* relaxed: a hint */
    if (atomic_load_explicit(&injector->taking, memory_order_relaxed) != 0) {
        return false;
    }
    /* [M1] acquire */
    return atomic_exchange_explicit(&injector->taking, 1,
                                    memory_order_acquire) == 0;
}

static inline enum th_mpsc_result th_injector_pop(struct th_injector *injector,
                                                  struct th_mpsc_node **out)
{
    enum th_mpsc_result result = th_mpsc_pop(&injector->queue, out);
    if (result == TH_MPSC_OK) {
        /* relaxed: written by the holder of the right alone; travels with it */
        uint64_t popped =
            atomic_load_explicit(&injector->popped, memory_order_relaxed);
        /* [M4] release */
        atomic_store_explicit(&injector->popped, popped + 1,
                              memory_order_release);
    }
    return result;
}

/* Gives the right back. The caller then looks at the size once more and, if
 * there is something left, sees to it that someone comes for it. */
static inline void th_injector_end(struct th_injector *injector)
{
    /* [M1] release, [M3] seq_cst */
    atomic_store_explicit(&injector->taking, 0, memory_order_seq_cst);
}

#endif
