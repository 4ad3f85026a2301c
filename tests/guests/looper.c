/* SPDX-License-Identifier: Apache-2.0 */
/* Never returns on demand. The first byte of what it gets says how: 'l' an
 * empty loop, 'c' a loop that calls the host, 's' a loop that sends to itself;
 * with anything else it answers "alive". The initial state names the handler
 * that loops by itself: "run", "close", "stop" ('l'), or "run-host" ('c'). */
#include <theater/actor.h>

static volatile uint32_t turns;

static void perhaps(uint8_t how)
{
    while (how == 'l') {
        turns = turns + 1;
    }
    while (how == 'c') {
        turns = (uint32_t)theater_now_ms();
    }
    while (how == 's') {
        theater_mark_t mark = theater_mark();
        theater_send(theater_self_name(), theater_str("again"), NULL);
        theater_release(mark);
    }
}

static uint8_t first(theater_bytes_t data)
{
    return data.len > 0 ? data.data[0] : 0;
}

static bool state_is(const char *word)
{
    theater_bytes_t state;
    return theater_initial_state(&state) &&
           theater_equal(state, theater_str(word));
}

THEATER_RUN()
{
    perhaps(state_is("run") ? 'l' : state_is("run-host") ? 'c' : 0);
}

THEATER_HANDLE_SEND(data)
{
    perhaps(first(data));
}

THEATER_HANDLE_REQUEST(data)
{
    perhaps(first(data));
    return theater_answer(theater_str("alive"));
}

THEATER_HANDLE_CHANNEL_OPEN(initiator, data)
{
    (void)initiator;
    perhaps(first(data));
    return true;
}

THEATER_HANDLE_CHANNEL_MESSAGE(channel, data)
{
    (void)channel;
    perhaps(first(data));
}

THEATER_HANDLE_CHANNEL_CLOSE(channel)
{
    (void)channel;
    perhaps(state_is("close") ? 'l' : 0);
}

THEATER_HANDLE_STOP(reason)
{
    (void)reason;
    perhaps(state_is("stop") ? 'l' : 0);
}
