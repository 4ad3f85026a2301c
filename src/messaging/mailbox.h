/* SPDX-License-Identifier: Apache-2.0 */
/* A mailbox: many producers, one owner, bounded in messages and bytes. Space
 * is reserved in a word *before* the message is queued, and given back by the
 * owner after it took the message out; so the word is never below what is
 * queued, a closed mailbox is empty for good once its word says zero, and
 * whoever makes it non-zero wakes the owner, exactly once.
 *
 * Two words: `bounded` for what counts against the capacity, `exempt` for
 * what has a bound of its own (channel data by credit, closes). The queue is
 * one, so order holds across both: an unbounded list (queue/mpsc.h), or for
 * the policy drop-oldest a ring whose head producers may take (queue: Dmitry
 * Vyukov, "Bounded MPMC queue", 1024cores.net).
 *
 * Who calls what: reserve, push: any threads. release, pop, open, close: the
 *   owner, one thread at a time. drop_head: any thread (ring only).
 * Linearisation: reserve at its compare-and-swap, release at its subtraction.
 * Ordering:
 *   [M1] reserve: compare-and-swap, acq_rel: pairs with [M2] (what the owner
 *        set up before it opened travels) and with [M3] (the space is free).
 *   [M2] open: store of the words, release.
 *   [M3] release: subtraction, acq_rel: the producer that makes the word
 *        non-zero again comes after all that the owner did before; the owner
 *        sees flags that were set before.
 *   [M4] close: fetch_or, acq_rel: later reservations fail.
 *   [M5] open: the bounds, release, before [M2]; reserve: acquire. Who has read
 *        the bounds of a slot's next user sees the word closed, or another's,
 *        when it looks again: "full" holds only if it is neither.
 *   The contents travel by the queue's own pairs.
 * Progress: reserve and push are lock-free. The owner never waits: what is
 *   reserved but not yet pushed shows as "in flight".
 * Reclamation: messages belong to the sender until pushed, to the owner once
 *   popped. The mailbox is part of a type-stable slot; a generation in both
 *   words makes a stale sender's reservation fail. */
#ifndef TH_MESSAGING_MAILBOX_H
#define TH_MESSAGING_MAILBOX_H

#include "messaging/message.h"

/* The bounded word: generation 16 | closed 1 | waiters 1 | count 17 | bytes 29.
 * The exempt word: generation 16 | closed 1 | - | count 46. */
#define TH_BOX_ONE (UINT64_C(1) << 29)
#define TH_BOX_WAITERS (UINT64_C(1) << 46)
#define TH_BOX_CLOSED (UINT64_C(1) << 47)
#define TH_BOX_GENERATION_SHIFT 48
#define TH_EXEMPT_ONE UINT64_C(1)

static inline uint32_t th_box_bytes(uint64_t word)
{
    return (uint32_t)(word & (TH_BOX_ONE - 1));
}

static inline uint32_t th_box_count(uint64_t word)
{
    return (uint32_t)(word >> 29) & 0x1ffff;
}

static inline uint64_t th_exempt_count(uint64_t word)
{
    return word & (TH_BOX_WAITERS - 1);
}

/* Open, and of that generation? */
static inline bool th_box_is(uint64_t word, uint16_t generation)
{
    return word >> 47 == (uint64_t)generation << 1;
}

struct th_ring_cell {
    _Atomic uint64_t turn;
    _Atomic uintptr_t message; /* bit 0: may be dropped */
};

struct th_ring {
    uint64_t mask;
    _Alignas(TH_LINE) _Atomic uint64_t tail; /* producers */
    _Alignas(TH_LINE) _Atomic uint64_t head; /* the owner, and who drops */
    _Alignas(TH_LINE) struct th_ring_cell cells[];
};

struct th_mailbox {
    _Atomic uint64_t bounded;
    _Atomic uint64_t exempt;
    _Atomic uint32_t capacity;       /* messages */
    _Atomic uint32_t capacity_bytes; /* payload */
    struct th_ring *ring;            /* NULL: the list */
    struct th_mpsc queue;
};

enum th_reserve {
    TH_RESERVE_WAKE, /* done; the caller wakes the owner, then pushes */
    TH_RESERVE_OK,   /* done; the owner is awake already */
    TH_RESERVE_FULL, /* at its bound, or others wait for space */
    TH_RESERVE_GONE, /* closed, or another generation */
};

/* Room for one message of `len` bytes. `first_in_line`: the owner itself, on
 * behalf of who waits: passes the others who wait. */
static inline enum th_reserve th_mailbox_reserve(struct th_mailbox *box,
                                                 uint16_t generation,
                                                 size_t len, bool first_in_line)
{
    /* relaxed: [M1] decides */
    uint64_t word = atomic_load_explicit(&box->bounded, memory_order_relaxed);
    for (;;) {
        if (TH_UNLIKELY(!th_box_is(word, generation))) {
            return TH_RESERVE_GONE;
        }
        uint32_t count = th_box_count(word);
        /* [M5] acquire, both */
        if (count != 0 && (count >= atomic_load_explicit(
                                        &box->capacity, memory_order_acquire) ||
                           th_box_bytes(word) + len >
                               atomic_load_explicit(&box->capacity_bytes,
                                                    memory_order_acquire))) {
            return TH_RESERVE_FULL;
        }
        if (TH_UNLIKELY((word & TH_BOX_WAITERS) != 0 && !first_in_line)) {
            return TH_RESERVE_FULL;
        }
        /* [M1] acq_rel; pairs with [M2] and [M3] */
        if (TH_LIKELY(atomic_compare_exchange_weak_explicit(
                &box->bounded, &word, word + TH_BOX_ONE + len,
                memory_order_acq_rel, memory_order_relaxed))) {
            return count == 0 ? TH_RESERVE_WAKE : TH_RESERVE_OK;
        }
    }
}

/* Is it that user's still? What was read of the slot before this was its. */
static inline bool th_mailbox_still_is(const struct th_mailbox *box,
                                       uint16_t generation)
{
    /* acquire: [M5] */
    return th_box_is(atomic_load_explicit(&box->bounded, memory_order_acquire),
                     generation);
}

/* The same as reserve without a bound. Never FULL. */
static inline enum th_reserve th_mailbox_reserve_exempt(struct th_mailbox *box,
                                                        uint16_t generation)
{
    /* relaxed: [M1] decides */
    uint64_t word = atomic_load_explicit(&box->exempt, memory_order_relaxed);
    for (;;) {
        if (!th_box_is(word, generation)) {
            return TH_RESERVE_GONE;
        }
        /* [M1] */
        if (atomic_compare_exchange_weak_explicit(
                &box->exempt, &word, word + TH_EXEMPT_ONE, memory_order_acq_rel,
                memory_order_relaxed)) {
            return th_exempt_count(word) == 0 ? TH_RESERVE_WAKE : TH_RESERVE_OK;
        }
    }
}

/* Gives back `count` messages of `bytes`; answers the word afterwards. */
static inline uint64_t th_mailbox_release(struct th_mailbox *box,
                                          uint32_t count, uint64_t bytes)
{
    uint64_t less = count * TH_BOX_ONE + bytes;
    /* [M3] acq_rel; pairs with [M1] */
    return atomic_fetch_sub_explicit(&box->bounded, less,
                                     memory_order_acq_rel) -
           less;
}

static inline uint64_t th_mailbox_release_exempt(struct th_mailbox *box,
                                                 uint32_t count)
{
    /* [M3] */
    return atomic_fetch_sub_explicit(&box->exempt, count,
                                     memory_order_acq_rel) -
           count;
}

/* Opens an empty mailbox for a generation. `ring_slots` 0: a list.
 * Returns: OK, OUT_OF_MEMORY. Threads: owner. */
THEATER_CHECKED theater_status_t th_mailbox_open(
    const theater_env_t *env, struct th_mailbox *box, uint16_t generation,
    uint32_t capacity, uint32_t capacity_bytes, uint32_t ring_slots);
/* No reservation succeeds from here on. */
void th_mailbox_close(struct th_mailbox *box);
/* Frees the ring; closed and empty. */
void th_mailbox_fini(const theater_env_t *env, struct th_mailbox *box);

void th_ring_push(struct th_ring *ring, struct th_message *message);
enum th_mpsc_result th_ring_pop(struct th_ring *ring, bool only_droppable,
                                struct th_message **out);

/* Queues a message for which space was reserved. */
static inline void th_mailbox_push(struct th_mailbox *box,
                                   struct th_message *message)
{
    if (TH_LIKELY(box->ring == NULL)) {
        th_mpsc_push(&box->queue, &message->node);
    } else {
        th_ring_push(box->ring, message);
    }
}

/* Takes the oldest message. Its space is still reserved. */
static inline enum th_mpsc_result th_mailbox_pop(struct th_mailbox *box,
                                                 struct th_message **out)
{
    if (TH_UNLIKELY(box->ring != NULL)) {
        return th_ring_pop(box->ring, false, out);
    }
    struct th_mpsc_node *node = NULL;
    enum th_mpsc_result result = th_mpsc_pop(&box->queue, &node);
    if (result == TH_MPSC_OK) {
        *out = TH_CONTAINER_OF(node, struct th_message, node);
    }
    return result;
}

#endif
