/* SPDX-License-Identifier: Apache-2.0 */
/* Scenarios: files and folders through the environment, and its threads. */
#include "acts_router.h"

#include <sys/stat.h>
#include <unistd.h>

#define FOLDER TH_TEST_BUILD_DIR "/tests/faults-files"

static void make_folder(void)
{
    (void)mkdir(TH_TEST_BUILD_DIR "/tests", 0700);
    (void)mkdir(FOLDER, 0700);
}

static void write_whole(const char *path, size_t len)
{
    FILE *file = fopen(path, "wb");
    assert_non_null(file);
    theater_bytes_t data = big(len);
    assert_int_equal(fwrite(data.data, 1, len, file), len);
    assert_int_equal(fclose(file), 0);
}

static void read_and_free(struct act *act, const char *path, size_t limit,
                          size_t expected)
{
    const theater_env_t *env = act->env;
    uint8_t *data = NULL;
    size_t len = 77;
    theater_status_t status =
        env->file_read(env->ctx, path, limit, &data, &len);
    if (met_or(act, status, THEATER_OK, THEATER_OUT_OF_MEMORY)) {
        assert_int_equal(len, expected);
        assert_int_equal(data[len], 0);
        env->free(env->ctx, data);
    } else {
        assert_null(data);
        assert_int_equal(len, 77);
    }
}

static void read_small(struct act *act)
{
    make_folder();
    write_whole(FOLDER "/small", 100);
    read_and_free(act, FOLDER "/small", 1000, 100);
}

/* One that says no size grows as it is read. */
static void read_growing(struct act *act)
{
    int ends[2];
    char path[64];
    assert_int_equal(pipe(ends), 0);
    assert_int_equal(write(ends[1], big(60000).data, 60000), 60000);
    assert_int_equal(close(ends[1]), 0);
    snprintf(path, sizeof path, "/proc/self/fd/%d", ends[0]);
    read_and_free(act, path, 1 << 20, 60000);
    assert_int_equal(close(ends[0]), 0);
}

static void read_what_is_too_large(struct act *act)
{
    const theater_env_t *env = act->env;
    uint8_t *data = NULL;
    size_t len = 77;
    make_folder();
    write_whole(FOLDER "/large", 5000);
    theater_status_t status =
        env->file_read(env->ctx, FOLDER "/large", 4999, &data, &len);
    (void)met_or(act, status, THEATER_TOO_LARGE, THEATER_OUT_OF_MEMORY);
    assert_null(data);
}

static void read_own(struct act *act)
{
    const theater_env_t *env = act->env;
    uint8_t *data = NULL;
    size_t len = 77;
    make_folder();
    write_whole(FOLDER "/own", 10);
    assert_int_equal(chmod(FOLDER "/own", 0600), 0);
    theater_status_t status =
        env->file_read_own(env->ctx, FOLDER "/own", 100, &data, &len);
    if (met_or(act, status, THEATER_OK, THEATER_OUT_OF_MEMORY)) {
        env->free(env->ctx, data);
    }
}

/* The file is the old one, or the whole of what was written. */
static void write_one(struct act *act)
{
    const theater_env_t *env = act->env;
    struct stat info;
    make_folder();
    write_whole(FOLDER "/written", 10);
    theater_bytes_t data = big(20000);
    theater_status_t status =
        env->file_write(env->ctx, FOLDER "/written", data.data, data.len);
    bool done = met_or(act, status, THEATER_OK, THEATER_IO);
    assert_int_equal(stat(FOLDER "/written", &info), 0);
    assert_int_equal(info.st_size, done ? 20000 : 10);
}

static void remove_one(struct act *act)
{
    const theater_env_t *env = act->env;
    make_folder();
    write_whole(FOLDER "/removed", 10);
    bool done =
        met(act, env->file_remove(env->ctx, FOLDER "/removed"), THEATER_OK);
    assert_int_equal(access(FOLDER "/removed", F_OK), done ? -1 : 0);
}

static void private_folder(struct act *act)
{
    const theater_env_t *env = act->env;
    make_folder();
    (void)met_or(act, env->folder_private(env->ctx, FOLDER "/a/b"), THEATER_OK,
                 THEATER_IO);
    (void)rmdir(FOLDER "/a/b");
    (void)rmdir(FOLDER "/a");
}

static void nothing(void *arg)
{
    (void)arg;
}

static void threads(struct act *act)
{
    const theater_env_t *env = act->env;
    theater_thread_t *thread = NULL;
    for (int i = 0; i < 3; i++) {
        if (met(act, env->thread_start(env->ctx, "act", nothing, NULL, &thread),
                THEATER_OK)) {
            env->thread_join(env->ctx, thread);
        }
    }
}

#define ACT(name, run) {name, run, &stage_bare, NULL}
const struct scenario acts_file[] = {
    ACT("a file that is read", read_small),
    ACT("a file that grows as it is read", read_growing),
    ACT("a file that is too large", read_what_is_too_large),
    ACT("a file of one's own", read_own),
    ACT("a file that is written", write_one),
    ACT("a file that is removed", remove_one),
    ACT("a folder of one's own", private_folder),
    ACT("threads", threads),
};
const size_t acts_file_len = sizeof acts_file / sizeof acts_file[0];
