/* SPDX-License-Identifier: Apache-2.0 */
/* Stamps of files and folders: they differ when something was changed. */
#ifndef TH_CLI_WATCH_H
#define TH_CLI_WATCH_H

#include <stdint.h>

/* How much of a .gitignore is read: the whole lines among the first so many
 * bytes. */
enum { CLI_IGNORES_MAX = 16 * 1024 };

/* Of one file's time and size; 0: there is none. */
uint64_t cli_stamp_file(const char *path);
/* Of all files below a folder, but those that its .gitignore names, and
 * hidden ones. */
uint64_t cli_stamp_folder(const char *path);
/* Of those whose names end in .toml. */
uint64_t cli_stamp_manifests(const char *path);

#endif
