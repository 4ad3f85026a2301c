/* SPDX-License-Identifier: Apache-2.0 */
/* Asks each peer of its initial state, names between spaces, to visit all
 * others. */
#include <theater/actor.h>

static theater_bytes_t next_word(theater_bytes_t *rest)
{
    size_t len = 0;
    while (len < rest->len && rest->data[len] != ' ') {
        len++;
    }
    theater_bytes_t word = theater_bytes(rest->data, len);
    size_t used = len < rest->len ? len + 1 : len;
    *rest = theater_bytes(rest->data + used, rest->len - used);
    return word;
}

static void send_on_its_way(theater_bytes_t peer, theater_bytes_t all)
{
    char line[1024];
    theater_text_t order = theater_text(line, sizeof line);
    theater_bytes_t answer;
    theater_error_t error;
    theater_add(&order, "visit");
    while (all.len > 0) {
        theater_bytes_t other = next_word(&all);
        if (!theater_equal(other, peer)) {
            theater_add(&order, " ");
            theater_add_bytes(&order, other);
        }
    }
    if (theater_request(peer, theater_text_bytes(&order), &answer, &error) !=
        THEATER_OK) {
        theater_log_failure("no visit", &error);
        return;
    }
    theater_log(THEATER_LEVEL_INFO, answer);
}

THEATER_RUN()
{
    theater_bytes_t all;
    if (theater_initial_state(&all)) {
        for (theater_bytes_t rest = all; rest.len > 0;) {
            send_on_its_way(next_word(&rest), all);
        }
    }
}
