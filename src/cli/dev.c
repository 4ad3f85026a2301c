/* SPDX-License-Identifier: Apache-2.0 */
/* Design notes. `theater dev`: five times a second the stamps of what the
 * system is made of are taken; parts that changed are built, and their actors
 * stopped and spawned anew under their names. The new system is read before
 * anything is stopped, so that what cannot be read or built leaves all as it
 * is. A part is one manifest: its project's folder is watched, or its module
 * where the folder is no project. */
#include "cli/operands.h"
#include "cli/progress.h"
#include "cli/project.h"
#include "cli/session.h"
#include "cli/watch.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum { PARTS = 256, EVERY_MS = 200, SETTLE_MS = 50, STOP_MS = 10000 };

struct part {
    char *origin;  /* of its manifest, as the system names it */
    char *folder;  /* that holds it */
    char *package; /* its module; NULL: none */
    const struct cli_language *language; /* NULL: no project */
    uint64_t stamp;                      /* when it was last built */
    bool changed;                        /* since then */
};

struct dev {
    const struct cli_context *context;
    struct cli_session session;
    const char *path; /* of the system file or manifest */
    uint64_t stamp;   /* of that file; where it is unread: of all manifests */
    bool unread;      /* it, or a manifest that it names, cannot be read */
    struct part parts[PARTS];
    size_t parts_len;
    theater_system_t *system; /* that runs; NULL: none does yet */
};

/* --- Parts --------------------------------------------------------------- */

static uint64_t stamp_of(const struct part *part)
{
    if (part->language != NULL) {
        return cli_stamp_folder(part->folder);
    }
    return cli_stamp_file(part->origin) * 31 +
           (part->package != NULL ? cli_stamp_file(part->package) : 0);
}

static void forget_parts(struct dev *dev)
{
    for (size_t i = 0; i < dev->parts_len; i++) {
        free(dev->parts[i].origin);
        free(dev->parts[i].folder);
        free(dev->parts[i].package);
    }
    dev->parts_len = 0;
}

static struct part *part_of(struct dev *dev, const char *origin)
{
    for (size_t i = 0; i < dev->parts_len; i++) {
        if (strcmp(dev->parts[i].origin, origin) == 0) {
            return &dev->parts[i];
        }
    }
    return NULL;
}

static int add_part(struct dev *dev, const theater_manifest_t *manifest)
{
    const char *origin = theater_manifest_origin(manifest);
    const char *package = theater_manifest_package(manifest);
    const char *slash = strrchr(origin, '/');
    if (part_of(dev, origin) != NULL) {
        return CLI_OK;
    }
    if (dev->parts_len == PARTS) {
        return cli_fail_text(dev->context, THEATER_LIMIT, dev->path,
                             "more than %d manifests are not watched", PARTS);
    }
    struct part *part = &dev->parts[dev->parts_len++];
    *part = (struct part){
        .origin = strdup(origin),
        .folder = slash == NULL ? strdup(".")
                                : strndup(origin, (size_t)(slash - origin)),
        .package = package != NULL ? strdup(package) : NULL,
        .changed = true};
    if (part->origin == NULL || part->folder == NULL) {
        return cli_fail(dev->context, THEATER_OUT_OF_MEMORY, NULL);
    }
    part->language = cli_project_language(part->folder);
    return CLI_OK;
}

static int load(struct dev *dev, bool native, theater_system_t **out)
{
    theater_manifest_options_t options = THEATER_MANIFEST_OPTIONS_INIT;
    theater_error_t err = {.text = ""};
    options.env = dev->context->env;
    options.native = native;
    theater_status_t status =
        theater_system_load_files(&dev->path, 1, &options, out, &err);
    return status == THEATER_OK ? CLI_OK : cli_fail(dev->context, status, &err);
}

static uint64_t stamp_of_manifests(const struct dev *dev)
{
    char folder[CLI_PATH_MAX];
    cli_folder_of(dev->path, folder);
    return cli_stamp_manifests(folder);
}

/* Whether the system is to be read again. While it is unread nobody knows
 * which manifests it names: a change of any below its folder may mend it. */
static bool is_stale(const struct dev *dev)
{
    return dev->stamp !=
           (dev->unread ? stamp_of_manifests(dev) : cli_stamp_file(dev->path));
}

/* Which parts there are: read as if they had no modules, which may be yet to
 * be built. Parts that are known keep their stamps. */
static int find_parts(struct dev *dev)
{
    theater_system_t *system = NULL;
    uint64_t file = cli_stamp_file(dev->path);
    uint64_t manifests = stamp_of_manifests(dev);
    int code = load(dev, true, &system);
    dev->unread = code != CLI_OK;
    dev->stamp = dev->unread ? manifests : file;
    size_t len = code == CLI_OK ? theater_system_actors_len(system) : 0;
    for (size_t i = 0; i < len && code == CLI_OK; i++) {
        code = add_part(dev, theater_system_actor(system, i)->manifest);
    }
    theater_system_delete(system);
    return code;
}

/* --- Building ------------------------------------------------------------ */

/* A folder of several manifests is built once. */
static bool built_before(const struct dev *dev, size_t index)
{
    for (size_t i = 0; i < index; i++) {
        if (dev->parts[i].changed &&
            strcmp(dev->parts[i].folder, dev->parts[index].folder) == 0) {
            return true;
        }
    }
    return false;
}

/* Builds what changed. Stamps are taken before, so that a change meanwhile is
 * seen. */
static int build_changed(struct dev *dev)
{
    int code = CLI_OK;
    for (size_t i = 0; i < dev->parts_len; i++) {
        dev->parts[i].stamp = stamp_of(&dev->parts[i]);
    }
    for (size_t i = 0; i < dev->parts_len && code == CLI_OK; i++) {
        const struct part *part = &dev->parts[i];
        if (part->changed && part->language != NULL && !built_before(dev, i)) {
            cli_log_say(&dev->session.log, THEATER_LOG_INFO, "building %s",
                        part->folder);
            code = cli_project_build(dev->context, part->folder, part->language,
                                     cli_flag(dev->context, "verbose"));
        }
    }
    return code;
}

/* --- Replacing ----------------------------------------------------------- */

static bool is_in(const theater_system_t *system, const char *name)
{
    size_t len = system != NULL ? theater_system_actors_len(system) : 0;
    for (size_t i = 0; i < len; i++) {
        if (strcmp(theater_system_actor(system, i)->name, name) == 0) {
            return true;
        }
    }
    return false;
}

static bool is_changed(struct dev *dev, const theater_system_actor_t *actor)
{
    const struct part *part =
        part_of(dev, theater_manifest_origin(actor->manifest));
    return part == NULL || part->changed;
}

static int stop_one(struct dev *dev, const char *name)
{
    theater_runtime_t *runtime = dev->session.runtime;
    theater_status_t status =
        theater_runtime_stop(runtime, name, "its source changed");
    if (status == THEATER_OK) {
        status = theater_runtime_wait_actor(runtime, name, STOP_MS);
    }
    /* It may have ended by itself long ago. */
    return status == THEATER_OK || status == THEATER_NOT_FOUND
               ? CLI_OK
               : cli_fail_text(dev->context, status, name,
                               "it did not stop in time");
}

static int stop_old(struct dev *dev, const theater_system_t *next)
{
    size_t len =
        dev->system != NULL ? theater_system_actors_len(dev->system) : 0;
    int code = CLI_OK;
    for (size_t i = 0; i < len && code == CLI_OK; i++) {
        const theater_system_actor_t *actor =
            theater_system_actor(dev->system, i);
        if (is_changed(dev, actor) || !is_in(next, actor->name)) {
            code = stop_one(dev, actor->name);
        }
    }
    return code;
}

static int spawn_new(struct dev *dev, const theater_system_t *next)
{
    int code = CLI_OK;
    for (size_t i = 0; i < theater_system_actors_len(next); i++) {
        const theater_system_actor_t *actor = theater_system_actor(next, i);
        theater_spawn_options_t options = THEATER_SPAWN_OPTIONS_INIT;
        theater_error_t err = {.text = ""};
        bool was = is_in(dev->system, actor->name);
        if (was && !is_changed(dev, actor)) {
            continue;
        }
        options.initial_state =
            (theater_bytes_t){actor->initial_state, actor->initial_state_len};
        options.paused = true;
        struct cli_progress progress;
        cli_progress_begin(
            dev->context, &progress, "compiling",
            cli_base_name(theater_manifest_package(actor->manifest)));
        theater_status_t status = theater_runtime_spawn(
            dev->session.runtime, actor->name, actor->manifest, &options, &err);
        cli_progress_end(&progress);
        if (status != THEATER_OK) {
            code = cli_fail(dev->context, status, &err);
        } else {
            cli_log_say(&dev->session.log, THEATER_LOG_INFO, "%s %s",
                        was ? "replaced" : "started", actor->name);
        }
    }
    theater_runtime_start_all(dev->session.runtime);
    return code;
}

static void say_waiting(struct dev *dev)
{
    if (!cli_session_interrupted(&dev->session)) {
        cli_log_say(&dev->session.log, THEATER_LOG_WARN,
                    dev->system != NULL
                        ? "what runs goes on; waiting for a change"
                        : "nothing runs yet; waiting for a change");
    }
}

/* Builds, reads and replaces what changed. What fails is said, and tried again
 * at the next change. The file may have changed since it was looked at: what
 * is wrong with it is to be said once. */
static void update(struct dev *dev)
{
    theater_system_t *next = NULL;
    int code = is_stale(dev) ? find_parts(dev) : CLI_OK;
    if (code == CLI_OK) {
        code = build_changed(dev);
    }
    if (code == CLI_OK) {
        code = load(dev, false, &next);
    }
    if (code == CLI_OK && !cli_session_interrupted(&dev->session)) {
        code = stop_old(dev, next);
        if (code == CLI_OK) {
            code = spawn_new(dev, next);
        }
        theater_system_delete(dev->system);
        dev->system = next;
        for (size_t i = 0; i < dev->parts_len; i++) {
            dev->parts[i].changed = false;
        }
    } else {
        theater_system_delete(next);
    }
    if (code != CLI_OK) {
        say_waiting(dev);
    }
}

/* --- Watching ------------------------------------------------------------ */

/* Whether something changed since it was last built; marks the parts. */
static bool look(struct dev *dev)
{
    bool any = false, readable = true;
    if (is_stale(dev)) {
        any = readable = find_parts(dev) == CLI_OK;
        if (!readable) {
            say_waiting(dev);
        }
    }
    for (size_t i = 0; i < dev->parts_len; i++) {
        struct part *part = &dev->parts[i];
        uint64_t stamp = stamp_of(part);
        if (stamp != part->stamp) {
            part->changed = true;
            part->stamp = stamp;
            any = true;
        }
    }
    return any && readable && !dev->unread;
}

static void wait_ms(const struct dev *dev, uint64_t ms)
{
    const theater_env_t *env = dev->context->env;
    uint32_t word = 0;
    env->park(env->ctx, &word, 0, env->now_ns(env->ctx) + ms * 1000000);
}

static void watch(struct dev *dev)
{
    if (find_parts(dev) == CLI_OK) {
        update(dev);
    } else {
        say_waiting(dev);
    }
    while (!cli_session_interrupted(&dev->session)) {
        wait_ms(dev, EVERY_MS);
        if (look(dev) && !cli_session_interrupted(&dev->session)) {
            /* An editor may write a file in two steps. */
            wait_ms(dev, SETTLE_MS);
            update(dev);
        }
    }
}

static int develop(const struct cli_context *context, const char *path)
{
    struct cli_summary summary;
    if (access(path, R_OK) != 0) {
        return cli_fail_text(context, THEATER_NOT_FOUND, path,
                             "there is no such file");
    }
    struct dev *dev = calloc(1, sizeof *dev);
    if (dev == NULL) {
        return cli_fail(context, THEATER_OUT_OF_MEMORY, NULL);
    }
    dev->context = context;
    dev->path = path;
    int code = cli_session_open(context, STDOUT_FILENO, THEATER_WATCHDOG_MS,
                                &dev->session);
    if (code == CLI_OK) {
        cli_session_arm(&dev->session);
        watch(dev);
        (void)cli_session_finish(&dev->session, false, 0, &summary);
        cli_session_summarise(&dev->session, &summary);
    }
    int closed = cli_session_close(&dev->session);
    theater_system_delete(dev->system);
    forget_parts(dev);
    free(dev);
    return code != CLI_OK ? code : closed;
}

int cli_dev(const struct cli_context *context, int argc, char **argv)
{
    struct cli_files files;
    int code = cli_find_files(context, argc, argv, &files);
    if (code == CLI_OK) {
        code = develop(context, files.paths[0]);
    }
    cli_files_fini(&files);
    return code;
}
