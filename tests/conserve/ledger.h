/* SPDX-License-Identifier: Apache-2.0 */
/* The conservation oracle: a ledger that is kept beside the messages, by those
 * who send and who receive, and that shares no code and no header with the
 * product. Every message says who sent it to whom, its number, its length and
 * a checksum; the ledger has three bits for each: accepted, handled, dead
 * letter. At a quiet moment each accepted message has exactly one of the
 * other two, and nobody else has any.
 *
 * Who takes part is a number below `parties`. What one party sends to another
 * is numbered by pair. What it broadcasts is one stream to all (LEDGER_ALL),
 * numbered once. Both also count their sender's turns, which rise at each
 * receiver: a broadcast neither passes a message to one nor is passed by it.
 * What it sends with a delay (LEDGER_LATE) is numbered by pair, in no order. It
 * is promised when the router takes it, and accepted when its time has come; a
 * promise ends with its sender (ledger_forget), and else must come out.
 *
 * Threads: compose and last: the one that acts for `from`, `handled`: for
 * `to`; check: nobody else is in a call; all others: any. Owners may change
 * when the caller orders their calls. */
#ifndef CONSERVE_LEDGER_H
#define CONSERVE_LEDGER_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum {
    LEDGER_HEADER = 32,   /* bytes; the least that a message has */
    LEDGER_NOBODY = 0xff, /* a dead letter's target that is no party */
};

enum ledger_stream {
    LEDGER_PAIR, /* messages, requests, channel data: in order */
    LEDGER_ALL,  /* broadcasts */
    LEDGER_LATE, /* timed sends */
    LEDGER_STREAMS
};

/* What a message says of itself. */
struct ledger_entry {
    uint8_t stream;
    uint8_t from;
    uint8_t to;   /* LEDGER_NOBODY: a broadcast, to all */
    uint8_t note; /* the sender's word to the receiver */
    uint32_t number;
    uint32_t len;
};

struct ledger_report {
    uint64_t accepted;      /* messages */
    uint64_t handled;       /* of those */
    uint64_t dead;          /* of those */
    uint64_t never;         /* requests that ended while they were refused */
    uint64_t lost;          /* accepted, and nothing more was heard */
    uint64_t duplicated;    /* came out twice, or was never accepted */
    uint64_t corrupted;     /* length, checksum, sender or receiver differ */
    uint64_t reordered;     /* handled after one that was sent later */
    uint64_t requests;      /* begun: requests and opens */
    uint64_t unended;       /* of those: told nothing */
    uint64_t ended_twice;   /* told more than once, or though refused */
    uint64_t wrong_answers; /* an answer to something else */
};

struct ledger;

/* NULL: no memory. `numbers` is how many each stream may have, `requests` how
 * many may begin. */
struct ledger *ledger_new(unsigned parties, uint32_t numbers,
                          uint32_t requests);
void ledger_delete(struct ledger *ledger);

/* Writes the stream's next message of `len` bytes (LEDGER_HEADER and more)
 * into `out`, aligned to 8. False: the stream is full. */
bool ledger_compose(struct ledger *ledger, enum ledger_stream stream,
                    unsigned from, unsigned to, uint8_t note, uint8_t *out,
                    size_t len, struct ledger_entry *out_entry);
/* The router said so. `to`: the receiver, of a broadcast too. */
void ledger_accepted(struct ledger *ledger, const struct ledger_entry *entry,
                     unsigned to);
/* The endpoint of `from` has ended, or was reset: what it sent with a delay may
 * have come out or not. */
void ledger_forget(struct ledger *ledger, unsigned from);
/* A receiver got it. False: it is none of ours, and counted. */
bool ledger_handled(struct ledger *ledger, unsigned to, const uint8_t *data,
                    size_t len, struct ledger_entry *out_entry);
/* The hook for dead letters got it; `target` is whom the letter names. */
void ledger_dead(struct ledger *ledger, unsigned target, const uint8_t *data,
                 size_t len);

/* --- Requests: each is told its end once ---------------------------------- */

/* Before it is started. UINT32_MAX: there were enough of them. */
uint32_t ledger_ask(struct ledger *ledger, const struct ledger_entry *entry);
/* It was refused: nothing will be told. */
void ledger_refused(struct ledger *ledger, uint32_t request);
/* It was told its end. `unheard`: by an end after which nobody can say whether
 * its message was ever accepted (a deadline, a cancellation). */
void ledger_ended(struct ledger *ledger, uint32_t request, bool unheard);
/* An answer is the question's first LEDGER_HEADER bytes. */
void ledger_answer(struct ledger *ledger, const struct ledger_entry *asked,
                   const uint8_t *data, size_t len);
/* One that is not as it should be, whatever it is: counted as such. */
void ledger_wrong(struct ledger *ledger);

/* At a quiet moment. `unended` is not looked at while it may still come. */
void ledger_check(struct ledger *ledger, bool all_ended,
                  struct ledger_report *out);

#endif
