/* SPDX-License-Identifier: Apache-2.0 */
/* Where guests' memories and stacks come from: few large mappings of the
 * environment, cut into slots, so that 100,000 guests need hundreds of
 * mappings and not hundreds of thousands.
 *
 * Linear memories have slots of 64 KiB, 256 KiB, ... 4 GiB; a memory that
 * outgrows its slot moves to a larger one. Slots that nobody has touched cost
 * address space only. Stacks of small guests all have one size.
 *
 * A memory of a guest with a large stack is reserved: 4 GiB of addresses and a
 * guard, so that compiled code need not check what it loads and stores. */
#ifndef TH_WASM_SLAB_H
#define TH_WASM_SLAB_H

#include "base/base.h"

struct th_slabs;

/* Threads: any, for all. Returns: OK, OUT_OF_MEMORY. */
THEATER_CHECKED theater_status_t th_slabs_new(const theater_env_t *env,
                                              size_t stack_bytes,
                                              struct th_slabs **out_slabs);
/* After all slots were given back. NULL is fine. */
void th_slabs_delete(struct th_slabs *slabs);

/* A linear memory. The first two members are read by whoever runs the guest,
 * and change only while it runs (memory.grow). */
struct th_linear {
    uint8_t *base;  /* NULL: there is none */
    uint64_t size;  /* bytes that the guest may use */
    uint64_t limit; /* bytes it may grow to */
    bool reserved;  /* all addresses that 32 bits can name are its own */
    unsigned class; /* of the slot, when it is not reserved */
    struct th_slabs *slabs;
};

/* What a reserved memory holds: every address of 32 bits, and behind them what
 * an instruction's own offset may add. Only `size` of it can be touched. */
#define TH_RESERVED UINT64_C(0x100000000)
#define TH_RESERVED_GUARD UINT64_C(0x2000000)

/* Takes a slot of at least `size` bytes, or reserves addresses if `reserved`
 * says so, all zero; sets base and size. `limit` and `reserved` are set before.
 * Returns: OK, LIMIT, OUT_OF_MEMORY. */
THEATER_CHECKED theater_status_t th_linear_init(struct th_linear *linear,
                                                struct th_slabs *slabs,
                                                uint64_t size);
/* Bytes that it may have without moving. */
uint64_t th_linear_capacity(const struct th_linear *linear);
/* Grows to `size`, moving if it must. Returns: OK, LIMIT, OUT_OF_MEMORY. */
THEATER_CHECKED theater_status_t th_linear_grow(struct th_linear *linear,
                                                uint64_t size);
void th_linear_fini(struct th_linear *linear);

/* A stack without a guard. Its low end is never reached by code that keeps
 * to its bounds, and so stays zero: that is the canary. */
struct th_stack_slot {
    uint8_t *low;                    /* its lowest byte */
    _Atomic uint32_t state;          /* see slab.c */
    struct th_stack_slot *next_free; /* guarded by the slab's lock */
};
THEATER_CHECKED theater_status_t th_stack_take(struct th_slabs *slabs,
                                               struct th_stack_slot **out);
void th_stack_give(struct th_slabs *slabs, struct th_stack_slot *stack);
/* A call goes on on this stack: it is not swept until th_stack_idle. */
void th_stack_busy(struct th_stack_slot *stack);
/* No call is live on it: a sweep may take its pages. */
void th_stack_idle(struct th_stack_slot *stack);
/* Checks the canary; a bug of ours ends the process. */
static inline void th_stack_check(const struct th_stack_slot *stack)
{
    uint64_t words[2];
    memcpy(words, stack->low, sizeof words);
    TH_CHECK((words[0] | words[1]) == 0);
}
/* Gives back the pages of all idle stacks, as long as `go_on` says so, which
 * is asked after each. Threads: any; any but one at a time. */
void th_stack_sweep(struct th_slabs *slabs, bool (*go_on)(void *arg),
                    void *arg);

#endif
