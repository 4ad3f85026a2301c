/* SPDX-License-Identifier: Apache-2.0 */
/* Design notes. A signal makes the other thread write down its own stack:
 * SIGPROF, since threads of ours leave it open (env_linux.c), and one process
 * has one use for it. The handler stays once it was set: a thread that was
 * asked and did not answer in time may still have the signal pending, and the
 * signal's default is to end the process. It runs on the thread's signal stack
 * where there is one, for a guest's own is small.
 *
 * One request at a time, under a lock. Its state:
 *   IDLE -> ASKED -> TAKING -> DONE -> IDLE, or ASKED -> IDLE (no answer).
 *   [S1] DONE: store, release, by the handler; pairs with the asker's load,
 *        acquire: the frames. ASKED: store, release; pairs with the handler's
 *        compare-and-swap, acquire: whom it is for.
 * The first backtrace() of a process loads a library, which a handler must
 * not: so the asker calls it once before. */
#include "base/backtrace.h"

#include <dlfcn.h>
#include <execinfo.h>
#include <pthread.h>
#include <signal.h>
#include <stdio.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

enum { IDLE, ASKED, TAKING, DONE };
enum { WAIT_MS = 200, OWN_FRAMES = 2 }; /* the handler's, the kernel's */

static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
static struct {
    _Atomic uint32_t state;
    int thread;
    int len;
    void *frames[TH_BACKTRACE_FRAMES + OWN_FRAMES];
} request;

int th_thread_number(void)
{
    return (int)syscall(SYS_gettid);
}

static bool move(uint32_t from, uint32_t to)
{
    /* [S1] acquire, and release for the other direction */
    return atomic_compare_exchange_strong_explicit(
        &request.state, &from, to, memory_order_acq_rel, memory_order_relaxed);
}

static void on_signal(int number)
{
    (void)number;
    if (!move(ASKED, TAKING)) {
        return;
    }
    if (request.thread != th_thread_number()) { /* somebody else's SIGPROF */
        (void)move(TAKING, ASKED);
        return;
    }
    request.len = backtrace(request.frames, TH_BACKTRACE_FRAMES + OWN_FRAMES);
    /* [S1] release */
    atomic_store_explicit(&request.state, DONE, memory_order_release);
}

/* Is the signal ours to use? */
static bool take_signal(void)
{
    static bool ours; /* guarded by lock */
    struct sigaction action;
    if (ours) {
        return sigaction(SIGPROF, NULL, &action) == 0 &&
               action.sa_handler == on_signal;
    }
    if (sigaction(SIGPROF, NULL, &action) != 0 ||
        action.sa_handler != SIG_DFL) {
        return false;
    }
    void *frames[1];
    (void)backtrace(frames, 1);
    action = (struct sigaction){.sa_handler = on_signal,
                                .sa_flags = SA_RESTART | SA_ONSTACK};
    sigfillset(&action.sa_mask);
    ours = sigaction(SIGPROF, &action, NULL) == 0;
    return ours;
}

static size_t answered(void *out[static TH_BACKTRACE_FRAMES])
{
    size_t len = 0;
    for (int i = OWN_FRAMES; i < request.len; i++) {
        out[len++] = request.frames[i];
    }
    return len;
}

static size_t ask(int thread, void *out[static TH_BACKTRACE_FRAMES])
{
    const struct timespec pause = {.tv_nsec = 1000000};
    request.thread = thread;
    /* [S1] release */
    atomic_store_explicit(&request.state, ASKED, memory_order_release);
    if (syscall(SYS_tgkill, getpid(), thread, SIGPROF) != 0) {
        return 0;
    }
    for (int i = 0; i < WAIT_MS; i++) {
        /* [S1] acquire */
        if (atomic_load_explicit(&request.state, memory_order_acquire) ==
            DONE) {
            return answered(out);
        }
        nanosleep(&pause, NULL);
    }
    while (!move(ASKED, IDLE)) { /* it is at it */
        /* [S1] acquire */
        if (atomic_load_explicit(&request.state, memory_order_acquire) ==
            DONE) {
            return answered(out);
        }
        nanosleep(&pause, NULL);
    }
    return 0;
}

size_t th_backtrace_take(int thread, void *out[static TH_BACKTRACE_FRAMES])
{
    size_t len = 0;
    TH_CHECK(pthread_mutex_lock(&lock) == 0);
    if (take_signal()) {
        len = ask(thread, out);
        /* relaxed: the next request is under the lock */
        atomic_store_explicit(&request.state, IDLE, memory_order_relaxed);
    }
    TH_CHECK(pthread_mutex_unlock(&lock) == 0);
    return len;
}

void th_backtrace_name(const void *address, char *out, size_t size)
{
    Dl_info info;
    if (dladdr(address, &info) == 0 || info.dli_fname == NULL) {
        snprintf(out, size, "%p (compiled code)", address);
        return;
    }
    const char *slash = strrchr(info.dli_fname, '/');
    const char *file = slash != NULL ? slash + 1 : info.dli_fname;
    if (info.dli_sname != NULL) {
        snprintf(out, size, "%s+0x%zx %s", info.dli_sname,
                 (size_t)((const char *)address - (const char *)info.dli_saddr),
                 file);
    } else {
        snprintf(
            out, size, "%s+0x%zx", file,
            (size_t)((const char *)address - (const char *)info.dli_fbase));
    }
}
