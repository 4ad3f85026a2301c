/* SPDX-License-Identifier: Apache-2.0 */
/* What the benchmark's actors share: settings, stamped messages, counters.
 * README.md has the protocol; it is not a library for other actors. */
#ifndef BENCH_ACTOR_H
#define BENCH_ACTOR_H

#include <theater/actor.h>

enum {
    BENCH_FINISHED = 1,      /* flags: `run` is over, or the deadline passed */
    BENCH_MISCONFIGURED = 2, /* flags: a setting is missing or wrong */
    BENCH_SENDERS = 1024,    /* sender numbers that are told apart */
    BENCH_SMALLEST = 16      /* bytes: the stamp */
};

/* Sender number and sequence share the first word of a message. */
#define BENCH_SEQUENCE_BITS 40
#define BENCH_SEQUENCE_MASK (((uint64_t)1 << BENCH_SEQUENCE_BITS) - 1)

/* The answer to any request: this, little-endian. */
struct bench_counters {
    uint64_t magic;           /* BENCH_MAGIC */
    uint64_t flags;           /* BENCH_FINISHED, BENCH_MISCONFIGURED */
    uint64_t sent;            /* sends that were accepted */
    uint64_t refused;         /* sends or requests that failed */
    uint64_t received;        /* messages handled */
    uint64_t order_errors;    /* of them, behind one that was sent later */
    uint64_t gaps;            /* sequence numbers that were skipped */
    uint64_t checksum_errors; /* of them, damaged */
    uint64_t completed;       /* requests answered, round trips, laps */
    uint64_t elapsed_ms;      /* from start to finish, by `now-ms` */
    uint64_t last_code;       /* theater_code_t of the last refusal */
};

/* "TBENCH01" */
#define BENCH_MAGIC UINT64_C(0x313048434e454254)

extern struct bench_counters bench;

/* The number at the end of the actor's name; 0 where there is none. */
uint64_t bench_own_number(void);

/* One setting of the initial state, "key=value;key=value"; false: not there.
 * The view lives as all that is received. */
bool bench_setting(const char *key, theater_bytes_t *out);

/* The same as a number; `otherwise` where it is not there. One that is not a
 * number sets BENCH_MISCONFIGURED. */
uint64_t bench_number(const char *key, uint64_t otherwise);

/* The setting `target` with each '#' replaced by the actor's own number, in
 * static memory; misconfigured where it is not there. */
theater_bytes_t bench_target(void);

/* Whether sending goes on after `code`: counts it, and takes a pause where
 * the mailbox is full. */
bool bench_refused(theater_code_t code);

/* Milliseconds that this workload lasts: `ms`, else `seconds`, else 1000. */
uint64_t bench_duration_ms(void);

/* A message of `len` bytes in scratch memory: the filler, not yet stamped. */
uint64_t *bench_message(size_t len);

/* Marks the end, with the time since `start_ms`. */
void bench_finish(uint64_t start_ms);

/* The counters, as the answer to a request. */
theater_answer_t bench_report(void);

/* The benchmark's own build of the actors takes latencies: `begin` and `end`
 * of its handler "bench", with the sender's number and a tag below 8. */
enum {
    BENCH_SAMPLE = 1024,          /* one message of a sender in so many */
    BENCH_BROADCAST_SAMPLE = 128, /* of a broadcaster */
    BENCH_PEER_SAMPLE = 64,       /* of one peer to one of those below */
    BENCH_SAMPLED_PEERS = 8
};
#ifdef BENCH_PROBE
__attribute__((import_module("theater:bench/probe@0.1.0"),
               import_name("begin"))) void
bench_probe_begin(uint32_t owner, uint32_t tag);
__attribute__((import_module("theater:bench/probe@0.1.0"),
               import_name("end"))) void
bench_probe_end(uint32_t owner, uint32_t tag);
#else
static inline void bench_probe_begin(uint32_t owner, uint32_t tag)
{
    (void)owner;
    (void)tag;
}

static inline void bench_probe_end(uint32_t owner, uint32_t tag)
{
    (void)owner;
    (void)tag;
}
#endif

static inline uint64_t bench_word(const uint8_t *at)
{
    uint64_t word;
    __builtin_memcpy(&word, at, sizeof word);
    return word;
}

/* The sum over all words but the second, which holds it. The first word
 * counts once, so that a stamp can be changed without another pass. */
static inline uint64_t bench_checksum(theater_bytes_t data)
{
    const uint8_t *at = data.data + 16;
    size_t left = data.len - 16;
    uint64_t a = data.len + bench_word(data.data);
    uint64_t b = 0;
    uint64_t c = 0;
    uint64_t d = 0;
    if (__builtin_expect(left == 48, 1)) { /* the usual 64, straight on */
        a += bench_word(at);
        b += bench_word(at + 8) + bench_word(at + 32) + bench_word(at + 40);
        c += bench_word(at + 16);
        d += bench_word(at + 24);
        return a + 3 * b + 5 * c + 7 * d;
    }
    for (; left >= 32; left -= 32, at += 32) {
        a += bench_word(at);
        b += bench_word(at + 8);
        c += bench_word(at + 16);
        d += bench_word(at + 24);
    }
    for (; left >= 8; left -= 8, at += 8) {
        b += bench_word(at);
    }
    for (; left > 0; left--, at++) {
        d += *at;
    }
    return a + 3 * b + 5 * c + 7 * d;
}

/* The checksum of a fresh message before its first stamp. */
static inline uint64_t bench_base(const uint64_t *message, size_t len)
{
    return bench_checksum(theater_bytes(message, len)) - message[0];
}

/* Puts sender and sequence into a message, and the checksum. */
static inline void bench_stamp(uint64_t *message, uint64_t base, uint64_t word)
{
    message[0] = word;
    message[1] = base + word;
}

/* Whether a message is whole; counts it. */
static inline bool bench_received(theater_bytes_t data)
{
    bench.received++;
    if (__builtin_expect(data.len < BENCH_SMALLEST ||
                             bench_checksum(data) != bench_word(data.data + 8),
                         0)) {
        bench.checksum_errors++;
        return false;
    }
    return true;
}

/* Compares a sequence number with the one that is due. */
static inline void bench_in_order(uint64_t *next, uint64_t sequence)
{
    if (__builtin_expect(sequence != *next, 0)) {
        if (sequence < *next) {
            bench.order_errors++;
            return;
        }
        bench.gaps += sequence - *next;
    }
    *next = sequence + 1;
}

#endif
