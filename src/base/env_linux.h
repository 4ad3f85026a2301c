/* SPDX-License-Identifier: Apache-2.0 */
/* The files of the default environment: env_linux_files.c for env_linux.c and
 * env_sim.c. See theater/env.h for what each does; `ctx` is not looked at. */
#ifndef TH_BASE_ENV_LINUX_H
#define TH_BASE_ENV_LINUX_H

#include "base/base.h"

theater_status_t th_linux_file_read(void *ctx, const char *path, size_t limit,
                                    uint8_t **out_data, size_t *out_len);
theater_status_t th_linux_file_read_own(void *ctx, const char *path,
                                        size_t limit, uint8_t **out_data,
                                        size_t *out_len);
theater_status_t th_linux_file_write(void *ctx, const char *path,
                                     const void *data, size_t len);
theater_status_t th_linux_file_remove(void *ctx, const char *path);
theater_status_t th_linux_folder_private(void *ctx, const char *path);

#endif
