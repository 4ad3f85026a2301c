/* SPDX-License-Identifier: Apache-2.0 */
/* An actor that does what a test tells it: a request is one command, "send
 * pong hello", and the answer is "ok", "ok VALUE" or "error CODE: text". What
 * it hears goes to a journal, which the command "heard" answers and clears.
 *
 * Data that begin with '!' are a command where commands are not expected: in
 * `handle-send`, in `handle-channel-message`, and inside `handle-channel-open`
 * (which then accepts); the result goes to the journal. README.md lists the
 * commands. */
#include <theater/actor.h>

static char journal_buffer[16384];
static theater_text_t journal = {journal_buffer, sizeof journal_buffer, 0};

static void note(const char *what, theater_bytes_t who, theater_bytes_t text)
{
    theater_add(&journal, what);
    theater_add(&journal, " ");
    theater_add_bytes(&journal, who);
    theater_add(&journal, " ");
    theater_add_bytes(&journal, text);
    theater_add(&journal, "\n");
}

static bool starts(theater_bytes_t text, const char *with)
{
    theater_bytes_t prefix = theater_str(with);
    return text.len >= prefix.len &&
           theater_equal(theater_bytes(text.data, prefix.len), prefix);
}

static theater_bytes_t from(theater_bytes_t text, size_t at)
{
    return theater_bytes(text.data + at, text.len - at);
}

/* Takes the first word off `rest`. */
static theater_bytes_t word(theater_bytes_t *rest)
{
    size_t end = 0;
    while (end < rest->len && rest->data[end] != ' ') {
        end++;
    }
    theater_bytes_t first = theater_bytes(rest->data, end);
    *rest = from(*rest, end < rest->len ? end + 1 : end);
    return first;
}

static uint64_t number(theater_bytes_t *rest)
{
    uint64_t value = 0;
    theater_parse_u64(word(rest), &value);
    return value;
}

static theater_bytes_t ok_value(theater_bytes_t value)
{
    size_t room = value.len + 3;
    theater_text_t text = theater_text(theater_scratch(room), room);
    theater_add(&text, "ok ");
    theater_add_bytes(&text, value);
    return theater_text_bytes(&text);
}

static theater_bytes_t ok_number(uint64_t value)
{
    char digits[24];
    theater_text_t text = theater_text(digits, sizeof digits);
    theater_add_u64(&text, value);
    return ok_value(theater_text_bytes(&text));
}

static theater_bytes_t result(theater_code_t code, const theater_error_t *err)
{
    if (code == THEATER_OK) {
        return theater_str("ok");
    }
    size_t room = err->message.len + 32;
    theater_text_t text = theater_text(theater_scratch(room), room);
    theater_add(&text, "error ");
    theater_add(&text, theater_code_name(code));
    theater_add(&text, ": ");
    theater_add_bytes(&text, err->message);
    return theater_text_bytes(&text);
}

static theater_bytes_t result_value(theater_code_t code,
                                    const theater_error_t *err,
                                    theater_bytes_t value)
{
    return code == THEATER_OK ? ok_value(value) : result(code, err);
}

static theater_bytes_t fill(size_t len)
{
    uint8_t *data = theater_scratch(len);
    __builtin_memset(data, 'x', len);
    return theater_bytes(data, len);
}

static theater_bytes_t do_send(theater_bytes_t rest)
{
    theater_error_t err;
    theater_bytes_t to = word(&rest);
    return result(theater_send(to, rest, &err), &err);
}

/* send-size NAME BYTES */
static theater_bytes_t do_send_size(theater_bytes_t rest)
{
    theater_error_t err;
    theater_bytes_t to = word(&rest);
    return result(theater_send(to, fill((size_t)number(&rest)), &err), &err);
}

/* flood NAME COUNT TEXT: "ok ACCEPTED"; goes on after a refusal. */
static theater_bytes_t do_flood(theater_bytes_t rest)
{
    theater_bytes_t to = word(&rest);
    uint64_t count = number(&rest);
    uint64_t accepted = 0;
    for (uint64_t i = 0; i < count; i++) {
        accepted += theater_send(to, rest, NULL) == THEATER_OK ? 1 : 0;
    }
    return ok_number(accepted);
}

/* batch NAME COUNT TEXT: the text with the number behind it, COUNT times. */
static theater_bytes_t do_batch(theater_bytes_t rest)
{
    theater_error_t err;
    uint32_t accepted = 0;
    theater_bytes_t to = word(&rest);
    size_t count = (size_t)number(&rest);
    theater_bytes_t *items = theater_scratch(count * sizeof *items);
    for (size_t i = 0; i < count; i++) {
        size_t room = rest.len + 10;
        theater_text_t text = theater_text(theater_scratch(room), room);
        theater_add_bytes(&text, rest);
        theater_add_u64(&text, i);
        items[i] = theater_text_bytes(&text);
    }
    theater_code_t code = theater_send_batch(to, items, count, &accepted, &err);
    return code == THEATER_OK ? ok_number(accepted) : result(code, &err);
}

static theater_bytes_t refusals_text(theater_refusals_t refusals)
{
    size_t room = refusals.len * 20 + 1;
    theater_text_t text = theater_text(theater_scratch(room), room);
    for (size_t i = 0; i < refusals.len; i++) {
        theater_add(&text, i > 0 ? "," : "");
        theater_add(&text, theater_code_name(theater_refusal(refusals, i)));
    }
    return ok_value(theater_text_bytes(&text));
}

/* batch-same NAME COUNT BYTES: the same bytes COUNT times. */
static theater_bytes_t do_batch_same(theater_bytes_t rest)
{
    theater_error_t err;
    uint32_t accepted = 0;
    theater_bytes_t to = word(&rest);
    size_t count = (size_t)number(&rest);
    theater_bytes_t same = fill((size_t)number(&rest));
    theater_bytes_t *items = theater_scratch(count * sizeof *items);
    for (size_t i = 0; i < count; i++) {
        items[i] = same;
    }
    theater_code_t code = theater_send_batch(to, items, count, &accepted, &err);
    return code == THEATER_OK ? ok_number(accepted) : result(code, &err);
}

/* broadcast NAME,NAME,... TEXT: "ok CODE,CODE,..." */
static theater_bytes_t do_broadcast(theater_bytes_t rest)
{
    theater_bytes_t names = word(&rest);
    theater_bytes_t *targets =
        theater_scratch((names.len + 1) * sizeof *targets);
    size_t count = 0;
    size_t start = 0;
    for (size_t i = 0; i <= names.len; i++) {
        if (i == names.len || names.data[i] == ',') {
            targets[count++] = theater_bytes(names.data + start, i - start);
            start = i + 1;
        }
    }
    return refusals_text(theater_broadcast(targets, count, rest));
}

/* broadcast-many NAME COUNT TEXT: one name COUNT times. */
static theater_bytes_t do_broadcast_many(theater_bytes_t rest)
{
    theater_bytes_t to = word(&rest);
    size_t count = (size_t)number(&rest);
    theater_bytes_t *targets = theater_scratch(count * sizeof *targets);
    for (size_t i = 0; i < count; i++) {
        targets[i] = to;
    }
    return refusals_text(theater_broadcast(targets, count, rest));
}

/* after NAME MS TEXT: "ok ID" */
static theater_bytes_t do_after(theater_bytes_t rest)
{
    theater_error_t err;
    theater_bytes_t id = theater_str("");
    theater_bytes_t to = word(&rest);
    uint32_t delay_ms = (uint32_t)number(&rest);
    return result_value(theater_send_after(to, rest, delay_ms, &id, &err), &err,
                        id);
}

static theater_bytes_t do_cancel_send(theater_bytes_t rest)
{
    theater_error_t err;
    return result(theater_cancel_send(rest, &err), &err);
}

static theater_bytes_t do_request(theater_bytes_t rest)
{
    theater_error_t err;
    theater_bytes_t answer = theater_str("");
    theater_bytes_t to = word(&rest);
    return result_value(theater_request(to, rest, &answer, &err), &err, answer);
}

/* request-with NAME MS TEXT */
static theater_bytes_t do_request_with(theater_bytes_t rest)
{
    theater_error_t err;
    theater_bytes_t answer = theater_str("");
    theater_bytes_t to = word(&rest);
    uint32_t timeout_ms = (uint32_t)number(&rest);
    return result_value(
        theater_request_with(to, rest, timeout_ms, &answer, &err), &err,
        answer);
}

/* defer: this command's own answer; its id goes to the journal. */
static theater_bytes_t do_defer(theater_bytes_t rest)
{
    theater_error_t err;
    theater_bytes_t id = theater_str("");
    theater_bytes_t done =
        result_value(theater_defer_response(&id, &err), &err, id);
    note("deferred", id, rest);
    return done;
}

/* defer-twice: "ok" where the second time is refused. */
static theater_bytes_t do_defer_twice(theater_bytes_t rest)
{
    theater_error_t err;
    do_defer(rest);
    theater_bytes_t second = result(theater_defer_response(NULL, &err), &err);
    note("second-defer", second, theater_str(""));
    return second;
}

/* outstanding: "ok COUNT ID ID ..." */
static theater_bytes_t do_outstanding(theater_bytes_t rest)
{
    theater_list_t list = theater_list_outstanding_requests();
    size_t room = 32;
    (void)rest;
    for (size_t i = 0; i < list.len; i++) {
        room += list.items[i].len + 1;
    }
    theater_text_t text = theater_text(theater_scratch(room), room);
    theater_add_u64(&text, list.len);
    for (size_t i = 0; i < list.len; i++) {
        theater_add(&text, " ");
        theater_add_bytes(&text, list.items[i]);
    }
    return ok_value(theater_text_bytes(&text));
}

static theater_bytes_t do_respond(theater_bytes_t rest)
{
    theater_error_t err;
    theater_bytes_t id = word(&rest);
    return result(theater_respond_to_request(id, rest, &err), &err);
}

/* respond-all TEXT: "ok COUNT" */
static theater_bytes_t do_respond_all(theater_bytes_t rest)
{
    theater_list_t list = theater_list_outstanding_requests();
    uint64_t count = 0;
    for (size_t i = 0; i < list.len; i++) {
        theater_code_t code =
            theater_respond_to_request(list.items[i], rest, NULL);
        count += code == THEATER_OK ? 1 : 0;
    }
    return ok_number(count);
}

static theater_bytes_t do_cancel_request(theater_bytes_t rest)
{
    theater_error_t err;
    return result(theater_cancel_request(rest, &err), &err);
}

static theater_bytes_t do_open(theater_bytes_t rest)
{
    theater_error_t err;
    theater_bytes_t id = theater_str("");
    theater_bytes_t to = word(&rest);
    return result_value(theater_open_channel(to, rest, &id, &err), &err, id);
}

/* channel ID TEXT */
static theater_bytes_t do_channel(theater_bytes_t rest)
{
    theater_error_t err;
    theater_bytes_t id = word(&rest);
    return result(theater_send_on_channel(id, rest, &err), &err);
}

/* stream ID COUNT TEXT: "ok ACCEPTED" */
static theater_bytes_t do_stream(theater_bytes_t rest)
{
    theater_error_t err;
    theater_bytes_t id = word(&rest);
    uint64_t count = number(&rest);
    for (uint64_t i = 0; i < count; i++) {
        theater_code_t code = theater_send_on_channel(id, rest, &err);
        if (code != THEATER_OK) {
            return result(code, &err);
        }
    }
    return ok_number(count);
}

static theater_bytes_t do_close(theater_bytes_t rest)
{
    theater_error_t err;
    return result(theater_close_channel(rest, &err), &err);
}

static theater_bytes_t do_current(theater_bytes_t rest)
{
    (void)rest;
    theater_bytes_t id;
    return theater_current_channel(&id) ? ok_value(id) : theater_str("ok");
}

static theater_bytes_t do_sender(theater_bytes_t rest)
{
    (void)rest;
    theater_bytes_t name;
    return theater_sender(&name) ? ok_value(name) : theater_str("ok");
}

static theater_bytes_t do_name(theater_bytes_t rest)
{
    (void)rest;
    return ok_value(theater_self_name());
}

static theater_bytes_t do_state(theater_bytes_t rest)
{
    (void)rest;
    theater_bytes_t state;
    return theater_initial_state(&state) ? ok_value(state) : theater_str("ok");
}

static theater_bytes_t do_now(theater_bytes_t rest)
{
    (void)rest;
    return ok_number(theater_now_ms());
}

/* sleep MS: "ok ELAPSED" */
static theater_bytes_t do_sleep(theater_bytes_t rest)
{
    uint64_t start_ms = theater_now_ms();
    theater_sleep_ms((uint32_t)number(&rest));
    return ok_number(theater_now_ms() - start_ms);
}

static theater_bytes_t do_stop(theater_bytes_t rest)
{
    theater_stop(rest);
    return theater_str("ok");
}

/* log LEVEL TEXT, with the level as a number. */
static theater_bytes_t do_log(theater_bytes_t rest)
{
    uint64_t level = number(&rest);
    theater_log((theater_level_t)level, rest);
    return theater_str("ok");
}

/* log-size BYTES */
static theater_bytes_t do_log_size(theater_bytes_t rest)
{
    theater_log(THEATER_LEVEL_INFO, fill((size_t)number(&rest)));
    return theater_str("ok");
}

/* fail TEXT: this request ends as failed. */
static theater_bytes_t do_fail(theater_bytes_t rest)
{
    return rest;
}

/* answer-size BYTES: so many, without "ok". */
static theater_bytes_t do_answer_size(theater_bytes_t rest)
{
    return fill((size_t)number(&rest));
}

static theater_bytes_t do_echo(theater_bytes_t rest)
{
    return ok_value(rest);
}

static theater_bytes_t do_trap(theater_bytes_t rest)
{
    (void)rest;
    __builtin_trap();
}

/* heard: the journal, which is empty then. */
static theater_bytes_t do_heard(theater_bytes_t rest)
{
    (void)rest;
    theater_bytes_t all = ok_value(theater_text_bytes(&journal));
    journal.len = 0;
    return all;
}

static const struct command {
    const char *name;                             /* first word */
    theater_bytes_t (*run)(theater_bytes_t rest); /* does the rest */
} commands[] = {
    {"send", do_send},
    {"send-size", do_send_size},
    {"flood", do_flood},
    {"batch", do_batch},
    {"batch-same", do_batch_same},
    {"broadcast", do_broadcast},
    {"broadcast-many", do_broadcast_many},
    {"after", do_after},
    {"cancel-send", do_cancel_send},
    {"request", do_request},
    {"request-with", do_request_with},
    {"defer", do_defer},
    {"defer-twice", do_defer_twice},
    {"outstanding", do_outstanding},
    {"respond", do_respond},
    {"respond-all", do_respond_all},
    {"cancel-request", do_cancel_request},
    {"open", do_open},
    {"channel", do_channel},
    {"stream", do_stream},
    {"close", do_close},
    {"current", do_current},
    {"sender", do_sender},
    {"name", do_name},
    {"state", do_state},
    {"now", do_now},
    {"sleep", do_sleep},
    {"stop", do_stop},
    {"log", do_log},
    {"log-size", do_log_size},
    {"fail", do_fail},
    {"answer-size", do_answer_size},
    {"echo", do_echo},
    {"trap", do_trap},
    {"heard", do_heard},
};

static theater_bytes_t execute(theater_bytes_t line)
{
    theater_bytes_t name = word(&line);
    for (size_t i = 0; i < sizeof commands / sizeof *commands; i++) {
        if (theater_equal(name, theater_str(commands[i].name))) {
            return commands[i].run(line);
        }
    }
    return theater_str("error: no such command");
}

/* Data that came in `what`: a command, or something to remember. */
static void hear(const char *what, theater_bytes_t who, theater_bytes_t data)
{
    if (starts(data, "!")) {
        note("did", who, execute(from(data, 1)));
    } else {
        note(what, who, data);
    }
}

THEATER_RUN()
{
    theater_bytes_t state;
    if (theater_initial_state(&state) && starts(state, "!")) {
        hear("run", theater_str("-"), state);
    }
}

THEATER_HANDLE_SEND(data)
{
    theater_bytes_t who = theater_str("-");
    theater_sender(&who);
    hear("send", who, data);
}

THEATER_HANDLE_REQUEST(data)
{
    return starts(data, "fail ") ? theater_fail(execute(data))
                                 : theater_answer(execute(data));
}

THEATER_HANDLE_CHANNEL_OPEN(initiator, data)
{
    hear("open", initiator, data);
    return !starts(data, "no");
}

THEATER_HANDLE_CHANNEL_MESSAGE(channel, data)
{
    hear("channel", channel, data);
}

THEATER_HANDLE_CHANNEL_CLOSE(channel)
{
    theater_error_t reason;
    bool has = theater_close_reason(&reason);
    note("close", channel,
         theater_str(has ? theater_code_name(reason.code) : "-"));
}

THEATER_HANDLE_STOP(reason)
{
    theater_log(THEATER_LEVEL_INFO, reason);
}
