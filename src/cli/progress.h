/* SPDX-License-Identifier: Apache-2.0 */
/* Long work says what it is: one line on the standard error, when the work has
 * taken half a second, or two seconds where that is no terminal; never with
 * --json. */
#ifndef TH_CLI_PROGRESS_H
#define TH_CLI_PROGRESS_H

#include "cli/cli.h"

#include <stdatomic.h>

struct cli_progress {
    const theater_env_t *env;
    theater_thread_t *thread; /* NULL: nothing will be said */
    _Atomic uint32_t done;    /* the thread parks on it */
    char text[200];           /* the line */
};

/* Between the two the work is done. `what` is cut where it is too long. */
void cli_progress_begin(const struct cli_context *context,
                        struct cli_progress *progress, const char *verb,
                        const char *what);
void cli_progress_end(struct cli_progress *progress);

#endif
