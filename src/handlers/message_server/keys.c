/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Design notes. What a manifest may say to the message server, once: the
 * manifest's checks, docs/manifest.md and the tests are made from this table.
 * Every bound has a default and none can be switched off: a mailbox, a wait
 * or a list without an end is what an actor system dies of.
 */
#include "handlers/message_server/server.h"

#define MILLISECOND UINT64_C(1000000)
#define HOUR (UINT64_C(3600) * 1000 * MILLISECOND)

static const char *const on_full_words[] = {"refuse", "drop-newest",
                                            "drop-oldest", NULL};
static const char *const when_full_words[] = {"error", "wait", NULL};

static const char *check_target(const char *text, size_t len)
{
    (void)len;
    if (theater_pattern_check(text) == THEATER_OK) {
        return NULL;
    }
    return "is no name and no beginning of names with one * at its end";
}

const theater_key_t th_ms_keys[TH_MS_KEYS] = {
    [TH_MS_CAN_SEND] = {.name = "can_send",
                        .type = THEATER_KEY_BOOL,
                        .fallback = "true",
                        .doc = "may send one-way messages, batches, "
                               "broadcasts and timed ones"},
    [TH_MS_CAN_REQUEST] = {.name = "can_request",
                           .type = THEATER_KEY_BOOL,
                           .fallback = "true",
                           .doc = "may send requests; answering needs no "
                                  "permission"},
    [TH_MS_CAN_OPEN_CHANNELS] = {.name = "can_open_channels",
                                 .type = THEATER_KEY_BOOL,
                                 .fallback = "true",
                                 .doc = "may open channels; accepting needs "
                                        "no permission"},
    [TH_MS_ALLOWED_TARGETS] = {.name = "allowed_targets",
                               .type = THEATER_KEY_STRING_LIST,
                               .min = 1,
                               .max = 255,
                               .check = check_target,
                               .doc = "whom it may address; one * at the end "
                                      "of a name; absent: everybody, []: "
                                      "nobody"},
    [TH_MS_MAX_CHANNELS] = {.name = "max_channels",
                            .type = THEATER_KEY_INT,
                            .fallback = "100",
                            .min = 1,
                            .max = 65536,
                            .doc = "open channels of this actor, whoever "
                                   "opened them"},
    [TH_MS_CHANNEL_CREDIT] = {.name = "channel_credit",
                              .type = THEATER_KEY_INT,
                              .fallback = "256",
                              .min = 1,
                              .max = THEATER_MAILBOX_MAX,
                              .doc = "messages that may be on their way to "
                                     "this actor on one channel"},
    [TH_MS_CHANNEL_CREDIT_BYTES] = {.name = "channel_credit_bytes",
                                    .type = THEATER_KEY_SIZE,
                                    .fallback = "4MiB",
                                    .min = 1,
                                    .max = THEATER_MAILBOX_BYTES,
                                    .doc = "the same, in payload bytes"},
    [TH_MS_MAILBOX_CAPACITY] = {.name = "mailbox_capacity",
                                .type = THEATER_KEY_INT,
                                .fallback = "1000",
                                .min = 1,
                                .max = THEATER_MAILBOX_MAX,
                                .doc = "messages that wait to be handled"},
    [TH_MS_MAILBOX_BYTES] = {.name = "mailbox_bytes",
                             .type = THEATER_KEY_SIZE,
                             .fallback = "4MiB",
                             .min = 1,
                             .max = THEATER_MAILBOX_BYTES,
                             .doc = "payload bytes that wait to be handled; "
                                    "an empty mailbox takes any message"},
    [TH_MS_ON_FULL] = {.name = "on_full",
                       .type = THEATER_KEY_ENUM,
                       .fallback = "refuse",
                       .choices = on_full_words,
                       .doc = "what becomes of a message to this actor when "
                              "its mailbox is full"},
    [TH_MS_WHEN_FULL] = {.name = "when_full",
                         .type = THEATER_KEY_ENUM,
                         .fallback = "wait",
                         .choices = when_full_words,
                         .doc = "what this actor does when a mailbox refuses "
                                "its message, or a channel has no credit"},
    [TH_MS_SEND_TIMEOUT] = {.name = "send_timeout",
                            .type = THEATER_KEY_DURATION,
                            .fallback = "5s",
                            .min = MILLISECOND,
                            .max = HOUR,
                            .doc = "how long such a wait may take; then "
                                   "`mailbox-full`"},
    [TH_MS_REQUEST_TIMEOUT] = {.name = "request_timeout",
                               .type = THEATER_KEY_DURATION,
                               .fallback = "5s",
                               .min = MILLISECOND,
                               .max = HOUR,
                               .doc = "how long `request` and `open-channel` "
                                      "wait; then `timeout`"},
    [TH_MS_MAX_REQUESTS] = {.name = "max_requests",
                            .type = THEATER_KEY_INT,
                            .fallback = "1000",
                            .min = 1,
                            .max = 65536,
                            .doc = "received requests whose answer was "
                                   "deferred"},
    [TH_MS_MAX_TIMERS] = {.name = "max_timers",
                          .type = THEATER_KEY_INT,
                          .fallback = "1000",
                          .min = 1,
                          .max = 65536,
                          .doc = "timed sends under way"},
};
