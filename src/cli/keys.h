/* SPDX-License-Identifier: Apache-2.0 */
/* The keys of manifests and system files as the command sees them: the public
 * groups, and the handlers that the command registers, each with its table.
 * Checks, manual pages and schemas are made from these. */
#ifndef TH_CLI_KEYS_H
#define TH_CLI_KEYS_H

#include "cli/cli.h"

#include <theater/manifest.h>

/* The handlers that the command registers; static. */
const theater_handler_keys_t *cli_handler_keys(size_t *out_len);

/* The group of "manifest" or "system" and a section; NULL: there is none. */
const theater_key_group_t *cli_key_group(const char *file, const char *section);

/* 64MiB, 5s: as a manifest would write them. THEATER_NEVER: unlimited. */
void cli_add_size(struct cli_text *out, uint64_t bytes);
void cli_add_duration(struct cli_text *out, uint64_t ns);

#endif
