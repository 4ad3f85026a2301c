/* SPDX-License-Identifier: Apache-2.0 */
/* Brings a cabi_realloc of its own, one fault in each build (BAD says which):
 * the host must end this actor and nothing else. */
#include <theater/actor.h>

#pragma clang diagnostic ignored "-Winfinite-recursion"

enum {
    PAST_END = 1, /* answers an address behind the memory */
    LAST_BYTE,    /* answers the last byte: the block reaches over the end */
    WRAPPING,     /* answers the highest address */
    MISALIGNED,   /* answers odd addresses; only lists need another */
    TRAPS,        /* traps */
    LOOPS,        /* never returns */
    SENDS,        /* calls `send` while a delivery is on its way */
    REQUESTS,     /* calls `request` there, which has to wait */
    RECURSES,     /* calls itself without end */
    GROWS,        /* grows the memory each time, and is honest */
    SHARES        /* answers the same block each time, and is honest */
};

struct th_result th_result;
struct th_answer th_answer;
struct th_arena th_arena;

static volatile uint32_t calls;
static uint8_t block[4096] __attribute__((aligned(16)));

theater_code_t th_failed(theater_error_t *err)
{
    (void)err;
    return (theater_code_t)(th_result.u.error.code + 1);
}

void th_arena_drop(void *until)
{
    (void)until;
}

TH_EXPORT("cabi_realloc")
void *cabi_realloc(void *old, size_t old_size, size_t align, size_t size);

void *cabi_realloc(void *old, size_t old_size, size_t align, size_t size)
{
    uintptr_t end = __builtin_wasm_memory_size(0) * 65536;
    calls = calls + 1;
    switch (BAD) {
    case PAST_END:
        return (void *)(end + 64);
    case LAST_BYTE:
        return (void *)(end - 1);
    case WRAPPING:
        return (void *)(UINTPTR_MAX - 7);
    case MISALIGNED:
        return block + 1;
    case TRAPS:
        __builtin_trap();
    case LOOPS:
        for (;;) {
            calls = calls + 1;
        }
    case SENDS:
        theater_send(theater_str("victim"), theater_str("re-entered"), NULL);
        break;
    case REQUESTS:
        theater_request(theater_str("victim"), theater_str("re-entered"), NULL,
                        NULL);
        break;
    case RECURSES:
        old = cabi_realloc(old, old_size, align, size + 1);
        calls = calls + 1;
        return old;
    case GROWS:
        return (void *)(__builtin_wasm_memory_grow(0, size / 65536 + 1) *
                        65536);
    default:
        break;
    }
    if (size > sizeof block) {
        __builtin_trap();
    }
    return block;
}

THEATER_RUN()
{
}

THEATER_HANDLE_SEND(data)
{
    theater_log(THEATER_LEVEL_INFO, data);
}

/* The list of requests is what the host has to align: this one is in it. */
THEATER_HANDLE_REQUEST(data)
{
    theater_list_t list = theater_list_outstanding_requests();
    return theater_answer(list.len > 0 ? list.items[0] : data);
}
