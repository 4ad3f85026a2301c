/* SPDX-License-Identifier: Apache-2.0 */
/* Hostile actors that need more than a page of text: forgers, flooders and
 * hoarders. The initial state says which one this is. Each tries what it must
 * not be able to do; where it succeeds it logs BROKEN and traps, otherwise it
 * logs "done" and lives on. */
#include <theater/actor.h>

enum {
    ID = 17,         /* bytes of an id */
    GUESSES = 40000, /* random ids of each kind */
    FLOOD = 20000,   /* messages of a flood */
    BIG = 1 << 20,   /* the greatest payload */
};

static char big[BIG + 1];
static char own[ID]; /* the id of a request of its own */
static bool has_own;
static theater_bytes_t mode;
static uint64_t seed = 88172645463325252u;

static bool is(const char *name)
{
    return theater_equal(mode, theater_str(name));
}

static void broken(const char *what)
{
    char room[128];
    theater_text_t text = theater_text(room, sizeof room);
    theater_add(&text, "BROKEN: ");
    theater_add(&text, what);
    theater_log(THEATER_LEVEL_ERROR, theater_text_bytes(&text));
    __builtin_trap();
}

static void must(bool ok, const char *what)
{
    if (!ok) {
        broken(what);
    }
}

static void done(void)
{
    theater_log_info("done");
}

static uint64_t next_random(void)
{
    seed ^= seed << 13;
    seed ^= seed >> 7;
    seed ^= seed << 17;
    return seed;
}

/* --- Identity ------------------------------------------------------------ */

/* Nothing that can be done with an id works with this one. */
static void useless(const char *id, size_t len)
{
    theater_mark_t mark = theater_mark();
    theater_bytes_t text = theater_bytes(id, len);
    theater_bytes_t data = theater_str("forged");
    must(theater_respond_to_request(text, data, NULL) != THEATER_OK,
         "answered a request by a forged id");
    must(theater_cancel_request(text, NULL) != THEATER_OK,
         "cancelled a request by a forged id");
    must(theater_send_on_channel(text, data, NULL) != THEATER_OK,
         "sent on a channel by a forged id");
    must(theater_close_channel(text, NULL) != THEATER_OK,
         "closed a channel by a forged id");
    must(theater_cancel_send(text, NULL) != THEATER_OK,
         "cancelled a timed send by a forged id");
    theater_release(mark);
}

static void write_id(char kind, uint64_t value, char out[static ID])
{
    out[0] = kind;
    for (int i = ID - 1; i > 0; i--) {
        out[i] = "0123456789abcdef"[value & 15];
        value >>= 4;
    }
}

static uint64_t read_id(const char id[static ID])
{
    uint64_t value = 0;
    for (int i = 1; i < ID; i++) {
        uint8_t digit =
            (uint8_t)(id[i] <= '9' ? id[i] - '0' : id[i] - 'a' + 10);
        value = value << 4 | digit;
    }
    return value;
}

static void guess(char kind, bool small)
{
    char id[ID];
    for (int i = 0; i < GUESSES; i++) {
        uint64_t value = next_random();
        if (small) { /* index and generation, both likely ones */
            value = (value & 0xffff) | (value >> 16 & 0xff) << 32;
        }
        write_id(kind, value, id);
        useless(id, ID);
    }
}

/* The vault's three ids. */
static void observe(char out[static 3 * ID])
{
    theater_bytes_t answer;
    must(theater_request(theater_str("vault"), theater_str("ids"), &answer,
                         NULL) == THEATER_OK &&
             answer.len == (size_t)3 * ID,
         "the vault does not tell its ids");
    __builtin_memcpy(out, answer.data, (size_t)3 * ID);
}

static void observed(void)
{
    char ids[3 * ID];
    observe(ids);
    for (int i = 0; i < 3; i++) {
        useless(ids + i * ID, ID);
    }
}

static void beside(void)
{
    char ids[3 * ID], id[ID];
    observe(ids);
    for (int i = 0; i < 3; i++) {
        uint64_t value = read_id(ids + i * ID);
        for (uint64_t d = 1; d <= 300; d++) {
            write_id(ids[i * ID], value + d, id);
            useless(id, ID);
            write_id(ids[i * ID], value - d, id);
            useless(id, ID);
        }
        for (int bit = 0; bit < 64; bit++) {
            write_id(ids[i * ID], value ^ (uint64_t)1 << bit, id);
            useless(id, ID);
        }
    }
}

static void misspelt(void)
{
    char ids[3 * ID], id[2 * ID];
    observe(ids);
    for (int i = 0; i < 3; i++) {
        __builtin_memcpy(id, ids + i * ID, ID);
        for (size_t len = 0; len <= ID; len++) {
            useless(id, len);
        }
        for (int kind = 0; kind < 128; kind++) {
            if (kind == ids[i * ID]) {
                continue;
            }
            id[0] = (char)kind;
            useless(id, ID);
        }
        __builtin_memcpy(id, ids + i * ID, ID);
        id[ID] = 0;
        useless(id, ID + 1);
        id[ID - 1] = 'G';
        useless(id, ID);
        id[8] = 0;
        useless(id, ID);
    }
}

/* Inside its own handle-request: it may answer, once. */
static void twice(theater_bytes_t data)
{
    theater_bytes_t id;
    must(theater_defer_response(&id, NULL) == THEATER_OK, "no defer");
    __builtin_memcpy(own, id.data, ID);
    must(theater_respond_to_request(id, data, NULL) == THEATER_OK,
         "no first answer");
    useless(own, ID);
    done();
}

static void after_cancel(void)
{
    theater_bytes_t id;
    must(theater_defer_response(&id, NULL) == THEATER_OK, "no defer");
    __builtin_memcpy(own, id.data, ID);
    must(theater_cancel_request(id, NULL) == THEATER_OK, "no cancel");
    useless(own, ID);
    done();
}

/* The first one's id, after 1,000 others have used its place. */
static void recycled(theater_bytes_t data)
{
    static int times;
    theater_bytes_t id;
    must(theater_defer_response(&id, NULL) == THEATER_OK, "no defer");
    if (!has_own) {
        __builtin_memcpy(own, id.data, ID);
        has_own = true;
    } else {
        must(!theater_equal(id, theater_bytes(own, ID)), "an id came back");
        useless(own, ID);
    }
    must(theater_respond_to_request(id, data, NULL) == THEATER_OK,
         "no answer to its own");
    if (++times == 1000) {
        done();
    }
}

/* A channel of its own: of no use once it is closed. */
static void closed_channel(void)
{
    char id[ID];
    theater_bytes_t got;
    must(theater_open_channel(theater_str("vault"), theater_str("x"), &got,
                              NULL) == THEATER_OK,
         "the vault opens no channel");
    __builtin_memcpy(id, got.data, ID);
    must(theater_close_channel(got, NULL) == THEATER_OK, "it does not close");
    useless(id, ID);
}

/* --- Floods -------------------------------------------------------------- */

static void flood(const char *target, size_t len, theater_code_t expected)
{
    int refused = 0;
    for (int i = 0; i < FLOOD; i++) {
        theater_code_t code =
            theater_send(theater_str(target), theater_bytes(big, len), NULL);
        refused += code == expected;
        must(code == THEATER_OK || code == expected, "another refusal");
    }
    must(refused > 0, "a flood was never refused");
}

static void flood_big(void)
{
    int refused = 0;
    for (int i = 0; i < 200; i++) {
        refused += theater_send(theater_self_name(), theater_bytes(big, BIG),
                                NULL) == THEATER_MAILBOX_FULL;
    }
    must(refused >= 190, "over mailbox_bytes");
    must(theater_send(theater_str("vault"), theater_bytes(big, BIG + 1),
                      NULL) == THEATER_TOO_LARGE,
         "over the greatest message");
}

static void flood_broadcast(void)
{
    static theater_bytes_t targets[1025];
    for (int i = 0; i < 1025; i++) {
        targets[i] = i % 2 != 0 ? theater_str("hole") : theater_str("nobody");
    }
    for (int i = 0; i < 100; i++) {
        theater_mark_t mark = theater_mark();
        (void)theater_broadcast(targets, 1024, theater_str("to all"));
        theater_release(mark);
    }
    for (size_t i = 0; i < 1025; i++) {
        must(theater_refusal(theater_broadcast(targets, 1025, theater_str("x")),
                             i) != THEATER_OK,
             "1,025 targets");
        i += 255;
    }
}

static void flood_batch(void)
{
    static theater_bytes_t many[60000];
    uint32_t accepted = 0;
    (void)theater_send_batch(theater_self_name(), many, 60000, &accepted, NULL);
    must(accepted <= 1000, "over mailbox_capacity");
}

static void flood_log(void)
{
    for (int i = 0; i < FLOOD; i++) {
        theater_log(THEATER_LEVEL_ERROR, theater_bytes(big, 100));
    }
}

/* --- Exhaustion ---------------------------------------------------------- */

static void all_channels(void)
{
    int open = 0;
    theater_code_t code = THEATER_OK;
    while (code == THEATER_OK && open < 1000) {
        theater_mark_t mark = theater_mark();
        theater_bytes_t id;
        code = theater_open_channel(theater_str("vault"), theater_str("x"), &id,
                                    NULL);
        open += code == THEATER_OK;
        theater_release(mark);
    }
    must(code == THEATER_MAILBOX_FULL && open <= 100, "over max_channels");
}

static void all_credit(void)
{
    theater_bytes_t id;
    int sent = 0;
    must(theater_open_channel(theater_str("ditch"), theater_str("x"), &id,
                              NULL) == THEATER_OK,
         "no channel");
    while (sent < 10000 &&
           theater_send_on_channel(id, theater_str("x"), NULL) == THEATER_OK) {
        sent++;
    }
    must(sent <= 256, "over channel_credit");
}

static void all_timers(uint32_t delay_ms)
{
    int set = 0, refused = 0;
    for (int i = 0; i < FLOOD; i++) {
        theater_mark_t mark = theater_mark();
        theater_bytes_t id;
        theater_code_t code = theater_send_after(
            theater_str("nobody"), theater_str("x"), delay_ms, &id, NULL);
        set += code == THEATER_OK;
        refused += code == THEATER_MAILBOX_FULL;
        must(code == THEATER_OK || code == THEATER_MAILBOX_FULL, "a timer");
        theater_release(mark);
    }
    must(delay_ms == 0 || (set == 1000 && refused > 0), "over max_timers");
}

static void hoard_request(void)
{
    static bool full;
    theater_code_t code = theater_defer_response(NULL, NULL);
    must(code == THEATER_OK || code == THEATER_MAILBOX_FULL, "a defer");
    if (code == THEATER_MAILBOX_FULL && !full) {
        full = true;
        done();
    }
}

/* --- Waiting for oneself ------------------------------------------------- */

static void ask_oneself(void)
{
    theater_bytes_t answer;
    for (int i = 0; i < 1000; i++) {
        theater_mark_t mark = theater_mark();
        must(theater_request(theater_self_name(), theater_str("x"), &answer,
                             NULL) == THEATER_DEADLOCK,
             "asked itself");
        must(theater_open_channel(theater_self_name(), theater_str("x"),
                                  &answer, NULL) == THEATER_DEADLOCK,
             "opened to itself");
        theater_release(mark);
    }
}

static void ask_in_a_ring(void)
{
    theater_bytes_t answer;
    for (int i = 0; i < 100; i++) {
        theater_mark_t mark = theater_mark();
        must(theater_request(theater_str("vault"), theater_str("back"), &answer,
                             NULL) == THEATER_OK &&
                 theater_equal(answer, theater_str("deadlock")),
             "a ring of requests");
        theater_release(mark);
    }
}

static void trap_with_channel(void)
{
    theater_bytes_t id;
    must(theater_open_channel(theater_str("vault"), theater_str("x"), &id,
                              NULL) == THEATER_OK,
         "no channel");
    __builtin_trap();
}

/* --- Which one ----------------------------------------------------------- */

static void stop_and_go_on(void)
{
    theater_stop(theater_str("in the middle"));
    (void)theater_send(theater_str("nobody"), theater_str("still here"), NULL);
}

static void act(void)
{
    static const struct {
        const char *name;
        void (*act)(void);
    } table[] = {
        {"observed", observed},
        {"beside", beside},
        {"misspelt", misspelt},
        {"closed channel", closed_channel},
        {"flood big", flood_big},
        {"flood broadcast", flood_broadcast},
        {"flood batch", flood_batch},
        {"flood log", flood_log},
        {"all channels", all_channels},
        {"all credit", all_credit},
        {"ask oneself", ask_oneself},
        {"ring", ask_in_a_ring},
        {"trap with channel", trap_with_channel},
        {"stop", stop_and_go_on},
    };
    for (size_t i = 0; i < sizeof table / sizeof *table; i++) {
        if (is(table[i].name)) {
            table[i].act();
            done();
            return;
        }
    }
}

THEATER_RUN()
{
    theater_bytes_t state;
    static char room[32];
    must(theater_initial_state(&state) && state.len <= sizeof room, "state");
    __builtin_memcpy(room, state.data, state.len);
    mode = theater_bytes(room, state.len);
    act();
    if (is("guess requests") || is("guess channels") || is("guess timers")) {
        guess((char)room[6], false);
        guess((char)room[6], true);
        done();
    } else if (is("flood one")) {
        flood("hole", 8, THEATER_MAILBOX_FULL);
        done();
    } else if (is("flood empty")) {
        flood("hole", 0, THEATER_MAILBOX_FULL);
        done();
    } else if (is("flood self")) {
        char name[16];
        theater_bytes_t self = theater_self_name();
        __builtin_memcpy(name, self.data, self.len);
        name[self.len] = 0;
        flood(name, 8, THEATER_MAILBOX_FULL);
        done();
    } else if (is("flood nobody")) {
        flood("nobody", 8, THEATER_NOT_FOUND);
        done();
    } else if (is("timers now")) {
        all_timers(0);
        done();
    } else if (is("timers never")) {
        all_timers(UINT32_MAX);
        done();
    }
}

THEATER_HANDLE_SEND(data)
{
    (void)data;
}

THEATER_HANDLE_REQUEST(data)
{
    if (is("twice")) {
        twice(data);
    } else if (is("after cancel")) {
        after_cancel();
    } else if (is("recycled")) {
        recycled(data);
    } else if (is("hoard")) {
        hoard_request();
    }
    return theater_answer(data);
}

THEATER_HANDLE_CHANNEL_OPEN(initiator, data)
{
    (void)initiator;
    (void)data;
    return true;
}
