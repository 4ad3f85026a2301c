/* SPDX-License-Identifier: Apache-2.0 */
/* Knocks at the library three times: without a card (rejected), to borrow
 * books (closes when it has them), and to wait until the library closes. */
#include <theater/actor.h>

static char books_id[256];
static size_t books_id_len;

static bool open(const char *words, theater_bytes_t *out_id)
{
    theater_error_t error;
    if (theater_open_channel(theater_str("library"), theater_str(words), out_id,
                             &error) != THEATER_OK) {
        theater_log_info(error.code == THEATER_REJECTED ? "not let in"
                                                        : "no library");
        return false;
    }
    theater_log_info("let in");
    return true;
}

THEATER_RUN()
{
    theater_bytes_t id;
    open("please", &id);
    if (open("card 7", &id) && id.len <= sizeof books_id) {
        __builtin_memcpy(books_id, id.data, id.len);
        books_id_len = id.len;
        theater_send_on_channel(id, theater_str("one"), NULL);
        theater_send_on_channel(id, theater_str("two"), NULL);
        theater_send_on_channel(id, theater_str("three"), NULL);
    }
    open("card 8", &id);
}

THEATER_HANDLE_CHANNEL_MESSAGE(channel, data)
{
    theater_log(THEATER_LEVEL_INFO, data);
    if (theater_equal(channel, theater_bytes(books_id, books_id_len)) &&
        theater_equal(data, theater_str("book three"))) {
        theater_close_channel(channel, NULL);
        theater_log_info("thanks");
    }
}

THEATER_HANDLE_CHANNEL_CLOSE(channel)
{
    (void)channel;
    theater_error_t reason;
    if (!theater_close_reason(&reason)) {
        theater_log_info("the library hung up");
        return;
    }
    char line[64];
    theater_text_t text = theater_text(line, sizeof line);
    theater_add(&text, "the library is gone: ");
    theater_add(&text, theater_code_name(reason.code));
    theater_log(THEATER_LEVEL_INFO, theater_text_bytes(&text));
}
