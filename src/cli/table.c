/* SPDX-License-Identifier: Apache-2.0 */
/* Design notes: the one table of commands, options, examples and environment
 * variables. Help, usage errors, completions, man pages and the tests that
 * walk it are made from it. What stands nowhere here does not exist. */
#include "cli/bench.h"
#include "cli/project.h"

#include <string.h>

#define LEN(array) (sizeof(array) / sizeof((array)[0]))
#define SECOND UINT64_C(1000000000)
#define HOUR (3600 * SECOND)

/* --- Options that several commands take ---------------------------------- */

#define OPTION_JSON                                                            \
    {.name = "json",                                                           \
     .kind = CLI_FLAG,                                                         \
     .help = "print JSON instead of text; errors, too"}

#define OPTION_WORKERS                                                         \
    {.name = "workers",                                                        \
     .kind = CLI_NUMBER,                                                       \
     .value = "N",                                                             \
     .help = "threads that run actors; one per core without it, 48 at most",   \
     .min = 1,                                                                 \
     .max = THEATER_WORKERS_MAX}

#define OPTION_CACHE                                                           \
    {.name = "cache-dir",                                                      \
     .kind = CLI_TEXT,                                                         \
     .value = "DIR",                                                           \
     .help = "keep compiled code there, not in the user's cache folder"},      \
        {.name = "no-cache",                                                   \
         .kind = CLI_FLAG,                                                     \
         .help = "keep no compiled code on disk"}

#define OPTION_WATCHDOG                                                        \
    {.name = "watchdog",                                                       \
     .kind = CLI_DURATION,                                                     \
     .value = "TIME",                                                          \
     .help = "report a worker that makes no progress for so long: what it is " \
             "in, who waits for whom, its stack; 0s: never",                   \
     .fallback = "5s",                                                         \
     .max = HOUR}

#define OPTION_RUN                                                             \
    {.name = "run",                                                            \
     .kind = CLI_TEXT,                                                         \
     .value = "FILE",                                                          \
     .help = "the manifest or system file to start, or a folder with "         \
             "theater.toml",                                                   \
     .required = true}

#define OPTION_TIMEOUT(text)                                                   \
    {.name = "timeout",                                                        \
     .kind = CLI_DURATION,                                                     \
     .value = "TIME",                                                          \
     .help = text,                                                             \
     .fallback = "5s",                                                         \
     .min = 1000000,                                                           \
     .max = HOUR}

static const struct cli_option common[] = {
    {.name = "help", .letter = 'h', .kind = CLI_FLAG, .help = "this help"},
};

/* --- run ----------------------------------------------------------------- */

static const struct cli_option run_options[] = {
    {.name = "stay",
     .kind = CLI_FLAG,
     .help = "go on when nothing can happen any more, until all actors have "
             "stopped or Ctrl-C"},
    OPTION_WORKERS,
    {.name = "drain-time",
     .kind = CLI_DURATION,
     .value = "TIME",
     .help = "after Ctrl-C, how long queued messages may still be handled",
     .fallback = "5s",
     .min = 1000000,
     .max = HOUR},
    OPTION_WATCHDOG,
    OPTION_CACHE,
    OPTION_JSON,
};
static const struct cli_example run_examples[] = {
    {"theater run", "run the actors of theater.toml in this folder"},
    {"theater run ping.toml pong.toml", "run the actors of two manifests"},
    {"theater run --stay --json theater.toml",
     "run until Ctrl-C, every event as a line of JSON"},
    {"THEATER_LOG=info,pong=debug theater run theater.toml",
     "show pong's debug lines, too"},
};

/* --- check, send, request ------------------------------------------------ */

static const struct cli_option check_options[] = {
    OPTION_WORKERS,
    OPTION_CACHE,
    OPTION_JSON,
};
static const struct cli_example check_examples[] = {
    {"theater check pong.toml", "check one manifest and its module"},
    {"theater check --json theater.toml", "the same for a system, as JSON"},
};

static const struct cli_option send_options[] = {
    OPTION_RUN,     OPTION_TIMEOUT("how long the actors may go on afterwards"),
    OPTION_WORKERS, OPTION_WATCHDOG,
    OPTION_CACHE,   OPTION_JSON,
};
static const struct cli_example send_examples[] = {
    {"theater send --run theater.toml counter 'one more line'",
     "start the system, send text to the actor counter"},
    {"theater send --run theater.toml counter @play.txt",
     "the same with what a file holds"},
};

static const struct cli_option request_options[] = {
    OPTION_RUN,
    OPTION_TIMEOUT("how long to wait for the answer"),
    {.name = "raw",
     .kind = CLI_FLAG,
     .help = "print the answer's bytes as they are, without a newline"},
    OPTION_WORKERS,
    OPTION_WATCHDOG,
    OPTION_CACHE,
    OPTION_JSON,
};
static const struct cli_example request_examples[] = {
    {"theater request --run pong.toml pong 'ping 1'",
     "start pong, ask it, print the answer"},
    {"theater request --run pong.toml --timeout 100ms --raw pong - < in > out",
     "the question from the standard input, the answer's bytes to a file"},
};

/* --- bench ---------------------------------------------------------------- */

static const struct cli_option bench_options[] = {
    {.name = "native",
     .kind = CLI_FLAG,
     .help = "C actors instead of WebAssembly ones"},
    {.name = "actors",
     .kind = CLI_NUMBER,
     .value = "N",
     .help = "pairs, requesters, senders, ...; each workload has its default",
     .min = 1,
     .max = 1000000},
    {.name = "payload",
     .kind = CLI_NUMBER,
     .value = "BYTES",
     .help = "of one message; 64 for most workloads",
     .min = 16,
     .max = 1048576},
    {.name = "seconds",
     .kind = CLI_TEXT,
     .value = "S",
     .help = "how long each repeat is measured; 0.2 is fine",
     .fallback = "1"},
    {.name = "repeat",
     .kind = CLI_NUMBER,
     .value = "N",
     .help = "repeats; the median counts",
     .fallback = "3",
     .min = 1,
     .max = 100},
    {.name = "tokens",
     .kind = CLI_NUMBER,
     .value = "N",
     .help = "ring, ping-pong: messages on their way",
     .fallback = "1",
     .min = 1,
     .max = 64},
    OPTION_WORKERS,
    {.name = "plot",
     .kind = CLI_TEXT,
     .value = "FILE.svg",
     .help = "measure pairs, from 1 to 10,000, and draw their rates"},
    OPTION_JSON,
};
static const struct cli_example bench_examples[] = {
    {"theater bench pairs --actors 100",
     "100 senders with a receiver each: messages a second"},
    {"theater bench request --native --seconds 0.2 --json",
     "requests between C actors, as JSON"},
    {"theater bench scale --workers 2",
     "100 pairs on two workers, against one"},
    {"theater bench --plot rates.svg",
     "rates against the number of actors, as a picture"},
};

/* --- errors, version, help ----------------------------------------------- */

static const struct cli_option listing_options[] = {
    OPTION_JSON,
};
static const struct cli_example errors_examples[] = {
    {"theater errors", "every status with its meaning"},
    {"theater errors mailbox-full", "one status, and what to do about it"},
    {"theater errors 3", "the same by its number"},
};
static const struct cli_example version_examples[] = {
    {"theater version", "the version"},
    {"theater version --json", "the same as JSON"},
};
static const struct cli_example help_examples[] = {
    {"theater help", "all commands"},
    {"theater help run", "one command, its options and examples"},
    {"theater help --json", "the whole table of commands, for programs"},
};

/* --- new, build ----------------------------------------------------------- */

static const struct cli_option new_options[] = {
    {.name = "lang",
     .kind = CLI_CHOICE,
     .value = "LANG",
     .help = "the language of the actor",
     .choices = cli_language_names,
     .required = true},
    OPTION_JSON,
};
static const struct cli_example new_examples[] = {
    {"theater new greeter --lang c", "a project in C, in the folder greeter"},
    {"theater new greeter --lang go", "the same in Go"},
};
static const struct cli_option build_options[] = {
    {.name = "lang",
     .kind = CLI_CHOICE,
     .value = "LANG",
     .help = "the language, where the folder does not tell it",
     .choices = cli_language_names},
    {.name = "verbose",
     .letter = 'v',
     .kind = CLI_FLAG,
     .help = "show what is run, and all that it says"},
    OPTION_JSON,
};
static const struct cli_example build_examples[] = {
    {"theater build", "build the project in this folder"},
    {"theater build --verbose greeter",
     "build the project in greeter, and show the tools at work"},
};

/* --- doctor --------------------------------------------------------------- */

static const struct cli_option doctor_options[] = {
    OPTION_CACHE,
    OPTION_JSON,
};
static const struct cli_example doctor_examples[] = {
    {"theater doctor", "what is installed, what is missing, what to do"},
    {"theater doctor --json", "the same as JSON"},
};

/* --- dev ------------------------------------------------------------------ */

static const struct cli_option dev_options[] = {
    {.name = "verbose",
     .letter = 'v',
     .kind = CLI_FLAG,
     .help = "show what is run to build, and all that it says"},
    OPTION_WORKERS,
    OPTION_CACHE,
    OPTION_JSON,
};
static const struct cli_example dev_examples[] = {
    {"theater dev", "build and run theater.toml of this folder, and again "
                    "whenever a source changes"},
    {"theater dev --verbose examples/theater.toml",
     "the same for another one, showing the tools at work"},
};

/* --- inspect -------------------------------------------------------------- */

static const struct cli_example inspect_examples[] = {
    {"theater inspect pong.wasm", "what a module imports and exports"},
    {"theater inspect --json pong.wasm", "the same as JSON"},
};

/* --- completion, man ------------------------------------------------------ */

static const struct cli_example completion_examples[] = {
    {"theater completion bash > ~/.local/share/bash-completion/completions/"
     "theater",
     "for bash, from the next shell on"},
    {"theater completion zsh > ~/.zfunc/_theater",
     "for zsh, where ~/.zfunc is in fpath"},
    {"theater completion fish > ~/.config/fish/completions/theater.fish",
     "for fish"},
};
static const struct cli_option man_options[] = {
    {.name = "write",
     .kind = CLI_TEXT,
     .value = "DIR",
     .help = "write all pages into that folder, which must be there"},
    OPTION_JSON,
};
static const struct cli_example man_examples[] = {
    {"theater man run | man -l -", "read the page of a command"},
    {"theater man --write /usr/local/share/man/man1", "write all pages"},
};

static const struct cli_option schema_options[] = {
    {.name = "write",
     .kind = CLI_TEXT,
     .value = "DIR",
     .help = "write both schemas into that folder, which must be there"},
    OPTION_JSON,
};
static const struct cli_example schema_examples[] = {
    {"theater schema manifest > manifest.schema.json",
     "for an editor that checks TOML by a schema"},
};

/* --- Words of operands --------------------------------------------------- */

static const char *workload_word(size_t i)
{
    size_t len;
    const struct bench_workload *all = bench_workloads(&len);
    return i < len ? all[i].name : NULL;
}

static const char *status_word(size_t i)
{
    return i < THEATER_STATUS_COUNT ? theater_status_name((theater_status_t)i)
                                    : NULL;
}

/* --- The table ----------------------------------------------------------- */

#define OPTIONS(array) .options = (array), .options_len = LEN(array)
#define EXAMPLES(array) .examples = (array), .examples_len = LEN(array)

static const struct cli_command commands[] = {
    {.name = "run",
     .operands = "[FILE...]",
     .least = 0,
     .most = UINT32_MAX,
     .summary = "run actors until they have stopped or nothing can happen",
     .details =
         "FILE is a manifest or a system file, or a folder with theater.toml; "
         "theater.toml of this folder without it. The run ends when all "
         "actors have stopped, or when nothing can happen any more: all are "
         "idle and "
         "no timer or request is under way.\n\n"
         "Ctrl-C lets the actors handle what is queued, then stops them; a "
         "second Ctrl-C ends at once. What actors say, dead letters and "
         "failures are shown as they come, on the standard output; the last "
         "line says what was handled.\n\n"
         "Exit code: 0; 1 when an actor failed or could not be started; 3 "
         "when a file is missing.",
     OPTIONS(run_options),
     EXAMPLES(run_examples),
     .run = cli_run},
    {.name = "check",
     .operands = "[FILE...]",
     .least = 0,
     .most = UINT32_MAX,
     .summary = "check manifests and modules without starting anything",
     .details =
         "FILE is a manifest or a system file, or a folder with theater.toml; "
         "theater.toml of this folder without it. Says for each actor what "
         "its module exports and imports, and what its manifest grants it. "
         "Exit code 1 when one of them could not be started.",
     OPTIONS(check_options),
     EXAMPLES(check_examples),
     .run = cli_check},
    {.name = "send",
     .operands = "NAME DATA",
     .least = 2,
     .most = 2,
     .summary = "start a system, send one message to an actor",
     .details = "Sends DATA to the actor NAME of --run FILE, then lets all of "
                "them run, and ends when nothing can happen any more.\n\n"
                "DATA is the text itself, - for the standard input, or @file "
                "for what a file holds. What actors say goes to the standard "
                "error.\n\n"
                "Exit code: 0 the message was taken; 1 it was refused, or an "
                "actor failed; 3 there is no such actor.",
     OPTIONS(send_options),
     EXAMPLES(send_examples),
     .run = cli_send},
    {.name = "request",
     .operands = "NAME DATA",
     .least = 2,
     .most = 2,
     .summary = "start a system, ask an actor, print the answer",
     .details = "Sends DATA to the actor NAME of --run FILE as a request, then "
                "lets all of them run, and prints the answer.\n\n"
                "DATA is the text itself, - for the standard input, or @file "
                "for what a file holds. What actors say goes to the standard "
                "error.\n\n"
                "Exit code: 0 answered; 1 the actor answered with an error or "
                "failed; 3 there is no such actor; 4 denied; 5 no answer in "
                "time.",
     OPTIONS(request_options),
     EXAMPLES(request_examples),
     .run = cli_request},
    {.name = "new",
     .operands = "NAME",
     .least = 1,
     .most = 1,
     .summary = "make a project for a new actor",
     .details =
         "Makes the folder NAME with an actor's source, its manifest, a "
         "system file and what it needs of the SDK. Nothing is fetched. NAME "
         "has letters, digits, - and _, and begins with a letter. What is "
         "there already is not touched.",
     OPTIONS(new_options),
     EXAMPLES(new_examples),
     .run = cli_new},
    {.name = "build",
     .operands = "[DIR]",
     .least = 0,
     .most = 1,
     .summary = "build an actor's project to actor.wasm",
     .details =
         "DIR is a project as `theater new` makes it; this folder without it. "
         "Its source tells the language: actor.c, actor.go, actor.js, "
         "actor.ts, actor.py, actor.zig, or Cargo.toml for Rust. When a tool "
         "is missing, its package is named; of PATH only absolute folders "
         "are searched. For JavaScript, TypeScript and "
         "Python the first build installs the project's own tools, with npm "
         "or pip, and needs the network for that.",
     OPTIONS(build_options),
     EXAMPLES(build_examples),
     .run = cli_build},
    {.name = "dev",
     .operands = "[FILE]",
     .least = 0,
     .most = 1,
     .summary = "build and run; rebuild and restart what changes",
     .details =
         "FILE is a manifest or a system file, or a folder with theater.toml; "
         "theater.toml of this folder without it. The projects of its actors "
         "are built and the actors started. When a "
         "source of a project changes it is built again, and its actors are "
         "stopped and started anew; the others go on. When it cannot be "
         "built, the actors that run go on.\n\n"
         "An actor in a folder that is no project is started anew when its "
         "module or manifest changes. What a project's .gitignore names "
         "(in the lines of its first 16 KiB) is not watched.\n\n"
         "Ctrl-C ends it, as SIGINT and SIGTERM do. A shell that runs a script "
         "starts what ends with & with SIGINT ignored, and it stays ignored: "
         "there only SIGTERM, which kill sends, ends it.",
     OPTIONS(dev_options),
     EXAMPLES(dev_examples),
     .run = cli_dev},
    {.name = "inspect",
     .operands = "FILE",
     .least = 1,
     .most = 1,
     .summary = "show what a WebAssembly file imports and exports",
     .details = "FILE is a core module or a component. Shows which of the two "
                "it is, its size, its sections, and imports and exports with "
                "their types. Nothing is compiled: a file that cannot be run "
                "is shown, too. Of a component the names and kinds of imports "
                "and exports are shown, not what is inside them.\n\n"
                "Exit code 1 when a part of the file cannot be read; what was "
                "read before is shown.",
     OPTIONS(listing_options),
     EXAMPLES(inspect_examples),
     .run = cli_inspect},
    {.name = "doctor",
     .operands = "",
     .least = 0,
     .most = 0,
     .summary = "show what is installed, what is missing, what to do",
     .details = "Looks at the cache of compiled code, the cores, the kernel's "
                "bound on mappings, and the toolchains of each language. "
                "Nobody needs all toolchains: one that is missing is no "
                "failure. Exit code 1 when actors could not be run well.",
     OPTIONS(doctor_options),
     EXAMPLES(doctor_examples),
     .run = cli_doctor},
    {.name = "bench",
     .operands = "[WORKLOAD]",
     .least = 0,
     .most = 1,
     .summary = "measure messages, requests, latencies, memory",
     .details =
         "WORKLOAD is one of: pairs (N senders, each to a receiver of its "
         "own), request (N requesters, each with a responder), ping-pong, "
         "flood (N to one, and what a pair beside it keeps), ring, "
         "all-to-all, broadcast (one to N), channel, spawn, memory (what an "
         "idle actor takes), wake (beside a bare futex wake), scale (pairs on "
         "all workers, against one), start (`theater run` to the first "
         "answer, with and without compiled code).\n\n"
         "Prints the median of the repeats with the least and the greatest, "
         "latencies, memory, and what was sent, delivered, became a dead "
         "letter and was lost, by the router's counters and by the actors' "
         "own. Exit code 1 when anything was lost.",
     OPTIONS(bench_options),
     .word = workload_word,
     EXAMPLES(bench_examples),
     .run = cli_bench},
    {.name = "errors",
     .operands = "[CODE]",
     .least = 0,
     .most = 1,
     .summary = "explain the statuses that calls and commands answer",
     .details = "CODE is a status's name or number. Without it all are "
                "listed.",
     OPTIONS(listing_options),
     .word = status_word,
     EXAMPLES(errors_examples),
     .run = cli_errors},
    {.name = "completion",
     .operands = "SHELL",
     .least = 1,
     .most = 1,
     .summary = "print a script that completes commands and options",
     .details = "SHELL is bash, zsh or fish.",
     OPTIONS(listing_options),
     .word = cli_shell_word,
     EXAMPLES(completion_examples),
     .run = cli_completion},
    {.name = "man",
     .operands = "[PAGE]",
     .least = 0,
     .most = 1,
     .summary = "print a manual page",
     .details = "PAGE is a command, theater (the default), theater.toml (the "
                "system file) or theater-manifest. What is printed is mdoc, "
                "which man formats.",
     OPTIONS(man_options),
     .word = cli_page_word,
     EXAMPLES(man_examples),
     .run = cli_man},
    {.name = "schema",
     .operands = "[KIND]",
     .least = 0,
     .most = 1,
     .summary = "print the JSON schema of manifests or system files",
     .details = "KIND is manifest or system. What the schema refuses, "
                "`theater check` refuses; lengths of texts are counted in "
                "characters there, in bytes here.",
     OPTIONS(schema_options),
     .word = cli_schema_word,
     EXAMPLES(schema_examples),
     .run = cli_schema},
    {.name = "version",
     .operands = "",
     .least = 0,
     .most = 0,
     .summary = "print the version",
     .details = "",
     OPTIONS(listing_options),
     EXAMPLES(version_examples),
     .run = cli_version},
    {.name = "help",
     .operands = "[COMMAND]",
     .least = 0,
     .most = 1,
     .summary = "list the commands, or explain one",
     .details = "",
     OPTIONS(listing_options),
     .word = cli_command_word,
     EXAMPLES(help_examples),
     .run = cli_help},
};

static const struct cli_variable variables[] = {
    {"THEATER_LOG",
     "what is shown: a level (off, error, warn, info, debug, trace), and "
     "levels of single modules: an actor's name (one * at its end), router, "
     "runtime, theater; info,pong=debug,router=warn. Default: info"},
    {"THEATER_LOG_FORMAT", "text (default) or json"},
    {"NO_COLOR", "when it is set to anything: no colour"},
    {"XDG_CACHE_HOME", "compiled code is kept below it, in theater/code"},
};

const struct cli_command *cli_commands(size_t *out_len)
{
    *out_len = LEN(commands);
    return commands;
}

const struct cli_option *cli_common_options(size_t *out_len)
{
    *out_len = LEN(common);
    return common;
}

const struct cli_option *cli_option_at(const struct cli_command *command,
                                       size_t i)
{
    size_t own = command != NULL ? command->options_len : 0;
    if (i < own) {
        return &command->options[i];
    }
    return i - own < LEN(common) ? &common[i - own] : NULL;
}

const char *cli_command_word(size_t i)
{
    return i < LEN(commands) ? commands[i].name : NULL;
}

enum cli_place cli_place_of(const char *value)
{
    if (value != NULL && strstr(value, "FILE") != NULL) {
        return CLI_FILES;
    }
    return value != NULL && strstr(value, "DIR") != NULL ? CLI_FOLDERS
                                                         : CLI_ANYTHING;
}

const struct cli_variable *cli_variables(size_t *out_len)
{
    *out_len = LEN(variables);
    return variables;
}

const struct cli_command *cli_find_command(const char *name)
{
    for (size_t i = 0; i < LEN(commands); i++) {
        if (strcmp(commands[i].name, name) == 0) {
            return &commands[i];
        }
    }
    return NULL;
}
