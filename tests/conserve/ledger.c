/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Design notes. The bits of a stream lie in words of three: accepted, handled,
 * dead letter, for 64 messages, so that a message touches one line. Everything
 * lies in one map of zero pages, of which only what is used costs memory.
 *
 * All atomics are relaxed: a bit is set by whoever saw it happen, and read
 * when all is quiet, after the caller has joined or waited for everybody. */
#include "ledger.h"

#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>

#define MAGIC UINT32_C(0x7ea7e5ed)
#define MIX UINT64_C(0x9e3779b97f4a7c15)

struct header {
    uint32_t magic;
    uint8_t stream, from, to, note;
    uint32_t number;
    uint32_t len;
    uint64_t checksum; /* of the rest, and of what stands above */
    uint64_t turn;     /* counts all that the sender composed */
};
_Static_assert(sizeof(struct header) == LEDGER_HEADER, "no holes");

struct word {
    _Atomic uint64_t accepted, handled, dead;
};

struct stream {
    _Atomic uint32_t next; /* number that is due, from 0; the sender's */
    /* Of LEDGER_PAIR, for broadcasts too: turn handled last, plus 1; the
     * receiver's. */
    _Atomic uint64_t last;
};

struct request {
    struct ledger_entry entry;
    _Atomic uint8_t started;
    _Atomic uint8_t refused;
    _Atomic uint8_t ended;
    _Atomic uint8_t unheard;
};

struct ledger {
    unsigned parties;
    uint32_t words; /* of one stream */
    uint32_t requests_max;
    size_t map_size;
    uint8_t *map;
    struct stream *streams;
    struct word *bits;
    struct request *requests;
    _Atomic uint64_t turns[LEDGER_NOBODY]; /* that are due; the senders' */
    _Atomic uint32_t requests_len;
    _Atomic uint64_t corrupted, reordered, duplicated, wrong_answers;
    uint64_t never; /* found so far */
};

static void count(_Atomic uint64_t *counter)
{
    atomic_fetch_add_explicit(counter, 1, memory_order_relaxed);
}

static size_t up(size_t size)
{
    return (size + 4095) & ~(size_t)4095;
}

struct ledger *ledger_new(unsigned parties, uint32_t numbers, uint32_t requests)
{
    struct ledger *ledger = calloc(1, sizeof *ledger);
    if (ledger == NULL) {
        return NULL;
    }
    size_t streams = (size_t)LEDGER_STREAMS * parties * parties;
    ledger->parties = parties;
    ledger->words = (numbers + 63) / 64;
    ledger->requests_max = requests;
    size_t first = up(streams * sizeof(struct stream));
    size_t second = up(streams * ledger->words * sizeof(struct word));
    size_t third = up(requests * sizeof(struct request));
    ledger->map_size = first + second + third;
    ledger->map = mmap(NULL, ledger->map_size, PROT_READ | PROT_WRITE,
                       MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
    if (ledger->map == MAP_FAILED) {
        free(ledger);
        return NULL;
    }
    ledger->streams = (struct stream *)(void *)ledger->map;
    ledger->bits = (struct word *)(void *)(ledger->map + first);
    ledger->requests = (struct request *)(void *)(ledger->map + first + second);
    return ledger;
}

void ledger_delete(struct ledger *ledger)
{
    if (ledger != NULL) {
        munmap(ledger->map, ledger->map_size);
        free(ledger);
    }
}

static size_t index_of(const struct ledger *ledger, unsigned stream,
                       unsigned from, unsigned to)
{
    return ((size_t)stream * ledger->parties + from) * ledger->parties + to;
}

static struct word *word_of(struct ledger *ledger,
                            const struct ledger_entry *entry, unsigned to)
{
    size_t at = index_of(ledger, entry->stream, entry->from, to);
    return ledger->bits + at * ledger->words + entry->number / 64;
}

static uint64_t bit_of(const struct ledger_entry *entry)
{
    return UINT64_C(1) << (entry->number % 64);
}

/* --- Messages ------------------------------------------------------------- */

static uint64_t mix(uint64_t sum, uint64_t word)
{
    sum = (sum ^ word) * MIX;
    return sum ^ sum >> 29;
}

static uint64_t checksum(const struct header *header, const uint8_t *data,
                         size_t len)
{
    uint64_t words[2];
    uint64_t word;
    memcpy(words, header, sizeof words);
    uint64_t sum = mix(mix(MIX, words[0]), words[1]);
    size_t at = offsetof(struct header, turn);
    for (; at + 8 <= len; at += 8) {
        memcpy(&word, data + at, 8);
        sum = mix(sum, word);
    }
    word = 0;
    memcpy(&word, data + at, len - at);
    return mix(sum, word);
}

static void fill(uint8_t *out, size_t len, uint64_t filler)
{
    size_t at = sizeof(struct header);
    for (; at + 8 <= len; at += 8) {
        memcpy(out + at, &filler, 8);
        filler = filler * UINT64_C(6364136223846793005) + 1;
    }
    memcpy(out + at, &filler, len - at);
}

static uint64_t take_turn(struct ledger *ledger, unsigned from)
{
    uint64_t turn =
        atomic_load_explicit(&ledger->turns[from], memory_order_relaxed);
    atomic_store_explicit(&ledger->turns[from], turn + 1, memory_order_relaxed);
    return turn;
}

bool ledger_compose(struct ledger *ledger, enum ledger_stream stream,
                    unsigned from, unsigned to, uint8_t note, uint8_t *out,
                    size_t len, struct ledger_entry *out_entry)
{
    /* A broadcast's number stands at the pair (from, from). */
    struct stream *at = &ledger->streams[index_of(
        ledger, stream, from, stream == LEDGER_ALL ? from : to)];
    uint32_t number = atomic_load_explicit(&at->next, memory_order_relaxed);
    if (number / 64 >= ledger->words) {
        return false;
    }
    atomic_store_explicit(&at->next, number + 1, memory_order_relaxed);
    struct header header = {.magic = MAGIC,
                            .stream = (uint8_t)stream,
                            .from = (uint8_t)from,
                            .to = stream == LEDGER_ALL ? LEDGER_NOBODY
                                                       : (uint8_t)to,
                            .note = note,
                            .number = number,
                            .len = (uint32_t)len,
                            .turn = take_turn(ledger, from)};
    fill(out, len, mix(number, from << 8 | to));
    memcpy(out, &header, sizeof header);
    header.checksum = checksum(&header, out, len);
    memcpy(out, &header, sizeof header);
    *out_entry =
        (struct ledger_entry){header.stream, header.from,   header.to,
                              header.note,   header.number, header.len};
    return true;
}

/* False: it is none of ours. */
static bool read_entry(const struct ledger *ledger, const uint8_t *data,
                       size_t len, struct ledger_entry *out)
{
    struct header header;
    if (len < sizeof header) {
        return false;
    }
    memcpy(&header, data, sizeof header);
    bool all = header.stream == LEDGER_ALL;
    if (header.magic != MAGIC || header.len != len ||
        header.stream >= LEDGER_STREAMS || header.from >= ledger->parties ||
        (all ? header.to != LEDGER_NOBODY : header.to >= ledger->parties) ||
        header.number / 64 >= ledger->words ||
        header.checksum != checksum(&header, data, len)) {
        return false;
    }
    *out = (struct ledger_entry){header.stream, header.from,   header.to,
                                 header.note,   header.number, header.len};
    return true;
}

void ledger_accepted(struct ledger *ledger, const struct ledger_entry *entry,
                     unsigned to)
{
    atomic_fetch_or_explicit(&word_of(ledger, entry, to)->accepted,
                             bit_of(entry), memory_order_relaxed);
}

void ledger_forget(struct ledger *ledger, unsigned from)
{
    for (unsigned to = 0; to < ledger->parties; to++) {
        size_t at = index_of(ledger, LEDGER_LATE, from, to);
        uint32_t numbers = atomic_load_explicit(&ledger->streams[at].next,
                                                memory_order_relaxed);
        for (uint32_t i = 0; i < (numbers + 63) / 64; i++) {
            struct word *word = ledger->bits + at * ledger->words + i;
            atomic_store_explicit(&word->accepted, 0, memory_order_relaxed);
        }
    }
}

/* Is it a message of ours, and did it come out where it was sent? */
static bool came_out(struct ledger *ledger, unsigned to, const uint8_t *data,
                     size_t len, struct ledger_entry *out)
{
    if (to >= ledger->parties || !read_entry(ledger, data, len, out) ||
        (out->to != LEDGER_NOBODY && out->to != to)) {
        count(&ledger->corrupted);
        return false;
    }
    return true;
}

static void set(struct ledger *ledger, _Atomic uint64_t *word, uint64_t bit)
{
    if ((atomic_fetch_or_explicit(word, bit, memory_order_relaxed) & bit) !=
        0) {
        count(&ledger->duplicated);
    }
}

/* Pair and broadcasts together: what one sends another keeps one order. */
static void check_turn(struct ledger *ledger, const struct ledger_entry *entry,
                       unsigned to, const uint8_t *data)
{
    struct header header;
    struct stream *at =
        &ledger->streams[index_of(ledger, LEDGER_PAIR, entry->from, to)];
    uint64_t last = atomic_load_explicit(&at->last, memory_order_relaxed);
    memcpy(&header, data, sizeof header);
    if (header.turn + 1 < last) {
        count(&ledger->reordered);
    }
    atomic_store_explicit(&at->last, header.turn + 1, memory_order_relaxed);
}

bool ledger_handled(struct ledger *ledger, unsigned to, const uint8_t *data,
                    size_t len, struct ledger_entry *out_entry)
{
    struct ledger_entry entry;
    if (!came_out(ledger, to, data, len, &entry)) {
        return false;
    }
    if (entry.stream != LEDGER_LATE) {
        check_turn(ledger, &entry, to, data);
    }
    set(ledger, &word_of(ledger, &entry, to)->handled, bit_of(&entry));
    *out_entry = entry;
    return true;
}

void ledger_dead(struct ledger *ledger, unsigned target, const uint8_t *data,
                 size_t len)
{
    struct ledger_entry entry;
    if (came_out(ledger, target, data, len, &entry)) {
        set(ledger, &word_of(ledger, &entry, target)->dead, bit_of(&entry));
    }
}

/* --- Requests ------------------------------------------------------------- */

uint32_t ledger_ask(struct ledger *ledger, const struct ledger_entry *entry)
{
    uint32_t at = atomic_fetch_add_explicit(&ledger->requests_len, 1,
                                            memory_order_relaxed);
    if (at >= ledger->requests_max) {
        atomic_fetch_sub_explicit(&ledger->requests_len, 1,
                                  memory_order_relaxed);
        return UINT32_MAX;
    }
    ledger->requests[at].entry = *entry;
    atomic_store_explicit(&ledger->requests[at].started, 1,
                          memory_order_relaxed);
    return at;
}

void ledger_refused(struct ledger *ledger, uint32_t request)
{
    atomic_store_explicit(&ledger->requests[request].refused, 1,
                          memory_order_relaxed);
}

void ledger_ended(struct ledger *ledger, uint32_t request, bool unheard)
{
    struct request *at = &ledger->requests[request];
    if (unheard) {
        atomic_store_explicit(&at->unheard, 1, memory_order_relaxed);
    }
    atomic_fetch_add_explicit(&at->ended, 1, memory_order_relaxed);
}

void ledger_answer(struct ledger *ledger, const struct ledger_entry *asked,
                   const uint8_t *data, size_t len)
{
    struct header header;
    if (len != sizeof header) {
        count(&ledger->wrong_answers);
        return;
    }
    memcpy(&header, data, sizeof header);
    if (header.magic != MAGIC || header.stream != asked->stream ||
        header.from != asked->from || header.to != asked->to ||
        header.number != asked->number || header.len != asked->len) {
        count(&ledger->wrong_answers);
    }
}

void ledger_wrong(struct ledger *ledger)
{
    count(&ledger->wrong_answers);
}

/* --- At a quiet moment ---------------------------------------------------- */

static uint64_t load(const _Atomic uint64_t *word)
{
    return atomic_load_explicit(word, memory_order_relaxed);
}

static uint64_t ones(uint64_t word)
{
    return (uint64_t)__builtin_popcountll(word);
}

/* Requests that ended by themselves while they were being refused: were begun,
 * but no message was accepted. */
static void excuse(struct ledger *ledger, const struct request *request)
{
    struct word *word = word_of(ledger, &request->entry, request->entry.to);
    uint64_t bit = bit_of(&request->entry);
    uint64_t accepted = load(&word->accepted);
    if ((accepted & bit) != 0 &&
        ((load(&word->handled) | load(&word->dead)) & bit) == 0) {
        atomic_store_explicit(&word->accepted, accepted & ~bit,
                              memory_order_relaxed);
        ledger->never++;
    }
}

static void check_requests(struct ledger *ledger, bool all_ended,
                           struct ledger_report *out)
{
    uint32_t len =
        atomic_load_explicit(&ledger->requests_len, memory_order_relaxed);
    for (uint32_t i = 0; i < len; i++) {
        struct request *request = &ledger->requests[i];
        uint8_t ended =
            atomic_load_explicit(&request->ended, memory_order_relaxed);
        if (atomic_load_explicit(&request->refused, memory_order_relaxed)) {
            out->ended_twice += ended;
            continue;
        }
        out->requests++;
        out->ended_twice += ended > 1 ? ended - 1u : 0;
        out->unended += all_ended && ended == 0;
        if (atomic_load_explicit(&request->unheard, memory_order_relaxed)) {
            excuse(ledger, request);
        }
    }
}

static void check_stream(struct ledger *ledger, unsigned stream, size_t at,
                         uint32_t numbers, struct ledger_report *out)
{
    struct word *words = ledger->bits + at * ledger->words;
    for (uint32_t i = 0; i < (numbers + 63) / 64; i++) {
        uint64_t handled = load(&words[i].handled);
        uint64_t dead = load(&words[i].dead);
        uint64_t promised = load(&words[i].accepted);
        uint64_t accepted = stream == LEDGER_LATE ? handled | dead : promised;
        out->accepted += ones(accepted);
        out->handled += ones(handled);
        out->dead += ones(dead);
        out->lost += ones(promised & ~(handled | dead));
        out->duplicated +=
            ones(handled & dead) + ones((handled | dead) & ~accepted);
    }
}

void ledger_check(struct ledger *ledger, bool all_ended,
                  struct ledger_report *out)
{
    memset(out, 0, sizeof *out);
    check_requests(ledger, all_ended, out);
    for (unsigned stream = 0; stream < LEDGER_STREAMS; stream++) {
        for (unsigned from = 0; from < ledger->parties; from++) {
            for (unsigned to = 0; to < ledger->parties; to++) {
                size_t counted = index_of(ledger, stream, from,
                                          stream == LEDGER_ALL ? from : to);
                uint32_t numbers = atomic_load_explicit(
                    &ledger->streams[counted].next, memory_order_relaxed);
                check_stream(ledger, stream, index_of(ledger, stream, from, to),
                             numbers, out);
            }
        }
    }
    out->never = ledger->never;
    out->duplicated += load(&ledger->duplicated);
    out->corrupted = load(&ledger->corrupted);
    out->reordered = load(&ledger->reordered);
    out->wrong_answers = load(&ledger->wrong_answers);
}
