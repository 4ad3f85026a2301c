/* SPDX-License-Identifier: Apache-2.0 */
/* The manifests and system files that a command is to read. */
#ifndef TH_CLI_OPERANDS_H
#define TH_CLI_OPERANDS_H

#include "cli/cli.h"

struct cli_files {
    char **paths; /* `len` of them */
    size_t len;   /* at least 1, when all went well */
};

/* No operands: the theater.toml of this folder; a folder: its theater.toml.
 * Answers CLI_OK, or an exit code after having said why; `out` is for
 * cli_files_fini either way. */
int cli_find_files(const struct cli_context *context, int argc,
                   char *const *argv, struct cli_files *out);
void cli_files_fini(struct cli_files *files);
/* As cli_fail, of what loading them answered: a module that is yet to be built
 * is told with the command that builds it. */
int cli_fail_load(const struct cli_context *context, theater_status_t status,
                  const theater_error_t *err);

#endif
