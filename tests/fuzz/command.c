/* SPDX-License-Identifier: Apache-2.0 */
/* Command lines: words between zero bytes. Any is understood or refused with
 * an exit code of ours, and what was typed reaches no terminal as control.
 * `bench` is left out, and so is what names a file elsewhere. */
#include "fuzz.h"

#include "cli/cli.h"

#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

enum { WORDS = 12, TEXT = 512 };

static bool is_harmless(char *const *words, int len)
{
    for (int i = 1; i < len; i++) {
        if (strstr(words[i], "bench") != NULL || strchr(words[i], '/') ||
            strchr(words[i], '.') != NULL || strcmp(words[i], "-") == 0) {
            return false;
        }
    }
    return true;
}

static void check_output(int file)
{
    static uint8_t text[1 << 20];
    ssize_t len = pread(file, text, sizeof text, 0);
    size_t skip;
    uint32_t code;
    FUZZ_CHECK(len >= 0);
    for (size_t at = 0; at < (size_t)len;) {
        size_t one =
            text[at] == '\n'
                ? 1
                : cli_printable(text + at, (size_t)len - at, &skip, &code);
        FUZZ_CHECK(one != 0);
        at += one;
    }
}

void th_fuzz_one(const uint8_t *data, size_t size)
{
    char text[TEXT + 1] = "", program[] = "theater";
    char *words[WORDS + 2] = {program};
    int len = 1;
    memcpy(text, data, size < TEXT ? size : TEXT);
    for (size_t at = 0; at < size && at < TEXT && len <= WORDS;) {
        words[len++] = text + at;
        at += strlen(text + at) + 1;
    }
    if (!is_harmless(words, len)) {
        return;
    }
    int out = dup(STDOUT_FILENO), err = dup(STDERR_FILENO);
    int file = memfd_create("output", 0);
    FUZZ_CHECK(out >= 0 && err >= 0 && file >= 0);
    fflush(NULL);
    dup2(file, STDOUT_FILENO);
    dup2(file, STDERR_FILENO);
    int code = cli_main(theater_env_default(), len, words);
    fflush(NULL);
    dup2(out, STDOUT_FILENO);
    dup2(err, STDERR_FILENO);
    FUZZ_CHECK(code >= 0 && code < 126);
    check_output(file);
    close(file);
    close(out);
    close(err);
}
