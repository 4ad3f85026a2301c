/* SPDX-License-Identifier: Apache-2.0 */
/* Design notes: files that the command makes for people: projects and pages.
 * (Compiled code is written by the environment's file_write, for the user
 * alone.) */
#include "cli/cli.h"

#include <errno.h>
#include <fcntl.h>
#include <stdarg.h>
#include <stdio.h>
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

int cli_write_file(const struct cli_context *context, const char *path,
                   const void *data, size_t len)
{
    int fd = open(path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0666);
    int failed = fd < 0 ? -1 : write_all(fd, data, len);
    int why = errno;
    if (fd >= 0 && close(fd) != 0 && failed == 0) {
        failed = -1;
        why = errno;
    }
    return failed == 0
               ? CLI_OK
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
