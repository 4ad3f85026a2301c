/* SPDX-License-Identifier: Apache-2.0 */
/* What it does stands in ../README.md. */
#include <theater/actor.h>

static bool begins(theater_bytes_t data, const char *with)
{
    theater_bytes_t begin = theater_str(with);
    return data.len >= begin.len &&
           theater_equal(theater_bytes(data.data, begin.len), begin);
}

static theater_bytes_t joined(theater_bytes_t a, const char *between,
                              theater_bytes_t b)
{
    size_t size = a.len + b.len + 64;
    theater_text_t text = theater_text(theater_scratch(size), size);
    theater_add_bytes(&text, a);
    theater_add(&text, between);
    theater_add_bytes(&text, b);
    return theater_text_bytes(&text);
}

static void say(theater_bytes_t a, const char *between, theater_bytes_t b)
{
    theater_log(THEATER_LEVEL_INFO, joined(a, between, b));
}

static theater_bytes_t with_peer(const char *text, theater_bytes_t peer)
{
    return joined(theater_str(text), "", peer);
}

static void visit(theater_bytes_t peer)
{
    theater_bytes_t got;
    theater_error_t error;
    if (theater_send(peer, with_peer("hello ", peer), &error) != THEATER_OK) {
        theater_log_failure("send", &error);
    }
    if (theater_request(peer, with_peer("question for ", peer), &got, &error) ==
        THEATER_OK) {
        theater_log(THEATER_LEVEL_INFO, got);
    } else {
        theater_log_failure("request", &error);
    }
    if (theater_request(peer, theater_str("fail"), NULL, &error) !=
        THEATER_OK) {
        say(joined(peer, ": ", theater_str(theater_code_name(error.code))),
            ": ", error.message);
    }
    theater_code_t code =
        theater_open_channel(peer, theater_str("knock"), NULL, NULL);
    say(peer, ": ", theater_str(theater_code_name(code)));
    if (theater_open_channel(peer, with_peer("channel for ", peer), &got,
                             &error) != THEATER_OK ||
        theater_send_on_channel(got, theater_str("ping"), &error) !=
            THEATER_OK) {
        theater_log_failure("channel", &error);
    }
}

static theater_answer_t visit_all(theater_bytes_t names)
{
    char *line = theater_scratch(32);
    theater_text_t text = theater_text(line, 32);
    uint64_t visited = 0;
    size_t from = 0;
    for (size_t i = 0; i <= names.len; i++) {
        if (i == names.len || names.data[i] == ' ') {
            visit(theater_bytes(names.data + from, i - from));
            visited++;
            from = i + 1;
        }
    }
    theater_add(&text, "visited ");
    theater_add_u64(&text, visited);
    return theater_answer(theater_text_bytes(&text));
}

THEATER_HANDLE_REQUEST(data)
{
    if (begins(data, "visit ")) {
        return visit_all(theater_bytes(data.data + 6, data.len - 6));
    }
    if (theater_equal(data, theater_str("fail"))) {
        return theater_fail(theater_str("not today"));
    }
    return theater_answer(joined(data, ", answered by ", theater_self_name()));
}

THEATER_HANDLE_SEND(data)
{
    theater_bytes_t sender = theater_str("nobody");
    theater_sender(&sender);
    say(data, ", from ", sender);
}

THEATER_HANDLE_CHANNEL_OPEN(initiator, data)
{
    if (!begins(data, "channel ")) {
        return false;
    }
    say(data, ", opened by ", initiator);
    return true;
}

THEATER_HANDLE_CHANNEL_MESSAGE(channel, data)
{
    if (theater_equal(data, theater_str("ping"))) {
        theater_send_on_channel(
            channel, joined(theater_str("pong of "), "", theater_self_name()),
            NULL);
        return;
    }
    theater_log(THEATER_LEVEL_INFO, data);
    theater_close_channel(channel, NULL);
}

THEATER_HANDLE_CHANNEL_CLOSE(channel)
{
    (void)channel;
    theater_log_info("channel closed");
}
