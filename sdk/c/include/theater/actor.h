/* SPDX-License-Identifier: Apache-2.0 */
/* Actors in C: the package theater:actor@0.1.0 (wit/actor.wit) as C functions
 * and macros, by the canonical ABI for core modules. It needs clang for wasm32
 * and nothing else: no libc, no binding generator; wasi-libc may be there.
 * It is not part of libtheater: nothing here runs on the host.
 *
 * Longer than 300 lines: an actor needs this header and src/actor.c, and no
 * third thing. docs/actor-api.md is the tour of it.
 *
 * Memory rules, the same for every function below:
 * - What an actor receives (a handler's arguments, an answer, a name, an id)
 *   may be read until the handler that is running returns, or until
 *   theater_release() goes back before it. What is to live longer is copied.
 * - What an actor hands over is copied before the call returns.
 * - An error's text may be read until the next call that fails. */
#ifndef THEATER_ACTOR_H
#define THEATER_ACTOR_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

/* Bytes or UTF-8 text that somebody else owns; not ended by a zero. */
typedef struct theater_bytes {
    const uint8_t *data; /* first byte; anything where len is 0 */
    size_t len;          /* in bytes */
} theater_bytes_t;

/* Many of them, as a list that the host answered. */
typedef struct theater_list {
    const theater_bytes_t *items; /* first item; anything where len is 0 */
    size_t len;                   /* how many */
} theater_list_t;

/* What went wrong: the WIT's `error-code`, plus one, so that 0 is success. */
typedef enum theater_code {
    THEATER_OK = 0,
    THEATER_NOT_FOUND = 1,         /* nobody has that name */
    THEATER_DENIED = 2,            /* a permission forbids it */
    THEATER_MAILBOX_FULL = 3,      /* the receiver's mailbox is at its bound */
    THEATER_TIMEOUT = 4,           /* the deadline passed */
    THEATER_CANCELLED = 5,         /* cancelled by either side */
    THEATER_CLOSED = 6,            /* the other end stopped, crashed, closed */
    THEATER_REJECTED = 7,          /* the target refused the channel */
    THEATER_FAILED = 8,            /* the target's handler answered an error */
    THEATER_DEADLOCK = 9,          /* waiting would close a cycle */
    THEATER_TOO_LARGE = 10,        /* over the limit of one message */
    THEATER_INVALID_ARGUMENT = 11, /* an empty name, an unknown id, ... */
    THEATER_UNSUPPORTED = 12,      /* the target does not export the handler */
    THEATER_SHUTTING_DOWN = 13,    /* the router is draining */
    THEATER_UNREACHABLE = 14       /* the node with the name is out of reach */
} theater_code_t;

/* A failure, filled by the calls that take one as their last parameter (which
 * may be NULL) and left alone by them on success. */
typedef struct theater_error {
    theater_code_t code;     /* never THEATER_OK */
    theater_bytes_t message; /* text for people; 120 bytes at most */
} theater_error_t;

/* What `handle-request` returns: made by theater_answer or theater_fail. */
typedef struct theater_answer {
    bool failed;          /* true: `data` is the text of an error */
    theater_bytes_t data; /* static, received or scratch memory, not a local */
} theater_answer_t;

/* How loud a log line is. */
typedef enum theater_level {
    THEATER_LEVEL_ERROR = 0,
    THEATER_LEVEL_WARN = 1,
    THEATER_LEVEL_INFO = 2,
    THEATER_LEVEL_DEBUG = 3,
    THEATER_LEVEL_TRACE = 4
} theater_level_t;

/* ------------------------------------------------------------------------
 * Handlers. An actor exports those that it defines, and no others; what it
 * does not export is refused to the sender as `unsupported`.
 *
 *     THEATER_HANDLE_SEND(data)
 *     {
 *         theater_log(THEATER_LEVEL_INFO, data);
 *     }
 *
 * The names in the brackets are the author's choice. A handler runs alone: no
 * other one of the same actor begins before it has returned. Each may be used
 * once in a program. */

/* Once, at the start, before any message. void body. */
#define THEATER_RUN()                                                          \
    TH_INLINE static void th_on_run(void);                                     \
    TH_EXPORT("run") void th_export_run(void);                                 \
    void th_export_run(void)                                                   \
    {                                                                          \
        th_on_run();                                                           \
        th_arena_reset();                                                      \
    }                                                                          \
    static void th_on_run(void)

/* A one-way message; `data` becomes a theater_bytes_t. void body. */
#define THEATER_HANDLE_SEND(data)                                              \
    TH_INLINE static void th_on_send(theater_bytes_t data);                    \
    TH_EXPORT("handle-send")                                                   \
    void th_export_send(const uint8_t *th_at, size_t th_len);                  \
    void th_export_send(const uint8_t *th_at, size_t th_len)                   \
    {                                                                          \
        th_on_send(theater_bytes(th_at, th_len));                              \
        th_arena_reset();                                                      \
    }                                                                          \
    static void th_on_send(theater_bytes_t data)

/* A request; the body returns a theater_answer_t. */
#define THEATER_HANDLE_REQUEST(data)                                           \
    TH_INLINE static theater_answer_t th_on_request(theater_bytes_t data);     \
    TH_EXPORT("handle-request")                                                \
    const struct th_answer *th_export_request(const uint8_t *th_at,            \
                                              size_t th_len);                  \
    const struct th_answer *th_export_request(const uint8_t *th_at,            \
                                              size_t th_len)                   \
    {                                                                          \
        return th_answered(th_on_request(theater_bytes(th_at, th_len)));       \
    }                                                                          \
    TH_EXPORT("cabi_post_handle-request")                                      \
    void th_export_post_request(const struct th_answer *th_done_with);         \
    void th_export_post_request(const struct th_answer *th_done_with)          \
    {                                                                          \
        (void)th_done_with;                                                    \
        th_arena_reset();                                                      \
    }                                                                          \
    static theater_answer_t th_on_request(theater_bytes_t data)

/* Somebody, `initiator`, opens a channel; true accepts. bool body. */
#define THEATER_HANDLE_CHANNEL_OPEN(initiator, data)                           \
    TH_INLINE static bool th_on_open(theater_bytes_t initiator,                \
                                     theater_bytes_t data);                    \
    TH_EXPORT("handle-channel-open")                                           \
    int th_export_open(const uint8_t *th_at, size_t th_len,                    \
                       const uint8_t *th_at2, size_t th_len2);                 \
    int th_export_open(const uint8_t *th_at, size_t th_len,                    \
                       const uint8_t *th_at2, size_t th_len2)                  \
    {                                                                          \
        bool th_yes = th_on_open(theater_bytes(th_at, th_len),                 \
                                 theater_bytes(th_at2, th_len2));              \
        th_arena_reset();                                                      \
        return th_yes ? 1 : 0;                                                 \
    }                                                                          \
    static bool th_on_open(theater_bytes_t initiator, theater_bytes_t data)

/* Data on a channel. void body. */
#define THEATER_HANDLE_CHANNEL_MESSAGE(channel, data)                          \
    TH_INLINE static void th_on_channel(theater_bytes_t channel,               \
                                        theater_bytes_t data);                 \
    TH_EXPORT("handle-channel-message")                                        \
    void th_export_channel(const uint8_t *th_at, size_t th_len,                \
                           const uint8_t *th_at2, size_t th_len2);             \
    void th_export_channel(const uint8_t *th_at, size_t th_len,                \
                           const uint8_t *th_at2, size_t th_len2)              \
    {                                                                          \
        th_on_channel(theater_bytes(th_at, th_len),                            \
                      theater_bytes(th_at2, th_len2));                         \
        th_arena_reset();                                                      \
    }                                                                          \
    static void th_on_channel(theater_bytes_t channel, theater_bytes_t data)

/* The other end closed a channel; theater_close_reason() tells why. */
#define THEATER_HANDLE_CHANNEL_CLOSE(channel)                                  \
    TH_INLINE static void th_on_close(theater_bytes_t channel);                \
    TH_EXPORT("handle-channel-close")                                          \
    void th_export_close(const uint8_t *th_at, size_t th_len);                 \
    void th_export_close(const uint8_t *th_at, size_t th_len)                  \
    {                                                                          \
        th_on_close(theater_bytes(th_at, th_len));                             \
        th_arena_reset();                                                      \
    }                                                                          \
    static void th_on_close(theater_bytes_t channel)

/* Once, before the actor stops for a reason other than its own failure. */
#define THEATER_HANDLE_STOP(reason)                                            \
    TH_INLINE static void th_on_stop(theater_bytes_t reason);                  \
    TH_EXPORT("handle-stop")                                                   \
    void th_export_stop(const uint8_t *th_at, size_t th_len);                  \
    void th_export_stop(const uint8_t *th_at, size_t th_len)                   \
    {                                                                          \
        th_on_stop(theater_bytes(th_at, th_len));                              \
        th_arena_reset();                                                      \
    }                                                                          \
    static void th_on_stop(theater_bytes_t reason)

/* ------------------------------------------------------------------------
 * The ABI: imports and the layouts in which the host answers. For the inline
 * functions below; an author does not use these. */

/* A handler is a part of its export: else its arguments, two words each, would
 * go through memory, and be read as they are still being written. */
#define TH_INLINE __attribute__((always_inline)) inline
#define TH_EXPORT(name) __attribute__((export_name(name)))
#define TH_MESSAGES(field)                                                     \
    __attribute__((import_module("theater:actor/message-server@0.1.0"),        \
                   import_name(field)))
#define TH_RUNTIME(field)                                                      \
    __attribute__((import_module("theater:actor/runtime@0.1.0"),               \
                   import_name(field)))

/* The layout of each `result<T, error>` and of the options: 16 bytes. */
struct th_result {
    uint8_t tag; /* results: 1 is an error; options: 1 is a value */
    union {
        theater_bytes_t bytes; /* string or list<u8> */
        uint32_t count;        /* u32 */
        struct {
            uint8_t code;         /* the WIT's number */
            theater_bytes_t text; /* the message */
        } error;                  /* record error */
    } u;                          /* at 4 */
};

/* The layout of `result<list<u8>, string>`: 12 bytes. */
struct th_answer {
    uint8_t tag;          /* 1 is an error */
    theater_bytes_t data; /* at 4 */
};

/* Where cabi_realloc takes memory from: a stack of bytes. */
struct th_arena {
    uint8_t *top;   /* first free byte */
    uint8_t *limit; /* behind the last one of the chunk */
    uint8_t *base;  /* first byte of the first chunk */
    void *chunk;    /* newest chunk but the first; with wasi-libc only */
};

/* A place in that stack. */
typedef struct theater_mark {
    uint8_t *top; /* first byte that was free then */
    void *chunk;  /* newest chunk then */
} theater_mark_t;

extern struct th_arena th_arena;
extern struct th_result th_result;

extern struct th_answer th_answer;

/* Takes the error out of th_result. */
theater_code_t th_failed(theater_error_t *err);

TH_MESSAGES("send")
void th_send(const void *to, size_t to_len, const void *data, size_t len,
             struct th_result *out);
TH_MESSAGES("send-batch")
void th_send_batch(const void *to, size_t to_len, const theater_bytes_t *items,
                   size_t count, struct th_result *out);
TH_MESSAGES("broadcast")
void th_broadcast(const theater_bytes_t *to, size_t count, const void *data,
                  size_t len, theater_bytes_t *out);
TH_MESSAGES("send-after")
void th_send_after(const void *to, size_t to_len, const void *data, size_t len,
                   uint32_t delay_ms, struct th_result *out);
TH_MESSAGES("cancel-send")
void th_cancel_send(const void *id, size_t id_len, struct th_result *out);
TH_MESSAGES("request")
void th_request(const void *to, size_t to_len, const void *data, size_t len,
                struct th_result *out);
TH_MESSAGES("request-with")
void th_request_with(const void *to, size_t to_len, const void *data,
                     size_t len, uint32_t timeout_ms, struct th_result *out);
TH_MESSAGES("defer-response")
void th_defer_response(struct th_result *out);
TH_MESSAGES("list-outstanding-requests")
void th_list_outstanding_requests(theater_list_t *out);
TH_MESSAGES("respond-to-request")
void th_respond_to_request(const void *id, size_t id_len, const void *data,
                           size_t len, struct th_result *out);
TH_MESSAGES("cancel-request")
void th_cancel_request(const void *id, size_t id_len, struct th_result *out);
TH_MESSAGES("open-channel")
void th_open_channel(const void *to, size_t to_len, const void *data,
                     size_t len, struct th_result *out);
TH_MESSAGES("send-on-channel")
void th_send_on_channel(const void *id, size_t id_len, const void *data,
                        size_t len, struct th_result *out);
TH_MESSAGES("close-channel")
void th_close_channel(const void *id, size_t id_len, struct th_result *out);
TH_MESSAGES("current-channel")
void th_current_channel(struct th_result *out);
TH_MESSAGES("close-reason")
void th_close_reason(struct th_result *out);
TH_MESSAGES("sender")
void th_sender(struct th_result *out);

TH_RUNTIME("log") void th_log(uint32_t level, const void *text, size_t len);
TH_RUNTIME("self-name") void th_self_name(theater_bytes_t *out);
TH_RUNTIME("initial-state") void th_initial_state(struct th_result *out);
TH_RUNTIME("now-ms") uint64_t th_now_ms(void);
TH_RUNTIME("sleep-ms") void th_sleep_ms(uint32_t ms);
TH_RUNTIME("stop") void th_stop(const void *reason, size_t len);

/* Gives chunks back, newest first, until `until` is the newest. */
void th_arena_drop(void *until);

static inline void th_arena_reset(void)
{
    if (__builtin_expect(th_arena.chunk != NULL, 0)) {
        th_arena_drop(NULL);
    }
    th_arena.top = th_arena.base;
}

/* Not in the macro, where an author's name would replace a member's. */
static inline const struct th_answer *th_answered(theater_answer_t got)
{
    th_answer.tag = got.failed ? 1 : 0;
    th_answer.data = got.data;
    return &th_answer;
}

static inline theater_code_t th_done(theater_error_t *err)
{
    if (__builtin_expect(th_result.tag == 0, 1)) {
        return THEATER_OK;
    }
    return th_failed(err);
}

static inline theater_code_t th_done_bytes(theater_bytes_t *out,
                                           theater_error_t *err)
{
    theater_code_t code = th_done(err);
    if (code == THEATER_OK && out != NULL) {
        *out = th_result.u.bytes;
    }
    return code;
}

static inline bool th_some(theater_bytes_t *out)
{
    if (th_result.tag == 0) {
        return false;
    }
    *out = th_result.u.bytes;
    return true;
}

/* ------------------------------------------------------------------------
 * Views and text. */

/* A view of `len` bytes at `data`. */
static inline theater_bytes_t theater_bytes(const void *data, size_t len)
{
    theater_bytes_t view;
    view.data = (const uint8_t *)data;
    view.len = len;
    return view;
}

/* A view of a C string, without its zero; free for a literal. */
static inline theater_bytes_t theater_str(const char *text)
{
    return theater_bytes(text, __builtin_strlen(text));
}

/* Whether two views hold the same bytes. */
bool theater_equal(theater_bytes_t a, theater_bytes_t b);

/* The decimal number that `text` is.
 * Returns: false, and `out` untouched, where it is not one or overflows. */
bool theater_parse_u64(theater_bytes_t text, uint64_t *out);

/* Text that is put together in a buffer of the author's; what does not fit is
 * cut off. */
typedef struct theater_text {
    char *at;        /* the buffer */
    size_t capacity; /* its size */
    size_t len;      /* how much of it is text */
} theater_text_t;

/* An empty text in `buffer`. */
static inline theater_text_t theater_text(char *buffer, size_t capacity)
{
    theater_text_t text;
    text.at = buffer;
    text.capacity = capacity;
    text.len = 0;
    return text;
}

void theater_add_bytes(theater_text_t *text, theater_bytes_t bytes);
void theater_add_u64(theater_text_t *text, uint64_t number);
void theater_add_i64(theater_text_t *text, int64_t number);

/* Adds a C string. */
static inline void theater_add(theater_text_t *text, const char *string)
{
    theater_add_bytes(text, theater_str(string));
}

/* What was put together so far; it lives as long as the buffer. */
static inline theater_bytes_t theater_text_bytes(const theater_text_t *text)
{
    return theater_bytes(text->at, text->len);
}

/* The name of a code, as the WIT has it: "not-found"; "ok" for THEATER_OK. */
const char *theater_code_name(theater_code_t code);

/* ------------------------------------------------------------------------
 * Memory. */

/* `size` bytes, aligned to 16, until the running handler returns or
 * theater_release() goes back before them. Never NULL: without memory the
 * actor traps, as it does when it has none for a message. */
void *theater_scratch(size_t size);

/* Where received memory ends now. A loop that does not return (in `run`) marks
 * before it requests and releases when it is done with the answer:
 *
 *     theater_mark_t mark = theater_mark();
 *     theater_request(...);
 *     theater_release(mark); */
static inline theater_mark_t theater_mark(void)
{
    theater_mark_t mark;
    mark.top = th_arena.top;
    mark.chunk = th_arena.chunk;
    return mark;
}

/* Gives back what was received since `mark`, newest mark first. */
static inline void theater_release(theater_mark_t mark)
{
    if (__builtin_expect(th_arena.chunk != mark.chunk, 0)) {
        th_arena_drop(mark.chunk);
    }
    th_arena.top = mark.top;
}

/* ------------------------------------------------------------------------
 * Messages. Targets are names; ids are opaque text. */

/* One-way. To a full mailbox it waits or fails, as `when_full` says.
 * Waits:   for space, `send_timeout` at most.
 * Returns: OK (handled once, or one dead letter), NOT_FOUND, DENIED,
 *          MAILBOX_FULL, CLOSED, TOO_LARGE, INVALID_ARGUMENT, UNSUPPORTED,
 *          SHUTTING_DOWN, UNREACHABLE. */
static inline theater_code_t
theater_send(theater_bytes_t target, theater_bytes_t data, theater_error_t *err)
{
    th_send(target.data, target.len, data.data, data.len, &th_result);
    return th_done(err);
}

/* `count` messages to one target, in order.
 * Waits:   as theater_send.
 * Returns: OK, with how many were accepted in `out_accepted` (may be NULL);
 *          else as theater_send. */
static inline theater_code_t
theater_send_batch(theater_bytes_t target, const theater_bytes_t *messages,
                   size_t count, uint32_t *out_accepted, theater_error_t *err)
{
    th_send_batch(target.data, target.len, messages, count, &th_result);
    theater_code_t code = th_done(err);
    if (code == THEATER_OK && out_accepted != NULL) {
        *out_accepted = th_result.u.count;
    }
    return code;
}

/* What a broadcast answered; read with theater_refusal. */
typedef struct theater_refusals {
    const uint8_t *items; /* list<option<error-code>>: two bytes each */
    size_t len;           /* as many as there were targets */
} theater_refusals_t;

/* One payload, stored once, to `count` targets, 1,024 at most.
 * Waits:   never.
 * Returns: for each target, in order, why it was refused. */
static inline theater_refusals_t
theater_broadcast(const theater_bytes_t *targets, size_t count,
                  theater_bytes_t data)
{
    theater_bytes_t out;
    theater_refusals_t refusals;
    th_broadcast(targets, count, data.data, data.len, &out);
    refusals.items = out.data;
    refusals.len = out.len;
    return refusals;
}

/* Why target number `index` of a broadcast was refused: OK if it was not. */
static inline theater_code_t theater_refusal(theater_refusals_t refusals,
                                             size_t index)
{
    const uint8_t *item = refusals.items + 2 * index;
    return item[0] == 0 ? THEATER_OK : (theater_code_t)(item[1] + 1);
}

/* Sends `data` once, in `delay_ms`. An actor that sleeps or waits handles
 * nothing meanwhile; one that sends itself a message later does.
 * Waits:   never.
 * Returns: OK, with an id for theater_cancel_send in `out_id` (may be NULL);
 *          else as theater_send. */
static inline theater_code_t theater_send_after(theater_bytes_t target,
                                                theater_bytes_t data,
                                                uint32_t delay_ms,
                                                theater_bytes_t *out_id,
                                                theater_error_t *err)
{
    th_send_after(target.data, target.len, data.data, data.len, delay_ms,
                  &th_result);
    return th_done_bytes(out_id, err);
}

/* Takes back what theater_send_after will send.
 * Returns: OK; INVALID_ARGUMENT for an id that is unknown, was sent or is
 *          another actor's. */
static inline theater_code_t theater_cancel_send(theater_bytes_t id,
                                                 theater_error_t *err)
{
    th_cancel_send(id.data, id.len, &th_result);
    return th_done(err);
}

/* ------------------------------------------------------------------------
 * Requests. */

/* Asks and waits for the answer.
 * Waits:   at most the actor's `request_timeout`; it handles nothing else.
 * Returns: OK, with the answer in `out_answer` (may be NULL); FAILED with the
 *          target's own text; TIMEOUT, CANCELLED, DEADLOCK; else as
 *          theater_send. */
static inline theater_code_t theater_request(theater_bytes_t target,
                                             theater_bytes_t data,
                                             theater_bytes_t *out_answer,
                                             theater_error_t *err)
{
    th_request(target.data, target.len, data.data, data.len, &th_result);
    return th_done_bytes(out_answer, err);
}

/* theater_request that waits `timeout_ms` at most. */
static inline theater_code_t theater_request_with(theater_bytes_t target,
                                                  theater_bytes_t data,
                                                  uint32_t timeout_ms,
                                                  theater_bytes_t *out_answer,
                                                  theater_error_t *err)
{
    th_request_with(target.data, target.len, data.data, data.len, timeout_ms,
                    &th_result);
    return th_done_bytes(out_answer, err);
}

/* Ends `handle-request`, which is running, with `data`. */
static inline theater_answer_t theater_answer(theater_bytes_t data)
{
    theater_answer_t answer;
    answer.failed = false;
    answer.data = data;
    return answer;
}

/* Ends it with an error: the requester gets `failed` and this text. */
static inline theater_answer_t theater_fail(theater_bytes_t text)
{
    theater_answer_t answer;
    answer.failed = true;
    answer.data = text;
    return answer;
}

/* Inside `handle-request`: the answer comes later, by theater_respond_to_
 * request with this id; what the handler returns is then ignored.
 * Returns: OK with the id; INVALID_ARGUMENT elsewhere or the second time. */
static inline theater_code_t theater_defer_response(theater_bytes_t *out_id,
                                                    theater_error_t *err)
{
    th_defer_response(&th_result);
    return th_done_bytes(out_id, err);
}

/* The ids of the requests that were received and not yet answered. */
static inline theater_list_t theater_list_outstanding_requests(void)
{
    theater_list_t list;
    th_list_outstanding_requests(&list);
    return list;
}

/* Answers a deferred request.
 * Returns: OK; INVALID_ARGUMENT for an id that is unknown, ended or another
 *          actor's; TOO_LARGE. */
static inline theater_code_t theater_respond_to_request(theater_bytes_t id,
                                                        theater_bytes_t data,
                                                        theater_error_t *err)
{
    th_respond_to_request(id.data, id.len, data.data, data.len, &th_result);
    return th_done(err);
}

/* Ends a received request with `cancelled` for its requester; a handler that
 * is running goes on, and its answer counts as late.
 * Returns: OK, INVALID_ARGUMENT. */
static inline theater_code_t theater_cancel_request(theater_bytes_t id,
                                                    theater_error_t *err)
{
    th_cancel_request(id.data, id.len, &th_result);
    return th_done(err);
}

/* ------------------------------------------------------------------------
 * Channels. */

/* Opens a channel to `target`, whose `handle-channel-open` decides.
 * Waits:   for that decision, at most the actor's `request_timeout`.
 * Returns: OK, with the channel's id in `out_id`; REJECTED; else as
 *          theater_request. */
static inline theater_code_t theater_open_channel(theater_bytes_t target,
                                                  theater_bytes_t data,
                                                  theater_bytes_t *out_id,
                                                  theater_error_t *err)
{
    th_open_channel(target.data, target.len, data.data, data.len, &th_result);
    return th_done_bytes(out_id, err);
}

/* Sends on a channel, in order. Inside `handle-channel-open` it follows the
 * acceptance.
 * Waits:   for the other end's credit.
 * Returns: OK, CLOSED, TOO_LARGE, MAILBOX_FULL (a cycle of waits for credit),
 *          INVALID_ARGUMENT for an id that is unknown or of others. */
static inline theater_code_t theater_send_on_channel(theater_bytes_t id,
                                                     theater_bytes_t data,
                                                     theater_error_t *err)
{
    th_send_on_channel(id.data, id.len, data.data, data.len, &th_result);
    return th_done(err);
}

/* Closes a channel; what was sent on it before still arrives.
 * Returns: OK, CLOSED, INVALID_ARGUMENT. */
static inline theater_code_t theater_close_channel(theater_bytes_t id,
                                                   theater_error_t *err)
{
    th_close_channel(id.data, id.len, &th_result);
    return th_done(err);
}

/* The id of the channel whose open, message or close is being handled.
 * Returns: false elsewhere. */
static inline bool theater_current_channel(theater_bytes_t *out_id)
{
    th_current_channel(&th_result);
    return th_some(out_id);
}

/* Inside `handle-channel-close`: why, or false for a plain close. The text
 * lives as an error's does. */
static inline bool theater_close_reason(theater_error_t *out)
{
    th_close_reason(&th_result);
    return th_result.tag != 0 && th_failed(out) != THEATER_OK;
}

/* Who sent what is being handled, stamped by the router.
 * Returns: false in `run`, and for a host program without a name. */
static inline bool theater_sender(theater_bytes_t *out_name)
{
    th_sender(&th_result);
    return th_some(out_name);
}

/* ------------------------------------------------------------------------
 * The runtime. */

/* One line in the log, under the actor's name; cut at 8 KiB. */
static inline void theater_log(theater_level_t level, theater_bytes_t text)
{
    th_log((uint32_t)level, text.data, text.len);
}

static inline void theater_log_error(const char *text)
{
    theater_log(THEATER_LEVEL_ERROR, theater_str(text));
}

static inline void theater_log_warn(const char *text)
{
    theater_log(THEATER_LEVEL_WARN, theater_str(text));
}

static inline void theater_log_info(const char *text)
{
    theater_log(THEATER_LEVEL_INFO, theater_str(text));
}

static inline void theater_log_debug(const char *text)
{
    theater_log(THEATER_LEVEL_DEBUG, theater_str(text));
}

/* Logs an error: `what`, the code's name and the text. */
void theater_log_failure(const char *what, const theater_error_t *err);

/* The actor's own name. */
static inline theater_bytes_t theater_self_name(void)
{
    theater_bytes_t name;
    th_self_name(&name);
    return name;
}

/* What the manifest's `initial_state` (or the system file's) says.
 * Returns: false where there is none. */
static inline bool theater_initial_state(theater_bytes_t *out)
{
    th_initial_state(&th_result);
    return th_some(out);
}

/* Milliseconds since an arbitrary point; never goes back. */
static inline uint64_t theater_now_ms(void)
{
    return th_now_ms();
}

/* Lets others run; comes back after at least `ms`, or at once when this actor
 * is asked to stop. Nothing is handled meanwhile.
 * Waits:   yes. */
static inline void theater_sleep_ms(uint32_t ms)
{
    th_sleep_ms(ms);
}

/* Stops this actor once the running handler has returned. */
static inline void theater_stop(theater_bytes_t reason)
{
    th_stop(reason.data, reason.len);
}

#ifdef __cplusplus
}
#endif

#endif
