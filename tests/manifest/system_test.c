/* SPDX-License-Identifier: Apache-2.0 */
/* System files: many actors at once, whole or not at all. */
#include "world.h"

#include "base/env_fault.h"

static void write_two(const struct world *world)
{
    world_folder(world, "pong");
    world_text(world, "pong/p.wasm", "");
    world_text(world, "pong/manifest.toml",
               "name = \"pong\"\npackage = \"p.wasm\"\n"
               "initial_state = \"of pong\"\n"
               "[[handler]]\ntype = \"runtime\"\n");
    world_text(world, "ping.toml", "name = \"ping\"\npackage = \"a.wasm\"\n");
}

static theater_status_t parse(const struct world *world, const char *text,
                              theater_system_t **out, theater_error_t *err)
{
    char path[PATH_MAX];
    *err = (theater_error_t){0};
    return theater_system_parse(text, strlen(text),
                                world_path(world, "theater.toml", path), NULL,
                                out, err);
}

static theater_system_t *must(const struct world *world, const char *text)
{
    theater_system_t *system = NULL;
    theater_error_t err;
    if (parse(world, text, &system, &err) != THEATER_OK) {
        fail_msg("%s: %s", err.origin, err.text);
    }
    return system;
}

static const char *name_of(const theater_system_t *system, size_t index)
{
    const theater_system_actor_t *actor = theater_system_actor(system, index);
    assert_non_null(actor);
    return actor->name;
}

#define PONG "[[actor]]\nmanifest = \"pong/manifest.toml\"\n"
#define PING "[[actor]]\nmanifest = \"ping.toml\"\n"

static void actors_have_the_names_that_manifest_or_system_give(void **state)
{
    const struct world *world = *state;
    write_two(world);
    theater_system_t *system =
        must(world, PONG "count = 3\n" PING PING "name = \"other\"\n" PONG
                         "name = \"n\"\ncount = 2\n");
    assert_int_equal(theater_system_actors_len(system), 7);
    assert_string_equal(name_of(system, 0), "pong-1");
    assert_string_equal(name_of(system, 2), "pong-3");
    assert_string_equal(name_of(system, 3), "ping");
    assert_string_equal(name_of(system, 4), "other");
    assert_string_equal(name_of(system, 6), "n-2");
    assert_null(theater_system_actor(system, 7));
    assert_ptr_equal(theater_system_actor(system, 0)->manifest,
                     theater_system_actor(system, 5)->manifest);
    theater_system_delete(system);
}

static void the_systems_initial_state_goes_before_the_manifests(void **state)
{
    const struct world *world = *state;
    write_two(world);
    theater_system_t *system =
        must(world, PONG PONG "name = \"b\"\ninitial_state = \"\"\n" PING);
    const theater_system_actor_t *actor = theater_system_actor(system, 0);
    assert_int_equal(actor->initial_state_len, 7);
    assert_memory_equal(actor->initial_state, "of pong", 8);
    actor = theater_system_actor(system, 1);
    assert_int_equal(actor->initial_state_len, 0);
    assert_non_null(actor->initial_state);
    assert_null(theater_system_actor(system, 2)->initial_state);
    theater_system_delete(system);
}

static void a_retained_manifest_outlives_its_system(void **state)
{
    const struct world *world = *state;
    write_two(world);
    theater_system_t *system = must(world, PONG);
    theater_manifest_t *manifest =
        theater_manifest_retain(theater_system_actor(system, 0)->manifest);
    theater_system_delete(system);
    assert_string_equal(theater_manifest_name(manifest), "pong");
    theater_manifest_release(manifest);
    theater_system_delete(NULL);
}

struct refusal {
    const char *text;        /* the system file */
    theater_status_t status; /* what it is refused with */
    const char *place;       /* where */
    const char *part;        /* of the message */
};

static const struct refusal refusals[] = {
    {"", THEATER_BAD_MANIFEST, "theater.toml:1:1", "lists its actors"},
    {"actor = 3\n", THEATER_BAD_MANIFEST, ":1:1", "lists its actors"},
    {"[actor]\n", THEATER_BAD_MANIFEST, ":1:2", "write [[actor]]"},
    {"actor = []\n", THEATER_BAD_MANIFEST, ":1:1", "lists its actors"},
    {"[[actr]]\n", THEATER_BAD_MANIFEST, ":1:3", "did you mean 'actor'?"},
    {"[[actor]]\n", THEATER_BAD_MANIFEST, ":1:3", "no 'manifest'"},
    {PING "cuont = 2\n", THEATER_BAD_MANIFEST, ":3:1", "did you mean 'count'?"},
    {PING "count = 0\n", THEATER_BAD_MANIFEST, ":3:9", "from 1 to 1048576"},
    {PING "count = \"2\"\n", THEATER_BAD_MANIFEST, ":3:9", "whole number"},
    {PING "name = \"\"\n", THEATER_BAD_MANIFEST, ":3:8", "1 to 255"},
    {PING "initial_state = 1\n", THEATER_BAD_MANIFEST, ":3:17", "a string"},
    {PING PONG PING, THEATER_BAD_MANIFEST, ":5:3",
     "a second actor is named 'ping'"},
    {PONG "count = 3\n" PING "name = \"pong-2\"\n", THEATER_BAD_MANIFEST,
     ":6:8", "a second actor is named 'pong-2'"},
    {"[[actor]]\nmanifest = \"gone.toml\"\n", THEATER_NOT_FOUND, ":2:12",
     "gone.toml); write it"},
    {"[[actor]]\nmanifest = \"../x.toml\"\n", THEATER_BAD_MANIFEST, ":2:12",
     "outside"},
    {"[[actor]]\nmanifest = \"out.toml\"\n", THEATER_BAD_MANIFEST, ":2:12",
     "a link to a file outside"},
    {"[[actor]]\nmanifest = \"bad.toml\"\n", THEATER_BAD_MANIFEST,
     "/bad.toml:2:1", "did you mean 'package'?"},
    {PING "[[actor]]\nmanifest = \"nested.toml\"\n", THEATER_BAD_MANIFEST,
     "/nested.toml:1:3", "belongs into a system file"},
};

static void bad_systems_are_refused_whole_with_place_and_remedy(void **state)
{
    const struct world *world = *state;
    write_two(world);
    world_text(world, "bad.toml", "name = \"b\"\npackag = \"a.wasm\"\n");
    world_text(world, "nested.toml", PING);
    world_link(world, "/etc/passwd", "out.toml");
    for (size_t i = 0; i < sizeof(refusals) / sizeof(refusals[0]); i++) {
        const struct refusal *r = &refusals[i];
        theater_system_t *system = NULL;
        theater_error_t err;
        theater_status_t status = parse(world, r->text, &system, &err);
        if (status != r->status) {
            fail_msg("status %s for: %s", theater_status_name(status), r->text);
        }
        assert_null(system);
        assert_says(&err, r->place, r->part);
    }
}

static void a_name_that_a_count_makes_too_long_is_refused(void **state)
{
    const struct world *world = *state;
    char name[255];
    char text[400];
    theater_system_t *system = NULL;
    theater_error_t err;
    write_two(world);
    memset(name, 'n', sizeof(name));
    name[254] = '\0';
    (void)snprintf(text, sizeof(text), PING "name = \"%s\"\ncount = 2\n", name);
    assert_int_equal(parse(world, text, &system, &err), THEATER_BAD_MANIFEST);
    assert_says(&err, "theater.toml:3:8", "longer than 255 bytes");
}

static void manifests_and_system_files_make_one_system_together(void **state)
{
    const struct world *world = *state;
    char files[3][PATH_MAX];
    theater_system_t *system = NULL;
    theater_error_t err = {0};
    write_two(world);
    world_text(world, "theater.toml", PONG "count = 2\n");
    const char *const paths[] = {world_path(world, "ping.toml", files[0]),
                                 world_path(world, "theater.toml", files[1]),
                                 world_path(world, "ping.toml", files[2])};
    assert_int_equal(theater_system_load_files(paths, 2, NULL, &system, &err),
                     THEATER_OK);
    assert_int_equal(theater_system_actors_len(system), 3);
    assert_string_equal(name_of(system, 0), "ping");
    assert_string_equal(name_of(system, 2), "pong-2");
    theater_system_delete(system);
    system = NULL;
    assert_int_equal(theater_system_load_files(paths, 3, NULL, &system, &err),
                     THEATER_BAD_MANIFEST);
    assert_null(system);
    assert_says(&err, "ping.toml:1:8", "a second actor is named 'ping'");
}

static void handlers_are_checked_in_every_manifest_of_a_system(void **state)
{
    const struct world *world = *state;
    static const theater_handler_keys_t none[] = {{"other", NULL, 0}};
    static const theater_handler_keys_t some[] = {{"runtime", NULL, 0}};
    theater_error_t err = {0};
    write_two(world);
    theater_system_t *system = must(world, PING PONG);
    assert_int_equal(theater_system_check(system, some, 1, &err), THEATER_OK);
    assert_int_equal(theater_system_check(system, none, 1, &err),
                     THEATER_BAD_MANIFEST);
    assert_says(&err, "pong/manifest.toml:5:8", "no handler 'runtime'");
    theater_system_delete(system);
}

static void a_hundred_thousand_actors_are_named_quickly(void **state)
{
    const struct world *world = *state;
    write_two(world);
    theater_system_t *system = must(world, PONG "count = 100000\n");
    assert_int_equal(theater_system_actors_len(system), 100000);
    assert_string_equal(name_of(system, 99999), "pong-100000");
    theater_system_delete(system);
}

static void memory_that_runs_out_is_a_status_and_leaves_nothing(void **state)
{
    const struct world *world = *state;
    char path[PATH_MAX];
    write_two(world);
    world_text(world, "theater.toml", PONG "count = 400\n" PING);
    world_path(world, "theater.toml", path);
    uint64_t k = 1;
    for (bool failed = true; failed; k++) {
        struct th_fault_env fault;
        theater_manifest_options_t options = THEATER_MANIFEST_OPTIONS_INIT;
        theater_system_t *system = NULL;
        theater_error_t err = {0};
        th_fault_env_init(&fault, theater_env_default());
        th_fault_env_fail(&fault, TH_FAULT_ALLOC, k, true);
        options.env = &fault.table;
        theater_status_t status =
            theater_system_load_file(path, &options, &system, &err);
        failed = th_fault_env_failed(&fault, TH_FAULT_ALLOC) != 0;
        assert_int_equal(status, failed ? THEATER_OUT_OF_MEMORY : THEATER_OK);
        assert_int_equal(system == NULL, failed);
        theater_system_delete(system);
        assert_int_equal(th_fault_env_live(&fault), 0);
    }
    assert_true(k > 20);
}

int main(void)
{
#define WORLD(test)                                                            \
    cmocka_unit_test_setup_teardown(test, world_setup, world_teardown)
    const struct CMUnitTest tests[] = {
        WORLD(actors_have_the_names_that_manifest_or_system_give),
        WORLD(the_systems_initial_state_goes_before_the_manifests),
        WORLD(a_retained_manifest_outlives_its_system),
        WORLD(bad_systems_are_refused_whole_with_place_and_remedy),
        WORLD(a_name_that_a_count_makes_too_long_is_refused),
        WORLD(manifests_and_system_files_make_one_system_together),
        WORLD(handlers_are_checked_in_every_manifest_of_a_system),
        WORLD(a_hundred_thousand_actors_are_named_quickly),
        WORLD(memory_that_runs_out_is_a_status_and_leaves_nothing),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
