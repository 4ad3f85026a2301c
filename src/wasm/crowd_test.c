/* SPDX-License-Identifier: Apache-2.0 */
/* Design notes
 *
 * Many small guests cost few mappings and little memory, and go without a
 * trace. 20,000 here, against the 21,000 at which the engine's own way of
 * mapping memories and stacks ends; the promise is 100,000. */
#include "wasm/world_testing.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

#include <unistd.h>

#include <cmocka.h>

enum { CROWD = 20000 };

/* What an idle guest may cost; a sanitizer's own memory comes on top. */
#ifdef TH_SANITIZE_ADDRESS
static const long bytes_each = 200000;
#else
static const long bytes_each = 20480;
#endif

static struct world world;
static struct th_guest *guests[CROWD];
static struct world_guest shared;

static long lines_of_maps(void)
{
    long lines = 0;
    FILE *file = fopen("/proc/self/maps", "r");
    assert_non_null(file);
    for (int c; (c = fgetc(file)) != EOF;) {
        lines += c == '\n';
    }
    assert_int_equal(fclose(file), 0);
    return lines;
}

static long resident_bytes(void)
{
    long all = 0, resident = 0;
    FILE *file = fopen("/proc/self/statm", "r");
    assert_non_null(file);
    assert_int_equal(fscanf(file, "%ld %ld", &all, &resident), 2);
    assert_int_equal(fclose(file), 0);
    return resident * sysconf(_SC_PAGESIZE);
}

static void message(struct th_guest *guest)
{
    theater_error_t err;
    world_push(&shared, WORLD_SEND, "x", NULL);
    if (th_guest_enter(guest, TH_ENTER_DELIVERIES, NULL, &err) !=
        TH_GUEST_IDLE) {
        fail_msg("%s", err.text);
    }
}

static void make_all(struct th_module *module)
{
    struct th_guest_options options = world_options;
    void *instances[1] = {&shared};
    theater_error_t err;
    options.instances = instances;
    options.ctx = &shared;
    options.memory_bytes = (uint64_t)64 << 20;
    for (unsigned i = 0; i < CROWD; i++) {
        if (guests[i] == NULL) {
            assert_int_equal(th_guest_new(module, &options, &guests[i], &err),
                             THEATER_OK);
            message(guests[i]);
        }
    }
}

static void a_crowd_needs_few_mappings_and_little_memory(void **state)
{
    (void)state;
    world_open(&world, NULL, false, NULL);
    assert_int_equal(
        world_guest_new(&world, &shared,
                        "(module " WAT_IMPORT_SEND WAT_MEMORY WAT_REALLOC
                        "(func (export \"handle-send\") (param i32 i32)"
                        " (global.set $top (i32.const 1024))))"),
        THEATER_OK);
    long maps = lines_of_maps(), bytes = resident_bytes();
    make_all(shared.module);
    assert_true(lines_of_maps() - maps < 500);
    long each = (resident_bytes() - bytes) / CROWD;
    assert_true(each < bytes_each);
    /* Every second one goes and comes again, three times. */
    for (unsigned round = 0; round < 3; round++) {
        for (unsigned i = round % 2; i < CROWD; i += 2) {
            th_guest_delete(guests[i]);
            guests[i] = NULL;
        }
        make_all(shared.module);
    }
    assert_true(lines_of_maps() - maps < 500);
    th_engine_trim(world.engine);
    for (unsigned i = 0; i < CROWD; i++) {
        message(guests[i]);
        th_guest_delete(guests[i]);
    }
    world_guest_end(&shared);
    world_close(&world);
    assert_true(lines_of_maps() - maps < 100);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_crowd_needs_few_mappings_and_little_memory),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
