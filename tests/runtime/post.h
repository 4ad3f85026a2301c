/* SPDX-License-Identifier: Apache-2.0 */
/* A handler for tests, "post": whoever has the prototype posts a text to an
 * actor by name, and its `handle-send` gets it. So the runtime's tests need
 * no message server. */
#ifndef TH_TESTS_RUNTIME_POST_H
#define TH_TESTS_RUNTIME_POST_H

#include <theater/runtime.h>

#include <stdatomic.h>

struct post;

/* Some set-ups fail on purpose: the names begin with it. NULL: none. */
struct post *post_new(const theater_env_t *env, const char *failing);
void post_delete(struct post *post);
extern const theater_handler_ops_t post_ops;

/* False when nobody has that name. Threads: any. */
bool post_send(struct post *post, const char *to, const char *text);

/* What became of all that was posted. */
struct post_counts {
    _Atomic uint64_t posted;    /* accepted */
    _Atomic uint64_t done;      /* handled */
    _Atomic uint64_t died;      /* the actor died in it */
    _Atomic uint64_t unopened;  /* still there when the actor ended */
    _Atomic uint64_t instances; /* made and not yet destroyed */
    _Atomic uint64_t names;     /* registered now */
    _Atomic uint64_t restarts;
};
struct post_counts *post_counts(struct post *post);

#endif
