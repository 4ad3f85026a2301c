/* SPDX-License-Identifier: Apache-2.0 */
/* Design notes: what a line looks like, and which are shown.
 *
 *     12:00:00.123Z info  pong: what it said
 *     12:00:00.123Z info  pong| the next line of the same text
 *     12:00:00.124Z error [runtime] pong failed: trapped: unreachable
 *
 * Lines of actors have the actor's name and a colon (or a bar, where its text
 * goes on); lines in brackets are ours, and no actor's name is shown with
 * brackets, spaces or colons outside of quotes: nobody can forge one. */
#include "cli/session.h"

#include <string.h>
#include <time.h>

static const char *const level_names[CLI_LEVELS] = {"off",  "error", "warn",
                                                    "info", "debug", "trace"};

/* --- Levels -------------------------------------------------------------- */

static bool parse_level(const char *word, size_t len, int *out)
{
    for (int i = 0; i < CLI_LEVELS; i++) {
        if (strlen(level_names[i]) == len &&
            memcmp(level_names[i], word, len) == 0) {
            *out = i;
            return true;
        }
    }
    return false;
}

static int bad_level(const struct cli_context *context, const char *word,
                     size_t len)
{
    char text[64];
    size_t size = len < sizeof text - 1 ? len : sizeof text - 1;
    memcpy(text, word, size);
    text[size] = '\0';
    const char *near = cli_nearest(text, level_names, CLI_LEVELS);
    return near != NULL
               ? cli_usage(context,
                           "THEATER_LOG: there is no level '%s'; did you "
                           "mean '%s'?",
                           text, near)
               : cli_usage(context,
                           "THEATER_LOG: there is no level '%s'; there are "
                           "off, error, warn, info, debug, trace",
                           text);
}

int cli_filter_parse(const struct cli_context *context, const char *spec,
                     struct cli_filter *out)
{
    memset(out, 0, sizeof *out);
    out->level = THEATER_LOG_INFO + 1;
    while (spec != NULL && *spec != '\0') {
        size_t len = strcspn(spec, ",");
        const char *equals = memchr(spec, '=', len);
        const char *word = equals != NULL ? equals + 1 : spec;
        size_t word_len = len - (size_t)(word - spec);
        int level = 0;
        if (len > 0 && !parse_level(word, word_len, &level)) {
            return bad_level(context, word, word_len);
        }
        if (len > 0 && equals == NULL) {
            out->level = level;
        } else if (len > 0) {
            if (out->rules_len == CLI_RULES_MAX) {
                return cli_usage(context, "THEATER_LOG: more than %d modules",
                                 CLI_RULES_MAX);
            }
            out->rules[out->rules_len++] =
                (struct cli_rule){spec, (size_t)(equals - spec), level};
        }
        spec += len + (spec[len] == ',');
    }
    return CLI_OK;
}

static bool rule_matches(const struct cli_rule *rule, const char *module)
{
    if (rule->len > 0 && rule->module[rule->len - 1] == '*') {
        return strncmp(rule->module, module, rule->len - 1) == 0;
    }
    return strlen(module) == rule->len &&
           memcmp(rule->module, module, rule->len) == 0;
}

bool cli_filter_shows(const struct cli_filter *filter, const char *module,
                      theater_log_level_t level)
{
    for (size_t i = filter->rules_len; i-- > 0;) {
        if (rule_matches(&filter->rules[i], module)) {
            return (int)level < filter->rules[i].level;
        }
    }
    return (int)level < filter->level;
}

/* --- Parts of a line ----------------------------------------------------- */

void cli_add_time(struct cli_text *out, uint64_t wall_ns, bool date)
{
    time_t seconds = (time_t)(wall_ns / 1000000000);
    struct tm parts;
    memset(&parts, 0, sizeof parts);
    (void)gmtime_r(&seconds, &parts);
    if (date) {
        cli_add_format(out, "%04d-%02d-%02dT", parts.tm_year + 1900,
                       parts.tm_mon + 1, parts.tm_mday);
    }
    cli_add_format(out, "%02d:%02d:%02d.%03uZ", parts.tm_hour, parts.tm_min,
                   parts.tm_sec, (unsigned)(wall_ns / 1000000 % 1000));
}

static bool is_plain(const uint8_t *name, size_t len)
{
    for (size_t i = 0; i < len; i++) {
        uint8_t c = name[i];
        bool plain = (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') ||
                     (c >= '0' && c <= '9') || c == '-' || c == '_' ||
                     c == '.' || c == '/' || c == '@' || c >= 0x80;
        if (!plain) {
            return false;
        }
    }
    return len > 0;
}

void cli_add_name(struct cli_text *out, const void *name, size_t len)
{
    const char *at = name;
    if (is_plain(name, len)) {
        cli_add_escaped(out, name, len);
        return;
    }
    cli_add(out, "\"");
    for (size_t i = 0, run = 0; i <= len; i++) {
        if (i == len || at[i] == '"' || at[i] == '\\') {
            cli_add_escaped(out, at + run, i - run);
            cli_add(out, i == len ? "" : at[i] == '"' ? "\\\"" : "\\\\");
            run = i + 1;
        }
    }
    cli_add(out, "\"");
}

static void add_prefix(struct cli_text *out, bool color,
                       const struct cli_line *line)
{
    static const char *const colors[] = {"\033[31m", "\033[33m", "\033[32m",
                                         "\033[36m", "\033[2m"};
    cli_add(out, color ? "\033[2m" : "");
    cli_add_time(out, line->wall_ns, false);
    cli_add(out, color ? "\033[0m " : " ");
    cli_add_format(out, "%s%-5s%s ", color ? colors[line->level] : "",
                   level_names[line->level + 1], color ? "\033[0m" : "");
}

/* What an actor said: each line of it is a line of ours. */
static void add_said(struct cli_text *out, bool color,
                     const struct cli_line *line)
{
    const char *text = line->text;
    size_t len = line->len;
    char mark = ':';
    if (len > 0 && text[len - 1] == '\n') {
        len--;
    }
    for (size_t at = 0; at <= len && !out->cut;) {
        const char *newline =
            at < len ? memchr(text + at, '\n', len - at) : NULL;
        size_t run = newline != NULL ? (size_t)(newline - text) - at : len - at;
        add_prefix(out, color, line);
        cli_add(out, color ? "\033[1m" : "");
        cli_add_name(out, line->actor, strlen(line->actor));
        cli_add(out, color ? "\033[0m" : "");
        cli_add_format(out, "%c ", mark);
        cli_add_escaped(out, text + at, run);
        cli_add(out, "\n");
        at += run + 1;
        mark = '|';
    }
}

static void add_ours(struct cli_text *out, bool color,
                     const struct cli_line *line)
{
    add_prefix(out, color, line);
    cli_add_format(out, "[%s] ", line->module);
    if (line->actor != NULL) {
        cli_add_name(out, line->actor, strlen(line->actor));
        cli_add_format(out, " %s", line->event);
        cli_add(out, line->status != NULL || line->len > 0 ? ": " : "");
    }
    if (line->status != NULL) {
        cli_add_format(out, "%s%s", line->status, line->len > 0 ? ": " : "");
    }
    cli_add_escaped(out, line->text, line->len);
    cli_add(out, "\n");
}

/* --- Lines --------------------------------------------------------------- */

static void begin_json(struct cli_text *out, uint64_t wall_ns,
                       const char *event)
{
    cli_json_object(out, NULL);
    cli_add(out, "\"time\":\"");
    cli_add_time(out, wall_ns, true);
    cli_add(out, "\"");
    cli_json_string(out, "event", event);
}

static void add_json(struct cli_text *out, const struct cli_line *line)
{
    begin_json(out, line->wall_ns, line->event);
    cli_json_string(out, "level", level_names[line->level + 1]);
    if (line->module != NULL && line->actor == NULL) {
        cli_json_string(out, "module", line->module);
    }
    cli_json_string(out, "actor", line->actor);
    if (line->status != NULL) {
        cli_json_string(out, "status", line->status);
    }
    cli_json_bytes(out, "text", line->text != NULL ? line->text : "",
                   line->len);
    cli_json_end(out, '}');
    cli_add(out, "\n");
}

void cli_format_line(struct cli_text *out, bool json, bool color,
                     const struct cli_line *line)
{
    if (json) {
        add_json(out, line);
        return;
    }
    out->limit = CLI_LINE_MAX;
    if (line->module == NULL) {
        add_said(out, color, line);
    } else {
        add_ours(out, color, line);
    }
    out->limit = 0;
    if (out->cut) {
        out->cut = false;
        cli_add(out,
                out->len > 0 && out->data[out->len - 1] == '\n' ? "" : "\n");
        add_prefix(out, color, line);
        cli_add(out, "[theater] the text before this line was cut\n");
    }
}

void cli_format_letter(struct cli_text *out, bool json, bool color,
                       uint64_t wall_ns, const struct cli_letter *letter)
{
    static const char *const kinds[] = {"send", "request", "channel-open",
                                        "channel-message", "channel-close"};
    const char *kind = letter->kind < 5 ? kinds[letter->kind] : "unknown";
    const char *reason = theater_status_name((theater_status_t)letter->reason);
    if (json) {
        begin_json(out, wall_ns, "dead-letter");
        cli_json_string(out, "level", "warn");
        cli_json_bytes(out, "sender",
                       letter->has_sender ? letter->sender : NULL,
                       letter->sender_len);
        cli_json_bytes(out, "target", letter->target, letter->target_len);
        cli_json_string(out, "kind", kind);
        cli_json_string(out, "reason", reason);
        cli_json_number(out, "bytes", letter->bytes);
        cli_json_end(out, '}');
        cli_add(out, "\n");
        return;
    }
    struct cli_line line = {.wall_ns = wall_ns, .level = THEATER_LOG_WARN};
    add_prefix(out, color, &line);
    cli_add(out, "[router] dead letter from ");
    if (letter->has_sender) {
        cli_add_name(out, letter->sender, letter->sender_len);
    } else {
        cli_add(out, "(no name)");
    }
    cli_add(out, " to ");
    cli_add_name(out, letter->target, letter->target_len);
    cli_add_format(out, ": %s (%s, %zu bytes)\n", reason, kind, letter->bytes);
}
