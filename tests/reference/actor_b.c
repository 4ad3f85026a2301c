/* SPDX-License-Identifier: Apache-2.0 */
/* What the reference's actor B does: says what it hears, answers "pong",
 * accepts channels, and streams a word back on each. */
#include <theater/actor.h>

static char line[64];

static void say(const char *what, theater_bytes_t data)
{
    theater_text_t text = theater_text(line, sizeof line);
    theater_add(&text, what);
    theater_add_bytes(&text, data);
    theater_log(THEATER_LEVEL_INFO, theater_text_bytes(&text));
}

THEATER_HANDLE_SEND(data)
{
    say("Received: ", data);
}

THEATER_HANDLE_REQUEST(data)
{
    say("Asked: ", data);
    return theater_answer(theater_str("pong"));
}

THEATER_HANDLE_CHANNEL_OPEN(initiator, data)
{
    say("Opened by: ", initiator);
    say("Opened with: ", data);
    return true;
}

THEATER_HANDLE_CHANNEL_MESSAGE(channel, data)
{
    say("On channel: ", data);
    theater_send_on_channel(channel, data, NULL);
}

THEATER_HANDLE_CHANNEL_CLOSE(channel)
{
    (void)channel;
    say("Closed", theater_str(""));
}
