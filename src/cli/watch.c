/* SPDX-License-Identifier: Apache-2.0 */
/* Design notes. Names, times and sizes are hashed: asking for them takes a
 * fraction of a millisecond for a project, and works on every file system.
 * What .gitignore names is made by tools, and would be built for ever. */
#include "cli/watch.h"

#include <dirent.h>
#include <fnmatch.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>

enum { PATH_LEN = 4096, PATTERNS = 64, PATTERN_LEN = 128, DEEPEST = 16 };

struct watch {
    size_t root_len;                      /* of the project's path */
    char patterns[PATTERNS][PATTERN_LEN]; /* of .gitignore */
    size_t patterns_len;                  /* entries in patterns */
    bool manifests;                       /* only what ends in .toml */
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

static void read_patterns(struct watch *watch, const char *folder)
{
    char path[PATH_LEN], line[PATTERN_LEN];
    snprintf(path, sizeof path, "%s/.gitignore", folder);
    FILE *file = fopen(path, "r");
    while (file != NULL && watch->patterns_len < PATTERNS &&
           fgets(line, sizeof line, file) != NULL) {
        size_t len = strcspn(line, "\r\n");
        while (len > 0 && line[len - 1] == '/') {
            len--;
        }
        if (len > 0 && line[0] != '#') {
            snprintf(watch->patterns[watch->patterns_len++], PATTERN_LEN,
                     "%.*s", (int)len, line);
        }
    }
    if (file != NULL) {
        fclose(file);
    }
}

/* A pattern with a slash speaks of the whole path, another of a name. */
static bool is_ignored(const struct watch *watch, const char *path,
                       const char *name)
{
    const char *inside = path + watch->root_len + 1;
    for (size_t i = 0; i < watch->patterns_len; i++) {
        const char *pattern = watch->patterns[i];
        bool whole = strchr(pattern, '/') != NULL;
        pattern += pattern[0] == '/';
        if (fnmatch(pattern, whole ? inside : name, whole ? FNM_PATHNAME : 0) ==
            0) {
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
    struct watch watch = {.root_len = strlen(path), .manifests = manifests};
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
