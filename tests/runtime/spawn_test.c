/* SPDX-License-Identifier: Apache-2.0 */
/* Spawning: all or nothing. */
#include "world.h"

#include <limits.h>

#include <stdlib.h>

static theater_status_t try_spawn(struct world *world, const char *name,
                                  const theater_manifest_t *manifest,
                                  theater_error_t *err)
{
    memset(err, 0, sizeof *err);
    return theater_runtime_spawn(world->runtime, name, manifest, NULL, err);
}

static void expect_nothing(struct world *world)
{
    theater_runtime_stats_t stats;
    theater_runtime_stats(world->runtime, &stats);
    assert_int_equal(stats.live, 0);
    assert_int_equal(stats.spawned, 0);
    assert_int_equal(post_counts(world->post)->instances, 0);
    assert_int_equal(post_counts(world->post)->names, 0);
    assert_int_equal(world->lines_len, 0);
}

static void a_bad_name_is_refused(void **state)
{
    (void)state;
    struct world world;
    theater_error_t err;
    world_start(&world, NULL);
    theater_manifest_t *manifest = world_player("");
    char name[257];
    memset(name, 'n', sizeof name);
    name[256] = '\0';
    assert_int_equal(try_spawn(&world, name, manifest, &err),
                     THEATER_INVALID_ARGUMENT);
    assert_int_equal(try_spawn(&world, "", manifest, &err),
                     THEATER_INVALID_ARGUMENT);
    assert_int_equal(try_spawn(&world, "a\nb", manifest, &err),
                     THEATER_INVALID_ARGUMENT);
    assert_int_equal(try_spawn(&world, "\xff", manifest, &err),
                     THEATER_INVALID_ARGUMENT);
    assert_int_equal(try_spawn(&world, "a", NULL, &err),
                     THEATER_INVALID_ARGUMENT);
    expect_nothing(&world);
    name[255] = '\0';
    assert_int_equal(try_spawn(&world, name, manifest, &err), THEATER_OK);
    theater_manifest_release(manifest);
    world_end(&world);
}

static void a_bad_package_is_refused_with_its_name(void **state)
{
    (void)state;
    struct world world;
    theater_error_t err;
    world_start(&world, NULL);
    FILE *file = fopen(FOLDER "/garbage.wasm", "w");
    assert_non_null(file);
    fputs("this is no module", file);
    fclose(file);
    theater_manifest_t *manifest =
        world_manifest("name = \"a\"\npackage = \"garbage.wasm\"\n", false);
    assert_int_equal(try_spawn(&world, NULL, manifest, &err),
                     THEATER_BAD_MODULE);
    assert_non_null(strstr(err.origin, "garbage.wasm"));
    expect_nothing(&world);
    remove(FOLDER "/garbage.wasm");
    assert_int_equal(try_spawn(&world, NULL, manifest, &err),
                     THEATER_NOT_FOUND);
    theater_manifest_release(manifest);
    world_end(&world);
}

static void an_import_that_nobody_grants_is_named(void **state)
{
    (void)state;
    struct world world;
    theater_error_t err;
    world_start(&world, NULL);
    theater_manifest_t *manifest =
        world_manifest("name = \"a\"\npackage = \"" PLAYER "\"\n"
                       "[[handler]]\ntype = \"post\"\n",
                       false);
    assert_int_equal(try_spawn(&world, NULL, manifest, &err),
                     THEATER_BAD_MODULE);
    assert_non_null(strstr(err.text, "theater:actor/runtime"));
    expect_nothing(&world);
    theater_manifest_release(manifest);
    world_end(&world);
}

static void an_unknown_or_doubled_handler_is_refused(void **state)
{
    (void)state;
    struct world world;
    theater_error_t err;
    world_start(&world, NULL);
    theater_manifest_t *manifest =
        world_manifest("name = \"a\"\npackage = \"" PLAYER "\"\n"
                       "[[handler]]\ntype = \"runtim\"\n",
                       false);
    assert_int_equal(try_spawn(&world, NULL, manifest, &err),
                     THEATER_BAD_MANIFEST);
    theater_manifest_release(manifest);
    theater_manifest_options_t options = THEATER_MANIFEST_OPTIONS_INIT;
    static const char doubled[] = "name = \"a\"\npackage = \"" PLAYER "\"\n"
                                  "[[handler]]\ntype = \"runtime\"\n"
                                  "[[handler]]\ntype = \"runtime\"\n";
    manifest = NULL;
    theater_status_t status =
        theater_manifest_parse(doubled, sizeof doubled - 1, FOLDER "/test.toml",
                               &options, &manifest, &err);
    if (status == THEATER_OK) {
        status = try_spawn(&world, NULL, manifest, &err);
    }
    assert_int_equal(status, THEATER_BAD_MANIFEST);
    expect_nothing(&world);
    theater_manifest_release(manifest);
    world_end(&world);
}

static void a_failed_set_up_leaves_nothing_behind(void **state)
{
    (void)state;
    struct world world;
    theater_error_t err;
    world_start(&world, &(struct world_options){.failing = "bad"});
    theater_manifest_t *manifest = world_player("");
    assert_int_equal(try_spawn(&world, "bad", manifest, &err), THEATER_DENIED);
    assert_string_equal(err.text, "it fails on purpose");
    expect_nothing(&world);
    theater_manifest_release(manifest);
    world_end(&world);
}

static void a_start_function_that_loops_is_ended_by_run_time(void **state)
{
    (void)state;
    struct world world;
    theater_error_t err;
    world_start(&world, NULL);
    theater_manifest_t *manifest =
        world_manifest("name = \"a\"\npackage = \"starter.wasm\"\n"
                       "[limits]\nrun_time = \"50ms\"\n"
                       "[[handler]]\ntype = \"runtime\"\n"
                       "[[handler]]\ntype = \"post\"\n",
                       false);
    assert_int_equal(try_spawn(&world, NULL, manifest, &err), THEATER_LIMIT);
    assert_non_null(strstr(err.text, "run_time"));
    expect_nothing(&world);
    theater_manifest_release(manifest);
    world_end(&world);
}

static theater_system_t *make_system(const char *text)
{
    theater_system_t *system = NULL;
    theater_error_t err;
    theater_status_t status = theater_system_parse(
        text, strlen(text), FOLDER "/theater.toml", NULL, &system, &err);
    if (status != THEATER_OK) {
        print_error("%s: %s\n", err.origin, err.text);
    }
    assert_int_equal(status, THEATER_OK);
    return system;
}

static void write_player(void)
{
    FILE *file = fopen(FOLDER "/player.toml", "w");
    assert_non_null(file);
    fputs("name = \"player\"\npackage = \"" PLAYER "\"\n"
          "[[handler]]\ntype = \"runtime\"\n[[handler]]\ntype = \"post\"\n",
          file);
    fclose(file);
}

static void a_system_starts_whole_or_not_at_all(void **state)
{
    (void)state;
    struct world world;
    theater_error_t err;
    write_player();
    world_start(&world, &(struct world_options){.failing = "n-3"});
    theater_system_t *system = make_system(
        "[[actor]]\nmanifest = \"player.toml\"\nname = \"n\"\ncount = 3\n"
        "initial_state = \"log I run\"\n");
    assert_int_equal(theater_runtime_spawn_system(world.runtime, system, &err),
                     THEATER_DENIED);
    assert_string_equal(err.origin, "n-3");
    expect_nothing(&world);
    theater_system_delete(system);
    world_end(&world);
}

static void everybody_of_a_system_is_there_before_the_first_run(void **state)
{
    (void)state;
    struct world world;
    theater_error_t err;
    write_player();
    world_start(&world, NULL);
    theater_system_t *system = make_system(
        "[[actor]]\nmanifest = \"player.toml\"\nname = \"n\"\ncount = 50\n"
        "initial_state = \"log I run\"\n");
    assert_int_equal(theater_runtime_spawn_system(world.runtime, system, &err),
                     THEATER_OK);
    world_await_prefix(&world, "log ", 50);
    assert_int_equal(world_told_prefix(&world, "spawned n-"), 50);
    theater_runtime_stats_t stats;
    theater_runtime_stats(world.runtime, &stats);
    assert_int_equal(stats.compiled, 1);
    theater_system_delete(system);
    world_end(&world);
}

static void there_are_at_most_max_actors(void **state)
{
    (void)state;
    struct world world;
    theater_error_t err;
    world_start(&world, &(struct world_options){.max_actors = 2});
    theater_manifest_t *manifest = world_player("");
    world_spawn(&world, "a", manifest, "");
    world_spawn(&world, "b", manifest, "");
    assert_int_equal(try_spawn(&world, "c", manifest, &err), THEATER_LIMIT);
    assert_non_null(strstr(err.text, "max_actors"));
    assert_int_equal(theater_runtime_stop(world.runtime, "a", NULL),
                     THEATER_OK);
    assert_int_equal(theater_runtime_wait_actor(world.runtime, "a", WAIT_MS),
                     THEATER_OK);
    assert_int_equal(try_spawn(&world, "c", manifest, &err), THEATER_OK);
    theater_manifest_release(manifest);
    world_end(&world);
}

static void there_may_be_any_number_of_actors(void **state)
{
    (void)state;
    struct world world;
    world_start(&world, &(struct world_options){.max_actors = UINT_MAX});
    theater_manifest_t *manifest = world_player("");
    world_spawn(&world, "a", manifest, "log here");
    world_await(&world, "log a: here", 1);
    theater_manifest_release(manifest);
    world_end(&world);
}

static void note_item(void *user, const theater_check_item_t *item)
{
    char *text = user;
    strcat(text, item->kind);
    strcat(text, " ");
    strcat(text, item->name);
    strcat(text, " by ");
    strcat(text, item->by != NULL ? item->by : "nobody");
    strcat(text, "\n");
}

static void a_check_tells_what_is_granted_and_starts_nothing(void **state)
{
    (void)state;
    struct world world;
    theater_error_t err;
    char text[4096] = "";
    world_start(&world, NULL);
    theater_manifest_t *manifest = world_player("");
    assert_int_equal(
        theater_runtime_check(world.runtime, manifest, note_item, text, &err),
        THEATER_OK);
    assert_non_null(strstr(text, "export handle-send by post\n"));
    assert_non_null(
        strstr(text, "import theater:actor/runtime@0.1.0 log by runtime\n"));
    expect_nothing(&world);
    assert_int_equal(
        theater_runtime_check(world.runtime, NULL, note_item, text, &err),
        THEATER_INVALID_ARGUMENT);
    theater_manifest_release(manifest);
    world_end(&world);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_bad_name_is_refused),
        cmocka_unit_test(a_bad_package_is_refused_with_its_name),
        cmocka_unit_test(an_import_that_nobody_grants_is_named),
        cmocka_unit_test(an_unknown_or_doubled_handler_is_refused),
        cmocka_unit_test(a_failed_set_up_leaves_nothing_behind),
        cmocka_unit_test(a_start_function_that_loops_is_ended_by_run_time),
        cmocka_unit_test(a_system_starts_whole_or_not_at_all),
        cmocka_unit_test(everybody_of_a_system_is_there_before_the_first_run),
        cmocka_unit_test(there_are_at_most_max_actors),
        cmocka_unit_test(there_may_be_any_number_of_actors),
        cmocka_unit_test(a_check_tells_what_is_granted_and_starts_nothing),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
