/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Design notes. A manifest may come from somebody else, so what it names must
 * lie in its own folder or below: first by the letters of the path, then,
 * with symbolic links followed, by where it really is. The answer is the real
 * path, so that what is loaded is what was checked. Whoever may write to that
 * folder meanwhile owns the actor anyway.
 *
 * An error's origin is "file:line:column"; a long path loses its beginning,
 * never the line.
 */
#include "manifest_internal.h"

#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "base/base.h"

theater_status_t th_source_error(const struct th_source *src,
                                 theater_status_t status,
                                 struct th_toml_place place, const char *format,
                                 ...)
{
    theater_error_t *err = src->err;
    if (err == NULL) {
        return status;
    }
    char at[32];
    at[0] = '\0';
    if (place.line != 0) {
        (void)snprintf(at, sizeof(at), ":%u:%u", (unsigned)place.line,
                       (unsigned)place.column);
    }
    const char *path = src->origin;
    size_t len = strlen(path);
    size_t room = sizeof(err->origin) - 1 - strlen(at);
    const char *cut = "";
    if (len > room) {
        cut = "...";
        path += len - (room - 3);
        while (((unsigned char)*path & 0xC0) == 0x80) {
            path++;
        }
    }
    (void)snprintf(err->origin, sizeof(err->origin), "%s%s%s", cut, path, at);
    va_list args;
    va_start(args, format);
    (void)vsnprintf(err->text, sizeof(err->text), format, args);
    va_end(args);
    err->status = status;
    return status;
}

theater_status_t th_source_parse(struct th_source *src, const char *text,
                                 size_t len)
{
    struct th_toml_error why;
    struct th_toml_limits limits = {.max_bytes = TH_MANIFEST_MAX_BYTES};
    if (len >= 4 && memcmp(text, "\0asm", 4) == 0) {
        return th_source_error(
            src, THEATER_BAD_MANIFEST, (struct th_toml_place){0, 0},
            "this is WebAssembly, not a manifest; give the .toml file whose "
            "'package' it is");
    }
    theater_status_t status =
        th_toml_parse(src->env, text, len, &limits, &src->doc, &why);
    if (status == THEATER_OK) {
        return THEATER_OK;
    }
    if (status != THEATER_OUT_OF_MEMORY) {
        status = THEATER_BAD_MANIFEST;
    }
    return th_source_error(src, status, why.place, "%s", why.text);
}

/* Too long a name is the text's fault, the rest the file system's. */
static theater_status_t bad_or_io(int code)
{
    return code == ENAMETOOLONG ? THEATER_BAD_MANIFEST : THEATER_IO;
}

/* What stands there in place of a file: who opened a pipe would wait for
 * somebody to write there. */
static const char *what_instead(const char *path)
{
    struct stat found;
    if (stat(path, &found) != 0 || S_ISREG(found.st_mode)) {
        return NULL;
    }
    return S_ISDIR(found.st_mode) ? "folder" : "pipe or a device";
}

static bool is_folder(const char *path)
{
    struct stat found;
    return stat(path, &found) == 0 && S_ISDIR(found.st_mode);
}

theater_status_t th_source_load(struct th_source *src)
{
    const struct th_toml_place start = {1, 1};
    /* No place in it is at fault. */
    const struct th_toml_place nowhere = {0, 0};
    const theater_env_t *env = src->env;
    uint8_t *data = NULL;
    size_t len = 0;
    theater_status_t status = env->file_read(
        env->ctx, src->origin, TH_MANIFEST_MAX_BYTES, &data, &len);
    switch (status) {
    case THEATER_OK:
        status = th_source_parse(src, (const char *)data, len);
        env->free(env->ctx, data);
        return status;
    case THEATER_TOO_LARGE:
        return th_source_error(src, THEATER_BAD_MANIFEST, start,
                               "the file is larger than %d bytes; is it a "
                               "manifest?",
                               TH_MANIFEST_MAX_BYTES);
    case THEATER_NOT_FOUND:
        return th_source_error(src, status, nowhere, "there is no such file");
    case THEATER_IO:
        return th_source_error(
            src, status, nowhere, "the file could not be read%s",
            is_folder(src->origin) ? ": it is a folder; name the file in it"
                                   : "");
    default:
        return th_source_error(src, status, nowhere,
                               "the file could not be read: %s",
                               theater_status_text(status));
    }
}

/* Bytes of `origin` up to and with its last slash. */
static size_t folder_len(const char *origin)
{
    const char *slash = strrchr(origin, '/');
    return slash == NULL ? 0 : (size_t)(slash - origin) + 1;
}

void th_source_join(const char *origin, const char *path,
                    char out[static PATH_MAX])
{
    (void)snprintf(out, PATH_MAX, "%.*s%s", (int)folder_len(origin), origin,
                   path);
}

/* Does the path, by its letters alone, leave the folder it starts in? */
static bool leaves_folder(const char *path)
{
    size_t depth = 0;
    while (*path != '\0') {
        size_t len = strcspn(path, "/");
        if (len == 2 && path[0] == '.' && path[1] == '.') {
            if (depth == 0) {
                return true;
            }
            depth--;
        } else if (len > 0 && !(len == 1 && path[0] == '.')) {
            depth++;
        }
        path += len;
        path += *path == '/';
    }
    return false;
}

static bool is_inside(const char *folder, const char *path)
{
    size_t len = strlen(folder);
    if (len == 1) { /* the root folder */
        return true;
    }
    return strncmp(folder, path, len) == 0 && path[len] == '/';
}

static theater_status_t say_missing(const struct th_source *src,
                                    struct th_toml_place place,
                                    const char *what, const char *shown,
                                    const char *joined)
{
    const char *make = strcmp(what, "package") == 0 ? "build" : "write";
    return th_source_error(src, THEATER_NOT_FOUND, place,
                           "the %s '%s' is missing (%s); %s it, or correct "
                           "its name",
                           what, shown, joined, make);
}

theater_status_t th_source_resolve(const struct th_source *src,
                                   struct th_toml_place place, const char *what,
                                   const char *path, bool must_exist,
                                   char out[static PATH_MAX])
{
    char shown[TH_TOML_SHOW];
    char joined[PATH_MAX];
    char folder[PATH_MAX];
    th_toml_show(shown, path, strlen(path));
    if (path[0] == '/') {
        return th_source_error(src, THEATER_BAD_MANIFEST, place,
                               "the %s '%s' is absolute; write it relative "
                               "to the folder of this file",
                               what, shown);
    }
    if (leaves_folder(path)) {
        return th_source_error(src, THEATER_BAD_MANIFEST, place,
                               "the %s '%s' lies outside of this file's "
                               "folder; put it there or below",
                               what, shown);
    }
    if (folder_len(src->origin) + strlen(path) >= PATH_MAX) {
        return th_source_error(src, THEATER_BAD_MANIFEST, place,
                               "the path of the %s is too long", what);
    }
    th_source_join(src->origin, path, joined);
    th_source_join(src->origin, ".", folder);
    if (realpath(folder, out) == NULL) {
        return th_source_error(src, THEATER_NOT_FOUND, place,
                               "there is no folder of this file: %s",
                               strerror(errno));
    }
    memcpy(folder, out, PATH_MAX);
    if (realpath(joined, out) != NULL) {
        if (is_inside(folder, out) && what_instead(out) != NULL) {
            return th_source_error(src, THEATER_BAD_MANIFEST, place,
                                   "the %s '%s' is a %s, not a file", what,
                                   shown, what_instead(out));
        }
        if (is_inside(folder, out)) {
            return THEATER_OK;
        }
        return th_source_error(src, THEATER_BAD_MANIFEST, place,
                               "the %s '%s' is a link to a file outside of "
                               "this file's folder",
                               what, shown);
    }
    if (errno != ENOENT && errno != ENOTDIR) {
        return th_source_error(src, bad_or_io(errno), place,
                               "the %s '%s' can't be reached: %s", what, shown,
                               strerror(errno));
    }
    if (must_exist) {
        return say_missing(src, place, what, shown, joined);
    }
    /* No file is there yet: the real folder, and the path as written. */
    int len = snprintf(out, PATH_MAX, "%s/%s", folder, path);
    if (len < 0 || len >= PATH_MAX) {
        return th_source_error(src, THEATER_BAD_MANIFEST, place,
                               "the path of the %s is too long", what);
    }
    return THEATER_OK;
}
