/* SPDX-License-Identifier: Apache-2.0 */
/* Host calls: a guest hands its five raw words, pointers and lengths, on to
 * the host. A call is carried out or the guest ends; the host goes on. */
#include "fuzz.h"

#include "wasm/world_testing.h"

#include <string.h>

enum { CALL = 21, CALLS = 32 }; /* bytes of one; calls of an input */

#define WORDS                                                                  \
    "(i32.load (local.get $p)) (i32.load offset=4 (local.get $p))"             \
    "(i32.load offset=8 (local.get $p)) (i32.load offset=12 (local.get $p))"   \
    "(i32.load offset=16 (local.get $p))"

static const char guest_text[] =
    "(module " WAT_IMPORT_SEND WAT_IMPORT_REQUEST WAT_MEMORY WAT_REALLOC
    "(func (export \"handle-send\") (param $p i32) (param i32)"
    " (if (i32.and (i32.load8_u offset=20 (local.get $p)) (i32.const 1))"
    "  (then (call $request " WORDS "))"
    "  (else (call $send " WORDS ")))))";

static struct world world;

void th_fuzz_one(const uint8_t *data, size_t size)
{
    static struct world_guest guest;
    unsigned calls = 0;
    if (world.engine == NULL) {
        world_open(&world, NULL, true, NULL);
    }
    FUZZ_CHECK(world_guest_new(&world, &guest, guest_text) == THEATER_OK);
    guest.answer = "answer"; /* so that no request waits */
    for (; calls < CALLS && size >= (calls + 1) * (size_t)CALL; calls++) {
        struct world_delivery *delivery = &guest.deliveries[guest.pushed++];
        memcpy(delivery->data, data + calls * (size_t)CALL, CALL);
        delivery->delivery.export_index = WORLD_SEND;
        delivery->delivery.args[0].bytes =
            (theater_bytes_t){delivery->data, CALL};
    }
    if (calls != 0) {
        enum th_guest_state state = world_run(&guest, TH_ENTER_DELIVERIES);
        FUZZ_CHECK(state != TH_GUEST_WAITING);
        FUZZ_CHECK(state != TH_GUEST_IDLE || guest.finished == calls);
        FUZZ_CHECK(state == TH_GUEST_IDLE || guest.err.text[0] != '\0');
        FUZZ_CHECK(guest.sends <= calls);
    }
    world_guest_end(&guest);
}
