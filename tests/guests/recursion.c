/* SPDX-License-Identifier: Apache-2.0 */
/* Calls itself without end. The first byte of a request says how: 'd' direct,
 * 'm' two functions in turn, 'i' through a pointer, 's' with 256 bytes of its
 * machine stack each (leaves the memory before the engine's stack ends), 'h'
 * with a host call in each; with anything else it answers "alive". */
#include <theater/actor.h>

#pragma clang diagnostic ignored "-Winfinite-recursion"

static volatile uint32_t depth;
static volatile uint32_t sink;

static uint32_t odd(uint32_t n);

static __attribute__((noinline)) uint32_t even(uint32_t n)
{
    depth = depth + 1;
    return odd(n + 1) + depth;
}

static __attribute__((noinline)) uint32_t odd(uint32_t n)
{
    depth = depth + 2;
    return even(n + 1) ^ depth;
}

static __attribute__((noinline)) uint32_t direct(uint32_t n)
{
    depth = depth + 1;
    return depth == 0 ? n : direct(n + 1) + depth;
}

static uint32_t indirect(uint32_t n);
static uint32_t (*volatile pointer)(uint32_t n) = indirect;

static uint32_t indirect(uint32_t n)
{
    depth = depth + 1;
    return pointer(n + 1) + depth;
}

static __attribute__((noinline)) uint32_t stacked(uint32_t n)
{
    volatile uint8_t room[256];
    room[n % sizeof room] = (uint8_t)n;
    depth = depth + 1;
    return depth == 0 ? n : stacked(n + 1) + room[depth % sizeof room];
}

static __attribute__((noinline)) uint32_t hosted(uint32_t n)
{
    depth = depth + (uint32_t)theater_now_ms() + 1;
    return hosted(n + 1) + depth;
}

static void recurse(theater_bytes_t data)
{
    switch (data.len > 0 ? data.data[0] : 0) {
    case 'd':
        sink = direct(0);
        break;
    case 'm':
        sink = even(0);
        break;
    case 'i':
        sink = pointer(0);
        break;
    case 's':
        sink = stacked(0);
        break;
    case 'h':
        sink = hosted(0);
        break;
    default:
        break;
    }
}

THEATER_HANDLE_SEND(data)
{
    recurse(data);
}

THEATER_HANDLE_REQUEST(data)
{
    recurse(data);
    return theater_answer(theater_str("alive"));
}
