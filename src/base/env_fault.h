/* SPDX-License-Identifier: Apache-2.0 */
/* For tests: an environment that fails when told to, and counts. It wraps
 * another one; whatever can fail there can be made to fail here at its k-th
 * call, once or from then on. A test of running out of memory reads
 *
 *     for (uint64_t k = 1;; k++) {
 *         th_fault_env_init(&fault, theater_env_default());
 *         th_fault_env_fail(&fault, TH_FAULT_ALLOC, k, true);
 *         status = scenario(&fault.table);
 *         assert_int_equal(th_fault_env_live(&fault), 0);
 *         if (th_fault_env_failed(&fault, TH_FAULT_ALLOC) == 0) {
 *             break; // it no longer gets as far as the k-th
 *         }
 *     }
 */
#ifndef TH_BASE_ENV_FAULT_H
#define TH_BASE_ENV_FAULT_H

#include "base/base.h"

enum th_fault_kind {
    TH_FAULT_ALLOC,       /* answers NULL */
    TH_FAULT_MAP,         /* answers NULL */
    TH_FAULT_THREAD,      /* OUT_OF_MEMORY */
    TH_FAULT_FILE_READ,   /* IO */
    TH_FAULT_FILE_WRITE,  /* IO */
    TH_FAULT_FILE_REMOVE, /* IO */
    TH_FAULT_FOLDER,      /* IO */
    TH_FAULT_KINDS
};

/* A place in the product that asks for something that can fail; only where the
 * product was compiled with base/fault_sites.h. */
struct th_fault_site {
    const char *file;
    const char *function;
    int line;
    enum th_fault_kind kind;
    _Atomic uint64_t calls;  /* in all */
    _Atomic uint64_t failed; /* of those, on purpose */
};

/* Embedded; in place until nothing of the world that uses it is left. */
struct th_fault_env {
    theater_env_t table;        /* give out its address */
    const theater_env_t *inner; /* what is wrapped */
    struct {
        _Atomic uint64_t calls;  /* since the start or the last fail() */
        _Atomic uint64_t failed; /* of those, on purpose */
        uint64_t nth;            /* fails there; 0: never */
        bool once;               /* that one alone */
    } kinds[TH_FAULT_KINDS];
    _Atomic int64_t live;       /* allocations not freed */
    _Atomic int64_t live_pages; /* maps not unmapped */
};

/* Nothing fails at first. Threads: setup. */
void th_fault_env_init(struct th_fault_env *fault, const theater_env_t *inner);
/* Counts that kind anew and fails its `nth` call (1: the next; 0: none), or,
 * unless `once`, that and all later ones. Threads: setup (no other thread is
 * in a call of that kind). */
void th_fault_env_fail(struct th_fault_env *fault, enum th_fault_kind kind,
                       uint64_t nth, bool once);
/* Threads: any. */
uint64_t th_fault_env_calls(struct th_fault_env *fault,
                            enum th_fault_kind kind);
uint64_t th_fault_env_failed(struct th_fault_env *fault,
                             enum th_fault_kind kind);
/* What was allocated (mapped) and not given back. Threads: any. */
int64_t th_fault_env_live(struct th_fault_env *fault);
int64_t th_fault_env_live_pages(struct th_fault_env *fault);

/* What the product takes for the default environment where it was compiled with
 * -Dtheater_env_default=th_fault_env_default: `fault`, or, after NULL and at
 * first, the real one. Threads: setup. */
void th_fault_env_use(struct th_fault_env *fault);
const theater_env_t *th_fault_env_default(void);

/* This thread's next call of that kind is made at `site`. */
void th_fault_site_enter(struct th_fault_site *site);

#endif
