/* SPDX-License-Identifier: Apache-2.0 */
/* Design notes. A bug ends the process: it says what and where in one write,
 * without memory and without stdio's locks, and aborts so that a core is
 * left. It goes round the environment table, whose state may be the bug. */
#include "base/base.h"

#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

void th_check_failed(const char *cond, const char *file, int line)
{
    char text[512];
    int len = snprintf(text, sizeof(text),
                       "theater: a bug: %s:%d: this does not hold: %s\n", file,
                       line, cond);
    if (len > 0) {
        size_t size =
            (size_t)len < sizeof(text) ? (size_t)len : sizeof(text) - 1;
        /* Nobody is left to whom a failed write could be told. */
        ssize_t ignored = write(STDERR_FILENO, text, size);
        (void)ignored;
    }
    abort();
}
