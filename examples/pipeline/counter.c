/* SPDX-License-Identifier: Apache-2.0 */
/* Last stage: says each line, counts words, and reports at the end. */
#include "pipeline.h"

static uint64_t lines;
static uint64_t words;
static char longest[32];
static size_t longest_len;

static bool is_letter(uint8_t c)
{
    return (c >= 'A' && c <= 'Z') || (c >= 'a' && c <= 'z');
}

static void count_words(theater_bytes_t line)
{
    size_t start = 0;
    for (size_t i = 0; i <= line.len; i++) {
        if (i < line.len && is_letter(line.data[i])) {
            continue;
        }
        size_t len = i - start;
        words += len > 0 ? 1 : 0;
        if (len > longest_len && len <= sizeof longest) {
            __builtin_memcpy(longest, line.data + start, len);
            longest_len = len;
        }
        start = i + 1;
    }
}

static void report(void)
{
    say_number("lines", lines);
    say_number("words", words);
    char line[64];
    theater_text_t text = theater_text(line, sizeof line);
    theater_add(&text, "longest word: ");
    theater_add_bytes(&text, theater_bytes(longest, longest_len));
    theater_log(THEATER_LEVEL_INFO, theater_text_bytes(&text));
}

THEATER_HANDLE_SEND(data)
{
    if (data.len == 0) {
        report();
        theater_stop(theater_str("end of the text"));
        return;
    }
    lines++;
    count_words(data);
    if (data.data[data.len - 1] == '\n') {
        data.len--;
    }
    theater_log(THEATER_LEVEL_INFO, data);
}
