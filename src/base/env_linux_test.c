/* SPDX-License-Identifier: Apache-2.0 */
/* The default environment. */
#include "base/base.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>
#include <cmocka.h>

#define MS UINT64_C(1000000)

static const theater_env_t *env;
static char folder[] = "env_linux_test.XXXXXX"; /* where the test was started */
static char path[128];

static const char *in_folder(const char *name)
{
    (void)snprintf(path, sizeof(path), "%s/%s", folder, name);
    return path;
}

static int folder_new(void **state)
{
    (void)state;
    env = theater_env_default();
    return mkdtemp(folder) != NULL ? 0 : -1;
}

static int folder_delete(void **state)
{
    (void)state;
    return rmdir(folder);
}

static void
the_clock_goes_on_and_the_wall_clock_is_of_this_century(void **state)
{
    uint64_t before = th_now(env);
    (void)state;
    for (unsigned i = 0; i < 1000; i++) {
        uint64_t now = th_now(env);
        assert_true(now >= before);
        before = now;
    }
    assert_true(env->wall_ns(env->ctx) > UINT64_C(1700000000) * 1000 * MS);
}

static void random_bytes_are_different_each_time(void **state)
{
    uint8_t bytes[2][300] = {{0}, {0}};
    (void)state;
    env->random(env->ctx, bytes[0], sizeof(bytes[0]));
    env->random(env->ctx, bytes[1], sizeof(bytes[1]));
    assert_memory_not_equal(bytes[0], bytes[1], sizeof(bytes[0]));
    /* The end is filled, too. */
    assert_memory_not_equal(bytes[0] + 284, bytes[1] + 284, 16);
}

static void memory_is_aligned_as_asked(void **state)
{
    (void)state;
    for (size_t align = 8; align <= 4096; align *= 2) {
        for (size_t size = 0; size < 200; size += 13) {
            uint8_t *memory = env->alloc(env->ctx, size, align);
            assert_non_null(memory);
            assert_int_equal((uintptr_t)memory % align, 0);
            memset(memory, 0xFF, size);
            env->free(env->ctx, memory);
        }
    }
    env->free(env->ctx, NULL);
    assert_null(env->alloc(env->ctx, SIZE_MAX - 10, 64));
}

static void pages_are_zero_at_first_and_after_they_were_given_back(void **state)
{
    size_t size = (size_t)1 << 30; /* more than is touched */
    (void)state;
    uint8_t *pages = env->map(env->ctx, size);
    assert_non_null(pages);
    assert_int_equal(pages[size - 1], 0);
    pages[4096] = 1;
    env->discard(env->ctx, pages, 3 * 4096);
    assert_int_equal(pages[4096], 0);
    env->unmap(env->ctx, pages, size);
    env->unmap(env->ctx, NULL, 4096);
    assert_null(env->map(env->ctx, SIZE_MAX / 2));
}

static void reserved_addresses_become_pages_when_they_are_allowed(void **state)
{
    /* More than there is memory. */
#ifdef __SANITIZE_THREAD__ /* it leaves no more free everywhere */
    size_t size = (size_t)1 << 36;
#else
    size_t size = (size_t)1 << 40;
#endif
    (void)state;
    uint8_t *pages = env->map_reserve(env->ctx, size);
    assert_non_null(pages);
    assert_int_equal(env->map_allow(env->ctx, pages + 8192, 4096), THEATER_OK);
    assert_int_equal(pages[8192], 0);
    pages[8192 + 4095] = 1;
    env->unmap(env->ctx, pages, size);
    assert_null(env->map_reserve(env->ctx, SIZE_MAX / 2));
    assert_int_equal(env->map_allow(env->ctx, pages, 4096),
                     THEATER_OUT_OF_MEMORY); /* nothing is there */
}

struct thread_view {
    char name[16];
    bool term_blocked;
    bool segv_blocked;
};

static void look(void *arg)
{
    struct thread_view *view = arg;
    sigset_t blocked;
    (void)prctl(PR_GET_NAME, view->name);
    TH_CHECK(pthread_sigmask(SIG_SETMASK, NULL, &blocked) == 0);
    view->term_blocked = sigismember(&blocked, SIGTERM) == 1;
    view->segv_blocked = sigismember(&blocked, SIGSEGV) == 1;
}

static void
a_thread_has_its_name_and_leaves_signals_to_the_embedder(void **state)
{
    struct thread_view view = {0};
    theater_thread_t *thread;
    sigset_t blocked;
    (void)state;
    assert_int_equal(env->thread_start(env->ctx, "a-name-that-is-too-long",
                                       look, &view, &thread),
                     THEATER_OK);
    env->thread_join(env->ctx, thread);
    assert_string_equal(view.name, "a-name-that-is-");
    assert_true(view.term_blocked);
    assert_false(view.segv_blocked);
    /* The caller's own mask is as it was. */
    assert_int_equal(pthread_sigmask(SIG_SETMASK, NULL, &blocked), 0);
    assert_int_equal(sigismember(&blocked, SIGTERM), 0);
}

static void parking_ends_at_the_deadline_or_when_the_word_differs(void **state)
{
    _Atomic uint32_t word = 5;
    uint64_t start = th_now(env);
    (void)state;
    env->park(env->ctx, &word, 4, THEATER_NEVER); /* differs */
    env->park(env->ctx, &word, 5, 0);             /* long past */
    uint64_t deadline = start + 5 * MS;
    while (th_now(env) < deadline) {
        env->park(env->ctx, &word, 5, deadline);
    }
    assert_true(th_now(env) < start + 20000 * MS);
}

static _Atomic uint32_t door;

static void wait_at_the_door(void *arg)
{
    (void)arg;
    while (atomic_load_explicit(&door, memory_order_acquire) == 0) {
        env->park(env->ctx, &door, 0, THEATER_NEVER);
    }
}

static void who_parks_is_woken(void **state)
{
    theater_thread_t *threads[3];
    (void)state;
    for (unsigned i = 0; i < 3; i++) {
        assert_int_equal(env->thread_start(env->ctx, "door", wait_at_the_door,
                                           NULL, &threads[i]),
                         THEATER_OK);
    }
    atomic_store_explicit(&door, 1, memory_order_release);
    env->unpark(env->ctx, &door, UINT32_MAX);
    for (unsigned i = 0; i < 3; i++) {
        env->thread_join(env->ctx, threads[i]);
    }
}

static void a_file_is_read_as_it_was_written(void **state)
{
    static const size_t sizes[] = {0, 1, 4095, 4096, 4097, 100000};
    static uint8_t data[100000];
    struct stat info;
    (void)state;
    for (size_t i = 0; i < sizeof(data); i++) {
        data[i] = (uint8_t)(i * 7);
    }
    for (size_t i = 0; i < sizeof(sizes) / sizeof(sizes[0]); i++) {
        uint8_t *read_data = NULL;
        size_t len = 0;
        const char *file = in_folder("file");
        assert_int_equal(env->file_write(env->ctx, file, data, sizes[i]),
                         THEATER_OK);
        assert_int_equal(
            env->file_read(env->ctx, file, sizes[i], &read_data, &len),
            THEATER_OK);
        assert_int_equal(len, sizes[i]);
        assert_memory_equal(read_data, data, len);
        assert_int_equal(read_data[len], 0);
        th_free(env, read_data);
        if (sizes[i] > 0) {
            assert_int_equal(
                env->file_read(env->ctx, file, sizes[i] - 1, &read_data, &len),
                THEATER_TOO_LARGE);
        }
    }
    assert_int_equal(stat(in_folder("file"), &info), 0);
    assert_int_equal(info.st_mode & 0777, 0600);
    assert_int_equal(env->file_remove(env->ctx, in_folder("file")), THEATER_OK);
    assert_int_equal(env->file_remove(env->ctx, in_folder("file")), THEATER_OK);
}

static void
what_cannot_be_read_says_so_and_leaves_the_outputs_alone(void **state)
{
    uint8_t *data = NULL;
    size_t len = 9;
    (void)state;
    assert_int_equal(
        env->file_read(env->ctx, in_folder("none"), 9, &data, &len),
        THEATER_NOT_FOUND);
    assert_int_equal(
        env->file_read(env->ctx, in_folder("none/below"), 9, &data, &len),
        THEATER_NOT_FOUND);
    assert_int_equal(env->file_read(env->ctx, folder, 9, &data, &len),
                     THEATER_IO);
    /* Without an end: the limit holds. */
    assert_int_equal(env->file_read(env->ctx, "/dev/zero", 50000, &data, &len),
                     THEATER_TOO_LARGE);
    assert_null(data);
    assert_int_equal(len, 9);
}

static void a_write_that_fails_leaves_nothing_behind(void **state)
{
    (void)state;
    assert_int_equal(env->file_write(env->ctx, in_folder("none/file"), "x", 1),
                     THEATER_IO);
    /* In the place of a folder: the rename fails after the writing. */
    assert_int_equal(mkdir(in_folder("taken"), 0700), 0);
    assert_int_equal(env->file_write(env->ctx, in_folder("taken"), "x", 1),
                     THEATER_IO);
    assert_int_equal(rmdir(in_folder("taken")), 0);
    /* A folder with something in it could not be removed. */
    assert_int_equal(rmdir(folder), 0);
    assert_int_equal(mkdir(folder, 0700), 0);
}

static unsigned files_in_folder(void)
{
    unsigned count = 0;
    DIR *dir = opendir(folder);
    assert_non_null(dir);
    for (struct dirent *entry; (entry = readdir(dir)) != NULL;) {
        count += entry->d_name[0] != '.';
    }
    closedir(dir);
    return count;
}

enum { LONG = 300000 };

/* Writes the same file for ever. */
static pid_t writer_new(void)
{
    pid_t pid = fork();
    assert_true(pid >= 0);
    if (pid == 0) {
        static uint8_t data[LONG];
        memset(data, 'x', sizeof data);
        for (;;) {
            if (env->file_write(env->ctx, in_folder("file"), data,
                                sizeof data) != THEATER_OK) {
                _exit(1);
            }
        }
    }
    return pid;
}

static void pass(uint64_t ns)
{
    struct timespec time = {.tv_nsec = (long)ns};
    nanosleep(&time, NULL);
}

static void who_is_killed_while_he_writes_leaves_little(void **state)
{
    struct th_rng rng;
    uint8_t *data = NULL;
    size_t len = 0;
    (void)state;
    th_rng_init(&rng, 1);
    for (unsigned i = 0; i < 60; i++) {
        int status = 0;
        pid_t pid[2] = {writer_new(), writer_new()};
        pass(3 * MS + th_rng_below(&rng, 10 * MS));
        for (unsigned k = 0; k < 2; k++) {
            assert_int_equal(kill(pid[k], SIGKILL), 0);
            assert_int_equal(waitpid(pid[k], &status, 0), pid[k]);
            assert_true(WIFSIGNALED(status)); /* no write failed */
        }
        /* It is there whole, or not yet. */
        theater_status_t read =
            env->file_read(env->ctx, in_folder("file"), LONG + 1, &data, &len);
        if (read == THEATER_OK) {
            assert_int_equal(len, LONG);
            assert_true(data[0] == 'x' && data[LONG - 1] == 'x');
            th_free(env, data);
        } else {
            assert_int_equal(read, THEATER_NOT_FOUND);
        }
    }
    assert_true(files_in_folder() <= 3);
    /* What was left is used, and goes. */
    char name[16];
    for (unsigned i = 0; i < 2; i++) {
        (void)snprintf(name, sizeof name, "file.new%u", i);
        (void)unlink(in_folder(name));
    }
    assert_int_equal(env->file_remove(env->ctx, in_folder("file")), THEATER_OK);
    assert_int_equal(files_in_folder(), 0);
}

/* Nothing that stands in the way is followed, written to, or waited for. */
static void what_stands_beside_a_file_is_not_written_to(void **state)
{
    (void)state;
    int victim = open(in_folder("victim"), O_CREAT | O_WRONLY, 0600);
    assert_int_equal(write(victim, "kept", 4), 4);
    assert_int_equal(close(victim), 0);
    assert_int_equal(symlink("victim", in_folder("f.new0")), 0);
    assert_int_equal(mkfifo(in_folder("f.new1"), 0600), 0);
    assert_int_equal(mkdir(in_folder("f.new2"), 0700), 0);
    char victim_path[sizeof path];
    memcpy(victim_path, in_folder("victim"), sizeof path);
    assert_int_equal(link(victim_path, in_folder("f.new3")), 0);
    assert_int_equal(env->file_write(env->ctx, in_folder("f"), "new", 3),
                     THEATER_OK);
    uint8_t *data = NULL;
    size_t len = 0;
    assert_int_equal(
        env->file_read(env->ctx, in_folder("victim"), 9, &data, &len),
        THEATER_OK);
    assert_int_equal(len, 4);
    th_free(env, data);
    assert_int_equal(unlink(in_folder("f.new0")), 0);
    assert_int_equal(unlink(in_folder("f.new1")), 0);
    assert_int_equal(rmdir(in_folder("f.new2")), 0);
    assert_int_equal(unlink(in_folder("f.new3")), 0);
    assert_int_equal(unlink(in_folder("victim")), 0);
    assert_int_equal(unlink(in_folder("f")), 0);
    assert_int_equal(files_in_folder(), 0);
}

static void a_private_folder_is_made_with_its_parents(void **state)
{
    struct stat info;
    (void)state;
    assert_int_equal(env->folder_private(env->ctx, in_folder("a/b/c/")),
                     THEATER_OK);
    assert_int_equal(env->folder_private(env->ctx, in_folder("a/b/c")),
                     THEATER_OK);
    assert_int_equal(stat(in_folder("a/b"), &info), 0);
    assert_int_equal(info.st_mode & 0777, 0700);
    assert_int_equal(rmdir(in_folder("a/b/c")), 0);
    assert_int_equal(rmdir(in_folder("a/b")), 0);
    assert_int_equal(rmdir(in_folder("a")), 0);
    assert_int_equal(env->folder_private(env->ctx, ""), THEATER_IO);
}

static void a_folder_that_others_may_use_is_refused(void **state)
{
    static const mode_t modes[] = {0710, 0720, 0740, 0701, 0702, 0704};
    (void)state;
    assert_int_equal(env->folder_private(env->ctx, in_folder("p")), THEATER_OK);
    for (size_t i = 0; i < sizeof(modes) / sizeof(modes[0]); i++) {
        assert_int_equal(chmod(in_folder("p"), modes[i]), 0);
        assert_int_equal(env->folder_private(env->ctx, in_folder("p")),
                         THEATER_DENIED);
    }
    /* A link to a private one, with and without a slash; a file. */
    assert_int_equal(chmod(in_folder("p"), 0700), 0);
    assert_int_equal(symlink("p", in_folder("link")), 0);
    assert_int_equal(env->folder_private(env->ctx, in_folder("link")),
                     THEATER_DENIED);
    assert_int_equal(env->folder_private(env->ctx, in_folder("link//")),
                     THEATER_DENIED);
    assert_int_equal(unlink(in_folder("link")), 0);
    assert_int_equal(env->file_write(env->ctx, in_folder("f"), "", 0),
                     THEATER_OK);
    assert_int_equal(env->folder_private(env->ctx, in_folder("f")),
                     THEATER_DENIED);
    assert_int_equal(env->folder_private(env->ctx, in_folder("f/g")),
                     THEATER_IO);
    assert_int_equal(unlink(in_folder("f")), 0);
    assert_int_equal(rmdir(in_folder("p")), 0);
    /* The root folder is not ours alone, whoever we are. */
    assert_int_equal(env->folder_private(env->ctx, "/"), THEATER_DENIED);
}

static theater_status_t read_own(const char *name)
{
    uint8_t *data = NULL;
    size_t len = 0;
    theater_status_t status =
        env->file_read_own(env->ctx, in_folder(name), 10, &data, &len);
    if (status == THEATER_OK) {
        assert_int_equal(len, 4);
        assert_memory_equal(data, "code", 4);
        th_free(env, data);
    }
    return status;
}

static void
what_others_could_have_written_is_not_read_as_one_s_own(void **state)
{
    static const mode_t modes[] = {0620, 0602, 0622, 0666};
    (void)state;
    assert_int_equal(read_own("code"), THEATER_NOT_FOUND);
    assert_int_equal(env->file_write(env->ctx, in_folder("code"), "code", 4),
                     THEATER_OK);
    assert_int_equal(read_own("code"), THEATER_OK);
    for (size_t i = 0; i < sizeof(modes) / sizeof(modes[0]); i++) {
        assert_int_equal(chmod(in_folder("code"), modes[i]), 0);
        assert_int_equal(read_own("code"), THEATER_DENIED);
    }
    assert_int_equal(chmod(in_folder("code"), 0644), 0);
    assert_int_equal(read_own("code"), THEATER_OK);
    assert_int_equal(symlink("code", in_folder("link")), 0);
    assert_int_equal(read_own("link"), THEATER_DENIED);
    assert_int_equal(unlink(in_folder("link")), 0);
    assert_int_equal(mkfifo(in_folder("pipe"), 0600), 0);
    assert_int_equal(read_own("pipe"), THEATER_DENIED);
    assert_int_equal(unlink(in_folder("pipe")), 0);
    assert_int_equal(unlink(in_folder("code")), 0);
    if (geteuid() == 0) { /* root reads anything, and is not asked that */
        assert_int_equal(
            env->file_write(env->ctx, in_folder("code"), "code", 4),
            THEATER_OK);
        assert_int_equal(chown(in_folder("code"), 65534, 65534), 0);
        assert_int_equal(read_own("code"), THEATER_DENIED);
        assert_int_equal(unlink(in_folder("code")), 0);
    }
}

static void a_log_line_is_written_whole_with_one_end_of_line(void **state)
{
    int ends[2];
    char text[64] = {0};
    (void)state;
    assert_int_equal(pipe(ends), 0);
    int saved = dup(STDERR_FILENO);
    assert_true(saved >= 0);
    assert_true(dup2(ends[1], STDERR_FILENO) >= 0);
    env->log_write(env->ctx, "one\n", 4);
    env->log_write(env->ctx, "two", 3);
    env->log_write(env->ctx, "", 0);
    assert_true(dup2(saved, STDERR_FILENO) >= 0);
    assert_int_equal(read(ends[0], text, sizeof(text) - 1), 9);
    assert_string_equal(text, "one\ntwo\n\n");
    close(saved);
    close(ends[0]);
    close(ends[1]);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(
            the_clock_goes_on_and_the_wall_clock_is_of_this_century),
        cmocka_unit_test(random_bytes_are_different_each_time),
        cmocka_unit_test(memory_is_aligned_as_asked),
        cmocka_unit_test(
            pages_are_zero_at_first_and_after_they_were_given_back),
        cmocka_unit_test(reserved_addresses_become_pages_when_they_are_allowed),
        cmocka_unit_test(
            a_thread_has_its_name_and_leaves_signals_to_the_embedder),
        cmocka_unit_test(parking_ends_at_the_deadline_or_when_the_word_differs),
        cmocka_unit_test(who_parks_is_woken),
        cmocka_unit_test(a_file_is_read_as_it_was_written),
        cmocka_unit_test(
            what_cannot_be_read_says_so_and_leaves_the_outputs_alone),
        cmocka_unit_test(a_write_that_fails_leaves_nothing_behind),
        cmocka_unit_test(who_is_killed_while_he_writes_leaves_little),
        cmocka_unit_test(what_stands_beside_a_file_is_not_written_to),
        cmocka_unit_test(a_private_folder_is_made_with_its_parents),
        cmocka_unit_test(
            what_others_could_have_written_is_not_read_as_one_s_own),
        cmocka_unit_test(a_folder_that_others_may_use_is_refused),
        cmocka_unit_test(a_log_line_is_written_whole_with_one_end_of_line),
    };
    return cmocka_run_group_tests(tests, folder_new, folder_delete);
}
