/* SPDX-License-Identifier: Apache-2.0 */
/* Design notes. `theater doctor`: rows of what was looked at, each with what
 * was found and, where something is missing, what to do. A missing toolchain
 * is no failure: nobody needs all of them. */
#include "cli/project.h"
#include "cli/session.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

/* Linux's default. Actors share large mappings: 100,000 were seen to need 158
 * of them in all, so that nobody has to raise it. */
enum { USUAL_MAPS = 65530 };

enum verdict { GOOD, MISSING, BROKEN };

struct doctor {
    const struct cli_context *context;
    struct cli_text out;
    bool broken; /* something that running actors needs */
};

/* One row. `next` is what to do; NULL: nothing. */
static void add_row(struct doctor *doctor, const char *what,
                    enum verdict verdict, const char *found, const char *next)
{
    static const char *const words[] = {"ok", "missing", "broken"};
    struct cli_text *out = &doctor->out;
    doctor->broken = doctor->broken || verdict == BROKEN;
    if (doctor->context->json) {
        cli_json_object(out, NULL);
        cli_json_string(out, "what", what);
        cli_json_string(out, "state", words[verdict]);
        cli_json_string(out, "found", found);
        cli_json_string(out, "next", next);
        cli_json_end(out, '}');
        return;
    }
    cli_add_format(out, "%-8s %-11s ", words[verdict], what);
    cli_add_escaped(out, found, strlen(found));
    if (next != NULL) {
        cli_add_format(out, "\n%21snext: ", "");
        cli_add_escaped(out, next, strlen(next));
    }
    cli_add(out, "\n");
}

/* --- The machine --------------------------------------------------------- */

static void look_at_cores(struct doctor *doctor)
{
    char found[64];
    long cores = sysconf(_SC_NPROCESSORS_ONLN);
    long workers = cores < THEATER_WORKERS_MAX ? cores : THEATER_WORKERS_MAX;
    snprintf(found, sizeof found, "%ld, so %ld worker%s", cores, workers,
             workers == 1 ? "" : "s");
    add_row(doctor, "cores", GOOD, found, NULL);
}

/* Makes what is missing of the path, as the first run would; the folder that
 * holds compiled code is for its user alone. */
static int make_cache(const char *path)
{
    char part[CLI_PATH_MAX];
    struct stat found;
    for (const char *at = strchr(path + 1, '/'); at != NULL;
         at = strchr(at + 1, '/')) {
        snprintf(part, sizeof part, "%.*s", (int)(at - path), path);
        if (mkdir(part, 0700) != 0 && errno != EEXIST) {
            return errno;
        }
    }
    if (mkdir(path, 0700) != 0 && errno != EEXIST) {
        return errno;
    }
    if (stat(path, &found) != 0) {
        return errno;
    }
    if (!S_ISDIR(found.st_mode)) {
        return ENOTDIR;
    }
    return access(path, W_OK | X_OK) == 0 ? 0 : errno;
}

static void look_at_cache(struct doctor *doctor)
{
    char path[CLI_PATH_MAX], found[CLI_PATH_MAX + 128];
    struct stat stat_;
    cli_find_cache(doctor->context, path, sizeof path);
    if (path[0] == '\0') {
        add_row(doctor, "cache", MISSING, "compiled code is kept nowhere",
                "set HOME or XDG_CACHE_HOME, or use --cache-dir");
        return;
    }
    int why = make_cache(path);
    if (why != 0) {
        snprintf(found, sizeof found, "%s: %s", path, strerror(why));
        add_row(doctor, "cache", BROKEN, found,
                "make the folder writable, or use --cache-dir or --no-cache");
    } else if (stat(path, &stat_) == 0 && (stat_.st_mode & 022) != 0) {
        snprintf(found, sizeof found, "%s: others may write to it", path);
        add_row(doctor, "cache", BROKEN, found,
                "chmod go-w it; until then no compiled code is kept");
    } else {
        snprintf(found, sizeof found, "%s can be written", path);
        add_row(doctor, "cache", GOOD, found, NULL);
    }
}

static void look_at_maps(struct doctor *doctor)
{
    char found[128];
    unsigned long count = 0;
    FILE *file = fopen("/proc/sys/vm/max_map_count", "r");
    if (file != NULL) {
        if (fscanf(file, "%lu", &count) != 1) {
            count = 0;
        }
        fclose(file);
    }
    if (count == 0) {
        add_row(doctor, "mappings", MISSING, "vm.max_map_count is not known",
                NULL);
        return;
    }
    snprintf(found, sizeof found, "vm.max_map_count is %lu%s", count,
             count < USUAL_MAPS ? ", less than usual"
                                : ", enough for 100,000 actors");
    add_row(doctor, "mappings", count < USUAL_MAPS ? MISSING : GOOD, found,
            count < USUAL_MAPS ? "for many actors: sysctl -w "
                                 "vm.max_map_count=65530"
                               : NULL);
}

/* --- Toolchains ---------------------------------------------------------- */

static void add_found(struct cli_text *text, const struct cli_found *found)
{
    cli_add_format(text, "%s:", found->toolchain->name);
    for (size_t i = 0; i < CLI_TOOLS; i++) {
        if (found->tools[i][0] != '\0') {
            cli_add_format(text, " %s", found->tools[i]);
        }
    }
}

static void look_at_language(struct doctor *doctor,
                             const struct cli_language *language,
                             struct cli_found *found)
{
    struct cli_text good, missing;
    bool whole = false;
    cli_text_init(&good, doctor->context->env);
    cli_text_init(&missing, doctor->context->env);
    for (size_t i = 0; i < language->toolchains_len && !whole; i++) {
        struct cli_text one;
        cli_text_init(&one, doctor->context->env);
        whole = cli_toolchain_find(doctor->context, &language->toolchains[i],
                                   found, &one);
        cli_add_format(&missing, "%s%s", i > 0 ? "; or: " : "install ",
                       one.data != NULL ? one.data : "");
        cli_text_fini(&one);
    }
    if (whole) {
        add_found(&good, found);
    } else {
        cli_add(&good, "its tools are not all here");
    }
    if (good.data != NULL) {
        add_row(doctor, language->title, whole ? GOOD : MISSING, good.data,
                whole ? NULL : missing.data);
    }
    doctor->out.failed = doctor->out.failed || good.failed || missing.failed;
    cli_text_fini(&good);
    cli_text_fini(&missing);
}

/* --- The command --------------------------------------------------------- */

int cli_doctor(const struct cli_context *context, int argc, char **argv)
{
    struct doctor doctor = {.context = context};
    struct cli_found *found = malloc(sizeof *found);
    size_t len;
    const struct cli_language *languages = cli_languages(&len);
    (void)argc;
    (void)argv;
    if (found == NULL) {
        return cli_fail(context, THEATER_OUT_OF_MEMORY, NULL);
    }
    cli_text_init(&doctor.out, context->env);
    if (context->json) {
        cli_json_object(&doctor.out, NULL);
        cli_json_list(&doctor.out, "rows");
    }
    add_row(&doctor, "theater", GOOD, THEATER_BUILD_VERSION, NULL);
    add_row(&doctor, "engine", GOOD, "Wasmtime " THEATER_ENGINE_VERSION, NULL);
    look_at_cores(&doctor);
    look_at_cache(&doctor);
    look_at_maps(&doctor);
    for (size_t i = 0; i < len; i++) {
        look_at_language(&doctor, &languages[i], found);
    }
    free(found);
    if (context->json) {
        cli_json_end(&doctor.out, ']');
        cli_json_bool(&doctor.out, "broken", doctor.broken);
        cli_json_end(&doctor.out, '}');
        cli_add(&doctor.out, "\n");
    }
    int code = cli_print(&doctor.out);
    return doctor.broken ? CLI_FAILED : code;
}
