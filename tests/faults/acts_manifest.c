/* SPDX-License-Identifier: Apache-2.0 */
/* Scenarios: manifests and system files, from text and from files. */
#include "acts_actors.h"

#include <sys/stat.h>

#define FOLDER TH_TEST_BUILD_DIR "/tests/faults-manifests"
#define SMALL "name = \"x\"\npackage = \"x.wasm\"\n"
#define LARGE                                                                  \
    SMALL "version = \"1.2.3\"\ndescription = \"what it does\"\n"              \
          "initial_state = \"\"\"\nof several\nlines\n\"\"\"\n"                \
          "restart = \"on-failure\"\nmax_restarts = 3\n"                       \
          "restart_period = \"10s\"\nrestart_backoff = \"5ms\"\n"              \
          "[limits]\nmemory = \"1MiB\"\ndelivery_time = \"10ms\"\n"            \
          "run_time = \"unlimited\"\nstack = \"large\"\n"                      \
          "[[handler]]\ntype = \"runtime\"\n"                                  \
          "[[handler]]\ntype = \"message-server\"\ncan_send = false\n"         \
          "allowed_targets = [\"a\", \"b*\", \"caf\\u00e9\"]\n"                \
          "mailbox_bytes = \"64KiB\"\non_full = \"drop-oldest\"\n"

static void put_file(const char *name, const char *source)
{
    char path[512];
    (void)mkdir(TH_TEST_BUILD_DIR "/tests", 0700);
    (void)mkdir(FOLDER, 0700);
    snprintf(path, sizeof path, FOLDER "/%s", name);
    FILE *file = fopen(path, "wb");
    assert_non_null(file);
    assert_int_equal(fwrite(source, 1, strlen(source), file), strlen(source));
    assert_int_equal(fclose(file), 0);
}

static theater_manifest_options_t options_of(struct act *act)
{
    theater_manifest_options_t options = THEATER_MANIFEST_OPTIONS_INIT;
    options.env = act->env;
    return options;
}

/* The error says the same as the status, and where. */
static void check_error(theater_status_t status, const theater_error_t *err)
{
    if (status != THEATER_OK) {
        assert_int_equal(err->status, status);
        assert_true(err->text[0] != '\0');
    }
}

static theater_manifest_t *parse(struct act *act, const char *source,
                                 theater_status_t wanted)
{
    theater_manifest_options_t options = options_of(act);
    theater_manifest_t *manifest = NULL;
    theater_error_t err = {.status = THEATER_OK};
    put_file("x.wasm", "");
    theater_status_t status = theater_manifest_parse(
        source, strlen(source), FOLDER "/m.toml", &options, &manifest, &err);
    (void)met(act, status, wanted);
    check_error(status, &err);
    assert_true((manifest != NULL) == (status == THEATER_OK));
    return manifest;
}

static void parse_small(struct act *act)
{
    theater_manifest_release(parse(act, SMALL, THEATER_OK));
}

static void parse_large(struct act *act)
{
    theater_manifest_t *manifest = parse(act, LARGE, THEATER_OK);
    if (manifest != NULL) {
        assert_string_equal(theater_manifest_version(manifest), "1.2.3");
        assert_int_equal(theater_manifest_handlers_len(manifest), 2);
    }
    theater_manifest_release(manifest);
}

static void parse_and_check(struct act *act)
{
    const theater_handler_ops_t *server = theater_message_server_ops();
    const theater_handler_ops_t *runtime = theater_runtime_handler_ops();
    theater_handler_keys_t handlers[] = {
        {"message-server", server->keys, server->keys_len},
        {"runtime", runtime->keys, runtime->keys_len},
    };
    theater_error_t err;
    theater_manifest_t *manifest = parse(act, LARGE, THEATER_OK);
    if (manifest != NULL) {
        /* Allocates: never. */
        assert_int_equal(theater_manifest_check(manifest, handlers, 2, &err),
                         THEATER_OK);
        theater_manifest_release(theater_manifest_retain(manifest));
    }
    theater_manifest_release(manifest);
}

static void parse_long(struct act *act)
{
    static char source[60000];
    size_t len = (size_t)snprintf(source, sizeof source, "%s", SMALL);
    for (int i = 0; i < 64; i++) {
        len += (size_t)snprintf(
            source + len, sizeof source - len,
            "[[handler]]\ntype = \"t%d\"\nkeys = [\"%d\", \"%d\"]\n", i, i, i);
    }
    theater_manifest_release(parse(act, source, THEATER_OK));
}

static void parse_wrong(struct act *act)
{
    assert_null(parse(act, SMALL "colour = \"red\"\n", THEATER_BAD_MANIFEST));
    assert_null(parse(act, "name = \"x", THEATER_BAD_MANIFEST));
}

static theater_manifest_t *load(struct act *act, const char *path,
                                theater_status_t wanted)
{
    theater_manifest_options_t options = options_of(act);
    theater_manifest_t *manifest = NULL;
    theater_error_t err = {.status = THEATER_OK};
    theater_status_t status =
        theater_manifest_load_file(path, &options, &manifest, &err);
    (void)met_or(act, status, wanted, THEATER_OUT_OF_MEMORY);
    check_error(status, &err);
    return manifest;
}

static void load_file(struct act *act)
{
    put_file("x.wasm", "");
    put_file("manifest.toml", LARGE);
    theater_manifest_release(load(act, FOLDER "/manifest.toml", THEATER_OK));
}

static void load_missing(struct act *act)
{
    assert_null(load(act, FOLDER "/absent.toml", THEATER_NOT_FOUND));
}

static void load_without_package(struct act *act)
{
    put_file("lonely.toml", "name = \"x\"\npackage = \"absent.wasm\"\n");
    assert_null(load(act, FOLDER "/lonely.toml", THEATER_NOT_FOUND));
}

static void load_native(struct act *act)
{
    theater_manifest_options_t options = options_of(act);
    theater_manifest_t *manifest = NULL;
    theater_error_t err = {.status = THEATER_OK};
    options.native = true;
    theater_status_t status = theater_manifest_parse("name = \"n\"\n", 11, NULL,
                                                     &options, &manifest, &err);
    (void)met(act, status, THEATER_OK);
    check_error(status, &err);
    theater_manifest_release(manifest);
}

/* --- Systems -------------------------------------------------------------- */

static void put_system(const char *source)
{
    put_file("x.wasm", "");
    put_file("manifest.toml", LARGE);
    put_file("other.toml", "name = \"y\"\npackage = \"x.wasm\"\n");
    put_file("theater.toml", source);
}

#define SYSTEM                                                                 \
    "[[actor]]\nmanifest = \"manifest.toml\"\n"                                \
    "[[actor]]\nmanifest = \"other.toml\"\nname = \"z\"\n"                     \
    "initial_state = \"its own\"\n"                                            \
    "[[actor]]\nmanifest = \"other.toml\"\ncount = 30\n"

static void load_system_of(struct act *act, const char *source,
                           theater_status_t wanted, size_t actors)
{
    theater_manifest_options_t options = options_of(act);
    theater_system_t *system = NULL;
    theater_error_t err = {.status = THEATER_OK};
    put_system(source);
    theater_status_t status = theater_system_load_file(FOLDER "/theater.toml",
                                                       &options, &system, &err);
    (void)met_or(act, status, wanted, THEATER_OUT_OF_MEMORY);
    check_error(status, &err);
    assert_true((system != NULL) == (status == THEATER_OK));
    if (system != NULL) {
        assert_int_equal(theater_system_actors_len(system), actors);
    }
    theater_system_delete(system);
}

static void load_system(struct act *act)
{
    load_system_of(act, SYSTEM, THEATER_OK, 32);
}

static void load_large_system(struct act *act)
{
    load_system_of(act,
                   SYSTEM "[[actor]]\nmanifest = \"manifest.toml\"\n"
                          "name = \"many\"\ncount = 300\n",
                   THEATER_OK, 332);
}

static void load_wrong_system(struct act *act)
{
    load_system_of(act,
                   SYSTEM "[[actor]]\nmanifest = \"other.toml\"\n"
                          "name = \"z\"\n",
                   THEATER_BAD_MANIFEST, 0);
}

static void parse_system(struct act *act)
{
    theater_manifest_options_t options = options_of(act);
    theater_system_t *system = NULL;
    theater_error_t err = {.status = THEATER_OK};
    put_system(SYSTEM);
    theater_status_t status =
        theater_system_parse(SYSTEM, strlen(SYSTEM), FOLDER "/theater.toml",
                             &options, &system, &err);
    (void)met_or(act, status, THEATER_OK, THEATER_OUT_OF_MEMORY);
    check_error(status, &err);
    theater_system_delete(system);
}

static void load_files(struct act *act)
{
    static const char *const paths[] = {
        FOLDER "/theater.toml",
        FOLDER "/lone.toml",
    };
    theater_manifest_options_t options = options_of(act);
    theater_system_t *system = NULL;
    theater_error_t err = {.status = THEATER_OK};
    put_system(SYSTEM);
    put_file("lone.toml", "name = \"lone\"\npackage = \"x.wasm\"\n");
    theater_status_t status =
        theater_system_load_files(paths, 2, &options, &system, &err);
    (void)met_or(act, status, THEATER_OK, THEATER_OUT_OF_MEMORY);
    check_error(status, &err);
    theater_system_delete(system);
}

#define ACT(name, run) {name, run, &stage_bare, NULL}
const struct scenario acts_manifest[] = {
    ACT("a small manifest", parse_small),
    ACT("a manifest with all keys", parse_large),
    ACT("a manifest that is checked", parse_and_check),
    ACT("a manifest of 64 sections", parse_long),
    ACT("a manifest that is wrong", parse_wrong),
    ACT("a manifest's file", load_file),
    ACT("a manifest's file that is not there", load_missing),
    ACT("a manifest without its package", load_without_package),
    ACT("a native actor's manifest", load_native),
    ACT("a system file", load_system),
    ACT("a system file of 332 actors", load_large_system),
    ACT("a system file that is wrong", load_wrong_system),
    ACT("a system from text", parse_system),
    ACT("a system of several files", load_files),
};
const size_t acts_manifest_len = sizeof acts_manifest / sizeof acts_manifest[0];
