/* SPDX-License-Identifier: Apache-2.0 */
/* Its initial state is a time of `now-ms`, in digits: up to then it starts as
 * it should, sleeps and traps; after that `_initialize` never returns. */
#include <theater/actor.h>

static volatile uint32_t sink;

static uint64_t until(void)
{
    theater_bytes_t text;
    uint64_t value = 0;
    if (theater_initial_state(&text)) {
        theater_parse_u64(text, &value);
    }
    return value;
}

__attribute__((export_name("_initialize"))) void initialize(void);
void initialize(void)
{
    while (theater_now_ms() > until()) {
        for (uint32_t i = 0; i < 1000000; i++) {
            sink = sink + 1;
        }
    }
}

THEATER_RUN()
{
    while (theater_now_ms() <= until()) {
        theater_sleep_ms(10);
    }
    __builtin_trap();
}
