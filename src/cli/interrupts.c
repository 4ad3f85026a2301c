/* SPDX-License-Identifier: Apache-2.0 */
/* Design notes: no signal handler. SIGINT and SIGTERM are blocked in every
 * thread (a handler could otherwise run on a guest's small stack) and read by
 * one thread, the watcher, from a signalfd. The drain has a thread of its own,
 * so that the watcher sees the second signal. A signal that was ignored when
 * the program started (nohup, a shell's background job) stays ignored.
 *
 * state: OFF -> HELD -> ARMED -> DRAINING -> DRAINED, and from those before
 * DRAINING to OFF. Only ARMED is left by two threads; a compare-and-swap
 * decides. A signal in HELD is kept in `wanted`: the watcher looks at `state`
 * again after it wrote that, and who arms pokes the watcher afterwards.
 *   [I1] release in arm, in the drainer; pairs with [I2] acquire in the
 *        watcher and in disarm: publishes `drain`, `user`, what a drain wrote.
 *   `wanted` and `ending` carry nothing but themselves: the eventfd's write
 *   and read order them. */
#include "cli/session.h"

#include <errno.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/eventfd.h>
#include <sys/signalfd.h>
#include <unistd.h>

enum { OFF, HELD, ARMED, DRAINING, DRAINED };

static const int watched[] = {SIGINT, SIGTERM};

/* Ends the program as that signal does by default. */
static void die(int number)
{
    static const char text[] = "theater: ended at once\n";
    sigset_t set;
    ssize_t wrote = write(STDERR_FILENO, text, sizeof text - 1);
    (void)wrote;
    signal(number, SIG_DFL);
    sigemptyset(&set);
    sigaddset(&set, number);
    pthread_sigmask(SIG_UNBLOCK, &set, NULL);
    raise(number);
    _exit(128 + number);
}

static void drain(void *arg)
{
    struct cli_interrupts *interrupts = arg;
    interrupts->drain(interrupts->user);
    /* [I1] */
    atomic_store_explicit(&interrupts->state, DRAINED, memory_order_release);
    interrupts->env->unpark(interrupts->env->ctx, &interrupts->state, 1);
}

/* False: it was not armed. */
static bool begin_drain(struct cli_interrupts *interrupts)
{
    uint32_t armed = ARMED;
    /* [I2] */
    if (!atomic_compare_exchange_strong_explicit(&interrupts->state, &armed,
                                                 DRAINING, memory_order_acquire,
                                                 memory_order_relaxed)) {
        return false;
    }
    if (interrupts->env->thread_start(interrupts->env->ctx, "drain", drain,
                                      interrupts,
                                      &interrupts->drainer) != THEATER_OK) {
        interrupts->drainer = NULL;
        drain(interrupts);
    }
    return true;
}

/* Relaxed: see above. */
static bool is_wanted(const struct cli_interrupts *interrupts)
{
    return atomic_load_explicit(&interrupts->wanted, memory_order_relaxed);
}

/* False: nothing keeps the program from ending. */
static bool take_signal(struct cli_interrupts *interrupts)
{
    /* Relaxed: the compare-and-swap in begin_drain is what acquires. */
    bool kept = atomic_load_explicit(&interrupts->state,
                                     memory_order_relaxed) == HELD &&
                !is_wanted(interrupts);
    if (kept) {
        atomic_store_explicit(&interrupts->wanted, true, memory_order_relaxed);
    }
    return begin_drain(interrupts) || kept;
}

static void watch(void *arg)
{
    struct cli_interrupts *interrupts = arg;
    struct pollfd fds[2] = {{.fd = interrupts->signals, .events = POLLIN},
                            {.fd = interrupts->events, .events = POLLIN}};
    while (!atomic_load_explicit(&interrupts->ending, memory_order_relaxed)) {
        struct signalfd_siginfo info;
        uint64_t count;
        if (poll(fds, 2, -1) < 0) {
            continue;
        }
        if ((fds[1].revents & POLLIN) != 0 &&
            read(interrupts->events, &count, sizeof count) > 0 &&
            is_wanted(interrupts)) {
            (void)begin_drain(interrupts);
        }
        if ((fds[0].revents & POLLIN) != 0 &&
            read(interrupts->signals, &info, sizeof info) ==
                (ssize_t)sizeof info &&
            !take_signal(interrupts)) {
            die((int)info.ssi_signo);
        }
    }
}

static void poke(struct cli_interrupts *interrupts)
{
    uint64_t one = 1;
    ssize_t wrote = write(interrupts->events, &one, sizeof one);
    (void)wrote;
}

int cli_interrupts_start(const struct cli_context *context,
                         struct cli_interrupts *interrupts)
{
    sigset_t set;
    memset(interrupts, 0, sizeof *interrupts);
    interrupts->env = context->env;
    sigemptyset(&set);
    for (size_t i = 0; i < sizeof watched / sizeof watched[0]; i++) {
        struct sigaction action;
        if (sigaction(watched[i], NULL, &action) == 0 &&
            action.sa_handler != SIG_IGN) {
            sigaddset(&set, watched[i]);
        }
    }
    pthread_sigmask(SIG_BLOCK, &set, NULL);
    interrupts->signals = signalfd(-1, &set, SFD_CLOEXEC);
    interrupts->events = eventfd(0, EFD_CLOEXEC);
    theater_status_t status = interrupts->signals < 0 || interrupts->events < 0
                                  ? THEATER_IO
                                  : interrupts->env->thread_start(
                                        interrupts->env->ctx, "signals", watch,
                                        interrupts, &interrupts->watcher);
    if (status == THEATER_OK) {
        return CLI_OK;
    }
    close(interrupts->signals);
    close(interrupts->events);
    return cli_fail_text(context, status, NULL,
                         "the watcher of signals could not be started");
}

void cli_interrupts_hold(struct cli_interrupts *interrupts)
{
    /* Relaxed: carries nothing else. The watcher leaves ARMED alone. */
    atomic_store_explicit(&interrupts->state, HELD, memory_order_relaxed);
}

void cli_interrupts_arm(struct cli_interrupts *interrupts,
                        void (*on_drain)(void *user), void *user)
{
    interrupts->drain = on_drain;
    interrupts->user = user;
    /* [I1] */
    atomic_store_explicit(&interrupts->state, ARMED, memory_order_release);
    /* A drain that was wanted before. */
    poke(interrupts);
}

void cli_interrupts_drain(struct cli_interrupts *interrupts)
{
    atomic_store_explicit(&interrupts->wanted, true, memory_order_relaxed);
    poke(interrupts);
}

bool cli_interrupts_begun(const struct cli_interrupts *interrupts)
{
    /* Relaxed: nothing that the drain wrote is read by who asks. */
    return atomic_load_explicit(&interrupts->state, memory_order_relaxed) >=
           DRAINING;
}

bool cli_interrupts_disarm(struct cli_interrupts *interrupts)
{
    uint32_t state =
        atomic_load_explicit(&interrupts->state, memory_order_relaxed);
    while (state < DRAINING) {
        if (atomic_compare_exchange_weak_explicit(&interrupts->state, &state,
                                                  OFF, memory_order_relaxed,
                                                  memory_order_relaxed)) {
            return false;
        }
    }
    /* [I2] */
    while ((state = atomic_load_explicit(&interrupts->state,
                                         memory_order_acquire)) != DRAINED) {
        interrupts->env->park(interrupts->env->ctx, &interrupts->state, state,
                              THEATER_NEVER);
    }
    return true;
}

void cli_interrupts_stop(struct cli_interrupts *interrupts)
{
    atomic_store_explicit(&interrupts->ending, true, memory_order_relaxed);
    poke(interrupts);
    interrupts->env->thread_join(interrupts->env->ctx, interrupts->watcher);
    if (interrupts->drainer != NULL) {
        interrupts->env->thread_join(interrupts->env->ctx, interrupts->drainer);
    }
    close(interrupts->signals);
    close(interrupts->events);
}
