/* SPDX-License-Identifier: Apache-2.0 */
/* Design notes: which manifests and system files a command is to read, by its
 * operands: none means theater.toml here, a folder the theater.toml in it.
 * What surely is none of them, an actor's source, is refused with what to do
 * instead; all else is left to who reads the file. */
#include "cli/operands.h"

#include "cli/project.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define SYSTEM_FILE "theater.toml"

/* `path` is a source file of that language. */
static int refuse_source(const struct cli_context *context, const char *path,
                         const struct cli_language *language)
{
    char folder[CLI_PATH_MAX], next[2 * CLI_PATH_MAX + 120];
    cli_folder_of(path, folder);
    if (cli_project_language(folder) != NULL) {
        snprintf(next, sizeof next,
                 "`theater build %s` builds it to actor.wasm; `theater %s %s` "
                 "takes the " SYSTEM_FILE " beside it",
                 folder, context->command->name, folder);
    } else {
        snprintf(next, sizeof next,
                 "`theater build DIR` builds a project to actor.wasm; "
                 "`theater new NAME --lang %s` makes one",
                 language->name);
    }
    return cli_fail_advice(context, THEATER_BAD_MANIFEST, path, next,
                           "it is a source file of %s, no manifest",
                           language->title);
}

static int lacks_system_file(const struct cli_context *context,
                             const char *folder)
{
    return cli_fail_advice(
        context, THEATER_NOT_FOUND, folder,
        "name a manifest or a system file; `theater new NAME --lang LANG` "
        "makes a project with both",
        "there is no " SYSTEM_FILE " in this folder");
}

static int find_one(const struct cli_context *context, const char *given,
                    char **out)
{
    char path[CLI_PATH_MAX];
    size_t len = strlen(given);
    if (cli_is_folder(given)) {
        const char *slash = given[len - 1] == '/' ? "" : "/";
        bool here = strcmp(given, ".") == 0;
        if (!cli_path(context, path, "%s%s" SYSTEM_FILE, here ? "" : given,
                      here ? "" : slash)) {
            return CLI_FAILED;
        }
        if (access(path, F_OK) != 0) {
            return lacks_system_file(context, given);
        }
        given = path;
    } else {
        const struct cli_language *language = cli_source_language(given);
        if (language != NULL && access(given, F_OK) == 0) {
            return refuse_source(context, given, language);
        }
    }
    *out = strdup(given);
    return *out != NULL ? CLI_OK
                        : cli_fail(context, THEATER_OUT_OF_MEMORY, NULL);
}

int cli_find_files(const struct cli_context *context, int argc,
                   char *const *argv, struct cli_files *out)
{
    static char here[] = ".";
    char *const none[] = {here};
    char *const *given = argc > 0 ? argv : none;
    size_t len = argc > 0 ? (size_t)argc : 1;
    int code = CLI_OK;
    out->len = 0;
    out->paths = calloc(len, sizeof *out->paths);
    if (out->paths == NULL) {
        return cli_fail(context, THEATER_OUT_OF_MEMORY, NULL);
    }
    while (code == CLI_OK && out->len < len) {
        code = find_one(context, given[out->len], &out->paths[out->len]);
        out->len += code == CLI_OK;
    }
    return code;
}

void cli_files_fini(struct cli_files *files)
{
    for (size_t i = 0; i < files->len; i++) {
        free(files->paths[i]);
    }
    free(files->paths);
}

int cli_fail_load(const struct cli_context *context, theater_status_t status,
                  const theater_error_t *err)
{
    char folder[CLI_PATH_MAX], next[CLI_PATH_MAX + 60];
    cli_folder_of(err->origin, folder);
    if (status != THEATER_NOT_FOUND ||
        strncmp(err->text, "the package ", 12) != 0 ||
        cli_project_language(folder) == NULL) {
        return cli_fail(context, status, err);
    }
    bool here = strcmp(folder, ".") == 0;
    snprintf(next, sizeof next, "`theater build%s%s` builds it",
             here ? "" : " ", here ? "" : folder);
    return cli_fail_advice(context, status, err->origin, next, "%s", err->text);
}
