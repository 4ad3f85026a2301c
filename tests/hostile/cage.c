/* SPDX-License-Identifier: Apache-2.0 */
/* Design notes: actors are named h0, h1, ...; their events find their records
 * by that number, under one lock, and who waits parks on the epoch. The
 * bystanders trap when a message of theirs is refused, so that they are alive
 * is a check of its own. A floor of progress is asked for, not a rate: that
 * needs a quiet machine and is measured by --measure. */
#include "cage.h"

#include <wasmtime.h>

#include <stdlib.h>
#include <sys/stat.h>

enum {
    FLOOR_ROUNDS = 20,      /* of the bystanders for each hostile actor */
    FLOOR_PER_SECOND = 200, /* ... and where it takes long */
    HOARD = 1200,
};

struct record {
    bool ended, failed, done, broken;
    bool restarts; /* only a failure that is not restarted is an end */
    char *text;
};

static struct stage stage;
static struct record records[CAGE_MAX];
static unsigned spawned;
static _Atomic uint32_t epoch; /* changes with each event */
static struct th_lock lock;
static theater_endpoint_t *prober; /* opens channels to hostile actors */
static uint64_t watch_rounds, watch_ns;

struct stage *cage_stage(void)
{
    return &stage;
}

/* "failed h12: limit: run_time: ..." */
static void on_line(void *user, const char *line)
{
    const theater_env_t *env = theater_env_default();
    char kind[16];
    unsigned id;
    int at = 0;
    (void)user;
    if (sscanf(line, "%15s h%u: %n", kind, &id, &at) != 2 || at == 0 ||
        id >= CAGE_MAX) { /* a bystander's, or "spawned", "restarted" */
        return;
    }
    th_lock(env, &lock);
    struct record *r = &records[id];
    if (strcmp(kind, "log") == 0) {
        r->done = r->done || strcmp(line + at, "done") == 0;
        if (strncmp(line + at, "BROKEN", 6) == 0) {
            r->broken = true;
            print_error("%s\n", line);
        }
    } else if (!r->ended && (strcmp(kind, "stopped") == 0 || !r->restarts ||
                             strstr(line + at, "(not restarted") != NULL)) {
        r->ended = true;
        r->failed = strcmp(kind, "failed") == 0;
        r->text = strdup(line + at);
    }
    th_unlock(env, &lock);
    /* release; pairs with the acquire in await: the record travels */
    atomic_fetch_add_explicit(&epoch, 1, memory_order_release);
    env->unpark(env->ctx, &epoch, 1);
}

static struct record look(unsigned id)
{
    th_lock(theater_env_default(), &lock);
    struct record r = records[id];
    th_unlock(theater_env_default(), &lock);
    return r;
}

/* Until it has ended, or (`or_done`) until it has logged that it is done. */
static struct record await(unsigned id, bool or_done)
{
    const theater_env_t *env = theater_env_default();
    uint64_t deadline = stage_now() + (uint64_t)STAGE_WAIT_MS * 1000000;
    for (;;) {
        /* acquire; pairs with on_line */
        uint32_t seen = atomic_load_explicit(&epoch, memory_order_acquire);
        struct record r = look(id);
        if (r.ended || (or_done && r.done)) {
            return r;
        }
        if (stage_now() >= deadline) {
            fail_msg("h%u neither ends nor is done", id);
        }
        env->park(env->ctx, &epoch, seen, deadline);
    }
}

bool cage_await_end(unsigned id, theater_status_t *out_status,
                    const char **out_text)
{
    struct record r = await(id, false);
    size_t len = strcspn(r.text, ":");
    *out_text = r.text;
    *out_status = THEATER_OK;
    for (int i = 0; r.failed && i < THEATER_STATUS_COUNT; i++) {
        const char *name = theater_status_name((theater_status_t)i);
        if (strlen(name) == len && strncmp(r.text, name, len) == 0) {
            *out_status = (theater_status_t)i;
        }
    }
    return r.failed;
}

bool cage_has_ended(unsigned id)
{
    return look(id).ended;
}

static void name_of(unsigned id, char out[static 16])
{
    snprintf(out, 16, "h%u", id);
}

void cage_stop(unsigned id)
{
    char name[16];
    name_of(id, name);
    theater_status_t status =
        theater_runtime_stop(stage.runtime, name, "the test is over");
    assert_true(status == THEATER_OK || status == THEATER_NOT_FOUND);
}

/* --- The bystanders ------------------------------------------------------ */

struct counted {
    uint64_t rounds;
    unsigned found;
};

static void count(void *user, const theater_actor_info_t *info)
{
    struct counted *counted = user;
    if (strcmp(info->name, "left") == 0) {
        counted->rounds = info->deliveries;
    }
    counted->found +=
        strcmp(info->name, "left") == 0 || strcmp(info->name, "right") == 0;
}

uint64_t cage_rounds(void)
{
    struct counted counted = {0};
    theater_runtime_list(stage.runtime, count, &counted);
    assert_int_equal(counted.found, 2); /* both are alive */
    return counted.rounds;
}

void cage_watch_begin(void)
{
    watch_rounds = cage_rounds();
    watch_ns = stage_now();
}

void cage_watch_end(const char *meanwhile)
{
    static uint32_t never;
    const theater_env_t *env = theater_env_default();
    uint64_t passed = stage_now() - watch_ns;
    uint64_t floor = passed / 1000000 * FLOOR_PER_SECOND / 1000;
    uint64_t rounds = cage_rounds() - watch_rounds;
    if (rounds < floor && passed > 500000000) {
        fail_msg("%s: the bystanders made %llu round trips in %llu ms",
                 meanwhile, (unsigned long long)rounds,
                 (unsigned long long)(passed / 1000000));
    }
    uint64_t deadline = stage_now() + (uint64_t)STAGE_WAIT_MS * 1000000;
    while (cage_rounds() - watch_rounds < FLOOR_ROUNDS) {
        if (stage_now() >= deadline) {
            fail_msg("%s: the bystanders stand still", meanwhile);
        }
        env->park(env->ctx, &never, 0, stage_now() + 1000000);
    }
}

#define BYSTANDER(other, len)                                                  \
    "(module " WAT_SEND WAT_MEMORY WAT_REALLOC "(data (i32.const 16) \"" other \
    "\")"                                                                      \
    "(func (export \"handle-request\") (param i32 i32) (result i32)"           \
    " (i32.store8 (i32.const 96) (i32.const 0))"                               \
    " (i32.store (i32.const 100) (local.get 0))"                               \
    " (i32.store (i32.const 104) (local.get 1)) (i32.const 96))"               \
    "(func (export \"handle-send\") (param i32 i32)"                           \
    " (call $send (i32.const 16) (i32.const " len ") (local.get 0)"            \
    "  (local.get 1) (i32.const 64))"                                          \
    " (if (i32.load8_u (i32.const 64)) (then unreachable))"                    \
    " (global.set $top (i32.const 4096))))"

static void bystander(const char *name, const char *wat)
{
    theater_bytes_t wasm = cage_wasm_of(wat);
    theater_manifest_t *manifest =
        cage_manifest(wasm, "[[handler]]\ntype = \"runtime\"\n"
                            "[[handler]]\ntype = \"message-server\"\n");
    stage_spawn(&stage, name, manifest, NULL);
    theater_manifest_release(manifest);
    free((void *)(uintptr_t)wasm.data);
}

/* Accepts one channel and handles nothing after that: what comes stays. */
static void make_hole(void)
{
    theater_bytes_t wasm = cage_wasm_of(
        "(module (import " CAGE_RT
        " \"sleep-ms\" (func $sleep (param i32)))" WAT_MEMORY WAT_REALLOC
        "(func (export \"handle-send\") (param i32 i32)"
        " (call $sleep (i32.const 3600000)))"
        "(func (export \"handle-channel-message\") (param i32 i32 i32 i32)"
        " (call $sleep (i32.const 3600000)))"
        "(func (export \"handle-channel-open\") (param i32 i32 i32 i32)"
        " (result i32) (i32.const 1)))");
    theater_manifest_t *manifest =
        cage_manifest(wasm, "[[handler]]\ntype = \"runtime\"\n"
                            "[[handler]]\ntype = \"message-server\"\n");
    stage_spawn(&stage, "hole", manifest, NULL);
    stage_spawn(&stage, "ditch", manifest, NULL);
    theater_manifest_release(manifest);
    free((void *)(uintptr_t)wasm.data);
}

static void make_prober(void)
{
    theater_endpoint_options_t options = THEATER_ENDPOINT_OPTIONS_INIT;
    options.capacity = 100000;
    options.max_channels = 10000;
    assert_int_equal(
        theater_router_register(stage.router, "prober", 6, &options, &prober),
        THEATER_OK);
}

static void bystanders(const theater_native_ops_t *left, void *self,
                       unsigned rounds)
{
    bystander("right", BYSTANDER("left", "4"));
    if (left == NULL) {
        bystander("left", BYSTANDER("right", "5"));
    } else {
        theater_manifest_t *manifest =
            stage_manifest("tests/hostile/vault.wasm", NULL, NULL);
        theater_error_t err;
        assert_int_equal(theater_runtime_spawn_native(stage.runtime, "left",
                                                      manifest, NULL, left,
                                                      self, &err),
                         THEATER_OK);
        theater_manifest_release(manifest);
    }
    for (unsigned i = 0; i < rounds; i++) {
        assert_int_equal(stage_send(&stage, "left", "round and round"),
                         THEATER_OK);
    }
}

void cage_open(const theater_native_ops_t *left, void *self, unsigned rounds)
{
    struct stage_options options = {.on_line = on_line};
    (void)mkdir(TH_TEST_BUILD_DIR "/tests/hostile/cage", 0700);
    stage_start(&stage, &options);
    make_prober();
    bystanders(left, self, rounds);
    stage_actor(&stage, "vault", "tests/hostile/vault.wasm",
                "max_channels = 10000");
    make_hole();
}

void cage_close(void)
{
    theater_endpoint_unregister(prober, THEATER_OK);
    stage_end(&stage); /* and checks that the counters conserve */
    for (unsigned i = 0; i < spawned; i++) {
        free(records[i].text);
    }
}

void cage_open_vault(void)
{
    theater_channel_id_t channel;
    assert_int_equal(theater_channel_open(prober, stage_text("vault"),
                                          stage_text("x"), 0, &channel),
                     THEATER_OK);
}

/* --- Spawning ------------------------------------------------------------ */

theater_bytes_t cage_wasm_of(const char *wat)
{
    wasm_byte_vec_t wasm;
    wasmtime_error_t *error = wasmtime_wat2wasm(wat, strlen(wat), &wasm);
    if (error != NULL) {
        wasm_byte_vec_t text;
        wasmtime_error_message(error, &text);
        fail_msg("%.*s\n%.400s", (int)text.size, text.data, wat);
    }
    uint8_t *data = malloc(wasm.size);
    assert_non_null(data);
    memcpy(data, wasm.data, wasm.size);
    theater_bytes_t copy = {data, wasm.size};
    wasm_byte_vec_delete(&wasm);
    return copy;
}

theater_manifest_t *cage_manifest(theater_bytes_t wasm, const char *manifest)
{
    static unsigned files;
    char path[512], text[4096];
    theater_manifest_t *made = NULL;
    theater_error_t err = {0};
    snprintf(path, sizeof path, TH_TEST_BUILD_DIR "/tests/hostile/cage/%u.wasm",
             files);
    FILE *file = fopen(path, "wb");
    assert_non_null(file);
    assert_int_equal(fwrite(wasm.data, 1, wasm.len, file), wasm.len);
    assert_int_equal(fclose(file), 0);
    snprintf(text, sizeof text, "name = \"hostile\"\npackage = \"%u.wasm\"\n%s",
             files++, manifest);
    if (theater_manifest_parse(text, strlen(text),
                               TH_TEST_BUILD_DIR "/tests/hostile/cage/x.toml",
                               NULL, &made, &err) != THEATER_OK) {
        fail_msg("%s: %s", err.text, text);
    }
    return made;
}

theater_status_t cage_spawn(const theater_manifest_t *manifest,
                            theater_bytes_t state, unsigned *out_id,
                            theater_error_t *err)
{
    theater_spawn_options_t options = THEATER_SPAWN_OPTIONS_INIT;
    char name[16];
    assert_true(spawned < CAGE_MAX);
    *out_id = spawned++;
    name_of(*out_id, name);
    options.initial_state = state;
    records[*out_id].restarts =
        theater_manifest_restart(manifest)->when != THEATER_RESTART_NEVER;
    return theater_runtime_spawn(stage.runtime, name, manifest, &options, err);
}

theater_status_t cage_spawn_wasm(theater_bytes_t wasm, const char *manifest,
                                 theater_bytes_t state, unsigned *out_id,
                                 theater_error_t *err)
{
    theater_manifest_t *made = cage_manifest(wasm, manifest);
    theater_status_t status = cage_spawn(made, state, out_id, err);
    theater_manifest_release(made);
    return status;
}

theater_status_t cage_spawn_wat(const char *wat, const char *manifest,
                                theater_bytes_t state, unsigned *out_id,
                                theater_error_t *err)
{
    theater_bytes_t wasm = cage_wasm_of(wat);
    theater_status_t status =
        cage_spawn_wasm(wasm, manifest, state, out_id, err);
    free((void *)(uintptr_t)wasm.data);
    return status;
}

/* --- One hostile actor --------------------------------------------------- */

theater_manifest_t *cage_manifest_of(const struct hostile *actor)
{
    char text[2048], whole[4096];
    theater_manifest_t *manifest = NULL;
    theater_error_t err = {0};
    const char *limits = actor->limits != NULL
                             ? actor->limits
                             : "run_time = \"30ms\"\ndelivery_time = \"30ms\"";
    snprintf(text, sizeof text,
             "%s\n[limits]\n%s\n[[handler]]\ntype = \"runtime\"\n"
             "[[handler]]\ntype = \"message-server\"\n%s\n",
             actor->top != NULL ? actor->top : "", limits,
             actor->keys != NULL ? actor->keys : "");
    if (actor->wat != NULL) {
        theater_bytes_t wasm = cage_wasm_of(actor->wat);
        manifest = cage_manifest(wasm, text);
        free((void *)(uintptr_t)wasm.data);
        return manifest;
    }
    snprintf(whole, sizeof whole,
             "name = \"hostile\"\npackage = \"pest.wasm\"\n%s", text);
    if (theater_manifest_parse(whole, strlen(whole),
                               TH_TEST_BUILD_DIR "/tests/hostile/x.toml", NULL,
                               &manifest, &err) != THEATER_OK) {
        fail_msg("%s: %s", actor->name, err.text);
    }
    return manifest;
}

static void answered(void *user, theater_status_t status,
                     theater_answer_t *answer)
{
    _Atomic unsigned *ended = user;
    (void)status;
    if (answer != NULL) {
        theater_answer_delete(answer);
    }
    /* release; pairs with the acquire in hoarded */
    atomic_fetch_add_explicit(ended, 1, memory_order_release);
}

static _Atomic unsigned hoard_started, hoard_ended;

static void hoard(theater_bytes_t name)
{
    for (int i = 0; i < HOARD; i++) {
        theater_status_t status = theater_router_request_start(
            stage.router, NULL, name, stage_text("keep this"), STAGE_WAIT_MS,
            answered, &hoard_ended, NULL);
        if (status == THEATER_PENDING) {
            atomic_fetch_add_explicit(&hoard_started, 1, memory_order_relaxed);
        }
    }
}

/* The status of what was started here does not matter: that it ends does. */
static void poke(const struct hostile *actor, unsigned id)
{
    char text[16];
    theater_channel_id_t channel;
    theater_status_t status;
    name_of(id, text);
    theater_bytes_t name = stage_text(text), data = stage_text("payload");
    switch (actor->poke) {
    case CAGE_NONE:
        return;
    case CAGE_SEND:
        assert_int_equal(stage_send(&stage, text, "payload"), THEATER_OK);
        return;
    case CAGE_REQUEST:
        (void)stage_ask(&stage, text, "payload");
        return;
    case CAGE_HOARD:
        hoard(name);
        return;
    case CAGE_STOP: /* one that has not run yet has no handle-stop */
        (void)await(id, true);
        assert_int_equal(theater_runtime_stop(stage.runtime, text, "enough"),
                         THEATER_OK);
        return;
    default:
        break;
    }
    status = theater_channel_open(prober, name, data, 0, &channel);
    if (status == THEATER_OK && actor->poke == CAGE_STREAM) {
        status = theater_channel_send(prober, channel, data);
    }
    if (status == THEATER_OK && actor->poke == CAGE_CLOSE) {
        status = theater_channel_close(prober, channel, THEATER_OK);
    }
    assert_true(status != THEATER_TIMEOUT);
}

static void says(const struct hostile *actor, const char *text)
{
    if (actor->says != NULL && strstr(text, actor->says) == NULL) {
        fail_msg("%s: `%s` is not in: %s", actor->name, actor->says, text);
    }
}

static void check_end(const struct hostile *actor, unsigned id)
{
    theater_status_t status;
    const char *text;
    if (actor->end == CAGE_LIVES) {
        struct record r = await(id, true);
        if (r.ended) {
            fail_msg("%s: it ended: %s", actor->name, r.text);
        }
        cage_stop(id);
    }
    bool failed = cage_await_end(id, &status, &text);
    if (failed != (actor->end == CAGE_FAILS) ||
        (failed && status != actor->status)) {
        fail_msg("%s: %s: %s", actor->name, failed ? "failed" : "stopped",
                 text);
    }
    says(actor, text);
    assert_false(look(id).broken);
}

void cage_run(const struct hostile *actor)
{
    theater_manifest_t *manifest = cage_manifest_of(actor);
    cage_run_again(actor, manifest);
    theater_manifest_release(manifest);
}

void cage_run_again(const struct hostile *actor,
                    const theater_manifest_t *manifest)
{
    unsigned id;
    theater_error_t err = {0};
    theater_bytes_t state = {NULL, 0};
    if (actor->state != NULL) {
        state = stage_text(actor->state);
    }
    cage_watch_begin();
    theater_status_t status = cage_spawn(manifest, state, &id, &err);
    if (actor->end == CAGE_REFUSED) {
        if (status != actor->status) {
            fail_msg("%s: %s: %s", actor->name, theater_status_name(status),
                     err.text);
        }
        says(actor, err.text);
    } else {
        if (status != THEATER_OK) {
            fail_msg("%s: is not spawned: %s", actor->name, err.text);
        }
        poke(actor, id);
        check_end(actor, id);
    }
    /* acquire; pairs with answered */
    while (atomic_load_explicit(&hoard_ended, memory_order_acquire) <
           atomic_load_explicit(&hoard_started, memory_order_relaxed)) {
        theater_router_advance(stage.router, stage_now());
    }
    cage_watch_end(actor->name);
}
