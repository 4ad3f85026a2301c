/* SPDX-License-Identifier: Apache-2.0 */
/* Modules: any bytes are refused with an error that says why, or loaded,
 * instantiated within their limits, entered, and ended. */
#include "fuzz.h"

#include "wasm/world_testing.h"

#include <string.h>

#define LIMIT_NS UINT64_C(20000000)

static struct world world;

static void run(struct world_guest *guest)
{
    struct th_guest_options options = world_options;
    guest->instances[0] = guest;
    options.instances = guest->instances;
    options.ctx = guest;
    options.memory_bytes = 4 << 20;
    options.run_time_ns = LIMIT_NS;
    options.delivery_time_ns = LIMIT_NS;
    theater_status_t status =
        th_guest_new(guest->module, &options, &guest->guest, &guest->err);
    if (status != THEATER_OK) {
        FUZZ_CHECK(status == THEATER_TRAPPED || status == THEATER_LIMIT ||
                   status == THEATER_BAD_MODULE);
        FUZZ_CHECK(guest->err.text[0] != '\0');
    }
}

void th_fuzz_one(const uint8_t *data, size_t size)
{
    static struct world_guest guest;
    theater_bytes_t wasm = {data, size};
    if (world.engine == NULL) {
        world_open(&world, NULL, true, NULL);
    }
    memset(&guest, 0, sizeof guest);
    guest.world = &world;
    theater_status_t status =
        th_engine_load(world.engine, "fuzz.wasm", wasm, TH_STACK_SMALL,
                       world.grants, 1, &guest.module, &guest.err);
    if (status != THEATER_OK) {
        FUZZ_CHECK(status == THEATER_BAD_MODULE);
        FUZZ_CHECK(guest.err.text[0] != '\0');
        return;
    }
    run(&guest);
    th_guest_delete(guest.guest);
    th_module_release(guest.module);
}
