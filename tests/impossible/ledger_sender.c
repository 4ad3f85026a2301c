/* SPDX-License-Identifier: Apache-2.0 */
/* Sends numbered messages in every way, as many as its initial state says, to
 * t-0 ... t-7 in turn, and keeps book of what was accepted by log lines:
 * "in OWN NUMBER KIND" for each one accepted, "maybe ..." where it can't tell,
 * "end" at the end. The payload is
 * "OWN NUMBER KIND"; OWN is its name's last character. */
#include <theater/actor.h>

enum { TARGETS = 8 };

static char payload_buffer[48];
static char target_buffer[8];
static char line_buffer[64];

static theater_bytes_t payload(uint64_t number, const char *kind)
{
    theater_bytes_t name = theater_self_name();
    theater_text_t text = theater_text(payload_buffer, sizeof payload_buffer);
    theater_add_bytes(&text, theater_bytes(name.data + name.len - 1, 1));
    theater_add(&text, " ");
    theater_add_u64(&text, number);
    theater_add(&text, " ");
    theater_add(&text, kind);
    return theater_text_bytes(&text);
}

static theater_bytes_t target(uint64_t number)
{
    theater_text_t text = theater_text(target_buffer, sizeof target_buffer);
    theater_add(&text, "t-");
    theater_add_u64(&text, number % TARGETS);
    return theater_text_bytes(&text);
}

static void book(const char *what, theater_bytes_t data)
{
    theater_text_t text = theater_text(line_buffer, sizeof line_buffer);
    theater_add(&text, what);
    theater_add_bytes(&text, data);
    theater_log(THEATER_LEVEL_INFO, theater_text_bytes(&text));
}

/* Was the request queued, though it has ended otherwise than well? */
static bool was_queued(theater_code_t code)
{
    return code == THEATER_OK || code == THEATER_FAILED ||
           code == THEATER_CLOSED || code == THEATER_TIMEOUT ||
           code == THEATER_CANCELLED;
}

/* Refused by a full mailbox, or queued and then dropped: a requester can't
 * tell, so the book says "maybe". */
static theater_code_t request_one(theater_bytes_t to, theater_bytes_t data)
{
    theater_bytes_t answer;
    theater_code_t code = theater_request_with(to, data, 50, &answer, NULL);
    if (code == THEATER_MAILBOX_FULL) {
        book("maybe ", data);
    }
    return was_queued(code) ? THEATER_OK : code;
}

static theater_code_t send_one(uint64_t number)
{
    theater_bytes_t to = target(number);
    theater_bytes_t data = payload(number, "plain");
    theater_code_t code = THEATER_OK;
    switch (number / TARGETS % 8) {
    case 0:
        data = payload(number, "request");
        code = request_one(to, data);
        break;
    case 1:
        data = payload(number, "later");
        code = theater_send_after(to, data, 2, NULL, NULL);
        break;
    case 2:
        data = payload(number, "broadcast");
        code = theater_refusal(theater_broadcast(&to, 1, data), 0);
        break;
    case 3:
        code = theater_send_batch(to, &data, 1, NULL, NULL);
        break;
    default:
        code = theater_send(to, data, NULL);
        break;
    }
    if (code == THEATER_OK) {
        book("in ", data);
    }
    return code;
}

THEATER_RUN()
{
    theater_bytes_t state;
    uint64_t count = 0;
    if (theater_initial_state(&state)) {
        theater_parse_u64(state, &count);
    }
    for (uint64_t i = 0; i < count; i++) {
        theater_mark_t mark = theater_mark();
        /* Who has nobody there at the moment waits a little, not for ever. */
        for (int tries = 0; send_one(i) == THEATER_NOT_FOUND && tries < 20;
             tries++) {
            theater_sleep_ms(1);
        }
        theater_release(mark);
    }
    theater_log_info("end");
}
