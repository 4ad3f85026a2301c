/* SPDX-License-Identifier: Apache-2.0 */
/* Scenarios in which the k-th request for memory, pages, a thread or a file
 * is refused, for every k until they no longer get that far, once and for
 * good. A scenario says what each call answers when nothing is refused; a
 * refusal may make it answer what a lack answers, and nothing else unless the
 * scenario says so. Afterwards the stage checks that its world still works,
 * that each callback came once, and that nothing was left behind. */
#ifndef TH_TESTS_FAULTS_ACT_H
#define TH_TESTS_FAULTS_ACT_H

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <cmocka.h>

#include <theater/channel.h>
#include <theater/link.h>

#include "base/env_fault.h"

enum { ACT_OUTCOMES = 128 };

/* What a callback was told. */
struct outcome {
    theater_status_t started; /* what the starting function answered */
    theater_status_t status;
    theater_channel_id_t channel;
    _Atomic unsigned calls;
};

/* One run of a scenario. */
struct act {
    struct th_fault_env fault;
    const theater_env_t *env; /* for what is made: it fails */
    struct th_sim_env *sim;   /* the clock of `env`; NULL: the real one */
    const char *text;         /* the scenario's */
    enum th_fault_kind kind;
    uint64_t k;
    bool once;
    struct outcome outcomes[ACT_OUTCOMES];
    size_t outcomes_len;
    /* Of the stage. */
    theater_router_t *router;
    theater_endpoint_t *a, *b;
    struct world *world;
};

struct stage {
    void (*open)(struct act *act);  /* nothing is refused yet */
    void (*check)(struct act *act); /* nothing is refused any more */
    void (*close)(struct act *act);
    bool kept;   /* one world for all k: open and close come once */
    bool serial; /* one thread: what a run does is the same each time */
};

struct scenario {
    const char *name;
    void (*run)(struct act *act);
    const struct stage *stage;
    const char *text; /* for scenarios that differ in it alone; or NULL */
};

/* Nothing is made: the scenario makes what it needs, on one thread. */
extern const struct stage stage_bare;
/* The same; what it makes has threads. */
extern const struct stage stage_threads;

/* Is the answer what it is when nothing is refused? Fails the test when it is
 * neither that nor, after a refusal, what a lack answers. */
bool met(struct act *act, theater_status_t got, theater_status_t wanted);
/* As met; after a refusal `also` is in order, too. */
bool met_or(struct act *act, theater_status_t got, theater_status_t wanted,
            theater_status_t also);
/* Was anything refused so far? */
bool act_hit(struct act *act);
/* Between the two nothing is refused: for what is not the scenario's. */
void act_calm(struct act *act);
void act_go_on(struct act *act);

/* For callbacks: its `started` must be set to what the start answered. */
struct outcome *act_outcome(struct act *act);
/* Callbacks that note what they are told in a struct outcome. */
theater_done_fn note_done;
theater_opened_fn note_opened;
/* How often was it told? */
unsigned act_told(const struct outcome *outcome);
/* Each was told once if, and only if, it was started. */
void act_outcomes_check(const struct act *act);

/* Runs all scenarios, each a case of its own, and answers what cmocka does;
 * then, unless `only` names some of them, looks at the places. */
int acts_run(const char *name, const struct scenario *const *tables,
             const size_t *lens, size_t tables_len, int argc, char **argv);

/* Every place under these folders was refused at least once, or stands in
 * exceptions.txt. */
void sites_check(const char *const *folders, size_t folders_len);

static inline theater_bytes_t text(const char *from)
{
    return (theater_bytes_t){(const uint8_t *)from, strlen(from)};
}

#endif
