/* SPDX-License-Identifier: Apache-2.0 */
/* What every folder may use: assertions, small helpers, allocation through an
 * environment, thread slots. libc only. */
#ifndef TH_BASE_BASE_H
#define TH_BASE_BASE_H

#include <theater/env.h>

#include <stdatomic.h>
#include <string.h>

/* TH_CHECK: a bug if false, in every build: says where, then aborts.
 * TH_ASSERT: the same in debug builds (TH_DEBUG); elsewhere not evaluated. */
#define TH_CHECK(cond)                                                         \
    ((cond) ? (void)0 : th_check_failed(#cond, __FILE__, __LINE__))
#ifdef TH_DEBUG
#define TH_ASSERT(cond) TH_CHECK(cond)
#else
#define TH_ASSERT(cond) ((void)sizeof(cond))
#endif

__attribute__((noreturn, cold)) void
th_check_failed(const char *cond, const char *file, int line);

#define TH_LIKELY(x) __builtin_expect(!!(x), 1)
#define TH_UNLIKELY(x) __builtin_expect(!!(x), 0)
#define TH_CONTAINER_OF(ptr, type, member)                                     \
    ((type *)(void *)((char *)(ptr) - offsetof(type, member)))
/* The size of what is written by different threads: one cache line, and its
 * neighbour that the hardware fetches along. */
enum { TH_LINE = 64 };

static inline void *th_alloc(const theater_env_t *env, size_t size)
{
    return env->alloc(env->ctx, size, 16);
}

static inline void th_free(const theater_env_t *env, void *memory)
{
    env->free(env->ctx, memory);
}

/* Zeroed. */
static inline void *th_calloc(const theater_env_t *env, size_t size)
{
    void *memory = th_alloc(env, size);
    if (memory != NULL) {
        memset(memory, 0, size);
    }
    return memory;
}

static inline uint64_t th_now(const theater_env_t *env)
{
    return env->now_ns(env->ctx);
}

static inline void th_pause(void)
{
#if defined(__x86_64__) || defined(__i386__)
    __builtin_ia32_pause();
#elif defined(__aarch64__)
    __asm__ volatile("yield");
#endif
}

/* memcpy of what may be long. */
void th_copy_long(uint8_t *to, const uint8_t *from, size_t len);
static inline void th_copy(void *to, const void *from, size_t len)
{
    if (TH_LIKELY(len < 4096)) {
        memcpy(to, from, len);
    } else {
        th_copy_long(to, from, len);
    }
}

/* A copy of `len` bytes and a zero; NULL when there is no memory. */
char *th_strndup(const theater_env_t *env, const char *text, size_t len);

/* Sets *err (NULL is fine) and answers `status`. Both texts are cut to fit. */
theater_status_t th_error(theater_error_t *err, theater_status_t status,
                          const char *origin, const char *format, ...)
    __attribute__((format(printf, 4, 5)));

/* 1 .. 255 bytes of valid UTF-8 without control characters? */
bool th_name_ok(const char *name, size_t len);
bool th_utf8_ok(const uint8_t *data, size_t len);

/* The nearest of `names` for "did you mean"; NULL when none is near. */
const char *th_nearest(const char *word, const char *const *names, size_t len);

/* 64-bit hash, good enough for tables that no one attacks, and event hashes. */
uint64_t th_hash64(const void *data, size_t len, uint64_t seed);
/* SipHash-2-4 with 128 bits of output (Aumasson, Bernstein, 2012): for tables
 * keyed by what guests choose. */
struct th_hash128 {
    uint64_t lo, hi;
};
struct th_hash128 th_siphash128(const void *data, size_t len,
                                const uint64_t key[2]);

/* --- Thread slots: a small number per living thread --------------------- *
 * For counters and pools that are written by one thread and read by all.
 * Slots 1 .. TH_SLOTS-1 belong to one thread each while it lives; slot 0 is
 * shared by those that came when all were taken: use atomic read-modify-
 * write there. */
enum { TH_SLOTS = 64 };
unsigned th_slot_acquire(void); /* slow path of th_slot */
extern _Thread_local unsigned th_slot_plus1;
static inline unsigned th_slot(void)
{
    unsigned slot = th_slot_plus1;
    return TH_LIKELY(slot != 0) ? slot - 1 : th_slot_acquire();
}

/* Set by a scheduler for its workers' whole life: calls that block refuse to
 * run there. */
extern _Thread_local bool th_thread_is_worker;

/* --- A lock for slow paths (registering, walking waits) ----------------- *
 * Never on the way of a message. Parks through the environment. */
struct th_lock {
    _Atomic uint32_t word; /* 0 free, 1 held, 2 held and waited for */
};
void th_lock(const theater_env_t *env, struct th_lock *lock);
void th_unlock(const theater_env_t *env, struct th_lock *lock);

/* --- Seeded random numbers (xoshiro256**, Blackman and Vigna, 2018) ------ */
struct th_rng {
    uint64_t s[4];
};
void th_rng_init(struct th_rng *rng, uint64_t seed);
uint64_t th_rng_next(struct th_rng *rng);
/* Uniform in 0 .. bound-1; bound > 0. */
uint64_t th_rng_below(struct th_rng *rng, uint64_t bound);

/* --- The simulated environment ------------------------------------------ *
 * Virtual clock (it starts at one second) and seeded randomness; memory, pages,
 * files and standard error of the real one. thread_start answers UNSUPPORTED.
 * park returns at once; if it has a deadline and the word is as expected, the
 * clock moves to that deadline first: in a world of one thread nothing else
 * can happen meanwhile. yield counts. Threads: owner. */
struct th_sim_env;
theater_status_t th_sim_env_new(uint64_t seed, struct th_sim_env **out);
void th_sim_env_delete(struct th_sim_env *sim);
const theater_env_t *th_sim_env_table(struct th_sim_env *sim);
/* Is this a simulated environment's table (not one that wraps it)? */
bool th_sim_env_is(const theater_env_t *env);
/* Moves the virtual clock forward to `now_ns`; never back. */
void th_sim_env_advance(const theater_env_t *env, uint64_t now_ns);
/* How often yield was called. */
uint64_t th_sim_env_yields(const theater_env_t *env);

#endif
