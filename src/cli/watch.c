/* SPDX-License-Identifier: Apache-2.0 */
/* Design notes. Names, times and sizes are hashed: asking for them takes a
 * fraction of a millisecond for a project, and works on every file system.
 * What .gitignore names is made by tools, and would be built for ever. Its
 * lines are taken whole, up to a bound for all of them together: half a
 * pattern may ignore what the whole one does not. (fnmatch does not go back
 * behind a star: many of them cost no more than few.) */
#include "cli/watch.h"

#include <dirent.h>
#include <fcntl.h>
#include <fnmatch.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

enum { PATH_LEN = 4096, DEEPEST = 16 };

struct watch {
    size_t root_len; /* of the project's path */
    bool manifests;  /* only what ends in .toml */
    size_t len;      /* of patterns */
    /* Of .gitignore, a zero behind each; empty ones are none. */
    char patterns[CLI_IGNORES_MAX];
};

static uint64_t mix(uint64_t hash, uint64_t value)
{
    hash = (hash ^ value) * UINT64_C(0x9e3779b97f4a7c15);
    return hash ^ hash >> 29;
}

static uint64_t stamp_of(const struct stat *found)
{
    uint64_t hash = mix(1, (uint64_t)found->st_mtim.tv_sec);
    hash = mix(hash, (uint64_t)found->st_mtim.tv_nsec);
    return mix(hash, (uint64_t)found->st_size);
}

uint64_t cli_stamp_file(const char *path)
{
    struct stat found;
    return stat(path, &found) == 0 ? stamp_of(&found) : 0;
}

/* Whole lines; others than regular files could keep us waiting. */
static size_t read_lines(const char *path, char out[CLI_IGNORES_MAX])
{
    struct stat found;
    ssize_t got = 0;
    size_t len = 0;
    int fd = open(path, O_RDONLY | O_NONBLOCK | O_CLOEXEC);
    if (fd < 0) {
        return 0;
    }
    if (fstat(fd, &found) == 0 && S_ISREG(found.st_mode)) {
        while (len < CLI_IGNORES_MAX &&
               (got = read(fd, out + len, CLI_IGNORES_MAX - len)) > 0) {
            len += (size_t)got;
        }
    }
    close(fd);
    if (len < CLI_IGNORES_MAX) {
        out[len++] = '\n';
    }
    while (len > 0 && out[len - 1] != '\n') {
        len--;
    }
    return len;
}

static void read_patterns(struct watch *watch, const char *folder)
{
    char path[PATH_LEN];
    snprintf(path, sizeof path, "%s/.gitignore", folder);
    watch->len = read_lines(path, watch->patterns);
    char *end = watch->patterns + watch->len;
    for (char *line = watch->patterns, *next; line < end; line = next) {
        char *last = memchr(line, '\n', (size_t)(end - line));
        next = last + 1;
        while (last > line &&
               (line[0] == '#' || strchr("\r/", last[-1]) != NULL)) {
            last--;
        }
        memset(last, '\0', (size_t)(next - last));
    }
}

/* A pattern with a slash speaks of the whole path, another of a name. */
static bool is_ignored(const struct watch *watch, const char *path,
                       const char *name)
{
    const char *inside = path + watch->root_len + 1;
    const char *pattern = watch->patterns;
    const char *end = pattern + watch->len;
    for (; pattern < end; pattern += strlen(pattern) + 1) {
        bool whole = strchr(pattern, '/') != NULL;
        const char *rest = pattern + (pattern[0] == '/');
        if (pattern[0] != '\0' && fnmatch(rest, whole ? inside : name,
                                          whole ? FNM_PATHNAME : 0) == 0) {
            return true;
        }
    }
    return name[0] == '.';
}

static bool is_manifest(const char *name)
{
    size_t len = strlen(name);
    return len > 5 && strcmp(name + len - 5, ".toml") == 0;
}

static uint64_t stamp_below(const struct watch *watch, const char *folder,
                            int depth)
{
    DIR *list = opendir(folder);
    uint64_t hash = 0;
    struct dirent *entry;
    while (list != NULL && (entry = readdir(list)) != NULL) {
        char path[PATH_LEN];
        struct stat found;
        int len = snprintf(path, sizeof path, "%s/%s", folder, entry->d_name);
        if (len < 0 || (size_t)len >= sizeof path ||
            is_ignored(watch, path, entry->d_name) ||
            lstat(path, &found) != 0 ||
            (watch->manifests && !S_ISDIR(found.st_mode) &&
             !is_manifest(entry->d_name))) {
            continue;
        }
        uint64_t one = 2;
        for (const char *at = entry->d_name; *at != '\0'; at++) {
            one = mix(one, (uint64_t)*at);
        }
        if (S_ISDIR(found.st_mode)) {
            one = mix(one, depth < DEEPEST ? stamp_below(watch, path, depth + 1)
                                           : 0);
        } else {
            one = mix(one, stamp_of(&found));
        }
        /* A folder tells its entries in any order. */
        hash += one;
    }
    if (list != NULL) {
        closedir(list);
    }
    return hash;
}

static uint64_t stamp_folder(const char *path, bool manifests)
{
    struct watch watch;
    watch.root_len = strlen(path);
    watch.manifests = manifests;
    read_patterns(&watch, path);
    return stamp_below(&watch, path, 0);
}

uint64_t cli_stamp_folder(const char *path)
{
    return stamp_folder(path, false);
}

uint64_t cli_stamp_manifests(const char *path)
{
    return stamp_folder(path, true);
}
