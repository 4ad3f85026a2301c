/* SPDX-License-Identifier: Apache-2.0 */
/* Design notes
 *
 * Everything that an actor receives comes through `cabi_realloc`, and lives
 * until the running handler returns: so memory is a stack of bytes (th_arena)
 * with a few instructions to take some and one store to give all back.
 * Handlers never nest; what a waiting request receives is put on top of the
 * arguments of the handler that waits, which stay where they are.
 *
 * Without libc the stack of bytes is all memory behind the data: it begins
 * at __heap_base, most often in the page that data and machine stack share
 * (see cmake/wasm.cmake), and grows the linear memory when it must. Nothing
 * else grows it, so it stays in one piece, and its size is that of the
 * largest handler, not the sum of what went through.
 *
 * With wasi-libc, malloc owns that memory: the first chunk is then a small
 * array, and what does not fit comes from malloc and is freed again.
 *
 * What may fail: memory may be refused; then the actor traps, since the
 * canonical ABI has no other answer. */
#include <theater/actor.h>

#define PAGE 65536u

_Static_assert(sizeof(void *) == 4, "the canonical ABI here is wasm32's");
_Static_assert(sizeof(struct th_result) == 16, "layout of result<_, error>");
_Static_assert(sizeof(struct th_answer) == 12, "layout of the answer");
_Static_assert(offsetof(struct th_arena, limit) == 4, "what the host reads");
_Static_assert(offsetof(struct th_result, u.error.code) == 4, "error's code");
_Static_assert(offsetof(struct th_result, u.error.text) == 8, "error's text");

struct th_result th_result;
struct th_answer th_answer;
static char error_text[120];

void *cabi_realloc(void *old, size_t old_size, size_t align, size_t size)
    TH_EXPORT("cabi_realloc");

/* ---- memory: two ways to get more of it -------------------------------- */
#ifdef __wasi__

#include <stdlib.h>

/* Stands in front of each chunk's bytes. */
struct chunk {
    struct chunk *older;  /* the chunk before it, NULL: the first */
    uint8_t *older_limit; /* the limit to return to */
};

static uint8_t first_chunk[2048] __attribute__((aligned(16)));

struct th_arena th_arena = {first_chunk, first_chunk + sizeof first_chunk,
                            first_chunk, NULL};

void th_arena_drop(void *until)
{
    while (th_arena.chunk != until) {
        struct chunk *newest = th_arena.chunk;
        th_arena.limit = newest->older_limit;
        th_arena.chunk = newest->older;
        free(newest);
    }
}

static void more(size_t size)
{
    size_t room = size + 16 < 4096 ? 4096 : size + 16;
    struct chunk *newest = room > size ? malloc(sizeof *newest + room) : NULL;
    if (newest == NULL) {
        __builtin_trap();
    }
    newest->older = th_arena.chunk;
    newest->older_limit = th_arena.limit;
    th_arena.chunk = newest;
    th_arena.top = (uint8_t *)(newest + 1);
    th_arena.limit = th_arena.top + room;
}

#else

extern uint8_t __heap_base;
extern uint8_t __heap_end;

struct th_arena th_arena = {&__heap_base, &__heap_end, &__heap_base, NULL};

void th_arena_drop(void *until)
{
    (void)until;
}

static void more(size_t size)
{
    /* Up to 15 bytes may go into alignment. */
    size_t room = (size_t)(th_arena.limit - th_arena.top);
    size_t pages = (size - room + 16 + PAGE - 1) / PAGE;
    size_t had = __builtin_wasm_memory_size(0);
    if (size > 0x7fffffff || (uintptr_t)th_arena.limit != had * PAGE) {
        __builtin_trap();
    }
    /* A quarter more at once where that is granted: the host may have to
     * copy the whole memory each time. */
    size_t extra = had / 4 > pages ? had / 4 : pages;
    if (__builtin_wasm_memory_grow(0, extra) == (size_t)-1) {
        extra = pages;
        if (__builtin_wasm_memory_grow(0, extra) == (size_t)-1) {
            __builtin_trap();
        }
    }
    th_arena.limit += extra * PAGE;
}

#endif

/* ---- memory: what the host and the author call ------------------------- */

static uint8_t *aligned_top(size_t align)
{
    return (uint8_t *)(((uintptr_t)th_arena.top + align - 1) & -align);
}

static __attribute__((noinline)) void *slow_realloc(void *old, size_t old_size,
                                                    size_t align, size_t size)
{
    if (old != NULL && size <= old_size) {
        return old;
    }
    if ((uint8_t *)old + old_size == th_arena.top && old != NULL) {
        th_arena.top = old;
    }
    uint8_t *at = aligned_top(align);
    if (at > th_arena.limit || size > (size_t)(th_arena.limit - at)) {
        more(size);
        at = aligned_top(align);
    }
    th_arena.top = at + size;
    if (old != NULL) {
        __builtin_memmove(at, old, old_size);
    }
    return at;
}

void *cabi_realloc(void *old, size_t old_size, size_t align, size_t size)
{
    uint8_t *at = aligned_top(align);
    if (__builtin_expect(old != NULL || at > th_arena.limit ||
                             size > (size_t)(th_arena.limit - at),
                         0)) {
        return slow_realloc(old, old_size, align, size);
    }
    th_arena.top = at + size;
    return at;
}

/* Tells the host where there is room, so that it need not ask for each
 * message; it looks at the first two words, `top` and `limit`. */
const struct th_arena *th_where(void) TH_EXPORT("theater_arena");

const struct th_arena *th_where(void)
{
    return &th_arena;
}

void *theater_scratch(size_t size)
{
    return cabi_realloc(NULL, 0, 16, size);
}

/* Keeps the text in a place of its own and gives its memory back, so that a
 * loop of failing calls does not fill the memory. */
theater_code_t th_failed(theater_error_t *err)
{
    theater_code_t code = (theater_code_t)(th_result.u.error.code + 1);
    theater_bytes_t text = th_result.u.error.text;
    size_t len = text.len < sizeof error_text ? text.len : sizeof error_text;
    if (err != NULL) {
        __builtin_memcpy(error_text, text.data, len);
        err->code = code;
        err->message = theater_bytes(error_text, len);
    }
    if (text.len > 0 && text.data + text.len == th_arena.top) {
        th_arena.top = (uint8_t *)(uintptr_t)text.data;
    }
    return code;
}

/* ---- text --------------------------------------------------------------- */

bool theater_equal(theater_bytes_t a, theater_bytes_t b)
{
    if (a.len != b.len) {
        return false;
    }
    for (size_t i = 0; i < a.len; i++) {
        if (a.data[i] != b.data[i]) {
            return false;
        }
    }
    return true;
}

bool theater_parse_u64(theater_bytes_t text, uint64_t *out)
{
    uint64_t number = 0;
    for (size_t i = 0; i < text.len; i++) {
        uint64_t digit = (uint64_t)text.data[i] - '0';
        if (digit > 9 || number > (UINT64_MAX - digit) / 10) {
            return false;
        }
        number = number * 10 + digit;
    }
    if (text.len == 0) {
        return false;
    }
    *out = number;
    return true;
}

void theater_add_bytes(theater_text_t *text, theater_bytes_t bytes)
{
    size_t room = text->capacity - text->len;
    size_t len = bytes.len < room ? bytes.len : room;
    __builtin_memcpy(text->at + text->len, bytes.data, len);
    text->len += len;
}

void theater_add_u64(theater_text_t *text, uint64_t number)
{
    char digits[20];
    size_t at = sizeof digits;
    do {
        digits[--at] = (char)('0' + number % 10);
        number /= 10;
    } while (number != 0);
    theater_add_bytes(text, theater_bytes(digits + at, sizeof digits - at));
}

void theater_add_i64(theater_text_t *text, int64_t number)
{
    if (number < 0) {
        theater_add(text, "-");
    }
    theater_add_u64(text, number < 0 ? 0 - (uint64_t)number : (uint64_t)number);
}

const char *theater_code_name(theater_code_t code)
{
    static const char *const names[] = {
        "ok",          "not-found",     "denied",      "mailbox-full",
        "timeout",     "cancelled",     "closed",      "rejected",
        "failed",      "deadlock",      "too-large",   "invalid-argument",
        "unsupported", "shutting-down", "unreachable",
    };
    size_t index = (size_t)code;
    return index < sizeof names / sizeof *names ? names[index] : "unknown";
}

void theater_log_failure(const char *what, const theater_error_t *err)
{
    char line[200];
    theater_text_t text = theater_text(line, sizeof line);
    theater_add(&text, what);
    theater_add(&text, ": ");
    theater_add(&text, theater_code_name(err->code));
    if (err->message.len > 0) {
        theater_add(&text, ": ");
        theater_add_bytes(&text, err->message);
    }
    theater_log(THEATER_LEVEL_ERROR, theater_text_bytes(&text));
}

/* ---- what the compiler calls where there is no libc --------------------- */
#ifndef __wasi__

void *memcpy(void *to, const void *from, size_t n);
void *memmove(void *to, const void *from, size_t n);
void *memset(void *to, int byte, size_t n);
int memcmp(const void *a, const void *b, size_t n);
size_t strlen(const char *text);

void *memcpy(void *to, const void *from, size_t n)
{
    return __builtin_memcpy(to, from, n);
}

void *memmove(void *to, const void *from, size_t n)
{
    return __builtin_memmove(to, from, n);
}

void *memset(void *to, int byte, size_t n)
{
    return __builtin_memset(to, byte, n);
}

__attribute__((no_builtin)) int memcmp(const void *a, const void *b, size_t n)
{
    const uint8_t *p = a;
    const uint8_t *q = b;
    for (size_t i = 0; i < n; i++) {
        if (p[i] != q[i]) {
            return p[i] < q[i] ? -1 : 1;
        }
    }
    return 0;
}

__attribute__((no_builtin)) size_t strlen(const char *text)
{
    size_t n = 0;
    while (text[n] != '\0') {
        n++;
    }
    return n;
}

#endif
