/* SPDX-License-Identifier: Apache-2.0 */
/* Design notes. The default environment: Linux, straight. Parking is a futex
 * with an absolute deadline of the same clock as now_ns, so that no time is
 * lost between reading the clock and sleeping. Threads that are started here
 * take none of the process's signals (they are the embedder's), except those
 * that the thread itself causes: the engine turns them into traps. */
#include "base/env_linux.h"

#ifdef TH_MIMALLOC
#include "base/env_alloc_mimalloc.h"
#else
#include "base/env_alloc_libc.h"
#endif

#include <errno.h>
#include <linux/futex.h>
#include <pthread.h>
#include <signal.h>
#include <sys/mman.h>
#include <sys/random.h>
#include <sys/syscall.h>
#include <sys/uio.h>
#include <time.h>
#include <unistd.h>

#define NS_PER_S UINT64_C(1000000000)

struct theater_thread {
    pthread_t id;
    void (*run)(void *arg);
    void *arg;
    char name[16]; /* the kernel's limit, its zero included */
};

static uint64_t clock_ns(clockid_t clock)
{
    struct timespec now;
    TH_CHECK(clock_gettime(clock, &now) == 0);
    return (uint64_t)now.tv_sec * NS_PER_S + (uint64_t)now.tv_nsec;
}

static uint64_t linux_now_ns(void *ctx)
{
    (void)ctx;
    return clock_ns(CLOCK_MONOTONIC);
}

static uint64_t linux_wall_ns(void *ctx)
{
    (void)ctx;
    return clock_ns(CLOCK_REALTIME);
}

static void linux_random(void *ctx, void *out, size_t len)
{
    char *at = out;

    (void)ctx;
    while (len > 0) {
        ssize_t got = getrandom(at, len, 0);
        TH_CHECK(got > 0 || (got < 0 && errno == EINTR));
        if (got > 0) {
            at += got;
            len -= (size_t)got;
        }
    }
}

static void *linux_alloc(void *ctx, size_t size, size_t align)
{
    (void)ctx;
    return env_alloc(size, align);
}

static void linux_free(void *ctx, void *memory)
{
    (void)ctx;
    env_free(memory);
}

static void *linux_map(void *ctx, size_t size)
{
    (void)ctx;
    void *memory = mmap(NULL, size, PROT_READ | PROT_WRITE,
                        MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
    if (memory == MAP_FAILED) {
        return NULL;
    }
    /* "Only where touched" is the promise: a huge page would be 2 MiB for
     * one byte of a stack. Kernels without them refuse; then all is well. */
    (void)madvise(memory, size, MADV_NOHUGEPAGE);
    return memory;
}

static void *linux_reserve(void *ctx, size_t size)
{
    (void)ctx;
    void *memory = mmap(NULL, size, PROT_NONE,
                        MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
    if (memory == MAP_FAILED) {
        return NULL;
    }
    (void)madvise(memory, size, MADV_NOHUGEPAGE); /* as in linux_map */
    return memory;
}

static theater_status_t linux_allow(void *ctx, void *memory, size_t size)
{
    (void)ctx;
    return mprotect(memory, size, PROT_READ | PROT_WRITE) == 0
               ? THEATER_OK
               : THEATER_OUT_OF_MEMORY;
}

static void linux_unmap(void *ctx, void *memory, size_t size)
{
    (void)ctx;
    if (memory != NULL) {
        TH_CHECK(munmap(memory, size) == 0);
    }
}

static void linux_discard(void *ctx, void *memory, size_t size)
{
    (void)ctx;
    TH_CHECK(madvise(memory, size, MADV_DONTNEED) == 0);
}

static void *thread_main(void *arg)
{
    struct theater_thread *thread = arg;

    /* Only a help for who looks at it: a failure is none. */
    (void)pthread_setname_np(pthread_self(), thread->name);
    thread->run(thread->arg);
    return NULL;
}

/* The signals that a thread of ours leaves to others. */
static void foreign_signals(sigset_t *out)
{
    static const int own[] = {SIGSEGV, SIGBUS,  SIGFPE, SIGILL,
                              SIGTRAP, SIGABRT, SIGSYS, SIGPROF};
    sigfillset(out);
    for (size_t i = 0; i < sizeof(own) / sizeof(own[0]); i++) {
        sigdelset(out, own[i]);
    }
}

static theater_status_t linux_thread_start(void *ctx, const char *name,
                                           void (*run)(void *arg), void *arg,
                                           theater_thread_t **out)
{
    struct theater_thread *thread = linux_alloc(ctx, sizeof(*thread), 16);
    if (thread == NULL) {
        return THEATER_OUT_OF_MEMORY;
    }
    *thread = (struct theater_thread){.run = run, .arg = arg};
    memcpy(thread->name, name, strnlen(name, sizeof(thread->name) - 1));

    sigset_t foreign;
    sigset_t before;
    foreign_signals(&foreign);
    TH_CHECK(pthread_sigmask(SIG_BLOCK, &foreign, &before) == 0);
    int failed = pthread_create(&thread->id, NULL, thread_main, thread);
    TH_CHECK(pthread_sigmask(SIG_SETMASK, &before, NULL) == 0);
    if (failed != 0) {
        linux_free(ctx, thread);
        return THEATER_OUT_OF_MEMORY;
    }
    *out = thread;
    return THEATER_OK;
}

static void linux_thread_join(void *ctx, theater_thread_t *thread)
{
    TH_CHECK(pthread_join(thread->id, NULL) == 0);
    linux_free(ctx, thread);
}

static void linux_park(void *ctx, const void *word, uint32_t expected,
                       uint64_t deadline_ns)
{
    struct timespec deadline = {
        .tv_sec = (time_t)(deadline_ns / NS_PER_S),
        .tv_nsec = (long)(deadline_ns % NS_PER_S),
    };
    (void)ctx;
    /* Woken, timed out, interrupted, the word changed: the caller looks. */
    (void)syscall(SYS_futex, word, FUTEX_WAIT_BITSET | FUTEX_PRIVATE_FLAG,
                  expected, deadline_ns != THEATER_NEVER ? &deadline : NULL,
                  NULL, FUTEX_BITSET_MATCH_ANY);
}

static void linux_unpark(void *ctx, const void *word, uint32_t count)
{
    (void)ctx;
    (void)syscall(SYS_futex, word, FUTEX_WAKE | FUTEX_PRIVATE_FLAG,
                  count < INT32_MAX ? (int)count : INT32_MAX, NULL, NULL, 0);
}

static void linux_yield(void *ctx, const char *point)
{
    (void)ctx;
    (void)point;
}

static void linux_log_write(void *ctx, const char *line, size_t len)
{
    char end[1] = {'\n'};
    /* writev does not write to what it is given. */
    struct iovec parts[2] = {{(void *)(uintptr_t)line, len}, {end, 1}};
    int count = len > 0 && line[len - 1] == '\n' ? 1 : 2;

    (void)ctx;
    /* One call, so that lines of several threads do not mix. When standard
     * error takes nothing there is nobody to tell. */
    ssize_t ignored;
    do {
        ignored = writev(STDERR_FILENO, parts, count);
    } while (ignored < 0 && errno == EINTR);
}

static const theater_env_t linux_env = {
    .size = sizeof(theater_env_t),
    .ctx = NULL,
    .now_ns = linux_now_ns,
    .wall_ns = linux_wall_ns,
    .random = linux_random,
    .alloc = linux_alloc,
    .free = linux_free,
    .map = linux_map,
    .unmap = linux_unmap,
    .discard = linux_discard,
    .thread_start = linux_thread_start,
    .thread_join = linux_thread_join,
    .park = linux_park,
    .unpark = linux_unpark,
    .yield = linux_yield,
    .file_read = th_linux_file_read,
    .file_read_own = th_linux_file_read_own,
    .file_write = th_linux_file_write,
    .file_remove = th_linux_file_remove,
    .folder_private = th_linux_folder_private,
    .log_write = linux_log_write,
    .map_reserve = linux_reserve,
    .map_allow = linux_allow,
};

const theater_env_t *theater_env_default(void)
{
    return &linux_env;
}
