/* SPDX-License-Identifier: Apache-2.0 */
/* For a test of one guest at a time in a world of its own: both, and what
 * cmocka calls before and after each test. */
#ifndef TH_WASM_WORLD_ONE_TESTING_H
#define TH_WASM_WORLD_ONE_TESTING_H

#include "wasm/world_testing.h"

#include <setjmp.h>
#include <stdarg.h>

#include <cmocka.h>

static struct world world;
static struct world_guest g;

static inline int set_up_world(void **state)
{
    (void)state;
    world_open(&world, NULL, false, NULL);
    return 0;
}

static inline int tear_down_world(void **state)
{
    (void)state;
    /* A test that failed leaves its guest behind; then say only that. */
    if (g.module == NULL) {
        world_close(&world);
    }
    g.module = NULL;
    return 0;
}

static inline void make(const char *wat)
{
    if (world_guest_new(&world, &g, wat) != THEATER_OK) {
        fail_msg("%s", g.err.text);
    }
}

#endif
