/* SPDX-License-Identifier: Apache-2.0 */
/* One manifest: what it says, what it defaults to, and how it is refused.
 * What must hold for every key is tested by walking the tables of keys. */
#include "world.h"

#include "base/env_fault.h"
#include "runtime/manifest_internal.h"

#define SECONDS UINT64_C(1000000000)

static const char *check_pattern(const char *text, size_t len)
{
    const char *star = memchr(text, '*', len);
    return star != NULL && star != text + len - 1
               ? "has a * that is not at its end"
               : NULL;
}

static const char *const full_words[] = {"refuse", "drop-newest", "drop-oldest",
                                         NULL};
enum { SEND, TARGETS, CAPACITY, BYTES, ON_FULL, WAIT, LABEL, KEYS };
static const theater_key_t keys[KEYS] = {
    [SEND] = {.name = "can_send", .fallback = "true", .doc = "-"},
    [TARGETS] = {.name = "allowed_targets",
                 .type = THEATER_KEY_STRING_LIST,
                 .min = 1,
                 .max = 255,
                 .doc = "-",
                 .check = check_pattern},
    [CAPACITY] = {.name = "mailbox_capacity",
                  .type = THEATER_KEY_INT,
                  .fallback = "1000",
                  .min = 1,
                  .max = 5000,
                  .doc = "-"},
    [BYTES] = {.name = "mailbox_bytes",
               .type = THEATER_KEY_SIZE,
               .fallback = "4MiB",
               .min = 1,
               .doc = "-"},
    [ON_FULL] = {.name = "on_full",
                 .type = THEATER_KEY_ENUM,
                 .fallback = "refuse",
                 .choices = full_words,
                 .doc = "-"},
    [WAIT] = {.name = "send_timeout",
              .type = THEATER_KEY_DURATION,
              .fallback = "5s",
              .doc = "-"},
    [LABEL] = {.name = "label",
               .type = THEATER_KEY_STRING,
               .max = 10,
               .doc = "-"},
};
static const theater_handler_keys_t handlers[] = {
    {"runtime", NULL, 0},
    {"message-server", keys, KEYS},
};

static theater_status_t parse_in(const struct world *world, const char *text,
                                 size_t len, bool native,
                                 theater_manifest_t **out, theater_error_t *err)
{
    char path[PATH_MAX];
    theater_manifest_options_t options = THEATER_MANIFEST_OPTIONS_INIT;
    options.native = native;
    return theater_manifest_parse(text, len, world_path(world, "m.toml", path),
                                  &options, out, err);
}

static theater_manifest_t *must(const struct world *world, const char *text)
{
    theater_manifest_t *manifest = NULL;
    theater_error_t err = {0};
    if (parse_in(world, text, strlen(text), false, &manifest, &err) !=
            THEATER_OK ||
        theater_manifest_check(manifest, handlers, 2, &err) != THEATER_OK) {
        fail_msg("%s: %s", err.origin, err.text);
    }
    return manifest;
}

/* Refused when it is read, or when it is checked against the handlers. */
static theater_status_t refuse(const struct world *world, const char *text,
                               size_t len, theater_error_t *err)
{
    theater_manifest_t *manifest = NULL;
    *err = (theater_error_t){0};
    theater_status_t status = parse_in(world, text, len, false, &manifest, err);
    if (status == THEATER_OK) {
        status = theater_manifest_check(manifest, handlers, 2, err);
        theater_manifest_release(manifest);
    } else {
        assert_null(manifest);
    }
    assert_int_equal(err->status, status);
    return status;
}

#define HEAD "name = \"a\"\npackage = \"a.wasm\"\n"
#define SIXTEEN "1,1,1,1,1,1,1,1,1,1,1,1,1,1,1,1,"
#define SERVER HEAD "[[handler]]\ntype = \"message-server\"\n"

/* --- What it says ------------------------------------------------------- */

static void everything_in_a_manifest_is_read(void **state)
{
    const struct world *world = *state;
    char path[PATH_MAX];
    size_t len = 0;
    theater_manifest_t *manifest =
        must(world, "name = \"pong\"\nversion = \"0.1.0\"\n"
                    "package = \"./a.wasm\"\ndescription = \"answers\"\n"
                    "initial_state = \"a\\u0000b\"\n"
                    "restart = \"on-failure\"\nmax_restarts = 3\n"
                    "restart_period = \"2m\"\nrestart_backoff = \"250us\"\n"
                    "[limits]\nmemory = \"1MiB\"\ndelivery_time = \"20ms\"\n"
                    "run_time = \"unlimited\"\nstack = \"large\"\n"
                    "[[handler]]\ntype = \"runtime\"\n");
    assert_string_equal(theater_manifest_name(manifest), "pong");
    assert_string_equal(theater_manifest_version(manifest), "0.1.0");
    assert_string_equal(theater_manifest_description(manifest), "answers");
    assert_string_equal(theater_manifest_package(manifest),
                        world_path(world, "a.wasm", path));
    const uint8_t *initial = theater_manifest_initial_state(manifest, &len);
    assert_int_equal(len, 3);
    assert_memory_equal(initial, "a\0b", 4);
    const theater_limits_t *limits = theater_manifest_limits(manifest);
    assert_int_equal(limits->memory_bytes, 1 << 20);
    assert_int_equal(limits->delivery_time_ns, SECONDS / 50);
    assert_true(limits->run_time_ns == THEATER_NEVER);
    assert_int_equal(limits->stack, THEATER_STACK_LARGE);
    const theater_restart_t *restart = theater_manifest_restart(manifest);
    assert_int_equal(restart->when, THEATER_RESTART_ON_FAILURE);
    assert_int_equal(restart->max_restarts, 3);
    assert_int_equal(restart->period_ns, 120 * SECONDS);
    assert_int_equal(restart->backoff_ns, 250000);
    assert_int_equal(theater_manifest_handlers_len(manifest), 1);
    theater_manifest_release(manifest);
}

static void what_is_not_said_has_the_documented_default(void **state)
{
    size_t len = 7;
    theater_manifest_t *manifest = must(*state, HEAD);
    assert_string_equal(theater_manifest_version(manifest), "");
    assert_string_equal(theater_manifest_description(manifest), "");
    assert_null(theater_manifest_initial_state(manifest, &len));
    assert_int_equal(len, 0);
    const theater_limits_t *limits = theater_manifest_limits(manifest);
    assert_int_equal(limits->memory_bytes, 64 << 20);
    assert_int_equal(limits->delivery_time_ns, SECONDS);
    assert_int_equal(limits->run_time_ns, 60 * SECONDS);
    assert_int_equal(limits->stack, THEATER_STACK_SMALL);
    const theater_restart_t *restart = theater_manifest_restart(manifest);
    assert_int_equal(restart->when, THEATER_RESTART_NEVER);
    assert_int_equal(restart->max_restarts, 5);
    assert_int_equal(restart->period_ns, 60 * SECONDS);
    assert_int_equal(restart->backoff_ns, SECONDS / 10);
    assert_int_equal(theater_manifest_handlers_len(manifest), 0);
    assert_null(theater_manifest_handler(manifest, 0));
    theater_manifest_release(manifest);
}

static void a_handler_reads_its_section_by_its_own_keys(void **state)
{
    size_t len = 0;
    theater_manifest_t *manifest =
        must(*state, SERVER "can_send = false\n"
                            "allowed_targets = [\"ping\", \"w-*\"]\n"
                            "mailbox_bytes = 4096\non_full = \"drop-oldest\"\n"
                            "send_timeout = \"1500ms\"\nlabel = \"x\"\n");
    const theater_section_t *s = theater_manifest_handler(manifest, 0);
    assert_string_equal(theater_section_type(s), "message-server");
    assert_false(theater_section_bool(s, &keys[SEND]));
    const char *const *list = theater_section_list(s, &keys[TARGETS], &len);
    assert_int_equal(len, 2);
    assert_string_equal(list[0], "ping");
    assert_string_equal(list[1], "w-*");
    assert_int_equal(theater_section_number(s, &keys[CAPACITY]), 1000);
    assert_false(theater_section_has(s, &keys[CAPACITY]));
    assert_int_equal(theater_section_number(s, &keys[BYTES]), 4096);
    assert_true(theater_section_has(s, &keys[BYTES]));
    assert_int_equal(theater_section_number(s, &keys[ON_FULL]), 2);
    assert_string_equal(theater_section_string(s, &keys[ON_FULL]),
                        "drop-oldest");
    assert_int_equal(theater_section_number(s, &keys[WAIT]),
                     1500 * (SECONDS / 1000));
    assert_string_equal(theater_section_string(s, &keys[LABEL]), "x");
    theater_manifest_release(manifest);
}

static void an_absent_list_and_an_empty_list_are_told_apart(void **state)
{
    size_t len = 9;
    theater_manifest_t *absent = must(*state, SERVER);
    const theater_section_t *s = theater_manifest_handler(absent, 0);
    assert_null(theater_section_list(s, &keys[TARGETS], &len));
    assert_null(theater_section_string(s, &keys[LABEL]));
    assert_true(theater_section_bool(s, &keys[SEND]));
    theater_manifest_release(absent);
    theater_manifest_t *empty = must(*state, SERVER "allowed_targets = []\n");
    s = theater_manifest_handler(empty, 0);
    assert_non_null(theater_section_list(s, &keys[TARGETS], &len));
    assert_int_equal(len, 0);
    theater_manifest_release(empty);
}

static void a_manifest_lives_as_long_as_somebody_retains_it(void **state)
{
    theater_manifest_t *manifest = must(*state, HEAD);
    theater_manifest_t *mine = theater_manifest_retain(manifest);
    theater_manifest_release(manifest);
    assert_string_equal(theater_manifest_name(mine), "a");
    theater_manifest_release(mine);
    theater_manifest_release(NULL);
}

/* --- How it is refused -------------------------------------------------- */

struct refusal {
    const char *text;  /* the manifest */
    const char *place; /* :line:column */
    const char *part;  /* of the message */
};

static const struct refusal refusals[] = {
    {"package = \"a.wasm\"\n", "m.toml:1:1", "no 'name', which it needs"},
    {"name = \"a\"\n", "m.toml:1:1", "no 'package', which it needs"},
    {"name = \"a\"\nname = \"b\"\n", ":2:1", "was set in line 1"},
    {HEAD "pacakge = \"b\"\n", ":3:1", "did you mean 'package'?"},
    {HEAD "zzzzzzzz = 1\n", ":3:1", "there are: name, version, package"},
    {HEAD "[limit]\n", ":3:2", "did you mean 'limits'?"},
    {HEAD "[limits]\nmemry = 1\n", ":4:1", "did you mean 'memory'?"},
    {HEAD "limits = 1\n", ":3:1", "write [limits]"},
    {HEAD "[handler]\ntype = \"runtime\"\n", ":3:2", "two brackets"},
    {HEAD "handler = [1]\n", ":3:1", "two brackets"},
    {HEAD "handler = [{type = \"runtime\"}, 1]\n", ":3:32", "not an integer"},
    {HEAD "handler = [" SIXTEEN SIXTEEN SIXTEEN SIXTEEN "1]\n", ":3:1",
     "65 [[handler]] sections; 64 at most"},
    {HEAD "[[handler]]\ncan_send = true\n", ":3:3", "no 'type'"},
    {HEAD "[[handler]]\ntype = 1\n", ":4:8", "must be a string"},
    {HEAD "[[handler]]\ntype = \"\\u0000\"\n", ":4:8", "name of a handler"},
    {HEAD "[[handler]]\ntype = \"mesage-server\"\n", ":4:8",
     "did you mean 'message-server'?"},
    {HEAD "[[handler]]\ntype = \"x\"\n", ":4:8",
     "there are: runtime, message-server"},
    {SERVER "[[handler]]\ntype = \"message-server\"\n", ":6:8",
     "the first is in line 4"},
    {SERVER "can_sent = true\n", ":5:1", "did you mean 'can_send'?"},
    {HEAD "[[handler]]\ntype = \"runtime\"\nx = 1\n", ":5:1",
     "the handler 'runtime' has no key 'x'; there are: type"},
    {SERVER "can_send = \"yes\"\n", ":5:12", "true or false, not \"yes\""},
    {SERVER "allowed_targets = \"a\"\n", ":5:19", "a list of strings"},
    {SERVER "allowed_targets = [\"a\", 2]\n", ":5:25", "this is an integer"},
    {SERVER "allowed_targets = [\"a*b\"]\n", ":5:20", "not at its end"},
    {SERVER "allowed_targets = [\"\"]\n", ":5:20", "from 1 to 255 bytes"},
    {SERVER "mailbox_capacity = 0\n", ":5:20", "from 1 to 5000"},
    {SERVER "mailbox_capacity = -1\n", ":5:20", "at least 1"},
    {SERVER "mailbox_capacity = 5001\n", ":5:20", "from 1 to 5000"},
    {SERVER "mailbox_capacity = \"10\"\n", ":5:20", "a whole number"},
    {SERVER "mailbox_bytes = 0\n", ":5:17", "at least 1"},
    {SERVER "mailbox_bytes = 1.5\n", ":5:17", "a size such as"},
    {SERVER "on_full = \"drop-oldst\"\n", ":5:11",
     "did you mean 'drop-oldest'?"},
    {SERVER "send_timeout = 5\n", ":5:16", "a duration such as"},
    {SERVER "send_timeout = \"unlimited\"\n", ":5:16", "a duration such as"},
    {SERVER "label = \"a\\u0000\"\n", ":5:9", "\\u0000"},
    {HEAD "[limits]\nmemory = \"1KiB\"\n", ":4:10", "from 64KiB to 4GiB"},
    {HEAD "[limits]\nrun_time = \"0s\"\n", ":4:12", "from 1ms to 10000h"},
    {HEAD "restart = \"always\"\n", ":3:11", "\"never\" or \"on-failure\""},
    {HEAD "[[actor]]\nmanifest = \"x\"\n", ":3:3", "system file"},
    {HEAD "= 1\n", ":3:1", "expected a key"},
    {"name = \"\"\npackage = \"a.wasm\"\n", ":1:8", "1 to 255 bytes"},
    {"name = \"a\\u001b\"\npackage = \"a.wasm\"\n", ":1:8",
     "control characters"},
};

static void bad_manifests_are_refused_with_place_and_remedy(void **state)
{
    for (size_t i = 0; i < sizeof(refusals) / sizeof(refusals[0]); i++) {
        theater_error_t err;
        const struct refusal *r = &refusals[i];
        theater_status_t status =
            refuse(*state, r->text, strlen(r->text), &err);
        if (status != THEATER_BAD_MANIFEST) {
            fail_msg("status %s for: %s", theater_status_name(status), r->text);
        }
        assert_says(&err, r->place, r->part);
    }
}

static void names_are_as_long_as_names_may_be_and_no_longer(void **state)
{
    char name[257];
    char text[400];
    theater_error_t err;
    memset(name, 'n', sizeof(name));
    name[255] = '\0';
    (void)snprintf(text, sizeof(text), "name = \"%s\"\npackage = \"a.wasm\"\n",
                   name);
    theater_manifest_t *manifest = must(*state, text);
    assert_string_equal(theater_manifest_name(manifest), name);
    theater_manifest_release(manifest);
    name[255] = 'n';
    name[256] = '\0';
    (void)snprintf(text, sizeof(text), "name = \"%s\"\npackage = \"a.wasm\"\n",
                   name);
    assert_int_equal(refuse(*state, text, strlen(text), &err),
                     THEATER_BAD_MANIFEST);
    assert_says(&err, ":1:8", "1 to 255 bytes");
    manifest = must(*state, "name = \"two w\xC3\xB6rds\"\n"
                            "package = \"a.wasm\"\n");
    assert_string_equal(theater_manifest_name(manifest), "two w\xC3\xB6rds");
    theater_manifest_release(manifest);
}

/* --- Files -------------------------------------------------------------- */

static theater_status_t load(const struct world *world, const char *name,
                             theater_error_t *err)
{
    char path[PATH_MAX];
    theater_manifest_t *manifest = NULL;
    *err = (theater_error_t){0};
    theater_status_t status = theater_manifest_load_file(
        world_path(world, name, path), NULL, &manifest, err);
    theater_manifest_release(manifest);
    return status;
}

static void files_that_are_no_manifest_are_refused(void **state)
{
    const struct world *world = *state;
    theater_error_t err;
    size_t big = 10u << 20;
    char *bytes = malloc(big);
    assert_non_null(bytes);
    memset(bytes, '#', big);
    world_write(world, "big.toml", bytes, big);
    free(bytes);
    world_write(world, "nul.toml", "name = \"a\"\n\0", 12);
    world_write(world, "latin.toml", "name = \"\xE9\"\n", 11);
    world_text(world, "good.toml", HEAD);
    assert_int_equal(load(world, "big.toml", &err), THEATER_BAD_MANIFEST);
    assert_says(&err, "big.toml:1:1", "larger than 1048576 bytes");
    assert_int_equal(load(world, "nul.toml", &err), THEATER_BAD_MANIFEST);
    assert_says(&err, "nul.toml:2:1", "NUL");
    world_write(world, "actor.wasm", "\0asm\1\0\0\0", 8);
    assert_int_equal(load(world, "actor.wasm", &err), THEATER_BAD_MANIFEST);
    assert_says(&err, "actor.wasm", "this is WebAssembly, not a manifest");
    assert_int_equal(load(world, "latin.toml", &err), THEATER_BAD_MANIFEST);
    assert_says(&err, "latin.toml:1:9", "not UTF-8");
    assert_int_equal(load(world, "none.toml", &err), THEATER_NOT_FOUND);
    assert_says(&err, "none.toml", "no such file");
    assert_null(strchr(err.origin, ':'));
    assert_int_equal(load(world, ".", &err), THEATER_IO);
    assert_says(&err, "", "it is a folder");
    world_link(world, "loop.toml", "loop.toml");
    assert_int_equal(load(world, "loop.toml", &err), THEATER_IO);
    assert_string_equal(err.text, "the file could not be read");
    world_folder(world, "sub");
    world_text(world, "package.toml", "name = \"a\"\npackage = \"sub\"\n");
    assert_int_equal(load(world, "package.toml", &err), THEATER_BAD_MANIFEST);
    assert_says(&err, "package.toml:2:11", "is a folder, not a file");
    assert_int_equal(load(world, "good.toml", &err), THEATER_OK);
}

/* Who opened it would wait for somebody to write there. */
static void a_pipe_in_place_of_a_package_is_refused(void **state)
{
    const struct world *world = *state;
    theater_error_t err;
    char path[PATH_MAX];
    world_path(world, "pipe.wasm", path);
    assert_int_equal(mkfifo(path, 0600), 0);
    world_text(world, "pipe.toml", "name = \"a\"\npackage = \"pipe.wasm\"\n");
    assert_int_equal(load(world, "pipe.toml", &err), THEATER_BAD_MANIFEST);
    assert_says(&err, "pipe.toml:2:11", "is a pipe or a device");
}

static void a_package_outside_the_manifests_folder_is_refused(void **state)
{
    const struct world *world = *state;
    static const char *const outside[] = {
        "../a.wasm",      "/etc/passwd",  "sub/../../a.wasm",
        "x/../../a.wasm", "..",           "./.././a.wasm",
        "out.wasm",       "outdir/hosts", "up/a.wasm"};
    theater_error_t err;
    char text[200];
    char path[PATH_MAX];
    world_folder(world, "in");
    world_folder(world, "in/sub");
    world_text(world, "in/sub/b.wasm", "");
    world_link(world, "/etc/passwd", "in/out.wasm");
    world_link(world, "/etc", "in/outdir");
    world_link(world, "..", "in/up");
    world_link(world, "sub/b.wasm", "in/inside.wasm");
    for (size_t i = 0; i < sizeof(outside) / sizeof(outside[0]); i++) {
        (void)snprintf(text, sizeof(text), "name = \"a\"\npackage = \"%s\"\n",
                       outside[i]);
        world_text(world, "in/m.toml", text);
        if (load(world, "in/m.toml", &err) != THEATER_BAD_MANIFEST) {
            fail_msg("%s was not refused", outside[i]);
        }
        assert_says(&err, "in/m.toml:2:11", "folder");
    }
    world_text(world, "in/m.toml",
               "name = \"a\"\npackage = \"sub/../inside.wasm\"\n");
    theater_manifest_t *manifest = NULL;
    assert_int_equal(
        theater_manifest_load_file(world_path(world, "in/m.toml", path), NULL,
                                   &manifest, NULL),
        THEATER_OK);
    assert_string_equal(theater_manifest_package(manifest),
                        world_path(world, "in/sub/b.wasm", path));
    theater_manifest_release(manifest);
}

static void a_missing_package_is_named_with_its_place(void **state)
{
    theater_error_t err;
    const char text[] = "name = \"a\"\npackage = \"gone.wasm\"\n";
    assert_int_equal(refuse(*state, text, strlen(text), &err),
                     THEATER_NOT_FOUND);
    assert_says(&err, "m.toml:2:11", "'gone.wasm' is missing");
}

static void a_native_actor_needs_no_package(void **state)
{
    theater_manifest_t *manifest = NULL;
    const char none[] = "name = \"a\"\n";
    const char gone[] = "name = \"a\"\npackage = \"gone.wasm\"\n";
    const char outside[] = "name = \"a\"\npackage = \"../x\"\n";
    assert_int_equal(
        parse_in(*state, none, strlen(none), true, &manifest, NULL),
        THEATER_OK);
    assert_null(theater_manifest_package(manifest));
    theater_manifest_release(manifest);
    assert_int_equal(
        parse_in(*state, gone, strlen(gone), true, &manifest, NULL),
        THEATER_OK);
    theater_manifest_release(manifest);
    assert_int_equal(
        parse_in(*state, outside, strlen(outside), true, &manifest, NULL),
        THEATER_BAD_MANIFEST);
}

static void the_place_survives_the_longest_path(void **state)
{
    (void)state;
    char origin[1000];
    theater_error_t err;
    theater_manifest_t *manifest = NULL;
    memset(origin, 'x', sizeof(origin));
    memcpy(origin + sizeof(origin) - 6, ".toml", 6);
    assert_int_equal(
        theater_manifest_parse("nme = 1", 7, origin, NULL, &manifest, &err),
        THEATER_BAD_MANIFEST);
    assert_says(&err, "xxx.toml:1:1", "did you mean 'name'?");
    assert_memory_equal(err.origin, "...", 3);
}

/* --- What holds for every key ------------------------------------------- */

/* The value as a manifest writes it: with quotes where they belong. */
static const char *quotes_of(const theater_key_t *key)
{
    return key->type == THEATER_KEY_BOOL || key->type == THEATER_KEY_INT ? ""
                                                                         : "\"";
}

/* A manifest with one key of one group set to `value`; others as needed. */
static void with_key(const theater_key_group_t *group, const theater_key_t *key,
                     const char *value, char *out, size_t size)
{
    bool is_name = strcmp(key->name, "name") == 0;
    bool is_package = strcmp(key->name, "package") == 0;
    (void)snprintf(out, size, "%s%s%s%s%s%s = %s\n",
                   is_name ? "" : "name = \"a\"\n",
                   is_package ? "" : "package = \"a.wasm\"\n",
                   group->section[0] != '\0' ? "[" : "", group->section,
                   group->section[0] != '\0' ? "]\n" : "", key->name, value);
}

static void each_key_refuses_a_value_of_another_type(void **state)
{
    size_t groups_len = 0;
    const theater_key_group_t *groups = theater_key_groups(&groups_len);
    size_t count = 0;
    for (size_t g = 0; g < groups_len; g++) {
        for (size_t i = 0; i < groups[g].keys_len; i++) {
            char text[300];
            theater_error_t err;
            const theater_key_t *key = &groups[g].keys[i];
            if (strcmp(groups[g].file, "manifest") != 0) {
                continue;
            }
            with_key(&groups[g], key, "2026-01-01", text, sizeof(text));
            assert_int_equal(refuse(*state, text, strlen(text), &err),
                             THEATER_BAD_MANIFEST);
            assert_non_null(strstr(err.text, key->name));
            assert_non_null(strstr(err.text, "a date"));
            count++;
        }
    }
    assert_true(count >= (size_t)TH_MANIFEST_KEYS + (size_t)TH_LIMITS_KEYS);
}

static void each_default_is_a_value_that_the_key_accepts(void **state)
{
    size_t groups_len = 0;
    const theater_key_group_t *groups = theater_key_groups(&groups_len);
    for (size_t g = 0; g < groups_len; g++) {
        for (size_t i = 0; i < groups[g].keys_len; i++) {
            char text[300];
            char value[100];
            const theater_key_t *key = &groups[g].keys[i];
            assert_non_null(key->doc);
            if (key->fallback == NULL ||
                strcmp(groups[g].file, "manifest") != 0) {
                continue;
            }
            assert_false(key->required);
            (void)snprintf(value, sizeof(value), "%s%s%s", quotes_of(key),
                           key->fallback, quotes_of(key));
            with_key(&groups[g], key, value, text, sizeof(text));
            theater_manifest_release(must(*state, text));
        }
    }
}

static void each_misspelt_key_is_answered_with_the_right_one(void **state)
{
    size_t groups_len = 0;
    const theater_key_group_t *groups = theater_key_groups(&groups_len);
    for (size_t g = 0; g < groups_len; g++) {
        for (size_t i = 0; i < groups[g].keys_len; i++) {
            char text[300];
            char name[64];
            char hint[100];
            theater_error_t err;
            theater_key_t key = groups[g].keys[i];
            if (strcmp(groups[g].file, "manifest") != 0) {
                continue;
            }
            (void)snprintf(hint, sizeof(hint), "did you mean '%s'?", key.name);
            (void)snprintf(name, sizeof(name), "%sx", key.name);
            key.name = name;
            with_key(&groups[g], &key, "1", text, sizeof(text));
            assert_int_equal(refuse(*state, text, strlen(text), &err),
                             THEATER_BAD_MANIFEST);
            assert_says(&err, "", hint);
        }
    }
}

static void sizes_and_durations_are_read_exactly(void **state)
{
    (void)state;
    static const struct {
        theater_key_type_t type;
        const char *text;
        uint64_t value;
        bool ok;
    } cases[] = {
        {THEATER_KEY_SIZE, "0", 0, true},
        {THEATER_KEY_SIZE, "512", 512, true},
        {THEATER_KEY_SIZE, "1KiB", 1024, true},
        {THEATER_KEY_SIZE, "64MiB", 64u << 20, true},
        {THEATER_KEY_SIZE, "4GiB", UINT64_C(4) << 30, true},
        {THEATER_KEY_SIZE, "17179869184GiB", 0, false}, /* 2^64 */
        {THEATER_KEY_SIZE, "18446744073709551616", 0, false},
        {THEATER_KEY_SIZE, "64MB", 0, false},
        {THEATER_KEY_SIZE, "64 MiB", 0, false},
        {THEATER_KEY_SIZE, "-1", 0, false},
        {THEATER_KEY_SIZE, "", 0, false},
        {THEATER_KEY_SIZE, "MiB", 0, false},
        {THEATER_KEY_DURATION, "250us", 250000, true},
        {THEATER_KEY_DURATION, "7ns", 7, true},
        {THEATER_KEY_DURATION, "100ms", 100000000, true},
        {THEATER_KEY_DURATION, "5s", 5 * SECONDS, true},
        {THEATER_KEY_DURATION, "1m", 60 * SECONDS, true},
        {THEATER_KEY_DURATION, "2h", 7200 * SECONDS, true},
        {THEATER_KEY_DURATION, "5", 0, false},
        {THEATER_KEY_DURATION, "1.5s", 0, false},
        {THEATER_KEY_DURATION, "18446744074s", 0, false}, /* over 2^64 ns */
    };
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        const theater_key_t key = {.name = "k", .type = cases[i].type};
        struct th_toml_node node = {.kind = TH_TOML_STRING};
        struct th_key_value value;
        struct th_key_fault fault;
        node.as.string.data = cases[i].text;
        node.as.string.len = strlen(cases[i].text);
        bool ok = th_key_read(&key, &node, &value, &fault);
        if (ok != cases[i].ok || (ok && value.number != cases[i].value)) {
            fail_msg("%s", cases[i].text);
        }
    }
}

static void numbers_are_shown_as_a_manifest_writes_them(void **state)
{
    (void)state;
    char out[32];
    assert_string_equal(th_key_show(THEATER_KEY_SIZE, 64u << 20, out), "64MiB");
    assert_string_equal(th_key_show(THEATER_KEY_SIZE, 1500, out), "1500");
    assert_string_equal(th_key_show(THEATER_KEY_SIZE, 0, out), "0");
    assert_string_equal(th_key_show(THEATER_KEY_DURATION, 0, out), "0s");
    assert_string_equal(th_key_show(THEATER_KEY_DURATION, SECONDS, out), "1s");
    assert_string_equal(th_key_show(THEATER_KEY_DURATION, 90 * SECONDS, out),
                        "90s");
    assert_string_equal(th_key_show(THEATER_KEY_DURATION, THEATER_NEVER, out),
                        "unlimited");
}

static void memory_that_runs_out_is_a_status_and_leaves_nothing(void **state)
{
    const struct world *world = *state;
    char path[PATH_MAX];
    char text[8000];
    size_t len =
        (size_t)snprintf(text, sizeof(text), SERVER "allowed_targets = [");
    for (int i = 0; i < 400; i++) {
        len += (size_t)snprintf(text + len, sizeof(text) - len, "\"t%d\", ", i);
    }
    (void)snprintf(text + len, sizeof(text) - len, "]\n");
    world_text(world, "big.toml", text);
    world_path(world, "big.toml", path);
    uint64_t k = 1;
    for (bool failed = true; failed; k++) {
        struct th_fault_env fault;
        theater_manifest_options_t options = THEATER_MANIFEST_OPTIONS_INIT;
        theater_manifest_t *manifest = NULL;
        theater_error_t err = {0};
        th_fault_env_init(&fault, theater_env_default());
        th_fault_env_fail(&fault, TH_FAULT_ALLOC, k, true);
        options.env = &fault.table;
        theater_status_t status =
            theater_manifest_load_file(path, &options, &manifest, &err);
        failed = th_fault_env_failed(&fault, TH_FAULT_ALLOC) != 0;
        assert_int_equal(status, failed ? THEATER_OUT_OF_MEMORY : THEATER_OK);
        assert_int_equal(manifest == NULL, failed);
        theater_manifest_release(manifest);
        assert_int_equal(th_fault_env_live(&fault), 0);
    }
    assert_true(k > 5);
}

int main(void)
{
#define WORLD(test)                                                            \
    cmocka_unit_test_setup_teardown(test, world_setup, world_teardown)
    const struct CMUnitTest tests[] = {
        WORLD(everything_in_a_manifest_is_read),
        WORLD(what_is_not_said_has_the_documented_default),
        WORLD(a_handler_reads_its_section_by_its_own_keys),
        WORLD(an_absent_list_and_an_empty_list_are_told_apart),
        WORLD(a_manifest_lives_as_long_as_somebody_retains_it),
        WORLD(bad_manifests_are_refused_with_place_and_remedy),
        WORLD(names_are_as_long_as_names_may_be_and_no_longer),
        WORLD(files_that_are_no_manifest_are_refused),
        WORLD(a_pipe_in_place_of_a_package_is_refused),
        WORLD(a_package_outside_the_manifests_folder_is_refused),
        WORLD(a_missing_package_is_named_with_its_place),
        WORLD(a_native_actor_needs_no_package),
        WORLD(the_place_survives_the_longest_path),
        WORLD(each_key_refuses_a_value_of_another_type),
        WORLD(each_default_is_a_value_that_the_key_accepts),
        WORLD(each_misspelt_key_is_answered_with_the_right_one),
        WORLD(sizes_and_durations_are_read_exactly),
        WORLD(numbers_are_shown_as_a_manifest_writes_them),
        WORLD(memory_that_runs_out_is_a_status_and_leaves_nothing),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
