/* SPDX-License-Identifier: Apache-2.0 */
/* For tests: gives the `_explicit` operations of <stdatomic.h>, and the pause
 * of a spin, a place to switch before each; see base/interleave.h. */
#ifndef TH_BASE_INTERLEAVE_ATOMICS_H
#define TH_BASE_INTERLEAVE_ATOMICS_H

#include "base/interleave.h"

#ifdef __clang__
#define TH_IL_LOAD __c11_atomic_load
#define TH_IL_STORE __c11_atomic_store
#define TH_IL_EXCHANGE __c11_atomic_exchange
#define TH_IL_STRONG __c11_atomic_compare_exchange_strong
#define TH_IL_WEAK __c11_atomic_compare_exchange_weak
#define TH_IL_ADD __c11_atomic_fetch_add
#define TH_IL_SUB __c11_atomic_fetch_sub
#define TH_IL_AND __c11_atomic_fetch_and
#define TH_IL_OR __c11_atomic_fetch_or
#define TH_IL_XOR __c11_atomic_fetch_xor
#else
#define TH_IL_LOAD __atomic_load_n
#define TH_IL_STORE __atomic_store_n
#define TH_IL_EXCHANGE __atomic_exchange_n
#define TH_IL_STRONG(ptr, expected, desired, ok, failed)                       \
    __atomic_compare_exchange_n(ptr, expected, desired, 0, ok, failed)
#define TH_IL_WEAK(ptr, expected, desired, ok, failed)                         \
    __atomic_compare_exchange_n(ptr, expected, desired, 1, ok, failed)
#define TH_IL_ADD __atomic_fetch_add
#define TH_IL_SUB __atomic_fetch_sub
#define TH_IL_AND __atomic_fetch_and
#define TH_IL_OR __atomic_fetch_or
#define TH_IL_XOR __atomic_fetch_xor
#endif

#undef atomic_load_explicit
#undef atomic_store_explicit
#undef atomic_exchange_explicit
#undef atomic_compare_exchange_strong_explicit
#undef atomic_compare_exchange_weak_explicit
#undef atomic_fetch_add_explicit
#undef atomic_fetch_sub_explicit
#undef atomic_fetch_and_explicit
#undef atomic_fetch_or_explicit
#undef atomic_fetch_xor_explicit

#define atomic_load_explicit(ptr, order)                                       \
    (th_interleave_access(ptr, 0), TH_IL_LOAD(ptr, order))
/* Before it a place to switch; after it, whether it has changed anything. */
#define TH_IL_WRITES(ptr, operation)                                           \
    __extension__({                                                            \
        th_interleave_access(ptr, sizeof(*(ptr)));                             \
        __auto_type il_result_ = operation;                                    \
        th_interleave_written();                                               \
        il_result_;                                                            \
    })
#define atomic_store_explicit(ptr, value, order)                               \
    (th_interleave_access(ptr, sizeof(*(ptr))),                                \
     TH_IL_STORE(ptr, value, order), th_interleave_written())
#define atomic_exchange_explicit(ptr, value, order)                            \
    TH_IL_WRITES(ptr, TH_IL_EXCHANGE(ptr, value, order))
#define atomic_compare_exchange_strong_explicit(ptr, expected, desired, ok,    \
                                                failed)                        \
    TH_IL_WRITES(ptr, TH_IL_STRONG(ptr, expected, desired, ok, failed))
#define atomic_compare_exchange_weak_explicit(ptr, expected, desired, ok,      \
                                              failed)                          \
    TH_IL_WRITES(ptr, TH_IL_WEAK(ptr, expected, desired, ok, failed))
#define atomic_fetch_add_explicit(ptr, value, order)                           \
    TH_IL_WRITES(ptr, TH_IL_ADD(ptr, value, order))
#define atomic_fetch_sub_explicit(ptr, value, order)                           \
    TH_IL_WRITES(ptr, TH_IL_SUB(ptr, value, order))
#define atomic_fetch_and_explicit(ptr, value, order)                           \
    TH_IL_WRITES(ptr, TH_IL_AND(ptr, value, order))
#define atomic_fetch_or_explicit(ptr, value, order)                            \
    TH_IL_WRITES(ptr, TH_IL_OR(ptr, value, order))
#define atomic_fetch_xor_explicit(ptr, value, order)                           \
    TH_IL_WRITES(ptr, TH_IL_XOR(ptr, value, order))

/* A wait in a loop is one, too. */
#define th_pause th_interleave_pause

#endif
