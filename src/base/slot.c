/* SPDX-License-Identifier: Apache-2.0 */
/* Design notes. A bitmap of the taken slots; a thread takes one at its first
 * use and gives it back at its end, through the destructor of a thread key.
 * The next owner continues what the last one wrote there without read-modify-
 * writes, which is safe because of this pair:
 *   [M1] giving back: fetch_and, release: what the thread wrote by its slot.
 *   [M2] taking: compare-and-swap, acquire; pairs with [M1].
 * Lock-free; without allocation. Slot 0 is for those that found none. */
#include "base/base.h"

#include <pthread.h>

_Static_assert(TH_SLOTS == 64, "one bit of `taken` for each slot");

_Thread_local bool th_thread_is_worker;
_Thread_local unsigned th_slot_plus1;

static _Atomic uint64_t taken = 1; /* slot 0 is nobody's own */
static pthread_once_t key_once = PTHREAD_ONCE_INIT;
static pthread_key_t key;
static bool key_made; /* written in the once, read after it */

static void slot_give_back(void *value)
{
    unsigned slot = (unsigned)(uintptr_t)value;

    /* Should a later destructor ask for a slot, it takes one anew and comes
     * here again. */
    th_slot_plus1 = 0;
    /* [M1] release; pairs with [M2] */
    atomic_fetch_and_explicit(&taken, ~(UINT64_C(1) << slot),
                              memory_order_release);
}

static void key_make(void)
{
    key_made = pthread_key_create(&key, slot_give_back) == 0;
}

/* 0: all are taken. */
static unsigned slot_take(void)
{
    /* relaxed: only a guess, the swap checks it */
    uint64_t bits = atomic_load_explicit(&taken, memory_order_relaxed);

    while (bits != UINT64_MAX) {
        unsigned slot = (unsigned)__builtin_ctzll(~bits);
        /* [M2] acquire; pairs with [M1]. relaxed on failure: a guess again */
        if (atomic_compare_exchange_weak_explicit(
                &taken, &bits, bits | UINT64_C(1) << slot, memory_order_acquire,
                memory_order_relaxed)) {
            return slot;
        }
    }
    return 0;
}

unsigned th_slot_acquire(void)
{
    unsigned slot = 0;

    if (pthread_once(&key_once, key_make) == 0 && key_made) {
        slot = slot_take();
    }
    if (slot != 0 && pthread_setspecific(key, (void *)(uintptr_t)slot) != 0) {
        slot_give_back((void *)(uintptr_t)slot);
        slot = 0;
    }
    th_slot_plus1 = slot + 1;
    return slot;
}
