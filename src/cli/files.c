/* SPDX-License-Identifier: Apache-2.0 */
/* Design notes: files that the command makes for people: projects, pages and
 * schemas. Each is written under another name beside and renamed at the end:
 * there is the whole of it, or what was there before. (Compiled code is written
 * by the environment's file_write, for the user alone.) */
#include "cli/cli.h"

#include <errno.h>
#include <fcntl.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

bool cli_path(const struct cli_context *context, char out[CLI_PATH_MAX],
              const char *format, ...)
{
    va_list list;
    va_start(list, format);
    int len = vsnprintf(out, CLI_PATH_MAX, format, list);
    va_end(list);
    if (len >= 0 && len < CLI_PATH_MAX) {
        return true;
    }
    (void)cli_fail_text(context, THEATER_IO, NULL, "a path is too long");
    return false;
}

void cli_folder_of(const char *path, char out[CLI_PATH_MAX])
{
    size_t len = (size_t)(cli_base_name(path) - path);
    snprintf(out, CLI_PATH_MAX, "%.*s", len > 0 ? (int)len : 1,
             len > 0 ? path : ".");
}

const char *cli_base_name(const char *path)
{
    const char *slash = path != NULL ? strrchr(path, '/') : NULL;
    return slash != NULL ? slash + 1 : path != NULL ? path : "";
}

bool cli_is_folder(const char *path)
{
    struct stat found;
    return stat(path, &found) == 0 && S_ISDIR(found.st_mode);
}

static int write_all(int fd, const char *data, size_t len)
{
    while (len > 0) {
        ssize_t done = write(fd, data, len);
        if (done < 0 && errno == EINTR) {
            continue;
        }
        if (done <= 0) {
            return -1;
        }
        data += done;
        len -= (size_t)done;
    }
    return 0;
}

/* As open would have made it: mkostemp makes it for its user alone. */
static int permit_by_umask(int fd)
{
    mode_t mask = umask(0);
    (void)umask(mask);
    return fchmod(fd, 0666 & ~mask);
}

/* A link that stands at `path` is replaced like any other file, and not
 * followed: what it names may belong to somebody else. */
int cli_write_file(const struct cli_context *context, const char *path,
                   const void *data, size_t len)
{
    char made[CLI_PATH_MAX];
    if (!cli_path(context, made, "%s.XXXXXX", path)) {
        return CLI_FAILED;
    }
    int fd = mkostemp(made, O_CLOEXEC);
    bool there = fd >= 0;
    bool good =
        there && write_all(fd, data, len) == 0 && permit_by_umask(fd) == 0;
    int why = errno;
    if (there && close(fd) != 0 && good) {
        good = false;
        why = errno;
    }
    if (good && rename(made, path) != 0) {
        good = false;
        why = errno;
    }
    if (there && !good) {
        (void)unlink(made);
    }
    return good ? CLI_OK
                : cli_fail_text(context, THEATER_IO, path,
                                "it cannot be written: %s", strerror(why));
}

int cli_make_folders(const struct cli_context *context, const char *root,
                     const char *path)
{
    for (const char *at = strchr(path, '/'); at != NULL;
         at = strchr(at + 1, '/')) {
        char folder[CLI_PATH_MAX];
        if (!cli_path(context, folder, "%s/%.*s", root, (int)(at - path),
                      path)) {
            return CLI_FAILED;
        }
        if (mkdir(folder, 0777) != 0 && errno != EEXIST) {
            return cli_fail_text(context, THEATER_IO, folder,
                                 "the folder cannot be made: %s",
                                 strerror(errno));
        }
    }
    return CLI_OK;
}
