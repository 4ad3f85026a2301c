/* SPDX-License-Identifier: Apache-2.0 */
/* Between interleave_testing.c (a seed chooses) and interleave_explore_
 * testing.c (all is tried). */
#ifndef TH_BASE_INTERLEAVE_INTERNAL_H
#define TH_BASE_INTERLEAVE_INTERNAL_H

#include "base/interleave.h"

#include <sched.h>

/* What a thread is about to do. */
enum th_step_kind {
    TH_STEP_READ,  /* of one word */
    TH_STEP_WRITE, /* of one word */
    TH_STEP_ANY,   /* it is not known what */
    TH_STEP_PAUSE, /* nothing, before another has changed something */
    TH_STEP_SLEEP, /* the same, and for longer */
};

/* A place to switch of an exploration; does nothing outside of one. True: since
 * the last change nobody but those who pause is left. */
bool th_explore_step(const volatile void *address, size_t size,
                     enum th_step_kind kind);

/* Keeps the calling thread, and those that it starts, on the core where it
 * runs; a failure only makes it slow. */
void th_interleave_pin(cpu_set_t *out_before, cpu_set_t *out_core);
/* The calling thread alone. */
void th_interleave_run_on(const cpu_set_t *cores);

#endif
