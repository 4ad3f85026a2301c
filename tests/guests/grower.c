/* SPDX-License-Identifier: Apache-2.0 */
/* Takes memory. A request's first byte says how: 'g' grows page by page until
 * it is refused, touches all of it and answers how many pages of 64 KiB it
 * has; 'b' grows for ever, and traps when it is refused; 's' answers how many
 * pages it has. A message does the same and answers nothing. */
#include <theater/actor.h>

static char text_buffer[24];

static void grow(bool bomb)
{
    for (;;) {
        size_t page = __builtin_wasm_memory_grow(0, 1);
        if (page == (size_t)-1) {
            break;
        }
        *(volatile uint8_t *)(page * 65536) = 1;
    }
    if (bomb) {
        __builtin_trap();
    }
}

static theater_bytes_t act(theater_bytes_t data)
{
    uint8_t how = data.len > 0 ? data.data[0] : 's';
    if (how == 'g' || how == 'b') {
        grow(how == 'b');
    }
    theater_text_t text = theater_text(text_buffer, sizeof text_buffer);
    theater_add_u64(&text, __builtin_wasm_memory_size(0));
    return theater_text_bytes(&text);
}

THEATER_HANDLE_SEND(data)
{
    act(data);
}

THEATER_HANDLE_REQUEST(data)
{
    return theater_answer(act(data));
}
