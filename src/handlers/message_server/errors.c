/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Design notes. A failed call tells the guest a code, which programs act on,
 * and a sentence for the person who reads its log: what was refused, whom it
 * concerned, and what to do. The sentence is made here, on the error path
 * alone, in memory that the instance keeps from its first error on; without
 * that memory the status's own text serves.
 *
 * A guest's strings must be UTF-8: names and ids that it gave are (the engine
 * checked them) and are cut between characters only.
 */
#include "handlers/message_server/server.h"

enum {
    TEXT_SIZE = 512,
    SUBJECT_MAX = 40, /* bytes of a name that are quoted: SDKs cut texts */
};

struct text {
    char *at;
    size_t len;
};

static void add(struct text *text, const char *more)
{
    size_t len = strlen(more);
    size_t room = TEXT_SIZE - 1 - text->len;
    if (len > room) {
        len = room;
    }
    memcpy(text->at + text->len, more, len);
    text->len += len;
    text->at[text->len] = '\0';
}

/* Quoted; a long one is cut at a character's beginning. */
static void add_subject(struct text *text, theater_bytes_t subject,
                        const char *otherwise)
{
    if (subject.data == NULL) {
        add(text, otherwise);
        return;
    }
    size_t len = subject.len;
    if (len > SUBJECT_MAX) {
        len = SUBJECT_MAX;
        while (len > 0 && (subject.data[len] & 0xC0) == 0x80) {
            len--;
        }
    }
    add(text, "'");
    memcpy(text->at + text->len, subject.data, len);
    for (size_t i = 0; i < len; i++) {
        if (text->at[text->len + i] == '\0') {
            text->at[text->len + i] = ' '; /* the text ends at a zero */
        }
    }
    text->len += len;
    add(text, len < subject.len ? "...'" : "'");
}

static void add_ms(struct text *text, uint32_t value)
{
    char digits[11];
    size_t at = sizeof(digits) - 1;
    digits[at] = '\0';
    do {
        digits[--at] = (char)('0' + value % 10);
        value /= 10;
    } while (value > 0);
    add(text, digits + at);
    add(text, " ms");
}

static const char *denied_text(enum th_ms_verb verb)
{
    switch (verb) {
    case TH_MS_REQUEST:
        return "request anything from ";
    case TH_MS_OPEN:
        return "open a channel to ";
    default:
        return "send to ";
    }
}

static const char *denied_key(enum th_ms_verb verb)
{
    switch (verb) {
    case TH_MS_REQUEST:
        return "can_request";
    case TH_MS_OPEN:
        return "can_open_channels";
    default:
        return "can_send";
    }
}

static const char *unsupported_text(enum th_ms_verb verb)
{
    switch (verb) {
    case TH_MS_REQUEST:
        return " exports no handle-request";
    case TH_MS_OPEN:
        return " exports no handle-channel-open";
    default:
        return " exports no handle-send";
    }
}

static void add_full(struct text *text, enum th_ms_verb verb,
                     theater_bytes_t subject)
{
    switch (verb) {
    case TH_MS_SEND_LATER:
        add(text, "too many timed sends are under way; see max_timers, and "
                  "the router's max_pending");
        return;
    case TH_MS_OPEN:
        add_subject(text, subject, "the target");
        add(text, " takes no message now, or one of the two has as many "
                  "channels as its max_channels allows");
        return;
    case TH_MS_SEND_ON_CHANNEL:
        add(text, "the other end of the channel has not handled enough yet; "
                  "try later, or raise its channel_credit or "
                  "channel_credit_bytes");
        return;
    case TH_MS_DEFER:
        add(text, "too many answers are deferred; see max_requests");
        return;
    default:
        add(text, "the mailbox of ");
        add_subject(text, subject, "the target");
        add(text, " is full; send less, wait, or raise its mailbox_capacity "
                  "or mailbox_bytes, or the router's bounds");
        return;
    }
}

static void add_invalid(struct text *text, enum th_ms_verb verb,
                        theater_bytes_t subject)
{
    switch (verb) {
    case TH_MS_SEND_ON_CHANNEL:
    case TH_MS_CLOSE_CHANNEL:
        add_subject(text, subject, "that");
        add(text, " is no open channel of this actor");
        return;
    case TH_MS_CANCEL_SEND:
        add_subject(text, subject, "that");
        add(text, " is no timed send of this actor that is still to come");
        return;
    case TH_MS_DEFER:
        add(text, "no request that still waits for its answer is being "
                  "handled; call it once, inside handle-request");
        return;
    case TH_MS_RESPOND:
    case TH_MS_CANCEL_REQUEST:
        add_subject(text, subject, "that");
        add(text, " is no request that this actor received and has still "
                  "to answer");
        return;
    default:
        add_subject(text, subject, "the target");
        add(text, " cannot be a name: 1 to 255 bytes, no control characters");
        return;
    }
}

static void add_timeout(struct text *text, const struct th_ms *ms,
                        enum th_ms_verb verb)
{
    add(text, verb == TH_MS_OPEN ? "the channel was not decided in time"
                                 : "no answer came in time");
    bool own = verb == TH_MS_REQUEST && ms->given_ms != ms->request_timeout_ms;
    add(text,
        own ? "; the call gave it " : "; this actor's request_timeout is ");
    add_ms(text, own ? ms->given_ms : ms->request_timeout_ms);
}

static void add_denied(struct text *text, enum th_ms_verb verb,
                       theater_bytes_t subject)
{
    add(text, "this actor may not ");
    add(text, denied_text(verb));
    add_subject(text, subject, "that target");
    add(text, "; see ");
    add(text, denied_key(verb));
    add(text, " and allowed_targets");
}

/* False: the status's own text says all there is. */
static bool write_text(struct text *text, const struct th_ms *ms,
                       theater_status_t status, enum th_ms_verb verb,
                       theater_bytes_t subject)
{
    switch (status) {
    case THEATER_NOT_FOUND:
        add(text, "no actor is named ");
        add_subject(text, subject, "so");
        return true;
    case THEATER_DENIED:
        add_denied(text, verb, subject);
        return true;
    case THEATER_MAILBOX_FULL:
        add_full(text, verb, subject);
        return true;
    case THEATER_TIMEOUT:
        add_timeout(text, ms, verb);
        return true;
    case THEATER_INVALID_ARGUMENT:
        add_invalid(text, verb, subject);
        return true;
    case THEATER_UNSUPPORTED:
        add_subject(text, subject, "the target");
        add(text, unsupported_text(verb));
        return true;
    case THEATER_DEADLOCK:
        add_subject(text, subject, "the target");
        add(text, " waits, through others or itself, for this actor");
        return true;
    case THEATER_REJECTED:
        add_subject(text, subject, "the target");
        add(text, " refused the channel, or has as many as its max_channels "
                  "allows");
        return true;
    case THEATER_OUT_OF_MEMORY:
        add(text, "the host has no memory for it now, or the router holds as "
                  "much as its max_queued_bytes allows");
        return true;
    default:
        return false;
    }
}

theater_status_t th_ms_guest_status(theater_status_t status)
{
    if (status <= THEATER_UNREACHABLE) {
        return status;
    }
    switch (status) {
    case THEATER_OUT_OF_MEMORY: /* a bound, too */
        return THEATER_MAILBOX_FULL;
    case THEATER_TRAPPED: /* how the other end stopped */
    case THEATER_LIMIT:
        return THEATER_CLOSED;
    default:
        return THEATER_FAILED;
    }
}

const char *th_ms_close_text(theater_status_t reason)
{
    switch (reason) {
    case THEATER_CLOSED:
        return "the other end stopped or crashed";
    case THEATER_UNSUPPORTED:
        return "the other end exports no handle-channel-message";
    case THEATER_TIMEOUT:
        return "it was accepted after the opener had given up";
    default:
        return reason > THEATER_UNREACHABLE ? theater_status_text(reason)
                                            : NULL;
    }
}

theater_status_t th_ms_fail(theater_call_t *call, theater_status_t status,
                            enum th_ms_verb verb, theater_bytes_t subject)
{
    struct th_ms *ms = call->instance;
    call->status = th_ms_guest_status(status);
    call->message = NULL;
    if (ms->text == NULL) {
        ms->text = th_alloc(ms->env, TEXT_SIZE);
    }
    if (ms->text != NULL) {
        struct text text = {ms->text, 0};
        ms->text[0] = '\0';
        if (write_text(&text, ms, status, verb, subject)) {
            call->message = ms->text;
        }
    }
    return THEATER_OK;
}
