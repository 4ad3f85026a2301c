/* SPDX-License-Identifier: Apache-2.0 */
/* The folder of compiled code outlives its users: `theater run` is interrupted
 * or killed at any moment, files are damaged, cut, exchanged, or stand in each
 * other's place, and the next run works, says what was wrong, and runs nothing
 * of it. THEATER_TEST_SEEDS: rounds of each kind (6); THEATER_TEST_SEED: of the
 * moments (1). */
#include "command.h"

#include <dirent.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <time.h>
#include <unistd.h>

#include "base/base.h"

#define CACHE "theater/code" /* in the folder that XDG_CACHE_HOME is */

enum { FILES_MAX = 64, HEADER = 104 };

struct files {
    char names[FILES_MAX][128];
    size_t len;
};

static void list_cache(struct files *files)
{
    DIR *dir = opendir(CACHE);
    files->len = 0;
    if (dir == NULL) {
        return;
    }
    for (struct dirent *entry; (entry = readdir(dir)) != NULL;) {
        if (entry->d_name[0] != '.') {
            assert_true(files->len < FILES_MAX);
            snprintf(files->names[files->len++], sizeof files->names[0],
                     CACHE "/%.100s", entry->d_name);
        }
    }
    closedir(dir);
}

static void empty_cache(void)
{
    struct files files;
    list_cache(&files);
    for (size_t i = 0; i < files.len; i++) {
        if (unlink(files.names[i]) != 0) {
            assert_int_equal(rmdir(files.names[i]), 0);
        }
    }
}

static uint64_t number_of(const char *name, uint64_t fallback)
{
    const char *value = getenv(name);
    return value != NULL ? strtoull(value, NULL, 10) : fallback;
}

static uint64_t now_us(void)
{
    struct timespec now;
    clock_gettime(CLOCK_MONOTONIC, &now);
    return (uint64_t)now.tv_sec * 1000000 + (uint64_t)now.tv_nsec / 1000;
}

/* A whole run; answers how long it took. */
static uint64_t whole_run(struct command *command)
{
    uint64_t from = now_us();
    command_run(command, NULL, "run", "ends.toml");
    expect_code(command, 0);
    expect_out(command, "said: there");
    return now_us() - from;
}

/* An actor that says something and after which nothing can happen. */
static void put_ends(void)
{
    world_copy("tests/guests/driver.wasm", "driver.wasm");
    world_text("ends.toml", "name = \"said\"\npackage = \"driver.wasm\"\n"
                            "initial_state = \"!log 2 there\"\n"
                            "[[handler]]\ntype = \"runtime\"\n"
                            "[[handler]]\ntype = \"message-server\"\n");
}

/* --- Signals ------------------------------------------------------------- */

/* How the clean cache looks, and how long runs take without and with it. */
struct clean {
    size_t files;
    uint64_t us[2];
};

static struct clean look_at_clean(void)
{
    struct command command;
    struct files files;
    struct clean clean;
    empty_cache();
    for (unsigned warm = 0; warm < 2; warm++) {
        clean.us[warm] = whole_run(&command);
        expect_no_out(&command, "compiled anew");
        command_free(&command);
    }
    list_cache(&files);
    clean.files = files.len;
    assert_true(clean.files > 0);
    return clean;
}

static void one_kill(const struct clean *clean, struct th_rng *rng, int number,
                     bool warm)
{
    static const char *const args[] = {"run", "ends.toml", NULL};
    struct command command;
    struct files files;
    if (!warm) {
        empty_cache();
    }
    uint64_t us = th_rng_below(rng, clean->us[warm] * 5 / 4 + 1);
    struct timespec time = {.tv_sec = (time_t)(us / 1000000),
                            .tv_nsec = (long)(us % 1000000) * 1000};
    command_start(&command, NULL, args);
    nanosleep(&time, NULL);
    command_signal(&command, number);
    command_finish(&command);
    /* Ended by the signal, drained, or over before it came. */
    assert_true(command.code == -number || command.code == 0);
    command_free(&command);
    (void)whole_run(&command);
    expect_no_out(&command, "compiled anew");
    expect_no_out(&command, "is not kept");
    command_free(&command);
    list_cache(&files);
    /* At most one beside each, from who was killed while it wrote. */
    assert_true(files.len <= 2 * clean->files);
}

static void killed_at_any_moment_the_next_run_works(void **state)
{
    static const int numbers[] = {SIGINT, SIGTERM, SIGKILL};
    uint64_t rounds = number_of("THEATER_TEST_SEEDS", 6);
    uint64_t seed = number_of("THEATER_TEST_SEED", 1);
    struct th_rng rng;
    (void)state;
    put_ends();
    struct clean clean = look_at_clean();
    printf("THEATER_TEST_SEED=%llu: %llu rounds, %llu us cold, %llu us warm\n",
           (unsigned long long)seed, (unsigned long long)rounds * 6,
           (unsigned long long)clean.us[0], (unsigned long long)clean.us[1]);
    th_rng_init(&rng, seed);
    for (uint64_t i = 0; i < rounds; i++) {
        for (unsigned k = 0; k < 6; k++) {
            one_kill(&clean, &rng, numbers[k % 3], k >= 3);
        }
    }
}

/* --- Damage -------------------------------------------------------------- */

struct bytes {
    uint8_t *data;
    size_t len;
};

static struct bytes take(const char *path)
{
    struct bytes bytes;
    assert_int_equal(theater_env_default()->file_read(NULL, path, 1 << 30,
                                                      &bytes.data, &bytes.len),
                     THEATER_OK);
    assert_true(bytes.len > HEADER);
    return bytes;
}

static void put(const char *path, const uint8_t *data, size_t len)
{
    (void)unlink(path);
    assert_int_equal(theater_env_default()->file_write(NULL, path, data, len),
                     THEATER_OK);
}

/* A run with the damage that was done to that file. */
static void is_noticed(const char *path, const char *what)
{
    struct command command;
    (void)whole_run(&command);
    if (strstr(command.said, "compiled anew") == NULL ||
        strstr(command.said, path) == NULL) {
        fail_msg("%s: %s: not noticed:\n%s", path, what, command.said);
    }
    command_free(&command);
}

/* The damage is gone with that run. */
static void is_mended(const char *path, const struct bytes *good,
                      const char *what)
{
    struct bytes now = take(path);
    if (now.len < HEADER || memcmp(now.data, good->data, HEADER - 32) != 0) {
        fail_msg("%s: %s: not made again", path, what);
    }
    th_free(theater_env_default(), now.data);
}

static void flips(const char *path, const struct bytes *good)
{
    uint8_t *data = malloc(good->len);
    char what[64];
    assert_non_null(data);
    for (size_t i = 0; i < 30; i++) {
        size_t at = i < 16 ? i * 7 % HEADER
                           : HEADER + (i - 16) * (good->len - HEADER - 1) / 13;
        memcpy(data, good->data, good->len);
        data[at] ^= (uint8_t)(1u << i % 8);
        put(path, data, good->len);
        snprintf(what, sizeof what, "byte %zu", at);
        is_noticed(path, what);
    }
    is_mended(path, good, "flips");
    free(data);
}

static void cuts(const char *path, const struct bytes *good)
{
    const size_t lens[] = {0,
                           1,
                           7,
                           8,
                           HEADER - 1,
                           HEADER,
                           HEADER + 1,
                           4096,
                           good->len / 2,
                           good->len - 1};
    char what[64];
    for (size_t i = 0; i < sizeof lens / sizeof lens[0]; i++) {
        put(path, good->data, lens[i]);
        snprintf(what, sizeof what, "cut to %zu", lens[i]);
        is_noticed(path, what);
    }
    uint8_t *longer = malloc(good->len + 1);
    assert_non_null(longer);
    memcpy(longer, good->data, good->len);
    longer[good->len] = 0;
    put(path, longer, good->len + 1);
    free(longer);
    is_noticed(path, "a byte more");
    is_mended(path, good, "cuts");
}

static void put_link(const char *path, const struct bytes *good)
{
    put("elsewhere", good->data, good->len);
    assert_int_equal(symlink("../../elsewhere", path), 0);
}

static void put_dangling(const char *path, const struct bytes *good)
{
    (void)good;
    assert_int_equal(symlink("nowhere", path), 0);
}

static void put_fifo(const char *path, const struct bytes *good)
{
    (void)good;
    assert_int_equal(mkfifo(path, 0600), 0);
}

static void put_socket(const char *path, const struct bytes *good)
{
    struct sockaddr_un address = {.sun_family = AF_UNIX};
    (void)good;
    int file = socket(AF_UNIX, SOCK_STREAM, 0);
    assert_true(file >= 0);
    snprintf(address.sun_path, sizeof address.sun_path, "a-socket");
    (void)unlink("a-socket");
    assert_int_equal(bind(file, (struct sockaddr *)&address, sizeof address),
                     0);
    assert_int_equal(close(file), 0);
    assert_int_equal(rename("a-socket", path), 0);
}

static void put_open(const char *path, const struct bytes *good)
{
    put(path, good->data, good->len);
    assert_int_equal(chmod(path, 0620), 0);
}

static void put_foreign(const char *path, const struct bytes *good)
{
    put(path, good->data, good->len);
    assert_int_equal(chown(path, 65534, 65534), 0);
}

static void what_is_no_file_of_ours(const char *path, const struct bytes *good)
{
    static const struct {
        const char *what;
        void (*put)(const char *path, const struct bytes *good);
    } kinds[] = {
        {"a link", put_link},         {"a dangling link", put_dangling},
        {"a fifo", put_fifo},         {"a socket", put_socket},
        {"open to others", put_open}, {"another's", put_foreign}};
    for (size_t i = 0; i < sizeof kinds / sizeof kinds[0]; i++) {
        if (kinds[i].put == put_foreign && geteuid() != 0) {
            continue; /* only root can give files away */
        }
        (void)unlink(path);
        kinds[i].put(path, good);
        is_noticed(path, kinds[i].what);
        is_mended(path, good, kinds[i].what);
    }
    /* A folder is not removed: it is said each time, and nothing is kept. */
    assert_int_equal(unlink(path), 0);
    assert_int_equal(mkdir(path, 0700), 0);
    for (unsigned i = 0; i < 2; i++) {
        is_noticed(path, "a folder");
    }
    assert_int_equal(rmdir(path), 0);
}

static void nothing_but_ones_own_whole_code_is_run(void **state)
{
    struct command command;
    struct files files;
    (void)state;
    put_ends();
    (void)look_at_clean();
    list_cache(&files);
    for (size_t i = 0; i < files.len; i++) {
        struct bytes good = take(files.names[i]);
        struct bytes other = take(files.names[(i + 1) % files.len]);
        flips(files.names[i], &good);
        cuts(files.names[i], &good);
        what_is_no_file_of_ours(files.names[i], &good);
        if (files.len > 1) {
            put(files.names[i], other.data, other.len);
            is_noticed(files.names[i], "of another module");
        }
        th_free(theater_env_default(), good.data);
        th_free(theater_env_default(), other.data);
    }
    (void)whole_run(&command);
    expect_no_out(&command, "compiled anew");
    command_free(&command);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(killed_at_any_moment_the_next_run_works),
        cmocka_unit_test(nothing_but_ones_own_whole_code_is_run),
    };
    return cmocka_run_group_tests(tests, world_setup, world_teardown);
}
