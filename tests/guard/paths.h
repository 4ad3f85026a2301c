/* SPDX-License-Identifier: Apache-2.0 */
/* The paths whose costs are guarded: each handles `count` messages and nothing
 * else that grows with `count`, so that the difference of two runs is what the
 * messages cost. */
#ifndef TH_TESTS_GUARD_PATHS_H
#define TH_TESTS_GUARD_PATHS_H

#include <theater/message_server.h>
#include <theater/runtime.h>

/* Memory and time come from this table: allocations are counted; the clock
 * stands still, so that no slice ends and no timer fires: what a thread waits
 * for is another thread. */
const theater_env_t *guard_env(void);
/* Blocks of memory that were asked for so far. */
uint64_t guard_allocations(void);

/* Ends the program with a message unless `ok`. */
void guard_check(bool ok, const char *what);
#define guard_ok(expression)                                                   \
    guard_check((expression) == THEATER_OK, #expression)

/* --- router.c: one thread, no runtime ------------------------------------- */

void guard_register(uint64_t count);
void guard_send(uint64_t count);
void guard_request(uint64_t count);
void guard_channel(uint64_t count);

/* --- actors.c: one worker, C actors or guests ----------------------------- */

void guard_native_send(uint64_t count);
void guard_native_request(uint64_t count);
void guard_wasm_send(uint64_t count);
void guard_wasm_request(uint64_t count);

#endif
