/* SPDX-License-Identifier: Apache-2.0 */
/* The environment table: the only way to the clock, to randomness, threads,
 * files and memory. The simulator and the fault-injection tests bring tables
 * of their own; programs use the default one. Not a portability layer. */
#ifndef THEATER_ENV_H
#define THEATER_ENV_H

#include <theater/status.h>

#ifdef __cplusplus
extern "C" {
#endif

#define THEATER_NEVER UINT64_MAX /* a deadline that does not come */

/* A thread of the environment; opaque. */
typedef struct theater_thread theater_thread_t;

/* All functions: threads: any; `ctx` is the table's own. None may be NULL but
 * `rare`.
 * A table outlives everything that was made with it. */
typedef struct theater_env {
    size_t size; /* sizeof(theater_env_t) */
    void *ctx;   /* first argument of every function */

    /* Nanoseconds since an arbitrary point; never goes back. */
    uint64_t (*now_ns)(void *ctx);
    /* Nanoseconds since 1970, UTC; may jump. */
    uint64_t (*wall_ns)(void *ctx);
    /* Fills `out` with unpredictable bytes (predictable under a seed). */
    void (*random)(void *ctx, void *out, size_t len);

    /* Memory, aligned to `align` (a power of two, at least 8); NULL when
     * there is none. `free` takes NULL. Freed from any thread. */
    void *(*alloc)(void *ctx, size_t size, size_t align);
    void (*free)(void *ctx, void *memory);
    /* Zeroed pages that cost memory only where touched; NULL when none. */
    void *(*map)(void *ctx, size_t size);
    void (*unmap)(void *ctx, void *memory, size_t size);
    /* Gives pages back; they read as zero afterwards. */
    void (*discard)(void *ctx, void *memory, size_t size);

    /* Starts a thread; OUT_OF_MEMORY when there is none to be had. `name`
     * is borrowed for the call, at most 15 bytes are used. */
    theater_status_t (*thread_start)(void *ctx, const char *name,
                                     void (*run)(void *arg), void *arg,
                                     theater_thread_t **out);
    /* Waits for the thread's end and frees it. */
    void (*thread_join)(void *ctx, theater_thread_t *thread);
    /* Sleeps while `*word == expected`, at most until `deadline_ns` of
     * `now_ns` (THEATER_NEVER: no limit). May return early. `word` is a
     * naturally aligned 32-bit atomic. */
    void (*park)(void *ctx, const void *word, uint32_t expected,
                 uint64_t deadline_ns);
    /* Wakes at most `count` of those who park on `word`. */
    void (*unpark)(void *ctx, const void *word, uint32_t count);
    /* A place where another thread may run: the simulator and the
     * interleaving tests choose there. Cheap and empty otherwise. */
    void (*yield)(void *ctx, const char *point);

    /* Reads a whole file of at most `limit` bytes into memory of `alloc`,
     * a zero byte behind it. NOT_FOUND, IO, TOO_LARGE, OUT_OF_MEMORY. */
    theater_status_t (*file_read)(void *ctx, const char *path, size_t limit,
                                  uint8_t **out_data, size_t *out_len);
    /* As file_read, of a file that nobody else could have written: a regular
     * one, the user's own, and no group and no other may write it; `path` is
     * no link. DENIED when it is not so. All of it is asked of the very file
     * that is read. */
    theater_status_t (*file_read_own)(void *ctx, const char *path, size_t limit,
                                      uint8_t **out_data, size_t *out_len);
    /* Writes a file so that it is there whole or not at all (a new file of
     * mode 0600 in the same folder, synced, then renamed). IO. */
    theater_status_t (*file_write)(void *ctx, const char *path,
                                   const void *data, size_t len);
    /* Removes a file; OK also when there is none. */
    theater_status_t (*file_remove)(void *ctx, const char *path);
    /* Makes a folder of mode 0700 (parents too) where there is none, and
     * checks that it is the user's own and closed to others: DENIED when not,
     * IO when it cannot be made or read. */
    theater_status_t (*folder_private)(void *ctx, const char *path);
    /* Writes to the standard error, one whole line at a time. */
    void (*log_write)(void *ctx, const char *line, size_t len);
    /* Is something rare that is allowed to happen here now? `point` is the
     * library's number for the place. For simulations; NULL: never. */
    bool (*rare)(void *ctx, unsigned point);
    /* Addresses of `size` bytes, and no pages: touching one is a fault, until
     * `map_allow`. NULL when none. Given back by `unmap`. */
    void *(*map_reserve)(void *ctx, size_t size);
    /* Makes what `map_reserve` gave, or whole pages of it, as `map` would have
     * made them. OUT_OF_MEMORY: nothing changed. */
    theater_status_t (*map_allow)(void *ctx, void *memory, size_t size);
} theater_env_t;

/* The real world. Static; threads: any. */
THEATER_API const theater_env_t *theater_env_default(void);

#ifdef __cplusplus
}
#endif

#endif
