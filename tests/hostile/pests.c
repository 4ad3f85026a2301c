/* SPDX-License-Identifier: Apache-2.0 */
/* Design notes: the hostile actors that the guest `pest` plays. All must be
 * refused what they try, log that they are done, and live on; where they could
 * break something they say BROKEN and trap. */
#include "pests.h"

#define LONG "run_time = \"60s\"\ndelivery_time = \"60s\""
#define LIVES(name, state)                                                     \
    {name,      NULL, CAGE_LIVES, THEATER_OK, NULL,                            \
     CAGE_NONE, LONG, NULL,       state,      NULL}
#define FAILING(name, state)                                                   \
    {name,  NULL,      CAGE_LIVES, THEATER_OK,                                 \
     NULL,  CAGE_NONE, LONG,       "when_full = \"error\"",                    \
     state, NULL}

const struct hostile cage_identity[] = {
    LIVES("guesses the ids of requests", "guess requests"),
    LIVES("guesses the ids of channels", "guess channels"),
    LIVES("guesses the ids of timed sends", "guess timers"),
    LIVES("uses ids of others that it was told", "observed"),
    LIVES("uses ids beside those of others", "beside"),
    LIVES("uses ids of others, misspelt", "misspelt"),
    LIVES("uses a channel that it has closed", "closed channel"),
    {"answers a request twice", NULL, CAGE_LIVES, THEATER_OK, NULL,
     CAGE_REQUEST, LONG, NULL, "twice", NULL},
    {"answers a request that it has cancelled", NULL, CAGE_LIVES, THEATER_OK,
     NULL, CAGE_REQUEST, LONG, NULL, "after cancel", NULL},
    {"answers a request by an id that was used before", NULL, CAGE_LIVES,
     THEATER_OK, NULL, CAGE_HOARD, LONG, "mailbox_capacity = 2000", "recycled",
     NULL},
};

const struct hostile cage_floods[] = {
    FAILING("floods one that handles nothing", "flood one"),
    FAILING("floods with nothing in it", "flood empty"),
    FAILING("floods itself", "flood self"),
    FAILING("floods nobody", "flood nobody"),
    FAILING("floods with the greatest payloads", "flood big"),
    FAILING("floods all at once", "flood broadcast"),
    FAILING("floods by batches, and fails", "flood batch"),
    LIVES("floods itself by batches, and waits", "flood batch"),
    FAILING("floods the log", "flood log"),
};

const struct hostile cage_exhaustion[] = {
    LIVES("opens all channels", "all channels"),
    FAILING("sends on a channel that nobody reads", "all credit"),
    LIVES("sets timers of 0 ms", "timers now"),
    LIVES("sets timers that never come", "timers never"),
    {"answers no request", NULL, CAGE_LIVES, THEATER_OK, NULL, CAGE_HOARD, LONG,
     "max_requests = 50\nmailbox_capacity = 2000", "hoard", NULL},
    LIVES("waits for itself", "ask oneself"),
    LIVES("waits in a ring", "ring"),
    {"traps with a channel open", NULL, CAGE_FAILS, THEATER_TRAPPED,
     "unreachable", CAGE_NONE, LONG, NULL, "trap with channel", NULL},
    {"stops in the middle, and goes on", NULL, CAGE_STOPS, THEATER_OK,
     "in the middle", CAGE_NONE, LONG, NULL, "stop", NULL},
};

#define LEN(table) (sizeof(table) / sizeof *(table))
const size_t cage_identity_len = LEN(cage_identity);
const size_t cage_floods_len = LEN(cage_floods);
const size_t cage_exhaustion_len = LEN(cage_exhaustion);
