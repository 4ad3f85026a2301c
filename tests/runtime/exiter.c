/* SPDX-License-Identifier: Apache-2.0 */
/* Ends by WASI's proc_exit, with the status that is its initial state. */
#include <theater/actor.h>

__attribute__((import_module("wasi_snapshot_preview1"),
               import_name("proc_exit"))) _Noreturn void
proc_exit(uint32_t status);

THEATER_RUN()
{
    theater_bytes_t text;
    uint64_t status = 0;
    if (theater_initial_state(&text)) {
        theater_parse_u64(text, &status);
    }
    proc_exit((uint32_t)status);
}
