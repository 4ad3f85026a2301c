/* SPDX-License-Identifier: Apache-2.0 */
/* Design notes. `theater build`: the language is told by the project's source
 * file, the toolchain is the language's first that is whole. Tools run in the
 * project's folder; what they say is kept until they end, and shown when they
 * fail, or when they are compilers, which warn. */
#include "cli/progress.h"
#include "cli/project.h"

#include <errno.h>
#include <fcntl.h>
#include <glob.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

/* --- Programs ------------------------------------------------------------ */

void cli_keep_absolute_path(void)
{
    const char *path = getenv("PATH");
    char *kept = path != NULL ? malloc(strlen(path) + 1) : NULL;
    size_t used = 0;
    while (kept != NULL && *path != '\0') {
        size_t len = strcspn(path, ":");
        if (path[0] == '/') {
            memcpy(kept + used, path, len);
            used += len;
            kept[used++] = ':';
        }
        path += len;
        path += *path == ':';
    }
    if (used == 0) {
        /* An empty PATH would mean the current folder. */
        unsetenv("PATH");
    } else {
        kept[used - 1] = '\0';
        setenv("PATH", kept, 1);
    }
    free(kept);
}

bool cli_which(const char *name, char out[CLI_PATH_MAX])
{
    const char *path = getenv("PATH");
    if (strchr(name, '/') != NULL) {
        snprintf(out, CLI_PATH_MAX, "%s", name);
        return access(name, X_OK) == 0;
    }
    while (path != NULL && *path != '\0') {
        size_t len = strcspn(path, ":");
        struct stat stat_;
        if (len + strlen(name) + 1 < CLI_PATH_MAX &&
            snprintf(out, CLI_PATH_MAX, "%.*s/%s", (int)len, path, name) > 0 &&
            access(out, X_OK) == 0 && stat(out, &stat_) == 0 &&
            S_ISREG(stat_.st_mode)) {
            return true;
        }
        path += len;
        path += *path == ':';
    }
    return false;
}

/* Between fork and exec nothing may ask for memory: other threads may have
 * been in the allocator. */
static _Noreturn void become(const char *folder, char *const *env,
                             const char *path, const char *const *argv,
                             const int outputs[2])
{
    sigset_t none;
    int input = open("/dev/null", O_RDONLY);
    signal(SIGPIPE, SIG_DFL);
    sigemptyset(&none);
    sigprocmask(SIG_SETMASK, &none, NULL);
    if (input < 0 || dup2(input, STDIN_FILENO) < 0 ||
        dup2(outputs[0], STDOUT_FILENO) < 0 ||
        dup2(outputs[1], STDERR_FILENO) < 0 ||
        (folder != NULL && chdir(folder) != 0)) {
        _exit(127);
    }
    execve(path, (char *const *)(uintptr_t)argv, env);
    _exit(127);
}

/* Our environment with `more` in place of what has the same name; free it. */
static char **make_environment(const char *const *more)
{
    size_t len = 0, more_len = 0;
    while (environ[len] != NULL) {
        len++;
    }
    while (more != NULL && more[more_len] != NULL) {
        more_len++;
    }
    char **env = calloc(len + more_len + 1, sizeof *env);
    size_t used = 0;
    for (size_t i = 0; env != NULL && i < more_len; i++) {
        env[used++] = (char *)(uintptr_t)more[i];
    }
    for (size_t i = 0; env != NULL && i < len; i++) {
        size_t name = strcspn(environ[i], "=") + 1;
        size_t k = 0;
        while (k < more_len && strncmp(environ[i], more[k], name) != 0) {
            k++;
        }
        if (k == more_len) {
            env[used++] = environ[i];
        }
    }
    return env;
}

int cli_spawn(const char *folder, const char *const *env,
              const char *const *argv, const int outputs[2])
{
    int status;
    char path[CLI_PATH_MAX];
    char **environment = make_environment(env);
    if (environment == NULL || !cli_which(argv[0], path)) {
        /* A path is looked for in the project's folder. */
        snprintf(path, sizeof path, "%s", argv[0]);
    }
    pid_t pid = environment == NULL ? -1 : fork();
    if (pid == 0) {
        become(folder, environment, path, argv, outputs);
    }
    free(environment);
    if (pid < 0) {
        return 127;
    }
    while (waitpid(pid, &status, 0) < 0) {
        if (errno != EINTR) {
            return 127;
        }
    }
    return WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status);
}

/* --- The arguments of a step --------------------------------------------- */

enum { WORDS = 256 };

/* Arguments of a step with what they stand for; one text holds them all. */
struct words {
    struct cli_text text;
    size_t starts[WORDS];
    size_t len;
    const char *argv[WORDS + 1]; /* set by finish_words */
};

static void begin_word(struct words *words)
{
    if (words->len < WORDS) {
        words->starts[words->len++] = words->text.len;
    } else {
        words->text.failed = true;
    }
}

static void end_word(struct words *words)
{
    cli_add_bytes(&words->text, "", 1);
}

static void add_vendor(struct cli_text *out)
{
    glob_t found;
    if (glob("/usr/src/rustc-*/library/vendor", 0, NULL, &found) == 0) {
        cli_add(out, found.gl_pathv[found.gl_pathc - 1]);
        globfree(&found);
    } else {
        cli_add(out, "/usr/src/rustc/library/vendor");
    }
}

static void add_expanded(struct words *words, const struct cli_found *found,
                         const char *argument)
{
    begin_word(words);
    for (const char *at = argument; *at != '\0'; at++) {
        if (at[0] == '%' && at[1] >= '0' && at[1] < '0' + CLI_TOOLS) {
            cli_add(&words->text, found->tools[at[1] - '0']);
            at++;
        } else if (strncmp(at, "{vendor}", 8) == 0) {
            add_vendor(&words->text);
            at += 7;
        } else {
            cli_add_bytes(&words->text, at, 1);
        }
    }
    end_word(words);
}

/* The folder's *.c, as they are or with another ending. */
static void add_sources(struct words *words, const char *folder,
                        const char *ending)
{
    char pattern[2 * CLI_PATH_MAX];
    size_t used = 0;
    glob_t found;
    /* The folder's name is a name, whatever stands in it. */
    for (size_t i = 0; folder[i] != '\0' && i < CLI_PATH_MAX - 8; i++) {
        if (strchr("*?[\\", folder[i]) != NULL) {
            pattern[used++] = '\\';
        }
        pattern[used++] = folder[i];
    }
    memcpy(pattern + used, "/*.c", sizeof "/*.c");
    if (glob(pattern, 0, NULL, &found) != 0) {
        return;
    }
    for (size_t i = 0; i < found.gl_pathc; i++) {
        const char *name = strrchr(found.gl_pathv[i], '/') + 1;
        begin_word(words);
        /* A name that begins with a dash is no option, and one that begins
         * with @ no file of options. */
        cli_add_format(&words->text, "./%.*s%s", (int)strlen(name) - 2, name,
                       ending);
        end_word(words);
    }
    globfree(&found);
}

static void make_words(const struct cli_context *context, struct words *words,
                       const struct cli_found *found, const char *folder,
                       const char *const *list, size_t len)
{
    cli_text_init(&words->text, context->env);
    words->len = 0;
    for (size_t i = 0; i < len && list[i] != NULL; i++) {
        if (strcmp(list[i], "{c}") == 0) {
            add_sources(words, folder, ".c");
        } else if (strcmp(list[i], "{o}") == 0) {
            add_sources(words, folder, ".o");
        } else {
            add_expanded(words, found, list[i]);
        }
    }
    for (size_t i = 0; i < words->len && !words->text.failed; i++) {
        words->argv[i] = words->text.data + words->starts[i];
    }
    words->argv[words->text.failed ? 0 : words->len] = NULL;
}

/* --- Toolchains ---------------------------------------------------------- */

/* The first line of a file; empty where there is none. */
static void read_line(FILE *file, char out[CLI_PATH_MAX])
{
    rewind(file);
    if (fgets(out, CLI_PATH_MAX, file) == NULL) {
        out[0] = '\0';
    }
    out[strcspn(out, "\n")] = '\0';
}

static bool passes(const struct cli_context *context,
                   const struct cli_found *found)
{
    const struct cli_toolchain *chain = found->toolchain;
    struct words words;
    char line[CLI_PATH_MAX];
    FILE *said = tmpfile();
    int nowhere = open("/dev/null", O_WRONLY | O_CLOEXEC);
    bool good = false;
    make_words(context, &words, found, ".", chain->check.argv, CLI_ARGS);
    if (words.argv[0] != NULL && said != NULL && nowhere >= 0) {
        const int outputs[] = {fileno(said), nowhere};
        good = cli_spawn(NULL, chain->check.env, words.argv, outputs) == 0;
        read_line(said, line);
        good = good && (chain->check_said == NULL || chain->check_said(line));
    }
    cli_text_fini(&words.text);
    if (said != NULL) {
        fclose(said);
    }
    if (nowhere >= 0) {
        close(nowhere);
    }
    return good;
}

/* Once, though several tools are of one package. */
static void add_missing(struct cli_text *missing, const char *package)
{
    if (missing->len > 0 && strstr(missing->data, package) != NULL) {
        return;
    }
    cli_add_format(missing, "%s%s", missing->len > 0 ? "; " : "", package);
}

bool cli_toolchain_find(const struct cli_context *context,
                        const struct cli_toolchain *toolchain,
                        struct cli_found *out, struct cli_text *missing)
{
    bool whole = true;
    memset(out, 0, sizeof *out);
    out->toolchain = toolchain;
    for (size_t i = 0; i < CLI_TOOLS; i++) {
        const struct cli_tool *tool = &toolchain->tools[i];
        size_t n = 0;
        while (tool->names[n] != NULL &&
               !cli_which(tool->names[n], out->tools[i])) {
            n++;
        }
        if (n > 0 && tool->names[n] == NULL) {
            out->tools[i][0] = '\0';
            add_missing(missing, tool->package);
            whole = false;
        }
    }
    if (whole && toolchain->check.argv[0] != NULL && !passes(context, out)) {
        /* Who has it installed wonders why it is missing. */
        cli_add_format(missing, "%s, which %s is not", toolchain->check_package,
                       out->tools[0]);
        whole = false;
    }
    return whole;
}

static int find_toolchain(const struct cli_context *context,
                          const struct cli_language *language,
                          struct cli_found *found)
{
    struct cli_text missing;
    int code = CLI_OK;
    cli_text_init(&missing, context->env);
    for (size_t i = 0; i < language->toolchains_len; i++) {
        struct cli_text one;
        cli_text_init(&one, context->env);
        if (cli_toolchain_find(context, &language->toolchains[i], found,
                               &one)) {
            cli_text_fini(&one);
            goto out;
        }
        cli_add_format(&missing, "%s%s", i > 0 ? "; or: " : "",
                       one.data != NULL ? one.data : "");
        cli_text_fini(&one);
    }
    code = cli_fail_advice(context, THEATER_UNSUPPORTED, NULL,
                           "install it; `theater doctor` shows what is there",
                           "what builds %s is not here: %s", language->title,
                           missing.data);
out:
    cli_text_fini(&missing);
    return code;
}

/* --- Steps --------------------------------------------------------------- */

static void show_step(const struct words *env, const struct words *argv)
{
    for (size_t i = 0; i < env->len; i++) {
        fprintf(stderr, "%s ", env->argv[i]);
    }
    for (size_t i = 0; i < argv->len; i++) {
        bool plain = strpbrk(argv->argv[i], " \"'$`*") == NULL;
        fprintf(stderr, plain ? "%s%s" : "%s'%s'", i > 0 ? " " : "",
                argv->argv[i]);
    }
    fputc('\n', stderr);
}

/* What a tool said, from a file, to the standard error. */
static void show_output(FILE *file)
{
    char part[4096];
    size_t len;
    rewind(file);
    while ((len = fread(part, 1, sizeof part, file)) > 0) {
        (void)cli_write(STDERR_FILENO, part, len);
    }
}

static int run_words(const struct cli_context *context, const char *folder,
                     const struct words *env, const struct words *argv,
                     bool talks, bool verbose)
{
    FILE *said = verbose ? NULL : tmpfile();
    struct cli_progress progress;
    if (verbose) {
        show_step(env, argv);
    } else {
        cli_progress_begin(context, &progress, "running",
                           cli_base_name(argv->argv[0]));
    }
    int output = said != NULL ? fileno(said) : STDERR_FILENO;
    const int outputs[] = {output, output};
    int code = cli_spawn(folder, env->argv, argv->argv, outputs);
    if (!verbose) {
        cli_progress_end(&progress);
    }
    if (said != NULL) {
        if (code != 0 || talks) {
            show_output(said);
        }
        fclose(said);
    }
    return code == 0
               ? CLI_OK
               : cli_fail_advice(context, THEATER_FAILED, folder,
                                 "correct what it says above; "
                                 "`theater build --verbose` shows how it "
                                 "was called",
                                 "'%s' ended with %d", argv->argv[0], code);
}

static int run_step(const struct cli_context *context, const char *folder,
                    const struct cli_found *found, const struct cli_step *step,
                    bool verbose)
{
    struct words env, argv;
    char there[CLI_PATH_MAX];
    if (step->unless != NULL) {
        if (!cli_path(context, there, "%s/%s", folder, step->unless)) {
            return CLI_FAILED;
        }
        if (access(there, F_OK) == 0) {
            return CLI_OK;
        }
    }
    make_words(context, &env, found, folder, step->env, CLI_ENVS);
    make_words(context, &argv, found, folder, step->argv, CLI_ARGS);
    int code =
        argv.text.failed || env.text.failed
            ? cli_fail(context, THEATER_OUT_OF_MEMORY, NULL)
            : run_words(context, folder, &env, &argv, step->talks, verbose);
    cli_text_fini(&env.text);
    cli_text_fini(&argv.text);
    return code;
}

/* --- Projects ------------------------------------------------------------ */

static bool has(const char *folder, const char *name)
{
    char path[CLI_PATH_MAX];
    int len = snprintf(path, sizeof path, "%s/%s", folder, name);
    return len > 0 && (size_t)len < sizeof path && access(path, F_OK) == 0;
}

const struct cli_language *cli_project_language(const char *folder)
{
    size_t len;
    const struct cli_language *all = cli_languages(&len);
    for (size_t i = 0; i < len; i++) {
        if (has(folder, all[i].source)) {
            return &all[i];
        }
    }
    return NULL;
}

int cli_project_build(const struct cli_context *context, const char *folder,
                      const struct cli_language *language, bool verbose)
{
    struct cli_found *found;
    const char *missing = !has(folder, language->source)  ? language->source
                          : !has(folder, language->needs) ? language->needs
                                                          : NULL;
    if (missing != NULL) {
        return cli_fail_advice(context, THEATER_NOT_FOUND, folder,
                               "`theater new NAME --lang LANG` makes a whole "
                               "project; take what is missing from there",
                               "a project in %s has %s, this folder has not",
                               language->title, missing);
    }
    found = malloc(sizeof *found);
    if (found == NULL) {
        return cli_fail(context, THEATER_OUT_OF_MEMORY, NULL);
    }
    int code = find_toolchain(context, language, found);
    for (size_t i = 0; code == CLI_OK && i < CLI_STEPS; i++) {
        const struct cli_step *step = &found->toolchain->steps[i];
        if (step->argv[0] == NULL) {
            break;
        }
        code = run_step(context, folder, found, step, verbose);
    }
    free(found);
    return code == CLI_OK && !has(folder, "actor.wasm")
               ? cli_fail_text(context, THEATER_FAILED, folder,
                               "the tools ended well, but there is no "
                               "actor.wasm")
               : code;
}

/* --- The command --------------------------------------------------------- */

static int report(const struct cli_context *context, const char *folder,
                  const struct cli_language *language, uint64_t began_ns)
{
    struct cli_text out;
    struct stat built;
    char path[CLI_PATH_MAX];
    const theater_env_t *env = context->env;
    double seconds = (double)(env->now_ns(env->ctx) - began_ns) / 1e9;
    if (!cli_path(context, path, "%s/actor.wasm", folder)) {
        return CLI_FAILED;
    }
    uint64_t bytes = stat(path, &built) == 0 ? (uint64_t)built.st_size : 0;
    cli_text_init(&out, context->env);
    if (context->json) {
        cli_json_object(&out, NULL);
        cli_json_string(&out, "language", language->name);
        cli_json_string(&out, "module", path);
        cli_json_number(&out, "bytes", bytes);
        cli_json_real(&out, "seconds", seconds);
        cli_json_end(&out, '}');
        cli_add(&out, "\n");
    } else {
        cli_add_escaped(&out, path, strlen(path));
        cli_add_format(&out, ": %llu bytes, from %s, in %.1f s\n",
                       (unsigned long long)bytes, language->title, seconds);
    }
    return cli_print(&out);
}

/* Who gives a source or a manifest means the project that it is in. */
static int refuse_folder(const struct cli_context *context, const char *path)
{
    char folder[CLI_PATH_MAX], next[CLI_PATH_MAX + 120];
    if (access(path, F_OK) != 0) {
        return cli_fail_advice(context, THEATER_NOT_FOUND, path,
                               "give a project's folder; `theater new NAME "
                               "--lang LANG` makes one",
                               "there is no such folder");
    }
    cli_folder_of(path, folder);
    bool here = strcmp(folder, ".") == 0;
    snprintf(next, sizeof next,
             "give the project's folder: `theater build%s%s`", here ? "" : " ",
             here ? "" : folder);
    return cli_fail_advice(context, THEATER_INVALID_ARGUMENT, path, next,
                           "it is a file, not a folder");
}

int cli_build(const struct cli_context *context, int argc, char **argv)
{
    const char *folder = argc > 0 ? argv[0] : ".";
    const char *name = cli_value(context, "lang");
    if (!cli_is_folder(folder)) {
        return refuse_folder(context, folder);
    }
    const struct cli_language *language =
        name != NULL ? cli_language(name) : cli_project_language(folder);
    if (language == NULL) {
        return cli_fail_advice(
            context, THEATER_NOT_FOUND, folder,
            "`theater new NAME --lang LANG` makes a project",
            "there is no project: none of actor.c, actor.go, "
            "actor.js, actor.ts, actor.py, actor.zig, "
            "Cargo.toml");
    }
    uint64_t began_ns = context->env->now_ns(context->env->ctx);
    int code = cli_project_build(context, folder, language,
                                 cli_flag(context, "verbose"));
    return code == CLI_OK ? report(context, folder, language, began_ns) : code;
}
