/* SPDX-License-Identifier: Apache-2.0 */
/* Every actor sends to random others: `window` messages at the start, then
 * one for each that it gets, until its time is over. So at most `window` times
 * the number of actors are on their way, and a mailbox that holds as many
 * never fills. Order is checked for every pair. */
#include "bench_actor.h"

enum { LONGEST_PREFIX = 64 };

static uint64_t sent_to[BENCH_SENDERS];
static uint64_t next_from[BENCH_SENDERS];
static char name[LONGEST_PREFIX + 20];
static size_t prefix_len;
static uint64_t peers;
static uint64_t own;
static uint64_t random_state;
static uint64_t start_ms;
static uint64_t deadline_ms;
static bool ready;

static void get_ready(void)
{
    theater_bytes_t prefix = theater_str("peer-");
    bench_setting("prefix", &prefix);
    peers = bench_number("peers", 100);
    own = bench_number("id", bench_own_number());
    if (prefix.len > LONGEST_PREFIX || peers == 0 || peers >= BENCH_SENDERS ||
        own == 0 || own > peers) {
        bench.flags |= BENCH_MISCONFIGURED;
        prefix.len = 0;
    }
    __builtin_memcpy(name, prefix.data, prefix.len);
    prefix_len = prefix.len;
    random_state = own * UINT64_C(0x9e3779b97f4a7c15);
    start_ms = theater_now_ms();
    deadline_ms = start_ms + bench_duration_ms();
    ready = true;
}

/* A peer's number, from 1: xorshift, the same sequence in every run. */
static uint64_t random_peer(void)
{
    random_state ^= random_state << 13;
    random_state ^= random_state >> 7;
    random_state ^= random_state << 17;
    return (random_state >> 16) % peers + 1;
}

/* Stamps `message`, whose checksum without stamp is `base`, and sends it. */
static void send_on(uint8_t *message, size_t len, uint64_t base)
{
    uint64_t peer = random_peer();
    theater_text_t text = theater_text(name, sizeof name);
    text.len = prefix_len;
    theater_add_u64(&text, peer);
    uint64_t word = own << BENCH_SEQUENCE_BITS | sent_to[peer];
    uint64_t stamp[2] = {word, base + word};
    __builtin_memcpy(message, stamp, sizeof stamp);
    if (peer <= BENCH_SAMPLED_PEERS && sent_to[peer] % BENCH_PEER_SAMPLE == 0) {
        bench_probe_begin((uint32_t)own, (uint32_t)peer);
    }

    theater_code_t code;
    while ((code = theater_send(theater_text_bytes(&text),
                                theater_bytes(message, len), NULL)) !=
           THEATER_OK) {
        if (!bench_refused(code)) {
            return;
        }
    }
    sent_to[peer]++;
    bench.sent++;
}

static bool is_over(void)
{
    if ((bench.flags & BENCH_FINISHED) == 0 && bench.received % 64 == 0 &&
        theater_now_ms() >= deadline_ms) {
        bench_finish(start_ms);
    }
    return (bench.flags & BENCH_FINISHED) != 0;
}

THEATER_RUN()
{
    if (!ready) {
        get_ready();
    }
    size_t len = (size_t)bench_number("payload", 64);
    uint64_t window = bench_number("window", 8);
    if (len < BENCH_SMALLEST || (bench.flags & BENCH_MISCONFIGURED) != 0) {
        bench.flags |= BENCH_MISCONFIGURED;
        theater_log_error("bench: wrong settings");
        return;
    }
    uint64_t *message = bench_message(len);
    uint64_t base = bench_base(message, len);
    for (uint64_t i = 0; i < window; i++) {
        send_on((uint8_t *)message, len, base);
    }
}

THEATER_HANDLE_SEND(data)
{
    if (__builtin_expect(!ready, 0)) {
        get_ready();
    }
    if (!bench_received(data)) {
        return;
    }
    uint64_t word = bench_word(data.data);
    uint64_t from = word >> BENCH_SEQUENCE_BITS;
    if (from >= BENCH_SENDERS) {
        bench.checksum_errors++;
        return;
    }
    uint64_t sequence = word & BENCH_SEQUENCE_MASK;
    bench_in_order(&next_from[from], sequence);
    if (own <= BENCH_SAMPLED_PEERS && sequence % BENCH_PEER_SAMPLE == 0) {
        bench_probe_end((uint32_t)from, (uint32_t)own);
    }
    if (!is_over()) {
        send_on((uint8_t *)(uintptr_t)data.data, data.len,
                bench_word(data.data + 8) - word);
    }
}

THEATER_HANDLE_REQUEST(data)
{
    (void)data;
    return bench_report();
}
