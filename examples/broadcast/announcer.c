/* SPDX-License-Identifier: Apache-2.0 */
/* Says two things to all listeners at once, and who could not be reached. */
#include <theater/actor.h>

enum { LISTENERS = 10, TARGETS = LISTENERS + 1 };

static void announce(const theater_bytes_t *targets, const char *words)
{
    theater_refusals_t refusals =
        theater_broadcast(targets, TARGETS, theater_str(words));
    uint32_t reached = 0;
    for (size_t i = 0; i < refusals.len; i++) {
        if (theater_refusal(refusals, i) == THEATER_OK) {
            reached++;
            continue;
        }
        char line[64];
        theater_text_t text = theater_text(line, sizeof line);
        theater_add_bytes(&text, targets[i]);
        theater_add(&text, " not reached: ");
        theater_add(&text, theater_code_name(theater_refusal(refusals, i)));
        theater_log(THEATER_LEVEL_WARN, theater_text_bytes(&text));
    }
    char line[64];
    theater_text_t text = theater_text(line, sizeof line);
    theater_add(&text, words);
    theater_add(&text, ": reached ");
    theater_add_u64(&text, reached);
    theater_log(THEATER_LEVEL_INFO, theater_text_bytes(&text));
}

THEATER_RUN()
{
    static char names[TARGETS][16];
    theater_bytes_t targets[TARGETS];
    for (uint32_t i = 0; i < TARGETS; i++) {
        theater_text_t text = theater_text(names[i], sizeof names[i]);
        theater_add(&text, "listener-");
        theater_add_u64(&text, i + 1);
        targets[i] = theater_text_bytes(&text);
    }
    announce(targets, "curtain up");
    announce(targets, "good night");
}
