/* SPDX-License-Identifier: Apache-2.0 */
/* What the reference's actor A does in its three examples, one after the
 * other: sends, requests, streams on a channel to `actor_b`. */
#include <theater/actor.h>

static void send_one(void)
{
    theater_error_t error;
    if (theater_send(theater_str("actor_b"), theater_str("hello"), &error) !=
        THEATER_OK) {
        theater_log_failure("send", &error);
    }
}

static void request_one(void)
{
    theater_bytes_t answer;
    theater_error_t error;
    char line[40];
    theater_text_t text = theater_text(line, sizeof line);
    if (theater_request(theater_str("actor_b"), theater_str("ping"), &answer,
                        &error) != THEATER_OK) {
        theater_log_failure("request", &error);
        return;
    }
    theater_add(&text, "Got response: ");
    theater_add_bytes(&text, answer);
    theater_log(THEATER_LEVEL_INFO, theater_text_bytes(&text));
}

static void stream(void)
{
    theater_bytes_t channel;
    theater_error_t error;
    if (theater_open_channel(theater_str("actor_b"), theater_str("init"),
                             &channel, &error) != THEATER_OK ||
        theater_send_on_channel(channel, theater_str("message 1"), &error) !=
            THEATER_OK ||
        theater_send_on_channel(channel, theater_str("message 2"), &error) !=
            THEATER_OK ||
        theater_close_channel(channel, &error) != THEATER_OK) {
        theater_log_failure("channel", &error);
        return;
    }
    theater_log_info("closed");
}

THEATER_RUN()
{
    send_one();
    request_one();
    stream();
}
