/* SPDX-License-Identifier: Apache-2.0 */
/* Design notes. A file is read until its end whatever its size says, so that
 * pipes and growing files work and the limit holds for them too. A file is
 * written beside its place, synced, and renamed: who reads it sees the old one
 * or the new one; the folder is synced after that, so that it lasts. Who is
 * killed meanwhile leaves what he wrote. So there are PLACES names beside a
 * file, each locked (flock) by who writes there: the next one takes over what
 * nobody holds. */
#include "base/env_linux.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

enum { READ_FIRST = 4096, PLACES = 8, PLACE_BYTES = 6 };

/* Bytes to ask for first: the size that the file claims, one more to see its
 * end, one for the zero. */
static size_t first_capacity(int file, size_t limit)
{
    struct stat info;
    size_t size = READ_FIRST;

    if (fstat(file, &info) == 0 && S_ISREG(info.st_mode) && info.st_size > 0) {
        size = (size_t)info.st_size;
    }
    return (size < limit ? size : limit) + 2;
}

/* Moves to a block of twice the size, never more than `limit` + 2. */
static bool grow(const theater_env_t *env, uint8_t **data, size_t len,
                 size_t *capacity, size_t limit)
{
    size_t wanted = *capacity < limit / 2 ? *capacity * 2 : limit + 2;
    uint8_t *block = th_alloc(env, wanted);
    if (block == NULL) {
        return false;
    }
    memcpy(block, *data, len);
    th_free(env, *data);
    *data = block;
    *capacity = wanted;
    return true;
}

static theater_status_t read_all(int file, size_t limit, uint8_t **out_data,
                                 size_t *out_len)
{
    const theater_env_t *env = theater_env_default();
    theater_status_t status = THEATER_OUT_OF_MEMORY;
    size_t capacity = first_capacity(file, limit);
    size_t len = 0;
    uint8_t *data = th_alloc(env, capacity);
    if (data == NULL) {
        return status;
    }
    for (;;) {
        if (len + 1 == capacity && !grow(env, &data, len, &capacity, limit)) {
            goto out;
        }
        ssize_t got = read(file, data + len, capacity - 1 - len);
        if (got < 0 && errno == EINTR) {
            continue;
        }
        if (got < 0) {
            status = THEATER_IO;
            goto out;
        }
        if (got == 0) {
            break;
        }
        len += (size_t)got;
        if (len > limit) {
            status = THEATER_TOO_LARGE;
            goto out;
        }
    }
    data[len] = 0;
    *out_data = data;
    *out_len = len;
    return THEATER_OK;
out:
    th_free(env, data);
    return status;
}

/* Is it a regular file that the user alone may write? */
static theater_status_t check_own(int file)
{
    struct stat info;

    if (fstat(file, &info) != 0) {
        return THEATER_IO;
    }
    bool own = S_ISREG(info.st_mode) && info.st_uid == geteuid() &&
               (info.st_mode & 022) == 0;
    return own ? THEATER_OK : THEATER_DENIED;
}

static theater_status_t read_file(const char *path, size_t limit, bool own,
                                  uint8_t **out_data, size_t *out_len)
{
    if (limit > SIZE_MAX / 4) {
        limit = SIZE_MAX / 4;
    }
    /* O_NONBLOCK: a pipe must not make it wait before it is looked at. */
    int flags = own ? O_NOFOLLOW | O_NONBLOCK : 0;
    int file = open(path, O_RDONLY | O_CLOEXEC | flags);
    if (file < 0 && own && (errno == ELOOP || errno == EACCES)) {
        return THEATER_DENIED;
    }
    if (file < 0) {
        return errno == ENOENT || errno == ENOTDIR ? THEATER_NOT_FOUND
                                                   : THEATER_IO;
    }
    theater_status_t status = own ? check_own(file) : THEATER_OK;
    if (status == THEATER_OK) {
        status = read_all(file, limit, out_data, out_len);
    }
    close(file);
    return status;
}

theater_status_t th_linux_file_read(void *ctx, const char *path, size_t limit,
                                    uint8_t **out_data, size_t *out_len)
{
    (void)ctx;
    return read_file(path, limit, false, out_data, out_len);
}

theater_status_t th_linux_file_read_own(void *ctx, const char *path,
                                        size_t limit, uint8_t **out_data,
                                        size_t *out_len)
{
    (void)ctx;
    return read_file(path, limit, true, out_data, out_len);
}

static bool write_all(int file, const uint8_t *data, size_t len)
{
    while (len > 0) {
        ssize_t done = write(file, data, len);
        if (done < 0 && errno != EINTR) {
            return false;
        }
        if (done > 0) {
            data += done;
            len -= (size_t)done;
        }
    }
    return true;
}

/* Makes a rename in the folder of `path` last. `path` is written to. A file
 * system that cannot sync a folder is no error. */
static void sync_folder(char *path)
{
    char *slash = strrchr(path, '/');
    const char *folder = ".";

    if (slash == path) {
        folder = "/";
    } else if (slash != NULL) {
        *slash = '\0';
        folder = path;
    }
    int file = open(folder, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    if (file >= 0) {
        (void)fsync(file);
        close(file);
    }
}

/* Is the open file the one of that name, and nobody else's? The name may have
 * been renamed away before the lock was had. */
static bool is_mine(int file, const char *path)
{
    struct stat open_info, info;

    return check_own(file) == THEATER_OK && fstat(file, &open_info) == 0 &&
           lstat(path, &info) == 0 && open_info.st_ino == info.st_ino &&
           open_info.st_dev == info.st_dev && info.st_nlink == 1;
}

/* Opens an empty file beside `path` and locks it; its name is that with what
 * is added at its end. -1: there is none to be had. */
static int open_beside(char *path)
{
    char *end = path + strlen(path);

    for (unsigned i = 0; i < PLACES; i++) {
        (void)snprintf(end, PLACE_BYTES, ".new%u", i);
        int file =
            open(path, O_WRONLY | O_CREAT | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK,
                 0600);
        if (file < 0 && (errno == ENOENT || errno == ENOTDIR)) {
            return -1;
        }
        if (file >= 0 && flock(file, LOCK_EX | LOCK_NB) == 0 &&
            is_mine(file, path) && fchmod(file, 0600) == 0 &&
            ftruncate(file, 0) == 0) {
            return file;
        }
        if (file >= 0) {
            close(file);
        }
    }
    return -1;
}

theater_status_t th_linux_file_write(void *ctx, const char *path,
                                     const void *data, size_t len)
{
    const theater_env_t *env = theater_env_default();
    size_t path_len = strlen(path);

    (void)ctx;
    char *temporary = th_alloc(env, path_len + PLACE_BYTES);
    if (temporary == NULL) {
        return THEATER_IO;
    }
    memcpy(temporary, path, path_len + 1);

    theater_status_t status = THEATER_IO;
    int file = open_beside(temporary);
    if (file < 0) {
        goto out;
    }
    /* Renamed while it is locked: who gets the lock next sees that. */
    if (write_all(file, data, len) && fsync(file) == 0 &&
        rename(temporary, path) == 0) {
        status = THEATER_OK;
    } else {
        (void)unlink(temporary);
    }
    close(file);
    if (status == THEATER_OK) {
        sync_folder(temporary);
    }
out:
    th_free(env, temporary);
    return status;
}

theater_status_t th_linux_file_remove(void *ctx, const char *path)
{
    (void)ctx;
    if (unlink(path) == 0 || errno == ENOENT || errno == ENOTDIR) {
        return THEATER_OK;
    }
    return THEATER_IO;
}

/* Makes every folder on the way that is missing; `path` is written to and
 * restored. */
static bool make_folders(char *path)
{
    for (char *at = path + 1; *path != '\0'; at++) {
        char end = *at;
        if (end != '/' && end != '\0') {
            continue;
        }
        *at = '\0';
        bool made = mkdir(path, 0700) == 0 || errno == EEXIST;
        *at = end;
        if (!made) {
            return false;
        }
        if (end == '\0') {
            break;
        }
    }
    return true;
}

/* Looks at the folder itself, never at what a link points to. */
static theater_status_t check_private(const char *path)
{
    struct stat info;
    int folder = open(path, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);

    if (folder < 0) {
        return errno == ELOOP || errno == ENOTDIR || errno == EACCES
                   ? THEATER_DENIED
                   : THEATER_IO;
    }
    theater_status_t status = THEATER_IO;
    if (fstat(folder, &info) == 0) {
        bool own = info.st_uid == geteuid() && (info.st_mode & 077) == 0;
        status = own ? THEATER_OK : THEATER_DENIED;
    }
    close(folder);
    return status;
}

theater_status_t th_linux_folder_private(void *ctx, const char *path)
{
    const theater_env_t *env = theater_env_default();
    size_t len = strlen(path);

    (void)ctx;
    /* A slash at the end would make the check follow a link. */
    while (len > 1 && path[len - 1] == '/') {
        len--;
    }
    char *copy = th_strndup(env, path, len);
    if (copy == NULL) {
        return THEATER_IO;
    }
    theater_status_t status =
        len > 0 && make_folders(copy) ? check_private(copy) : THEATER_IO;
    th_free(env, copy);
    return status;
}
