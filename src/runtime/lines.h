/* SPDX-License-Identifier: Apache-2.0 */
/* Log lines that an actor wrote and that were not handed on yet. A guest's
 * host calls run on its own small stack, behind which no guard page stands:
 * people's callbacks must not run there, so lines wait here until the worker
 * is back on its own stack. */
#ifndef TH_RUNTIME_LINES_H
#define TH_RUNTIME_LINES_H

#include "base/base.h"

#include <theater/runtime.h>

enum {
    TH_LINE_MAX = 8 << 10,      /* bytes of one line; longer ones are cut */
    TH_LINES_SOFT = 64 << 10,   /* then a writer's turn should end */
    TH_LINES_HARD = 1024 << 10, /* then lines are lost, and counted */
    TH_LINES_TURN = 256,        /* handed on in one turn of a guest's */
};

struct th_lines {
    char *data;      /* records; NULL when there are none */
    size_t len;      /* bytes in use */
    size_t at;       /* of those: handed on already */
    size_t capacity; /* bytes there are */
    uint64_t lost;   /* lines for which there was no room or memory */
};

/* Adds a line (cut to TH_LINE_MAX, and saying so), or counts it as lost. */
void th_lines_add(const theater_env_t *env, struct th_lines *lines,
                  theater_log_level_t level, theater_bytes_t text);
/* Calls `each` for `most` lines in order, and empties behind the last; `text`
 * ends in a zero. */
void th_lines_drain(const theater_env_t *env, struct th_lines *lines,
                    size_t most,
                    void (*each)(void *user, theater_log_level_t level,
                                 const char *text, size_t len),
                    void *user);
static inline bool th_lines_any(const struct th_lines *lines)
{
    return lines->len != 0 || lines->lost != 0;
}
void th_lines_fini(const theater_env_t *env, struct th_lines *lines);

#endif
