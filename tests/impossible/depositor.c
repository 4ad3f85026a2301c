/* SPDX-License-Identifier: Apache-2.0 */
/* Puts 1 into `account`, three times. PLANTED_BUG: by reading and then writing
 * it, so that a deposit by someone else in between is lost: a bug that only
 * some orders of events show. */
#include <theater/actor.h>

static char buffer[40];

static theater_bytes_t command(const char *what, uint64_t value)
{
    theater_text_t text = theater_text(buffer, sizeof buffer);
    theater_add(&text, what);
    theater_add_u64(&text, value);
    return theater_text_bytes(&text);
}

static uint64_t ask(theater_bytes_t what)
{
    uint64_t value = 0;
    theater_bytes_t answer;
    theater_error_t err;
    if (theater_request(theater_str("account"), what, &answer, &err) !=
        THEATER_OK) {
        theater_log_failure("no deposit", &err);
        return 0;
    }
    theater_parse_u64(answer, &value);
    return value;
}

THEATER_RUN()
{
    for (int i = 0; i < 3; i++) {
#ifdef PLANTED_BUG
        ask(command("set ", ask(theater_str("get")) + 1));
#else
        ask(command("add ", 1));
#endif
    }
}
