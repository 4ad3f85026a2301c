/* SPDX-License-Identifier: Apache-2.0 */
/* Runs a target on every file of the folders that are named, without
 * libFuzzer: any compiler, any sanitizer. */
#include "fuzz.h"

#include <dirent.h>
#include <string.h>

enum { INPUT_MAX = 1 << 20 };

static void run_file(const char *path)
{
    FILE *file = fopen(path, "rb");
    uint8_t *data = malloc(INPUT_MAX);
    FUZZ_CHECK(file != NULL && data != NULL);
    size_t size = fread(data, 1, INPUT_MAX, file);
    fclose(file);
    /* A block of its very size: a read behind its end is seen. */
    uint8_t *exact = malloc(size != 0 ? size : 1);
    FUZZ_CHECK(exact != NULL);
    memcpy(exact, data, size);
    free(data);
    fprintf(stderr, "%s\n", path); /* the last one is the one that failed */
    th_fuzz_one(exact, size);
    free(exact);
}

static unsigned run_folder(const char *folder)
{
    char path[4096];
    unsigned count = 0;
    DIR *dir = opendir(folder);
    if (dir == NULL) {
        return 0;
    }
    for (struct dirent *entry = readdir(dir); entry != NULL;
         entry = readdir(dir)) {
        if (entry->d_name[0] != '.') {
            snprintf(path, sizeof path, "%s/%s", folder, entry->d_name);
            run_file(path);
            count++;
        }
    }
    closedir(dir);
    return count;
}

int main(int argc, char **argv)
{
    unsigned count = 0;
    for (int i = 1; i < argc; i++) {
        count += run_folder(argv[i]);
    }
    th_fuzz_one((const uint8_t *)"", 0);
    printf("%u inputs\n", count);
    return count != 0 ? 0 : 1; /* no corpus: nothing was tested */
}
