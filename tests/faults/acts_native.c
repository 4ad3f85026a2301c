/* SPDX-License-Identifier: Apache-2.0 */
/* Scenarios: actors in C, their spawns, calls and ends. */
#include "acts_actors.h"

static void spawn_one(struct act *act)
{
    (void)met_spawn(act, spawn_echo(act, "one", NULL), THEATER_OK);
}

static void spawn_with_state(struct act *act)
{
    theater_spawn_options_t options = THEATER_SPAWN_OPTIONS_INIT;
    options.initial_state = text("a state of its own");
    (void)met_spawn(act, spawn_echo(act, "one", &options), THEATER_OK);
}

static void spawn_taken(struct act *act)
{
    (void)met_spawn(act, spawn_echo(act, "echo", NULL), THEATER_ALREADY_EXISTS);
}

static void spawn_paused(struct act *act)
{
    theater_spawn_options_t options = THEATER_SPAWN_OPTIONS_INIT;
    options.paused = true;
    if (met_spawn(act, spawn_echo(act, "one", &options), THEATER_OK)) {
        theater_runtime_start_all(act->world->runtime);
    }
}

static void spawn_some(struct act *act)
{
    char name[16];
    for (int i = 0; i < 8; i++) {
        snprintf(name, sizeof name, "some-%d", i);
        (void)met_spawn(act, spawn_echo(act, name, NULL), THEATER_OK);
    }
}

/* The table of names is made larger on the way. */
static void spawn_many(struct act *act)
{
    char name[16];
    theater_manifest_t *manifest = manifest_native(act, "many");
    for (int i = 0; i < 258; i++) {
        /* All but the last ones while nothing is refused. */
        if (i < 254 || i > 256) {
            act_calm(act);
        }
        snprintf(name, sizeof name, "many-%d", i);
        (void)met_spawn(act, spawn_echo_of(act, manifest, name, NULL),
                        THEATER_OK);
        act_go_on(act);
    }
    theater_manifest_release(manifest);
}

static void stop_one(struct act *act)
{
    if (met_spawn(act, spawn_echo(act, "one", NULL), THEATER_OK)) {
        theater_status_t status = theater_runtime_stop(
            act->world->runtime, "one", "a reason that is copied");
        assert_int_equal(status, THEATER_OK);
        status = theater_runtime_wait_actor(act->world->runtime, "one",
                                            WORLD_WAIT_MS);
        assert_int_equal(status, THEATER_OK);
    }
}

static void ask_one(struct act *act, const char *line)
{
    (void)met_answer(act, request(act, "echo", line));
}

static void ask(struct act *act)
{
    ask_one(act, "hello");
}

static void ask_and_log(struct act *act)
{
    ask_one(act, "log this line");
}

static void log_much(struct act *act)
{
    static char line[4000];
    memset(line, 'x', sizeof line - 1);
    memcpy(line, "log", 3);
    for (int i = 0; i < 4; i++) {
        ask_one(act, line);
    }
}

static void send_some(struct act *act)
{
    for (int i = 0; i < 5; i++) {
        (void)met(act,
                  theater_router_send(act->router, NULL, text("echo"),
                                      text("message")),
                  THEATER_OK);
    }
}

static void open_to_native(struct act *act)
{
    theater_endpoint_t *c = NULL;
    theater_channel_id_t channel;
    if (!met(act, theater_router_register(act->router, "c", 1, NULL, &c),
             THEATER_OK)) {
        return;
    }
    theater_status_t status = theater_channel_open(
        c, text("echo"), text("hello"), WORLD_WAIT_MS, &channel);
    /* Accepting takes memory at the other end, which then rejects. */
    if (met_or(act, status, THEATER_OK, THEATER_REJECTED)) {
        (void)met(act, theater_channel_send(c, channel, text("data")),
                  THEATER_OK);
        assert_int_equal(theater_channel_close(c, channel, THEATER_OK),
                         THEATER_OK);
    }
    theater_endpoint_unregister(c, THEATER_OK);
}

static void nothing_each(void *user, const theater_actor_info_t *info)
{
    (void)user;
    (void)info;
}

static void look_around(struct act *act)
{
    theater_runtime_stats_t stats;
    theater_runtime_list(act->world->runtime, nothing_each, NULL);
    theater_runtime_stats(act->world->runtime, &stats);
    assert_int_equal(stats.live, 1);
}

static void spawn_and_run_simulated(struct act *act)
{
    char name[16];
    for (int i = 0; i < 4; i++) {
        snprintf(name, sizeof name, "some-%d", i);
        (void)met_spawn(act, spawn_echo(act, name, NULL), THEATER_OK);
        (void)met_or(
            act,
            theater_router_send(act->router, NULL, text(name), text("message")),
            THEATER_OK, THEATER_NOT_FOUND);
    }
    (void)theater_runtime_simulate(act->world->runtime, 50, NULL);
}

#define ACT(name, run) {name, run, &stage_natives, NULL}
const struct scenario acts_native[] = {
    ACT("a native actor", spawn_one),
    ACT("a native actor with a state", spawn_with_state),
    ACT("an actor whose name is taken", spawn_taken),
    ACT("an actor that waits to be started", spawn_paused),
    ACT("eight native actors", spawn_some),
    ACT("258 native actors", spawn_many),
    ACT("an actor that is stopped", stop_one),
    ACT("a question to a native actor", ask),
    ACT("a native actor that logs", ask_and_log),
    ACT("a native actor that logs much", log_much),
    ACT("messages to a native actor", send_some),
    ACT("a channel to a native actor", open_to_native),
    ACT("a look at all actors", look_around),
    {"native actors, simulated", spawn_and_run_simulated, &stage_simulated,
     NULL},
};
const size_t acts_native_len = sizeof acts_native / sizeof acts_native[0];
