/* SPDX-License-Identifier: Apache-2.0 */
/* Design notes
 *
 * Wasmtime's errors and traps become ours here, and nowhere else. A reason
 * that we gave ourselves (th_trap) goes before what the engine says: the trap
 * that carries it through the engine has no text. Where the engine stopped
 * the guest, the text is a sentence about the kind of trap and the function
 * of the guest it happened in. */
#include "wasm/internal.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

_Thread_local struct th_guest *th_guest_current;

wasm_trap_t *th_trap(struct th_guest *guest, theater_status_t status,
                     const char *format, ...)
{
    if (format != NULL && guest->why == NULL) {
        guest->why = th_alloc(guest->engine->env, TH_WHY_BYTES);
        guest->why_status = status;
        if (guest->why != NULL) {
            va_list args;
            va_start(args, format);
            (void)vsnprintf(guest->why, TH_WHY_BYTES, format, args);
            va_end(args);
        }
    }
    return wasmtime_trap_new("theater", 7);
}

static const char *code_text(wasmtime_trap_code_t code)
{
    switch (code) {
    case WASMTIME_TRAP_CODE_STACK_OVERFLOW:
        return "stack: the call stack is exhausted (a manifest may ask for "
               "stack = \"large\")";
    case WASMTIME_TRAP_CODE_MEMORY_OUT_OF_BOUNDS:
        return "out of bounds memory access";
    case WASMTIME_TRAP_CODE_TABLE_OUT_OF_BOUNDS:
        return "out of bounds table access";
    case WASMTIME_TRAP_CODE_INDIRECT_CALL_TO_NULL:
        return "call of a null function pointer";
    case WASMTIME_TRAP_CODE_BAD_SIGNATURE:
        return "call of a function pointer of another type";
    case WASMTIME_TRAP_CODE_INTEGER_OVERFLOW:
        return "integer overflow";
    case WASMTIME_TRAP_CODE_INTEGER_DIVISION_BY_ZERO:
        return "integer division by zero";
    case WASMTIME_TRAP_CODE_BAD_CONVERSION_TO_INTEGER:
        return "invalid conversion to an integer";
    case WASMTIME_TRAP_CODE_UNREACHABLE_CODE_REACHED:
        return "`unreachable` was executed (a panic, abort or failed "
               "assertion)";
    default:
        return "trap";
    }
}

/* The guest's function that the trap happened in, or "". Frees the frames. */
static void place_of(wasm_frame_vec_t frames, char *out, size_t size)
{
    out[0] = '\0';
    if (frames.size > 0) {
        const wasm_name_t *name = wasmtime_frame_func_name(frames.data[0]);
        if (name != NULL) {
            (void)snprintf(out, size, " in `%.*s`",
                           (int)(name->size < 120 ? name->size : 120),
                           name->data);
        } else {
            (void)snprintf(out, size, " in function %u",
                           (unsigned)wasm_frame_func_index(frames.data[0]));
        }
    }
    wasm_frame_vec_delete(&frames);
}

/* On one line: what the engine writes has several, and a heading between what
 * it could not do and why. */
static void flatten(char *text)
{
    static const char heading[] = "\n\nCaused by:\n";
    char *to = text;
    for (const char *from = text; *from != '\0'; from++) {
        if (strncmp(from, heading, sizeof heading - 1) == 0) {
            *to++ = ':';
            from += sizeof heading - 2;
        }
        bool blank = *from == '\n' || *from == '\t' || *from == ' ';
        if (blank && (to == text || to[-1] == ' ')) {
            continue;
        }
        *to++ = blank ? ' ' : *from;
    }
    to -= to != text && to[-1] == ' ' ? 1 : 0;
    *to = '\0';
}

theater_status_t th_error_take(wasmtime_error_t *error, theater_status_t status,
                               const char *origin, const char *what,
                               theater_error_t *err)
{
    wasm_name_t message;
    char text[THEATER_ERROR_TEXT];
    wasmtime_error_message(error, &message);
    (void)snprintf(text, sizeof text, "%.*s", (int)message.size, message.data);
    wasm_byte_vec_delete(&message);
    wasmtime_error_delete(error);
    flatten(text);
    if (strstr(text, "exceeds table limits") != NULL) {
        return th_error(err, THEATER_LIMIT, origin, "table: %s", text);
    }
    if (strstr(text, "resource limit exceeded") != NULL) {
        return th_error(err, THEATER_LIMIT, origin, "%s", text);
    }
    return th_error(err, status, origin, "%s%s", what, text);
}

static theater_status_t reason_of_code(struct th_guest *guest, bool has_code,
                                       wasmtime_trap_code_t code,
                                       const char *place, theater_error_t *err)
{
    const char *origin = guest->module->path;
    if (guest->memory_refused) {
        /* In the largest unit that is exact, as manifests have it. */
        uint64_t kib = guest->memory.limit / 1024;
        bool mib = kib != 0 && kib % 1024 == 0;
        return th_error(err, THEATER_LIMIT, origin,
                        "memory: the limit of %llu%s was reached%s",
                        (unsigned long long)(mib ? kib / 1024 : kib),
                        mib ? "MiB" : "KiB", place);
    }
    bool is_stack = has_code && code == WASMTIME_TRAP_CODE_STACK_OVERFLOW;
    return th_error(err, is_stack ? THEATER_LIMIT : THEATER_TRAPPED, origin,
                    "%s%s", code_text(has_code ? code : UINT8_MAX), place);
}

static theater_status_t reason_of_trap(struct th_guest *guest,
                                       theater_error_t *err)
{
    wasmtime_trap_code_t code = 0;
    bool has_code = wasmtime_trap_code(guest->trap, &code);
    char place[160];
    wasm_frame_vec_t frames;
    wasm_trap_trace(guest->trap, &frames);
    place_of(frames, place, sizeof place);
    wasm_trap_delete(guest->trap);
    guest->trap = NULL;
    return reason_of_code(guest, has_code, code, place, err);
}

/* From where `text` stands last in `words`; NULL data: it does not. No copy is
 * made, so that there is a reason without memory, too. */
static wasm_name_t last_of(wasm_name_t words, const char *text)
{
    size_t len = strlen(text);
    for (size_t at = words.size; at-- > 0;) {
        if (words.size - at >= len && memcmp(words.data + at, text, len) == 0) {
            return (wasm_name_t){words.size - at, words.data + at};
        }
    }
    return (wasm_name_t){0, NULL};
}

/* The trap that an error of a component's call tells of, by its words: the
 * engine's API has no code for it. */
static bool code_of_words(wasm_name_t words, wasmtime_trap_code_t *out)
{
    static const struct {
        const char *words;
        wasmtime_trap_code_t code;
    } known[] = {
        {"call stack exhausted", WASMTIME_TRAP_CODE_STACK_OVERFLOW},
        {"out of bounds memory access",
         WASMTIME_TRAP_CODE_MEMORY_OUT_OF_BOUNDS},
        {"out of bounds table access", WASMTIME_TRAP_CODE_TABLE_OUT_OF_BOUNDS},
        {"uninitialized element", WASMTIME_TRAP_CODE_INDIRECT_CALL_TO_NULL},
        {"indirect call type mismatch", WASMTIME_TRAP_CODE_BAD_SIGNATURE},
        {"integer overflow", WASMTIME_TRAP_CODE_INTEGER_OVERFLOW},
        {"integer divide by zero", WASMTIME_TRAP_CODE_INTEGER_DIVISION_BY_ZERO},
        {"invalid conversion to integer",
         WASMTIME_TRAP_CODE_BAD_CONVERSION_TO_INTEGER},
        {"`unreachable` instruction executed",
         WASMTIME_TRAP_CODE_UNREACHABLE_CODE_REACHED},
    };
    for (size_t i = 0; i < sizeof known / sizeof *known; i++) {
        if (last_of(words, known[i].words).data != NULL) {
            *out = known[i].code;
            return true;
        }
    }
    return false;
}

/* Of a call of a component. */
static theater_status_t reason_of_error(struct th_guest *guest,
                                        theater_error_t *err)
{
    wasmtime_error_t *error = guest->error;
    wasmtime_trap_code_t code = 0;
    wasm_name_t message;
    char place[160];
    wasmtime_error_message(error, &message);
    /* The trap's words come last, behind the frames, whose names are the
     * guest's to choose. */
    bool known = code_of_words(last_of(message, "wasm trap: "), &code);
    bool too_much = last_of(message, "for hostcalls").data != NULL;
    bool too_many = last_of(message, "handle limit exceeded").data != NULL;
    wasm_byte_vec_delete(&message);
    if (too_much || too_many) {
        wasmtime_error_delete(error);
        guest->error = NULL;
        return th_error(err, THEATER_LIMIT, guest->module->path, "%s",
                        too_many ? "handles: a component has more resources "
                                   "than the engine takes"
                                 : "values: a component passed more in one "
                                   "call than the engine takes, about 3 MiB "
                                   "of bytes");
    }
    if (!known && !guest->memory_refused) {
        guest->error = NULL;
        return th_error_take(error, THEATER_TRAPPED, guest->module->path, "",
                             err);
    }
    wasm_frame_vec_t frames;
    wasmtime_error_wasm_trace(error, &frames);
    place_of(frames, place, sizeof place);
    wasmtime_error_delete(error);
    guest->error = NULL;
    return reason_of_code(guest, known, code, place, err);
}

theater_status_t th_guest_reason(struct th_guest *guest, theater_error_t *err)
{
    const char *origin = guest->module->path;
    bool own = guest->why_status != THEATER_OK || guest->exited;
    if (!own && guest->trap != NULL) {
        return reason_of_trap(guest, err);
    }
    if (!own && guest->error != NULL && guest->component != NULL) {
        return reason_of_error(guest, err);
    }
    if (!own && guest->error != NULL) {
        wasmtime_error_t *error = guest->error;
        guest->error = NULL;
        return th_error_take(error, THEATER_TRAPPED, origin, "", err);
    }
    if (guest->trap != NULL) {
        wasm_trap_delete(guest->trap);
        guest->trap = NULL;
    }
    if (guest->error != NULL) {
        wasmtime_error_delete(guest->error);
        guest->error = NULL;
    }
    if (guest->exited) {
        return th_error(
            err, guest->exit_status == 0 ? THEATER_OK : THEATER_TRAPPED, origin,
            "exited with status %d", (int)guest->exit_status);
    }
    theater_status_t status = guest->why_status;
    return th_error(err, status == THEATER_OK ? THEATER_TRAPPED : status,
                    origin, "%s",
                    guest->why != NULL ? guest->why : "out of memory");
}
