/* SPDX-License-Identifier: Apache-2.0 */
/* Traps on demand. The first byte of what it gets says how: 'u' unreachable,
 * 'd' division by zero, 'm' a load past the end of memory, 'i' an indirect
 * call without a function; with anything else it answers "alive". An initial
 * state "run", "close" or "stop" traps in that handler. */
#include <theater/actor.h>

static volatile uint32_t zero;

static void perhaps(theater_bytes_t data)
{
    uint32_t null_index = zero;
    void (*nobody)(void) = (void (*)(void))(uintptr_t)null_index;
    switch (data.len > 0 ? data.data[0] : 0) {
    case 'u':
        __builtin_trap();
    case 'd':
        zero = 1 / zero;
        break;
    case 'm':
        zero = *(volatile uint32_t *)(UINTPTR_MAX - 7 - zero);
        break;
    case 'i':
        nobody();
        break;
    default:
        break;
    }
}

static bool state_is(const char *word)
{
    theater_bytes_t state;
    return theater_initial_state(&state) &&
           theater_equal(state, theater_str(word));
}

THEATER_RUN()
{
    if (state_is("run")) {
        __builtin_trap();
    }
}

THEATER_HANDLE_SEND(data)
{
    perhaps(data);
    theater_log_info("alive");
}

THEATER_HANDLE_REQUEST(data)
{
    perhaps(data);
    return theater_answer(theater_str("alive"));
}

THEATER_HANDLE_CHANNEL_OPEN(initiator, data)
{
    (void)initiator;
    perhaps(data);
    return true;
}

THEATER_HANDLE_CHANNEL_MESSAGE(channel, data)
{
    (void)channel;
    perhaps(data);
}

THEATER_HANDLE_CHANNEL_CLOSE(channel)
{
    (void)channel;
    if (state_is("close")) {
        __builtin_trap();
    }
}

THEATER_HANDLE_STOP(reason)
{
    (void)reason;
    if (state_is("stop")) {
        __builtin_trap();
    }
}
