/* SPDX-License-Identifier: Apache-2.0 */
/* For tests: included before a source file of the product (-include), so that
 * each place that asks the environment for something that can fail is known
 * by file, function and line, and counts how often it asked and was refused
 * (env_fault.h). All such places stand in one section of the program, also
 * those that are never reached. */
#ifndef TH_BASE_FAULT_SITES_H
#define TH_BASE_FAULT_SITES_H

#include "base/env_fault.h"

/* The next call of that kind on this thread is this place's. */
#define TH_FAULT_SITE(kind_)                                                   \
    __extension__({                                                            \
        static struct th_fault_site th_site_ = {__FILE__, __func__, __LINE__,  \
                                                (kind_),  0,        0};        \
        static struct th_fault_site *th_site_at_                               \
            __attribute__((section("th_fault_sites"), used)) = &th_site_;      \
        (void)th_site_at_;                                                     \
        th_fault_site_enter(&th_site_);                                        \
    })

#define th_alloc(env, size) (TH_FAULT_SITE(TH_FAULT_ALLOC), th_alloc(env, size))
#define th_calloc(env, size)                                                   \
    (TH_FAULT_SITE(TH_FAULT_ALLOC), th_calloc(env, size))
/* base/text.c is compiled without this header: its callers are the places. */
#define th_strndup(env, text, len)                                             \
    (TH_FAULT_SITE(TH_FAULT_ALLOC), th_strndup(env, text, len))

/* Members of the environment table, called through it. */
#define alloc(ctx, ...)                                                        \
    alloc((TH_FAULT_SITE(TH_FAULT_ALLOC), (ctx)), __VA_ARGS__)
#define map(ctx, ...) map((TH_FAULT_SITE(TH_FAULT_MAP), (ctx)), __VA_ARGS__)
#define map_reserve(ctx, ...)                                                  \
    map_reserve((TH_FAULT_SITE(TH_FAULT_MAP), (ctx)), __VA_ARGS__)
#define map_allow(ctx, ...)                                                    \
    map_allow((TH_FAULT_SITE(TH_FAULT_MAP), (ctx)), __VA_ARGS__)
#define thread_start(ctx, ...)                                                 \
    thread_start((TH_FAULT_SITE(TH_FAULT_THREAD), (ctx)), __VA_ARGS__)
#define file_read(ctx, ...)                                                    \
    file_read((TH_FAULT_SITE(TH_FAULT_FILE_READ), (ctx)), __VA_ARGS__)
#define file_read_own(ctx, ...)                                                \
    file_read_own((TH_FAULT_SITE(TH_FAULT_FILE_READ), (ctx)), __VA_ARGS__)
#define file_write(ctx, ...)                                                   \
    file_write((TH_FAULT_SITE(TH_FAULT_FILE_WRITE), (ctx)), __VA_ARGS__)
#define file_remove(ctx, ...)                                                  \
    file_remove((TH_FAULT_SITE(TH_FAULT_FILE_REMOVE), (ctx)), __VA_ARGS__)
#define folder_private(ctx, ...)                                               \
    folder_private((TH_FAULT_SITE(TH_FAULT_FOLDER), (ctx)), __VA_ARGS__)

#endif
