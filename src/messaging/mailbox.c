/* SPDX-License-Identifier: Apache-2.0 */
/* Design notes. The header says how the words work; here is the ring of the
 * policy drop-oldest. It has room for the capacity and for all that channels
 * may have under way, so a push that has reserved always finds a cell; it
 * may have to wait a few instructions for the cell's last user to let go, and
 * that is the one spin in a push (bounded by that user's progress).
 * A cell's turn: 2n: empty, for the push number n of this cell's lap; 2n+1:
 * full. Whether a message may be dropped stands in the cell, beside the
 * pointer, so that no thread looks into a message that it does not own. */
#include "messaging/mailbox.h"

theater_status_t th_mailbox_open(const theater_env_t *env,
                                 struct th_mailbox *box, uint16_t generation,
                                 uint32_t capacity, uint32_t capacity_bytes,
                                 uint32_t ring_slots)
{
    box->ring = NULL;
    if (ring_slots != 0) {
        uint64_t slots = 2;
        while (slots < ring_slots) {
            slots *= 2;
        }
        size_t size = sizeof(struct th_ring) +
                      (size_t)slots * sizeof(struct th_ring_cell);
        box->ring = env->map(env->ctx, size); /* zeroed, and lazily */
        if (box->ring == NULL) {
            return THEATER_OUT_OF_MEMORY;
        }
        box->ring->mask = slots - 1;
    }
    th_mpsc_init(&box->queue);
    /* [M5] release, both */
    atomic_store_explicit(&box->capacity, capacity, memory_order_release);
    atomic_store_explicit(&box->capacity_bytes, capacity_bytes,
                          memory_order_release);
    uint64_t word = (uint64_t)generation << TH_BOX_GENERATION_SHIFT;
    /* [M2] release; pairs with [M1] */
    atomic_store_explicit(&box->exempt, word, memory_order_release);
    atomic_store_explicit(&box->bounded, word, memory_order_release);
    return THEATER_OK;
}

void th_mailbox_close(struct th_mailbox *box)
{
    /* [M4] acq_rel */
    atomic_fetch_or_explicit(&box->bounded, TH_BOX_CLOSED,
                             memory_order_acq_rel);
    atomic_fetch_or_explicit(&box->exempt, TH_BOX_CLOSED, memory_order_acq_rel);
}

void th_mailbox_fini(const theater_env_t *env, struct th_mailbox *box)
{
    if (box->ring != NULL) {
        env->unmap(env->ctx, box->ring,
                   sizeof *box->ring + ((size_t)box->ring->mask + 1) *
                                           sizeof(struct th_ring_cell));
        box->ring = NULL;
    }
}

void th_ring_push(struct th_ring *ring, struct th_message *message)
{
    bool droppable = (message->flags & TH_MESSAGE_EXEMPT) == 0;
    /* relaxed: only a ticket; the cell's turn carries the order */
    uint64_t at =
        atomic_fetch_add_explicit(&ring->tail, 1, memory_order_relaxed);
    struct th_ring_cell *cell = &ring->cells[at & ring->mask];
    uint64_t turn = at / (ring->mask + 1) * 2;

    /* acquire; pairs with the release in th_ring_pop: its reads are over */
    while (atomic_load_explicit(&cell->turn, memory_order_acquire) != turn) {
        th_pause();
    }
    /* relaxed: the turn publishes it */
    atomic_store_explicit(&cell->message,
                          (uintptr_t)message | (droppable ? 1U : 0U),
                          memory_order_relaxed);
    /* release; pairs with the acquire in th_ring_pop */
    atomic_store_explicit(&cell->turn, turn + 1, memory_order_release);
}

enum th_mpsc_result th_ring_pop(struct th_ring *ring, bool only_droppable,
                                struct th_message **out)
{
    /* relaxed: the compare-and-swap decides */
    uint64_t at = atomic_load_explicit(&ring->head, memory_order_relaxed);
    for (;;) {
        struct th_ring_cell *cell = &ring->cells[at & ring->mask];
        uint64_t turn = at / (ring->mask + 1) * 2 + 1;
        /* acquire; pairs with the release in th_ring_push */
        uint64_t seen = atomic_load_explicit(&cell->turn, memory_order_acquire);

        if (seen < turn) {
            /* acquire: not older than the turn just read */
            uint64_t tail =
                atomic_load_explicit(&ring->tail, memory_order_acquire);
            return tail <= at ? TH_MPSC_EMPTY : TH_MPSC_RETRY;
        }
        if (seen > turn) {
            at = atomic_load_explicit(&ring->head, memory_order_relaxed);
            continue;
        }
        /* relaxed: valid only if the exchange below succeeds */
        uintptr_t message =
            atomic_load_explicit(&cell->message, memory_order_relaxed);
        if (only_droppable && (message & 1) == 0) {
            return TH_MPSC_EMPTY;
        }
        /* acq_rel: head moves in order */
        if (atomic_compare_exchange_weak_explicit(&ring->head, &at, at + 1,
                                                  memory_order_acq_rel,
                                                  memory_order_relaxed)) {
            *out = (struct th_message *)(message & ~(uintptr_t)1);
            /* release; pairs with the acquire in th_ring_push */
            atomic_store_explicit(&cell->turn, turn + 1, memory_order_release);
            return TH_MPSC_OK;
        }
    }
}
