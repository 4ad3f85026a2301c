/* SPDX-License-Identifier: Apache-2.0 */
/* A folder of its own for a test, and files in it. */
#ifndef TH_TESTS_MANIFEST_WORLD_H
#define TH_TESTS_MANIFEST_WORLD_H

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <theater/manifest.h>

struct world {
    char folder[64]; /* absolute, no slash at its end */
};

static inline const char *world_path(const struct world *world,
                                     const char *name,
                                     char out[static PATH_MAX])
{
    (void)snprintf(out, PATH_MAX, "%s/%s", world->folder, name);
    return out;
}

static inline void world_write(const struct world *world, const char *name,
                               const void *data, size_t len)
{
    char path[PATH_MAX];
    FILE *file = fopen(world_path(world, name, path), "wb");
    assert_non_null(file);
    assert_int_equal(fwrite(data, 1, len, file), len);
    assert_int_equal(fclose(file), 0);
}

static inline void world_text(const struct world *world, const char *name,
                              const char *text)
{
    world_write(world, name, text, strlen(text));
}

static inline void world_folder(const struct world *world, const char *name)
{
    char path[PATH_MAX];
    assert_int_equal(mkdir(world_path(world, name, path), 0700), 0);
}

static inline void world_link(const struct world *world, const char *target,
                              const char *name)
{
    char path[PATH_MAX];
    assert_int_equal(symlink(target, world_path(world, name, path)), 0);
}

static inline int world_setup(void **state)
{
    struct world *world = calloc(1, sizeof(*world));
    if (world == NULL) {
        return -1;
    }
    (void)snprintf(world->folder, sizeof(world->folder),
                   "/tmp/theater-test-XXXXXX");
    if (mkdtemp(world->folder) == NULL) {
        free(world);
        return -1;
    }
    world_text(world, "a.wasm", "");
    *state = world;
    return 0;
}

static inline int world_teardown(void **state)
{
    struct world *world = *state;
    char command[128];
    (void)snprintf(command, sizeof(command), "rm -r '%s'", world->folder);
    int status = system(command);
    free(world);
    return status;
}

/* The error is at file:line:column and says `part`. */
static inline void assert_says(const theater_error_t *err, const char *place,
                               const char *part)
{
    size_t len = strlen(err->origin);
    size_t place_len = strlen(place);
    if (len < place_len || strcmp(err->origin + len - place_len, place) != 0 ||
        strstr(err->text, part) == NULL) {
        fail_msg("expected %s: ... %s ..., got %s: %s", place, part,
                 err->origin, err->text);
    }
}

#endif
