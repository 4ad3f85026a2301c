/* SPDX-License-Identifier: Apache-2.0 */
/* Sleeps a second through WASI's poll_oneoff, then says so. */
#include <theater/actor.h>

struct subscription {
    uint64_t user;
    uint32_t tag; /* 0: a clock */
    uint32_t unused;
    uint32_t clock; /* 1: monotonic */
    uint32_t unused2;
    uint64_t timeout_ns;
    uint64_t precision_ns;
    uint32_t flags;
};

__attribute__((import_module("wasi_snapshot_preview1"),
               import_name("poll_oneoff"))) int
poll_oneoff(const struct subscription *in, void *out, uint32_t count,
            uint32_t *out_count);

THEATER_RUN()
{
    static struct subscription one;
    static uint64_t event[4];
    uint32_t count = 0;
    one.clock = 1;
    one.timeout_ns = 1000000000;
    int error = poll_oneoff(&one, event, 1, &count);
    theater_log_info(error == 0 && count == 1 ? "slept" : "failed");
}
