/* SPDX-License-Identifier: Apache-2.0 */
/* Design notes. The threads stay from one schedule to the next, so that each
 * has its slot; a schedule is a sequence of choices, one before each step. The
 * path holds for each choice what was possible there, what was tried, and what
 * need not be tried (`asleep`): a step of a thread that was tried before in its
 * place, and that nothing since has touched. After a schedule the deepest
 * choice with something left is changed, and the threads run anew along the
 * path to there and on.
 *
 * A thread is asked for its first step once it has come to its first place to
 * switch; what it does before that it does alone. A thread that pauses, and
 * since whose last pause no other has changed a word or ended, is not chosen
 * before one has: so a loop that waits goes round once or twice a change.
 * Where nobody but such loops is left they go round without a change, and after
 * them those who sleep: time passes; if that does not help for long there is no
 * way on: a bug.
 *
 * Where all that is possible is asleep the schedule is equal to one that was
 * run; it is brought to its end without choices, so that the next may begin. */
#include "base/interleave_internal.h"

#include <stdio.h>
#include <stdlib.h>

enum {
    MOST_STEPS = 100000,
    MOST_ROUNDS = 10000,
    STACKED = 4096,
    WORD = 4,
    STAY = 4096, /* schedules on one core */
};

struct step {
    const volatile void *address;
    enum th_step_kind kind;
};

struct choice {
    struct step next[TH_INTERLEAVE_THREADS]; /* of those that are possible */
    uint32_t possible;                       /* threads, a bit each */
    uint32_t asleep;
    uint32_t tried;
    uint32_t preemptions; /* on the way here */
    unsigned last;        /* who had the baton */
    unsigned chosen;
};

struct explorer {
    _Alignas(TH_LINE) _Atomic uint32_t go; /* 1: has the baton */
    struct exploration *all;
    unsigned who;
    bool ended;
    bool paused;      /* and nothing has changed since */
    uint64_t changes; /* its own */
    uint64_t seen;    /* those of others, at its last pause */
    struct step next;
    size_t size;          /* of the word that `next` writes */
    uint8_t before[WORD]; /* of such a word, if it is no pointer */
    uint64_t moves;       /* that it has made, too */
    theater_thread_t *thread;
};

struct exploration {
    const struct th_interleave_space *space;
    const theater_env_t *env;
    struct th_interleave_report *report;
    struct explorer explorers[TH_INTERLEAVE_THREADS];
    struct explorer *last;
    unsigned arriving; /* threads that are not at their first step yet */
    unsigned alive;
    cpu_set_t core; /* where all of them run */
    uint64_t moves; /* from one to another */
    bool stop;      /* the threads are to end */
    bool choose;    /* false: this schedule is only brought to its end */
    uint64_t steps;
    uint64_t changes;      /* of all threads */
    uint64_t rounds;       /* without a change, nobody else being left */
    _Atomic uint32_t over; /* 1: the schedule has ended */
    struct choice *path;
    size_t path_len, path_size;
    size_t at; /* choices made in this schedule */
};

static _Thread_local struct explorer *self; /* NULL outside of one */

static void give(struct explorer *to)
{
    const theater_env_t *env = to->all->env;
    /* release; pairs with the acquire in await: all that is not atomic */
    atomic_store_explicit(&to->go, 1, memory_order_release);
    env->unpark(env->ctx, &to->go, 1);
}

static void await(const theater_env_t *env, _Atomic uint32_t *word)
{
    /* acquire; pairs with who gives */
    while (atomic_exchange_explicit(word, 0, memory_order_acquire) == 0) {
        env->park(env->ctx, word, 0, THEATER_NEVER);
    }
}

static void give_back(struct exploration *all)
{
    /* release; pairs with the acquire in await */
    atomic_store_explicit(&all->over, 1, memory_order_release);
    all->env->unpark(all->env->ctx, &all->over, 1);
}

/* --- Choosing ------------------------------------------------------------ */

static bool commute(const struct step *a, const struct step *b)
{
    if (a->kind >= TH_STEP_ANY || b->kind >= TH_STEP_ANY) {
        return false;
    }
    return a->address != b->address ||
           (a->kind == TH_STEP_READ && b->kind == TH_STEP_READ);
}

static uint32_t bit(unsigned who)
{
    return UINT32_C(1) << who;
}

static uint32_t possible_now(const struct exploration *all)
{
    uint32_t possible = 0;
    for (unsigned i = 0; i < all->space->threads; i++) {
        const struct explorer *one = &all->explorers[i];
        possible |= one->ended || one->paused ? 0 : bit(i);
    }
    return possible;
}

/* What is left to try at a choice. */
static uint32_t left(const struct exploration *all, const struct choice *at)
{
    uint32_t open = at->possible & ~at->tried & ~at->asleep;
    if (all->space->preemptions != TH_INTERLEAVE_ALL &&
        at->preemptions >= all->space->preemptions &&
        (at->possible & bit(at->last)) != 0) {
        open &= bit(at->last);
    }
    return open;
}

/* The one that had the baton, if it may; it is the schedule with the fewest
 * switches, then. */
static unsigned first_of(uint32_t open, unsigned last)
{
    return (open & bit(last)) != 0 ? last : (unsigned)__builtin_ctz(open);
}

/* What sleeps after the choice before. */
static uint32_t asleep_after(const struct choice *before)
{
    uint32_t asleep = before->asleep | before->tried;
    uint32_t still = 0;
    for (unsigned i = 0; i < TH_INTERLEAVE_THREADS; i++) {
        if ((asleep & bit(i)) != 0 && i != before->chosen &&
            commute(&before->next[i], &before->next[before->chosen])) {
            still |= bit(i);
        }
    }
    return still;
}

/* No thread's number before the first step. */
static unsigned last_of(const struct exploration *all)
{
    return all->last != NULL ? all->last->who : TH_INTERLEAVE_THREADS;
}

static struct choice *add_choice(struct exploration *all)
{
    if (all->path_len == all->path_size) {
        all->path_size = all->path_size * 2 + STACKED;
        all->path = realloc(all->path, all->path_size * sizeof(all->path[0]));
        TH_CHECK(all->path != NULL);
    }
    struct choice *here = &all->path[all->path_len++];
    memset(here, 0, sizeof(*here));
    here->possible = possible_now(all);
    here->last = last_of(all);
    for (unsigned i = 0; i < all->space->threads; i++) {
        here->next[i] = all->explorers[i].next;
    }
    if (all->path_len > 1) {
        const struct choice *before = here - 1;
        bool preempted = before->chosen != before->last &&
                         (before->possible & bit(before->last)) != 0;
        here->preemptions = before->preemptions + (preempted ? 1 : 0);
        if (all->space->preemptions == TH_INTERLEAVE_ALL) {
            here->asleep = asleep_after(before);
        }
    }
    return here;
}

static void no_way_on(const struct exploration *all)
{
    (void)fprintf(stderr, "interleave: %s: nobody gets on after %zu choices:",
                  all->space->name, all->at);
    for (size_t i = 0; i < all->path_len; i++) {
        (void)fprintf(stderr, " %u", all->path[i].chosen);
    }
    for (unsigned i = 0; i < all->space->threads; i++) {
        const struct explorer *one = &all->explorers[i];
        (void)fprintf(stderr, "%s %u %s", i == 0 ? "; thread" : ",", i,
                      one->ended    ? "has ended"
                      : one->paused ? "waits"
                                    : "could go on");
    }
    (void)fprintf(stderr, "; %llu steps\n", (unsigned long long)all->steps);
    abort();
}

/* Who is next; NULL: this schedule is equal to another. */
static struct explorer *choose(struct exploration *all)
{
    if (all->at < all->path_len) { /* along the path */
        struct choice *here = &all->path[all->at++];
        TH_CHECK(here->possible == possible_now(all));
        return &all->explorers[here->chosen];
    }
    struct choice *here = add_choice(all);
    uint32_t open = left(all, here);
    if (open == 0) {
        all->path_len--;
        return NULL;
    }
    all->at++;
    here->chosen = first_of(open, here->last);
    return &all->explorers[here->chosen];
}

static void unpause(struct exploration *all)
{
    for (unsigned i = 0; i < all->space->threads; i++) {
        all->explorers[i].paused = false;
    }
}

/* Nobody can go on: those who only pause for a moment, then those who sleep. */
static void pass_time(struct exploration *all)
{
    bool moments = false;
    for (unsigned i = 0; i < all->space->threads; i++) {
        struct explorer *one = &all->explorers[i];
        if (!one->ended && one->next.kind == TH_STEP_PAUSE) {
            one->paused = false;
            moments = true;
        }
    }
    if (!moments) {
        unpause(all);
    }
    all->rounds++;
}

static void something_changed(struct exploration *all, struct explorer *by)
{
    all->changes++;
    by->changes++;
    all->rounds = 0;
    unpause(all);
}

void th_interleave_written(void)
{
    struct explorer *me = self;
    /* What is as large as a pointer may be one, which is not the same in each
     * run: it has always changed. */
    if (me != NULL &&
        (me->size > WORD ||
         memcmp(me->before, (const void *)(uintptr_t)me->next.address,
                me->size) != 0)) {
        something_changed(me->all, me);
    }
}

static struct explorer *next_explorer(struct exploration *all)
{
    struct explorer *next = NULL;
    if (possible_now(all) == 0) {
        pass_time(all);
    }
    if (all->rounds > MOST_ROUNDS || all->steps > MOST_STEPS) {
        no_way_on(all);
    }
    if (all->choose) {
        next = choose(all);
        all->choose = next != NULL;
    }
    if (next == NULL) {
        next = &all->explorers[first_of(possible_now(all), last_of(all))];
    }
    all->steps++;
    all->last = next;
    if (next->next.kind == TH_STEP_ANY) {
        something_changed(all, next);
    } else if (next->next.kind == TH_STEP_WRITE && next->size <= WORD) {
        memcpy(next->before, (const void *)(uintptr_t)next->next.address,
               next->size);
    }
    return next;
}

/* --- Threads ------------------------------------------------------------- */

bool th_explore_step(const volatile void *address, size_t size,
                     enum th_step_kind kind)
{
    struct explorer *me = self;
    if (me == NULL) {
        return false;
    }
    struct exploration *all = me->all;
    me->size = size;
    me->next = (struct step){address, kind};
    if (kind >= TH_STEP_PAUSE) {
        me->paused = all->changes - me->changes == me->seen;
        me->seen = all->changes - me->changes;
    }
    if (all->arriving > 0 && --all->arriving > 0) {
        give(&all->explorers[all->space->threads - all->arriving]);
        await(all->env, &me->go);
        return false;
    }
    struct explorer *next = next_explorer(all);
    if (next != me) {
        give(next);
        await(all->env, &me->go);
    }
    return all->rounds > 0;
}

static void explore(void *arg)
{
    struct explorer *me = arg;
    struct exploration *all = me->all;

    await(all->env, &me->go);
    (void)th_slot();
    give_back(all);
    for (;;) {
        await(all->env, &me->go);
        if (all->stop) {
            give_back(all);
            return;
        }
        if (me->moves != all->moves) {
            me->moves = all->moves;
            th_interleave_run_on(&all->core);
        }
        self = me;
        all->space->run(all->space->world, me->who);
        /* Without an atomic operation it has not arrived yet. */
        TH_CHECK(all->arriving == 0);
        self = NULL;
        me->ended = true;
        something_changed(all, me);
        if (--all->alive > 0) {
            give(next_explorer(all));
        } else {
            give_back(all);
        }
    }
}

/* Each thread in turn: it starts, or it ends. */
static void visit(struct exploration *all)
{
    for (unsigned i = 0; i < all->space->threads; i++) {
        give(&all->explorers[i]);
        await(all->env, &all->over);
    }
}

static void start(struct exploration *all)
{
    for (unsigned i = 0; i < all->space->threads; i++) {
        struct explorer *one = &all->explorers[i];
        one->all = all;
        one->who = i;
        TH_CHECK(all->env->thread_start(all->env->ctx, "explore", explore, one,
                                        &one->thread) == THEATER_OK);
    }
    visit(all);
}

static void stop(struct exploration *all)
{
    all->stop = true;
    visit(all);
    for (unsigned i = 0; i < all->space->threads; i++) {
        all->env->thread_join(all->env->ctx, all->explorers[i].thread);
    }
}

static void run_schedule(struct exploration *all)
{
    const struct th_interleave_space *space = all->space;

    space->prepare(space->world);
    for (unsigned i = 0; i < space->threads; i++) {
        all->explorers[i].ended = false;
        all->explorers[i].paused = false;
        all->explorers[i].changes = 0;
        all->explorers[i].seen = 0;
    }
    all->at = 0;
    all->steps = 0;
    all->changes = 0;
    all->rounds = 0;
    all->alive = space->threads;
    all->arriving = space->threads;
    all->choose = true;
    all->last = NULL;
    give(&all->explorers[0]);
    await(all->env, &all->over);
    all->report->steps += all->steps;
    if (all->steps > all->report->longest) {
        all->report->longest = all->steps;
    }
    all->report->schedules += all->choose;
    all->report->equal += !all->choose;
    space->check(space->world); /* an equal one, too: it may clear away */
}

/* To the core that is idle, if one is: two programs that began on one and were
 * kept there took twice the time, beside a core that did nothing. */
static void move(struct exploration *all, const cpu_set_t *anywhere)
{
    const theater_env_t *env = all->env;
    cpu_set_t ignored;

    th_interleave_run_on(anywhere);
    /* Who wakes up is put where nothing runs. */
    env->park(env->ctx, &all->over, 0, th_now(env) + 1000000);
    th_interleave_pin(&ignored, &all->core);
    all->moves++;
}

/* Changes the deepest choice that has something left. False: none has. */
static bool turn_back(struct exploration *all)
{
    while (all->path_len > 0) {
        struct choice *here = &all->path[all->path_len - 1];
        here->tried |= bit(here->chosen);
        uint32_t open = left(all, here);
        if (open != 0) {
            here->chosen = first_of(open, here->last);
            return true;
        }
        all->path_len--;
    }
    return false;
}

bool th_interleave_explore(const struct th_interleave_space *space,
                           struct th_interleave_report *out)
{
    const theater_env_t *env = theater_env_default();
    struct exploration *all = env->alloc(env->ctx, sizeof(*all), TH_LINE);
    cpu_set_t before;
    bool complete = true;

    TH_CHECK(all != NULL && space->threads >= 1 &&
             space->threads <= TH_INTERLEAVE_THREADS);
    memset(all, 0, sizeof(*all));
    memset(out, 0, sizeof(*out));
    all->space = space;
    all->env = env;
    all->report = out;
    th_interleave_pin(&before, &all->core);
    start(all);
    do {
        run_schedule(all);
        if ((out->schedules + out->equal) % STAY == 0) {
            move(all, &before);
        }
        complete = out->schedules + out->equal < space->most;
    } while (turn_back(all) && complete);
    stop(all);
    th_interleave_run_on(&before);
    free(all->path);
    th_free(env, all);
    return complete;
}
