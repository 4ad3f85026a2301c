/* SPDX-License-Identifier: Apache-2.0 */
/* Design notes. Drepper's third mutex ("Futexes are tricky", 2011): 0 free,
 * 1 held, 2 held and perhaps waited for. Who had to wait takes the lock as 2,
 * since others may still sleep; the price is at most one wake for nobody.
 *   [M1] unlock: exchange, release: what was done under the lock.
 *   [M2] lock: compare-and-swap or exchange, acquire; pairs with [M1].
 * After [M1] only the word's address is used, never its content: the next
 * owner may free the lock. */
#include "base/base.h"

enum { FREE, HELD, CONTENDED };

void th_lock(const theater_env_t *env, struct th_lock *lock)
{
    uint32_t seen = FREE;

    /* [M2] acquire; relaxed on failure: nothing was taken */
    if (TH_LIKELY(atomic_compare_exchange_strong_explicit(
            &lock->word, &seen, HELD, memory_order_acquire,
            memory_order_relaxed))) {
        return;
    }
    /* [M2] acquire */
    while (atomic_exchange_explicit(&lock->word, CONTENDED,
                                    memory_order_acquire) != FREE) {
        env->park(env->ctx, &lock->word, CONTENDED, THEATER_NEVER);
    }
}

void th_unlock(const theater_env_t *env, struct th_lock *lock)
{
    /* [M1] release; pairs with [M2] */
    uint32_t was =
        atomic_exchange_explicit(&lock->word, FREE, memory_order_release);

    TH_ASSERT(was != FREE);
    if (was == CONTENDED) {
        env->unpark(env->ctx, &lock->word, 1);
    }
}
