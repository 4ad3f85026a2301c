/* SPDX-License-Identifier: Apache-2.0 */
/* Operations on a router against a naive model. Each payload is the number of
 * its letter, by which the model knows what became of it:
 *   - what was accepted is handled once or is one dead letter, never both;
 *   - what was refused is neither;
 *   - between two endpoints order holds; a mailbox keeps its bound;
 *   - each operation ends exactly once; nothing is there without a wake. */
#include "fuzz.h"

#include "base/base.h"

#include <theater/channel.h>

enum { ENDS = 4, LETTERS = 2048, STARTED = 1024, KEPT = 8, STEPS = 400 };

enum fate { EXACT, TIMED, ASKS }; /* TIMED, ASKS: at most once */

struct letter {
    enum fate fate;
    unsigned from, to; /* ENDS: none, or many */
    unsigned expected, handled, dead;
    bool in_order;
};

struct started {
    bool pending;
    unsigned done;
    uint32_t letter; /* of a send that waits; LETTERS: none */
    unsigned from;
    theater_request_id_t id;
};

struct end {
    theater_endpoint_t *endpoint; /* NULL: not registered */
    bool awake, waits;
    unsigned capacity, one_way, under_way;
    theater_on_full_t on_full;
    uint32_t last[ENDS + 1]; /* highest letter from each */
    theater_request_id_t deferred[KEPT];
    theater_channel_id_t channels[KEPT];
    theater_timer_id_t timers[KEPT];
    uint32_t timer_letters[KEPT];
    unsigned deferred_at, channels_at, timers_at;
};

static struct model {
    struct th_sim_env *sim;
    const theater_env_t *env;
    theater_router_t *router;
    struct end ends[ENDS];
    struct letter letters[LETTERS];
    struct started started[STARTED];
    uint32_t letters_len, started_len;
    uint64_t handled, dead;
    bool drains;
} m;

static const char *const names[ENDS + 1] = {"a", "b", "ab", "d", "nobody"};

static theater_bytes_t name_of(unsigned i)
{
    return (theater_bytes_t){(const uint8_t *)names[i], strlen(names[i])};
}

/* --- Letters ------------------------------------------------------------ */

struct text {
    uint8_t bytes[64];
    theater_bytes_t data;
    uint32_t number;
};

static void new_letter(struct text *text, enum fate fate, unsigned from,
                       unsigned to, unsigned extra)
{
    uint32_t number = m.letters_len++;
    FUZZ_CHECK(number < LETTERS);
    m.letters[number] = (struct letter){
        .fate = fate, .from = from, .to = to, .in_order = fate != TIMED};
    memset(text->bytes, 0, sizeof text->bytes);
    memcpy(text->bytes, &number, sizeof number);
    text->number = number;
    text->data = (theater_bytes_t){text->bytes, sizeof number + extra % 60};
}

static struct letter *letter_of(theater_bytes_t data, uint32_t *out_number)
{
    FUZZ_CHECK(data.len >= sizeof *out_number);
    memcpy(out_number, data.data, sizeof *out_number);
    FUZZ_CHECK(*out_number < m.letters_len);
    return &m.letters[*out_number];
}

static void accepted(uint32_t number)
{
    m.letters[number].expected++;
}

static void on_dead(void *user, const theater_dead_letter_t *dead)
{
    uint32_t number;
    (void)user;
    m.dead++;
    letter_of(dead->data, &number)->dead++;
}

static void on_wake(void *user)
{
    ((struct end *)user)->awake = true;
}

/* --- Operations that end later ------------------------------------------ */

static void ended(struct started *op, theater_status_t status)
{
    op->done++;
    FUZZ_CHECK(op->done == 1 && status != THEATER_PENDING);
    if (op->from < ENDS) {
        m.ends[op->from].under_way--;
    }
    if (op->letter < LETTERS && status == THEATER_OK) {
        accepted(op->letter);
    }
}

static void on_done(void *user, theater_status_t status,
                    theater_answer_t *answer)
{
    ended(user, status);
    theater_answer_delete(answer);
}

static void on_opened(void *user, theater_status_t status,
                      theater_channel_id_t channel)
{
    struct started *op = user;
    ended(op, status);
    if (status == THEATER_OK) {
        struct end *end = &m.ends[op->from];
        end->channels[end->channels_at++ % KEPT] = channel;
    }
}

static struct started *start(unsigned from, uint32_t letter)
{
    struct started *op = &m.started[m.started_len++];
    FUZZ_CHECK(m.started_len <= STARTED);
    *op = (struct started){.from = from, .letter = letter};
    if (from < ENDS) {
        m.ends[from].under_way++;
    }
    return op;
}

static void is_started(struct started *op, theater_status_t status)
{
    op->pending = status == THEATER_PENDING;
    if (!op->pending) {
        FUZZ_CHECK(op->done == 0);
        if (op->from < ENDS) {
            m.ends[op->from].under_way--;
        }
    }
}

/* What can be said of any refusal beforehand. */
static void check_status(unsigned to, theater_status_t status)
{
    FUZZ_CHECK(status != THEATER_OUT_OF_MEMORY);
    FUZZ_CHECK(status != THEATER_INVALID_ARGUMENT);
    if (to == ENDS || m.ends[to].endpoint == NULL) {
        FUZZ_CHECK(status != THEATER_OK && status != THEATER_PENDING);
    } else {
        FUZZ_CHECK(status != THEATER_NOT_FOUND);
    }
    FUZZ_CHECK(status != THEATER_SHUTTING_DOWN || m.drains);
}

static theater_endpoint_t *sender(unsigned from)
{
    return from < ENDS ? m.ends[from].endpoint : NULL;
}

/* --- One operation each ------------------------------------------------- */

static void do_register(struct end *end, struct fuzz_bytes *in)
{
    static const char *const only[] = {"a*", "d"};
    theater_permissions_t permissions = THEATER_PERMISSIONS_INIT;
    theater_endpoint_options_t options = THEATER_ENDPOINT_OPTIONS_INIT;
    uint8_t how = fuzz_u8(in), what = fuzz_u8(in);
    const char *name = names[end - m.ends];
    if (end->endpoint != NULL) {
        return;
    }
    memset(end, 0, sizeof *end);
    if ((how & 64) != 0) {
        permissions.can_request = (what & 1) != 0;
        permissions.allowed_targets = only;
        permissions.allowed_targets_len = (what >> 1) % 3;
        options.permissions = &permissions;
    }
    end->on_full = (theater_on_full_t)(how % 3);
    end->waits = (how & 128) != 0;
    end->capacity = 1 + (how >> 2) % 4;
    options.on_full = end->on_full;
    options.capacity = end->capacity;
    options.capacity_bytes = 256;
    options.max_channels = 2;
    options.channel_credit = 2;
    options.channel_credit_bytes = 128;
    options.max_requests = 2;
    options.max_timers = 3;
    options.waits = end->waits;
    options.wake = on_wake;
    options.user = end;
    theater_status_t status = theater_router_register(
        m.router, name, strlen(name), &options, &end->endpoint);
    FUZZ_CHECK(status == THEATER_OK ||
               (m.drains && status == THEATER_SHUTTING_DOWN));
}

static void do_unregister(struct end *end, theater_status_t reason)
{
    if (end->endpoint != NULL) {
        theater_endpoint_unregister(end->endpoint, reason);
        end->endpoint = NULL;
        FUZZ_CHECK(end->under_way == 0); /* its operations were cancelled */
    }
}

static void do_send(unsigned from, unsigned to, uint8_t extra)
{
    struct text text;
    new_letter(&text, EXACT, from, to, extra);
    theater_status_t status =
        theater_router_send(m.router, sender(from), name_of(to), text.data);
    check_status(to, status);
    if (status == THEATER_OK) {
        accepted(text.number);
    }
}

static void do_send_start(unsigned from, unsigned to, uint8_t extra)
{
    struct text text;
    new_letter(&text, EXACT, from, to, extra);
    struct started *op = start(from, text.number);
    theater_status_t status =
        theater_router_send_start(m.router, sender(from), name_of(to),
                                  text.data, 1 + extra, on_done, op, &op->id);
    check_status(to, status);
    is_started(op, status);
    if (status == THEATER_OK) {
        accepted(text.number);
    }
}

static void do_request(unsigned from, unsigned to, uint8_t extra, bool open)
{
    struct text text;
    theater_status_t status;
    if (open && from == ENDS) {
        return;
    }
    new_letter(&text, ASKS, from, to, extra);
    struct started *op = start(from, LETTERS);
    if (open) {
        status =
            theater_channel_open_start(sender(from), name_of(to), text.data,
                                       1 + extra, on_opened, op, &op->id);
    } else {
        status = theater_router_request_start(m.router, sender(from),
                                              name_of(to), text.data, 1 + extra,
                                              on_done, op, &op->id);
    }
    check_status(to, status);
    is_started(op, status);
    m.letters[text.number].expected = status == THEATER_PENDING;
}

static void do_broadcast(unsigned from, uint8_t extra)
{
    struct text text;
    theater_bytes_t targets[ENDS];
    uint8_t codes[ENDS];
    for (unsigned i = 0; i < ENDS; i++) {
        targets[i] = name_of(i);
    }
    new_letter(&text, EXACT, from, ENDS, extra);
    theater_status_t status = theater_router_broadcast(
        m.router, sender(from), targets, ENDS, text.data, codes);
    for (unsigned i = 0; status == THEATER_OK && i < ENDS; i++) {
        check_status(i, (theater_status_t)codes[i]);
        m.letters[text.number].expected += codes[i] == THEATER_OK;
    }
}

static void do_timed(unsigned from, unsigned to, uint8_t extra, bool cancel)
{
    struct text text;
    struct end *end = &m.ends[from % ENDS];
    unsigned at = end->timers_at % KEPT;
    if (from == ENDS) {
        return;
    }
    if (cancel) {
        at = extra % KEPT;
        if (theater_router_cancel_send(end->endpoint, end->timers[at]) ==
            THEATER_OK) {
            struct letter *letter = &m.letters[end->timer_letters[at]];
            FUZZ_CHECK(letter->handled + letter->dead == 0);
            letter->expected = 0;
        }
        return;
    }
    new_letter(&text, TIMED, from, to, extra);
    if (theater_router_send_after(m.router, end->endpoint, name_of(to),
                                  text.data, extra,
                                  &end->timers[at]) == THEATER_OK) {
        end->timer_letters[at] = text.number;
        end->timers_at++;
        accepted(text.number);
    }
}

static void do_channel(unsigned from, uint8_t what, uint8_t extra)
{
    struct text text;
    struct end *end = &m.ends[from % ENDS];
    theater_channel_id_t id = end->channels[what % KEPT];
    if (from == ENDS) {
        return;
    }
    if (what < 160) {
        new_letter(&text, ASKS, from, ENDS, extra);
        m.letters[text.number].expected =
            theater_channel_send(end->endpoint, id, text.data) == THEATER_OK;
    } else if (what < 220) {
        struct started *op = start(from, LETTERS);
        is_started(op,
                   theater_channel_credit_start(end->endpoint, id, 4, 1 + extra,
                                                on_done, op, &op->id));
    } else {
        theater_status_t status =
            theater_channel_close(end->endpoint, id, THEATER_OK);
        FUZZ_CHECK(status == THEATER_OK || status == THEATER_INVALID_ARGUMENT);
        FUZZ_CHECK(!theater_channel_is_open(end->endpoint, id));
    }
}

static void do_answer(struct end *end, theater_request_id_t id, uint8_t how)
{
    theater_bytes_t data = {(const uint8_t *)"answer", 6};
    theater_status_t status =
        how % 3 == 0   ? theater_endpoint_respond(end->endpoint, id, data)
        : how % 3 == 1 ? theater_endpoint_fail(end->endpoint, id, data)
                       : theater_endpoint_cancel_request(end->endpoint, id);
    FUZZ_CHECK(status == THEATER_OK || status == THEATER_CLOSED ||
               status == THEATER_INVALID_ARGUMENT);
}

/* --- Receiving ---------------------------------------------------------- */

static void check_received(struct end *end, const theater_message_t *message)
{
    uint32_t number;
    if (message->kind == THEATER_MESSAGE_CHANNEL_CLOSE) {
        return;
    }
    m.handled++;
    struct letter *letter = letter_of(message->data, &number);
    letter->handled++;
    FUZZ_CHECK(letter->to == ENDS || &m.ends[letter->to] == end);
    theater_bytes_t from = name_of(letter->from);
    FUZZ_CHECK(letter->from == ENDS ? message->sender.data == NULL
                                    : message->sender.len == from.len &&
                                          memcmp(message->sender.data,
                                                 from.data, from.len) == 0);
    if (letter->in_order && message->kind != THEATER_MESSAGE_CHANNEL_DATA) {
        FUZZ_CHECK(number >= end->last[letter->from]);
        end->last[letter->from] = number;
    }
}

static void handle(struct end *end, const theater_message_t *message,
                   uint8_t how)
{
    if (message->kind == THEATER_MESSAGE_REQUEST && (how & 3) == 1) {
        theater_request_id_t *id = &end->deferred[end->deferred_at % KEPT];
        end->deferred_at +=
            theater_endpoint_defer(end->endpoint, id) == THEATER_OK;
    } else if (message->kind == THEATER_MESSAGE_REQUEST && (how & 3) != 0) {
        do_answer(end, message->request, how >> 2);
    } else if (message->kind == THEATER_MESSAGE_CHANNEL_OPEN) {
        unsigned from = (unsigned)(end - m.ends);
        end->channels[end->channels_at++ % KEPT] = message->channel;
        for (unsigned i = 0; i < (how >> 4) % 4U; i++) { /* held */
            do_channel(from, (uint8_t)((end->channels_at - 1) % KEPT + 8U * i),
                       how);
        }
        theater_status_t status = (how & 3) != 0
                                      ? theater_channel_accept(end->endpoint)
                                      : theater_channel_reject(end->endpoint);
        FUZZ_CHECK(status != THEATER_INVALID_ARGUMENT);
    }
}

static void do_receive(struct end *end, uint8_t how)
{
    const theater_message_t *message = NULL;
    bool awake = end->awake;
    theater_status_t status = theater_endpoint_receive(end->endpoint, &message);
    if (status == THEATER_EMPTY) {
        end->awake = false;
        return;
    }
    FUZZ_CHECK(status == THEATER_OK);
    FUZZ_CHECK(awake);
    check_received(end, message);
    handle(end, message, how);
    theater_endpoint_done(end->endpoint,
                          (how & 128) != 0 ? THEATER_FAILED : THEATER_OK);
}

/* --- A run -------------------------------------------------------------- */

static void do_whole(uint8_t what, uint8_t extra)
{
    if (what % 16 == 0 && extra == 255) {
        theater_router_drain(m.router);
        m.drains = true;
    } else if (what % 2 == 0 && m.started_len != 0) {
        (void)!theater_router_cancel(
            m.router, m.started[m.started_len - 1 - extra % m.started_len].id);
    } else {
        th_sim_env_advance(m.env, th_now(m.env) + extra * UINT64_C(1000000));
        theater_router_advance(m.router, th_now(m.env));
    }
}

/* They are sums over all threads' slots, so looked at now and then. */
static void check_counters(void)
{
    theater_counters_t counters;
    theater_router_counters(m.router, &counters);
    FUZZ_CHECK(counters.dead_total == m.dead);
    FUZZ_CHECK(counters.accepted >= m.handled + m.dead);
    FUZZ_CHECK(counters.queued == counters.accepted - m.handled - m.dead);
}

static void check_letters(void)
{
    unsigned queued[ENDS] = {0};
    for (uint32_t i = 0; i < m.letters_len; i++) {
        const struct letter *letter = &m.letters[i];
        unsigned ends = letter->handled + letter->dead;
        FUZZ_CHECK(ends <= letter->expected || letter->fate != EXACT);
        FUZZ_CHECK(ends <= 1 || letter->to == ENDS);
        if (letter->fate == EXACT && letter->to < ENDS) {
            queued[letter->to] += letter->expected - ends;
        }
    }
    for (unsigned i = 0; i < ENDS; i++) {
        FUZZ_CHECK(queued[i] <= m.ends[i].capacity);
    }
}

static void step(struct fuzz_bytes *in)
{
    uint8_t op = fuzz_u8(in), where = fuzz_u8(in), extra = fuzz_u8(in);
    unsigned from = where % (ENDS + 1), to = (where >> 4) % (ENDS + 1);
    struct end *end = &m.ends[from % ENDS];
    if (op % 16 == 0) {
        do_register(end, in);
        return;
    }
    if (op % 16 == 15) {
        do_whole(where, extra);
        return;
    }
    if (from < ENDS &&
        (end->endpoint == NULL || (end->waits && end->under_way != 0))) {
        return;
    }
    switch (op % 16) {
    case 1:
        op < 64 ? do_unregister(end, THEATER_OK) : (void)0;
        break;
    case 2:
        if (op < 64 && from < ENDS) {
            theater_endpoint_reset(end->endpoint, THEATER_FAILED);
            end->awake = true; /* it begins anew, and looks */
        }
        break;
    case 3:
    case 4:
        do_send(from, to, extra);
        break;
    case 5:
        do_send_start(from, to, extra);
        break;
    case 6:
        do_request(from, to, extra, false);
        break;
    case 7:
        do_request(from, to, extra, true);
        break;
    case 8:
        do_broadcast(from, extra);
        break;
    case 9:
        do_timed(from, to, extra, (op & 16) != 0);
        break;
    case 10:
        do_channel(from, (uint8_t)(op ^ where), extra);
        break;
    case 11:
        if (from < ENDS) {
            do_answer(end, end->deferred[where / 16 % KEPT], extra);
        }
        break;
    default:
        if (from < ENDS) {
            do_receive(end, extra);
        }
    }
}

static void finish(void)
{
    for (unsigned i = 0; i < ENDS; i++) {
        do_unregister(&m.ends[i], THEATER_CLOSED);
    }
    th_sim_env_advance(m.env, th_now(m.env) + UINT64_C(100000000000));
    theater_router_advance(m.router, th_now(m.env));
    theater_counters_t counters;
    theater_router_counters(m.router, &counters);
    FUZZ_CHECK(counters.queued == 0 && counters.pending == 0);
    for (uint32_t i = 0; i < m.letters_len; i++) {
        const struct letter *letter = &m.letters[i];
        FUZZ_CHECK(letter->fate != EXACT ||
                   letter->handled + letter->dead == letter->expected);
    }
    for (uint32_t i = 0; i < m.started_len; i++) {
        FUZZ_CHECK(m.started[i].done == m.started[i].pending);
    }
}

void th_fuzz_one(const uint8_t *data, size_t size)
{
    theater_router_options_t options = THEATER_ROUTER_OPTIONS_INIT;
    struct fuzz_bytes in = {data, data + size};
    memset(&m, 0, sizeof m);
    FUZZ_CHECK(th_sim_env_new(1, &m.sim) == THEATER_OK);
    m.env = th_sim_env_table(m.sim);
    options.env = m.env;
    options.max_endpoints = 8;
    options.max_pending = 16;
    options.on_dead_letter = on_dead;
    FUZZ_CHECK(theater_router_new(&options, &m.router) == THEATER_OK);
    for (unsigned i = 0; i < STEPS && in.at < in.end; i++) {
        step(&in);
        check_letters();
        if (i % 16 == 15) {
            check_counters();
        }
    }
    check_counters();
    finish();
    theater_router_release(m.router);
    th_sim_env_delete(m.sim);
}
