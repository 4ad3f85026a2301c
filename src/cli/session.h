/* SPDX-License-Identifier: Apache-2.0 */
/* What the commands that start actors share: lines that are written by a
 * thread of their own, log levels per module, dead letters, interrupts, and
 * the five steps from a router to running actors. */
#ifndef TH_CLI_SESSION_H
#define TH_CLI_SESSION_H

#include "cli/cli.h"

#include <theater/message_server.h>
#include <theater/runtime.h>

#include <pthread.h>
#include <stdatomic.h>

/* --- Log levels ---------------------------------------------------------- */

enum { CLI_RULES_MAX = 64, CLI_LEVELS = 6 };

/* One part of THEATER_LOG. Levels: 0 off, then theater_log_level_t + 1. */
struct cli_rule {
    const char *module; /* borrowed from the environment, not ended by 0 */
    size_t len;         /* bytes of module; a * at its end: any that begin so */
    int level;          /* that is still shown */
};

struct cli_filter {
    int level; /* of modules that no rule names */
    struct cli_rule rules[CLI_RULES_MAX];
    size_t rules_len; /* entries in rules */
};

/* Parses THEATER_LOG. Answers CLI_OK, or CLI_USAGE after having said why.
 * `spec` NULL: info; it is borrowed as long as the filter. */
int cli_filter_parse(const struct cli_context *context, const char *spec,
                     struct cli_filter *out);
/* Is a line of that level of that module shown? The last rule counts. */
bool cli_filter_shows(const struct cli_filter *filter, const char *module,
                      theater_log_level_t level);

/* --- Lines --------------------------------------------------------------- */

enum {
    CLI_LETTERS_A_SECOND = 20, /* dead letters that are shown */
    CLI_PENDING_MAX = 8 << 20, /* bytes that wait to be written */
    CLI_LINE_MAX = 128 << 10,  /* bytes of one line of text, escaped */
    CLI_NAME_MAX = 255,        /* bytes of an actor's name */
};

/* A dead letter as the router's callback leaves it: plain bytes, formatted
 * later by the thread that writes. */
struct cli_letter {
    char sender[CLI_NAME_MAX];
    char target[CLI_NAME_MAX];
    uint8_t sender_len;
    uint8_t target_len;
    bool has_sender;
    uint8_t kind;   /* a theater_message_kind_t */
    uint8_t reason; /* a theater_status_t */
    size_t bytes;   /* of the payload */
};

struct cli_log {
    const theater_env_t *env;
    struct cli_filter filter;
    int fd;             /* where lines go */
    bool json;          /* each line is an object */
    bool color;         /* levels are coloured */
    bool shows_letters; /* the filter lets dead letters through */
    /* Called once, on the writing thread, when nobody reads any more or the
     * disk is full. May be NULL. */
    void (*on_closed)(void *user);
    void *user;

    theater_thread_t *writer;
    _Atomic uint32_t word;         /* the writer parks on it */
    _Atomic uint64_t letters_from; /* no dead letter is shown before then */
    _Atomic uint64_t left_out;     /* dead letters that were not shown */

    pthread_mutex_t lock;    /* guards all below */
    struct cli_text line;    /* the line in the making */
    struct cli_text pending; /* lines to be written */
    struct cli_letter letters[CLI_LETTERS_A_SECOND];
    unsigned letters_len;
    uint64_t window_ns; /* when the second of `shown` began */
    unsigned shown;     /* dead letters in it */
    uint64_t lost;      /* lines for which there was no room */
    bool sleeping;      /* the writer is about to park */
    bool ending;        /* write what is there, then end */
    bool closed;        /* nothing is written any more */
    bool failed;        /* since writing failed (not: a closed pipe) */
};

/* Starts the writer. Answers CLI_OK, or an exit code after having said why. */
int cli_log_start(const struct cli_context *context, struct cli_log *log,
                  int fd, void (*on_closed)(void *user), void *user);
/* Writes what is left and ends the writer. CLI_FAILED: not all could be. */
int cli_log_stop(struct cli_log *log);

/* An event of the runtime. Threads: any. Blocks: for other lines only. */
void cli_log_event(struct cli_log *log, const theater_event_t *event);
/* A dead letter of the router. Threads: any, also on a guest's stack. */
void cli_log_letter(struct cli_log *log, const theater_dead_letter_t *letter);
/* A line of the command's own, of module `theater`. */
void cli_log_say(struct cli_log *log, theater_log_level_t level,
                 const char *format, ...) __attribute__((format(printf, 3, 4)));
/* A line that is written as it is: format it between the two calls, with its
 * newline. */
struct cli_text *cli_log_begin(struct cli_log *log);
void cli_log_end(struct cli_log *log);

/* --- Formats of lines ---------------------------------------------------- */

struct cli_line {
    uint64_t wall_ns;
    theater_log_level_t level;
    const char *event;  /* "log", "failed", ...: for JSON */
    const char *module; /* "runtime", "router", "theater"; NULL: an actor's */
    const char *actor;  /* its name; NULL: none */
    const char *status; /* of FAILED; NULL */
    const void *text;
    size_t len;
};

void cli_format_line(struct cli_text *out, bool json, bool color,
                     const struct cli_line *line);
void cli_format_letter(struct cli_text *out, bool json, bool color,
                       uint64_t wall_ns, const struct cli_letter *letter);
/* A name, in quotes unless it is plain: nobody can be named `[router]`. */
void cli_add_name(struct cli_text *out, const void *name, size_t len);
/* 2026-03-01T12:00:00.123Z */
void cli_add_time(struct cli_text *out, uint64_t wall_ns, bool date);

/* --- Interrupts ---------------------------------------------------------- */

/* SIGINT and SIGTERM: before cli_interrupts_arm and after _disarm the first
 * one ends the program; between the two the first calls `drain` on a thread
 * of its own, the second ends the program at once. After _hold, which may come
 * before _arm, the first one waits for that. */
struct cli_interrupts {
    const theater_env_t *env;
    void (*drain)(void *user);
    void *user;
    theater_thread_t *watcher;
    theater_thread_t *drainer; /* the watcher's; NULL: none was started */
    int signals;               /* a signalfd */
    int events;                /* an eventfd: `wanted` or `ending` is set */
    _Atomic bool wanted;       /* drain as if there had been a signal */
    _Atomic bool ending;       /* the watcher is to end */
    _Atomic uint32_t state;    /* see interrupts.c */
};

/* Before any other thread is started: they must inherit the mask. */
int cli_interrupts_start(const struct cli_context *context,
                         struct cli_interrupts *interrupts);
/* On the thread that arms, before it does. */
void cli_interrupts_hold(struct cli_interrupts *interrupts);
void cli_interrupts_arm(struct cli_interrupts *interrupts,
                        void (*drain)(void *user), void *user);
/* Has a drain begun? Carries nothing else. */
bool cli_interrupts_begun(const struct cli_interrupts *interrupts);
/* As a first Ctrl-C. Threads: any. */
void cli_interrupts_drain(struct cli_interrupts *interrupts);
/* No drain begins any more; waits for one that is under way. Answers whether
 * there was one. */
bool cli_interrupts_disarm(struct cli_interrupts *interrupts);
/* Ends the watcher; after cli_interrupts_disarm, if it was armed. */
void cli_interrupts_stop(struct cli_interrupts *interrupts);

/* --- A session ----------------------------------------------------------- */

struct cli_session {
    const struct cli_context *context;
    struct cli_interrupts interrupts;
    struct cli_log log;
    theater_router_t *router;
    theater_runtime_t *runtime;
    theater_shutdown_report_t report; /* of a drain */
    uint64_t began_ns;
    uint32_t drain_ms;
    uint32_t grace_ms;  /* for calls that do not end when all is stopped */
    const char *target; /* of a send or request; NULL */
    theater_manifest_t *target_manifest; /* NULL: there is no such actor */
    bool target_is_deaf;                 /* it has no message-server handler */
    bool target_sends;        /* it exports handle-send: see cli_target_look */
    bool target_requests;     /* it exports handle-request */
    char target_failure[256]; /* why it failed first; "": it did not */
    bool spawns;              /* who is told as spawned runs at once */
    bool log_started;
    bool interrupts_started;
};

/* How a session ended. */
struct cli_summary {
    theater_counters_t counters;
    theater_runtime_stats_t stats;
    uint64_t left; /* queued at the end: 0, or a bug */
    double seconds;
    bool interrupted;
    uint64_t drained; /* handled after the interrupt */
};

/* Where compiled code is kept, by --cache-dir, --no-cache and the
 * environment; `out` is empty when nowhere. */
void cli_find_cache(const struct cli_context *context, char *out, size_t size);
/* Router, handlers, runtime and log; lines go to `log_fd`. `watchdog_ms`: of
 * theater_runtime_options_t. Answers CLI_OK or an
 * exit code after having said why. cli_session_close is called either way. */
int cli_session_open(const struct cli_context *context, int log_fd,
                     uint32_t watchdog_ms, struct cli_session *session);
/* Loads the files and starts their actors: all or none. */
int cli_session_spawn(struct cli_session *session, const char *const *paths,
                      size_t paths_len);
/* The same for one file, but they wait, registered, for
 * theater_runtime_start_all: what is sent before cannot come too late.
 * `target`, borrowed, is who will be addressed. */
int cli_session_spawn_paused(struct cli_session *session, const char *path,
                             const char *target);
/* Who of the system is `name`, borrowed? Answers CLI_OK, or an exit code after
 * having said that there is none, and which is nearest. */
int cli_target_find(struct cli_session *session, const char *name,
                    const theater_system_t *system);
/* Before the end: what a target that refused has instead. */
void cli_target_look(struct cli_session *session, theater_status_t status);
/* After the end: says why nothing could be sent. Answers the exit code. */
int cli_target_refused(const struct cli_session *session,
                       theater_status_t status);
/* From here on Ctrl-C drains; for who spawns by other means. */
void cli_session_arm(struct cli_session *session);
/* Has Ctrl-C come since? */
bool cli_session_interrupted(const struct cli_session *session);
/* Waits until the runtime is quiet (or, with `stay`, empty), at most
 * `timeout_ms`, then stops all actors in order. False: the time was over. */
bool cli_session_finish(struct cli_session *session, bool stay,
                        uint64_t timeout_ms, struct cli_summary *out);
/* One line (or object) on how it went, to the log. */
void cli_session_summarise(struct cli_session *session,
                           const struct cli_summary *summary);
/* Frees everything. CLI_FAILED: output could not be written. */
int cli_session_close(struct cli_session *session);

#endif
