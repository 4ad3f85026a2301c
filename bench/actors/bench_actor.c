/* SPDX-License-Identifier: Apache-2.0 */
/* Design notes
 *
 * Settings are read from the initial state each time they are asked for: that
 * is at the start only, and keeps nothing but the target in memory. */
#include "bench_actor.h"

struct bench_counters bench = {.magic = BENCH_MAGIC};

static char target[256];

uint64_t bench_own_number(void)
{
    theater_bytes_t name = theater_self_name();
    size_t at = name.len;
    while (at > 0 && name.data[at - 1] >= '0' && name.data[at - 1] <= '9') {
        at--;
    }
    uint64_t number = 0;
    theater_parse_u64(theater_bytes(name.data + at, name.len - at), &number);
    return number;
}

bool bench_setting(const char *key, theater_bytes_t *out)
{
    theater_bytes_t state;
    theater_bytes_t wanted = theater_str(key);
    if (!theater_initial_state(&state)) {
        return false;
    }
    size_t at = 0;
    while (at < state.len) {
        size_t end = at;
        while (end < state.len && state.data[end] != ';') {
            end++;
        }
        size_t equals = at;
        while (equals < end && state.data[equals] != '=') {
            equals++;
        }
        if (equals < end && theater_equal(wanted, theater_bytes(state.data + at,
                                                                equals - at))) {
            *out = theater_bytes(state.data + equals + 1, end - equals - 1);
            return true;
        }
        at = end + 1;
    }
    return false;
}

uint64_t bench_number(const char *key, uint64_t otherwise)
{
    theater_bytes_t text;
    uint64_t number = otherwise;
    if (bench_setting(key, &text) && !theater_parse_u64(text, &number)) {
        bench.flags |= BENCH_MISCONFIGURED;
    }
    return number;
}

theater_bytes_t bench_target(void)
{
    theater_text_t text = theater_text(target, sizeof target);
    theater_bytes_t pattern;
    if (!bench_setting("target", &pattern)) {
        bench.flags |= BENCH_MISCONFIGURED;
        return theater_text_bytes(&text);
    }
    for (size_t i = 0; i < pattern.len; i++) {
        if (pattern.data[i] == '#') {
            theater_add_u64(&text, bench_own_number());
        } else {
            theater_add_bytes(&text, theater_bytes(pattern.data + i, 1));
        }
    }
    return theater_text_bytes(&text);
}

bool bench_refused(theater_code_t code)
{
    bench.refused++;
    bench.last_code = (uint64_t)code;
    if (code != THEATER_MAILBOX_FULL && code != THEATER_TIMEOUT) {
        return false;
    }
    theater_sleep_ms(1);
    return true;
}

uint64_t bench_duration_ms(void)
{
    return bench_number("ms", bench_number("seconds", 1) * 1000);
}

uint64_t *bench_message(size_t len)
{
    size_t words = (len + 7) / 8;
    uint64_t *message = theater_scratch(words * 8);
    uint64_t filler = UINT64_C(0x9e3779b97f4a7c15);
    for (size_t i = 0; i < words; i++) {
        message[i] = filler;
        filler = filler * UINT64_C(6364136223846793005) + 1;
    }
    return message;
}

void bench_finish(uint64_t start_ms)
{
    bench.elapsed_ms = theater_now_ms() - start_ms;
    bench.flags |= BENCH_FINISHED;
}

theater_answer_t bench_report(void)
{
    return theater_answer(theater_bytes(&bench, sizeof bench));
}
