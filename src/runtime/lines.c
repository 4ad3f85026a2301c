/* SPDX-License-Identifier: Apache-2.0 */
/* Design notes: a byte buffer of records (level, length, text, zero). It
 * grows by doubling and is freed when drained: an actor that does not log has
 * none. What can't be kept is counted and the count is said in a line of its
 * own, so no line is lost in silence.
 * Threads: the actor's owner. May fail: memory, answered by the count. */
#include "runtime/lines.h"

#include <stdio.h>

struct record {
    uint32_t level;
    uint32_t len; /* of the text behind it, without its zero */
};

static size_t record_size(size_t len)
{
    size_t size = sizeof(struct record) + len + 1;
    return (size + 7) & ~(size_t)7;
}

static bool reserve(const theater_env_t *env, struct th_lines *lines,
                    size_t more)
{
    size_t need = lines->len + more;
    if (need <= lines->capacity) {
        return true;
    }
    if (need > TH_LINES_HARD) {
        return false;
    }
    size_t capacity = lines->capacity == 0 ? 512 : lines->capacity;
    while (capacity < need) {
        capacity *= 2;
    }
    char *data = th_alloc(env, capacity);
    if (data == NULL) {
        return false;
    }
    if (lines->len != 0) {
        memcpy(data, lines->data, lines->len);
    }
    th_free(env, lines->data);
    lines->data = data;
    lines->capacity = capacity;
    return true;
}

void th_lines_add(const theater_env_t *env, struct th_lines *lines,
                  theater_log_level_t level, theater_bytes_t text)
{
    char note[48];
    size_t keep = text.len;
    size_t note_len = 0;
    if (keep > TH_LINE_MAX) {
        int n = snprintf(note, sizeof note, " [cut: %zu bytes]", text.len);
        note_len = (size_t)n;
        keep = TH_LINE_MAX - note_len;
        /* Not inside a UTF-8 sequence. */
        while (keep > 0 && (text.data[keep] & 0xC0) == 0x80) {
            keep--;
        }
    }
    size_t len = keep + note_len;
    if (!reserve(env, lines, record_size(len))) {
        lines->lost++;
        return;
    }
    char *at = lines->data + lines->len;
    struct record record = {(uint32_t)level, (uint32_t)len};
    memcpy(at, &record, sizeof record);
    at += sizeof record;
    if (keep != 0) {
        memcpy(at, text.data, keep);
    }
    if (note_len != 0) {
        memcpy(at + keep, note, note_len);
    }
    at[len] = '\0';
    lines->len += record_size(len);
}

void th_lines_drain(const theater_env_t *env, struct th_lines *lines,
                    size_t most,
                    void (*each)(void *user, theater_log_level_t level,
                                 const char *text, size_t len),
                    void *user)
{
    for (; lines->at < lines->len; most--) {
        const char *from = lines->data + lines->at;
        struct record record;
        if (most == 0) {
            return;
        }
        memcpy(&record, from, sizeof record);
        each(user, (theater_log_level_t)record.level, from + sizeof record,
             record.len);
        lines->at += record_size(record.len);
    }
    if (lines->lost != 0) {
        char text[80];
        int n = snprintf(text, sizeof text,
                         "%llu lines were lost: too many in one turn",
                         (unsigned long long)lines->lost);
        each(user, THEATER_LOG_WARN, text, (size_t)n);
    }
    th_lines_fini(env, lines);
}

void th_lines_fini(const theater_env_t *env, struct th_lines *lines)
{
    th_free(env, lines->data);
    *lines = (struct th_lines){0};
}
