/* SPDX-License-Identifier: Apache-2.0 */
/* paths PATH COUNT   lets COUNT messages go that way, and says how much memory
 *                    was asked for: `PATH: COUNT messages, N allocations`;
 *                    guard.sh runs it under a counter of instructions
 * paths --list       the paths, one a line
 * paths --built      what it was built by: a budget holds for that */
#include "paths.h"

#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static const theater_env_t *real;
static theater_env_t table;
static _Atomic uint64_t allocations;

static void *counted_alloc(void *ctx, size_t size, size_t align)
{
    /* relaxed: nothing travels with a count */
    atomic_fetch_add_explicit(&allocations, 1, memory_order_relaxed);
    return real->alloc(ctx, size, align);
}

static uint64_t standing_clock(void *ctx)
{
    (void)ctx;
    return UINT64_C(1000000000);
}

static void park_for_others(void *ctx, const void *word, uint32_t expected,
                            uint64_t deadline_ns)
{
    (void)deadline_ns;
    real->park(ctx, word, expected, THEATER_NEVER);
}

const theater_env_t *guard_env(void)
{
    if (real == NULL) {
        real = theater_env_default();
        table = *real;
        table.alloc = counted_alloc;
        table.now_ns = standing_clock;
        table.park = park_for_others;
    }
    return &table;
}

uint64_t guard_allocations(void)
{
    return atomic_load_explicit(&allocations, memory_order_relaxed);
}

void guard_check(bool ok, const char *what)
{
    if (!ok) {
        fprintf(stderr, "paths: not so: %s\n", what);
        exit(2);
    }
}

static const struct {
    const char *name;
    void (*run)(uint64_t count);
} paths[] = {
    {"router-register", guard_register},
    {"router-send", guard_send},
    {"router-request", guard_request},
    {"router-channel", guard_channel},
    {"native-send", guard_native_send},
    {"native-request", guard_native_request},
    {"wasm-send", guard_wasm_send},
    {"wasm-request", guard_wasm_request},
};

/* "gcc 12.2.0 x86_64 mimalloc" */
static void print_built(void)
{
#if defined __clang__
    printf("clang %d.%d.%d", __clang_major__, __clang_minor__,
           __clang_patchlevel__);
#else
    printf("gcc %d.%d.%d", __GNUC__, __GNUC_MINOR__, __GNUC_PATCHLEVEL__);
#endif
    printf(" %s %s\n", GUARD_MACHINE, GUARD_ALLOCATOR);
}

int main(int argc, char **argv)
{
    if (argc == 2 && strcmp(argv[1], "--built") == 0) {
        print_built();
        return 0;
    }
    for (size_t i = 0; argc == 2 && i < sizeof paths / sizeof paths[0]; i++) {
        puts(paths[i].name);
    }
    if (argc == 2) {
        return 0;
    }
    guard_check(argc == 3, "paths PATH COUNT");
    uint64_t count = strtoull(argv[2], NULL, 10);
    for (size_t i = 0; i < sizeof paths / sizeof paths[0]; i++) {
        if (strcmp(paths[i].name, argv[1]) == 0) {
            paths[i].run(count);
            printf("%s: %llu messages, %llu allocations\n", argv[1],
                   (unsigned long long)count,
                   (unsigned long long)guard_allocations());
            return 0;
        }
    }
    fprintf(stderr, "paths: there is no path %s\n", argv[1]);
    return 2;
}
