/* SPDX-License-Identifier: Apache-2.0 */
/* Design notes. `theater new`: a project from a template that the command
 * carries. All of it is written into a folder of another name beside, which is
 * renamed at the end: there is a whole project, or none. */
#include "cli/project.h"
#include "cli/template.h"

#include <errno.h>
#include <fcntl.h>
#include <ftw.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

enum { NAME_LONGEST = 64 };

/* Narrower than an actor's name (any UTF-8 without control characters): it
 * becomes a folder, and stands in the files of each language. */
static bool good_name(const char *name)
{
    static const char letters[] = "abcdefghijklmnopqrstuvwxyz"
                                  "ABCDEFGHIJKLMNOPQRSTUVWXYZ";
    size_t len = strlen(name);
    return len > 0 && len <= NAME_LONGEST && strchr(letters, name[0]) != NULL &&
           strspn(name, letters) + strspn(name + strspn(name, letters),
                                          "0123456789-_"
                                          "abcdefghijklmnopqrstuvwxyz"
                                          "ABCDEFGHIJKLMNOPQRSTUVWXYZ") ==
               len;
}

/* `text` with the project's name where it says @NAME@. */
static void add_named(struct cli_text *out, const char *text, size_t len,
                      const char *name)
{
    static const char mark[] = "@NAME@";
    const char *end = text + len;
    const char *at;
    while ((at = memmem(text, (size_t)(end - text), mark, sizeof mark - 1)) !=
           NULL) {
        cli_add_bytes(out, text, (size_t)(at - text));
        cli_add(out, name);
        text = at + sizeof mark - 1;
    }
    cli_add_bytes(out, text, (size_t)(end - text));
}

static int write_one(const struct cli_context *context, const char *folder,
                     const char *name, const struct cli_template_file *file)
{
    char path[CLI_PATH_MAX];
    struct cli_text place, data;
    cli_text_init(&place, context->env);
    cli_text_init(&data, context->env);
    if (file->named) {
        add_named(&place, file->path, strlen(file->path), name);
        add_named(&data, (const char *)file->data, file->len, name);
    } else {
        cli_add(&place, file->path);
        cli_add_bytes(&data, file->data, file->len);
    }
    int code = place.failed || data.failed
                   ? cli_fail(context, THEATER_OUT_OF_MEMORY, NULL)
                   : cli_make_folders(context, folder, place.data);
    if (code == CLI_OK) {
        code = cli_path(context, path, "%s/%s", folder, place.data)
                   ? cli_write_file(context, path, data.data, data.len)
                   : CLI_FAILED;
    }
    cli_text_fini(&place);
    cli_text_fini(&data);
    return code;
}

static int remove_one(const char *path, const struct stat *stat, int kind,
                      struct FTW *at)
{
    (void)stat;
    (void)kind;
    (void)at;
    return remove(path);
}

static int write_project(const struct cli_context *context, const char *folder,
                         const char *name, const char *language)
{
    size_t count = 0;
    for (size_t i = 0; i < cli_template_files_len; i++) {
        if (strcmp(cli_template_files[i].language, language) == 0) {
            int code = write_one(context, folder, name, &cli_template_files[i]);
            if (code != CLI_OK) {
                return code;
            }
            count++;
        }
    }
    return count > 0
               ? CLI_OK
               : cli_fail_text(context, THEATER_UNSUPPORTED, NULL,
                               "this build has no template for %s", language);
}

static int exists_already(const struct cli_context *context, const char *name)
{
    return cli_fail_advice(context, THEATER_ALREADY_EXISTS, name,
                           "choose another name, or remove what is there",
                           "it is there already");
}

static int make_project(const struct cli_context *context, const char *name,
                        const char *language)
{
    char folder[NAME_LONGEST + 16];
    struct stat stat;
    if (lstat(name, &stat) == 0) {
        return exists_already(context, name);
    }
    snprintf(folder, sizeof folder, ".%s.XXXXXX", name);
    if (mkdtemp(folder) == NULL) {
        return cli_fail_text(context, THEATER_IO, name,
                             "the folder cannot be made here: %s",
                             strerror(errno));
    }
    mode_t mask = umask(0);
    (void)umask(mask);
    int code = write_project(context, folder, name, language);
    if (code == CLI_OK &&
        (chmod(folder, 0777 & ~mask) != 0 ||
         renameat2(AT_FDCWD, folder, AT_FDCWD, name, RENAME_NOREPLACE) != 0)) {
        code = errno == EEXIST ? exists_already(context, name)
                               : cli_fail_text(context, THEATER_IO, name,
                                               "the folder cannot be made: %s",
                                               strerror(errno));
    }
    if (code != CLI_OK) {
        (void)nftw(folder, remove_one, 16, FTW_DEPTH | FTW_PHYS);
    }
    return code;
}

int cli_new(const struct cli_context *context, int argc, char **argv)
{
    struct cli_text out;
    const char *name = argv[0];
    const char *language = cli_value(context, "lang");
    (void)argc;
    if (!good_name(name)) {
        return cli_usage(context,
                         "a project's name has 1 to %d letters, digits, - and "
                         "_, and begins with a letter; '%s' does not",
                         NAME_LONGEST, name);
    }
    int code = make_project(context, name, language);
    if (code != CLI_OK) {
        return code;
    }
    cli_text_init(&out, context->env);
    if (context->json) {
        cli_json_object(&out, NULL);
        cli_json_string(&out, "folder", name);
        cli_json_string(&out, "language", language);
        cli_json_end(&out, '}');
        cli_add(&out, "\n");
    } else {
        cli_add_format(&out,
                       "%s is there, an actor in %s\n"
                       "  next: cd %s\n"
                       "        theater build\n"
                       "        theater request --run theater.toml %s world\n",
                       name, cli_language(language)->title, name, name);
    }
    return cli_print(&out);
}
