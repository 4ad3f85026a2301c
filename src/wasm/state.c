/* SPDX-License-Identifier: Apache-2.0 */
/* Design notes
 *
 * What the engine keeps for each instance of a core module beside memories
 * and tables: a place for each global and import, one for each function that a
 * reference can be made of, and a copy of each passive segment of elements.
 * That is many times what they take in the file, a component may have
 * hundreds of instances of one module, and the engine limits none of it.
 *
 * The engine has taken the bytes already, so only heads of sections are read,
 * and what cannot be read ends the reading. A component inside of a component
 * needs no stack: its sections follow its head, and the outer ones follow
 * those. Measured: 16 bytes for a global, 16 for an element, which takes a
 * byte in the file. */
#include "wasm/internal.h"

enum {
    HEADER = 8,
    /* Sections of a component. */
    CORE_MODULE = 1,
    COMPONENT = 4,
    /* Sections of a core module. */
    IMPORTS = 2,
    FUNCTIONS = 3,
    GLOBALS = 6,
    ELEMENTS = 9,
    /* Bytes in an instance. */
    INSTANCE_BYTES = 1024,
    IMPORT_BYTES = 64, /* itself, and what a reference to it needs */
    FUNCTION_BYTES = 32,
    GLOBAL_BYTES = 16,
    ELEMENT_BYTES = 16
};

struct section {
    uint8_t id;
    theater_bytes_t body;
};

static bool take_number(theater_bytes_t *from, uint64_t *out)
{
    *out = 0;
    for (unsigned shift = 0; shift < 35 && from->len > 0; shift += 7) {
        uint8_t byte = *from->data++;
        from->len--;
        *out |= (uint64_t)(byte & 0x7f) << shift;
        if ((byte & 0x80) == 0) {
            return true;
        }
    }
    return false;
}

static theater_bytes_t after(theater_bytes_t bytes, uint64_t len)
{
    size_t skipped = len < bytes.len ? (size_t)len : bytes.len;
    return (theater_bytes_t){bytes.data + skipped, bytes.len - skipped};
}

/* `from` is then at the section's body, whose length is bounded by it. */
static bool take_head(theater_bytes_t *from, struct section *out)
{
    uint64_t len = 0;
    if (from->len == 0) {
        return false;
    }
    out->id = *from->data;
    *from = after(*from, 1);
    if (!take_number(from, &len)) {
        return false;
    }
    out->body = (theater_bytes_t){from->data,
                                  len < from->len ? (size_t)len : from->len};
    return true;
}

static uint64_t of_section(const struct section *section)
{
    theater_bytes_t body = section->body;
    uint64_t count = 0;
    (void)take_number(&body, &count);
    switch (section->id) {
    case IMPORTS:
        return count * IMPORT_BYTES;
    case FUNCTIONS:
        return count * FUNCTION_BYTES;
    case GLOBALS:
        return count * GLOBAL_BYTES;
    case ELEMENTS:
        return (uint64_t)section->body.len * ELEMENT_BYTES;
    default:
        return 0;
    }
}

static uint64_t of_module(theater_bytes_t module)
{
    uint64_t bytes = INSTANCE_BYTES;
    struct section section;
    theater_bytes_t rest = after(module, HEADER);
    while (take_head(&rest, &section)) {
        bytes += of_section(&section);
        rest = after(rest, section.body.len);
    }
    return bytes;
}

uint64_t th_state_bytes(theater_bytes_t wasm)
{
    uint64_t most = 0;
    struct section section;
    theater_bytes_t rest = after(wasm, HEADER);
    if (!th_code_is_component(wasm)) {
        return of_module(wasm);
    }
    while (take_head(&rest, &section)) {
        if (section.id == COMPONENT) {
            rest = after(rest, HEADER);
            continue;
        }
        if (section.id == CORE_MODULE) {
            uint64_t bytes = of_module(section.body);
            most = bytes > most ? bytes : most;
        }
        rest = after(rest, section.body.len);
    }
    return most;
}
