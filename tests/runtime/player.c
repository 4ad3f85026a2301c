/* SPDX-License-Identifier: Apache-2.0 */
/* Does what it is told: the initial state in `run`, each message in
 * `handle-send`. Commands are lines, done in order:
 *   log TEXT     a line            size N       a line of N bytes
 *   lines N      N lines           sleep MS     sleep-ms
 *   stop REASON  stop              name         logs its own name
 *   count        logs how often it was called for a message in this life
 *   trap         unreachable       loop         never returns
 *   grow         takes all memory, then traps
 *   recurse      calls itself without end
 *   armed        from now on handle-stop never returns */
#include <theater/actor.h>

static volatile uint32_t sink;
static uint32_t messages;
static bool armed;
static char buffer[9000];

static void spin(void)
{
    for (;;) {
        sink = sink + 1;
    }
}

static __attribute__((noinline)) uint32_t deeper(uint32_t n)
{
    sink = sink + 1;
    return sink == 0 ? n : deeper(n + 1) + sink;
}

static bool is(theater_bytes_t *line, const char *word)
{
    size_t len = __builtin_strlen(word);
    if (line->len < len ||
        !theater_equal(theater_bytes(line->data, len), theater_str(word)) ||
        (line->len > len && line->data[len] != ' ')) {
        return false;
    }
    size_t skip = line->len > len ? len + 1 : len;
    *line = theater_bytes(line->data + skip, line->len - skip);
    return true;
}

static uint32_t number(theater_bytes_t line)
{
    uint64_t value = 0;
    theater_parse_u64(line, &value);
    return (uint32_t)value;
}

static void log_number(const char *what, uint32_t value)
{
    char place[64];
    theater_text_t text = theater_text(place, sizeof place);
    theater_add(&text, what);
    theater_add_u64(&text, value);
    theater_log(THEATER_LEVEL_INFO, theater_text_bytes(&text));
}

static void act(theater_bytes_t line)
{
    if (is(&line, "log")) {
        theater_log(THEATER_LEVEL_INFO, line);
    } else if (is(&line, "size")) {
        size_t len = number(line);
        for (size_t i = 0; i < len && i < sizeof buffer; i++) {
            buffer[i] = 'x';
        }
        theater_log(THEATER_LEVEL_INFO, theater_bytes(buffer, len));
    } else if (is(&line, "lines")) {
        for (uint32_t i = 0, n = number(line); i < n; i++) {
            log_number("line ", i);
        }
    } else if (is(&line, "sleep")) {
        theater_sleep_ms(number(line));
    } else if (is(&line, "stop")) {
        th_stop(line.data, line.len);
    } else if (is(&line, "name")) {
        theater_log(THEATER_LEVEL_INFO, theater_self_name());
    } else if (is(&line, "count")) {
        log_number("count ", messages);
    } else if (is(&line, "trap")) {
        __builtin_trap();
    } else if (is(&line, "loop")) {
        spin();
    } else if (is(&line, "grow")) {
        while (__builtin_wasm_memory_grow(0, 1) != (size_t)-1) {
            sink = sink + 1;
        }
        __builtin_trap();
    } else if (is(&line, "recurse")) {
        sink = deeper(0);
    } else if (is(&line, "armed")) {
        armed = true;
    }
}

static void act_all(theater_bytes_t script)
{
    size_t from = 0;
    for (size_t i = 0; i <= script.len; i++) {
        if (i == script.len || script.data[i] == '\n') {
            act(theater_bytes(script.data + from, i - from));
            from = i + 1;
        }
    }
}

THEATER_RUN()
{
    theater_bytes_t script;
    if (theater_initial_state(&script)) {
        act_all(script);
    }
}

THEATER_HANDLE_SEND(data)
{
    messages++;
    act_all(data);
}

THEATER_HANDLE_STOP(reason)
{
    char place[128];
    theater_text_t text = theater_text(place, sizeof place);
    theater_add(&text, "stopping: ");
    theater_add_bytes(&text, reason);
    theater_log(THEATER_LEVEL_INFO, theater_text_bytes(&text));
    if (armed) {
        spin();
    }
}
