/* SPDX-License-Identifier: Apache-2.0 */
/* An intrusive queue without bound, many producers and one consumer.
 * Algorithm: Dmitry Vyukov, "Intrusive MPSC node-based queue" (1024cores.net,
 * 2010). Bounds are the caller's.
 *
 * Who calls what: push: any threads at once. pop, is_empty: one thread at a
 * time (the owner), beside any pushes.
 * Linearisation: push at its exchange of `tail`; pop at its advance of `head`.
 * Ordering:
 *   [M1] push: exchange of `tail`, acq_rel; pairs with [M1] of the next push:
 *        publishes the node's cleared link to who links behind it.
 *   [M2] push: store of `prev->next`, release; pairs with [M3].
 *   [M3] pop: load of `head->next`, acquire: the node's contents travel.
 *   [M4] pop: load of `tail`, acquire; pairs with [M1]: tells "empty" from "a
 *        push is between [M1] and [M2]".
 * Progress: push is wait-free. pop is wait-free and answers TH_MPSC_RETRY
 *   while a producer stands between [M1] and [M2]; the caller comes back later
 *   instead of waiting.
 * Reclamation: nodes belong to the producer until pushed and to the consumer
 *   once popped; the queue never reads a popped node again. */
#ifndef TH_QUEUE_MPSC_H
#define TH_QUEUE_MPSC_H

#include "base/base.h"

struct th_mpsc_node {
    _Atomic(struct th_mpsc_node *) next;
};

struct th_mpsc {
    _Atomic(struct th_mpsc_node *) tail; /* producers */
    struct th_mpsc_node *head;           /* consumer */
    struct th_mpsc_node stub;
};

enum th_mpsc_result { TH_MPSC_EMPTY, TH_MPSC_OK, TH_MPSC_RETRY };

static inline void th_mpsc_init(struct th_mpsc *queue)
{
    /* relaxed: not shared yet */
    atomic_init(&queue->stub.next, NULL);
    atomic_init(&queue->tail, &queue->stub);
    queue->head = &queue->stub;
}

static inline void th_mpsc_push(struct th_mpsc *queue,
                                struct th_mpsc_node *node)
{
    /* relaxed: [M1] publishes it */
    atomic_store_explicit(&node->next, NULL, memory_order_relaxed);
    /* [M1] acq_rel */
    struct th_mpsc_node *prev =
        atomic_exchange_explicit(&queue->tail, node, memory_order_acq_rel);
    /* [M2] release; pairs with [M3] */
    atomic_store_explicit(&prev->next, node, memory_order_release);
}

/* On OK *out is the node, the caller's from now on. */
static inline enum th_mpsc_result th_mpsc_pop(struct th_mpsc *queue,
                                              struct th_mpsc_node **out)
{
    struct th_mpsc_node *head = queue->head;
    /* [M3] acquire; pairs with [M2] */
    struct th_mpsc_node *next =
        atomic_load_explicit(&head->next, memory_order_acquire);

    if (head == &queue->stub) {
        if (next == NULL) {
            /* [M4] acquire; pairs with [M1] */
            return atomic_load_explicit(&queue->tail, memory_order_acquire) ==
                           &queue->stub
                       ? TH_MPSC_EMPTY
                       : TH_MPSC_RETRY;
        }
        queue->head = next;
        head = next;
        next = atomic_load_explicit(&head->next, memory_order_acquire);
    }
    if (next == NULL) {
        /* [M4] */
        if (atomic_load_explicit(&queue->tail, memory_order_acquire) != head) {
            return TH_MPSC_RETRY;
        }
        /* The last node: the stub goes behind it, so that it can be taken. */
        th_mpsc_push(queue, &queue->stub);
        next = atomic_load_explicit(&head->next, memory_order_acquire);
        if (next == NULL) {
            return TH_MPSC_RETRY;
        }
    }
    queue->head = next;
    *out = head;
    return TH_MPSC_OK;
}

/* False also while a push is under way. */
static inline bool th_mpsc_is_empty(struct th_mpsc *queue)
{
    /* [M4] acquire; pairs with [M1] */
    return queue->head == &queue->stub &&
           atomic_load_explicit(&queue->tail, memory_order_acquire) ==
               &queue->stub;
}

#endif
