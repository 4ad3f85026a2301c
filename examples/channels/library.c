/* SPDX-License-Identifier: Apache-2.0 */
/* Lets in who shows a card, hands out a book for each word, and closes for
 * the day when the first reader has left. */
#include <theater/actor.h>

static void say(theater_bytes_t first, const char *middle, theater_bytes_t last)
{
    char line[128];
    theater_text_t text = theater_text(line, sizeof line);
    theater_add_bytes(&text, first);
    theater_add(&text, middle);
    theater_add_bytes(&text, last);
    theater_log(THEATER_LEVEL_INFO, theater_text_bytes(&text));
}

THEATER_HANDLE_CHANNEL_OPEN(initiator, data)
{
    say(initiator, " shows ", data);
    if (data.len < 5 ||
        !theater_equal(theater_bytes(data.data, 5), theater_str("card "))) {
        return false;
    }
    /* Sent before the answer is known; it arrives after it. */
    theater_bytes_t channel;
    if (theater_current_channel(&channel)) {
        theater_send_on_channel(channel, theater_str("welcome"), NULL);
    }
    return true;
}

THEATER_HANDLE_CHANNEL_MESSAGE(channel, data)
{
    char book[64];
    theater_text_t text = theater_text(book, sizeof book);
    theater_add(&text, "book ");
    theater_add_bytes(&text, data);
    theater_log(THEATER_LEVEL_INFO, theater_text_bytes(&text));
    theater_send_on_channel(channel, theater_text_bytes(&text), NULL);
}

THEATER_HANDLE_CHANNEL_CLOSE(channel)
{
    (void)channel;
    theater_error_t reason;
    theater_log_info(theater_close_reason(&reason) ? "a reader vanished"
                                                   : "a reader left");
    theater_stop(theater_str("closing time"));
}
